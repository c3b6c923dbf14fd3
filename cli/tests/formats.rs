//! Image files of every format, whole and damaged, large and thin; run as a user runs them.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use crate::common::Workplace;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};

/// Images that the `image` crate doesn't write; data/make.py made them.
fn data(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).unwrap()
}

fn gradient() -> DynamicImage {
    image::RgbImage::from_fn(12, 8, |x, y| image::Rgb([(x * 20) as u8, (y * 30) as u8, 77])).into()
}

#[test]
fn formats_are_read_and_written() {
    let place = Workplace::new();
    gradient().save(place.path("in.png")).unwrap();
    place.succeed("image in.png --output expected.png --device cpu");
    let expected = image::open(place.path("expected.png")).unwrap();
    // BMP and GIF among them; GIF has no alpha here.
    for format in ["png", "webp", "tiff", "ppm", "bmp", "gif"] {
        gradient().save(place.path(format!("in.{format}"))).unwrap();
        for output in ["out.png", "out.webp", "out.tif", "out.tiff"] {
            let run = place.succeed(&format!("image in.{format} --output {output} --device cpu"));
            let out = image::open(place.path(output)).unwrap();
            assert_eq!((run.stderr.as_str(), out.color()), ("", expected.color()), "{format} to {output}: {run:?}");
            // A GIF's colours are of a palette.
            if format != "gif" {
                assert!(out == expected, "{format} to {output}");
            }
        }
        place.succeed(&format!("image in.{format} --output out.jpg --device cpu"));
        place.succeed(&format!("compare in.{format} --output out.webp"));
    }
    for format in ["pgm", "pbm", "pam"] {
        gradient().to_luma8().save_with_format(place.path("grey"), ImageFormat::Pnm).unwrap();
        fs::rename(place.path("grey"), place.path(format!("grey.{format}"))).unwrap();
        place.succeed(&format!("image grey.{format} --output out.png --device cpu"));
    }
}

#[test]
fn streams_have_no_extension_and_options_overrule_it() {
    let place = Workplace::new();
    gradient().save(place.path("in.png")).unwrap();
    let png = fs::read(place.path("in.png")).unwrap();
    for (options, format) in [
        ("--output -", ImageFormat::Png),
        ("--output - --format jpeg", ImageFormat::Jpeg),
        ("--output /dev/stdout --format webp", ImageFormat::WebP),
        ("--output - --format tiff", ImageFormat::Tiff),
    ] {
        for command in ["image - --device cpu", "compare -"] {
            let (stdout, stderr) = place.pipe(&format!("{command} {options}"), &png);
            assert_eq!(image::guess_format(&stdout).ok(), Some(format), "{command} {options}");
            assert!(stderr.starts_with("-: 12x8, 8-bit RGB\n"), "{stderr}");
        }
    }
    place.succeed("image in.png --output no-extension --format png --device cpu");
    place.succeed("image in.png --output wrong.jpg --format png --device cpu");
    assert_eq!(image::guess_format(&fs::read(place.path("wrong.jpg")).unwrap()).ok(), Some(ImageFormat::Png));
    place.succeed("image in.png --output /dev/null --device cpu");
}

#[test]
fn profiles_go_along_in_every_format() {
    let place = Workplace::new();
    let profile = [&[0; 16][..], b"RGB ", &[7; 108]].concat();
    let mut encoder = image::codecs::png::PngEncoder::new(fs::File::create(place.path("in.png")).unwrap());
    image::ImageEncoder::set_icc_profile(&mut encoder, profile.clone()).unwrap();
    gradient().write_with_encoder(encoder).unwrap();
    for output in ["out.png", "out.jpg", "out.webp", "out.tif"] {
        place.succeed(&format!("image in.png --output {output} --device cpu"));
        place.succeed(&format!("image {output} --output again.png --kernel 1 --device cpu"));
        // The `image` crate does not see that of a TIFF.
        for name in [output, "again.png"].into_iter().filter(|name| !name.ends_with("tif")) {
            let mut decoder = ImageReader::open(place.path(name)).unwrap().into_decoder().unwrap();
            assert!(decoder.icc_profile().unwrap().as_ref() == Some(&profile), "{name}, by {output}");
        }
    }
}

