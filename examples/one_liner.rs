//! What people use today, `avg_pool(exp(x) * x) / avg_pool(exp(x))` in f32, beside softpool on the same values.
//!
//! Prints the largest error of each against the f64 reference, in ulp of the largest value of a window.

use softpool::reference::{Reference, for_each_window};
use softpool::{GpuContext, GpuSoftPool, Shape, SoftPoolConfig};

/// Windows of 2x2 over values of spread 1 around `mean`; the same in every run.
fn values(mean: f32, count: usize) -> Vec<f32> {
    let mut state = 1u32;
    let mut uniform = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    };
    (0..count).map(|_| mean + (uniform() + uniform() + uniform() + uniform() - 2.0) * 3f32.sqrt()).collect()
}

fn main() -> softpool::Result<()> {
    let context = GpuContext::new_blocking()?;
    let config = SoftPoolConfig::builder([2, 2]).build()?;
    let pool = GpuSoftPool::new(&context.device, &context.queue, config.clone());
    let shape = Shape::new([1, 8, 64, 64])?;

    println!("| values around | one-liner, f32 | softpool, f32 |\n|---|---|---|");
    for mean in [0.0, 10.0, 80.0, 89.0, 1e4, -80.0, -104.0] {
        let x = values(mean, shape.elements());
        let expected = Reference::new(&config).forward(&shape, &x)?;
        let ours = pool.forward(&context.upload(shape, &x)?)?.read_blocking()?;
        let mut one_liner = vec![0.0f32; ours.len()];
        let mut ulp = vec![0.0f64; ours.len()];
        for_each_window(&config, &shape, |window, taps| {
            let e = |tap: &usize| x[*tap].exp();
            let weighted: f32 = taps.iter().map(|tap| e(tap) * x[*tap]).sum();
            one_liner[window] = (weighted / 4.0) / (taps.iter().map(e).sum::<f32>() / 4.0);
            let largest = taps.iter().map(|&tap| x[tap].abs()).fold(0.0, f32::max);
            ulp[window] = 2f64.powi(largest.log2().floor() as i32 - 23);
        })?;
        let error = |got: &[f32]| {
            if got.iter().any(|y| !y.is_finite()) {
                let wrong = got.iter().filter(|y| !y.is_finite()).count();
                return format!("NaN or infinite in {:.0}% of the windows", 100.0 * wrong as f64 / got.len() as f64);
            }
            let error = |i: usize| (f64::from(got[i]) - expected.y[i]).abs() / ulp[i];
            format!("{:.1} ulp", (0..got.len()).map(error).fold(0.0, f64::max))
        };
        println!("| {mean} | {} | {} |", error(&one_liner), error(&ours));
    }
    Ok(())
}
