//! Results against the f64 reference, by the rules of tests/common: the golden cases, and every kernel, type, layout and operation.

use std::collections::HashSet;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Map, Value, json};
use softpool::reference::Reference;
use softpool::{
    BackwardTensors, ElementType, ForwardTensors, GpuContext, GpuTensor, GradBetaTensors, JvpTensors,
    SecondBackwardTensors, Shape, SoftPoolConfig, StatisticsView, TensorView, Tuning,
};

use crate::common::accuracy::{Expected, Quantity};
use crate::common::derivative_bounds::Allowed;
use crate::common::golden::{self, Golden};
use crate::common::stored::{Order, Stored, rounded};
use crate::common::{Case, Random, contexts, one_of_each_kernel, pool, run, windows};
use crate::record::Record;
use crate::walk::{Operation, Tensors, dispatches, kernels_of};

pub const GOLDEN_COLUMNS: &[&str] = &["case", "rule", "y, ulp", "gradient, ulp"];
pub const COLUMNS: &[&str] = &["case", "type", "layout", "blocks", "largest error, of what is allowed", "of"];

/// What fills outputs before a run: a number in every type, and no result.
const POISON: f32 = -61440.0;

/// Runs what panics where a rule is broken, and returns the message then.
fn guarded<T>(check: impl FnOnce() -> Result<T, Box<dyn Error>>) -> Result<T, String> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let outcome = catch_unwind(AssertUnwindSafe(check));
    std::panic::set_hook(hook);
    match outcome {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            Err(text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string())).unwrap_or_default())
        }
    }
}

/// What PyTorch computed in f64.
pub fn golden(record: &mut Record, smoke: bool) -> Result<(), Box<dyn Error>> {
    let context = &contexts()[0];
    let all = golden::all();
    let step = if smoke { 12 } else { 1 };
    let of = all.len().div_ceil(step);
    let mut done = 0;
    for golden in all.iter().step_by(step) {
        if record.is_over() {
            break;
        }
        for (rule, case, grad_input) in [
            ("exact", golden.case.clone(), &golden.grad_input),
            ("detached", golden.case.detached(), &golden.grad_input_detached),
        ] {
            match guarded(|| Ok(check_golden(context, golden, &case, grad_input.as_ref()))) {
                Ok([y, gradient]) => record.row(
                    json!({ "case": golden.case.name, "rule": rule, "y_ulp": y, "gradient_ulp": gradient }),
                    vec![golden.case.name.clone(), rule.into(), ulp(y), ulp(gradient)],
                )?,
                Err(fault) => record.fault(format!("{} ({rule}): {fault}", golden.case.name))?,
            }
        }
        done += 1;
    }
    record.cut(done, of, "cases")
}

fn ulp(error: Option<f64>) -> String {
    error.map_or(String::new(), |error| format!("{error:.2}"))
}

/// The largest errors of y and of the gradient, in ulp; of the gradient where there is one.
fn check_golden(context: &GpuContext, golden: &Golden, case: &Case, grad_input: Option<&Vec<f64>>) -> [Option<f64>; 2] {
    let reference = Expected::of(case);
    let lse = golden.lse.clone().unwrap_or(reference.lse.values);
    let gradient = grad_input.cloned().unwrap_or(reference.grad_input.values);
    let expected = Expected::from_values(case, golden.y.clone(), lse, gradient);
    let results = run(context, case);
    let what = format!("{} on {}", case.name, context.name());
    let y = Some(expected.y.largest_error(&results.y));
    let has_gradient = golden.finite && grad_input.is_some();
    if has_gradient {
        expected.check(&what, &results);
    } else {
        let exp2 = results.natives.exp2;
        let allowed = |index: usize| expected.y.tolerance(index, exp2);
        compare("y", &results.y, &expected.y.values, allowed, ElementType::F32).unwrap_or_else(|off| panic!("{off}"));
    }
    [y, has_gradient.then(|| expected.grad_input.largest_error(&results.grad_input))]
}

