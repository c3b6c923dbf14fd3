//! A plane that goes to the horizon, drawn with mip chains by average (left) and by SoftPool (right): stars, a wire fence and text,
//! which averages lose in the distance.
//!
//! ```sh
//! cargo run --example mip_chain -- assets/mip_chain.png
//! ```
//!
//! Draws without a window, writes a PNG, and fails where the far stars of the right side aren't brighter than those of the left.

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use softpool::texture::{Alpha, MipChain, TextureCache, TextureLevel};
use softpool::{GpuContext, wgpu};

/// Texels along a side of a texture.
const SIDE: u32 = 512;
/// Pixels of a panel; panels lie in two columns and three rows.
const PANEL: [u32; 2] = [460, 200];
/// By level: strong where a star is one texel among four dark ones, and weaker where stars have become patches.
const BETAS: [f32; 5] = [4.0, 2.0, 1.0, 0.5, 0.0];

/// A ray for each pixel meets the plane; the sampler takes levels by how far neighbouring rays are apart.
const PLANE: &str = "
struct Corner { @builtin(position) position: vec4<f32>, @location(0) at: vec2<f32> }

@vertex fn vertex(@builtin(vertex_index) i: u32) -> Corner {
    let at = vec2(f32(i & 1u), f32(i >> 1u)) * 2.0;
    return Corner(vec4(at.x * 2.0 - 1.0, 1.0 - at.y * 2.0, 0.0, 1.0), at);
}

@group(0) @binding(0) var image: texture_2d<f32>;
@group(0) @binding(1) var trilinear: sampler;

@fragment fn fragment(corner: Corner) -> @location(0) vec4<f32> {
    let distance = 1.0 / (corner.at.y + 0.06);
    let light = textureSample(image, trilinear, vec2((corner.at.x - 0.5) * distance * 0.9, distance * 0.55)).rgb;
    // As sRGB stores it.
    let curve = 1.055 * pow(max(light, vec3(0.0031308)), vec3(1.0 / 2.4)) - 0.055;
    return vec4(select(curve, 12.92 * light, light <= vec3(0.0031308)), 1.0);
}";

/// Letters of five columns and seven rows, the left column in the highest bit.
const LETTERS: [(char, [u8; 7]); 8] = [
    ('B', [0b11110, 0b10001, 0b10001, 0b11110, 0b10001, 0b10001, 0b11110]),
    ('X', [0b10001, 0b10001, 0b01010, 0b00100, 0b01010, 0b10001, 0b10001]),
    ('S', [0b01111, 0b10000, 0b10000, 0b01110, 0b00001, 0b00001, 0b11110]),
    ('O', [0b01110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110]),
    ('F', [0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b10000]),
    ('T', [0b11111, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100]),
    ('P', [0b11110, 0b10001, 0b10001, 0b11110, 0b10000, 0b10000, 0b10000]),
    ('L', [0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b11111]),
];

/// Red, green and blue of a scene at a texel.
type Scene = fn(u32, u32) -> [f32; 3];

fn stars(x: u32, y: u32) -> [f32; 3] {
    // One texel in some hundred, in some colours.
    let mut hash = x.wrapping_mul(0x9E37_79B9) ^ y.wrapping_mul(0x85EB_CA6B);
    hash = (hash ^ (hash >> 15)).wrapping_mul(0x2C1B_3C6D);
    hash = (hash ^ (hash >> 12)).wrapping_mul(0x297A_2D39);
    hash ^= hash >> 15;
    match hash % 800 {
        0..=2 => [1.0, 0.95, 0.85],
        3 => [1.0, 0.6, 0.35],
        4 => [0.5, 0.7, 1.0],
        _ => [0.004, 0.005, 0.012],
    }
}

fn fence(x: u32, y: u32) -> [f32; 3] {
    let on_wire = (x + y).is_multiple_of(32) || (x + SIDE - y).is_multiple_of(32);
    if on_wire { [0.9, 0.92, 0.95] } else { [0.02, 0.05, 0.025] }
}

