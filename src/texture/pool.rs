//! Poolings of textures, and between textures and tensors.

use super::error::{Texels, TextureError};
use super::kernel::{Axis, Params, Source, Target, TexelForm, WORKGROUP, WindowKernel};
use super::level::{StoredFormat, is_finite, is_gl};
use super::options::Weights;
use super::pipelines::{Kernel, TextureCache};
use super::{Alpha, TensorTexels, TextureLevel, Weighting};
use crate::config::AxisWindow;
use crate::guard::guarded;
use crate::plan::Step;
use crate::tensor::create_buffer;
use crate::{Error, Plan, Result, Shape, SoftPoolConfig};

/// Texels of a window, at most.
pub(super) const MOST_TAPS: u64 = 1024;

pub(super) const SOURCE: &str = "the source";
pub(super) const TARGET: &str = "the target";

/// SoftPool of textures, on a host's device and in its encoder: from a mip level into another texture or level, from a texture into a
/// tensor, and from a tensor into a texture.
///
/// A configuration of two spatial axes is for 2D textures, their arrays and cubes, layer by layer, and one of three for 3D
/// textures. Windows are those of any pooling: kernel, stride, padding, dilation, ceil mode, adaptive and global ones, of up to 1,024
/// texels. A window that holds nothing but padding is 0.
///
/// Values are pooled as a shader reads them, in f32, and stored as the device rounds them. Infinities and NaN are as in the rest of the
/// crate: a NaN in what a weight goes by makes the texel NaN, and an infinite one leaves nothing to others; texels of minus
/// infinity weigh nothing. (Below 0 for beta, the other way around.)
///
/// ```
/// use softpool::texture::{TexturePool, Weighting};
/// use softpool::{GpuContext, SoftPoolConfig, wgpu};
///
/// let GpuContext { device, queue, .. } = GpuContext::new_blocking()?;
/// let texture = |size, usage| {
///     device.create_texture(&wgpu::TextureDescriptor {
///         label: None,
///         size: wgpu::Extent3d { width: size, height: size, depth_or_array_layers: 1 },
///         mip_level_count: 1,
///         sample_count: 1,
///         dimension: wgpu::TextureDimension::D2,
///         format: wgpu::TextureFormat::Rgba16Float,
///         usage,
///         view_formats: &[],
///     })
/// };
/// let bright = texture(64, wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST);
/// let half = texture(32, wgpu::TextureUsages::STORAGE_BINDING | wgpu::TextureUsages::TEXTURE_BINDING);
///
/// let pool = TexturePool::new(&device, SoftPoolConfig::builder([2, 2]).beta(4.0).build()?)?;
/// let plan = pool.plan(&bright, &half)?;
/// // In every frame:
/// let mut encoder = device.create_command_encoder(&Default::default());
/// plan.encode(&mut encoder);
/// queue.submit([encoder.finish()]);
/// # Ok::<(), softpool::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct TexturePool {
    device: wgpu::Device,
    config: SoftPoolConfig,
    alpha: Alpha,
    weighting: Weighting,
    cache: TextureCache,
}

impl TexturePool {
    /// A pooling by `config` with [`Alpha::Straight`] and [`Weighting::Luminance`]. Nothing is compiled before the first plan.
    ///
    /// # Errors
    /// [`Error::RankMismatch`] for a configuration of one spatial axis.
    pub fn new(device: &wgpu::Device, config: SoftPoolConfig) -> Result<Self> {
        Self::with_cache(device, config, &TextureCache::new(device))
    }

    /// [`new`](Self::new) with pipelines from `cache`, which must be of the same device.
    ///
    /// # Errors
    /// Those of [`new`](Self::new), and [`Error::ForeignCache`].
    pub fn with_cache(device: &wgpu::Device, config: SoftPoolConfig, cache: &TextureCache) -> Result<Self> {
        cache.check_is_of(device)?;
        if config.rank() < 2 {
            return Err(Error::RankMismatch { given: 2, expected: config.rank() });
        }
        let (alpha, weighting) = Default::default();
        Ok(Self { device: device.clone(), config, alpha, weighting, cache: cache.clone() })
    }

    /// The same with another meaning of alpha.
    pub fn with_alpha(self, alpha: Alpha) -> Self {
        Self { alpha, ..self }
    }

