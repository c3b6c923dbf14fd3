//! `softpool compare`: soft, max and average pooling of an image, measured against it and drawn beside it.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use image::ColorType;

use crate::arguments::{CompareArguments, Method};
use crate::colours::Colours;
use crate::device::Device;
use crate::encoding::Format;
use crate::failure::{Failure, Result};
use crate::image_windows::{self, ImageWindows};
use crate::output_files::Output;
use crate::picture::Picture;
use crate::report::Report;
use crate::sheet::{self, Cells, Panel};
use crate::similarity::{luma, psnr, ssim};
use crate::tensor_commands::ran_on;

/// Draws the picture.
pub fn run(arguments: &CompareArguments) -> Result<Report> {
    let CompareArguments { input, output: output_path, .. } = arguments;
    let linear = arguments.reading.linear;
    let output = Output::check(output_path)?;
    let format = Format::of(arguments.format, output_path, &output)?;
    let windows = ImageWindows { arguments: &arguments.windows, stride: None, output_size: None };
    // What is wrong with the windows is said before a large image is decoded.
    windows.config(0.0, input)?;
    let picture = Picture::read_8_bit_rgb(input, arguments.reading.max_memory)?;
    let (config, note) = windows.config_for([picture.height, picture.width], 0.0, input)?;
    let cells = [0, 1].map(|axis| Cells::of(&config, axis));
    let original = picture.over_white();
    let original_luma = luma(&original.planes);
    let device = Device::choose("auto")?;
    let mut time = Duration::ZERO;
    let mut panels = Vec::new();
    for method in [Method::Soft, Method::Max, Method::Avg] {
        let (config, _) = windows.config_for([picture.height, picture.width], method.beta(None)?, input)?;
        picture
            .shape()?
            .pooled(&config)
            .map_err(|error| Failure::of_file(input, format_args!("{}: {error}", original.describe())))?;
        let start = Instant::now();
        let pooled = picture.pooled(&device, &config, linear)?.over_white();
        time += start.elapsed();
        let enlarged = enlarge(&pooled, &original, &cells);
        panels.push(Panel {
            method,
            ssim: ssim(&original_luma, &luma(&enlarged.planes), original.width, original.height),
            psnr: psnr(&original.planes, &enlarged.planes),
            pooled: pooled.to_rgb(),
            enlarged: enlarged.to_rgb(),
        });
    }

    let name = input.file_name().unwrap_or(input.as_os_str()).to_string_lossy();
    let in_light = if linear { ", in linear light" } else { "" };
    let pooling = sheet::Pooling {
        kernel: [config.kernel()[0], config.kernel()[1]],
        remarks: image_windows::beside_kernel(&config).replace('x', "\u{d7}") + in_light,
        cells: &cells,
    };
    let sheet = sheet::draw(&name, &original.to_rgb(), &pooling, &panels);
    output
        .stage(|file| format.write(&sheet, [sheet.width(), sheet.height()], ColorType::Rgb8, &original.colours, file))?
        .publish()?;
    let notes = note.map(|note| (input, note)).into_iter();
    for (path, note) in notes.chain(format.loss(&original.colours).map(|loss| (output_path, loss))) {
        let _ = writeln!(io::stderr(), "{}: {note}", path.display());
    }

    let mut report = format!(
        "{}: {}\n{}{in_light}\n\nmethod    SSIM       PSNR\n",
        input.display(),
        picture.describe(),
        image_windows::describe(&config),
    );
    for panel in &panels {
        let _ = writeln!(report, "{:<7} {:>6}  {:>7} dB", panel.method, panel.ssim_text(), panel.psnr_text());
    }
    let _ = write!(
        report,
        "\nSSIM of the luma (11x11 Gaussian window, sigma 1.5) and PSNR of RGB, both of the pooled image, enlarged by\n\
         bilinear interpolation, against the original\n\n{}: {}x{}\n{}",
        arguments.output.display(),
        sheet.width(),
        sheet.height(),
        ran_on(&device, time)
    );
    Ok(Report::beside(report, output.is_stdout()))
}

