//! Why the program stopped, and the exit code that says so.

use std::path::Path;
use std::process::ExitCode;

use thiserror::Error;

/// An outcome of a step of the program.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why the program stopped before its end.
#[derive(Debug, Error)]
pub enum Failure {
    /// The arguments or a file are at fault.
    #[error("{0}")]
    Usage(String),
    /// The training failed, or what it made could not be written.
    #[error("{0}")]
    Training(String),
    /// Somebody asked for it.
    #[error("interrupted after {epochs} of {of} epochs; the same command with --resume continues")]
    Interrupted {
        /// That were finished: what was done of the next one is lost.
        epochs: usize,
        of: usize,
    },
}

impl Failure {
    /// The file at `path` could not be written.
    pub fn unwritable(path: &Path, problem: impl std::fmt::Display) -> Self {
        Self::Training(format!("{} can't be written: {problem}", path.display()))
    }

    /// 2 for bad usage, as clap's own; 130 is a shell's code for Ctrl-C.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_) => 2,
            Self::Training(_) => 1,
            Self::Interrupted { .. } => 130,
        })
    }
}
