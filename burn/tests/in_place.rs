//! What a pooling launches, and what it allocates: its own kernel and its own result, never a copy of the input.
//!
//! A program of its own, since it watches all launches of the process.

use std::sync::{Arc, Mutex};

use burn::tensor::{DType, Device, Distribution, Tensor};
use burn_cubecl::cubecl::logging::{LaunchObservation, LaunchObserver};
use softpool_burn::{SoftPoolOptions, soft_pool2d};

/// Bytes to which cubecl rounds an allocation up, at most.
const ALIGNMENT: u64 = 256;

/// The names of the kernels that were launched.
#[derive(Default)]
struct Launched(Mutex<Vec<&'static str>>);

impl LaunchObserver for Launched {
    fn launched(&self, kernel: &'static str) {
        self.0.lock().expect("no launch panics").push(kernel);
    }
}

/// What `call` launches, and by how many bytes the device's memory in use grows.
fn watched<T>(device: &Device, call: impl FnOnce() -> T) -> (T, Vec<&'static str>, u64) {
    let used = || {
        device.sync().expect("a device that works");
        device.memory_pool_usage().expect("cubecl reports it").bytes_in_use
    };
    let before = used();
    let launched = Arc::new(Launched::default());
    let watching = LaunchObservation::new(launched.clone());
    let result = call();
    device.sync().expect("a device that works");
    drop(watching);
    let names = launched.0.lock().expect("no launch panics").clone();
    (result, names, used() - before)
}

/// How an input comes about.
type Input = fn(&Device) -> Tensor<4>;

const INPUTS: [(&str, Input); 3] = [
    ("contiguous", |device| random([2, 16, 64, 48], device)),
    ("channels-last", |device| random([2, 64, 48, 16], device).permute([0, 3, 1, 2])),
    ("a slice", |device| random([2, 32, 64, 48], device).slice([0..2, 16..32])),
];

fn random(dims: [usize; 4], device: &Device) -> Tensor<4> {
    Tensor::random(dims, Distribution::Default, (device, DType::F32))
}

/// One test, so that nothing else is launched meanwhile.
#[test]
fn one_launch_and_no_copy() {
    let device = Device::wgpu(Default::default());
    for (what, input) in INPUTS {
        for (kernel, stride) in [([2, 2], [2, 2]), ([3, 3], [2, 2])] {
            let what = format!("{what}, k{kernel:?}");
            let x = input(&device.clone().autodiff()).detach().require_grad();
            let pool = || soft_pool2d(x.clone(), SoftPoolOptions::new(kernel).with_stride(stride));
            // Finishes what is queued, and compiles.
            drop(pool().sum().backward());

            let (y, names, bytes) = watched(&device, pool);
            assert_eq!(names.len(), 1, "{what}: {names:?}");
            assert!(names[0].starts_with("softpool_burn::"), "{names:?}");
            // Nothing of the windows is kept for the way back.
            assert_size(&format!("y, {what}"), bytes, &y);

            // The gradient of a sum is one number, for all elements.
            let loss = y.sum();
            let (gradient, names, bytes) = watched(&device, || x.grad(&loss.backward()).expect("the input is tracked"));
            let ours = names.iter().filter(|name| name.starts_with("softpool_burn::")).count();
            assert_eq!(ours, 1, "{what}: {names:?}");
            assert!(names.iter().all(|name| !name.contains("contiguous")), "{what}: {names:?}");
            assert_size(&format!("dL/dx, {what}"), bytes, &gradient);
        }
    }
}

fn assert_size(what: &str, bytes: u64, tensor: &Tensor<4>) {
    let needed = 4 * tensor.shape().num_elements() as u64;
    assert!((needed..=needed + ALIGNMENT).contains(&bytes), "{what} takes {bytes} bytes, and needs {needed}");
}
