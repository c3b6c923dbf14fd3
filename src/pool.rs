//! The pooling that a host holds: plans, encoding, and calls that allocate their results.

use crate::bound::{Bound, MOMENTS_WORDS, Role, STATISTICS_WORDS};
use crate::element::WORD_BYTES;
use crate::geometry::{Geometry, Problem, Tuning};
use crate::plan::{Plan, Planner};
use crate::sums::Sums;
use crate::tensor::{OwnedView, create_buffer};
use crate::{ElementType, Error, GpuTensor, GradientRule, PipelineCache, Result, Shape, SoftPoolConfig, TensorView};

/// SoftPool on a host's device, at three levels, each built on the one before:
///
/// 1. **encode** into the host's own encoder or pass and buffers: [`plan_forward`](Self::plan_forward),
///    [`plan_backward`](Self::plan_backward), [`plan_grad_beta`](Self::plan_grad_beta), [`plan_jvp`](Self::plan_jvp) and
///    [`plan_second_backward`](Self::plan_second_backward) prepare a [`Plan`] that is replayed without allocating;
///    [`encode_forward`](Self::encode_forward) and its like make one and record it.
/// 2. **call**: [`forward`](Self::forward), [`backward`](Self::backward), [`grad_beta`](Self::grad_beta), [`jvp`](Self::jvp)
///    and [`second_backward`](Self::second_backward) allocate the result and submit; they do not wait. Results are stored as
///    what they are the results of.
/// 3. **read**: [`GpuTensor::read`], or [`GpuTensor::read_blocking`].
///
/// ```
/// use softpool::{GpuContext, GpuSoftPool, Shape, SoftPoolConfig};
///
/// let context = GpuContext::new_blocking()?;
/// let pool = GpuSoftPool::new(&context.device, &context.queue, SoftPoolConfig::builder([2, 2]).build()?)?;
/// let x = context.upload(Shape::new([1, 1, 2, 2])?, &[0.0, 0.0, 1.0, 1.0])?;
/// let y = pool.forward(&x)?.read_blocking()?;
/// let e = std::f32::consts::E;
/// assert!((y[0] - e / (1.0 + e)).abs() < 1e-6);
/// # Ok::<(), softpool::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct GpuSoftPool {
    device: wgpu::Device,
    queue: wgpu::Queue,
    config: SoftPoolConfig,
    /// On the device, instead of the configuration's.
    betas: Option<OwnedView>,
    cache: PipelineCache,
    tuning: Tuning,
}

/// Where a forward pass reads and writes: views into buffers of the host.
#[derive(Clone, Copy, Debug)]
pub struct ForwardTensors<'a> {
    /// x, of any shape that the configuration takes.
    pub input: TensorView<'a>,
    /// y, of the shape that [`Shape::pooled`] gives.
    pub output: TensorView<'a>,
    /// `lse = ln sum exp(beta x_i)` by window, of the output's shape.
    pub lse: Option<TensorView<'a>>,
    /// What [`BackwardTensors::statistics`] reads.
    pub statistics: Option<StatisticsView<'a>>,
}

impl<'a> ForwardTensors<'a> {
    /// The input and the output alone.
    pub fn new(input: impl Into<TensorView<'a>>, output: impl Into<TensorView<'a>>) -> Self {
        Self { input: input.into(), output: output.into(), lse: None, statistics: None }
    }
}

/// Where a backward pass reads and writes: views into buffers of the host.
#[derive(Clone, Copy, Debug)]
pub struct BackwardTensors<'a> {
    /// x, as the forward pass read it.
    pub input: TensorView<'a>,
    /// dL/dy, of the output's shape.
    pub grad_output: TensorView<'a>,
    /// dL/dx, of the input's shape; every element is written.
    pub grad_input: TensorView<'a>,
    /// What a forward pass of the same input and configuration saved, to be read instead of evaluating the windows again.
    pub statistics: Option<StatisticsView<'a>>,
}

