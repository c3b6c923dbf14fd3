// A window of few texels, which an invocation keeps in registers: texels.wgsl has the formula.

fn pooled_window(position: vec3<u32>) -> vec4<f32> {
    var texels: array<vec4<f32>, TAPS>;
    var m = lowest();
    for (var tap = 0u; tap < TAPS; tap++) { // unroll
        let at = vec3(tap % TAPS_X, (tap / TAPS_X) % TAPS_Y, tap / (TAPS_X * TAPS_Y)); // const
        texels[tap] = texel_at(position_of(position, at));
        let larger_m = larger(m, z_of(pooled_form(texels[tap])));
        if (PADDED) {
            m = select(m, larger_m, cover_of(position, at) > 0.0);
        } else {
            m = larger_m;
        }
    }
    var sums: Sums;
    for (var tap = 0u; tap < TAPS; tap++) { // unroll
        let at = vec3(tap % TAPS_X, (tap / TAPS_X) % TAPS_Y, tap / (TAPS_X * TAPS_Y)); // const
        let p = pooled_form(texels[tap]);
        let cover = cover_of(position, at);
        sums = add(sums, part(texels[tap], p, weigh(z_of(p), m, cover), cover));
    }
    return pooled(sums, m);
}
