// A row of the patch of inputs that a block needs, in registers.
//
// With VECTOR_X the width is a multiple of 4, and so is where a block starts but for LEAD: a row is then read as aligned
// vectors of 4, from LEAD elements before the patch on. ROW is LEAD + PATCH_W, rounded up to whole vectors.
//
// What lies outside the input is replaced by the elements at its edge: they are near the patch's own and leave its
// extremes about where they are. Whoever adds up elements masks them.

fn load_row(plane: u32, depth_height: vec2<i32>, first_column: i32) -> array<f32, ROW> {
    let last = vec3<i32>(params.input_size) - 1;
    let start = input_index(params.x_start, plane, vec3(vec2<u32>(clamp(depth_height, vec2(0), last.xy)), 0u));
    let scale = 0.5 * params.sign;
    var row: array<f32, ROW>;
    if (VECTOR_X) {
        for (var quad = 0u; quad < QUADS; quad++) { // unroll
            let column = clamp(first_column - i32(LEAD) + i32(4u * quad), 0, last.z - 3);
            let x = scale * load_x4(start + u32(column));
            row[4u * quad] = x.x;
            row[4u * quad + 1u] = x.y;
            row[4u * quad + 2u] = x.z;
            row[4u * quad + 3u] = x.w;
        }
    } else {
        for (var i = 0u; i < PATCH_W; i++) { // unroll
            row[LEAD + i] = scale * load_x(start + u32(clamp(first_column + i32(i), 0, last.z)));
        }
    }
    return row;
}

// Whether each element of a row of the patch is inside the input.
fn inside_row(depth_height: vec2<i32>, first_column: i32) -> array<bool, PATCH_W> {
    let size = vec3<i32>(params.input_size);
    let in_row = !MASKED || (all(depth_height >= vec2(0)) && all(depth_height < size.xy));
    var inside: array<bool, PATCH_W>;
    for (var i = 0u; i < PATCH_W; i++) { // unroll
        let column = first_column + i32(i);
        inside[i] = in_row && (!MASKED || (column >= 0 && column < size.z));
    }
    return inside;
}

struct Extremes {
    highest: f32,
    lowest: f32,
}

// The extremes of what was seen before and of a row.
fn row_extremes(before: Extremes, row: array<f32, ROW>) -> Extremes {
    var extremes = before;
    for (var i = 0u; i < PATCH_W; i++) { // unroll
        extremes.highest = max(extremes.highest, row[LEAD + i]);
        extremes.lowest = min(extremes.lowest, row[LEAD + i]);
    }
    return extremes;
}

// Whether a window's value can stand: it is finite, and its exponentials about a shared centre c are not so small that
// their rounding shows. s <= TAPS exp(beta (m - c)) for the window's own maximum m, so that m lies at most 8 / beta below
// c: rounding u and t = beta u then puts each weight off by at most 8 ulp, and y by less.
const S_MIN = f32(TAPS) * 3.35462628e-4;

fn can_stand(s: f32, value: f32) -> bool {
    return s >= S_MIN && is_finite(value);
}

// A pivot amid the patch's values, but not below those of the windows that stand.
fn pivot(extremes: Extremes) -> f32 {
    let middle = 0.5 * extremes.lowest + 0.5 * extremes.highest;
    return max(middle, extremes.highest - 4.0 / max(params.beta, 2e-38));
}
