//! Evidence that how tensors are stored changes no bit: half types, strides, offsets, gaps, broadcasts and missing batches give
//! the results of contiguous f32 tensors, rounded once; and that nothing else in the buffer is touched. One case is left out: a
//! global pooling whose rows don't follow each other in memory adds up in another order, and was seen to differ by an ulp.

use crate::common::stored::{Order, check_stored, check_stored_from};
use crate::common::{Case, Random, assert_same_bits, check, on_every_adapter, one_of_each_kernel, pool, run, windows};
use crate::failed_seeds;
use proptest::prelude::*;
use softpool::ElementType::{Bf16, F16, F32};
use softpool::{
    BackwardTensors, ElementType, ForwardTensors, Memory, Recipes, Shape, SoftPoolConfig, TensorView, Tuning, wgpu,
};

/// Kernels of each kind, and rows that are multiples of four, whose halves are read and written as whole words.
fn cases() -> Vec<Case> {
    let mut cases = one_of_each_kernel().to_vec();
    cases.extend([
        Case::normal("k2 s2 in vectors", windows([2, 2], [2]), [2, 3, 6, 16]),
        Case::normal("k3 s1 p1 in vectors", windows([3, 3], [1]).padding([1]), [1, 2, 7, 16]),
        Case::normal("3D k2 s2", windows([2, 2, 2], [2]), [2, 2, 4, 5, 6]),
        Case::normal("global", SoftPoolConfig::global(2), [2, 5, 9, 8]),
        Case::normal("tiles", windows([9, 9], [9]), [4, 8, 18, 18]),
        Case::normal("adaptive", SoftPoolConfig::adaptive([3, 4]), [2, 3, 7, 9]),
        Case::normal("1D k3 s2 p1, no batch", windows([3], [2]).padding([1]), [3, 17]),
        Case::normal("2D k2 s1, no batch", windows([2, 2], [1]), [3, 5, 8]),
    ]);
    cases
}

fn check_all(element_type: ElementType, order: Order) {
    let mut cases = cases();
    // A global pooling adds up along the whole plane where its rows follow each other, else row by row.
    cases.retain(|case| order != Order::Any || case.name != "global");
    on_every_adapter(|context| {
        for (seed, case) in cases.iter().enumerate() {
            check_stored(context, case, element_type, order, seed as u64 + 1);
        }
    });
}

#[test]
fn f16_contiguous() {
    check_all(F16, Order::Contiguous);
}

#[test]
fn bf16_contiguous() {
    check_all(Bf16, Order::Contiguous);
}

#[test]
fn channels_last() {
    check_all(F32, Order::ChannelsLast);
    check_all(F16, Order::ChannelsLast);
}

/// Where each word has halves of two channels, one invocation computes both: also where one of them goes by the definition,
/// as values far apart do.
#[test]
fn channels_in_pairs() {
    let builder = || windows([3, 3], [2]).padding([1]);
    let cases = [
        Case::normal("k3 s2 p1 in pairs", builder(), [2, 4, 9, 22]),
        Case::with_values("far apart, in pairs", builder(), [2, 4, 9, 22], |random, i| {
            random.normal() + if i % 7 == 0 && i / 198 % 2 == 1 { 100.0 } else { 0.0 }
        }),
    ];
    let limits = wgpu::Limits::default();
    for case in &cases {
        let view = |name, shape: Shape| {
            let [_, channels, height, width] = shape.dims() else { panic!("four axes") };
            let memory = Memory::Named { name, bytes: 1 << 20 };
            let strides = [channels * height * width, 1, channels * width, *channels];
            TensorView::new(memory, shape).of_type(F16).with_strides(strides).unwrap()
        };
        let (x, y) = (view(0, case.shape), view(1, case.pooled()));
        let recipes = Recipes::new(&case.config, &limits, Tuning::CPU);
        for recipe in [
            recipes.of(ForwardTensors::new(x, y)).unwrap(),
            recipes.of(BackwardTensors::new(x, y, view(2, case.shape))).unwrap(),
        ] {
            assert!(recipe.dispatches()[0].kernel.wgsl().contains("const CHANNELS = 2u;"), "{}", case.name);
        }
    }
    on_every_adapter(|context| {
        check_stored_from(context, &cases[0], F16, Order::ChannelsLast, 1, 8);
        check_stored_from(context, &cases[0], Bf16, Order::ChannelsLast, 2, 8);
        check_stored_from(context, &cases[1], F16, Order::ChannelsLast, 3, 8);
    });
}

