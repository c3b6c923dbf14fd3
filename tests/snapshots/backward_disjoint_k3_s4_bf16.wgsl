// softpool backward disjoint k3 s4 p1
//! src/specialise.rs
const KERNEL_H = 3u;
const KERNEL_W = 3u;
const STRIDE_D = 1u;
const STRIDE_H = 4u;
const STRIDE_W = 4u;
const PADDING_D = 0u;
const PADDING_H = 1u;
const PADDING_W = 1u;
const DILATION_D = 1u;
const DILATION_H = 1u;
const BLOCK_D = 1u;
const BLOCK_W = 4u;
const WORKGROUP_Z = 1u;
const WORKGROUP_Y = 1u;
const WORKGROUP_X = 64u;
const WINDOWS_W = 4u;
const WINDOW_LEAD = 0u;
const WINDOW_QUADS = 1u;
const CELL_QUADS = 4u;
const KEPT_ROWS = 3u;
const LEAD = 3u;
const QUADS = 5u;
const MASKED = true;
@group(0) @binding(0) var<storage, read> x: array<vec2<u32>>;
fn step_x() -> u32 { return 1u; }
fn x_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.x.start + ((plane.y * params.input_size.x + at.x) * params.input_size.y + at.y) * params.input_size.z + at.z; }
fn load_x(index: u32) -> f32 { return f32_from_bf16(x[index / 4u])[index % 4u]; }
fn load_x4(index: u32) -> vec4<f32> { return f32_from_bf16(x[index / 4u]); }
fn step_statistics() -> u32 { return params.statistics.position.z; }
fn statistics_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.statistics.start + plane.x * params.statistics.sample + plane.y * params.statistics.channel + at.x * params.statistics.position.x + at.y * params.statistics.position.y + at.z * step_statistics(); }
fn load_statistics4(index: u32) -> vec4<f32> { return vec4(0.0); }
@group(0) @binding(1) var<storage, read> grad_output: array<vec2<u32>>;
fn grad_output_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.grad_output.start + ((plane.y * params.output_size.x + at.x) * params.output_size.y + at.y) * params.output_size.z + at.z; }
fn load_grad_output4(index: u32) -> vec4<f32> { return f32_from_bf16(grad_output[index / 4u]); }
@group(0) @binding(2) var<storage, read_write> grad_input: array<atomic<u32>>;
fn step_grad_input() -> u32 { return 1u; }
fn grad_input_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.grad_input.start + ((plane.y * params.input_size.x + at.x) * params.input_size.y + at.y) * params.input_size.z + at.z; }
fn store_grad_input(index: u32, value: f32) { atomicXor(&grad_input[index / 2u], half_change(atomicLoad(&grad_input[index / 2u]), index, bf16_bits(vec4(value)).x)); }
fn store_grad_input_four(index: u32, values: vec4<f32>, exist: vec4<bool>) { if (exist.x) { store_grad_input(index + 0u * step_grad_input(), values.x); } if (exist.y) { store_grad_input(index + 1u * step_grad_input(), values.y); } if (exist.z) { store_grad_input(index + 2u * step_grad_input(), values.z); } if (exist.w) { store_grad_input(index + 3u * step_grad_input(), values.w); } }
fn taps_of(row: array<vec4<f32>, 5>) -> array<array<vec4<f32>, 3>, 1> { return array<array<vec4<f32>, 3>, 1>(array<vec4<f32>, 3>(vec4(row[0].w, row[1].w, row[2].w, row[3].w), vec4(row[1].x, row[2].x, row[3].x, row[4].x), vec4(row[1].y, row[2].y, row[3].y, row[4].y))); }
fn cells_of(row: array<vec4<f32>, 3>) -> array<vec4<f32>, 4> { return array<vec4<f32>, 4>(vec4(row[0].x, row[1].x, row[2].x, 0.0), vec4(row[0].y, row[1].y, row[2].y, 0.0), vec4(row[0].z, row[1].z, row[2].z, 0.0), vec4(row[0].w, row[1].w, row[2].w, 0.0)); }
@group(0) @binding(3) var<uniform> params: Params;
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
fn have_weights(magnitude: vec4<u32>, c: vec4<f32>) -> vec4<bool> {
 let infinite = (magnitude == vec4(INFINITY_BITS)) & (magnitude_bits4(c) < vec4(INFINITY_BITS));
 return (magnitude < vec4(INFINITY_BITS)) | (infinite & vec4(!beta_is_0()));
}
fn are_empty(magnitude: vec4<u32>, c: vec4<f32>) -> vec4<bool> {
 return (c <= vec4(LOWEST_Z)) & (magnitude <= vec4(INFINITY_BITS));
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
//! shaders/rows.wgsl
fn row_inside(depth_height: vec2<i32>) -> vec3<u32> {
 return vec3(vec2<u32>(clamp(depth_height, vec2(0), vec2<i32>(params.input_size.xy) - 1)), 0u);
}
fn columns_inside(first_column: i32, quad: u32) -> vec4<u32> {
 let columns = first_column - i32(LEAD) + i32(4u * quad) + LANES_OF_4;
 return vec4<u32>(clamp(columns, vec4(0), vec4(i32(params.input_size.z) - 1)));
}
fn load_each_x(start: u32, columns: vec4<u32>) -> vec4<f32> {
 let at = start + columns * step_x();
 return vec4(load_x(at.x), load_x(at.y), load_x(at.z), load_x(at.w));
}
fn load_row(plane: vec2<u32>, depth_height: vec2<i32>, first_column: i32) -> array<vec4<f32>, QUADS> {
 let start = x_index(plane, row_inside(depth_height));
 let scale = 0.5 * sign_of_beta();
 var row: array<vec4<f32>, QUADS>;
 {
  let columns = columns_inside(first_column, 0u);
  row[0u] = scale * load_each_x(start, columns);
 }
 {
  let columns = columns_inside(first_column, 1u);
  row[1u] = scale * load_x4(start + min(columns.x, params.input_size.z - 4u));
 }
 {
  let columns = columns_inside(first_column, 2u);
  row[2u] = scale * load_x4(start + min(columns.x, params.input_size.z - 4u));
 }
 {
  let columns = columns_inside(first_column, 3u);
  row[3u] = scale * load_x4(start + min(columns.x, params.input_size.z - 4u));
 }
 {
  let columns = columns_inside(first_column, 4u);
  row[4u] = scale * load_each_x(start, columns);
 }
 return row;
}
const LANES_OF_4 = vec4<i32>(0, 1, 2, 3);
fn inside_row(depth_height: vec2<i32>, first_column: i32, quad: u32) -> vec4<bool> {
 let size = vec3<i32>(params.input_size);
 let columns = first_column - i32(LEAD) + i32(4u * quad) + LANES_OF_4;
 let inside = vec4(all(depth_height >= vec2(0)) && all(depth_height < size.xy));
 return vec4(!MASKED) | (inside & (columns >= vec4(0)) & (columns < vec4(size.z)));
}
//! shaders/taps.wgsl
fn padded_row(plane: vec2<u32>, depth_height: vec2<i32>, first_column: i32) -> array<vec4<f32>, QUADS> {
 var row = load_row(plane, depth_height, first_column);
 row[0u] = select(vec4(LOWEST_Z), row[0u], inside_row(depth_height, first_column, 0u));
 row[1u] = select(vec4(LOWEST_Z), row[1u], inside_row(depth_height, first_column, 1u));
 row[2u] = select(vec4(LOWEST_Z), row[2u], inside_row(depth_height, first_column, 2u));
 row[3u] = select(vec4(LOWEST_Z), row[3u], inside_row(depth_height, first_column, 3u));
 row[4u] = select(vec4(LOWEST_Z), row[4u], inside_row(depth_height, first_column, 4u));
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
 extremes.c = max(extremes.c, taps[2u]);
 extremes.magnitude = max(extremes.magnitude, magnitude_bits4(taps[2u]));
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
 {
  let e = tap_weight(taps[2u], c);
  sums.s += e;
  sums.q += e * rated(taps[2u], c, rate);
 }
 return sums;
}
struct Factors {
 c: vec4<f32>,
 a: vec4<f32>,
 b: vec4<f32>,
 nothing: vec4<bool>,
}
fn factors_of(extremes: Extremes, sums: Sums, g: vec4<f32>, exist: vec4<bool>) -> Factors {
 let factor = select(vec4(from_bits(NAN_BITS)), g, have_weights(extremes.magnitude, extremes.c));
 var a = factor / sums.s;
 var b = vec4(0.0);
 b = a;
 a *= 1.0 - sums.q / sums.s;
 b *= 1.0 / LOG2_E;
 return Factors(extremes.c, a, b, !exist | are_empty(extremes.magnitude, extremes.c));
}
fn tap_gradient(z: vec4<f32>, factors: Factors) -> vec4<f32> {
 let exponent = tap_exponent(z, factors.c);
 return select(power(exponent) * (factors.a + factors.b * exponent), vec4(0.0), factors.nothing);
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
 {
  let taps = load_taps(plane, start, 2u);
  seen.extremes = with_extremes(seen.extremes, taps);
  seen.kept[2u] = taps;
 }
 seen.sums = with_sums(seen.sums, seen.kept[0u], seen.extremes.c, rate);
 seen.sums = with_sums(seen.sums, seen.kept[1u], seen.extremes.c, rate);
 seen.sums = with_sums(seen.sums, seen.kept[2u], seen.extremes.c, rate);
 return seen;
}
//! shaders/window_values.wgsl
const G = 3u;
fn load_window_row(quantity: u32, plane: vec2<u32>, first: vec3<i32>) -> array<vec4<f32>, WINDOW_QUADS> {
 let last = vec3<i32>(params.output_size) - 1;
 let row = vec3(vec2<u32>(clamp(first.xy, vec2(0), last.xy)), 0u);
 var start: u32;
 if (quantity == G) {
  start = grad_output_index(plane, row);
 } else {
  start = statistics_index(plane, row) + quantity * params.statistics.word;
 }
 var values: array<vec4<f32>, WINDOW_QUADS>;
 {
  let column = first.z - i32(WINDOW_LEAD) + i32(4u * 0u);
  {
   let at = start + u32(clamp(column, 0, last.z - 3));
   if (quantity == G) {
    values[0u] = load_grad_output4(at);
   } else {
    values[0u] = load_statistics4(at);
   }
  }
 }
 return values;
}
fn existing_windows(first: vec3<i32>) -> array<vec4<bool>, WINDOW_QUADS> {
 let size = vec3<i32>(params.output_size);
 let row_exists = all(first.xy >= vec2(0)) && all(first.xy < size.xy);
 let start = max(first.z, 0);
 let end = min(first.z + i32(WINDOWS_W), size.z);
 var exist: array<vec4<bool>, WINDOW_QUADS>;
 {
  let columns = first.z - i32(WINDOW_LEAD) + i32(4u * 0u) + LANES_OF_4;
  exist[0u] = vec4(row_exists) & (columns >= vec4(start)) & (columns < vec4(end));
 }
 return exist;
}
//! shaders/gradient_row.wgsl
fn store_gradient_row(plane: vec2<u32>, first: vec3<i32>, gradients: array<vec4<f32>, CELL_QUADS>) {
 let size = vec3<i32>(params.input_size);
 if (any(first.xy < vec2(0)) || any(first.xy >= size.xy)) {
  return;
 }
 let start = grad_input_index(plane, vec3(vec2<u32>(first.xy), 0u));
 {
  let columns = first.z + i32(4u * 0u) + LANES_OF_4;
  let exist = (columns >= vec4(0)) & (columns < vec4(size.z));
  store_grad_input_four(start + u32(columns.x) * step_grad_input(), gradients[0u], exist);
 }
 {
  let columns = first.z + i32(4u * 1u) + LANES_OF_4;
  let exist = (columns >= vec4(0)) & (columns < vec4(size.z));
  store_grad_input_four(start + u32(columns.x) * step_grad_input(), gradients[1u], exist);
 }
 {
  let columns = first.z + i32(4u * 2u) + LANES_OF_4;
  let exist = (columns >= vec4(0)) & (columns < vec4(size.z));
  store_grad_input_four(start + u32(columns.x) * step_grad_input(), gradients[2u], exist);
 }
 {
  let columns = first.z + i32(4u * 3u) + LANES_OF_4;
  let exist = (columns >= vec4(0)) & (columns < vec4(size.z));
  store_grad_input_four(start + u32(columns.x) * step_grad_input(), gradients[3u], exist);
 }
}
//! shaders/backward_disjoint.wgsl
fn cells_with(taps: array<vec4<f32>, KERNEL_W>, factors: Factors) -> array<vec4<f32>, CELL_QUADS> {
 var gradients: array<vec4<f32>, KERNEL_W>;
 gradients[0u] = tap_gradient(taps[0u], factors);
 gradients[1u] = tap_gradient(taps[1u], factors);
 gradients[2u] = tap_gradient(taps[2u], factors);
 return cells_of(gradients);
}
fn store_four_cells(plane: vec2<u32>, first: vec3<u32>) {
 let start = window_start(first);
 let seen = seen_from(plane, start, beta());
 let g = load_window_row(G, plane, vec3<i32>(first))[0];
 let factors = factors_of(seen.extremes, seen.sums, g, existing_windows(vec3<i32>(first))[0]);
 {
  var cells: array<vec4<f32>, CELL_QUADS>;
  cells = cells_with(seen.kept[0u], factors);
  store_gradient_row(plane, start + vec3<i32>(vec3(0u, 0u, 0u)), cells);
 }
 {
  var cells: array<vec4<f32>, CELL_QUADS>;
  cells = cells_with(seen.kept[1u], factors);
  store_gradient_row(plane, start + vec3<i32>(vec3(0u, 1u, 0u)), cells);
 }
 {
  var cells: array<vec4<f32>, CELL_QUADS>;
  cells = cells_with(seen.kept[2u], factors);
  store_gradient_row(plane, start + vec3<i32>(vec3(0u, 2u, 0u)), cells);
 }
 {
  var cells: array<vec4<f32>, CELL_QUADS>;
  store_gradient_row(plane, start + vec3<i32>(vec3(0u, 3u, 0u)), cells);
 }
}
@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
 let block = block_at(invocation);
 if (!block.inside) {
  return;
 }
 store_four_cells(block.plane, block.first + vec3(0u, 0u, 4u * 0u));
}
