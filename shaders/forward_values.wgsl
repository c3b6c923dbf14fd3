// What a forward pass makes of partial windows.

// Stores four windows of a row, as far as they exist; whether one of them is too far.
fn store_four_partials(plane: vec2<u32>, at: vec3<u32>, window: Partial, z0: f32) -> bool {
    let exist = (at.z + vec4(0u, 1u, 2u, 3u)) < vec4(params.output_size.z);
    let nothing = window.n == vec4(NOTHING);
    let without = nothing | (window.n >= vec4(DROWNED));
    let nan = vec4(from_bits(NAN_BITS));
    let d = window.q / window.s;
    // The NaN, the +inf or the -inf that a window without weights holds, the first of these.
    let infinity = select(vec4(from_bits(MINUS_INFINITY_BITS)), vec4(from_bits(INFINITY_BITS)), window.n == vec4(INFINITE));
    let instead = select(infinity, nan, window.n == vec4(UNDEFINED));
    store_y_four(y_index(plane, at), 2.0 * sign_of_beta() * select(window.p + d, instead, without), exist);
    if (SAVE_LSE || SAVE_STATISTICS) {
        let top = weights(window.p, vec4(true), z0);
        let s = window.s / top.m;
        if (SAVE_LSE) {
            store_lse_four(lse_index(plane, at), select(beta() * window.p + log(s), instead, without), exist);
        }
        if (SAVE_STATISTICS) {
            let index = statistics_index(plane, at);
            // An empty window divides by infinity.
            let c = select(select(window.p, instead, without), vec4(0.5 * LARGEST), nothing);
            let divisor = select(select(s, nan, without), vec4(from_bits(INFINITY_BITS)), nothing);
            store_statistics_four(index, c, exist);
            store_statistics_four(index + params.statistics.word, divisor, exist);
            store_statistics_four(index + 2u * params.statistics.word, select(d, vec4(0.0), without), exist);
        }
    }
    return any(exist & is_far(window));
}

fn store_by_definition(plane: vec2<u32>, at: vec3<u32>) {
    store_window(plane, at, window_by_definition(plane, at));
}
