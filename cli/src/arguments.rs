//! The command line: what clap parses.

use std::fmt;
use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use softpool::GradientRule;

use crate::axis_list::{AxisList, SizeList};
use crate::betas::BetaArguments;
use crate::call::Operation;
use crate::dtype::Dtype;
use crate::encoding::Format;
use crate::failure::{Failure, Result};
use crate::image_windows::ImageWindowArguments;
use crate::kernel_text::KernelArguments;
use crate::memory_size::MemorySize;
use crate::recipe_text::RecipeArguments;
use crate::windows::WindowArguments;

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
    /// Pool an image, each channel by itself.
    ///
    /// Where the image is transparent, colours count by how much of them shows: they are multiplied by alpha, pooled,
    /// and divided by the pooled alpha. Pixels that are wholly transparent in the end keep the average of their colours.
    Image(ImageArguments),
    /// Draw an image beside its soft, max and average pooling, and print SSIM and PSNR of each.
    ///
    /// The stride is the kernel: the picture shows a window beside the next. A transparent image is pooled as by `image`, then drawn and measured over white.
    Compare(CompareArguments),
    /// Write an image's mip levels, each by SoftPool of the level above, as PNG files of the image's own colour type and bit depth.
    ///
    /// Sides are halved and rounded down until both are 1. An odd side loses no row: each pixel covers three of those above, the
    /// outer two in part. Transparent images are pooled as by `image`.
    Mips(MipsArguments),
    /// Print the shaders that a pooling would dispatch, or a table of them; no device is needed.
    Wgsl {
        #[command(subcommand)]
        operation: Operation<KernelArguments>,
    },
    /// Print a pooling as a host in any language can run it: shaders, bindings, parameters and workgroups; no device is
    /// needed.
    Recipe {
        #[command(subcommand)]
        operation: Operation<RecipeArguments>,
    },
    /// Print the script by which a shell completes this command line.
    ///
    /// For bash: softpool completions bash > ~/.local/share/bash-completion/completions/softpool
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print the manual's first page, or write all pages as files for `man`.
    Man {
        /// Where softpool.1 and a page for each command go; the folder is made where it isn't there.
        #[arg(long, value_name = "FOLDER")]
        output: Option<PathBuf>,
    },
}

#[derive(Args)]
pub struct ForwardArguments {
    /// The tensor: .npy, or .npz, of (N, C) and one to three spatial axes; floating point, integers or booleans, or the
    /// bits of bfloat16; - is standard input.
    #[arg(long, value_name = "X.npy")]
    pub input: PathBuf,
    /// Where the pooled tensor goes: .npy; - is standard output.
    #[arg(long, value_name = "Y.npy")]
    pub output: PathBuf,
    /// Where the log-sum-exp of each window, ln sum exp(beta x), goes too: .npy, float32.
    #[arg(long, value_name = "LSE.npy")]
    pub lse: Option<PathBuf>,
    #[command(flatten)]
    pub pooling: PoolingArguments,
}

#[derive(Args)]
pub struct BackwardArguments {
    /// The tensor that was pooled: .npy, or .npz, of (N, C) and one to three spatial axes; floating point, integers or
    /// booleans, or the bits of bfloat16; - is standard input.
    #[arg(long, value_name = "X.npy")]
    pub input: PathBuf,
    /// The gradient of the pooled tensor: .npy, or .npz, of the shape that `forward` makes of the input; - is standard
    /// input.
    #[arg(long, value_name = "G.npy")]
    pub grad_output: PathBuf,
    /// The array of --grad-output that is meant, where that is a .npz archive of several.
    #[arg(long, value_name = "NAME")]
    pub grad_array: Option<String>,
    /// Where the gradient of the input goes: .npy; - is standard output.
    #[arg(long, value_name = "GX.npy")]
    pub output: PathBuf,
    /// Compute the gradient of beta too, or of each channel's: into a .npy of shape (1,) or (C,), float32, or without a
    /// file printed.
    #[arg(long, value_name = "GB.npy", num_args = 0..=1)]
    pub grad_beta: Option<Option<PathBuf>>,
    #[command(flatten)]
    pub pooling: PoolingArguments,
    /// Whether the gradient also goes through the softmax weights.
    #[arg(long, value_enum, default_value = "exact")]
    pub rule: Rule,
}

