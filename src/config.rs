//! What to pool: kernel, stride, padding, dilation, ceil mode and inverse temperature, validated once.

use std::ops::RangeInclusive;

use crate::{Error, Result};

/// The most spatial axes that a tensor can have.
pub(crate) const MAX_RANK: usize = 3;

/// The largest kernel size or stride along an axis. Larger windows are those of a global pooling.
///
/// Sums of some such numbers and any index then stay inside the 32 bits of WGSL's integers; and so do products of two
/// dilations ([`MAX_DILATION`]), and [`MAX_SPAN`].
pub const MAX_AXIS_PARAMETER: usize = 1 << 26;

/// The largest dilation along an axis.
pub const MAX_DILATION: usize = 1 << 14;

/// The most that kernel size times dilation may be.
pub const MAX_SPAN: usize = 1 << 28;

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
    /// The number of windows along an adaptive axis, whose other parts follow from the input's size ([`Self::of_input`]);
    /// 0 on any other axis.
    pub adaptive: u32,
}

impl AxisWindow {
    /// The window along an axis that a tensor lacks.
    pub const UNIT: Self = Self { kernel: 1, stride: 1, padding: 0, dilation: 1, ceil_mode: false, adaptive: 0 };

    /// The windows of an axis of `input` positions: what an adaptive axis makes of them, or the same.
    ///
    /// Window `o` of `adaptive` holds the positions from `floor(o input / adaptive)` up to `ceil((o + 1) input / adaptive)`
    /// (PyTorch's rule). Where that divides, windows are all alike and not adaptive any more; else `kernel` is the size of
    /// the largest.
    pub fn of_input(self, input: u32) -> Self {
        if self.adaptive == 0 || input == 0 {
            return self;
        }
        let (quotient, remainder) = (input / self.adaptive, input % self.adaptive);
        if remainder == 0 {
            return Self { kernel: quotient, stride: quotient, ..Self::UNIT };
        }
        // Window o has quotient + ceil((o remainder % adaptive + remainder) / adaptive) positions; the first term is at most
        // adaptive - gcd.
        let kernel = quotient + 1 + u32::from(remainder > gcd(self.adaptive, remainder));
        Self { kernel, stride: 1, ..self }
    }

    /// The positions, inside an axis of `input`, of window `window` of an axis that is still adaptive.
    pub fn adaptive_positions(&self, window: u32, input: u32) -> std::ops::Range<u32> {
        let (window, input, windows) = (u64::from(window), u64::from(input), u64::from(self.adaptive));
        (window * input / windows) as u32..((window + 1) * input).div_ceil(windows) as u32
    }

    /// The windows that hold position `position` of such an axis.
    pub fn adaptive_windows(&self, position: u32, input: u32) -> std::ops::Range<u32> {
        let (position, input, windows) = (u64::from(position), u64::from(input), u64::from(self.adaptive));
        (position * windows / input) as u32..((position + 1) * windows).div_ceil(input) as u32
    }

    /// The most windows that hold one of `input` positions, where there are `output`.
    pub fn most_holders(&self, input: u32, output: u32) -> u32 {
        let most = match self.adaptive {
            // Strides and steps may be large; their product is needed as far as the span goes.
            0 => (self.span() - 1) / self.stride.saturating_mul(self.step()) + 1,
            windows => windows.div_ceil(input) + 1,
        };
        most.min(output)
    }

    /// The largest divisor of both stride and dilation.
    pub fn common(&self) -> u32 {
        gcd(self.stride, self.dilation)
    }

    /// From one window that holds a position to the next: they start a multiple of the dilation apart.
    pub fn step(&self) -> u32 {
        self.dilation / self.common()
    }

