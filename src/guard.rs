//! How what wgpu says of a failure becomes an error of the call that it is of.
//!
//! wgpu 30 has no results where it makes, writes and submits: it tells of a failure elsewhere, or not at all.
//!
//! - Memory that ran out, a resource that the host destroyed, a driver that refuses a kernel: to the innermost *error scope* of
//!   the thread, else to the device's handler of uncaptured errors, which panics unless the host has set its own.
//! - A lost device: to its lost callback alone, once. What is made afterwards looks like any other and is invalid; using it is a
//!   validation error in some calls (`unmap`) and nothing at all in others (`submit`).
//! - A device whose loss shows while it is waited for: `Device::poll` panics.
//!
//! A device has one handler and one lost callback, they can't be read or chained, and they are the host's: they are never set
//! here, so that the host hears of every loss as if this crate weren't there. Instead
//!
//! - calls run in error scopes ([`guarded`]), which nest inside the host's own, are of one thread, and take nothing but what these
//!   very calls cause;
//! - whether a device is lost is asked of the device ([`check`]): a buffer that is mapped as it is made can be written if and
//!   only if the device works. It tells that, not why: the reason is for the host's callback;
//! - waiting catches wgpu's panic ([`wait`]): it is the only way in which `poll` tells of a loss. (The panic's text is printed
//!   first, by whatever hook the process has; that is the process's too.)
//!
//! On the web scopes answer later than these calls return, and so they aren't used: what fails there reaches the host's handler,
//! which doesn't panic by default, and shows as an error of the read that follows.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SendError, Sender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::{Error, Result};

/// An error scope of each kind.
pub(crate) struct Scopes([wgpu::ErrorScopeGuard; 3]);

impl Scopes {
    pub fn push(device: &wgpu::Device) -> Self {
        use wgpu::ErrorFilter::{Internal, OutOfMemory, Validation};
        Self([OutOfMemory, Validation, Internal].map(|filter| device.push_error_scope(filter)))
    }

    /// What they took, memory first: what is made of memory that isn't there is invalid, and using it an error too. The scopes
    /// end at once, whenever the future is awaited.
    pub fn pop(self) -> impl Future<Output = Option<wgpu::Error>> {
        // The last pushed goes first.
        let [memory, validation, internal] = self.0;
        let (internal, validation, memory) = (internal.pop(), validation.pop(), memory.pop());
        async move {
            let (memory, validation, internal) = (memory.await, validation.await, internal.await);
            memory.or(validation).or(internal)
        }
    }
}

/// Makes a call of wgpu's whose errors are returned.
///
/// # Errors
/// Those of `call`; [`Error::DeviceLost`], [`Error::OutOfMemory`] and [`Error::Refused`] for what wgpu says meanwhile.
pub(crate) fn guarded<T>(device: &wgpu::Device, call: impl FnOnce() -> Result<T>) -> Result<T> {
    if cfg!(target_arch = "wasm32") {
        return call();
    }
    let scopes = Scopes::push(device);
    let value = call();
    match (pollster::block_on(scopes.pop()), value) {
        (None, value) => value,
        (taken, _) => Err(cause(device, taken)),
    }
}

/// The error of a call that failed, for what its scopes took.
pub(crate) fn cause(device: &wgpu::Device, taken: Option<wgpu::Error>) -> Error {
    match taken {
        // Losses are what scopes aren't told of.
        None => lost(None),
        // What is made on a lost device is invalid, which is its consequence and not why.
        Some(wgpu::Error::Validation { .. }) if is_lost(device) => lost(None),
        // Memory that runs out within a submission takes the device with it.
        Some(error) if is_lost(device) => lost(Some(text_of(&error))),
        Some(wgpu::Error::OutOfMemory { .. }) => out_of_memory(),
        Some(error) => Error::Refused(text_of(&error)),
    }
}

/// wgpu's text on one line, without its headings.
fn text_of(error: &wgpu::Error) -> String {
    let text = error.to_string();
    let lines = text.lines().map(str::trim).filter(|line| !["", "Validation Error", "Caused by:"].contains(line));
    lines.collect::<Vec<_>>().join(": ")
}

