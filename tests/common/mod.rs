//! What the tests share: every adapter of the machine, and fresh inputs.
#![allow(dead_code)]

pub mod accuracy;

use std::sync::LazyLock;

use softpool::{
    ADAPTER_VARIABLE, BackwardTensors, ForwardTensors, GpuContext, GpuSoftPool, GpuTensor, PipelineCache, Shape,
    SoftPoolConfig, SoftPoolConfigBuilder,
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
        let shape = Shape::new(dims).expect("a valid shape");
        let pooled = shape.pooled(&config).expect("a valid case");
        // The name seeds the data: cases differ, and each is the same in every run.
        let mut random = Random::new(name.bytes().fold(7, |hash, byte| hash * 31 + u64::from(byte)));
        let x = (0..shape.elements()).map(|index| value(&mut random, index)).collect();
        let grad_output = (0..pooled.elements()).map(|_| random.normal()).collect();
        Self { name: name.into(), config, shape, x, grad_output }
    }

    pub fn pooled(&self) -> Shape {
        self.shape.pooled(&self.config).expect("a valid case")
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
}

/// Runs forward and backward of `case`, in one submission, on tensors that were poisoned before.
pub fn run(context: &GpuContext, case: &Case) -> Results {
    // Cases of equal windows share pipelines.
    static CACHES: LazyLock<Vec<PipelineCache>> =
        LazyLock::new(|| contexts().iter().map(|context| PipelineCache::new(&context.device)).collect());
    let cache = contexts().iter().position(|other| other.device == context.device).map(|index| CACHES[index].clone());
    let cache = cache.unwrap_or_else(|| PipelineCache::new(&context.device));
    let config = case.config.clone();
    let pool = GpuSoftPool::with_cache(&context.device, &context.queue, config, &cache).expect("a pooling");
    run_with(context, &pool, case)
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
    let saved = softpool::StatisticsView { buffer: statistics.buffer(), byte_offset: 0 };

    let mut encoder = context.device.create_command_encoder(&Default::default());
    let forward = ForwardTensors { lse: Some(lse.view()), statistics: Some(saved), ..ForwardTensors::new(&x, &y) };
    pool.encode_forward(&mut encoder, forward).expect("a valid case");
    let backward = BackwardTensors::new(&x, &grad_output, &grad_input);
    pool.encode_backward(&mut encoder, backward).expect("a valid case");
    let from_saved =
        BackwardTensors { statistics: Some(saved), ..BackwardTensors::new(&x, &grad_output, &from_statistics) };
    pool.encode_backward(&mut encoder, from_saved).expect("a valid case");
    context.queue.submit([encoder.finish()]);

    let read = |tensor: &GpuTensor| tensor.read_blocking().expect("a device that works");
    let results = Results {
        y: read(&y),
        lse: read(&lse),
        grad_input: read(&grad_input),
        grad_input_from_statistics: read(&from_statistics),
    };
    let tensors = [
        ("y", &results.y),
        ("lse", &results.lse),
        ("statistics", &read(&statistics)),
        ("grad_input", &results.grad_input),
        ("grad_input from statistics", &results.grad_input_from_statistics),
    ];
    for (name, values) in tensors {
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
    for context in contexts() {
        let results = run(context, case);
        expected.check(&format!("{} on {}", case.name, context.name()), &results);
    }
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
