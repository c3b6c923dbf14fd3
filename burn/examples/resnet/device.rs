//! Which of Burn's devices to train on.

use burn::tensor::{Device, DeviceType};

use crate::failure::{Failure, Result};

/// The devices of these names, each once.
pub fn choose(names: &[String]) -> Result<Vec<Device>> {
    let mut chosen = Vec::new();
    for name in names {
        let device = if name == "cpu" { Device::flex() } else { graphics(name)? };
        if chosen.contains(&device) {
            return Err(Failure::Usage(format!("--device {name}: given twice; each device can be used once")));
        }
        chosen.push(device);
    }
    Ok(chosen)
}

/// The graphics device of this index.
fn graphics(index: &str) -> Result<Device> {
    let mut devices = Device::enumerate(DeviceType::Wgpu).into_vec();
    match index.parse() {
        Ok(index) if index < devices.len() => Ok(devices.swap_remove(index)),
        _ => {
            let known: Vec<String> =
                devices.iter().enumerate().map(|(i, device)| format!("{i} ({device:?})")).collect();
            let known =
                if known.is_empty() { "none: no graphics driver works here".to_owned() } else { known.join(", ") };
            Err(Failure::Usage(format!(
                "--device {index}: choose cpu or one of the graphics devices, which are {known}"
            )))
        }
    }
}

/// What to call the devices in a record.
pub fn names(devices: &[Device]) -> String {
    devices.iter().map(|device| format!("{:?}", device.as_dispatch())).collect::<Vec<_>>().join(", ")
}
