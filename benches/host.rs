//! What the host pays: recording a prepared plan, making one, and compiling a pipeline.

use criterion::{Criterion, criterion_group, criterion_main};
use softpool::{ForwardTensors, GpuContext, GpuSoftPool, PipelineCache, Shape, SoftPoolConfig};

fn host(criterion: &mut Criterion) {
    let context = GpuContext::new_blocking().expect("an adapter");
    let config = SoftPoolConfig::builder([3, 3]).stride([2]).padding([1]).build().expect("a valid configuration");
    let shape = Shape::new([1, 8, 56, 56]).expect("a valid shape");
    let pooled = shape.pooled(&config).expect("a valid case");
    let x = context.upload(shape, &vec![0.0; shape.elements()]).expect("a small tensor");
    let y = context.upload(pooled, &vec![0.0; pooled.elements()]).expect("a small tensor");
    let pool = GpuSoftPool::new(&context.device, &context.queue, config.clone());
    let plan = pool.plan(ForwardTensors::new(&x, &y)).expect("a valid case");

    criterion.bench_function("record a plan", |bencher| {
        let mut encoder = context.device.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        bencher.iter(|| plan.record(&mut pass));
    });
    criterion.bench_function("make a plan, pipeline cached", |bencher| {
        bencher.iter(|| pool.plan(ForwardTensors::new(&x, &y)));
    });
    criterion.bench_function("make a plan, pipeline cold", |bencher| {
        bencher.iter(|| {
            let cache = PipelineCache::new(&context.device);
            let pool = GpuSoftPool::with_cache(&context.device, &context.queue, config.clone(), &cache);
            pool.and_then(|pool| pool.plan(ForwardTensors::new(&x, &y)))
        });
    });
}

criterion_group!(benches, host);
criterion_main!(benches);
