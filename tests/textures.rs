//! Evidence for poolings of textures: every format, window and kind of texture against the f64 reference; tensors both ways; sRGB and
//! alpha; infinities and NaN; and what is refused, by what is missing.

use crate::common::texels::{
    Like, assert_close, formats, is_on_gl, largest, poison, random, read, read_by_tensor, rounded, srgb, write,
};
use crate::common::{POISON, Random, on_every_adapter};
use softpool::texture::reference::{Image, TexelPooling};
use softpool::texture::{
    Alpha, MipChain, TensorTexels, TextureCache, TextureError, TextureLevel, TexturePool, Weighting,
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
        for (index, format) in formats(context).enumerate() {
            for (turn, weighting) in WEIGHTINGS.into_iter().enumerate() {
                let alpha = if (index + turn) % 2 == 0 { Alpha::Straight } else { Alpha::AsIs };
                let beta = [2.5, -4.0, 0.0][turn];
                let config = k([3, 2]).stride([2, 3]).padding([1, 0]).beta(beta).build().expect("valid");
                let pool = TexturePool::with_cache(&context.device, config, &cache).expect("a pool");
                let pool = pool.with_weighting(weighting).with_alpha(alpha);
                let source = Like::new(format, [29, 18, 1]);
                check(
                    context,
                    &pool,
                    &source,
                    format,
                    TexelPooling { beta, weighting, alpha, channels: format.components() },
                );
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
            if source.is_3d && is_on_gl(context) {
                // What GL says to it: tests/mips.rs.
                continue;
            }
            let config = builder.clone().beta(1.5).build().expect("valid");
            let pool = TexturePool::with_cache(&context.device, config, &cache).expect("a pool");
            let (weighting, alpha) = (Weighting::Channel, Alpha::AsIs);
            let pool = pool.with_weighting(weighting).with_alpha(alpha);
            let pooling = TexelPooling { beta: 1.5, weighting, alpha, channels: 4 };
            check(context, &pool, source, source.format, pooling);
        }
    });
}

/// A texture of sRGB is decoded by its view, and a target's bytes are encoded by the kernel.
#[test]
fn srgb_sources_and_targets() {
    on_every_adapter(|context| {
        let like = Like::new(wgpu::TextureFormat::Rgba8UnormSrgb, [34, 20, 1]);
        let image = random(&like, &mut Random::new(2));
        let source = like.texture(context);
        write(context, &source, 0, &image);
        let size = [17, 10, 1];
        let target = Like::new(wgpu::TextureFormat::Rgba8Unorm, size);
        let into = target.texture(context);
        poison(context, &into, 0, size);
        let config = k([2, 2]).beta(5.0).build().expect("valid");
        let pool = TexturePool::new(&context.device, config).expect("a pool");
        run(context, &pool.plan(&source, TextureLevel::new(&into).as_srgb()).expect("both are right"));
        let pooling = TexelPooling { beta: 5.0, weighting: Weighting::Luminance, alpha: Alpha::Straight, channels: 4 };
        // The driver decodes, each in its way: Mesa's software drivers by a cubic, which is off by up to 0.7 of a step.
        let light = read_by_tensor(context, &source, 0, like.size);
        for (got, want) in srgb(&light).texels.iter().flatten().zip(image.texels.iter().flatten()) {
            assert!((got - want).abs() * 255.0 < 1.0, "{got}, not {want} on {}", context.name());
        }
        let want = srgb(&pooling.pool(&light, pool.config()).expect("valid"));
        let what = format!("sRGB on {}", context.name());
        assert_close(&what, target.format, &read(context, &into, 0, size), &want, 1.0);

        // The same from a view that a host has.
        let descriptor = wgpu::TextureViewDescriptor::default();
        let view = source.create_view(&descriptor);
        poison(context, &into, 0, size);
        let plan = pool.plan(TextureLevel::of_view(&view, &descriptor), TextureLevel::new(&into).as_srgb());
        run(context, &plan.expect("both are right"));
        assert_close(&what, target.format, &read(context, &into, 0, size), &want, 1.0);
    });
}

