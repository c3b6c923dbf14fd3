// What src/specialise.rs makes, for editors: constants, bindings and accessors of one pooling. No kernel has this file; a
// test writes and reads it (tests/translation.rs).

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
const SPAN_D = 1u;
const SPAN_H = 3u;
const SPAN_W = 3u;
const COMMON_D = 1u;
const COMMON_H = 1u;
const COMMON_W = 1u;
const STEP_D = 1u;
const STEP_H = 1u;
const STEP_W = 1u;
const INVERSE_D = 0u;
const INVERSE_H = 0u;
const INVERSE_W = 0u;
const BLOCK_D = 1u;
const BLOCK_W = 8u;
const CHANNELS = 1u;
const TAPS = 9u;
const WORKGROUP_Z = 1u;
const WORKGROUP_Y = 1u;
const WORKGROUP_X = 64u;
const CELLS_W = 16u;
const WINDOWS_OF_ROW = 2u;
const WINDOWS_W = 9u;
const BEFORE_D = 0u;
const BEFORE_H = 0u;
const BEFORE_W = 0u;
const OFFSET_H = 1u;
const WINDOW_QUADS = 3u;
const G_LEAD = 0u;
const G_QUADS = 3u;
const CELL_QUADS = 4u;
const LEAD = 0u;
const PATCH_W = 19u;
const QUADS = 5u;
const RING_SUMS = 1u;
const UNROLL_TAPS = 1u;
const RING_TAPS = 3u;
const UNROLL_ROWS = 1u;
const RING_ROWS = 3u;
const RING_BEFORE = 2u;
const FIRST_TURN = 1u;
const ROWS_BEFORE = 1u;
const ONE_CHANNEL = 1u;
const HAS_DEPTH = false;
const MASKED = true;
const FLAT_LAYERS = true;
const FLAT_PLANES = true;
const DOUBLING = false;
const DETACHED = false;
const ORDINARY_BETA = true;
const VECTOR_X = false;
const VECTOR_TANGENT = false;
const VECTOR_Y = false;
const VECTOR_GRADIENT = false;
const STORE_Y = true;
const SAVE_LSE = true;
const SAVE_STATISTICS = true;
const SAVE_MOMENTS = true;
const BY_BETA = false;
const SECOND = true;
const TANGENT = true;
const HAS_RING = true;
const ONE_SAMPLE = true;
const CHANNELS_LAST = false;
const NATIVE_UNPACK = false;
const NATIVE_PACK = false;
const NATIVE_EXP2 = false;
const ADAPTIVE_D = false;
const ADAPTIVE_H = false;
const ADAPTIVE_W = false;
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
fn step_x() -> u32 { return 1u; }
fn x_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.x.start + ((plane.y * params.input_size.x + at.x) * params.input_size.y + at.y) * params.input_size.z + at.z; }
fn load_x(index: u32) -> f32 { return x[index]; }
fn load_x4(index: u32) -> vec4<f32> { return vec4(load_x(index + 0u), load_x(index + 1u), load_x(index + 2u), load_x(index + 3u)); }
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
fn step_y() -> u32 { return params.y.position.z; }
fn y_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.y.start + plane.x * params.y.sample + plane.y * params.y.channel + at.x * params.y.position.x + at.y * params.y.position.y + at.z * step_y(); }
fn load_y(index: u32) -> f32 { return y[index]; }
fn load_y4(index: u32) -> vec4<f32> { return vec4(load_y(index + 0u), load_y(index + 1u), load_y(index + 2u), load_y(index + 3u)); }
fn store_y(index: u32, value: f32) { y[index] = value; }
fn store_y4(index: u32, values: vec4<f32>) { store_y(index + 0u, values[0]); store_y(index + 1u, values[1]); store_y(index + 2u, values[2]); store_y(index + 3u, values[3]); }
fn store_y_four(index: u32, values: vec4<f32>, exist: vec4<bool>) { if (exist.x) { store_y(index + 0u * step_y(), values.x); } if (exist.y) { store_y(index + 1u * step_y(), values.y); } if (exist.z) { store_y(index + 2u * step_y(), values.z); } if (exist.w) { store_y(index + 3u * step_y(), values.w); } }
@group(0) @binding(2) var<storage, read_write> lse: array<f32>;
fn step_lse() -> u32 { return params.lse.position.z; }
fn lse_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.lse.start + plane.x * params.lse.sample + plane.y * params.lse.channel + at.x * params.lse.position.x + at.y * params.lse.position.y + at.z * step_lse(); }
fn load_lse(index: u32) -> f32 { return lse[index]; }
fn load_lse4(index: u32) -> vec4<f32> { return vec4(load_lse(index + 0u), load_lse(index + 1u), load_lse(index + 2u), load_lse(index + 3u)); }
fn store_lse(index: u32, value: f32) { lse[index] = value; }
fn store_lse4(index: u32, values: vec4<f32>) { store_lse(index + 0u, values[0]); store_lse(index + 1u, values[1]); store_lse(index + 2u, values[2]); store_lse(index + 3u, values[3]); }
fn store_lse_four(index: u32, values: vec4<f32>, exist: vec4<bool>) { if (exist.x) { store_lse(index + 0u * step_lse(), values.x); } if (exist.y) { store_lse(index + 1u * step_lse(), values.y); } if (exist.z) { store_lse(index + 2u * step_lse(), values.z); } if (exist.w) { store_lse(index + 3u * step_lse(), values.w); } }
@group(0) @binding(3) var<storage, read_write> statistics: array<f32>;
fn step_statistics() -> u32 { return params.statistics.position.z; }
fn statistics_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.statistics.start + plane.x * params.statistics.sample + plane.y * params.statistics.channel + at.x * params.statistics.position.x + at.y * params.statistics.position.y + at.z * step_statistics(); }
fn load_statistics(index: u32) -> f32 { return statistics[index]; }
fn load_statistics4(index: u32) -> vec4<f32> { return vec4(load_statistics(index + 0u), load_statistics(index + 1u), load_statistics(index + 2u), load_statistics(index + 3u)); }
@group(0) @binding(4) var<storage, read_write> grad_output: array<f32>;
fn step_grad_output() -> u32 { return 1u; }
fn grad_output_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.grad_output.start + ((plane.y * params.output_size.x + at.x) * params.output_size.y + at.y) * params.output_size.z + at.z; }
fn load_grad_output(index: u32) -> f32 { return grad_output[index]; }
fn load_grad_output4(index: u32) -> vec4<f32> { return vec4(load_grad_output(index + 0u), load_grad_output(index + 1u), load_grad_output(index + 2u), load_grad_output(index + 3u)); }
@group(0) @binding(5) var<storage, read_write> grad_input: array<f32>;
fn step_grad_input() -> u32 { return 1u; }
fn grad_input_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.grad_input.start + ((plane.y * params.input_size.x + at.x) * params.input_size.y + at.y) * params.input_size.z + at.z; }
fn load_grad_input(index: u32) -> f32 { return grad_input[index]; }
fn load_grad_input4(index: u32) -> vec4<f32> { return vec4(load_grad_input(index + 0u), load_grad_input(index + 1u), load_grad_input(index + 2u), load_grad_input(index + 3u)); }
fn store_grad_input(index: u32, value: f32) { grad_input[index] = value; }
fn store_grad_input4(index: u32, values: vec4<f32>) { store_grad_input(index + 0u, values[0]); store_grad_input(index + 1u, values[1]); store_grad_input(index + 2u, values[2]); store_grad_input(index + 3u, values[3]); }
fn store_grad_input_four(index: u32, values: vec4<f32>, exist: vec4<bool>) { if (exist.x) { store_grad_input(index + 0u * step_grad_input(), values.x); } if (exist.y) { store_grad_input(index + 1u * step_grad_input(), values.y); } if (exist.z) { store_grad_input(index + 2u * step_grad_input(), values.z); } if (exist.w) { store_grad_input(index + 3u * step_grad_input(), values.w); } }
@group(0) @binding(6) var<storage, read_write> tangent: array<f32>;
fn step_tangent() -> u32 { return params.tangent.position.z; }
fn tangent_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.tangent.start + plane.x * params.tangent.sample + plane.y * params.tangent.channel + at.x * params.tangent.position.x + at.y * params.tangent.position.y + at.z * step_tangent(); }
fn load_tangent(index: u32) -> f32 { return tangent[index]; }
fn load_tangent4(index: u32) -> vec4<f32> { return vec4(load_tangent(index + 0u), load_tangent(index + 1u), load_tangent(index + 2u), load_tangent(index + 3u)); }
@group(0) @binding(7) var<storage, read_write> moments: array<f32>;
fn step_moments() -> u32 { return params.moments.position.z; }
fn moments_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.moments.start + plane.x * params.moments.sample + plane.y * params.moments.channel + at.x * params.moments.position.x + at.y * params.moments.position.y + at.z * step_moments(); }
fn load_moments(index: u32) -> f32 { return moments[index]; }
fn load_moments4(index: u32) -> vec4<f32> { return vec4(load_moments(index + 0u), load_moments(index + 1u), load_moments(index + 2u), load_moments(index + 3u)); }
@group(0) @binding(8) var<storage, read_write> betas: array<f32>;
fn step_betas() -> u32 { return params.betas.position.z; }
fn betas_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.betas.start + plane.x * params.betas.sample + plane.y * params.betas.channel + at.x * params.betas.position.x + at.y * params.betas.position.y + at.z * step_betas(); }
fn load_betas(index: u32) -> f32 { return betas[index]; }
fn load_betas4(index: u32) -> vec4<f32> { return vec4(load_betas(index + 0u), load_betas(index + 1u), load_betas(index + 2u), load_betas(index + 3u)); }
fn next_taps(row: array<vec4<f32>, 5>) -> array<vec4<f32>, 5> { return array<vec4<f32>, 5>(vec4(row[0].yzw, row[1].x), vec4(row[1].yzw, row[2].x), vec4(row[2].yzw, row[3].x), vec4(row[3].yzw, row[4].x), row[4].yzww); }
fn next_taps_n(row: array<vec4<i32>, 5>) -> array<vec4<i32>, 5> { return array<vec4<i32>, 5>(vec4(row[0].yzw, row[1].x), vec4(row[1].yzw, row[2].x), vec4(row[2].yzw, row[3].x), vec4(row[3].yzw, row[4].x), row[4].yzww); }
fn at_windows(row: array<vec4<f32>, 5>) -> array<vec4<f32>, 3> { return array<vec4<f32>, 3>(vec4(row[0].xz, row[1].xz), vec4(row[2].xz, row[3].xz), row[4].xzww); }
fn at_windows_n(row: array<vec4<i32>, 5>) -> array<vec4<i32>, 3> { return array<vec4<i32>, 3>(vec4(row[0].xz, row[1].xz), vec4(row[2].xz, row[3].xz), row[4].xzww); }
fn previous_taps(row: array<vec4<f32>, 5>) -> array<vec4<f32>, 5> { return array<vec4<f32>, 5>(vec4(0.0, row[0].xyz), vec4(row[0].w, row[1].xyz), vec4(row[1].w, row[2].xyz), vec4(row[2].w, row[3].xyz), vec4(row[3].w, row[4].xyz)); }
fn previous_taps_n(row: array<vec4<i32>, 5>) -> array<vec4<i32>, 5> { return array<vec4<i32>, 5>(vec4(1 << 20, row[0].xyz), vec4(row[0].w, row[1].xyz), vec4(row[1].w, row[2].xyz), vec4(row[2].w, row[3].xyz), vec4(row[3].w, row[4].xyz)); }
fn g_at_windows(row: array<vec4<f32>, 3>) -> array<vec4<f32>, 3> { return array<vec4<f32>, 3>(row[0], row[1], row[2]); }
fn g_at_windows_n(row: array<vec4<i32>, 3>) -> array<vec4<i32>, 3> { return array<vec4<i32>, 3>(row[0], row[1], row[2]); }
fn at_cells(row: array<vec4<f32>, 5>) -> array<vec4<f32>, 4> { return array<vec4<f32>, 4>(vec4(row[0].yzw, row[1].x), vec4(row[1].yzw, row[2].x), vec4(row[2].yzw, row[3].x), vec4(row[3].yzw, row[4].x)); }
fn at_cells_n(row: array<vec4<i32>, 5>) -> array<vec4<i32>, 4> { return array<vec4<i32>, 4>(vec4(row[0].yzw, row[1].x), vec4(row[1].yzw, row[2].x), vec4(row[2].yzw, row[3].x), vec4(row[3].yzw, row[4].x)); }
fn at_patch(row: array<vec4<f32>, 3>) -> array<vec4<f32>, 5> { return array<vec4<f32>, 5>(vec4(row[0].x, 0.0, row[0].y, 0.0), vec4(row[0].z, 0.0, row[0].w, 0.0), vec4(row[1].x, 0.0, row[1].y, 0.0), vec4(row[1].z, 0.0, row[1].w, 0.0), vec4(row[2].x, 0.0, 0.0, 0.0)); }
fn at_patch_n(row: array<vec4<i32>, 3>) -> array<vec4<i32>, 5> { return array<vec4<i32>, 5>(vec4(row[0].x, 1 << 20, row[0].y, 1 << 20), vec4(row[0].z, 1 << 20, row[0].w, 1 << 20), vec4(row[1].x, 1 << 20, row[1].y, 1 << 20), vec4(row[1].z, 1 << 20, row[1].w, 1 << 20), vec4(row[2].x, 1 << 20, 1 << 20, 1 << 20)); }
@group(0) @binding(9) var<uniform> params: Params;
const ROWS_OF_TURN = 3u;
const SLICES_OF_ROW = 3u;
fn store_statistics(index: u32, value: f32) { statistics[index] = value; }
fn store_statistics4(index: u32, values: vec4<f32>) { store_statistics(index + 0u, values[0]); store_statistics(index + 1u, values[1]); store_statistics(index + 2u, values[2]); store_statistics(index + 3u, values[3]); }
fn store_statistics_four(index: u32, values: vec4<f32>, exist: vec4<bool>) { if (exist.x) { store_statistics(index + 0u * step_statistics(), values.x); } if (exist.y) { store_statistics(index + 1u * step_statistics(), values.y); } if (exist.z) { store_statistics(index + 2u * step_statistics(), values.z); } if (exist.w) { store_statistics(index + 3u * step_statistics(), values.w); } }
fn store_moments(index: u32, value: f32) { moments[index] = value; }
fn store_moments4(index: u32, values: vec4<f32>) { store_moments(index + 0u, values[0]); store_moments(index + 1u, values[1]); store_moments(index + 2u, values[2]); store_moments(index + 3u, values[3]); }
fn store_moments_four(index: u32, values: vec4<f32>, exist: vec4<bool>) { if (exist.x) { store_moments(index + 0u * step_moments(), values.x); } if (exist.y) { store_moments(index + 1u * step_moments(), values.y); } if (exist.z) { store_moments(index + 2u * step_moments(), values.z); } if (exist.w) { store_moments(index + 3u * step_moments(), values.w); } }
fn taps_of(row: array<vec4<f32>, 3>) -> array<array<vec4<f32>, 3>, 1> { return array<array<vec4<f32>, 3>, 1>(array<vec4<f32>, 3>(vec4(row[0].xz, row[1].xz), vec4(row[0].yw, row[1].yw), vec4(row[0].z, row[1].xz, row[2].x))); }
const LEVELS = 1u;
const LANES_X = 1u;
const LANES_Y = 4u;
const GROUPS = 16u;
const CELLS_D = 1u;
const CELLS_H = 2u;
const WINDOWS_D = 1u;
const WINDOWS_H = 2u;
const OFFSET_D = 0u;
const OFFSET_W = 1u;
const WINDOW_LEAD = 0u;
const COVERED_W = 11u;
const BOX_W = 8u;
const KERNEL_BITS = 0u;
const CELL_ROWS = 2u;
const BLOCK_QUADS = 0u;
const TAP_ROWS = 1u;
const KEEP = 1u;
const KEPT_ROWS = 1u;
const CELL_BLOCK_QUADS = 1u;
fn cells_of(row: array<vec4<f32>, 2>) -> array<vec4<f32>, 2> { return array<vec4<f32>, 2>(vec4(row[0].x, row[1].x, row[0].y, row[1].y), vec4(row[0].z, row[1].z, row[0].w, row[1].w)); }
const CHUNK_ROWS = 1u;
const CHUNK_QUADS = 1u;
const CHUNK = 1u;
const SCALE_BITS = 7u;
