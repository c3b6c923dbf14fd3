// An input's gradient, window by window: the kernel's `covering_window` evaluates or reads each that holds it.

// V and beta K of a window, of the second backward.
fn moments_of(plane: vec2<u32>, window: vec3<u32>) -> vec2<f32> {
    return vec2(
        load_moments(moments_index(plane, window)),
        load_moments(moments_index(plane, window) + params.moments.word),
    );
}

// What a window adds to the gradient of an input of value z that it holds, whose direction is v if SECOND.
fn gradient_in(window: vec3<u32>, plane: vec2<u32>, z: f32, v: f32) -> f32 {
    let values = covering_window(plane, window);
    let g = load_grad_output(grad_output_index(plane, window));
    let w = weight_in(values, z);
    let z_minus_y = offset(z, values.c) - values.d;
    if (SECOND) {
        return element_second_gradient(g, w, z_minus_y, v, moments_of(plane, window));
    }
    return element_gradient(g, w, z_minus_y);
}

fn input_gradient(plane: vec2<u32>, at: vec3<u32>) -> f32 {
    let z = load_z(x_index(plane, at));
    let holders = holders_of(at);
    var gradient = 0.0;
    for (var d = 0u; d < holders.count.x; d++) {
        for (var h = 0u; h < holders.count.y; h++) {
            var row = 0.0;
            for (var w = 0u; w < holders.count.z; w++) {
                row += gradient_in(holder(holders, vec3(d, h, w)), plane, z, 0.0);
            }
            gradient += row;
        }
    }
    return gradient;
}
