//! softpool-burn on every backend of this build: its own kernels on wgpu, through Vulkan (or what the platform has) and GL,
//! and the composition of Burn's operations on its CPU backend.
//!
//! One program for all tests but those that watch the whole process: each such program links Burn.

#[path = "../../../tests/common/mod.rs"]
mod common;
mod devices;
mod golden;
mod gradients;
mod misuse;
mod modules;
mod parity;
mod training;
