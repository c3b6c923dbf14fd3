//! Evidence that any configuration, shapes, views and limits give an error or dispatches that stay within both, from seeds:
//! SOFTPOOL_FUZZ_CASES says how many, SOFTPOOL_FUZZ_SEED from which on. A million:
//!
//! ```text
//! SOFTPOOL_FUZZ_CASES=1000000 cargo test --release --test suite fuzz::recipes
//! ```
//!
//! `fuzz/` has the same as a target of cargo-fuzz.

#[path = "../fuzz/checks/recipes.rs"]
mod recipes_check;
#[path = "../fuzz/checks/reference.rs"]
mod reference_check;

use crate::seeds;
use crate::seeds::Random;
use arbitrary::Unstructured;
use recipes_check::Outcome;

/// What the tests' profile does in five seconds; a million are done in half a minute.
const RECIPES: Random = Random { file: "fuzz", test: "recipes", variable: "SOFTPOOL_FUZZ_CASES", count: 200_000 };
const REFERENCE: Random = Random { test: "reference", count: 10_000, ..RECIPES };

#[test]
fn recipes() {
    let (mut planned, mut dispatches, mut most) = (0u64, 0u64, 0);
    let cases = seeds::each(RECIPES, |seed| {
        let bytes = seeds::bytes(seed, 512);
        if let Ok(Outcome::Planned(count)) = recipes_check::check(&mut Unstructured::new(&bytes)) {
            planned += 1;
            dispatches += count as u64;
            most = most.max(count);
        }
    });
    println!("{cases} cases: {planned} planned, with {dispatches} dispatches, {most} at most");
    // What is refused tests little.
    assert!(cases < 100 || planned > cases / 3, "only {planned} of {cases} were planned");
}

#[test]
fn reference() {
    let mut pooled = 0u64;
    let cases = seeds::each(REFERENCE, |seed| {
        let bytes = seeds::bytes(seed, 1024);
        pooled += u64::from(reference_check::check(&mut Unstructured::new(&bytes)).unwrap_or(false));
    });
    println!("{cases} cases: {pooled} pooled");
    assert!(cases < 100 || pooled > cases / 2, "only {pooled} of {cases} were pooled");
}