/// From one level into another of the same texture, and between layers.
#[test]
fn within_a_texture() {
    on_every_adapter(|context| {
        let like = Like::new(wgpu::TextureFormat::Rgba8Unorm, [20, 12, 3]).with_levels();
        let texture = like.texture(context);
        let image = random(&like, &mut Random::new(4));
        write(context, &texture, 0, &image);
        poison(context, &texture, 2, like.size_of(2));
        let pool = TexturePool::new(&context.device, k([4, 4]).build().expect("valid")).expect("a pool");
        let whole = TextureLevel::new(&texture);
        run(context, &pool.plan(whole.clone(), whole.clone().level(2)).expect("other texels"));
        let pooling = TexelPooling { beta: 1.0, weighting: Weighting::Luminance, alpha: Alpha::Straight, channels: 4 };
        let want = pooling.pool(&image, pool.config()).expect("valid");
        let got = read(context, &texture, 2, like.size_of(2));
        assert_close(&format!("a level on {}", context.name()), like.format, &got, &want, 1.0);

        // Layer 2 goes to layer 0.
        poison(context, &texture, 2, like.size_of(2));
        let plan = pool.plan(whole.clone().layers(2..3), whole.clone().level(2).layers(0..1));
        run(context, &plan.expect("other texels"));
        let got = read(context, &texture, 2, like.size_of(2));
        let layer = |image: &Image, layer: usize| {
            let texels = image.texels[layer * 15..][..15].to_vec();
            Image { size: [5, 3, 1], texels }
        };
        let what = format!("a layer on {}", context.name());
        assert_close(&what, like.format, &layer(&got, 0), &layer(&want, 2), 1.0);
        assert_eq!(got.texels[15][0], 0.9921568627450981, "layer 1 is as it was");
        let error = pool.plan(whole.clone(), whole.clone()).unwrap_err();
        assert!(matches!(error, Error::Texture(TextureError::SameTexels)), "{error}");
    });
}

/// All faces of a cube at once, and one by the view that a host renders it by: into a texture, and into its own next level.
#[test]
fn faces_of_a_cube() {
    on_every_adapter(|context| {
        let format = wgpu::TextureFormat::Rgba16Float;
        let like = Like::new(format, [12, 12, 6]).with_levels();
        let half = Like::new(format, [6, 6, 6]);
        let (cube, small) = (like.texture(context), half.texture(context));
        let pool = TexturePool::new(&context.device, k([2, 2]).beta(2.0).build().expect("valid")).expect("a pool");
        let descriptor = wgpu::TextureViewDescriptor {
            dimension: Some(wgpu::TextureViewDimension::Cube),
            mip_level_count: Some(1),
            ..Default::default()
        };
        let view = cube.create_view(&descriptor);
        let all = TextureLevel::of_view(&view, &descriptor);
        if is_on_gl(context) {
            let error = pool.plan(all, &small).unwrap_err().to_string();
            assert!(error.contains("GL") && error.contains("cube"), "{error}");
            return;
        }
        let image = random(&like, &mut Random::new(6));
        write(context, &cube, 0, &image);
        poison(context, &small, 0, half.size);
        run(context, &pool.plan(all, &small).expect("six faces into six"));
        let pooling = TexelPooling { beta: 2.0, weighting: Weighting::Luminance, alpha: Alpha::Straight, channels: 4 };
        let want = pooling.pool(&image, pool.config()).expect("valid");
        let what = format!("a cube on {}", context.name());
        assert_close(&what, format, &read(context, &small, 0, half.size), &want, largest(&image));

        let face = |level: u32| wgpu::TextureViewDescriptor {
            dimension: Some(wgpu::TextureViewDimension::D2),
            base_array_layer: 4,
            base_mip_level: level,
            mip_level_count: Some(1),
            ..Default::default()
        };
        let (upper, lower) = (cube.create_view(&face(0)), cube.create_view(&face(1)));
        poison(context, &cube, 1, half.size);
        let (upper, lower) = (TextureLevel::of_view(&upper, &face(0)), TextureLevel::of_view(&lower, &face(1)));
        run(context, &pool.plan(upper.clone(), lower).expect("a level of the same face"));
        let alone = Like::new(format, [6, 6, 1]);
        let into = alone.texture(context);
        poison(context, &into, 0, alone.size);
        run(context, &pool.plan(upper, &into).expect("a face into a texture"));
        let face = |image: &Image| Image { size: alone.size, texels: image.texels[4 * 36..][..36].to_vec() };
        let level = read(context, &cube, 1, half.size);
        for (name, got) in [("level", face(&level)), ("texture", read(context, &into, 0, alone.size))] {
            assert_close(
                &format!("face 4 into a {name} on {}", context.name()),
                format,
                &got,
                &face(&want),
                largest(&image),
            );
        }
        for other in [3, 5] {
            let poisoned = level.texels[36 * other..][..36].iter().flatten().all(|x| (x - 0.992).abs() < 1e-3);
            assert!(poisoned, "face {other} is as it was on {}", context.name());
        }
    });
}

