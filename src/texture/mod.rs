//! SoftPool for renderers: of textures, into textures and their mip levels, in the host's encoder.
//!
//! [`TexturePool`] pools a texture into another, by any windows, and goes between textures and tensors. [`MipChain`] fills the mip
//! levels of a texture of any size. Both make a [`Plan`](crate::Plan), which is recorded without allocating as often as wanted.
//!
//! What average pooling loses in minified textures is thin and bright: stars, wires, highlights. A positive beta keeps it, and
//! average pooling is a beta of 0; a negative one is a soft minimum, for pyramids of depth. The larger |beta| times the range of the
//! values, the closer a texel is to the brightest below it: for colours of 0 to 1, 4 to 16 are usual.
//!
//! Sources are what a shader reads as f32, filterable or not, and depth. Targets are what kernels store to: `Rgba8Unorm`, `Rgba8Snorm`,
//! `Rgba16Float`, `R32Float`, `Rg32Float` and `Rgba32Float` on every device, others where a feature allows it, and sRGB by
//! [`TextureLevel::as_srgb`].

mod error;
mod kernel;
mod level;
mod mips;
mod options;
mod pipelines;
mod pool;
pub mod reference;
mod sources;
mod tensor;
mod tiles;

pub use error::{NotStorableFix, Texels, TextureError};
pub use level::TextureLevel;
pub use mips::MipChain;
pub use options::{Alpha, Weighting};
pub use pipelines::TextureCache;
pub use pool::TexturePool;
#[doc(hidden)]
pub use sources::TextureKernelExample;
pub use tensor::TensorTexels;

/// Label and WGSL of kernels of every kind: for tools and tests that look at shaders without a device.
#[doc(hidden)]
pub fn shader_sources() -> Vec<(String, String)> {
    sources::all()
}

/// Kernels of levels, chains and tensors as GPUs would get them: for tools that compile them without one.
#[doc(hidden)]
pub fn kernel_examples() -> Vec<TextureKernelExample> {
    sources::examples()
}
