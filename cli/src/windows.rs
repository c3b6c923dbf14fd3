//! The windows of a tensor's pooling: what clap parses, which of the tensor's axes they are over, and the library's
//! configuration of them.

use std::fmt;
use std::path::Path;

use clap::{ArgGroup, Args};
use softpool::{GradientRule, Shape, SoftPoolConfig};

use crate::axis_list::{AxisList, SizeList};
use crate::failure::{Failure, Result};

/// The most spatial axes that a tensor has.
const MAX_RANK: usize = 3;

/// The arguments of adaptive poolings, whose windows follow from the tensor's size.
const ADAPTIVE: [&str; 2] = ["output_size", "global"];

/// Windows by kernel, stride, padding, dilation and ceil mode, or by what they leave of the tensor.
#[derive(Args)]
#[command(group(ArgGroup::new("size").args(["kernel", "output_size", "global"]).required(true)))]
pub struct WindowArguments {
    /// Window size: one number for all spatial axes, or one for each (3 or 3,3).
    #[arg(long, value_name = "K", allow_hyphen_values = true)]
    pub kernel: Option<AxisList>,
    /// Adaptive pooling: the output's size, as --kernel. Window o of n over L positions goes from floor(o L / n) up to
    /// ceil((o + 1) L / n), as in PyTorch. A size of - keeps an axis as it is (7,-).
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true)]
    pub output_size: Option<SizeList>,
    /// One window, the whole of the spatial axes: an output size of 1.
    #[arg(long)]
    pub global: bool,
    /// Step from one window to the next, as --kernel [default: the kernel].
    #[arg(long, value_name = "S", allow_hyphen_values = true, conflicts_with_all = ADAPTIVE)]
    pub stride: Option<AxisList>,
    /// Positions added at each side, at most half the kernel; they take no part in the softmax.
    #[arg(long, value_name = "P", default_value = "0", allow_hyphen_values = true, conflicts_with_all = ADAPTIVE)]
    pub padding: AxisList,
    /// Step from one tap of a window to the next.
    #[arg(long, value_name = "D", default_value = "1", allow_hyphen_values = true, conflicts_with_all = ADAPTIVE)]
    pub dilation: AxisList,
    /// Add a last, incomplete window where positions remain.
    #[arg(long, conflicts_with_all = ADAPTIVE)]
    pub ceil_mode: bool,
    /// The tensor has no N: 2 axes are (C, L), 3 (C, H, W), 4 (C, D, H, W). Not needed where --kernel or --output-size
    /// has a number for each of the spatial axes.
    #[arg(long)]
    pub unbatched: bool,
}

impl WindowArguments {
    /// The number of spatial axes of `path`'s tensor of `shape`.
    ///
    /// `--unbatched` says that they are all but one; else a list of sizes says how many they are; else they are all but
    /// two.
    pub fn rank(&self, shape: &Shape, path: &Path) -> Result<usize> {
        let axes = shape.dims().len();
        let listed = self.listed();
        let rank = match (self.unbatched, listed) {
            (true, _) => axes - 1,
            (false, Some(list)) => list.axes,
            (false, None) => axes.saturating_sub(2),
        };
        let one_or_two_lead = [rank + 1, rank + 2].contains(&axes);
        if (1..=MAX_RANK).contains(&rank) && one_or_two_lead && listed.is_none_or(|list| list.axes == rank) {
            return Ok(rank);
        }
        Err(Failure::of_file(path, format_args!("shape {shape}{}", self.misfit(axes))))
    }

    /// Why no pooling by these windows takes a tensor of so many axes.
    fn misfit(&self, axes: usize) -> String {
        match (self.unbatched, self.listed()) {
            (true, Some(list)) if (1..=MAX_RANK).contains(&(axes - 1)) => format!(
                " is {} with --unbatched, but {list}: give 1 value{}, or leave --unbatched out",
                layout(axes - 1, ""),
                if axes == 2 { String::new() } else { format!(" for all axes, or {}", axes - 1) }
            ),
            (true, _) => format!(" with --unbatched: give {}, or leave --unbatched out", layouts("")),
            (false, Some(list)) if list.axes > MAX_RANK => {
                format!(", but {list}: give 1 value for all spatial axes, or 2 or 3, one for each")
            }
            (false, Some(list)) => format!(
                ", but {list}: that takes {} or {}; give 1 value for all spatial axes, or one for each",
                layout(list.axes, "N, "),
                layout(list.axes, "")
            ),
            (false, None) => {
                format!(" has no spatial axis beside N and C: give {}, or --unbatched with (C, L)", layouts("N, "))
            }
        }
    }

