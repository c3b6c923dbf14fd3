// The README's links to files lead to the guide here: of two definitions of a link the first counts.
//! [semantics]: guide::semantics
//! [accuracy]: guide::accuracy
//! [performance]: guide::performance
//! [hosts]: guide::hosts
//! [textures]: guide::textures
//! [command line]: guide::command_line
//! [ARCHITECTURE.md]: guide::architecture
//! [CONTRIBUTING.md]: guide::contributing
//! [CHANGELOG.md]: guide::changelog
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod bound;
mod cache;
mod config;
mod context;
mod cover;
mod device_limits;
mod element;
mod error;
mod extent;
mod fold;
mod fold_axes;
mod geometry;
mod grid;
mod guard;
pub mod guide;
mod kernels;
mod native;
mod operation;
mod params;
mod pieces;
mod plan;
mod pool;
mod problem;
mod prune;
mod recipe;
#[cfg(feature = "serde")]
mod recipe_data;
mod recipes;
pub mod reference;
mod shaders;
mod shape;
mod sources;
mod specialise;
mod sums;
mod tensor;
mod tensors;
pub mod texture;
mod tuning;
mod unroll;
#[cfg(not(target_arch = "wasm32"))]
mod wait;
mod words;

pub use cache::PipelineCache;
pub use config::{GradientRule, MAX_AXIS_PARAMETER, MAX_DILATION, MAX_SPAN, SoftPoolConfig, SoftPoolConfigBuilder};
pub use context::{ADAPTER_VARIABLE, GpuContext, adapter_name, adapters, device_name};
pub use element::ElementType;
pub use error::{Error, Result};
#[cfg(not(target_arch = "wasm32"))]
pub use native::measure_natives;
pub use native::{NativeErrors, Natives, measure_natives_async};
pub use operation::Operation;
pub use plan::Plan;
pub use pool::{Forward, GpuSoftPool, Outputs, SecondGradients, Statistics};
pub use recipe::{Binding, Dispatch, Recipe};
#[cfg(feature = "serde")]
pub use recipe_data::{
    Access, BindingData, DispatchData, KernelData, MemoryData, ParamsData, RECIPE_FORMAT, RecipeData, TensorData,
};
pub use recipes::Recipes;
pub use shape::Shape;
#[doc(hidden)]
pub use sources::{ShaderParts, kernel_names, shader_parts, shader_sources};
pub use specialise::Specialisation;
pub use tensor::{GpuTensor, Memory, TensorView};
pub use tensors::{
    BackwardTensors, ForwardTensors, GradBetaTensors, JvpTensors, SecondBackwardTensors, StatisticsView,
};
pub use tuning::Tuning;
pub use wgpu;
