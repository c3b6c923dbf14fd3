// Mip levels of a tile, in one dispatch: level 1 from the texture, each further one from the workgroup's memory, by the formula of
// texels.wgsl. A texel is kept there as the format stores it, so that levels are the same as by a dispatch each.
//
//     source, level 0  ->  destination_1 .. destination_FIRST, and with LAST of them more by the last workgroup
//
// A workgroup makes TILE x TILE texels of level FIRST, and of the levels above as many as these cover: where a size is odd a window
// has three texels, and tiles overlap. What two workgroups make both make alike, and the one whose it is stores it. Invocations share
// the texels of a level; barriers are between levels.
//
// With LAST, level FIRST goes to a buffer as well, word by word through atomics, and the workgroup that arrives last of all makes the
// rest from there, alone (as AMD's Single Pass Downsampler does). That needs barriers that order memory for the whole device.

struct Sizes {
    // Width and height by level.
    by_level: array<vec4<u32>, 13>,
}

var<workgroup> odd_tile: array<Packed, ODD_CELLS>;
var<workgroup> even_tile: array<Packed, EVEN_CELLS>;
var<workgroup> is_last: u32;

// The texels of a level that a tile needs: of TILE texels, what they cover, and what those cover.
fn needed(level: u32) -> vec2<u32> {
    var count = vec2(TILE);
    for (var upper = FIRST; upper > level; upper--) {
        let size = sizes.by_level[upper - 1u].xy;
        count = select(2u * count + (size & vec2(1u)), vec2(1u), size == vec2(1u));
    }
    return count;
}

// What is kept of level `level` at an index.
fn kept(level: u32, index: u32) -> vec4<f32> {
    if ((level & 1u) == 1u) {
        return texel_of(unpacked(odd_tile[index]));
    }
    return texel_of(unpacked(even_tile[index]));
}

fn keep(level: u32, index: u32, texel: Packed) {
    if ((level & 1u) == 1u) {
        odd_tile[index] = texel;
    } else {
        even_tile[index] = texel;
    }
}

// A texel of level `level` from what is kept of the level above, whose first texel is `first` and whose rows have `width`.
fn pooled_kept(level: u32, position: vec2<u32>, first: vec2<u32>, width: u32, layer: u32) -> vec4<f32> {
    let size = sizes.by_level[level - 1u].xy;
    let taps = select(vec2(2u) + (size & vec2(1u)), vec2(1u), size == vec2(1u));
    let start = 2u * position - first;
    var m = none();
    for (var y = 0u; y < taps.y; y++) {
        for (var x = 0u; x < taps.x; x++) {
            m = larger(m, z_of(pooled_form(above(level, (start.y + y) * width + start.x + x, layer))));
        }
    }
    var sums: Sums;
    var seen: Colours;
    for (var y = 0u; y < taps.y; y++) {
        for (var x = 0u; x < taps.x; x++) {
            let at = (start.y + y) * width + start.x + x;
            let texel = above(level, at, layer);
            let p = pooled_form(texel);
            let cover = mip_cover(position.x, x, size.x) * mip_cover(position.y, y, size.y);
            sums = add(sums, part(p, weigh(z_of(p), m.z, cover)));
            if (STRAIGHT) {
                seen = add_colours(seen, colours(texel, cover));
            }
        }
    }
    return pooled(sums, seen, m);
}

fn mip_cover(output: u32, tap: u32, n: u32) -> f32 {
    if ((n & 1u) == 0u) {
        return 0.5;
    }
    return select(odd_cover(output, tap, n), 1.0, n == 1u);
}

// What the level above has at an index: kept by the workgroup, or left in the buffer by all.
fn above(level: u32, index: u32, layer: u32) -> vec4<f32> {
    if (LAST && level == FIRST + 1u) {
        return texel_of(unpacked(left(layer, index)));
    }
    return kept(level - 1u, index);
}

// Makes the texels of a level from `first` on, keeps them, and stores those before `end`.
fn make_level(level: u32, first: vec2<u32>, count: vec2<u32>, end: vec2<u32>, above_first: vec2<u32>, above_width: u32, layer: u32, lane: u32) {
    for (var index = lane; index < count.x * count.y; index += LANES) {
        // Exact, since there are 4,096 texels at most: GPUs have no division of integers, but by twenty instructions.
        let row = u32((f32(index) + 0.5) / f32(count.x));
        let position = first + vec2(index - row * count.x, row);
        var texel: vec4<f32>;
        if (level == 1u) {
            texel = pooled_window(vec3(position, layer));
        } else {
            texel = pooled_kept(level, position, above_first, above_width, layer);
        }
        let packed_texel = packed(stored_form(texel));
        keep(level, index, packed_texel);
        if (all(position < end)) {
            store_level(level, vec3(position, layer), unpacked(packed_texel));
            if (LAST && level == FIRST) {
                leave(layer, position.y * sizes.by_level[FIRST].x + position.x, packed_texel);
            }
        }
    }
}

@compute @workgroup_size(LANES, 1, 1)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let layer = group.z;
    var above_first = vec2(0u);
    var above_width = 0u;
    for (var level = 1u; level <= FIRST; level++) {
        let own = TILE << (FIRST - level);
        let first = group.xy * own;
        let size = sizes.by_level[level].xy;
        let count = min(needed(level), size - first);
        // The last tile of a row or column has what remains.
        let end = select(first + vec2(own), size, group.xy + vec2(1u) == groups.xy);
        make_level(level, first, count, end, above_first, above_width, layer, lane);
        above_first = first;
        above_width = count.x;
        workgroupBarrier();
    }
    if (LAST) {
        storageBarrier();
        if (lane == 0u) {
            is_last = select(0u, 1u, arrive(layer) == groups.x * groups.y - 1u);
        }
        if (workgroupUniformLoad(&is_last) == 0u) {
            return;
        }
        storageBarrier();
        if (lane == 0u) {
            // For the next time.
            leave_none(layer);
        }
        for (var level = FIRST + 1u; level <= LEVELS; level++) {
            let size = sizes.by_level[level].xy;
            make_level(level, vec2(0u), size, size, vec2(0u), sizes.by_level[level - 1u].x, layer, lane);
            workgroupBarrier();
        }
    }
}
