//! The shape of a tensor: batch, channels, then one to three spatial axes.

use std::fmt;

use crate::config::MAX_RANK;
use crate::{Error, Result, SoftPoolConfig};

/// The axes before the spatial ones: batch and channels.
const LEADING_AXES: usize = 2;

/// `(N, C, L)`, `(N, C, H, W)` or `(N, C, D, H, W)`, in elements, contiguous with the last axis innermost.
///
/// ```
/// use softpool::Shape;
///
/// let shape = Shape::new([8, 64, 112, 112])?;
/// assert_eq!(shape.spatial(), [112, 112]);
/// assert_eq!(shape.elements(), 8 * 64 * 112 * 112);
/// # Ok::<(), softpool::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    axes: usize,
    dims: [usize; LEADING_AXES + MAX_RANK],
}

impl Shape {
    /// A shape from its axes. An axis may be 0: such a tensor is empty.
    ///
    /// # Errors
    /// [`Error::ShapeAxes`] unless there are 3, 4 or 5 axes; [`Error::TooManyElements`] if the product overflows.
    pub fn new(dims: impl AsRef<[usize]>) -> Result<Self> {
        let given = dims.as_ref();
        if !(LEADING_AXES + 1..=LEADING_AXES + MAX_RANK).contains(&given.len()) {
            return Err(Error::ShapeAxes { given: given.to_vec() });
        }
        // Bytes are counted in 64 bits, so that a product of the axes other than 0 has to leave room for the element size.
        let product = given.iter().filter(|&&dim| dim > 0).try_fold(8usize, |product, &dim| product.checked_mul(dim));
        if product.is_none_or(|bytes| isize::try_from(bytes).is_err()) {
            return Err(Error::TooManyElements { shape: given.to_vec() });
        }
        let mut dims = [1; LEADING_AXES + MAX_RANK];
        dims[..given.len()].copy_from_slice(given);
        Ok(Self { axes: given.len(), dims })
    }

    /// All axes, batch first.
    pub fn dims(&self) -> &[usize] {
        &self.dims[..self.axes]
    }

    /// The number of samples.
    pub fn batch(&self) -> usize {
        self.dims[0]
    }

    /// The number of channels of a sample.
    pub fn channels(&self) -> usize {
        self.dims[1]
    }

    /// The spatial axes, outermost first.
    pub fn spatial(&self) -> &[usize] {
        &self.dims[LEADING_AXES..self.axes]
    }

    /// The number of elements.
    pub fn elements(&self) -> usize {
        self.dims().iter().product()
    }

    /// The number of channel planes: batch times channels.
    pub fn planes(&self) -> usize {
        self.batch() * self.channels()
    }

    /// The shape that `config` makes of this one: the same batch and channels, one element a window.
    ///
    /// # Errors
    /// Those of [`SoftPoolConfig::output_size`], and [`Error::TooManyElements`]: padded windows of stride 1 can be more
    /// than the inputs.
    pub fn pooled(&self, config: &SoftPoolConfig) -> Result<Self> {
        let mut pooled = *self;
        pooled.dims[LEADING_AXES..self.axes].copy_from_slice(&config.output_size(self.spatial())?);
        Self::new(pooled.dims())
    }

    /// Depth, height and width; the axes that a lower rank lacks are 1. For shapes that a config has accepted.
    pub(crate) fn depth_height_width(&self) -> [u32; MAX_RANK] {
        let mut sizes = [1; MAX_RANK];
        for (size, &dim) in sizes[MAX_RANK - self.spatial().len()..].iter_mut().zip(self.spatial()) {
            *size = dim as u32;
        }
        sizes
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.dims().fmt(f)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dims: Vec<String> = self.dims().iter().map(usize::to_string).collect();
        f.write_str(&dims.join("x"))
    }
}
