// Forward where no two windows share an input, and a window fits in registers.
//
//     c = max z_i        e_i = exp(beta (z_i - c))        y = c + sum e_i (z_i - c) / sum e_i
//
// One invocation computes a block of BLOCK_D x BLOCK_H x BLOCK_W windows, row by row. The maximum's own e is 1, so that
// a window of n taps takes n - 1 exponentials: the others are what remains of each pair when its larger went on.

fn disjoint_window(taps: Taps) -> Window {
    var c = taps.z[0];
    var others: array<f32, TAPS>;
    for (var i = 0u; i < OTHERS; i++) { // unroll
        others[i] = min(c, taps.z[i + 1u]);
        c = max(c, taps.z[i + 1u]);
    }
    var e: array<f32, TAPS>;
    var s = 1.0;
    for (var i = 0u; i < OTHERS; i++) { // unroll
        e[i] = tap_weight(others[i], c);
        s += e[i];
    }
    let one = 1.0 / s;
    var d = 0.0;
    for (var i = 0u; i < OTHERS; i++) { // unroll
        d += e[i] * one * offset(others[i], c);
    }
    return resolve(taps.magnitude, c, s, d);
}

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
            var windows: array<Window, BLOCK_W>;
            for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
                windows[bw] = disjoint_window(taps[bw]);
            }
            store_windows(block.plane, first, windows);
        }
    }
}
