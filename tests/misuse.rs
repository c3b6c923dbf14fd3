//! Evidence that every wrong argument is an `Err` that names the value, the rule and the fix, before anything is recorded:
//! never a panic, and never a validation error of wgpu's own, but for what wgpu alone knows of the host's buffers.

use crate::common;
use crate::failed_seeds;
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;

use crate::common::{Case, on_every_adapter, pool, windows};
use proptest::prelude::*;
use softpool::ElementType::{Bf16, F16, F32};
use softpool::reference::Reference;
use softpool::{
    BackwardTensors, ElementType, Error, ForwardTensors, GpuContext, GpuSoftPool, GpuTensor, GradBetaTensors,
    JvpTensors, MAX_AXIS_PARAMETER, MAX_DILATION, Memory, Operation, Outputs, Plan, Result, SecondBackwardTensors,
    Shape, SoftPoolConfig, Statistics, StatisticsView, TensorView, wgpu,
};

/// The test of each variant; `every_variant_has_a_test` holds the names against the enum.
const TESTS: [(&str, fn()); 32] = [
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
    ("NotABuffer", not_a_buffer),
    ("ForeignScratch", foreign_scratch),
    ("OffsetAlignment", offset_alignment),
    ("Overlap", overlap),
    ("DeviceLimit", device_limit),
    ("ForeignCache", foreign_cache),
    ("ForeignStatistics", foreign_statistics),
    ("NoAdapter", no_adapter),
    ("RequestDevice", request_device),
    ("DeviceLost", device_lost),
    ("OutOfMemory", out_of_memory),
    ("TimedOut", timed_out),
    ("Refused", refused_by_wgpu),
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
    // Mistakes with textures are those of tests/textures.rs, what a recipe lacks to be data of src/recipe_data.rs.
    let elsewhere = ["Texture", "Unlisted"];
    let variants: BTreeSet<&str> = variants().into_iter().filter(|name| !elsewhere.contains(name)).collect();
    assert_eq!(tested, variants);
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

/// Runs `misuse` on every adapter; a validation error of wgpu's fails it. What it submits has run when this returns: software
/// drivers don't survive a process that ends while they work.
fn without_validation_errors(misuse: impl Fn(&GpuContext) + Sync) {
    on_every_adapter(|context| {
        let scope = context.device.push_error_scope(wgpu::ErrorFilter::Validation);
        misuse(context);
        let error = pollster::block_on(scope.pop());
        context.device.poll(wgpu::PollType::wait_indefinitely()).expect("a device that works");
        assert!(error.is_none(), "wgpu on {}: {error:?}", context.name());
    });
}

/// What wgpu refused where we should have.
fn left_to_wgpu(result: Result<()>) -> Option<String> {
    match result {
        Err(error @ (Error::Refused(_) | Error::DeviceLost { .. })) => Some(error.to_string()),
        _ => None,
    }
}

fn shape<const AXES: usize>(dims: [usize; AXES]) -> Shape {
    Shape::new(dims).expect("a valid shape")
}

/// A pooling by k2 s2; inputs, directions and gradients of 1x2x4x6, and of 1x2x2x3 for windows.
struct Call<'a> {
    context: &'a GpuContext,
    pool: GpuSoftPool,
    x: GpuTensor,
    v: GpuTensor,
    grad_input: GpuTensor,
    y: GpuTensor,
    grad_output: GpuTensor,
    grad_beta: GpuTensor,
}

impl<'a> Call<'a> {
    fn new(context: &'a GpuContext) -> Self {
        let pool = pool(context, &windows([2, 2], [2]).build().expect("valid"));
        let zeros = |shape: Shape| context.upload(shape, &vec![0.0; shape.elements()]).expect("small");
        let [x, v, grad_input] = [(); 3].map(|()| zeros(shape([1, 2, 4, 6])));
        let [y, grad_output] = [(); 2].map(|()| zeros(shape([1, 2, 2, 3])));
        Self { context, pool, x, v, grad_input, y, grad_output, grad_beta: zeros(shape([2])) }
    }

