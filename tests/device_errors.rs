//! Evidence that what a device fails at comes back as a value, in every call, read and plan: its loss, memory that runs out, work
//! that doesn't end in time, and buffers that wgpu refuses. The host's own handler of errors and lost callback are its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::common::{on_every_adapter, windows};
use softpool::{
    BackwardTensors, ElementType, Error, Forward, ForwardTensors, GpuContext, GpuSoftPool, GpuTensor, GradBetaTensors,
    JvpTensors, Outputs, Plan, Result, SecondBackwardTensors, Shape, SoftPoolConfig, wgpu,
};

/// A device of its own, to be lost, and what its host hears.
struct Host {
    context: GpuContext,
    errors: Arc<Mutex<Vec<String>>>,
    losses: Arc<AtomicUsize>,
}

impl Host {
    fn of(context: &GpuContext) -> Self {
        let context = pollster::block_on(GpuContext::from_adapter(context.adapter.clone())).expect("its own limits");
        let host = Self { context, errors: Arc::default(), losses: Arc::default() };
        let errors = Arc::clone(&host.errors);
        let handler = move |error: wgpu::Error| errors.lock().expect("no panic").push(error.to_string());
        host.context.device.on_uncaptured_error(Arc::new(handler));
        let losses = Arc::clone(&host.losses);
        host.context.device.set_device_lost_callback(move |_, _| {
            losses.fetch_add(1, Ordering::Relaxed);
        });
        host
    }

    /// # Panics
    /// If an error went to the host that one of our calls is the cause of.
    fn heard_nothing(&self, after: &str) {
        let errors = self.errors.lock().expect("no panic");
        assert!(errors.is_empty(), "after {after} on {}: {errors:#?}", self.context.name());
    }
}

fn shape<const AXES: usize>(dims: [usize; AXES]) -> Shape {
    Shape::new(dims).expect("a valid shape")
}

fn config() -> SoftPoolConfig {
    windows([2, 2], [2]).build().expect("valid")
}

/// A pooling with all that its calls take.
struct Call {
    pool: GpuSoftPool,
    x: GpuTensor,
    y: GpuTensor,
    out: GpuTensor,
    by_input: GpuTensor,
    beta: GpuTensor,
    halves: GpuTensor,
    empty: GpuTensor,
    saved: Forward,
}

impl Call {
    fn of(context: &GpuContext) -> Self {
        let pool = GpuSoftPool::new(&context.device, &context.queue, config());
        let tensor = |dims: [usize; 4]| context.upload(shape(dims), &vec![0.5; shape(dims).elements()]).expect("small");
        let (x, y) = (tensor([1, 2, 4, 6]), tensor([1, 2, 2, 3]));
        let saved = pool.forward_with(&x, Outputs { statistics: true, lse: true }).expect("a valid call");
        let halves = GpuTensor::from_slice_as(
            &context.device,
            &context.queue,
            shape([1, 2, 4, 6]),
            ElementType::F16,
            &[0.5; 48],
        );
        Self {
            pool,
            x,
            y,
            out: tensor([1, 2, 2, 3]),
            by_input: tensor([1, 2, 4, 6]),
            beta: context.upload(shape([1]), &[1.0]).expect("small"),
            halves: halves.expect("small"),
            empty: context.upload(shape([0, 2, 4, 6]), &[]).expect("nothing"),
            saved,
        }
    }

