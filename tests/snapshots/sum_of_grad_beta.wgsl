// softpool sum k3136 s4096
//! src/specialise.rs
const KERNEL_D = 1u;
const KERNEL_H = 1u;
const KERNEL_W = 3136u;
const STRIDE_D = 1u;
const STRIDE_H = 1u;
const STRIDE_W = 4096u;
const PADDING_D = 0u;
const PADDING_H = 0u;
const PADDING_W = 0u;
const DILATION_D = 1u;
const DILATION_H = 1u;
const DILATION_W = 1u;
const BLOCK_D = 1u;
const BLOCK_W = 1u;
const LEVELS = 2u;
const LANES_X = 64u;
const LANES_Y = 1u;
const GROUPS = 1u;
@group(0) @binding(0) var<storage, read> x: array<f32>;
fn x_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.x.start + ((plane.y * params.input_size.x + at.x) * params.input_size.y + at.y) * params.input_size.z + at.z; }
fn load_x(index: u32) -> f32 { return x[index]; }
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
fn y_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.y.start + ((plane.y * params.output_size.x + at.x) * params.output_size.y + at.y) * params.output_size.z + at.z; }
fn store_y(index: u32, value: f32) { y[index] = value; }
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
fn block_at(invocation: vec3<u32>) -> Block {
 let blocks = params.blocks;
 var at = (invocation + params.first_invocation).zyx;
 var channel = 0u;
 var plane = vec2(0u, at.x);
 at.x = 0u;
 var inside = at.y < blocks.y && at.z < blocks.z;
 inside = inside && plane.y < params.channels;
 set_beta(plane);
 let size = vec3(BLOCK_D, params.rows_of_block, BLOCK_W);
 return Block(plane, (params.first_block + at) * size, inside);
}
struct Window {
 c: f32,
 s: f32,
 d: f32,
 y: f32,
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
//! shaders/lanes.wgsl
const GROUP = LANES_X * LANES_Y;
const LANES = GROUP * GROUPS;
fn group_and_lane(index: u32) -> vec2<u32> {
 return vec2(index / GROUP, index % GROUP);
}
fn block_of(workgroup: vec3<u32>, group: u32) -> Block {
 return block_at(workgroup * vec3(GROUPS, 1u, 1u) + vec3(group, 0u, 0u));
}
struct Inside {
 plane: vec2<u32>,
 start: vec3<i32>,
 first: vec3<u32>,
 count: vec3<u32>,
}
fn inside_input(block: Block) -> Inside {
 let start = window_start(block.first);
 let size = vec3<i32>(params.input_size);
 let dilation = vec3<i32>(DILATION);
 let first = (max(-start, vec3(0)) + dilation - 1) / dilation;
 let end = min((max(size - start, vec3(0)) + dilation - 1) / dilation, vec3<i32>(window_taps(block.first)));
 let count = select(vec3(0), max(end - first, vec3(0)), block.inside);
 return Inside(block.plane, start, vec3<u32>(first), vec3<u32>(count));
}
fn row_taps(window: Inside, row: u32) -> vec2<u32> {
 return window.first.xy + vec2(0u, row);
}
//! shaders/sum.wgsl
fn window_context(plane: vec2<u32>, window: vec3<u32>) -> Window {
 return Window(0.0, 1.0, 0.0, 0.0);
}
fn terms(window: Window, plane: vec2<u32>, at: vec3<u32>) -> vec2<f32> {
 return vec2(load_x(x_index(plane, at)), 0.0);
}
fn store_sums(plane: vec2<u32>, window: vec3<u32>, sums: vec2<f32>) {
 store_y(y_index(plane, window), sums.x);
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
 {
  sums[1u] += carry;
  const parts = 1u << (3u * (1u + 1u));
  let full = 1u + 1u < LEVELS && (n + 1u) % parts == 0u;
  carry = select(Term(), sums[1u], full);
  sums[1u] = select(sums[1u], Term(), full);
 }
 return sums;
}
fn sum_of(levels: Levels) -> Term {
 var sum = Term();
 sum += levels[0u];
 sum += levels[1u];
 return sum;
}
//! shaders/lane_sums.wgsl
alias Term = vec2<f32>;
var<workgroup> lane_sums: array<Term, LANES>;
fn sum_of_lanes(group: u32, lane: u32, own: Term) -> Term {
 let place = group * GROUP + lane;
 lane_sums[place] = own;
 for (var parts = GROUP / 2u; parts > 0u; parts /= 2u) {
  workgroupBarrier();
  if (lane < parts) {
   lane_sums[place] += lane_sums[place + parts];
  }
 }
 return lane_sums[place];
}
//! shaders/sums_by_lanes.wgsl
@compute @workgroup_size(LANES_X, LANES_Y, GROUPS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) index: u32) {
 let place = group_and_lane(index);
 let block = block_of(workgroup, place.x);
 let inside = inside_input(block);
 let window = window_context(block.plane, block.first);
 var sums = Levels();
 var n = 0u;
 for (var row = place.y / LANES_X; row < inside.count.x * inside.count.y; row += LANES_Y) {
  let row_tap = vec3(row_taps(inside, row), inside.first.z);
  for (var tap = 4u * (place.y % LANES_X); tap < inside.count.z; tap += 4u * LANES_X) {
   var four = vec2(0.0);
   {
    let column = min(tap + 0u, inside.count.z - 1u);
    let at = inside.start + vec3<i32>((row_tap + vec3(0u, 0u, column)) * DILATION);
    four += select(vec2(0.0), terms(window, block.plane, vec3<u32>(at)), tap + 0u < inside.count.z);
   }
   {
    let column = min(tap + 1u, inside.count.z - 1u);
    let at = inside.start + vec3<i32>((row_tap + vec3(0u, 0u, column)) * DILATION);
    four += select(vec2(0.0), terms(window, block.plane, vec3<u32>(at)), tap + 1u < inside.count.z);
   }
   {
    let column = min(tap + 2u, inside.count.z - 1u);
    let at = inside.start + vec3<i32>((row_tap + vec3(0u, 0u, column)) * DILATION);
    four += select(vec2(0.0), terms(window, block.plane, vec3<u32>(at)), tap + 2u < inside.count.z);
   }
   {
    let column = min(tap + 3u, inside.count.z - 1u);
    let at = inside.start + vec3<i32>((row_tap + vec3(0u, 0u, column)) * DILATION);
    four += select(vec2(0.0), terms(window, block.plane, vec3<u32>(at)), tap + 3u < inside.count.z);
   }
   sums = with_term(sums, four, n);
   n++;
  }
 }
 let sum = sum_of_lanes(place.x, place.y, sum_of(sums));
 if (place.y == 0u && block.inside) {
  store_sums(block.plane, block.first, sum);
 }
}
