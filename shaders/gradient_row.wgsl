// Stores the gradients of a row of inputs, as far as they are inside; aligned vectors of 4 with VECTOR_GRADIENT.
fn store_gradient_row(plane: vec2<u32>, first: vec3<i32>, gradients: array<vec4<f32>, CELL_QUADS>) {
    let size = vec3<i32>(params.input_size);
    if (any(first.xy < vec2(0)) || any(first.xy >= size.xy)) {
        return;
    }
    let start = grad_input_index(plane, vec3(vec2<u32>(first.xy), 0u));
    for (var quad = 0u; quad < CELL_QUADS; quad++) { // unroll
        let columns = first.z + i32(4u * quad) + LANES_OF_4;
        let exist = (columns >= vec4(0)) & (columns < vec4(size.z));
        // Of columns before the input the index wraps, and those inside come after it.
        store_grad_input_four(start + u32(columns.x) * step_grad_input(), gradients[quad], exist);
    }
}
