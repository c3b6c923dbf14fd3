// Sums over a window's taps, where one invocation computes a window: the kernel's `terms` of each input, then `store_sums`.

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation);
    if (!block.inside) {
        return;
    }
    let window = window_context(block.plane, block.first);
    let start = window_start(block.first);
    let taps = window_taps(block.first);
    var sums = vec2(0.0);
    for (var kd = 0u; kd < taps.x; kd++) {
        for (var kh = 0u; kh < taps.y; kh++) {
            // Fewer terms at a time are off by less.
            var row = vec2(0.0);
            for (var kw = 0u; kw < taps.z; kw++) {
                let at = start + vec3<i32>(vec3(kd, kh, kw) * DILATION);
                if (all(at >= vec3(0)) && all(at < vec3<i32>(params.input_size))) {
                    row += terms(window, block.plane, vec3<u32>(at));
                }
            }
            sums += row;
        }
    }
    store_sums(block.plane, block.first, sums);
}
