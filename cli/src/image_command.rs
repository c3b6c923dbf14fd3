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
    let config = SoftPoolConfig::builder(kernel.by_axis("kernel", RANK, input)?)
        .stride(arguments.stride.as_ref().unwrap_or(kernel).by_axis("stride", RANK, input)?)
        .beta(beta)
        .build()?;
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
    let (kernel, stride) = (config.kernel(), config.stride());
    Ok(format!(
        "{}: {}\n{}: {}\n{} pooling, kernel {}x{}, stride {}x{}, beta {beta} for values from 0 to 1\n{}",
        input.display(),
        picture.describe(),
        arguments.output.display(),
        pooled.describe(),
        arguments.method,
        kernel[0],
        kernel[1],
        stride[0],
        stride[1],
        ran_on(&device, time),
    ))
}
