//! Evidence that a host can use poolings in its own way: its buffers, encoders, passes, threads and caches, and devices of
//! small limits; and that none of it changes a bit of the results.

use std::sync::Arc;

use crate::common::accuracy::Expected;
use crate::common::buffers::run_in_one_buffer;
use crate::common::{Case, Random, assert_same_bits, on_every_adapter, pool, run, run_with, small, windows};
use softpool::{
    BackwardTensors, ForwardTensors, GpuContext, GpuSoftPool, GpuTensor, Outputs, PipelineCache, Shape, StatisticsView,
    TensorView, wgpu,
};

fn upload(context: &GpuContext, shape: Shape, data: &[f32]) -> GpuTensor {
    context.upload(shape, data).expect("a small tensor")
}

fn zeros(context: &GpuContext, shape: Shape) -> GpuTensor {
    upload(context, shape, &vec![0.0; shape.elements()])
}

fn read(tensor: &GpuTensor) -> Vec<f32> {
    tensor.read_blocking().expect("a device that works")
}

fn submit(context: &GpuContext, record: impl FnOnce(&mut wgpu::CommandEncoder)) {
    let mut encoder = context.device.create_command_encoder(&Default::default());
    record(&mut encoder);
    context.queue.submit([encoder.finish()]);
}

/// Ranges of one buffer: kernels then bind what they read for writing too, and start beyond the buffer's start. The
/// widths are no multiples of 4 in the first case of each pair, so that scalars are loaded there and vectors in the other.
#[test]
fn tensors_share_one_buffer() {
    let cases = [
        Case::normal("disjoint k2 s2", windows([2, 2], [2]), [2, 3, 7, 9]),
        Case::normal("disjoint k2 s2, vectors", windows([2, 2], [2]), [1, 2, 6, 16]),
        Case::normal("overlapping k3 s2 p1", windows([3, 3], [2]).padding([1]), [2, 3, 7, 9]),
        Case::normal("overlapping k3 s2 p1, vectors", windows([3, 3], [2]).padding([1]), [1, 2, 6, 16]),
        Case::normal("global 40x40", windows([40, 40], [40]), [1, 3, 40, 40]),
        Case::normal("global 39x41", windows([39, 41], [39, 41]), [1, 3, 39, 41]),
    ];
    on_every_adapter(|context| {
        for case in &cases {
            let shared = run_in_one_buffer(context, &pool(context, &case.config), case);
            shared.assert_same_bits(&format!("{} on {}", case.name, context.name()), &run(context, case));
        }
    });
}

#[test]
fn plan_replays_with_new_contents() {
    let case = Case::normal("replayed", windows([3, 3], [2]).padding([1]), [1, 2, 9, 11]);
    on_every_adapter(|context| {
        let pool = pool(context, &case.config);
        let (x, y) = (zeros(context, case.shape), zeros(context, case.pooled()));
        let grad_output = upload(context, case.pooled(), &case.grad_output);
        let grad_input = zeros(context, case.shape);
        let forward = pool.plan(ForwardTensors::new(&x, &y)).expect("a valid case");
        let backward = BackwardTensors::new(&x, &grad_output, &grad_input);
        let backward = pool.plan(backward).expect("a valid case");
        let mut random = Random::new(3);
        for round in 0..3 {
            let data: Vec<f32> = (0..case.shape.elements()).map(|_| random.normal() * (1.0 + round as f32)).collect();
            context.queue.write_buffer(x.buffer(), 0, bytemuck::cast_slice(&data));
            submit(context, |encoder| {
                // Twice in one encoder: a plan has no state that a run uses up.
                forward.encode(encoder);
                backward.encode(encoder);
                forward.encode(encoder);
            });
            let want = run(context, &case.with_x("once", data));
            assert_same_bits(&format!("y of round {round}"), &read(&y), &want.y);
            assert_same_bits(&format!("grad_input of round {round}"), &read(&grad_input), &want.grad_input);
        }
    });
}

