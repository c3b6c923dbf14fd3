//! Image files into pixels: PNG, JPEG, WebP, TIFF, PNM, GIF and BMP. What a decoder passes over in silence is an error
//! here where it touches the picture, and a warning where it doesn't.

use std::io::{self, Cursor, Read, Write};
use std::path::Path;

use image::codecs::gif::GifDecoder;
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use tiff::tags::Tag;

use crate::colours::Colours;
use crate::damage;
use crate::failure::{Failure, Result};
use crate::input_files;
use crate::memory_size::MemorySize;
use crate::png_file;

/// Memory for what a file has beside its pixels, whatever they may take.
const BESIDE_PIXELS: u64 = 1 << 20;

/// What is read.
const ACCEPTED: &str = "give a whole PNG, JPEG, WebP, TIFF, PNM, GIF or BMP image";

/// The image at `path`, turned upright, and what its levels mean. Warnings go to stderr.
pub fn decode(path: &Path, max_memory: MemorySize) -> Result<(DynamicImage, Colours)> {
    let cannot = |error: io::Error| Failure::of_file(path, format_args!("cannot be read: {error}"));
    let mut file = Vec::new();
    // A device never ends.
    let limit = max_memory.bytes().saturating_add(BESIDE_PIXELS);
    input_files::open(path).map_err(cannot)?.take(limit).read_to_end(&mut file).map_err(cannot)?;
    let fault = |problem: Problem| Failure::of_file(path, problem.describe(max_memory));
    if file.len() as u64 == limit {
        return Err(fault(Problem::TooLarge(None)));
    }
    let (image, colours, warnings) = decode_bytes(&file, max_memory.bytes()).map_err(fault)?;
    for warning in warnings {
        let _ = writeln!(io::stderr(), "{}: {warning}", path.display());
    }
    Ok((image, colours))
}

/// Why a file is not decoded.
enum Problem {
    /// It takes more memory than allowed; how many bytes, and of what image, where that is known.
    TooLarge(Option<(u64, [u32; 2])>),
    Other(String),
}

impl Problem {
    fn describe(&self, max_memory: MemorySize) -> String {
        match self {
            Self::TooLarge(Some((bytes, [width, height]))) => format!(
                "{width}x{height} pixels take {bytes} bytes, more than the limit of {max_memory}: give --max-memory {}",
                MemorySize::at_least(*bytes)
            ),
            Self::TooLarge(None) => {
                format!("takes more memory than the limit of {max_memory}: give a larger --max-memory")
            }
            Self::Other(problem) => format!("cannot be decoded ({problem}): {ACCEPTED}"),
        }
    }
}

impl From<ImageError> for Problem {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Limits(_) => Self::TooLarge(None),
            error => Self::Other(error.to_string().trim_end().to_owned()),
        }
    }
}

fn decode_bytes(file: &[u8], max_bytes: u64) -> Result<(DynamicImage, Colours, Vec<String>), Problem> {
    let mut reader = ImageReader::new(Cursor::new(file));
    let mut limits = Limits::default();
    limits.max_alloc = Some(max_bytes.max(BESIDE_PIXELS));
    reader.limits(limits);
    reader = reader.with_guessed_format().map_err(|error| Problem::Other(error.to_string()))?;
    let format = reader.format();
    damage::listen();
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if decoder.total_bytes() > max_bytes {
        return Err(Problem::TooLarge(Some((decoder.total_bytes(), [width, height]))));
    }
    let orientation = decoder.orientation()?;
    let mut icc_profile = decoder.icc_profile()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    let mut chunks = Vec::new();
    let mut warnings = Vec::new();
    match format {
        Some(ImageFormat::Png) => {
            warnings.extend(png_file::check(file, max_bytes.max(BESIDE_PIXELS)).map_err(|error| match error {
                png::DecodingError::LimitsExceeded => Problem::TooLarge(None),
                error => Problem::Other(error.to_string()),
            })?);
            chunks = png_file::colour_chunks(file);
        }
        Some(ImageFormat::Jpeg) => {
            warnings.extend(damage::heard().map_err(Problem::Other)?);
            if !damage::has_end(file) {
                return Err(Problem::Other("the file ends before the image does".into()));
            }
        }
        Some(ImageFormat::Gif) => {
            warnings.extend(frames_beside_the_first(&mut GifDecoder::new(Cursor::new(file))?.into_frames()));
            // GIF has transparent pixels, but no levels of alpha: the decoder makes an alpha channel of none, too.
            if image.to_rgba8().pixels().all(|pixel| pixel[3] == u8::MAX) {
                image = image.into_rgb8().into();
            }
        }
        Some(ImageFormat::WebP) => {
            let decoder = WebPDecoder::new(Cursor::new(file))?;
            if decoder.has_animation() {
                warnings.extend(frames_beside_the_first(&mut decoder.into_frames()));
            }
            // "RIFF", and the size of what follows.
            let promised = file.get(4..8).map(|size| u32::from_le_bytes([size[0], size[1], size[2], size[3]]));
            if promised.is_some_and(|promised| u64::from(promised) + 8 > file.len() as u64) {
                warnings.push("the file ends earlier than it says: what follows the picture is missing".into());
            }
        }
        Some(ImageFormat::Tiff) => {
            let mut decoder =
                tiff::decoder::Decoder::new(Cursor::new(file)).map_err(|error| Problem::Other(error.to_string()))?;
            // The `image` crate looks for it under a name that its decoder has since given up.
            icc_profile = icc_profile.or_else(|| decoder.get_tag_u8_vec(Tag::IccProfile).ok());
            if decoder.more_images() {
                warnings.push("holds more than one image: the first is read".into());
            }
        }
        _ => {}
    }
    image.apply_orientation(orientation);
    let colours = Colours { icc_profile, chunks }.for_pixels_of(image.color());
    Ok((image, colours, warnings))
}

