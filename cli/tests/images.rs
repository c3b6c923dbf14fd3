//! `softpool image` and `softpool compare`, run as a user runs them.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;

use crate::common::Workplace;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ColorType, DynamicImage, ImageEncoder};

const WIDTH: usize = 6;
const HEIGHT: usize = 4;

/// Levels of a test image, pixel after pixel: no two neighbours alike, black and white among them.
fn levels(color: ColorType) -> Vec<u16> {
    let max = if is_16_bit(color) { 65535 } else { 255 };
    let samples = WIDTH * HEIGHT * usize::from(color.channel_count());
    (0..samples).map(|i| if i % 13 == 0 { max } else { (i * 2731 % (usize::from(max) + 1)) as u16 }).collect()
}

fn is_16_bit(color: ColorType) -> bool {
    color.bytes_per_pixel() > color.channel_count()
}

fn write_png(path: &Path, color: ColorType, levels: &[u16]) {
    let bytes: Vec<u8> = if is_16_bit(color) {
        levels.iter().flat_map(|level| level.to_ne_bytes()).collect()
    } else {
        levels.iter().map(|&level| level as u8).collect()
    };
    PngEncoder::new(File::create(path).unwrap())
        .write_image(&bytes, WIDTH as u32, HEIGHT as u32, color.into())
        .unwrap();
}

fn read_levels(image: &DynamicImage) -> Vec<u16> {
    if is_16_bit(image.color()) {
        image.as_bytes().chunks(2).map(|bytes| u16::from_ne_bytes(bytes.try_into().unwrap())).collect()
    } else {
        image.as_bytes().iter().copied().map(u16::from).collect()
    }
}

/// The levels of an image of `channels`, the last of them alpha, each colour multiplied by its alpha.
fn premultiplied(levels: &[u16], channels: usize, max: f64) -> Vec<f64> {
    let pixels = levels.chunks(channels).flat_map(|pixel| {
        let alpha = f64::from(pixel[channels - 1]);
        let colour = |&level: &u16| f64::from(level) * alpha / max;
        pixel[..channels - 1].iter().map(colour).chain([alpha]).collect::<Vec<_>>()
    });
    pixels.collect()
}

/// The 2x2 windows of an image, each channel's by itself, in the order of the output's samples.
fn windows(levels: &[f64], channels: usize) -> Vec<[f64; 4]> {
    let mut windows = Vec::new();
    for top in (0..HEIGHT).step_by(2) {
        for left in (0..WIDTH).step_by(2) {
            for channel in 0..channels {
                windows.push(
                    [(0, 0), (0, 1), (1, 0), (1, 1)]
                        .map(|(down, right)| levels[((top + down) * WIDTH + left + right) * channels + channel]),
                );
            }
        }
    }
    windows
}

fn soft(window: &[f64; 4], beta: f64, max: f64) -> f64 {
    let weights = window.map(|level| (beta * level / max).exp());
    window.iter().zip(weights).map(|(level, weight)| level * weight).sum::<f64>() / weights.iter().sum::<f64>()
}

