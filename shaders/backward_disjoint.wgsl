// Backward where no two windows share an input, and a window fits in registers: nothing is saved but x.
//
//     dL/dx_i = g w_i (1 + beta (u_i - d)) in the window that holds i, else 0
//
// One invocation computes a block of BLOCK_D x BLOCK_H x BLOCK_W cells of STRIDE inputs, each from a window's start on:
// it evaluates the window again and writes the whole cell. Gaps between taps and between windows, and cells after the
// last window, get 0.

// The gradients of a window's taps: with t_i = beta u_i,  g w_i (1 + t_i - sum_j w_j t_j).
fn tap_gradients(taps: Taps, g: f32) -> array<f32, TAPS> {
    var c = taps.z[0];
    for (var tap = 0u; tap < TAPS; tap++) { // unroll
        c = max(c, taps.z[tap]);
    }
    var t: array<f32, TAPS>;
    var w: array<f32, TAPS>;
    var s = 0.0;
    for (var tap = 0u; tap < TAPS; tap++) { // unroll
        // What weighs nothing has no gradient, however low it lies: t stays finite.
        t[tap] = max(beta() * (taps.z[tap] - c), -LARGEST);
        w[tap] = tap_weight(taps.z[tap], c);
        s += w[tap];
    }
    let one = 1.0 / s;
    var mean_t = 0.0;
    for (var tap = 0u; tap < TAPS; tap++) { // unroll
        w[tap] *= one;
        mean_t += w[tap] * t[tap];
    }
    // NaN for a window without weights, unless it is empty.
    let factor = select(from_bits(NAN_BITS), g, has_weights(taps.magnitude, c));
    let empty = is_empty(taps.magnitude, c);
    var gradients: array<f32, TAPS>;
    for (var tap = 0u; tap < TAPS; tap++) { // unroll
        gradients[tap] = factor * w[tap];
        if (!DETACHED) {
            gradients[tap] *= 1.0 + (t[tap] - mean_t);
        }
        gradients[tap] = select(gradients[tap], 0.0, empty);
    }
    return gradients;
}

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation, (params.input_size + PADDING + STRIDE - 1u) / STRIDE);
    if (!block.inside) {
        return;
    }
    for (var bd = 0u; bd < BLOCK_D; bd++) { // unroll
        for (var bh = 0u; bh < BLOCK_H; bh++) { // unroll
            let cell = block.first + vec3(bd, bh, 0u);
            let taps = load_taps(block.plane, cell);
            let g = load_window_row(G, block.plane, vec3<i32>(cell));
            var windows: array<array<f32, TAPS>, BLOCK_W>;
            var exists: array<bool, BLOCK_W>;
            for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
                windows[bw] = tap_gradients(taps[bw], g[bw / 4u][bw % 4u]);
                exists[bw] = !HAS_REMAINDER || all(cell + vec3(0u, 0u, bw) < params.output_size);
            }
            for (var cd = 0u; cd < STRIDE_D; cd++) { // unroll
                for (var ch = 0u; ch < STRIDE_H; ch++) { // unroll
                    let kd = min(cd / DILATION_D, KERNEL_D - 1u); // const
                    let kh = min(ch / DILATION_H, KERNEL_H - 1u); // const
                    var gradients: array<vec4<f32>, CELL_QUADS>;
                    if (kd * DILATION_D == cd && kh * DILATION_H == ch) {
                        for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
                            for (var kw = 0u; kw < KERNEL_W; kw++) { // unroll
                                let tap = (kd * KERNEL_H + kh) * KERNEL_W + kw; // const
                                let cw = bw * STRIDE_W + kw * DILATION_W; // const
                                gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
                            }
                        }
                    }
                    store_gradient_row(block.plane, window_start(cell) + vec3<i32>(vec3(cd, ch, 0u)), gradients);
                }
            }
        }
    }
}
