//! How fast: every kernel beside a copy of its input, and from its text to its first result.

use std::error::Error;
use std::time::{Duration, Instant};

use serde_json::json;
use softpool::{PipelineCache, Tuning, wgpu};

use crate::cases::{Case, Data, IMAGE, K2, K3_S1, K3_S2, Operation, Storage, Windows};
use crate::device::{Bench, Tensors};
use crate::measure::median;
use crate::record::Record;
use crate::walk::a_case_of_each_kernel;

pub const COLUMNS: &[&str] = &["case", "median ms", "GB/s", "copy GB/s", "share of the copy"];
pub const COLD_COLUMNS: &[&str] = &["kernel", "case", "to the plan, ms", "to the first result, ms"];

/// What leaves the last cache of today's GPUs: 411 MB in f32, and four times as much.
pub const LARGE: &[usize] = &[32, 64, 224, 224];
const HUGE: &[usize] = &[128, 64, 224, 224];
/// Images of 7x7 before a classifier: as small as networks have them, and as many as make 411 MB.
const GLOBAL: &[usize] = &[8, 512, 7, 7];
const GLOBAL_LARGE: &[usize] = &[4096, 512, 7, 7];
/// For runs that only show that everything works.
const SMALL: &[usize] = &[2, 16, 56, 56];

/// What one pass should take at least, in milliseconds, so that its start and end don't count.
const PASS_MS: f64 = 2.0;
const MOST_REPEATS: u32 = 64;
const SAMPLES: usize = 21;
const CASE_BUDGET: Duration = Duration::from_secs(3);

/// How a case is measured.
#[derive(Clone, Copy)]
pub struct Effort {
    samples: usize,
    pass_ms: f64,
}

impl Effort {
    pub fn of(smoke: bool) -> Self {
        if smoke { Self { samples: 1, pass_ms: 0.0 } } else { Self { samples: SAMPLES, pass_ms: PASS_MS } }
    }
}

