//! Images as planes of values from 0 to 1, pooled, and back in the same colour type and bit depth.

use std::io::{self, Write};
use std::path::Path;

use image::{ColorType, DynamicImage};
use softpool::{Shape, SoftPoolConfig};

use crate::colours::Colours;
use crate::decoding;
use crate::device::Device;
use crate::encoding::Format;
use crate::failure::{Failure, Result};
use crate::memory_size::MemorySize;
use crate::pooling::Pooling;

/// An image as planes, one a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    pub color: ColorType,
    /// Plane after plane, the rows of each from the top; values from 0 to 1.
    pub planes: Vec<f32>,
    pub colours: Colours,
}

impl Picture {
    /// Decodes the image at `path`, turned upright.
    pub fn read(path: &Path, max_memory: MemorySize) -> Result<Self> {
        let (image, colours) = decoding::decode(path, max_memory)?;
        Self::new(&image, colours, path)
    }

    /// [`read`](Self::read) as 8-bit RGB, with alpha if any pixel is transparent.
    pub fn read_8_bit_rgb(path: &Path, max_memory: MemorySize) -> Result<Self> {
        let (image, colours) = decoding::decode(path, max_memory)?;
        // A grey image's profile doesn't describe the RGB that it becomes.
        let colours = if image.color().has_color() { colours } else { colours.without_profile() };
        let pixels = image.into_rgba8();
        let image: DynamicImage = if pixels.pixels().all(|pixel| pixel[3] == u8::MAX) {
            DynamicImage::from(pixels).into_rgb8().into()
        } else {
            pixels.into()
        };
        Self::new(&image, colours, path)
    }

    fn new(image: &DynamicImage, colours: Colours, path: &Path) -> Result<Self> {
        let color = image.color();
        let levels: Vec<u16> = match color.bytes_per_pixel() / color.channel_count() {
            1 => image.as_bytes().iter().copied().map(u16::from).collect(),
            2 => image.as_bytes().chunks_exact(2).map(|bytes| u16::from_ne_bytes([bytes[0], bytes[1]])).collect(),
            // TIFF and PNM may hold floating point, whose values go beyond black and white.
            _ => return Err(Failure::of_file(path, format_args!("holds {color:?}: give 8 or 16 bits a channel"))),
        };
        let (channels, max) = (usize::from(color.channel_count()), f32::from(max_level(color)));
        let planes = (0..channels)
            .flat_map(|channel| levels.iter().skip(channel).step_by(channels))
            .map(|&level| f32::from(level) / max)
            .collect();
        let (width, height) = (image.width() as usize, image.height() as usize);
        Ok(Self { width, height, color, planes, colours })
    }

    /// This 8-bit image as RGB, over white where it is transparent.
    pub fn over_white(&self) -> Self {
        if !self.color.has_alpha() {
            return self.clone();
        }
        let (colours, alphas) = self.planes.split_at(3 * self.pixels());
        let max = f64::from(u8::MAX);
        let over_white = |(&value, &alpha): (&f32, &f32)| {
            let (value, alpha) = (level(value, max) as u32, level(alpha, max) as u32);
            ((value * alpha + 255 * (255 - alpha) + 127) / 255) as f32 / 255.0
        };
        let planes = colours.iter().zip(alphas.iter().cycle()).map(over_white).collect();
        Self { planes, color: ColorType::Rgb8, colours: self.colours.clone(), ..*self }
    }

    /// The planes as a tensor of one sample.
    pub fn shape(&self) -> Result<Shape> {
        Ok(Shape::new([1, usize::from(self.color.channel_count()), self.height, self.width])?)
    }

    /// The image pooled, and its values rounded to levels.
    ///
    /// Where it is transparent, colours count by how much of them shows: they are multiplied by alpha, pooled, and
    /// divided by the pooled alpha. What is wholly transparent then keeps the average of its colours. In `linear` light,
    /// it is light that is pooled, not the levels that stand for it.
    pub fn pooled(&self, device: &Device, config: &SoftPoolConfig, linear: bool) -> Result<Self> {
        let light = linear.then(|| self.colours.light());
        let colours_end = self.pixels() * self.colour_channels();
        let mut planes = self.planes.clone();
        if let Some(light) = light {
            planes[..colours_end].iter_mut().for_each(|value| *value = light.decode(*value));
        }
        let (colours, alphas) = planes.split_at_mut(colours_end);
        // All levels of an opaque image's alpha are the largest: its colours stay as they are, to the last bit.
        let straight = alphas.iter().any(|&alpha| alpha < 1.0).then(|| colours.to_vec());
        if straight.is_some() {
            colours.iter_mut().zip(alphas.iter().cycle()).for_each(|(value, alpha)| *value *= alpha);
        }
        let pooled = Pooling::new(device, config).forward(&self.shape()?, &planes, false)?;
        let (height, width) = (pooled.shape.spatial()[0], pooled.shape.spatial()[1]);
        let mut planes = pooled.y;
        let max = f64::from(max_level(self.color));
        let (colours, alphas) = planes.split_at_mut(width * height * self.colour_channels());
        if let Some(straight) = straight {
            let is_invisible = |alpha: f32| level(alpha, max) == 0.0;
            let average = if alphas.iter().any(|&alpha| is_invisible(alpha)) {
                self.average(device, config, &straight)?
            } else {
                Vec::new()
            };
            for (index, value) in colours.iter_mut().enumerate() {
                let alpha = alphas[index % (width * height)];
                *value = if is_invisible(alpha) { average[index] } else { (*value / alpha).min(1.0) };
            }
        }
        if let Some(light) = light {
            colours.iter_mut().for_each(|value| *value = light.encode(*value));
        }
        planes.iter_mut().for_each(|value| *value = (level(*value, max) / max) as f32);
        Ok(Self { width, height, planes, color: self.color, colours: self.colours.clone() })
    }

