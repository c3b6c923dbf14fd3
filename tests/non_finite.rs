//! Evidence of what docs/semantics.md promises for NaN and infinities, on every adapter that the tests see: a NaN in a window
//! gives NaN, else +inf gives +inf, and neither has a gradient; -inf weighs nothing, and a window of nothing else has derivatives
//! of 0. What does not hold such a value is not touched by it.

use crate::common::{
    Case, Random, assert_same_bits, check, check_both_rules, on_every_adapter, one_of_each_kernel, pool, run, windows,
};
use softpool::reference::Reference;
use softpool::{Shape, SoftPoolConfig};

const KINDS: [f32; 3] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
const BETAS: [f32; 3] = [1.0, -1.0, 0.0];

/// Taps in the padding and between windows, besides the kernels' own cases.
fn cases() -> Vec<Case> {
    let others = [
        Case::normal("k2 s1 p1 d2", windows([2], [1]).padding([1]).dilation([2]), [1, 1, 13]),
        Case::normal("k2 s3 p1", windows([2], [3]).padding([1]), [1, 1, 20]),
        Case::normal("k3 s2 p1 in 3D", windows([3, 3, 3], [2]).padding([1]), [1, 1, 7, 5, 13]),
    ];
    one_of_each_kernel().into_iter().chain(others).collect()
}

type Change<'a> = &'a dyn Fn(&mut [f32]);

/// As many planes as `changes`, all like the case's first but for what each change does to its own.
fn plane_by_plane(case: &Case, what: &str, changes: &[impl Fn(&mut [f32])]) -> Case {
    let plane_of = |values: &[f32]| values[..values.len() / case.shape.planes()].to_vec();
    let (plane, grad_output) = (plane_of(&case.x), plane_of(&case.grad_output));
    let dims = [&[1, changes.len()], case.shape.spatial()].concat();
    let changed = |change: &dyn Fn(&mut [f32])| {
        let mut plane = plane.clone();
        change(&mut plane);
        plane
    };
    Case {
        name: format!("{}, {what}", case.name),
        config: case.config.clone(),
        shape: Shape::new(dims).expect("a small shape"),
        x: changes.iter().flat_map(|change| changed(change)).collect(),
        grad_output: grad_output.repeat(changes.len()),
    }
}

/// Each kind at positions of the first, a middle and the last window, at each tap of windows that are not large, and at
/// the corners of the plane.
fn each_kind_at_each_position(case: &Case) -> Case {
    let plane = case.x.len() / case.shape.planes();
    let windows: Vec<_> = case.windows().into_iter().filter(|taps| taps.iter().all(|&tap| tap < plane)).collect();
    let mut positions = vec![0, plane - 1];
    for taps in [&windows[0], &windows[windows.len() / 2], &windows[windows.len() - 1]] {
        positions.extend(taps.iter().step_by(taps.len() / 9 + 1));
    }
    positions.sort_unstable();
    positions.dedup();
    let changes: Vec<_> = KINDS
        .into_iter()
        .flat_map(|kind| positions.iter().map(move |&position| move |x: &mut [f32]| x[position] = kind))
        .collect();
    plane_by_plane(case, "one that is not finite", &changes)
}

/// Planes full of one kind, of pairs of them, and of all of them among finite values.
fn mixtures(case: &Case) -> Case {
    let fill = |share: f32, kinds: Vec<f32>| {
        move |x: &mut [f32]| {
            let mut random = Random::new(kinds.len() as u64 + (share * 100.0) as u64);
            for x in x {
                let kind = kinds[(random.uniform() * kinds.len() as f32) as usize];
                *x = if random.uniform() < share { kind } else { *x };
            }
        }
    };
    let [nan, infinity, minus_infinity] = KINDS;
    let fills = [1.0, 0.7, 0.2].into_iter().flat_map(|share| {
        let pairs = [vec![infinity, minus_infinity], vec![nan, infinity], vec![nan, minus_infinity]];
        KINDS
            .map(|kind| vec![kind])
            .into_iter()
            .chain(pairs)
            .chain([KINDS.to_vec()])
            .map(move |kinds| fill(share, kinds))
    });
    plane_by_plane(case, "a mixture", &fills.collect::<Vec<_>>())
}

#[test]
fn each_kind_at_each_position_of_a_window() {
    for case in cases() {
        for beta in BETAS {
            check_both_rules(&each_kind_at_each_position(&case.with_beta(beta)));
        }
    }
}

