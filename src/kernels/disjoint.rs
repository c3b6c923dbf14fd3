//! What kernels share whose invocations each keep the taps of a few windows that share no input: shaders/disjoint.wgsl.

use std::ops::Range;

use crate::bound::Role;
use crate::cover::Blocks;
use crate::extent::{Extent, by_axis, product};
use crate::kernels::room::Room;
use crate::problem::Problem;

/// The most elements of a window, and the longest stride along the width, of which an invocation takes several.
const MAX_ELEMENTS: u64 = 16;
const MAX_STRIDE: u32 = 8;

/// Windows, or cells, of an invocation: as many as vectors and the device allow, where they have few elements.
pub(super) fn block(room: &dyn Room, problem: &Problem, elements: u64) -> Extent {
    if elements > MAX_ELEMENTS || problem.axes[2].stride > MAX_STRIDE {
        return [1, 1, 1];
    }
    let blocks_of = |block: Extent| {
        let tiled = |i: usize| room.tiled(&problem.axes[i], problem.input[i], problem.output[i]);
        product(by_axis(|i| tiled(i).max(1).div_ceil(block[i])))
    };
    if problem.fills_device(blocks_of([1, 1, 8])) { [1, 1, 8] } else { [1, 1, 4] }
}

/// What a backward touches along an axis whose blocks each write the cells of their own windows.
pub(super) fn cells_of_windows(blocks: &Blocks<'_>, role: Role) -> Range<u64> {
    match role {
        Role::GradInput => blocks.cells_of_windows(),
        Role::X => blocks.inputs_of_windows(),
        _ => blocks.windows_in_vectors(),
    }
}
