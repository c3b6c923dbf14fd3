// softpool backward input k6 s1 adaptive
//! src/specialise.rs
const STRIDE_D = 1u;
const STRIDE_H = 1u;
const STRIDE_W = 1u;
const PADDING_D = 0u;
const PADDING_H = 0u;
const PADDING_W = 0u;
const SPAN_D = 1u;
const SPAN_H = 6u;
const SPAN_W = 6u;
const COMMON_D = 1u;
const COMMON_H = 1u;
const COMMON_W = 1u;
const STEP_D = 1u;
const STEP_H = 1u;
const STEP_W = 1u;
const INVERSE_D = 0u;
const INVERSE_H = 0u;
const INVERSE_W = 0u;
const BLOCK_D = 1u;
const BLOCK_W = 1u;
const LEVELS = 1u;
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
const PADDING = vec3<u32>(PADDING_D, PADDING_H, PADDING_W);
struct Block {
 plane: vec2<u32>,
 first: vec3<u32>,
 inside: bool,
}
fn quotient(a: u32, inverse_b: f32) -> u32 {
 return u32((f32(a) + 0.5) * inverse_b);
}
fn block_at(invocation: vec3<u32>) -> Block {
 let blocks = params.blocks;
 var at = (invocation + params.first_invocation).zyx;
 var channel = 0u;
 at.x = quotient(at.z, params.inverse_blocks_layer);
 at.z -= at.x * (blocks.y * blocks.z);
 at.y = quotient(at.z, params.inverse_blocks_w);
 at.z -= at.y * blocks.z;
 var plane = vec2(0u, at.x);
 at.x = 0u;
 var inside = at.y < blocks.y && at.z < blocks.z;
 inside = inside && plane.y < params.channels;
 set_beta(plane);
 let size = vec3(BLOCK_D, params.rows_of_block, BLOCK_W);
 return Block(plane, (params.first_block + at) * size, inside);
}
const LOG2_E = 1.44269504;
fn exp_bounded4(t: vec4<f32>) -> vec4<f32> {
 let bounded = max(t, vec4(-200.0));
 return exp2(bounded * LOG2_E);
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
const INFINITY_BITS = 0x7f800000u;
struct Window {
 c: f32,
 s: f32,
 d: f32,
 y: f32,
}
fn weight_in(window: Window, z: f32) -> f32 {
 return select(weigh(z, window.c) / window.s, 0.0, bitcast<u32>(window.s) == INFINITY_BITS);
}
fn load_z(index: u32) -> f32 {
 return 0.5 * sign_of_beta() * load_x(index);
}
//! shaders/positions.wgsl
const ADAPTIVE = vec3<bool>(ADAPTIVE_D, ADAPTIVE_H, ADAPTIVE_W);
const STEP = vec3<u32>(STEP_D, STEP_H, STEP_W);
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
 q.y = scaled(a.y, b.y, c.y);
 q.z = scaled(a.z, b.z, c.z);
 return q;
}
fn scaled3_up(a: vec3<u32>, b: vec3<u32>, c: vec3<u32>) -> vec3<u32> {
 return b - scaled3(c - a, b, c);
}
struct Holders {
 first: vec3<u32>,
 count: vec3<u32>,
}
fn holders_along(padded: u32, windows: u32, span: u32, stride: u32, divisor: u32, step: u32, inverse: u32) -> vec2<u32> {
 let least = (max(padded + 1u, span) - span + stride - 1u) / stride;
 let end = min(padded / stride + 1u, windows);
 let place = padded / divisor % step * inverse % step;
 let first = least + (place + step - least % step) % step;
 let some = first < end && padded % divisor == 0u;
 return vec2(first, select(0u, (end - first + step - 1u) / step, some));
}
fn holders_of(at: vec3<u32>) -> Holders {
 let padded = at + PADDING;
 let windows = params.output_size;
 let d = holders_along(padded.x, windows.x, SPAN_D, STRIDE_D, COMMON_D, STEP_D, INVERSE_D);
 let h = holders_along(padded.y, windows.y, SPAN_H, STRIDE_H, COMMON_H, STEP_H, INVERSE_H);
 let w = holders_along(padded.z, windows.z, SPAN_W, STRIDE_W, COMMON_W, STEP_W, INVERSE_W);
 let first = vec3(d.x, h.x, w.x);
 let count = vec3(d.y, h.y, w.y);
 {
  let adaptive = scaled3(at, windows, params.input_size);
  let end = scaled3_up(at + 1u, windows, params.input_size);
  return Holders(select(first, adaptive, ADAPTIVE), select(count, end - adaptive, ADAPTIVE));
 }
}
fn next_place(holders: Holders, place: vec3<u32>) -> vec3<u32> {
 let end_w = place.z + 1u >= holders.count.z;
 let end_h = end_w && place.y + 1u >= holders.count.y;
 return vec3(
 place.x + select(0u, 1u, end_h),
 select(place.y + select(0u, 1u, end_w), 0u, end_h),
 select(place.z + 1u, 0u, end_w),
 );
}
fn holder(holders: Holders, place: vec3<u32>) -> vec3<u32> {
 return holders.first + place * STEP;
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
//! shaders/sums.wgsl
alias Levels = array<Term, LEVELS>;
fn with_term(levels: Levels, term: Term, n: u32) -> Levels {
 var sums = levels;
 var carry = term;
 {
  sums[0u] += carry;
  const parts = 1u << (3u * (0u + 1u));
  let full = 0u + 1u < LEVELS && (n + 1u) % parts == 0u;
  carry = select(Term(), sums[0u], full);
  sums[0u] = select(sums[0u], Term(), full);
 }
 return sums;
}
fn sum_of(levels: Levels) -> Term {
 var sum = Term();
 sum += levels[0u];
 return sum;
}
//! shaders/backward_input.wgsl
alias Term = f32;
@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
 let block = block_at(invocation);
 if (!block.inside) {
  return;
 }
 let first = x_index(block.plane, block.first);
 var z: array<f32, BLOCK_W>;
 z[0u] = load_z(first + 0u * step_x());
 var v: array<f32, BLOCK_W>;
 var sums: array<Levels, BLOCK_W>;
 var n = 0u;
 let holders = holders_of(block.first);
 let some = all(holders.count > vec3(0u));
 var place = vec3(0u);
 loop {
  let window = holder(holders, place);
  let values = covering_window(block.plane, window);
  let g = load_grad_output(grad_output_index(block.plane, window));
  var moments = vec2(0.0);
  {
   let w = weight_in(values, z[0u]);
   let z_minus_y = offset(z[0u], values.c) - values.d;
   var gradient = element_gradient(g, w, z_minus_y);
   sums[0u] = with_term(sums[0u], select(0.0, gradient, some), n);
  }
  n++;
  place = next_place(holders, place);
  continuing {
   break if place.x >= holders.count.x;
  }
 }
 var gradients: array<f32, BLOCK_W>;
 gradients[0u] = sum_of(sums[0u]);
 let first_gradient = grad_input_index(block.plane, block.first);
 store_grad_input(first_gradient + 0u * step_grad_input(), gradients[0u]);
}
