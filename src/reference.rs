//! The definition in plain Rust: f64 inside, one window after another, obviously right and slow.
//!
//! What the shaders compute is compared with this module, and a machine without a GPU can fall back to it. Windows
//! and formulas are those of the crate's documentation; `x`, `z`, `c`, `e`, `s`, `q`, `y` and `g` have the same names in
//! the shaders. As there, a window is the merge of its parts, and each derivative a payload of the same merge, or a
//! second pass over the elements of a window whose sums are known.

mod partial;
mod window;
mod windows;

use crate::{Error, GradientRule, Result, Shape, SoftPoolConfig};
use window::{Element, Window};
use windows::Windows;

/// The definition for one configuration, by its own beta or by one for each channel.
///
/// An element that weighs nothing takes no part in any derivative, whatever its value. A window of nothing but exponents
/// of -inf, or of nothing but padding, depends on no element: its derivatives are 0. Where a window holds NaN or an exponent
/// of +inf there is no derivative, and what depends on one is NaN.
///
/// ```
/// use softpool::{Shape, SoftPoolConfig, reference::Reference};
///
/// let config = SoftPoolConfig::builder([2]).build()?;
/// let reference = Reference::new(&config);
/// let (shape, x) = (Shape::new([1, 1, 2])?, [0.0, 1.0]);
///
/// let e = std::f64::consts::E;
/// let w = [1.0 / (1.0 + e), e / (1.0 + e)];
/// let y = reference.forward(&shape, &x)?.y[0];
/// assert!((y - w[1]).abs() < 1e-15);
/// let gradient = reference.backward(&shape, &x, &[1.0])?;
/// assert!((gradient[0] - w[0] * (1.0 + (0.0 - y))).abs() < 1e-15);
/// assert!((gradient[1] - w[1] * (1.0 + (1.0 - y))).abs() < 1e-15);
/// # Ok::<(), softpool::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reference<'a> {
    config: &'a SoftPoolConfig,
    /// One for all channels, or one for each.
    betas: Vec<f32>,
}

/// The result of [`Reference::forward`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Forward {
    /// The shape of `y` and `lse`.
    pub shape: Shape,
    /// `y = sum w_i x_i` by window.
    pub y: Vec<f64>,
    /// `lse = ln sum exp(beta x_i)` by window.
    pub lse: Vec<f64>,
}

/// The result of [`Reference::second_backward`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SecondGradients {
    /// The gradient of the first backward's `grad_output`, by window.
    pub grad_output: Vec<f64>,
    /// The gradient of the input, of its shape.
    pub input: Vec<f64>,
}

impl<'a> Reference<'a> {
    /// The definition by the configuration's beta.
    pub fn new(config: &'a SoftPoolConfig) -> Self {
        Self { config, betas: vec![config.beta()] }
    }

    /// The same by other betas than the configuration's: one for all channels, or one for each.
    ///
    /// Every call checks them: [`Error::DataLength`] for another number, [`Error::BetaNotFinite`].
    ///
    /// ```
    /// use softpool::{Shape, SoftPoolConfig, reference::Reference};
    ///
    /// let config = SoftPoolConfig::builder([2]).build()?;
    /// let two_channels = Shape::new([1, 2, 2])?;
    /// let pooled = Reference::new(&config).with_betas(&[0.0, 1e6]).forward(&two_channels, &[1.0, 3.0, 1.0, 3.0])?;
    /// assert_eq!(pooled.y, [2.0, 3.0]); // the average, and the maximum
    /// # Ok::<(), softpool::Error>(())
    /// ```
    pub fn with_betas(self, betas: &[f32]) -> Self {
        Self { betas: betas.to_vec(), ..self }
    }

    /// Pools `x` of `shape`.
    ///
    /// # Errors
    /// Those of [`Shape::pooled`], [`Error::DataLength`] and [`Error::BetaNotFinite`].
    pub fn forward(&self, shape: &Shape, x: &[f32]) -> Result<Forward> {
        let windows = self.windows(shape, x)?;
        let mut y = Vec::with_capacity(windows.pooled.elements());
        let mut lse = Vec::with_capacity(windows.pooled.elements());
        self.for_each(&windows, x, None, |_, window| {
            y.push(window.y);
            lse.push(window.lse);
        });
        Ok(Forward { shape: windows.pooled, y, lse })
    }

