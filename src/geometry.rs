//! Which kernel computes a pooling, in blocks of what shape, on a grid of how many workgroups: pure arithmetic.

use crate::config::{AxisWindow, GradientRule, MAX_RANK};
use crate::{Error, Result, Shape, SoftPoolConfig};

/// Sizes along depth, height and width.
pub(crate) type Extent = [u32; MAX_RANK];

/// Taps that an invocation keeps in registers for a window that shares none with another.
const MAX_DISJOINT_TAPS: u64 = 64;
/// Inputs that a window spans along the width, if a block unrolls their row; wider ones are shared by a workgroup.
const MAX_UNROLLED_WIDTH: u32 = 32;
/// Iterations that an invocation may take: software drivers silently end one after 65,535, all loops together.
const MAX_ITERATIONS: u64 = 65_000;
/// Windows holding an input that one invocation visits.
const MAX_CANDIDATES: u64 = 1 << 12;
/// Blocks that one axis of a grid counts for several: f32 divides their number exactly.
const MAX_FLAT_BLOCKS: u64 = 1 << 20;
/// Invocations of a workgroup.
const WORKGROUP_INVOCATIONS: u32 = 64;
/// Invocations that share what is too much for fewer.
const LARGE_WORKGROUP: u32 = 256;
/// Taps above which that many invocations share a window: so many taps are too many iterations for 64.
const LARGE_WINDOW_TAPS: u64 = 1 << 20;

/// One file of shaders/, with what it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kernel {
    ForwardDisjoint,
    ForwardOverlap,
    ForwardWorkgroup,
    BackwardDisjoint,
    BackwardOverlap,
    BackwardStatistics,
    BackwardInput,
    BackwardWorkgroup,
}

/// A kernel and the shapes that specialise it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Geometry {
    pub kernel: Kernel,
    pub axes: [AxisWindow; MAX_RANK],
    /// What an invocation (or the workgroup of [`Kernel::ForwardWorkgroup`]) computes: windows, cells of inputs for
    /// the backward kernels, or inputs for [`Kernel::BackwardInput`].
    pub block: Extent,
    /// Invocations of a workgroup along width, height and depth.
    pub workgroup: Extent,
    pub has_depth: bool,
    pub detached: bool,
    pub vectors: Vectors,
    pub grid: Grid,
    /// Whether a forward block unrolls the rows of its patch.
    pub unrolls_rows: bool,
    /// Whether inputs remain after the last window's cell.
    pub has_remainder: bool,
}

/// What the grid's x counts: the more it counts, the fewer invocations of a workgroup are left idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Grid {
    /// Blocks of a row; y counts rows, z layers of all planes.
    Rows,
    /// Blocks of a layer, row after row; z counts layers of all planes.
    Layers,
    /// Blocks of all planes.
    Planes,
}

/// Which tensors are bound and addressed as aligned vectors of four elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Vectors {
    /// x, and its gradient.
    pub x: bool,
    /// y, or its gradient.
    pub y: bool,
}

/// A pooling to find a kernel for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Problem<'a> {
    pub config: &'a SoftPoolConfig,
    /// The windows by axis, and how many positions and windows there are: those of the configuration and the shapes, with
    /// axes that windows cover whole made one with the next.
    pub axes: [AxisWindow; MAX_RANK],
    pub input: Extent,
    pub output: Extent,
    pub planes: u64,
    /// Whether every tensor starts where a vector of four elements may.
    pub aligned: bool,
    pub tuning: Tuning,
}

/// How much one invocation takes on: the one place where processors disagree.
///
/// A block of windows shares its loads and exponentials, so that large blocks do least work; small ones need few registers
/// and leave more invocations to run beside each other. Results have the same accuracy either way, but not the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tuning {
    /// Inputs that an invocation may keep in registers, where windows overlap.
    pub max_patch: u64,
    /// Sums that an invocation may keep in registers, two for each window or input that it computes.
    pub max_sums: u64,
    /// Rows of a patch that an invocation unrolls; more are a loop.
    pub max_unrolled_rows: u32,
    /// Invocations below which a smaller block is better.
    pub least_invocations: u64,
    /// Invocations that share a window too large for one: a power of two, at most 256.
    pub window_lanes: u32,
}

