//! What each operation of a pooling dispatches.

use crate::bound::{Bound, MOMENTS_WORDS, Role, STATISTICS_WORDS};
use crate::element::WORD_BYTES;
use crate::geometry::Geometry;
use crate::kernels::{self, Kernels};
use crate::problem::Problem;
use crate::recipe::{FIRST_RESULT, Recipe, Writer};
use crate::sums::Sums;
use crate::tensor::buffer_bytes;
use crate::tuning::Tuning;
use crate::{
    BackwardTensors, ElementType, Error, ForwardTensors, GradBetaTensors, JvpTensors, Memory, Result,
    SecondBackwardTensors, Shape, SoftPoolConfig, StatisticsView, TensorView,
};

/// Makes recipes: SoftPool for a runtime that has its own way to compile WGSL and to dispatch it.
/// [`GpuSoftPool`](crate::GpuSoftPool) is one such runtime, on a device of wgpu's.
///
/// ```
/// use softpool::{ForwardTensors, Memory, Recipes, Shape, SoftPoolConfig, TensorView, Tuning, wgpu};
///
/// let config = SoftPoolConfig::builder([2, 2]).build()?;
/// let limits = wgpu::Limits::default();
/// let recipes = Recipes::new(&config, &limits, Tuning::GPU);
/// let x = TensorView::new(Memory::Named { name: 0, bytes: 1024 }, Shape::new([1, 1, 16, 16])?);
/// let y = TensorView::new(Memory::Named { name: 1, bytes: 256 }, Shape::new([1, 1, 8, 8])?);
/// let recipe = recipes.forward(ForwardTensors::new(x, y))?;
/// assert!(recipe.scratch().is_empty());
/// for dispatch in recipe.dispatches() {
///     assert!(dispatch.kernel.wgsl().contains("fn main"));
///     assert_eq!(dispatch.bindings.len(), 2);
/// }
/// # Ok::<(), softpool::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Recipes<'a> {
    config: &'a SoftPoolConfig,
    betas: Option<TensorView<'a>>,
    limits: &'a wgpu::Limits,
    tuning: Tuning,
    names_apart: bool,
}

impl<'a> Recipes<'a> {
    /// Recipes of a pooling by `config`, within the limits of a device.
    pub fn new(config: &'a SoftPoolConfig, limits: &'a wgpu::Limits, tuning: Tuning) -> Self {
        Self { config, betas: None, limits, tuning, names_apart: false }
    }

    /// The same where each name of [`Memory::Named`] is a buffer of its own, and so is each scratch buffer: what a kernel only
    /// reads is then bound for reading, and the text is that of buffers of wgpu's. Else two names may be parts of one buffer,
    /// which wgpu wants bound alike.
    pub fn with_names_apart(self) -> Self {
        Self { names_apart: true, ..self }
    }

    /// The same with the inverse temperatures that `betas` holds when a recipe runs: see
    /// [`GpuSoftPool::with_betas`](crate::GpuSoftPool::with_betas).
    pub fn with_betas(self, betas: impl Into<TensorView<'a>>) -> Self {
        Self { betas: Some(betas.into()), ..self }
    }

