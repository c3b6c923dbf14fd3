//! Sums of many terms: shaders/sums.wgsl.

/// Levels by which so many terms are added up: each holds eight of the one below, the last up to eight.
pub(super) fn levels_of(terms: u64) -> u32 {
    terms.clamp(2, 1 << 30).next_power_of_two().ilog2().div_ceil(3)
}
