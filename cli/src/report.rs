//! What a command says when it has succeeded.

use std::io::{self, Write};

/// Lines for the user.
pub struct Report {
    text: String,
    /// Whether standard output holds a file, so that lines would damage it.
    stdout_is_taken: bool,
}

impl Report {
    /// A report for standard output.
    pub fn new(text: String) -> Self {
        Self { text, stdout_is_taken: false }
    }

    /// A report for standard error if standard output holds a file.
    pub fn beside(text: String, stdout_is_taken: bool) -> Self {
        Self { text, stdout_is_taken }
    }

    pub fn print(&self) {
        let text = self.text.trim_end();
        // A reader that has seen enough, like `head`, closes the pipe; the work is done all the same.
        let _ = if self.stdout_is_taken { writeln!(io::stderr(), "{text}") } else { writeln!(io::stdout(), "{text}") };
    }
}