/// A frame becomes a network's input, by channel or with channels innermost, and a tensor is shown.
#[test]
fn tensors_both_ways() {
    let (mean, deviation) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
    on_every_adapter(|context| {
        let like = Like::new(wgpu::TextureFormat::Rgba8Unorm, [22, 15, 4]);
        let texture = like.texture(context);
        let image = random(&like, &mut Random::new(8));
        write(context, &texture, 0, &image);
        let config = k([3, 2]).stride([3, 2]).beta(3.0).build().expect("valid");
        let pool = TexturePool::new(&context.device, config).expect("a pool").with_alpha(Alpha::AsIs);
        let pooling = TexelPooling { beta: 3.0, weighting: Weighting::Luminance, alpha: Alpha::AsIs, channels: 4 };
        let want = pooling.pool(&image, pool.config()).expect("valid");
        let [width, height, layers] = want.size.map(|size| size as usize);
        assert_eq!([width, height, layers], [11, 5, 4]);
        let shape = Shape::new([layers, 3, height, width]).expect("small");
        let offset = 20;
        let room = shape.elements() + offset;
        for strides in [[3 * 55, 55, 11, 1], [3 * 55, 1, 33, 3]] {
            let flat = Shape::new([room]).expect("small");
            let memory = context.upload(flat, &vec![POISON; room]).expect("small");
            let view = TensorView::new(memory.buffer(), shape).at_byte_offset(4 * offset as u64).with_strides(strides);
            let tensor = TensorTexels::from(view.expect("strides")).normalised(mean, deviation);
            run(context, &pool.plan_to_tensor(&texture, tensor).expect("a tensor of three channels"));
            let got = memory.read_blocking().expect("a device that works");
            assert!(got[..offset].iter().all(|&value| value == POISON), "what is before the tensor is as it was");
            for (index, texel) in want.texels.iter().enumerate() {
                let (layer, row, column) = (index / 55, index / 11 % 5, index % 11);
                for channel in 0..3 {
                    let place = [layer, channel, row, column];
                    let at: usize = place.iter().zip(strides).map(|(i, stride)| i * stride).sum();
                    let got = f64::from(got[offset + at]);
                    let want = (texel[channel] - f64::from(mean[channel])) / f64::from(deviation[channel]);
                    assert!((got - want).abs() < 4e-6, "{strides:?} {index} {channel}: {got}, not {want}");
                }
            }

            // And back: as it is, by a window of one texel.
            let as_it_is = TexturePool::new(&context.device, k([1, 1]).build().expect("valid")).expect("a pool");
            let shown = Like::new(wgpu::TextureFormat::Rgba8Unorm, want.size);
            let into = shown.texture(context);
            poison(context, &into, 0, want.size);
            run(context, &as_it_is.plan_from_tensor(tensor, &into).expect("it is as large"));
            let opaque = |&[r, g, b, _]: &[f64; 4]| [r, g, b, 1.0];
            let want = Image { size: want.size, texels: want.texels.iter().map(opaque).collect() };
            let got = read(context, &into, 0, want.size);
            assert_close(&format!("shown on {}", context.name()), shown.format, &got, &want, 1.0);
        }
    });
}

