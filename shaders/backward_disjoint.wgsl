// Backward where no two windows share an input, and a window fits in registers: nothing is saved but x.
//
//     dL/dx_i = g w_i (1 + beta (u_i - d)) in the window that holds i, else 0
//
// One invocation computes a block of BLOCK_D x BLOCK_H x BLOCK_W cells of STRIDE inputs, each from a window's start on:
// it evaluates the window again and writes the whole cell. Gaps between taps and between windows, and cells after the
// last window, get 0.

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
            let g = load_g_row(block.plane, vec3<i32>(cell));
            var e: array<array<f32, TAPS>, BLOCK_W>;
            var windows: array<Window, BLOCK_W>;
            var exists: array<bool, BLOCK_W>;
            for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
                let extremes = tap_extremes(taps[bw]);
                e[bw] = tap_weights(taps[bw], extremes.highest);
                windows[bw] = disjoint_window(taps[bw], extremes, e[bw]);
                exists[bw] = all(cell + vec3(0u, 0u, bw) < params.output_size);
            }
            for (var cd = 0u; cd < STRIDE_D; cd++) { // unroll
                for (var ch = 0u; ch < STRIDE_H; ch++) { // unroll
                    var gradients: array<f32, CELLS_W>;
                    for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
                        for (var kw = 0u; kw < KERNEL_W; kw++) { // unroll
                            const kd = min(cd / DILATION_D, KERNEL_D - 1u);
                            const kh = min(ch / DILATION_H, KERNEL_H - 1u);
                            const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
                            if (kd * DILATION_D == cd && kh * DILATION_H == ch && exists[bw]) {
                                let u = offset(taps[bw].z[tap], windows[bw].c);
                                gradients[bw * STRIDE_W + kw * DILATION_W] = element_gradient(g[bw], e[bw][tap], u, windows[bw]);
                            }
                        }
                    }
                    store_gradient_row(block.plane, window_start(cell) + vec3<i32>(vec3(cd, ch, 0u)), gradients);
                }
            }
        }
    }
}
