//! `softpool info`: the adapters, with the limits and features that matter to pooling.

use std::fmt::Write;

use softpool::wgpu::{Adapter, Features};
use softpool::{ADAPTER_VARIABLE, Error, GpuContext, NativeErrors, Tuning, adapters, measure_natives};

use crate::failure::Result;

/// Lists the adapters; what to print.
pub fn run() -> Result<String> {
    let adapters = pollster::block_on(adapters());
    if adapters.is_empty() {
        let fix = match pollster::block_on(softpool::GpuContext::with_adapter(None)) {
            Err(error @ Error::NoAdapter { .. }) => error.to_string(),
            _ => "no GPU adapter".into(),
        };
        return Ok(format!("{fix}\n(--device auto computes on the CPU)"));
    }
    let mut report = format!(
        "GPU adapters, the best first: --device auto takes the one that {ADAPTER_VARIABLE} names, or else adapter 0\n"
    );
    for (index, adapter) in adapters.iter().enumerate() {
        describe(&mut report, index, adapter);
    }
    Ok(report)
}

fn describe(report: &mut String, index: usize, adapter: &Adapter) {
    let (info, limits, features) = (adapter.get_info(), adapter.limits(), adapter.features());
    let driver = format!("{} {}", info.driver, info.driver_info);
    let mut lines = vec![
        ("backend", info.backend.to_string()),
        ("device type", format!("{:?}", info.device_type)),
        ("driver", driver.trim().to_owned()),
    ];
    for (name, value) in [
        ("max_storage_buffer_binding_size", limits.max_storage_buffer_binding_size),
        ("max_buffer_size", limits.max_buffer_size),
        ("max_compute_workgroup_storage_size", limits.max_compute_workgroup_storage_size.into()),
    ] {
        lines.push((name, bytes(value)));
    }
    for (name, value) in [
        ("max_compute_workgroups_per_dimension", limits.max_compute_workgroups_per_dimension),
        ("max_compute_invocations_per_workgroup", limits.max_compute_invocations_per_workgroup),
        ("min_storage_buffer_offset_alignment", limits.min_storage_buffer_offset_alignment),
    ] {
        lines.push((name, value.to_string()));
    }
    for (name, feature) in [
        ("TIMESTAMP_QUERY", Features::TIMESTAMP_QUERY),
        ("SHADER_F16", Features::SHADER_F16),
        ("SUBGROUP", Features::SUBGROUP),
    ] {
        lines.push((name, if features.contains(feature) { "yes" } else { "no" }.to_owned()));
    }
    match natives(adapter) {
        Ok(natives) => lines.extend(natives),
        Err(error) => lines.push(("what it does by itself", format!("not known: {error}"))),
    }
    let _ = writeln!(report, "\n{index}: {}", info.name);
    for (name, value) in lines {
        let _ = writeln!(report, "   {name:<38} {value}");
    }
}

/// How far the driver's own functions are off, and which of them kernels use.
fn natives(adapter: &Adapter) -> softpool::Result<[(&'static str, String); 3]> {
    let GpuContext { device, queue, .. } = pollster::block_on(GpuContext::from_adapter(adapter.clone()))?;
    let NativeErrors { unpack_f16, pack_f16, pack_f16_example, exp_near_0, exp, .. } =
        measure_natives(&device, &queue)?;
    let used = Tuning::of(&device).natives;
    let use_of = |used: bool| if used { "used" } else { "not used" };
    let of_f16 = |wrong: Option<usize>, used: bool| match wrong {
        None => "not there".into(),
        Some(0) => format!("exact, {}", use_of(used)),
        Some(wrong) => format!("{wrong} values wrong, {}", use_of(used)),
    };
    let mut pack = of_f16(pack_f16, used.pack_f16);
    if let Some((value, got)) = pack_f16_example {
        let _ = write!(pack, " ({value:e} becomes {got:e})");
    }
    let exp = format!("{exp_near_0:.1} ulp off near 0, {exp:.1} and 1.25 a unit to -87, {}", use_of(used.exp2));
    Ok([("unpack2x16float", of_f16(unpack_f16, used.unpack_f16)), ("pack2x16float", pack), ("exp2", exp)])
}

/// A number of bytes, and beside it the same in the largest unit that it is a multiple of.
fn bytes(bytes: u64) -> String {
    let unit = [("GiB", 30), ("MiB", 20), ("KiB", 10)].into_iter().find(|(_, bits)| bytes.trailing_zeros() >= *bits);
    match unit {
        Some((unit, bits)) if bytes > 0 => format!("{bytes} ({} {unit})", bytes >> bits),
        _ => bytes.to_string(),
    }
}
