// softpool forward taps k3 s2 p1
//! src/specialise.rs
const KERNEL_D = 1u;
const KERNEL_W = 3u;
const STRIDE_D = 1u;
const STRIDE_H = 2u;
const STRIDE_W = 2u;
const PADDING_D = 0u;
const PADDING_H = 1u;
const PADDING_W = 1u;
const DILATION_D = 1u;
const BLOCK_D = 1u;
const BLOCK_W = 4u;
const WORKGROUP_Z = 1u;
const WORKGROUP_Y = 1u;
const WORKGROUP_X = 64u;
const WINDOW_QUADS = 1u;
const LEAD = 3u;
const QUADS = 3u;
const RING_ROWS = 3u;
const RING_BEFORE = 2u;
const FIRST_TURN = 1u;
const ROWS_BEFORE = 1u;
const MASKED = true;
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
fn step_x() -> u32 { return 1u; }
fn x_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.x.start + ((plane.y * params.input_size.x + at.x) * params.input_size.y + at.y) * params.input_size.z + at.z; }
fn load_x(index: u32) -> f32 { return x[index / 4u][index % 4u]; }
fn load_x4(index: u32) -> vec4<f32> { return x[index / 4u]; }
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
fn y_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.y.start + ((plane.y * params.output_size.x + at.x) * params.output_size.y + at.y) * params.output_size.z + at.z; }
fn store_y4(index: u32, values: vec4<f32>) { y[index / 4u] = values; }
fn store_y_four(index: u32, values: vec4<f32>, exist: vec4<bool>) { if (exist.x) { store_y4(index, values); } }
fn taps_of(row: array<vec4<f32>, 3>) -> array<array<vec4<f32>, 3>, 1> { return array<array<vec4<f32>, 3>, 1>(array<vec4<f32>, 3>(vec4(row[0].w, row[1].yw, row[2].y), vec4(row[1].xz, row[2].xz), vec4(row[1].yw, row[2].yw))); }
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
 return row;
}
const LANES_OF_4 = vec4<i32>(0, 1, 2, 3);
fn inside_row(depth_height: vec2<i32>, first_column: i32, quad: u32) -> vec4<bool> {
 let size = vec3<i32>(params.input_size);
 let columns = first_column - i32(LEAD) + i32(4u * quad) + LANES_OF_4;
 let inside = vec4(all(depth_height >= vec2(0)) && all(depth_height < size.xy));
 return vec4(!MASKED) | (inside & (columns >= vec4(0)) & (columns < vec4(size.z)));
}
//! shaders/turns.wgsl
fn row_of_turn(turn: u32, i: u32) -> vec2<i32> {
 return vec2<i32>(vec2(i % KERNEL_D * DILATION_D, turn * STRIDE_H + i / KERNEL_D)) - vec2(0, i32(ROWS_BEFORE));
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
fn forward_rate() -> f32 {
 return select(1.0, 1.0 / 256.0, beta_is_small());
}
fn windows_of(extremes: Extremes, sums: Sums) -> Windows {
 return resolve4(extremes.magnitude, extremes.c, sums.s, sums.q / sums.s * select(1.0, 256.0, beta_is_small()));
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
//! shaders/forward.wgsl
fn store_four(plane: vec2<u32>, at: vec3<u32>, windows: Windows) {
 let exist = (at.z + vec4(0u, 1u, 2u, 3u)) < vec4(params.output_size.z);
 store_y_four(y_index(plane, at), 2.0 * sign_of_beta() * windows.y, exist);
}
//! shaders/forward_taps.wgsl
struct Partial {
 c: vec4<f32>,
 magnitude: vec4<u32>,
 s: vec4<f32>,
 q: vec4<f32>,
 a: vec4<f32>,
 b: vec4<f32>,
}
fn rate() -> f32 {
 return forward_rate();
}
fn partial_of(z: array<vec4<f32>, KERNEL_W>, v: array<vec4<f32>, KERNEL_W>) -> Partial {
 var part: Partial;
 part.c = with_largest(vec4(LOWEST_Z), z);
 {
  let e = tap_weight(z[0u], part.c);
  let t = rated(z[0u], part.c, rate());
  part.s += e;
  part.q += e * t;
 }
 {
  let e = tap_weight(z[1u], part.c);
  let t = rated(z[1u], part.c, rate());
  part.s += e;
  part.q += e * t;
 }
 {
  let e = tap_weight(z[2u], part.c);
  let t = rated(z[2u], part.c, rate());
  part.s += e;
  part.q += e * t;
 }
 return part;
}
fn with_part(before: Partial, part: Partial) -> Partial {
 var sum = before;
 let f = tap_weight(part.c, before.c);
 let t = rated(part.c, before.c, rate());
 let s = f * part.s;
 sum.s += s;
 sum.q += f * part.q + s * t;
 return sum;
}
fn without_sums(c: vec4<f32>, magnitude: vec4<u32>) -> Partial {
 return Partial(c, magnitude, vec4(0.0), vec4(0.0), vec4(0.0), vec4(0.0));
}
fn windows_of_row(plane: vec2<u32>, depth_height: vec2<i32>, first_column: i32) -> array<Partial, WINDOW_QUADS> {
 let line = line_at(plane, depth_height, first_column);
 let z = taps_of(line.z);
 var v: array<array<vec4<f32>, KERNEL_W>, WINDOW_QUADS>;
 var parts: array<Partial, WINDOW_QUADS>;
 parts[0u] = partial_of(z[0u], v[0u]);
 return parts;
}
fn store_windows(plane: vec2<u32>, at: vec3<u32>, window: Partial) {
 var extremes = Extremes(window.c, window.magnitude);
 extremes = extremes_of_numbers(window.c);
 store_four(plane, at, windows_of(extremes, Sums(window.s, window.q)));
 return;
}
@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
 let block = block_at(invocation);
 if (!block.inside) {
  return;
 }
 let start = window_start(block.first);
 let rows = min(params.rows_of_block, params.output_size.y - block.first.y);
 {
  let plane = block.plane + vec2(0u, 0u);
  set_beta(plane);
  var ring: array<array<Partial, WINDOW_QUADS>, RING_ROWS>;
  var turn = 0u;
  loop {
   {
    let parts = windows_of_row(plane, start.xy + row_of_turn(turn, 0u), start.z);
    ring[0u] = ring[1u];
    ring[1u] = ring[2u];
    ring[RING_BEFORE] = parts;
   }
   {
    let parts = windows_of_row(plane, start.xy + row_of_turn(turn, 1u), start.z);
    ring[0u] = ring[1u];
    ring[1u] = ring[2u];
    ring[RING_BEFORE] = parts;
   }
   let row = turn - FIRST_TURN;
   if (turn >= FIRST_TURN) {
    {
     var window = ring[0][0u];
     window.c = max(window.c, ring[0u][0u].c);
     window.magnitude = max(window.magnitude, ring[0u][0u].magnitude);
     window.c = max(window.c, ring[1u][0u].c);
     window.magnitude = max(window.magnitude, ring[1u][0u].magnitude);
     window.c = max(window.c, ring[2u][0u].c);
     window.magnitude = max(window.magnitude, ring[2u][0u].magnitude);
     window = without_sums(window.c, window.magnitude);
     window = with_part(window, ring[0u][0u]);
     window = with_part(window, ring[1u][0u]);
     window = with_part(window, ring[2u][0u]);
     store_windows(plane, block.first + vec3(0u, row, 4u * 0u), window);
    }
   }
   continuing {
    turn++;
    break if turn >= FIRST_TURN + rows;
   }
  }
 }
}
