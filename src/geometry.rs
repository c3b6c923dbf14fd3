//! Which kernel computes a pooling, in blocks of what shape, on a grid of how many workgroups: pure arithmetic.

use crate::config::{AxisWindow, GradientRule, MAX_RANK};
use crate::{Error, Result, SoftPoolConfig};

/// Sizes along depth, height and width.
pub(crate) type Extent = [u32; MAX_RANK];

/// Taps that one invocation keeps in registers for a window that it shares with no other.
const MAX_DISJOINT_TAPS: u32 = 64;
/// Inputs that an invocation keeps in registers for windows that overlap; above it the forward reads its patch twice.
const MAX_KEPT_PATCH: u32 = 128;
/// The widest kernel whose row a forward block unrolls; wider windows are shared by a workgroup.
const MAX_UNROLLED_WIDTH: u32 = 32;
/// The most inputs in the patch of a backward block; larger windows go by statistics.
const MAX_BACKWARD_PATCH: u32 = 128;
/// Invocations of a workgroup.
const WORKGROUP_INVOCATIONS: u32 = 64;
/// Taps above which 256 invocations share a window, and how many more fit before a lane's loops are too long: software
/// drivers end an invocation after 65,535 iterations.
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
}

/// A kernel and the shapes that specialise it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Geometry {
    pub kernel: Kernel,
    pub axes: [AxisWindow; MAX_RANK],
    /// What an invocation (or the workgroup of [`Kernel::ForwardWorkgroup`]) computes: windows, cells of inputs for
    /// the backward kernels, or inputs for [`Kernel::BackwardStatistics`].
    pub block: Extent,
    /// Invocations of a workgroup along width, height and depth.
    pub workgroup: Extent,
    pub has_depth: bool,
    pub detached: bool,
}

/// What the blocks of a kernel tile along an axis.
fn tiled(kernel: Kernel, axis: &AxisWindow, input: u32, output: u32) -> u32 {
    match kernel {
        Kernel::ForwardDisjoint | Kernel::ForwardOverlap | Kernel::ForwardWorkgroup => output,
        Kernel::BackwardDisjoint | Kernel::BackwardOverlap => (input + axis.padding).div_ceil(axis.stride),
        Kernel::BackwardStatistics => input,
    }
}

impl Geometry {
    /// The forward kernel for windows of `config` over `input`.
    pub fn forward(config: &SoftPoolConfig, input: Extent, output: Extent) -> Self {
        let axes = config.axes();
        let taps: u64 = axes.iter().map(|axis| u64::from(axis.kernel)).product();
        let overlaps = axes.iter().any(AxisWindow::overlaps);
        let patch = |block: Extent| product(by_axis(|i| patch_of_windows(&axes[i], block[i])));
        if !overlaps && taps <= u64::from(MAX_DISJOINT_TAPS) {
            let block = if taps <= 8 { [1, 1, 4] } else { [1, 1, 1] };
            return Self::new(Kernel::ForwardDisjoint, config, block, input, output);
        }
        // One invocation evaluates a window by the definition in three turns.
        let loops = 3 * 32 * taps;
        if overlaps
            && axes[2].kernel <= MAX_UNROLLED_WIDTH
            && axes[2].span() <= 2 * MAX_UNROLLED_WIDTH
            && loops < 60_000
        {
            let blocks = [[1, 4, 4], [1, 2, 4], [2, 2, 2], [1, 2, 2], [1, 1, 4]];
            let blocks = blocks.map(|block| trimmed(block, output));
            let kept = blocks.into_iter().find(|&block| patch(block) <= u64::from(MAX_KEPT_PATCH));
            return Self::new(Kernel::ForwardOverlap, config, kept.unwrap_or([1, 4, 8]), input, output);
        }
        Self::new(Kernel::ForwardWorkgroup, config, [1, 1, 1], input, output)
    }

