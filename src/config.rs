//! What to pool: kernel, stride, padding, dilation, ceil mode and inverse temperature, validated once.

use crate::{Error, Result};

/// The most spatial axes that a tensor can have.
pub(crate) const MAX_RANK: usize = 3;

/// The largest kernel size, stride, padding or dilation along an axis.
///
/// Products of two such numbers, and sums with any index, then stay inside the 32 bits of WGSL's integers.
pub const MAX_AXIS_PARAMETER: usize = 1 << 14;

/// Names of the spatial axes as errors print them, outermost first, for tensors of three spatial axes.
const AXIS_NAMES: [&str; MAX_RANK] = ["depth", "height", "width"];

/// How the gradient treats the softmax weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum GradientRule {
    /// The derivative: `dL/dx_i = sum_R g_R w_i (1 + beta (x_i - y_R))`.
    #[default]
    Exact,
    /// The weights taken as constants: `dL/dx_i = sum_R g_R w_i`.
    ///
    /// This is what the authors' CUDA extension computes. It is not the derivative; it is here to compare with, or
    /// to continue, training runs made with that extension.
    Detached,
}

/// A validated SoftPool: window geometry by axis and the inverse temperature `beta`.
///
/// Windows are those of PyTorch's `max_pool{1,2,3}d`. Build one with [`SoftPoolConfig::builder`]:
///
/// ```
/// use softpool::SoftPoolConfig;
///
/// let config = SoftPoolConfig::builder([3, 3]).stride([2]).padding([1]).build()?;
/// assert_eq!(config.output_size(&[112, 112])?, [56, 56]);
/// # Ok::<(), softpool::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SoftPoolConfig {
    rank: usize,
    /// Depth, height, width; the axes that a lower rank lacks are windows of one element.
    axes: [AxisWindow; MAX_RANK],
    beta: f32,
    gradient_rule: GradientRule,
}

/// The window along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AxisWindow {
    pub kernel: u32,
    pub stride: u32,
    pub padding: u32,
    pub dilation: u32,
    pub ceil_mode: bool,
}

impl AxisWindow {
    /// The window along an axis that a tensor lacks.
    pub const UNIT: Self = Self { kernel: 1, stride: 1, padding: 0, dilation: 1, ceil_mode: false };

    /// Positions from the first to the last tap of a window, both counted.
    pub const fn span(&self) -> u32 {
        (self.kernel - 1) * self.dilation + 1
    }

    /// Whether two windows can share an input position.
    pub const fn overlaps(&self) -> bool {
        self.span() > self.stride
    }

    /// Windows along an axis of `input` positions; none where not even one fits.
    ///
    /// `floor_or_ceil((input + 2 padding - span) / stride) + 1`, where a last window that `ceil_mode` adds must start
    /// inside the input or its left padding.
    pub fn output(&self, input: u32) -> Option<u32> {
        let room = (input + 2 * self.padding).checked_sub(self.span())?;
        let steps = if self.ceil_mode { room.div_ceil(self.stride) } else { room / self.stride };
        let last_starts_beyond = self.ceil_mode && steps * self.stride >= input + self.padding;
        Some(steps + 1 - u32::from(last_starts_beyond)).filter(|&windows| windows > 0 && input > 0)
    }
}

/// Collects the parts of a [`SoftPoolConfig`]; [`build`](Self::build) checks them all.
///
/// Every list has one number for each spatial axis, outermost first, or a single number for all axes.
#[derive(Clone, Debug)]
pub struct SoftPoolConfigBuilder {
    kernel: Vec<usize>,
    stride: Option<Vec<usize>>,
    padding: Vec<usize>,
    dilation: Vec<usize>,
    ceil_mode: Vec<bool>,
    beta: f32,
    gradient_rule: GradientRule,
}

