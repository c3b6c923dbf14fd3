//! Which texels of a host's texture are meant: a mip level, some layers, and what the values stored there stand for.

use std::ops::Range;

use super::error::{NotStorableFix, TextureError};
use crate::{Error, Result};

/// A mip level of a texture, all layers of it or some, or a whole 3D level.
///
/// ```no_run
/// # fn example(texture: &wgpu::Texture) {
/// use softpool::texture::TextureLevel;
///
/// let all = TextureLevel::from(texture);
/// let a_cubes_first_face_at_half_size = TextureLevel::new(texture).level(1).layers(0..1);
/// let bytes_of_srgb = TextureLevel::new(texture).as_srgb();
/// # }
/// # use softpool::wgpu;
/// ```
#[derive(Clone, Debug)]
pub struct TextureLevel<'a> {
    texture: &'a wgpu::Texture,
    level: u32,
    layers: Option<Range<u32>>,
    srgb: bool,
}

impl<'a> TextureLevel<'a> {
    /// Level 0 of a texture, with all its layers.
    pub fn new(texture: &'a wgpu::Texture) -> Self {
        Self { texture, level: 0, layers: None, srgb: false }
    }

    /// What a view shows: `descriptor` is the one that it was made by, which a view doesn't tell itself.
    ///
    /// A view of [`wgpu::TextureFormat::Rgba8UnormSrgb`] of a texture of `Rgba8Unorm` is [`as_srgb`](Self::as_srgb); the aspect, where
    /// there are several, is the depth.
    pub fn of_view(view: &'a wgpu::TextureView, descriptor: &wgpu::TextureViewDescriptor<'_>) -> Self {
        let texture = view.texture();
        let srgb = !texture.format().is_srgb() && descriptor.format.is_some_and(|format| format.is_srgb());
        let first = descriptor.base_array_layer;
        let one = descriptor.dimension == Some(wgpu::TextureViewDimension::D2);
        let layers = match descriptor.array_layer_count {
            _ if texture.dimension() == wgpu::TextureDimension::D3 => None,
            Some(count) => Some(first..first.saturating_add(count)),
            None if one => Some(first..first.saturating_add(1)),
            None => Some(first..texture.depth_or_array_layers()),
        };
        Self { texture, level: descriptor.base_mip_level, layers, srgb }
    }

    /// The same of another mip level.
    pub fn level(self, level: u32) -> Self {
        Self { level, ..self }
    }

    /// Some of the layers of a 2D texture: of an array, or the faces of cubes.
    pub fn layers(self, layers: Range<u32>) -> Self {
        Self { layers: Some(layers), ..self }
    }

    /// The texture stores sRGB's bytes as `Unorm`: kernels decode red, green and blue as they read them, and encode as they write.
    ///
    /// No device stores to a format of `UnormSrgb`. A texture that is pooled into is of `Rgba8Unorm` therefore, with
    /// `view_formats: &[Rgba8UnormSrgb]` for those that sample it. One that is only read may be of `Rgba8UnormSrgb`, and needs
    /// nothing.
    pub fn as_srgb(self) -> Self {
        Self { srgb: true, ..self }
    }

    pub(super) fn is_srgb(&self) -> bool {
        self.srgb
    }

