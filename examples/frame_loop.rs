//! A renderer's frame loop with softpool in it: everything is prepared once; a frame records, submits, and waits for nothing.
//!
//! In each frame the host draws into its HDR target, softpool fills the target's mip levels for a bloom, and pools the frame into a small
//! tensor for a network, all in the host's own encoder. Its poll only looks whether something is done.
//!
//! ```sh
//! cargo run --example frame_loop
//! ```

use std::error::Error;

use softpool::texture::{Alpha, MipChain, TensorTexels, TextureCache, TexturePool};
use softpool::{Plan, Shape, SoftPoolConfig, TensorView, wgpu};

const SIZE: [u32; 2] = [320, 180];
const FRAMES: u32 = 30;

/// A dim picture with one bright pixel, eight times as bright as white.
const DRAW: &str = "
@group(0) @binding(0) var<uniform> frame: u32;

@vertex fn vertex(@builtin(vertex_index) i: u32) -> @builtin(position) vec4<f32> {
    return vec4(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

@fragment fn fragment(@builtin(position) at: vec4<f32>) -> @location(0) vec4<f32> {
    let spark = vec2<u32>(at.xy) == vec2(frame * 7u % 320u, 90u);
    return vec4(select(vec3(0.05), vec3(8.0, 6.0, 2.0), all(spark)), 1.0);
}";

/// What softpool does in a frame, prepared for the host's own resources.
struct Pooling {
    bloom: Plan,
    network: Plan,
}

impl Pooling {
    /// The only place where softpool compiles or allocates.
    fn prepare(device: &wgpu::Device, frame: &wgpu::Texture, tensor: TensorView<'_>) -> softpool::Result<Self> {
        let cache = TextureCache::new(device);
        let bloom = MipChain::with_cache(device, 1.0, &cache)?.with_alpha(Alpha::AsIs).plan(frame)?;
        let config = SoftPoolConfig::builder([5, 5]).beta(1.0).build()?;
        let pool = TexturePool::with_cache(device, config, &cache)?.with_alpha(Alpha::AsIs);
        let input = TensorTexels::from(tensor).normalised([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
        Ok(Self { bloom, network: pool.plan_to_tensor(frame, input)? })
    }

    /// Two passes of a frame: nothing is allocated by softpool, written through the queue, or submitted.
    fn record(&self, encoder: &mut wgpu::CommandEncoder) {
        self.bloom.encode(encoder);
        self.network.encode(encoder);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    // The host's device: made by whatever the host is, here straight from wgpu.
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapter = pollster::block_on(instance.request_adapter(&wgpu::RequestAdapterOptions::default()))?;
    let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor::default()))?;

    let frame = device.create_texture(&wgpu::TextureDescriptor {
        label: Some("host HDR frame"),
        size: wgpu::Extent3d { width: SIZE[0], height: SIZE[1], depth_or_array_layers: 1 },
        mip_level_count: 6,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba16Float,
        usage: wgpu::TextureUsages::RENDER_ATTACHMENT
            | wgpu::TextureUsages::TEXTURE_BINDING
            | wgpu::TextureUsages::STORAGE_BINDING,
        view_formats: &[],
    });
    let first_level =
        frame.create_view(&wgpu::TextureViewDescriptor { mip_level_count: Some(1), ..Default::default() });
    let shape = Shape::new([1, 3, SIZE[1] as usize / 5, SIZE[0] as usize / 5])?;
    let bytes = shape.elements() as u64 * 4;
    let buffer = |label, usage| {
        device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes,
            usage,
            mapped_at_creation: false,
        })
    };
    let input = buffer("host network input", wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC);
    let readback = buffer("host readback", wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST);
    let number = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("host frame number"),
        size: 4,
        usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });

    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some("host draw"),
        source: wgpu::ShaderSource::Wgsl(DRAW.into()),
    });
    let draw = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some("host draw"),
        layout: None,
        vertex: wgpu::VertexState {
            module: &module,
            entry_point: None,
            compilation_options: Default::default(),
            buffers: &[],
        },
        primitive: Default::default(),
        depth_stencil: None,
        multisample: Default::default(),
        fragment: Some(wgpu::FragmentState {
            module: &module,
            entry_point: None,
            compilation_options: Default::default(),
            targets: &[Some(wgpu::TextureFormat::Rgba16Float.into())],
        }),
        multiview_mask: None,
        cache: None,
    });
    let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("host draw"),
        layout: &draw.get_bind_group_layout(0),
        entries: &[wgpu::BindGroupEntry { binding: 0, resource: number.as_entire_binding() }],
    });

    let pooling = Pooling::prepare(&device, &frame, TensorView::new(&input, shape))?;
    for index in 0..FRAMES {
        queue.write_buffer(&number, 0, bytemuck::bytes_of(&index));
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("host frame") });
        {
            let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
                label: Some("host draw"),
                color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                    view: &first_level,
                    depth_slice: None,
                    resolve_target: None,
                    ops: wgpu::Operations {
                        load: wgpu::LoadOp::Clear(wgpu::Color::BLACK),
                        store: wgpu::StoreOp::Store,
                    },
                })],
                ..Default::default()
            });
            pass.set_pipeline(&draw);
            pass.set_bind_group(0, &bind_group, &[]);
            pass.draw(0..3, 0..1);
        }
        pooling.record(&mut encoder);
        queue.submit([encoder.finish()]);
        device.poll(wgpu::PollType::Poll)?;
    }

    // The example's own look at the last frame's tensor.
    let mut encoder = device.create_command_encoder(&Default::default());
    encoder.copy_buffer_to_buffer(&input, 0, &readback, 0, bytes);
    queue.submit([encoder.finish()]);
    readback.map_async(wgpu::MapMode::Read, .., |_| ());
    device.poll(wgpu::PollType::wait_indefinitely())?;
    let values: Vec<f32> = bytemuck::pod_collect_to_vec(&readback.get_mapped_range(..)?);
    let reds = &values[..values.len() / 3];
    let brightest = reds.iter().enumerate().fold(0, |best, (i, &red)| if red > reds[best] { i } else { best });
    let (column, row) = (brightest as u32 % (SIZE[0] / 5), brightest as u32 / (SIZE[0] / 5));
    let light = 0.229 * reds[brightest] + 0.485;
    println!("{FRAMES} frames: the spark is in window ({column}, {row}), with {light:.2} of its 8.00 of light");
    let average = (8.0 + 24.0 * 0.05) / 25.0;
    if [column, row] != [(FRAMES - 1) * 7 % 320 / 5, 90 / 5] || light < 10.0 * average {
        return Err(format!("the spark should be in the last frame's window, brighter than ten times {average}").into());
    }
    println!("on {}", softpool::adapter_name(&adapter));
    Ok(())
}
