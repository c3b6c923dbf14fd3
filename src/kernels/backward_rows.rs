//! The backward, and the second backward, down the rows of a strip where windows overlap, from nothing but x.

use std::ops::Range;

use super::rows::{Row, Shuffle, rows_of_strip, shuffles, sum_constants, turn_constants, vectors_of_blocks};
use crate::bound::Role;
use crate::config::AxisWindow;
use crate::cover::{Blocks, Cover};
use crate::extent::Extent;
use crate::geometry::{Constants, Geometry, Schedule, Vectors};
use crate::kernels::room::Room;
use crate::problem::{MAX_WIDTH, Problem};
use crate::shaders::{OUTPUT_ROW, PARTIAL, ROWS, WINDOW_ROW, shader};

pub(super) struct BackwardRows;

impl Room for BackwardRows {
    fn name(&self) -> &'static str {
        "backward_rows"
    }

    /// Where a ring holds the rows of a window, and no axis but height and width has more than one tap. Windows that share no
    /// input are better off elsewhere, but for the second backward.
    fn schedule(&self, problem: &Problem) -> Option<Schedule> {
        let [_, height, width] = problem.axes;
        let ring_rows = height.span().max(height.stride);
        let fits = ring_rows <= problem.tuning.ring_cells && width.span() <= MAX_WIDTH;
        let wanted = problem.overlaps() || problem.has(Role::Tangent);
        let block =
            (wanted && !problem.is_adaptive() && problem.is_flat() && fits).then(|| self.strip(problem)).flatten()?;
        Some(Schedule { ring_rows, ..Schedule::of_block(block) })
    }

    /// Cells from the first input on.
    fn tiled(&self, axis: &AxisWindow, input: u32, _output: u32) -> u32 {
        input.div_ceil(axis.stride)
    }

    fn vectors(&self, problem: &Problem, block: Extent) -> Vectors {
        vectors_of_blocks(problem, block)
    }

    fn touches(&self, blocks: &Blocks<'_>, role: Role) -> Range<u64> {
        match role {
            Role::GradInput => blocks.cells(),
            Role::X | Role::Tangent => blocks.covering_inputs(),
            _ => blocks.covering_windows(),
        }
    }

    fn constants(&self, geometry: &Geometry) -> Constants {
        let strip = [("CELLS_W", Columns::of(geometry).cells)];
        let turn = turn_constants(geometry, geometry.axes[1].stride);
        [&strip[..], &cell_constants(geometry), &sum_constants(geometry), &turn].concat()
    }

    fn functions(&self, geometry: &Geometry) -> String {
        let (Columns { cover, row: Row { lead, quads, .. }, .. }, width) = (Columns::of(geometry), geometry.axes[2]);
        let windows = cover.windows.div_ceil(4);
        let moves = |name, to_quads, from| Shuffle { name, from_quads: quads, to_quads, from };
        let of_taps = shuffles(&[
            moves("next_taps", quads, &|i| Some(i + width.dilation)),
            moves("at_windows", windows, &|i| Some(lead + i * width.stride)),
        ]);
        of_taps + &cell_shuffles(geometry, |shuffle| shuffles(&[*shuffle]))
    }

    fn files(&self, _derives: bool) -> &'static [&'static str] {
        &[ROWS, PARTIAL, WINDOW_ROW, OUTPUT_ROW, shader!("backward_rows")]
    }

    fn makes_windows(&self) -> bool {
        false
    }

    fn goes_down_strips(&self) -> bool {
        true
    }
}

impl BackwardRows {
    /// A strip of cells, if one takes no more iterations than a driver allows.
    fn strip(&self, problem: &Problem) -> Option<Extent> {
        let [_, height, width] = problem.axes;
        let [rows, columns] = [1, 2].map(|i| self.tiled(&problem.axes[i], problem.input[i], problem.output[i]));
        let inputs_read =
            |strip: u32| u64::from(columns.div_ceil(strip)) * u64::from(Cover::of(&width, strip).patch + 3);
        // A few vectors of cells, whatever the stride.
        let most_columns = if width.kernel > 3 { problem.tuning.columns.min(8) } else { problem.tuning.columns };
        let fits = |strip: &u32| strip * width.stride <= most_columns.max(8);
        let strips = [1, 2, 4, 8, 16].into_iter().filter(|&strip| strip <= most_columns);
        let strip = strips.filter(fits).min_by_key(|&strip| inputs_read(strip))?;
        let taps = u64::from(width.kernel);
        // Turns of a pass, those that complete a row of windows with more to do; and such passes for each input, if need be.
        let pass = |turns: u64| turns * (2 + 3 * taps);
        let span = u64::from(height.span());
        let iterations = |rows: u32| {
            let cell_rows = u64::from(rows) * u64::from(height.stride);
            let cells = cell_rows * u64::from(strip) * u64::from(width.stride);
            pass(cell_rows + 2 * span) + cells * (1 + pass(2 * span - 1))
        };
        rows_of_strip(problem, rows, columns.div_ceil(strip), iterations).map(|rows| [1, rows, strip])
    }
}

/// Those of kernels whose invocations compute strips of cells.
pub(super) fn cell_constants(geometry: &Geometry) -> Constants {
    let Columns { cover, row, cells, g_lead, g_quads } = Columns::of(geometry);
    let [depth, height, _] = &geometry.axes;
    let cover_h = Cover::of(height, 1);
    let own = [
        // Each further row of cells is in one more row of windows.
        ("WINDOWS_OF_ROW", cover_h.windows),
        ("WINDOWS_W", cover.windows),
        ("BEFORE_D", Cover::of(depth, 1).before),
        ("BEFORE_H", cover_h.before),
        ("BEFORE_W", cover.before),
        ("OFFSET_H", cover_h.offset),
        ("WINDOW_QUADS", cover.windows.div_ceil(4)),
        ("G_LEAD", g_lead),
        ("G_QUADS", g_quads),
        ("CELL_QUADS", cells.div_ceil(4)),
    ];
    [own.as_slice(), &row.constants()].concat()
}

