//! A kernel that makes several mip levels of a tile: when it can be, how large its tiles are, and its WGSL.

use std::fmt::Write as _;

use bytemuck::{Pod, Zeroable};

use super::kernel::{Axis, Source, TEXELS, Target, TexelForm, WindowKernel};
use super::level::StoredFormat;
use crate::prune::finished;

/// Invocations of a workgroup.
pub(super) const LANES: u32 = 256;
/// Levels that a tile makes, at most: 64 x 64 texels become one.
const MOST_FIRST: usize = 6;
/// Levels of a dispatch, at most.
pub(super) const MOST_LEVELS: usize = 12;
/// Texels of the level that the last workgroup starts from, at most: they are read by one workgroup, while all others rest.
const MOST_LEFT: u32 = 64 * 64;

/// `struct Sizes` of shaders/textures/tiles.wgsl.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(super) struct Sizes {
    pub by_level: [[u32; 4]; MOST_LEVELS + 1],
}

/// Several mip levels in one dispatch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct TilesKernel {
    pub dimension: wgpu::TextureViewDimension,
    pub format: StoredFormat,
    pub texels: TexelForm,
    /// The way from level 0 to level 1, along the width and the height.
    pub axes: [Axis; 2],
    /// Texels of a tile along an axis, of the level `first`.
    pub tile: u32,
    /// Levels that every workgroup makes, and that the last one makes.
    pub first: usize,
    pub last: usize,
    /// Texels of levels 1, 3, 5, .. and of 2, 4, 6, .. that a workgroup keeps.
    pub cells: [u32; 2],
}

/// What a device lets such a kernel do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Levels of a dispatch.
    pub levels: usize,
    /// Bytes of a workgroup's memory.
    pub workgroup_bytes: u32,
    /// Whether barriers order memory for the whole device, so that a last workgroup sees what others have left.
    pub by_last: bool,
}

impl Room {
    pub fn of(device: &wgpu::Device, levels: u32) -> Self {
        let limits = device.limits();
        let lanes = limits.max_compute_invocations_per_workgroup.min(limits.max_compute_workgroup_size_x);
        let textures = limits.max_storage_textures_per_shader_stage;
        let levels = if lanes < LANES { 1 } else { levels.min(textures).min(MOST_LEVELS as u32) };
        // As naga writes them: the scope of a storage barrier is the device in SPIR-V and HLSL, the workgroup in MSL.
        let by_last = matches!(device.adapter_info().backend, wgpu::Backend::Vulkan | wgpu::Backend::Dx12);
        Self { levels: levels as usize, workgroup_bytes: limits.max_compute_workgroup_storage_size, by_last }
    }
}

/// How levels are shared out: sizes are those of level 0 and of the levels below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Split {
    pub tile: u32,
    pub first: usize,
    pub last: usize,
    pub cells: [u32; 2],
}

impl Split {
    /// The split of as many levels as there can be, at least two; none where a dispatch a level is all there is.
    pub fn new(sizes: &[[u32; 2]], texel_bytes: u32, room: Room) -> Option<Self> {
        let levels = sizes.len().saturating_sub(1).min(room.levels);
        // A word for whether a workgroup is the last.
        let fits = |cells: [u32; 2]| (cells[0] + cells[1]) * texel_bytes + 16 <= room.workgroup_bytes;
        for first in (2..=levels.min(MOST_FIRST)).rev() {
            // 64 x 64 texels of level 0, or 32 x 32 where that is all there is room for.
            for tile in [1 << (MOST_FIRST - first), 1 << (MOST_FIRST - 1).saturating_sub(first)] {
                let mut cells = [0; 2];
                for level in 1..=first {
                    let needed = needed(sizes, tile, first, level);
                    keep(&mut cells, level, needed[0].min(sizes[level][0]) * needed[1].min(sizes[level][1]));
                }
                if !fits(cells) {
                    continue;
                }
                let whole = Self { tile, first, last: 0, cells };
                let left = sizes[first][0] * sizes[first][1];
                if !room.by_last || left > MOST_LEFT {
                    return Some(whole);
                }
                for (level, [width, height]) in sizes.iter().enumerate().take(levels + 1).skip(first + 1) {
                    keep(&mut cells, level, width * height);
                }
                let last = levels - first;
                return Some(if fits(cells) { Self { last, cells, ..whole } } else { whole });
            }
        }
        None
    }
}

fn keep(cells: &mut [u32; 2], level: usize, texels: u32) {
    let of_parity = &mut cells[(level + 1) % 2];
    *of_parity = texels.max(*of_parity);
}

