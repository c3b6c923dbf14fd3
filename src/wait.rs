//! Waiting for a device: natively, on this thread or on another. The web waits for nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, SendError, Sender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::guard::{is_lost, lost};
use crate::{Error, Result};

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
        // Threads are idle again soon after their work, and take the next: without that there were four of four works.
        std::thread::sleep(10 * limit);
        assert!(within(Duration::from_secs(60), || Ok(std::thread::current().id())).is_ok());
        std::thread::sleep(10 * limit);
        assert!(IDLE.lock().expect("no panic").len() <= 3);
        let panicked = within(Duration::from_secs(60), || -> Result<()> { panic!("a driver's fault") });
        assert!(matches!(panicked, Err(Error::DeviceLost { .. })));
    }
}