/// `pooled` at the size of `original`, by bilinear interpolation between the centres of the windows.
fn enlarge(pooled: &Picture, original: &Picture, [rows, columns]: &[Cells; 2]) -> Picture {
    let rows = interpolation(original.height, pooled.height, rows);
    let columns = interpolation(original.width, pooled.width, columns);
    let planes = pooled
        .planes
        .chunks_exact(pooled.width * pooled.height)
        .flat_map(|plane| {
            rows.iter().flat_map(|row| {
                let [above, below] = row.windows.map(|window| &plane[window * pooled.width..][..pooled.width]);
                columns.iter().map(move |column| {
                    let [above, below] =
                        [above, below].map(|line| column.between(line[column.windows[0]], line[column.windows[1]]));
                    row.between(above, below)
                })
            })
        })
        .collect();
    Picture { planes, colours: Colours::default(), ..*original }
}

/// The windows whose centres enclose a position along an axis.
struct Between {
    windows: [usize; 2],
    /// The second window's weight.
    weight: f32,
}

impl Between {
    fn between(&self, first: f32, second: f32) -> f32 {
        first + self.weight * (second - first)
    }
}

/// For each of `size` positions the windows around it, of `windows` windows. Positions beyond the outermost centres take
/// the outermost value.
fn interpolation(size: usize, windows: usize, cells: &Cells) -> Vec<Between> {
    let last = windows - 1;
    (0..size)
        .map(|position| {
            let place = ((position as f64 - cells.first_centre()) / cells.size as f64).clamp(0.0, last as f64);
            let first = place as usize;
            Between { windows: [first, last.min(first + 1)], weight: (place - first as f64) as f32 }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use softpool::SoftPoolConfig;

    use super::*;

    #[test]
    fn enlarged_averages_lie_on_the_slope_that_they_are_of() {
        let width = 60;
        let slope: Vec<f32> = (0..width).map(|position| position as f32 / 255.0).collect();
        let planes = slope.repeat(3);
        let original = Picture { width, height: 1, color: ColorType::Rgb8, planes, colours: Colours::default() };
        for (kernel, padding, dilation) in [(1, 0, 1), (3, 0, 1), (4, 0, 1), (4, 2, 1), (4, 0, 2), (3, 1, 3), (2, 1, 4)]
        {
            let builder = SoftPoolConfig::builder([1, kernel]).padding([0, padding]).dilation([1, dilation]);
            let config = builder.beta(0.0).build().unwrap();
            let cells = [0, 1].map(|axis| Cells::of(&config, axis));
            let pooled = original.pooled(&Device::Cpu, &config, false).unwrap();
            let enlarged = enlarge(&pooled, &original, &cells);
            // Windows at the edges may lack taps, and beyond the outermost centres there is nothing to lie between.
            let inside = 2 * kernel * dilation..width - 2 * kernel * dilation;
            for (enlarged, value) in enlarged.planes[inside.clone()].iter().zip(&slope[inside]) {
                let off = (enlarged - value).abs() * 255.0;
                assert!(off <= 0.51, "kernel {kernel}, padding {padding}, dilation {dilation}: {off} off {value}");
            }
        }
    }

    #[test]
    fn interpolation_is_exact_at_the_centres_and_clamped_beyond_them() {
        let values = [10.0, 20.0];
        let cells = Cells::of(&SoftPoolConfig::builder([1, 3]).build().unwrap(), 1);
        let interpolated: Vec<f32> = interpolation(7, 2, &cells)
            .iter()
            .map(|place| place.between(values[place.windows[0]], values[place.windows[1]]))
            .collect();
        let expected = [10.0, 10.0, 10.0 + 10.0 / 3.0, 20.0 - 10.0 / 3.0, 20.0, 20.0, 20.0];
        for (got, expected) in interpolated.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-5, "{interpolated:?}");
        }
    }
}
