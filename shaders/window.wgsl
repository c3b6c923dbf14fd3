// What every kernel shares: the call's parameters, indices, the exponential, and a window evaluated by its definition.
//
// Kernels work on z = sign(beta) x / 2 with beta = 2 |beta|. The sign, because the soft minimum of x is minus the soft
// maximum of -x; the halves, because no difference of two of them leaves the range of f32.
//
//     c = a centre near the window's largest z        e_i = exp(beta (z_i - c))        s = sum e_i
//     d = sum e_i (z_i - c) / s                       y = c + d                        w_i = e_i / s
//
// Any centre gives the same y and w; one that is the window's own maximum is the most accurate, one that several
// windows share saves exponentials. Offsets from the centre keep weights and gradients as accurate around a mean of
// 1e4 as around 0.
//
// A plane is (sample, channel), a position or window (depth, height, width); 1D and 2D have unit axes. Where memory allows,
// the host counts all planes as channels of one sample.

// Where the elements of a tensor are in its binding. Strides and indices count elements, and wrap: where a dispatch binds
// what it needs of a tensor, the tensor may start before the binding.
struct Layout {
    start: u32,
    sample: u32,
    channel: u32,
    // From one of several words of a window to the next.
    word: u32,
    // Depth, height and width.
    position: vec3<u32>,
}

struct Params {
    // Depth, height and width.
    input_size: vec3<u32>,
    samples: u32,
    // Windows along depth, height and width.
    output_size: vec3<u32>,
    channels: u32,
    // Blocks of this dispatch along depth, height and width, and the first of them among all.
    blocks: vec3<u32>,
    // Twice the magnitude of the caller's beta.
    beta: f32,
    first_block: vec3<u32>,
    // The sign of the caller's beta.
    sign: f32,
    // The place of invocation (0, 0, 0) in the grid.
    first_invocation: vec3<u32>,
    // 1 / the number of blocks along the width.
    inverse_blocks_w: f32,
    // 1 / the number of blocks of a layer.
    inverse_blocks_layer: f32,
    // 0, which compilers don't know.
    zero: u32,
    // Rows of windows, inputs or cells of a block: a parameter, so that strips of any number share a text.
    rows_of_block: u32,
    x: Layout,
    y: Layout,
    lse: Layout,
    statistics: Layout,
    grad_output: Layout,
    grad_input: Layout,
    tangent: Layout,
    moments: Layout,
    betas: Layout,
}

const KERNEL = vec3<u32>(KERNEL_D, KERNEL_H, KERNEL_W);
const STRIDE = vec3<u32>(STRIDE_D, STRIDE_H, STRIDE_W);
const PADDING = vec3<u32>(PADDING_D, PADDING_H, PADDING_W);
const DILATION = vec3<u32>(DILATION_D, DILATION_H, DILATION_W);

// The block of windows, or of inputs, that one invocation computes.
struct Block {
    plane: vec2<u32>,
    // Its first window, or its first cell of inputs.
    first: vec3<u32>,
    // False for invocations beyond the last block.
    inside: bool,
}

// a / b for a < 2^20, exactly: (a + 0.5) / b is at least 0.5 / b from an integer, and off by half of that.
fn quotient(a: u32, inverse_b: f32) -> u32 {
    return u32((f32(a) + 0.5) * inverse_b);
}

// Grid: x counts the blocks of all planes, row after row, layer after layer (FLAT_PLANES, where they are few enough); or
// those of a layer (FLAT_LAYERS), or of a row, which y counts then, and z counts the layers of each plane in turn. With
// CHANNELS_LAST x counts the channels of each block of a row, CHANNELS at a time, and z the layers of each sample: neighbours
// in memory are neighbours in the grid. A dispatch has all blocks of its planes, or some.
fn block_at(invocation: vec3<u32>) -> Block {
    let blocks = params.blocks;
    var at = (invocation + params.first_invocation).zyx;
    var channel = 0u;
    if (CHANNELS_LAST) {
        let groups = params.channels / CHANNELS;
        let column = at.z / groups;
        channel = CHANNELS * (at.z - column * groups);
        at.z = column;
    }
    if (FLAT_PLANES) {
        at.x = quotient(at.z, params.inverse_blocks_layer);
        at.z -= at.x * (blocks.y * blocks.z);
    }
    if (FLAT_LAYERS) {
        at.y = quotient(at.z, params.inverse_blocks_w);
        at.z -= at.y * blocks.z;
    }
    var plane = vec2(0u, at.x);
    if (HAS_DEPTH) {
        plane.y = at.x / blocks.x;
        at.x -= plane.y * blocks.x;
    } else {
        at.x = 0u;
    }
    var inside = at.y < blocks.y && at.z < blocks.z;
    if (CHANNELS_LAST) {
        plane = vec2(plane.y, channel);
        inside = inside && plane.x < params.samples;
    } else if (ONE_SAMPLE) {
        inside = inside && plane.y < params.channels;
    } else {
        plane.x = plane.y / params.channels;
        plane.y -= plane.x * params.channels;
        inside = inside && plane.x < params.samples;
    }
    set_beta(plane);
    let size = vec3(BLOCK_D, params.rows_of_block, BLOCK_W);
    return Block(plane, (params.first_block + at) * size, inside);
}

