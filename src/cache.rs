//! Pipelines by specialisation, built once and shared.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;

use crate::guard::{Scopes, cause, guarded, is_lost, lost};
use crate::params::Params;
use crate::specialise::Specialisation;
use crate::{Recipe, Result};

/// Pipelines of one device, shared by its clones: give one to several [`GpuSoftPool`](crate::GpuSoftPool)s, and equal
/// specialisations are compiled once.
///
/// It holds all that it has built, unless the host bounds it ([`set_capacity`](Self::set_capacity)). A model has tens of
/// pipelines; a process that pools tensors of ever new shapes has ever more, some ten to a hundred KiB each.
///
/// ```
/// use std::num::NonZeroUsize;
///
/// use softpool::{GpuContext, GpuSoftPool, PipelineCache, SoftPoolConfig};
///
/// let context = GpuContext::new_blocking()?;
/// let cache = PipelineCache::new(&context.device);
/// cache.set_capacity(NonZeroUsize::new(256));
/// let config = SoftPoolConfig::builder([2, 2]).build()?;
/// let pool = GpuSoftPool::with_cache(&context.device, &context.queue, config, &cache)?;
/// # Ok::<(), softpool::Error>(())
/// ```
#[derive(Clone)]
pub struct PipelineCache {
    inner: Arc<Inner>,
}

struct Inner {
    device: wgpu::Device,
    driver_cache: Option<wgpu::PipelineCache>,
    pipelines: Mutex<LruCache<Specialisation, Pipeline>>,
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
        let pipelines = Mutex::new(LruCache::unbounded());
        Self { inner: Arc::new(Inner { device: device.clone(), driver_cache, pipelines }) }
    }

    /// Bounds the number of pipelines held, at once and from now on: where one is built beyond it, the one that was asked for
    /// the longest ago goes. `None` is no bound, as at first. It holds for all clones.
    ///
    /// A pipeline that goes stays with the plans that have it; a call that wants it again compiles it again, which takes
    /// milliseconds to seconds. A training step has several pipelines by pooling: a bound below what one round of work takes
    /// is worse than none.
    pub fn set_capacity(&self, capacity: Option<NonZeroUsize>) {
        self.pipelines().resize(capacity.unwrap_or(NonZeroUsize::MAX));
    }

    /// The bound on the number of pipelines held, if there is one.
    pub fn capacity(&self) -> Option<NonZeroUsize> {
        Some(self.pipelines().cap()).filter(|&capacity| capacity < NonZeroUsize::MAX)
    }

    /// The number of pipelines held.
    pub fn len(&self) -> usize {
        self.pipelines().len()
    }

    /// Whether no pipeline is held.
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
        let mut pipelines = self.pipelines();
        if let Some(pipeline) = pipelines.get(&specialisation) {
            return Ok(pipeline.clone());
        }
        let pipeline = guarded(&self.inner.device, || Ok(self.build(specialisation)))?;
        pipelines.put(specialisation, pipeline.clone());
        Ok(pipeline)
    }

    /// Makes the pipelines of a recipe. The future is ready once the driver has made them, or hasn't: see
    /// [`GpuSoftPool::prepare`](crate::GpuSoftPool::prepare).
    pub(crate) fn prepare(&self, recipe: &Recipe<'_>) -> impl Future<Output = Result<()>> + use<> {
        let scopes = Scopes::push(&self.inner.device);
        let mut made = Vec::new();
        // A driver may still compile for a device that is lost.
        let there = if is_lost(&self.inner.device) { Err(lost(None)) } else { Ok(()) };
        let mut kernels = recipe.dispatches().iter().map(|dispatch| dispatch.kernel);
        let built = there.and_then(|()| {
            kernels.try_for_each(|kernel| {
                if !self.pipelines().contains(&kernel) {
                    made.push(kernel);
                }
                self.get(kernel).map(drop)
            })
        });
        let (cache, taken) = (self.clone(), scopes.pop());
        async move {
            let Some(error) = taken.await else { return built };
            // Browsers say so this late: what is kept till now is no pipeline.
            made.iter().for_each(|kernel| drop(cache.pipelines().pop(kernel)));
            Err(cause(&cache.inner.device, Some(error)))
        }
    }

    fn pipelines(&self) -> std::sync::MutexGuard<'_, LruCache<Specialisation, Pipeline>> {
        // An entry is inserted whole or not at all, so that a panic elsewhere leaves nothing half done.
        self.inner.pipelines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn build(&self, specialisation: Specialisation) -> Pipeline {
        let tensors = specialisation.bound().map(|role| {
            let ty = wgpu::BufferBindingType::Storage { read_only: specialisation.read_only(role) };
            (ty, specialisation.min_binding_bytes(role))
        });
        let params = (wgpu::BufferBindingType::Uniform, size_of::<Params>() as u64);
        let bindings = tensors.chain([params]).map(|(ty, min_size)| wgpu::BindingType::Buffer {
            ty,
            has_dynamic_offset: false,
            min_binding_size: wgpu::BufferSize::new(min_size),
        });
        let Inner { device, driver_cache, .. } = &*self.inner;
        Pipeline::new(device, &specialisation.label(), specialisation.wgsl(), bindings, driver_cache.as_ref())
    }
}

impl Pipeline {
    /// The pipeline of a text whose entry point is `main`, and which binds these, in order.
    pub fn new(
        device: &wgpu::Device,
        label: &str,
        wgsl: String,
        bindings: impl IntoIterator<Item = wgpu::BindingType>,
        driver_cache: Option<&wgpu::PipelineCache>,
    ) -> Self {
        let label = Some(label);
        let source = wgpu::ShaderSource::Wgsl(wgsl.into());
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor { label, source });
        let entries: Vec<_> = { bindings.into_iter().zip(0..) }
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
            cache: driver_cache,
        });
        Self { pipeline, layout }
    }
}

impl fmt::Debug for PipelineCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineCache").field("pipelines", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GpuContext, GpuSoftPool, Shape, SoftPoolConfig};

    #[test]
    fn the_one_asked_for_the_longest_ago_goes() -> Result<()> {
        let context = GpuContext::new_blocking()?;
        let cache = PipelineCache::new(&context.device);
        cache.set_capacity(NonZeroUsize::new(2));
        let x = context.upload(Shape::new([1, 1, 12, 12])?, &[0.5; 144])?;
        let pool = |k| {
            let config = SoftPoolConfig::builder([k, k]).build()?;
            GpuSoftPool::with_cache(&context.device, &context.queue, config, &cache)
        };
        let mut built = Vec::new();
        for k in [2, 3, 2, 4] {
            pool(k)?.forward(&x)?;
            let last = cache.pipelines().peek_mru().map(|(kernel, _)| *kernel);
            built.push(last.expect("it was just built, or asked for"));
        }
        assert_eq!(built[0], built[2]);
        assert_eq!(
            [built[0], built[1], built[3]].map(|kernel| cache.pipelines().contains(&kernel)),
            [true, false, true]
        );
        Ok(())
    }
}
