//! The text of every kernel that poolings of a shape can use: for tools and tests that look at shaders without a device.

use std::collections::BTreeSet;

use crate::bound::{Placed, Role};
use crate::geometry::{Geometry, Vectors};
use crate::kernels::{self, Kernels};
use crate::problem::Problem;
use crate::specialise::Specialisation;
use crate::tuning::Tuning;
use crate::{ElementType, Result, Shape, SoftPoolConfig};

/// How the tensors of a pooling are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Storage {
    Contiguous,
    ChannelsLast,
    /// One sample in two, columns in reverse order of the axes' size: nothing folds.
    Strided,
}

/// Label and WGSL of every specialisation that poolings of `shape` by `config` can use, in each element type, contiguous and
/// with strides, with one beta and with one for each channel.
///
/// # Errors
/// Those of [`Shape::pooled`].
#[doc(hidden)]
pub fn shader_sources(config: &SoftPoolConfig, shape: &Shape) -> Result<Vec<(String, String)>> {
    let specialisations = specialisations(config, shape)?;
    Ok(specialisations.into_iter().map(|kernel| (kernel.label(), kernel.wgsl())).collect())
}

/// All kernels, by the names that [`Specialisation::kernel`] has for them.
#[doc(hidden)]
pub fn kernel_names() -> BTreeSet<String> {
    let lists = [
        kernels::FORWARD,
        kernels::BACKWARD,
        kernels::BACKWARD_FROM_STATISTICS,
        kernels::SECOND_BACKWARD,
        kernels::SECOND_BACKWARD_FROM_MOMENTS,
        kernels::TANGENT,
        kernels::TANGENT_FROM_STATISTICS,
        kernels::SUM,
    ];
    lists.into_iter().flatten().map(|kernel| format!("{kernel:?}")).collect()
}

/// A kernel as it is written: nothing unrolled, nothing pruned.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct ShaderParts {
    /// The kernel's name.
    pub kernel: &'static str,
    /// What src/specialise.rs makes for it, of f32 tensors that are all bound, and without vectors.
    pub prelude: String,
    /// The texts of its files in shaders/.
    pub files: Vec<&'static str>,
}

/// The kernels of [`shader_sources`], as they are written.
///
/// # Errors
/// Those of [`Shape::pooled`].
#[doc(hidden)]
pub fn shader_parts(config: &SoftPoolConfig, shape: &Shape) -> Result<Vec<ShaderParts>> {
    let parts = |kernel: Specialisation| {
        let geometry = Geometry { vectors: Vectors::default(), pairs: false, ..kernel.geometry };
        let tensors = [Some(ElementType::F32); Role::COUNT];
        let bare = Specialisation { geometry, tensors, shared_buffer: true };
        ShaderParts { kernel: kernel.room().name(), prelude: bare.prelude(), files: kernel.files() }
    };
    Ok(specialisations(config, shape)?.into_iter().map(parts).collect())
}

fn specialisations(config: &SoftPoolConfig, shape: &Shape) -> Result<Vec<Specialisation>> {
    use ElementType::{Bf16, F16, F32};
    use Storage::{ChannelsLast, Contiguous, Strided};

    let pooled = shape.pooled(config)?;
    let shape = shape.of_rank(config.rank())?;
    let mut sources = Vec::new();
    for (tuning, storage, element_type, offset, shared_buffer, betas) in [
        (Tuning::CPU, Contiguous, F32, 0, false, false),
        (Tuning::GPU, Contiguous, F32, 0, true, false),
        (Tuning::CPU, Contiguous, F32, 1, true, false),
        (Tuning::GPU, Contiguous, F16, 0, false, false),
        (Tuning::GPU, Strided, Bf16, 1, true, true),
        (Tuning::GPU, ChannelsLast, F16, 3, false, true),
        (Tuning::GPU, ChannelsLast, Bf16, 2, false, true),
    ] {
        let place = |role: Role| {
            let of_inputs = role.is_of_inputs();
            let [d, h, w] = if of_inputs { shape } else { pooled }.depth_height_width().map(u64::from);
            let channels = shape.channels() as u64;
            let strides = match storage {
                _ if role == Role::Betas => [0, 1, 0, 0, 0],
                Contiguous => [channels * d * h * w, d * h * w, h * w, w, 1],
                ChannelsLast => [d * h * w * channels, 1, h * w * channels, w * channels, channels],
                Strided => [channels * d * h * w * 6, d * h * w * 3, h * w * 3, 3, h * 3],
            };
            let halves = of_inputs || matches!(role, Role::Y | Role::GradOutput);
            let element_type = if halves { element_type } else { F32 };
            Placed { role, element_type, offset, strides, words: 1, word: 0 }
        };
        let mut add = |kernels: Kernels, roles: &[Role]| {
            let betas: &[Role] = if betas { &[Role::Betas] } else { &[] };
            let roles = [&[Role::X], roles, betas].concat();
            let tensors: Vec<Placed> = roles.into_iter().map(place).collect();
            let types: Vec<_> = tensors.iter().map(|tensor| (tensor.role, tensor.element_type)).collect();
            let problem = Problem::new(config, &shape, &pooled, tensors, tuning);
            if let Some(geometry) = kernels::choose(kernels, &problem) {
                let specialisation = Specialisation::new(geometry, types);
                sources.push(Specialisation { shared_buffer, ..specialisation });
            }
        };
        use Role::{GradInput, GradOutput, Lse, Moments, Statistics, Tangent, Y};
        for outputs in [&[Statistics][..], &[Y], &[Y, Lse], &[Y, Statistics], &[Y, Lse, Statistics]] {
            add(kernels::FORWARD, outputs);
        }
        add(kernels::BACKWARD, &[GradOutput, GradInput]);
        add(kernels::BACKWARD_FROM_STATISTICS, &[GradOutput, GradInput, Statistics]);
        add(kernels::TANGENT, &[Tangent, Y]);
        add(kernels::TANGENT, &[GradOutput, Y]);
        add(kernels::SECOND_BACKWARD, &[Tangent, GradOutput, GradInput]);
        add(kernels::TANGENT_FROM_STATISTICS, &[Tangent, Statistics, Y]);
        add(kernels::TANGENT_FROM_STATISTICS, &[Tangent, Statistics, Y, Moments]);
        add(kernels::TANGENT_FROM_STATISTICS, &[GradOutput, Statistics, Y]);
        add(kernels::SECOND_BACKWARD_FROM_MOMENTS, &[Tangent, GradOutput, Statistics, Moments, GradInput]);
        add(kernels::SUM, &[Y]);
    }
    Ok(sources)
}