/// Windows where they start, and windows moved on by a tap, in the row of inputs; and the strip's own inputs of that row.
pub(super) fn cell_shuffles(geometry: &Geometry, shuffle: impl Fn(&Shuffle<'_>) -> String) -> String {
    let Columns { cover, row: Row { lead, quads, .. }, cells, g_lead, g_quads } = Columns::of(geometry);
    let AxisWindow { stride, dilation, .. } = geometry.axes[2];
    let (windows, cells) = (cover.windows.div_ceil(4), cells.div_ceil(4));
    let window_at = |i: u32| i.checked_sub(lead).filter(|i| i.is_multiple_of(stride)).map(|i| i / stride);
    let moved = |name, from_quads, to_quads, from: &dyn Fn(u32) -> Option<u32>| {
        shuffle(&Shuffle { name, from_quads, to_quads, from })
    };
    moved("previous_taps", quads, quads, &|i| i.checked_sub(dilation))
        + &moved("g_at_windows", g_quads, windows, &|i| Some(g_lead + i))
        + &moved("at_cells", quads, cells, &|i| Some(lead + cover.offset + i))
        + &moved("at_patch", windows, quads, &|i| window_at(i).filter(|&i| i < cover.windows))
}

/// A strip along the width.
pub(super) struct Columns {
    pub cover: Cover,
    pub row: Row,
    cells: u32,
    /// Windows by which the first lies after an aligned one, in how many vectors.
    g_lead: u32,
    g_quads: u32,
}

impl Columns {
    pub fn of(geometry: &Geometry) -> Self {
        let (width, block) = (&geometry.axes[2], geometry.schedule.block[2]);
        let cover = Cover::of(width, block);
        let row = Row::new(cover.patch, cover.before * width.stride + width.padding, geometry.vectors.x);
        let windows = Row::new(cover.windows, cover.before, geometry.vectors.y);
        Self { cover, row, cells: block * width.stride, g_lead: windows.lead, g_quads: windows.quads }
    }
}

#[cfg(test)]
mod tests {
    use crate::bound::Role::{GradInput, GradOutput, Tangent, X};
    use crate::geometry::Kernel;
    use crate::kernels::cases::{GPU_WITHOUT_EXP2, Want, check, problem, windows};
    use crate::kernels::{BACKWARD, SECOND_BACKWARD, choose};
    use crate::tuning::Tuning;

    #[test]
    fn strips_of_cells() {
        let want = Want {
            kernel: Kernel::BackwardRows,
            block: [1, 16, 4],
            workgroup: [64, 1, 1],
            grid: [100_352, 1, 1],
            constants: &[
                ("CELLS_W", 4),
                // Each input is in windows from the one before on to the one behind.
                ("WINDOWS_OF_ROW", 3),
                ("WINDOWS_W", 6),
                ("BEFORE_H", 1),
                ("BEFORE_W", 1),
                ("OFFSET_H", 2),
                // The first window starts two inputs before the strip, and is one before its windows.
                ("LEAD", 2),
                ("QUADS", 3),
                ("G_LEAD", 3),
                ("G_QUADS", 3),
                ("WINDOW_QUADS", 2),
                ("CELL_QUADS", 1),
                ("RING_ROWS", 3),
            ],
            touches: &[
                (GradInput, 1, 1..2, 16..32),
                (GradOutput, 1, 1..2, 15..33),
                (X, 1, 1..2, 14..34),
                (X, 2, 1..2, 0..14),
                (GradOutput, 2, 27..28, 103..112),
            ],
        };
        let roles = [GradOutput, GradInput];
        check(BACKWARD, &problem(windows([3, 3], 1, 1), &[8, 64, 112, 112], &roles, GPU_WITHOUT_EXP2), want);
    }

    #[test]
    fn the_second_backward_of_any_windows() {
        let want = Want {
            kernel: Kernel::BackwardRows,
            block: [1, 1, 4],
            workgroup: [64, 1, 1],
            grid: [24, 1, 1],
            constants: &[("CELLS_W", 8), ("WINDOWS_W", 4), ("BEFORE_W", 0), ("RING_ROWS", 2)],
            touches: &[(Tangent, 1, 2..3, 4..6), (GradOutput, 1, 2..3, 2..3), (GradInput, 1, 2..3, 4..6)],
        };
        let roles = [Tangent, GradOutput, GradInput];
        check(SECOND_BACKWARD, &problem(windows([2, 2], 2, 0), &[1, 3, 8, 16], &roles, GPU_WITHOUT_EXP2), want);
    }

    /// Rows that the ring doesn't hold, and windows of three axes.
    #[test]
    fn what_it_leaves_to_statistics() {
        let kernel = |config, dims: &[usize], tuning| {
            choose(BACKWARD, &problem(config, dims, &[GradOutput, GradInput], tuning)).map(|geometry| geometry.kernel)
        };
        assert_eq!(kernel(windows([7, 7], 1, 3), &[1, 1, 20, 20], Tuning::GPU), None);
        assert_eq!(kernel(windows([7, 7], 1, 3), &[1, 1, 20, 20], Tuning::CPU), Some(Kernel::BackwardRows));
        assert_eq!(kernel(windows([3, 3, 3], 1, 1), &[1, 1, 5, 20, 20], Tuning::CPU), None);
    }
}
