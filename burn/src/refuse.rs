//! How a wrong call ends: as Burn's own do.

/// Panics as Burn's own checks of tensor operations do.
pub(crate) fn refuse(operation: &str, reason: impl std::fmt::Display) -> ! {
    panic!("=== Tensor Operation Error ===\n  Operation: '{operation}'\n  Reason:\n    1. {reason}\n")
}