/// # Errors
/// [`Error::DeviceLost`] if the device takes no more work. On the web that is known when something is read.
pub(crate) fn check(device: &wgpu::Device) -> Result<()> {
    if cfg!(target_arch = "wasm32") {
        return Ok(());
    }
    let scopes = Scopes::push(device);
    let mapped = map_new(device, wgpu::COPY_BUFFER_ALIGNMENT, "softpool probe");
    match pollster::block_on(scopes.pop()) {
        Some(wgpu::Error::OutOfMemory { .. }) => Err(out_of_memory()),
        Some(error) => Err(Error::Refused(text_of(&error))),
        None => mapped.map(drop),
    }
}

/// Whether a device of this process has run out of memory before.
static MEMORY_IS_SHORT: AtomicBool = AtomicBool::new(false);

fn out_of_memory() -> Error {
    MEMORY_IS_SHORT.store(true, Ordering::Relaxed);
    Error::OutOfMemory
}

/// Whether there is memory for so many bytes, a multiple of 4, that wgpu is going to need for itself: where it finds none it
/// gives the device up. Another thread may take it in between; what has just been freed is mostly there.
///
/// It costs as much as the buffer that it is for, and is only asked where memory has been short before: what takes memory is
/// tensors, and theirs runs out first.
///
/// # Errors
/// Those of [`map_new`].
pub(crate) fn check_room(device: &wgpu::Device, bytes: u64) -> Result<()> {
    if MEMORY_IS_SHORT.load(Ordering::Relaxed) { map_new(device, bytes, "softpool probe").map(drop) } else { Ok(()) }
}

/// A buffer to copy from, of so many bytes, a multiple of 4, that is to be written and unmapped.
///
/// # Errors
/// [`Error::DeviceLost`], unless scopes around this took why there is none.
pub(crate) fn map_new(device: &wgpu::Device, bytes: u64, label: &str) -> Result<(wgpu::Buffer, wgpu::BufferViewMut)> {
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size: bytes,
        usage: wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC,
        mapped_at_creation: true,
    });
    // To unmap what isn't mapped is an error of its own.
    let mapped = buffer.get_mapped_range_mut(..).map_err(|_| lost(None))?;
    Ok((buffer, mapped))
}

/// The loss of a device, with what wgpu said besides.
pub(crate) fn lost(said: Option<String>) -> Error {
    let unknown = || "it was destroyed, or its driver gave it up".into();
    Error::DeviceLost { reason: said.unwrap_or_else(unknown) }
}

fn is_lost(device: &wgpu::Device) -> bool {
    // On GL wgpu panics where another thread keeps the context for long, by compiling: that isn't a loss.
    let checked = catch_unwind(AssertUnwindSafe(|| check(device)));
    matches!(checked, Ok(Err(Error::DeviceLost { .. })))
}

/// How long a thread waits for a device at a stretch. On GL it keeps others from the device meanwhile, which panic after six
/// seconds, and no stretch is longer than 4.29 seconds, whatever is asked for.
const STRETCH: Duration = Duration::from_millis(200);

/// Waits until a submission has run and its callbacks have been called.
///
/// # Errors
/// [`Error::DeviceLost`].
pub(crate) fn wait(device: &wgpu::Device, submission: wgpu::SubmissionIndex) -> Result<()> {
    let wait = wgpu::PollType::Wait { submission_index: Some(submission), timeout: Some(STRETCH) };
    wait_by(|| device.poll(wait.clone()), || is_lost(device))
}

fn wait_by(
    poll: impl Fn() -> std::result::Result<wgpu::PollStatus, wgpu::PollError>,
    is_lost: impl Fn() -> bool,
) -> Result<()> {
    loop {
        match catch_unwind(AssertUnwindSafe(&poll)) {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(wgpu::PollError::Timeout)) => {}
            // What was submitted wasn't taken.
            Ok(Err(wgpu::PollError::WrongSubmissionIndex(..))) => return Err(lost(None)),
            Err(panic) if is_lost() => return Err(lost(message_of(&*panic))),
            // Another thread has kept GL's context for long: it is still to be waited for.
            Err(_) => {}
        }
    }
}

