//! Any configuration, shapes, views and limits, without a device: no panic, and every dispatch within the limits and within the
//! memory it is given. The fuzz target `recipes` and `tests/fuzz.rs` both run this, on bytes from anywhere.

use arbitrary::{Result, Unstructured};
use softpool::{
    BackwardTensors, Dispatch, ElementType, Error, ForwardTensors, GradBetaTensors, GradientRule, JvpTensors, Memory,
    Recipe, Recipes, SecondBackwardTensors, Shape, SoftPoolConfig, StatisticsView, TensorView, Tuning, wgpu,
};

/// What became of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Refused, with an error.
    Refused,
    /// So many dispatches, all of them right.
    Planned(usize),
}

/// Works out one pooling that the bytes describe.
///
/// # Panics
/// If a dispatch goes beyond a limit, or beyond its memory.
pub fn check(bytes: &mut Unstructured<'_>) -> Result<Outcome> {
    let limits = limits(bytes)?;
    let tuning = tuning(bytes)?;
    let (rank, builder) = configuration(bytes)?;
    let Ok(config) = builder.build() else { return Ok(Outcome::Refused) };
    let dims = dims(bytes, rank, &config)?;
    let Ok(shape) = Shape::new(dims) else { return Ok(Outcome::Refused) };
    let Ok(pooled) = shape.pooled(&config) else { return Ok(Outcome::Refused) };
    if !is_moderate(shape.elements().max(pooled.elements()), &limits) {
        return Ok(Outcome::Refused);
    }
    let pooled = if bytes.ratio(1, 40)? { any_shape(bytes, rank)?.unwrap_or(pooled) } else { pooled };

    let mut names = 0;
    let betas = if bytes.ratio(1, 8)? {
        let channels = if bytes.ratio(1, 2)? { 1 } else { shape.of_rank(rank).map_or(1, |shape| shape.channels()) };
        match Shape::new([channels]) {
            Ok(of) => Some(view(bytes, of, &mut names)?),
            Err(_) => None,
        }
    } else {
        None
    };
    let mut recipes = Recipes::new(&config, &limits, tuning);
    if let Some(betas) = betas {
        recipes = recipes.with_betas(betas);
    }
    let statistics = if bytes.ratio(1, 3)? { Some(statistics(bytes, &pooled, &mut names)?) } else { None };
    let input = view(bytes, shape, &mut names)?;
    let recipe = match bytes.int_in_range(0..=4)? {
        0 => {
            let output = view(bytes, pooled, &mut names)?;
            let lse = if bytes.arbitrary()? { Some(view(bytes, pooled, &mut names)?) } else { None };
            recipes.of(ForwardTensors { input, output, lse, statistics })
        }
        1 => {
            let (grad_output, grad_input) = (view(bytes, pooled, &mut names)?, view(bytes, shape, &mut names)?);
            recipes.of(BackwardTensors { input, grad_output, grad_input, statistics })
        }
        2 => {
            let grad_output = view(bytes, pooled, &mut names)?;
            let channels = if bytes.arbitrary()? { 1 } else { shape.of_rank(rank).map_or(1, |shape| shape.channels()) };
            let Ok(of) = Shape::new([channels]) else { return Ok(Outcome::Refused) };
            let grad_beta = view(bytes, of, &mut names)?;
            recipes.of(GradBetaTensors { input, grad_output, grad_beta, statistics })
        }
        3 => {
            let (tangent, output) = (view(bytes, shape, &mut names)?, view(bytes, pooled, &mut names)?);
            recipes.of(JvpTensors { input, tangent, output, statistics })
        }
        _ => {
            let grad_of_grad_output = if bytes.arbitrary()? { Some(view(bytes, pooled, &mut names)?) } else { None };
            recipes.of(SecondBackwardTensors {
                input,
                grad_output: view(bytes, pooled, &mut names)?,
                tangent: view(bytes, shape, &mut names)?,
                grad_of_grad_output,
                grad_of_input: view(bytes, shape, &mut names)?,
                statistics,
            })
        }
    };
    match recipe {
        Ok(recipe) => {
            check_recipe(&recipe, &limits);
            Ok(Outcome::Planned(recipe.dispatches().len()))
        }
        Err(error) => {
            // Every error says something.
            assert!(!error.to_string().is_empty());
            assert!(!matches!(error, Error::DeviceLost { .. } | Error::OutOfMemory | Error::Refused(_)), "{error}");
            Ok(Outcome::Refused)
        }
    }
}

