// Backward where windows share inputs: a block of cells shares its windows, exponentials and sums along each axis.
//
//     c = max z_i and p = max((min z_i + c) / 2, c - 4 / beta) over the block's patch
//     e_i = exp(beta (z_i - c))    v_i = z_i - p    d_R = sum_R e_i v_i / s_R    a_R = g_R / s_R
//     dL/dx_i = e_i ((1 + beta v_i) sum_R a_R - sum_R beta a_R d_R)   over the windows that hold i
//
// Offsets are from a pivot p amid the values of the windows that stand, since 1 + beta (v_i - d_R) is as exact as they
// are small.
//
// One invocation computes CELLS_D x CELLS_H x CELLS_W inputs, which are BLOCK_D x BLOCK_H x BLOCK_W strides. It evaluates
// the windows that hold any of them, WINDOWS_D x WINDOWS_H x WINDOWS_W, of which BEFORE start at lower multiples of the
// stride, from a patch of PATCH_D x PATCH_H x PATCH_W inputs: one exponential an input, and sums that go along the width
// first. Where a window lies too far below c, the block goes by the definition.

fn covering_window(plane: u32, window: vec3<u32>) -> Window {
    return window_by_definition(plane, window_start(window));
}

// Two sums by window column: s and q, or a and b.
struct Pair {
    x: array<f32, WINDOWS_W>,
    y: array<f32, WINDOWS_W>,
}

fn added(first: Pair, second: Pair) -> Pair {
    var sum: Pair;
    for (var ww = 0u; ww < WINDOWS_W; ww++) { // unroll
        sum.x[ww] = first.x[ww] + second.x[ww];
        sum.y[ww] = first.y[ww] + second.y[ww];
    }
    return sum;
}

fn row_weights(row: array<f32, ROW>, inside: array<bool, PATCH_W>, c: f32) -> array<f32, PATCH_W> {
    var e: array<f32, PATCH_W>;
    for (var pw = 0u; pw < PATCH_W; pw++) { // unroll
        e[pw] = select(0.0, weigh(row[LEAD + pw], c), inside[pw]);
    }
    return e;
}

// A row's part of s_R and q_R = s_R d_R.
fn row_sums(row: array<f32, ROW>, e: array<f32, PATCH_W>, p: f32) -> Pair {
    var sums: Pair;
    for (var ww = 0u; ww < WINDOWS_W; ww++) { // unroll
        for (var kw = 0u; kw < KERNEL_W; kw++) { // unroll
            const pw = ww * STRIDE_W + kw * DILATION_W;
            sums.x[ww] += e[pw];
            sums.y[ww] += e[pw] * (row[LEAD + pw] - p);
        }
    }
    return sums;
}

// a_R and b_R = beta a_R d_R from s_R and q_R, 0 for windows that do not exist; and whether they all can stand.
struct Factors {
    ab: Pair,
    stand: bool,
}

fn factors(plane: u32, first: vec3<i32>, sq: Pair) -> Factors {
    let g = load_g_row(plane, first);
    let size = vec3<i32>(params.output_size);
    let row_exists = all(first.xy >= vec2(0)) && all(first.xy < size.xy);
    var result: Factors;
    result.stand = true;
    for (var ww = 0u; ww < WINDOWS_W; ww++) { // unroll
        let column = first.z + i32(ww);
        let exists = row_exists && column >= 0 && column < size.z;
        let one = 1.0 / sq.x[ww];
        result.stand = result.stand && (!exists || can_stand(sq.x[ww], sq.y[ww]));
        result.ab.x[ww] = select(0.0, g[ww] * one, exists);
        result.ab.y[ww] = select(0.0, g[ww] * one * (params.beta * (sq.y[ww] * one)), exists);
    }
    return result;
}

