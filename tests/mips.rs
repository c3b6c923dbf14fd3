//! Evidence for mip chains: each level against the f64 reference of the level above, for every format, odd sizes, layers, faces and
//! 3D; what beta promises; and the same texels whether levels share a dispatch or not.

use crate::common::texels::{
    Like, assert_close, formats, is_on_gl, largest, linear, poison, random, read, read_bytes, srgb, write, write_bytes,
};
use crate::common::{Random, on_every_adapter};
use softpool::texture::reference::{Image, TexelPooling};
use softpool::texture::{Alpha, MipChain, TextureCache, TextureLevel, Weighting};
use softpool::{GpuContext, wgpu};

const WEIGHTINGS: [Weighting; 3] =
    [Weighting::Luminance, Weighting::Channel, Weighting::Shared([0.5, -1.0, 0.25, 0.75])];

/// Sizes of all parities, along each axis.
const SIZES: [[u32; 3]; 11] = [
    [1, 1, 1],
    [1, 7, 1],
    [9, 1, 1],
    [1, 4096, 1],
    [2047, 1, 1],
    [5, 3, 1],
    [6, 4, 1],
    [13, 10, 1],
    [64, 64, 1],
    [67, 33, 1],
    [127, 129, 1],
];

/// Fills a texture's first level, makes its chain, and holds each level against the reference of the one above, as it is stored.
fn check(context: &GpuContext, like: &Like, chain: &MipChain, pooling: TexelPooling, is_srgb: bool) {
    let what = format!("{like:?} by {pooling:?} on {}", context.name());
    let mut source = random(like, &mut Random::new(u64::from(like.size[0] * 31 + like.size[1])));
    let texture = like.texture(context);
    write(context, &texture, 0, &source);
    for level in 1..like.levels {
        poison(context, &texture, level, like.size_of(level));
    }
    let level = TextureLevel::new(&texture);
    let plan =
        chain.plan(if is_srgb { level.as_srgb() } else { level }).unwrap_or_else(|error| panic!("{what}: {error}"));
    let mut encoder = context.device.create_command_encoder(&Default::default());
    plan.encode(&mut encoder);
    context.queue.submit([encoder.finish()]);
    for level in 1..like.levels {
        let got = read(context, &texture, level, like.size_of(level));
        let pooling = TexelPooling { beta: chain.beta_of(level), ..pooling };
        let light = if is_srgb { linear(&source) } else { source.clone() };
        let want = pooling.mip_level(&light, like.is_3d).expect("a finite beta");
        let want = if is_srgb { srgb(&want) } else { want };
        assert_close(&format!("level {level} of {what}"), like.format, &got, &want, largest(&source));
        source = got;
    }
}

fn pooling(beta: f32, weighting: Weighting, alpha: Alpha, format: wgpu::TextureFormat) -> TexelPooling {
    TexelPooling { beta, weighting, alpha, channels: format.components() }
}

#[test]
fn every_format_and_odd_sizes() {
    on_every_adapter(|context| {
        let cache = TextureCache::new(&context.device);
        for (index, format) in formats(context).enumerate() {
            for (turn, size) in SIZES.into_iter().enumerate() {
                // Every weighting meets every format and every size.
                let weighting = WEIGHTINGS[(index + turn) % 3];
                let alpha = if turn % 2 == 0 { Alpha::Straight } else { Alpha::AsIs };
                let chain = MipChain::with_cache(&context.device, 3.0, &cache).expect("a chain");
                let chain = chain.with_weighting(weighting).with_alpha(alpha);
                let like = Like::new(format, size).with_levels();
                check(context, &like, &chain, pooling(3.0, weighting, alpha, format), false);
            }
        }
    });
}

