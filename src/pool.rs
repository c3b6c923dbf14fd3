//! The pooling that a host holds: plans, encoding, and calls that allocate their results.

use crate::guard::guarded;
use crate::tensor::{OwnedView, create_buffer};
use crate::tuning::Tuning;
use crate::{
    BackwardTensors, ElementType, Error, ForwardTensors, GpuTensor, GradBetaTensors, JvpTensors, Operation,
    PipelineCache, Plan, Recipe, Recipes, Result, SecondBackwardTensors, Shape, SoftPoolConfig, StatisticsView,
    TensorView,
};

/// SoftPool on a host's device, at three levels, each built on the one before:
///
/// 1. **encode** into the host's own encoder or pass and buffers: [`plan`](Self::plan) prepares an [`Operation`] as a [`Plan`] that is
///    replayed without allocating; [`encode`](Self::encode) makes one and records it.
/// 2. **call**: [`forward`](Self::forward), [`backward`](Self::backward), [`grad_beta`](Self::grad_beta), [`jvp`](Self::jvp)
///    and [`second_backward`](Self::second_backward) allocate the result and submit; they do not wait. Results are stored as
///    what they are the results of.
/// 3. **read**: [`GpuTensor::read`], or [`GpuTensor::read_blocking`].
///
/// ```
/// use softpool::{GpuContext, GpuSoftPool, Shape, SoftPoolConfig};
///
/// let context = GpuContext::new_blocking()?;
/// let pool = GpuSoftPool::new(&context.device, &context.queue, SoftPoolConfig::builder([2, 2]).build()?);
/// let x = context.upload(Shape::new([1, 1, 2, 2])?, &[0.0, 0.0, 1.0, 1.0])?;
/// let y = pool.forward(&x)?.read_blocking()?;
/// let e = std::f32::consts::E;
/// assert!((y[0] - e / (1.0 + e)).abs() < 1e-6);
/// # Ok::<(), softpool::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct GpuSoftPool {
    device: wgpu::Device,
    limits: wgpu::Limits,
    queue: wgpu::Queue,
    config: SoftPoolConfig,
    /// On the device, instead of the configuration's.
    betas: Option<OwnedView>,
    cache: PipelineCache,
    tuning: Tuning,
}

/// The results of [`GpuSoftPool::second_backward`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SecondGradients {
    /// With respect to the gradient of the output.
    pub grad_output: GpuTensor,
    /// With respect to the input.
    pub input: GpuTensor,
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
        StatisticsView { memory: (&self.buffer).into(), byte_offset: 0 }
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
#[non_exhaustive]
pub struct Forward {
    /// The pooled tensor.
    pub y: GpuTensor,
    /// If it was asked for.
    pub lse: Option<GpuTensor>,
    /// If they were asked for.
    pub statistics: Option<Statistics>,
}

