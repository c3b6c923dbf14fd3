//! Makes a pooling one of fewer axes, where its memory allows: kernels have less to count, and more in a row.

use crate::bound::{Placed, Role};
use crate::config::AxisWindow;
use crate::problem::Problem;

impl Problem {
    /// The same pooling with as few axes as its memory allows.
    pub fn folded(mut self) -> Self {
        while self.fold_width() {}
        self.turn_channels();
        self.fold_samples();
        for tensor in &mut self.tensors {
            let sizes = if tensor.role.is_of_inputs() { self.input } else { self.output };
            // Nothing depends on the stride of a single element.
            for (stride, _) in tensor.strides[2..].iter_mut().zip(sizes).filter(|(_, size)| *size == 1) {
                *stride = 0;
            }
        }
        self
    }

    /// Where windows cover the width whole and rows follow each other, the rows of a window are one run of memory: a width of
    /// height times width says the same. So global pooling is 1D, whatever its rank.
    fn fold_width(&mut self) -> bool {
        let [depth, height, width] = self.axes;
        let (rows, columns) = (self.input[1], self.input[2]);
        let covers = width.kernel == columns && width.padding == 0 && width.dilation == 1 && self.output[2] == 1;
        // Sums of a few such numbers must stay within 32 bits.
        let fits = |size: u32| u64::from(size) * u64::from(columns) < 1 << 28;
        let regular = height.dilation == 1 && height.adaptive == 0 && rows > 1;
        let rows_follow = self.tensors.iter().filter(|tensor| tensor.role.is_of_inputs()).all(|tensor| {
            let [.., row, column] = tensor.strides;
            columns == 1 || u64::from(columns).checked_mul(column) == Some(row)
        });
        if !covers || !regular || !rows_follow || ![rows, height.kernel, height.stride].into_iter().all(fits) {
            return false;
        }
        let times = |size: u32| size * columns;
        let (kernel, stride, padding) = (times(height.kernel), times(height.stride), times(height.padding));
        self.axes = [AxisWindow::UNIT, depth, AxisWindow { kernel, stride, padding, ..height }];
        self.input = [1, self.input[0], times(rows)];
        self.output = [1, self.output[0], self.output[1]];
        for tensor in &mut self.tensors {
            let [sample, channel, depth, height, width] = tensor.strides;
            let inner = if tensor.role.is_of_inputs() && columns > 1 { width } else { height };
            tensor.strides = [sample, channel, 0, depth, inner];
        }
        true
    }

    /// Where neighbouring elements are of neighbouring channels, these are the innermost axis, of windows of one element: what
    /// kernels do four at a time along a row, they do for four channels then.
    fn turn_channels(&mut self) {
        let by_channel = |tensor: &Placed| tensor.role == Role::Betas && tensor.strides[1] > 0;
        let has_room = self.axes[0] == AxisWindow::UNIT && self.input[0] == 1;
        // Statistics and derivatives add taps up by row: other rows would be other sums, by an ulp.
        let of_windows = self.has(Role::Statistics) || self.has(Role::Y);
        let adds_by_row = self.has(Role::Tangent) || (of_windows && self.has(Role::GradOutput));
        let turns = self.channels_last() && has_room && !adds_by_row && !self.tensors.iter().any(by_channel);
        let Ok(channels) = u32::try_from(self.channels) else { return };
        if !turns || !self.fits_registers() || channels >= 1 << 31 {
            return;
        }
        self.axes = [self.axes[1], self.axes[2], AxisWindow::UNIT];
        self.input = [self.input[1], self.input[2], channels];
        self.output = [self.output[1], self.output[2], channels];
        self.channels = 1;
        for tensor in &mut self.tensors {
            let [sample, channel, _, height, width] = tensor.strides;
            tensor.strides = [sample, 0, height, width, channel];
        }
    }

    /// Where the planes of all samples are equally far apart, they are channels of one.
    fn fold_samples(&mut self) {
        let (samples, channels) = (self.samples, self.channels);
        let equal = |tensor: &Placed| {
            let [sample, channel, ..] = tensor.strides;
            samples == 1 || channels == 1 || channels.checked_mul(channel) == Some(sample)
        };
        if self.tensors.iter().all(equal) {
            (self.samples, self.channels) = (1, samples.saturating_mul(channels));
            for tensor in &mut self.tensors {
                let [sample, channel, ..] = &mut tensor.strides;
                if channels == 1 {
                    *channel = *sample;
                }
                *sample = 0;
            }
        }
    }
}
