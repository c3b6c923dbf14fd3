// A strip of windows, down its rows: each turn completes a row of windows.
//
// With a ring, it reads the STRIDE_H rows that the row before didn't have; without one, all KERNEL_H of its own; and KERNEL_D slices of each.

// The row that a turn reads as its i-th, in rows from the start of the first window.
fn row_of_turn(turn: u32, i: u32) -> vec2<i32> {
    if (HAS_RING) {
        return vec2<i32>(vec2(i % KERNEL_D * DILATION_D, turn * STRIDE_H + i / KERNEL_D)) - vec2(0, i32(ROWS_BEFORE));
    }
    return vec2<i32>(vec2(i / KERNEL_H * DILATION_D, turn * STRIDE_H + i % KERNEL_H * DILATION_H));
}
