#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod composed;
mod launch;
mod modules;
mod operation;
mod options;
mod padding;
mod refuse;

pub use modules::{
    AdaptiveSoftPool1d, AdaptiveSoftPool1dConfig, AdaptiveSoftPool2d, AdaptiveSoftPool2dConfig, AdaptiveSoftPool3d,
    AdaptiveSoftPool3dConfig, Beta, SoftPool1d, SoftPool1dConfig, SoftPool2d, SoftPool2dConfig, SoftPool3d,
    SoftPool3dConfig,
};
pub use options::{GradientRule, SoftPoolOptions, soft_pool1d, soft_pool2d, soft_pool3d};
