//! What the tests share: every adapter of the machine, and fresh inputs.
#![allow(dead_code)]

pub mod accuracy;
pub mod buffers;
pub mod derivative_bounds;
pub mod golden;
pub mod stored;
pub mod texels;

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError, TryLockError};

use softpool::{
    ADAPTER_VARIABLE, BackwardTensors, ForwardTensors, GpuContext, GpuSoftPool, GpuTensor, GradientRule, Natives,
    PipelineCache, Shape, SoftPoolConfig, SoftPoolConfigBuilder, Tuning, reference, wgpu,
};

/// What fills every output before a run, so that an element that no kernel writes shows.
pub const POISON: f32 = -7.77e33;

/// A device on every adapter, or on the one that `SOFTPOOL_ADAPTER` names. A machine without one fails the tests.
pub fn contexts() -> &'static [GpuContext] {
    static CONTEXTS: LazyLock<Vec<GpuContext>> = LazyLock::new(|| {
        let choice = std::env::var(ADAPTER_VARIABLE).ok();
        let adapters = pollster::block_on(softpool::adapters());
        if choice.is_some() || adapters.is_empty() {
            let context = pollster::block_on(GpuContext::with_adapter(choice.as_deref()));
            return vec![context.unwrap_or_else(|error| panic!("these tests run on a GPU adapter: {error}"))];
        }
        let context =
            |adapter| pollster::block_on(GpuContext::from_adapter(adapter)).expect("the adapter's own limits");
        adapters.into_iter().map(context).collect()
    });
    &CONTEXTS
}

/// What a device of [`small`] binds at most.
pub const SMALL_BINDING_BYTES: u64 = 1 << 17;
/// How many workgroups it dispatches along an axis.
pub const SMALL_WORKGROUPS: u32 = 64;

/// A device of the same adapter with small limits.
pub fn small(context: &GpuContext) -> GpuContext {
    let required_limits = wgpu::Limits {
        max_storage_buffer_binding_size: SMALL_BINDING_BYTES,
        max_compute_workgroups_per_dimension: SMALL_WORKGROUPS,
        ..context.adapter.limits()
    };
    let descriptor = wgpu::DeviceDescriptor { label: Some("small"), required_limits, ..Default::default() };
    let device = pollster::block_on(context.adapter.request_device(&descriptor));
    let (device, queue) = device.expect("less than the adapter has");
    let small = GpuContext { adapter: context.adapter.clone(), device, queue };
    assert_eq!(small.device.limits().max_compute_workgroups_per_dimension, SMALL_WORKGROUPS);
    small
}

/// A device that serves one test at a time, with the pipelines of all tests on it.
struct Device {
    context: GpuContext,
    cache: PipelineCache,
    turn: Mutex<()>,
}

impl Device {
    fn new(context: GpuContext) -> Self {
        // All files of tests are one process, which would end with thousands of pipelines in memory.
        const CAPACITY: Option<NonZeroUsize> = NonZeroUsize::new(64);
        let cache = PipelineCache::new(&context.device);
        cache.set_capacity(CAPACITY);
        Self { context, cache, turn: Mutex::default() }
    }