// exp(t) for t <= 88, within 1.5 ulp of exp of the rounded t on every device, exactly 1 at 0, and 0 below -87.7 where
// f32 ends. WGSL's own exp may be off by 3 + 2 |t| ulp. t = n ln 2 + r with |r| <= ln 2 / 2, and 2^n comes from its bits;
// ln 2 is split so that n LN_2_HIGH is exact. The polynomial is the minimax fit of e^r, good to 3e-9. With NATIVE_EXP2 it is
// the driver's exp2, off by what the driver is and 1.25 ulp for each unit of t.
const LOG2_E = 1.44269504;
const LN_2_HIGH = 0.693359375;
const LN_2_LOW = -2.12194440e-4;

fn exp_bounded4(t: vec4<f32>) -> vec4<f32> {
    let bounded = max(t, vec4(-200.0));
    if (NATIVE_EXP2) {
        return exp2(bounded * LOG2_E);
    }
    let n = round(bounded * LOG2_E);
    let r = (bounded - n * LN_2_HIGH) - n * LN_2_LOW;
    let q = (((1.3814598e-3 * r + 8.368717e-3) * r + 4.166839e-2) * r + 0.16666521) * r + 0.49999994;
    let power_of_2 = bitcast<vec4<f32>>(max(vec4<i32>(n) + 127, vec4(0)) << vec4(23u));
    return power_of_2 * (r * r * q + r + 1.0);
}

fn exp_bounded(t: f32) -> f32 {
    return exp_bounded4(vec4(t)).x;
}

// exp(beta (z - c)).
fn weigh4(z: vec4<f32>, c: f32) -> vec4<f32> {
    return exp_bounded4(beta() * (z - c));
}

fn weigh(z: f32, c: f32) -> f32 {
    return exp_bounded(beta() * (z - c));
}

const LARGEST = 3.4e38;
// Stands for an element that takes no part, where a finite number has to: below half of the least.
const LOWEST_Z = -1.8e38;
// With a smaller beta the difference of any two elements weighs something, and sums of such may leave the range of f32.
const LEAST_BETA = 9.6e-35;

// Whether beta is below: never with ORDINARY_BETA, which the host knows.
fn beta_is_small() -> bool {
    if (ORDINARY_BETA) {
        return false;
    }
    return beta() < LEAST_BETA;
}

fn beta_is_0() -> bool {
    if (ORDINARY_BETA) {
        return false;
    }
    return beta() == 0.0;
}

// z - c as a factor: where z is -inf, its product with a weight of 0 must not become NaN.
fn offset(z: f32, c: f32) -> f32 {
    return max(z - c, -LARGEST);
}

// Bit patterns decide about infinities and NaN: WGSL lets a driver assume in its arithmetic that there are none.
const INFINITY_BITS = 0x7f800000u;
const MINUS_INFINITY_BITS = 0xff800000u;
const NAN_BITS = 0x7fc00000u;

fn magnitude_bits(value: f32) -> u32 {
    return bitcast<u32>(value) & 0x7fffffffu;
}

fn magnitude_bits4(values: vec4<f32>) -> vec4<u32> {
    return bitcast<vec4<u32>>(values) & vec4(0x7fffffffu);
}

fn is_finite(value: f32) -> bool {
    return magnitude_bits(value) < INFINITY_BITS;
}

// A value whose bits are not known before the shader runs: WGSL has no constants that are not finite.
fn from_bits(bits: u32) -> f32 {
    var unknown = bits;
    return bitcast<f32>(unknown);
}

// The same values, of which a compiler knows nothing: some take (a - b) + c for a + (c - b), and a value that was computed before for
// the same one. Added, since two exclusive ors cancel out.
fn unforeseen(values: vec4<f32>) -> vec4<f32> {
    return bitcast<vec4<f32>>(bitcast<vec4<u32>>(values) + vec4(params.zero));
}

struct Window {
    c: f32,
    s: f32,
    d: f32,
    y: f32,
}

