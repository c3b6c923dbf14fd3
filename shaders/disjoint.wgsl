// A window that shares no input with another, in registers: what forward_disjoint and backward_disjoint share.

struct Taps {
    z: array<f32, TAPS>,
    // False for taps in the padding.
    inside: array<bool, TAPS>,
}

fn load_taps(plane_start: u32, at: vec3<u32>) -> Taps {
    let start = window_start(at);
    var taps: Taps;
    for (var kd = 0u; kd < KERNEL_D; kd++) { // unroll
        for (var kh = 0u; kh < KERNEL_H; kh++) { // unroll
            for (var kw = 0u; kw < KERNEL_W; kw++) { // unroll
                const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
                let position = start + vec3<i32>(vec3(kd * DILATION_D, kh * DILATION_H, kw * DILATION_W));
                if (MASKED) {
                    let clamped = clamp(position, vec3<i32>(0), vec3<i32>(params.input_size) - 1);
                    taps.inside[tap] = all(clamped == position);
                    taps.z[tap] = load_z(x_index(plane_start, vec3<u32>(clamped)));
                } else {
                    taps.inside[tap] = true;
                    taps.z[tap] = load_z(x_index(plane_start, vec3<u32>(position)));
                }
            }
        }
    }
    return taps;
}

fn largest(taps: Taps) -> f32 {
    // A window without an element keeps -inf, its y is not finite, and the definition decides.
    var c = from_bits(INFINITY_BITS | 0x80000000u);
    for (var tap = 0u; tap < TAPS; tap++) { // unroll
        c = select(c, max(c, taps.z[tap]), taps.inside[tap]);
    }
    return c;
}

fn tap_exponential(taps: Taps, tap: u32, c: f32) -> f32 {
    return select(0.0, exp_nonpositive(params.beta * (taps.z[tap] - c)), taps.inside[tap]);
}

fn disjoint_window(taps: Taps) -> Window {
    let c = largest(taps);
    var s = 0.0;
    var q = 0.0;
    for (var tap = 0u; tap < TAPS; tap++) { // unroll
        let e = tap_exponential(taps, tap, c);
        s += e;
        q += e * (taps.z[tap] - c);
    }
    return Window(c, s, q / s, c + q / s);
}
