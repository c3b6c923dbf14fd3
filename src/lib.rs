//! SoftPool as WGSL compute kernels on wgpu.

mod config;
mod context;
mod error;
pub mod reference;
mod shape;
mod tensor;

pub use config::{GradientRule, MAX_AXIS_PARAMETER, SoftPoolConfig, SoftPoolConfigBuilder};
pub use context::{ADAPTER_VARIABLE, GpuContext, adapter_name, adapters};
pub use error::{Error, Result};
pub use shape::Shape;
pub use tensor::{GpuTensor, TensorView};
pub use wgpu;
