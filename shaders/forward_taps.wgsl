// Forward by one pass down the rows, of windows of few taps that overlap, where an exponential is an instruction.
//
//     y = c + q / s
//
// An invocation computes a strip of BLOCK_W columns by BLOCK_H rows of windows. A ring keeps the inputs of RING_ROWS rows: a turn
// reads STRIDE_H of them, which complete a row of windows, and these go by their definition (shaders/taps.wgsl).

// Turns before the first row of windows is complete, and rows that they read before the first window's.
const FIRST_TURN = (RING_ROWS - 1u) / STRIDE_H;
const ROWS_BEFORE = (FIRST_TURN + 1u) * STRIDE_H - RING_ROWS;

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation, params.output_size);
    if (!block.inside) {
        return;
    }
    let start = window_start(block.first) - vec3(0, i32(ROWS_BEFORE), 0);
    let rows_left = min(BLOCK_H, params.output_size.y - block.first.y);
    for (var channel = 0u; channel < CHANNELS; channel++) { // unroll if ONE_CHANNEL
        let plane = block.plane + vec2(0u, channel);
        set_beta(plane);
        var ring: array<array<vec4<f32>, QUADS>, RING_ROWS>;
        // Tested at its end: software drivers run a loop once more than it turns.
        var turn = 0u;
        loop {
            for (var step = 0u; step < STRIDE_H; step++) { // unroll
                for (var i = 0u; i < RING_BEFORE; i++) { // unroll
                    ring[i] = ring[i + 1u];
                }
                ring[RING_BEFORE] = padded_row(plane, start.xy + vec2(0, i32(turn * STRIDE_H + step)), start.z);
            }
            let row = turn - FIRST_TURN;
            if (turn >= FIRST_TURN && row < rows_left) {
                for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
                    var rows: array<array<vec4<f32>, KERNEL_W>, KERNEL_H>;
                    for (var kh = 0u; kh < KERNEL_H; kh++) { // unroll
                        rows[kh] = taps_of(ring[kh * DILATION_H])[quad];
                    }
                    let extremes = extremes_of(rows);
                    let windows = windows_of(extremes, sums_of(rows, extremes.c, forward_rate()));
                    store_four(plane, block.first + vec3(0u, row, 4u * quad), windows);
                }
            }
            continuing {
                turn++;
                break if turn >= FIRST_TURN + BLOCK_H;
            }
        }
    }
}
