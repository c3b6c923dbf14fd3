//! A device and a queue for people who have none of their own; hosts that do never need this file.

use std::fmt;

use crate::{Error, GpuTensor, Result, Shape};

/// The environment variable that chooses the adapter: an index of [`adapters`] or a part of a name.
pub const ADAPTER_VARIABLE: &str = "SOFTPOOL_ADAPTER";

/// An adapter with a device and a queue made from it.
///
/// Nothing else in this crate needs one: [`GpuSoftPool::new`](crate::GpuSoftPool::new) takes any host's device and queue.
#[derive(Clone)]
pub struct GpuContext {
    /// Where the device comes from.
    pub adapter: wgpu::Adapter,
    /// A device with all limits of the adapter.
    pub device: wgpu::Device,
    /// The device's queue.
    pub queue: wgpu::Queue,
}

impl GpuContext {
    /// A device on the adapter that the environment variable `SOFTPOOL_ADAPTER` names, or on the best one.
    ///
    /// # Errors
    /// [`Error::NoAdapter`], [`Error::RequestDevice`].
    pub async fn new() -> Result<Self> {
        Self::with_adapter(std::env::var(ADAPTER_VARIABLE).ok().as_deref()).await
    }

    /// [`new`](Self::new), waiting for it. Not on the web.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    #[cfg(not(target_arch = "wasm32"))]
    pub fn new_blocking() -> Result<Self> {
        pollster::block_on(Self::new())
    }

    /// A device on the adapter of that index of [`adapters`], or on the first whose name, driver or backend contains
    /// `choice` whatever its case; on the best adapter without a choice.
    ///
    /// # Errors
    /// [`Error::NoAdapter`], [`Error::RequestDevice`].
    pub async fn with_adapter(choice: Option<&str>) -> Result<Self> {
        let choice = choice.filter(|choice| !choice.is_empty());
        let adapters = adapters().await;
        let names: Vec<String> = adapters.iter().map(adapter_name).collect();
        let chosen = match choice {
            None => adapters.into_iter().next(),
            Some(choice) => {
                let index = choice
                    .parse()
                    .ok()
                    .filter(|&index: &usize| index < adapters.len())
                    .or_else(|| names.iter().position(|name| name.to_lowercase().contains(&choice.to_lowercase())));
                index.and_then(|index| adapters.into_iter().nth(index))
            }
        };
        match chosen {
            Some(adapter) => Self::from_adapter(adapter).await,
            None => Err(Error::NoAdapter { choice: choice.map(str::to_owned), fix: adapter_advice(&names) }),
        }
    }

    /// A device on `adapter`, with all of its limits.
    ///
    /// # Errors
    /// [`Error::RequestDevice`].
    pub async fn from_adapter(adapter: wgpu::Adapter) -> Result<Self> {
        let (device, queue) = adapter
            .request_device(&wgpu::DeviceDescriptor {
                label: Some("softpool device"),
                required_limits: adapter.limits(),
                ..Default::default()
            })
            .await?;
        Ok(Self { adapter, device, queue })
    }

    /// A tensor of `shape` with a copy of `data`.
    ///
    /// # Errors
    /// Those of [`GpuTensor::from_slice`].
    pub fn upload(&self, shape: Shape, data: &[f32]) -> Result<GpuTensor> {
        GpuTensor::from_slice(&self.device, &self.queue, shape, data)
    }

    /// The adapter's name, backend and driver, on one line.
    pub fn name(&self) -> String {
        device_name(&self.device)
    }
}

impl fmt::Debug for GpuContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GpuContext").field(&self.name()).finish()
    }
}

