// Where windows are, and which of them hold an input.
//
// Window o holds the positions o STRIDE - PADDING + k DILATION for k < KERNEL. Along an adaptive axis of n positions and m
// windows, KERNEL is only the most that a window holds: window o goes from floor(o n / m) up to ceil((o + 1) n / m), which is
// the rule of PyTorch, and position i is in the windows from floor(i m / n) up to ceil((i + 1) m / n), at most two.

const ADAPTIVE = vec3<bool>(ADAPTIVE_D, ADAPTIVE_H, ADAPTIVE_W);
const HAS_ADAPTIVE = ADAPTIVE_D || ADAPTIVE_H || ADAPTIVE_W;
const SPAN = vec3<u32>(SPAN_D, SPAN_H, SPAN_W);
// Along an axis at most so many windows hold an input: those that start within a span, and no more than there are taps.
const CANDIDATES = select(min((SPAN - 1u) / STRIDE + 1u, KERNEL), vec3(2u), ADAPTIVE);
const NONE = 0xffffffffu;

// floor(a b / c) for a <= c and sizes up to 2^26: f32's estimate is off by a few, which the remainder shows.
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

// The candidate for the window that holds padded position `padded` along an axis: candidates are counted by window, or by
// tap where taps are fewer.
fn candidate(i: u32, padded: u32, kernel: u32, stride: u32, dilation: u32, span: u32) -> u32 {
    if (kernel <= (span - 1u) / stride) {
        let start = padded - i * dilation;
        return select(NONE, start / stride, i * dilation <= padded && start % stride == 0u);
    }
    let window = (max(padded + 1u, span) - span + stride - 1u) / stride + i;
    let start = window * stride;
    return select(NONE, window, start <= padded && (padded - start) % dilation == 0u);
}

// Candidate `i` of all for the input at `at`: a window that holds it, or one beyond the last.
fn candidate_window(i: u32, at: vec3<u32>) -> vec3<u32> {
    let by_axis = vec3(i / (CANDIDATES.y * CANDIDATES.z), i / CANDIDATES.z % CANDIDATES.y, i % CANDIDATES.z);
    let padded = at + PADDING;
    let window = vec3(
        candidate(by_axis.x, padded.x, KERNEL_D, STRIDE_D, DILATION_D, SPAN_D),
        candidate(by_axis.y, padded.y, KERNEL_H, STRIDE_H, DILATION_H, SPAN_H),
        candidate(by_axis.z, padded.z, KERNEL_W, STRIDE_W, DILATION_W, SPAN_W),
    );
    if (HAS_ADAPTIVE) {
        let adaptive = scaled3(at, params.output_size, params.input_size) + by_axis;
        let end = scaled3_up(at + 1u, params.output_size, params.input_size);
        return select(window, select(vec3(NONE), adaptive, adaptive < end), ADAPTIVE);
    }
    return window;
}
