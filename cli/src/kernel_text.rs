//! `softpool wgsl`: what a pooling would dispatch, as text or as a table, without a device.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Args, Subcommand, ValueEnum};
use naga::ShaderStage;
use naga::back::{glsl, hlsl, msl, spv};
use naga::proc::BoundsCheckPolicies;
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, Module, StorageAccess};
use rspirv::binary::Disassemble;
use softpool::{
    BackwardTensors, Dispatch, ElementType, ForwardTensors, GradBetaTensors, JvpTensors, Memory, Recipe, Recipes,
    SecondBackwardTensors, Shape, SoftPoolConfig, StatisticsView, TensorView, Tuning, wgpu,
};

use crate::arguments::Rule;
use crate::axis_list::AxisList;
use crate::dtype::Dtype;
use crate::failure::{Failure, Result};
use crate::windows::WindowArguments;

#[derive(Subcommand)]
pub enum Operation {
    /// What `forward` dispatches.
    Forward(KernelArguments),
    /// What `backward` dispatches.
    Backward(KernelArguments),
    /// What computes the gradient of beta.
    GradBeta(KernelArguments),
    /// What computes the forward-mode derivative.
    Jvp(KernelArguments),
    /// What computes the derivative of the backward pass.
    SecondBackward(KernelArguments),
}

