// Forward for windows too large for one invocation: a workgroup of LANES_X x LANES_Y shares one.
//
// Lanes stride over the window's rows, and over the columns four at a time, each keeping c, s and q of what it saw: CHUNK
// vectors of four at once about one new centre. Two such partial windows merge about the larger centre:
//
//     q = sum e_i (z_i - c) / 1024        c = max(c1, c2)    f_k = exp(beta (c_k - c))
//     s = sum f_k s_k                     q = sum f_k (q_k + s_k (c_k - c) / 1024)         d = 1024 q / s
//
// The 1024 keeps sums of the largest values in the range of f32; being a power of 2 it rounds nothing.

struct Partial {
    magnitude: u32,
    c: f32,
    s: f32,
    q: f32,
}

const SCALE = 1.0 / 1024.0;

var<workgroup> partials: array<Partial, LANES>;

// A partial window about a centre at or above its own; one that saw nothing stays empty.
fn about(part: Partial, c: f32) -> Partial {
    let f = select(0.0, weigh(part.c, c), part.s > 0.0);
    return Partial(part.magnitude, c, f * part.s, f * part.q + f * part.s * (SCALE * offset(part.c, c)));
}

fn merge(a: Partial, b: Partial) -> Partial {
    let on_a = about(a, max(a.c, b.c));
    let on_b = about(b, max(a.c, b.c));
    return Partial(max(a.magnitude, b.magnitude), on_a.c, on_a.s + on_b.s, on_a.q + on_b.q);
}

// A partial window with a chunk of elements more, of which some may not count.
fn with_chunk(seen: Partial, z: array<vec4<f32>, CHUNK>, counts: array<vec4<bool>, CHUNK>) -> Partial {
    var highest = vec4(seen.c);
    var magnitude = vec4(seen.magnitude);
    for (var k = 0u; k < CHUNK; k++) { // unroll
        highest = select(highest, max(highest, z[k]), counts[k]);
        magnitude = select(magnitude, max(magnitude, magnitude_bits4(z[k])), counts[k]);
    }
    let c = max(max(highest.x, highest.y), max(highest.z, highest.w));
    var s = vec4(0.0);
    var q = vec4(0.0);
    for (var k = 0u; k < CHUNK; k++) { // unroll
        let e = weigh4(z[k], c);
        s += select(vec4(0.0), e, counts[k]);
        q += select(vec4(0.0), e * (SCALE * max(z[k] - c, vec4(-LARGEST))), counts[k]);
    }
    let before = about(seen, c);
    return Partial(
        max(max(magnitude.x, magnitude.y), max(magnitude.z, magnitude.w)),
        c,
        before.s + ((s.x + s.y) + (s.z + s.w)),
        before.q + ((q.x + q.y) + (q.z + q.w)),
    );
}

// The chunk of a lane that starts at a row and a tap of those inside: CHUNK_ROWS rows of CHUNK_QUADS vectors. What is beyond
// the window repeats its end.
fn load_chunk(window: Inside, first_row: u32, first_tap: u32) -> array<vec4<f32>, CHUNK> {
    var z: array<vec4<f32>, CHUNK>;
    for (var i = 0u; i < CHUNK_ROWS; i++) { // unroll
        let row = min(first_row + i * LANES_Y, window.count.x * window.count.y - 1u);
        let taps = window.first + vec3(row / window.count.y, row % window.count.y, 0u);
        let at = vec3<u32>(window.start + vec3<i32>(taps * DILATION));
        let row_start = x_index(window.plane, at);
        for (var j = 0u; j < CHUNK_QUADS; j++) { // unroll
            let tap = first_tap + 4u * LANES_X * j;
            if (VECTOR_X) {
                // Windows start and end at multiples of 4, and so do rows: four are inside, or none.
                z[i * CHUNK_QUADS + j] = 0.5 * sign_of_beta() * load_x4(row_start + min(tap, window.count.z - 4u));
            } else {
                let last = window.count.z - 1u;
                z[i * CHUNK_QUADS + j] = vec4(
                    load_z(row_start + min(tap, last) * DILATION_W * step_x()),
                    load_z(row_start + min(tap + 1u, last) * DILATION_W * step_x()),
                    load_z(row_start + min(tap + 2u, last) * DILATION_W * step_x()),
                    load_z(row_start + min(tap + 3u, last) * DILATION_W * step_x()),
                );
            }
        }
    }
    return z;
}

fn counts_of_chunk(window: Inside, first_row: u32, first_tap: u32) -> array<vec4<bool>, CHUNK> {
    var counts: array<vec4<bool>, CHUNK>;
    for (var i = 0u; i < CHUNK_ROWS; i++) { // unroll
        let row_counts = first_row + i * LANES_Y < window.count.x * window.count.y;
        for (var j = 0u; j < CHUNK_QUADS; j++) { // unroll
            let taps = vec4(first_tap + 4u * LANES_X * j) + vec4(0u, 1u, 2u, 3u);
            counts[i * CHUNK_QUADS + j] = vec4(row_counts) & (taps < vec4(window.count.z));
        }
    }
    return counts;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let block = block_at(workgroup, params.output_size);
    if (!block.inside) {
        return;
    }
    let window = inside_input(block);
    let count = window.count;
    let rows = count.x * count.y;
    let lane = vec2(index % LANES_X, index / LANES_X);

    // Whole chunks need no masks; the rest of each row, and the last rows, do.
    const STEP_ROWS = LANES_Y * CHUNK_ROWS;
    const STEP_TAPS = 4u * LANES_X * CHUNK_QUADS;
    let whole_rows = rows / STEP_ROWS * STEP_ROWS;
    let whole_taps = count.z / STEP_TAPS * STEP_TAPS;
    var all_count: array<vec4<bool>, CHUNK>;
    for (var k = 0u; k < CHUNK; k++) { // unroll
        all_count[k] = vec4(true);
    }
    var seen = Partial(0u, from_bits(MINUS_INFINITY_BITS), 0.0, 0.0);
    for (var row = 0u; row < rows; row += STEP_ROWS) {
        let row_is_whole = row < whole_rows;
        let whole = select(0u, whole_taps, row_is_whole);
        for (var tap = 0u; tap < whole; tap += STEP_TAPS) {
            seen = with_chunk(seen, load_chunk(window, row + lane.y, tap + 4u * lane.x), all_count);
        }
        for (var tap = whole; tap < count.z; tap += STEP_TAPS) {
            let counts = counts_of_chunk(window, row + lane.y, tap + 4u * lane.x);
            seen = with_chunk(seen, load_chunk(window, row + lane.y, tap + 4u * lane.x), counts);
        }
    }

    // Halve the number of partial windows until one is left; LANES need not be a power of two.
    partials[index] = seen;
    var parts = LANES;
    while (parts > 1u) {
        workgroupBarrier();
        let half = (parts + 1u) / 2u;
        if (index + half < parts) {
            partials[index] = merge(partials[index], partials[index + half]);
        }
        parts = half;
    }
    if (index == 0u) {
        let whole = partials[0];
        store_window(block.plane, block.first, resolve(whole.magnitude, whole.c, whole.s, whole.q / whole.s / SCALE));
    }
}
