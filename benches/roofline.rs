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
//! or of the device's own timestamps where it has them and they agree.

mod measure;

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use measure::{Copy, commit, file_stem, median, values};
use plotters::prelude::*;
use serde::Serialize;
use softpool::{
    BackwardTensors, ForwardTensors, GpuContext, GpuSoftPool, Plan, Shape, SoftPoolConfig, adapter_name, wgpu,
};

/// Time to spend on one case.
const CASE_BUDGET: Duration = Duration::from_secs(6);
const SAMPLES: usize = 21;

/// Shape, kernel, stride and padding of a case; each is run forward and backward.
type Geometry = (&'static [usize], &'static [usize], usize, usize);

const GEOMETRIES: [Geometry; 10] = [
    (&[8, 64, 112, 112], &[2, 2], 2, 0),
    (&[8, 64, 112, 112], &[3, 3], 2, 1),
    (&[8, 64, 112, 112], &[3, 3], 1, 1),
    (&[2, 32, 16, 56, 56], &[2, 2, 2], 2, 0),
    (&[20, 32, 128, 128], &[2, 2], 2, 0),
    (&[20, 32, 128], &[2], 2, 0),
    (&[32, 256, 56, 56], &[56, 56], 56, 0),
    (&[1, 256, 40, 40], &[5, 5], 1, 2),
    (&[1, 256, 40, 40], &[9, 9], 1, 4),
    (&[1, 256, 40, 40], &[13, 13], 1, 6),
];
/// A tensor so small that what one submission costs shows.
const SMALL: Geometry = (&[1, 64, 56, 56], &[2, 2], 2, 0);

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
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let smoke = arguments.iter().any(|argument| argument == "--smoke");
    let filter = arguments.iter().find(|argument| !argument.starts_with("--"));

    let bench = Bench::new()?;
    println!("{}, {}", adapter_name(&bench.context.adapter), bench.clock());
    println!("{:<38} {:>10} {:>10} {:>7} {:>9} {:>10}", "case", "median ms", "copy ms", "ratio", "GB/s", "first ms");
    let mut rows = Vec::new();
    for (geometry, directions) in
        GEOMETRIES.iter().map(|geometry| (geometry, &["forward", "backward"][..])).chain([(&SMALL, &["forward"][..])])
    {
        for direction in directions {
            let name = case_name(direction, geometry);
            if filter.is_none_or(|filter| name.contains(filter.as_str())) {
                let samples = if smoke { 1 } else { SAMPLES };
                let (row, first) = bench.case(name, direction, geometry, samples)?;
                let bandwidth = row.bytes as f64 / row.median_ms / 1e6;
                println!(
                    "{:<38} {:>10.3} {:>10.3} {:>7.2} {:>9.2} {:>10.1}",
                    row.case, row.median_ms, row.copy_ms, row.ratio, bandwidth, first
                );
                rows.push(row);
            }
        }
    }
    if !smoke {
        if let Some(file) = std::env::var_os("SOFTPOOL_BENCH_JSON") {
            std::fs::write(file, serde_json::to_string_pretty(&rows)?)?;
        }
        if filter.is_none() {
            bench.write(&rows)?;
        }
    }
    Ok(())
}

/// "forward 8x64x112x112 k3 s2 p1".
fn case_name(direction: &str, (shape, kernel, stride, padding): &Geometry) -> String {
    let shape: Vec<String> = shape.iter().map(usize::to_string).collect();
    let padding = if *padding > 0 { format!(" p{padding}") } else { String::new() };
    format!("{direction} {} k{} s{stride}{padding}", shape.join("x"), kernel[0])
}

struct Bench {
    context: GpuContext,
    copy: Copy,
    /// Where the device writes its timestamps, and what one tick is in nanoseconds.
    timestamps: Option<(wgpu::QuerySet, f64)>,
}

