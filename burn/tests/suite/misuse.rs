//! What must be refused, each with what was given, the rule and the fix, in the manner of Burn's own checks.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::nn::{PaddingConfig1d, PaddingConfig2d};
use burn::tensor::{Device, Tensor};
use softpool_burn::{
    AdaptiveSoftPool2dConfig, Beta, GradientRule, SoftPool1dConfig, SoftPool2dConfig, SoftPoolOptions, soft_pool1d,
    soft_pool2d,
};

use crate::devices::all;

/// Asserts that `call` panics, on every device, with a message that holds these parts.
fn refused(call: impl Fn(&Device), parts: &[&str]) {
    for device in all() {
        let panic = catch_unwind(AssertUnwindSafe(|| call(&device.device))).expect_err("it must be refused");
        let message = panic.downcast_ref::<String>().expect("a message");
        assert!(message.starts_with("=== Tensor Operation Error ===\n  Operation: '"), "{message}");
        for part in parts {
            assert!(message.contains(part), "on {}: {message}\nlacks: {part}", device.name);
        }
    }
}

fn images(device: &Device) -> Tensor<4> {
    Tensor::ones([1, 2, 6, 5], device)
}

#[test]
fn options_that_break_a_rule() {
    let with = |options: fn(SoftPoolOptions<2>) -> SoftPoolOptions<2>| {
        move |device: &Device| drop(soft_pool2d(images(device), options(SoftPoolOptions::new([3, 3]))))
    };
    refused(
        with(|options| options.with_stride([0, 1])),
        &["'soft_pool2d'", "stride along height is 0", "1 to 67108864"],
    );
    refused(with(|options| options.with_padding([1, 2])), &["padding along width is 2", "at most 1"]);
    refused(with(|options| options.with_dilation([1, 0])), &["dilation along width is 0"]);
    refused(with(|options| options.with_dilation([3, 1])), &["height 6", "spans 7", "larger input"]);
    refused(with(|options| options.with_beta(f64::NAN)), &["beta is NaN", "must be finite"]);
    refused(with(|options| options.with_beta(1e300)), &["beta is inf", "must be finite"]);
    let adaptive = |device: &Device| drop(soft_pool2d(images(device), SoftPoolOptions::adaptive([0, 1])));
    refused(adaptive, &["adaptive output size 0 along height"]);
    let windows =
        |device: &Device| drop(soft_pool2d(images(device), SoftPoolOptions::adaptive([2, 2]).with_stride([1, 1])));
    refused(windows, &["an adaptive pooling with a stride", "leave it out"]);
    let short = |device: &Device| drop(soft_pool1d(Tensor::ones([1, 1, 2], device), SoftPoolOptions::new([3])));
    refused(short, &["'soft_pool1d'", "length 2"]);
}

#[test]
fn betas_of_another_number() {
    let betas = |device: &Device| {
        let betas = Tensor::<1>::ones([3], device);
        drop(soft_pool2d(images(device), SoftPoolOptions::new([2, 2]).with_betas(betas)));
    };
    refused(betas, &["3 betas for 2 channels", "one for each channel"]);
    let module = |device: &Device| {
        let beta = Beta::LearnedByChannel { channels: 5, initial: 1.0 };
        drop(SoftPool2dConfig::new([2, 2]).with_beta(beta).init(device).forward(images(device)));
    };
    refused(module, &["5 betas for 2 channels"]);
}

#[test]
fn betas_that_cannot_be_learned() {
    let detached = |device: &Device| {
        let config = SoftPool2dConfig::new([2, 2]).with_beta(Beta::Learned(1.0));
        drop(config.with_gradient_rule(GradientRule::Detached).init(device));
    };
    refused(detached, &["'SoftPool2dConfig'", "Learned(1.0) with the detached rule", "exact rule, or fix beta"]);
    let infinite = |device: &Device| {
        drop(AdaptiveSoftPool2dConfig::new([1, 1]).with_beta(Beta::Learned(f64::INFINITY)).init(device));
    };
    refused(infinite, &["'AdaptiveSoftPool2dConfig'", "Learned(inf)", "finite number"]);
    let none = |device: &Device| {
        let beta = Beta::LearnedByChannel { channels: 0, initial: 1.0 };
        drop(SoftPool2dConfig::new([2, 2]).with_beta(beta).init(device));
    };
    refused(none, &["channels: 0", "at least one beta"]);
}

#[test]
fn uneven_padding() {
    let explicit = |device: &Device| {
        let config = SoftPool2dConfig::new([3, 3]).with_padding(PaddingConfig2d::Explicit(1, 0, 0, 0));
        drop(config.init(device).forward(images(device)));
    };
    refused(explicit, &["'SoftPool2d'", "padding of 1 before and 0 after spatial axis 0", "give equal numbers"]);
    let same = |device: &Device| {
        let config = SoftPool1dConfig::new(2).with_stride(1).with_padding(PaddingConfig1d::Same);
        drop(config.init(device).forward(Tensor::ones([1, 1, 8], device)));
    };
    refused(same, &["'SoftPool1d'", "same padding of 0 before and 1 after", "a kernel of odd size"]);
    let half = |device: &Device| {
        let config = SoftPool2dConfig::new([3, 3]).with_padding(PaddingConfig2d::Explicit(2, 2, 2, 2));
        drop(config.init(device).forward(images(device)));
    };
    refused(half, &["padding along height is 2", "at most 1"]);
}
