// Where windows are, and which of them hold an input.
//
// Window o holds the positions o STRIDE - PADDING + k DILATION for k < KERNEL. Along an adaptive axis of n positions and m
// windows, KERNEL is only the most that a window holds: window o goes from floor(o n / m) up to ceil((o + 1) n / m), which is
// the rule of PyTorch, and position i is in the windows from floor(i m / n) up to ceil((i + 1) m / n).

const ADAPTIVE = vec3<bool>(ADAPTIVE_D, ADAPTIVE_H, ADAPTIVE_W);
const HAS_ADAPTIVE = ADAPTIVE_D || ADAPTIVE_H || ADAPTIVE_W;
// Of windows that hold a position, each is so many after the one before: stride and dilation have COMMON as a divisor, and
// INVERSE STRIDE / COMMON is 1 modulo STEP = DILATION / COMMON.
const STEP = vec3<u32>(STEP_D, STEP_H, STEP_W);

// floor(a b / c) for a <= c, and b and c up to 2^26: f32's estimate is off by up to 20, so that the remainder shows by how many.
fn scaled(a: u32, b: u32, c: u32) -> u32 {
    var q = u32(f32(a) * (f32(b) / f32(c)));
    var remainder = i32(a * b - q * c);
    while (remainder < 0) {
        q -= 1u;
        remainder += i32(c);
    }
    while (remainder >= i32(c)) {
        q += 1u;
        remainder -= i32(c);
    }
    return q;
}

// By axis; 0 along axes that are not adaptive.
fn scaled3(a: vec3<u32>, b: vec3<u32>, c: vec3<u32>) -> vec3<u32> {
    var q = vec3(0u);
    if (ADAPTIVE_D) {
        q.x = scaled(a.x, b.x, c.x);
    }
    if (ADAPTIVE_H) {
        q.y = scaled(a.y, b.y, c.y);
    }
    if (ADAPTIVE_W) {
        q.z = scaled(a.z, b.z, c.z);
    }
    return q;
}

// ceil(a b / c) = b - floor((c - a) b / c).
fn scaled3_up(a: vec3<u32>, b: vec3<u32>, c: vec3<u32>) -> vec3<u32> {
    return b - scaled3(c - a, b, c);
}

// A window's first position, in its padding if negative.
fn window_start(window: vec3<u32>) -> vec3<i32> {
    let start = vec3<i32>(window * STRIDE) - vec3<i32>(PADDING);
    if (HAS_ADAPTIVE) {
        let existing = min(window, params.output_size);
        return select(start, vec3<i32>(scaled3(existing, params.input_size, params.output_size)), ADAPTIVE);
    }
    return start;
}

// A window's taps by axis.
fn window_taps(window: vec3<u32>) -> vec3<u32> {
    if (HAS_ADAPTIVE) {
        let next = min(window + 1u, params.output_size);
        let end = scaled3_up(next, params.input_size, params.output_size);
        return select(KERNEL, end - vec3<u32>(window_start(window)), ADAPTIVE);
    }
    return KERNEL;
}

// The windows that hold an input: by axis so many, STEP apart from the first on.
struct Holders {
    first: vec3<u32>,
    count: vec3<u32>,
}

// The first and the number of those of `windows` that hold padded position `padded` along an axis: they start within a span of
// it, and a multiple of the dilation before it.
fn holders_along(padded: u32, windows: u32, span: u32, stride: u32, divisor: u32, step: u32, inverse: u32) -> vec2<u32> {
    let least = (max(padded + 1u, span) - span + stride - 1u) / stride;
    let end = min(padded / stride + 1u, windows);
    let place = padded / divisor % step * inverse % step;
    let first = least + (place + step - least % step) % step;
    let some = first < end && padded % divisor == 0u;
    return vec2(first, select(0u, (end - first + step - 1u) / step, some));
}

fn holders_of(at: vec3<u32>) -> Holders {
    let padded = at + PADDING;
    let windows = params.output_size;
    let d = holders_along(padded.x, windows.x, SPAN_D, STRIDE_D, COMMON_D, STEP_D, INVERSE_D);
    let h = holders_along(padded.y, windows.y, SPAN_H, STRIDE_H, COMMON_H, STEP_H, INVERSE_H);
    let w = holders_along(padded.z, windows.z, SPAN_W, STRIDE_W, COMMON_W, STEP_W, INVERSE_W);
    let first = vec3(d.x, h.x, w.x);
    let count = vec3(d.y, h.y, w.y);
    if (HAS_ADAPTIVE) {
        let adaptive = scaled3(at, windows, params.input_size);
        let end = scaled3_up(at + 1u, windows, params.input_size);
        return Holders(select(first, adaptive, ADAPTIVE), select(count, end - adaptive, ADAPTIVE));
    }
    return Holders(first, count);
}

// The holder after the one at `place`, by axis, the width's first; along depth, there is none after the last.
fn next_place(holders: Holders, place: vec3<u32>) -> vec3<u32> {
    let end_w = place.z + 1u >= holders.count.z;
    let end_h = end_w && place.y + 1u >= holders.count.y;
    return vec3(
        place.x + select(0u, 1u, end_h),
        select(place.y + select(0u, 1u, end_w), 0u, end_h),
        select(place.z + 1u, 0u, end_w),
    );
}

fn holder(holders: Holders, place: vec3<u32>) -> vec3<u32> {
    return holders.first + place * STEP;
}