impl Tuning {
    /// A GPU has many registers by thread but not hundreds, and needs thousands of threads to hide its memory's latency.
    /// Chosen by these limits, not measured yet.
    pub const GPU: Self =
        Self { max_patch: 96, max_sums: 64, max_unrolled_rows: 32, least_invocations: 1 << 17, window_lanes: 64 };
    /// A software driver spills to its first-level cache for little, and gains from each load and exponential saved. Its
    /// vectors have eight lanes. Measured on Mesa's.
    pub const CPU: Self =
        Self { max_patch: 400, max_sums: 400, max_unrolled_rows: 32, least_invocations: 1 << 9, window_lanes: 8 };

    /// GL's compilers take seconds for as much text as large blocks have; and where one thread compiles for more than six,
    /// wgpu panics in another that waits for the device.
    pub const SOFTWARE_GL: Self = Self { max_patch: 160, max_sums: 64, max_unrolled_rows: 12, ..Self::CPU };

    /// What suits the device's adapter.
    pub fn of(device: &wgpu::Device) -> Self {
        let wgpu::AdapterInfo { device_type, backend, .. } = device.adapter_info();
        match (device_type, backend) {
            (wgpu::DeviceType::Cpu, wgpu::Backend::Gl) => Self::SOFTWARE_GL,
            (wgpu::DeviceType::Cpu, _) => Self::CPU,
            _ => Self::GPU,
        }
    }
}

/// Blocks for windows that overlap and for windows that don't, the largest first: the larger, the more its windows share.
/// Widths are multiples of the vectors' 4.
const OVERLAP_BLOCKS: [Extent; 5] = [[1, 8, 8], [1, 4, 8], [1, 2, 8], [1, 2, 4], [1, 1, 4]];
const DISJOINT_BLOCKS: [Extent; 2] = [[1, 1, 8], [1, 1, 4]];

impl<'a> Problem<'a> {
    /// The pooling of `input` by `config`.
    pub fn new(config: &'a SoftPoolConfig, input: &Shape, output: &Shape, aligned: bool, tuning: Tuning) -> Self {
        let mut problem = Self {
            config,
            axes: config.axes(),
            input: input.depth_height_width(),
            output: output.depth_height_width(),
            planes: input.planes() as u64,
            aligned,
            tuning,
        };
        while problem.fold() {}
        problem
    }

    /// Where windows cover the width whole, the rows of a window are one run of memory: a width of height times width
    /// says the same. So global pooling is 1D, whatever its rank.
    fn fold(&mut self) -> bool {
        let [depth, height, width] = self.axes;
        let (rows, columns) = (self.input[1], self.input[2]);
        let covers = width.kernel == columns && width.padding == 0 && width.dilation == 1 && self.output[2] == 1;
        // Sums of a few such numbers must stay within 32 bits.
        let fits = |size: u32| u64::from(size) * u64::from(columns) < 1 << 28;
        if !covers || height.dilation != 1 || rows <= 1 || ![rows, height.kernel, height.stride].into_iter().all(fits) {
            return false;
        }
        let times = |size: u32| size * columns;
        let (kernel, stride, padding) = (times(height.kernel), times(height.stride), times(height.padding));
        self.axes = [AxisWindow::UNIT, depth, AxisWindow { kernel, stride, padding, ..height }];
        self.input = [1, self.input[0], times(rows)];
        self.output = [1, self.output[0], self.output[1]];
        true
    }

    fn axes(&self) -> [AxisWindow; MAX_RANK] {
        self.axes
    }

    fn taps(&self) -> u64 {
        product(by_axis(|i| self.axes()[i].kernel))
    }

    /// Windows that can hold an input, as shaders/covering.wgsl enumerates them.
    fn candidates(&self) -> u64 {
        product(by_axis(|i| ((self.axes[i].span() - 1) / self.axes[i].stride + 1).min(self.axes[i].kernel)))
    }

    fn overlaps(&self) -> bool {
        self.axes().iter().any(AxisWindow::overlaps)
    }

