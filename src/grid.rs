//! How the blocks of a pooling are counted by a grid of invocations, or of workgroups that share a block.

use crate::extent::Extent;
use crate::problem::Problem;

/// Blocks that one axis of a grid counts for several: f32 divides their number exactly.
const MAX_FLAT_BLOCKS: u64 = 1 << 20;

/// What the grid's x counts: the more it counts, the fewer invocations of a workgroup are left idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Grid {
    /// Blocks of a row; y counts rows, z layers of all planes.
    Rows,
    /// Blocks of a layer, row after row; z counts layers of all planes.
    Layers,
    /// Blocks of all planes.
    Planes,
    /// The channels of each block of a row; y counts rows, z layers of all samples.
    ChannelsLast,
}

impl Grid {
    /// The grid of so many blocks of a plane along width, height and depth; `alone` where a workgroup has one block.
    pub fn of(problem: &Problem, [w, h, d]: Extent, alone: bool) -> Self {
        let count = |axes: &[u32]| axes.iter().fold(1u64, |all, &blocks| all.saturating_mul(u64::from(blocks)));
        if problem.channels_last() {
            Self::ChannelsLast
        } else if alone || count(&[w, h]) >= MAX_FLAT_BLOCKS {
            Self::Rows
        } else if count(&[w, h, d]).saturating_mul(problem.planes()) >= MAX_FLAT_BLOCKS {
            Self::Layers
        } else {
            Self::Planes
        }
    }

    /// Invocations, or workgroups that share a block, along the grid's axes for blocks along depth, height and width of so
    /// many planes, of which an invocation computes `channels_of_invocation`; as many as 32 bits count, if there are more.
    pub fn size(self, [d, h, w]: Extent, samples: u64, channels: u64, channels_of_invocation: u64) -> Extent {
        let all = |sizes: &[u64]| {
            let product = sizes.iter().fold(1u64, |product, &size| product.saturating_mul(size));
            u32::try_from(product).unwrap_or(u32::MAX)
        };
        let [d, h, w] = [d, h, w].map(u64::from);
        match self {
            Self::Rows => [all(&[w]), all(&[h]), all(&[d, samples, channels])],
            Self::Layers => [all(&[w, h]), 1, all(&[d, samples, channels])],
            Self::Planes => [all(&[w, h, d, samples, channels]), 1, 1],
            Self::ChannelsLast => [all(&[w, channels / channels_of_invocation]), all(&[h]), all(&[d, samples])],
        }
    }
}

/// So many invocations along a grid's axes, such that the fewest are idle. Eight or more along x, since drivers vectorise along it.
pub(crate) fn workgroup([x_blocks, y_blocks, _]: Extent, invocations: u32) -> Extent {
    let idle = |x: u32| (x - x_blocks % x) % x;
    let sizes = (1..=invocations / 8).rev().map(|eights| 8 * eights);
    let x = sizes.min_by_key(|&x| idle(x)).unwrap_or(8);
    let y = (invocations / x).min(y_blocks.next_power_of_two());
    [x, y, (invocations / x / y).max(1)]
}
