// The partial window: what has been seen of a window, for four windows side by side, and its merge.
//
// An element weighs exp(beta (z - z0)) = m 2^n about a reference z0 that the windows of an invocation share:
//
//     beta (z - z0) = n ln 2 + r,   |r| <= ln 2 / 2,   m = exp(r)
//
// Its exponent is an integer of its own, so that no weight under- or overflows however far a window lies from z0, and a merge
// scales by powers of 2, which round nothing:
//
//     N = max n      p = max z      s = sum m 2^(n - N)      q = sum m 2^(n - N) (z - p)
//     two parts:     f_k = 2^(N_k - N)      s = sum f_k s_k      q = sum f_k (q_k + s_k (p_k - p))
//
// p is the window's own maximum: y = p + q / s is as accurate beside a value of 1e4 as alone, and around a mean of 1e4 as
// around 0. Other payloads move with p as q does.

// Exponents that stand for no number: an element that takes no part, and what a window is if one of these is in it.
const NOTHING = -(1 << 20);
const INFINITE = 1 << 20;
const UNDEFINED = INFINITE + 1;
// With beta = 0 every element weighs alike, so that any -inf makes the window -inf.
const DROWNED = INFINITE - 1;
// Exponents beyond these may be those of values further from z0 than `reach`.
const HIGHEST = 23600;
const LOWEST = -23400;

// Stands for an element that takes no part, where a finite number has to: half the least.
const LOWEST_Z = -1.7014117e38;

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

// 2^n, or 0 below the range of f32. For n <= 0.
fn power_of_2(n: vec4<i32>) -> vec4<f32> {
    return bitcast<vec4<f32>>(max(n + 127, vec4(0)) << vec4(23u));
}

// A part about an exponent and a pivot that are not less than its own.
fn about(part: Partial, n: vec4<i32>, p: vec4<f32>) -> Partial {
    let f = power_of_2(part.n - n);
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

// With a smaller beta every z is within reach of 0.
const LEAST_BETA = 9.6e-35;

// How far from z0 an element may lie: its exponent times LN_2_HIGH is exact.
fn reach() -> f32 {
    return select(16384.0 / beta(), LARGEST, beta() < LEAST_BETA);
}

// The same values, of which a compiler knows nothing: many take (a - b) - a for -b, and an exact difference for 0.
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
    // z, or LOWEST_Z for what takes no part.
    z: vec4<f32>,
}

// The weights of four elements. z - z0 is exact as the sum of two floats (Knuth), and so is its product with beta but for
// 2^-36 of it (Dekker): a weight is off by 2 ulp wherever it lies.
fn weights(z: vec4<f32>, inside: vec4<bool>, z0: f32) -> Weights {
    let special = magnitude_bits4(z) >= vec4(INFINITY_BITS);
    let counts = inside & !special;
    let known = select(vec4(z0), z, counts);
    let u = unforeseen(known - z0);
    let back = unforeseen(u - known);
    let low = (known - (u - back)) - (z0 + back);
    let bounded = clamp(u, vec4(-reach()), vec4(reach()));
    let n = round((beta() * bounded) * LOG2_E);
    let beta_high = bitcast<f32>(bitcast<u32>(beta()) & 0xfffff000u);
    // Scaled where it would be below the range of f32.
    let scale = select(1.0, 1.8446744e19, beta() < 1e-18);
    let scaled = beta() * scale;
    let beta_low = scaled - bitcast<f32>(bitcast<u32>(scaled) & 0xfffff000u);
    let high = bitcast<vec4<f32>>(bitcast<vec4<u32>>(bounded) & vec4(0xfffff000u));
    let rest = (beta_high * ((bounded - high) + low) + beta_low * (bounded * (1.0 / scale))) - n * LN_2_LOW;
    // Bounded where u was.
    let r = clamp(unforeseen(beta_high * high - n * LN_2_HIGH) + rest, vec4(-0.5), vec4(0.5));
    let minus_infinity = select(NOTHING, DROWNED, beta() == 0.0);
    let broken = select(vec4(UNDEFINED), vec4(INFINITE), bitcast<vec4<u32>>(z) == vec4(INFINITY_BITS));
    let without = select(broken, vec4(minus_infinity), bitcast<vec4<u32>>(z) == vec4(MINUS_INFINITY_BITS));
    let exponent = select(vec4(NOTHING), select(vec4<i32>(n), without, special), inside);
    return Weights(exp_near_0(r), exponent, select(vec4(LOWEST_Z), z, counts));
}
