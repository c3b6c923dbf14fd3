//! One run: Burn's learner on the digits, with Adam, a cosine schedule and checkpoints, from the start or where it stopped.

use std::io;
use std::path::Path;
use std::sync::Arc;

use burn::data::dataloader::{DataLoader, DataLoaderBuilder, DataLoaderIterator};
use burn::data::dataset::InMemDataset;
use burn::lr_scheduler::LrSchedulerRecord;
use burn::lr_scheduler::cosine::CosineAnnealingLrSchedulerConfig;
use burn::optim::{AdamConfig, OptimizerRecord};
use burn::store::ModuleRecord;
use burn::tensor::Device;
use burn::train::checkpoint::{Checkpoint, CheckpointerError, KeepLastNCheckpoints};
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn::train::{ExecutionStrategy, Interrupter, Learner, MultiDeviceOptim, SupervisedTraining};

use crate::data::{DigitBatcher, Digits};
use crate::failure::{Failure, Result};
use crate::model::ResNet;
use crate::progress::{Log, Progress};
use crate::record::{Record, Settings};

/// Two, so that one is left if the newest is damaged.
const CHECKPOINTS: usize = 2;
/// The test needs no gradients, so larger batches fit.
const TEST_BATCH: usize = 250;

/// Where a run takes place, and who may stop it.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// For the record and the checkpoints.
    pub folder: &'a Path,
    /// One or more.
    pub devices: &'a [Device],
    pub interrupter: &'a Interrupter,
}

/// Trains a network, from the folder's newest checkpoint on if it holds a run. A finished run is only read.
pub fn train(label: &str, settings: &Settings, digits: &Digits, place: Place<'_>) -> Result<Record> {
    let Place { folder, devices, interrupter } = place;
    let mut record = match Record::load(folder)? {
        Some(record) => record.begun_with(settings, folder)?,
        None => Record::new(settings.clone(), crate::device::names(devices)),
    };
    if record.is_finished() {
        return Ok(record);
    }
    let checkpoints = folder.join("checkpoint");
    let trained = newest_checkpoint(&checkpoints, record.epochs.len())?;
    record.epochs.truncate(trained);
    std::fs::create_dir_all(folder).map_err(|error| Failure::unwritable(folder, error))?;
    record.save(folder)?;

    // Burn's random numbers are one sequence for all devices; only the weights are drawn from it.
    let main = devices[0].clone().autodiff();
    main.seed(settings.seed);
    let model = ResNet::new(&settings.pooling, settings.channels, &main);
    let steps = (digits.train.len() / devices.len()).div_ceil(settings.batch_size);
    let schedule = CosineAnnealingLrSchedulerConfig::new(settings.learning_rate, settings.epochs * steps).init();
    let schedule = schedule.map_err(|problem| Failure::Usage(format!("--learning-rate: {problem}")))?;

    let loader = |batch_size| DataLoaderBuilder::new(DigitBatcher).batch_size(batch_size).set_device(main.clone());
    let shuffled = loader(settings.batch_size).shuffle(settings.seed).build(InMemDataset::new(digits.train.clone()));
    let test = loader(TEST_BATCH).build(InMemDataset::new(digits.test.clone()));
    let strategy = match devices {
        [_] => ExecutionStrategy::single(main),
        _ => {
            let devices = devices.iter().map(|device| device.clone().autodiff());
            ExecutionStrategy::multi(devices.collect(), MultiDeviceOptim::OptimMainDevice)
        }
    };
    let log = Log::new(record, folder.to_path_buf());
    let mut training = SupervisedTraining::new(folder, Arc::new(FromEpoch { loader: shuffled, trained }), test)
        .label(label)
        .num_epochs(settings.epochs)
        .metrics((LossMetric::new(), AccuracyMetric::new()))
        .with_training_strategy(strategy.into())
        .with_interrupter(interrupter.clone())
        .with_default_checkpointers()
        .with_checkpointing_strategy(KeepLastNCheckpoints::new(CHECKPOINTS))
        // Burn's logger is the process's: it could not change its file from run to run.
        .with_application_logger(None)
        .renderer(Box::new(Progress::new(log.clone(), interrupter.clone())));
    if trained > 0 {
        training = training.checkpoint(trained);
    }
    let result = training.launch(Learner::new(model, AdamConfig::new().init(), schedule));
    if let Some(error) = result.error {
        return Err(Failure::Training(format!("{label}: {error}")));
    }
    let mut record = log.record()?;
    if result.interrupted.is_some() {
        return Err(Failure::Interrupted { epochs: record.epochs.len(), of: settings.epochs });
    }
    record.betas = result.model.betas();
    record.save(folder)?;
    Ok(record)
}

