// A window of any number of texels, which an invocation reads twice: for the largest z, then for the sums, row by row, so that
// rounding grows with the window's sides and not with its area. texels.wgsl has the formula.

fn pooled_window(position: vec3<u32>) -> vec4<f32> {
    let taps = taps_of(position);
    var m = lowest();
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
    for (var z = 0u; z < taps.z; z++) {
        var layer: Sums;
        for (var y = 0u; y < taps.y; y++) {
            var row: Sums;
            for (var x = 0u; x < taps.x; x++) {
                let at = vec3(x, y, z);
                let cover = cover_of(position, at);
                if (!PADDED || cover > 0.0) {
                    let texel = texel_at(position_of(position, at));
                    let p = pooled_form(texel);
                    row = add(row, part(texel, p, weigh(z_of(p), m, cover), cover));
                }
            }
            layer = add(layer, row);
        }
        sums = add(sums, layer);
    }
    return pooled(sums, m);
}
