//! The backward of overlapping windows from saved statistics: an invocation computes a block of cells from the windows that cover it.

use std::ops::Range;

use super::rows::{Row, vectors_of_blocks};
use crate::bound::Role;
use crate::config::AxisWindow;
use crate::cover::{Blocks, Cover};
use crate::extent::{Extent, by_axis, product};
use crate::geometry::{Constants, Geometry, Schedule, Vectors};
use crate::kernels::room::Room;
use crate::problem::{MAX_ITERATIONS, MAX_WIDTH, Problem};
use crate::shaders::{BACKWARD, COVERING, GRADIENT_ROW, ROWS, STATISTICS, WINDOW_VALUES, shader};

pub(super) struct BackwardStatistics;

impl Room for BackwardStatistics {
    fn name(&self) -> &'static str {
        "backward_statistics"
    }

    fn schedule(&self, problem: &Problem) -> Option<Schedule> {
        let takes = problem.overlaps() && !problem.is_adaptive() && problem.axes[2].span() <= MAX_WIDTH;
        takes.then(|| self.block(problem)).flatten().map(Schedule::of_block)
    }

    /// Cells from the first input on.
    fn tiled(&self, axis: &AxisWindow, input: u32, _output: u32) -> u32 {
        input.div_ceil(axis.stride)
    }

    fn vectors(&self, problem: &Problem, block: Extent) -> Vectors {
        vectors_of_blocks(problem, block)
    }

    fn touches(&self, blocks: &Blocks<'_>, role: Role) -> Range<u64> {
        if role.is_of_inputs() { blocks.cells() } else { blocks.covering_windows() }
    }

    fn constants(&self, geometry: &Geometry) -> Constants {
        let (axes, block) = (&geometry.axes, geometry.schedule.block);
        let [depth, height, width] = [0, 1, 2].map(|i| Cover::of(&axes[i], block[i]));
        let cells = by_axis(|i| block[i] * axes[i].stride);
        let row = Row::new(cells[2], 0, geometry.vectors.x);
        let windows = Row::new(width.windows, width.before, geometry.vectors.y);
        let own = [
            ("CELLS_D", cells[0]),
            ("CELLS_H", cells[1]),
            ("CELLS_W", cells[2]),
            ("WINDOWS_D", depth.windows),
            ("WINDOWS_H", height.windows),
            ("WINDOWS_W", width.windows),
            ("BEFORE_D", depth.before),
            ("BEFORE_H", height.before),
            ("BEFORE_W", width.before),
            ("OFFSET_D", depth.offset),
            ("OFFSET_H", height.offset),
            ("OFFSET_W", width.offset),
            ("WINDOW_LEAD", windows.lead),
            ("WINDOW_QUADS", windows.quads),
            ("CELL_QUADS", cells[2].div_ceil(4)),
            ("COVERED_W", width.patch),
            ("BOX_W", cells[2].max(width.windows)),
            ("KERNEL_BITS", if self.doubles(geometry) { axes[2].kernel.ilog2() + 1 } else { 0 }),
            ("CELL_ROWS", cells[0] * cells[1]),
        ];
        [own.as_slice(), &row.constants()].concat()
    }

    /// Fewer taps a stride are added one by one.
    fn doubles(&self, geometry: &Geometry) -> bool {
        geometry.axes[2].stride == 1 && geometry.axes[2].kernel > 3
    }

    fn files(&self, _derives: bool) -> &'static [&'static str] {
        const KERNEL: &str = shader!("backward_statistics");
        const WINDOW_BY_WINDOW: &str = shader!("window_by_window");
        &[
            ROWS,
            BACKWARD,
            WINDOW_VALUES,
            GRADIENT_ROW,
            shader!("spread"),
            COVERING,
            STATISTICS,
            WINDOW_BY_WINDOW,
            KERNEL,
        ]
    }

    fn makes_windows(&self) -> bool {
        false
    }
}

