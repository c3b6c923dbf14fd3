// Backward from saved statistics, for windows too large to unroll: an invocation visits those that hold its inputs.
//
//     dL/dx_i = sum over windows R that hold i of  g_R e_i / s_R (1 + beta (u_i - d_R)),   u_i = z_i - c_R
//
// One invocation computes BLOCK_W inputs of a row, all held by the same windows.

alias Term = f32;

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation);
    if (!block.inside) {
        return;
    }
    let first = x_index(block.plane, block.first);
    var z: array<f32, BLOCK_W>;
    if (VECTOR_X) {
        for (var quad = 0u; quad < BLOCK_QUADS; quad++) { // unroll
            let four = 0.5 * sign_of_beta() * load_x4(first + 4u * quad);
            z[4u * quad] = four.x;
            z[4u * quad + 1u] = four.y;
            z[4u * quad + 2u] = four.z;
            z[4u * quad + 3u] = four.w;
        }
    } else {
        for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
            z[bw] = load_z(first + bw * step_x());
        }
    }

    var v: array<f32, BLOCK_W>;
    if (SECOND) {
        let first_v = tangent_index(block.plane, block.first);
        for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
            v[bw] = load_tangent(first_v + bw * step_tangent());
        }
    }

    var sums: array<Levels, BLOCK_W>;
    var n = 0u;
    // One loop, whose end is tested last: a software driver runs the body of each loop once more than it says.
    let holders = holders_of(block.first);
    let some = all(holders.count > vec3(0u));
    var place = vec3(0u);
    loop {
        let window = holder(holders, place);
        let values = covering_window(block.plane, window);
        let g = load_grad_output(grad_output_index(block.plane, window));
        var moments = vec2(0.0);
        if (SECOND) {
            moments = moments_of(block.plane, window);
        }
        for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
            let w = weight_in(values, z[bw]);
            let z_minus_y = offset(z[bw], values.c) - values.d;
            var gradient = element_gradient(g, w, z_minus_y);
            if (SECOND) {
                gradient = element_second_gradient(g, w, z_minus_y, v[bw], moments);
            }
            sums[bw] = with_term(sums[bw], select(0.0, gradient, some), n);
        }
        n++;
        place = next_place(holders, place);
        continuing {
            break if place.x >= holders.count.x;
        }
    }
    var gradients: array<f32, BLOCK_W>;
    for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
        gradients[bw] = sum_of(sums[bw]);
    }

    let first_gradient = grad_input_index(block.plane, block.first);
    if (VECTOR_GRADIENT) {
        for (var quad = 0u; quad < BLOCK_QUADS; quad++) { // unroll
            let i = 4u * quad; // const
            store_grad_input4(first_gradient + i, vec4(gradients[i], gradients[i + 1u], gradients[i + 2u], gradients[i + 3u]));
        }
    } else {
        for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
            store_grad_input(first_gradient + bw * step_grad_input(), gradients[bw]);
        }
    }
}