    /// The first of `blocks` that leaves enough to do in parallel, or the last, of those that the kernel can take.
    fn block<'b>(&self, kernel: Kernel, blocks: impl IntoIterator<Item = &'b Extent>) -> Option<Extent> {
        let mut last = None;
        for block in blocks {
            let tiled = |i: usize| tiled(kernel, &self.axes()[i], self.input[i], self.output[i]).max(1);
            let block = by_axis(|i| if i == 2 { block[i] } else { block[i].min(tiled(i)) });
            if !self.takes(kernel, block) {
                continue;
            }
            last = Some(block);
            let invocations = self.planes.saturating_mul(product(by_axis(|i| tiled(i).div_ceil(block[i]))));
            if invocations >= self.tuning.least_invocations {
                break;
            }
        }
        last
    }

    /// Whether an invocation of a kernel for windows that overlap keeps the values of a block in registers, and can go by
    /// the definition if it has to.
    fn takes(&self, kernel: Kernel, block: Extent) -> bool {
        let axes = self.axes();
        let cover = |i: usize| Cover::of(&axes[i], block[i]);
        let inputs = || product(by_axis(|i| block[i] * axes[i].stride));
        let Tuning { max_patch, max_sums, .. } = self.tuning;
        let (fits, iterations) = match kernel {
            // Each row of the patch is read twice, and each window reads its taps three times. Blocks of eight rows pay where
            // as many rows again are shared.
            Kernel::ForwardOverlap => {
                let tall = block[1] > 4 && axes[1].span() <= block[1];
                let rows = [0, 1].map(|i| u64::from(patch_of(&axes[i], block[i])));
                let rows_read = rows[0].saturating_mul(rows[1]).saturating_mul(2);
                let taps_read = product(block) * 3 * self.taps();
                (2 * product(block) <= max_sums && !tall, rows_read.saturating_add(taps_read))
            }
            // Each input evaluates its windows.
            Kernel::BackwardOverlap => {
                let patch = product(by_axis(|i| cover(i).patch));
                (patch <= max_patch, inputs() * (2 + self.candidates() * (1 + 3 * self.taps())))
            }
            // Each row of windows is read, and each input visits its windows.
            Kernel::BackwardStatistics => {
                let rows = u64::from(cover(0).windows) * u64::from(cover(1).windows);
                (2 * inputs() <= max_sums, rows + inputs() * (2 + self.candidates()))
            }
            _ => (true, 0),
        };
        fits && iterations <= MAX_ITERATIONS
    }

    /// Blocks for [`Kernel::BackwardStatistics`], those first that load the fewest windows over all.
    fn blocks_by_windows_loaded(&self) -> Vec<Extent> {
        let tiled = |i: usize| tiled(Kernel::BackwardStatistics, &self.axes[i], self.input[i], self.output[i]);
        let mut blocks: Vec<Extent> = (1..=20).flat_map(|h| [4, 8, 12, 16, 20].map(|w| [1, h, w])).collect();
        blocks.sort_by_key(|block| {
            let loaded = by_axis(|i| {
                let windows = Cover::of(&self.axes[i], block[i]).windows;
                // Rows are read in vectors of four.
                if i == 2 { windows.next_multiple_of(4) } else { windows }
            });
            product(by_axis(|i| tiled(i).div_ceil(block[i]))) * product(loaded)
        });
        blocks
    }

    fn disjoint_block(&self, kernel: Kernel, elements: u64) -> Extent {
        let wide = elements <= 16 && self.axes()[2].stride <= 8;
        let blocks: &[Extent] = if wide { &DISJOINT_BLOCKS } else { &[] };
        self.block(kernel, blocks).unwrap_or([1, 1, 1])
    }

    /// The forward kernel.
    pub fn forward(&self) -> Geometry {
        let taps = self.taps();
        if !self.overlaps() && taps <= MAX_DISJOINT_TAPS {
            let block = self.disjoint_block(Kernel::ForwardDisjoint, taps);
            return self.geometry(Kernel::ForwardDisjoint, block);
        }
        if self.overlaps() && self.axes()[2].span() <= MAX_UNROLLED_WIDTH {
            if let Some(block) = self.block(Kernel::ForwardOverlap, &OVERLAP_BLOCKS) {
                return self.geometry(Kernel::ForwardOverlap, block);
            }
        }
        self.geometry(Kernel::ForwardWorkgroup, [1, 1, 1])
    }

    /// The backward kernel that reads nothing but the input and the gradient of the output, if there is one for these
    /// windows.
    pub fn backward(&self) -> Option<Geometry> {
        let elements = self.taps().max(product(by_axis(|i| self.axes()[i].stride)));
        if elements > MAX_DISJOINT_TAPS {
            return None;
        }
        if !self.overlaps() {
            let block = self.disjoint_block(Kernel::BackwardDisjoint, elements);
            return Some(self.geometry(Kernel::BackwardDisjoint, block));
        }
        let block = self.block(Kernel::BackwardOverlap, &OVERLAP_BLOCKS)?;
        Some(self.geometry(Kernel::BackwardOverlap, block))
    }

    /// The backward kernel that reads the windows' statistics.
    pub fn backward_from_statistics(&self) -> Geometry {
        if self.overlaps() && self.axes()[2].span() <= MAX_UNROLLED_WIDTH {
            if let Some(block) = self.block(Kernel::BackwardStatistics, &self.blocks_by_windows_loaded()) {
                return self.geometry(Kernel::BackwardStatistics, block);
            }
        }
        if self.candidates() > MAX_CANDIDATES {
            return self.geometry(Kernel::BackwardWorkgroup, [1, 1, 1]);
        }
        // Inputs of a row that the same windows hold, whichever aligned run of as many they are.
        let AxisWindow { kernel, stride, padding, dilation, .. } = self.axes[2];
        let alike = |run: u32| {
            let stride = if self.output[2] == 1 { run } else { stride };
            dilation == 1 && [kernel, stride, padding, self.input[2]].iter().all(|size| size.is_multiple_of(run))
        };
        let run = [16, 8, 4].into_iter().find(|&run| alike(run)).unwrap_or(1);
        self.geometry(Kernel::BackwardInput, [1, 1, run])
    }

    fn geometry(&self, kernel: Kernel, block: Extent) -> Geometry {
        let Self { config, axes, input, output, planes, aligned, .. } = *self;
        let vectors = Vectors {
            x: aligned && input[2].is_multiple_of(4) && starts_at_vectors(kernel, &axes[2], block[2], output[2]),
            y: aligned && output[2].is_multiple_of(4) && block[2].is_multiple_of(4),
        };
        let mut geometry = Geometry {
            kernel,
            axes,
            block,
            workgroup: [1; MAX_RANK],
            has_depth: false,
            detached: config.gradient_rule() == GradientRule::Detached && !kernel.is_forward(),
            vectors,
            grid: Grid::Rows,
            unrolls_rows: patch_of(&axes[0], block[0]).saturating_mul(patch_of(&axes[1], block[1]))
                <= self.tuning.max_unrolled_rows,
            has_remainder: kernel == Kernel::BackwardDisjoint
                && (0..MAX_RANK).any(|i| tiled(kernel, &axes[i], input[i], output[i]) != output[i]),
        };
        let [w, h, d] = geometry.blocks(input, output);
        geometry.has_depth = d > 1;
        let blocks_of = |axes: &[u32]| axes.iter().fold(1u64, |all, &blocks| all.saturating_mul(u64::from(blocks)));
        geometry.grid = if kernel.is_shared() || blocks_of(&[w, h]) >= MAX_FLAT_BLOCKS {
            Grid::Rows
        } else if blocks_of(&[w, h, d]).saturating_mul(planes) >= MAX_FLAT_BLOCKS {
            Grid::Layers
        } else {
            Grid::Planes
        };
        geometry.workgroup = match kernel {
            Kernel::ForwardWorkgroup => lanes(&axes, self.tuning.window_lanes),
            Kernel::BackwardWorkgroup => [LARGE_WORKGROUP, 1, 1],
            _ => workgroup(geometry.grid(input, output, planes.min(u64::from(u32::MAX)) as u32)),
        };
        geometry
    }
}

