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

// Stores four windows of a row, as far as they exist.
fn store_four(plane: vec2<u32>, at: vec3<u32>, windows: Windows) {
    let exist = (at.z + vec4(0u, 1u, 2u, 3u)) < vec4(params.output_size.z);
    store_y_four(y_index(plane, at), 2.0 * sign_of_beta() * windows.y, exist);
    if (SAVE_LSE) {
        let finite = magnitude_bits4(windows.s) < vec4(INFINITY_BITS);
        store_lse_four(lse_index(plane, at), select(windows.y, beta() * windows.c + log(windows.s), finite), exist);
    }
    if (SAVE_STATISTICS) {
        let index = statistics_index(plane, at);
        store_statistics_four(index, windows.c, exist);
        store_statistics_four(index + params.statistics.word, windows.s, exist);
        store_statistics_four(index + 2u * params.statistics.word, windows.d, exist);
    }
}
