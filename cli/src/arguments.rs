//! The command line: what clap parses, and what of it the library's configuration takes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use softpool::{GradientRule, SoftPoolConfig};

use crate::failure::{Failure, Result};

/// SoftPool pooling (softmax-weighted average pooling) on the GPU.
#[derive(Parser)]
#[command(name = "softpool", version, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 a device failed, 2 the arguments or a file are wrong.")]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// List the GPU adapters with the limits and features that matter here.
    Info,
    /// Pool a .npy tensor.
    Forward(ForwardArguments),
    /// Compute the gradient of a .npy tensor from the gradient of its pooling.
    Backward(BackwardArguments),
    /// Pool a PNG or JPEG image, each channel (alpha too) by itself.
    Image(ImageArguments),
    /// Draw an image beside its soft, max and average pooling, and print SSIM and PSNR of each.
    Compare(CompareArguments),
}

#[derive(Args)]
pub struct ForwardArguments {
    /// The tensor: .npy, (N, C) and one to three spatial axes, float32 or float64.
    #[arg(long, value_name = "X.npy")]
    pub input: PathBuf,
    /// Where the pooled tensor goes: .npy, float32.
    #[arg(long, value_name = "Y.npy")]
    pub output: PathBuf,
    /// Where the log-sum-exp of each window, ln sum exp(beta x), goes too: .npy, float32.
    #[arg(long, value_name = "LSE.npy")]
    pub lse: Option<PathBuf>,
    #[command(flatten)]
    pub window: WindowArguments,
    #[command(flatten)]
    pub device: DeviceArgument,
}

#[derive(Args)]
pub struct BackwardArguments {
    /// The tensor that was pooled: .npy, (N, C) and one to three spatial axes, float32 or float64.
    #[arg(long, value_name = "X.npy")]
    pub input: PathBuf,
    /// The gradient of the pooled tensor: .npy, of the shape that `forward` makes of the input.
    #[arg(long, value_name = "G.npy")]
    pub grad_output: PathBuf,
    /// Where the gradient of the input goes: .npy, float32.
    #[arg(long, value_name = "GX.npy")]
    pub output: PathBuf,
    #[command(flatten)]
    pub window: WindowArguments,
    /// Whether the gradient also goes through the softmax weights.
    #[arg(long, value_enum, default_value = "exact")]
    pub rule: Rule,
    #[command(flatten)]
    pub device: DeviceArgument,
}

#[derive(Args)]
pub struct ImageArguments {
    /// The image, PNG or JPEG, 8 or 16 bits a channel.
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// Where the pooled image goes: .png, .jpg or .jpeg.
    #[arg(long, value_name = "OUT")]
    pub output: PathBuf,
    /// Window size: one number, or height,width.
    #[arg(long, value_name = "K", default_value = "2", allow_hyphen_values = true)]
    pub kernel: AxisList,
    /// Step from one window to the next: one number, or height,width [default: the kernel].
    #[arg(long, value_name = "S", allow_hyphen_values = true)]
    pub stride: Option<AxisList>,
    /// soft weighs by exp(beta x); max is beta 1e8, so large that levels below the largest weigh exactly 0; avg is
    /// beta 0.
    #[arg(long, value_enum, default_value = "soft")]
    pub method: Method,
    /// Inverse temperature of --method soft, for values from 0 (black) to 1 (white), whatever the bit depth
    /// [default: 1].
    #[arg(long, value_name = "B", allow_hyphen_values = true)]
    pub beta: Option<f32>,
    #[command(flatten)]
    pub device: DeviceArgument,
}

#[derive(Args)]
pub struct CompareArguments {
    /// The image, PNG or JPEG.
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// Where the picture goes: .png.
    #[arg(long, value_name = "OUT.png")]
    pub output: PathBuf,
    /// Window size: one number, or height,width. The stride is the kernel.
    #[arg(long, value_name = "K", default_value = "2", allow_hyphen_values = true)]
    pub kernel: AxisList,
}

/// Kernel, stride, padding, dilation, ceil mode and beta of a tensor's pooling.
#[derive(Args)]
pub struct WindowArguments {
    /// Window size: one number for all spatial axes, or one for each (3 or 3,3).
    #[arg(long, value_name = "K", allow_hyphen_values = true)]
    pub kernel: AxisList,
    /// Step from one window to the next, as --kernel [default: the kernel].
    #[arg(long, value_name = "S", allow_hyphen_values = true)]
    pub stride: Option<AxisList>,
    /// Positions added at each side, at most half the kernel; they take no part in the softmax.
    #[arg(long, value_name = "P", default_value = "0", allow_hyphen_values = true)]
    pub padding: AxisList,
    /// Step from one tap of a window to the next.
    #[arg(long, value_name = "D", default_value = "1", allow_hyphen_values = true)]
    pub dilation: AxisList,
    /// Add a last, incomplete window where positions remain.
    #[arg(long)]
    pub ceil_mode: bool,
    /// Inverse temperature: 0 is average pooling, towards infinity max pooling.
    #[arg(long, value_name = "B", default_value_t = 1.0, allow_hyphen_values = true)]
    pub beta: f32,
}

