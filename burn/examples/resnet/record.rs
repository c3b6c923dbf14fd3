//! What is kept of a run, in `run.json`: its settings, and what each epoch came to.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Result};
use crate::model::Pooling;

const FILE: &str = "run.json";

/// All that decides what a run computes. A run goes on only with the settings that it began with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub pooling: Pooling,
    pub seed: u64,
    pub epochs: usize,
    pub batch_size: usize,
    pub learning_rate: f64,
    /// The first stage's channels.
    pub channels: usize,
    /// How many devices share each step.
    pub devices: usize,
    /// SHA-256 of the images and labels.
    pub data: String,
}

/// What an epoch came to: means over its images. In f32, whose text in JSON is read back to the same bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    pub train_loss: f32,
    /// In percent, as the next one but one.
    pub train_accuracy: f32,
    pub test_loss: f32,
    pub test_accuracy: f32,
    /// Spent on training, without the test.
    pub train_seconds: f32,
}

/// A run as far as it got.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    pub settings: Settings,
    /// What it runs on.
    pub device: String,
    pub epochs: Vec<Epoch>,
    /// The inverse temperatures after the last epoch, where they are trained.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub betas: Vec<f32>,
}

impl Record {
    pub fn new(settings: Settings, device: String) -> Self {
        Self { settings, device, epochs: Vec::new(), betas: Vec::new() }
    }

    pub fn is_finished(&self) -> bool {
        self.epochs.len() >= self.settings.epochs
    }

    /// The last epoch: none is chosen by its test accuracy.
    pub fn outcome(&self) -> Epoch {
        self.epochs.last().copied().unwrap_or_default()
    }

    /// The record in the folder, if there is one.
    pub fn load(folder: &Path) -> Result<Option<Self>> {
        let file = folder.join(FILE);
        let text = match std::fs::read(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::Usage(format!("{} can't be read: {error}", file.display()))),
        };
        let record = serde_json::from_slice(&text).map_err(|error| {
            let file = file.display();
            Failure::Usage(format!("{file} is no record of a run: {error}; remove its folder, or name another one"))
        })?;
        Ok(Some(record))
    }

    /// The record, if it was begun with these settings.
    pub fn begun_with(self, settings: &Settings, folder: &Path) -> Result<Self> {
        if self.settings == *settings {
            return Ok(self);
        }
        let folder = folder.display();
        let values = |settings| serde_json::to_value(settings).unwrap_or_default();
        let (begun, given) = (values(&self.settings), values(settings));
        let differences: Vec<String> = (given.as_object().into_iter().flatten())
            .filter(|(name, value)| begun.get(name) != Some(value))
            .map(|(name, value)| format!("{name} was {}, is {value}", begun.get(name).unwrap_or_default()))
            .collect();
        Err(Failure::Usage(format!(
            "the run in {folder} was begun with other settings ({}): give it the same ones, or name another folder",
            differences.join("; ")
        )))
    }

    /// Puts the record into the folder, whole or not at all.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(|error| Failure::unwritable(folder, error))?;
        replace(&folder.join(FILE), &(text + "\n"))
    }
}

/// Writes a file beside its place and moves it there, so that whoever stops the program finds the old or the new one.
pub fn replace(file: &Path, text: &str) -> Result<()> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".part");
    let write = || {
        let mut part = File::create(&beside)?;
        part.write_all(text.as_bytes())?;
        part.sync_all()?;
        std::fs::rename(&beside, file)
    };
    write().map_err(|error: io::Error| Failure::unwritable(file, error))
}
