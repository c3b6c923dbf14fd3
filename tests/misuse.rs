//! Evidence that every wrong argument is an `Err` that names the value, the rule and the fix, before anything is recorded:
//! never a panic, and never a validation error of wgpu's own.

mod common;

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;

use common::{Case, on_every_adapter, pool, windows};
use proptest::prelude::*;
use softpool::reference::Reference;
use softpool::{
    BackwardTensors, Error, ForwardTensors, GpuContext, GpuSoftPool, GpuTensor, MAX_AXIS_PARAMETER, Outputs, Result,
    Shape, SoftPoolConfig, StatisticsView, TensorView, wgpu,
};

/// The test of each variant; `every_variant_has_a_test` holds the names against the enum.
const TESTS: [(&str, fn()); 27] = [
    ("UnsupportedRank", unsupported_rank),
    ("AxisCount", axis_count),
    ("AxisParameter", axis_parameter),
    ("PaddingTooLarge", padding_too_large),
    ("SamePadding", same_padding),
    ("AdaptiveWindow", adaptive_window),
    ("AdaptiveOutput", adaptive_output),
    ("BetaNotFinite", beta_not_finite),
    ("ShapeAxes", shape_axes),
    ("TooManyElements", too_many_elements),
    ("RankMismatch", rank_mismatch),
    ("AxisTooLong", axis_too_long),
    ("NoWindow", no_window),
    ("ShapeMismatch", shape_mismatch),
    ("DataLength", data_length),
    ("BufferTooSmall", buffer_too_small),
    ("Strides", strides),
    ("SelfOverlap", self_overlap),
    ("BufferUsage", buffer_usage),
    ("OffsetAlignment", offset_alignment),
    ("Overlap", overlap),
    ("DeviceLimit", device_limit),
    ("ForeignCache", foreign_cache),
    ("ForeignStatistics", foreign_statistics),
    ("NoAdapter", no_adapter),
    ("RequestDevice", request_device),
    ("Read", read),
];

/// Names of the variants as the source of the enum has them: at its first level, one at the start of a line.
fn variants() -> BTreeSet<&'static str> {
    let source = include_str!("../src/error.rs");
    let (_, body) = source.split_once("pub enum Error {\n").expect("the enum");
    let (body, _) = body.split_once("\n}").expect("its end");
    let names = body.lines().filter_map(|line| {
        let line =
            line.strip_prefix("    ").filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()))?;
        line.split([' ', '(', ',']).next()
    });
    names.collect()
}

#[test]
fn every_variant_has_a_test() {
    let tested: BTreeSet<&str> = TESTS.iter().map(|(name, _)| *name).collect();
    assert_eq!(tested.len(), TESTS.len(), "a name twice");
    assert_eq!(tested, variants());
}

/// # Panics
/// Unless `result` is the error of that variant, whose message has all `parts`.
#[track_caller]
fn refused<T>(result: Result<T>, variant: &str, parts: &[&str]) {
    let Err(error) = result else { panic!("this should be refused as {variant}") };
    let name = format!("{error:?}");
    let name = name.split([' ', '(']).next().unwrap_or_default();
    let message = error.to_string();
    assert_eq!(name, variant, "{message}");
    for part in parts {
        assert!(message.contains(part), "'{message}' does not say '{part}'");
    }
}

/// Runs `misuse` on every adapter; a validation error of wgpu's fails it.
fn without_validation_errors(misuse: impl Fn(&GpuContext) + Sync) {
    on_every_adapter(|context| {
        let scope = context.device.push_error_scope(wgpu::ErrorFilter::Validation);
        misuse(context);
        let error = pollster::block_on(scope.pop());
        assert!(error.is_none(), "wgpu on {}: {error:?}", context.name());
    });
}

fn shape<const AXES: usize>(dims: [usize; AXES]) -> Shape {
    Shape::new(dims).expect("a valid shape")
}

/// A pooling by k2 s2, an input of 1x2x4x6, and the output and gradients of 1x2x2x3.
struct Call<'a> {
    context: &'a GpuContext,
    pool: GpuSoftPool,
    x: GpuTensor,
    y: GpuTensor,
    grad_input: GpuTensor,
}

impl<'a> Call<'a> {
    fn new(context: &'a GpuContext) -> Self {
        let zeros = |shape: Shape| context.upload(shape, &vec![0.0; shape.elements()]).expect("small");
        let (input, output) = (shape([1, 2, 4, 6]), shape([1, 2, 2, 3]));
        let pool = pool(context, &windows([2, 2], [2]).build().expect("valid"));
        Self { context, pool, x: zeros(input), y: zeros(output), grad_input: zeros(input) }
    }

