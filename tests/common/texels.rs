//! Textures of the tests: filled with what their formats have, read back, and held against the f64 reference.

use half::f16;
use softpool::texture::reference::{Image, linear_from_srgb, srgb_from_linear};
use softpool::texture::{Alpha, TextureLevel, TexturePool};
use softpool::{GpuContext, Shape, SoftPoolConfig, wgpu};

use super::Random;

/// The formats that every device stores fractions to, but for `Rg32Float` on GL: [`formats`].
const FORMATS: [wgpu::TextureFormat; 6] = [
    wgpu::TextureFormat::Rgba8Unorm,
    wgpu::TextureFormat::Rgba8Snorm,
    wgpu::TextureFormat::Rgba16Float,
    wgpu::TextureFormat::R32Float,
    wgpu::TextureFormat::Rg32Float,
    wgpu::TextureFormat::Rgba32Float,
];

/// Those that this device does.
pub fn formats(context: &GpuContext) -> impl Iterator<Item = wgpu::TextureFormat> {
    let storable = wgpu::TextureUsages::STORAGE_BINDING;
    let adapter = context.adapter.clone();
    FORMATS.into_iter().filter(move |&format| {
        let stores = adapter.get_texture_format_features(format).allowed_usages.contains(storable);
        assert!(stores || format == wgpu::TextureFormat::Rg32Float, "{format:?} is stored to everywhere");
        stores
    })
}

/// What a test's texture is like.
#[derive(Clone, Copy, Debug)]
pub struct Like {
    pub format: wgpu::TextureFormat,
    /// Width, height, and depth or layers.
    pub size: [u32; 3],
    pub is_3d: bool,
    pub levels: u32,
}

impl Like {
    pub fn new(format: wgpu::TextureFormat, size: [u32; 3]) -> Self {
        Self { format, size, is_3d: false, levels: 1 }
    }

    /// With all mip levels.
    pub fn with_levels(self) -> Self {
        let [width, height, depth] = self.size;
        let most = width.max(height).max(if self.is_3d { depth } else { 1 });
        Self { levels: most.ilog2() + 1, ..self }
    }

    pub fn in_3d(self) -> Self {
        Self { is_3d: true, ..self }
    }

    pub fn texture(&self, context: &GpuContext) -> wgpu::Texture {
        let storage = match self.format {
            wgpu::TextureFormat::Rgba8UnormSrgb | wgpu::TextureFormat::Rgba8Uint => wgpu::TextureUsages::empty(),
            _ => wgpu::TextureUsages::STORAGE_BINDING,
        };
        let usage = wgpu::TextureUsages::TEXTURE_BINDING
            | wgpu::TextureUsages::COPY_SRC
            | wgpu::TextureUsages::COPY_DST
            | storage;
        self.texture_for(context, usage)
    }

    pub fn texture_for(&self, context: &GpuContext, usage: wgpu::TextureUsages) -> wgpu::Texture {
        let [width, height, depth_or_array_layers] = self.size;
        context.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("test"),
            size: wgpu::Extent3d { width, height, depth_or_array_layers },
            mip_level_count: self.levels,
            sample_count: 1,
            dimension: if self.is_3d { wgpu::TextureDimension::D3 } else { wgpu::TextureDimension::D2 },
            format: self.format,
            usage,
            view_formats: &[],
        })
    }

    pub fn size_of(&self, level: u32) -> [u32; 3] {
        let [width, height, depth] = self.size;
        let at_level = |size: u32| (size >> level).max(1);
        [at_level(width), at_level(height), if self.is_3d { at_level(depth) } else { depth }]
    }
}

fn texel_bytes(format: wgpu::TextureFormat) -> usize {
    format.block_copy_size(None).expect("a format of one plane") as usize
}

