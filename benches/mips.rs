//! A level and a whole mip chain of a texture, beside a copy of the texture, the sampler's blits and an average by a kernel.
//!
//! ```sh
//! cargo bench --bench mips             # 3840 x 2160
//! cargo bench --bench mips -- --smoke  # a small texture, once: shows that everything runs
//! ```
//!
//! All of them take turns in one run, and the table has medians. It is written to benches/results/, named after the device, but for
//! a smoke run. `SOFTPOOL_ADAPTER` chooses the adapter.

#[allow(dead_code)]
mod measure;

use std::path::Path;
use std::time::Instant;

use measure::{commit, file_stem, median};
use softpool::texture::{Alpha, MipChain, TextureLevel, TexturePool, Weighting};
use softpool::{GpuContext, SoftPoolConfig, wgpu};

const ROUNDS: usize = 15;

/// What people use today, by a kernel: the average of four texels, each level from the one above.
const AVERAGE: &str = "
@group(0) @binding(0) var source: texture_2d<f32>;
@group(0) @binding(1) var destination: texture_storage_2d<rgba8unorm, write>;

@compute @workgroup_size(8, 8)
fn average(@builtin(global_invocation_id) id: vec3<u32>) {
    if (all(id.xy < textureDimensions(destination))) {
        let at = 2u * id.xy;
        let sum = textureLoad(source, at, 0) + textureLoad(source, at + vec2(1u, 0u), 0)
            + textureLoad(source, at + vec2(0u, 1u), 0) + textureLoad(source, at + vec2(1u, 1u), 0);
        textureStore(destination, id.xy, 0.25 * sum);
    }
}

@compute @workgroup_size(8, 8)
fn copy(@builtin(global_invocation_id) id: vec3<u32>) {
    if (all(id.xy < textureDimensions(destination))) {
        textureStore(destination, id.xy, textureLoad(source, id.xy, 0));
    }
}";

