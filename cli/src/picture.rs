//! PNG and JPEG images as planes of values from 0 to 1, and back in the same colour type and bit depth.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ColorType, DynamicImage, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Limits};
use softpool::{Shape, SoftPoolConfig};

use crate::device::Device;
use crate::failure::{Failure, Result};
use crate::pooling::Pooling;

/// Memory that a decoded image may take: a small file can claim any size.
const MAX_DECODED_BYTES: u64 = 4 << 30;

/// JPEG's quality from 1 to 100: what pooling changes should show, not what the encoder does.
const JPEG_QUALITY: u8 = 95;

/// Bytes of an ICC profile that name the colour space of its pixels.
const ICC_COLOUR_SPACE: std::ops::Range<usize> = 16..20;

/// An image as planes, one a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    pub color: ColorType,
    /// Plane after plane, the rows of each from the top; values from 0 to 1.
    pub planes: Vec<f32>,
    /// What the levels mean, if the file says so.
    pub icc_profile: Option<Vec<u8>>,
}

/// The file formats that an image can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Png,
    Jpeg,
}

impl Format {
    /// The format that the extension of `path` names.
    pub fn of(path: &Path) -> Result<Self> {
        match path.extension().and_then(ImageFormat::from_extension) {
            Some(ImageFormat::Png) => Ok(Self::Png),
            Some(ImageFormat::Jpeg) => Ok(Self::Jpeg),
            _ => Err(Failure::of_file(path, "its extension names no format that is written: give .png, .jpg or .jpeg")),
        }
    }

    /// Checks that a file of this format at `path` holds pixels of `color`.
    pub fn check(self, color: ColorType, path: &Path) -> Result<()> {
        if self == Self::Jpeg && !matches!(color, ColorType::L8 | ColorType::Rgb8) {
            return Err(Failure::of_file(
                path,
                format_args!("a JPEG holds 8-bit grey or RGB, but the image is {}: give a .png", describe(color)),
            ));
        }
        Ok(())
    }
}

impl Picture {
    /// Decodes the image at `path`, turned upright.
    pub fn read(path: &Path) -> Result<Self> {
        let (image, icc_profile) = decode(path)?;
        let color = image.color();
        let levels: Vec<u16> = match color.bytes_per_pixel() / color.channel_count() {
            1 => image.as_bytes().iter().copied().map(u16::from).collect(),
            2 => image.as_bytes().chunks_exact(2).map(|bytes| u16::from_ne_bytes([bytes[0], bytes[1]])).collect(),
            // Neither PNG nor JPEG decodes to floating point.
            _ => return Err(Failure::of_file(path, format_args!("holds {color:?}: give 8 or 16 bits a channel"))),
        };
        let (channels, max) = (usize::from(color.channel_count()), f32::from(max_level(color)));
        let planes = (0..channels)
            .flat_map(|channel| levels.iter().skip(channel).step_by(channels))
            .map(|&level| f32::from(level) / max)
            .collect();
        let (width, height) = (image.width() as usize, image.height() as usize);
        Ok(Self { width, height, color, planes, icc_profile })
    }

    /// [`read`](Self::read) as 8-bit RGB, over white where it is transparent.
    pub fn read_opaque(path: &Path) -> Result<Self> {
        let (image, icc_profile) = decode(path)?;
        let icc_profile = icc_profile.filter(|_| image.color().has_color());
        let (width, height) = (image.width() as usize, image.height() as usize);
        let pixels = image.into_rgba8();
        let planes = (0..3)
            .flat_map(|channel| {
                pixels.pixels().map(move |pixel| {
                    let (level, alpha) = (u32::from(pixel[channel]), u32::from(pixel[3]));
                    ((level * alpha + 255 * (255 - alpha) + 127) / 255) as f32 / 255.0
                })
            })
            .collect();
        Ok(Self { width, height, color: ColorType::Rgb8, planes, icc_profile })
    }

    /// The planes as a tensor of one sample.
    pub fn shape(&self) -> Result<Shape> {
        Ok(Shape::new([1, usize::from(self.color.channel_count()), self.height, self.width])?)
    }

    /// The image with each plane pooled, and its values rounded to levels.
    pub fn pooled(&self, device: &Device, config: &SoftPoolConfig) -> Result<Self> {
        let pooled = Pooling::new(device, config).forward(&self.shape()?, &self.planes, false)?;
        let max = f64::from(max_level(self.color));
        let planes = pooled.y.iter().map(|&y| (level(y, max) / max) as f32).collect();
        let (height, width) = (pooled.shape.spatial()[0], pooled.shape.spatial()[1]);
        Ok(Self { width, height, planes, color: self.color, icc_profile: self.icc_profile.clone() })
    }

