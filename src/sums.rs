//! Adds up the parts of the gradient of beta in two stages, each a pooling whose windows are summed: the windows of each plane
//! in runs of [`RUN`], then the runs of each channel, or of all.

use crate::bound::{Bound, Role};
use crate::config::AxisWindow;
use crate::element::WORD_BYTES;
use crate::kernels::{SUM, of_any};
use crate::problem::Problem;
use crate::recipe::Writer;
use crate::tuning::Tuning;
use crate::{Error, Memory, Result, Shape, TensorView};

/// Windows that the first stage adds up at a time.
const RUN: u32 = 1 << 12;

/// The sums over all channels, or over each.
pub(crate) struct Sums<'a> {
    pub target: Bound<'a>,
    batch: usize,
    channels: usize,
    /// Windows of a plane, and in how many runs they are added up.
    windows: u32,
    runs: u32,
}

impl<'a> Sums<'a> {
    /// # Errors
    /// [`Error::ShapeMismatch`] unless `target` has one element, or one for each channel; [`Error::AxisTooLong`] for planes of
    /// more windows than 32 bits count.
    pub fn new(shape: &Shape, pooled: &Shape, target: &TensorView<'a>) -> Result<Self> {
        let (batch, channels) = (shape.batch(), shape.channels());
        let dims = target.shape.dims();
        let role = "the gradient of beta";
        if dims != [1] && dims != [channels] {
            let expected = Shape::new([channels])?;
            return Err(Error::ShapeMismatch { role, given: target.shape, expected });
        }
        let target = Bound::called(role, Role::Y, target, 0)?;
        target.check(true)?;
        let count: usize = pooled.spatial().iter().product();
        let windows = u32::try_from(count).ok().filter(|&windows| windows < 1 << 31);
        let windows = windows.ok_or(Error::AxisTooLong { axis: "the number of windows", size: count })?;
        Ok(Self { target, batch, channels, windows, runs: windows.div_ceil(RUN) })
    }

    /// Adds both stages to a recipe; `parts` has an f32 for each window.
    pub fn write(&self, writer: &mut Writer<'a>, parts: Memory<'a>, tuning: Tuning) -> Result<()> {
        let Self { target, batch, channels, windows, runs } = *self;
        // Where there is nothing to add up, the sum is that over one run, which nothing but zeros fills.
        let empty = batch == 0 || channels == 0;
        let (batch, channels, runs) = if empty { (1, channels.max(1), 1) } else { (batch, channels, runs) };
        let sums = Shape::new([batch, channels, runs as usize])?;
        let by_run = writer.scratch(sums.elements() as u64 * WORD_BYTES)?;
        let problem = |axes, input, output, samples, channels, tensors: &[Bound<'_>]| {
            let tensors = tensors.iter().map(|tensor| tensor.placed).collect();
            Problem { axes, input, output, samples, channels, tensors, detached: false, ordinary_beta: true, tuning }
        };

        if !empty {
            let by_window = TensorView::new(parts, Shape::new([batch, channels, windows as usize])?);
            let by_run = Bound::tensor(Role::Y, &TensorView::new(by_run, sums), 1)?;
            let stage = [Bound::tensor(Role::X, &by_window, 1)?, by_run];
            let run = AxisWindow { kernel: RUN.min(windows), stride: RUN, ceil_mode: true, ..AxisWindow::UNIT };
            let axes = [AxisWindow::UNIT, AxisWindow::UNIT, run];
            let problem = problem(axes, [1, 1, windows], [1, 1, runs], batch as u64, channels as u64, &stage).folded();
            writer.add(&problem, of_any(SUM, &problem), &stage)?;
        }

        // (1, C, N, runs), or all of it in one row.
        let of_channels = target.elements() == channels as u64 && channels > 1;
        let (dims, strides) = if of_channels {
            ([1, channels, batch, runs as usize], [0, runs as usize, channels * runs as usize, 1])
        } else {
            ([1, 1, 1, sums.elements()], [0, 0, 0, 1])
        };
        let by_run = TensorView::new(by_run, Shape::new(dims)?).with_strides(strides)?;
        let stage = [Bound::tensor(Role::X, &by_run, 2)?, target];
        let input = [1, dims[2] as u32, dims[3] as u32];
        let whole = |size: u32| AxisWindow { kernel: size, stride: size, ..AxisWindow::UNIT };
        let axes = input.map(whole);
        let problem = problem(axes, input, [1; 3], 1, dims[1] as u64, &stage).folded();
        writer.add(&problem, of_any(SUM, &problem), &stage)
    }
}
