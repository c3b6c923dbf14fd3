// Forward of small windows of different sizes (an adaptive pooling that does not divide): one invocation computes a window by
// the definition.

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation, params.output_size);
    if (block.inside) {
        store_window(block.plane, block.first, window_by_definition(block.plane, block.first));
    }
}