#[test]
fn any_order_with_gaps() {
    check_all(F32, Order::Any);
    check_all(Bf16, Order::Any);
}

/// Every f16 and, in steps, every bf16 goes through a window of one element unchanged; and f32 values between and on them
/// are rounded to the nearest, ties to even, as the `half` crate does.
#[test]
fn halves_are_read_exactly_and_rounded_to_nearest_even() {
    let all: Vec<u16> = (0..=u16::MAX).collect();
    on_every_adapter(|context| {
        for element_type in [F16, Bf16] {
            let bytes: Vec<u8> = all.iter().flat_map(|bits| bits.to_le_bytes()).collect();
            let values = element_type.decode(&bytes, all.len());
            let shape = Shape::new([1, 1, values.len()]).unwrap();
            let pool = pool(context, &windows([1], [1]).build().unwrap());
            let context = || (&context.device, &context.queue);
            let x = softpool::GpuTensor::from_slice_as(context().0, context().1, shape, element_type, &values).unwrap();
            let exact = pool.forward(&x).unwrap().read_blocking().unwrap();
            // Magnitudes below 2^-125 may be flushed: bf16 has some.
            for (got, want) in exact.iter().zip(&values) {
                let flushed = want.abs() < 2f32.powi(-125) && *got == 0.0;
                assert!(got == want || got.is_nan() && want.is_nan() || flushed, "{want:e} becomes {got:e}");
            }

            // Each value, a bit beside the middle to the next, and the middle itself.
            let finite: Vec<f32> = values.iter().copied().filter(|value| value.abs() > 2f32.powi(-120)).collect();
            let between: Vec<f32> = finite
                .iter()
                .flat_map(|&value| {
                    let step = if element_type == F16 { 1u32 << 12 } else { 1 << 15 };
                    [0, 1, step - 1, step, step + 1, 2 * step - 1]
                        .map(|bits| f32::from_bits(value.to_bits().wrapping_add(bits)))
                })
                .filter(|value| value.is_finite())
                .collect();
            let shape = Shape::new([1, 1, between.len()]).unwrap();
            let x = softpool::GpuTensor::from_slice(context().0, context().1, shape, &between).unwrap();
            let zeros = vec![0.0; between.len()];
            let y = softpool::GpuTensor::from_slice_as(context().0, context().1, shape, element_type, &zeros).unwrap();
            let mut encoder = context().0.create_command_encoder(&Default::default());
            pool.encode(&mut encoder, ForwardTensors::new(&x, &y)).unwrap();
            context().1.submit([encoder.finish()]);
            let want: Vec<f32> = between.iter().map(|&value| element_type.round(value)).collect();
            assert_same_bits(element_type.name(), &y.read_blocking().unwrap(), &want);
        }
    });
}

/// Mixed types in one call, and outputs that take turns in one row: every second element is the other's.
#[test]
fn outputs_may_interleave() {
    let case = Case::normal("interleaved", windows([3], [2]).padding([1]), [2, 2, 21]);
    on_every_adapter(|context| {
        let pool = pool(context, &case.config);
        let want = run(context, &case);
        let pooled = case.pooled();
        let x = context.upload(case.shape, &case.x).unwrap();
        let both =
            context.upload(Shape::new([2 * pooled.elements()]).unwrap(), &vec![0.0; 2 * pooled.elements()]).unwrap();
        let every_second = |index: u64| {
            let [c, w] = [pooled.channels(), pooled.spatial()[0]];
            let view = TensorView::new(both.buffer(), pooled).at_byte_offset(4 * index);
            view.with_strides([2 * c * w, 2 * w, 2]).unwrap()
        };
        let mut encoder = context.device.create_command_encoder(&Default::default());
        let tensors = ForwardTensors { lse: Some(every_second(1)), ..ForwardTensors::new(&x, every_second(0)) };
        pool.encode(&mut encoder, tensors).unwrap();
        context.queue.submit([encoder.finish()]);
        let both = both.read_blocking().unwrap();
        let part = |index: usize| both.iter().skip(index).step_by(2).copied().collect::<Vec<_>>();
        assert_same_bits("y", &part(0), &want.y);
        assert_same_bits("lse", &part(1), &want.lse);
    });
}

