// Draws a picture, or the difference of two, into a part of a canvas: whole, with a frame around what is magnified below, or
// magnified.
//
// A fragment is the mean of the texels that it covers, or one texel where texels are larger.

struct View {
    // The part of the canvas: its first pixel and its size.
    first: vec2<f32>,
    size: vec2<f32>,
    // What it shows of the picture, of 0 to 1: the first corner and the size.
    corner: vec2<f32>,
    extent: vec2<f32>,
    // What to put a frame around, likewise; none if its size is 0.
    framed_corner: vec2<f32>,
    framed_extent: vec2<f32>,
    // 0 shows the first picture; else the two's difference, times this.
    gain: f32,
}

// The most texels that a fragment reads along an axis.
const MAX_TAPS = 8;

@group(0) @binding(0) var first_picture: texture_2d<f32>;
@group(0) @binding(1) var second_picture: texture_2d<f32>;
@group(0) @binding(2) var<uniform> view: View;

@vertex
fn corner(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    // A triangle that covers the part.
    return vec4(f32(index / 2u) * 4.0 - 1.0, f32(index % 2u) * 4.0 - 1.0, 0.0, 1.0);
}

fn texel(at: vec2<i32>) -> vec3<f32> {
    let first = textureLoad(first_picture, at, 0);
    // The picture itself may be transparent; see unpack.wgsl.
    let shown = first.rgb + (1.0 - first.a);
    if (view.gain == 0.0) {
        return shown;
    }
    return abs(shown - textureLoad(second_picture, at, 0).rgb) * view.gain;
}

@fragment
fn pixel(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    let step = view.extent / view.size;
    let at = view.corner + (position.xy - view.first) * step;

    let size = vec2<f32>(textureDimensions(first_picture));
    let last = vec2<i32>(size) - 1;
    let taps = clamp(vec2<i32>(ceil(step * size)), vec2(1), vec2(MAX_TAPS));
    var sum = vec3(0.0);
    for (var row = 0; row < taps.y; row++) {
        for (var column = 0; column < taps.x; column++) {
            let offset = (vec2(f32(column), f32(row)) + 0.5) / vec2<f32>(taps) - 0.5;
            let place = vec2<i32>(floor((at + offset * step) * size));
            sum += texel(clamp(place, vec2(0), last));
        }
    }
    let color = sum / f32(taps.x * taps.y);

    // The frame is two pixels wide, white beside black, so that it shows on any picture.
    let inside = (at - view.framed_corner) / step;
    let beyond = view.framed_extent / step - inside;
    let depth = min(min(inside.x, inside.y), min(beyond.x, beyond.y));
    if (view.framed_extent.x > 0.0 && depth >= -1.0 && depth < 1.0) {
        return vec4(vec3(select(0.0, 1.0, depth >= 0.0)), 1.0);
    }
    return vec4(color, 1.0);
}
