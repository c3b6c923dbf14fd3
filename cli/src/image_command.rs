//! `softpool image`: an image in, its pooling out.

use std::time::Instant;

use softpool::SoftPoolConfig;

use crate::arguments::ImageArguments;
use crate::device::Device;
use crate::failure::{Failure, Result};
use crate::output_files::Output;
use crate::picture::{Format, Picture};
use crate::tensor_commands::ran_on;

/// The spatial axes of an image.
const RANK: usize = 2;

/// Pools the image; what to print.
pub fn run(arguments: &ImageArguments) -> Result<String> {
    let ImageArguments { input, kernel, .. } = arguments;
    let beta = arguments.method.beta(arguments.beta)?;
    let format = Format::of(&arguments.output)?;
    let output = Output::check(&arguments.output)?;
    let builder = match &arguments.output_size {
        Some(size) => SoftPoolConfig::adaptive(size.by_axis("output-size", RANK, input)?),
        None => SoftPoolConfig::builder(kernel.by_axis("kernel", RANK, input)?)
            .stride(arguments.stride.as_ref().unwrap_or(kernel).by_axis("stride", RANK, input)?),
    };
    let config = builder.beta(beta).build()?;
    let picture = Picture::read(input)?;
    format.check(picture.color, &arguments.output)?;
    picture
        .shape()?
        .pooled(&config)
        .map_err(|error| Failure::of_file(input, format_args!("{}: {error}", picture.describe())))?;

    let device = Device::choose(&arguments.device.device)?;
    let start = Instant::now();
    let pooled = picture.pooled(&device, &config)?;
    let time = start.elapsed();

    output.stage(|file| pooled.write(format, file))?.publish()?;
    let by_axis = |sizes: &[usize]| format!("{}x{}", sizes[0], sizes[1]);
    let windows = match config.adaptive_output_size() {
        Some(size) => format!("output size {}", by_axis(&size.into_iter().flatten().collect::<Vec<_>>())),
        None => format!("kernel {}, stride {}", by_axis(&config.kernel()), by_axis(&config.stride())),
    };
    Ok(format!(
        "{}: {}\n{}: {}\n{} pooling, {windows}, beta {beta} for values from 0 to 1\n{}",
        input.display(),
        picture.describe(),
        arguments.output.display(),
        pooled.describe(),
        arguments.method,
        ran_on(&device, time),
    ))
}
