//! The texts of kernels of every kind: for tools and tests that look at shaders without a device.

use super::kernel::{Axis, Source, Target, TexelForm, WindowKernel};
use super::level::StoredFormat;
use super::tiles::{Room, Split, TilesKernel, texel_bytes};

/// What texels are like in the texts: of 8 bits and sRGB with straight alpha, floats by channel, and floats by one weight.
const FORMS: [TexelForm; 3] = [
    TexelForm { shared: true, straight: true, decode: true, encode: true, finite: true },
    TexelForm { shared: false, straight: true, decode: false, encode: false, finite: false },
    TexelForm { shared: true, straight: false, decode: false, encode: false, finite: false },
];

/// The formats that every device stores to.
fn formats() -> impl Iterator<Item = StoredFormat> {
    use wgpu::TextureFormat as Format;
    let formats = [
        Format::Rgba8Unorm,
        Format::Rgba8Snorm,
        Format::Rgba16Float,
        Format::R32Float,
        Format::Rg32Float,
        Format::Rgba32Float,
    ];
    formats.into_iter().filter_map(StoredFormat::new)
}

/// Label and WGSL of each.
pub(super) fn all() -> Vec<(String, String)> {
    use wgpu::TextureViewDimension::{D2, D2Array, D3};

    let windows = |kernel, stride, padding| Axis::Windows { kernel, stride, padding, dilation: 1, padded: padding > 0 };
    let axes = [
        [Axis::Even, Axis::Even, Axis::Same],
        [Axis::Odd, Axis::Odd, Axis::Same],
        [Axis::Odd, Axis::Same, Axis::Same],
        [Axis::Odd, Axis::Even, Axis::Odd],
        [windows(3, 2, 1), windows(2, 2, 0), Axis::Same],
        [windows(7, 2, 3), windows(7, 2, 3), Axis::Same],
        [Axis::Adaptive { windows: 5, kernel: 3 }, Axis::Adaptive { windows: 7, kernel: 4 }, Axis::Same],
    ];
    let mut sources = Vec::new();
    let mut add_window = |axes, source, target, texels| {
        let kernel = WindowKernel { axes, source, target, texels };
        sources.push((kernel.label(), kernel.wgsl()));
    };
    let texture = |dimension| Source::Texture { dimension, depth: false, all_levels: false };
    for texels in FORMS {
        for axes in axes {
            for format in formats() {
                for dimension in [D2, D2Array, D3] {
                    add_window(axes, texture(dimension), Target::Texture { dimension, format }, texels);
                }
            }
        }
        let axes = axes[0];
        let depth = Source::Texture { dimension: D2, depth: true, all_levels: false };
        let all_levels = Source::Texture { dimension: D2Array, depth: false, all_levels: true };
        for source in [depth, all_levels, Source::Tensor { channels: 1 }, Source::Tensor { channels: 3 }] {
            for format in formats() {
                add_window(axes, source, Target::Texture { dimension: D2, format }, texels);
            }
        }
        for channels in 1..=4 {
            add_window(axes, texture(D2Array), Target::Tensor { channels }, texels);
        }
    }
    for texels in FORMS {
        for format in formats() {
            for (dimension, by_last, size) in [(D2, true, 4096u32), (D2Array, false, 1021)] {
                let room = Room { levels: 12, workgroup_bytes: 32 << 10, by_last };
                let sizes: Vec<[u32; 2]> = (0..=size.ilog2()).map(|level| [size >> level; 2]).collect();
                let split = texel_bytes(format).and_then(|bytes| Split::new(&sizes, bytes, room));
                if let Some(Split { tile, first, last, cells }) = split {
                    let axes = [Axis::of_mip(size); 2];
                    let kernel = TilesKernel { dimension, format, texels, axes, tile, first, last, cells };
                    sources.push((kernel.label(), kernel.wgsl()));
                }
            }
        }
    }
    sources
}
