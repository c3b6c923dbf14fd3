//! Pipelines of textures' kernels, and what they bind.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use super::kernel::{Source, Target, WindowKernel};
use super::level::StoredFormat;
use super::tiles::TilesKernel;
use crate::cache::Pipeline;
use crate::guard::{buffer_of, check_room, guarded};
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
        let pipeline = guarded(&self.device, || {
            Ok(Pipeline::new(&self.device, &kernel.label(), kernel.wgsl(), kernel.bindings(), None))
        })?;
        pipelines.insert(kernel.clone(), pipeline.clone());
        Ok(pipeline)
    }

    /// A uniform buffer.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], [`Error::OutOfMemory`].
    pub(super) fn uniform(&self, bytes: &[u8]) -> Result<wgpu::Buffer> {
        check_room(&self.device, bytes.len() as u64)?;
        // Not through the queue: plans can be made while the host encodes.
        buffer_of(&self.device, wgpu::BufferUsages::UNIFORM, "softpool texture", bytes)
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
