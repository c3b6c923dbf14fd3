//! `softpool forward` and `softpool backward`: a tensor file in, a tensor file out.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use softpool::{ElementType, GradientRule, Shape, SoftPoolConfig};

use crate::arguments::{BackwardArguments, ForwardArguments, PoolingArguments};
use crate::device::Device;
use crate::dtype;
use crate::failure::{Failure, Result};
use crate::input_files;
use crate::output_files::{Output, Staged};
use crate::pooling::Pooling;
use crate::report::Report;
use crate::tensor_files::{self, Source, Tensor};

/// Pools the input.
pub fn forward(arguments: &ForwardArguments) -> Result<Report> {
    let output = Output::check(&arguments.output)?;
    let lse_output = second_output(&output, "lse", arguments.lse.as_deref())?;
    input_files::check_stdin_once(stdin_candidates(&arguments.input, &arguments.pooling))?;
    let problem = Problem::read(&arguments.input, &arguments.pooling, GradientRule::default())?;
    let x = &problem.x;

    let device = Device::choose(&arguments.pooling.device.device)?;
    let start = Instant::now();
    let pooled = problem.pooling(&device).forward(&x.shape, &x.values, lse_output.is_some())?;
    let time = start.elapsed();

    let mut files = Files::default();
    files.stage(&output, &arguments.output, &pooled.shape, x.element_type, &pooled.y)?;
    if let (Some((output, path)), Some(lse)) = (&lse_output, &pooled.lse) {
        files.stage(output, path, &pooled.shape, ElementType::F32, lse)?;
    }
    let report = files.publish()?;
    let stdout_is_taken = output.is_stdout() || lse_output.is_some_and(|(output, _)| output.is_stdout());
    Ok(Report::beside(report + &ran_on(&device, time), stdout_is_taken))
}

/// Computes the gradient of the input.
pub fn backward(arguments: &BackwardArguments) -> Result<Report> {
    let output = Output::check(&arguments.output)?;
    let beta_path = arguments.grad_beta.as_ref().and_then(Option::as_deref);
    let beta_output = second_output(&output, "grad-beta", beta_path)?;
    let grad_output = [("--grad-output", &*arguments.grad_output)];
    input_files::check_stdin_once(stdin_candidates(&arguments.input, &arguments.pooling).chain(grad_output))?;
    let problem = Problem::read(&arguments.input, &arguments.pooling, arguments.rule.into())?;
    let x = &problem.x;
    let array = arguments.grad_array.as_deref();
    let grad_output =
        Source { path: &arguments.grad_output, array, option: "--grad-array" }.read(Some(x.element_type))?;
    if grad_output.shape != problem.pooled {
        return Err(Failure::of_file(
            &arguments.grad_output,
            format_args!(
                "its shape is {}, but {} of shape {} is pooled to {}: give a gradient of that shape",
                grad_output.shape,
                arguments.input.display(),
                x.shape,
                problem.pooled
            ),
        ));
    }

    let device = Device::choose(&arguments.pooling.device.device)?;
    let with_beta = arguments.grad_beta.is_some();
    let start = Instant::now();
    let gradients = problem.pooling(&device).backward(&x.shape, &x.values, &grad_output.values, with_beta)?;
    let time = start.elapsed();

    let mut files = Files::default();
    files.stage(&output, &arguments.output, &x.shape, x.element_type, &gradients.input)?;
    let mut printed = String::new();
    match (&beta_output, &gradients.beta) {
        (Some((output, path)), Some(beta)) => {
            files.stage(output, path, &Shape::new([beta.len()])?, ElementType::F32, beta)?;
        }
        (None, Some(beta)) => printed = format!("grad_beta: {}\n", comma_list(beta)),
        (_, None) => {}
    }
    let report = files.publish()? + &printed + &ran_on(&device, time);
    let stdout_is_taken = output.is_stdout() || beta_output.is_some_and(|(output, _)| output.is_stdout());
    Ok(Report::beside(report, stdout_is_taken))
}

/// The inputs of both commands that may be standard input.
fn stdin_candidates<'a>(
    input: &'a Path,
    arguments: &'a PoolingArguments,
) -> impl Iterator<Item = (&'static str, &'a Path)> {
    let betas = arguments.betas.channel_betas.as_deref();
    [("--input", input)].into_iter().chain(betas.map(|path| ("--channel-betas", path)))
}

/// A tensor and how to pool it, as the arguments and files say.
struct Problem {
    x: Tensor,
    pooled: Shape,
    config: SoftPoolConfig,
    betas: Option<Vec<f32>>,
}

impl Problem {
    fn read(input: &Path, arguments: &PoolingArguments, rule: GradientRule) -> Result<Self> {
        let source = Source { path: input, array: arguments.array.as_deref(), option: "--array" };
        let mut x = source.read(arguments.dtype.map(ElementType::from))?;
        let rank = arguments.windows.rank(&x.shape, input)?;
        x.shape = x.shape.of_rank(rank)?;
        let config = arguments.windows.config(rank, arguments.betas.beta, rule, input)?;
        let pooled = x.shape.pooled(&config);
        let pooled = pooled.map_err(|error| Failure::of_file(input, format_args!("shape {}: {error}", x.shape)))?;
        let betas = arguments.betas.by_channel(&x.shape, input)?;
        Ok(Self { x, pooled, config, betas })
    }

    fn pooling<'a>(&'a self, device: &'a Device) -> Pooling<'a> {
        let element_type = self.x.element_type;
        Pooling { device, config: &self.config, betas: self.betas.as_deref(), element_type }
    }
}

/// Output files that wait until all are complete, and what there is to say of them.
#[derive(Default)]
struct Files<'a> {
    staged: Vec<Staged<'a>>,
    report: String,
    notes: Vec<String>,
}

impl<'a> Files<'a> {
    fn stage(
        &mut self,
        output: &'a Output,
        path: &Path,
        shape: &Shape,
        element_type: ElementType,
        values: &[f32],
    ) -> Result<()> {
        self.staged.push(output.stage(|file| tensor_files::write(shape, element_type, values, file))?);
        let _ = writeln!(self.report, "{}: {element_type} {shape}", path.display());
        self.notes.extend(dtype::reading_note(element_type, path));
        Ok(())
    }

    /// Puts all files in place, those last that replace others at once: what can fail late must not leave one of two.
    fn publish(self) -> Result<String> {
        let (streams, files): (Vec<_>, Vec<_>) = self.staged.into_iter().partition(Staged::is_stream);
        for output in streams.into_iter().chain(files) {
            output.publish()?;
        }
        for note in self.notes {
            let _ = writeln!(io::stderr(), "{note}");
        }
        Ok(self.report)
    }
}

/// The output that `--name` gives beside `--output`, if it does.
fn second_output<'a>(output: &Output, name: &str, path: Option<&'a Path>) -> Result<Option<(Output, &'a Path)>> {
    let Some(path) = path else { return Ok(None) };
    let second = Output::check(path)?;
    if second.is(output) {
        return Err(Failure::of_file(path, format_args!("is both --output and --{name}: give two files")));
    }
    Ok(Some((second, path)))
}

/// Values of as many digits as tell them from all others.
fn comma_list(values: &[f32]) -> String {
    values.iter().map(|value| format!("{value:e}")).collect::<Vec<_>>().join(",")
}

/// The line that says where and how fast a pooling ran.
pub fn ran_on(device: &Device, time: Duration) -> String {
    let part = if device.is_gpu() { ", with transfers and compiling the kernels," } else { "" };
    format!("{:.1} ms{part} on {}\n", time.as_secs_f64() * 1e3, device.name())
}
