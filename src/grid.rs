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

/// So many invocations, a power of two, along a grid's axes, such that the fewest are idle. A GPU runs them 32 or 64 at a time, so
/// that there are never fewer; eight or more are along x, since drivers vectorise along it.
pub(crate) fn workgroup(grid: Extent, invocations: u32) -> Extent {
    let halves =
        |most: u32, least: u32| std::iter::successors(Some(most), move |&size| (size > least).then_some(size / 2));
    let sizes_with = |x: u32| halves(invocations / x, 1).map(move |y| [x, y, invocations / x / y]);
    let dispatched = |size: &Extent| {
        let along = |i: usize| u128::from(grid[i].div_ceil(size[i])) * u128::from(size[i]);
        along(0) * along(1) * along(2)
    };
    halves(invocations, 8).flat_map(sizes_with).min_by_key(dispatched).expect("at least eight invocations")
}

#[cfg(test)]
mod tests {
    use super::workgroup;

    #[test]
    fn the_fewest_invocations_are_idle() {
        // What counts all blocks fills its workgroups, however few.
        assert_eq!([1, 5, 96, 100_352].map(|blocks| workgroup([blocks, 1, 1], 64)), [[64, 1, 1]; 4]);
        // 104 of a layer's 100 rather than 128, where there are layers enough; 8 x 8 of each 7 x 7.
        assert_eq!(workgroup([100, 1, 512], 64), [8, 1, 8]);
        assert_eq!(workgroup([100, 1, 6], 64), [64, 1, 1]);
        assert_eq!(workgroup([7, 7, 6], 64), [8, 8, 1]);
    }
}
