// What a row of WINDOWS_W windows holds: g, or c, s or d of the statistics, as vectors of 4 from WINDOW_LEAD windows before the
// row on; with VECTOR_Y they are read so, aligned. Beyond the row of all windows they repeat what is at its edge.

const C = 0u;
const S = 1u;
const D = 2u;
const G = 3u;

fn load_window_row(quantity: u32, plane: vec2<u32>, first: vec3<i32>) -> array<vec4<f32>, WINDOW_QUADS> {
    let last = vec3<i32>(params.output_size) - 1;
    let row = vec3(vec2<u32>(clamp(first.xy, vec2(0), last.xy)), 0u);
    var start: u32;
    if (quantity == G) {
        start = grad_output_index(plane, row);
    } else {
        start = statistics_index(plane, row) + quantity * params.statistics.word;
    }
    var values: array<vec4<f32>, WINDOW_QUADS>;
    for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
        let column = first.z - i32(WINDOW_LEAD) + i32(4u * quad);
        if (VECTOR_Y) {
            let at = start + u32(clamp(column, 0, last.z - 3));
            if (quantity == G) {
                values[quad] = load_grad_output4(at);
            } else {
                values[quad] = load_statistics4(at);
            }
        } else {
            let columns = vec4<u32>(clamp(column + LANES_OF_4, vec4(0), vec4(last.z)));
            if (quantity == G) {
                let at = start + columns * step_grad_output();
                let four = vec4(load_grad_output(at.x), load_grad_output(at.y), load_grad_output(at.z), load_grad_output(at.w));
                values[quad] = four;
            } else {
                let at = start + columns * step_statistics();
                let four = vec4(load_statistics(at.x), load_statistics(at.y), load_statistics(at.z), load_statistics(at.w));
                values[quad] = four;
            }
        }
    }
    return values;
}

// Whether each is one of the row's, and exists.
fn existing_windows(first: vec3<i32>) -> array<vec4<bool>, WINDOW_QUADS> {
    let size = vec3<i32>(params.output_size);
    let row_exists = all(first.xy >= vec2(0)) && all(first.xy < size.xy);
    let start = max(first.z, 0);
    let end = min(first.z + i32(WINDOWS_W), size.z);
    var exist: array<vec4<bool>, WINDOW_QUADS>;
    for (var quad = 0u; quad < WINDOW_QUADS; quad++) { // unroll
        let columns = first.z - i32(WINDOW_LEAD) + i32(4u * quad) + LANES_OF_4;
        exist[quad] = vec4(row_exists) & (columns >= vec4(start)) & (columns < vec4(end));
    }
    return exist;
}
