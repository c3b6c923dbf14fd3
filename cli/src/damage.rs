//! What the JPEG decoder says of damaged files. It shows as much of them as it can, and only logs what it misses.

use std::sync::{Mutex, MutexGuard, PoisonError};

use log::{Level, LevelFilter, Log, Metadata, Record};

/// Where the decoder logs from.
const DECODER: &str = "zune_jpeg";

/// What it says of files that are whole and in order.
const OF_NO_CONCERN: [&str; 5] = [
    // Segments of other programs, and comments.
    "Capabilities for processing marker",
    "Skipping ",
    "Unknown format for APP1 tag",
    "Not a valid Adobe APP14 Segment",
    // Legal, if unusual.
    "Grayscale image with down-sampled component",
];

/// What it says of files whose picture is whole, while something else isn't.
const BESIDE_THE_PICTURE: [&str; 9] = [
    "Extra bytes",
    "Inconsistent Extended XMP",
    "Extended XMP overflow",
    "Zero sequence number in ICC",
    "Duplicate sequence number in ICC",
    "Missing icc sequence number",
    "Treating YCCK colorspace",
    "Marker 0x",
    "More than one SOS",
];

static COLLECTOR: Collector = Collector(Mutex::new(Vec::new()));

/// A logger that keeps what the decoder says.
struct Collector(Mutex<Vec<String>>);

impl Log for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Warn && metadata.target().starts_with(DECODER)
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            let message = record.args().to_string();
            let mut messages = messages();
            // It says the same of each row, and of each reading of the head.
            if !messages.contains(&message) {
                messages.push(message);
            }
        }
    }

    fn flush(&self) {}
}

/// Listens to the decoder from now on.
pub fn listen() {
    // There is no other logger in this program.
    if log::set_logger(&COLLECTOR).is_ok() {
        log::set_max_level(LevelFilter::Warn);
    }
    // Of a file that was given up.
    messages().clear();
}

/// What was said since: an error where the picture has a fault, else what to warn of.
pub fn heard() -> Result<Vec<String>, String> {
    judge(std::mem::take(&mut *messages()))
}

fn messages() -> MutexGuard<'static, Vec<String>> {
    COLLECTOR.0.lock().unwrap_or_else(PoisonError::into_inner)
}

fn judge(messages: Vec<String>) -> Result<Vec<String>, String> {
    let starts = |message: &str, starts: &[&str]| starts.iter().any(|start| message.starts_with(start));
    let concerning: Vec<_> = messages.into_iter().filter(|message| !starts(message, &OF_NO_CONCERN)).collect();
    match concerning.iter().find(|message| !starts(message, &BESIDE_THE_PICTURE)) {
        Some(fault) => Err(fault.trim_end().to_owned()),
        None => Ok(concerning),
    }
}

/// Whether a JPEG has the marker that ends it. Where the file breaks off before, the decoder may make up the last pixels.
pub fn has_end(file: &[u8]) -> bool {
    const END: &[u8] = &[0xff, 0xd9];
    const SCAN: u8 = 0xda;
    // Segments up to the first scan are passed over: a thumbnail in one has an end of its own. In a scan, 0xff is
    // followed by 0 or by a marker.
    let mut rest = file.get(2..).unwrap_or_default();
    while let [0xff, marker, high, low, ..] = *rest {
        if marker == SCAN {
            break;
        }
        // A marker may have any number of 0xff in front.
        let skipped = if marker == 0xff { 1 } else { 2 + usize::from(u16::from_be_bytes([high, low])) };
        rest = rest.get(skipped..).unwrap_or_default();
    }
    rest.windows(2).any(|bytes| bytes == END)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_that_of_the_image() {
        let start = [0xff, 0xd8];
        let thumbnail = [0xff, 0xff, 0xe1, 0, 8, 0xff, 0xda, 1, 2, 0xff, 0xd9];
        let scan = [0xff, 0xda, 0, 3, 0, 1, 2, 0xff, 0, 0xff, 0xd9];
        let file = [&start[..], &thumbnail, &scan, &[0xff, 0xda, 1]].concat();
        for end in 0..file.len() {
            let whole = start.len() + thumbnail.len() + scan.len();
            assert_eq!(has_end(&file[..end]), end >= whole, "the first {end} bytes of {file:?}");
        }
    }

    #[test]
    fn what_is_not_known_to_be_harmless_is_an_error() {
        for (message, expected) in [
            ("Skipping 12 bytes", Ok(vec![])),
            ("Extra bytes 3 before marker 0xFFDB", Ok(vec!["Extra bytes 3 before marker 0xFFDB".to_owned()])),
            ("Premature end of buffer", Err("Premature end of buffer".to_owned())),
            ("Something new", Err("Something new".to_owned())),
        ] {
            assert_eq!(judge(vec!["Skipping 1 bytes".into(), message.into()]), expected, "{message}");
        }
    }
}
