// Sums over a window's taps, where LANES_X x LANES_Y lanes share a window: the kernel's `terms` of each input, then
// `store_sums`. Lanes stride over the rows, and over the columns four at a time; their sums are added up pairwise.

@compute @workgroup_size(LANES_X, LANES_Y, GROUPS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let place = group_and_lane(index);
    let block = block_of(workgroup, place.x);
    let inside = inside_input(block);
    let window = window_context(block.plane, block.first);
    var sums = Levels();
    var n = 0u;
    for (var row = place.y / LANES_X; row < inside.count.x * inside.count.y; row += LANES_Y) {
        let row_tap = vec3(row_taps(inside, row), inside.first.z);
        for (var tap = 4u * (place.y % LANES_X); tap < inside.count.z; tap += 4u * LANES_X) {
            var four = vec2(0.0);
            for (var k = 0u; k < 4u; k++) { // unroll
                let column = min(tap + k, inside.count.z - 1u);
                let at = inside.start + vec3<i32>((row_tap + vec3(0u, 0u, column)) * DILATION);
                four += select(vec2(0.0), terms(window, block.plane, vec3<u32>(at)), tap + k < inside.count.z);
            }
            sums = with_term(sums, four, n);
            n++;
        }
    }
    let sum = sum_of_lanes(place.x, place.y, sum_of(sums));
    if (place.y == 0u && block.inside) {
        store_sums(block.plane, block.first, sum);
    }
}
