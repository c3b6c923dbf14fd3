//! `softpool recipe`: a call as data, for a host in any language, or as a table of what that data has.

use std::fmt::Write as _;

use clap::Args;
use serde::Serialize;
use softpool::{MemoryData, RecipeData, wgpu};

use crate::call::{Call, CallArguments, Operation};
use crate::failure::{Failure, Result};
use crate::memory_size::MemorySize;

#[derive(Args)]
pub struct RecipeArguments {
    #[command(flatten)]
    call: CallArguments,
    /// Inverse temperature: 0 is average pooling, towards infinity max pooling.
    #[arg(long, value_name = "B", default_value_t = 1.0, allow_hyphen_values = true, conflicts_with = "channel_betas")]
    beta: f32,
    /// The most that the host's device binds at once, maxStorageBufferBindingSize. What needs more is split into several
    /// dispatches. 128M is what every device has.
    #[arg(long, value_name = "SIZE", default_value = "128M")]
    max_binding: MemorySize,
    /// Print JSON: tensors, scratch, kernels with their WGSL, and dispatches with their bindings and bytes of parameters.
    #[arg(long)]
    json: bool,
}

/// What is printed: the recipe, and which call it is of.
#[derive(Serialize)]
struct CallData {
    call: &'static str,
    #[serde(flatten)]
    recipe: RecipeData,
}

/// The JSON, or the table; what to print.
pub fn run(operation: &Operation<RecipeArguments>) -> Result<String> {
    let arguments = operation.arguments();
    let call = Call::new("recipe", operation, &arguments.call, arguments.beta)?;
    let limits = limits(arguments.max_binding);
    let (recipe, tensors) = call.recipe(operation, &arguments.call, &limits)?;
    let recipe = RecipeData::new(&recipe, &tensors)?;
    if !arguments.json {
        return Ok(table(&recipe));
    }
    let data = CallData { call: operation.name(), recipe };
    serde_json::to_string(&data)
        .map_err(|error| Failure::Usage(format!("no JSON: {error}; this is a fault of softpool")))
}

/// WebGPU's defaults, which every device has, but for bindings of another size.
fn limits(max_binding: MemorySize) -> wgpu::Limits {
    let defaults = wgpu::Limits::default();
    let binding = max_binding.bytes() / 4 * 4;
    wgpu::Limits {
        max_storage_buffer_binding_size: binding,
        max_buffer_size: binding.max(defaults.max_buffer_size),
        ..defaults
    }
}

/// The tensors, then the scratch, then the dispatches, a line each.
fn table(recipe: &RecipeData) -> String {
    let mut text = String::new();
    let by_axis = |sizes: &[u32]| sizes.iter().map(u32::to_string).collect::<Vec<_>>().join("x");
    for tensor in &recipe.tensors {
        let access = if tensor.written { "written" } else { "read" };
        let (name, shape, strides) = (&tensor.name, &tensor.shape, &tensor.strides);
        let _ = writeln!(
            text,
            "{name}: {} {shape:?}, strides {strides:?}, {} bytes, {access}",
            tensor.element_type, tensor.bytes
        );
    }
    for (index, bytes) in recipe.scratch.iter().enumerate() {
        let _ = writeln!(text, "scratch {index}: {bytes} bytes");
    }
    for dispatch in &recipe.dispatches {
        let kernel = &recipe.kernels[dispatch.kernel];
        let bindings = dispatch.bindings.iter().map(|binding| match &binding.memory {
            MemoryData::Tensor(name) => name.clone(),
            MemoryData::Scratch(index) => format!("scratch {index}"),
        });
        let bindings: Vec<_> = bindings.collect();
        let (workgroups, size) = (by_axis(&dispatch.workgroups), by_axis(&kernel.workgroup_size));
        let _ = writeln!(text, "{}: {workgroups} workgroups of {size}, on {}", kernel.label, bindings.join(", "));
    }
    if recipe.dispatches.is_empty() {
        text += "nothing to dispatch: the tensors are empty\n";
    }
    text
}