/// The bytes of a texel, rounded to the nearest.
fn encode(format: wgpu::TextureFormat, texel: [f64; 4]) -> Vec<u8> {
    use wgpu::TextureFormat as Format;
    let floats = |channels: usize| texel[..channels].iter().flat_map(|&x| (x as f32).to_le_bytes()).collect();
    let halves = |channels: usize| texel[..channels].iter().flat_map(|&x| f16::from_f64(x).to_le_bytes()).collect();
    let unorm = |x: f64| (x * 255.0).round() as u8;
    match format {
        Format::Rgba8Unorm | Format::Rgba8UnormSrgb => texel.map(unorm).to_vec(),
        Format::R8Unorm | Format::Rg8Unorm => {
            texel[..usize::from(format.components())].iter().copied().map(unorm).collect()
        }
        Format::Rgba16Unorm => texel.iter().flat_map(|&x| ((x * 65535.0).round() as u16).to_le_bytes()).collect(),
        Format::Bgra8Unorm => [2, 1, 0, 3].map(|channel: usize| unorm(texel[channel])).to_vec(),
        Format::Rgba8Snorm => texel.map(|x| (x * 127.0).round() as i8 as u8).to_vec(),
        Format::R16Float => halves(1),
        Format::Rg16Float => halves(2),
        Format::Rgba16Float => halves(4),
        Format::R32Float => floats(1),
        Format::Rg32Float => floats(2),
        Format::Rgba32Float => floats(4),
        _ => panic!("no test has {format:?}"),
    }
}

/// What a shader reads, sRGB's bytes as they are.
fn decode(format: wgpu::TextureFormat, bytes: &[u8]) -> [f64; 4] {
    use wgpu::TextureFormat as Format;
    let float = |i: usize| f64::from(f32::from_le_bytes(bytes[4 * i..][..4].try_into().expect("four bytes")));
    let unorm = |i: usize| f64::from(bytes[i]) / 255.0;
    let word = |i: usize| [bytes[2 * i], bytes[2 * i + 1]];
    let half = |i: usize| f16::from_le_bytes(word(i)).to_f64();
    match format {
        Format::Rgba8Unorm | Format::Rgba8UnormSrgb => [0, 1, 2, 3].map(unorm),
        Format::Bgra8Unorm => [2, 1, 0, 3].map(unorm),
        Format::Rgba8Snorm => [0, 1, 2, 3].map(|i: usize| (f64::from(bytes[i] as i8) / 127.0).max(-1.0)),
        Format::R8Unorm => [unorm(0), 0.0, 0.0, 1.0],
        Format::Rg8Unorm => [unorm(0), unorm(1), 0.0, 1.0],
        Format::Rgba16Unorm => [0, 1, 2, 3].map(|i: usize| f64::from(u16::from_le_bytes(word(i))) / 65535.0),
        Format::R16Float => [half(0), 0.0, 0.0, 1.0],
        Format::Rg16Float => [half(0), half(1), 0.0, 1.0],
        Format::Rgba16Float => [0, 1, 2, 3].map(half),
        Format::R32Float => [float(0), 0.0, 0.0, 1.0],
        Format::Rg32Float => [float(0), float(1), 0.0, 1.0],
        Format::Rgba32Float => [0, 1, 2, 3].map(float),
        _ => panic!("no test has {format:?}"),
    }
}

/// Values as the format has them: 0 to 1, or normal ones where it has those; some texels are wholly transparent.
pub fn random(like: &Like, random: &mut Random) -> Image {
    let count = like.size.iter().product::<u32>() as usize;
    let mut value = || f64::from(random.normal());
    let mut texel = || {
        let [r, g, b, a] = [value(), value(), value(), value()];
        // Between 0 and 1, the ends included.
        let unit = |x: f64| (0.5 + 0.4 * x).clamp(0.0, 1.0);
        match like.format {
            wgpu::TextureFormat::Rgba8Snorm => [(0.5 * r).clamp(-1.0, 1.0), 0.3 * unit(g), -unit(b), unit(a)],
            wgpu::TextureFormat::Rgba8Unorm | wgpu::TextureFormat::Rgba8UnormSrgb | wgpu::TextureFormat::Bgra8Unorm => {
                [r, g, b, a].map(unit)
            }
            _ => [r, g, 3.0 * b, unit(a)],
        }
    };
    rounded(like.format, &Image { size: like.size, texels: (0..count).map(|_| texel()).collect() })
}

