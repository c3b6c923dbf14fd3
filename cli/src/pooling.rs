//! Forward and backward of tensors of any size, on a device.

use std::ops::Range;

use softpool::reference::Reference;
use softpool::{ElementType, GpuSoftPool, GpuTensor, Outputs, Shape, SoftPoolConfig};

use crate::chunks::Chunks;
use crate::device::{Device, Gpu};
use crate::failure::Result;

/// Bytes of a chunk's larger tensor on a GPU: enough to keep it busy, small beside its memory.
const GPU_CHUNK_BYTES: u64 = 64 << 20;

/// Bytes of a chunk's larger tensor on the CPU: well under a second's work.
const CPU_CHUNK_BYTES: u64 = 1 << 20;

/// A pooling on a device.
pub struct Pooling<'a> {
    pub device: &'a Device,
    pub config: &'a SoftPoolConfig,
    /// One for each channel, instead of the configuration's.
    pub betas: Option<&'a [f32]>,
    /// What tensors are stored as on a GPU. The CPU leaves it to who writes results to round them.
    pub element_type: ElementType,
}

/// The result of [`Pooling::forward`].
pub struct Pooled {
    pub shape: Shape,
    pub y: Vec<f32>,
    /// The log-sum-exp of each window, if it was asked for.
    pub lse: Option<Vec<f32>>,
}

/// The result of [`Pooling::backward`].
pub struct Gradients {
    pub input: Vec<f32>,
    /// One value, or one for each channel that has a beta of its own, if it was asked for.
    pub beta: Option<Vec<f32>>,
}

impl<'a> Pooling<'a> {
    /// A pooling of f32 tensors by the configuration's beta.
    pub fn new(device: &'a Device, config: &'a SoftPoolConfig) -> Self {
        Self { device, config, betas: None, element_type: ElementType::F32 }
    }

    /// Pools `x` of `shape`.
    pub fn forward(&self, shape: &Shape, x: &[f32], with_lse: bool) -> Result<Pooled> {
        let chunks = self.chunks(shape)?;
        let mut y = Vec::with_capacity(chunks.pooled.elements());
        let mut lse = Vec::with_capacity(if with_lse { y.capacity() } else { 0 });
        match self.device {
            Device::Cpu => chunks.for_each(|chunk| {
                let pooled = self.reference(chunk.channels).forward(&chunk.input.shape, &x[chunk.input.elements])?;
                y.extend(pooled.y.iter().map(|&y| y as f32));
                if with_lse {
                    lse.extend(pooled.lse.iter().map(|&lse| lse as f32));
                }
                Ok(())
            })?,
            Device::Gpu(gpu) => {
                let on_gpu = OnGpu::new(gpu, self)?;
                chunks.for_each(|chunk| {
                    let x = on_gpu.upload(chunk.input.shape, &x[chunk.input.elements])?;
                    let outputs = Outputs { lse: with_lse, ..Default::default() };
                    let pooled = on_gpu.pool(chunk.channels)?.forward_with(&x, outputs)?;
                    y.extend(on_gpu.read(&pooled.y)?);
                    if let Some(tensor) = pooled.lse {
                        lse.extend(on_gpu.read(&tensor)?);
                    }
                    Ok(())
                })?;
            }
        }
        Ok(Pooled { shape: chunks.pooled, y, lse: with_lse.then_some(lse) })
    }

