//! Forward and backward of tensors of any size: some planes at a time, with a progress bar for long ones.

use std::ops::Range;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use softpool::{GpuSoftPool, GpuTensor, Outputs, Shape, SoftPoolConfig, reference};

use crate::device::{Device, Gpu};
use crate::failure::Result;

/// Bytes of a chunk's larger tensor on a GPU: enough to keep it busy, small beside its memory.
const GPU_CHUNK_BYTES: u64 = 64 << 20;

/// Bytes of a chunk's larger tensor on the CPU: well under a second's work.
const CPU_CHUNK_BYTES: u64 = 1 << 20;

/// Work shorter than this shows no progress bar.
const BAR_DELAY: Duration = Duration::from_secs(1);

/// The result of [`forward`].
pub struct Pooled {
    pub shape: Shape,
    pub y: Vec<f32>,
    /// The log-sum-exp of each window, if it was asked for.
    pub lse: Option<Vec<f32>>,
}

/// Pools `x` of `shape`.
pub fn forward(device: &Device, config: &SoftPoolConfig, shape: &Shape, x: &[f32], with_lse: bool) -> Result<Pooled> {
    let chunks = Chunks::new(device, config, shape)?;
    let mut y = Vec::with_capacity(chunks.pooled.elements());
    let mut lse = Vec::with_capacity(if with_lse { y.capacity() } else { 0 });
    match device {
        Device::Cpu => chunks.for_each(|input, _| {
            let pooled = reference::forward(config, &input.shape, &x[input.elements])?;
            y.extend(pooled.y.iter().map(|&y| y as f32));
            if with_lse {
                lse.extend(pooled.lse.iter().map(|&lse| lse as f32));
            }
            Ok(())
        })?,
        Device::Gpu(gpu) => {
            let pool = chunks.pool(gpu, config)?;
            chunks.for_each(|input, _| {
                let x = gpu.context.upload(input.shape, &x[input.elements])?;
                let outputs = pool.forward_with(&x, Outputs { lse: with_lse, ..Default::default() })?;
                y.extend(read(gpu, &outputs.y)?);
                if let Some(tensor) = outputs.lse {
                    lse.extend(read(gpu, &tensor)?);
                }
                Ok(())
            })?;
        }
    }
    Ok(Pooled { shape: chunks.pooled, y, lse: with_lse.then_some(lse) })
}

/// The gradient of `x` of `shape`, for the gradient `grad_output` of its pooling.
pub fn backward(
    device: &Device,
    config: &SoftPoolConfig,
    shape: &Shape,
    x: &[f32],
    grad_output: &[f32],
) -> Result<Vec<f32>> {
    let chunks = Chunks::new(device, config, shape)?;
    let mut grad_input = Vec::with_capacity(shape.elements());
    match device {
        Device::Cpu => chunks.for_each(|input, output| {
            let chunk = reference::backward(config, &input.shape, &x[input.elements], &grad_output[output.elements])?;
            grad_input.extend(chunk.iter().map(|&gradient| gradient as f32));
            Ok(())
        })?,
        Device::Gpu(gpu) => {
            let pool = chunks.pool(gpu, config)?;
            chunks.for_each(|input, output| {
                let x = gpu.context.upload(input.shape, &x[input.elements])?;
                let grad_output = gpu.context.upload(output.shape, &grad_output[output.elements])?;
                grad_input.extend(read(gpu, &pool.backward(&x, &grad_output)?)?);
                Ok(())
            })?;
        }
    }
    Ok(grad_input)
}

fn read(gpu: &Gpu, tensor: &GpuTensor) -> Result<Vec<f32>> {
    let values = tensor.read_blocking();
    // What wgpu has reported is the cause of a failed reading.
    gpu.check()?;
    Ok(values?)
}

/// A tensor's planes, split into chunks that the device takes.
struct Chunks {
    input: Shape,
    pooled: Shape,
    planes_by_chunk: usize,
}

/// One side, input or output, of a chunk.
struct Part {
    /// The chunk's planes as a batch of one channel.
    shape: Shape,
    /// Where its elements are in the whole tensor.
    elements: Range<usize>,
}

impl Part {
    fn new(whole: &Shape, planes: &Range<usize>) -> Result<Self> {
        let plane: usize = whole.spatial().iter().product();
        let dims: Vec<usize> = [planes.len(), 1].into_iter().chain(whole.spatial().iter().copied()).collect();
        Ok(Self { shape: Shape::new(dims)?, elements: planes.start * plane..planes.end * plane })
    }
}

impl Chunks {
    fn new(device: &Device, config: &SoftPoolConfig, input: &Shape) -> Result<Self> {
        let pooled = input.pooled(config)?;
        let bytes = match device {
            Device::Cpu => CPU_CHUNK_BYTES,
            Device::Gpu(gpu) => {
                let limits = gpu.context.device.limits();
                GPU_CHUNK_BYTES.min(limits.max_storage_buffer_binding_size).min(limits.max_buffer_size)
            }
        };
        let plane = |shape: &Shape| (shape.spatial().iter().product::<usize>() * size_of::<f32>()) as u64;
        // A plane that is too large by itself is the device's to refuse.
        let planes = (bytes / plane(input).max(plane(&pooled)).max(1)).max(1);
        Ok(Self { input: *input, pooled, planes_by_chunk: usize::try_from(planes).unwrap_or(usize::MAX) })
    }

    fn pool(&self, gpu: &Gpu, config: &SoftPoolConfig) -> Result<GpuSoftPool> {
        let pool = GpuSoftPool::new(&gpu.context.device, &gpu.context.queue, config.clone());
        gpu.check()?;
        Ok(pool?)
    }

    /// Calls `pool(input, output)` for one chunk after another.
    fn for_each(&self, mut pool: impl FnMut(Part, Part) -> Result<()>) -> Result<()> {
        let planes = self.input.planes();
        let bar = ProgressBar::with_draw_target(Some(planes as u64), ProgressDrawTarget::hidden())
            .with_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} planes, {eta} left").expect("a constant"));
        let start = Instant::now();
        for first in (0..planes).step_by(self.planes_by_chunk) {
            let chunk = first..planes.min(first.saturating_add(self.planes_by_chunk));
            pool(Part::new(&self.input, &chunk)?, Part::new(&self.pooled, &chunk)?)?;
            if bar.is_hidden() && start.elapsed() > BAR_DELAY {
                // Hidden still where stderr is no terminal.
                bar.set_draw_target(ProgressDrawTarget::stderr());
            }
            bar.set_position(chunk.end as u64);
        }
        bar.finish_and_clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_every_plane_once_in_order() {
        let config = SoftPoolConfig::builder([2]).build().unwrap();
        let input = Shape::new([5, 3, 7]).unwrap();
        let pooled = input.pooled(&config).unwrap();
        for planes_by_chunk in [1, 2, 4, 15, 16, usize::MAX] {
            let (mut x, mut y) = (0, 0);
            Chunks { input, pooled, planes_by_chunk }
                .for_each(|input, output| {
                    assert_eq!((input.elements.start, output.elements.start), (x, y));
                    assert_eq!(input.shape.elements(), input.elements.len());
                    assert_eq!(output.shape.elements(), output.elements.len());
                    assert!((1..=planes_by_chunk).contains(&input.shape.batch()));
                    (x, y) = (input.elements.end, output.elements.end);
                    Ok(())
                })
                .unwrap();
            assert_eq!((x, y), (input.elements(), pooled.elements()), "{planes_by_chunk}");
        }
    }
}
