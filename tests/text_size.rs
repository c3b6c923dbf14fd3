//! How much text a driver is handed: what it takes to compile grows with it, and some take seconds for long ones.

use std::collections::{BTreeMap, HashSet};

use softpool::{
    BackwardTensors, ElementType, ForwardTensors, GradBetaTensors, JvpTensors, Memory, Recipe, Recipes, Result,
    SecondBackwardTensors, Shape, SoftPoolConfig, SoftPoolConfigBuilder, StatisticsView, TensorView, Tuning, wgpu,
};

/// Bytes of WGSL of any kernel for windows of one or two axes, of at most [`SMALL_KERNEL`] taps along each.
const SMALL_BYTES: usize = 12 << 10;
/// Bytes of WGSL of any other.
const BYTES: usize = 20 << 10;
/// Taps along an axis, of small windows.
const SMALL_KERNEL: usize = 7;

/// Kernels that are still over a budget: what their labels start with, and KiB that theirs have of small windows and of others. They
/// may only become smaller; a line goes when its kernel is within.
const OVER: &[(&str, usize, usize)] = &[
    ("softpool backward disjoint", 20, 32),
    ("softpool backward lanes", 12, 22),
    ("softpool backward rows", 38, 43),
    ("softpool backward statistics", 51, 86),
    ("softpool backward taps", 22, 20),
    ("softpool forward disjoint", 17, 22),
    ("softpool forward rows", 33, 60),
    ("softpool forward taps", 18, 23),
    ("softpool forward window", 22, 20),
    ("softpool second backward input", 13, 20),
    ("softpool second backward rows", 40, 48),
    ("softpool second backward taps", 35, 20),
];

/// Bytes that a text may have.
fn budget(label: &str, small: bool) -> usize {
    let over = OVER.iter().find(|(prefix, ..)| label.starts_with(prefix));
    match over {
        Some(&(_, of_small, of_others)) => (if small { of_small } else { of_others }) << 10,
        None if small => SMALL_BYTES,
        None => BYTES,
    }
}

/// How tensors lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    Contiguous,
    ChannelsLast,
    /// One element in two, from the second on.
    Strided,
}

const LAYOUTS: [Layout; 3] = [Layout::Contiguous, Layout::ChannelsLast, Layout::Strided];
const TYPES: [ElementType; 3] = [ElementType::F32, ElementType::F16, ElementType::Bf16];
const TUNINGS: [(&str, Tuning); 3] = [("GPU", Tuning::GPU), ("CPU", Tuning::CPU), ("SOFTWARE_GL", Tuning::SOFTWARE_GL)];

/// A pooling whose kernels are looked at.
struct Case {
    builder: SoftPoolConfigBuilder,
    shape: Vec<usize>,
    small: bool,
}

/// Windows of one to three axes, with and without gaps, padding and dilation; tensors that fill a device.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for kernel in [1, 2, 3, 4, 5, 7, 9, 13, 15, 31] {
        let mut variants = vec![(kernel, 0, 1), (1, kernel / 2, 1), (2, kernel / 2, 1), (kernel, kernel / 2, 1)];
        variants.extend([(3, 0, 1), (kernel + 1, 0, 1), (1, kernel / 2, 2), (2, 0, 3), (kernel, 0, 2)]);
        for (stride, padding, dilation) in variants {
            let axis = |rank: usize| {
                SoftPoolConfig::builder(vec![kernel; rank]).stride([stride]).padding([padding]).dilation([dilation])
            };
            let small = kernel <= SMALL_KERNEL;
            cases.push(Case { builder: axis(1), shape: vec![8, 64, 4096], small });
            cases.push(Case { builder: axis(2), shape: vec![8, 64, 112, 112], small });
            if kernel <= SMALL_KERNEL {
                cases.push(Case { builder: axis(3), shape: vec![2, 16, 24, 32, 32], small: false });
            }
        }
    }
    for (builder, shape) in [
        (SoftPoolConfig::builder([2, 3]).stride([2, 1]), vec![8, 64, 111, 113]),
        (SoftPoolConfig::builder([1, 7]).stride([1, 2]).padding([0, 3]), vec![8, 64, 112, 112]),
        (SoftPoolConfig::builder([7, 1]).stride([2, 1]).padding([3, 0]), vec![8, 64, 112, 112]),
        (SoftPoolConfig::builder([3, 3]).stride([2]).ceil_mode(true), vec![1, 3, 15, 16]),
        (SoftPoolConfig::adaptive([7, 7]), vec![8, 64, 30, 30]),
    ] {
        cases.push(Case { builder, shape, small: true });
    }
    for (builder, shape) in [
        (SoftPoolConfig::adaptive([3, 2, 2]), vec![2, 16, 24, 31, 31]),
        (SoftPoolConfig::adaptive([3, 3]), vec![2, 16, 100, 100]),
        (SoftPoolConfig::global(2), vec![8, 64, 112, 112]),
        (SoftPoolConfig::builder([1025, 1025]), vec![1, 1, 1025, 1025]),
    ] {
        cases.push(Case { builder, shape, small: false });
    }
    cases
}

