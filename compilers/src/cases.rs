//! Which poolings are compiled, and what their kernels may cost.

use softpool::{ElementType, Result, Shape, SoftPoolConfig};

use Layout::{ChannelsLast, Contiguous};
use Operation::{Backward, Forward, GradBeta, Jvp, SecondBackward};

/// What a kernel may cost. Nothing may be spilled, and nothing may lie in scratch memory, whatever the case.
///
/// The numbers are of navi21. More registers leave too few waves on a unit to hide the memory's latency. A GPU of the data
/// centre has about 10 instructions of a lane for each byte that its memory moves: more are bound by arithmetic.
#[derive(Debug)]
pub struct Budget {
    /// Vector registers of an invocation.
    pub vector_registers: u64,
    /// Vector instructions for each byte that must move, all dispatches of the case together.
    pub instructions_per_byte: Option<f64>,
}

/// Budgets by the largest kernel size that they are for, the smallest first.
const BUDGETS: [(usize, Budget); 2] = [
    (3, Budget { vector_registers: 96, instructions_per_byte: Some(10.0) }),
    (5, Budget { vector_registers: 128, instructions_per_byte: None }),
];

/// A pooling whose kernels are compiled.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// What is computed.
    pub operation: Operation,
    /// The input's shape.
    pub shape: &'static [usize],
    /// The windows.
    pub windows: Windows,
    /// The type of x, y and their gradients.
    pub element_type: ElementType,
    /// How their elements lie in memory.
    pub layout: Layout,
    /// Whether its kernels have met the budget: then a smoke run fails where they spill.
    pub met: bool,
}

/// A call of softpool's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the calls' names")]
pub enum Operation {
    Forward,
    Backward,
    GradBeta,
    Jvp,
    SecondBackward,
}

/// The windows of a pooling.
#[derive(Clone, Copy, Debug)]
pub enum Windows {
    /// Kernel size, stride and padding, the same along each axis.
    Fixed(usize, usize, usize),
    /// Output size, the same along each axis.
    Adaptive(usize),
    /// One window for each channel.
    Global,
}

/// How the elements of a tensor lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Channels are outermost.
    Contiguous,
    /// Channels are innermost.
    ChannelsLast,
}

const IMAGE: &[usize] = &[8, 64, 112, 112];
const SMALL_PLANES: &[usize] = &[8, 512, 7, 7];
const VIDEO: &[usize] = &[2, 32, 16, 56, 56];
const K2: Windows = Windows::Fixed(2, 2, 0);
const K3_S2: Windows = Windows::Fixed(3, 2, 1);
const K3_S1: Windows = Windows::Fixed(3, 1, 1);
const K5: Windows = Windows::Fixed(5, 1, 2);
const K7: Windows = Windows::Fixed(7, 1, 3);
const F32: ElementType = ElementType::F32;
const F16: ElementType = ElementType::F16;
const BF16: ElementType = ElementType::Bf16;

const fn case(
    operation: Operation,
    shape: &'static [usize],
    windows: Windows,
    element_type: ElementType,
    layout: Layout,
    met: bool,
) -> Case {
    Case { operation, shape, windows, element_type, layout, met }
}

/// All cases. The last column says whether the budget was met: set it where a full run doesn't list the case any more.
#[rustfmt::skip]
pub const CASES: &[Case] = &[
    case(Forward,        IMAGE,        K2,    F32,  Contiguous,   true),
    case(Backward,       IMAGE,        K2,    F32,  Contiguous,   true),
    case(Forward,        IMAGE,        K2,    F16,  Contiguous,   true),
    case(Backward,       IMAGE,        K2,    F16,  Contiguous,   true),
    case(Forward,        IMAGE,        K2,    BF16, Contiguous,   true),
    case(Backward,       IMAGE,        K2,    BF16, Contiguous,   true),
    case(Forward,        IMAGE,        K2,    F32,  ChannelsLast, true),
    case(Backward,       IMAGE,        K2,    F32,  ChannelsLast, true),
    case(Forward,        IMAGE,        K2,    F16,  ChannelsLast, true),
    case(Backward,       IMAGE,        K2,    F16,  ChannelsLast, true),
    case(Forward,        IMAGE,        K2,    BF16, ChannelsLast, true),
    case(Backward,       IMAGE,        K2,    BF16, ChannelsLast, true),

    case(Forward,        IMAGE,        K3_S2, F32,  Contiguous,   true),
    case(Backward,       IMAGE,        K3_S2, F32,  Contiguous,   true),
    case(Forward,        IMAGE,        K3_S2, F16,  Contiguous,   true),
    case(Backward,       IMAGE,        K3_S2, F16,  Contiguous,   true),
    case(Forward,        IMAGE,        K3_S2, BF16, Contiguous,   true),
    case(Backward,       IMAGE,        K3_S2, BF16, Contiguous,   true),
    case(Forward,        IMAGE,        K3_S2, F32,  ChannelsLast, true),
    case(Backward,       IMAGE,        K3_S2, F32,  ChannelsLast, true),
    case(Forward,        IMAGE,        K3_S2, F16,  ChannelsLast, true),
    case(Backward,       IMAGE,        K3_S2, F16,  ChannelsLast, true),
    case(Forward,        IMAGE,        K3_S2, BF16, ChannelsLast, true),
    case(Backward,       IMAGE,        K3_S2, BF16, ChannelsLast, true),

    case(Forward,        IMAGE,        K3_S1, F32,  Contiguous,   true),
    case(Backward,       IMAGE,        K3_S1, F32,  Contiguous,   true),
    case(Forward,        IMAGE,        K3_S1, F16,  Contiguous,   true),
    case(Backward,       IMAGE,        K3_S1, F16,  Contiguous,   true),
    case(Forward,        IMAGE,        K3_S1, BF16, Contiguous,   true),
    case(Backward,       IMAGE,        K3_S1, BF16, Contiguous,   true),
    case(Forward,        IMAGE,        K3_S1, F32,  ChannelsLast, true),
    case(Backward,       IMAGE,        K3_S1, F32,  ChannelsLast, true),
    case(Forward,        IMAGE,        K3_S1, F16,  ChannelsLast, true),
    case(Backward,       IMAGE,        K3_S1, F16,  ChannelsLast, true),
    case(Forward,        IMAGE,        K3_S1, BF16, ChannelsLast, true),
    case(Backward,       IMAGE,        K3_S1, BF16, ChannelsLast, true),

    case(Forward,        IMAGE,        K5,    F32,  Contiguous,   true),
    case(Backward,       IMAGE,        K5,    F32,  Contiguous,   true),
    case(Forward,        IMAGE,        K5,    F16,  Contiguous,   true),
    case(Backward,       IMAGE,        K5,    F16,  Contiguous,   true),
    case(Forward,        IMAGE,        K7,    F32,  Contiguous,   true),
    case(Backward,       IMAGE,        K7,    F32,  Contiguous,   true),
    case(Forward,        IMAGE,        K7,    F16,  Contiguous,   true),
    case(Backward,       IMAGE,        K7,    F16,  Contiguous,   true),

    case(Forward,        SMALL_PLANES, Windows::Global, F32, Contiguous, false),
    case(Backward,       SMALL_PLANES, Windows::Global, F32, Contiguous, false),
    case(Forward,        IMAGE,        Windows::Global, F32, Contiguous, false),
    case(Backward,       IMAGE,        Windows::Global, F32, Contiguous, false),
    case(Forward,        VIDEO,        K2,    F32,  Contiguous,   true),
    case(Backward,       VIDEO,        K2,    F32,  Contiguous,   true),
    case(Forward,        VIDEO,        K3_S1, F32,  Contiguous,   true),
    case(Backward,       VIDEO,        K3_S1, F32,  Contiguous,   false),
    case(GradBeta,       IMAGE,        K3_S1, F32,  Contiguous,   true),
    case(Jvp,            IMAGE,        K3_S1, F32,  Contiguous,   true),
    case(SecondBackward, IMAGE,        K3_S1, F32,  Contiguous,   true),
    case(Forward,        IMAGE,        Windows::Adaptive(50), F32, Contiguous, false),
    case(Backward,       IMAGE,        Windows::Adaptive(50), F32, Contiguous, false),
];

