//! Faults that people ran into, one a line: what it was, the input, the command, and what is right.

use std::fs;
use std::io::Cursor;

use crate::common::{Workplace, npy, read};
use image::{ImageFormat, Rgba, RgbaImage};

/// What a command has to do.
enum Right {
    /// Stop with this on stderr, and make nothing.
    Refused(&'static str),
    /// Write an image of these pixels to `out`.
    Pixels(&'static [[u8; 4]]),
    /// Write a tensor of these values to `out`.
    Values(&'static [f32]),
    /// Write `out`, and say this on stderr.
    Warned(&'static str),
    /// Write `out` with these bytes in it.
    Holds(&'static [u8]),
}

/// A PNG of a row of pixels.
fn row(pixels: &[[u8; 4]]) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let width = pixels.len() as u32;
    RgbaImage::from_fn(width, 1, |x, _| Rgba(pixels[x as usize])).write_to(&mut file, ImageFormat::Png).unwrap();
    file.into_inner()
}

/// A PNG of two grey pixels, black and white, whose levels are light.
fn linear_png() -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 2, 1);
    encoder.set_source_gamma(png::ScaledFloat::new(1.0));
    encoder.write_header().unwrap().write_image_data(&[0, 255]).unwrap();
    file
}

/// The first half of a file.
fn half(file: &[u8]) -> Vec<u8> {
    file[..file.len() / 2].to_vec()
}

fn singles(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[test]
fn faults_stay_mended() {
    use Right::{Holds, Pixels, Refused, Values, Warned};

    const RED_OVER_CLEAR_BLUE: [[u8; 4]; 2] = [[255, 0, 0, 255], [0, 0, 255, 0]];
    const BLACK_AND_WHITE: [[u8; 4]; 2] = [[0, 0, 0, 255], [255; 4]];
    const AVERAGE: &str = "image in --output out --format png --method avg --device cpu";
    const COPY: &str = "forward --input in --output out --kernel 1 --device cpu";
    let baseline = include_bytes!("data/baseline.jpg");
    let progressive = include_bytes!("data/progressive.jpg");
    let animated = include_bytes!("data/animated.png");
    let two = singles(&[1.0, 2.0]);

    #[rustfmt::skip]
    let faults = [
        ("half a JPEG passes, its rest grey", half(baseline), AVERAGE, Refused("in: cannot be decoded")),
        ("half a progressive JPEG passes", half(progressive), AVERAGE, Refused("in: cannot be decoded")),
        ("a JPEG without its end passes", baseline[..baseline.len() - 2].to_vec(), AVERAGE, Refused("in: cannot be decoded")),
        ("a JPEG compared that breaks off", half(baseline), "compare in --output out --format png", Refused("in: cannot be decoded")),
        ("an animation of which one picture is read", animated.to_vec(), AVERAGE, Warned("in: is an animation of 2 frames")),
        ("what is clear colours what isn't", row(&RED_OVER_CLEAR_BLUE), AVERAGE, Pixels(&[[255, 0, 0, 128]])),
        ("what is clear darkens an edge", row(&[[255; 4], [0; 4]]), AVERAGE, Pixels(&[[255, 255, 255, 128]])),
        ("clear pixels lose their colour", row(&[[10, 0, 0, 0], [30, 0, 0, 0]]), AVERAGE, Pixels(&[[20, 0, 0, 0]])),
        ("half the light is too dark", row(&BLACK_AND_WHITE), "image in --output out --format png --method avg --linear", Pixels(&[[188, 188, 188, 255]])),
        ("gAMA is dropped", linear_png(), AVERAGE, Holds(b"gAMA\x00\x01\x86\xa0")),
        ("gAMA is dropped by compare", linear_png(), "compare in --output out --format png", Holds(b"gAMA\x00\x01\x86\xa0")),
        ("a picture of one row is refused", row(&BLACK_AND_WHITE), AVERAGE, Warned("in: is 1 pixel high: pooled along its width only")),
        ("padding is advised and not to be had", row(&BLACK_AND_WHITE), "image in --output out --format png --kernel 4 --padding 2,1", Warned("")),
        ("a limit is told as a wrong format", row(&BLACK_AND_WHITE), "image in --output out --format png --max-memory 4", Refused("more than the limit of 4: give --max-memory 8")),
        ("a header of Python 2", npy("<f4", "(1L, 1L, 2L)", &two), COPY, Values(&[1.0, 2.0])),
        ("the machine's byte order by name", npy("=f4", "(1, 1, 2)", &two), COPY, Values(&[1.0, 2.0])),
        ("no byte order", npy("f4", "(1, 1, 2)", &two), COPY, Values(&[1.0, 2.0])),
        ("big-endian values", npy(">f4", "(1, 1, 1)", &1f32.to_be_bytes()), COPY, Values(&[1.0])),
        ("whole numbers", npy("<i8", "(1, 1, 1)", &7i64.to_le_bytes()), COPY, Values(&[7.0])),
        ("whole numbers that f32 lacks", npy("<i4", "(1, 1, 1)", &16_777_217i32.to_le_bytes()), COPY, Refused("element 0 is 16777217, which float32 doesn't have")),
        ("a parser's trace", npy("<f4", "(1, 1, two)", &two), COPY, Refused("is no valid .npy file (its header is no dictionary of Python")),
    ];
    for (what, input, command, right) in faults {
        let place = Workplace::new();
        fs::write(place.path("in"), input).unwrap();
        if let Refused(expected) = right {
            place.refuse(command, &[expected]);
            assert_eq!(place.files(), ["in"], "{what}: softpool {command}");
            continue;
        }
        let run = place.succeed(command);
        let out = fs::read(place.path("out")).unwrap();
        match right {
            Pixels(expected) => {
                let pixels: Vec<_> =
                    image::load_from_memory(&out).unwrap().into_rgba8().pixels().map(|pixel| pixel.0).collect();
                assert_eq!(pixels, expected, "{what}: softpool {command}");
            }
            Values(expected) => {
                fs::rename(place.path("out"), place.path("out.npy")).unwrap();
                assert_eq!(read(&place.path("out.npy")).as_slice(), Some(expected), "{what}: softpool {command}");
            }
            Warned(expected) => assert!(run.stderr.contains(expected), "{what}: softpool {command}: {run:?}"),
            Holds(expected) => {
                let found = out.windows(expected.len()).any(|bytes| bytes == expected);
                assert!(found, "{what}: softpool {command} loses {expected:?}");
            }
            Refused(_) => unreachable!("refusals are seen to above"),
        }
    }
}
