//! Everything that can go wrong, each with what was given, the rule and the fix.

use crate::Shape;

/// The result of this crate's fallible calls.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What was wrong with a call.
///
/// Wrong arguments are refused before anything is recorded on a device. What the device itself fails at is
/// [`DeviceLost`](Self::DeviceLost), [`OutOfMemory`](Self::OutOfMemory), [`TimedOut`](Self::TimedOut) or
/// [`Refused`](Self::Refused), whatever handler of errors the host has set on it, and without a panic:
///
/// ```
/// use softpool::{Error, GpuContext, GpuSoftPool, Shape, SoftPoolConfig};
///
/// let context = GpuContext::new_blocking()?;
/// let pool = GpuSoftPool::new(&context.device, &context.queue, SoftPoolConfig::builder([2, 2]).build()?);
/// let x = context.upload(Shape::new([1, 1, 2, 2])?, &[0.0; 4])?;
/// context.device.destroy();
/// assert!(matches!(pool.forward(&x), Err(Error::DeviceLost { .. })));
/// # Ok::<(), softpool::Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel names no, or more than three, spatial axes.
    #[error("the kernel has {given} axes: give 1 (length), 2 (height, width) or 3 (depth, height, width)")]
    UnsupportedRank {
        /// Axes given.
        given: usize,
    },
    /// A list by axis is neither of the kernel's length nor of length one.
    #[error("{name} has {given} values for a kernel of {rank} axes: give 1 value for all axes, or {rank}")]
    AxisCount {
        /// The part of the configuration.
        name: &'static str,
        /// Values given.
        given: usize,
        /// The kernel's axes.
        rank: usize,
    },
    /// A kernel size, stride, padding or dilation is out of range.
    #[error("{name} along {axis} is {value}: it must be {least} to {most}")]
    AxisParameter {
        /// The part of the configuration.
        name: &'static str,
        /// The spatial axis.
        axis: &'static str,
        /// What was given.
        value: usize,
        /// The least value allowed.
        least: usize,
        /// The largest: for a kernel size, by its dilation.
        most: usize,
    },
    /// Padding above half the kernel: a window could hold nothing but padding.
    #[error("padding along {axis} is {padding}: a kernel of {kernel} allows at most {}", kernel / 2)]
    PaddingTooLarge {
        /// The spatial axis.
        axis: &'static str,
        /// What was given.
        padding: usize,
        /// The kernel size along this axis.
        kernel: usize,
    },
    /// "Same" padding for windows that cannot have it.
    #[error(
        "same padding along {axis} with kernel {kernel}, stride {stride}, dilation {dilation}: it needs an odd kernel, stride 1, dilation 1, and no other padding"
    )]
    SamePadding {
        /// The spatial axis.
        axis: &'static str,
        /// The kernel size along this axis.
        kernel: usize,
        /// The stride along it.
        stride: usize,
        /// The dilation along it.
        dilation: usize,
    },
    /// An adaptive pooling with a part that follows from its sizes.
    #[error("an adaptive pooling with a {name}: its windows follow from the input and output sizes, leave it out")]
    AdaptiveWindow {
        /// The part of the configuration.
        name: &'static str,
    },
    /// An adaptive pooling with no window, with more than 32 bits count, or of no positions.
    #[error(
        "adaptive output size {output} along {axis}{}: it must be 1 to {}, of an input that has positions",
        input.map(|input| format!(" for {input} positions")).unwrap_or_default(),
        (1u32 << 31) - 1
    )]
    AdaptiveOutput {
        /// The spatial axis.
        axis: &'static str,
        /// Windows asked for.
        output: usize,
        /// The input's size along it, if there is one yet.
        input: Option<usize>,
    },
    /// The inverse temperature is NaN or infinite.
    #[error("beta is {beta}: it must be finite (for max pooling use a large beta, for average pooling 0)")]
    BetaNotFinite {
        /// What was given.
        beta: f32,
    },
    /// A shape of no axis, or of more than five.
    #[error(
        "a shape of {} axes, {given:?}: give (N, C, L), (N, C, H, W) or (N, C, D, H, W), or one of these without N", given.len()
    )]
    ShapeAxes {
        /// What was given.
        given: Vec<usize>,
    },
    /// The number of elements of a shape overflows.
    #[error("shape {shape:?} has more elements than this machine can count in bytes: split the batch")]
    TooManyElements {
        /// What was given.
        shape: Vec<usize>,
    },
    /// A tensor with another number of spatial axes than the configuration.
    #[error(
        "{given} spatial axes for a pooling of {expected}: give a tensor of (N, C), or (C) alone, and {expected} spatial axes"
    )]
    RankMismatch {
        /// Spatial axes given.
        given: usize,
        /// Spatial axes of the configuration.
        expected: usize,
    },
    /// An axis beyond what WGSL's 32-bit indices address.
    #[error("{axis} is {size}: an axis has at most {} elements, and {} elements or windows if an adaptive pooling divides it unevenly", (1u32 << 31) - 1, 1 << 26)]
    AxisTooLong {
        /// The spatial axis.
        axis: &'static str,
        /// What was given.
        size: usize,
    },
    /// An axis too short for one window.
    #[error(
        "{axis} {input} with padding {padding} at each side holds no window, which spans {span}: pool less, pad, or give a larger input"
    )]
    NoWindow {
        /// The spatial axis.
        axis: &'static str,
        /// The input's size along it.
        input: usize,
        /// Padding at each side.
        padding: usize,
        /// Positions that a window spans.
        span: usize,
    },
    /// A tensor's shape is not what the call needs.
    #[error("{role} has shape {given}, but must have {expected}")]
    ShapeMismatch {
        /// The tensor's part in the call.
        role: &'static str,
        /// What was given.
        given: Shape,
        /// What the configuration makes of the input.
        expected: Shape,
    },
    /// Host data of another length than its shape.
    #[error("{role} has {given} elements, but its shape {shape} has {}", shape.elements())]
    DataLength {
        /// The data's part in the call.
        role: &'static str,
        /// Elements given.
        given: usize,
        /// The shape they should fill.
        shape: Shape,
    },
    /// A tensor reaches beyond the end of its buffer.
    #[error("{role} needs {needed} bytes from byte {offset}, but its buffer has {available} bytes in all")]
    BufferTooSmall {
        /// The tensor's part in the call.
        role: &'static str,
        /// Bytes the tensor takes.
        needed: u64,
        /// Its byte offset in the buffer.
        offset: u64,
        /// The buffer's size in bytes.
        available: u64,
    },
    /// Strides of another number than a tensor's axes, or too large to count in bytes.
    #[error("strides {given:?} for shape {shape}: give one for each axis, in elements, that stay within a buffer")]
    Strides {
        /// What was given.
        given: Vec<usize>,
        /// The tensor's shape.
        shape: Shape,
    },
    /// An output whose elements share memory.
    #[error(
        "{role} has strides {strides:?} for shape {shape}, by which two of its elements meet: give each its own place"
    )]
    SelfOverlap {
        /// The tensor's part in the call.
        role: &'static str,
        /// The strides given.
        strides: Vec<usize>,
        /// The tensor's shape.
        shape: Shape,
    },
    /// A buffer lacks a usage that the call needs.
    #[error("the buffer of {role} lacks the usage {missing:?}: create it with that flag")]
    BufferUsage {
        /// The tensor's part in the call.
        role: &'static str,
        /// The flags that are missing.
        missing: wgpu::BufferUsages,
    },
    /// Memory that is no buffer, in a call that runs on a device of wgpu's.
    #[error("memory named {name} is no buffer of wgpu's: give a buffer, or run the recipe where the name is known")]
    NotABuffer {
        /// The name given.
        name: u64,
    },
    /// Memory of a recipe that is to be data, which the tensors given with it are not in.
    #[error("{memory} is in none of the tensors listed: name it by Memory::Named, and list its tensor")]
    Unlisted {
        /// What the recipe binds.
        memory: String,
    },
    /// Scratch that a host has taken out of a recipe, as a tensor of another.
    #[error("scratch {index} is of another recipe, whose dispatches alone it is for: give memory of your own")]
    ForeignScratch {
        /// Its index in that recipe.
        index: usize,
    },
    /// A byte offset that is no multiple of the element size.
    #[error("{role} starts at byte {offset}, which is no multiple of {alignment}, the size of its elements")]
    OffsetAlignment {
        /// The tensor's part in the call.
        role: &'static str,
        /// The byte offset given.
        offset: u64,
        /// The size of an element in bytes.
        alignment: u32,
    },
    /// Two tensors of a call share elements, and one of them is written.
    #[error("{first} and {second} overlap in one buffer: give them disjoint elements")]
    Overlap {
        /// One tensor's part in the call.
        first: &'static str,
        /// The other's.
        second: &'static str,
    },
    /// Something above a limit of the device.
    #[error("{what} is {given}, above this device's {limit} of {allowed}: {fix}")]
    DeviceLimit {
        /// What is too large.
        what: &'static str,
        /// Its size.
        given: u64,
        /// The limit's name in `wgpu::Limits`, or the feature of the device that is missing.
        limit: &'static str,
        /// The limit's value on this device.
        allowed: u64,
        /// What to do about it.
        fix: &'static str,
    },
    /// A texture that can't be pooled, or pooled into.
    #[error(transparent)]
    Texture(#[from] crate::texture::TextureError),
    /// A cache holds the pipelines of another device.
    #[error("the pipeline cache was made for another device than this pooling's: make one for each device")]
    ForeignCache,
    /// Statistics were made by a pooling of another configuration.
    #[error(
        "the statistics were saved by a pooling of another configuration: run the forward and the backward with the same one"
    )]
    ForeignStatistics,
    /// No adapter is there, or none that fits the choice.
    #[error("no GPU adapter{}: {fix}", choice.as_ref().map(|c| format!(" matches '{c}'")).unwrap_or_default())]
    NoAdapter {
        /// The index or part of a name that was asked for.
        choice: Option<String>,
        /// What to do about it.
        fix: String,
    },
    /// The adapter refused to make a device.
    #[error("the adapter refused a device: {0}")]
    RequestDevice(#[from] wgpu::RequestDeviceError),
    /// The device takes no more work: nothing that was made on it can be used or read again.
    #[error("the device is lost ({reason}): make a new one, and on it new poolings and tensors")]
    DeviceLost {
        /// What is known of why. All that the driver says goes to the lost callback that the host may have set on its device.
        reason: String,
    },
    /// The device has no memory left for a buffer. It works on: a smaller call may go through, or this one once others are
    /// dropped. (On GL wgpu doesn't ask the driver; there it shows as a loss, if at all.)
    #[error("the device's memory has run out: split the batch, or drop tensors and plans that are no longer used")]
    OutOfMemory,
    /// The device hasn't answered within the time that the caller gave it. The work goes on, and can be waited for again.
    #[error("the device has not answered within {limit:?}: wait longer, or take it for lost")]
    TimedOut {
        /// The time given.
        limit: std::time::Duration,
    },
    /// wgpu or the driver refuses what a call needs: a buffer that the host has destroyed or that is another device's, a kernel
    /// that the driver can't compile.
    #[error("wgpu refuses the call: {0}")]
    Refused(String),
}
