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
    return g * w * (1.0 + max(params.beta * z_minus_y, -LARGEST));
}
