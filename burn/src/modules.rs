//! The modules, and the configurations that make them: one text for one, two and three spatial axes.

use burn::config::Config;
use burn::module::{Content, DisplaySettings, Initializer, Module, ModuleDisplay, Param};
use burn::nn::{PaddingConfig1d, PaddingConfig2d, PaddingConfig3d};
use burn::tensor::{Device, Tensor};

use crate::options::{GradientRule, SoftPoolOptions, soft_pool1d, soft_pool2d, soft_pool3d};
use crate::padding::{Axis, Padding};
use crate::refuse::refuse;

/// The inverse temperature of a module: 0 is average pooling, towards infinity max pooling, below 0 a soft minimum.
#[derive(Config, Debug, PartialEq)]
pub enum Beta {
    /// This number.
    Fixed(f64),
    /// A parameter that all channels share, starting from this number.
    Learned(f64),
    /// As many parameters as there are channels, all starting from this number.
    LearnedByChannel {
        /// Channels of the input.
        channels: usize,
        /// What each starts from.
        initial: f64,
    },
}

impl Beta {
    /// The parameter, if it is learned.
    fn parameter(&self, operation: &str, rule: GradientRule, device: &Device) -> Option<Param<Tensor<1>>> {
        let (size, value) = match *self {
            Self::Fixed(_) => return None,
            Self::Learned(initial) => (1, initial),
            Self::LearnedByChannel { channels, initial } => (channels, initial),
        };
        if rule == GradientRule::Detached {
            refuse(
                operation,
                format!(
                    "{self:?} with the detached rule, which has no gradient of beta: learn by the exact rule, or fix beta"
                ),
            );
        }
        if size == 0 || !value.is_finite() {
            refuse(operation, format!("{self:?}: learn at least one beta, from a finite number on"));
        }
        Some(Initializer::Constant { value }.init([size], device))
    }

    /// The number, if it is fixed; else what it was at the start.
    fn value(&self) -> f64 {
        match *self {
            Self::Fixed(value) | Self::Learned(value) | Self::LearnedByChannel { initial: value, .. } => value,
        }
    }
}

/// Options with a module's beta and rule.
fn with_beta<const RANK: usize>(
    options: SoftPoolOptions<RANK>,
    beta: f64,
    learned: &Option<Param<Tensor<1>>>,
    rule: GradientRule,
) -> SoftPoolOptions<RANK> {
    let options = options.with_beta(beta).with_gradient_rule(rule);
    match learned {
        Some(betas) => options.with_betas(betas.val()),
        None => options,
    }
}

/// A size by axis: Burn gives one axis as a number, more as an array.
trait ByAxis<const RANK: usize>: Copy {
    fn by_axis(self) -> [usize; RANK];
}

impl ByAxis<1> for usize {
    fn by_axis(self) -> [usize; 1] {
        [self]
    }
}

impl<const RANK: usize> ByAxis<RANK> for [usize; RANK] {
    fn by_axis(self) -> [usize; RANK] {
        self
    }
}

