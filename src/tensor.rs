//! Tensors on the device: views into a host's buffers, tensors of our own, and reading back.

use std::future::Future;
use std::sync::Arc;
#[cfg(not(target_arch = "wasm32"))]
use std::time::Duration;

use futures_intrusive::channel::shared::{OneshotSender, oneshot_channel};

use crate::element::{WORD_BYTES, whole_words};
use crate::guard::{self, Scopes};
use crate::shape::MAX_AXES;
#[cfg(not(target_arch = "wasm32"))]
use crate::wait;
use crate::{ElementType, Error, Result, Shape};

/// The memory that a tensor lies in.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Memory<'a> {
    /// A buffer of wgpu's.
    Buffer(&'a wgpu::Buffer),
    /// A buffer, or a part of one, that the runtime which runs a [`Recipe`](crate::Recipe) knows by a name. Different names are
    /// different memory.
    Named {
        /// What it is known by.
        name: u64,
        /// Its size.
        bytes: u64,
    },
    /// The buffer of a result, which is made once the recipe is: a call that is refused allocates nothing. Only calls that allocate
    /// their results name it.
    #[non_exhaustive]
    Result {
        /// Which of the call's results.
        index: usize,
        /// Its size.
        bytes: u64,
    },
    /// One of the buffers that a [`Recipe`](crate::Recipe) needs for itself, by its index in
    /// [`Recipe::scratch`](crate::Recipe::scratch). Only recipes name it.
    #[non_exhaustive]
    Scratch {
        /// The index.
        index: usize,
        /// Its size.
        bytes: u64,
    },
}

impl Memory<'_> {
    /// The size in bytes.
    pub fn bytes(&self) -> u64 {
        match *self {
            Self::Buffer(buffer) => buffer.size(),
            Self::Named { bytes, .. } | Self::Result { bytes, .. } | Self::Scratch { bytes, .. } => bytes,
        }
    }
}

impl<'a> From<&'a wgpu::Buffer> for Memory<'a> {
    fn from(buffer: &'a wgpu::Buffer) -> Self {
        Self::Buffer(buffer)
    }
}

/// A tensor inside a buffer that the host owns: of any element type, at any element, with any strides.
///
/// It starts as a contiguous f32 tensor at the start of the buffer:
///
/// ```no_run
/// # fn example(buffer: &wgpu::Buffer) -> softpool::Result<()> {
/// use softpool::{Shape, TensorView};
///
/// // Sample 3 of a batch of (64, 112, 112), f32.
/// let sample = TensorView::new(buffer, Shape::new([64, 112, 112])?).at_byte_offset(3 * 64 * 112 * 112 * 4);
/// // A batch whose channels lie next to each other (NHWC), f16.
/// let channels_last = TensorView::new(buffer, Shape::new([8, 64, 112, 112])?)
///     .of_type(softpool::ElementType::F16)
///     .with_strides([64 * 112 * 112, 1, 112 * 64, 64])?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TensorView<'a> {
    /// What holds the tensor.
    pub memory: Memory<'a>,
    /// Where in its memory the tensor starts: a multiple of the element size.
    pub byte_offset: u64,
    pub(crate) shape: Shape,
    /// How its elements are stored.
    pub element_type: ElementType,
    /// By axis of the shape; the rest is unused.
    strides: [usize; MAX_AXES],
}

impl<'a> TensorView<'a> {
    /// The contiguous f32 tensor of `shape` at the start of a buffer, or other memory.
    pub fn new(memory: impl Into<Memory<'a>>, shape: Shape) -> Self {
        let mut strides = [0; MAX_AXES];
        let mut stride = 1usize;
        for (index, dim) in shape.dims().iter().enumerate().rev() {
            strides[index] = stride;
            stride = stride.saturating_mul(*dim);
        }
        Self { memory: memory.into(), byte_offset: 0, shape, element_type: ElementType::F32, strides }
    }

    /// The same tensor with elements of another type.
    pub fn of_type(mut self, element_type: ElementType) -> Self {
        self.element_type = element_type;
        self
    }