/// Whether so many elements make no more than some thousand dispatches. What makes more is worked out all the same, until the
/// machine has no memory left, and takes long.
fn is_moderate(elements: usize, limits: &wgpu::Limits) -> bool {
    let (bytes, workgroups) = (limits.max_storage_buffer_binding_size, limits.max_compute_workgroups_per_dimension);
    let most = match bytes {
        _ if workgroups < 1 << 14 => 1 << 14,
        0..0x10_0000 => 1 << 14,
        0x10_0000..0x7fff_ffff => 1 << 27,
        _ => 1 << 36,
    };
    elements <= most
}

fn check_recipe(recipe: &Recipe<'_>, limits: &wgpu::Limits) {
    for &bytes in recipe.scratch() {
        assert!(bytes > 0 && bytes.is_multiple_of(4) && bytes <= limits.max_buffer_size, "scratch of {bytes} bytes");
    }
    for dispatch in recipe.dispatches() {
        check_dispatch(dispatch, recipe, limits);
    }
}

fn check_dispatch(dispatch: &Dispatch<'_>, recipe: &Recipe<'_>, limits: &wgpu::Limits) {
    let label = dispatch.kernel.label();
    let most = limits.max_compute_workgroups_per_dimension;
    let workgroups = dispatch.workgroups;
    assert!(
        workgroups.iter().all(|&count| (1..=most).contains(&count)),
        "{label}: {workgroups:?} workgroups of {most}"
    );
    let size = dispatch.kernel.workgroup_size();
    let sizes =
        [limits.max_compute_workgroup_size_x, limits.max_compute_workgroup_size_y, limits.max_compute_workgroup_size_z];
    assert!(size.iter().zip(sizes).all(|(&size, most)| (1..=most).contains(&size)), "{label}: a workgroup of {size:?}");
    let invocations: u32 = size.iter().product();
    assert!(invocations <= limits.max_compute_invocations_per_workgroup, "{label}: {invocations} invocations");

    let bindings = &dispatch.bindings;
    assert!(bindings.len() <= limits.max_storage_buffers_per_shader_stage as usize, "{label}: too many buffers");
    assert!(bindings.len() < limits.max_bindings_per_bind_group as usize, "{label}: too many bindings");
    let params = dispatch.params().len() as u64;
    assert!(
        params.is_multiple_of(16) && params <= limits.max_uniform_buffer_binding_size,
        "{label}: {params} bytes of parameters"
    );
    assert!(bindings.iter().any(|binding| binding.written), "{label}: nothing is written");
    for (index, binding) in bindings.iter().enumerate() {
        let at = format!("{label}: binding {index} of {bindings:?}");
        let alignment = u64::from(limits.min_storage_buffer_offset_alignment);
        assert!(binding.byte_offset.is_multiple_of(alignment), "{at} isn't aligned");
        assert!(binding.bytes > 0 && binding.bytes.is_multiple_of(4), "{at} is no whole number of words");
        assert!(binding.bytes <= limits.max_storage_buffer_binding_size, "{at} is beyond what can be bound");
        assert!(binding.bytes <= u64::from(u32::MAX), "{at} is beyond 32-bit indices");
        let end = binding.byte_offset.checked_add(binding.bytes);
        assert!(end.is_some_and(|end| end <= binding.memory.bytes()), "{at} is beyond its memory");
        if let Memory::Scratch { index, bytes, .. } = binding.memory {
            assert_eq!(recipe.scratch().get(index), Some(&bytes), "{at} is of scratch that isn't there");
        }
    }
}

