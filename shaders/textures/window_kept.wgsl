// A window of few texels, which an invocation keeps in registers: texels.wgsl has the formula.

fn pooled_window(position: vec3<u32>) -> vec4<f32> {
    // Of a texel p is kept and no more, so that few registers hold a window.
    var kept: array<vec4<f32>, TAPS>;
    var seen: Colours;
    var m = none();
    for (var tap = 0u; tap < TAPS; tap++) { // unroll
        let at = vec3(tap % TAPS_X, (tap / TAPS_X) % TAPS_Y, tap / (TAPS_X * TAPS_Y)); // const
        let texel = texel_at(position_of(position, at));
        kept[tap] = pooled_form(texel);
        if (!PADDED || cover_of(position, at) > 0.0) {
            m = larger(m, z_of(kept[tap]));
        }
        if (STRAIGHT) {
            seen = add_colours(seen, colours(texel, cover_of(position, at)));
        }
    }
    var sums: Sums;
    for (var tap = 0u; tap < TAPS; tap++) { // unroll
        let at = vec3(tap % TAPS_X, (tap / TAPS_X) % TAPS_Y, tap / (TAPS_X * TAPS_Y)); // const
        sums = add(sums, part(kept[tap], weigh(z_of(kept[tap]), m.z, cover_of(position, at))));
    }
    return pooled(sums, seen, m);
}
