//! The plain sums of windows: lanes share each. They add up the gradient of beta.

use super::lanes::{constants, one_vector, schedule};
use crate::geometry::{Constants, Geometry, Schedule};
use crate::kernels::room::Room;
use crate::problem::Problem;
use crate::shaders::{LANE_SUMS, LANES, SUMS, SUMS_BY_LANES, shader};

pub(super) struct Sum;

impl Room for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }

    /// Any.
    fn schedule(&self, problem: &Problem) -> Option<Schedule> {
        Some(schedule(problem, one_vector))
    }

    fn constants(&self, geometry: &Geometry) -> Constants {
        constants(geometry)
    }

    fn files(&self, _derives: bool) -> &'static [&'static str] {
        &[LANES, shader!("sum"), SUMS, LANE_SUMS, SUMS_BY_LANES]
    }
}

#[cfg(test)]
mod tests {
    use crate::bound::Role::{X, Y};
    use crate::geometry::Kernel;
    use crate::kernels::SUM;
    use crate::kernels::cases::{Want, check, problem, windows};
    use crate::tuning::Tuning;

    #[test]
    fn runs_of_a_plane() {
        let want = Want {
            kernel: Kernel::Sum,
            block: [1, 1, 1],
            workgroup: [64, 1, 1],
            grid: [4, 1, 6],
            // 16 vectors a lane.
            constants: &[("LANES_X", 64), ("LEVELS", 2)],
            touches: &[(X, 2, 3..4, 12_284..12_544), (Y, 2, 3..4, 3..4)],
        };
        check(SUM, &problem(windows([4096], 4096, 0).ceil_mode(true), &[2, 3, 12_544], &[Y], Tuning::GPU), want);
    }
}
