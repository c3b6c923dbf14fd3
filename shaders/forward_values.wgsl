// What the forward kernels make of partial windows.

// Whether a window lies too far from z0 for its weights to be known; what has none is known.
fn is_far(window: Partial) -> vec4<bool> {
    let number = (window.n < vec4(DROWNED)) & (window.n > vec4(NOTHING));
    let known = (window.n <= vec4(HIGHEST)) & (window.n >= vec4(LOWEST)) & (magnitude_bits4(window.q / window.s) < vec4(INFINITY_BITS));
    return number & !known;
}

// The values of windows without weights: the NaN, the +inf or the -inf that they hold, the first of these.
fn without_weights(n: vec4<i32>) -> vec4<f32> {
    let infinity = select(vec4(from_bits(MINUS_INFINITY_BITS)), vec4(from_bits(INFINITY_BITS)), n == vec4(INFINITE));
    return select(infinity, vec4(from_bits(NAN_BITS)), n == vec4(UNDEFINED));
}

// Stores four windows of a row, as far as they exist; whether one of them is too far.
fn store_four_partials(plane: vec2<u32>, at: vec3<u32>, window: Partial, z0: f32) -> bool {
    let exist = (at.z + vec4(0u, 1u, 2u, 3u)) < vec4(params.output_size.z);
    let without = (window.n >= vec4(DROWNED)) | (window.n == vec4(NOTHING));
    let instead = without_weights(window.n);
    let d = window.q / window.s;
    let y = select(window.p + d, instead, without);
    store_y_four(y_index(plane, at), 2.0 * sign_of_beta() * y, exist);
    if (SAVE_LSE || SAVE_STATISTICS) {
        let top = weights(window.p, vec4(true), z0);
        let s = select(window.s / top.m, vec4(from_bits(NAN_BITS)), without);
        let c = select(window.p, instead, without);
        if (SAVE_LSE) {
            let lse = select(beta() * c + log(s), instead, without);
            store_lse_four(lse_index(plane, at), lse, exist);
        }
        if (SAVE_STATISTICS) {
            let index = statistics_index(plane, at);
            store_statistics_four(index, c, exist);
            store_statistics_four(index + params.statistics.word, s, exist);
            store_statistics_four(index + 2u * params.statistics.word, select(d, vec4(0.0), without), exist);
        }
    }
    return any(exist & is_far(window));
}

fn store_by_definition(plane: vec2<u32>, at: vec3<u32>) {
    store_window(plane, at, window_by_definition(plane, at));
}
