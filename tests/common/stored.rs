//! Poolings whose tensors lie in one buffer in any element type, with any strides, at any element: next to each other, so that
//! halves of different tensors share words.

use softpool::{
    BackwardTensors, ElementType, ForwardTensors, GpuContext, GpuSoftPool, JvpTensors, SecondBackwardTensors, Shape,
    TensorView,
};

use super::{Case, Random};

/// Where a tensor's elements are, in elements of its type.
#[derive(Clone, Debug)]
pub struct Stored {
    pub shape: Shape,
    pub element_type: ElementType,
    pub strides: Vec<usize>,
}

/// How a random tensor lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Contiguous,
    /// Batch, spatial axes, channels.
    ChannelsLast,
    /// Axes in any order, some of them with gaps.
    Any,
}

impl Stored {
    pub fn new(shape: Shape, element_type: ElementType, order: Order, random: &mut Random) -> Self {
        let axes = shape.dims().len();
        let mut below = |bound: usize| ((random.uniform() * bound as f32) as usize).min(bound - 1);
        // Axes from the innermost on.
        let mut inner: Vec<usize> = (0..axes).rev().collect();
        let channel = axes - shape.spatial().len() - 1;
        match order {
            Order::Contiguous => {}
            Order::ChannelsLast => {
                inner.retain(|&axis| axis != channel);
                inner.insert(0, channel);
            }
            Order::Any => (1..axes).rev().for_each(|i| inner.swap(i, below(i + 1))),
        }
        let (mut strides, mut stride) = (vec![0; axes], 1);
        for axis in inner {
            if order == Order::Any {
                stride *= 1 + usize::from(below(3) == 0);
            }
            strides[axis] = stride;
            stride *= shape.dims()[axis].max(1);
        }
        Self { shape, element_type, strides }
    }

    /// Elements from the first to the last.
    pub fn span(&self) -> usize {
        1 + self.shape.dims().iter().zip(&self.strides).map(|(dim, stride)| (dim - 1) * stride).sum::<usize>()
    }

    /// The places of the elements, in the order of a contiguous tensor.
    pub fn places(&self) -> Vec<usize> {
        let mut places = vec![0];
        for (&dim, &stride) in self.shape.dims().iter().zip(&self.strides) {
            places = places.iter().flat_map(|place| (0..dim).map(move |i| place + i * stride)).collect();
        }
        places
    }

    pub fn view<'a>(&self, buffer: &'a softpool::wgpu::Buffer, byte_offset: usize) -> TensorView<'a> {
        let view = TensorView::new(buffer, self.shape).of_type(self.element_type).at_byte_offset(byte_offset as u64);
        view.with_strides(&self.strides).expect("one stride an axis")
    }
}

/// The tensors of a forward, a backward, a jvp and a second backward.
pub const TENSORS: [&str; 10] = ["x", "g", "v", "y", "lse", "y alone", "grad_input", "jvp", "grad of g", "grad of x"];
/// Those of [`TENSORS`] that are inputs of the pooling; the others are written.
const READ: usize = 3;