    /// The pooling of `path`'s tensor, over `rank` spatial axes.
    pub fn config(&self, rank: usize, beta: f32, rule: GradientRule, path: &Path) -> Result<SoftPoolConfig> {
        let by_axis = |name, list: &AxisList| list.by_axis(name, rank, path);
        let builder = match (&self.kernel, &self.output_size) {
            (Some(kernel), _) => SoftPoolConfig::builder(by_axis("kernel", kernel)?)
                .stride(by_axis("stride", self.stride.as_ref().unwrap_or(kernel))?)
                .padding(by_axis("padding", &self.padding)?)
                .dilation(by_axis("dilation", &self.dilation)?)
                .ceil_mode(self.ceil_mode),
            (None, Some(size)) => SoftPoolConfig::adaptive_keeping(size.by_axis("output-size", rank, path)?),
            (None, None) => SoftPoolConfig::global(rank),
        };
        Ok(builder.beta(beta).gradient_rule(rule).build()?)
    }

    /// The list that has a size for each spatial axis, if one is given.
    fn listed(&self) -> Option<Listed<'_>> {
        match (&self.kernel, &self.output_size) {
            (Some(list), _) => Some(Listed { name: "kernel", list, axes: list.axes()? }),
            (None, Some(list)) => Some(Listed { name: "output-size", list, axes: list.axes()? }),
            (None, None) => None,
        }
    }
}

/// A size for each of the spatial axes.
#[derive(Clone, Copy)]
struct Listed<'a> {
    name: &'static str,
    list: &'a dyn fmt::Display,
    axes: usize,
}

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--{} {} has {} values", self.name, self.list, self.axes)
    }
}

/// The axes of a tensor of `rank` spatial axes: "(N, C, H, W)", with "N, " in front of the channels.
fn layout(rank: usize, batch: &str) -> String {
    let spatial = match rank {
        1 => "L",
        2 => "H, W",
        _ => "D, H, W",
    };
    format!("({batch}C, {spatial})")
}

