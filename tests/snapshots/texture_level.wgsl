// softpool texture 2x2x1 rgba8unorm
//! src/texture/kernel.rs
const TAPS = 4u;
const TAPS_X = 2u;
const TAPS_Y = 2u;
const WORKGROUP_X = 8u;
const WORKGROUP_Y = 8u;
alias Weight = f32;
alias Bits = u32;
fn z_of(p: vec4<f32>) -> Weight {
 return shared_z(p);
}
fn with_sign(p: vec4<f32>) -> vec4<f32> {
 return p;
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var source: texture_2d<f32>;
fn load(position: vec3<u32>) -> vec4<f32> {
 return textureLoad(source, position.xy, 0);
}
@group(0) @binding(2) var destination: texture_storage_2d<rgba8unorm, write>;
fn store(position: vec3<u32>, texel: vec4<f32>) {
 textureStore(destination, position.xy, texel);
}
fn position_of(position: vec3<u32>, at: vec3<u32>) -> vec3<u32> {
 return vec3(2u * position.x + at.x, 2u * position.y + at.y, position.z);
}
fn cover_of(position: vec3<u32>, at: vec3<u32>) -> f32 {
 return 0.25;
}
//! shaders/textures/texels.wgsl
struct Params {
 share: vec4<f32>,
 scale: vec4<f32>,
 bias: vec4<f32>,
 source_strides: vec4<u32>,
 target_strides: vec4<u32>,
 source_size: vec3<u32>,
 steepness: f32,
 target_size: vec3<u32>,
 minus_infinity: u32,
 source_first: u32,
 target_first: u32,
 source_level: u32,
}
const LOWEST = -3.4028234e38;
fn lowest() -> Weight {
 return Weight(LOWEST);
}
fn magnitude(z: Weight) -> Bits {
 return bitcast<Bits>(z) & Bits(0x7fffffffu);
}
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
 return both;
}
fn texel_of(stored: vec4<f32>) -> vec4<f32> {
 return stored;
}
fn stored_form(texel: vec4<f32>) -> vec4<f32> {
 return texel;
}
fn texel_at(position: vec3<u32>) -> vec4<f32> {
 return texel_of(load(position));
}
fn pooled_form(texel: vec4<f32>) -> vec4<f32> {
 return with_sign(texel);
}
fn shared_z(p: vec4<f32>) -> f32 {
 return dot(p, params.share);
}
fn weigh(z: Weight, m: Weight, cover: f32) -> Weight {
 var e = exp2(params.steepness * (z - m));
 return cover * e;
}
struct Sums {
 e: Weight,
 ep: vec4<f32>,
}
fn add(sums: Sums, more: Sums) -> Sums {
 return Sums(sums.e + more.e, sums.ep + more.ep);
}
fn part(p: vec4<f32>, e: Weight) -> Sums {
 return Sums(e, e * p);
}
struct Colours {
 cover: f32,
 colour: vec3<f32>,
}
fn pooled(sums: Sums, seen: Colours, m: Largest) -> vec4<f32> {
 var y = with_sign(sums.ep / sums.e);
 return y;
}
//! shaders/textures/window_kept.wgsl
fn pooled_window(position: vec3<u32>) -> vec4<f32> {
 var kept: array<vec4<f32>, TAPS>;
 var seen: Colours;
 var m = none();
 {
  const at = vec3(0u % TAPS_X, (0u / TAPS_X) % TAPS_Y, 0u / (TAPS_X * TAPS_Y));
  let texel = texel_at(position_of(position, at));
  kept[0u] = pooled_form(texel);
  m = larger(m, z_of(kept[0u]));
 }
 {
  const at = vec3(1u % TAPS_X, (1u / TAPS_X) % TAPS_Y, 1u / (TAPS_X * TAPS_Y));
  let texel = texel_at(position_of(position, at));
  kept[1u] = pooled_form(texel);
  m = larger(m, z_of(kept[1u]));
 }
 {
  const at = vec3(2u % TAPS_X, (2u / TAPS_X) % TAPS_Y, 2u / (TAPS_X * TAPS_Y));
  let texel = texel_at(position_of(position, at));
  kept[2u] = pooled_form(texel);
  m = larger(m, z_of(kept[2u]));
 }
 {
  const at = vec3(3u % TAPS_X, (3u / TAPS_X) % TAPS_Y, 3u / (TAPS_X * TAPS_Y));
  let texel = texel_at(position_of(position, at));
  kept[3u] = pooled_form(texel);
  m = larger(m, z_of(kept[3u]));
 }
 var sums: Sums;
 {
  const at = vec3(0u % TAPS_X, (0u / TAPS_X) % TAPS_Y, 0u / (TAPS_X * TAPS_Y));
  sums = add(sums, part(kept[0u], weigh(z_of(kept[0u]), m.z, cover_of(position, at))));
 }
 {
  const at = vec3(1u % TAPS_X, (1u / TAPS_X) % TAPS_Y, 1u / (TAPS_X * TAPS_Y));
  sums = add(sums, part(kept[1u], weigh(z_of(kept[1u]), m.z, cover_of(position, at))));
 }
 {
  const at = vec3(2u % TAPS_X, (2u / TAPS_X) % TAPS_Y, 2u / (TAPS_X * TAPS_Y));
  sums = add(sums, part(kept[2u], weigh(z_of(kept[2u]), m.z, cover_of(position, at))));
 }
 {
  const at = vec3(3u % TAPS_X, (3u / TAPS_X) % TAPS_Y, 3u / (TAPS_X * TAPS_Y));
  sums = add(sums, part(kept[3u], weigh(z_of(kept[3u]), m.z, cover_of(position, at))));
 }
 return pooled(sums, seen, m);
}
//! shaders/textures/window.wgsl
@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y, 1)
fn main(@builtin(global_invocation_id) position: vec3<u32>) {
 if (all(position.xy < params.target_size.xy)) {
  store(position, stored_form(pooled_window(position)));
 }
}
