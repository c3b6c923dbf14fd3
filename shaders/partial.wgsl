// The partial window: what has been seen of a window, for four windows side by side, and its merge.
//
// An element weighs exp(beta (z - z0)) = m 2^n, where z0 is 0 unless values are large:
//
//     beta log2(e) (z - z0) = n + f,   |f| <= 1 / 2,   m = 2^f
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
// In two parts, the first of 12 bits.
const LOG2_E_HIGH = 1.4423828125;
const LOG2_E_LOW = 3.1222839e-4;

// With a beta below LEAST_BETA every z is within reach of 0, and sums of the largest may leave the range of f32: there a kernel
// that can't go by the definition keeps weights 2^HEADROOM times smaller.
fn headroom() -> i32 {
    return select(0, HEADROOM, beta_is_small());
}

// What the weights of a window are divided by.
fn whole_sum(window: Partial) -> vec4<f32> {
    return window.s * select(1.0, f32(1 << u32(HEADROOM)), beta_is_small());
}

// What elements are measured from: z0. Those further away than `reach` count as that far.
struct Reference {
    z0: f32,
    reach: f32,
    // Windows whose exponent is beyond this may have such an element for their maximum.
    limit: i32,
    // beta log2(e) in two parts, times beta_scale(): a product of the first with a number of 12 bits is exact (Dekker).
    rate_high: f32,
    rate_low: f32,
}

fn reference_about(z0: f32, reach: f32, limit: i32) -> Reference {
    let beta = beta() * beta_scale();
    let beta_high = leading_bits(vec4(beta)).x;
    let rate_high = leading_bits(vec4(beta * LOG2_E)).x;
    let rest = unforeseen(vec4(beta_high * LOG2_E_HIGH - rate_high)).x;
    let rate_low = rest + (beta_high * LOG2_E_LOW + (beta - beta_high) * LOG2_E);
    return Reference(z0, reach, limit, rate_high, rate_low);
}

// The reference of windows with an element of `z`. Exponents are exact up to 2^15; and z - z0 is exact about a z0 of 0, and
// where z is near a large one.
fn reference_of(z: f32) -> Reference {
    if (beta_is_small()) {
        return reference_about(0.0, LARGEST, 23600);
    }
    if (is_finite(z) && beta() * abs(z) > 8192.0) {
        return reference_about(z, 4096.0 / beta(), 5900);
    }
    return reference_about(0.0, 16384.0 / beta(), 23600);
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

// The upper 12 of a number's 24 bits.
fn leading_bits(values: vec4<f32>) -> vec4<f32> {
    return bitcast<vec4<f32>>(bitcast<vec4<u32>>(values) & vec4(0xfffff000u));
}

// The window whose rows these are.
fn whole(rows: array<Partial, RING_TAPS>) -> Partial {
    var n = rows[0].n;
    var p = rows[0].p;
    for (var row = 0u; row < RING_TAPS; row++) { // unroll
        n = max(n, rows[row].n);
        p = max(p, rows[row].p);
    }
    // Sums of fewer terms are off by less.
    var sums: array<Partial, RING_SUMS>;
    for (var row = 0u; row < RING_TAPS; row++) { // unroll
        sums[row % RING_SUMS] = plus(sums[row % RING_SUMS], about(rows[row], n, p));
    }
    var window = no_partial(n, p);
    for (var i = 0u; i < RING_SUMS; i++) { // unroll
        window = plus(window, sums[i]);
    }
    return window;
}

// 2^f for |f| <= 0.51: the minimax polynomial with 1 at 0, good to 3e-9.
fn exp2_near_0(f: vec4<f32>) -> vec4<f32> {
    if (NATIVE_EXP2) {
        return exp2(f);
    }
    let q = ((1.5596293e-4 * f + 1.3407258e-3) * f + 9.617685e-3) * f + 5.550309e-2;
    return ((q * f + 0.24022652) * f + 0.69314724) * f + 1.0;
}

struct Weights {
    m: vec4<f32>,
    n: vec4<i32>,
    // z, or what is below all that counts: finite, whatever was read.
    z: vec4<f32>,
}

// What products of a small beta are scaled by, lest they be below the range of f32.
fn beta_scale() -> f32 {
    if (ORDINARY_BETA) {
        return 1.0;
    }
    return select(1.0, 1.8446744e19, beta() < 1e-18);
}

// The weights of four elements, off by 2 ulp wherever they lie.
fn weights(z: vec4<f32>, inside: vec4<bool>, reference: Reference) -> Weights {
    let counts = inside & (magnitude_bits4(z) < vec4(INFINITY_BITS));
    let finite = select(vec4(LOWEST_Z), z, counts);
    let u = clamp(finite - reference.z0, vec4(-reference.reach), vec4(reference.reach)) * (1.0 / beta_scale());
    let n = round(u * (reference.rate_high + reference.rate_low));
    let u_high = leading_bits(u);
    let f = unforeseen(u_high * reference.rate_high - n) + ((u - u_high) * reference.rate_high + u * reference.rate_low);
    let minus_infinity = select(NOTHING, DROWNED, beta_is_0());
    let no_number = select(vec4(BROKEN), vec4(minus_infinity), bitcast<vec4<u32>>(z) == vec4(MINUS_INFINITY_BITS));
    // The integer nearest to n, from its bits beside 1.5 2^23.
    let exponent = bitcast<vec4<i32>>(n + 12582912.0) - 0x4b400000;
    // What lies further below weighs nothing, or its window goes by the definition.
    let bounded = max(finite, vec4(reference.z0 - reference.reach));
    return Weights(exp2_near_0(f), select(select(vec4(NOTHING), no_number, inside), exponent, counts), bounded);
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