impl<'a> BackwardTensors<'a> {
    /// A backward pass that evaluates the windows again.
    pub fn new(
        input: impl Into<TensorView<'a>>,
        grad_output: impl Into<TensorView<'a>>,
        grad_input: impl Into<TensorView<'a>>,
    ) -> Self {
        Self { input: input.into(), grad_output: grad_output.into(), grad_input: grad_input.into(), statistics: None }
    }
}

/// Where the gradient of beta is read from and written to: views into buffers of the host.
#[derive(Clone, Copy, Debug)]
pub struct GradBetaTensors<'a> {
    /// x, as the forward pass read it.
    pub input: TensorView<'a>,
    /// dL/dy, of the output's shape.
    pub grad_output: TensorView<'a>,
    /// dL/dbeta: of shape `[1]` for the gradient of a beta that all channels share, or `[C]`, one for each channel.
    pub grad_beta: TensorView<'a>,
    /// What a forward pass of the same input saved, to be read instead of evaluating the windows again.
    pub statistics: Option<StatisticsView<'a>>,
}

/// Where the forward-mode derivative is read from and written to: views into buffers of the host.
#[derive(Clone, Copy, Debug)]
pub struct JvpTensors<'a> {
    /// x, as the forward pass read it.
    pub input: TensorView<'a>,
    /// dx, the direction in which x changes, of the input's shape.
    pub tangent: TensorView<'a>,
    /// dy, of the output's shape.
    pub output: TensorView<'a>,
    /// What a forward pass of the same input saved, to be read instead of evaluating the windows again.
    pub statistics: Option<StatisticsView<'a>>,
}

/// Where the derivative of a backward pass is read from and written to: views into buffers of the host.
///
/// With `(x, g) -> dL/dx = backward(x, g)` and a `v` of the input's shape, these are the gradients of `<v, backward(x, g)>`.
#[derive(Clone, Copy, Debug)]
pub struct SecondBackwardTensors<'a> {
    /// x, as the backward pass read it.
    pub input: TensorView<'a>,
    /// g, of the output's shape, as the backward pass read it.
    pub grad_output: TensorView<'a>,
    /// v, of the input's shape.
    pub tangent: TensorView<'a>,
    /// The gradient with respect to g, of the output's shape, if it is wanted: that is the jvp of x along v.
    pub grad_of_grad_output: Option<TensorView<'a>>,
    /// The gradient with respect to x, of the input's shape.
    pub grad_of_input: TensorView<'a>,
    /// What a forward pass of the same input saved, to be read instead of evaluating the windows again.
    pub statistics: Option<StatisticsView<'a>>,
}

/// The results of [`GpuSoftPool::second_backward`].
#[derive(Clone, Debug)]
pub struct SecondGradients {
    /// With respect to the gradient of the output.
    pub grad_output: GpuTensor,
    /// With respect to the input.
    pub input: GpuTensor,
}

/// Statistics by window inside a buffer that the host owns: [`StatisticsView::bytes`] bytes from an offset on.
///
/// A window has three, with `z = sign(beta) x / 2`, `b = 2 |beta|`, and a `c` near the window's largest `z`: that `c`, `s = sum
/// exp(b (z_i - c))` and `d = sum exp(b (z_i - c)) (z_i - c) / s`, so that `2 (c + d)` is `sign(beta) y`. By row of windows they
/// are the `c` of its windows in f32, then their `s`, then their `d`; where a row has more than 65,536, they are `c`, `s` and `d`
/// of one window after the other. Weights and gradients computed from them are as accurate around a large mean as around 0, which a stored `lse` would not allow.
#[derive(Clone, Copy, Debug)]
pub struct StatisticsView<'a> {
    /// The buffer.
    pub buffer: &'a wgpu::Buffer,
    /// A multiple of 4.
    pub byte_offset: u64,
}

impl StatisticsView<'_> {
    /// Bytes of the statistics for an output of shape `pooled`.
    pub fn bytes(pooled: &Shape) -> u64 {
        pooled.elements() as u64 * STATISTICS_WORDS * WORD_BYTES
    }
}

/// Statistics in a buffer of their own, with what they are of.
#[derive(Clone, Debug)]
pub struct Statistics {
    config: SoftPoolConfig,
    betas: Option<OwnedView>,
    shape: Shape,
    buffer: wgpu::Buffer,
}

