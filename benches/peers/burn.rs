//! softpool beside Burn's own pooling: the same inputs on the same wgpu device, interleaved in one run.
//!
//! ```sh
//! cargo bench -p softpool-peers
//! ```
//!
//! Times are medians of the clock's, from submission to completion. Burn runs with fusion; its pass forward and back goes
//! through autodiff, from the sum of the result. softpool is called directly, by plans. Writes a table and JSON to
//! benches/results/.

#[path = "../measure/mod.rs"]
mod measure;

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use burn::tensor::module::{avg_pool2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};
use burn::tensor::wgpu::WgpuSetup;
use burn::tensor::{Device, Tensor, TensorData};
use measure::{Copy, commit, file_stem, median, values};
use serde::Serialize;
use softpool::{BackwardTensors, ForwardTensors, GpuContext, GpuSoftPool, Shape, SoftPoolConfig, adapter_name, wgpu};

const SHAPE: [usize; 4] = [8, 64, 112, 112];
/// Kernel, stride and padding.
const WINDOWS: [(usize, usize, usize); 3] = [(2, 2, 0), (3, 2, 1), (3, 1, 1)];
const SAMPLES: usize = 11;

/// One row of the results.
#[derive(Serialize)]
struct Row {
    case: String,
    who: &'static str,
    median_ms: f64,
    /// To the copy kernel over the same input.
    ratio: f64,
}

type Timed<'a> = (&'static str, Box<dyn Fn() -> Result<(), Box<dyn Error>> + 'a>);

fn main() -> Result<(), Box<dyn Error>> {
    let smoke = std::env::args().any(|argument| argument == "--smoke");
    let samples = if smoke { 1 } else { SAMPLES };
    let context = shared_context()?;
    let burn = Device::wgpu_options()
        .setup(WgpuSetup {
            instance: wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env()),
            backend: context.adapter.get_info().backend,
            adapter: context.adapter.clone(),
            device: context.device.clone(),
            queue: context.queue.clone(),
        })
        .init()?;
    println!("{}, by the clock, from submission to completion", context.name());
    let mut rows = Vec::new();
    for windows in WINDOWS {
        rows.extend(compare(&context, &burn, windows, samples)?);
    }
    if !smoke {
        write(&context, &rows)?;
    }
    Ok(())
}

/// A device with what the adapter has, since Burn asks for more than this crate.
fn shared_context() -> Result<GpuContext, Box<dyn Error>> {
    let GpuContext { adapter, .. } = GpuContext::new_blocking()?;
    let withheld = wgpu::Features::all_experimental_mask() | wgpu::Features::MAPPABLE_PRIMARY_BUFFERS;
    let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
        label: Some("peers"),
        required_features: adapter.features() - withheld,
        required_limits: adapter.limits(),
        ..Default::default()
    }))?;
    Ok(GpuContext { adapter, device, queue })
}

