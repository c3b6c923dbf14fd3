// Pools windows of few texels, which an invocation keeps in registers: texels.wgsl has the formula.
//
//     source (width, height, depth or layers)  ->  target, a texel a window
//
// Invocation (x, y, z) makes the target's texel (x, y, z).

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, 1)
fn main(@builtin(global_invocation_id) position: vec3<u32>) {
    if (any(position.xy >= params.target_size.xy)) {
        return;
    }
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
    store_pooled(position, pooled(sums, m));
}
