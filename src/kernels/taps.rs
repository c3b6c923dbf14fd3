//! What kernels share that go down the rows of a strip, and evaluate each window by its definition: shaders/tap_rows.wgsl.

use super::rows::{Row, Shuffle, rows_of_strip};
use crate::geometry::{Geometry, Schedule};
use crate::problem::Problem;

/// A strip, where an exponential is an instruction, windows have few taps, and no axis but height and width has more than one.
/// `tiled` is what strips go down and along: rows and columns of windows, or of cells.
pub(super) fn schedule(problem: &Problem, tiled: [u32; 2]) -> Option<Schedule> {
    let [_, height, width] = problem.axes;
    let near = [height, width].iter().all(|axis| axis.span().max(axis.stride) <= problem.tuning.ring_rows);
    let few = problem.taps() <= problem.tuning.max_taps && near;
    if !(problem.tuning.natives.exp2 && !problem.is_adaptive() && problem.is_flat() && few) {
        return None;
    }
    let [rows, columns] = tiled;
    let strip = 4 * (problem.tuning.columns / 4).clamp(1, 2);
    let turns = |rows: u32| u64::from(rows) + 2 * u64::from(height.span());
    let rows = rows_of_strip(problem, rows, columns.div_ceil(strip), turns)?;
    Some(Schedule { ring_rows: height.span().max(height.stride), ..Schedule::of_block([1, rows, strip]) })
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
