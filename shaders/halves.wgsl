// Elements of half a word, two in each, the first in the lower bits: bf16, the upper half of an f32, and f16.

fn f32_from_bf16(words: vec2<u32>) -> vec4<f32> {
    return bitcast<vec4<f32>>(vec4(words.x << 16u, words.x & 0xffff0000u, words.y << 16u, words.y & 0xffff0000u));
}

fn f32_from_f16(words: vec2<u32>) -> vec4<f32> {
    if (NATIVE_UNPACK) {
        return vec4(unpack2x16float(words.x), unpack2x16float(words.y));
    }
    return f32_from_f16_bits(vec4(words.x, words.x >> 16u, words.y, words.y >> 16u));
}

// Of the lower halves.
fn f32_from_bf16_bits(bits: vec4<u32>) -> vec4<f32> {
    return bitcast<vec4<f32>>(bits << vec4(16u));
}

// By integers, but for drivers that are known to lose nothing: WGSL lets them flush what is subnormal.
fn f32_from_f16_bits(bits: vec4<u32>) -> vec4<f32> {
    if (NATIVE_UNPACK) {
        return vec4(
            unpack2x16float(bits.x).x,
            unpack2x16float(bits.y).x,
            unpack2x16float(bits.z).x,
            unpack2x16float(bits.w).x,
        );
    }
    let magnitude = bits & vec4(0x7fffu);
    // The exponent's bias goes from 15 to 127; subnormals are multiples of 2^-24; infinities and NaN keep all exponent bits.
    let normal = (magnitude << vec4(13u)) + vec4(112u << 23u);
    let subnormal = bitcast<vec4<u32>>(vec4<f32>(magnitude) * 5.9604644775390625e-8);
    let finite = select(normal, subnormal, magnitude < vec4(0x400u));
    let value = select(finite, normal + vec4(112u << 23u), magnitude >= vec4(0x7c00u));
    return bitcast<vec4<f32>>(((bits & vec4(0x8000u)) << vec4(16u)) | value);
}

// The bits of the nearest bf16, ties to even: half a unit in the last place is added, less one bit where the last is 0.
fn bf16_bits(values: vec4<f32>) -> vec4<u32> {
    let bits = bitcast<vec4<u32>>(values);
    let nearest = (bits + vec4(0x7fffu) + ((bits >> vec4(16u)) & vec4(1u))) >> vec4(16u);
    return select(nearest, vec4(0x7fc0u), magnitude_bits4(values) > vec4(INFINITY_BITS));
}

// The same for f16. WGSL leaves open how its own conversion rounds.
fn f16_bits(values: vec4<f32>) -> vec4<u32> {
    if (NATIVE_PACK) {
        let words = vec2(pack2x16float(values.xy), pack2x16float(values.zw));
        return vec4(words.x & 0xffffu, words.x >> 16u, words.y & 0xffffu, words.y >> 16u);
    }
    let sign = (bitcast<vec4<u32>>(values) >> vec4(16u)) & vec4(0x8000u);
    let bits = magnitude_bits4(values);
    // From 2^-14 on: the exponent's bias goes from 127 to 15, and what rounds beyond the largest is infinite.
    let normal = ((bits + vec4(0xfffu) + ((bits >> vec4(13u)) & vec4(1u))) >> vec4(13u)) - vec4(112u << 10u);
    // Below, in units of 2^-24: those of a sum beside 0.5, which rounds as sums do, to nearest, ties to even.
    let subnormal = bitcast<vec4<u32>>(bitcast<vec4<f32>>(bits) + 0.5) - vec4(0x3f000000u);
    let finite = min(select(subnormal, normal, bits >= vec4(0x38800000u)), vec4(0x7c00u));
    return sign | select(finite, vec4(0x7e00u), bits > vec4(INFINITY_BITS));
}

fn pack_halves(bits: vec4<u32>) -> vec2<u32> {
    return vec2(bits.x | (bits.y << 16u), bits.z | (bits.w << 16u));
}

// Which of a word's halves an index is, as a shift.
fn half_shift(index: u32) -> u32 {
    return (index & 1u) * 16u;
}

// The bits that change one half of a word to `bits`: applied by an atomic exclusive or, they leave the other half to whoever
// writes it at the same time.
fn half_change(before: u32, index: u32, bits: u32) -> u32 {
    return (((before >> half_shift(index)) ^ bits) & 0xffffu) << half_shift(index);
}
