//! The texts of kernels of every kind: for tools and tests that look at shaders without a device.

use super::kernel::{Axis, Source, Target, TexelForm, WORKGROUP, WindowKernel};
use super::level::{StoredFormat, is_finite};
use super::tiles::{LANES, Room, Split, TilesKernel, texel_bytes};

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

/// What a GPU of Vulkan's would get for a texture: for tools that compile it without one.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct TextureKernelExample {
    /// "level 3840x2160 rgba8unorm srgb".
    pub name: String,
    /// What profilers see.
    pub label: String,
    pub wgsl: String,
    /// Invocations of a workgroup along x, y and z.
    pub workgroup_size: [u32; 3],
    /// Invocations of the dispatch.
    pub invocations: u64,
    /// The bytes that must move: each texel read once, each one written once.
    pub bytes: u64,
    /// Texels written.
    pub texels: u64,
}

const VIDEO: [u32; 2] = [3840, 2160];
/// Odd at every level.
const ODD: [u32; 2] = [4095, 2047];
const SQUARE: [u32; 2] = [4096, 4096];

/// What a texel is: a name, and what a format makes of it.
type NamedForm = (&'static str, fn(wgpu::TextureFormat) -> TexelForm);

fn form(format: wgpu::TextureFormat, shared: bool, straight: bool, srgb: bool) -> TexelForm {
    // Depth's and other formats of floats have NaN.
    TexelForm { shared, straight, decode: srgb, encode: srgb, finite: is_finite(format) }
}

const AS_IS: NamedForm = ("", |format| form(format, true, false, false));
const STRAIGHT: NamedForm = (" straight", |format| form(format, true, true, false));
const BY_CHANNEL: NamedForm = (" straight by channel", |format| form(format, false, true, false));
const SRGB: NamedForm = (" straight srgb", |format| form(format, true, true, true));

/// One kernel each: levels and chains by the formats that renderers have, and a window of a tensor's.
pub(super) fn examples() -> Vec<TextureKernelExample> {
    use wgpu::TextureFormat::{R32Float, Rgba8Unorm, Rgba16Float, Rgba32Float};
    let kinds = [
        (Rgba8Unorm, vec![AS_IS, STRAIGHT, BY_CHANNEL, SRGB]),
        (Rgba16Float, vec![AS_IS, STRAIGHT, BY_CHANNEL]),
        (R32Float, vec![AS_IS]),
        (Rgba32Float, vec![STRAIGHT]),
    ];
    let mut examples = Vec::new();
    for (size, chain_size) in [(VIDEO, SQUARE), (ODD, ODD)] {
        for (format, forms) in &kinds {
            for form in forms {
                examples.push(level(size, *format, false, *form));
                examples.extend(chain(chain_size, *format, *form));
            }
        }
    }
    examples.push(level(VIDEO, R32Float, true, AS_IS));
    examples.extend(tensors());
    examples
}

fn level(size: [u32; 2], format: wgpu::TextureFormat, depth: bool, (name, form): NamedForm) -> TextureKernelExample {
    let dimension = wgpu::TextureViewDimension::D2;
    let stored = StoredFormat::new(format).expect("kernels store to it");
    let [x, y] = size.map(Axis::of_mip);
    let kernel = WindowKernel {
        axes: [x, y, Axis::Same],
        source: Source::Texture { dimension, depth, all_levels: false },
        target: Target::Texture { dimension, format: stored },
        texels: form(format),
    };
    let what = if depth { " depth" } else { name };
    let texel = format.block_copy_size(None).map_or(0, u64::from);
    let name = format!("level {}x{} {}{what}", size[0], size[1], stored.wgsl_name());
    window(name, &kernel, size.map(|size| size / 2), [texel * area(size), texel])
}

/// A frame for a network, by large windows, and a network's result to be shown.
fn tensors() -> Vec<TextureKernelExample> {
    let dimension = wgpu::TextureViewDimension::D2;
    let format = StoredFormat::new(wgpu::TextureFormat::Rgba8Unorm).expect("kernels store to it");
    let five = Axis::Windows { kernel: 5, stride: 5, padding: 0, dilation: 1, padded: false };
    let into = WindowKernel {
        axes: [five, five, Axis::Same],
        source: Source::Texture { dimension, depth: false, all_levels: false },
        target: Target::Tensor { channels: 3 },
        texels: AS_IS.1(format.format()),
    };
    let one = Axis::Windows { kernel: 1, stride: 1, padding: 0, dilation: 1, padded: false };
    let from = WindowKernel {
        axes: [one, one, Axis::Same],
        source: Source::Tensor { channels: 3 },
        target: Target::Texture { dimension, format },
        texels: TexelForm { finite: false, ..AS_IS.1(format.format()) },
    };
    let five_windows = VIDEO.map(|size| size / 5);
    vec![
        window("into a tensor of 3, k5 s5".into(), &into, five_windows, [4 * area(VIDEO), 12]),
        window("from a tensor of 3, k1 s1".into(), &from, VIDEO, [12 * area(VIDEO), 4]),
    ]
}

/// `bytes`: of the source, and of a texel written.
fn window(name: String, kernel: &WindowKernel, target: [u32; 2], bytes: [u64; 2]) -> TextureKernelExample {
    let [x, y] = WORKGROUP;
    let invocations = area([target[0].next_multiple_of(x), target[1].next_multiple_of(y)]);
    let texels = area(target);
    let bytes = bytes[0] + bytes[1] * texels;
    let (label, wgsl) = (kernel.label(), kernel.wgsl());
    TextureKernelExample { name, label, wgsl, workgroup_size: [x, y, 1], invocations, bytes, texels }
}

/// As many levels as one dispatch makes on a GPU.
fn chain(size: [u32; 2], format: wgpu::TextureFormat, (name, form): NamedForm) -> Option<TextureKernelExample> {
    let stored = StoredFormat::new(format)?;
    let room = Room { levels: 12, workgroup_bytes: 32 << 10, by_last: true };
    let sizes: Vec<[u32; 2]> =
        (0..=size[0].max(size[1]).ilog2()).map(|level| size.map(|size| (size >> level).max(1))).collect();
    let Split { tile, first, last, cells } = Split::new(&sizes, texel_bytes(stored)?, room)?;
    let kernel = TilesKernel {
        dimension: wgpu::TextureViewDimension::D2,
        format: stored,
        texels: form(format),
        axes: size.map(Axis::of_mip),
        tile,
        first,
        last,
        cells,
    };
    let texels: u64 = sizes[1..=first + last].iter().map(|&size| area(size)).sum();
    let texel = format.block_copy_size(None).map_or(0, u64::from);
    Some(TextureKernelExample {
        name: format!("chain {}x{} {}{name}", size[0], size[1], stored.wgsl_name()),
        label: kernel.label(),
        wgsl: kernel.wgsl(),
        workgroup_size: [LANES, 1, 1],
        invocations: u64::from(LANES) * area(sizes[first].map(|size| size.div_ceil(tile))),
        bytes: texel * (area(size) + texels),
        texels,
    })
}

fn area([width, height]: [u32; 2]) -> u64 {
    u64::from(width) * u64::from(height)
}
