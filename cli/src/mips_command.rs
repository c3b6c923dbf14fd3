//! `softpool mips`: an image in, its mip levels out, a PNG file each.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use softpool::texture::reference::{Image, TexelPooling};
use softpool::texture::{Alpha, MipChain, TextureCache, TextureLevel, TexturePool, Weighting};
use softpool::{GpuContext, Shape, SoftPoolConfig, wgpu};

use crate::arguments::{MipsArguments, Weight};
use crate::device::Device;
use crate::encoding::Format;
use crate::failure::{Failure, Result};
use crate::output_files::Output;
use crate::picture::Picture;
use crate::report::Report;
use crate::tensor_commands::ran_on;

/// Channels of a texel.
const RGBA: usize = 4;

/// Writes all levels of the image, the image itself included.
pub fn run(arguments: &MipsArguments) -> Result<Report> {
    let MipsArguments { input, output: folder, .. } = arguments;
    if let Some(beta) = arguments.beta.iter().find(|beta| !beta.is_finite()) {
        return Err(softpool::Error::BetaNotFinite { beta: *beta }.into());
    }
    let picture = Picture::read(input, arguments.reading.max_memory)?;
    let most = picture.width.max(picture.height);
    fs::create_dir_all(folder)
        .map_err(|error| Failure::of_file(folder, format_args!("no folder can be made: {error}")))?;
    let stem = input.file_stem().map_or_else(|| "mip".into(), |stem| stem.to_string_lossy());
    let paths: Vec<PathBuf> = (0..=most.ilog2()).map(|level| folder.join(format!("{stem}-{level:02}.png"))).collect();
    let outputs: Vec<Output> = paths.iter().map(|path| Output::check(path)).collect::<Result<_>>()?;
    Format::Png.check(picture.color, folder)?;

    let device = Device::choose(&arguments.device.device)?;
    let start = Instant::now();
    let levels = levels(&picture, arguments, &device)?;
    let time = start.elapsed();

    let mut staged = Vec::new();
    for (level, output) in levels.iter().zip(&outputs) {
        staged.push(output.stage(|file| level.write(Format::Png, file))?);
    }
    for file in staged {
        file.publish()?;
    }
    let betas: Vec<String> = arguments.beta.iter().map(f32::to_string).collect();
    let mut report = format!("{}: {}\n", input.display(), picture.describe());
    for (path, level) in paths.iter().zip(&levels) {
        report += &format!("{}: {}x{}\n", path.display(), level.width, level.height);
    }
    report += &format!(
        "mip chain{}, weights by {}, beta {} for values from 0 to 1\n{}",
        if arguments.reading.linear { " in linear light" } else { "" },
        arguments.weight,
        betas.join(", "),
        ran_on(&device, time)
    );
    Ok(Report::new(report))
}

/// The picture and the levels below it, each from the one above before that is rounded.
fn levels(picture: &Picture, arguments: &MipsArguments, device: &Device) -> Result<Vec<Picture>> {
    let texels = picture.rgba(arguments.reading.linear);
    let (width, height) = (picture.width, picture.height);
    let weighting = match arguments.weight {
        Weight::Luminance => Weighting::Luminance,
        Weight::Channel => Weighting::Channel,
    };
    let below = match device {
        Device::Gpu(gpu) => {
            let below = on_device(&gpu.context, &texels, [width, height], weighting, &arguments.beta);
            gpu.check()?;
            below?
        }
        Device::Cpu => on_cpu(&texels, [width, height], weighting, &arguments.beta)?,
    };
    let mut levels = vec![picture.clone()];
    let mut size = [width, height];
    for texels in &below {
        size = size.map(|size| (size / 2).max(1));
        levels.push(picture.of_rgba(texels, size, arguments.reading.linear));
    }
    Ok(levels)
}

/// Levels 1 and on, plane after plane, from planes of red, green, blue and alpha.
fn on_device(
    context: &GpuContext,
    texels: &[f32],
    [width, height]: [usize; 2],
    weighting: Weighting,
    betas: &[f32],
) -> Result<Vec<Vec<f32>>> {
    let device = &context.device;
    let (most, allowed) = (width.max(height), device.limits().max_texture_dimension_2d);
    if most > allowed as usize {
        return Err(Failure::Usage(format!(
            "{width}x{height} pixels: textures of {} have at most {allowed} along a side; give a smaller image, or --device cpu",
            context.name()
        )));
    }
    let texture = device.create_texture(&wgpu::TextureDescriptor {
        label: Some("softpool mips"),
        size: wgpu::Extent3d { width: width as u32, height: height as u32, depth_or_array_layers: 1 },
        mip_level_count: most.ilog2() + 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba32Float,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::STORAGE_BINDING,
        view_formats: &[],
    });
    let cache = TextureCache::new(device);
    let as_it_is = SoftPoolConfig::builder([1, 1]).build()?;
    let as_it_is = TexturePool::with_cache(device, as_it_is, &cache)?.with_alpha(Alpha::AsIs);
    let planes = |width: usize, height: usize| Shape::new([1, RGBA, height, width]);
    let chain = MipChain::with_cache(device, 0.0, &cache)?.with_betas(betas)?.with_weighting(weighting);
    let mut encoder = device.create_command_encoder(&Default::default());
    let source = context.upload(planes(width, height)?, texels)?;
    as_it_is.encode_from_tensor(&mut encoder, &source, &texture)?;
    chain.encode(&mut encoder, &texture)?;
    let mut levels = Vec::new();
    for level in 1..texture.mip_level_count() {
        let shape = planes((width >> level).max(1), (height >> level).max(1))?;
        let tensor = context.upload(shape, &vec![0.0; shape.elements()])?;
        as_it_is.encode_to_tensor(&mut encoder, TextureLevel::new(&texture).level(level), &tensor)?;
        levels.push(tensor);
    }
    context.queue.submit([encoder.finish()]);
    Ok(levels.iter().map(|tensor| tensor.read_blocking()).collect::<softpool::Result<_>>()?)
}

/// The same in plain Rust.
fn on_cpu(texels: &[f32], [width, height]: [usize; 2], weighting: Weighting, betas: &[f32]) -> Result<Vec<Vec<f32>>> {
    let pixels = width * height;
    let texel = |index: usize| [0, 1, 2, 3].map(|channel: usize| f64::from(texels[channel * pixels + index]));
    let mut image = Image { size: [width as u32, height as u32, 1], texels: (0..pixels).map(texel).collect() };
    let mut levels = Vec::new();
    while image.size != [1, 1, 1] {
        let beta = betas[levels.len().min(betas.len() - 1)];
        let pooling = TexelPooling { beta, weighting, alpha: Alpha::Straight, channels: RGBA as u8 };
        image = pooling.mip_level(&image, false)?;
        let planes = (0..RGBA).flat_map(|channel| image.texels.iter().map(move |texel| texel[channel] as f32));
        levels.push(planes.collect());
    }
    Ok(levels)
}
