//! Blocks of every size, whatever the adapter would choose for a tensor: the same windows, within the same errors.

use crate::common::{Case, sweep};
use softpool::{SoftPoolConfig, SoftPoolConfigBuilder, Tuning};

fn builder(kernel: &[usize], stride: usize, padding: usize) -> SoftPoolConfigBuilder {
    SoftPoolConfig::builder(kernel).stride([stride]).padding([padding])
}

/// Small tensors never fill a device: without a least number of invocations they get the largest blocks.
fn tunings(own: Tuning) -> Vec<Tuning> {
    let no_least = |tuning: Tuning| Tuning { least_invocations: 0, ..tuning };
    // Without a patch to keep, a backward goes by statistics; with two sums, every invocation has one window or input.
    // Workgroups of the most invocations, and of a number that no shape is a multiple of.
    vec![
        Tuning::GPU,
        own,
        Tuning { workgroup: 40, ..no_least(Tuning::GPU) },
        no_least(own),
        Tuning { columns: 4, rows: 2, ring_rows: 1, ring_cells: 1, max_sums: 2, workgroup: 256, ..no_least(own) },
    ]
}

fn check(case: &Case) {
    sweep(std::slice::from_ref(case), tunings);
}

#[test]
fn disjoint_windows() {
    check(&Case::normal("k2 s2", builder(&[2, 2], 2, 0), [2, 3, 13, 36]));
}

#[test]
fn overlapping_windows_of_even_rows() {
    check(&Case::normal("k3 s1 p1", builder(&[3, 3], 1, 1), [2, 2, 11, 24]));
}

#[test]
fn overlapping_windows_of_odd_rows() {
    check(&Case::normal("k3 s2 p1", builder(&[3, 3], 2, 1), [2, 2, 19, 37]));
}

#[test]
fn overlapping_windows_of_volumes() {
    check(&Case::normal("3D k3 s2 p1", builder(&[3, 3, 3], 2, 1), [1, 2, 7, 9, 16]));
}

/// From one lane for each window to more than it has work for; several windows share a workgroup.
#[test]
fn windows_that_lanes_share() {
    let by_lanes = |own: Tuning| {
        let tuning = Tuning { least_invocations: 0, max_run: 0, ..own };
        [(1, 40), (16, 128)].map(|(window_lanes, workgroup)| Tuning { window_lanes, workgroup, ..tuning }).to_vec()
    };
    for (kernel, dims) in
        [(&[7, 7][..], &[2, 5, 7, 7][..]), (&[9, 13], &[1, 3, 9, 26]), (&[3, 4, 30], &[1, 2, 6, 4, 61])]
    {
        let case = Case::normal("lanes", SoftPoolConfig::builder(kernel), dims);
        sweep(&[case.detached()], by_lanes);
        sweep(&[case], by_lanes);
    }
    sweep(&[Case::normal("lanes, tiles from the padding on", builder(&[40], 40, 20), [1, 3, 60])], by_lanes);
    let overlapping = builder(&[3, 41], 7, 1);
    sweep(&[Case::normal("lanes, padded", overlapping, [1, 3, 9, 90])], by_lanes);
    sweep(&[Case::normal("lanes, adaptive", SoftPoolConfig::adaptive([2, 5]), [1, 3, 21, 44])], by_lanes);
}
