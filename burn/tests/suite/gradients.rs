//! Gradients against finite differences in f64, and under Burn's strategies of gradient checkpointing.

use burn::tensor::activation::relu;
use burn::tensor::{DType, Device, Tensor, TensorData};
use softpool::SoftPoolConfig;
use softpool_burn::{SoftPoolOptions, soft_pool2d};

use crate::common::{Case, assert_same_bits, windows};
use crate::devices::{Setting, one_of_each_path, options, run};

/// Half the distance of the two points that a difference is taken between: errors of 1e-10, in f64.
const STEP: f64 = 1e-5;

/// `sum(y * grad_output)` in f64.
fn loss(case: &Case, x: &[f64], beta: f64) -> f64 {
    let device = Device::flex();
    let tensor = |values: Vec<f64>, dims: &[usize]| {
        Tensor::<4>::from_data(TensorData::new(values, dims.to_vec()), (&device, DType::F64))
    };
    let betas = Tensor::<1>::from_data(TensorData::new(vec![beta], [1]), (&device, DType::F64));
    let y = soft_pool2d(tensor(x.to_vec(), case.shape.dims()), options::<2>(case).with_betas(betas));
    let grad_output = case.grad_output.iter().map(|&grad| grad.into()).collect();
    (y * tensor(grad_output, case.pooled().dims())).sum().into_data().try_to_vec::<f64>().expect("a number")[0]
}

#[test]
fn differences_in_f64() {
    let cases = [
        Case::normal("k3 s2 p1", windows([3, 3], [2]).padding([1]), [1, 2, 6, 7]),
        Case::normal("k2 s2", windows([2, 2], [2]), [2, 1, 5, 6]),
        Case::normal("adaptive", SoftPoolConfig::adaptive([2, 3]), [1, 2, 5, 4]),
    ];
    for case in &cases {
        let beta = 1.5;
        let x: Vec<f64> = case.x.iter().map(|&x| x.into()).collect();
        let difference = |change: &dyn Fn(f64) -> f64| (change(STEP) - change(-STEP)) / (2.0 * STEP);
        let by_input: Vec<f64> = (0..x.len())
            .map(|index| {
                difference(&|step| {
                    let mut x = x.clone();
                    x[index] += step;
                    loss(case, &x, beta)
                })
            })
            .collect();
        let by_beta = difference(&|step| loss(case, &x, beta + step));
        for device in one_of_each_path() {
            let betas = [beta as f32];
            let outcome = run(case, &device.device, Setting { betas: Some(&betas), ..Setting::PLAIN });
            let what = format!("{} on {}", case.name, device.name);
            for (index, (&got, want)) in outcome.grad_input.iter().zip(&by_input).enumerate() {
                assert!((f64::from(got) - want).abs() <= 2e-6, "grad_input[{index}] of {what} is {got}, not {want}");
            }
            let got = outcome.grad_betas.expect("beta is tracked")[0];
            assert!((f64::from(got) - by_beta).abs() <= 1e-5, "the gradient of beta of {what} is {got}, not {by_beta}");
        }
    }
}

#[test]
fn the_same_bits_under_every_checkpointing_strategy() {
    // A kernel that evaluates windows again, and one that starts from statistics.
    for (kernel, stride) in [([2, 2], [2, 2]), ([13, 13], [3, 3])] {
        for device in one_of_each_path() {
            let gradients = |device: Device| {
                let case = Case::normal("checkpointing", windows(kernel, stride), [1, 3, 19, 21]);
                let data = TensorData::new(case.x.clone(), case.shape.dims().to_vec());
                let x = Tensor::<4>::from_data(data, (&device, DType::F32)).require_grad();
                // What the pooling reads is itself cheap to compute again, and so is what reads its result.
                let hidden = relu(x.clone() * 1.5 + 0.25);
                let y = soft_pool2d(hidden, SoftPoolOptions::new(kernel).with_stride(stride));
                let gradients = (relu(y.clone()) * y).sum().backward();
                x.grad(&gradients).expect("the input is tracked").into_data().try_to_vec::<f32>().expect("floats")
            };
            let kept = gradients(device.device.clone().autodiff());
            let again = gradients(device.device.clone().autodiff().gradient_checkpointing());
            assert!(kept.iter().any(|&grad| grad != 0.0));
            assert_same_bits(&format!("k{kernel:?} on {}", device.name), &again, &kept);
        }
    }
}
