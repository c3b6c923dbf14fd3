// The partial window: what has been seen of a window, for four windows side by side, and its merge.
//
// An element weighs exp(beta (z - z0)) = m 2^n, where z0 is 0 unless values are large:
//
//     beta (z - z0) = n ln 2 + r,   |r| <= ln 2 / 2,   m = exp(r)
//
// Its exponent is an integer of its own, so that no weight under- or overflows however far windows lie from each other, and a
// merge scales by powers of 2, which round nothing:
//
//     N = max n      p = max z      s = sum m 2^(n - N)      q = sum m 2^(n - N) (z - p)
//     two parts:     f_k = 2^(N_k - N)      s = sum f_k s_k      q = sum f_k (q_k + s_k (p_k - p))
//
// p is the window's own maximum: y = p + q / s is as accurate beside a value of 1e4 as alone, and around a mean of 1e4 as
// around 0. Other payloads move with p as q does.

// Exponents that stand for no number: of what takes no part, of -inf where all weigh alike (beta = 0), and of a NaN or +inf.
const NOTHING = -(1 << 20);
const DROWNED = (1 << 20) - 1;
const BROKEN = 1 << 20;
// Stands for an element that takes no part, where a finite number has to: below half of the least.
const LOWEST_Z = -1.8e38;

// With a smaller beta every z is within reach of 0, and sums of the largest may leave the range of f32: there a kernel that
// can't go by the definition keeps weights 2^HEADROOM times smaller.
const LEAST_BETA = 9.6e-35;

fn headroom() -> i32 {
    return select(0, HEADROOM, beta() < LEAST_BETA);
}

// What the weights of a window are divided by.
fn whole_sum(window: Partial) -> vec4<f32> {
    return window.s * select(1.0, f32(1 << u32(HEADROOM)), beta() < LEAST_BETA);
}

// What elements are measured from.
struct Reference {
    z0: f32,
    // How far an element may lie from z0: further ones count as that far.
    reach: f32,
    // Windows whose exponent is beyond this may have such an element for their maximum.
    limit: i32,
}

// The reference of windows with an element of `z`. Products of beta with differences are exact to 2^-36 of them, those of n and
// LN_2_HIGH are exact up to 2^15; and z - z0 is exact about a z0 of 0, and where z is near a large one.
fn reference_of(z: f32) -> Reference {
    if (beta() < LEAST_BETA) {
        return Reference(0.0, LARGEST, 23600);
    }
    if (is_finite(z) && beta() * abs(z) > 8192.0) {
        return Reference(z, 4096.0 / beta(), 5900);
    }
    return Reference(0.0, 16384.0 / beta(), 23600);
}

struct Partial {
    n: vec4<i32>,
    p: vec4<f32>,
    s: vec4<f32>,
    q: vec4<f32>,
    // BY_BETA: sum w (z - p)^2. Else with TANGENT: sum w v and sum w (z - p) v, for a direction v.
    a: vec4<f32>,
    b: vec4<f32>,
}

fn no_partial(n: vec4<i32>, p: vec4<f32>) -> Partial {
    return Partial(n, p, vec4(0.0), vec4(0.0), vec4(0.0), vec4(0.0));
}

// 2^(n - N), or 0 below the range of f32, for n <= N and a bias of N - 127.
fn power_of_2(n: vec4<i32>, bias: vec4<i32>) -> vec4<f32> {
    return bitcast<vec4<f32>>(max(n - bias, vec4(0)) << vec4(23u));
}

// A part about an exponent and a pivot that are not less than its own.
fn about(part: Partial, n: vec4<i32>, p: vec4<f32>) -> Partial {
    let f = power_of_2(part.n, n - 127);
    let step = part.p - p;
    let s = f * part.s;
    var moved = Partial(n, p, s, f * part.q + s * step, vec4(0.0), vec4(0.0));
    if (BY_BETA) {
        moved.a = f * part.a + step * (2.0 * f * part.q + s * step);
    } else if (TANGENT) {
        moved.a = f * part.a;
        moved.b = f * part.b + moved.a * step;
    }
    return moved;
}

