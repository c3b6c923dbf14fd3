//! The forward down the rows of a strip, where windows overlap; and the derivatives of windows by the same pass.

use super::rows::{
    Row, Shuffle, ring_of_windows, rows_of_strip, shuffles, sum_constants, vectors_of_blocks, window_constants,
};
use crate::cover::patch_of;
use crate::extent::Extent;
use crate::geometry::{Constants, Geometry, Schedule, Vectors};
use crate::kernels::room::Room;
use crate::problem::{MAX_WIDTH, Problem};
use crate::shaders::{FORWARD, PARTIAL, ROWS, STATISTICS, TANGENT, TURNS, WINDOW_ROW, shader};

pub(super) struct ForwardRows;

impl Room for ForwardRows {
    fn name(&self) -> &'static str {
        "forward_rows"
    }

    /// Windows that share no input are better off elsewhere, but for their derivatives.
    fn schedule(&self, problem: &Problem) -> Option<Schedule> {
        let width = problem.axes[2];
        let takes = (problem.overlaps() || problem.derives()) && !problem.is_adaptive() && width.span() <= MAX_WIDTH;
        let block = takes.then(|| strip(problem)).flatten()?;
        Some(Schedule { ring_rows: ring_of_windows(problem, &block), ..Schedule::of_block(block) })
    }

    fn vectors(&self, problem: &Problem, block: Extent) -> Vectors {
        vectors_of_blocks(problem, block)
    }

    fn constants(&self, geometry: &Geometry) -> Constants {
        [window_constants(geometry), sum_constants(geometry)].concat()
    }

    fn functions(&self, geometry: &Geometry) -> String {
        let (Row { lead, quads, .. }, width) = (Row::of_windows(geometry), geometry.axes[2]);
        shuffles(&[
            Shuffle { name: "next_taps", from_quads: quads, to_quads: quads, from: &|i| Some(i + width.dilation) },
            Shuffle {
                name: "at_windows",
                from_quads: quads,
                to_quads: window_quads(geometry),
                from: &|i| Some(lead + i * width.stride),
            },
        ])
    }

    fn files(&self, derives: bool) -> &'static [&'static str] {
        const KERNEL: &str = shader!("forward_rows");
        match derives {
            false => &[ROWS, TURNS, PARTIAL, WINDOW_ROW, FORWARD, shader!("forward_values"), KERNEL],
            true => &[ROWS, TURNS, PARTIAL, WINDOW_ROW, STATISTICS, TANGENT, shader!("derivative_values"), KERNEL],
        }
    }

    fn is_forward(&self) -> bool {
        true
    }

    fn goes_down_strips(&self) -> bool {
        true
    }
}

/// A strip of windows, if one takes no more iterations than a driver allows, all of its windows by the definition included.
fn strip(problem: &Problem) -> Option<Extent> {
    let [depth, height, width] = problem.axes;
    let [rows, columns] = [problem.output[1], problem.output[2]];
    // Where wide strips gain, values gain 2 %, for one and a half times the time to compile; derivatives a tenth or more.
    let is_wide = width.kernel <= 3 && problem.derives();
    let most_columns = if is_wide { problem.tuning.columns } else { problem.tuning.columns.min(8) };
    let inputs_read = |strip: u32| u64::from(columns.div_ceil(strip)) * u64::from(patch_of(&width, strip) + 3);
    let strip = (1..=most_columns / 4).map(|quads| 4 * quads).min_by_key(|&strip| inputs_read(strip))?;
    let iterations = |rows: u32| {
        let ring = ring_of_windows(problem, &[1, rows, strip]);
        let turns = if ring > 1 { (rows - 1) * height.stride + ring } else { rows };
        let rows_of_turn = u64::from(depth.kernel) * if ring > 1 { 1 } else { u64::from(height.kernel) };
        let of_turn = 1 + rows_of_turn.saturating_mul(1 + 2 * u64::from(width.kernel));
        u64::from(turns).saturating_mul(of_turn) + u64::from(rows * strip) * (1 + 4 * problem.taps())
    };
    rows_of_strip(problem, rows, columns.div_ceil(strip), iterations).map(|rows| [1, rows, strip])
}