/// Texels of `level` that `tile` x `tile` texels of level `first` cover: `needed` of shaders/textures/tiles.wgsl.
fn needed(sizes: &[[u32; 2]], tile: u32, first: usize, level: usize) -> [u32; 2] {
    let mut count = [tile; 2];
    for above in (level..first).rev() {
        for (count, size) in count.iter_mut().zip(sizes[above]) {
            *count = if size == 1 { 1 } else { 2 * *count + size % 2 };
        }
    }
    count
}

/// How a workgroup keeps a format's texels: WGSL's type, words, and the expressions that pack and unpack it.
fn packing(format: StoredFormat) -> Option<(&'static str, u32, &'static str, &'static str)> {
    use wgpu::TextureFormat as Format;
    Some(match format.format() {
        Format::Rgba8Unorm | Format::Bgra8Unorm => ("u32", 1, "pack4x8unorm(texel)", "unpack4x8unorm(bits)"),
        Format::Rgba8Snorm => ("u32", 1, "pack4x8snorm(texel)", "unpack4x8snorm(bits)"),
        Format::Rgba16Float => (
            "vec2<u32>",
            2,
            "vec2(pack2x16float(texel.xy), pack2x16float(texel.zw))",
            "vec4(unpack2x16float(bits.x), unpack2x16float(bits.y))",
        ),
        Format::R32Float => ("u32", 1, "bitcast<u32>(texel.x)", "vec4(bitcast<f32>(bits), 0.0, 0.0, 1.0)"),
        Format::Rg32Float => {
            ("vec2<u32>", 2, "bitcast<vec2<u32>>(texel.xy)", "vec4(bitcast<vec2<f32>>(bits), 0.0, 1.0)")
        }
        Format::Rgba32Float => ("vec4<u32>", 4, "bitcast<vec4<u32>>(texel)", "bitcast<vec4<f32>>(bits)"),
        _ => return None,
    })
}

/// Bytes of a texel in a workgroup's memory, if the format can be kept there.
pub(super) fn texel_bytes(format: StoredFormat) -> Option<u32> {
    packing(format).map(|(_, words, ..)| 4 * words)
}

impl TilesKernel {
    pub fn levels(&self) -> usize {
        self.first + self.last
    }

    pub fn label(&self) -> String {
        format!("softpool mips {}+{} {}", self.first, self.last, self.format.wgsl_name())
    }

    /// Words of the buffer that the last workgroup reads: how many have arrived, and the texels of the level `first`, by layer.
    pub fn left_words(&self, size: [u32; 2], layers: u32) -> u64 {
        let words = u64::from(texel_bytes(self.format).unwrap_or_default()) / 4;
        u64::from(layers) * (1 + words * u64::from(size[0]) * u64::from(size[1]))
    }

    /// The kernel's text.
    pub fn wgsl(&self) -> String {
        let [x, y] = self.axes.map(Axis::taps);
        let constants = [("TAPS", x * y), ("TAPS_X", x), ("TAPS_Y", y)];
        let mut prelude = String::from("//! src/texture/tiles.rs\n");
        let numbers = [
            ("LANES", LANES),
            ("TILE", self.tile),
            ("FIRST", self.first as u32),
            ("LEVELS", self.levels() as u32),
            ("ODD_CELLS", self.cells[0]),
            ("EVEN_CELLS", self.cells[1]),
        ];
        for (name, value) in constants.iter().chain(&numbers) {
            writeln!(prelude, "const {name} = {value}u;").expect("a String takes any text");
        }
        write!(prelude, "const LAST = {};\nconst PADDED = false;\nconst PARTIAL = false;\n", self.last > 0)
            .expect("a String takes any text");
        prelude += &self.texels.prelude();
        prelude += "@group(0) @binding(0) var<uniform> params: Params;\n";
        let dimension = self.dimension;
        let window = WindowKernel {
            axes: [self.axes[0], self.axes[1], Axis::Same],
            source: Source::Texture { dimension, depth: false, all_levels: false },
            target: Target::Texture { dimension, format: self.format },
            texels: self.texels,
        };
        prelude += &window.load();
        prelude += &window.windows();
        prelude += &self.packing();
        prelude += &self.store_level();
        let after = 2 + self.levels();
        prelude += &format!("@group(0) @binding({after}) var<uniform> sizes: Sizes;\n");
        if self.last > 0 {
            prelude += &self.left(after + 1);
        }
        let kept =
            concat!("//! shaders/textures/window_kept.wgsl\n", include_str!("../../shaders/textures/window_kept.wgsl"));
        let tiles = concat!("//! shaders/textures/tiles.wgsl\n", include_str!("../../shaders/textures/tiles.wgsl"));
        finished(&format!("{prelude}\n{TEXELS}\n{kept}\n{tiles}"))
    }

