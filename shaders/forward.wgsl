// What the forward kernels share: where a window's results go.

// beta c + ln s, or the value of a window without weights.
fn lse_of(window: Window) -> f32 {
    return select(window.y, beta() * window.c + log(window.s), is_finite(window.s));
}

fn store_window(plane: vec2<u32>, at: vec3<u32>, window: Window) {
    store_y(y_index(plane, at), 2.0 * sign_of_beta() * window.y);
    if (SAVE_LSE) {
        store_lse(lse_index(plane, at), lse_of(window));
    }
    if (SAVE_STATISTICS) {
        store_statistics(statistics_index(plane, at), window.c);
        store_statistics(statistics_index(plane, at) + params.statistics.word, window.s);
        store_statistics(statistics_index(plane, at) + 2u * params.statistics.word, window.d);
    }
}

fn store_four_windows(plane: vec2<u32>, at: vec3<u32>, a: Window, b: Window, c: Window, d: Window) {
    store_y4(y_index(plane, at), 2.0 * sign_of_beta() * vec4(a.y, b.y, c.y, d.y));
    if (SAVE_LSE) {
        store_lse4(lse_index(plane, at), vec4(lse_of(a), lse_of(b), lse_of(c), lse_of(d)));
    }
    if (SAVE_STATISTICS) {
        store_statistics4(statistics_index(plane, at), vec4(a.c, b.c, c.c, d.c));
        store_statistics4(statistics_index(plane, at) + params.statistics.word, vec4(a.s, b.s, c.s, d.s));
        store_statistics4(statistics_index(plane, at) + 2u * params.statistics.word, vec4(a.d, b.d, c.d, d.d));
    }
}

// A row of a block's windows, as far as they exist; they are a multiple of 4 with VECTOR_Y, and so is the output's width.
fn store_windows(plane: vec2<u32>, first: vec3<u32>, windows: array<Window, BLOCK_W>) {
    if (any(first.xy >= params.output_size.xy)) {
        return;
    }
    if (VECTOR_Y) {
        for (var quad = 0u; quad < BLOCK_QUADS; quad++) { // unroll
            let w = 4u * quad; // const
            if (first.z + w < params.output_size.z) {
                let at = first + vec3(0u, 0u, w);
                store_four_windows(plane, at, windows[w], windows[w + 1u], windows[w + 2u], windows[w + 3u]);
            }
        }
    } else {
        for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
            if (first.z + bw < params.output_size.z) {
                store_window(plane, first + vec3(0u, 0u, bw), windows[bw]);
            }
        }
    }
}
