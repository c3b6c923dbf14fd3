//! Pixels into image files: PNG, JPEG, WebP and TIFF.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Cursor, Write};
use std::path::Path;

use clap::ValueEnum;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ColorType, ImageEncoder, ImageFormat};
use tiff::encoder::TiffValue;
use tiff::encoder::colortype::{Gray8, Gray16, RGB8, RGB16, RGBA8, RGBA16};
use tiff::tags::{Tag, Type};

use crate::colours::Colours;
use crate::failure::{Failure, Result};
use crate::output_files::Output;
use crate::picture::describe;
use crate::png_file;

/// JPEG's quality from 1 to 100: what pooling changes should show, not what the encoder does.
const JPEG_QUALITY: u8 = 95;

/// The file formats that an image can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Png,
    Jpeg,
    Webp,
    Tiff,
}

impl Format {
    /// The format that was asked for, or that the extension of `path` names, or PNG where `output` is no regular file
    /// and has no extension.
    pub fn of(given: Option<Self>, path: &Path, output: &Output) -> Result<Self> {
        match (given, path.extension().and_then(ImageFormat::from_extension)) {
            (Some(format), _) => Ok(format),
            (None, Some(ImageFormat::Png)) => Ok(Self::Png),
            (None, Some(ImageFormat::Jpeg)) => Ok(Self::Jpeg),
            (None, Some(ImageFormat::WebP)) => Ok(Self::Webp),
            (None, Some(ImageFormat::Tiff)) => Ok(Self::Tiff),
            (None, None) if !output.is_file() => Ok(Self::Png),
            _ => Err(Failure::of_file(
                path,
                "its extension names no format that is written: give .png, .jpg or .jpeg, .webp, .tif or .tiff, or \
                 --format",
            )),
        }
    }

    /// Checks that a file of this format at `path` holds pixels of `color`.
    pub fn check(self, color: ColorType, path: &Path) -> Result<()> {
        use ColorType::{L8, L16, La8, Rgb8, Rgb16, Rgba8, Rgba16};
        let (holds, fits) = match self {
            Self::Png => return Ok(()),
            Self::Jpeg => ("8-bit grey or RGB", matches!(color, L8 | Rgb8)),
            Self::Webp => ("8 bits a channel", matches!(color, L8 | La8 | Rgb8 | Rgba8)),
            Self::Tiff => ("grey, RGB, or RGB and alpha", matches!(color, L8 | L16 | Rgb8 | Rgb16 | Rgba8 | Rgba16)),
        };
        if fits {
            return Ok(());
        }
        let color = describe(color);
        Err(Failure::of_file(path, format_args!("a {self} holds {holds}, but the image is {color}: give a .png")))
    }

    /// What a file of this format cannot say of colours, if there is such a thing.
    pub fn loss(self, colours: &Colours) -> Option<String> {
        let lost = colours.only_in_png();
        (self != Self::Png && !lost.is_empty()).then(|| {
            format!("a {self} has no {}: its levels may be shown brighter or darker; give a .png", lost.join(" and "))
        })
    }

    /// Encodes pixels, 16-bit ones in the machine's byte order.
    pub fn write(
        self,
        bytes: &[u8],
        size: [u32; 2],
        color: ColorType,
        colours: &Colours,
        writer: &mut (impl Write + ?Sized),
    ) -> io::Result<()> {
        let profile = colours.icc_profile.as_deref();
        match self {
            Self::Png => png_file::write(bytes, size, color, colours, writer),
            Self::Jpeg => finish(JpegEncoder::new_with_quality(writer, JPEG_QUALITY), profile, bytes, size, color),
            Self::Webp => finish(WebPEncoder::new_lossless(writer), profile, bytes, size, color),
            Self::Tiff => {
                // Its parts refer to places further on in the file.
                let mut file = Cursor::new(Vec::new());
                write_tiff(bytes, size, color, profile, &mut file).map_err(io::Error::other)?;
                writer.write_all(file.get_ref())
            }
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Webp => "WebP",
            Self::Tiff => "TIFF",
        })
    }
}

fn finish(
    mut encoder: impl ImageEncoder,
    profile: Option<&[u8]>,
    bytes: &[u8],
    [width, height]: [u32; 2],
    color: ColorType,
) -> io::Result<()> {
    if let Some(profile) = profile {
        encoder.set_icc_profile(profile.to_vec()).map_err(io::Error::other)?;
    }
    encoder.write_image(bytes, width, height, color.into()).map_err(io::Error::other)
}

/// Bytes of TIFF's type for what isn't a list of numbers, which a profile has to be of.
struct Undefined<'a>(&'a [u8]);

impl TiffValue for Undefined<'_> {
    const BYTE_LEN: u8 = 1;
    const FIELD_TYPE: Type = Type::UNDEFINED;

    fn count(&self) -> usize {
        self.0.len()
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(self.0)
    }
}

/// Encodes a TIFF, with its profile, which the `image` crate leaves out.
fn write_tiff(
    bytes: &[u8],
    size: [u32; 2],
    color: ColorType,
    profile: Option<&[u8]>,
    file: &mut Cursor<Vec<u8>>,
) -> tiff::TiffResult<()> {
    fn write<Sample: tiff::encoder::colortype::ColorType>(
        samples: &[Sample::Inner],
        [width, height]: [u32; 2],
        profile: Option<&[u8]>,
        file: &mut Cursor<Vec<u8>>,
    ) -> tiff::TiffResult<()>
    where
        [Sample::Inner]: TiffValue,
    {
        let mut encoder = tiff::encoder::TiffEncoder::new(file)?;
        let mut image = encoder.new_image::<Sample>(width, height)?;
        if let Some(profile) = profile {
            image.encoder().write_tag(Tag::IccProfile, Undefined(profile))?;
        }
        image.write_data(samples)
    }
    let wide: Vec<u16> = match color {
        ColorType::L16 | ColorType::Rgb16 | ColorType::Rgba16 => {
            bytes.chunks_exact(2).map(|sample| u16::from_ne_bytes([sample[0], sample[1]])).collect()
        }
        _ => Vec::new(),
    };
    match color {
        ColorType::L8 => write::<Gray8>(bytes, size, profile, file),
        ColorType::Rgb8 => write::<RGB8>(bytes, size, profile, file),
        ColorType::Rgba8 => write::<RGBA8>(bytes, size, profile, file),
        ColorType::L16 => write::<Gray16>(&wide, size, profile, file),
        ColorType::Rgb16 => write::<RGB16>(&wide, size, profile, file),
        ColorType::Rgba16 => write::<RGBA16>(&wide, size, profile, file),
        other => Err(tiff::TiffError::IoError(io::Error::other(format!("{other:?} is checked to be none of these")))),
    }
}
