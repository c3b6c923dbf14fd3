//! The kernels. Each has a room: a file that says when it takes a pooling and how it goes about it, what it touches of each
//! tensor, its constants, and its files in shaders/. To choose a kernel is to go through a list of rooms.
//!
//! A new kernel is a room, a name in [`Kernel`], and a place in a list.

mod backward_disjoint;
mod backward_input;
mod backward_lanes;
mod backward_rows;
mod backward_statistics;
mod backward_taps;
mod backward_workgroup;
#[cfg(test)]
mod cases;
mod disjoint;
mod forward_disjoint;
mod forward_lanes;
mod forward_rows;
mod forward_taps;
mod forward_window;
mod lanes;
mod room;
mod rows;
mod sum;
mod sums;
mod tangent;
mod taps;

use crate::bound::Role;
use crate::extent::{Extent, by_axis};
use crate::geometry::{Geometry, Kernel, Schedule, Vectors};
use crate::grid::{Grid, workgroup};
use crate::problem::Problem;
pub(crate) use room::Room;

impl Kernel {
    pub fn room(self) -> &'static dyn Room {
        match self {
            Self::ForwardDisjoint => &forward_disjoint::ForwardDisjoint,
            Self::ForwardTaps => &forward_taps::ForwardTaps,
            Self::ForwardRows => &forward_rows::ForwardRows,
            Self::ForwardWindow => &forward_window::ForwardWindow,
            Self::ForwardLanes => &forward_lanes::ForwardLanes,
            Self::BackwardDisjoint => &backward_disjoint::BackwardDisjoint,
            Self::BackwardLanes => &backward_lanes::BackwardLanes,
            Self::BackwardTaps => &backward_taps::BackwardTaps,
            Self::BackwardRows => &backward_rows::BackwardRows,
            Self::BackwardStatistics => &backward_statistics::BackwardStatistics,
            Self::BackwardInput => &backward_input::BackwardInput,
            Self::BackwardWorkgroup => &backward_workgroup::BackwardWorkgroup,
            Self::TangentInvocation => &tangent::TangentInvocation,
            Self::TangentLanes => &tangent::TangentLanes,
            Self::Sum => &sum::Sum,
        }
    }
}

/// Kernels of an operation, the better ones first.
pub(crate) type Kernels = &'static [Kernel];

/// Windows.
pub(crate) const FORWARD: Kernels =
    &[Kernel::ForwardWindow, Kernel::ForwardDisjoint, Kernel::ForwardTaps, Kernel::ForwardRows, Kernel::ForwardLanes];
/// The gradient of the input, from nothing but the input and the gradient of the output. Not every pooling has one.
pub(crate) const BACKWARD: Kernels =
    &[Kernel::BackwardLanes, Kernel::BackwardDisjoint, Kernel::BackwardTaps, Kernel::BackwardRows];
/// The gradient of the input, from the windows' statistics as well.
pub(crate) const BACKWARD_FROM_STATISTICS: Kernels =
    &[Kernel::BackwardStatistics, Kernel::BackwardInput, Kernel::BackwardWorkgroup];
/// The second backward, from nothing but the input, the gradient of the output and the direction. Not every pooling has one.
pub(crate) const SECOND_BACKWARD: Kernels = &[Kernel::BackwardTaps, Kernel::BackwardRows];
/// The second backward, from the windows' statistics and moments as well.
pub(crate) const SECOND_BACKWARD_FROM_MOMENTS: Kernels = &[Kernel::BackwardInput, Kernel::BackwardWorkgroup];
/// The derivative of each window along a direction, or its part of the gradient of beta, from nothing but the input and these. Not
/// every pooling has one.
pub(crate) const TANGENT: Kernels = &[Kernel::ForwardTaps, Kernel::ForwardRows];
/// The derivative of each window, or its moments, from its statistics.
pub(crate) const TANGENT_FROM_STATISTICS: Kernels = &[Kernel::TangentInvocation, Kernel::TangentLanes];
/// The sum of each window.
pub(crate) const SUM: Kernels = &[Kernel::Sum];

