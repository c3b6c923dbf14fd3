// softpool backward disjoint k2 s2
//! src/specialise.rs
const KERNEL_D = 1u;
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
const WINDOW_LEAD = 0u;
const WINDOW_QUADS = 2u;
const CELL_QUADS = 4u;
const LEAD = 0u;
const PATCH_W = 16u;
const QUADS = 4u;
const MASKED = false;
const HAS_REMAINDER = false;
const VECTOR_X = true;
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
fn step_x() -> u32 { return 1u; }
fn x_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.x.start + ((plane.y * params.input_size.x + at.x) * params.input_size.y + at.y) * params.input_size.z + at.z; }
fn load_x(index: u32) -> f32 { return x[index / 4u][index % 4u]; }
fn load_x4(index: u32) -> vec4<f32> { return x[index / 4u]; }
fn step_statistics() -> u32 { return params.statistics.position.z; }
fn statistics_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.statistics.start + plane.x * params.statistics.sample + plane.y * params.statistics.channel + at.x * params.statistics.position.x + at.y * params.statistics.position.y + at.z * step_statistics(); }
fn load_statistics4(index: u32) -> vec4<f32> { return vec4(0.0); }
@group(0) @binding(1) var<storage, read> grad_output: array<vec4<f32>>;
fn grad_output_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.grad_output.start + ((plane.y * params.output_size.x + at.x) * params.output_size.y + at.y) * params.output_size.z + at.z; }
fn load_grad_output4(index: u32) -> vec4<f32> { return grad_output[index / 4u]; }
@group(0) @binding(2) var<storage, read_write> grad_input: array<vec4<f32>>;
fn grad_input_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.grad_input.start + ((plane.y * params.input_size.x + at.x) * params.input_size.y + at.y) * params.input_size.z + at.z; }
fn store_grad_input4(index: u32, values: vec4<f32>) { grad_input[index / 4u] = values; }
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
fn has_weights(magnitude: u32, c: f32) -> bool {
 return magnitude < INFINITY_BITS || (magnitude == INFINITY_BITS && is_finite(c) && beta() != 0.0);
}
fn is_empty(magnitude: u32, c: f32) -> bool {
 return bitcast<u32>(c) == MINUS_INFINITY_BITS && magnitude <= INFINITY_BITS;
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
//! shaders/gradient_rows.wgsl
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
  const quad = 0u;
  let column = first.z - i32(WINDOW_LEAD) + i32(4u * quad);
  {
   let at = start + u32(clamp(column, 0, last.z - 3));
   if (quantity == G) {
    values[quad] = load_grad_output4(at);
   } else {
    values[quad] = load_statistics4(at);
   }
  }
 }
 {
  const quad = 1u;
  let column = first.z - i32(WINDOW_LEAD) + i32(4u * quad);
  {
   let at = start + u32(clamp(column, 0, last.z - 3));
   if (quantity == G) {
    values[quad] = load_grad_output4(at);
   } else {
    values[quad] = load_statistics4(at);
   }
  }
 }
 return values;
}
fn store_gradient_row(plane: vec2<u32>, first: vec3<i32>, gradients: array<vec4<f32>, CELL_QUADS>) {
 let size = vec3<i32>(params.input_size);
 if (any(first.xy < vec2(0)) || any(first.xy >= size.xy)) {
  return;
 }
 let start = grad_input_index(plane, vec3(vec2<u32>(first.xy), 0u));
 {
  {
   const quad = 0u;
   let column = first.z + i32(4u * quad);
   if (column >= 0 && column < size.z) {
    store_grad_input4(start + u32(column), gradients[quad]);
   }
  }
  {
   const quad = 1u;
   let column = first.z + i32(4u * quad);
   if (column >= 0 && column < size.z) {
    store_grad_input4(start + u32(column), gradients[quad]);
   }
  }
  {
   const quad = 2u;
   let column = first.z + i32(4u * quad);
   if (column >= 0 && column < size.z) {
    store_grad_input4(start + u32(column), gradients[quad]);
   }
  }
  {
   const quad = 3u;
   let column = first.z + i32(4u * quad);
   if (column >= 0 && column < size.z) {
    store_grad_input4(start + u32(column), gradients[quad]);
   }
  }
 }
}
//! shaders/backward_disjoint.wgsl
fn tap_gradients(taps: Taps, g: f32) -> array<f32, TAPS> {
 var c = taps.z[0];
 {
  const tap = 0u;
  c = max(c, taps.z[tap]);
 }
 {
  const tap = 1u;
  c = max(c, taps.z[tap]);
 }
 {
  const tap = 2u;
  c = max(c, taps.z[tap]);
 }
 {
  const tap = 3u;
  c = max(c, taps.z[tap]);
 }
 var t: array<f32, TAPS>;
 var w: array<f32, TAPS>;
 var s = 0.0;
 {
  const tap = 0u;
  t[tap] = max(beta() * (taps.z[tap] - c), -LARGEST);
  w[tap] = tap_weight(taps.z[tap], c);
  s += w[tap];
 }
 {
  const tap = 1u;
  t[tap] = max(beta() * (taps.z[tap] - c), -LARGEST);
  w[tap] = tap_weight(taps.z[tap], c);
  s += w[tap];
 }
 {
  const tap = 2u;
  t[tap] = max(beta() * (taps.z[tap] - c), -LARGEST);
  w[tap] = tap_weight(taps.z[tap], c);
  s += w[tap];
 }
 {
  const tap = 3u;
  t[tap] = max(beta() * (taps.z[tap] - c), -LARGEST);
  w[tap] = tap_weight(taps.z[tap], c);
  s += w[tap];
 }
 let one = 1.0 / s;
 var mean_t = 0.0;
 {
  const tap = 0u;
  w[tap] *= one;
  mean_t += w[tap] * t[tap];
 }
 {
  const tap = 1u;
  w[tap] *= one;
  mean_t += w[tap] * t[tap];
 }
 {
  const tap = 2u;
  w[tap] *= one;
  mean_t += w[tap] * t[tap];
 }
 {
  const tap = 3u;
  w[tap] *= one;
  mean_t += w[tap] * t[tap];
 }
 let factor = select(from_bits(NAN_BITS), g, has_weights(taps.magnitude, c));
 let empty = is_empty(taps.magnitude, c);
 var gradients: array<f32, TAPS>;
 {
  const tap = 0u;
  gradients[tap] = factor * w[tap];
  {
   gradients[tap] *= 1.0 + (t[tap] - mean_t);
  }
  gradients[tap] = select(gradients[tap], 0.0, empty);
 }
 {
  const tap = 1u;
  gradients[tap] = factor * w[tap];
  {
   gradients[tap] *= 1.0 + (t[tap] - mean_t);
  }
  gradients[tap] = select(gradients[tap], 0.0, empty);
 }
 {
  const tap = 2u;
  gradients[tap] = factor * w[tap];
  {
   gradients[tap] *= 1.0 + (t[tap] - mean_t);
  }
  gradients[tap] = select(gradients[tap], 0.0, empty);
 }
 {
  const tap = 3u;
  gradients[tap] = factor * w[tap];
  {
   gradients[tap] *= 1.0 + (t[tap] - mean_t);
  }
  gradients[tap] = select(gradients[tap], 0.0, empty);
 }
 return gradients;
}
@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
 let block = block_at(invocation, (params.input_size + PADDING + STRIDE - 1u) / STRIDE);
 if (!block.inside) {
  return;
 }
 {
  const bd = 0u;
  {
   const bh = 0u;
   let cell = block.first + vec3(bd, bh, 0u);
   let taps = load_taps(block.plane, cell);
   let g = load_window_row(G, block.plane, vec3<i32>(cell));
   var windows: array<array<f32, TAPS>, BLOCK_W>;
   var exists: array<bool, BLOCK_W>;
   {
    const bw = 0u;
    windows[bw] = tap_gradients(taps[bw], g[bw / 4u][bw % 4u]);
    exists[bw] = !HAS_REMAINDER || all(cell + vec3(0u, 0u, bw) < params.output_size);
   }
   {
    const bw = 1u;
    windows[bw] = tap_gradients(taps[bw], g[bw / 4u][bw % 4u]);
    exists[bw] = !HAS_REMAINDER || all(cell + vec3(0u, 0u, bw) < params.output_size);
   }
   {
    const bw = 2u;
    windows[bw] = tap_gradients(taps[bw], g[bw / 4u][bw % 4u]);
    exists[bw] = !HAS_REMAINDER || all(cell + vec3(0u, 0u, bw) < params.output_size);
   }
   {
    const bw = 3u;
    windows[bw] = tap_gradients(taps[bw], g[bw / 4u][bw % 4u]);
    exists[bw] = !HAS_REMAINDER || all(cell + vec3(0u, 0u, bw) < params.output_size);
   }
   {
    const bw = 4u;
    windows[bw] = tap_gradients(taps[bw], g[bw / 4u][bw % 4u]);
    exists[bw] = !HAS_REMAINDER || all(cell + vec3(0u, 0u, bw) < params.output_size);
   }
   {
    const bw = 5u;
    windows[bw] = tap_gradients(taps[bw], g[bw / 4u][bw % 4u]);
    exists[bw] = !HAS_REMAINDER || all(cell + vec3(0u, 0u, bw) < params.output_size);
   }
   {
    const bw = 6u;
    windows[bw] = tap_gradients(taps[bw], g[bw / 4u][bw % 4u]);
    exists[bw] = !HAS_REMAINDER || all(cell + vec3(0u, 0u, bw) < params.output_size);
   }
   {
    const bw = 7u;
    windows[bw] = tap_gradients(taps[bw], g[bw / 4u][bw % 4u]);
    exists[bw] = !HAS_REMAINDER || all(cell + vec3(0u, 0u, bw) < params.output_size);
   }
   {
    const cd = 0u;
    {
     const ch = 0u;
     const kd = min(cd / DILATION_D, KERNEL_D - 1u);
     const kh = min(ch / DILATION_H, KERNEL_H - 1u);
     var gradients: array<vec4<f32>, CELL_QUADS>;
     if (kd * DILATION_D == cd && kh * DILATION_H == ch) {
      {
       const bw = 0u;
       {
        const kw = 0u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
       {
        const kw = 1u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
      }
      {
       const bw = 1u;
       {
        const kw = 0u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
       {
        const kw = 1u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
      }
      {
       const bw = 2u;
       {
        const kw = 0u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
       {
        const kw = 1u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
      }
      {
       const bw = 3u;
       {
        const kw = 0u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
       {
        const kw = 1u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
      }
      {
       const bw = 4u;
       {
        const kw = 0u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
       {
        const kw = 1u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
      }
      {
       const bw = 5u;
       {
        const kw = 0u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
       {
        const kw = 1u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
      }
      {
       const bw = 6u;
       {
        const kw = 0u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
       {
        const kw = 1u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
      }
      {
       const bw = 7u;
       {
        const kw = 0u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
       {
        const kw = 1u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
      }
     }
     store_gradient_row(block.plane, window_start(cell) + vec3<i32>(vec3(cd, ch, 0u)), gradients);
    }
    {
     const ch = 1u;
     const kd = min(cd / DILATION_D, KERNEL_D - 1u);
     const kh = min(ch / DILATION_H, KERNEL_H - 1u);
     var gradients: array<vec4<f32>, CELL_QUADS>;
     if (kd * DILATION_D == cd && kh * DILATION_H == ch) {
      {
       const bw = 0u;
       {
        const kw = 0u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
       {
        const kw = 1u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
      }
      {
       const bw = 1u;
       {
        const kw = 0u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
       {
        const kw = 1u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
      }
      {
       const bw = 2u;
       {
        const kw = 0u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
       {
        const kw = 1u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
      }
      {
       const bw = 3u;
       {
        const kw = 0u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
       {
        const kw = 1u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
      }
      {
       const bw = 4u;
       {
        const kw = 0u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
       {
        const kw = 1u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
      }
      {
       const bw = 5u;
       {
        const kw = 0u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
       {
        const kw = 1u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
      }
      {
       const bw = 6u;
       {
        const kw = 0u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
       {
        const kw = 1u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
      }
      {
       const bw = 7u;
       {
        const kw = 0u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
       {
        const kw = 1u;
        const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
        const cw = bw * STRIDE_W + kw * DILATION_W;
        gradients[cw / 4u][cw % 4u] = select(0.0, windows[bw][tap], exists[bw]);
       }
      }
     }
     store_gradient_row(block.plane, window_start(cell) + vec3<i32>(vec3(cd, ch, 0u)), gradients);
    }
   }
  }
 }
}