    /// Encodes the image.
    pub fn write(&self, format: Format, writer: impl Write) -> io::Result<()> {
        let bytes: Vec<u8> = match self.color.bytes_per_pixel() / self.color.channel_count() {
            1 => self.levels().map(|level| level as u8).collect(),
            _ => self.levels().flat_map(|level| (level as u16).to_ne_bytes()).collect(),
        };
        let size = |size: usize| u32::try_from(size).map_err(io::Error::other);
        encode(&bytes, size(self.width)?, size(self.height)?, self.color, self.icc_profile.as_deref(), format, writer)
    }

    /// The pixels of an 8-bit RGB image.
    pub fn to_rgb(&self) -> image::RgbImage {
        let bytes = self.levels().map(|level| level as u8).collect();
        image::RgbImage::from_raw(self.width as u32, self.height as u32, bytes).expect("three planes of this size")
    }

    /// "600x400, 8-bit RGB".
    pub fn describe(&self) -> String {
        format!("{}x{}, {}", self.width, self.height, describe(self.color))
    }

    /// The levels, pixel after pixel.
    fn levels(&self) -> impl Iterator<Item = f64> {
        let (pixels, max) = (self.width * self.height, f64::from(max_level(self.color)));
        let channels = usize::from(self.color.channel_count());
        (0..pixels * channels).map(move |index| level(self.planes[index % channels * pixels + index / channels], max))
    }
}

/// Encodes pixels, 16-bit ones in the machine's byte order.
pub fn encode(
    bytes: &[u8],
    width: u32,
    height: u32,
    color: ColorType,
    icc_profile: Option<&[u8]>,
    format: Format,
    writer: impl Write,
) -> io::Result<()> {
    fn finish(
        mut encoder: impl ImageEncoder,
        icc_profile: Option<&[u8]>,
        write: (&[u8], u32, u32, ColorType),
    ) -> io::Result<()> {
        let (bytes, width, height, color) = write;
        if let Some(profile) = icc_profile {
            encoder.set_icc_profile(profile.to_vec()).map_err(io::Error::other)?;
        }
        encoder.write_image(bytes, width, height, color.into()).map_err(io::Error::other)
    }
    let write = (bytes, width, height, color);
    match format {
        Format::Png => finish(PngEncoder::new(writer), icc_profile, write),
        Format::Jpeg => finish(JpegEncoder::new_with_quality(writer, JPEG_QUALITY), icc_profile, write),
    }
}

/// The level from 0 to `max` that is nearest to a value from 0 to 1.
fn level(value: f32, max: f64) -> f64 {
    (f64::from(value) * max).round().clamp(0.0, max)
}

fn max_level(color: ColorType) -> u16 {
    if color.bytes_per_pixel() == color.channel_count() { u8::MAX.into() } else { u16::MAX }
}

fn describe(color: ColorType) -> String {
    let channels = match (color.has_color(), color.has_alpha()) {
        (false, false) => "grey",
        (false, true) => "grey and alpha",
        (true, false) => "RGB",
        (true, true) => "RGB and alpha",
    };
    format!("{}-bit {channels}", color.bits_per_pixel() / u16::from(color.channel_count()))
}

/// The image at `path`, turned upright, and its ICC profile.
fn decode(path: &Path) -> Result<(DynamicImage, Option<Vec<u8>>)> {
    let open = || -> image::ImageResult<_> {
        let mut reader = ImageReader::new(BufReader::new(File::open(path)?)).with_guessed_format()?;
        let mut limits = Limits::default();
        limits.max_alloc = Some(MAX_DECODED_BYTES);
        reader.limits(limits.clone());
        let mut decoder = reader.into_decoder()?;
        limits.reserve(decoder.total_bytes())?;
        let orientation = decoder.orientation()?;
        let icc_profile = decoder.icc_profile()?;
        let mut image = DynamicImage::from_decoder(decoder)?;
        image.apply_orientation(orientation);
        // The decoder turns CMYK into RGB, which its profile doesn't describe.
        let space = if image.color().has_color() { b"RGB " } else { b"GRAY" };
        let icc_profile = icc_profile.filter(|profile| profile.get(ICC_COLOUR_SPACE) == Some(space));
        Ok((image, icc_profile))
    };
    open().map_err(|error| {
        let problem = match error {
            image::ImageError::IoError(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
                format!("cannot be read: {error}")
            }
            error => format!("cannot be decoded ({error}): give a PNG or JPEG image"),
        };
        Failure::of_file(path, problem)
    })
}
