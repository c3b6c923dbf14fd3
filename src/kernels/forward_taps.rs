//! The forward, and the derivatives of windows, down the rows of a strip, of windows of few taps where an exponential is an
//! instruction.

use super::rows::{Row, ring_of_windows, rows_of_strip, vectors_of_blocks, window_constants};
use super::taps::{self, columns_of_strip, taps_of};
use crate::extent::Extent;
use crate::geometry::{Constants, Geometry, Schedule, Vectors};
use crate::kernels::room::Room;
use crate::problem::Problem;
use crate::shaders::{FORWARD, ROWS, TAP_ROWS, TAPS, TURNS, shader};

pub(super) struct ForwardTaps;

impl Room for ForwardTaps {
    fn name(&self) -> &'static str {
        "forward_taps"
    }

    /// Windows that share no input are better off elsewhere, but for their derivatives.
    fn schedule(&self, problem: &Problem) -> Option<Schedule> {
        if !((problem.overlaps() || problem.derives()) && taps::go_by_taps(problem)) {
            return None;
        }
        let [depth, height, _] = problem.axes;
        let [_, rows, columns] = problem.output;
        let strip = columns_of_strip(problem);
        let ring = |rows: u32| ring_of_windows(problem, &[1, rows, strip]);
        let rows_read = |rows: u32| match ring(rows) {
            1 => u64::from(rows) * u64::from(height.kernel),
            ring => u64::from(rows - 1) * u64::from(height.stride) + u64::from(ring),
        };
        let iterations = |rows: u32| 2 * rows_read(rows) * u64::from(depth.kernel);
        let rows = rows_of_strip(problem, rows, columns.div_ceil(strip), iterations)?;
        Some(Schedule { ring_rows: ring(rows), ..Schedule::of_block([1, rows, strip]) })
    }

    fn vectors(&self, problem: &Problem, block: Extent) -> Vectors {
        vectors_of_blocks(problem, block)
    }

    fn constants(&self, geometry: &Geometry) -> Constants {
        window_constants(geometry)
    }

    fn functions(&self, geometry: &Geometry) -> String {
        taps_of(geometry, &Row::of_windows(geometry), geometry.schedule.block[2])
    }

    fn files(&self, _derives: bool) -> &'static [&'static str] {
        &[ROWS, TURNS, TAPS, TAP_ROWS, FORWARD, shader!("forward_taps")]
    }

    fn is_forward(&self) -> bool {
        true
    }

    fn goes_down_strips(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use crate::bound::Role::{Tangent, X, Y};
    use crate::geometry::Kernel;
    use crate::kernels::cases::{Want, check, problem, windows};
    use crate::kernels::{FORWARD, TANGENT, choose};
    use crate::tuning::Tuning;

    #[test]
    fn strips_that_fill_a_gpu() {
        let want = Want {
            kernel: Kernel::ForwardTaps,
            // Of 14, 7 and 4 rows, those of 4 are the first of which there are 2^16: 14 x 14 in 512 planes.
            block: [1, 4, 4],
            workgroup: [64, 1, 1],
            grid: [100_352, 1, 1],
            // The first window's start, at -1, is 3 after a multiple of 4; 3 x 2 + 3 inputs follow.
            constants: &[("LEAD", 3), ("QUADS", 3), ("WINDOW_QUADS", 1), ("RING_ROWS", 3), ("RING_BEFORE", 2)],
            touches: &[(Y, 1, 1..2, 4..8), (X, 1, 1..2, 7..16), (X, 2, 1..2, 3..20), (X, 1, 13..14, 103..112)],
        };
        check(FORWARD, &problem(windows([3, 3], 2, 1), &[8, 64, 112, 112], &[Y], Tuning::GPU), want);
    }

    /// Their values are better off elsewhere.
    #[test]
    fn derivatives_of_windows_that_share_no_input() {
        let want = Want {
            kernel: Kernel::ForwardTaps,
            block: [1, 1, 4],
            workgroup: [64, 1, 1],
            grid: [96, 1, 1],
            constants: &[("RING_ROWS", 1), ("ROWS_OF_TURN", 2), ("QUADS", 2)],
            touches: &[(Tangent, 1, 3..4, 6..8), (X, 1, 3..4, 6..8), (Y, 1, 3..4, 3..4)],
        };
        check(TANGENT, &problem(windows([2, 2], 2, 0), &[2, 3, 16, 16], &[Tangent, Y], Tuning::GPU), want);
    }

    /// Nine rows of three slices each for a row of windows, which nothing keeps.
    #[test]
    fn windows_taller_than_a_ring() {
        let want = Want {
            kernel: Kernel::ForwardTaps,
            block: [1, 4, 4],
            workgroup: [64, 1, 1],
            grid: [672, 1, 1],
            constants: &[("RING_ROWS", 1), ("ROWS_OF_TURN", 18), ("SLICES_OF_ROW", 18), ("UNROLL_ROWS", 0)],
            touches: &[(X, 0, 1..2, 1..3), (X, 1, 0..1, 0..12), (Y, 0, 1..2, 1..2)],
        };
        let tuning = Tuning { least_invocations: 1 << 9, ..Tuning::GPU };
        check(FORWARD, &problem(windows([2, 9, 3], 1, 0), &[2, 2, 8, 24, 26], &[Y], tuning), want);
    }

    #[test]
    fn exponentials_decide() {
        let kernel = |taps, tuning| {
            let problem = problem(windows([taps, taps], 1, taps / 2), &[1, 1, 20, 20], &[Y], tuning);
            choose(FORWARD, &problem).map(|geometry| geometry.kernel)
        };
        assert_eq!(kernel(7, Tuning::GPU), Some(Kernel::ForwardTaps));
        assert_eq!(kernel(9, Tuning::GPU), Some(Kernel::ForwardRows));
        assert_eq!(kernel(5, Tuning::CPU), Some(Kernel::ForwardRows));
    }
}
