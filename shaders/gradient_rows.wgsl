// Rows of gradients: of the output, where a block of windows reads them, and of the input, where it stores them.

// g of a row of WINDOWS_W windows, 0 where there is no window. With VECTOR_Y it is read as aligned vectors of 4, from
// G_LEAD windows before the row on.
fn load_g_row(plane: u32, first: vec3<i32>) -> array<f32, WINDOWS_W> {
    let last = vec3<i32>(params.output_size) - 1;
    let row_exists = all(first.xy >= vec2(0)) && all(first.xy <= last.xy);
    let row = vec3(vec2<u32>(clamp(first.xy, vec2(0), last.xy)), 0u);
    let start = params.y_start + window_index(plane, row);
    var g: array<f32, 4 * G_QUADS>;
    if (VECTOR_Y) {
        for (var quad = 0u; quad < G_QUADS; quad++) { // unroll
            let at = clamp(first.z - i32(G_LEAD) + i32(4u * quad), 0, last.z - 3);
            let values = load_grad_output4(start + u32(at));
            g[4u * quad] = values.x;
            g[4u * quad + 1u] = values.y;
            g[4u * quad + 2u] = values.z;
            g[4u * quad + 3u] = values.w;
        }
    } else {
        for (var i = 0u; i < WINDOWS_W; i++) { // unroll
            g[G_LEAD + i] = load_grad_output(start + u32(clamp(first.z + i32(i), 0, last.z)));
        }
    }
    var existing: array<f32, WINDOWS_W>;
    for (var i = 0u; i < WINDOWS_W; i++) { // unroll
        let column = first.z + i32(i);
        existing[i] = select(0.0, g[G_LEAD + i], row_exists && column >= 0 && column <= last.z);
    }
    return existing;
}

// Stores the gradients of a row of CELLS_W inputs, as far as they are inside; aligned vectors of 4 with VECTOR_GRADIENT.
fn store_gradient_row(plane: u32, first: vec3<i32>, gradients: array<f32, CELLS_W>) {
    let size = vec3<i32>(params.input_size);
    if (any(first.xy < vec2(0)) || any(first.xy >= size.xy)) {
        return;
    }
    let start = input_index(params.grad_input_start, plane, vec3(vec2<u32>(first.xy), 0u));
    if (VECTOR_GRADIENT) {
        for (var quad = 0u; quad < CELL_QUADS; quad++) { // unroll
            const i = 4u * quad;
            let column = first.z + i32(i);
            if (column >= 0 && column < size.z) {
                let values = vec4(gradients[i], gradients[i + 1u], gradients[i + 2u], gradients[i + 3u]);
                store_grad_input4(start + u32(column), values);
            }
        }
    } else {
        for (var i = 0u; i < CELLS_W; i++) { // unroll
            let column = first.z + i32(i);
            if (column >= 0 && column < size.z) {
                store_grad_input(start + u32(column), gradients[i]);
            }
        }
    }
}
