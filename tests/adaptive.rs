//! Evidence for windows that follow from the output size: PyTorch's rule, every output size of an axis, global pooling, windows
//! as large as feature maps get, and padding that keeps the size.

use crate::common;
use crate::common::{Case, assert_same_bits, check, check_both_rules, on_every_adapter, run, windows};
use softpool::{Shape, SoftPoolConfig};

/// Windows of PyTorch's `adaptive_avg_pool1d`, found by `torch.nn.functional.adaptive_max_pool1d(..., return_indices=True)`.
#[test]
fn windows_are_pytorchs() {
    let windows = |output: usize, input: usize| {
        let config = SoftPoolConfig::adaptive([output]).build().unwrap();
        let case = Case { config, ..Case::normal("rule", SoftPoolConfig::adaptive([output]), [1, 1, input]) };
        case.windows().iter().map(|taps| (taps[0], taps.len())).collect::<Vec<_>>()
    };
    assert_eq!(windows(3, 5), [(0, 2), (1, 3), (3, 2)]);
    assert_eq!(windows(4, 7), [(0, 2), (1, 3), (3, 3), (5, 2)]);
    assert_eq!(windows(7, 10), [(0, 2), (1, 2), (2, 3), (4, 2), (5, 3), (7, 2), (8, 2)]);
    assert_eq!(windows(5, 5), [(0, 1), (1, 1), (2, 1), (3, 1), (4, 1)]);
    assert_eq!(windows(2, 6), [(0, 3), (3, 3)]);
    assert_eq!(windows(7, 4), [(0, 1), (0, 2), (1, 1), (1, 2), (2, 1), (2, 2), (3, 1)]);
    assert_eq!(windows(6, 2), [(0, 1), (0, 1), (0, 1), (1, 1), (1, 1), (1, 1)]);
}

#[test]
fn every_output_size_of_an_axis() {
    for output in 1..=13 {
        check(&Case::normal("13 to each", SoftPoolConfig::adaptive([output]), [2, 2, 13]));
    }
}

#[test]
fn axes_that_divide_and_axes_that_do_not() {
    for (output, dims) in [
        (&[3, 4][..], &[2, 3, 7, 9][..]),
        (&[7, 7], &[1, 2, 14, 17]),
        (&[7, 1], &[1, 2, 16, 9]),
        (&[1, 5], &[1, 2, 16, 9]),
        (&[2, 3, 4], &[1, 2, 5, 6, 7]),
        (&[5, 2, 1], &[1, 2, 5, 5, 5]),
    ] {
        check_both_rules(&Case::normal("adaptive", SoftPoolConfig::adaptive(output), dims));
    }
}

/// More windows than positions, along all axes or some; one input in more windows than an invocation visits.
#[test]
fn outputs_larger_than_the_input() {
    for output in [14, 17, 25, 26, 39, 100] {
        check(&Case::normal("13 to each", SoftPoolConfig::adaptive([output]), [2, 2, 13]));
    }
    for (output, dims) in [
        (&[7, 7][..], &[2, 8, 4, 4][..]),
        (&[9, 3], &[2, 3, 4, 7]),
        (&[2, 11], &[1, 2, 6, 11]),
        (&[5, 1, 9], &[1, 2, 3, 4, 5]),
        (&[8, 6], &[1, 2, 1, 6]),
    ] {
        check_both_rules(&Case::normal("enlarging", SoftPoolConfig::adaptive(output), dims));
    }
    check(&Case::normal("1 to many", SoftPoolConfig::adaptive([100, 100]), [1, 2, 1, 2]));
    check(&Case::normal("long", SoftPoolConfig::adaptive([100_003]), [1, 1, 99_991]));
}

/// A window of a long axis starts at a product beyond 32 bits; each input is in two windows here.
#[test]
fn products_of_long_axes() {
    let (input, output) = ((1 << 20) + 7, (1 << 21) + 1);
    check(&Case::normal("very long", SoftPoolConfig::adaptive([output]), [1, 1, input]));
}

#[test]
fn axes_that_are_kept() {
    for (output, dims) in [
        (&[Some(3), None][..], &[2, 3, 7, 5][..]),
        (&[None, Some(9)], &[2, 3, 4, 7]),
        (&[None, Some(2), Some(7)], &[1, 2, 3, 4, 5]),
        (&[None], &[1, 2, 5]),
    ] {
        let case = Case::normal("kept", SoftPoolConfig::adaptive_keeping(output), dims);
        for (axis, size) in output.iter().enumerate() {
            assert_eq!(case.pooled().spatial()[axis], size.unwrap_or(case.shape.spatial()[axis]));
        }
        check_both_rules(&case);
    }
}

