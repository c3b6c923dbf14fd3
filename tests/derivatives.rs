//! Evidence for the derivatives beyond the gradient of x: forward mode, the second backward, and the gradient of beta, against
//! the f64 reference, whose formulas tests/properties.rs holds against finite differences; how far they may be off, tests/common/derivative_bounds.rs.

use crate::common;
use crate::common::derivative_bounds::{Allowed, assert_close};
use crate::common::{Case, Random, on_every_adapter, one_of_each_kernel, pool, windows};
use softpool::reference::Reference;
use softpool::{
    ElementType, GpuTensor, GradBetaTensors, GradientRule, JvpTensors, Outputs, SecondBackwardTensors, Shape,
    SoftPoolConfig,
};

/// A direction for a case.
fn direction(case: &Case) -> Vec<f32> {
    let mut random = Random::new(case.x.len() as u64 + 11);
    case.x.iter().map(|_| random.normal()).collect()
}

/// One case with a beta for each channel, or one for all: every derivative, by calls.
fn check_derivatives(case: &Case, betas: Option<&[f32]>) {
    let direction = &direction(case);
    let all_betas = betas.map_or(vec![case.config.beta()], <[f32]>::to_vec);
    let reference = Reference::new(&case.config).with_betas(&all_betas);
    let jvp = reference.jvp(&case.shape, &case.x, direction).expect("a valid case");
    let second = reference.second_backward(&case.shape, &case.x, &case.grad_output, direction).expect("a valid case");
    let grad_beta = reference.grad_beta(&case.shape, &case.x, &case.grad_output).expect("a valid case");
    on_every_adapter(|context| {
        let upload = |shape: Shape, values: &[f32]| context.upload(shape, values).expect("a small tensor");
        let read = |tensor: &GpuTensor| tensor.read_blocking().expect("a device that works");
        let (x, g) = (upload(case.shape, &case.x), upload(case.pooled(), &case.grad_output));
        let v = upload(case.shape, direction);
        let mut pool = pool(context, &case.config);
        if let Some(betas) = betas {
            pool = pool.with_betas(&upload(Shape::new([betas.len()]).expect("small"), betas));
        }
        let allowed = Allowed::of(case, &all_betas, direction, pool.tuning().natives);
        let what = |name: &str| format!("{name} of {} on {}", case.name, context.name());
        assert_close(&what("jvp"), &read(&pool.jvp(&x, &v).expect("valid")), &jvp, &allowed.jvp);
        let got = pool.second_backward(&x, &g, &v).expect("valid");
        assert_close(&what("second of g"), &read(&got.grad_output), &second.grad_output, &allowed.jvp);
        assert_close(&what("second of x"), &read(&got.input), &second.input, &allowed.second);
        let got = read(&pool.grad_beta(&x, &g).expect("valid"));
        if got.len() == 1 && grad_beta.len() > 1 {
            let (want, allowed) = (grad_beta.iter().sum(), allowed.grad_beta.iter().sum());
            assert_close(&what("gradient of beta"), &got, &[want], &[allowed]);
        } else {
            assert_close(&what("gradient of beta"), &got, &grad_beta, &allowed.grad_beta);
        }
    });
}

fn table() -> Vec<Case> {
    let mut cases = one_of_each_kernel().to_vec();
    cases.extend([
        Case::normal("1D k3 s2 p1", windows([3], [2]).padding([1]), [2, 3, 17]),
        Case::normal("3D k2 s1", windows([2, 2, 2], [1]), [1, 2, 4, 5, 6]),
        Case::normal("k2 s3 d2, gaps", windows([2, 2], [3]).dilation([2]), [1, 2, 11, 13]),
        Case::normal("k3 s4 d6 p1", windows([3], [4]).dilation([6]).padding([1]), [1, 2, 53]),
        Case::normal("k4 s3 d5, k2 s6 d4", windows([4, 2], [3, 6]).dilation([5, 4]), [1, 2, 29, 31]),
        Case::normal("global", SoftPoolConfig::global(2), [2, 3, 31, 29]),
        Case::normal("adaptive", SoftPoolConfig::adaptive([3, 5]), [2, 3, 7, 11]),
        Case::normal("adaptive, enlarging", SoftPoolConfig::adaptive([9, 3]), [2, 3, 4, 5]),
        Case::normal("adaptive, large", SoftPoolConfig::adaptive([2, 3]), [1, 2, 37, 41]),
    ]);
    cases
}

#[test]
fn by_the_exact_rule() {
    table().iter().for_each(|case| check_derivatives(case, None));
}

#[test]
fn by_the_detached_rule() {
    for case in table().iter().step_by(2).map(Case::detached) {
        check_derivatives(&case, None);
    }
}

