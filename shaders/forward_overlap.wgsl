// Forward where windows share inputs: a block of windows shares its inputs, exponentials and sums along each axis.
//
//     c = max z_i over the block's patch        e_i = exp(beta (z_i - c))        y_R = p + sum_R e_i (z_i - p) / s_R
//
// One invocation computes BLOCK_D x BLOCK_H x BLOCK_W windows from a patch of PATCH_D x PATCH_H x PATCH_W inputs: one
// exponential an input, summed along the width for each window column, then into the windows that hold the row. A
// window far below c has a small s_R, and is evaluated by the definition instead.
//
// The pivot p is c where all of the patch lies near it, so that a large mean costs no accuracy; else 0, so that
// windows of small values are as accurate beside a large c as alone. The statistics' d_R = y_R - c goes by a pivot amid the
// patch: a gradient needs it exact against 1, not against the values.

// What the elements of a patch are measured from: c, p, and for the statistics the middle between the extremes.
struct About {
    c: f32,
    p: f32,
    middle: f32,
}

// By window column: s_R, sum e (z - p) for y, and sum e (z - middle) for the statistics.
struct Sums {
    s: array<vec4<f32>, WINDOW_QUADS>,
    q: array<vec4<f32>, WINDOW_QUADS>,
    amid: array<vec4<f32>, WINDOW_QUADS>,
}

fn row_sums(row: array<vec4<f32>, QUADS>, inside: array<vec4<bool>, QUADS>, about: About) -> Sums {
    let e = row_weights(row, inside, about.c);
    var sums: Sums;
    sums.s = window_sums(e);
    if (STORE_Y) {
        sums.q = window_sums(weighted(e, row, about.p));
    }
    if (SAVE_STATISTICS) {
        sums.amid = window_sums(weighted(e, row, about.middle));
    }
    return sums;
}

fn added(a: Sums, b: Sums) -> Sums {
    var sums: Sums;
    for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
        sums.s[quad] = a.s[quad] + b.s[quad];
        if (STORE_Y) {
            sums.q[quad] = a.q[quad] + b.q[quad];
        }
        if (SAVE_STATISTICS) {
            sums.amid[quad] = a.amid[quad] + b.amid[quad];
        }
    }
    return sums;
}

// With PAIRS: words with one channel's y put in their upper halves, and what was there moved down.
fn with_windows(words: array<vec4<u32>, BLOCK_QUADS>, windows: array<Window, BLOCK_W>) -> array<vec4<u32>, BLOCK_QUADS> {
    var result: array<vec4<u32>, BLOCK_QUADS>;
    for (var quad = 0u; quad < BLOCK_QUADS; quad++) { // unroll
        const w = 4u * quad;
        let y = 2.0 * sign_of_beta() * vec4(windows[w].y, windows[w + 1u].y, windows[w + 2u].y, windows[w + 3u].y);
        result[quad] = (words[quad] >> vec4(16u)) | (bits_of_y(y) << vec4(16u));
    }
    return result;
}

