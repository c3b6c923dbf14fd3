// Backward by one pass down the rows: an invocation computes a strip of CELLS_W columns by CELLS_H rows of inputs, and evaluates
// again the windows that hold any of them, WINDOWS_W columns by WINDOWS_H rows.
//
//     dL/dx_i = m_i sum_R 2^(n_i - N_R) (k_R + a_R beta (z_i - p_R))     over the windows R that hold i
//     a_R = g_R / s_R      k_R = a_R (1 - beta d_R)      the detached rule: a_R = 0, k_R = g_R / s_R
//
// As in shaders/forward_rows.wgsl each row is read and exponentiated once, and a ring keeps RING_ROWS of them. When a row of
// windows is complete, it is merged from the ring, and adds to the gradient of each row that it merged. Offsets are from the
// window's own maximum p_R, so that 1 + beta (z_i - y_R) is as exact as the window's values are near each other.
//
// The second backward is another sum of the same windows, with the payloads V and K of shaders/tangent.wgsl:
//
//     m_i sum_R 2^(n_i - N_R) a_R b ((v_i - V_R) (k_R + beta (z_i - p_R)) - beta K_R)     k_R = 2 - beta d_R
//     the detached rule: m_i sum_R 2^(n_i - N_R) a_R b (v_i - V_R)      b: the caller's beta, of its sign
//
// A strip whose values lie too far from each other for one reference is computed again input by input, about itself.

const HEADROOM = 8;

const TURNS = OFFSET_H + CELLS_H + RING_BEFORE;

// A row of inputs that windows still reach.
struct Line {
    parts: array<Partial, WINDOW_QUADS>,
    m: array<vec4<f32>, CELL_QUADS>,
    n: array<vec4<i32>, CELL_QUADS>,
    z: array<vec4<f32>, CELL_QUADS>,
    v: array<vec4<f32>, CELL_QUADS>,
    sum: array<vec4<f32>, CELL_QUADS>,
}

// What each window of a row adds to the inputs that it holds.
struct Terms {
    n: array<vec4<i32>, WINDOW_QUADS>,
    p: array<vec4<f32>, WINDOW_QUADS>,
    a: array<vec4<f32>, WINDOW_QUADS>,
    k: array<vec4<f32>, WINDOW_QUADS>,
    // V and beta K, with SECOND.
    v: array<vec4<f32>, WINDOW_QUADS>,
    c: array<vec4<f32>, WINDOW_QUADS>,
}

