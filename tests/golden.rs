//! Every case of tests/golden: values that PyTorch computed in f64.

use crate::common::golden::{Golden, all};
use crate::common::{Case, accuracy::Expected, on_every_adapter, run};
use softpool::reference::Reference;

/// Relative to the largest value of the tensor, since sums of many terms meet in other orders. `offset` is the largest
/// |beta x|: the files hold 1 + beta (x - y) for a y that was rounded, where the reference counts from a centre.
fn assert_close(name: &str, got: &[f64], want: &[f64], offset: f64) {
    assert_eq!(got.len(), want.len(), "{name}");
    let scale = want.iter().filter(|want| want.is_finite()).fold(0.0f64, |scale, want| scale.max(want.abs()));
    for (index, (got, want)) in got.iter().zip(want).enumerate() {
        let same = got == want || got.is_nan() && want.is_nan();
        assert!(
            same || (got - want).abs() <= (1e-13 + f64::EPSILON * offset) * scale,
            "{name}[{index}]: {got:e} for {want:e}"
        );
    }
}

#[test]
fn reference_agrees() {
    for golden in all() {
        let Golden { case, .. } = &golden;
        let name = |what| format!("{what} of {}", case.name);
        let offset = case.x.iter().map(|x| f64::from((case.config.beta() * x).abs())).fold(0.0, f64::max);
        let forward = Reference::new(&case.config).forward(&case.shape, &case.x).unwrap();
        assert_close(&name("y"), &forward.y, &golden.y, 0.0);
        if let Some(lse) = &golden.lse {
            assert_close(&name("lse"), &forward.lse, lse, 0.0);
        }
        let backward =
            |case: &Case| Reference::new(&case.config).backward(&case.shape, &case.x, &case.grad_output).unwrap();
        if let Some(grad_input) = &golden.grad_input {
            assert_close(&name("grad_input"), &backward(case), grad_input, offset);
        }
        if let Some(grad_input) = &golden.grad_input_detached {
            assert_close(&name("detached grad_input"), &backward(&case.detached()), grad_input, 0.0);
        }
        if let Some(grad_beta) = golden.grad_beta {
            let by_channel = Reference::new(&case.config).grad_beta(&case.shape, &case.x, &case.grad_output).unwrap();
            let got: f64 = by_channel.iter().sum();
            assert!((got - grad_beta).abs() <= 1e-12 * grad_beta.abs().max(1.0), "grad_beta of {}", case.name);
        }
    }
}

#[test]
fn every_adapter_agrees() {
    for golden in all() {
        for (case, grad_input) in
            [(golden.case.clone(), &golden.grad_input), (golden.case.detached(), &golden.grad_input_detached)]
        {
            // Cases that lack a file are held against the reference, which the test above holds against the others.
            let reference = Expected::of(&case);
            let lse = golden.lse.clone().unwrap_or(reference.lse.values);
            let has_gradient = grad_input.is_some();
            let grad_input = grad_input.clone().unwrap_or(reference.grad_input.values);
            let expected = Expected::from_values(&case, golden.y.clone(), lse, grad_input);
            on_every_adapter(|context| {
                let what = format!("{} on {}", case.name, context.name());
                let results = run(context, &case);
                expected.y.check(&what, &results.y);
                if golden.finite && has_gradient {
                    expected.check(&what, &results);
                }
            });
        }
    }
}
