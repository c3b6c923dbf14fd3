//! `softpool recipe`: a call as data. That hosts in other languages can run it is shown by web/test.

use crate::common::Workplace;
use serde_json::Value;
use softpool::RecipeData;

const K3: &str = "--input-size 2,3,16,16 --kernel 3 --stride 2 --padding 1";

fn json(place: &Workplace, arguments: &str) -> Value {
    let run = place.succeed(&format!("recipe {arguments} --json"));
    assert_eq!(run.stderr, "");
    serde_json::from_str(&run.stdout).unwrap()
}

fn names(recipe: &Value, written: bool) -> Vec<String> {
    let tensors = recipe["tensors"].as_array().unwrap().iter().filter(|tensor| tensor["written"] == written);
    tensors.map(|tensor| tensor["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_call_names_what_it_reads_and_writes() {
    let place = Workplace::new();
    for (call, read, written) in [
        ("forward", &["x"][..], &["y"][..]),
        ("forward --lse --statistics", &["x"], &["y", "lse", "statistics"]),
        ("forward --channel-betas", &["betas", "x"], &["y"]),
        ("backward", &["x", "grad_output"], &["grad_input"]),
        ("backward --statistics", &["x", "grad_output", "statistics"], &["grad_input"]),
        ("grad-beta", &["x", "grad_output"], &["grad_beta"]),
        ("jvp", &["x", "tangent"], &["jvp"]),
        ("second-backward", &["x", "grad_output", "tangent"], &["grad_of_grad_output", "grad_of_input"]),
    ] {
        let recipe = json(&place, &format!("{call} {K3}"));
        assert_eq!(recipe["call"], call.split(' ').next().unwrap());
        // A backward in one pass doesn't need the statistics that are there.
        let known = names(&recipe, false);
        assert_eq!(known, read, "{call}");
        assert_eq!(names(&recipe, true), written, "{call}");
        let data: RecipeData = serde_json::from_value(recipe).unwrap();
        assert_eq!(data.format, softpool::RECIPE_FORMAT);
        assert!(!data.dispatches.is_empty() && data.kernels.len() <= data.dispatches.len());
    }
}

#[test]
fn the_wgsl_is_that_of_the_other_command() {
    let place = Workplace::new();
    let recipe = json(&place, &format!("second-backward {K3}"));
    let text = place.succeed(&format!("wgsl second-backward {K3}")).stdout;
    let kernels = recipe["kernels"].as_array().unwrap();
    assert_eq!(kernels.len(), 2);
    for kernel in kernels {
        assert!(text.contains(kernel["wgsl"].as_str().unwrap().trim_end()), "{}", kernel["label"]);
    }
}

#[test]
fn beta_is_in_the_parameters_and_nowhere_else() {
    let place = Workplace::new();
    let of = |beta: &str| json(&place, &format!("forward {K3} --beta {beta}"));
    let (one, two) = (of("1"), of("-2.5"));
    assert_eq!(one["kernels"], two["kernels"]);
    assert_ne!(one["dispatches"], two["dispatches"]);
}

#[test]
fn what_a_device_does_not_bind_is_split() {
    let place = Workplace::new();
    let of = |size: &str| {
        let call = format!("forward --input-size 1,64,512,512 --kernel 2 {size}");
        serde_json::from_value::<RecipeData>(json(&place, &call)).unwrap()
    };
    assert_eq!(of("").dispatches.len(), 1);
    let pieces = of("--max-binding 1M");
    assert!(pieces.dispatches.len() >= 64, "{}", pieces.dispatches.len());
    assert_eq!(pieces.kernels.len(), 1);
    let bindings = pieces.dispatches.iter().flat_map(|dispatch| &dispatch.bindings);
    assert!(bindings.clone().all(|binding| binding.bytes <= 1 << 20));
}

#[test]
fn without_json_it_is_a_table() {
    let place = Workplace::new();
    let run = place.succeed(&format!("recipe grad-beta {K3} --dtype f16 --channels-last"));
    for line in [
        "x: float16 [2, 3, 16, 16], strides [768, 1, 48, 3], 3072 bytes, read",
        "grad_beta: float32 [1], strides [1], 4 bytes, written",
        "scratch 0: ",
        "on x, scratch 0, grad_output",
        "on scratch 1, grad_beta",
    ] {
        assert!(run.stdout.contains(line), "{line}: {}", run.stdout);
    }
    let empty = place.succeed("recipe forward --input-size 0,3,8,8 --kernel 2").stdout;
    assert!(empty.contains("nothing to dispatch"), "{empty}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let place = Workplace::new();
    for (arguments, expected) in [
        ("forward --kernel 2", "--input-size"),
        ("backward --input-size 1,1,4,4 --kernel 2 --lse", "--lse: only `softpool recipe forward` computes it"),
        ("forward --input-size 1,1,4,4 --kernel 2 --beta nan", "beta is NaN"),
        ("forward --input-size 1,1,4,4 --kernel 2 --beta 2 --channel-betas", "cannot be used with"),
        ("forward --input-size 1,1,4,4 --kernel 2 --max-binding lots", "'lots' is no amount of memory"),
    ] {
        place.refuse(&format!("recipe {arguments}"), &[expected]);
    }
}