    fn forward(&self) -> ForwardTensors<'_> {
        ForwardTensors::new(&self.x, &self.out)
    }

    fn backward(&self) -> BackwardTensors<'_> {
        BackwardTensors::new(&self.x, &self.y, &self.by_input)
    }

    fn grad_beta(&self) -> GradBetaTensors<'_> {
        GradBetaTensors {
            input: self.x.view(),
            grad_output: self.y.view(),
            grad_beta: self.beta.view(),
            statistics: None,
        }
    }

    fn jvp(&self) -> JvpTensors<'_> {
        JvpTensors { input: self.x.view(), tangent: self.x.view(), output: self.out.view(), statistics: None }
    }

    fn second_backward(&self) -> SecondBackwardTensors<'_> {
        SecondBackwardTensors {
            input: self.x.view(),
            grad_output: self.y.view(),
            tangent: self.x.view(),
            grad_of_grad_output: Some(self.out.view()),
            grad_of_input: self.by_input.view(),
            statistics: None,
        }
    }

    fn plans(&self) -> [(&'static str, Result<Plan>); 6] {
        let statistics = self.saved.statistics.as_ref().expect("asked for").view();
        let from_statistics = BackwardTensors { statistics: Some(statistics), ..self.backward() };
        [
            ("plan of forward", self.pool.plan(self.forward())),
            ("plan of backward", self.pool.plan(self.backward())),
            ("plan of backward from statistics", self.pool.plan(from_statistics)),
            ("plan of grad_beta", self.pool.plan(self.grad_beta())),
            ("plan of jvp", self.pool.plan(self.jvp())),
            ("plan of second_backward", self.pool.plan(self.second_backward())),
        ]
    }

    /// Every call and read there is, by name. What they return beside errors is dropped.
    fn everything(&self, context: &GpuContext) -> Vec<(&'static str, Result<()>)> {
        let Self { pool, x, y, saved, halves, empty, .. } = self;
        let statistics = saved.statistics.as_ref().expect("asked for");
        let mut encoder = context.device.create_command_encoder(&Default::default());
        let all = Outputs { statistics: true, lse: true };
        let device = (&context.device, &context.queue);
        let mut results = vec![
            ("forward", pool.forward(x).map(drop)),
            ("forward of halves", pool.forward(halves).map(drop)),
            ("forward of nothing", pool.forward(empty).map(drop)),
            ("forward_with", pool.forward_with(x, all).map(drop)),
            ("backward", pool.backward(x, y).map(drop)),
            ("backward_from", pool.backward_from(x, y, statistics).map(drop)),
            ("grad_beta", pool.grad_beta(x, y).map(drop)),
            ("jvp", pool.jvp(x, x).map(drop)),
            ("second_backward", pool.second_backward(x, y, x).map(drop)),
            ("another configuration", other_pool(context).forward(x).map(drop)),
            ("with_betas", pool.clone().with_betas(&self.beta).forward(x).map(drop)),
            ("encode of forward", pool.encode(&mut encoder, self.forward())),
            ("encode of backward", pool.encode(&mut encoder, self.backward())),
            ("encode of grad_beta", pool.encode(&mut encoder, self.grad_beta())),
            ("encode of jvp", pool.encode(&mut encoder, self.jvp())),
            ("encode of second_backward", pool.encode(&mut encoder, self.second_backward())),
            ("upload", context.upload(shape([1, 1, 2]), &[1.0, 2.0]).map(drop)),
            ("upload of nothing", context.upload(shape([0, 1, 2]), &[]).map(drop)),
            (
                "from_slice_as",
                GpuTensor::from_slice_as(device.0, device.1, shape([1, 1, 3]), ElementType::Bf16, &[1.0; 3]).map(drop),
            ),
            ("read", pollster::block_on(x.read()).map(drop)),
            ("read_blocking", x.read_blocking().map(drop)),
            ("read_blocking_within", x.read_blocking_within(Duration::from_secs(60)).map(drop)),
            ("read of a result", saved.y.read_blocking().map(drop)),
            ("read of halves", halves.read_blocking().map(drop)),
            ("read of nothing", empty.read_blocking().map(drop)),
        ];
        results.extend(self.plans().map(|(name, plan)| (name, plan.map(drop))));
        results
    }
}

/// A pooling whose pipelines nobody has built.
fn other_pool(context: &GpuContext) -> GpuSoftPool {
    let config = windows([3, 3], [2]).padding([1]).build().expect("valid");
    GpuSoftPool::new(&context.device, &context.queue, config)
}