#[test]
fn every_colour_type_and_depth_is_pooled_by_channel_and_kept() {
    let place = Workplace::new();
    for color in [
        ColorType::L8,
        ColorType::La8,
        ColorType::Rgb8,
        ColorType::Rgba8,
        ColorType::L16,
        ColorType::La16,
        ColorType::Rgb16,
        ColorType::Rgba16,
    ] {
        let max = if is_16_bit(color) { 65535.0 } else { 255.0 };
        let levels = levels(color);
        write_png(&place.path("in.png"), color, &levels);

        place.succeed("image in.png --output same.png --kernel 1");
        let same = image::open(place.path("same.png")).unwrap();
        assert_eq!((same.color(), read_levels(&same)), (color, levels.clone()));

        let channels = usize::from(color.channel_count());
        let alpha = color.has_alpha();
        let pooled_levels: Vec<f64> =
            if alpha { premultiplied(&levels, channels, max) } else { levels.iter().copied().map(f64::from).collect() };
        let windows = windows(&pooled_levels, channels);
        // Divided by the pooled alpha again, which no window here has 0 of.
        let straight = |pooled: Vec<f64>| -> Vec<f64> {
            let pixels = pooled.chunks(channels).flat_map(|pixel| {
                let colour = |&level: &f64| (level / pixel[channels - 1]).min(1.0) * max;
                pixel[..channels - 1].iter().map(colour).chain([pixel[channels - 1]]).collect::<Vec<_>>()
            });
            if alpha { pixels.collect() } else { pooled.clone() }
        };
        let soft = |beta: f64| straight(windows.iter().map(|window| soft(window, beta, max)).collect::<Vec<_>>());
        let average = straight(windows.iter().map(|window| window.iter().sum::<f64>() / 4.0).collect());
        let largest = straight(windows.iter().map(|window| window.iter().copied().fold(0.0, f64::max)).collect());
        // The largest level itself: a single other level's weight would show. A quotient is rounded.
        let exact = if alpha { 0.51 } else { 0.0 };
        for (options, pooled, tolerance) in [
            ("--device cpu", soft(1.0), 0.501),
            ("--beta -3", soft(-3.0), 0.51),
            ("--method avg", average, 0.51),
            ("--method max", largest, exact),
        ] {
            place.succeed(&format!("image in.png --output out.png {options}"));
            let out = image::open(place.path("out.png")).unwrap();
            assert_eq!(out.color(), color, "{options}");
            assert_eq!((out.width(), out.height()), (WIDTH as u32 / 2, HEIGHT as u32 / 2), "{options}");
            for (level, expected) in read_levels(&out).into_iter().zip(pooled) {
                let difference = (f64::from(level) - expected).abs();
                assert!(difference <= tolerance, "{color:?} {options}: {level} for {expected}");
            }
        }
    }
}

#[test]
fn kernel_and_stride_by_axis_and_what_is_printed() {
    let place = Workplace::new();
    write_png(&place.path("in.png"), ColorType::Rgb8, &levels(ColorType::Rgb8));
    let run = place.succeed("image in.png --output out.png --kernel 3,2 --stride 1,2 --device cpu");
    let out = image::open(place.path("out.png")).unwrap();
    assert_eq!((out.width(), out.height()), (3, 2));
    for expected in ["in.png: 6x4", "out.png: 3x2", "soft", "kernel 3x2", "stride 1x2", "ms on the CPU reference"] {
        assert!(run.stdout.contains(expected), "{run:?} lacks {expected}");
    }
}

#[test]
fn an_image_is_pooled_to_a_size() {
    let place = Workplace::new();
    write_png(&place.path("in.png"), ColorType::Rgb8, &levels(ColorType::Rgb8));
    for (size, same_as) in [("2,3", "2"), ("4,2", "1,3"), ("1", "4,6")] {
        let run = place.succeed(&format!("image in.png --output size.png --output-size {size}"));
        let size = image::open(place.path("size.png")).unwrap();
        assert!(run.stdout.contains(&format!("output size {}x{}", size.height(), size.width())), "{run:?}");
        place.succeed(&format!("image in.png --output kernel.png --kernel {same_as}"));
        assert_eq!(size, image::open(place.path("kernel.png")).unwrap());
    }
    // The windows of a row of six are 0 and 1, 1 to 2, 3 and 4, 4 and 5: the floor and the ceiling of thirds.
    place.succeed("image in.png --output out.png --output-size 4 --method max --device cpu");
    let (given, pooled) = (levels(ColorType::Rgb8), image::open(place.path("out.png")).unwrap().into_rgb8());
    for (x, y, pixel) in pooled.enumerate_pixels() {
        let columns = [0..2, 1..3, 3..5, 4..6][x as usize].clone();
        for channel in 0..3 {
            let largest = columns.clone().map(|column| given[(y as usize * WIDTH + column) * 3 + channel]).max();
            assert_eq!(Some(u16::from(pixel[channel])), largest, "{channel} at {x}, {y}");
        }
    }
}

