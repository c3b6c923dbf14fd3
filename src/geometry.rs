//! A kernel with the shapes that specialise it.

use crate::Natives;
use crate::config::{AxisWindow, MAX_RANK};
use crate::extent::{Extent, by_axis, product};
use crate::grid::Grid;

/// Which kernel: the key of its room in src/kernels/.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kernel {
    ForwardDisjoint,
    ForwardTaps,
    ForwardRows,
    ForwardWindow,
    ForwardLanes,
    BackwardDisjoint,
    BackwardLanes,
    BackwardTaps,
    BackwardRows,
    BackwardStatistics,
    BackwardInput,
    BackwardWorkgroup,
    TangentInvocation,
    TangentLanes,
    Sum,
}

/// A kernel and the shapes that specialise it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Geometry {
    pub kernel: Kernel,
    pub axes: [AxisWindow; MAX_RANK],
    pub schedule: Schedule,
    /// Invocations of a workgroup along width, height and depth.
    pub workgroup: Extent,
    pub grid: Grid,
    pub has_depth: bool,
    /// Whether derivatives take the weights as constants.
    pub detached: bool,
    pub ordinary_beta: bool,
    pub vectors: Vectors,
    /// The roles, as bits, of tensors whose rows are contiguous; and of those that are contiguous as a whole.
    pub contiguous_rows: u16,
    pub contiguous_tensors: u16,
    /// Whether all planes count as channels of one sample.
    pub one_sample: bool,
    /// Whether an invocation computes two channels, whose elements are the halves of words.
    pub pairs: bool,
    pub natives: Natives,
}

/// How a kernel goes about a pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Schedule {
    /// What an invocation, or the lanes that share it, computes: windows, inputs, or cells of a stride of inputs.
    pub block: Extent,
    /// Lanes along width and height that share a block, and blocks of a workgroup; none where an invocation has its own.
    pub lanes: Option<Extent>,
    /// Rows whose partial windows a strip keeps.
    pub ring_rows: u32,
    /// Levels of an invocation's sums: see shaders/sums.wgsl. 0 where it has none.
    pub levels: u32,
}

impl Schedule {
    /// A block for each invocation.
    pub fn of_block(block: Extent) -> Self {
        Self { block, lanes: None, ring_rows: 1, levels: 0 }
    }

    /// Windows, or inputs, that lanes share.
    pub fn of_lanes(lanes: Extent, levels: u32) -> Self {
        Self { lanes: Some(lanes), levels, ..Self::of_block([1; MAX_RANK]) }
    }
}

/// Which tensors are bound and addressed as aligned vectors of four elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Vectors {
    pub x: bool,
    /// The direction, where x is too.
    pub tangent: bool,
    /// The gradient of x.
    pub gradient: bool,
    /// All tensors of windows.
    pub y: bool,
}

/// Names and values that WGSL takes from the host.
pub(crate) type Constants = Vec<(&'static str, u32)>;

impl Geometry {
    /// Blocks that a workgroup computes along width, height and depth.
    pub fn blocks_of_workgroup(&self) -> Extent {
        match self.schedule.lanes {
            Some([.., groups]) => [groups, 1, 1],
            None => self.workgroup,
        }
    }

    /// Channels that an invocation computes, one after the other.
    pub fn channels_of_invocation(&self) -> u64 {
        if self.pairs { 2 } else { 1 }
    }

    /// Invocations, or workgroups that share a block, along the grid's axes for so many blocks along depth, height and width of
    /// so many planes.
    pub fn grid_of(&self, blocks: Extent, samples: u64, channels: u64) -> Extent {
        self.grid.size(blocks, samples, channels, self.channels_of_invocation())
    }

    /// Whether a window that exists can reach beyond the input.
    pub fn masked(&self) -> bool {
        self.axes.iter().any(|axis| axis.padding > 0 || axis.ceil_mode)
    }

    /// The constants that every kernel has; its room has the others.
    pub fn constants(&self) -> Constants {
        let axes = &self.axes;
        let mut constants = Vec::with_capacity(64);
        let mut by_axis_named =
            |names: [&'static str; MAX_RANK], values| constants.extend(names.into_iter().zip(values));
        by_axis_named(["KERNEL_D", "KERNEL_H", "KERNEL_W"], by_axis(|i| axes[i].kernel));
        by_axis_named(["STRIDE_D", "STRIDE_H", "STRIDE_W"], by_axis(|i| axes[i].stride));
        by_axis_named(["PADDING_D", "PADDING_H", "PADDING_W"], by_axis(|i| axes[i].padding));
        by_axis_named(["DILATION_D", "DILATION_H", "DILATION_W"], by_axis(|i| axes[i].dilation));
        by_axis_named(["SPAN_D", "SPAN_H", "SPAN_W"], by_axis(|i| axes[i].span()));
        by_axis_named(["COMMON_D", "COMMON_H", "COMMON_W"], by_axis(|i| axes[i].common()));
        by_axis_named(["STEP_D", "STEP_H", "STEP_W"], by_axis(|i| axes[i].step()));
        by_axis_named(["INVERSE_D", "INVERSE_H", "INVERSE_W"], by_axis(|i| axes[i].inverse()));
        let [depth, _, width] = self.schedule.block;
        constants.extend([("BLOCK_D", depth), ("BLOCK_W", width)]);
        constants.extend([("CHANNELS", self.channels_of_invocation() as u32), ("TAPS", self.taps())]);
        if self.schedule.levels > 0 {
            constants.push(("LEVELS", self.schedule.levels));
        }
        if self.schedule.lanes.is_none() {
            let [x, y, z] = self.workgroup;
            constants.extend([("WORKGROUP_Z", z), ("WORKGROUP_Y", y), ("WORKGROUP_X", x)]);
        }
        constants
    }

    /// Taps of a window. What reads them all has few: three times as many are within 32 bits.
    pub fn taps(&self) -> u32 {
        product(by_axis(|i| self.axes[i].kernel)).min(1 << 30) as u32
    }
}