    fn forward(&self) -> ForwardTensors<'_> {
        ForwardTensors::new(&self.x, &self.y)
    }

    fn backward(&self) -> BackwardTensors<'_> {
        BackwardTensors::new(&self.x, &self.y, &self.grad_input)
    }

    /// By a plan and by an encoder, which must then hold nothing that wgpu objects to.
    #[track_caller]
    fn refuses_forward(&self, tensors: ForwardTensors<'_>, variant: &str, parts: &[&str]) {
        refused(self.pool.plan_forward(tensors), variant, parts);
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        refused(self.pool.encode_forward(&mut encoder, tensors), variant, parts);
        self.context.queue.submit([encoder.finish()]);
    }

    #[track_caller]
    fn refuses_backward(&self, tensors: BackwardTensors<'_>, variant: &str, parts: &[&str]) {
        refused(self.pool.plan_backward(tensors), variant, parts);
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        refused(self.pool.encode_backward(&mut encoder, tensors), variant, parts);
        self.context.queue.submit([encoder.finish()]);
    }

    fn buffer(&self, size: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
        let label = Some("misused");
        self.context.device.create_buffer(&wgpu::BufferDescriptor { label, size, usage, mapped_at_creation: false })
    }

    /// A device of the same adapter with other limits.
    fn device(&self, change: impl FnOnce(&mut wgpu::Limits)) -> (wgpu::Device, wgpu::Queue) {
        let mut required_limits = self.context.adapter.limits();
        change(&mut required_limits);
        let descriptor = wgpu::DeviceDescriptor { label: Some("limited"), required_limits, ..Default::default() };
        pollster::block_on(self.context.adapter.request_device(&descriptor)).expect("less than the adapter has")
    }
}

#[test]
fn unsupported_rank() {
    refused(
        SoftPoolConfig::builder([]).build(),
        "UnsupportedRank",
        &["0 axes", "1 (length)", "(depth, height, width)"],
    );
    refused(SoftPoolConfig::builder([2; 4]).build(), "UnsupportedRank", &["4 axes"]);
}

#[test]
fn axis_count() {
    let builder = || SoftPoolConfig::builder([2, 2, 2]);
    let parts = ["2 values", "kernel of 3 axes", "give 1 value for all axes, or 3"];
    for (name, builder) in [
        ("stride", builder().stride([1, 2])),
        ("padding", builder().padding([0, 1])),
        ("dilation", builder().dilation([1, 1])),
        ("ceil_mode", builder().ceil_mode_by_axis([true, false])),
    ] {
        refused(builder.build(), "AxisCount", &[&[name], &parts[..]].concat());
    }
    refused(builder().stride([]).build(), "AxisCount", &["stride has 0 values"]);
}

#[test]
fn axis_parameter() {
    let builder = || SoftPoolConfig::builder([2, 2]);
    let most = MAX_AXIS_PARAMETER.to_string();
    for (parts, builder) in [
        (["kernel along height is 0", "1 to"], SoftPoolConfig::builder([0, 2])),
        (["kernel along width is 18446744073709551615", "1 to"], SoftPoolConfig::builder([2, usize::MAX])),
        (["stride along height is 0", "1 to"], builder().stride([0])),
        (["padding along width is 16385", "0 to"], builder().padding([0, MAX_AXIS_PARAMETER + 1])),
        (["dilation along width is 0", "1 to"], builder().dilation([1, 0])),
        (["kernel along length is 0", "1 to"], SoftPoolConfig::builder([0])),
        (["kernel along depth is 0", "1 to"], SoftPoolConfig::builder([0, 1, 1])),
    ] {
        refused(builder.build(), "AxisParameter", &[parts[0], parts[1], &most]);
    }
    let largest = SoftPoolConfig::builder([MAX_AXIS_PARAMETER]).padding([MAX_AXIS_PARAMETER / 2]);
    assert!(largest.build().is_ok(), "the limit itself is allowed");
}

#[test]
fn padding_too_large() {
    let builder = SoftPoolConfig::builder([2, 5]).padding([1, 3]);
    let parts = ["padding along width is 3", "a kernel of 5 allows at most 2"];
    refused(builder.build(), "PaddingTooLarge", &parts);
    assert!(SoftPoolConfig::builder([2, 5]).padding([1, 2]).build().is_ok(), "the limit itself is allowed");
}

#[test]
fn beta_not_finite() {
    for (beta, name) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
        let parts = [&format!("beta is {name}:"), "must be finite", "for max pooling use a large beta"];
        refused(SoftPoolConfig::builder([2]).beta(beta).build(), "BetaNotFinite", &parts);
        let config = SoftPoolConfig::builder([2]).build().expect("valid");
        let by_channel = Reference::new(&config).with_betas(&[1.0, beta]);
        refused(by_channel.forward(&shape([1, 2, 2]), &[0.0; 4]), "BetaNotFinite", &parts);
    }
}

#[test]
fn shape_axes() {
    let parts =
        ["6 axes, [1, 1, 1, 1, 1, 1]", "give (N, C, L), (N, C, H, W) or (N, C, D, H, W), or one of these without N"];
    refused(Shape::new([1; 6]), "ShapeAxes", &parts);
    refused(Shape::new([]), "ShapeAxes", &["0 axes, []"]);
}

#[test]
fn too_many_elements() {
    let parts = ["[2, 18446744073709551615, 4]", "more elements than this machine can count", "split the batch"];
    refused(Shape::new([2, usize::MAX, 4]), "TooManyElements", &parts);
    refused(Shape::new([0, usize::MAX, usize::MAX]), "TooManyElements", &["[0, "]);
}

