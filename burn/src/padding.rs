//! Burn's padding configurations as what SoftPool pads: the same number of positions at both sides of an axis.

use burn::nn::{PaddingConfig1d, PaddingConfig2d, PaddingConfig3d};

use crate::refuse::refuse;

/// The windows along one axis of an input.
pub(crate) struct Axis {
    pub input: usize,
    pub kernel: usize,
    pub stride: usize,
    pub dilation: usize,
}

/// A padding configuration over `RANK` spatial axes.
pub(crate) trait Padding<const RANK: usize> {
    /// The positions before and after each axis; none where they follow from the sizes ("same").
    fn explicit(&self) -> Option<[(usize, usize); RANK]>;

    /// The positions at each side, for windows along these axes.
    fn by_side(&self, operation: &str, axes: [Axis; RANK]) -> [usize; RANK] {
        let explicit = self.explicit();
        let mut index = 0;
        axes.map(|axis| {
            let (before, after) = explicit.map_or_else(|| same(&axis), |sides| sides[index]);
            if before != after {
                let what = if explicit.is_none() { "same padding" } else { "padding" };
                refuse(
                    operation,
                    format!(
                        "{what} of {before} before and {after} after spatial axis {index}: SoftPool pads both sides alike, \
                         so give equal numbers{}",
                        if explicit.is_none() { ", or a kernel of odd size" } else { "" }
                    ),
                )
            }
            index += 1;
            before
        })
    }
}

/// The positions before and after an axis with which `ceil(input / stride)` windows fit.
fn same(axis: &Axis) -> (usize, usize) {
    let (stride, span) = (axis.stride.max(1), axis.kernel.saturating_sub(1) * axis.dilation + 1);
    let needed = (axis.input.div_ceil(stride).saturating_sub(1) * stride + span).saturating_sub(axis.input);
    (needed / 2, needed - needed / 2)
}

impl Padding<1> for PaddingConfig1d {
    fn explicit(&self) -> Option<[(usize, usize); 1]> {
        match *self {
            Self::Same => None,
            Self::Valid => Some([(0, 0)]),
            Self::Explicit(left, right) => Some([(left, right)]),
        }
    }
}

impl Padding<2> for PaddingConfig2d {
    fn explicit(&self) -> Option<[(usize, usize); 2]> {
        match *self {
            Self::Same => None,
            Self::Valid => Some([(0, 0); 2]),
            Self::Explicit(top, left, bottom, right) => Some([(top, bottom), (left, right)]),
        }
    }
}

impl Padding<3> for PaddingConfig3d {
    fn explicit(&self) -> Option<[(usize, usize); 3]> {
        match *self {
            Self::Same => None,
            Self::Valid => Some([(0, 0); 3]),
            Self::Explicit(depth, height, width) => Some([depth, height, width].map(|size| (size, size))),
        }
    }
}