/// Poolings to choose from, the cheap ones first. Between them they take every kernel.
fn candidates() -> Vec<Case> {
    let mut cases = one_of_each_kernel().to_vec();
    cases.extend([
        Case::normal("k2 s2 of 4 channels", windows([2, 2], [2]), [2, 4, 12, 16]),
        Case::normal("k3 s1 p1 of 4 channels", windows([3, 3], [1]).padding([1]), [2, 4, 9, 20]),
        Case::normal("k3 s2 p1", windows([3, 3], [2]).padding([1]), [2, 4, 19, 24]),
        Case::normal("1D k3 s2 p1", windows([3], [2]).padding([1]), [2, 4, 37]),
        Case::normal("1D k9 s1 p4", windows([9], [1]).padding([4]), [2, 4, 61]),
        Case::normal("3D k3 s2 p1", windows([3, 3, 3], [2]).padding([1]), [1, 2, 7, 9, 16]),
        Case::normal("k13 s1 p6", windows([13, 13], [1]).padding([6]), [1, 2, 20, 24]),
        Case::normal("k9x13", windows([9, 13], [9, 13]), [1, 4, 9, 26]),
        Case::normal("global", SoftPoolConfig::global(2), [2, 4, 31, 29]),
        Case::normal("global of many planes", SoftPoolConfig::global(2), [8, 256, 9, 9]),
        Case::normal("adaptive", SoftPoolConfig::adaptive([3, 5]), [2, 4, 7, 11]),
        Case::normal("adaptive, large", SoftPoolConfig::adaptive([2, 3]), [1, 2, 37, 41]),
        Case::normal("k70 s1", windows([70, 70], [1]), [1, 2, 139, 139]),
    ]);
    cases
}

/// A case to run, in one type and layout, with blocks of one size.
struct Choice<'a> {
    case: &'a Case,
    element_type: ElementType,
    order: Order,
    tuning: Tuning,
    blocks: &'static str,
}

/// Of the candidates those that show a kernel, for an operation, type, layout and size of blocks, that none before them shows;
/// and the kernels that none shows.
fn choose<'a>(
    candidates: &'a [Case],
    own: Tuning,
    limits: &softpool::wgpu::Limits,
) -> softpool::Result<(Vec<Choice<'a>>, Vec<String>)> {
    let largest = Tuning { least_invocations: 0, ..own };
    let (mut choices, mut shown, mut names) = (Vec::new(), HashSet::new(), HashSet::new());
    for case in candidates {
        for element_type in [ElementType::F32, ElementType::F16, ElementType::Bf16] {
            for order in [Order::Contiguous, Order::ChannelsLast] {
                for (tuning, blocks) in [(own, "own"), (largest, "largest")] {
                    let channels_last = order == Order::ChannelsLast;
                    let tensors = Tensors { config: &case.config, shape: case.shape, element_type, channels_last };
                    let mut adds = false;
                    for operation in Operation::ALL {
                        for (kernel, _) in dispatches(tensors, operation, tuning, limits)? {
                            names.insert(kernel.kernel());
                            adds |= shown.insert((kernel.kernel(), operation, element_type, channels_last, blocks));
                        }
                    }
                    if adds {
                        choices.push(Choice { case, element_type, order, tuning, blocks });
                    }
                }
            }
        }
    }
    Ok((choices, kernels_of(own).filter(|kernel| !names.contains(kernel)).collect()))
}

/// Every kernel, type, layout and operation.
pub fn parity(record: &mut Record, smoke: bool) -> Result<(), Box<dyn Error>> {
    let context = &contexts()[0];
    let candidates = candidates();
    let (mut choices, missing) = choose(&candidates, Tuning::of(&context.device), &context.device.limits())?;
    for kernel in missing {
        record.fault(format!("no case of {kernel}"))?;
    }
    if smoke {
        choices.retain(|choice| choice.blocks == "own");
        // A step that is prime to the types and layouts, so that all of them stay.
        choices = choices.into_iter().step_by(5).collect();
    }
    let (mut done, of) = (0, choices.len());
    for choice in &choices {
        if record.is_over() {
            break;
        }
        let Choice { case, element_type, order, blocks, .. } = choice;
        let layout = if *order == Order::ChannelsLast { "channels-last" } else { "NCHW" };
        match guarded(|| check(context, choice)) {
            Ok(errors) => {
                let (name, worst) =
                    errors.iter().fold(("", 0.0), |most, error| if error.1 >= most.1 { *error } else { most });
                let by_tensor: Map<String, Value> =
                    errors.iter().map(|(name, error)| (name.to_string(), json!(error))).collect();
                let cells = [case.name.as_str(), element_type.name(), layout, *blocks].map(str::to_owned);
                record.row(
                    json!({ "case": case.name, "type": element_type.name(), "layout": layout, "blocks": blocks, "of_allowed": by_tensor }),
                    [&cells[..], &[format!("{worst:.2}"), name.into()]].concat(),
                )?;
            }
            Err(fault) => {
                record.fault(format!("{} {element_type} {layout} {blocks} blocks: {fault}", case.name))?;
            }
        }
        done += 1;
    }
    record.cut(done, of, "configurations")
}