    /// The gradients of `x` of `shape` and of beta, for the gradient `grad_output` of the pooling.
    pub fn backward(&self, shape: &Shape, x: &[f32], grad_output: &[f32], with_beta: bool) -> Result<Gradients> {
        let chunks = self.chunks(shape)?;
        let mut input = Vec::with_capacity(shape.elements());
        let mut beta = vec![0.0; self.betas.map_or(1, <[f32]>::len)];
        match self.device {
            Device::Cpu => chunks.for_each(|chunk| {
                let (shape, x, grad_output) =
                    (&chunk.input.shape, &x[chunk.input.elements], &grad_output[chunk.output.elements]);
                let reference = self.reference(chunk.channels.clone());
                input.extend(reference.backward(shape, x, grad_output)?.iter().map(|&gradient| gradient as f32));
                if with_beta {
                    self.add_to(&mut beta, chunk.channels, reference.grad_beta(shape, x, grad_output)?);
                }
                Ok(())
            })?,
            Device::Gpu(gpu) => {
                let on_gpu = OnGpu::new(gpu, self)?;
                chunks.for_each(|chunk| {
                    let x = on_gpu.upload(chunk.input.shape, &x[chunk.input.elements])?;
                    let grad_output = on_gpu.upload(chunk.output.shape, &grad_output[chunk.output.elements])?;
                    let pool = on_gpu.pool(chunk.channels.clone())?;
                    input.extend(on_gpu.read(&pool.backward(&x, &grad_output)?)?);
                    if with_beta {
                        let gradient = on_gpu.read(&pool.grad_beta(&x, &grad_output)?)?;
                        self.add_to(&mut beta, chunk.channels, gradient.into_iter().map(f64::from));
                    }
                    Ok(())
                })?;
            }
        }
        Ok(Gradients { input, beta: with_beta.then(|| beta.iter().map(|&gradient| gradient as f32).collect()) })
    }

    fn chunks(&self, shape: &Shape) -> Result<Chunks> {
        let bytes = match self.device {
            Device::Cpu => CPU_CHUNK_BYTES,
            Device::Gpu(gpu) => {
                let limits = gpu.context.device.limits();
                GPU_CHUNK_BYTES.min(limits.max_storage_buffer_binding_size).min(limits.max_buffer_size)
            }
        };
        Chunks::new(self.config, shape, bytes)
    }

    /// The definition for a chunk of these channels.
    fn reference(&self, channels: Range<usize>) -> Reference<'a> {
        let reference = Reference::new(self.config);
        match self.betas {
            Some(betas) => reference.with_betas(&betas[channels]),
            None => reference,
        }
    }

    /// Adds the gradients of a chunk's betas to those of all: in f64, as a chunk's are rounded already.
    fn add_to(&self, sums: &mut [f64], channels: Range<usize>, gradients: impl IntoIterator<Item = f64>) {
        for (index, gradient) in gradients.into_iter().enumerate() {
            sums[if self.betas.is_some() { channels.start + index } else { 0 }] += gradient;
        }
    }
}

/// A pooling whose kernels all chunks share.
struct OnGpu<'a> {
    gpu: &'a Gpu,
    pool: GpuSoftPool,
    betas: Option<&'a [f32]>,
    element_type: ElementType,
}

impl<'a> OnGpu<'a> {
    fn new(gpu: &'a Gpu, pooling: &Pooling<'a>) -> Result<Self> {
        let pool = GpuSoftPool::new(&gpu.context.device, &gpu.context.queue, pooling.config.clone());
        gpu.check()?;
        Ok(Self { gpu, pool, betas: pooling.betas, element_type: pooling.element_type })
    }

    /// The pooling for a chunk of these channels.
    fn pool(&self, channels: Range<usize>) -> Result<GpuSoftPool> {
        let Some(betas) = self.betas else { return Ok(self.pool.clone()) };
        let betas = self.gpu.context.upload(Shape::new([channels.len()])?, &betas[channels])?;
        Ok(self.pool.clone().with_betas(&betas))
    }

    fn upload(&self, shape: Shape, values: &[f32]) -> Result<GpuTensor> {
        let context = &self.gpu.context;
        Ok(GpuTensor::from_slice_as(&context.device, &context.queue, shape, self.element_type, values)?)
    }

    fn read(&self, tensor: &GpuTensor) -> Result<Vec<f32>> {
        let values = tensor.read_blocking();
        // What wgpu has reported is the cause of a failed reading.
        self.gpu.check()?;
        Ok(values?)
    }
}
