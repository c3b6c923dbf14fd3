//! A kernel's text as wgpu hands it to a Vulkan driver.

use std::error::Error;

use naga::back::spv;
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use serde::{Deserialize, Serialize};

/// A kernel's text, parsed and validated.
///
/// # Errors
/// What naga says of the text.
pub fn parse(wgsl: &str) -> Result<(naga::Module, ModuleInfo), Box<dyn Error>> {
    let module = naga::front::wgsl::parse_str(wgsl).map_err(|error| error.emit_to_string(wgsl))?;
    // What GPUs have in Vulkan without a feature.
    let info = Validator::new(ValidationFlags::all(), Capabilities::SHADER_FLOAT16_IN_FLOAT32).validate(&module)?;
    Ok((module, info))
}

/// What a kernel binds at a place.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(missing_docs, reason = "they are Vulkan's kinds")]
pub enum Binding {
    UniformBuffer,
    StorageBuffer,
    SampledImage,
    StorageImage,
}

/// What a kernel binds, by its place in group 0.
fn bindings(module: &naga::Module) -> Vec<(u32, Binding)> {
    let bound = module.global_variables.iter().filter_map(|(_, variable)| {
        let image = match module.types[variable.ty].inner {
            naga::TypeInner::Image { class: naga::ImageClass::Storage { .. }, .. } => Binding::StorageImage,
            _ => Binding::SampledImage,
        };
        let binding = match variable.space {
            naga::AddressSpace::Uniform => Binding::UniformBuffer,
            naga::AddressSpace::Storage { .. } => Binding::StorageBuffer,
            naga::AddressSpace::Handle => image,
            _ => return None,
        };
        Some((variable.binding.as_ref()?.binding, binding))
    });
    bound.collect()
}

/// A kernel as SPIR-V.
#[derive(Debug)]
pub struct Translated {
    /// Its words.
    pub words: Vec<u32>,
    /// What it binds, by its place in group 0.
    pub bindings: Vec<(u32, Binding)>,
}

/// As SPIR-V, with the options of wgpu-hal 30 for a device that has robustBufferAccess2, as all of today's GPU drivers do,
/// and of softpool, which asks for no zeros in the workgroup's memory.
///
/// # Errors
/// What naga says of the text.
pub fn translate(wgsl: &str) -> Result<Translated, Box<dyn Error>> {
    let (module, info) = parse(wgsl)?;
    let options = spv::Options {
        lang_version: (1, 6),
        flags: spv::WriterFlags::LABEL_VARYINGS | spv::WriterFlags::FORCE_POINT_SIZE,
        bounds_check_policies: BoundsCheckPolicies {
            index: BoundsCheckPolicy::Restrict,
            buffer: BoundsCheckPolicy::Unchecked,
            image_load: BoundsCheckPolicy::Unchecked,
            binding_array: BoundsCheckPolicy::Unchecked,
        },
        zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
        force_loop_bounding: true,
        emit_int_div_checks: true,
        ..Default::default()
    };
    let pipeline = spv::PipelineOptions { shader_stage: naga::ShaderStage::Compute, entry_point: "main".into() };
    let words = spv::write_vec(&module, &info, &options, Some(&pipeline))?;
    Ok(Translated { words, bindings: bindings(&module) })
}
