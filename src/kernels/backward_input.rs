//! The backward, and the second backward, from saved statistics: an invocation visits the windows that hold its inputs.

use std::ops::Range;

use super::sums::levels_of;
use crate::bound::Role;
use crate::config::AxisWindow;
use crate::cover::Blocks;
use crate::extent::{Extent, product};
use crate::geometry::{Constants, Geometry, Schedule, Vectors};
use crate::kernels::room::Room;
use crate::problem::Problem;
use crate::shaders::{BACKWARD, COVERING, STATISTICS, SUMS, shader};

pub(super) struct BackwardInput;

/// Windows holding an input that one invocation visits.
pub(super) const MAX_HOLDERS: u64 = 1 << 12;

impl Room for BackwardInput {
    fn name(&self) -> &'static str {
        "backward_input"
    }

    fn schedule(&self, problem: &Problem) -> Option<Schedule> {
        let holders = product(problem.holders());
        let block = [1, 1, inputs_alike(problem)];
        (holders <= MAX_HOLDERS).then(|| Schedule { levels: levels_of(holders), ..Schedule::of_block(block) })
    }

    fn tiled(&self, _axis: &AxisWindow, input: u32, _output: u32) -> u32 {
        input
    }

    fn vectors(&self, _problem: &Problem, block: Extent) -> Vectors {
        let starts = block[2].is_multiple_of(4);
        Vectors { x: starts, gradient: starts, ..Vectors::default() }
    }

    fn touches(&self, blocks: &Blocks<'_>, role: Role) -> Range<u64> {
        if role.is_of_inputs() { blocks.inputs() } else { blocks.holders() }
    }

    fn constants(&self, geometry: &Geometry) -> Constants {
        vec![("BLOCK_QUADS", geometry.schedule.block[2] / 4)]
    }

    fn files(&self, _derives: bool) -> &'static [&'static str] {
        &[BACKWARD, COVERING, STATISTICS, SUMS, shader!("backward_input")]
    }

    fn makes_windows(&self) -> bool {
        false
    }
}

/// Inputs of a row that the same windows hold, whichever aligned run of as many they are.
fn inputs_alike(problem: &Problem) -> u32 {
    let AxisWindow { kernel, stride, padding, dilation, adaptive, .. } = problem.axes[2];
    let alike = |run: u32| {
        let stride = if problem.output[2] == 1 { run } else { stride };
        dilation == 1
            && adaptive == 0
            && [kernel, stride, padding, problem.input[2]].iter().all(|size| size.is_multiple_of(run))
    };
    [16, 8, 4].into_iter().find(|&run| alike(run)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use crate::SoftPoolConfig;
    use crate::bound::Role::{GradInput, GradOutput, Moments, Statistics, Tangent, X};
    use crate::geometry::Kernel;
    use crate::kernels::cases::{Want, check, problem, windows};
    use crate::kernels::{BACKWARD_FROM_STATISTICS, SECOND_BACKWARD_FROM_MOMENTS};
    use crate::tuning::Tuning;

    #[test]
    fn windows_of_different_sizes() {
        let want = Want {
            kernel: Kernel::BackwardInput,
            block: [1, 1, 1],
            workgroup: [64, 1, 1],
            grid: [460_800, 1, 1],
            constants: &[("BLOCK_QUADS", 0), ("LEVELS", 1)],
            // Input 4 is in windows 0 (up to 5) and 1 (from 4 on), input 5 in the second alone.
            touches: &[(X, 1, 5..6, 5..6), (GradOutput, 1, 4..5, 0..2), (Statistics, 1, 5..6, 1..2)],
        };
        let roles = [GradOutput, GradInput, Statistics];
        let problem = problem(SoftPoolConfig::adaptive([7, 7]), &[8, 64, 30, 30], &roles, Tuning::GPU);
        check(BACKWARD_FROM_STATISTICS, &problem, want);
    }

    #[test]
    fn inputs_that_one_window_holds() {
        let want = Want {
            kernel: Kernel::BackwardInput,
            block: [1, 1, 16],
            workgroup: [64, 1, 1],
            grid: [300, 1, 1],
            constants: &[("BLOCK_W", 16), ("BLOCK_QUADS", 4)],
            touches: &[(GradInput, 2, 3..5, 48..80), (Statistics, 2, 3..5, 0..1)],
        };
        let roles = [GradOutput, GradInput, Statistics];
        let problem = problem(SoftPoolConfig::global(2), &[1, 3, 40, 40], &roles, Tuning::GPU);
        check(BACKWARD_FROM_STATISTICS, &problem, want);
    }

    #[test]
    fn the_second_backward_of_windows_that_overlap() {
        let want = Want {
            kernel: Kernel::BackwardInput,
            block: [1, 1, 1],
            workgroup: [64, 1, 1],
            grid: [2000, 1, 1],
            // 27 windows hold an input: two levels of eight.
            constants: &[("LEVELS", 2)],
            touches: &[(Tangent, 2, 3..4, 3..4), (Moments, 2, 3..4, 2..5), (Moments, 1, 0..1, 0..2)],
        };
        let roles = [Tangent, GradOutput, Statistics, Moments, GradInput];
        let problem = problem(windows([3, 3, 3], 1, 1), &[1, 2, 10, 10, 10], &roles, Tuning::GPU);
        check(SECOND_BACKWARD_FROM_MOMENTS, &problem, want);
    }
}
