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
const DILATION_W = 1u;
const BLOCK_D = 1u;
const BLOCK_H = 1u;
const BLOCK_W = 8u;
const TAPS = 4u;
const WORKGROUP_Z = 1u;
const WORKGROUP_Y = 1u;
const WORKGROUP_X = 64u;
const LEAD = 0u;
const PATCH_W = 16u;
const QUADS = 4u;
const MASKED = false;
const VECTOR_X = true;
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
fn step_x() -> u32 { return 1u; }
fn x_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.x.start + ((plane.y * params.input_size.x + at.x) * params.input_size.y + at.y) * params.input_size.z + at.z; }
fn load_x(index: u32) -> f32 { return x[index / 4u][index % 4u]; }
fn load_x4(index: u32) -> vec4<f32> { return x[index / 4u]; }
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
fn y_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.y.start + ((plane.y * params.output_size.x + at.x) * params.output_size.y + at.y) * params.output_size.z + at.z; }
fn store_y4(index: u32, values: vec4<f32>) { y[index / 4u] = values; }
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
  const quad = 0u;
  let columns = columns_inside(first_column, quad);
  if (VECTOR_X && counting(quad, LEAD, PATCH_W) > 2u) {
   row[quad] = scale * load_x4(start + min(columns.x, params.input_size.z - 4u));
  } else {
   row[quad] = scale * load_each_x(start, columns);
  }
 }
 {
  const quad = 1u;
  let columns = columns_inside(first_column, quad);
  if (VECTOR_X && counting(quad, LEAD, PATCH_W) > 2u) {
   row[quad] = scale * load_x4(start + min(columns.x, params.input_size.z - 4u));
  } else {
   row[quad] = scale * load_each_x(start, columns);
  }
 }
 {
  const quad = 2u;
  let columns = columns_inside(first_column, quad);
  if (VECTOR_X && counting(quad, LEAD, PATCH_W) > 2u) {
   row[quad] = scale * load_x4(start + min(columns.x, params.input_size.z - 4u));
  } else {
   row[quad] = scale * load_each_x(start, columns);
  }
 }
 {
  const quad = 3u;
  let columns = columns_inside(first_column, quad);
  if (VECTOR_X && counting(quad, LEAD, PATCH_W) > 2u) {
   row[quad] = scale * load_x4(start + min(columns.x, params.input_size.z - 4u));
  } else {
   row[quad] = scale * load_each_x(start, columns);
  }
 }
 return row;
}
fn counting(quad: u32, lead: u32, count: u32) -> u32 {
 return min(4u * quad + 4u, lead + count) - max(4u * quad, lead);
}
const LANES_OF_4 = vec4<i32>(0, 1, 2, 3);
fn inside_row(depth_height: vec2<i32>, first_column: i32, quad: u32) -> vec4<bool> {
 let size = vec3<i32>(params.input_size);
 let columns = first_column - i32(LEAD) + i32(4u * quad) + LANES_OF_4;
 let inside = vec4(all(depth_height >= vec2(0)) && all(depth_height < size.xy));
 return vec4(!MASKED) | (inside & (columns >= vec4(0)) & (columns < vec4(size.z)));
}
//! shaders/disjoint.wgsl
struct Taps {
 z: array<f32, TAPS>,
 magnitude: u32,
}
fn load_taps(plane: vec2<u32>, first: vec3<u32>) -> array<Taps, BLOCK_W> {
 let start = window_start(first);
 var taps: array<Taps, BLOCK_W>;
 {
  const kd = 0u;
  {
   const kh = 0u;
   let depth_height = start.xy + vec2(i32(kd * DILATION_D), i32(kh * DILATION_H));
   var row = load_row(plane, depth_height, start.z);
   var bits: array<vec4<u32>, QUADS>;
   {
    const quad = 0u;
    let inside = inside_row(depth_height, start.z, quad);
    bits[quad] = select(vec4(0u), magnitude_bits4(row[quad]), inside);
    row[quad] = select(vec4(from_bits(MINUS_INFINITY_BITS)), row[quad], inside);
   }
   {
    const quad = 1u;
    let inside = inside_row(depth_height, start.z, quad);
    bits[quad] = select(vec4(0u), magnitude_bits4(row[quad]), inside);
    row[quad] = select(vec4(from_bits(MINUS_INFINITY_BITS)), row[quad], inside);
   }
   {
    const quad = 2u;
    let inside = inside_row(depth_height, start.z, quad);
    bits[quad] = select(vec4(0u), magnitude_bits4(row[quad]), inside);
    row[quad] = select(vec4(from_bits(MINUS_INFINITY_BITS)), row[quad], inside);
   }
   {
    const quad = 3u;
    let inside = inside_row(depth_height, start.z, quad);
    bits[quad] = select(vec4(0u), magnitude_bits4(row[quad]), inside);
    row[quad] = select(vec4(from_bits(MINUS_INFINITY_BITS)), row[quad], inside);
   }
   {
    const bw = 0u;
    {
     const kw = 0u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
    {
     const kw = 1u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
   }
   {
    const bw = 1u;
    {
     const kw = 0u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
    {
     const kw = 1u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
   }
   {
    const bw = 2u;
    {
     const kw = 0u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
    {
     const kw = 1u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
   }
   {
    const bw = 3u;
    {
     const kw = 0u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
    {
     const kw = 1u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
   }
   {
    const bw = 4u;
    {
     const kw = 0u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
    {
     const kw = 1u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
   }
   {
    const bw = 5u;
    {
     const kw = 0u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
    {
     const kw = 1u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
   }
   {
    const bw = 6u;
    {
     const kw = 0u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
    {
     const kw = 1u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
   }
   {
    const bw = 7u;
    {
     const kw = 0u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
    {
     const kw = 1u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
   }
  }
  {
   const kh = 1u;
   let depth_height = start.xy + vec2(i32(kd * DILATION_D), i32(kh * DILATION_H));
   var row = load_row(plane, depth_height, start.z);
   var bits: array<vec4<u32>, QUADS>;
   {
    const quad = 0u;
    let inside = inside_row(depth_height, start.z, quad);
    bits[quad] = select(vec4(0u), magnitude_bits4(row[quad]), inside);
    row[quad] = select(vec4(from_bits(MINUS_INFINITY_BITS)), row[quad], inside);
   }
   {
    const quad = 1u;
    let inside = inside_row(depth_height, start.z, quad);
    bits[quad] = select(vec4(0u), magnitude_bits4(row[quad]), inside);
    row[quad] = select(vec4(from_bits(MINUS_INFINITY_BITS)), row[quad], inside);
   }
   {
    const quad = 2u;
    let inside = inside_row(depth_height, start.z, quad);
    bits[quad] = select(vec4(0u), magnitude_bits4(row[quad]), inside);
    row[quad] = select(vec4(from_bits(MINUS_INFINITY_BITS)), row[quad], inside);
   }
   {
    const quad = 3u;
    let inside = inside_row(depth_height, start.z, quad);
    bits[quad] = select(vec4(0u), magnitude_bits4(row[quad]), inside);
    row[quad] = select(vec4(from_bits(MINUS_INFINITY_BITS)), row[quad], inside);
   }
   {
    const bw = 0u;
    {
     const kw = 0u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
    {
     const kw = 1u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
   }
   {
    const bw = 1u;
    {
     const kw = 0u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
    {
     const kw = 1u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
   }
   {
    const bw = 2u;
    {
     const kw = 0u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
    {
     const kw = 1u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
   }
   {
    const bw = 3u;
    {
     const kw = 0u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
    {
     const kw = 1u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
   }
   {
    const bw = 4u;
    {
     const kw = 0u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
    {
     const kw = 1u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
   }
   {
    const bw = 5u;
    {
     const kw = 0u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
    {
     const kw = 1u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
   }
   {
    const bw = 6u;
    {
     const kw = 0u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
    {
     const kw = 1u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
   }
   {
    const bw = 7u;
    {
     const kw = 0u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
    {
     const kw = 1u;
     const at = LEAD + bw * STRIDE_W + kw * DILATION_W;
     taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
     taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
    }
   }
  }
 }
 return taps;
}
fn tap_weight(z: f32, c: f32) -> f32 {
 let e = weigh(z, c);
 return e;
}
//! shaders/forward.wgsl
fn store_four_windows(plane: vec2<u32>, at: vec3<u32>, a: Window, b: Window, c: Window, d: Window) {
 store_y4(y_index(plane, at), 2.0 * sign_of_beta() * vec4(a.y, b.y, c.y, d.y));
}
fn store_windows(plane: vec2<u32>, first: vec3<u32>, windows: array<Window, BLOCK_W>) {
 if (any(first.xy >= params.output_size.xy)) {
  return;
 }
 {
  {
   const quad = 0u;
   const w = 4u * quad;
   if (first.z + w < params.output_size.z) {
    let at = first + vec3(0u, 0u, w);
    store_four_windows(plane, at, windows[w], windows[w + 1u], windows[w + 2u], windows[w + 3u]);
   }
  }
  {
   const quad = 1u;
   const w = 4u * quad;
   if (first.z + w < params.output_size.z) {
    let at = first + vec3(0u, 0u, w);
    store_four_windows(plane, at, windows[w], windows[w + 1u], windows[w + 2u], windows[w + 3u]);
   }
  }
 }
}
//! shaders/forward_disjoint.wgsl
fn disjoint_window(taps: Taps) -> Window {
 var c = taps.z[0];
 var others: array<f32, TAPS>;
 {
  const i = 0u;
  others[i] = min(c, taps.z[i + 1u]);
  c = max(c, taps.z[i + 1u]);
 }
 {
  const i = 1u;
  others[i] = min(c, taps.z[i + 1u]);
  c = max(c, taps.z[i + 1u]);
 }
 {
  const i = 2u;
  others[i] = min(c, taps.z[i + 1u]);
  c = max(c, taps.z[i + 1u]);
 }
 var e: array<f32, TAPS>;
 var s = 1.0;
 {
  const i = 0u;
  e[i] = tap_weight(others[i], c);
  s += e[i];
 }
 {
  const i = 1u;
  e[i] = tap_weight(others[i], c);
  s += e[i];
 }
 {
  const i = 2u;
  e[i] = tap_weight(others[i], c);
  s += e[i];
 }
 let one = 1.0 / s;
 var d = 0.0;
 {
  const i = 0u;
  d += e[i] * one * offset(others[i], c);
 }
 {
  const i = 1u;
  d += e[i] * one * offset(others[i], c);
 }
 {
  const i = 2u;
  d += e[i] * one * offset(others[i], c);
 }
 return resolve(taps.magnitude, c, s, d);
}
@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
 let block = block_at(invocation, params.output_size);
 if (!block.inside) {
  return;
 }
 {
  const bd = 0u;
  {
   const bh = 0u;
   let first = block.first + vec3(bd, bh, 0u);
   let taps = load_taps(block.plane, first);
   var windows: array<Window, BLOCK_W>;
   {
    const bw = 0u;
    windows[bw] = disjoint_window(taps[bw]);
   }
   {
    const bw = 1u;
    windows[bw] = disjoint_window(taps[bw]);
   }
   {
    const bw = 2u;
    windows[bw] = disjoint_window(taps[bw]);
   }
   {
    const bw = 3u;
    windows[bw] = disjoint_window(taps[bw]);
   }
   {
    const bw = 4u;
    windows[bw] = disjoint_window(taps[bw]);
   }
   {
    const bw = 5u;
    windows[bw] = disjoint_window(taps[bw]);
   }
   {
    const bw = 6u;
    windows[bw] = disjoint_window(taps[bw]);
   }
   {
    const bw = 7u;
    windows[bw] = disjoint_window(taps[bw]);
   }
   store_windows(block.plane, first, windows);
  }
 }
}
