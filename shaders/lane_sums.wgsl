// The sum of what a workgroup's LANES lanes have, added up pairwise; LANES need not be a power of two.

alias Term = vec2<f32>;

var<workgroup> lane_sums: array<Term, LANES>;

// Valid in lane 0.
fn sum_of_lanes(lane: u32, own: Term) -> Term {
    lane_sums[lane] = own;
    var parts = LANES;
    while (parts > 1u) {
        workgroupBarrier();
        let half = (parts + 1u) / 2u;
        if (lane + half < parts) {
            lane_sums[lane] += lane_sums[lane + half];
        }
        parts = half;
    }
    return lane_sums[lane];
}