    pub(super) fn texture(&self) -> &'a wgpu::Texture {
        self.texture
    }

    pub(super) fn mip(&self) -> u32 {
        self.level
    }

    pub(super) fn format(&self) -> wgpu::TextureFormat {
        self.texture.format()
    }

    pub(super) fn is_3d(&self) -> bool {
        self.texture.dimension() == wgpu::TextureDimension::D3
    }

    /// The layers meant, of a 2D texture.
    pub(super) fn layer_range(&self) -> Range<u32> {
        match &self.layers {
            _ if self.is_3d() => 0..1,
            Some(layers) => layers.clone(),
            None => 0..self.texture.depth_or_array_layers(),
        }
    }

    /// Width and height, and depth or the number of layers. For levels that [`check`](Self::check) has passed.
    pub(super) fn size(&self) -> [u32; 3] {
        let at_level = |size: u32| (size >> self.level).max(1);
        let wgpu::Extent3d { width, height, depth_or_array_layers } = self.texture.size();
        let depth = if self.is_3d() { at_level(depth_or_array_layers) } else { self.layer_range().len() as u32 };
        [at_level(width), at_level(height), depth]
    }

    /// What `source` and target have in common.
    fn check(&self, role: &'static str, device: &wgpu::Device) -> Result<(), TextureError> {
        let texture = self.texture;
        let (levels, available) = (texture.mip_level_count(), texture.depth_or_array_layers());
        if texture.dimension() == wgpu::TextureDimension::D1 {
            let rule = "a pooling takes 2D textures, their arrays, cubes, and 3D textures";
            return Err(TextureError::Dimension { role, given: texture.dimension(), rule });
        }
        if texture.sample_count() > 1 {
            return Err(TextureError::Multisampled { role, samples: texture.sample_count() });
        }
        if self.level >= levels {
            return Err(TextureError::Level { role, level: self.level, levels });
        }
        match &self.layers {
            Some(_) if self.is_3d() => {
                let rule = "only 2D textures have layers: leave them out";
                return Err(TextureError::Dimension { role, given: texture.dimension(), rule });
            }
            Some(layers) if layers.start >= layers.end || layers.end > available => {
                return Err(TextureError::Layers { role, layers: layers.clone(), available });
            }
            _ => {}
        }
        let format = texture.format();
        let is_unorm8 = matches!(
            format,
            wgpu::TextureFormat::R8Unorm
                | wgpu::TextureFormat::Rg8Unorm
                | wgpu::TextureFormat::Rgba8Unorm
                | wgpu::TextureFormat::Bgra8Unorm
        );
        if self.srgb && !is_unorm8 {
            return Err(TextureError::NotSrgb { role, format });
        }
        let is_cube = texture.width() == texture.height() && available.is_multiple_of(6) && !self.is_3d();
        if is_cube && is_gl(device) {
            let what = "square and has 6 layers, or a multiple, of which wgpu's GL backend makes a cube map, that kernels can't address";
            return Err(TextureError::NotOnGl { role, what, fix: "take a texture of another number of layers" });
        }
        Ok(())
    }

    /// That kernels can read it.
    pub(super) fn check_source(&self, role: &'static str, device: &wgpu::Device) -> Result<()> {
        self.check(role, device)?;
        let format = self.format();
        if self.sample_type(device).is_none() {
            return Err(TextureError::NotFloat { role, format }.into());
        }
        if format.has_depth_aspect() && is_gl(device) {
            let what = "of depth, from which kernels on wgpu's GL backend have no loads";
            return Err(TextureError::NotOnGl { role, what, fix: "render it into an R32Float texture" }.into());
        }
        self.check_usage(role, wgpu::TextureUsages::TEXTURE_BINDING)
    }

    /// That kernels can write it; its format.
    pub(super) fn check_target(&self, role: &'static str, device: &wgpu::Device) -> Result<StoredFormat> {
        self.check(role, device)?;
        let format = self.format();
        let not_storable = |fix| TextureError::NotStorable { role, format, fix };
        if format.is_srgb() {
            let plain = format.remove_srgb_suffix();
            let fix =
                if StoredFormat::new(plain).is_some() { NotStorableFix::Encode(plain) } else { NotStorableFix::Other };
            return Err(not_storable(fix).into());
        }
        let Some(stored) = StoredFormat::new(format) else {
            let is_integer = format.sample_type(None, None).is_some_and(|sample_type| {
                matches!(sample_type, wgpu::TextureSampleType::Uint | wgpu::TextureSampleType::Sint)
            });
            return Err(if is_integer {
                TextureError::NotFloat { role, format }.into()
            } else {
                not_storable(NotStorableFix::Other).into()
            });
        };
        if self.is_3d() && is_gl(device) {
            let what = "of three dimensions, of which wgpu's GL backend lets kernels store to one slice";
            return Err(TextureError::NotOnGl { role, what, fix: "pool its slices as layers" }.into());
        }
        // A texture that has the usage is of a device that stores to its format.
        let storage = wgpu::TextureUsages::STORAGE_BINDING;
        let features = device.features();
        if !self.texture.usage().contains(storage)
            && !format.guaranteed_format_features(features).allowed_usages.contains(storage)
        {
            let bgra = format == wgpu::TextureFormat::Bgra8Unorm;
            let needed = if bgra {
                wgpu::Features::BGRA8UNORM_STORAGE
            } else {
                wgpu::Features::TEXTURE_ADAPTER_SPECIFIC_FORMAT_FEATURES
            };
            return Err(not_storable(NotStorableFix::Feature(needed)).into());
        }
        self.check_usage(role, storage)?;
        let allowed = device.limits().max_storage_textures_per_shader_stage;
        if allowed == 0 {
            return Err(Error::DeviceLimit {
                what: "the number of textures that a kernel stores to",
                given: 1,
                limit: "max_storage_textures_per_shader_stage",
                allowed: 0,
                fix: "request the device with that limit, or pool into a tensor",
            });
        }
        Ok(stored)
    }

    fn check_usage(&self, role: &'static str, needed: wgpu::TextureUsages) -> Result<()> {
        let missing = needed - self.texture.usage();
        if missing.is_empty() { Ok(()) } else { Err(TextureError::Usage { role, missing }.into()) }
    }

    /// How a kernel reads it, if it can.
    pub(super) fn sample_type(&self, device: &wgpu::Device) -> Option<wgpu::TextureSampleType> {
        let format = self.format();
        let aspect = format.has_depth_aspect().then_some(wgpu::TextureAspect::DepthOnly);
        if format.is_multi_planar_format() {
            return None;
        }
        match format.sample_type(aspect, Some(device.features()))? {
            wgpu::TextureSampleType::Float { .. } => Some(wgpu::TextureSampleType::Float { filterable: false }),
            wgpu::TextureSampleType::Depth => Some(wgpu::TextureSampleType::Depth),
            _ => None,
        }
    }

    /// The axes of the view that a kernel binds. It follows from the texture, not from the layers meant: GL has no other views
    /// than of the whole.
    pub(super) fn view_dimension(&self) -> wgpu::TextureViewDimension {
        if self.is_3d() {
            wgpu::TextureViewDimension::D3
        } else if self.texture.depth_or_array_layers() == 1 {
            wgpu::TextureViewDimension::D2
        } else {
            wgpu::TextureViewDimension::D2Array
        }
    }

    /// The level for a binding.
    ///
    /// On GL views are of the whole: layers can't be left out there, and to bind a level to be read keeps the texture's others from
    /// being stored to, ever after.
    pub(super) fn view(&self, device: &wgpu::Device, usage: wgpu::TextureUsages) -> BoundLevel {
        let layers = self.layer_range();
        let gl = is_gl(device);
        let all_layers = self.is_3d() || gl;
        let (first, count) = if all_layers { (0, None) } else { (layers.start, Some(layers.len() as u32)) };
        let all_levels = gl && usage == wgpu::TextureUsages::TEXTURE_BINDING;
        let has_depth = self.format().has_depth_aspect();
        let view = self.texture.create_view(&wgpu::TextureViewDescriptor {
            label: Some("softpool level"),
            format: None,
            dimension: Some(self.view_dimension()),
            usage: Some(usage),
            aspect: if has_depth { wgpu::TextureAspect::DepthOnly } else { wgpu::TextureAspect::All },
            base_mip_level: if all_levels { 0 } else { self.level },
            mip_level_count: if all_levels { None } else { Some(1) },
            base_array_layer: first,
            array_layer_count: count,
        });
        BoundLevel {
            view,
            all_levels,
            level: if all_levels { self.level } else { 0 },
            first_layer: if all_layers { layers.start } else { 0 },
        }
    }

    /// Whether a texel is of both.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let (own, others) = (self.layer_range(), other.layer_range());
        let layers_meet = own.start < others.end && others.start < own.end;
        self.texture == other.texture && self.level == other.level && layers_meet
    }
}

