//! What blocks have to do with along an axis: the inputs of windows, and the windows of inputs.

use std::ops::Range;

use crate::config::AxisWindow;
use crate::problem::Problem;

/// Inputs along an axis from the first to the last tap of `windows` windows.
pub(crate) fn patch_of(axis: &AxisWindow, windows: u32) -> u32 {
    (windows - 1) * axis.stride + axis.span()
}

/// Along an axis: the windows that hold any input of a block that starts at a multiple of the stride, and their inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cover {
    /// Windows that start at lower multiples of the stride, less the padding.
    pub before: u32,
    pub windows: u32,
    /// Inputs from the first window's start on that hold all windows and the block.
    pub patch: u32,
    /// Where in the patch the block starts.
    pub offset: u32,
}

impl Cover {
    /// Of `block` cells of a stride of inputs each.
    pub fn of(axis: &AxisWindow, block: u32) -> Self {
        // Window o holds padded positions from o stride to o stride + span - 1; the block, those from padding on.
        let before = (axis.span() - 1).saturating_sub(axis.padding) / axis.stride;
        let last = (block * axis.stride - 1 + axis.padding) / axis.stride;
        let windows = before + last + 1;
        let offset = before * axis.stride + axis.padding;
        Self { before, windows, patch: patch_of(axis, windows).max(offset + block * axis.stride), offset }
    }
}

/// Some neighbouring blocks along an axis, of windows, of inputs, or of cells of a stride of inputs each: as the kernel counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blocks<'a> {
    window: &'a AxisWindow,
    /// Positions, and windows, along the axis.
    input: u32,
    output: u32,
    /// What a block has.
    block: u32,
    /// What is before these blocks, and what is before the next.
    first: i64,
    end: i64,
    slack: i64,
}

impl<'a> Blocks<'a> {
    /// Those of a range along an axis, where blocks have so many windows, inputs or cells.
    pub fn new(problem: &'a Problem, axis: usize, block: u32, range: Range<u64>) -> Self {
        let [first, end] = [range.start, range.end].map(|count| count as i64 * i64::from(block));
        // Along the width, vectors of four reach up to three elements beyond what counts.
        let slack = if axis == 2 { 4 } else { 0 };
        let (window, input, output) = (&problem.axes[axis], problem.input[axis], problem.output[axis]);
        Self { window, input, output, block, first, end, slack }
    }
}

/// Ranges of positions and of windows. What lies outside is read at the edge instead.
impl Blocks<'_> {
    /// Blocks of windows: these.
    pub fn windows(&self) -> Range<u64> {
        within(self.first, self.end, self.output)
    }

    /// Blocks of windows: these, as vectors reach them.
    pub fn windows_in_vectors(&self) -> Range<u64> {
        within(self.first - self.slack, self.end + self.slack, self.output)
    }

    /// Blocks of windows: the inputs of these.
    pub fn inputs_of_windows(&self) -> Range<u64> {
        if self.window.adaptive > 0 {
            let positions =
                |o: i64| self.window.adaptive_positions(o.min(i64::from(self.output) - 1) as u32, self.input);
            return u64::from(positions(self.first).start)..u64::from(positions(self.end - 1).end);
        }
        let last_end = self.start_of(self.end - 1) + i64::from(self.window.span());
        within(self.start_of(self.first) - self.slack, last_end + self.slack, self.input)
    }

    /// Blocks of cells that start where windows do: the inputs of these.
    pub fn cells_of_windows(&self) -> Range<u64> {
        within(self.start_of(self.first), self.start_of(self.end), self.input)
    }

    /// Blocks of inputs: these.
    pub fn inputs(&self) -> Range<u64> {
        within(self.first, self.end, self.input)
    }

    /// Blocks of inputs: the windows that hold any of these.
    pub fn holders(&self) -> Range<u64> {
        let (inputs, stride, padding) = (self.inputs(), i64::from(self.window.stride), i64::from(self.window.padding));
        if self.window.adaptive > 0 {
            let windows = |position: u64| self.window.adaptive_windows(position as u32, self.input);
            return u64::from(windows(inputs.start).start)..u64::from(windows(inputs.end - 1).end);
        }
        let first = (inputs.start as i64 + padding - i64::from(self.window.span()) + 1).max(0);
        let last = (inputs.end as i64 - 1 + padding) / stride;
        within((first + stride - 1) / stride, last + 1, self.output)
    }

    /// Blocks of cells from the first input on: the inputs of these.
    pub fn cells(&self) -> Range<u64> {
        let stride = i64::from(self.window.stride);
        within(self.first * stride, self.end * stride, self.input)
    }

    /// Blocks of cells from the first input on: the windows of each block's [`Cover`].
    pub fn covering_windows(&self) -> Range<u64> {
        let Cover { before, windows, .. } = Cover::of(self.window, self.block);
        let (first, last) = (self.first - i64::from(before), self.last_block() - i64::from(before));
        within(first - self.slack, last + i64::from(windows) + self.slack, self.output)
    }

    /// Blocks of cells from the first input on: the inputs of each block's [`Cover`].
    pub fn covering_inputs(&self) -> Range<u64> {
        let Cover { before, patch, .. } = Cover::of(self.window, self.block);
        let [first, last] = [self.first, self.last_block()].map(|block| self.start_of(block - i64::from(before)));
        within(first - self.slack, last + i64::from(patch) + self.slack, self.input)
    }

    /// Where the last of the blocks starts.
    fn last_block(&self) -> i64 {
        self.end - i64::from(self.block)
    }

    /// The first position of a window.
    fn start_of(&self, window: i64) -> i64 {
        window * i64::from(self.window.stride) - i64::from(self.window.padding)
    }
}

/// What there is of a range; of one that lies outside, the nearest element.
fn within(first: i64, end: i64, size: u32) -> Range<u64> {
    let size = i64::from(size);
    let first = first.clamp(0, size - 1);
    first as u64..end.clamp(first + 1, size) as u64
}