/// Whether what a kernel reads of a row, but for a constant lead, starts at multiples of 4.
fn starts_at_vectors(kernel: Kernel, axis: &AxisWindow, block: u32, output: u32) -> bool {
    match kernel {
        Kernel::BackwardInput => block.is_multiple_of(4),
        Kernel::BackwardWorkgroup => false,
        Kernel::ForwardWorkgroup => {
            let strides = output == 1 || axis.stride.is_multiple_of(4);
            strides && axis.dilation == 1 && axis.padding.is_multiple_of(4) && axis.kernel.is_multiple_of(4)
        }
        _ => (block * axis.stride).is_multiple_of(4),
    }
}

/// What the blocks of a kernel tile along an axis.
fn tiled(kernel: Kernel, axis: &AxisWindow, input: u32, output: u32) -> u32 {
    match kernel {
        Kernel::ForwardDisjoint | Kernel::ForwardOverlap | Kernel::ForwardWorkgroup => output,
        Kernel::BackwardDisjoint => (input + axis.padding).div_ceil(axis.stride),
        Kernel::BackwardOverlap | Kernel::BackwardStatistics => input.div_ceil(axis.stride),
        Kernel::BackwardInput | Kernel::BackwardWorkgroup => input,
    }
}

impl Geometry {
    /// Whether a device with `limits` runs this kernel with `storage_buffers` tensors and parameters of `params_bytes`.
    ///
    /// # Errors
    /// [`Error::DeviceLimit`].
    pub fn check_device(&self, storage_buffers: usize, params_bytes: usize, limits: &wgpu::Limits) -> Result<()> {
        let [x, y, z] = self.workgroup.map(u64::from);
        // A partial window has four words, a lane's sum one.
        let shared_bytes = if self.kernel.is_shared() { 16 * x * y * z } else { 0 };
        let needs: [(&'static str, u64, &'static str, u32); 9] = [
            (
                "a workgroup's number of invocations",
                x * y * z,
                "max_compute_invocations_per_workgroup",
                limits.max_compute_invocations_per_workgroup,
            ),
            ("a workgroup's width", x, "max_compute_workgroup_size_x", limits.max_compute_workgroup_size_x),
            ("a workgroup's height", y, "max_compute_workgroup_size_y", limits.max_compute_workgroup_size_y),
            ("a workgroup's depth", z, "max_compute_workgroup_size_z", limits.max_compute_workgroup_size_z),
            (
                "a workgroup's memory in bytes",
                shared_bytes,
                "max_compute_workgroup_storage_size",
                limits.max_compute_workgroup_storage_size,
            ),
            (
                "the number of workgroups",
                1,
                "max_compute_workgroups_per_dimension",
                limits.max_compute_workgroups_per_dimension,
            ),
            (
                "the number of tensors of a pass",
                storage_buffers as u64,
                "max_storage_buffers_per_shader_stage",
                limits.max_storage_buffers_per_shader_stage,
            ),
            (
                "the number of uniform buffers",
                1,
                "max_uniform_buffers_per_shader_stage",
                limits.max_uniform_buffers_per_shader_stage,
            ),
            ("the number of bind groups", 1, "max_bind_groups", limits.max_bind_groups),
        ];
        let uniform = (
            "the parameters' size in bytes",
            params_bytes as u64,
            "max_uniform_buffer_binding_size",
            limits.max_uniform_buffer_binding_size,
        );
        let needs = needs.map(|(what, given, limit, allowed)| (what, given, limit, u64::from(allowed)));
        for (what, given, limit, allowed) in needs.into_iter().chain([uniform]) {
            if given > allowed {
                let fix = "request a larger limit, or another adapter";
                return Err(Error::DeviceLimit { what, given, limit, allowed, fix });
            }
        }
        Ok(())
    }