#[test]
fn rank_mismatch() {
    let config = SoftPoolConfig::builder([2, 2]).build().expect("valid");
    let parts = ["1 spatial axes for a pooling of 2", "give a tensor of (N, C), or (C) alone, and 2 spatial axes"];
    refused(config.output_size(&[4]), "RankMismatch", &parts);
    let parts = ["0 spatial axes for a pooling of 2", "give a tensor of (N, C), or (C) alone, and 2 spatial axes"];
    refused(shape([4]).pooled(&config), "RankMismatch", &parts);
    refused(Reference::new(&config).forward(&shape([4]), &[0.0; 4]), "RankMismatch", &parts);
    without_validation_errors(|context| {
        let call = Call::new(context);
        let line = TensorView::new(call.x.buffer(), shape([48]));
        call.refuses_forward(ForwardTensors { input: line, ..call.forward() }, "RankMismatch", &parts);
        call.refuses_backward(BackwardTensors { input: line, ..call.backward() }, "RankMismatch", &parts);
        refused(call.pool.forward(line), "RankMismatch", &parts);
        refused(call.pool.backward(line, &call.y), "RankMismatch", &parts);
    });
}

#[test]
fn same_padding() {
    let parts = ["same padding along width with kernel 2, stride 1", "it needs an odd kernel, stride 1, dilation 1"];
    refused(SoftPoolConfig::builder([3, 2]).stride([1]).same_padding().build(), "SamePadding", &parts);
    let stride = ["along length with kernel 3, stride 2"];
    refused(SoftPoolConfig::builder([3]).stride([2]).same_padding().build(), "SamePadding", &stride);
}

#[test]
fn adaptive_window() {
    let parts = ["an adaptive pooling with a stride", "follow from the input and output sizes, leave it out"];
    refused(SoftPoolConfig::adaptive([3]).stride([2]).build(), "AdaptiveWindow", &parts);
    refused(SoftPoolConfig::global(2).padding([0]).build(), "AdaptiveWindow", &["with a padding"]);
}

#[test]
fn adaptive_output() {
    let parts = ["adaptive output size 0 along height", "it must be 1 to the input's size"];
    refused(SoftPoolConfig::adaptive([0, 3]).build(), "AdaptiveOutput", &parts);
    let config = SoftPoolConfig::adaptive([2, 7]).build().expect("valid");
    let parts = ["adaptive output size 7 along width for 6 positions", "it must be 1 to the input's size"];
    refused(config.output_size(&[4, 6]), "AdaptiveOutput", &parts);
}

#[test]
fn strides() {
    without_validation_errors(|context| {
        let call = Call::new(context);
        let parts = ["strides [6, 1] for shape 1x2x4x6", "give one for each axis"];
        refused(call.x.view().with_strides([6, 1]), "Strides", &parts);
        let beyond = call.x.view().with_strides([1, usize::MAX, 6, 1]);
        refused(beyond, "Strides", &["that stay within a buffer"]);
    });
}

#[test]
fn self_overlap() {
    without_validation_errors(|context| {
        let call = Call::new(context);
        let meeting = call.y.view().with_strides([12, 6, 2, 1]).expect("four strides");
        let parts = ["the output has strides [", "for shape 1x2x2x3", "give each its own place"];
        call.refuses_forward(ForwardTensors { output: meeting, ..call.forward() }, "SelfOverlap", &parts);
        let repeated = call.x.view().with_strides([48, 0, 6, 1]).expect("four strides");
        let parts = ["the gradient of the input has strides", "two of its elements meet"];
        call.refuses_backward(BackwardTensors { grad_input: repeated, ..call.backward() }, "SelfOverlap", &parts);
        let read = ForwardTensors { input: repeated, ..call.forward() };
        assert!(call.pool.plan_forward(read).is_ok(), "what is read may repeat");
    });
}

#[test]
fn axis_too_long() {
    let config = SoftPoolConfig::builder([2, 2]).build().expect("valid");
    let parts = ["width is 2147483648", "at most 2147483647 elements"];
    refused(config.output_size(&[4, 1 << 31]), "AxisTooLong", &parts);
    refused(config.output_size(&[usize::MAX, 4]), "AxisTooLong", &["height is 18446744073709551615"]);
    without_validation_errors(|context| {
        let call = Call::new(context);
        let long = TensorView::new(call.x.buffer(), shape([1, 1, 2, 1 << 31]));
        call.refuses_forward(ForwardTensors { input: long, ..call.forward() }, "AxisTooLong", &parts);
        refused(call.pool.forward(long), "AxisTooLong", &parts);
    });
}

