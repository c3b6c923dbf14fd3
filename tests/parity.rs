//! Evidence that the kernels compute the definition: fresh inputs over a table of windows, each on every adapter and
//! some by both gradient rules, against the f64 reference. Sizes are odd or prime, so that nothing divides and edges
//! show; a test of its own has the widths that are read as vectors.

use crate::common::{
    Case, assert_same_bits, check, check_both_rules, on_every_adapter, one_of_each_kernel, pool, run, windows,
};
use softpool::{BackwardTensors, ForwardTensors, Outputs, Shape, SoftPoolConfigBuilder};

fn check_each<const N: usize, D: AsRef<[usize]>>(cases: [(&str, SoftPoolConfigBuilder, D); N]) {
    for (name, builder, dims) in cases {
        check(&Case::normal(name, builder, dims));
    }
}

#[test]
fn disjoint_windows() {
    check_both_rules(&Case::normal("k2 s2", windows([2, 2], [2]), [2, 3, 17, 23]));
    check_each([
        ("k2x3 s2x3", windows([2, 3], [2, 3]), [1, 2, 11, 17]),
        ("k3 s3 p1", windows([3, 3], [3]).padding([1]), [1, 3, 19, 13]),
    ]);
}

#[test]
fn gaps_between_windows_and_between_taps() {
    check_both_rules(&Case::normal("k2 s5 d2", windows([2, 2], [5]).dilation([2]), [1, 2, 13, 17]));
    check_each([
        ("k2 s3", windows([2, 2], [3]), [2, 2, 13, 17]),
        ("k3 s5 p1", windows([3, 3], [5]).padding([1]), [1, 2, 19, 23]),
        ("k1 s2", windows([1, 1], [2]), [1, 2, 9, 13]),
        ("k2 s11, gaps larger than windows", windows([2, 2], [11]), [1, 2, 23, 37]),
    ]);
}

#[test]
fn overlapping_windows() {
    check_both_rules(&Case::normal("k3 s1 p1", windows([3, 3], [1]).padding([1]), [2, 3, 17, 23]));
    check_each([
        ("k2 s1", windows([2, 2], [1]), [1, 2, 13, 19]),
        ("k3x2 s2x1", windows([3, 2], [2, 1]), [1, 2, 18, 19]),
        ("k3 s2 p1", windows([3, 3], [2]).padding([1]), [2, 2, 13, 19]),
        ("k5 s3 p2", windows([5, 5], [3]).padding([2]), [1, 2, 17, 23]),
    ]);
}

#[test]
fn wide_windows_at_each_position() {
    check_each([
        ("k5 s1 p2", windows([5, 5], [1]).padding([2]), [1, 2, 13, 19]),
        ("k13 s1 p6", windows([13, 13], [1]).padding([6]), [1, 1, 17, 23]),
    ]);
    check_each([
        ("k7 s1 p3", windows([7], [1]).padding([3]), [1, 3, 41]),
        ("k9 s1 p4", windows([9], [1]).padding([4]), [1, 3, 43]),
    ]);
}

#[test]
fn windows_larger_than_an_invocation_holds() {
    check_each([
        ("k9 s9", windows([9, 9], [9]), [1, 2, 19, 29]),
        ("k40, global", windows([40, 40], [40]), [1, 2, 41, 43]),
    ]);
    check_each([
        ("k100 s37", windows([100], [37]), [2, 2, 331]),
        ("k70 s70 in one row", windows([70], [70]), [1, 3, 151]),
    ]);
    check(&Case::normal("k5 s5 in 3D", windows([5, 5, 5], [5]), [1, 2, 7, 11, 13]));
}

#[test]
fn a_window_of_a_million_elements() {
    // Software drivers end an invocation after 65,535 iterations, and whole feature maps are pooled to one value.
    check(&Case::normal("k1031x1021", windows([1031, 1021], [1031, 1021]), [1, 1, 1031, 1021]));
}

/// More windows hold an input than one invocation visits.
#[test]
fn an_input_in_thousands_of_windows() {
    check(&Case::normal("k5000 s1", windows([5000], [1]), [1, 1, 6001]));
}

/// The largest padding that is allowed holds 2^28 taps, of which 16 are inside.
#[test]
fn a_window_far_larger_than_the_input() {
    check(&Case::normal("k16384 p8192", windows([16384, 16384], [16384]).padding([8192]), [1, 1, 4, 4]));
}

