//! Evidence that the laws of SoftPool hold for windows, shapes and values that nobody chose. Cases come from a fixed
//! seed, so that each run has the same; PROPTEST_CASES and PROPTEST_RNG_SEED look further.

use crate::common::{Case, Random, accuracy::Expected, accuracy::ulp, assert_same_bits, check, on_every_adapter, run};
use crate::failed_seeds;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use softpool::reference::Reference;
use softpool::{GradientRule, SoftPoolConfig, SoftPoolConfigBuilder};

/// One seed for all properties, and one strategy: they meet the same windows, whose pipelines they share.
fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig {
        cases: if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { 24 },
        rng_seed: if default.rng_seed == RngSeed::Random { RngSeed::Fixed(210_100_440) } else { default.rng_seed },
        // Each step of shrinking compiles kernels anew.
        max_shrink_iters: 200,
        failure_persistence: failed_seeds::failed_seeds("tests/seeds/properties.txt"),
        ..default
    }
}

/// A window along one axis, and by how much the input is longer than the shortest that holds one.
#[derive(Clone, Copy, Debug)]
struct Axis {
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
    surplus: usize,
}

impl Axis {
    fn input(&self) -> usize {
        ((self.kernel - 1) * self.dilation + 1).saturating_sub(2 * self.padding).max(1) + self.surplus
    }
}

#[derive(Clone, Debug)]
struct Pooling {
    axes: Vec<Axis>,
    ceil_mode: bool,
    planes: (usize, usize),
    beta: f32,
    detached: bool,
    mean: f32,
    spread: f32,
    seed: u64,
}

impl Pooling {
    fn builder(&self) -> SoftPoolConfigBuilder {
        let by_axis = |part: fn(&Axis) -> usize| self.axes.iter().map(part).collect::<Vec<_>>();
        SoftPoolConfig::builder(by_axis(|axis| axis.kernel))
            .stride(by_axis(|axis| axis.stride))
            .padding(by_axis(|axis| axis.padding))
            .dilation(by_axis(|axis| axis.dilation))
            .ceil_mode(self.ceil_mode)
            .beta(self.beta)
            .gradient_rule(if self.detached { GradientRule::Detached } else { GradientRule::Exact })
    }

    fn case(&self) -> Case {
        let dims: Vec<usize> =
            [self.planes.0, self.planes.1].into_iter().chain(self.axes.iter().map(Axis::input)).collect();
        let name = format!("case {}", self.seed);
        Case::with_values(&name, self.builder(), dims, |random, _| self.mean + self.spread * random.normal())
    }

    /// On a grid so coarse that a finite difference's steps are exact in f32, and without what the definition's smooth
    /// part doesn't have.
    fn smooth_case(&self) -> Case {
        let case = Self { mean: 0.0, ..self.clone() }.case();
        let x = case.x.iter().map(|x| (x * 1024.0).round() / 1024.0).collect();
        case.with_x("on a grid", x)
    }
}

fn axis(largest: usize, surplus: usize) -> impl Strategy<Value = Axis> {
    (1..=largest, 1..=largest, 1..=2usize, 0..=surplus).prop_flat_map(|(kernel, stride, dilation, surplus)| {
        (0..=kernel / 2).prop_map(move |padding| Axis { kernel, stride, padding, dilation, surplus })
    })
}

fn poolings() -> impl Strategy<Value = Pooling> {
    let axes = prop_oneof![
        3 => prop::collection::vec(axis(13, 40), 1),
        4 => prop::collection::vec(axis(4, 13), 2),
        1 => prop::collection::vec(axis(2, 5), 3),
    ];
    let beta = prop_oneof![3 => Just(1.0f32), 1 => Just(0.0f32), 1 => Just(-1.0f32), 1 => Just(2.5f32)];
    let mean = prop_oneof![2 => Just(0.0f32), 1 => Just(30.0f32), 1 => Just(-1000.0f32)];
    let spread = prop_oneof![2 => Just(1.0f32), 1 => Just(0.2f32), 1 => Just(3.0f32)];
    let planes = (1..=2usize, 1..=3usize);
    (axes, any::<bool>(), planes, beta, any::<bool>(), mean, spread, any::<u64>()).prop_map(
        |(axes, ceil_mode, planes, beta, detached, mean, spread, seed)| Pooling {
            axes,
            ceil_mode,
            planes,
            beta,
            detached,
            mean,
            spread,
            seed,
        },
    )
}

