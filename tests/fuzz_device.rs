//! Evidence that random poolings on every adapter agree with the f64 reference.
//! SOFTPOOL_FUZZ_POOLINGS says how many, SOFTPOOL_FUZZ_SEED from which on:
//!
//! ```text
//! SOFTPOOL_FUZZ_POOLINGS=10000 cargo test --release --test suite fuzz_device::
//! ```

use crate::common;
use crate::common::accuracy::Expected;
use crate::common::{Case, on_every_adapter, pool, run_with};
use crate::seeds;
use arbitrary::{Result, Unstructured};
use softpool::{GradientRule, SoftPoolConfig, Tuning};

/// Each has pipelines of its own, some ten by adapter, which software drivers take a second for.
const POOLINGS: seeds::Random =
    seeds::Random { file: "fuzz_device", test: "poolings", variable: "SOFTPOOL_FUZZ_POOLINGS", count: 20 };

/// A pooling of a few thousand elements, by any kernel there is.
fn case(bytes: &mut Unstructured<'_>, seed: u64) -> Result<Option<Case>> {
    let rank = *bytes.choose(&[1, 2, 2, 2, 3])?;
    let large = [40, 13, 5][rank - 1];
    let mut list = |least, most: usize| (0..rank).map(|_| bytes.int_in_range(least..=most)).collect::<Result<Vec<_>>>();
    let (small, wide, surplus) = (list(1, 4)?, list(1, large)?, list(0, [300, 30, 6][rank - 1])?);
    let kernel = if bytes.ratio(1, 4)? { wide } else { small };
    let mut dilation = vec![1; rank];
    let builder = if bytes.ratio(1, 6)? {
        SoftPoolConfig::adaptive(&kernel)
    } else {
        let mut builder = SoftPoolConfig::builder(&kernel).ceil_mode(bytes.arbitrary()?);
        if bytes.ratio(2, 3)? {
            builder = builder.stride((0..rank).map(|_| bytes.int_in_range(1..=4)).collect::<Result<Vec<usize>>>()?);
        }
        if bytes.ratio(1, 2)? {
            let padding = kernel.iter().map(|&kernel| bytes.int_in_range(0..=kernel / 2));
            builder = builder.padding(padding.collect::<Result<Vec<_>>>()?);
        }
        if bytes.ratio(1, 4)? {
            dilation = (0..rank).map(|_| bytes.int_in_range(1..=3)).collect::<Result<Vec<_>>>()?;
            builder = builder.dilation(&dilation);
        }
        builder
    };
    let rule = if bytes.arbitrary()? { GradientRule::Exact } else { GradientRule::Detached };
    let builder = builder.beta(*bytes.choose(&[1.0, 1.0, 0.0, -1.0, 2.5])?).gradient_rule(rule);
    let mut dims = vec![bytes.int_in_range(1..=2)?, bytes.int_in_range(1..=5)?];
    dims.extend((0..rank).map(|axis| (kernel[axis] - 1) * dilation[axis] + 1 + surplus[axis]));
    let (mean, spread) = (*bytes.choose(&[0.0f32, 0.0, 30.0, -1000.0])?, *bytes.choose(&[1.0f32, 0.2, 3.0])?);
    let fits = builder.build().is_ok_and(|config| config.output_size(&dims[2..]).is_ok());
    let values = |random: &mut common::Random, _| mean + spread * random.normal();
    Ok(fits.then(|| Case::with_values(&format!("pooling {seed}"), builder, dims, values)))
}

#[test]
fn poolings() {
    let mut pooled = 0u64;
    let seeds = seeds::each(POOLINGS, |seed| {
        let bytes = seeds::bytes(seed, 256);
        let mut bytes = Unstructured::new(&bytes);
        let Ok(Some(case)) = case(&mut bytes, seed) else { return };
        let in_large_blocks = bytes.ratio(1, 4).unwrap_or(false);
        let expected = Expected::of(&case);
        pooled += 1;
        on_every_adapter(|context| {
            let own = Tuning::of(&context.device);
            let tuning = if in_large_blocks { Tuning { least_invocations: 0, ..own } } else { own };
            let what = format!("{:?} of {} with {tuning:?} on {}", case.config, case.shape, context.name());
            let pool = pool(context, &case.config).with_tuning(tuning);
            expected.within_bounds(&what, &run_with(context, &pool, &case));
        });
    });
    assert!(seeds < 10 || pooled > seeds / 2, "only {pooled} of {seeds} were pooled");
}