    /// What makes 1 modulo [`step`](Self::step) of `stride / common`.
    pub fn inverse(&self) -> u32 {
        let (strides, step) = (u64::from(self.stride / self.common()), u64::from(self.step()));
        (0..step).find(|inverse| inverse * strides % step == 1 % step).unwrap_or(0) as u32
    }

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
        if self.adaptive > 0 {
            return Some(self.adaptive).filter(|_| input > 0);
        }
        let room = (input + 2 * self.padding).checked_sub(self.span())?;
        let steps = if self.ceil_mode { room.div_ceil(self.stride) } else { room / self.stride };
        let last_starts_beyond = self.ceil_mode && steps * self.stride >= input + self.padding;
        Some(steps + 1 - u32::from(last_starts_beyond)).filter(|&windows| windows > 0 && input > 0)
    }
}

/// The greatest common divisor.
const fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The longest axis, and the most windows, where an adaptive pooling divides unevenly: the shaders divide by way of f32.
const MAX_UNEVEN_AXIS: u32 = 1 << 26;

/// Collects the parts of a [`SoftPoolConfig`]; [`build`](Self::build) checks them all.
///
/// Every list has one number for each spatial axis, outermost first, or a single number for all axes.
#[derive(Clone, Debug)]
pub struct SoftPoolConfigBuilder {
    /// The output size of an adaptive pooling, which has no kernel; none along an axis that it keeps.
    output: Option<Vec<Option<usize>>>,
    kernel: Vec<usize>,
    stride: Option<Vec<usize>>,
    padding: Option<Vec<usize>>,
    dilation: Option<Vec<usize>>,
    ceil_mode: Option<Vec<bool>>,
    same_padding: bool,
    beta: f32,
    gradient_rule: GradientRule,
}

impl SoftPoolConfig {
    /// Starts a configuration: the kernel size by axis, one number for 1D, two for 2D (height, width), three for 3D
    /// (depth, height, width). The stride starts as the kernel size, the padding as 0, the dilation as 1, the ceil
    /// mode as off, beta as 1 and the gradient rule as exact.
    pub fn builder(kernel: impl AsRef<[usize]>) -> SoftPoolConfigBuilder {
        SoftPoolConfigBuilder {
            output: None,
            kernel: kernel.as_ref().to_vec(),
            stride: None,
            padding: None,
            dilation: None,
            ceil_mode: None,
            same_padding: false,
            beta: 1.0,
            gradient_rule: GradientRule::Exact,
        }
    }

    /// Starts an adaptive pooling: the output size by axis, each at least 1. Windows follow from it and the input's size as in
    /// PyTorch's `adaptive_avg_pool{1,2,3}d`: window `o` of `n` over `size` positions goes from `floor(o size / n)` up to
    /// `ceil((o + 1) size / n)`. Where there are more windows than positions, each holds one or two, and neighbours share them.
    ///
    /// ```
    /// use softpool::SoftPoolConfig;
    ///
    /// let config = SoftPoolConfig::adaptive([7, 7]).build()?;
    /// assert_eq!(config.output_size(&[4, 112])?, [7, 7]);
    /// # Ok::<(), softpool::Error>(())
    /// ```
    pub fn adaptive(output_size: impl AsRef<[usize]>) -> SoftPoolConfigBuilder {
        Self::adaptive_keeping(output_size.as_ref().iter().map(|&size| Some(size)).collect::<Vec<_>>())
    }

    /// Starts an [`adaptive`](Self::adaptive) pooling that keeps the axes whose output size is `None` as they are.
    ///
    /// ```
    /// use softpool::SoftPoolConfig;
    ///
    /// let config = SoftPoolConfig::adaptive_keeping([Some(7), None]).build()?;
    /// assert_eq!(config.output_size(&[61, 112])?, [7, 112]);
    /// # Ok::<(), softpool::Error>(())
    /// ```
    pub fn adaptive_keeping(output_size: impl AsRef<[Option<usize>]>) -> SoftPoolConfigBuilder {
        let output = output_size.as_ref();
        SoftPoolConfigBuilder { output: Some(output.to_vec()), ..Self::builder(vec![1; output.len()]) }
    }

