// A window that shares no input with another, in registers: what forward_disjoint and backward_disjoint share.

struct Taps {
    z: array<f32, TAPS>,
    // False for taps in the padding.
    inside: array<bool, TAPS>,
}

// e_i, about the window's own maximum.
fn tap_weights(taps: Taps, c: f32) -> array<f32, TAPS> {
    var e: array<f32, TAPS>;
    for (var tap = 0u; tap < TAPS; tap++) { // unroll
        e[tap] = select(0.0, weigh(taps.z[tap], c), taps.inside[tap]);
    }
    return e;
}

fn tap_extremes(taps: Taps) -> Extremes {
    var extremes = no_extremes();
    for (var tap = 0u; tap < TAPS; tap++) { // unroll
        if (taps.inside[tap]) {
            extremes = extended(extremes, taps.z[tap]);
        }
    }
    return extremes;
}

fn disjoint_window(taps: Taps, extremes: Extremes, e: array<f32, TAPS>) -> Window {
    var s = 0.0;
    for (var tap = 0u; tap < TAPS; tap++) { // unroll
        s += e[tap];
    }
    let weight_of_one = 1.0 / s;
    var d = 0.0;
    for (var tap = 0u; tap < TAPS; tap++) { // unroll
        d += select(0.0, e[tap] * weight_of_one * offset(taps.z[tap], extremes.highest), taps.inside[tap]);
    }
    return resolve(extremes, s, d);
}

// The taps of a row of BLOCK_W windows, the first at `first`.
fn load_taps(plane: u32, first: vec3<u32>) -> array<Taps, BLOCK_W> {
    let start = window_start(first);
    var taps: array<Taps, BLOCK_W>;
    for (var kd = 0u; kd < KERNEL_D; kd++) { // unroll
        for (var kh = 0u; kh < KERNEL_H; kh++) { // unroll
            let depth_height = start.xy + vec2(i32(kd * DILATION_D), i32(kh * DILATION_H));
            let row = load_row(plane, depth_height, start.z);
            let inside = inside_row(depth_height, start.z);
            for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
                for (var kw = 0u; kw < KERNEL_W; kw++) { // unroll
                    const tap = (kd * KERNEL_H + kh) * KERNEL_W + kw;
                    taps[bw].z[tap] = row[LEAD + bw * STRIDE_W + kw * DILATION_W];
                    taps[bw].inside[tap] = inside[bw * STRIDE_W + kw * DILATION_W];
                }
            }
        }
    }
    return taps;
}