/// A depth buffer becomes a pyramid that lies between its minimum and its mean.
#[test]
fn depth_is_read() {
    const DRAW: &str = "
        @vertex fn vertex(@builtin(vertex_index) i: u32) -> @builtin(position) vec4<f32> {
            return vec4(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.5, 1.0);
        }
        @fragment fn fragment(@builtin(position) at: vec4<f32>) -> @builtin(frag_depth) f32 {
            return fract(at.x * 0.37 + at.y * 0.61);
        }";
    on_every_adapter(|context| {
        let like = Like::new(wgpu::TextureFormat::Depth32Float, [24, 18, 1]);
        let usage = wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::RENDER_ATTACHMENT;
        let depth = like.texture_for(context, usage);
        let module = context.device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("depth"),
            source: wgpu::ShaderSource::Wgsl(DRAW.into()),
        });
        let pipeline = context.device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some("depth"),
            layout: None,
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: None,
                compilation_options: Default::default(),
                buffers: &[],
            },
            primitive: Default::default(),
            depth_stencil: Some(wgpu::DepthStencilState {
                format: like.format,
                depth_write_enabled: Some(true),
                depth_compare: Some(wgpu::CompareFunction::Always),
                stencil: Default::default(),
                bias: Default::default(),
            }),
            multisample: Default::default(),
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: None,
                compilation_options: Default::default(),
                targets: &[],
            }),
            multiview_mask: None,
            cache: None,
        });
        let view = depth.create_view(&Default::default());
        let mut encoder = context.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
                depth_stencil_attachment: Some(wgpu::RenderPassDepthStencilAttachment {
                    view: &view,
                    depth_ops: Some(wgpu::Operations { load: wgpu::LoadOp::Clear(0.0), store: wgpu::StoreOp::Store }),
                    stencil_ops: None,
                }),
                ..Default::default()
            });
            pass.set_pipeline(&pipeline);
            pass.draw(0..3, 0..1);
        }
        let as_it_is = TexturePool::new(&context.device, k([1, 1]).build().expect("valid")).expect("a pool");
        let pyramid = k([2, 2]).beta(-20.0).build().expect("valid");
        let pyramid = TexturePool::new(&context.device, pyramid).expect("a pool");
        if is_on_gl(context) {
            let target = Like::new(wgpu::TextureFormat::R32Float, like.size).texture(context);
            let error = as_it_is.plan(&depth, &target).unwrap_err().to_string();
            assert!(error.contains("GL") && error.contains("R32Float"), "{error}");
            return;
        }
        let (all, half) = (
            Like::new(wgpu::TextureFormat::R32Float, like.size).texture(context),
            Like::new(wgpu::TextureFormat::R32Float, [12, 9, 1]).texture(context),
        );
        as_it_is.encode(&mut encoder, &depth, &all).expect("depth");
        pyramid.encode(&mut encoder, &depth, &half).expect("depth");
        context.queue.submit([encoder.finish()]);
        let image = read(context, &all, 0, like.size);
        let spread = largest(&image) - image.texels.iter().map(|texel| texel[0]).fold(1.0, f64::min);
        assert!(spread > 0.9, "the depths differ: {spread}");
        let pooling =
            TexelPooling { beta: -20.0, weighting: Weighting::Luminance, alpha: Alpha::Straight, channels: 1 };
        let want = pooling.pool(&image, pyramid.config()).expect("valid");
        let what = format!("depth on {}", context.name());
        assert_close(&what, wgpu::TextureFormat::R32Float, &read(context, &half, 0, [12, 9, 1]), &want, 1.0);
    });
}

/// As in the rest of the crate: NaN stays, infinities are limits, minus infinity weighs nothing.
#[test]
fn infinities_and_nan() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let windows = [
        [1.0, 2.0, nan, 3.0],
        [1.0, inf, 2.0, 3.0],
        [1.0, -inf, 2.0, 3.0],
        [-inf, -inf, -inf, -inf],
        [inf, nan, -inf, 0.0],
        [inf, -inf, 0.0, 1.0],
        [3e38, -3e38, 3e38, 3e38],
        [1e-3, 0.0, -1e-3, 2e-3],
    ];
    on_every_adapter(|context| {
        let like = Like::new(wgpu::TextureFormat::R32Float, [32, 1, 1]);
        let source = like.texture(context);
        let texels = windows.iter().flatten().map(|&x| [x, 0.0, 0.0, 1.0]).collect();
        let image = rounded(like.format, &Image { size: like.size, texels });
        write(context, &source, 0, &image);
        for beta in [1.0, 0.0, -2.0] {
            for weighting in [Weighting::Luminance, Weighting::Channel] {
                let config = k([1, 4]).beta(beta).build().expect("valid");
                let pool = TexturePool::new(&context.device, config).expect("a pool").with_weighting(weighting);
                let into = Like::new(like.format, [8, 1, 1]).texture(context);
                poison(context, &into, 0, [8, 1, 1]);
                run(context, &pool.plan(&source, &into).expect("valid"));
                let pooling = TexelPooling { beta, weighting, alpha: Alpha::AsIs, channels: 1 };
                let want = pooling.pool(&image, pool.config()).expect("valid");
                let got = read(context, &into, 0, [8, 1, 1]);
                let what = format!("beta {beta}, {weighting:?} on {}", context.name());
                for (index, (got, want)) in got.texels.iter().zip(&want.texels).enumerate() {
                    let (got, want) = (got[0], want[0]);
                    let alike = got == want || got.is_nan() && want.is_nan();
                    assert!(alike || (got - want).abs() <= 1e-6 * want.abs(), "{what}: {index} is {got}, not {want}");
                }
                if beta == 1.0 {
                    let got: Vec<f64> = got.texels.iter().map(|texel| texel[0]).collect();
                    assert!(got[0].is_nan() && got[4].is_nan(), "{what}: {got:?}");
                    assert_eq!([got[1], got[3], got[5]], [inf, -inf, inf], "{what}");
                }
            }
        }
    });
}

