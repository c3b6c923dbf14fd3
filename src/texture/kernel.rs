//! A kernel of a window's texels: what it reads, what it writes, and its WGSL.

use std::fmt::Write as _;

use bytemuck::{Pod, Zeroable};

use super::level::StoredFormat;
use crate::prune::finished;

/// Texels of a window that an invocation keeps, at most. More would take the registers of a GPU, and long texts.
const MOST_KEPT: u32 = 9;

/// Invocations of a workgroup along the width and the height.
pub(super) const WORKGROUP: [u32; 2] = [8, 8];

/// `struct Params` of shaders/textures/texels.wgsl; a test holds the two against each other.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(super) struct Params {
    pub share: [f32; 4],
    pub scale: [f32; 4],
    pub bias: [f32; 4],
    pub source_strides: [u32; 4],
    pub target_strides: [u32; 4],
    pub source_size: [u32; 3],
    pub steepness: f32,
    pub target_size: [u32; 3],
    pub minus_infinity: u32,
    pub source_first: u32,
    pub target_first: u32,
    pub source_level: u32,
    /// WGSL rounds the size of a struct up to its alignment, 16 bytes.
    pub padding: u32,
}

/// What a kernel reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Source {
    /// By a view of the level that is read, or of all.
    Texture {
        dimension: wgpu::TextureViewDimension,
        depth: bool,
        all_levels: bool,
    },
    Tensor {
        channels: usize,
    },
}

/// What a kernel writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Target {
    Texture { dimension: wgpu::TextureViewDimension, format: StoredFormat },
    Tensor { channels: usize },
}

/// The windows along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Axis {
    /// One texel a window: layers, and what has only one texel.
    Same,
    /// Two texels: an even number of them has half as many below.
    Even,
    /// Three texels, the outer two in part: see `odd_cover` of shaders/textures/texels.wgsl.
    Odd,
    /// Windows of a configuration; `padded` where a tap may be beyond the source.
    Windows { kernel: u32, stride: u32, padding: u32, dilation: u32, padded: bool },
    /// So many adaptive windows of different sizes, of up to `kernel` texels.
    Adaptive { windows: u32, kernel: u32 },
}

impl Axis {
    /// The way from a mip level of `size` texels to the next.
    pub fn of_mip(size: u32) -> Self {
        match size {
            1 => Self::Same,
            _ if size.is_multiple_of(2) => Self::Even,
            _ => Self::Odd,
        }
    }

    /// Texels of a window, of the largest one.
    pub fn taps(self) -> u32 {
        match self {
            Self::Same => 1,
            Self::Even => 2,
            Self::Odd => 3,
            Self::Windows { kernel, .. } | Self::Adaptive { kernel, .. } => kernel,
        }
    }

    fn is_padded(self) -> bool {
        matches!(self, Self::Windows { padded: true, .. })
    }

    fn is_adaptive(self) -> bool {
        matches!(self, Self::Adaptive { .. })
    }

    /// Where the tap `at.x` of the window `position.x` is, in WGSL, for the axis x.
    fn position(self, x: char) -> String {
        let size = format!("params.source_size.{x}");
        match self {
            Self::Same => format!("position.{x}"),
            Self::Even | Self::Odd => format!("2u * position.{x} + at.{x}"),
            Self::Windows { stride, padding, dilation, padded: false, .. } => {
                debug_assert_eq!(padding, 0, "padded windows are marked so");
                format!("position.{x} * {stride}u + at.{x} * {dilation}u")
            }
            Self::Windows { stride, padding, dilation, .. } => {
                format!(
                    "min(max(position.{x} * {stride}u + at.{x} * {dilation}u, {padding}u) - {padding}u, {size} - 1u)"
                )
            }
            Self::Adaptive { windows, .. } => format!("position.{x} * {size} / {windows}u + at.{x}"),
        }
    }

    /// How much of that tap the window covers, in WGSL; nothing where it is all of it.
    fn cover(self, x: char) -> Option<String> {
        let size = format!("params.source_size.{x}");
        match self {
            Self::Odd => Some(format!("odd_cover(position.{x}, at.{x}, {size})")),
            Self::Windows { stride, padding, dilation, padded: true, .. } => {
                // Before the source the difference is a large number.
                let place = format!("position.{x} * {stride}u + at.{x} * {dilation}u - {padding}u");
                Some(format!("select(0.0, 1.0, {place} < {size})"))
            }
            _ => None,
        }
    }

    /// How many taps the window `position.x` has, in WGSL.
    fn count(self, x: char) -> String {
        match self {
            Self::Adaptive { windows, .. } => {
                let (o, size) = (format!("position.{x}"), format!("params.source_size.{x}"));
                format!("(({o} + 1u) * {size} + {}u) / {windows}u - {o} * {size} / {windows}u", windows - 1)
            }
            _ => format!("{}u", self.taps()),
        }
    }
}

/// A kernel that makes one texel of each window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct WindowKernel {
    /// Along the width, the height, and the depth or the layers.
    pub axes: [Axis; 3],
    pub source: Source,
    pub target: Target,
    pub texels: TexelForm,
}