#[test]
fn no_window() {
    let config = SoftPoolConfig::builder([3, 3]).padding([0, 1]).dilation([1, 4]).build().expect("valid");
    let parts = ["width 6 with padding 1 at each side", "spans 9", "pool less, pad, or give a larger input"];
    refused(config.output_size(&[4, 6]), "NoWindow", &parts);
    refused(config.output_size(&[0, 7]), "NoWindow", &["height 0"]);
    without_validation_errors(|context| {
        let call = Call::new(context);
        let flat = TensorView::new(call.x.buffer(), shape([1, 1, 1, 6]));
        let parts = ["height 1 with padding 0", "spans 2"];
        call.refuses_forward(ForwardTensors { input: flat, ..call.forward() }, "NoWindow", &parts);
        refused(call.pool.forward(flat), "NoWindow", &parts);
    });
}

#[test]
fn shape_mismatch() {
    without_validation_errors(|context| {
        let call = Call::new(context);
        let wrong = TensorView::new(call.x.buffer(), shape([1, 2, 2, 4]));
        let message = |role: &str| format!("{role} has shape 1x2x2x4, but must have 1x2x2x3");
        let refuses = |tensors, role| call.refuses_forward(tensors, "ShapeMismatch", &[&message(role)]);
        refuses(ForwardTensors { output: wrong, ..call.forward() }, "the output");
        refuses(ForwardTensors { lse: Some(wrong), ..call.forward() }, "the lse output");
        let tensors = BackwardTensors { grad_output: wrong, ..call.backward() };
        call.refuses_backward(tensors, "ShapeMismatch", &[&message("the gradient of the output")]);
        let tensors = BackwardTensors { grad_input: wrong, ..call.backward() };
        let part = "the gradient of the input has shape 1x2x2x4, but must have 1x2x4x6";
        call.refuses_backward(tensors, "ShapeMismatch", &[part]);
        let part = message("the gradient of the output");
        refused(call.pool.backward(&call.x, wrong), "ShapeMismatch", &[&part]);

        let saved = call.pool.forward_with(&call.x, Outputs { statistics: true, lse: false }).expect("valid");
        let saved = saved.statistics.expect("they were asked for");
        let other = TensorView::new(call.x.buffer(), shape([2, 1, 4, 6]));
        let parts = ["the input of the statistics has shape 1x2x4x6, but must have 2x1x4x6"];
        refused(call.pool.backward_from(other, &call.y, &saved), "ShapeMismatch", &parts);
    });
}

#[test]
fn data_length() {
    let config = SoftPoolConfig::builder([2, 2]).build().expect("valid");
    let x = shape([1, 1, 2, 4]);
    let parts = ["the input has 7 elements", "its shape 1x1x2x4 has 8"];
    let reference = Reference::new(&config);
    refused(reference.forward(&x, &[0.0; 7]), "DataLength", &parts);
    let parts = ["the gradient of the output has 3 elements", "its shape 1x1x1x2 has 2"];
    refused(reference.backward(&x, &[0.0; 8], &[0.0; 3]), "DataLength", &parts);
    refused(reference.grad_beta(&x, &[0.0; 8], &[0.0; 3]), "DataLength", &parts);
    refused(reference.second_backward(&x, &[0.0; 8], &[0.0; 3], &[0.0; 8]), "DataLength", &parts);
    let parts = ["the tangent has 2 elements", "its shape 1x1x2x4 has 8"];
    refused(reference.jvp(&x, &[0.0; 8], &[0.0; 2]), "DataLength", &parts);
    refused(reference.second_backward(&x, &[0.0; 8], &[0.0; 2], &[0.0; 2]), "DataLength", &parts);
    let parts = ["the betas has 2 elements", "its shape 1 has 1"];
    refused(reference.with_betas(&[1.0; 2]).forward(&x, &[0.0; 8]), "DataLength", &parts);
    without_validation_errors(|context| {
        let parts = ["the tensor has 9 elements", "its shape 1x1x2x4 has 8"];
        refused(context.upload(x, &[0.0; 9]), "DataLength", &parts);
    });
}

#[test]
fn buffer_too_small() {
    without_validation_errors(|context| {
        let call = Call::new(context);
        let alignment = u64::from(context.device.limits().min_storage_buffer_offset_alignment);
        let late = call.x.view().at_byte_offset(alignment);
        let parts = [&format!("the input needs 192 bytes from byte {alignment}"), "192 bytes in all"];
        call.refuses_forward(ForwardTensors { input: late, ..call.forward() }, "BufferTooSmall", &parts);
        refused(call.pool.forward(late), "BufferTooSmall", &parts);
        // The end of this one overflows.
        let beyond = call.y.view().at_byte_offset(u64::MAX - alignment + 1);
        let part = ["the output needs 48 bytes"];
        call.refuses_forward(ForwardTensors { output: beyond, ..call.forward() }, "BufferTooSmall", &part);
        let tensors = ForwardTensors { lse: Some(call.y.view().at_byte_offset(alignment)), ..call.forward() };
        call.refuses_forward(tensors, "BufferTooSmall", &["the lse output needs 48 bytes"]);
        let statistics = Some(StatisticsView { buffer: call.y.buffer(), byte_offset: 0 });
        let part = ["the statistics needs 144 bytes from byte 0, but its buffer has 48"];
        call.refuses_forward(ForwardTensors { statistics, ..call.forward() }, "BufferTooSmall", &part);
        call.refuses_backward(BackwardTensors { statistics, ..call.backward() }, "BufferTooSmall", &part);
        let short = TensorView::new(call.y.buffer(), shape([1, 2, 4, 6]));
        let part = ["the gradient of the input needs 192 bytes from byte 0, but its buffer has 48"];
        call.refuses_backward(BackwardTensors { grad_input: short, ..call.backward() }, "BufferTooSmall", &part);
        // Four times as many windows as inputs: no product of theirs may overflow on the way to the error.
        let config = windows([2, 2, 2], [1]).padding([1]).build().expect("valid");
        let pool = pool(context, &config);
        let huge = TensorView::new(call.x.buffer(), shape([1 << 59, 1, 1, 1, 1]));
        let pooled = huge.shape.pooled(&config);
        if let Ok(pooled) = pooled {
            let output = TensorView::new(call.y.buffer(), pooled);
            assert!(pool.plan_forward(ForwardTensors::new(huge, output)).is_err());
            assert!(pool.plan_backward(BackwardTensors::new(huge, output, huge)).is_err());
        }
        assert!(pool.forward(huge).is_err());
        assert!(pool.forward_with(huge, Outputs { statistics: true, lse: true }).is_err());
    });
}