#[test]
fn by_every_beta() {
    let case = Case::normal("k3 s2 p1", windows([3, 3], [2]).padding([1]), [1, 2, 9, 11]);
    for beta in [0.0, -1.0, 0.25, 8.0] {
        check_derivatives(&case.with_beta(beta), None);
    }
}

#[test]
fn around_a_large_mean() {
    for case in one_of_each_kernel() {
        check_derivatives(&case.with_x("around 1e4", case.x.iter().map(|x| x + 1e4).collect()), None);
    }
}

#[test]
fn by_a_beta_for_each_channel() {
    for case in [
        Case::normal("k2 s2", windows([2, 2], [2]), [2, 3, 8, 12]),
        Case::normal("k3 s1 p1", windows([3, 3], [1]).padding([1]), [2, 3, 7, 9]),
        Case::normal("k5 s1 p2 in 1D", windows([5], [1]).padding([2]), [2, 3, 29]),
        Case::normal("large", windows([3, 41], [2, 7]).padding([1, 20]), [2, 3, 7, 61]),
        Case::normal("adaptive", SoftPoolConfig::adaptive([2, 3]), [2, 3, 5, 7]),
    ] {
        check_derivatives(&case, Some(&[1.5, -0.5, 0.0]));
        check_derivatives(&case, Some(&[0.75]));
    }
}

/// A pooling with betas on the device gives each channel the bits of one with that channel's beta.
#[test]
fn betas_on_the_device_are_those_of_the_configuration() {
    for case in one_of_each_kernel().into_iter().filter(|case| case.shape.channels() > 1) {
        let channels = case.shape.channels();
        let betas: Vec<f32> = [2.0f32, -0.75, 0.25].into_iter().cycle().take(channels).collect();
        on_every_adapter(|context| {
            let on_device = context.upload(Shape::new([channels]).unwrap(), &betas).unwrap();
            let one_pool = pool(context, &case.config);
            let pool = one_pool.clone().with_betas(&on_device);
            let got = common::run_with(context, &pool, &case);
            for (channel, &beta) in betas.iter().enumerate() {
                let want = common::run_with(context, &one_pool.clone().with_beta(beta).unwrap(), &case);
                for ((name, got), (_, want)) in got.tensors().into_iter().zip(want.tensors()) {
                    let plane = got.len() / case.shape.planes();
                    let of_channel = |values: &[f32]| {
                        let planes = values.chunks(plane).skip(channel).step_by(channels);
                        planes.flatten().copied().collect::<Vec<_>>()
                    };
                    let what = format!("{name} of channel {channel} of {}", case.name);
                    common::assert_same_bits(&what, &of_channel(got), &of_channel(want));
                }
            }
        });
    }
}

/// Another beta compiles nothing, unless one is next to 0 and the other not; and a beta on the device is read when a plan runs.
#[test]
fn a_beta_for_each_call() {
    let case = Case::normal("k2 s2", windows([2, 2], [2]), [1, 2, 6, 9]);
    on_every_adapter(|context| {
        let cache = softpool::PipelineCache::new(&context.device);
        let pool =
            softpool::GpuSoftPool::with_cache(&context.device, &context.queue, case.config.clone(), &cache).unwrap();
        let x = context.upload(case.shape, &case.x).unwrap();
        for (beta, pipelines) in [(1.0, 1), (-3.0, 1), (1e-17, 1), (0.0, 2), (1e-19, 2)] {
            let got = pool.clone().with_beta(beta).unwrap().forward(&x).unwrap().read_blocking().unwrap();
            common::assert_same_bits("y", &got, &common::run(context, &case.with_beta(beta)).y);
            assert_eq!(cache.len(), pipelines, "pipelines of beta {beta} and those before");
        }

        let beta = context.upload(Shape::new([1]).unwrap(), &[0.0]).unwrap();
        let y = context.upload(case.pooled(), &vec![0.0; case.pooled().elements()]).unwrap();
        let plan = pool.with_betas(&beta).plan(softpool::ForwardTensors::new(&x, &y)).unwrap();
        for value in [0.5f32, 2.0] {
            context.queue.write_buffer(beta.buffer(), 0, &value.to_le_bytes());
            let mut encoder = context.device.create_command_encoder(&Default::default());
            plan.encode(&mut encoder);
            context.queue.submit([encoder.finish()]);
            common::assert_same_bits("y", &y.read_blocking().unwrap(), &common::run(context, &case.with_beta(value)).y);
        }
    });
}

