// Forward for windows too large for one invocation: a workgroup of LANES_X x LANES_Y shares one.
//
// Lanes stride over the window's rows, and over the columns four at a time, each keeping c, s and q of what it saw: CHUNK
// elements at once about one new centre. Two such partial windows merge about the larger centre:
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
const LANES = LANES_X * LANES_Y;

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

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let block = block_at(workgroup, params.output_size);
    if (!block.inside) {
        return;
    }
    let start = window_start(block.first);
    // The taps inside the input, by axis: loops over the others alone could be longer than a driver allows.
    let size = vec3<i32>(params.input_size);
    let dilation = vec3<i32>(DILATION);
    let first_inside = (max(-start, vec3(0)) + dilation - 1) / dilation;
    let end_inside = min((max(size - start, vec3(0)) + dilation - 1) / dilation, vec3<i32>(KERNEL));
    let first = vec3<u32>(first_inside);
    let count = vec3<u32>(max(end_inside - first_inside, vec3(0)));
    let rows = count.x * count.y;
    let lane = vec2(index % LANES_X, index / LANES_X);

    var seen = Partial(0u, from_bits(MINUS_INFINITY_BITS), 0.0, 0.0);
    for (var first_row = lane.y; first_row < rows; first_row += LANES_Y * CHUNK_ROWS) {
        for (var first_tap = 4u * lane.x; first_tap < count.z; first_tap += 4u * LANES_X * CHUNK_QUADS) {
            var z: array<f32, CHUNK>;
            var counts: array<bool, CHUNK>;
            for (var i = 0u; i < CHUNK_ROWS; i++) { // unroll
                let row = min(first_row + i * LANES_Y, rows - 1u);
                let taps = vec3(first.x + row / count.y, first.y + row % count.y, first.z);
                let row_start = input_index(params.x_start, block.plane, vec3<u32>(start + vec3<i32>(taps) * dilation));
                for (var j = 0u; j < CHUNK_QUADS; j++) { // unroll
                    let tap = first_tap + 4u * LANES_X * j;
                    var four: vec4<f32>;
                    if (VECTOR_X) {
                        // Windows start and end at multiples of 4, and so do rows: four are inside, or none.
                        four = 0.5 * params.sign * load_x4(row_start + min(tap, count.z - 4u));
                    }
                    for (var l = 0u; l < 4u; l++) { // unroll
                        const k = (i * CHUNK_QUADS + j) * 4u + l;
                        counts[k] = first_row + i * LANES_Y < rows && tap + l < count.z;
                        if (VECTOR_X) {
                            z[k] = four[l];
                        } else {
                            z[k] = load_z(row_start + min(tap + l, count.z - 1u) * DILATION_W);
                        }
                    }
                }
            }
            var c = seen.c;
            var magnitude = seen.magnitude;
            for (var k = 0u; k < CHUNK; k++) { // unroll
                c = select(c, max(c, z[k]), counts[k]);
                magnitude = max(magnitude, select(0u, magnitude_bits(z[k]), counts[k]));
            }
            seen = about(seen, c);
            seen.magnitude = magnitude;
            for (var k = 0u; k < CHUNK; k++) { // unroll
                let e = select(0.0, weigh(z[k], c), counts[k]);
                seen.s += e;
                seen.q += select(0.0, e * (SCALE * offset(z[k], c)), counts[k]);
            }
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
