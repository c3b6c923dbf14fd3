//! Evidence that windows of any size are as exact as small ones, in every operation, and take time by their work.
//!
//! Inputs are zeros and one peak, or nothing but zeros, where the definition has a closed form. What results may be off by is
//! what tests/common/accuracy.rs and tests/derivatives.rs allow, each element's from its own window.

use crate::common::accuracy::ulp;
use crate::common::{Case, POISON, check, on_every_adapter, pool, windows};
use softpool::{
    BackwardTensors, ElementType, ForwardTensors, GpuContext, GpuTensor, GradBetaTensors, GradientRule, JvpTensors,
    MAX_AXIS_PARAMETER, SecondBackwardTensors, Shape, SoftPoolConfig,
};

/// One window of zeros and a peak, with a direction that is another at the peak.
#[derive(Clone, Copy, Debug)]
struct Peak {
    elements: usize,
    place: usize,
    height: f64,
    rule: GradientRule,
}

/// The direction of the peak, and of a zero.
const V: [f64; 2] = [3.0, 0.75];
const G: f64 = 1.5;
const U: f64 = 1.0 / (1 << 23) as f64;

/// A value and what it may be off by.
#[derive(Clone, Copy, Debug)]
struct Expected(f64, f64);

impl Expected {
    #[track_caller]
    fn check(self, what: &str, got: f32) {
        let Self(want, allowed) = self;
        let off = (f64::from(got) - want).abs();
        assert!(off <= allowed, "{what} is {got:e} for {want:e}: off by {off:e}, {allowed:e} allowed");
    }
}

impl Peak {
    /// Zeros besides the peak.
    fn zeros(self) -> f64 {
        (self.elements - 1) as f64
    }

    /// Weights of the peak and of a zero, and the sum of all e.
    fn weights(self) -> ([f64; 2], f64) {
        let e = (-self.height).exp();
        let s = 1.0 + self.zeros() * e;
        ([1.0 / s, e / s], s)
    }

    fn y(self) -> Expected {
        Expected(self.height * self.weights().0[0], 16.0 * ulp(self.height))
    }

    fn lse(self) -> Expected {
        Expected(self.height + self.weights().1.ln(), 16.0 * ulp(self.height.max(1.0)))
    }

    /// `x - y` of the peak and of a zero, the larger of both magnitudes, and 16 ulp with two more by unit of depth.
    fn offsets(self) -> ([f64; 2], f64, [f64; 2]) {
        let y = self.y().0;
        ([self.height - y, -y], y.max(self.height - y), [16.0 * U, (16.0 + 2.0 * self.height) * U])
    }

    /// The sum over the window of a term of the peak and one of a zero.
    fn sum(self, terms: [f64; 2]) -> f64 {
        terms[0] + self.zeros() * terms[1]
    }

    /// dy / dx of the peak and of a zero.
    fn derivatives(self) -> [Expected; 2] {
        let ((w, _), (offsets, spread, units)) = (self.weights(), self.offsets());
        [0, 1].map(|i| {
            let slope = if self.rule == GradientRule::Exact { 1.0 + offsets[i] } else { 1.0 };
            Expected(w[i] * slope, units[i] * w[i] * (1.0 + spread))
        })
    }

    fn jvp(self) -> Expected {
        let of = |part: fn(Expected) -> f64| self.sum([0, 1].map(|i| part(self.derivatives()[i]) * V[i]));
        Expected(of(|derivative| derivative.0), of(|derivative| derivative.1))
    }

    fn grad_beta(self) -> Expected {
        let ((w, _), (offsets, spread, units)) = (self.weights(), self.offsets());
        let variance = self.sum([0, 1].map(|i| w[i] * offsets[i] * offsets[i]));
        Expected(G * variance, G * self.sum([0, 1].map(|i| units[i] * w[i] * offsets[i].abs() * spread)))
    }

    /// The second gradient of the peak and of a zero.
    fn second(self) -> [Expected; 2] {
        let ((w, _), (offsets, spread, units)) = (self.weights(), self.offsets());
        let mean = self.sum([0, 1].map(|i| w[i] * V[i]));
        let covariance = self.sum([0, 1].map(|i| w[i] * offsets[i] * V[i]));
        [0, 1].map(|i| {
            let dv = V[i] - mean;
            let slope = if self.rule == GradientRule::Exact { dv * (2.0 + offsets[i]) - covariance } else { dv };
            let made_of = (V[i] + mean) * (2.0 + spread) + spread * mean;
            Expected(G * w[i] * slope, G * units[i] * w[i] * made_of)
        })
    }

