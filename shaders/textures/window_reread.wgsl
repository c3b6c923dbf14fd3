// A window of any number of texels, which an invocation reads twice: for the largest z, then for the sums, row by row, so that
// rounding grows with the window's sides and not with its area. texels.wgsl has the formula.

fn pooled_window(position: vec3<u32>) -> vec4<f32> {
    let taps = taps_of(position);
    var m = none();
    for (var z = 0u; z < taps.z; z++) {
        for (var y = 0u; y < taps.y; y++) {
            for (var x = 0u; x < taps.x; x++) {
                let at = vec3(x, y, z);
                if (!PADDED || cover_of(position, at) > 0.0) {
                    m = larger(m, z_of(pooled_form(texel_at(position_of(position, at)))));
                }
            }
        }
    }
    var sums: Sums;
    var seen: Colours;
    for (var z = 0u; z < taps.z; z++) {
        var layer: Sums;
        var seen_layer: Colours;
        for (var y = 0u; y < taps.y; y++) {
            var row: Sums;
            var seen_row: Colours;
            for (var x = 0u; x < taps.x; x++) {
                let at = vec3(x, y, z);
                let cover = cover_of(position, at);
                if (!PADDED || cover > 0.0) {
                    let texel = texel_at(position_of(position, at));
                    let p = pooled_form(texel);
                    row = add(row, part(p, weigh(z_of(p), m.z, cover)));
                    if (STRAIGHT) {
                        seen_row = add_colours(seen_row, colours(texel, cover));
                    }
                }
            }
            layer = add(layer, row);
            if (STRAIGHT) {
                seen_layer = add_colours(seen_layer, seen_row);
            }
        }
        sums = add(sums, layer);
        if (STRAIGHT) {
            seen = add_colours(seen, seen_layer);
        }
    }
    return pooled(sums, seen, m);
}
