// softpool backward taps k3 s1 p1
//! src/specialise.rs
const KERNEL_H = 3u;
const KERNEL_W = 3u;
const STRIDE_D = 1u;
const STRIDE_H = 1u;
const STRIDE_W = 1u;
const PADDING_D = 0u;
const PADDING_H = 1u;
const PADDING_W = 1u;
const BLOCK_D = 1u;
const BLOCK_W = 4u;
const WORKGROUP_Z = 1u;
const WORKGROUP_Y = 1u;
const WORKGROUP_X = 64u;
const WINDOWS_OF_ROW = 3u;
const WINDOWS_W = 6u;
const BEFORE_D = 0u;
const BEFORE_H = 1u;
const BEFORE_W = 1u;
const OFFSET_H = 2u;
const WINDOW_QUADS = 2u;
const G_LEAD = 3u;
const G_QUADS = 3u;
const CELL_QUADS = 1u;
const LEAD = 2u;
const QUADS = 3u;
const RING_ROWS = 3u;
const RING_BEFORE = 2u;
const FIRST_TURN = 2u;
const ROWS_BEFORE = 0u;
const MASKED = true;
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
fn step_x() -> u32 { return 1u; }
fn x_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.x.start + ((plane.y * params.input_size.x + at.x) * params.input_size.y + at.y) * params.input_size.z + at.z; }
fn load_x(index: u32) -> f32 { return x[index / 4u][index % 4u]; }
fn load_x4(index: u32) -> vec4<f32> { return x[index / 4u]; }
@group(0) @binding(1) var<storage, read> grad_output: array<vec4<f32>>;
fn step_grad_output() -> u32 { return 1u; }
fn grad_output_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.grad_output.start + ((plane.y * params.output_size.x + at.x) * params.output_size.y + at.y) * params.output_size.z + at.z; }
fn load_grad_output(index: u32) -> f32 { return grad_output[index / 4u][index % 4u]; }
fn load_grad_output4(index: u32) -> vec4<f32> { return grad_output[index / 4u]; }
@group(0) @binding(2) var<storage, read_write> grad_input: array<vec4<f32>>;
fn step_grad_input() -> u32 { return 1u; }
fn grad_input_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.grad_input.start + ((plane.y * params.input_size.x + at.x) * params.input_size.y + at.y) * params.input_size.z + at.z; }
fn store_grad_input4(index: u32, values: vec4<f32>) { grad_input[index / 4u] = values; }
fn store_grad_input_four(index: u32, values: vec4<f32>, exist: vec4<bool>) { if (exist.x) { store_grad_input4(index, values); } }
fn taps_of(row: array<vec4<f32>, 3>) -> array<array<vec4<f32>, 3>, 2> { return array<array<vec4<f32>, 3>, 2>(array<vec4<f32>, 3>(vec4(row[0].zw, row[1].xy), vec4(row[0].w, row[1].xyz), row[1]), array<vec4<f32>, 3>(vec4(row[1].zw, row[2].xy), vec4(row[1].w, row[2].xyz), row[2])); }
fn previous_taps(row: array<vec4<f32>, 3>) -> array<vec4<f32>, 3> { return array<vec4<f32>, 3>(vec4(0.0, row[0].xyz), vec4(row[0].w, row[1].xyz), vec4(row[1].w, row[2].xyz)); }
fn g_at_windows(row: array<vec4<f32>, 3>) -> array<vec4<f32>, 2> { return array<vec4<f32>, 2>(vec4(row[0].w, row[1].xyz), vec4(row[1].w, row[2].xyz)); }
fn at_cells(row: array<vec4<f32>, 3>) -> array<vec4<f32>, 1> { return array<vec4<f32>, 1>(row[1]); }
fn at_patch(row: array<vec4<f32>, 2>) -> array<vec4<f32>, 3> { return array<vec4<f32>, 3>(vec4(0.0, 0.0, row[0].xy), vec4(row[0].zw, row[1].xy), vec4(0.0, 0.0, 0.0, 0.0)); }
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
fn unforeseen(values: vec4<f32>) -> vec4<f32> {
 return bitcast<vec4<f32>>(bitcast<vec4<u32>>(values) + vec4(params.zero));
}
fn have_weights(magnitude: vec4<u32>, c: vec4<f32>) -> vec4<bool> {
 let infinite = (magnitude == vec4(INFINITY_BITS)) & (magnitude_bits4(c) < vec4(INFINITY_BITS));
 return (magnitude < vec4(INFINITY_BITS)) | (infinite & vec4(!beta_is_0()));
}
fn are_empty(magnitude: vec4<u32>, c: vec4<f32>) -> vec4<bool> {
 return (c <= vec4(LOWEST_Z)) & (magnitude <= vec4(INFINITY_BITS));
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
  row[2u] = scale * load_each_x(start, columns);
 }
 return row;
}
fn load_each_g(start: u32, first_column: i32) -> vec4<f32> {
 let columns = clamp(first_column + LANES_OF_4, vec4(0), vec4(i32(params.output_size.z) - 1));
 let at = start + vec4<u32>(columns) * step_grad_output();
 return vec4(load_grad_output(at.x), load_grad_output(at.y), load_grad_output(at.z), load_grad_output(at.w));
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
 return row;
}
const AS_INFINITY = 2e38;
const ABOVE_INFINITY = 3e38;
fn numbers_of(z: vec4<f32>) -> vec4<f32> {
 let infinite = bitcast<vec4<u32>>(z) == vec4(INFINITY_BITS);
 return select(select(z, vec4(AS_INFINITY), infinite), vec4(ABOVE_INFINITY), magnitude_bits4(z) > vec4(INFINITY_BITS));
}
struct Extremes {
 c: vec4<f32>,
 magnitude: vec4<u32>,
}
fn no_extremes() -> Extremes {
 return Extremes(vec4(from_bits(MINUS_INFINITY_BITS)), vec4(0u));
}
fn with_largest(before: vec4<f32>, taps: array<vec4<f32>, KERNEL_W>) -> vec4<f32> {
 var largest = before;
 largest = max(largest, taps[0u]);
 largest = max(largest, taps[1u]);
 largest = max(largest, taps[2u]);
 return largest;
}
fn extremes_of_numbers(largest: vec4<f32>) -> Extremes {
 var extremes = Extremes(largest, select(vec4(0u), vec4(NAN_BITS), largest == vec4(ABOVE_INFINITY)));
 let infinite = largest == vec4(AS_INFINITY);
 extremes.magnitude = select(extremes.magnitude, vec4(INFINITY_BITS), infinite);
 extremes.c = select(extremes.c, vec4(from_bits(INFINITY_BITS)), infinite);
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
//! shaders/tap_rows.wgsl
struct Line {
 z: array<vec4<f32>, QUADS>,
 v: array<vec4<f32>, QUADS>,
}
fn line_at(plane: vec2<u32>, depth_height: vec2<i32>, first_column: i32) -> Line {
 var line: Line;
 line.z = padded_row(plane, depth_height, first_column);
 line.z[0u] = numbers_of(line.z[0u]);
 line.z[1u] = numbers_of(line.z[1u]);
 line.z[2u] = numbers_of(line.z[2u]);
 return line;
}
struct Taps {
 z: array<array<vec4<f32>, KERNEL_W>, KERNEL_H>,
 v: array<array<vec4<f32>, KERNEL_W>, KERNEL_H>,
}
fn extremes_of(taps: Taps) -> Extremes {
 var extremes = no_extremes();
 extremes.c = with_largest(extremes.c, taps.z[0u]);
 extremes.c = with_largest(extremes.c, taps.z[1u]);
 extremes.c = with_largest(extremes.c, taps.z[2u]);
 return extremes_of_numbers(extremes.c);
}
fn sums_of(taps: Taps, c: vec4<f32>, rate: f32) -> Sums {
 var sums: Sums;
 sums = with_sums(sums, taps.z[0u], c, rate);
 sums = with_sums(sums, taps.z[1u], c, rate);
 sums = with_sums(sums, taps.z[2u], c, rate);
 return sums;
}
fn anew(factors: Factors) -> Factors {
 var again = factors;
 again.c = unforeseen(factors.c);
 return again;
}
struct Moments {
 v: vec4<f32>,
 beta_k: vec4<f32>,
 mean_t: vec4<f32>,
}
//! shaders/output_row.wgsl
fn load_row_of_g(plane: vec2<u32>, at: vec3<i32>) -> array<vec4<f32>, WINDOW_QUADS> {
 let last = vec3<i32>(params.output_size) - 1;
 let start = grad_output_index(plane, vec3(vec2<u32>(clamp(at.xy, vec2(0), last.xy)), 0u));
 var aligned: array<vec4<f32>, G_QUADS>;
 {
  let column = at.z - i32(G_LEAD) + i32(4u * 0u);
  aligned[0u] = load_each_g(start, column);
 }
 {
  let column = at.z - i32(G_LEAD) + i32(4u * 1u);
  aligned[1u] = load_grad_output4(start + u32(clamp(column, 0, last.z - 3)));
 }
 {
  let column = at.z - i32(G_LEAD) + i32(4u * 2u);
  aligned[2u] = load_each_g(start, column);
 }
 return g_at_windows(aligned);
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
}
//! shaders/backward_taps.wgsl
fn tap_gradients(z: array<vec4<f32>, KERNEL_W>, factors: Factors) -> array<vec4<f32>, KERNEL_W> {
 var gradients: array<vec4<f32>, KERNEL_W>;
 gradients[0u] = tap_gradient(z[0u], factors);
 gradients[1u] = tap_gradient(z[1u], factors);
 gradients[2u] = tap_gradient(z[2u], factors);
 return gradients;
}
fn with_taps(
before: array<vec4<f32>, CELL_QUADS>,
of_taps: array<array<vec4<f32>, KERNEL_W>, WINDOW_QUADS>,
) -> array<vec4<f32>, CELL_QUADS> {
 var moving: array<vec4<f32>, QUADS>;
 {
  var windows: array<vec4<f32>, WINDOW_QUADS>;
  windows[0u] = of_taps[0u][2u];
  windows[1u] = of_taps[1u][2u];
  moving = sum_of_rows(previous_taps(moving), at_patch(windows));
 }
 {
  var windows: array<vec4<f32>, WINDOW_QUADS>;
  windows[0u] = of_taps[0u][1u];
  windows[1u] = of_taps[1u][1u];
  moving = sum_of_rows(previous_taps(moving), at_patch(windows));
 }
 {
  var windows: array<vec4<f32>, WINDOW_QUADS>;
  windows[0u] = of_taps[0u][0u];
  windows[1u] = of_taps[1u][0u];
  moving = sum_of_rows(previous_taps(moving), at_patch(windows));
 }
 let added = at_cells(moving);
 var sum = before;
 sum[0u] += added[0u];
 return sum;
}
fn sum_of_rows(a: array<vec4<f32>, QUADS>, b: array<vec4<f32>, QUADS>) -> array<vec4<f32>, QUADS> {
 var sum = a;
 sum[0u] += b[0u];
 sum[1u] += b[1u];
 sum[2u] += b[2u];
 return sum;
}
fn store_own_row(plane: vec2<u32>, own: vec3<u32>, row: u32, gradients: array<vec4<f32>, CELL_QUADS>) {
 if (row >= OFFSET_H && row - OFFSET_H < params.rows_of_block * STRIDE_H) {
  store_gradient_row(plane, vec3<i32>(own + vec3(0u, row - OFFSET_H, 0u)), gradients);
 }
}
@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
 let block = block_at(invocation);
 if (!block.inside) {
  return;
 }
 let first_window = vec3<i32>(block.first) - vec3<i32>(vec3(BEFORE_D, BEFORE_H, BEFORE_W));
 let start = first_window * vec3<i32>(STRIDE) - vec3<i32>(PADDING) - vec3(0, i32(ROWS_BEFORE), 0);
 let own = block.first * STRIDE;
 let turns = FIRST_TURN + WINDOWS_OF_ROW + params.rows_of_block - 1u;
 let size = vec3<i32>(params.output_size);
 {
  let plane = block.plane + vec2(0u, 0u);
  set_beta(plane);
  var ring: array<Line, RING_ROWS>;
  var gradients: array<array<vec4<f32>, CELL_QUADS>, RING_ROWS>;
  var turn = 0u;
  loop {
   ring[0u] = ring[1u];
   gradients[0u] = gradients[1u];
   ring[1u] = ring[2u];
   gradients[1u] = gradients[2u];
   gradients[RING_BEFORE] = array<vec4<f32>, CELL_QUADS>();
   ring[RING_BEFORE] = line_at(plane, start.xy + vec2(0, i32(turn * STRIDE_H + 0u)), start.z);
   let row = first_window.y + i32(turn) - i32(FIRST_TURN);
   let row_exists = turn >= FIRST_TURN && row >= 0 && row < size.y;
   let end = select(first_window.z, min(first_window.z + i32(WINDOWS_W), size.z), row_exists);
   let g = load_row_of_g(plane, vec3(first_window.x, row, first_window.z));
   {
    var taps: Taps;
    taps.z[0u] = taps_of(ring[0u].z)[1u];
    taps.z[1u] = taps_of(ring[1u].z)[1u];
    taps.z[2u] = taps_of(ring[2u].z)[1u];
    let columns = first_window.z + i32(4u * 1u) + LANES_OF_4;
    let exist = (columns >= vec4(0)) & (columns < vec4(end));
    let extremes = extremes_of(taps);
    let sums = sums_of(taps, extremes.c, beta());
    var factors = anew(factors_of(extremes, sums, g[1u], exist));
    var moments: Moments;
    var of_taps: array<array<vec4<f32>, KERNEL_W>, WINDOW_QUADS>;
    of_taps[1u] = tap_gradients(taps.z[0u], factors);
    gradients[0u] = with_taps(gradients[0u], of_taps);
    of_taps[1u] = tap_gradients(taps.z[1u], factors);
    gradients[1u] = with_taps(gradients[1u], of_taps);
    of_taps[1u] = tap_gradients(taps.z[2u], factors);
    gradients[2u] = with_taps(gradients[2u], of_taps);
   }
   {
    var taps: Taps;
    taps.z[0u] = taps_of(ring[0u].z)[0u];
    taps.z[1u] = taps_of(ring[1u].z)[0u];
    taps.z[2u] = taps_of(ring[2u].z)[0u];
    let columns = first_window.z + i32(4u * 0u) + LANES_OF_4;
    let exist = (columns >= vec4(0)) & (columns < vec4(end));
    let extremes = extremes_of(taps);
    let sums = sums_of(taps, extremes.c, beta());
    var factors = anew(factors_of(extremes, sums, g[0u], exist));
    var moments: Moments;
    var of_taps: array<array<vec4<f32>, KERNEL_W>, WINDOW_QUADS>;
    of_taps[0u] = tap_gradients(taps.z[0u], factors);
    gradients[0u] = with_taps(gradients[0u], of_taps);
    of_taps[0u] = tap_gradients(taps.z[1u], factors);
    gradients[1u] = with_taps(gradients[1u], of_taps);
    of_taps[0u] = tap_gradients(taps.z[2u], factors);
    gradients[2u] = with_taps(gradients[2u], of_taps);
   }
   if (turn >= FIRST_TURN) {
    store_own_row(plane, own, (turn - FIRST_TURN) * STRIDE_H + 0u, gradients[0u]);
   }
   continuing {
    turn++;
    break if turn >= turns;
   }
  }
 }
}