fn window_quads(geometry: &Geometry) -> u32 {
    geometry.schedule.block[2].div_ceil(4)
}

#[cfg(test)]
mod tests {
    use crate::bound::Role::{Tangent, X, Y};
    use crate::geometry::Kernel;
    use crate::kernels::cases::{GPU_WITHOUT_EXP2, Want, check, problem, windows};
    use crate::kernels::{FORWARD, TANGENT};
    use crate::tuning::Tuning;

    #[test]
    fn strips_that_fill_a_gpu() {
        let want = Want {
            kernel: Kernel::ForwardRows,
            // Of 14, 7 and 4 rows, those of 4 are the first of which there are 2^16: 14 x 14 in 512 planes.
            block: [1, 4, 4],
            workgroup: [64, 1, 1],
            grid: [100_352, 1, 1],
            constants: &[
                // The first window's start, at -1, is 3 after a multiple of 4; 3 x 2 + 3 inputs follow.
                ("LEAD", 3),
                ("QUADS", 3),
                ("WINDOW_QUADS", 1),
                ("RING_ROWS", 3),
                ("RING_BEFORE", 2),
                ("RING_TAPS", 3),
                ("RING_SUMS", 1),
                ("ONE_CHANNEL", 1),
            ],
            touches: &[(Y, 1, 1..2, 4..8), (X, 1, 1..2, 7..16), (X, 2, 1..2, 3..20), (X, 1, 13..14, 103..112)],
        };
        check(FORWARD, &problem(windows([3, 3], 2, 1), &[8, 64, 112, 112], &[Y], GPU_WITHOUT_EXP2), want);
    }

    #[test]
    fn strips_of_a_software_driver() {
        let want = Want {
            kernel: Kernel::ForwardRows,
            // 14 strips of 8 columns; 4 of 28 rows each.
            block: [1, 28, 8],
            workgroup: [64, 1, 1],
            grid: [28_672, 1, 1],
            constants: &[("LEAD", 3), ("QUADS", 4), ("WINDOW_QUADS", 2), ("RING_ROWS", 3)],
            touches: &[(X, 1, 0..1, 0..29), (X, 2, 6..7, 43..61)],
        };
        check(FORWARD, &problem(windows([3, 3], 1, 1), &[8, 64, 112, 112], &[Y], Tuning::CPU), want);
    }

    #[test]
    fn rows_that_a_ring_does_not_hold() {
        let want = Want {
            kernel: Kernel::ForwardRows,
            block: [1, 16, 4],
            workgroup: [64, 1, 1],
            grid: [100_352, 1, 1],
            constants: &[("KERNEL_H", 9), ("RING_ROWS", 1), ("RING_TAPS", 1), ("UNROLL_TAPS", 1)],
            touches: &[(X, 1, 0..1, 0..20)],
        };
        check(FORWARD, &problem(windows([9, 9], 1, 4), &[8, 64, 112, 112], &[Y], Tuning::GPU), want);
    }

    /// Their values are better off elsewhere.
    #[test]
    fn derivatives_of_windows_that_share_no_input() {
        let want = Want {
            kernel: Kernel::ForwardRows,
            block: [1, 1, 4],
            workgroup: [64, 1, 1],
            grid: [96, 1, 1],
            constants: &[("RING_ROWS", 1), ("QUADS", 2)],
            touches: &[(Tangent, 1, 3..4, 6..8), (X, 1, 3..4, 6..8), (Y, 1, 3..4, 3..4)],
        };
        check(TANGENT, &problem(windows([2, 2], 2, 0), &[2, 3, 16, 16], &[Tangent, Y], GPU_WITHOUT_EXP2), want);
    }
}