#[test]
fn one_dimension() {
    check_both_rules(&Case::normal("k3 s1 p1", windows([3], [1]).padding([1]), [2, 3, 41]));
    check_each([
        ("k2 s2", windows([2], [2]), [2, 3, 37]),
        ("k5 s2 p2", windows([5], [2]).padding([2]), [1, 3, 43]),
        ("k4 s1 p2 d3", windows([4], [1]).padding([2]).dilation([3]), [1, 3, 47]),
        ("k2 s7", windows([2], [7]), [1, 3, 53]),
    ]);
}

#[test]
fn three_dimensions() {
    check_both_rules(&Case::normal("k3 s2 p1", windows([3, 3, 3], [2]).padding([1]), [1, 2, 7, 5, 13]));
    check_each([
        ("k2 s2", windows([2, 2, 2], [2]), [2, 2, 5, 7, 11]),
        ("k3 s1 p1", windows([3, 3, 3], [1]).padding([1]), [1, 2, 5, 7, 9]),
        ("k2 s3", windows([2, 2, 2], [3]), [1, 2, 7, 8, 11]),
    ]);
}

#[test]
fn kernels_with_unit_axes() {
    check_each([
        ("k3x1 s1 p1x0", windows([3, 1], [1]).padding([1, 0]), [1, 2, 13, 11]),
        ("k1x5 s2x1 p0x2", windows([1, 5], [2, 1]).padding([0, 2]), [1, 2, 11, 13]),
    ]);
    check_each([
        ("k1x2x2 s1x2x2", windows([1, 2, 2], [1, 2, 2]), [1, 2, 5, 7, 9]),
        ("k3x1x1 s2x1x1 p1x0x0", windows([3, 1, 1], [2, 1, 1]).padding([1, 0, 0]), [1, 2, 7, 5, 9]),
    ]);
}

#[test]
fn dilation_with_padding() {
    check_each([
        ("k2 s2 p1 d3", windows([2, 2], [2]).padding([1]).dilation([3]), [1, 2, 11, 13]),
        ("k2x3 s3x7 p1 d2x3", windows([2, 3], [3, 7]).padding([1]).dilation([2, 3]), [1, 2, 13, 23]),
    ]);
    // Taps so far apart that hundreds of windows start between two of them.
    check(&Case::normal("k2 s1 d31", windows([2, 2], [1]).dilation([31]), [1, 1, 67, 71]));
    check(&Case::normal("k3 s2 p1 d4", windows([3], [2]).padding([1]).dilation([4]), [2, 2, 43]));
    let builder = windows([2, 1, 1], [1]).padding([1, 0, 0]).dilation([2, 1, 1]);
    check(&Case::normal("k2x1x1 s1 p1x0x0 d2x1x1", builder, [1, 2, 5, 4, 7]));
}

#[test]
fn ceil_mode() {
    check_each([
        ("k2 s2", windows([2, 2], [2]).ceil_mode(true), [1, 2, 11, 17]),
        ("k3 s2 p1", windows([3, 3], [2]).padding([1]).ceil_mode(true), [1, 2, 12, 18]),
        ("k2 s5", windows([2, 2], [5]).ceil_mode(true), [1, 2, 11, 13]),
        ("k3 s4x3 on the width", windows([3, 3], [4, 3]).ceil_mode_by_axis([false, true]), [1, 2, 13, 17]),
        ("k9 s9", windows([9, 9], [9]).ceil_mode(true), [1, 1, 19, 23]),
    ]);
    check(&Case::normal("k2 s2 in 3D", windows([2, 2, 2], [2]).ceil_mode(true), [1, 1, 5, 7, 9]));
}

/// Where a width is a multiple of 4, rows are read or written as vectors of 4: of the input, of the output, of both.
#[test]
fn widths_that_are_multiples_of_four() {
    for case in one_of_each_kernel() {
        check_both_rules(&case);
    }
    check_each([
        ("k2 s2, input only", windows([2, 2], [2]), [1, 3, 9, 20]),
        ("k2 s2, output only", windows([2, 2], [2]), [1, 3, 9, 17]),
        ("k3 s2 p1", windows([3, 3], [2]).padding([1]), [1, 2, 9, 24]),
    ]);
    check_each([
        ("k5 s1 p2", windows([5], [1]).padding([2]), [1, 3, 28]),
        ("k8 s8 p4", windows([8], [8]).padding([4]), [1, 3, 88]),
        ("k4 s4, one vector wide", windows([4], [4]), [1, 3, 4]),
    ]);
    check(&Case::normal("k2 s2 in 3D", windows([2, 2, 2], [2]), [1, 2, 5, 7, 8]));
}

