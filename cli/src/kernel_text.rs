//! `softpool wgsl`: what a pooling would dispatch, as text or as a table, without a device.

use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use naga::ShaderStage;
use naga::back::{glsl, hlsl, msl, spv};
use naga::proc::BoundsCheckPolicies;
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, Module, StorageAccess};
use rspirv::binary::Disassemble;
use softpool::{Dispatch, wgpu};

use crate::call::{Call, CallArguments, Operation};
use crate::failure::{Failure, Result};

#[derive(Args)]
pub struct KernelArguments {
    #[command(flatten)]
    call: CallArguments,
    /// The language: WGSL is what wgpu is handed. The others are naga's translations by its own options; wgpu's for a
    /// device may add checks of bounds.
    #[arg(long, value_enum, default_value = "wgsl", conflicts_with = "list")]
    language: Language,
    /// Print a table of the dispatches instead: kernel, workgroups, workgroup size, bytes of WGSL and bindings.
    #[arg(long)]
    list: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Language {
    Wgsl,
    /// Disassembled.
    Spirv,
    Msl,
    Hlsl,
    /// Of ES 3.1.
    Glsl,
}

/// The texts, or the table; what to print.
pub fn run(operation: &Operation<KernelArguments>) -> Result<String> {
    let arguments = operation.arguments();
    // No text depends on beta.
    let call = Call::new("wgsl", operation, &arguments.call, 1.0)?;
    let limits = limits_of_a_gpu();
    let (recipe, _) = call.recipe(operation, &arguments.call, &limits)?;
    if recipe.dispatches().is_empty() {
        return Ok("nothing: the tensors are empty".into());
    }
    if arguments.list { table(recipe.dispatches()) } else { texts(recipe.dispatches(), arguments.language) }
}

/// wgpu's defaults, but for the sizes of buffers that GPUs have: what one binding holds is not split.
fn limits_of_a_gpu() -> wgpu::Limits {
    wgpu::Limits { max_buffer_size: 1 << 31, max_storage_buffer_binding_size: (1 << 31) - 4, ..wgpu::Limits::default() }
}

/// The text of each kernel, under a line that says what it is.
fn texts(dispatches: &[Dispatch<'_>], language: Language) -> Result<String> {
    let mut text = String::new();
    // Pieces of a kernel, where one dispatch would go beyond a limit, follow each other.
    let kernels: Vec<_> = dispatches.chunk_by(|first, second| first.kernel == second.kernel).collect();
    for (index, of_kernel) in kernels.iter().enumerate() {
        let kernel = &of_kernel[0].kernel;
        let (label, wgsl) = (kernel.label(), kernel.wgsl());
        let comment = if language == Language::Spirv { ";" } else { "//" };
        let separator = if index > 0 { "\n" } else { "" };
        let _ = writeln!(text, "{separator}{comment} {} of {}: {label}", index + 1, kernels.len());
        text += wgsl_in(language, &wgsl)
            .map_err(|problem| Failure::Usage(format!("{label}: {problem}; this is a fault of softpool")))?
            .trim_end();
        text.push('\n');
    }
    Ok(text)
}

/// A kernel's text in a language.
fn wgsl_in(language: Language, wgsl: &str) -> Result<String, String> {
    if language == Language::Wgsl {
        return Ok(wgsl.to_owned());
    }
    let (module, info) = parse(wgsl)?;
    let stage = ShaderStage::Compute;
    match language {
        Language::Wgsl => Ok(wgsl.to_owned()),
        Language::Spirv => {
            let pipeline = spv::PipelineOptions { shader_stage: stage, entry_point: "main".into() };
            let words = spv::write_vec(&module, &info, &spv::Options::default(), Some(&pipeline));
            let words = words.map_err(|error| format!("no SPIR-V: {error}"))?;
            let mut loader = rspirv::dr::Loader::new();
            rspirv::binary::parse_words(&words, &mut loader).map_err(|error| format!("no SPIR-V: {error}"))?;
            Ok(loader.module().disassemble())
        }
        Language::Msl => {
            let written = msl::write_string(&module, &info, &Default::default(), &Default::default());
            written.map(|(text, _)| text).map_err(|error| format!("no MSL: {error}"))
        }
        Language::Hlsl => {
            let mut text = String::new();
            let (options, pipeline) = (hlsl::Options::default(), hlsl::PipelineOptions::default());
            let written = hlsl::Writer::new(&mut text, &options, &pipeline).write(&module, &info, None);
            written.map_err(|error| format!("no HLSL: {error}"))?;
            Ok(text)
        }
        Language::Glsl => {
            let mut text = String::new();
            let version = glsl::Version::Embedded { version: 310, is_webgl: false };
            let options = glsl::Options { version, ..Default::default() };
            let pipeline = glsl::PipelineOptions { shader_stage: stage, entry_point: "main".into(), multiview: None };
            glsl::Writer::new(&mut text, &module, &info, &options, &pipeline, BoundsCheckPolicies::default())
                .and_then(|mut writer| writer.write())
                .map_err(|error| format!("no GLSL: {error}"))?;
            Ok(text)
        }
    }
}

fn parse(wgsl: &str) -> Result<(Module, ModuleInfo), String> {
    let module = naga::front::wgsl::parse_str(wgsl).map_err(|error| error.emit_to_string(wgsl))?;
    // What GPUs have without a feature.
    let info = Validator::new(ValidationFlags::all(), Capabilities::SHADER_FLOAT16_IN_FLOAT32).validate(&module);
    info.map(|info| (module, info)).map_err(|error| error.emit_to_string(wgsl))
}

/// A line for each dispatch.
fn table(dispatches: &[Dispatch<'_>]) -> Result<String> {
    let mut rows = vec![["kernel", "workgroups", "of invocations", "bytes", "bindings"].map(str::to_owned)];
    for dispatch in dispatches {
        let (label, wgsl) = (dispatch.kernel.label(), dispatch.kernel.wgsl());
        let by_axis = |sizes: [u32; 3]| sizes.map(|size| size.to_string()).join("x");
        let (module, _) = parse(&wgsl).map_err(|problem| Failure::Usage(format!("{label}: {problem}")))?;
        rows.push([
            label,
            by_axis(dispatch.workgroups),
            by_axis(dispatch.kernel.workgroup_size()),
            wgsl.len().to_string(),
            bindings(&module),
        ]);
    }
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..4).map(width).collect();
    let line = |[kernel, workgroups, size, bytes, bindings]: &[String; 5]| {
        let [a, b, c, d] = widths[..] else { unreachable!("four columns have widths") };
        format!("{kernel:<a$}  {workgroups:>b$}  {size:>c$}  {bytes:>d$}  {bindings}\n")
    };
    Ok(rows.iter().map(line).collect())
}

/// What a kernel reads and writes: "x read, y read_write, params uniform".
fn bindings(module: &Module) -> String {
    let mut bound: Vec<_> = module
        .global_variables
        .iter()
        .filter_map(|(_, variable)| {
            let access = match variable.space {
                AddressSpace::Storage { access } if access.contains(StorageAccess::STORE) => "read_write",
                AddressSpace::Storage { .. } => "read",
                _ => "uniform",
            };
            let binding = variable.binding.as_ref()?;
            Some((binding.binding, format!("{} {access}", variable.name.as_deref().unwrap_or("?"))))
        })
        .collect();
    bound.sort();
    bound.into_iter().map(|(_, binding)| binding).collect::<Vec<_>>().join(", ")
}