    /// The backward kernel that reads nothing but the input and the gradient of the output, if there is one for these
    /// windows.
    pub fn backward(config: &SoftPoolConfig, input: Extent, output: Extent) -> Option<Self> {
        let axes = config.axes();
        let taps: u64 = axes.iter().map(|axis| u64::from(axis.kernel)).product();
        let cell: u64 = axes.iter().map(|axis| u64::from(axis.stride)).product();
        let small = taps.max(cell) <= u64::from(MAX_DISJOINT_TAPS);
        if small && !axes.iter().any(AxisWindow::overlaps) {
            let block = if cell <= 8 { [1, 1, 2] } else { [1, 1, 1] };
            return Some(Self::new(Kernel::BackwardDisjoint, config, block, input, output));
        }
        let blocks = if cell == 1 { [[2, 2, 2], [1, 4, 4], [1, 1, 8]] } else { [[1, 2, 2], [1, 1, 4], [1, 1, 1]] };
        let patch = |block: &Extent| product(by_axis(|i| patch_of_cells(&axes[i], block[i])));
        let fits = |block: &Extent| patch(block) <= u64::from(MAX_BACKWARD_PATCH);
        let block =
            blocks.map(|block| trimmed(block, output)).into_iter().filter(fits).max_by_key(|block| product(*block));
        block.filter(|_| small).map(|block| Self::new(Kernel::BackwardOverlap, config, block, input, output))
    }

    /// The backward kernel that reads the windows' statistics.
    pub fn backward_from_statistics(config: &SoftPoolConfig, input: Extent, output: Extent) -> Self {
        Self::new(Kernel::BackwardStatistics, config, [1, 1, 1], input, output)
    }

    /// Whether a device with `limits` runs the kernels of `config` at all.
    ///
    /// # Errors
    /// [`Error::DeviceLimit`].
    pub fn check_device(config: &SoftPoolConfig, limits: &wgpu::Limits) -> Result<()> {
        let [x, y, _] = lanes(&config.axes());
        let given = u64::from((x * y).max(WORKGROUP_INVOCATIONS));
        let allowed = u64::from(limits.max_compute_invocations_per_workgroup);
        if given > allowed {
            return Err(Error::DeviceLimit {
                what: "a workgroup's number of invocations",
                given,
                limit: "max_compute_invocations_per_workgroup",
                allowed,
                fix: "request a larger limit, or another adapter",
            });
        }
        Ok(())
    }

    fn new(kernel: Kernel, config: &SoftPoolConfig, block: Extent, input: Extent, output: Extent) -> Self {
        let axes = config.axes();
        let blocks = by_axis(|i| tiled(kernel, &axes[i], input[i], output[i]).div_ceil(block[i]));
        let workgroup = if kernel == Kernel::ForwardWorkgroup { lanes(&axes) } else { workgroup(blocks) };
        let has_depth = config.rank() == MAX_RANK;
        let detached = config.gradient_rule() == GradientRule::Detached && !kernel.is_forward();
        Self { kernel, axes, block, workgroup, has_depth, detached }
    }

    /// Blocks along width, height and depth: depth is that of one plane.
    pub fn blocks(&self, input: Extent, output: Extent) -> Extent {
        let [d, h, w] = by_axis(|i| tiled(self.kernel, &self.axes[i], input[i], output[i]).div_ceil(self.block[i]));
        [w, h, d]
    }

    /// Blocks that a workgroup computes along width, height and depth.
    pub fn blocks_of_workgroup(&self) -> Extent {
        if self.kernel == Kernel::ForwardWorkgroup { [1; MAX_RANK] } else { self.workgroup }
    }

    /// The constants of this geometry, in the order of the prelude. Booleans are 0 and 1 for the unroller.
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
        match self.kernel {
            Kernel::ForwardOverlap => {
                let patch = by_axis(|i| patch_of_windows(&axes[i], block[i]));
                by_axis_named(["PATCH_D", "PATCH_H", "PATCH_W"], patch);
                let keep = product(patch) <= u64::from(MAX_KEPT_PATCH);
                constants.push(("WINDOWS", block.iter().product()));
                constants.push(("KEEP", u32::from(keep)));
                constants.push(("KEPT", if keep { patch.iter().product() } else { 1 }));
            }
            Kernel::BackwardOverlap => {
                let patch = by_axis(|i| patch_of_cells(&axes[i], block[i]));
                let windows = by_axis(|i| block[i] + halo(&axes[i]));
                by_axis_named(["PATCH_D", "PATCH_H", "PATCH_W"], patch);
                by_axis_named(["WINDOWS_D", "WINDOWS_H", "WINDOWS_W"], windows);
                by_axis_named(["HALO_D", "HALO_H", "HALO_W"], by_axis(|i| halo(&axes[i])));
                by_axis_named(["CELLS_D", "CELLS_H", "CELLS_W"], by_axis(|i| block[i] * axes[i].stride));
                constants.push(("PATCH", patch.iter().product()));
                constants.push(("WINDOWS", windows.iter().product()));
            }
            Kernel::ForwardDisjoint | Kernel::BackwardDisjoint => {
                constants.push(("TAPS", axes.iter().map(|axis| axis.kernel).product()));
            }
            Kernel::ForwardWorkgroup => {
                let [x, y, _] = self.workgroup;
                let rows = axes[0].kernel * axes[1].kernel;
                let (chunk_rows, chunk_columns) = if rows >= 4 * y { (4, 1) } else { (1, 4) };
                constants.extend([("LANES_X", x), ("LANES_Y", y)]);
                constants.extend([("CHUNK_ROWS", chunk_rows), ("CHUNK_COLUMNS", chunk_columns)]);
                constants.push(("CHUNK", chunk_rows * chunk_columns));
            }
            Kernel::BackwardStatistics => {}
        }
        if self.kernel != Kernel::ForwardWorkgroup {
            constants.extend(["WORKGROUP_X", "WORKGROUP_Y", "WORKGROUP_Z"].into_iter().zip(self.workgroup));
        }
        constants
    }

    /// Whether a window that exists can reach beyond the input.
    pub fn masked(&self) -> bool {
        self.axes.iter().any(|axis| axis.padding > 0 || axis.ceil_mode)
    }
}

