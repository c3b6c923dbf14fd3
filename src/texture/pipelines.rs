//! Pipelines of textures' kernels, and what they bind.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use super::kernel::{Source, Target, WindowKernel};
use super::level::StoredFormat;
use super::tiles::TilesKernel;
use crate::cache::Pipeline;
use crate::guard::{check_room, guarded, lost};
use crate::{Error, Result};

/// Compiled kernels of one device, shared by its clones: give one to several [`TexturePool`](super::TexturePool)s and
/// [`MipChain`](super::MipChain)s.
///
/// Its kernels are few: by format, windows or the parity of sizes, alpha and weighting, and not by size or beta.
#[derive(Clone)]
pub struct TextureCache {
    device: wgpu::Device,
    pipelines: Arc<Mutex<HashMap<Kernel, Pipeline>>>,
}

/// A kernel of textures.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kernel {
    Window(WindowKernel),
    Tiles(TilesKernel),
}

impl Kernel {
    pub fn label(&self) -> String {
        match self {
            Self::Window(kernel) => kernel.label(),
            Self::Tiles(kernel) => kernel.label(),
        }
    }

    pub fn wgsl(&self) -> String {
        match self {
            Self::Window(kernel) => kernel.wgsl(),
            Self::Tiles(kernel) => kernel.wgsl(),
        }
    }

    /// What it binds, in order.
    fn bindings(&self) -> Vec<wgpu::BindingType> {
        let uniform = buffer(wgpu::BufferBindingType::Uniform);
        match self {
            Self::Window(kernel) => {
                let target = match kernel.target {
                    Target::Texture { dimension, format } => storage_texture(dimension, format),
                    Target::Tensor { .. } => buffer(wgpu::BufferBindingType::Storage { read_only: false }),
                };
                vec![uniform, source_binding(kernel.source), target]
            }
            Self::Tiles(kernel) => {
                let dimension = kernel.dimension;
                let source = source_binding(Source::Texture { dimension, depth: false, all_levels: false });
                let targets = std::iter::repeat_n(storage_texture(dimension, kernel.format), kernel.levels());
                let left = (kernel.last > 0).then(|| buffer(wgpu::BufferBindingType::Storage { read_only: false }));
                [uniform, source].into_iter().chain(targets).chain([uniform]).chain(left).collect()
            }
        }
    }
}

fn buffer(ty: wgpu::BufferBindingType) -> wgpu::BindingType {
    wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None }
}

fn source_binding(source: Source) -> wgpu::BindingType {
    match source {
        Source::Texture { dimension, depth, .. } => wgpu::BindingType::Texture {
            sample_type: if depth {
                wgpu::TextureSampleType::Depth
            } else {
                // Texels are loaded, not filtered: so any format is good.
                wgpu::TextureSampleType::Float { filterable: false }
            },
            view_dimension: dimension,
            multisampled: false,
        },
        Source::Tensor { .. } => buffer(wgpu::BufferBindingType::Storage { read_only: true }),
    }
}

fn storage_texture(dimension: wgpu::TextureViewDimension, format: StoredFormat) -> wgpu::BindingType {
    wgpu::BindingType::StorageTexture {
        access: wgpu::StorageTextureAccess::WriteOnly,
        format: format.format(),
        view_dimension: dimension,
    }
}

impl TextureCache {
    /// An empty cache for a device.
    pub fn new(device: &wgpu::Device) -> Self {
        Self { device: device.clone(), pipelines: Arc::default() }
    }

    /// The number of pipelines held.
    pub fn len(&self) -> usize {
        self.pipelines().len()
    }

    /// Whether no pipeline is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// # Errors
    /// [`Error::ForeignCache`].
    pub(super) fn check_is_of(&self, device: &wgpu::Device) -> Result<()> {
        if self.device == *device { Ok(()) } else { Err(Error::ForeignCache) }
    }

    fn pipelines(&self) -> std::sync::MutexGuard<'_, HashMap<Kernel, Pipeline>> {
        // An entry is inserted whole or not at all, so that a panic elsewhere leaves nothing half done.
        self.pipelines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// # Errors
    /// [`Error::DeviceLost`], [`Error::OutOfMemory`], [`Error::Refused`].
    pub(super) fn get(&self, kernel: &Kernel) -> Result<Pipeline> {
        // Held while building: a second thread that wants the same pipeline waits for it instead of building it again.
        let mut pipelines = self.pipelines();
        if let Some(pipeline) = pipelines.get(kernel) {
            return Ok(pipeline.clone());
        }
        let pipeline = guarded(&self.device, || Ok(self.build(kernel)))?;
        pipelines.insert(kernel.clone(), pipeline.clone());
        Ok(pipeline)
    }

    fn build(&self, kernel: &Kernel) -> Pipeline {
        let (device, label) = (&self.device, kernel.label());
        let label = Some(label.as_str());
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label,
            source: wgpu::ShaderSource::Wgsl(kernel.wgsl().into()),
        });
        let entries: Vec<_> = { kernel.bindings().into_iter().zip(0..) }
            .map(|(ty, binding)| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty,
                count: None,
            })
            .collect();
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label, entries: &entries });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label,
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label,
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                // Every variable of the workgroup is written before it is read.
                zero_initialize_workgroup_memory: false,
                ..Default::default()
            },
            cache: None,
        });
        Pipeline { pipeline, layout }
    }

    /// A uniform buffer.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], [`Error::OutOfMemory`].
    pub(super) fn uniform(&self, bytes: &[u8]) -> Result<wgpu::Buffer> {
        check_room(&self.device, bytes.len() as u64)?;
        // Written before it is first used, not through the queue: plans can be made while the host encodes.
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("softpool texture"),
            size: bytes.len() as u64,
            usage: wgpu::BufferUsages::UNIFORM,
            mapped_at_creation: true,
        });
        match buffer.get_mapped_range_mut(..) {
            Ok(mut mapped) => mapped.copy_from_slice(bytes),
            // Unmapping it, too, would be an error. Where memory has run out the caller's scopes say so.
            Err(_) => return Err(lost(None)),
        }
        buffer.unmap();
        Ok(buffer)
    }

    /// A bind group of a pipeline's.
    pub(super) fn bind(&self, pipeline: &Pipeline, resources: Vec<wgpu::BindingResource<'_>>) -> wgpu::BindGroup {
        let entries: Vec<_> = resources
            .into_iter()
            .zip(0..)
            .map(|(resource, binding)| wgpu::BindGroupEntry { binding, resource })
            .collect();
        self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("softpool texture"),
            layout: &pipeline.layout,
            entries: &entries,
        })
    }
}

impl fmt::Debug for TextureCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextureCache").field("pipelines", &self.len()).finish_non_exhaustive()
    }
}
