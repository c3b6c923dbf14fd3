//! What kernels share that read rows of the input into registers: shaders/rows.wgsl and shaders/window_row.wgsl.

use crate::cover::patch_of;
use crate::extent::Extent;
use crate::geometry::{Constants, Geometry, Vectors};
use crate::problem::{MAX_ITERATIONS, Problem};

/// A row of inputs as an invocation reads it: by vectors of four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Inputs by which those that count start after a multiple of four.
    pub lead: u32,
    /// Inputs that count.
    patch: u32,
    pub quads: u32,
}

impl Row {
    /// A row of `patch` inputs, which starts `before` inputs before a multiple of four.
    pub fn new(patch: u32, before: u32, vectors: bool) -> Self {
        let lead = if vectors { before.wrapping_neg() % 4 } else { 0 };
        Self { lead, patch, quads: (lead + patch).div_ceil(4) }
    }

    /// The row of a block of windows.
    pub fn of_windows(geometry: &Geometry) -> Self {
        let width = &geometry.axes[2];
        Self::new(patch_of(width, geometry.schedule.block[2]), width.padding, geometry.vectors.x)
    }

    pub fn constants(&self) -> [(&'static str, u32); 3] {
        [("LEAD", self.lead), ("PATCH_W", self.patch), ("QUADS", self.quads)]
    }
}

/// A block's rows start at vectors where the stride says so.
pub(super) fn vectors_of_blocks(problem: &Problem, block: Extent) -> Vectors {
    let starts = (block[2] * problem.axes[2].stride).is_multiple_of(4);
    Vectors { x: starts, tangent: starts, gradient: starts, y: block[2].is_multiple_of(4) }
}

/// Rows of a ring that a window's sums are taken of one after the other; of more, four sums side by side are off by less.
const MAX_ROWS_OF_SUM: u32 = 8;
/// Taps of a row that a text unrolls: more are a loop.
pub(super) const MAX_UNROLLED_TAPS: u32 = 16;
/// Rows of a turn that it does.
const MAX_UNROLLED_ROWS: u32 = 2;

/// Those of sums over the taps of rows that go along below the windows.
pub(super) fn sum_constants(geometry: &Geometry) -> Constants {
    vec![
        ("RING_SUMS", if geometry.schedule.ring_rows > MAX_ROWS_OF_SUM { 4 } else { 1 }),
        ("UNROLL_TAPS", u32::from(geometry.axes[2].kernel <= MAX_UNROLLED_TAPS)),
    ]
}

/// Those of a ring to which a turn adds so many rows.
pub(super) fn turn_constants(geometry: &Geometry, rows_of_turn: u32) -> Constants {
    let own = [
        ("RING_TAPS", if geometry.schedule.ring_rows > 1 { geometry.axes[1].kernel } else { 1 }),
        ("UNROLL_ROWS", u32::from(rows_of_turn <= MAX_UNROLLED_ROWS)),
    ];
    [own.as_slice(), &ring_constants(geometry)].concat()
}

/// Those of strips of windows, of which a turn completes a row.
pub(super) fn window_constants(geometry: &Geometry) -> Constants {
    let ([depth, height, _], keeps) = (&geometry.axes, geometry.schedule.ring_rows > 1);
    let rows_of_turn = depth.kernel.saturating_mul(if keeps { height.stride } else { height.kernel });
    let own = [
        ("WINDOW_QUADS", geometry.schedule.block[2].div_ceil(4)),
        ("ROWS_OF_TURN", rows_of_turn),
        ("SLICES_OF_ROW", if keeps { depth.kernel } else { rows_of_turn }),
    ];
    [&own[..], &Row::of_windows(geometry).constants(), &turn_constants(geometry, rows_of_turn)].concat()
}

/// Rows that a strip of windows keeps: 1 where no window needs a row that another has read, or where they are too many.
pub(super) fn ring_of_windows(problem: &Problem, strip: &Extent) -> u32 {
    let height = &problem.axes[1];
    let keeps = height.overlaps() && strip[1] > 1 && height.span() <= problem.tuning.ring_rows;
    if keeps { height.span() } else { 1 }
}

/// Those of a ring of rows, and of the channels that share it.
pub(super) fn ring_constants(geometry: &Geometry) -> Constants {
    let (ring_rows, stride) = (geometry.schedule.ring_rows, geometry.axes[1].stride);
    let first_turn = (ring_rows - 1) / stride;
    vec![
        ("RING_ROWS", ring_rows),
        ("RING_BEFORE", ring_rows - 1),
        // Turns before the first row of windows is complete, and rows that the first turn reads before the first window's.
        ("FIRST_TURN", first_turn),
        ("ROWS_BEFORE", (first_turn + 1) * stride - ring_rows),
        ("ONE_CHANNEL", u32::from(!geometry.pairs)),
    ]
}

/// How many of `rows` a strip goes down: few enough for a driver's iterations, and for something to do for each of its
/// processors, beside `strips` others.
pub(super) fn rows_of_strip(problem: &Problem, rows: u32, strips: u32, iterations: impl Fn(u32) -> u64) -> Option<u32> {
    let most = rows.div_ceil(rows.div_ceil(problem.tuning.rows.min(u32::BITS)));
    let halved = std::iter::successors(Some(most), |&rows| (rows > 1).then(|| rows.div_ceil(2)));
    let fitting = || halved.clone().filter(|&rows| iterations(rows) <= MAX_ITERATIONS);
    let fills = |&height: &u32| {
        let strips = u64::from(rows.div_ceil(height)) * u64::from(strips) * u64::from(problem.output[0]);
        problem.fills_device(strips)
    };
    fitting().find(fills).or_else(|| fitting().last())
}

/// How the elements of a row of vectors move.
#[derive(Clone, Copy)]
pub(super) struct Shuffle<'a> {
    pub name: &'static str,
    pub from_quads: u32,
    pub to_quads: u32,
    /// Where each element comes from, if from anywhere.
    pub from: &'a dyn Fn(u32) -> Option<u32>,
}