/// The first kernel that takes the pooling, with the shapes that specialise it.
pub(crate) fn choose(kernels: Kernels, problem: &Problem) -> Option<Geometry> {
    let schedule = |&kernel: &Kernel| Some((kernel, kernel.room().schedule(problem)?));
    kernels.iter().find_map(schedule).map(|(kernel, schedule)| geometry(problem, kernel, schedule))
}

/// The same of kernels that between them take any pooling.
pub(crate) fn of_any(kernels: Kernels, problem: &Problem) -> Geometry {
    choose(kernels, problem).expect("these kernels take any pooling")
}

fn geometry(problem: &Problem, kernel: Kernel, schedule: Schedule) -> Geometry {
    let Problem { axes, input, output, .. } = *problem;
    let (room, block) = (kernel.room(), schedule.block);
    let takes = room.vectors(problem, block);
    let (columns_of_inputs, columns_of_windows) = (input[2].is_multiple_of(4), output[2].is_multiple_of(4));
    let x = takes.x && columns_of_inputs && problem.aligned(|role| role == Role::X);
    let vectors = Vectors {
        x,
        tangent: takes.tangent && x && problem.aligned(|role| role == Role::Tangent),
        gradient: takes.gradient && columns_of_inputs && problem.aligned(|role| role == Role::GradInput),
        y: takes.y && columns_of_windows && problem.aligned(|role| !role.is_of_inputs() && role != Role::Betas),
    };
    let pairs = room.goes_down_strips() && problem.channels_pair_up();
    let [w, h, d] = blocks(kernel, &schedule, problem);
    let grid = Grid::of(problem, [w, h, d], schedule.lanes.is_some_and(|[.., groups]| groups == 1));
    let mut geometry = Geometry {
        kernel,
        axes,
        schedule,
        workgroup: [1; 3],
        grid,
        has_depth: d > 1,
        ordinary_beta: problem.ordinary_beta,
        detached: problem.detached && (!room.is_forward() || problem.has(Role::Tangent)),
        vectors,
        contiguous_rows: problem.contiguous_rows(),
        contiguous_tensors: problem.contiguous_tensors(),
        one_sample: problem.samples == 1,
        pairs,
        natives: problem.tuning.natives,
    };
    let grid = geometry.grid_of([d, h, w], problem.samples, problem.channels);
    let fewest_idle = || workgroup(grid, problem.tuning.workgroup());
    geometry.workgroup = schedule.lanes.unwrap_or_else(fewest_idle);
    geometry
}