/// As AMD's Single Pass Downsampler does: a workgroup makes a tile of 64 x 64 texels into up to six levels of averages, the first two
/// in registers and the others in its memory. Rows and columns that a level's half has no room for are left out.
fn spd(levels: usize) -> String {
    let (mut bindings, mut stores) = (String::new(), String::new());
    for level in 1..=levels {
        let name = format!("level_{level}");
        bindings += &format!("@group(0) @binding({level}) var {name}: texture_storage_2d<rgba8unorm, write>;\n");
        stores += &format!(
            "    if (level == {level}u && all(at < textureDimensions({name}))) {{ textureStore({name}, at, texel); }}\n"
        );
    }
    format!(
        "@group(0) @binding(0) var source: texture_2d<f32>;
{bindings}
var<workgroup> tile: array<vec4<f32>, 256>;

fn store(level: u32, at: vec2<u32>, texel: vec4<f32>) {{
{stores}}}

fn average(at: vec2<u32>) -> vec4<f32> {{
    let last = textureDimensions(source) - 1u;
    let sum = textureLoad(source, min(at, last), 0) + textureLoad(source, min(at + vec2(1u, 0u), last), 0)
        + textureLoad(source, min(at + vec2(0u, 1u), last), 0) + textureLoad(source, min(at + vec2(1u, 1u), last), 0);
    return 0.25 * sum;
}}

@compute @workgroup_size(256)
fn spd(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {{
    let at = 16u * group.xy + vec2(lane % 16u, lane / 16u);
    var sum = vec4(0.0);
    for (var i = 0u; i < 4u; i++) {{
        let upper = 2u * at + vec2(i & 1u, i >> 1u);
        let texel = average(2u * upper);
        store(1u, upper, texel);
        sum += texel;
    }}
    store(2u, at, 0.25 * sum);
    tile[lane] = 0.25 * sum;
    for (var level = 3u; level <= {levels}u; level++) {{
        let side = 64u >> level;
        let own = vec2(lane % side, lane / side);
        let first = 4u * side * own.y + 2u * own.x;
        workgroupBarrier();
        var texel: vec4<f32>;
        if (lane < side * side) {{
            texel = 0.25 * (tile[first] + tile[first + 1u] + tile[first + 2u * side] + tile[first + 2u * side + 1u]);
            store(level, side * group.xy + own, texel);
        }}
        workgroupBarrier();
        if (lane < side * side) {{
            tile[lane] = texel;
        }}
    }}
}}"
    )
}

/// wgpu's example of mipmaps: a triangle that samples the level above.
const BLIT: &str = "
struct Corner { @builtin(position) position: vec4<f32>, @location(0) at: vec2<f32> }
@vertex fn vertex(@builtin(vertex_index) i: u32) -> Corner {
    let at = vec2(f32(i & 1u), f32(i >> 1u)) * 2.0;
    return Corner(vec4(at.x * 2.0 - 1.0, 1.0 - at.y * 2.0, 0.0, 1.0), at);
}
@group(0) @binding(0) var source: texture_2d<f32>;
@group(0) @binding(1) var linear: sampler;
@fragment fn fragment(corner: Corner) -> @location(0) vec4<f32> {
    return textureSample(source, linear, corner.at);
}";

fn texture(device: &wgpu::Device, size: [u32; 2], levels: u32) -> wgpu::Texture {
    device.create_texture(&wgpu::TextureDescriptor {
        label: Some("bench"),
        size: wgpu::Extent3d { width: size[0], height: size[1], depth_or_array_layers: 1 },
        mip_level_count: levels,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba8Unorm,
        usage: wgpu::TextureUsages::TEXTURE_BINDING
            | wgpu::TextureUsages::STORAGE_BINDING
            | wgpu::TextureUsages::RENDER_ATTACHMENT
            | wgpu::TextureUsages::COPY_SRC
            | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    })
}

fn level_view(texture: &wgpu::Texture, level: u32) -> wgpu::TextureView {
    texture.create_view(&wgpu::TextureViewDescriptor {
        base_mip_level: level,
        mip_level_count: Some(1),
        ..Default::default()
    })
}

/// What is measured: a name, and what records it.
type Subject<'a> = (&'static str, Box<dyn Fn(&mut wgpu::CommandEncoder) + 'a>);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let smoke = std::env::args().any(|argument| argument == "--smoke");
    let context = GpuContext::new_blocking()?;
    let GpuContext { device, queue, .. } = &context;
    let size: [u32; 2] = if smoke { [192, 108] } else { [3840, 2160] };
    let levels = size[0].ilog2() + 1;
    let source = texture(device, size, levels);
    let copied = texture(device, size, 1);
    let half = texture(device, [size[0] / 2, size[1] / 2], 1);
    let mut state = 1u32;
    let bytes: Vec<u8> = (0..4 * size[0] * size[1])
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    queue.write_texture(
        source.as_image_copy(),
        &bytes,
        wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(4 * size[0]), rows_per_image: None },
        copied.size(),
    );

    let module = |text: &str| {
        device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("bench"),
            source: wgpu::ShaderSource::Wgsl(text.into()),
        })
    };
    let kernels = module(AVERAGE);
    let compute = |module: &wgpu::ShaderModule, entry: &str| {
        device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(entry),
            layout: None,
            module,
            entry_point: Some(entry),
            compilation_options: Default::default(),
            cache: None,
        })
    };
    let (average, copy) = (compute(&kernels, "average"), compute(&kernels, "copy"));
    let views_of = |pipeline: &wgpu::ComputePipeline, views: &[wgpu::TextureView]| {
        let resources = views.iter().map(wgpu::BindingResource::TextureView);
        let entries: Vec<_> =
            resources.zip(0..).map(|(resource, binding)| wgpu::BindGroupEntry { binding, resource }).collect();
        device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        })
    };
    let by_kernel = |pipeline: &wgpu::ComputePipeline, from: wgpu::TextureView, into: wgpu::TextureView| {
        views_of(pipeline, &[from, into])
    };
    let dispatch = |encoder: &mut wgpu::CommandEncoder,
                    pipeline: &wgpu::ComputePipeline,
                    groups: &[(wgpu::BindGroup, [u32; 2])]| {
        let mut pass = encoder.begin_compute_pass(&Default::default());
        pass.set_pipeline(pipeline);
        for (group, size) in groups {
            pass.set_bind_group(0, group, &[]);
            pass.dispatch_workgroups(size[0].div_ceil(8), size[1].div_ceil(8), 1);
        }
    };
    let size_of = |level: u32| size.map(|size| (size >> level).max(1));
    let copy_groups = vec![(by_kernel(&copy, level_view(&source, 0), level_view(&copied, 0)), size)];
    let average_groups: Vec<_> = (1..levels)
        .map(|level| {
            let (from, into) = (level_view(&source, level - 1), level_view(&source, level));
            (by_kernel(&average, from, into), size_of(level))
        })
        .collect();

    // Six levels by a dispatch: as many textures as most devices let a kernel store to.
    let spd_dispatches: Vec<_> = (1..levels)
        .step_by(6)
        .map(|first| {
            let below = (levels - first).min(6);
            let pipeline = compute(&module(&spd(below as usize)), "spd");
            let views: Vec<_> = (first - 1..first + below).map(|level| level_view(&source, level)).collect();
            let group = views_of(&pipeline, &views);
            (pipeline, group, size_of(first - 1).map(|size| size.div_ceil(64)))
        })
        .collect();
    let downsample = |encoder: &mut wgpu::CommandEncoder| {
        let mut pass = encoder.begin_compute_pass(&Default::default());
        for (pipeline, group, [x, y]) in &spd_dispatches {
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, group, &[]);
            pass.dispatch_workgroups(*x, *y, 1);
        }
    };

    let blit_module = module(BLIT);
    let blit = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some("blit"),
        layout: None,
        vertex: wgpu::VertexState {
            module: &blit_module,
            entry_point: None,
            compilation_options: Default::default(),
            buffers: &[],
        },
        primitive: Default::default(),
        depth_stencil: None,
        multisample: Default::default(),
        fragment: Some(wgpu::FragmentState {
            module: &blit_module,
            entry_point: None,
            compilation_options: Default::default(),
            targets: &[Some(wgpu::TextureFormat::Rgba8Unorm.into())],
        }),
        multiview_mask: None,
        cache: None,
    });
    let sampler = device.create_sampler(&wgpu::SamplerDescriptor {
        min_filter: wgpu::FilterMode::Linear,
        mag_filter: wgpu::FilterMode::Linear,
        ..Default::default()
    });
    let blits: Vec<_> = (1..levels)
        .map(|level| {
            let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: None,
                layout: &blit.get_bind_group_layout(0),
                entries: &[
                    wgpu::BindGroupEntry {
                        binding: 0,
                        resource: wgpu::BindingResource::TextureView(&level_view(&source, level - 1)),
                    },
                    wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::Sampler(&sampler) },
                ],
            });
            (group, level_view(&source, level))
        })
        .collect();
    let draw = |encoder: &mut wgpu::CommandEncoder, blits: &[(wgpu::BindGroup, wgpu::TextureView)]| {
        for (group, view) in blits {
            let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
                color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                    view,
                    depth_slice: None,
                    resolve_target: None,
                    ops: wgpu::Operations {
                        load: wgpu::LoadOp::Clear(wgpu::Color::BLACK),
                        store: wgpu::StoreOp::Store,
                    },
                })],
                ..Default::default()
            });
            pass.set_pipeline(&blit);
            pass.set_bind_group(0, group, &[]);
            pass.draw(0..3, 0..1);
        }
    };

    let pool = TexturePool::new(device, SoftPoolConfig::builder([2, 2]).beta(8.0).build()?)?;
    let level_as_is = pool.clone().with_alpha(Alpha::AsIs).plan(&source, &half)?;
    let level_straight = pool.plan(&source, &half)?;
    let level_by_channel =
        pool.clone().with_alpha(Alpha::AsIs).with_weighting(Weighting::Channel).plan(&source, &half)?;
    let chain = MipChain::new(device, 8.0)?;
    let chain_as_is = chain.clone().with_alpha(Alpha::AsIs).plan(&source)?;
    let chain_straight = chain.plan(&source)?;
    let chain_shared = chain.clone().with_levels_per_dispatch(12).plan(&source)?;
    let chain_srgb = chain.plan(TextureLevel::new(&source).as_srgb())?;
    let subjects: Vec<Subject<'_>> = vec![
        ("copy by a kernel", Box::new(|encoder| dispatch(encoder, &copy, &copy_groups))),
        (
            "copy_texture_to_texture",
            Box::new(|encoder| {
                encoder.copy_texture_to_texture(source.as_image_copy(), copied.as_image_copy(), copied.size());
            }),
        ),
        ("level: average by a kernel", Box::new(|encoder| dispatch(encoder, &average, &average_groups[..1]))),
        ("level: sampler's blit", Box::new(|encoder| draw(encoder, &blits[..1]))),
        ("level: softpool", Box::new(|encoder| level_as_is.encode(encoder))),
        ("level: softpool, straight alpha", Box::new(|encoder| level_straight.encode(encoder))),
        ("level: softpool, weights by channel", Box::new(|encoder| level_by_channel.encode(encoder))),
        ("chain: averages by a kernel", Box::new(|encoder| dispatch(encoder, &average, &average_groups))),
        ("chain: averages, six levels by a dispatch as SPD's", Box::new(downsample)),
        ("chain: sampler's blits", Box::new(|encoder| draw(encoder, &blits))),
        ("chain: softpool", Box::new(|encoder| chain_as_is.encode(encoder))),
        ("chain: softpool, straight alpha", Box::new(|encoder| chain_straight.encode(encoder))),
        ("chain: softpool, straight alpha, levels share a dispatch", Box::new(|encoder| chain_shared.encode(encoder))),
        ("chain: softpool, straight alpha, sRGB", Box::new(|encoder| chain_srgb.encode(encoder))),
    ];
    let mut times = vec![Vec::new(); subjects.len()];
    for round in 0..if smoke { 1 } else { ROUNDS + 1 } {
        for ((_, record), times) in subjects.iter().zip(&mut times) {
            let start = Instant::now();
            let mut encoder = device.create_command_encoder(&Default::default());
            record(&mut encoder);
            queue.submit([encoder.finish()]);
            device.poll(wgpu::PollType::wait_indefinitely())?;
            // The first round warms up.
            if smoke || round > 0 {
                times.push(start.elapsed().as_secs_f64() * 1e3);
            }
        }
    }
    let mut text = format!(
        "# A mip level and a mip chain of a texture, beside copies and averages\n\n{} x {} rgba8unorm on {}, commit {}: medians of {} \
         rounds, in which all take turns.\n\n| | ms | to the kernel's copy | to copy_texture_to_texture |\n|---|---|---|---|\n",
        size[0],
        size[1],
        context.name(),
        commit(),
        times[0].len()
    );
    let times: Vec<f64> = times.iter_mut().map(|times| median(times)).collect();
    for ((name, _), &time) in subjects.iter().zip(&times) {
        text += &format!("| {name} | {time:.2} | {:.2} | {:.2} |\n", time / times[0], time / times[1]);
    }
    print!("{text}");
    if !smoke {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/results");
        std::fs::write(folder.join(format!("mips-{}.md", file_stem(&context.adapter))), text)?;
    }
    Ok(())
}
