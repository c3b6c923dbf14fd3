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
    BackwardTensors, ElementType, ForwardTensors, GpuContext, GpuSoftPool, GpuTensor, GradBetaTensors, JvpTensors,
    Plan, SecondBackwardTensors, Shape, SoftPoolConfig, TensorView, adapter_name, wgpu,
};

/// Time to spend on one case.
const CASE_BUDGET: Duration = Duration::from_secs(6);
const SAMPLES: usize = 21;

/// A pooling to measure.
#[derive(Clone, Copy)]
struct Case {
    shape: &'static [usize],
    windows: Windows,
    operation: Operation,
    storage: Storage,
}

#[derive(Clone, Copy)]
enum Windows {
    /// Kernel by axis, stride and padding.
    Fixed(&'static [usize], usize, usize),
    /// Output size by axis.
    Adaptive(&'static [usize]),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Forward,
    Backward,
    ForwardByChannel,
    GradBeta,
    Jvp,
    SecondBackward,
}

/// How x, y and their gradients are stored.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Storage {
    Plain,
    F16,
    Bf16,
    ChannelsLast,
    ChannelsLastF16,
}

const IMAGE: &[usize] = &[8, 64, 112, 112];
const K2: Windows = Windows::Fixed(&[2, 2], 2, 0);
const K3_S2: Windows = Windows::Fixed(&[3, 3], 2, 1);
const K3_S1: Windows = Windows::Fixed(&[3, 3], 1, 1);

/// Run forward and backward, in f32, contiguous.
const PLAIN: [(&[usize], Windows); 11] = [
    (IMAGE, K2),
    (IMAGE, K3_S2),
    (IMAGE, K3_S1),
    (&[2, 32, 16, 56, 56], Windows::Fixed(&[2, 2, 2], 2, 0)),
    (&[20, 32, 128, 128], K2),
    (&[20, 32, 128], Windows::Fixed(&[2], 2, 0)),
    (&[32, 256, 56, 56], Windows::Fixed(&[56, 56], 56, 0)),
    (&[8, 512, 7, 7], Windows::Fixed(&[7, 7], 7, 0)),
    (&[1, 256, 40, 40], Windows::Fixed(&[5, 5], 1, 2)),
    (&[1, 256, 40, 40], Windows::Fixed(&[9, 9], 1, 4)),
    (&[1, 256, 40, 40], Windows::Fixed(&[13, 13], 1, 6)),
];
/// A tensor so small that what one submission costs shows.
const SMALL: (&[usize], Windows) = (&[1, 64, 56, 56], K2);

/// Every other capability, beside the plain case of the same windows and direction.
fn further_cases() -> Vec<Case> {
    use Operation::{Backward, Forward, ForwardByChannel, GradBeta, Jvp, SecondBackward};
    use Storage::{Bf16, ChannelsLast, ChannelsLastF16, F16, Plain};
    let case = |windows, operation, storage| Case { shape: IMAGE, windows, operation, storage };
    let mut cases = Vec::new();
    for windows in [K2, K3_S2, K3_S1] {
        for storage in [F16, Bf16, ChannelsLast, ChannelsLastF16] {
            cases.extend([case(windows, Forward, storage), case(windows, Backward, storage)]);
        }
    }
    for windows in [Windows::Adaptive(&[7, 7]), Windows::Adaptive(&[50, 50])] {
        cases.extend([case(windows, Forward, Plain), case(windows, Backward, Plain)]);
    }
    for windows in [K2, K3_S1] {
        cases
            .extend([ForwardByChannel, GradBeta, Jvp, SecondBackward].map(|operation| case(windows, operation, Plain)));
    }
    cases
}

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
    /// The same windows and direction in f32, contiguous, in the same run.
    #[serde(skip_serializing_if = "Option::is_none")]
    plain_ms: Option<f64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let smoke = arguments.iter().any(|argument| argument == "--smoke");
    let filter = arguments.iter().find(|argument| !argument.starts_with("--"));

    let plain = PLAIN.iter().flat_map(|windows| [(windows, Operation::Forward), (windows, Operation::Backward)]);
    let plain = plain.chain([(&SMALL, Operation::Forward)]);
    let cases = plain.map(|(&(shape, windows), operation)| Case { shape, windows, operation, storage: Storage::Plain });
    let cases: Vec<Case> = cases.chain(further_cases()).collect();