    /// Blocks along the grid's axes for so many planes.
    pub fn grid(&self, input: Extent, output: Extent, planes: u32) -> Extent {
        let [w, h, d] = self.blocks(input, output);
        match self.grid {
            Grid::Rows => [w, h, d * planes],
            Grid::Layers => [w * h, 1, d * planes],
            Grid::Planes => [w * h * d * planes, 1, 1],
        }
    }

    /// Blocks of one plane along width, height and depth.
    pub fn blocks(&self, input: Extent, output: Extent) -> Extent {
        let [d, h, w] = by_axis(|i| tiled(self.kernel, &self.axes[i], input[i], output[i]).div_ceil(self.block[i]));
        [w, h, d]
    }

    /// Blocks that a workgroup computes along width, height and depth.
    pub fn blocks_of_workgroup(&self) -> Extent {
        if self.kernel.is_shared() { [1; MAX_RANK] } else { self.workgroup }
    }

    /// Whether a window that exists can reach beyond the input.
    pub fn masked(&self) -> bool {
        self.axes.iter().any(|axis| axis.padding > 0 || axis.ceil_mode)
    }

    /// Whether sums along the width are made of sums of 1, 2, 4 and more taps: fewer taps a stride are added one by one.
    pub fn sums_by_doubling(&self) -> bool {
        self.axes[2].stride == 1 && self.axes[2].kernel > 3
    }

