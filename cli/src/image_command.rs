//! `softpool image`: an image in, its pooling out.

use std::io::{self, Write};
use std::time::Instant;

use crate::arguments::ImageArguments;
use crate::device::Device;
use crate::encoding::Format;
use crate::failure::{Failure, Result};
use crate::image_windows::{self, ImageWindows};
use crate::output_files::Output;
use crate::picture::Picture;
use crate::report::Report;
use crate::tensor_commands::ran_on;

/// Pools the image.
pub fn run(arguments: &ImageArguments) -> Result<Report> {
    let ImageArguments { input, output: output_path, .. } = arguments;
    let linear = arguments.reading.linear;
    let beta = arguments.method.beta(arguments.beta)?;
    let output = Output::check(output_path)?;
    let format = Format::of(arguments.format, output_path, &output)?;
    let windows = ImageWindows {
        arguments: &arguments.windows,
        stride: arguments.stride.as_ref(),
        output_size: arguments.output_size.as_ref(),
    };
    // What is wrong with the windows is said before a large image is decoded.
    windows.config(beta, input)?;
    let picture = Picture::read(input, arguments.reading.max_memory)?;
    format.check(picture.color, output_path)?;
    let (config, note) = windows.config_for([picture.height, picture.width], beta, input)?;
    picture
        .shape()?
        .pooled(&config)
        .map_err(|error| Failure::of_file(input, format_args!("{}: {error}", picture.describe())))?;

    let device = Device::choose(&arguments.device.device)?;
    let start = Instant::now();
    let pooled = picture.pooled(&device, &config, linear)?;
    let time = start.elapsed();

    output.stage(|file| pooled.write(format, file))?.publish()?;
    let notes = note.map(|note| (input, note)).into_iter();
    for (path, note) in notes.chain(format.loss(&pooled.colours).map(|loss| (output_path, loss))) {
        let _ = writeln!(io::stderr(), "{}: {note}", path.display());
    }
    let report = format!(
        "{}: {}\n{}: {}\n{} pooling{}, {}, beta {beta} for values from 0 to 1\n{}",
        input.display(),
        picture.describe(),
        output_path.display(),
        pooled.describe(),
        arguments.method,
        if linear { " in linear light" } else { "" },
        image_windows::describe(&config),
        ran_on(&device, time),
    );
    Ok(Report::beside(report, output.is_stdout()))
}
