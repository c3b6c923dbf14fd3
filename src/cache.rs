//! Pipelines by specialisation, built once and shared.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::Result;
use crate::guard::guarded;
use crate::params::Params;
use crate::specialise::Specialisation;

/// Pipelines of one device, shared by its clones: give one to several [`GpuSoftPool`](crate::GpuSoftPool)s, and equal
/// specialisations are compiled once.
#[derive(Clone)]
pub struct PipelineCache {
    inner: Arc<Inner>,
}

struct Inner {
    device: wgpu::Device,
    driver_cache: Option<wgpu::PipelineCache>,
    pipelines: Mutex<HashMap<Specialisation, Pipeline>>,
}

/// A pipeline with the layout of its only bind group.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    pub pipeline: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
}

impl PipelineCache {
    /// An empty cache for pools of `device`.
    pub fn new(device: &wgpu::Device) -> Self {
        Self::with_driver_cache(device, None)
    }

    /// An empty cache whose pipelines are looked up in the host's own `wgpu::PipelineCache`, which can outlive the
    /// process.
    pub fn with_driver_cache(device: &wgpu::Device, driver_cache: Option<wgpu::PipelineCache>) -> Self {
        Self { inner: Arc::new(Inner { device: device.clone(), driver_cache, pipelines: Mutex::default() }) }
    }

    /// The number of pipelines built so far.
    pub fn len(&self) -> usize {
        self.pipelines().len()
    }

    /// Whether no pipeline was built so far.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn is_of(&self, device: &wgpu::Device) -> bool {
        self.inner.device == *device
    }

    /// # Errors
    /// [`Error::DeviceLost`](crate::Error::DeviceLost), [`Error::OutOfMemory`](crate::Error::OutOfMemory),
    /// [`Error::Refused`](crate::Error::Refused) where the driver fails at the kernel. Then nothing is kept, so that the next
    /// call tries again.
    pub(crate) fn get(&self, specialisation: Specialisation) -> Result<Pipeline> {
        // Held while building: a second thread that wants the same pipeline waits for it instead of building it again.
        match self.pipelines().entry(specialisation) {
            Entry::Occupied(entry) => Ok(entry.get().clone()),
            Entry::Vacant(entry) => {
                let pipeline = guarded(&self.inner.device, || Ok(self.build(specialisation)))?;
                Ok(entry.insert(pipeline).clone())
            }
        }
    }

    fn pipelines(&self) -> std::sync::MutexGuard<'_, HashMap<Specialisation, Pipeline>> {
        // An entry is inserted whole or not at all, so that a panic elsewhere leaves nothing half done.
        self.inner.pipelines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn build(&self, specialisation: Specialisation) -> Pipeline {
        let device = &self.inner.device;
        let label = specialisation.label();
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(&label),
            source: wgpu::ShaderSource::Wgsl(specialisation.wgsl().into()),
        });
        let tensors = specialisation.bound().map(|role| {
            let ty = wgpu::BufferBindingType::Storage { read_only: specialisation.read_only(role) };
            (ty, specialisation.min_binding_bytes(role))
        });
        let params = (wgpu::BufferBindingType::Uniform, size_of::<Params>() as u64);
        let entries: Vec<_> = { tensors.chain([params]).zip(0..) }
            .map(|((ty, min_size), binding)| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty,
                    has_dynamic_offset: false,
                    min_binding_size: wgpu::BufferSize::new(min_size),
                },
                count: None,
            })
            .collect();
        let layout = device
            .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(&label), entries: &entries });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(&label),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(&label),
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                // Every variable of the workgroup is written before it is read.
                zero_initialize_workgroup_memory: false,
                ..Default::default()
            },
            cache: self.inner.driver_cache.as_ref(),
        });
        Pipeline { pipeline, layout }
    }
}

impl fmt::Debug for PipelineCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineCache").field("pipelines", &self.len()).finish_non_exhaustive()
    }
}