/// What a format makes of an image.
pub fn rounded(format: wgpu::TextureFormat, image: &Image) -> Image {
    let texels = image.texels.iter().map(|&texel| decode(format, &encode(format, texel))).collect();
    Image { size: image.size, texels }
}

/// Light, where an image has sRGB's values.
pub fn linear(image: &Image) -> Image {
    let light = |&[r, g, b, a]: &[f64; 4]| [linear_from_srgb(r), linear_from_srgb(g), linear_from_srgb(b), a];
    Image { size: image.size, texels: image.texels.iter().map(light).collect() }
}

pub fn srgb(image: &Image) -> Image {
    let stored = |&[r, g, b, a]: &[f64; 4]| [srgb_from_linear(r), srgb_from_linear(g), srgb_from_linear(b), a];
    Image { size: image.size, texels: image.texels.iter().map(stored).collect() }
}

pub fn write(context: &GpuContext, texture: &wgpu::Texture, level: u32, image: &Image) {
    let format = texture.format();
    let bytes: Vec<u8> = image.texels.iter().flat_map(|&texel| encode(format, texel)).collect();
    write_bytes(context, texture, level, image.size, &bytes);
}

pub fn write_bytes(context: &GpuContext, texture: &wgpu::Texture, level: u32, size: [u32; 3], bytes: &[u8]) {
    let [width, height, depth_or_array_layers] = size;
    context.queue.write_texture(
        wgpu::TexelCopyTextureInfo { mip_level: level, ..texture.as_image_copy() },
        bytes,
        wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(width * texel_bytes(texture.format()) as u32),
            rows_per_image: Some(height),
        },
        wgpu::Extent3d { width, height, depth_or_array_layers },
    );
}

/// Fills a level with what no pooling makes, so that a texel that isn't written shows.
pub fn poison(context: &GpuContext, texture: &wgpu::Texture, level: u32, size: [u32; 3]) {
    let count = size.iter().product::<u32>() as usize;
    write(context, texture, level, &Image { size, texels: vec![[0.9921568627450981; 4]; count] });
}

pub fn read(context: &GpuContext, texture: &wgpu::Texture, level: u32, size: [u32; 3]) -> Image {
    let format = texture.format();
    if format == wgpu::TextureFormat::Rgba8Snorm && is_on_gl(context) {
        // GL's copies make 0 of it.
        return read_by_tensor(context, texture, level, size);
    }
    let bytes = read_bytes(context, texture, level, size);
    Image { size, texels: bytes.chunks(texel_bytes(format)).map(|texel| decode(format, texel)).collect() }
}

/// The bytes of a level, without gaps.
pub fn read_bytes(context: &GpuContext, texture: &wgpu::Texture, level: u32, size: [u32; 3]) -> Vec<u8> {
    let [width, height, depth_or_array_layers] = size;
    let row = width as usize * texel_bytes(texture.format());
    let padded = row.next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT as usize);
    let rows = (height * depth_or_array_layers) as usize;
    let buffer = context.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("test readback"),
        size: (padded * rows) as u64,
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let mut encoder = context.device.create_command_encoder(&Default::default());
    encoder.copy_texture_to_buffer(
        wgpu::TexelCopyTextureInfo { mip_level: level, ..texture.as_image_copy() },
        wgpu::TexelCopyBufferInfo {
            buffer: &buffer,
            layout: wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some(padded as u32),
                rows_per_image: Some(height),
            },
        },
        wgpu::Extent3d { width, height, depth_or_array_layers },
    );
    context.queue.submit([encoder.finish()]);
    buffer.map_async(wgpu::MapMode::Read, .., |_| ());
    context.device.poll(wgpu::PollType::wait_indefinitely()).expect("a device that works");
    let mapped = buffer.get_mapped_range(..).expect("it is mapped");
    mapped.chunks(padded).flat_map(|bytes| &bytes[..row]).copied().collect()
}

