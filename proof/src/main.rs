//! One stage of the proof on the adapter that the environment chooses: scripts/gpu-proof runs them one after the other.
//!
//! Each writes what it found to a folder as it goes, so that what cuts it off takes nothing along, and makes the table and JSON
//! of all stages so far anew.

#[allow(dead_code)]
#[path = "../../benches/cases/mod.rs"]
mod cases;
#[path = "../../tests/common/mod.rs"]
mod common;
#[path = "../../benches/device/mod.rs"]
mod device;
#[path = "../../benches/measure/mod.rs"]
mod measure;
mod parity;
mod record;
mod speed;
mod summary;
mod survey;
mod sweep;
mod walk;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

use record::Record;

/// A stage of the proof.
#[derive(Parser)]
struct Arguments {
    stage: Stage,
    /// Where results go.
    out: PathBuf,
    /// Show that everything runs, on small tensors: no figure means anything.
    #[arg(long)]
    smoke: bool,
    /// When to start nothing more.
    #[arg(long, default_value_t = 60.0)]
    seconds: f64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Stage {
    /// Which adapter and driver, and what they can do.
    Adapter,
    /// How far the driver's own exp2 and conversions of f16 are off.
    Natives,
    /// The cases of tests/golden.
    Golden,
    /// Every kernel, type, layout and operation against the f64 reference.
    Parity,
    /// From the text of each kernel to its first result.
    Cold,
    /// Every kernel beside a copy of its input.
    Roofline,
    /// Every value of `Tuning` beside others.
    Sweep,
    /// The short table.
    Summary,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether what it found is as it should be.
fn run(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let Arguments { stage, out, smoke, seconds } = arguments;
    let record = |name, title, columns: &[&str]| Record::new(out, name, title, columns, *seconds);
    let mut record = match stage {
        Stage::Adapter => record("1-adapter", "Adapter", &["", ""])?,
        Stage::Natives => record("2-natives", "How far the driver's own functions are off", &["", "off by", "used"])?,
        Stage::Golden => record("3-golden", "Golden cases", parity::GOLDEN_COLUMNS)?,
        Stage::Parity => record("4-parity", "Parity with the f64 reference", parity::COLUMNS)?,
        Stage::Cold => record("5-cold", "Cold start by kernel", speed::COLD_COLUMNS)?,
        Stage::Roofline => record("6-roofline", "Roofline", speed::COLUMNS)?,
        Stage::Sweep => record("7-sweep", "Tuning", sweep::COLUMNS)?,
        Stage::Summary => return summary::print(out).map(|()| true),
    };
    match stage {
        Stage::Adapter => survey::adapter(&mut record)?,
        Stage::Natives => survey::natives(&mut record)?,
        Stage::Golden => parity::golden(&mut record, *smoke)?,
        Stage::Parity => parity::parity(&mut record, *smoke)?,
        Stage::Cold => speed::cold(&mut record, *smoke)?,
        Stage::Roofline => speed::roofline(&mut record, *smoke)?,
        Stage::Sweep => sweep::sweep(&mut record, *smoke)?,
        Stage::Summary => {}
    }
    let passed = record.end()?;
    summary::write(out)?;
    Ok(passed)
}