    /// Its turn, if no other test has it. One that failed leaves nothing half done.
    fn free(&self) -> Option<MutexGuard<'_, ()>> {
        match self.turn.try_lock() {
            Ok(turn) => Some(turn),
            Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn wait(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The devices of each adapter: two, since nearly all of a test's time goes to the driver's compiler, on one thread of a device. On
/// GL one: a thread that waits long for another's compilation panics in wgpu.
fn devices() -> &'static [Vec<Device>] {
    static DEVICES: LazyLock<Vec<Vec<Device>>> = LazyLock::new(|| {
        let another = |context: &GpuContext| {
            let adapter = context.adapter.clone();
            pollster::block_on(GpuContext::from_adapter(adapter)).expect("as the first device of the adapter")
        };
        let devices = |context: &GpuContext| {
            let is_gl = context.adapter.get_info().backend == wgpu::Backend::Gl;
            let second = (!is_gl).then(|| another(context));
            [Some(context.clone()), second].into_iter().flatten().map(Device::new).collect()
        };
        contexts().iter().map(devices).collect()
    });
    &DEVICES
}

thread_local! {
    /// Which of an adapter's devices served the test before, and has its pipelines.
    static LAST: Cell<usize> = const { Cell::new(0) };
}

/// Runs `test` on every adapter, side by side, each time on a device that serves no other test.
pub fn on_every_adapter(test: impl Fn(&GpuContext) + Sync) {
    let (test, last) = (&test, LAST.get());
    std::thread::scope(|scope| {
        let start = |devices: &'static Vec<Device>| {
            scope.spawn(move || {
                let mut order = (last..last + devices.len()).map(|index| index % devices.len());
                let free = order.find_map(|index| Some((index, devices[index].free()?)));
                let first = last % devices.len();
                let (index, _turn) = free.unwrap_or_else(|| (first, devices[first].wait()));
                test(&devices[index].context);
                index
            })
        };
        let tests: Vec<_> = devices().iter().map(start).collect();
        let served = tests.into_iter().map(|test| test.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        LAST.set(served.max().expect("an adapter"));
    });
}

/// A pooling of one tensor, with the data that its forward and backward take.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: String,
    pub config: SoftPoolConfig,
    pub shape: Shape,
    pub x: Vec<f32>,
    pub grad_output: Vec<f32>,
}

impl Case {
    /// A case of normal values and gradients.
    pub fn normal(name: &str, builder: SoftPoolConfigBuilder, dims: impl AsRef<[usize]>) -> Self {
        Self::with_values(name, builder, dims, |random, _| random.normal())
    }

    /// A case whose value at each index is `value`'s.
    pub fn with_values(
        name: &str,
        builder: SoftPoolConfigBuilder,
        dims: impl AsRef<[usize]>,
        mut value: impl FnMut(&mut Random, usize) -> f32,
    ) -> Self {
        let config = builder.build().expect("a valid configuration");
        let shape = Shape::new(dims).and_then(|shape| shape.of_rank(config.rank())).expect("a valid shape");
        let pooled = shape.pooled(&config).expect("a valid case");
        // The name seeds the data: cases differ, and each is the same in every run.
        let mut random = Random::new(name.bytes().fold(7u64, |hash, byte| hash.wrapping_mul(31) + u64::from(byte)));
        let x = (0..shape.elements()).map(|index| value(&mut random, index)).collect();
        let grad_output = (0..pooled.elements()).map(|_| random.normal()).collect();
        Self { name: name.into(), config, shape, x, grad_output }
    }

    pub fn pooled(&self) -> Shape {
        self.shape.pooled(&self.config).expect("a valid case")
    }

    /// The same case by the detached rule.
    pub fn detached(&self) -> Self {
        let config = rebuilder(&self.config).gradient_rule(GradientRule::Detached).build();
        Self { name: format!("{}, detached", self.name), config: config.expect("it was valid"), ..self.clone() }
    }

    /// The same case with another beta.
    pub fn with_beta(&self, beta: f32) -> Self {
        let config = rebuilder(&self.config).beta(beta).build().expect("it was valid");
        Self { name: format!("{}, beta {beta}", self.name), config, ..self.clone() }
    }

    /// The same case with other values, named after what they are.
    pub fn with_x(&self, what: &str, x: Vec<f32>) -> Self {
        assert_eq!(x.len(), self.x.len(), "{what}");
        Self { name: format!("{}, {what}", self.name), x, ..self.clone() }
    }

