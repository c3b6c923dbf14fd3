// An input's gradient, window by window: the kernel's `covering_window` evaluates or reads each that holds it.

const SPAN = vec3<u32>(SPAN_D, SPAN_H, SPAN_W);
// Along an axis at most so many windows hold an input: those that start within a span, and no more than there are taps.
const CANDIDATES = min((SPAN - 1u) / STRIDE + 1u, KERNEL);
const NONE = 0xffffffffu;

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
    let padded = at + PADDING;
    return vec3(
        candidate(i / (CANDIDATES.y * CANDIDATES.z), padded.x, KERNEL_D, STRIDE_D, DILATION_D, SPAN_D),
        candidate(i / CANDIDATES.z % CANDIDATES.y, padded.y, KERNEL_H, STRIDE_H, DILATION_H, SPAN_H),
        candidate(i % CANDIDATES.z, padded.z, KERNEL_W, STRIDE_W, DILATION_W, SPAN_W),
    );
}

// What that candidate adds to the input's gradient.
fn candidate_gradient(i: u32, plane: u32, at: vec3<u32>, z: f32) -> f32 {
    let window = candidate_window(i, at);
    if (any(window >= params.output_size)) {
        return 0.0;
    }
    let values = covering_window(plane, window);
    let g = load_grad_output(params.y_start + window_index(plane, window));
    return element_gradient(g, weigh(z, values.c) / values.s, offset(z, values.c) - values.d);
}

fn input_gradient(plane: u32, at: vec3<u32>) -> f32 {
    let z = load_z(input_index(params.x_start, plane, at));
    var gradient = 0.0;
    for (var i = 0u; i < CANDIDATES.x * CANDIDATES.y * CANDIDATES.z; i++) {
        gradient += candidate_gradient(i, plane, at, z);
    }
    return gradient;
}