// The windows of a row at `at` are complete: what they add. `far` tells whether one is too far from the reference.
fn terms_of_windows(plane: vec2<u32>, at: vec3<i32>, ring: array<Line, RING_ROWS>, reference: Reference, far: ptr<function, bool>) -> Terms {
    let size = vec3<i32>(params.output_size);
    let start = grad_output_index(plane, vec3(vec2<u32>(clamp(at.xy, vec2(0), size.xy - 1)), 0u));
    var g: array<vec4<f32>, WINDOW_QUADS>;
    if (VECTOR_Y) {
        var aligned: array<vec4<f32>, G_QUADS>;
        for (var quad = 0u; quad < G_QUADS; quad++) { // unroll
            let column = at.z - i32(G_LEAD) + i32(4u * quad);
            aligned[quad] = load_grad_output4(start + u32(clamp(column, 0, size.z - 4)));
        }
        g = g_at_windows(aligned);
    } else {
        for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
            let columns = at.z + i32(4u * quad) + LANES_OF_4;
            let i = start + vec4<u32>(clamp(columns, vec4(0), vec4(size.z - 1))) * step_grad_output();
            g[quad] = vec4(load_grad_output(i.x), load_grad_output(i.y), load_grad_output(i.z), load_grad_output(i.w));
        }
    }
    var terms: Terms;
    for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
        var n = ring[0].parts[quad].n;
        var p = ring[0].parts[quad].p;
        for (var tap = 0u; tap < KERNEL_H; tap++) { // unroll
            n = max(n, ring[tap * DILATION_H].parts[quad].n);
            p = max(p, ring[tap * DILATION_H].parts[quad].p);
        }
        var window = no_partial(n, p);
        for (var tap = 0u; tap < KERNEL_H; tap++) { // unroll
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
        if (SECOND) {
            a = 0.5 * sign_of_beta() * a;
            k = 2.0 - beta() * d;
            v = window.a / window.s;
            c = beta() * (window.b / window.s - d * v);
        } else if (DETACHED) {
            a = vec4(0.0);
            k = scaled;
        }
        let broken = exist & is_broken(window);
        // Of a window that lies too far above the reference, what lies near it weighs nothing.
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
    for (var channel = 0u; channel < CHANNELS; channel++) { // unroll if ONE_CHANNEL
        let plane = block.plane + vec2(0u, channel);
        set_beta(plane);
        let scaled_beta = beta() * beta_scale();
        // 0: the strip; then, if it has to be, input by input. One loop for both, tested at its end: software drivers run a
        // loop once more than it turns.
        var attempt = 0u;
        var attempts = 1u;
        var turn = 0u;
        var end_turn = TURNS;
        var input = vec2(0u);
        var reference = reference_at(plane, vec3<i32>(own));
        var far = false;
        var ring: array<Line, RING_ROWS>;
        loop {
            for (var i = 0u; i < RING_BEFORE; i++) { // unroll
                ring[i] = ring[i + 1u];
            }
            let row = row_at(plane, start.xy + vec2(0, i32(turn)), start.z, reference);
            ring[RING_BEFORE].parts = windows_of_row(row);
            ring[RING_BEFORE].m = at_cells(row.m);
            ring[RING_BEFORE].n = at_cells_n(row.n);
            ring[RING_BEFORE].z = at_cells(row.z);
            ring[RING_BEFORE].v = at_cells(row.v);
            for (var quad = 0u; quad < CELL_QUADS; quad++) { // unroll
                ring[RING_BEFORE].z[quad] *= 1.0 / beta_scale();
                ring[RING_BEFORE].sum[quad] = vec4(0.0);
            }
            let window_row = (max(turn, RING_BEFORE) - RING_BEFORE) / STRIDE_H;
            if (turn == window_row * STRIDE_H + RING_BEFORE && window_row < WINDOWS_H) {
                let terms = terms_of_windows(plane, first_window + vec3(0, i32(window_row), 0), ring, reference, &far);
                // A bias where an exponent was.
                var n = at_patch_n(terms.n);
                var p = at_patch(terms.p);
                var a = at_patch(terms.a);
                var k = at_patch(terms.k);
                var v = at_patch(terms.v);
                var c = at_patch(terms.c);
                // An input is tap after tap of the windows from its own column on downwards.
                for (var tap = 0u; tap < KERNEL_W; tap++) { // unroll if UNROLL_TAPS
                    let cell_n = at_cells_n(n);
                    let cell_p = at_cells(p);
                    let cell_a = at_cells(a);
                    let cell_k = at_cells(k);
                    let cell_v = at_cells(v);
                    let cell_c = at_cells(c);
                    for (var i = 0u; i < KERNEL_H; i++) { // unroll
                        for (var quad = 0u; quad < CELL_QUADS; quad++) { // unroll
                            let w = power_of_2(ring[i * DILATION_H].n[quad], cell_n[quad]);
                            let u = ring[i * DILATION_H].z[quad] - cell_p[quad];
                            if (SECOND && DETACHED) {
                                ring[i * DILATION_H].sum[quad] += w * cell_a[quad] * (ring[i * DILATION_H].v[quad] - cell_v[quad]);
                            } else if (SECOND) {
                                let slope = (ring[i * DILATION_H].v[quad] - cell_v[quad]) * (cell_k[quad] + scaled_beta * u) - cell_c[quad];
                                ring[i * DILATION_H].sum[quad] += w * cell_a[quad] * slope;
                            } else if (DETACHED) {
                                ring[i * DILATION_H].sum[quad] += w * cell_k[quad];
                            } else {
                                ring[i * DILATION_H].sum[quad] += w * (cell_k[quad] + cell_a[quad] * u);
                            }
                        }
                    }
                    n = previous_taps_n(n);
                    p = previous_taps(p);
                    a = previous_taps(a);
                    k = previous_taps(k);
                    if (SECOND) {
                        v = previous_taps(v);
                        c = previous_taps(c);
                    }
                }
            }
            let done = turn - min(turn, OFFSET_H + RING_BEFORE);
            let at = own + vec3(0u, done, 0u);
            if (turn >= OFFSET_H + RING_BEFORE && at.y < params.input_size.y && (attempt == 0u || turn + 1u == end_turn)) {
                let index = grad_input_index(plane, at);
                for (var quad = 0u; quad < CELL_QUADS; quad++) { // unroll
                    let columns = 4u * quad + vec4(0u, 1u, 2u, 3u);
                    let exist = (columns < vec4(CELLS_W)) & (at.z + columns < vec4(params.input_size.z));
                    let gradients = ring[0].m[quad] * ring[0].sum[quad];
                    if (attempt == 0u) {
                        store_grad_input_four(index + 4u * quad * step_grad_input(), gradients, exist);
                    } else {
                        let own_column = exist & (columns == vec4(input.y));
                        for (var i = 0u; i < 4u; i++) { // unroll
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
                // About itself: what weighs anything in its windows lies near it, or above.
                let z = load_z(x_index(plane, min(own + vec3(0u, input), params.input_size - 1u)));
                reference = Reference(select(0.0, z, is_finite(z)), 16384.0 / beta(), 23600);
            }
            continuing {
                break if attempt == attempts;
            }
        }
    }
}