impl Kernel {
    pub fn is_forward(self) -> bool {
        matches!(self, Self::ForwardDisjoint | Self::ForwardOverlap | Self::ForwardWorkgroup)
    }
}

fn by_axis(value: impl FnMut(usize) -> u32) -> Extent {
    let mut value = value;
    [value(0), value(1), value(2)]
}

fn product(extent: Extent) -> u64 {
    extent.iter().map(|&size| u64::from(size)).product()
}

/// `block` no larger than what there is.
fn trimmed(block: Extent, size: Extent) -> Extent {
    by_axis(|i| block[i].min(size[i].max(1)))
}

/// Inputs along an axis from the first to the last tap of `windows` windows.
fn patch_of_windows(axis: &AxisWindow, windows: u32) -> u32 {
    (windows - 1) * axis.stride + axis.span()
}

/// Windows before a cell's own that can hold one of its inputs.
fn halo(axis: &AxisWindow) -> u32 {
    (axis.span() - 1) / axis.stride
}

/// Inputs along an axis of all windows that hold an input of `cells` cells, and of the cells.
fn patch_of_cells(axis: &AxisWindow, cells: u32) -> u32 {
    let windows = cells + halo(axis);
    patch_of_windows(axis, windows).max(windows * axis.stride)
}

/// Invocations along width, height and depth that fit `blocks` (depth, height, width) best: eight or more along the
/// width, since drivers vectorise along it and neighbours read neighbours, then as the plane allows.
fn workgroup([_, height, width]: Extent) -> Extent {
    let waste = |x: u32| width.div_ceil(x) * x;
    let x = [8, 16, 32, 64].into_iter().rev().min_by_key(|&x| waste(x)).unwrap_or(8);
    let y = (WORKGROUP_INVOCATIONS / x).min(height.max(1).next_power_of_two());
    [x, y, WORKGROUP_INVOCATIONS / x / y]
}

/// Lanes along width and height that share a window.
fn lanes(axes: &[AxisWindow; MAX_RANK]) -> Extent {
    let taps: u64 = axes.iter().map(|axis| u64::from(axis.kernel)).product();
    let invocations = if taps > LARGE_WINDOW_TAPS { 256 } else { WORKGROUP_INVOCATIONS };
    let x = axes[2].kernel.next_multiple_of(8).min(WORKGROUP_INVOCATIONS);
    [x, (invocations / x).max(1), 1]
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

/// Splits `planes` planes of `blocks` blocks into dispatches that the device takes. `plane_bytes` are the bytes of a
/// plane of each tensor.
///
/// # Errors
/// [`Error::DeviceLimit`] if one plane of a tensor is more than the device can bind.
pub(crate) fn pieces(
    planes: u64,
    plane_bytes: &[u64],
    blocks: Extent,
    blocks_of_workgroup: Extent,
    limits: DispatchLimits,
) -> Result<Vec<Piece>> {
    let mut planes_at_once = planes.min(u64::from(u32::MAX / blocks[2].max(1)));
    for &plane_bytes in plane_bytes.iter().filter(|&&plane_bytes| planes * plane_bytes > limits.binding_bytes) {
        // A piece's first plane may lie up to one alignment after what can be bound.
        let room = limits.binding_bytes - (limits.offset_alignment - 1);
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
        let grid = [blocks[0], blocks[1], blocks[2] * piece_planes];
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