/// A workgroup shares each; one has more taps than an invocation may take iterations.
#[test]
fn large_windows_of_different_sizes() {
    check(&Case::normal("97 to 3", SoftPoolConfig::adaptive([3, 2]), [1, 2, 97, 61]));
    check(&Case::normal("100003 to 2", SoftPoolConfig::adaptive([2]), [1, 1, 100_003]));
    check(&Case::normal("long rows", SoftPoolConfig::adaptive([7919]), [1, 1, 100_003]));
}

/// Where it divides, an adaptive pooling is one of a kernel and a stride, bit for bit.
#[test]
fn even_windows_are_those_of_a_kernel() {
    let adaptive = Case::normal("even", SoftPoolConfig::adaptive([4, 3]), [2, 3, 8, 9]);
    let kernel = Case { config: windows([2, 3], [2, 3]).build().unwrap(), ..adaptive.clone() };
    let global = Case::normal("global", SoftPoolConfig::global(2), [2, 3, 21, 17]);
    let whole = Case { config: windows([21, 17], [21, 17]).build().unwrap(), ..global.clone() };
    on_every_adapter(|context| {
        run(context, &adaptive).assert_same_bits("even", &run(context, &kernel));
        run(context, &global).assert_same_bits("global", &run(context, &whole));
    });
}

#[test]
fn global_pooling_in_each_rank() {
    for dims in [&[2, 3, 101][..], &[2, 3, 17, 23], &[2, 3, 5, 7, 9]] {
        check_both_rules(&Case::normal("global", SoftPoolConfig::global(dims.len() - 2), dims));
    }
}

/// 16 million elements in one window. The reference of the gradient takes the definition's formulas over the whole plane.
#[test]
fn a_window_of_4096_by_4096() {
    let shape = Shape::new([1, 1, 4096, 4096]).unwrap();
    let mut random = common::Random::new(9);
    let x: Vec<f32> = (0..shape.elements()).map(|_| random.normal()).collect();
    let m = x.iter().copied().fold(f32::MIN, f32::max);
    let e = |x: f32| f64::from(x - m).exp();
    let s: f64 = x.iter().map(|&x| e(x)).sum();
    let d: f64 = x.iter().map(|&x| e(x) * f64::from(x - m)).sum::<f64>() / s;
    let config = SoftPoolConfig::global(2).build().unwrap();
    on_every_adapter(|context| {
        let pool = common::pool(context, &config);
        let tensor = context.upload(shape, &x).unwrap();
        let y = pool.forward(&tensor).unwrap().read_blocking().unwrap()[0];
        let off = (f64::from(y) - (f64::from(m) + d)).abs() / f64::from(f32::EPSILON);
        assert!(off < 16.0, "y is {y}, off by {off} ulp of 1");
        let g = context.upload(Shape::new([1, 1, 1, 1]).unwrap(), &[1e6]).unwrap();
        let gradient = pool.backward(&tensor, &g).unwrap().read_blocking().unwrap();
        for (index, (&got, &x)) in gradient.iter().zip(&x).enumerate() {
            let u = f64::from(x - m);
            let scale = 1e6 * e(x) / s;
            // As in tests/common/accuracy.rs: 16 ulp and 2 by unit of depth, of the element's part of the spread.
            let allowed = scale * (1.0 - d) * (16.0 - 2.0 * u) * f64::from(f32::EPSILON);
            let off = (f64::from(got) - scale * (1.0 + u - d)).abs();
            assert!(off <= allowed, "element {index} is {got:e}: off by {off:e}, {allowed:e} allowed");
        }
    });
}

#[test]
fn same_padding_keeps_the_size() {
    for (kernel, dims) in [(&[3][..], &[2, 3, 17][..]), (&[3, 5], &[2, 3, 9, 11]), (&[1, 3, 3], &[1, 2, 4, 5, 6])] {
        let case = Case::normal("same", SoftPoolConfig::builder(kernel).stride([1]).same_padding(), dims);
        assert_eq!(case.pooled(), case.shape);
        check(&case);
        let halves: Vec<usize> = kernel.iter().map(|kernel| kernel / 2).collect();
        let padded = SoftPoolConfig::builder(kernel).stride([1]).padding(halves).build().unwrap();
        on_every_adapter(|context| {
            let padded = Case { config: padded.clone(), ..case.clone() };
            assert_same_bits("y", &run(context, &case).y, &run(context, &padded).y);
        });
    }
}
