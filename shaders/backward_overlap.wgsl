// Backward where windows share inputs: a block of cells shares its windows, exponentials and sums along each axis.
//
//     c = max z_i and p = max((min z_i + c) / 2, c - 4 / beta) over the block's patch
//     e_i = exp(beta (z_i - c))    v_i = z_i - p    d_R = sum_R e_i v_i / s_R    a_R = g_R / s_R
//     dL/dx_i = e_i ((1 + beta v_i) sum_R a_R - sum_R beta a_R d_R)   over the windows that hold i
//
// Offsets are from a pivot p amid the values of the windows that stand, since 1 + beta (v_i - d_R) is as exact as they
// are small.
//
// One invocation computes CELLS_D x CELLS_H x CELLS_W inputs, which are BLOCK_D x BLOCK_H x BLOCK_W strides. It evaluates
// the windows that hold any of them, WINDOWS_D x WINDOWS_H x WINDOWS_W, of which BEFORE start at lower multiples of the
// stride, from a patch of PATCH_D x PATCH_H x PATCH_W inputs: one exponential an input, and sums that go along the width
// first. Where a window lies too far below c, the block goes by the definition.

fn covering_window(plane: vec2<u32>, window: vec3<u32>) -> Window {
    return window_by_definition(plane, window);
}

fn added(first: Pair, second: Pair) -> Pair {
    var sum: Pair;
    for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
        sum.x[quad] = first.x[quad] + second.x[quad];
        sum.y[quad] = first.y[quad] + second.y[quad];
    }
    return sum;
}

// A row's part of s_R and q_R = s_R d_R.
fn row_sums(row: array<vec4<f32>, QUADS>, e: array<vec4<f32>, QUADS>, p: f32) -> Pair {
    return Pair(window_sums(e), window_sums(weighted(e, row, p)));
}

// a_R and b_R = beta a_R d_R from s_R and q_R, 0 for windows that do not exist; and whether they all can stand.
struct Factors {
    ab: Pair,
    stand: bool,
}

fn factors(plane: vec2<u32>, first: vec3<i32>, sq: Pair) -> Factors {
    let g = load_window_row(G, plane, first);
    let exist = existing_windows(first);
    var result: Factors;
    var stand = vec4(true);
    for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
        let one = 1.0 / sq.x[quad];
        let a = g[quad] * one;
        stand = stand & (!exist[quad] | can_stand4(sq.x[quad], sq.y[quad]));
        result.ab.x[quad] = select(vec4(0.0), a, exist[quad]);
        result.ab.y[quad] = select(vec4(0.0), a * (beta() * (sq.y[quad] * one)), exist[quad]);
    }
    result.stand = all(stand);
    return result;
}

// The gradients of the block's part of a row.
fn row_gradients(
    row: array<vec4<f32>, QUADS>,
    e: array<vec4<f32>, QUADS>,
    p: f32,
    sums: CellSums,
) -> array<vec4<f32>, CELL_QUADS> {
    var z_of_cells: array<vec4<f32>, CELL_QUADS>;
    var e_of_cells: array<vec4<f32>, CELL_QUADS>;
    for (var cw = 0u; cw < CELLS_W; cw++) { // unroll
        const pw = LEAD + OFFSET_W + cw;
        z_of_cells[cw / 4u][cw % 4u] = row[pw / 4u][pw % 4u];
        e_of_cells[cw / 4u][cw % 4u] = e[pw / 4u][pw % 4u];
    }
    var gradients: array<vec4<f32>, CELL_QUADS>;
    for (var i = 0u; i < CELL_QUADS; i++) { // unroll
        gradients[i] = cell_gradients(z_of_cells[i], e_of_cells[i], p, sums.a[i], sums.b[i]);
    }
    return gradients;
}

// With PAIRS: words with one channel's gradients put in their upper halves, and what was there moved down.
fn with_gradients(words: array<vec4<u32>, CELL_QUADS>, gradients: array<vec4<f32>, CELL_QUADS>) -> array<vec4<u32>, CELL_QUADS> {
    var result: array<vec4<u32>, CELL_QUADS>;
    for (var quad = 0u; quad < CELL_QUADS; quad++) { // unroll
        result[quad] = (words[quad] >> vec4(16u)) | (bits_of_grad_input(gradients[quad]) << vec4(16u));
    }
    return result;
}

