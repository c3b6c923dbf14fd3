//! Plans: dispatches prepared for tensors of the host, to be recorded as often as wanted.

use crate::cache::Pipeline;
use crate::geometry::{DispatchLimits, Extent, Geometry, Piece, Problem, Tuning, pieces};
use crate::params::Params;
use crate::specialise::{PARAMS_BINDING, Role, Specialisation};
use crate::tensor::ELEMENT_BYTES;
use crate::{Error, PipelineCache, Result, Shape, SoftPoolConfig, TensorView};

/// Words of a window's statistics: c, s and d.
pub(crate) const STATISTICS_WORDS: u64 = 3;

/// A pooling prepared for certain buffers: pipelines, bind groups, parameters and dispatch sizes.
///
/// Recording a plan allocates nothing, writes nothing through the queue and submits nothing. A plan can be recorded any
/// number of times, and any number of plans into one encoder or pass. It keeps the buffers alive that it binds.
#[derive(Clone, Debug)]
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

/// A tensor in its part of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound<'a> {
    pub role: Role,
    pub buffer: &'a wgpu::Buffer,
    pub byte_offset: u64,
    /// Elements of f32, in all and by plane.
    pub elements: u64,
    pub plane_elements: u64,
}

impl<'a> Bound<'a> {
    pub fn tensor(role: Role, view: &TensorView<'a>) -> Self {
        let elements = view.shape.elements() as u64;
        let plane_elements = view.shape.spatial().iter().map(|&size| size as u64).product();
        Self { role, buffer: view.buffer, byte_offset: view.byte_offset, elements, plane_elements }
    }

    pub fn statistics(buffer: &'a wgpu::Buffer, byte_offset: u64, pooled: &Shape) -> Self {
        let plane_windows: u64 = pooled.spatial().iter().map(|&size| size as u64).product();
        let plane_elements = STATISTICS_WORDS * plane_windows;
        let elements = plane_elements * pooled.planes() as u64;
        Self { role: Role::Statistics, buffer, byte_offset, elements, plane_elements }
    }

    fn bytes(&self) -> u64 {
        self.elements * ELEMENT_BYTES
    }

    /// Size, usage and alignment against what the device and a storage binding need.
    pub fn check(&self, limits: &wgpu::Limits) -> Result<()> {
        let (role, needed, offset, available) =
            (self.role.described(), self.bytes(), self.byte_offset, self.buffer.size());
        if offset.checked_add(needed).is_none_or(|end| end > available) {
            return Err(Error::BufferTooSmall { role, needed, offset, available });
        }
        let missing = wgpu::BufferUsages::STORAGE - self.buffer.usage();
        if !missing.is_empty() {
            return Err(Error::BufferUsage { role, missing });
        }
        let alignment = limits.min_storage_buffer_offset_alignment;
        if !offset.is_multiple_of(u64::from(alignment)) {
            return Err(Error::OffsetAlignment { role, offset, alignment });
        }
        Ok(())
    }

    fn shares_buffer(&self, other: &Self) -> bool {
        self.buffer == other.buffer
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.shares_buffer(other)
            && self.byte_offset < other.byte_offset + other.bytes()
            && other.byte_offset < self.byte_offset + self.bytes()
    }
}

/// The device and the pooling that plans are made for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planner<'a> {
    pub device: &'a wgpu::Device,
    pub cache: &'a PipelineCache,
    pub config: &'a SoftPoolConfig,
    pub tuning: Tuning,
    pub shape: Shape,
    pub pooled: Shape,
}