    fn forward(&self) -> ForwardTensors<'_> {
        ForwardTensors::new(&self.x, &self.y)
    }

    fn backward(&self) -> BackwardTensors<'_> {
        BackwardTensors::new(&self.x, &self.grad_output, &self.grad_input)
    }

    fn grad_beta(&self) -> GradBetaTensors<'_> {
        let [input, grad_output, grad_beta] = [&self.x, &self.grad_output, &self.grad_beta].map(GpuTensor::view);
        GradBetaTensors::new(input, grad_output, grad_beta)
    }

    fn jvp(&self) -> JvpTensors<'_> {
        let [input, tangent, output] = [&self.x, &self.v, &self.y].map(GpuTensor::view);
        JvpTensors::new(input, tangent, output)
    }

    fn second_backward(&self) -> SecondBackwardTensors<'_> {
        SecondBackwardTensors {
            input: self.x.view(),
            grad_output: self.grad_output.view(),
            tangent: self.v.view(),
            grad_of_grad_output: Some(self.y.view()),
            grad_of_input: self.grad_input.view(),
            statistics: None,
        }
    }

    /// By a plan and by an encoder, which must then hold nothing that wgpu objects to.
    #[track_caller]
    fn refuses(&self, operation: impl Operation + Copy, variant: &str, parts: &[&str]) {
        refused(self.pool.plan(operation), variant, parts);
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        refused(self.pool.encode(&mut encoder, operation), variant, parts);
        self.context.queue.submit([encoder.finish()]);
    }

    #[track_caller]
    fn takes(&self, operation: impl Operation, why: &str) {
        self.pool.plan(operation).unwrap_or_else(|error| panic!("{why}: {error}"));
    }

    /// What a forward pass of the input saves.
    fn statistics(&self) -> Statistics {
        let outputs = Outputs { statistics: true, lse: false };
        self.pool.forward_with(&self.x, outputs).expect("valid").statistics.expect("they were asked for")
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
    refused(SoftPoolConfig::adaptive([]).build(), "UnsupportedRank", &["0 axes"]);
    refused(SoftPoolConfig::global(4).build(), "UnsupportedRank", &["4 axes"]);
    // No list of that length fits a machine.
    refused(SoftPoolConfig::global(usize::MAX).build(), "UnsupportedRank", &["give 1 (length)"]);
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
    let most = "to 67108864";
    for (parts, builder) in [
        (["kernel along height is 0", "1 to", most], SoftPoolConfig::builder([0, 2])),
        (["kernel along width is 18446744073709551615", "1 to", most], SoftPoolConfig::builder([2, usize::MAX])),
        (["stride along height is 0", "1 to", most], builder().stride([0])),
        (["padding along width is 67108865", "0 to", most], builder().padding([0, MAX_AXIS_PARAMETER + 1])),
        (["dilation along width is 0", "1 to", "to 16384"], builder().dilation([1, 0])),
        (["dilation along width is 16385", "1 to", "to 16384"], builder().dilation([1, MAX_DILATION + 1])),
        (
            ["kernel along length is 16385", "1 to", "to 16384"],
            SoftPoolConfig::builder([16385]).dilation([MAX_DILATION]),
        ),
        (["kernel along length is 0", "1 to", most], SoftPoolConfig::builder([0])),
        (["kernel along depth is 0", "1 to", most], SoftPoolConfig::builder([0, 1, 1])),
    ] {
        refused(builder.build(), "AxisParameter", &parts);
    }
    let longest = SoftPoolConfig::builder([16384]).dilation([MAX_DILATION]);
    assert!(longest.build().is_ok(), "the limit itself is allowed");
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
fn same_padding() {
    let builder = |kernel: [usize; 2]| SoftPoolConfig::builder(kernel).same_padding();
    let rule = "it needs an odd kernel, stride 1, dilation 1, and no other padding";
    for (part, builder) in [
        ("along width with kernel 4, stride 1, dilation 1", builder([3, 4]).stride([1])),
        // The stride starts as the kernel.
        ("along height with kernel 3, stride 3, dilation 1", builder([3, 3])),
        ("along width with kernel 3, stride 1, dilation 2", builder([3, 3]).stride([1]).dilation([1, 2])),
        ("along height with kernel 3, stride 1, dilation 1", builder([3, 3]).stride([1]).padding([1])),
    ] {
        refused(builder.build(), "SamePadding", &[part, rule]);
    }
    let same = builder([1, 5]).stride([1]).build().expect("odd kernels of stride 1");
    assert_eq!(same.padding(), [0, 2]);
}

#[test]
fn adaptive_window() {
    let builder = || SoftPoolConfig::adaptive([2, 3]);
    let rule = "its windows follow from the input and output sizes, leave it out";
    for (name, builder) in [
        ("stride", builder().stride([1])),
        ("padding", builder().padding([0])),
        ("padding", builder().same_padding()),
        ("dilation", builder().dilation([1])),
        ("ceil_mode", builder().ceil_mode(false)),
        ("stride", SoftPoolConfig::global(1).stride([1])),
    ] {
        refused(builder.build(), "AdaptiveWindow", &[&format!("an adaptive pooling with a {name}: "), rule]);
    }
}

#[test]
fn adaptive_output() {
    let rule = "it must be 1 to 2147483647, of an input that has positions";
    refused(SoftPoolConfig::adaptive([0, 2]).build(), "AdaptiveOutput", &["output size 0 along height", rule]);
    let part = "output size 18446744073709551615 along width";
    refused(SoftPoolConfig::adaptive([2, usize::MAX]).build(), "AdaptiveOutput", &[part, rule]);
    refused(SoftPoolConfig::adaptive_keeping([None, Some(0)]).build(), "AdaptiveOutput", &["along width", rule]);
    let config = SoftPoolConfig::adaptive([4, 7]).build().expect("valid");
    let parts = ["adaptive output size 7 along width for 0 positions", rule];
    refused(config.output_size(&[4, 0]), "AdaptiveOutput", &parts);
    assert!(config.output_size(&[1, 8]).is_ok(), "more windows than positions, and fewer");
    refused(Reference::new(&config).forward(&shape([1, 1, 4, 0]), &[]), "AdaptiveOutput", &parts);
    without_validation_errors(|context| {
        let call = Call { pool: pool(context, &config), ..Call::new(context) };
        let empty = context.upload(shape([1, 1, 4, 0]), &[]).expect("no elements");
        call.refuses(ForwardTensors { input: empty.view(), ..call.forward() }, "AdaptiveOutput", &parts);
        call.refuses(BackwardTensors { input: empty.view(), ..call.backward() }, "AdaptiveOutput", &parts);
        refused(call.pool.forward(&empty), "AdaptiveOutput", &parts);
        refused(call.pool.grad_beta(&empty, &call.grad_output), "AdaptiveOutput", &parts);
        refused(call.pool.jvp(&empty, &call.v), "AdaptiveOutput", &parts);
        refused(call.pool.second_backward(&empty, &call.grad_output, &call.v), "AdaptiveOutput", &parts);
    });
}

#[test]
fn beta_not_finite() {
    for (beta, name) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
        let parts = [&format!("beta is {name}:"), "must be finite", "for max pooling use a large beta"];
        refused(SoftPoolConfig::builder([2]).beta(beta).build(), "BetaNotFinite", &parts);
        let config = SoftPoolConfig::builder([2]).build().expect("valid");
        let by_channel = Reference::new(&config).with_betas(&[1.0, beta]);
        refused(by_channel.forward(&shape([1, 2, 2]), &[0.0; 4]), "BetaNotFinite", &parts);
        without_validation_errors(|context| {
            refused(pool(context, &config).with_beta(beta), "BetaNotFinite", &parts);
        });
    }
}

#[test]
fn shape_axes() {
    let parts = ["0 axes, []", "give (N, C, L), (N, C, H, W) or (N, C, D, H, W), or one of these without N"];
    refused(Shape::new([]), "ShapeAxes", &parts);
    refused(Shape::new([1, 2, 3, 4, 5, 6]), "ShapeAxes", &["6 axes, [1, 2, 3, 4, 5, 6]"]);
    for axes in 1..=5 {
        assert!(Shape::new(vec![1; axes]).is_ok(), "{axes} axes are allowed");
    }
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
    let fix = "give a tensor of (N, C), or (C) alone, and 2 spatial axes";
    let (long, flat) = (shape([1, 1, 4, 4, 6]), shape([96]));
    for (shape, part) in [(long, "3 spatial axes for a pooling of 2"), (flat, "0 spatial axes for a pooling of 2")] {
        let parts = [part, fix];
        refused(config.output_size(shape.spatial()), "RankMismatch", &parts);
        refused(shape.pooled(&config), "RankMismatch", &parts);
        refused(shape.of_rank(2), "RankMismatch", &parts);
        refused(Reference::new(&config).forward(&shape, &[0.0; 96]), "RankMismatch", &parts);
        without_validation_errors(|context| {
            let call = Call::new(context);
            let input = TensorView::new(call.x.buffer(), shape);
            call.refuses(ForwardTensors { input, ..call.forward() }, "RankMismatch", &parts);
            call.refuses(BackwardTensors { input, ..call.backward() }, "RankMismatch", &parts);
            call.refuses(JvpTensors { input, ..call.jvp() }, "RankMismatch", &parts);
            refused(call.pool.forward(input), "RankMismatch", &parts);
            refused(call.pool.backward(input, &call.grad_output), "RankMismatch", &parts);
            refused(call.pool.grad_beta(input, &call.grad_output), "RankMismatch", &parts);
            refused(call.pool.jvp(input, &call.v), "RankMismatch", &parts);
        });
    }
    // Three axes are (C, H, W) here, and two would be (N, C) or (C, L).
    assert!(shape([1, 1, 4]).pooled(&SoftPoolConfig::global(2).build().expect("valid")).is_ok());
    refused(shape([3, 4]).pooled(&config), "RankMismatch", &["1 spatial axes for a pooling of 2", fix]);
}

#[test]
fn axis_too_long() {
    let config = SoftPoolConfig::builder([2, 2]).build().expect("valid");
    let parts = ["width is 2147483648", "at most 2147483647 elements"];
    refused(config.output_size(&[4, 1 << 31]), "AxisTooLong", &parts);
    refused(config.output_size(&[usize::MAX, 4]), "AxisTooLong", &["height is 18446744073709551615"]);
    let adaptive = SoftPoolConfig::adaptive([3]).build().expect("valid");
    let rule = "67108864 elements or windows if an adaptive pooling divides it unevenly";
    let enlarging = SoftPoolConfig::adaptive([(1 << 26) + 1]).build().expect("valid");
    refused(enlarging.output_size(&[3]), "AxisTooLong", &["length is 67108865", rule]);
    refused(adaptive.output_size(&[(1 << 26) + 1]), "AxisTooLong", &["length is 67108865", rule]);
    assert!(adaptive.output_size(&[1 << 26]).is_ok(), "the limit itself is allowed");
    assert!(adaptive.output_size(&[(1 << 26) + 2]).is_ok(), "three windows of the same size");
    without_validation_errors(|context| {
        let call = Call::new(context);
        let long = TensorView::new(call.x.buffer(), shape([1, 1, 2, 1 << 31]));
        call.refuses(ForwardTensors { input: long, ..call.forward() }, "AxisTooLong", &parts);
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
        call.refuses(ForwardTensors { input: flat, ..call.forward() }, "NoWindow", &parts);
        refused(call.pool.forward(flat), "NoWindow", &parts);
    });
}