/// Levels that share a dispatch, by tiles that overlap where sizes are odd, and by a last workgroup.
#[test]
fn levels_that_share_a_dispatch() {
    // A software driver takes a second to compile each kernel: every format and every size is here, not every pair.
    on_every_adapter(|context| {
        let cache = TextureCache::new(&context.device);
        let unorm = wgpu::TextureFormat::Rgba8Unorm;
        let sizes = [[1, 7, 1], [9, 1, 1], [67, 33, 1], [127, 129, 1], [255, 97, 3]];
        let of_unorm = sizes.into_iter().map(|size| (unorm, size));
        let others = formats(context).filter(|&format| format != unorm).map(|format| (format, [130, 300, 1]));
        for (turn, (format, size)) in of_unorm.chain(others).enumerate() {
            let weighting = WEIGHTINGS[turn % 3];
            let alpha = if turn % 2 == 0 { Alpha::Straight } else { Alpha::AsIs };
            let most = [12, 4, 12, 3][turn % 4];
            let chain = MipChain::with_cache(&context.device, 3.0, &cache).expect("a chain");
            let chain = chain.with_weighting(weighting).with_alpha(alpha).with_levels_per_dispatch(most);
            let like = Like::new(format, size).with_levels();
            check(context, &like, &chain, pooling(3.0, weighting, alpha, format), false);
        }
        let like = Like::new(wgpu::TextureFormat::Rgba8Unorm, [111, 203, 1]).with_levels();
        let chain = MipChain::new(&context.device, 8.0).and_then(|chain| chain.with_betas([8.0, 8.0, 8.0, 2.0]));
        let chain = chain.expect("a chain").with_levels_per_dispatch(12);
        check(context, &like, &chain, pooling(8.0, Weighting::Luminance, Alpha::Straight, like.format), true);
        let texture = like.texture(context);
        // Three levels by one beta, and four by another.
        let dispatches = if is_on_gl(context) { 2 * 7 } else { 2 };
        assert_eq!(chain.plan(&texture).expect("a chain").dispatches(), dispatches, "{}", context.name());
    });
}

#[test]
fn srgb_is_decoded_and_encoded() {
    on_every_adapter(|context| {
        let like = Like::new(wgpu::TextureFormat::Rgba8Unorm, [37, 22, 1]).with_levels();
        let chain = MipChain::new(&context.device, 8.0).expect("a chain");
        check(context, &like, &chain, pooling(8.0, Weighting::Luminance, Alpha::Straight, like.format), true);
    });
}

#[test]
fn layers_faces_and_3d() {
    on_every_adapter(|context| {
        let (beta, weighting, alpha) = (2.0, Weighting::Luminance, Alpha::AsIs);
        let cache = TextureCache::new(&context.device);
        let chain = MipChain::with_cache(&context.device, beta, &cache).expect("a chain");
        let chain = chain.with_weighting(weighting).with_alpha(alpha);
        let format = wgpu::TextureFormat::Rgba16Float;
        let array = Like::new(format, [21, 9, 6]).with_levels();
        check(context, &array, &chain, pooling(beta, weighting, alpha, format), false);
        let cube = Like::new(format, [16, 16, 6]).with_levels();
        let volume = Like::new(format, [9, 7, 5]).in_3d().with_levels();
        if is_on_gl(context) {
            // GL says which way there is instead.
            for like in [cube, volume] {
                let error = chain.plan(&like.texture(context)).unwrap_err().to_string();
                assert!(error.contains("GL") && error.contains("use another backend"), "{error}");
            }
        } else {
            check(context, &cube, &chain, pooling(beta, weighting, alpha, format), false);
            check(context, &volume, &chain, pooling(beta, weighting, alpha, format), false);
        }
    });
}

/// A chain of some layers leaves the others as they are.
#[test]
fn some_layers_of_an_array() {
    on_every_adapter(|context| {
        let like = Like::new(wgpu::TextureFormat::Rgba8Unorm, [8, 8, 5]).with_levels();
        let texture = like.texture(context);
        let image = random(&like, &mut Random::new(5));
        write(context, &texture, 0, &image);
        for level in 1..like.levels {
            poison(context, &texture, level, like.size_of(level));
        }
        let chain = MipChain::new(&context.device, 1.0).expect("a chain");
        let mut encoder = context.device.create_command_encoder(&Default::default());
        chain.encode(&mut encoder, TextureLevel::new(&texture).layers(1..3)).expect("layers that are there");
        context.queue.submit([encoder.finish()]);
        let got = read(context, &texture, 3, like.size_of(3));
        let untouched = |layer: usize| got.texels[layer][0] == 0.9921568627450981;
        assert_eq!([0, 1, 2, 3, 4].map(untouched), [true, false, false, true, true], "{}", context.name());
    });
}

/// Each level has its own beta, and the last is that of the rest.
#[test]
fn betas_by_level() {
    on_every_adapter(|context| {
        let format = wgpu::TextureFormat::Rgba32Float;
        let chain = MipChain::new(&context.device, 0.0).expect("a chain").with_betas([0.0, 7.0, -2.0]).expect("betas");
        assert_eq!([1, 2, 3, 4, 9].map(|level| chain.beta_of(level)), [0.0, 7.0, -2.0, -2.0, -2.0]);
        let like = Like::new(format, [45, 38, 1]).with_levels();
        check(context, &like, &chain, pooling(0.0, Weighting::Luminance, Alpha::Straight, format), false);
    });
}