    /// Every operation on a tensor of `dims`, whose window is this one.
    fn check(self, context: &GpuContext, dims: &[usize], element_type: ElementType) {
        let what = format!("{self:?} in {dims:?}, {} on {}", element_type.name(), context.name());
        let config = SoftPoolConfig::global(dims.len() - 2).gradient_rule(self.rule).build().unwrap();
        let pool = pool(context, &config);
        let (shape, one) = (Shape::new(dims).unwrap(), Shape::new(vec![1; dims.len()]).unwrap());
        assert_eq!(shape.elements(), self.elements);
        let with = |peak: f64, other: f64, as_type| {
            let mut values = vec![other as f32; self.elements];
            values[self.place] = peak as f32;
            GpuTensor::from_slice_as(&context.device, &context.queue, shape, as_type, &values).unwrap()
        };
        let (x, v) = (with(self.height, 0.0, element_type), with(V[0], V[1], ElementType::F32));
        let g = context.upload(one, &[G as f32]).unwrap();
        let result = |shape: Shape| context.upload(shape, &vec![POISON; shape.elements()]).unwrap();
        let [y, lse, jvp, along_v] = [one; 4].map(result);
        let [gradient, from_statistics, second] = [shape; 3].map(result);
        let grad_beta = result(Shape::new([1]).unwrap());
        let statistics = result(Shape::new([3]).unwrap());
        let saved = Some(softpool::StatisticsView { memory: statistics.buffer().into(), byte_offset: 0 });

        let mut encoder = context.device.create_command_encoder(&Default::default());
        let forward = ForwardTensors { lse: Some(lse.view()), statistics: saved, ..ForwardTensors::new(&x, &y) };
        pool.encode(&mut encoder, forward).unwrap();
        let (input, grad_output, tangent) = (x.view(), g.view(), v.view());
        let backward = BackwardTensors::new(&x, &g, &gradient);
        pool.encode(&mut encoder, backward).unwrap();
        let backward = BackwardTensors { grad_input: from_statistics.view(), statistics: saved, ..backward };
        pool.encode(&mut encoder, backward).unwrap();
        let tensors = JvpTensors { input, tangent, output: jvp.view(), statistics: None };
        pool.encode(&mut encoder, tensors).unwrap();
        let tensors = GradBetaTensors { input, grad_output, grad_beta: grad_beta.view(), statistics: None };
        pool.encode(&mut encoder, tensors).unwrap();
        let (grad_of_grad_output, grad_of_input) = (Some(along_v.view()), second.view());
        let statistics = None;
        let tensors =
            SecondBackwardTensors { input, grad_output, tangent, grad_of_grad_output, grad_of_input, statistics };
        pool.encode(&mut encoder, tensors).unwrap();
        context.queue.submit([encoder.finish()]);

        let read = |tensor: &GpuTensor| tensor.read_blocking().unwrap();
        self.y().check(&format!("{what}: y"), read(&y)[0]);
        self.lse().check(&format!("{what}: lse"), read(&lse)[0]);
        self.jvp().check(&format!("{what}: jvp"), read(&jvp)[0]);
        self.jvp().check(&format!("{what}: along v"), read(&along_v)[0]);
        self.grad_beta().check(&format!("{what}: gradient of beta"), read(&grad_beta)[0]);
        let by_g = self.derivatives().map(|Expected(value, allowed)| Expected(G * value, G * allowed));
        for (name, tensor, expected) in [
            ("gradient", gradient, by_g),
            ("from statistics", from_statistics, by_g),
            ("second", second, self.second()),
        ] {
            for (index, got) in read(&tensor).into_iter().enumerate() {
                expected[usize::from(index != self.place)].check(&format!("{what}: {name} of element {index}"), got);
            }
        }
    }
}

/// The first, a middle and the last element, by turns; the peak is such that it and the zeros together weigh about alike.
fn check_peaks(dims: &[usize], height: f64, element_type: ElementType) {
    let elements: usize = dims.iter().product();
    on_every_adapter(|context| {
        for (place, rule) in
            [(0, GradientRule::Exact), (elements / 2 + 1, GradientRule::Detached), (elements - 1, GradientRule::Exact)]
        {
            Peak { elements, place, height, rule }.check(context, dims, element_type);
        }
    });
}