#[test]
fn shape_mismatch() {
    without_validation_errors(|context| {
        let call = Call::new(context);
        let wrong = TensorView::new(call.x.buffer(), shape([1, 2, 2, 4]));
        let of_windows = |role: &str| format!("{role} has shape 1x2x2x4, but must have 1x2x2x3");
        let of_inputs = |role: &str| format!("{role} has shape 1x2x2x4, but must have 1x2x4x6");
        let variant = "ShapeMismatch";
        call.refuses(ForwardTensors { output: wrong, ..call.forward() }, variant, &[&of_windows("the output")]);
        call.refuses(ForwardTensors { lse: Some(wrong), ..call.forward() }, variant, &[&of_windows("the lse output")]);
        let gradient = of_windows("the gradient of the output");
        call.refuses(BackwardTensors { grad_output: wrong, ..call.backward() }, variant, &[&gradient]);
        let part = of_inputs("the gradient of the input");
        call.refuses(BackwardTensors { grad_input: wrong, ..call.backward() }, variant, &[&part]);
        refused(call.pool.backward(&call.x, wrong), variant, &[&gradient]);
        // As many elements in another order of the axes are another shape.
        let turned = TensorView::new(call.grad_output.buffer(), shape([1, 2, 3, 2]));
        let part = "the gradient of the output has shape 1x2x3x2, but must have 1x2x2x3";
        call.refuses(BackwardTensors { grad_output: turned, ..call.backward() }, variant, &[part]);

        let direction = of_inputs("the direction");
        call.refuses(JvpTensors { tangent: wrong, ..call.jvp() }, variant, &[&direction]);
        call.refuses(JvpTensors { output: wrong, ..call.jvp() }, variant, &[&of_windows("the output")]);
        refused(call.pool.jvp(&call.x, wrong), variant, &[&direction]);

        let second = call.second_backward();
        call.refuses(SecondBackwardTensors { tangent: wrong, ..second }, variant, &[&direction]);
        call.refuses(SecondBackwardTensors { grad_output: wrong, ..second }, variant, &[&gradient]);
        let part = of_windows("the gradient of the gradient of the output");
        call.refuses(SecondBackwardTensors { grad_of_grad_output: Some(wrong), ..second }, variant, &[&part]);
        let part = of_inputs("the gradient of the input");
        call.refuses(SecondBackwardTensors { grad_of_input: wrong, ..second }, variant, &[&part]);
        refused(call.pool.second_backward(&call.x, &call.grad_output, wrong), variant, &[&direction]);

        call.refuses(GradBetaTensors { grad_output: wrong, ..call.grad_beta() }, variant, &[&gradient]);
        refused(call.pool.grad_beta(&call.x, wrong), variant, &[&gradient]);
        let target = |dims: &[usize]| TensorView::new(call.x.buffer(), Shape::new(dims).expect("small"));
        for (dims, given) in [(&[3][..], "3"), (&[1, 2], "1x2"), (&[0], "0")] {
            let message = |role: &str| format!("{role} has shape {given}, but must have 2");
            let tensors = GradBetaTensors { grad_beta: target(dims), ..call.grad_beta() };
            call.refuses(tensors, variant, &[&message("the gradient of beta")]);
            let call = Call { pool: call.pool.clone().with_betas(target(dims)), ..Call::new(context) };
            let betas = message("the betas");
            call.refuses(call.forward(), variant, &[&betas]);
            call.refuses(call.backward(), variant, &[&betas]);
            refused(call.pool.forward(&call.x), variant, &[&betas]);
            refused(call.pool.grad_beta(&call.x, &call.grad_output), variant, &[&betas]);
        }
        let one = TensorView::new(call.grad_beta.buffer(), shape([1]));
        call.takes(GradBetaTensors { grad_beta: one, ..call.grad_beta() }, "the sum over both channels");

        let other = TensorView::new(call.x.buffer(), shape([2, 1, 4, 6]));
        let parts = ["the input of the statistics has shape 1x2x4x6, but must have 2x1x4x6"];
        refused(call.pool.backward_from(other, &call.grad_output, &call.statistics()), variant, &parts);
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
        let late = call.x.view().at_byte_offset(4);
        let parts = ["the input needs 192 bytes from byte 4", "192 bytes in all"];
        call.refuses(ForwardTensors { input: late, ..call.forward() }, "BufferTooSmall", &parts);
        refused(call.pool.forward(late), "BufferTooSmall", &parts);
        // The ends of these overflow, one of them only as a whole word.
        let beyond = call.y.view().at_byte_offset(u64::MAX - 3);
        let part = ["the output needs 48 bytes from byte 18446744073709551612"];
        call.refuses(ForwardTensors { output: beyond, ..call.forward() }, "BufferTooSmall", &part);
        let half = TensorView::new(call.x.buffer(), shape([1])).of_type(F16).at_byte_offset(u64::MAX - 3);
        let tensors = GradBetaTensors { grad_beta: half, ..call.grad_beta() };
        call.refuses(tensors, "BufferTooSmall", &["bytes from byte 18446744073709551612"]);
        let tensors = ForwardTensors { lse: Some(call.y.view().at_byte_offset(4)), ..call.forward() };
        call.refuses(tensors, "BufferTooSmall", &["the lse output needs 48 bytes"]);
        // The last element counts, wherever the strides put it; and words are bound, even where halves end in one.
        let spread = call.x.view().with_strides([0, 0, 12, 2]).expect("small");
        call.takes(ForwardTensors { input: spread, ..call.forward() }, "the last element is the buffer's last but one");
        let spread = call.x.view().with_strides([0, 0, 13, 2]).expect("small");
        let part = ["the input needs 200 bytes from byte 0, but its buffer has 192"];
        call.refuses(ForwardTensors { input: spread, ..call.forward() }, "BufferTooSmall", &part);
        let odd = call.buffer(18, wgpu::BufferUsages::STORAGE);
        let odd = TensorView::new(&odd, shape([1, 1, 3, 3])).of_type(F16);
        let output = TensorView::new(call.y.buffer(), shape([1, 1, 1, 1]));
        let part = ["the input needs 20 bytes from byte 0, but its buffer has 18"];
        call.refuses(ForwardTensors::new(odd, output), "BufferTooSmall", &part);
        let statistics = Some(StatisticsView { memory: call.y.buffer().into(), byte_offset: 0 });
        let part = ["the statistics needs 144 bytes from byte 0, but its buffer has 48"];
        call.refuses(ForwardTensors { statistics, ..call.forward() }, "BufferTooSmall", &part);
        call.refuses(BackwardTensors { statistics, ..call.backward() }, "BufferTooSmall", &part);
        let short = TensorView::new(call.grad_output.buffer(), shape([1, 2, 4, 6]));
        let part = ["the gradient of the input needs 192 bytes from byte 0, but its buffer has 48"];
        call.refuses(BackwardTensors { grad_input: short, ..call.backward() }, "BufferTooSmall", &part);
        let tensors = SecondBackwardTensors { grad_of_input: short, ..call.second_backward() };
        call.refuses(tensors, "BufferTooSmall", &part);
        let part = ["the direction needs 192 bytes from byte 0, but its buffer has 48"];
        call.refuses(JvpTensors { tangent: short, ..call.jvp() }, "BufferTooSmall", &part);
        // Channels last, more blocks of a row than 32 bits count.
        let wide = TensorView::new(call.x.buffer(), shape([1, (1 << 31) - 1, 2, 4])).with_strides([0, 1, 0, 2]);
        let wide = ForwardTensors { input: wide.expect("less than a buffer"), ..call.forward() };
        let output = TensorView::new(call.y.buffer(), wide.input.shape().pooled(call.pool.config()).expect("valid"));
        call.refuses(ForwardTensors { output, ..wide }, "BufferTooSmall", &["the input needs 8589934612 bytes"]);
        // Four times as many windows as inputs: no product of theirs may overflow on the way to the error.
        let config = windows([2, 2, 2], [1]).padding([1]).build().expect("valid");
        let pool = pool(context, &config);
        let huge = TensorView::new(call.x.buffer(), shape([1 << 59, 1, 1, 1, 1]));
        let pooled = huge.shape().pooled(&config);
        if let Ok(pooled) = pooled {
            let output = TensorView::new(call.y.buffer(), pooled);
            assert!(pool.plan(ForwardTensors::new(huge, output)).is_err());
            assert!(pool.plan(BackwardTensors::new(huge, output, huge)).is_err());
            let jvp = JvpTensors { input: huge, tangent: huge, output, statistics: None };
            assert!(pool.plan(jvp).is_err());
        }
        assert!(pool.forward(huge).is_err());
        assert!(pool.forward_with(huge, Outputs { statistics: true, lse: true }).is_err());
        assert!(pool.jvp(huge, huge).is_err());
    });
}