impl Case {
    /// "forward 8x64x112x112 k3 s2 p1 channels-last f16": as the bench `roofline` names the same case.
    pub fn name(&self) -> String {
        let operation = match self.operation {
            Forward => "forward",
            Backward => "backward",
            GradBeta => "gradient of beta",
            Jvp => "jvp",
            SecondBackward => "second backward",
        };
        let windows = match self.windows {
            Windows::Fixed(kernel, stride, 0) => format!("k{kernel} s{stride}"),
            Windows::Fixed(kernel, stride, padding) => format!("k{kernel} s{stride} p{padding}"),
            Windows::Adaptive(output) => format!("adaptive {}", joined(&vec![output; self.rank()])),
            Windows::Global => "global".into(),
        };
        let layout = if self.layout == ChannelsLast { " channels-last" } else { "" };
        let element_type = match self.element_type {
            ElementType::F32 => "",
            ElementType::F16 => " f16",
            ElementType::Bf16 => " bf16",
        };
        format!("{operation} {} {windows}{layout}{element_type}", joined(self.shape))
    }

    /// Whether a smoke run compiles it: a few of each kind, and whatever must not get worse.
    pub fn is_of_smoke(&self) -> bool {
        let plain =
            matches!(self.windows, Windows::Fixed(2 | 3, ..)) && self.shape == IMAGE && self.element_type == F32;
        self.met || plain && self.layout == Contiguous && matches!(self.operation, Forward | Backward)
    }

    /// What its kernels may cost, if that is agreed on.
    pub fn budget(&self) -> Option<&'static Budget> {
        let Windows::Fixed(kernel, ..) = self.windows else { return None };
        BUDGETS.iter().find(|(largest, _)| kernel <= *largest).map(|(_, budget)| budget)
    }

    /// The pooling.
    pub fn config(&self) -> Result<SoftPoolConfig> {
        match self.windows {
            Windows::Fixed(kernel, stride, padding) => {
                SoftPoolConfig::builder(vec![kernel; self.rank()]).stride([stride]).padding([padding]).build()
            }
            Windows::Adaptive(output) => SoftPoolConfig::adaptive(vec![output; self.rank()]).build(),
            Windows::Global => SoftPoolConfig::global(self.rank()).build(),
        }
    }

    /// The bytes that must move: each input read once, each output written once.
    pub fn bytes(&self, shape: &Shape, pooled: &Shape) -> u64 {
        let [x, y] = [shape, pooled].map(|shape| shape.elements() as u64 * self.element_type.bytes());
        match self.operation {
            Forward | GradBeta => x + y,
            Backward | Jvp => 2 * x + y,
            SecondBackward => 3 * x + 2 * y,
        }
    }

    /// How many axes windows have.
    fn rank(&self) -> usize {
        self.shape.len() - 2
    }
}

fn joined(sizes: &[usize]) -> String {
    sizes.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_is_a_pooling_with_a_name_of_its_own() -> Result<()> {
        let mut names: Vec<String> = CASES.iter().map(Case::name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), CASES.len());
        for case in CASES {
            Shape::new(case.shape)?.pooled(&case.config()?)?;
        }
        Ok(())
    }
}