    /// The same with other weights.
    pub fn with_weighting(self, weighting: Weighting) -> Self {
        Self { weighting, ..self }
    }

    /// The configuration.
    pub fn config(&self) -> &SoftPoolConfig {
        &self.config
    }

    /// What a source of so many texels, by width, height, and depth or layers, becomes.
    ///
    /// # Errors
    /// Those of [`SoftPoolConfig::output_size`].
    pub fn pooled_size(&self, [width, height, depth]: [u32; 3]) -> Result<[u32; 3]> {
        let (width, height, depth) = (width as usize, height as usize, depth as usize);
        let size = if self.is_3d() {
            self.config.output_size(&[depth, height, width])?
        } else {
            [&[depth][..], &self.config.output_size(&[height, width])?].concat()
        };
        // Windows are counted in 31 bits.
        Ok([size[2], size[1], size[0]].map(|size| size as u32))
    }

    /// Prepares a pooling of a texture into another, or into another mip level, of the size that
    /// [`pooled_size`](Self::pooled_size) says.
    ///
    /// # Errors
    /// [`Error::Texture`] for a texture that isn't as it must be: see [`TextureError`]; those of
    /// [`pooled_size`](Self::pooled_size); [`Error::DeviceLimit`]; what a device fails at: [`Error::DeviceLost`],
    /// [`Error::OutOfMemory`], [`Error::Refused`].
    pub fn plan<'a, 'b>(
        &self,
        source: impl Into<TextureLevel<'a>>,
        target: impl Into<TextureLevel<'b>>,
    ) -> Result<Plan> {
        let (source, target) = (source.into(), target.into());
        let reads = self.reads_texture(&source)?;
        let writes = self.writes_texture(&target)?;
        if source.meets(&target) {
            return Err(TextureError::SameTexels.into());
        }
        self.prepare(reads, writes, source.texture() == target.texture())
    }

    /// Prepares a pooling of a texture into an f32 tensor: (N, C, H, W) where N are the layers, or (C, H, W), and (C, D, H, W) or
    /// (1, C, D, H, W) for 3D textures, with any strides. C is 1 to 4, the first channels of a texel.
    ///
    /// A kernel size of 1 is a conversion: a camera's frame for a network.
    ///
    /// # Errors
    /// Those of [`plan`](Self::plan), [`Error::ShapeMismatch`], [`Error::BufferTooSmall`], [`Error::BufferUsage`],
    /// [`Error::OffsetAlignment`], [`Error::SelfOverlap`].
    pub fn plan_to_tensor<'a, 'b>(
        &self,
        source: impl Into<TextureLevel<'a>>,
        target: impl Into<TensorTexels<'b>>,
    ) -> Result<Plan> {
        let reads = self.reads_texture(&source.into())?;
        let tensor = target.into();
        let bound = tensor.bind(TARGET, &self.device, self.config.rank(), true)?;
        let writes = Writes {
            target: Target::Tensor { channels: bound.channels },
            size: bound.size,
            first: bound.first,
            strides: bound.strides,
            affine: (tensor.scale, tensor.bias),
            encode: false,
            bound: Bound::Buffer(bound.binding),
        };
        self.prepare(reads, writes, false)
    }

    /// Prepares a pooling of an f32 tensor, of the shapes that [`plan_to_tensor`](Self::plan_to_tensor) takes, into a texture. What a
    /// texel lacks is 0, and alpha 1.
    ///
    /// A kernel size of 1 is a conversion: a network's result, to be shown.
    ///
    /// # Errors
    /// Those of [`plan_to_tensor`](Self::plan_to_tensor).
    pub fn plan_from_tensor<'a, 'b>(
        &self,
        source: impl Into<TensorTexels<'a>>,
        target: impl Into<TextureLevel<'b>>,
    ) -> Result<Plan> {
        let tensor = source.into();
        let bound = tensor.bind(SOURCE, &self.device, self.config.rank(), false)?;
        let channels = bound.channels;
        let reads = Reads {
            source: Source::Tensor { channels },
            channels: channels as u8,
            size: bound.size,
            level: 0,
            first: bound.first,
            strides: bound.strides,
            affine: (tensor.scale, tensor.bias),
            decode: false,
            finite: false,
            bound: Bound::Buffer(bound.binding),
        };
        let writes = self.writes_texture(&target.into())?;
        self.prepare(reads, writes, false)
    }