/// A view, and where in it a level is.
pub(super) struct BoundLevel {
    pub view: wgpu::TextureView,
    /// Whether it has all levels of its texture.
    pub all_levels: bool,
    pub level: u32,
    pub first_layer: u32,
}

impl<'a> From<&'a wgpu::Texture> for TextureLevel<'a> {
    fn from(texture: &'a wgpu::Texture) -> Self {
        Self::new(texture)
    }
}

pub(super) fn is_gl(device: &wgpu::Device) -> bool {
    device.adapter_info().backend == wgpu::Backend::Gl
}

/// A format that kernels may store fractions to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct StoredFormat(wgpu::TextureFormat);

impl StoredFormat {
    pub fn new(format: wgpu::TextureFormat) -> Option<Self> {
        wgsl_name(format).map(|_| Self(format))
    }

    pub fn format(self) -> wgpu::TextureFormat {
        self.0
    }

    pub fn wgsl_name(self) -> &'static str {
        wgsl_name(self.0).unwrap_or_default()
    }
}

/// What WGSL calls such a format.
fn wgsl_name(format: wgpu::TextureFormat) -> Option<&'static str> {
    use wgpu::TextureFormat as Format;
    Some(match format {
        Format::R8Unorm => "r8unorm",
        Format::R8Snorm => "r8snorm",
        Format::Rg8Unorm => "rg8unorm",
        Format::Rg8Snorm => "rg8snorm",
        Format::Rgba8Unorm => "rgba8unorm",
        Format::Rgba8Snorm => "rgba8snorm",
        Format::Bgra8Unorm => "bgra8unorm",
        Format::R16Unorm => "r16unorm",
        Format::R16Snorm => "r16snorm",
        Format::Rg16Unorm => "rg16unorm",
        Format::Rg16Snorm => "rg16snorm",
        Format::Rgba16Unorm => "rgba16unorm",
        Format::Rgba16Snorm => "rgba16snorm",
        Format::R16Float => "r16float",
        Format::Rg16Float => "rg16float",
        Format::Rgba16Float => "rgba16float",
        Format::R32Float => "r32float",
        Format::Rg32Float => "rg32float",
        Format::Rgba32Float => "rgba32float",
        Format::Rgb10a2Unorm => "rgb10a2unorm",
        Format::Rg11b10Ufloat => "rg11b10ufloat",
        _ => return None,
    })
}

/// Whether a format has no infinities and no NaN.
pub(super) fn is_finite(format: wgpu::TextureFormat) -> bool {
    use wgpu::TextureFormat as Format;
    !matches!(
        format,
        Format::R16Float
            | Format::Rg16Float
            | Format::Rgba16Float
            | Format::R32Float
            | Format::Rg32Float
            | Format::Rgba32Float
            | Format::Rg11b10Ufloat
            | Format::Bc6hRgbUfloat
            | Format::Bc6hRgbFloat
            | Format::Depth32Float
            | Format::Depth32FloatStencil8
    ) && !matches!(format, Format::Astc { channel: wgpu::AstcChannel::Hdr, .. })
}
