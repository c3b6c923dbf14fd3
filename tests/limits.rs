//! Evidence that no tensor is too large: where a device binds or dispatches less than a pooling needs, the pooling is split, and
//! not one bit changes.

use crate::common;
use crate::common::stored::{Order, Stored, TENSORS, rounded, run_plainly, run_stored};
use crate::common::{Case, Random, SMALL_BINDING_BYTES, assert_same_bits, on_every_adapter, pool, small, windows};
use softpool::{
    BackwardTensors, ElementType, Error, ForwardTensors, GpuContext, GpuSoftPool, GpuTensor, Shape, SoftPoolConfig,
    TensorView, Tuning, wgpu,
};

/// A pooling on a device with small limits, and one on another, in blocks of rows that only larger tensors have else; of few
/// columns, since their text compiles sooner.
fn in_large_blocks(small: &GpuContext, context: &GpuContext, case: &Case) -> [GpuSoftPool; 2] {
    let own = Tuning::of(&context.device);
    let tuning = Tuning { columns: 4, least_invocations: own.least_invocations / 8, ..own };
    let cut = GpuSoftPool::new(&small.device, &small.queue, case.config.clone());
    [cut, pool(context, &case.config)].map(|pool| pool.with_tuning(tuning))
}

/// Planes of more than 128 KiB, which are split with the halo of their windows: along rows, along the width where there is one
/// row, along channels where these are innermost; every kernel, each derivative.
#[test]
fn planes_above_the_limit_are_split() {
    let cases = [
        Case::normal("disjoint", windows([2, 2], [2]), [1, 2, 250, 177]),
        Case::normal("disjoint, vectors", windows([2, 2], [2]), [1, 1, 251, 180]),
        Case::normal("disjoint with gaps and padding", windows([3, 3], [5]).padding([1]), [1, 1, 251, 179]),
        Case::normal("overlapping", windows([3, 3], [2]).padding([1]), [1, 1, 251, 176]),
        Case::normal("dense", windows([3, 3], [1]).padding([1]), [1, 1, 213, 181]),
        Case::normal("wide", windows([9, 9], [1]).padding([4]), [1, 1, 191, 193]),
        Case::normal("large", windows([3, 41], [2, 7]).padding([1, 20]), [1, 1, 219, 213]),
        Case::normal("tiles", windows([20, 25], [20, 25]), [1, 1, 260, 175]),
        Case::normal("dilated", windows([3, 3], [1]).padding([1]).dilation([3]), [1, 1, 217, 212]),
        Case::normal("1D", windows([3], [2]).padding([1]), [1, 1, 50_001]),
        Case::normal("3D", windows([2, 2, 2], [2]), [1, 1, 30, 37, 40]),
        Case::normal("3D dense", windows([3, 3, 3], [1]).padding([1]), [1, 1, 20, 41, 45]),
        Case::normal("adaptive", SoftPoolConfig::adaptive([37, 26]), [1, 1, 251, 177]),
    ];
    on_every_adapter(|context| {
        let small = small(context);
        let scope = small.device.push_error_scope(wgpu::ErrorFilter::Validation);
        for (index, case) in cases.iter().enumerate() {
            let mut random = Random::new(index as u64 + 1);
            let (case, v) = rounded(case, ElementType::F32, &mut random);
            let [cut, whole] = in_large_blocks(&small, context, &case);
            let got = run_plainly(&small, &cut, &case, &v);
            let want = run_plainly(context, &whole, &case, &v);
            for ((name, got), want) in TENSORS[3..].iter().zip(&got).zip(&want) {
                assert_same_bits(&format!("{name} of {} on {}", case.name, context.name()), got, want);
            }
        }
        assert!(pollster::block_on(scope.pop()).is_none(), "no validation errors");
    });
}

/// The same for channels that lie innermost, and for halves, where a split may fall within a word.
#[test]
fn other_storage_is_split_as_well() {
    let cases = [
        (ElementType::F32, Order::ChannelsLast, Case::normal("k2 s2", windows([2, 2], [2]), [1, 12, 71, 53])),
        (ElementType::F32, Order::ChannelsLast, Case::normal("k3 s1", windows([3, 3], [1]), [1, 12, 67, 53])),
        (ElementType::F16, Order::ChannelsLast, Case::normal("k3 s2", windows([3, 3], [2]), [1, 13, 89, 71])),
        (ElementType::Bf16, Order::Contiguous, Case::normal("k3 s1", windows([3, 3], [1]), [1, 1, 285, 249])),
        // One block, of pairs of channels, which splitting must leave together.
        (
            ElementType::F16,
            Order::ChannelsLast,
            Case::normal("k3 s2 p1", windows([3, 3], [2]).padding([1]), [1, 18_754, 2, 2]),
        ),
        (ElementType::F16, Order::Any, Case::normal("k2 s2", windows([2, 2], [2]), [2, 3, 117, 143])),
    ];
    on_every_adapter(|context| {
        let small = small(context);
        for (seed, (element_type, order, case)) in cases.iter().enumerate() {
            let mut random = Random::new(seed as u64 + 1);
            let (case, v) = rounded(case, *element_type, &mut random);
            let (inputs, windows) = (case.shape, case.pooled());
            let shapes = [inputs, windows, inputs, windows, windows, windows, inputs, windows, windows, inputs];
            let stored = shapes.map(|shape| Stored::new(shape, *element_type, *order, &mut random));
            let cut = GpuSoftPool::new(&small.device, &small.queue, case.config.clone());
            // At an odd element; but pairs of channels are whole words.
            let lead = if case.shape.channels() == 18_754 { 8 } else { 6 };
            let got = run_stored(&small, &cut, &case, &v, &stored, lead);
            let want = run_stored(context, &pool(context, &case.config), &case, &v, &stored, lead);
            for ((name, got), want) in TENSORS[3..].iter().zip(&got).zip(&want) {
                let what = format!("{name} of {} in {order:?} on {}", case.name, context.name());
                assert_same_bits(&what, got, want);
            }
        }
    });
}

