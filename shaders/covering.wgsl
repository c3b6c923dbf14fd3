// An input's gradient, window by window: the kernel's `covering_window` evaluates or reads each that holds it.

// V and beta K of a window, of the second backward.
fn moments_of(plane: vec2<u32>, window: vec3<u32>) -> vec2<f32> {
    return vec2(
        load_moments(moments_index(plane, window)),
        load_moments(moments_index(plane, window) + params.moments.word),
    );
}

// What candidate `i` of candidate_window adds to the gradient of an input of value z, whose direction is v if SECOND.
fn candidate_gradient(i: u32, plane: vec2<u32>, at: vec3<u32>, z: f32, v: f32) -> f32 {
    let window = candidate_window(i, at);
    if (any(window >= params.output_size)) {
        return 0.0;
    }
    let values = covering_window(plane, window);
    let g = load_grad_output(grad_output_index(plane, window));
    let w = weigh(z, values.c) / values.s;
    let z_minus_y = offset(z, values.c) - values.d;
    if (SECOND) {
        return element_second_gradient(g, w, z_minus_y, v, moments_of(plane, window));
    }
    return element_gradient(g, w, z_minus_y);
}

fn input_gradient(plane: vec2<u32>, at: vec3<u32>) -> f32 {
    let z = load_z(x_index(plane, at));
    var gradient = 0.0;
    for (var i = 0u; i < CANDIDATES.x * CANDIDATES.y * CANDIDATES.z; i++) {
        gradient += candidate_gradient(i, plane, at, z, 0.0);
    }
    return gradient;
}
