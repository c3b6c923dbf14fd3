// What the forward kernels share: where a window's results go.

// beta c + ln s, or the value of a window without weights.
fn lse_of(window: Window) -> f32 {
    if (is_nan(window.s)) {
        return window.y;
    }
    return params.beta * window.c + log(window.s);
}

fn store_window(index: u32, window: Window) {
    store_y(params.y_start + index, params.sign * window.y);
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

// Evaluates the windows of a block whose bits are set in `windows` by the definition.
fn store_by_definition(block: Block, windows: u32) {
    var remaining = windows;
    while (remaining != 0u) {
        let bit = firstTrailingBit(remaining);
        remaining &= remaining - 1u;
        let in_block = vec3(bit / (BLOCK_H * BLOCK_W), bit / BLOCK_W % BLOCK_H, bit % BLOCK_W);
        let at = block.first + in_block;
        store_window(window_index(block.plane, at), window_by_definition(x_plane(block.plane), window_start(at)));
    }
}
