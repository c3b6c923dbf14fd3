//! What kernels share whose lanes share a window: shaders/lanes.wgsl and shaders/lanes_window.wgsl.

use super::sums::levels_of;
use crate::config::{AxisWindow, MAX_RANK};
use crate::extent::Extent;
use crate::geometry::{Constants, Geometry, Schedule, Vectors};
use crate::problem::Problem;

/// Lanes that share what is too much for fewer.
pub(super) const MOST_LANES: u32 = 256;
/// Taps above which that many share a window: so many taps are too many iterations for 64.
const LARGE_WINDOW_TAPS: u64 = 1 << 20;

/// Windows that lanes share, each reading `chunk` (of rows, and of vectors of four along each) at once.
pub(super) fn schedule(problem: &Problem, chunk: impl Fn(&[AxisWindow; MAX_RANK], Extent) -> [u32; 2]) -> Schedule {
    let lanes = lanes(problem);
    let ([rows, quads], [x, y, _], [depth, height, width]) = (chunk(&problem.axes, lanes), lanes, problem.axes);
    // Terms that a lane adds up, one a chunk.
    let window_rows = u64::from(depth.kernel) * u64::from(height.kernel);
    let chunks_of_row = u64::from(width.kernel.div_ceil(4 * quads * x));
    let terms = window_rows.div_ceil(u64::from(rows * y)).saturating_mul(chunks_of_row);
    Schedule::of_lanes(lanes, levels_of(terms))
}

/// Lanes along width, each reading four taps at once, and height that share a window, and windows of a workgroup.
fn lanes(problem: &Problem) -> Extent {
    let taps = problem.taps();
    let most = if taps > LARGE_WINDOW_TAPS { MOST_LANES } else { problem.tuning.window_lanes };
    let most = 1 << most.clamp(1, MOST_LANES).ilog2();
    let group = taps.div_ceil(4).next_power_of_two().min(most) as u32;
    let x = problem.axes[2].kernel.div_ceil(4).next_power_of_two().min(group);
    [x, group / x, (problem.tuning.workgroup() / group).max(1)]
}

/// A vector of four taps at once.
pub(super) fn one_vector(_axes: &[AxisWindow; MAX_RANK], _lanes: Extent) -> [u32; 2] {
    [1, 1]
}

/// Up to four vectors at once, as many along the width as leave the fewest idle.
pub(super) fn four_vectors(axes: &[AxisWindow; MAX_RANK], [x, ..]: Extent) -> [u32; 2] {
    let vectors = axes[2].kernel.div_ceil(4 * x);
    let quads = vectors.div_ceil(vectors.div_ceil(4));
    [(4 / quads).min(axes[0].kernel.saturating_mul(axes[1].kernel)), quads]
}

/// Where the rows of windows start at multiples of four, and have so many taps.
pub(super) fn vectors_of_windows(problem: &Problem) -> Vectors {
    let AxisWindow { kernel, stride, padding, dilation, adaptive, .. } = problem.axes[2];
    let strides = problem.output[2] == 1 || stride.is_multiple_of(4);
    let whole = padding.is_multiple_of(4) && kernel.is_multiple_of(4);
    let starts = strides && adaptive == 0 && dilation == 1 && whole;
    Vectors { x: starts, gradient: starts, ..Vectors::default() }
}

/// Those of shaders/lanes.wgsl.
pub(super) fn constants(geometry: &Geometry) -> Constants {
    let [x, y, groups] = geometry.workgroup;
    vec![("LANES_X", x), ("LANES_Y", y), ("GROUPS", groups)]
}

/// Those of shaders/lanes_window.wgsl as well.
pub(super) fn window_constants(geometry: &Geometry) -> Constants {
    let [rows, quads] = four_vectors(&geometry.axes, geometry.workgroup);
    let chunk = [("CHUNK_ROWS", rows), ("CHUNK_QUADS", quads), ("CHUNK", rows * quads)];
    let scale = [("SCALE_BITS", geometry.taps().next_power_of_two().ilog2())];
    [constants(geometry).as_slice(), &chunk, &scale].concat()
}
