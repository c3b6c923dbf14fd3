// Forward where no two windows share an input.
//
//     y = c + q / s
//
// One invocation computes BLOCK_W windows of a row, four at a time: see shaders/disjoint.wgsl.

fn four_windows(plane: vec2<u32>, first: vec3<u32>) -> Windows {
    let start = window_start(first);
    var kept: array<array<vec4<f32>, KERNEL_W>, KEPT_ROWS>;
    var extremes = no_extremes();
    for (var row = 0u; row < TAP_ROWS; row++) { // unroll if KEEP
        let taps = load_taps(plane, start, row);
        extremes = with_extremes(extremes, taps);
        if (KEEP > 0u) {
            kept[row] = taps;
        }
    }
    var sums: Sums;
    for (var row = 0u; row < TAP_ROWS; row++) { // unroll if KEEP
        if (KEEP > 0u) {
            sums = with_sums(sums, kept[row], extremes.c, forward_rate());
        } else {
            sums = with_sums(sums, load_taps(plane, start, row), extremes.c, forward_rate());
        }
    }
    return windows_of(extremes, sums);
}

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation, params.output_size);
    if (!block.inside) {
        return;
    }
    for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
        let first = block.first + vec3(0u, 0u, 4u * quad);
        store_four(block.plane, first, four_windows(block.plane, first));
    }
}
