//! Amounts of memory, as the command line gives them.

use std::fmt;
use std::str::FromStr;

/// Letters for powers of 1024, from the first.
const UNITS: [char; 4] = ['K', 'M', 'G', 'T'];

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemorySize(u64);

impl MemorySize {
    pub fn bytes(self) -> u64 {
        self.0
    }

    /// The smallest of few digits that is no smaller than `bytes`.
    pub fn at_least(bytes: u64) -> Self {
        let unit = (1..=UNITS.len() as u32).rev().map(|power| 1u64 << (10 * power)).find(|unit| bytes >= *unit);
        Self(bytes.checked_next_multiple_of(unit.unwrap_or(1)).unwrap_or(u64::MAX))
    }
}

impl FromStr for MemorySize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is no amount of memory: give bytes, or a number with K, M, G or T (8G)");
        let upper = text.trim().to_ascii_uppercase();
        let short = upper.strip_suffix("IB").or_else(|| upper.strip_suffix('B')).unwrap_or(&upper);
        let unit = short.chars().next_back().and_then(|last| UNITS.iter().position(|unit| *unit == last));
        let (number, power) = match unit {
            Some(unit) => (&short[..short.len() - 1], unit as u32 + 1),
            None => (short, 0),
        };
        let number: u64 = number.trim_end().parse().map_err(|_| wrong())?;
        number.checked_mul(1 << (10 * power)).filter(|&bytes| bytes > 0).map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for MemorySize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let power = (self.0.trailing_zeros() / 10).min(UNITS.len() as u32);
        match power.checked_sub(1).and_then(|index| UNITS.get(index as usize)) {
            Some(unit) if self.0 > 0 => write!(f, "{}{unit}", self.0 >> (10 * power)),
            _ => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes, shown) in [
            ("1", 1, "1"),
            ("1000", 1000, "1000"),
            ("4k", 4096, "4K"),
            ("512MiB", 512 << 20, "512M"),
            ("8 GB", 8 << 30, "8G"),
            ("1536M", 1536 << 20, "1536M"),
            ("2T", 2 << 40, "2T"),
        ] {
            let size: MemorySize = text.parse().unwrap();
            assert_eq!((size.bytes(), size.to_string()), (bytes, shown.to_owned()), "{text}");
        }
        for text in ["", "0", "G", "-1", "1.5G", "1X", "99999999T", "i", "\u{e9}"] {
            let error = text.parse::<MemorySize>().unwrap_err();
            assert!(error.contains(&format!("'{text}'")), "{error}");
        }
        for (bytes, shown) in [(5, "5"), (4097, "5K"), ((4 << 30) + 1, "5G"), (u64::MAX, "18446744073709551615")] {
            assert_eq!(MemorySize::at_least(bytes).to_string(), shown, "{bytes}");
        }
    }
}