/// Milliseconds of one run of each, medians of interleaved samples.
pub fn interleaved(
    bench: &Bench,
    effort: Effort,
    timed: &[&dyn Fn(&mut wgpu::ComputePass<'_>)],
) -> Result<Vec<f64>, Box<dyn Error>> {
    let mut repeats = Vec::new();
    for record in timed {
        // The first run may do what later ones needn't.
        bench.time(record)?;
        let once = bench.time(record)?.max(1e-6);
        repeats.push(((effort.pass_ms / once).ceil() as u32).clamp(1, MOST_REPEATS));
    }
    let mut samples = vec![Vec::new(); timed.len()];
    let start = Instant::now();
    while samples[0].is_empty() || samples[0].len() < effort.samples && start.elapsed() < CASE_BUDGET {
        for ((record, &repeats), samples) in timed.iter().zip(&repeats).zip(&mut samples) {
            let pass = bench.time(&|pass| (0..repeats).for_each(|_| record(pass)))?;
            samples.push(pass / f64::from(repeats));
        }
    }
    Ok(samples.iter_mut().map(|samples| median(samples)).collect())
}

fn case(shape: &'static [usize], windows: Windows, operation: Operation, storage: Storage) -> Case {
    Case { shape, windows, operation, storage, data: Data::Normal }
}

/// The cases of the roofline: those that matter most first.
fn cases(own: Tuning, limits: &wgpu::Limits, smoke: bool) -> softpool::Result<Vec<Case>> {
    use Operation::{Backward, Forward};
    use Storage::{Bf16, ChannelsLast, ChannelsLastBf16, ChannelsLastF16, F16, Plain};
    let mut cases = Vec::new();
    let mut add = |shape, windows: &[Windows], storages: &[Storage]| {
        for &storage in storages {
            for &windows in windows {
                cases.extend([Forward, Backward].map(|operation| case(shape, windows, operation, storage)));
            }
        }
    };
    let windows = [K2, K3_S2, K3_S1];
    if smoke {
        add(SMALL, &windows, &[Plain]);
        add(SMALL, &[K2], &[F16, Bf16, ChannelsLast, ChannelsLastF16, ChannelsLastBf16]);
        add(&[2, 64, 7, 7], &[Windows::Global], &[Plain]);
        return Ok(cases);
    }
    add(LARGE, &windows, &[Plain, F16]);
    add(GLOBAL_LARGE, &[Windows::Global], &[Plain, F16]);
    add(IMAGE, &windows, &[Plain, F16]);
    add(GLOBAL, &[Windows::Global], &[Plain]);
    add(LARGE, &windows, &[Bf16, ChannelsLast, ChannelsLastF16, ChannelsLastBf16]);
    add(HUGE, &windows, &[Plain, F16]);
    add(IMAGE, &windows, &[Bf16, ChannelsLast, ChannelsLastF16, ChannelsLastBf16]);
    for (_, case) in a_case_of_each_kernel(own, limits)? {
        cases.extend(case.filter(|case| cases.iter().all(|other| other.name() != case.name())));
    }
    Ok(cases)
}

/// The tensors of a case, or a note that they don't fit.
pub fn tensors_that_fit(record: &mut Record, bench: &Bench, case: &Case) -> Result<Option<Tensors>, Box<dyn Error>> {
    let on_cpu = bench.context.adapter.get_info().device_type == wgpu::DeviceType::Cpu;
    let tensors = match on_cpu && case.shape == HUGE {
        true => Err("a software driver's memory is the machine's".into()),
        false => bench.tensors(case),
    };
    match tensors {
        Ok(tensors) => Ok(Some(tensors)),
        Err(error) => record.note(format!("left out: {}: {error}", case.name())).map(|()| None),
    }
}

/// Every kernel beside a copy of its input.
pub fn roofline(record: &mut Record, smoke: bool) -> Result<(), Box<dyn Error>> {
    let bench = Bench::new()?;
    let effort = Effort::of(smoke);
    record.note(format!("times are medians {}; bytes are each input's once and each output's once", bench.clock()))?;
    let cases = cases(Tuning::of(&bench.context.device), &bench.context.device.limits(), smoke)?;
    let cache = PipelineCache::new(&bench.context.device);
    let mut done = 0;
    for case in &cases {
        if record.is_over() {
            break;
        }
        done += 1;
        let Some(tensors) = tensors_that_fit(record, &bench, case)? else { continue };
        let (plan, bytes) = bench.plan(case, &tensors, &cache, None)?;
        let copy = bench.copy(&tensors.x, &tensors.target);
        let medians = interleaved(&bench, effort, &[&copy, &|pass| plan.record(pass)])?;
        let (copy_ms, ms) = (medians[0], medians[1]);
        let (bandwidth, copied) = (bytes as f64 / ms / 1e6, 2.0 * tensors.x.buffer.size() as f64 / copy_ms / 1e6);
        let share = bandwidth / copied;
        record.row(
            json!({
                "case": case.name(), "ms": ms, "bytes": bytes, "copy_ms": copy_ms, "gb_s": bandwidth,
                "copy_gb_s": copied, "share_of_copy": share,
            }),
            vec![
                case.name(),
                format!("{ms:.4}"),
                format!("{bandwidth:.1}"),
                format!("{copied:.1}"),
                format!("{:.0} %", 1e2 * share),
            ],
        )?;
    }
    record.cut(done, cases.len(), "cases")
}

/// From each kernel's text to its first result.
pub fn cold(record: &mut Record, smoke: bool) -> Result<(), Box<dyn Error>> {
    let bench = Bench::new()?;
    let set = |variable: &str| format!("{variable}={}", std::env::var(variable).unwrap_or("not set".into()));
    let caches = ["MESA_SHADER_CACHE_DISABLE", "__GL_SHADER_DISK_CACHE"].map(set).join(", ");
    record.note(format!("the driver's cache on disk: {caches}"))?;
    let kernels = a_case_of_each_kernel(Tuning::of(&bench.context.device), &bench.context.device.limits())?;
    let of = kernels.len();
    let mut done = 0;
    for (kernel, case) in kernels.into_iter().step_by(if smoke { 4 } else { 1 }) {
        if record.is_over() {
            break;
        }
        done += 1;
        let Some(case) = case else {
            record.fault(format!("no case of {kernel}"))?;
            continue;
        };
        let Some(tensors) = tensors_that_fit(record, &bench, &case)? else { continue };
        let start = Instant::now();
        let cache = PipelineCache::new(&bench.context.device);
        let (plan, _) = bench.plan(&case, &tensors, &cache, None)?;
        let planned = start.elapsed().as_secs_f64() * 1e3;
        bench.time(&|pass| plan.record(pass))?;
        let first = start.elapsed().as_secs_f64() * 1e3;
        record.row(
            json!({ "kernel": kernel, "case": case.name(), "plan_ms": planned, "first_ms": first }),
            vec![kernel, case.name(), format!("{planned:.1}"), format!("{first:.1}")],
        )?;
    }
    record.cut(done, if smoke { of.div_ceil(4) } else { of }, "kernels")
}
