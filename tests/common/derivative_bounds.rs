//! How far derivatives beyond the gradient of x may be off.
//!
//! Errors are allowed in proportion to what a result is made of, with `depth_i = beta (max_j x_j - x_i)`, `spread = max_j
//! |x_j - y|` and u = 2^-23, as in accuracy.rs:
//!
//!     jvp                   u sum_i (16 + 2 depth_i) w_i |v_i| (1 + |beta| spread)
//!     second, of x_j        u sum_R |g_R beta| (16 + 2 depth_j) w_j ((|v_j| + E|v|) (2 + |beta| spread) + |beta| spread E|v|)
//!     gradient of beta      u sum_R |g_R| sum_i (16 + 2 depth_i) w_i |x_i - y| spread, and 24 u sum_R |g_R| Var for the sums
//!
//! (A run of 4096 windows is added up in at most three levels of eights, each off by 3 u, and a tree of lanes; so are 4096 runs.
//! Exponentials by the driver's exp2 are allowed 20 and 3.25 for 16 and 2, as there.)

use softpool::Natives;
use softpool::reference::for_each_window;

use super::Case;

const U: f64 = 1.0 / (1 << 23) as f64;

/// What each result may be off by, from the windows and the betas of their channels.
pub struct Allowed {
    pub jvp: Vec<f64>,
    pub second: Vec<f64>,
    /// By channel.
    pub grad_beta: Vec<f64>,
}

impl Allowed {
    pub fn of(case: &Case, betas: &[f32], v: &[f32], natives: Natives) -> Self {
        let (constant, by_unit) = if natives.exp2 { (20.0, 3.25) } else { (16.0, 2.0) };
        let channels = case.shape.channels();
        let windows_of_plane: usize = case.pooled().spatial().iter().product();
        let mut allowed = Self { jvp: Vec::new(), second: vec![0.0; case.x.len()], grad_beta: vec![0.0; channels] };
        for_each_window(&case.config, &case.shape, |output, taps| {
            let channel = output / windows_of_plane % channels;
            let beta = f64::from(betas[if betas.len() == 1 { 0 } else { channel }]);
            let g = f64::from(case.grad_output[output]).abs();
            let x = |tap: usize| f64::from(case.x[tap]);
            let m = taps.iter().map(|&tap| beta * x(tap)).fold(f64::NEG_INFINITY, f64::max);
            let s: f64 = taps.iter().map(|&tap| (beta * x(tap) - m).exp()).sum();
            let w = |tap: usize| (beta * x(tap) - m).exp() / s;
            let y: f64 = taps.iter().map(|&tap| w(tap) * x(tap)).sum();
            let spread = taps.iter().map(|&tap| (x(tap) - y).abs()).fold(0.0, f64::max);
            let mean_v: f64 = taps.iter().map(|&tap| w(tap) * f64::from(v[tap]).abs()).sum();
            let depth = |tap: usize| constant + by_unit * (m - beta * x(tap));
            let slope = beta.abs() * spread;
            let sum =
                |term: &dyn Fn(usize) -> f64| taps.iter().map(|&tap| depth(tap) * w(tap) * term(tap)).sum::<f64>();
            allowed.jvp.push(U * sum(&|tap| f64::from(v[tap]).abs() * (1.0 + slope)));
            let variance: f64 = taps.iter().map(|&tap| w(tap) * (x(tap) - y).powi(2)).sum();
            allowed.grad_beta[channel] += U * g * (sum(&|tap| (x(tap) - y).abs() * spread) + 24.0 * variance);
            for &tap in taps {
                let part = (f64::from(v[tap]).abs() + mean_v) * (2.0 + slope) + slope * mean_v;
                allowed.second[tap] += U * g * beta.abs() * depth(tap) * w(tap) * part;
            }
        })
        .expect("a valid case");
        allowed
    }
}

/// # Panics
/// If a value is off by more than it is allowed.
#[track_caller]
pub fn assert_close(what: &str, got: &[f32], want: &[f64], allowed: &[f64]) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (index, ((&got, &want), &allowed)) in got.iter().zip(want).zip(allowed).enumerate() {
        let allowed = allowed + f64::from(f32::MIN_POSITIVE);
        let off = (f64::from(got) - want).abs();
        assert!(off <= allowed, "{what}[{index}] is {got:e} for {want:e}: off by {off:e}, {allowed:e} allowed");
    }
}
