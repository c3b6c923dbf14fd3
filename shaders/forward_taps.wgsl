// Forward by one pass down the rows, where an exponential is an instruction: rows of taps go by their definition (shaders/taps.wgsl),
// and windows are merged of them.
//
//     a row:     c = max z_i      e_i = exp(beta (z_i - c))      t_i = rate (z_i - c)      s = sum e_i      q = sum e_i t_i
//     rows:      C = max c_k      f_k = exp(beta (c_k - C))      T_k = rate (c_k - C)      s = sum f_k s_k
//                q = sum f_k (q_k + s_k T_k)                     y = C + q / s / rate
//
// Derivatives are payloads that merge as q does. An invocation computes a strip of BLOCK_W columns by `rows_of_block` rows of windows. A
// ring keeps RING_ROWS rows while windows overlap in height: a turn reads STRIDE_H of them, which complete a row of windows. Without
// a ring (RING_ROWS = 1) each row of windows reads all of its own.

// What has been seen of four windows.
struct Partial {
    c: vec4<f32>,
    // The largest bits of |z|; with ORDINARY_BETA c tells.
    magnitude: vec4<u32>,
    s: vec4<f32>,
    q: vec4<f32>,
    // BY_BETA: sum e t^2. Else with TANGENT: sum e v and sum e t v, for a direction v.
    a: vec4<f32>,
    b: vec4<f32>,
}

// Of differences: derivatives along a direction take those times beta.
fn rate() -> f32 {
    if (TANGENT) {
        return beta();
    }
    return forward_rate();
}

// Four windows of one row of taps, and of the direction there.
fn partial_of(z: array<vec4<f32>, KERNEL_W>, v: array<vec4<f32>, KERNEL_W>) -> Partial {
    var part: Partial;
    if (ORDINARY_BETA) {
        part.c = with_largest(vec4(LOWEST_Z), z);
    } else {
        let extremes = with_extremes(no_extremes(), z);
        part.c = max(extremes.c, vec4(LOWEST_Z));
        part.magnitude = extremes.magnitude;
    }
    for (var kw = 0u; kw < KERNEL_W; kw++) { // unroll
        let e = tap_weight(z[kw], part.c);
        let t = rated(z[kw], part.c, rate());
        part.s += e;
        part.q += e * t;
        if (BY_BETA) {
            part.a += e * t * t;
        } else if (TANGENT) {
            part.a += e * v[kw];
            part.b += e * t * v[kw];
        }
    }
    return part;
}

// The sum of parts, with another about a largest element that is not less than its own.
fn with_part(before: Partial, part: Partial) -> Partial {
    var sum = before;
    let f = tap_weight(part.c, before.c);
    let t = rated(part.c, before.c, rate());
    let s = f * part.s;
    sum.s += s;
    sum.q += f * part.q + s * t;
    if (BY_BETA) {
        sum.a += f * part.a + t * (2.0 * f * part.q + s * t);
    } else if (TANGENT) {
        let a = f * part.a;
        sum.a += a;
        sum.b += f * part.b + a * t;
    }
    return sum;
}

fn without_sums(c: vec4<f32>, magnitude: vec4<u32>) -> Partial {
    return Partial(c, magnitude, vec4(0.0), vec4(0.0), vec4(0.0), vec4(0.0));
}

fn merged(first: Partial, second: Partial) -> Partial {
    let none = without_sums(max(first.c, second.c), max(first.magnitude, second.magnitude));
    return with_part(with_part(none, first), second);
}

// A row of the strip's patch as a part of each window.
fn windows_of_row(plane: vec2<u32>, depth_height: vec2<i32>, first_column: i32) -> array<Partial, WINDOW_QUADS> {
    let line = line_at(plane, depth_height, first_column);
    let z = taps_of(line.z);
    var v: array<array<vec4<f32>, KERNEL_W>, WINDOW_QUADS>;
    if (TANGENT) {
        v = taps_of(line.v);
    }
    var parts: array<Partial, WINDOW_QUADS>;
    for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
        parts[quad] = partial_of(z[quad], v[quad]);
    }
    return parts;
}

fn store_windows(plane: vec2<u32>, at: vec3<u32>, window: Partial) {
    var extremes = Extremes(window.c, window.magnitude);
    if (ORDINARY_BETA) {
        extremes = extremes_of_numbers(window.c);
    }
    if (!TANGENT && !BY_BETA) {
        store_four(plane, at, windows_of(extremes, Sums(window.s, window.q)));
        return;
    }
    let exist = (at.z + vec4(0u, 1u, 2u, 3u)) < vec4(params.output_size.z);
    let mean_t = window.q / window.s;
    var value = window.a / window.s;
    if (BY_BETA) {
        let start = grad_output_index(plane, vec3(at.xy, 0u));
        var g: vec4<f32>;
        if (VECTOR_Y) {
            g = load_grad_output4(start + at.z);
        } else {
            g = load_each_g(start, i32(at.z));
        }
        value = g * (4.0 / (rate() * rate())) * (value - mean_t * mean_t);
    } else if (!DETACHED) {
        value += window.b / window.s - mean_t * value;
    }
    value = select(vec4(from_bits(NAN_BITS)), value, have_weights(extremes.magnitude, extremes.c));
    store_y_four(y_index(plane, at), select(value, vec4(0.0), are_empty(extremes.magnitude, extremes.c)), exist);
}

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation);
    if (!block.inside) {
        return;
    }
    let start = window_start(block.first);
    let rows = min(params.rows_of_block, params.output_size.y - block.first.y);
    for (var channel = 0u; channel < CHANNELS; channel++) { // unroll if ONE_CHANNEL
        let plane = block.plane + vec2(0u, channel);
        set_beta(plane);
        var ring: array<array<Partial, WINDOW_QUADS>, RING_ROWS>;
        // Tested at its end: software drivers run a loop once more than it turns.
        var turn = 0u;
        loop {
            for (var i = 0u; i < ROWS_OF_TURN; i++) { // unroll if UNROLL_ROWS
                let parts = windows_of_row(plane, start.xy + row_of_turn(turn, i), start.z);
                if (i % SLICES_OF_ROW == 0u) {
                    for (var older = 0u; older < RING_BEFORE; older++) { // unroll
                        ring[older] = ring[older + 1u];
                    }
                    ring[RING_BEFORE] = parts;
                } else {
                    for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
                        ring[RING_BEFORE][quad] = merged(ring[RING_BEFORE][quad], parts[quad]);
                    }
                }
            }
            let row = turn - FIRST_TURN;
            if (turn >= FIRST_TURN) {
                for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
                    var window = ring[0][quad];
                    if (HAS_RING) {
                        for (var tap = 0u; tap < RING_TAPS; tap++) { // unroll
                            window.c = max(window.c, ring[tap * DILATION_H][quad].c);
                            window.magnitude = max(window.magnitude, ring[tap * DILATION_H][quad].magnitude);
                        }
                        window = without_sums(window.c, window.magnitude);
                        for (var tap = 0u; tap < RING_TAPS; tap++) { // unroll
                            window = with_part(window, ring[tap * DILATION_H][quad]);
                        }
                    }
                    store_windows(plane, block.first + vec3(0u, row, 4u * quad), window);
                }
            }
            continuing {
                turn++;
                break if turn >= FIRST_TURN + rows;
            }
        }
    }
}
