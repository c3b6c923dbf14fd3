// Windows of a strip from the rows of inputs in a ring.
//
// The prelude has `taps_of`, which takes the taps of each four windows from a row.

struct Line {
    // Inputs, LOWEST_Z in the padding; with ORDINARY_BETA of numbers alone.
    z: array<vec4<f32>, QUADS>,
    // With TANGENT, the direction.
    v: array<vec4<f32>, QUADS>,
}

fn line_at(plane: vec2<u32>, depth_height: vec2<i32>, first_column: i32) -> Line {
    var line: Line;
    line.z = padded_row(plane, depth_height, first_column);
    if (ORDINARY_BETA) {
        for (var quad = 0u; quad < QUADS; quad++) { // unroll
            line.z[quad] = numbers_of(line.z[quad]);
        }
    }
    if (TANGENT) {
        let v = load_direction_row(plane, depth_height, first_column);
        for (var quad = 0u; quad < QUADS; quad++) { // unroll
            // What takes no part may be anything.
            line.v[quad] = select(vec4(0.0), v[quad], line.z[quad] > vec4(LOWEST_Z));
        }
    }
    return line;
}

// The taps of four windows, by row.
struct Taps {
    z: array<array<vec4<f32>, KERNEL_W>, KERNEL_H>,
    v: array<array<vec4<f32>, KERNEL_W>, KERNEL_H>,
}

fn extremes_of(taps: Taps) -> Extremes {
    var extremes = no_extremes();
    for (var kh = 0u; kh < KERNEL_H; kh++) { // unroll
        if (ORDINARY_BETA) {
            extremes.c = with_largest(extremes.c, taps.z[kh]);
        } else {
            extremes = with_extremes(extremes, taps.z[kh]);
        }
    }
    if (ORDINARY_BETA) {
        return extremes_of_numbers(extremes.c);
    }
    return extremes;
}

fn sums_of(taps: Taps, c: vec4<f32>, rate: f32) -> Sums {
    var sums: Sums;
    for (var kh = 0u; kh < KERNEL_H; kh++) { // unroll
        sums = with_sums(sums, taps.z[kh], c, rate);
    }
    return sums;
}

// The same, for weights to be computed again: to keep those of all taps takes more registers than GPUs have.
fn anew(factors: Factors) -> Factors {
    var again = factors;
    again.c = unforeseen(factors.c);
    return again;
}

// What windows make of the direction: V = sum w_i v_i and beta K = sum w_i (t_i - q / s) v_i.
struct Moments {
    v: vec4<f32>,
    beta_k: vec4<f32>,
    // q / s
    mean_t: vec4<f32>,
}

fn moments_of(taps: Taps, c: vec4<f32>, sums: Sums) -> Moments {
    var moments: Moments;
    moments.mean_t = sums.q / sums.s;
    for (var kh = 0u; kh < KERNEL_H; kh++) { // unroll
        for (var kw = 0u; kw < KERNEL_W; kw++) { // unroll
            let e_v = tap_weight(taps.z[kh][kw], c) * taps.v[kh][kw];
            moments.v += e_v;
            moments.beta_k += e_v * (rated(taps.z[kh][kw], c, beta()) - moments.mean_t);
        }
    }
    moments.v /= sums.s;
    moments.beta_k /= sums.s;
    return moments;
}
