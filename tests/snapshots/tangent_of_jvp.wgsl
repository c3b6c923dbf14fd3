// softpool tangent k3 s2 p1
//! src/specialise.rs
const KERNEL_D = 1u;
const KERNEL_H = 3u;
const KERNEL_W = 3u;
const STRIDE_D = 1u;
const STRIDE_H = 2u;
const STRIDE_W = 2u;
const PADDING_D = 0u;
const PADDING_H = 1u;
const PADDING_W = 1u;
const DILATION_D = 1u;
const DILATION_H = 1u;
const DILATION_W = 1u;
const BLOCK_D = 1u;
const BLOCK_H = 1u;
const BLOCK_W = 1u;
const WORKGROUP_Z = 1u;
const WORKGROUP_Y = 1u;
const WORKGROUP_X = 64u;
const DETACHED = false;
@group(0) @binding(0) var<storage, read> x: array<f32>;
fn x_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.x.start + ((plane.y * params.input_size.x + at.x) * params.input_size.y + at.y) * params.input_size.z + at.z; }
fn load_x(index: u32) -> f32 { return x[index]; }
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
fn y_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.y.start + ((plane.y * params.output_size.x + at.x) * params.output_size.y + at.y) * params.output_size.z + at.z; }
fn store_y(index: u32, value: f32) { y[index] = value; }
@group(0) @binding(2) var<storage, read> statistics: array<f32>;
fn step_statistics() -> u32 { return 1u; }
fn statistics_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.statistics.start + plane.x * params.statistics.sample + plane.y * params.statistics.channel + at.x * params.statistics.position.x + at.y * params.statistics.position.y + at.z * step_statistics(); }
fn load_statistics(index: u32) -> f32 { return statistics[index]; }
@group(0) @binding(3) var<storage, read> tangent: array<f32>;
fn tangent_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.tangent.start + ((plane.y * params.input_size.x + at.x) * params.input_size.y + at.y) * params.input_size.z + at.z; }
fn load_tangent(index: u32) -> f32 { return tangent[index]; }
@group(0) @binding(4) var<uniform> params: Params;
//! shaders/window.wgsl
struct Layout {
    start: u32,
    sample: u32,
    channel: u32,
    word: u32,
    position: vec3<u32>,
}
struct Params {
    input_size: vec3<u32>,
    samples: u32,
    output_size: vec3<u32>,
    channels: u32,
    blocks: vec3<u32>,
    beta: f32,
    first_block: vec3<u32>,
    sign: f32,
    first_invocation: vec3<u32>,
    inverse_blocks_w: f32,
    inverse_blocks_layer: f32,
    zero: u32,
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
const BLOCK = vec3<u32>(BLOCK_D, BLOCK_H, BLOCK_W);
struct Block {
    plane: vec2<u32>,
    first: vec3<u32>,
    inside: bool,
}
fn quotient(a: u32, inverse_b: f32) -> u32 {
    return u32((f32(a) + 0.5) * inverse_b);
}
fn block_at(invocation: vec3<u32>, size: vec3<u32>) -> Block {
    var blocks = params.blocks;
    {
        blocks = (size + BLOCK - 1u) / BLOCK;
    }
    var at = (invocation + params.first_invocation).zyx;
    var channel = 0u;
    {
        at.y = quotient(at.z, params.inverse_blocks_w);
        at.z -= at.y * blocks.z;
    }
    var plane = vec2(0u, at.x);
    {
        at.x = 0u;
    }
    var inside = at.y < blocks.y && at.z < blocks.z;
    {
        inside = inside && plane.y < params.channels;
    }
    set_beta(plane);
    return Block(plane, at * BLOCK, inside);
}
const LOG2_E = 1.44269504;
fn exp_bounded4(t: vec4<f32>) -> vec4<f32> {
    let bounded = max(t, vec4(-200.0));
    {
        return exp2(bounded * LOG2_E);
    }
}
fn exp_bounded(t: f32) -> f32 {
    return exp_bounded4(vec4(t)).x;
}
fn weigh(z: f32, c: f32) -> f32 {
    return exp_bounded(beta() * (z - c));
}
const LARGEST = 3.4e38;
fn offset(z: f32, c: f32) -> f32 {
    return max(z - c, -LARGEST);
}
struct Window {
    c: f32,
    s: f32,
    d: f32,
    y: f32,
}
fn load_z(index: u32) -> f32 {
    return 0.5 * sign_of_beta() * load_x(index);
}
//! shaders/positions.wgsl
fn window_start(window: vec3<u32>) -> vec3<i32> {
    let start = vec3<i32>(window * STRIDE) - vec3<i32>(PADDING);
    return start;
}
fn window_taps(window: vec3<u32>) -> vec3<u32> {
    return KERNEL;
}
//! shaders/beta.wgsl
fn set_beta(plane: vec2<u32>) {}
fn beta() -> f32 {
    return params.beta;
}
fn sign_of_beta() -> f32 {
    return params.sign;
}
//! shaders/statistics.wgsl
fn covering_window(plane: vec2<u32>, window: vec3<u32>) -> Window {
    return Window(
        load_statistics(statistics_index(plane, window)),
        load_statistics(statistics_index(plane, window) + params.statistics.word),
        load_statistics(statistics_index(plane, window) + 2u * params.statistics.word),
        0.0,
    );
}
//! shaders/tangent.wgsl
fn window_context(plane: vec2<u32>, window: vec3<u32>) -> Window {
    return covering_window(plane, window);
}
fn terms(window: Window, plane: vec2<u32>, at: vec3<u32>) -> vec2<f32> {
    let z = load_z(x_index(plane, at));
    let w = weigh(z, window.c) / window.s;
    let z_minus_y = offset(z, window.c) - window.d;
    let v = load_tangent(tangent_index(plane, at));
    return select(vec2(w * v, w * z_minus_y * v), vec2(0.0), w == 0.0);
}
fn store_sums(plane: vec2<u32>, window: vec3<u32>, sums: vec2<f32>) {
    let beta_k = beta() * sums.y;
    {
        store_y(y_index(plane, window), select(sums.x + beta_k, sums.x, DETACHED));
    }
}
//! shaders/sums_by_invocation.wgsl
@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation, params.output_size);
    if (!block.inside) {
        return;
    }
    let window = window_context(block.plane, block.first);
    let start = window_start(block.first);
    let taps = window_taps(block.first);
    var sums = vec2(0.0);
    for (var kd = 0u; kd < taps.x; kd++) {
        for (var kh = 0u; kh < taps.y; kh++) {
            var row = vec2(0.0);
            for (var kw = 0u; kw < taps.z; kw++) {
                let at = start + vec3<i32>(vec3(kd, kh, kw) * DILATION);
                if (all(at >= vec3(0)) && all(at < vec3<i32>(params.input_size))) {
                    row += terms(window, block.plane, vec3<u32>(at));
                }
            }
            sums += row;
        }
    }
    store_sums(block.plane, block.first, sums);
}