// Four windows side by side.
struct Windows {
    c: vec4<f32>,
    s: vec4<f32>,
    d: vec4<f32>,
    y: vec4<f32>,
}

// Whether windows of maxima c that are not empty have weights. `magnitude` are the largest bits of any |z|: a NaN or +inf leaves
// none; with beta = 0 every element weighs alike, and any -inf leaves none.
fn have_weights(magnitude: vec4<u32>, c: vec4<f32>) -> vec4<bool> {
    let infinite = (magnitude == vec4(INFINITY_BITS)) & (magnitude_bits4(c) < vec4(INFINITY_BITS));
    return (magnitude < vec4(INFINITY_BITS)) | (infinite & vec4(!beta_is_0()));
}

// Whether windows of maxima c have nothing but -inf and padding, or nothing at all.
fn are_empty(magnitude: vec4<u32>, c: vec4<f32>) -> vec4<bool> {
    return (c <= vec4(LOWEST_Z)) & (magnitude <= vec4(INFINITY_BITS));
}

// The windows of c, s and d about their maxima c, those that have weights. An empty one has s = inf and a centre above every z, so
// that whoever divides by s gets 0. Else y is the NaN, the +inf or the -inf that it holds, the first of these, and s is NaN.
fn resolve4(magnitude: vec4<u32>, c: vec4<f32>, s: vec4<f32>, d: vec4<f32>) -> Windows {
    let nan = vec4(from_bits(NAN_BITS));
    let minus_infinity = vec4(from_bits(MINUS_INFINITY_BITS));
    let empty = are_empty(magnitude, c);
    let weighs = have_weights(magnitude, c);
    let infinity = select(minus_infinity, c, bitcast<vec4<u32>>(c) == vec4(INFINITY_BITS));
    let y = select(select(infinity, nan, magnitude > vec4(INFINITY_BITS)), c + d, weighs);
    return Windows(
        select(c, vec4(0.5 * LARGEST), empty),
        select(select(nan, s, weighs), vec4(from_bits(INFINITY_BITS)), empty),
        select(d, vec4(0.0), empty),
        select(y, minus_infinity, empty),
    );
}

fn resolve(magnitude: u32, c: f32, s: f32, d: f32) -> Window {
    let four = resolve4(vec4(magnitude), vec4(c), vec4(s), vec4(d));
    return Window(four.c.x, four.s.x, four.d.x, four.y.x);
}

// The weight of an element of a window; 0 in an empty one, with beta = 0 too.
fn weight_in(window: Window, z: f32) -> f32 {
    return select(weigh(z, window.c) / window.s, 0.0, bitcast<u32>(window.s) == INFINITY_BITS);
}

// A window by the definition: its elements are read from memory three times, towards c, s and d in turn, since with s known no
// sum leaves the range of f32. Slow, and right for every value.
fn window_by_definition(plane: vec2<u32>, window: vec3<u32>) -> Window {
    let start = window_start(window);
    let taps = window_taps(window);
    let last = vec3<i32>(params.input_size) - 1;
    var c = from_bits(MINUS_INFINITY_BITS);
    var magnitude = 0u;
    var s = 0.0;
    var d = 0.0;
    // Sums go row by row: equal terms round alike, and fewer at a time are off by less.
    var row = 0.0;
    // sum w_i z_i: a better y than c + d where that is far from c.
    var row_y = 0.0;
    var y = 0.0;
    for (var i = 0u; i < 3u * TAPS; i++) {
        let tap = i % TAPS;
        let at = vec3(tap / KERNEL_W / KERNEL_H, tap / KERNEL_W % KERNEL_H, tap % KERNEL_W);
        let position = start + vec3<i32>(at * DILATION);
        let inside = clamp(position, vec3(0), last);
        if (all(position == inside) && all(at < taps)) {
            let z = load_z(x_index(plane, vec3<u32>(inside)));
            let e = weigh(z, c);
            if (i < TAPS) {
                c = max(c, z);
                magnitude = max(magnitude, magnitude_bits(z));
            } else if (i < 2u * TAPS) {
                row += e;
            } else {
                row += e / s * offset(z, c);
                row_y += select(0.0, e / s * z, e > 0.0);
            }
        }
        if (at.z == KERNEL_W - 1u) {
            if (i < 2u * TAPS) {
                s += row;
            } else {
                d += row;
                y += row_y;
            }
            row = 0.0;
            row_y = 0.0;
        }
    }
    var result = resolve(magnitude, c, s, d);
    if (is_finite(result.y) && abs(d) > 0.5 * abs(c)) {
        result.y = y;
    }
    return result;
}

fn load_z(index: u32) -> f32 {
    return 0.5 * sign_of_beta() * load_x(index);
}