    /// Records a pooling of a texture into the host's encoder. To repeat it, keep a plan instead.
    ///
    /// # Errors
    /// Those of [`plan`](Self::plan), before anything is recorded.
    pub fn encode<'a, 'b>(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        source: impl Into<TextureLevel<'a>>,
        target: impl Into<TextureLevel<'b>>,
    ) -> Result<()> {
        self.plan(source, target).map(|plan| plan.encode(encoder))
    }

    /// Records a pooling of a texture into a tensor. To repeat it, keep a plan instead.
    ///
    /// # Errors
    /// Those of [`plan_to_tensor`](Self::plan_to_tensor), before anything is recorded.
    pub fn encode_to_tensor<'a, 'b>(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        source: impl Into<TextureLevel<'a>>,
        target: impl Into<TensorTexels<'b>>,
    ) -> Result<()> {
        self.plan_to_tensor(source, target).map(|plan| plan.encode(encoder))
    }

    /// Records a pooling of a tensor into a texture. To repeat it, keep a plan instead.
    ///
    /// # Errors
    /// Those of [`plan_from_tensor`](Self::plan_from_tensor), before anything is recorded.
    pub fn encode_from_tensor<'a, 'b>(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        source: impl Into<TensorTexels<'a>>,
        target: impl Into<TextureLevel<'b>>,
    ) -> Result<()> {
        self.plan_from_tensor(source, target).map(|plan| plan.encode(encoder))
    }

    fn is_3d(&self) -> bool {
        self.config.rank() == 3
    }

    fn check_dimension(&self, role: &'static str, level: &TextureLevel<'_>) -> Result<()> {
        if level.is_3d() == self.is_3d() {
            return Ok(());
        }
        let rule = if self.is_3d() {
            "a pooling of three axes takes 3D textures"
        } else {
            "a pooling of two axes takes 2D textures, their arrays and cubes"
        };
        Err(TextureError::Dimension { role, given: level.texture().dimension(), rule }.into())
    }

    fn reads_texture(&self, level: &TextureLevel<'_>) -> Result<Reads<'static>> {
        level.check_source(SOURCE, &self.device)?;
        self.check_dimension(SOURCE, level)?;
        Ok(Reads::texture(&self.device, level))
    }

    fn writes_texture(&self, level: &TextureLevel<'_>) -> Result<Writes<'static>> {
        let format = level.check_target(TARGET, &self.device)?;
        self.check_dimension(TARGET, level)?;
        Ok(Writes::texture(&self.device, level, format))
    }

    fn prepare(&self, reads: Reads<'_>, writes: Writes<'_>, within_texture: bool) -> Result<Plan> {
        let expected = self.pooled_size(reads.size)?;
        if writes.size != expected {
            return Err(TextureError::Size { given: Texels(writes.size), expected: Texels(expected) }.into());
        }
        let axes = self.axes(reads.size)?;
        let straight = self.alpha == Alpha::Straight && reads.channels == 4;
        let weights = self.weighting.by_beta(self.config.beta(), reads.channels)?;
        let kernel = WindowKernel {
            axes,
            source: reads.source,
            target: writes.target,
            texels: TexelForm {
                shared: weights.shared,
                straight,
                decode: reads.decode,
                encode: writes.encode,
                finite: reads.finite,
            },
        };
        guarded(&self.device, || {
            let steps = window_steps(&self.device, &self.cache, kernel, &reads, &writes, weights, within_texture)?;
            Ok(Plan::of_steps(kernel.label(), steps))
        })
    }

    /// The windows along width, height and depth.
    fn axes(&self, size: [u32; 3]) -> Result<[Axis; 3]> {
        let windows = self.config.axes([size[2], size[1], size[0]]);
        let [depth, height, width] = [windows[0], windows[1], windows[2]];
        let axes = [
            axis_of(width, size[0]),
            axis_of(height, size[1]),
            if self.is_3d() { axis_of(depth, size[2]) } else { Axis::Same },
        ];
        let taps = axes.iter().map(|axis| u64::from(axis.taps())).product();
        if taps > MOST_TAPS {
            return Err(TextureError::WindowTooLarge { taps, allowed: MOST_TAPS }.into());
        }
        Ok(axes)
    }
}

/// Windows along an axis of `size` texels.
fn axis_of(window: AxisWindow, size: u32) -> Axis {
    let AxisWindow { kernel, stride, padding, dilation, adaptive, .. } = window;
    if adaptive > 0 {
        return Axis::Adaptive { windows: adaptive, kernel };
    }
    // Ceil mode lets the last window reach beyond the source.
    let last_end =
        window.output(size).map_or(0, |windows| u64::from(windows - 1) * u64::from(stride) + u64::from(window.span()));
    let padded = padding > 0 || last_end > u64::from(size);
    // Where there is one window the stride may be anything.
    let stride = if window.output(size) == Some(1) { 1 } else { stride };
    Axis::Windows { kernel, stride, padding, dilation, padded }
}

pub(super) const UNIT: ([f32; 4], [f32; 4]) = ([1.0; 4], [0.0; 4]);

/// What a kernel binds for its texels.
pub(super) enum Bound<'a> {
    View(wgpu::TextureView),
    Buffer(wgpu::BufferBinding<'a>),
}

impl Bound<'_> {
    pub fn resource(&self) -> wgpu::BindingResource<'_> {
        match self {
            Self::View(view) => wgpu::BindingResource::TextureView(view),
            Self::Buffer(binding) => wgpu::BindingResource::Buffer(binding.clone()),
        }
    }
}