#[test]
fn mixtures_of_kinds() {
    for case in cases() {
        for beta in BETAS {
            check_both_rules(&mixtures(&case.with_beta(beta)));
        }
    }
}

/// What the definition gives, spelled out without the reference, for windows of two values.
#[test]
fn the_documented_values() {
    let [nan, infinity, minus_infinity] = KINDS;
    let table = [
        // x, y for beta 1, -1 and 0.
        ([1.0, nan], [nan, nan, nan]),
        ([infinity, nan], [nan, nan, nan]),
        ([minus_infinity, nan], [nan, nan, nan]),
        ([1.0, infinity], [infinity, 1.0, infinity]),
        ([1.0, minus_infinity], [1.0, minus_infinity, minus_infinity]),
        ([infinity, minus_infinity], [infinity, minus_infinity, infinity]),
        ([infinity, infinity], [infinity, infinity, infinity]),
        ([minus_infinity, minus_infinity], [minus_infinity, minus_infinity, minus_infinity]),
    ];
    let x: Vec<f32> = table.iter().flat_map(|(x, _)| *x).collect();
    for (index, beta) in BETAS.into_iter().enumerate() {
        // Disjoint windows, and overlapping ones of which every other is compared.
        for stride in [2, 1] {
            let case = Case::normal("values", windows([2], [stride]), [1, 1, x.len()]);
            let case = case.with_x("table", x.clone()).with_beta(beta);
            on_every_adapter(|context| {
                let y = run(context, &case).y;
                for (row, (x, want)) in table.iter().enumerate() {
                    let (got, want) = (y[row * 2 / stride], want[index]);
                    let same = got == want || got.is_nan() && want.is_nan();
                    assert!(same, "{x:?} with beta {beta}, stride {stride} on {}: {got} for {want}", context.name());
                }
            });
        }
    }
}

/// Masks: rows, or all but a corner, of what weighs nothing. Such windows add 0 to every derivative, the gradient of beta among
/// them, and the others have theirs.
#[test]
fn masked_windows_add_nothing_to_derivatives() {
    for case in cases().into_iter().chain([
        Case::normal("global", SoftPoolConfig::global(1), [1, 3, 6]),
        Case::normal("global, large", SoftPoolConfig::global(2), [1, 3, 21, 17]),
        Case::normal("adaptive", SoftPoolConfig::adaptive([3, 2]), [1, 3, 7, 9]),
    ]) {
        for beta in BETAS {
            let nothing = if beta < 0.0 { f32::INFINITY } else { f32::NEG_INFINITY };
            let changes: [Change<'_>; 3] = [&|_| (), &|x| x.fill(nothing), &|x| {
                // With beta = 0 a window of both has no derivative.
                let kept = if beta == 0.0 { 0 } else { 1 };
                x[kept..].fill(nothing);
            }];
            let case = plane_by_plane(&case.with_beta(beta), "masked", &changes);
            check(&case);
            let reference = Reference::new(&case.config);
            let v: Vec<f32> = (0..case.x.len()).map(|index| index as f32 / 8.0 - 3.0).collect();
            let jvp = reference.jvp(&case.shape, &case.x, &v).expect("a valid case");
            let second = reference.second_backward(&case.shape, &case.x, &case.grad_output, &v).expect("a valid case");
            let grad_beta = reference.grad_beta(&case.shape, &case.x, &case.grad_output).expect("a valid case");
            on_every_adapter(|context| {
                let pool = pool(context, &case.config);
                let upload = |shape: Shape, values: &[f32]| context.upload(shape, values).expect("a small tensor");
                let (x, g) = (upload(case.shape, &case.x), upload(case.pooled(), &case.grad_output));
                let v = upload(case.shape, &v);
                let got = pool.second_backward(&x, &g, &v).expect("valid");
                let tensors = [
                    ("jvp", pool.jvp(&x, &v).expect("valid"), jvp.clone()),
                    ("second of g", got.grad_output, jvp.clone()),
                    ("second of x", got.input, second.input.clone()),
                    ("gradient of beta", pool.grad_beta(&x, &g).expect("valid"), vec![grad_beta.iter().sum()]),
                ];
                for (name, got, want) in tensors {
                    for (index, (got, want)) in got.read_blocking().expect("works").iter().zip(want).enumerate() {
                        let close = (f64::from(*got) - want).abs() <= 1e-4 * want.abs().max(1.0);
                        let what = format!("{name}[{index}] of {} on {}", case.name, context.name());
                        assert!(close, "{what} is {got} for {want}");
                    }
                }
            });
        }
    }
}

