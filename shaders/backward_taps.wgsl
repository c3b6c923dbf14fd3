// Backward by one pass down the rows, of windows of few taps that overlap, where an exponential is an instruction.
//
//     dL/dx_i = sum g_R w_i (1 + beta (z_i - y_R))     over the windows R that hold i
//
// An invocation computes a strip of CELLS_W columns by CELLS_H rows of inputs from WINDOWS_W columns by WINDOWS_H rows of windows. A
// ring keeps the inputs of RING_ROWS rows, and what windows have added to their gradients. A turn reads STRIDE_H rows, which complete
// a row of windows: these go by their definition (shaders/taps.wgsl), and pass on what they add tap by tap.
//
// The prelude has how elements move: `at_patch` puts vectors of windows at their first taps, `previous_taps` moves them on by a tap,
// and `at_cells` takes the strip's own inputs.

// Turns before the first row of windows is complete.
const FIRST_TURN = (RING_ROWS - 1u) / STRIDE_H;
const TURNS = FIRST_TURN + WINDOWS_H;
// Rows that the first turn reads before the first window's.
const ROWS_BEFORE = (FIRST_TURN + 1u) * STRIDE_H - RING_ROWS;

struct Line {
    // LOWEST_Z in the padding.
    z: array<vec4<f32>, QUADS>,
    gradients: array<vec4<f32>, CELL_QUADS>,
}

// A row with what windows add to it: from their last tap to the first, each a tap further on its way.
fn with_windows(line: Line, factors: array<Factors, WINDOW_QUADS>) -> Line {
    let taps = taps_of(line.z);
    var moving: array<vec4<f32>, QUADS>;
    for (var step = 0u; step < KERNEL_W; step++) { // unroll
        let kw = KERNEL_W - 1u - step; // const
        var windows: array<vec4<f32>, WINDOW_QUADS>;
        for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
            windows[quad] = tap_gradient(taps[quad][kw], factors[quad]);
        }
        moving = sum_of_rows(previous_taps(moving), at_patch(windows));
    }
    let added = at_cells(moving);
    var sum = line;
    for (var quad = 0u; quad < CELL_QUADS; quad++) { // unroll
        sum.gradients[quad] += added[quad];
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

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation, (params.input_size + STRIDE - 1u) / STRIDE);
    if (!block.inside) {
        return;
    }
    let first_window = vec3<i32>(block.first) - vec3<i32>(vec3(BEFORE_D, BEFORE_H, BEFORE_W));
    let start = first_window * vec3<i32>(STRIDE) - vec3<i32>(PADDING) - vec3(0, i32(ROWS_BEFORE), 0);
    let own = block.first * STRIDE;
    let size = vec3<i32>(params.output_size);
    for (var channel = 0u; channel < CHANNELS; channel++) { // unroll if ONE_CHANNEL
        let plane = block.plane + vec2(0u, channel);
        set_beta(plane);
        var ring: array<Line, RING_ROWS>;
        // Tested at its end: software drivers run a loop once more than it turns.
        var turn = 0u;
        loop {
            for (var step = 0u; step < STRIDE_H; step++) { // unroll
                for (var i = 0u; i < RING_BEFORE; i++) { // unroll
                    ring[i] = ring[i + 1u];
                }
                ring[RING_BEFORE] = Line();
                ring[RING_BEFORE].z = padded_row(plane, start.xy + vec2(0, i32(turn * STRIDE_H + step)), start.z);
            }
            let row = first_window.y + i32(turn) - i32(FIRST_TURN);
            let row_exists = turn >= FIRST_TURN && row >= 0 && row < size.y;
            let end = select(first_window.z, min(first_window.z + i32(WINDOWS_W), size.z), row_exists);
            let g = load_row_of_g(plane, vec3(first_window.x, row, first_window.z));
            var factors: array<Factors, WINDOW_QUADS>;
            for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
                var rows: array<array<vec4<f32>, KERNEL_W>, KERNEL_H>;
                for (var kh = 0u; kh < KERNEL_H; kh++) { // unroll
                    rows[kh] = taps_of(ring[kh * DILATION_H].z)[quad];
                }
                let columns = first_window.z + i32(4u * quad) + LANES_OF_4;
                let extremes = extremes_of(rows);
                let sums = sums_of(rows, extremes.c, beta());
                factors[quad] = factors_of(extremes, sums, g[quad], (columns >= vec4(0)) & (columns < vec4(end)));
                // Weights are computed twice: to keep those of all taps takes more registers than GPUs have.
                factors[quad].c = unforeseen(extremes.c);
            }
            for (var kh = 0u; kh < KERNEL_H; kh++) { // unroll
                ring[kh * DILATION_H] = with_windows(ring[kh * DILATION_H], factors);
            }
            for (var i = 0u; i < STRIDE_H; i++) { // unroll
                let padded = turn * STRIDE_H + i - FIRST_TURN * STRIDE_H;
                if (turn >= FIRST_TURN && padded >= OFFSET_H && padded - OFFSET_H < CELLS_H) {
                    store_gradient_row(plane, vec3<i32>(own + vec3(0u, padded - OFFSET_H, 0u)), ring[i].gradients);
                }
            }
            continuing {
                turn++;
                break if turn >= TURNS;
            }
        }
    }
}