/// # Panics
/// Unless every one is that variant.
fn all_are(variant: &str, results: Vec<(&'static str, Result<()>)>, on: &GpuContext) {
    for (name, result) in results {
        match result {
            Ok(()) => panic!("{name} on {} went through", on.name()),
            Err(error) => assert!(format!("{error:?}").starts_with(variant), "{name} on {}: {error:?}", on.name()),
        }
    }
}

fn submit(context: &GpuContext, record: impl FnOnce(&mut wgpu::CommandEncoder)) {
    let mut encoder = context.device.create_command_encoder(&Default::default());
    record(&mut encoder);
    context.queue.submit([encoder.finish()]);
}

#[test]
fn everything_works_before() {
    on_every_adapter(|context| {
        let host = Host::of(context);
        for (name, result) in Call::of(&host.context).everything(&host.context) {
            assert!(result.is_ok(), "{name} on {}: {result:?}", context.name());
        }
        host.heard_nothing("everything");
        assert_eq!(host.losses.load(Ordering::Relaxed), 0);
    });
}

#[test]
fn a_lost_device_is_an_error_of_every_call_and_read() {
    on_every_adapter(|context| {
        let host = Host::of(context);
        let call = Call::of(&host.context);
        host.context.device.destroy();
        for _ in 0..2 {
            all_are("DeviceLost", call.everything(&host.context), context);
            host.heard_nothing("the loss");
        }
        let error = call.pool.forward(&call.x).expect_err("the device is lost");
        assert!(error.to_string().contains("make a new one"), "{error}");
        // The host hears of it, as if we weren't there.
        host.context.device.poll(wgpu::PollType::wait_indefinitely()).expect("what was submitted ends");
        assert_eq!(host.losses.load(Ordering::Relaxed), 1);
    });
}

/// The handler that wgpu has by default panics at whatever it gets.
#[test]
fn a_lost_device_without_a_handler_panics_nowhere() {
    on_every_adapter(|context| {
        let own = pollster::block_on(GpuContext::from_adapter(context.adapter.clone())).expect("its own limits");
        let call = Call::of(&own);
        own.device.destroy();
        all_are("DeviceLost", call.everything(&own), context);
    });
}

/// A plan is recorded by the host, into its own encoder: that panics nowhere, and the next read tells.
#[test]
fn a_plan_replayed_on_a_lost_device_shows_in_the_read() {
    on_every_adapter(|context| {
        let own = pollster::block_on(GpuContext::from_adapter(context.adapter.clone())).expect("its own limits");
        let call = Call::of(&own);
        let plans = call.plans().map(|(_, plan)| plan.expect("a valid plan"));
        submit(&own, |encoder| plans.iter().for_each(|plan| plan.encode(encoder)));
        let y = call.out.read_blocking().expect("a device that works");
        // The loss may come before the plan is recorded, or between that and its submission.
        let mut encoder = own.device.create_command_encoder(&Default::default());
        plans.iter().for_each(|plan| plan.encode(&mut encoder));
        own.device.destroy();
        own.queue.submit([encoder.finish()]);
        for _ in 0..3 {
            submit(&own, |encoder| {
                plans.iter().for_each(|plan| plan.encode(encoder));
                let mut pass = encoder.begin_compute_pass(&Default::default());
                plans.iter().for_each(|plan| plan.record(&mut pass));
            });
            let read = call.out.read_blocking();
            assert!(matches!(read, Err(Error::DeviceLost { .. })), "{read:?} on {} after {y:?}", context.name());
        }
    });
}

/// Reads that are under way when the device goes end, one way or the other.
#[test]
fn a_loss_ends_reads_that_are_under_way() {
    on_every_adapter(|context| {
        let own = pollster::block_on(GpuContext::from_adapter(context.adapter.clone())).expect("its own limits");
        let call = Call::of(&own);
        let busy = Busy::of(&own);
        busy.submit(&own);
        let reads = [call.x.read(), call.y.read(), call.saved.y.read()];
        std::thread::scope(|scope| {
            let blocking = scope.spawn(|| call.x.read_blocking());
            own.device.destroy();
            for read in reads.into_iter().map(pollster::block_on).chain([blocking.join().expect("no panic")]) {
                assert!(matches!(read, Ok(_) | Err(Error::DeviceLost { .. })), "{read:?} on {}", context.name());
            }
        });
    });
}

/// The host's errors are the host's, before, between and after our calls.
#[test]
fn errors_of_the_host_reach_its_handler() {
    on_every_adapter(|context| {
        let host = Host::of(context);
        let call = Call::of(&host.context);
        let wrong = || {
            drop(host.context.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("of no usage"),
                size: 4,
                usage: wgpu::BufferUsages::empty(),
                mapped_at_creation: false,
            }));
            std::mem::take(&mut *host.errors.lock().expect("no panic")).len()
        };
        assert_eq!(wrong(), 1);
        call.pool.forward(&call.x).expect("a valid call");
        assert_eq!(wrong(), 1);
        call.x.buffer().destroy();
        assert!(matches!(call.pool.forward(&call.x), Err(Error::Refused(_))));
        assert!(matches!(call.x.read_blocking(), Err(Error::Refused(_))));
        host.heard_nothing("a refusal");
        assert_eq!(wrong(), 1);
        // In a scope of the host's, too.
        let scope = host.context.device.push_error_scope(wgpu::ErrorFilter::Validation);
        assert!(matches!(call.pool.forward(&call.x), Err(Error::Refused(_))));
        assert!(pollster::block_on(scope.pop()).is_none());
    });
}

