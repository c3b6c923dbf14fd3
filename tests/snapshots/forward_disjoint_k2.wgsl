// softpool forward disjoint k2 s2
//! src/specialise.rs
const KERNEL_H = 2u;
const KERNEL_W = 2u;
const STRIDE_D = 1u;
const STRIDE_H = 2u;
const STRIDE_W = 2u;
const PADDING_D = 0u;
const PADDING_H = 0u;
const PADDING_W = 0u;
const DILATION_D = 1u;
const DILATION_H = 1u;
const BLOCK_D = 1u;
const BLOCK_W = 8u;
const WORKGROUP_Z = 1u;
const WORKGROUP_Y = 1u;
const WORKGROUP_X = 64u;
const KEPT_ROWS = 2u;
const LEAD = 0u;
const QUADS = 2u;
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
fn x_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.x.start + ((plane.y * params.input_size.x + at.x) * params.input_size.y + at.y) * params.input_size.z + at.z; }
fn load_x4(index: u32) -> vec4<f32> { return x[index / 4u]; }
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
fn y_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.y.start + ((plane.y * params.output_size.x + at.x) * params.output_size.y + at.y) * params.output_size.z + at.z; }
fn store_y4(index: u32, values: vec4<f32>) { y[index / 4u] = values; }
fn store_y_four(index: u32, values: vec4<f32>, exist: vec4<bool>) { if (exist.x) { store_y4(index, values); } }
fn taps_of(row: array<vec4<f32>, 2>) -> array<array<vec4<f32>, 2>, 1> { return array<array<vec4<f32>, 2>, 1>(array<vec4<f32>, 2>(vec4(row[0].xz, row[1].xz), vec4(row[0].yw, row[1].yw))); }
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
const LARGEST = 3.4e38;
const LOWEST_Z = -1.8e38;
fn beta_is_small() -> bool {
 return false;
}
fn beta_is_0() -> bool {
 return false;
}
const INFINITY_BITS = 0x7f800000u;
const MINUS_INFINITY_BITS = 0xff800000u;
const NAN_BITS = 0x7fc00000u;
fn magnitude_bits4(values: vec4<f32>) -> vec4<u32> {
 return bitcast<vec4<u32>>(values) & vec4(0x7fffffffu);
}
fn from_bits(bits: u32) -> f32 {
 var unknown = bits;
 return bitcast<f32>(unknown);
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
//! shaders/positions.wgsl
fn window_start(window: vec3<u32>) -> vec3<i32> {
 let start = vec3<i32>(window * STRIDE) - vec3<i32>(PADDING);
 return start;
}
//! shaders/beta.wgsl
fn set_beta(plane: vec2<u32>) {}
fn beta() -> f32 {
 return params.beta;
}
fn sign_of_beta() -> f32 {
 return params.sign;
}
//! shaders/rows.wgsl
fn row_inside(depth_height: vec2<i32>) -> vec3<u32> {
 return vec3(vec2<u32>(clamp(depth_height, vec2(0), vec2<i32>(params.input_size.xy) - 1)), 0u);
}
fn columns_inside(first_column: i32, quad: u32) -> vec4<u32> {
 let columns = first_column - i32(LEAD) + i32(4u * quad) + LANES_OF_4;
 return vec4<u32>(clamp(columns, vec4(0), vec4(i32(params.input_size.z) - 1)));
}
fn load_row(plane: vec2<u32>, depth_height: vec2<i32>, first_column: i32) -> array<vec4<f32>, QUADS> {
 let start = x_index(plane, row_inside(depth_height));
 let scale = 0.5 * sign_of_beta();
 var row: array<vec4<f32>, QUADS>;
 {
  let columns = columns_inside(first_column, 0u);
  row[0u] = scale * load_x4(start + min(columns.x, params.input_size.z - 4u));
 }
 {
  let columns = columns_inside(first_column, 1u);
  row[1u] = scale * load_x4(start + min(columns.x, params.input_size.z - 4u));
 }
 return row;
}
const LANES_OF_4 = vec4<i32>(0, 1, 2, 3);
//! shaders/taps.wgsl
fn padded_row(plane: vec2<u32>, depth_height: vec2<i32>, first_column: i32) -> array<vec4<f32>, QUADS> {
 var row = load_row(plane, depth_height, first_column);
 return row;
}
struct Extremes {
 c: vec4<f32>,
 magnitude: vec4<u32>,
}
fn no_extremes() -> Extremes {
 return Extremes(vec4(from_bits(MINUS_INFINITY_BITS)), vec4(0u));
}
fn with_extremes(before: Extremes, taps: array<vec4<f32>, KERNEL_W>) -> Extremes {
 var extremes = before;
 extremes.c = max(extremes.c, taps[0u]);
 extremes.magnitude = max(extremes.magnitude, magnitude_bits4(taps[0u]));
 extremes.c = max(extremes.c, taps[1u]);
 extremes.magnitude = max(extremes.magnitude, magnitude_bits4(taps[1u]));
 return extremes;
}
fn rated(z: vec4<f32>, c: vec4<f32>, rate: f32) -> vec4<f32> {
 return max(rate * (z - c), vec4(-1e38));
}
fn tap_exponent(z: vec4<f32>, c: vec4<f32>) -> vec4<f32> {
 return max(min(beta() * LOG2_E, LARGEST) * (z - c), vec4(-1000.0));
}
fn power(exponent: vec4<f32>) -> vec4<f32> {
 return exp2(exponent);
}
fn tap_weight(z: vec4<f32>, c: vec4<f32>) -> vec4<f32> {
 let e = power(tap_exponent(z, c));
 return e;
}
struct Sums {
 s: vec4<f32>,
 q: vec4<f32>,
}
fn with_sums(before: Sums, taps: array<vec4<f32>, KERNEL_W>, c: vec4<f32>, rate: f32) -> Sums {
 var sums = before;
 {
  let e = tap_weight(taps[0u], c);
  sums.s += e;
  sums.q += e * rated(taps[0u], c, rate);
 }
 {
  let e = tap_weight(taps[1u], c);
  sums.s += e;
  sums.q += e * rated(taps[1u], c, rate);
 }
 return sums;
}
fn forward_rate() -> f32 {
 return select(1.0, 1.0 / 256.0, beta_is_small());
}
fn windows_of(extremes: Extremes, sums: Sums) -> Windows {
 return resolve4(extremes.magnitude, extremes.c, sums.s, sums.q / sums.s * select(1.0, 256.0, beta_is_small()));
}
//! shaders/disjoint.wgsl
fn load_taps(plane: vec2<u32>, start: vec3<i32>, row: u32) -> array<vec4<f32>, KERNEL_W> {
 let depth_height = start.xy + vec2<i32>(vec2(row / KERNEL_H * DILATION_D, row % KERNEL_H * DILATION_H));
 return taps_of(padded_row(plane, depth_height, start.z))[0];
}
struct Seen {
 kept: array<array<vec4<f32>, KERNEL_W>, KEPT_ROWS>,
 extremes: Extremes,
 sums: Sums,
}
fn seen_from(plane: vec2<u32>, start: vec3<i32>, rate: f32) -> Seen {
 var seen: Seen;
 seen.extremes = no_extremes();
 {
  let taps = load_taps(plane, start, 0u);
  seen.extremes = with_extremes(seen.extremes, taps);
  seen.kept[0u] = taps;
 }
 {
  let taps = load_taps(plane, start, 1u);
  seen.extremes = with_extremes(seen.extremes, taps);
  seen.kept[1u] = taps;
 }
 seen.sums = with_sums(seen.sums, seen.kept[0u], seen.extremes.c, rate);
 seen.sums = with_sums(seen.sums, seen.kept[1u], seen.extremes.c, rate);
 return seen;
}
//! shaders/forward.wgsl
fn store_four(plane: vec2<u32>, at: vec3<u32>, windows: Windows) {
 let exist = (at.z + vec4(0u, 1u, 2u, 3u)) < vec4(params.output_size.z);
 store_y_four(y_index(plane, at), 2.0 * sign_of_beta() * windows.y, exist);
}
//! shaders/forward_disjoint.wgsl
@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
 let block = block_at(invocation);
 if (!block.inside) {
  return;
 }
 {
  let first = block.first + vec3(0u, 0u, 4u * 0u);
  let seen = seen_from(block.plane, window_start(first), forward_rate());
  store_four(block.plane, first, windows_of(seen.extremes, seen.sums));
 }
 {
  let first = block.first + vec3(0u, 0u, 4u * 1u);
  let seen = seen_from(block.plane, window_start(first), forward_rate());
  store_four(block.plane, first, windows_of(seen.extremes, seen.sums));
 }
}