// The sum of two parts about the same exponent and pivot.
fn plus(first: Partial, second: Partial) -> Partial {
    var sum = Partial(first.n, first.p, first.s + second.s, first.q + second.q, vec4(0.0), vec4(0.0));
    if (BY_BETA || TANGENT) {
        sum.a = first.a + second.a;
        sum.b = first.b + second.b;
    }
    return sum;
}

fn merged(first: Partial, second: Partial) -> Partial {
    let n = max(first.n, second.n);
    let p = max(first.p, second.p);
    return plus(about(first, n, p), about(second, n, p));
}

// The same values, of which a compiler knows nothing: some take (a - b) + c for a + (c - b).
fn unforeseen(values: vec4<f32>) -> vec4<f32> {
    return bitcast<vec4<f32>>(bitcast<vec4<u32>>(values) ^ vec4(params.zero));
}

// exp(r) for |r| <= ln 2 / 2.
fn exp_near_0(r: vec4<f32>) -> vec4<f32> {
    if (NATIVE_EXP2) {
        return exp2(r * LOG2_E);
    }
    let q = (((1.3814598e-3 * r + 8.368717e-3) * r + 4.166839e-2) * r + 0.16666521) * r + 0.49999994;
    return r * r * q + r + 1.0;
}

struct Weights {
    m: vec4<f32>,
    n: vec4<i32>,
    // z, or what is below all that counts.
    z: vec4<f32>,
}

// What products of a small beta are scaled by, lest they be below the range of f32.
fn beta_scale() -> f32 {
    return select(1.0, 1.8446744e19, beta() < 1e-18);
}

// The weights of four elements, off by 2 ulp wherever they lie: beta u is split so that its large part is exact (Dekker).
fn weights(z: vec4<f32>, inside: vec4<bool>, reference: Reference) -> Weights {
    let known = select(vec4(from_bits(MINUS_INFINITY_BITS)), z, inside);
    let u = clamp(max(known, vec4(LOWEST_Z)) - reference.z0, vec4(-reference.reach), vec4(reference.reach));
    let n = round((beta() * u) * LOG2_E);
    let beta_high = bitcast<f32>(bitcast<u32>(beta()) & 0xfffff000u);
    let scaled = beta() * beta_scale();
    let beta_low = scaled - bitcast<f32>(bitcast<u32>(scaled) & 0xfffff000u);
    let high = bitcast<vec4<f32>>(bitcast<vec4<u32>>(u) & vec4(0xfffff000u));
    let rest = (beta_high * (u - high) + beta_low * (u * (1.0 / beta_scale()))) - n * LN_2_LOW;
    let r = unforeseen(beta_high * high - n * LN_2_HIGH) + rest;
    let minus_infinity = vec4(select(NOTHING, DROWNED, beta() == 0.0));
    let number = select(vec4<i32>(n), vec4(BROKEN), magnitude_bits4(known) >= vec4(INFINITY_BITS));
    let nothing = select(vec4(NOTHING), minus_infinity, inside);
    let exponent = select(number, nothing, bitcast<vec4<u32>>(known) == vec4(MINUS_INFINITY_BITS));
    // What lies further below weighs nothing, or its window goes by the definition.
    let bounded = max(known, vec4(max(reference.z0 - reference.reach, LOWEST_Z)));
    return Weights(exp_near_0(r), exponent, bounded);
}

// Whether a window has neither weights nor a derivative: not so one of nothing but -inf.
fn is_broken(window: Partial) -> vec4<bool> {
    return (window.n == vec4(BROKEN)) | ((window.n == vec4(DROWNED)) & (window.p > vec4(LOWEST_Z)));
}

// Whether a window has something that counts, but lies too far from z0, or is broken: then it goes by the definition.
fn is_far(window: Partial, reference: Reference) -> vec4<bool> {
    let near = (window.n <= vec4(reference.limit)) & (window.n >= vec4(200 - reference.limit));
    let finite = magnitude_bits4(window.q / window.s) < vec4(INFINITY_BITS);
    return (window.n > vec4(NOTHING)) & !(near & finite);
}