/// Work of the host's own, to keep a device busy with.
struct Busy {
    pipeline: wgpu::ComputePipeline,
    bind_group: wgpu::BindGroup,
    workgroups: u32,
}

impl Busy {
    /// Work that takes a second, whatever the device: it is measured. That leaves room for a machine with other work.
    fn of(context: &GpuContext) -> Self {
        // Mesa's software driver ends a shader's loops after 65,536 rounds.
        let text = "@group(0) @binding(0) var<storage, read_write> values: array<u32>;
            @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
                var value = id.x;
                for (var i = 0u; i < 60000u; i++) { value = value * 1664525u + 1013904223u + (value >> 7u); }
                values[id.x % arrayLength(&values)] = value;
            }";
        let device = &context.device;
        let source = wgpu::ShaderSource::Wgsl(text.into());
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor { label: Some("busy"), source });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("busy"),
            layout: None,
            module: &module,
            entry_point: None,
            compilation_options: Default::default(),
            cache: None,
        });
        let buffer = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("busy"),
            size: 256,
            usage: wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        });
        let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("busy"),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: buffer.as_entire_binding() }],
        });
        let mut busy = Self { pipeline, bind_group, workgroups: 16 };
        loop {
            let start = Instant::now();
            busy.submit(context);
            context.device.poll(wgpu::PollType::wait_indefinitely()).expect("a device that works");
            if start.elapsed() > Duration::from_secs(1) {
                return busy;
            }
            busy.workgroups = (2 * busy.workgroups).min(65535);
        }
    }

    fn submit(&self, context: &GpuContext) {
        submit(context, |encoder| {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, &self.bind_group, &[]);
            pass.dispatch_workgroups(self.workgroups, 1, 1);
        });
    }
}

#[test]
fn a_read_ends_at_its_limit_and_can_be_repeated() {
    on_every_adapter(|context| {
        let x = context.upload(shape([1, 1, 2]), &[1.0, 2.0]).expect("small");
        assert_eq!(x.read_blocking_within(Duration::from_secs(60)).expect("nothing to wait for"), [1.0, 2.0]);
        let busy = Busy::of(context);
        let limit = Duration::from_millis(5);
        std::thread::scope(|scope| {
            // Some drivers are busy as soon as it is submitted, others keep the thread that submits it.
            scope.spawn(|| busy.submit(context));
            std::thread::sleep(Duration::from_millis(20));
            let read = x.read_blocking_within(limit);
            assert!(matches!(read, Err(Error::TimedOut { limit: told }) if told == limit), "{read:?}");
        });
        assert_eq!(x.read_blocking().expect("the device works on"), [1.0, 2.0]);
    });
}
