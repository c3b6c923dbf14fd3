// softpool mips 6+6 rgba8unorm
//! src/texture/tiles.rs
const TAPS = 4u;
const TAPS_X = 2u;
const TAPS_Y = 2u;
const LANES = 256u;
const TILE = 1u;
const FIRST = 6u;
const LEVELS = 12u;
const ODD_CELLS = 1024u;
const EVEN_CELLS = 256u;
const LAST = true;
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
fn position_of(position: vec3<u32>, at: vec3<u32>) -> vec3<u32> {
 return vec3(2u * position.x + at.x, 2u * position.y + at.y, position.z);
}
fn cover_of(position: vec3<u32>, at: vec3<u32>) -> f32 {
 return 0.25;
}
alias Packed = u32;
fn packed(texel: vec4<f32>) -> Packed {
 return pack4x8unorm(texel);
}
fn unpacked(bits: Packed) -> vec4<f32> {
 return unpack4x8unorm(bits);
}
@group(0) @binding(2) var destination_1: texture_storage_2d<rgba8unorm, write>;
@group(0) @binding(3) var destination_2: texture_storage_2d<rgba8unorm, write>;
@group(0) @binding(4) var destination_3: texture_storage_2d<rgba8unorm, write>;
@group(0) @binding(5) var destination_4: texture_storage_2d<rgba8unorm, write>;
@group(0) @binding(6) var destination_5: texture_storage_2d<rgba8unorm, write>;
@group(0) @binding(7) var destination_6: texture_storage_2d<rgba8unorm, write>;
@group(0) @binding(8) var destination_7: texture_storage_2d<rgba8unorm, write>;
@group(0) @binding(9) var destination_8: texture_storage_2d<rgba8unorm, write>;
@group(0) @binding(10) var destination_9: texture_storage_2d<rgba8unorm, write>;
@group(0) @binding(11) var destination_10: texture_storage_2d<rgba8unorm, write>;
@group(0) @binding(12) var destination_11: texture_storage_2d<rgba8unorm, write>;
@group(0) @binding(13) var destination_12: texture_storage_2d<rgba8unorm, write>;
fn store_level(level: u32, position: vec3<u32>, texel: vec4<f32>) {
 switch (level) {
  case 1u: { textureStore(destination_1, position.xy, texel); }
  case 2u: { textureStore(destination_2, position.xy, texel); }
  case 3u: { textureStore(destination_3, position.xy, texel); }
  case 4u: { textureStore(destination_4, position.xy, texel); }
  case 5u: { textureStore(destination_5, position.xy, texel); }
  case 6u: { textureStore(destination_6, position.xy, texel); }
  case 7u: { textureStore(destination_7, position.xy, texel); }
  case 8u: { textureStore(destination_8, position.xy, texel); }
  case 9u: { textureStore(destination_9, position.xy, texel); }
  case 10u: { textureStore(destination_10, position.xy, texel); }
  case 11u: { textureStore(destination_11, position.xy, texel); }
  default: { textureStore(destination_12, position.xy, texel); }
 }
}
@group(0) @binding(14) var<uniform> sizes: Sizes;
@group(0) @binding(15) var<storage, read_write> rest: array<atomic<u32>>;
fn first_word(layer: u32, index: u32) -> u32 {
 let texels = sizes.by_level[FIRST].x * sizes.by_level[FIRST].y;
 return params.target_size.z + (layer * texels + index) * 1u;
}
fn leave(layer: u32, index: u32, texel: Packed) {
 let first = first_word(layer, index);
 atomicStore(&rest[first + 0u], texel);
}
fn left(layer: u32, index: u32) -> Packed {
 let first = first_word(layer, index);
 return Packed(atomicOr(&rest[first + 0u], 0u));
}
fn arrive(layer: u32) -> u32 {
 return atomicAdd(&rest[layer], 1u);
}
fn leave_none(layer: u32) {
 atomicStore(&rest[layer], 0u);
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
fn linear_from_srgb(value: vec3<f32>) -> vec3<f32> {
 let curve = pow(value * (1.0 / 1.055) + 0.055 / 1.055, vec3(2.4));
 return select(curve, value / 12.92, value <= vec3(0.04045));
}
fn srgb_from_linear(value: vec3<f32>) -> vec3<f32> {
 let curve = 1.055 * pow(value, vec3(1.0 / 2.4)) - 0.055;
 return select(curve, 12.92 * value, value <= vec3(0.0031308));
}
fn texel_of(stored: vec4<f32>) -> vec4<f32> {
 return vec4(linear_from_srgb(stored.rgb), stored.a);
}
fn stored_form(texel: vec4<f32>) -> vec4<f32> {
 return vec4(srgb_from_linear(texel.rgb), texel.a);
}
fn texel_at(position: vec3<u32>) -> vec4<f32> {
 return texel_of(load(position));
}
fn pooled_form(texel: vec4<f32>) -> vec4<f32> {
 return with_sign(vec4(texel.rgb * texel.a, texel.a));
}
fn shared_z(p: vec4<f32>) -> f32 {
 return dot(p, params.share);
}
fn odd_cover(output: u32, tap: u32, n: u32) -> f32 {
 let m = n / 2u;
 return f32(select(select(m, m - output, tap == 0u), output + 1u, tap == 2u)) / f32(n);
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
fn add_colours(sums: Colours, more: Colours) -> Colours {
 return Colours(sums.cover + more.cover, sums.colour + more.colour);
}
fn colours(texel: vec4<f32>, cover: f32) -> Colours {
 return Colours(cover, cover * texel.rgb);
}
fn pooled(sums: Sums, seen: Colours, m: Largest) -> vec4<f32> {
 var y = with_sign(sums.ep / sums.e);
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
//! shaders/textures/tiles.wgsl
struct Sizes {
 by_level: array<vec4<u32>, 13>,
}
var<workgroup> odd_tile: array<Packed, ODD_CELLS>;
var<workgroup> even_tile: array<Packed, EVEN_CELLS>;
var<workgroup> is_last: u32;
fn needed(level: u32) -> vec2<u32> {
 var count = vec2(TILE);
 for (var upper = FIRST; upper > level; upper--) {
  let size = sizes.by_level[upper - 1u].xy;
  count = select(2u * count + (size & vec2(1u)), vec2(1u), size == vec2(1u));
 }
 return count;
}
fn kept(level: u32, index: u32) -> vec4<f32> {
 if ((level & 1u) == 1u) {
  return texel_of(unpacked(odd_tile[index]));
 }
 return texel_of(unpacked(even_tile[index]));
}
fn keep(level: u32, index: u32, texel: Packed) {
 if ((level & 1u) == 1u) {
  odd_tile[index] = texel;
 } else {
  even_tile[index] = texel;
 }
}
fn pooled_kept(level: u32, position: vec2<u32>, first: vec2<u32>, width: u32, layer: u32) -> vec4<f32> {
 let size = sizes.by_level[level - 1u].xy;
 let taps = select(vec2(2u) + (size & vec2(1u)), vec2(1u), size == vec2(1u));
 let start = 2u * position - first;
 var m = none();
 for (var y = 0u; y < taps.y; y++) {
  for (var x = 0u; x < taps.x; x++) {
   m = larger(m, z_of(pooled_form(above(level, (start.y + y) * width + start.x + x, layer))));
  }
 }
 var sums: Sums;
 var seen: Colours;
 for (var y = 0u; y < taps.y; y++) {
  for (var x = 0u; x < taps.x; x++) {
   let at = (start.y + y) * width + start.x + x;
   let texel = above(level, at, layer);
   let p = pooled_form(texel);
   let cover = mip_cover(position.x, x, size.x) * mip_cover(position.y, y, size.y);
   sums = add(sums, part(p, weigh(z_of(p), m.z, cover)));
   seen = add_colours(seen, colours(texel, cover));
  }
 }
 return pooled(sums, seen, m);
}
fn mip_cover(output: u32, tap: u32, n: u32) -> f32 {
 if ((n & 1u) == 0u) {
  return 0.5;
 }
 return select(odd_cover(output, tap, n), 1.0, n == 1u);
}
fn above(level: u32, index: u32, layer: u32) -> vec4<f32> {
 if (LAST && level == FIRST + 1u) {
  return texel_of(unpacked(left(layer, index)));
 }
 return kept(level - 1u, index);
}
fn make_level(level: u32, first: vec2<u32>, count: vec2<u32>, end: vec2<u32>, above_first: vec2<u32>, above_width: u32, layer: u32, lane: u32) {
 for (var index = lane; index < count.x * count.y; index += LANES) {
  let row = u32((f32(index) + 0.5) / f32(count.x));
  let position = first + vec2(index - row * count.x, row);
  var texel: vec4<f32>;
  if (level == 1u) {
   texel = pooled_window(vec3(position, layer));
  } else {
   texel = pooled_kept(level, position, above_first, above_width, layer);
  }
  let packed_texel = packed(stored_form(texel));
  keep(level, index, packed_texel);
  if (all(position < end)) {
   store_level(level, vec3(position, layer), unpacked(packed_texel));
   if (LAST && level == FIRST) {
    leave(layer, position.y * sizes.by_level[FIRST].x + position.x, packed_texel);
   }
  }
 }
}
@compute @workgroup_size(LANES, 1, 1)
fn main(
@builtin(workgroup_id) group: vec3<u32>,
@builtin(num_workgroups) groups: vec3<u32>,
@builtin(local_invocation_index) lane: u32,
) {
 let layer = group.z;
 var above_first = vec2(0u);
 var above_width = 0u;
 for (var level = 1u; level <= FIRST; level++) {
  let own = TILE << (FIRST - level);
  let first = group.xy * own;
  let size = sizes.by_level[level].xy;
  let count = min(needed(level), size - first);
  let end = select(first + vec2(own), size, group.xy + vec2(1u) == groups.xy);
  make_level(level, first, count, end, above_first, above_width, layer, lane);
  above_first = first;
  above_width = count.x;
  workgroupBarrier();
 }
 storageBarrier();
 if (lane == 0u) {
  is_last = select(0u, 1u, arrive(layer) == groups.x * groups.y - 1u);
 }
 if (workgroupUniformLoad(&is_last) == 0u) {
  return;
 }
 storageBarrier();
 if (lane == 0u) {
  leave_none(layer);
 }
 for (var level = FIRST + 1u; level <= LEVELS; level++) {
  let size = sizes.by_level[level].xy;
  make_level(level, vec2(0u), size, size, vec2(0u), sizes.by_level[level - 1u].x, layer, lane);
  workgroupBarrier();
 }
}