/// The modules of a rank, with names and defaults as Burn's own pooling modules have them.
macro_rules! soft_pool_modules {
    (
        $function:ident, Tensor<$axes:literal>, $size:ty, $ones:tt, $stride:ident, $padding:ident, $valid:tt,
        $module:ident, $config:ident, $example:literal, $adaptive:ident, $adaptive_config:ident, $adaptive_example:literal,
        $input:literal, $output:literal
    ) => {
        #[doc = concat!("Configuration to create a [`", stringify!($module), "`] with [`init`](Self::init).")]
        ///
        /// ```
        #[doc = $example]
        /// ```
        #[derive(Config, Debug)]
        pub struct $config {
            /// The size of the kernel.
            pub kernel_size: $size,
            /// The positions between the starts of neighbouring windows.
            #[config(default = "kernel_size")]
            pub $stride: $size,
            /// The padding: the same at both sides of an axis, and at most half the kernel. It takes no part in the softmax.
            #[config(default = $valid)]
            pub padding: $padding,
            /// The positions from one tap of a window to the next.
            #[config(default = $ones)]
            pub dilation: $size,
            /// If true, use ceiling instead of floor for output size calculation.
            #[config(default = "false")]
            pub ceil_mode: bool,
            /// The inverse temperature.
            #[config(default = "Beta::Fixed(1.0)")]
            pub beta: Beta,
            /// How the gradient treats the softmax weights.
            #[config(default = "GradientRule::Exact")]
            pub gradient_rule: GradientRule,
        }

        impl $config {
            #[doc = concat!("Initialize a new [`", stringify!($module), "`]; `device` is where a learned beta lies.")]
            ///
            /// # Panics
            /// If a beta is to be learned that has no gradient, or from a number that is not finite.
            pub fn init(&self, device: &Device) -> $module {
                $module {
                    kernel_size: self.kernel_size,
                    stride: self.$stride,
                    padding: self.padding.clone(),
                    dilation: self.dilation,
                    ceil_mode: self.ceil_mode,
                    beta: self.beta.value(),
                    learned_beta: self.beta.parameter(stringify!($config), self.gradient_rule, device),
                    gradient_rule: self.gradient_rule,
                }
            }
        }

        #[doc = concat!("SoftPool as a module: see [`", stringify!($function), "`](crate::", stringify!($function), ").")]
        ///
        #[doc = concat!("Should be created with [`", stringify!($config), "`].")]
        #[derive(Module, Debug)]
        #[module(custom_display)]
        pub struct $module {
            /// The size of the kernel.
            pub kernel_size: $size,
            /// The positions between the starts of neighbouring windows.
            pub stride: $size,
            /// The padding configuration.
            #[module(skip)]
            pub padding: $padding,
            /// The positions from one tap of a window to the next.
            pub dilation: $size,
            /// If true, use ceiling instead of floor for output size calculation.
            pub ceil_mode: bool,
            /// The inverse temperature; if it is learned, what it was at the start.
            pub beta: f64,
            /// The inverse temperature that is learned: one for all channels, or one for each.
            pub learned_beta: Option<Param<Tensor<1>>>,
            /// How the gradient treats the softmax weights.
            #[module(skip)]
            pub gradient_rule: GradientRule,
        }

        impl $module {
            /// Applies the forward pass on the input tensor.
            ///
            /// # Shapes
            ///
            #[doc = concat!("- input: `", $input, "`")]
            #[doc = concat!("- output: `", $output, "`")]
            ///
            /// # Panics
            /// If the configuration breaks a rule, or doesn't fit the tensor; the message says which.
            pub fn forward(&self, input: Tensor<$axes>) -> Tensor<$axes> {
                let (kernel, stride) = (self.kernel_size.by_axis(), self.stride.by_axis());
                let dilation = self.dilation.by_axis();
                let dims = input.dims();
                let axes = std::array::from_fn(|axis| Axis {
                    input: dims[axis + 2],
                    kernel: kernel[axis],
                    stride: stride[axis],
                    dilation: dilation[axis],
                });
                let options = SoftPoolOptions::new(kernel)
                    .with_stride(stride)
                    .with_padding(self.padding.by_side(stringify!($module), axes))
                    .with_dilation(dilation)
                    .with_ceil_mode(self.ceil_mode);
                $function(input, with_beta(options, self.beta, &self.learned_beta, self.gradient_rule))
            }
        }

        impl ModuleDisplay for $module {
            fn custom_settings(&self) -> Option<DisplaySettings> {
                DisplaySettings::new().with_new_line_after_attribute(false).optional()
            }

            fn custom_content(&self, content: Content) -> Option<Content> {
                let content = content
                    .add("kernel_size", &format!("{:?}", self.kernel_size))
                    .add("stride", &format!("{:?}", self.stride))
                    .add_debug_attribute("padding", &self.padding)
                    .add("dilation", &format!("{:?}", self.dilation))
                    .add("ceil_mode", &self.ceil_mode);
                show_beta(content, self.beta, &self.learned_beta, self.gradient_rule)
            }
        }

        #[doc = concat!("Configuration to create an [`", stringify!($adaptive), "`] with [`init`](Self::init).")]
        ///
        /// ```
        #[doc = $adaptive_example]
        /// ```
        #[derive(Config, Debug)]
        pub struct $adaptive_config {
            /// The size of the output: 1 to the input's.
            pub output_size: $size,
            /// The inverse temperature.
            #[config(default = "Beta::Fixed(1.0)")]
            pub beta: Beta,
            /// How the gradient treats the softmax weights.
            #[config(default = "GradientRule::Exact")]
            pub gradient_rule: GradientRule,
        }

        impl $adaptive_config {
            #[doc = concat!("Initialize a new [`", stringify!($adaptive), "`]; `device` is where a learned beta lies.")]
            ///
            /// # Panics
            /// If a beta is to be learned that has no gradient, or from a number that is not finite.
            pub fn init(&self, device: &Device) -> $adaptive {
                $adaptive {
                    output_size: self.output_size,
                    beta: self.beta.value(),
                    learned_beta: self.beta.parameter(stringify!($adaptive_config), self.gradient_rule, device),
                    gradient_rule: self.gradient_rule,
                }
            }
        }

        /// SoftPool to an output of a given size, by the windows of Burn's adaptive average pooling; an output size of 1 is
        /// global pooling.
        ///
        #[doc = concat!("Should be created with [`", stringify!($adaptive_config), "`].")]
        #[derive(Module, Debug)]
        #[module(custom_display)]
        pub struct $adaptive {
            /// The size of the output.
            pub output_size: $size,
            /// The inverse temperature; if it is learned, what it was at the start.
            pub beta: f64,
            /// The inverse temperature that is learned: one for all channels, or one for each.
            pub learned_beta: Option<Param<Tensor<1>>>,
            /// How the gradient treats the softmax weights.
            #[module(skip)]
            pub gradient_rule: GradientRule,
        }

        impl $adaptive {
            /// Applies the forward pass on the input tensor.
            ///
            /// # Shapes
            ///
            #[doc = concat!("- input: `", $input, "`")]
            #[doc = concat!("- output: `", $output, "`")]
            ///
            /// # Panics
            /// If the configuration breaks a rule, or doesn't fit the tensor; the message says which.
            pub fn forward(&self, input: Tensor<$axes>) -> Tensor<$axes> {
                let options = SoftPoolOptions::adaptive(self.output_size.by_axis());
                $function(input, with_beta(options, self.beta, &self.learned_beta, self.gradient_rule))
            }
        }

        impl ModuleDisplay for $adaptive {
            fn custom_settings(&self) -> Option<DisplaySettings> {
                DisplaySettings::new().with_new_line_after_attribute(false).optional()
            }

            fn custom_content(&self, content: Content) -> Option<Content> {
                let content = content.add("output_size", &format!("{:?}", self.output_size));
                show_beta(content, self.beta, &self.learned_beta, self.gradient_rule)
            }
        }
    };
}

