//! Texts of kernels as they are handed to a driver, committed: a change of a text shows in a review.
//!
//! `SOFTPOOL_WRITE_SNAPSHOTS=1 cargo test --test suite snapshots::` writes tests/snapshots/ anew.

use std::fs;
use std::path::{Path, PathBuf};

use softpool::ElementType::{self, Bf16, F16, F32};
use softpool::{
    BackwardTensors, ForwardTensors, GradBetaTensors, JvpTensors, Memory, Recipe, Recipes, Result,
    SecondBackwardTensors, Shape, SoftPoolConfig, SoftPoolConfigBuilder, StatisticsView, TensorView, Tuning, wgpu,
};

const VARIABLE: &str = "SOFTPOOL_WRITE_SNAPSHOTS";

/// What a text is of.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Forward,
    /// With lse and statistics.
    ForwardOfAll,
    Backward,
    BackwardFromStatistics,
    GradBeta,
    Jvp,
    SecondBackward,
}
use Operation::*;

/// A text: the name of its file, the operation, which of its dispatches, the windows, the input's sizes, the type, and whether
/// channels are last.
type Snapshot =
    (&'static str, Operation, usize, fn() -> SoftPoolConfigBuilder, &'static [usize], ElementType, bool, Tuning);

/// A line for each kernel, or more.
const SNAPSHOTS: &[Snapshot] = &[
    ("forward_disjoint_k2", Forward, 0, || windows(2, 2, 0), &[8, 64, 112, 112], F32, false, Tuning::GPU),
    ("forward_disjoint_k2_f16_cpu", Forward, 0, || windows(2, 2, 0), &[8, 64, 112, 112], F16, false, Tuning::CPU),
    ("forward_taps_k3_s2_p1", Forward, 0, || windows(3, 2, 1), &[8, 64, 112, 112], F32, false, Tuning::GPU),
    ("forward_rows_k3_s2_p1", Forward, 0, || windows(3, 2, 1), &[8, 64, 112, 112], F32, false, Tuning::CPU),
    ("forward_rows_k3_s1_p1_all", ForwardOfAll, 0, || windows(3, 1, 1), &[8, 64, 112, 112], F32, false, Tuning::CPU),
    ("forward_taps_k3_s2_p1_f16_nhwc", Forward, 0, || windows(3, 2, 1), &[8, 64, 112, 112], F16, true, Tuning::GPU),
    (
        "forward_window_adaptive",
        Forward,
        0,
        || SoftPoolConfig::adaptive([7, 7]),
        &[8, 64, 30, 30],
        Bf16,
        false,
        Tuning::GPU,
    ),
    ("backward_disjoint_k2", Backward, 0, || windows(2, 2, 0), &[8, 64, 112, 112], F32, false, Tuning::GPU),
    ("backward_disjoint_k3_s4_bf16", Backward, 0, || windows(3, 4, 1), &[8, 64, 112, 112], Bf16, false, Tuning::GPU),
    (
        "backward_input_adaptive",
        BackwardFromStatistics,
        0,
        || SoftPoolConfig::adaptive([7, 7]),
        &[8, 64, 30, 30],
        F32,
        false,
        Tuning::GPU,
    ),
    ("sum_of_grad_beta", GradBeta, 1, || windows(2, 2, 0), &[8, 64, 112, 112], F32, false, Tuning::GPU),
    ("jvp_rows_k3_s2_p1", Jvp, 0, || windows(3, 2, 1), &[8, 64, 112, 112], F32, false, Tuning::GPU),
    ("backward_taps_k3_s1_p1", Backward, 0, || windows(3, 1, 1), &[8, 64, 112, 112], F32, false, Tuning::GPU),
    ("backward_rows_k3_s1_p1", Backward, 0, || windows(3, 1, 1), &[8, 64, 112, 112], F32, false, Tuning::CPU),
    (
        "second_backward_rows_k3_s2_p1",
        SecondBackward,
        1,
        || windows(3, 2, 1),
        &[8, 64, 112, 112],
        F32,
        false,
        Tuning::GPU,
    ),
];

/// The same of textures: the name of a file, and of one of `kernel_examples`.
const TEXTURES: [(&str, &str); 3] = [
    ("texture_level", "level 3840x2160 rgba8unorm"),
    ("texture_level_odd_by_channel_f16", "level 4095x2047 rgba16float straight by channel"),
    ("texture_chain_srgb", "chain 4096x4096 rgba8unorm straight srgb"),
];

fn windows(kernel: usize, stride: usize, padding: usize) -> SoftPoolConfigBuilder {
    SoftPoolConfig::builder([kernel, kernel]).stride([stride]).padding([padding])
}

