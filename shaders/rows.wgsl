// A row of the patch of inputs that a block needs, in registers.
//
// With VECTOR_X the width is a multiple of 4, and so is where a block starts but for LEAD: a row is then read as aligned
// vectors of 4, from LEAD elements before the patch on. ROW is LEAD + PATCH_W, rounded up to whole vectors.
//
// What lies outside the input is replaced by the elements at its edge: they are near the patch's own and leave its
// extremes about where they are. Whoever adds up elements masks them.

fn load_row(plane: u32, depth_height: vec2<i32>, first_column: i32, row: ptr<function, array<f32, ROW>>) {
    let last = vec3<i32>(params.input_size) - 1;
    let start = input_index(params.x_start, plane, vec3(vec2<u32>(clamp(depth_height, vec2(0), last.xy)), 0u));
    let scale = 0.5 * params.sign;
    if (VECTOR_X) {
        for (var quad = 0u; quad < QUADS; quad++) { // unroll
            let column = clamp(first_column - i32(LEAD) + i32(4u * quad), 0, last.z - 3);
            let x = scale * load_x4(start + u32(column));
            (*row)[4u * quad] = x.x;
            (*row)[4u * quad + 1u] = x.y;
            (*row)[4u * quad + 2u] = x.z;
            (*row)[4u * quad + 3u] = x.w;
        }
    } else {
        for (var i = 0u; i < PATCH_W; i++) { // unroll
            (*row)[LEAD + i] = scale * load_x(start + u32(clamp(first_column + i32(i), 0, last.z)));
        }
    }
}

// Whether each column of the patch is inside the input.
fn columns_inside(first_column: i32) -> array<bool, PATCH_W> {
    var inside: array<bool, PATCH_W>;
    for (var i = 0u; i < PATCH_W; i++) { // unroll
        let column = first_column + i32(i);
        inside[i] = !MASKED || (column >= 0 && column < i32(params.input_size.z));
    }
    return inside;
}

fn row_inside(depth_height: vec2<i32>) -> bool {
    return !MASKED || (all(depth_height >= vec2(0)) && all(depth_height < vec2<i32>(params.input_size.xy)));
}

// Whether a window of the block holds a position of the patch along an axis.
fn holds(window: u32, position: u32, kernel: u32, stride: u32, dilation: u32) -> bool {
    let from_start = position - window * stride;
    return position >= window * stride && from_start % dilation == 0u && from_start / dilation < kernel;
}