/// Statistics that a forward saved give the bits of those that a plan saves itself.
#[test]
fn saved_statistics_change_nothing() {
    for case in one_of_each_kernel() {
        let v = direction(&case);
        on_every_adapter(|context| {
            let pool = pool(context, &case.config);
            let upload = |shape: Shape, values: &[f32]| context.upload(shape, values).unwrap();
            let (x, g, v) =
                (upload(case.shape, &case.x), upload(case.pooled(), &case.grad_output), upload(case.shape, &v));
            let poisoned = |shape: Shape| upload(shape, &vec![common::POISON; shape.elements()]);
            let saved = pool.forward_with(&x, Outputs { statistics: true, lse: false }).unwrap().statistics.unwrap();
            let (jvp, second) = (poisoned(case.pooled()), poisoned(case.shape));
            let grad_beta = poisoned(Shape::new([1]).unwrap());
            let statistics = Some(saved.view());
            let mut encoder = context.device.create_command_encoder(&Default::default());
            let (input, tangent, grad_output) = (x.view(), v.view(), g.view());
            pool.encode(&mut encoder, JvpTensors { input, tangent, output: jvp.view(), statistics }).unwrap();
            let tensors = SecondBackwardTensors {
                input,
                grad_output,
                tangent,
                grad_of_grad_output: None,
                grad_of_input: second.view(),
                statistics,
            };
            pool.encode(&mut encoder, tensors).unwrap();
            let tensors = GradBetaTensors { input, grad_output, grad_beta: grad_beta.view(), statistics };
            pool.encode(&mut encoder, tensors).unwrap();
            context.queue.submit([encoder.finish()]);
            let read = |tensor: &GpuTensor| tensor.read_blocking().unwrap();
            common::assert_same_bits("jvp", &read(&jvp), &read(&pool.jvp(&x, &v).unwrap()));
            let want = pool.second_backward(&x, &g, &v).unwrap();
            common::assert_same_bits("second", &read(&second), &read(&want.input));
            common::assert_same_bits("beta", &read(&grad_beta), &read(&pool.grad_beta(&x, &g).unwrap()));
        });
    }
}

/// Many windows, in several runs of either stage; f16 data; twice the same bits; and 0 for no samples or no channels.
#[test]
fn the_gradient_of_beta_of_many_windows() {
    let case = Case::normal("many", windows([2, 2], [2]), [3, 2, 301, 257]);
    check_derivatives(&case, None);
    check_derivatives(&case, Some(&[1.0, 0.5]));
    on_every_adapter(|context| {
        let pool = pool(context, &case.config);
        let (device, queue) = (&context.device, &context.queue);
        let half =
            |shape, values: &[f32]| GpuTensor::from_slice_as(device, queue, shape, ElementType::F16, values).unwrap();
        let (x, g) = (half(case.shape, &case.x), half(case.pooled(), &case.grad_output));
        let once = pool.grad_beta(&x, &g).unwrap().read_blocking().unwrap();
        common::assert_same_bits("again", &pool.grad_beta(&x, &g).unwrap().read_blocking().unwrap(), &once);

        let empty = |dims: [usize; 4]| context.upload(Shape::new(dims).unwrap(), &[]).unwrap();
        for (samples, channels, targets) in [(0, 2, 2), (0, 2, 1), (2, 0, 1), (0, 0, 1)] {
            let grad_beta = vec![common::POISON; targets];
            let grad_beta = context.upload(Shape::new([targets]).unwrap(), &grad_beta).unwrap();
            let (x, g) = (empty([samples, channels, 4, 4]), empty([samples, channels, 2, 2]));
            let mut encoder = device.create_command_encoder(&Default::default());
            let [input, grad_output, grad_beta_view] = [&x, &g, &grad_beta].map(GpuTensor::view);
            let tensors = GradBetaTensors { input, grad_output, grad_beta: grad_beta_view, statistics: None };
            pool.encode(&mut encoder, tensors).unwrap();
            queue.submit([encoder.finish()]);
            assert_eq!(
                grad_beta.read_blocking().unwrap(),
                vec![0.0; targets],
                "{samples} samples, {channels} channels"
            );
        }
    });
}

/// The detached rule's jvp is the transpose of its backward: `<g, jvp(v)> = <backward(g), v>`.
#[test]
fn jvp_and_backward_are_transposes() {
    for case in one_of_each_kernel() {
        for rule in [GradientRule::Exact, GradientRule::Detached] {
            let case = if rule == GradientRule::Detached { case.detached() } else { case.clone() };
            let v = direction(&case);
            on_every_adapter(|context| {
                let pool = pool(context, &case.config);
                let x = context.upload(case.shape, &case.x).unwrap();
                let g = context.upload(case.pooled(), &case.grad_output).unwrap();
                let direction = context.upload(case.shape, &v).unwrap();
                let dot =
                    |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
                let jvp = pool.jvp(&x, &direction).unwrap().read_blocking().unwrap();
                let gradient = pool.backward(&x, &g).unwrap().read_blocking().unwrap();
                let (forward, backward) = (dot(&case.grad_output, &jvp), dot(&gradient, &v));
                let scale: f64 = gradient.iter().zip(&v).map(|(&a, &b)| f64::from(a * b).abs()).sum();
                assert!((forward - backward).abs() < 4e-6 * scale, "{}: {forward} and {backward}", case.name);
            });
        }
    }
}
