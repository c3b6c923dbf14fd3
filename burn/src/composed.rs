//! SoftPool from Burn's own operations, for every backend: windows are gathered, and pooled about their centres.
//!
//! It takes as many bytes as there are taps, several times over, and the gradient is what Burn's autodiff makes of it.

use std::iter::repeat_n;

use burn::tensor::{Bool, DType, Int, Tensor, TensorData};
use softpool::reference::for_each_window;
use softpool::{GradientRule, Shape, SoftPoolConfig};

/// The axis of the taps, of tensors of batch, channels, windows and taps.
const TAPS: usize = 3;

/// Pools by `betas`, or by the configuration's; `pooled` is the shape of the result.
pub(crate) fn soft_pool<const D: usize>(
    x: Tensor<D>,
    betas: Option<Tensor<1>>,
    config: &SoftPoolConfig,
    pooled: [usize; D],
) -> Tensor<D> {
    let (dims, stored, device) = (x.dims(), x.dtype(), x.device());
    // Half types keep too little of a sum, and of a difference to a centre.
    let dtype = if stored == DType::F64 { DType::F64 } else { DType::F32 };
    let (batch, channels) = (dims[0], dims[1]);
    let channel = Shape::new([&[1, 1], &dims[2..]].concat()).expect("no larger than the input");
    let windows = Windows::new(config, &channel);
    let gathered = [batch, channels, windows.count, windows.taps];
    let positions =
        Tensor::<1, Int>::from_data(TensorData::new(windows.positions, [gathered[2] * gathered[3]]), &device);
    let x = x.cast(dtype).reshape([batch, channels, channel.elements()]).select(2, positions).reshape(gathered);

    // A beta below 0 is the same one above 0, of the negative inputs.
    let beta = match betas {
        Some(betas) => {
            let [count] = betas.dims();
            betas.cast(dtype).reshape([1, count, 1, 1])
        }
        None => Tensor::full([1; 4], config.beta(), (&device, dtype)),
    };
    let sign = beta.ones_like().mask_fill(beta.clone().detach().lower_elem(0.0), -1.0);
    let (z, beta) = (x * sign.clone(), beta * sign.clone());

    let mut weightless = z.clone().equal_elem(f32::NEG_INFINITY);
    if windows.absent.contains(&true) {
        let absent = TensorData::new(windows.absent, [1, 1, gathered[2], gathered[3]]);
        weightless = weightless.bool_or(Tensor::<4, Bool>::from_data(absent, &device).expand(gathered));
    }
    // Differences to the window's maximum: neither sums nor gradients lose accuracy around a large mean.
    let centre = z.clone().detach().mask_fill(weightless.clone(), f32::NEG_INFINITY).max_dim(TAPS);
    let z = (z - centre.clone()).mask_fill(weightless.clone(), 0.0);
    let e = (z.clone() * beta).exp().mask_fill(weightless, 0.0);
    let mut weights = e.clone() / e.sum_dim(TAPS);
    if config.gradient_rule() == GradientRule::Detached {
        weights = weights.detach();
    }
    let y = centre.clone() + (weights * z).sum_dim(TAPS);
    // No difference to an infinite centre is a number.
    let y = y.mask_where(centre.clone().is_inf(), centre) * sign;

    y.reshape(pooled).cast(stored)
}

/// Where the taps of a channel's windows lie, in flat positions of its spatial axes.
struct Windows {
    count: usize,
    /// Of the largest window.
    taps: usize,
    /// By window and tap; 0 for taps that a window lacks.
    positions: Vec<i64>,
    /// Whether a window lacks a tap: it lies in the padding, or the window is smaller than others.
    absent: Vec<bool>,
}

impl Windows {
    /// Of a configuration that has accepted this shape.
    fn new(config: &SoftPoolConfig, channel: &Shape) -> Self {
        let mut windows: Vec<Vec<usize>> = Vec::new();
        for_each_window(config, channel, |_, taps| windows.push(taps.to_vec()))
            .expect("the caller has checked the shape");
        let taps = windows.iter().map(Vec::len).max().unwrap_or(0).max(1);
        let lacking = |window: &Vec<usize>| taps - window.len();
        let positions = |window: &Vec<usize>| {
            let present = window.iter().map(|&tap| tap as i64);
            present.chain(repeat_n(0, lacking(window))).collect::<Vec<_>>()
        };
        let absent = |window: &Vec<usize>| repeat_n(false, window.len()).chain(repeat_n(true, lacking(window)));
        Self {
            count: windows.len(),
            taps,
            positions: windows.iter().flat_map(positions).collect(),
            absent: windows.iter().flat_map(absent).collect(),
        }
    }
}
