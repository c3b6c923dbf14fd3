// Forward by one pass down the rows: an invocation computes a strip of BLOCK_W columns by `rows_of_block` rows of windows.
//
//     y = p + q / s      lse = beta p + ln s_p      c = p      s_p = s / m_p, about the window's own maximum      d = q / s
//
// Each row of the strip's patch is read and exponentiated once, and is a partial window (shaders/partial.wgsl) for each
// column of windows. A window is the merge of its KERNEL_H rows, which a ring of RING_ROWS keeps while windows overlap in height:
// a turn reads STRIDE_H rows, which complete a row of windows. Without a ring (RING_ROWS = 1) each row of windows reads all of
// its own. The rows of KERNEL_D slices merge before.

const HEADROOM = 0;

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
        let reference = reference_at(plane, start);
        // A bit for each row with a window that goes by the definition.
        var far = 0u;
        var ring: array<array<Partial, WINDOW_QUADS>, RING_ROWS>;
        // Tested at its end: software drivers run a loop once more than it turns.
        var turn = 0u;
        loop {
            for (var i = 0u; i < ROWS_OF_TURN; i++) { // unroll if UNROLL_ROWS
                let parts = windows_of_row(row_at(plane, start.xy + row_of_turn(turn, i), start.z, reference));
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
                    var parts: array<Partial, RING_TAPS>;
                    for (var tap = 0u; tap < RING_TAPS; tap++) { // unroll
                        parts[tap] = ring[tap * DILATION_H][quad];
                    }
                    let window = whole(parts);
                    if (store_four_partials(plane, block.first + vec3(0u, row, 4u * quad), window, reference)) {
                        far |= 1u << row;
                    }
                }
            }
            continuing {
                turn++;
                break if turn >= FIRST_TURN + rows;
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
