//! Which poolings the bench `roofline` and the proof measure, and what they are called.

use softpool::{ElementType, Result, SoftPoolConfig};

/// A pooling to measure.
#[derive(Clone, Copy)]
pub struct Case {
    pub shape: &'static [usize],
    pub windows: Windows,
    pub operation: Operation,
    pub storage: Storage,
    pub data: Data,
}

#[derive(Clone, Copy)]
pub enum Windows {
    /// Kernel by axis, stride and padding.
    Fixed(&'static [usize], usize, usize),
    /// Output size by axis.
    Adaptive(&'static [usize]),
    /// One for each channel.
    Global,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Forward,
    Backward,
    ForwardByChannel,
    GradBeta,
    Jvp,
    SecondBackward,
}

/// How x, y and their gradients are stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    Plain,
    F16,
    Bf16,
    ChannelsLast,
    ChannelsLastF16,
    ChannelsLastBf16,
}

/// What x holds. A kernel may take other ways for some values: the time should not depend on them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Data {
    /// Normal, standard deviation 1.
    Normal,
    /// Normal, of this standard deviation: most weights of a window are far below its largest.
    Deviation(u16),
    /// Normal, with 0 for what is below: half of it.
    Relu,
    /// Normal, with one element in a hundred at 50, chosen at random.
    Outliers,
}

pub const IMAGE: &[usize] = &[8, 64, 112, 112];
pub const K2: Windows = Windows::Fixed(&[2, 2], 2, 0);
pub const K3_S2: Windows = Windows::Fixed(&[3, 3], 2, 1);
pub const K3_S1: Windows = Windows::Fixed(&[3, 3], 1, 1);
const K5: Windows = Windows::Fixed(&[5, 5], 1, 2);
const K7: Windows = Windows::Fixed(&[7, 7], 1, 3);
const K13: Windows = Windows::Fixed(&[13, 13], 1, 6);
const VIDEO: (&[usize], Windows) = (&[2, 32, 16, 56, 56], Windows::Fixed(&[2, 2, 2], 2, 0));
const SOUND: (&[usize], Windows) = (&[20, 32, 128], Windows::Fixed(&[2], 2, 0));

/// Run forward and backward, in f32, contiguous.
const PLAIN: [(&[usize], Windows); 15] = [
    (IMAGE, K2),
    (IMAGE, K3_S2),
    (IMAGE, K3_S1),
    (IMAGE, K5),
    (IMAGE, K7),
    (IMAGE, K13),
    VIDEO,
    (&[20, 32, 128, 128], K2),
    SOUND,
    (&[32, 256, 56, 56], Windows::Fixed(&[56, 56], 56, 0)),
    (&[8, 512, 7, 7], Windows::Global),
    (IMAGE, Windows::Global),
    (&[1, 256, 40, 40], Windows::Fixed(&[5, 5], 1, 2)),
    (&[1, 256, 40, 40], Windows::Fixed(&[9, 9], 1, 4)),
    (&[1, 256, 40, 40], Windows::Fixed(&[13, 13], 1, 6)),
];
/// Run forward alone: a tensor so small that what one submission costs shows.
const SMALL: (&[usize], Windows) = (&[1, 64, 56, 56], K2);

/// All cases: the plain ones, then every other capability, then other data.
pub fn all() -> Vec<Case> {
    use Operation::{Backward, Forward, ForwardByChannel, GradBeta, Jvp, SecondBackward};
    use Storage::{Bf16, ChannelsLast, ChannelsLastBf16, ChannelsLastF16, F16, Plain};
    let case = |(shape, windows), operation, storage| Case { shape, windows, operation, storage, data: Data::Normal };
    let mut cases = Vec::new();
    for of in PLAIN {
        cases.extend([Forward, Backward].map(|operation| case(of, operation, Plain)));
    }
    cases.push(case(SMALL, Forward, Plain));
    for windows in [K2, K3_S2, K3_S1] {
        for storage in [F16, Bf16, ChannelsLast, ChannelsLastF16] {
            cases.extend([Forward, Backward].map(|operation| case((IMAGE, windows), operation, storage)));
        }
    }
    cases.extend([Forward, Backward].map(|operation| case((IMAGE, K2), operation, ChannelsLastBf16)));
    for of in [VIDEO, SOUND] {
        for storage in [F16, ChannelsLast] {
            cases.extend([Forward, Backward].map(|operation| case(of, operation, storage)));
        }
    }
    for windows in [Windows::Adaptive(&[7, 7]), Windows::Adaptive(&[50, 50])] {
        cases.extend([Forward, Backward].map(|operation| case((IMAGE, windows), operation, Plain)));
    }
    for windows in [K2, K3_S1] {
        let operations = [ForwardByChannel, GradBeta, Jvp, SecondBackward];
        cases.extend(operations.map(|operation| case((IMAGE, windows), operation, Plain)));
    }
    for data in [Data::Deviation(5), Data::Deviation(20), Data::Deviation(100), Data::Relu, Data::Outliers] {
        for (windows, operation) in [(K3_S1, Forward), (K5, Forward), (K3_S1, Backward)] {
            cases.push(Case { data, ..case((IMAGE, windows), operation, Plain) });
        }
    }
    cases.push(Case { data: Data::Deviation(20), ..case((IMAGE, K3_S1), Forward, F16) });
    cases
}

