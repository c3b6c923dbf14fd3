//! The forward of small windows of different sizes: an invocation goes by the definition.

use crate::geometry::Schedule;
use crate::kernels::room::Room;
use crate::problem::{MAX_TAPS, Problem};
use crate::shaders::{FORWARD, shader};

pub(super) struct ForwardWindow;

impl Room for ForwardWindow {
    fn name(&self) -> &'static str {
        "forward_window"
    }

    fn schedule(&self, problem: &Problem) -> Option<Schedule> {
        (problem.is_adaptive() && problem.taps() <= MAX_TAPS).then(|| Schedule::of_block([1, 1, 1]))
    }

    fn files(&self, _derives: bool) -> &'static [&'static str] {
        &[FORWARD, shader!("forward_window")]
    }

    fn is_forward(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use crate::SoftPoolConfig;
    use crate::bound::Role::{X, Y};
    use crate::geometry::Kernel;
    use crate::kernels::FORWARD;
    use crate::kernels::cases::{Want, check, problem};
    use crate::tuning::Tuning;

    #[test]
    fn windows_of_different_sizes() {
        for tuning in [Tuning::GPU, Tuning::CPU] {
            let want = Want {
                kernel: Kernel::ForwardWindow,
                block: [1, 1, 1],
                workgroup: [64, 1, 1],
                // 49 windows of 512 planes.
                grid: [25_088, 1, 1],
                constants: &[("KERNEL_W", 6), ("TAPS", 36)],
                // From floor(2 x 30 / 7) to ceil(3 x 30 / 7).
                touches: &[(X, 1, 2..3, 8..13), (Y, 1, 2..3, 2..3), (X, 2, 0..7, 0..30)],
            };
            check(FORWARD, &problem(SoftPoolConfig::adaptive([7, 7]), &[8, 64, 30, 30], &[Y], tuning), want);
        }
    }
}