/// What cannot be split is refused before anything is allocated: one window beyond the limit.
#[test]
fn a_window_above_the_limit_is_refused() {
    on_every_adapter(|context| {
        let small = small(context);
        let pool = GpuSoftPool::new(&small.device, &small.queue, SoftPoolConfig::global(2).build().unwrap());
        let x = small.upload(Shape::new([1, 1, 600, 600]).unwrap(), &vec![0.0; 360_000]).unwrap();
        let error = pool.forward(&x).expect_err("the window has 1.4 MB");
        assert!(matches!(error, Error::DeviceLimit { given: 1_440_000, allowed: SMALL_BINDING_BYTES, .. }), "{error}");
        let g = small.upload(Shape::new([1, 1, 1, 1]).unwrap(), &[1.0]).unwrap();
        assert!(matches!(pool.backward(&x, &g), Err(Error::DeviceLimit { .. })));
    });
}

/// The authors' own 3D test, 20x32x16x128x128, 671 MB in f32: forward and backward in one call each, against each sample by
/// itself. On Vulkan alone: it is the splitting that is tested, and software GL takes as long again for the same dispatches.
#[test]
fn the_authors_3d_test_shape() {
    let config = windows([2, 2, 2], [2]).build().unwrap();
    let sample = Shape::new([1, 32, 16, 128, 128]).unwrap();
    let (whole, pooled) = (Shape::new([20, 32, 16, 128, 128]).unwrap(), Shape::new([20, 32, 8, 64, 64]).unwrap());
    let context = &common::contexts()[0];
    assert!(
        whole.elements() as u64 * 4 > context.device.limits().max_storage_buffer_binding_size
            || context.device.limits().max_storage_buffer_binding_size > 1 << 30,
        "this adapter's limit is not exceeded"
    );
    let pool = pool(context, &config);
    let mut random = Random::new(20);
    let x: Vec<f32> = (0..whole.elements()).map(|_| 8.0 * random.uniform() - 4.0).collect();
    let g: Vec<f32> = (0..pooled.elements()).map(|_| random.uniform() - 0.5).collect();
    let (x, g) = (context.upload(whole, &x).unwrap(), context.upload(pooled, &g).unwrap());
    let (y, grad_input) = (pool.forward(&x).unwrap(), pool.backward(&x, &g).unwrap());
    let tensor = |shape: Shape| {
        let zeros = vec![common::POISON; shape.elements()];
        GpuTensor::from_slice(&context.device, &context.queue, shape, &zeros).unwrap()
    };
    let one_pooled = Shape::new([1, 32, 8, 64, 64]).unwrap();
    let (one_y, one_grad) = (tensor(one_pooled), tensor(sample));
    let (got_y, got_grad) = (y.read_blocking().unwrap(), grad_input.read_blocking().unwrap());
    for n in [0, 3, 7, 11, 19] {
        let view =
            |tensor: &GpuTensor, shape: Shape| (tensor.buffer().clone(), (n * shape.elements() * 4) as u64, shape);
        let ((x, x_offset, _), (g, g_offset, _)) = (view(&x, sample), view(&g, one_pooled));
        let x = TensorView::new(&x, sample).at_byte_offset(x_offset);
        let g = TensorView::new(&g, one_pooled).at_byte_offset(g_offset);
        let mut encoder = context.device.create_command_encoder(&Default::default());
        pool.encode(&mut encoder, ForwardTensors::new(x, &one_y)).unwrap();
        pool.encode(&mut encoder, BackwardTensors::new(x, g, &one_grad)).unwrap();
        context.queue.submit([encoder.finish()]);
        let of_sample = |values: &[f32], shape: Shape| values[n * shape.elements()..][..shape.elements()].to_vec();
        assert_same_bits("y", &of_sample(&got_y, one_pooled), &one_y.read_blocking().unwrap());
        assert_same_bits("grad_input", &of_sample(&got_grad, sample), &one_grad.read_blocking().unwrap());
    }
}
