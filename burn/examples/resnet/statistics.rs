//! Mean and spread of a few numbers.

use std::fmt;

use serde::Serialize;

/// The mean of some runs' values, and their sample standard deviation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    pub mean: f64,
    pub deviation: f64,
}

impl Spread {
    /// Of two values or more.
    pub fn of(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Self { mean, deviation: (squares / (count - 1.0)).sqrt() }
    }
}

/// "1.25 ± 0.10", to two digits after the point or as many as asked for.
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(2);
        if f.sign_plus() {
            write!(f, "{:+.digits$} ± {:.digits$}", self.mean, self.deviation)
        } else {
            write!(f, "{:.digits$} ± {:.digits$}", self.mean, self.deviation)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_sample_deviation() {
        // Squares of 3, 1, 1, 1, 0, 0, 4 and 2 about 5, by hand: 32, over 7.
        let spread = Spread::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert_eq!(spread, Spread { mean: 5.0, deviation: (32.0_f64 / 7.0).sqrt() });
        assert_eq!(format!("{spread}, {spread:+.1}"), "5.00 ± 2.14, +5.0 ± 2.1");
    }
}
