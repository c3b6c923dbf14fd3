// Forward where no two windows share an input, and a window fits in registers.
//
//     c = max z_i        e_i = exp(beta (z_i - c))        y = c + sum e_i (z_i - c) / sum e_i
//
// One invocation computes a block of BLOCK_D x BLOCK_H x BLOCK_W windows, one after another.

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation, params.output_size);
    if (!block.inside) {
        return;
    }
    let plane_start = x_plane(block.plane);
    var by_definition = 0u;
    for (var bd = 0u; bd < BLOCK_D; bd++) { // unroll
        for (var bh = 0u; bh < BLOCK_H; bh++) { // unroll
            for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
                let at = block.first + vec3(bd, bh, bw);
                if (all(at < params.output_size)) {
                    let window = disjoint_window(load_taps(plane_start, at));
                    if (can_stand(window)) {
                        store_window(window_index(block.plane, at), window);
                    } else {
                        by_definition |= 1u << ((bd * BLOCK_H + bh) * BLOCK_W + bw);
                    }
                }
            }
        }
    }
    store_by_definition(block, by_definition);
}
