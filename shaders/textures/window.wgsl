// Pools a texture or a tensor, a texel a window.
//
//     source (width, height, depth or layers)  ->  target
//
// Invocation (x, y, z) makes the target's texel (x, y, z), by window_kept.wgsl or window_reread.wgsl.

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, 1)
fn main(@builtin(global_invocation_id) position: vec3<u32>) {
    if (all(position.xy < params.target_size.xy)) {
        store(position, stored_form(pooled_window(position)));
    }
}
