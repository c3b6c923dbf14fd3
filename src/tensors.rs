//! What each operation reads and writes: views into memory of the host's.

use crate::bound::STATISTICS_WORDS;
use crate::element::WORD_BYTES;
use crate::{Memory, Shape, TensorView};

/// Where a forward pass reads and writes.
#[derive(Clone, Copy, Debug)]
pub struct ForwardTensors<'a> {
    /// x, of any shape that the configuration takes.
    pub input: TensorView<'a>,
    /// y, of the shape that [`Shape::pooled`] gives.
    pub output: TensorView<'a>,
    /// `lse = ln sum exp(beta x_i)` by window, of the output's shape.
    pub lse: Option<TensorView<'a>>,
    /// What [`BackwardTensors::statistics`] reads.
    pub statistics: Option<StatisticsView<'a>>,
}

impl<'a> ForwardTensors<'a> {
    /// The input and the output alone.
    pub fn new(input: impl Into<TensorView<'a>>, output: impl Into<TensorView<'a>>) -> Self {
        Self { input: input.into(), output: output.into(), lse: None, statistics: None }
    }
}

/// Where a backward pass reads and writes.
#[derive(Clone, Copy, Debug)]
pub struct BackwardTensors<'a> {
    /// x, as the forward pass read it.
    pub input: TensorView<'a>,
    /// dL/dy, of the output's shape.
    pub grad_output: TensorView<'a>,
    /// dL/dx, of the input's shape; every element is written.
    pub grad_input: TensorView<'a>,
    /// What a forward pass of the same input and configuration saved, to be read instead of evaluating the windows again.
    pub statistics: Option<StatisticsView<'a>>,
}

impl<'a> BackwardTensors<'a> {
    /// A backward pass that evaluates the windows again.
    pub fn new(
        input: impl Into<TensorView<'a>>,
        grad_output: impl Into<TensorView<'a>>,
        grad_input: impl Into<TensorView<'a>>,
    ) -> Self {
        Self { input: input.into(), grad_output: grad_output.into(), grad_input: grad_input.into(), statistics: None }
    }
}

/// Where the gradient of beta is read from and written to.
#[derive(Clone, Copy, Debug)]
pub struct GradBetaTensors<'a> {
    /// x, as the forward pass read it.
    pub input: TensorView<'a>,
    /// dL/dy, of the output's shape.
    pub grad_output: TensorView<'a>,
    /// dL/dbeta: of shape `[1]` for the gradient of a beta that all channels share, or `[C]`, one for each channel.
    pub grad_beta: TensorView<'a>,
    /// What a forward pass of the same input saved, to be read instead of evaluating the windows again.
    pub statistics: Option<StatisticsView<'a>>,
}

/// Where the forward-mode derivative is read from and written to.
#[derive(Clone, Copy, Debug)]
pub struct JvpTensors<'a> {
    /// x, as the forward pass read it.
    pub input: TensorView<'a>,
    /// dx, the direction in which x changes, of the input's shape.
    pub tangent: TensorView<'a>,
    /// dy, of the output's shape.
    pub output: TensorView<'a>,
    /// What a forward pass of the same input saved, to be read instead of evaluating the windows again.
    pub statistics: Option<StatisticsView<'a>>,
}

/// Where the derivative of a backward pass is read from and written to.
///
/// With `(x, g) -> dL/dx = backward(x, g)` and a `v` of the input's shape, these are the gradients of `<v, backward(x, g)>`.
#[derive(Clone, Copy, Debug)]
pub struct SecondBackwardTensors<'a> {
    /// x, as the backward pass read it.
    pub input: TensorView<'a>,
    /// g, of the output's shape, as the backward pass read it.
    pub grad_output: TensorView<'a>,
    /// v, of the input's shape.
    pub tangent: TensorView<'a>,
    /// The gradient with respect to g, of the output's shape, if it is wanted: that is the jvp of x along v.
    pub grad_of_grad_output: Option<TensorView<'a>>,
    /// The gradient with respect to x, of the input's shape.
    pub grad_of_input: TensorView<'a>,
    /// What a forward pass of the same input saved, to be read instead of evaluating the windows again.
    pub statistics: Option<StatisticsView<'a>>,
}

/// Statistics by window inside memory of the host's: [`StatisticsView::bytes`] bytes from an offset on.
///
/// A window has three, with `z = sign(beta) x / 2`, `b = 2 |beta|`, and a `c` near the window's largest `z`: that `c`, `s = sum
/// exp(b (z_i - c))` and `d = sum exp(b (z_i - c)) (z_i - c) / s`, so that `2 (c + d)` is `sign(beta) y`. By row of windows they
/// are the `c` of its windows in f32, then their `s`, then their `d`; where a row has more than 65,536, they are `c`, `s` and `d`
/// of one window after the other. Weights and gradients computed from them are as accurate around a large mean as around 0, which a stored `lse` would not allow.
#[derive(Clone, Copy, Debug)]
pub struct StatisticsView<'a> {
    /// What holds them.
    pub memory: Memory<'a>,
    /// A multiple of 4.
    pub byte_offset: u64,
}

impl StatisticsView<'_> {
    /// Bytes of the statistics for an output of shape `pooled`.
    pub fn bytes(pooled: &Shape) -> u64 {
        pooled.elements() as u64 * STATISTICS_WORDS * WORD_BYTES
    }
}
