//! What times a case on a device: its tensors, its plan, and a clock.

use std::error::Error;
use std::time::Instant;

use softpool::{
    BackwardTensors, ElementType, ForwardTensors, GpuContext, GpuSoftPool, GpuTensor, GradBetaTensors, JvpTensors,
    PipelineCache, Plan, SecondBackwardTensors, Shape, TensorView, Tuning, wgpu,
};

use crate::cases::{Case, Operation};
use crate::measure::{Copy, values};

/// Elements after which a large tensor's values repeat: those of 8x64x112x112.
const VALUES: usize = 8 * 64 * 112 * 112;

/// A device, and what measures on it.
pub struct Bench {
    pub context: GpuContext,
    copy: Copy,
    /// Where the device writes its timestamps, and what one tick is in nanoseconds.
    timestamps: Option<(wgpu::QuerySet, f64)>,
    /// Normal values, to fill tensors with.
    normal: Vec<f32>,
}

/// A tensor of a case, on the device.
pub struct Tensor {
    pub buffer: wgpu::Buffer,
    shape: Shape,
    element_type: ElementType,
    channels_last: bool,
}

/// A case's tensors on the device.
pub struct Tensors {
    pub x: Tensor,
    pub g: Tensor,
    pub y: Tensor,
    /// Of the input's size.
    pub target: Tensor,
    betas: GpuTensor,
    grad_beta: GpuTensor,
}

/// Strides of a tensor whose channels are innermost.
pub fn channels_last_strides(shape: &Shape) -> Vec<usize> {
    let dims = shape.dims();
    let mut strides = vec![1; dims.len()];
    let mut step = dims[1];
    for axis in (2..dims.len()).rev().chain([0]) {
        strides[axis] = step;
        step *= dims[axis];
    }
    strides
}

impl Tensor {
    /// The tensor, contiguous or with its channels innermost.
    pub fn view(&self) -> softpool::Result<TensorView<'_>> {
        let view = TensorView::new(&self.buffer, self.shape).of_type(self.element_type);
        if !self.channels_last {
            return Ok(view);
        }
        view.with_strides(channels_last_strides(&self.shape))
    }

    fn bytes(&self) -> u64 {
        self.shape.elements() as u64 * self.element_type.bytes()
    }
}