/// At 0 every texel of the first level counts alike, whatever the size; a larger beta is brighter, up to the maximum.
#[test]
fn what_beta_promises() {
    on_every_adapter(|context| {
        let like = Like::new(wgpu::TextureFormat::R32Float, [53, 31, 1]).with_levels();
        let image = random(&like, &mut Random::new(3));
        let last = |beta: f32| {
            let texture = like.texture(context);
            write(context, &texture, 0, &image);
            let mut encoder = context.device.create_command_encoder(&Default::default());
            MipChain::new(&context.device, beta)
                .and_then(|chain| chain.encode(&mut encoder, &texture))
                .expect("a chain");
            context.queue.submit([encoder.finish()]);
            read(context, &texture, like.levels - 1, like.size_of(like.levels - 1)).texels[0][0]
        };
        let values = || image.texels.iter().map(|texel| texel[0]);
        let count = image.texels.len() as f64;
        let (mean, least, most) =
            (values().sum::<f64>() / count, values().fold(f64::MAX, f64::min), values().fold(f64::MIN, f64::max));
        assert!((last(0.0) - mean).abs() < 1e-6, "{} is not the mean {mean} on {}", last(0.0), context.name());
        let steps = [-1e4, -4.0, 0.0, 4.0, 1e4].map(last);
        assert!(steps.is_sorted(), "{steps:?}");
        assert!((steps[0] - least).abs() < 1e-6 && (steps[4] - most).abs() < 1e-6, "{steps:?}, {least} to {most}");
    });
}

#[test]
fn one_level_is_an_empty_plan() {
    on_every_adapter(|context| {
        let texture = Like::new(wgpu::TextureFormat::Rgba8Unorm, [1, 1, 1]).texture(context);
        let plan = MipChain::new(&context.device, 1.0).and_then(|chain| chain.plan(&texture)).expect("nothing to do");
        assert_eq!(plan.dispatches(), 0);
    });
}

/// 4096 x 4096: some windows of the large levels, and all of the small ones. A chain is recorded twice, which changes nothing.
#[test]
fn a_large_texture() {
    on_every_adapter(|context| {
        let like = Like::new(wgpu::TextureFormat::Rgba8Unorm, [4096, 4096, 1]).with_levels();
        assert_eq!(like.levels, 13);
        let mut random = Random::new(11);
        let row: Vec<u8> = (0..4 * 4096 + 4096).map(|_| (random.uniform() * 256.0) as u8).collect();
        // Each row starts elsewhere, so that no two are alike.
        let mut above: Vec<u8> = (0..4096).flat_map(|y| &row[y..][..4 * 4096]).copied().collect();
        let texture = like.texture(context);
        write_bytes(context, &texture, 0, like.size, &above);
        let chain = MipChain::new(&context.device, 6.0).expect("a chain").with_levels_per_dispatch(12);
        let plan = chain.plan(&texture).expect("a chain");
        let mut encoder = context.device.create_command_encoder(&Default::default());
        plan.encode(&mut encoder);
        plan.encode(&mut encoder);
        context.queue.submit([encoder.finish()]);
        if !is_on_gl(context) {
            // Twelve levels in one, where a kernel may store to so many.
            let limits = context.device.limits();
            let in_one = limits.max_storage_textures_per_shader_stage >= 12;
            assert_eq!(plan.dispatches() == 1, in_one, "{} by {} textures", plan.dispatches(), context.name());
        }
        let pooling = pooling(6.0, Weighting::Luminance, Alpha::Straight, like.format);
        for level in 1..like.levels {
            let size = like.size_of(level);
            let got = read_bytes(context, &texture, level, size);
            let width = size[0] as usize;
            let step = if level < 4 { 97 } else { 1 };
            for index in (0..width * width).step_by(step) {
                let (x, y) = (2 * (index % width), 2 * (index / width));
                let covered = [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)];
                let texel = |bytes: &[u8], at: usize| [0, 1, 2, 3].map(|i: usize| f64::from(bytes[4 * at + i]) / 255.0);
                let covered = covered.map(|(x, y)| (0.25, texel(&above, y * 2 * width + x)));
                let want = pooling.window(&covered).expect("a finite beta");
                let one = |texel| Image { size: [1, 1, 1], texels: vec![texel] };
                let what = format!("level {level}, texel {index} on {}", context.name());
                assert_close(&what, like.format, &one(texel(&got, index)), &one(want), 1.0);
            }
            above = got;
        }
    });
}
