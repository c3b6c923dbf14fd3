//! The backward of windows that share no input, of few taps, from nothing but x.

use std::ops::Range;

use super::disjoint::{self, block, cells_of, cells_of_windows, taps_of};
use crate::bound::Role;
use crate::config::AxisWindow;
use crate::cover::Blocks;
use crate::extent::{Extent, by_axis, product};
use crate::geometry::{Constants, Geometry, Schedule, Vectors};
use crate::kernels::room::Room;
use crate::problem::{MAX_TAPS, Problem};
use crate::shaders::{DISJOINT, GRADIENT_ROW, ROWS, TAPS, WINDOW_VALUES, shader};

pub(super) struct BackwardDisjoint;

impl Room for BackwardDisjoint {
    fn name(&self) -> &'static str {
        "backward_disjoint"
    }

    fn schedule(&self, problem: &Problem) -> Option<Schedule> {
        // Of a window, or of a cell with its gaps.
        let elements = problem.taps().max(product(by_axis(|i| problem.axes[i].stride)));
        if !problem.fits_registers() || elements > MAX_TAPS || problem.axes[2].kernel > problem.max_run() {
            return None;
        }
        Some(Schedule::of_block(block(self, problem)))
    }

    /// Cells from the first window's start on, which lies in the padding.
    fn tiled(&self, axis: &AxisWindow, input: u32, _output: u32) -> u32 {
        (input + axis.padding).div_ceil(axis.stride)
    }

    fn vectors(&self, problem: &Problem, _block: Extent) -> Vectors {
        let vectors = disjoint::vectors(problem);
        Vectors { gradient: vectors.gradient && problem.axes[2].padding.is_multiple_of(4), ..vectors }
    }

    fn touches(&self, blocks: &Blocks<'_>, role: Role) -> Range<u64> {
        cells_of_windows(blocks, role)
    }

    fn constants(&self, geometry: &Geometry) -> Constants {
        let own = [
            ("CELL_BLOCK_QUADS", geometry.schedule.block[2] / 4),
            ("WINDOWS_W", 4),
            ("WINDOW_LEAD", 0),
            ("WINDOW_QUADS", 1),
            ("CELL_QUADS", geometry.axes[2].stride),
        ];
        [own.as_slice(), &disjoint::constants(geometry)].concat()
    }

    fn functions(&self, geometry: &Geometry) -> String {
        taps_of(geometry) + &cells_of(geometry)
    }

    fn files(&self, _derives: bool) -> &'static [&'static str] {
        &[ROWS, TAPS, DISJOINT, WINDOW_VALUES, GRADIENT_ROW, shader!("backward_disjoint")]
    }

    fn makes_windows(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use crate::bound::Role::{GradInput, GradOutput, X};
    use crate::geometry::Kernel;
    use crate::kernels::cases::{Want, check, problem, windows};
    use crate::kernels::{BACKWARD, choose};
    use crate::tuning::Tuning;

    #[test]
    fn cells_of_windows() {
        let want = Want {
            kernel: Kernel::BackwardDisjoint,
            block: [1, 1, 8],
            workgroup: [64, 1, 1],
            grid: [200_704, 1, 1],
            constants: &[
                ("CELL_BLOCK_QUADS", 2),
                ("CELL_QUADS", 2),
                ("WINDOW_QUADS", 1),
                ("QUADS", 2),
                ("KEPT_ROWS", 2),
            ],
            touches: &[(GradInput, 2, 1..2, 16..32), (X, 2, 1..2, 12..36), (GradOutput, 2, 1..2, 4..20)],
        };
        let roles = [GradOutput, GradInput];
        check(BACKWARD, &problem(windows([2, 2], 2, 0), &[8, 64, 112, 112], &roles, Tuning::GPU), want);
    }

    /// The cell of a padded window starts before the input.
    #[test]
    fn cells_with_gaps() {
        let want = Want {
            kernel: Kernel::BackwardDisjoint,
            block: [1, 1, 4],
            workgroup: [64, 1, 1],
            grid: [4, 1, 1],
            constants: &[("CELL_BLOCK_QUADS", 1), ("CELL_QUADS", 4), ("TAPS", 9)],
            touches: &[(GradInput, 1, 0..1, 0..3), (GradInput, 1, 1..2, 3..7), (X, 1, 1..2, 3..6)],
        };
        let roles = [GradOutput, GradInput];
        check(BACKWARD, &problem(windows([3, 3], 4, 1), &[1, 1, 14, 14], &roles, Tuning::GPU), want);
    }

    /// A cell of 81 inputs is too much, however small the window.
    #[test]
    fn cells_too_large() {
        let roles = [GradOutput, GradInput];
        let problem = problem(windows([2, 2], 9, 0), &[1, 1, 40, 40], &roles, Tuning::CPU);
        assert_eq!(choose(BACKWARD, &problem), None);
    }
}
