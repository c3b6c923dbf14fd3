//! The modules in Burn's manner: shapes, display, configurations and parameters on disk, empty tensors.

use burn::config::Config;
use burn::module::Module;
use burn::nn::{PaddingConfig1d, PaddingConfig2d, PaddingConfig3d};
use burn::tensor::{DType, Device, Distribution, Tensor};
use softpool_burn::{
    AdaptiveSoftPool1dConfig, AdaptiveSoftPool2dConfig, AdaptiveSoftPool3dConfig, Beta, GradientRule, SoftPool1dConfig,
    SoftPool2d, SoftPool2dConfig, SoftPool3dConfig, SoftPoolOptions, soft_pool2d,
};

use crate::devices::all;

#[test]
fn shapes() {
    for device in all() {
        let device = &device.device;
        let (one, two, three) = (
            Tensor::<3>::ones([2, 3, 15], device),
            Tensor::<4>::ones([2, 3, 15, 13], device),
            Tensor::<5>::ones([2, 3, 7, 15, 13], device),
        );
        let pool = SoftPool1dConfig::new(3).with_stride(2).with_padding(PaddingConfig1d::Explicit(1, 1)).init(device);
        assert_eq!(pool.forward(one.clone()).dims(), [2, 3, 8]);
        let pool = SoftPool1dConfig::new(5).with_stride(1).with_padding(PaddingConfig1d::Same).init(device);
        assert_eq!(pool.forward(one.clone()).dims(), [2, 3, 15]);
        let pool = SoftPool2dConfig::new([3, 3]).with_strides([2, 2]).with_padding(PaddingConfig2d::Same).init(device);
        assert_eq!(pool.forward(two.clone()).dims(), [2, 3, 8, 7]);
        let pool = SoftPool2dConfig::new([2, 2]).with_ceil_mode(true).init(device);
        assert_eq!(pool.forward(two.clone()).dims(), [2, 3, 8, 7]);
        let pool = SoftPool2dConfig::new([2, 3]).with_dilation([2, 1]).init(device);
        assert_eq!(pool.forward(two.clone()).dims(), [2, 3, 7, 4]);
        let pool =
            SoftPool3dConfig::new([1, 3, 3]).with_strides([1, 2, 2]).with_padding(PaddingConfig3d::Explicit(0, 1, 1));
        assert_eq!(pool.init(device).forward(three.clone()).dims(), [2, 3, 7, 8, 7]);
        assert_eq!(AdaptiveSoftPool1dConfig::new(4).init(device).forward(one).dims(), [2, 3, 4]);
        assert_eq!(AdaptiveSoftPool2dConfig::new([4, 1]).init(device).forward(two).dims(), [2, 3, 4, 1]);
        assert_eq!(AdaptiveSoftPool3dConfig::new([1, 4, 5]).init(device).forward(three).dims(), [2, 3, 1, 4, 5]);
    }
}

#[test]
fn nothing_to_pool() {
    for device in all() {
        let none = Tensor::<4>::zeros([0, 3, 8, 8], (&device.device, DType::F32));
        assert_eq!(soft_pool2d(none, SoftPoolOptions::new([2, 2])).dims(), [0, 3, 4, 4], "{}", device.name);
    }
}

#[test]
fn display() {
    let device = Device::flex();
    let text = |module: &dyn std::fmt::Display| module.to_string();
    assert_eq!(
        text(&SoftPool1dConfig::new(3).init(&device)),
        "SoftPool1d {kernel_size: 3, stride: 3, padding: Valid, dilation: 1, ceil_mode: false, beta: 1}"
    );
    let pool = SoftPool2dConfig::new([3, 3]).with_beta(Beta::LearnedByChannel { channels: 16, initial: 1.0 });
    assert_eq!(
        text(&pool.init(&device)),
        "SoftPool2d {kernel_size: [3, 3], stride: [3, 3], padding: Valid, dilation: [1, 1], ceil_mode: false, \
         learned_betas: 16, params: 16}"
    );
    assert_eq!(
        text(&AdaptiveSoftPool3dConfig::new([1, 1, 1]).with_gradient_rule(GradientRule::Detached).init(&device)),
        "AdaptiveSoftPool3d {output_size: [1, 1, 1], beta: 1, gradient_rule: Detached}"
    );
}

#[test]
fn configurations_on_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pool.json");
    let config = SoftPool2dConfig::new([3, 2])
        .with_strides([2, 1])
        .with_padding(PaddingConfig2d::Explicit(1, 0, 1, 0))
        .with_dilation([1, 2])
        .with_ceil_mode(true)
        .with_beta(Beta::LearnedByChannel { channels: 4, initial: 0.5 })
        .with_gradient_rule(GradientRule::Exact);
    config.save(&path).expect("a writable folder");
    let loaded = SoftPool2dConfig::load(&path).expect("what was saved");
    assert_eq!(loaded.to_string(), config.to_string());
    let device = Device::flex();
    assert_eq!(loaded.init(&device).to_string(), config.init(&device).to_string());
}

#[test]
fn parameters_survive() {
    for device in all() {
        let device = &device.device;
        let config = SoftPool2dConfig::new([2, 2]).with_beta(Beta::LearnedByChannel { channels: 3, initial: 1.0 });
        let betas = [0.5, 2.0, -1.0];
        let trained = SoftPool2d {
            learned_beta: config.init(device).learned_beta.map(|beta| beta.map(|_| Tensor::from_floats(betas, device))),
            ..config.init(device)
        };
        let loaded = config.init(device).load_record(trained.clone().into_record());
        let x = Tensor::<4>::random([1, 3, 6, 6], Distribution::Normal(0.0, 1.0), device);
        loaded.forward(x.clone()).into_data().assert_eq(&trained.forward(x.clone()).into_data(), true);
        let by_function =
            soft_pool2d(x.clone(), SoftPoolOptions::new([2, 2]).with_betas(Tensor::from_floats(betas, device)));
        loaded.forward(x).into_data().assert_eq(&by_function.into_data(), true);
        assert_eq!(loaded.num_params(), 3);
    }
}
