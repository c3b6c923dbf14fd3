// What the kernels of textures share: a texel as it is pooled, its weight, and what becomes of a window's sums.
//
//     p = (red, green, blue, alpha), with STRAIGHT (red alpha, green alpha, blue alpha, alpha)
//     z = what the weight goes by: share . p, one for all channels, or by channel p itself, which then has beta's sign
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

// The largest z of a window. Where one is NaN a maximum of WGSL's may be either; then the largest magnitude is that of a NaN.
struct Largest {
    z: Weight,
    magnitude: Bits,
}

fn none() -> Largest {
    return Largest(lowest(), Bits(0u));
}

fn larger(so_far: Largest, z: Weight) -> Largest {
    var both = so_far;
    both.z = max(so_far.z, z);
    if (!FINITE) {
        both.magnitude = max(so_far.magnitude, magnitude(z));
    }
    return both;
}

// Both of 0 to 1, as nothing else is stored as sRGB.
fn linear_from_srgb(value: vec3<f32>) -> vec3<f32> {
    let curve = pow(value * (1.0 / 1.055) + 0.055 / 1.055, vec3(2.4));
    return select(curve, value / 12.92, value <= vec3(0.04045));
}

fn srgb_from_linear(value: vec3<f32>) -> vec3<f32> {
    let curve = 1.055 * pow(value, vec3(1.0 / 2.4)) - 0.055;
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
    if (STRAIGHT && FINITE) {
        return with_sign(vec4(texel.rgb * texel.a, texel.a));
    }
    if (STRAIGHT) {
        // What can't be seen has no part in what can, whatever it is.
        return with_sign(vec4(select(texel.rgb * texel.a, vec3(0.0), texel.a == 0.0), texel.a));
    }
    return with_sign(texel);
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
}

fn add(sums: Sums, more: Sums) -> Sums {
    return Sums(sums.e + more.e, sums.ep + more.ep);
}

// What a texel adds.
fn part(p: vec4<f32>, e: Weight) -> Sums {
    if (FINITE) {
        return Sums(e, e * p);
    }
    return Sums(e, select(e * p, vec4(0.0), e == Weight(0.0)));
}

// Of which a window without alpha has its colour.
struct Colours {
    cover: f32,
    colour: vec3<f32>,
}

fn add_colours(sums: Colours, more: Colours) -> Colours {
    return Colours(sums.cover + more.cover, sums.colour + more.colour);
}

fn colours(texel: vec4<f32>, cover: f32) -> Colours {
    if (FINITE) {
        return Colours(cover, cover * texel.rgb);
    }
    return Colours(cover, select(cover * texel.rgb, vec3(0.0), cover == 0.0));
}

// The pooled texel. A window without a texel, which is all padding, is 0.
fn pooled(sums: Sums, seen: Colours, m: Largest) -> vec4<f32> {
    var y = with_sign(sums.ep / sums.e);
    if (PARTIAL) {
        y = select(y, vec4(0.0), sums.e == Weight(0.0));
    }
    if (!FINITE) {
        // One that m is NaN by is NaN, whatever a driver makes of exponentials of NaN. That of m has another payload than any other.
        y = select(y, vec4(1.0) * bitcast<Weight>(m.magnitude), m.magnitude > Bits(0x7f800000u));
    }
    if (STRAIGHT) {
        var mean = seen.colour;
        if (PARTIAL) {
            mean = select(mean / seen.cover, vec3(0.0), seen.cover == 0.0);
        }
        y = vec4(select(y.rgb / y.a, mean, y.a == 0.0), y.a);
    }
    return y;
}
