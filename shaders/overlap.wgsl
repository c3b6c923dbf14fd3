// Blocks of windows that share inputs: what forward_overlap and backward_overlap share.

// Whether a window of the block holds a position of the patch along an axis.
fn holds(window: u32, position: u32, kernel: u32, stride: u32, dilation: u32) -> bool {
    let from_start = position - window * stride;
    return position >= window * stride && from_start % dilation == 0u && from_start / dilation < kernel;
}
