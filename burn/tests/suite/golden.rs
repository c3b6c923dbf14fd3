//! Every case of the core's golden files, which PyTorch computed in f64, by both paths.

use crate::common::accuracy::Expected;
use crate::common::golden::{Golden, all};
use crate::devices::{Setting, one_of_each_path, run};

#[test]
fn both_paths_agree() {
    for golden in all() {
        check(golden);
    }
}

fn check(golden: Golden) {
    let Golden { case, y, grad_input, grad_input_detached, finite, .. } = golden;
    for (case, grad_input) in [(case.detached(), grad_input_detached), (case, grad_input)] {
        let reference = Expected::of(&case);
        let has_gradient = grad_input.is_some();
        let grad_input = grad_input.unwrap_or(reference.grad_input.values);
        let expected = Expected::from_values(&case, y.clone(), reference.lse.values, grad_input);
        for device in one_of_each_path() {
            let what = format!("{} on {}", case.name, device.name);
            let outcome = run(&case, &device.device, Setting::PLAIN);
            expected.y.check(&what, &outcome.y);
            if finite && has_gradient {
                expected.grad_input.check(&what, &outcome.grad_input);
            }
        }
    }
}
