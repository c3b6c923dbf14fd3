//! Evidence that accuracy holds where it is hardest to have: windows far below what else their block holds, both sides
//! of the threshold at which a kernel gives up the shared maximum, large means, and values at both ends of f32.

use crate::common::{
    Case, Random, accuracy::Expected, assert_same_bits, check_in_blocks_of_both_sizes as check, on_every_adapter,
    one_of_each_kernel, run, sweep_in_blocks_of_both_sizes, windows,
};

/// Cases whose values the tests replace.
fn cases() -> Vec<Case> {
    let others = [
        Case::normal("overlapping k3 s2 p1", windows([3, 3], [2]).padding([1]), [2, 3, 13, 19]),
        Case::normal("overlapping k5 s2 p2 in 1D", windows([5], [2]).padding([2]), [2, 3, 43]),
    ];
    one_of_each_kernel().into_iter().chain(others).collect()
}

fn check_both_rules(case: &Case) {
    check(case);
    check(&case.detached());
}

/// Where an element is; rows are counted through all of a plane.
#[derive(Clone, Copy)]
struct At {
    plane: usize,
    row: usize,
    column: usize,
}

fn with_values(case: &Case, what: &str, value: impl Fn(&mut Random, At) -> f32) -> Case {
    let mut random = Random::new(case.x.len() as u64);
    let width = *case.shape.spatial().last().expect("a spatial axis");
    let plane = case.x.len() / case.shape.planes();
    let at = |index| At { plane: index / plane, row: index % plane / width, column: index % width };
    case.with_x(what, (0..case.x.len()).map(|index| value(&mut random, at(index))).collect())
}

/// A plane that is low on one side and high on the other: windows of a block lie `step` below its maximum. Planes
/// differ in where the edge runs, and in whether there is noise on it.
fn step_in_each_plane(case: &Case, step: f32, base: f32) -> Case {
    with_values(case, &format!("step {step}"), |random, At { plane, row, column }| {
        let high = match plane % 3 {
            0 => column >= 7,
            1 => row >= 4,
            _ => (row + column) % 11 > 5,
        };
        let noise = if plane % 2 == 0 { 0.0 } else { 0.3 * random.normal() };
        base + noise + if high { step } else { 0.0 }
    })
}

#[test]
fn a_step_inside_a_plane() {
    for case in cases() {
        for step in [5.0, 7.9, 8.0, 8.1, 12.0, 20.0, 50.0, 88.0, 1000.0] {
            check_both_rules(&step_in_each_plane(&case, step, 0.0));
        }
    }
}

#[test]
fn a_step_far_from_zero() {
    for case in cases() {
        for step in [5.0, 9.0, 20.0, 100.0] {
            check(&step_in_each_plane(&case, step, 1e4));
            check(&step_in_each_plane(&case, step, -1e4));
        }
    }
}

/// A kernel keeps the block's maximum M for a window of n taps while the window's sum about it is at least n exp(-8): where
/// all are equal, up to M - m = 8; where one is above all others, up to 8 - ln n. The sweep meets both, and those between.
#[test]
fn both_sides_of_the_accuracy_threshold() {
    let thresholds = [1.0f32, 2.0, 3.0, 4.0, 6.0, 9.0].map(|equal| 8.0 + (equal / 9.0).ln());
    let beside = [-0.3, -1e-2, -1e-5, 0.0, 1e-5, 1e-2, 0.3];
    let overlapping = &one_of_each_kernel()[1];
    for case in [1.0, 4.0, -0.25].map(|beta| overlapping.with_beta(beta)) {
        let steps = thresholds.iter().flat_map(|threshold| beside.map(|off| threshold + off));
        let sweep: Vec<_> = steps.map(|step| step_in_each_plane(&case, step / case.config.beta(), 0.0)).collect();
        sweep_in_blocks_of_both_sizes(&sweep);
    }
}

#[test]
fn isolated_spikes() {
    for case in cases() {
        for height in [8.0, 9.0, 20.0, 90.0, 1e4] {
            let spikes = |random: &mut Random, _| {
                let noise = random.normal();
                if random.uniform() < 0.02 { height + noise } else { noise }
            };
            check(&with_values(&case, &format!("spikes of {height}"), spikes));
            // The other way round the spikes are what weighs nothing.
            let holes = |random: &mut Random, at| -spikes(random, at);
            check(&with_values(&case, &format!("holes of {height}"), holes));
        }
    }
}

#[test]
fn wide_spreads() {
    for case in cases() {
        for deviation in [1.0, 3.0, 10.0, 30.0] {
            check_both_rules(&with_values(&case, &format!("deviation {deviation}"), |random, _| {
                deviation * random.normal()
            }));
        }
    }
}

#[test]
fn means_far_from_zero() {
    for case in cases() {
        for mean in [0.0, 100.0, -100.0, 1e4, -1e4, 1e6] {
            check_both_rules(&with_values(&case, &format!("mean {mean}"), |random, _| mean + random.normal()));
        }
    }
}

/// Most activations come from a ReLU: what a window of nothing but zeros gives is 0, whatever else the block holds.
#[test]
fn relu_zeros_stay_zero() {
    for case in cases() {
        for scale in [1.0, 10.0, 100.0, 1e4] {
            let case = with_values(&case, &format!("ReLU of scale {scale}"), |random, At { row, column, .. }| {
                let silent = row / 3 % 2 == 0 || column / 6 % 2 == 0;
                if silent { 0.0 } else { scale * random.normal().max(0.0) }
            });
            check(&case);
            let zeros: Vec<_> =
                case.windows().iter().map(|window| window.iter().all(|&tap| case.x[tap] == 0.0)).collect();
            assert!(zeros.contains(&true) || case.name.starts_with("large") || case.name.starts_with("wide"));
            on_every_adapter(|context| {
                let y = run(context, &case).y;
                let wrong = (0..y.len()).find(|&index| zeros[index] && y[index] != 0.0);
                assert_eq!(wrong, None, "{} on {}: y is not 0 here", case.name, context.name());
            });
        }
    }
}

/// y is the value, to the bit, and all weights are alike.
#[test]
fn equal_values() {
    for case in cases() {
        for value in [0.0, 1.0, -3.7, 1e4, 1e-30, -1e-30, 1e30, 3e38, -3e38] {
            let equal = case.with_x(&format!("all {value:e}"), vec![value; case.x.len()]);
            let expected = Expected::of(&equal);
            on_every_adapter(|context| {
                let what = format!("{} on {}", equal.name, context.name());
                let results = run(context, &equal);
                assert_same_bits(&format!("{what}: y"), &results.y, &vec![value; results.y.len()]);
                expected.check(&what, &results);
            });
        }
    }
}

/// With a beta that makes the values' differences matter, and with one that does not.
#[test]
fn values_at_the_ends_of_f32() {
    let draw = |values: [f32; 4]| move |random: &mut Random, _: At| values[(random.uniform() * 4.0) as usize % 4];
    for case in cases() {
        for beta in [1.0, -1.0, 1e-38, 0.0] {
            let case = case.with_beta(beta);
            check(&with_values(&case, "huge", draw([3e38, 1e38, -1e38, -3e38])));
            check(&with_values(&case, "huge and 0", draw([3e38, 0.0, 1.0, -3e38])));
            check(&with_values(&case, "lowest", draw([-3.4e38, -3.3e38, -3.2e38, -3.1e38])));
        }
        for beta in [1.0, -1.0, 1e30] {
            check(&with_values(&case.with_beta(beta), "tiny", |random, _| 1e-30 * random.normal()));
        }
    }
}
