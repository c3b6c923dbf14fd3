//! `softpool forward` and `softpool backward`: a tensor file in, a tensor file out.

use std::path::Path;
use std::time::{Duration, Instant};

use softpool::{GradientRule, Shape, SoftPoolConfig};

use crate::arguments::{BackwardArguments, ForwardArguments};
use crate::device::Device;
use crate::failure::{Failure, Result};
use crate::output_files::Output;
use crate::{pooling, tensor_files};

/// Pools the input; what to print.
pub fn forward(arguments: &ForwardArguments) -> Result<String> {
    let output = Output::check(&arguments.output)?;
    let lse_output = arguments.lse.as_deref().map(Output::check).transpose()?;
    if lse_output.as_ref().is_some_and(|lse| lse.is(&output)) {
        return Err(Failure::of_file(&arguments.output, "is both --output and --lse: give two files"));
    }
    let x = tensor_files::read(&arguments.input)?;
    let config = arguments.window.config(x.shape.spatial().len(), GradientRule::default(), &arguments.input)?;
    pooled_shape(&x.shape, &config, &arguments.input)?;

    let device = Device::choose(&arguments.device.device)?;
    let start = Instant::now();
    let pooled = pooling::forward(&device, &config, &x.shape, &x.values, lse_output.is_some())?;
    let time = start.elapsed();

    // All files are complete before the first takes its place.
    let mut staged = vec![output.stage(|file| tensor_files::write(&pooled.shape, &pooled.y, file))?];
    let mut report = written(&arguments.output, &pooled.shape);
    if let (Some(output), Some(path), Some(lse)) = (&lse_output, &arguments.lse, &pooled.lse) {
        staged.push(output.stage(|file| tensor_files::write(&pooled.shape, lse, file))?);
        report += &written(path, &pooled.shape);
    }
    for file in staged {
        file.publish()?;
    }
    Ok(report + &ran_on(&device, time))
}

/// Computes the gradient of the input; what to print.
pub fn backward(arguments: &BackwardArguments) -> Result<String> {
    let output = Output::check(&arguments.output)?;
    let x = tensor_files::read(&arguments.input)?;
    let config = arguments.window.config(x.shape.spatial().len(), arguments.rule.into(), &arguments.input)?;
    let expected = pooled_shape(&x.shape, &config, &arguments.input)?;
    let grad_output = tensor_files::read(&arguments.grad_output)?;
    if grad_output.shape != expected {
        return Err(Failure::of_file(
            &arguments.grad_output,
            format_args!(
                "its shape is {}, but {} of shape {} is pooled to {expected}: give a gradient of that shape",
                grad_output.shape,
                arguments.input.display(),
                x.shape
            ),
        ));
    }

    let device = Device::choose(&arguments.device.device)?;
    let start = Instant::now();
    let grad_input = pooling::backward(&device, &config, &x.shape, &x.values, &grad_output.values)?;
    let time = start.elapsed();

    output.stage(|file| tensor_files::write(&x.shape, &grad_input, file))?.publish()?;
    Ok(written(&arguments.output, &x.shape) + &ran_on(&device, time))
}

/// The shape of the pooling of `path`'s tensor.
fn pooled_shape(shape: &Shape, config: &SoftPoolConfig, path: &Path) -> Result<Shape> {
    shape.pooled(config).map_err(|error| Failure::of_file(path, format_args!("shape {shape}: {error}")))
}

fn written(path: &Path, shape: &Shape) -> String {
    format!("{}: float32 {shape}\n", path.display())
}

/// The line that says where and how fast a pooling ran.
pub fn ran_on(device: &Device, time: Duration) -> String {
    let part = if device.is_gpu() { ", with transfers and compiling the kernels," } else { "" };
    format!("{:.1} ms{part} on {}\n", time.as_secs_f64() * 1e3, device.name())
}
