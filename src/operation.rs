//! Operations of a pooling, and what each of them dispatches.

use crate::bound::{Bound, MOMENTS_WORDS, Role, STATISTICS_WORDS};
use crate::element::WORD_BYTES;
use crate::geometry::Geometry;
use crate::kernels::{self, Kernels};
use crate::problem::Problem;
use crate::recipe::{Recipe, Writer};
use crate::sums::Sums;
use crate::tuning::Tuning;
use crate::{
    BackwardTensors, Error, ForwardTensors, GradBetaTensors, JvpTensors, Recipes, Result, SecondBackwardTensors, Shape,
    SoftPoolConfig, StatisticsView, TensorView,
};

/// What a pooling can be asked for, as a value with its tensors: [`ForwardTensors`], [`BackwardTensors`], [`GradBetaTensors`],
/// [`JvpTensors`] and [`SecondBackwardTensors`]. Taken by [`GpuSoftPool::plan`](crate::GpuSoftPool::plan),
/// [`GpuSoftPool::encode`](crate::GpuSoftPool::encode) and [`Recipes::of`].
pub trait Operation: Sealed {
    /// What [`Recipes::of`] gives.
    #[doc(hidden)]
    fn recipe<'a>(self, recipes: &Recipes<'a>) -> Result<Recipe<'a>>
    where
        Self: 'a;
}

/// Operations are this crate's.
pub trait Sealed {}

impl Sealed for ForwardTensors<'_> {}

impl Operation for ForwardTensors<'_> {
    fn recipe<'a>(self, recipes: &Recipes<'a>) -> Result<Recipe<'a>>
    where
        Self: 'a,
    {
        let mut call = Call::new(recipes, &self.input)?;
        let mut bound = vec![call.windows(Role::Y, &self.output)?];
        if let Some(lse) = &self.lse {
            bound.push(call.windows(Role::Lse, lse)?);
        }
        if let Some(statistics) = &self.statistics {
            bound.push(call.statistics(statistics)?);
        }
        call.add(&bound, kernels::FORWARD)?;
        Ok(call.writer.finish())
    }
}

impl Sealed for BackwardTensors<'_> {}

impl Operation for BackwardTensors<'_> {
    fn recipe<'a>(self, recipes: &Recipes<'a>) -> Result<Recipe<'a>>
    where
        Self: 'a,
    {
        let mut call = Call::new(recipes, &self.input)?;
        let grad_output = call.windows(Role::GradOutput, &self.grad_output)?;
        let grad_input = call.inputs(Role::GradInput, &self.grad_input)?;
        let again = match self.statistics {
            None => call.choose(&[grad_output, grad_input], kernels::BACKWARD),
            Some(_) => None,
        };
        match again {
            Some(geometry) => call.add_chosen(&[grad_output, grad_input], geometry)?,
            None => {
                grad_output.check_apart(&grad_input)?;
                let statistics = call.saved_statistics(self.statistics)?;
                call.add(&[grad_output, grad_input, statistics], kernels::BACKWARD_FROM_STATISTICS)?;
            }
        }
        Ok(call.writer.finish())
    }
}

impl Sealed for GradBetaTensors<'_> {}

impl Operation for GradBetaTensors<'_> {
    fn recipe<'a>(self, recipes: &Recipes<'a>) -> Result<Recipe<'a>>
    where
        Self: 'a,
    {
        let mut call = Call::new(recipes, &self.input)?;
        let grad_output = call.windows(Role::GradOutput, &self.grad_output)?;
        call.writer.check_own(self.grad_beta.memory)?;
        let sums = Sums::new(&call.shape, &call.pooled, &self.grad_beta)?;
        let given = self.statistics.map(|view| call.statistics(&view)).transpose()?;
        for read in call.read.iter().chain([&grad_output]).chain(&given) {
            read.check_apart(&sums.target)?;
        }
        let parts = call.writer.scratch(call.pooled.elements() as u64 * WORD_BYTES)?;
        let by_window = call.windows(Role::Y, &TensorView::new(parts, call.pooled))?;
        call.add_derivative(&[grad_output, by_window], given)?;
        sums.write(&mut call.writer, parts, recipes.tuning)?;
        Ok(call.writer.finish())
    }
}

impl Sealed for JvpTensors<'_> {}

impl Operation for JvpTensors<'_> {
    fn recipe<'a>(self, recipes: &Recipes<'a>) -> Result<Recipe<'a>>
    where
        Self: 'a,
    {
        let mut call = Call::new(recipes, &self.input)?;
        let tangent = call.inputs(Role::Tangent, &self.tangent)?;
        let output = call.windows(Role::Y, &self.output)?;
        let given = self.statistics.map(|view| call.statistics(&view)).transpose()?;
        call.add_derivative(&[tangent, output], given)?;
        Ok(call.writer.finish())
    }
}

impl Sealed for SecondBackwardTensors<'_> {}

impl Operation for SecondBackwardTensors<'_> {
    fn recipe<'a>(self, recipes: &Recipes<'a>) -> Result<Recipe<'a>>
    where
        Self: 'a,
    {
        let mut call = Call::new(recipes, &self.input)?;
        let tangent = call.inputs(Role::Tangent, &self.tangent)?;
        let jvp = self.grad_of_grad_output.as_ref();
        let name = "the gradient of the gradient of the output";
        let jvp = jvp.map(|view| call.tensor(name, Role::Y, view, call.pooled)).transpose()?;
        let grad_output = call.windows(Role::GradOutput, &self.grad_output)?;
        let grad_input = call.inputs(Role::GradInput, &self.grad_of_input)?;
        // One dispatch writes the first of these, another the second.
        for (first, second) in jvp.iter().flat_map(|jvp| [(&grad_output, jvp), (jvp, &grad_input)]) {
            first.check_apart(second)?;
        }
        let given = self.statistics.map(|view| call.statistics(&view)).transpose()?;
        if let Some(geometry) = call.choose(&[tangent, grad_output, grad_input], kernels::SECOND_BACKWARD) {
            given.iter().try_for_each(|statistics| statistics.check(false))?;
            if let Some(jvp) = jvp {
                call.add_derivative(&[tangent, jvp], given)?;
            }
            call.add_chosen(&[tangent, grad_output, grad_input], geometry)?;
            return Ok(call.writer.finish());
        }
        let statistics = call.saved_statistics(self.statistics)?;
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
