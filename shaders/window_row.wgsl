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

fn row_at(plane: vec2<u32>, depth_height: vec2<i32>, first_column: i32, reference: Reference) -> Row {
    let values = load_row(plane, depth_height, first_column);
    var row: Row;
    for (var quad = 0u; quad < QUADS; quad++) { // unroll
        let four = weights(values[quad], inside_row(depth_height, first_column, quad), reference);
        row.m[quad] = four.m;
        row.n[quad] = four.n;
        row.z[quad] = four.z;
    }
    if (TANGENT) {
        let v = load_direction_row(plane, depth_height, first_column);
        for (var quad = 0u; quad < QUADS; quad++) { // unroll
            // What takes no part may be anything.
            row.v[quad] = select(vec4(0.0), v[quad], row.n[quad] != vec4(NOTHING));
        }
    }
    return row;
}

// A row on its way along below the windows, a tap a turn: the text is the same for every kernel size.
struct Slide {
    row: Row,
    parts: array<Partial, WINDOW_QUADS>,
    // Sums of up to four taps: sums of fewer terms are off by less.
    few: array<Partial, WINDOW_QUADS>,
}

fn next_tap(row: Row) -> Row {
    return Row(next_taps(row.m), next_taps_n(row.n), next_taps(row.z), next_taps(row.v));
}

// Exponents and maxima of the windows with a tap more.
fn raised(slide: Slide) -> Slide {
    var next = slide;
    let n = at_windows_n(slide.row.n);
    let z = at_windows(slide.row.z);
    for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
        next.parts[quad].n = max(slide.parts[quad].n, n[quad]);
        next.parts[quad].p = max(slide.parts[quad].p, z[quad]);
    }
    next.row = next_tap(slide.row);
    return next;
}

fn with_tap(few: Partial, part: Partial, m: vec4<f32>, n: vec4<i32>, z: vec4<f32>, v: vec4<f32>) -> Partial {
    var sum = few;
    let w = m * power_of_2(n, part.n - 127 + headroom());
    let u = z - part.p;
    sum.s += w;
    sum.q += w * u;
    if (BY_BETA) {
        sum.a += w * u * u;
    } else if (TANGENT) {
        sum.a += w * v;
        sum.b += w * u * v;
    }
    return sum;
}

fn summed(slide: Slide) -> Slide {
    var next = slide;
    let m = at_windows(slide.row.m);
    let n = at_windows_n(slide.row.n);
    let z = at_windows(slide.row.z);
    let v = at_windows(slide.row.v);
    for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
        next.few[quad] = with_tap(slide.few[quad], slide.parts[quad], m[quad], n[quad], z[quad], v[quad]);
    }
    next.row = next_tap(slide.row);
    return next;
}

fn with_few(slide: Slide) -> Slide {
    var next = slide;
    for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
        next.parts[quad] = plus(slide.parts[quad], slide.few[quad]);
        next.few[quad] = no_partial(vec4(0), vec4(0.0));
    }
    return next;
}

// A row's part of each window.
fn windows_of_row(row: Row) -> array<Partial, WINDOW_QUADS> {
    var slide: Slide;
    slide.row = row;
    let n = at_windows_n(row.n);
    let z = at_windows(row.z);
    for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
        slide.parts[quad] = no_partial(n[quad], z[quad]);
    }
    for (var tap = 0u; tap < KERNEL_W; tap++) { // unroll if UNROLL_TAPS
        slide = raised(slide);
    }
    slide.row = row;
    for (var tap = 0u; tap < KERNEL_W; tap++) { // unroll if UNROLL_TAPS
        slide = summed(slide);
        if (tap % 4u == 3u || tap + 1u == KERNEL_W) {
            slide = with_few(slide);
        }
    }
    return slide.parts;
}

// What the windows of a patch that starts at `start` are measured from.
fn reference_at(plane: vec2<u32>, start: vec3<i32>) -> Reference {
    let inside = clamp(start, vec3(0), vec3<i32>(params.input_size) - 1);
    return reference_of(load_z(x_index(plane, vec3<u32>(inside))));
}