fn text(x: u32, y: u32) -> [f32; 3] {
    let (column, row) = (x / 2 % 8, y / 2 % 12);
    let is_ink = has_ink("SOFTPOOL", x / 16 % 8, column, row);
    if is_ink { [1.0, 0.75, 0.2] } else { [0.01, 0.012, 0.03] }
}

/// Whether a word's letter is there in a column and a row of its shape.
fn has_ink(word: &str, letter: u32, column: u32, row: u32) -> bool {
    let letter = word.chars().nth(letter as usize);
    let shape = LETTERS.iter().find(|(of, _)| Some(*of) == letter);
    shape.is_some_and(|(_, rows)| column < 5 && row < 7 && rows[row as usize] >> (4 - column) & 1 == 1)
}

/// Writes a word into a corner of the picture, on black.
fn write_caption(pixels: &mut [u8], width: u32, left: u32, word: &str) {
    for y in 0..22 {
        for x in 0..12 * word.len() as u32 + 6 {
            // Pixels of two by two, with a margin of four.
            let is_inside = x >= 4 && y >= 4;
            let ink = is_inside && has_ink(word, (x - 4) / 12, (x - 4) % 12 / 2, (y - 4) / 2);
            let at = 4 * (y * width + left + x) as usize;
            pixels[at..at + 3].fill(if ink { 255 } else { 0 });
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "mip_chain.png".into());
    let context = GpuContext::new_blocking()?;
    let (device, queue) = (&context.device, &context.queue);
    let cache = TextureCache::new(device);
    let soft = MipChain::with_cache(device, BETAS[0], &cache)?.with_betas(BETAS)?.with_alpha(Alpha::AsIs);
    let average = MipChain::with_cache(device, 0.0, &cache)?.with_alpha(Alpha::AsIs);

    let [width, height] = [2 * PANEL[0], 3 * PANEL[1]];
    let target = device.create_texture(&wgpu::TextureDescriptor {
        label: Some("picture"),
        size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba8Unorm,
        usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
        view_formats: &[],
    });
    let pipeline = plane_pipeline(device);
    let sampler = device.create_sampler(&wgpu::SamplerDescriptor {
        address_mode_u: wgpu::AddressMode::Repeat,
        address_mode_v: wgpu::AddressMode::Repeat,
        mag_filter: wgpu::FilterMode::Linear,
        min_filter: wgpu::FilterMode::Linear,
        mipmap_filter: wgpu::MipmapFilterMode::Linear,
        ..Default::default()
    });

    let mut encoder = device.create_command_encoder(&Default::default());
    let mut panels = Vec::new();
    for scene in [stars, fence, text] as [Scene; 3] {
        for chain in [&average, &soft] {
            let texture = scene_texture(device, queue, scene);
            chain.encode(&mut encoder, TextureLevel::new(&texture))?;
            panels.push(device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some("panel"),
                layout: &pipeline.get_bind_group_layout(0),
                entries: &[
                    wgpu::BindGroupEntry {
                        binding: 0,
                        resource: wgpu::BindingResource::TextureView(&texture.create_view(&Default::default())),
                    },
                    wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::Sampler(&sampler) },
                ],
            }));
        }
    }
    {
        let view = target.create_view(&Default::default());
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("panels"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &view,
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations { load: wgpu::LoadOp::Clear(wgpu::Color::BLACK), store: wgpu::StoreOp::Store },
            })],
            ..Default::default()
        });
        pass.set_pipeline(&pipeline);
        for (index, panel) in panels.iter().enumerate() {
            let (column, row) = (index as u32 % 2, index as u32 / 2);
            let [x, y] = [column * PANEL[0], row * PANEL[1]].map(|offset| offset as f32);
            // A black line between panels.
            let [width, height] = PANEL.map(|size| (size - 2) as f32);
            pass.set_viewport(x, y, width, height, 0.0, 1.0);
            pass.set_bind_group(0, panel, &[]);
            pass.draw(0..3, 0..1);
        }
    }
    let mut pixels = read(device, queue, encoder, &target)?;

    // The tenth of the panel that is the farthest away.
    let brightness = |row: u32, column: u32| {
        let lines = row * PANEL[1]..row * PANEL[1] + PANEL[1] / 10;
        let of_line = |y: u32| {
            let start = 4 * (y * width + column * PANEL[0]) as usize;
            pixels[start..start + 4 * PANEL[0] as usize].chunks(4).map(|pixel| f64::from(pixel[0])).sum::<f64>()
        };
        lines.map(of_line).sum::<f64>() / f64::from(PANEL[0] * PANEL[1] / 10)
    };
    for (row, name) in ["stars", "a wire fence", "text"].into_iter().enumerate() {
        let [average, soft] = [0, 1].map(|column| brightness(row as u32, column));
        println!("{name}, far away: {average:.0} of 255 by average, {soft:.0} by SoftPool");
        if soft <= 1.25 * average {
            return Err(format!("{name}: the highlights are lost").into());
        }
    }
    write_caption(&mut pixels, width, 0, "BOX");
    write_caption(&mut pixels, width, PANEL[0], "SOFT");
    write_png(Path::new(&path), [width, height], &pixels)?;
    println!("{path}, drawn on {}", context.name());
    Ok(())
}