    /// The gradient of the input, of `shape`, for the gradient `grad_output` of the output, by the configuration's rule:
    /// `sum_R g_R w_i (1 + beta (x_i - y_R))`, or `sum_R g_R w_i`.
    ///
    /// # Errors
    /// Those of [`forward`](Self::forward).
    pub fn backward(&self, shape: &Shape, x: &[f32], grad_output: &[f32]) -> Result<Vec<f64>> {
        let windows = self.windows(shape, x)?;
        check_length("the gradient of the output", grad_output, &windows.pooled)?;
        let mut grad_input = vec![0.0; shape.elements()];
        self.for_each(&windows, x, None, |output, window| {
            let g = f64::from(grad_output[output]);
            for Element { tap, w, offset } in window.elements() {
                let slope = match self.config.gradient_rule() {
                    GradientRule::Exact => 1.0 + window.beta * offset,
                    GradientRule::Detached => 1.0,
                };
                grad_input[tap] += g * (w * slope);
            }
        });
        Ok(grad_input)
    }

    /// The gradient of each channel's beta, by either rule: `sum_R g_R sum_i w_i (x_i - y_R)^2` over the windows of the
    /// channel. A beta for all channels has their sum.
    ///
    /// # Errors
    /// Those of [`forward`](Self::forward).
    pub fn grad_beta(&self, shape: &Shape, x: &[f32], grad_output: &[f32]) -> Result<Vec<f64>> {
        let windows = self.windows(shape, x)?;
        check_length("the gradient of the output", grad_output, &windows.pooled)?;
        let mut grad_beta = vec![0.0; windows.pooled.channels()];
        self.for_each(&windows, x, None, |output, window| {
            grad_beta[windows.channel(output)] += f64::from(grad_output[output]) * window.variance();
        });
        Ok(grad_beta)
    }

    /// How the output moves as the input moves along `tangent`, of the input's shape, by the configuration's rule:
    /// `sum_i w_i (1 + beta (x_i - y)) t_i`, or `sum_i w_i t_i`. The transpose of [`backward`](Self::backward).
    ///
    /// # Errors
    /// Those of [`forward`](Self::forward).
    pub fn jvp(&self, shape: &Shape, x: &[f32], tangent: &[f32]) -> Result<Vec<f64>> {
        let windows = self.windows(shape, x)?;
        check_length("the tangent", tangent, shape)?;
        let mut tangent_output = vec![0.0; windows.pooled.elements()];
        self.for_each(&windows, x, Some(tangent), |output, window| {
            tangent_output[output] = match self.config.gradient_rule() {
                GradientRule::Exact => window.mean() + window.beta * window.covariance(),
                GradientRule::Detached => window.mean(),
            };
        });
        Ok(tangent_output)
    }

    /// The gradients of `sum_i v_i dL/dx_i`, where `dL/dx` is what [`backward`](Self::backward) makes of `grad_output` by
    /// the configuration's rule, and `v` has the input's shape.
    ///
    /// The gradient of `grad_output` is the [`jvp`](Self::jvp) along `v`. With `V = sum_i w_i v_i` and
    /// `C = sum_i w_i (x_i - y_R) v_i` of each window, that of the input is
    ///
    /// ```text
    /// exact       sum_R g_R beta w_j ((v_j - V) (2 + beta (x_j - y_R)) - beta C)
    /// detached    sum_R g_R beta w_j (v_j - V)
    /// ```
    ///
    /// # Errors
    /// Those of [`forward`](Self::forward).
    pub fn second_backward(&self, shape: &Shape, x: &[f32], grad_output: &[f32], v: &[f32]) -> Result<SecondGradients> {
        let windows = self.windows(shape, x)?;
        check_length("the gradient of the output", grad_output, &windows.pooled)?;
        let along_v = self.jvp(shape, x, v)?;
        let mut input = vec![0.0; shape.elements()];
        self.for_each(&windows, x, Some(v), |output, window| {
            let (g, beta) = (f64::from(grad_output[output]), window.beta);
            let (mean, covariance) = (window.mean(), window.covariance());
            for Element { tap, w, offset } in window.elements() {
                let from_mean = f64::from(v[tap]) - mean;
                let slope = match self.config.gradient_rule() {
                    GradientRule::Exact => from_mean * (2.0 + beta * offset) - beta * covariance,
                    GradientRule::Detached => from_mean,
                };
                input[tap] += g * beta * w * slope;
            }
        });
        Ok(SecondGradients { grad_output: along_v, input })
    }