#[test]
fn strides() {
    without_validation_errors(|context| {
        let x = context.upload(shape([1, 2, 4, 6]), &[0.0; 48]).expect("small");
        let rule = "give one for each axis, in elements, that stay within a buffer";
        for (given, part) in [
            (&[6, 1][..], "strides [6, 1] for shape 1x2x4x6"),
            (&[], "strides [] for"),
            (&[48, 48, 24, 6, 1], "strides [48, 48, 24, 6, 1] for"),
            (&[48, 24, 6, usize::MAX], "18446744073709551615"),
            (&[48, 24, usize::MAX / 24, 1], "768614336404564650"),
            (&[48, 1 << 59, 1 << 59, 1], "576460752303423488"),
        ] {
            refused(x.view().with_strides(given), "Strides", &[part, rule]);
        }
        assert!(x.view().with_strides([0; 4]).is_ok(), "an input may repeat an element");
        // No position along an axis is 1 or more of none.
        let none = TensorView::new(x.buffer(), shape([1, 2, 0, 6]));
        assert_eq!(none.with_strides([1 << 59, 24, 1 << 59, 1]).expect("no stride is taken").bytes(), 0);
    });
}

#[test]
fn self_overlap() {
    without_validation_errors(|context| {
        let call = Call::new(context);
        let buffer = call.buffer(1 << 12, wgpu::BufferUsages::STORAGE);
        let windows = |strides| TensorView::new(&buffer, call.y.shape()).with_strides(strides).expect("small");
        let inputs = |strides| TensorView::new(&buffer, call.x.shape()).with_strides(strides).expect("small");
        let message = |role: &str, strides: [usize; 4], shape: Shape| {
            format!(
                "{role} has strides {strides:?} for shape {shape}, by which two of its elements meet: give each its"
            )
        };
        // One element for all columns; rows that start within others; and a row that starts at the end of another.
        for strides in [[12, 6, 3, 0], [12, 6, 2, 1], [12, 12, 4, 2]] {
            let part = message("the output", strides, call.y.shape());
            let output = windows(strides);
            call.refuses(ForwardTensors { output, ..call.forward() }, "SelfOverlap", &[&part]);
            call.refuses(JvpTensors { output, ..call.jvp() }, "SelfOverlap", &[&part]);
            let tensors = SecondBackwardTensors { grad_of_grad_output: Some(output), ..call.second_backward() };
            call.refuses(tensors, "SelfOverlap", &[&part]);
            let part = message("the lse output", strides, call.y.shape());
            call.refuses(ForwardTensors { lse: Some(output), ..call.forward() }, "SelfOverlap", &[&part]);
        }
        // Channels that are one, and columns of which three are two rows.
        for strides in [[48, 0, 6, 1], [48, 24, 3, 2]] {
            let part = message("the gradient of the input", strides, call.x.shape());
            let tensors = BackwardTensors { grad_input: inputs(strides), ..call.backward() };
            call.refuses(tensors, "SelfOverlap", &[&part]);
            let tensors = SecondBackwardTensors { grad_of_input: inputs(strides), ..call.second_backward() };
            call.refuses(tensors, "SelfOverlap", &[&part]);
        }
        let grad_beta = TensorView::new(&buffer, shape([2])).with_strides([0]).expect("small");
        let part = ["has strides [0] for shape 2, by which two of its elements meet"];
        call.refuses(GradBetaTensors { grad_beta, ..call.grad_beta() }, "SelfOverlap", &part);

        // Rows of 0, 2, 4 and 3, 5, 7 interleave without meeting, and so do channels that lie innermost.
        for strides in [[0, 8, 3, 2], [0, 1, 6, 2], [0, 1, 2, 4]] {
            let output = windows(strides);
            call.takes(ForwardTensors { output, ..call.forward() }, "each element has its own place");
        }
        let broadcast = ForwardTensors { input: inputs([0, 0, 0, 0]), ..call.forward() };
        call.takes(broadcast, "what is read may be one element");
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
        call.refuses(input, "BufferUsage", &[&message("the input")]);
        let output = ForwardTensors { output: view(call.y.shape()), ..call.forward() };
        call.refuses(output, "BufferUsage", &[&message("the output")]);
        let statistics = Some(StatisticsView { memory: (&vertices).into(), byte_offset: 0 });
        let saved = ForwardTensors { statistics, ..call.forward() };
        call.refuses(saved, "BufferUsage", &[&message("the statistics")]);
        let gradient = BackwardTensors { grad_input: view(call.x.shape()), ..call.backward() };
        call.refuses(gradient, "BufferUsage", &[&message("the gradient of the input")]);
        let direction = JvpTensors { tangent: view(call.x.shape()), ..call.jvp() };
        call.refuses(direction, "BufferUsage", &[&message("the direction")]);
        let call = Call { pool: call.pool.clone().with_betas(view(shape([2]))), ..Call::new(context) };
        call.refuses(call.forward(), "BufferUsage", &[&message("the betas")]);
    });
}

#[test]
fn offset_alignment() {
    without_validation_errors(|context| {
        let call = Call::new(context);
        let buffer = call.buffer(1 << 12, wgpu::BufferUsages::STORAGE);
        let view =
            |shape, element_type, offset| TensorView::new(&buffer, shape).of_type(element_type).at_byte_offset(offset);
        let starts = |role: &str, offset| format!("{role} starts at byte {offset}");
        for (element_type, offset, rule) in [
            (F32, 3, "no multiple of 4, the size of its elements"),
            (F32, 2, "no multiple of 4, the size of its elements"),
            (F16, 5, "no multiple of 2, the size of its elements"),
            (Bf16, 5, "no multiple of 2, the size of its elements"),
        ] {
            let inputs = view(call.x.shape(), element_type, offset);
            let windows = view(call.y.shape(), element_type, offset);
            let variant = "OffsetAlignment";
            let refuses = |tensors, role| call.refuses(tensors, variant, &[&starts(role, offset), rule]);
            refuses(ForwardTensors { input: inputs, ..call.forward() }, "the input");
            refuses(ForwardTensors { output: windows, ..call.forward() }, "the output");
            refuses(ForwardTensors { lse: Some(windows), ..call.forward() }, "the lse output");
            refused(call.pool.forward(inputs), variant, &[&starts("the input", offset), rule]);
            let parts = [&starts("the gradient of the input", offset), rule];
            call.refuses(BackwardTensors { grad_input: inputs, ..call.backward() }, variant, &parts);
            let parts = [&starts("the direction", offset), rule];
            call.refuses(JvpTensors { tangent: inputs, ..call.jvp() }, variant, &parts);
            let betas = view(shape([2]), element_type, offset);
            let call = Call { pool: call.pool.clone().with_betas(betas), ..Call::new(context) };
            call.refuses(call.forward(), variant, &[&starts("the betas", offset), rule]);
        }
        // Statistics are f32.
        let statistics = Some(StatisticsView { memory: (&buffer).into(), byte_offset: 2 });
        let parts = [&starts("the statistics", 2), "no multiple of 4"];
        call.refuses(ForwardTensors { statistics, ..call.forward() }, "OffsetAlignment", &parts);
        call.refuses(JvpTensors { statistics, ..call.jvp() }, "OffsetAlignment", &parts);

        let input = view(call.x.shape(), F32, 4);
        call.takes(ForwardTensors { input, ..call.forward() }, "f32 at any word, whatever the device aligns");
        let input = view(call.x.shape(), F16, 2);
        call.takes(ForwardTensors { input, ..call.forward() }, "halves at any half word");
    });
}

