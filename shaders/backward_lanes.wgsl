// Backward for large windows that tile the input: nothing is saved but x, which is read twice.
//
//     dL/dx_i = g w_i (1 + beta (z_i - y))    in the window that holds i
//
// The lanes of a group evaluate their window as shaders/forward_lanes.wgsl does, one of the workgroup's first invocations
// finishes it for all of them, and each lane goes over its elements again.

// c, s, d and g of each group's window.
var<workgroup> windows: array<vec4<f32>, GROUPS>;

// As element_gradient, of four elements.
fn gradients4(z: vec4<f32>, window: vec4<f32>) -> vec4<f32> {
    let g_over_s = select(window.w / window.y, 0.0, bitcast<u32>(window.y) == INFINITY_BITS);
    let gradients = g_over_s * weigh4(z, window.x);
    if (DETACHED) {
        return gradients;
    }
    // What weighs nothing has no gradient, however low it lies.
    return gradients * (1.0 + max(beta() * (max(z - window.x, vec4(-LARGEST)) - window.z), vec4(-LARGEST)));
}

fn store_gradients(window: Inside, first: vec2<u32>, gradients: array<vec4<f32>, CHUNK>, counts: array<vec4<bool>, CHUNK>) {
    for (var i = 0u; i < CHUNK_ROWS; i++) { // unroll
        let row_start = grad_input_index(window.plane, start_of_row(window, first.x + i * LANES_Y));
        for (var j = 0u; j < CHUNK_QUADS; j++) { // unroll
            let four = gradients[i * CHUNK_QUADS + j];
            let count = counts[i * CHUNK_QUADS + j];
            let tap = first.y + 4u * LANES_X * j;
            if (VECTOR_GRADIENT) {
                if (count.x) {
                    store_grad_input4(row_start + tap, four);
                }
            } else {
                for (var k = 0u; k < 4u; k++) { // unroll
                    if (count[k]) {
                        store_grad_input(row_start + (tap + k) * step_grad_input(), four[k]);
                    }
                }
            }
        }
    }
}

@compute @workgroup_size(LANES_X, LANES_Y, GROUPS)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let place = group_and_lane(index);
    let window = inside_input(block_of(workgroup, place.x));
    merge_lanes(place.x, place.y, seen_by(window, place.y));
    let finished = block_of(workgroup, index);
    if (index < GROUPS && finished.inside) {
        let whole = finish(index);
        let g = load_grad_output(grad_output_index(finished.plane, finished.first));
        windows[index] = vec4(whole.c, whole.s, whole.d, g);
    }
    workgroupBarrier();

    set_beta(window.plane);
    let whole = windows[place.x];
    var at = first_chunk(place.y);
    loop {
        let z = load_chunk(window, at);
        var gradients: array<vec4<f32>, CHUNK>;
        for (var k = 0u; k < CHUNK; k++) { // unroll
            gradients[k] = gradients4(z[k], whole);
        }
        store_gradients(window, at, gradients, counts_of_chunk(window, at));
        at = next_chunk(window, place.y, at);
        continuing {
            break if is_last(window, place.y, at);
        }
    }
}