    /// Whether the backward's blocks start at aligned inputs.
    pub fn vector_gradient(&self) -> bool {
        let aligned_start = self.kernel != Kernel::BackwardDisjoint || self.axes[2].padding.is_multiple_of(4);
        self.vectors.x && aligned_start
    }

    /// The constants of this geometry, as the prelude and the unroller take them.
    pub fn constants(&self) -> Vec<(&'static str, u32)> {
        let mut constants = Vec::with_capacity(64);
        let mut by_axis_named = |names: [&'static str; MAX_RANK], values: Extent| {
            constants.extend(names.into_iter().zip(values));
        };
        let (axes, block) = (&self.axes, &self.block);
        by_axis_named(["KERNEL_D", "KERNEL_H", "KERNEL_W"], by_axis(|i| axes[i].kernel));
        by_axis_named(["STRIDE_D", "STRIDE_H", "STRIDE_W"], by_axis(|i| axes[i].stride));
        by_axis_named(["PADDING_D", "PADDING_H", "PADDING_W"], by_axis(|i| axes[i].padding));
        by_axis_named(["DILATION_D", "DILATION_H", "DILATION_W"], by_axis(|i| axes[i].dilation));
        by_axis_named(["SPAN_D", "SPAN_H", "SPAN_W"], by_axis(|i| axes[i].span()));
        by_axis_named(["BLOCK_D", "BLOCK_H", "BLOCK_W"], *block);
        let [x, y, _] = self.workgroup;
        if self.kernel == Kernel::ForwardWorkgroup {
            // Four vectors at once, of as few rows as the width fills.
            let quads = match axes[2].kernel / (4 * x) {
                0 | 1 => 1,
                2 | 3 => 2,
                _ => 4,
            };
            constants.extend([("BLOCK_QUADS", 0), ("LANES_X", x), ("LANES_Y", y)]);
            constants.extend([("CHUNK_ROWS", 4 / quads), ("CHUNK_QUADS", quads), ("CHUNK", 4)]);
            return constants;
        }
        if self.kernel == Kernel::BackwardWorkgroup {
            constants.extend([("LANES_X", x), ("LANES_Y", y)]);
            return constants;
        }
        let mut by_axis_named = |names: [&'static str; MAX_RANK], values: Extent| {
            constants.extend(names.into_iter().zip(values));
        };
        by_axis_named(["WORKGROUP_Z", "WORKGROUP_Y", "WORKGROUP_X"], by_axis(|i| self.workgroup[2 - i]));
        if self.kernel == Kernel::BackwardInput {
            constants.push(("BLOCK_QUADS", block[2] / 4));
            return constants;
        }
        let cover = [0, 1, 2].map(|i| match self.kernel {
            Kernel::BackwardOverlap | Kernel::BackwardStatistics => Cover::of(&axes[i], block[i]),
            _ => Cover { before: 0, windows: block[i], patch: patch_of(&axes[i], block[i]), offset: 0 },
        });
        let cells = by_axis(|i| block[i] * axes[i].stride);
        let reads_cells = self.kernel == Kernel::BackwardStatistics;
        let patch = if reads_cells { cells } else { by_axis(|i| cover[i].patch) };
        // Inputs, and windows, by which the row's first lies after an aligned one.
        let lead = if self.vectors.x && !reads_cells {
            (cover[2].before * axes[2].stride + axes[2].padding).wrapping_neg() % 4
        } else {
            0
        };
        let window_lead = if self.vectors.y { cover[2].before.wrapping_neg() % 4 } else { 0 };
        let quads = (lead + patch[2]).div_ceil(4);
        by_axis_named(["PATCH_D", "PATCH_H", "PATCH_W"], patch);
        by_axis_named(["CELLS_D", "CELLS_H", "CELLS_W"], cells);
        by_axis_named(["WINDOWS_D", "WINDOWS_H", "WINDOWS_W"], by_axis(|i| cover[i].windows));
        by_axis_named(["BEFORE_D", "BEFORE_H", "BEFORE_W"], by_axis(|i| cover[i].before));
        by_axis_named(["OFFSET_D", "OFFSET_H", "OFFSET_W"], by_axis(|i| cover[i].offset));
        let taps: u32 = axes.iter().map(|axis| axis.kernel).product();
        constants.extend([
            ("BLOCK_QUADS", block[2] / 4),
            ("LEAD", lead),
            ("QUADS", quads),
            ("WINDOW_LEAD", window_lead),
            ("WINDOW_QUADS", (window_lead + cover[2].windows).div_ceil(4)),
            ("CELL_QUADS", cells[2].div_ceil(4)),
            ("COVERED_W", cover[2].patch),
            ("BOX_W", patch[2].max(cover[2].windows)),
            ("KERNEL_BITS", if self.sums_by_doubling() { u32::BITS - axes[2].kernel.leading_zeros() } else { 0 }),
            ("CELL_ROWS", cells[0] * cells[1]),
            ("PATCH_ROWS", patch[0] * patch[1]),
            ("WINDOW_ROWS", block[0] * block[1]),
            ("TAPS", taps),
            ("OTHERS", taps - 1),
            ("UNROLL_ROWS", u32::from(self.unrolls_rows)),
        ]);
        constants
    }
}

