//! The backward, and the second backward, down the rows of a strip, of windows of few taps where an exponential is an
//! instruction, from nothing but x.

use std::ops::Range;

use super::backward_rows::{BackwardRows, Columns, cell_constants, cell_shuffles};
use super::rows::{ring_constants, rows_of_strip, vectors_of_blocks};
use super::taps::{self, columns_of_strip, taps_of};
use crate::bound::Role;
use crate::config::AxisWindow;
use crate::cover::Blocks;
use crate::extent::Extent;
use crate::geometry::{Constants, Geometry, Schedule, Vectors};
use crate::kernels::room::Room;
use crate::problem::Problem;
use crate::shaders::{GRADIENT_ROW, OUTPUT_ROW, ROWS, TAP_ROWS, TAPS, shader};

pub(super) struct BackwardTaps;

impl Room for BackwardTaps {
    fn name(&self) -> &'static str {
        "backward_taps"
    }

    /// A strip, where a ring holds the rows of a window, and no axis but height and width has more than one tap.
    fn schedule(&self, problem: &Problem) -> Option<Schedule> {
        let [_, height, width] = problem.axes;
        // Windows that share no input are better off elsewhere, but for the second backward.
        let wanted = problem.overlaps() || problem.has(Role::Tangent);
        let near = [height, width].iter().all(|axis| axis.span().max(axis.stride) <= problem.tuning.ring_cells);
        if !(wanted && near && problem.is_flat() && taps::go_by_taps(problem)) {
            return None;
        }
        let [rows, columns] = [1, 2].map(|i| self.tiled(&problem.axes[i], problem.input[i], problem.output[i]));
        let strip = columns_of_strip(problem);
        let turns = |rows: u32| u64::from(rows) + 2 * u64::from(height.span());
        let rows = rows_of_strip(problem, rows, columns.div_ceil(strip), turns)?;
        Some(Schedule { ring_rows: height.span().max(height.stride), ..Schedule::of_block([1, rows, strip]) })
    }

    fn tiled(&self, axis: &AxisWindow, input: u32, output: u32) -> u32 {
        BackwardRows.tiled(axis, input, output)
    }

    fn vectors(&self, problem: &Problem, block: Extent) -> Vectors {
        vectors_of_blocks(problem, block)
    }

    fn touches(&self, blocks: &Blocks<'_>, role: Role) -> Range<u64> {
        BackwardRows.touches(blocks, role)
    }

    fn constants(&self, geometry: &Geometry) -> Constants {
        [cell_constants(geometry), ring_constants(geometry)].concat()
    }

    fn functions(&self, geometry: &Geometry) -> String {
        let Columns { cover, row, .. } = Columns::of(geometry);
        let moved = cell_shuffles(geometry, |shuffle| shuffle.wgsl("", "f32", "0.0"));
        taps_of(geometry, &row, cover.windows) + &moved
    }

    fn files(&self, _derives: bool) -> &'static [&'static str] {
        &[ROWS, TAPS, TAP_ROWS, OUTPUT_ROW, GRADIENT_ROW, shader!("backward_taps")]
    }

    fn makes_windows(&self) -> bool {
        false
    }

    fn goes_down_strips(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use crate::bound::Role::{GradInput, GradOutput, Tangent, X};
    use crate::geometry::Kernel;
    use crate::kernels::cases::{Want, check, problem, windows};
    use crate::kernels::{BACKWARD, SECOND_BACKWARD, choose};
    use crate::tuning::Tuning;

    #[test]
    fn strips_of_cells() {
        let want = Want {
            kernel: Kernel::BackwardTaps,
            block: [1, 16, 4],
            workgroup: [64, 1, 1],
            grid: [100_352, 1, 1],
            constants: &[
                // Each input is in windows from the one before on to the one behind.
                ("WINDOWS_OF_ROW", 3),
                ("WINDOWS_W", 6),
                ("BEFORE_W", 1),
                ("OFFSET_H", 2),
                // The first window starts two inputs before the strip, and is one before its windows.
                ("LEAD", 2),
                ("QUADS", 3),
                ("G_LEAD", 3),
                ("G_QUADS", 3),
                ("WINDOW_QUADS", 2),
                ("CELL_QUADS", 1),
                ("RING_ROWS", 3),
            ],
            touches: &[(GradInput, 1, 1..2, 16..32), (GradOutput, 1, 1..2, 15..33), (X, 1, 1..2, 14..34)],
        };
        let roles = [GradOutput, GradInput];
        check(BACKWARD, &problem(windows([3, 3], 1, 1), &[8, 64, 112, 112], &roles, Tuning::GPU), want);
    }

    #[test]
    fn the_second_backward_of_any_windows() {
        let want = Want {
            kernel: Kernel::BackwardTaps,
            block: [1, 1, 4],
            workgroup: [64, 1, 1],
            grid: [24, 1, 1],
            constants: &[("WINDOWS_W", 4), ("BEFORE_W", 0), ("RING_ROWS", 2)],
            touches: &[(Tangent, 1, 2..3, 4..6), (GradOutput, 1, 2..3, 2..3), (GradInput, 1, 2..3, 4..6)],
        };
        let roles = [Tangent, GradOutput, GradInput];
        check(SECOND_BACKWARD, &problem(windows([2, 2], 2, 0), &[1, 3, 8, 16], &roles, Tuning::GPU), want);
    }

    /// Where exponentials are a polynomial, a window's parts save most of them.
    #[test]
    fn exponentials_decide() {
        let kernel = |taps, tuning| {
            let problem =
                problem(windows([taps, taps], 1, taps / 2), &[1, 1, 20, 20], &[GradOutput, GradInput], tuning);
            choose(BACKWARD, &problem).map(|geometry| geometry.kernel)
        };
        assert_eq!(kernel(5, Tuning::GPU), Some(Kernel::BackwardTaps));
        assert_eq!(kernel(7, Tuning::GPU), None);
        assert_eq!(kernel(5, Tuning::CPU), Some(Kernel::BackwardRows));
    }
}
