//! The pooling that a host holds: plans, encoding, and calls that allocate their results.

use crate::geometry::{Problem, Tuning};
use crate::plan::{Bound, Plan, Planner, STATISTICS_WORDS};
use crate::specialise::{Role, Specialisation};
use crate::tensor::ELEMENT_BYTES;
use crate::{Error, GpuTensor, PipelineCache, Result, Shape, SoftPoolConfig, TensorView};

/// SoftPool on a host's device, at three levels, each built on the one before:
///
/// 1. **encode** into the host's own encoder or pass and buffers: [`plan_forward`](Self::plan_forward) and
///    [`plan_backward`](Self::plan_backward) prepare a [`Plan`] that is replayed without allocating;
///    [`encode_forward`](Self::encode_forward) and [`encode_backward`](Self::encode_backward) make one and record it.
/// 2. **call**: [`forward`](Self::forward) and [`backward`](Self::backward) allocate the result and submit; they do not
///    wait.
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

/// Statistics by window inside a buffer that the host owns: [`StatisticsView::bytes`] bytes from an offset on.
///
/// A window has three, with `z = sign(beta) x / 2`, `b = 2 |beta|`, and a `c` near the window's largest `z`: that `c`, `s = sum
/// exp(b (z_i - c))` and `d = sum exp(b (z_i - c)) (z_i - c) / s`, so that `2 (c + d)` is `sign(beta) y`. By plane (a channel
/// of a sample) they are the `c` of all its windows in f32, then their `s`, then their `d`. Weights and gradients computed
/// from them are as accurate around a large mean as around 0, which a stored `lse` would not allow.
#[derive(Clone, Copy, Debug)]
pub struct StatisticsView<'a> {
    /// The buffer.
    pub buffer: &'a wgpu::Buffer,
    /// A multiple of the device's `min_storage_buffer_offset_alignment`.
    pub byte_offset: u64,
}

impl StatisticsView<'_> {
    /// Bytes of the statistics for an output of shape `pooled`.
    pub fn bytes(pooled: &Shape) -> u64 {
        pooled.elements() as u64 * STATISTICS_WORDS * ELEMENT_BYTES
    }
}