impl Kernel {
    /// Whether a workgroup shares a block, rather than each invocation having its own.
    pub fn is_shared(self) -> bool {
        matches!(self, Self::ForwardWorkgroup | Self::BackwardWorkgroup)
    }

    pub fn reads_statistics(self) -> bool {
        matches!(self, Self::BackwardStatistics | Self::BackwardInput | Self::BackwardWorkgroup)
    }

    pub fn is_forward(self) -> bool {
        matches!(self, Self::ForwardDisjoint | Self::ForwardOverlap | Self::ForwardWorkgroup)
    }
}

fn by_axis(value: impl FnMut(usize) -> u32) -> Extent {
    [0, 1, 2].map(value)
}

fn product(extent: Extent) -> u64 {
    extent.iter().map(|&size| u64::from(size)).product()
}

/// Inputs along an axis from the first to the last tap of `windows` windows.
fn patch_of(axis: &AxisWindow, windows: u32) -> u32 {
    (windows - 1) * axis.stride + axis.span()
}

/// Along an axis: the windows that hold any input of a block that starts at a multiple of the stride, and their inputs.
#[derive(Clone, Copy, Debug)]
struct Cover {
    /// Windows that start at lower multiples of the stride, less the padding.
    before: u32,
    windows: u32,
    /// Inputs from the first window's start on that hold all windows and the block.
    patch: u32,
    /// Where in the patch the block starts.
    offset: u32,
}

impl Cover {
    fn of(axis: &AxisWindow, block: u32) -> Self {
        // Window o holds padded positions from o stride to o stride + span - 1; the block, those from padding on.
        let before = (axis.span() - 1).saturating_sub(axis.padding) / axis.stride;
        let last = (block * axis.stride - 1 + axis.padding) / axis.stride;
        let windows = before + last + 1;
        let offset = before * axis.stride + axis.padding;
        Self { before, windows, patch: patch_of(axis, windows).max(offset + block * axis.stride), offset }
    }
}