/// The last of `epochs` epochs whose checkpoint is whole, or 0 if there are no checkpoints.
fn newest_checkpoint(folder: &Path, epochs: usize) -> Result<usize> {
    let mut damaged = None;
    for epoch in (1..=epochs).rev() {
        match load_checkpoint(folder, epoch) {
            Ok(()) => return Ok(epoch),
            Err(CheckpointerError::IOError(error)) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                eprintln!(
                    "checkpoint {epoch} in {} is damaged ({error}): going back to the one before",
                    folder.display()
                );
                damaged = Some(epoch);
            }
        }
    }
    match damaged {
        None => Ok(0),
        Some(epoch) => Err(Failure::Usage(format!(
            "none of the checkpoints in {} can be read, up to that of epoch {epoch}; remove the run's folder to start again",
            folder.display()
        ))),
    }
}

/// Reads a checkpoint for its errors: the learner itself would panic on them.
fn load_checkpoint(folder: &Path, epoch: usize) -> Result<(), CheckpointerError> {
    let file = |name: &str| {
        let file = folder.join(format!("{name}-{epoch}.bpk"));
        std::fs::metadata(&file).map(|_| file).map_err(CheckpointerError::IOError)
    };
    <ModuleRecord as Checkpoint>::load(file("model")?)?;
    <OptimizerRecord as Checkpoint>::load(file("optim")?)?;
    <LrSchedulerRecord as Checkpoint>::load(file("scheduler")?)?;
    Ok(())
}

/// A loader that goes on where one stands that has run `trained` epochs: their shuffles are drawn, but not used. So a run
/// that was interrupted sees the images in the order in which it would have seen them.
struct FromEpoch<O> {
    loader: Arc<dyn DataLoader<O>>,
    trained: usize,
}