#[test]
fn overlap() {
    without_validation_errors(|context| {
        let call = Call::new(context);
        let fix = "overlap in one buffer: give them disjoint elements";
        let in_place = ForwardTensors { output: TensorView::new(call.x.buffer(), call.y.shape()), ..call.forward() };
        call.refuses(in_place, "Overlap", &["the input and the output", fix]);
        let twice = ForwardTensors { lse: Some(call.y.view()), ..call.forward() };
        call.refuses(twice, "Overlap", &["the output and the lse output", fix]);
        let in_place = BackwardTensors { grad_input: call.x.view(), ..call.backward() };
        call.refuses(in_place, "Overlap", &["the input and the gradient of the input", fix]);
        let in_place = JvpTensors { output: TensorView::new(call.v.buffer(), call.y.shape()), ..call.jvp() };
        call.refuses(in_place, "Overlap", &["the direction and the output", fix]);
        let statistics = Some(StatisticsView { memory: call.x.buffer().into(), byte_offset: 0 });
        let onto = ForwardTensors { statistics, ..call.forward() };
        call.refuses(onto, "Overlap", &["the input and the statistics", fix]);
        let statistics = Some(StatisticsView { memory: call.grad_input.buffer().into(), byte_offset: 0 });
        let onto = BackwardTensors { statistics, ..call.backward() };
        call.refuses(onto, "Overlap", &["the gradient of the input and the statistics", fix]);
        // What one run of the second backward writes must be neither what another writes nor what it reads.
        let second = call.second_backward();
        let within = TensorView::new(call.grad_input.buffer(), call.y.shape());
        let twice = SecondBackwardTensors { grad_of_grad_output: Some(within), ..second };
        call.refuses(twice, "Overlap", &["the output and the gradient of the input", fix]);
        let in_place = SecondBackwardTensors { grad_of_grad_output: Some(call.grad_output.view()), ..second };
        call.refuses(in_place, "Overlap", &["the gradient of the output", "the output", fix]);
        let in_place = SecondBackwardTensors { grad_of_input: call.v.view(), ..second };
        call.refuses(in_place, "Overlap", &["the direction and the gradient of the input", fix]);
        // Nor may the last run of the gradient of beta write what the first reads: a plan is run again.
        for read in [&call.x, &call.grad_output] {
            let grad_beta = TensorView::new(read.buffer(), shape([1]));
            call.refuses(GradBetaTensors { grad_beta, ..call.grad_beta() }, "Overlap", &[fix]);
        }
        let learned = Call { pool: call.pool.clone().with_betas(&call.grad_beta), ..Call::new(context) };
        let in_place = GradBetaTensors { grad_beta: call.grad_beta.view(), ..learned.grad_beta() };
        learned.refuses(in_place, "Overlap", &["the betas", fix]);
        // Two tensors that are only read may be one: y's gradient as its own input.
        let unit = Call { pool: pool(context, &windows([1, 1], [1]).build().expect("valid")), ..Call::new(context) };
        let same = BackwardTensors::new(&call.x, &call.x, &call.grad_input);
        unit.takes(same, "nothing is written that both hold");
    });
}

/// Tensors of one buffer share elements, not ranges: each may lie between the elements of another, even in one word.
#[test]
fn overlap_is_of_elements() {
    without_validation_errors(|context| {
        let call = Call::new(context);
        let buffer = call.buffer(1 << 12, wgpu::BufferUsages::STORAGE);
        let inputs = |row, column| {
            TensorView::new(&buffer, shape([1, 1, 2, 4])).with_strides([0, 0, row, column]).expect("small")
        };
        let windows =
            |column| TensorView::new(&buffer, shape([1, 1, 1, 2])).with_strides([0, 0, 0, column]).expect("small");
        let cases = [
            // The first element of one is the last of the other, or the next.
            ("neighbours", inputs(4, 1), F32, windows(1), F32, 28, 32),
            // Both at even elements, or one at odd ones.
            ("interleaved columns", inputs(8, 2), F32, windows(4), F32, 8, 4),
            // The end of a row and the gap before the next, or that gap alone.
            ("interleaved rows", inputs(8, 1), F32, windows(2), F32, 12, 20),
            // Multiples of 3 against 2 and 9, and against 1 and 8.
            ("steps of 3 and 7", inputs(12, 3), F32, windows(7), F32, 8, 4),
            ("halves of a word", inputs(8, 2), F16, windows(2), F16, 4, 2),
            ("halves of two types in a word", inputs(8, 2), F16, windows(2), Bf16, 4, 2),
            // Halves at bytes 0, 6, 12 and 18: in the upper half of the word at 4, in the lower of that at 12, not in that at 8.
            ("a word on an upper half", inputs(32, 3), F16, windows(4), F32, 4, 8),
            ("a word on a lower half", inputs(32, 3), F16, windows(3), F32, 12, 8),
        ];
        for (name, input, read, output, written, meets, fits) in cases {
            let input = input.of_type(read);
            let tensors = |offset| {
                let output = output.of_type(written).at_byte_offset(offset);
                ForwardTensors { input, output, ..call.forward() }
            };
            let parts = ["the input and the output overlap in one buffer: give them disjoint elements"];
            call.refuses(tensors(meets), "Overlap", &parts);
            call.takes(tensors(fits), name);
        }
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
        let new = |config: &SoftPoolConfig| GpuSoftPool::new(&device, &queue, config.clone());
        let tensor = GpuTensor::from_slice(&device, &queue, x, &vec![0.0; x.elements()]).expect("buffers may be large");
        assert!(new(&config).forward(&tensor).is_ok(), "a plane is split");
        let global = new(&SoftPoolConfig::global(2).build().expect("valid"));
        let g = GpuTensor::from_slice(&device, &queue, shape([1, 1, 1, 1]), &[0.0]).expect("small");
        let parts = [
            "what one block of windows needs of a tensor, in bytes, is 2097152, above",
            "max_storage_buffer_binding_size of 1048576",
            "request a larger limit, pool less at once, or give closer strides",
        ];
        refused(global.forward(&tensor), "DeviceLimit", &parts);
        refused(global.backward(&tensor, &g), "DeviceLimit", &parts);
        refused(global.grad_beta(&tensor, &g), "DeviceLimit", &parts);
        refused(global.jvp(&tensor, &tensor), "DeviceLimit", &parts);
        refused(global.second_backward(&tensor, &g, &tensor), "DeviceLimit", &parts);
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
        let stretched = GpuSoftPool::new(&device, &queue, stretched);
        let thin = shape([1, 1 << 18, 1, 1]);
        let tensor = GpuTensor::from_slice(&device, &queue, thin, &vec![0.0; 1 << 18]).expect("just so");
        refused(stretched.forward(&tensor), "DeviceLimit", &["a tensor's size in bytes is 4194304"]);
        assert!(pollster::block_on(scope.pop()).is_none());

        let (device, queue) = call.device(|limits| limits.max_compute_invocations_per_workgroup = 16);
        let parts = ["a workgroup's number of invocations is 64", "max_compute_invocations_per_workgroup of 16"];
        let parts = [parts[0], parts[1], "request a larger limit, or another adapter"];
        let small = GpuSoftPool::new(&device, &queue, config);
        let tensor = GpuTensor::from_slice(&device, &queue, shape([1, 1, 4, 4]), &[0.0; 16]).expect("small");
        refused(small.forward(&tensor), "DeviceLimit", &parts);
    });
}

