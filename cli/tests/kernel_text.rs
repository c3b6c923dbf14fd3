//! `softpool wgsl`: what would be dispatched, as text in five languages and as a table, without a device.

use crate::common::Workplace;
use softpool::wgpu::{BufferDescriptor, BufferUsages};
use softpool::{
    BackwardTensors, ForwardTensors, GpuContext, GpuSoftPool, Recipe, Shape, SoftPoolConfig, TensorView, Tuning,
};

const OPERATIONS: [&str; 5] = ["forward", "backward", "grad-beta", "jvp", "second-backward"];
const K3: &str = "--input-size 8,64,112,112 --kernel 3 --stride 2 --padding 1";

#[test]
fn every_operation_has_a_text_in_every_language() {
    let place = Workplace::new();
    for operation in OPERATIONS {
        for (language, comment, marks) in [
            ("wgsl", "//", ["@compute", "fn main"]),
            ("spirv", ";", ["OpEntryPoint GLCompute", "OpFunctionEnd"]),
            ("msl", "//", ["kernel void", "metal_stdlib"]),
            ("hlsl", "//", ["numthreads", "void main"]),
            ("glsl", "//", ["#version 310 es", "void main"]),
        ] {
            let run = place.succeed(&format!("wgsl {operation} {K3} --language {language}"));
            assert!(run.stdout.starts_with(&format!("{comment} 1 of ")), "{operation} {language}: {}", run.stdout);
            for mark in marks {
                assert!(run.stdout.contains(mark), "{operation} {language} lacks {mark}");
            }
            assert_eq!(run.stderr, "", "{operation} {language}");
        }
    }
}

#[test]
fn the_table_has_a_line_for_each_dispatch() {
    let place = Workplace::new();
    for (operation, kernels, bindings) in [
        ("forward", &["forward taps"][..], "x read, y read_write, params uniform"),
        ("backward", &["backward taps"], "grad_input read_write"),
        ("grad-beta", &["forward taps", "sum", "sum"], "grad_output read"),
        ("jvp", &["forward taps"], "tangent read"),
        ("second-backward", &["forward taps", "second backward taps"], "grad_input read_write"),
    ] {
        let run = place.succeed(&format!("wgsl {operation} {K3} --list"));
        let lines: Vec<&str> = run.stdout.lines().collect();
        assert!(lines[0].starts_with("kernel ") && lines[0].ends_with(" bindings"), "{}", run.stdout);
        assert_eq!(lines.len(), 1 + kernels.len(), "{}", run.stdout);
        for (line, kernel) in lines[1..].iter().zip(kernels) {
            assert!(line.starts_with(&format!("softpool {kernel} ")), "{line} is of another kernel than {kernel}");
        }
        assert!(run.stdout.contains(bindings), "{} lacks {bindings}", run.stdout);
    }
}

#[test]
fn the_table_counts_bytes_of_the_text() {
    let place = Workplace::new();
    let text = place.succeed(&format!("wgsl forward {K3}")).stdout;
    let (_, wgsl) = text.split_once('\n').unwrap();
    let table = place.succeed(&format!("wgsl forward {K3} --list")).stdout;
    assert!(table.contains(&format!(" {} ", wgsl.len())), "{} bytes of text: {table}", wgsl.len());
}

#[test]
fn the_text_is_what_a_device_gets() {
    let place = Workplace::new();
    let GpuContext { device, queue, .. } = GpuContext::new_blocking().expect("these tests need an adapter");
    let config = SoftPoolConfig::builder([3, 3]).stride([2]).padding([1]).build().unwrap();
    let pool = GpuSoftPool::new(&device, &queue, config);
    let (shape, pooled) = (Shape::new([2, 4, 16, 16]).unwrap(), Shape::new([2, 4, 8, 8]).unwrap());
    let buffer = |shape: &Shape| {
        device.create_buffer(&BufferDescriptor {
            label: None,
            size: shape.elements() as u64 * 4,
            usage: BufferUsages::STORAGE,
            mapped_at_creation: false,
        })
    };
    let [x, gx, y, g] = [&shape, &shape, &pooled, &pooled].map(buffer);
    let view = TensorView::new;
    let recipes = pool.recipes();
    let forward = recipes.of(ForwardTensors::new(view(&x, shape), view(&y, pooled))).unwrap();
    let backward = BackwardTensors::new(view(&x, shape), view(&g, pooled), view(&gx, shape));
    let backward = recipes.of(backward).unwrap();
    let tuning = match Tuning::of(&device) {
        Tuning::GPU => "gpu",
        Tuning::SOFTWARE_GL => "gl",
        _ => "cpu",
    };
    let kernels =
        |recipe: &Recipe<'_>| -> String { recipe.dispatches().iter().map(|dispatch| dispatch.kernel.wgsl()).collect() };
    for (operation, recipe) in [("forward", forward), ("backward", backward)] {
        let arguments = "--input-size 2,4,16,16 --kernel 3 --stride 2 --padding 1";
        let text = place.succeed(&format!("wgsl {operation} {arguments} --tuning {tuning}")).stdout;
        let printed: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with("// ")).collect();
        assert_eq!(printed, kernels(&recipe).lines().collect::<Vec<_>>(), "{operation}");
    }
}

#[test]
fn options_show_in_the_text() {
    let place = Workplace::new();
    let text = |options: &str| place.succeed(&format!("wgsl {options}")).stdout;
    let plain = text(&format!("forward {K3}"));
    for options in [
        "--dtype f16",
        "--dtype bf16",
        "--channels-last",
        "--channel-betas",
        "--lse",
        "--statistics",
        "--tuning cpu",
        "--ceil-mode",
        "--dilation 2",
    ] {
        assert_ne!(text(&format!("forward {K3} {options}")), plain, "{options}");
    }
    assert_ne!(text(&format!("backward {K3} --rule detached")), text(&format!("backward {K3}")));
    for (windows, label) in [
        ("--input-size 3,17 --kernel 3 --unbatched", "forward disjoint k3 s3"),
        ("--input-size 2,3,9,9 --global", "k81"),
        ("--input-size 2,3,10,10 --output-size 3", "adaptive"),
        ("--input-size 2,3,8,8,8 --kernel 2", "forward disjoint k2 s2"),
    ] {
        let text = text(&format!("forward {windows}"));
        let first = text.lines().next().unwrap_or_default();
        assert!(first.contains(label), "{windows}: {first} lacks {label}");
    }
    assert_eq!(text("forward --input-size 0,3,8,8 --kernel 2"), "nothing: the tensors are empty\n");
}

#[test]
fn what_does_not_fit_is_refused() {
    let place = Workplace::new();
    for (arguments, expected) in [
        ("forward --kernel 2", "--input-size"),
        ("forward --input-size 4,4 --kernel 2", "--input-size: shape 4x4 has no spatial axis"),
        ("forward --input-size 1,1,4,4 --kernel 9", "--input-size: shape 1x1x4x4: "),
        ("forward --input-size 1,1,4,x --kernel 2", "'x' is no whole number"),
        ("forward --input-size 1,1,4,4 --kernel 2 --dtype f64", "f64"),
        ("backward --input-size 1,1,4,4 --kernel 2 --lse", "--lse: only `softpool wgsl forward` computes it"),
        ("forward --input-size 1,1,4,4 --kernel 2 --list --language msl", "cannot be used with"),
        ("sideways --input-size 1,1,4,4 --kernel 2", "sideways"),
    ] {
        place.refuse(&format!("wgsl {arguments}"), &[expected]);
    }
}