#[test]
fn buffer_usage() {
    without_validation_errors(|context| {
        let call = Call::new(context);
        let vertices = call.buffer(192, wgpu::BufferUsages::VERTEX | wgpu::BufferUsages::COPY_DST);
        let view = |shape| TensorView::new(&vertices, shape);
        let message =
            |role: &str| format!("the buffer of {role} lacks the usage BufferUsages(STORAGE): create it with");
        let input = ForwardTensors { input: view(call.x.shape()), ..call.forward() };
        call.refuses_forward(input, "BufferUsage", &[&message("the input")]);
        let output = ForwardTensors { output: view(call.y.shape()), ..call.forward() };
        call.refuses_forward(output, "BufferUsage", &[&message("the output")]);
        let statistics = Some(StatisticsView { buffer: &vertices, byte_offset: 0 });
        let saved = ForwardTensors { statistics, ..call.forward() };
        call.refuses_forward(saved, "BufferUsage", &[&message("the statistics")]);
        let gradient = BackwardTensors { grad_input: view(call.x.shape()), ..call.backward() };
        call.refuses_backward(gradient, "BufferUsage", &[&message("the gradient of the input")]);
    });
}

#[test]
fn offset_alignment() {
    without_validation_errors(|context| {
        let call = Call::new(context);
        let buffer = call.buffer(1 << 12, wgpu::BufferUsages::STORAGE);
        let view = |offset| TensorView::new(&buffer, call.x.shape()).at_byte_offset(offset);
        for offset in [2, 3] {
            let parts = [&format!("the input starts at byte {offset}"), "no multiple of 4, the size of its elements"];
            call.refuses_forward(ForwardTensors { input: view(offset), ..call.forward() }, "OffsetAlignment", &parts);
        }
        let half = view(3).of_type(softpool::ElementType::F16);
        let parts = ["the gradient of the input starts at byte 3", "no multiple of 2"];
        call.refuses_backward(BackwardTensors { grad_input: half, ..call.backward() }, "OffsetAlignment", &parts);
        let statistics = Some(StatisticsView { buffer: &buffer, byte_offset: 2 });
        let parts = ["the statistics starts at byte 2", "no multiple of 4"];
        call.refuses_forward(ForwardTensors { statistics, ..call.forward() }, "OffsetAlignment", &parts);
        assert!(call.pool.plan_forward(ForwardTensors { input: view(4), ..call.forward() }).is_ok(), "any element");
    });
}

#[test]
fn overlap() {
    without_validation_errors(|context| {
        let call = Call::new(context);
        let alignment = u64::from(context.device.limits().min_storage_buffer_offset_alignment);
        let fix = "overlap in one buffer: give them disjoint elements";
        let in_place = ForwardTensors { output: TensorView::new(call.x.buffer(), call.y.shape()), ..call.forward() };
        call.refuses_forward(in_place, "Overlap", &["the input and the output", fix]);
        let twice = ForwardTensors { lse: Some(call.y.view()), ..call.forward() };
        call.refuses_forward(twice, "Overlap", &["the output and the lse output", fix]);
        let in_place = BackwardTensors { grad_input: call.x.view(), ..call.backward() };
        call.refuses_backward(in_place, "Overlap", &["the input and the gradient of the input", fix]);
        // The last element of one is the first of the other; one more alignment and they don't meet.
        let buffer = call.buffer(1 << 12, wgpu::BufferUsages::STORAGE);
        let words = alignment as usize / size_of::<f32>();
        let input = TensorView::new(&buffer, shape([1, 1, 2, words / 2 + 2]));
        let pooled = shape([1, 1, 1, words / 4 + 1]);
        let output = TensorView::new(&buffer, pooled);
        let tensors = |output| ForwardTensors { input, output, ..call.forward() };
        let touching = tensors(output.at_byte_offset(alignment));
        call.refuses_forward(touching, "Overlap", &["the input and the output", fix]);
        let apart = tensors(output.at_byte_offset(2 * alignment));
        assert!(call.pool.plan_forward(apart).is_ok(), "disjoint ranges of one buffer are no misuse");
        // Two tensors that are only read may be one: y's gradient as its own input.
        let unit = pool(context, &windows([1, 1], [1]).build().expect("valid"));
        let same = unit.plan_backward(BackwardTensors::new(&call.x, &call.x, &call.grad_input));
        assert!(same.is_ok(), "nothing is written that both hold");
    });
}