impl GpuSoftPool {
    /// A pooling by `config` on the host's device. Nothing is compiled before the first plan or call, and a device that can't
    /// run it says so then.
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue, config: SoftPoolConfig) -> Self {
        Self {
            device: device.clone(),
            limits: device.limits(),
            queue: queue.clone(),
            config,
            betas: None,
            cache: PipelineCache::new(device),
            tuning: Tuning::of(device),
        }
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
        Ok(Self { cache: cache.clone(), ..Self::new(device, queue, config) })
    }

    /// The same pooling with blocks of another size than [`Tuning::of`] chooses.
    pub fn with_tuning(self, tuning: Tuning) -> Self {
        Self { tuning, ..self }
    }

    /// The same pooling, sharing its pipelines, with another inverse temperature: nothing is compiled again, unless one of the two lies
    /// within 1e-18 of 0 and the other doesn't.
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

    /// The sizes of its blocks, and what it leaves to the driver.
    pub fn tuning(&self) -> Tuning {
        self.tuning
    }

    /// The configuration.
    pub fn config(&self) -> &SoftPoolConfig {
        &self.config
    }

    /// The pipelines of this pooling and of all that share its cache.
    pub fn cache(&self) -> &PipelineCache {
        &self.cache
    }

    /// What this pooling dispatches, as it is worked out for any runtime.
    pub fn recipes(&self) -> Recipes<'_> {
        let recipes = Recipes::new(&self.config, &self.limits, self.tuning);
        match &self.betas {
            Some(betas) => recipes.with_betas(betas.view()),
            None => recipes,
        }
    }

    /// Makes the pipelines of a recipe ahead, and runs nothing: compiling one takes milliseconds to seconds, which a renderer
    /// has at its start and not in a frame. The future is ready once the driver has made them. Natively they are made before
    /// this returns; browsers make them meanwhile.
    ///
    /// Which pipelines a call takes follows from its tensors' sizes, types and strides. Buffers need not be there yet: tensors of
    /// [`Memory::Named`](crate::Memory::Named), of [`Recipes::with_names_apart`], have the pipelines of tensors in a buffer each.
    ///
    /// ```
    /// use softpool::{ForwardTensors, GpuContext, GpuSoftPool, Memory, Shape, SoftPoolConfig, TensorView};
    ///
    /// let context = GpuContext::new_blocking()?;
    /// let pool = GpuSoftPool::new(&context.device, &context.queue, SoftPoolConfig::builder([2, 2]).build()?);
    /// let named = |name, shape: Shape| {
    ///     TensorView::new(Memory::Named { name, bytes: 4 * shape.elements() as u64 }, shape)
    /// };
    /// let shape = Shape::new([1, 3, 720, 1280])?;
    /// let tensors = ForwardTensors::new(named(0, shape), named(1, shape.pooled(pool.config())?));
    /// pollster::block_on(pool.prepare(&pool.recipes().with_names_apart().of(tensors)?))?;
    /// assert_eq!(pool.cache().len(), 1);
    ///
    /// // Nothing is left to compile.
    /// pool.forward(&context.upload(shape, &vec![0.5; shape.elements()])?)?;
    /// assert_eq!(pool.cache().len(), 1);
    /// # Ok::<(), softpool::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::DeviceLost`], [`Error::OutOfMemory`], and [`Error::Refused`] where the driver fails at a kernel.
    pub fn prepare(&self, recipe: &Recipe<'_>) -> impl Future<Output = Result<()>> + use<> {
        self.cache.prepare(recipe)
    }

    /// Prepares an operation over buffers of the host.
    ///
    /// # Errors
    /// Those of [`Recipes::of`], [`Error::NotABuffer`], and what a device fails at: [`Error::DeviceLost`], [`Error::OutOfMemory`],
    /// [`Error::Refused`].
    pub fn plan<'a>(&'a self, operation: impl Operation + 'a) -> Result<Plan> {
        Plan::new(&self.device, &self.queue, &self.cache, &self.recipes().of(operation)?, &[])
    }

    /// Records an operation into the host's encoder. To repeat it, keep a plan instead.
    ///
    /// # Errors
    /// Those of [`plan`](Self::plan), before anything is recorded.
    pub fn encode<'a>(&'a self, encoder: &mut wgpu::CommandEncoder, operation: impl Operation + 'a) -> Result<()> {
        self.plan(operation).map(|plan| plan.encode(encoder))
    }

    /// Pools a tensor of `(N, C, spatial axes)`, or of `(C, spatial axes)`, into a new one of its element type; submits and
    /// does not wait.
    ///
    /// # Errors
    /// Those of [`plan`](Self::plan), and [`Error::DeviceLimit`] for a result beyond the device's
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
        let recipes = self.recipes();
        let tensors = ForwardTensors {
            input,
            output: recipes.result_tensor(0, pooled, input.element_type)?,
            lse: outputs.lse.then(|| recipes.result_tensor(1, pooled, ElementType::F32)).transpose()?,
            statistics: outputs.statistics.then(|| recipes.result_statistics(2, &pooled)).transpose()?,
        };
        let recipe = recipes.of(tensors)?;
        let y = self.allocate(&tensors.output, "softpool y")?;
        let lse = tensors.lse.map(|lse| self.allocate(&lse, "softpool lse")).transpose()?;
        let statistics = match tensors.statistics {
            Some(view) => {
                let buffer = create_buffer(&self.device, view.memory.bytes(), "softpool statistics")?;
                let (config, betas) = (self.config.clone(), self.betas.clone());
                Some(Statistics { config, betas, shape: input.shape, buffer })
            }
            None => None,
        };
        let buffers = [Some(y.buffer()), lse.as_ref().map(GpuTensor::buffer), statistics.as_ref().map(|s| &s.buffer)];
        self.run(&recipe, &buffers)?;
        Ok(Forward { y, lse, statistics })
    }

    /// The gradient of the input, for the gradient of the output, into a new tensor of the input's element type; submits and
    /// does not wait.
    ///
    /// # Errors
    /// Those of [`plan`](Self::plan), and [`Error::DeviceLimit`] for a result beyond the device's
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
    /// Those of [`plan`](Self::plan).
    pub fn grad_beta<'a, 'b>(
        &self,
        input: impl Into<TensorView<'a>>,
        grad_output: impl Into<TensorView<'b>>,
    ) -> Result<GpuTensor> {
        let (input, grad_output) = (input.into(), grad_output.into());
        let shape = self.betas.as_ref().map_or(Shape::new([1]), |betas| Ok(betas.view().shape))?;
        let recipes = self.recipes();
        let grad_beta = recipes.result_tensor(0, shape, ElementType::F32)?;
        let recipe = recipes.of(GradBetaTensors::new(input, grad_output, grad_beta))?;
        let grad_beta = self.allocate(&grad_beta, "softpool grad_beta")?;
        self.run(&recipe, &[Some(grad_beta.buffer())])?;
        Ok(grad_beta)
    }

    /// How the output changes as the input goes along `tangent`, into a new tensor of the input's element type; submits and
    /// does not wait.
    ///
    /// # Errors
    /// Those of [`plan`](Self::plan).
    pub fn jvp<'a, 'b>(
        &self,
        input: impl Into<TensorView<'a>>,
        tangent: impl Into<TensorView<'b>>,
    ) -> Result<GpuTensor> {
        let (input, tangent) = (input.into(), tangent.into());
        let pooled = input.shape.pooled(&self.config)?;
        let recipes = self.recipes();
        let output = recipes.result_tensor(0, pooled, input.element_type)?;
        let recipe = recipes.of(JvpTensors::new(input, tangent, output))?;
        let output = self.allocate(&output, "softpool jvp")?;
        self.run(&recipe, &[Some(output.buffer())])?;
        Ok(output)
    }

    /// The gradients of `<v, backward(x, g)>` with respect to g and x, for x the input, g the gradient of the output and a v
    /// of the input's shape, into new tensors of the input's element type; submits and does not wait.
    ///
    /// # Errors
    /// Those of [`plan`](Self::plan).
    pub fn second_backward<'a, 'b, 'c>(
        &self,
        input: impl Into<TensorView<'a>>,
        grad_output: impl Into<TensorView<'b>>,
        v: impl Into<TensorView<'c>>,
    ) -> Result<SecondGradients> {
        let (input, grad_output, tangent) = (input.into(), grad_output.into(), v.into());
        let pooled = input.shape.pooled(&self.config)?;
        let recipes = self.recipes();
        let of_grad_output = recipes.result_tensor(0, pooled, input.element_type)?;
        let of_input = recipes.result_tensor(1, input.shape, input.element_type)?;
        let recipe = recipes.of(SecondBackwardTensors {
            input,
            grad_output,
            tangent,
            grad_of_grad_output: Some(of_grad_output),
            grad_of_input: of_input,
            statistics: None,
        })?;
        let gradients = SecondGradients {
            grad_output: self.allocate(&of_grad_output, "softpool gradient of grad_output")?,
            input: self.allocate(&of_input, "softpool second gradient")?,
        };
        self.run(&recipe, &[Some(gradients.grad_output.buffer()), Some(gradients.input.buffer())])?;
        Ok(gradients)
    }

    fn call_backward(
        &self,
        input: TensorView<'_>,
        grad_output: TensorView<'_>,
        statistics: Option<StatisticsView<'_>>,
    ) -> Result<GpuTensor> {
        let recipes = self.recipes();
        let grad_input = recipes.result_tensor(0, input.shape, input.element_type)?;
        let recipe = recipes.of(BackwardTensors { input, grad_output, grad_input, statistics })?;
        let grad_input = self.allocate(&grad_input, "softpool grad_input")?;
        self.run(&recipe, &[Some(grad_input.buffer())])?;
        Ok(grad_input)
    }

    /// The tensor that a recipe's result stands for.
    fn allocate(&self, result: &TensorView<'_>, label: &str) -> Result<GpuTensor> {
        GpuTensor::allocate(&self.device, &self.queue, result.shape, result.element_type, label)
    }

    /// Submits a recipe, with the buffers of its results.
    fn run(&self, recipe: &Recipe<'_>, results: &[Option<&wgpu::Buffer>]) -> Result<()> {
        let plan = Plan::new(&self.device, &self.queue, &self.cache, recipe, results)?;
        guarded(&self.device, || {
            let mut encoder =
                self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("softpool call") });
            plan.encode(&mut encoder);
            self.queue.submit([encoder.finish()]);
            Ok(())
        })
    }
}
