//! What the compilers of real GPUs make of softpool's kernels: registers, spills, instructions, widths of loads and stores,
//! on machines without these GPUs. `cargo bench --bench compilers` runs it.
//!
//! ```text
//! cases     which poolings, and what their kernels may cost
//! textures  the same of textures
//! kernels   a case's dispatches, as softpool hands them to wgpu for a GPU
//! spirv     a kernel's text as wgpu hands it to a Vulkan driver
//! radv      Mesa's compiler for AMD's GPUs, in a process of its own; vulkan calls it, isa reads its code
//! nvidia    NVIDIA's compiler, where it is installed
//! report    the rows of the results, and which miss their budgets
//! ```

pub mod cases;
pub mod isa;
pub mod kernels;
pub mod nvidia;
pub mod radv;
pub mod report;
pub mod spirv;
pub mod textures;
pub mod vulkan;