// Stores the gradients of a row of two channels.
fn store_gradient_row_of_words(plane: vec2<u32>, first: vec3<i32>, words: array<vec4<u32>, CELL_QUADS>) {
    let size = vec3<i32>(params.input_size);
    if (any(first.xy < vec2(0)) || any(first.xy >= size.xy)) {
        return;
    }
    let start = grad_input_index(plane, vec3(vec2<u32>(first.xy), 0u));
    for (var i = 0u; i < CELLS_W; i++) { // unroll
        let column = first.z + i32(i);
        if (column >= 0 && column < size.z) {
            store_grad_input_word(start + u32(column) * step_grad_input(), words[i / 4u][i % 4u]);
        }
    }
}

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation, (params.input_size + STRIDE - 1u) / STRIDE);
    if (!block.inside) {
        return;
    }
    let first_window = vec3<i32>(block.first) - vec3<i32>(vec3(BEFORE_D, BEFORE_H, BEFORE_W));
    let start = first_window * vec3<i32>(STRIDE) - vec3<i32>(PADDING);

    // With PAIRS the rows of two channels are read, and stored, at once.
    var words: array<array<vec4<u32>, QUADS>, WORD_ROWS>;
    if (PAIRS) {
        for (var pd = 0u; pd < PATCH_D; pd++) { // unroll
            for (var ph = 0u; ph < PATCH_H; ph++) { // unroll
                const row = min(pd * PATCH_H + ph, WORD_ROWS - 1u);
                words[row] = load_row_of_words(block.plane, start.xy + vec2(i32(pd), i32(ph)), start.z);
            }
        }
    }
    var gradient_words: array<array<vec4<u32>, CELL_QUADS>, GRADIENT_WORD_ROWS>;
    // One bit a channel.
    var by_window = 0u;
    for (var channel = 0u; channel < CHANNELS; channel++) { // unroll if ONE_CHANNEL
        let plane = block.plane + vec2(0u, channel);
        set_beta(plane);
        var rows: array<array<vec4<f32>, QUADS>, PATCH_ROWS>;
        var extremes = no_extremes();
        for (var pd = 0u; pd < PATCH_D; pd++) { // unroll
            for (var ph = 0u; ph < PATCH_H; ph++) { // unroll
                const row = pd * PATCH_H + ph;
                let depth_height = start.xy + vec2(i32(pd), i32(ph));
                rows[row] = patch_row(words[min(row, WORD_ROWS - 1u)], channel, plane, depth_height, start.z);
                extremes = row_extremes(extremes, rows[row]);
            }
        }
        let c = highest(extremes);
        let p = pivot(extremes);

        // By row of the patch, along the width; then by row of windows.
        var e: array<array<vec4<f32>, QUADS>, PATCH_ROWS>;
        var row_sq: array<Pair, PATCH_ROWS>;
        for (var pd = 0u; pd < PATCH_D; pd++) { // unroll
            for (var ph = 0u; ph < PATCH_H; ph++) { // unroll
                const row = pd * PATCH_H + ph;
                e[row] = row_weights(rows[row], inside_row(start.xy + vec2(i32(pd), i32(ph)), start.z), c);
                row_sq[row] = row_sums(rows[row], e[row], p);
            }
        }
        var row_ab: array<Pair, PATCH_ROWS>;
        var stand = true;
        for (var wd = 0u; wd < WINDOWS_D; wd++) { // unroll
            for (var wh = 0u; wh < WINDOWS_H; wh++) { // unroll
                var sq: Pair;
                for (var kd = 0u; kd < KERNEL_D; kd++) { // unroll
                    for (var kh = 0u; kh < KERNEL_H; kh++) { // unroll
                        sq = added(sq, row_sq[(wd * STRIDE_D + kd * DILATION_D) * PATCH_H + wh * STRIDE_H + kh * DILATION_H]);
                    }
                }
                let of_windows = factors(plane, first_window + vec3<i32>(vec3(wd, wh, 0u)), sq);
                stand = stand && of_windows.stand;
                for (var kd = 0u; kd < KERNEL_D; kd++) { // unroll
                    for (var kh = 0u; kh < KERNEL_H; kh++) { // unroll
                        const row = (wd * STRIDE_D + kd * DILATION_D) * PATCH_H + wh * STRIDE_H + kh * DILATION_H;
                        row_ab[row] = added(row_ab[row], of_windows.ab);
                    }
                }
            }
        }
        for (var cd = 0u; cd < CELLS_D; cd++) { // unroll
            for (var ch = 0u; ch < CELLS_H; ch++) { // unroll
                const row = (cd + OFFSET_D) * PATCH_H + ch + OFFSET_H;
                let gradients = row_gradients(rows[row], e[row], p, spread_pair(row_ab[row]));
                if (PAIRS) {
                    const word_row = min(cd * CELLS_H + ch, GRADIENT_WORD_ROWS - 1u);
                    gradient_words[word_row] = with_gradients(gradient_words[word_row], gradients);
                } else {
                    let first = start + vec3<i32>(vec3(cd + OFFSET_D, ch + OFFSET_H, OFFSET_W));
                    store_gradient_row(plane, first, gradients);
                }
            }
        }
        by_window |= select(1u << channel, 0u, stand);
    }
    if (PAIRS) {
        for (var cd = 0u; cd < CELLS_D; cd++) { // unroll
            for (var ch = 0u; ch < CELLS_H; ch++) { // unroll
                let first = start + vec3<i32>(vec3(cd + OFFSET_D, ch + OFFSET_H, OFFSET_W));
                store_gradient_row_of_words(block.plane, first, gradient_words[min(cd * CELLS_H + ch, GRADIENT_WORD_ROWS - 1u)]);
            }
        }
    }

    for (var channel = 0u; channel < CHANNELS; channel++) { // unroll if ONE_CHANNEL
        if ((by_window & (1u << channel)) != 0u) {
            let plane = block.plane + vec2(0u, channel);
            set_beta(plane);
            store_block_window_by_window(Block(plane, block.first, true));
        }
    }
}
