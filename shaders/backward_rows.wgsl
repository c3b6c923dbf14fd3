// Backward by one pass down the rows: an invocation computes a strip of CELLS_W columns by `rows_of_block` strides of rows of
// inputs, and evaluates again the windows that hold any of them, WINDOWS_W columns.
//
//     dL/dx_i = m_i sum_R 2^(n_i - N_R) (k_R + a_R (z_i - p_R))     over the windows R that hold i
//     a_R = beta g_R / s_R      k_R = g_R / s_R (1 - beta d_R)      the detached rule: a_R = 0, k_R = g_R / s_R
//
// As in shaders/forward_rows.wgsl each row is read and exponentiated once, and a ring keeps RING_ROWS of them. A window passes what
// it adds to its inputs by way of its parts: part P, its taps in one row, has an exponent n_P and a maximum p_P of its own, and
// windows of one column have the same part of a row. So an input costs KERNEL_H + KERNEL_W terms, not their product:
//
//     k_P = sum_R 2^(n_P - N_R) (k_R + a_R (p_P - p_R))      a_P = sum_R 2^(n_P - N_R) a_R      over the windows R with P
//     dL/dx_i = m_i sum_P 2^(n_i - n_P) (k_P + a_P (z_i - p_P))                                  over the parts P that hold i
//
// Offsets are from maxima, so that 1 + beta (z_i - y_R) is as exact as the window's values are near each other.
//
// The second backward is another sum of the same windows, with the payloads V and K of shaders/tangent.wgsl:
//
//     m_i sum_R 2^(n_i - N_R) b / s_R ((v_i - V_R) (k_R + beta (z_i - p_R)) - beta K_R)     k_R = 2 - beta d_R
//     the detached rule: m_i sum_R 2^(n_i - N_R) b / s_R (v_i - V_R)      b: the caller's beta, of its sign
//
// It is two such linear functions of z_i, one of them times v_i.
//
// A strip whose values lie too far from each other for one reference is computed again input by input, about itself.

const HEADROOM = 8;

// Linear functions of z, for four windows: k + a (z - p).
struct Linear {
    k: vec4<f32>,
    a: vec4<f32>,
}

// What four windows add to their inputs' gradients: `plain`, and `by_v` times v with SECOND; else `by_v` alone.
struct Added {
    by_v: Linear,
    plain: Linear,
}

// A row of inputs that windows still reach, and its parts of windows, with what windows have added to them.
struct Line {
    m: array<vec4<f32>, CELL_QUADS>,
    n: array<vec4<i32>, CELL_QUADS>,
    z: array<vec4<f32>, CELL_QUADS>,
    v: array<vec4<f32>, CELL_QUADS>,
    parts: array<Partial, WINDOW_QUADS>,
    added: array<Added, WINDOW_QUADS>,
}

// What four windows add. `far` becomes true where one is too far from the reference.
fn added_by(window: Partial, g: vec4<f32>, exist: vec4<bool>, reference: Reference, far: ptr<function, bool>) -> Added {
    *far |= any(exist & is_far(window, reference) & (window.n < vec4(DROWNED)));
    // Of a window that lies too far above the reference, what lies near it weighs nothing.
    let adds = exist & (window.n > vec4(NOTHING)) & (window.n <= vec4(reference.limit));
    let scaled_beta = beta() * beta_scale();
    let d = window.q / window.s;
    let weight = g / whole_sum(window);
    var added: Added;
    if (SECOND) {
        let second_weight = 0.5 * sign_of_beta() * scaled_beta * weight;
        let v = window.a / window.s;
        added.by_v.k = second_weight;
        added.plain.k = second_weight * v;
        if (!DETACHED) {
            added.by_v.a = scaled_beta * second_weight;
            added.by_v.k = second_weight * (2.0 - beta() * d);
            added.plain.a = added.by_v.a * v;
            added.plain.k = added.by_v.k * v + second_weight * (beta() * (window.b / window.s - d * v));
        }
        added.plain.a = select(vec4(0.0), added.plain.a, adds);
        added.plain.k = select(vec4(0.0), added.plain.k, adds);
    } else {
        added.by_v.k = weight;
        if (!DETACHED) {
            added.by_v.a = scaled_beta * weight;
            added.by_v.k = weight * (1.0 - beta() * d);
        }
    }
    added.by_v.a = select(vec4(0.0), added.by_v.a, adds);
    added.by_v.k = select(vec4(0.0), added.by_v.k, adds);
    added.by_v.k = select(added.by_v.k, vec4(from_bits(NAN_BITS)), exist & is_broken(window));
    return added;
}