/// A window beyond the limit is refused before a plan's own buffers are made. Those would be beyond another limit here, for
/// samples that all are one: the refusal that comes first shows in the message.
#[test]
fn a_window_above_the_limit_is_refused_before_anything_is_allocated() {
    const SAMPLES: usize = 1 << 18;
    without_validation_errors(|context| {
        let (device, queue) = Call::new(context).device(|limits| {
            limits.max_storage_buffer_binding_size = 1 << 20;
            limits.max_buffer_size = 3 << 20;
        });
        let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let buffer = |label, size| {
            let usage = wgpu::BufferUsages::STORAGE;
            device.create_buffer(&wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false })
        };
        let [read, written, sum] = [("read", 3 << 20), ("written", 3 << 20), ("sum", 4)].map(|(l, s)| buffer(l, s));
        let (inputs, windows) = (shape([SAMPLES, 1, 3]), shape([SAMPLES, 1, 2]));
        // Two of three positions make a window, and lie a binding apart.
        let x = TensorView::new(&read, inputs).with_strides([0, 0, 1 << 18]).expect("small");
        let g = TensorView::new(&read, windows).with_strides([0, 0, 1]).expect("small");
        let [of_inputs, of_windows] = [inputs, windows].map(|shape| TensorView::new(&written, shape).of_type(F16));
        let config = SoftPoolConfig::adaptive([2]).build().expect("valid");
        let pool = GpuSoftPool::new(&device, &queue, config);
        let parts = ["what one block of windows needs of a tensor, in bytes, is 10485", "of 1048576"];
        let refuses = |plan: Result<Plan>| refused(plan, "DeviceLimit", &parts);
        refuses(pool.plan(ForwardTensors::new(x, of_windows)));
        let grad_beta = TensorView::new(&sum, shape([1]));
        let statistics = None;
        // These need statistics first, which are too large for a buffer.
        let parts = ["a tensor's size in bytes is 6291456", "of 3145728"];
        let refuses = |plan: Result<Plan>| refused(plan, "DeviceLimit", &parts);
        refuses(pool.plan(BackwardTensors::new(x, g, of_inputs)));
        refuses(pool.plan(GradBetaTensors { input: x, grad_output: g, grad_beta, statistics }));
        refuses(pool.plan(JvpTensors { input: x, tangent: x, output: of_windows, statistics }));
        refuses(pool.plan(SecondBackwardTensors {
            input: x,
            grad_output: g,
            tangent: x,
            grad_of_grad_output: None,
            grad_of_input: of_inputs,
            statistics,
        }));
        assert!(pollster::block_on(scope.pop()).is_none());
    });
}

/// More samples than could be counted one by one, all of them one in memory.
#[test]
fn a_broadcast_of_too_many_samples_is_refused_at_once() {
    without_validation_errors(|context| {
        let call = Call::new(context);
        let (inputs, windows) = (shape([1 << 43, 2, 4, 6]), shape([1 << 43, 2, 2, 3]));
        let input = TensorView::new(call.x.buffer(), inputs).with_strides([0, 24, 6, 1]).expect("one sample's bytes");
        let grad_output = TensorView::new(call.grad_output.buffer(), windows).with_strides([0, 6, 3, 1]);
        let grad_output = grad_output.expect("one sample's bytes");
        let parts = ["a tensor's size in bytes is", "max_buffer_size"];
        call.refuses(GradBetaTensors { input, grad_output, ..call.grad_beta() }, "DeviceLimit", &parts);
        refused(call.pool.grad_beta(input, grad_output), "DeviceLimit", &parts);
        refused(call.pool.forward(input), "DeviceLimit", &parts);
    });
}

#[test]
fn not_a_buffer() {
    without_validation_errors(|context| {
        let call = Call::new(context);
        let named = TensorView::new(Memory::Named { name: 7, bytes: 192 }, shape([1, 2, 4, 6]));
        let parts = ["memory named 7 is no buffer of wgpu's"];
        call.refuses(ForwardTensors { input: named, ..call.forward() }, "NotABuffer", &parts);
        call.refuses(BackwardTensors { grad_input: named, ..call.backward() }, "NotABuffer", &parts);
        call.refuses(JvpTensors { tangent: named, ..call.jvp() }, "NotABuffer", &parts);
        call.refuses(SecondBackwardTensors { input: named, ..call.second_backward() }, "NotABuffer", &parts);
        refused(call.pool.forward(named), "NotABuffer", &parts);
        let betas = TensorView::new(Memory::Named { name: 7, bytes: 8 }, shape([2]));
        let call = Call { pool: call.pool.clone().with_betas(betas), ..Call::new(context) };
        call.refuses(call.forward(), "NotABuffer", &parts);
        call.refuses(call.grad_beta(), "NotABuffer", &parts);
    });
}

