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
//! - waiting catches wgpu's panic (src/wait.rs): it is the only way in which `poll` tells of a loss. (The panic's text is printed
//!   first, by whatever hook the process has; that is the process's too.)
//!
//! On the web scopes answer later than these calls return, and so they aren't used: what fails there reaches the host's handler,
//! which doesn't panic by default, and shows as an error of the read that follows. Nor is anything mapped there as it is made: of
//! a lost device, browsers throw, which wgpu makes a panic of.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

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
    let mapped = map_new(device, wgpu::COPY_BUFFER_ALIGNMENT, STAGING, "softpool probe");
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
/// [`Error::DeviceLost`], unless scopes around this took why there is none.
pub(crate) fn check_room(device: &wgpu::Device, bytes: u64) -> Result<()> {
    if MEMORY_IS_SHORT.load(Ordering::Relaxed) {
        map_new(device, bytes, STAGING, "softpool probe").map(drop)
    } else {
        Ok(())
    }
}

/// The usage of what is written by the host and copied by the device.
pub(crate) const STAGING: wgpu::BufferUsages = wgpu::BufferUsages::MAP_WRITE.union(wgpu::BufferUsages::COPY_SRC);

/// A buffer of these bytes, a multiple of 4, which is written as it is made.
///
/// # Errors
/// [`Error::DeviceLost`], unless scopes around this took why there is none.
pub(crate) fn buffer_of(
    device: &wgpu::Device,
    usage: wgpu::BufferUsages,
    label: &str,
    bytes: &[u8],
) -> Result<wgpu::Buffer> {
    let (buffer, mut mapped) = map_new(device, bytes.len() as u64, usage, label)?;
    mapped.copy_from_slice(bytes);
    drop(mapped);
    buffer.unmap();
    Ok(buffer)
}

/// A buffer of so many bytes, a multiple of 4, mapped to be written.
fn map_new(
    device: &wgpu::Device,
    bytes: u64,
    usage: wgpu::BufferUsages,
    label: &str,
) -> Result<(wgpu::Buffer, wgpu::BufferViewMut)> {
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size: bytes,
        usage,
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

pub(crate) fn is_lost(device: &wgpu::Device) -> bool {
    // On GL wgpu panics where another thread keeps the context for long, by compiling: that isn't a loss.
    let checked = catch_unwind(AssertUnwindSafe(|| check(device)));
    matches!(checked, Ok(Err(Error::DeviceLost { .. })))
}