    /// The windows of `x`, once it and the betas are known to fit `shape`.
    fn windows(&self, shape: &Shape, x: &[f32]) -> Result<Windows> {
        let windows = Windows::new(self.config, shape)?;
        check_length("the input", x, shape)?;
        if self.betas.len() != 1 {
            check_length("the betas", &self.betas, &Shape::new([windows.pooled.channels()])?)?;
        }
        match self.betas.iter().find(|beta| !beta.is_finite()) {
            Some(&beta) => Err(Error::BetaNotFinite { beta }),
            None => Ok(windows),
        }
    }

    /// Calls `visit(output index, window)` for each window, in the order of the output's elements; `t` is a direction, of the
    /// input's shape.
    fn for_each(&self, windows: &Windows, x: &[f32], t: Option<&[f32]>, mut visit: impl FnMut(usize, &Window<'_>)) {
        windows.for_each(|output, taps| {
            let beta = if let [beta] = self.betas[..] { beta } else { self.betas[windows.channel(output)] };
            visit(output, &Window::new(x, t, taps, beta));
        });
    }
}

/// Calls `visit(output index, input indices of the window's taps)` for each window, in the order of the output's
/// elements. Taps in the padding are left out.
///
/// # Errors
/// Those of [`Shape::pooled`].
pub fn for_each_window(config: &SoftPoolConfig, shape: &Shape, visit: impl FnMut(usize, &[usize])) -> Result<()> {
    Windows::new(config, shape).map(|windows| windows.for_each(visit))
}

fn check_length(role: &'static str, data: &[f32], shape: &Shape) -> Result<()> {
    if data.len() == shape.elements() {
        Ok(())
    } else {
        Err(Error::DataLength { role, given: data.len(), shape: *shape })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: [GradientRule; 2] = [GradientRule::Exact, GradientRule::Detached];

    fn shape(dims: impl AsRef<[usize]>) -> Shape {
        Shape::new(dims).unwrap()
    }

    /// Values from -2 to 2, no two neighbours alike, the same in every run.
    fn values(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|index| ((index * 37 + seed * 11) % 65) as f32 / 16.0 - 2.0).collect()
    }

    /// What the derivatives take besides `x`: `g` and `v`.
    #[derive(Clone)]
    struct Data {
        x: Vec<f32>,
        g: Vec<f32>,
        v: Vec<f32>,
    }

    impl Data {
        fn new(config: &SoftPoolConfig, shape: &Shape) -> Self {
            let (elements, windows) = (shape.elements(), shape.pooled(config).unwrap().elements());
            Self { x: values(elements, 1), g: values(windows, 2), v: values(elements, 3) }
        }
    }

    /// All that the reference computes of a pooling, by name.
    fn all(reference: &Reference, shape: &Shape, Data { x, g, v }: &Data) -> [(&'static str, Vec<f64>); 7] {
        let forward = reference.forward(shape, x).unwrap();
        let second = reference.second_backward(shape, x, g, v).unwrap();
        [
            ("y", forward.y),
            ("lse", forward.lse),
            ("grad_input", reference.backward(shape, x, g).unwrap()),
            ("grad_beta", reference.grad_beta(shape, x, g).unwrap()),
            ("jvp", reference.jvp(shape, x, v).unwrap()),
            ("second gradient of grad_output", second.grad_output),
            ("second gradient of the input", second.input),
        ]
    }

    #[test]
    fn betas_by_channel_are_those_of_channels_pooled_alone() {
        const CHANNELS: usize = 3;
        /// The values of `channel` in a batch of two; gradients of beta have one for each channel.
        fn of_channel<T: Copy>(values: &[T], channel: usize) -> Vec<T> {
            let plane = values.len().div_ceil(2 * CHANNELS);
            values.chunks(plane).skip(channel).step_by(CHANNELS).flatten().copied().collect()
        }
        let betas = [0.5, -1.0, 2.0];
        for rule in RULES {
            let builder = SoftPoolConfig::builder([3]).stride([2]).padding([1]).gradient_rule(rule);
            let config = builder.build().unwrap();
            let whole = shape([2, CHANNELS, 9]);
            let data = Data::new(&config, &whole);
            let by_channel = all(&Reference::new(&config).with_betas(&betas), &whole, &data);
            for (channel, beta) in betas.into_iter().enumerate() {
                let alone = builder.clone().beta(beta).build().unwrap();
                let [x, g, v] = [&data.x, &data.g, &data.v].map(|values| of_channel(values, channel));
                let alone = all(&Reference::new(&alone), &shape([2, 1, 9]), &Data { x, g, v });
                for ((name, got), (_, want)) in by_channel.iter().zip(alone) {
                    assert_eq!(of_channel(got, channel), want, "{name} of channel {channel}, {rule:?}");
                }
            }
        }
    }

    #[test]
    fn one_beta_is_that_of_every_channel() {
        let builder = SoftPoolConfig::builder([2, 2]).stride([1]);
        let (one, two) = (builder.build().unwrap(), builder.beta(2.0).build().unwrap());
        let shape = shape([2, 3, 3, 4]);
        let data = Data::new(&one, &shape);
        let want = all(&Reference::new(&two), &shape, &data);
        for betas in [&[2.0][..], &[2.0; 3]] {
            assert_eq!(all(&Reference::new(&one).with_betas(betas), &shape, &data), want, "{betas:?}");
        }
    }

    #[test]
    fn betas_are_checked_by_every_call() {
        let config = SoftPoolConfig::builder([2]).build().unwrap();
        let (shape, x, g) = (shape([1, 3, 2]), [0.0; 6], [0.0; 3]);
        for betas in [&[][..], &[1.0; 2], &[1.0; 6], &[f32::NAN], &[1.0, 1.0, f32::INFINITY]] {
            let reference = Reference::new(&config).with_betas(betas);
            let errors = [
                reference.forward(&shape, &x).unwrap_err(),
                reference.backward(&shape, &x, &g).unwrap_err(),
                reference.grad_beta(&shape, &x, &g).unwrap_err(),
                reference.jvp(&shape, &x, &x).unwrap_err(),
                reference.second_backward(&shape, &x, &g, &x).unwrap_err(),
            ];
            for error in errors {
                let expected = match error {
                    Error::DataLength { role: "the betas", given, shape } => {
                        given == betas.len() && shape.dims() == [3]
                    }
                    Error::BetaNotFinite { beta } => betas.iter().any(|given| given.to_bits() == beta.to_bits()),
                    _ => false,
                };
                assert!(expected, "{betas:?}: {error}");
            }
        }
    }

    #[test]
    fn adaptive_windows_are_pytorchs() {
        let windows = |config: SoftPoolConfig, dims: &[usize]| {
            let mut windows = Vec::new();
            for_each_window(&config, &shape(dims), |_, taps| windows.push(taps.to_vec())).unwrap();
            windows
        };
        let adaptive = |output: &[usize]| SoftPoolConfig::adaptive(output).build().unwrap();
        assert_eq!(windows(adaptive(&[3]), &[1, 5]), [vec![0, 1], vec![1, 2, 3], vec![3, 4]]);
        // One axis that divides, one that doesn't, in the second plane.
        let rows = [vec![10, 11], vec![11, 12, 13], vec![13, 14], vec![15, 16], vec![16, 17, 18], vec![18, 19]];
        assert_eq!(windows(adaptive(&[2, 3]), &[2, 2, 5])[6..], rows);
        let whole = SoftPoolConfig::global(3).build().unwrap();
        assert_eq!(windows(whole, &[1, 2, 2, 3]), [(0..12).collect::<Vec<_>>()]);
        let plain = SoftPoolConfig::builder([2, 3]).build().unwrap();
        assert_eq!(windows(adaptive(&[2, 2]), &[1, 2, 4, 6]), windows(plain, &[1, 2, 4, 6]));
    }

    #[test]
    fn a_sample_without_a_batch_is_a_batch_of_one() {
        for rule in RULES {
            for builder in [SoftPoolConfig::builder([3, 2]).padding([1]), SoftPoolConfig::adaptive([3, 2])] {
                let config = builder.gradient_rule(rule).build().unwrap();
                let (sample, batch) = (shape([2, 4, 5]), shape([1, 2, 4, 5]));
                let reference = Reference::new(&config).with_betas(&[1.0, -0.5]);
                let data = Data::new(&config, &batch);
                assert_eq!(all(&reference, &sample, &data), all(&reference, &batch, &data), "{config:?}");
                assert_eq!(reference.forward(&sample, &data.x).unwrap().shape, sample.pooled(&config).unwrap());
            }
        }
    }

    #[test]
    fn what_weighs_nothing_changes_no_derivative() {
        for (rule, beta) in RULES.into_iter().flat_map(|rule| [(rule, 1.0), (rule, -1.0)]) {
            let config = |kernel| SoftPoolConfig::builder([kernel]).beta(beta).gradient_rule(rule).build().unwrap();
            let nothing = f32::NEG_INFINITY * beta;
            let data = Data { x: vec![0.5, -1.0, nothing], g: vec![2.0], v: vec![3.0, 4.0, 5.0] };
            let without = Data { x: vec![0.5, -1.0], v: vec![3.0, 4.0], ..data.clone() };
            let got = all(&Reference::new(&config(3)), &shape([1, 3]), &data);
            let want = all(&Reference::new(&config(2)), &shape([1, 2]), &without);
            for ((name, mut got), (_, want)) in got.into_iter().zip(want) {
                if got.len() == 3 {
                    assert_eq!(got.pop(), Some(0.0), "{name}");
                }
                assert_eq!(got, want, "{name} by {rule:?}, beta {beta}");
            }
        }
    }

    #[test]
    fn windows_without_weights_have_no_derivative() {
        let (nan, infinity) = (f32::NAN, f32::INFINITY);
        for rule in RULES {
            for x in [[nan, 1.0], [infinity, 1.0], [infinity, -infinity], [nan, -infinity]] {
                let config = SoftPoolConfig::builder([2]).gradient_rule(rule).build().unwrap();
                let data = Data { x: x.to_vec(), g: vec![2.0], v: vec![3.0, 4.0] };
                for (name, got) in &all(&Reference::new(&config), &shape([1, 2]), &data)[2..] {
                    assert!(got.iter().all(|value| value.is_nan()), "{name} of {x:?} by {rule:?}: {got:?}");
                }
            }
        }
    }

    #[test]
    fn windows_of_nothing_have_derivatives_of_zero() {
        let check = |config: SoftPoolConfig, x: Option<f32>| {
            let shape = shape([1, 2]);
            let mut data = Data::new(&config, &shape);
            x.into_iter().for_each(|x| data.x.fill(x));
            let [(_, y), (_, lse), derivatives @ ..] = all(&Reference::new(&config), &shape, &data);
            assert_eq!((y, lse), (vec![f64::from(x.unwrap_or(f32::NEG_INFINITY))], vec![f64::NEG_INFINITY]));
            for (name, got) in derivatives {
                assert!(got.iter().all(|&value| value == 0.0), "{name} of {x:?} by {config:?}: {got:?}");
            }
        };
        for rule in RULES {
            // One window, whose taps are one before the input and one behind it.
            let padding = SoftPoolConfig::builder([2]).padding([1]).dilation([3]).gradient_rule(rule);
            check(padding.build().unwrap(), None);
            // What weighs least, and nothing else.
            for (beta, x) in [(1.0, f32::NEG_INFINITY), (-1.0, f32::INFINITY), (0.0, f32::NEG_INFINITY)] {
                let config = SoftPoolConfig::builder([2]).beta(beta).gradient_rule(rule).build().unwrap();
                check(config, Some(x));
            }
        }
    }
}