    /// The input indices of each window's taps, in the order of the output's elements.
    pub fn windows(&self) -> Vec<Vec<usize>> {
        let mut windows = Vec::with_capacity(self.grad_output.len());
        reference::for_each_window(&self.config, &self.shape, |_, taps| windows.push(taps.to_vec()))
            .expect("a valid case");
        windows
    }
}

/// Where the configuration of most tests starts.
pub fn windows(kernel: impl AsRef<[usize]>, stride: impl AsRef<[usize]>) -> SoftPoolConfigBuilder {
    SoftPoolConfig::builder(kernel).stride(stride)
}

/// A case for each way to compute: disjoint windows, windows that overlap, those whose patch a block reads twice, and
/// those that a workgroup shares; the gradients of the last two go by statistics.
pub fn one_of_each_kernel() -> [Case; 4] {
    [
        Case::normal("disjoint k2 s2", windows([2, 2], [2]), [2, 3, 17, 24]),
        Case::normal("overlapping k3 s1 p1", windows([3, 3], [1]).padding([1]), [2, 3, 9, 20]),
        Case::normal("wide k12 s5", windows([12, 12], [5]), [1, 2, 23, 29]),
        Case::normal("large k3x41 s2x7", windows([3, 41], [2, 7]).padding([1, 20]), [1, 2, 7, 61]),
    ]
}

/// A builder that has every part of `config`.
pub fn rebuilder(config: &SoftPoolConfig) -> SoftPoolConfigBuilder {
    if let Some(output) = config.adaptive_output_size() {
        return SoftPoolConfig::adaptive_keeping(output).beta(config.beta()).gradient_rule(config.gradient_rule());
    }
    SoftPoolConfig::builder(config.kernel())
        .stride(config.stride())
        .padding(config.padding())
        .dilation(config.dilation())
        .ceil_mode_by_axis(config.ceil_mode())
        .beta(config.beta())
        .gradient_rule(config.gradient_rule())
}

/// # Panics
/// If a bit differs: a NaN equals itself here, and 0 is not -0.
pub fn assert_same_bits(what: &str, got: &[f32], want: &[f32]) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (index, (got, want)) in got.iter().zip(want).enumerate() {
        assert!(got.to_bits() == want.to_bits(), "{what}[{index}] is {got:e} ({:#x}), not {want:e}", got.to_bits());
    }
}

/// What a device makes of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    pub y: Vec<f32>,
    pub lse: Vec<f32>,
    pub grad_input: Vec<f32>,
    /// The gradient from the statistics that the forward saved.
    pub grad_input_from_statistics: Vec<f32>,
    /// What was left to the driver, which the errors allowed depend on.
    pub natives: Natives,
}

