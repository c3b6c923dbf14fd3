// What every kernel shares: the call's parameters, indices, the exponential, and a window evaluated by its definition.
//
// Kernels work on z = sign(beta) x with beta = |beta|: the soft minimum of x is minus the soft maximum of -x. Tensors
// are contiguous (plane, depth, height, width), a plane being one channel of one sample; 1D and 2D have unit axes.
//
//     c = a centre near the window's largest z        e_i = exp(beta (z_i - c))        s = sum e_i
//     d = sum e_i (z_i - c) / s                       y = c + d                        w_i = e_i / s
//
// Any centre gives the same y and w; one that is the window's own maximum is the most accurate, one that several
// windows share saves exponentials. Offsets from the centre keep weights and gradients as accurate around a mean of
// 1e4 as around 0.

struct Params {
    // Depth, height and width.
    input_size: vec3<u32>,
    // Planes of this dispatch.
    planes: u32,
    // Windows along depth, height and width.
    output_size: vec3<u32>,
    beta: f32,
    // The block of invocation (0, 0, 0).
    first_block: vec3<u32>,
    // 1, or -1 where the caller's beta is negative.
    sign: f32,
    // Where the first plane of the dispatch starts in each binding, in elements. y stands for its gradient, too.
    x_start: u32,
    y_start: u32,
    grad_input_start: u32,
    lse_start: u32,
    statistics_start: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

const STRIDE = vec3<u32>(STRIDE_D, STRIDE_H, STRIDE_W);
const PADDING = vec3<u32>(PADDING_D, PADDING_H, PADDING_W);
const BLOCK = vec3<u32>(BLOCK_D, BLOCK_H, BLOCK_W);

// The block of windows, or of inputs, that one invocation computes.
struct Block {
    plane: u32,
    // Its first window, or its first cell of inputs.
    first: vec3<u32>,
    // False for invocations beyond the last block.
    inside: bool,
}

// Grid: x counts blocks along the width, y along the height, z along the depth of each plane in turn. `size` is what
// the blocks tile, depth first as all vectors but the grid's.
fn block_at(invocation: vec3<u32>, size: vec3<u32>) -> Block {
    let blocks = (size + BLOCK - 1u) / BLOCK;
    var at = (invocation + params.first_block).zyx;
    var plane = at.x;
    if (HAS_DEPTH) {
        plane = at.x / blocks.x;
        at.x -= plane * blocks.x;
    } else {
        at.x = 0u;
    }
    return Block(plane, at * BLOCK, plane < params.planes && at.y < blocks.y && at.z < blocks.z);
}

fn x_plane(plane: u32) -> u32 {
    return params.x_start + plane * (params.input_size.x * params.input_size.y * params.input_size.z);
}

fn x_index(plane_start: u32, at: vec3<u32>) -> u32 {
    return plane_start + (at.x * params.input_size.y + at.y) * params.input_size.z + at.z;
}

// The index of a window in its plane range, to be added to a tensor's start.
fn window_index(plane: u32, window: vec3<u32>) -> u32 {
    return ((plane * params.output_size.x + window.x) * params.output_size.y + window.y) * params.output_size.z + window.z;
}

fn load_z(index: u32) -> f32 {
    return params.sign * load_x(index);
}

// exp(t) for t <= 0, within 1.5 ulp of exp of the rounded t on every device, exactly 1 at 0 and exactly 0 below -87.
// WGSL's own exp may be off by 3 + 2 |t| ulp. t = n ln 2 + r with |r| <= ln 2 / 2, and 2^n comes from its bits; ln 2
// is split so that n LN_2_HIGH is exact. The polynomial is the minimax fit, good to 3e-9.
const LOG2_E = 1.44269504;
const LN_2_HIGH = 0.693359375;
const LN_2_LOW = -2.12194440e-4;

fn exp_nonpositive(t: f32) -> f32 {
    let bounded = max(t, -87.0);
    let n = round(bounded * LOG2_E);
    let r = (bounded - n * LN_2_HIGH) - n * LN_2_LOW;
    let q = (((1.3814598e-3 * r + 8.368717e-3) * r + 4.166839e-2) * r + 0.16666521) * r + 0.49999994;
    let e = bitcast<f32>((i32(n) + 127) << 23u) * (r * r * q + r + 1.0);
    return select(0.0, e, t >= -87.0);
}

// Bit patterns decide about infinities and NaN: WGSL lets a driver assume in its arithmetic that there are none.
const INFINITY_BITS = 0x7f800000u;

fn is_nan(value: f32) -> bool {
    return (bitcast<u32>(value) & 0x7fffffffu) > INFINITY_BITS;
}

fn is_finite(value: f32) -> bool {
    return (bitcast<u32>(value) & INFINITY_BITS) != INFINITY_BITS;
}

// A value whose bits are not known before the shader runs: WGSL has no constants that are not finite.
fn from_bits(bits: u32) -> f32 {
    var unknown = bits;
    return bitcast<f32>(unknown);
}

struct Window {
    c: f32,
    s: f32,
    d: f32,
    y: f32,
}

fn window_start(window: vec3<u32>) -> vec3<i32> {
    return vec3<i32>(window * STRIDE) - vec3<i32>(PADDING);
}

// exp(beta u) for u = z - c <= 0 given in halves: no difference of two finite halves leaves the range of f32.
fn weigh(half_u: f32) -> f32 {
    return exp_nonpositive(params.beta * max(2.0 * half_u, -LARGEST));
}

const LARGEST = 3.4e38;

// Whether a window's y can stand: it is finite, and the sum of its exponentials about a shared centre is not so small
// that their rounding shows. S_MIN = exp(-8): |t| stays below 8 for the elements that count, so that rounding u and
// t = beta u puts each weight off by at most 8 ulp and y by less.
const S_MIN = 3.35462628e-4;

fn can_stand(window: Window) -> bool {
    return is_finite(window.y) && window.s >= S_MIN;
}

// What a window holds that is not finite, as flags.
const HAS_NAN = 1u;
const HAS_INFINITY = 2u;
const HAS_MINUS_INFINITY = 4u;

fn not_finite(z: f32) -> u32 {
    if (is_finite(z)) {
        return 0u;
    }
    if (is_nan(z)) {
        return HAS_NAN;
    }
    return select(HAS_INFINITY, HAS_MINUS_INFINITY, bitcast<u32>(z) >> 31u == 1u);
}

// The window of the finite elements' c, s and d / 2, if what it holds besides lets it stand: -inf weighs 0; NaN gives
// NaN, else +inf gives +inf, and nothing but -inf, or nothing, gives -inf; these three have no weights (s is NaN).
// beta = 0 weighs all alike, infinite elements too.
fn resolve(c: f32, s: f32, half_d: f32, flags: u32) -> Window {
    let nan = from_bits(0x7fc00000u);
    let infinity = from_bits(INFINITY_BITS);
    let both = HAS_INFINITY | HAS_MINUS_INFINITY;
    if ((flags & HAS_NAN) != 0u || (params.beta == 0.0 && (flags & both) == both)) {
        return Window(nan, nan, nan, nan);
    }
    if ((flags & HAS_INFINITY) != 0u) {
        return Window(infinity, nan, nan, infinity);
    }
    if (s == 0.0 || (params.beta == 0.0 && flags != 0u)) {
        return Window(-infinity, nan, nan, -infinity);
    }
    return Window(c, s, max(2.0 * half_d, -LARGEST), (c + half_d) + half_d);
}

// The window that starts at `start` (in its padding, if negative), by the definition: three passes over its elements
// in memory, c its own maximum. Slow, and right for every value.
fn window_by_definition(plane_start: u32, start: vec3<i32>) -> Window {
    let size = vec3<i32>(params.input_size);
    var c = from_bits(INFINITY_BITS | 0x80000000u);
    var s = 0.0;
    var half_d = 0.0;
    var flags = 0u;
    // c, s and d by turns: with s known, no sum towards d leaves the range of f32.
    for (var turn = 0u; turn < 3u; turn++) {
        for (var kd = 0u; kd < KERNEL_D; kd++) {
            let d = start.x + i32(kd * DILATION_D);
            if (d < 0 || d >= size.x) { continue; }
            for (var kh = 0u; kh < KERNEL_H; kh++) {
                let h = start.y + i32(kh * DILATION_H);
                if (h < 0 || h >= size.y) { continue; }
                let row = x_index(plane_start, vec3(u32(d), u32(h), 0u));
                for (var kw = 0u; kw < KERNEL_W; kw++) {
                    let w = start.z + i32(kw * DILATION_W);
                    if (w < 0 || w >= size.z) { continue; }
                    let z = load_z(row + u32(w));
                    let half_u = 0.5 * z - 0.5 * c;
                    if (!is_finite(z)) {
                        flags |= not_finite(z);
                    } else if (turn == 0u) {
                        c = max(c, z);
                    } else if (turn == 1u) {
                        s += weigh(half_u);
                    } else {
                        half_d += weigh(half_u) / s * half_u;
                    }
                }
            }
        }
    }
    return resolve(c, s, half_d, flags);
}
