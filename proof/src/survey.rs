//! The adapter and driver, and how exact what they do by themselves is.

use std::error::Error;

use serde_json::json;
use softpool::{NativeErrors, Tuning, measure_natives, wgpu::Features};

use crate::common::contexts;
use crate::device::Bench;
use crate::measure::commit;
use crate::record::Record;

pub fn adapter(record: &mut Record) -> Result<(), Box<dyn Error>> {
    let bench = Bench::new()?;
    let (adapter, device) = (&bench.context.adapter, &bench.context.device);
    let (info, limits, features) = (adapter.get_info(), adapter.limits(), adapter.features());
    let tuning = Tuning::of(device);
    for (name, value) in [
        ("adapter", info.name.clone()),
        ("backend", info.backend.to_string()),
        ("device type", format!("{:?}", info.device_type)),
        ("driver", format!("{} {}", info.driver, info.driver_info)),
        ("softpool", format!("{} at commit {}", env!("CARGO_PKG_VERSION"), commit())),
        ("clock", bench.clock().into()),
        ("max_storage_buffer_binding_size", limits.max_storage_buffer_binding_size.to_string()),
        ("max_compute_workgroup_storage_size", limits.max_compute_workgroup_storage_size.to_string()),
        ("min_storage_buffer_offset_alignment", limits.min_storage_buffer_offset_alignment.to_string()),
        (
            "subgroups",
            format!(
                "{}, of {} to {}",
                features.contains(Features::SUBGROUP),
                info.subgroup_min_size,
                info.subgroup_max_size
            ),
        ),
        ("tuning", format!("{tuning:?}")),
    ] {
        record.row(json!({ "name": name, "value": value }), vec![name.into(), value])?;
    }
    Ok(())
}

pub fn natives(record: &mut Record) -> Result<(), Box<dyn Error>> {
    let context = &contexts()[0];
    let errors = measure_natives(&context.device, &context.queue)?;
    let used = Tuning::of(&context.device).natives;
    let NativeErrors { unpack_f16, pack_f16, pack_f16_example, exp_near_0, exp, .. } = errors;
    let values = |wrong: Option<usize>| wrong.map_or("not there".into(), |wrong| format!("{wrong} values"));
    let example = pack_f16_example.map_or(String::new(), |(value, got)| format!(" ({value:e} becomes {got:e})"));
    for (name, value, used) in [
        ("unpack2x16float", values(unpack_f16), used.unpack_f16),
        ("pack2x16float", values(pack_f16) + &example, used.pack_f16),
        ("exp2 near 0", format!("{exp_near_0:.2} ulp"), used.exp2),
        ("exp2 to -87, beside 1.25 ulp a unit", format!("{exp:.2} ulp"), used.exp2),
    ] {
        let cells = vec![name.into(), value.clone(), used.to_string()];
        record.row(json!({ "name": name, "off": value, "used": used }), cells)?;
    }
    if !errors.allow(used) {
        record.fault("kernels leave to the driver what it doesn't do as well as they promise")?;
    }
    Ok(())
}