/// Parameters belong to a plan: what is encoded later does not change what was encoded before.
#[test]
fn plans_of_other_configurations_fit_in_one_encoder() {
    let dims = [1, 3, 9, 11];
    let cases = [
        Case::normal("k2 s2", windows([2, 2], [2]), dims),
        Case::normal("k2 s2, beta -3", windows([2, 2], [2]).beta(-3.0), dims),
        Case::normal("k2 s2, another shape", windows([2, 2], [2]), [2, 1, 8, 6]),
        Case::normal("k3 s2 p1, beta 0.5", windows([3, 3], [2]).padding([1]).beta(0.5), dims),
    ];
    on_every_adapter(|context| {
        let tensors: Vec<_> =
            cases.iter().map(|case| (upload(context, case.shape, &case.x), zeros(context, case.pooled()))).collect();
        submit(context, |encoder| {
            for (case, (x, y)) in cases.iter().zip(&tensors) {
                let pool = pool(context, &case.config);
                pool.encode(encoder, ForwardTensors::new(x, y)).expect("a valid case");
            }
        });
        for (case, (_, y)) in cases.iter().zip(&tensors) {
            let what = format!("{} on {}", case.name, context.name());
            let y = read(y);
            Expected::of(case).y.check(&what, &y);
            assert_same_bits(&what, &y, &run(context, case).y);
        }
    });
}

/// A compute pipeline of the host that doubles every element of a buffer.
struct Doubling(wgpu::ComputePipeline);

impl Doubling {
    fn new(device: &wgpu::Device) -> Self {
        let text = "@group(0) @binding(0) var<storage, read_write> values: array<f32>;
            @compute @workgroup_size(64) fn double(@builtin(global_invocation_id) id: vec3<u32>) {
                if (id.x < arrayLength(&values)) { values[id.x] *= 2.0; }
            }";
        let source = wgpu::ShaderSource::Wgsl(text.into());
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor { label: Some("host"), source });
        Self(device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("host"),
            layout: None,
            module: &module,
            entry_point: None,
            compilation_options: Default::default(),
            cache: None,
        }))
    }

    fn bind(&self, device: &wgpu::Device, buffer: &wgpu::Buffer) -> wgpu::BindGroup {
        device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("host"),
            layout: &self.0.get_bind_group_layout(0),
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: buffer.as_entire_binding() }],
        })
    }

    fn record(&self, pass: &mut wgpu::ComputePass<'_>, bind_group: &wgpu::BindGroup, elements: usize) {
        pass.set_pipeline(&self.0);
        pass.set_bind_group(0, bind_group, &[]);
        pass.dispatch_workgroups(elements.div_ceil(64) as u32, 1, 1);
    }
}

#[test]
fn plan_records_between_the_hosts_dispatches() {
    let case = Case::normal("in a pass", windows([2, 2], [2]), [1, 3, 8, 10]);
    on_every_adapter(|context| {
        let doubling = Doubling::new(&context.device);
        let (x, y) = (upload(context, case.shape, &case.x), zeros(context, case.pooled()));
        let plan = pool(context, &case.config).plan(ForwardTensors::new(&x, &y)).expect("a valid case");
        let [double_x, double_y] = [&x, &y].map(|tensor| doubling.bind(&context.device, tensor.buffer()));
        submit(context, |encoder| {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            doubling.record(&mut pass, &double_x, case.shape.elements());
            plan.record(&mut pass);
            doubling.record(&mut pass, &double_y, case.pooled().elements());
        });
        let doubled: Vec<f32> = case.x.iter().map(|x| 2.0 * x).collect();
        let want: Vec<f32> = run(context, &case.with_x("doubled", doubled)).y.iter().map(|y| 2.0 * y).collect();
        assert_same_bits("y", &read(&y), &want);
    });
}

