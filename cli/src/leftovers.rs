//! Temporary files that don't outlive the program, even if a signal ends it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The temporary files that are there now.
static FILES: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Keeps a file in the list of those to remove. Whoever made the file still removes it in the usual course.
pub struct Registered(PathBuf);

/// Has the file at `path` removed if a signal ends the program while the result lives.
pub fn register(path: &Path) -> Registered {
    #[cfg(unix)]
    on_signals();
    files().push(path.to_owned());
    Registered(path.to_owned())
}

impl Drop for Registered {
    fn drop(&mut self) {
        files().retain(|path| *path != self.0);
    }
}

fn files() -> MutexGuard<'static, Vec<PathBuf>> {
    FILES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for the signals by which people and systems end programs, removes the files, and lets the signal do what it
/// does otherwise, so that whoever sent it sees its effect.
#[cfg(unix)]
fn on_signals() {
    use std::sync::Once;
    use std::thread;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let ignored = ignored_signals();
        let awaited = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
        // Where signals can't be waited for, they end the program as ever.
        let Ok(mut signals) = Signals::new(awaited) else { return };
        thread::spawn(move || {
            for signal in signals.forever() {
                // The lock is kept: no file is made after these are gone.
                let files = files();
                for path in files.iter() {
                    let _ = fs::remove_file(path);
                }
                let _ = emulate_default_handler(signal);
            }
        });
    });
}

/// A bit for each signal that the program was started to ignore, as by `nohup`, signal 1 the lowest. None are known
/// beyond Linux.
#[cfg(unix)]
fn ignored_signals() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
