//! What other modules ask about a kernel.

use std::ops::Range;

use crate::bound::Role;
use crate::config::AxisWindow;
use crate::cover::Blocks;
use crate::extent::Extent;
use crate::geometry::{Constants, Geometry, Schedule, Vectors};
use crate::problem::Problem;

/// A kernel: all that the host has to know of it, beside its file in shaders/ of the same name.
pub(crate) trait Room {
    /// The name of its file in shaders/.
    fn name(&self) -> &'static str;

    /// How it goes about a pooling; nothing where it doesn't take it.
    fn schedule(&self, problem: &Problem) -> Option<Schedule>;

    /// What its blocks tile along an axis: windows, unless it says otherwise.
    fn tiled(&self, _axis: &AxisWindow, _input: u32, output: u32) -> u32 {
        output
    }

    /// Which tensors it takes as aligned vectors of four elements for blocks of this size, where their memory allows.
    fn vectors(&self, _problem: &Problem, _block: Extent) -> Vectors {
        Vectors::default()
    }

    /// The positions, or windows, of a tensor that some of its blocks touch along an axis.
    fn touches(&self, blocks: &Blocks<'_>, role: Role) -> Range<u64> {
        if role.is_of_inputs() { blocks.inputs_of_windows() } else { blocks.windows() }
    }

    /// The constants of its files, besides those that every kernel has, in the order in which texts have them.
    fn constants(&self, _geometry: &Geometry) -> Constants {
        Vec::new()
    }

    /// Functions that its files take from the host.
    fn functions(&self, _geometry: &Geometry) -> String {
        String::new()
    }

    /// Whether sums along the width are made of sums of 1, 2, 4 and more taps: DOUBLING of shaders/spread.wgsl.
    fn doubles(&self, _geometry: &Geometry) -> bool {
        false
    }

    /// The files that make it, its own last; those that all kernels share apart. `derives` tells whether it computes derivatives
    /// of windows.
    fn files(&self, derives: bool) -> &'static [&'static str];

    /// Whether it makes windows of inputs, rather than inputs of windows.
    fn makes_windows(&self) -> bool {
        true
    }

    /// Whether it evaluates windows, so that it can save their statistics.
    fn is_forward(&self) -> bool {
        false
    }

    /// Whether an invocation goes down any number of rows of a strip, and can do so for two channels, one after the other.
    fn goes_down_strips(&self) -> bool {
        false
    }
}
