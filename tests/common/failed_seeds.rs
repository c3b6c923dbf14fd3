//! Where the seeds are that properties once failed with. A file of its own: softpool-burn shares the others, without proptest.

use proptest::test_runner::{FailurePersistence, FileFailurePersistence};

/// Where proptest keeps the seeds of a file's properties that once failed, which every run tries first. It says so where it adds
/// one, and that line is to be committed.
pub fn failed_seeds(file: &'static str) -> Option<Box<dyn FailurePersistence>> {
    Some(Box::new(FileFailurePersistence::Direct(file)))
}
