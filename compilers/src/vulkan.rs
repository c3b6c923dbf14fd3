//! What a Vulkan driver says of the pipelines that it compiles, by VK_KHR_pipeline_executable_properties.
//!
//! The one file that calls Vulkan itself: wgpu has no way to ask for this.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::c_char;
use std::ptr;

use ash::{Entry, Instance, khr, vk};

use crate::spirv::Binding;

/// A device of the first driver that the loader finds.
pub struct Compiler {
    /// The device's name.
    pub device_name: String,
    /// The driver's name and version.
    pub driver: String,
    device: ash::Device,
    executables: khr::pipeline_executable_properties::Device,
    instance: Instance,
    /// The library, which must outlive what was loaded from it.
    _entry: Entry,
}

/// What the driver made of a kernel.
#[derive(Debug)]
pub struct Compiled {
    /// The driver's statistics by their names.
    pub statistics: BTreeMap<String, u64>,
    /// The machine code, disassembled.
    pub assembly: String,
}

impl Compiler {
    /// A device with the features that wgpu asks for which change the code that is made.
    ///
    /// # Errors
    /// Without a Vulkan loader, a device, or what the device needs to tell about pipelines.
    pub fn new() -> Result<Self, Box<dyn Error>> {
        // SAFETY: the loader is the system's own; handles are used only while `Compiler` holds what they come from, and every
        // pointer that is passed is to a local value which outlives the call.
        unsafe {
            let entry = Entry::load()?;
            let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
            let info = vk::InstanceCreateInfo::default().application_info(&application);
            let instance = entry.create_instance(&info, None)?;
            let physical = instance.enumerate_physical_devices()?;
            let physical = *physical.first().ok_or("the driver has no device")?;
            let mut driver = vk::PhysicalDeviceDriverProperties::default();
            let mut properties = vk::PhysicalDeviceProperties2::default().push_next(&mut driver);
            instance.get_physical_device_properties2(physical, &mut properties);
            let device_name = text(&properties.properties.device_name);
            let driver = format!("{} {}", text(&driver.driver_name), text(&driver.driver_info));

            let names =
                [khr::pipeline_executable_properties::NAME, ash::ext::robustness2::NAME].map(std::ffi::CStr::as_ptr);
            let mut executables =
                vk::PhysicalDevicePipelineExecutablePropertiesFeaturesKHR::default().pipeline_executable_info(true);
            let mut robustness = vk::PhysicalDeviceRobustness2FeaturesEXT::default().robust_buffer_access2(true);
            let mut images = vk::PhysicalDeviceImageRobustnessFeatures::default().robust_image_access(true);
            // Kernels store to formats of two channels.
            let core = vk::PhysicalDeviceFeatures::default()
                .robust_buffer_access(true)
                .shader_storage_image_extended_formats(true);
            let queues = [vk::DeviceQueueCreateInfo::default().queue_family_index(0).queue_priorities(&[1.0])];
            let info = vk::DeviceCreateInfo::default()
                .queue_create_infos(&queues)
                .enabled_extension_names(&names)
                .enabled_features(&core)
                .push_next(&mut executables)
                .push_next(&mut images)
                .push_next(&mut robustness);
            let device = instance
                .create_device(physical, &info, None)
                .map_err(|error| format!("{device_name} can't tell about pipelines, or check bounds: {error}"))?;
            let executables = khr::pipeline_executable_properties::Device::new(&instance, &device);
            Ok(Self { device_name, driver, device, executables, instance, _entry: entry })
        }
    }

