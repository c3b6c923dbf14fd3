//! Splits a pooling into dispatches that a device takes: no binding and no grid beyond its limits.
//!
//! A piece is some samples, channels and blocks along each axis. A block computes the same wherever it is dispatched, so that
//! the results of a split pooling are those of the whole, bit for bit. A tensor's binding holds what the piece's blocks read or
//! write of it: inputs with the halo of their windows.

use std::ops::Range;

use crate::bound::{Placed, Role};
use crate::cover::Blocks;
use crate::element::whole_words;
use crate::extent::Extent;
use crate::geometry::Geometry;
use crate::grid::Grid;
use crate::kernels::blocks;
use crate::problem::Problem;
use crate::{Error, Result};

/// Dispatches of a pooling: more are limits too small for its tensors, and would take more memory than they.
const MAX_DISPATCHES: usize = 1 << 20;

/// What a device allows of a dispatch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DispatchLimits {
    pub binding_bytes: u64,
    pub offset_alignment: u64,
    pub workgroups: u32,
}

impl DispatchLimits {
    pub fn of(limits: &wgpu::Limits) -> Self {
        Self {
            // Element indices have 32 bits.
            binding_bytes: limits.max_storage_buffer_binding_size.min(u64::from(u32::MAX) & !3),
            offset_alignment: u64::from(limits.min_storage_buffer_offset_alignment),
            workgroups: limits.max_compute_workgroups_per_dimension,
        }
    }
}

/// Some of the samples, channels and blocks (along depth, height and width) of a pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    pub first: [u64; 5],
    pub count: [u64; 5],
}

/// One dispatch of a plan: a region, and the part of its grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub region: Region,
    pub first_invocation: Extent,
    pub workgroups: Extent,
}

/// What a dispatch binds of a tensor, in bytes; and where the tensor's first element of the region's first sample and channel
/// is, in elements from there, modulo 2^32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BindingRange {
    pub offset: u64,
    pub bytes: u64,
    pub start: u32,
}

impl Region {
    fn blocks(&self, axis: usize) -> Range<u64> {
        self.first[2 + axis]..self.first[2 + axis] + self.count[2 + axis]
    }

    pub fn block_counts(&self) -> Extent {
        [2, 3, 4].map(|i| self.count[i] as u32)
    }

    /// What to bind of a tensor for this region.
    pub fn range(&self, problem: &Problem, geometry: &Geometry, tensor: &Placed, alignment: u64) -> BindingRange {
        let size = tensor.element_type.bytes();
        let planes = tensor.offset + self.first[0] * tensor.strides[0] + self.first[1] * tensor.strides[1];
        let (mut first, mut last) = (planes, planes + (tensor.words - 1) * tensor.word);
        for axis in 0..2 {
            last += (self.count[axis] - 1) * tensor.strides[axis];
        }
        for axis in 0..3 {
            let reached = reach(problem, geometry, tensor.role, axis, self.blocks(axis));
            first += reached.start * tensor.strides[2 + axis];
            last += (reached.end - 1) * tensor.strides[2 + axis];
        }
        let offset = first * size / alignment * alignment;
        let start = planes.wrapping_sub(offset / size) as u32;
        BindingRange { offset, bytes: whole_words((last + 1) * size) - offset, start }
    }
}

/// The positions, or windows, of a tensor that the kernel touches along an axis for some of its blocks.
fn reach(problem: &Problem, geometry: &Geometry, role: Role, axis: usize, blocks: Range<u64>) -> Range<u64> {
    if role == Role::Betas {
        return 0..1;
    }
    let blocks = Blocks::new(problem, axis, geometry.schedule.block[axis], blocks);
    geometry.kernel.room().touches(&blocks, role)
}