/// Invocations along the grid's axes that leave the fewest idle. Eight or more along x, since drivers vectorise along it.
fn workgroup([x_blocks, y_blocks, _]: Extent) -> Extent {
    let idle = |x: u32| x_blocks.next_multiple_of(x) - x_blocks;
    let sizes = (1..=WORKGROUP_INVOCATIONS / 8).rev().map(|eights| 8 * eights);
    let x = sizes.min_by_key(|&x| idle(x)).unwrap_or(8);
    let y = (WORKGROUP_INVOCATIONS / x).min(y_blocks.next_power_of_two());
    [x, y, (WORKGROUP_INVOCATIONS / x / y).max(1)]
}

/// Lanes along width, each reading four taps at once, and height that share a window.
fn lanes(axes: &[AxisWindow; MAX_RANK], window_lanes: u32) -> Extent {
    let taps = product(by_axis(|i| axes[i].kernel));
    let invocations = if taps > LARGE_WINDOW_TAPS { LARGE_WORKGROUP } else { window_lanes.clamp(1, LARGE_WORKGROUP) };
    let x = axes[2].kernel.div_ceil(4).next_power_of_two().min(invocations);
    [x, invocations / x, 1]
}

/// What a device allows of a dispatch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DispatchLimits {
    pub binding_bytes: u64,
    pub offset_alignment: u64,
    pub workgroups: u32,
}

impl DispatchLimits {
    pub fn of(limits: &wgpu::Limits) -> Self {
        Self {
            // Element indices have 32 bits.
            binding_bytes: limits.max_storage_buffer_binding_size.min(u64::from(u32::MAX) & !3),
            offset_alignment: u64::from(limits.min_storage_buffer_offset_alignment),
            workgroups: limits.max_compute_workgroups_per_dimension,
        }
    }
}

/// One dispatch of a plan: some of the planes, and some of their blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub first_plane: u64,
    pub planes: u32,
    pub first_block: Extent,
    pub workgroups: Extent,
}

/// Splits `planes` planes of `layers` layers into dispatches that the device takes; `grid` gives the blocks of some planes.
/// `plane_bytes` are the bytes of a plane of each tensor.
///
/// # Errors
/// [`Error::DeviceLimit`] if one plane of a tensor is more than the device can bind.
pub(crate) fn pieces(
    planes: u64,
    plane_bytes: &[u64],
    layers: u32,
    grid: impl Fn(u32) -> Extent,
    blocks_of_workgroup: Extent,
    limits: DispatchLimits,
) -> Result<Vec<Piece>> {
    let mut planes_at_once = planes.min(u64::from(u32::MAX / layers.max(1)));
    for &plane_bytes in plane_bytes.iter().filter(|&&plane_bytes| planes * plane_bytes > limits.binding_bytes) {
        // A piece's first plane may lie up to one alignment after what can be bound.
        let room = limits.binding_bytes.saturating_sub(limits.offset_alignment - 1);
        planes_at_once = planes_at_once.min(room / plane_bytes);
        if planes_at_once == 0 {
            return Err(Error::DeviceLimit {
                what: "a plane's size in bytes",
                given: plane_bytes,
                limit: "max_storage_buffer_binding_size",
                allowed: limits.binding_bytes,
                fix: "request a larger limit, or split the plane",
            });
        }
    }
    let mut pieces = Vec::new();
    let mut first_plane = 0;
    while first_plane < planes {
        let piece_planes = planes_at_once.min(planes - first_plane) as u32;
        let grid = grid(piece_planes);
        let chunks = |i: usize| {
            let step = u64::from(limits.workgroups) * u64::from(blocks_of_workgroup[i]);
            let step = u32::try_from(step).unwrap_or(u32::MAX);
            (0..grid[i])
                .step_by(step as usize)
                .map(move |first| (first, (grid[i] - first).min(step).div_ceil(blocks_of_workgroup[i])))
        };
        for (z, workgroups_z) in chunks(2) {
            for (y, workgroups_y) in chunks(1) {
                for (x, workgroups_x) in chunks(0) {
                    pieces.push(Piece {
                        first_plane,
                        planes: piece_planes,
                        first_block: [x, y, z],
                        workgroups: [workgroups_x, workgroups_y, workgroups_z],
                    });
                }
            }
        }
        first_plane += u64::from(piece_planes);
    }
    Ok(pieces)
}
