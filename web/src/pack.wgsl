// A pooled tensor as a picture: the inverse of unpack.wgsl.
//
// An invocation takes a pixel: x counts columns, y rows.

@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var pooled: texture_storage_2d<rgba8unorm, write>;

@compute @workgroup_size(16, 4)
fn main(@builtin(global_invocation_id) at: vec3<u32>) {
    let size = textureDimensions(pooled);
    if (any(at.xy >= size)) {
        return;
    }
    let plane = size.x * size.y;
    let index = at.y * size.x + at.x;
    textureStore(pooled, at.xy, vec4(y[index], y[index + plane], y[index + 2u * plane], 1.0));
}
