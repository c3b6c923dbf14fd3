//! Tensors whose elements are texels' channels.

use super::error::TextureError;
use super::pool::texels_of;
use crate::bound::{Bound, Role};
use crate::{ElementType, Error, GpuTensor, Memory, Result, TensorView};

/// An f32 tensor that a texture is pooled into, or that is pooled into a texture: by channel, its values are `scale texel + bias`.
///
/// ```no_run
/// # fn example(x: softpool::TensorView<'_>) {
/// use softpool::texture::TensorTexels;
///
/// // What networks trained on ImageNet take: (texel - mean) / deviation.
/// let (mean, deviation) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
/// let x = TensorTexels::from(x).normalised(mean, deviation);
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TensorTexels<'a> {
    /// The tensor.
    pub view: TensorView<'a>,
    /// By channel.
    pub scale: [f32; 4],
    /// By channel.
    pub bias: [f32; 4],
}

impl TensorTexels<'_> {
    /// Values of `(texel - mean) / deviation` in the first three channels.
    pub fn normalised(self, mean: [f32; 3], deviation: [f32; 3]) -> Self {
        let mut normalised = self;
        for channel in 0..3 {
            normalised.scale[channel] = 1.0 / deviation[channel];
            normalised.bias[channel] = -mean[channel] / deviation[channel];
        }
        normalised
    }
}

impl<'a> From<TensorView<'a>> for TensorTexels<'a> {
    fn from(view: TensorView<'a>) -> Self {
        Self { view, scale: [1.0; 4], bias: [0.0; 4] }
    }
}

impl<'a> From<&'a GpuTensor> for TensorTexels<'a> {
    fn from(tensor: &'a GpuTensor) -> Self {
        tensor.view().into()
    }
}

/// A tensor as a kernel takes it.
pub(super) struct BoundTexels<'a> {
    pub channels: usize,
    /// Width, height, and depth or samples.
    pub size: [u32; 3],
    /// The first element in the binding.
    pub first: u32,
    /// Elements from a column, row, layer and channel to the next.
    pub strides: [u32; 4],
    pub binding: wgpu::BufferBinding<'a>,
}

impl<'a> TensorTexels<'a> {
    pub(super) fn bind(
        &self,
        role: &'static str,
        device: &wgpu::Device,
        rank: usize,
        written: bool,
    ) -> Result<BoundTexels<'a>> {
        let view = &self.view;
        let Memory::Buffer(buffer) = view.memory else {
            return Err(TextureError::Tensor { role, given: "is in memory that is no buffer" }.into());
        };
        if view.element_type != ElementType::F32 {
            return Err(TextureError::Tensor { role, given: "has elements of half a word" }.into());
        }
        let bound = Bound::called(role, if written { Role::Y } else { Role::X }, view, rank)?;
        bound.check(written)?;
        let shape = view.shape.of_rank(rank)?;
        let channels = shape.channels();
        if !(1..=4).contains(&channels) {
            return Err(TextureError::Channels { role, given: channels }.into());
        }
        if rank == 3 && shape.batch() != 1 {
            let rule = "a tensor of several samples is for the layers of a 2D texture: bind one sample";
            return Err(TextureError::Dimension { role, given: wgpu::TextureDimension::D3, rule }.into());
        }
        let usable = |value: &f32| value.is_finite() && *value != 0.0;
        if let Some(&scale) = self.scale.iter().find(|scale| !usable(scale)) {
            return Err(TextureError::Scale { role, scale }.into());
        }
        let limits = device.limits();
        let alignment = u64::from(limits.min_storage_buffer_offset_alignment);
        let offset = view.byte_offset / alignment * alignment;
        let bytes = view.byte_offset - offset + view.bytes();
        let allowed = limits.max_storage_buffer_binding_size;
        if bytes > allowed {
            return Err(Error::DeviceLimit {
                what: "a tensor's size in bytes",
                given: bytes,
                limit: "max_storage_buffer_binding_size",
                allowed,
                fix: "pool some layers at a time",
            });
        }
        // What a binding holds is counted in 32 bits.
        let [sample, channel, depth, height, width] = shape.by_all_axes(view.strides(), 0).map(|stride| stride as u32);
        Ok(BoundTexels {
            channels,
            size: texels_of(&shape, rank),
            first: ((view.byte_offset - offset) / 4) as u32,
            strides: [width, height, if rank == 3 { depth } else { sample }, channel],
            binding: wgpu::BufferBinding { buffer, offset, size: wgpu::BufferSize::new(bytes) },
        })
    }
}
