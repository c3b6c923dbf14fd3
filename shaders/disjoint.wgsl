// Four windows side by side that share no input: what forward_disjoint and backward_disjoint share.
//
// Windows are gone through by rows of taps, TAP_ROWS of them, as often as shaders/taps.wgsl says: few taps stay in registers (KEEP),
// more are read again.

// Four inputs at these columns, or LOWEST_Z in the padding.
fn load_tap(row_start: u32, row_exists: bool, columns: vec4<i32>) -> vec4<f32> {
    let inside = clamp(columns, vec4(0), vec4(i32(params.input_size.z) - 1));
    let z = 0.5 * sign_of_beta() * load_each_x(row_start, vec4<u32>(inside));
    return select(vec4(LOWEST_Z), z, vec4(!MASKED) | (vec4(row_exists) & (columns == inside)));
}

// A row of taps of each window.
fn load_taps(plane: vec2<u32>, start: vec3<i32>, row: u32) -> array<vec4<f32>, KERNEL_W> {
    let depth_height = start.xy + vec2<i32>(vec2(row / KERNEL_H * DILATION_D, row % KERNEL_H * DILATION_H));
    if (VECTOR_X) {
        return taps_of(padded_row(plane, depth_height, start.z))[0];
    }
    let row_start = x_index(plane, row_inside(depth_height));
    let row_exists = all(depth_height >= vec2(0)) && all(depth_height < vec2<i32>(params.input_size.xy));
    let first = start.z + i32(STRIDE_W) * LANES_OF_4;
    var taps: array<vec4<f32>, KERNEL_W>;
    for (var kw = 0u; kw < KERNEL_W; kw++) { // unroll
        taps[kw] = load_tap(row_start, row_exists, first + i32(kw * DILATION_W));
    }
    return taps;
}

// What windows are made of, at a rate, with the rows of taps that were kept.
struct Seen {
    kept: array<array<vec4<f32>, KERNEL_W>, KEPT_ROWS>,
    extremes: Extremes,
    sums: Sums,
}

fn seen_from(plane: vec2<u32>, start: vec3<i32>, rate: f32) -> Seen {
    var seen: Seen;
    seen.extremes = no_extremes();
    for (var row = 0u; row < TAP_ROWS; row++) { // unroll if KEEP
        let taps = load_taps(plane, start, row);
        seen.extremes = with_extremes(seen.extremes, taps);
        if (KEEP > 0u) {
            seen.kept[row] = taps;
        }
    }
    for (var row = 0u; row < TAP_ROWS; row++) { // unroll if KEEP
        if (KEEP > 0u) {
            seen.sums = with_sums(seen.sums, seen.kept[row], seen.extremes.c, rate);
        } else {
            seen.sums = with_sums(seen.sums, load_taps(plane, start, row), seen.extremes.c, rate);
        }
    }
    return seen;
}
