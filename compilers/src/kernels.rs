//! A case's kernels: what softpool dispatches for a GPU, worked out without one.

use std::error::Error;

use softpool::{
    BackwardTensors, ElementType, ForwardTensors, GradBetaTensors, JvpTensors, Recipes, SecondBackwardTensors, Shape,
    TensorView, Tuning,
};

use crate::cases::{Case, Layout, Operation};

/// A kernel of a case, and how often it is dispatched.
#[derive(Debug)]
pub struct Kernel {
    /// The case's name.
    pub case: String,
    /// Its name as that of a file: the case's, and which of its kernels it is if there are several.
    pub file: String,
    /// What softpool calls it.
    pub label: String,
    /// Its text.
    pub wgsl: String,
    /// How many storage buffers it binds, where it binds no textures. The parameters' uniform buffer comes after them.
    pub storage_buffers: u32,
    /// Invocations of a workgroup along x, y and z.
    pub workgroup_size: [u32; 3],
    /// Invocations of all its dispatches.
    pub invocations: u64,
    /// The bytes that the case must move.
    pub bytes: u64,
}

/// Buffers that stand for tensors, on a device that does nothing.
///
/// Memory known by names would do without a device, but binds everything for writing: other code than wgpu's buffers get.
pub struct Tensors {
    buffers: Vec<wgpu::Buffer>,
}

/// Of each tensor that a call takes.
const BUFFERS: usize = 5;
/// Holds the largest tensor of any case.
const BUFFER_BYTES: u64 = 8 * 64 * 112 * 112 * 4;

impl Tensors {
    /// Buffers for the tensors of one call.
    ///
    /// # Errors
    /// If wgpu has no device that does nothing.
    pub fn new() -> Result<Self, Box<dyn Error>> {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        descriptor.backends = wgpu::Backends::NOOP;
        descriptor.backend_options.noop = wgpu::NoopBackendOptions { enable: true, ..Default::default() };
        let instance = wgpu::Instance::new(descriptor);
        let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::NOOP));
        let adapter = adapters.first().ok_or("wgpu was built without its feature noop")?;
        let (device, _) = pollster::block_on(
            adapter.request_device(&wgpu::DeviceDescriptor { required_limits: adapter.limits(), ..Default::default() }),
        )?;
        let buffer = |_| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: BUFFER_BYTES,
                usage: wgpu::BufferUsages::STORAGE,
                mapped_at_creation: false,
            })
        };
        Ok(Self { buffers: (0..BUFFERS).map(buffer).collect() })
    }

    /// What softpool dispatches for `case`, one kernel after the other.
    ///
    /// # Errors
    /// What softpool says of the case.
    pub fn kernels(&self, case: &Case) -> Result<Vec<Kernel>, Box<dyn Error>> {
        let config = case.config()?;
        let limits = limits_of_a_gpu();
        let recipes = Recipes::new(&config, &limits, Tuning::GPU);
        let shape = Shape::new(case.shape)?;
        let pooled = shape.pooled(&config)?;
        let view = |index: usize, shape: Shape| -> softpool::Result<TensorView<'_>> {
            let view = TensorView::new(&self.buffers[index], shape).of_type(case.element_type);
            match case.layout {
                Layout::Contiguous => Ok(view),
                Layout::ChannelsLast => view.with_strides(channels_last(&shape)),
            }
        };
        let (input, output, grad_output) = (view(0, shape)?, view(1, pooled)?, view(2, pooled)?);
        let (grad_input, tangent) = (view(3, shape)?, view(4, shape)?);
        let recipe = match case.operation {
            Operation::Forward => recipes.of(ForwardTensors::new(input, output)),
            Operation::Backward => recipes.of(BackwardTensors::new(input, grad_output, grad_input)),
            Operation::GradBeta => {
                let grad_beta = TensorView::new(&self.buffers[1], Shape::new([1])?).of_type(ElementType::F32);
                recipes.of(GradBetaTensors::new(input, grad_output, grad_beta))
            }
            Operation::Jvp => recipes.of(JvpTensors::new(input, tangent, output)),
            Operation::SecondBackward => recipes.of(SecondBackwardTensors {
                input,
                grad_output,
                tangent,
                grad_of_grad_output: Some(output),
                grad_of_input: grad_input,
                statistics: None,
            }),
        }?;
        // Pieces of one kernel, where a dispatch would go beyond a limit, are one kernel here.
        let of_kernel: Vec<_> = recipe.dispatches().chunk_by(|first, second| first.kernel == second.kernel).collect();
        let base = case.name().replace([' ', ','], "-");
        let kernels = of_kernel.iter().enumerate().map(|(index, dispatches)| {
            let kernel = &dispatches[0].kernel;
            let product = |sizes: [u32; 3]| sizes.iter().map(|&size| u64::from(size)).product::<u64>();
            let workgroups: u64 = dispatches.iter().map(|dispatch| product(dispatch.workgroups)).sum();
            Kernel {
                case: case.name(),
                file: if of_kernel.len() > 1 { format!("{base}-{index}") } else { base.clone() },
                label: kernel.label(),
                wgsl: kernel.wgsl(),
                storage_buffers: dispatches[0].bindings.len() as u32,
                workgroup_size: kernel.workgroup_size(),
                invocations: workgroups * product(kernel.workgroup_size()),
                bytes: case.bytes(&shape, &pooled),
            }
        });
        Ok(kernels.collect())
    }
}

/// wgpu's defaults, but for the sizes of buffers that every GPU of a desktop has.
fn limits_of_a_gpu() -> wgpu::Limits {
    wgpu::Limits { max_buffer_size: 1 << 31, max_storage_buffer_binding_size: (1 << 31) - 4, ..wgpu::Limits::default() }
}

/// Strides of a tensor whose channels are innermost.
fn channels_last(shape: &Shape) -> Vec<usize> {
    let dims = shape.dims();
    let mut strides = vec![1; dims.len()];
    let mut step = dims[1];
    for axis in (2..dims.len()).rev().chain([0]) {
        strides[axis] = step;
        step *= dims[axis];
    }
    strides
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::CASES;

    #[test]
    fn what_is_read_is_bound_for_reading() -> Result<(), Box<dyn Error>> {
        for kernel in Tensors::new()?.kernels(&CASES[0])? {
            assert!(kernel.wgsl.contains("var<storage, read>"), "{}", kernel.wgsl);
        }
        Ok(())
    }

    #[test]
    fn channels_last_strides_are_those_of_nhwc() -> softpool::Result<()> {
        assert_eq!(channels_last(&Shape::new([2, 3, 5, 7])?), [105, 1, 21, 3]);
        Ok(())
    }
}
