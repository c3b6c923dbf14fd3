// Forward where no two windows share an input.
//
//     y = c + q / s
//
// One invocation computes BLOCK_W windows of a row, four at a time: see shaders/disjoint.wgsl.

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation);
    if (!block.inside) {
        return;
    }
    for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
        let first = block.first + vec3(0u, 0u, 4u * quad);
        let seen = seen_from(block.plane, window_start(first), forward_rate());
        store_four(block.plane, first, windows_of(seen.extremes, seen.sums));
    }
}
