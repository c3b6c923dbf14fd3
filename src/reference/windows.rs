//! Which elements each window has, in the order of the output's elements.

use crate::config::AxisWindow;
use crate::{Result, Shape, SoftPoolConfig};

/// Every window of a tensor.
pub(super) struct Windows {
    pub pooled: Shape,
    input: [u32; 3],
    output: [u32; 3],
    axes: [AxisWindow; 3],
}

impl Windows {
    pub fn new(config: &SoftPoolConfig, shape: &Shape) -> Result<Self> {
        let pooled = shape.pooled(config)?;
        let input = shape.of_rank(config.rank())?.depth_height_width();
        Ok(Self { pooled, input, output: pooled.depth_height_width(), axes: config.axes(input) })
    }

    /// The channel of the window at `output`.
    pub fn channel(&self, output: usize) -> usize {
        let windows_of_plane: usize = self.pooled.spatial().iter().product();
        output / windows_of_plane % self.pooled.channels()
    }

    /// Calls `visit(output index, input indices of the window's taps)` for each window.
    pub fn for_each(&self, mut visit: impl FnMut(usize, &[usize])) {
        let [depth, height, width] = self.input.map(|size| size as usize);
        let mut taps = Vec::new();
        let mut output = 0;
        for plane in 0..self.pooled.planes() {
            for d in 0..self.output[0] {
                let depths = self.positions(0, d);
                for h in 0..self.output[1] {
                    let heights = self.positions(1, h);
                    for w in 0..self.output[2] {
                        let widths = self.positions(2, w);
                        taps.clear();
                        for d in &depths {
                            for h in &heights {
                                taps.extend(widths.iter().map(|w| ((plane * depth + d) * height + h) * width + w));
                            }
                        }
                        visit(output, &taps);
                        output += 1;
                    }
                }
            }
        }
    }

    /// The input positions, inside the input, of window `window` along `axis`.
    fn positions(&self, axis: usize, window: u32) -> Vec<usize> {
        let (size, axis) = (self.input[axis], self.axes[axis]);
        if axis.adaptive > 0 {
            return axis.adaptive_positions(window, size).map(|position| position as usize).collect();
        }
        let (stride, padding, dilation) = (axis.stride as usize, axis.padding as usize, axis.dilation as usize);
        (0..axis.kernel as usize)
            .filter_map(|tap| (window as usize * stride + tap * dilation).checked_sub(padding))
            .filter(|&position| position < size as usize)
            .collect()
    }
}
