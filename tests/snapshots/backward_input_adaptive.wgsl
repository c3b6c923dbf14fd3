// softpool backward input k6 s1 adaptive
//! src/specialise.rs
const KERNEL_D = 1u;
const KERNEL_H = 6u;
const KERNEL_W = 6u;
const STRIDE_D = 1u;
const STRIDE_H = 1u;
const STRIDE_W = 1u;
const PADDING_D = 0u;
const PADDING_H = 0u;
const PADDING_W = 0u;
const DILATION_D = 1u;
const DILATION_H = 1u;
const DILATION_W = 1u;
const SPAN_D = 1u;
const SPAN_H = 6u;
const SPAN_W = 6u;
const BLOCK_D = 1u;
const BLOCK_H = 1u;
const BLOCK_W = 1u;
const WORKGROUP_Z = 1u;
const WORKGROUP_Y = 1u;
const WORKGROUP_X = 64u;
const ADAPTIVE_D = false;
const ADAPTIVE_H = true;
const ADAPTIVE_W = true;
@group(0) @binding(0) var<storage, read> x: array<f32>;
fn step_x() -> u32 { return 1u; }
fn x_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.x.start + ((plane.y * params.input_size.x + at.x) * params.input_size.y + at.y) * params.input_size.z + at.z; }
fn load_x(index: u32) -> f32 { return x[index]; }
@group(0) @binding(1) var<storage, read> statistics: array<f32>;
fn step_statistics() -> u32 { return 1u; }
fn statistics_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.statistics.start + plane.x * params.statistics.sample + plane.y * params.statistics.channel + at.x * params.statistics.position.x + at.y * params.statistics.position.y + at.z * step_statistics(); }
fn load_statistics(index: u32) -> f32 { return statistics[index]; }
@group(0) @binding(2) var<storage, read> grad_output: array<f32>;
fn grad_output_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.grad_output.start + ((plane.y * params.output_size.x + at.x) * params.output_size.y + at.y) * params.output_size.z + at.z; }
fn load_grad_output(index: u32) -> f32 { return grad_output[index]; }
@group(0) @binding(3) var<storage, read_write> grad_input: array<f32>;
fn step_grad_input() -> u32 { return 1u; }
fn grad_input_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.grad_input.start + ((plane.y * params.input_size.x + at.x) * params.input_size.y + at.y) * params.input_size.z + at.z; }
fn store_grad_input(index: u32, value: f32) { grad_input[index] = value; }
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
        at.x = quotient(at.z, params.inverse_blocks_layer);
        at.z -= at.x * (blocks.y * blocks.z);
    }
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
const ADAPTIVE = vec3<bool>(ADAPTIVE_D, ADAPTIVE_H, ADAPTIVE_W);
const SPAN = vec3<u32>(SPAN_D, SPAN_H, SPAN_W);
const CANDIDATES = select(min((SPAN - 1u) / STRIDE + 1u, KERNEL), vec3(2u), ADAPTIVE);
const NONE = 0xffffffffu;
fn scaled(a: u32, b: u32, c: u32) -> u32 {
    var q = u32(f32(a) * (f32(b) / f32(c)));
    var remainder = i32(a * b - q * c);
    while (remainder < 0) {
        q -= 1u;
        remainder += i32(c);
    }
    while (remainder >= i32(c)) {
        q += 1u;
        remainder -= i32(c);
    }
    return q;
}
fn scaled3(a: vec3<u32>, b: vec3<u32>, c: vec3<u32>) -> vec3<u32> {
    var q = vec3(0u);
    {
        q.y = scaled(a.y, b.y, c.y);
    }
    {
        q.z = scaled(a.z, b.z, c.z);
    }
    return q;
}
fn scaled3_up(a: vec3<u32>, b: vec3<u32>, c: vec3<u32>) -> vec3<u32> {
    return b - scaled3(c - a, b, c);
}
fn candidate(i: u32, padded: u32, kernel: u32, stride: u32, dilation: u32, span: u32) -> u32 {
    if (kernel <= (span - 1u) / stride) {
        let start = padded - i * dilation;
        return select(NONE, start / stride, i * dilation <= padded && start % stride == 0u);
    }
    let window = (max(padded + 1u, span) - span + stride - 1u) / stride + i;
    let start = window * stride;
    return select(NONE, window, start <= padded && (padded - start) % dilation == 0u);
}
fn candidate_window(i: u32, at: vec3<u32>) -> vec3<u32> {
    let by_axis = vec3(i / (CANDIDATES.y * CANDIDATES.z), i / CANDIDATES.z % CANDIDATES.y, i % CANDIDATES.z);
    let padded = at + PADDING;
    let window = vec3(
        candidate(by_axis.x, padded.x, KERNEL_D, STRIDE_D, DILATION_D, SPAN_D),
        candidate(by_axis.y, padded.y, KERNEL_H, STRIDE_H, DILATION_H, SPAN_H),
        candidate(by_axis.z, padded.z, KERNEL_W, STRIDE_W, DILATION_W, SPAN_W),
    );
    {
        let adaptive = scaled3(at, params.output_size, params.input_size) + by_axis;
        let end = scaled3_up(at + 1u, params.output_size, params.input_size);
        return select(window, select(vec3(NONE), adaptive, adaptive < end), ADAPTIVE);
    }
}
//! shaders/beta.wgsl
fn set_beta(plane: vec2<u32>) {}
fn beta() -> f32 {
    return params.beta;
}
fn sign_of_beta() -> f32 {
    return params.sign;
}
//! shaders/backward.wgsl
fn element_gradient(g: f32, w: f32, z_minus_y: f32) -> f32 {
    return g * w * (1.0 + max(beta() * z_minus_y, -LARGEST));
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
//! shaders/backward_input.wgsl
@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation, params.input_size);
    if (!block.inside) {
        return;
    }
    let first = x_index(block.plane, block.first);
    var z: array<f32, BLOCK_W>;
    {
{
const bw = 0u;
            z[bw] = load_z(first + bw * step_x());
}
    }
    var v: array<f32, BLOCK_W>;
    var gradients: array<f32, BLOCK_W>;
    for (var i = 0u; i < CANDIDATES.x * CANDIDATES.y * CANDIDATES.z; i++) {
        let window = candidate_window(i, block.first);
        if (all(window < params.output_size)) {
            let values = covering_window(block.plane, window);
            let g = load_grad_output(grad_output_index(block.plane, window));
            var moments = vec2(0.0);
{
const bw = 0u;
                let w = weigh(z[bw], values.c) / values.s;
                let z_minus_y = offset(z[bw], values.c) - values.d;
                {
                    gradients[bw] += element_gradient(g, w, z_minus_y);
                }
}
        }
    }
    let first_gradient = grad_input_index(block.plane, block.first);
    {
{
const bw = 0u;
            store_grad_input(first_gradient + bw * step_grad_input(), gradients[bw]);
}
    }
}
