//! Numbers by spatial axis, as the command line gives them.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use crate::failure::{Failure, Result};

/// One value for all spatial axes, or a comma list of one for each, outermost first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AxisList<T = usize>(Vec<T>);

/// Output sizes, of which `-` keeps an axis as it is.
pub type SizeList = AxisList<Option<usize>>;

impl<T: Copy> AxisList<T> {
    /// The values for `rank` axes of `path`'s tensor.
    pub fn by_axis(&self, name: &str, rank: usize, path: &Path) -> Result<Vec<T>>
    where
        Self: fmt::Display,
    {
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

    /// The values, as they were given.
    pub fn values(&self) -> &[T] {
        &self.0
    }

    /// The number of axes that it is for, unless it is for any.
    pub fn axes(&self) -> Option<usize> {
        Some(self.0.len()).filter(|&values| values > 1)
    }
}

fn number(item: &str) -> Result<usize, String> {
    item.trim().parse().map_err(|_| format!("'{item}' is no whole number: give one (3) or a comma list (3,3)"))
}

impl FromStr for AxisList {
    type Err = String;

    fn from_str(list: &str) -> Result<Self, String> {
        list.split(',').map(number).collect::<Result<_, _>>().map(Self)
    }
}

impl FromStr for SizeList {
    type Err = String;

    fn from_str(list: &str) -> Result<Self, String> {
        let size = |item: &str| if item.trim() == "-" { Ok(None) } else { number(item).map(Some) };
        list.split(',').map(size).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for AxisList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(usize::to_string).collect::<Vec<_>>().join(","))
    }
}

impl fmt::Display for SizeList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes = self.0.iter().map(|size| size.map_or("-".into(), |size| size.to_string()));
        f.write_str(&sizes.collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let kept: SizeList = "7,-".parse().unwrap();
        assert_eq!(kept.by_axis("output-size", 2, path).ok(), Some(vec![Some(7), None]));
        assert_eq!(kept.to_string(), "7,-");
        for text in ["", ",", "3,", "x", "-1", "1.5", "99999999999999999999999"] {
            assert!(text.parse::<AxisList>().is_err(), "{text}");
        }
    }
}