#[test]
fn foreign_scratch() {
    without_validation_errors(|context| {
        let call = Call::new(context);
        let recipe = call.pool.recipes().of(call.grad_beta()).expect("right tensors");
        let mut bindings = recipe.dispatches().iter().flat_map(|dispatch| &dispatch.bindings);
        let scratch = bindings.find(|binding| matches!(binding.memory, Memory::Scratch { index: 0, .. }));
        let memory = scratch.expect("statistics that were not given").memory;
        let statistics = Some(StatisticsView { memory, byte_offset: 0 });
        let of_inputs = TensorView::new(memory, shape([1, 2, 4, 6]));
        let of_windows = TensorView::new(memory, shape([1, 2, 2, 3]));
        let (variant, parts) = ("ForeignScratch", ["scratch 0 is of another recipe", "give memory of your own"]);
        call.refuses(ForwardTensors { input: of_inputs, ..call.forward() }, variant, &parts);
        call.refuses(ForwardTensors { output: of_windows, ..call.forward() }, variant, &parts);
        call.refuses(ForwardTensors { lse: Some(of_windows), ..call.forward() }, variant, &parts);
        call.refuses(ForwardTensors { statistics, ..call.forward() }, variant, &parts);
        call.refuses(BackwardTensors { grad_input: of_inputs, ..call.backward() }, variant, &parts);
        call.refuses(BackwardTensors { statistics, ..call.backward() }, variant, &parts);
        call.refuses(JvpTensors { tangent: of_inputs, ..call.jvp() }, variant, &parts);
        call.refuses(GradBetaTensors { statistics, ..call.grad_beta() }, variant, &parts);
        let sum = TensorView::new(memory, shape([1]));
        call.refuses(GradBetaTensors { grad_beta: sum, ..call.grad_beta() }, variant, &parts);
        let grad_of_grad_output = Some(of_windows);
        call.refuses(SecondBackwardTensors { grad_of_grad_output, ..call.second_backward() }, variant, &parts);
        refused(call.pool.forward(of_inputs), variant, &parts);
        refused(call.pool.grad_beta(of_inputs, &call.grad_output), variant, &parts);
        let call = Call { pool: call.pool.clone().with_betas(sum), ..Call::new(context) };
        call.refuses(call.forward(), variant, &parts);
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
    let changes: [(&str, Change); 10] = [
        ("max_compute_workgroup_size_x", |limits| limits.max_compute_workgroup_size_x = 8),
        ("max_compute_workgroup_size_y", |limits| limits.max_compute_workgroup_size_y = 1),
        ("max_compute_workgroup_size_z", |limits| limits.max_compute_workgroup_size_z = 1),
        ("max_compute_workgroup_storage_size", |limits| limits.max_compute_workgroup_storage_size = 16),
        ("max_storage_buffers_per_shader_stage", |limits| limits.max_storage_buffers_per_shader_stage = 3),
        ("max_bindings_per_bind_group", |limits| limits.max_bindings_per_bind_group = 4),
        ("max_uniform_buffer_binding_size", |limits| limits.max_uniform_buffer_binding_size = 16),
        ("max_compute_workgroups_per_dimension", |limits| limits.max_compute_workgroups_per_dimension = 0),
        ("max_storage_buffer_binding_size", |limits| limits.max_storage_buffer_binding_size = 16),
        // One workgroup a dispatch makes so many dispatches that their parameters outgrow a buffer.
        ("max_buffer_size", |limits| {
            limits.max_compute_workgroups_per_dimension = 1;
            limits.max_buffer_size = 1 << 14;
        }),
    ];
    let cases = [
        (F32, Case::normal("disjoint", windows([2, 2], [2]), [1, 100, 4, 8])),
        (F32, Case::normal("overlapping", windows([3, 3], [2]).padding([1]), [1, 2, 40, 40])),
        (F32, Case::normal("large", windows([2, 40], [2]), [1, 1, 4, 60])),
        (F32, Case::normal("adaptive", SoftPoolConfig::adaptive([39, 39]), [1, 2, 40, 40])),
        (F16, Case::normal("adaptive to large windows", SoftPoolConfig::adaptive([2, 3]), [1, 1, 17, 32])),
    ];
    on_every_adapter(|context| {
        let call = Call::new(context);
        let mut faults = Vec::new();
        for (name, change) in changes {
            let (device, queue) = call.device(change);
            for (element_type, case) in &cases {
                let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
                let tensor = |shape: Shape| {
                    let zeros = vec![0.0; shape.elements()];
                    GpuTensor::from_slice_as(&device, &queue, shape, *element_type, &zeros).expect("small")
                };
                let (x, grad_output) = (tensor(case.shape), tensor(case.pooled()));
                // A refusal is as good as a result; a panic or what wgpu says is not.
                let calls = AssertUnwindSafe(|| {
                    let pool = GpuSoftPool::new(&device, &queue, case.config.clone());
                    [
                        pool.forward(&x).map(drop),
                        pool.forward_with(&x, Outputs { lse: true, statistics: true }).map(drop),
                        pool.backward(&x, &grad_output).map(drop),
                        pool.grad_beta(&x, &grad_output).map(drop),
                        pool.jvp(&x, &x).map(drop),
                        pool.second_backward(&x, &grad_output, &x).map(drop),
                    ]
                });
                match std::panic::catch_unwind(calls) {
                    Err(_) => faults.push(format!("{name}, {}: a panic", case.name)),
                    Ok(results) => faults.extend(results.into_iter().filter_map(left_to_wgpu)),
                }
                if let Some(error) = pollster::block_on(scope.pop()) {
                    faults.push(format!("{name}, {}: {error}", case.name));
                }
                device.poll(wgpu::PollType::wait_indefinitely()).expect("a device that works");
            }
        }
        assert!(faults.is_empty(), "{}: {faults:#?}", context.name());
    });
}

#[test]
fn foreign_statistics() {
    without_validation_errors(|context| {
        let call = Call::new(context);
        let saved = call.statistics();
        let parts = ["saved by a pooling of another configuration", "with the same one"];
        let refuses = |pool: GpuSoftPool, saved| {
            refused(pool.backward_from(&call.x, &call.grad_output, saved), "ForeignStatistics", &parts);
        };
        refuses(pool(context, &windows([2, 2], [2]).beta(2.0).build().expect("valid")), &saved);
        refuses(pool(context, &windows([2, 2], [2]).ceil_mode(true).build().expect("valid")), &saved);
        refuses(pool(context, &SoftPoolConfig::adaptive([2, 3]).build().expect("valid")), &saved);
        // Betas on the device are known by their place.
        let learned = |betas: &GpuTensor| call.pool.clone().with_betas(betas);
        refuses(learned(&call.grad_beta), &saved);
        let call = Call { pool: learned(&call.grad_beta), ..Call::new(context) };
        let saved = call.statistics();
        refuses(pool(context, call.pool.config()), &saved);
        let others = context.upload(shape([2]), &[0.0; 2]).expect("small");
        refuses(learned(&others), &saved);
        assert!(call.pool.backward_from(&call.x, &call.grad_output, &saved).is_ok(), "the same betas");
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

/// The device of a tensor goes away before it is read. `tests/device_errors.rs` has every call.
#[test]
fn device_lost() {
    on_every_adapter(|context| {
        let own = pollster::block_on(GpuContext::from_adapter(context.adapter.clone())).expect("the adapter's limits");
        let scope = own.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let tensor = own.upload(shape([1, 1, 4]), &[1.0; 4]).expect("small");
        assert_eq!(tensor.read_blocking().expect("it is there"), [1.0; 4]);
        own.device.destroy();
        let parts = ["the device is lost (it was destroyed, ", "make a new one"];
        refused(tensor.read_blocking(), "DeviceLost", &parts);
        refused(pollster::block_on(tensor.read()), "DeviceLost", &parts);
        let error = pollster::block_on(scope.pop());
        assert!(error.is_none(), "wgpu on {}: {error:?}", context.name());
    });
}

/// Memory runs out in `tests/out_of_memory.rs`, which has a process of its own for that.
#[test]
fn out_of_memory() {
    refused::<()>(Err(Error::OutOfMemory), "OutOfMemory", &["memory has run out", "split the batch, or drop tensors"]);
}

/// A device that is busy for longer is in `tests/device_errors.rs`.
#[test]
fn timed_out() {
    let limit = std::time::Duration::from_millis(5);
    refused::<()>(Err(Error::TimedOut { limit }), "TimedOut", &["not answered within 5ms", "wait longer"]);
}

/// What wgpu alone knows of the host's buffers. Nothing of it goes to the host's handler of errors.
#[test]
fn refused_by_wgpu() {
    without_validation_errors(|context| {
        let call = Call::new(context);
        let tensor = || context.upload(shape([1, 2, 4, 6]), &[1.0; 48]).expect("small");
        let destroyed = tensor();
        destroyed.buffer().destroy();
        let parts = ["wgpu refuses the call: ", "has been destroyed"];
        refused(call.pool.forward(&destroyed), "Refused", &parts);
        refused(call.pool.plan(ForwardTensors::new(&destroyed, &call.y)), "Refused", &parts);
        refused(destroyed.read_blocking(), "Refused", &parts);
        refused(pollster::block_on(destroyed.read()), "Refused", &parts);
        let (device, queue) = call.device(|_| ());
        let foreign = GpuTensor::from_slice(&device, &queue, shape([1, 2, 4, 6]), &[1.0; 48]).expect("small");
        refused(call.pool.forward(&foreign), "Refused", &["wgpu refuses the call: In ", "doesn't match Device"]);
        // The pooling and the device work on.
        assert!(call.pool.forward(&tensor()).and_then(|y| y.read_blocking()).is_ok());
    });
}

fn number() -> impl Strategy<Value = usize> {
    let edges = [
        0,
        1,
        2,
        3,
        7,
        MAX_DILATION,
        MAX_DILATION + 1,
        MAX_AXIS_PARAMETER,
        MAX_AXIS_PARAMETER + 1,
        (1 << 31) - 1,
        1 << 31,
        1 << 32,
        1 << 59,
    ];
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
    #![proptest_config(ProptestConfig { failure_persistence: failed_seeds::failed_seeds("tests/seeds/misuse.txt"), ..ProptestConfig::with_cases(64) })]

    #[test]
    fn any_numbers_give_a_result_or_an_error(
        kind in proptest::sample::select(vec![Kind::Windows, Kind::Windows, Kind::Adaptive, Kind::Global]),
        sizes in by_axis(),
        // What an adaptive pooling may not have; most have none.
        (has_windows, same) in (proptest::bool::weighted(0.1), proptest::bool::weighted(0.1)),
        stride in proptest::option::of(by_axis()),
        padding in proptest::option::of(by_axis()),
        dilation in proptest::option::of(by_axis()),
        ceil in proptest::collection::vec(any::<bool>(), 0..4),
        beta in any::<f32>(),
        dims in numbers(),
    ) {
        let mut builder = match kind {
            Kind::Windows => SoftPoolConfig::builder(&sizes),
            Kind::Adaptive => SoftPoolConfig::adaptive(&sizes),
            Kind::Global => SoftPoolConfig::global(sizes.len()),
        };
        builder = builder.beta(beta);
        if kind == Kind::Windows || has_windows {
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
            if same {
                builder = builder.same_padding();
            }
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

/// What a configuration is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Windows,
    Adaptive,
    Global,
}

const BUFFER_BYTES: u64 = 1 << 17;

/// How a tensor lies in a buffer of [`BUFFER_BYTES`].
#[derive(Clone, Debug)]
struct Place {
    byte_offset: u64,
    element_type: ElementType,
    strides: Option<[usize; 4]>,
}

impl Place {
    fn view<'a>(&self, buffer: &'a wgpu::Buffer, shape: Shape) -> Result<TensorView<'a>> {
        let view = TensorView::new(buffer, shape).of_type(self.element_type).at_byte_offset(self.byte_offset);
        self.strides.map_or(Ok(view), |strides| view.with_strides(strides))
    }
}

/// Boxed, as are the strategies below: inline, their trees are more than a thread's stack holds.
fn byte_offset() -> SBoxedStrategy<u64> {
    let offset = prop_oneof![
        24 => (0..BUFFER_BYTES / 256).prop_map(|step| 256 * step),
        6 => (0..BUFFER_BYTES / 2).prop_map(|half_word| 2 * half_word),
        1 => 0..2 * BUFFER_BYTES,
        1 => proptest::sample::select(vec![u64::MAX - 255, u64::MAX - 3, u64::MAX - 1]),
    ];
    offset.sboxed()
}

/// Few strides, and halves seldom: each new combination can be a new pipeline.
fn place() -> SBoxedStrategy<Place> {
    let element_type = prop_oneof![8 => Just(F32), 1 => Just(F16), 1 => Just(Bf16)];
    let stride = prop_oneof![8 => proptest::sample::select(vec![0usize, 1, 2, 30, 300, 1000]), 1 => number()];
    let strides = prop_oneof![
        // By which no two elements meet.
        proptest::sample::select(vec![[1, 4, 160, 16], [2000, 500, 20, 2], [300, 1000, 2, 30]]),
        proptest::array::uniform4(stride.sboxed()),
    ];
    let place = (byte_offset(), element_type, proptest::option::weighted(0.2, strides));
    place.prop_map(|(byte_offset, element_type, strides)| Place { byte_offset, element_type, strides }).sboxed()
}

/// Any views of a small buffer: a plan, which then runs, or an error.
#[test]
fn any_views_give_a_plan_or_an_error() {
    // Few sizes: each new one can be a new pipeline.
    let size = || prop_oneof![20 => proptest::sample::select(vec![2usize, 8, 9]), 1 => number()];
    let count = || prop_oneof![20 => 0usize..4, 1 => number()];
    let dims = || (count(), count(), size(), size()).prop_map(|(n, c, h, w)| vec![n, c, h, w]);
    let shapes = (dims(), proptest::option::weighted(0.2, dims()));
    let strategy = (shapes, proptest::array::uniform5(place()), (byte_offset(), any::<[bool; 2]>(), 0..4u8));
    without_validation_errors(|context| {
        let call = Call::new(context);
        let buffer = call.buffer(BUFFER_BYTES, wgpu::BufferUsages::STORAGE);
        let (planned, refused) = (std::cell::Cell::new([0; 4]), std::cell::Cell::new([0; 4]));
        let config = ProptestConfig {
            failure_persistence: failed_seeds::failed_seeds("tests/seeds/misuse.txt"),
            ..ProptestConfig::with_cases(192)
        };
        let deterministic = proptest::test_runner::TestRng::deterministic_rng(config.rng_algorithm);
        let mut runner = proptest::test_runner::TestRunner::new_with_rng(config, deterministic);
        let result = runner.run(&strategy, |((input, output), places, (statistics, [optional, saves], kind))| {
            let Ok(input) = Shape::new(input) else { return Ok(()) };
            // The right output, or any.
            let output = output.and_then(|dims| Shape::new(dims).ok());
            let Some(output) = output.or_else(|| input.pooled(call.pool.config()).ok()) else { return Ok(()) };
            let statistics = saves.then_some(StatisticsView { memory: (&buffer).into(), byte_offset: statistics });
            let plan = || -> Result<Plan> {
                let [x, y, z, of_inputs, v] = &places;
                let [inputs, direction] = [x, v].map(|place| place.view(&buffer, input));
                let [windows, others] = [y, z].map(|place| place.view(&buffer, output));
                let (inputs, windows) = (inputs?, windows?);
                let of_inputs = || of_inputs.view(&buffer, input);
                match kind {
                    0 => {
                        let lse = if optional { Some(others?) } else { None };
                        call.pool.plan(ForwardTensors { lse, statistics, ..ForwardTensors::new(inputs, windows) })
                    }
                    1 => {
                        let tensors = BackwardTensors::new(inputs, windows, of_inputs()?);
                        call.pool.plan(BackwardTensors { statistics, ..tensors })
                    }
                    2 => {
                        let (input, tangent, output) = (inputs, direction?, windows);
                        call.pool.plan(JvpTensors { input, tangent, output, statistics })
                    }
                    _ => call.pool.plan(SecondBackwardTensors {
                        input: inputs,
                        grad_output: windows,
                        tangent: direction?,
                        grad_of_grad_output: if optional { Some(others?) } else { None },
                        grad_of_input: of_inputs()?,
                        statistics,
                    }),
                }
            };
            let plan = plan();
            let counter = if plan.is_ok() { &planned } else { &refused };
            let mut counts = counter.get();
            counts[usize::from(kind)] += 1;
            counter.set(counts);
            match plan {
                Ok(plan) => {
                    let mut encoder = context.device.create_command_encoder(&Default::default());
                    plan.encode(&mut encoder);
                    context.queue.submit([encoder.finish()]);
                }
                Err(error) => prop_assert_eq!(left_to_wgpu(Err(error)), None),
            }
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("{error}"));
        let (planned, refused) = (planned.get(), refused.get());
        assert!(planned.iter().chain(&refused).all(|&count| count >= 5), "{planned:?} planned, {refused:?} refused");
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
        assert!(pool.plan(ForwardTensors::new(&x, &x)).is_err());
        assert!(pool.forward(x.view().at_byte_offset(1)).is_err());
        common::run_with(context, &pool, &case).assert_same_bits("after refusals", &before);
    });
}
