//! Which of Burn's devices to train on.

use burn::tensor::{Device, DeviceType};

use crate::failure::{Failure, Result};

/// The devices of these names, each once.
pub fn choose(names: &[String]) -> Result<Vec<Device>> {
    let graphics = Device::enumerate(DeviceType::Wgpu).into_vec();
    let mut chosen = Vec::new();
    for name in names {
        let device = match name.as_str() {
            "cpu" => Device::flex(),
            _ => name.parse().ok().and_then(|index: usize| graphics.get(index).cloned()).ok_or_else(|| {
                let known: Vec<String> =
                    graphics.iter().enumerate().map(|(i, device)| format!("{i} ({device:?})")).collect();
                let known =
                    if known.is_empty() { "none: no graphics driver works here".to_owned() } else { known.join(", ") };
                Failure::Usage(format!("--device {name}: choose from cpu and the graphics devices, which are {known}"))
            })?,
        };
        if chosen.contains(&device) {
            return Err(Failure::Usage(format!("--device {name}: given twice; each device can be used once")));
        }
        chosen.push(device);
    }
    Ok(chosen)
}

/// What to call the devices in a record.
pub fn names(devices: &[Device]) -> String {
    devices.iter().map(|device| format!("{device:?}")).collect::<Vec<_>>().join(", ")
}