/// `sum().backward()` gives a gradient of stride 0, one element for all; a bias's has one for each channel.
#[test]
fn a_broadcast_gradient() {
    for mut case in one_of_each_kernel() {
        let pooled = case.pooled();
        let plane: usize = pooled.spatial().iter().product();
        let of_channel = |index: usize| [0.75, -1.25, 2.0][index / plane % pooled.channels()];
        case.grad_output = (0..pooled.elements()).map(of_channel).collect();
        on_every_adapter(|context| {
            let pool = pool(context, &case.config);
            let x = context.upload(case.shape, &case.x).unwrap();
            let values = context.upload(Shape::new([3]).unwrap(), &[0.75, -1.25, 2.0]).unwrap();
            let g = TensorView::new(values.buffer(), pooled).with_strides([0, 1, 0, 0]).unwrap();
            let got = pool.backward(&x, g).unwrap().read_blocking().unwrap();
            assert_same_bits(&case.name, &got, &run(context, &case).grad_input);
        });
    }
}

/// The middle of a larger tensor: a slice along every axis, pooled in place into a slice of another.
#[test]
fn slices_of_larger_tensors() {
    let case = Case::normal("slice", windows([3, 3], [2]).padding([1]), [2, 3, 9, 11]);
    let (large, at) = ([4usize, 5, 13, 17], [1usize, 2, 3, 5]);
    let strides = [5 * 13 * 17, 13 * 17, 17, 1usize];
    let offset: usize = at.iter().zip(strides).map(|(at, stride)| at * stride).sum();
    on_every_adapter(|context| {
        let pool = pool(context, &case.config);
        let mut random = Random::new(5);
        let mut data: Vec<f32> = (0..large.iter().product()).map(|_| random.normal()).collect();
        let view = |buffer, shape| {
            TensorView::new(buffer, shape).at_byte_offset(4 * offset as u64).with_strides(strides).unwrap()
        };
        for (index, value) in case.x.iter().enumerate() {
            let [n, c, h, w] = [index / 297, index / 99 % 3, index / 11 % 9, index % 11];
            data[offset + n * strides[0] + c * strides[1] + h * strides[2] + w] = *value;
        }
        let shape = Shape::new(large).unwrap();
        let (x, grad_input) = (context.upload(shape, &data).unwrap(), context.upload(shape, &data).unwrap());
        let g = context.upload(case.pooled(), &case.grad_output).unwrap();
        let (x, into) = (view(x.buffer(), case.shape), view(grad_input.buffer(), case.shape));
        let want = run(context, &case);
        assert_same_bits("y", &pool.forward(x).unwrap().read_blocking().unwrap(), &want.y);
        let mut encoder = context.device.create_command_encoder(&Default::default());
        pool.encode(&mut encoder, BackwardTensors::new(x, &g, into)).unwrap();
        context.queue.submit([encoder.finish()]);
        let got = grad_input.read_blocking().unwrap();
        for (index, (got, before)) in got.iter().zip(&data).enumerate() {
            let [n, c, h, w] = [index / strides[0], index / strides[1] % 5, index / 17 % 13, index % 17];
            let inside = (1..3).contains(&n) && (2..5).contains(&c) && (3..12).contains(&h) && (5..16).contains(&w);
            let place = || ((n - 1) * 3 + c - 2) * 99 + (h - 3) * 11 + w - 5;
            let want = if inside { want.grad_input[place()] } else { *before };
            assert_eq!(got.to_bits(), want.to_bits(), "element {index}, inside the slice: {inside}");
        }
    });
}

