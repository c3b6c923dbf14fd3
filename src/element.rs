//! The element types that tensors are stored as. Arithmetic is f32 whatever they are.

use half::{bf16, f16};

/// How a tensor's elements are stored.
///
/// Half types lie two in a 32-bit word, the first in the lower bits, as they do in memory; no device feature is needed.
/// Kernels compute in f32, and round a result once, to the nearest, ties to even. A tensor's buffer has to be a whole number
/// of words, even where its elements are not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ElementType {
    /// IEEE 754 binary32.
    #[default]
    #[cfg_attr(feature = "serde", serde(rename = "float32"))]
    F32,
    /// IEEE 754 binary16: 11 significant bits, up to 65504.
    #[cfg_attr(feature = "serde", serde(rename = "float16"))]
    F16,
    /// The upper half of a binary32: 8 significant bits, the same range.
    #[cfg_attr(feature = "serde", serde(rename = "bfloat16"))]
    Bf16,
}

impl ElementType {
    /// Bytes of an element.
    pub const fn bytes(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    /// The name that NumPy and PyTorch use: "float32", "float16", "bfloat16".
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::Bf16 => "bfloat16",
        }
    }

    /// Whether an element is half a word.
    pub(crate) fn is_half(self) -> bool {
        self != Self::F32
    }

    /// The bytes of `values` as this type, each rounded to the nearest, in whole words.
    pub fn encode(self, values: &[f32]) -> Vec<u8> {
        let mut bytes: Vec<u8> = match self {
            Self::F32 => bytemuck::cast_slice(values).to_vec(),
            Self::F16 => values.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes()).collect(),
            Self::Bf16 => values.iter().flat_map(|&value| bf16::from_f32(value).to_le_bytes()).collect(),
        };
        bytes.resize(bytes.len().next_multiple_of(WORD_BYTES as usize), 0);
        bytes
    }

    /// The first `elements` values in bytes of this type.
    pub fn decode(self, bytes: &[u8], elements: usize) -> Vec<f32> {
        let halves = || bytes.chunks_exact(2).take(elements).map(|pair| [pair[0], pair[1]]);
        match self {
            Self::F32 => bytemuck::pod_collect_to_vec(&bytes[..4 * elements]),
            Self::F16 => halves().map(|pair| f16::from_le_bytes(pair).to_f32()).collect(),
            Self::Bf16 => halves().map(|pair| bf16::from_le_bytes(pair).to_f32()).collect(),
        }
    }

    /// `value` rounded to this type.
    pub fn round(self, value: f32) -> f32 {
        match self {
            Self::F32 => value,
            Self::F16 => f16::from_f32(value).to_f32(),
            Self::Bf16 => bf16::from_f32(value).to_f32(),
        }
    }
}

impl std::fmt::Display for ElementType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// Bytes of the words that kernels read and write.
pub(crate) const WORD_BYTES: u64 = 4;

/// Bytes that so many bytes take in whole words.
pub(crate) fn whole_words(bytes: u64) -> u64 {
    bytes.next_multiple_of(WORD_BYTES)
}
