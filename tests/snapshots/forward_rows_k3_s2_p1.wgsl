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
const BLOCK_H = 4u;
const BLOCK_W = 4u;
const WORKGROUP_Z = 1u;
const WORKGROUP_Y = 1u;
const WORKGROUP_X = 64u;
const LEAD = 3u;
const QUADS = 3u;
const WINDOW_QUADS = 1u;
const RING_ROWS = 3u;
const RING_BEFORE = 2u;
const MASKED = true;
const HAS_RING = true;
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
fn x_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.x.start + ((plane.y * params.input_size.x + at.x) * params.input_size.y + at.y) * params.input_size.z + at.z; }
fn load_x(index: u32) -> f32 { return x[index / 4u][index % 4u]; }
fn load_x4(index: u32) -> vec4<f32> { return x[index / 4u]; }
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
fn y_index(plane: vec2<u32>, at: vec3<u32>) -> u32 { return params.y.start + ((plane.y * params.output_size.x + at.x) * params.output_size.y + at.y) * params.output_size.z + at.z; }
fn store_y(index: u32, value: f32) { y[index / 4u][index % 4u] = value; }
fn store_y4(index: u32, values: vec4<f32>) { y[index / 4u] = values; }
fn store_y_four(index: u32, values: vec4<f32>, exist: vec4<bool>) { if (exist.x) { store_y4(index, values); } }
fn next_taps(row: array<vec4<f32>, 3>) -> array<vec4<f32>, 3> { return array<vec4<f32>, 3>(vec4(row[0].y, row[0].z, row[0].w, row[1].x), vec4(row[1].y, row[1].z, row[1].w, row[2].x), vec4(row[2].y, row[2].z, row[2].w, row[2].w)); }
fn at_windows(row: array<vec4<f32>, 3>) -> array<vec4<f32>, 1> { return array<vec4<f32>, 1>(vec4(row[0].w, row[1].y, row[1].w, row[2].y)); }
fn next_taps_n(row: array<vec4<i32>, 3>) -> array<vec4<i32>, 3> { return array<vec4<i32>, 3>(vec4(row[0].y, row[0].z, row[0].w, row[1].x), vec4(row[1].y, row[1].z, row[1].w, row[2].x), vec4(row[2].y, row[2].z, row[2].w, row[2].w)); }
fn at_windows_n(row: array<vec4<i32>, 3>) -> array<vec4<i32>, 1> { return array<vec4<i32>, 1>(vec4(row[0].w, row[1].y, row[1].w, row[2].y)); }
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
const KERNEL = vec3<u32>(KERNEL_D, KERNEL_H, KERNEL_W);
const STRIDE = vec3<u32>(STRIDE_D, STRIDE_H, STRIDE_W);
const PADDING = vec3<u32>(PADDING_D, PADDING_H, PADDING_W);
const DILATION = vec3<u32>(DILATION_D, DILATION_H, DILATION_W);
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
fn resolve(magnitude: u32, c: f32, s: f32, d: f32) -> Window {
    let nan = from_bits(NAN_BITS);
    if (has_weights(magnitude, c) && is_finite(c)) {
        return Window(c, s, d, c + d);
    }
    let infinity = select(from_bits(MINUS_INFINITY_BITS), c, bitcast<u32>(c) == INFINITY_BITS);
    return Window(c, nan, d, select(infinity, nan, magnitude > INFINITY_BITS));
}
fn window_by_definition(plane: vec2<u32>, window: vec3<u32>) -> Window {
    const TAPS_IN_ALL = KERNEL_D * KERNEL_H * KERNEL_W;
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
    for (var i = 0u; i < 3u * TAPS_IN_ALL; i++) {
        let tap = i % TAPS_IN_ALL;
        let at = vec3(tap / (KERNEL_H * KERNEL_W), tap / KERNEL_W % KERNEL_H, tap % KERNEL_W);
        let position = start + vec3<i32>(at * DILATION);
        let inside = clamp(position, vec3(0), last);
        if (all(position == inside) && all(at < taps)) {
            let z = load_z(x_index(plane, vec3<u32>(inside)));
            let e = weigh(z, c);
            if (i < TAPS_IN_ALL) {
                c = max(c, z);
                magnitude = max(magnitude, magnitude_bits(z));
            } else if (i < 2u * TAPS_IN_ALL) {
                row += e;
            } else {
                row += e / s * offset(z, c);
                row_y += select(0.0, e / s * z, e > 0.0);
            }
        }
        if (at.z == KERNEL_W - 1u) {
            if (i < 2u * TAPS_IN_ALL) {
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
    return inside;
}
//! shaders/partial.wgsl
const NOTHING = -(1 << 20);
const INFINITE = 1 << 20;
const UNDEFINED = INFINITE + 1;
const DROWNED = INFINITE - 1;
const HIGHEST = 23600;
const LOWEST = -23400;
const LOWEST_Z = -1.7014117e38;
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
fn power_of_2(n: vec4<i32>) -> vec4<f32> {
    return bitcast<vec4<f32>>(max(n + 127, vec4(0)) << vec4(23u));
}
fn about(part: Partial, n: vec4<i32>, p: vec4<f32>) -> Partial {
    let f = power_of_2(part.n - n);
    let step = part.p - p;
    let s = f * part.s;
    var moved = Partial(n, p, s, f * part.q + s * step, vec4(0.0), vec4(0.0));
    return moved;
}
fn plus(first: Partial, second: Partial) -> Partial {
    var sum = Partial(first.n, first.p, first.s + second.s, first.q + second.q, vec4(0.0), vec4(0.0));
    return sum;
}
fn merged(first: Partial, second: Partial) -> Partial {
    let n = max(first.n, second.n);
    let p = max(first.p, second.p);
    return plus(about(first, n, p), about(second, n, p));
}
const LEAST_BETA = 9.6e-35;
fn reach() -> f32 {
    return select(16384.0 / beta(), LARGEST, beta() < LEAST_BETA);
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
fn weights(z: vec4<f32>, inside: vec4<bool>, z0: f32) -> Weights {
    let special = magnitude_bits4(z) >= vec4(INFINITY_BITS);
    let counts = inside & !special;
    let known = select(vec4(z0), z, counts);
    let u = unforeseen(known - z0);
    let back = unforeseen(u - known);
    let low = (known - (u - back)) - (z0 + back);
    let bounded = clamp(u, vec4(-reach()), vec4(reach()));
    let n = round((beta() * bounded) * LOG2_E);
    let beta_high = bitcast<f32>(bitcast<u32>(beta()) & 0xfffff000u);
    let scale = select(1.0, 1.8446744e19, beta() < 1e-18);
    let scaled = beta() * scale;
    let beta_low = scaled - bitcast<f32>(bitcast<u32>(scaled) & 0xfffff000u);
    let high = bitcast<vec4<f32>>(bitcast<vec4<u32>>(bounded) & vec4(0xfffff000u));
    let rest = (beta_high * ((bounded - high) + low) + beta_low * (bounded * (1.0 / scale))) - n * LN_2_LOW;
    let r = clamp(unforeseen(beta_high * high - n * LN_2_HIGH) + rest, vec4(-0.5), vec4(0.5));
    let minus_infinity = select(NOTHING, DROWNED, beta() == 0.0);
    let broken = select(vec4(UNDEFINED), vec4(INFINITE), bitcast<vec4<u32>>(z) == vec4(INFINITY_BITS));
    let without = select(broken, vec4(minus_infinity), bitcast<vec4<u32>>(z) == vec4(MINUS_INFINITY_BITS));
    let exponent = select(vec4(NOTHING), select(vec4<i32>(n), without, special), inside);
    return Weights(exp_near_0(r), exponent, select(vec4(LOWEST_Z), z, counts));
}
//! shaders/window_row.wgsl
struct Row {
    m: array<vec4<f32>, QUADS>,
    n: array<vec4<i32>, QUADS>,
    z: array<vec4<f32>, QUADS>,
    v: array<vec4<f32>, QUADS>,
}
fn row_at(plane: vec2<u32>, depth_height: vec2<i32>, first_column: i32, z0: f32) -> Row {
    let values = load_row(plane, depth_height, first_column);
    let inside = inside_row(depth_height, first_column);
    var row: Row;
{
const quad = 0u;
        let four = weights(values[quad], inside[quad], z0);
        row.m[quad] = four.m;
        row.n[quad] = four.n;
        row.z[quad] = four.z;
}
{
const quad = 1u;
        let four = weights(values[quad], inside[quad], z0);
        row.m[quad] = four.m;
        row.n[quad] = four.n;
        row.z[quad] = four.z;
}
{
const quad = 2u;
        let four = weights(values[quad], inside[quad], z0);
        row.m[quad] = four.m;
        row.n[quad] = four.n;
        row.z[quad] = four.z;
}
    return row;
}
fn windows_of_row(row: Row) -> array<Partial, WINDOW_QUADS> {
    var parts: array<Partial, WINDOW_QUADS>;
    var n = row.n;
    var z = row.z;
    for (var tap = 0u; tap < KERNEL_W; tap++) {
        let window_n = at_windows_n(n);
        let window_z = at_windows(z);
{
const quad = 0u;
            parts[quad].n = select(max(parts[quad].n, window_n[quad]), window_n[quad], tap == 0u);
            parts[quad].p = select(max(parts[quad].p, window_z[quad]), window_z[quad], tap == 0u);
}
        n = next_taps_n(n);
        z = next_taps(z);
    }
    n = row.n;
    z = row.z;
    var m = row.m;
    var v = row.v;
    for (var tap = 0u; tap < KERNEL_W; tap++) {
        let window_n = at_windows_n(n);
        let window_z = at_windows(z);
        let window_m = at_windows(m);
        let window_v = at_windows(v);
{
const quad = 0u;
            let w = window_m[quad] * power_of_2(window_n[quad] - parts[quad].n);
            let u = window_z[quad] - parts[quad].p;
            parts[quad].s += w;
            parts[quad].q += w * u;
}
        n = next_taps_n(n);
        z = next_taps(z);
        m = next_taps(m);
    }
    return parts;
}
fn reference_at(plane: vec2<u32>, start: vec3<i32>) -> f32 {
    let inside = clamp(start, vec3(0), vec3<i32>(params.input_size) - 1);
    let z = load_z(x_index(plane, vec3<u32>(inside)));
    return select(0.0, z, is_finite(z) && beta() >= LEAST_BETA);
}
//! shaders/forward.wgsl
fn store_window(plane: vec2<u32>, at: vec3<u32>, window: Window) {
    store_y(y_index(plane, at), 2.0 * sign_of_beta() * window.y);
}
//! shaders/forward_values.wgsl
fn is_far(window: Partial) -> vec4<bool> {
    let number = (window.n < vec4(DROWNED)) & (window.n > vec4(NOTHING));
    let known = (window.n <= vec4(HIGHEST)) & (window.n >= vec4(LOWEST)) & (magnitude_bits4(window.q / window.s) < vec4(INFINITY_BITS));
    return number & !known;
}
fn without_weights(n: vec4<i32>) -> vec4<f32> {
    let infinity = select(vec4(from_bits(MINUS_INFINITY_BITS)), vec4(from_bits(INFINITY_BITS)), n == vec4(INFINITE));
    return select(infinity, vec4(from_bits(NAN_BITS)), n == vec4(UNDEFINED));
}
fn store_four_partials(plane: vec2<u32>, at: vec3<u32>, window: Partial, z0: f32) -> bool {
    let exist = (at.z + vec4(0u, 1u, 2u, 3u)) < vec4(params.output_size.z);
    let without = (window.n >= vec4(DROWNED)) | (window.n == vec4(NOTHING));
    let instead = without_weights(window.n);
    let d = window.q / window.s;
    let y = select(window.p + d, instead, without);
    store_y_four(y_index(plane, at), 2.0 * sign_of_beta() * y, exist);
    return any(exist & is_far(window));
}
fn store_by_definition(plane: vec2<u32>, at: vec3<u32>) {
    store_window(plane, at, window_by_definition(plane, at));
}
//! shaders/forward_rows.wgsl
const ROWS_OF_TURN = select(KERNEL_D * KERNEL_H, KERNEL_D, HAS_RING);
const TURNS = select(BLOCK_H, (BLOCK_H - 1u) * STRIDE_H + RING_ROWS, HAS_RING);
fn row_of_turn(turn: u32, i: u32) -> vec2<i32> {
    {
        return vec2<i32>(vec2(i * DILATION_D, turn));
    }
}
@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation, params.output_size);
    if (!block.inside) {
        return;
    }
    let start = window_start(block.first);
    let rows = min(BLOCK_H, params.output_size.y - block.first.y);
{
const channel = 0u;
        let plane = block.plane + vec2(0u, channel);
        set_beta(plane);
        let z0 = reference_at(plane, start);
        var far = 0u;
        var ring: array<array<Partial, WINDOW_QUADS>, RING_ROWS>;
        for (var turn = 0u; turn < TURNS; turn++) {
{
const i = 0u;
                ring[i] = ring[i + 1u];
}
{
const i = 1u;
                ring[i] = ring[i + 1u];
}
            for (var i = 0u; i < ROWS_OF_TURN; i++) {
                let parts = windows_of_row(row_at(plane, start.xy + row_of_turn(turn, i), start.z, z0));
{
const quad = 0u;
                    if (i == 0u) {
                        ring[RING_BEFORE][quad] = parts[quad];
                    } else {
                        ring[RING_BEFORE][quad] = merged(ring[RING_BEFORE][quad], parts[quad]);
                    }
}
            }
            var row = turn;
            {
                row = (max(turn, RING_BEFORE) - RING_BEFORE) / STRIDE_H;
                if (turn != row * STRIDE_H + RING_BEFORE) {
                    continue;
                }
            }
            if (row >= rows) {
                continue;
            }
{
const quad = 0u;
                var n = ring[0][quad].n;
                var p = ring[0][quad].p;
{
const tap = 0u;
                    n = max(n, ring[tap * DILATION_H][quad].n);
                    p = max(p, ring[tap * DILATION_H][quad].p);
}
{
const tap = 1u;
                    n = max(n, ring[tap * DILATION_H][quad].n);
                    p = max(p, ring[tap * DILATION_H][quad].p);
}
{
const tap = 2u;
                    n = max(n, ring[tap * DILATION_H][quad].n);
                    p = max(p, ring[tap * DILATION_H][quad].p);
}
                var halves = array(no_partial(n, p), no_partial(n, p));
{
const tap = 0u;
                    halves[tap % 2u] = plus(halves[tap % 2u], about(ring[tap * DILATION_H][quad], n, p));
}
{
const tap = 1u;
                    halves[tap % 2u] = plus(halves[tap % 2u], about(ring[tap * DILATION_H][quad], n, p));
}
{
const tap = 2u;
                    halves[tap % 2u] = plus(halves[tap % 2u], about(ring[tap * DILATION_H][quad], n, p));
}
                let window = plus(halves[0], halves[1]);
                if (store_four_partials(plane, block.first + vec3(0u, row, 4u * quad), window, z0)) {
                    far |= 1u << row;
                }
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