impl BackwardStatistics {
    /// Of the blocks whose values an invocation keeps in registers, and which it can go through window by window if it has to:
    /// that which loads the fewest windows over all and leaves enough to do in parallel, or the last.
    fn block(&self, problem: &Problem) -> Option<Extent> {
        let Problem { axes, input, output, tuning, .. } = problem;
        let tiled = by_axis(|i| self.tiled(&axes[i], input[i], output[i]));
        let blocks_of = |block: Extent, tiled: Extent| product(by_axis(|i| tiled[i].div_ceil(block[i])));
        let windows = |block: Extent| [0, 1, 2].map(|i| Cover::of(&axes[i], block[i]).windows);
        let mut blocks: Vec<Extent> = (1..=20).flat_map(|h| [4, 8, 12, 16, 20].map(|w| [1, h, w])).collect();
        blocks.sort_by_key(|&block| {
            let [d, h, w] = windows(block);
            // Rows are read in vectors of four.
            blocks_of(block, tiled) * product([d, h, w.next_multiple_of(4)])
        });
        let takes = |&block: &Extent| {
            let [d, h, _] = windows(block);
            let inputs = product(by_axis(|i| block[i] * axes[i].stride));
            // Each row of windows is read, and each input visits its windows.
            let iterations = u64::from(d) * u64::from(h) + inputs * (2 + visits(problem));
            2 * inputs <= tuning.max_sums && iterations <= MAX_ITERATIONS
        };
        let tiled = tiled.map(|tiled| tiled.max(1));
        let taken = || blocks.iter().map(|&[d, h, w]| [d.min(tiled[0]), h.min(tiled[1]), w]).filter(takes);
        taken().find(|&block| problem.fills_device(blocks_of(block, tiled))).or_else(|| taken().next_back())
    }
}

/// Iterations of the loops over the windows that hold an input, one in another.
fn visits(problem: &Problem) -> u64 {
    let [d, h, w] = problem.holders().map(u64::from);
    d.saturating_mul(1 + h.saturating_mul(1 + w))
}

#[cfg(test)]
mod tests {
    use crate::bound::Role::{GradInput, GradOutput, Statistics, X};
    use crate::geometry::Kernel;
    use crate::kernels::BACKWARD_FROM_STATISTICS;
    use crate::kernels::cases::{Want, check, problem, windows};
    use crate::tuning::Tuning;

    const ROLES: [crate::bound::Role; 3] = [GradOutput, GradInput, Statistics];

    #[test]
    fn blocks_that_load_the_fewest_windows() {
        let want = Want {
            kernel: Kernel::BackwardStatistics,
            // Three by two blocks, each of 10 rows of 16 windows: 960, and no other block within the sums loads fewer.
            block: [1, 8, 12],
            workgroup: [64, 1, 1],
            grid: [3072, 1, 1],
            constants: &[
                ("CELLS_H", 8),
                ("CELL_ROWS", 8),
                ("WINDOWS_H", 10),
                ("BEFORE_H", 1),
                ("OFFSET_W", 2),
                ("LEAD", 0),
                ("QUADS", 3),
                ("WINDOW_LEAD", 3),
                ("WINDOW_QUADS", 5),
                ("COVERED_W", 16),
                ("BOX_W", 14),
                ("KERNEL_BITS", 0),
            ],
            touches: &[(X, 1, 1..2, 8..16), (Statistics, 1, 1..2, 7..17), (GradOutput, 2, 0..1, 0..17)],
        };
        check(BACKWARD_FROM_STATISTICS, &problem(windows([3, 3], 1, 1), &[8, 64, 24, 24], &ROLES, Tuning::CPU), want);
    }

    /// 31 = 1 + 2 + 4 + 8 + 16 taps; and the fewer sums an invocation has, the smaller its block.
    #[test]
    fn windows_of_many_taps() {
        let want = Want {
            kernel: Kernel::BackwardStatistics,
            block: [1, 1, 4],
            workgroup: [64, 1, 1],
            grid: [32, 1, 1],
            constants: &[("KERNEL_BITS", 5), ("BEFORE_W", 15), ("WINDOWS_W", 34), ("BOX_W", 34), ("COVERED_W", 64)],
            touches: &[(X, 2, 1..2, 4..8), (Statistics, 2, 8..9, 13..55)],
        };
        let tuning = Tuning { max_sums: 8, ..Tuning::CPU };
        check(BACKWARD_FROM_STATISTICS, &problem(windows([31], 1, 15), &[1, 1, 128], &ROLES, tuning), want);
    }
}