fn moved(linear: Linear, f: vec4<f32>, step: vec4<f32>) -> Linear {
    if (DETACHED) {
        return Linear(f * linear.k, vec4(0.0));
    }
    return Linear(f * (linear.k + linear.a * step), f * linear.a);
}

// What has been added to four parts, with what their windows add.
fn with_added(before: Added, part: Partial, window: Partial, added: Added) -> Added {
    let f = power_of_2(part.n, window.n - 127);
    let step = (part.p - window.p) * (1.0 / beta_scale());
    let by_v = moved(added.by_v, f, step);
    var sum = before;
    sum.by_v = Linear(before.by_v.k + by_v.k, before.by_v.a + by_v.a);
    if (SECOND) {
        let plain = moved(added.plain, f, step);
        sum.plain = Linear(before.plain.k + plain.k, before.plain.a + plain.a);
    }
    return sum;
}

// The parts of a row on their way along below its inputs, a tap a turn: an input is tap after tap of the windows from its own
// column on downwards.
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
    for (var quad = 0u; quad < CELL_QUADS; quad++) { // unroll
        let u = line.z[quad] - p[quad];
        var value = k[quad];
        if (!DETACHED) {
            value += a[quad] * u;
        }
        if (SECOND) {
            value = value * line.v[quad] - plain_k[quad];
            if (!DETACHED) {
                value -= plain_a[quad] * u;
            }
        }
        next.sums[quad] += power_of_2(line.n[quad], bias[quad]) * value;
    }
    next.bias = previous_taps_n(spread.bias);
    next.p = previous_taps(spread.p);
    next.k = previous_taps(spread.k);
    next.a = previous_taps(spread.a);
    next.plain_k = previous_taps(spread.plain_k);
    next.plain_a = previous_taps(spread.plain_a);
    return next;
}

