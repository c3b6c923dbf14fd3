//! The tests of the program, run as a user runs it: one program for all files, each of which says in its first lines what it holds.
//!
//! ```text
//! cargo test -p softpool-cli --test suite images::
//! ```

mod archives;
mod betas;
mod colours;
mod common;
mod element_types;
mod faults;
mod formats;
mod fuzz_cli;
mod images;
mod kernel_text;
mod manual;
mod mips;
#[cfg(unix)]
mod outputs;
mod quiet;
mod recipe;
#[path = "../../tests/common/seeds.rs"]
mod seeds;
mod tensors;
mod windows;
