//! `cargo +nightly fuzz run reference`
#![no_main]

#[path = "../checks/reference.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // Bytes that end too early are no case.
    let _ = check::check(&mut arbitrary::Unstructured::new(bytes));
});
