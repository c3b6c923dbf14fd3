// A window that shares no input with another, in registers: what forward_disjoint and backward_disjoint share.

struct Taps {
    // -inf in the padding.
    z: array<f32, TAPS>,
    // The largest bits of |z|, padding apart.
    magnitude: u32,
}

// The taps of a row of BLOCK_W windows, the first at `first`.
fn load_taps(plane: vec2<u32>, first: vec3<u32>) -> array<Taps, BLOCK_W> {
    let start = window_start(first);
    var taps: array<Taps, BLOCK_W>;
    for (var kd = 0u; kd < KERNEL_D; kd++) { // unroll
        for (var kh = 0u; kh < KERNEL_H; kh++) { // unroll
            let depth_height = start.xy + vec2(i32(kd * DILATION_D), i32(kh * DILATION_H));
            var row = load_row(plane, depth_height, start.z);
            var bits: array<vec4<u32>, QUADS>;
            for (var quad = 0u; quad < QUADS; quad++) { // unroll
                let inside = inside_row(depth_height, start.z, quad);
                bits[quad] = select(vec4(0u), magnitude_bits4(row[quad]), inside);
                row[quad] = select(vec4(from_bits(MINUS_INFINITY_BITS)), row[quad], inside);
            }
            for (var bw = 0u; bw < BLOCK_W; bw++) { // unroll
                for (var kw = 0u; kw < KERNEL_W; kw++) { // unroll
                    let at = LEAD + bw * STRIDE_W + kw * DILATION_W; // const
                    taps[bw].magnitude = max(taps[bw].magnitude, bits[at / 4u][at % 4u]);
                    taps[bw].z[(kd * KERNEL_H + kh) * KERNEL_W + kw] = row[at / 4u][at % 4u];
                }
            }
        }
    }
    return taps;
}

fn tap_weight(z: f32, c: f32) -> f32 {
    let e = weigh(z, c);
    if (MASKED) {
        // Padding weighs nothing with beta = 0, too.
        return select(e, 0.0, bitcast<u32>(z) == MINUS_INFINITY_BITS);
    }
    return e;
}
