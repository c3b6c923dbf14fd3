//! `softpool`: SoftPool pooling of `.npy` tensors and images from the command line.
//!
//! This file runs the chosen command and turns its outcome into the exit code: 0; 2 for a usage or input error, as
//! clap's own; 1 for a device failure.
#![forbid(unsafe_code)]

mod arguments;
mod axis_list;
mod betas;
mod call;
mod chunks;
mod colours;
mod compare;
mod damage;
mod decoding;
mod device;
mod dtype;
mod encoding;
mod failure;
mod image_command;
mod image_windows;
mod info;
mod input_files;
mod kernel_text;
mod leftovers;
mod light;
mod manual;
mod memory_size;
mod mips_command;
mod npy_header;
mod output_files;
mod picture;
mod png_file;
mod pooling;
mod quiet;
mod recipe_text;
mod report;
mod sheet;
mod similarity;
mod tensor_commands;
mod tensor_files;
mod windows;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use arguments::{Cli, Command};
use report::Report;

fn main() -> ExitCode {
    let command = Cli::parse().command;
    // Before anything is read or written.
    quiet::hush();
    let outcome = match command {
        Command::Info => info::run().map(Report::new),
        Command::Forward(arguments) => tensor_commands::forward(&arguments),
        Command::Backward(arguments) => tensor_commands::backward(&arguments),
        Command::Image(arguments) => image_command::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Mips(arguments) => mips_command::run(&arguments),
        Command::Wgsl { operation } => kernel_text::run(&operation).map(Report::new),
        Command::Recipe { operation } => recipe_text::run(&operation).map(Report::new),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { output } => manual::man(output.as_deref()),
    };
    match outcome {
        Ok(report) => {
            report.print();
            ExitCode::SUCCESS
        }
        Err(failure) => {
            let _ = writeln!(io::stderr(), "error: {failure}");
            failure.exit_code()
        }
    }
}
