//! What can be wrong with a texture that is to be pooled.

use std::fmt;
use std::ops::Range;

/// What was wrong with a texture, as [`Error::Texture`](crate::Error::Texture): what was given, the rule and the fix.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TextureError {
    /// The texture lacks a usage.
    #[error("{role} lacks the usage {missing:?}: create the texture with that flag")]
    Usage {
        /// The texture's part in the call.
        role: &'static str,
        /// The flags that are missing.
        missing: wgpu::TextureUsages,
    },
    /// The device, or any device, doesn't store to the format.
    #[error("{role} is {format:?}, which kernels can't store to here: {fix}")]
    NotStorable {
        /// The texture's part in the call.
        role: &'static str,
        /// Its format.
        format: wgpu::TextureFormat,
        /// What to do about it.
        fix: NotStorableFix,
    },
    /// The format's values are integers, or more than one plane.
    #[error(
        "{role} is {format:?}, whose values are no fractions: give a texture that a shader reads as f32, or the depth of one"
    )]
    NotFloat {
        /// The texture's part in the call.
        role: &'static str,
        /// Its format.
        format: wgpu::TextureFormat,
    },
    /// sRGB's curve on a format that isn't 8-bit, or that has it already.
    #[error("{role} is {format:?}, which as_srgb() is not for: {}", if format.is_srgb() {
        "a view of this format decodes by itself, leave it out"
    } else {
        "it is for Rgba8Unorm, Bgra8Unorm, Rg8Unorm and R8Unorm whose bytes are sRGB's"
    })]
    NotSrgb {
        /// The texture's part in the call.
        role: &'static str,
        /// Its format.
        format: wgpu::TextureFormat,
    },
    /// The texture has several samples a texel.
    #[error("{role} has {samples} samples a texel: resolve it first")]
    Multisampled {
        /// The texture's part in the call.
        role: &'static str,
        /// What it has.
        samples: u32,
    },
    /// A texture of other axes than the pooling's.
    #[error("{role} is of {given:?}, but {rule}")]
    Dimension {
        /// The texture's part in the call.
        role: &'static str,
        /// Its dimension.
        given: wgpu::TextureDimension,
        /// What the pooling takes.
        rule: &'static str,
    },
    /// A mip level that the texture doesn't have.
    #[error("{role} has {levels} mip levels, of which {level} is none: they count from 0")]
    Level {
        /// The texture's part in the call.
        role: &'static str,
        /// What was asked for.
        level: u32,
        /// What it has.
        levels: u32,
    },
    /// Layers that the texture doesn't have, or none.
    #[error("{role} has {available} layers, of which {}..{} are no range: they count from 0", layers.start, layers.end)]
    Layers {
        /// The texture's part in the call.
        role: &'static str,
        /// What was asked for.
        layers: Range<u32>,
        /// What it has.
        available: u32,
    },
    /// The target isn't as large as the pooled source.
    #[error("the target is {given}, but the pooled source is {expected}")]
    Size {
        /// Width, height, and depth or layers of the target.
        given: Texels,
        /// The same of what the source becomes.
        expected: Texels,
    },
    /// The source and the target are the same texels.
    #[error("the source and the target are one mip level of one texture: give another level, texture or layers")]
    SameTexels,
    /// A window of more texels than a kernel reads for one.
    #[error(
        "a window of {taps} texels: a texture's has at most {allowed}; for larger ones pool a tensor of it (GpuSoftPool)"
    )]
    WindowTooLarge {
        /// Texels of a window.
        taps: u64,
        /// The most that there may be.
        allowed: u64,
    },
    /// A tensor of other channels than a texel has.
    #[error("{role} has {given} channels: give 1 to 4, the first of a texel's red, green, blue and alpha")]
    Channels {
        /// The tensor's part in the call.
        role: &'static str,
        /// What it has.
        given: usize,
    },
    /// A tensor of halves, or one whose memory is no buffer.
    #[error(
        "{role} {given}: give an f32 tensor in a buffer of wgpu's; GpuSoftPool converts, with a window of one element"
    )]
    Tensor {
        /// The tensor's part in the call.
        role: &'static str,
        /// What it is.
        given: &'static str,
    },
    /// A scale that has no inverse.
    #[error("{role} has a scale of {scale}: give a finite one, other than 0")]
    Scale {
        /// The tensor's part in the call.
        role: &'static str,
        /// What was given.
        scale: f32,
    },
    /// Betas by level, but none.
    #[error(
        "no beta is given: give one for all levels, or one for each, of which the last is that of all further ones"
    )]
    NoBeta,
    /// What wgpu's GL backend can't bind for kernels.
    #[error("{role} is {what}: use another backend, or {fix}")]
    NotOnGl {
        /// The texture's part in the call.
        role: &'static str,
        /// What it is, and what GL makes of it.
        what: &'static str,
        /// What GL can do.
        fix: &'static str,
    },
}

/// What makes a format one that kernels store to.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum NotStorableFix {
    /// A device with this feature stores to it.
    Feature(wgpu::Features),
    /// No device stores by sRGB's curve: the kernel encodes.
    Encode(wgpu::TextureFormat),
    /// No kernel stores to it.
    Other,
}

impl fmt::Display for NotStorableFix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Feature(feature) => write!(
                f,
                "request the device with the feature {feature} and create the texture with STORAGE_BINDING, or take Rgba8Unorm, \
                 Rgba16Float, R32Float, Rg32Float or Rgba32Float, which need none"
            ),
            Self::Encode(plain) => write!(
                f,
                "create the texture as {plain:?} with STORAGE_BINDING and view_formats: &[{:?}], give it as_srgb(), by which the \
                 kernel encodes, and sample it through a view of that format",
                plain.add_srgb_suffix()
            ),
            Self::Other => f.write_str("take Rgba8Unorm, Rgba8Snorm, Rgba16Float, R32Float, Rg32Float or Rgba32Float"),
        }
    }
}

/// A size in texels: width, height, and depth or layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Texels(pub [u32; 3]);

impl fmt::Display for Texels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [width, height, depth] = self.0;
        write!(f, "{width} x {height} x {depth}")
    }
}