impl SoftPoolConfig {
    /// Starts a configuration: the kernel size by axis, one number for 1D, two for 2D (height, width), three for 3D
    /// (depth, height, width). The stride starts as the kernel size, the padding as 0, the dilation as 1, the ceil
    /// mode as off, beta as 1 and the gradient rule as exact.
    pub fn builder(kernel: impl AsRef<[usize]>) -> SoftPoolConfigBuilder {
        SoftPoolConfigBuilder {
            kernel: kernel.as_ref().to_vec(),
            stride: None,
            padding: vec![0],
            dilation: vec![1],
            ceil_mode: vec![false],
            beta: 1.0,
            gradient_rule: GradientRule::Exact,
        }
    }

    /// The number of spatial axes: 1, 2 or 3.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// The kernel size by axis, outermost first.
    pub fn kernel(&self) -> Vec<usize> {
        self.by_axis(|axis| axis.kernel)
    }

    /// The stride by axis, outermost first.
    pub fn stride(&self) -> Vec<usize> {
        self.by_axis(|axis| axis.stride)
    }

    /// The padding at each side by axis, outermost first.
    pub fn padding(&self) -> Vec<usize> {
        self.by_axis(|axis| axis.padding)
    }

    /// The dilation by axis, outermost first.
    pub fn dilation(&self) -> Vec<usize> {
        self.by_axis(|axis| axis.dilation)
    }

    /// The ceil mode by axis, outermost first.
    pub fn ceil_mode(&self) -> Vec<bool> {
        self.axes[MAX_RANK - self.rank..].iter().map(|axis| axis.ceil_mode).collect()
    }

    /// The inverse temperature.
    pub fn beta(&self) -> f32 {
        self.beta
    }

    /// How the gradient treats the softmax weights.
    pub fn gradient_rule(&self) -> GradientRule {
        self.gradient_rule
    }

    /// The spatial output size for a spatial input size, both by axis, outermost first.
    ///
    /// # Errors
    /// [`Error::RankMismatch`] for a wrong number of axes, [`Error::NoWindow`] where an axis is too short for one
    /// window, [`Error::AxisTooLong`] for an axis beyond 2^31 - 1.
    pub fn output_size(&self, input: &[usize]) -> Result<Vec<usize>> {
        if input.len() != self.rank {
            return Err(Error::RankMismatch { given: input.len(), expected: self.rank });
        }
        let mut output = Vec::with_capacity(self.rank);
        for (index, (&size, window)) in input.iter().zip(&self.axes[MAX_RANK - self.rank..]).enumerate() {
            let axis = axis_name(self.rank, index);
            // Twice the largest padding still fits beside the longest axis.
            let size =
                u32::try_from(size).ok().filter(|&size| size < (1 << 31)).ok_or(Error::AxisTooLong { axis, size })?;
            let windows = window.output(size).ok_or(Error::NoWindow {
                axis,
                input: size as usize,
                padding: window.padding as usize,
                span: window.span() as usize,
            })?;
            output.push(windows as usize);
        }
        Ok(output)
    }

    pub(crate) fn set_gradient_rule(&mut self, gradient_rule: GradientRule) {
        self.gradient_rule = gradient_rule;
    }

    /// The windows along depth, height and width.
    pub(crate) fn axes(&self) -> [AxisWindow; MAX_RANK] {
        self.axes
    }

    fn by_axis(&self, part: impl Fn(&AxisWindow) -> u32) -> Vec<usize> {
        self.axes[MAX_RANK - self.rank..].iter().map(|axis| part(axis) as usize).collect()
    }
}

impl SoftPoolConfigBuilder {
    /// Positions between the starts of neighbouring windows, at least 1.
    pub fn stride(mut self, stride: impl AsRef<[usize]>) -> Self {
        self.stride = Some(stride.as_ref().to_vec());
        self
    }

    /// Positions added at each side of an axis, at most half the kernel. They take no part in the softmax.
    pub fn padding(mut self, padding: impl AsRef<[usize]>) -> Self {
        self.padding = padding.as_ref().to_vec();
        self
    }

