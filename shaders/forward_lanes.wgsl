// Forward for large windows: the lanes of a group evaluate one, and one of the workgroup's first invocations finishes it.

@compute @workgroup_size(LANES_X, LANES_Y, GROUPS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let place = group_and_lane(index);
    let window = inside_input(block_of(workgroup, place.x));
    merge_lanes(place.x, place.y, seen_by(window, place.y));
    let finished = block_of(workgroup, index);
    if (index < GROUPS && finished.inside) {
        store_window(finished.plane, finished.first, finish(index));
    }
}
