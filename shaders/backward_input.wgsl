// Backward from saved statistics, for windows too large to unroll: an invocation visits those that hold its input.
//
//     dL/dx_i = sum over windows R that hold i of  g_R e_i / s_R (1 + beta (u_i - d_R)),   u_i = z_i - c_R
//
// One invocation computes one input.

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation, params.input_size);
    if (block.inside) {
        let index = input_index(params.grad_input_start, block.plane, block.first);
        store_grad_input(index, input_gradient(block.plane, block.first));
    }
}