/// The derivative of `f` at 0 by a difference of fourth order, with steps that f32 holds exactly.
fn derivative(f: impl Fn(f32) -> f64) -> f64 {
    let h = 1.0 / 256.0;
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * f64::from(h))
}

/// `sum g_R y_R` by the reference.
fn loss(case: &Case, config: &SoftPoolConfig, x: &[f32]) -> f64 {
    let y = Reference::new(config).forward(&case.shape, x).expect("a valid case").y;
    // A window of nothing but padding has y = -inf, which doesn't depend on x.
    y.iter().zip(&case.grad_output).filter(|(y, _)| y.is_finite()).map(|(y, &g)| y * f64::from(g)).sum()
}

/// `sum v_i dL/dx_i` by the reference: what the second backward is the gradient of.
fn second_loss(case: &Case, x: &[f32], grad_output: &[f32], v: &[f32]) -> f64 {
    let gradient = Reference::new(&case.config).backward(&case.shape, x, grad_output).expect("a valid case");
    product(&gradient, v)
}

fn product(left: &[f64], right: &[f32]) -> f64 {
    left.iter().zip(right).map(|(left, &right)| left * f64::from(right)).sum()
}

/// A tangent of the input, on a grid so coarse that a finite difference's steps along it are exact in f32.
fn tangent(case: &Case, seed: u64) -> Vec<f32> {
    let mut random = Random::new(seed);
    case.x.iter().map(|_| (random.normal() * 4.0).round() / 16.0).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn kernels_agree_with_the_reference(pooling in poolings()) {
        check(&pooling.case());
    }

    #[test]
    fn y_lies_between_the_extremes_of_its_window(pooling in poolings()) {
        let case = pooling.case();
        let windows = case.windows();
        on_every_adapter(|context| {
            let y = run(context, &case).y;
            for (window, &y) in windows.iter().zip(&y).filter(|(window, _)| !window.is_empty()) {
                let x = || window.iter().map(|&tap| f64::from(case.x[tap]));
                let (least, most) = (x().fold(f64::INFINITY, f64::min), x().fold(f64::NEG_INFINITY, f64::max));
                let rounding = 4.0 * ulp(least.abs().max(most.abs()));
                let y = f64::from(y);
                assert!(least - rounding <= y && y <= most + rounding, "{y:e} of {least:e} to {most:e}");
            }
        });
    }

    /// Weights and gradients are those of x, whatever is added to all of it: as accurate as f32 holds the sum.
    #[test]
    fn a_common_offset_costs_no_accuracy(pooling in poolings()) {
        let case = Pooling { mean: 0.0, ..pooling }.case();
        for offset in [1e2, 1e4] {
            check(&case.with_x("offset", case.x.iter().map(|x| x + offset).collect()));
        }
    }

    #[test]
    fn planes_are_independent_of_their_order(pooling in poolings()) {
        let case = pooling.case();
        let planes = case.shape.planes();
        let reversed = |values: &[f32]| values.chunks(values.len() / planes).rev().flatten().copied().collect::<Vec<_>>();
        let other = Case { grad_output: reversed(&case.grad_output), ..case.with_x("reversed", reversed(&case.x)) };
        on_every_adapter(|context| {
            let (results, others) = (run(context, &case), run(context, &other));
            for ((name, values), (_, others)) in results.tensors().into_iter().zip(others.tensors()) {
                assert_same_bits(name, &reversed(others), values);
            }
        });
    }

    /// The weights of a window have the sum 1, and the slopes' other term has the sum 0: `sum_i dL/dx_i = sum_R g_R`.
    #[test]
    fn gradients_have_the_sum_of_what_they_come_from(pooling in poolings()) {
        let case = pooling.case();
        let expected = Expected::of(&case);
        let windows = case.windows();
        on_every_adapter(|context| {
            for (name, values) in &run(context, &case).tensors()[2..] {
                let plane = values.len() / case.shape.planes();
                for (index, gradients) in values.chunks(plane).enumerate() {
                    let sum: f64 = gradients.iter().map(|&gradient| f64::from(gradient)).sum();
                    let of_plane = windows.iter().zip(&case.grad_output).filter(|(taps, _)| {
                        taps.first().is_some_and(|&tap| tap / plane == index)
                    });
                    let want: f64 = of_plane.map(|(_, &g)| f64::from(g)).sum();
                    let allowed: f64 = (0..plane).map(|i| expected.grad_input.tolerance(index * plane + i, false)).sum();
                    assert!((sum - want).abs() <= allowed, "{name} of plane {index} adds up to {sum:e}, not {want:e}");
                }
            }
        });
    }

    /// Against weights that are computed here, not by the reference.
    #[test]
    fn the_detached_rule_is_g_times_w(pooling in poolings()) {
        let case = Pooling { detached: true, ..pooling }.case();
        let mut gradient = vec![0.0; case.x.len()];
        for (window, &g) in case.windows().iter().zip(&case.grad_output) {
            let t = |tap: usize| f64::from(case.config.beta()) * f64::from(case.x[tap]);
            let m = window.iter().map(|&tap| t(tap)).fold(f64::NEG_INFINITY, f64::max);
            let s: f64 = window.iter().map(|&tap| (t(tap) - m).exp()).sum();
            window.iter().for_each(|&tap| gradient[tap] += f64::from(g) * (t(tap) - m).exp() / s);
        }
        let Expected { y, lse, .. } = Expected::of(&case);
        let expected = Expected::from_values(&case, y.values, lse.values, gradient);
        on_every_adapter(|context| {
            let results = run(context, &case);
            expected.grad_input.check("g w", &results.grad_input);
            expected.grad_input.check("g w, from statistics", &results.grad_input_from_statistics);
        });
    }
}

