// Backward where windows share inputs: a block of cells shares its windows, exponentials and sums along each axis.
//
//     c = max z_i and p = (min z_i + max z_i) / 2 over the block's patch
//     e_i = exp(beta (z_i - c))    v_i = z_i - p    d_R = sum_R e_i v_i / s_R    a_R = g_R / s_R
//     dL/dx_i = e_i ((1 + beta v_i) sum_R a_R - beta sum_R a_R d_R)   over the windows that hold i
//
// Offsets are from the middle p, since 1 + beta (v_i - d_R) is as exact as they are small.
//
// One invocation computes CELLS_D x CELLS_H x CELLS_W inputs, which are BLOCK_D x BLOCK_H x BLOCK_W strides. It evaluates
// the windows that hold any of them, WINDOWS_D x WINDOWS_H x WINDOWS_W, of which BEFORE start at lower multiples of the
// stride, from a patch of PATCH_D x PATCH_H x PATCH_W inputs: one exponential an input, and sums that go along the width
// first. Where a window lies too far below c, the block goes by the definition.

fn covering_window(plane: u32, window: vec3<u32>) -> Window {
    return window_by_definition(plane, window_start(window));
}

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation, (params.input_size + STRIDE - 1u) / STRIDE);
    if (!block.inside) {
        return;
    }
    let first_window = vec3<i32>(block.first) - vec3<i32>(vec3(BEFORE_D, BEFORE_H, BEFORE_W));
    let start = first_window * vec3<i32>(STRIDE) - vec3<i32>(PADDING);
    let column_inside = columns_inside(start.z);

    var z: array<f32, PATCH>;
    var e: array<f32, PATCH>;
    var extremes = no_extremes();
    for (var pd = 0u; pd < PATCH_D; pd++) { // unroll
        for (var ph = 0u; ph < PATCH_H; ph++) { // unroll
            var row: array<f32, ROW>;
            load_row(block.plane, start.xy + vec2(i32(pd), i32(ph)), start.z, &row);
            for (var pw = 0u; pw < PATCH_W; pw++) { // unroll
                z[(pd * PATCH_H + ph) * PATCH_W + pw] = row[LEAD + pw];
                extremes.highest = max(extremes.highest, row[LEAD + pw]);
                extremes.lowest = min(extremes.lowest, row[LEAD + pw]);
            }
        }
    }
    let c = extremes.highest;
    let p = 0.5 * extremes.lowest + 0.5 * c;

    // s_R and q_R = s_R d_R.
    var s: array<f32, WINDOWS>;
    var q: array<f32, WINDOWS>;
    for (var pd = 0u; pd < PATCH_D; pd++) { // unroll
        for (var ph = 0u; ph < PATCH_H; ph++) { // unroll
            let in_row = row_inside(start.xy + vec2(i32(pd), i32(ph)));
            var row_s: array<f32, WINDOWS_W>;
            var row_q: array<f32, WINDOWS_W>;
            for (var pw = 0u; pw < PATCH_W; pw++) { // unroll
                const i = (pd * PATCH_H + ph) * PATCH_W + pw;
                e[i] = select(0.0, weigh(z[i], c), in_row && column_inside[pw]);
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
            let first = first_window + vec3<i32>(vec3(wd, wh, 0u));
            let g = load_g_row(block.plane, first);
            for (var ww = 0u; ww < WINDOWS_W; ww++) { // unroll
                const i = (wd * WINDOWS_H + wh) * WINDOWS_W + ww;
                let at = first + vec3(0, 0, i32(ww));
                let exists = all(at >= vec3(0)) && all(at < vec3<i32>(params.output_size));
                stands = stands && (!exists || can_stand(s[i], q[i]));
                let one = 1.0 / s[i];
                a[i] = select(0.0, g[ww] * one, exists);
                b[i] = select(0.0, g[ww] * one * (q[i] * one), exists);
            }
        }
    }

    for (var cd = 0u; cd < CELLS_D; cd++) { // unroll
        for (var ch = 0u; ch < CELLS_H; ch++) { // unroll
            const pd = cd + OFFSET_D;
            const ph = ch + OFFSET_H;
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
            var gradients: array<f32, CELLS_W>;
            for (var cw = 0u; cw < CELLS_W; cw++) { // unroll
                const pw = cw + OFFSET_W;
                const i = (pd * PATCH_H + ph) * PATCH_W + pw;
                var sum_a = 0.0;
                var sum_b = 0.0;
                for (var ww = 0u; ww < WINDOWS_W; ww++) { // unroll
                    if (holds(ww, pw, KERNEL_W, STRIDE_W, DILATION_W)) {
                        sum_a += row_a[ww];
                        sum_b += row_b[ww];
                    }
                }
                if (DETACHED) {
                    gradients[cw] = e[i] * sum_a;
                } else {
                    gradients[cw] = e[i] * ((1.0 + params.beta * (z[i] - p)) * sum_a - params.beta * sum_b);
                }
            }
            store_gradient_row(block.plane, start + vec3<i32>(vec3(pd, ph, OFFSET_W)), gradients);
        }
    }

    if (!stands) {
        for (var i = 0u; i < CELLS_D * CELLS_H * CELLS_W; i++) {
            let in_block = vec3(i / (CELLS_H * CELLS_W), i / CELLS_W % CELLS_H, i % CELLS_W);
            let at = block.first * STRIDE + in_block;
            if (all(at < params.input_size)) {
                let gradient = input_gradient(block.plane, at);
                store_grad_input(input_index(params.grad_input_start, block.plane, at), gradient);
            }
        }
    }
}
