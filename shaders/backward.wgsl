// What the backward kernels share: an element's gradient in a window, and an input's gradient by the definition.
//
//     dL/dx_i = sum over windows R that hold i of  g_R w_i (1 + beta (z_i - y_R))        the derivative
//     dL/dx_i = sum over windows R that hold i of  g_R w_i                               the detached rule
//
// beta (x_i - y_R) and w_i are the same for x and beta as for z and |beta|: the sign cancels.

const SPAN = vec3<u32>(SPAN_D, SPAN_H, SPAN_W);
const DILATION = vec3<u32>(DILATION_D, DILATION_H, DILATION_W);

// Cells of STRIDE inputs tile the input from the first window's start on, one cell for each window and then more.
fn cells() -> vec3<u32> {
    return (params.input_size + PADDING + STRIDE - 1u) / STRIDE;
}

fn grad_input_index(plane: u32, at: vec3<u32>) -> u32 {
    return x_index(x_plane(plane), at) - params.x_start + params.grad_input_start;
}

fn load_g(plane: u32, window: vec3<u32>) -> f32 {
    return load_grad_output(params.y_start + window_index(plane, window));
}

// g w_i (1 + beta (u_i - d)) with w_i = e_i / s. What weighs nothing has no gradient, however low it lies.
fn element_gradient(g: f32, e: f32, u: f32, window: Window) -> f32 {
    let w = e / window.s;
    if (DETACHED) {
        return g * w;
    }
    return select(g * w * (1.0 + params.beta * (u - window.d)), 0.0, w == 0.0);
}

// The gradient of one input: `covering_window` of each window that holds it, evaluated or read as the kernel says.
fn input_gradient(plane: u32, at: vec3<u32>) -> f32 {
    let z = load_z(x_index(x_plane(plane), at));
    let padded = at + PADDING;
    let first = (max(padded + 1u, SPAN) - SPAN + STRIDE - 1u) / STRIDE;
    let end = min(padded / STRIDE + 1u, params.output_size);
    var gradient = 0.0;
    for (var d = first.x; d < end.x; d++) {
        if ((padded.x - d * STRIDE_D) % DILATION_D != 0u) { continue; }
        for (var h = first.y; h < end.y; h++) {
            if ((padded.y - h * STRIDE_H) % DILATION_H != 0u) { continue; }
            for (var w = first.z; w < end.z; w++) {
                if ((padded.z - w * STRIDE_W) % DILATION_W != 0u) { continue; }
                let window = covering_window(plane, vec3(d, h, w));
                let e = weigh(0.5 * z - 0.5 * window.c);
                gradient += element_gradient(load_g(plane, vec3(d, h, w)), e, z - window.c, window);
            }
        }
    }
    return gradient;
}

// The gradients of every input of a block of cells.
fn store_by_definition(block: Block) {
    for (var d = 0u; d < BLOCK_D * STRIDE_D; d++) {
        for (var h = 0u; h < BLOCK_H * STRIDE_H; h++) {
            for (var w = 0u; w < BLOCK_W * STRIDE_W; w++) {
                let padded = block.first * STRIDE + vec3(d, h, w);
                let at = padded - PADDING;
                if (all(padded >= PADDING) && all(at < params.input_size)) {
                    store_grad_input(grad_input_index(block.plane, at), input_gradient(block.plane, at));
                }
            }
        }
    }
}
