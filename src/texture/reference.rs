//! Poolings of texels in plain Rust, in f64, obviously right and slow: what the kernels are compared with, and what a machine without a
//! GPU falls back to.
//!
//! Texels are what a shader reads: red, green, blue and alpha, decoded where they are sRGB's. What is stored is for the caller to
//! round.

use super::{Alpha, Weighting};
use crate::{Error, Result, Shape, SoftPoolConfig};

/// Texels of a texture or of one of its levels, row after row and layer after layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Width, height, and depth or layers.
    pub size: [u32; 3],
    /// Red, green, blue and alpha, `width height depth` of them.
    pub texels: Vec<[f64; 4]>,
}

impl Image {
    /// As a tensor of one channel, of samples or of a depth.
    fn shape(&self, is_3d: bool) -> Result<Shape> {
        let [width, height, depth] = self.size.map(|size| size as usize);
        let shape =
            if is_3d { Shape::new([1, 1, depth, height, width])? } else { Shape::new([depth, 1, height, width])? };
        match self.texels.len() {
            given if given == shape.elements() => Ok(shape),
            given => Err(Error::DataLength { role: "the image", given, shape }),
        }
    }
}

/// How texels are pooled.
#[derive(Clone, Copy, Debug)]
pub struct TexelPooling {
    /// The inverse temperature.
    pub beta: f32,
    /// What a texel's weight goes by.
    pub weighting: Weighting,
    /// What alpha means.
    pub alpha: Alpha,
    /// Channels of the source: those that it lacks are 0, and alpha 1.
    pub channels: u8,
}

impl TexelPooling {
    /// The definition: texels of a window, each with the part of it that the window covers.
    ///
    /// # Errors
    /// [`Error::BetaNotFinite`].
    pub fn window(&self, covered: &[(f64, [f64; 4])]) -> Result<[f64; 4]> {
        let weights = self.weighting.by_beta(self.beta, self.channels)?;
        let straight = self.alpha == Alpha::Straight && self.channels == 4;
        let pooled = |[r, g, b, a]: [f64; 4]| {
            let by_alpha = |x: f64| if a == 0.0 { 0.0 } else { x * a };
            if straight { [by_alpha(r), by_alpha(g), by_alpha(b), a] } else { [r, g, b, a] }
        };
        let z_of = |p: [f64; 4]| -> [f64; 4] {
            let parts: [f64; 4] = std::array::from_fn(|channel| {
                let share = f64::from(weights.share[channel]);
                if share == 0.0 { 0.0 } else { share * p[channel] }
            });
            if weights.shared { [parts.iter().sum(); 4] } else { parts }
        };
        let k = f64::from(self.beta).abs();
        let mut y = [0.0; 4];
        for channel in 0..4 {
            let zs = covered.iter().map(|&(_, texel)| z_of(pooled(texel))[channel]);
            if zs.clone().any(f64::is_nan) {
                y[channel] = f64::NAN;
                continue;
            }
            let m = zs.fold(f64::NEG_INFINITY, f64::max);
            let (mut sum, mut weighted) = (0.0, 0.0);
            for &(cover, texel) in covered {
                let p = pooled(texel);
                let z = z_of(p)[channel];
                // Infinities are the limits of what they are: a texel of m's own weighs 1, and beside an infinite one nothing else.
                let e = if z == m || (k == 0.0 && m.is_finite()) {
                    cover
                } else if m.is_infinite() || z.is_infinite() {
                    0.0
                } else {
                    cover * (k * (z - m)).exp()
                };
                if e > 0.0 {
                    sum += e;
                    weighted += e * p[channel];
                }
            }
            y[channel] = if sum > 0.0 { weighted / sum } else { 0.0 };
        }
        if straight {
            let total: f64 = covered.iter().map(|(cover, _)| cover).sum();
            for channel in 0..3 {
                let mean: f64 = covered.iter().map(|(cover, texel)| cover * texel[channel]).sum();
                y[channel] = match y[3] {
                    0.0 if total > 0.0 => mean / total,
                    0.0 => 0.0,
                    alpha => y[channel] / alpha,
                };
            }
        }
        Ok(y)
    }

