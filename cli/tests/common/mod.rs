//! Running the program in a directory of its own.
#![allow(dead_code, reason = "each test file uses a part")]

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// What the program says when it computes on the CPU because there is no adapter.
pub const FALLBACK: &str = "no GPU adapter is there";

/// A directory for one test's files, removed with it.
pub struct Workplace(TempDir);

/// What a run of the program did.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Workplace {
    pub fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `softpool` with arguments separated by spaces.
    pub fn run(&self, arguments: &str) -> Run {
        self.run_with(arguments, &[])
    }

    /// [`run`](Self::run) with environment variables.
    pub fn run_with(&self, arguments: &str, environment: &[(&str, &str)]) -> Run {
        let output = Command::new(env!("CARGO_BIN_EXE_softpool"))
            .args(arguments.split_whitespace())
            .current_dir(self.0.path())
            .envs(environment.iter().copied())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// [`run`](Self::run), which has to succeed, and on an adapter if it runs on a device.
    pub fn succeed(&self, arguments: &str) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.code, Some(0), "softpool {arguments}: {run:?}");
        assert!(!run.stderr.contains(FALLBACK), "these tests need an adapter: {}", self.run("info").stdout);
        run
    }

    /// [`run`](Self::run), which has to stop with code 2 and all of `expected` on stderr.
    pub fn refuse(&self, arguments: &str, expected: &[&str]) {
        let run = self.run(arguments);
        assert_eq!(run.code, Some(2), "softpool {arguments}: {run:?}");
        assert_eq!(run.stdout, "", "softpool {arguments}");
        for expected in expected {
            assert!(run.stderr.contains(expected), "softpool {arguments}: {} lacks {expected:?}", run.stderr);
        }
    }

    /// The names of all files, hidden ones too.
    pub fn files(&self) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(self.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}
