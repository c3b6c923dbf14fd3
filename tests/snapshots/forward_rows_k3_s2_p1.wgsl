// softpool forward rows k3 s2 p1
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
const BLOCK_W = 8u;
const TAPS = 9u;
const WORKGROUP_Z = 1u;
const WORKGROUP_Y = 1u;
const WORKGROUP_X = 64u;
const WINDOW_QUADS = 2u;
const LEAD = 3u;
const QUADS = 5u;
const RING_TAPS = 3u;
const RING_ROWS = 3u;
const RING_BEFORE = 2u;
const FIRST_TURN = 1u;
const ROWS_BEFORE = 1u;
const RING_SUMS = 1u;
const MASKED = true;
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
fn step_x() -> u32 { return 1u; }
fn x_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.x.start + ((plane.y * params.input_size.x + at.x) * params.input_size.y + at.y) * params.input_size.z + at.z; }
fn load_x(index: u32) -> f32 { return x[index / 4u][index % 4u]; }
fn load_x4(index: u32) -> vec4<f32> { return x[index / 4u]; }
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
fn y_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.y.start + ((plane.y * params.output_size.x + at.x) * params.output_size.y + at.y) * params.output_size.z + at.z; }
fn store_y(index: u32, value: f32) { y[index / 4u][index % 4u] = value; }
fn store_y4(index: u32, values: vec4<f32>) { y[index / 4u] = values; }
fn store_y_four(index: u32, values: vec4<f32>, exist: vec4<bool>) { if (exist.x) { store_y4(index, values); } }
fn next_taps(row: array<vec4<f32>, 5>) -> array<vec4<f32>, 5> { return array<vec4<f32>, 5>(vec4(row[0].yzw, row[1].x), vec4(row[1].yzw, row[2].x), vec4(row[2].yzw, row[3].x), vec4(row[3].yzw, row[4].x), row[4].yzww); }
fn next_taps_n(row: array<vec4<i32>, 5>) -> array<vec4<i32>, 5> { return array<vec4<i32>, 5>(vec4(row[0].yzw, row[1].x), vec4(row[1].yzw, row[2].x), vec4(row[2].yzw, row[3].x), vec4(row[3].yzw, row[4].x), row[4].yzww); }
fn at_windows(row: array<vec4<f32>, 5>) -> array<vec4<f32>, 2> { return array<vec4<f32>, 2>(vec4(row[0].w, row[1].yw, row[2].y), vec4(row[2].w, row[3].yw, row[4].y)); }
fn at_windows_n(row: array<vec4<i32>, 5>) -> array<vec4<i32>, 2> { return array<vec4<i32>, 2>(vec4(row[0].w, row[1].yw, row[2].y), vec4(row[2].w, row[3].yw, row[4].y)); }
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
const DILATION = vec3<u32>(DILATION_D, DILATION_H, DILATION_W);
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
const LN_2_HIGH = 0.693359375;
const LN_2_LOW = -2.12194440e-4;
fn exp_bounded4(t: vec4<f32>) -> vec4<f32> {
 let bounded = max(t, vec4(-200.0));
 let n = round(bounded * LOG2_E);
 let r = (bounded - n * LN_2_HIGH) - n * LN_2_LOW;
 let q = (((1.3814598e-3 * r + 8.368717e-3) * r + 4.166839e-2) * r + 0.16666521) * r + 0.49999994;
 let power_of_2 = bitcast<vec4<f32>>(max(vec4<i32>(n) + 127, vec4(0)) << vec4(23u));
 return power_of_2 * (r * r * q + r + 1.0);
}
fn exp_bounded(t: f32) -> f32 {
 return exp_bounded4(vec4(t)).x;
}
fn weigh(z: f32, c: f32) -> f32 {
 return exp_bounded(beta() * (z - c));
}
const LARGEST = 3.4e38;
const LOWEST_Z = -1.8e38;
fn beta_is_small() -> bool {
 return false;
}
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
fn is_finite(value: f32) -> bool {
 return magnitude_bits(value) < INFINITY_BITS;
}
fn from_bits(bits: u32) -> f32 {
 var unknown = bits;
 return bitcast<f32>(unknown);
}
fn unforeseen(values: vec4<f32>) -> vec4<f32> {
 return bitcast<vec4<f32>>(bitcast<vec4<u32>>(values) + vec4(params.zero));
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
fn window_by_definition(plane: vec2<u32>, window: vec3<u32>) -> Window {
 let start = window_start(window);
 let taps = window_taps(window);
 let last = vec3<i32>(params.input_size) - 1;
 var c = from_bits(MINUS_INFINITY_BITS);
 var magnitude = 0u;
 var s = 0.0;
 var d = 0.0;
 var row = 0.0;
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
  row[4u] = scale * load_x4(start + min(columns.x, params.input_size.z - 4u));
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
//! shaders/partial.wgsl
const NOTHING = -(1 << 20);
const DROWNED = (1 << 20) - 1;
const BROKEN = 1 << 20;
const LOG2_E_HIGH = 1.4423828125;
const LOG2_E_LOW = 3.1222839e-4;
fn headroom() -> i32 {
 return select(0, HEADROOM, beta_is_small());
}
struct Reference {
 z0: f32,
 reach: f32,
 limit: i32,
 rate_high: f32,
 rate_low: f32,
}
fn reference_about(z0: f32, reach: f32, limit: i32) -> Reference {
 let beta = beta() * beta_scale();
 let beta_high = leading_bits(vec4(beta)).x;
 let rate_high = leading_bits(vec4(beta * LOG2_E)).x;
 let rest = unforeseen(vec4(beta_high * LOG2_E_HIGH - rate_high)).x;
 let rate_low = rest + (beta_high * LOG2_E_LOW + (beta - beta_high) * LOG2_E);
 return Reference(z0, reach, limit, rate_high, rate_low);
}
fn reference_of(z: f32) -> Reference {
 if (beta_is_small()) {
  return reference_about(0.0, LARGEST, 23600);
 }
 if (is_finite(z) && beta() * abs(z) > 8192.0) {
  return reference_about(z, 4096.0 / beta(), 5900);
 }
 return reference_about(0.0, 16384.0 / beta(), 23600);
}
struct Partial {
 n: vec4<i32>,
 p: vec4<f32>,
 s: vec4<f32>,
 q: vec4<f32>,
 a: vec4<f32>,
 b: vec4<f32>,
}
fn no_partial(n: vec4<i32>, p: vec4<f32>) -> Partial {
 return Partial(n, p, vec4(0.0), vec4(0.0), vec4(0.0), vec4(0.0));
}
fn power_of_2(n: vec4<i32>, bias: vec4<i32>) -> vec4<f32> {
 return bitcast<vec4<f32>>(max(n - bias, vec4(0)) << vec4(23u));
}
fn about(part: Partial, n: vec4<i32>, p: vec4<f32>) -> Partial {
 let f = power_of_2(part.n, n - 127);
 let step = part.p - p;
 let s = f * part.s;
 var moved = Partial(n, p, s, f * part.q + s * step, vec4(0.0), vec4(0.0));
 return moved;
}
fn plus(first: Partial, second: Partial) -> Partial {
 var sum = Partial(first.n, first.p, first.s + second.s, first.q + second.q, vec4(0.0), vec4(0.0));
 return sum;
}
fn leading_bits(values: vec4<f32>) -> vec4<f32> {
 return bitcast<vec4<f32>>(bitcast<vec4<u32>>(values) & vec4(0xfffff000u));
}
fn whole(rows: array<Partial, RING_TAPS>) -> Partial {
 var n = rows[0].n;
 var p = rows[0].p;
 n = max(n, rows[0u].n);
 p = max(p, rows[0u].p);
 n = max(n, rows[1u].n);
 p = max(p, rows[1u].p);
 n = max(n, rows[2u].n);
 p = max(p, rows[2u].p);
 var sums: array<Partial, RING_SUMS>;
 sums[0u] = plus(sums[0u], about(rows[0u], n, p));
 sums[0u] = plus(sums[0u], about(rows[1u], n, p));
 sums[0u] = plus(sums[0u], about(rows[2u], n, p));
 var window = no_partial(n, p);
 window = plus(window, sums[0u]);
 return window;
}
fn exp2_near_0(f: vec4<f32>) -> vec4<f32> {
 let q = ((1.5596293e-4 * f + 1.3407258e-3) * f + 9.617685e-3) * f + 5.550309e-2;
 return ((q * f + 0.24022652) * f + 0.69314724) * f + 1.0;
}
struct Weights {
 m: vec4<f32>,
 n: vec4<i32>,
 z: vec4<f32>,
}
fn beta_scale() -> f32 {
 return 1.0;
}
fn weights(z: vec4<f32>, inside: vec4<bool>, reference: Reference) -> Weights {
 let counts = inside & (magnitude_bits4(z) < vec4(INFINITY_BITS));
 let finite = select(vec4(LOWEST_Z), z, counts);
 let u = clamp(finite - reference.z0, vec4(-reference.reach), vec4(reference.reach)) * (1.0 / beta_scale());
 let n = round(u * (reference.rate_high + reference.rate_low));
 let u_high = leading_bits(u);
 let f = unforeseen(u_high * reference.rate_high - n) + ((u - u_high) * reference.rate_high + u * reference.rate_low);
 let minus_infinity = select(NOTHING, DROWNED, beta_is_0());
 let no_number = select(vec4(BROKEN), vec4(minus_infinity), bitcast<vec4<u32>>(z) == vec4(MINUS_INFINITY_BITS));
 let exponent = bitcast<vec4<i32>>(n + 12582912.0) - 0x4b400000;
 let bounded = max(finite, vec4(reference.z0 - reference.reach));
 return Weights(exp2_near_0(f), select(select(vec4(NOTHING), no_number, inside), exponent, counts), bounded);
}
fn is_far(window: Partial, reference: Reference) -> vec4<bool> {
 let near = (window.n <= vec4(reference.limit)) & (window.n >= vec4(200 - reference.limit));
 let finite = magnitude_bits4(window.q / window.s) < vec4(INFINITY_BITS);
 return (window.n > vec4(NOTHING)) & !(near & finite);
}
//! shaders/window_row.wgsl
struct Row {
 m: array<vec4<f32>, QUADS>,
 n: array<vec4<i32>, QUADS>,
 z: array<vec4<f32>, QUADS>,
 v: array<vec4<f32>, QUADS>,
}
fn row_at(plane: vec2<u32>, depth_height: vec2<i32>, first_column: i32, reference: Reference) -> Row {
 let values = load_row(plane, depth_height, first_column);
 var row: Row;
 {
  let four = weights(values[0u], inside_row(depth_height, first_column, 0u), reference);
  row.m[0u] = four.m;
  row.n[0u] = four.n;
  row.z[0u] = four.z;
 }
 {
  let four = weights(values[1u], inside_row(depth_height, first_column, 1u), reference);
  row.m[1u] = four.m;
  row.n[1u] = four.n;
  row.z[1u] = four.z;
 }
 {
  let four = weights(values[2u], inside_row(depth_height, first_column, 2u), reference);
  row.m[2u] = four.m;
  row.n[2u] = four.n;
  row.z[2u] = four.z;
 }
 {
  let four = weights(values[3u], inside_row(depth_height, first_column, 3u), reference);
  row.m[3u] = four.m;
  row.n[3u] = four.n;
  row.z[3u] = four.z;
 }
 {
  let four = weights(values[4u], inside_row(depth_height, first_column, 4u), reference);
  row.m[4u] = four.m;
  row.n[4u] = four.n;
  row.z[4u] = four.z;
 }
 return row;
}
struct Slide {
 row: Row,
 parts: array<Partial, WINDOW_QUADS>,
 few: array<Partial, WINDOW_QUADS>,
}
fn next_tap(row: Row) -> Row {
 return Row(next_taps(row.m), next_taps_n(row.n), next_taps(row.z), next_taps(row.v));
}
fn raised(slide: Slide) -> Slide {
 var next = slide;
 let n = at_windows_n(slide.row.n);
 let z = at_windows(slide.row.z);
 next.parts[0u].n = max(slide.parts[0u].n, n[0u]);
 next.parts[0u].p = max(slide.parts[0u].p, z[0u]);
 next.parts[1u].n = max(slide.parts[1u].n, n[1u]);
 next.parts[1u].p = max(slide.parts[1u].p, z[1u]);
 next.row = next_tap(slide.row);
 return next;
}
fn with_tap(few: Partial, part: Partial, m: vec4<f32>, n: vec4<i32>, z: vec4<f32>, v: vec4<f32>) -> Partial {
 var sum = few;
 let w = m * power_of_2(n, part.n - 127 + headroom());
 let u = z - part.p;
 sum.s += w;
 sum.q += w * u;
 return sum;
}
fn summed(slide: Slide) -> Slide {
 var next = slide;
 let m = at_windows(slide.row.m);
 let n = at_windows_n(slide.row.n);
 let z = at_windows(slide.row.z);
 let v = at_windows(slide.row.v);
 next.few[0u] = with_tap(slide.few[0u], slide.parts[0u], m[0u], n[0u], z[0u], v[0u]);
 next.few[1u] = with_tap(slide.few[1u], slide.parts[1u], m[1u], n[1u], z[1u], v[1u]);
 next.row = next_tap(slide.row);
 return next;
}
fn with_few(slide: Slide) -> Slide {
 var next = slide;
 next.parts[0u] = plus(slide.parts[0u], slide.few[0u]);
 next.few[0u] = no_partial(vec4(0), vec4(0.0));
 next.parts[1u] = plus(slide.parts[1u], slide.few[1u]);
 next.few[1u] = no_partial(vec4(0), vec4(0.0));
 return next;
}
fn windows_of_row(row: Row) -> array<Partial, WINDOW_QUADS> {
 var slide: Slide;
 slide.row = row;
 let n = at_windows_n(row.n);
 let z = at_windows(row.z);
 slide.parts[0u] = no_partial(n[0u], z[0u]);
 slide.parts[1u] = no_partial(n[1u], z[1u]);
 slide = raised(slide);
 slide = raised(slide);
 slide = raised(slide);
 slide.row = row;
 slide = summed(slide);
 slide = summed(slide);
 slide = summed(slide);
 slide = with_few(slide);
 return slide.parts;
}
fn reference_at(plane: vec2<u32>, start: vec3<i32>) -> Reference {
 let inside = clamp(start, vec3(0), vec3<i32>(params.input_size) - 1);
 return reference_of(load_z(x_index(plane, vec3<u32>(inside))));
}
//! shaders/forward.wgsl
fn store_window(plane: vec2<u32>, at: vec3<u32>, window: Window) {
 store_y(y_index(plane, at), 2.0 * sign_of_beta() * window.y);
}
fn store_four(plane: vec2<u32>, at: vec3<u32>, windows: Windows) {
 let exist = (at.z + vec4(0u, 1u, 2u, 3u)) < vec4(params.output_size.z);
 store_y_four(y_index(plane, at), 2.0 * sign_of_beta() * windows.y, exist);
}
//! shaders/forward_values.wgsl
fn store_four_partials(plane: vec2<u32>, at: vec3<u32>, window: Partial, reference: Reference) -> bool {
 let nothing = window.n == vec4(NOTHING);
 var windows: Windows;
 windows.d = select(window.q / window.s, vec4(0.0), nothing);
 windows.y = select(window.p + windows.d, vec4(from_bits(MINUS_INFINITY_BITS)), nothing);
 store_four(plane, at, windows);
 let exist = (at.z + vec4(0u, 1u, 2u, 3u)) < vec4(params.output_size.z);
 return any(exist & is_far(window, reference));
}
fn store_by_definition(plane: vec2<u32>, at: vec3<u32>) {
 store_window(plane, at, window_by_definition(plane, at));
}
//! shaders/forward_rows.wgsl
const HEADROOM = 0;
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
  let reference = reference_at(plane, start);
  var far = 0u;
  var ring: array<array<Partial, WINDOW_QUADS>, RING_ROWS>;
  var turn = 0u;
  loop {
   {
    let parts = windows_of_row(row_at(plane, start.xy + row_of_turn(turn, 0u), start.z, reference));
    ring[0u] = ring[1u];
    ring[1u] = ring[2u];
    ring[RING_BEFORE] = parts;
   }
   {
    let parts = windows_of_row(row_at(plane, start.xy + row_of_turn(turn, 1u), start.z, reference));
    ring[0u] = ring[1u];
    ring[1u] = ring[2u];
    ring[RING_BEFORE] = parts;
   }
   let row = turn - FIRST_TURN;
   if (turn >= FIRST_TURN) {
    {
     var parts: array<Partial, RING_TAPS>;
     parts[0u] = ring[0u][0u];
     parts[1u] = ring[1u][0u];
     parts[2u] = ring[2u][0u];
     let window = whole(parts);
     if (store_four_partials(plane, block.first + vec3(0u, row, 4u * 0u), window, reference)) {
      far |= 1u << row;
     }
    }
    {
     var parts: array<Partial, RING_TAPS>;
     parts[0u] = ring[0u][1u];
     parts[1u] = ring[1u][1u];
     parts[2u] = ring[2u][1u];
     let window = whole(parts);
     if (store_four_partials(plane, block.first + vec3(0u, row, 4u * 1u), window, reference)) {
      far |= 1u << row;
     }
    }
   }
   continuing {
    turn++;
    break if turn >= FIRST_TURN + rows;
   }
  }
  while (far != 0u) {
   let row = firstTrailingBit(far);
   far &= far - 1u;
   for (var column = 0u; column < BLOCK_W; column++) {
    let at = block.first + vec3(0u, row, column);
    if (at.z < params.output_size.z) {
     store_by_definition(plane, at);
    }
   }
  }
 }
}
