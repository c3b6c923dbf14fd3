// Forward where no two windows share an input, and a window fits in registers.
//
//     c = max z_i        e_i = exp(beta (z_i - c))        y = c + sum e_i (z_i - c) / sum e_i
//
// One invocation computes a block of BLOCK_D x BLOCK_H x BLOCK_W windows, row by row.

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation, params.output_size);
    if (!block.inside) {
        return;
    }
    for (var bd = 0u; bd < BLOCK_D; bd++) { // unroll
        for (var bh = 0u; bh < BLOCK_H; bh++) { // unroll
            let first = block.first + vec3(bd, bh, 0u);
            let taps = load_taps(block.plane, first);
            var y: array<f32, BLOCK_W>;
            for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
                let extremes = tap_extremes(taps[bw]);
                let window = disjoint_window(taps[bw], extremes, tap_weights(taps[bw], extremes.highest));
                y[bw] = window.y;
                if (all(first + vec3(0u, 0u, bw) < params.output_size)) {
                    store_besides(window_index(block.plane, first + vec3(0u, 0u, bw)), window);
                }
            }
            if (all(first.xy < params.output_size.xy)) {
                store_row(block.plane, first, y);
            }
        }
    }
}