    /// Compiles a kernel whose entry point is `main`, with what it binds.
    ///
    /// # Errors
    /// What the driver says.
    pub fn compile(&self, spirv: &[u32], bindings: &[(u32, Binding)]) -> Result<Compiled, Box<dyn Error>> {
        let slots: Vec<_> = bindings
            .iter()
            .map(|&(place, binding)| {
                vk::DescriptorSetLayoutBinding::default()
                    .binding(place)
                    .descriptor_type(match binding {
                        Binding::UniformBuffer => vk::DescriptorType::UNIFORM_BUFFER,
                        Binding::StorageBuffer => vk::DescriptorType::STORAGE_BUFFER,
                        Binding::SampledImage => vk::DescriptorType::SAMPLED_IMAGE,
                        Binding::StorageImage => vk::DescriptorType::STORAGE_IMAGE,
                    })
                    .descriptor_count(1)
                    .stage_flags(vk::ShaderStageFlags::COMPUTE)
            })
            .collect();
        let device = &self.device;
        // SAFETY: as above; naga has validated the module, and the layout has all bindings that it declares. What is made here
        // is destroyed here; what a failure leaves goes with the process.
        unsafe {
            let set = device
                .create_descriptor_set_layout(&vk::DescriptorSetLayoutCreateInfo::default().bindings(&slots), None)?;
            let sets = [set];
            let layout =
                device.create_pipeline_layout(&vk::PipelineLayoutCreateInfo::default().set_layouts(&sets), None)?;
            let module = device.create_shader_module(&vk::ShaderModuleCreateInfo::default().code(spirv), None)?;
            let stage = vk::PipelineShaderStageCreateInfo::default()
                .stage(vk::ShaderStageFlags::COMPUTE)
                .module(module)
                .name(c"main");
            let info = vk::ComputePipelineCreateInfo::default().stage(stage).layout(layout).flags(
                vk::PipelineCreateFlags::CAPTURE_STATISTICS_KHR
                    | vk::PipelineCreateFlags::CAPTURE_INTERNAL_REPRESENTATIONS_KHR,
            );
            let pipeline = device
                .create_compute_pipelines(vk::PipelineCache::null(), &[info], None)
                .map_err(|(_, error)| error)?[0];
            let compiled = self.describe(pipeline);
            device.destroy_pipeline(pipeline, None);
            device.destroy_shader_module(module, None);
            device.destroy_pipeline_layout(layout, None);
            device.destroy_descriptor_set_layout(set, None);
            compiled
        }
    }

    /// What the driver says of a pipeline.
    ///
    /// # Safety
    /// The pipeline is this device's, made with its statistics and representations captured.
    unsafe fn describe(&self, pipeline: vk::Pipeline) -> Result<Compiled, Box<dyn Error>> {
        // A compute pipeline has one executable.
        let info = vk::PipelineExecutableInfoKHR::default().pipeline(pipeline).executable_index(0);
        // SAFETY: by the caller's promise; the union's member is read that its format names.
        let statistics = unsafe {
            let all = self.executables.get_pipeline_executable_statistics(&info)?;
            let unsigned = |statistic: &vk::PipelineExecutableStatisticKHR<'_>| match statistic.format {
                vk::PipelineExecutableStatisticFormatKHR::UINT64 => Some(statistic.value.u64),
                vk::PipelineExecutableStatisticFormatKHR::INT64 => u64::try_from(statistic.value.i64).ok(),
                _ => None,
            };
            all.iter().filter_map(|one| Some((text(&one.name), unsigned(one)?))).collect()
        };
        // ash asks for sizes and texts in one call, as if the texts had no memory: sizes first, then texts.
        let get = self.executables.fp().get_pipeline_executable_internal_representations_khr;
        let mut count = 0;
        // SAFETY: each array has as many elements as `count` says, each text as many bytes as its size says.
        let texts = unsafe {
            let device = self.device.handle();
            get(device, &info, &mut count, ptr::null_mut()).result()?;
            let mut all = vec![vk::PipelineExecutableInternalRepresentationKHR::default(); count as usize];
            get(device, &info, &mut count, all.as_mut_ptr()).result()?;
            let mut texts: Vec<Vec<u8>> = all.iter().map(|one| vec![0; one.data_size]).collect();
            for (one, text) in all.iter_mut().zip(&mut texts) {
                one.p_data = text.as_mut_ptr().cast();
            }
            get(device, &info, &mut count, all.as_mut_ptr()).result()?;
            all.iter().map(|one| text(&one.name)).zip(texts).collect::<Vec<_>>()
        };
        let assembly = texts.into_iter().find(|(name, _)| name == "Assembly");
        let (_, assembly) = assembly.ok_or("the driver gives no assembly")?;
        let end = assembly.iter().position(|&byte| byte == 0).unwrap_or(assembly.len());
        Ok(Compiled { statistics, assembly: String::from_utf8_lossy(&assembly[..end]).into_owned() })
    }
}

impl Drop for Compiler {
    fn drop(&mut self) {
        // SAFETY: nothing made from them is left.
        unsafe {
            self.device.destroy_device(None);
            self.instance.destroy_instance(None);
        }
    }
}

fn text(chars: &[c_char]) -> String {
    let bytes: Vec<u8> = chars.iter().map(|&char| char as u8).take_while(|&byte| byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