#[test]
fn device_limit() {
    without_validation_errors(|context| {
        let call = Call::new(context);
        let config = call.pool.config().clone();
        let x = shape([1, 1, 512, 1024]);

        let (device, queue) = call.device(|limits| limits.max_storage_buffer_binding_size = 1 << 20);
        let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let limited = GpuSoftPool::new(&device, &queue, config.clone()).expect("the limits of workgroups are whole");
        let tensor = GpuTensor::from_slice(&device, &queue, x, &vec![0.0; x.elements()]).expect("buffers may be large");
        let parts = ["what one block of windows needs of a tensor, in bytes, is 2097152", "binding_size of 1048576"];
        let parts = [parts[0], parts[1], "pool less at once"];
        let global = SoftPoolConfig::global(2).build().expect("valid");
        let global = GpuSoftPool::new(&device, &queue, global).expect("nothing is compiled yet");
        refused(global.forward(&tensor), "DeviceLimit", &parts);
        let y = GpuTensor::from_slice(&device, &queue, shape([1, 1, 1, 1]), &[0.0]).expect("small");
        refused(global.backward(&tensor, &y), "DeviceLimit", &parts[1..]);
        assert!(limited.forward(&tensor).is_ok(), "a plane is split");
        assert!(pollster::block_on(scope.pop()).is_none());

        let (device, queue) = call.device(|limits| {
            limits.max_buffer_size = 1 << 20;
            limits.max_storage_buffer_binding_size = 1 << 20;
        });
        let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let parts = ["a tensor's size in bytes is 2097152", "max_buffer_size of 1048576", "split the batch"];
        let large = GpuTensor::from_slice(&device, &queue, x, &vec![0.0; x.elements()]);
        refused(large, "DeviceLimit", &parts);
        // The windows of this one outgrow its inputs.
        let stretched = windows([2, 2], [1]).padding([1]).build().expect("valid");
        let stretched = GpuSoftPool::new(&device, &queue, stretched).expect("the limits of workgroups are whole");
        let thin = shape([1, 1 << 18, 1, 1]);
        let tensor = GpuTensor::from_slice(&device, &queue, thin, &vec![0.0; 1 << 18]).expect("just so");
        refused(stretched.forward(&tensor), "DeviceLimit", &["a tensor's size in bytes is 4194304"]);
        assert!(pollster::block_on(scope.pop()).is_none());

        let (device, queue) = call.device(|limits| limits.max_compute_invocations_per_workgroup = 16);
        let parts = ["a workgroup's number of invocations is 64", "max_compute_invocations_per_workgroup of 16"];
        let parts = [parts[0], parts[1], "request a larger limit, or another adapter"];
        let small = GpuSoftPool::new(&device, &queue, config).expect("nothing is compiled yet");
        let tensor = GpuTensor::from_slice(&device, &queue, shape([1, 1, 4, 4]), &[0.0; 16]).expect("small");
        refused(small.forward(&tensor), "DeviceLimit", &parts);
    });
}

#[test]
fn foreign_cache() {
    without_validation_errors(|context| {
        let call = Call::new(context);
        let (device, _) = call.device(|_| ());
        let cache = softpool::PipelineCache::new(&device);
        let config = call.pool.config().clone();
        let refusal = GpuSoftPool::with_cache(&context.device, &context.queue, config, &cache);
        refused(refusal, "ForeignCache", &["the pipeline cache", "another device", "make one for each device"]);
    });
}