/// Two taps that straddle the whole input: the definition has no element to weigh, and y is the empty maximum.
#[test]
fn windows_of_nothing_but_padding() {
    let hollow = |kernel: [usize; 2], stride: [usize; 2]| windows(kernel, stride).padding([1, 0]).dilation([3, 1]);
    let cases = [
        Case::normal("overlapping", hollow([2, 1], [1, 1]), [1, 2, 2, 7]),
        Case::normal("disjoint", hollow([2, 2], [4, 2]), [1, 2, 2, 7]),
        Case::normal("by a workgroup", hollow([2, 70], [1, 70]), [1, 2, 2, 141]),
    ];
    for case in cases.iter().flat_map(|case| [case.clone(), case.with_beta(-1.0)]) {
        let nothing = if case.config.beta() < 0.0 { f32::INFINITY } else { f32::NEG_INFINITY };
        on_every_adapter(|context| {
            let what = format!("{} on {}", case.name, context.name());
            let results = run(context, &case);
            assert!(results.y.iter().all(|&y| y == nothing), "{what}: {:?}", results.y);
            assert!(results.lse.iter().all(|&lse| lse == f32::NEG_INFINITY), "{what}: {:?}", results.lse);
            for (name, values) in &results.tensors()[2..] {
                assert!(values.iter().all(|&gradient| gradient == 0.0), "{what}: {name} {values:?}");
            }
        });
    }
}

#[test]
fn empty_tensors_give_empty_results() {
    let cases = [
        (windows([3, 3], [1]).padding([1]), vec![0, 3, 5, 7]),
        (windows([2, 2], [2]), vec![2, 0, 5, 7]),
        (windows([90], [7]), vec![0, 0, 97]),
    ];
    for (builder, dims) in cases {
        let case = Case::normal("empty", builder, &dims);
        on_every_adapter(|context| {
            let what = format!("{dims:?} on {}", context.name());
            for (name, values) in run(context, &case).tensors() {
                assert_eq!(values, [0.0; 0], "{what}: {name}");
            }
            let pool = pool(context, &case.config);
            let x = context.upload(case.shape, &[]).expect("an empty tensor");
            let forward = pool.forward_with(&x, Outputs { lse: true, statistics: true }).expect("nothing to do");
            assert_eq!(forward.y.shape(), case.pooled(), "{what}");
            let statistics = forward.statistics.expect("it was asked for");
            let grad_input = pool.backward_from(&x, &forward.y, &statistics).expect("nothing to do");
            assert_eq!(grad_input.shape(), case.shape, "{what}");
            assert_eq!(grad_input.read_blocking().expect("an empty tensor"), [0.0; 0], "{what}");
            let plan = pool.plan(ForwardTensors::new(&x, &forward.y)).expect("nothing to do");
            assert_eq!(plan.dispatches(), 0, "{what}");
            let tensors = BackwardTensors::new(&x, &forward.y, &grad_input);
            assert_eq!(pool.plan(tensors).expect("nothing to do").dispatches(), 0, "{what}");
        });
    }
}

#[test]
fn windows_of_one_element_copy() {
    let case = Case::normal("k1 s1", windows([1, 1], [1]), [2, 3, 7, 11]);
    for case in [case.clone(), case.with_beta(-3.5), case.detached()] {
        on_every_adapter(|context| {
            let what = format!("{} on {}", case.name, context.name());
            let results = run(context, &case);
            assert_same_bits(&format!("{what}: y"), &results.y, &case.x);
            for (name, values) in &results.tensors()[2..] {
                assert_same_bits(&format!("{what}: {name}"), values, &case.grad_output);
            }
        });
    }
}

/// Soft minimum, average, soft maximum and all but a maximum: beta is a parameter of the call, not of the pipeline.
#[test]
fn every_beta() {
    let in_3d = Case::normal("overlapping in 3D", windows([3, 3, 3], [2]).padding([1]), [1, 2, 7, 5, 13]);
    for case in one_of_each_kernel().into_iter().chain([in_3d]) {
        for beta in [0.0, -0.0, 0.5, -1.0, 4.0, -30.0, 1e3] {
            check_both_rules(&case.with_beta(beta));
        }
    }
}

