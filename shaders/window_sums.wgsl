// What a row of the patch adds to the windows of a block that hold it.

// exp(beta (z_i - c)), 0 outside the input.
fn row_weights(row: array<vec4<f32>, QUADS>, inside: array<vec4<bool>, QUADS>, c: f32) -> array<vec4<f32>, QUADS> {
    var e: array<vec4<f32>, QUADS>;
    for (var quad = 0u; quad < QUADS; quad++) { // unroll
        e[quad] = select(vec4(0.0), weigh4(row[quad], c), inside[quad]);
    }
    return e;
}

// e_i (z_i - p).
fn weighted(e: array<vec4<f32>, QUADS>, row: array<vec4<f32>, QUADS>, p: f32) -> array<vec4<f32>, QUADS> {
    var products: array<vec4<f32>, QUADS>;
    for (var quad = 0u; quad < QUADS; quad++) { // unroll
        products[quad] = e[quad] * (row[quad] - p);
    }
    return products;
}

// The sums of a row of the patch by window column; that of column i is at WINDOW_LEAD + i.
fn window_sums(row: array<vec4<f32>, QUADS>) -> array<vec4<f32>, WINDOW_QUADS> {
    var sums: array<vec4<f32>, WINDOW_QUADS>;
    if (DOUBLING) {
        var values: array<f32, BOX_W>;
        for (var pw = 0u; pw < PATCH_W; pw++) { // unroll
            values[pw] = row[(LEAD + pw) / 4u][(LEAD + pw) % 4u];
        }
        values = box_sums(values);
        for (var ww = 0u; ww < WINDOWS_W; ww++) { // unroll
            sums[(WINDOW_LEAD + ww) / 4u][(WINDOW_LEAD + ww) % 4u] = values[ww * STRIDE_W];
        }
    } else {
        for (var ww = 0u; ww < WINDOWS_W; ww++) { // unroll
            var sum = 0.0;
            for (var kw = 0u; kw < KERNEL_W; kw++) { // unroll
                const i = LEAD + ww * STRIDE_W + kw * DILATION_W;
                sum += row[i / 4u][i % 4u];
            }
            sums[(WINDOW_LEAD + ww) / 4u][(WINDOW_LEAD + ww) % 4u] = sum;
        }
    }
    return sums;
}