/// A host chooses each limit of its device: a pooling obeys it or refuses the call, and leaves nothing to wgpu.
#[test]
fn any_limit_is_obeyed_or_refused() {
    type Change = fn(&mut wgpu::Limits);
    let changes: [(&str, Change); 8] = [
        ("max_compute_workgroup_size_x", |limits| limits.max_compute_workgroup_size_x = 8),
        ("max_compute_workgroup_size_y", |limits| limits.max_compute_workgroup_size_y = 1),
        ("max_compute_workgroup_size_z", |limits| limits.max_compute_workgroup_size_z = 1),
        ("max_compute_workgroup_storage_size", |limits| limits.max_compute_workgroup_storage_size = 16),
        ("max_storage_buffers_per_shader_stage", |limits| limits.max_storage_buffers_per_shader_stage = 1),
        ("max_uniform_buffer_binding_size", |limits| limits.max_uniform_buffer_binding_size = 16),
        ("max_compute_workgroups_per_dimension", |limits| limits.max_compute_workgroups_per_dimension = 0),
        ("max_storage_buffer_binding_size", |limits| limits.max_storage_buffer_binding_size = 16),
    ];
    let cases = [
        Case::normal("disjoint", windows([2, 2], [2]), [1, 100, 4, 8]),
        Case::normal("overlapping", windows([3, 3], [2]).padding([1]), [1, 2, 40, 40]),
        Case::normal("large", windows([2, 40], [2]), [1, 1, 4, 60]),
    ];
    on_every_adapter(|context| {
        let call = Call::new(context);
        let mut faults = Vec::new();
        for (name, change) in changes {
            let (device, queue) = call.device(change);
            for case in &cases {
                let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
                let tensor = |shape: Shape| {
                    GpuTensor::from_slice(&device, &queue, shape, &vec![0.0; shape.elements()]).expect("small")
                };
                let (x, grad_output) = (tensor(case.shape), tensor(case.pooled()));
                // A refusal is as good as a result; a panic or what the scope catches is not.
                let calls = AssertUnwindSafe(|| {
                    if let Ok(pool) = GpuSoftPool::new(&device, &queue, case.config.clone()) {
                        let _ = pool.forward_with(&x, Outputs { lse: true, statistics: true });
                        let _ = pool.backward(&x, &grad_output);
                    }
                });
                if std::panic::catch_unwind(calls).is_err() {
                    faults.push(format!("{name}, {}: a panic", case.name));
                }
                if let Some(error) = pollster::block_on(scope.pop()) {
                    faults.push(format!("{name}, {}: {error}", case.name));
                }
            }
        }
        assert!(faults.is_empty(), "{}: {faults:#?}", context.name());
    });
}

#[test]
fn foreign_statistics() {
    without_validation_errors(|context| {
        let call = Call::new(context);
        let saved = call.pool.forward_with(&call.x, Outputs { statistics: true, lse: false }).expect("valid");
        let saved = saved.statistics.expect("they were asked for");
        let parts = ["saved by a pooling of another configuration", "with the same one"];
        let hot = pool(context, &windows([2, 2], [2]).beta(2.0).build().expect("valid"));
        refused(hot.backward_from(&call.x, &call.y, &saved), "ForeignStatistics", &parts);
        let ceil = pool(context, &windows([2, 2], [2]).ceil_mode(true).build().expect("valid"));
        refused(ceil.backward_from(&call.x, &call.y, &saved), "ForeignStatistics", &parts);
    });
}

#[test]
fn no_adapter() {
    let with = |choice| pollster::block_on(GpuContext::with_adapter(Some(choice)));
    let advice = "choose an index or a part of a name from 0: ";
    refused(with("no such adapter"), "NoAdapter", &["no GPU adapter matches 'no such adapter'", advice]);
    refused(with("4096"), "NoAdapter", &["no GPU adapter matches '4096'", advice]);
    // A machine without any adapter cannot be had here: the other text of the variant goes without a test.
    let none = Error::NoAdapter { choice: None, fix: "install a driver".into() };
    assert_eq!(none.to_string(), "no GPU adapter: install a driver");
}

/// `GpuContext` asks an adapter for no more than it has, so that no adapter of this machine refuses it: the refusal here is
/// of limits that it hasn't.
#[test]
fn request_device() {
    on_every_adapter(|context| {
        let required_limits = wgpu::Limits { max_buffer_size: u64::MAX, ..context.adapter.limits() };
        let descriptor = wgpu::DeviceDescriptor { required_limits, ..Default::default() };
        let refusal = pollster::block_on(context.adapter.request_device(&descriptor));
        let result: Result<_> = refusal.map_err(Error::from);
        refused(
            result,
            "RequestDevice",
            &["the adapter refused a device: ", "max_buffer_size", "18446744073709551615"],
        );
    });
}

/// The device of a tensor goes away before it is read.
#[test]
fn read() {
    on_every_adapter(|context| {
        let own = pollster::block_on(GpuContext::from_adapter(context.adapter.clone())).expect("the adapter's limits");
        let scope = own.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let tensor = own.upload(shape([1, 1, 4]), &[1.0; 4]).expect("small");
        assert_eq!(tensor.read_blocking().expect("it is there"), [1.0; 4]);
        own.device.destroy();
        refused(tensor.read_blocking(), "Read", &["reading a tensor back failed: "]);
        refused(pollster::block_on(tensor.read()), "Read", &["reading a tensor back failed: "]);
        let error = pollster::block_on(scope.pop());
        assert!(error.is_none(), "wgpu on {}: {error:?}", context.name());
    });
}

/// Numbers around every limit, and any other.
fn number() -> impl Strategy<Value = usize> {
    let edges = [0, 1, 2, 3, 7, MAX_AXIS_PARAMETER, MAX_AXIS_PARAMETER + 1, (1 << 31) - 1, 1 << 31, 1 << 32, 1 << 59];
    prop_oneof![
        6 => proptest::sample::select(edges.to_vec()),
        2 => 0usize..20,
        1 => any::<usize>(),
        1 => Just(usize::MAX),
    ]
}

fn numbers() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(number(), 0..7)
}