/// Where a kernel reads.
pub(super) struct Reads<'a> {
    pub source: Source,
    pub channels: u8,
    pub size: [u32; 3],
    /// The level, in the view.
    pub level: u32,
    /// The first layer, in the view, or element, in the binding.
    pub first: u32,
    pub strides: [u32; 4],
    /// Scale and bias of a tensor's values.
    pub affine: ([f32; 4], [f32; 4]),
    pub decode: bool,
    pub finite: bool,
    pub bound: Bound<'a>,
}

impl Reads<'static> {
    /// A level that [`TextureLevel::check_source`] has passed.
    pub fn texture(device: &wgpu::Device, level: &TextureLevel<'_>) -> Self {
        let bound = level.view(device, wgpu::TextureUsages::TEXTURE_BINDING);
        let depth = level.format().has_depth_aspect();
        Self {
            source: Source::Texture { dimension: level.view_dimension(), depth, all_levels: bound.all_levels },
            channels: if depth { 1 } else { level.format().components() },
            size: level.size(),
            level: bound.level,
            first: bound.first_layer,
            strides: [0; 4],
            affine: UNIT,
            decode: level.is_srgb(),
            finite: is_finite(level.format()),
            bound: Bound::View(bound.view),
        }
    }
}

/// Where a kernel writes.
pub(super) struct Writes<'a> {
    pub target: Target,
    pub size: [u32; 3],
    pub first: u32,
    pub strides: [u32; 4],
    pub affine: ([f32; 4], [f32; 4]),
    pub encode: bool,
    pub bound: Bound<'a>,
}

impl Writes<'static> {
    /// A level that [`TextureLevel::check_target`] has passed.
    pub fn texture(device: &wgpu::Device, level: &TextureLevel<'_>, format: StoredFormat) -> Self {
        let bound = level.view(device, wgpu::TextureUsages::STORAGE_BINDING);
        Self {
            target: Target::Texture { dimension: level.view_dimension(), format },
            size: level.size(),
            first: bound.first_layer,
            strides: [0; 4],
            affine: UNIT,
            encode: level.is_srgb(),
            bound: Bound::View(bound.view),
        }
    }
}

