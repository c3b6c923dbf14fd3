//! What results must be, and how far they may be off.
//!
//! Errors are measured in ulp of what an element is made of:
//!
//! - y in ulp of the largest |x| of its window: at most 16;
//! - lse in ulp of the largest of 1 and |beta x| in its window: at most 16;
//! - a gradient in ulp of `sum_R |g_R| w_i (1 + |beta| max_j |x_j - y_R|)`: at most 16, and two more for each unit of
//!   `t = beta (x_i - m_R)`, since the offset and its product with beta are each off by half an ulp, and an ulp is as
//!   little as half of 2^-23 of what it is an ulp of. (Every x_j of a window moves y_R, so that the
//!   spread of the window is what rounding acts on; a common offset is not: it costs nothing.) A weight below e^-87,
//!   where f32 ends, may be 0.
//!
//! With exponentials by the driver's exp2 (`Natives::exp2`) all are allowed 4 more, and a gradient 3.25 for each unit of t,
//! not two: exp2 takes a product with log2 e, whose rounding, and that of log2 e, put it off by 1.25 ulp a unit. How far the
//! driver's own is off beside that is what `softpool info` prints and tests/natives.rs holds to 4.
//!
//! Besides, the largest error of a tensor (or of a sweep's many tensors of few different values) is at most twice that of
//! the same formula in plain f32 on the CPU, plus 2 ulp for the rounding of the result (the rule that flash-attention tests
//! by). Where windows overlap, the formula takes its exponentials about a maximum that windows share, at most 8 above a
//! window's own, and offsets from a pivot (shaders/backward_statistics.wgsl): there plain f32 takes them from the
//! extremes of the plane, as far as that allows.

use softpool::reference::{Reference, for_each_window};
use softpool::{GradientRule, SoftPoolConfig};

use super::{Case, Results};

/// Ulp allowed for y, lse and gradients.
const ALLOWED: f64 = 16.0;
/// Ulp that the rule against plain f32 adds for the rounding of a result.
const ROUNDING: f64 = 2.0;
/// Ulp that the driver's exp2 may be off by, where it is used, and by how many more for each unit of t.
const EXP2: f64 = 4.0;
const EXP2_BY_UNIT: f64 = 1.25;
/// Ulp that a gradient may be off by for each unit of t.
const BY_UNIT: f64 = 2.0;
/// Weights below this may vanish: e^-87.
const LEAST_WEIGHT: f64 = 1.7e-38;

/// The f64 results of a case, the scale of each element's error, and what plain f32 makes of the case.
#[derive(Clone, Debug)]
pub struct Expected {
    pub y: Quantity,
    pub lse: Quantity,
    pub grad_input: Quantity,
}

/// A tensor of expected values.
#[derive(Clone, Debug)]
pub struct Quantity {
    name: &'static str,
    pub values: Vec<f64>,
    /// What one ulp of error is for each element.
    unit: Vec<f64>,
    /// Ulp allowed for each element.
    allowed: Vec<f64>,
    plain: Vec<f32>,
}

/// Spacing of f32 around `magnitude`.
pub fn ulp(magnitude: f64) -> f64 {
    let magnitude = magnitude.max(f64::from(f32::MIN_POSITIVE));
    2f64.powi(magnitude.log2().floor() as i32 - 23)
}

impl Expected {
    pub fn of(case: &Case) -> Self {
        let reference = Reference::new(&case.config);
        let forward = reference.forward(&case.shape, &case.x).expect("a valid case");
        let grad_input = reference.backward(&case.shape, &case.x, &case.grad_output).expect("a valid case");
        Self::from_values(case, forward.y, forward.lse, grad_input)
    }

