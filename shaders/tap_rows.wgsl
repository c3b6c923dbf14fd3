// Windows of a strip from the rows of inputs in a ring: what forward_taps and backward_taps share.
//
// The prelude has `taps_of`, which takes the taps of each four windows from a row.

fn extremes_of(rows: array<array<vec4<f32>, KERNEL_W>, KERNEL_H>) -> Extremes {
    var extremes = no_extremes();
    for (var kh = 0u; kh < KERNEL_H; kh++) { // unroll
        extremes = with_extremes(extremes, rows[kh]);
    }
    return extremes;
}

fn sums_of(rows: array<array<vec4<f32>, KERNEL_W>, KERNEL_H>, c: vec4<f32>, rate: f32) -> Sums {
    var sums: Sums;
    for (var kh = 0u; kh < KERNEL_H; kh++) { // unroll
        sums = with_sums(sums, rows[kh], c, rate);
    }
    return sums;
}