/// Adds what a module's beta is, and its rule where it is not the derivative.
fn show_beta(content: Content, beta: f64, learned: &Option<Param<Tensor<1>>>, rule: GradientRule) -> Option<Content> {
    let content = match learned {
        Some(betas) => content.add("learned_betas", &betas.shape().num_elements()),
        None => content.add("beta", &beta),
    };
    match rule {
        GradientRule::Exact => content.optional(),
        GradientRule::Detached => content.add_debug_attribute("gradient_rule", &rule).optional(),
    }
}

soft_pool_modules!(
    soft_pool1d,
    Tensor<3>,
    usize,
    "1",
    stride,
    PaddingConfig1d,
    "PaddingConfig1d::Valid",
    SoftPool1d,
    SoftPool1dConfig,
    "use burn::tensor::{Device, Tensor};
use softpool_burn::{Beta, SoftPool1dConfig};

let device = Device::flex();
let pool = SoftPool1dConfig::new(3).with_stride(2).with_beta(Beta::Fixed(2.0)).init(&device);
let y = pool.forward(Tensor::<3>::ones([4, 8, 33], &device));
assert_eq!(y.dims(), [4, 8, 16]);",
    AdaptiveSoftPool1d,
    AdaptiveSoftPool1dConfig,
    "use burn::tensor::{Device, Tensor};
use softpool_burn::AdaptiveSoftPool1dConfig;

let device = Device::flex();
let pool = AdaptiveSoftPool1dConfig::new(5).init(&device);
assert_eq!(pool.forward(Tensor::<3>::ones([4, 8, 33], &device)).dims(), [4, 8, 5]);",
    "[batch_size, channels, length_in]",
    "[batch_size, channels, length_out]"
);

soft_pool_modules!(
    soft_pool2d,
    Tensor<4>,
    [usize; 2],
    "[1, 1]",
    strides,
    PaddingConfig2d,
    "PaddingConfig2d::Valid",
    SoftPool2d,
    SoftPool2dConfig,
    "use burn::nn::PaddingConfig2d;
use burn::tensor::{Device, Tensor};
use softpool_burn::{Beta, SoftPool2dConfig};

let device = Device::flex();
let pool = SoftPool2dConfig::new([3, 3])
    .with_strides([2, 2])
    .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
    .with_beta(Beta::LearnedByChannel { channels: 8, initial: 1.0 })
    .init(&device);
let y = pool.forward(Tensor::<4>::ones([4, 8, 28, 28], &device));
assert_eq!(y.dims(), [4, 8, 14, 14]);",
    AdaptiveSoftPool2d,
    AdaptiveSoftPool2dConfig,
    "use burn::tensor::{Device, Tensor};
use softpool_burn::AdaptiveSoftPool2dConfig;

let device = Device::flex();
let pool = AdaptiveSoftPool2dConfig::new([7, 7]).init(&device);
assert_eq!(pool.forward(Tensor::<4>::ones([4, 8, 28, 30], &device)).dims(), [4, 8, 7, 7]);",
    "[batch_size, channels, height_in, width_in]",
    "[batch_size, channels, height_out, width_out]"
);

soft_pool_modules!(
    soft_pool3d,
    Tensor<5>,
    [usize; 3],
    "[1, 1, 1]",
    strides,
    PaddingConfig3d,
    "PaddingConfig3d::Valid",
    SoftPool3d,
    SoftPool3dConfig,
    "use burn::tensor::{Device, Tensor};
use softpool_burn::SoftPool3dConfig;

let device = Device::flex();
let pool = SoftPool3dConfig::new([1, 2, 2]).init(&device);
let y = pool.forward(Tensor::<5>::ones([1, 8, 4, 16, 16], &device));
assert_eq!(y.dims(), [1, 8, 4, 8, 8]);",
    AdaptiveSoftPool3d,
    AdaptiveSoftPool3dConfig,
    "use burn::tensor::{Device, Tensor};
use softpool_burn::AdaptiveSoftPool3dConfig;

let device = Device::flex();
let pool = AdaptiveSoftPool3dConfig::new([1, 1, 1]).init(&device);
assert_eq!(pool.forward(Tensor::<5>::ones([1, 8, 4, 16, 16], &device)).dims(), [1, 8, 1, 1, 1]);",
    "[batch_size, channels, depth_in, height_in, width_in]",
    "[batch_size, channels, depth_out, height_out, width_out]"
);
