//! Random tests from seeds: those that once failed first, then as many as are asked for.

use std::ops::Range;

/// One line a seed that once failed: the test's name, the seed, and what it is about.
const FAILED: &str = include_str!("../seeds/failed.txt");

/// A random test: its file, its name, how many seeds it runs, from 0 on, and the variable that says another number.
/// `SOFTPOOL_FUZZ_SEED` is another start.
#[derive(Clone, Copy)]
pub struct Random {
    pub file: &'static str,
    pub test: &'static str,
    pub variable: &'static str,
    pub count: u64,
}

fn fresh(of: Random) -> Range<u64> {
    let variable = |name| {
        let text = std::env::var(name).ok()?;
        Some(text.parse().unwrap_or_else(|_| panic!("{name} is '{text}': give a number")))
    };
    let start: u64 = variable("SOFTPOOL_FUZZ_SEED").unwrap_or(0);
    start..start.saturating_add(variable(of.variable).unwrap_or(of.count))
}

/// The seeds of `test` that once failed.
fn failed(test: &str) -> Vec<u64> {
    let lines = FAILED.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let seeds = lines.filter_map(|line| {
        let (name, rest) = line.split_once(' ').unwrap_or_else(|| panic!("'{line}' has no seed"));
        let seed = rest.split_whitespace().next().and_then(|seed| seed.parse().ok());
        (name == test).then(|| seed.unwrap_or_else(|| panic!("'{line}' has no seed")))
    });
    seeds.collect()
}

/// Runs `check` on every seed, one after the other, and returns their number.
///
/// # Panics
/// Where `check` does, after a line that repeats the seed's case, and the one that keeps it.
pub fn each(of: Random, mut check: impl FnMut(u64)) -> u64 {
    let mut run = 0;
    for seed in failed(of.test).into_iter().chain(fresh(of)) {
        let reproduce = Reproduce { of, seed };
        check(seed);
        drop(reproduce);
        run += 1;
    }
    run
}

/// Says how to run a case again if it panics.
struct Reproduce {
    of: Random,
    seed: u64,
}

impl Drop for Reproduce {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self { of: Random { file, test, variable, .. }, seed } = self;
            eprintln!("again: SOFTPOOL_FUZZ_SEED={seed} {variable}=1 cargo test --test suite {file}::{test}");
            eprintln!("always: a line '{test} {seed} WHAT' in tests/seeds/failed.txt");
        }
    }
}

/// So many bytes from a seed: SplitMix64, by Steele, Lea and Flood.
pub fn bytes(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed;
    let words = std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = state;
        word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (word ^ word >> 31).to_le_bytes()
    });
    words.flatten().take(count).collect()
}
