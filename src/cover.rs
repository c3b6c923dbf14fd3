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

#[cfg(test)]
mod tests {
    use super::*;

    /// The positions inside the input that a window has.
    fn taps(axis: &AxisWindow, input: u32, window: u64) -> Vec<u64> {
        if axis.adaptive > 0 {
            return axis.adaptive_positions(window as u32, input).map(u64::from).collect();
        }
        let padded = (0..axis.kernel).map(|tap| window * u64::from(axis.stride) + u64::from(tap * axis.dilation));
        let inside = padded.filter_map(|position| position.checked_sub(u64::from(axis.padding)));
        inside.filter(|&position| position < u64::from(input)).collect()
    }

    /// Windows of every sort, along axes of a few positions.
    fn axes() -> Vec<(AxisWindow, u32)> {
        let mut axes = Vec::new();
        for input in 1..14 {
            for (kernel, stride) in (1..5).flat_map(|kernel| (1..5).map(move |stride| (kernel, stride))) {
                for (padding, dilation) in [(0, 1), (kernel / 2, 1), (0, 2), (kernel / 2, 3)] {
                    axes.push((AxisWindow { kernel, stride, padding, dilation, ..AxisWindow::UNIT }, input));
                }
            }
            let adaptive = [2, 3, 5, 16].map(|adaptive| AxisWindow { adaptive, ..AxisWindow::UNIT }.of_input(input));
            axes.extend(adaptive.into_iter().filter(|axis| axis.adaptive > 0).map(|axis| (axis, input)));
        }
        axes
    }

    fn of_all_blocks(axis: &AxisWindow, input: u32, size: u32, check: impl Fn(Blocks<'_>, Range<u64>)) {
        let Some(output) = axis.output(input) else { return };
        for block in 1..4 {
            let blocks = i64::from(size.div_ceil(block));
            for (first, end) in (0..blocks).flat_map(|first| (first + 1..=blocks).map(move |end| (first, end))) {
                let [first, end] = [first, end].map(|count| count * i64::from(block));
                let of = Blocks { window: axis, input, output, block, first, end, slack: 0 };
                check(of, first as u64..(end as u64).min(u64::from(size)));
            }
        }
    }

    #[track_caller]
    fn assert_holds(range: Range<u64>, needed: impl IntoIterator<Item = u64>, size: u32, blocks: &Blocks<'_>) {
        assert!(!range.is_empty() && range.end <= u64::from(size), "{range:?} of {blocks:?}");
        for needed in needed {
            assert!(range.contains(&needed), "{needed} is not in {range:?} of {blocks:?}");
        }
    }

    #[test]
    fn blocks_of_windows_reach_all_that_these_hold() {
        for (axis, input) in axes() {
            let output = axis.output(input).unwrap_or(0);
            of_all_blocks(&axis, input, output, |blocks, windows| {
                assert_holds(blocks.windows(), windows.clone(), output, &blocks);
                assert_holds(blocks.inputs_of_windows(), windows.flat_map(|o| taps(&axis, input, o)), input, &blocks);
            });
        }
    }

    #[test]
    fn blocks_of_inputs_reach_all_windows_that_hold_these() {
        for (axis, input) in axes() {
            let output = axis.output(input).unwrap_or(0);
            of_all_blocks(&axis, input, input, |blocks, inputs| {
                let holds = |o: &u64| taps(&axis, input, *o).iter().any(|tap| inputs.contains(tap));
                assert_holds(blocks.inputs(), inputs.clone(), input, &blocks);
                assert_holds(blocks.holders(), (0..u64::from(output)).filter(holds), output, &blocks);
            });
        }
    }

    #[test]
    fn blocks_of_cells_reach_their_cover() {
        for (axis, input) in axes().into_iter().filter(|(axis, _)| axis.adaptive == 0) {
            let output = axis.output(input).unwrap_or(0);
            of_all_blocks(&axis, input, input.div_ceil(axis.stride), |blocks, cells| {
                let stride = u64::from(axis.stride);
                let inputs = cells.start * stride..(cells.end * stride).min(u64::from(input));
                let holds = |o: &u64| taps(&axis, input, *o).iter().any(|tap| inputs.contains(tap));
                let holders: Vec<u64> = (0..u64::from(output)).filter(holds).collect();
                assert_holds(blocks.cells(), inputs.clone(), input, &blocks);
                let read = holders.iter().flat_map(|&o| taps(&axis, input, o)).chain(inputs.clone());
                assert_holds(blocks.covering_inputs(), read, input, &blocks);
                assert_holds(blocks.covering_windows(), holders, output, &blocks);
            });
        }
    }

    #[test]
    fn a_cover_is_the_windows_of_a_block() {
        let axis = |kernel, stride, padding| AxisWindow { kernel, stride, padding, ..AxisWindow::UNIT };
        // Inputs 0 to 3: of windows -1 to 4, which hold inputs -2 to 5.
        assert_eq!(Cover::of(&axis(3, 1, 1), 4), Cover { before: 1, windows: 6, patch: 8, offset: 2 });
        // Inputs 0 to 7: of windows 0 to 4, which hold inputs -1 to 9.
        assert_eq!(Cover::of(&axis(3, 2, 1), 4), Cover { before: 0, windows: 5, patch: 11, offset: 1 });
        // Windows that share no input: their cells.
        assert_eq!(Cover::of(&axis(2, 2, 0), 4), Cover { before: 0, windows: 4, patch: 8, offset: 0 });
    }
}
