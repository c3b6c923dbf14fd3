//! Evidence for poolings of textures: every format, window and kind of texture against the f64 reference; tensors both ways; sRGB and
//! alpha; infinities and NaN; and what is refused, by what is missing.

mod common;

use common::texels::{FORMATS, Like, assert_close, largest, linear, poison, random, read, srgb, write};
use common::{POISON, Random, on_every_adapter};
use softpool::texture::reference::{Image, TexelPooling};
use softpool::texture::{
    Alpha, MipChain, NotStorableFix, TensorTexels, TextureCache, TextureError, TextureLevel, TexturePool, Weighting,
};
use softpool::{ElementType, Error, GpuContext, Shape, SoftPoolConfig, SoftPoolConfigBuilder, TensorView, wgpu};

const WEIGHTINGS: [Weighting; 3] =
    [Weighting::Luminance, Weighting::Channel, Weighting::Shared([0.5, -1.0, 0.25, 0.75])];

fn k<const RANK: usize>(kernel: [usize; RANK]) -> SoftPoolConfigBuilder {
    SoftPoolConfig::builder(kernel)
}

fn run(context: &GpuContext, plan: &softpool::Plan) {
    let mut encoder = context.device.create_command_encoder(&Default::default());
    plan.encode(&mut encoder);
    context.queue.submit([encoder.finish()]);
}

/// Pools a texture of random texels into a poisoned one, and holds it against the reference.
fn check(context: &GpuContext, pool: &TexturePool, source: &Like, format: wgpu::TextureFormat, pooling: TexelPooling) {
    let what = format!("{source:?} into {format:?} by {:?}, {pooling:?} on {}", pool.config(), context.name());
    let image = random(source, &mut Random::new(u64::from(source.size[0]) + 7));
    let size = pool.pooled_size(source.size).unwrap_or_else(|error| panic!("{what}: {error}"));
    let target = Like { format, size, levels: 1, ..*source };
    let (from, into) = (source.texture(context), target.texture(context));
    write(context, &from, 0, &image);
    poison(context, &into, 0, size);
    run(context, &pool.plan(&from, &into).unwrap_or_else(|error| panic!("{what}: {error}")));
    let want = pooling.pool(&image, pool.config()).expect("a valid pooling");
    assert_close(&what, format, &read(context, &into, 0, size), &want, largest(&image));
}

#[test]
fn every_format_weighting_and_alpha() {
    on_every_adapter(|context| {
        let cache = TextureCache::new(&context.device);
        for (index, format) in FORMATS.into_iter().enumerate() {
            for (turn, weighting) in WEIGHTINGS.into_iter().enumerate() {
                let alpha = if (index + turn) % 2 == 0 { Alpha::Straight } else { Alpha::AsIs };
                let beta = [2.5, -4.0, 0.0][turn];
                let config = k([3, 2]).stride([2, 3]).padding([1, 0]).beta(beta).build().expect("valid");
                let pool = TexturePool::with_cache(&context.device, config, &cache).expect("a pool");
                let pool = pool.with_weighting(weighting).with_alpha(alpha);
                let source = Like::new(format, [29, 18, 1]);
                check(context, &pool, &source, format, TexelPooling { beta, weighting, alpha, channels: format.components() });
            }
        }
    });
}

#[test]
fn every_window_and_kind_of_texture() {
    let cases: Vec<(SoftPoolConfigBuilder, Like)> = {
        let format = wgpu::TextureFormat::Rgba32Float;
        let of = |width, height, depth| Like::new(format, [width, height, depth]);
        vec![
            (k([1, 1]), of(5, 3, 1)),
            (k([2, 2]), of(64, 31, 1)),
            (k([3, 3]).stride([1]).padding([1]), of(20, 17, 1)),
            (k([2, 2]).ceil_mode(true), of(9, 13, 1)),
            (k([3, 3]).stride([2]).dilation([2]).padding([1]), of(21, 30, 1)),
            // Windows that hold nothing but padding.
            (k([2, 2]).stride([1]).dilation([9]).padding([1]), of(8, 8, 1)),
            (k([7, 5]).stride([3]), of(40, 33, 1)),
            (k([31, 33]).stride([9]).padding([15, 16]), of(70, 70, 1)),
            (SoftPoolConfig::adaptive([4, 7]), of(30, 23, 1)),
            (SoftPoolConfig::adaptive([9, 40]), of(30, 5, 1)),
            (SoftPoolConfig::global(2), of(19, 23, 1)),
            (k([2, 3]), of(12, 10, 5)),
            (k([2, 2, 2]), of(9, 8, 7).in_3d()),
            (k([3, 3, 3]).stride([2]).padding([1]), of(6, 9, 8).in_3d()),
            (SoftPoolConfig::adaptive([2, 3, 4]), of(9, 8, 7).in_3d()),
        ]
    };
    on_every_adapter(|context| {
        let cache = TextureCache::new(&context.device);
        for (builder, source) in &cases {
            let config = builder.clone().beta(1.5).build().expect("valid");
            let pool = TexturePool::with_cache(&context.device, config, &cache).expect("a pool");
            let (weighting, alpha) = (Weighting::Channel, Alpha::AsIs);
            let pool = pool.with_weighting(weighting).with_alpha(alpha);
            let pooling = TexelPooling { beta: 1.5, weighting, alpha, channels: 4 };
            check(context, &pool, source, source.format, pooling);
        }
    });
}