/// A list of an axis count that has a chance to be right.
fn by_axis() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![3 => proptest::collection::vec(number(), 1), 3 => proptest::collection::vec(number(), 3), 1 => numbers()]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn any_numbers_give_a_result_or_an_error(
        kernel in by_axis(),
        stride in proptest::option::of(by_axis()),
        padding in proptest::option::of(by_axis()),
        dilation in proptest::option::of(by_axis()),
        ceil in proptest::collection::vec(any::<bool>(), 0..4),
        beta in any::<f32>(),
        dims in numbers(),
    ) {
        let mut builder = SoftPoolConfig::builder(&kernel).beta(beta);
        if let Some(stride) = stride {
            builder = builder.stride(stride);
        }
        if let Some(padding) = padding {
            builder = builder.padding(padding);
        }
        if let Some(dilation) = dilation {
            builder = builder.dilation(dilation);
        }
        if !ceil.is_empty() {
            builder = builder.ceil_mode_by_axis(ceil);
        }
        let shape = Shape::new(&dims);
        if let Ok(shape) = &shape {
            prop_assert_eq!(shape.dims(), &dims[..]);
        }
        if let Ok(config) = builder.build() {
            let _ = config.output_size(&dims);
            if let Ok(pooled) = shape.and_then(|shape| shape.pooled(&config)) {
                // A shape that was accepted can be counted.
                let _ = (pooled.elements(), pooled.planes(), StatisticsView::bytes(&pooled));
            }
        }
    }
}

/// Any views of a small buffer: a plan, which then runs, or an error.
#[test]
fn any_views_give_a_plan_or_an_error() {
    const BUFFER_BYTES: u64 = 1 << 17;
    let offset = prop_oneof![
        24 => (0u64..BUFFER_BYTES / 256).prop_map(|step| 256 * step),
        1 => 0..2 * BUFFER_BYTES,
        1 => Just(u64::MAX),
        1 => Just(u64::MAX - 255),
    ];
    // Few sizes, since each new one can be a new pipeline.
    let size = || prop_oneof![20 => proptest::sample::select(vec![2usize, 8, 9]), 1 => number()];
    let count = || prop_oneof![20 => 0usize..4, 1 => number()];
    let dims = || (count(), count(), size(), size()).prop_map(|(n, c, h, w)| vec![n, c, h, w]);
    let shapes = (dims(), proptest::option::weighted(0.2, dims()));
    let strategy = (shapes, proptest::array::uniform4(offset), any::<[bool; 3]>());
    without_validation_errors(|context| {
        let call = Call::new(context);
        let buffer = call.buffer(BUFFER_BYTES, wgpu::BufferUsages::STORAGE);
        let (planned, refused) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
        let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) };
        let deterministic = proptest::test_runner::TestRng::deterministic_rng(config.rng_algorithm);
        let mut runner = proptest::test_runner::TestRunner::new_with_rng(config, deterministic);
        let result =
            runner.run(&strategy, |((input, output), [x, y, lse, statistics], [with_lse, saves, backward])| {
                let Ok(input) = Shape::new(input) else { return Ok(()) };
                // The right output, or any.
                let output = output.and_then(|dims| Shape::new(dims).ok());
                let Some(output) = output.or_else(|| input.pooled(call.pool.config()).ok()) else { return Ok(()) };
                let view = |shape, offset| TensorView::new(&buffer, shape).at_byte_offset(offset);
                let saved = saves.then_some(StatisticsView { buffer: &buffer, byte_offset: statistics });
                let plan = if backward {
                    let tensors = BackwardTensors::new(view(input, x), view(output, y), view(input, lse));
                    call.pool.plan_backward(BackwardTensors { statistics: saved, ..tensors })
                } else {
                    let lse = with_lse.then_some(view(output, lse));
                    let tensors = ForwardTensors::new(view(input, x), view(output, y));
                    call.pool.plan_forward(ForwardTensors { lse, statistics: saved, ..tensors })
                };
                let counter = if plan.is_ok() { &planned } else { &refused };
                counter.set(counter.get() + 1);
                if let Ok(plan) = plan {
                    let mut encoder = context.device.create_command_encoder(&Default::default());
                    plan.encode(&mut encoder);
                    context.queue.submit([encoder.finish()]);
                }
                Ok(())
            });
        result.unwrap_or_else(|error| panic!("{error}"));
        assert!(planned.get() >= 10 && refused.get() >= 10, "{} planned, {} refused", planned.get(), refused.get());
    });
}

/// What a refused call leaves: a pooling that works as before.
#[test]
fn refusals_change_nothing() {
    let case = Case::normal("after refusals", windows([2, 2], [2]), [1, 2, 4, 6]);
    without_validation_errors(|context| {
        let pool = pool(context, &case.config);
        let before = common::run_with(context, &pool, &case);
        let x = context.upload(case.shape, &case.x).expect("small");
        assert!(pool.plan_forward(ForwardTensors::new(&x, &x)).is_err());
        assert!(pool.forward(x.view().at_byte_offset(1)).is_err());
        common::run_with(context, &pool, &case).assert_same_bits("after refusals", &before);
    });
}
