//! Input files, standard input among them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::failure::{Failure, Result};

/// What the command line calls standard input.
const STDIN: &str = "-";

/// Whether `path` is standard input.
pub fn is_stdin(path: &Path) -> bool {
    path == Path::new(STDIN)
}

/// Opens the file at `path`.
pub fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    Ok(if is_stdin(path) { Box::new(io::stdin().lock()) } else { Box::new(File::open(path)?) })
}

/// Checks that no two inputs are standard input, which can be read once.
pub fn check_stdin_once<'a>(inputs: impl IntoIterator<Item = (&'static str, &'a Path)>) -> Result<()> {
    let from_stdin: Vec<_> = inputs.into_iter().filter(|(_, path)| is_stdin(path)).map(|(name, _)| name).collect();
    match from_stdin[..] {
        [first, second, ..] => Err(Failure::Usage(format!(
            "{first} {STDIN} and {second} {STDIN}: standard input can be read once; give a file for one of them"
        ))),
        _ => Ok(()),
    }
}