/// What a tensor's poolings share.
#[derive(Args)]
pub struct PoolingArguments {
    /// The array of --input that is meant, where that is a .npz archive of several.
    #[arg(long, value_name = "NAME")]
    pub array: Option<String>,
    #[command(flatten)]
    pub windows: WindowArguments,
    #[command(flatten)]
    pub betas: BetaArguments,
    /// What tensors are stored as, on the device and in the outputs but lse and the gradient of beta, which are f32:
    /// the files' values are rounded to it, and so are the results, once, from f32 [default: the input's type, f32
    /// for float64, integers and booleans].
    #[arg(long, value_enum)]
    pub dtype: Option<Dtype>,
    #[command(flatten)]
    pub device: DeviceArgument,
}

#[derive(Args)]
pub struct ImageArguments {
    /// The image: PNG, JPEG, WebP, TIFF, PNM, GIF (its first frame) or BMP, 8 or 16 bits a channel; - is standard input.
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// Where the pooled image goes: .png, .jpg or .jpeg, .webp, .tif or .tiff; - is standard output.
    #[arg(long, value_name = "OUT")]
    pub output: PathBuf,
    /// The format of the pooled image [default: by the extension of OUT, PNG for standard output].
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    #[command(flatten)]
    pub windows: ImageWindowArguments,
    /// Adaptive pooling: the pooled image's size, one number, or height,width; - keeps an axis as it is.
    #[arg(
        long,
        value_name = "SIZE",
        allow_hyphen_values = true,
        conflicts_with_all = ["kernel", "stride", "padding", "dilation", "ceil_mode"]
    )]
    pub output_size: Option<SizeList>,
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
    pub reading: ReadingArguments,
    #[command(flatten)]
    pub device: DeviceArgument,
}

#[derive(Args)]
pub struct CompareArguments {
    /// The image: PNG, JPEG, WebP, TIFF, PNM, GIF (its first frame) or BMP; - is standard input.
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// Where the picture goes: .png, .jpg or .jpeg, .webp, .tif or .tiff; - is standard output.
    #[arg(long, value_name = "OUT")]
    pub output: PathBuf,
    /// The format of the picture [default: by the extension of OUT, PNG for standard output].
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    #[command(flatten)]
    pub windows: ImageWindowArguments,
    #[command(flatten)]
    pub reading: ReadingArguments,
}

#[derive(Args)]
pub struct MipsArguments {
    /// The image: PNG, JPEG, WebP, TIFF, PNM, GIF (its first frame) or BMP, 8 or 16 bits a channel.
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// The folder for the levels, which is made if it isn't there: IN-00.png, the image itself, IN-01.png, and so on.
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
    /// Inverse temperature for values from 0 (black) to 1 (white), or one for each level below the first, of which the last is that of
    /// all further ones: 8,4,2. The larger, the brighter what is thin; 0 is the average, below 0 what is dark stays.
    #[arg(long, value_name = "B", default_value = "4", value_delimiter = ',', allow_hyphen_values = true)]
    pub beta: Vec<f32>,
    /// luminance: one weight for all channels, so that hues don't shift. channel: a weight for each, as `image` has it.
    #[arg(long, value_enum, default_value = "luminance")]
    pub weight: Weight,
    #[command(flatten)]
    pub reading: ReadingArguments,
    #[command(flatten)]
    pub device: DeviceArgument,
}

/// What a pixel's weight goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Weight {
    Luminance,
    Channel,
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Luminance => "luminance",
            Self::Channel => "channel",
        })
    }
}

/// How an image is taken.
#[derive(Args)]
pub struct ReadingArguments {
    /// Pool the light that the levels stand for, by sRGB's curve or that of a PNG's gAMA: half black, half white then
    /// is 188 of 255, as bright as both together. Profiles are kept, but their curves are not looked at.
    #[arg(long)]
    pub linear: bool,
    /// The most memory that the decoded image may take: bytes, or a number with K, M, G or T.
    #[arg(long, value_name = "SIZE", default_value = "4G")]
    pub max_memory: MemorySize,
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_hold_together() {
        Cli::command().debug_assert();
    }
}
