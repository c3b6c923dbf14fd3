//! The definition in plain Rust: f64 inside, one window after another, obviously right and slow.
//!
//! What the shaders compute is compared with this module, and a machine without a GPU can fall back to it. Windows
//! and formulas are those of the crate's documentation; `x`, `m`, `e`, `s`, `y` and `g` have the same names in the
//! shaders.

use crate::{Error, GradientRule, Result, Shape, SoftPoolConfig};

/// The result of [`forward`].
#[derive(Clone, Debug, PartialEq)]
pub struct Forward {
    /// The shape of `y` and `lse`.
    pub shape: Shape,
    /// `y = sum w_i x_i` by window.
    pub y: Vec<f64>,
    /// `lse = ln sum exp(beta x_i)` by window.
    pub lse: Vec<f64>,
}

/// Pools `x` of `shape`.
///
/// ```
/// use softpool::{Shape, SoftPoolConfig, reference};
///
/// let config = SoftPoolConfig::builder([2]).build()?;
/// let pooled = reference::forward(&config, &Shape::new([1, 1, 2])?, &[0.0, 1.0])?;
/// let e = std::f64::consts::E;
/// assert!((pooled.y[0] - e / (1.0 + e)).abs() < 1e-15);
/// # Ok::<(), softpool::Error>(())
/// ```
///
/// # Errors
/// Those of [`Shape::pooled`], and [`Error::DataLength`].
pub fn forward(config: &SoftPoolConfig, shape: &Shape, x: &[f32]) -> Result<Forward> {
    let windows = Windows::new(config, shape)?;
    check_length("the input", x, shape)?;
    let mut y = Vec::with_capacity(windows.pooled.elements());
    let mut lse = Vec::with_capacity(windows.pooled.elements());
    windows.for_each(|_, taps| {
        let window = Window::new(x, taps, config.beta());
        y.push(window.y);
        lse.push(window.lse);
    });
    Ok(Forward { shape: windows.pooled, y, lse })
}

/// The gradient of the input, of `shape`, for the gradient `grad_output` of the output, by the configuration's rule.
///
/// An element that weighs nothing has no gradient, whatever its value; where the largest exponent of a window is
/// infinite or NaN there is no derivative, and its elements get NaN.
///
/// # Errors
/// Those of [`Shape::pooled`], and [`Error::DataLength`].
pub fn backward(config: &SoftPoolConfig, shape: &Shape, x: &[f32], grad_output: &[f32]) -> Result<Vec<f64>> {
    let windows = Windows::new(config, shape)?;
    check_length("the input", x, shape)?;
    check_length("the gradient of the output", grad_output, &windows.pooled)?;
    let beta = f64::from(config.beta());
    let mut grad_input = vec![0.0; shape.elements()];
    windows.for_each(|output, taps| {
        let g = f64::from(grad_output[output]);
        let window = Window::new(x, taps, config.beta());
        for (&tap, w) in taps.iter().zip(&window.weights) {
            let slope = match config.gradient_rule() {
                _ if *w == 0.0 => 0.0,
                GradientRule::Exact => 1.0 + beta * window.offset(x[tap]),
                GradientRule::Detached => 1.0,
            };
            grad_input[tap] += g * w * slope;
        }
    });
    Ok(grad_input)
}

/// The gradient of beta: `sum_R g_R sum_i w_i (x_i - y_R)^2`.
///
/// # Errors
/// Those of [`Shape::pooled`], and [`Error::DataLength`].
pub fn grad_beta(config: &SoftPoolConfig, shape: &Shape, x: &[f32], grad_output: &[f32]) -> Result<f64> {
    let windows = Windows::new(config, shape)?;
    check_length("the input", x, shape)?;
    check_length("the gradient of the output", grad_output, &windows.pooled)?;
    let mut grad_beta = 0.0;
    windows.for_each(|output, taps| {
        let window = Window::new(x, taps, config.beta());
        let variance: f64 = taps.iter().zip(&window.weights).map(|(&tap, w)| w * window.offset(x[tap]).powi(2)).sum();
        grad_beta += f64::from(grad_output[output]) * variance;
    });
    Ok(grad_beta)
}

/// Calls `visit(output index, input indices of the window's taps)` for each window, in the order of the output's
/// elements. Taps in the padding are left out.
///
/// # Errors
/// Those of [`Shape::pooled`].
pub fn for_each_window(config: &SoftPoolConfig, shape: &Shape, visit: impl FnMut(usize, &[usize])) -> Result<()> {
    Windows::new(config, shape).map(|windows| windows.for_each(visit))
}