/// Everyone on one case, forward, and forward and back.
fn compare(
    context: &GpuContext,
    burn: &Device,
    (kernel, stride, padding): (usize, usize, usize),
    samples: usize,
) -> Result<Vec<Row>, Box<dyn Error>> {
    let config = SoftPoolConfig::builder([kernel, kernel]).stride([stride]).padding([padding]).build()?;
    let shape = Shape::new(SHAPE)?;
    let pooled = shape.pooled(&config)?;
    let data = values(shape.elements());
    let x = context.upload(shape, &data)?;
    let y = context.upload(pooled, &vec![0.0; pooled.elements()])?;
    let grad_output = context.upload(pooled, &vec![1.0; pooled.elements()])?;
    let grad_input = context.upload(shape, &vec![0.0; shape.elements()])?;
    let pool = GpuSoftPool::new(&context.device, &context.queue, config)?;
    let forward = pool.plan_forward(ForwardTensors::new(&x, &y))?;
    let backward = pool.plan_backward(BackwardTensors::new(&x, &grad_output, &grad_input))?;
    let copy_kernel = Copy::new(&context.device);
    let copy = copy_kernel.prepare(&context.device, &x, &grad_input);
    let submit = |record: &dyn Fn(&mut wgpu::ComputePass<'_>)| -> Result<(), Box<dyn Error>> {
        let mut encoder = context.device.create_command_encoder(&Default::default());
        record(&mut encoder.begin_compute_pass(&Default::default()));
        context.queue.submit([encoder.finish()]);
        context.device.poll(wgpu::PollType::wait_indefinitely())?;
        Ok(())
    };

    let soft = |x: Tensor<4>| {
        let options = AvgPoolOptions::new([kernel; 2]).with_stride([stride; 2]).with_padding([padding; 2]);
        let e = x.clone().exp();
        avg_pool2d(e.clone() * x, options.clone()) / avg_pool2d(e, options)
    };
    let max = |x: Tensor<4>| {
        max_pool2d(x, MaxPoolOptions::new([kernel; 2]).with_stride([stride; 2]).with_padding([padding; 2]))
    };
    let avg = |x: Tensor<4>| {
        avg_pool2d(x, AvgPoolOptions::new([kernel; 2]).with_stride([stride; 2]).with_padding([padding; 2]))
    };
    let plain = Tensor::<4>::from_data(TensorData::new(data.clone(), SHAPE), burn);
    let tracked = Tensor::<4>::from_data(TensorData::new(data, SHAPE), &burn.clone().autodiff()).require_grad();
    burn.sync()?;
    let ahead = |op: &dyn Fn(Tensor<4>) -> Tensor<4>| -> Result<(), Box<dyn Error>> {
        let result = op(plain.clone());
        burn.sync()?;
        drop(result);
        Ok(())
    };
    let and_back = |op: &dyn Fn(Tensor<4>) -> Tensor<4>| -> Result<(), Box<dyn Error>> {
        let gradients = op(tracked.clone()).sum().backward();
        let gradient = tracked.grad(&gradients);
        burn.sync()?;
        gradient.map(drop).ok_or_else(|| "no gradient".into())
    };

    let directions: [(&str, Vec<Timed<'_>>); 2] = [
        (
            "forward",
            vec![
                ("copy", Box::new(|| submit(&copy))),
                ("softpool", Box::new(|| submit(&|pass| forward.record(pass)))),
                ("Burn max_pool2d", Box::new(|| ahead(&max))),
                ("Burn avg_pool2d", Box::new(|| ahead(&avg))),
                ("Burn, SoftPool composed", Box::new(|| ahead(&soft))),
            ],
        ),
        (
            "forward+backward",
            vec![
                ("copy", Box::new(|| submit(&copy))),
                (
                    "softpool",
                    Box::new(|| {
                        submit(&|pass| {
                            forward.record(pass);
                            backward.record(pass);
                        })
                    }),
                ),
                ("Burn max_pool2d", Box::new(|| and_back(&max))),
                ("Burn avg_pool2d", Box::new(|| and_back(&avg))),
                ("Burn, SoftPool composed", Box::new(|| and_back(&soft))),
            ],
        ),
    ];
    let mut rows = Vec::new();
    for (direction, timed) in directions {
        let padded = if padding > 0 { format!(" p{padding}") } else { String::new() };
        let case = format!("{direction} {} k{kernel} s{stride}{padded}", SHAPE.map(|size| size.to_string()).join("x"));
        // The first call compiles, and tunes.
        for (_, call) in &timed {
            call()?;
        }
        let mut times = vec![Vec::with_capacity(samples); timed.len()];
        for _ in 0..samples {
            for ((_, call), times) in timed.iter().zip(&mut times) {
                let start = Instant::now();
                call()?;
                times.push(start.elapsed().as_secs_f64() * 1e3);
            }
        }
        let medians: Vec<f64> = times.iter_mut().map(|times| median(times)).collect();
        println!("{case}");
        for ((who, _), median_ms) in timed.iter().zip(&medians) {
            let ratio = median_ms / medians[0];
            println!("    {who:<26} {median_ms:>9.2} ms {ratio:>8.2}");
            rows.push(Row { case: case.clone(), who, median_ms: *median_ms, ratio });
        }
    }
    Ok(rows)
}

fn write(context: &GpuContext, rows: &[Row]) -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
    let file = folder.join(format!("peers-{}", file_stem(&context.adapter)));
    std::fs::create_dir_all(&folder)?;
    std::fs::write(file.with_extension("json"), serde_json::to_string_pretty(rows)? + "\n")?;
    let mut table = format!(
        "# Burn 0.22 beside softpool on {}\n\nsoftpool {} at commit {}. Medians from submission to completion; the ratio is to \
         the copy kernel in the same run.\n\n| case | who | median ms | ratio |\n|---|---|---|---|\n",
        adapter_name(&context.adapter),
        env!("CARGO_PKG_VERSION"),
        commit()
    );
    for row in rows {
        writeln!(table, "| {} | {} | {:.2} | {:.2} |", row.case, row.who, row.median_ms, row.ratio)?;
    }
    std::fs::write(file.with_extension("md"), table)?;
    println!("wrote {}", file.with_extension("{json,md}").display());
    Ok(())
}