/// What to say of an animation's frames but the first, which is read.
fn frames_beside_the_first(frames: &mut image::Frames<'_>) -> Option<String> {
    match frames.nth(1) {
        Some(Ok(_)) => Some("is an animation: the first frame is read".into()),
        Some(Err(error)) => Some(format!("is damaged after the first frame, which is read ({error})")),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// The messages of the JPEG decoder are those of the whole process: one test decodes at a time.
    static ALONE: Mutex<()> = Mutex::new(());

    const MEMORY: u64 = 1 << 20;

    /// Files of every kind that is read.
    fn files() -> Vec<(&'static str, Vec<u8>)> {
        let pixels = (0..20 * 15 * 3).map(|index| (index * index % 251) as u8).collect();
        let image: DynamicImage = image::RgbImage::from_raw(20, 15, pixels).unwrap().into();
        let encoded = |format| {
            let mut file = Cursor::new(Vec::new());
            image.write_to(&mut file, format).unwrap();
            file.into_inner()
        };
        vec![
            ("png", encoded(ImageFormat::Png)),
            ("bmp", encoded(ImageFormat::Bmp)),
            ("pnm", encoded(ImageFormat::Pnm)),
            ("webp", encoded(ImageFormat::WebP)),
            ("tiff", encoded(ImageFormat::Tiff)),
            ("gif", encoded(ImageFormat::Gif)),
            ("lossy.webp", include_bytes!("../tests/data/lossy.webp").to_vec()),
            ("animated.webp", include_bytes!("../tests/data/animated.webp").to_vec()),
            ("animated.png", include_bytes!("../tests/data/animated.png").to_vec()),
            ("animated.gif", include_bytes!("../tests/data/animated.gif").to_vec()),
            ("pages.tif", include_bytes!("../tests/data/pages.tif").to_vec()),
            ("baseline.jpg", include_bytes!("../tests/data/baseline.jpg").to_vec()),
            ("progressive.jpg", include_bytes!("../tests/data/progressive.jpg").to_vec()),
            ("restart.jpg", include_bytes!("../tests/data/restart.jpg").to_vec()),
            ("grey.jpg", include_bytes!("../tests/data/grey.jpg").to_vec()),
        ]
    }

    fn decoded(file: &[u8]) -> Result<(DynamicImage, Colours, Vec<String>), String> {
        decode_bytes(file, MEMORY).map_err(|problem| problem.describe(MemorySize::at_least(MEMORY)))
    }

    #[test]
    fn whole_files_are_read_and_more_than_one_picture_is_said() {
        let _alone = ALONE.lock();
        for (name, file) in files() {
            let (_, _, warnings) = decoded(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
            let expected = match name {
                "animated.png" => "is an animation of 2 frames: the picture that stands for it is read",
                "animated.webp" | "animated.gif" => "is an animation: the first frame is read",
                "pages.tif" => "holds more than one image: the first is read",
                _ => "",
            };
            assert_eq!(warnings.join("\n"), expected, "{name}");
        }
    }

    #[test]
    fn of_an_animation_the_first_frame_is_read() {
        let _alone = ALONE.lock();
        // Both hold the same frames without loss.
        let (png, webp) = (include_bytes!("../tests/data/animated.png"), include_bytes!("../tests/data/animated.webp"));
        assert!(decoded(png).unwrap().0 == decoded(webp).unwrap().0);
    }

    #[test]
    fn a_profile_that_cannot_be_unpacked_is_spoken_of_and_kept() {
        let _alone = ALONE.lock();
        let mut file = Vec::new();
        let mut writer = png::Encoder::new(&mut file, 1, 1).write_header().unwrap();
        writer.write_chunk(png::chunk::iCCP, b"name\0\0no zlib").unwrap();
        writer.write_image_data(&[7]).unwrap();
        drop(writer);
        let (_, colours, warnings) = decoded(&file).unwrap();
        assert_eq!((colours.icc_profile, colours.chunks.len()), (None, 1));
        assert_eq!(warnings, ["its ICC profile cannot be unpacked, and is left as it is"]);
    }

    #[test]
    fn files_that_break_off_are_refused_unless_the_picture_is_whole() {
        let _alone = ALONE.lock();
        for (name, file) in files() {
            let whole = decoded(&file).unwrap().0;
            for end in 0..file.len() {
                if let Ok((image, _, warnings)) = decoded(&file[..end]) {
                    assert_eq!(image, whole, "{name}: the first {end} bytes of {}", file.len());
                    assert_ne!(warnings, [""; 0], "{name}: the first {end} bytes of {}", file.len());
                }
            }
        }
    }

    #[test]
    fn every_byte_of_a_png_is_checked() {
        let _alone = ALONE.lock();
        for (name, file) in files().into_iter().filter(|(name, _)| name.ends_with("png")) {
            for index in 0..file.len() {
                for bit in [0, 7] {
                    let mut damaged = file.clone();
                    damaged[index] ^= 1 << bit;
                    assert!(decoded(&damaged).is_err(), "{name}: bit {bit} of byte {index}");
                }
            }
        }
    }

    #[test]
    fn damage_never_ends_the_program() {
        let _alone = ALONE.lock();
        // Where files have no checksums, other pixels may be all there is to see.
        for (name, file) in files() {
            for index in 0..file.len().min(2000) {
                for change in [1, 0x80, 0xff] {
                    let mut damaged = file.clone();
                    damaged[index] ^= change;
                    let outcome = std::panic::catch_unwind(|| decoded(&damaged).is_ok());
                    assert!(outcome.is_ok(), "{name}: byte {index} changed by {change:#x}");
                }
            }
        }
    }
}