impl Statistics {
    /// The statistics as [`BackwardTensors`] takes them.
    pub fn view(&self) -> StatisticsView<'_> {
        StatisticsView { buffer: &self.buffer, byte_offset: 0 }
    }
}

/// What [`GpuSoftPool::forward_with`] computes besides y.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outputs {
    /// `lse = ln sum exp(beta x_i)` by window.
    pub lse: bool,
    /// Statistics for [`GpuSoftPool::backward_from`].
    pub statistics: bool,
}

/// The results of [`GpuSoftPool::forward_with`].
#[derive(Clone, Debug)]
pub struct Forward {
    /// The pooled tensor.
    pub y: GpuTensor,
    /// If it was asked for.
    pub lse: Option<GpuTensor>,
    /// If they were asked for.
    pub statistics: Option<Statistics>,
}

impl GpuSoftPool {
    /// A pooling by `config` on the host's device. Nothing is compiled before the first plan or call.
    ///
    /// # Errors
    /// None today: a device that cannot run a pooling says so when a plan is made.
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue, config: SoftPoolConfig) -> Result<Self> {
        Self::with_cache(device, queue, config, &PipelineCache::new(device))
    }

    /// [`new`](Self::new) with pipelines from `cache`, which must be of the same device.
    ///
    /// # Errors
    /// [`Error::ForeignCache`].
    pub fn with_cache(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        config: SoftPoolConfig,
        cache: &PipelineCache,
    ) -> Result<Self> {
        if !cache.is_of(device) {
            return Err(Error::ForeignCache);
        }
        Ok(Self {
            device: device.clone(),
            queue: queue.clone(),
            config,
            betas: None,
            cache: cache.clone(),
            tuning: Tuning::of(device),
        })
    }

    /// The same pooling with blocks of another size than [`Tuning::of`] chooses.
    pub fn with_tuning(self, tuning: Tuning) -> Self {
        Self { tuning, ..self }
    }

    /// The same pooling, sharing its pipelines, with another inverse temperature: nothing is compiled again.
    ///
    /// # Errors
    /// [`Error::BetaNotFinite`].
    pub fn with_beta(mut self, beta: f32) -> Result<Self> {
        self.config.set_beta(beta)?;
        self.betas = None;
        Ok(self)
    }

    /// The same pooling, sharing its pipelines, with the inverse temperatures that `betas` holds when a plan runs: of shape
    /// `[C]`, one for each channel, or `[1]`, one for all. A learned beta so stays on the device.
    ///
    /// They replace the configuration's, and must be finite: what is not makes its channel's results NaN or infinite.
    pub fn with_betas<'a>(mut self, betas: impl Into<TensorView<'a>>) -> Self {
        self.betas = Some(OwnedView::of(&betas.into()));
        self
    }

    /// The configuration.
    pub fn config(&self) -> &SoftPoolConfig {
        &self.config
    }

    /// The pipelines of this pooling and of all that share its cache.
    pub fn cache(&self) -> &PipelineCache {
        &self.cache
    }

    /// Prepares a forward pass over buffers of the host.
    ///
    /// The tensors may lie in one buffer, on elements that do not overlap.
    ///
    /// # Errors
    /// [`Error::RankMismatch`], [`Error::NoWindow`], [`Error::AdaptiveOutput`], [`Error::AxisTooLong`],
    /// [`Error::ShapeMismatch`] for the shapes; [`Error::BufferTooSmall`], [`Error::BufferUsage`],
    /// [`Error::OffsetAlignment`], [`Error::SelfOverlap`], [`Error::Overlap`] for the buffers; [`Error::DeviceLimit`] for
    /// windows beyond what the device can bind, or a device that lacks what kernels need.
    pub fn plan_forward(&self, tensors: ForwardTensors<'_>) -> Result<Plan> {
        let call = Call::new(self, &tensors.input)?;
        let mut bound = vec![call.windows(Role::Y, &tensors.output)?];
        if let Some(lse) = &tensors.lse {
            bound.push(call.windows(Role::Lse, lse)?);
        }
        if let Some(statistics) = &tensors.statistics {
            bound.push(call.statistics(statistics)?);
        }
        let mut plan = Plan::default();
        call.add(&mut plan, &bound, Problem::forward)?;
        Ok(plan)
    }

    /// Prepares a backward pass over buffers of the host, by the configuration's gradient rule.
    ///
    /// Without statistics it needs nothing but x and dL/dy where windows are small; the plan of large windows owns a
    /// buffer for statistics, which it fills first.
    ///
    /// # Errors
    /// Those of [`plan_forward`](Self::plan_forward).
    pub fn plan_backward(&self, tensors: BackwardTensors<'_>) -> Result<Plan> {
        let call = Call::new(self, &tensors.input)?;
        let grad_output = call.windows(Role::GradOutput, &tensors.grad_output)?;
        let bound = [grad_output, call.inputs(Role::GradInput, &tensors.grad_input)?];
        let mut plan = Plan::default();
        if tensors.statistics.is_none() {
            let (problem, all) = call.problem(&bound);
            if let Some(geometry) = problem.backward() {
                call.planner().add(&mut plan, &problem, geometry, &all)?;
                return Ok(plan);
            }
        }
        call.check(&bound, Problem::backward_from_statistics)?;
        let scratch = call.scratch_statistics(tensors.statistics)?;
        let statistics = call.saved_statistics(&mut plan, tensors.statistics, &scratch)?;
        call.add(&mut plan, &[bound[0], bound[1], statistics], Problem::backward_from_statistics)?;
        Ok(plan)
    }

    /// Prepares the gradient of beta, `sum_R g_R sum_i w_i (x_i - y_R)^2` over all windows or those of each channel: parts of
    /// 4096 windows are added up first, then the parts, always in the same order.
    ///
    /// With the detached rule the weights are constants, and so is y: that gradient is 0, whatever this one says.
    ///
    /// # Errors
    /// Those of [`plan_forward`](Self::plan_forward).
    pub fn plan_grad_beta(&self, tensors: GradBetaTensors<'_>) -> Result<Plan> {
        let call = Call::new(self, &tensors.input)?;
        let grad_output = call.windows(Role::GradOutput, &tensors.grad_output)?;
        let sums = Sums::new(&call.shape, &call.pooled, &tensors.grad_beta)?;
        let given = tensors.statistics.map(|view| call.statistics(&view)).transpose()?;
        for read in call.read.iter().chain([&grad_output]).chain(&given) {
            if read.overlaps(&sums.target) {
                return Err(Error::Overlap { first: read.placed.role.described(), second: "the gradient of beta" });
            }
        }
        let mut plan = Plan::default();
        call.check(&[grad_output], Problem::tangent)?;
        let scratch = call.scratch_statistics(tensors.statistics)?;
        let statistics = call.saved_statistics(&mut plan, tensors.statistics, &scratch)?;
        let parts = GpuTensor::allocate(&self.device, &self.queue, call.pooled, ElementType::F32, "softpool beta")?;
        let by_window = call.windows(Role::Y, &parts.view())?;
        call.add(&mut plan, &[grad_output, statistics, by_window], Problem::tangent)?;
        sums.add(&mut plan, &call.planner(), &parts, self.tuning)?;
        Ok(plan)
    }

    /// Prepares the forward-mode derivative: how y changes as x goes along a direction. For the detached rule it is what that
    /// rule's backward is the transpose of, `sum w_i dx_i`.
    ///
    /// # Errors
    /// Those of [`plan_forward`](Self::plan_forward).
    pub fn plan_jvp(&self, tensors: JvpTensors<'_>) -> Result<Plan> {
        let call = Call::new(self, &tensors.input)?;
        let bound = [call.inputs(Role::Tangent, &tensors.tangent)?, call.windows(Role::Y, &tensors.output)?];
        let mut plan = Plan::default();
        call.check(&bound, Problem::tangent)?;
        let scratch = call.scratch_statistics(tensors.statistics)?;
        let statistics = call.saved_statistics(&mut plan, tensors.statistics, &scratch)?;
        call.add(&mut plan, &[bound[0], bound[1], statistics], Problem::tangent)?;
        Ok(plan)
    }

    /// Prepares the derivative of the backward pass, by the configuration's gradient rule.
    ///
    /// # Errors
    /// Those of [`plan_forward`](Self::plan_forward).
    pub fn plan_second_backward(&self, tensors: SecondBackwardTensors<'_>) -> Result<Plan> {
        let call = Call::new(self, &tensors.input)?;
        let tangent = call.inputs(Role::Tangent, &tensors.tangent)?;
        let jvp = tensors.grad_of_grad_output.as_ref().map(|view| call.windows(Role::Y, view)).transpose()?;
        let grad_output = call.windows(Role::GradOutput, &tensors.grad_output)?;
        let grad_input = call.inputs(Role::GradInput, &tensors.grad_of_input)?;
        // One run writes the first of these, another the second.
        for (first, second) in jvp.iter().flat_map(|jvp| [(&grad_output, jvp), (jvp, &grad_input)]) {
            first.check_apart(second)?;
        }
        call.check(&[tangent, grad_output, grad_input], Problem::second_backward)?;
        call.check(&[[tangent].as_slice(), jvp.as_slice()].concat(), Problem::tangent)?;
        let mut plan = Plan::default();
        let scratch = call.scratch_statistics(tensors.statistics)?;
        let statistics = call.saved_statistics(&mut plan, tensors.statistics, &scratch)?;
        let bytes = call.pooled.elements() as u64 * MOMENTS_WORDS * WORD_BYTES;
        let buffer = create_buffer(&self.device, bytes, "softpool moments")?;
        let moments = Bound::words(Role::Moments, MOMENTS_WORDS, &buffer, 0, &call.pooled)?;
        call.add(&mut plan, &[[tangent, statistics, moments].as_slice(), jvp.as_slice()].concat(), Problem::tangent)?;
        let bound = [tangent, statistics, moments, grad_output, grad_input];
        call.add(&mut plan, &bound, Problem::second_backward)?;
        Ok(plan)
    }

    /// Records a forward pass into the host's encoder. To repeat it, keep a plan instead.
    ///
    /// # Errors
    /// Those of [`plan_forward`](Self::plan_forward), before anything is recorded.
    pub fn encode_forward(&self, encoder: &mut wgpu::CommandEncoder, tensors: ForwardTensors<'_>) -> Result<()> {
        self.plan_forward(tensors).map(|plan| plan.encode(encoder))
    }

    /// Records a backward pass into the host's encoder. To repeat it, keep a plan instead.
    ///
    /// # Errors
    /// Those of [`plan_backward`](Self::plan_backward), before anything is recorded.
    pub fn encode_backward(&self, encoder: &mut wgpu::CommandEncoder, tensors: BackwardTensors<'_>) -> Result<()> {
        self.plan_backward(tensors).map(|plan| plan.encode(encoder))
    }

    /// Records the gradient of beta into the host's encoder. To repeat it, keep a plan instead.
    ///
    /// # Errors
    /// Those of [`plan_grad_beta`](Self::plan_grad_beta), before anything is recorded.
    pub fn encode_grad_beta(&self, encoder: &mut wgpu::CommandEncoder, tensors: GradBetaTensors<'_>) -> Result<()> {
        self.plan_grad_beta(tensors).map(|plan| plan.encode(encoder))
    }

    /// Records the forward-mode derivative into the host's encoder. To repeat it, keep a plan instead.
    ///
    /// # Errors
    /// Those of [`plan_jvp`](Self::plan_jvp), before anything is recorded.
    pub fn encode_jvp(&self, encoder: &mut wgpu::CommandEncoder, tensors: JvpTensors<'_>) -> Result<()> {
        self.plan_jvp(tensors).map(|plan| plan.encode(encoder))
    }

    /// Records the derivative of the backward pass into the host's encoder. To repeat it, keep a plan instead.
    ///
    /// # Errors
    /// Those of [`plan_second_backward`](Self::plan_second_backward), before anything is recorded.
    pub fn encode_second_backward(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        tensors: SecondBackwardTensors<'_>,
    ) -> Result<()> {
        self.plan_second_backward(tensors).map(|plan| plan.encode(encoder))
    }

    /// Pools a tensor of `(N, C, spatial axes)`, or of `(C, spatial axes)`, into a new one of its element type; submits and
    /// does not wait.
    ///
    /// # Errors
    /// Those of [`plan_forward`](Self::plan_forward), and [`Error::DeviceLimit`] for a result beyond the device's
    /// buffers.
    pub fn forward<'a>(&self, input: impl Into<TensorView<'a>>) -> Result<GpuTensor> {
        self.forward_with(input, Outputs::default()).map(|forward| forward.y)
    }

    /// [`forward`](Self::forward) with further outputs; lse is f32 whatever the input is.
    ///
    /// # Errors
    /// Those of [`forward`](Self::forward).
    pub fn forward_with<'a>(&self, input: impl Into<TensorView<'a>>, outputs: Outputs) -> Result<Forward> {
        let input = input.into();
        let pooled = input.shape.pooled(&self.config)?;
        let y = self.allocate(pooled, input.element_type, "softpool y")?;
        let lse = outputs.lse.then(|| self.allocate(pooled, ElementType::F32, "softpool lse")).transpose()?;
        let statistics = if outputs.statistics {
            let buffer = create_buffer(&self.device, StatisticsView::bytes(&pooled), "softpool statistics")?;
            let (config, betas) = (self.config.clone(), self.betas.clone());
            Some(Statistics { config, betas, shape: input.shape, buffer })
        } else {
            None
        };
        let plan = self.plan_forward(ForwardTensors {
            input,
            output: y.view(),
            lse: lse.as_ref().map(GpuTensor::view),
            statistics: statistics.as_ref().map(Statistics::view),
        })?;
        self.submit(&plan);
        Ok(Forward { y, lse, statistics })
    }

    /// The gradient of the input, for the gradient of the output, into a new tensor of the input's element type; submits and
    /// does not wait.
    ///
    /// # Errors
    /// Those of [`plan_backward`](Self::plan_backward), and [`Error::DeviceLimit`] for a result beyond the device's
    /// buffers.
    pub fn backward<'a, 'b>(
        &self,
        input: impl Into<TensorView<'a>>,
        grad_output: impl Into<TensorView<'b>>,
    ) -> Result<GpuTensor> {
        self.call_backward(input.into(), grad_output.into(), None)
    }

    /// [`backward`](Self::backward) from the statistics that [`forward_with`](Self::forward_with) saved for this input.
    ///
    /// # Errors
    /// Those of [`backward`](Self::backward), and [`Error::ForeignStatistics`].
    pub fn backward_from<'a, 'b>(
        &self,
        input: impl Into<TensorView<'a>>,
        grad_output: impl Into<TensorView<'b>>,
        statistics: &Statistics,
    ) -> Result<GpuTensor> {
        let input = input.into();
        // The gradient rule has no part in the statistics.
        let mut forward_config = statistics.config.clone();
        forward_config.set_gradient_rule(self.config.gradient_rule());
        if forward_config != self.config || statistics.betas != self.betas {
            return Err(Error::ForeignStatistics);
        }
        if statistics.shape != input.shape {
            let role = "the input of the statistics";
            return Err(Error::ShapeMismatch { role, given: statistics.shape, expected: input.shape });
        }
        self.call_backward(input, grad_output.into(), Some(statistics.view()))
    }

    /// The gradient of beta, for the gradient of the output, in f32: of shape `[C]` where this pooling has a beta for each
    /// channel, else `[1]`; submits and does not wait.
    ///
    /// # Errors
    /// Those of [`plan_grad_beta`](Self::plan_grad_beta).
    pub fn grad_beta<'a, 'b>(
        &self,
        input: impl Into<TensorView<'a>>,
        grad_output: impl Into<TensorView<'b>>,
    ) -> Result<GpuTensor> {
        let (input, grad_output) = (input.into(), grad_output.into());
        let shape = self.betas.as_ref().map_or(Shape::new([1]), |betas| Ok(betas.view().shape))?;
        let grad_beta = self.allocate(shape, ElementType::F32, "softpool grad_beta")?;
        let tensors = GradBetaTensors { input, grad_output, grad_beta: grad_beta.view(), statistics: None };
        self.submit(&self.plan_grad_beta(tensors)?);
        Ok(grad_beta)
    }

    /// How the output changes as the input goes along `tangent`, into a new tensor of the input's element type; submits and
    /// does not wait.
    ///
    /// # Errors
    /// Those of [`plan_jvp`](Self::plan_jvp).
    pub fn jvp<'a, 'b>(
        &self,
        input: impl Into<TensorView<'a>>,
        tangent: impl Into<TensorView<'b>>,
    ) -> Result<GpuTensor> {
        let (input, tangent) = (input.into(), tangent.into());
        let output = self.allocate(input.shape.pooled(&self.config)?, input.element_type, "softpool jvp")?;
        let tensors = JvpTensors { input, tangent, output: output.view(), statistics: None };
        self.submit(&self.plan_jvp(tensors)?);
        Ok(output)
    }

    /// The gradients of `<v, backward(x, g)>` with respect to g and x, for x the input, g the gradient of the output and a v
    /// of the input's shape, into new tensors of the input's element type; submits and does not wait.
    ///
    /// # Errors
    /// Those of [`plan_second_backward`](Self::plan_second_backward).
    pub fn second_backward<'a, 'b, 'c>(
        &self,
        input: impl Into<TensorView<'a>>,
        grad_output: impl Into<TensorView<'b>>,
        v: impl Into<TensorView<'c>>,
    ) -> Result<SecondGradients> {
        let (input, grad_output, tangent) = (input.into(), grad_output.into(), v.into());
        let pooled = input.shape.pooled(&self.config)?;
        let gradients = SecondGradients {
            grad_output: self.allocate(pooled, input.element_type, "softpool gradient of grad_output")?,
            input: self.allocate(input.shape, input.element_type, "softpool second gradient")?,
        };
        let plan = self.plan_second_backward(SecondBackwardTensors {
            input,
            grad_output,
            tangent,
            grad_of_grad_output: Some(gradients.grad_output.view()),
            grad_of_input: gradients.input.view(),
            statistics: None,
        })?;
        self.submit(&plan);
        Ok(gradients)
    }

    fn call_backward(
        &self,
        input: TensorView<'_>,
        grad_output: TensorView<'_>,
        statistics: Option<StatisticsView<'_>>,
    ) -> Result<GpuTensor> {
        let grad_input = self.allocate(input.shape, input.element_type, "softpool grad_input")?;
        let plan =
            self.plan_backward(BackwardTensors { input, grad_output, grad_input: grad_input.view(), statistics })?;
        self.submit(&plan);
        Ok(grad_input)
    }

    fn allocate(&self, shape: Shape, element_type: ElementType, label: &str) -> Result<GpuTensor> {
        GpuTensor::allocate(&self.device, &self.queue, shape, element_type, label)
    }

    fn submit(&self, plan: &Plan) {
        let mut encoder =
            self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("softpool call") });
        plan.encode(&mut encoder);
        self.queue.submit([encoder.finish()]);
    }
}