    /// Starts a global pooling over `rank` spatial axes: one window, the whole input, whatever its size.
    pub fn global(rank: usize) -> SoftPoolConfigBuilder {
        Self::adaptive(vec![1; rank.min(MAX_RANK + 1)])
    }

    /// The number of spatial axes: 1, 2 or 3.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// The output size by axis of an adaptive pooling, none along axes that it keeps. Along the others, kernel and stride depend
    /// on the input and read as 0.
    pub fn adaptive_output_size(&self) -> Option<Vec<Option<usize>>> {
        let size = self.by_axis(|axis| axis.adaptive).into_iter().map(|size| Some(size).filter(|&size| size > 0));
        Some(size.collect::<Vec<_>>()).filter(|size| size.iter().any(Option::is_some))
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
    /// window, [`Error::AdaptiveOutput`] where an adaptive pooling finds no positions, [`Error::AxisTooLong`] for an axis
    /// beyond 2^31 - 1 (2^26 positions or windows where an adaptive pooling divides it unevenly).
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
            let windows = window.output(size).ok_or_else(|| match window.adaptive {
                0 => Error::NoWindow {
                    axis,
                    input: size as usize,
                    padding: window.padding as usize,
                    span: window.span() as usize,
                },
                output => Error::AdaptiveOutput { axis, output: output as usize, input: Some(size as usize) },
            })?;
            let longest = size.max(windows);
            if longest > MAX_UNEVEN_AXIS && window.of_input(size).adaptive > 0 {
                return Err(Error::AxisTooLong { axis, size: longest as usize });
            }
            output.push(windows as usize);
        }
        Ok(output)
    }

    pub(crate) fn set_gradient_rule(&mut self, gradient_rule: GradientRule) {
        self.gradient_rule = gradient_rule;
    }

    pub(crate) fn set_beta(&mut self, beta: f32) -> Result<()> {
        check_beta(beta).map(|()| self.beta = beta)
    }

    /// The windows along depth, height and width of an input of those sizes.
    pub(crate) fn axes(&self, input: [u32; MAX_RANK]) -> [AxisWindow; MAX_RANK] {
        std::array::from_fn(|i| self.axes[i].of_input(input[i]))
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
        self.padding = Some(padding.as_ref().to_vec());
        self
    }

    /// Padding of half the kernel, with which windows of stride 1 and odd kernels make an output of the input's size.
    pub fn same_padding(mut self) -> Self {
        self.same_padding = true;
        self
    }

    /// Positions from one tap of a window to the next, at least 1.
    pub fn dilation(mut self, dilation: impl AsRef<[usize]>) -> Self {
        self.dilation = Some(dilation.as_ref().to_vec());
        self
    }

    /// Whether a last, incomplete window is added where positions remain; on every axis.
    pub fn ceil_mode(self, ceil_mode: bool) -> Self {
        self.ceil_mode_by_axis([ceil_mode])
    }

    /// The ceil mode by axis.
    pub fn ceil_mode_by_axis(mut self, ceil_mode: impl AsRef<[bool]>) -> Self {
        self.ceil_mode = Some(ceil_mode.as_ref().to_vec());
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
    /// [`Error::UnsupportedRank`], [`Error::AxisCount`], [`Error::AxisParameter`], [`Error::PaddingTooLarge`],
    /// [`Error::SamePadding`], [`Error::AdaptiveWindow`] or [`Error::BetaNotFinite`], for the first part that breaks its
    /// rule.
    pub fn build(&self) -> Result<SoftPoolConfig> {
        let rank = self.kernel.len();
        if !(1..=MAX_RANK).contains(&rank) {
            return Err(Error::UnsupportedRank { given: rank });
        }
        check_beta(self.beta)?;
        let mut axes = [AxisWindow::UNIT; MAX_RANK];
        if let Some(output) = &self.output {
            let given = [
                ("stride", self.stride.is_some()),
                ("padding", self.padding.is_some() || self.same_padding),
                ("dilation", self.dilation.is_some()),
                ("ceil_mode", self.ceil_mode.is_some()),
            ];
            if let Some((name, _)) = given.into_iter().find(|(_, given)| *given) {
                return Err(Error::AdaptiveWindow { name });
            }
            let given = output.iter().enumerate().filter_map(|(index, size)| size.map(|size| (index, size)));
            for (index, size) in given {
                let adaptive = u32::try_from(size).ok().filter(|size| (1..1 << 31).contains(size));
                let axis = axis_name(rank, index);
                let adaptive = adaptive.ok_or(Error::AdaptiveOutput { axis, output: size, input: None })?;
                axes[MAX_RANK - rank + index] = AxisWindow { kernel: 0, stride: 0, adaptive, ..AxisWindow::UNIT };
            }
            return Ok(SoftPoolConfig { rank, axes, beta: self.beta, gradient_rule: self.gradient_rule });
        }
        const MOST: usize = MAX_AXIS_PARAMETER;
        let kernel = axis_values("kernel", &self.kernel, rank, 1..=MOST)?;
        let stride = axis_values("stride", self.stride.as_ref().unwrap_or(&self.kernel), rank, 1..=MOST)?;
        let mut padding = axis_values("padding", self.padding.as_deref().unwrap_or(&[0]), rank, 0..=MOST)?;
        let dilation = axis_values("dilation", self.dilation.as_deref().unwrap_or(&[1]), rank, 1..=MAX_DILATION)?;
        for (index, (&kernel, &dilation)) in kernel.iter().zip(&dilation).enumerate() {
            let (value, most) = (kernel as usize, MAX_SPAN / dilation as usize);
            if value > most {
                return Err(Error::AxisParameter {
                    name: "kernel",
                    axis: axis_name(rank, index),
                    value,
                    least: 1,
                    most,
                });
            }
        }
        let ceil_mode = one_by_axis("ceil_mode", self.ceil_mode.as_deref().unwrap_or(&[false]), rank)?;
        for index in 0..if self.same_padding { rank } else { 0 } {
            let (kernel, stride, dilation) = (kernel[index], stride[index], dilation[index]);
            if kernel % 2 == 0 || stride != 1 || (dilation != 1 && kernel > 1) || self.padding.is_some() {
                return Err(Error::SamePadding {
                    axis: axis_name(rank, index),
                    kernel: kernel as usize,
                    stride: stride as usize,
                    dilation: dilation as usize,
                });
            }
            padding[index] = kernel / 2;
        }
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
                adaptive: 0,
            };
        }
        Ok(SoftPoolConfig { rank, axes, beta: self.beta, gradient_rule: self.gradient_rule })
    }
}

