// What a forward pass makes of partial windows.

// Stores four windows of a row, as far as they exist; whether one of them is to go by the definition.
fn store_four_partials(plane: vec2<u32>, at: vec3<u32>, window: Partial, reference: Reference) -> bool {
    let exist = (at.z + vec4(0u, 1u, 2u, 3u)) < vec4(params.output_size.z);
    let nothing = window.n == vec4(NOTHING);
    let minus_infinity = vec4(from_bits(MINUS_INFINITY_BITS));
    let d = window.q / window.s;
    store_y_four(y_index(plane, at), 2.0 * sign_of_beta() * select(window.p + d, minus_infinity, nothing), exist);
    if (SAVE_LSE || SAVE_STATISTICS) {
        let top = weights(window.p, vec4(true), reference);
        let s = whole_sum(window) / top.m;
        if (SAVE_LSE) {
            store_lse_four(lse_index(plane, at), select(beta() * window.p + log(s), minus_infinity, nothing), exist);
        }
        if (SAVE_STATISTICS) {
            let index = statistics_index(plane, at);
            // An empty window divides by infinity.
            let c = select(window.p, vec4(0.5 * LARGEST), nothing);
            let divisor = select(s, vec4(from_bits(INFINITY_BITS)), nothing);
            store_statistics_four(index, c, exist);
            store_statistics_four(index + params.statistics.word, divisor, exist);
            store_statistics_four(index + 2u * params.statistics.word, select(d, vec4(0.0), nothing), exist);
        }
    }
    return any(exist & is_far(window, reference));
}

fn store_by_definition(plane: vec2<u32>, at: vec3<u32>) {
    store_window(plane, at, window_by_definition(plane, at));
}