/// Blocks of a plane along width, height and depth.
pub(crate) fn blocks(kernel: Kernel, schedule: &Schedule, problem: &Problem) -> Extent {
    let Problem { axes, input, output, .. } = problem;
    let tiled = |i: usize| kernel.room().tiled(&axes[i], input[i], output[i]);
    let [d, h, w] = by_axis(|i| tiled(i).div_ceil(schedule.block[i]));
    [w, h, d]
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use super::*;
    use crate::SoftPoolConfig;
    use crate::bound::Role::{GradInput, GradOutput, Moments, Statistics, Tangent, Y};
    use crate::kernels::cases::{problem, windows};
    use crate::specialise::Specialisation;
    use crate::tuning::Tuning;

    /// Each list, with the tensors that its kernels take beside x, and whether they take any pooling.
    const LISTS: [(Kernels, &[Role], bool); 8] = [
        (FORWARD, &[Y], true),
        (BACKWARD, &[GradOutput, GradInput], false),
        (BACKWARD_FROM_STATISTICS, &[GradOutput, GradInput, Statistics], true),
        (SECOND_BACKWARD, &[Tangent, GradOutput, GradInput], false),
        (SECOND_BACKWARD_FROM_MOMENTS, &[Tangent, GradOutput, GradInput, Statistics, Moments], true),
        (TANGENT, &[Tangent, Y], false),
        (TANGENT_FROM_STATISTICS, &[Tangent, Statistics, Y], true),
        (SUM, &[Y], true),
    ];

    /// Specialisations of every kernel, of poolings small and large.
    fn specialisations() -> Vec<Specialisation> {
        let mut specialisations = Vec::new();
        for (builder, dims) in [
            (windows([2], 2, 0), &[2, 3, 16][..]),
            (windows([5000], 1, 0), &[1, 1, 10_000]),
            (windows([2, 2], 2, 0), &[2, 3, 17, 23]),
            (windows([3, 3], 2, 1), &[2, 3, 16, 16]),
            (windows([5, 5], 1, 2), &[2, 3, 16, 16]),
            (windows([13, 13], 1, 6), &[1, 2, 40, 40]),
            (windows([16, 16], 16, 0), &[8, 8, 32, 32]),
            (windows([1025, 1025], 1025, 0), &[1, 1, 1025, 1025]),
            (windows([3, 3, 3], 1, 1), &[1, 2, 7, 8, 9]),
            (SoftPoolConfig::adaptive([3]), &[1, 2, 7]),
            (SoftPoolConfig::adaptive([3, 3]), &[2, 16, 100, 100]),
            (SoftPoolConfig::global(2), &[1, 3, 40, 40]),
        ] {
            for tuning in [Tuning::GPU, Tuning::CPU] {
                for (kernels, roles, any) in LISTS {
                    let problem = problem(builder.clone(), dims, roles, tuning);
                    let geometry = choose(kernels, &problem);
                    assert!(geometry.is_some() || !any, "{kernels:?} take no {problem:?}");
                    let types = problem.tensors.iter().map(|tensor| (tensor.role, tensor.element_type));
                    specialisations.extend(geometry.map(|geometry| Specialisation::new(geometry, types)));
                }
            }
        }
        specialisations
    }

    #[test]
    fn every_kernel_is_in_a_list_and_takes_something() {
        let listed: HashSet<Kernel> = LISTS.iter().flat_map(|(kernels, ..)| *kernels).copied().collect();
        let taking: HashSet<Kernel> = specialisations().iter().map(|kernel| kernel.geometry.kernel).collect();
        assert_eq!(listed.len(), 15);
        assert_eq!(listed, taking);
    }

    /// A pooling of another size compiles nothing, where it goes down strips and their width suits both.
    #[test]
    fn tensors_of_other_sizes_share_their_kernels() {
        let mut shared = HashSet::new();
        for (kernel, stride, padding) in [(2, 2, 0), (3, 2, 1), (3, 1, 1), (5, 1, 2), (7, 1, 3)] {
            for (tuning, (kernels, roles, _)) in
                [Tuning::GPU, Tuning::CPU].into_iter().flat_map(|t| LISTS.map(|l| (t, l)))
            {
                let of_size = |dims: [usize; 4]| {
                    let problem = problem(windows([kernel; 2], stride, padding), &dims, roles, tuning);
                    let types = problem.tensors.iter().map(|tensor| (tensor.role, tensor.element_type));
                    choose(kernels, &problem).map(|geometry| Specialisation::new(geometry, types))
                };
                let [first, others @ ..] = [[8, 64, 112, 96], [64, 64, 32, 64], [2, 128, 240, 160]].map(of_size);
                if first.is_some_and(|kernel| kernel.room().goes_down_strips()) {
                    assert_eq!(others, [first; 2], "k{kernel} s{stride} p{padding}, {kernels:?}");
                    shared.insert(kernels);
                }
            }
        }
        assert_eq!(shared, HashSet::from([FORWARD, BACKWARD, SECOND_BACKWARD, TANGENT]));
    }

    /// What a kernel is given and none of its files names would be of no use.
    #[test]
    fn files_read_every_constant_of_their_room() {
        let (mut given, mut read) = (BTreeSet::new(), BTreeSet::new());
        for kernel in specialisations() {
            let text = kernel.files().concat();
            let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            read.extend(words.map(|word| (kernel.room().name(), word.to_owned())));
            let constants = kernel.room().constants(&kernel.geometry);
            given.extend(constants.into_iter().map(|(name, _)| (kernel.room().name(), name.to_owned())));
        }
        let unread: Vec<_> = given.difference(&read).collect();
        assert!(unread.is_empty(), "{unread:?}");
    }
}