impl<'a> Planner<'a> {
    /// What to find a kernel for, given the tensors that it binds.
    pub fn problem(&self, tensors: &[Bound<'_>]) -> Problem<'a> {
        let aligned = tensors.iter().all(|tensor| tensor.byte_offset.is_multiple_of(4 * ELEMENT_BYTES));
        Problem::new(self.config, &self.shape, &self.pooled, aligned, self.tuning)
    }

    /// A plan that runs each geometry on its tensors in turn. Tensors that one of the runs writes must not overlap
    /// others of the same run.
    pub fn plan(&self, runs: &[(Geometry, &[Bound<'_>])]) -> Result<Plan> {
        let mut plan = Plan { label: String::new(), steps: Vec::with_capacity(runs.len()) };
        for (geometry, tensors) in runs {
            let (label, step) = self.step(*geometry, tensors)?;
            plan.label = label;
            plan.steps.extend(step);
        }
        Ok(plan)
    }

    fn step(&self, geometry: Geometry, tensors: &[Bound<'_>]) -> Result<(String, Option<Step>)> {
        let has = |role| tensors.iter().any(|tensor| tensor.role == role);
        let mut specialisation = Specialisation {
            geometry,
            y: has(Role::Y),
            lse: has(Role::Lse),
            statistics: has(Role::Statistics),
            shared_buffer: false,
        };
        let label = specialisation.label();
        let limits = self.device.limits();
        for tensor in tensors {
            tensor.check(&limits)?;
        }
        for (i, second) in tensors.iter().enumerate() {
            for first in &tensors[..i] {
                let writes = |tensor: &Bound<'_>| specialisation.writes(tensor.role) == Some(true);
                if !writes(first) && !writes(second) {
                    continue;
                }
                if first.overlaps(second) {
                    return Err(Error::Overlap { first: first.role.described(), second: second.role.described() });
                }
                specialisation.shared_buffer |= first.shares_buffer(second) && writes(first) != writes(second);
            }
        }
        // A buffer without elements cannot be bound, and there is nothing to do.
        if tensors.iter().any(|tensor| tensor.elements == 0) {
            return Ok((label, None));
        }
        geometry.check_device(tensors.len(), size_of::<Params>(), &limits)?;
        let Problem { planes, input, output, .. } = self.problem(tensors);
        let plane_bytes: Vec<u64> = tensors.iter().map(|tensor| tensor.plane_elements * ELEMENT_BYTES).collect();
        let dispatch_limits = DispatchLimits::of(&limits);
        let pieces = pieces(
            planes,
            &plane_bytes,
            geometry.blocks(input, output)[2],
            |planes| geometry.grid(input, output, planes),
            geometry.blocks_of_workgroup(),
            dispatch_limits,
        )?;
        let pipeline = self.cache.get(specialisation);
        let dispatches = self.bind(&label, &pipeline, &geometry, tensors, &pieces);
        Ok((label, Some(Step { pipeline: pipeline.pipeline, dispatches })))
    }

    /// A bind group with parameters of its own for each piece.
    fn bind(
        &self,
        label: &str,
        pipeline: &Pipeline,
        geometry: &Geometry,
        tensors: &[Bound<'_>],
        pieces: &[Piece],
    ) -> Vec<(wgpu::BindGroup, Extent)> {
        let limits = self.device.limits();
        let Problem { input, output, .. } = self.problem(tensors);
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
            let [blocks_w, blocks_h, _] = geometry.blocks(input, output).map(|blocks| blocks as f32);
            let mut params = Params {
                input_size: input,
                planes: piece.planes,
                output_size: output,
                // Shaders count in halves of x; a beta whose double is beyond f32 is as good as the largest.
                beta: (2.0 * self.config.beta().abs()).min(f32::MAX),
                first_block: piece.first_block,
                sign: if self.config.beta() < 0.0 { -1.0 } else { 1.0 },
                inverse_blocks_w: 1.0 / blocks_w,
                inverse_blocks_layer: 1.0 / (blocks_w * blocks_h),
                ..bytemuck::Zeroable::zeroed()
            };
            let mut entries = vec![wgpu::BindGroupEntry {
                binding: PARAMS_BINDING,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer: &params_buffer,
                    offset: params_stride * index as u64,
                    size: wgpu::BufferSize::new(params_size),
                }),
            }];
            for tensor in tensors {
                let first = tensor.byte_offset + piece.first_plane * tensor.plane_elements * ELEMENT_BYTES;
                let offset = first / alignment * alignment;
                let start = ((first - offset) / ELEMENT_BYTES) as u32;
                match tensor.role {
                    Role::X => params.x_start = start,
                    Role::Y | Role::GradOutput => params.y_start = start,
                    Role::Lse => params.lse_start = start,
                    Role::Statistics => params.statistics_start = start,
                    Role::GradInput => params.grad_input_start = start,
                }
                let bytes = u64::from(piece.planes) * tensor.plane_elements * ELEMENT_BYTES;
                entries.push(wgpu::BindGroupEntry {
                    binding: tensor.role.binding(),
                    resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                        buffer: tensor.buffer,
                        offset,
                        size: wgpu::BufferSize::new(first - offset + bytes),
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
}