/// Statistics in a buffer of their own, with what they are of.
#[derive(Clone, Debug)]
pub struct Statistics {
    config: SoftPoolConfig,
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
            cache: cache.clone(),
            tuning: Tuning::of(device),
        })
    }

    /// The same pooling with blocks of another size than [`Tuning::of`] chooses.
    pub fn with_tuning(self, tuning: Tuning) -> Self {
        Self { tuning, ..self }
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
    /// The tensors may lie in one buffer, in ranges that do not overlap.
    ///
    /// # Errors
    /// [`Error::RankMismatch`], [`Error::NoWindow`], [`Error::AxisTooLong`], [`Error::ShapeMismatch`] for the shapes;
    /// [`Error::BufferTooSmall`], [`Error::BufferUsage`], [`Error::OffsetAlignment`], [`Error::Overlap`] for the
    /// buffers; [`Error::DeviceLimit`] for a plane beyond what the device can bind, or a device that lacks what kernels need.
    pub fn plan_forward(&self, tensors: ForwardTensors<'_>) -> Result<Plan> {
        let planner = self.planner(tensors.input.shape)?;
        let mut bound = vec![Bound::tensor(Role::X, &tensors.input), planner.windows(Role::Y, &tensors.output)?];
        if let Some(lse) = &tensors.lse {
            bound.push(planner.windows(Role::Lse, lse)?);
        }
        if let Some(StatisticsView { buffer, byte_offset }) = tensors.statistics {
            bound.push(Bound::statistics(buffer, byte_offset, &planner.pooled));
        }
        planner.plan(&[(planner.problem(&bound).forward(), &bound)])
    }

    /// Prepares a backward pass over buffers of the host, by the configuration's gradient rule.
    ///
    /// Without statistics it needs nothing but x and dL/dy where windows are small; the plan of large windows owns a
    /// buffer for statistics, which it fills first.
    ///
    /// # Errors
    /// Those of [`plan_forward`](Self::plan_forward).
    pub fn plan_backward(&self, tensors: BackwardTensors<'_>) -> Result<Plan> {
        let planner = self.planner(tensors.input.shape)?;
        let x = Bound::tensor(Role::X, &tensors.input);
        let grad_output = planner.windows(Role::GradOutput, &tensors.grad_output)?;
        check_shape(Role::GradInput, tensors.grad_input.shape, planner.shape)?;
        let mut bound = vec![x, grad_output, Bound::tensor(Role::GradInput, &tensors.grad_input)];
        let from_statistics = planner.problem(&bound).backward_from_statistics();
        if let Some(StatisticsView { buffer, byte_offset }) = tensors.statistics {
            bound.push(Bound::statistics(buffer, byte_offset, &planner.pooled));
            return planner.plan(&[(from_statistics, &bound)]);
        }
        if let Some(geometry) = planner.problem(&bound).backward() {
            return planner.plan(&[(geometry, &bound)]);
        }
        let scratch = self.allocate_statistics(&planner.pooled)?;
        let statistics = Bound::statistics(&scratch, 0, &planner.pooled);
        bound.push(statistics);
        let saving = [x, statistics];
        planner.plan(&[(planner.problem(&saving).forward(), &saving), (from_statistics, &bound)])
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

    /// Pools a tensor of `(N, C, spatial axes)` into a new one; submits and does not wait.
    ///
    /// # Errors
    /// Those of [`plan_forward`](Self::plan_forward), and [`Error::DeviceLimit`] for a result beyond the device's
    /// buffers.
    pub fn forward<'a>(&self, input: impl Into<TensorView<'a>>) -> Result<GpuTensor> {
        self.forward_with(input, Outputs::default()).map(|forward| forward.y)
    }

    /// [`forward`](Self::forward) with further outputs.
    ///
    /// # Errors
    /// Those of [`forward`](Self::forward).
    pub fn forward_with<'a>(&self, input: impl Into<TensorView<'a>>, outputs: Outputs) -> Result<Forward> {
        let input = input.into();
        let pooled = input.shape.pooled(&self.config)?;
        let y = GpuTensor::allocate(&self.device, &self.queue, pooled, "softpool y")?;
        let lse = if outputs.lse {
            Some(GpuTensor::allocate(&self.device, &self.queue, pooled, "softpool lse")?)
        } else {
            None
        };
        let statistics = if outputs.statistics {
            let buffer = self.allocate_statistics(&pooled)?;
            Some(Statistics { config: self.config.clone(), shape: input.shape, buffer })
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

    /// The gradient of the input, for the gradient of the output, into a new tensor; submits and does not wait.
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
        if forward_config != self.config {
            return Err(Error::ForeignStatistics);
        }
        if statistics.shape != input.shape {
            let role = "the input of the statistics";
            return Err(Error::ShapeMismatch { role, given: statistics.shape, expected: input.shape });
        }
        self.call_backward(input, grad_output.into(), Some(statistics.view()))
    }

    fn call_backward(
        &self,
        input: TensorView<'_>,
        grad_output: TensorView<'_>,
        statistics: Option<StatisticsView<'_>>,
    ) -> Result<GpuTensor> {
        let grad_input = GpuTensor::allocate(&self.device, &self.queue, input.shape, "softpool grad_input")?;
        let plan =
            self.plan_backward(BackwardTensors { input, grad_output, grad_input: grad_input.view(), statistics })?;
        self.submit(&plan);
        Ok(grad_input)
    }

    fn submit(&self, plan: &Plan) {
        let mut encoder =
            self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("softpool call") });
        plan.encode(&mut encoder);
        self.queue.submit([encoder.finish()]);
    }

    fn planner(&self, shape: Shape) -> Result<Planner<'_>> {
        let pooled = shape.pooled(&self.config)?;
        Ok(Planner {
            device: &self.device,
            cache: &self.cache,
            config: &self.config,
            tuning: self.tuning,
            shape,
            pooled,
        })
    }

    fn allocate_statistics(&self, pooled: &Shape) -> Result<wgpu::Buffer> {
        crate::tensor::create_buffer(&self.device, StatisticsView::bytes(pooled), "softpool statistics")
    }
}

impl Planner<'_> {
    /// A tensor with one element a window.
    fn windows<'a>(&self, role: Role, view: &TensorView<'a>) -> Result<Bound<'a>> {
        check_shape(role, view.shape, self.pooled)?;
        Ok(Bound::tensor(role, view))
    }
}

fn check_shape(role: Role, given: Shape, expected: Shape) -> Result<()> {
    if given == expected { Ok(()) } else { Err(Error::ShapeMismatch { role: role.described(), given, expected }) }
}

/// Label and WGSL of every specialisation that poolings of `shape` by `config` can use: for tools and tests that look at
/// shaders without a device.
///
/// # Errors
/// Those of [`Shape::pooled`].
#[doc(hidden)]
pub fn shader_sources(config: &SoftPoolConfig, shape: &Shape) -> Result<Vec<(String, String)>> {
    let pooled = shape.pooled(config)?;
    let mut specialisations = Vec::new();
    for (tuning, aligned, shared_buffer) in
        [(Tuning::CPU, true, false), (Tuning::GPU, true, true), (Tuning::CPU, false, true)]
    {
        let problem = Problem::new(config, shape, &pooled, aligned, tuning);
        let base = |geometry| Specialisation { geometry, y: false, lse: false, statistics: false, shared_buffer };
        let forward = base(problem.forward());
        specialisations.push(Specialisation { statistics: true, ..forward });
        for (lse, statistics) in [(false, false), (true, false), (false, true), (true, true)] {
            specialisations.push(Specialisation { y: true, lse, statistics, ..forward });
        }
        specialisations.extend(problem.backward().map(base));
        specialisations.push(base(problem.backward_from_statistics()));
    }
    Ok(specialisations.into_iter().map(|specialisation| (specialisation.label(), specialisation.wgsl())).collect())
}