#[test]
fn a_peak_on_small_planes() {
    check_peaks(&[1, 1, 128, 128], 10.0, ElementType::F32);
    check_peaks(&[1, 1, 67, 131], 9.0, ElementType::F32);
    check_peaks(&[1, 1, 65], 4.0, ElementType::F32);
}

#[test]
fn a_peak_on_a_million_zeros() {
    check_peaks(&[1, 1, 1024, 1024], 14.0, ElementType::F32);
    check_peaks(&[1, 1, 1023, 1025], 14.0, ElementType::F16);
}

#[test]
fn a_peak_in_a_volume() {
    check_peaks(&[1, 1, 101, 53, 97], 13.25, ElementType::F32);
    check_peaks(&[1, 1, 64, 32, 128], 12.5, ElementType::Bf16);
}

#[test]
fn a_peak_in_a_row_of_ten_million() {
    on_every_adapter(|context| {
        let peak = Peak { elements: 10_000_000, place: 4_999_999, height: 16.25, rule: GradientRule::Exact };
        peak.check(context, &[1, 1, 10_000_000], ElementType::F32);
    });
}

/// Of equal values each gradient is the number of windows that hold the input, times the weight that all share. The first
/// windows are visited by one invocation an input, the others by many.
#[test]
fn inputs_that_many_windows_hold() {
    for (kernel, dims) in
        [(&[999][..], &[1, 1, 4001][..]), (&[63, 61], &[1, 1, 126, 130]), (&[65, 67], &[1, 1, 129, 136])]
    {
        let shape = Shape::new(dims).unwrap();
        let config = windows(kernel, [1]).build().unwrap();
        let pooled = shape.pooled(&config).unwrap();
        let holding = |axis: usize, position: usize| {
            let (kernel, windows) = (kernel[axis], pooled.spatial()[axis]);
            (position.min(windows - 1) + 1 - (position + 1).saturating_sub(kernel)) as f64
        };
        let taps: usize = kernel.iter().product();
        on_every_adapter(|context| {
            let x = context.upload(shape, &vec![0.7; shape.elements()]).unwrap();
            let g = context.upload(pooled, &vec![1.0; pooled.elements()]).unwrap();
            let gradient = pool(context, &config).backward(&x, &g).unwrap().read_blocking().unwrap();
            for (index, got) in gradient.into_iter().enumerate() {
                let (mut count, mut rest) = (1.0, index);
                for axis in (0..kernel.len()).rev() {
                    count *= holding(axis, rest % shape.spatial()[axis]);
                    rest /= shape.spatial()[axis];
                }
                let want = count / taps as f64;
                let what = format!("gradient of element {index} of {dims:?} on {}", context.name());
                Expected(want, 16.0 * ulp(want)).check(&what, got);
            }
        });
    }
}

/// Kernel sizes beyond what feature maps have: as many ones as f16 has finite numbers below, whose mean is 1; and windows of
/// padding but for a few elements.
#[test]
fn kernels_longer_than_any_feature_map() {
    let ones = Case::with_values("ones", windows([1, 65_520], [1, 65_520]), [1, 1, 1, 65_520], |_, _| 1.0);
    check(&ones);
    on_every_adapter(|context| {
        let (device, queue) = (&context.device, &context.queue);
        let x = GpuTensor::from_slice_as(device, queue, ones.shape, ElementType::F16, &ones.x).unwrap();
        let y = pool(context, &ones.config).forward(&x).unwrap().read_blocking().unwrap();
        assert_eq!(y, [1.0], "on {}", context.name());
    });
    let long = 1 << 21;
    check(&Case::normal("long", windows([long, long], [long, 3]).padding([long / 2, long / 2]), [1, 1, 4, 5]));
    check(&Case::normal("long strides", windows([3], [MAX_AXIS_PARAMETER]).padding([1]), [1, 2, 70]));
}

/// An input is in four windows at most here, though a span has room for 40,000 and 160,000: who looks for all of them takes
/// minutes.
#[test]
fn few_windows_that_hold_nearly_everything() {
    check(&Case::normal("k204x199 s1", windows([204, 199], [1]), [1, 1, 205, 200]));
    check(&Case::normal("k409x399 s1", windows([409, 399], [1]), [1, 1, 410, 400]));
    check(&Case::normal("k101 s1 p50 d3", windows([101, 9], [1]).padding([50, 4]).dilation([3, 1]), [1, 1, 210, 11]));
}