/// Splits a pooling into dispatches, halving it where it is too large along the axis that reaches furthest in memory.
///
/// # Errors
/// [`Error::DeviceLimit`] if one block reaches over more of a tensor than the device can bind.
pub(crate) fn pieces(problem: &Problem, geometry: &Geometry, limits: DispatchLimits) -> Result<Vec<Piece>> {
    let [w, h, d] = blocks(geometry.kernel, &geometry.schedule, problem).map(u64::from);
    let mut regions = vec![Region { first: [0; 5], count: [problem.samples, problem.channels, d, h, w] }];
    let mut pieces = Vec::new();
    while let Some(region) = regions.pop() {
        let Some((axis, bytes)) = too_large(problem, geometry, &region, limits) else {
            let of_region = grid_pieces(geometry, region, limits).take(MAX_DISPATCHES + 1 - pieces.len());
            pieces.extend(of_region);
            if pieces.len() > MAX_DISPATCHES {
                return Err(Error::DeviceLimit {
                    what: "the number of dispatches",
                    given: pieces.len() as u64,
                    limit: "max_compute_workgroups_per_dimension or max_storage_buffer_binding_size",
                    allowed: MAX_DISPATCHES as u64,
                    fix: "request larger limits, or pool less at once",
                });
            }
            continue;
        };
        let undivided = if axis == 1 { geometry.channels_of_invocation() } else { 1 };
        if region.count[axis] <= undivided {
            return Err(Error::DeviceLimit {
                what: "what one block of windows needs of a tensor, in bytes,",
                given: bytes,
                limit: "max_storage_buffer_binding_size",
                allowed: limits.binding_bytes,
                fix: "request a larger limit, pool less at once, or give closer strides",
            });
        }
        let half = (region.count[axis] / 2).next_multiple_of(undivided);
        let (mut before, mut after) = (region, region);
        before.count[axis] = half;
        after.count[axis] -= half;
        after.first[axis] += half;
        regions.extend([after, before]);
    }
    Ok(pieces)
}

/// The axis to split a region along, if it is too large, and the bytes of its largest binding.
fn too_large(problem: &Problem, geometry: &Geometry, region: &Region, limits: DispatchLimits) -> Option<(usize, u64)> {
    let bytes_of = |tensor: &&Placed| region.range(problem, geometry, tensor, limits.offset_alignment).bytes;
    let largest = problem.tensors.iter().max_by_key(bytes_of)?;
    let bytes = bytes_of(&largest);
    if bytes > limits.binding_bytes {
        let reached_over = |axis: &usize| match *axis {
            0 | 1 => (region.count[*axis] - 1) * largest.strides[*axis],
            axis => {
                let reached = reach(problem, geometry, largest.role, axis - 2, region.blocks(axis - 2));
                (reached.end - reached.start - 1) * largest.strides[axis]
            }
        };
        let axis = (0..5).filter(|&axis| region.count[axis] > 1).rev().max_by_key(reached_over).unwrap_or(0);
        return Some((axis, bytes));
    }
    // Invocations are counted in 32 bits; what a workgroup adds beyond the grid must fit as well.
    let [samples, channels, d, _, w] = region.count;
    let counted = match geometry.grid {
        Grid::ChannelsLast => [channels * w, samples * d],
        _ => [w, samples.saturating_mul(channels).saturating_mul(d)],
    };
    let axis = (0..5).rev().max_by_key(|&axis| region.count[axis]).unwrap_or(0);
    (counted.iter().any(|&count| count > 1 << 31)).then_some((axis, bytes))
}

/// The dispatches of a region, by the number of workgroups that one may have along an axis.
fn grid_pieces(geometry: &Geometry, region: Region, limits: DispatchLimits) -> impl Iterator<Item = Piece> {
    let grid = geometry.grid_of(region.block_counts(), region.count[0], region.count[1]);
    let blocks_of_workgroup = geometry.blocks_of_workgroup();
    let chunks = move |i: usize| {
        let step = u64::from(limits.workgroups) * u64::from(blocks_of_workgroup[i]);
        let step = u32::try_from(step).unwrap_or(u32::MAX);
        (0..grid[i])
            .step_by(step as usize)
            .map(move |first| (first, (grid[i] - first).min(step).div_ceil(blocks_of_workgroup[i])))
    };
    let rows = move || chunks(2).flat_map(move |z| chunks(1).map(move |y| (y, z)));
    rows().flat_map(move |(y, z)| {
        chunks(0).map(move |x| Piece { region, first_invocation: [x.0, y.0, z.0], workgroups: [x.1, y.1, z.1] })
    })
}
