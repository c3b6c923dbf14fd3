// What the kernels of textures share: a texel as it is pooled, its weight, and what becomes of a window's sums.
//
//     p = (red, green, blue, alpha), with STRAIGHT (red alpha, green alpha, blue alpha, alpha)
//     z = what the weight goes by: share . p, one for all channels, or by channel sign(beta) p
//     m = max z        e_i = c_i exp(|beta| (z_i - m))        y = sum e_i p_i / sum e_i
//
// c is how much of a texel the window covers, so that the c of a window add up to 1 or less. With STRAIGHT, y's colour is divided by
// y's alpha; where that is 0 it is the mean of the texels' colours, which nobody sees, but filters do.
//
// A Weight is a number with one weight for all channels, else a vector of one by channel. The prelude, which src/texture/kernel.rs
// makes, has its type, the constants, the bindings, `load` and `store`.

struct Params {
    // What of each channel counts for the weight, with beta's sign.
    share: vec4<f32>,
    // A tensor's value is scale texel + bias.
    scale: vec4<f32>,
    bias: vec4<f32>,
    // Of tensors: elements from a column, row, layer and channel to the next.
    source_strides: vec4<u32>,
    target_strides: vec4<u32>,
    // Width, height, and depth or layers.
    source_size: vec3<u32>,
    // |beta| / ln 2.
    steepness: f32,
    target_size: vec3<u32>,
    // The bits of minus infinity, which compilers must not know.
    minus_infinity: u32,
    // The first layer in the texture's view, or the first element in the tensor's binding.
    source_first: u32,
    target_first: u32,
    // In the texture's view.
    source_level: u32,
}

const LOWEST = -3.4028234e38;

// Below every weight's z.
fn lowest() -> Weight {
    if (FINITE) {
        return Weight(LOWEST);
    }
    return Weight(bitcast<f32>(params.minus_infinity));
}

fn magnitude(z: Weight) -> Bits {
    return bitcast<Bits>(z) & Bits(0x7fffffffu);
}

fn is_infinite(z: Weight) -> Flags {
    return magnitude(z) == Bits(0x7f800000u);
}

fn is_nan(z: Weight) -> Flags {
    return magnitude(z) > Bits(0x7f800000u);
}

// The larger, or the NaN, if one of both is: a maximum of WGSL's may be either then.
fn larger(a: Weight, b: Weight) -> Weight {
    if (FINITE) {
        return max(a, b);
    }
    return select(select(select(a, b, b > a), b, is_nan(b)), a, is_nan(a));
}

fn linear_from_srgb(value: vec3<f32>) -> vec3<f32> {
    let curve = pow((max(value, vec3(0.04045)) + 0.055) / 1.055, vec3(2.4));
    return select(curve, value / 12.92, value <= vec3(0.04045));
}

fn srgb_from_linear(value: vec3<f32>) -> vec3<f32> {
    let curve = 1.055 * pow(max(value, vec3(0.0031308)), vec3(1.0 / 2.4)) - 0.055;
    return select(curve, 12.92 * value, value <= vec3(0.0031308));
}

// The colour that is pooled, of what is stored for it.
fn texel_of(stored: vec4<f32>) -> vec4<f32> {
    if (DECODE) {
        return vec4(linear_from_srgb(stored.rgb), stored.a);
    }
    return stored;
}

// What is stored for a colour.
fn stored_form(texel: vec4<f32>) -> vec4<f32> {
    if (ENCODE) {
        return vec4(srgb_from_linear(texel.rgb), texel.a);
    }
    return texel;
}

fn texel_at(position: vec3<u32>) -> vec4<f32> {
    return texel_of(load(position));
}

fn pooled_form(texel: vec4<f32>) -> vec4<f32> {
    if (STRAIGHT) {
        // What can't be seen has no part in what can, whatever it is.
        return vec4(select(texel.rgb * texel.a, vec3(0.0), texel.a == 0.0), texel.a);
    }
    return texel;
}

// One for all channels.
fn shared_z(p: vec4<f32>) -> f32 {
    if (FINITE) {
        return dot(p, params.share);
    }
    // What doesn't count may be anything.
    let parts = select(p * params.share, vec4(0.0), params.share == vec4(0.0));
    return parts.x + parts.y + parts.z + parts.w;
}

// How much of the texel `tap` of three the one texel below them covers, where n = 2 m + 1 texels have m below: each of these is as wide
// as 2 + 1 / m of them, so that no texel is lost and all count alike. The three add up to 1.
fn odd_cover(output: u32, tap: u32, n: u32) -> f32 {
    let m = n / 2u;
    return f32(select(select(m, m - output, tap == 0u), output + 1u, tap == 2u)) / f32(n);
}

// What a texel weighs: infinities are the limits. A z of plus infinity leaves nothing to others, one of minus infinity leaves
// all to others, and at a beta of 0 all weigh alike.
fn weigh(z: Weight, m: Weight, cover: f32) -> Weight {
    var e = exp2(params.steepness * (z - m));
    if (PADDED) {
        // Beyond the source z may be anything, above m too.
        e = select(Weight(0.0), e, Flags(cover > 0.0));
    }
    if (FINITE) {
        return cover * e;
    }
    let limit = is_infinite(z) | is_infinite(m);
    let one = (bitcast<Bits>(z) == bitcast<Bits>(m)) | (Flags(params.steepness == 0.0) & !is_infinite(m));
    return cover * select(select(e, Weight(0.0), limit), Weight(1.0), one);
}

struct Sums {
    e: Weight,
    ep: vec4<f32>,
    cover: f32,
    colour: vec3<f32>,
}

fn add(sums: Sums, more: Sums) -> Sums {
    var both: Sums;
    both.e = sums.e + more.e;
    both.ep = sums.ep + more.ep;
    if (STRAIGHT) {
        both.cover = sums.cover + more.cover;
        both.colour = sums.colour + more.colour;
    }
    return both;
}

// What a texel adds.
fn part(texel: vec4<f32>, p: vec4<f32>, e: Weight, cover: f32) -> Sums {
    var sums: Sums;
    sums.e = e;
    sums.ep = e * p;
    if (!FINITE) {
        sums.ep = select(sums.ep, vec4(0.0), e == Weight(0.0));
    }
    if (STRAIGHT) {
        sums.cover = cover;
        sums.colour = cover * texel.rgb;
        if (!FINITE) {
            sums.colour = select(sums.colour, vec3(0.0), cover == 0.0);
        }
    }
    return sums;
}

// The pooled texel. A window without a texel, which is all padding, is 0.
fn pooled(sums: Sums, m: Weight) -> vec4<f32> {
    var y = sums.ep / sums.e;
    if (PARTIAL) {
        y = select(y, vec4(0.0), sums.e == Weight(0.0));
    }
    if (!FINITE) {
        // One that m is NaN by is NaN, whatever a driver makes of exponentials of NaN. That of m has another payload than any other.
        y = select(y, vec4(1.0) * m, is_nan(m));
    }
    if (STRAIGHT) {
        var mean = sums.colour;
        if (PARTIAL) {
            mean = select(mean / sums.cover, vec3(0.0), sums.cover == 0.0);
        }
        y = vec4(select(y.rgb / y.a, mean, y.a == 0.0), y.a);
    }
    return y;
}
