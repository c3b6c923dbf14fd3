//! Any configuration and any bits as values: the reference pools them without a panic, and each y lies between the extremes of its
//! window. The fuzz target `reference` and `tests/fuzz.rs` both run this.

use arbitrary::{Result, Unstructured};
use softpool::reference::{Reference, for_each_window};
use softpool::{Shape, SoftPoolConfig};

/// Pools a small tensor that the bytes describe; whether there was one.
///
/// # Panics
/// If a y is none that a weighted mean of its window can be.
pub fn check(bytes: &mut Unstructured<'_>) -> Result<bool> {
    let rank = bytes.int_in_range(1..=3)?;
    let mut list = |most: usize| (0..rank).map(|_| bytes.int_in_range(1..=most)).collect::<Result<Vec<_>>>();
    let (kernel, stride, dilation, surplus) = (list(4)?, list(4)?, list(2)?, list(4)?);
    let beta = if bytes.arbitrary()? { 1.0 } else { f32::from_bits(bytes.arbitrary()?) };
    let adaptive = bytes.ratio(1, 6)?;
    let builder = if adaptive { SoftPoolConfig::adaptive(&kernel) } else { SoftPoolConfig::builder(&kernel) };
    let builder =
        if adaptive { builder } else { builder.stride(stride).dilation(&dilation).ceil_mode(bytes.arbitrary()?) };
    let Ok(config) = builder.beta(beta).build() else { return Ok(false) };
    let spatial = (0..rank).map(|axis| (kernel[axis] - 1) * dilation[axis] + surplus[axis]);
    let dims: Vec<usize> =
        [bytes.int_in_range(1..=2)?, bytes.int_in_range(1..=2)?].into_iter().chain(spatial).collect();
    let Ok(shape) = Shape::new(dims) else { return Ok(false) };
    let Ok(pooled) = shape.pooled(&config) else { return Ok(false) };
    let any_bits = bytes.ratio(1, 4)?;
    let mut value = || -> Result<f32> {
        let bits: u32 = bytes.arbitrary().unwrap_or(0x3f80_0000);
        // Around 1, or anything: NaN, infinities and subnormals too.
        Ok(if any_bits { f32::from_bits(bits) } else { f32::from_bits(0x3f80_0000 | bits & 0x803f_ffff) })
    };
    let x = (0..shape.elements()).map(|_| value()).collect::<Result<Vec<_>>>()?;
    let g = (0..pooled.elements()).map(|_| value()).collect::<Result<Vec<_>>>()?;

    let reference = Reference::new(&config);
    let forward = reference.forward(&shape, &x).expect("a shape that fits");
    let gradient = reference.backward(&shape, &x, &g).expect("a shape that fits");
    let jvp = reference.jvp(&shape, &x, &x).expect("a shape that fits");
    let by_channel = reference.grad_beta(&shape, &x, &g).expect("a shape that fits");
    let second = reference.second_backward(&shape, &x, &g, &x).expect("a shape that fits");
    assert_eq!((forward.y.len(), jvp.len(), second.grad_output.len()), (pooled.elements(), g.len(), g.len()));
    assert_eq!((gradient.len(), second.input.len()), (x.len(), x.len()));
    assert_eq!(by_channel.len(), shape.of_rank(rank).expect("it was pooled").channels());
    let mut windows = 0;
    for_each_window(&config, &shape, |window, taps| {
        windows += 1;
        let values = || taps.iter().map(|&tap| f64::from(x[tap]));
        if taps.is_empty() || !values().all(f64::is_finite) {
            return;
        }
        let (least, most) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        let (y, rounding) = (forward.y[window], 1e-12 * least.abs().max(most.abs()));
        assert!(least - rounding <= y && y <= most + rounding, "y is {y:e}, in a window of {least:e} to {most:e}");
    })
    .expect("a shape that fits");
    assert_eq!(windows, pooled.elements());
    Ok(true)
}
