//! Tensors on the device: views into a host's buffers, tensors of our own, and reading back.

use std::future::Future;

use futures_intrusive::channel::shared::oneshot_channel;

use crate::element::{WORD_BYTES, whole_words};
use crate::shape::MAX_AXES;
use crate::{ElementType, Error, Result, Shape};

/// The memory that a tensor lies in.
#[derive(Clone, Copy, Debug, PartialEq)]
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
            Self::Named { bytes, .. } | Self::Scratch { bytes, .. } => bytes,
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
    /// The tensor's shape.
    pub shape: Shape,
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

/// A view that keeps its buffer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct OwnedView {
    /// A buffer of wgpu's, or other memory.
    memory: std::result::Result<wgpu::Buffer, Memory<'static>>,
    byte_offset: u64,
    shape: Shape,
    element_type: ElementType,
    strides: [usize; MAX_AXES],
}

impl OwnedView {
    pub fn of(view: &TensorView<'_>) -> Self {
        let TensorView { memory, byte_offset, shape, element_type, strides } = *view;
        let memory = match memory {
            Memory::Buffer(buffer) => Ok(buffer.clone()),
            Memory::Named { name, bytes } => Err(Memory::Named { name, bytes }),
            Memory::Scratch { index, bytes } => Err(Memory::Scratch { index, bytes }),
        };
        Self { memory, byte_offset, shape, element_type, strides }
    }

    pub fn view(&self) -> TensorView<'_> {
        let Self { ref memory, byte_offset, shape, element_type, strides } = *self;
        let memory = memory.as_ref().map_or_else(|memory| *memory, Memory::Buffer);
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
    /// [`Error::DataLength`], [`Error::DeviceLimit`].
    pub fn from_slice(device: &wgpu::Device, queue: &wgpu::Queue, shape: Shape, data: &[f32]) -> Result<Self> {
        Self::from_slice_as(device, queue, shape, ElementType::F32, data)
    }

    /// A tensor of another type with a copy of `data`, each value rounded to the nearest that the type has.
    ///
    /// # Errors
    /// [`Error::DataLength`], [`Error::DeviceLimit`].
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
            ElementType::F32 => queue.write_buffer(&tensor.buffer, 0, bytemuck::cast_slice(data)),
            _ => queue.write_buffer(&tensor.buffer, 0, &element_type.encode(data)),
        }
        Ok(tensor)
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
    /// the device meanwhile.
    ///
    /// # Errors
    /// [`Error::Read`] if the device is lost or out of memory.
    pub fn read(&self) -> impl Future<Output = Result<Vec<f32>>> + use<> {
        let read = self.start_read();
        #[cfg(not(target_arch = "wasm32"))]
        if self.shape.elements() > 0 {
            let device = self.device.clone();
            // A failure to wait shows as a failure to map.
            std::thread::spawn(move || device.poll(wgpu::PollType::wait_indefinitely()));
        }
        read
    }

    /// [`read`](Self::read), waiting for it on this thread. Not for the web.
    ///
    /// # Errors
    /// [`Error::Read`].
    pub fn read_blocking(&self) -> Result<Vec<f32>> {
        let read = self.start_read();
        self.device.poll(wgpu::PollType::wait_indefinitely()).map_err(|error| Error::Read(error.to_string()))?;
        pollster::block_on(read)
    }

    /// Submits the copy to a mappable buffer and asks for its mapping; the future waits for the mapping.
    fn start_read(&self) -> impl Future<Output = Result<Vec<f32>>> + use<> {
        let (elements, element_type) = (self.shape.elements(), self.element_type);
        let size = whole_words(elements as u64 * element_type.bytes());
        // What fails on a lost device is our error, not one for the host's handler, which panics by default.
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
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
            self.queue.submit([encoder.finish()]);
            let (sender, receiver) = oneshot_channel();
            staging.map_async(wgpu::MapMode::Read, .., move |result| {
                // The receiver is gone if the caller dropped the future: nobody wants the result then.
                let _ = sender.send(result);
            });
            (staging, receiver)
        });
        let failure = scope.pop();
        async move {
            if let Some(error) = failure.await {
                return Err(Error::Read(error.to_string()));
            }
            let Some((staging, receiver)) = pending else { return Ok(Vec::new()) };
            let lost = || Error::Read("the device is gone".into());
            receiver.receive().await.ok_or_else(lost)?.map_err(|error| Error::Read(error.to_string()))?;
            let mapped = staging.get_mapped_range(..).map_err(|error| Error::Read(error.to_string()))?;
            Ok(element_type.decode(&mapped, elements))
        }
    }
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
/// [`Error::DeviceLimit`].
pub(crate) fn create_buffer(device: &wgpu::Device, bytes: u64, label: &str) -> Result<wgpu::Buffer> {
    Ok(device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size: buffer_bytes(bytes, &device.limits())?,
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    }))
}