    /// Planes of red, green, blue and alpha, whatever the image has, as light if it is to be `linear`.
    pub fn rgba(&self, linear: bool) -> Vec<f32> {
        let light = linear.then(|| self.colours.light());
        let (colours, alphas) = self.planes.split_at(self.pixels() * self.colour_channels());
        let value = |&value: &f32| light.map_or(value, |light| light.decode(value));
        // Grey is the same three times.
        let mut planes: Vec<f32> = match self.colour_channels() {
            1 => colours.iter().cycle().take(3 * self.pixels()).map(value).collect(),
            _ => colours.iter().map(value).collect(),
        };
        planes.extend_from_slice(alphas);
        planes.resize(4 * self.pixels(), 1.0);
        planes
    }

    /// The image of this one's kind that [`rgba`](Self::rgba) makes such planes of, its values rounded to levels.
    pub fn of_rgba(&self, rgba: &[f32], [width, height]: [usize; 2], linear: bool) -> Self {
        let light = linear.then(|| self.colours.light());
        let max = f64::from(max_level(self.color));
        let rounded = |value: f32| (level(value, max) / max) as f32;
        let colours = rgba[..width * height * self.colour_channels()].iter();
        let colours = colours.map(|&value| rounded(light.map_or(value, |light| light.encode(value.min(1.0)))));
        let alphas = rgba[3 * width * height..].iter().map(|&value| rounded(value));
        let planes = colours.chain(alphas.filter(|_| self.color.has_alpha())).collect();
        Self { width, height, planes, color: self.color, colours: self.colours.clone() }
    }

    /// The averages of colour planes, by the windows of `config`.
    fn average(&self, device: &Device, config: &SoftPoolConfig, planes: &[f32]) -> Result<Vec<f32>> {
        let betas = vec![0.0; self.colour_channels()];
        let pooling = Pooling { betas: Some(&betas), ..Pooling::new(device, config) };
        let shape = Shape::new([1, self.colour_channels(), self.height, self.width])?;
        Ok(pooling.forward(&shape, planes, false)?.y)
    }

    /// Encodes the image.
    pub fn write(&self, format: Format, writer: &mut (impl Write + ?Sized)) -> io::Result<()> {
        let bytes: Vec<u8> = match self.color.bytes_per_pixel() / self.color.channel_count() {
            1 => self.levels().map(|level| level as u8).collect(),
            _ => self.levels().flat_map(|level| (level as u16).to_ne_bytes()).collect(),
        };
        let size = |size: usize| u32::try_from(size).map_err(io::Error::other);
        format.write(&bytes, [size(self.width)?, size(self.height)?], self.color, &self.colours, writer)
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
        let (pixels, max) = (self.pixels(), f64::from(max_level(self.color)));
        let channels = usize::from(self.color.channel_count());
        (0..pixels * channels).map(move |index| level(self.planes[index % channels * pixels + index / channels], max))
    }

    fn pixels(&self) -> usize {
        self.width * self.height
    }

    /// Channels but alpha, which comes after them.
    fn colour_channels(&self) -> usize {
        usize::from(self.color.channel_count()) - usize::from(self.color.has_alpha())
    }
}

/// "8-bit RGB".
pub fn describe(color: ColorType) -> String {
    let channels = match (color.has_color(), color.has_alpha()) {
        (false, false) => "grey",
        (false, true) => "grey and alpha",
        (true, false) => "RGB",
        (true, true) => "RGB and alpha",
    };
    format!("{}-bit {channels}", color.bits_per_pixel() / u16::from(color.channel_count()))
}

/// The level from 0 to `max` that is nearest to a value from 0 to 1.
fn level(value: f32, max: f64) -> f64 {
    (f64::from(value) * max).round().clamp(0.0, max)
}

fn max_level(color: ColorType) -> u16 {
    if color.bytes_per_pixel() == color.channel_count() { u8::MAX.into() } else { u16::MAX }
}
