//! Poolings on buffers that a host owns and divides, with guards around each range.

use std::ops::Range;

use softpool::{BackwardTensors, ForwardTensors, GpuContext, GpuSoftPool, Shape, StatisticsView, TensorView, wgpu};

use super::{Case, POISON, Results};

/// The f32 that a buffer of the host holds.
pub fn read_buffer(context: &GpuContext, buffer: &wgpu::Buffer) -> Vec<f32> {
    let elements = buffer.size() as usize / size_of::<f32>();
    let copy = context.upload(Shape::new([1, 1, elements]).expect("small"), &vec![0.0; elements]).expect("small");
    let mut encoder = context.device.create_command_encoder(&Default::default());
    encoder.copy_buffer_to_buffer(buffer, 0, copy.buffer(), 0, buffer.size());
    context.queue.submit([encoder.finish()]);
    copy.read_blocking().expect("a device that works")
}

/// [`run_with`] on ranges of one buffer, each at a multiple of the least alignment that the device allows.
///
/// # Panics
/// If an element between the ranges changes: there are poisoned ones before, between and after them.
pub fn run_in_one_buffer(context: &GpuContext, pool: &GpuSoftPool, case: &Case) -> Results {
    let pooled = case.pooled();
    let alignment = context.device.limits().min_storage_buffer_offset_alignment as usize / size_of::<f32>();
    let (inputs, windows) = (case.shape.elements(), pooled.elements());
    let mut elements = 0usize;
    // The next range starts at the first multiple of the alignment that leaves a guard of at least four words.
    let mut range = |count: usize| {
        let start = (elements + 4).next_multiple_of(alignment);
        elements = start + count;
        start..elements
    };
    // Tensors that a kernel reads lie between those that it writes.
    let [y, x, lse, statistics] = [range(windows), range(inputs), range(windows), range(3 * windows)];
    let [grad_input, grad_output, from_statistics] = [range(inputs), range(windows), range(inputs)];
    let shape = Shape::new([1, 1, elements + 64]).expect("a small tensor");
    let mut data = vec![POISON; shape.elements()];
    data[x.clone()].copy_from_slice(&case.x);
    data[grad_output.clone()].copy_from_slice(&case.grad_output);
    let tensor = context.upload(shape, &data).expect("a small tensor");
    let at = |range: &Range<usize>| (range.start * size_of::<f32>()) as u64;
    let view = |shape, range| TensorView::new(tensor.buffer(), shape).at_byte_offset(at(range));
    let saved = StatisticsView { memory: tensor.buffer().into(), byte_offset: at(&statistics) };

    let mut encoder = context.device.create_command_encoder(&Default::default());
    let forward = ForwardTensors {
        lse: Some(view(pooled, &lse)),
        statistics: Some(saved),
        ..ForwardTensors::new(view(case.shape, &x), view(pooled, &y))
    };
    pool.encode(&mut encoder, forward).expect("disjoint ranges");
    let backward = |grad_input| {
        BackwardTensors::new(view(case.shape, &x), view(pooled, &grad_output), view(case.shape, grad_input))
    };
    pool.encode(&mut encoder, backward(&grad_input)).expect("disjoint ranges");
    let from_saved = BackwardTensors { statistics: Some(saved), ..backward(&from_statistics) };
    pool.encode(&mut encoder, from_saved).expect("disjoint ranges");
    context.queue.submit([encoder.finish()]);

    let got = tensor.read_blocking().expect("a device that works");
    let what = format!("{} on {}", case.name, context.name());
    let written = [&y, &lse, &statistics, &grad_input, &from_statistics];
    for (index, (got, before)) in got.iter().zip(&data).enumerate() {
        if written.iter().any(|range| range.contains(&index)) {
            assert_ne!(*got, POISON, "{what}: element {index} of the buffer was not written");
        } else {
            assert_eq!(got.to_bits(), before.to_bits(), "{what}: element {index} outside the outputs was written");
        }
    }
    Results {
        y: got[y].to_vec(),
        lse: got[lse].to_vec(),
        grad_input: got[grad_input].to_vec(),
        grad_input_from_statistics: got[from_statistics].to_vec(),
        natives: pool.tuning().natives,
    }
}