    fn packing(&self) -> String {
        let (ty, _, pack, unpack) = packing(self.format).expect("a format that can be kept");
        format!(
            "alias Packed = {ty};\nfn packed(texel: vec4<f32>) -> Packed {{\n    return {pack};\n}}\n\
             fn unpacked(bits: Packed) -> vec4<f32> {{\n    return {unpack};\n}}\n"
        )
    }

    fn store_level(&self) -> String {
        let (ty, at) = match self.dimension {
            wgpu::TextureViewDimension::D2Array => ("2d_array", "position.xy, position.z + params.target_first"),
            _ => ("2d", "position.xy"),
        };
        let (mut bindings, mut cases) = (String::new(), String::new());
        for level in 1..=self.levels() {
            writeln!(
                bindings,
                "@group(0) @binding({}) var destination_{level}: texture_storage_{ty}<{}, write>;",
                level + 1,
                self.format.wgsl_name()
            )
            .expect("a String takes any text");
            let case = if level == self.levels() { "default".into() } else { format!("case {level}u") };
            writeln!(cases, "        {case}: {{ textureStore(destination_{level}, {at}, texel); }}")
                .expect("a String takes any text");
        }
        format!(
            "{bindings}fn store_level(level: u32, position: vec3<u32>, texel: vec4<f32>) {{\n    \
             switch (level) {{\n{cases}    }}\n}}\n"
        )
    }

    /// What goes through the buffer: how many workgroups have arrived, by layer, and then texels.
    fn left(&self, binding: usize) -> String {
        let (_, words, ..) = packing(self.format).expect("a format that can be kept");
        let lanes = if words == 1 { vec![""] } else { [".x", ".y", ".z", ".w"][..words as usize].to_vec() };
        let stores: String = lanes
            .iter()
            .enumerate()
            .map(|(word, lane)| format!("    atomicStore(&rest[first + {word}u], texel{lane});\n"))
            .collect();
        // Not atomicLoad, which HLSL knows only as a load, that may come from a cache.
        let loads: Vec<String> = (0..words).map(|word| format!("atomicOr(&rest[first + {word}u], 0u)")).collect();
        format!(
            "@group(0) @binding({binding}) var<storage, read_write> rest: array<atomic<u32>>;\n\
             fn first_word(layer: u32, index: u32) -> u32 {{\n    \
                 let texels = sizes.by_level[FIRST].x * sizes.by_level[FIRST].y;\n    \
                 return params.target_size.z + (layer * texels + index) * {words}u;\n\
             }}\n\
             fn leave(layer: u32, index: u32, texel: Packed) {{\n    \
                 let first = first_word(layer, index);\n{stores}\
             }}\n\
             fn left(layer: u32, index: u32) -> Packed {{\n    \
                 let first = first_word(layer, index);\n    \
                 return Packed({});\n\
             }}\n\
             fn arrive(layer: u32) -> u32 {{\n    return atomicAdd(&rest[layer], 1u);\n}}\n\
             fn leave_none(layer: u32) {{\n    atomicStore(&rest[layer], 0u);\n}}\n",
            loads.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Room, Split};

    fn sizes(mut size: [u32; 2]) -> Vec<[u32; 2]> {
        let mut sizes = vec![size];
        while size != [1, 1] {
            size = size.map(|size| (size / 2).max(1));
            sizes.push(size);
        }
        sizes
    }

    const GPU: Room = Room { levels: 12, workgroup_bytes: 32 << 10, by_last: true };

    #[test]
    fn twelve_levels_are_one_dispatch() {
        let split = Split::new(&sizes([4096, 4096]), 4, GPU).expect("a split");
        assert_eq!((split.tile, split.first, split.last), (1, 6, 6));
        assert_eq!(split.cells, [32 * 32, 16 * 16]);
    }

    #[test]
    fn odd_sizes_overlap_and_little_memory_makes_smaller_tiles() {
        let split = Split::new(&sizes([127, 127]), 16, Room { workgroup_bytes: 16 << 10, ..GPU }).expect("a split");
        assert!((split.cells[0] + split.cells[1]) * 16 <= 16 << 10, "{split:?}");
        assert_eq!(Split::new(&sizes([64, 64]), 4, Room { levels: 1, ..GPU }), None);
    }
}
