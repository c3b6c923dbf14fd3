// softpool second backward rows k3 s2 p1
//! src/specialise.rs
const KERNEL_W = 3u;
const STRIDE_D = 1u;
const STRIDE_H = 2u;
const STRIDE_W = 2u;
const PADDING_D = 0u;
const PADDING_H = 1u;
const PADDING_W = 1u;
const DILATION_H = 1u;
const BLOCK_D = 1u;
const BLOCK_H = 4u;
const BLOCK_W = 4u;
const WORKGROUP_Z = 1u;
const WORKGROUP_Y = 1u;
const WORKGROUP_X = 64u;
const CELLS_H = 8u;
const CELLS_W = 8u;
const WINDOWS_H = 5u;
const WINDOWS_W = 5u;
const BEFORE_D = 0u;
const BEFORE_H = 0u;
const BEFORE_W = 0u;
const OFFSET_H = 1u;
const LEAD = 3u;
const QUADS = 4u;
const WINDOW_QUADS = 2u;
const G_LEAD = 0u;
const G_QUADS = 2u;
const CELL_QUADS = 2u;
const RING_ROWS = 3u;
const RING_BEFORE = 2u;
const MASKED = true;
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
fn x_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.x.start + ((plane.y * params.input_size.x + at.x) * params.input_size.y + at.y) * params.input_size.z + at.z; }
fn load_x(index: u32) -> f32 { return x[index / 4u][index % 4u]; }
fn load_x4(index: u32) -> vec4<f32> { return x[index / 4u]; }
@group(0) @binding(1) var<storage, read> grad_output: array<vec4<f32>>;
fn grad_output_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.grad_output.start + ((plane.y * params.output_size.x + at.x) * params.output_size.y + at.y) * params.output_size.z + at.z; }
fn load_grad_output4(index: u32) -> vec4<f32> { return grad_output[index / 4u]; }
@group(0) @binding(2) var<storage, read_write> grad_input: array<vec4<f32>>;
fn step_grad_input() -> u32 { return 1u; }
fn grad_input_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.grad_input.start + ((plane.y * params.input_size.x + at.x) * params.input_size.y + at.y) * params.input_size.z + at.z; }
fn store_grad_input(index: u32, value: f32) { grad_input[index / 4u][index % 4u] = value; }
fn store_grad_input4(index: u32, values: vec4<f32>) { grad_input[index / 4u] = values; }
fn store_grad_input_four(index: u32, values: vec4<f32>, exist: vec4<bool>) { if (exist.x) { store_grad_input4(index, values); } }
@group(0) @binding(3) var<storage, read> tangent: array<f32>;
fn step_tangent() -> u32 { return 1u; }
fn tangent_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.tangent.start + ((plane.y * params.input_size.x + at.x) * params.input_size.y + at.y) * params.input_size.z + at.z; }
fn load_tangent(index: u32) -> f32 { return tangent[index]; }
fn next_taps(row: array<vec4<f32>, 4>) -> array<vec4<f32>, 4> { return array<vec4<f32>, 4>(vec4(row[0].y, row[0].z, row[0].w, row[1].x), vec4(row[1].y, row[1].z, row[1].w, row[2].x), vec4(row[2].y, row[2].z, row[2].w, row[3].x), vec4(row[3].y, row[3].z, row[3].w, row[3].w)); }
fn previous_taps(row: array<vec4<f32>, 4>) -> array<vec4<f32>, 4> { return array<vec4<f32>, 4>(vec4(0.0, row[0].x, row[0].y, row[0].z), vec4(row[0].w, row[1].x, row[1].y, row[1].z), vec4(row[1].w, row[2].x, row[2].y, row[2].z), vec4(row[2].w, row[3].x, row[3].y, row[3].z)); }
fn at_windows(row: array<vec4<f32>, 4>) -> array<vec4<f32>, 2> { return array<vec4<f32>, 2>(vec4(row[0].w, row[1].y, row[1].w, row[2].y), vec4(row[2].w, row[3].y, row[3].w, row[3].w)); }
fn g_at_windows(row: array<vec4<f32>, 2>) -> array<vec4<f32>, 2> { return array<vec4<f32>, 2>(vec4(row[0].x, row[0].y, row[0].z, row[0].w), vec4(row[1].x, row[1].y, row[1].z, row[1].w)); }
fn at_cells(row: array<vec4<f32>, 4>) -> array<vec4<f32>, 2> { return array<vec4<f32>, 2>(vec4(row[1].x, row[1].y, row[1].z, row[1].w), vec4(row[2].x, row[2].y, row[2].z, row[2].w)); }
fn at_patch(row: array<vec4<f32>, 2>) -> array<vec4<f32>, 4> { return array<vec4<f32>, 4>(vec4(0.0, 0.0, 0.0, row[0].x), vec4(0.0, row[0].y, 0.0, row[0].z), vec4(0.0, row[0].w, 0.0, row[1].x), vec4(0.0, 0.0, 0.0, 0.0)); }
fn next_taps_n(row: array<vec4<i32>, 4>) -> array<vec4<i32>, 4> { return array<vec4<i32>, 4>(vec4(row[0].y, row[0].z, row[0].w, row[1].x), vec4(row[1].y, row[1].z, row[1].w, row[2].x), vec4(row[2].y, row[2].z, row[2].w, row[3].x), vec4(row[3].y, row[3].z, row[3].w, row[3].w)); }
fn previous_taps_n(row: array<vec4<i32>, 4>) -> array<vec4<i32>, 4> { return array<vec4<i32>, 4>(vec4(1 << 20, row[0].x, row[0].y, row[0].z), vec4(row[0].w, row[1].x, row[1].y, row[1].z), vec4(row[1].w, row[2].x, row[2].y, row[2].z), vec4(row[2].w, row[3].x, row[3].y, row[3].z)); }
fn at_windows_n(row: array<vec4<i32>, 4>) -> array<vec4<i32>, 2> { return array<vec4<i32>, 2>(vec4(row[0].w, row[1].y, row[1].w, row[2].y), vec4(row[2].w, row[3].y, row[3].w, row[3].w)); }
fn at_cells_n(row: array<vec4<i32>, 4>) -> array<vec4<i32>, 2> { return array<vec4<i32>, 2>(vec4(row[1].x, row[1].y, row[1].z, row[1].w), vec4(row[2].x, row[2].y, row[2].z, row[2].w)); }
fn at_patch_n(row: array<vec4<i32>, 2>) -> array<vec4<i32>, 4> { return array<vec4<i32>, 4>(vec4(1 << 20, 1 << 20, 1 << 20, row[0].x), vec4(1 << 20, row[0].y, 1 << 20, row[0].z), vec4(1 << 20, row[0].w, 1 << 20, row[1].x), vec4(1 << 20, 1 << 20, 1 << 20, 1 << 20)); }
@group(0) @binding(4) var<uniform> params: Params;
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
const LN_2_HIGH = 0.693359375;
const LN_2_LOW = -2.12194440e-4;
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
fn load_z(index: u32) -> f32 {
    return 0.5 * sign_of_beta() * load_x(index);
}
//! shaders/positions.wgsl
fn scaled(a: u32, b: u32, c: u32) -> u32 {
    var q = u32(f32(a) * (f32(b) / f32(c)));
    var remainder = i32(a * b - q * c);
    while (remainder < 0) {
        q -= 1u;
        remainder += i32(c);
    }
    while (remainder >= i32(c)) {
        q += 1u;
        remainder -= i32(c);
    }
    return q;
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
    let last = i32(params.input_size.z) - 1;
    let scale = 0.5 * sign_of_beta();
    var row: array<vec4<f32>, QUADS>;
{
const quad = 0u;
        let column = first_column - i32(LEAD) + i32(4u * quad);
        {
            row[quad] = scale * load_x4(start + u32(clamp(column, 0, last - 3)));
        }
}
{
const quad = 1u;
        let column = first_column - i32(LEAD) + i32(4u * quad);
        {
            row[quad] = scale * load_x4(start + u32(clamp(column, 0, last - 3)));
        }
}
{
const quad = 2u;
        let column = first_column - i32(LEAD) + i32(4u * quad);
        {
            row[quad] = scale * load_x4(start + u32(clamp(column, 0, last - 3)));
        }
}
{
const quad = 3u;
        let column = first_column - i32(LEAD) + i32(4u * quad);
        {
            row[quad] = scale * load_x4(start + u32(clamp(column, 0, last - 3)));
        }
}
    return row;
}
const LANES_OF_4 = vec4<i32>(0, 1, 2, 3);
fn inside_row(depth_height: vec2<i32>, first_column: i32) -> array<vec4<bool>, QUADS> {
    let size = vec3<i32>(params.input_size);
    let in_row = !MASKED || (all(depth_height >= vec2(0)) && all(depth_height < size.xy));
    var inside: array<vec4<bool>, QUADS>;
{
const quad = 0u;
        let columns = first_column - i32(LEAD) + i32(4u * quad) + LANES_OF_4;
        inside[quad] = vec4(in_row) & (vec4(!MASKED) | ((columns >= vec4(0)) & (columns < vec4(size.z))));
}
{
const quad = 1u;
        let columns = first_column - i32(LEAD) + i32(4u * quad) + LANES_OF_4;
        inside[quad] = vec4(in_row) & (vec4(!MASKED) | ((columns >= vec4(0)) & (columns < vec4(size.z))));
}
{
const quad = 2u;
        let columns = first_column - i32(LEAD) + i32(4u * quad) + LANES_OF_4;
        inside[quad] = vec4(in_row) & (vec4(!MASKED) | ((columns >= vec4(0)) & (columns < vec4(size.z))));
}
{
const quad = 3u;
        let columns = first_column - i32(LEAD) + i32(4u * quad) + LANES_OF_4;
        inside[quad] = vec4(in_row) & (vec4(!MASKED) | ((columns >= vec4(0)) & (columns < vec4(size.z))));
}
    return inside;
}
//! shaders/partial.wgsl
const NOTHING = -(1 << 20);
const DROWNED = (1 << 20) - 1;
const BROKEN = 1 << 20;
const LOWEST_Z = -1.8e38;
const LEAST_BETA = 9.6e-35;
fn headroom() -> i32 {
    return select(0, HEADROOM, beta() < LEAST_BETA);
}
fn whole_sum(window: Partial) -> vec4<f32> {
    return window.s * select(1.0, f32(1 << u32(HEADROOM)), beta() < LEAST_BETA);
}
struct Reference {
    z0: f32,
    reach: f32,
    limit: i32,
}
fn reference_of(z: f32) -> Reference {
    if (beta() < LEAST_BETA) {
        return Reference(0.0, LARGEST, 23600);
    }
    if (is_finite(z) && beta() * abs(z) > 8192.0) {
        return Reference(z, 4096.0 / beta(), 5900);
    }
    return Reference(0.0, 16384.0 / beta(), 23600);
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
    {
        moved.a = f * part.a;
        moved.b = f * part.b + moved.a * step;
    }
    return moved;
}
fn plus(first: Partial, second: Partial) -> Partial {
    var sum = Partial(first.n, first.p, first.s + second.s, first.q + second.q, vec4(0.0), vec4(0.0));
    {
        sum.a = first.a + second.a;
        sum.b = first.b + second.b;
    }
    return sum;
}
fn unforeseen(values: vec4<f32>) -> vec4<f32> {
    return bitcast<vec4<f32>>(bitcast<vec4<u32>>(values) ^ vec4(params.zero));
}
fn exp_near_0(r: vec4<f32>) -> vec4<f32> {
    {
        return exp2(r * LOG2_E);
    }
}
struct Weights {
    m: vec4<f32>,
    n: vec4<i32>,
    z: vec4<f32>,
}
fn beta_scale() -> f32 {
    return select(1.0, 1.8446744e19, beta() < 1e-18);
}
fn weights(z: vec4<f32>, inside: vec4<bool>, reference: Reference) -> Weights {
    let known = select(vec4(from_bits(MINUS_INFINITY_BITS)), z, inside);
    let u = clamp(max(known, vec4(LOWEST_Z)) - reference.z0, vec4(-reference.reach), vec4(reference.reach));
    let n = round((beta() * u) * LOG2_E);
    let beta_high = bitcast<f32>(bitcast<u32>(beta()) & 0xfffff000u);
    let scaled = beta() * beta_scale();
    let beta_low = scaled - bitcast<f32>(bitcast<u32>(scaled) & 0xfffff000u);
    let high = bitcast<vec4<f32>>(bitcast<vec4<u32>>(u) & vec4(0xfffff000u));
    let rest = (beta_high * (u - high) + beta_low * (u * (1.0 / beta_scale()))) - n * LN_2_LOW;
    let r = unforeseen(beta_high * high - n * LN_2_HIGH) + rest;
    let minus_infinity = vec4(select(NOTHING, DROWNED, beta() == 0.0));
    let number = select(vec4<i32>(n), vec4(BROKEN), magnitude_bits4(known) >= vec4(INFINITY_BITS));
    let nothing = select(vec4(NOTHING), minus_infinity, inside);
    let exponent = select(number, nothing, bitcast<vec4<u32>>(known) == vec4(MINUS_INFINITY_BITS));
    let bounded = max(known, vec4(max(reference.z0 - reference.reach, LOWEST_Z)));
    return Weights(exp_near_0(r), exponent, bounded);
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
fn row_at(plane: vec2<u32>, depth_height: vec2<i32>, first_column: i32, about: Reference) -> Row {
    let values = load_row(plane, depth_height, first_column);
    let inside = inside_row(depth_height, first_column);
    var row: Row;
{
const quad = 0u;
        let four = weights(values[quad], inside[quad], about);
        row.m[quad] = four.m;
        row.n[quad] = four.n;
        row.z[quad] = four.z;
}
{
const quad = 1u;
        let four = weights(values[quad], inside[quad], about);
        row.m[quad] = four.m;
        row.n[quad] = four.n;
        row.z[quad] = four.z;
}
{
const quad = 2u;
        let four = weights(values[quad], inside[quad], about);
        row.m[quad] = four.m;
        row.n[quad] = four.n;
        row.z[quad] = four.z;
}
{
const quad = 3u;
        let four = weights(values[quad], inside[quad], about);
        row.m[quad] = four.m;
        row.n[quad] = four.n;
        row.z[quad] = four.z;
}
    {
        let start = tangent_index(plane, row_inside(depth_height));
{
const quad = 0u;
            let at = start + columns_inside(first_column, quad) * step_tangent();
            let four = vec4(load_tangent(at.x), load_tangent(at.y), load_tangent(at.z), load_tangent(at.w));
            row.v[quad] = select(vec4(0.0), four, row.n[quad] != vec4(NOTHING));
}
{
const quad = 1u;
            let at = start + columns_inside(first_column, quad) * step_tangent();
            let four = vec4(load_tangent(at.x), load_tangent(at.y), load_tangent(at.z), load_tangent(at.w));
            row.v[quad] = select(vec4(0.0), four, row.n[quad] != vec4(NOTHING));
}
{
const quad = 2u;
            let at = start + columns_inside(first_column, quad) * step_tangent();
            let four = vec4(load_tangent(at.x), load_tangent(at.y), load_tangent(at.z), load_tangent(at.w));
            row.v[quad] = select(vec4(0.0), four, row.n[quad] != vec4(NOTHING));
}
{
const quad = 3u;
            let at = start + columns_inside(first_column, quad) * step_tangent();
            let four = vec4(load_tangent(at.x), load_tangent(at.y), load_tangent(at.z), load_tangent(at.w));
            row.v[quad] = select(vec4(0.0), four, row.n[quad] != vec4(NOTHING));
}
    }
    return row;
}
fn windows_of_row(row: Row) -> array<Partial, WINDOW_QUADS> {
    var parts: array<Partial, WINDOW_QUADS>;
    var n = row.n;
    var z = row.z;
{
const tap = 0u;
        let window_n = at_windows_n(n);
        let window_z = at_windows(z);
{
const quad = 0u;
            parts[quad].n = select(max(parts[quad].n, window_n[quad]), window_n[quad], tap == 0u);
            parts[quad].p = select(max(parts[quad].p, window_z[quad]), window_z[quad], tap == 0u);
}
{
const quad = 1u;
            parts[quad].n = select(max(parts[quad].n, window_n[quad]), window_n[quad], tap == 0u);
            parts[quad].p = select(max(parts[quad].p, window_z[quad]), window_z[quad], tap == 0u);
}
        n = next_taps_n(n);
        z = next_taps(z);
}
{
const tap = 1u;
        let window_n = at_windows_n(n);
        let window_z = at_windows(z);
{
const quad = 0u;
            parts[quad].n = select(max(parts[quad].n, window_n[quad]), window_n[quad], tap == 0u);
            parts[quad].p = select(max(parts[quad].p, window_z[quad]), window_z[quad], tap == 0u);
}
{
const quad = 1u;
            parts[quad].n = select(max(parts[quad].n, window_n[quad]), window_n[quad], tap == 0u);
            parts[quad].p = select(max(parts[quad].p, window_z[quad]), window_z[quad], tap == 0u);
}
        n = next_taps_n(n);
        z = next_taps(z);
}
{
const tap = 2u;
        let window_n = at_windows_n(n);
        let window_z = at_windows(z);
{
const quad = 0u;
            parts[quad].n = select(max(parts[quad].n, window_n[quad]), window_n[quad], tap == 0u);
            parts[quad].p = select(max(parts[quad].p, window_z[quad]), window_z[quad], tap == 0u);
}
{
const quad = 1u;
            parts[quad].n = select(max(parts[quad].n, window_n[quad]), window_n[quad], tap == 0u);
            parts[quad].p = select(max(parts[quad].p, window_z[quad]), window_z[quad], tap == 0u);
}
        n = next_taps_n(n);
        z = next_taps(z);
}
    var bias: array<vec4<i32>, WINDOW_QUADS>;
{
const quad = 0u;
        bias[quad] = parts[quad].n - 127 + headroom();
}
{
const quad = 1u;
        bias[quad] = parts[quad].n - 127 + headroom();
}
    n = row.n;
    z = row.z;
    var m = row.m;
    var v = row.v;
    var four_taps: array<Partial, WINDOW_QUADS>;
{
const tap = 0u;
        let window_n = at_windows_n(n);
        let window_z = at_windows(z);
        let window_m = at_windows(m);
        let window_v = at_windows(v);
{
const quad = 0u;
            let w = window_m[quad] * power_of_2(window_n[quad], bias[quad]);
            let u = window_z[quad] - parts[quad].p;
            four_taps[quad].s += w;
            four_taps[quad].q += w * u;
            {
                four_taps[quad].a += w * window_v[quad];
                four_taps[quad].b += w * u * window_v[quad];
            }
            if (tap % 4u == 3u || tap + 1u == KERNEL_W) {
                parts[quad] = plus(parts[quad], four_taps[quad]);
                four_taps[quad] = no_partial(vec4(0), vec4(0.0));
            }
}
{
const quad = 1u;
            let w = window_m[quad] * power_of_2(window_n[quad], bias[quad]);
            let u = window_z[quad] - parts[quad].p;
            four_taps[quad].s += w;
            four_taps[quad].q += w * u;
            {
                four_taps[quad].a += w * window_v[quad];
                four_taps[quad].b += w * u * window_v[quad];
            }
            if (tap % 4u == 3u || tap + 1u == KERNEL_W) {
                parts[quad] = plus(parts[quad], four_taps[quad]);
                four_taps[quad] = no_partial(vec4(0), vec4(0.0));
            }
}
        n = next_taps_n(n);
        z = next_taps(z);
        m = next_taps(m);
        {
            v = next_taps(v);
        }
}
{
const tap = 1u;
        let window_n = at_windows_n(n);
        let window_z = at_windows(z);
        let window_m = at_windows(m);
        let window_v = at_windows(v);
{
const quad = 0u;
            let w = window_m[quad] * power_of_2(window_n[quad], bias[quad]);
            let u = window_z[quad] - parts[quad].p;
            four_taps[quad].s += w;
            four_taps[quad].q += w * u;
            {
                four_taps[quad].a += w * window_v[quad];
                four_taps[quad].b += w * u * window_v[quad];
            }
            if (tap % 4u == 3u || tap + 1u == KERNEL_W) {
                parts[quad] = plus(parts[quad], four_taps[quad]);
                four_taps[quad] = no_partial(vec4(0), vec4(0.0));
            }
}
{
const quad = 1u;
            let w = window_m[quad] * power_of_2(window_n[quad], bias[quad]);
            let u = window_z[quad] - parts[quad].p;
            four_taps[quad].s += w;
            four_taps[quad].q += w * u;
            {
                four_taps[quad].a += w * window_v[quad];
                four_taps[quad].b += w * u * window_v[quad];
            }
            if (tap % 4u == 3u || tap + 1u == KERNEL_W) {
                parts[quad] = plus(parts[quad], four_taps[quad]);
                four_taps[quad] = no_partial(vec4(0), vec4(0.0));
            }
}
        n = next_taps_n(n);
        z = next_taps(z);
        m = next_taps(m);
        {
            v = next_taps(v);
        }
}
{
const tap = 2u;
        let window_n = at_windows_n(n);
        let window_z = at_windows(z);
        let window_m = at_windows(m);
        let window_v = at_windows(v);
{
const quad = 0u;
            let w = window_m[quad] * power_of_2(window_n[quad], bias[quad]);
            let u = window_z[quad] - parts[quad].p;
            four_taps[quad].s += w;
            four_taps[quad].q += w * u;
            {
                four_taps[quad].a += w * window_v[quad];
                four_taps[quad].b += w * u * window_v[quad];
            }
            if (tap % 4u == 3u || tap + 1u == KERNEL_W) {
                parts[quad] = plus(parts[quad], four_taps[quad]);
                four_taps[quad] = no_partial(vec4(0), vec4(0.0));
            }
}
{
const quad = 1u;
            let w = window_m[quad] * power_of_2(window_n[quad], bias[quad]);
            let u = window_z[quad] - parts[quad].p;
            four_taps[quad].s += w;
            four_taps[quad].q += w * u;
            {
                four_taps[quad].a += w * window_v[quad];
                four_taps[quad].b += w * u * window_v[quad];
            }
            if (tap % 4u == 3u || tap + 1u == KERNEL_W) {
                parts[quad] = plus(parts[quad], four_taps[quad]);
                four_taps[quad] = no_partial(vec4(0), vec4(0.0));
            }
}
        n = next_taps_n(n);
        z = next_taps(z);
        m = next_taps(m);
        {
            v = next_taps(v);
        }
}
    return parts;
}
fn reference_at(plane: vec2<u32>, start: vec3<i32>) -> Reference {
    let inside = clamp(start, vec3(0), vec3<i32>(params.input_size) - 1);
    return reference_of(load_z(x_index(plane, vec3<u32>(inside))));
}
//! shaders/backward_rows.wgsl
const HEADROOM = 8;
const TURNS = OFFSET_H + CELLS_H + RING_BEFORE;
struct Line {
    parts: array<Partial, WINDOW_QUADS>,
    m: array<vec4<f32>, CELL_QUADS>,
    n: array<vec4<i32>, CELL_QUADS>,
    z: array<vec4<f32>, CELL_QUADS>,
    v: array<vec4<f32>, CELL_QUADS>,
    sum: array<vec4<f32>, CELL_QUADS>,
}
struct Terms {
    n: array<vec4<i32>, WINDOW_QUADS>,
    p: array<vec4<f32>, WINDOW_QUADS>,
    a: array<vec4<f32>, WINDOW_QUADS>,
    k: array<vec4<f32>, WINDOW_QUADS>,
    v: array<vec4<f32>, WINDOW_QUADS>,
    c: array<vec4<f32>, WINDOW_QUADS>,
}
fn terms_of_windows(plane: vec2<u32>, at: vec3<i32>, ring: array<Line, RING_ROWS>, reference: Reference, far: ptr<function, bool>) -> Terms {
    let size = vec3<i32>(params.output_size);
    let start = grad_output_index(plane, vec3(vec2<u32>(clamp(at.xy, vec2(0), size.xy - 1)), 0u));
    var g: array<vec4<f32>, WINDOW_QUADS>;
    {
        var aligned: array<vec4<f32>, G_QUADS>;
{
const quad = 0u;
            let column = at.z - i32(G_LEAD) + i32(4u * quad);
            aligned[quad] = load_grad_output4(start + u32(clamp(column, 0, size.z - 4)));
}
{
const quad = 1u;
            let column = at.z - i32(G_LEAD) + i32(4u * quad);
            aligned[quad] = load_grad_output4(start + u32(clamp(column, 0, size.z - 4)));
}
        g = g_at_windows(aligned);
    }
    var terms: Terms;
{
const quad = 0u;
        var n = ring[0].parts[quad].n;
        var p = ring[0].parts[quad].p;
{
const tap = 0u;
            n = max(n, ring[tap * DILATION_H].parts[quad].n);
            p = max(p, ring[tap * DILATION_H].parts[quad].p);
}
{
const tap = 1u;
            n = max(n, ring[tap * DILATION_H].parts[quad].n);
            p = max(p, ring[tap * DILATION_H].parts[quad].p);
}
{
const tap = 2u;
            n = max(n, ring[tap * DILATION_H].parts[quad].n);
            p = max(p, ring[tap * DILATION_H].parts[quad].p);
}
        var window = no_partial(n, p);
{
const tap = 0u;
            window = plus(window, about(ring[tap * DILATION_H].parts[quad], n, p));
}
{
const tap = 1u;
            window = plus(window, about(ring[tap * DILATION_H].parts[quad], n, p));
}
{
const tap = 2u;
            window = plus(window, about(ring[tap * DILATION_H].parts[quad], n, p));
}
        let columns = at.z + i32(4u * quad) + LANES_OF_4;
        let in_strip = (columns >= vec4(max(at.z, 0))) & (columns < vec4(min(at.z + i32(WINDOWS_W), size.z)));
        let exist = in_strip & vec4(at.y >= 0 && at.y < size.y);
        *far |= any(exist & is_far(window, reference) & (n < vec4(DROWNED)));
        let d = window.q / window.s;
        let scaled = g[quad] / whole_sum(window);
        var a = beta() * beta_scale() * scaled;
        var k = scaled * (1.0 - beta() * d);
        var v = vec4(0.0);
        var c = vec4(0.0);
        {
            a = 0.5 * sign_of_beta() * a;
            k = 2.0 - beta() * d;
            v = window.a / window.s;
            c = beta() * (window.b / window.s - d * v);
        }
        let broken = exist & is_broken(window);
        let adds = exist & (n > vec4(NOTHING)) & (n <= vec4(reference.limit));
        let nan = vec4(from_bits(NAN_BITS));
        terms.n[quad] = select(vec4(BROKEN), n, adds) - 127;
        terms.p[quad] = select(vec4(0.0), p, adds) * (1.0 / beta_scale());
        terms.a[quad] = select(select(vec4(0.0), nan, broken), a, adds);
        terms.k[quad] = select(select(vec4(0.0), nan, broken), k, adds);
        terms.v[quad] = select(vec4(0.0), v, adds);
        terms.c[quad] = select(vec4(0.0), c, adds);
}
{
const quad = 1u;
        var n = ring[0].parts[quad].n;
        var p = ring[0].parts[quad].p;
{
const tap = 0u;
            n = max(n, ring[tap * DILATION_H].parts[quad].n);
            p = max(p, ring[tap * DILATION_H].parts[quad].p);
}
{
const tap = 1u;
            n = max(n, ring[tap * DILATION_H].parts[quad].n);
            p = max(p, ring[tap * DILATION_H].parts[quad].p);
}
{
const tap = 2u;
            n = max(n, ring[tap * DILATION_H].parts[quad].n);
            p = max(p, ring[tap * DILATION_H].parts[quad].p);
}
        var window = no_partial(n, p);
{
const tap = 0u;
            window = plus(window, about(ring[tap * DILATION_H].parts[quad], n, p));
}
{
const tap = 1u;
            window = plus(window, about(ring[tap * DILATION_H].parts[quad], n, p));
}
{
const tap = 2u;
            window = plus(window, about(ring[tap * DILATION_H].parts[quad], n, p));
}
        let columns = at.z + i32(4u * quad) + LANES_OF_4;
        let in_strip = (columns >= vec4(max(at.z, 0))) & (columns < vec4(min(at.z + i32(WINDOWS_W), size.z)));
        let exist = in_strip & vec4(at.y >= 0 && at.y < size.y);
        *far |= any(exist & is_far(window, reference) & (n < vec4(DROWNED)));
        let d = window.q / window.s;
        let scaled = g[quad] / whole_sum(window);
        var a = beta() * beta_scale() * scaled;
        var k = scaled * (1.0 - beta() * d);
        var v = vec4(0.0);
        var c = vec4(0.0);
        {
            a = 0.5 * sign_of_beta() * a;
            k = 2.0 - beta() * d;
            v = window.a / window.s;
            c = beta() * (window.b / window.s - d * v);
        }
        let broken = exist & is_broken(window);
        let adds = exist & (n > vec4(NOTHING)) & (n <= vec4(reference.limit));
        let nan = vec4(from_bits(NAN_BITS));
        terms.n[quad] = select(vec4(BROKEN), n, adds) - 127;
        terms.p[quad] = select(vec4(0.0), p, adds) * (1.0 / beta_scale());
        terms.a[quad] = select(select(vec4(0.0), nan, broken), a, adds);
        terms.k[quad] = select(select(vec4(0.0), nan, broken), k, adds);
        terms.v[quad] = select(vec4(0.0), v, adds);
        terms.c[quad] = select(vec4(0.0), c, adds);
}
    return terms;
}
@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation, (params.input_size + STRIDE - 1u) / STRIDE);
    if (!block.inside) {
        return;
    }
    let first_window = vec3<i32>(block.first) - vec3<i32>(vec3(BEFORE_D, BEFORE_H, BEFORE_W));
    let start = first_window * vec3<i32>(STRIDE) - vec3<i32>(PADDING);
    let own = block.first * STRIDE;
{
const channel = 0u;
        let plane = block.plane + vec2(0u, channel);
        set_beta(plane);
        let scaled_beta = beta() * beta_scale();
        var attempt = 0u;
        var attempts = 1u;
        var turn = 0u;
        var end_turn = TURNS;
        var input = vec2(0u);
        var reference = reference_at(plane, vec3<i32>(own));
        var far = false;
        var ring: array<Line, RING_ROWS>;
        loop {
{
const i = 0u;
                ring[i] = ring[i + 1u];
}
{
const i = 1u;
                ring[i] = ring[i + 1u];
}
            let row = row_at(plane, start.xy + vec2(0, i32(turn)), start.z, reference);
            ring[RING_BEFORE].parts = windows_of_row(row);
            ring[RING_BEFORE].m = at_cells(row.m);
            ring[RING_BEFORE].n = at_cells_n(row.n);
            ring[RING_BEFORE].z = at_cells(row.z);
            ring[RING_BEFORE].v = at_cells(row.v);
{
const quad = 0u;
                ring[RING_BEFORE].z[quad] *= 1.0 / beta_scale();
                ring[RING_BEFORE].sum[quad] = vec4(0.0);
}
{
const quad = 1u;
                ring[RING_BEFORE].z[quad] *= 1.0 / beta_scale();
                ring[RING_BEFORE].sum[quad] = vec4(0.0);
}
            let window_row = (max(turn, RING_BEFORE) - RING_BEFORE) / STRIDE_H;
            if (turn == window_row * STRIDE_H + RING_BEFORE && window_row < WINDOWS_H) {
                let terms = terms_of_windows(plane, first_window + vec3(0, i32(window_row), 0), ring, reference, &far);
                var n = at_patch_n(terms.n);
                var p = at_patch(terms.p);
                var a = at_patch(terms.a);
                var k = at_patch(terms.k);
                var v = at_patch(terms.v);
                var c = at_patch(terms.c);
{
const tap = 0u;
                    let cell_n = at_cells_n(n);
                    let cell_p = at_cells(p);
                    let cell_a = at_cells(a);
                    let cell_k = at_cells(k);
                    let cell_v = at_cells(v);
                    let cell_c = at_cells(c);
{
const i = 0u;
{
const quad = 0u;
                            let w = power_of_2(ring[i * DILATION_H].n[quad], cell_n[quad]);
                            let u = ring[i * DILATION_H].z[quad] - cell_p[quad];
                            {
                                let slope = (ring[i * DILATION_H].v[quad] - cell_v[quad]) * (cell_k[quad] + scaled_beta * u) - cell_c[quad];
                                ring[i * DILATION_H].sum[quad] += w * cell_a[quad] * slope;
                            }
}
{
const quad = 1u;
                            let w = power_of_2(ring[i * DILATION_H].n[quad], cell_n[quad]);
                            let u = ring[i * DILATION_H].z[quad] - cell_p[quad];
                            {
                                let slope = (ring[i * DILATION_H].v[quad] - cell_v[quad]) * (cell_k[quad] + scaled_beta * u) - cell_c[quad];
                                ring[i * DILATION_H].sum[quad] += w * cell_a[quad] * slope;
                            }
}
}
{
const i = 1u;
{
const quad = 0u;
                            let w = power_of_2(ring[i * DILATION_H].n[quad], cell_n[quad]);
                            let u = ring[i * DILATION_H].z[quad] - cell_p[quad];
                            {
                                let slope = (ring[i * DILATION_H].v[quad] - cell_v[quad]) * (cell_k[quad] + scaled_beta * u) - cell_c[quad];
                                ring[i * DILATION_H].sum[quad] += w * cell_a[quad] * slope;
                            }
}
{
const quad = 1u;
                            let w = power_of_2(ring[i * DILATION_H].n[quad], cell_n[quad]);
                            let u = ring[i * DILATION_H].z[quad] - cell_p[quad];
                            {
                                let slope = (ring[i * DILATION_H].v[quad] - cell_v[quad]) * (cell_k[quad] + scaled_beta * u) - cell_c[quad];
                                ring[i * DILATION_H].sum[quad] += w * cell_a[quad] * slope;
                            }
}
}
{
const i = 2u;
{
const quad = 0u;
                            let w = power_of_2(ring[i * DILATION_H].n[quad], cell_n[quad]);
                            let u = ring[i * DILATION_H].z[quad] - cell_p[quad];
                            {
                                let slope = (ring[i * DILATION_H].v[quad] - cell_v[quad]) * (cell_k[quad] + scaled_beta * u) - cell_c[quad];
                                ring[i * DILATION_H].sum[quad] += w * cell_a[quad] * slope;
                            }
}
{
const quad = 1u;
                            let w = power_of_2(ring[i * DILATION_H].n[quad], cell_n[quad]);
                            let u = ring[i * DILATION_H].z[quad] - cell_p[quad];
                            {
                                let slope = (ring[i * DILATION_H].v[quad] - cell_v[quad]) * (cell_k[quad] + scaled_beta * u) - cell_c[quad];
                                ring[i * DILATION_H].sum[quad] += w * cell_a[quad] * slope;
                            }
}
}
                    n = previous_taps_n(n);
                    p = previous_taps(p);
                    a = previous_taps(a);
                    k = previous_taps(k);
                    {
                        v = previous_taps(v);
                        c = previous_taps(c);
                    }
}
{
const tap = 1u;
                    let cell_n = at_cells_n(n);
                    let cell_p = at_cells(p);
                    let cell_a = at_cells(a);
                    let cell_k = at_cells(k);
                    let cell_v = at_cells(v);
                    let cell_c = at_cells(c);
{
const i = 0u;
{
const quad = 0u;
                            let w = power_of_2(ring[i * DILATION_H].n[quad], cell_n[quad]);
                            let u = ring[i * DILATION_H].z[quad] - cell_p[quad];
                            {
                                let slope = (ring[i * DILATION_H].v[quad] - cell_v[quad]) * (cell_k[quad] + scaled_beta * u) - cell_c[quad];
                                ring[i * DILATION_H].sum[quad] += w * cell_a[quad] * slope;
                            }
}
{
const quad = 1u;
                            let w = power_of_2(ring[i * DILATION_H].n[quad], cell_n[quad]);
                            let u = ring[i * DILATION_H].z[quad] - cell_p[quad];
                            {
                                let slope = (ring[i * DILATION_H].v[quad] - cell_v[quad]) * (cell_k[quad] + scaled_beta * u) - cell_c[quad];
                                ring[i * DILATION_H].sum[quad] += w * cell_a[quad] * slope;
                            }
}
}
{
const i = 1u;
{
const quad = 0u;
                            let w = power_of_2(ring[i * DILATION_H].n[quad], cell_n[quad]);
                            let u = ring[i * DILATION_H].z[quad] - cell_p[quad];
                            {
                                let slope = (ring[i * DILATION_H].v[quad] - cell_v[quad]) * (cell_k[quad] + scaled_beta * u) - cell_c[quad];
                                ring[i * DILATION_H].sum[quad] += w * cell_a[quad] * slope;
                            }
}
{
const quad = 1u;
                            let w = power_of_2(ring[i * DILATION_H].n[quad], cell_n[quad]);
                            let u = ring[i * DILATION_H].z[quad] - cell_p[quad];
                            {
                                let slope = (ring[i * DILATION_H].v[quad] - cell_v[quad]) * (cell_k[quad] + scaled_beta * u) - cell_c[quad];
                                ring[i * DILATION_H].sum[quad] += w * cell_a[quad] * slope;
                            }
}
}
{
const i = 2u;
{
const quad = 0u;
                            let w = power_of_2(ring[i * DILATION_H].n[quad], cell_n[quad]);
                            let u = ring[i * DILATION_H].z[quad] - cell_p[quad];
                            {
                                let slope = (ring[i * DILATION_H].v[quad] - cell_v[quad]) * (cell_k[quad] + scaled_beta * u) - cell_c[quad];
                                ring[i * DILATION_H].sum[quad] += w * cell_a[quad] * slope;
                            }
}
{
const quad = 1u;
                            let w = power_of_2(ring[i * DILATION_H].n[quad], cell_n[quad]);
                            let u = ring[i * DILATION_H].z[quad] - cell_p[quad];
                            {
                                let slope = (ring[i * DILATION_H].v[quad] - cell_v[quad]) * (cell_k[quad] + scaled_beta * u) - cell_c[quad];
                                ring[i * DILATION_H].sum[quad] += w * cell_a[quad] * slope;
                            }
}
}
                    n = previous_taps_n(n);
                    p = previous_taps(p);
                    a = previous_taps(a);
                    k = previous_taps(k);
                    {
                        v = previous_taps(v);
                        c = previous_taps(c);
                    }
}
{
const tap = 2u;
                    let cell_n = at_cells_n(n);
                    let cell_p = at_cells(p);
                    let cell_a = at_cells(a);
                    let cell_k = at_cells(k);
                    let cell_v = at_cells(v);
                    let cell_c = at_cells(c);
{
const i = 0u;
{
const quad = 0u;
                            let w = power_of_2(ring[i * DILATION_H].n[quad], cell_n[quad]);
                            let u = ring[i * DILATION_H].z[quad] - cell_p[quad];
                            {
                                let slope = (ring[i * DILATION_H].v[quad] - cell_v[quad]) * (cell_k[quad] + scaled_beta * u) - cell_c[quad];
                                ring[i * DILATION_H].sum[quad] += w * cell_a[quad] * slope;
                            }
}
{
const quad = 1u;
                            let w = power_of_2(ring[i * DILATION_H].n[quad], cell_n[quad]);
                            let u = ring[i * DILATION_H].z[quad] - cell_p[quad];
                            {
                                let slope = (ring[i * DILATION_H].v[quad] - cell_v[quad]) * (cell_k[quad] + scaled_beta * u) - cell_c[quad];
                                ring[i * DILATION_H].sum[quad] += w * cell_a[quad] * slope;
                            }
}
}
{
const i = 1u;
{
const quad = 0u;
                            let w = power_of_2(ring[i * DILATION_H].n[quad], cell_n[quad]);
                            let u = ring[i * DILATION_H].z[quad] - cell_p[quad];
                            {
                                let slope = (ring[i * DILATION_H].v[quad] - cell_v[quad]) * (cell_k[quad] + scaled_beta * u) - cell_c[quad];
                                ring[i * DILATION_H].sum[quad] += w * cell_a[quad] * slope;
                            }
}
{
const quad = 1u;
                            let w = power_of_2(ring[i * DILATION_H].n[quad], cell_n[quad]);
                            let u = ring[i * DILATION_H].z[quad] - cell_p[quad];
                            {
                                let slope = (ring[i * DILATION_H].v[quad] - cell_v[quad]) * (cell_k[quad] + scaled_beta * u) - cell_c[quad];
                                ring[i * DILATION_H].sum[quad] += w * cell_a[quad] * slope;
                            }
}
}
{
const i = 2u;
{
const quad = 0u;
                            let w = power_of_2(ring[i * DILATION_H].n[quad], cell_n[quad]);
                            let u = ring[i * DILATION_H].z[quad] - cell_p[quad];
                            {
                                let slope = (ring[i * DILATION_H].v[quad] - cell_v[quad]) * (cell_k[quad] + scaled_beta * u) - cell_c[quad];
                                ring[i * DILATION_H].sum[quad] += w * cell_a[quad] * slope;
                            }
}
{
const quad = 1u;
                            let w = power_of_2(ring[i * DILATION_H].n[quad], cell_n[quad]);
                            let u = ring[i * DILATION_H].z[quad] - cell_p[quad];
                            {
                                let slope = (ring[i * DILATION_H].v[quad] - cell_v[quad]) * (cell_k[quad] + scaled_beta * u) - cell_c[quad];
                                ring[i * DILATION_H].sum[quad] += w * cell_a[quad] * slope;
                            }
}
}
                    n = previous_taps_n(n);
                    p = previous_taps(p);
                    a = previous_taps(a);
                    k = previous_taps(k);
                    {
                        v = previous_taps(v);
                        c = previous_taps(c);
                    }
}
            }
            let done = turn - min(turn, OFFSET_H + RING_BEFORE);
            let at = own + vec3(0u, done, 0u);
            if (turn >= OFFSET_H + RING_BEFORE && at.y < params.input_size.y && (attempt == 0u || turn + 1u == end_turn)) {
                let index = grad_input_index(plane, at);
{
const quad = 0u;
                    let columns = 4u * quad + vec4(0u, 1u, 2u, 3u);
                    let exist = (columns < vec4(CELLS_W)) & (at.z + columns < vec4(params.input_size.z));
                    let gradients = ring[0].m[quad] * ring[0].sum[quad];
                    if (attempt == 0u) {
                        store_grad_input_four(index + 4u * quad * step_grad_input(), gradients, exist);
                    } else {
                        let own_column = exist & (columns == vec4(input.y));
{
const i = 0u;
                            if (own_column[i]) {
                                store_grad_input(index + columns[i] * step_grad_input(), gradients[i]);
                            }
}
{
const i = 1u;
                            if (own_column[i]) {
                                store_grad_input(index + columns[i] * step_grad_input(), gradients[i]);
                            }
}
{
const i = 2u;
                            if (own_column[i]) {
                                store_grad_input(index + columns[i] * step_grad_input(), gradients[i]);
                            }
}
{
const i = 3u;
                            if (own_column[i]) {
                                store_grad_input(index + columns[i] * step_grad_input(), gradients[i]);
                            }
}
                    }
}
{
const quad = 1u;
                    let columns = 4u * quad + vec4(0u, 1u, 2u, 3u);
                    let exist = (columns < vec4(CELLS_W)) & (at.z + columns < vec4(params.input_size.z));
                    let gradients = ring[0].m[quad] * ring[0].sum[quad];
                    if (attempt == 0u) {
                        store_grad_input_four(index + 4u * quad * step_grad_input(), gradients, exist);
                    } else {
                        let own_column = exist & (columns == vec4(input.y));
{
const i = 0u;
                            if (own_column[i]) {
                                store_grad_input(index + columns[i] * step_grad_input(), gradients[i]);
                            }
}
{
const i = 1u;
                            if (own_column[i]) {
                                store_grad_input(index + columns[i] * step_grad_input(), gradients[i]);
                            }
}
{
const i = 2u;
                            if (own_column[i]) {
                                store_grad_input(index + columns[i] * step_grad_input(), gradients[i]);
                            }
}
{
const i = 3u;
                            if (own_column[i]) {
                                store_grad_input(index + columns[i] * step_grad_input(), gradients[i]);
                            }
}
                    }
}
            }
            turn++;
            if (turn == end_turn) {
                attempts = select(attempts, 1u + CELLS_W * CELLS_H, attempt == 0u && far);
                attempt++;
                input = vec2((attempt - 1u) / CELLS_W, (attempt - 1u) % CELLS_W);
                turn = max(OFFSET_H + input.x, RING_BEFORE) - RING_BEFORE;
                end_turn = OFFSET_H + input.x + RING_ROWS;
                let z = load_z(x_index(plane, min(own + vec3(0u, input), params.input_size - 1u)));
                reference = Reference(select(0.0, z, is_finite(z)), 16384.0 / beta(), 23600);
            }
            continuing {
                break if attempt == attempts;
            }
        }
}
}
