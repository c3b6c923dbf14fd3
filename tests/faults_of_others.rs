//! Evidence against the faults of existing implementations, one test for each, named after what has to hold: those of the
//! authors' CUDA extension and its issue tracker, of the one-liner `avg_pool(exp(x) * x) / avg_pool(exp(x))`, and of runtimes
//! that start a maximum at a large negative constant. (Adaptive pooling and 16-bit types are not there yet.)

use crate::common;
use crate::common::accuracy::Expected;
use crate::common::buffers::run_in_one_buffer;
use crate::common::{Case, check, check_both_rules, on_every_adapter, pool, run, windows};
use softpool::reference::Reference;
use softpool::{GradientRule, Shape, SoftPoolConfig};

/// One window by the one-liner, in f32.
fn one_liner(x: &[f32]) -> f32 {
    let count = x.len() as f32;
    let weighted = x.iter().map(|x| x.exp() * x).sum::<f32>() / count;
    weighted / (x.iter().map(|x| x.exp()).sum::<f32>() / count)
}

/// Issue 12, and 6 and 9 of MotionSeg3D: exp(x) without the maximum subtracted ends at 88.7 in f32.
#[test]
fn no_overflow_at_ordinary_activations() {
    let builder = || windows([3, 3], [2]).padding([1]);
    for (mean, deviation) in [(89.0, 1.0), (1000.0, 10.0), (-1000.0, 10.0), (0.0, 300.0)] {
        let name = format!("mean {mean}, deviation {deviation}");
        let values = |random: &mut common::Random, _| mean + deviation * random.normal();
        let case = Case::with_values(&name, builder(), [1, 2, 9, 12], values);
        // Every result is finite and as accurate as anywhere: the weights don't know of the mean.
        check(&case);
        on_every_adapter(|context| {
            for (name, values) in run(context, &case).tensors() {
                assert!(values.iter().all(|value| value.is_finite()), "{name} of {}", case.name);
            }
        });
    }
}

/// The one-liner at x = 89: inf / inf. It serves below, where it agrees with ours.
#[test]
fn the_one_liner_overflows_where_this_does_not() {
    assert!(one_liner(&[89.0; 4]).is_nan());
    assert!(!one_liner(&[1.0, 2.0, 89.0, -5.0]).is_finite());
    assert!(one_liner(&[-104.0; 4]).is_nan(), "0 / 0 at the other end");
    let builder = || windows([2, 2], [2]);
    for (mean, fits) in [(0.0, true), (89.0, false), (-104.0, false)] {
        let values = |_: &mut common::Random, index| mean + (index % 3) as f32 / 8.0;
        let case = Case::with_values(&format!("around {mean}"), builder(), [1, 1, 6, 8], values);
        check(&case);
        let theirs: Vec<f32> = case
            .windows()
            .iter()
            .map(|taps| one_liner(&taps.iter().map(|&tap| case.x[tap]).collect::<Vec<_>>()))
            .collect();
        on_every_adapter(|context| {
            for (ours, theirs) in run(context, &case).y.iter().zip(&theirs) {
                assert!(ours.is_finite());
                let close = (ours - theirs).abs() < 1e-6;
                assert!(if fits { close } else { !close }, "{ours} beside {theirs} around {mean}");
            }
        });
    }
}

/// Issues 27, 35, 38, 52: a kernel and a host of different sizes wrote beyond the output. Here guards lie around it.
#[test]
fn output_size_of_k3_s2_and_odd_sizes_writes_in_bounds() {
    let config = |kernel: [usize; 2]| windows(kernel, [2]);
    // floor((in - kernel) / 2) + 1, and not floor(in / 2).
    for (input, output) in [(7, 3), (8, 3), (9, 4), (10, 4), (11, 5)] {
        let config = config([3, 3]).build().expect("valid");
        assert_eq!(config.output_size(&[input, input]).expect("a window fits"), [output, output]);
    }
    let cases = [
        Case::normal("k3 s2, even", config([3, 3]), [2, 3, 8, 10]),
        Case::normal("k3 s2, odd", config([3, 3]), [1, 3, 9, 11]),
        Case::normal("k2 s2, odd", config([2, 2]), [2, 3, 7, 9]),
        Case::normal("k2 s2 p1, odd", config([2, 2]).padding([1]), [1, 2, 7, 9]),
        Case::normal("k8 s8 p4, rows of whole vectors", windows([8], [8]).padding([4]), [1, 3, 88]),
    ];
    for case in &cases {
        let expected = Expected::of(case);
        on_every_adapter(|context| {
            let what = format!("{} on {}", case.name, context.name());
            expected.check(&what, &run_in_one_buffer(context, &pool(context, &case.config), case));
        });
    }
}

