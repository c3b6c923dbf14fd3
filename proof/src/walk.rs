//! The list of kernels, and which of them a pooling dispatches: how the stages choose what to run.

use softpool::{
    BackwardTensors, ElementType, ForwardTensors, GradBetaTensors, JvpTensors, Memory, Recipe, Recipes, Result,
    SecondBackwardTensors, Shape, SoftPoolConfig, Specialisation, StatisticsView, TensorView, Tuning, kernel_names,
    wgpu,
};

use crate::cases::{self, Case, Data, Storage, Windows};
use crate::device::channels_last_strides;

/// What a host asks of a pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    Forward,
    /// With lse and statistics.
    ForwardOfAll,
    Backward,
    BackwardFromStatistics,
    GradBeta,
    Jvp,
    SecondBackward,
}

impl Operation {
    pub const ALL: [Self; 7] = [
        Self::Forward,
        Self::ForwardOfAll,
        Self::Backward,
        Self::BackwardFromStatistics,
        Self::GradBeta,
        Self::Jvp,
        Self::SecondBackward,
    ];

    /// That of a bench's case.
    fn of(case: &Case) -> Self {
        match case.operation {
            cases::Operation::Forward | cases::Operation::ForwardByChannel => Self::Forward,
            cases::Operation::Backward => Self::Backward,
            cases::Operation::GradBeta => Self::GradBeta,
            cases::Operation::Jvp => Self::Jvp,
            cases::Operation::SecondBackward => Self::SecondBackward,
        }
    }
}

/// A pooling's tensors, each in a buffer of its own.
#[derive(Clone, Copy)]
pub struct Tensors<'a> {
    pub config: &'a SoftPoolConfig,
    pub shape: Shape,
    pub element_type: ElementType,
    pub channels_last: bool,
}

/// What an operation dispatches: kernels, and how many workgroups of each.
pub fn dispatches(
    tensors: Tensors<'_>,
    operation: Operation,
    tuning: Tuning,
    limits: &wgpu::Limits,
) -> Result<Vec<(Specialisation, [u32; 3])>> {
    let Tensors { config, shape, element_type, channels_last } = tensors;
    let recipes = Recipes::new(config, limits, tuning).with_names_apart();
    let pooled = shape.pooled(config)?;
    let view = |name: u64, shape: Shape, element_type: ElementType| -> Result<TensorView<'static>> {
        let bytes = (shape.elements() as u64 * element_type.bytes()).next_multiple_of(16);
        let view = TensorView::new(Memory::Named { name, bytes }, shape).of_type(element_type);
        if channels_last { view.with_strides(channels_last_strides(&shape)) } else { Ok(view) }
    };
    let (input, output) = (view(0, shape, element_type)?, view(1, pooled, element_type)?);
    let (grad_output, grad_input) = (view(2, pooled, element_type)?, view(3, shape, element_type)?);
    let tangent = view(4, shape, element_type)?;
    let memory = Memory::Named { name: 5, bytes: StatisticsView::bytes(&pooled) };
    let statistics = Some(StatisticsView { memory, byte_offset: 0 });
    let recipe: Recipe<'_> = match operation {
        Operation::Forward => recipes.of(ForwardTensors::new(input, output)),
        Operation::ForwardOfAll => {
            let lse = Some(view(6, pooled, ElementType::F32)?);
            recipes.of(ForwardTensors { input, output, lse, statistics })
        }
        Operation::Backward => recipes.of(BackwardTensors::new(input, grad_output, grad_input)),
        Operation::BackwardFromStatistics => recipes.of(BackwardTensors { input, grad_output, grad_input, statistics }),
        Operation::GradBeta => {
            let grad_beta = TensorView::new(Memory::Named { name: 7, bytes: 4 }, Shape::new([1])?);
            recipes.of(GradBetaTensors::new(input, grad_output, grad_beta))
        }
        Operation::Jvp => recipes.of(JvpTensors::new(input, tangent, output)),
        Operation::SecondBackward => recipes.of(SecondBackwardTensors {
            input,
            grad_output,
            tangent,
            grad_of_grad_output: Some(output),
            grad_of_input: grad_input,
            statistics: None,
        }),
    }?;
    Ok(recipe.dispatches().iter().map(|dispatch| (dispatch.kernel, dispatch.workgroups)).collect())
}

/// What a bench's case dispatches.
pub fn dispatches_of_case(
    case: &Case,
    tuning: Tuning,
    limits: &wgpu::Limits,
) -> Result<Vec<(Specialisation, [u32; 3])>> {
    let (config, shape) = (case.config()?, Shape::new(case.shape)?);
    let tensors =
        Tensors { config: &config, shape, element_type: case.element_type(), channels_last: case.is_channels_last() };
    dispatches(tensors, Operation::of(case), tuning, limits)
}

/// Poolings of kernels that the bench `roofline` has no case of.
fn rare() -> [Case; 5] {
    use cases::Operation::{Backward, Jvp};
    let case =
        |shape, windows, operation| Case { shape, windows, operation, storage: Storage::Plain, data: Data::Normal };
    [
        case(&[8, 64, 112, 112], Windows::Adaptive(&[50, 50]), Jvp),
        case(&[8, 512, 14, 14], Windows::Global, Jvp),
        case(&[8, 512, 14, 14], Windows::Global, Backward),
        case(&[8, 64, 12544], Windows::Fixed(&[9], 1, 4), Backward),
        // More than 4096 windows hold an input.
        case(&[1, 16, 8400], Windows::Fixed(&[4200], 1, 0), Backward),
    ]
}

/// The kernels that a tuning may choose: some are for exponentials that are instructions.
pub fn kernels_of(tuning: Tuning) -> impl Iterator<Item = String> {
    kernel_names().into_iter().filter(move |kernel| tuning.natives.exp2 || !kernel.ends_with("Taps"))
}

/// For each kernel of a tuning the first case of the bench that dispatches it, or none.
pub fn a_case_of_each_kernel(tuning: Tuning, limits: &wgpu::Limits) -> Result<Vec<(String, Option<Case>)>> {
    let mut found = Vec::new();
    for case in cases::all().into_iter().chain(rare()).filter(|case| case.data == Data::Normal) {
        let names: Vec<_> =
            dispatches_of_case(&case, tuning, limits)?.iter().map(|(kernel, _)| kernel.kernel()).collect();
        found.push((names, case));
    }
    let first = |kernel: &String| found.iter().find(|(names, _)| names.contains(kernel)).map(|(_, case)| *case);
    Ok(kernels_of(tuning).map(|kernel| (first(&kernel), kernel)).map(|(case, kernel)| (kernel, case)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kernel_has_a_case() {
        let limits = wgpu::Limits { max_storage_buffer_binding_size: 1 << 30, ..wgpu::Limits::default() };
        for tuning in [Tuning::GPU, Tuning::CPU, Tuning::SOFTWARE_GL] {
            for (kernel, case) in a_case_of_each_kernel(tuning, &limits).expect("valid cases") {
                assert!(case.is_some(), "no case of {kernel} by {tuning:?}");
            }
        }
    }
}