/// A scene with room for all its levels, of which the first is filled.
fn scene_texture(device: &wgpu::Device, queue: &wgpu::Queue, scene: Scene) -> wgpu::Texture {
    let texture = device.create_texture(&wgpu::TextureDescriptor {
        label: Some("scene"),
        size: wgpu::Extent3d { width: SIDE, height: SIDE, depth_or_array_layers: 1 },
        mip_level_count: SIDE.ilog2() + 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba16Float,
        usage: wgpu::TextureUsages::TEXTURE_BINDING
            | wgpu::TextureUsages::STORAGE_BINDING
            | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    let texel = |index: u32| {
        let [red, green, blue] = scene(index % SIDE, index / SIDE);
        [red, green, blue, 1.0].map(|channel| half::f16::from_f32(channel).to_bits())
    };
    let texels: Vec<[u16; 4]> = (0..SIDE * SIDE).map(texel).collect();
    queue.write_texture(
        texture.as_image_copy(),
        bytemuck::cast_slice(&texels),
        wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(8 * SIDE), rows_per_image: None },
        wgpu::Extent3d { width: SIDE, height: SIDE, depth_or_array_layers: 1 },
    );
    texture
}

fn plane_pipeline(device: &wgpu::Device) -> wgpu::RenderPipeline {
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some("plane"),
        source: wgpu::ShaderSource::Wgsl(PLANE.into()),
    });
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some("plane"),
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
            targets: &[Some(wgpu::TextureFormat::Rgba8Unorm.into())],
        }),
        multiview_mask: None,
        cache: None,
    })
}

/// Submits what is encoded, and the pixels that it has drawn.
fn read(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    mut encoder: wgpu::CommandEncoder,
    target: &wgpu::Texture,
) -> Result<Vec<u8>, Box<dyn Error>> {
    let row = 4 * target.width();
    let padded = row.next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("readback"),
        size: u64::from(padded * target.height()),
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    encoder.copy_texture_to_buffer(
        target.as_image_copy(),
        wgpu::TexelCopyBufferInfo {
            buffer: &buffer,
            layout: wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(padded), rows_per_image: None },
        },
        target.size(),
    );
    queue.submit([encoder.finish()]);
    buffer.map_async(wgpu::MapMode::Read, .., |_| ());
    device.poll(wgpu::PollType::wait_indefinitely())?;
    let mapped = buffer.get_mapped_range(..)?;
    Ok(mapped.chunks(padded as usize).flat_map(|bytes| &bytes[..row as usize]).copied().collect())
}

fn write_png(path: &Path, [width, height]: [u32; 2], pixels: &[u8]) -> Result<(), Box<dyn Error>> {
    let mut encoder = png::Encoder::new(BufWriter::new(File::create(path)?), width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
    let rgb: Vec<u8> = pixels.chunks(4).flat_map(|pixel| &pixel[..3]).copied().collect();
    encoder.write_header()?.write_image_data(&rgb)?;
    Ok(())
}
