// What a forward pass makes of partial windows where it computes derivatives: see shaders/tangent.wgsl.

// Stores four windows of a row, as far as they exist; whether one of them is to go by the definition.
fn store_four_partials(plane: vec2<u32>, at: vec3<u32>, window: Partial, reference: Reference) -> bool {
    let columns = at.z + vec4(0u, 1u, 2u, 3u);
    let exist = columns < vec4(params.output_size.z);
    let d = window.q / window.s;
    var value = window.a / window.s;
    if (BY_BETA) {
        let g = load_each_g(grad_output_index(plane, vec3(at.xy, 0u)), i32(at.z));
        value = g * (4.0 * (value - d * d));
    } else if (!DETACHED) {
        value += beta() * (window.b / window.s - d * value);
    }
    store_y_four(y_index(plane, at), select(value, vec4(0.0), window.n == vec4(NOTHING)), exist);
    return any(exist & is_far(window, reference));
}

fn store_by_definition(plane: vec2<u32>, at: vec3<u32>) {
    let window = window_by_definition(plane, at);
    var sums = vec2(0.0);
    for (var tap = 0u; tap < KERNEL_D * KERNEL_H * KERNEL_W; tap++) {
        let taps = vec3(tap / (KERNEL_H * KERNEL_W), tap / KERNEL_W % KERNEL_H, tap % KERNEL_W);
        let position = window_start(at) + vec3<i32>(taps * DILATION);
        if (all(position >= vec3(0)) && all(position < vec3<i32>(params.input_size))) {
            sums += terms(window, plane, vec3<u32>(position));
        }
    }
    store_sums(plane, at, sums);
}
