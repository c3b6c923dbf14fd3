// Backward where windows share inputs: a block of cells shares its windows, exponentials and sums along each axis.
//
//     c = max z_i and p = (min z_i + max z_i) / 2 over the block's patch
//     e_i = exp(beta (z_i - c))    v_i = z_i - p    d_R = sum_R e_i v_i / s_R    a_R = g_R / s_R
//     dL/dx_i = e_i ((1 + beta v_i) sum_R a_R - beta sum_R a_R d_R)   over the windows that hold i
//
// Offsets are from the middle p, since 1 + beta (v_i - d_R) is as exact as they are small.
//
// One invocation computes BLOCK_D x BLOCK_H x BLOCK_W cells of inputs. It evaluates the windows that hold any of them,
// WINDOWS_D x WINDOWS_H x WINDOWS_W, from a patch of PATCH_D x PATCH_H x PATCH_W inputs: one exponential an input, and
// sums that go along the width first. Where a window lies too far below c, the block goes by the definition.

const HALO = vec3<u32>(HALO_D, HALO_H, HALO_W);

fn covering_window(plane: u32, window: vec3<u32>) -> Window {
    return window_by_definition(x_plane(plane), window_start(window));
}

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation, cells());
    if (!block.inside) {
        return;
    }
    let plane_start = x_plane(block.plane);
    let first_window = vec3<i32>(block.first) - vec3<i32>(HALO);
    let start = first_window * vec3<i32>(STRIDE) - vec3<i32>(PADDING);
    let last = vec3<i32>(params.input_size) - 1;

    // Positions outside the input repeat its edge: that leaves the maximum alone, and their exponentials are masked.
    var column: array<u32, PATCH_W>;
    var column_inside: array<bool, PATCH_W>;
    for (var pw = 0u; pw < PATCH_W; pw++) { // unroll
        let w = start.z + i32(pw);
        column[pw] = u32(clamp(w, 0, last.z));
        column_inside[pw] = w >= 0 && w <= last.z;
    }
    var z: array<f32, PATCH>;
    var e: array<f32, PATCH>;
    var c = load_z(x_index(plane_start, vec3<u32>(clamp(start, vec3(0), last))));
    var lowest = c;
    for (var pd = 0u; pd < PATCH_D; pd++) { // unroll
        for (var ph = 0u; ph < PATCH_H; ph++) { // unroll
            let dh = vec2<u32>(clamp(start.xy + vec2(i32(pd), i32(ph)), vec2(0), last.xy));
            let row = x_index(plane_start, vec3(dh, 0u));
            for (var pw = 0u; pw < PATCH_W; pw++) { // unroll
                const i = (pd * PATCH_H + ph) * PATCH_W + pw;
                z[i] = load_z(row + column[pw]);
                c = max(c, z[i]);
                lowest = min(lowest, z[i]);
            }
        }
    }
    let p = 0.5 * lowest + 0.5 * c;

    // s_R and q_R = s_R d_R.
    var s: array<f32, WINDOWS>;
    var q: array<f32, WINDOWS>;
    for (var pd = 0u; pd < PATCH_D; pd++) { // unroll
        for (var ph = 0u; ph < PATCH_H; ph++) { // unroll
            let dh = start.xy + vec2(i32(pd), i32(ph));
            let row_inside = all(dh >= vec2(0)) && all(dh <= last.xy);
            var row_s: array<f32, WINDOWS_W>;
            var row_q: array<f32, WINDOWS_W>;
            for (var pw = 0u; pw < PATCH_W; pw++) { // unroll
                const i = (pd * PATCH_H + ph) * PATCH_W + pw;
                e[i] = exp_nonpositive(params.beta * (z[i] - c));
                if (MASKED) {
                    e[i] = select(0.0, e[i], row_inside && column_inside[pw]);
                }
                for (var ww = 0u; ww < WINDOWS_W; ww++) { // unroll
                    if (holds(ww, pw, KERNEL_W, STRIDE_W, DILATION_W)) {
                        row_s[ww] += e[i];
                        row_q[ww] += e[i] * (z[i] - p);
                    }
                }
            }
            for (var wd = 0u; wd < WINDOWS_D; wd++) { // unroll
                for (var wh = 0u; wh < WINDOWS_H; wh++) { // unroll
                    if (holds(wd, pd, KERNEL_D, STRIDE_D, DILATION_D) && holds(wh, ph, KERNEL_H, STRIDE_H, DILATION_H)) {
                        for (var ww = 0u; ww < WINDOWS_W; ww++) { // unroll
                            s[(wd * WINDOWS_H + wh) * WINDOWS_W + ww] += row_s[ww];
                            q[(wd * WINDOWS_H + wh) * WINDOWS_W + ww] += row_q[ww];
                        }
                    }
                }
            }
        }
    }

    // a_R and b_R = a_R d_R, 0 for windows that do not exist.
    var a: array<f32, WINDOWS>;
    var b: array<f32, WINDOWS>;
    var stands = true;
    for (var wd = 0u; wd < WINDOWS_D; wd++) { // unroll
        for (var wh = 0u; wh < WINDOWS_H; wh++) { // unroll
            for (var ww = 0u; ww < WINDOWS_W; ww++) { // unroll
                const i = (wd * WINDOWS_H + wh) * WINDOWS_W + ww;
                let window = first_window + vec3<i32>(vec3(wd, wh, ww));
                let at = clamp(window, vec3(0), vec3<i32>(params.output_size) - 1);
                let exists = all(at == window);
                let g = load_g(block.plane, vec3<u32>(at));
                stands = stands && (!exists || (s[i] >= S_MIN && is_finite(q[i])));
                a[i] = select(0.0, g / s[i], exists);
                b[i] = select(0.0, g / s[i] * (q[i] / s[i]), exists);
            }
        }
    }
    if (!stands) {
        store_by_definition(block);
        return;
    }

    for (var cd = 0u; cd < CELLS_D; cd++) { // unroll
        for (var ch = 0u; ch < CELLS_H; ch++) { // unroll
            const pd = cd + HALO_D * STRIDE_D;
            const ph = ch + HALO_H * STRIDE_H;
            // Sums over the windows that hold this row, by window column.
            var row_a: array<f32, WINDOWS_W>;
            var row_b: array<f32, WINDOWS_W>;
            for (var wd = 0u; wd < WINDOWS_D; wd++) { // unroll
                for (var wh = 0u; wh < WINDOWS_H; wh++) { // unroll
                    if (holds(wd, pd, KERNEL_D, STRIDE_D, DILATION_D) && holds(wh, ph, KERNEL_H, STRIDE_H, DILATION_H)) {
                        for (var ww = 0u; ww < WINDOWS_W; ww++) { // unroll
                            row_a[ww] += a[(wd * WINDOWS_H + wh) * WINDOWS_W + ww];
                            row_b[ww] += b[(wd * WINDOWS_H + wh) * WINDOWS_W + ww];
                        }
                    }
                }
            }
            for (var cw = 0u; cw < CELLS_W; cw++) { // unroll
                const pw = cw + HALO_W * STRIDE_W;
                const i = (pd * PATCH_H + ph) * PATCH_W + pw;
                var sum_a = 0.0;
                var sum_b = 0.0;
                for (var ww = 0u; ww < WINDOWS_W; ww++) { // unroll
                    if (holds(ww, pw, KERNEL_W, STRIDE_W, DILATION_W)) {
                        sum_a += row_a[ww];
                        sum_b += row_b[ww];
                    }
                }
                let position = start + vec3<i32>(vec3(pd, ph, pw));
                if (all(position >= vec3(0)) && all(position <= last)) {
                    var gradient = e[i] * sum_a;
                    if (!DETACHED) {
                        gradient = e[i] * ((1.0 + params.beta * (z[i] - p)) * sum_a - params.beta * sum_b);
                    }
                    store_grad_input(grad_input_index(block.plane, vec3<u32>(position)), gradient);
                }
            }
        }
    }
}