    /// With values that come from elsewhere.
    pub fn from_values(case: &Case, y: Vec<f64>, lse: Vec<f64>, grad_input: Vec<f64>) -> Self {
        let beta = f64::from(case.config.beta());
        let mut y = Quantity::new("y", y);
        let mut lse = Quantity::new("lse", lse);
        let mut grad_input = Quantity::new("grad_input", grad_input);
        let plane = case.x.len() / case.shape.planes().max(1);
        // Windows of an adaptive pooling are evaluated one by one.
        let adaptive = case.config.adaptive_output_size().is_some();
        let overlaps = !adaptive
            && (0..case.config.rank()).any(|axis| {
                let span = (case.config.kernel()[axis] - 1) * case.config.dilation()[axis] + 1;
                span > case.config.stride()[axis]
            });
        let none = vec![0.0f64; case.x.len()];
        let (mut scale, mut depth, mut vanishing) = (none.clone(), none.clone(), none);
        for_each_window(&case.config, &case.shape, |output, taps| {
            let x: Vec<f32> = taps.iter().map(|&tap| case.x[tap]).collect();
            let finite = || x.iter().map(|&x| f64::from(x)).filter(|x| x.is_finite());
            y.unit[output] = ulp(finite().map(f64::abs).fold(0.0, f64::max));
            lse.unit[output] = ulp(finite().map(|x| (beta * x).abs()).fold(1.0, f64::max));
            let g = case.grad_output[output];
            let shared = overlaps.then(|| extreme_exponents(case, taps.first().map_or(0, |tap| tap / plane), plane));
            let plain = Plain::window(&case.config, &x, g, shared);
            (y.plain[output], lse.plain[output]) = (plain.y, plain.lse);
            let (m, window_lse, window_y) =
                (finite().map(|x| beta * x).fold(f64::NEG_INFINITY, f64::max), lse.values[output], y.values[output]);
            let spread = finite().map(|x| (x - window_y).abs()).fold(0.0, f64::max);
            for ((&tap, &x), plain) in taps.iter().zip(&x).zip(plain.grad_input) {
                grad_input.plain[tap] += plain;
                let w = (beta * f64::from(x) - window_lse).exp();
                let slope = f64::from(g).abs() * (1.0 + beta.abs() * spread);
                if w > 0.0 {
                    scale[tap] += w * slope;
                    vanishing[tap] += LEAST_WEIGHT * slope;
                    depth[tap] = depth[tap].max(m - beta * f64::from(x));
                }
            }
        })
        .expect("a valid case");
        for index in 0..case.x.len() {
            grad_input.unit[index] = ulp(scale[index]).max(vanishing[index] / ALLOWED);
            grad_input.allowed[index] += BY_UNIT * depth[index];
        }
        Self { y, lse, grad_input }
    }

    pub fn check(&self, what: &str, results: &Results) {
        for errors in self.within_bounds(what, results) {
            errors.check(what);
        }
    }

    /// [`check`](Self::check) without the rule against plain f32: for sweeps, which hold the largest errors of all their
    /// cases against it.
    pub fn within_bounds(&self, what: &str, results: &Results) -> [Errors; 4] {
        let exp2 = results.natives.exp2;
        let from_statistics = format!("{what}, from statistics");
        [
            self.y.within_bounds(what, &results.y, exp2),
            self.lse.within_bounds(what, &results.lse, exp2),
            self.grad_input.within_bounds(what, &results.grad_input, exp2),
            self.grad_input.within_bounds(&from_statistics, &results.grad_input_from_statistics, exp2),
        ]
    }
}

/// The largest errors of a tensor, or of some: ours, and those of plain f32.
#[derive(Clone, Copy, Debug)]
pub struct Errors {
    name: &'static str,
    ours: f64,
    plain: f64,
    exp2: bool,
}

impl Errors {
    /// The larger of each.
    pub fn and(self, other: Self) -> Self {
        Self { ours: self.ours.max(other.ours), plain: self.plain.max(other.plain), ..self }
    }

    /// # Panics
    /// If ours are more than the rule against plain f32 allows.
    pub fn check(&self, what: &str) {
        let Self { name, ours, plain, exp2 } = self;
        assert!(
            *ours <= 2.0 * plain + ROUNDING + if *exp2 { EXP2 } else { 0.0 },
            "{what}: {name} is off by {ours:.2} ulp, where plain f32 on the CPU is off by {plain:.2}"
        );
    }
}

impl Quantity {
    fn new(name: &'static str, values: Vec<f64>) -> Self {
        let count = values.len();
        Self { name, values, unit: vec![0.0; count], allowed: vec![ALLOWED; count], plain: vec![0.0; count] }
    }

    /// How far an element may be off, with exponentials by the driver's exp2 if `exp2` says so.
    pub fn tolerance(&self, index: usize, exp2: bool) -> f64 {
        self.allowed(index, exp2) * self.unit[index]
    }

