//! Every kind of window, place in memory, element type and beta, against the core's f64 reference.

use burn::backend::DispatchDevice;
use burn::tensor::DType;
use softpool::reference::Reference;
use softpool::{ElementType, SoftPoolConfig};

use crate::common::accuracy::Expected;
use crate::common::{Case, assert_same_bits, contexts, one_of_each_kernel, run as run_core, windows};
use crate::devices::{Memory, Named, Setting, all, one_of_each_path, run, wgpu};

/// Windows of all kinds.
fn cases() -> Vec<Case> {
    let mut cases = one_of_each_kernel().to_vec();
    cases.extend([
        Case::normal("1D k5 s2 p2", windows([5], [2]).padding([2]), [2, 3, 41]),
        Case::normal("3D k3 s2 p1", windows([3, 3, 3], [2]).padding([1]), [1, 2, 7, 9, 8]),
        Case::normal(
            "k3 s2 d2 p1 ceil",
            windows([3, 3], [2]).dilation([2]).padding([1]).ceil_mode(true),
            [2, 2, 14, 11],
        ),
        Case::normal("adaptive 5x4", SoftPoolConfig::adaptive([5, 4]), [2, 3, 13, 10]),
        Case::normal("global", SoftPoolConfig::global(2), [2, 5, 17, 12]),
        Case::normal("beta 0", windows([3, 3], [2]).beta(0.0), [1, 2, 11, 9]),
        Case::normal("beta -2.5", windows([2, 2], [2]).beta(-2.5), [1, 2, 12, 9]),
        Case::with_values("mean 1e4", windows([3, 3], [2]), [1, 2, 12, 17], |random, _| 1e4 + random.normal()),
    ]);
    cases
}

fn check(case: &Case, device: &Named, memory: Memory) {
    let expected = Expected::of(case);
    let what = format!("{} on {}, {memory:?}", case.name, device.name);
    let outcome = run(case, &device.device, Setting { memory, ..Setting::PLAIN });
    expected.y.check(&what, &outcome.y);
    expected.grad_input.check(&what, &outcome.grad_input);
}

#[test]
fn every_kind_of_window_by_both_paths() {
    for case in cases() {
        for device in one_of_each_path() {
            check(&case, &device, Memory::Contiguous);
            check(&case.detached(), &device, Memory::Contiguous);
        }
    }
}

#[test]
fn every_device_and_place_in_memory() {
    for case in one_of_each_kernel() {
        for device in all() {
            check(&case, &device, Memory::ChannelsLast);
            check(&case, &device, Memory::Slice);
        }
    }
}

#[test]
fn the_cores_own_bits() {
    // The default device is the adapter that the core would choose.
    let device = &wgpu()[0];
    let DispatchDevice::Cube(cube) = device.device.as_dispatch() else { panic!("not of cubecl") };
    let name = cube.client().properties().identity.name.clone();
    let context = contexts().iter().find(|context| context.adapter.get_info().name == name).expect("the same adapter");
    for case in one_of_each_kernel() {
        let (ours, core) = (run(&case, &device.device, Setting::PLAIN), run_core(context, &case));
        assert_same_bits(&format!("y of {}", case.name), &ours.y, &core.y);
        let with_statistics = &core.grad_input_from_statistics;
        let grad_input = if ours.grad_input == core.grad_input { &core.grad_input } else { with_statistics };
        assert_same_bits(&format!("grad_input of {}", case.name), &ours.grad_input, grad_input);
    }
}

#[test]
fn half_types() {
    for device in all() {
        for (dtype, element_type) in [(DType::F16, ElementType::F16), (DType::BF16, ElementType::Bf16)] {
            // What Burn can't hold on a device, it can't be asked to pool there.
            if !device.device.supports_dtype(dtype) {
                assert_ne!(device.name, "flex", "flex has all float types");
                continue;
            }
            for case in one_of_each_kernel() {
                let round = |values: &[f32]| values.iter().map(|&value| element_type.round(value)).collect::<Vec<_>>();
                let case = Case { x: round(&case.x), grad_output: round(&case.grad_output), ..case };
                let outcome = run(&case, &device.device, Setting { dtype, ..Setting::PLAIN });
                let expected = Expected::of(&case);
                for (what, got, want) in [
                    ("y", &outcome.y, &expected.y.values),
                    ("grad_input", &outcome.grad_input, &expected.grad_input.values),
                ] {
                    // Rounded once from what f32 makes: half an ulp of the type, and a little for f32's own.
                    let relative = if dtype == DType::F16 { 2f64.powi(-11) } else { 2f64.powi(-8) };
                    for (index, (&got, &want)) in got.iter().zip(want).enumerate() {
                        let allowed = 1.01 * relative * want.abs() + 4e-6;
                        let error = (f64::from(got) - want).abs();
                        assert!(
                            error <= allowed,
                            "{what}[{index}] of {} as {dtype:?} on {} is {got}, not {want}",
                            case.name,
                            device.name
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn betas_and_their_gradient() {
    let base = windows([3, 3], [2]).padding([1]);
    let case = Case::normal("learned betas", base, [3, 4, 13, 11]);
    for betas in [vec![0.75f32], vec![0.5, -1.25, 2.0, 3.0], vec![0.0]] {
        let reference = Reference::new(&case.config).with_betas(&betas);
        let y = reference.forward(&case.shape, &case.x).expect("a valid case").y;
        let grad_input = reference.backward(&case.shape, &case.x, &case.grad_output).expect("a valid case");
        let by_channel = reference.grad_beta(&case.shape, &case.x, &case.grad_output).expect("a valid case");
        let grad_betas = if betas.len() == 1 { vec![by_channel.iter().sum()] } else { by_channel };
        for device in one_of_each_path() {
            let outcome = run(&case, &device.device, Setting { betas: Some(&betas), ..Setting::PLAIN });
            let got = outcome.grad_betas.expect("the betas are tracked");
            for (what, got, want) in [
                ("y", outcome.y, &y),
                ("grad_input", outcome.grad_input, &grad_input),
                ("grad_betas", got, &grad_betas),
            ] {
                assert_eq!(got.len(), want.len(), "{what} on {}", device.name);
                for (index, (&got, &want)) in got.iter().zip(want).enumerate() {
                    // 168 windows of values around 1, summed in f32.
                    let allowed = if what == "grad_betas" { 2e-5 } else { 2e-6 } * want.abs().max(1.0);
                    assert!(
                        (f64::from(got) - want).abs() <= allowed,
                        "{what}[{index}] with {betas:?} on {} is {got}, not {want}",
                        device.name
                    );
                }
            }
        }
    }
}

#[test]
fn the_detached_rule_has_no_gradient_of_beta() {
    let case = Case::normal("detached betas", windows([2, 2], [2]), [1, 2, 6, 6]).detached();
    for device in all() {
        let outcome = run(&case, &device.device, Setting { betas: Some(&[1.5]), ..Setting::PLAIN });
        assert!(outcome.grad_betas.is_none_or(|grad| grad.iter().all(|&grad| grad == 0.0)), "{}", device.name);
    }
}