impl Results {
    /// Each tensor with its name.
    pub fn tensors(&self) -> [(&'static str, &[f32]); 4] {
        [
            ("y", &self.y),
            ("lse", &self.lse),
            ("grad_input", &self.grad_input),
            ("grad_input from statistics", &self.grad_input_from_statistics),
        ]
    }

    pub fn assert_same_bits(&self, what: &str, want: &Self) {
        for ((name, got), (_, want)) in self.tensors().into_iter().zip(want.tensors()) {
            assert_same_bits(&format!("{what}: {name}"), got, want);
        }
    }
}

/// A pooling that shares its pipelines with all others of `context`.
pub fn pool(context: &GpuContext, config: &SoftPoolConfig) -> GpuSoftPool {
    let device = devices().iter().flatten().find(|device| device.context.device == context.device);
    let cache = device.map_or_else(|| PipelineCache::new(&context.device), |device| device.cache.clone());
    GpuSoftPool::with_cache(&context.device, &context.queue, config.clone(), &cache).expect("a pooling")
}

/// Runs forward and backward of `case`, in one submission, on tensors that were poisoned before.
pub fn run(context: &GpuContext, case: &Case) -> Results {
    run_with(context, &pool(context, &case.config), case)
}

/// [`run`] with a pooling that exists already.
pub fn run_with(context: &GpuContext, pool: &GpuSoftPool, case: &Case) -> Results {
    let pooled = case.pooled();
    let poisoned = |shape: Shape| context.upload(shape, &vec![POISON; shape.elements()]).expect("a small tensor");
    let x = context.upload(case.shape, &case.x).expect("a small tensor");
    let grad_output = context.upload(pooled, &case.grad_output).expect("a small tensor");
    let (y, lse) = (poisoned(pooled), poisoned(pooled));
    let (grad_input, from_statistics) = (poisoned(case.shape), poisoned(case.shape));
    let statistics = context.upload(statistics_shape(&pooled), &vec![POISON; 3 * pooled.elements()]).expect("small");
    let saved = softpool::StatisticsView { memory: statistics.buffer().into(), byte_offset: 0 };

    let mut encoder = context.device.create_command_encoder(&Default::default());
    let forward = ForwardTensors { lse: Some(lse.view()), statistics: Some(saved), ..ForwardTensors::new(&x, &y) };
    pool.encode(&mut encoder, forward).expect("a valid case");
    let backward = BackwardTensors::new(&x, &grad_output, &grad_input);
    pool.encode(&mut encoder, backward).expect("a valid case");
    let from_saved =
        BackwardTensors { statistics: Some(saved), ..BackwardTensors::new(&x, &grad_output, &from_statistics) };
    pool.encode(&mut encoder, from_saved).expect("a valid case");
    context.queue.submit([encoder.finish()]);

    let read = |tensor: &GpuTensor| tensor.read_blocking().expect("a device that works");
    let results = Results {
        y: read(&y),
        lse: read(&lse),
        grad_input: read(&grad_input),
        grad_input_from_statistics: read(&from_statistics),
        natives: pool.tuning().natives,
    };
    let saved = read(&statistics);
    for (name, values) in results.tensors().into_iter().chain([("statistics", saved.as_slice())]) {
        let unwritten = values.iter().position(|&value| value == POISON);
        assert_eq!(unwritten, None, "{} on {}: this element of {name} was not written", case.name, context.name());
    }
    results
}

fn statistics_shape(pooled: &Shape) -> Shape {
    Shape::new([1, 1, 3 * pooled.elements()]).expect("a small tensor")
}

/// Runs `case` on every adapter and compares all results with the f64 reference.
pub fn check(case: &Case) {
    let expected = accuracy::Expected::of(case);
    on_every_adapter(|context| expected.check(&format!("{} on {}", case.name, context.name()), &run(context, case)));
}

/// [`check`], and again in the largest blocks there are, which a tensor gets that fills its device: the larger a block, the
/// more windows go by one maximum.
pub fn check_in_blocks_of_both_sizes(case: &Case) {
    sweep_in_blocks_of_both_sizes(std::slice::from_ref(case));
}

/// [`check_in_blocks_of_both_sizes`] of cases as [`sweep`] takes them.
pub fn sweep_in_blocks_of_both_sizes(cases: &[Case]) {
    sweep(cases, |own| vec![own, Tuning { least_invocations: 0, ..own }]);
}

/// Runs cases on every adapter by each of `tunings` of its own, and compares all results with the f64 reference. The cases
/// may be so small and alike that how far plain f32 is off in one of them is chance: the rule against it holds for all of
/// them together.
pub fn sweep(cases: &[Case], tunings: impl Fn(Tuning) -> Vec<Tuning> + Sync) {
    let expected: Vec<_> = cases.iter().map(accuracy::Expected::of).collect();
    on_every_adapter(|context| {
        for tuning in tunings(Tuning::of(&context.device)) {
            let errors = cases.iter().zip(&expected).map(|(case, expected)| {
                let pool = pool(context, &case.config).with_tuning(tuning);
                let what = format!("{} with {tuning:?} on {}", case.name, context.name());
                expected.within_bounds(&what, &run_with(context, &pool, case))
            });
            let largest = errors.reduce(|all, one| std::array::from_fn(|i| all[i].and(one[i])));
            for errors in largest.expect("at least one case") {
                let others = cases.len() - 1;
                errors.check(&format!("{} and {others} like it with {tuning:?} on {}", cases[0].name, context.name()));
            }
        }
    });
}

/// [`check`] by both gradient rules.
pub fn check_both_rules(case: &Case) {
    check(case);
    check(&case.detached());
}

/// A generator of repeatable inputs: xorshift64*, by Vigna.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// From 0 up to 1.
    pub fn uniform(&mut self) -> f32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40) as f32 / (1u32 << 24) as f32
    }

    /// Mean 0, standard deviation 1 (Box and Muller).
    pub fn normal(&mut self) -> f32 {
        let radius = (-2.0 * (1.0 - f64::from(self.uniform())).ln()).sqrt();
        (radius * (std::f64::consts::TAU * f64::from(self.uniform())).cos()) as f32
    }
}