/// Limits of a device: WebGPU's, or the least that a browser may have, and some of them smaller or larger.
fn limits(bytes: &mut Unstructured<'_>) -> Result<wgpu::Limits> {
    let mut limits = if bytes.arbitrary()? { wgpu::Limits::default() } else { wgpu::Limits::downlevel_defaults() };
    if bytes.ratio(1, 2)? {
        limits.min_storage_buffer_offset_alignment = *bytes.choose(&[4, 16, 32, 64, 256])?;
        limits.max_storage_buffer_binding_size =
            *bytes.choose(&[1 << 10, 1 << 14, 1 << 20, (1 << 31) - 1, 1 << 31, (1 << 32) - 4, 1 << 33])?;
        limits.max_compute_workgroups_per_dimension = *bytes.choose(&[4, 64, 65535, (1 << 31) - 1])?;
    }
    if bytes.ratio(1, 8)? {
        limits.max_buffer_size = *bytes.choose(&[1 << 10, 1 << 16, 1 << 40])?;
        limits.max_storage_buffers_per_shader_stage = bytes.int_in_range(2..=10)?;
        limits.max_bindings_per_bind_group = bytes.int_in_range(2..=1000)?;
        limits.max_uniform_buffer_binding_size = *bytes.choose(&[16, 256, 1 << 14])?;
        limits.max_compute_workgroup_size_x = *bytes.choose(&[1, 8, 64, 256, 1024])?;
        limits.max_compute_workgroup_size_y = *bytes.choose(&[1, 256])?;
        limits.max_compute_workgroup_size_z = *bytes.choose(&[1, 64])?;
        limits.max_compute_invocations_per_workgroup = *bytes.choose(&[1, 32, 64, 128, 256, 1024])?;
        limits.max_compute_workgroup_storage_size = *bytes.choose(&[0, 16, 1 << 10, 1 << 14])?;
        limits.max_compute_workgroups_per_dimension = *bytes.choose(&[0, 1, 2, 65535])?;
    }
    Ok(limits)
}

fn tuning(bytes: &mut Unstructured<'_>) -> Result<Tuning> {
    let base = *bytes.choose(&[Tuning::GPU, Tuning::CPU, Tuning::SOFTWARE_GL])?;
    let least_invocations = *bytes.choose(&[0, 1 << 9, 1 << 16, u64::MAX])?;
    Ok(if bytes.ratio(1, 4)? { Tuning { least_invocations, ..base } } else { base })
}

/// A number by axis, mostly small.
fn number(bytes: &mut Unstructured<'_>, most: usize) -> Result<usize> {
    Ok(match bytes.int_in_range(0..=63u8)? {
        0 => {
            *bytes.choose(&[0, 64, 255, softpool::MAX_AXIS_PARAMETER, softpool::MAX_AXIS_PARAMETER + 1, usize::MAX])?
        }
        1 => bytes.int_in_range(0..=200)?,
        _ => bytes.int_in_range(1..=most)?,
    })
}

fn configuration(bytes: &mut Unstructured<'_>) -> Result<(usize, softpool::SoftPoolConfigBuilder)> {
    let rank = bytes.int_in_range(1..=3)?;
    let mut list = |most| (0..rank).map(|_| number(bytes, most)).collect::<Result<Vec<_>>>();
    let (kernel, stride, dilation) = (list(5)?, list(4)?, list(2)?);
    let builder = match bytes.int_in_range(0..=7u8)? {
        0 => SoftPoolConfig::adaptive(kernel),
        1 => SoftPoolConfig::global(rank),
        _ => {
            let mut builder = SoftPoolConfig::builder(&kernel);
            if bytes.arbitrary()? {
                builder = builder.stride(stride);
            }
            if bytes.ratio(1, 3)? {
                let padding = kernel.iter().map(|&kernel| bytes.int_in_range(0..=kernel / 2));
                builder = builder.padding(padding.collect::<Result<Vec<_>>>()?);
            }
            if bytes.ratio(1, 4)? {
                builder = builder.dilation(dilation);
            }
            if bytes.ratio(1, 16)? {
                builder = builder.same_padding();
            }
            if bytes.ratio(1, 4)? {
                builder = builder.ceil_mode(true);
            }
            builder
        }
    };
    let beta =
        if bytes.ratio(1, 32)? { f32::from_bits(bytes.arbitrary()?) } else { *bytes.choose(&[1.0, 0.0, -2.5])? };
    let rule = if bytes.arbitrary()? { GradientRule::Exact } else { GradientRule::Detached };
    Ok((rank, builder.beta(beta).gradient_rule(rule)))
}

/// The longest axis tried that isn't refused. Up to 2^31 - 1 are allowed, of which the choice of a strip's width counts the
/// inputs in 32 bits: only what it chooses depends on them, but with checks of overflow it panics.
const LONGEST: usize = 1 << 27;