/// One window's softmax.
struct Window {
    /// `w_i = e_i / s`, in the order of the taps.
    weights: Vec<f64>,
    /// The element of the largest exponent.
    c: f64,
    /// `d = sum w_i (x_i - c)`, so that `y = c + d`.
    d: f64,
    y: f64,
    lse: f64,
}

impl Window {
    /// `x - y`, which a large mean does not round.
    fn offset(&self, x: f32) -> f64 {
        (f64::from(x) - self.c) - self.d
    }

    /// The window over `x[taps]`.
    ///
    /// An element whose exponent `beta x_i` is -inf weighs 0. A NaN makes the window NaN; else an exponent of +inf
    /// makes it that element's value; a window of nothing but exponents of -inf, or of no element, has their value.
    fn new(x: &[f32], taps: &[usize], beta: f32) -> Self {
        let without_weights = |y, lse| Self { weights: vec![f64::NAN; taps.len()], c: y, d: 0.0, y, lse };
        if taps.iter().any(|&tap| x[tap].is_nan()) {
            return without_weights(f64::NAN, f64::NAN);
        }
        // The signs of what weighs most and least. beta = 0 weighs every element alike, infinite ones too; where both
        // infinities meet, +inf goes first there as well.
        let most = if beta < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
        let has = |infinity: f64| taps.iter().any(|&tap| f64::from(x[tap]) == infinity);
        if has(most) {
            return without_weights(most, f64::INFINITY);
        }
        if taps.iter().all(|&tap| f64::from(x[tap]) == -most) || (beta == 0.0 && has(-most)) {
            return without_weights(-most, f64::NEG_INFINITY);
        }
        let beta = f64::from(beta);
        let largest = |c: f64, &tap: &usize| if beta * f64::from(x[tap]) > beta * c { f64::from(x[tap]) } else { c };
        let c = taps.iter().fold(f64::from(x[taps[0]]), largest);
        // 0 times an infinite offset is not what weighs nothing.
        let exponent = |tap: usize| if beta == 0.0 { 0.0 } else { beta * (f64::from(x[tap]) - c) };
        let e: Vec<f64> = taps.iter().map(|&tap| exponent(tap).exp()).collect();
        let s: f64 = e.iter().sum();
        let weights: Vec<f64> = e.iter().map(|e| e / s).collect();
        let weighted = |(&tap, w): (&usize, &f64)| if *w == 0.0 { 0.0 } else { w * (f64::from(x[tap]) - c) };
        let d: f64 = taps.iter().zip(&weights).map(weighted).sum();
        Self { weights, c, d, y: c + d, lse: beta * c + s.ln() }
    }
}

/// Every window of a tensor, in the order of the output's elements.
struct Windows {
    pooled: Shape,
    planes: usize,
    input: [usize; 3],
    output: [usize; 3],
    axes: [crate::config::AxisWindow; 3],
}

impl Windows {
    fn new(config: &SoftPoolConfig, shape: &Shape) -> Result<Self> {
        let pooled = shape.pooled(config)?;
        Ok(Self {
            pooled,
            planes: shape.planes(),
            input: shape.depth_height_width().map(|size| size as usize),
            output: pooled.depth_height_width().map(|size| size as usize),
            axes: config.axes(),
        })
    }

    /// Calls `visit(output index, input indices of the window's taps)` for each window.
    fn for_each(&self, mut visit: impl FnMut(usize, &[usize])) {
        let [depth, height, width] = self.input;
        let mut taps = Vec::new();
        let mut output = 0;
        for plane in 0..self.planes {
            for d in 0..self.output[0] {
                for h in 0..self.output[1] {
                    for w in 0..self.output[2] {
                        taps.clear();
                        for d in self.taps(0, d) {
                            for h in self.taps(1, h) {
                                taps.extend(self.taps(2, w).map(|w| ((plane * depth + d) * height + h) * width + w));
                            }
                        }
                        visit(output, &taps);
                        output += 1;
                    }
                }
            }
        }
    }

    /// The input positions, inside the input, of window `window` along `axis`.
    fn taps(&self, axis: usize, window: usize) -> impl Iterator<Item = usize> + use<> {
        let (size, axis) = (self.input[axis], self.axes[axis]);
        (0..axis.kernel as usize)
            .map(move |tap| window * axis.stride as usize + tap * axis.dilation as usize)
            .filter_map(move |padded| padded.checked_sub(axis.padding as usize))
            .filter(move |&position| position < size)
    }
}

fn check_length(role: &'static str, data: &[f32], shape: &Shape) -> Result<()> {
    if data.len() == shape.elements() {
        Ok(())
    } else {
        Err(Error::DataLength { role, given: data.len(), shape: *shape })
    }
}