#[test]
fn pixels_that_a_format_cannot_hold_are_refused() {
    let place = Workplace::new();
    gradient().to_luma_alpha8().save(place.path("la8.png")).unwrap();
    gradient().to_rgb16().save(place.path("rgb16.png")).unwrap();
    gradient().to_rgb32f().save(place.path("float.tiff")).unwrap();
    for (arguments, expected) in [
        (
            "la8.png --output out.tif",
            &["out.tif: a TIFF holds grey, RGB, or RGB and alpha", "8-bit grey and alpha"][..],
        ),
        ("rgb16.png --output out.webp", &["out.webp: a WebP holds 8 bits a channel", "16-bit RGB: give a .png"]),
        ("rgb16.png --output out.jpg", &["out.jpg: a JPEG holds 8-bit grey or RGB", "16-bit RGB"]),
        ("float.tiff --output out.png", &["float.tiff: holds Rgb32F: give 8 or 16 bits a channel"]),
        (
            "rgb16.png --output out.bmp",
            &["out.bmp: its extension names no format that is written", ".webp", "--format"],
        ),
        ("rgb16.png --output out.png --format gif", &["--format", "png, jpeg, webp, tiff"]),
    ] {
        place.refuse(&format!("image {arguments}"), expected);
    }
    place.succeed("image rgb16.png --output out.tif --device cpu");
    assert_eq!(image::open(place.path("out.tif")).unwrap().color(), image::ColorType::Rgb16);
}

#[test]
fn damaged_files_are_refused_and_odd_ones_are_spoken_of() {
    let place = Workplace::new();
    let halves = ["baseline.jpg", "progressive.jpg", "restart.jpg", "grey.jpg", "lossy.webp", "animated.png"];
    for name in halves {
        let file = data(name);
        fs::write(place.path("half"), &file[..file.len() / 2]).unwrap();
        for command in ["image half --output out.png", "compare half --output out.png"] {
            place.refuse(command, &["half: cannot be decoded", "give a whole PNG, JPEG"]);
            assert_eq!(place.files(), ["half"], "half of {name}");
        }
    }
    for (name, expected) in [
        ("animated.png", "in: is an animation of 2 frames: the picture that stands for it is read\n"),
        ("animated.webp", "in: is an animation: the first frame is read\n"),
        ("animated.gif", "in: is an animation: the first frame is read\n"),
        ("pages.tif", "in: holds more than one image: the first is read\n"),
        ("progressive.jpg", ""),
        ("restart.jpg", ""),
        ("lossy.webp", ""),
    ] {
        fs::write(place.path("in"), data(name)).unwrap();
        let run = place.succeed("image in --output out.png --device cpu");
        assert_eq!(run.stderr, expected, "{name}");
    }
}

#[test]
fn large_images_take_what_memory_they_may() {
    let place = Workplace::new();
    gradient().save(place.path("in.png")).unwrap();
    gradient().save(place.path("in.jpg")).unwrap();
    gradient().save(place.path("in.tiff")).unwrap();
    // 12x8 pixels of 3 bytes.
    for input in ["in.png", "in.jpg", "in.tiff"] {
        let said =
            if fs::metadata(place.path(input)).unwrap().len() <= 287 { "12x8 pixels take 288 bytes" } else { input };
        for command in ["image", "compare"] {
            place.refuse(
                &format!("{command} {input} --output out.png --max-memory 287"),
                &[input, said, "more than the limit of 287: give --max-memory 288"],
            );
        }
        place.succeed(&format!("image {input} --output out.png --max-memory 1M --device cpu"));
    }
    // A file of a few bytes that claims the largest picture.
    let mut huge = Cursor::new(Vec::new());
    gradient().write_to(&mut huge, ImageFormat::Bmp).unwrap();
    let mut huge = huge.into_inner();
    huge[18..26].copy_from_slice(&[50_000u32.to_le_bytes(), 50_000u32.to_le_bytes()].concat());
    fs::write(place.path("huge.bmp"), huge).unwrap();
    place.refuse(
        "image huge.bmp --output out.png",
        &["huge.bmp: 50000x50000 pixels take 7500000000 bytes, more than the limit of 4G: give --max-memory 7G"],
    );
    for size in ["0", "x", "1.5G", "-1"] {
        place.refuse(&format!("image in.png --output out.png --max-memory={size}"), &["--max-memory", "8G"]);
    }
}