#[test]
fn jpeg_in_and_out() {
    let place = Workplace::new();
    let bytes: Vec<u8> = (0..64 * 48 * 3).map(|i| (i / 3 % 64 * 4) as u8).collect();
    let file = File::create(place.path("in.jpg")).unwrap();
    JpegEncoder::new_with_quality(file, 95).write_image(&bytes, 64, 48, ColorType::Rgb8.into()).unwrap();
    for output in ["out.jpg", "out.JPEG", "out.png"] {
        place.succeed(&format!("image in.jpg --output {output} --method avg"));
        let out = image::open(place.path(output)).unwrap().into_rgb8();
        assert_eq!(out.dimensions(), (32, 24), "{output}");
        // Pixels 2 x and 2 x + 1 have levels 8 x and 8 x + 4.
        for (x, _, pixel) in out.enumerate_pixels() {
            assert!((f64::from(pixel[1]) - (8.0 * f64::from(x) + 2.0)).abs() < 6.0, "{output}: {pixel:?} at {x}");
        }
    }
}

#[test]
fn a_photograph_is_turned_upright_and_its_profile_kept() {
    let place = Workplace::new();
    // TIFF, little-endian, one entry: orientation (0x112) is 6, the top at the right.
    let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    let profile = |space: &[u8; 4]| [&[0; 16][..], space, &[7; 108]].concat();
    for (space, kept) in [(b"RGB ", true), (b"CMYK", false)] {
        let mut encoder = JpegEncoder::new(BufWriter::new(File::create(place.path("in.jpg")).unwrap()));
        encoder.set_exif_metadata(exif.clone()).unwrap();
        encoder.set_icc_profile(profile(space)).unwrap();
        encoder.write_image(&[128; 40 * 20 * 3], 40, 20, ColorType::Rgb8.into()).unwrap();
        for output in ["out.png", "out.jpg"] {
            place.succeed(&format!("image in.jpg --output {output} --device cpu"));
            let mut decoder = image::ImageReader::open(place.path(output)).unwrap().into_decoder().unwrap();
            let found = image::ImageDecoder::icc_profile(&mut decoder).unwrap();
            assert_eq!(found, kept.then(|| profile(space)), "{output}");
            assert_eq!(image::ImageDecoder::dimensions(&decoder), (10, 20), "{output}");
        }
    }
}

