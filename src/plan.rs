//! Plans: recipes prepared on a device of wgpu's, to be recorded as often as wanted.

use crate::cache::Pipeline;
use crate::extent::Extent;
use crate::guard::{buffer_of, check, check_room, guarded};
use crate::params::Params;
use crate::recipe::Dispatch;
use crate::tensor::create_buffer;
use crate::{Error, Memory, PipelineCache, Recipe, Result};

/// A pooling prepared for certain buffers: pipelines, bind groups, parameters and dispatch sizes.
///
/// Recording a plan allocates nothing, writes nothing through the queue and submits nothing. A plan can be recorded any
/// number of times, and any number of plans into one encoder or pass. It keeps the buffers alive that it binds.
///
/// What is recorded on a device that is lost, before or after, doesn't run, and is no panic: the read that follows is
/// [`Error::DeviceLost`], and the host's lost callback hears of it.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    label: String,
    steps: Vec<Step>,
}

/// Dispatches of one pipeline.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub pipeline: wgpu::ComputePipeline,
    pub dispatches: Vec<(wgpu::BindGroup, Extent)>,
}

impl Plan {
    /// Records the dispatches into the host's compute pass, which may hold other work before and after.
    ///
    /// Sets the pipeline and bind group 0 of the pass.
    pub fn record(&self, pass: &mut wgpu::ComputePass<'_>) {
        for step in &self.steps {
            pass.set_pipeline(&step.pipeline);
            for (bind_group, [x, y, z]) in &step.dispatches {
                pass.set_bind_group(0, bind_group, &[]);
                pass.dispatch_workgroups(*x, *y, *z);
            }
        }
    }

    /// Records a compute pass with the dispatches into the host's encoder.
    pub fn encode(&self, encoder: &mut wgpu::CommandEncoder) {
        let mut pass = encoder
            .begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some(&self.label), timestamp_writes: None });
        self.record(&mut pass);
    }

    /// The number of dispatches: none for empty tensors, several where one would go beyond a limit of the device.
    pub fn dispatches(&self) -> usize {
        self.steps.iter().map(|step| step.dispatches.len()).sum()
    }

    /// The plan of certain steps, one after the other.
    pub(crate) fn of_steps(label: String, steps: Vec<Step>) -> Self {
        Self { label, steps }
    }

    /// Prepares a recipe whose memory are buffers of the device, with those of its results that are wanted.
    ///
    /// # Errors
    /// [`Error::NotABuffer`], [`Error::DeviceLimit`], before anything is allocated; [`Error::DeviceLost`],
    /// [`Error::OutOfMemory`], [`Error::Refused`].
    pub(crate) fn new(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        cache: &PipelineCache,
        recipe: &Recipe<'_>,
        results: &[Option<&wgpu::Buffer>],
    ) -> Result<Self> {
        let dispatches = recipe.dispatches();
        for binding in dispatches.iter().flat_map(|dispatch| &dispatch.bindings) {
            if let Memory::Named { name, .. } = binding.memory {
                return Err(Error::NotABuffer { name });
            }
        }
        match dispatches.last() {
            Some(last) => {
                guarded(device, || Self::of_dispatches(device, queue, cache, recipe, results, last.kernel.label()))
            }
            None => check(device).map(|()| Self::default()),
        }
    }

    fn of_dispatches(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        cache: &PipelineCache,
        recipe: &Recipe<'_>,
        results: &[Option<&wgpu::Buffer>],
        label: String,
    ) -> Result<Self> {
        let dispatches = recipe.dispatches();
        let (params, params_stride) = params_buffer(device, queue, &label, dispatches)?;
        let scratch = recipe.scratch().iter().map(|&bytes| create_buffer(device, bytes, &label));
        let scratch = scratch.collect::<Result<Vec<_>>>()?;
        let mut steps: Vec<Step> = Vec::new();
        let mut params_offset = 0;
        for of_kernel in dispatches.chunk_by(|first, second| first.kernel == second.kernel) {
            let Pipeline { pipeline, layout } = cache.get(of_kernel[0].kernel)?;
            let mut step = Step { pipeline, dispatches: Vec::with_capacity(of_kernel.len()) };
            for dispatch in of_kernel {
                let tensors = dispatch.bindings.iter().filter_map(|binding| {
                    let buffer = match binding.memory {
                        Memory::Buffer(buffer) => buffer,
                        Memory::Result { index, .. } => results[index]?,
                        Memory::Scratch { index, .. } => &scratch[index],
                        Memory::Named { .. } => return None,
                    };
                    Some(wgpu::BufferBinding {
                        buffer,
                        offset: binding.byte_offset,
                        size: wgpu::BufferSize::new(binding.bytes),
                    })
                });
                let params = wgpu::BufferBinding {
                    buffer: &params,
                    offset: params_offset,
                    size: wgpu::BufferSize::new(size_of::<Params>() as u64),
                };
                let entries: Vec<_> = { tensors.chain([params]).zip(0..) }
                    .map(|(buffer, binding)| wgpu::BindGroupEntry {
                        binding,
                        resource: wgpu::BindingResource::Buffer(buffer),
                    })
                    .collect();
                let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
                    label: Some(&label),
                    layout: &layout,
                    entries: &entries,
                });
                step.dispatches.push((bind_group, dispatch.workgroups));
                params_offset += params_stride;
            }
            steps.push(step);
        }
        Ok(Self { label, steps })
    }
}

/// A uniform buffer with the parameters of each dispatch, and how many bytes lie between those of one and the next.
///
/// # Errors
/// [`Error::DeviceLimit`], [`Error::DeviceLost`].
fn params_buffer(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    label: &str,
    dispatches: &[Dispatch<'_>],
) -> Result<(wgpu::Buffer, u64)> {
    let limits = device.limits();
    let stride = size_of::<Params>().next_multiple_of(limits.min_uniform_buffer_offset_alignment as usize);
    let bytes = (stride * dispatches.len()) as u64;
    if bytes > limits.max_buffer_size {
        return Err(Error::DeviceLimit {
            what: "the parameters of all dispatches, in bytes,",
            given: bytes,
            limit: "max_buffer_size",
            allowed: limits.max_buffer_size,
            fix: "split the batch",
        });
    }
    let mut all = vec![0; stride * dispatches.len()];
    for (slot, dispatch) in all.chunks_mut(stride).zip(dispatches) {
        slot[..size_of::<Params>()].copy_from_slice(dispatch.params());
    }
    if cfg!(target_arch = "wasm32") {
        // Browsers throw where what is mapped is of a lost device. What the queue writes is there for all that is submitted later.
        let buffer = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        queue.write_buffer(&buffer, 0, &all);
        return Ok((buffer, stride as u64));
    }
    check_room(device, bytes)?;
    // Not through the queue, which takes memory of its own and gives the device up if there is none.
    Ok((buffer_of(device, wgpu::BufferUsages::UNIFORM, label, &all)?, stride as u64))
}
