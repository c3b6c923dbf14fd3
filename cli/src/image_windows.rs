//! The windows of an image's pooling: what clap parses, and the library's configuration of them.

use std::path::Path;

use clap::Args;
use softpool::SoftPoolConfig;

use crate::axis_list::{AxisList, SizeList};
use crate::failure::Result;

/// The spatial axes of an image.
const RANK: usize = 2;

/// Windows of an image.
#[derive(Args)]
pub struct ImageWindowArguments {
    /// Window size: one number, or height,width.
    #[arg(long, value_name = "K", default_value = "2", allow_hyphen_values = true)]
    pub kernel: AxisList,
    /// Pixels added at each side, at most half the kernel; they take no part in the pooling.
    #[arg(long, value_name = "P", default_value = "0", allow_hyphen_values = true)]
    pub padding: AxisList,
    /// Step from one tap of a window to the next.
    #[arg(long, value_name = "D", default_value = "1", allow_hyphen_values = true)]
    pub dilation: AxisList,
    /// Add a last, incomplete window where pixels remain.
    #[arg(long)]
    pub ceil_mode: bool,
}

/// An image's pooling but for beta.
pub struct ImageWindows<'a> {
    pub arguments: &'a ImageWindowArguments,
    /// The kernel if none.
    pub stride: Option<&'a AxisList>,
    /// Of adaptive pooling, instead of all others.
    pub output_size: Option<&'a SizeList>,
}

impl ImageWindows<'_> {
    /// The pooling of an image, with `beta`.
    pub fn config(&self, beta: f32, path: &Path) -> Result<SoftPoolConfig> {
        self.config_along([true; RANK], beta, path)
    }

    /// The pooling of the image at `path` of `height` and `width`, with `beta`, and what there is to say of it: along an
    /// axis of one pixel there is nothing to pool, and windows that don't fit there are of one pixel.
    pub fn config_for(
        &self,
        [height, width]: [usize; RANK],
        beta: f32,
        path: &Path,
    ) -> Result<(SoftPoolConfig, Option<String>)> {
        let asked = self.config(beta, path)?;
        let spans: Vec<usize> = match asked.adaptive_output_size() {
            // Copies of one pixel are no picture of it.
            Some(sizes) => sizes.into_iter().map(|size| size.unwrap_or(1)).collect(),
            None => (0..RANK)
                .map(|axis| {
                    let span = (asked.kernel()[axis] - 1).saturating_mul(asked.dilation()[axis]).saturating_add(1);
                    span.saturating_sub(2 * asked.padding()[axis])
                })
                .collect(),
        };
        let pools = [height > 1 || spans[0] <= 1, width > 1 || spans[1] <= 1];
        let note = match pools {
            [true, true] => return Ok((asked, None)),
            [false, true] => "is 1 pixel high: pooled along its width only",
            [true, false] => "is 1 pixel wide: pooled along its height only",
            [false, false] => "is a single pixel: there is nothing to pool",
        };
        Ok((self.config_along(pools, beta, path)?, Some(note.into())))
    }

    /// The pooling with windows of one pixel along the axes that don't pool.
    fn config_along(&self, pools: [bool; RANK], beta: f32, path: &Path) -> Result<SoftPoolConfig> {
        let by_axis = |name, list: &AxisList, without: usize| -> Result<Vec<usize>> {
            let values = list.by_axis(name, RANK, path)?;
            Ok(values.into_iter().zip(pools).map(|(value, pools)| if pools { value } else { without }).collect())
        };
        let ImageWindowArguments { kernel, padding, dilation, ceil_mode } = self.arguments;
        let builder = match self.output_size {
            Some(sizes) => {
                let sizes = sizes.by_axis("output-size", RANK, path)?.into_iter().zip(pools);
                SoftPoolConfig::adaptive_keeping(sizes.map(|(size, pools)| size.filter(|_| pools)).collect::<Vec<_>>())
            }
            None => SoftPoolConfig::builder(by_axis("kernel", kernel, 1)?)
                .stride(by_axis("stride", self.stride.unwrap_or(kernel), 1)?)
                .padding(by_axis("padding", padding, 0)?)
                .dilation(by_axis("dilation", dilation, 1)?)
                .ceil_mode(*ceil_mode),
        };
        Ok(builder.beta(beta).build()?)
    }
}

/// The windows of a configuration, for people: "kernel 3x2, stride 1x2, padding 1x0".
pub fn describe(config: &SoftPoolConfig) -> String {
    match config.adaptive_output_size() {
        Some(sizes) => {
            let sizes: Vec<String> =
                sizes.into_iter().map(|size| size.map_or("-".into(), |size| size.to_string())).collect();
            format!("output size {}", sizes.join("x"))
        }
        None => {
            format!(
                "kernel {}, stride {}{}",
                by_axis(&config.kernel()),
                by_axis(&config.stride()),
                beside_kernel(config)
            )
        }
    }
}

/// What of a configuration isn't usual, beside kernel and stride: ", padding 1x0".
pub fn beside_kernel(config: &SoftPoolConfig) -> String {
    let mut text = String::new();
    if config.padding().iter().any(|&padding| padding > 0) {
        text += &format!(", padding {}", by_axis(&config.padding()));
    }
    if config.dilation().iter().any(|&dilation| dilation > 1) {
        text += &format!(", dilation {}", by_axis(&config.dilation()));
    }
    if config.ceil_mode().contains(&true) {
        text += ", ceil mode";
    }
    text
}

fn by_axis(sizes: &[usize]) -> String {
    format!("{}x{}", sizes[0], sizes[1])
}
