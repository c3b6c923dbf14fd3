//! Mip chains: each level of a texture from the level above.

use super::error::TextureError;
use super::kernel::{Axis, TexelForm, WindowKernel};
use super::pipelines::TextureCache;
use super::pool::{Reads, SOURCE, TARGET, Writes, window_steps};
use super::{Alpha, TextureLevel, Weighting};
use crate::guard::guarded;
use crate::plan::Step;
use crate::{Plan, Result};

/// Fills the mip levels of a texture, each by SoftPool of the level above.
///
/// Sizes may be any. An even number of texels has half as many below, two for each. An odd one, `n = 2 m + 1`, has `m`, and each
/// covers three: all of the middle one, and of the outer ones so much that every texel counts for `m / n` in all. So no row is
/// lost, and a pattern is where it was. A covered part `c` of a texel weighs `c exp(beta z)`.
///
/// 2D textures, all layers of arrays and cubes, face by face, and 3D textures. The texture has
/// [`TEXTURE_BINDING`](wgpu::TextureUsages::TEXTURE_BINDING) and [`STORAGE_BINDING`](wgpu::TextureUsages::STORAGE_BINDING).
///
/// ```
/// use softpool::texture::{MipChain, TextureLevel};
/// use softpool::{GpuContext, wgpu};
///
/// let GpuContext { device, queue, .. } = GpuContext::new_blocking()?;
/// let texture = device.create_texture(&wgpu::TextureDescriptor {
///     label: Some("stars"),
///     size: wgpu::Extent3d { width: 100, height: 75, depth_or_array_layers: 1 },
///     mip_level_count: 7,
///     sample_count: 1,
///     dimension: wgpu::TextureDimension::D2,
///     format: wgpu::TextureFormat::Rgba8Unorm,
///     usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::STORAGE_BINDING | wgpu::TextureUsages::COPY_DST,
///     view_formats: &[],
/// });
/// // ... the host fills level 0 ...
/// let plan = MipChain::new(&device, 8.0)?.plan(TextureLevel::new(&texture).as_srgb())?;
/// let mut encoder = device.create_command_encoder(&Default::default());
/// plan.encode(&mut encoder);
/// queue.submit([encoder.finish()]);
/// # Ok::<(), softpool::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct MipChain {
    device: wgpu::Device,
    /// By level below the first, the last for all further ones.
    betas: Vec<f32>,
    alpha: Alpha,
    weighting: Weighting,
    cache: TextureCache,
}

impl MipChain {
    /// Chains by one beta for all levels, with [`Alpha::Straight`] and [`Weighting::Luminance`]. Nothing is compiled before the first plan.
    ///
    /// # Errors
    /// [`Error::BetaNotFinite`](crate::Error::BetaNotFinite).
    pub fn new(device: &wgpu::Device, beta: f32) -> Result<Self> {
        Self::with_cache(device, beta, &TextureCache::new(device))
    }

    /// [`new`](Self::new) with pipelines from `cache`, which must be of the same device.
    ///
    /// # Errors
    /// Those of [`new`](Self::new), and [`Error::ForeignCache`](crate::Error::ForeignCache).
    pub fn with_cache(device: &wgpu::Device, beta: f32, cache: &TextureCache) -> Result<Self> {
        cache.check_is_of(device)?;
        let (alpha, weighting) = Default::default();
        let chain = Self { device: device.clone(), betas: Vec::new(), alpha, weighting, cache: cache.clone() };
        chain.with_betas([beta])
    }

    /// The same with a beta for each level below the first: level 1 is made by the first of them. The last is that of all further levels.
    ///
    /// # Errors
    /// [`Error::BetaNotFinite`](crate::Error::BetaNotFinite), and [`TextureError::NoBeta`] for none.
    pub fn with_betas(self, betas: impl AsRef<[f32]>) -> Result<Self> {
        let betas = betas.as_ref().to_vec();
        if betas.is_empty() {
            return Err(TextureError::NoBeta.into());
        }
        for &beta in &betas {
            Weighting::Channel.by_beta(beta, 4)?;
        }
        Ok(Self { betas, ..self })
    }

    /// The same with another meaning of alpha.
    pub fn with_alpha(self, alpha: Alpha) -> Self {
        Self { alpha, ..self }
    }

    /// The same with other weights.
    pub fn with_weighting(self, weighting: Weighting) -> Self {
        Self { weighting, ..self }
    }

    /// The beta by which a level is made, counted from the first of the chain, which is 0.
    pub fn beta_of(&self, level: u32) -> f32 {
        let index = (level.max(1) as usize - 1).min(self.betas.len() - 1);
        self.betas[index]
    }

    /// Prepares all levels below `first`, which is mostly level 0, of the layers that it names.
    ///
    /// A texture with no further level has an empty plan.
    ///
    /// # Errors
    /// [`Error::Texture`](crate::Error::Texture) for a texture that isn't as it must be: see [`TextureError`];
    /// [`Error::DeviceLimit`](crate::Error::DeviceLimit); what a device fails at: [`Error::DeviceLost`](crate::Error::DeviceLost),
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory), [`Error::Refused`](crate::Error::Refused).
    pub fn plan<'a>(&self, first: impl Into<TextureLevel<'a>>) -> Result<Plan> {
        let first = first.into();
        first.check_source(SOURCE, &self.device)?;
        first.check_target(TARGET, &self.device)?;
        guarded(&self.device, || {
            let levels = first.mip() + 1..first.texture().mip_level_count();
            let mut steps = Vec::new();
            for level in levels {
                steps.extend(self.level_steps(&first, level)?);
            }
            Ok(Plan::of_steps("softpool mip chain".into(), steps))
        })
    }

    /// Records all levels below `first` into the host's encoder. To repeat it, keep a plan instead.
    ///
    /// # Errors
    /// Those of [`plan`](Self::plan), before anything is recorded.
    pub fn encode<'a>(&self, encoder: &mut wgpu::CommandEncoder, first: impl Into<TextureLevel<'a>>) -> Result<()> {
        self.plan(first).map(|plan| plan.encode(encoder))
    }

    /// The dispatches that make one level.
    fn level_steps(&self, first: &TextureLevel<'_>, level: u32) -> Result<Vec<Step>> {
        let (above, below) = (first.clone().level(level - 1), first.clone().level(level));
        let reads = Reads::texture(&self.device, &above);
        let format = below.check_target(TARGET, &self.device)?;
        let writes = Writes::texture(&self.device, &below, format);
        let [width, height, depth] = reads.size.map(Axis::of_mip);
        let weights = self.weighting.by_beta(self.beta_of(level - first.mip()), reads.channels)?;
        let kernel = WindowKernel {
            axes: [width, height, if first.is_3d() { depth } else { Axis::Same }],
            source: reads.source,
            target: writes.target,
            texels: TexelForm {
                shared: weights.shared,
                straight: self.alpha == Alpha::Straight && reads.channels == 4,
                decode: reads.decode,
                encode: writes.encode,
                finite: reads.finite,
            },
        };
        window_steps(&self.device, &self.cache, kernel, &reads, &writes, weights, true)
    }
}