    /// The largest error of `got`, in ulp.
    pub fn largest_error(&self, got: &[f32]) -> f64 {
        (0..got.len()).map(|index| self.error(index, got[index])).fold(0.0, f64::max)
    }

    /// Infinite where a value that is not finite was expected or made, and the two are not the same.
    fn error(&self, index: usize, got: f32) -> f64 {
        let want = self.values[index];
        if want.is_nan() && got.is_nan() || f64::from(want as f32) == f64::from(got) {
            return 0.0;
        }
        let error = (f64::from(got) - want).abs() / self.unit[index];
        if error.is_finite() { error } else { f64::INFINITY }
    }

    /// # Panics
    /// If `got` is off by more than the rules of this file allow.
    pub fn check(&self, what: &str, got: &[f32]) {
        self.within_bounds(what, got, false).check(what);
    }

    /// Ulp allowed for an element.
    fn allowed(&self, index: usize, exp2: bool) -> f64 {
        let units = (self.allowed[index] - ALLOWED) / BY_UNIT;
        self.allowed[index] + if exp2 { EXP2 + EXP2_BY_UNIT * units } else { 0.0 }
    }

    /// The largest errors of `got` and of plain f32, in units of what each element is allowed beyond the constant part, so
    /// that far elements don't hide near ones.
    fn within_bounds(&self, what: &str, got: &[f32], exp2: bool) -> Errors {
        assert_eq!(got.len(), self.values.len(), "{what}: elements of {}", self.name);
        for (index, &value) in got.iter().enumerate() {
            let (error, allowed) = (self.error(index, value), self.allowed(index, exp2));
            let want = self.values[index];
            assert!(
                error <= allowed,
                "{what}: {}[{index}] is {value:e} for {want:e}: off by {error:.2} ulp, {allowed:.1} allowed",
                self.name
            );
        }
        let relative = |values: &[f32]| {
            (0..values.len()).map(|i| self.error(i, values[i]) * ALLOWED / self.allowed(i, exp2)).fold(0.0, f64::max)
        };
        Errors { name: self.name, ours: relative(got), plain: relative(&self.plain), exp2 }
    }
}

/// The least and the largest finite `beta x` of a plane of `size` elements.
fn extreme_exponents(case: &Case, plane: usize, size: usize) -> [f32; 2] {
    let exponents = case.x[plane * size..][..size].iter().map(|x| case.config.beta() * x);
    let finite = || exponents.clone().filter(|exponent| exponent.is_finite());
    [finite().fold(f32::MAX, f32::min), finite().fold(f32::MIN, f32::max)]
}

/// One window by the formulas in plain f32, as a straightforward CPU implementation has them.
struct Plain {
    y: f32,
    lse: f32,
    grad_input: Vec<f32>,
}

impl Plain {
    /// About the window's own values or, if there are any, about those that it shares: the least and largest exponents.
    fn window(config: &SoftPoolConfig, x: &[f32], g: f32, shared: Option<[f32; 2]>) -> Self {
        let beta = config.beta();
        let own = x.iter().map(|x| beta * x).fold(f32::NEG_INFINITY, f32::max);
        let m = shared.map_or(own, |[_, largest]| own.max(largest.min(own + 8.0)));
        let e: Vec<f32> = x.iter().map(|x| (beta * x - m).exp()).collect();
        let s: f32 = e.iter().sum();
        let y = x.iter().zip(&e).map(|(x, e)| e / s * x).sum::<f32>();
        // beta (x - y), by way of the pivot where it is shared.
        let pivot = shared.map(|[least, _]| (0.5 * least + 0.5 * m).max(m - 4.0));
        let mean = pivot.map(|pivot| x.iter().zip(&e).map(|(x, e)| e * (beta * x - pivot)).sum::<f32>() / s);
        let offset = |x: f32| match (pivot, mean) {
            (Some(pivot), Some(mean)) => (beta * x - pivot) - mean,
            _ => beta * (x - y),
        };
        let slope = |x: f32| match config.gradient_rule() {
            GradientRule::Exact => 1.0 + offset(x),
            GradientRule::Detached => 1.0,
        };
        let grad_input = x.iter().zip(&e).map(|(&x, e)| g * (e / s) * slope(x)).collect();
        Self { y, lse: m + s.ln(), grad_input }
    }
}
