//! The curves between an image's values and the light that they stand for, both from 0 to 1.

/// A curve between values and light.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Light {
    /// That of sRGB (IEC 61966-2-1), which images have that say nothing.
    Srgb,
    /// Values are light to the power of this, as a PNG's gAMA says.
    Power(f64),
}

impl Light {
    /// The light of a value.
    pub fn decode(self, value: f32) -> f32 {
        let value = f64::from(value);
        let light = match self {
            Self::Srgb if value <= 0.04045 => value / 12.92,
            Self::Srgb => ((value + 0.055) / 1.055).powf(2.4),
            Self::Power(exponent) => value.powf(exponent.recip()),
        };
        light as f32
    }

    /// The value of a light.
    pub fn encode(self, light: f32) -> f32 {
        // Pooling may round below 0, which has no power.
        let light = f64::from(light).max(0.0);
        let value = match self {
            Self::Srgb if light <= 0.003_130_8 => light * 12.92,
            Self::Srgb => 1.055 * light.powf(2.4f64.recip()) - 0.055,
            Self::Power(exponent) => light.powf(exponent),
        };
        value as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_the_light_is_188_of_255() {
        assert_eq!((Light::Srgb.encode(0.5) * 255.0).round(), 188.0);
        assert_eq!((Light::Power(1.0).encode(0.5) * 255.0).round(), 128.0);
    }

    #[test]
    fn levels_come_back() {
        for light in [Light::Srgb, Light::Power(1.0), Light::Power(0.45455), Light::Power(0.25)] {
            for level in 0..=u16::MAX {
                let value = f32::from(level) / 65535.0;
                let back = (f64::from(light.encode(light.decode(value))) * 65535.0).round();
                assert_eq!(back, f64::from(level), "{light:?}");
            }
        }
    }
}
