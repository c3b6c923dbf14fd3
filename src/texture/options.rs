//! What a texel weighs by, and what its alpha means.

use crate::{Error, Result};

/// What a texel's weight goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Weighting {
    /// One weight for all channels, by the luminance of red, green and blue (`0.2126 r + 0.7152 g + 0.0722 b`, of light, as sRGB and
    /// Rec. 709 have it), so that hues don't shift. Of a source of one or two channels it is the first.
    #[default]
    Luminance,
    /// A weight for each channel, by its own values: what SoftPool is elsewhere in this crate.
    Channel,
    /// One weight for all channels, by a sum of red, green, blue and alpha with these factors.
    Shared([f32; 4]),
}

/// What the fourth channel means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Alpha {
    /// Coverage, by which the colours are still to be multiplied. Texels are pooled multiplied by alpha, and the result is divided by the
    /// pooled alpha: what can't be seen does not bleed into what can. A result of alpha 0 has the mean of the colours. Weights
    /// go by what shows, the multiplied values.
    ///
    /// A source without a fourth channel is read as [`AsIs`](Self::AsIs).
    #[default]
    Straight,
    /// A channel like the others: for colours that are multiplied already, and for alpha that is no coverage. [`Weighting::Luminance`]
    /// leaves it out.
    AsIs,
}

/// Rec. 709's luminance.
const LUMINANCE: [f32; 4] = [0.2126, 0.7152, 0.0722, 0.0];

/// Weighting, alpha and beta as kernels take them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Weights {
    pub shared: bool,
    /// With beta's sign.
    pub share: [f32; 4],
    /// |beta| / ln 2.
    pub steepness: f32,
}

impl Weights {
    /// By which all texels weigh alike, whatever they are.
    pub const ALIKE: Self = Self { shared: true, share: [0.0; 4], steepness: 0.0 };
}

impl Weighting {
    /// # Errors
    /// [`Error::BetaNotFinite`] for beta or a factor.
    pub(super) fn by_beta(self, beta: f32, channels: u8) -> Result<Weights> {
        let (shared, factors) = match self {
            Self::Luminance if channels < 3 => (true, [1.0, 0.0, 0.0, 0.0]),
            Self::Luminance => (true, LUMINANCE),
            Self::Channel => (false, [1.0; 4]),
            Self::Shared(factors) => (true, factors),
        };
        // In f64: neither the division nor a factor of beta's size may overflow on the way.
        let steepness = (f64::from(beta).abs() / std::f64::consts::LN_2) as f32;
        if let Some(&beta) = [beta, steepness].iter().chain(&factors).find(|value| !value.is_finite()) {
            return Err(Error::BetaNotFinite { beta });
        }
        let sign = if beta < 0.0 { -1.0 } else { 1.0 };
        Ok(Weights { shared, share: factors.map(|factor| sign * factor), steepness })
    }
}
