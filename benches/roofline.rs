//! Every case against the roofline: a kernel that copies the same input, interleaved in the same run.
//!
//! ```sh
//! cargo bench --bench roofline             # all cases
//! cargo bench --bench roofline -- k3       # those whose name contains "k3"
//! cargo bench --bench roofline -- --smoke  # one sample of each, nothing written
//! ```
//!
//! `SOFTPOOL_ADAPTER` and `WGPU_BACKEND` choose the device. Writes a table, a chart and JSON to benches/results/, and the
//! JSON to `SOFTPOOL_BENCH_JSON` as well, if that names a file. Times are medians of the time from submission to completion,
//! or of the device's own timestamps where it has them and they agree. "First ms" is from a kernel's text to its first result,
//! without the driver's cache of shaders on disk: for that the bench runs itself again in an environment that turns it off.

mod cases;
mod device;
mod measure;

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use cases::Case;
use device::Bench;
use measure::{commit, file_stem, median};
use plotters::prelude::*;
use serde::Serialize;
use softpool::{ElementType, PipelineCache, adapter_name, wgpu};

/// Time to spend on one case.
const CASE_BUDGET: Duration = Duration::from_secs(6);
const SAMPLES: usize = 21;
/// Turn drivers' caches on disk off, Mesa's and NVIDIA's, where they are set before the driver is loaded.
const WITHOUT_CACHE: [(&str, &str); 2] = [("MESA_SHADER_CACHE_DISABLE", "true"), ("__GL_SHADER_DISK_CACHE", "0")];

