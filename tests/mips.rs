//! Evidence for mip chains: each level against the f64 reference of the level above, for every format, odd sizes, layers, faces and
//! 3D; what beta promises; and the same texels whether levels share a dispatch or not.

mod common;

use common::texels::{FORMATS, Like, assert_close, largest, linear, poison, random, read, rounded, srgb, write};
use common::{Random, on_every_adapter};
use softpool::texture::reference::{Image, TexelPooling};
use softpool::texture::{Alpha, MipChain, TextureLevel, Weighting};
use softpool::{GpuContext, wgpu};

const WEIGHTINGS: [Weighting; 3] =
    [Weighting::Luminance, Weighting::Channel, Weighting::Shared([0.5, -1.0, 0.25, 0.75])];

/// Sizes of all parities, along each axis.
const SIZES: [[u32; 3]; 9] = [
    [1, 1, 1],
    [1, 7, 1],
    [9, 1, 1],
    [5, 3, 1],
    [6, 4, 1],
    [13, 10, 1],
    [64, 64, 1],
    [67, 33, 1],
    [127, 129, 1],
];

fn is_on_gl(context: &GpuContext) -> bool {
    context.adapter.get_info().backend == wgpu::Backend::Gl
}

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
    let plan = chain.plan(if is_srgb { level.as_srgb() } else { level }).unwrap_or_else(|error| panic!("{what}: {error}"));
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
        let cache = softpool::texture::TextureCache::new(&context.device);
        for (index, format) in FORMATS.into_iter().enumerate() {
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