/// What a kernel makes of a texel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct TexelForm {
    /// One weight for all channels.
    pub shared: bool,
    /// Colours are multiplied by alpha, and divided by it again.
    pub straight: bool,
    /// From sRGB as they are read, and to sRGB as they are written.
    pub decode: bool,
    pub encode: bool,
    /// Whether there are no infinities and no NaN.
    pub finite: bool,
}

impl TexelForm {
    /// Its constants and types, and what a texel's weight goes by.
    pub fn prelude(&self) -> String {
        let (weight, bits, flags) =
            if self.shared { ("f32", "u32", "bool") } else { ("vec4<f32>", "vec4<u32>", "vec4<bool>") };
        let (z, signed) = if self.shared { ("shared_z(p)", "p") } else { ("p", "p * params.share") };
        format!(
            "const STRAIGHT = {};\nconst DECODE = {};\nconst ENCODE = {};\nconst FINITE = {};\n\
             alias Weight = {weight};\nalias Bits = {bits};\nalias Flags = {flags};\n\
             fn z_of(p: vec4<f32>) -> Weight {{\n    return {z};\n}}\n\
             fn with_sign(p: vec4<f32>) -> vec4<f32> {{\n    return {signed};\n}}\n",
            self.straight, self.decode, self.encode, self.finite
        )
    }
}

impl WindowKernel {
    /// Texels of a window.
    pub fn taps(&self) -> u64 {
        self.axes.iter().map(|axis| u64::from(axis.taps())).product()
    }

    fn keeps(&self) -> bool {
        self.taps() <= u64::from(MOST_KEPT) && !self.axes.iter().any(|axis| axis.is_adaptive())
    }

    /// A name for profilers: "softpool texture 2x2x1 rgba8unorm".
    pub fn label(&self) -> String {
        let [x, y, z] = self.axes.map(Axis::taps);
        let target = match self.target {
            Target::Texture { format, .. } => format.wgsl_name().to_owned(),
            Target::Tensor { channels } => format!("tensor of {channels}"),
        };
        format!("softpool texture {x}x{y}x{z} {target}")
    }

    /// The kernel's text.
    pub fn wgsl(&self) -> String {
        let taps = self.axes.map(Axis::taps);
        let padded = self.axes.iter().any(|axis| axis.is_padded());
        let partial = padded || self.axes.iter().any(|axis| axis.is_adaptive());
        let [x, y] = WORKGROUP;
        let mut prelude = String::from("//! src/texture/kernel.rs\n");
        let constants =
            [("TAPS", taps.iter().product()), ("TAPS_X", taps[0]), ("TAPS_Y", taps[1]), ("TAPS_Z", taps[2])];
        let sizes = [("WORKGROUP_X", x), ("WORKGROUP_Y", y)];
        for (name, value) in constants.iter().chain(&sizes) {
            writeln!(prelude, "const {name} = {value}u;").expect("a String takes any text");
        }
        write!(prelude, "const PADDED = {padded};\nconst PARTIAL = {partial};\n").expect("a String takes any text");
        prelude += &self.texels.prelude();
        prelude += &format!("@group(0) @binding(0) var<uniform> params: Params;\n{}{}", self.load(), self.store());
        prelude += &self.windows();
        let window = if self.keeps() {
            concat!("//! shaders/textures/window_kept.wgsl\n", include_str!("../../shaders/textures/window_kept.wgsl"))
        } else {
            concat!(
                "//! shaders/textures/window_reread.wgsl\n",
                include_str!("../../shaders/textures/window_reread.wgsl")
            )
        };
        let main = concat!("//! shaders/textures/window.wgsl\n", include_str!("../../shaders/textures/window.wgsl"));
        finished(&format!("{prelude}\n{TEXELS}\n{window}\n{main}"))
    }

    /// The functions that say where a window's taps are.
    pub fn windows(&self) -> String {
        let by_axis = |part: &dyn Fn(Axis, char) -> String| -> String {
            let parts: Vec<String> = self.axes.iter().zip("xyz".chars()).map(|(&axis, x)| part(axis, x)).collect();
            parts.join(", ")
        };
        let positions = by_axis(&Axis::position);
        let counts = by_axis(&Axis::count);
        // A power of two where windows are of mip levels; their odd axes have factors of their own.
        let whole: u64 =
            self.axes.iter().filter(|&&axis| axis != Axis::Odd).map(|&axis| u64::from(axis.taps())).product();
        let covers = self.axes.iter().zip("xyz".chars()).filter_map(|(&axis, x)| axis.cover(x));
        let covers: Vec<String> = std::iter::once(format!("{:?}", 1.0 / whole as f32)).chain(covers).collect();
        let arguments = "(position: vec3<u32>, at: vec3<u32>)";
        format!(
            "fn position_of{arguments} -> vec3<u32> {{\n    return vec3({positions});\n}}\n\
             fn cover_of{arguments} -> f32 {{\n    return {};\n}}\n\
             fn taps_of(position: vec3<u32>) -> vec3<u32> {{\n    return vec3({counts});\n}}\n",
            covers.join(" * ")
        )
    }

