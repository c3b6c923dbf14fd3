// Backward, and second backward, by one pass down the rows, of windows of few taps, where an exponential is an instruction.
//
//     dL/dx_i = sum g_R w_i (1 + beta (z_i - y_R))     over the windows R that hold i
//
// An invocation computes a strip of CELLS_W columns by `rows_of_block` strides of rows of inputs from WINDOWS_W columns of windows. A
// ring keeps the inputs of RING_ROWS rows, and what windows have added to their gradients. A turn reads STRIDE_H rows, which complete
// a row of windows: these go by their definition (shaders/taps.wgsl), and pass on what they add tap by tap.
//
// The prelude has how elements move: `at_patch` puts vectors of windows at their first taps, `previous_taps` moves them on by a tap,
// and `at_cells` takes the strip's own inputs.

// What four windows add to a row of their taps.
fn tap_gradients(z: array<vec4<f32>, KERNEL_W>, factors: Factors) -> array<vec4<f32>, KERNEL_W> {
    var gradients: array<vec4<f32>, KERNEL_W>;
    for (var kw = 0u; kw < KERNEL_W; kw++) { // unroll
        gradients[kw] = tap_gradient(z[kw], factors);
    }
    return gradients;
}

// The same of the second backward, with g sign beta / 2 for g:
//
//     g e_i / s ((v_i - V) (2 + t_i - q / s) - beta K)        the detached rule: g e_i / s (v_i - V)
fn tap_second_gradients(
    z: array<vec4<f32>, KERNEL_W>,
    v: array<vec4<f32>, KERNEL_W>,
    factors: Factors,
    moments: Moments,
) -> array<vec4<f32>, KERNEL_W> {
    var gradients: array<vec4<f32>, KERNEL_W>;
    for (var kw = 0u; kw < KERNEL_W; kw++) { // unroll
        var change = v[kw] - moments.v;
        if (!DETACHED) {
            // What weighs anything has a slope above -1000; the others' must not leave the range of f32 times v.
            let slope = max(rated(z[kw], factors.c, beta()) - moments.mean_t, vec4(-1000.0));
            change = change * (2.0 + slope) - moments.beta_k;
        }
        let gradient = factors.a * tap_weight(z[kw], factors.c) * change;
        gradients[kw] = select(gradient, vec4(0.0), factors.nothing);
    }
    return gradients;
}

// The gradients of a row with those of its windows' taps: from the last tap to the first, each a tap further on its way.
fn with_taps(
    before: array<vec4<f32>, CELL_QUADS>,
    of_taps: array<array<vec4<f32>, KERNEL_W>, WINDOW_QUADS>,
) -> array<vec4<f32>, CELL_QUADS> {
    var moving: array<vec4<f32>, QUADS>;
    for (var step = 0u; step < KERNEL_W; step++) { // unroll
        let kw = KERNEL_W - 1u - step; // const
        var windows: array<vec4<f32>, WINDOW_QUADS>;
        for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
            windows[quad] = of_taps[quad][kw];
        }
        moving = sum_of_rows(previous_taps(moving), at_patch(windows));
    }
    let added = at_cells(moving);
    var sum = before;
    for (var quad = 0u; quad < CELL_QUADS; quad++) { // unroll
        sum[quad] += added[quad];
    }
    return sum;
}

fn sum_of_rows(a: array<vec4<f32>, QUADS>, b: array<vec4<f32>, QUADS>) -> array<vec4<f32>, QUADS> {
    var sum = a;
    for (var quad = 0u; quad < QUADS; quad++) { // unroll
        sum[quad] += b[quad];
    }
    return sum;
}

// Stores a row if it is one of the strip's; rows are counted from the start of the first window.
fn store_own_row(plane: vec2<u32>, own: vec3<u32>, row: u32, gradients: array<vec4<f32>, CELL_QUADS>) {
    if (row >= OFFSET_H && row - OFFSET_H < params.rows_of_block * STRIDE_H) {
        store_gradient_row(plane, vec3<i32>(own + vec3(0u, row - OFFSET_H, 0u)), gradients);
    }
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
    let turns = FIRST_TURN + WINDOWS_OF_ROW + params.rows_of_block - 1u;
    let size = vec3<i32>(params.output_size);
    for (var channel = 0u; channel < CHANNELS; channel++) { // unroll if ONE_CHANNEL
        let plane = block.plane + vec2(0u, channel);
        set_beta(plane);
        var ring: array<Line, RING_ROWS>;
        // What windows have added to the rows.
        var gradients: array<array<vec4<f32>, CELL_QUADS>, RING_ROWS>;
        // Tested at its end: software drivers run a loop once more than it turns.
        var turn = 0u;
        loop {
            for (var step = 0u; step < STRIDE_H; step++) { // unroll
                for (var i = 0u; i < RING_BEFORE; i++) { // unroll
                    ring[i] = ring[i + 1u];
                    gradients[i] = gradients[i + 1u];
                }
                gradients[RING_BEFORE] = array<vec4<f32>, CELL_QUADS>();
                ring[RING_BEFORE] = line_at(plane, start.xy + vec2(0, i32(turn * STRIDE_H + step)), start.z);
            }
            let row = first_window.y + i32(turn) - i32(FIRST_TURN);
            let row_exists = turn >= FIRST_TURN && row >= 0 && row < size.y;
            let end = select(first_window.z, min(first_window.z + i32(WINDOWS_W), size.z), row_exists);
            let g = load_row_of_g(plane, vec3(first_window.x, row, first_window.z));
            // The last four first: fewer registers are alive while the others are at work.
            for (var back = 0u; back < WINDOW_QUADS; back++) { // unroll
                let quad = WINDOW_QUADS - 1u - back; // const
                var taps: Taps;
                for (var kh = 0u; kh < KERNEL_H; kh++) { // unroll
                    taps.z[kh] = taps_of(ring[kh * DILATION_H].z)[quad];
                    if (TANGENT) {
                        taps.v[kh] = taps_of(ring[kh * DILATION_H].v)[quad];
                    }
                }
                let columns = first_window.z + i32(4u * quad) + LANES_OF_4;
                let exist = (columns >= vec4(0)) & (columns < vec4(end));
                let extremes = extremes_of(taps);
                let sums = sums_of(taps, extremes.c, beta());
                var factors = anew(factors_of(extremes, sums, g[quad], exist));
                var moments: Moments;
                if (SECOND) {
                    moments = moments_of(taps, factors.c, sums);
                    factors = anew(factors);
                    factors.a *= 0.5 * sign_of_beta() * beta();
                }
                var of_taps: array<array<vec4<f32>, KERNEL_W>, WINDOW_QUADS>;
                for (var kh = 0u; kh < KERNEL_H; kh++) { // unroll
                    if (SECOND) {
                        of_taps[quad] = tap_second_gradients(taps.z[kh], taps.v[kh], factors, moments);
                    } else {
                        of_taps[quad] = tap_gradients(taps.z[kh], factors);
                    }
                    gradients[kh * DILATION_H] = with_taps(gradients[kh * DILATION_H], of_taps);
                }
            }
            if (turn >= FIRST_TURN) {
                for (var i = 0u; i < STRIDE_H; i++) { // unroll
                    store_own_row(plane, own, (turn - FIRST_TURN) * STRIDE_H + i, gradients[i]);
                }
            }
            continuing {
                turn++;
                break if turn >= turns;
            }
        }
    }
}
