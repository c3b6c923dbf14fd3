// A row of the patch of inputs that a block needs, in registers, as vectors of 4: element i is row[i / 4][i % 4].
//
// With VECTOR_X rows are contiguous, the width is a multiple of 4, and
// so is where a block starts but for LEAD: a row is then read as aligned
// vectors, from LEAD elements before the patch on. QUADS are as many as hold LEAD + PATCH_W elements.
//
// What lies outside the input is replaced by the elements at its edge: they are near the patch's own and leave its
// extremes about where they are. Whoever adds up elements masks them.

fn row_inside(depth_height: vec2<i32>) -> vec3<u32> {
    return vec3(vec2<u32>(clamp(depth_height, vec2(0), vec2<i32>(params.input_size.xy) - 1)), 0u);
}

fn columns_inside(first_column: i32, quad: u32) -> vec4<u32> {
    let columns = first_column - i32(LEAD) + i32(4u * quad) + LANES_OF_4;
    return vec4<u32>(clamp(columns, vec4(0), vec4(i32(params.input_size.z) - 1)));
}

fn load_each_x(start: u32, columns: vec4<u32>) -> vec4<f32> {
    let at = start + columns * step_x();
    return vec4(load_x(at.x), load_x(at.y), load_x(at.z), load_x(at.w));
}

fn load_row(plane: vec2<u32>, depth_height: vec2<i32>, first_column: i32) -> array<vec4<f32>, QUADS> {
    let start = x_index(plane, row_inside(depth_height));
    let scale = 0.5 * sign_of_beta();
    var row: array<vec4<f32>, QUADS>;
    for (var quad = 0u; quad < QUADS; quad++) { // unroll
        let columns = columns_inside(first_column, quad);
        // Of vectors at the patch's ends fewer than three elements may count: they are read alone.
        if (VECTOR_X && 4u * quad + 1u >= LEAD && LEAD + PATCH_W >= 4u * quad + 3u && PATCH_W > 2u) {
            row[quad] = scale * load_x4(start + min(columns.x, params.input_size.z - 4u));
        } else {
            row[quad] = scale * load_each_x(start, columns);
        }
    }
    return row;
}

// A row of the direction.
fn load_direction_row(plane: vec2<u32>, depth_height: vec2<i32>, first_column: i32) -> array<vec4<f32>, QUADS> {
    let start = tangent_index(plane, row_inside(depth_height));
    var row: array<vec4<f32>, QUADS>;
    for (var quad = 0u; quad < QUADS; quad++) { // unroll
        let columns = columns_inside(first_column, quad);
        if (VECTOR_TANGENT && 4u * quad + 1u >= LEAD && LEAD + PATCH_W >= 4u * quad + 3u && PATCH_W > 2u) {
            row[quad] = load_tangent4(start + min(columns.x, params.input_size.z - 4u));
        } else {
            let at = start + columns * step_tangent();
            row[quad] = vec4(load_tangent(at.x), load_tangent(at.y), load_tangent(at.z), load_tangent(at.w));
        }
    }
    return row;
}

// Gradients of four windows of a row, beyond it those at its edge.
fn load_each_g(start: u32, first_column: i32) -> vec4<f32> {
    let columns = clamp(first_column + LANES_OF_4, vec4(0), vec4(i32(params.output_size.z) - 1));
    let at = start + vec4<u32>(columns) * step_grad_output();
    return vec4(load_grad_output(at.x), load_grad_output(at.y), load_grad_output(at.z), load_grad_output(at.w));
}

const LANES_OF_4 = vec4<i32>(0, 1, 2, 3);

// Which of four elements of a row of the patch are inside the input.
fn inside_row(depth_height: vec2<i32>, first_column: i32, quad: u32) -> vec4<bool> {
    let size = vec3<i32>(params.input_size);
    let columns = first_column - i32(LEAD) + i32(4u * quad) + LANES_OF_4;
    let inside = vec4(all(depth_height >= vec2(0)) && all(depth_height < size.xy));
    return vec4(!MASKED) | (inside & (columns >= vec4(0)) & (columns < vec4(size.z)));
}

// Whether a window holds a row, along depth or height; both are counted from the start of the first window.
fn holds(window: u32, row: u32, kernel: u32, stride: u32, dilation: u32) -> bool {
    let from_start = row - window * stride;
    return row >= window * stride && from_start % dilation == 0u && from_start / dilation < kernel;
}
