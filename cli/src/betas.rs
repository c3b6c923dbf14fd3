//! The inverse temperature: one for all channels, or a file with one for each.

use std::path::{Path, PathBuf};

use clap::Args;
use softpool::{ElementType, Shape};

use crate::failure::{Failure, Result};
use crate::npy_header::numpy_shape;
use crate::tensor_files::Source;

#[derive(Args)]
pub struct BetaArguments {
    /// Inverse temperature: 0 is average pooling, towards infinity max pooling.
    #[arg(long, value_name = "B", default_value_t = 1.0, allow_hyphen_values = true)]
    pub beta: f32,
    /// A beta for each channel: .npy or .npz, of shape (C,), of any type of --input.
    #[arg(long, value_name = "B.npy", conflicts_with = "beta")]
    pub channel_betas: Option<PathBuf>,
    /// The array of --channel-betas that is meant, where that is a .npz archive of several.
    #[arg(long, value_name = "NAME", requires = "channel_betas")]
    pub betas_array: Option<String>,
}

impl BetaArguments {
    /// The betas by channel of `input`'s tensor of `shape`, if there is a file of them.
    pub fn by_channel(&self, shape: &Shape, input: &Path) -> Result<Option<Vec<f32>>> {
        let Some(path) = &self.channel_betas else { return Ok(None) };
        let source = Source { path, array: self.betas_array.as_deref(), option: "--betas-array" };
        let betas = source.read(Some(ElementType::F32))?;
        let channels = shape.channels();
        if betas.shape.dims() != [channels] {
            return Err(Failure::of_file(
                path,
                format_args!(
                    "its shape is {}, but {} of shape {shape} has {channels} channels: give a beta for each, of \
                     shape {}",
                    numpy_shape(betas.shape.dims()),
                    input.display(),
                    numpy_shape(&[channels])
                ),
            ));
        }
        match betas.values.iter().position(|beta| !beta.is_finite()) {
            Some(channel) => Err(Failure::of_file(
                path,
                format_args!(
                    "the beta of channel {channel} is {}: it must be finite (for max pooling use a large beta, for \
                     average pooling 0)",
                    betas.values[channel]
                ),
            )),
            None => Ok(Some(betas.values)),
        }
    }
}
