// Forward by one pass down the rows, of windows of few taps, where an exponential is an instruction.
//
//     y = c + q / s
//
// or how windows change: along a direction, sum v_i w_i (1 + beta (z_i - y)), and with beta, 4 g sum w_i (z_i - y)^2.
//
// An invocation computes a strip of BLOCK_W columns by `rows_of_block` rows of windows. A ring keeps the inputs of RING_ROWS rows: a turn
// reads STRIDE_H of them, which complete a row of windows, and these go by their definition (shaders/taps.wgsl).

fn store_windows(plane: vec2<u32>, at: vec3<u32>, taps: Taps) {
    let extremes = extremes_of(taps);
    if (!TANGENT && !BY_BETA) {
        store_four(plane, at, windows_of(extremes, sums_of(taps, extremes.c, forward_rate())));
        return;
    }
    let exist = (at.z + vec4(0u, 1u, 2u, 3u)) < vec4(params.output_size.z);
    var value: vec4<f32>;
    if (BY_BETA) {
        let start = grad_output_index(plane, vec3(at.xy, 0u));
        var g: vec4<f32>;
        if (VECTOR_Y) {
            g = load_grad_output4(start + at.z);
        } else {
            g = load_each_g(start, i32(at.z));
        }
        let rate = forward_rate();
        let factors = anew(factors_of(extremes, sums_of(taps, extremes.c, rate), g, exist));
        for (var kh = 0u; kh < KERNEL_H; kh++) { // unroll
            for (var kw = 0u; kw < KERNEL_W; kw++) { // unroll
                let u = rated(taps.z[kh][kw], factors.c, rate) - factors.mean_t;
                value += tap_weight(taps.z[kh][kw], factors.c) * u * u;
            }
        }
        value = select(value * factors.g_over_s * (4.0 / (rate * rate)), vec4(0.0), factors.nothing);
    } else {
        let factors = anew(factors_of(extremes, sums_of(taps, extremes.c, beta()), vec4(1.0), exist));
        for (var kh = 0u; kh < KERNEL_H; kh++) { // unroll
            for (var kw = 0u; kw < KERNEL_W; kw++) { // unroll
                value += tap_gradient(taps.z[kh][kw], factors) * taps.v[kh][kw];
            }
        }
    }
    store_y_four(y_index(plane, at), value, exist);
}

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation);
    if (!block.inside) {
        return;
    }
    let start = window_start(block.first) - vec3(0, i32(ROWS_BEFORE), 0);
    let rows = min(params.rows_of_block, params.output_size.y - block.first.y);
    for (var channel = 0u; channel < CHANNELS; channel++) { // unroll if ONE_CHANNEL
        let plane = block.plane + vec2(0u, channel);
        set_beta(plane);
        var ring: array<Line, RING_ROWS>;
        // Tested at its end: software drivers run a loop once more than it turns.
        var turn = 0u;
        loop {
            for (var step = 0u; step < STRIDE_H; step++) { // unroll
                for (var i = 0u; i < RING_BEFORE; i++) { // unroll
                    ring[i] = ring[i + 1u];
                }
                ring[RING_BEFORE] = line_at(plane, start.xy + vec2(0, i32(turn * STRIDE_H + step)), start.z);
            }
            let row = turn - FIRST_TURN;
            if (turn >= FIRST_TURN) {
                for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
                    var taps: Taps;
                    for (var kh = 0u; kh < KERNEL_H; kh++) { // unroll
                        taps.z[kh] = taps_of(ring[kh * DILATION_H].z)[quad];
                        if (TANGENT) {
                            taps.v[kh] = taps_of(ring[kh * DILATION_H].v)[quad];
                        }
                    }
                    store_windows(plane, block.first + vec3(0u, row, 4u * quad), taps);
                }
            }
            continuing {
                turn++;
                break if turn >= FIRST_TURN + rows;
            }
        }
    }
}
