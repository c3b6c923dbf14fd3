//! Each value of `Tuning` beside others: what is best for each kernel on this device.

use std::error::Error;

use serde_json::json;
use softpool::{Natives, PipelineCache, Specialisation, Tuning, measure_natives, wgpu};

use crate::cases::{Case, Data, K2, K3_S1, K3_S2, Operation, Storage, Windows};
use crate::device::Bench;
use crate::record::Record;
use crate::speed::{Effort, LARGE, interleaved, tensors_that_fit};
use crate::walk::{a_case_of_each_kernel, dispatches_of_case};

pub const COLUMNS: &[&str] = &["case", "kernel", "own ms", "best", "its ms", "gain"];

/// A value of `Tuning`: its name, how it is set, and what to try.
type Value = (&'static str, fn(Tuning, u64) -> Tuning, &'static [u64]);

const VALUES: &[Value] = &[
    ("columns", |own, value| Tuning { columns: value as u32, ..own }, &[4, 8, 16]),
    ("rows", |own, value| Tuning { rows: value as u32, ..own }, &[4, 8, 16, 32]),
    (
        "least_invocations",
        |own, value| Tuning { least_invocations: value, ..own },
        &[0, 1 << 14, 1 << 16, 1 << 18, 1 << 20],
    ),
    ("workgroup", |own, value| Tuning { workgroup: value as u32, ..own }, &[32, 64, 128, 256]),
    ("window_lanes", |own, value| Tuning { window_lanes: value as u32, ..own }, &[8, 16, 32, 64, 128, 256]),
    ("max_run", |own, value| Tuning { max_run: value as u32, ..own }, &[8, 16, 32, 64, 128]),
    ("max_sums", |own, value| Tuning { max_sums: value, ..own }, &[16, 32, 64, 128, 256]),
    ("ring_rows", |own, value| Tuning { ring_rows: value as u32, ..own }, &[1, 3, 5, 7, 13]),
    ("max_taps", |own, value| Tuning { max_taps: value, ..own }, &[0, 9, 25, 169]),
    ("ring_cells", |own, value| Tuning { ring_cells: value as u32, ..own }, &[1, 3, 5, 7]),
    ("exp2", |own, value| natives(own, |natives| natives.exp2 = value != 0), &[0, 1]),
    ("unpack_f16", |own, value| natives(own, |natives| natives.unpack_f16 = value != 0), &[0, 1]),
    ("pack_f16", |own, value| natives(own, |natives| natives.pack_f16 = value != 0), &[0, 1]),
];

/// A tuning that was timed, interleaved with the device's own.
struct Tried {
    /// Which value of the tuning is another.
    value: &'static str,
    label: String,
    tuning: Tuning,
    own_ms: f64,
    ms: f64,
}

impl Tried {
    fn gain(&self) -> f64 {
        self.own_ms / self.ms
    }
}

/// The one that gains most, if that is more than noise.
fn best<'a>(tried: impl Iterator<Item = &'a Tried>) -> Option<&'a Tried> {
    tried.max_by(|a, b| a.gain().total_cmp(&b.gain())).filter(|best| best.gain() >= LEAST_GAIN)
}

/// Below this a gain is noise.
const LEAST_GAIN: f64 = 1.02;

fn natives(own: Tuning, change: impl FnOnce(&mut Natives)) -> Tuning {
    let mut natives = own.natives;
    change(&mut natives);
    Tuning { natives, ..own }
}

/// The cases to sweep: the windows of the goals, and one of each other kernel.
fn cases(own: Tuning, limits: &wgpu::Limits, smoke: bool) -> softpool::Result<Vec<Case>> {
    use Operation::{Backward, Forward};
    let case = |shape, windows, operation, storage| Case { shape, windows, operation, storage, data: Data::Normal };
    if smoke {
        return Ok(vec![case(&[2, 16, 28, 28], K2, Forward, Storage::Plain)]);
    }
    let mut cases = Vec::new();
    for storage in [Storage::Plain, Storage::F16] {
        for windows in [K2, K3_S2, K3_S1] {
            cases.extend([Forward, Backward].map(|operation| case(LARGE, windows, operation, storage)));
        }
    }
    cases.extend(
        [Forward, Backward].map(|operation| case(&[4096, 512, 7, 7], Windows::Global, operation, Storage::Plain)),
    );
    for (kernel, case) in a_case_of_each_kernel(own, limits)? {
        let dispatched = |case: &Case| -> softpool::Result<bool> {
            Ok(dispatches_of_case(case, own, limits)?.iter().any(|(other, _)| other.kernel() == kernel))
        };
        if !cases.iter().map(dispatched).collect::<softpool::Result<Vec<_>>>()?.contains(&true) {
            cases.extend(case);
        }
    }
    Ok(cases)
}

