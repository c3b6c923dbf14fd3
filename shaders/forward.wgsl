// What the forward kernels share: where a window's results go.

// beta c + ln s, or the value of a window without weights.
fn lse_of(window: Window) -> f32 {
    return select(window.y, params.beta * window.c + log(window.s), is_finite(window.s));
}

// What is asked for besides y, which kernels store by rows.
fn store_besides(index: u32, window: Window) {
    if (SAVE_LSE) {
        store_lse(params.lse_start + index, lse_of(window));
    }
    if (SAVE_STATISTICS) {
        let at = params.statistics_start + 3u * index;
        store_statistics(at, window.c);
        store_statistics(at + 1u, window.s);
        store_statistics(at + 2u, window.d);
    }
}

fn store_window(index: u32, window: Window) {
    store_y(params.y_start + index, 2.0 * params.sign * window.y);
    store_besides(index, window);
}

// The y of a row of a block's windows; they are a multiple of 4 with VECTOR_Y, and so is the output's width.
fn store_row(plane: u32, first: vec3<u32>, y: array<f32, BLOCK_W>) {
    let scale = 2.0 * params.sign;
    let start = params.y_start + window_index(plane, first);
    if (VECTOR_Y) {
        for (var quad = 0u; quad < BLOCK_QUADS; quad++) { // unroll
            if (first.z + 4u * quad < params.output_size.z) {
                let at = vec4(y[4u * quad], y[4u * quad + 1u], y[4u * quad + 2u], y[4u * quad + 3u]);
                store_y4(start + 4u * quad, scale * at);
            }
        }
    } else {
        for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
            if (first.z + bw < params.output_size.z) {
                store_y(start + bw, scale * y[bw]);
            }
        }
    }
}
