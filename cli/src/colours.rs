//! What an image's levels mean, as its file says: an ICC profile, or the chunks of a PNG.

use image::ColorType;

use crate::light::Light;

/// Bytes of an ICC profile that name the colour space of its pixels.
const ICC_COLOUR_SPACE: std::ops::Range<usize> = 16..20;

/// gAMA's unit: the chunk holds 100000 times the exponent.
const GAMA_UNIT: f64 = 100_000.0;

/// gAMA of files that mean sRGB, and say so to old programs by the nearest power.
const GAMA_OF_SRGB: u32 = 45455;

/// What the levels of an image mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Colours {
    pub icc_profile: Option<Vec<u8>>,
    /// Those of a PNG that are about colours, as they stand there, iCCP among them.
    pub chunks: Vec<Chunk>,
}

/// A chunk of a PNG.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    pub name: [u8; 4],
    pub data: Vec<u8>,
}

impl Colours {
    /// These without a profile that isn't of the image's colour space: a decoder has converted its pixels.
    pub fn for_pixels_of(mut self, color: ColorType) -> Self {
        let space = if color.has_color() { b"RGB " } else { b"GRAY" };
        if self.icc_profile.as_ref().is_some_and(|profile| profile.get(ICC_COLOUR_SPACE) != Some(space)) {
            self = self.without_profile();
        }
        self
    }

    /// These without the profile.
    pub fn without_profile(mut self) -> Self {
        self.icc_profile = None;
        self.chunks.retain(|chunk| &chunk.name != b"iCCP");
        self
    }

    /// The curve between levels and light.
    pub fn light(&self) -> Light {
        let Some(gamma) = self.chunk(b"gAMA") else { return Light::Srgb };
        // gAMA is for programs that know none of the others.
        let overruled = [b"sRGB", b"iCCP", b"cICP"].into_iter().any(|name| self.chunk(name).is_some());
        match <[u8; 4]>::try_from(gamma).map(u32::from_be_bytes) {
            Ok(gamma) if !overruled && ![0, GAMA_OF_SRGB].contains(&gamma) => {
                Light::Power(f64::from(gamma) / GAMA_UNIT)
            }
            _ => Light::Srgb,
        }
    }

    /// The names of what only a PNG can say, where that isn't what everybody takes for granted.
    pub fn only_in_png(&self) -> Vec<String> {
        let ordinary = |chunk: &Chunk| {
            &chunk.name == b"iCCP"
                || &chunk.name == b"sRGB"
                || (&chunk.name == b"gAMA" && chunk.data == GAMA_OF_SRGB.to_be_bytes())
        };
        let of_srgb = self.chunk(b"sRGB").is_some();
        let names = self.chunks.iter().filter(|chunk| !of_srgb && !ordinary(chunk));
        names.map(|chunk| String::from_utf8_lossy(&chunk.name).into_owned()).collect()
    }

    fn chunk(&self, name: &[u8; 4]) -> Option<&[u8]> {
        self.chunks.iter().find(|chunk| chunk.name == *name).map(|chunk| &*chunk.data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colours(chunks: &[(&[u8; 4], &[u8])]) -> Colours {
        let chunks = chunks.iter().map(|(name, data)| Chunk { name: **name, data: data.to_vec() }).collect();
        Colours { icc_profile: None, chunks }
    }

    #[test]
    fn gamma_counts_where_nothing_says_it_better() {
        let linear = 100_000u32.to_be_bytes();
        for (chunks, expected) in [
            (&[][..], Light::Srgb),
            (&[(b"gAMA", &linear[..])], Light::Power(1.0)),
            (&[(b"gAMA", &linear), (b"sRGB", &[0])], Light::Srgb),
            (&[(b"gAMA", &linear), (b"iCCP", &[0])], Light::Srgb),
            (&[(b"gAMA", &45455u32.to_be_bytes())], Light::Srgb),
            (&[(b"gAMA", &[0; 4])], Light::Srgb),
            (&[(b"gAMA", &[0; 3])], Light::Srgb),
        ] {
            assert_eq!(colours(chunks).light(), expected, "{chunks:?}");
        }
    }
}