// The gradients of the block's part of a row, from the sums of a_R and b_R over the window rows that hold it.
fn row_gradients(row: array<f32, ROW>, e: array<f32, PATCH_W>, p: f32, ab: Pair) -> array<f32, CELLS_W> {
    var sum_a: array<f32, PATCH_W>;
    var sum_b: array<f32, PATCH_W>;
    for (var ww = 0u; ww < WINDOWS_W; ww++) { // unroll
        for (var kw = 0u; kw < KERNEL_W; kw++) { // unroll
            sum_a[ww * STRIDE_W + kw * DILATION_W] += ab.x[ww];
            sum_b[ww * STRIDE_W + kw * DILATION_W] += ab.y[ww];
        }
    }
    var gradients: array<f32, CELLS_W>;
    for (var cw = 0u; cw < CELLS_W; cw++) { // unroll
        const pw = cw + OFFSET_W;
        if (DETACHED) {
            gradients[cw] = e[pw] * sum_a[pw];
        } else {
            // What weighs nothing may lie far below p: its slope must stay finite.
            let slope = 1.0 + max(params.beta * (row[LEAD + pw] - p), -1000.0);
            gradients[cw] = e[pw] * (slope * sum_a[pw] - sum_b[pw]);
        }
    }
    return gradients;
}

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation, (params.input_size + STRIDE - 1u) / STRIDE);
    if (!block.inside) {
        return;
    }
    let first_window = vec3<i32>(block.first) - vec3<i32>(vec3(BEFORE_D, BEFORE_H, BEFORE_W));
    let start = first_window * vec3<i32>(STRIDE) - vec3<i32>(PADDING);

    var rows: array<array<f32, ROW>, PATCH_ROWS>;
    var extremes = Extremes(from_bits(MINUS_INFINITY_BITS), from_bits(INFINITY_BITS));
    for (var pd = 0u; pd < PATCH_D; pd++) { // unroll
        for (var ph = 0u; ph < PATCH_H; ph++) { // unroll
            rows[pd * PATCH_H + ph] = load_row(block.plane, start.xy + vec2(i32(pd), i32(ph)), start.z);
            extremes = row_extremes(extremes, rows[pd * PATCH_H + ph]);
        }
    }
    let c = extremes.highest;
    let p = pivot(extremes);

    // By row of the patch, along the width; then by row of windows.
    var e: array<array<f32, PATCH_W>, PATCH_ROWS>;
    var row_sq: array<Pair, PATCH_ROWS>;
    for (var pd = 0u; pd < PATCH_D; pd++) { // unroll
        for (var ph = 0u; ph < PATCH_H; ph++) { // unroll
            const row = pd * PATCH_H + ph;
            e[row] = row_weights(rows[row], inside_row(start.xy + vec2(i32(pd), i32(ph)), start.z), c);
            row_sq[row] = row_sums(rows[row], e[row], p);
        }
    }
    var row_ab: array<Pair, PATCH_ROWS>;
    var stand = true;
    for (var wd = 0u; wd < WINDOWS_D; wd++) { // unroll
        for (var wh = 0u; wh < WINDOWS_H; wh++) { // unroll
            var sq: Pair;
            for (var kd = 0u; kd < KERNEL_D; kd++) { // unroll
                for (var kh = 0u; kh < KERNEL_H; kh++) { // unroll
                    sq = added(sq, row_sq[(wd * STRIDE_D + kd * DILATION_D) * PATCH_H + wh * STRIDE_H + kh * DILATION_H]);
                }
            }
            let of_windows = factors(block.plane, first_window + vec3<i32>(vec3(wd, wh, 0u)), sq);
            stand = stand && of_windows.stand;
            for (var kd = 0u; kd < KERNEL_D; kd++) { // unroll
                for (var kh = 0u; kh < KERNEL_H; kh++) { // unroll
                    const row = (wd * STRIDE_D + kd * DILATION_D) * PATCH_H + wh * STRIDE_H + kh * DILATION_H;
                    row_ab[row] = added(row_ab[row], of_windows.ab);
                }
            }
        }
    }
    for (var cd = 0u; cd < CELLS_D; cd++) { // unroll
        for (var ch = 0u; ch < CELLS_H; ch++) { // unroll
            const row = (cd + OFFSET_D) * PATCH_H + ch + OFFSET_H;
            let first = start + vec3<i32>(vec3(cd + OFFSET_D, ch + OFFSET_H, OFFSET_W));
            store_gradient_row(block.plane, first, row_gradients(rows[row], e[row], p, row_ab[row]));
        }
    }

    if (!stand) {
        for (var i = 0u; i < CELLS_D * CELLS_H * CELLS_W; i++) {
            let in_block = vec3(i / (CELLS_H * CELLS_W), i / CELLS_W % CELLS_H, i % CELLS_W);
            let at = block.first * STRIDE + in_block;
            if (all(at < params.input_size)) {
                let gradient = input_gradient(block.plane, at);
                store_grad_input(input_index(params.grad_input_start, block.plane, at), gradient);
            }
        }
    }
}
