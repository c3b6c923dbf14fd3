// softpool texture 3x3x1 rgba16float
//! src/texture/kernel.rs
const TAPS = 9u;
const TAPS_X = 3u;
const TAPS_Y = 3u;
const WORKGROUP_X = 8u;
const WORKGROUP_Y = 8u;
alias Weight = vec4<f32>;
alias Bits = vec4<u32>;
alias Flags = vec4<bool>;
fn z_of(p: vec4<f32>) -> Weight {
 return p;
}
fn with_sign(p: vec4<f32>) -> vec4<f32> {
 return p * params.share;
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var source: texture_2d<f32>;
fn load(position: vec3<u32>) -> vec4<f32> {
 return textureLoad(source, position.xy, 0);
}
@group(0) @binding(2) var destination: texture_storage_2d<rgba16float, write>;
fn store(position: vec3<u32>, texel: vec4<f32>) {
 textureStore(destination, position.xy, texel);
}
fn position_of(position: vec3<u32>, at: vec3<u32>) -> vec3<u32> {
 return vec3(2u * position.x + at.x, 2u * position.y + at.y, position.z);
}
fn cover_of(position: vec3<u32>, at: vec3<u32>) -> f32 {
 return 1.0 * odd_cover(position.x, at.x, params.source_size.x) * odd_cover(position.y, at.y, params.source_size.y);
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
fn lowest() -> Weight {
 return Weight(bitcast<f32>(params.minus_infinity));
}
fn magnitude(z: Weight) -> Bits {
 return bitcast<Bits>(z) & Bits(0x7fffffffu);
}
fn is_infinite(z: Weight) -> Flags {
 return magnitude(z) == Bits(0x7f800000u);
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
 both.magnitude = max(so_far.magnitude, magnitude(z));
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
 return with_sign(vec4(select(texel.rgb * texel.a, vec3(0.0), texel.a == 0.0), texel.a));
}
fn odd_cover(output: u32, tap: u32, n: u32) -> f32 {
 let m = n / 2u;
 return f32(select(select(m, m - output, tap == 0u), output + 1u, tap == 2u)) / f32(n);
}
fn weigh(z: Weight, m: Weight, cover: f32) -> Weight {
 var e = exp2(params.steepness * (z - m));
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
fn part(p: vec4<f32>, e: Weight) -> Sums {
 return Sums(e, select(e * p, vec4(0.0), e == Weight(0.0)));
}
struct Colours {
 cover: f32,
 colour: vec3<f32>,
}
fn add_colours(sums: Colours, more: Colours) -> Colours {
 return Colours(sums.cover + more.cover, sums.colour + more.colour);
}
fn colours(texel: vec4<f32>, cover: f32) -> Colours {
 return Colours(cover, select(cover * texel.rgb, vec3(0.0), cover == 0.0));
}
fn pooled(sums: Sums, seen: Colours, m: Largest) -> vec4<f32> {
 var y = with_sign(sums.ep / sums.e);
 y = select(y, vec4(1.0) * bitcast<Weight>(m.magnitude), m.magnitude > Bits(0x7f800000u));
 {
  var mean = seen.colour;
  y = vec4(select(y.rgb / y.a, mean, y.a == 0.0), y.a);
 }
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
  seen = add_colours(seen, colours(texel, cover_of(position, at)));
 }
 {
  const at = vec3(1u % TAPS_X, (1u / TAPS_X) % TAPS_Y, 1u / (TAPS_X * TAPS_Y));
  let texel = texel_at(position_of(position, at));
  kept[1u] = pooled_form(texel);
  m = larger(m, z_of(kept[1u]));
  seen = add_colours(seen, colours(texel, cover_of(position, at)));
 }
 {
  const at = vec3(2u % TAPS_X, (2u / TAPS_X) % TAPS_Y, 2u / (TAPS_X * TAPS_Y));
  let texel = texel_at(position_of(position, at));
  kept[2u] = pooled_form(texel);
  m = larger(m, z_of(kept[2u]));
  seen = add_colours(seen, colours(texel, cover_of(position, at)));
 }
 {
  const at = vec3(3u % TAPS_X, (3u / TAPS_X) % TAPS_Y, 3u / (TAPS_X * TAPS_Y));
  let texel = texel_at(position_of(position, at));
  kept[3u] = pooled_form(texel);
  m = larger(m, z_of(kept[3u]));
  seen = add_colours(seen, colours(texel, cover_of(position, at)));
 }
 {
  const at = vec3(4u % TAPS_X, (4u / TAPS_X) % TAPS_Y, 4u / (TAPS_X * TAPS_Y));
  let texel = texel_at(position_of(position, at));
  kept[4u] = pooled_form(texel);
  m = larger(m, z_of(kept[4u]));
  seen = add_colours(seen, colours(texel, cover_of(position, at)));
 }
 {
  const at = vec3(5u % TAPS_X, (5u / TAPS_X) % TAPS_Y, 5u / (TAPS_X * TAPS_Y));
  let texel = texel_at(position_of(position, at));
  kept[5u] = pooled_form(texel);
  m = larger(m, z_of(kept[5u]));
  seen = add_colours(seen, colours(texel, cover_of(position, at)));
 }
 {
  const at = vec3(6u % TAPS_X, (6u / TAPS_X) % TAPS_Y, 6u / (TAPS_X * TAPS_Y));
  let texel = texel_at(position_of(position, at));
  kept[6u] = pooled_form(texel);
  m = larger(m, z_of(kept[6u]));
  seen = add_colours(seen, colours(texel, cover_of(position, at)));
 }
 {
  const at = vec3(7u % TAPS_X, (7u / TAPS_X) % TAPS_Y, 7u / (TAPS_X * TAPS_Y));
  let texel = texel_at(position_of(position, at));
  kept[7u] = pooled_form(texel);
  m = larger(m, z_of(kept[7u]));
  seen = add_colours(seen, colours(texel, cover_of(position, at)));
 }
 {
  const at = vec3(8u % TAPS_X, (8u / TAPS_X) % TAPS_Y, 8u / (TAPS_X * TAPS_Y));
  let texel = texel_at(position_of(position, at));
  kept[8u] = pooled_form(texel);
  m = larger(m, z_of(kept[8u]));
  seen = add_colours(seen, colours(texel, cover_of(position, at)));
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
 {
  const at = vec3(4u % TAPS_X, (4u / TAPS_X) % TAPS_Y, 4u / (TAPS_X * TAPS_Y));
  sums = add(sums, part(kept[4u], weigh(z_of(kept[4u]), m.z, cover_of(position, at))));
 }
 {
  const at = vec3(5u % TAPS_X, (5u / TAPS_X) % TAPS_Y, 5u / (TAPS_X * TAPS_Y));
  sums = add(sums, part(kept[5u], weigh(z_of(kept[5u]), m.z, cover_of(position, at))));
 }
 {
  const at = vec3(6u % TAPS_X, (6u / TAPS_X) % TAPS_Y, 6u / (TAPS_X * TAPS_Y));
  sums = add(sums, part(kept[6u], weigh(z_of(kept[6u]), m.z, cover_of(position, at))));
 }
 {
  const at = vec3(7u % TAPS_X, (7u / TAPS_X) % TAPS_Y, 7u / (TAPS_X * TAPS_Y));
  sums = add(sums, part(kept[7u], weigh(z_of(kept[7u]), m.z, cover_of(position, at))));
 }
 {
  const at = vec3(8u % TAPS_X, (8u / TAPS_X) % TAPS_Y, 8u / (TAPS_X * TAPS_Y));
  sums = add(sums, part(kept[8u], weigh(z_of(kept[8u]), m.z, cover_of(position, at))));
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
