//! The tests, one program for all files, so that one link replaces many. Each file holds a kind of evidence, and says in its first
//! lines of what:
//!
//! | that | files |
//! |---|---|
//! | results are those of the definition | `golden` (PyTorch's), `parity`, `adaptive`, `derivatives`, `tuning`, `fuzz_device` |
//! | they are as exact as promised | `accuracy_limits`, `large_windows`, `natives` |
//! | the laws of SoftPool hold | `properties` |
//! | edges are as documented | `non_finite`, `storage`, `limits` |
//! | textures are pooled as they should | `textures`, `mips` |
//! | a host can use it in its own way | `host`, `prepare` |
//! | what is wrong is an error by value | `misuse`, `device_errors`, `out_of_memory` (a process of its own), `fuzz` |
//! | faults don't come back | `faults`, `faults_of_others`, and seeds/failed.txt |
//! | the kernels' texts are valid, short and known | `translation`, `text_size`, `snapshots` |
//! | the documents are true | `documents` |
//!
//! ```text
//! cargo test --test suite golden::
//! ```
//!
//! What they share stands in `common`; allowed errors, with their reasons, in common/accuracy.rs.

mod accuracy_limits;
mod adaptive;
mod common;
mod derivatives;
mod device_errors;
mod documents;
#[path = "common/failed_seeds.rs"]
mod failed_seeds;
mod faults;
mod faults_of_others;
mod fuzz;
mod fuzz_device;
mod golden;
mod host;
mod large_windows;
mod limits;
mod mips;
mod misuse;
mod natives;
mod non_finite;
mod parity;
mod prepare;
mod properties;
#[path = "common/seeds.rs"]
mod seeds;
mod snapshots;
mod storage;
mod text_size;
mod textures;
mod translation;
mod tuning;
