//! Mip chains: each level of a texture from the level above.

use super::error::TextureError;
use super::kernel::{Axis, TexelForm, WindowKernel};
use super::level::is_gl;
use super::options::Weights;
use super::pipelines::{Kernel, TextureCache};
use super::pool::{Reads, SOURCE, TARGET, Writes, check_dispatch, params_of, window_steps};
use super::tiles::{MOST_LEVELS, Room, Sizes, Split, TilesKernel, texel_bytes};
use super::{Alpha, TextureLevel, Weighting};
use crate::guard::guarded;
use crate::plan::Step;
use crate::tensor::create_buffer;
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
    levels_per_dispatch: u32,
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
        // A software driver's memory for workgroups is no nearer than the texture, and its barriers take long: two levels by a
        // dispatch take it more time than two dispatches.
        let software = device.adapter_info().device_type == wgpu::DeviceType::Cpu;
        let levels_per_dispatch = if software { 1 } else { MOST_LEVELS as u32 };
        let (device, cache) = (device.clone(), cache.clone());
        Self { device, betas: Vec::new(), alpha, weighting, levels_per_dispatch, cache }.with_betas([beta])
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

    /// The same with at most so many levels by a dispatch, of 2D textures: 1 is a dispatch for each, and 12 the most. Texels don't depend on it.
    ///
    /// It is 12 on GPUs, and 1 on software drivers. Fewer are made where the device has no room for more: for as many storage textures in a
    /// kernel (`max_storage_textures_per_shader_stage`; 4 on a device of default limits), or for the tiles in
    /// a workgroup's memory; where a beta changes; on GL; and on Metal and the web, where no barrier lets one workgroup go on with
    /// what others have made, 6. Formats other than those that every device stores to have a dispatch a level.
    pub fn with_levels_per_dispatch(self, levels_per_dispatch: u32) -> Self {
        Self { levels_per_dispatch, ..self }
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
            let mut steps = Vec::new();
            let mut level = first.mip();
            while level + 1 < first.texture().mip_level_count() {
                match self.split(&first, level)? {
                    Some(split) => {
                        steps.push(self.tiles_step(&first, level, split)?);
                        level += (split.first + split.last) as u32;
                    }
                    None => {
                        steps.extend(self.level_steps(&first, level + 1)?);
                        level += 1;
                    }
                }
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

    /// How the levels below `level` are made by one dispatch, if several can be.
    fn split(&self, first: &TextureLevel<'_>, level: u32) -> Result<Option<Split>> {
        let format = first.check_target(TARGET, &self.device)?;
        let Some(texel_bytes) = texel_bytes(format).filter(|_| !first.is_3d() && !is_gl(&self.device)) else {
            return Ok(None);
        };
        let beta = self.beta_of(level + 1 - first.mip());
        let below = level + 1..first.texture().mip_level_count();
        let alike = below.take_while(|&below| self.beta_of(below - first.mip()) == beta);
        let sizes: Vec<[u32; 2]> = std::iter::once(level)
            .chain(alike)
            .map(|level| first.clone().level(level).size())
            .map(|[width, height, _]| [width, height])
            .collect();
        Ok(Split::new(&sizes, texel_bytes, Room::of(&self.device, self.levels_per_dispatch)))
    }

    /// The dispatch that makes the levels below `level` of a split.
    fn tiles_step(&self, first: &TextureLevel<'_>, level: u32, split: Split) -> Result<Step> {
        let device = &self.device;
        let (above, below) = (first.clone().level(level), first.clone().level(level + 1));
        let format = below.check_target(TARGET, device)?;
        let (reads, writes) = (Reads::texture(device, &above), Writes::texture(device, &below, format));
        let weights = self.weighting.by_beta(self.beta_of(level + 1 - first.mip()), reads.channels)?;
        let [width, height, layers] = reads.size;
        let kernel = TilesKernel {
            dimension: first.view_dimension(),
            format,
            texels: self.texel_form(&reads, &writes, weights),
            axes: [width, height].map(Axis::of_mip),
            tile: split.tile,
            first: split.first,
            last: split.last,
            cells: split.cells,
        };
        let size_of = |below: usize| first.clone().level(level + below as u32).size();
        let mut sizes = Sizes { by_level: [[0; 4]; MOST_LEVELS + 1] };
        for (below, size) in sizes.by_level.iter_mut().enumerate().take(kernel.levels() + 1) {
            let [width, height, _] = size_of(below);
            *size = [width, height, 0, 0];
        }
        let [width, height, _] = size_of(split.first);
        let workgroups = [width.div_ceil(split.tile), height.div_ceil(split.tile), layers];
        check_dispatch(device, workgroups)?;
        let pipeline = self.cache.get(&Kernel::Tiles(kernel.clone()))?;
        let params = self.cache.uniform(bytemuck::bytes_of(&params_of(&reads, &writes, weights)))?;
        let sizes = self.cache.uniform(bytemuck::bytes_of(&sizes))?;
        let destinations: Vec<Writes<'_>> = (1..=kernel.levels() as u32)
            .map(|below| Writes::texture(device, &first.clone().level(level + below), format))
            .collect();
        let left = match kernel.last {
            0 => None,
            _ => Some(create_buffer(device, 4 * kernel.left_words([width, height], layers), "softpool mips")?),
        };
        let mut resources = vec![params.as_entire_binding(), reads.bound.resource()];
        resources.extend(destinations.iter().map(|writes| writes.bound.resource()));
        resources.push(sizes.as_entire_binding());
        resources.extend(left.as_ref().map(wgpu::Buffer::as_entire_binding));
        let bind_group = self.cache.bind(&pipeline, resources);
        Ok(Step { pipeline: pipeline.pipeline, dispatches: vec![(bind_group, workgroups)] })
    }

    fn texel_form(&self, reads: &Reads<'_>, writes: &Writes<'_>, weights: Weights) -> TexelForm {
        TexelForm {
            shared: weights.shared,
            straight: self.alpha == Alpha::Straight && reads.channels == 4,
            decode: reads.decode,
            encode: writes.encode,
            finite: reads.finite,
        }
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
            texels: self.texel_form(&reads, &writes, weights),
        };
        window_steps(&self.device, &self.cache, kernel, &reads, &writes, weights, true)
    }
}
