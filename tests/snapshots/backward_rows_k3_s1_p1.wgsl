// softpool backward rows k3 s1 p1
//! src/specialise.rs
const STRIDE_D = 1u;
const STRIDE_H = 1u;
const STRIDE_W = 1u;
const PADDING_D = 0u;
const PADDING_H = 1u;
const PADDING_W = 1u;
const BLOCK_D = 1u;
const BLOCK_W = 16u;
const WORKGROUP_Z = 1u;
const WORKGROUP_Y = 1u;
const WORKGROUP_X = 64u;
const CELLS_W = 16u;
const WINDOWS_OF_ROW = 3u;
const WINDOWS_W = 18u;
const BEFORE_D = 0u;
const BEFORE_H = 1u;
const BEFORE_W = 1u;
const OFFSET_H = 2u;
const WINDOW_QUADS = 5u;
const G_LEAD = 3u;
const G_QUADS = 6u;
const CELL_QUADS = 4u;
const LEAD = 2u;
const QUADS = 6u;
const RING_SUMS = 1u;
const RING_TAPS = 3u;
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
fn store_grad_input(index: u32, value: f32) { grad_input[index / 4u][index % 4u] = value; }
fn store_grad_input4(index: u32, values: vec4<f32>) { grad_input[index / 4u] = values; }
fn store_grad_input_four(index: u32, values: vec4<f32>, exist: vec4<bool>) { if (exist.x) { store_grad_input4(index, values); } }
fn next_taps(row: array<vec4<f32>, 6>) -> array<vec4<f32>, 6> { return array<vec4<f32>, 6>(vec4(row[0].yzw, row[1].x), vec4(row[1].yzw, row[2].x), vec4(row[2].yzw, row[3].x), vec4(row[3].yzw, row[4].x), vec4(row[4].yzw, row[5].x), row[5].yzww); }
fn next_taps_n(row: array<vec4<i32>, 6>) -> array<vec4<i32>, 6> { return array<vec4<i32>, 6>(vec4(row[0].yzw, row[1].x), vec4(row[1].yzw, row[2].x), vec4(row[2].yzw, row[3].x), vec4(row[3].yzw, row[4].x), vec4(row[4].yzw, row[5].x), row[5].yzww); }
fn at_windows(row: array<vec4<f32>, 6>) -> array<vec4<f32>, 5> { return array<vec4<f32>, 5>(vec4(row[0].zw, row[1].xy), vec4(row[1].zw, row[2].xy), vec4(row[2].zw, row[3].xy), vec4(row[3].zw, row[4].xy), vec4(row[4].zw, row[5].xy)); }
fn at_windows_n(row: array<vec4<i32>, 6>) -> array<vec4<i32>, 5> { return array<vec4<i32>, 5>(vec4(row[0].zw, row[1].xy), vec4(row[1].zw, row[2].xy), vec4(row[2].zw, row[3].xy), vec4(row[3].zw, row[4].xy), vec4(row[4].zw, row[5].xy)); }
fn previous_taps(row: array<vec4<f32>, 6>) -> array<vec4<f32>, 6> { return array<vec4<f32>, 6>(vec4(0.0, row[0].xyz), vec4(row[0].w, row[1].xyz), vec4(row[1].w, row[2].xyz), vec4(row[2].w, row[3].xyz), vec4(row[3].w, row[4].xyz), vec4(row[4].w, row[5].xyz)); }
fn previous_taps_n(row: array<vec4<i32>, 6>) -> array<vec4<i32>, 6> { return array<vec4<i32>, 6>(vec4(1 << 20, row[0].xyz), vec4(row[0].w, row[1].xyz), vec4(row[1].w, row[2].xyz), vec4(row[2].w, row[3].xyz), vec4(row[3].w, row[4].xyz), vec4(row[4].w, row[5].xyz)); }
fn g_at_windows(row: array<vec4<f32>, 6>) -> array<vec4<f32>, 5> { return array<vec4<f32>, 5>(vec4(row[0].w, row[1].xyz), vec4(row[1].w, row[2].xyz), vec4(row[2].w, row[3].xyz), vec4(row[3].w, row[4].xyz), vec4(row[4].w, row[5].xyz)); }
fn at_cells(row: array<vec4<f32>, 6>) -> array<vec4<f32>, 4> { return array<vec4<f32>, 4>(row[1], row[2], row[3], row[4]); }
fn at_cells_n(row: array<vec4<i32>, 6>) -> array<vec4<i32>, 4> { return array<vec4<i32>, 4>(row[1], row[2], row[3], row[4]); }
fn at_patch(row: array<vec4<f32>, 5>) -> array<vec4<f32>, 6> { return array<vec4<f32>, 6>(vec4(0.0, 0.0, row[0].xy), vec4(row[0].zw, row[1].xy), vec4(row[1].zw, row[2].xy), vec4(row[2].zw, row[3].xy), vec4(row[3].zw, row[4].xy), vec4(0.0, 0.0, 0.0, 0.0)); }
fn at_patch_n(row: array<vec4<i32>, 5>) -> array<vec4<i32>, 6> { return array<vec4<i32>, 6>(vec4(1 << 20, 1 << 20, row[0].xy), vec4(row[0].zw, row[1].xy), vec4(row[1].zw, row[2].xy), vec4(row[2].zw, row[3].xy), vec4(row[3].zw, row[4].xy), vec4(1 << 20, 1 << 20, 1 << 20, 1 << 20)); }
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
fn beta_is_small() -> bool {
 return false;
}
fn beta_is_0() -> bool {
 return false;
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
fn load_z(index: u32) -> f32 {
 return 0.5 * sign_of_beta() * load_x(index);
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
 {
  let columns = columns_inside(first_column, 5u);
  row[5u] = scale * load_each_x(start, columns);
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
//! shaders/partial.wgsl
const NOTHING = -(1 << 20);
const DROWNED = (1 << 20) - 1;
const BROKEN = 1 << 20;
const LOG2_E_HIGH = 1.4423828125;
const LOG2_E_LOW = 3.1222839e-4;
fn headroom() -> i32 {
 return select(0, HEADROOM, beta_is_small());
}
fn whole_sum(window: Partial) -> vec4<f32> {
 return window.s * select(1.0, f32(1 << u32(HEADROOM)), beta_is_small());
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
fn is_broken(window: Partial) -> vec4<bool> {
 return (window.n == vec4(BROKEN)) | ((window.n == vec4(DROWNED)) & (window.p > vec4(LOWEST_Z)));
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
 {
  let four = weights(values[5u], inside_row(depth_height, first_column, 5u), reference);
  row.m[5u] = four.m;
  row.n[5u] = four.n;
  row.z[5u] = four.z;
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
 next.parts[2u].n = max(slide.parts[2u].n, n[2u]);
 next.parts[2u].p = max(slide.parts[2u].p, z[2u]);
 next.parts[3u].n = max(slide.parts[3u].n, n[3u]);
 next.parts[3u].p = max(slide.parts[3u].p, z[3u]);
 next.parts[4u].n = max(slide.parts[4u].n, n[4u]);
 next.parts[4u].p = max(slide.parts[4u].p, z[4u]);
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
 next.few[2u] = with_tap(slide.few[2u], slide.parts[2u], m[2u], n[2u], z[2u], v[2u]);
 next.few[3u] = with_tap(slide.few[3u], slide.parts[3u], m[3u], n[3u], z[3u], v[3u]);
 next.few[4u] = with_tap(slide.few[4u], slide.parts[4u], m[4u], n[4u], z[4u], v[4u]);
 next.row = next_tap(slide.row);
 return next;
}
fn with_few(slide: Slide) -> Slide {
 var next = slide;
 next.parts[0u] = plus(slide.parts[0u], slide.few[0u]);
 next.few[0u] = no_partial(vec4(0), vec4(0.0));
 next.parts[1u] = plus(slide.parts[1u], slide.few[1u]);
 next.few[1u] = no_partial(vec4(0), vec4(0.0));
 next.parts[2u] = plus(slide.parts[2u], slide.few[2u]);
 next.few[2u] = no_partial(vec4(0), vec4(0.0));
 next.parts[3u] = plus(slide.parts[3u], slide.few[3u]);
 next.few[3u] = no_partial(vec4(0), vec4(0.0));
 next.parts[4u] = plus(slide.parts[4u], slide.few[4u]);
 next.few[4u] = no_partial(vec4(0), vec4(0.0));
 return next;
}
fn windows_of_row(row: Row) -> array<Partial, WINDOW_QUADS> {
 var slide: Slide;
 slide.row = row;
 let n = at_windows_n(row.n);
 let z = at_windows(row.z);
 slide.parts[0u] = no_partial(n[0u], z[0u]);
 slide.parts[1u] = no_partial(n[1u], z[1u]);
 slide.parts[2u] = no_partial(n[2u], z[2u]);
 slide.parts[3u] = no_partial(n[3u], z[3u]);
 slide.parts[4u] = no_partial(n[4u], z[4u]);
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
  aligned[2u] = load_grad_output4(start + u32(clamp(column, 0, last.z - 3)));
 }
 {
  let column = at.z - i32(G_LEAD) + i32(4u * 3u);
  aligned[3u] = load_grad_output4(start + u32(clamp(column, 0, last.z - 3)));
 }
 {
  let column = at.z - i32(G_LEAD) + i32(4u * 4u);
  aligned[4u] = load_grad_output4(start + u32(clamp(column, 0, last.z - 3)));
 }
 {
  let column = at.z - i32(G_LEAD) + i32(4u * 5u);
  aligned[5u] = load_each_g(start, column);
 }
 return g_at_windows(aligned);
}
//! shaders/backward_rows.wgsl
const HEADROOM = 8;
struct Linear {
 k: vec4<f32>,
 a: vec4<f32>,
}
struct Added {
 by_v: Linear,
 plain: Linear,
}
struct Line {
 m: array<vec4<f32>, CELL_QUADS>,
 n: array<vec4<i32>, CELL_QUADS>,
 z: array<vec4<f32>, CELL_QUADS>,
 v: array<vec4<f32>, CELL_QUADS>,
 parts: array<Partial, WINDOW_QUADS>,
 added: array<Added, WINDOW_QUADS>,
}
fn added_by(window: Partial, g: vec4<f32>, exist: vec4<bool>, reference: Reference, far: ptr<function, bool>) -> Added {
 *far |= any(exist & is_far(window, reference) & (window.n < vec4(DROWNED)));
 let adds = exist & (window.n > vec4(NOTHING)) & (window.n <= vec4(reference.limit));
 let scaled_beta = beta() * beta_scale();
 let d = window.q / window.s;
 let weight = g / whole_sum(window);
 var added: Added;
 added.by_v.k = weight;
 added.by_v.a = scaled_beta * weight;
 added.by_v.k = weight * (1.0 - beta() * d);
 added.by_v.a = select(vec4(0.0), added.by_v.a, adds);
 added.by_v.k = select(vec4(0.0), added.by_v.k, adds);
 added.by_v.k = select(added.by_v.k, vec4(from_bits(NAN_BITS)), exist & is_broken(window));
 return added;
}
fn moved(linear: Linear, f: vec4<f32>, step: vec4<f32>) -> Linear {
 return Linear(f * (linear.k + linear.a * step), f * linear.a);
}
fn with_added(before: Added, part: Partial, window: Partial, added: Added) -> Added {
 let f = power_of_2(part.n, window.n - 127);
 let step = (part.p - window.p) * (1.0 / beta_scale());
 let by_v = moved(added.by_v, f, step);
 var sum = before;
 sum.by_v = Linear(before.by_v.k + by_v.k, before.by_v.a + by_v.a);
 return sum;
}
struct Spread {
 bias: array<vec4<i32>, QUADS>,
 p: array<vec4<f32>, QUADS>,
 k: array<vec4<f32>, QUADS>,
 a: array<vec4<f32>, QUADS>,
 plain_k: array<vec4<f32>, QUADS>,
 plain_a: array<vec4<f32>, QUADS>,
 sums: array<vec4<f32>, CELL_QUADS>,
}
fn with_parts(spread: Spread, line: Line) -> Spread {
 var next = spread;
 let bias = at_cells_n(spread.bias);
 let p = at_cells(spread.p);
 let k = at_cells(spread.k);
 let a = at_cells(spread.a);
 let plain_k = at_cells(spread.plain_k);
 let plain_a = at_cells(spread.plain_a);
 {
  let u = line.z[0u] - p[0u];
  var value = k[0u];
  value += a[0u] * u;
  next.sums[0u] += power_of_2(line.n[0u], bias[0u]) * value;
 }
 {
  let u = line.z[1u] - p[1u];
  var value = k[1u];
  value += a[1u] * u;
  next.sums[1u] += power_of_2(line.n[1u], bias[1u]) * value;
 }
 {
  let u = line.z[2u] - p[2u];
  var value = k[2u];
  value += a[2u] * u;
  next.sums[2u] += power_of_2(line.n[2u], bias[2u]) * value;
 }
 {
  let u = line.z[3u] - p[3u];
  var value = k[3u];
  value += a[3u] * u;
  next.sums[3u] += power_of_2(line.n[3u], bias[3u]) * value;
 }
 next.bias = previous_taps_n(spread.bias);
 next.p = previous_taps(spread.p);
 next.k = previous_taps(spread.k);
 next.a = previous_taps(spread.a);
 next.plain_k = previous_taps(spread.plain_k);
 next.plain_a = previous_taps(spread.plain_a);
 return next;
}
fn gradients_of(line: Line) -> array<vec4<f32>, CELL_QUADS> {
 var bias: array<vec4<i32>, WINDOW_QUADS>;
 var p: array<vec4<f32>, WINDOW_QUADS>;
 var k: array<vec4<f32>, WINDOW_QUADS>;
 var a: array<vec4<f32>, WINDOW_QUADS>;
 var plain_k: array<vec4<f32>, WINDOW_QUADS>;
 var plain_a: array<vec4<f32>, WINDOW_QUADS>;
 bias[0u] = line.parts[0u].n - 127;
 p[0u] = line.parts[0u].p * (1.0 / beta_scale());
 k[0u] = line.added[0u].by_v.k;
 a[0u] = line.added[0u].by_v.a;
 plain_k[0u] = line.added[0u].plain.k;
 plain_a[0u] = line.added[0u].plain.a;
 bias[1u] = line.parts[1u].n - 127;
 p[1u] = line.parts[1u].p * (1.0 / beta_scale());
 k[1u] = line.added[1u].by_v.k;
 a[1u] = line.added[1u].by_v.a;
 plain_k[1u] = line.added[1u].plain.k;
 plain_a[1u] = line.added[1u].plain.a;
 bias[2u] = line.parts[2u].n - 127;
 p[2u] = line.parts[2u].p * (1.0 / beta_scale());
 k[2u] = line.added[2u].by_v.k;
 a[2u] = line.added[2u].by_v.a;
 plain_k[2u] = line.added[2u].plain.k;
 plain_a[2u] = line.added[2u].plain.a;
 bias[3u] = line.parts[3u].n - 127;
 p[3u] = line.parts[3u].p * (1.0 / beta_scale());
 k[3u] = line.added[3u].by_v.k;
 a[3u] = line.added[3u].by_v.a;
 plain_k[3u] = line.added[3u].plain.k;
 plain_a[3u] = line.added[3u].plain.a;
 bias[4u] = line.parts[4u].n - 127;
 p[4u] = line.parts[4u].p * (1.0 / beta_scale());
 k[4u] = line.added[4u].by_v.k;
 a[4u] = line.added[4u].by_v.a;
 plain_k[4u] = line.added[4u].plain.k;
 plain_a[4u] = line.added[4u].plain.a;
 var spread: Spread;
 spread.bias = at_patch_n(bias);
 spread.p = at_patch(p);
 spread.k = at_patch(k);
 spread.a = at_patch(a);
 spread.plain_k = at_patch(plain_k);
 spread.plain_a = at_patch(plain_a);
 spread = with_parts(spread, line);
 spread = with_parts(spread, line);
 spread = with_parts(spread, line);
 var gradients: array<vec4<f32>, CELL_QUADS>;
 gradients[0u] = line.m[0u] * spread.sums[0u];
 gradients[1u] = line.m[1u] * spread.sums[1u];
 gradients[2u] = line.m[2u] * spread.sums[2u];
 gradients[3u] = line.m[3u] * spread.sums[3u];
 return gradients;
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
 let own_rows = params.rows_of_block * STRIDE_H;
 let size = vec3<i32>(params.output_size);
 {
  let plane = block.plane + vec2(0u, 0u);
  set_beta(plane);
  var attempt = 0u;
  var attempts = 1u;
  var turn = 0u;
  var end_turn = FIRST_TURN + WINDOWS_OF_ROW + params.rows_of_block - 1u;
  var input = vec2(0u);
  var reference = reference_at(plane, vec3<i32>(own));
  var far = false;
  var ring: array<Line, RING_ROWS>;
  loop {
   {
    ring[0u] = ring[1u];
    ring[1u] = ring[2u];
    let row = row_at(plane, start.xy + vec2(0, i32(turn * STRIDE_H + 0u)), start.z, reference);
    var line: Line;
    line.parts = windows_of_row(row);
    line.m = at_cells(row.m);
    line.n = at_cells_n(row.n);
    line.z = at_cells(row.z);
    line.v = at_cells(row.v);
    line.z[0u] *= 1.0 / beta_scale();
    line.z[1u] *= 1.0 / beta_scale();
    line.z[2u] *= 1.0 / beta_scale();
    line.z[3u] *= 1.0 / beta_scale();
    ring[RING_BEFORE] = line;
   }
   let row = first_window.y + i32(turn) - i32(FIRST_TURN);
   let row_exists = turn >= FIRST_TURN && row >= 0 && row < size.y;
   let end = select(first_window.z, min(first_window.z + i32(WINDOWS_W), size.z), row_exists);
   let g = load_row_of_g(plane, vec3(first_window.x, row, first_window.z));
   {
    var parts: array<Partial, RING_TAPS>;
    parts[0u] = ring[0u].parts[0u];
    parts[1u] = ring[1u].parts[0u];
    parts[2u] = ring[2u].parts[0u];
    let window = whole(parts);
    let columns = first_window.z + i32(4u * 0u) + LANES_OF_4;
    let exist = (columns >= vec4(0)) & (columns < vec4(end));
    let added = added_by(window, g[0u], exist, reference, &far);
    {
     let before = ring[0u].added[0u];
     ring[0u].added[0u] = with_added(before, parts[0u], window, added);
    }
    {
     let before = ring[1u].added[0u];
     ring[1u].added[0u] = with_added(before, parts[1u], window, added);
    }
    {
     let before = ring[2u].added[0u];
     ring[2u].added[0u] = with_added(before, parts[2u], window, added);
    }
   }
   {
    var parts: array<Partial, RING_TAPS>;
    parts[0u] = ring[0u].parts[1u];
    parts[1u] = ring[1u].parts[1u];
    parts[2u] = ring[2u].parts[1u];
    let window = whole(parts);
    let columns = first_window.z + i32(4u * 1u) + LANES_OF_4;
    let exist = (columns >= vec4(0)) & (columns < vec4(end));
    let added = added_by(window, g[1u], exist, reference, &far);
    {
     let before = ring[0u].added[1u];
     ring[0u].added[1u] = with_added(before, parts[0u], window, added);
    }
    {
     let before = ring[1u].added[1u];
     ring[1u].added[1u] = with_added(before, parts[1u], window, added);
    }
    {
     let before = ring[2u].added[1u];
     ring[2u].added[1u] = with_added(before, parts[2u], window, added);
    }
   }
   {
    var parts: array<Partial, RING_TAPS>;
    parts[0u] = ring[0u].parts[2u];
    parts[1u] = ring[1u].parts[2u];
    parts[2u] = ring[2u].parts[2u];
    let window = whole(parts);
    let columns = first_window.z + i32(4u * 2u) + LANES_OF_4;
    let exist = (columns >= vec4(0)) & (columns < vec4(end));
    let added = added_by(window, g[2u], exist, reference, &far);
    {
     let before = ring[0u].added[2u];
     ring[0u].added[2u] = with_added(before, parts[0u], window, added);
    }
    {
     let before = ring[1u].added[2u];
     ring[1u].added[2u] = with_added(before, parts[1u], window, added);
    }
    {
     let before = ring[2u].added[2u];
     ring[2u].added[2u] = with_added(before, parts[2u], window, added);
    }
   }
   {
    var parts: array<Partial, RING_TAPS>;
    parts[0u] = ring[0u].parts[3u];
    parts[1u] = ring[1u].parts[3u];
    parts[2u] = ring[2u].parts[3u];
    let window = whole(parts);
    let columns = first_window.z + i32(4u * 3u) + LANES_OF_4;
    let exist = (columns >= vec4(0)) & (columns < vec4(end));
    let added = added_by(window, g[3u], exist, reference, &far);
    {
     let before = ring[0u].added[3u];
     ring[0u].added[3u] = with_added(before, parts[0u], window, added);
    }
    {
     let before = ring[1u].added[3u];
     ring[1u].added[3u] = with_added(before, parts[1u], window, added);
    }
    {
     let before = ring[2u].added[3u];
     ring[2u].added[3u] = with_added(before, parts[2u], window, added);
    }
   }
   {
    var parts: array<Partial, RING_TAPS>;
    parts[0u] = ring[0u].parts[4u];
    parts[1u] = ring[1u].parts[4u];
    parts[2u] = ring[2u].parts[4u];
    let window = whole(parts);
    let columns = first_window.z + i32(4u * 4u) + LANES_OF_4;
    let exist = (columns >= vec4(0)) & (columns < vec4(end));
    let added = added_by(window, g[4u], exist, reference, &far);
    {
     let before = ring[0u].added[4u];
     ring[0u].added[4u] = with_added(before, parts[0u], window, added);
    }
    {
     let before = ring[1u].added[4u];
     ring[1u].added[4u] = with_added(before, parts[1u], window, added);
    }
    {
     let before = ring[2u].added[4u];
     ring[2u].added[4u] = with_added(before, parts[2u], window, added);
    }
   }
   {
    let padded = turn * STRIDE_H + 0u - FIRST_TURN * STRIDE_H;
    let at = own + vec3(0u, padded - OFFSET_H, 0u);
    let is_own = turn >= FIRST_TURN && padded >= OFFSET_H && padded - OFFSET_H < own_rows;
    if (is_own && at.y < params.input_size.y) {
     let gradients = gradients_of(ring[0u]);
     let index = grad_input_index(plane, at);
     var of_input = vec4(0.0);
     {
      let columns = 4u * 0u + vec4(0u, 1u, 2u, 3u);
      let exist = (columns < vec4(CELLS_W)) & (at.z + columns < vec4(params.input_size.z));
      store_grad_input_four(index + 4u * 0u * step_grad_input(), gradients[0u], exist & vec4(attempt == 0u));
      of_input = select(of_input, gradients[0u], columns == vec4(input.y));
     }
     {
      let columns = 4u * 1u + vec4(0u, 1u, 2u, 3u);
      let exist = (columns < vec4(CELLS_W)) & (at.z + columns < vec4(params.input_size.z));
      store_grad_input_four(index + 4u * 1u * step_grad_input(), gradients[1u], exist & vec4(attempt == 0u));
      of_input = select(of_input, gradients[1u], columns == vec4(input.y));
     }
     {
      let columns = 4u * 2u + vec4(0u, 1u, 2u, 3u);
      let exist = (columns < vec4(CELLS_W)) & (at.z + columns < vec4(params.input_size.z));
      store_grad_input_four(index + 4u * 2u * step_grad_input(), gradients[2u], exist & vec4(attempt == 0u));
      of_input = select(of_input, gradients[2u], columns == vec4(input.y));
     }
     {
      let columns = 4u * 3u + vec4(0u, 1u, 2u, 3u);
      let exist = (columns < vec4(CELLS_W)) & (at.z + columns < vec4(params.input_size.z));
      store_grad_input_four(index + 4u * 3u * step_grad_input(), gradients[3u], exist & vec4(attempt == 0u));
      of_input = select(of_input, gradients[3u], columns == vec4(input.y));
     }
     if (attempt > 0u && turn + 1u == end_turn && padded == OFFSET_H + input.x && at.z + input.y < params.input_size.z) {
      let value = of_input.x + of_input.y + of_input.z + of_input.w;
      store_grad_input(index + input.y * step_grad_input(), value);
     }
    }
   }
   turn++;
   if (turn == end_turn) {
    attempts = select(attempts, 1u + CELLS_W * own_rows, attempt == 0u && far);
    attempt++;
    input = vec2((attempt - 1u) / CELLS_W, (attempt - 1u) % CELLS_W);
    let padded = OFFSET_H + input.x;
    turn = (max(padded + 1u, RING_ROWS) - RING_ROWS + STRIDE_H - 1u) / STRIDE_H;
    end_turn = padded / STRIDE_H + FIRST_TURN + 1u;
    let z = load_z(x_index(plane, min(own + vec3(0u, input), params.input_size - 1u)));
    reference = reference_about(select(0.0, z, is_finite(z)), 16384.0 / beta(), 23600);
   }
   continuing {
    break if attempt == attempts;
   }
  }
 }
}
