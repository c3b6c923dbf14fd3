//! Faults of SoftPools, ours and others', one a line: what went wrong, the windows, the tensor, and what is right. A new fault is a new
//! line; `tests/faults_of_others.rs` has those that take more than a line, `tests/seeds/failed.txt` those that a seed stands for.

use crate::common::{on_every_adapter, pool, windows};
use softpool::reference::Reference;
use softpool::{Outputs, Result, Shape, SoftPoolConfig, SoftPoolConfigBuilder};

/// What a pooling has to give.
enum Right {
    Y(&'static [f32]),
    Lse(&'static [f32]),
    /// The gradient of the input, for a gradient of the output that is 1 everywhere.
    Gradient(&'static [f32]),
    /// An error that says this.
    Refused(&'static str),
}

/// What went wrong, the windows, the dimensions and values of the tensor, and what is right.
type Fault = (&'static str, SoftPoolConfigBuilder, &'static [usize], &'static [f32], Right);

/// Windows of `kernel` at `stride` along one axis.
fn k(kernel: usize, stride: usize) -> SoftPoolConfigBuilder {
    windows([kernel], [stride])
}

#[test]
fn faults_stay_mended() {
    use Right::{Gradient, Lse, Refused, Y};
    const INFINITY: f32 = f32::INFINITY;
    const NAN: f32 = f32::NAN;

    #[rustfmt::skip]
    let faults: [Fault; 36] = [
        ("exp overflows from 88.7 on", k(2, 2), &[1, 1, 2], &[89.0, 89.0], Y(&[89.0])),
        ("exp is 0 from -104 on", k(2, 2), &[1, 1, 2], &[-104.0, -104.0], Y(&[-104.0])),
        ("a maximum that starts at -1e30", k(2, 2), &[1, 1, 2], &[-3e38, -3e38], Y(&[-3e38])),
        ("f32's largest doubles on the way", k(2, 2), &[1, 1, 2], &[3.4e38, 3.4e38], Y(&[3.4e38])),
        ("a difference beyond f32", k(2, 2), &[1, 1, 2], &[-3e38, 3e38], Y(&[3e38])),
        ("weights are lost around a large mean", k(2, 2), &[1, 1, 2], &[1e6, 1_000_001.0], Y(&[1_000_000.75])),
        ("beta 0 divides by it", k(4, 4).beta(0.0), &[1, 1, 4], &[1.0, 2.0, 3.0, 4.0], Y(&[2.5])),
        ("beta 0 loses its gradient", k(2, 2).beta(0.0), &[1, 1, 2], &[1.0, 7.0], Gradient(&[0.5, 0.5])),
        ("the maximum of a negative beta is the least", k(2, 2).beta(-1.0), &[1, 1, 2], &[0.0, 1.0], Y(&[0.268_941_43])),
        ("a negative beta overflows at the other end", k(2, 2).beta(-1.0), &[1, 1, 2], &[-200.0, -200.0], Y(&[-200.0])),
        ("twice the largest beta is infinite", k(2, 2).beta(f32::MAX), &[1, 1, 2], &[1.0, 2.0], Y(&[2.0])),
        ("an infinite beta", k(2, 2).beta(INFINITY), &[1, 1, 2], &[1.0, 2.0], Refused("beta is inf")),
        ("the last of an odd size is read", k(2, 2), &[1, 1, 3], &[1.0, 3.0, NAN], Y(&[2.761_594_2])),
        ("a size of in / 2 for k3 s2", k(3, 2), &[1, 1, 6], &[4.0; 6], Y(&[4.0, 4.0])),
        ("ceil mode reads beyond the end", k(2, 2).ceil_mode(true), &[1, 1, 3], &[3.0, 3.0, 5.0], Y(&[3.0, 5.0])),
        ("ceil mode adds a window of padding alone", k(2, 3).ceil_mode(true), &[1, 1, 3], &[3.0, 3.0, 5.0], Y(&[3.0])),
        ("padding counts as zeros", k(2, 2).padding([1]), &[1, 1, 2], &[-5.0, -7.0], Y(&[-5.0, -7.0])),
        ("padding beyond half the kernel", k(3, 1).padding([2]), &[1, 1, 3], &[0.0; 3], Refused("allows at most 1")),
        ("a window of padding alone is NaN", k(2, 1).dilation([2]).padding([1]), &[1, 1, 1], &[5.0], Y(&[-INFINITY])),
        ("and so is its gradient", k(2, 1).dilation([2]).padding([1]), &[1, 1, 1], &[5.0], Gradient(&[0.0])),
        ("dilation is left out", k(2, 1).dilation([2]), &[1, 1, 3], &[0.0, 9.0, 0.0], Y(&[0.0])),
        ("positions between windows get a gradient", k(1, 2), &[1, 1, 3], &[1.0; 3], Gradient(&[1.0, 0.0, 1.0])),
        ("positions after the last window are not written", k(2, 2), &[1, 1, 3], &[1.0; 3], Gradient(&[0.5, 0.5, 0.0])),
        ("where windows overlap the last gradient stays", k(2, 1), &[1, 1, 3], &[0.0; 3], Gradient(&[0.5, 1.0, 0.5])),
        ("weights are taken as constants", k(2, 2), &[1, 1, 2], &[0.0, 1.0], Gradient(&[0.072_329_49, 0.927_670_5])),
        ("a window wider than its input", k(5, 1), &[1, 1, 4], &[0.0; 4], Refused("4")),
        ("NaN leaves its window", k(2, 2), &[1, 1, 4], &[NAN, 1.0, 2.0, 2.0], Y(&[NAN, 2.0])),
        ("NaN is lost in a maximum", k(2, 2), &[1, 1, 2], &[1.0, NAN], Y(&[NAN])),
        ("-inf is no weight but NaN", k(2, 2), &[1, 1, 2], &[-INFINITY, 3.0], Y(&[3.0])),
        ("lse overflows", k(2, 2), &[1, 1, 2], &[1000.0, 1000.0], Lse(&[1_000.693_1])),
        ("adaptive windows are alike", SoftPoolConfig::adaptive([2]), &[1, 1, 3], &[1.0, 1.0, 5.0], Y(&[1.0, 4.928_055])),
        ("an adaptive output larger than its input", SoftPoolConfig::adaptive([3]), &[1, 1, 2], &[1.0, 3.0], Y(&[1.0, 2.761_594_2, 3.0])),
        ("a masked window's gradient is NaN", k(2, 2), &[1, 1, 2], &[-INFINITY; 2], Gradient(&[0.0, 0.0])),
        ("a tensor without a batch", k(2, 2), &[2, 2], &[1.0, 1.0, 2.0, 2.0], Y(&[1.0, 2.0])),
        ("an empty batch is divided by", k(2, 2), &[0, 3, 4], &[], Y(&[])),
        ("global pooling of one position", SoftPoolConfig::global(1), &[1, 2, 1], &[7.0, -7.0], Y(&[7.0, -7.0])),
    ];
    for (what, builder, dims, x, right) in faults {
        let pooled = || -> Result<_> {
            let config = builder.build()?;
            let shape = Shape::new(dims)?;
            shape.pooled(&config).map(|pooled| (config, shape, pooled))
        };
        let (config, shape, pooled) = match (pooled(), &right) {
            (Err(error), Refused(expected)) => {
                assert!(error.to_string().contains(expected), "{what}: '{error}' does not say '{expected}'");
                continue;
            }
            (Ok(_), Refused(expected)) => panic!("{what}: not refused as '{expected}'"),
            (result, _) => result.unwrap_or_else(|error| panic!("{what}: {error}")),
        };
        let ones = vec![1.0; pooled.elements()];
        let reference = Reference::new(&config);
        let on_cpu = match right {
            Gradient(_) => reference.backward(&shape, x, &ones),
            Lse(_) => reference.forward(&shape, x).map(|forward| forward.lse),
            _ => reference.forward(&shape, x).map(|forward| forward.y),
        };
        let on_cpu: Vec<f32> = on_cpu.expect("a valid case").iter().map(|&value| value as f32).collect();
        let (Y(expected) | Lse(expected) | Gradient(expected)) = right else {
            unreachable!("refusals are seen to above")
        };
        check(&format!("{what}, by the reference"), &on_cpu, expected);
        on_every_adapter(|context| {
            let pool = pool(context, &config);
            let tensor = |shape, values: &[f32]| context.upload(shape, values).expect("small");
            let (input, ones) = (tensor(shape, x), tensor(pooled, &ones));
            let forward = pool.forward_with(&input, Outputs { lse: true, statistics: true }).expect("a valid case");
            let results = match right {
                Lse(_) => vec![forward.lse.expect("asked for")],
                Gradient(_) => vec![
                    pool.backward(&input, &ones).expect("a valid case"),
                    pool.backward_from(&input, &ones, &forward.statistics.expect("asked for")).expect("a valid case"),
                ],
                _ => vec![forward.y, pool.forward(&input).expect("a valid case")],
            };
            for result in results {
                let got = result.read_blocking().expect("a device that works");
                check(&format!("{what}, on {}", context.name()), &got, expected);
            }
        });
    }
}

/// # Panics
/// Unless the values are the same: NaN is NaN, and what is finite is off by some ulp at most.
#[track_caller]
fn check(what: &str, got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (index, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        let close = (got - expected).abs() <= 4.0 * f32::EPSILON * expected.abs().max(f32::MIN_POSITIVE);
        let same = got == expected || got.is_nan() && expected.is_nan();
        assert!(close || same, "{what}: element {index} is {got:e}, not {expected:e}");
    }
}
