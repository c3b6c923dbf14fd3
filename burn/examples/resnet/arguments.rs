//! The command line: what clap parses.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use softpool_burn::Beta;

use crate::failure::{Failure, Result};
use crate::model::Pooling;
use crate::record::Settings;

/// Epochs of a run, and of a quick one.
const EPOCHS: usize = 6;
const QUICK_EPOCHS: usize = 2;
const SEEDS: [u64; 3] = [1, 2, 3];

/// Train a residual network that tells handwritten digits, with SoftPool, max or average pooling.
#[derive(Debug, Parser)]
#[command(name = "resnet", max_term_width = 100)]
#[command(
    after_help = "Ctrl-C stops after the step that runs; the last finished epoch is kept. A second one stops at once.\n\
    Exit codes: 0 done, 1 the training failed, 2 the arguments or a file are wrong, 130 interrupted."
)]
pub struct Arguments {
    /// How the network halves its images, at the same kernel, stride and padding.
    #[arg(long, value_enum, default_value = "soft", conflicts_with = "compare")]
    pub pool: Method,
    /// SoftPool's inverse temperature: a number, `learnable`, or `learnable:NUMBER` to start elsewhere than at 1.
    #[arg(long, default_value = "1", allow_hyphen_values = true, value_parser = beta)]
    pub beta: Beta,
    /// Passes over the training images [default: 6, with --quick 2].
    #[arg(long, value_parser = positive)]
    pub epochs: Option<usize>,
    /// Images in a step, on each device.
    #[arg(long, default_value = "64", value_parser = positive)]
    pub batch_size: usize,
    /// Adam's learning rate at the start, from where it falls to 0 along a cosine.
    #[arg(long, default_value = "0.003", value_parser = learning_rate)]
    pub learning_rate: f64,
    /// Channels of the first stage; the second has twice as many.
    #[arg(long, default_value = "8", value_parser = positive)]
    pub channels: usize,
    /// Chooses the weights that the network starts from, and the order of the images.
    #[arg(long, default_value_t = 1, conflicts_with = "compare")]
    pub seed: u64,
    /// Fewer epochs: less than 10 minutes on two cores and software Vulkan.
    #[arg(long, conflicts_with = "epochs")]
    pub quick: bool,
    /// Train all three poolings with each of the seeds, and write a table and a chart. Goes on where it stopped.
    #[arg(long)]
    pub compare: bool,
    /// Seeds to compare with [default: 1,2,3].
    #[arg(long, value_delimiter = ',', requires = "compare")]
    pub seeds: Vec<u64>,
    /// Where to train: graphics devices by index, or `cpu`. Several train together, each on its part of the images.
    #[arg(long, value_delimiter = ',', default_value = "0")]
    pub device: Vec<String>,
    /// A folder with MNIST's four IDX files, compressed or not [default: the 10,000 digits that come with this example].
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Where checkpoints and results go.
    #[arg(long, default_value = "target/resnet")]
    pub artifacts: PathBuf,
    /// Continue the run in the artifacts folder, from its newest checkpoint.
    #[arg(long)]
    pub resume: bool,
}

/// A way of pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Method {
    Soft,
    Max,
    Avg,
}

impl Method {
    pub const ALL: [Self; 3] = [Self::Soft, Self::Max, Self::Avg];

    pub fn name(self) -> &'static str {
        match self {
            Self::Soft => "soft",
            Self::Max => "max",
            Self::Avg => "avg",
        }
    }
}

fn beta(text: &str) -> Result<Beta, String> {
    let (value, beta): (&str, fn(f64) -> Beta) = match text.strip_prefix("learnable") {
        Some("") => ("1", Beta::Learned),
        Some(start) => (start.strip_prefix(':').unwrap_or(text), Beta::Learned),
        None => (text, Beta::Fixed),
    };
    // The device computes in f32.
    match value.parse::<f32>() {
        Ok(value) if value.is_finite() => Ok(beta(value.into())),
        _ => Err("must be a finite number, `learnable`, or `learnable:` and a finite number".to_owned()),
    }
}

fn positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&number| number > 0).ok_or_else(|| "must be a whole number, 1 or more".to_owned())
}

fn learning_rate(text: &str) -> Result<f64, String> {
    let allowed = |rate: &f64| *rate > 0.0 && *rate <= 1.0;
    text.parse().ok().filter(allowed).ok_or_else(|| "must be above 0 and at most 1".to_owned())
}

impl Arguments {
    /// The seeds to compare with: at least two, for there is no spread of one.
    pub fn seeds(&self) -> Result<Vec<u64>> {
        let seeds = if self.seeds.is_empty() { SEEDS.to_vec() } else { self.seeds.clone() };
        let twice = seeds.iter().enumerate().find(|&(index, seed)| seeds[..index].contains(seed));
        if let Some((_, seed)) = twice {
            return Err(Failure::Usage(format!("--seeds: {seed} is there twice; runs with one seed are the same run")));
        }
        if seeds.len() < 2 {
            return Err(Failure::Usage(format!("--seeds: {} alone has no spread; give two or more", seeds[0])));
        }
        Ok(seeds)
    }

    /// What decides a run with this pooling and seed.
    pub fn settings(&self, method: Method, seed: u64, data: &str) -> Settings {
        let pooling = match method {
            Method::Soft => Pooling::Soft(self.beta.clone()),
            Method::Max => Pooling::Max,
            Method::Avg => Pooling::Avg,
        };
        Settings {
            pooling,
            seed,
            epochs: self.epochs.unwrap_or(if self.quick { QUICK_EPOCHS } else { EPOCHS }),
            batch_size: self.batch_size,
            learning_rate: self.learning_rate,
            channels: self.channels,
            devices: self.device.len(),
            data: data.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn clap_agrees() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn betas() {
        assert_eq!(beta("2.5"), Ok(Beta::Fixed(2.5)));
        assert_eq!(beta("-1"), Ok(Beta::Fixed(-1.0)));
        assert_eq!(beta("learnable"), Ok(Beta::Learned(1.0)));
        assert_eq!(beta("learnable:0.5"), Ok(Beta::Learned(0.5)));
        for wrong in ["", "NaN", "inf", "1e39", "learnable:", "learnable2", "learnable:learnable", "soft"] {
            assert!(beta(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn wrong_arguments_are_refused() {
        for (arguments, expected) in [
            ("--epochs 0", "whole number, 1 or more"),
            ("--batch-size 0", "whole number, 1 or more"),
            ("--channels many", "whole number, 1 or more"),
            ("--learning-rate 0", "above 0 and at most 1"),
            ("--learning-rate NaN", "above 0 and at most 1"),
            ("--beta inf", "finite number"),
            ("--pool min", "possible values: soft, max, avg"),
            ("--quick --epochs 3", "cannot be used with"),
            ("--seeds 1,2", "--compare"),
            ("--compare --seed 3", "cannot be used with"),
        ] {
            let parsed = Arguments::try_parse_from(["resnet"].into_iter().chain(arguments.split(' ')));
            let message = parsed.expect_err(arguments).to_string();
            assert!(message.contains(expected), "{arguments}: {message}");
        }
        for (seeds, expected) in [("4", "4 alone has no spread"), ("3,4,3", "3 is there twice")] {
            let arguments = Arguments::try_parse_from(["resnet", "--compare", "--seeds", seeds]).unwrap();
            assert!(arguments.seeds().unwrap_err().to_string().contains(expected));
        }
    }
}
