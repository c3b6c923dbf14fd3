//! The backward of large windows that tile the input, from nothing but x: lanes of a workgroup share each.

use std::ops::Range;

use super::disjoint::cells_of_windows;
use super::lanes::{four_vectors, schedule, vectors_of_windows, window_constants};
use crate::bound::Role;
use crate::config::{AxisWindow, MAX_RANK};
use crate::cover::Blocks;
use crate::extent::{Extent, product};
use crate::geometry::{Constants, Geometry, Schedule, Vectors};
use crate::kernels::room::Room;
use crate::problem::{MAX_TAPS, Problem};
use crate::shaders::{LANES, LANES_WINDOW, SUMS, shader};

pub(super) struct BackwardLanes;

impl Room for BackwardLanes {
    fn name(&self) -> &'static str {
        "backward_lanes"
    }

    fn schedule(&self, problem: &Problem) -> Option<Schedule> {
        let wanted = if problem.taps() <= MAX_TAPS {
            problem.axes[2].kernel > problem.max_run()
        } else {
            // Else inputs are more than windows with their lanes.
            problem.fills_device(product(problem.output).saturating_mul(u64::from(problem.tuning.window_lanes)))
        };
        (wanted && tiles(problem)).then(|| schedule(problem, four_vectors))
    }

    fn vectors(&self, problem: &Problem, _block: Extent) -> Vectors {
        vectors_of_windows(problem)
    }

    fn touches(&self, blocks: &Blocks<'_>, role: Role) -> Range<u64> {
        cells_of_windows(blocks, role)
    }

    fn constants(&self, geometry: &Geometry) -> Constants {
        window_constants(geometry)
    }

    fn files(&self, _derives: bool) -> &'static [&'static str] {
        &[LANES, SUMS, LANES_WINDOW, shader!("backward_lanes")]
    }

    fn makes_windows(&self) -> bool {
        false
    }
}

/// Whether each input is in one window, and windows have no gaps.
fn tiles(problem: &Problem) -> bool {
    (0..MAX_RANK).all(|i| {
        let AxisWindow { kernel, stride, padding, dilation, adaptive, .. } = problem.axes[i];
        let end = u64::from(problem.output[i]) * u64::from(stride);
        kernel == stride && dilation == 1 && adaptive == 0 && end >= u64::from(problem.input[i]) + u64::from(padding)
    })
}

#[cfg(test)]
mod tests {
    use crate::bound::Role::{GradInput, GradOutput, X};
    use crate::geometry::Kernel;
    use crate::kernels::cases::{Want, check, problem, windows};
    use crate::kernels::{BACKWARD, choose};
    use crate::tuning::Tuning;

    const ROLES: [crate::bound::Role; 2] = [GradOutput, GradInput];

    #[test]
    fn large_tiles() {
        let want = Want {
            kernel: Kernel::BackwardLanes,
            block: [1, 1, 1],
            // Four vectors along a row of 16, 16 rows at once, four at a time.
            workgroup: [4, 16, 1],
            grid: [7, 7, 512],
            constants: &[("CHUNK_ROWS", 4), ("CHUNK_QUADS", 1), ("CHUNK", 4), ("LEVELS", 1), ("SCALE_BITS", 8)],
            touches: &[(GradInput, 1, 2..3, 32..48), (X, 2, 2..3, 28..52), (GradOutput, 1, 2..3, 2..3)],
        };
        check(BACKWARD, &problem(windows([16, 16], 16, 0), &[8, 64, 112, 112], &ROLES, Tuning::GPU), want);
    }

    /// An input is left over; a window is too small; windows are too few for the device.
    #[test]
    fn what_it_leaves_to_others() {
        let kernel = |kernel: usize, dims: [usize; 4]| {
            let problem = problem(windows([kernel; 2], kernel, 0), &dims, &ROLES, Tuning::GPU);
            choose(BACKWARD, &problem).map(|geometry| geometry.kernel)
        };
        assert_eq!(kernel(16, [8, 64, 113, 112]), None);
        assert_eq!(kernel(8, [8, 64, 112, 112]), Some(Kernel::BackwardDisjoint));
        // 1023 windows of 64 lanes.
        assert_eq!(kernel(16, [1, 1023, 16, 17]), None);
        assert_eq!(kernel(16, [1, 1024, 16, 16]), Some(Kernel::BackwardLanes));
    }
}