    let bench = Bench::new()?;
    println!("{}, {}", adapter_name(&bench.context.adapter), bench.clock());
    println!(
        "{:<52} {:>10} {:>10} {:>7} {:>9} {:>9} {:>10}",
        "case", "median ms", "copy ms", "ratio", "to plain", "GB/s", "first ms"
    );
    let mut rows = Vec::new();
    for case in cases.iter().filter(|case| filter.is_none_or(|filter| case.name().contains(filter.as_str()))) {
        let (row, first) = bench.case(case, if smoke { 1 } else { SAMPLES })?;
        let bandwidth = row.bytes as f64 / row.median_ms / 1e6;
        println!(
            "{:<52} {:>10.3} {:>10.3} {:>7.2} {:>9} {:>9.2} {:>10.1}",
            row.case,
            row.median_ms,
            row.copy_ms,
            row.ratio,
            row.to_plain(),
            bandwidth,
            first
        );
        rows.push(row);
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

impl Row {
    /// The time as a multiple of the plain case's, if that is another.
    fn to_plain(&self) -> String {
        self.plain_ms.map_or(String::new(), |plain| format!("{:.2}", self.median_ms / plain))
    }
}

impl Case {
    /// "forward 8x64x112x112 k3 s2 p1 f16".
    fn name(&self) -> String {
        let joined = |sizes: &[usize]| sizes.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
        let windows = match self.windows {
            Windows::Fixed(kernel, stride, padding) => {
                let padding = if padding > 0 { format!(" p{padding}") } else { String::new() };
                format!("k{} s{stride}{padding}", kernel[0])
            }
            Windows::Adaptive(output) => format!("adaptive {}", joined(output)),
        };
        let operation = match self.operation {
            Operation::Forward => "forward",
            Operation::Backward => "backward",
            Operation::ForwardByChannel => "forward, beta by channel,",
            Operation::GradBeta => "gradient of beta",
            Operation::Jvp => "jvp",
            Operation::SecondBackward => "second backward",
        };
        let storage = match self.storage {
            Storage::Plain => "",
            Storage::F16 => " f16",
            Storage::Bf16 => " bf16",
            Storage::ChannelsLast => " channels-last",
            Storage::ChannelsLastF16 => " channels-last f16",
        };
        format!("{operation} {} {windows}{storage}", joined(self.shape))
    }

    fn is_forward(&self) -> bool {
        matches!(self.operation, Operation::Forward | Operation::ForwardByChannel | Operation::Jvp)
    }

    fn element_type(&self) -> ElementType {
        match self.storage {
            Storage::Plain | Storage::ChannelsLast => ElementType::F32,
            Storage::F16 | Storage::ChannelsLastF16 => ElementType::F16,
            Storage::Bf16 => ElementType::Bf16,
        }
    }

    /// What it is to be held against: the same windows in f32, contiguous, forward or backward.
    fn plain(&self) -> Option<Self> {
        let operation = if self.is_forward() { Operation::Forward } else { Operation::Backward };
        let other = self.operation != operation || self.storage != Storage::Plain;
        other.then_some(Self { operation, storage: Storage::Plain, ..*self })
    }
}

/// A case's tensors on the device, and its plan.
struct Prepared {
    x: GpuTensor,
    target: GpuTensor,
    plan: Plan,
    bytes: u64,
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

    fn prepare(&self, case: &Case) -> Result<Prepared, Box<dyn Error>> {
        let GpuContext { device, queue, .. } = &self.context;
        let config = match case.windows {
            Windows::Fixed(kernel, stride, padding) => {
                SoftPoolConfig::builder(kernel).stride([stride]).padding([padding]).build()?
            }
            Windows::Adaptive(output) => SoftPoolConfig::adaptive(output).build()?,
        };
        let shape = Shape::new(case.shape)?;
        let pooled = shape.pooled(&config)?;
        let tensor =
            |shape: Shape, data: &[f32]| GpuTensor::from_slice_as(device, queue, shape, case.element_type(), data);
        let x = tensor(shape, &values(shape.elements()))?;
        let g = tensor(pooled, &values(pooled.elements()))?;
        let y = tensor(pooled, &vec![0.0; pooled.elements()])?;
        let target = tensor(shape, &vec![0.0; shape.elements()])?;
        let channels_last = matches!(case.storage, Storage::ChannelsLast | Storage::ChannelsLastF16);
        let mut pool = GpuSoftPool::new(device, queue, config)?;
        let (x_view, g_view) = (strided(&x, channels_last)?, strided(&g, channels_last)?);
        let (y_view, target_view) = (strided(&y, channels_last)?, strided(&target, channels_last)?);
        let (of_x, of_y) = (x.view().bytes(), y.view().bytes());
        let (plan, bytes) = match case.operation {
            Operation::ForwardByChannel => {
                let channels = shape.channels();
                pool = pool.with_betas(&self.context.upload(Shape::new([channels])?, &vec![1.0; channels])?);
                (pool.plan_forward(ForwardTensors::new(x_view, y_view))?, of_x + of_y)
            }
            Operation::Forward => (pool.plan_forward(ForwardTensors::new(x_view, y_view))?, of_x + of_y),
            Operation::Backward => {
                (pool.plan_backward(BackwardTensors::new(x_view, g_view, target_view))?, 2 * of_x + of_y)
            }
            Operation::GradBeta => {
                let grad_beta = self.context.upload(Shape::new([1])?, &[0.0])?;
                let (input, grad_output) = (x_view, g_view);
                let tensors = GradBetaTensors { input, grad_output, grad_beta: grad_beta.view(), statistics: None };
                (pool.plan_grad_beta(tensors)?, of_x + of_y)
            }
            Operation::Jvp => {
                let tensors = JvpTensors { input: x_view, tangent: x_view, output: y_view, statistics: None };
                (pool.plan_jvp(tensors)?, 2 * of_x + of_y)
            }
            Operation::SecondBackward => {
                let tensors = SecondBackwardTensors {
                    input: x_view,
                    grad_output: g_view,
                    tangent: x_view,
                    grad_of_grad_output: Some(y_view),
                    grad_of_input: target_view,
                    statistics: None,
                };
                (pool.plan_second_backward(tensors)?, 3 * of_x + 2 * of_y)
            }
        };
        Ok(Prepared { x, target, plan, bytes })
    }

    /// The row of a case, and the milliseconds that its first call took, compilation and all.
    fn case(&self, case: &Case, samples: usize) -> Result<(Row, f64), Box<dyn Error>> {
        let start = Instant::now();
        let prepared = self.prepare(case)?;
        let pooling = |pass: &mut wgpu::ComputePass<'_>| prepared.plan.record(pass);
        self.time(&pooling)?;
        let first = start.elapsed().as_secs_f64() * 1e3;
        let copy = self.copy.prepare(&self.context.device, &prepared.x, &prepared.target);
        self.time(&copy)?;
        let plain = case.plain().map(|plain| self.prepare(&plain)).transpose()?;
        if let Some(plain) = &plain {
            self.time(&|pass| plain.plan.record(pass))?;
        }

        let (mut pooling_ms, mut copy_ms, mut plain_ms) = (Vec::new(), Vec::new(), Vec::new());
        let start = Instant::now();
        while pooling_ms.len() < samples && (pooling_ms.len() < 5 || start.elapsed() < CASE_BUDGET) {
            copy_ms.push(self.time(&copy)?);
            pooling_ms.push(self.time(&pooling)?);
            if let Some(plain) = &plain {
                plain_ms.push(self.time(&|pass| plain.plan.record(pass))?);
            }
        }
        let (median_ms, copy_ms) = (median(&mut pooling_ms), median(&mut copy_ms));
        let info = self.context.adapter.get_info();
        let row = Row {
            case: case.name(),
            direction: if case.is_forward() { "forward" } else { "backward" },
            median_ms,
            copy_ms,
            ratio: median_ms / copy_ms,
            bytes: prepared.bytes,
            adapter: info.name,
            backend: info.backend.to_string(),
            dtype: match case.element_type() {
                ElementType::F32 => "f32",
                ElementType::F16 => "f16",
                ElementType::Bf16 => "bf16",
            },
            plain_ms: plain.is_some().then(|| median(&mut plain_ms)),
        };
        Ok((row, first))
    }

    /// Writes JSON, table and chart to benches/results/, named after the device.
    fn write(&self, rows: &[Row]) -> Result<(), Box<dyn Error>> {
        let name = file_stem(&self.context.adapter);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/results");
        std::fs::create_dir_all(&folder)?;
        let named = |extension: &str| folder.join(format!("{name}.{extension}"));
        let mut table = format!(
            "# {}\n\nsoftpool {} at commit {}, {}. The ratio is to a kernel that copies the input, in the same run.\n\n",
            adapter_name(&self.context.adapter),
            env!("CARGO_PKG_VERSION"),
            commit(),
            self.clock()
        );
        table += "To plain: the time as a multiple of that of the same windows and direction in f32, contiguous.\n\n";
        table += "| case | median ms | copy ms | ratio | to plain | GB/s |\n|---|---|---|---|---|---|\n";
        for row in rows {
            let bandwidth = row.bytes as f64 / row.median_ms / 1e6;
            writeln!(
                table,
                "| {} | {:.3} | {:.3} | {:.2} | {} | {bandwidth:.2} |",
                row.case,
                row.median_ms,
                row.copy_ms,
                row.ratio,
                row.to_plain()
            )?;
        }
        std::fs::write(named("json"), serde_json::to_string_pretty(rows)? + "\n")?;
        std::fs::write(named("md"), table)?;
        chart(&named("svg"), rows, &adapter_name(&self.context.adapter))?;
        println!("wrote {}", named("{json,md,svg}").display());
        Ok(())
    }
}

/// A tensor of (N, C, H, W) whose channels are innermost, or any tensor as it is.
fn strided(tensor: &GpuTensor, channels_last: bool) -> softpool::Result<TensorView<'_>> {
    match *tensor.shape().dims() {
        [_, c, h, w] if channels_last => tensor.view().with_strides([c * h * w, 1, w * c, c]),
        _ => Ok(tensor.view()),
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
