//! A host with its own device, buffers and encoder: two poolings and a compute pass of its own in one submission.
//!
//! x -> soft pool 3x3 stride 2 -> soft pool 2x2 -> the host doubles it. Nothing waits between the passes, and no tensor is
//! allocated or copied by the library. The plans are replayed for a second frame with other contents.

use softpool::reference::Reference;
use softpool::{ForwardTensors, GpuSoftPool, PipelineCache, Shape, SoftPoolConfig, TensorView, wgpu};

/// The pass that follows in the host's own frame.
const DOUBLE: &str = "
@group(0) @binding(0) var<storage, read_write> values: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < arrayLength(&values)) {
        values[id.x] *= 2.0;
    }
}";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The host's device: made by whatever the host is, here straight from wgpu.
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapter = pollster::block_on(instance.request_adapter(&wgpu::RequestAdapterOptions::default()))?;
    let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor::default()))?;

    // Two poolings that share their pipelines' cache.
    let cache = PipelineCache::new(&device);
    let first = SoftPoolConfig::builder([3, 3]).stride([2]).padding([1]).build()?;
    let second = SoftPoolConfig::builder([2, 2]).build()?;
    let first_pool = GpuSoftPool::with_cache(&device, &queue, first.clone(), &cache)?;
    let second_pool = GpuSoftPool::with_cache(&device, &queue, second.clone(), &cache)?;

    // One buffer of the host's for all activations: each tensor at an offset that the device can bind.
    let shape = Shape::new([2, 8, 56, 56])?;
    let middle_shape = shape.pooled(&first)?;
    let pooled_shape = middle_shape.pooled(&second)?;
    let alignment = u64::from(device.limits().min_storage_buffer_offset_alignment);
    let bytes = |shape: Shape| (shape.elements() as u64 * 4).next_multiple_of(alignment);
    let activations = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("host activations"),
        size: bytes(shape) + bytes(middle_shape),
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let result_bytes = pooled_shape.elements() as u64 * 4;
    let result = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("host result"),
        size: result_bytes,
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC,
        mapped_at_creation: false,
    });
    let readback = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("host readback"),
        size: result_bytes,
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let x = TensorView::new(&activations, shape);
    let middle = TensorView::new(&activations, middle_shape).at_byte_offset(bytes(shape));
    let y = TensorView::new(&result, pooled_shape);

    // Plans are made once, and recorded in every frame.
    let first_plan = first_pool.plan(ForwardTensors::new(x, middle))?;
    let second_plan = second_pool.plan(ForwardTensors::new(middle, y))?;

    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some("host double"),
        source: wgpu::ShaderSource::Wgsl(DOUBLE.into()),
    });
    let double = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some("host double"),
        layout: None,
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    });
    let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("host double"),
        layout: &double.get_bind_group_layout(0),
        entries: &[wgpu::BindGroupEntry { binding: 0, resource: result.as_entire_binding() }],
    });

    for frame in 0..2 {
        let values: Vec<f32> = (0..shape.elements()).map(|i| ((i + frame * 7) % 23) as f32 / 4.0 - 2.0).collect();
        queue.write_buffer(&activations, 0, bytemuck::cast_slice(&values));

        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("host frame") });
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            first_plan.record(&mut pass);
            second_plan.record(&mut pass);
            pass.set_pipeline(&double);
            pass.set_bind_group(0, &bind_group, &[]);
            pass.dispatch_workgroups((pooled_shape.elements() as u32).div_ceil(64), 1, 1);
        }
        encoder.copy_buffer_to_buffer(&result, 0, &readback, 0, result_bytes);
        queue.submit([encoder.finish()]);

        // Only the host's own look at the result waits.
        readback.map_async(wgpu::MapMode::Read, .., |_| ());
        device.poll(wgpu::PollType::wait_indefinitely())?;
        let got: Vec<f32> = bytemuck::pod_collect_to_vec(&readback.get_mapped_range(..)?);
        readback.unmap();

        let on_cpu = Reference::new(&first).forward(&shape, &values)?;
        let on_cpu: Vec<f32> = on_cpu.y.iter().map(|&y| y as f32).collect();
        let on_cpu = Reference::new(&second).forward(&middle_shape, &on_cpu)?;
        let error =
            got.iter().zip(&on_cpu.y).map(|(got, want)| (f64::from(*got) - 2.0 * want).abs()).fold(0.0, f64::max);
        println!(
            "frame {frame}: {shape} -> {middle_shape} -> {pooled_shape} -> doubled, in one submission; off by {error:.1e}"
        );
        if error > 1e-5 {
            return Err(format!("the result is off by {error:e}").into());
        }
    }
    println!("on {}", softpool::adapter_name(&adapter));
    Ok(())
}
