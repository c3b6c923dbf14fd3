// How a window's y changes along a direction v of x, or with beta: sums over its taps, from saved statistics.
//
//     V = sum w_i v_i        K = sum w_i (z_i - y) v_i        dy along v = V + beta K    (the detached rule: V)
//     dy / dbeta = sum w_i (x_i - y_x)^2 = 4 sum w_i (z_i - y)^2
//
// With BY_BETA what is stored is g dy / dbeta, the window's part of the gradient of beta. The moments V and beta K are what
// the second backward takes of a window.

fn window_context(plane: vec2<u32>, window: vec3<u32>) -> Window {
    return covering_window(plane, window);
}

// The terms of V and K of the input at `at`.
fn terms(window: Window, plane: vec2<u32>, at: vec3<u32>) -> vec2<f32> {
    let z = load_z(x_index(plane, at));
    let w = weight_in(window, z);
    let z_minus_y = offset(z, window.c) - window.d;
    if (BY_BETA) {
        return vec2(0.0, w * z_minus_y * z_minus_y);
    }
    let v = load_tangent(tangent_index(plane, at));
    return select(vec2(w * v, w * z_minus_y * v), vec2(0.0), w == 0.0);
}

fn store_sums(plane: vec2<u32>, window: vec3<u32>, sums: vec2<f32>) {
    if (BY_BETA) {
        let g = load_grad_output(grad_output_index(plane, window));
        store_y(y_index(plane, window), g * (4.0 * sums.y));
        return;
    }
    let beta_k = beta() * sums.y;
    if (STORE_Y) {
        store_y(y_index(plane, window), select(sums.x + beta_k, sums.x, DETACHED));
    }
    if (SAVE_MOMENTS) {
        store_moments(moments_index(plane, window), sums.x);
        store_moments(moments_index(plane, window) + params.moments.word, beta_k);
    }
}
