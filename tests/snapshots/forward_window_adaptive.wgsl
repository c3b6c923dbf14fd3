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
const BLOCK_H = 1u;
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
fn has_weights(magnitude: u32, c: f32) -> bool {
 return magnitude < INFINITY_BITS || (magnitude == INFINITY_BITS && is_finite(c) && beta() != 0.0);
}
fn is_empty(magnitude: u32, c: f32) -> bool {
 return bitcast<u32>(c) == MINUS_INFINITY_BITS && magnitude <= INFINITY_BITS;
}
fn resolve(magnitude: u32, c: f32, s: f32, d: f32) -> Window {
 if (is_empty(magnitude, c)) {
  return Window(0.5 * LARGEST, from_bits(INFINITY_BITS), 0.0, from_bits(MINUS_INFINITY_BITS));
 }
 let nan = from_bits(NAN_BITS);
 if (has_weights(magnitude, c)) {
  return Window(c, s, d, c + d);
 }
 let infinity = select(from_bits(MINUS_INFINITY_BITS), c, bitcast<u32>(c) == INFINITY_BITS);
 return Window(c, nan, d, select(infinity, nan, magnitude > INFINITY_BITS));
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
 let block = block_at(invocation, params.output_size);
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
  const kd = 0u;
  {
   const kh = 0u;
   let row_at = vec3<u32>(start) + vec3(min(vec2(kd, kh), count.xy - 1u), 0u);
   let row = x_index(block.plane, row_at);
   {
    const kw = 0u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 1u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 2u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 3u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 4u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 5u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
  }
  {
   const kh = 1u;
   let row_at = vec3<u32>(start) + vec3(min(vec2(kd, kh), count.xy - 1u), 0u);
   let row = x_index(block.plane, row_at);
   {
    const kw = 0u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 1u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 2u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 3u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 4u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 5u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
  }
  {
   const kh = 2u;
   let row_at = vec3<u32>(start) + vec3(min(vec2(kd, kh), count.xy - 1u), 0u);
   let row = x_index(block.plane, row_at);
   {
    const kw = 0u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 1u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 2u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 3u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 4u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 5u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
  }
  {
   const kh = 3u;
   let row_at = vec3<u32>(start) + vec3(min(vec2(kd, kh), count.xy - 1u), 0u);
   let row = x_index(block.plane, row_at);
   {
    const kw = 0u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 1u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 2u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 3u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 4u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 5u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
  }
  {
   const kh = 4u;
   let row_at = vec3<u32>(start) + vec3(min(vec2(kd, kh), count.xy - 1u), 0u);
   let row = x_index(block.plane, row_at);
   {
    const kw = 0u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 1u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 2u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 3u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 4u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 5u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
  }
  {
   const kh = 5u;
   let row_at = vec3<u32>(start) + vec3(min(vec2(kd, kh), count.xy - 1u), 0u);
   let row = x_index(block.plane, row_at);
   {
    const kw = 0u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 1u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 2u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 3u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 4u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
   {
    const kw = 5u;
    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
    z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
    counts[tap] = all(vec3(kd, kh, kw) < count);
    c = max(c, z[tap]);
    magnitude = max(magnitude, magnitude_bits(z[tap]));
   }
  }
 }
 var e: array<f32, TAPS>;
 var s = 0.0;
 {
  const tap = 0u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 1u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 2u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 3u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 4u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 5u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 6u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 7u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 8u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 9u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 10u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 11u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 12u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 13u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 14u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 15u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 16u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 17u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 18u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 19u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 20u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 21u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 22u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 23u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 24u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 25u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 26u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 27u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 28u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 29u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 30u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 31u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 32u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 33u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 34u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 {
  const tap = 35u;
  e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
  s += e[tap];
 }
 let one = 1.0 / s;
 var d = 0.0;
 {
  const tap = 0u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 1u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 2u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 3u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 4u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 5u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 6u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 7u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 8u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 9u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 10u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 11u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 12u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 13u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 14u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 15u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 16u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 17u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 18u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 19u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 20u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 21u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 22u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 23u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 24u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 25u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 26u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 27u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 28u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 29u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 30u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 31u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 32u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 33u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 34u;
  d += e[tap] * one * offset(z[tap], c);
 }
 {
  const tap = 35u;
  d += e[tap] * one * offset(z[tap], c);
 }
 store_window(block.plane, block.first, resolve(magnitude, c, s, d));
}