impl Bench {
    /// The adapter that the environment chooses, with timestamps where it has them and they agree with the clock.
    pub fn new() -> Result<Self, Box<dyn Error>> {
        let GpuContext { adapter, .. } = GpuContext::new_blocking()?;
        let timed = adapter.features() & wgpu::Features::TIMESTAMP_QUERY;
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("bench"),
            required_features: timed,
            required_limits: adapter.limits(),
            ..Default::default()
        }))?;
        let copy = Copy::new(&device);
        let context = GpuContext { adapter, device, queue };
        let mut bench = Self { context, copy, timestamps: None, normal: values(VALUES) };
        if !timed.is_empty() {
            let queries = bench.context.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("bench"),
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            });
            bench.timestamps = Some((queries, f64::from(bench.context.queue.get_timestamp_period())));
            if !bench.timestamps_agree()? {
                bench.timestamps = None;
            }
        }
        Ok(bench)
    }

    pub fn clock(&self) -> &'static str {
        if self.timestamps.is_some() {
            "by the device's timestamps"
        } else {
            "by the clock, from submission to completion"
        }
    }

    /// Whether timestamps of a large copy are most of what the clock says, and no more than all of it.
    fn timestamps_agree(&self) -> Result<bool, Box<dyn Error>> {
        let shape = Shape::new([1, 1, 1 << 24])?;
        let [source, target] = [(); 2].map(|()| self.tensor(shape, ElementType::F32, false, None));
        let copy = self.copy(&source?, &target?);
        let mut agree = 0;
        for _ in 0..5 {
            let start = Instant::now();
            let device = self.time(&copy)?;
            let ratio = device / (start.elapsed().as_secs_f64() * 1e3);
            agree += usize::from((0.2..=1.0).contains(&ratio));
        }
        Ok(agree >= 4)
    }

    /// What records a copy of one tensor to another of its size.
    pub fn copy(&self, source: &Tensor, target: &Tensor) -> impl Fn(&mut wgpu::ComputePass<'_>) + use<> {
        self.copy.prepare(&self.context.device, &source.buffer, &target.buffer)
    }

    /// Milliseconds of what `record` records.
    pub fn time(&self, record: &dyn Fn(&mut wgpu::ComputePass<'_>)) -> Result<f64, Box<dyn Error>> {
        let GpuContext { device, queue, .. } = &self.context;
        let mut encoder = device.create_command_encoder(&Default::default());
        {
            let timestamp_writes = self.timestamps.as_ref().map(|(query_set, _)| wgpu::ComputePassTimestampWrites {
                query_set,
                beginning_of_pass_write_index: Some(0),
                end_of_pass_write_index: Some(1),
            });
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes });
            record(&mut pass);
        }
        let read = self.timestamps.as_ref().map(|(query_set, period)| {
            let buffer = |usage| {
                device.create_buffer(&wgpu::BufferDescriptor {
                    label: None,
                    size: 16,
                    usage,
                    mapped_at_creation: false,
                })
            };
            let resolved = buffer(wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC);
            let mapped = buffer(wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST);
            encoder.resolve_query_set(query_set, 0..2, &resolved, 0);
            encoder.copy_buffer_to_buffer(&resolved, 0, &mapped, 0, 16);
            (mapped, *period)
        });
        let commands = encoder.finish();
        let start = Instant::now();
        queue.submit([commands]);
        device.poll(wgpu::PollType::wait_indefinitely())?;
        let elapsed = start.elapsed().as_secs_f64() * 1e3;
        let Some((mapped, period)) = read else { return Ok(elapsed) };
        mapped.map_async(wgpu::MapMode::Read, .., |_| ());
        device.poll(wgpu::PollType::wait_indefinitely())?;
        let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(&mapped.get_mapped_range(..)?);
        Ok(ticks[1].wrapping_sub(ticks[0]) as f64 * period / 1e6)
    }

    /// A tensor of `values`, repeated, or of zeros. Its buffer is whole vectors, for the copy.
    ///
    /// # Errors
    /// Where the device can't bind it or has no memory for it.
    fn tensor(
        &self,
        shape: Shape,
        element_type: ElementType,
        channels_last: bool,
        values: Option<&[f32]>,
    ) -> Result<Tensor, Box<dyn Error>> {
        let GpuContext { device, queue, .. } = &self.context;
        let size = (shape.elements() as u64 * element_type.bytes()).next_multiple_of(16);
        let limits = device.limits();
        let most = limits.max_buffer_size.min(limits.max_storage_buffer_binding_size);
        if size > most {
            return Err(format!("a tensor {shape} of {element_type} has {size} bytes, a binding {most} at most").into());
        }
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
        let create = |size| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("bench"),
                size,
                usage,
                mapped_at_creation: false,
            })
        };
        let scope = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let buffer = create(size);
        let mut encoder = device.create_command_encoder(&Default::default());
        match values {
            Some(values) => {
                let mut bytes = element_type.encode(&values[..values.len().min(shape.elements())]);
                bytes.resize(bytes.len().next_multiple_of(16), 0);
                let part = create(bytes.len() as u64);
                queue.write_buffer(&part, 0, &bytes);
                for at in (0..size).step_by(bytes.len()) {
                    encoder.copy_buffer_to_buffer(&part, 0, &buffer, at, part.size().min(size - at));
                }
            }
            None => encoder.clear_buffer(&buffer, 0, None),
        }
        let commands = encoder.finish();
        if let Some(error) = pollster::block_on(scope.pop()) {
            return Err(format!("no memory for a tensor {shape} of {element_type}: {error}").into());
        }
        queue.submit([commands]);
        Ok(Tensor { buffer, shape, element_type, channels_last })
    }

    /// The tensors of a case.
    ///
    /// # Errors
    /// Where the device can't bind them or has no memory for them.
    pub fn tensors(&self, case: &Case) -> Result<Tensors, Box<dyn Error>> {
        let shape = Shape::new(case.shape)?;
        let pooled = shape.pooled(&case.config()?)?;
        let tensor = |shape: Shape, values: Option<&[f32]>| {
            self.tensor(shape, case.element_type(), case.is_channels_last(), values)
        };
        let channels = shape.channels();
        let own = case.data.of(self.normal[..shape.elements().min(VALUES)].to_vec());
        let tensors = Tensors {
            x: tensor(shape, Some(&own))?,
            g: tensor(pooled, Some(&self.normal))?,
            y: tensor(pooled, None)?,
            target: tensor(shape, None)?,
            betas: self.context.upload(Shape::new([channels])?, &vec![1.0; channels])?,
            grad_beta: self.context.upload(Shape::new([1])?, &[0.0])?,
        };
        // So that nothing of it is left to do when a kernel first runs.
        self.context.queue.submit([]);
        self.context.device.poll(wgpu::PollType::wait_indefinitely())?;
        Ok(tensors)
    }

    /// The pooling of a case, with kernels from `cache`.
    pub fn pool(&self, case: &Case, cache: &PipelineCache) -> Result<GpuSoftPool, Box<dyn Error>> {
        Ok(GpuSoftPool::with_cache(&self.context.device, &self.context.queue, case.config()?, cache)?)
    }

    /// The plan of a case, with kernels from `cache`, and how many bytes it must move: each input read once, each output
    /// written once.
    pub fn plan(
        &self,
        case: &Case,
        tensors: &Tensors,
        cache: &PipelineCache,
        tuning: Option<Tuning>,
    ) -> Result<(Plan, u64), Box<dyn Error>> {
        let Tensors { x, g, y, target, betas, grad_beta } = tensors;
        let mut pool = self.pool(case, cache)?;
        if let Some(tuning) = tuning {
            pool = pool.with_tuning(tuning);
        }
        let (x_view, g_view, y_view, target_view) = (x.view()?, g.view()?, y.view()?, target.view()?);
        let (of_x, of_y) = (x.bytes(), y.bytes());
        Ok(match case.operation {
            Operation::ForwardByChannel => {
                pool = pool.with_betas(betas);
                (pool.plan(ForwardTensors::new(x_view, y_view))?, of_x + of_y)
            }
            Operation::Forward => (pool.plan(ForwardTensors::new(x_view, y_view))?, of_x + of_y),
            Operation::Backward => (pool.plan(BackwardTensors::new(x_view, g_view, target_view))?, 2 * of_x + of_y),
            Operation::GradBeta => {
                let (input, grad_output) = (x_view, g_view);
                let tensors = GradBetaTensors { input, grad_output, grad_beta: grad_beta.view(), statistics: None };
                (pool.plan(tensors)?, of_x + of_y)
            }
            Operation::Jvp => {
                let tensors = JvpTensors { input: x_view, tangent: x_view, output: y_view, statistics: None };
                (pool.plan(tensors)?, 2 * of_x + of_y)
            }
            Operation::SecondBackward => {
                let tensors = SecondBackwardTensors {
                    input: x_view,
                    grad_output: g_view,
                    tangent: x_view,
                    grad_of_grad_output: Some(y_view),
                    grad_of_input: target_view,
                    statistics: None,
                };
                (pool.plan(tensors)?, 3 * of_x + 2 * of_y)
            }
        })
    }
}