impl Case {
    /// "forward 8x64x112x112 k3 s2 p1 f16 sd 20".
    pub fn name(&self) -> String {
        let joined = |sizes: &[usize]| sizes.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
        let windows = match self.windows {
            Windows::Fixed(kernel, stride, padding) => {
                let padding = if padding > 0 { format!(" p{padding}") } else { String::new() };
                format!("k{} s{stride}{padding}", kernel[0])
            }
            Windows::Adaptive(output) => format!("adaptive {}", joined(output)),
            Windows::Global => "global".into(),
        };
        let operation = match self.operation {
            Operation::Forward => "forward",
            Operation::Backward => "backward",
            Operation::ForwardByChannel => "forward, beta by channel,",
            Operation::GradBeta => "gradient of beta",
            Operation::Jvp => "jvp",
            Operation::SecondBackward => "second backward",
        };
        let storage = match self.storage {
            Storage::Plain => "",
            Storage::F16 => " f16",
            Storage::Bf16 => " bf16",
            Storage::ChannelsLast => " channels-last",
            Storage::ChannelsLastF16 => " channels-last f16",
            Storage::ChannelsLastBf16 => " channels-last bf16",
        };
        let data = match self.data {
            Data::Normal => String::new(),
            Data::Deviation(deviation) => format!(" sd {deviation}"),
            Data::Relu => " relu".into(),
            Data::Outliers => " outliers".into(),
        };
        format!("{operation} {} {windows}{storage}{data}", joined(self.shape))
    }

    /// Whether a smoke run has it. Other data take the kernels of normal values, and may take them a hundred times as long.
    pub fn is_of_smoke(&self) -> bool {
        self.data == Data::Normal || self.operation == Operation::Forward
    }

    pub fn config(&self) -> Result<SoftPoolConfig> {
        match self.windows {
            Windows::Fixed(kernel, stride, padding) => {
                SoftPoolConfig::builder(kernel).stride([stride]).padding([padding]).build()
            }
            Windows::Adaptive(output) => SoftPoolConfig::adaptive(output).build(),
            Windows::Global => SoftPoolConfig::global(self.shape.len() - 2).build(),
        }
    }

    pub fn is_forward(&self) -> bool {
        matches!(self.operation, Operation::Forward | Operation::ForwardByChannel | Operation::Jvp)
    }

    pub fn element_type(&self) -> ElementType {
        match self.storage {
            Storage::Plain | Storage::ChannelsLast => ElementType::F32,
            Storage::F16 | Storage::ChannelsLastF16 => ElementType::F16,
            Storage::Bf16 | Storage::ChannelsLastBf16 => ElementType::Bf16,
        }
    }

    pub fn is_channels_last(&self) -> bool {
        matches!(self.storage, Storage::ChannelsLast | Storage::ChannelsLastF16 | Storage::ChannelsLastBf16)
    }

    /// What it is to be held against: the same windows in f32, contiguous, of normal values, forward or backward.
    pub fn plain(&self) -> Option<Self> {
        let operation = if self.is_forward() { Operation::Forward } else { Operation::Backward };
        let other = self.operation != operation || self.storage != Storage::Plain || self.data != Data::Normal;
        other.then_some(Self { operation, storage: Storage::Plain, data: Data::Normal, ..*self })
    }
}

impl Data {
    /// Values of this kind, from normal ones.
    pub fn of(self, mut values: Vec<f32>) -> Vec<f32> {
        let mut state = 2u32;
        for value in &mut values {
            match self {
                Self::Normal => {}
                Self::Deviation(deviation) => *value *= f32::from(deviation),
                Self::Relu => *value = value.max(0.0),
                Self::Outliers => {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    if (state >> 8).is_multiple_of(100) {
                        *value = 50.0;
                    }
                }
            }
        }
        values
    }
}
