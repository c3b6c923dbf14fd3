// Windows of few taps side by side, each a lane of vectors, by their definition:
//
//     c = max z_i        e_i = exp(beta (z_i - c))        s = sum e_i        q = sum e_i rate (z_i - c)
//
// Rows of taps are gone through once for each sum. A row is an array of its taps, each a vector of four windows; padding is LOWEST_Z.

// A row of inputs, LOWEST_Z in the padding.
fn padded_row(plane: vec2<u32>, depth_height: vec2<i32>, first_column: i32) -> array<vec4<f32>, QUADS> {
    var row = load_row(plane, depth_height, first_column);
    if (MASKED) {
        for (var quad = 0u; quad < QUADS; quad++) { // unroll
            row[quad] = select(vec4(LOWEST_Z), row[quad], inside_row(depth_height, first_column, quad));
        }
    }
    return row;
}

// What stands for +inf and for NaN, so that the largest tap tells of both: z are halves of f32, and none so large.
const AS_INFINITY = 2e38;
const ABOVE_INFINITY = 3e38;

fn numbers_of(z: vec4<f32>) -> vec4<f32> {
    let infinite = bitcast<vec4<u32>>(z) == vec4(INFINITY_BITS);
    return select(select(z, vec4(AS_INFINITY), infinite), vec4(ABOVE_INFINITY), magnitude_bits4(z) > vec4(INFINITY_BITS));
}

struct Extremes {
    c: vec4<f32>,
    // The largest bits of |z|.
    magnitude: vec4<u32>,
}

fn no_extremes() -> Extremes {
    return Extremes(vec4(from_bits(MINUS_INFINITY_BITS)), vec4(0u));
}

fn with_extremes(before: Extremes, taps: array<vec4<f32>, KERNEL_W>) -> Extremes {
    var extremes = before;
    for (var kw = 0u; kw < KERNEL_W; kw++) { // unroll
        extremes.c = max(extremes.c, taps[kw]);
        extremes.magnitude = max(extremes.magnitude, magnitude_bits4(taps[kw]));
    }
    return extremes;
}

fn with_largest(before: vec4<f32>, taps: array<vec4<f32>, KERNEL_W>) -> vec4<f32> {
    var largest = before;
    for (var kw = 0u; kw < KERNEL_W; kw++) { // unroll
        largest = max(largest, taps[kw]);
    }
    return largest;
}

// What the largest of such numbers tells.
fn extremes_of_numbers(largest: vec4<f32>) -> Extremes {
    var extremes = Extremes(largest, select(vec4(0u), vec4(NAN_BITS), largest == vec4(ABOVE_INFINITY)));
    let infinite = largest == vec4(AS_INFINITY);
    extremes.magnitude = select(extremes.magnitude, vec4(INFINITY_BITS), infinite);
    extremes.c = select(extremes.c, vec4(from_bits(INFINITY_BITS)), infinite);
    return extremes;
}

// rate (z - c), finite: what lies infinitely far below weighs nothing, and 0 times it must not be NaN.
fn rated(z: vec4<f32>, c: vec4<f32>, rate: f32) -> vec4<f32> {
    return max(rate * (z - c), vec4(-1e38));
}

// beta (z - c), times log2(e) where the driver has powers of 2: bounded, as a factor of what weighs nothing.
fn tap_exponent(z: vec4<f32>, c: vec4<f32>) -> vec4<f32> {
    if (NATIVE_EXP2) {
        return max(min(beta() * LOG2_E, LARGEST) * (z - c), vec4(-1000.0));
    }
    return max(beta() * (z - c), vec4(-1000.0));
}

fn power(exponent: vec4<f32>) -> vec4<f32> {
    if (NATIVE_EXP2) {
        return exp2(exponent);
    }
    return exp_bounded4(exponent);
}

// Padding weighs nothing: what lies so low has no weight by any ordinary beta.
fn tap_weight(z: vec4<f32>, c: vec4<f32>) -> vec4<f32> {
    let e = power(tap_exponent(z, c));
    if (MASKED && !ORDINARY_BETA) {
        return select(e, vec4(0.0), z == vec4(LOWEST_Z));
    }
    return e;
}

struct Sums {
    s: vec4<f32>,
    q: vec4<f32>,
}

// Terms are added one by one, so that a sum has the same bits whatever axes the taps lie along.
fn with_sums(before: Sums, taps: array<vec4<f32>, KERNEL_W>, c: vec4<f32>, rate: f32) -> Sums {
    var sums = before;
    for (var kw = 0u; kw < KERNEL_W; kw++) { // unroll
        let e = tap_weight(taps[kw], c);
        sums.s += e;
        sums.q += e * rated(taps[kw], c, rate);
    }
    return sums;
}

// The rate of y = c + q / s / rate: differences of the largest numbers must not add up to more than f32 holds, and where beta leaves
// them their weight, they count less.
fn forward_rate() -> f32 {
    return select(1.0, 1.0 / 256.0, beta_is_small());
}

fn windows_of(extremes: Extremes, sums: Sums) -> Windows {
    return resolve4(extremes.magnitude, extremes.c, sums.s, sums.q / sums.s * select(1.0, 256.0, beta_is_small()));
}

// What a tap's gradient depends on beside its z: with t_i = beta (z_i - c) and q = sum e_i t_i,
//
//     g e_i / s (1 + t_i - q / s) = e_i (a + b t_i)        the detached rule, and the second backward: a = g / s, b = 0
struct Factors {
    c: vec4<f32>,
    a: vec4<f32>,
    b: vec4<f32>,
    // Empty windows, and those after the last.
    nothing: vec4<bool>,
}

// NaN for a window without weights.
fn factors_of(extremes: Extremes, sums: Sums, g: vec4<f32>, exist: vec4<bool>) -> Factors {
    let factor = select(vec4(from_bits(NAN_BITS)), g, have_weights(extremes.magnitude, extremes.c));
    var a = factor / sums.s;
    var b = vec4(0.0);
    if (!DETACHED && !SECOND) {
        b = a;
        a *= 1.0 - sums.q / sums.s;
        if (NATIVE_EXP2) {
            b *= 1.0 / LOG2_E;
        }
    }
    return Factors(extremes.c, a, b, !exist | are_empty(extremes.magnitude, extremes.c));
}

// A factor of 0 is not enough: what the others meet may be infinite.
fn tap_gradient(z: vec4<f32>, factors: Factors) -> vec4<f32> {
    let exponent = tap_exponent(z, factors.c);
    return select(power(exponent) * (factors.a + factors.b * exponent), vec4(0.0), factors.nothing);
}