impl Shuffle<'_> {
    /// The function of WGSL that moves elements, which are `nothing` where they come from nowhere: a kernel's arrays are registers
    /// only where every index is a constant.
    pub fn wgsl(&self, suffix: &str, element: &str, nothing: &str) -> String {
        let &Shuffle { name, from_quads, to_quads, .. } = self;
        let vectors = self.vectors(nothing);
        let array = |quads: u32| format!("array<vec4<{element}>, {quads}>");
        let (from, to) = (array(from_quads), array(to_quads));
        format!("fn {name}{suffix}(row: {from}) -> {to} {{ return {to}({vectors}); }}\n")
    }
}

impl Shuffle<'_> {
    /// The vectors that it moves elements to.
    pub fn vectors(&self, nothing: &str) -> String {
        let place = |i: u32| (self.from)(i).map(|from| from.min(4 * self.from_quads - 1));
        let vector = |quad: u32| vector_of([0, 1, 2, 3].map(|i| place(4 * quad + i)), nothing);
        (0..self.to_quads).map(vector).collect::<Vec<_>>().join(", ")
    }
}

/// Functions that move elements of f32, and of i32.
pub(super) fn shuffles(moves: &[Shuffle<'_>]) -> String {
    // Where no window starts there is none: 0, or BROKEN of shaders/partial.wgsl, which is above every exponent.
    let of_both = |of: &Shuffle<'_>| of.wgsl("", "f32", "0.0") + &of.wgsl("_n", "i32", "1 << 20");
    moves.iter().map(of_both).collect()
}

/// A vector of these elements of a row of vectors, as few swizzles.
fn vector_of(places: [Option<u32>; 4], nothing: &str) -> String {
    let together = |a: &Option<u32>, b: &Option<u32>| a.is_some() && a.map(|a| a / 4) == b.map(|b| b / 4);
    let part = |places: &[Option<u32>]| match places {
        [Some(first), ..] => {
            let parts: String =
                places.iter().flatten().map(|place| ["x", "y", "z", "w"][*place as usize % 4]).collect();
            format!("row[{}].{parts}", first / 4)
        }
        _ => nothing.to_owned(),
    };
    let parts: Vec<_> = places.chunk_by(together).map(part).collect();
    match parts.as_slice() {
        [whole] => whole.replace(".xyzw", ""),
        parts => format!("vec4({})", parts.join(", ")),
    }
}