impl<O: 'static> DataLoader<O> for FromEpoch<O> {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<O> + 'a> {
        self.loader.iter()
    }

    fn num_items(&self) -> usize {
        self.loader.num_items()
    }

    // The learner asks for this once, before the first epoch; the loader for a device has a sequence of its own.
    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<O>> {
        let loader = self.loader.to_device(device);
        for _ in 0..self.trained {
            drop(loader.iter());
        }
        loader
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<O>> {
        Arc::new(Self { loader: self.loader.slice(start, end), trained: self.trained })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Pooling, RANDOM_NUMBERS};
    use crate::record::Epoch;

    const SETTINGS: Settings = Settings {
        pooling: Pooling::Max,
        seed: 1,
        epochs: 2,
        batch_size: 16,
        learning_rate: 0.01,
        channels: 8,
        devices: 1,
        data: String::new(),
    };

    /// A few of the digits.
    fn few() -> Digits {
        let Digits { mut train, mut test, sha256 } = Digits::own().unwrap();
        train.truncate(640);
        test.truncate(100);
        Digits { train, test, sha256 }
    }

    /// Trains on the CPU, which every machine has.
    fn train_in(folder: &Path, settings: &Settings) -> Result<Record> {
        let _alone = RANDOM_NUMBERS.lock();
        let devices = &[Device::flex()];
        train("test", settings, &few(), Place { folder, devices, interrupter: &Interrupter::new() })
    }

    /// All that a record's epochs hold but the time.
    fn untimed(record: &Record) -> Vec<Epoch> {
        record.epochs.iter().map(|epoch| Epoch { train_seconds: 0.0, ..*epoch }).collect()
    }

    /// Puts a finished run back to where it was after `epochs` epochs.
    fn put_back(folder: &Path, epochs: usize) {
        let mut record = Record::load(folder).unwrap().unwrap();
        record.epochs.truncate(epochs);
        record.save(folder).unwrap();
    }

    fn checkpoint(folder: &Path, name: &str, epoch: usize) -> std::path::PathBuf {
        folder.join(format!("checkpoint/{name}-{epoch}.bpk"))
    }

    #[test]
    fn a_run_learns_repeats_itself_and_depends_on_the_seed() {
        let [once, again, other] = [(); 3].map(|()| tempfile::tempdir().unwrap());
        let first = train_in(once.path(), &SETTINGS).unwrap();
        assert!(first.epochs[1].train_loss < 0.7 * first.epochs[0].train_loss, "{:?}", first.epochs);
        assert_eq!(untimed(&first), untimed(&train_in(again.path(), &SETTINGS).unwrap()));
        let other = train_in(other.path(), &Settings { seed: 2, ..SETTINGS }).unwrap();
        assert_ne!(untimed(&first), untimed(&other));
    }

    #[test]
    fn a_run_that_was_stopped_ends_as_if_it_had_not_been() {
        let folder = tempfile::tempdir().unwrap();
        let whole = train_in(folder.path(), &SETTINGS).unwrap();
        put_back(folder.path(), 1);
        // As after a kill in the midst of saving: not all files of the newest checkpoint are there.
        std::fs::remove_file(checkpoint(folder.path(), "scheduler", 2)).unwrap();
        let resumed = train_in(folder.path(), &SETTINGS).unwrap();
        assert_eq!(untimed(&whole), untimed(&resumed));
        // Once finished, it is only read.
        assert_eq!(resumed.epochs, train_in(folder.path(), &SETTINGS).unwrap().epochs);
    }

    #[test]
    fn a_damaged_checkpoint_is_passed_over_and_damage_to_all_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let whole = train_in(folder.path(), &SETTINGS).unwrap();
        let damage = |name, epoch| {
            let file = checkpoint(folder.path(), name, epoch);
            let bytes = std::fs::read(&file).unwrap();
            std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
        };
        damage("model", 2);
        assert_eq!(newest_checkpoint(&folder.path().join("checkpoint"), 2).unwrap(), 1);
        put_back(folder.path(), 1);
        assert_eq!(untimed(&whole), untimed(&train_in(folder.path(), &SETTINGS).unwrap()));
        put_back(folder.path(), 1);
        damage("optim", 1);
        let message = train_in(folder.path(), &SETTINGS).unwrap_err().to_string();
        assert!(
            message.contains("none of the checkpoints in") && message.contains("remove the run's folder"),
            "{message}"
        );
    }

    #[test]
    fn other_settings_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        train_in(folder.path(), &Settings { epochs: 1, ..SETTINGS }).unwrap();
        let message = train_in(folder.path(), &SETTINGS).unwrap_err().to_string();
        assert!(message.contains("(epochs was 1, is 2)"), "{message}");
    }

    #[test]
    fn a_stop_is_an_interruption() {
        let folder = tempfile::tempdir().unwrap();
        let interrupter = Interrupter::new();
        interrupter.stop(None);
        let place = Place { folder: folder.path(), devices: &[Device::flex()], interrupter: &interrupter };
        let failure = train("test", &SETTINGS, &few(), place).unwrap_err();
        assert!(matches!(failure, Failure::Interrupted { epochs: 0, of: 2 }), "{failure}");
    }

    #[test]
    fn a_broken_record_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("run.json"), "{\"settings\":").unwrap();
        let message = train_in(folder.path(), &SETTINGS).unwrap_err().to_string();
        assert!(message.contains("run.json is no record of a run"), "{message}");
    }
}
