//! How alike two images are: SSIM and PSNR, for values from 0 to 1.

/// Taps along an axis of SSIM's Gaussian window.
const TAPS: usize = 11;

/// The Gaussian's standard deviation, in pixels.
const SIGMA: f64 = 1.5;

/// SSIM's stabilising constants, `(K1 L)^2` and `(K2 L)^2` for a range of values `L` of 1.
const C1: f64 = 0.01 * 0.01;
const C2: f64 = 0.03 * 0.03;

/// The structural similarity of two planes: the mean over all windows inside them; none where no window fits.
///
/// It is that of Wang, Bovik, Sheikh and Simoncelli (2004): an 11x11 Gaussian window of sigma 1.5, K1 = 0.01,
/// K2 = 0.03.
pub fn ssim(a: &[f32], b: &[f32], width: usize, height: usize) -> Option<f64> {
    let weights = gaussian();
    let tops = (height + 1).checked_sub(TAPS).filter(|&tops| tops > 0)?;
    let lefts = (width + 1).checked_sub(TAPS).filter(|&lefts| lefts > 0)?;
    let mut total = 0.0;
    // The window is separable: down each column first, then along the row of their results.
    let mut columns = vec![[0.0; 5]; width];
    for top in 0..tops {
        columns.fill([0.0; 5]);
        for (tap, weight) in weights.iter().enumerate() {
            let row = (top + tap) * width..(top + tap + 1) * width;
            for ((column, &a), &b) in columns.iter_mut().zip(&a[row.clone()]).zip(&b[row]) {
                let (a, b) = (f64::from(a), f64::from(b));
                accumulate(column, *weight, &[a, b, a * a, b * b, a * b]);
            }
        }
        for window in columns.windows(TAPS) {
            let mut moments = [0.0; 5];
            for (column, weight) in window.iter().zip(&weights) {
                accumulate(&mut moments, *weight, column);
            }
            let [a, b, aa, bb, ab] = moments;
            let luminance = (2.0 * a * b + C1) / (a * a + b * b + C1);
            let structure = (2.0 * (ab - a * b) + C2) / ((aa - a * a) + (bb - b * b) + C2);
            total += luminance * structure;
        }
    }
    Some(total / (tops * lefts) as f64)
}

/// The peak signal-to-noise ratio in dB, infinite for equal values.
pub fn psnr(a: &[f32], b: &[f32]) -> f64 {
    let squares: f64 = a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum();
    -10.0 * (squares / a.len() as f64).log10()
}

/// The luma of RGB planes, by Rec. 601.
pub fn luma(planes: &[f32]) -> Vec<f32> {
    let (r, gb) = planes.split_at(planes.len() / 3);
    let (g, b) = gb.split_at(r.len());
    r.iter().zip(g).zip(b).map(|((r, g), b)| 0.299 * r + 0.587 * g + 0.114 * b).collect()
}

fn accumulate(sums: &mut [f64; 5], weight: f64, values: &[f64; 5]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += weight * value;
    }
}

/// The window's weights along one axis.
fn gaussian() -> [f64; TAPS] {
    let centre = (TAPS / 2) as f64;
    let weights: [f64; TAPS] = std::array::from_fn(|tap| (-((tap as f64 - centre) / SIGMA).powi(2) / 2.0).exp());
    let sum: f64 = weights.iter().sum();
    weights.map(|weight| weight / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ssim_and_psnr_are_those_of_scikit_image() {
        // structural_similarity(a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1)
        let plane = |change: fn(usize, usize) -> usize| -> Vec<f32> {
            (0..14 * 17)
                .map(|i| (i / 17, i % 17))
                .map(|(y, x)| ((7 * x + 13 * y + change(x, y)) % 32) as f32 / 32.0)
                .collect()
        };
        let (a, b) = (plane(|_, _| 0), plane(|x, y| x * y % 5));
        assert!((ssim(&a, &b, 17, 14).unwrap() - 0.6714351266846811).abs() < 1e-12);
        assert!((psnr(&a, &b) - 13.512070790446433).abs() < 1e-12);
    }

    #[test]
    fn equal_planes_are_wholly_alike() {
        let plane = [0.25; 121];
        assert_eq!(ssim(&plane, &plane, 11, 11), Some(1.0));
        assert_eq!(psnr(&plane, &plane), f64::INFINITY);
    }

    #[test]
    fn planes_smaller_than_the_window_have_no_ssim() {
        for (width, height) in [(10, 11), (11, 10), (1, 1)] {
            let plane = vec![0.5; width * height];
            assert_eq!(ssim(&plane, &plane, width, height), None, "{width}x{height}");
        }
    }
}