fn tensor(name: u64, shape: Shape, element_type: ElementType, layout: Layout) -> Result<TensorView<'static>> {
    let view = TensorView::new(Memory::Named { name, bytes: 1 << 31 }, shape).of_type(element_type);
    let dims = shape.dims();
    match layout {
        Layout::Contiguous => Ok(view),
        Layout::Strided => {
            let strides: Vec<usize> = view.strides().iter().map(|stride| 2 * stride).collect();
            Ok(view.at_byte_offset(element_type.bytes()).with_strides(strides)?)
        }
        Layout::ChannelsLast => {
            let mut strides = vec![1; dims.len()];
            let mut step = dims[1];
            for axis in (2..dims.len()).rev().chain([0]) {
                strides[axis] = step;
                step *= dims[axis];
            }
            view.with_strides(strides)
        }
    }
}

/// The recipes of every operation on a case.
fn recipes_of<'a>(
    case: &Case,
    recipes: Recipes<'a>,
    config: &SoftPoolConfig,
    element_type: ElementType,
    layout: Layout,
) -> Result<Vec<Recipe<'a>>> {
    let shape = Shape::new(&case.shape)?;
    let pooled = shape.pooled(config)?;
    let view = |name: u64, shape: Shape| tensor(name, shape, element_type, layout);
    let words = |name: u64, shape: Shape| tensor(name, shape, ElementType::F32, Layout::Contiguous);
    let memory = Memory::Named { name: 9, bytes: StatisticsView::bytes(&pooled) };
    let statistics = Some(StatisticsView { memory, byte_offset: 0 });
    let (input, output, grad_output) = (view(0, shape)?, view(1, pooled)?, view(2, pooled)?);
    let (grad_input, tangent) = (view(3, shape)?, view(4, shape)?);
    let everything = ForwardTensors { input, output, lse: Some(words(5, pooled)?), statistics };
    let by_channel = recipes.with_betas(words(6, Shape::new([shape.channels()])?)?);
    let grad_beta = words(7, Shape::new([1])?)?;
    let grad_beta_by_channel = words(8, Shape::new([shape.channels()])?)?;
    Ok(vec![
        recipes.of(ForwardTensors::new(input, output))?,
        recipes.of(everything)?,
        by_channel.of(everything)?,
        recipes.of(BackwardTensors::new(input, grad_output, grad_input))?,
        recipes.of(BackwardTensors { input, grad_output, grad_input, statistics })?,
        by_channel.of(BackwardTensors::new(input, grad_output, grad_input))?,
        recipes.of(GradBetaTensors::new(input, grad_output, grad_beta))?,
        by_channel.of(GradBetaTensors { input, grad_output, grad_beta: grad_beta_by_channel, statistics })?,
        recipes.of(JvpTensors::new(input, tangent, output))?,
        recipes.of(SecondBackwardTensors {
            input,
            grad_output,
            tangent,
            grad_of_grad_output: Some(output),
            grad_of_input: grad_input,
            statistics: None,
        })?,
    ])
}

#[test]
fn no_kernel_is_a_long_text() {
    let cases = cases();
    assert!(cases.len() >= 200, "{} configurations", cases.len());
    let limits = wgpu::Limits {
        max_buffer_size: 1 << 31,
        max_storage_buffer_binding_size: (1 << 31) - 4,
        ..wgpu::Limits::default()
    };
    // Of each kernel, small and other windows, the longest text over its budget, with what makes it.
    let mut long: BTreeMap<(String, bool), (usize, String)> = BTreeMap::new();
    let mut seen = HashSet::new();
    for case in &cases {
        let config = match case.builder.clone().build() {
            Ok(config) => config,
            Err(error) => panic!("{:?}: {error}", case.builder),
        };
        for (tuning_name, tuning) in TUNINGS {
            for (element_type, layout) in TYPES.into_iter().flat_map(|of_type| LAYOUTS.map(|layout| (of_type, layout)))
            {
                let recipes = Recipes::new(&config, &limits, tuning);
                let recipes = recipes_of(case, recipes, &config, element_type, layout)
                    .unwrap_or_else(|error| panic!("{:?} of {:?}: {error}", case.builder, case.shape));
                for dispatch in recipes.iter().flat_map(Recipe::dispatches) {
                    if !seen.insert((dispatch.kernel, case.small)) {
                        continue;
                    }
                    let (label, bytes) = (dispatch.kernel.label(), dispatch.kernel.wgsl().len());
                    let what = format!("{}D, {element_type}, {layout:?}, {tuning_name}", case.shape.len() - 2);
                    // "softpool backward rows k3 s1 p1" without its sizes.
                    let words = label.split(' ').take_while(|word| !word.contains(|c: char| c.is_ascii_digit()));
                    let kernel = (words.collect::<Vec<_>>().join(" "), case.small);
                    let known = long.get(&kernel).map_or(0, |(bytes, _)| *bytes);
                    if bytes > budget(&label, case.small) && bytes > known {
                        long.insert(kernel, (bytes, format!("{label} ({what})")));
                    }
                }
            }
        }
    }
    let row = |((kernel, small), (bytes, what)): (&(String, bool), &(usize, String))| {
        let windows = if *small { "small windows" } else { "other windows" };
        format!("{bytes:>8}  {kernel}, {windows}: {what}\n")
    };
    let table: String = long.iter().map(row).collect();
    assert!(long.is_empty(), "texts over their budgets:\n{table}");
}
