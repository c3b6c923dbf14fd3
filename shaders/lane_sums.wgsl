// The sum of what the lanes of a group have, added up pairwise.

alias Term = vec2<f32>;

var<workgroup> lane_sums: array<Term, LANES>;

// Valid in lane 0.
fn sum_of_lanes(group: u32, lane: u32, own: Term) -> Term {
    let place = group * GROUP + lane;
    lane_sums[place] = own;
    for (var parts = GROUP / 2u; parts > 0u; parts /= 2u) {
        workgroupBarrier();
        if (lane < parts) {
            lane_sums[place] += lane_sums[place + parts];
        }
    }
    return lane_sums[place];
}
