//! What to pool, and the functions that do it: checked here, then run by the path that the tensor's device allows.

use burn::config::Config;
use burn::tensor::{DType, Tensor};
use softpool::{Shape, SoftPoolConfig, SoftPoolConfigBuilder};

use crate::refuse::refuse;
use crate::{composed, launch, operation};

/// How the gradient treats the softmax weights.
#[derive(Config, Copy, Debug, PartialEq, Eq)]
pub enum GradientRule {
    /// The derivative: `dL/dx_i = sum_R g_R w_i (1 + beta (x_i - y_R))`.
    Exact,
    /// The weights taken as constants, `dL/dx_i = sum_R g_R w_i`: what the authors' CUDA extension computes. It is not the
    /// derivative, and a learned beta gets no gradient.
    Detached,
}

impl From<GradientRule> for softpool::GradientRule {
    fn from(rule: GradientRule) -> Self {
        match rule {
            GradientRule::Exact => Self::Exact,
            GradientRule::Detached => Self::Detached,
        }
    }
}

/// Options of [`soft_pool1d`], [`soft_pool2d`] and [`soft_pool3d`], with sizes by spatial axis, outermost first.
///
/// The stride starts as the kernel size, the padding as 0, the dilation as 1, the ceil mode as off, beta as 1 and the
/// gradient rule as exact.
#[derive(Clone, Debug)]
pub struct SoftPoolOptions<const RANK: usize> {
    windows: SoftPoolConfigBuilder,
    betas: Option<Tensor<1>>,
}

impl<const RANK: usize> SoftPoolOptions<RANK> {
    /// Windows of this size.
    pub fn new(kernel_size: [usize; RANK]) -> Self {
        Self { windows: SoftPoolConfig::builder(kernel_size), betas: None }
    }

    /// As many windows as these along each axis, by the rule of Burn's `adaptive_avg_pool`: they take neither stride, nor
    /// padding, nor dilation.
    pub fn adaptive(output_size: [usize; RANK]) -> Self {
        Self { windows: SoftPoolConfig::adaptive(output_size), betas: None }
    }

    /// Positions between the starts of neighbouring windows.
    pub fn with_stride(self, stride: [usize; RANK]) -> Self {
        Self { windows: self.windows.stride(stride), ..self }
    }

    /// Positions added at each side of an axis, at most half the kernel. They take no part in the softmax.
    pub fn with_padding(self, padding: [usize; RANK]) -> Self {
        Self { windows: self.windows.padding(padding), ..self }
    }

    /// Positions from one tap of a window to the next.
    pub fn with_dilation(self, dilation: [usize; RANK]) -> Self {
        Self { windows: self.windows.dilation(dilation), ..self }
    }

    /// Whether a last, incomplete window is added where positions remain.
    pub fn with_ceil_mode(self, ceil_mode: bool) -> Self {
        Self { windows: self.windows.ceil_mode(ceil_mode), ..self }
    }

    /// The inverse temperature, any finite number: 0 is average pooling, towards infinity max pooling, below 0 a soft minimum.
    pub fn with_beta(self, beta: f64) -> Self {
        Self { windows: self.windows.beta(beta as f32), betas: None }
    }

    /// Inverse temperatures from a tensor: one for all channels, or one for each. Gradients reach it.
    pub fn with_betas(self, betas: Tensor<1>) -> Self {
        Self { betas: Some(betas), ..self }
    }

    /// How the gradient treats the softmax weights.
    pub fn with_gradient_rule(self, rule: GradientRule) -> Self {
        Self { windows: self.windows.gradient_rule(rule.into()), ..self }
    }
}

/// SoftPool over the length: `[batch, channels, length]` to `[batch, channels, windows]`.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use softpool_burn::{SoftPoolOptions, soft_pool1d};
///
/// let x = Tensor::<3>::from_data([[[0.0, 0.0, 1.0, 3.0]]], &Device::flex());
/// let y = soft_pool1d(x, SoftPoolOptions::new([2]));
/// assert_eq!(y.dims(), [1, 1, 2]);
/// ```
///
/// # Panics
/// If the options break a rule, or don't fit the tensor; the message says which.
pub fn soft_pool1d(x: Tensor<3>, options: SoftPoolOptions<1>) -> Tensor<3> {
    soft_pool("soft_pool1d", x, options)
}

/// SoftPool over height and width: `[batch, channels, height, width]` to one element a window.
///
/// ```
/// use burn::tensor::{Device, Distribution, Tensor};
/// use softpool_burn::{SoftPoolOptions, soft_pool2d};
///
/// let x = Tensor::<4>::random([2, 3, 15, 15], Distribution::Default, &Device::flex());
/// let y = soft_pool2d(x.clone(), SoftPoolOptions::new([3, 3]).with_stride([2, 2]).with_padding([1, 1]));
/// assert_eq!(y.dims(), [2, 3, 8, 8]);
/// let global = soft_pool2d(x, SoftPoolOptions::adaptive([1, 1]).with_beta(2.0));
/// assert_eq!(global.dims(), [2, 3, 1, 1]);
/// ```
///
/// # Panics
/// If the options break a rule, or don't fit the tensor; the message says which.
pub fn soft_pool2d(x: Tensor<4>, options: SoftPoolOptions<2>) -> Tensor<4> {
    soft_pool("soft_pool2d", x, options)
}

/// SoftPool over depth, height and width: `[batch, channels, depth, height, width]` to one element a window.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use softpool_burn::{SoftPoolOptions, soft_pool3d};
///
/// let x = Tensor::<5>::ones([1, 2, 4, 6, 6], &Device::flex());
/// let y = soft_pool3d(x, SoftPoolOptions::new([2, 2, 2]));
/// assert_eq!(y.dims(), [1, 2, 2, 3, 3]);
/// ```
///
/// # Panics
/// If the options break a rule, or don't fit the tensor; the message says which.
pub fn soft_pool3d(x: Tensor<5>, options: SoftPoolOptions<3>) -> Tensor<5> {
    soft_pool("soft_pool3d", x, options)
}

fn soft_pool<const D: usize, const RANK: usize>(
    operation: &str,
    x: Tensor<D>,
    options: SoftPoolOptions<RANK>,
) -> Tensor<D> {
    let checked = options.windows.build().and_then(|config| {
        let pooled = Shape::new(x.dims())?.pooled(&config)?;
        Ok((config, pooled))
    });
    let (config, pooled) = checked.unwrap_or_else(|error| refuse(operation, error));
    if let Some(betas) = &options.betas {
        let ([given], channels) = (betas.dims(), x.dims()[1]);
        if given != 1 && given != channels {
            refuse(
                operation,
                format!("{given} betas for {channels} channels: give 1 for all, or one for each channel"),
            );
        }
    }
    let pooled: [usize; D] = pooled.dims().try_into().expect("as many axes as the input");
    if pooled.contains(&0) {
        return Tensor::empty(pooled, (&x.device(), x.dtype()));
    }
    match x.dtype() {
        DType::F32 | DType::F16 | DType::BF16 if launch::runs_on(&x.device()) => {
            operation::soft_pool(x, options.betas, config)
        }
        _ => composed::soft_pool(x, options.betas, &config, pooled),
    }
}