/// (C, L), (C, H, W) and (C, D, H, W) are one sample each.
#[test]
fn without_a_batch() {
    for (builder, dims) in [
        (windows([3], [2]).padding([1]), &[3, 17][..]),
        (windows([3, 3], [1]).padding([1]), &[3, 9, 11]),
        (windows([2, 2, 2], [2]), &[2, 5, 7, 8]),
        (SoftPoolConfig::adaptive([3, 5]), &[4, 7, 9]),
    ] {
        let case = Case::normal("no batch", builder, dims);
        assert_eq!(case.pooled().dims().len(), dims.len());
        check(&case);
    }
}

/// Results in the type of the input, and lse in f32.
#[test]
fn calls_keep_the_type() {
    let case = Case::normal("typed", windows([2, 2], [2]), [1, 2, 5, 7]);
    on_every_adapter(|context| {
        let pool = pool(context, &case.config);
        let (device, queue) = (&context.device, &context.queue);
        let upload = |shape, data: &[f32]| softpool::GpuTensor::from_slice_as(device, queue, shape, F16, data).unwrap();
        let (x, g) = (upload(case.shape, &case.x), upload(case.pooled(), &case.grad_output));
        let forward = pool.forward_with(&x, softpool::Outputs { lse: true, statistics: true }).unwrap();
        assert_eq!((forward.y.element_type(), forward.lse.unwrap().element_type()), (F16, F32));
        let from = pool.backward_from(&x, &g, &forward.statistics.unwrap()).unwrap();
        assert_eq!(from.element_type(), F16);
        assert_eq!(pool.jvp(&x, &x).unwrap().element_type(), F16);
        assert_eq!(pool.grad_beta(&x, &g).unwrap().element_type(), F32);
    });
}

fn config() -> ProptestConfig {
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { ProptestConfig::default().cases } else { 16 };
    let rng_seed = proptest::test_runner::RngSeed::Fixed(210_100_440);
    ProptestConfig {
        cases,
        rng_seed,
        max_shrink_iters: 50,
        failure_persistence: failed_seeds::failed_seeds("tests/seeds/storage.txt"),
        ..ProptestConfig::default()
    }
}

/// Kernel, stride, padding, dilation and surplus positions of an axis; without a kernel, an adaptive output size.
type Axis = (usize, usize, usize, usize, usize);

fn axes() -> impl Strategy<Value = Vec<Axis>> {
    let axis = (1..=4usize, 1..=4usize, 0..=2usize, 1..=2usize, 0..=9usize);
    prop::collection::vec(axis, 1..=3)
}

proptest! {
    #![proptest_config(config())]

    /// Random windows, sizes, types and memory, all together.
    #[test]
    fn random_windows_in_random_storage(
        axes in axes(),
        leading in prop::sample::select(vec![vec![3], vec![2, 3], vec![1, 4]]),
        adaptive in prop::bool::weighted(0.25),
        beta in prop::sample::select(vec![1.0f32, -0.5, 2.0]),
        element_type in prop::sample::select(vec![F32, F16, Bf16]),
        order in prop::sample::select(vec![Order::Contiguous, Order::ChannelsLast, Order::Any]),
        seed in any::<u64>(),
    ) {
        let part = |part: fn(&Axis) -> usize| axes.iter().map(part).collect::<Vec<_>>();
        let builder = if adaptive {
            SoftPoolConfig::adaptive(part(|axis| axis.0))
        } else {
            SoftPoolConfig::builder(part(|axis| axis.0))
                .stride(part(|axis| axis.1))
                .padding(part(|axis| axis.2.min(axis.0 / 2)))
                .dilation(part(|axis| axis.3))
        };
        let spatial = axes.iter().map(|&(kernel, _, _, dilation, surplus)| (kernel - 1) * dilation + 1 + surplus);
        let dims: Vec<usize> = leading.iter().copied().chain(spatial).collect();
        let case = Case::normal(&format!("case {seed}"), builder.beta(beta), dims);
        on_every_adapter(|context| check_stored(context, &case, element_type, order, seed));
    }
}