/// Where a kernel evaluates each window by itself, the others keep their bits, and their inputs' gradients. (Windows of a
/// shared block may be evaluated another way when one of them is not finite: those are held to the tolerance above.)
#[test]
fn other_windows_keep_their_bits() {
    for case in
        cases().into_iter().filter(|case| ["disjoint", "large", "k2 s3"].iter().any(|kind| case.name.starts_with(kind)))
    {
        for beta in BETAS {
            let case = each_kind_at_each_position(&case.with_beta(beta));
            assert_others_unchanged(&case, |_, holds_one| !holds_one);
        }
    }
}

/// Whatever the kernel, a plane that holds nothing of the kind is as if it were alone.
#[test]
fn other_planes_keep_their_bits() {
    for case in cases() {
        let changes = [0, 1, 2, 3].map(|plane| {
            move |x: &mut [f32]| {
                if plane % 2 == 1 {
                    x.iter_mut().step_by(3).enumerate().for_each(|(index, x)| *x = KINDS[index % 3]);
                }
            }
        });
        let case = plane_by_plane(&case, "every other plane", &changes);
        let windows = case.grad_output.len() / 4;
        assert_others_unchanged(&case, |window, _| window / windows % 2 == 0);
    }
}

/// Runs `case` with and without what is not finite, and compares the bits of y in the windows that `compared(window,
/// holds one)` chooses, and of the gradients of inputs that only such windows hold.
fn assert_others_unchanged(case: &Case, compared: impl Fn(usize, bool) -> bool) {
    let finite = case.with_x("finite", case.x.iter().map(|&x| if x.is_finite() { x } else { 0.25 }).collect());
    let taps = case.windows();
    let holds_one = |taps: &[usize]| taps.iter().any(|&tap| !case.x[tap].is_finite());
    let chosen: Vec<bool> = taps.iter().enumerate().map(|(index, taps)| compared(index, holds_one(taps))).collect();
    let mut untouched: Vec<bool> = case.x.iter().map(|x| x.is_finite()).collect();
    for (taps, _) in taps.iter().zip(&chosen).filter(|(_, chosen)| !**chosen) {
        taps.iter().for_each(|&tap| untouched[tap] = false);
    }
    let of = |values: &[f32], kept: &[bool]| -> Vec<f32> {
        values.iter().zip(kept).filter(|(_, kept)| **kept).map(|(value, _)| *value).collect()
    };
    assert!(chosen.contains(&true) && untouched.contains(&true), "{} compares nothing", case.name);
    on_every_adapter(|context| {
        let (got, want) = (run(context, case), run(context, &finite));
        for ((name, got), (_, want)) in got.tensors().into_iter().zip(want.tensors()) {
            let kept = if got.len() == chosen.len() && name != "grad_input" { &chosen } else { &untouched };
            let what = format!("{} on {}: {name}", case.name, context.name());
            assert_same_bits(&what, &of(got, kept), &of(want, kept));
        }
    });
}

/// A gradient of the output that is not finite concerns its own window alone.
#[test]
fn a_gradient_that_is_not_finite_stays_in_its_window() {
    for case in cases() {
        let middle = case.grad_output.len() / 2;
        let taps = &case.windows()[middle];
        for kind in KINDS {
            let mut grad_output = case.grad_output.clone();
            grad_output[middle] = kind;
            let other = Case { grad_output, ..case.clone() };
            on_every_adapter(|context| {
                let what = format!("{} with {kind} on {}", case.name, context.name());
                let (got, want) = (run(context, &other), run(context, &case));
                for ((name, got), (_, want)) in got.tensors().into_iter().zip(want.tensors()).skip(2) {
                    for index in 0..got.len() {
                        if taps.contains(&index) {
                            assert!(!got[index].is_finite(), "{what}: {name}[{index}] is {}", got[index]);
                        } else {
                            let same = got[index].to_bits() == want[index].to_bits();
                            assert!(same, "{what}: {name}[{index}] is {} for {}", got[index], want[index]);
                        }
                    }
                }
            });
        }
    }
}