/// An offset `(d * height + h) * width + w` that lacks a factor shows where the axes differ.
#[test]
fn three_d_offsets_have_the_row_length() {
    check(&Case::normal("3D disjoint", windows([2, 2, 2], [2]), [2, 2, 4, 6, 10]));
    check(&Case::normal("3D overlapping", windows([2, 3, 2], [1, 2, 2]), [1, 2, 3, 7, 9]));
    // By hand: all elements differ by whole digits, and the window at (1, 1, 1) of 2x2x2 is that of d, h, w from 2 to 3.
    let case = Case::with_values("3D indices", windows([2, 2, 2], [2]).beta(64.0), [1, 1, 4, 4, 6], |_, i| i as f32);
    on_every_adapter(|context| {
        let last = |d: usize, h: usize, w: usize| (((2 * d + 1) * 4 + 2 * h + 1) * 6 + 2 * w + 1) as f32;
        // Such a beta makes it the largest element, the last of each window.
        let y = run(context, &case).y;
        assert_eq!(y.len(), 2 * 2 * 3);
        for (index, y) in y.into_iter().enumerate() {
            assert_eq!(y, last(index / 6, index / 3 % 2, index % 3), "window {index}");
        }
    });
}

/// Where the gradient of one output alone goes: to its own window's elements, and to no other.
#[test]
fn forward_and_backward_use_the_same_windows() {
    let cases = [
        Case::normal("3D", windows([2, 3, 2], [2, 2, 1]).padding([1, 1, 0]), [1, 1, 4, 5, 6]),
        Case::normal("gaps", windows([2, 2], [3]), [1, 1, 8, 11]),
        Case::normal("k3 s2 p1", windows([3, 3], [2]).padding([1]), [1, 1, 7, 9]),
    ];
    for case in &cases {
        let taps_by_window = case.windows();
        on_every_adapter(|context| {
            // The forward's window: the elements that change its output. Each window's in turn would be many runs; the
            // first, the last and one between have every border.
            for output in [0, taps_by_window.len() / 2, taps_by_window.len() - 1] {
                let mut grad_output = vec![0.0; taps_by_window.len()];
                grad_output[output] = 1.0;
                let got = run(context, &Case { grad_output, ..case.clone() });
                for gradient in [&got.grad_input, &got.grad_input_from_statistics] {
                    let touched: Vec<usize> = (0..gradient.len()).filter(|&index| gradient[index] != 0.0).collect();
                    let mut taps = taps_by_window[output].clone();
                    taps.sort_unstable();
                    assert_eq!(touched, taps, "output {output} of {} on {}", case.name, context.name());
                }
                let moved: Vec<f32> =
                    (0..case.x.len()).map(|i| if taps_by_window[output].contains(&i) { 9.0 } else { -9.0 }).collect();
                let y = run(context, &case.with_x("moved", moved)).y[output];
                assert_eq!(y, 9.0, "the forward reads beyond window {output} of {}", case.name);
            }
        });
    }
}

/// The extension's gradient takes the weights as constants. This one is held against differences of the forward.
#[test]
fn gradient_is_the_derivative() {
    const STEP: f32 = 1.0 / 1024.0;
    // Values and steps that f32 adds exactly, so that the difference is of the values meant.
    let values = |random: &mut common::Random, _| (random.normal() * 256.0).round() / 256.0;
    for (name, builder) in [
        ("disjoint", windows([2, 2], [2])),
        ("overlapping", windows([3, 3], [2]).padding([1]).beta(1.5)),
        ("soft minimum", windows([3, 3], [1]).padding([1]).beta(-2.0)),
    ] {
        let case = Case::with_values(name, builder, [1, 2, 6, 7], values);
        let loss = |x: &[f32]| -> f64 {
            let y = Reference::new(&case.config).forward(&case.shape, x).expect("a valid case").y;
            y.iter().zip(&case.grad_output).map(|(y, &g)| y * f64::from(g)).sum()
        };
        let slopes: Vec<f64> = (0..case.x.len())
            .map(|index| {
                let at = |step: f32| {
                    let mut x = case.x.clone();
                    x[index] += step;
                    loss(&x)
                };
                // Of fourth order: off by about STEP^4.
                let near = at(STEP) - at(-STEP);
                let far = at(2.0 * STEP) - at(-2.0 * STEP);
                (8.0 * near - far) / (12.0 * f64::from(STEP))
            })
            .collect();
        let detached = case.detached();
        on_every_adapter(|context| {
            let got = run(context, &case);
            for gradient in [&got.grad_input, &got.grad_input_from_statistics] {
                for (index, (&got, &want)) in gradient.iter().zip(&slopes).enumerate() {
                    let off = (f64::from(got) - want).abs();
                    assert!(off < 1e-5, "{name}: element {index} is {got} for {want} on {}", context.name());
                }
            }
            // The rule of the extension is another function, and kept under its own name.
            assert_eq!(detached.config.gradient_rule(), GradientRule::Detached);
            let others = run(context, &detached).grad_input;
            let apart =
                others.iter().zip(&slopes).map(|(&got, want)| (f64::from(got) - want).abs()).fold(0.0, f64::max);
            assert!(apart > 0.1, "{name}: the detached rule is off by only {apart}");
        });
        check_both_rules(&case);
    }
}

