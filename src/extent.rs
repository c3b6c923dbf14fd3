//! Numbers along depth, height and width.

use crate::config::MAX_RANK;

/// Sizes along depth, height and width; or, where it says so, along x, y and z of a grid: width, height and depth.
pub(crate) type Extent = [u32; MAX_RANK];

/// A number for each axis, by its index.
pub(crate) fn by_axis(value: impl FnMut(usize) -> u32) -> Extent {
    [0, 1, 2].map(value)
}

/// As much as 64 bits hold.
pub(crate) fn product(extent: Extent) -> u64 {
    extent.iter().fold(1, |product, &size| product.saturating_mul(u64::from(size)))
}
