//! The shape of a tensor: batch, if it has one, channels, then spatial axes.

use std::fmt;

use crate::config::MAX_RANK;
use crate::{Error, Result, SoftPoolConfig};

/// The axes before the spatial ones: batch and channels.
const LEADING_AXES: usize = 2;
/// The most axes that a tensor can have.
pub(crate) const MAX_AXES: usize = LEADING_AXES + MAX_RANK;

/// `(N, C, L)`, `(N, C, H, W)` or `(N, C, D, H, W)`, in elements; the same without a batch, `(C, H, W)`; or `(C)`.
///
/// Three axes are `(N, C, L)` to a pooling of one spatial axis, and `(C, H, W)` to one of two: the pooling says which.
///
/// ```
/// use softpool::Shape;
///
/// let shape = Shape::new([8, 64, 112, 112])?;
/// assert_eq!(shape.spatial(), [112, 112]);
/// assert_eq!(shape.elements(), 8 * 64 * 112 * 112);
/// # Ok::<(), softpool::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Shape {
    axes: u8,
    /// Axes before the spatial ones: batch and channels, or channels alone.
    leading: u8,
    dims: [usize; MAX_AXES],
}

impl Shape {
    /// A shape from its axes. An axis may be 0: such a tensor is empty. Three axes or more are taken to have a batch.
    ///
    /// # Errors
    /// [`Error::ShapeAxes`] unless there are 1 to 5 axes; [`Error::TooManyElements`] if the product overflows.
    pub fn new(dims: impl AsRef<[usize]>) -> Result<Self> {
        let given = dims.as_ref();
        if !(1..=MAX_AXES).contains(&given.len()) {
            return Err(Error::ShapeAxes { given: given.to_vec() });
        }
        // Bytes are counted in 64 bits, so that a product of the axes other than 0 has to leave room for the element size.
        let product = given.iter().filter(|&&dim| dim > 0).try_fold(8usize, |product, &dim| product.checked_mul(dim));
        if product.is_none_or(|bytes| isize::try_from(bytes).is_err()) {
            return Err(Error::TooManyElements { shape: given.to_vec() });
        }
        let mut dims = [1; MAX_AXES];
        dims[..given.len()].copy_from_slice(given);
        let leading = if given.len() > LEADING_AXES { LEADING_AXES as u8 } else { 1 };
        Ok(Self { axes: given.len() as u8, leading, dims })
    }

    /// The same axes, read as what a pooling of `rank` spatial axes takes.
    ///
    /// # Errors
    /// [`Error::RankMismatch`] unless one or two axes come before the spatial ones.
    pub fn of_rank(mut self, rank: usize) -> Result<Self> {
        match self.axes().checked_sub(rank) {
            Some(leading @ 1..=LEADING_AXES) => self.leading = leading as u8,
            _ => return Err(Error::RankMismatch { given: self.spatial().len(), expected: rank }),
        }
        Ok(self)
    }

    /// All axes, outermost first.
    pub fn dims(&self) -> &[usize] {
        &self.dims[..self.axes()]
    }

    fn axes(&self) -> usize {
        usize::from(self.axes)
    }

    /// The axes before the spatial ones: 2 with a batch, else 1.
    fn leading(&self) -> usize {
        usize::from(self.leading)
    }

    /// The number of samples: 1 without a batch.
    pub fn batch(&self) -> usize {
        if self.leading() == LEADING_AXES { self.dims[0] } else { 1 }
    }

    /// The number of channels of a sample.
    pub fn channels(&self) -> usize {
        self.dims[self.leading() - 1]
    }

    /// The spatial axes, outermost first.
    pub fn spatial(&self) -> &[usize] {
        &self.dims[self.leading()..self.axes()]
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
        let mut pooled = self.of_rank(config.rank())?;
        let (leading, axes) = (pooled.leading(), pooled.axes());
        let output = config.output_size(pooled.spatial())?;
        pooled.dims[leading..axes].copy_from_slice(&output);
        Self::new(pooled.dims())?.of_rank(config.rank())
    }

    /// Depth, height and width; the axes that a lower rank lacks are 1. For shapes that a config has accepted.
    pub(crate) fn depth_height_width(&self) -> [u32; MAX_RANK] {
        let mut sizes = [1; MAX_RANK];
        for (size, &dim) in sizes[MAX_RANK - self.spatial().len()..].iter_mut().zip(self.spatial()) {
            *size = dim as u32;
        }
        sizes
    }

    /// One value for each axis of this shape as sample, channel, depth, height and width have them, `lacking` for those that
    /// it lacks.
    pub(crate) fn by_all_axes<T: Copy>(&self, values: &[T], lacking: T) -> [T; MAX_AXES] {
        let mut all = [lacking; MAX_AXES];
        let (leading, axes) = (self.leading(), self.axes());
        all[LEADING_AXES - leading..LEADING_AXES].copy_from_slice(&values[..leading]);
        all[MAX_AXES - (axes - leading)..].copy_from_slice(&values[leading..axes]);
        all
    }
}

impl PartialEq for Shape {
    fn eq(&self, other: &Self) -> bool {
        self.dims() == other.dims()
    }
}

impl Eq for Shape {}

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
