// The gradient as two sums over windows, about a maximum M and a pivot p that a block of inputs shares:
//
//     e_i = exp(beta (z_i - M))    v_i = z_i - p    a_R = g_R exp(beta M) / sum_R exp(beta z_j)    b_R = beta a_R (y_R - p)
//     dL/dx_i = e_i ((1 + beta v_i) sum_R a_R - sum_R b_R)   over the windows R that hold i

// The largest and least elements seen, by place in their vector.
struct Extremes {
    highest: vec4<f32>,
    lowest: vec4<f32>,
}

fn no_extremes() -> Extremes {
    return Extremes(vec4(from_bits(MINUS_INFINITY_BITS)), vec4(from_bits(INFINITY_BITS)));
}

// The extremes of what was seen before and of a row.
fn row_extremes(before: Extremes, row: array<vec4<f32>, QUADS>) -> Extremes {
    var extremes = before;
    for (var quad = 0u; quad < QUADS; quad++) { // unroll
        // What was read beside the patch may lie far above it.
        let places = vec4(i32(4u * quad)) + LANES_OF_4;
        let in_patch = (places >= vec4(i32(LEAD))) & (places < vec4(i32(LEAD + PATCH_W)));
        extremes.highest = select(extremes.highest, max(extremes.highest, row[quad]), in_patch);
        extremes.lowest = select(extremes.lowest, min(extremes.lowest, row[quad]), in_patch);
    }
    return extremes;
}

fn highest(extremes: Extremes) -> f32 {
    let pairs = max(extremes.highest.xy, extremes.highest.zw);
    return max(pairs.x, pairs.y);
}

fn lowest(extremes: Extremes) -> f32 {
    let pairs = min(extremes.lowest.xy, extremes.lowest.zw);
    return min(pairs.x, pairs.y);
}

// A pivot amid the patch's values, but not below those of the windows that stand.
fn pivot(extremes: Extremes) -> f32 {
    let middle = 0.5 * lowest(extremes) + 0.5 * highest(extremes);
    return max(middle, highest(extremes) - 4.0 / max(beta(), 2e-38));
}

// With DOUBLING: sum_k values[i + k DILATION_W] over the KERNEL_W taps from each i on, as far as that stays within the row. A
// window of 13 taps is one of 1, one of 4 and one of 8, and sums of 2n taps are two of n.
fn box_sums(values: array<f32, BOX_W>) -> array<f32, BOX_W> {
    var sums: array<f32, BOX_W>;
    var power = values;
    for (var bit = 0u; bit < KERNEL_BITS; bit++) { // unroll
        let taps = 1u << bit; // const
        let before = KERNEL_W % taps; // const
        if ((KERNEL_W & taps) != 0u) {
            for (var i = 0u; i < BOX_W; i++) { // unroll
                if (before == 0u) {
                    sums[i] = power[i];
                } else {
                    sums[i] += power[min(i + before * DILATION_W, BOX_W - 1u)];
                }
            }
        }
        for (var i = 0u; i < BOX_W; i++) { // unroll
            power[i] += power[min(i + taps * DILATION_W, BOX_W - 1u)];
        }
    }
    return sums;
}

// Two sums by window column, that of column i at WINDOW_LEAD + i: a and b, or what they are made from.
struct Pair {
    x: array<vec4<f32>, WINDOW_QUADS>,
    y: array<vec4<f32>, WINDOW_QUADS>,
}

// The sums of a and b over the windows that hold each input of a block's row.
struct CellSums {
    a: array<vec4<f32>, CELL_QUADS>,
    b: array<vec4<f32>, CELL_QUADS>,
}

// For each input of a block's row, the sum over the windows of a row that hold it.
fn spread(windows: array<vec4<f32>, WINDOW_QUADS>) -> array<vec4<f32>, CELL_QUADS> {
    var cells: array<vec4<f32>, CELL_QUADS>;
    if (DOUBLING) {
        // The stride is 1: an input is in as many windows as a window has taps, a tap apart, from its column on.
        var values: array<f32, BOX_W>;
        for (var ww = 0u; ww < WINDOWS_W; ww++) { // unroll
            values[ww] = windows[(WINDOW_LEAD + ww) / 4u][(WINDOW_LEAD + ww) % 4u];
        }
        values = box_sums(values);
        for (var cw = 0u; cw < CELLS_W; cw++) { // unroll
            cells[cw / 4u][cw % 4u] = values[cw];
        }
    } else {
        var covered: array<f32, COVERED_W>;
        for (var ww = 0u; ww < WINDOWS_W; ww++) { // unroll
            for (var kw = 0u; kw < KERNEL_W; kw++) { // unroll
                covered[ww * STRIDE_W + kw * DILATION_W] += windows[(WINDOW_LEAD + ww) / 4u][(WINDOW_LEAD + ww) % 4u];
            }
        }
        for (var cw = 0u; cw < CELLS_W; cw++) { // unroll
            cells[cw / 4u][cw % 4u] = covered[cw + OFFSET_W];
        }
    }
    return cells;
}

fn spread_pair(ab: Pair) -> CellSums {
    return CellSums(spread(ab.x), spread(ab.y));
}

fn cell_gradients(z: vec4<f32>, e: vec4<f32>, p: f32, sum_a: vec4<f32>, sum_b: vec4<f32>) -> vec4<f32> {
    if (DETACHED) {
        return e * sum_a;
    }
    // What weighs nothing may lie far below p: its slope must stay finite.
    let slope = 1.0 + max(beta() * (z - p), vec4(-1000.0));
    let gradients = e * (slope * sum_a - sum_b);
    // An input in no window has 0, not -0, as where it goes window by window.
    return select(gradients, vec4(0.0), gradients == vec4(0.0));
}
