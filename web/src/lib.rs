//! softpool in the browser: the page of web/page, and the checks that web/test runs.
//!
//! There is nothing here for other targets, so that the workspace builds as a whole.
#![cfg(target_arch = "wasm32")]
#![forbid(unsafe_code)]

#[cfg(feature = "checks")]
mod checks;
mod draw;
mod studio;