/// Every small axis against a count of its windows: complete ones, and with `ceil_mode` one for positions that remain, if it
/// starts inside the input or its left padding.
#[test]
fn output_size_counts_the_windows() {
    let windows = (1..=5).flat_map(|k| (1..=6).flat_map(move |s| (1..=3).map(move |d| (k, s, d))));
    for (kernel, stride, dilation) in windows {
        let inputs = |p| [false, true].into_iter().flat_map(move |ceil| (0..=20).map(move |n| (p, ceil, n)));
        for (padding, ceil_mode, input) in (0..=kernel / 2).flat_map(inputs) {
            let builder = SoftPoolConfig::builder([kernel]).stride([stride]).dilation([dilation]).padding([padding]);
            let config = builder.ceil_mode(ceil_mode).build().expect("a valid configuration");
            let span = (kernel - 1) * dilation + 1;
            let complete = |window: usize| window * stride + span <= input + 2 * padding;
            let remains = |window: usize| {
                let end_before = (window - 1) * stride + span;
                end_before < input + 2 * padding && window * stride < input + padding
            };
            let counts = |&window: &usize| complete(window) || ceil_mode && window > 0 && remains(window);
            let count = if input > 0 && complete(0) { (0..).take_while(counts).count() } else { 0 };
            let got = config.output_size(&[input]).map_or(0, |output| output[0]);
            assert_eq!(got, count, "{config:?} of {input}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2 * config().cases, ..config() })]

    #[test]
    fn the_reference_gradient_is_the_derivative(pooling in poolings()) {
        let case = Pooling { detached: false, ..pooling }.smooth_case();
        let gradient = Reference::new(&case.config).backward(&case.shape, &case.x, &case.grad_output).unwrap();
        for index in (0..case.x.len()).step_by(case.x.len() / 16 + 1) {
            let difference = derivative(|step| {
                let mut x = case.x.clone();
                x[index] += step;
                loss(&case, &case.config, &x)
            });
            let off = (gradient[index] - difference).abs();
            prop_assert!(off < 1e-6, "dL/dx[{index}] is {} for {difference}", gradient[index]);
        }
    }

    #[test]
    fn the_reference_gradient_of_beta_is_the_derivative(pooling in poolings()) {
        let case = Pooling { detached: false, ..pooling }.smooth_case();
        let by_channel = Reference::new(&case.config).grad_beta(&case.shape, &case.x, &case.grad_output).unwrap();
        let gradient: f64 = by_channel.iter().sum();
        let difference = derivative(|step| {
            let case = case.with_beta(case.config.beta() + step);
            loss(&case, &case.config, &case.x)
        });
        let scale = case.grad_output.len() as f64;
        prop_assert!((gradient - difference).abs() < 1e-6 * scale, "dL/dbeta is {gradient} for {difference}");
    }

    #[test]
    fn the_reference_jvp_is_the_derivative_along_a_tangent(pooling in poolings()) {
        let case = Pooling { detached: false, ..pooling.clone() }.smooth_case();
        let tangent = tangent(&case, pooling.seed);
        let jvp = Reference::new(&case.config).jvp(&case.shape, &case.x, &tangent).unwrap();
        let along = product(&jvp, &case.grad_output);
        let difference = derivative(|step| {
            let x: Vec<f32> = case.x.iter().zip(&tangent).map(|(x, t)| x + step * t).collect();
            loss(&case, &case.config, &x)
        });
        let scale = case.grad_output.len() as f64;
        prop_assert!((along - difference).abs() < 1e-6 * scale, "dL along the tangent is {along} for {difference}");
    }

    /// By both rules: `sum_R g_R jvp(t)_R = sum_i backward(g)_i t_i`.
    #[test]
    fn the_reference_jvp_is_the_transpose_of_the_gradient(pooling in poolings()) {
        let case = pooling.case();
        let tangent = tangent(&case, pooling.seed);
        let jvp = Reference::new(&case.config).jvp(&case.shape, &case.x, &tangent).unwrap();
        let forward = product(&jvp, &case.grad_output);
        let backward = second_loss(&case, &case.x, &case.grad_output, &tangent);
        let scale = case.grad_output.len() as f64;
        prop_assert!((forward - backward).abs() < 1e-11 * scale, "g jvp(t) is {forward}, backward(g) t {backward}");
    }

    /// By both rules, of which the second is no derivative itself.
    #[test]
    fn the_reference_second_gradients_are_derivatives_of_the_gradient(pooling in poolings()) {
        let case = pooling.smooth_case();
        let v = tangent(&case, pooling.seed);
        let reference = Reference::new(&case.config);
        let second = reference.second_backward(&case.shape, &case.x, &case.grad_output, &v).unwrap();
        for index in (0..case.x.len()).step_by(case.x.len() / 16 + 1) {
            let difference = derivative(|step| {
                let mut x = case.x.clone();
                x[index] += step;
                second_loss(&case, &x, &case.grad_output, &v)
            });
            let (got, name) = (second.input[index], format!("the gradient of x[{index}]"));
            prop_assert!((got - difference).abs() < 1e-6, "{name} is {got} for {difference}");
        }
        // The gradient is linear in g, so that its derivative by one is its value where that is 1 and the others are 0.
        for index in (0..case.grad_output.len()).step_by(case.grad_output.len() / 16 + 1) {
            let mut g = vec![0.0; case.grad_output.len()];
            g[index] = 1.0;
            let (got, want) = (second.grad_output[index], second_loss(&case, &case.x, &g, &v));
            prop_assert!((got - want).abs() < 1e-12, "the gradient of g[{index}] is {got} for {want}");
        }
    }
}
