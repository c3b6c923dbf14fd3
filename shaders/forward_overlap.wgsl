// Forward where windows share inputs: a block of windows shares its inputs, exponentials and sums along each axis.
//
//     c = max z_i over the block's patch        e_i = exp(beta (z_i - c))        y_R = p + sum_R e_i (z_i - p) / s_R
//
// One invocation computes BLOCK_D x BLOCK_H x BLOCK_W windows from a patch of PATCH_D x PATCH_H x PATCH_W inputs: one
// exponential an input, summed along the width for each window column, then into the windows that hold the row. A
// window far below c has a small s_R, and is evaluated by the definition instead.
//
// The pivot p is c where all of the patch lies near it, so that a large mean costs no accuracy; else 0, so that
// windows of small values are as accurate beside a large c as alone. Statistics go by each window's own maximum m_R,
// and d_R = y_R - m_R by a pivot amid the patch: a gradient needs it exact against 1, not against the values.

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation, params.output_size);
    if (!block.inside) {
        return;
    }
    let plane_start = x_plane(block.plane);
    let start = window_start(block.first);
    let last = vec3<i32>(params.input_size) - 1;

    // Positions outside the input repeat its edge: that leaves the extremes alone, and their exponentials are masked.
    var column: array<u32, PATCH_W>;
    var column_inside: array<bool, PATCH_W>;
    for (var pw = 0u; pw < PATCH_W; pw++) { // unroll
        let w = start.z + i32(pw);
        column[pw] = u32(clamp(w, 0, last.z));
        column_inside[pw] = !MASKED || (w >= 0 && w <= last.z);
    }

    var kept: array<f32, KEPT>;
    var highest = load_z(x_index(plane_start, vec3<u32>(clamp(start, vec3(0), last))));
    var lowest = highest;
    for (var pd = 0u; pd < PATCH_D; pd++) { // unroll if KEEP
        for (var ph = 0u; ph < PATCH_H; ph++) { // unroll if KEEP
            let dh = vec2<u32>(clamp(start.xy + vec2(i32(pd), i32(ph)), vec2(0), last.xy));
            let row = x_index(plane_start, vec3(dh, 0u));
            for (var pw = 0u; pw < PATCH_W; pw++) { // unroll
                let z = load_z(row + column[pw]);
                highest = max(highest, z);
                lowest = min(lowest, z);
                if (KEEP > 0u) {
                    kept[(pd * PATCH_H + ph) * PATCH_W + pw] = z;
                }
            }
        }
    }
    let c = highest;
    let all_near = lowest * highest > 0.0 && 2.0 * min(abs(lowest), abs(highest)) >= max(abs(lowest), abs(highest));
    let p = select(0.0, c, all_near);

    // By window: s_R, sum e (z - p), and for the statistics m_R and sum e (z - middle).
    let middle = 0.5 * lowest + 0.5 * highest;
    let nothing = from_bits(INFINITY_BITS | 0x80000000u);
    var s: array<f32, WINDOWS>;
    var q: array<f32, WINDOWS>;
    var m: array<f32, WINDOWS>;
    var amid: array<f32, WINDOWS>;
    for (var b = 0u; b < WINDOWS; b++) { // unroll
        m[b] = nothing;
    }
    for (var pd = 0u; pd < PATCH_D; pd++) { // unroll if KEEP
        for (var ph = 0u; ph < PATCH_H; ph++) { // unroll if KEEP
            let dh = start.xy + vec2(i32(pd), i32(ph));
            let dh_clamped = clamp(dh, vec2(0), last.xy);
            let row_inside = !MASKED || all(dh == dh_clamped);
            let row = x_index(plane_start, vec3(vec2<u32>(dh_clamped), 0u));
            var row_s: array<f32, BLOCK_W>;
            var row_q: array<f32, BLOCK_W>;
            var row_m: array<f32, BLOCK_W>;
            var row_amid: array<f32, BLOCK_W>;
            for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
                row_m[bw] = nothing;
            }
            for (var pw = 0u; pw < PATCH_W; pw++) { // unroll
                var z: f32;
                if (KEEP > 0u) {
                    z = kept[(pd * PATCH_H + ph) * PATCH_W + pw];
                } else {
                    z = load_z(row + column[pw]);
                }
                let inside = row_inside && column_inside[pw];
                let e = select(0.0, exp_nonpositive(params.beta * (z - c)), inside);
                for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
                    if (holds(bw, pw, KERNEL_W, STRIDE_W, DILATION_W)) {
                        row_s[bw] += e;
                        row_q[bw] += e * (z - p);
                        if (SAVE_STATISTICS) {
                            row_m[bw] = select(row_m[bw], max(row_m[bw], z), inside);
                            row_amid[bw] += e * (z - middle);
                        }
                    }
                }
            }
            for (var bd = 0u; bd < BLOCK_D; bd++) { // unroll
                for (var bh = 0u; bh < BLOCK_H; bh++) { // unroll
                    if (holds(bd, pd, KERNEL_D, STRIDE_D, DILATION_D) && holds(bh, ph, KERNEL_H, STRIDE_H, DILATION_H)) {
                        for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
                            const window = (bd * BLOCK_H + bh) * BLOCK_W + bw;
                            s[window] += row_s[bw];
                            q[window] += row_q[bw];
                            m[window] = max(m[window], row_m[bw]);
                            amid[window] += row_amid[bw];
                        }
                    }
                }
            }
        }
    }

    var by_definition = 0u;
    for (var bd = 0u; bd < BLOCK_D; bd++) { // unroll
        for (var bh = 0u; bh < BLOCK_H; bh++) { // unroll
            for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
                const b = (bd * BLOCK_H + bh) * BLOCK_W + bw;
                let at = block.first + vec3(bd, bh, bw);
                if (all(at < params.output_size)) {
                    var window = Window(c, s[b], 0.0, p + q[b] / s[b]);
                    if (can_stand(window)) {
                        if (SAVE_STATISTICS) {
                            window.c = m[b];
                            window.s = s[b] / exp_nonpositive(params.beta * (m[b] - c));
                            window.d = (middle - m[b]) + amid[b] / s[b];
                        }
                        store_window(window_index(block.plane, at), window);
                    } else {
                        by_definition |= 1u << b;
                    }
                }
            }
        }
    }
    store_by_definition(block, by_definition);
}