#[test]
fn windows_are_those_of_tensors() {
    let place = Workplace::new();
    gradient().save(place.path("in.png")).unwrap();
    for (options, size, said) in [
        ("--kernel 3 --padding 1", (4, 3), "kernel 3x3, stride 3x3, padding 1x1"),
        ("--kernel 5 --ceil-mode", (3, 2), "kernel 5x5, stride 5x5, ceil mode"),
        ("--kernel 2,3 --dilation 3,2", (3, 3), "kernel 2x3, stride 2x3, dilation 3x2"),
        ("--kernel 2,3 --dilation 3,2 --padding 1,1 --ceil-mode", (4, 4), "padding 1x1, dilation 3x2, ceil mode"),
    ] {
        let stdout = place.succeed(&format!("image in.png --output out.png {options}")).stdout;
        assert!(stdout.contains(said), "{options}: {stdout}");
        assert_eq!(image::image_dimensions(place.path("out.png")).unwrap(), size, "{options}");
        let stdout = place.succeed(&format!("compare in.png --output out.png {options}")).stdout;
        assert!(stdout.contains(said), "{options}: {stdout}");
    }
    // The advice can be followed.
    place.refuse("image in.png --output out.png --kernel 10", &["height 8", "spans 10"]);
    place.succeed("image in.png --output out.png --kernel 10 --padding 1");
    for option in ["--padding 1", "--dilation 2", "--ceil-mode"] {
        place.refuse(
            &format!("image in.png --output out.png --output-size 2 {option}"),
            &["'--output-size <SIZE>' cannot"],
        );
    }
}

#[test]
fn a_row_of_pixels_is_pooled_along_itself() {
    let place = Workplace::new();
    let row = image::GrayImage::from_fn(8, 1, |x, _| image::Luma([(x * 10) as u8]));
    row.save(place.path("row.png")).unwrap();
    image::imageops::rotate90(&row).save(place.path("column.png")).unwrap();
    image::GrayImage::new(1, 1).save(place.path("dot.png")).unwrap();
    let along = |input: &str| match input {
        "row.png" => "row.png: is 1 pixel high: pooled along its width only\n",
        "column.png" => "column.png: is 1 pixel wide: pooled along its height only\n",
        _ => "dot.png: is a single pixel: there is nothing to pool\n",
    };
    for (input, options, levels) in [
        ("row.png", "", &[5, 25, 45, 65][..]),
        ("column.png", "", &[5, 25, 45, 65]),
        ("row.png", "--kernel 4 --stride 2 --padding 1", &[10, 25, 45, 60]),
        ("column.png", "--kernel 2 --dilation 3 --stride 1", &[15, 25, 35, 45, 55]),
        ("row.png", "--output-size 2", &[15, 55]),
        ("dot.png", "", &[0]),
    ] {
        let run = place.succeed(&format!("image {input} --output out.png --method avg --device cpu {options}"));
        assert_eq!(run.stderr, along(input), "{input} {options}");
        assert_eq!(image::open(place.path("out.png")).unwrap().into_luma8().into_raw(), levels, "{input} {options}");
    }
    for input in ["row.png", "column.png", "dot.png"] {
        assert_eq!(place.succeed(&format!("compare {input} --output out.png")).stderr, along(input), "{input}");
    }
    // Where windows fit, there is nothing to say.
    for options in ["--kernel 1,2", "--kernel 2 --padding 1,0", "--kernel 1"] {
        assert_eq!(place.succeed(&format!("image row.png --output out.png {options}")).stderr, "", "{options}");
    }
    place.refuse("image row.png --output out.png --kernel 9", &["row.png", "width 8", "spans 9"]);
}