    /// Positions from one tap of a window to the next, at least 1.
    pub fn dilation(mut self, dilation: impl AsRef<[usize]>) -> Self {
        self.dilation = dilation.as_ref().to_vec();
        self
    }

    /// Whether a last, incomplete window is added where positions remain; on every axis.
    pub fn ceil_mode(self, ceil_mode: bool) -> Self {
        self.ceil_mode_by_axis([ceil_mode])
    }

    /// The ceil mode by axis.
    pub fn ceil_mode_by_axis(mut self, ceil_mode: impl AsRef<[bool]>) -> Self {
        self.ceil_mode = ceil_mode.as_ref().to_vec();
        self
    }

    /// The inverse temperature: 0 is average pooling, towards infinity max pooling, below 0 a soft minimum.
    pub fn beta(mut self, beta: f32) -> Self {
        self.beta = beta;
        self
    }

    /// How the gradient treats the softmax weights.
    pub fn gradient_rule(mut self, gradient_rule: GradientRule) -> Self {
        self.gradient_rule = gradient_rule;
        self
    }

    /// Checks every part.
    ///
    /// # Errors
    /// [`Error::UnsupportedRank`], [`Error::AxisCount`], [`Error::AxisParameter`], [`Error::PaddingTooLarge`] or
    /// [`Error::BetaNotFinite`], for the first part that breaks its rule.
    pub fn build(&self) -> Result<SoftPoolConfig> {
        let rank = self.kernel.len();
        if !(1..=MAX_RANK).contains(&rank) {
            return Err(Error::UnsupportedRank { given: rank });
        }
        let stride = self.stride.as_ref().unwrap_or(&self.kernel);
        let kernel = axis_values("kernel", &self.kernel, rank, 1)?;
        let stride = axis_values("stride", stride, rank, 1)?;
        let padding = axis_values("padding", &self.padding, rank, 0)?;
        let dilation = axis_values("dilation", &self.dilation, rank, 1)?;
        let ceil_mode = spread("ceil_mode", &self.ceil_mode, rank)?;
        if !self.beta.is_finite() {
            return Err(Error::BetaNotFinite { beta: self.beta });
        }

        let mut axes = [AxisWindow::UNIT; MAX_RANK];
        for index in 0..rank {
            if padding[index] > kernel[index] / 2 {
                return Err(Error::PaddingTooLarge {
                    axis: axis_name(rank, index),
                    padding: padding[index] as usize,
                    kernel: kernel[index] as usize,
                });
            }
            axes[MAX_RANK - rank + index] = AxisWindow {
                kernel: kernel[index],
                stride: stride[index],
                padding: padding[index],
                dilation: dilation[index],
                ceil_mode: ceil_mode[index],
            };
        }
        Ok(SoftPoolConfig { rank, axes, beta: self.beta, gradient_rule: self.gradient_rule })
    }
}

/// The name of spatial axis `index` of a tensor of `rank` spatial axes.
pub(crate) fn axis_name(rank: usize, index: usize) -> &'static str {
    if rank == 1 { "length" } else { AXIS_NAMES[MAX_RANK - rank + index] }
}

/// A list with one value by axis, from a list of that or of one value for all axes.
fn spread<T: Copy>(name: &'static str, values: &[T], rank: usize) -> Result<Vec<T>> {
    match values {
        [all] => Ok(vec![*all; rank]),
        by_axis if by_axis.len() == rank => Ok(by_axis.to_vec()),
        _ => Err(Error::AxisCount { name, given: values.len(), rank }),
    }
}

fn axis_values(name: &'static str, values: &[usize], rank: usize, least: usize) -> Result<Vec<u32>> {
    let values = spread(name, values, rank)?;
    for (index, &value) in values.iter().enumerate() {
        if !(least..=MAX_AXIS_PARAMETER).contains(&value) {
            return Err(Error::AxisParameter { name, axis: axis_name(rank, index), value, least });
        }
    }
    Ok(values.into_iter().map(|value| value as u32).collect())
}