/// What a kernel reads.
pub fn read_by_tensor(context: &GpuContext, texture: &wgpu::Texture, level: u32, size: [u32; 3]) -> Image {
    let [width, height, layers] = size.map(|size| size as usize);
    let config = SoftPoolConfig::builder([1, 1]).build().expect("valid");
    let pool = TexturePool::new(&context.device, config).expect("two axes").with_alpha(Alpha::AsIs);
    let shape = Shape::new([layers, 4, height, width]).expect("a small tensor");
    let tensor = context.upload(shape, &vec![0.0; shape.elements()]).expect("a small tensor");
    let plan = pool.plan_to_tensor(TextureLevel::new(texture).level(level), &tensor).expect("a texture");
    let mut encoder = context.device.create_command_encoder(&Default::default());
    plan.encode(&mut encoder);
    context.queue.submit([encoder.finish()]);
    let values = tensor.read_blocking().expect("a device that works");
    let plane = width * height;
    let texel = |index: usize| [0, 1, 2, 3].map(|c| f64::from(values[(index / plane * 4 + c) * plane + index % plane]));
    Image { size, texels: (0..layers * plane).map(texel).collect() }
}

pub fn is_on_gl(context: &GpuContext) -> bool {
    context.adapter.get_info().backend == wgpu::Backend::Gl
}

/// Steps of a format's values that a result may be off by beyond what rounding to the nearest allows: f32's own rounding.
const BEYOND_ROUNDING: f64 = 1.0 / 64.0;
/// Ulp of the largest value of the source by which f32 may be off.
const F32_ULP: f64 = 4.0;

/// By how much a format's value may be off around `want`, where values are `largest` at most.
fn allowed(format: wgpu::TextureFormat, want: f64, largest: f64) -> f64 {
    use wgpu::TextureFormat as Format;
    let f32_error = F32_ULP * largest * 2f64.powi(-23);
    match format {
        Format::Rgba8Unorm | Format::Rgba8UnormSrgb | Format::Bgra8Unorm | Format::R8Unorm | Format::Rg8Unorm => {
            (0.5 + BEYOND_ROUNDING) / 255.0
        }
        Format::Rgba16Unorm => 0.5 / 65535.0 + f32_error,
        Format::Rgba8Snorm => (0.5 + BEYOND_ROUNDING) / 127.0,
        Format::R16Float | Format::Rg16Float | Format::Rgba16Float => {
            // WGSL leaves open how a driver rounds: to either neighbour.
            let ulp = 2f64.powi((want.abs().max(2f64.powi(-14)).log2().floor() as i32 - 10).max(-24));
            ulp + f32_error
        }
        _ => f32_error,
    }
}

/// # Panics
/// If a channel that the format has is off by more than its rounding.
pub fn assert_close(what: &str, format: wgpu::TextureFormat, got: &Image, want: &Image, largest: f64) {
    assert_eq!(got.size, want.size, "{what}");
    let channels = usize::from(format.components());
    for (index, (got, want)) in got.texels.iter().zip(&want.texels).enumerate() {
        for channel in 0..channels {
            let (got, want) = (got[channel], clamped(format, want[channel]));
            let largest = largest.max(want.abs());
            let close = (got - want).abs() <= allowed(format, want, largest);
            let alike = got == want || got.is_nan() && want.is_nan();
            assert!(
                close || alike,
                "{what}: channel {channel} of texel {index} is {got}, not {want}: off by {:e}, where {:e} is allowed",
                (got - want).abs(),
                allowed(format, want, largest)
            );
        }
    }
}

/// What a format stores at most: with straight alpha a colour by channel may be beyond.
fn clamped(format: wgpu::TextureFormat, value: f64) -> f64 {
    use wgpu::TextureFormat as Format;
    match format {
        Format::R16Float | Format::Rg16Float | Format::Rgba16Float => value,
        Format::R32Float | Format::Rg32Float | Format::Rgba32Float => value,
        Format::Rgba8Snorm => value.clamp(-1.0, 1.0),
        _ => value.clamp(0.0, 1.0),
    }
}

pub fn largest(image: &Image) -> f64 {
    image.texels.iter().flatten().fold(0.0, |most: f64, x| most.max(x.abs()))
}
