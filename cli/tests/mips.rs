//! `softpool mips`, run as a user runs it.

use std::path::Path;

use crate::common::Workplace;
use image::{DynamicImage, Rgba, RgbaImage};
use softpool::texture::reference::{Image, TexelPooling, linear_from_srgb, srgb_from_linear};
use softpool::texture::{Alpha, Weighting};

/// A picture of an odd size, with all there is: bright and dark, transparent and not.
fn picture() -> RgbaImage {
    RgbaImage::from_fn(13, 6, |x, y| {
        let level = |i: u32| ((x * 37 + y * 91 + i * 53) * 7 % 256) as u8;
        Rgba([level(0), level(1), level(2), if (x + y) % 4 == 0 { 0 } else { level(3) }])
    })
}

/// The levels that are written, from level 0 on.
fn levels(place: &Workplace, folder: &str, count: usize) -> Vec<DynamicImage> {
    (0..count).map(|level| image::open(place.path(format!("{folder}/in-{level:02}.png"))).unwrap()).collect()
}

/// Every level against the f64 reference: levels are rounded when they are written, and not before.
fn check(got: &[DynamicImage], pooling: TexelPooling, betas: &[f32], linear: bool, what: &str) {
    let first = got[0].to_rgba8();
    let decode = |value: f64| if linear { linear_from_srgb(value) } else { value };
    let encode = |value: f64| if linear { srgb_from_linear(value) } else { value };
    let texel = |pixel: &Rgba<u8>| {
        let [r, g, b, a] = pixel.0.map(|level| f64::from(level) / 255.0);
        [decode(r), decode(g), decode(b), a]
    };
    let mut image = Image { size: [first.width(), first.height(), 1], texels: first.pixels().map(texel).collect() };
    for (level, got) in got.iter().enumerate().skip(1) {
        let beta = betas[(level - 1).min(betas.len() - 1)];
        image = TexelPooling { beta, ..pooling }.mip_level(&image, false).unwrap();
        let got = got.to_rgba8();
        assert_eq!([got.width(), got.height(), 1], image.size, "{what}, level {level}");
        for (got, want) in got.pixels().zip(&image.texels) {
            let want = [encode(want[0]), encode(want[1]), encode(want[2]), want[3]];
            for (got, want) in got.0.iter().zip(want) {
                let off = (f64::from(*got) - 255.0 * want.min(1.0)).abs();
                assert!(off <= 0.51, "{what}, level {level}: {got}, not {}", 255.0 * want);
            }
        }
    }
}

#[test]
fn all_levels_are_written_and_right() {
    let place = Workplace::new();
    picture().save(place.path("in.png")).unwrap();
    let pooling = TexelPooling { beta: 0.0, weighting: Weighting::Luminance, alpha: Alpha::Straight, channels: 4 };
    for device in ["auto", "cpu"] {
        let run = place.succeed(&format!("mips in.png --output {device} --beta 6,3 --device {device}"));
        assert!(run.stdout.contains("in-03.png: 1x1") && run.stdout.contains("beta 6, 3"), "{}", run.stdout);
        let got = levels(&place, device, 4);
        assert_eq!(got[0].to_rgba8(), picture());
        check(&got, pooling, &[6.0, 3.0], false, device);
        assert_eq!(Path::new(&place.path(device)).read_dir().unwrap().count(), 4, "four levels, nothing else");

        place.succeed(&format!(
            "mips in.png --output light-{device} --beta -5 --weight channel --linear --device {device}"
        ));
        let pooling = TexelPooling { weighting: Weighting::Channel, ..pooling };
        check(&levels(&place, &format!("light-{device}"), 4), pooling, &[-5.0], true, device);
    }
}

#[test]
fn the_kind_of_image_stays() {
    let place = Workplace::new();
    let grey = image::ImageBuffer::from_fn(5, 9, |x, y| image::Luma([(x * 9000 + y * 3000) as u16]));
    DynamicImage::ImageLuma16(grey).save(place.path("in.png")).unwrap();
    place.succeed("mips in.png --output out");
    for level in levels(&place, "out", 4) {
        assert_eq!(level.color(), image::ColorType::L16);
    }
}

#[test]
fn mistakes_are_refused() {
    let place = Workplace::new();
    picture().save(place.path("in.png")).unwrap();
    place.refuse("mips in.png --output out --beta nan", &["beta is NaN"]);
    place.refuse("mips in.png --output in.png", &["in.png", "no folder can be made"]);
    place.refuse("mips none.png --output out", &["none.png"]);
    assert_eq!(place.files(), ["in.png"]);
}