/// Runs `case` with its tensors stored so, next to each other in one buffer from byte `lead` on, and returns what was written,
/// as f32.
///
/// # Panics
/// If a byte changes that belongs to no output.
pub fn run_stored(
    context: &GpuContext,
    pool: &GpuSoftPool,
    case: &Case,
    v: &[f32],
    stored: &[Stored; TENSORS.len()],
    lead: usize,
) -> Vec<Vec<f32>> {
    const POISON: u8 = 0xa5;
    let mut bytes = vec![POISON; lead];
    let mut offsets = Vec::new();
    for tensor in stored {
        let size = tensor.element_type.bytes() as usize;
        let offset = bytes.len().next_multiple_of(size);
        offsets.push(offset);
        bytes.resize(offset + tensor.span() * size, POISON);
    }
    bytes.resize((bytes.len() + 6).next_multiple_of(4), POISON);
    for (index, values) in [&case.x[..], &case.grad_output, v].into_iter().enumerate() {
        let size = stored[index].element_type.bytes() as usize;
        for (place, value) in stored[index].places().into_iter().zip(values) {
            let encoded = stored[index].element_type.encode(&[*value]);
            bytes[offsets[index] + place * size..][..size].copy_from_slice(&encoded[..size]);
        }
    }
    let words = Shape::new([bytes.len() / 4]).expect("a small buffer");
    let buffer =
        context.upload(words, bytemuck::cast_slice(&bytes.chunks(4).map(word).collect::<Vec<_>>())).expect("small");
    let view = |index: usize| stored[index].view(buffer.buffer(), offsets[index]);
    let [x, g, v, y, lse, y_alone, grad_input, jvp, grad_of_g, grad_of_x] = std::array::from_fn(view);

    let mut encoder = context.device.create_command_encoder(&Default::default());
    let forward = ForwardTensors { lse: Some(lse), ..ForwardTensors::new(x, y) };
    pool.encode(&mut encoder, forward).expect("a valid case");
    pool.encode(&mut encoder, ForwardTensors::new(x, y_alone)).expect("a valid case");
    pool.encode(&mut encoder, BackwardTensors::new(x, g, grad_input)).expect("a valid case");
    let tensors = JvpTensors { input: x, tangent: v, output: jvp, statistics: None };
    pool.encode(&mut encoder, tensors).expect("a valid case");
    let tensors = SecondBackwardTensors {
        input: x,
        grad_output: g,
        tangent: v,
        grad_of_grad_output: Some(grad_of_g),
        grad_of_input: grad_of_x,
        statistics: None,
    };
    pool.encode(&mut encoder, tensors).expect("a valid case");
    context.queue.submit([encoder.finish()]);

    let got: Vec<f32> = buffer.read_blocking().expect("a device that works");
    let got: &[u8] = bytemuck::cast_slice(&got);
    let mut written = vec![false; bytes.len()];
    let mut results = Vec::new();
    for (tensor, offset) in stored.iter().zip(&offsets).skip(READ) {
        let size = tensor.element_type.bytes() as usize;
        let mut values = Vec::new();
        for place in tensor.places() {
            let element = offset + place * size..offset + (place + 1) * size;
            written[element.clone()].fill(true);
            values.extend(tensor.element_type.decode(&got[element.clone()].repeat(2), 1));
        }
        results.push(values);
    }
    for (index, (got, before)) in got.iter().zip(&bytes).enumerate() {
        assert!(written[index] || got == before, "{} on {}: byte {index} was written", case.name, context.name());
    }
    results
}

fn word(bytes: &[u8]) -> f32 {
    f32::from_bits(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

/// The same on contiguous f32 tensors, each of its own.
pub fn run_plainly(context: &GpuContext, pool: &GpuSoftPool, case: &Case, v: &[f32]) -> Vec<Vec<f32>> {
    let upload = |shape, values: &[f32]| context.upload(shape, values).expect("a small tensor");
    let (x, g) = (upload(case.shape, &case.x), upload(case.pooled(), &case.grad_output));
    let v = upload(case.shape, v);
    let outputs = softpool::Outputs { lse: true, ..Default::default() };
    let forward = pool.forward_with(&x, outputs).expect("a valid case");
    let second = pool.second_backward(&x, &g, &v).expect("a valid case");
    let tensors = [
        forward.y,
        forward.lse.expect("asked for"),
        pool.forward(&x).expect("a valid case"),
        pool.backward(&x, &g).expect("a valid case"),
        pool.jvp(&x, &v).expect("a valid case"),
        second.grad_output,
        second.input,
    ];
    tensors.iter().map(|tensor| tensor.read_blocking().expect("a device that works")).collect()
}

/// What a case becomes when its inputs are stored in a type, and a direction for it.
pub fn rounded(case: &Case, element_type: ElementType, random: &mut Random) -> (Case, Vec<f32>) {
    let round = |values: &[f32]| values.iter().map(|&value| element_type.round(value)).collect();
    let v: Vec<f32> = (0..case.x.len()).map(|_| random.normal()).collect();
    (Case { grad_output: round(&case.grad_output), ..case.with_x(element_type.name(), round(&case.x)) }, round(&v))
}

/// # Panics
/// If the results of tensors stored so are not those of contiguous f32 tensors, rounded once.
pub fn check_stored(context: &GpuContext, case: &Case, element_type: ElementType, order: Order, seed: u64) {
    check_stored_from(context, case, element_type, order, seed, 6);
}

/// [`check_stored`] with the first tensor at byte `lead` of the buffer.
pub fn check_stored_from(
    context: &GpuContext,
    case: &Case,
    element_type: ElementType,
    order: Order,
    seed: u64,
    lead: usize,
) {
    let mut random = Random::new(seed);
    let (case, v) = rounded(case, element_type, &mut random);
    let pool = super::pool(context, &case.config);
    let inputs = case.shape;
    let windows = case.pooled();
    let shapes = [inputs, windows, inputs, windows, windows, windows, inputs, windows, windows, inputs];
    let stored = shapes.map(|shape| Stored::new(shape, element_type, order, &mut random));
    let got = run_stored(context, &pool, &case, &v, &stored, lead);
    let want = run_plainly(context, &pool, &case, &v);
    for ((name, got), want) in TENSORS[READ..].iter().zip(&got).zip(&want) {
        let want: Vec<f32> = want.iter().map(|&value| element_type.round(value)).collect();
        super::assert_same_bits(&format!("{name} of {} in {order:?} on {}", case.name, context.name()), got, &want);
    }
}