// The gradients of a row's inputs, of which all windows are complete.
fn gradients_of(line: Line) -> array<vec4<f32>, CELL_QUADS> {
    var bias: array<vec4<i32>, WINDOW_QUADS>;
    var p: array<vec4<f32>, WINDOW_QUADS>;
    var k: array<vec4<f32>, WINDOW_QUADS>;
    var a: array<vec4<f32>, WINDOW_QUADS>;
    var plain_k: array<vec4<f32>, WINDOW_QUADS>;
    var plain_a: array<vec4<f32>, WINDOW_QUADS>;
    for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
        bias[quad] = line.parts[quad].n - 127;
        p[quad] = line.parts[quad].p * (1.0 / beta_scale());
        k[quad] = line.added[quad].by_v.k;
        a[quad] = line.added[quad].by_v.a;
        plain_k[quad] = line.added[quad].plain.k;
        plain_a[quad] = line.added[quad].plain.a;
    }
    var spread: Spread;
    spread.bias = at_patch_n(bias);
    spread.p = at_patch(p);
    spread.k = at_patch(k);
    spread.a = at_patch(a);
    spread.plain_k = at_patch(plain_k);
    spread.plain_a = at_patch(plain_a);
    for (var tap = 0u; tap < KERNEL_W; tap++) { // unroll if UNROLL_TAPS
        spread = with_parts(spread, line);
    }
    var gradients: array<vec4<f32>, CELL_QUADS>;
    for (var quad = 0u; quad < CELL_QUADS; quad++) { // unroll
        gradients[quad] = line.m[quad] * spread.sums[quad];
    }
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
    for (var channel = 0u; channel < CHANNELS; channel++) { // unroll if ONE_CHANNEL
        let plane = block.plane + vec2(0u, channel);
        set_beta(plane);
        // 0: the strip; then, if it has to be, input by input. One loop for both, tested at its end: software drivers run a
        // loop once more than it turns.
        var attempt = 0u;
        var attempts = 1u;
        var turn = 0u;
        var end_turn = FIRST_TURN + WINDOWS_OF_ROW + params.rows_of_block - 1u;
        var input = vec2(0u);
        var reference = reference_at(plane, vec3<i32>(own));
        var far = false;
        var ring: array<Line, RING_ROWS>;
        loop {
            for (var step = 0u; step < STRIDE_H; step++) { // unroll if UNROLL_ROWS
                for (var i = 0u; i < RING_BEFORE; i++) { // unroll
                    ring[i] = ring[i + 1u];
                }
                let row = row_at(plane, start.xy + vec2(0, i32(turn * STRIDE_H + step)), start.z, reference);
                var line: Line;
                line.parts = windows_of_row(row);
                line.m = at_cells(row.m);
                line.n = at_cells_n(row.n);
                line.z = at_cells(row.z);
                line.v = at_cells(row.v);
                for (var quad = 0u; quad < CELL_QUADS; quad++) { // unroll
                    line.z[quad] *= 1.0 / beta_scale();
                }
                ring[RING_BEFORE] = line;
            }

            // The row of windows that is complete passes on what it adds.
            let row = first_window.y + i32(turn) - i32(FIRST_TURN);
            let row_exists = turn >= FIRST_TURN && row >= 0 && row < size.y;
            let end = select(first_window.z, min(first_window.z + i32(WINDOWS_W), size.z), row_exists);
            let g = load_row_of_g(plane, vec3(first_window.x, row, first_window.z));
            for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
                var parts: array<Partial, RING_TAPS>;
                for (var tap = 0u; tap < RING_TAPS; tap++) { // unroll
                    parts[tap] = ring[tap * DILATION_H].parts[quad];
                }
                let window = whole(parts);
                let columns = first_window.z + i32(4u * quad) + LANES_OF_4;
                let exist = (columns >= vec4(0)) & (columns < vec4(end));
                let added = added_by(window, g[quad], exist, reference, &far);
                for (var tap = 0u; tap < RING_TAPS; tap++) { // unroll
                    let before = ring[tap * DILATION_H].added[quad];
                    ring[tap * DILATION_H].added[quad] = with_added(before, parts[tap], window, added);
                }
            }

            // Rows that no later window reaches.
            for (var i = 0u; i < STRIDE_H; i++) { // unroll
                let padded = turn * STRIDE_H + i - FIRST_TURN * STRIDE_H;
                let at = own + vec3(0u, padded - OFFSET_H, 0u);
                let is_own = turn >= FIRST_TURN && padded >= OFFSET_H && padded - OFFSET_H < own_rows;
                if (is_own && at.y < params.input_size.y) {
                    let gradients = gradients_of(ring[i]);
                    let index = grad_input_index(plane, at);
                    var of_input = vec4(0.0);
                    for (var quad = 0u; quad < CELL_QUADS; quad++) { // unroll
                        let columns = 4u * quad + vec4(0u, 1u, 2u, 3u);
                        let exist = (columns < vec4(CELLS_W)) & (at.z + columns < vec4(params.input_size.z));
                        store_grad_input_four(index + 4u * quad * step_grad_input(), gradients[quad], exist & vec4(attempt == 0u));
                        of_input = select(of_input, gradients[quad], columns == vec4(input.y));
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
                // From the first row of the first window that holds it to where it leaves the ring.
                let padded = OFFSET_H + input.x;
                turn = (max(padded + 1u, RING_ROWS) - RING_ROWS + STRIDE_H - 1u) / STRIDE_H;
                end_turn = padded / STRIDE_H + FIRST_TURN + 1u;
                // About itself: what weighs anything in its windows lies near it, or above.
                let z = load_z(x_index(plane, min(own + vec3(0u, input), params.input_size - 1u)));
                reference = reference_about(select(0.0, z, is_finite(z)), 16384.0 / beta(), 23600);
            }
            continuing {
                break if attempt == attempts;
            }
        }
    }
}