#[test]
fn wrong_arguments_and_files_are_explained() {
    let place = Workplace::new();
    write_png(&place.path("rgb.png"), ColorType::Rgb8, &levels(ColorType::Rgb8));
    write_png(&place.path("alpha.png"), ColorType::La8, &levels(ColorType::La8));
    write_png(&place.path("deep.png"), ColorType::L16, &levels(ColorType::L16));
    let png = fs::read(place.path("rgb.png")).unwrap();
    fs::write(place.path("cut.png"), &png[..60]).unwrap();
    fs::write(place.path("text.png"), "no image").unwrap();
    fs::write(place.path("empty.png"), "").unwrap();
    let before = place.files();
    for (arguments, expected) in [
        ("image rgb.png", &["--output"][..]),
        ("image rgb.png --output out.gif", &["out.gif", "give .png, .jpg or .jpeg"]),
        ("image rgb.png --output out", &["out: its extension names no format"]),
        ("image rgb.png --output no/out.png", &["no/out.png", "its directory no is not there"]),
        ("image alpha.png --output out.jpg", &["out.jpg", "8-bit grey and alpha", "give a .png"]),
        ("image deep.png --output out.jpg", &["out.jpg", "16-bit grey", "give a .png"]),
        ("image rgb.png --output out.png --method max --beta 2", &["--beta 2 with --method max"]),
        ("image rgb.png --output out.png --method avg --beta 0", &["--beta 0 with --method avg"]),
        ("image rgb.png --output out.png --method min", &["--method", "soft, max, avg"]),
        ("image rgb.png --output out.png --beta nan", &["beta is NaN"]),
        ("image rgb.png --output out.png --kernel 5", &["rgb.png", "6x4", "height 4", "spans 5"]),
        ("image rgb.png --output out.png --kernel 2,2,2", &["rgb.png", "--kernel 2,2,2 has 3 values"]),
        ("image rgb.png --output out.png --stride 0", &["stride along height is 0"]),
        ("image rgb.png --output out.png --output-size 0", &["output size 0 along height"]),
        ("image rgb.png --output out.png --output-size 2 --kernel 2", &["'--output-size <SIZE>' cannot be used with"]),
        ("image rgb.png --output out.png --output-size 2 --stride 2", &["'--output-size <SIZE>' cannot be used with"]),
        ("image rgb.png --output out.png --device nonsense", &["no GPU adapter matches 'nonsense'"]),
        ("image absent.png --output out.png", &["absent.png", "cannot be read"]),
        ("image text.png --output out.png", &["text.png", "cannot be decoded", "give a whole PNG, JPEG, WebP"]),
        ("image empty.png --output out.png", &["empty.png", "cannot be decoded"]),
        ("image cut.png --output out.png", &["cut.png", "cannot be decoded"]),
        ("compare rgb.png", &["--output"]),
        ("compare rgb.png --output out.gif", &["out.gif", "give .png"]),
        ("compare text.png --output out.png", &["text.png", "cannot be decoded"]),
        ("compare rgb.png --output out.png --kernel 5", &["rgb.png", "height 4", "spans 5"]),
        ("compare rgb.png --output out.png --kernel 0", &["kernel along height is 0"]),
    ] {
        place.refuse(arguments, expected);
        assert_eq!(place.files(), before, "{arguments}");
    }
}

#[test]
fn a_comparison_is_drawn_and_measured() {
    let place = Workplace::new();
    for (name, color, kernel, has_ssim) in
        [("rgb.png", ColorType::Rgb8, "2", false), ("alpha.png", ColorType::La16, "4,3", false)]
    {
        write_png(&place.path(name), color, &levels(color));
        check_comparison(&place, name, kernel, has_ssim);
    }
    let photo =
        image::RgbImage::from_fn(90, 50, |x, y| image::Rgb([(x * 2) as u8, (y * 5) as u8, (x * y % 256) as u8]));
    photo.save(place.path("photo.png")).unwrap();
    check_comparison(&place, "photo.png", "3", true);

    // A pooling of single pixels changes nothing.
    let stdout = place.succeed("compare photo.png --output out.png --kernel 1").stdout;
    assert_eq!(stdout.matches("1.0000      inf dB").count(), 3, "{stdout}");
}

fn check_comparison(place: &Workplace, name: &str, kernel: &str, has_ssim: bool) {
    let stdout = place.succeed(&format!("compare {name} --output out.png --kernel {kernel}")).stdout;
    for method in ["soft", "max", "avg"] {
        let line = stdout.lines().find(|line| line.starts_with(method)).unwrap_or_else(|| panic!("{stdout}"));
        let [_, ssim, psnr, "dB"] = line.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line}") };
        assert!(psnr.parse::<f64>().is_ok_and(|psnr| psnr > 0.0), "{line}");
        assert_eq!(ssim.parse::<f64>().is_ok_and(|ssim| (-1.0..=1.0).contains(&ssim)), has_ssim, "{line}");
    }
    let picture = image::open(place.path("out.png")).unwrap();
    assert_eq!((picture.width(), picture.color()), (1600, ColorType::Rgb8));
}
