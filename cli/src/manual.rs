//! `softpool completions` and `softpool man`: what shells and `man` want to know of the command line, from clap's own description.

use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::arguments::Cli;
use crate::failure::{Failure, Result};
use crate::report::Report;

/// The script by which `shell` completes the command line.
pub fn completions(shell: Shell) -> Result<Report> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "softpool", &mut script);
    Ok(Report::new(text(script)))
}

/// The manual: its first page, or all pages as files of `folder`.
pub fn man(folder: Option<&Path>) -> Result<Report> {
    let Some(folder) = folder else {
        // As the pages of a folder are made.
        let mut command = Cli::command().disable_help_subcommand(true);
        command.build();
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page).expect("memory takes any page");
        return Ok(Report::new(text(page)));
    };
    let failure = |error| Failure::of_file(folder, error);
    std::fs::create_dir_all(folder).map_err(failure)?;
    clap_mangen::generate_to(Cli::command(), folder).map_err(failure)?;
    Ok(Report::new(format!("softpool.1 and the pages of its commands are in {}", folder.display())))
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("clap writes UTF-8")
}
