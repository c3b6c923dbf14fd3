// A picture's levels as a tensor: x[channel, row, column], of (1, 3, H, W), from 0 to 1; over white where it is transparent.
//
// An invocation takes a pixel: x counts columns, y rows.

@group(0) @binding(0) var picture: texture_2d<f32>;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;

@compute @workgroup_size(16, 4)
fn main(@builtin(global_invocation_id) at: vec3<u32>) {
    let size = textureDimensions(picture);
    if (any(at.xy >= size)) {
        return;
    }
    // Its colours are multiplied by alpha already.
    let pixel = textureLoad(picture, at.xy, 0);
    let level = pixel.rgb + (1.0 - pixel.a);
    let plane = size.x * size.y;
    let index = at.y * size.x + at.x;
    x[index] = level.r;
    x[index + plane] = level.g;
    x[index + 2u * plane] = level.b;
}
