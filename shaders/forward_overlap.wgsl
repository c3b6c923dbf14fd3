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

// What the elements of a patch are measured from: c, p, and for the statistics the middle between the extremes.
struct About {
    c: f32,
    p: f32,
    middle: f32,
    lowest: f32,
}

// By window column: s_R, sum e (z - p), and for the statistics m_R and sum e (z - middle).
struct Sums {
    s: array<f32, BLOCK_W>,
    q: array<f32, BLOCK_W>,
    m: array<f32, BLOCK_W>,
    amid: array<f32, BLOCK_W>,
}

fn row_sums(row: array<f32, ROW>, inside: array<bool, PATCH_W>, about: About) -> Sums {
    var e: array<f32, PATCH_W>;
    for (var pw = 0u; pw < PATCH_W; pw++) { // unroll
        e[pw] = select(0.0, weigh(row[LEAD + pw], about.c), inside[pw]);
    }
    var sums: Sums;
    for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
        sums.m[bw] = about.lowest;
        for (var kw = 0u; kw < KERNEL_W; kw++) { // unroll
            const pw = bw * STRIDE_W + kw * DILATION_W;
            let z = row[LEAD + pw];
            sums.s[bw] += e[pw];
            sums.q[bw] += e[pw] * (z - about.p);
            if (SAVE_STATISTICS) {
                sums.m[bw] = select(sums.m[bw], max(sums.m[bw], z), inside[pw]);
                sums.amid[bw] += e[pw] * (z - about.middle);
            }
        }
    }
    return sums;
}

fn added(a: Sums, b: Sums) -> Sums {
    var sums: Sums;
    for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
        sums.s[bw] = a.s[bw] + b.s[bw];
        sums.q[bw] = a.q[bw] + b.q[bw];
        sums.m[bw] = max(a.m[bw], b.m[bw]);
        sums.amid[bw] = a.amid[bw] + b.amid[bw];
    }
    return sums;
}

// Whether a window of the block holds a row of the patch, along depth or height.
fn holds(window: u32, row: u32, kernel: u32, stride: u32, dilation: u32) -> bool {
    let from_start = row - window * stride;
    return row >= window * stride && from_start % dilation == 0u && from_start / dilation < kernel;
}

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation, params.output_size);
    if (!block.inside) {
        return;
    }
    let start = window_start(block.first);

    // With KEEP the patch stays in registers; else each row is read again when the extremes are known.
    var kept: array<array<f32, ROW>, KEPT_ROWS>;
    var extremes = Extremes(from_bits(MINUS_INFINITY_BITS), from_bits(INFINITY_BITS));
    for (var pd = 0u; pd < PATCH_D; pd++) { // unroll if KEEP
        for (var ph = 0u; ph < PATCH_H; ph++) { // unroll if KEEP
            let row = load_row(block.plane, start.xy + vec2(i32(pd), i32(ph)), start.z);
            extremes = row_extremes(extremes, row);
            if (KEEP > 0u) {
                kept[pd * PATCH_H + ph] = row;
            }
        }
    }
    let c = extremes.highest;
    let least = min(abs(extremes.lowest), abs(c));
    let all_near = extremes.lowest * c > 0.0 && 2.0 * least >= max(abs(extremes.lowest), abs(c));
    let about = About(c, select(0.0, c, all_near), pivot(extremes), extremes.lowest);

    var sums: array<Sums, WINDOW_ROWS>;
    for (var i = 0u; i < WINDOW_ROWS; i++) { // unroll
        for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
            sums[i].m[bw] = about.lowest;
        }
    }
    for (var pd = 0u; pd < PATCH_D; pd++) { // unroll if KEEP
        for (var ph = 0u; ph < PATCH_H; ph++) { // unroll if KEEP
            let depth_height = start.xy + vec2(i32(pd), i32(ph));
            var row: array<f32, ROW>;
            if (KEEP > 0u) {
                row = kept[pd * PATCH_H + ph];
            } else {
                row = load_row(block.plane, depth_height, start.z);
            }
            let of_row = row_sums(row, inside_row(depth_height, start.z), about);
            for (var bd = 0u; bd < BLOCK_D; bd++) { // unroll
                for (var bh = 0u; bh < BLOCK_H; bh++) { // unroll
                    if (holds(bd, pd, KERNEL_D, STRIDE_D, DILATION_D) && holds(bh, ph, KERNEL_H, STRIDE_H, DILATION_H)) {
                        sums[bd * BLOCK_H + bh] = added(sums[bd * BLOCK_H + bh], of_row);
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
                    const i = bd * BLOCK_H + bh;
                    let at = first + vec3(0u, 0u, bw);
                    let s = sums[i].s[bw];
                    var window = Window(c, s, 0.0, about.p + sums[i].q[bw] / s);
                    y[bw] = window.y;
                    if (at.z < params.output_size.z) {
                        var stands = can_stand(s, window.y);
                        if (SAVE_STATISTICS) {
                            let m = sums[i].m[bw];
                            window = Window(m, s / weigh(m, c), (about.middle - m) + sums[i].amid[bw] / s, window.y);
                            stands = stands && is_finite(window.d);
                        }
                        by_definition |= select(1u << (i * BLOCK_W + bw), 0u, stands);
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
