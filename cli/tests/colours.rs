//! What an image's levels mean: transparency, linear light, and the chunks and profiles that say so; run as a user runs
//! them.

use std::fs::{self, File};
use std::io::BufWriter;

use crate::common::Workplace;
use image::{DynamicImage, GrayImage, Luma, Rgba, RgbaImage};

/// A PNG of 8-bit grey with chunks before its pixels.
fn write_grey(place: &Workplace, name: &str, [width, height]: [u32; 2], levels: &[u8], chunks: &[(&[u8; 4], &[u8])]) {
    let file = BufWriter::new(File::create(place.path(name)).unwrap());
    let mut encoder = png::Encoder::new(file, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    for (name, data) in chunks {
        writer.write_chunk(png::chunk::ChunkType(**name), data).unwrap();
    }
    writer.write_image_data(levels).unwrap();
    writer.finish().unwrap();
}

/// The chunks of a PNG that come before its pixels, but for the header.
fn chunks(place: &Workplace, name: &str) -> Vec<(String, Vec<u8>)> {
    let file = fs::read(place.path(name)).unwrap();
    let mut rest = &file[8..];
    let mut chunks = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk() {
        let length = u32::from_be_bytes(*length) as usize;
        let name = String::from_utf8(after[..4].to_vec()).unwrap();
        if name == "IDAT" {
            break;
        }
        chunks.push((name, after[4..4 + length].to_vec()));
        rest = &after[4 + length + 4..];
    }
    chunks.split_off(1)
}

fn pixels(place: &Workplace, name: &str) -> Vec<[u8; 4]> {
    image::open(place.path(name)).unwrap().into_rgba8().pixels().map(|pixel| pixel.0).collect()
}

#[test]
fn transparent_pixels_do_not_colour_others() {
    let place = Workplace::new();
    let clear_blue = [0, 0, 255, 0];
    for (what, window, options, expected) in [
        ("red over clear blue", [[255, 0, 0, 255], clear_blue, [255, 0, 0, 255], clear_blue], "avg", [255, 0, 0, 128]),
        ("the same, softly", [[255, 0, 0, 255], clear_blue, [255, 0, 0, 255], clear_blue], "soft", [255, 0, 0, 186]),
        ("the same, the most", [[255, 0, 0, 255], clear_blue, [255, 0, 0, 255], clear_blue], "max", [255, 0, 0, 255]),
        ("by how much shows", [[200, 0, 0, 255], [0, 0, 100, 85], clear_blue, clear_blue], "avg", [150, 0, 25, 85]),
        (
            "nothing shows: the average",
            [[10, 0, 0, 0], [20, 0, 0, 0], [30, 40, 0, 0], [40, 40, 255, 0]],
            "soft",
            [25, 20, 64, 0],
        ),
        ("opaque", [[10, 0, 0, 255], [20, 0, 0, 255], [30, 40, 0, 255], [40, 40, 200, 255]], "avg", [25, 20, 50, 255]),
    ] {
        let image = RgbaImage::from_fn(2, 2, |x, y| Rgba(window[(2 * y + x) as usize]));
        image.save(place.path("in.png")).unwrap();
        for device in ["cpu", "auto"] {
            place.succeed(&format!("image in.png --output out.png --method {options} --device {device}"));
            assert_eq!(pixels(&place, "out.png"), [expected], "{what}, --method {options} of {window:?} on {device}");
        }
    }
}

#[test]
fn opaque_images_are_pooled_as_if_they_had_no_alpha() {
    let place = Workplace::new();
    let colour = |x: u32, y: u32| [(x * 37 % 256) as u8, (y * 91 % 256) as u8, (x * y * 13 % 256) as u8];
    let rgb = image::RgbImage::from_fn(32, 20, |x, y| image::Rgb(colour(x, y)));
    rgb.save(place.path("rgb.png")).unwrap();
    DynamicImage::from(rgb).into_rgba8().save(place.path("rgba.png")).unwrap();
    for options in ["", "--method max", "--beta -4 --kernel 3 --padding 1", "--linear"] {
        place.succeed(&format!("image rgb.png --output a.png {options}"));
        place.succeed(&format!("image rgba.png --output b.png {options}"));
        assert!(pixels(&place, "a.png") == pixels(&place, "b.png"), "image {options}");
    }
    place.succeed("compare rgb.png --output a.png");
    place.succeed("compare rgba.png --output b.png");
    // Below the lines that name the file.
    const WIDTH: usize = 1600;
    const NAMES: usize = 150;
    let (a, b) = (pixels(&place, "a.png"), pixels(&place, "b.png"));
    assert!(a[NAMES * WIDTH..] == b[NAMES * WIDTH..], "compare draws the images differently");
}

#[test]
fn compare_pools_what_image_pools() {
    let place = Workplace::new();
    // A disc of one colour over other colours that don't show: no edge of theirs, and no darker one.
    let image = RgbaImage::from_fn(64, 64, |x, y| {
        let inside = (x as i32 - 31).pow(2) + (y as i32 - 31).pow(2) < 24 * 24;
        Rgba(if inside { [255, 255, 255, 255] } else { [0, 90, 200, 0] })
    });
    image.save(place.path("disc.png")).unwrap();
    for options in ["", "--padding 1", "--linear"] {
        for method in ["soft", "max", "avg"] {
            place.succeed(&format!("image disc.png --output out.png --method {method} {options}"));
            for pixel in pixels(&place, "out.png") {
                let colour = if pixel[3] > 0 { [255, 255, 255] } else { [0, 90, 200] };
                assert_eq!(pixel[..3], colour, "--method {method} {options}: {pixel:?}");
            }
        }
        // White over white: nothing is left to see of the disc.
        let stdout = place.succeed(&format!("compare disc.png --output out.png {options}")).stdout;
        assert_eq!(stdout.matches("1.0000      inf dB").count(), 3, "{options}: {stdout}");
    }
}

#[test]
fn linear_light_is_pooled_where_asked_for() {
    let place = Workplace::new();
    let board = GrayImage::from_fn(8, 8, |x, y| Luma([if (x + y) % 2 == 0 { 255 } else { 0 }]));
    board.save(place.path("board.png")).unwrap();
    for (options, expected) in [
        ("--method avg", 128),
        ("--method avg --linear", 188),
        ("--method max --linear", 255),
        // (0 + 1 e) / (1 + e) of the light.
        ("--linear", 222),
    ] {
        let run = place.succeed(&format!("image board.png --output out.png {options}"));
        for pixel in pixels(&place, "out.png") {
            assert_eq!(pixel[0], expected, "{options}");
        }
        assert_eq!(run.stdout.contains("in linear light"), options.contains("--linear"), "{run:?}");
    }
    // Alpha is no light.
    let image = RgbaImage::from_fn(2, 2, |x, _| Rgba([255, 0, 0, if x == 0 { 255 } else { 0 }]));
    image.save(place.path("alpha.png")).unwrap();
    place.succeed("image alpha.png --output out.png --method avg --linear");
    assert_eq!(pixels(&place, "out.png"), [[255, 0, 0, 128]]);
    let stdout = place.succeed("compare board.png --output out.png --linear").stdout;
    assert!(stdout.contains("kernel 2x2, stride 2x2, in linear light"), "{stdout}");
    assert_ne!(stdout, place.succeed("compare board.png --output out.png").stdout);
}

#[test]
fn the_curve_is_the_files() {
    let place = Workplace::new();
    let exponent = |gamma: u32| gamma.to_be_bytes();
    for (what, chunks, expected) in [
        ("gAMA 1: levels are light", &[(b"gAMA", &exponent(100_000)[..])][..], 128),
        ("gAMA 1/2", &[(b"gAMA", &exponent(50_000))], 180),
        ("gAMA of sRGB", &[(b"gAMA", &exponent(45_455))], 188),
        ("sRGB, which overrules gAMA", &[(b"sRGB", &[0]), (b"gAMA", &exponent(100_000))], 188),
        ("nothing", &[], 188),
    ] {
        write_grey(&place, "in.png", [2, 1], &[0, 255], chunks);
        place.succeed("image in.png --output out.png --kernel 1,2 --method avg --linear --device cpu");
        assert_eq!(pixels(&place, "out.png")[0][0], expected, "{what}");
    }
}

#[test]
fn chunks_about_colours_come_out_as_they_went_in() {
    let place = Workplace::new();
    let cd_space = [31270u32, 32900, 64000, 33000, 30000, 60000, 15000, 6000].map(u32::to_be_bytes).concat();
    let profile = [&[0; 16][..], b"GRAY", &[7; 108]].concat();
    let mut iccp = b"a name of its own\0\0".to_vec();
    iccp.extend(zlib_stored(&profile));
    let gamma = 100_000u32.to_be_bytes();
    let all: &[(&[u8; 4], &[u8])] =
        &[(b"gAMA", &gamma), (b"cHRM", &cd_space), (b"sRGB", &[1]), (b"cICP", &[1, 13, 0, 1])];
    for chunks_in in [&all[..1], &all[1..2], &all[2..3], &all[3..], all, &[(b"iCCP", &iccp), all[0]]] {
        write_grey(&place, "in.png", [2, 2], &[0, 50, 100, 255], chunks_in);
        for options in ["--device cpu", "--linear"] {
            place.succeed(&format!("image in.png --output out.png {options}"));
            let expected: Vec<_> = chunks_in
                .iter()
                .map(|(name, data)| (String::from_utf8_lossy(*name).into_owned(), data.to_vec()))
                .collect();
            assert_eq!(chunks(&place, "out.png"), expected, "{options}");
        }
        // The picture of compare is RGB, which a profile of greys does not describe.
        place.succeed("compare in.png --output out.png");
        let names: Vec<_> = chunks(&place, "out.png").into_iter().map(|(name, _)| name).collect();
        let expected = chunks_in.iter().map(|(name, _)| String::from_utf8_lossy(*name).into_owned());
        assert_eq!(names, expected.filter(|name| name != "iCCP").collect::<Vec<_>>());
    }
    // Other formats have profiles alone, and no picture changes its looks without a word.
    write_grey(&place, "in.png", [2, 2], &[0, 50, 100, 255], &[all[0], all[1]]);
    for output in ["out.jpg", "out.webp", "out.tif"] {
        let run = place.succeed(&format!("image in.png --output {output} --device cpu"));
        assert!(run.stderr.starts_with(&format!("{output}: a ")), "{run:?}");
        assert!(run.stderr.contains("has no gAMA and cHRM"), "{run:?}");
    }
    write_grey(&place, "in.png", [2, 2], &[0, 50, 100, 255], &all[2..3]);
    assert_eq!(place.succeed("image in.png --output out.jpg --device cpu").stderr, "");
}

/// Data in zlib's format, not compressed: short enough for one block.
fn zlib_stored(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap();
    let (mut a, mut b) = (1u32, 0u32);
    for byte in data {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    let checksum = (b << 16 | a).to_be_bytes();
    [&[0x78, 0x01, 0x01][..], &length.to_le_bytes(), &(!length).to_le_bytes(), data, &checksum].concat()
}
