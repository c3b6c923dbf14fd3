// Windows that lanes share: a workgroup has GROUPS windows, of GROUP = LANES_X x LANES_Y lanes each, both powers of two.

const GROUP = LANES_X * LANES_Y;
const LANES = GROUP * GROUPS;

// Which of the workgroup's windows an invocation works on, and as which lane: neighbours in memory are neighbours in the
// workgroup, be they elements of a row or channels.
fn group_and_lane(index: u32) -> vec2<u32> {
    if (CHANNELS_LAST) {
        return vec2(index % GROUPS, index / GROUPS);
    }
    return vec2(index / GROUP, index % GROUP);
}

fn block_of(workgroup: vec3<u32>, group: u32) -> Block {
    return block_at(workgroup * vec3(GROUPS, 1u, 1u) + vec3(group, 0u, 0u));
}

// The taps of a window that are inside the input, by axis, since loops over the others alone could be longer than a driver allows.
struct Inside {
    plane: vec2<u32>,
    start: vec3<i32>,
    // The first tap inside, and how many there are: none where there is no window.
    first: vec3<u32>,
    count: vec3<u32>,
}

fn inside_input(block: Block) -> Inside {
    let start = window_start(block.first);
    let size = vec3<i32>(params.input_size);
    let dilation = vec3<i32>(DILATION);
    let first = (max(-start, vec3(0)) + dilation - 1) / dilation;
    let end = min((max(size - start, vec3(0)) + dilation - 1) / dilation, vec3<i32>(window_taps(block.first)));
    let count = select(vec3(0), max(end - first, vec3(0)), block.inside);
    return Inside(block.plane, start, vec3<u32>(first), vec3<u32>(count));
}

// The taps along depth and height of a row of those inside.
fn row_taps(window: Inside, row: u32) -> vec2<u32> {
    if (KERNEL_D == 1u) {
        return window.first.xy + vec2(0u, row);
    }
    return window.first.xy + vec2(row / window.count.y, row % window.count.y);
}
