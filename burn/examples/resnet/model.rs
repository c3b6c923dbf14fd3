//! The network: ResNet-18's stem and first two stages, narrowed for 28x28 digits, with the pooling left open.
//!
//! ```text
//! image   1 x 28 x 28
//! stem    conv 3x3, stride 2, norm, relu          C x 14 x 14
//! pool    3x3, stride 2, padding 1                C x  7 x  7
//! stage   two basic blocks                        C x  7 x  7
//! pool    3x3, stride 2, padding 1                C x  4 x  4
//! stage   two basic blocks, the first widens     2C x  4 x  4
//! head    mean over the image, linear            10
//! ```
//!
//! ResNet-18 pools after its stem, by the maximum, and halves between its stages by convolutions of stride 2. Here a
//! pooling does both, at the same kernel, stride and padding whichever pooling it is.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{AvgPool2d, AvgPool2dConfig, MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{Device, Tensor};
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};
use serde::{Deserialize, Serialize};
use softpool_burn::{Beta, SoftPool2d, SoftPool2dConfig};

use crate::data::{CLASSES, DigitBatch};

const POOL_KERNEL: [usize; 2] = [3, 3];
const POOL_STRIDE: [usize; 2] = [2, 2];
const POOL_PADDING: PaddingConfig2d = PaddingConfig2d::Explicit(1, 1, 1, 1);

/// How the network halves its images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    Soft(Beta),
    Max,
    Avg,
}

/// A residual network that tells digits.
#[derive(Module, Debug)]
pub struct ResNet {
    stem: ConvNorm,
    first_pool: Pool,
    first_stage: Vec<BasicBlock>,
    second_pool: Pool,
    second_stage: Vec<BasicBlock>,
    head: Linear,
}

#[derive(Module, Debug)]
enum Pool {
    Soft(SoftPool2d),
    Max(MaxPool2d),
    Avg(AvgPool2d),
}

/// Two convolutions added to what came in, or to a projection of it where the channels change.
#[derive(Module, Debug)]
struct BasicBlock {
    first: ConvNorm,
    second: ConvNorm,
    projection: Option<ConvNorm>,
}

#[derive(Module, Debug)]
struct ConvNorm {
    conv: Conv2d,
    norm: BatchNorm,
}

impl ResNet {
    /// A new network on the device, with weights from the device's random numbers. The second stage has twice `channels`.
    pub fn new(pooling: &Pooling, channels: usize, device: &Device) -> Self {
        let (narrow, wide) = (channels, 2 * channels);
        Self {
            stem: ConvNorm::new(1, narrow, 3, 2, device),
            first_pool: Pool::new(pooling, device),
            first_stage: vec![BasicBlock::new(narrow, narrow, device), BasicBlock::new(narrow, narrow, device)],
            second_pool: Pool::new(pooling, device),
            second_stage: vec![BasicBlock::new(narrow, wide, device), BasicBlock::new(wide, wide, device)],
            head: LinearConfig::new(wide, CLASSES).init(device),
        }
    }

    /// Images of (N, 1, H, W) to the logits of their digits, (N, 10).
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let stage = |x, blocks: &[BasicBlock]| blocks.iter().fold(x, |x, block| block.forward(x));
        let x = relu(self.stem.forward(images));
        let x = stage(self.first_pool.forward(x), &self.first_stage);
        let x = stage(self.second_pool.forward(x), &self.second_stage);
        let mean = x.flatten::<3>(2, 3).mean_dim(2).squeeze_dim(2);
        self.head.forward(mean)
    }

    /// The inverse temperatures of its poolings, where they are trained.
    pub fn betas(&self) -> Vec<f32> {
        let learned = [&self.first_pool, &self.second_pool].into_iter().filter_map(|pool| match pool {
            Pool::Soft(pool) => pool.learned_beta.as_ref(),
            Pool::Max(_) | Pool::Avg(_) => None,
        });
        learned.flat_map(|beta| beta.val().into_data().iter::<f32>().collect::<Vec<_>>()).collect()
    }

    /// Logits, and the cross-entropy of each image, so that the mean over batches of unlike sizes is that over images.
    fn classify(&self, batch: DigitBatch) -> ClassificationOutput {
        let logits = self.forward(batch.images);
        let likelihood = log_softmax(logits.clone(), 1).gather(1, batch.digits.clone().unsqueeze_dim(1));
        ClassificationOutput::new(-likelihood.squeeze_dim(1), logits, batch.digits)
    }
}