/// Every adapter that can run compute shaders, the best first: GPUs before software, native interfaces before GL.
///
/// `WGPU_BACKEND` (a comma list of `vulkan`, `metal`, `dx12`, `gl`) narrows the choice.
pub async fn adapters() -> Vec<wgpu::Adapter> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let backends = wgpu::Backends::from_env().unwrap_or(wgpu::Backends::all());
    let mut adapters = instance.enumerate_adapters(backends).await;
    // WebGL and old GLES have no compute shaders.
    adapters.retain(|adapter| adapter.limits().max_compute_invocations_per_workgroup > 0);
    adapters.sort_by_key(|adapter| {
        let info = adapter.get_info();
        let device_type = match info.device_type {
            wgpu::DeviceType::DiscreteGpu => 0,
            wgpu::DeviceType::IntegratedGpu => 1,
            wgpu::DeviceType::VirtualGpu => 2,
            wgpu::DeviceType::Other => 3,
            wgpu::DeviceType::Cpu => 4,
        };
        // llvmpipe on GL calls itself "Other" or not at all; GL comes after the native interface of its kind anyway.
        (info.backend == wgpu::Backend::Gl, device_type)
    });
    adapters
}

/// Name, backend and driver of an adapter: "llvmpipe (LLVM 15.0.6, 256 bits) (Vulkan, llvmpipe Mesa 22.3.6)". Of one without a
/// name, who made it and what it is, as far as that is known; browsers tell it of devices alone ([`device_name`]).
pub fn adapter_name(adapter: &wgpu::Adapter) -> String {
    name_of(&adapter.get_info(), &[])
}

/// [`adapter_name`] of the adapter that a device is of: "google swiftshader (webgpu)".
pub fn device_name(device: &wgpu::Device) -> String {
    name_of(&device.adapter_info(), &vendor_architecture_device(device))
}

/// What a browser says of an adapter besides its name, which it mostly keeps to itself.
#[cfg(all(target_arch = "wasm32", feature = "webgpu"))]
fn vendor_architecture_device(device: &wgpu::Device) -> Vec<String> {
    let info = device.as_webgpu().map(|device| device.adapter_info());
    info.map_or_else(Vec::new, |info| vec![info.vendor(), info.architecture(), info.device()])
}

#[cfg(not(all(target_arch = "wasm32", feature = "webgpu")))]
fn vendor_architecture_device(_: &wgpu::Device) -> Vec<String> {
    Vec::new()
}

fn name_of(info: &wgpu::AdapterInfo, parts: &[String]) -> String {
    let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    let name = match (info.name.trim(), &parts[..], info.vendor, info.device) {
        ("", [], 0, 0) => "an adapter without a name".into(),
        ("", [], vendor, device) => format!("vendor {vendor:#06x}, device {device:#06x}"),
        ("", parts, ..) => parts.join(" "),
        (name, ..) => name.to_owned(),
    };
    let driver = format!("{} {}", info.driver, info.driver_info);
    match driver.trim() {
        "" => format!("{name} ({})", info.backend),
        driver => format!("{name} ({}, {driver})", info.backend),
    }
}

fn adapter_advice(names: &[String]) -> String {
    if names.is_empty() {
        "install a GPU driver, or a software one (Debian: apt-get install libvulkan1 mesa-vulkan-drivers)".into()
    } else {
        let list: Vec<String> = names.iter().enumerate().map(|(index, name)| format!("{index}: {name}")).collect();
        format!("choose an index or a part of a name from {}", list.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adapter_without_a_name_is_called_what_else_is_known() {
        let mut info = wgpu::AdapterInfo::new(wgpu::DeviceType::Other, wgpu::Backend::BrowserWebGpu);
        let parts = ["google", "swiftshader", ""].map(str::to_owned);
        assert_eq!(name_of(&info, &parts), "google swiftshader (webgpu)");
        assert_eq!(name_of(&info, &[]), "an adapter without a name (webgpu)");
        (info.vendor, info.device) = (0x10de, 0x2204);
        assert_eq!(name_of(&info, &[]), "vendor 0x10de, device 0x2204 (webgpu)");
        (info.name, info.driver) = ("RTX".into(), "NVIDIA".into());
        assert_eq!(name_of(&info, &parts), "RTX (webgpu, NVIDIA)");
    }
}
