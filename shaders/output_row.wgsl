// A row of gradients of the output, where windows overlap: those of the windows that hold a strip's inputs.
//
// With VECTOR_Y they are read as aligned vectors of 4, from G_LEAD windows before the first on. Beyond the row of all windows they
// repeat what is at its edge.

// The gradients of a row of windows at `at`.
fn load_row_of_g(plane: vec2<u32>, at: vec3<i32>) -> array<vec4<f32>, WINDOW_QUADS> {
    let last = vec3<i32>(params.output_size) - 1;
    let start = grad_output_index(plane, vec3(vec2<u32>(clamp(at.xy, vec2(0), last.xy)), 0u));
    var aligned: array<vec4<f32>, G_QUADS>;
    for (var quad = 0u; quad < G_QUADS; quad++) { // unroll
        let column = at.z - i32(G_LEAD) + i32(4u * quad);
        if (VECTOR_Y && 4u * quad + 1u >= G_LEAD && G_LEAD + WINDOWS_W >= 4u * quad + 3u && WINDOWS_W > 2u) {
            aligned[quad] = load_grad_output4(start + u32(clamp(column, 0, last.z - 3)));
        } else {
            aligned[quad] = load_each_g(start, column);
        }
    }
    return g_at_windows(aligned);
}