impl Pool {
    fn new(pooling: &Pooling, device: &Device) -> Self {
        match pooling {
            Pooling::Soft(beta) => {
                let config = SoftPool2dConfig::new(POOL_KERNEL).with_strides(POOL_STRIDE).with_padding(POOL_PADDING);
                Self::Soft(config.with_beta(beta.clone()).init(device))
            }
            Pooling::Max => {
                let config = MaxPool2dConfig::new(POOL_KERNEL).with_strides(POOL_STRIDE).with_padding(POOL_PADDING);
                Self::Max(config.init())
            }
            Pooling::Avg => {
                let config = AvgPool2dConfig::new(POOL_KERNEL).with_strides(POOL_STRIDE).with_padding(POOL_PADDING);
                // As in the other two, padding takes no part.
                Self::Avg(config.with_count_include_pad(false).init())
            }
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Soft(pool) => pool.forward(x),
            Self::Max(pool) => pool.forward(x),
            Self::Avg(pool) => pool.forward(x),
        }
    }
}

impl BasicBlock {
    fn new(channels_in: usize, channels_out: usize, device: &Device) -> Self {
        Self {
            first: ConvNorm::new(channels_in, channels_out, 3, 1, device),
            second: ConvNorm::new(channels_out, channels_out, 3, 1, device),
            projection: (channels_in != channels_out).then(|| ConvNorm::new(channels_in, channels_out, 1, 1, device)),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let residual = self.second.forward(relu(self.first.forward(x.clone())));
        let identity = match &self.projection {
            Some(projection) => projection.forward(x),
            None => x,
        };
        relu(residual + identity)
    }
}

impl ConvNorm {
    fn new(channels_in: usize, channels_out: usize, kernel: usize, stride: usize, device: &Device) -> Self {
        let config = Conv2dConfig::new([channels_in, channels_out], [kernel, kernel])
            .with_stride([stride, stride])
            .with_padding(PaddingConfig2d::Explicit(kernel / 2, kernel / 2, kernel / 2, kernel / 2))
            // The norm that follows takes any bias off again.
            .with_bias(false)
            // He et al.: keeps the variance through a relu.
            .with_initializer(Initializer::KaimingNormal { gain: 2_f64.sqrt(), fan_out_only: false });
        Self { conv: config.init(device), norm: BatchNormConfig::new(channels_out).init(device) }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm.forward(self.conv.forward(x))
    }
}

impl TrainStep for ResNet {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> TrainOutput<ClassificationOutput> {
        let output = self.classify(batch);
        let gradients = output.loss.clone().mean().backward();
        TrainOutput::new(self, gradients, output)
    }
}

impl InferenceStep for ResNet {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> ClassificationOutput {
        self.classify(batch)
    }
}

/// Burn draws from one sequence for the whole process: tests whose results depend on it take turns.
#[cfg(test)]
pub static RANDOM_NUMBERS: std::sync::Mutex<()> = std::sync::Mutex::new(());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::SIDE;

    const POOLINGS: [Pooling; 4] =
        [Pooling::Soft(Beta::Fixed(1.0)), Pooling::Soft(Beta::Learned(2.0)), Pooling::Max, Pooling::Avg];

    #[test]
    fn poolings_halve_alike_and_padding_takes_no_part() {
        for pooling in &POOLINGS {
            let device = Device::flex();
            for (side, half) in [(28, 14), (14, 7), (7, 4)] {
                let pooled = Pool::new(pooling, &device).forward(Tensor::full([2, 3, side, side], 2.5, &device));
                assert_eq!(pooled.dims(), [2, 3, half, half], "{pooling:?}");
                for value in pooled.into_data().try_to_vec::<f32>().unwrap() {
                    assert!((value - 2.5).abs() <= 2.0 * f32::EPSILON, "{pooling:?}: {value} of windows of 2.5");
                }
            }
        }
    }

    #[test]
    fn networks_start_from_the_same_weights_whatever_the_pooling() {
        let _alone = RANDOM_NUMBERS.lock();
        let weights = POOLINGS.each_ref().map(|pooling| {
            let device = Device::flex();
            device.seed(5);
            let network = ResNet::new(pooling, 4, &device);
            let logits = network.forward(Tensor::zeros([3, 1, SIDE, SIDE], &device));
            assert_eq!(logits.dims(), [3, CLASSES]);
            network.second_stage[1].second.conv.weight.val().into_data().try_to_vec::<f32>().unwrap()
        });
        assert!(weights.iter().all(|others| *others == weights[0]));
        assert!(weights[0].iter().any(|&weight| weight != 0.0));
    }
}
