// What a forward pass makes of partial windows.

// Stores four windows of a row, as far as they exist; whether one of them is to go by the definition.
fn store_four_partials(plane: vec2<u32>, at: vec3<u32>, window: Partial, reference: Reference) -> bool {
    let nothing = window.n == vec4(NOTHING);
    var windows: Windows;
    windows.d = select(window.q / window.s, vec4(0.0), nothing);
    windows.y = select(window.p + windows.d, vec4(from_bits(MINUS_INFINITY_BITS)), nothing);
    if (SAVE_LSE || SAVE_STATISTICS) {
        // An empty window divides by infinity.
        let top = weights(window.p, vec4(true), reference);
        windows.c = select(window.p, vec4(0.5 * LARGEST), nothing);
        windows.s = select(whole_sum(window) / top.m, vec4(from_bits(INFINITY_BITS)), nothing);
    }
    store_four(plane, at, windows);
    let exist = (at.z + vec4(0u, 1u, 2u, 3u)) < vec4(params.output_size.z);
    return any(exist & is_far(window, reference));
}

fn store_by_definition(plane: vec2<u32>, at: vec3<u32>) {
    store_window(plane, at, window_by_definition(plane, at));
}
