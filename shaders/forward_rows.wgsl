// Forward by one pass down the rows: an invocation computes a strip of BLOCK_W columns by BLOCK_H rows of windows.
//
//     y = p + q / s      lse = beta p + ln s_p      c = p      s_p = s / m_p, about the window's own maximum      d = q / s
//
// Each row of the strip's patch is read and exponentiated once, and is a partial window (shaders/partial.wgsl) for each
// column of windows. A window is the merge of its KERNEL_H rows, which a ring of RING_ROWS keeps while windows overlap in height;
// without a ring (RING_ROWS = 1) each row of windows reads its own. The rows of KERNEL_D slices merge before.

const HEADROOM = 0;

// Rows of the input that a turn merges, and turns in all.
const ROWS_OF_TURN = select(KERNEL_D * KERNEL_H, KERNEL_D, HAS_RING);
const TURNS = select(BLOCK_H, (BLOCK_H - 1u) * STRIDE_H + RING_ROWS, HAS_RING);

// The row that a turn reads as its i-th, in rows from the start of the first window.
fn row_of_turn(turn: u32, i: u32) -> vec2<i32> {
    if (HAS_RING) {
        return vec2<i32>(vec2(i * DILATION_D, turn));
    }
    return vec2<i32>(vec2(i / KERNEL_H * DILATION_D, turn * STRIDE_H + i % KERNEL_H * DILATION_H));
}

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation, params.output_size);
    if (!block.inside) {
        return;
    }
    let start = window_start(block.first);
    let rows = min(BLOCK_H, params.output_size.y - block.first.y);
    for (var channel = 0u; channel < CHANNELS; channel++) { // unroll if ONE_CHANNEL
        let plane = block.plane + vec2(0u, channel);
        set_beta(plane);
        let reference = reference_at(plane, start);
        // A bit for each row with a window that goes by the definition.
        var far = 0u;
        var ring: array<array<Partial, WINDOW_QUADS>, RING_ROWS>;
        // One loop, tested at its end: software drivers run a loop once more than it turns.
        var step = 0u;
        loop {
            let turn = step / ROWS_OF_TURN;
            let i = step % ROWS_OF_TURN;
            let parts = windows_of_row(row_at(plane, start.xy + row_of_turn(turn, i), start.z, reference));
            if (i == 0u) {
                for (var older = 0u; older < RING_BEFORE; older++) { // unroll
                    ring[older] = ring[older + 1u];
                }
                ring[RING_BEFORE] = parts;
            } else {
                for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
                    ring[RING_BEFORE][quad] = merged(ring[RING_BEFORE][quad], parts[quad]);
                }
            }
            if (i + 1u != ROWS_OF_TURN) {
                continue;
            }
            var row = turn;
            if (HAS_RING) {
                row = (max(turn, RING_BEFORE) - RING_BEFORE) / STRIDE_H;
                if (turn != row * STRIDE_H + RING_BEFORE) {
                    continue;
                }
            }
            if (row >= rows) {
                continue;
            }
            for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
                var n = ring[0][quad].n;
                var p = ring[0][quad].p;
                for (var tap = 0u; tap < RING_TAPS; tap++) { // unroll
                    n = max(n, ring[tap * DILATION_H][quad].n);
                    p = max(p, ring[tap * DILATION_H][quad].p);
                }
                // Sums of fewer terms are off by less.
                var sums: array<Partial, RING_SUMS>;
                for (var tap = 0u; tap < RING_TAPS; tap++) { // unroll
                    sums[tap % RING_SUMS] = plus(sums[tap % RING_SUMS], about(ring[tap * DILATION_H][quad], n, p));
                }
                var window = no_partial(n, p);
                for (var i = 0u; i < RING_SUMS; i++) { // unroll
                    window = plus(window, sums[i]);
                }
                if (store_four_partials(plane, block.first + vec3(0u, row, 4u * quad), window, reference)) {
                    far |= 1u << row;
                }
            }
            continuing {
                step++;
                break if step >= TURNS * ROWS_OF_TURN;
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
