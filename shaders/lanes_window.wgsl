// A window that LANES_X x LANES_Y lanes evaluate together.
//
// Lanes stride over the window's rows, and over the columns four at a time, each keeping c, s and q of what it saw: CHUNK
// vectors of four at once about one new centre. Two such partial windows merge about the larger centre:
//
//     q = sum SCALE e_i (z_i - c)         c = max(c1, c2)    f_k = exp(beta (c_k - c))
//     s = sum f_k s_k                     q = sum f_k (q_k + SCALE s_k (c_k - c))          d = q / s / SCALE
//
// SCALE, at most 1 / the number of taps, keeps sums of the largest values in the range of f32; being a power of 2 it rounds
// nothing.

const SCALE = 1.0 / f32(1u << SCALE_BITS);

struct Partial {
    magnitude: u32,
    c: f32,
    s: f32,
    q: f32,
}

// What a lane has seen: s and q by parts, all about one centre.
alias Term = vec2<f32>;
struct Seen {
    magnitude: u32,
    c: f32,
    sq: Levels,
}

// Parts that one invocation merges.
const PARTS = min(GROUP, 8u);

var<workgroup> partials: array<Partial, LANES>;

// From a centre to a larger one: what s and q are multiplied by, and what each of s adds to q then. What saw nothing stays empty.
fn rise(c: f32, larger: f32) -> vec2<f32> {
    return vec2(select(0.0, weigh(c, larger), is_finite(c)), SCALE * offset(c, larger));
}

fn raised(sq: Term, by: vec2<f32>) -> Term {
    let s = by.x * sq.x;
    return vec2(s, by.x * sq.y + s * by.y);
}

fn merge(a: Partial, b: Partial) -> Partial {
    let c = max(a.c, b.c);
    let sq = raised(vec2(a.s, a.q), rise(a.c, c)) + raised(vec2(b.s, b.q), rise(b.c, c));
    return Partial(max(a.magnitude, b.magnitude), c, sq.x, sq.y);
}

// Chunk n of a lane, of which some elements may not count.
fn with_chunk(seen: Seen, n: u32, z: array<vec4<f32>, CHUNK>, counts: array<vec4<bool>, CHUNK>) -> Seen {
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
    let by = rise(seen.c, c);
    var before = seen.sq;
    for (var level = 0u; level < LEVELS; level++) { // unroll
        before[level] = raised(before[level], by);
    }
    let sq = vec2((s.x + s.y) + (s.z + s.w), (q.x + q.y) + (q.z + q.w));
    return Seen(max(max(magnitude.x, magnitude.y), max(magnitude.z, magnitude.w)), c, with_term(before, sq, n));
}

// The first element of row `row` of those inside, or of the last.
fn start_of_row(window: Inside, row: u32) -> vec3<u32> {
    let taps = vec3(row_taps(window, min(row, window.count.x * window.count.y - 1u)), window.first.z);
    return vec3<u32>(window.start + vec3<i32>(taps * DILATION));
}

// The chunk of a lane that starts at a row and a tap of those inside: CHUNK_ROWS rows of CHUNK_QUADS vectors. What is beyond
// the window repeats its end.
fn load_chunk(window: Inside, first: vec2<u32>) -> array<vec4<f32>, CHUNK> {
    var z: array<vec4<f32>, CHUNK>;
    for (var i = 0u; i < CHUNK_ROWS; i++) { // unroll
        let row_start = x_index(window.plane, start_of_row(window, first.x + i * LANES_Y));
        for (var j = 0u; j < CHUNK_QUADS; j++) { // unroll
            let tap = first.y + 4u * LANES_X * j;
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

fn counts_of_chunk(window: Inside, first: vec2<u32>) -> array<vec4<bool>, CHUNK> {
    var counts: array<vec4<bool>, CHUNK>;
    for (var i = 0u; i < CHUNK_ROWS; i++) { // unroll
        let row_counts = first.x + i * LANES_Y < window.count.x * window.count.y;
        for (var j = 0u; j < CHUNK_QUADS; j++) { // unroll
            let taps = vec4(first.y + 4u * LANES_X * j) + vec4(0u, 1u, 2u, 3u);
            counts[i * CHUNK_QUADS + j] = vec4(row_counts) & (taps < vec4(window.count.z));
        }
    }
    return counts;
}

// The row and the tap at which a lane's next chunk starts: along the rows first, then beyond the last.
fn next_chunk(window: Inside, lane: u32, first: vec2<u32>) -> vec2<u32> {
    let next = first + vec2(0u, 4u * LANES_X * CHUNK_QUADS);
    let row = vec2(first.x + LANES_Y * CHUNK_ROWS, 4u * (lane % LANES_X));
    return select(next, row, next.y - row.y >= window.count.z);
}

fn first_chunk(lane: u32) -> vec2<u32> {
    return vec2(lane / LANES_X, 4u * (lane % LANES_X));
}

fn is_last(window: Inside, lane: u32, first: vec2<u32>) -> bool {
    return first.x - lane / LANES_X >= window.count.x * window.count.y;
}

// Loops end with their test: a software driver runs a body that is tested first once more than it says.
fn seen_by(window: Inside, lane: u32) -> Partial {
    var seen = Seen(0u, from_bits(MINUS_INFINITY_BITS), Levels());
    var n = 0u;
    var at = first_chunk(lane);
    loop {
        seen = with_chunk(seen, n, load_chunk(window, at), counts_of_chunk(window, at));
        n++;
        at = next_chunk(window, lane, at);
        continuing {
            break if is_last(window, lane, at);
        }
    }
    let sq = sum_of(seen.sq);
    return Partial(seen.magnitude, seen.c, sq.x, sq.y);
}

// Lanes merge in pairs until PARTS of each window are left.
fn merge_lanes(group: u32, lane: u32, seen: Partial) {
    let own = group * GROUP + lane;
    partials[own] = seen;
    workgroupBarrier();
    for (var parts = GROUP / 2u; parts >= PARTS; parts /= 2u) {
        if (lane < parts) {
            partials[own] = merge(partials[own], partials[own + parts]);
        }
        workgroupBarrier();
    }
}

// The window of a group from its PARTS, which one invocation merges.
fn finish(group: u32) -> Window {
    var whole = partials[group * GROUP];
    var i = 1u;
    loop {
        if (PARTS > 1u) {
            whole = merge(whole, partials[group * GROUP + i]);
        }
        i++;
        continuing {
            break if i >= PARTS;
        }
    }
    return resolve(whole.magnitude, whole.c, whole.s, whole.q / whole.s / SCALE);
}