    /// The same tensor with these strides, in elements, one for each axis of its shape. A stride of 0 repeats an element
    /// along the axis, which only a tensor that is read can do.
    ///
    /// # Errors
    /// [`Error::Strides`] for another number of strides than axes, or strides that reach beyond any buffer.
    pub fn with_strides(mut self, strides: impl AsRef<[usize]>) -> Result<Self> {
        let given = strides.as_ref();
        let reach = self.shape.dims().iter().zip(given).try_fold(8usize, |reach, (&dim, stride)| {
            stride.checked_mul(8)?.checked_mul(dim.saturating_sub(1))?.checked_add(reach)
        });
        if given.len() != self.shape.dims().len() || reach.is_none_or(|bytes| isize::try_from(bytes).is_err()) {
            return Err(Error::Strides { given: given.to_vec(), shape: self.shape });
        }
        self.strides[..given.len()].copy_from_slice(given);
        Ok(self)
    }

    /// The tensor's shape. To have another is to be another view: strides are a shape's.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The strides, in elements, one for each axis of the shape.
    pub fn strides(&self) -> &[usize] {
        &self.strides[..self.shape.dims().len()]
    }

    /// The same tensor at a byte offset.
    pub fn at_byte_offset(mut self, byte_offset: u64) -> Self {
        self.byte_offset = byte_offset;
        self
    }

    /// Bytes from the first to the last element.
    pub fn bytes(&self) -> u64 {
        if self.shape.elements() == 0 {
            return 0;
        }
        let last: usize = self.shape.dims().iter().zip(self.strides()).map(|(dim, stride)| (dim - 1) * stride).sum();
        (last as u64 + 1) * self.element_type.bytes()
    }
}

impl<'a> From<&'a GpuTensor> for TensorView<'a> {
    fn from(tensor: &'a GpuTensor) -> Self {
        tensor.view()
    }
}

/// The memory of a view that keeps its buffer.
#[derive(Clone, Debug, PartialEq)]
enum OwnedMemory {
    Buffer(wgpu::Buffer),
    Other(Memory<'static>),
}

/// A view that keeps its buffer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OwnedView {
    memory: OwnedMemory,
    byte_offset: u64,
    shape: Shape,
    element_type: ElementType,
    strides: [usize; MAX_AXES],
}

impl OwnedView {
    pub fn of(view: &TensorView<'_>) -> Self {
        let TensorView { memory, byte_offset, shape, element_type, strides } = *view;
        let memory = match memory {
            Memory::Buffer(buffer) => OwnedMemory::Buffer(buffer.clone()),
            Memory::Named { name, bytes } => OwnedMemory::Other(Memory::Named { name, bytes }),
            Memory::Result { index, bytes } => OwnedMemory::Other(Memory::Result { index, bytes }),
            Memory::Scratch { index, bytes } => OwnedMemory::Other(Memory::Scratch { index, bytes }),
        };
        Self { memory, byte_offset, shape, element_type, strides }
    }

    pub fn view(&self) -> TensorView<'_> {
        let Self { ref memory, byte_offset, shape, element_type, strides } = *self;
        let memory = match memory {
            OwnedMemory::Buffer(buffer) => Memory::Buffer(buffer),
            OwnedMemory::Other(memory) => *memory,
        };
        TensorView { memory, byte_offset, shape, element_type, strides }
    }
}

/// A contiguous tensor in a buffer of its own, with what is needed to read it back.
#[derive(Clone, Debug)]
pub struct GpuTensor {
    device: wgpu::Device,
    queue: wgpu::Queue,
    buffer: wgpu::Buffer,
    shape: Shape,
    element_type: ElementType,
}

impl GpuTensor {
    /// An f32 tensor with a copy of `data`.
    ///
    /// # Errors
    /// [`Error::DataLength`], [`Error::DeviceLimit`], [`Error::DeviceLost`], [`Error::OutOfMemory`].
    pub fn from_slice(device: &wgpu::Device, queue: &wgpu::Queue, shape: Shape, data: &[f32]) -> Result<Self> {
        Self::from_slice_as(device, queue, shape, ElementType::F32, data)
    }

