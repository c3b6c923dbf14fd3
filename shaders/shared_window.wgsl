// A window that a workgroup shares: which of its taps are inside the input, by axis, since loops over the others alone could be
// longer than a driver allows.

struct Inside {
    plane: vec2<u32>,
    start: vec3<i32>,
    // The first tap inside, and how many there are.
    first: vec3<u32>,
    count: vec3<u32>,
}

fn inside_input(block: Block) -> Inside {
    let start = window_start(block.first);
    let size = vec3<i32>(params.input_size);
    let dilation = vec3<i32>(DILATION);
    let first = (max(-start, vec3(0)) + dilation - 1) / dilation;
    let end = min((max(size - start, vec3(0)) + dilation - 1) / dilation, vec3<i32>(window_taps(block.first)));
    return Inside(block.plane, start, vec3<u32>(first), vec3<u32>(max(end - first, vec3(0))));
}

const LANES = LANES_X * LANES_Y;
