//! The derivatives of windows along a direction or along beta, and their moments, from saved statistics: an invocation takes a
//! small window, lanes share a large one.

use super::lanes::{constants, one_vector, schedule};
use crate::geometry::{Constants, Geometry, Schedule};
use crate::kernels::room::Room;
use crate::problem::{MAX_TAPS, Problem};
use crate::shaders::{LANE_SUMS, LANES, STATISTICS, SUMS, SUMS_BY_LANES, TANGENT, shader};

pub(super) struct TangentInvocation;

impl Room for TangentInvocation {
    fn name(&self) -> &'static str {
        "tangent"
    }

    fn schedule(&self, problem: &Problem) -> Option<Schedule> {
        (problem.taps() <= MAX_TAPS).then(|| Schedule::of_block([1, 1, 1]))
    }

    fn files(&self, _derives: bool) -> &'static [&'static str] {
        &[STATISTICS, TANGENT, shader!("sums_by_invocation")]
    }
}

pub(super) struct TangentLanes;

impl Room for TangentLanes {
    fn name(&self) -> &'static str {
        "tangent"
    }

    /// Any.
    fn schedule(&self, problem: &Problem) -> Option<Schedule> {
        Some(schedule(problem, one_vector))
    }

    fn constants(&self, geometry: &Geometry) -> Constants {
        constants(geometry)
    }

    fn files(&self, _derives: bool) -> &'static [&'static str] {
        &[LANES, STATISTICS, TANGENT, SUMS, LANE_SUMS, SUMS_BY_LANES]
    }
}

#[cfg(test)]
mod tests {
    use crate::bound::Role::{Moments, Statistics, Tangent, X, Y};
    use crate::geometry::Kernel;
    use crate::kernels::TANGENT_FROM_STATISTICS;
    use crate::kernels::cases::{Want, check, problem, windows};
    use crate::tuning::Tuning;

    const ROLES: [crate::bound::Role; 4] = [Tangent, Statistics, Moments, Y];

    #[test]
    fn small_windows() {
        let want = Want {
            kernel: Kernel::TangentInvocation,
            block: [1, 1, 1],
            workgroup: [64, 1, 1],
            grid: [768, 1, 1],
            constants: &[("TAPS", 9), ("WORKGROUP_X", 64)],
            touches: &[(Tangent, 1, 4..6, 3..7), (Y, 1, 4..6, 4..6), (Moments, 2, 0..3, 0..3), (X, 2, 0..1, 0..6)],
        };
        check(TANGENT_FROM_STATISTICS, &problem(windows([3, 3], 1, 1), &[1, 3, 16, 16], &ROLES, Tuning::GPU), want);
    }

    #[test]
    fn large_windows() {
        let want = Want {
            kernel: Kernel::TangentLanes,
            block: [1, 1, 1],
            // 81 taps are 21 vectors, for 32 lanes: four along rows of nine.
            workgroup: [4, 8, 2],
            grid: [12, 1, 1],
            constants: &[("LANES_X", 4), ("LANES_Y", 8), ("GROUPS", 2), ("LEVELS", 1)],
            touches: &[(Tangent, 1, 1..2, 9..18), (Statistics, 1, 1..2, 1..2)],
        };
        check(TANGENT_FROM_STATISTICS, &problem(windows([9, 9], 9, 0), &[1, 3, 20, 20], &ROLES, Tuning::GPU), want);
    }
}