/// What `work` returns, or that it took too long: then it goes on, on a thread of its own. No driver's time limit is asked for,
/// since some hold up a thread that only submits.
///
/// # Errors
/// [`Error::TimedOut`], [`Error::Refused`] if there is no thread to be had.
pub(crate) fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (sender, receiver) = sync_channel(1);
    on_another_thread(move || {
        // Nobody waits for it any more if that fails.
        let _ = sender.send(work());
    })?;
    receiver.recv_timeout(limit).unwrap_or_else(|error| {
        Err(match error {
            RecvTimeoutError::Timeout => Error::TimedOut { limit },
            // The work has panicked.
            RecvTimeoutError::Disconnected => lost(None),
        })
    })
}

type Work = Box<dyn FnOnce() + Send>;

/// Where threads wait that have worked before.
static IDLE: Mutex<Vec<Sender<Work>>> = Mutex::new(Vec::new());

/// Works on a thread that is idle, or on a new one if there is none. Threads are kept, because wgpu keeps something for each
/// that has ever had an error scope: there are as many as have ever worked at once.
///
/// # Errors
/// [`Error::Refused`] if there is no thread to be had.
pub(crate) fn on_another_thread(work: impl FnOnce() + Send + 'static) -> Result<()> {
    let idle = || IDLE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut work: Work = Box::new(work);
    // Not in the loop's condition, whose guard would live as long as its body.
    while let Some(thread) = { idle().pop() } {
        match thread.send(work) {
            Ok(()) => return Ok(()),
            Err(SendError(unsent)) => work = unsent,
        }
    }
    let (sender, receiver) = channel();
    let run = move || {
        loop {
            // Who waits for the result learns of a panic.
            let _ = catch_unwind(AssertUnwindSafe(work));
            idle().push(sender.clone());
            match receiver.recv() {
                Ok(next) => work = next,
                Err(_) => return,
            }
        }
    };
    let thread = std::thread::Builder::new().name("softpool read".into()).spawn(run);
    thread.map(drop).map_err(|error| Error::Refused(format!("no thread can wait for the device: {error}")))
}

fn message_of(panic: &(dyn std::any::Any + Send)) -> Option<String> {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// No driver here loses a device while it is waited for: what wgpu does then stands in for it.
    #[test]
    fn a_loss_while_waiting_is_an_error() {
        let error = wait_by(|| panic!("Error in Device::poll: the parent device is lost"), || true).unwrap_err();
        let Error::DeviceLost { reason } = &error else { panic!("{error}") };
        assert!(reason.contains("parent device is lost"), "{reason}");
        let refused = || Err(wgpu::PollError::WrongSubmissionIndex(7, 6));
        assert!(matches!(wait_by(refused, || true), Err(Error::DeviceLost { .. })));
    }

    #[test]
    fn another_threads_hold_on_the_device_is_waited_out() {
        let calls = Cell::new(0);
        let poll = || {
            calls.set(calls.get() + 1);
            match calls.get() {
                1 => panic!("Could not lock adapter context. This is most-likely a deadlock."),
                2 => Err(wgpu::PollError::Timeout),
                _ => Ok(wgpu::PollStatus::WaitSucceeded),
            }
        };
        assert!(wait_by(poll, || false).is_ok());
        assert_eq!(calls.get(), 3);
    }

    #[test]
    fn a_limit_ends_the_wait() {
        let limit = Duration::from_millis(20);
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        let error = within(limit, move || Ok(receiver.recv())).unwrap_err();
        assert!(matches!(error, Error::TimedOut { limit: told } if told == limit), "{error}");
        drop(sender);
        assert_eq!(within(Duration::from_secs(60), || Ok(7)).expect("it is there"), 7);
        let refused = within(Duration::from_secs(60), || -> Result<()> { Err(Error::OutOfMemory) });
        assert!(matches!(refused, Err(Error::OutOfMemory)));
        // The threads of both are there again.
        std::thread::sleep(limit);
        assert!(within(Duration::from_secs(60), || Ok(std::thread::current().id())).is_ok());
        assert!(IDLE.lock().expect("no panic").len() <= 2);
        let panicked = within(Duration::from_secs(60), || -> Result<()> { panic!("a driver's fault") });
        assert!(matches!(panicked, Err(Error::DeviceLost { .. })));
    }
}
