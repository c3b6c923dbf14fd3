// Backward from saved statistics: c, s and d of each window are read, not evaluated, and its sums spread over the inputs.
//
//     M = max z_i and p = max((min z_i + M) / 2, M - 4 / beta) over the block
//     e_i = exp(beta (z_i - M))    v_i = z_i - p    a_R = g_R exp(beta (M - c_R)) / s_R    b_R = beta a_R (c_R - p + d_R)
//     dL/dx_i = e_i ((1 + beta v_i) sum_R a_R - sum_R b_R)   over the windows that hold i
//
// One invocation computes CELLS_D x CELLS_H x CELLS_W inputs, which are BLOCK_D x BLOCK_H x BLOCK_W strides, from the
// WINDOWS_D x WINDOWS_H x WINDOWS_W windows that hold any of them: one exponential an input and one a window, and sums that
// go along the width first. Where a window lies so far below M that rounding shows, the block goes window by window.

// a_R and b_R of a row of windows, 0 where there is none; and whether all can stand.
struct Factors {
    ab: Pair,
    stand: bool,
}

// M - c_R at most 8 / beta puts a weight off by at most 8 ulp.
const MOST_ABOVE = 8.0;

fn factors(plane: vec2<u32>, first: vec3<i32>, m: f32, p: f32) -> Factors {
    let g = load_window_row(G, plane, first);
    let c = load_window_row(C, plane, first);
    let s = load_window_row(S, plane, first);
    let d = load_window_row(D, plane, first);
    let exist = existing_windows(first);
    var result: Factors;
    var stand = vec4(true);
    for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
        let above = beta() * (m - c[quad]);
        stand = stand & (!exist[quad] | (above <= vec4(MOST_ABOVE)));
        let a = select(vec4(0.0), g[quad] * (exp_bounded4(above) / s[quad]), exist[quad]);
        // A window too far above to weigh anything keeps a finite offset.
        let slope = min(beta() * ((c[quad] - p) + d[quad]), vec4(LARGEST));
        result.ab.x[quad] = a;
        result.ab.y[quad] = select(vec4(0.0), a * slope, exist[quad]);
    }
    result.stand = all(stand);
    return result;
}

fn added(first: CellSums, second: CellSums, held: bool) -> CellSums {
    var sums: CellSums;
    for (var i = 0u; i < CELL_QUADS; i++) { // unroll
        sums.a[i] = first.a[i] + select(vec4(0.0), second.a[i], held);
        sums.b[i] = first.b[i] + select(vec4(0.0), second.b[i], held);
    }
    return sums;
}

fn row_gradients(row: array<vec4<f32>, QUADS>, m: f32, p: f32, sums: CellSums) -> array<vec4<f32>, CELL_QUADS> {
    var gradients: array<vec4<f32>, CELL_QUADS>;
    for (var i = 0u; i < CELL_QUADS; i++) { // unroll
        gradients[i] = cell_gradients(row[i], weigh4(row[i], m), p, sums.a[i], sums.b[i]);
    }
    return gradients;
}

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation);
    if (!block.inside) {
        return;
    }
    let first_input = vec3<i32>(block.first * STRIDE);
    let first_window = vec3<i32>(block.first) - vec3<i32>(vec3(BEFORE_D, BEFORE_H, BEFORE_W));

    var extremes = no_extremes();
    for (var cd = 0u; cd < CELLS_D; cd++) { // unroll
        for (var ch = 0u; ch < CELLS_H; ch++) { // unroll
            let depth_height = first_input.xy + vec2(i32(cd), i32(ch));
            extremes = row_extremes(extremes, load_row(block.plane, depth_height, first_input.z));
        }
    }
    let m = highest(extremes);
    let p = pivot(extremes);

    var sums: array<CellSums, CELL_ROWS>;
    var stand = is_finite(m) && is_finite(p);
    for (var wd = 0u; wd < WINDOWS_D; wd++) {
        for (var wh = 0u; wh < WINDOWS_H; wh++) {
            let of_windows = factors(block.plane, first_window + vec3<i32>(vec3(wd, wh, 0u)), m, p);
            stand = stand && of_windows.stand;
            let of_row = spread_pair(of_windows.ab);
            for (var cd = 0u; cd < CELLS_D; cd++) { // unroll
                for (var ch = 0u; ch < CELLS_H; ch++) { // unroll
                    let held = holds(wd, cd + OFFSET_D, KERNEL_D, STRIDE_D, DILATION_D)
                        && holds(wh, ch + OFFSET_H, KERNEL_H, STRIDE_H, DILATION_H);
                    sums[cd * CELLS_H + ch] = added(sums[cd * CELLS_H + ch], of_row, held);
                }
            }
        }
    }
    for (var cd = 0u; cd < CELLS_D; cd++) { // unroll
        for (var ch = 0u; ch < CELLS_H; ch++) { // unroll
            let first = first_input + vec3<i32>(vec3(cd, ch, 0u));
            let row = load_row(block.plane, first.xy, first.z);
            store_gradient_row(block.plane, first, row_gradients(row, m, p, sums[cd * CELLS_H + ch]));
        }
    }
    if (!stand) {
        store_block_window_by_window(block);
    }
}