/// Dimensions that mostly hold a window.
fn dims(bytes: &mut Unstructured<'_>, rank: usize, config: &SoftPoolConfig) -> Result<Vec<usize>> {
    let mut dims = Vec::new();
    if bytes.ratio(3, 4)? {
        dims.push(leading(bytes)?);
    }
    dims.push(leading(bytes)?);
    for axis in 0..rank {
        let span = match config.adaptive_output_size() {
            Some(output) => output[axis].unwrap_or(1),
            None => (config.kernel()[axis] - 1) * config.dilation()[axis] + 1,
        };
        dims.push(match bytes.int_in_range(0..=31u8)? {
            0 => *bytes.choose(&[0, 1, LONGEST, 1 << 31, 1 << 40])?,
            1 | 2 => span.saturating_add(bytes.int_in_range(0..=100_000)?),
            _ => span.saturating_add(bytes.int_in_range(0..=40)?),
        });
    }
    Ok(dims)
}

/// A number of samples or channels.
fn leading(bytes: &mut Unstructured<'_>) -> Result<usize> {
    Ok(match bytes.int_in_range(0..=31u8)? {
        0 => *bytes.choose(&[0, 1 << 20, (1 << 31) - 1, 1 << 33])?,
        1 | 2 => bytes.int_in_range(1..=3000)?,
        _ => bytes.int_in_range(1..=5)?,
    })
}

fn any_shape(bytes: &mut Unstructured<'_>, rank: usize) -> Result<Option<Shape>> {
    let dims = (0..rank + 2).map(|_| number(bytes, 9)).collect::<Result<Vec<_>>>()?;
    Ok(Shape::new(dims).ok())
}

/// A view of memory that mostly is large enough and its own.
fn view(bytes: &mut Unstructured<'_>, shape: Shape, names: &mut u64) -> Result<TensorView<'static>> {
    let element_type = *bytes.choose(&[ElementType::F32, ElementType::F32, ElementType::F16, ElementType::Bf16])?;
    let name = if bytes.ratio(1, 16)? { 0 } else { *names };
    *names += 1;
    let mut view = TensorView::new(Memory::Named { name, bytes: 0 }, shape).of_type(element_type);
    if bytes.ratio(1, 3)? {
        let strides = strides(bytes, shape)?;
        view = view.with_strides(strides).unwrap_or(view);
    }
    let offset = match bytes.int_in_range(0..=15u8)? {
        0 => bytes.int_in_range(0..=1000)?,
        1..=4 => element_type.bytes() * bytes.int_in_range(0..=10_000u64)?,
        _ => 256 * bytes.int_in_range(0..=3u64)?,
    };
    view = view.at_byte_offset(offset);
    let needed = offset.saturating_add(view.bytes());
    let size = match bytes.int_in_range(0..=31u8)? {
        0 => bytes.int_in_range(0..=needed)?,
        1 => needed,
        _ => needed.saturating_add(bytes.int_in_range(0..=300)?).next_multiple_of(4),
    };
    view.memory = Memory::Named { name, bytes: size };
    Ok(view)
}

/// Strides: the axes in any order, with gaps, or repeated elements.
fn strides(bytes: &mut Unstructured<'_>, shape: Shape) -> Result<Vec<usize>> {
    let dims = shape.dims();
    let mut order: Vec<usize> = (0..dims.len()).rev().collect();
    for last in (1..order.len()).rev() {
        order.swap(last, bytes.int_in_range(0..=last)?);
    }
    let (mut strides, mut stride) = (vec![0; dims.len()], 1usize);
    for axis in order {
        if bytes.ratio(1, 6)? {
            stride = stride.saturating_mul(bytes.int_in_range(1..=3)?);
        }
        strides[axis] = if bytes.ratio(1, 24)? { bytes.int_in_range(0..=50)? } else { stride };
        stride = stride.saturating_mul(dims[axis].max(1));
    }
    Ok(strides)
}

fn statistics(bytes: &mut Unstructured<'_>, pooled: &Shape, names: &mut u64) -> Result<StatisticsView<'static>> {
    let name = *names;
    *names += 1;
    let byte_offset =
        if bytes.ratio(1, 16)? { bytes.int_in_range(0..=1000)? } else { 256 * bytes.int_in_range(0..=3u64)? };
    let needed = byte_offset.saturating_add(StatisticsView::bytes(pooled));
    let size = if bytes.ratio(1, 32)? { needed.saturating_sub(4) } else { needed };
    Ok(StatisticsView { memory: Memory::Named { name, bytes: size }, byte_offset })
}
