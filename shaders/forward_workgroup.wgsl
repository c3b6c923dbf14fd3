// Forward for windows too large for one invocation: a workgroup of LANES_X x LANES_Y shares one.
//
// Lanes stride over the window's rows and columns, each keeping c, s and d of what it saw: CHUNK elements at once about
// one new centre. Two such partial windows merge about the larger centre:
//
//     c = max(c1, c2)    f_k = exp(beta (c_k - c)) s_k    s = f1 + f2    d = sum f_k / s (d_k + c_k - c)

struct Partial {
    c: f32,
    s: f32,
    half_d: f32,
    flags: u32,
}

const LANES = LANES_X * LANES_Y;
const ROWS = KERNEL_D * KERNEL_H;

var<workgroup> partials: array<Partial, LANES>;

// d's part of a window about centre c that has moved there from `old`: f / s (d + old.c - c), in halves.
fn moved(old: Partial, c: f32, f: f32, s: f32) -> f32 {
    return select(0.0, f / s * (old.half_d + (0.5 * old.c - 0.5 * c)), f > 0.0);
}

// What of s remains about a centre c at or above its own.
fn remaining(old: Partial, c: f32) -> f32 {
    return select(0.0, old.s * weigh(0.5 * old.c - 0.5 * c), old.s > 0.0);
}

fn merge(a: Partial, b: Partial) -> Partial {
    let c = max(a.c, b.c);
    let on_a = remaining(a, c);
    let on_b = remaining(b, c);
    let s = on_a + on_b;
    return Partial(c, s, moved(a, c, on_a, s) + moved(b, c, on_b, s), a.flags | b.flags);
}

@compute @workgroup_size(LANES_X, LANES_Y, 1)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>) {
    let block = block_at(workgroup, params.output_size);
    if (!block.inside) {
        return;
    }
    let plane_start = x_plane(block.plane);
    let start = window_start(block.first);
    let last = vec3<i32>(params.input_size) - 1;

    var seen = Partial(from_bits(INFINITY_BITS | 0x80000000u), 0.0, 0.0, 0u);
    for (var first_row = lane.y; first_row < ROWS; first_row += LANES_Y * CHUNK_ROWS) {
        for (var first_column = lane.x; first_column < KERNEL_W; first_column += LANES_X * CHUNK_COLUMNS) {
            var z: array<f32, CHUNK>;
            var counts: array<bool, CHUNK>;
            var c = seen.c;
            for (var i = 0u; i < CHUNK_ROWS; i++) { // unroll
                let row = first_row + i * LANES_Y;
                let kd_kh = vec2<i32>(vec2(row / KERNEL_H * DILATION_D, row % KERNEL_H * DILATION_H));
                let dh = clamp(start.xy + kd_kh, vec2(0), last.xy);
                let row_counts = row < ROWS && all(start.xy + kd_kh == dh);
                let row_start = x_index(plane_start, vec3(vec2<u32>(dh), 0u));
                for (var j = 0u; j < CHUNK_COLUMNS; j++) { // unroll
                    const k = i * CHUNK_COLUMNS + j;
                    let column = first_column + j * LANES_X;
                    let w = start.z + i32(column * DILATION_W);
                    let clamped = clamp(w, 0, last.z);
                    z[k] = load_z(row_start + u32(clamped));
                    counts[k] = row_counts && column < KERNEL_W && w == clamped;
                    if (counts[k] && !is_finite(z[k])) {
                        seen.flags |= not_finite(z[k]);
                        counts[k] = false;
                    }
                    c = select(c, max(c, z[k]), counts[k]);
                }
            }
            let kept = remaining(seen, c);
            var e: array<f32, CHUNK>;
            var s = kept;
            for (var k = 0u; k < CHUNK; k++) { // unroll
                e[k] = select(0.0, weigh(0.5 * z[k] - 0.5 * c), counts[k]);
                s += e[k];
            }
            let weight_of_one = select(0.0, 1.0 / s, s > 0.0);
            var half_d = moved(seen, c, kept, s);
            for (var k = 0u; k < CHUNK; k++) { // unroll
                half_d += select(0.0, e[k] * weight_of_one * (0.5 * z[k] - 0.5 * c), counts[k]);
            }
            seen = Partial(c, s, half_d, seen.flags);
        }
    }

    // Halve the number of partial windows until one is left; LANES need not be a power of two.
    let index = lane.y * LANES_X + lane.x;
    partials[index] = seen;
    var count = LANES;
    while (count > 1u) {
        workgroupBarrier();
        let half = (count + 1u) / 2u;
        if (index + half < count) {
            partials[index] = merge(partials[index], partials[index + half]);
        }
        count = half;
    }
    if (index == 0u) {
        let whole = partials[0];
        let window = resolve(whole.c, whole.s, whole.half_d, whole.flags);
        store_window(window_index(block.plane, block.first), window);
    }
}