/// One row of the results.
#[derive(Serialize)]
struct Row {
    case: String,
    direction: &'static str,
    median_ms: f64,
    copy_ms: f64,
    ratio: f64,
    /// Each input read once, each output written once.
    bytes: u64,
    adapter: String,
    backend: String,
    dtype: &'static str,
    /// From the kernel's text to the first result, compilation and all.
    first_ms: f64,
    /// The same windows and direction in f32, contiguous, of normal values, in the same run.
    #[serde(skip_serializing_if = "Option::is_none")]
    plain_ms: Option<f64>,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if WITHOUT_CACHE.iter().any(|(variable, _)| std::env::var_os(variable).is_none()) {
        // What a host has set stands. A process can't change its own environment safely.
        let unset = WITHOUT_CACHE.iter().filter(|(variable, _)| std::env::var_os(variable).is_none());
        let status = Command::new(std::env::current_exe()?).args(arguments).envs(unset.copied()).status()?;
        return Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let smoke = arguments.iter().any(|argument| argument == "--smoke");
    let filter = arguments.iter().find(|argument| !argument.starts_with("--"));

    let mut cases = cases::all();
    cases.retain(|case| !smoke || case.is_of_smoke());
    let roofline = Roofline::new()?;
    println!("{}, {}", adapter_name(&roofline.bench.context.adapter), roofline.bench.clock());
    let set = WITHOUT_CACHE.map(|(variable, _)| format!("{variable}={}", std::env::var(variable).unwrap_or_default()));
    println!("first ms: from text to result, with {}", set.join(" and "));
    println!(
        "{:<52} {:>10} {:>10} {:>7} {:>9} {:>9} {:>10}",
        "case", "median ms", "copy ms", "ratio", "to plain", "GB/s", "first ms"
    );
    let mut rows = Vec::new();
    for case in cases.iter().filter(|case| filter.is_none_or(|filter| case.name().contains(filter.as_str()))) {
        let row = roofline.case(case, if smoke { 1 } else { SAMPLES })?;
        let bandwidth = row.bytes as f64 / row.median_ms / 1e6;
        println!(
            "{:<52} {:>10.3} {:>10.3} {:>7.2} {:>9} {:>9.2} {:>10.1}",
            row.case,
            row.median_ms,
            row.copy_ms,
            row.ratio,
            row.to_plain(),
            bandwidth,
            row.first_ms
        );
        rows.push(row);
    }
    if !smoke {
        if let Some(file) = std::env::var_os("SOFTPOOL_BENCH_JSON") {
            std::fs::write(file, serde_json::to_string_pretty(&rows)?)?;
        }
        if filter.is_none() {
            roofline.write(&rows)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Row {
    /// The time as a multiple of the plain case's, if that is another.
    fn to_plain(&self) -> String {
        self.plain_ms.map_or(String::new(), |plain| format!("{:.2}", self.median_ms / plain))
    }
}

/// A device, and the kernels of plain cases, which many cases are held against: compiled once.
struct Roofline {
    bench: Bench,
    plain: PipelineCache,
}

impl Roofline {
    fn new() -> Result<Self, Box<dyn Error>> {
        let bench = Bench::new()?;
        let plain = PipelineCache::new(&bench.context.device);
        Ok(Self { bench, plain })
    }

    fn case(&self, case: &Case, samples: usize) -> Result<Row, Box<dyn Error>> {
        let bench = &self.bench;
        let tensors = bench.tensors(case)?;
        let start = Instant::now();
        let (plan, bytes) = bench.plan(case, &tensors, &PipelineCache::new(&bench.context.device), None)?;
        let pooling = |pass: &mut wgpu::ComputePass<'_>| plan.record(pass);
        bench.time(&pooling)?;
        let first_ms = start.elapsed().as_secs_f64() * 1e3;
        let copy = bench.copy(&tensors.x, &tensors.target);
        bench.time(&copy)?;
        let plain = match case.plain() {
            Some(plain) => {
                let tensors = bench.tensors(&plain)?;
                Some(bench.plan(&plain, &tensors, &self.plain, None)?.0)
            }
            None => None,
        };
        if let Some(plain) = &plain {
            bench.time(&|pass| plain.record(pass))?;
        }

        let (mut pooling_ms, mut copy_ms, mut plain_ms) = (Vec::new(), Vec::new(), Vec::new());
        let start = Instant::now();
        // Five samples at least, unless they take twice the time to spend.
        let budget = |taken: usize| if taken < 5 { 2 * CASE_BUDGET } else { CASE_BUDGET };
        let wanted = |taken: usize| taken == 0 || taken < samples && start.elapsed() < budget(taken);
        while wanted(pooling_ms.len()) {
            copy_ms.push(bench.time(&copy)?);
            pooling_ms.push(bench.time(&pooling)?);
            if let Some(plain) = &plain {
                plain_ms.push(bench.time(&|pass| plain.record(pass))?);
            }
        }
        let (median_ms, copy_ms) = (median(&mut pooling_ms), median(&mut copy_ms));
        let info = bench.context.adapter.get_info();
        let row = Row {
            case: case.name(),
            direction: if case.is_forward() { "forward" } else { "backward" },
            median_ms,
            copy_ms,
            ratio: median_ms / copy_ms,
            bytes,
            adapter: info.name,
            backend: info.backend.to_string(),
            dtype: match case.element_type() {
                ElementType::F32 => "f32",
                ElementType::F16 => "f16",
                ElementType::Bf16 => "bf16",
            },
            first_ms,
            plain_ms: plain.is_some().then(|| median(&mut plain_ms)),
        };
        Ok(row)
    }

    /// Writes JSON, table and chart to benches/results/, named after the device.
    fn write(&self, rows: &[Row]) -> Result<(), Box<dyn Error>> {
        let adapter = &self.bench.context.adapter;
        let name = file_stem(adapter);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/results");
        std::fs::create_dir_all(&folder)?;
        let named = |extension: &str| folder.join(format!("{name}.{extension}"));
        let mut table = format!(
            "# {}\n\nsoftpool {} at commit {}, {}. The ratio is to a kernel that copies the input, in the same run.\n\n",
            adapter_name(adapter),
            env!("CARGO_PKG_VERSION"),
            commit(),
            self.bench.clock()
        );
        table += "To plain: the time as a multiple of that of the same windows and direction in f32, contiguous, of normal \
                  values. First ms: from the kernel's text to its first result, without the driver's cache of shaders.\n\n";
        table += "| case | median ms | copy ms | ratio | to plain | GB/s | first ms |\n|---|---|---|---|---|---|---|\n";
        for row in rows {
            let bandwidth = row.bytes as f64 / row.median_ms / 1e6;
            writeln!(
                table,
                "| {} | {:.3} | {:.3} | {:.2} | {} | {bandwidth:.2} | {:.1} |",
                row.case,
                row.median_ms,
                row.copy_ms,
                row.ratio,
                row.to_plain(),
                row.first_ms
            )?;
        }
        std::fs::write(named("json"), serde_json::to_string_pretty(rows)? + "\n")?;
        std::fs::write(named("md"), table)?;
        chart(&named("svg"), rows, &adapter_name(adapter))?;
        println!("wrote {}", named("{json,md,svg}").display());
        Ok(())
    }
}

/// Bars of each case's ratio, on a logarithmic axis, with the roofline at 1.
fn chart(file: &Path, rows: &[Row], title: &str) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(file, (1000, 110 + 26 * rows.len() as u32)).into_drawing_area();
    root.fill(&WHITE)?;
    let longest = rows.iter().map(|row| row.ratio).fold(10.0, f64::max);
    let mut chart = ChartBuilder::on(&root)
        .caption(format!("Time as a multiple of a copy's: {title}"), ("sans-serif", 16))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(350)
        .build_cartesian_2d((0.4..longest * 1.3).log_scale(), (0..rows.len()).into_segmented())?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .y_labels(rows.len())
        .y_label_style(("sans-serif", 13))
        .y_label_formatter(&|segment| match segment {
            SegmentValue::CenterOf(index) => {
                rows.get(rows.len().wrapping_sub(1 + index)).map_or(String::new(), |row| row.case.clone())
            }
            _ => String::new(),
        })
        .x_desc("ratio (1 = the copy kernel)")
        .draw()?;
    chart.draw_series(rows.iter().rev().enumerate().map(|(index, row)| {
        let color = if row.direction == "forward" { RGBColor(46, 110, 166) } else { RGBColor(217, 119, 66) };
        let corners = [(0.4, SegmentValue::Exact(index)), (row.ratio, SegmentValue::Exact(index + 1))];
        let mut bar = Rectangle::new(corners, color.filled());
        bar.set_margin(4, 4, 0, 0);
        bar
    }))?;
    chart.draw_series(rows.iter().rev().enumerate().map(|(index, row)| {
        Text::new(format!("{:.2}", row.ratio), (row.ratio * 1.03, SegmentValue::CenterOf(index)), ("sans-serif", 12))
    }))?;
    chart.draw_series(LineSeries::new(
        [(1.0, SegmentValue::Exact(0)), (1.0, SegmentValue::Exact(rows.len()))],
        BLACK.stroke_width(1),
    ))?;
    root.present()?;
    Ok(())
}