fn text(snapshot: &Snapshot) -> Result<String> {
    let (_, operation, index, builder, dims, element_type, channels_last, tuning) = *snapshot;
    let config = builder().build()?;
    let limits = wgpu::Limits { max_storage_buffer_binding_size: 1 << 30, ..wgpu::Limits::default() };
    let recipes = Recipes::new(&config, &limits, tuning).with_names_apart();
    let shape = Shape::new(dims)?;
    let pooled = shape.pooled(&config)?;
    let view = |name: u64, shape: Shape, element_type: ElementType| -> Result<TensorView<'static>> {
        let view = TensorView::new(Memory::Named { name, bytes: 1 << 30 }, shape).of_type(element_type);
        if !channels_last {
            return Ok(view);
        }
        let [_, c, h, w] = shape.dims() else { panic!("a snapshot's tensor has four axes: {shape}") };
        view.with_strides([c * h * w, 1, w * c, *c])
    };
    let (input, output, grad_output) =
        (view(0, shape, element_type)?, view(1, pooled, element_type)?, view(2, pooled, element_type)?);
    let (grad_input, tangent) = (view(3, shape, element_type)?, view(4, shape, element_type)?);
    let memory = Memory::Named { name: 5, bytes: StatisticsView::bytes(&pooled) };
    let statistics = Some(StatisticsView { memory, byte_offset: 0 });
    let recipe: Recipe<'_> = match operation {
        Forward => recipes.of(ForwardTensors::new(input, output)),
        ForwardOfAll => recipes.of(ForwardTensors { input, output, lse: Some(view(6, pooled, F32)?), statistics }),
        Backward => recipes.of(BackwardTensors::new(input, grad_output, grad_input)),
        BackwardFromStatistics => recipes.of(BackwardTensors { input, grad_output, grad_input, statistics }),
        GradBeta => {
            let grad_beta = TensorView::new(Memory::Named { name: 7, bytes: 4 }, Shape::new([1])?);
            recipes.of(GradBetaTensors::new(input, grad_output, grad_beta))
        }
        Jvp => recipes.of(JvpTensors::new(input, tangent, output)),
        SecondBackward => recipes.of(SecondBackwardTensors {
            input,
            grad_output,
            tangent,
            grad_of_grad_output: Some(output),
            grad_of_input: grad_input,
            statistics: None,
        }),
    }?;
    let kernel = &recipe.dispatches()[index].kernel;
    Ok(format!("// {}\n{}", kernel.label(), kernel.wgsl()))
}

/// Names of files, and their texts.
fn texts() -> Vec<(&'static str, String)> {
    let tensors = SNAPSHOTS.iter().map(|snapshot| {
        let name = snapshot.0;
        (name, text(snapshot).unwrap_or_else(|error| panic!("{name}: {error}")))
    });
    let examples = softpool::texture::kernel_examples();
    let textures = TEXTURES.iter().map(|&(name, of)| {
        let example = examples.iter().find(|example| example.name == of);
        let example = example.unwrap_or_else(|| panic!("{of:?} is none of kernel_examples"));
        (name, format!("// {}\n{}", example.label, example.wgsl))
    });
    tensors.chain(textures).collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots")
}

#[test]
fn texts_are_those_committed() {
    let write = std::env::var_os(VARIABLE).is_some_and(|value| value == "1");
    let mut others = Vec::new();
    for (name, text) in texts() {
        let path = folder().join(format!("{name}.wgsl"));
        if write {
            fs::write(&path, &text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            continue;
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        if committed == text {
            continue;
        }
        let pairs = committed.lines().zip(text.lines()).enumerate();
        let first = pairs.map(|(index, (before, now))| (index + 1, before, now)).find(|(_, before, now)| before != now);
        others.push(match first {
            Some((line, before, now)) => {
                format!("{name}.wgsl, line {line}:\n  committed: {before}\n  now:       {now}")
            }
            None => format!("{name}.wgsl: {} bytes committed, {} now", committed.len(), text.len()),
        });
    }
    assert!(
        others.is_empty(),
        "{} texts are not those of tests/snapshots/:\n{}\nif they are meant to change: {VARIABLE}=1 cargo test --test suite \
         snapshots, and look at the difference",
        others.len(),
        others.join("\n")
    );
}

/// A file that no line of the table writes is left over from a kernel that is gone.
#[test]
fn every_file_is_of_a_text() {
    for entry in fs::read_dir(folder()).expect("the folder of the texts") {
        let name = entry.expect("an entry of the folder").file_name().to_string_lossy().into_owned();
        let mut names = SNAPSHOTS.iter().map(|snapshot| snapshot.0).chain(TEXTURES.map(|(name, _)| name));
        let known = names.any(|of_text| name == format!("{of_text}.wgsl"));
        assert!(known, "tests/snapshots/{name} is of no text: delete it");
    }
}
