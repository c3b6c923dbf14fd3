// What the backward kernels share: an element's gradient in a window.
//
//     dL/dx_i = sum over windows R that hold i of  g_R w_i (1 + beta (z_i - y_R))        the derivative
//     dL/dx_i = sum over windows R that hold i of  g_R w_i                               the detached rule
//
// Both are the same for z as for x: w_i and beta (x_i - y_R) don't change with its sign and scale.

// g w (1 + beta (z - y)). What weighs nothing has no gradient, however low it lies: the slope stays finite.
fn element_gradient(g: f32, w: f32, z_minus_y: f32) -> f32 {
    if (DETACHED) {
        return g * w;
    }
    return g * w * (1.0 + max(beta() * z_minus_y, -LARGEST));
}

// The second backward, the gradient of <v, dL/dx> with respect to x: from a window's moments V = sum w_i v_i and beta K,
//
//     g b w ((v - V) (2 + beta (z - y)) - beta K)        of the derivative, with the caller's own b = sign beta / 2
//     g b w (v - V)                                      of the detached rule
fn element_second_gradient(g: f32, w: f32, z_minus_y: f32, v: f32, moments: vec2<f32>) -> f32 {
    let caller_beta = 0.5 * sign_of_beta() * beta();
    let dv = v - moments.x;
    if (DETACHED) {
        return g * w * (caller_beta * dv);
    }
    // What weighs anything has a slope above -1000; the others' must not leave the range of f32 times v.
    return g * w * (caller_beta * (dv * (2.0 + max(beta() * z_minus_y, -1000.0)) - moments.y));
}