/// dL/dx of L = sum y^2 / 2: the backward's gradient is what the forward before it wrote.
#[test]
fn forward_and_backward_chain_in_one_submission() {
    let case = Case::normal("chained", windows([3, 3], [2]).padding([1]), [1, 2, 9, 11]);
    on_every_adapter(|context| {
        let pool = pool(context, &case.config);
        let x = upload(context, case.shape, &case.x);
        let (y, grad_input) = (zeros(context, case.pooled()), zeros(context, case.shape));
        submit(context, |encoder| {
            pool.encode(encoder, ForwardTensors::new(&x, &y)).expect("a valid case");
            pool.encode(encoder, BackwardTensors::new(&x, &y, &grad_input)).expect("a valid case");
        });
        let (y, grad_input) = (read(&y), read(&grad_input));
        let want = run(context, &Case { grad_output: y.clone(), ..case.clone() });
        assert_same_bits("y", &y, &want.y);
        assert_same_bits("grad_input", &grad_input, &want.grad_input);

        // The same by calls that submit and don't wait.
        let forward = pool.forward_with(&x, Outputs { statistics: true, lse: true }).expect("a valid case");
        let called = pool.backward(&x, &forward.y).expect("a valid case");
        let statistics = forward.statistics.as_ref().expect("they were asked for");
        let from = pool.backward_from(&x, &forward.y, statistics).expect("a valid case");
        assert_same_bits("y of the calls", &read(&forward.y), &want.y);
        assert_same_bits("lse of the calls", &read(forward.lse.as_ref().expect("it was asked for")), &want.lse);
        assert_same_bits("grad_input of the calls", &read(&called), &want.grad_input);
        assert_same_bits("grad_input from statistics", &read(&from), &want.grad_input_from_statistics);
    });
}

