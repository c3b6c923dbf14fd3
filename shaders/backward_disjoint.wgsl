// Backward where no two windows share an input: nothing is saved but x.
//
//     dL/dx_i = g w_i (1 + beta (z_i - y)) in the window that holds i, else 0
//
// One invocation computes BLOCK_W cells of a row, each the STRIDE inputs from a window's start on, four at a time: see
// shaders/disjoint.wgsl. Gaps between taps and between windows, and cells after the last window, get 0.

fn cells_with(taps: array<vec4<f32>, KERNEL_W>, factors: Factors) -> array<vec4<f32>, CELL_QUADS> {
    var gradients: array<vec4<f32>, KERNEL_W>;
    for (var kw = 0u; kw < KERNEL_W; kw++) { // unroll
        gradients[kw] = tap_gradient(taps[kw], factors);
    }
    return cells_of(gradients);
}

fn store_four_cells(plane: vec2<u32>, first: vec3<u32>) {
    let start = window_start(first);
    let seen = seen_from(plane, start, beta());
    let g = load_window_row(G, plane, vec3<i32>(first))[0];
    let factors = factors_of(seen.extremes, seen.sums, g, existing_windows(vec3<i32>(first))[0]);
    for (var cell_row = 0u; cell_row < STRIDE_D * STRIDE_H; cell_row++) { // unroll if KEEP
        let cd = cell_row / STRIDE_H; // const
        let ch = cell_row % STRIDE_H; // const
        let row = cd / DILATION_D * KERNEL_H + ch / DILATION_H; // const
        var cells: array<vec4<f32>, CELL_QUADS>;
        if (cd % DILATION_D == 0u && ch % DILATION_H == 0u && cd / DILATION_D < KERNEL_D && ch / DILATION_H < KERNEL_H) {
            if (KEEP > 0u) {
                cells = cells_with(seen.kept[row], factors);
            } else {
                cells = cells_with(load_taps(plane, start, row), factors);
            }
        }
        store_gradient_row(plane, start + vec3<i32>(vec3(cd, ch, 0u)), cells);
    }
}

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation);
    if (!block.inside) {
        return;
    }
    for (var quad = 0u; quad < CELL_BLOCK_QUADS; quad++) { // unroll
        store_four_cells(block.plane, block.first + vec3(0u, 0u, 4u * quad));
    }
}
