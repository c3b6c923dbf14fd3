//! What each operation reads and writes: views into memory of the host's.

use crate::bound::STATISTICS_WORDS;
use crate::element::WORD_BYTES;
use crate::{Memory, Shape, TensorView};

/// A forward pass: where it reads and writes. The tensors may lie in one buffer, on elements that do not overlap.
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

/// A backward pass, by the configuration's gradient rule: where it reads and writes. Without statistics it needs nothing but x and
/// dL/dy where windows are small; for large windows it computes statistics first.
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

/// The gradient of beta, `sum_R g_R sum_i w_i (x_i - y_R)^2` over all windows or those of each channel: parts of 4096 windows are
/// added up first, then the parts, always in the same order.
///
/// With the detached rule the weights are constants, and so is y: that gradient is 0, whatever this one says.
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

impl<'a> GradBetaTensors<'a> {
    /// The gradient that evaluates the windows again.
    pub fn new(
        input: impl Into<TensorView<'a>>,
        grad_output: impl Into<TensorView<'a>>,
        grad_beta: impl Into<TensorView<'a>>,
    ) -> Self {
        Self { input: input.into(), grad_output: grad_output.into(), grad_beta: grad_beta.into(), statistics: None }
    }
}

/// The forward-mode derivative: how y changes as x goes along a direction. For the detached rule it is what that rule's backward is
/// the transpose of, `sum w_i dx_i`.
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

impl<'a> JvpTensors<'a> {
    /// The derivative that evaluates the windows again.
    pub fn new(
        input: impl Into<TensorView<'a>>,
        tangent: impl Into<TensorView<'a>>,
        output: impl Into<TensorView<'a>>,
    ) -> Self {
        Self { input: input.into(), tangent: tangent.into(), output: output.into(), statistics: None }
    }
}

/// The derivative of a backward pass, by the configuration's gradient rule: where it reads and writes.
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