impl Bench {
    fn new() -> Result<Self, Box<dyn Error>> {
        let GpuContext { adapter, .. } = GpuContext::new_blocking()?;
        let timed = adapter.features() & wgpu::Features::TIMESTAMP_QUERY;
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("bench"),
            required_features: timed,
            required_limits: adapter.limits(),
            ..Default::default()
        }))?;
        let copy = Copy::new(&device);
        let mut bench = Self { context: GpuContext { adapter, device, queue }, copy, timestamps: None };
        if !timed.is_empty() {
            let queries = bench.context.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("bench"),
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            });
            bench.timestamps = Some((queries, f64::from(bench.context.queue.get_timestamp_period())));
            if !bench.timestamps_agree()? {
                bench.timestamps = None;
            }
        }
        Ok(bench)
    }

    fn clock(&self) -> &'static str {
        if self.timestamps.is_some() {
            "by the device's timestamps"
        } else {
            "by the clock, from submission to completion"
        }
    }

    /// Whether timestamps of a large copy are most of what the clock says, and no more than all of it.
    fn timestamps_agree(&self) -> Result<bool, Box<dyn Error>> {
        let shape = Shape::new([1, 1, 1 << 24])?;
        let zeros = vec![0.0; shape.elements()];
        let (source, target) = (self.context.upload(shape, &zeros)?, self.context.upload(shape, &zeros)?);
        let copy = self.copy.prepare(&self.context.device, &source, &target);
        let mut agree = 0;
        for _ in 0..5 {
            let start = Instant::now();
            let device = self.time(&copy)?;
            let ratio = device / (start.elapsed().as_secs_f64() * 1e3);
            agree += usize::from((0.2..=1.0).contains(&ratio));
        }
        Ok(agree >= 4)
    }

    /// Milliseconds of what `record` records.
    fn time(&self, record: &dyn Fn(&mut wgpu::ComputePass<'_>)) -> Result<f64, Box<dyn Error>> {
        let GpuContext { device, queue, .. } = &self.context;
        let mut encoder = device.create_command_encoder(&Default::default());
        {
            let timestamp_writes = self.timestamps.as_ref().map(|(query_set, _)| wgpu::ComputePassTimestampWrites {
                query_set,
                beginning_of_pass_write_index: Some(0),
                end_of_pass_write_index: Some(1),
            });
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes });
            record(&mut pass);
        }
        let read = self.timestamps.as_ref().map(|(query_set, period)| {
            let buffer = |usage| {
                device.create_buffer(&wgpu::BufferDescriptor {
                    label: None,
                    size: 16,
                    usage,
                    mapped_at_creation: false,
                })
            };
            let resolved = buffer(wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC);
            let mapped = buffer(wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST);
            encoder.resolve_query_set(query_set, 0..2, &resolved, 0);
            encoder.copy_buffer_to_buffer(&resolved, 0, &mapped, 0, 16);
            (mapped, *period)
        });
        let commands = encoder.finish();
        let start = Instant::now();
        queue.submit([commands]);
        device.poll(wgpu::PollType::wait_indefinitely())?;
        let elapsed = start.elapsed().as_secs_f64() * 1e3;
        let Some((mapped, period)) = read else { return Ok(elapsed) };
        mapped.map_async(wgpu::MapMode::Read, .., |_| ());
        device.poll(wgpu::PollType::wait_indefinitely())?;
        let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(&mapped.get_mapped_range(..)?);
        Ok(ticks[1].wrapping_sub(ticks[0]) as f64 * period / 1e6)
    }

    /// The row of a case, and the milliseconds that its first call took, compilation and all.
    fn case(
        &self,
        name: String,
        direction: &'static str,
        (shape, kernel, stride, padding): &Geometry,
        samples: usize,
    ) -> Result<(Row, f64), Box<dyn Error>> {
        let config = SoftPoolConfig::builder(kernel).stride([*stride]).padding([*padding]).build()?;
        let shape = Shape::new(shape)?;
        let pooled = shape.pooled(&config)?;
        let x = self.context.upload(shape, &values(shape.elements()))?;
        let g = self.context.upload(pooled, &values(pooled.elements()))?;
        let y = self.context.upload(pooled, &vec![0.0; pooled.elements()])?;
        let grad_input = self.context.upload(shape, &vec![0.0; shape.elements()])?;
        let pool = GpuSoftPool::new(&self.context.device, &self.context.queue, config)?;

        let start = Instant::now();
        let plan: Plan = match direction {
            "forward" => pool.plan_forward(ForwardTensors::new(&x, &y))?,
            _ => pool.plan_backward(BackwardTensors::new(&x, &g, &grad_input))?,
        };
        let pooling = |pass: &mut wgpu::ComputePass<'_>| plan.record(pass);
        self.time(&pooling)?;
        let first = start.elapsed().as_secs_f64() * 1e3;
        let copy = self.copy.prepare(&self.context.device, &x, &grad_input);
        self.time(&copy)?;

        let (mut pooling_ms, mut copy_ms) = (Vec::new(), Vec::new());
        let start = Instant::now();
        while pooling_ms.len() < samples && (pooling_ms.len() < 5 || start.elapsed() < CASE_BUDGET) {
            copy_ms.push(self.time(&copy)?);
            pooling_ms.push(self.time(&pooling)?);
        }
        let (median_ms, copy_ms) = (median(&mut pooling_ms), median(&mut copy_ms));
        let tensors = match direction {
            "forward" => shape.elements() + pooled.elements(),
            _ => 2 * shape.elements() + pooled.elements(),
        };
        let info = self.context.adapter.get_info();
        let row = Row {
            case: name,
            direction,
            median_ms,
            copy_ms,
            ratio: median_ms / copy_ms,
            bytes: tensors as u64 * 4,
            adapter: info.name,
            backend: info.backend.to_string(),
            dtype: "f32",
        };
        Ok((row, first))
    }

    /// Writes JSON, table and chart to benches/results/, named after the device.
    fn write(&self, rows: &[Row]) -> Result<(), Box<dyn Error>> {
        let name = file_stem(&self.context.adapter);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/results");
        std::fs::create_dir_all(&folder)?;
        let named = |extension: &str| folder.join(format!("{name}.{extension}"));
        std::fs::write(named("json"), serde_json::to_string_pretty(rows)? + "\n")?;

        let mut table = format!(
            "# {}\n\nsoftpool {} at commit {}, {}. The ratio is to a kernel that copies the input, in the same run.\n\n",
            adapter_name(&self.context.adapter),
            env!("CARGO_PKG_VERSION"),
            commit(),
            self.clock()
        );
        table += "| case | median ms | copy ms | ratio | GB/s |\n|---|---|---|---|---|\n";
        for row in rows {
            let bandwidth = row.bytes as f64 / row.median_ms / 1e6;
            writeln!(
                table,
                "| {} | {:.3} | {:.3} | {:.2} | {bandwidth:.2} |",
                row.case, row.median_ms, row.copy_ms, row.ratio
            )?;
        }
        std::fs::write(named("md"), table)?;
        chart(&named("svg"), rows, &adapter_name(&self.context.adapter))?;
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
        .y_label_area_size(310)
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
