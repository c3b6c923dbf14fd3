// Forward of small windows of different sizes, in registers: one invocation computes a window.
//
//     c = max z_i        e_i = exp(beta (z_i - c))        y = c + sum e_i (z_i - c) / sum e_i
//
// KERNEL is the most that a window holds; what is beyond repeats its end and doesn't count.

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, WORKGROUP_Z)
fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {
    let block = block_at(invocation);
    if (!block.inside) {
        return;
    }
    let start = window_start(block.first);
    let count = window_taps(block.first);
    var z: array<f32, TAPS>;
    var counts: array<bool, TAPS>;
    var c = from_bits(MINUS_INFINITY_BITS);
    var magnitude = 0u;
    for (var kd = 0u; kd < KERNEL_D; kd++) { // unroll
        for (var kh = 0u; kh < KERNEL_H; kh++) { // unroll
            let row_at = vec3<u32>(start) + vec3(min(vec2(kd, kh), count.xy - 1u), 0u);
            let row = x_index(block.plane, row_at);
            for (var kw = 0u; kw < KERNEL_W; kw++) { // unroll
                let tap = (kd * KERNEL_H + kh) * KERNEL_W + kw; // const
                z[tap] = load_z(row + min(kw, count.z - 1u) * step_x());
                counts[tap] = all(vec3(kd, kh, kw) < count);
                c = max(c, z[tap]);
                magnitude = max(magnitude, magnitude_bits(z[tap]));
            }
        }
    }
    var e: array<f32, TAPS>;
    var s = 0.0;
    for (var tap = 0u; tap < TAPS; tap++) { // unroll
        e[tap] = select(0.0, weigh(z[tap], c), counts[tap]);
        s += e[tap];
    }
    let one = 1.0 / s;
    var d = 0.0;
    for (var tap = 0u; tap < TAPS; tap++) { // unroll
        d += e[tap] * one * offset(z[tap], c);
    }
    store_window(block.plane, block.first, resolve(magnitude, c, s, d));
}