/// Tunings that dispatch something else than `own` and each other, with what they are called.
fn alternatives(
    case: &Case,
    own: Tuning,
    limits: &wgpu::Limits,
    allowed: impl Fn(Natives) -> bool,
) -> softpool::Result<Vec<(&'static str, String, Tuning)>> {
    let mut seen: Vec<Vec<(Specialisation, [u32; 3])>> = vec![dispatches_of_case(case, own, limits)?];
    let mut alternatives = Vec::new();
    for (name, with, values) in VALUES {
        for &value in *values {
            let tuning = with(own, value);
            // A tuning that the windows leave no room for is no alternative.
            let Ok(dispatches) = dispatches_of_case(case, tuning, limits) else { continue };
            if allowed(tuning.natives) && !seen.contains(&dispatches) {
                seen.push(dispatches);
                alternatives.push((*name, format!("{name} {value}"), tuning));
            }
        }
    }
    Ok(alternatives)
}

/// Each case by each alternative, interleaved with the device's own tuning; then by the best of each value together.
pub fn sweep(record: &mut Record, smoke: bool) -> Result<(), Box<dyn Error>> {
    let bench = Bench::new()?;
    let (device, queue) = (&bench.context.device, &bench.context.queue);
    let (own, limits, effort) = (Tuning::of(device), device.limits(), Effort::of(smoke));
    let errors = measure_natives(device, queue)?;
    let cases = cases(own, &limits, smoke)?;
    record.note(format!("own: {own:?}"))?;
    let mut done = 0;
    for case in &cases {
        if record.is_over() {
            break;
        }
        let Some(tensors) = tensors_that_fit(record, &bench, case)? else { continue };
        let cache = PipelineCache::new(device);
        let (own_plan, _) = bench.plan(case, &tensors, &cache, None)?;
        let dispatches = dispatches_of_case(case, own, &limits)?;
        let kernel = dispatches.iter().map(|(kernel, _)| kernel.kernel()).collect::<Vec<_>>().join(", ");
        let against_own = |value, label: String, tuning: Tuning| -> Result<Tried, Box<dyn Error>> {
            let (plan, _) = bench.plan(case, &tensors, &cache, Some(tuning))?;
            let medians = interleaved(&bench, effort, &[&|pass| own_plan.record(pass), &|pass| plan.record(pass)])?;
            Ok(Tried { value, label, tuning, own_ms: medians[0], ms: medians[1] })
        };
        let mut tried = Vec::new();
        let alternatives = alternatives(case, own, &limits, |natives| errors.allow(natives))?;
        for (value, label, tuning) in &alternatives {
            if record.is_over() {
                break;
            }
            tried.push(against_own(*value, label.clone(), *tuning)?);
        }
        record.cut(tried.len(), alternatives.len(), &format!("alternatives of {}", case.name()))?;
        done += usize::from(tried.len() == alternatives.len());

        // The best of each value, all together: values may help or hinder each other.
        let (mut together, mut labels) = (own, Vec::new());
        for (name, with, values) in VALUES {
            if let Some(best) = best(tried.iter().filter(|tried| tried.value == *name)) {
                let value = values.iter().find(|&&value| with(own, value) == best.tuning);
                together = value.map_or(together, |&value| with(together, value));
                labels.push(best.label.clone());
            }
        }
        if labels.len() > 1 && !record.is_over() && dispatches_of_case(case, together, &limits).is_ok() {
            tried.push(against_own("together", labels.join(", "), together)?);
        }
        let rows: Vec<_> = tried
            .iter()
            .map(|one| json!({ "tuning": one.label, "own_ms": one.own_ms, "ms": one.ms, "gain": one.gain() }))
            .collect();
        let cells = match best(tried.iter()) {
            Some(best) => [
                format!("{:.4}", best.own_ms),
                best.label.clone(),
                format!("{:.4}", best.ms),
                format!("{:.2}", best.gain()),
            ],
            None => [String::new(), "its own".into(), String::new(), "1.00".into()],
        };
        record.row(
            json!({ "case": case.name(), "kernel": kernel, "best": cells[1], "tried": rows }),
            [&[case.name(), kernel][..], &cells].concat(),
        )?;
    }
    record.cut(done, cases.len(), "cases")
}
