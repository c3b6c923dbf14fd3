//! The forward of windows that share no input, of few taps.

use super::disjoint::{block, constants, taps_of, vectors};
use crate::extent::Extent;
use crate::geometry::{Constants, Geometry, Schedule, Vectors};
use crate::kernels::room::Room;
use crate::problem::Problem;
use crate::shaders::{DISJOINT, FORWARD, ROWS, TAPS, shader};

pub(super) struct ForwardDisjoint;

impl Room for ForwardDisjoint {
    fn name(&self) -> &'static str {
        "forward_disjoint"
    }

    fn schedule(&self, problem: &Problem) -> Option<Schedule> {
        let takes = problem.fits_registers() && problem.axes[2].kernel <= problem.max_run();
        takes.then(|| Schedule::of_block(block(self, problem)))
    }

    fn vectors(&self, problem: &Problem, _block: Extent) -> Vectors {
        vectors(problem)
    }

    fn constants(&self, geometry: &Geometry) -> Constants {
        [&[("WINDOW_QUADS", geometry.schedule.block[2] / 4)], constants(geometry).as_slice()].concat()
    }

    fn functions(&self, geometry: &Geometry) -> String {
        taps_of(geometry)
    }

    fn files(&self, _derives: bool) -> &'static [&'static str] {
        &[ROWS, TAPS, DISJOINT, FORWARD, shader!("forward_disjoint")]
    }

    fn is_forward(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use crate::bound::Role::{X, Y};
    use crate::geometry::Kernel;
    use crate::kernels::FORWARD;
    use crate::kernels::cases::{Want, check, problem, windows};
    use crate::tuning::Tuning;

    #[test]
    fn windows_that_share_no_input() {
        let want = Want {
            kernel: Kernel::ForwardDisjoint,
            // 56 x 7 blocks of 512 planes are more than 2^16 invocations.
            block: [1, 1, 8],
            workgroup: [64, 1, 1],
            grid: [200_704, 1, 1],
            constants: &[("LEAD", 0), ("QUADS", 2), ("WINDOW_QUADS", 2), ("TAP_ROWS", 2), ("KEEP", 1), ("TAPS", 4)],
            touches: &[(Y, 2, 1..2, 8..16), (X, 2, 1..2, 12..36), (Y, 1, 3..5, 3..5), (X, 1, 3..5, 6..10)],
        };
        check(FORWARD, &problem(windows([2, 2], 2, 0), &[8, 64, 112, 112], &[Y], Tuning::GPU), want);
    }

    #[test]
    fn few_windows_with_gaps_and_padding() {
        let want = Want {
            kernel: Kernel::ForwardDisjoint,
            block: [1, 1, 4],
            workgroup: [64, 1, 1],
            grid: [6, 1, 1],
            // From the first tap to the last 3 x 4 + 3 inputs, in a row that is no multiple of 4.
            constants: &[("LEAD", 0), ("QUADS", 4), ("TAP_ROWS", 3)],
            // The first window starts in the padding, the last ends at 3 x 4 - 1 + 3.
            touches: &[(X, 2, 0..1, 0..14), (X, 1, 1..2, 3..6), (Y, 2, 0..1, 0..4)],
        };
        check(FORWARD, &problem(windows([3, 3], 4, 1), &[1, 2, 11, 14], &[Y], Tuning::GPU), want);
    }

    #[test]
    fn windows_of_many_taps() {
        let want = Want {
            kernel: Kernel::ForwardDisjoint,
            block: [1, 1, 4],
            workgroup: [64, 1, 1],
            grid: [20, 1, 1],
            constants: &[("KERNEL_W", 5), ("TAP_ROWS", 5), ("KEEP", 0)],
            touches: &[(X, 2, 0..1, 0..24)],
        };
        check(FORWARD, &problem(windows([5, 5], 5, 0), &[1, 2, 25, 40], &[Y], Tuning::CPU), want);
    }
}
