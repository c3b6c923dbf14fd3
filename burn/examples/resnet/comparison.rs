//! All three poolings with the same seeds: the runs, and the table and chart made of them.

use std::fmt::Write as _;
use std::path::Path;

use burn::tensor::Device;
use burn::train::Interrupter;
use serde::Serialize;

use crate::arguments::{Arguments, Method};
use crate::chart;
use crate::data::Digits;
use crate::failure::{Failure, Result};
use crate::record::{self, Epoch, Record};
use crate::statistics::Spread;
use crate::training::{self, Place};

/// The runs of one pooling, one a seed, and what they came to.
#[derive(Serialize)]
pub struct Group {
    pub pooling: &'static str,
    /// Of the last epoch, in percent.
    pub test_accuracy: Spread,
    pub test_loss: Spread,
    /// Of an epoch's training.
    pub seconds: Spread,
    pub runs: Vec<Record>,
}

/// What SoftPool has more than another pooling, seed by seed: the same weights to start from, the same order of images.
#[derive(Serialize)]
struct Difference {
    than: &'static str,
    test_accuracy: Spread,
    test_loss: Spread,
}

#[derive(Serialize)]
struct Comparison {
    /// What makes this file.
    arguments: String,
    groups: Vec<Group>,
    differences: Vec<Difference>,
}

/// Trains what is not there yet, and writes `comparison.md`, `.json` and `.svg`.
pub fn compare(arguments: &Arguments, digits: &Digits, devices: &[Device], interrupter: &Interrupter) -> Result<()> {
    let seeds = arguments.seeds()?;
    let mut runs = Method::ALL.map(|_| Vec::new());
    // Seed by seed, so that a machine that grows slower or faster does so for all poolings.
    for &seed in &seeds {
        for (method, runs) in Method::ALL.into_iter().zip(&mut runs) {
            let label = format!("{} pooling, seed {seed}", method.name());
            let folder = arguments.artifacts.join(format!("{}-seed{seed}", method.name()));
            let place = Place { folder: &folder, devices, interrupter };
            runs.push(training::train(&label, &arguments.settings(method, seed, &digits.sha256), digits, place)?);
        }
    }
    let groups: Vec<Group> = Method::ALL.into_iter().zip(runs).map(|(method, runs)| Group::new(method, runs)).collect();
    let differences = groups[1..].iter().map(|other| Difference::new(&groups[0], other)).collect();
    let command_line = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    Comparison { arguments: command_line, groups, differences }.write(&arguments.artifacts, digits)
}

impl Group {
    fn new(method: Method, runs: Vec<Record>) -> Self {
        let spread = |value: fn(&Record) -> f64| Spread::of(&runs.iter().map(value).collect::<Vec<_>>());
        let seconds = |run: &Record| {
            run.epochs.iter().map(|epoch| f64::from(epoch.train_seconds)).sum::<f64>() / run.epochs.len() as f64
        };
        Self {
            pooling: method.name(),
            test_accuracy: spread(|run| run.outcome().test_accuracy.into()),
            test_loss: spread(|run| run.outcome().test_loss.into()),
            seconds: spread(seconds),
            runs,
        }
    }
}

impl Difference {
    fn new(soft: &Group, other: &Group) -> Self {
        let spread = |value: fn(&Epoch) -> f64| {
            let pairs = soft.runs.iter().zip(&other.runs);
            Spread::of(&pairs.map(|(soft, other)| value(&soft.outcome()) - value(&other.outcome())).collect::<Vec<_>>())
        };
        Self {
            than: other.pooling,
            test_accuracy: spread(|epoch| epoch.test_accuracy.into()),
            test_loss: spread(|epoch| epoch.test_loss.into()),
        }
    }
}

impl Comparison {
    fn write(&self, folder: &Path, digits: &Digits) -> Result<()> {
        let named = |extension: &str| folder.join(format!("comparison.{extension}"));
        let json = serde_json::to_string_pretty(self).map_err(|error| Failure::unwritable(&named("json"), error))?;
        record::replace(&named("json"), &(json + "\n"))?;
        let table = self.table(digits).map_err(|error| Failure::unwritable(&named("md"), error))?;
        record::replace(&named("md"), &table)?;
        let drawing = chart::draw(&self.groups).map_err(|error| Failure::unwritable(&named("svg"), error))?;
        record::replace(&named("svg"), &drawing)?;
        println!("\n{table}\nwrote {}", named("{md,json,svg}").display());
        Ok(())
    }

    fn table(&self, digits: &Digits) -> Result<String, std::fmt::Error> {
        let first = &self.groups[0].runs[0];
        let settings = &first.settings;
        let mut table = format!(
            "# Poolings compared\n\n`resnet {}`: {} training and {} test images, {} epochs in steps of {}, {} seeds each, on {}. \
             Mean and sample standard deviation over the seeds, of the last epoch.\n\n",
            self.arguments,
            digits.train.len(),
            digits.test.len(),
            settings.epochs,
            settings.batch_size,
            self.groups[0].runs.len(),
            first.device
        );
        table += "| pooling | test accuracy, % | test loss | training, s an epoch |\n|---|---|---|---|\n";
        for Group { pooling, test_accuracy, test_loss, seconds, .. } in &self.groups {
            writeln!(table, "| {pooling} | {test_accuracy} | {test_loss:.4} | {seconds:.1} |")?;
        }
        table += "\nSeed by seed, from the same weights and in the same order of images:\n\n";
        table += "| | test accuracy, % | test loss |\n|---|---|---|\n";
        for Difference { than, test_accuracy, test_loss } in &self.differences {
            writeln!(table, "| soft minus {than} | {test_accuracy:+} | {test_loss:+.4} |")?;
        }
        Ok(table)
    }
}
