//! A residual network in the shape of ResNet-18's first stages, trained on handwritten digits by Burn's learner, which halves
//! its images by SoftPool, max or average pooling. Its README beside this file says how to run it, and what it found.
//!
//! This file runs what the arguments ask for and turns the outcome into the exit code.
#![forbid(unsafe_code)]

mod arguments;
mod chart;
mod comparison;
mod data;
mod device;
mod failure;
mod model;
mod progress;
mod record;
mod statistics;
mod training;

use std::process::ExitCode;

use burn::train::Interrupter;
use clap::Parser;

use arguments::Arguments;
use data::Digits;
use failure::{Failure, Result};
use record::Record;
use training::Place;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            failure.exit_code()
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let digits = match &arguments.data {
        Some(folder) => Digits::in_folder(folder),
        None => Digits::own(),
    };
    let digits = digits.map_err(|error| Failure::Usage(error.to_string()))?;
    let devices = device::choose(&arguments.device)?;
    let interrupter = interrupter()?;
    if arguments.compare {
        return comparison::compare(arguments, &digits, &devices, &interrupter);
    }
    let folder = arguments.artifacts.as_path();
    match (Record::load(folder)?, arguments.resume) {
        (Some(_), false) => {
            return Err(Failure::Usage(format!(
                "{} holds a run: continue it with --resume, remove it, or name another --artifacts folder",
                folder.display()
            )));
        }
        (None, true) => {
            return Err(Failure::Usage(format!("{} holds no run to resume: leave out --resume", folder.display())));
        }
        _ => {}
    }
    let settings = arguments.settings(arguments.pool, arguments.seed, &digits.sha256);
    let label = format!("{} pooling", arguments.pool.name());
    let record =
        training::train(&label, &settings, &digits, Place { folder, devices: &devices, interrupter: &interrupter })?;
    let outcome = record.outcome();
    println!("test accuracy {:.2}%, test loss {:.4}", outcome.test_accuracy, outcome.test_loss);
    if !record.betas.is_empty() {
        println!("betas {:?}", record.betas);
    }
    println!("the run is in {}", folder.display());
    Ok(())
}

/// Stopped by Ctrl-C; by a second one the program ends at once, which loses nothing but the epoch that runs.
fn interrupter() -> Result<Interrupter> {
    let interrupter = Interrupter::new();
    let stopped = interrupter.clone();
    let handler = move || {
        if stopped.should_stop() {
            std::process::exit(130);
        }
        eprintln!("stopping after this step; Ctrl-C again to stop at once");
        stopped.stop(Some("Ctrl-C"));
    };
    ctrlc::set_handler(handler).map_err(|error| Failure::Training(format!("Ctrl-C can't be caught: {error}")))?;
    Ok(interrupter)
}
