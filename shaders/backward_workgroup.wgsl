// Backward from saved statistics where more windows hold an input than one invocation can visit.
//
//     dL/dx_i = sum over windows R that hold i of  g_R e_i / s_R (1 + beta (u_i - d_R)),   u_i = z_i - c_R
//
// A workgroup computes one input: its lanes stride over the windows, and their sums are added up pairwise.

const GROUP = LANES_X;
const LANES = GROUP;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let block = block_at(workgroup);
    if (!block.inside) {
        return;
    }
    let z = load_z(x_index(block.plane, block.first));
    var v = 0.0;
    if (SECOND) {
        v = load_tangent(tangent_index(block.plane, block.first));
    }
    var sums = Levels();
    var n = 0u;
    let holders = holders_of(block.first);
    let count = holders.count;
    for (var i = lane; i < count.x * count.y * count.z; i += LANES) {
        let window = holder(holders, vec3(i / (count.y * count.z), i / count.z % count.y, i % count.z));
        sums = with_term(sums, vec2(gradient_in(window, block.plane, z, v), 0.0), n);
        n++;
    }
    let gradient = sum_of_lanes(0u, lane, sum_of(sums)).x;
    if (lane == 0u) {
        store_grad_input(grad_input_index(block.plane, block.first), gradient);
    }
}
