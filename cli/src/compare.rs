//! `softpool compare`: soft, max and average pooling of an image, measured against it and drawn beside it.

use std::fmt::Write;
use std::time::{Duration, Instant};

use image::ColorType;
use softpool::SoftPoolConfig;

use crate::arguments::{CompareArguments, Method};
use crate::device::Device;
use crate::failure::{Failure, Result};
use crate::output_files::Output;
use crate::picture::{self, Format, Picture};
use crate::report::Report;
use crate::sheet::{self, Panel};
use crate::similarity::{luma, psnr, ssim};
use crate::tensor_commands::ran_on;

/// The spatial axes of an image.
const RANK: usize = 2;

/// Draws the picture.
pub fn run(arguments: &CompareArguments) -> Result<Report> {
    let input = &arguments.input;
    let format = Format::of(&arguments.output)?;
    let output = Output::check(&arguments.output)?;
    let kernel = arguments.kernel.by_axis("kernel", RANK, input)?;
    let original = Picture::read_opaque(input)?;
    let original_luma = luma(&original.planes);
    let device = Device::choose("auto")?;
    let mut time = Duration::ZERO;
    let mut panels = Vec::new();
    for method in [Method::Soft, Method::Max, Method::Avg] {
        let config = SoftPoolConfig::builder(&kernel).beta(method.beta(None)?).build()?;
        original
            .shape()?
            .pooled(&config)
            .map_err(|error| Failure::of_file(input, format_args!("{}: {error}", original.describe())))?;
        let start = Instant::now();
        let pooled = original.pooled(&device, &config)?;
        time += start.elapsed();
        let enlarged = enlarge(&pooled, &original, &kernel);
        panels.push(Panel {
            method,
            ssim: ssim(&original_luma, &luma(&enlarged.planes), original.width, original.height),
            psnr: psnr(&original.planes, &enlarged.planes),
            pooled: pooled.to_rgb(),
            enlarged: enlarged.to_rgb(),
        });
    }

    let name = input.file_name().unwrap_or(input.as_os_str()).to_string_lossy();
    let sheet = sheet::draw(&name, &original.to_rgb(), [kernel[0], kernel[1]], &panels);
    output
        .stage(|file| {
            picture::encode(
                &sheet,
                sheet.width(),
                sheet.height(),
                ColorType::Rgb8,
                original.icc_profile.as_deref(),
                format,
                file,
            )
        })?
        .publish()?;

    let mut report = format!(
        "{}: {}\nkernel and stride {}x{}\n\nmethod    SSIM       PSNR\n",
        input.display(),
        original.describe(),
        kernel[0],
        kernel[1],
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
fn enlarge(pooled: &Picture, original: &Picture, kernel: &[usize]) -> Picture {
    let rows = interpolation(original.height, pooled.height, kernel[0]);
    let columns = interpolation(original.width, pooled.width, kernel[1]);
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
    Picture { planes, icc_profile: None, ..*original }
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

/// For each of `size` positions the windows around it, of `windows` windows of `kernel` positions side by side.
/// Positions beyond the outermost centres take the outermost value.
fn interpolation(size: usize, windows: usize, kernel: usize) -> Vec<Between> {
    let last = windows - 1;
    (0..size)
        .map(|position| {
            // The centre of window w is at position w kernel + (kernel - 1) / 2.
            let place = ((position as f64 - (kernel - 1) as f64 / 2.0) / kernel as f64).clamp(0.0, last as f64);
            let first = place as usize;
            Between { windows: [first, last.min(first + 1)], weight: (place - first as f64) as f32 }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpolation_is_exact_at_the_centres_and_clamped_beyond_them() {
        let values = [10.0, 20.0];
        let interpolated: Vec<f32> = interpolation(7, 2, 3)
            .iter()
            .map(|place| place.between(values[place.windows[0]], values[place.windows[1]]))
            .collect();
        let expected = [10.0, 10.0, 10.0 + 10.0 / 3.0, 20.0 - 10.0 / 3.0, 20.0, 20.0, 20.0];
        for (got, expected) in interpolated.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-5, "{interpolated:?}");
        }
    }
}
