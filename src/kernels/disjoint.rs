//! What kernels share whose invocations compute windows, four side by side, that share no input: shaders/disjoint.wgsl.

use std::ops::Range;

use super::rows::{Row, Shuffle, vectors_of_blocks};
use super::taps;
use crate::bound::Role;
use crate::cover::{Blocks, patch_of};
use crate::extent::{Extent, by_axis, product};
use crate::geometry::{Constants, Geometry, Vectors};
use crate::kernels::room::Room;
use crate::problem::Problem;

/// The most taps of a window that are kept in registers.
const MAX_KEPT_TAPS: u32 = 16;

/// The longest stride along the width by which rows are read whole, gaps included.
const MAX_STRIDE: u32 = 8;

/// Windows, or cells, of an invocation: eight, or four where those don't fill the device.
pub(super) fn block(room: &dyn Room, problem: &Problem) -> Extent {
    let tiled = |i: usize| room.tiled(&problem.axes[i], problem.input[i], problem.output[i]);
    let blocks_of = |block: Extent| product(by_axis(|i| tiled(i).max(1).div_ceil(block[i])));
    if problem.fills_device(blocks_of([1, 1, 8])) { [1, 1, 8] } else { [1, 1, 4] }
}

/// Four windows start at vectors, whatever the stride; of a long one few inputs count.
pub(super) fn vectors(problem: &Problem) -> Vectors {
    let vectors = vectors_of_blocks(problem, [1, 1, 4]);
    Vectors { x: problem.axes[2].stride <= MAX_STRIDE, ..vectors }
}

/// The inputs of four windows along a row.
fn row(geometry: &Geometry) -> Row {
    let width = &geometry.axes[2];
    Row::new(patch_of(width, 4), width.padding, geometry.vectors.x)
}

pub(super) fn constants(geometry: &Geometry) -> Constants {
    let [depth, height, _] = geometry.axes;
    let tap_rows = depth.kernel * height.kernel;
    let keep = geometry.taps() <= MAX_KEPT_TAPS;
    let own = [("TAP_ROWS", tap_rows), ("KEEP", keep.into()), ("KEPT_ROWS", if keep { tap_rows } else { 1 })];
    [own.as_slice(), &row(geometry).constants()].concat()
}

/// From a row of inputs to the taps of its four windows.
pub(super) fn taps_of(geometry: &Geometry) -> String {
    taps::taps_of(geometry, &row(geometry), 4)
}

/// From the taps of four windows to their cells.
pub(super) fn cells_of(geometry: &Geometry) -> String {
    let width = geometry.axes[2];
    let from = |i: u32| {
        let (window, cell) = (i / width.stride, i % width.stride);
        let tap = cell / width.dilation;
        (cell % width.dilation == 0 && tap < width.kernel).then_some(4 * tap + window)
    };
    Shuffle { name: "cells_of", from_quads: width.kernel, to_quads: width.stride, from: &from }.wgsl("", "f32", "0.0")
}

/// What a backward touches along an axis whose blocks each write the cells of their own windows.
pub(super) fn cells_of_windows(blocks: &Blocks<'_>, role: Role) -> Range<u64> {
    match role {
        Role::GradInput => blocks.cells_of_windows(),
        Role::X => blocks.inputs_of_windows(),
        _ => blocks.windows_in_vectors(),
    }
}