/// Atomics made the extension's gradients differ from run to run.
#[test]
fn backward_is_deterministic() {
    let cases = [
        Case::normal("k3 s1 p1", windows([3, 3], [1]).padding([1]), [2, 3, 17, 19]),
        Case::normal("large", windows([9, 40], [3, 5]), [1, 2, 21, 60]),
    ];
    on_every_adapter(|context| {
        for case in &cases {
            let first = run(context, case);
            for _ in 0..5 {
                run(context, case).assert_same_bits(&case.name, &first);
            }
        }
    });
}

/// Padding is no zero that weighs: around values of -50 a zero would take all.
#[test]
fn padding_takes_no_part() {
    for (name, builder) in [
        ("k3 s2 p1", windows([3, 3], [2]).padding([1])),
        ("k3 s1 p1", windows([3, 3], [1]).padding([1])),
        ("k2 s2 p1", windows([2, 2], [2]).padding([1])),
        ("average", windows([3, 3], [2]).padding([1]).beta(0.0)),
        ("large", windows([40, 40], [40]).padding([20])),
    ] {
        let constant = Case::with_values(name, builder.clone(), [1, 1, 9, 12], |_, _| -50.0);
        on_every_adapter(|context| {
            let y = run(context, &constant).y;
            assert!(y.iter().all(|&y| y == -50.0), "{name} on {}: {y:?}", context.name());
        });
        check(&Case::with_values(name, builder, [1, 2, 9, 12], |random, _| random.normal() - 50.0));
    }
}

/// A last, incomplete window, unless it would start in the right padding.
#[test]
fn ceil_mode() {
    let size = |builder: softpool::SoftPoolConfigBuilder, input: usize| {
        builder.ceil_mode(true).build().expect("valid").output_size(&[input]).expect("a window fits")[0]
    };
    assert_eq!(size(windows([2], [2]), 5), 3);
    assert_eq!(size(windows([2], [2]), 4), 2);
    assert_eq!(size(windows([3], [2]), 6), 3);
    assert_eq!(size(windows([2], [2]).padding([1]), 5), 3, "a fourth would start in the padding");
    assert_eq!(size(windows([1], [3]), 5), 2, "a third would start beyond the input");
    check(&Case::normal("k2 s2 ceil", windows([2, 2], [2]).ceil_mode(true), [1, 2, 7, 9]));
    check(&Case::normal("k3 s2 p1 ceil", windows([3, 3], [2]).padding([1]).ceil_mode(true), [1, 2, 8, 10]));
}

#[test]
fn dilation() {
    let sizes = SoftPoolConfig::builder([3, 3]).stride([1]).dilation([2, 3]).build().expect("valid");
    assert_eq!(sizes.output_size(&[9, 12]).expect("a window fits"), [5, 6]);
    check(&Case::normal("k3 s2 p1 d2", windows([3, 3], [2]).padding([1]).dilation([2]), [1, 2, 9, 11]));
    check(&Case::normal("k2 s6 d3x4", windows([2, 2], [6]).dilation([3, 4]), [1, 2, 13, 18]));
}

/// One window over a whole plane, small or large.
#[test]
fn global_pooling() {
    for (height, width) in [(5, 7), (31, 45)] {
        let case = Case::normal("global", SoftPoolConfig::builder([height, width]), [2, 3, height, width]);
        assert_eq!(case.pooled(), Shape::new([2, 3, 1, 1]).expect("valid"));
        check(&case);
    }
}

/// wonnx starts a maximum at -3.4e37 and tfjs at -1e20, so that windows of smaller values come out as that.
#[test]
fn maximum_starts_at_the_first_element() {
    for (name, builder, dims) in [
        ("disjoint", windows([2, 2], [2]), [1, 2, 6, 9]),
        ("overlapping", windows([3, 3], [2]).padding([1]), [1, 2, 7, 8]),
        ("large", windows([9, 10], [4]).padding([4]), [1, 1, 19, 21]),
    ] {
        for value in [-3e38, -1e30, f32::MIN] {
            let constant = Case::with_values(name, builder.clone(), dims, |_, _| value);
            on_every_adapter(|context| {
                let got = run(context, &constant);
                let what = format!("{name}, {value:e} on {}", context.name());
                assert!(got.y.iter().all(|&y| y == value), "{what}: {:?}", got.y);
                // Equal elements share a window's gradient evenly: of all, as much arrives as was sent.
                let sent: f64 = constant.grad_output.iter().map(|&g| f64::from(g)).sum();
                let arrived: f64 = got.grad_input.iter().map(|&g| f64::from(g)).sum();
                assert!((sent - arrived).abs() < 1e-4, "{what}: {arrived} of {sent}");
            });
        }
        let values = |random: &mut common::Random, _| -3e38 + 3e37 * random.uniform();
        let case = Case::with_values(name, builder.clone(), dims, values);
        let expected = Expected::of(&case);
        on_every_adapter(|context| {
            expected.y.check(&format!("{name} near -3e38 on {}", context.name()), &run(context, &case).y);
        });
    }
}
