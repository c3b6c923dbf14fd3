//! Plans: dispatches prepared for tensors of the host, to be recorded as often as wanted.

use crate::bound::Bound;
use crate::cache::Pipeline;
use crate::geometry::{Extent, Geometry, Problem};
use crate::params::{Layout, Params};
use crate::pieces::{DispatchLimits, Piece, pieces};
use crate::specialise::{PARAMS_BINDING, Specialisation, binding};
use crate::{Error, PipelineCache, Result};

/// A pooling prepared for certain buffers: pipelines, bind groups, parameters and dispatch sizes.
///
/// Recording a plan allocates nothing, writes nothing through the queue and submits nothing. A plan can be recorded any
/// number of times, and any number of plans into one encoder or pass. It keeps the buffers alive that it binds.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    label: String,
    steps: Vec<Step>,
}

/// Dispatches of one pipeline.
#[derive(Clone, Debug)]
struct Step {
    pipeline: wgpu::ComputePipeline,
    dispatches: Vec<(wgpu::BindGroup, Extent)>,
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
}

/// What plans are made with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planner<'a> {
    pub device: &'a wgpu::Device,
    pub cache: &'a PipelineCache,
    pub beta: f32,
}

impl Planner<'_> {
    /// Adds the dispatches of a kernel to a plan. `tensors` are those of `problem`; what is written must not overlap others.
    pub fn add(&self, plan: &mut Plan, problem: &Problem, geometry: Geometry, tensors: &[Bound<'_>]) -> Result<()> {
        let (specialisation, pieces) = self.check(problem, geometry, tensors)?;
        plan.label = specialisation.label();
        if !pieces.is_empty() {
            let pipeline = self.cache.get(specialisation);
            let dispatches = self.bind(&plan.label, &pipeline, problem, &geometry, tensors, &pieces);
            plan.steps.push(Step { pipeline: pipeline.pipeline, dispatches });
        }
        Ok(())
    }

    /// What [`add`](Self::add) would compile and dispatch.
    pub fn check(
        &self,
        problem: &Problem,
        geometry: Geometry,
        tensors: &[Bound<'_>],
    ) -> Result<(Specialisation, Vec<Piece>)> {
        let types = tensors.iter().map(|tensor| (tensor.placed.role, tensor.placed.element_type));
        let mut specialisation = Specialisation::new(geometry, types);
        let writes = |tensor: &Bound<'_>| specialisation.writes(tensor.placed.role);
        let mut shared_buffer = false;
        for (i, second) in tensors.iter().enumerate() {
            second.check(writes(second))?;
            for first in tensors[..i].iter().filter(|first| writes(first) || writes(second)) {
                first.check_apart(second)?;
                shared_buffer |= first.shares_buffer(second) && writes(first) != writes(second);
            }
        }
        specialisation.shared_buffer = shared_buffer;
        // A buffer without elements cannot be bound, and there is nothing to do.
        if tensors.iter().any(Bound::is_empty) {
            return Ok((specialisation, Vec::new()));
        }
        let limits = self.device.limits();
        geometry.check_device(tensors.len(), size_of::<Params>(), &limits)?;
        let pieces = pieces(problem, &geometry, DispatchLimits::of(&limits))?;
        let params_bytes = (size_of::<Params>() as u64)
            .next_multiple_of(u64::from(limits.min_uniform_buffer_offset_alignment))
            * pieces.len() as u64;
        if params_bytes > limits.max_buffer_size {
            return Err(Error::DeviceLimit {
                what: "the parameters of all dispatches, in bytes,",
                given: params_bytes,
                limit: "max_buffer_size",
                allowed: limits.max_buffer_size,
                fix: "split the batch",
            });
        }
        let [w, h, d] = geometry.blocks(problem.input, problem.output);
        specialisation.whole_planes = pieces.iter().all(|piece| piece.region.block_counts() == [d, h, w]);
        Ok((specialisation, pieces))
    }

    /// A bind group with parameters of its own for each piece.
    fn bind(
        &self,
        label: &str,
        pipeline: &Pipeline,
        problem: &Problem,
        geometry: &Geometry,
        tensors: &[Bound<'_>],
        pieces: &[Piece],
    ) -> Vec<(wgpu::BindGroup, Extent)> {
        let limits = self.device.limits();
        let params_size = size_of::<Params>() as u64;
        let params_stride = params_size.next_multiple_of(u64::from(limits.min_uniform_buffer_offset_alignment));
        // Written before it is first used, not through the queue: plans can be made while the host encodes.
        let params_buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: params_stride * pieces.len() as u64,
            usage: wgpu::BufferUsages::UNIFORM,
            mapped_at_creation: true,
        });
        let alignment = u64::from(limits.min_storage_buffer_offset_alignment);
        let mut all_params = Vec::with_capacity((params_stride * pieces.len() as u64) as usize);
        let mut dispatches = Vec::with_capacity(pieces.len());
        for (index, piece) in pieces.iter().enumerate() {
            let mut params = self.params(problem, piece);
            let mut entries = vec![wgpu::BindGroupEntry {
                binding: PARAMS_BINDING,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer: &params_buffer,
                    offset: params_stride * index as u64,
                    size: wgpu::BufferSize::new(params_size),
                }),
            }];
            for (placed, tensor) in problem.tensors.iter().zip(tensors) {
                let window = piece.region.window(problem, geometry, placed, alignment);
                // Strides that 32 bits don't hold are those of axes along which the piece has one element.
                let [sample, channel, depth, height, width] = placed.strides.map(|stride| stride as u32);
                let (start, word, position) = (window.start, placed.word as u32, [depth, height, width]);
                params.layouts[placed.role as usize] = Layout { start, sample, channel, word, position, padding: 0 };
                entries.push(wgpu::BindGroupEntry {
                    binding: binding(placed.role),
                    resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                        buffer: tensor.buffer,
                        offset: window.offset,
                        size: wgpu::BufferSize::new(window.bytes),
                    }),
                });
            }
            all_params.resize((params_stride * index as u64) as usize, 0);
            all_params.extend_from_slice(bytemuck::bytes_of(&params));
            let bind_group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(label),
                layout: &pipeline.layout,
                entries: &entries,
            });
            dispatches.push((bind_group, piece.workgroups));
        }
        all_params.resize((params_stride * pieces.len() as u64) as usize, 0);
        if let Ok(mut mapped) = params_buffer.get_mapped_range_mut(..) {
            mapped.copy_from_slice(&all_params);
        }
        params_buffer.unmap();
        dispatches
    }

    /// The parameters of a piece, without its tensors.
    fn params(&self, problem: &Problem, piece: &Piece) -> Params {
        let region = piece.region;
        let blocks = region.block_counts();
        let [_, blocks_h, blocks_w] = blocks.map(|blocks| blocks as f32);
        Params {
            input_size: problem.input,
            samples: region.count[0] as u32,
            output_size: problem.output,
            channels: region.count[1] as u32,
            blocks,
            // Shaders count in halves of x; a beta whose double is beyond f32 is as good as the largest.
            beta: (2.0 * self.beta.abs()).min(f32::MAX),
            first_block: [2, 3, 4].map(|axis| region.first[axis] as u32),
            sign: if self.beta < 0.0 { -1.0 } else { 1.0 },
            first_invocation: piece.first_invocation,
            inverse_blocks_w: 1.0 / blocks_w,
            inverse_blocks_layer: 1.0 / (blocks_w * blocks_h),
            ..bytemuck::Zeroable::zeroed()
        }
    }
}
