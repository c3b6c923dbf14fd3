// Backward where no two windows share an input, and a window fits in registers: nothing is saved but x.
//
//     dL/dx_i = g w_i (1 + beta (u_i - d)) in the window that holds i, else 0
//
// One invocation computes a block of BLOCK_D x BLOCK_H x BLOCK_W cells: it evaluates the cell's window again and writes
// every input of the cell. Gaps between taps and between windows, and cells after the last window, get 0.

fn covering_window(plane: u32, window: vec3<u32>) -> Window {
    return window_by_definition(x_plane(plane), window_start(window));
}

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation, cells());
    if (!block.inside) {
        return;
    }
    let plane_start = x_plane(block.plane);
    var stands = true;
    for (var bd = 0u; bd < BLOCK_D; bd++) { // unroll
        for (var bh = 0u; bh < BLOCK_H; bh++) { // unroll
            for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
                let cell = block.first + vec3(bd, bh, bw);
                let at = min(cell, params.output_size - 1u);
                let has_window = all(cell == at);
                let taps = load_taps(plane_start, at);
                let window = disjoint_window(taps);
                let g = load_g(block.plane, at);
                stands = stands && (is_finite(window.y) || !has_window);
                for (var cd = 0u; cd < STRIDE_D; cd++) { // unroll
                    for (var ch = 0u; ch < STRIDE_H; ch++) { // unroll
                        for (var cw = 0u; cw < STRIDE_W; cw++) { // unroll
                            const kd = min(cd / DILATION_D, KERNEL_D - 1u);
                            const kh = min(ch / DILATION_H, KERNEL_H - 1u);
                            const kw = min(cw / DILATION_W, KERNEL_W - 1u);
                            const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
                            var gradient = 0.0;
                            if (kd * DILATION_D == cd && kh * DILATION_H == ch && kw * DILATION_W == cw) {
                                let e = tap_exponential(taps, tap, window.c);
                                gradient = select(0.0, element_gradient(g, e, taps.z[tap] - window.c, window), has_window);
                            }
                            let padded = cell * STRIDE + vec3(cd, ch, cw);
                            let position = padded - PADDING;
                            if (all(padded >= PADDING) && all(position < params.input_size)) {
                                store_grad_input(grad_input_index(block.plane, position), gradient);
                            }
                        }
                    }
                }
            }
        }
    }
    if (!stands) {
        store_by_definition(block);
    }
}