#[derive(Args)]
pub struct DeviceArgument {
    /// auto: the adapter that SOFTPOOL_ADAPTER names, else the best one, else the CPU. cpu: the reference in plain
    /// Rust. Else an index or a part of a name that `softpool info` lists.
    #[arg(long, value_name = "auto|cpu|INDEX|NAME-PART", default_value = "auto", value_parser = NonEmptyStringValueParser::new())]
    pub device: String,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Rule {
    /// The derivative.
    Exact,
    /// The weights taken as constants, as the authors' CUDA extension computes it.
    Detached,
}

impl From<Rule> for GradientRule {
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::Exact => Self::Exact,
            Rule::Detached => Self::Detached,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Method {
    Soft,
    Max,
    Avg,
}

impl Method {
    /// The inverse temperature of max pooling.
    ///
    /// Neighbouring levels of a 16-bit image differ by 1/65535, so that the lower weighs exp(-1e8 / 65535) at most:
    /// exactly 0 in f32 and in f64.
    const MAX_BETA: f32 = 1e8;

    /// The inverse temperature on values from 0 to 1, from that given for [`Method::Soft`].
    pub fn beta(self, given: Option<f32>) -> Result<f32> {
        match (self, given) {
            (Self::Soft, given) => Ok(given.unwrap_or(1.0)),
            (Self::Max, None) => Ok(Self::MAX_BETA),
            (Self::Avg, None) => Ok(0.0),
            (Self::Max | Self::Avg, Some(beta)) => Err(Failure::Usage(format!(
                "--beta {beta} with --method {self}: only --method soft has a beta; leave one of them out"
            ))),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Soft => "soft",
            Self::Max => "max",
            Self::Avg => "avg",
        })
    }
}

/// One number for all spatial axes, or a comma list of one for each, outermost first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AxisList(Vec<usize>);

impl AxisList {
    /// The values for `rank` axes of `path`'s tensor.
    pub fn by_axis(&self, name: &str, rank: usize, path: &Path) -> Result<Vec<usize>> {
        match self.0[..] {
            [all] => Ok(vec![all; rank]),
            ref values if values.len() == rank => Ok(values.to_vec()),
            ref values => Err(Failure::of_file(
                path,
                format_args!(
                    "--{name} {self} has {} values, but the spatial axes are {rank}: give 1 value{}",
                    values.len(),
                    if rank == 1 { String::new() } else { format!(" for all axes, or {rank}") }
                ),
            )),
        }
    }
}

impl FromStr for AxisList {
    type Err = String;

    fn from_str(list: &str) -> Result<Self, String> {
        let value = |item: &str| {
            item.trim().parse().map_err(|_| format!("'{item}' is no whole number: give one (3) or a comma list (3,3)"))
        };
        list.split(',').map(value).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for AxisList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<String> = self.0.iter().map(usize::to_string).collect();
        f.write_str(&values.join(","))
    }
}

impl WindowArguments {
    /// The pooling of the tensor in `path`, of `rank` spatial axes.
    pub fn config(&self, rank: usize, rule: GradientRule, path: &Path) -> Result<SoftPoolConfig> {
        let by_axis = |name, list: &AxisList| list.by_axis(name, rank, path);
        let stride = self.stride.as_ref().unwrap_or(&self.kernel);
        Ok(SoftPoolConfig::builder(by_axis("kernel", &self.kernel)?)
            .stride(by_axis("stride", stride)?)
            .padding(by_axis("padding", &self.padding)?)
            .dilation(by_axis("dilation", &self.dilation)?)
            .ceil_mode(self.ceil_mode)
            .beta(self.beta)
            .gradient_rule(rule)
            .build()?)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_hold_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn axis_lists() {
        let path = Path::new("x.npy");
        for (text, rank, expected) in [
            ("3", 1, Some(vec![3])),
            ("3", 3, Some(vec![3, 3, 3])),
            ("1, 2", 2, Some(vec![1, 2])),
            ("1,2", 3, None),
            ("1,2", 1, None),
        ] {
            let list: AxisList = text.parse().unwrap();
            assert_eq!(list.by_axis("kernel", rank, path).ok(), expected, "{text} by {rank}");
        }
        for text in ["", ",", "3,", "x", "-1", "1.5", "99999999999999999999999"] {
            assert!(text.parse::<AxisList>().is_err(), "{text}");
        }
    }
}