#[test]
fn threads_share_one_pool() {
    let case = Case::normal("shared", windows([2, 2], [2]), [1, 3, 8, 10]);
    on_every_adapter(|context| {
        // A pooling of its own: both threads ask for pipelines that nobody has built.
        let pool = GpuSoftPool::new(&context.device, &context.queue, case.config.clone());
        let pool = Arc::new(pool);
        let halves = [-1.0, 3.0].map(|factor| {
            let x: Vec<f32> = case.x.iter().map(|x| factor * x).collect();
            case.with_x(&format!("times {factor}"), x)
        });
        let results: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = halves
                .iter()
                .map(|case| {
                    let pool = Arc::clone(&pool);
                    scope.spawn(move || (0..4).map(|_| run_with(context, &pool, case)).collect::<Vec<_>>())
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        for (case, results) in halves.iter().zip(results) {
            let want = run(context, case);
            for got in results {
                got.assert_same_bits(&case.name, &want);
            }
        }
        // Forward with all outputs, backward, and backward from statistics.
        assert_eq!(pool.cache().len(), 3, "each pipeline is built once");
    });
}

#[test]
fn a_cache_builds_equal_specialisations_once() {
    on_every_adapter(|context| {
        let cache = PipelineCache::new(&context.device);
        assert!(cache.is_empty());
        let pool = |case: &Case| {
            GpuSoftPool::with_cache(&context.device, &context.queue, case.config.clone(), &cache).expect("a pooling")
        };
        let pairs = Case::normal("k2 s2", windows([2, 2], [2]), [1, 2, 6, 8]);
        let (one, cold, triples) = (
            pool(&pairs),
            pool(&pairs.with_beta(-4.0)),
            pool(&Case::normal("k3 s2", windows([3, 3], [2]), [1, 2, 6, 8])),
        );
        let x = upload(context, pairs.shape, &pairs.x);
        let y = one.forward(&x).expect("a valid case");
        assert_eq!(cache.len(), 1);
        one.forward(&x).expect("a valid case");
        assert_eq!(cache.len(), 1, "the same call again");
        cold.forward(&x).expect("a valid case");
        assert_eq!(cache.len(), 1, "beta is no part of a pipeline");
        triples.forward(&x).expect("a valid case");
        assert_eq!(cache.len(), 2, "other windows are");
        one.backward(&x, &y).expect("a valid case");
        cold.backward(&x, &y).expect("a valid case");
        assert_eq!(cache.len(), 3, "and so is the direction");
        assert_eq!(cache.clone().len(), 3, "clones are the same cache");
    });
}

/// The one that was asked for the longest ago goes; plans keep theirs, and calls build what is gone again.
#[test]
fn a_cache_holds_no_more_than_its_capacity() {
    on_every_adapter(|context| {
        let cache = PipelineCache::new(&context.device);
        assert_eq!(cache.capacity(), None);
        let capacity = std::num::NonZeroUsize::new(2);
        cache.set_capacity(capacity);
        assert_eq!(cache.clone().capacity(), capacity);
        let cases = [2, 3, 4, 5].map(|k| Case::normal(&format!("k{k}"), windows([k, k], [k]), [1, 2, 12, 12]));
        let pools = cases.each_ref().map(|case| {
            GpuSoftPool::with_cache(&context.device, &context.queue, case.config.clone(), &cache).expect("a pooling")
        });
        let xs = cases.each_ref().map(|case| upload(context, case.shape, &case.x));
        let y = zeros(context, cases[0].pooled());
        let plan = pools[0].plan(ForwardTensors::new(&xs[0], &y)).expect("a valid case");
        let forward = |index: usize| read(&pools[index].forward(&xs[index]).expect("a valid case"));
        let first = forward(0);
        forward(1);
        assert_eq!(cache.len(), 2);
        forward(0);
        forward(2);
        assert_eq!(cache.len(), 2);
        let expected = cases.each_ref().map(|case| Expected::of(case).y);
        for _ in 0..2 {
            for index in [0, 1, 2, 3] {
                expected[index].check(&cases[index].name, &forward(index));
                assert!(cache.len() <= 2);
            }
        }
        submit(context, |encoder| plan.encode(encoder));
        assert_same_bits("a plan whose pipeline is gone", &read(&y), &first);
        cache.set_capacity(None);
        (0..4).for_each(|index| drop(forward(index)));
        assert_eq!(cache.len(), 4, "without a bound");
        cache.set_capacity(std::num::NonZeroUsize::new(1));
        assert_eq!(cache.len(), 1, "a bound holds at once");
    });
}

#[test]
fn public_types_cross_threads() {
    fn cross<T: Send + Sync>() {}
    cross::<softpool::SoftPoolConfig>();
    cross::<softpool::SoftPoolConfigBuilder>();
    cross::<softpool::GradientRule>();
    cross::<Shape>();
    cross::<softpool::Error>();
    cross::<GpuContext>();
    cross::<GpuSoftPool>();
    cross::<PipelineCache>();
    cross::<softpool::Plan>();
    cross::<GpuTensor>();
    cross::<TensorView<'static>>();
    cross::<ForwardTensors<'static>>();
    cross::<BackwardTensors<'static>>();
    cross::<StatisticsView<'static>>();
    cross::<softpool::Statistics>();
    cross::<softpool::Forward>();
    cross::<Outputs>();
    cross::<softpool::reference::Reference<'static>>();
    cross::<softpool::reference::Forward>();
    cross::<softpool::reference::SecondGradients>();
    // The future of a read is awaited on whatever thread an executor likes.
    fn crosses(_: &impl Send) {}
    fn read(tensor: &GpuTensor) {
        crosses(&tensor.read());
    }
    let _ = read;
}

#[test]
fn both_ways_of_reading_agree() {
    on_every_adapter(|context| {
        let data = [1.5, -0.0, f32::MIN_POSITIVE, 3e38, -7.25];
        let tensor = upload(context, Shape::new([1, 1, 5]).expect("valid"), &data);
        assert_same_bits("read_blocking", &read(&tensor), &data);
        // Two reads under way at once, and the tensor dropped before either is awaited.
        let reads = [tensor.read(), tensor.read()];
        drop(tensor);
        for read in reads {
            assert_same_bits("read", &pollster::block_on(read).expect("a device that works"), &data);
        }
        let empty = upload(context, Shape::new([0, 1, 5]).expect("valid"), &[]);
        assert_eq!(read(&empty), [0.0; 0]);
        assert_eq!(pollster::block_on(empty.read()).expect("nothing to wait for"), [0.0; 0]);
    });
}

#[test]
fn empty_tensors_record_nothing() {
    let config = windows([2, 2], [2]).build().expect("valid");
    on_every_adapter(|context| {
        let scope = context.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let cache = PipelineCache::new(&context.device);
        let pool = GpuSoftPool::with_cache(&context.device, &context.queue, config.clone(), &cache).expect("a pooling");
        for dims in [[0, 3, 4, 4], [2, 0, 4, 4], [0, 0, 1 << 20, 1 << 20]] {
            let shape = Shape::new(dims).expect("valid");
            let (x, y) = (upload(context, shape, &[]), upload(context, shape.pooled(&config).expect("valid"), &[]));
            let statistics = Some(StatisticsView { memory: x.buffer().into(), byte_offset: 0 });
            let forward = ForwardTensors { lse: Some(y.view()), statistics, ..ForwardTensors::new(&x, &y) };
            let forward = pool.plan(forward).expect("nothing to do is no error");
            let backward = pool.plan(BackwardTensors::new(&x, &y, &x)).expect("nothing to do is no error");
            assert_eq!((forward.dispatches(), backward.dispatches()), (0, 0), "{dims:?}");
            submit(context, |encoder| {
                forward.encode(encoder);
                backward.encode(encoder);
            });
            assert_eq!(read(&pool.forward(&x).expect("nothing to do is no error")), [0.0; 0]);
            assert_eq!(read(&pool.backward(&x, &y).expect("nothing to do is no error")), [0.0; 0]);
        }
        assert!(cache.is_empty(), "nothing is compiled for nothing");
        assert!(pollster::block_on(scope.pop()).is_none());
    });
}

/// Dispatches of a plain forward and backward of `case`.
fn dispatches(context: &GpuContext, pool: &GpuSoftPool, case: &Case) -> [usize; 2] {
    let (x, y) = (zeros(context, case.shape), zeros(context, case.pooled()));
    let grad_input = zeros(context, case.shape);
    let forward = pool.plan(ForwardTensors::new(&x, &y)).expect("a valid case");
    let backward = pool.plan(BackwardTensors::new(&x, &y, &grad_input)).expect("a valid case");
    [forward.dispatches(), backward.dispatches()]
}

/// A device that binds 1 MiB and dispatches 64 workgroups along an axis, where these tensors need many dispatches, computes
/// the bits of a device that needs one for each kernel.
#[test]
fn small_limits_change_nothing() {
    let cases = [
        Case::normal("disjoint, by planes and along x", windows([2, 2], [2]), [1, 3, 400, 400]),
        Case::normal("disjoint, odd sizes", windows([2, 2], [2]), [1, 3, 401, 399]),
        Case::normal("disjoint, small planes", windows([2, 2], [2]), [2, 3000, 4, 4]),
        Case::normal("disjoint 3D, within a plane", windows([2, 2, 2], [2]), [1, 50, 300, 4, 4]),
        Case::normal("overlapping, by planes and along x", windows([3, 3], [1]).padding([1]), [1, 4, 17_000, 4]),
        Case::normal("overlapping, small planes", windows([3, 3], [1]).padding([1]), [1, 9000, 3, 5]),
        Case::normal("large, along x and y", windows([2, 33], [1]), [1, 3, 66, 97]),
        // Several windows share a workgroup.
        Case::normal("large, along z", windows([2, 33], [1]), [1, 700, 2, 33]),
    ];
    on_every_adapter(|context| {
        let small = small(context);
        let scope = small.device.push_error_scope(wgpu::ErrorFilter::Validation);
        for case in &cases {
            let what = format!("{} on {}", case.name, context.name());
            let cut = GpuSoftPool::new(&small.device, &small.queue, case.config.clone());
            let whole = pool(context, &case.config);
            let [forward, backward] = dispatches(&small, &cut, case);
            let kernels = dispatches(context, &whole, case);
            assert!(forward > 1 && backward > kernels[1], "{what}: {forward} and {backward} dispatches are not cut");
            assert!(
                kernels[0] == 1 && kernels[1] <= 2,
                "{what}: {kernels:?} dispatches on a device that needs no cuts"
            );
            run_with(&small, &cut, case).assert_same_bits(&what, &run_with(context, &whole, case));
        }
        let error = pollster::block_on(scope.pop());
        assert!(error.is_none(), "{error:?}");
    });
}
