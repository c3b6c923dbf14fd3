#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod cache;
mod config;
mod context;
mod error;
mod geometry;
mod params;
mod plan;
mod pool;
pub mod reference;
mod shape;
mod specialise;
mod tensor;
mod unroll;

pub use cache::PipelineCache;
pub use config::{GradientRule, MAX_AXIS_PARAMETER, SoftPoolConfig, SoftPoolConfigBuilder};
pub use context::{ADAPTER_VARIABLE, GpuContext, adapter_name, adapters};
pub use error::{Error, Result};
pub use geometry::Tuning;
pub use plan::Plan;
#[doc(hidden)]
pub use pool::shader_sources;
pub use pool::{BackwardTensors, Forward, ForwardTensors, GpuSoftPool, Outputs, Statistics, StatisticsView};
pub use shape::Shape;
pub use tensor::{GpuTensor, TensorView};
pub use wgpu;
