// Rows of the patch: with PAIRS of two channels at once, where each word of the input holds an element of both.

fn load_row_of_words(plane: vec2<u32>, depth_height: vec2<i32>, first_column: i32) -> array<vec4<u32>, QUADS> {
    let last = vec3<i32>(params.input_size) - 1;
    let start = x_index(plane, vec3(vec2<u32>(clamp(depth_height, vec2(0), last.xy)), 0u));
    var words: array<vec4<u32>, QUADS>;
    for (var quad = 0u; quad < QUADS; quad++) { // unroll
        let columns = first_column + i32(4u * quad) + LANES_OF_4;
        let at = start + vec4<u32>(clamp(columns, vec4(0), vec4(last.z))) * step_x();
        words[quad] = vec4(load_x_word(at.x), load_x_word(at.y), load_x_word(at.z), load_x_word(at.w));
    }
    return words;
}

// The row of one of them.
fn row_of_channel(words: array<vec4<u32>, QUADS>, channel: u32) -> array<vec4<f32>, QUADS> {
    let scale = 0.5 * sign_of_beta();
    var row: array<vec4<f32>, QUADS>;
    for (var quad = 0u; quad < QUADS; quad++) { // unroll
        row[quad] = scale * x_of_bits(words[quad] >> vec4(16u * channel));
    }
    return row;
}

// A row of a channel's patch, from its words with PAIRS, else from memory.
fn patch_row(
    words: array<vec4<u32>, QUADS>,
    channel: u32,
    plane: vec2<u32>,
    depth_height: vec2<i32>,
    first_column: i32,
) -> array<vec4<f32>, QUADS> {
    if (PAIRS) {
        return row_of_channel(words, channel);
    }
    return load_row(plane, depth_height, first_column);
}
