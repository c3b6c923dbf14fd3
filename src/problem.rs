//! A pooling to find a kernel for: its windows, its sizes, and its tensors in memory.

use crate::bound::{Placed, Role};
use crate::config::{AxisWindow, GradientRule, MAX_RANK};
use crate::extent::{Extent, by_axis, product};
use crate::tuning::Tuning;
use crate::{Shape, SoftPoolConfig};

/// Taps that an invocation takes on by itself: those of a window that it keeps in registers.
pub(crate) const MAX_TAPS: u64 = 64;
/// Inputs that a window spans along the width, if an invocation goes along its row; wider ones are shared by a workgroup.
pub(crate) const MAX_WIDTH: u32 = 32;
/// The longest run of a window without three beside it that an invocation reads: 16 taps take as long by lanes on software Vulkan.
const MAX_LONE_RUN: u32 = 16;
/// Iterations that an invocation may take: software drivers silently end one after 65,535, all loops together.
pub(crate) const MAX_ITERATIONS: u64 = 65_000;

/// The least magnitude of a beta with which kernels count: with smaller ones differences of the largest numbers weigh something, or
/// products leave the range of f32.
const LEAST_ORDINARY_BETA: f32 = 1e-18;

/// A pooling to find a kernel for.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    /// The windows by axis, and how many positions and windows there are, with axes that windows cover whole made one with
    /// the next.
    pub axes: [AxisWindow; MAX_RANK],
    pub input: Extent,
    pub output: Extent,
    pub samples: u64,
    pub channels: u64,
    /// What is bound, with the strides of these axes.
    pub tensors: Vec<Placed>,
    pub detached: bool,
    /// Whether beta is known to be one that no product of the kernels with it is too small for.
    pub ordinary_beta: bool,
    pub tuning: Tuning,
}

impl Problem {
    /// The pooling of `shape`, which the configuration has accepted, with tensors in these places.
    pub fn new(config: &SoftPoolConfig, shape: &Shape, pooled: &Shape, tensors: Vec<Placed>, tuning: Tuning) -> Self {
        let (input, output) = (shape.depth_height_width(), pooled.depth_height_width());
        let on_device = tensors.iter().any(|tensor| tensor.role == Role::Betas);
        Self {
            axes: config.axes(input),
            input,
            output,
            samples: shape.batch() as u64,
            channels: shape.channels() as u64,
            tensors,
            detached: config.gradient_rule() == GradientRule::Detached,
            ordinary_beta: !on_device && config.beta().abs() >= LEAST_ORDINARY_BETA,
            tuning,
        }
        .folded()
    }

    pub fn has(&self, role: Role) -> bool {
        self.tensors.iter().any(|tensor| tensor.role == role)
    }

    /// Whether a derivative of the windows is asked for, rather than the windows.
    pub fn derives(&self) -> bool {
        self.has(Role::Tangent) || self.has(Role::GradOutput)
    }

    /// Channels of all samples.
    pub fn planes(&self) -> u64 {
        self.samples.saturating_mul(self.channels)
    }

    /// Taps of a window, the largest of different ones.
    pub fn taps(&self) -> u64 {
        product(by_axis(|i| self.axes[i].kernel))
    }

    /// Whether two windows can share an input.
    pub fn overlaps(&self) -> bool {
        self.axes.iter().any(AxisWindow::overlaps)
    }

    /// Whether windows have one tap along the depth, and one window each position of it.
    pub fn is_flat(&self) -> bool {
        let depth = &self.axes[0];
        depth.kernel == 1 && depth.stride == 1 && depth.padding == 0
    }

    /// Whether windows are of different sizes.
    pub fn is_adaptive(&self) -> bool {
        self.axes.iter().any(|axis| axis.adaptive > 0)
    }

    /// Whether no two windows share an input, and an invocation can keep all of one.
    pub fn fits_registers(&self) -> bool {
        !self.overlaps() && !self.is_adaptive() && self.taps() <= MAX_TAPS
    }

    /// The longest run of memory of a window that one invocation reads. Kernels of few taps take four windows side by side: of one that
    /// is alone, as in global pooling, three quarters of the work are for nothing.
    pub fn max_run(&self) -> u32 {
        if self.output[2] < 4 { self.tuning.max_run.min(MAX_LONE_RUN) } else { self.tuning.max_run }
    }

    /// By axis, the most windows that hold an input.
    pub fn holders(&self) -> Extent {
        by_axis(|i| self.axes[i].most_holders(self.input[i], self.output[i]))
    }

    /// Whether so many invocations for each plane are enough for the device.
    pub fn fills_device(&self, invocations: u64) -> bool {
        self.planes().saturating_mul(invocations) >= self.tuning.least_invocations
    }

    /// Whether neighbouring elements are of neighbouring channels, of the same position.
    pub fn channels_last(&self) -> bool {
        let x = self.tensors.iter().find(|tensor| tensor.role == Role::X);
        self.channels > 1 && x.is_some_and(|x| x.strides[1] == 1 && x.strides[4] > 1)
    }

    /// Whether there are no tensors but such of words with an element of each of two channels, which kernels take as pairs.
    pub fn channels_pair_up(&self) -> bool {
        let in_pairs = |tensor: &Placed| {
            let [sample, channel, position @ ..] = tensor.strides;
            let starts = [tensor.offset, sample].into_iter().chain(position);
            tensor.element_type.is_half() && channel == 1 && { starts }.all(|start| start.is_multiple_of(2))
        };
        let takes = |role| matches!(role, Role::X | Role::Y | Role::GradOutput | Role::GradInput);
        let mut tensors = self.tensors.iter().filter(|tensor| tensor.role != Role::Betas);
        self.channels_last()
            && self.channels.is_multiple_of(2)
            && tensors.all(|tensor| takes(tensor.role) && in_pairs(tensor))
    }

    /// Sizes of what a tensor has an element for: positions, or windows.
    fn sizes_of(&self, tensor: &Placed) -> Extent {
        if tensor.role.is_of_inputs() { self.input } else { self.output }
    }

    /// Whether all tensors among `roles` that are bound can be addressed as vectors.
    pub fn aligned(&self, roles: impl Fn(Role) -> bool) -> bool {
        self.tensors.iter().filter(|tensor| roles(tensor.role)).all(Placed::is_aligned)
    }

    /// The roles, as bits, of tensors whose rows are contiguous.
    pub fn contiguous_rows(&self) -> u16 {
        self.roles(|tensor| self.sizes_of(tensor)[2] == 1 || tensor.strides[4] == 1)
    }

    /// The roles, as bits, of tensors that are contiguous as a whole.
    pub fn contiguous_tensors(&self) -> u16 {
        self.roles(|tensor| {
            let [depth, height, width] = self.sizes_of(tensor).map(u64::from);
            let strides = [depth * height * width, height * width, width, 1];
            let sizes = [self.channels, depth, height, width];
            let matches = |(i, &stride): (usize, &u64)| sizes[i] == 1 || tensor.strides[i + 1] == stride;
            self.samples == 1 && tensor.words == 1 && strides.iter().enumerate().all(matches)
        })
    }

    fn roles(&self, is: impl Fn(&Placed) -> bool) -> u16 {
        self.tensors.iter().filter(|tensor| is(tensor)).fold(0, |bits, tensor| bits | tensor.role.bit())
    }
}