// Stores y of a row of windows of two channels.
fn store_windows_of_words(plane: vec2<u32>, first: vec3<u32>, words: array<vec4<u32>, BLOCK_QUADS>) {
    if (any(first.xy >= params.output_size.xy)) {
        return;
    }
    for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
        if (first.z + bw < params.output_size.z) {
            store_y_word(y_index(plane, first + vec3(0u, 0u, bw)), words[bw / 4u][bw % 4u]);
        }
    }
}

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation, params.output_size);
    if (!block.inside) {
        return;
    }
    let start = window_start(block.first);

    // With PAIRS the rows of two channels are read, and stored, at once.
    var words: array<array<vec4<u32>, QUADS>, WORD_ROWS>;
    if (PAIRS) {
        for (var pd = 0u; pd < PATCH_D; pd++) { // unroll if UNROLL_ROWS
            for (var ph = 0u; ph < PATCH_H; ph++) { // unroll if UNROLL_ROWS
                let row = min(pd * PATCH_H + ph, WORD_ROWS - 1u);
                words[row] = load_row_of_words(block.plane, start.xy + vec2(i32(pd), i32(ph)), start.z);
            }
        }
    }
    var y_words: array<array<vec4<u32>, BLOCK_QUADS>, Y_WORD_ROWS>;
    // Two words for each channel.
    var by_definition_of_channels = vec4(0u);
    for (var channel = 0u; channel < CHANNELS; channel++) { // unroll if ONE_CHANNEL
        let plane = block.plane + vec2(0u, channel);
        set_beta(plane);

        // Rows are needed twice, for the extremes and for the sums. To read vectors again is cheaper than to keep them; what is
        // read one by one is kept: KEPT_ROWS are all then, else 1.
        var kept: array<array<vec4<f32>, QUADS>, KEPT_ROWS>;
        var extremes = no_extremes();
        for (var pd = 0u; pd < PATCH_D; pd++) { // unroll if UNROLL_ROWS
            for (var ph = 0u; ph < PATCH_H; ph++) { // unroll if UNROLL_ROWS
                let depth_height = start.xy + vec2(i32(pd), i32(ph));
                let row_words = words[min(pd * PATCH_H + ph, WORD_ROWS - 1u)];
                let row = patch_row(row_words, channel, plane, depth_height, start.z);
                extremes = row_extremes(extremes, row);
                if (KEPT_ROWS == PATCH_ROWS) {
                    kept[min(pd * PATCH_H + ph, KEPT_ROWS - 1u)] = row;
                }
            }
        }
        let c = highest(extremes);
        let low = lowest(extremes);
        let all_near = low * c > 0.0 && 2.0 * min(abs(low), abs(c)) >= max(abs(low), abs(c));
        let about = About(c, select(0.0, c, all_near), pivot(extremes));

        var sums: array<Sums, WINDOW_ROWS>;
        for (var pd = 0u; pd < PATCH_D; pd++) { // unroll if UNROLL_ROWS
            for (var ph = 0u; ph < PATCH_H; ph++) { // unroll if UNROLL_ROWS
                let depth_height = start.xy + vec2(i32(pd), i32(ph));
                var row: array<vec4<f32>, QUADS>;
                if (KEPT_ROWS == PATCH_ROWS) {
                    row = kept[min(pd * PATCH_H + ph, KEPT_ROWS - 1u)];
                } else {
                    let row_words = words[min(pd * PATCH_H + ph, WORD_ROWS - 1u)];
                    row = patch_row(row_words, channel, plane, depth_height, start.z);
                }
                let of_row = row_sums(row, inside_row(depth_height, start.z), about);
                for (var bd = 0u; bd < BLOCK_D; bd++) { // unroll
                    for (var bh = 0u; bh < BLOCK_H; bh++) { // unroll
                        if (holds(bd, pd, KERNEL_D, STRIDE_D, DILATION_D) && holds(bh, ph, KERNEL_H, STRIDE_H, DILATION_H)) {
                            sums[bd * BLOCK_H + bh] = added(sums[bd * BLOCK_H + bh], of_row);
                        }
                    }
                }
            }
        }

        // One bit a window.
        var by_definition = vec2(0u);
        for (var bd = 0u; bd < BLOCK_D; bd++) { // unroll
            for (var bh = 0u; bh < BLOCK_H; bh++) { // unroll
                const i = bd * BLOCK_H + bh;
                let first = block.first + vec3(bd, bh, 0u);
                var windows: array<Window, BLOCK_W>;
                for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
                    const bit = i * BLOCK_W + bw;
                    let s = sums[i].s[bw / 4u][bw % 4u];
                    let d = (about.middle - c) + sums[i].amid[bw / 4u][bw % 4u] / s;
                    windows[bw] = Window(c, s, d, about.p + sums[i].q[bw / 4u][bw % 4u] / s);
                    var stands = (!STORE_Y || can_stand(s, windows[bw].y)) && (!SAVE_STATISTICS || can_stand(s, d));
                    stands = stands || any(first + vec3(0u, 0u, bw) >= params.output_size);
                    by_definition[bit / 32u] |= select(1u << (bit % 32u), 0u, stands);
                }
                if (PAIRS) {
                    y_words[min(i, Y_WORD_ROWS - 1u)] = with_windows(y_words[min(i, Y_WORD_ROWS - 1u)], windows);
                } else {
                    store_windows(plane, first, windows);
                }
            }
        }
        by_definition_of_channels =
            select(by_definition_of_channels, by_definition.xyxy, vec4(channel) == vec4(0u, 0u, 1u, 1u));
    }
    if (PAIRS) {
        for (var bd = 0u; bd < BLOCK_D; bd++) { // unroll
            for (var bh = 0u; bh < BLOCK_H; bh++) { // unroll
                let row = y_words[min(bd * BLOCK_H + bh, Y_WORD_ROWS - 1u)];
                store_windows_of_words(block.plane, block.first + vec3(bd, bh, 0u), row);
            }
        }
    }

    for (var channel = 0u; channel < CHANNELS; channel++) { // unroll if ONE_CHANNEL
        let plane = block.plane + vec2(0u, channel);
        set_beta(plane);
        var by_definition = select(by_definition_of_channels.xy, by_definition_of_channels.zw, channel == 1u);
        while (any(by_definition != vec2(0u))) {
            let word = select(0u, 1u, by_definition.x == 0u);
            let b = 32u * word + firstTrailingBit(by_definition[word]);
            by_definition = select(by_definition, by_definition & (by_definition - 1u), vec2(word == 0u, word == 1u));
            let at = block.first + vec3(b / (BLOCK_H * BLOCK_W), b / BLOCK_W % BLOCK_H, b % BLOCK_W);
            store_window(plane, at, window_by_definition(plane, at));
        }
    }
}
