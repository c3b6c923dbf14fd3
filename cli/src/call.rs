//! A call of a pooling as `softpool wgsl` and `softpool recipe` take it: by sizes alone, worked out without a device.

use std::path::Path;

use clap::{Args, Subcommand, ValueEnum};
use softpool::{
    BackwardTensors, ElementType, ForwardTensors, GradBetaTensors, GradientRule, JvpTensors, Memory, Recipe, Recipes,
    SecondBackwardTensors, Shape, SoftPoolConfig, StatisticsView, TensorView, Tuning, wgpu,
};

use crate::arguments::Rule;
use crate::axis_list::AxisList;
use crate::dtype::Dtype;
use crate::failure::{Failure, Result};
use crate::windows::WindowArguments;

/// Which call, with the arguments of a command.
#[derive(Subcommand)]
pub enum Operation<Arguments: Args> {
    /// What `forward` dispatches.
    Forward(Arguments),
    /// What `backward` dispatches.
    Backward(Arguments),
    /// What computes the gradient of beta.
    GradBeta(Arguments),
    /// What computes the forward-mode derivative.
    Jvp(Arguments),
    /// What computes the derivative of the backward pass.
    SecondBackward(Arguments),
}

impl<Arguments: Args> Operation<Arguments> {
    pub fn arguments(&self) -> &Arguments {
        let (Self::Forward(arguments)
        | Self::Backward(arguments)
        | Self::GradBeta(arguments)
        | Self::Jvp(arguments)
        | Self::SecondBackward(arguments)) = self;
        arguments
    }

    /// The call's name on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Forward(_) => "forward",
            Self::Backward(_) => "backward",
            Self::GradBeta(_) => "grad-beta",
            Self::Jvp(_) => "jvp",
            Self::SecondBackward(_) => "second-backward",
        }
    }
}

/// The pooling and its tensors.
#[derive(Args)]
pub struct CallArguments {
    /// The input's sizes, a comma list: N,C,L or N,C,H,W or N,C,D,H,W, or these without N where the windows say so.
    #[arg(long, value_name = "SIZES", allow_hyphen_values = true)]
    input_size: AxisList,
    #[command(flatten)]
    windows: WindowArguments,
    /// Whether gradients also go through the softmax weights.
    #[arg(long, value_enum, default_value = "exact")]
    rule: Rule,
    /// A beta for each channel, on the device.
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
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TuningName {
    Gpu,
    /// A software driver.
    Cpu,
    /// A software driver's GL.
    Gl,
    /// A browser's software adapter.
    Web,
}

impl From<TuningName> for Tuning {
    fn from(name: TuningName) -> Self {
        match name {
            TuningName::Gpu => Self::GPU,
            TuningName::Cpu => Self::CPU,
            TuningName::Gl => Self::SOFTWARE_GL,
            TuningName::Web => Self::SOFTWARE_WEB,
        }
    }
}

/// A call's pooling and shapes.
pub struct Call {
    config: SoftPoolConfig,
    shape: Shape,
    pooled: Shape,
}

/// The tensors of a call, by their names.
pub type NamedTensors = Vec<(&'static str, TensorView<'static>)>;

impl Call {
    /// # Errors
    /// What is wrong with the arguments of the command `softpool COMMAND OPERATION`.
    pub fn new<A: Args>(command: &str, operation: &Operation<A>, arguments: &CallArguments, beta: f32) -> Result<Self> {
        if arguments.lse && !matches!(operation, Operation::Forward(_)) {
            return Err(Failure::Usage(format!("--lse: only `softpool {command} forward` computes it; leave it out")));
        }
        let of_input = Path::new("--input-size");
        let shape = Shape::new(arguments.input_size.values())?;
        let rank = arguments.windows.rank(&shape, of_input)?;
        let shape = shape.of_rank(rank)?;
        let config = arguments.windows.config(rank, beta, GradientRule::from(arguments.rule), of_input)?;
        let pooled = shape.pooled(&config);
        let pooled = pooled.map_err(|error| Failure::of_file(of_input, format_args!("shape {shape}: {error}")))?;
        Ok(Self { config, shape, pooled })
    }

