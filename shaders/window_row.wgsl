// What a row of the input adds to the windows of a strip.
//
// Rows are arrays of vectors of four; the prelude has how their elements move: `at_windows` takes the first tap of each window,
// `next_taps` moves each element to where its predecessor by one tap was.

struct Row {
    m: array<vec4<f32>, QUADS>,
    n: array<vec4<i32>, QUADS>,
    z: array<vec4<f32>, QUADS>,
    // The direction, with TANGENT.
    v: array<vec4<f32>, QUADS>,
}

fn row_at(plane: vec2<u32>, depth_height: vec2<i32>, first_column: i32, about: Reference) -> Row {
    let values = load_row(plane, depth_height, first_column);
    let inside = inside_row(depth_height, first_column);
    var row: Row;
    for (var quad = 0u; quad < QUADS; quad++) { // unroll
        let four = weights(values[quad], inside[quad], about);
        row.m[quad] = four.m;
        row.n[quad] = four.n;
        row.z[quad] = four.z;
    }
    if (TANGENT) {
        let start = tangent_index(plane, row_inside(depth_height));
        for (var quad = 0u; quad < QUADS; quad++) { // unroll
            let at = start + columns_inside(first_column, quad) * step_tangent();
            let four = vec4(load_tangent(at.x), load_tangent(at.y), load_tangent(at.z), load_tangent(at.w));
            // What takes no part may be anything.
            row.v[quad] = select(vec4(0.0), four, row.n[quad] != vec4(NOTHING));
        }
    }
    return row;
}

// A row's part of each window. The row slides along below the windows, a tap a turn: the text is the same for every kernel size.
fn windows_of_row(row: Row) -> array<Partial, WINDOW_QUADS> {
    var parts: array<Partial, WINDOW_QUADS>;
    var n = row.n;
    var z = row.z;
    for (var tap = 0u; tap < KERNEL_W; tap++) { // unroll if UNROLL_TAPS
        let window_n = at_windows_n(n);
        let window_z = at_windows(z);
        for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
            parts[quad].n = select(max(parts[quad].n, window_n[quad]), window_n[quad], tap == 0u);
            parts[quad].p = select(max(parts[quad].p, window_z[quad]), window_z[quad], tap == 0u);
        }
        n = next_taps_n(n);
        z = next_taps(z);
    }
    var bias: array<vec4<i32>, WINDOW_QUADS>;
    for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
        bias[quad] = parts[quad].n - 127 + headroom();
    }
    n = row.n;
    z = row.z;
    var m = row.m;
    var v = row.v;
    // Four taps at a time: sums of fewer terms are off by less.
    var four_taps: array<Partial, WINDOW_QUADS>;
    for (var tap = 0u; tap < KERNEL_W; tap++) { // unroll if UNROLL_TAPS
        let window_n = at_windows_n(n);
        let window_z = at_windows(z);
        let window_m = at_windows(m);
        let window_v = at_windows(v);
        for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
            let w = window_m[quad] * power_of_2(window_n[quad], bias[quad]);
            let u = window_z[quad] - parts[quad].p;
            four_taps[quad].s += w;
            four_taps[quad].q += w * u;
            if (BY_BETA) {
                four_taps[quad].a += w * u * u;
            } else if (TANGENT) {
                four_taps[quad].a += w * window_v[quad];
                four_taps[quad].b += w * u * window_v[quad];
            }
            if (tap % 4u == 3u || tap + 1u == KERNEL_W) {
                parts[quad] = plus(parts[quad], four_taps[quad]);
                four_taps[quad] = no_partial(vec4(0), vec4(0.0));
            }
        }
        n = next_taps_n(n);
        z = next_taps(z);
        m = next_taps(m);
        if (TANGENT) {
            v = next_taps(v);
        }
    }
    return parts;
}

// What the windows of a patch that starts at `start` are measured from.
fn reference_at(plane: vec2<u32>, start: vec3<i32>) -> Reference {
    let inside = clamp(start, vec3(0), vec3<i32>(params.input_size) - 1);
    return reference_of(load_z(x_index(plane, vec3<u32>(inside))));
}