/// The dispatches of a window kernel: one, but for a kernel that reads and writes levels of one texture (`within_texture`) on GL, where
/// one dispatch can't do both. There it goes by way of a buffer.
///
/// # Errors
/// [`Error::DeviceLimit`], [`Error::DeviceLost`], [`Error::OutOfMemory`], [`Error::Refused`].
pub(super) fn window_steps(
    device: &wgpu::Device,
    cache: &TextureCache,
    kernel: WindowKernel,
    reads: &Reads<'_>,
    writes: &Writes<'_>,
    weights: Weights,
    within_texture: bool,
) -> Result<Vec<Step>> {
    if !(within_texture && is_gl(device)) {
        return Ok(vec![window_step(device, cache, kernel, reads, writes, weights)?]);
    }
    let [width, height, depth] = writes.size;
    let bytes = 16 * u64::from(width) * u64::from(height) * u64::from(depth);
    let buffer = create_buffer(device, bytes, "softpool texels")?;
    let texels = || Bound::Buffer(wgpu::BufferBinding { buffer: &buffer, offset: 0, size: None });
    let strides = [4, 4 * width, 4 * width * height, 1];
    let into_buffer = Writes {
        target: Target::Tensor { channels: 4 },
        size: writes.size,
        first: 0,
        strides,
        affine: UNIT,
        encode: false,
        bound: texels(),
    };
    let from_buffer = Reads {
        source: Source::Tensor { channels: 4 },
        channels: 4,
        size: writes.size,
        level: 0,
        first: 0,
        strides,
        affine: UNIT,
        decode: false,
        finite: reads.finite,
        bound: texels(),
    };
    let by_texel = TexelForm { shared: true, straight: false, decode: false, ..kernel.texels };
    let pools =
        WindowKernel { target: into_buffer.target, texels: TexelForm { encode: false, ..kernel.texels }, ..kernel };
    let moves = WindowKernel { axes: [Axis::Same; 3], source: from_buffer.source, texels: by_texel, ..kernel };
    Ok(vec![
        window_step(device, cache, pools, reads, &into_buffer, weights)?,
        window_step(device, cache, moves, &from_buffer, writes, Weights::ALIKE)?,
    ])
}

/// The dispatch of a window kernel.
///
/// # Errors
/// [`Error::DeviceLimit`], [`Error::DeviceLost`], [`Error::OutOfMemory`], [`Error::Refused`].
fn window_step(
    device: &wgpu::Device,
    cache: &TextureCache,
    kernel: WindowKernel,
    reads: &Reads<'_>,
    writes: &Writes<'_>,
    weights: Weights,
) -> Result<Step> {
    let [width, height, depth] = writes.size;
    let workgroups = [width.div_ceil(WORKGROUP[0]), height.div_ceil(WORKGROUP[1]), depth];
    check_dispatch(device, workgroups)?;
    let params = params_of(reads, writes, weights);
    let pipeline = cache.get(&Kernel::Window(kernel))?;
    let params = cache.uniform(bytemuck::bytes_of(&params))?;
    let resources = vec![params.as_entire_binding(), reads.bound.resource(), writes.bound.resource()];
    let bind_group = cache.bind(&pipeline, resources);
    Ok(Step { pipeline: pipeline.pipeline, dispatches: vec![(bind_group, workgroups)] })
}

/// The parameters of a kernel that reads and writes so.
pub(super) fn params_of(reads: &Reads<'_>, writes: &Writes<'_>, weights: Weights) -> Params {
    // Only a tensor's values have them, and one of both is a texture.
    let (scale, bias) = if matches!(reads.source, Source::Tensor { .. }) { reads.affine } else { writes.affine };
    Params {
        share: weights.share,
        scale,
        bias,
        source_strides: reads.strides,
        target_strides: writes.strides,
        source_size: reads.size,
        steepness: weights.steepness,
        target_size: writes.size,
        minus_infinity: f32::NEG_INFINITY.to_bits(),
        source_first: reads.first,
        target_first: writes.first,
        source_level: reads.level,
        padding: 0,
    }
}

/// # Errors
/// [`Error::DeviceLimit`].
pub(super) fn check_dispatch(device: &wgpu::Device, workgroups: [u32; 3]) -> Result<()> {
    let allowed = device.limits().max_compute_workgroups_per_dimension;
    match workgroups.into_iter().max() {
        Some(most) if most > allowed => Err(Error::DeviceLimit {
            what: "the number of workgroups along an axis of the texture",
            given: u64::from(most),
            limit: "max_compute_workgroups_per_dimension",
            allowed: u64::from(allowed),
            fix: "request the device with a larger limit, or pool some layers at a time",
        }),
        _ => Ok(()),
    }
}

/// The shape that a tensor of texels has.
pub(super) fn texels_of(shape: &Shape, rank: usize) -> [u32; 3] {
    let [depth, height, width] = shape.depth_height_width();
    [width, height, if rank == 3 { depth } else { shape.batch() as u32 }]
}