/// Each mistake has an error that names it, before anything is recorded.
#[test]
fn mistakes_are_named() {
    use wgpu::TextureFormat as Format;
    on_every_adapter(|context| {
        let pool = TexturePool::new(&context.device, k([2, 2]).build().expect("valid")).expect("a pool");
        let of = |format, size| Like::new(format, size).texture(context);
        let (source, target) = (of(Format::Rgba8Unorm, [8, 8, 1]), of(Format::Rgba8Unorm, [4, 4, 1]));
        let only_read = wgpu::TextureUsages::TEXTURE_BINDING;
        let refused = |source: &wgpu::Texture, target: &wgpu::Texture, words: &[&str]| {
            let error = pool.plan(source, target).expect_err("a mistake").to_string();
            assert!(words.iter().all(|word| error.contains(word)), "{error:?} lacks one of {words:?}");
        };
        refused(&source, &of(Format::Rgba8Unorm, [5, 4, 1]), &["5 x 4 x 1", "4 x 4 x 1"]);
        refused(&source, &of(Format::Rgba8UnormSrgb, [4, 4, 1]), &["Rgba8UnormSrgb", "view_formats", "as_srgb()"]);
        let unstored = Like::new(Format::Rgba8Unorm, [4, 4, 1]).texture_for(context, only_read);
        refused(&source, &unstored, &["the target", "STORAGE_BINDING"]);
        let bgra = Like::new(Format::Bgra8Unorm, [4, 4, 1]).texture_for(context, only_read);
        refused(&source, &bgra, &["Bgra8Unorm", "BGRA8UNORM_STORAGE"]);
        let red = Like::new(Format::R8Unorm, [4, 4, 1]).texture_for(context, only_read);
        refused(&source, &red, &["R8Unorm", "TEXTURE_ADAPTER_SPECIFIC_FORMAT_FEATURES"]);
        let shared = Like::new(Format::Rgb9e5Ufloat, [4, 4, 1]).texture_for(context, only_read);
        refused(&source, &shared, &["Rgb9e5Ufloat", "take Rgba8Unorm"]);
        refused(&of(Format::Rgba8Uint, [8, 8, 1]), &target, &["Rgba8Uint", "no fractions"]);
        let unread = Like::new(Format::Rgba8Unorm, [8, 8, 1]).texture_for(context, wgpu::TextureUsages::COPY_DST);
        refused(&unread, &target, &["the source", "TEXTURE_BINDING"]);
        let volume = Like::new(Format::Rgba8Unorm, [8, 8, 2]).in_3d().texture(context);
        refused(&volume, &target, &["D3", "two axes"]);

        let error = |source: TextureLevel<'_>| pool.plan(source, &target).expect_err("a mistake").to_string();
        let source = || TextureLevel::new(&source);
        assert!(error(source().level(1)).contains("1 mip levels, of which 1"), "{}", error(source().level(1)));
        assert!(error(source().layers(0..2)).contains("0..2"), "{}", error(source().layers(0..2)));
        let floats = of(Format::Rgba16Float, [8, 8, 1]);
        assert!(error(TextureLevel::new(&floats).as_srgb()).contains("Rgba16Float"));

        let made = |dimension, height, samples, usage| {
            context.device.create_texture(&wgpu::TextureDescriptor {
                label: Some("test"),
                size: wgpu::Extent3d { width: 8, height, depth_or_array_layers: 1 },
                mip_level_count: 1,
                sample_count: samples,
                dimension,
                format: Format::Rgba8Unorm,
                usage,
                view_formats: &[],
            })
        };
        let drawn = only_read | wgpu::TextureUsages::RENDER_ATTACHMENT;
        refused(&made(wgpu::TextureDimension::D2, 8, 4, drawn), &target, &["4 samples", "resolve it"]);
        refused(&made(wgpu::TextureDimension::D1, 1, 1, only_read), &target, &["D1", "2D textures"]);
        let in_volume = pool.plan(TextureLevel::new(&volume).layers(0..1), &target).unwrap_err().to_string();
        assert!(in_volume.contains("D3") && in_volume.contains("leave them out"), "{in_volume}");

        let large = TexturePool::new(&context.device, k([40, 40]).build().expect("valid")).expect("a pool");
        let error = large.plan(&of(Format::Rgba8Unorm, [40, 40, 1]), &of(Format::Rgba8Unorm, [1, 1, 1])).unwrap_err();
        assert!(error.to_string().contains("1600") && error.to_string().contains("1024"), "{error}");
        let error = TexturePool::new(&context.device, k([2]).build().expect("valid")).unwrap_err();
        assert!(matches!(error, Error::RankMismatch { .. }), "{error}");
        let error = MipChain::new(&context.device, f32::NAN).unwrap_err();
        assert!(matches!(error, Error::BetaNotFinite { .. }), "{error}");
        let error = MipChain::new(&context.device, 1.0).and_then(|chain| chain.with_betas([])).unwrap_err();
        assert!(matches!(error, Error::Texture(TextureError::NoBeta)), "{error}");

        let shape = Shape::new([1, 5, 4, 4]).expect("small");
        let tensor = context.upload(shape, &[0.0; 80]).expect("small");
        let error = pool.plan_to_tensor(source(), &tensor).unwrap_err();
        assert!(error.to_string().contains("5 channels"), "{error}");
        let halves =
            TensorView::new(tensor.buffer(), Shape::new([1, 4, 4, 4]).expect("small")).of_type(ElementType::F16);
        let error = pool.plan_to_tensor(source(), halves).unwrap_err();
        assert!(error.to_string().contains("half a word"), "{error}");
        let beyond = TensorView::new(tensor.buffer(), Shape::new([1, 4, 4, 4]).expect("small")).at_byte_offset(128);
        let error = pool.plan_to_tensor(source(), beyond).unwrap_err();
        assert!(matches!(error, Error::BufferTooSmall { .. }), "{error}");
        let four = TensorView::new(tensor.buffer(), Shape::new([1, 4, 4, 4]).expect("small"));
        let mut scaled = TensorTexels::from(four);
        scaled.scale[1] = 0.0;
        let error = pool.plan_to_tensor(source(), scaled).unwrap_err();
        assert!(error.to_string().contains("scale of 0"), "{error}");
    });
}