    /// What the call dispatches, within `limits`, and its tensors, each in memory of its own.
    pub fn recipe<'a, A: Args>(
        &'a self,
        operation: &Operation<A>,
        arguments: &CallArguments,
        limits: &'a wgpu::Limits,
    ) -> Result<(Recipe<'a>, NamedTensors)> {
        let mut tensors = Tensors { arguments, named: Vec::new() };
        let mut recipes = Recipes::new(&self.config, limits, arguments.tuning.into()).with_names_apart();
        let channels = Shape::new([self.shape.channels()])?;
        if arguments.channel_betas {
            recipes = recipes.with_betas(tensors.words("betas", channels));
        }
        let input = tensors.stored("x", self.shape)?;
        let statistics = |tensors: &mut Tensors<'_>| {
            let view = Shape::new([StatisticsView::bytes(&self.pooled) as usize / 4]);
            let view = view.map(|shape| tensors.words("statistics", shape))?;
            Ok::<_, Failure>(StatisticsView { memory: view.memory, byte_offset: 0 })
        };
        let recipe = match operation {
            Operation::Forward(_) => {
                let output = tensors.stored("y", self.pooled)?;
                let lse = arguments.lse.then(|| tensors.words("lse", self.pooled));
                let statistics = arguments.statistics.then(|| statistics(&mut tensors)).transpose()?;
                recipes.of(ForwardTensors { input, output, lse, statistics })?
            }
            Operation::Backward(_) => {
                let grad_output = tensors.stored("grad_output", self.pooled)?;
                let grad_input = tensors.stored("grad_input", self.shape)?;
                let statistics = arguments.statistics.then(|| statistics(&mut tensors)).transpose()?;
                recipes.of(BackwardTensors { input, grad_output, grad_input, statistics })?
            }
            Operation::GradBeta(_) => {
                let grad_output = tensors.stored("grad_output", self.pooled)?;
                let of_beta = if arguments.channel_betas { channels } else { Shape::new([1])? };
                let grad_beta = tensors.words("grad_beta", of_beta);
                let statistics = arguments.statistics.then(|| statistics(&mut tensors)).transpose()?;
                recipes.of(GradBetaTensors { input, grad_output, grad_beta, statistics })?
            }
            Operation::Jvp(_) => {
                let tangent = tensors.stored("tangent", self.shape)?;
                let output = tensors.stored("jvp", self.pooled)?;
                let statistics = arguments.statistics.then(|| statistics(&mut tensors)).transpose()?;
                recipes.of(JvpTensors { input, tangent, output, statistics })?
            }
            Operation::SecondBackward(_) => {
                let grad_output = tensors.stored("grad_output", self.pooled)?;
                let tangent = tensors.stored("tangent", self.shape)?;
                let grad_of_grad_output = Some(tensors.stored("grad_of_grad_output", self.pooled)?);
                let grad_of_input = tensors.stored("grad_of_input", self.shape)?;
                let statistics = arguments.statistics.then(|| statistics(&mut tensors)).transpose()?;
                recipes.of(SecondBackwardTensors {
                    input,
                    grad_output,
                    tangent,
                    grad_of_grad_output,
                    grad_of_input,
                    statistics,
                })?
            }
        };
        Ok((recipe, tensors.named))
    }
}

/// Makes a call's tensors.
struct Tensors<'a> {
    arguments: &'a CallArguments,
    named: NamedTensors,
}

impl Tensors<'_> {
    /// A tensor stored as the arguments say.
    fn stored(&mut self, name: &'static str, shape: Shape) -> Result<TensorView<'static>> {
        let element_type = ElementType::from(self.arguments.dtype);
        let view = self.contiguous(name, shape, element_type);
        let view = if self.arguments.channels_last { channels_last(view)? } else { view };
        self.named.push((name, view));
        Ok(view)
    }

    /// A contiguous f32 tensor.
    fn words(&mut self, name: &'static str, shape: Shape) -> TensorView<'static> {
        let view = self.contiguous(name, shape, ElementType::F32);
        self.named.push((name, view));
        view
    }

    fn contiguous(&self, name: &'static str, shape: Shape, element_type: ElementType) -> TensorView<'static> {
        debug_assert!(self.named.iter().all(|(known, _)| *known != name), "{name} is there already");
        // What is bound has elements.
        let bytes = (shape.elements() as u64 * element_type.bytes()).next_multiple_of(4).max(4);
        TensorView::new(Memory::Named { name: self.named.len() as u64, bytes }, shape).of_type(element_type)
    }
}

/// The same tensor with neighbouring channels next to each other.
fn channels_last(view: TensorView<'static>) -> Result<TensorView<'static>> {
    let shape = view.shape();
    let dims = shape.dims();
    let channel = dims.len() - shape.spatial().len() - 1;
    let mut strides = vec![1; dims.len()];
    let mut step = dims[channel];
    for axis in (channel + 1..dims.len()).rev().chain(0..channel) {
        strides[axis] = step;
        step = step.saturating_mul(dims[axis]);
    }
    Ok(view.with_strides(strides)?)
}
