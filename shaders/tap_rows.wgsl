// Windows of a strip from the rows in a ring: what forward_taps and backward_taps share.
//
// The prelude has `taps_of`, which takes the taps of each four windows from a row.

struct Line {
    // Inputs, LOWEST_Z in the padding; with ORDINARY_BETA of numbers alone.
    z: array<vec4<f32>, QUADS>,
    // With TANGENT, the direction.
    v: array<vec4<f32>, QUADS>,
}

// What stands for +inf and for NaN, so that the largest tap tells of both: z are halves of f32, and none so large.
const AS_INFINITY = 2e38;
const ABOVE_INFINITY = 3e38;

fn numbers_of(z: vec4<f32>) -> vec4<f32> {
    let infinite = bitcast<vec4<u32>>(z) == vec4(INFINITY_BITS);
    return select(select(z, vec4(AS_INFINITY), infinite), vec4(ABOVE_INFINITY), magnitude_bits4(z) > vec4(INFINITY_BITS));
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

fn with_largest(before: vec4<f32>, taps: array<vec4<f32>, KERNEL_W>) -> vec4<f32> {
    var largest = before;
    for (var kw = 0u; kw < KERNEL_W; kw++) { // unroll
        largest = max(largest, taps[kw]);
    }
    return largest;
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
        extremes.magnitude = select(vec4(0u), vec4(NAN_BITS), extremes.c == vec4(ABOVE_INFINITY));
        let infinite = extremes.c == vec4(AS_INFINITY);
        extremes.magnitude = select(extremes.magnitude, vec4(INFINITY_BITS), infinite);
        extremes.c = select(extremes.c, vec4(from_bits(INFINITY_BITS)), infinite);
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
}

fn moments_of(taps: Taps, factors: Factors, s: vec4<f32>) -> Moments {
    var moments: Moments;
    for (var kh = 0u; kh < KERNEL_H; kh++) { // unroll
        for (var kw = 0u; kw < KERNEL_W; kw++) { // unroll
            let e_v = tap_weight(taps.z[kh][kw], factors.c) * taps.v[kh][kw];
            moments.v += e_v;
            moments.beta_k += e_v * (rated(taps.z[kh][kw], factors.c, beta()) - factors.mean_t);
        }
    }
    return Moments(moments.v / s, moments.beta_k / s);
}
