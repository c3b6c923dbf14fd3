//! softpool through Burn beside softpool called directly and Burn's own pooling: the same inputs on the same wgpu device,
//! interleaved in one run.
//!
//! ```sh
//! cargo bench -p softpool-burn
//! ```
//!
//! Times are medians of the clock's, from submission to completion. Burn runs with fusion; its pass forward and back goes
//! through autodiff, from a gradient of ones. Called directly, softpool replays plans. Inputs lie as images do (NCHW), or
//! with the channels next to each other (NHWC), as Burn's convolutions return them. Writes a table and JSON to the
//! repository's benches/results/.

#[path = "../../benches/measure/mod.rs"]
mod measure;

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use burn::tensor::module::{avg_pool2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};
use burn::tensor::wgpu::WgpuSetup;
use burn::tensor::{DType, Device, Tensor, TensorData};
use measure::{Copy, commit, file_stem, median, values};
use serde::Serialize;
use softpool::{
    BackwardTensors, ForwardTensors, GpuContext, GpuSoftPool, GpuTensor, Shape, SoftPoolConfig, TensorView,
    adapter_name, wgpu,
};
use softpool_burn::{SoftPoolOptions, soft_pool2d};

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

/// All of them, with what they are of.
#[derive(Serialize)]
struct Results<'a> {
    device: String,
    commit: String,
    rows: &'a [Row],
}

/// The order of a tensor's axes in memory.
#[derive(Clone, Copy)]
enum Layout {
    Nchw,
    Nhwc,
}

impl Layout {
    fn name(self) -> &'static str {
        match self {
            Self::Nchw => "NCHW",
            Self::Nhwc => "NHWC",
        }
    }

    /// softpool's view of a tensor that lies so.
    fn view(self, tensor: &GpuTensor) -> softpool::Result<TensorView<'_>> {
        let [_, channels, height, width] = tensor.shape().dims().try_into().expect("images");
        match self {
            Self::Nchw => Ok(tensor.view()),
            Self::Nhwc => tensor.view().with_strides([height * width * channels, 1, width * channels, channels]),
        }
    }

    /// Burn's tensor of this data, which lies so.
    fn tensor(self, data: Vec<f32>, device: &Device) -> Tensor<4> {
        let [batch, channels, height, width] = SHAPE;
        let options = (device, DType::F32);
        match self {
            Self::Nchw => Tensor::from_data(TensorData::new(data, SHAPE), options),
            Self::Nhwc => Tensor::from_data(TensorData::new(data, [batch, height, width, channels]), options)
                .permute([0, 3, 1, 2])
                .detach(),
        }
    }
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
    for layout in [Layout::Nchw, Layout::Nhwc] {
        for windows in WINDOWS {
            rows.extend(compare(&context, &burn, layout, windows, samples)?);
        }
    }
    if !smoke {
        write(&context, &rows)?;
    }
    Ok(())
}

/// A device with what the adapter has, since Burn asks for more than softpool.
fn shared_context() -> Result<GpuContext, Box<dyn Error>> {
    let GpuContext { adapter, .. } = GpuContext::new_blocking()?;
    let withheld = wgpu::Features::all_experimental_mask() | wgpu::Features::MAPPABLE_PRIMARY_BUFFERS;
    let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
        label: Some("pooling"),
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
    layout: Layout,
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
    let pool = GpuSoftPool::new(&context.device, &context.queue, config);
    let (x_view, y_view) = (layout.view(&x)?, layout.view(&y)?);
    let forward = pool.plan(ForwardTensors::new(x_view, y_view))?;
    let (grad_output, grad_input_view) = (layout.view(&grad_output)?, layout.view(&grad_input)?);
    let backward = pool.plan(BackwardTensors::new(x_view, grad_output, grad_input_view))?;
    let copy_kernel = Copy::new(&context.device);
    let copy = copy_kernel.prepare(&context.device, x.buffer(), grad_input.buffer());
    let submit = |record: &dyn Fn(&mut wgpu::ComputePass<'_>)| -> Result<(), Box<dyn Error>> {
        let mut encoder = context.device.create_command_encoder(&Default::default());
        record(&mut encoder.begin_compute_pass(&Default::default()));
        context.queue.submit([encoder.finish()]);
        context.device.poll(wgpu::PollType::wait_indefinitely())?;
        Ok(())
    };

    let fused = |x: Tensor<4>| {
        let options = SoftPoolOptions::new([kernel; 2]).with_stride([stride; 2]).with_padding([padding; 2]);
        soft_pool2d(x, options)
    };
    let composed = |x: Tensor<4>| {
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
    let plain = layout.tensor(data.clone(), burn);
    let tracked = layout.tensor(data, &burn.clone().autodiff()).require_grad();
    burn.sync()?;
    let ahead = |op: &dyn Fn(Tensor<4>) -> Tensor<4>| -> Result<(), Box<dyn Error>> {
        let result = op(plain.clone());
        burn.sync()?;
        drop(result);
        Ok(())
    };
    let and_back = |op: &dyn Fn(Tensor<4>) -> Tensor<4>| -> Result<(), Box<dyn Error>> {
        let gradients = op(tracked.clone()).backward();
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
                ("softpool through Burn", Box::new(|| ahead(&fused))),
                ("Burn max_pool2d", Box::new(|| ahead(&max))),
                ("Burn avg_pool2d", Box::new(|| ahead(&avg))),
                ("Burn, SoftPool composed", Box::new(|| ahead(&composed))),
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
                ("softpool through Burn", Box::new(|| and_back(&fused))),
                ("Burn max_pool2d", Box::new(|| and_back(&max))),
                ("Burn avg_pool2d", Box::new(|| and_back(&avg))),
                ("Burn, SoftPool composed", Box::new(|| and_back(&composed))),
            ],
        ),
    ];
    let mut rows = Vec::new();
    for (direction, timed) in directions {
        let padded = if padding > 0 { format!(" p{padding}") } else { String::new() };
        let sizes = SHAPE.map(|size| size.to_string()).join("x");
        let case = format!("{direction} {sizes} {} k{kernel} s{stride}{padded}", layout.name());
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
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../benches/results");
    let file = folder.join(format!("burn-{}", file_stem(&context.adapter)));
    let (device, commit) = (adapter_name(&context.adapter), commit());
    std::fs::create_dir_all(&folder)?;
    let mut table = format!(
        "# softpool through Burn 0.22, and Burn's own pooling, on {device}\n\nsoftpool {} at commit {commit}. Medians from \
         submission to completion; the ratio is to the copy kernel in the same run.\n\n| case | who | median ms | ratio \
         |\n|---|---|---|---|\n",
        env!("CARGO_PKG_VERSION"),
    );
    for row in rows {
        writeln!(table, "| {} | {} | {:.2} | {:.2} |", row.case, row.who, row.median_ms, row.ratio)?;
    }
    let results = Results { device, commit, rows };
    std::fs::write(file.with_extension("json"), serde_json::to_string_pretty(&results)? + "\n")?;
    std::fs::write(file.with_extension("md"), table)?;
    println!("wrote {}", file.with_extension("{json,md}").display());
    Ok(())
}
