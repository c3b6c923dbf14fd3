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
    let start = window_start(block.first);
    let column_inside = columns_inside(start.z);

    // With KEEP the patch stays in registers; else each row is read again when its extremes are known.
    var kept: array<f32, KEPT>;
    var extremes = no_extremes();
    for (var pd = 0u; pd < PATCH_D; pd++) { // unroll if KEEP
        for (var ph = 0u; ph < PATCH_H; ph++) { // unroll if KEEP
            var row: array<f32, ROW>;
            load_row(block.plane, start.xy + vec2(i32(pd), i32(ph)), start.z, &row);
            for (var pw = 0u; pw < PATCH_W; pw++) { // unroll
                let z = row[LEAD + pw];
                extremes.highest = max(extremes.highest, z);
                extremes.lowest = min(extremes.lowest, z);
                if (KEEP > 0u) {
                    kept[(pd * PATCH_H + ph) * PATCH_W + pw] = z;
                }
            }
        }
    }
    let c = extremes.highest;
    let least = min(abs(extremes.lowest), abs(c));
    let all_near = extremes.lowest * c > 0.0 && 2.0 * least >= max(abs(extremes.lowest), abs(c));
    let p = select(0.0, c, all_near);
    let middle = 0.5 * extremes.lowest + 0.5 * c;

    // By window: s_R, sum e (z - p), and for the statistics m_R and sum e (z - middle).
    var s: array<f32, WINDOWS>;
    var q: array<f32, WINDOWS>;
    var m: array<f32, WINDOWS>;
    var amid: array<f32, WINDOWS>;
    for (var b = 0u; b < WINDOWS; b++) { // unroll
        m[b] = extremes.lowest;
    }
    for (var pd = 0u; pd < PATCH_D; pd++) { // unroll if KEEP
        for (var ph = 0u; ph < PATCH_H; ph++) { // unroll if KEEP
            let depth_height = start.xy + vec2(i32(pd), i32(ph));
            var row: array<f32, ROW>;
            if (KEEP == 0u) {
                load_row(block.plane, depth_height, start.z, &row);
            }
            let in_row = row_inside(depth_height);
            var row_s: array<f32, BLOCK_W>;
            var row_q: array<f32, BLOCK_W>;
            var row_m: array<f32, BLOCK_W>;
            var row_amid: array<f32, BLOCK_W>;
            for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
                row_m[bw] = extremes.lowest;
            }
            for (var pw = 0u; pw < PATCH_W; pw++) { // unroll
                var z = row[LEAD + pw];
                if (KEEP > 0u) {
                    z = kept[(pd * PATCH_H + ph) * PATCH_W + pw];
                }
                let inside = in_row && column_inside[pw];
                let e = select(0.0, weigh(z, c), inside);
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
                            const b = (bd * BLOCK_H + bh) * BLOCK_W + bw;
                            s[b] += row_s[bw];
                            q[b] += row_q[bw];
                            m[b] = max(m[b], row_m[bw]);
                            amid[b] += row_amid[bw];
                        }
                    }
                }
            }
        }
    }

    var by_definition = 0u;
    for (var bd = 0u; bd < BLOCK_D; bd++) { // unroll
        for (var bh = 0u; bh < BLOCK_H; bh++) { // unroll
            let first = block.first + vec3(bd, bh, 0u);
            if (all(first.xy < params.output_size.xy)) {
                var y: array<f32, BLOCK_W>;
                for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
                    const b = (bd * BLOCK_H + bh) * BLOCK_W + bw;
                    let at = first + vec3(0u, 0u, bw);
                    var window = Window(c, s[b], 0.0, p + q[b] / s[b]);
                    y[bw] = window.y;
                    if (at.z < params.output_size.z) {
                        by_definition |= select(1u << b, 0u, can_stand(window.s, window.y));
                        if (SAVE_STATISTICS) {
                            window.c = m[b];
                            window.s = s[b] / weigh(m[b], c);
                            window.d = (middle - m[b]) + amid[b] / s[b];
                        }
                        store_besides(window_index(block.plane, at), window);
                    }
                }
                store_row(block.plane, first, y);
            }
        }
    }
    while (by_definition != 0u) {
        let b = firstTrailingBit(by_definition);
        by_definition &= by_definition - 1u;
        let at = block.first + vec3(b / (BLOCK_H * BLOCK_W), b / BLOCK_W % BLOCK_H, b % BLOCK_W);
        store_window(window_index(block.plane, at), window_by_definition(block.plane, window_start(at)));
    }
}