/// A call of a pooling with one input: its tensors are held against the shapes that follow from it.
struct Call<'a> {
    pool: &'a GpuSoftPool,
    shape: Shape,
    pooled: Shape,
    /// The input, and the betas on the device: what every kernel reads.
    read: Vec<Bound<'a>>,
}

impl<'a> Call<'a> {
    fn new(pool: &'a GpuSoftPool, input: &TensorView<'a>) -> Result<Self> {
        let rank = pool.config.rank();
        let (shape, pooled) = (input.shape.of_rank(rank)?, input.shape.pooled(&pool.config)?);
        let mut read = vec![Bound::tensor(Role::X, input, rank)?];
        if let Some(betas) = &pool.betas {
            read.push(Bound::betas(&betas.view(), shape.channels())?);
        }
        Ok(Self { pool, shape, pooled, read })
    }

    fn planner(&self) -> Planner<'_> {
        let GpuSoftPool { device, cache, config, .. } = self.pool;
        Planner { device, cache, beta: config.beta() }
    }

    /// A tensor with one element an input.
    fn inputs<'b>(&self, role: Role, view: &TensorView<'b>) -> Result<Bound<'b>> {
        check_shape(role, view.shape, self.shape)?;
        Bound::tensor(role, view, self.pool.config.rank())
    }

    /// A tensor with one element a window.
    fn windows<'b>(&self, role: Role, view: &TensorView<'b>) -> Result<Bound<'b>> {
        check_shape(role, view.shape, self.pooled)?;
        Bound::tensor(role, view, self.pool.config.rank())
    }

    fn statistics<'b>(&self, view: &StatisticsView<'b>) -> Result<Bound<'b>> {
        Bound::words(Role::Statistics, STATISTICS_WORDS, view.buffer, view.byte_offset, &self.pooled)
    }

    /// The problem of the input and these tensors, and all of them.
    fn problem<'b>(&'b self, tensors: &[Bound<'b>]) -> (Problem, Vec<Bound<'b>>) {
        let all: Vec<Bound<'b>> = self.read.iter().chain(tensors).copied().collect();
        let placed = all.iter().map(|tensor| tensor.placed).collect();
        (problem_of(&self.pool.config, &self.shape, &self.pooled, placed, self.pool.tuning), all)
    }

    fn add(&self, plan: &mut Plan, tensors: &[Bound<'_>], kernel: impl Fn(&Problem) -> Geometry) -> Result<()> {
        let (problem, all) = self.problem(tensors);
        self.planner().add(plan, &problem, kernel(&problem), &all)
    }

    /// Errs as [`add`](Self::add) would, before anything is allocated for it.
    fn check(&self, tensors: &[Bound<'_>], kernel: impl Fn(&Problem) -> Geometry) -> Result<()> {
        let (problem, all) = self.problem(tensors);
        self.planner().check(&problem, kernel(&problem), &all).map(drop)
    }

    /// Room for statistics, unless the caller gives some.
    fn scratch_statistics(&self, given: Option<StatisticsView<'_>>) -> Result<Option<wgpu::Buffer>> {
        if given.is_some() {
            return Ok(None);
        }
        self.check(&[], Problem::forward)?;
        create_buffer(&self.pool.device, StatisticsView::bytes(&self.pooled), "softpool statistics").map(Some)
    }

    /// The caller's statistics, or those that the plan saves in `scratch` first.
    fn saved_statistics<'b>(
        &self,
        plan: &mut Plan,
        given: Option<StatisticsView<'b>>,
        scratch: &'b Option<wgpu::Buffer>,
    ) -> Result<Bound<'b>> {
        let view = scratch.as_ref().map(|buffer| StatisticsView { buffer, byte_offset: 0 });
        let statistics = self.statistics(&view.or(given).expect("there is scratch where none are given"))?;
        if view.is_some() {
            self.add(plan, &[statistics], Problem::forward)?;
        }
        Ok(statistics)
    }
}

/// The pooling of `shape`, which the configuration has accepted, with tensors in these places.
pub(crate) fn problem_of(
    config: &SoftPoolConfig,
    shape: &Shape,
    pooled: &Shape,
    tensors: Vec<crate::bound::Placed>,
    tuning: Tuning,
) -> Problem {
    let (input, output) = (shape.depth_height_width(), pooled.depth_height_width());
    Problem {
        axes: config.axes(input),
        input,
        output,
        samples: shape.batch() as u64,
        channels: shape.channels() as u64,
        tensors,
        detached: config.gradient_rule() == GradientRule::Detached,
        tuning,
    }
    .folded()
}

fn check_shape(role: Role, given: Shape, expected: Shape) -> Result<()> {
    if given == expected { Ok(()) } else { Err(Error::ShapeMismatch { role: role.described(), given, expected }) }
}
