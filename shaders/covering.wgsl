// An input's gradient, window by window: the kernel's `covering_window` evaluates or reads each that holds it.

fn input_gradient(plane: u32, at: vec3<u32>) -> f32 {
    const SPAN = vec3<u32>(SPAN_D, SPAN_H, SPAN_W);
    // At most so many windows hold an input along each axis.
    const COVER = (SPAN - 1u) / STRIDE + 1u;
    let z = load_z(input_index(params.x_start, plane, at));
    let padded = at + PADDING;
    let first = (max(padded + 1u, SPAN) - SPAN + STRIDE - 1u) / STRIDE;
    var gradient = 0.0;
    for (var i = 0u; i < COVER.x * COVER.y * COVER.z; i++) {
        let window = first + vec3(i / (COVER.y * COVER.z), i / COVER.z % COVER.y, i % COVER.z);
        let start = window * STRIDE;
        if (all(window < params.output_size) && all(start <= padded) && all((padded - start) % DILATION == vec3(0u))) {
            let values = covering_window(plane, window);
            let g = load_grad_output(params.y_start + window_index(plane, window));
            gradient += element_gradient(g, weigh(z, values.c) / values.s, offset(z, values.c) - values.d);
        }
    }
    return gradient;
}
