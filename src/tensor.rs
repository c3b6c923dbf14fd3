//! Tensors on the device: views into a host's buffers, tensors of our own, and reading back.

use std::future::Future;

use futures_intrusive::channel::shared::oneshot_channel;

use crate::{Error, Result, Shape};

/// Bytes of an f32 element.
pub(crate) const ELEMENT_BYTES: u64 = size_of::<f32>() as u64;

/// A contiguous f32 tensor inside a buffer that the host owns.
///
/// ```no_run
/// # fn example(buffer: &wgpu::Buffer) -> softpool::Result<()> {
/// use softpool::{Shape, TensorView};
///
/// // Sample 3 of a batch of (64, 112, 112), f32.
/// let sample = TensorView::new(buffer, Shape::new([1, 64, 112, 112])?).at_byte_offset(3 * 64 * 112 * 112 * 4);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TensorView<'a> {
    /// The buffer that holds the tensor.
    pub buffer: &'a wgpu::Buffer,
    /// Where in the buffer the tensor starts: a multiple of the device's `min_storage_buffer_offset_alignment`.
    pub byte_offset: u64,
    /// The tensor's shape.
    pub shape: Shape,
}

impl<'a> TensorView<'a> {
    /// The tensor of `shape` at the start of `buffer`.
    pub fn new(buffer: &'a wgpu::Buffer, shape: Shape) -> Self {
        Self { buffer, byte_offset: 0, shape }
    }

    /// The same tensor at a byte offset.
    pub fn at_byte_offset(mut self, byte_offset: u64) -> Self {
        self.byte_offset = byte_offset;
        self
    }

    /// Bytes from the first to the last element.
    pub fn bytes(&self) -> u64 {
        self.shape.elements() as u64 * ELEMENT_BYTES
    }
}

impl<'a> From<&'a GpuTensor> for TensorView<'a> {
    fn from(tensor: &'a GpuTensor) -> Self {
        tensor.view()
    }
}

/// A contiguous f32 tensor in a buffer of its own, with what is needed to read it back.
#[derive(Clone, Debug)]
pub struct GpuTensor {
    device: wgpu::Device,
    queue: wgpu::Queue,
    buffer: wgpu::Buffer,
    shape: Shape,
}

impl GpuTensor {
    /// A tensor with a copy of `data`.
    ///
    /// # Errors
    /// [`Error::DataLength`], [`Error::DeviceLimit`].
    pub fn from_slice(device: &wgpu::Device, queue: &wgpu::Queue, shape: Shape, data: &[f32]) -> Result<Self> {
        if data.len() != shape.elements() {
            return Err(Error::DataLength { role: "the tensor", given: data.len(), shape });
        }
        let tensor = Self::allocate(device, queue, shape, "softpool tensor")?;
        queue.write_buffer(&tensor.buffer, 0, bytemuck::cast_slice(data));
        Ok(tensor)
    }

    /// A tensor of zeros, to be written by a kernel.
    pub(crate) fn allocate(device: &wgpu::Device, queue: &wgpu::Queue, shape: Shape, label: &str) -> Result<Self> {
        let buffer = create_buffer(device, shape.elements() as u64 * ELEMENT_BYTES, label)?;
        Ok(Self { device: device.clone(), queue: queue.clone(), buffer, shape })
    }

    /// The buffer: usable as storage, and as source and destination of copies.
    pub fn buffer(&self) -> &wgpu::Buffer {
        &self.buffer
    }

    /// The tensor's shape.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The tensor as the calls of [`GpuSoftPool`](crate::GpuSoftPool) take it.
    pub fn view(&self) -> TensorView<'_> {
        TensorView::new(&self.buffer, self.shape)
    }

    /// Copies the tensor to the host, after all work submitted so far. Works on the web; natively a thread waits for
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
        let size = self.shape.elements() as u64 * ELEMENT_BYTES;
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
            Ok(bytemuck::pod_collect_to_vec(&mapped))
        }
    }
}

/// A buffer for kernels, usable as storage and as source and destination of copies.
pub(crate) fn create_buffer(device: &wgpu::Device, bytes: u64, label: &str) -> Result<wgpu::Buffer> {
    // wgpu refuses to bind an empty buffer; an empty tensor's one element is never read.
    let size = bytes.max(ELEMENT_BYTES);
    let allowed = device.limits().max_buffer_size;
    if size > allowed {
        return Err(Error::DeviceLimit {
            what: "a tensor's size in bytes",
            given: size,
            limit: "max_buffer_size",
            allowed,
            fix: "split the batch",
        });
    }
    Ok(device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size,
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    }))
}