    /// A tensor of another type with a copy of `data`, each value rounded to the nearest that the type has.
    ///
    /// # Errors
    /// Those of [`from_slice`](Self::from_slice).
    pub fn from_slice_as(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        shape: Shape,
        element_type: ElementType,
        data: &[f32],
    ) -> Result<Self> {
        if data.len() != shape.elements() {
            return Err(Error::DataLength { role: "the tensor", given: data.len(), shape });
        }
        let tensor = Self::allocate(device, queue, shape, element_type, "softpool tensor")?;
        match element_type {
            ElementType::F32 => tensor.fill(bytemuck::cast_slice(data))?,
            _ => tensor.fill(&element_type.encode(data))?,
        }
        Ok(tensor)
    }

    /// Submits a copy of `bytes`, whole words, to the tensor.
    ///
    /// wgpu's `write_buffer` does the same, but takes memory of its own for it, and gives the device up if there is none. On the
    /// web it doesn't, and there nothing can be mapped of a device that may be lost.
    fn fill(&self, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return guard::check(&self.device);
        }
        if cfg!(target_arch = "wasm32") {
            self.queue.write_buffer(&self.buffer, 0, bytes);
            return Ok(());
        }
        guard::guarded(&self.device, || {
            let size = bytes.len() as u64;
            let staging = guard::buffer_of(&self.device, guard::STAGING, "softpool upload", bytes)?;
            let mut encoder =
                self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("softpool upload") });
            encoder.copy_buffer_to_buffer(&staging, 0, &self.buffer, 0, size);
            self.queue.submit([encoder.finish()]);
            Ok(())
        })
    }

    /// A tensor of zeros, to be written by a kernel.
    pub(crate) fn allocate(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        shape: Shape,
        element_type: ElementType,
        label: &str,
    ) -> Result<Self> {
        let buffer = create_buffer(device, shape.elements() as u64 * element_type.bytes(), label)?;
        Ok(Self { device: device.clone(), queue: queue.clone(), buffer, shape, element_type })
    }

    /// The buffer: usable as storage, and as source and destination of copies.
    pub fn buffer(&self) -> &wgpu::Buffer {
        &self.buffer
    }

    /// The tensor's shape.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// How the elements are stored.
    pub fn element_type(&self) -> ElementType {
        self.element_type
    }

    /// The tensor as the calls of [`GpuSoftPool`](crate::GpuSoftPool) take it.
    pub fn view(&self) -> TensorView<'_> {
        TensorView::new(&self.buffer, self.shape).of_type(self.element_type)
    }

    /// Copies the tensor to the host as f32, after all work submitted so far. Works on the web; natively a thread waits for
    /// the device meanwhile. For a time limit, drop the future, or use [`read_blocking_within`](Self::read_blocking_within).
    ///
    /// # Errors
    /// [`Error::DeviceLost`], [`Error::OutOfMemory`] for the copy, [`Error::Refused`] if the host has destroyed the buffer.
    pub fn read(&self) -> impl Future<Output = Result<Vec<f32>>> + use<> {
        let (copy, read) = self.start_read();
        #[cfg(not(target_arch = "wasm32"))]
        if let Some(Copy { submission, mapped }) = copy {
            let (device, failed) = (self.device.clone(), mapped.clone());
            let wait = move || {
                if let Err(error) = wait::wait(&device, submission) {
                    let _ = mapped.send(Err(error));
                }
            };
            if let Err(error) = wait::on_another_thread(wait) {
                let _ = failed.send(Err(error));
            }
        }
        #[cfg(target_arch = "wasm32")]
        drop(copy);
        read
    }

    /// [`read`](Self::read), waiting for it on this thread, however long it takes. Not on the web.
    ///
    /// # Errors
    /// Those of [`read`](Self::read).
    #[cfg(not(target_arch = "wasm32"))]
    pub fn read_blocking(&self) -> Result<Vec<f32>> {
        let (copy, read) = self.start_read();
        if let Some(Copy { submission, mapped }) = copy {
            if let Err(error) = wait::wait(&self.device, submission) {
                // The first that is sent counts; an error of the copy itself comes before both.
                let _ = mapped.send(Err(error));
            }
        }
        pollster::block_on(read)
    }

    /// [`read_blocking`](Self::read_blocking), but no longer than `limit`. After an [`Error::TimedOut`] the tensor can be read
    /// again: what was submitted goes on, and so does a thread that waits for it.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use softpool::{GpuContext, Shape};
    ///
    /// let context = GpuContext::new_blocking()?;
    /// let x = context.upload(Shape::new([1, 1, 2])?, &[1.0, 2.0])?;
    /// assert_eq!(x.read_blocking_within(Duration::from_secs(60))?, [1.0, 2.0]);
    /// # Ok::<(), softpool::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::TimedOut`], and those of [`read`](Self::read).
    #[cfg(not(target_arch = "wasm32"))]
    pub fn read_blocking_within(&self, limit: Duration) -> Result<Vec<f32>> {
        let tensor = self.clone();
        wait::within(limit, move || tensor.read_blocking())
    }

    /// Submits the copy to a mappable buffer and asks for its mapping; the future waits for the mapping, or for an error that
    /// whoever waits for the device sends in its place.
    fn start_read(&self) -> (Option<Copy>, impl Future<Output = Result<Vec<f32>>> + use<>) {
        let (elements, element_type) = (self.shape.elements(), self.element_type);
        let size = whole_words(elements as u64 * element_type.bytes());
        let scopes = Scopes::push(&self.device);
        let pending = (size > 0).then(|| {
            let staging = self.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("softpool readback"),
                size,
                usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            let mut encoder = self
                .device
                .create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("softpool readback") });
            encoder.copy_buffer_to_buffer(&self.buffer, 0, &staging, 0, size);
            let submission = self.queue.submit([encoder.finish()]);
            let (sender, receiver) = oneshot_channel();
            let mapped = Arc::new(sender);
            let copy = Copy { submission, mapped: Arc::clone(&mapped) };
            staging.map_async(wgpu::MapMode::Read, .., move |result| {
                // The receiver is gone if the caller dropped the future: nobody wants the result then.
                let _ = mapped.send(result.map_err(|_| guard::lost(None)));
            });
            (copy, staging, receiver)
        });
        let taken = scopes.pop();
        let (copy, pending) = match pending {
            Some((copy, staging, receiver)) => (Some(copy), Some((staging, receiver))),
            None => (None, None),
        };
        let device = self.device.clone();
        let read = async move {
            if let Some(error) = taken.await {
                return Err(guard::cause(&device, Some(error)));
            }
            let Some((staging, receiver)) = pending else { return guard::check(&device).map(|()| Vec::new()) };
            receiver.receive().await.unwrap_or_else(|| Err(guard::lost(None)))?;
            let mapped = staging.get_mapped_range(..).map_err(|_| guard::lost(None))?;
            Ok(element_type.decode(&mapped, elements))
        };
        (copy, read)
    }
}