#[derive(Args)]
pub struct KernelArguments {
    /// The input's sizes, a comma list: N,C,L or N,C,H,W or N,C,D,H,W, or these without N where the windows say so.
    #[arg(long, value_name = "SIZES", allow_hyphen_values = true)]
    input_size: AxisList,
    #[command(flatten)]
    windows: WindowArguments,
    /// Whether gradients also go through the softmax weights.
    #[arg(long, value_enum, default_value = "exact")]
    rule: Rule,
    /// A beta for each channel, on the device. What it is makes no difference to the text.
    #[arg(long)]
    channel_betas: bool,
    /// The log-sum-exp of each window, too, of `forward`.
    #[arg(long)]
    lse: bool,
    /// The statistics of each window are there: `forward` saves them, the others read them.
    #[arg(long)]
    statistics: bool,
    /// What tensors are stored as; lse, statistics and betas are f32.
    #[arg(long, value_enum, default_value = "f32")]
    dtype: Dtype,
    /// The channels of a position lie next to each other (NHWC).
    #[arg(long)]
    channels_last: bool,
    /// The kind of device that blocks are sized for.
    #[arg(long, value_enum, default_value = "gpu")]
    tuning: TuningName,
    /// The language: WGSL is what wgpu is handed. The others are naga's translations by its own options; wgpu's for a
    /// device may add checks of bounds.
    #[arg(long, value_enum, default_value = "wgsl", conflicts_with = "list")]
    language: Language,
    /// Print a table of the dispatches instead: kernel, workgroups, workgroup size, bytes of WGSL and bindings.
    #[arg(long)]
    list: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TuningName {
    Gpu,
    /// A software driver.
    Cpu,
    /// A software driver's GL.
    Gl,
}

impl From<TuningName> for Tuning {
    fn from(name: TuningName) -> Self {
        match name {
            TuningName::Gpu => Self::GPU,
            TuningName::Cpu => Self::CPU,
            TuningName::Gl => Self::SOFTWARE_GL,
        }
    }
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
pub fn run(operation: &Operation) -> Result<String> {
    let (Operation::Forward(arguments)
    | Operation::Backward(arguments)
    | Operation::GradBeta(arguments)
    | Operation::Jvp(arguments)
    | Operation::SecondBackward(arguments)) = operation;
    if arguments.lse && !matches!(operation, Operation::Forward(_)) {
        return Err(Failure::Usage("--lse: only `softpool wgsl forward` computes it; leave it out".into()));
    }
    let of_input = Path::new("--input-size");
    let shape = Shape::new(arguments.input_size.values())?;
    let rank = arguments.windows.rank(&shape, of_input)?;
    let shape = shape.of_rank(rank)?;
    // No text depends on beta.
    let config = arguments.windows.config(rank, 1.0, arguments.rule.into(), of_input)?;
    let pooled = shape.pooled(&config);
    let pooled = pooled.map_err(|error| Failure::of_file(of_input, format_args!("shape {shape}: {error}")))?;
    let limits = limits_of_a_gpu();
    let tensors = Tensors { arguments, shape, pooled };
    let recipe = tensors.recipe(operation, &config, &limits)?;
    if recipe.dispatches().is_empty() {
        return Ok("nothing: the tensors are empty".into());
    }
    if arguments.list { table(recipe.dispatches()) } else { texts(recipe.dispatches(), arguments.language) }
}

/// wgpu's defaults, but for the sizes of buffers that GPUs have: what one binding holds is not split.
fn limits_of_a_gpu() -> wgpu::Limits {
    wgpu::Limits { max_buffer_size: 1 << 31, max_storage_buffer_binding_size: (1 << 31) - 4, ..wgpu::Limits::default() }
}

/// The tensors of a call, each in memory of its own.
struct Tensors<'a> {
    arguments: &'a KernelArguments,
    shape: Shape,
    pooled: Shape,
}

impl Tensors<'_> {
    fn recipe<'a>(
        &self,
        operation: &Operation,
        config: &'a SoftPoolConfig,
        limits: &'a wgpu::Limits,
    ) -> Result<Recipe<'a>> {
        let mut recipes = Recipes::new(config, limits, self.arguments.tuning.into()).with_names_apart();
        let channels = Shape::new([self.shape.channels()])?;
        if self.arguments.channel_betas {
            recipes = recipes.with_betas(contiguous(0, channels));
        }
        let (input, tangent, grad_input) =
            (self.tensor(1, self.shape)?, self.tensor(2, self.shape)?, self.tensor(3, self.shape)?);
        let (output, grad_output) = (self.tensor(4, self.pooled)?, self.tensor(5, self.pooled)?);
        let lse = self.arguments.lse.then(|| contiguous(6, self.pooled));
        let statistics = self.arguments.statistics.then(|| {
            let memory = Memory::Named { name: 7, bytes: StatisticsView::bytes(&self.pooled) };
            StatisticsView { memory, byte_offset: 0 }
        });
        let of_beta = if self.arguments.channel_betas { channels } else { Shape::new([1])? };
        let recipe = match operation {
            Operation::Forward(_) => recipes.forward(ForwardTensors { input, output, lse, statistics }),
            Operation::Backward(_) => recipes.backward(BackwardTensors { input, grad_output, grad_input, statistics }),
            Operation::GradBeta(_) => {
                recipes.grad_beta(GradBetaTensors { input, grad_output, grad_beta: contiguous(8, of_beta), statistics })
            }
            Operation::Jvp(_) => recipes.jvp(JvpTensors { input, tangent, output, statistics }),
            Operation::SecondBackward(_) => recipes.second_backward(SecondBackwardTensors {
                input,
                grad_output,
                tangent,
                grad_of_grad_output: Some(output),
                grad_of_input: grad_input,
                statistics,
            }),
        };
        Ok(recipe?)
    }

    /// A tensor stored as the arguments say.
    fn tensor(&self, name: u64, shape: Shape) -> Result<TensorView<'static>> {
        let element_type = ElementType::from(self.arguments.dtype);
        let bytes = (shape.elements() as u64 * element_type.bytes()).next_multiple_of(4);
        let view = TensorView::new(Memory::Named { name, bytes }, shape).of_type(element_type);
        if !self.arguments.channels_last {
            return Ok(view);
        }
        let dims = shape.dims();
        let mut strides = vec![1; dims.len()];
        let mut step = dims[1];
        for axis in (2..dims.len()).rev().chain([0]) {
            strides[axis] = step;
            step = step.saturating_mul(dims[axis]);
        }
        Ok(view.with_strides(strides)?)
    }
}

/// A contiguous f32 tensor.
fn contiguous(name: u64, shape: Shape) -> TensorView<'static> {
    TensorView::new(Memory::Named { name, bytes: shape.elements() as u64 * ElementType::F32.bytes() }, shape)
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
