//! A small network with poolings that learn their betas: it trains, by both paths.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::activation::relu;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use softpool_burn::{AdaptiveSoftPool2d, AdaptiveSoftPool2dConfig, Beta, SoftPool2d, SoftPool2dConfig};

use crate::common::Random;
use crate::devices::one_of_each_path;

/// Images of a class, and their size.
const IMAGES: usize = 16;
const SIZE: usize = 12;
const CLASSES: usize = 3;
const STEPS: usize = 30;
/// The loss starts near ln 3.
const LEAST_FALL: f32 = 8.0;

#[derive(Module, Debug)]
struct Network {
    first: Conv2d,
    pool: SoftPool2d,
    second: Conv2d,
    global: AdaptiveSoftPool2d,
    head: Linear,
}

impl Network {
    fn new(device: &Device) -> Self {
        let conv = |channels| Conv2dConfig::new(channels, [3, 3]).with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1));
        Self {
            first: conv([1, 6]).init(device),
            pool: SoftPool2dConfig::new([3, 3])
                .with_strides([2, 2])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .with_beta(Beta::LearnedByChannel { channels: 6, initial: 1.0 })
                .init(device),
            second: conv([6, 8]).init(device),
            global: AdaptiveSoftPool2dConfig::new([1, 1]).with_beta(Beta::Learned(1.0)).init(device),
            head: LinearConfig::new(8, CLASSES).init(device),
        }
    }

    fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = self.pool.forward(relu(self.first.forward(images)));
        let x = self.global.forward(relu(self.second.forward(x)));
        self.head.forward(x.flatten(1, 3))
    }
}

/// Stripes across, stripes down, and checks, at random places, with noise.
fn images() -> (Vec<f32>, Vec<i32>) {
    let mut random = Random::new(3);
    let (mut pixels, mut classes) = (Vec::new(), Vec::new());
    for image in 0..IMAGES * CLASSES {
        let class = image % CLASSES;
        let (down, across) = (random.uniform() > 0.5, random.uniform() > 0.5);
        for row in 0..SIZE {
            for column in 0..SIZE {
                let lit = match class {
                    0 => (row % 4 < 2) ^ down,
                    1 => (column % 4 < 2) ^ across,
                    _ => (row % 4 < 2) ^ (column % 4 < 2) ^ down,
                };
                pixels.push(f32::from(u8::from(lit)) + 0.3 * random.normal());
            }
        }
        classes.push(class as i32);
    }
    (pixels, classes)
}

#[test]
fn the_loss_falls() {
    for device in one_of_each_path() {
        let device_name = device.name;
        let device = device.device.autodiff();
        device.seed(11);
        let (pixels, classes) = images();
        let count = classes.len();
        let x = Tensor::<4>::from_data(TensorData::new(pixels, [count, 1, SIZE, SIZE]), (&device, DType::F32));
        let classes = Tensor::<1, Int>::from_data(TensorData::new(classes, [count]), &device);
        let criterion = CrossEntropyLossConfig::new().init(&device);
        let mut network = Network::new(&device);
        let mut adam = AdamConfig::new().init();
        let mut losses = Vec::new();
        for _ in 0..STEPS {
            let loss = criterion.forward(network.forward(x.clone()), classes.clone());
            losses.push(loss.clone().into_scalar::<f32>());
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            network = adam.step(0.03, network, gradients);
        }
        let (first, last) = (losses[0], losses[STEPS - 1]);
        assert!(first > LEAST_FALL * last, "on {device_name} the loss went from {first} to {last} only: {losses:?}");
        for learned in [&network.pool.learned_beta, &network.global.learned_beta] {
            let betas = learned.as_ref().expect("it is learned").val().into_data().try_to_vec::<f32>().expect("floats");
            assert!(betas.iter().all(|&beta| beta.is_finite() && beta != 1.0), "on {device_name}: {betas:?}");
        }
    }
}
