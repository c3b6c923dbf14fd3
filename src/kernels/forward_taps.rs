//! The forward, and the derivatives of windows, down the rows of a strip, of windows of few taps where an exponential is an
//! instruction.

use super::rows::{Row, ring_constants, vectors_of_blocks};
use super::taps::{self, taps_of};
use crate::extent::Extent;
use crate::geometry::{Constants, Geometry, Schedule, Vectors};
use crate::kernels::room::Room;
use crate::problem::Problem;
use crate::shaders::{FORWARD, ROWS, TAP_ROWS, TAPS, shader};

pub(super) struct ForwardTaps;

impl Room for ForwardTaps {
    fn name(&self) -> &'static str {
        "forward_taps"
    }

    fn schedule(&self, problem: &Problem) -> Option<Schedule> {
        // Windows that share no input are better off elsewhere, but for their derivatives.
        let wanted = problem.overlaps() || problem.derives();
        let [_, rows, columns] = problem.output;
        wanted.then(|| taps::schedule(problem, [rows, columns])).flatten()
    }

    fn vectors(&self, problem: &Problem, block: Extent) -> Vectors {
        vectors_of_blocks(problem, block)
    }

    fn constants(&self, geometry: &Geometry) -> Constants {
        let quads = [("WINDOW_QUADS", geometry.schedule.block[2] / 4)];
        [&quads[..], &Row::of_windows(geometry).constants(), &ring_constants(geometry)].concat()
    }

    fn functions(&self, geometry: &Geometry) -> String {
        taps_of(geometry, &Row::of_windows(geometry), geometry.schedule.block[2])
    }

    fn files(&self, _derives: bool) -> &'static [&'static str] {
        &[ROWS, TAPS, TAP_ROWS, FORWARD, shader!("forward_taps")]
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
            constants: &[("RING_ROWS", 2), ("QUADS", 2)],
            touches: &[(Tangent, 1, 3..4, 6..8), (X, 1, 3..4, 6..8), (Y, 1, 3..4, 3..4)],
        };
        check(TANGENT, &problem(windows([2, 2], 2, 0), &[2, 3, 16, 16], &[Tangent, Y], Tuning::GPU), want);
    }

    #[test]
    fn exponentials_decide() {
        let kernel = |taps, tuning| {
            let problem = problem(windows([taps, taps], 1, taps / 2), &[1, 1, 20, 20], &[Y], tuning);
            choose(FORWARD, &problem).map(|geometry| geometry.kernel)
        };
        assert_eq!(kernel(5, Tuning::GPU), Some(Kernel::ForwardTaps));
        assert_eq!(kernel(7, Tuning::GPU), Some(Kernel::ForwardRows));
        assert_eq!(kernel(5, Tuning::CPU), Some(Kernel::ForwardRows));
    }
}
