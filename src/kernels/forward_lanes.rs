//! The forward of all other windows: lanes of a workgroup share each.

use super::lanes::{four_vectors, schedule, vectors_of_windows, window_constants};
use crate::extent::Extent;
use crate::geometry::{Constants, Geometry, Schedule, Vectors};
use crate::kernels::room::Room;
use crate::problem::Problem;
use crate::shaders::{FORWARD, LANES, LANES_WINDOW, SUMS, shader};

pub(super) struct ForwardLanes;

impl Room for ForwardLanes {
    fn name(&self) -> &'static str {
        "forward_lanes"
    }

    /// Any.
    fn schedule(&self, problem: &Problem) -> Option<Schedule> {
        Some(schedule(problem, four_vectors))
    }

    fn vectors(&self, problem: &Problem, _block: Extent) -> Vectors {
        vectors_of_windows(problem)
    }

    fn constants(&self, geometry: &Geometry) -> Constants {
        window_constants(geometry)
    }

    fn files(&self, _derives: bool) -> &'static [&'static str] {
        &[LANES, FORWARD, SUMS, LANES_WINDOW, shader!("forward_lanes")]
    }

    fn is_forward(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use crate::SoftPoolConfig;
    use crate::bound::Role::{X, Y};
    use crate::geometry::Kernel;
    use crate::kernels::FORWARD;
    use crate::kernels::cases::{Want, check, problem, windows};
    use crate::tuning::Tuning;

    #[test]
    fn windows_of_a_workgroup() {
        let want = Want {
            kernel: Kernel::ForwardLanes,
            block: [1, 1, 1],
            // 49 inputs in a row are 13 vectors, for 16 lanes; four windows to a workgroup.
            workgroup: [16, 1, 4],
            grid: [4096, 1, 1],
            constants: &[
                ("LANES_X", 16),
                ("LANES_Y", 1),
                ("GROUPS", 4),
                ("CHUNK", 1),
                ("LEVELS", 1),
                ("SCALE_BITS", 6),
            ],
            touches: &[(X, 2, 0..1, 0..49), (Y, 2, 0..1, 0..1)],
        };
        check(FORWARD, &problem(SoftPoolConfig::global(2), &[8, 512, 7, 7], &[Y], Tuning::GPU), want);
    }

    #[test]
    fn windows_of_many_inputs() {
        let want = Want {
            kernel: Kernel::ForwardLanes,
            block: [1, 1, 1],
            workgroup: [64, 1, 1],
            grid: [1, 1, 512],
            // 12,544 inputs are 13 times 64 lanes of four vectors: two levels of eight.
            constants: &[("CHUNK_QUADS", 4), ("CHUNK_ROWS", 1), ("LEVELS", 2)],
            touches: &[(X, 2, 0..1, 0..12_544)],
        };
        check(FORWARD, &problem(SoftPoolConfig::global(2), &[8, 64, 112, 112], &[Y], Tuning::GPU), want);
    }

    #[test]
    fn windows_too_large_for_64_lanes() {
        let want = Want {
            kernel: Kernel::ForwardLanes,
            block: [1, 1, 1],
            workgroup: [256, 1, 1],
            grid: [2, 2, 1],
            // 1025 inputs of a row are two times 256 vectors, 1025 rows a term for each two: four levels.
            constants: &[("CHUNK_QUADS", 2), ("CHUNK_ROWS", 2), ("LEVELS", 4), ("SCALE_BITS", 21)],
            touches: &[(X, 1, 1..2, 1..1026), (X, 2, 1..2, 0..1026)],
        };
        check(FORWARD, &problem(windows([1025, 1025], 1, 0), &[1, 1, 1026, 1026], &[Y], Tuning::GPU), want);
    }

    /// By runs that lanes read side by side, the shorter ones where windows are alone; by sizes that differ; by rows that are too long.
    #[test]
    fn what_no_other_kernel_takes() {
        for (config, dims) in [
            (windows([1, 40], 40, 0), [1, 2, 1, 160]),
            (windows([5, 5], 5, 0), [8, 512, 5, 5]),
            (windows([9, 9], 9, 0), [1, 2, 20, 20]),
            (SoftPoolConfig::adaptive([3, 3]), [2, 16, 100, 100]),
            (windows([1, 33], 1, 0), [1, 2, 3, 100]),
        ] {
            let geometry = crate::kernels::choose(FORWARD, &problem(config, &dims, &[Y], Tuning::GPU));
            assert_eq!(geometry.map(|geometry| geometry.kernel), Some(Kernel::ForwardLanes));
        }
    }
}
