//! What a stage found: printed, and written to two files, row by row.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The folder, within that of the results, of each stage's files.
pub const STAGES: &str = "stages";

/// A stage's rows, notes and faults.
pub struct Record {
    file: PathBuf,
    start: Instant,
    limit: Duration,
    title: String,
    columns: Vec<String>,
    rows: Vec<(Value, Vec<String>)>,
    notes: Vec<String>,
    faults: Vec<String>,
}

impl Record {
    pub fn new(out: &Path, name: &str, title: &str, columns: &[&str], seconds: f64) -> Result<Self, Box<dyn Error>> {
        let folder = out.join(STAGES);
        fs::create_dir_all(&folder)?;
        println!("\n== {title}");
        let record = Self {
            file: folder.join(name),
            start: Instant::now(),
            limit: Duration::from_secs_f64(seconds),
            title: title.into(),
            columns: columns.iter().map(|&column| column.into()).collect(),
            rows: Vec::new(),
            notes: Vec::new(),
            faults: Vec::new(),
        };
        record.write()?;
        Ok(record)
    }

    /// A row: its values, and what a reader sees of them, one for each column.
    pub fn row(&mut self, values: Value, cells: Vec<String>) -> Result<(), Box<dyn Error>> {
        let (first, others) = cells.split_first().ok_or("a row has a cell at least")?;
        println!("{first:<48} {}", others.iter().map(|cell| format!("{cell:>12}")).collect::<Vec<_>>().join(" "));
        self.rows.push((values, cells));
        self.write()
    }

    pub fn note(&mut self, note: impl Into<String>) -> Result<(), Box<dyn Error>> {
        let note = note.into();
        println!("{note}");
        self.notes.push(note);
        self.write()
    }

    /// What must not be, and makes the stage fail.
    pub fn fault(&mut self, fault: impl Into<String>) -> Result<(), Box<dyn Error>> {
        let fault = fault.into();
        println!("FAULT: {fault}");
        self.faults.push(fault);
        self.write()
    }

    /// Whether the stage's time is up.
    pub fn is_over(&self) -> bool {
        self.start.elapsed() > self.limit
    }

    /// Says what there was no time for.
    pub fn cut(&mut self, done: usize, of: usize, what: &str) -> Result<(), Box<dyn Error>> {
        if done < of {
            self.note(format!("time was up after {done} of {of} {what}"))?;
        }
        Ok(())
    }

    /// Whether there was no fault.
    pub fn end(self) -> Result<bool, Box<dyn Error>> {
        let faults = self.faults.len();
        let outcome = if faults == 0 { "no fault".into() } else { format!("{faults} FAULTS") };
        println!("-- {}: {} rows, {outcome}, {:.1} s", self.title, self.rows.len(), self.start.elapsed().as_secs_f64());
        self.write()?;
        Ok(faults == 0)
    }

    fn write(&self) -> Result<(), Box<dyn Error>> {
        let rows: Vec<_> = self.rows.iter().map(|(values, _)| values).collect();
        let Self { title, notes, faults, .. } = self;
        let seconds = self.start.elapsed().as_secs_f64();
        let json = json!({ "title": title, "rows": rows, "notes": notes, "faults": faults, "seconds": seconds });
        fs::write(self.file.with_extension("json"), serde_json::to_string_pretty(&json)? + "\n")?;
        let mut text = format!("## {title}\n\n");
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        if !self.rows.is_empty() {
            text += &line(&self.columns);
            text += &format!("|{}\n", "---|".repeat(self.columns.len()));
            self.rows.iter().for_each(|(_, cells)| text += &line(cells));
            text.push('\n');
        }
        for fault in faults {
            writeln!(text, "- **FAULT**: {fault}")?;
        }
        for note in notes {
            writeln!(text, "- {note}")?;
        }
        fs::write(self.file.with_extension("md"), text)?;
        Ok(())
    }
}