/// A copy to the host that is under way. On the web nobody waits for it.
#[cfg_attr(target_arch = "wasm32", allow(dead_code))]
struct Copy {
    submission: wgpu::SubmissionIndex,
    /// Whether it is mapped: the first answer counts.
    mapped: Arc<OneshotSender<Result<()>>>,
}

/// The size of a buffer for `bytes` of a tensor.
///
/// # Errors
/// [`Error::DeviceLimit`].
pub(crate) fn buffer_bytes(bytes: u64, limits: &wgpu::Limits) -> Result<u64> {
    // wgpu refuses to bind an empty buffer; an empty tensor's one element is never read.
    let size = whole_words(bytes.max(WORD_BYTES));
    let allowed = limits.max_buffer_size;
    if size > allowed {
        return Err(Error::DeviceLimit {
            what: "a tensor's size in bytes",
            given: size,
            limit: "max_buffer_size",
            allowed,
            fix: "split the batch",
        });
    }
    Ok(size)
}

/// A buffer for kernels, usable as storage and as source and destination of copies.
///
/// # Errors
/// [`Error::DeviceLimit`], [`Error::OutOfMemory`]. Of a lost device it is none, but a buffer that nothing can be done with.
pub(crate) fn create_buffer(device: &wgpu::Device, bytes: u64, label: &str) -> Result<wgpu::Buffer> {
    let size = buffer_bytes(bytes, &device.limits())?;
    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
    let descriptor = wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false };
    guard::guarded(device, || Ok(device.create_buffer(&descriptor)))
}