/// [`layout`] for each number of spatial axes.
fn layouts(batch: &str) -> String {
    let [one, two, three] = [1, 2, 3].map(|rank| layout(rank, batch));
    format!("{one}, {two} or {three}")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Windows {
        #[command(flatten)]
        windows: WindowArguments,
    }

    fn parse(arguments: &str) -> Result<WindowArguments, clap::Error> {
        let arguments = ["softpool"].into_iter().chain(arguments.split_whitespace());
        Windows::try_parse_from(arguments).map(|parsed| parsed.windows)
    }

    /// The rank of a tensor of `axes` axes.
    fn rank(arguments: &str, axes: usize) -> Result<usize, String> {
        let shape = Shape::new(&[2, 3, 6, 7, 8][..axes]).unwrap();
        parse(arguments).unwrap().rank(&shape, Path::new("x.npy")).map_err(|failure| failure.to_string())
    }

    #[test]
    fn axes_are_read_by_lists_and_by_unbatched() {
        for sizes in ["--kernel 3", "--output-size 1", "--global"] {
            assert_eq!([3, 4, 5].map(|axes| rank(sizes, axes)), [Ok(1), Ok(2), Ok(3)], "{sizes}");
            let unbatched = format!("{sizes} --unbatched");
            assert_eq!([2, 3, 4].map(|axes| rank(&unbatched, axes)), [Ok(1), Ok(2), Ok(3)], "{sizes}");
        }
        for list in ["--kernel", "--output-size"] {
            for (list, rank_of_list) in [(format!("{list} 2,2"), 2), (format!("{list} 2,2,2"), 3)] {
                assert_eq!(rank(&list, rank_of_list + 1), Ok(rank_of_list), "{list}");
                assert_eq!(rank(&list, (rank_of_list + 2).min(5)), Ok(rank_of_list), "{list}");
                assert_eq!(rank(&format!("{list} --unbatched"), rank_of_list + 1), Ok(rank_of_list), "{list}");
            }
        }
        // Other lists follow the windows, and don't say how many axes there are.
        assert_eq!(rank("--kernel 2 --stride 1,1", 3), Ok(1));
    }

    #[test]
    fn other_axes_are_explained() {
        for (arguments, axes, expected) in [
            ("--kernel 2", 1, "x.npy: shape 2 has no spatial axis beside N and C: give (N, C, L), (N, C, H, W) or"),
            ("--global", 2, "x.npy: shape 2x3 has no spatial axis beside N and C"),
            ("--kernel 2 --unbatched", 1, "shape 2 with --unbatched: give (C, L), (C, H, W) or (C, D, H, W)"),
            ("--kernel 2 --unbatched", 5, "shape 2x3x6x7x8 with --unbatched: give (C, L)"),
            ("--kernel 2,2,2,2 --unbatched", 5, "shape 2x3x6x7x8 with --unbatched: give (C, L)"),
            (
                "--kernel 2,2 --unbatched",
                4,
                "shape 2x3x6x7 is (C, D, H, W) with --unbatched, but --kernel 2,2 has 2 values: \
                 give 1 value for all axes, or 3, or leave --unbatched out",
            ),
            (
                "--output-size 2,2 --unbatched",
                2,
                "is (C, L) with --unbatched, but --output-size 2,2 has 2 values: give 1 value, or",
            ),
            ("--kernel 2,2", 2, "shape 2x3, but --kernel 2,2 has 2 values: that takes (N, C, H, W) or (C, H, W)"),
            (
                "--kernel 2,2",
                5,
                "that takes (N, C, H, W) or (C, H, W); give 1 value for all spatial axes, or one for each",
            ),
            ("--output-size 2,2,2", 3, "--output-size 2,2,2 has 3 values: that takes (N, C, D, H, W) or (C, D, H, W)"),
            ("--kernel 1,1,1,1", 5, "--kernel 1,1,1,1 has 4 values: give 1 value for all spatial axes, or 2 or 3"),
        ] {
            let error = rank(arguments, axes).unwrap_err();
            assert!(error.contains(expected), "{error:?} lacks {expected:?}");
        }
    }

    #[test]
    fn sizes_are_of_one_kind() {
        for (arguments, fits) in [
            ("", false),
            ("--stride 2", false),
            ("--kernel 2 --padding 1 --dilation 2 --ceil-mode", true),
            ("--output-size 2", true),
            ("--global", true),
            ("--kernel 2 --output-size 2", false),
            ("--kernel 2 --global", false),
            ("--output-size 1 --global", false),
            ("--output-size 2 --stride 2", false),
            ("--output-size 2 --padding 0", false),
            ("--output-size 2 --dilation 1", false),
            ("--global --ceil-mode", false),
        ] {
            assert_eq!(parse(arguments).is_ok(), fits, "{arguments}");
        }
    }

    #[test]
    fn configurations() {
        let config = |arguments: &str, rank| {
            parse(arguments).unwrap().config(rank, 2.0, GradientRule::Detached, Path::new("x.npy")).unwrap()
        };
        let kernel = config("--kernel 4 --padding 1,2 --dilation 2 --ceil-mode", 2);
        assert_eq!((kernel.kernel(), kernel.stride(), kernel.padding()), (vec![4, 4], vec![4, 4], vec![1, 2]));
        assert_eq!((kernel.dilation(), kernel.ceil_mode()), (vec![2, 2], vec![true, true]));
        assert_eq!((kernel.beta(), kernel.gradient_rule()), (2.0, GradientRule::Detached));
        let kept = config("--output-size 7,-", 2);
        assert_eq!(kept.adaptive_output_size(), Some(vec![Some(7), None]));
        for (arguments, sizes) in [("--output-size 7", [7, 7]), ("--output-size 7,5", [7, 5]), ("--global", [1, 1])] {
            let adaptive = config(arguments, 2);
            assert_eq!(adaptive.adaptive_output_size(), Some(sizes.map(Some).to_vec()), "{arguments}");
            assert_eq!((adaptive.beta(), adaptive.gradient_rule()), (2.0, GradientRule::Detached), "{arguments}");
        }
    }
}
