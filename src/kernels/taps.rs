//! What kernels share that evaluate windows by their definition, a row of taps at a time: shaders/taps.wgsl.

use super::rows::{MAX_UNROLLED_TAPS, Row, Shuffle};
use crate::geometry::Geometry;
use crate::problem::{MAX_WIDTH, Problem};

/// Whether windows go so: where an exponential is an instruction, and they have few taps.
pub(super) fn go_by_taps(problem: &Problem) -> bool {
    let width = problem.axes[2];
    problem.tuning.natives.exp2
        && !problem.is_adaptive()
        && problem.taps() <= problem.tuning.max_taps
        && width.kernel <= MAX_UNROLLED_TAPS
        && width.span() <= MAX_WIDTH
}

/// Columns of a strip.
pub(super) fn columns_of_strip(problem: &Problem) -> u32 {
    4 * (problem.tuning.columns / 4).clamp(1, 2)
}

/// From a row of inputs to the taps of so many windows: of each four of them an array of vectors.
pub(super) fn taps_of(geometry: &Geometry, row: &Row, windows: u32) -> String {
    let (width, fours) = (geometry.axes[2], windows.div_ceil(4));
    let taps = |four: u32| {
        let from = |i: u32| Some(row.lead + (4 * four + i % 4) * width.stride + i / 4 * width.dilation);
        let taps = Shuffle { name: "taps_of", from_quads: row.quads, to_quads: width.kernel, from: &from };
        format!("array<vec4<f32>, {}>({})", width.kernel, taps.vectors(""))
    };
    let (from, to) = (row.quads, format!("array<array<vec4<f32>, {}>, {fours}>", width.kernel));
    let all = (0..fours).map(taps).collect::<Vec<_>>().join(", ");
    format!("fn taps_of(row: array<vec4<f32>, {from}>) -> {to} {{ return {to}({all}); }}\n")
}