    /// What stands for the buffer of a result.
    fn result(&self, index: usize, bytes: u64) -> Result<Memory<'a>> {
        Ok(Memory::Scratch { index: FIRST_RESULT + index, bytes: buffer_bytes(bytes, self.limits)? })
    }

    /// Statistics that are a result.
    pub(crate) fn result_statistics(&self, index: usize, pooled: &Shape) -> Result<StatisticsView<'a>> {
        let memory = self.result(index, StatisticsView::bytes(pooled))?;
        Ok(StatisticsView { memory, byte_offset: 0 })
    }

    /// A contiguous tensor that is a result.
    pub(crate) fn result_tensor(&self, index: usize, shape: Shape, of: ElementType) -> Result<TensorView<'a>> {
        let memory = self.result(index, shape.elements() as u64 * of.bytes())?;
        Ok(TensorView::new(memory, shape).of_type(of))
    }

    /// A forward pass. The tensors may lie in one buffer, on elements that do not overlap.
    ///
    /// # Errors
    /// [`Error::RankMismatch`], [`Error::NoWindow`], [`Error::AdaptiveOutput`], [`Error::AxisTooLong`],
    /// [`Error::ShapeMismatch`] for the shapes; [`Error::BufferTooSmall`], [`Error::BufferUsage`],
    /// [`Error::OffsetAlignment`], [`Error::SelfOverlap`], [`Error::Overlap`], [`Error::ForeignScratch`] for the memory;
    /// [`Error::DeviceLimit`] for windows beyond what the device can bind, or a device that lacks what kernels need.
    pub fn forward(&self, tensors: ForwardTensors<'a>) -> Result<Recipe<'a>> {
        let mut call = Call::new(self, &tensors.input)?;
        let mut bound = vec![call.windows(Role::Y, &tensors.output)?];
        if let Some(lse) = &tensors.lse {
            bound.push(call.windows(Role::Lse, lse)?);
        }
        if let Some(statistics) = &tensors.statistics {
            bound.push(call.statistics(statistics)?);
        }
        call.add(&bound, kernels::FORWARD)?;
        Ok(call.writer.finish())
    }

    /// A backward pass, by the configuration's gradient rule. Without statistics it needs nothing but x and dL/dy where
    /// windows are small; for large windows it computes statistics first.
    ///
    /// # Errors
    /// Those of [`forward`](Self::forward).
    pub fn backward(&self, tensors: BackwardTensors<'a>) -> Result<Recipe<'a>> {
        let mut call = Call::new(self, &tensors.input)?;
        let grad_output = call.windows(Role::GradOutput, &tensors.grad_output)?;
        let grad_input = call.inputs(Role::GradInput, &tensors.grad_input)?;
        let again = match tensors.statistics {
            None => call.choose(&[grad_output, grad_input], kernels::BACKWARD),
            Some(_) => None,
        };
        match again {
            Some(geometry) => call.add_chosen(&[grad_output, grad_input], geometry)?,
            None => {
                grad_output.check_apart(&grad_input)?;
                let statistics = call.saved_statistics(tensors.statistics)?;
                call.add(&[grad_output, grad_input, statistics], kernels::BACKWARD_FROM_STATISTICS)?;
            }
        }
        Ok(call.writer.finish())
    }

    /// The gradient of beta, `sum_R g_R sum_i w_i (x_i - y_R)^2` over all windows or those of each channel: parts of 4096
    /// windows are added up first, then the parts, always in the same order.
    ///
    /// With the detached rule the weights are constants, and so is y: that gradient is 0, whatever this one says.
    ///
    /// # Errors
    /// Those of [`forward`](Self::forward).
    pub fn grad_beta(&self, tensors: GradBetaTensors<'a>) -> Result<Recipe<'a>> {
        let mut call = Call::new(self, &tensors.input)?;
        let grad_output = call.windows(Role::GradOutput, &tensors.grad_output)?;
        call.writer.check_own(tensors.grad_beta.memory)?;
        let sums = Sums::new(&call.shape, &call.pooled, &tensors.grad_beta)?;
        let given = tensors.statistics.map(|view| call.statistics(&view)).transpose()?;
        for read in call.read.iter().chain([&grad_output]).chain(&given) {
            read.check_apart(&sums.target)?;
        }
        let parts = call.writer.scratch(call.pooled.elements() as u64 * WORD_BYTES)?;
        let by_window = call.windows(Role::Y, &TensorView::new(parts, call.pooled))?;
        call.add_derivative(&[grad_output, by_window], given)?;
        sums.write(&mut call.writer, parts, self.tuning)?;
        Ok(call.writer.finish())
    }

    /// The forward-mode derivative: how y changes as x goes along a direction. For the detached rule it is what that rule's
    /// backward is the transpose of, `sum w_i dx_i`.
    ///
    /// # Errors
    /// Those of [`forward`](Self::forward).
    pub fn jvp(&self, tensors: JvpTensors<'a>) -> Result<Recipe<'a>> {
        let mut call = Call::new(self, &tensors.input)?;
        let tangent = call.inputs(Role::Tangent, &tensors.tangent)?;
        let output = call.windows(Role::Y, &tensors.output)?;
        let given = tensors.statistics.map(|view| call.statistics(&view)).transpose()?;
        call.add_derivative(&[tangent, output], given)?;
        Ok(call.writer.finish())
    }

    /// The derivative of the backward pass, by the configuration's gradient rule.
    ///
    /// # Errors
    /// Those of [`forward`](Self::forward).
    pub fn second_backward(&self, tensors: SecondBackwardTensors<'a>) -> Result<Recipe<'a>> {
        let mut call = Call::new(self, &tensors.input)?;
        let tangent = call.inputs(Role::Tangent, &tensors.tangent)?;
        let jvp = tensors.grad_of_grad_output.as_ref();
        let name = "the gradient of the gradient of the output";
        let jvp = jvp.map(|view| call.tensor(name, Role::Y, view, call.pooled)).transpose()?;
        let grad_output = call.windows(Role::GradOutput, &tensors.grad_output)?;
        let grad_input = call.inputs(Role::GradInput, &tensors.grad_of_input)?;
        // One dispatch writes the first of these, another the second.
        for (first, second) in jvp.iter().flat_map(|jvp| [(&grad_output, jvp), (jvp, &grad_input)]) {
            first.check_apart(second)?;
        }
        let given = tensors.statistics.map(|view| call.statistics(&view)).transpose()?;
        if let Some(geometry) = call.choose(&[tangent, grad_output, grad_input], kernels::SECOND_BACKWARD) {
            given.iter().try_for_each(|statistics| statistics.check(false))?;
            if let Some(jvp) = jvp {
                call.add_derivative(&[tangent, jvp], given)?;
            }
            call.add_chosen(&[tangent, grad_output, grad_input], geometry)?;
            return Ok(call.writer.finish());
        }
        let statistics = call.saved_statistics(tensors.statistics)?;
        let memory = call.writer.scratch(call.pooled.elements() as u64 * MOMENTS_WORDS * WORD_BYTES)?;
        let moments = Bound::words(Role::Moments, MOMENTS_WORDS, memory, 0, &call.pooled)?;
        let by_window = [[tangent, statistics, moments].as_slice(), jvp.as_slice()].concat();
        call.add(&by_window, kernels::TANGENT_FROM_STATISTICS)?;
        let by_input = [tangent, statistics, moments, grad_output, grad_input];
        call.add(&by_input, kernels::SECOND_BACKWARD_FROM_MOMENTS)?;
        Ok(call.writer.finish())
    }
}

/// A call of a pooling with one input: its tensors are held against the shapes that follow from it.
struct Call<'a> {
    config: &'a SoftPoolConfig,
    tuning: Tuning,
    shape: Shape,
    pooled: Shape,
    /// The input, and the betas on the device: what every kernel reads.
    read: Vec<Bound<'a>>,
    writer: Writer<'a>,
}

impl<'a> Call<'a> {
    fn new(recipes: &Recipes<'a>, input: &TensorView<'a>) -> Result<Self> {
        let Recipes { config, betas, limits, tuning, names_apart } = *recipes;
        let rank = config.rank();
        let (shape, pooled) = (input.shape.of_rank(rank)?, input.shape.pooled(config)?);
        let writer = Writer::new(limits, config.beta(), names_apart);
        writer.check_own(input.memory)?;
        let mut read = vec![Bound::tensor(Role::X, input, rank)?];
        if let Some(betas) = &betas {
            writer.check_own(betas.memory)?;
            read.push(Bound::betas(betas, shape.channels())?);
        }
        Ok(Self { config, tuning, shape, pooled, read, writer })
    }

    /// A tensor with one element an input.
    fn inputs(&self, role: Role, view: &TensorView<'a>) -> Result<Bound<'a>> {
        self.tensor(role.described(), role, view, self.shape)
    }

    /// A tensor with one element a window.
    fn windows(&self, role: Role, view: &TensorView<'a>) -> Result<Bound<'a>> {
        self.tensor(role.described(), role, view, self.pooled)
    }

    fn tensor(&self, name: &'static str, role: Role, view: &TensorView<'a>, expected: Shape) -> Result<Bound<'a>> {
        if view.shape != expected {
            return Err(Error::ShapeMismatch { role: name, given: view.shape, expected });
        }
        self.writer.check_own(view.memory)?;
        Bound::called(name, role, view, self.config.rank())
    }

    fn statistics(&self, view: &StatisticsView<'a>) -> Result<Bound<'a>> {
        self.writer.check_own(view.memory)?;
        Bound::words(Role::Statistics, STATISTICS_WORDS, view.memory, view.byte_offset, &self.pooled)
    }

    /// The problem of the input and these tensors, and all of them.
    fn problem(&self, tensors: &[Bound<'a>]) -> (Problem, Vec<Bound<'a>>) {
        let all = [&self.read, tensors].concat();
        let placed = all.iter().map(|tensor| tensor.placed).collect();
        (Problem::new(self.config, &self.shape, &self.pooled, placed, self.tuning), all)
    }

    /// The first of these kernels that takes the problem of these tensors.
    fn choose(&self, tensors: &[Bound<'a>], kernels: Kernels) -> Option<Geometry> {
        kernels::choose(kernels, &self.problem(tensors).0)
    }

    fn add_chosen(&mut self, tensors: &[Bound<'a>], geometry: Geometry) -> Result<()> {
        let (problem, all) = self.problem(tensors);
        self.writer.add(&problem, geometry, &all)
    }

    /// Adds one of kernels that between them take any pooling.
    fn add(&mut self, tensors: &[Bound<'a>], kernels: Kernels) -> Result<()> {
        let (problem, all) = self.problem(tensors);
        self.writer.add(&problem, kernels::of_any(kernels, &problem), &all)
    }

    /// Adds the derivative of each window: from `tensors` alone where a kernel evaluates its window in the same pass, which
    /// takes no longer than to read statistics; else from those that are given, or that the recipe saves first.
    fn add_derivative(&mut self, tensors: &[Bound<'a>], given: Option<Bound<'a>>) -> Result<()> {
        if let Some(geometry) = self.choose(tensors, kernels::TANGENT) {
            given.iter().try_for_each(|statistics| statistics.check(false))?;
            return self.add_chosen(tensors, geometry);
        }
        let statistics = given.map_or_else(|| self.saved_statistics(None), Ok)?;
        self.add(&[tensors, &[statistics]].concat(), kernels::TANGENT_FROM_STATISTICS)
    }

    /// The caller's statistics, or scratch where the recipe saves them first.
    fn saved_statistics(&mut self, given: Option<StatisticsView<'a>>) -> Result<Bound<'a>> {
        if let Some(view) = given {
            return self.statistics(&view);
        }
        let memory = self.writer.scratch(StatisticsView::bytes(&self.pooled))?;
        let statistics = self.statistics(&StatisticsView { memory, byte_offset: 0 })?;
        self.add(&[statistics], kernels::FORWARD)?;
        Ok(statistics)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_memory_is_known_by_names_everything_is_bound_for_writing() -> Result<()> {
        let config = SoftPoolConfig::builder([2, 2]).build()?;
        let limits = wgpu::Limits::default();
        let tensor = |name, dims: &[usize]| -> Result<_> {
            Ok(TensorView::new(Memory::Named { name, bytes: 1 << 20 }, Shape::new(dims)?))
        };
        let tensors = GradBetaTensors {
            input: tensor(0, &[2, 3, 128, 128])?,
            grad_output: tensor(1, &[2, 3, 64, 64])?,
            grad_beta: tensor(2, &[1])?,
            statistics: None,
        };
        let recipes = Recipes::new(&config, &limits, Tuning::GPU);
        let recipe = recipes.grad_beta(tensors)?;
        // The terms by window, and two stages of sums, the first of scratch alone.
        assert_eq!(recipe.dispatches().len(), 3);
        for dispatch in recipe.dispatches() {
            let wgsl = dispatch.kernel.wgsl();
            assert!(!wgsl.contains("var<storage, read>"), "{wgsl}");
        }
        // But not where each name is a buffer of its own.
        for dispatch in recipes.with_names_apart().grad_beta(tensors)?.dispatches() {
            let wgsl = dispatch.kernel.wgsl();
            assert!(wgsl.contains("var<storage, read>"), "{wgsl}");
        }
        Ok(())
    }
}
