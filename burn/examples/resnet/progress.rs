//! What Burn's learner reports: shown on the terminal, and entered into the run's record.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use burn::train::Interrupter;
use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::{MetricDefinition, MetricId, MetricName, NumericEntry};
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation, MetricsRendererTraining,
};
use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::Result;
use crate::record::{Epoch, Record};

/// A run's record, which the learner's thread of events writes and whoever started the run reads.
#[derive(Clone)]
pub struct Log(Arc<Mutex<Entries>>);

struct Entries {
    record: Record,
    folder: PathBuf,
    saved: Result<()>,
}

impl Log {
    pub fn new(record: Record, folder: PathBuf) -> Self {
        Self(Arc::new(Mutex::new(Entries { record, folder, saved: Ok(()) })))
    }

    fn enter(&self, epoch: Epoch) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.record.epochs.push(epoch);
        let saved = entries.record.save(&entries.folder);
        if entries.saved.is_ok() {
            entries.saved = saved;
        }
    }

    /// The record, or what kept it from being saved.
    pub fn record(&self) -> Result<Record> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut entries.saved, Ok(())).map(|()| entries.record.clone())
    }
}

/// A bar for each pass over the images, and a line for each epoch.
pub struct Progress {
    log: Log,
    interrupter: Interrupter,
    bar: ProgressBar,
    names: HashMap<MetricId, MetricName>,
    /// The newest value of each metric, in the order in which they came.
    shown: Vec<(MetricName, f64)>,
    epoch: Epoch,
    number: usize,
    total: usize,
    label: String,
    split: String,
    split_began: Instant,
}

impl Progress {
    pub fn new(log: Log, interrupter: Interrupter) -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {msg} {eta}") {
            bar.set_style(style);
        }
        Self {
            log,
            interrupter,
            bar,
            names: HashMap::new(),
            shown: Vec::new(),
            epoch: Epoch::default(),
            number: 0,
            total: 0,
            label: String::new(),
            split: String::new(),
            split_began: Instant::now(),
        }
    }

    /// Shows a metric's value, and returns its name and value if it is the pass's last and final one.
    fn update(&mut self, state: MetricState) -> Option<(MetricName, f32)> {
        let MetricState::Numeric(entry, Some(value)) = state else { return None };
        let name = self.names.get(&entry.metric_id)?.clone();
        let known = self.shown.iter().position(|(shown, _)| *shown == name);
        match known {
            Some(index) => self.shown[index].1 = value.current(),
            None => self.shown.push((name.clone(), value.current())),
        }
        let message: Vec<String> = self.shown.iter().map(|(name, value)| format!("{name} {value:.3}")).collect();
        self.bar.set_message(message.join(", "));
        match value {
            NumericEntry::Final(value) => Some((name, value as f32)),
            NumericEntry::Value(_) | NumericEntry::Aggregated { .. } => None,
        }
    }
}

impl MetricsRendererTraining for Progress {
    fn update_train(&mut self, state: MetricState) {
        match self.update(state) {
            Some((name, value)) if *name == "Loss" => self.epoch.train_loss = value,
            Some((name, value)) if *name == "Accuracy" => self.epoch.train_accuracy = value,
            _ => {}
        }
    }

    fn update_valid(&mut self, state: MetricState) {
        match self.update(state) {
            Some((name, value)) if *name == "Loss" => self.epoch.test_loss = value,
            Some((name, value)) if *name == "Accuracy" => self.epoch.test_accuracy = value,
            _ => {}
        }
    }
}

impl TrainingProgressLogger for Progress {
    fn start(&mut self, total_epochs: usize, starting_epoch: usize, _total_items: Option<usize>, label: Option<&str>) {
        (self.number, self.total) = (starting_epoch, total_epochs);
        self.label = label.unwrap_or("training").to_owned();
    }

    fn start_split(&mut self, split: &str, total_items: usize) {
        split.clone_into(&mut self.split);
        self.split_began = Instant::now();
        self.bar.reset();
        self.bar.set_length(total_items as u64);
        self.bar.set_prefix(format!("{}, epoch {}/{}, {split}", self.label, self.number, self.total));
        self.bar.enable_steady_tick(Duration::from_millis(250));
    }

    fn update_split(&mut self, items_processed: usize) {
        self.bar.set_position(items_processed as u64);
    }

    fn end_split(&mut self) {
        if self.split == "train" {
            self.epoch.train_seconds = self.split_began.elapsed().as_secs_f32();
        }
    }

    fn update_epoch(&mut self, epoch: usize) {
        self.number = epoch + 1;
        // The learner ends an epoch that was interrupted like one that wasn't.
        if self.interrupter.should_stop() {
            return;
        }
        let Epoch { train_loss, train_accuracy, test_loss, test_accuracy, train_seconds } = self.epoch;
        let line = format!(
            "{}, epoch {epoch}/{}: train loss {train_loss:.4}, accuracy {train_accuracy:.2}%; \
             test loss {test_loss:.4}, accuracy {test_accuracy:.2}%; {train_seconds:.1} s",
            self.label, self.total
        );
        self.bar.suspend(|| println!("{line}"));
        self.log.enter(self.epoch);
    }

    fn end(&mut self) {
        self.bar.finish_and_clear();
    }

    fn log_event_training(&mut self, _event: String) {}
}

impl MetricsRenderer for Progress {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, definition: MetricDefinition) {
        self.names.insert(definition.metric_id, definition.name);
    }
}

/// A renderer must also be able to show an evaluation by itself. There is none here: the test set is the learner's second
/// split.
impl MetricsRendererEvaluation for Progress {
    fn update_test(&mut self, _name: EvaluationName, _state: MetricState) {}
}

impl EvaluationProgressLogger for Progress {
    fn start_global_progress(&mut self, _total_tests: usize) {}
    fn start_test(&mut self, _name: &str, _total_items: usize) {}
    fn update_test_progress(&mut self, _items_processed: usize) {}
    fn end_test(&mut self) {}
    fn end_global_progress(&mut self) {}
    fn log_event_evaluation(&mut self, _event: String) {}
}
