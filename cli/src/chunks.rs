//! A tensor's planes, some at a time, with a progress bar for long work.

use std::ops::Range;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use softpool::{Shape, SoftPoolConfig};

use crate::failure::Result;

/// Work shorter than this shows no progress bar.
const BAR_DELAY: Duration = Duration::from_secs(1);

/// A tensor and its pooling, split into chunks of whole samples, or of some channels of one that is too large.
pub struct Chunks {
    pub input: Shape,
    pub pooled: Shape,
    /// The most planes of a chunk.
    planes: usize,
}

/// Some channels of a sample, or all of some samples.
pub struct Chunk {
    pub channels: Range<usize>,
    pub input: Part,
    pub output: Part,
}

/// One side, input or output, of a chunk.
pub struct Part {
    /// Its samples, channels and spatial axes.
    pub shape: Shape,
    /// Where its elements are in the whole tensor.
    pub elements: Range<usize>,
}

impl Part {
    fn new(whole: &Shape, samples: &Range<usize>, channels: &Range<usize>) -> Result<Self> {
        let plane: usize = whole.spatial().iter().product();
        let dims = [samples.len(), channels.len()].into_iter().chain(whole.spatial().iter().copied());
        let shape = Shape::new(dims.collect::<Vec<_>>())?;
        let start = (samples.start * whole.channels() + channels.start) * plane;
        Ok(Self { shape, elements: start..start + shape.elements() })
    }
}

impl Chunks {
    /// Chunks whose larger tensor takes about `bytes` as f32: one plane at least, and one is the device's to refuse.
    pub fn new(config: &SoftPoolConfig, input: &Shape, bytes: u64) -> Result<Self> {
        let (input, pooled) = (input.of_rank(config.rank())?, input.pooled(config)?);
        let plane = |shape: &Shape| (shape.spatial().iter().product::<usize>() * size_of::<f32>()) as u64;
        let planes = (bytes / plane(&input).max(plane(&pooled)).max(1)).max(1);
        Ok(Self { input, pooled, planes: usize::try_from(planes).unwrap_or(usize::MAX) })
    }

    /// Calls `pool` for one chunk after another.
    pub fn for_each(&self, mut pool: impl FnMut(Chunk) -> Result<()>) -> Result<()> {
        let bar = ProgressBar::with_draw_target(Some(self.input.planes() as u64), ProgressDrawTarget::hidden())
            .with_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} planes, {eta} left").expect("a constant"));
        let start = Instant::now();
        for (samples, channels) in self.split() {
            let planes = samples.len() * channels.len();
            let (input, output) =
                (Part::new(&self.input, &samples, &channels)?, Part::new(&self.pooled, &samples, &channels)?);
            pool(Chunk { channels, input, output })?;
            if bar.is_hidden() && start.elapsed() > BAR_DELAY {
                // Hidden still where stderr is no terminal.
                bar.set_draw_target(ProgressDrawTarget::stderr());
            }
            bar.inc(planes as u64);
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// The samples and channels of each chunk, in the order of the planes.
    fn split(&self) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
        let (samples, channels) = (self.input.batch(), self.input.channels());
        let sample_step = (self.planes / channels.max(1)).max(1);
        // The chunks of a sample are about alike.
        let channel_step = channels.div_ceil(channels.div_ceil(self.planes).max(1)).max(1);
        steps(samples, sample_step)
            .flat_map(move |samples| steps(channels, channel_step).map(move |channels| (samples.clone(), channels)))
    }
}

/// Ranges of `step` numbers, the last one maybe of fewer, that are `0..end` together.
fn steps(end: usize, step: usize) -> impl Iterator<Item = Range<usize>> {
    (0..end).step_by(step).map(move |first| first..end.min(first.saturating_add(step)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_every_plane_once_in_order() {
        let config = SoftPoolConfig::builder([2]).build().unwrap();
        for dims in [&[5, 3, 7][..], &[1, 6, 7], &[6, 7], &[0, 3, 7], &[2, 0, 7]] {
            let input = Shape::new(dims).unwrap().of_rank(1).unwrap();
            let pooled = input.pooled(&config).unwrap();
            for planes in [1, 2, 4, 5, 15, 16, usize::MAX] {
                let (mut x, mut y) = (0, 0);
                Chunks { input, pooled, planes }
                    .for_each(|chunk| {
                        let shape = chunk.input.shape;
                        assert_eq!((chunk.input.elements.start, chunk.output.elements.start), (x, y));
                        assert_eq!(chunk.channels.start, x / 7 % input.channels());
                        assert_eq!(shape.dims()[1], chunk.channels.len());
                        assert_eq!(shape.elements(), chunk.input.elements.len());
                        assert_eq!(chunk.output.shape, shape.pooled(&config).unwrap());
                        assert_eq!(chunk.output.shape.elements(), chunk.output.elements.len());
                        assert!((1..=planes).contains(&shape.planes()));
                        (x, y) = (chunk.input.elements.end, chunk.output.elements.end);
                        Ok(())
                    })
                    .unwrap();
                assert_eq!((x, y), (input.elements(), pooled.elements()), "{planes} of {input}");
            }
        }
    }

    #[test]
    fn chunks_are_whole_samples_or_alike() {
        let config = SoftPoolConfig::builder([2]).build().unwrap();
        let split = |dims: [usize; 3], planes| {
            let input = Shape::new(dims).unwrap();
            let chunks = Chunks { input, pooled: input.pooled(&config).unwrap(), planes };
            chunks.split().map(|(samples, channels)| (samples.len(), channels.len())).collect::<Vec<_>>()
        };
        assert_eq!(split([5, 3, 7], 7), [(2, 3), (2, 3), (1, 3)]);
        assert_eq!(split([2, 10, 7], 9), [(1, 5); 4]);
        assert_eq!(split([1, 7, 7], 3), [(1, 3), (1, 3), (1, 1)]);
    }
}
