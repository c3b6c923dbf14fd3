//! Why a command stopped, and the exit code that says so.

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

/// A command's outcome: on success what to print.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a command stopped.
#[derive(Debug)]
pub enum Failure {
    /// The arguments or the files are at fault.
    Usage(String),
    /// The device is at fault.
    Device(String),
}

impl Failure {
    /// A usage failure about the file at `path`.
    pub fn of_file(path: &Path, problem: impl fmt::Display) -> Self {
        Self::Usage(format!("{}: {problem}", path.display()))
    }

    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Device(_) => ExitCode::from(1),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(message) => f.write_str(message),
            Self::Device(message) => {
                write!(f, "{message}\n(SOFTPOOL_ADAPTER and --device choose another adapter, --device cpu none)")
            }
        }
    }
}

impl From<softpool::Error> for Failure {
    fn from(error: softpool::Error) -> Self {
        use softpool::Error;
        match error {
            // The choice comes from the command line or the environment.
            Error::NoAdapter { choice: Some(_), .. } => Self::Usage(error.to_string()),
            Error::NoAdapter { .. }
            | Error::RequestDevice(_)
            | Error::DeviceLimit { .. }
            | Error::DeviceLost { .. }
            | Error::OutOfMemory
            | Error::TimedOut { .. }
            | Error::Refused(_) => Self::Device(error.to_string()),
            _ => Self::Usage(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_tell_the_device_from_the_input() {
        let limit = softpool::Error::DeviceLimit { what: "", given: 2, limit: "", allowed: 1, fix: "" };
        let no_adapter =
            |choice: Option<&str>| softpool::Error::NoAdapter { choice: choice.map(str::to_owned), fix: String::new() };
        for (error, code) in [
            (softpool::Error::DeviceLost { reason: "destroyed".into() }, 1),
            (softpool::Error::OutOfMemory, 1),
            (softpool::Error::Refused("a kernel".into()), 1),
            (limit, 1),
            (no_adapter(None), 1),
            (no_adapter(Some("7")), 2),
            (softpool::Error::BetaNotFinite { beta: f32::NAN }, 2),
        ] {
            let message = error.to_string();
            assert_eq!(Failure::from(error).exit_code(), ExitCode::from(code), "{message}");
        }
    }
}