    /// The source's binding and `load`.
    pub fn load(&self) -> String {
        load_text(self.source)
    }

    /// The target's binding and `store`.
    fn store(&self) -> String {
        let head = "fn store(position: vec3<u32>, texel: vec4<f32>) {\n";
        match self.target {
            Target::Texture { dimension, format } => {
                let (ty, at) = texture_access(dimension, "target_first");
                format!(
                    "@group(0) @binding(2) var destination: texture_storage_{ty}<{}, write>;\n\
                     {head}    textureStore(destination, {at}, texel);\n}}\n",
                    format.wgsl_name()
                )
            }
            Target::Tensor { channels } => {
                let mut text =
                    format!("@group(0) @binding(2) var<storage, read_write> destination: array<f32>;\n{head}");
                text += "    let first = params.target_first + tensor_index(position, params.target_strides);\n";
                text += "    let values = params.scale * texel + params.bias;\n";
                for (channel, x) in "xyzw".chars().take(channels).enumerate() {
                    writeln!(text, "    destination[first + {channel}u * params.target_strides.w] = values.{x};")
                        .expect("a String takes any text");
                }
                text + "}\n" + TENSOR_INDEX
            }
        }
    }
}

/// What every kernel of textures shares.
pub(super) const TEXELS: &str =
    concat!("//! shaders/textures/texels.wgsl\n", include_str!("../../shaders/textures/texels.wgsl"));

const TENSOR_INDEX: &str = "fn tensor_index(position: vec3<u32>, strides: vec4<u32>) -> u32 {\n    \
     return position.x * strides.x + position.y * strides.y + position.z * strides.z;\n}\n";

/// WGSL's name of a texture of such axes, without its kind, and its texel's coordinates.
fn texture_access(dimension: wgpu::TextureViewDimension, first_layer: &str) -> (&'static str, String) {
    match dimension {
        wgpu::TextureViewDimension::D3 => ("3d", "position".into()),
        wgpu::TextureViewDimension::D2Array => ("2d_array", format!("position.xy, position.z + params.{first_layer}")),
        _ => ("2d", "position.xy".into()),
    }
}

/// A source's binding and `load`.
fn load_text(source: Source) -> String {
    let head = "fn load(position: vec3<u32>) -> vec4<f32> {\n";
    match source {
        Source::Texture { dimension, depth, all_levels } => {
            let (ty, at) = texture_access(dimension, "source_first");
            let level = if all_levels { "i32(params.source_level)" } else { "0" };
            let load = format!("textureLoad(source, {at}, {level})");
            let (ty, load) = if depth {
                (format!("texture_depth_{ty}"), format!("vec4({load}, 0.0, 0.0, 1.0)"))
            } else {
                (format!("texture_{ty}<f32>"), load)
            };
            format!("@group(0) @binding(1) var source: {ty};\n{head}    return {load};\n}}\n")
        }
        Source::Tensor { channels } => {
            let mut text = format!("@group(0) @binding(1) var<storage, read> source: array<f32>;\n{head}");
            text += "    let first = params.source_first + tensor_index(position, params.source_strides);\n";
            text += "    var values = vec4(0.0);\n";
            for (channel, x) in "xyzw".chars().take(channels).enumerate() {
                writeln!(text, "    values.{x} = source[first + {channel}u * params.source_strides.w];")
                    .expect("a String takes any text");
            }
            text += "    let texel = (values - params.bias) / params.scale;\n";
            let lacking = ["texel.x, 0.0, 0.0, 1.0", "texel.xy, 0.0, 1.0", "texel.xyz, 1.0", "texel"];
            text += &format!("    return vec4({});\n}}\n", lacking[channels - 1]);
            text + TENSOR_INDEX
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Params, TEXELS};

    #[test]
    fn params_are_laid_out_as_the_shader_says() {
        let start = TEXELS.find("struct Params").expect("texels.wgsl declares Params");
        let end = start + TEXELS[start..].find("\n}").expect("it ends") + 2;
        let module = naga::front::wgsl::parse_str(&TEXELS[start..end]).expect("it parses");
        let (_, found) = module.types.iter().find(|(_, ty)| ty.name.is_some()).expect("it is there");
        let naga::TypeInner::Struct { members, span } = &found.inner else { panic!("a struct") };
        let members: Vec<(&str, usize)> =
            members.iter().map(|member| (member.name.as_deref().unwrap_or(""), member.offset as usize)).collect();
        macro_rules! offsets {
            ($($field:ident),*) => {
                vec![$((stringify!($field), std::mem::offset_of!(Params, $field))),*]
            };
        }
        let want = offsets!(
            share,
            scale,
            bias,
            source_strides,
            target_strides,
            source_size,
            steepness,
            target_size,
            minus_infinity,
            source_first,
            target_first,
            source_level
        );
        assert_eq!((members, *span as usize), (want, size_of::<Params>()));
    }
}
