//! The backward, and the second backward, from saved statistics where more windows hold an input than one invocation can visit: the
//! lanes of a workgroup do.

use std::ops::Range;

use super::backward_input::MAX_HOLDERS;
use super::lanes::MOST_LANES;
use super::sums::levels_of;
use crate::bound::Role;
use crate::config::AxisWindow;
use crate::cover::Blocks;
use crate::extent::product;
use crate::geometry::{Constants, Geometry, Schedule};
use crate::kernels::room::Room;
use crate::problem::Problem;
use crate::shaders::{BACKWARD, COVERING, LANE_SUMS, STATISTICS, SUMS, shader};

pub(super) struct BackwardWorkgroup;

impl Room for BackwardWorkgroup {
    fn name(&self) -> &'static str {
        "backward_workgroup"
    }

    fn schedule(&self, problem: &Problem) -> Option<Schedule> {
        let holders = product(problem.holders());
        let levels = levels_of(holders.div_ceil(u64::from(MOST_LANES)));
        (holders > MAX_HOLDERS).then(|| Schedule::of_lanes([MOST_LANES, 1, 1], levels))
    }

    fn tiled(&self, _axis: &AxisWindow, input: u32, _output: u32) -> u32 {
        input
    }

    fn touches(&self, blocks: &Blocks<'_>, role: Role) -> Range<u64> {
        if role.is_of_inputs() { blocks.inputs() } else { blocks.holders() }
    }

    fn constants(&self, geometry: &Geometry) -> Constants {
        vec![("LANES_X", geometry.workgroup[0])]
    }

    fn files(&self, _derives: bool) -> &'static [&'static str] {
        &[BACKWARD, COVERING, STATISTICS, SUMS, LANE_SUMS, shader!("backward_workgroup")]
    }

    fn makes_windows(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use crate::bound::Role::{GradInput, GradOutput, Statistics, X};
    use crate::geometry::Kernel;
    use crate::kernels::BACKWARD_FROM_STATISTICS;
    use crate::kernels::cases::{Want, check, problem, windows};
    use crate::tuning::Tuning;

    #[test]
    fn inputs_in_thousands_of_windows() {
        for tuning in [Tuning::GPU, Tuning::CPU] {
            let want = Want {
                kernel: Kernel::BackwardWorkgroup,
                block: [1, 1, 1],
                workgroup: [256, 1, 1],
                grid: [10_000, 1, 2],
                // 20 windows a lane.
                constants: &[("LANES_X", 256), ("LEVELS", 2)],
                touches: &[
                    (X, 2, 6000..6001, 6000..6001),
                    (Statistics, 2, 6000..6001, 1001..5001),
                    (GradOutput, 2, 0..2, 0..2),
                ],
            };
            let roles = [GradOutput, GradInput, Statistics];
            check(BACKWARD_FROM_STATISTICS, &problem(windows([5000], 1, 0), &[1, 2, 10_000], &roles, tuning), want);
        }
    }
}
