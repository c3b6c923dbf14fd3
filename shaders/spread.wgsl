// The gradient as two sums over windows, about a maximum M and a pivot p that a block of inputs shares:
//
//     e_i = exp(beta (z_i - M))    v_i = z_i - p    a_R = g_R exp(beta M) / sum_R exp(beta z_j)    b_R = beta a_R (y_R - p)
//     dL/dx_i = e_i ((1 + beta v_i) sum_R a_R - sum_R b_R)   over the windows R that hold i

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