/// What a host does that asks for storage in a format that needs a feature: it works where the feature is, and is named where not.
#[test]
fn a_feature_makes_more_formats() {
    on_every_adapter(|context| {
        use wgpu::TextureFormat as Format;
        let bgra = wgpu::Features::BGRA8UNORM_STORAGE;
        let by_adapter = wgpu::Features::TEXTURE_ADAPTER_SPECIFIC_FORMAT_FEATURES;
        let norms = wgpu::Features::TEXTURE_FORMAT_16BIT_NORM;
        if !context.adapter.features().contains(bgra | by_adapter | norms) {
            // Then the error that names it is all there is: `mistakes_are_named`.
            assert!(is_on_gl(context), "{} lacks one of {bgra}, {by_adapter} and {norms}", context.name());
            return;
        }
        let required_features = bgra | by_adapter | norms;
        let descriptor = wgpu::DeviceDescriptor { required_features, ..Default::default() };
        let (device, queue) = pollster::block_on(context.adapter.request_device(&descriptor)).expect("it has it");
        let with_feature = GpuContext { adapter: context.adapter.clone(), device, queue };
        let config = k([2, 2]).beta(2.0).build().expect("valid");
        let pool = TexturePool::new(&with_feature.device, config).expect("a pool");
        let pooling = TexelPooling { beta: 2.0, weighting: Weighting::Luminance, alpha: Alpha::Straight, channels: 4 };
        let source = Like::new(Format::Rgba8Unorm, [10, 6, 1]);
        let more = [Format::Bgra8Unorm, Format::R8Unorm, Format::Rg8Unorm, Format::R16Float, Format::Rg16Float];
        for format in more.into_iter().chain([Format::Rgba16Unorm]) {
            check(&with_feature, &pool, &source, format, pooling);
        }
    });
}