/// A tensor as it lies on the device.
struct OnDevice {
    stored: Stored,
    tensor: GpuTensor,
}

impl OnDevice {
    fn new(context: &GpuContext, stored: Stored, values: &[f32]) -> softpool::Result<Self> {
        let mut memory = vec![0.0; stored.span()];
        for (place, value) in stored.places().into_iter().zip(values) {
            memory[place] = *value;
        }
        let shape = Shape::new([memory.len()])?;
        let tensor = GpuTensor::from_slice_as(&context.device, &context.queue, shape, stored.element_type, &memory)?;
        Ok(Self { stored, tensor })
    }

    fn view(&self) -> TensorView<'_> {
        self.stored.view(self.tensor.buffer(), 0)
    }

    /// # Panics
    /// If an element was not written.
    fn read(&self, name: &str) -> softpool::Result<Vec<f32>> {
        let memory = self.tensor.read_blocking()?;
        let values: Vec<f32> = self.stored.places().into_iter().map(|place| memory[place]).collect();
        let unwritten = values.iter().position(|&value| value == POISON);
        assert_eq!(unwritten, None, "this element of {name} was not written");
        Ok(values)
    }
}

/// The largest error of each tensor, as a part of what is allowed beyond the rounding to its type.
fn check(context: &GpuContext, choice: &Choice<'_>) -> Result<Vec<(&'static str, f64)>, Box<dyn Error>> {
    let &Choice { case, element_type, order, tuning, .. } = choice;
    let mut random = Random::new(case.x.len() as u64 + 17);
    let (case, v) = rounded(case, element_type, &mut random);
    let (inputs, windows) = (case.shape, case.pooled());
    let pool = pool(context, &case.config).with_tuning(tuning);

    let mut tensor = |shape: Shape, values: &[f32]| {
        OnDevice::new(context, Stored::new(shape, element_type, order, &mut random), values)
    };
    let (x, g, v_on_device) = (tensor(inputs, &case.x)?, tensor(windows, &case.grad_output)?, tensor(inputs, &v)?);
    let mut poisoned = |shape: Shape| tensor(shape, &vec![POISON; shape.elements()]);
    let (y, y_of_all, lse) = (poisoned(windows)?, poisoned(windows)?, poisoned(windows)?);
    let (gradient, from_statistics) = (poisoned(inputs)?, poisoned(inputs)?);
    let (jvp, second_of_g, second_of_x) = (poisoned(windows)?, poisoned(windows)?, poisoned(inputs)?);
    let saved = context.upload(Shape::new([3 * windows.elements()])?, &vec![POISON; 3 * windows.elements()])?;
    let grad_beta = context.upload(Shape::new([1])?, &[POISON])?;

    let statistics = Some(StatisticsView { memory: saved.buffer().into(), byte_offset: 0 });
    let (input, grad_output, tangent) = (x.view(), g.view(), v_on_device.view());
    let mut encoder = context.device.create_command_encoder(&Default::default());
    pool.encode(&mut encoder, ForwardTensors::new(input, y.view()))?;
    let all = ForwardTensors { input, output: y_of_all.view(), lse: Some(lse.view()), statistics };
    pool.encode(&mut encoder, all)?;
    let tensors = BackwardTensors::new(input, grad_output, gradient.view());
    pool.encode(&mut encoder, tensors)?;
    let tensors = BackwardTensors { input, grad_output, grad_input: from_statistics.view(), statistics };
    pool.encode(&mut encoder, tensors)?;
    let tensors = GradBetaTensors { input, grad_output, grad_beta: grad_beta.view(), statistics: None };
    pool.encode(&mut encoder, tensors)?;
    pool.encode(&mut encoder, JvpTensors { input, tangent, output: jvp.view(), statistics: None })?;
    let tensors = SecondBackwardTensors {
        input,
        grad_output,
        tangent,
        grad_of_grad_output: Some(second_of_g.view()),
        grad_of_input: second_of_x.view(),
        statistics: None,
    };
    pool.encode(&mut encoder, tensors)?;
    context.queue.submit([encoder.finish()]);

    let exp2 = tuning.natives.exp2;
    let expected = Expected::of(&case);
    let reference = Reference::new(&case.config);
    let allowed = Allowed::of(&case, &[case.config.beta()], &v, tuning.natives);
    let want_jvp = reference.jvp(&inputs, &case.x, &v)?;
    let want_second = reference.second_backward(&inputs, &case.x, &case.grad_output, &v)?;
    let want_beta: f64 = reference.grad_beta(&inputs, &case.x, &case.grad_output)?.iter().sum();

    let mut errors = Vec::new();
    let quantities: [(&'static str, &OnDevice, &Quantity); 5] = [
        ("y", &y, &expected.y),
        ("y beside lse", &y_of_all, &expected.y),
        ("lse", &lse, &expected.lse),
        ("gradient", &gradient, &expected.grad_input),
        ("gradient from statistics", &from_statistics, &expected.grad_input),
    ];
    for (name, got, want) in quantities {
        let tolerance = |index| want.tolerance(index, exp2);
        errors.push((name, compare(name, &got.read(name)?, &want.values, tolerance, element_type)?));
    }
    for (name, got, want, allowed) in [
        ("jvp", &jvp, &want_jvp, &allowed.jvp),
        ("second backward, of g", &second_of_g, &want_second.grad_output, &allowed.jvp),
        ("second backward, of x", &second_of_x, &want_second.input, &allowed.second),
    ] {
        errors.push((name, compare(name, &got.read(name)?, want, |index| allowed[index], element_type)?));
    }
    let allowed: f64 = allowed.grad_beta.iter().sum();
    let got = grad_beta.read_blocking()?;
    errors.push(("gradient of beta", compare("gradient of beta", &got, &[want_beta], |_| allowed, ElementType::F32)?));
    Ok(errors)
}

/// The largest error, as a part of `tolerance` beyond the rounding to `element_type`: 1 at most.
fn compare(
    name: &str,
    got: &[f32],
    want: &[f64],
    tolerance: impl Fn(usize) -> f64,
    element_type: ElementType,
) -> Result<f64, String> {
    assert_eq!(got.len(), want.len(), "elements of {name}");
    let mut largest = 0.0f64;
    for (index, (&got, &want)) in got.iter().zip(want).enumerate() {
        if f64::from(want as f32) == f64::from(got) || want.is_nan() && got.is_nan() {
            continue;
        }
        let tolerance = tolerance(index) + f64::from(f32::MIN_POSITIVE);
        // Half the distance to the next number of the type.
        let most = want.abs() + tolerance;
        let rounding = match element_type {
            ElementType::F32 => 0.0,
            ElementType::F16 => (most * 2f64.powi(-11)).max(2f64.powi(-25)),
            ElementType::Bf16 => most * 2f64.powi(-8),
        };
        // Compared before `max`, which takes the number of a number and a NaN.
        let off = ((f64::from(got) - want).abs() - rounding) / tolerance;
        if off.is_nan() || off > 1.0 {
            return Err(format!("{name}[{index}] is {got:e} for {want:e}: {off:.2} of what is allowed"));
        }
        largest = largest.max(off);
    }
    Ok(largest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kernel_is_chosen() {
        let limits = softpool::wgpu::Limits::default();
        for own in [Tuning::GPU, Tuning::CPU, Tuning::SOFTWARE_GL] {
            let candidates = candidates();
            let (choices, missing) = choose(&candidates, own, &limits).expect("valid cases");
            assert_eq!(missing, Vec::<String>::new(), "{own:?}");
            assert!(choices.len() < 400, "{} runs are no subset", choices.len());
        }
    }

    #[test]
    fn what_is_off_is_found() {
        let compare = |got: f32, element_type| compare("x", &[got], &[1.0], |_| 1e-6, element_type);
        assert_eq!(compare(1.0, ElementType::F32), Ok(0.0));
        assert!(compare(1.000_002, ElementType::F32).is_err());
        assert!(compare(f32::NAN, ElementType::F32).is_err());
        assert_eq!(compare(1.000_4, ElementType::F16), Ok(0.0));
        assert!(compare(1.001, ElementType::F16).is_err());
        assert!(compare(1.008, ElementType::Bf16).is_err());
    }
}