#[test]
fn inputs_that_no_window_holds_get_exactly_zero() {
    let cases = [
        Case::normal("remainder of disjoint windows", windows([2, 2], [2]), [2, 3, 17, 23]),
        Case::normal("gaps between windows", windows([2, 2], [3]), [2, 2, 13, 17]),
        Case::normal("gaps larger than windows", windows([2, 2], [11]), [1, 2, 23, 37]),
        Case::normal("gaps between taps", windows([2, 2], [5]).dilation([2]), [1, 2, 13, 17]),
        Case::normal("remainder of overlapping windows", windows([3, 2], [2, 1]), [1, 2, 18, 19]),
        Case::normal("remainder of large windows", windows([12, 12], [5]), [1, 2, 23, 29]),
        Case::normal("remainder in 3D", windows([2, 2, 2], [2]), [2, 2, 5, 7, 11]),
    ];
    for case in cases {
        let mut held = vec![false; case.x.len()];
        case.windows().into_iter().flatten().for_each(|tap| held[tap] = true);
        assert!(held.contains(&false), "{} leaves nothing out", case.name);
        on_every_adapter(|context| {
            for (name, values) in &run(context, &case).tensors()[2..] {
                let wrong = (0..held.len()).find(|&index| !held[index] && values[index] != 0.0);
                assert_eq!(wrong, None, "{} on {}: {name} is not 0 here", case.name, context.name());
            }
        });
    }
}

/// What a forward is asked for besides y leaves y alone.
#[test]
fn further_outputs_do_not_change_y() {
    for case in one_of_each_kernel() {
        on_every_adapter(|context| {
            let pool = pool(context, &case.config);
            let x = context.upload(case.shape, &case.x).expect("a small tensor");
            let y = |lse, statistics| {
                let forward = pool.forward_with(&x, Outputs { lse, statistics }).expect("a valid case");
                assert_eq!((forward.lse.is_some(), forward.statistics.is_some()), (lse, statistics));
                forward.y.read_blocking().expect("a device that works")
            };
            let alone = y(false, false);
            for (lse, statistics) in [(true, false), (false, true), (true, true)] {
                let what = format!("{} on {}: y with lse {lse}, statistics {statistics}", case.name, context.name());
                assert_same_bits(&what, &y(lse, statistics), &alone);
            }
        });
    }
}

/// Nothing depends on the order in which invocations run, or on what else runs.
#[test]
fn the_same_bits_in_each_run() {
    let cases = one_of_each_kernel();
    on_every_adapter(|context| {
        for case in &cases {
            let what = format!("{} on {}", case.name, context.name());
            let first = run(context, case);
            for _ in 0..3 {
                run(context, case).assert_same_bits(&what, &first);
            }
            // All poolings in one encoder, each into tensors of its own, this one twice.
            let mut encoder = context.device.create_command_encoder(&Default::default());
            let mut results = Vec::new();
            for other in cases.iter().chain([case]) {
                let pool = pool(context, &other.config);
                let upload = |shape: Shape, data: &[f32]| context.upload(shape, data).expect("a small tensor");
                let (x, grad_output) = (upload(other.shape, &other.x), upload(other.pooled(), &other.grad_output));
                let (y, grad_input) = (upload(other.pooled(), &other.grad_output), upload(other.shape, &other.x));
                pool.encode(&mut encoder, ForwardTensors::new(&x, &y)).expect("a valid case");
                let tensors = BackwardTensors::new(&x, &grad_output, &grad_input);
                pool.encode(&mut encoder, tensors).expect("a valid case");
                if other.name == case.name {
                    results.push((y, grad_input));
                }
            }
            context.queue.submit([encoder.finish()]);
            assert_eq!(results.len(), 2);
            for (y, grad_input) in results {
                let (y, grad_input) = (y.read_blocking(), grad_input.read_blocking());
                assert_same_bits(&format!("{what}, beside others: y"), &y.expect("it works"), &first.y);
                let name = format!("{what}, beside others: grad_input");
                assert_same_bits(&name, &grad_input.expect("it works"), &first.grad_input);
            }
        }
    });
}