fn check_beta(beta: f32) -> Result<()> {
    if beta.is_finite() { Ok(()) } else { Err(Error::BetaNotFinite { beta }) }
}

/// The name of spatial axis `index` of a tensor of `rank` spatial axes.
pub(crate) fn axis_name(rank: usize, index: usize) -> &'static str {
    if rank == 1 { "length" } else { AXIS_NAMES[MAX_RANK - rank + index] }
}

/// A list with one value by axis, from a list of that or of one value for all axes.
fn one_by_axis<T: Copy>(name: &'static str, values: &[T], rank: usize) -> Result<Vec<T>> {
    match values {
        [all] => Ok(vec![*all; rank]),
        by_axis if by_axis.len() == rank => Ok(by_axis.to_vec()),
        _ => Err(Error::AxisCount { name, given: values.len(), rank }),
    }
}

fn axis_values(name: &'static str, values: &[usize], rank: usize, allowed: RangeInclusive<usize>) -> Result<Vec<u32>> {
    let values = one_by_axis(name, values, rank)?;
    let (least, most) = (*allowed.start(), *allowed.end());
    for (index, &value) in values.iter().enumerate() {
        if !allowed.contains(&value) {
            return Err(Error::AxisParameter { name, axis: axis_name(rank, index), value, least, most });
        }
    }
    Ok(values.into_iter().map(|value| value as u32).collect())
}