    /// The mip level below `image`; of a 2D texture's layers each has its own.
    ///
    /// # Errors
    /// [`Error::BetaNotFinite`], [`Error::DataLength`].
    pub fn mip_level(&self, image: &Image, is_3d: bool) -> Result<Image> {
        image.shape(is_3d)?;
        let axes: [Vec<Vec<(f64, u32)>>; 3] = std::array::from_fn(|axis| {
            let n = image.size[axis];
            if axis < 2 || is_3d { mip_windows(n) } else { (0..n).map(|layer| vec![(1.0, layer)]).collect() }
        });
        self.windows(image, &axes)
    }

    /// `image` pooled by a configuration of two axes, layer by layer, or of three.
    ///
    /// # Errors
    /// Those of [`SoftPoolConfig::output_size`], [`Error::BetaNotFinite`], [`Error::DataLength`].
    pub fn pool(&self, image: &Image, config: &SoftPoolConfig) -> Result<Image> {
        let shape = image.shape(config.rank() == 3)?;
        let pooled = shape.pooled(config)?;
        let mut texels = vec![[0.0; 4]; pooled.elements()];
        let mut failed = Ok(());
        crate::reference::for_each_window(config, &shape, |window, taps| {
            let covered: Vec<_> = taps.iter().map(|&tap| (1.0, image.texels[tap])).collect();
            match self.window(&covered) {
                Ok(texel) => texels[window] = texel,
                Err(error) => failed = Err(error),
            }
        })?;
        failed?;
        Ok(Image { size: super::pool::texels_of(&pooled, config.rank()), texels })
    }

    /// Windows that are products of those along each axis.
    fn windows(&self, image: &Image, axes: &[Vec<Vec<(f64, u32)>>; 3]) -> Result<Image> {
        let [width, height, _] = image.size.map(|size| size as usize);
        let mut texels = Vec::with_capacity(axes.iter().map(Vec::len).product());
        for layers in &axes[2] {
            for rows in &axes[1] {
                for columns in &axes[0] {
                    let mut covered = Vec::with_capacity(layers.len() * rows.len() * columns.len());
                    for &(by_layer, z) in layers {
                        for &(by_row, y) in rows {
                            for &(by_column, x) in columns {
                                let index = (z as usize * height + y as usize) * width + x as usize;
                                covered.push((by_layer * by_row * by_column, image.texels[index]));
                            }
                        }
                    }
                    texels.push(self.window(&covered)?);
                }
            }
        }
        let size = [0, 1, 2].map(|axis: usize| axes[axis].len() as u32);
        Ok(Image { size, texels })
    }
}

/// Of each texel below `n`, which texels it covers, and by how much: it is as wide as n / m of them, one after the other.
fn mip_windows(n: u32) -> Vec<Vec<(f64, u32)>> {
    let m = (n / 2).max(1);
    let (wide, n, m) = (f64::from(n) / f64::from(m), n, m);
    let window = |i: u32| {
        let (start, end) = (f64::from(i) * wide, f64::from(i + 1) * wide);
        let cover = |x: u32| (end.min(f64::from(x + 1)) - start.max(f64::from(x))).max(0.0) / wide;
        // What is left of a texel by rounding alone is none.
        (0..n).map(|x| (cover(x), x)).filter(|&(cover, _)| cover > 1e-9).collect()
    };
    (0..m).map(window).collect()
}

/// Light from what sRGB stores for it, 0 to 1.
pub fn linear_from_srgb(value: f64) -> f64 {
    if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

/// What sRGB stores for light.
pub fn srgb_from_linear(value: f64) -> f64 {
    if value <= 0.0031308 { 12.92 * value } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 }
}
