//! What the rooms' tests ask, without a device.

use std::ops::Range;

use super::{Kernels, blocks, choose};
use crate::bound::{Placed, Role};
use crate::cover::Blocks;
use crate::extent::Extent;
use crate::geometry::Kernel;
use crate::problem::Problem;
use crate::tuning::Tuning;
use crate::{ElementType, Natives, Shape, SoftPoolConfig, SoftPoolConfigBuilder};

/// A GPU whose exponentials are no instructions: with such, windows of few taps are better off in rooms of their own.
pub(super) const GPU_WITHOUT_EXP2: Tuning = Tuning { natives: Natives::NONE, ..Tuning::GPU };

/// What the first kernel of a list that takes a pooling has to say of it.
pub(super) struct Want<'a> {
    pub kernel: Kernel,
    /// Windows, cells or inputs of an invocation, or of the lanes that share them, along depth, height and width.
    pub block: Extent,
    pub workgroup: Extent,
    /// Blocks along x, y and z.
    pub grid: Extent,
    /// Some of the constants.
    pub constants: &'a [(&'a str, u32)],
    /// What some blocks along an axis touch of a tensor.
    pub touches: &'a [(Role, usize, Range<u64>, Range<u64>)],
}

/// Windows of a size, a stride and a padding.
pub(super) fn windows<const RANK: usize>(
    kernel: [usize; RANK],
    stride: usize,
    padding: usize,
) -> SoftPoolConfigBuilder {
    SoftPoolConfig::builder(kernel).stride([stride]).padding([padding])
}

/// A pooling of contiguous f32, with x and tensors of these roles.
pub(super) fn problem(builder: SoftPoolConfigBuilder, dims: &[usize], roles: &[Role], tuning: Tuning) -> Problem {
    let config = builder.build().expect("a configuration");
    let shape = Shape::new(dims).and_then(|shape| shape.of_rank(config.rank())).expect("a shape");
    let pooled = shape.pooled(&config).expect("windows");
    let place = |role: Role| {
        let of = if role.is_of_inputs() { &shape } else { &pooled };
        let [d, h, w] = of.depth_height_width().map(u64::from);
        let strides = [shape.channels() as u64 * d * h * w, d * h * w, h * w, w, 1];
        Placed { role, element_type: ElementType::F32, offset: 0, strides, words: 1, word: 0 }
    };
    let tensors = [&[Role::X], roles].concat().into_iter().map(place).collect();
    Problem::new(&config, &shape, &pooled, tensors, tuning)
}

#[track_caller]
pub(super) fn check(kernels: Kernels, problem: &Problem, want: Want<'_>) {
    let geometry = choose(kernels, problem).expect("one of the kernels takes it");
    assert_eq!(geometry.kernel, want.kernel);
    assert_eq!(geometry.schedule.block, want.block, "the block");
    assert_eq!(geometry.workgroup, want.workgroup, "the workgroup");
    let [w, h, d] = blocks(geometry.kernel, &geometry.schedule, problem);
    assert_eq!(geometry.grid_of([d, h, w], problem.samples, problem.channels), want.grid, "the grid");
    let room = geometry.kernel.room();
    let constants = [geometry.constants(), room.constants(&geometry)].concat();
    for (name, value) in want.constants {
        let found: Vec<u32> = constants.iter().filter(|(known, _)| known == name).map(|&(_, value)| value).collect();
        assert_eq!(found, [*value], "{name}");
    }
    for (role, axis, range, touched) in want.touches {
        let blocks = Blocks::new(problem, *axis, want.block[*axis], range.clone());
        assert_eq!(room.touches(&blocks, *role), *touched, "{role:?}, axis {axis}, blocks {range:?}");
    }
}
