// softpool forward window k6 s1 adaptive
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
const BLOCK_D = 1u;
const BLOCK_W = 1u;
const TAPS = 36u;
const WORKGROUP_Z = 1u;
const WORKGROUP_Y = 1u;
const WORKGROUP_X = 64u;
const ADAPTIVE_D = false;
const ADAPTIVE_H = true;
const ADAPTIVE_W = true;
@group(0) @binding(0) var<storage, read> x: array<u32>;
fn step_x() -> u32 { return 1u; }
fn x_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.x.start + ((plane.y * params.input_size.x + at.x) * params.input_size.y + at.y) * params.input_size.z + at.z; }
fn load_x(index: u32) -> f32 { return f32_from_bf16(vec2(x[index / 2u] >> half_shift(index), 0u)).x; }
@group(0) @binding(1) var<storage, read_write> y: array<atomic<u32>>;
fn y_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.y.start + ((plane.y * params.output_size.x + at.x) * params.output_size.y + at.y) * params.output_size.z + at.z; }
fn store_y(index: u32, value: f32) { atomicXor(&y[index / 2u], half_change(atomicLoad(&y[index / 2u]), index, bf16_bits(vec4(value)).x)); }
@group(0) @binding(2) var<uniform> params: Params;
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
const KERNEL = vec3<u32>(KERNEL_D, KERNEL_H, KERNEL_W);
const STRIDE = vec3<u32>(STRIDE_D, STRIDE_H, STRIDE_W);
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
const LOWEST_Z = -1.8e38;
fn beta_is_0() -> bool {
 return false;
}
fn offset(z: f32, c: f32) -> f32 {
 return max(z - c, -LARGEST);
}
const INFINITY_BITS = 0x7f800000u;
const MINUS_INFINITY_BITS = 0xff800000u;
const NAN_BITS = 0x7fc00000u;
fn magnitude_bits(value: f32) -> u32 {
 return bitcast<u32>(value) & 0x7fffffffu;
}
fn magnitude_bits4(values: vec4<f32>) -> vec4<u32> {
 return bitcast<vec4<u32>>(values) & vec4(0x7fffffffu);
}
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
struct Windows {
 c: vec4<f32>,
 s: vec4<f32>,
 d: vec4<f32>,
 y: vec4<f32>,
}
fn have_weights(magnitude: vec4<u32>, c: vec4<f32>) -> vec4<bool> {
 let infinite = (magnitude == vec4(INFINITY_BITS)) & (magnitude_bits4(c) < vec4(INFINITY_BITS));
 return (magnitude < vec4(INFINITY_BITS)) | (infinite & vec4(!beta_is_0()));
}
fn are_empty(magnitude: vec4<u32>, c: vec4<f32>) -> vec4<bool> {
 return (c <= vec4(LOWEST_Z)) & (magnitude <= vec4(INFINITY_BITS));
}
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
fn load_z(index: u32) -> f32 {
 return 0.5 * sign_of_beta() * load_x(index);
}
//! shaders/positions.wgsl
const ADAPTIVE = vec3<bool>(ADAPTIVE_D, ADAPTIVE_H, ADAPTIVE_W);
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
fn window_start(window: vec3<u32>) -> vec3<i32> {
 let start = vec3<i32>(window * STRIDE) - vec3<i32>(PADDING);
 {
  let existing = min(window, params.output_size);
  return select(start, vec3<i32>(scaled3(existing, params.input_size, params.output_size)), ADAPTIVE);
 }
}
fn window_taps(window: vec3<u32>) -> vec3<u32> {
 {
  let next = min(window + 1u, params.output_size);
  let end = scaled3_up(next, params.input_size, params.output_size);
  return select(KERNEL, end - vec3<u32>(window_start(window)), ADAPTIVE);
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
//! shaders/halves.wgsl
fn f32_from_bf16(words: vec2<u32>) -> vec4<f32> {
 return bitcast<vec4<f32>>(vec4(words.x << 16u, words.x & 0xffff0000u, words.y << 16u, words.y & 0xffff0000u));
}
fn bf16_bits(values: vec4<f32>) -> vec4<u32> {
 let bits = bitcast<vec4<u32>>(values);
 let nearest = (bits + vec4(0x7fffu) + ((bits >> vec4(16u)) & vec4(1u))) >> vec4(16u);
 return select(nearest, vec4(0x7fc0u), magnitude_bits4(values) > vec4(INFINITY_BITS));
}
fn half_shift(index: u32) -> u32 {
 return (index & 1u) * 16u;
}
fn half_change(before: u32, index: u32, bits: u32) -> u32 {
 return (((before >> half_shift(index)) ^ bits) & 0xffffu) << half_shift(index);
}
//! shaders/forward.wgsl
fn store_window(plane: vec2<u32>, at: vec3<u32>, window: Window) {
 store_y(y_index(plane, at), 2.0 * sign_of_beta() * window.y);
}
//! shaders/forward_window.wgsl
@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
 let block = block_at(invocation);
 if (!block.inside) {
  return;
 }
 let start = window_start(block.first);
 let count = window_taps(block.first);
 var z: array<f32, TAPS>;
 var counts: array<bool, TAPS>;
 var c = from_bits(MINUS_INFINITY_BITS);
 var magnitude = 0u;
 {
  let row_at = vec3<u32>(start) + vec3(min(vec2(0u, 0u), count.xy - 1u), 0u);
  let row = x_index(block.plane, row_at);
  z[0u] = load_z(row + min(0u, count.z - 1u) * step_x());
  counts[0u] = all(vec3(0u, 0u, 0u) < count);
  c = max(c, z[0u]);
  magnitude = max(magnitude, magnitude_bits(z[0u]));
  z[1u] = load_z(row + min(1u, count.z - 1u) * step_x());
  counts[1u] = all(vec3(0u, 0u, 1u) < count);
  c = max(c, z[1u]);
  magnitude = max(magnitude, magnitude_bits(z[1u]));
  z[2u] = load_z(row + min(2u, count.z - 1u) * step_x());
  counts[2u] = all(vec3(0u, 0u, 2u) < count);
  c = max(c, z[2u]);
  magnitude = max(magnitude, magnitude_bits(z[2u]));
  z[3u] = load_z(row + min(3u, count.z - 1u) * step_x());
  counts[3u] = all(vec3(0u, 0u, 3u) < count);
  c = max(c, z[3u]);
  magnitude = max(magnitude, magnitude_bits(z[3u]));
  z[4u] = load_z(row + min(4u, count.z - 1u) * step_x());
  counts[4u] = all(vec3(0u, 0u, 4u) < count);
  c = max(c, z[4u]);
  magnitude = max(magnitude, magnitude_bits(z[4u]));
  z[5u] = load_z(row + min(5u, count.z - 1u) * step_x());
  counts[5u] = all(vec3(0u, 0u, 5u) < count);
  c = max(c, z[5u]);
  magnitude = max(magnitude, magnitude_bits(z[5u]));
 }
 {
  let row_at = vec3<u32>(start) + vec3(min(vec2(0u, 1u), count.xy - 1u), 0u);
  let row = x_index(block.plane, row_at);
  z[6u] = load_z(row + min(0u, count.z - 1u) * step_x());
  counts[6u] = all(vec3(0u, 1u, 0u) < count);
  c = max(c, z[6u]);
  magnitude = max(magnitude, magnitude_bits(z[6u]));
  z[7u] = load_z(row + min(1u, count.z - 1u) * step_x());
  counts[7u] = all(vec3(0u, 1u, 1u) < count);
  c = max(c, z[7u]);
  magnitude = max(magnitude, magnitude_bits(z[7u]));
  z[8u] = load_z(row + min(2u, count.z - 1u) * step_x());
  counts[8u] = all(vec3(0u, 1u, 2u) < count);
  c = max(c, z[8u]);
  magnitude = max(magnitude, magnitude_bits(z[8u]));
  z[9u] = load_z(row + min(3u, count.z - 1u) * step_x());
  counts[9u] = all(vec3(0u, 1u, 3u) < count);
  c = max(c, z[9u]);
  magnitude = max(magnitude, magnitude_bits(z[9u]));
  z[10u] = load_z(row + min(4u, count.z - 1u) * step_x());
  counts[10u] = all(vec3(0u, 1u, 4u) < count);
  c = max(c, z[10u]);
  magnitude = max(magnitude, magnitude_bits(z[10u]));
  z[11u] = load_z(row + min(5u, count.z - 1u) * step_x());
  counts[11u] = all(vec3(0u, 1u, 5u) < count);
  c = max(c, z[11u]);
  magnitude = max(magnitude, magnitude_bits(z[11u]));
 }
 {
  let row_at = vec3<u32>(start) + vec3(min(vec2(0u, 2u), count.xy - 1u), 0u);
  let row = x_index(block.plane, row_at);
  z[12u] = load_z(row + min(0u, count.z - 1u) * step_x());
  counts[12u] = all(vec3(0u, 2u, 0u) < count);
  c = max(c, z[12u]);
  magnitude = max(magnitude, magnitude_bits(z[12u]));
  z[13u] = load_z(row + min(1u, count.z - 1u) * step_x());
  counts[13u] = all(vec3(0u, 2u, 1u) < count);
  c = max(c, z[13u]);
  magnitude = max(magnitude, magnitude_bits(z[13u]));
  z[14u] = load_z(row + min(2u, count.z - 1u) * step_x());
  counts[14u] = all(vec3(0u, 2u, 2u) < count);
  c = max(c, z[14u]);
  magnitude = max(magnitude, magnitude_bits(z[14u]));
  z[15u] = load_z(row + min(3u, count.z - 1u) * step_x());
  counts[15u] = all(vec3(0u, 2u, 3u) < count);
  c = max(c, z[15u]);
  magnitude = max(magnitude, magnitude_bits(z[15u]));
  z[16u] = load_z(row + min(4u, count.z - 1u) * step_x());
  counts[16u] = all(vec3(0u, 2u, 4u) < count);
  c = max(c, z[16u]);
  magnitude = max(magnitude, magnitude_bits(z[16u]));
  z[17u] = load_z(row + min(5u, count.z - 1u) * step_x());
  counts[17u] = all(vec3(0u, 2u, 5u) < count);
  c = max(c, z[17u]);
  magnitude = max(magnitude, magnitude_bits(z[17u]));
 }
 {
  let row_at = vec3<u32>(start) + vec3(min(vec2(0u, 3u), count.xy - 1u), 0u);
  let row = x_index(block.plane, row_at);
  z[18u] = load_z(row + min(0u, count.z - 1u) * step_x());
  counts[18u] = all(vec3(0u, 3u, 0u) < count);
  c = max(c, z[18u]);
  magnitude = max(magnitude, magnitude_bits(z[18u]));
  z[19u] = load_z(row + min(1u, count.z - 1u) * step_x());
  counts[19u] = all(vec3(0u, 3u, 1u) < count);
  c = max(c, z[19u]);
  magnitude = max(magnitude, magnitude_bits(z[19u]));
  z[20u] = load_z(row + min(2u, count.z - 1u) * step_x());
  counts[20u] = all(vec3(0u, 3u, 2u) < count);
  c = max(c, z[20u]);
  magnitude = max(magnitude, magnitude_bits(z[20u]));
  z[21u] = load_z(row + min(3u, count.z - 1u) * step_x());
  counts[21u] = all(vec3(0u, 3u, 3u) < count);
  c = max(c, z[21u]);
  magnitude = max(magnitude, magnitude_bits(z[21u]));
  z[22u] = load_z(row + min(4u, count.z - 1u) * step_x());
  counts[22u] = all(vec3(0u, 3u, 4u) < count);
  c = max(c, z[22u]);
  magnitude = max(magnitude, magnitude_bits(z[22u]));
  z[23u] = load_z(row + min(5u, count.z - 1u) * step_x());
  counts[23u] = all(vec3(0u, 3u, 5u) < count);
  c = max(c, z[23u]);
  magnitude = max(magnitude, magnitude_bits(z[23u]));
 }
 {
  let row_at = vec3<u32>(start) + vec3(min(vec2(0u, 4u), count.xy - 1u), 0u);
  let row = x_index(block.plane, row_at);
  z[24u] = load_z(row + min(0u, count.z - 1u) * step_x());
  counts[24u] = all(vec3(0u, 4u, 0u) < count);
  c = max(c, z[24u]);
  magnitude = max(magnitude, magnitude_bits(z[24u]));
  z[25u] = load_z(row + min(1u, count.z - 1u) * step_x());
  counts[25u] = all(vec3(0u, 4u, 1u) < count);
  c = max(c, z[25u]);
  magnitude = max(magnitude, magnitude_bits(z[25u]));
  z[26u] = load_z(row + min(2u, count.z - 1u) * step_x());
  counts[26u] = all(vec3(0u, 4u, 2u) < count);
  c = max(c, z[26u]);
  magnitude = max(magnitude, magnitude_bits(z[26u]));
  z[27u] = load_z(row + min(3u, count.z - 1u) * step_x());
  counts[27u] = all(vec3(0u, 4u, 3u) < count);
  c = max(c, z[27u]);
  magnitude = max(magnitude, magnitude_bits(z[27u]));
  z[28u] = load_z(row + min(4u, count.z - 1u) * step_x());
  counts[28u] = all(vec3(0u, 4u, 4u) < count);
  c = max(c, z[28u]);
  magnitude = max(magnitude, magnitude_bits(z[28u]));
  z[29u] = load_z(row + min(5u, count.z - 1u) * step_x());
  counts[29u] = all(vec3(0u, 4u, 5u) < count);
  c = max(c, z[29u]);
  magnitude = max(magnitude, magnitude_bits(z[29u]));
 }
 {
  let row_at = vec3<u32>(start) + vec3(min(vec2(0u, 5u), count.xy - 1u), 0u);
  let row = x_index(block.plane, row_at);
  z[30u] = load_z(row + min(0u, count.z - 1u) * step_x());
  counts[30u] = all(vec3(0u, 5u, 0u) < count);
  c = max(c, z[30u]);
  magnitude = max(magnitude, magnitude_bits(z[30u]));
  z[31u] = load_z(row + min(1u, count.z - 1u) * step_x());
  counts[31u] = all(vec3(0u, 5u, 1u) < count);
  c = max(c, z[31u]);
  magnitude = max(magnitude, magnitude_bits(z[31u]));
  z[32u] = load_z(row + min(2u, count.z - 1u) * step_x());
  counts[32u] = all(vec3(0u, 5u, 2u) < count);
  c = max(c, z[32u]);
  magnitude = max(magnitude, magnitude_bits(z[32u]));
  z[33u] = load_z(row + min(3u, count.z - 1u) * step_x());
  counts[33u] = all(vec3(0u, 5u, 3u) < count);
  c = max(c, z[33u]);
  magnitude = max(magnitude, magnitude_bits(z[33u]));
  z[34u] = load_z(row + min(4u, count.z - 1u) * step_x());
  counts[34u] = all(vec3(0u, 5u, 4u) < count);
  c = max(c, z[34u]);
  magnitude = max(magnitude, magnitude_bits(z[34u]));
  z[35u] = load_z(row + min(5u, count.z - 1u) * step_x());
  counts[35u] = all(vec3(0u, 5u, 5u) < count);
  c = max(c, z[35u]);
  magnitude = max(magnitude, magnitude_bits(z[35u]));
 }
 var e: array<f32, TAPS>;
 var s = 0.0;
 e[0u] = select(0.0, weigh(z[0u], c), counts[0u]);
 s += e[0u];
 e[1u] = select(0.0, weigh(z[1u], c), counts[1u]);
 s += e[1u];
 e[2u] = select(0.0, weigh(z[2u], c), counts[2u]);
 s += e[2u];
 e[3u] = select(0.0, weigh(z[3u], c), counts[3u]);
 s += e[3u];
 e[4u] = select(0.0, weigh(z[4u], c), counts[4u]);
 s += e[4u];
 e[5u] = select(0.0, weigh(z[5u], c), counts[5u]);
 s += e[5u];
 e[6u] = select(0.0, weigh(z[6u], c), counts[6u]);
 s += e[6u];
 e[7u] = select(0.0, weigh(z[7u], c), counts[7u]);
 s += e[7u];
 e[8u] = select(0.0, weigh(z[8u], c), counts[8u]);
 s += e[8u];
 e[9u] = select(0.0, weigh(z[9u], c), counts[9u]);
 s += e[9u];
 e[10u] = select(0.0, weigh(z[10u], c), counts[10u]);
 s += e[10u];
 e[11u] = select(0.0, weigh(z[11u], c), counts[11u]);
 s += e[11u];
 e[12u] = select(0.0, weigh(z[12u], c), counts[12u]);
 s += e[12u];
 e[13u] = select(0.0, weigh(z[13u], c), counts[13u]);
 s += e[13u];
 e[14u] = select(0.0, weigh(z[14u], c), counts[14u]);
 s += e[14u];
 e[15u] = select(0.0, weigh(z[15u], c), counts[15u]);
 s += e[15u];
 e[16u] = select(0.0, weigh(z[16u], c), counts[16u]);
 s += e[16u];
 e[17u] = select(0.0, weigh(z[17u], c), counts[17u]);
 s += e[17u];
 e[18u] = select(0.0, weigh(z[18u], c), counts[18u]);
 s += e[18u];
 e[19u] = select(0.0, weigh(z[19u], c), counts[19u]);
 s += e[19u];
 e[20u] = select(0.0, weigh(z[20u], c), counts[20u]);
 s += e[20u];
 e[21u] = select(0.0, weigh(z[21u], c), counts[21u]);
 s += e[21u];
 e[22u] = select(0.0, weigh(z[22u], c), counts[22u]);
 s += e[22u];
 e[23u] = select(0.0, weigh(z[23u], c), counts[23u]);
 s += e[23u];
 e[24u] = select(0.0, weigh(z[24u], c), counts[24u]);
 s += e[24u];
 e[25u] = select(0.0, weigh(z[25u], c), counts[25u]);
 s += e[25u];
 e[26u] = select(0.0, weigh(z[26u], c), counts[26u]);
 s += e[26u];
 e[27u] = select(0.0, weigh(z[27u], c), counts[27u]);
 s += e[27u];
 e[28u] = select(0.0, weigh(z[28u], c), counts[28u]);
 s += e[28u];
 e[29u] = select(0.0, weigh(z[29u], c), counts[29u]);
 s += e[29u];
 e[30u] = select(0.0, weigh(z[30u], c), counts[30u]);
 s += e[30u];
 e[31u] = select(0.0, weigh(z[31u], c), counts[31u]);
 s += e[31u];
 e[32u] = select(0.0, weigh(z[32u], c), counts[32u]);
 s += e[32u];
 e[33u] = select(0.0, weigh(z[33u], c), counts[33u]);
 s += e[33u];
 e[34u] = select(0.0, weigh(z[34u], c), counts[34u]);
 s += e[34u];
 e[35u] = select(0.0, weigh(z[35u], c), counts[35u]);
 s += e[35u];
 let one = 1.0 / s;
 var d = 0.0;
 d += e[0u] * one * offset(z[0u], c);
 d += e[1u] * one * offset(z[1u], c);
 d += e[2u] * one * offset(z[2u], c);
 d += e[3u] * one * offset(z[3u], c);
 d += e[4u] * one * offset(z[4u], c);
 d += e[5u] * one * offset(z[5u], c);
 d += e[6u] * one * offset(z[6u], c);
 d += e[7u] * one * offset(z[7u], c);
 d += e[8u] * one * offset(z[8u], c);
 d += e[9u] * one * offset(z[9u], c);
 d += e[10u] * one * offset(z[10u], c);
 d += e[11u] * one * offset(z[11u], c);
 d += e[12u] * one * offset(z[12u], c);
 d += e[13u] * one * offset(z[13u], c);
 d += e[14u] * one * offset(z[14u], c);
 d += e[15u] * one * offset(z[15u], c);
 d += e[16u] * one * offset(z[16u], c);
 d += e[17u] * one * offset(z[17u], c);
 d += e[18u] * one * offset(z[18u], c);
 d += e[19u] * one * offset(z[19u], c);
 d += e[20u] * one * offset(z[20u], c);
 d += e[21u] * one * offset(z[21u], c);
 d += e[22u] * one * offset(z[22u], c);
 d += e[23u] * one * offset(z[23u], c);
 d += e[24u] * one * offset(z[24u], c);
 d += e[25u] * one * offset(z[25u], c);
 d += e[26u] * one * offset(z[26u], c);
 d += e[27u] * one * offset(z[27u], c);
 d += e[28u] * one * offset(z[28u], c);
 d += e[29u] * one * offset(z[29u], c);
 d += e[30u] * one * offset(z[30u], c);
 d += e[31u] * one * offset(z[31u], c);
 d += e[32u] * one * offset(z[32u], c);
 d += e[33u] * one * offset(z[33u], c);
 d += e[34u] * one * offset(z[34u], c);
 d += e[35u] * one * offset(z[35u], c);
 store_window(block.plane, block.first, resolve(magnitude, c, s, d));
}
