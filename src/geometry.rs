//! Which kernel computes a pooling, in blocks of what shape, on a grid of how many workgroups: pure arithmetic.

use crate::bound::{Placed, Role};
use crate::config::{AxisWindow, MAX_RANK};
use crate::{Error, Natives, Result};

/// Sizes along depth, height and width.
pub(crate) type Extent = [u32; MAX_RANK];

/// Taps that an invocation keeps in registers for a window that shares none with another.
const MAX_DISJOINT_TAPS: u64 = 64;
/// Inputs that a window spans along the width, if a block unrolls their row; wider ones are shared by a workgroup.
const MAX_UNROLLED_WIDTH: u32 = 32;
/// Iterations that an invocation may take: software drivers silently end one after 65,535, all loops together.
const MAX_ITERATIONS: u64 = 65_000;
/// Windows holding an input that one invocation visits.
const MAX_HOLDERS: u64 = 1 << 12;
/// Blocks that one axis of a grid counts for several: f32 divides their number exactly.
const MAX_FLAT_BLOCKS: u64 = 1 << 20;
/// Invocations of a workgroup.
const WORKGROUP_INVOCATIONS: u32 = 64;
/// Invocations that share what is too much for fewer.
const LARGE_WORKGROUP: u32 = 256;
/// Taps above which that many invocations share a window: so many taps are too many iterations for 64.
const LARGE_WINDOW_TAPS: u64 = 1 << 20;

/// One file of shaders/, with what it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kernel {
    ForwardDisjoint,
    ForwardRows,
    ForwardWindow,
    ForwardLanes,
    BackwardDisjoint,
    BackwardLanes,
    BackwardRows,
    BackwardStatistics,
    BackwardInput,
    BackwardWorkgroup,
    TangentInvocation,
    TangentLanes,
    Sum,
}

/// A kernel and the shapes that specialise it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Geometry {
    pub kernel: Kernel,
    pub axes: [AxisWindow; MAX_RANK],
    /// What an invocation (or the workgroup of [`Kernel::ForwardLanes`]) computes: windows, cells of inputs for
    /// the backward kernels, or inputs for [`Kernel::BackwardInput`].
    pub block: Extent,
    /// Invocations of a workgroup along width, height and depth.
    pub workgroup: Extent,
    pub has_depth: bool,
    pub detached: bool,
    /// Whether a backward kernel computes the second backward.
    pub second: bool,
    pub vectors: Vectors,
    /// The roles, as bits, of tensors whose rows are contiguous; and of those that are contiguous as a whole.
    pub contiguous_rows: u16,
    pub contiguous_tensors: u16,
    /// Whether all planes count as channels of one sample.
    pub one_sample: bool,
    pub grid: Grid,
    /// Rows whose partial windows a strip keeps.
    pub ring_rows: u32,
    /// Whether inputs remain after the last window's cell.
    pub has_remainder: bool,
    /// Whether an invocation computes two channels, whose elements are the halves of words.
    pub pairs: bool,
    /// Levels of an invocation's sums: see shaders/sums.wgsl.
    pub levels: u32,
    pub natives: Natives,
}

/// What the grid's x counts: the more it counts, the fewer invocations of a workgroup are left idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Grid {
    /// Blocks of a row; y counts rows, z layers of all planes.
    Rows,
    /// Blocks of a layer, row after row; z counts layers of all planes.
    Layers,
    /// Blocks of all planes.
    Planes,
    /// The channels of each block of a row; y counts rows, z layers of all samples.
    ChannelsLast,
}

/// Which tensors are bound and addressed as aligned vectors of four elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Vectors {
    pub x: bool,
    /// The gradient of x.
    pub gradient: bool,
    /// All tensors of windows.
    pub y: bool,
}

/// A pooling to find a kernel for: windows, sizes, and the tensors in memory.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    /// The windows by axis, and how many positions and windows there are, with axes that windows cover whole made one with
    /// the next.
    pub axes: [AxisWindow; MAX_RANK],
    pub input: Extent,
    pub output: Extent,
    pub samples: u64,
    pub channels: u64,
    /// What is bound, with the strides of these axes.
    pub tensors: Vec<Placed>,
    pub detached: bool,
    pub tuning: Tuning,
}

/// How much one invocation takes on: the one place where processors disagree.
///
/// A block of windows shares its loads and exponentials, so that large blocks do least work; small ones need few registers
/// and leave more invocations to run beside each other. Results have the same accuracy either way, but not the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tuning {
    /// Columns of windows that an invocation computes where windows overlap, at most: a multiple of 4.
    pub columns: u32,
    /// Rows of windows that it goes down, at most 32.
    pub rows: u32,
    /// Rows of the input that it keeps the partial windows of; of larger windows every row is read again.
    pub ring_rows: u32,
    /// The same for the backward, which keeps the inputs and their gradients beside.
    pub ring_cells: u32,
    /// Sums that an invocation may keep in registers, two for each window or input that it computes.
    pub max_sums: u64,
    /// Invocations below which a smaller block is better.
    pub least_invocations: u64,
    /// Invocations that share a window too large for one: a power of two, at most 256.
    pub window_lanes: u32,
    /// Taps of a run of memory that one invocation reads, where windows share no input; more are shared by lanes, which read
    /// neighbouring elements side by side.
    pub max_run: u32,
    /// What kernels leave to the driver.
    pub natives: Natives,
}

impl Tuning {
    /// A GPU has many registers by thread but not hundreds, and needs thousands of threads to hide its memory's latency.
    /// Chosen by these limits, not measured yet. Exponentials and conversions from f16 are an instruction each: with
    /// them AMD's compiler makes k2 s2 of f16 of half the instructions. Direct3D and PTX say that such a conversion loses nothing
    /// subnormal, and Mesa sets AMD's so; conversions to f16 round to zero on some.
    pub const GPU: Self = Self {
        columns: 4,
        rows: 16,
        ring_rows: 7,
        ring_cells: 5,
        max_sums: 64,
        least_invocations: 1 << 16,
        window_lanes: 64,
        max_run: 32,
        natives: Natives { unpack_f16: true, pack_f16: false, exp2: true },
    };
    /// A software driver spills to its first-level cache for little, and gains from each load and exponential saved. Its
    /// vectors have eight lanes. Measured on Mesa's: its conversions of f16 take as long as ours, and its exp2 is a
    /// polynomial as well, good to 3 ulp.
    pub const CPU: Self = Self {
        columns: 16,
        rows: 32,
        ring_rows: 13,
        ring_cells: 7,
        max_sums: 400,
        least_invocations: 1 << 9,
        window_lanes: 8,
        max_run: 64,
        natives: Natives::NONE,
    };

    /// GL's compilers take seconds for as much text as large blocks have; and where one thread compiles for more than six,
    /// wgpu panics in another that waits for the device.
    pub const SOFTWARE_GL: Self = Self { columns: 8, ring_rows: 7, ring_cells: 5, max_sums: 64, ..Self::CPU };

    /// What suits the device's adapter.
    pub fn of(device: &wgpu::Device) -> Self {
        let wgpu::AdapterInfo { device_type, backend, .. } = device.adapter_info();
        match (device_type, backend) {
            (wgpu::DeviceType::Cpu, wgpu::Backend::Gl) => Self::SOFTWARE_GL,
            // A browser's software adapter compiles what it is sent at once: half the text is half the wait.
            (wgpu::DeviceType::Cpu, wgpu::Backend::BrowserWebGpu) => Self::GPU,
            (wgpu::DeviceType::Cpu, _) => Self::CPU,
            _ => Self::GPU,
        }
    }
}

/// Blocks for windows that overlap and for windows that don't, the largest first: the larger, the more its windows share.
/// Widths are multiples of the vectors' 4.
const DISJOINT_BLOCKS: [Extent; 2] = [[1, 1, 8], [1, 1, 4]];

impl Problem {
    /// The same pooling with as few axes as its memory allows.
    pub fn folded(mut self) -> Self {
        while self.fold_width() {}
        self.turn_channels();
        self.fold_samples();
        for tensor in &mut self.tensors {
            let sizes = if tensor.role.is_of_inputs() { self.input } else { self.output };
            // Nothing depends on the stride of a single element.
            for (stride, _) in tensor.strides[2..].iter_mut().zip(sizes).filter(|(_, size)| *size == 1) {
                *stride = 0;
            }
        }
        self
    }

    /// Where windows cover the width whole and rows follow each other, the rows of a window are one run of memory: a width of
    /// height times width says the same. So global pooling is 1D, whatever its rank.
    fn fold_width(&mut self) -> bool {
        let [depth, height, width] = self.axes;
        let (rows, columns) = (self.input[1], self.input[2]);
        let covers = width.kernel == columns && width.padding == 0 && width.dilation == 1 && self.output[2] == 1;
        // Sums of a few such numbers must stay within 32 bits.
        let fits = |size: u32| u64::from(size) * u64::from(columns) < 1 << 28;
        let regular = height.dilation == 1 && height.adaptive == 0 && rows > 1;
        let rows_follow = self.tensors.iter().filter(|tensor| tensor.role.is_of_inputs()).all(|tensor| {
            let [.., row, column] = tensor.strides;
            columns == 1 || u64::from(columns).checked_mul(column) == Some(row)
        });
        if !covers || !regular || !rows_follow || ![rows, height.kernel, height.stride].into_iter().all(fits) {
            return false;
        }
        let times = |size: u32| size * columns;
        let (kernel, stride, padding) = (times(height.kernel), times(height.stride), times(height.padding));
        self.axes = [AxisWindow::UNIT, depth, AxisWindow { kernel, stride, padding, ..height }];
        self.input = [1, self.input[0], times(rows)];
        self.output = [1, self.output[0], self.output[1]];
        for tensor in &mut self.tensors {
            let [sample, channel, depth, height, width] = tensor.strides;
            let inner = if tensor.role.is_of_inputs() && columns > 1 { width } else { height };
            tensor.strides = [sample, channel, 0, depth, inner];
        }
        true
    }

    /// Where neighbouring elements are of neighbouring channels, these are the innermost axis, of windows of one element: what
    /// kernels do four at a time along a row, they do for four channels then.
    fn turn_channels(&mut self) {
        let by_channel = |tensor: &Placed| tensor.role == Role::Betas && tensor.strides[1] > 0;
        let has_room = self.axes[0] == AxisWindow::UNIT && self.input[0] == 1;
        // Statistics and derivatives add taps up by row: other rows would be other sums, by an ulp.
        let of_windows = self.has(Role::Statistics) || self.has(Role::Y);
        let adds_by_row = self.has(Role::Tangent) || (of_windows && self.has(Role::GradOutput));
        let turns = self.channels_last() && has_room && !adds_by_row && !self.tensors.iter().any(by_channel);
        let in_registers = !self.overlaps() && !self.is_adaptive() && self.taps() <= MAX_DISJOINT_TAPS;
        let Ok(channels) = u32::try_from(self.channels) else { return };
        if !turns || !in_registers || channels >= 1 << 31 {
            return;
        }
        self.axes = [self.axes[1], self.axes[2], AxisWindow::UNIT];
        self.input = [self.input[1], self.input[2], channels];
        self.output = [self.output[1], self.output[2], channels];
        self.channels = 1;
        for tensor in &mut self.tensors {
            let [sample, channel, _, height, width] = tensor.strides;
            tensor.strides = [sample, 0, height, width, channel];
        }
    }

    /// Where the planes of all samples are equally far apart, they are channels of one.
    fn fold_samples(&mut self) {
        let (samples, channels) = (self.samples, self.channels);
        let equal = |tensor: &Placed| {
            let [sample, channel, ..] = tensor.strides;
            samples == 1 || channels == 1 || channels.checked_mul(channel) == Some(sample)
        };
        if self.tensors.iter().all(equal) {
            (self.samples, self.channels) = (1, samples.saturating_mul(channels));
            for tensor in &mut self.tensors {
                let [sample, channel, ..] = &mut tensor.strides;
                if channels == 1 {
                    *channel = *sample;
                }
                *sample = 0;
            }
        }
    }

    fn has(&self, role: Role) -> bool {
        self.tensors.iter().any(|tensor| tensor.role == role)
    }

    fn planes(&self) -> u64 {
        self.samples.saturating_mul(self.channels)
    }

    /// Whether neighbouring elements are of neighbouring channels, of the same position.
    fn channels_last(&self) -> bool {
        let x = self.tensors.iter().find(|tensor| tensor.role == Role::X);
        self.channels > 1 && x.is_some_and(|x| x.strides[1] == 1 && x.strides[4] > 1)
    }

    /// Whether there are no tensors but such of words with an element of each of two channels, which kernels take as pairs.
    fn channels_pair_up(&self) -> bool {
        let in_pairs = |tensor: &Placed| {
            let [sample, channel, position @ ..] = tensor.strides;
            let starts = [tensor.offset, sample].into_iter().chain(position);
            tensor.element_type.is_half() && channel == 1 && { starts }.all(|start| start.is_multiple_of(2))
        };
        let takes = |role| matches!(role, Role::X | Role::Y | Role::GradOutput | Role::GradInput);
        let mut tensors = self.tensors.iter().filter(|tensor| tensor.role != Role::Betas);
        self.channels_last()
            && self.channels.is_multiple_of(2)
            && tensors.all(|tensor| takes(tensor.role) && in_pairs(tensor))
    }

    fn axes(&self) -> [AxisWindow; MAX_RANK] {
        self.axes
    }

    fn taps(&self) -> u64 {
        product(by_axis(|i| self.axes()[i].kernel))
    }

    /// By axis, the most windows that hold an input.
    fn holders(&self) -> Extent {
        by_axis(|i| self.axes[i].most_holders(self.input[i], self.output[i]))
    }

    /// Iterations of the loops over the windows that hold an input, one in another.
    fn visits(&self) -> u64 {
        let [d, h, w] = self.holders().map(u64::from);
        d.saturating_mul(1 + h.saturating_mul(1 + w))
    }

    fn overlaps(&self) -> bool {
        self.axes().iter().any(AxisWindow::overlaps)
    }

    /// Whether each input is in one window, and windows have no gaps.
    fn tiles(&self) -> bool {
        (0..MAX_RANK).all(|i| {
            let AxisWindow { kernel, stride, padding, dilation, adaptive, .. } = self.axes[i];
            let end = u64::from(self.output[i]) * u64::from(stride);
            kernel == stride && dilation == 1 && adaptive == 0 && end >= u64::from(self.input[i]) + u64::from(padding)
        })
    }

    /// Whether there are enough windows for the device, each with its lanes; else inputs are more.
    fn windows_fill_the_device(&self) -> bool {
        let windows = self.planes().saturating_mul(product(self.output));
        windows.saturating_mul(u64::from(self.tuning.window_lanes)) >= self.tuning.least_invocations
    }

    /// Whether windows are of different sizes.
    fn is_adaptive(&self) -> bool {
        self.axes.iter().any(|axis| axis.adaptive > 0)
    }

    /// The first of `blocks` that leaves enough to do in parallel, or the last, of those that the kernel can take.
    fn block<'b>(&self, kernel: Kernel, blocks: impl IntoIterator<Item = &'b Extent>) -> Option<Extent> {
        let mut last = None;
        for block in blocks {
            let tiled = |i: usize| tiled(kernel, &self.axes()[i], self.input[i], self.output[i]).max(1);
            let block = by_axis(|i| if i == 2 { block[i] } else { block[i].min(tiled(i)) });
            if !self.takes(kernel, block) {
                continue;
            }
            last = Some(block);
            let invocations = self.planes().saturating_mul(product(by_axis(|i| tiled(i).div_ceil(block[i]))));
            if invocations >= self.tuning.least_invocations {
                break;
            }
        }
        last
    }

    /// Whether an invocation of a kernel for windows that overlap keeps the values of a block in registers, and can go by
    /// the definition if it has to.
    fn takes(&self, kernel: Kernel, block: Extent) -> bool {
        let axes = self.axes();
        let cover = |i: usize| Cover::of(&axes[i], block[i]);
        let inputs = || product(by_axis(|i| block[i] * axes[i].stride));
        let Tuning { max_sums, .. } = self.tuning;
        let (fits, iterations) = match kernel {
            // Each row of windows is read, and each input visits its windows.
            Kernel::BackwardStatistics => {
                let rows = u64::from(cover(0).windows) * u64::from(cover(1).windows);
                (2 * inputs() <= max_sums, rows + inputs() * (2 + self.visits()))
            }
            _ => (true, 0),
        };
        fits && iterations <= MAX_ITERATIONS
    }

    /// Blocks for [`Kernel::BackwardStatistics`], those first that load the fewest windows over all.
    fn blocks_by_windows_loaded(&self) -> Vec<Extent> {
        let tiled = |i: usize| tiled(Kernel::BackwardStatistics, &self.axes[i], self.input[i], self.output[i]);
        let mut blocks: Vec<Extent> = (1..=20).flat_map(|h| [4, 8, 12, 16, 20].map(|w| [1, h, w])).collect();
        blocks.sort_by_key(|block| {
            let loaded = by_axis(|i| {
                let windows = Cover::of(&self.axes[i], block[i]).windows;
                // Rows are read in vectors of four.
                if i == 2 { windows.next_multiple_of(4) } else { windows }
            });
            product(by_axis(|i| tiled(i).div_ceil(block[i]))) * product(loaded)
        });
        blocks
    }

    fn disjoint_block(&self, kernel: Kernel, elements: u64) -> Extent {
        let wide = elements <= 16 && self.axes()[2].stride <= 8;
        let blocks: &[Extent] = if wide { &DISJOINT_BLOCKS } else { &[] };
        self.block(kernel, blocks).unwrap_or([1, 1, 1])
    }

    /// The forward kernel.
    pub fn forward(&self) -> Geometry {
        let taps = self.taps();
        if self.is_adaptive() {
            let kernel = if taps <= MAX_DISJOINT_TAPS { Kernel::ForwardWindow } else { Kernel::ForwardLanes };
            return self.geometry(kernel, [1, 1, 1]);
        }
        if !self.overlaps() && taps <= MAX_DISJOINT_TAPS && self.axes()[2].kernel <= self.tuning.max_run {
            let block = self.disjoint_block(Kernel::ForwardDisjoint, taps);
            return self.geometry(Kernel::ForwardDisjoint, block);
        }
        if self.overlaps() && self.axes()[2].span() <= MAX_UNROLLED_WIDTH {
            if let Some(block) = self.strip() {
                return self.geometry(Kernel::ForwardRows, block);
            }
        }
        self.geometry(Kernel::ForwardLanes, [1, 1, 1])
    }

    /// The strip of windows of [`Kernel::ForwardRows`], if one takes no more iterations than a driver allows, all of its windows
    /// by the definition included.
    fn strip(&self) -> Option<Extent> {
        let [depth, height, width] = self.axes;
        let [rows, columns] = [self.output[1], self.output[2]];
        let most_columns = if width.kernel > 3 { self.tuning.columns.min(8) } else { self.tuning.columns };
        let inputs_read = |strip: u32| u64::from(columns.div_ceil(strip)) * u64::from(patch_of(&width, strip) + 3);
        let strip = (1..=most_columns / 4).map(|quads| 4 * quads).min_by_key(|&strip| inputs_read(strip))?;
        let iterations = |rows: u32| {
            let ring = self.ring(&[1, rows, strip]);
            let turns = if ring > 1 { (rows - 1) * height.stride + ring } else { rows };
            let rows_of_turn = u64::from(depth.kernel) * if ring > 1 { 1 } else { u64::from(height.kernel) };
            let of_turn = 1 + rows_of_turn.saturating_mul(1 + 2 * u64::from(width.kernel));
            u64::from(turns).saturating_mul(of_turn) + u64::from(rows * strip) * (1 + 4 * self.taps())
        };
        self.rows_of_strip(rows, columns.div_ceil(strip), iterations).map(|rows| [1, rows, strip])
    }

    /// Rows that a strip keeps: 1 where no window needs a row that another has read, or where they are too many.
    fn ring(&self, strip: &Extent) -> u32 {
        let height = &self.axes[1];
        let keeps = height.overlaps() && strip[1] > 1 && height.span() <= self.tuning.ring_rows;
        if keeps { height.span() } else { 1 }
    }

    /// The strip of cells of [`Kernel::BackwardRows`], if the kernel takes these windows: a ring holds their rows, and no axis but
    /// height and width has more than one tap.
    fn strip_of_cells(&self) -> Option<Extent> {
        let [depth, height, width] = self.axes;
        let flat = depth.kernel == 1 && depth.stride == 1 && depth.padding == 0;
        if self.is_adaptive() || !flat || height.span() > self.tuning.ring_cells || width.span() > MAX_UNROLLED_WIDTH {
            return None;
        }
        let [rows, columns] = [1, 2].map(|i| tiled(Kernel::BackwardRows, &self.axes[i], self.input[i], self.output[i]));
        let inputs_read =
            |strip: u32| u64::from(columns.div_ceil(strip)) * u64::from(Cover::of(&width, strip).patch + 3);
        // A few vectors of cells, whatever the stride.
        let columns_kept = if width.kernel > 3 { self.tuning.columns.min(8) } else { self.tuning.columns };
        let fits = |strip: &u32| strip * width.stride <= columns_kept.max(8);
        let strips = [1, 2, 4, 8, 16].into_iter().filter(|&strip| strip <= columns_kept);
        let strip = strips.filter(fits).min_by_key(|&strip| inputs_read(strip))?;
        let taps = u64::from(width.kernel);
        // Turns of a pass, those that complete a row of windows with more to do; and such passes for each input, if need be.
        let pass = |turns: u64| turns * (2 + 3 * taps);
        let span = u64::from(height.span());
        let iterations = |rows: u32| {
            let cell_rows = u64::from(rows) * u64::from(height.stride);
            let cells = cell_rows * u64::from(strip) * u64::from(width.stride);
            pass(cell_rows + 2 * span) + cells * (1 + pass(2 * span - 1))
        };
        self.rows_of_strip(rows, columns.div_ceil(strip), iterations).map(|rows| [1, rows, strip])
    }

    /// How many of `rows` a strip goes down: few enough for a driver's iterations, and for something to do for each of its
    /// processors, beside `strips` others.
    fn rows_of_strip(&self, rows: u32, strips: u32, iterations: impl Fn(u32) -> u64) -> Option<u32> {
        let most = rows.div_ceil(rows.div_ceil(self.tuning.rows.min(u32::BITS)));
        let halved = std::iter::successors(Some(most), |&rows| (rows > 1).then(|| rows.div_ceil(2)));
        let fitting = || halved.clone().filter(|&rows| iterations(rows) <= MAX_ITERATIONS);
        let fills = |&height: &u32| {
            let strips = u64::from(rows.div_ceil(height)) * u64::from(strips) * u64::from(self.output[0]);
            self.planes().saturating_mul(strips) >= self.tuning.least_invocations
        };
        fitting().find(fills).or_else(|| fitting().last())
    }

    /// The backward kernel that reads nothing but the input and the gradient of the output, if there is one for these
    /// windows.
    pub fn backward(&self) -> Option<Geometry> {
        let elements = self.taps().max(product(by_axis(|i| self.axes()[i].stride)));
        let by_lanes = elements > MAX_DISJOINT_TAPS || self.axes()[2].kernel > self.tuning.max_run;
        if by_lanes && self.tiles() && self.windows_fill_the_device() {
            return Some(self.geometry(Kernel::BackwardLanes, [1, 1, 1]));
        }
        if !self.overlaps() && !self.is_adaptive() && elements <= MAX_DISJOINT_TAPS {
            let block = self.disjoint_block(Kernel::BackwardDisjoint, elements);
            return Some(self.geometry(Kernel::BackwardDisjoint, block));
        }
        if !self.overlaps() {
            return None;
        }
        Some(self.geometry(Kernel::BackwardRows, self.strip_of_cells()?))
    }

    /// The second backward from nothing but the input, the gradient of the output and the direction, if there is a kernel.
    pub fn second_backward_alone(&self) -> Option<Geometry> {
        let geometry = self.geometry(Kernel::BackwardRows, self.strip_of_cells()?);
        Some(Geometry { second: true, ..geometry })
    }

    /// The derivative of each window along a direction, or its part of the gradient of beta, from nothing but the input and
    /// these, if there is a kernel.
    pub fn tangent_alone(&self) -> Option<Geometry> {
        if self.is_adaptive() || self.axes[2].span() > MAX_UNROLLED_WIDTH {
            return None;
        }
        Some(self.geometry(Kernel::ForwardRows, self.strip()?))
    }

    /// The backward kernel that reads the windows' statistics.
    pub fn backward_from_statistics(&self) -> Geometry {
        if self.overlaps() && !self.is_adaptive() && self.axes()[2].span() <= MAX_UNROLLED_WIDTH {
            if let Some(block) = self.block(Kernel::BackwardStatistics, &self.blocks_by_windows_loaded()) {
                return self.geometry(Kernel::BackwardStatistics, block);
            }
        }
        self.backward_by_input()
    }

    /// The backward kernel that reads statistics and goes input by input.
    fn backward_by_input(&self) -> Geometry {
        if product(self.holders()) > MAX_HOLDERS {
            return self.geometry(Kernel::BackwardWorkgroup, [1, 1, 1]);
        }
        // Inputs of a row that the same windows hold, whichever aligned run of as many they are.
        let AxisWindow { kernel, stride, padding, dilation, adaptive, .. } = self.axes[2];
        let alike = |run: u32| {
            let stride = if self.output[2] == 1 { run } else { stride };
            dilation == 1
                && adaptive == 0
                && [kernel, stride, padding, self.input[2]].iter().all(|size| size.is_multiple_of(run))
        };
        let run = [16, 8, 4].into_iter().find(|&run| alike(run)).unwrap_or(1);
        self.geometry(Kernel::BackwardInput, [1, 1, run])
    }

    /// The second backward, which reads statistics and moments.
    pub fn second_backward(&self) -> Geometry {
        Geometry { second: true, ..self.backward_by_input() }
    }

    /// The derivative of each window along a direction, from its statistics.
    pub fn tangent(&self) -> Geometry {
        let alone = self.taps() <= MAX_DISJOINT_TAPS;
        self.geometry(if alone { Kernel::TangentInvocation } else { Kernel::TangentLanes }, [1, 1, 1])
    }

    /// The sum of each window.
    pub fn sum(&self) -> Geometry {
        self.geometry(Kernel::Sum, [1, 1, 1])
    }

    /// Lanes along width, each reading four taps at once, and height that share a window, and windows of a workgroup.
    fn lanes(&self, kernel: Kernel) -> Extent {
        let taps = self.taps();
        let most = if taps > LARGE_WINDOW_TAPS { LARGE_WORKGROUP } else { self.tuning.window_lanes };
        let most = 1 << most.clamp(1, LARGE_WORKGROUP).ilog2();
        if kernel == Kernel::BackwardWorkgroup {
            return [LARGE_WORKGROUP, 1, 1];
        }
        let group = taps.div_ceil(4).next_power_of_two().min(most) as u32;
        let x = self.axes[2].kernel.div_ceil(4).next_power_of_two().min(group);
        [x, group / x, (WORKGROUP_INVOCATIONS / group).max(1)]
    }

    /// Whether all tensors among `roles` that are bound can be addressed as vectors.
    fn aligned(&self, roles: impl Fn(Role) -> bool) -> bool {
        self.tensors.iter().filter(|tensor| roles(tensor.role)).all(Placed::is_aligned)
    }

    fn geometry(&self, kernel: Kernel, block: Extent) -> Geometry {
        let Self { axes, input, output, .. } = *self;
        let vector_x = input[2].is_multiple_of(4) && starts_at_vectors(kernel, &axes[2], block[2], output[2]);
        // The cells of windows that share no input start in the padding.
        let cells_aligned = kernel != Kernel::BackwardDisjoint || axes[2].padding.is_multiple_of(4);
        let vector_y = output[2].is_multiple_of(4) && block[2].is_multiple_of(4) && kernel != Kernel::BackwardInput;
        let vectors = Vectors {
            x: vector_x && self.aligned(|role| role == Role::X),
            gradient: vector_x && cells_aligned && self.aligned(|role| role == Role::GradInput),
            y: vector_y && self.aligned(|role| !role.is_of_inputs() && role != Role::Betas),
        };
        let size = |tensor: &Placed| if tensor.role.is_of_inputs() { input } else { output }.map(u64::from);
        let roles = |is: &dyn Fn(&Placed) -> bool| {
            self.tensors.iter().filter(|tensor| is(tensor)).fold(0, |bits, tensor| bits | tensor.role.bit())
        };
        let contiguous_rows = roles(&|tensor| size(tensor)[2] == 1 || tensor.strides[4] == 1);
        let contiguous_tensors = roles(&|tensor| {
            let [depth, height, width] = size(tensor);
            let strides = [depth * height * width, height * width, width, 1];
            let sizes = [self.channels, depth, height, width];
            let matches = |(i, &stride): (usize, &u64)| sizes[i] == 1 || tensor.strides[i + 1] == stride;
            self.samples == 1 && tensor.words == 1 && strides.iter().enumerate().all(matches)
        });
        let pairs = kernel.goes_by_rows() && self.channels_pair_up();
        let mut geometry = Geometry {
            kernel,
            axes,
            block,
            workgroup: [1; MAX_RANK],
            has_depth: false,
            detached: self.detached && (!kernel.is_forward() || self.has(Role::Tangent)),
            second: false,
            vectors,
            contiguous_rows,
            contiguous_tensors,
            one_sample: self.samples == 1,
            grid: Grid::Rows,
            ring_rows: match kernel {
                Kernel::ForwardRows => self.ring(&block),
                Kernel::BackwardRows => axes[1].span(),
                _ => 1,
            },
            has_remainder: kernel == Kernel::BackwardDisjoint
                && (0..MAX_RANK).any(|i| tiled(kernel, &axes[i], input[i], output[i]) != output[i]),
            pairs,
            levels: 1,
            natives: self.tuning.natives,
        };
        let [w, h, d] = geometry.blocks(input, output);
        geometry.has_depth = d > 1;
        let blocks_of = |axes: &[u32]| axes.iter().fold(1u64, |all, &blocks| all.saturating_mul(u64::from(blocks)));
        let lanes = kernel.is_shared().then(|| self.lanes(kernel));
        geometry.grid = if self.channels_last() {
            Grid::ChannelsLast
        } else if lanes.is_some_and(|[.., groups]| groups == 1) || blocks_of(&[w, h]) >= MAX_FLAT_BLOCKS {
            Grid::Rows
        } else if blocks_of(&[w, h, d]).saturating_mul(self.planes()) >= MAX_FLAT_BLOCKS {
            Grid::Layers
        } else {
            Grid::Planes
        };
        let fewest_idle = || workgroup(geometry.grid([d, h, w], self.samples, self.channels));
        geometry.workgroup = lanes.unwrap_or_else(fewest_idle);
        geometry.levels = levels_of(match kernel {
            Kernel::BackwardInput => product(self.holders()),
            Kernel::BackwardWorkgroup => product(self.holders()).div_ceil(u64::from(LARGE_WORKGROUP)),
            _ => geometry.terms_of_lane(),
        });
        geometry
    }
}

/// Whether what a kernel reads of a row, but for a constant lead, starts at multiples of 4.
fn starts_at_vectors(kernel: Kernel, axis: &AxisWindow, block: u32, output: u32) -> bool {
    match kernel {
        Kernel::BackwardInput => block.is_multiple_of(4),
        Kernel::ForwardWindow
        | Kernel::BackwardWorkgroup
        | Kernel::TangentInvocation
        | Kernel::TangentLanes
        | Kernel::Sum => false,
        Kernel::ForwardLanes | Kernel::BackwardLanes => {
            let strides = output == 1 || axis.stride.is_multiple_of(4);
            strides
                && axis.adaptive == 0
                && axis.dilation == 1
                && axis.padding.is_multiple_of(4)
                && axis.kernel.is_multiple_of(4)
        }
        _ => (block * axis.stride).is_multiple_of(4),
    }
}

/// What the blocks of a kernel tile along an axis: windows, cells of inputs, or inputs.
fn tiled(kernel: Kernel, axis: &AxisWindow, input: u32, output: u32) -> u32 {
    match kernel {
        Kernel::BackwardDisjoint => (input + axis.padding).div_ceil(axis.stride),
        Kernel::BackwardRows | Kernel::BackwardStatistics => input.div_ceil(axis.stride),
        Kernel::BackwardInput | Kernel::BackwardWorkgroup => input,
        _ => output,
    }
}

impl Geometry {
    /// Whether a device with `limits` runs this kernel with `storage_buffers` tensors and parameters of `params_bytes`.
    ///
    /// # Errors
    /// [`Error::DeviceLimit`].
    pub fn check_device(&self, storage_buffers: usize, params_bytes: usize, limits: &wgpu::Limits) -> Result<()> {
        let [x, y, z] = self.workgroup.map(u64::from);
        // A lane's part of a window has four words, and so has the whole.
        let shared_bytes = if self.kernel.is_shared() { 16 * (x * y * z + z) } else { 0 };
        let needs: [(&'static str, u64, &'static str, u32); 10] = [
            (
                "the number of bindings of a group",
                1 + storage_buffers as u64,
                "max_bindings_per_bind_group",
                limits.max_bindings_per_bind_group,
            ),
            (
                "a workgroup's number of invocations",
                x * y * z,
                "max_compute_invocations_per_workgroup",
                limits.max_compute_invocations_per_workgroup,
            ),
            ("a workgroup's width", x, "max_compute_workgroup_size_x", limits.max_compute_workgroup_size_x),
            ("a workgroup's height", y, "max_compute_workgroup_size_y", limits.max_compute_workgroup_size_y),
            ("a workgroup's depth", z, "max_compute_workgroup_size_z", limits.max_compute_workgroup_size_z),
            (
                "a workgroup's memory in bytes",
                shared_bytes,
                "max_compute_workgroup_storage_size",
                limits.max_compute_workgroup_storage_size,
            ),
            (
                "the number of workgroups",
                1,
                "max_compute_workgroups_per_dimension",
                limits.max_compute_workgroups_per_dimension,
            ),
            (
                "the number of tensors of a pass",
                storage_buffers as u64,
                "max_storage_buffers_per_shader_stage",
                limits.max_storage_buffers_per_shader_stage,
            ),
            (
                "the number of uniform buffers",
                1,
                "max_uniform_buffers_per_shader_stage",
                limits.max_uniform_buffers_per_shader_stage,
            ),
            ("the number of bind groups", 1, "max_bind_groups", limits.max_bind_groups),
        ];
        let uniform = (
            "the parameters' size in bytes",
            params_bytes as u64,
            "max_uniform_buffer_binding_size",
            limits.max_uniform_buffer_binding_size,
        );
        let needs = needs.map(|(what, given, limit, allowed)| (what, given, limit, u64::from(allowed)));
        for (what, given, limit, allowed) in needs.into_iter().chain([uniform]) {
            if given > allowed {
                let fix = "request a larger limit, or another adapter";
                return Err(Error::DeviceLimit { what, given, limit, allowed, fix });
            }
        }
        Ok(())
    }

    /// Invocations, or workgroups that share a block, along the grid's axes for blocks along depth, height and width of so
    /// many planes; as many as 32 bits count, if there are more.
    pub fn grid(&self, [d, h, w]: Extent, samples: u64, channels: u64) -> Extent {
        let all = |sizes: &[u64]| {
            let product = sizes.iter().fold(1u64, |product, &size| product.saturating_mul(size));
            u32::try_from(product).unwrap_or(u32::MAX)
        };
        let [d, h, w] = [d, h, w].map(u64::from);
        match self.grid {
            Grid::Rows => [all(&[w]), all(&[h]), all(&[d, samples, channels])],
            Grid::Layers => [all(&[w, h]), 1, all(&[d, samples, channels])],
            Grid::Planes => [all(&[w, h, d, samples, channels]), 1, 1],
            Grid::ChannelsLast => [all(&[w, channels / self.channels_of_invocation()]), all(&[h]), all(&[d, samples])],
        }
    }

    /// Channels that an invocation computes, one after the other.
    pub fn channels_of_invocation(&self) -> u64 {
        if self.pairs { 2 } else { 1 }
    }

    /// Blocks of one plane along width, height and depth.
    pub fn blocks(&self, input: Extent, output: Extent) -> Extent {
        let [d, h, w] = by_axis(|i| tiled(self.kernel, &self.axes[i], input[i], output[i]).div_ceil(self.block[i]));
        [w, h, d]
    }

    /// Blocks that a workgroup computes along width, height and depth.
    pub fn blocks_of_workgroup(&self) -> Extent {
        if self.kernel.is_shared() { [self.workgroup[2], 1, 1] } else { self.workgroup }
    }

    /// Whether a window that exists can reach beyond the input.
    pub fn masked(&self) -> bool {
        self.axes.iter().any(|axis| axis.padding > 0 || axis.ceil_mode)
    }

    /// Rows and vectors of four along each that a lane takes at once.
    fn chunk(&self) -> [u32; 2] {
        if !matches!(self.kernel, Kernel::ForwardLanes | Kernel::BackwardLanes) {
            return [1, 1];
        }
        // Up to four vectors, as many as leave the fewest idle.
        let vectors = self.axes[2].kernel.div_ceil(4 * self.workgroup[0]);
        let quads = vectors.div_ceil(vectors.div_ceil(4));
        [(4 / quads).min(self.axes[0].kernel.saturating_mul(self.axes[1].kernel)), quads]
    }

    /// Terms that a lane of a shared window adds up, one a chunk.
    fn terms_of_lane(&self) -> u64 {
        let ([rows, quads], [x, y, _]) = (self.chunk(), self.workgroup);
        let window_rows = u64::from(self.axes[0].kernel) * u64::from(self.axes[1].kernel);
        let chunks_of_row = u64::from(self.axes[2].kernel.div_ceil(4 * quads * x));
        window_rows.div_ceil(u64::from(rows * y)).saturating_mul(chunks_of_row)
    }

    /// Whether sums along the width are made of sums of 1, 2, 4 and more taps: fewer taps a stride are added one by one.
    pub fn sums_by_doubling(&self) -> bool {
        self.axes[2].stride == 1 && self.axes[2].kernel > 3
    }

    /// The constants of this geometry, as the prelude and the unroller take them.
    pub fn constants(&self) -> Vec<(&'static str, u32)> {
        let mut constants = Vec::with_capacity(64);
        let mut by_axis_named = |names: [&'static str; MAX_RANK], values: Extent| {
            constants.extend(names.into_iter().zip(values));
        };
        let (axes, block) = (&self.axes, &self.block);
        by_axis_named(["KERNEL_D", "KERNEL_H", "KERNEL_W"], by_axis(|i| axes[i].kernel));
        by_axis_named(["STRIDE_D", "STRIDE_H", "STRIDE_W"], by_axis(|i| axes[i].stride));
        by_axis_named(["PADDING_D", "PADDING_H", "PADDING_W"], by_axis(|i| axes[i].padding));
        by_axis_named(["DILATION_D", "DILATION_H", "DILATION_W"], by_axis(|i| axes[i].dilation));
        by_axis_named(["SPAN_D", "SPAN_H", "SPAN_W"], by_axis(|i| axes[i].span()));
        // What reads them all has few: three times as many are within 32 bits.
        let taps = product(by_axis(|i| axes[i].kernel)).min(1 << 30) as u32;
        by_axis_named(["COMMON_D", "COMMON_H", "COMMON_W"], by_axis(|i| axes[i].common()));
        by_axis_named(["STEP_D", "STEP_H", "STEP_W"], by_axis(|i| axes[i].step()));
        by_axis_named(["INVERSE_D", "INVERSE_H", "INVERSE_W"], by_axis(|i| axes[i].inverse()));
        by_axis_named(["BLOCK_D", "BLOCK_H", "BLOCK_W"], *block);
        constants.extend([("CHANNELS", self.channels_of_invocation() as u32), ("ONE_CHANNEL", u32::from(!self.pairs))]);
        let [x, y, groups] = self.workgroup;
        constants.extend([("TAPS", taps), ("LEVELS", self.levels)]);
        if self.kernel.is_shared() {
            let [rows, quads] = self.chunk();
            constants.extend([("BLOCK_QUADS", 0), ("LANES_X", x), ("LANES_Y", y), ("GROUPS", groups)]);
            constants.extend([("CHUNK_ROWS", rows), ("CHUNK_QUADS", quads), ("CHUNK", rows * quads)]);
            constants.push(("SCALE_BITS", taps.next_power_of_two().ilog2()));
            return constants;
        }
        let mut by_axis_named = |names: [&'static str; MAX_RANK], values: Extent| {
            constants.extend(names.into_iter().zip(values));
        };
        by_axis_named(["WORKGROUP_Z", "WORKGROUP_Y", "WORKGROUP_X"], by_axis(|i| self.workgroup[2 - i]));
        if matches!(self.kernel, Kernel::BackwardInput | Kernel::ForwardWindow | Kernel::TangentInvocation) {
            constants.push(("BLOCK_QUADS", block[2] / 4));
            return constants;
        }
        let cover = [0, 1, 2].map(|i| match self.kernel {
            Kernel::BackwardRows | Kernel::BackwardStatistics => Cover::of(&axes[i], block[i]),
            _ => Cover { before: 0, windows: block[i], patch: patch_of(&axes[i], block[i]), offset: 0 },
        });
        let cells = by_axis(|i| block[i] * axes[i].stride);
        let reads_cells = self.kernel == Kernel::BackwardStatistics;
        let patch = if reads_cells { cells } else { by_axis(|i| cover[i].patch) };
        // Inputs, and windows, by which the row's first lies after an aligned one.
        let lead = if self.vectors.x && !reads_cells {
            (cover[2].before * axes[2].stride + axes[2].padding).wrapping_neg() % 4
        } else {
            0
        };
        let gradient_lead = if self.vectors.y { cover[2].before.wrapping_neg() % 4 } else { 0 };
        let window_lead = if self.kernel == Kernel::BackwardRows { 0 } else { gradient_lead };
        let quads = (lead + patch[2]).div_ceil(4);
        by_axis_named(["PATCH_D", "PATCH_H", "PATCH_W"], patch);
        by_axis_named(["CELLS_D", "CELLS_H", "CELLS_W"], cells);
        by_axis_named(["WINDOWS_D", "WINDOWS_H", "WINDOWS_W"], by_axis(|i| cover[i].windows));
        by_axis_named(["BEFORE_D", "BEFORE_H", "BEFORE_W"], by_axis(|i| cover[i].before));
        by_axis_named(["OFFSET_D", "OFFSET_H", "OFFSET_W"], by_axis(|i| cover[i].offset));
        constants.extend([
            ("BLOCK_QUADS", block[2] / 4),
            ("LEAD", lead),
            ("QUADS", quads),
            ("WINDOW_LEAD", window_lead),
            ("WINDOW_QUADS", (window_lead + cover[2].windows).div_ceil(4)),
            ("G_LEAD", gradient_lead),
            ("G_QUADS", (gradient_lead + cover[2].windows).div_ceil(4)),
            ("CELL_QUADS", cells[2].div_ceil(4)),
            ("COVERED_W", cover[2].patch),
            ("BOX_W", patch[2].max(cover[2].windows)),
            ("KERNEL_BITS", if self.sums_by_doubling() { u32::BITS - axes[2].kernel.leading_zeros() } else { 0 }),
            ("CELL_ROWS", cells[0] * cells[1]),
            ("RING_ROWS", self.ring_rows),
            ("RING_BEFORE", self.ring_rows - 1),
            ("UNROLL_TAPS", u32::from(axes[2].kernel <= 16)),
            ("RING_SUMS", if self.ring_rows > 8 { 4 } else { 1 }),
            ("RING_TAPS", if self.ring_rows > 1 { axes[1].kernel } else { 1 }),
            ("OTHERS", taps - 1),
        ]);
        constants
    }
}

impl Geometry {
    /// How elements of rows move, as functions of WGSL: a kernel's arrays are registers only where every index is a constant.
    pub fn shuffles(&self) -> String {
        let constants: std::collections::HashMap<_, _> = self.constants().into_iter().collect();
        let [quads, lead, window_quads, windows, cell_quads, offset, g_quads, g_lead] =
            ["QUADS", "LEAD", "WINDOW_QUADS", "WINDOWS_W", "CELL_QUADS", "OFFSET_W", "G_QUADS", "G_LEAD"]
                .map(|name| constants[name]);
        let AxisWindow { stride, dilation, .. } = self.axes[2];
        let mut text = String::new();
        // Where no window starts there is none: 0, or BROKEN of shaders/partial.wgsl, which is above every exponent.
        for (suffix, element, nothing) in [("", "f32", "0.0"), ("_n", "i32", "1 << 20")] {
            let mut write = |name: &str, from_quads: u32, to_quads: u32, from: &dyn Fn(u32) -> Option<u32>| {
                let place = |i: u32| match from(i) {
                    Some(from) => {
                        let from = from.min(4 * from_quads - 1);
                        format!("row[{}].{}", from / 4, ["x", "y", "z", "w"][from as usize % 4])
                    }
                    None => nothing.to_owned(),
                };
                let vector = |quad: u32| format!("vec4({})", [0, 1, 2, 3].map(|i| place(4 * quad + i)).join(", "));
                let vectors = (0..to_quads).map(vector).collect::<Vec<_>>().join(", ");
                let array = |quads: u32| format!("array<vec4<{element}>, {quads}>");
                let (from, to) = (array(from_quads), array(to_quads));
                text += &format!("fn {name}{suffix}(row: {from}) -> {to} {{ return {to}({vectors}); }}\n");
            };
            write("next_taps", quads, quads, &|i| Some(i + dilation));
            write("previous_taps", quads, quads, &|i| i.checked_sub(dilation));
            write("at_windows", quads, window_quads, &|i| Some(lead + i * stride));
            write("g_at_windows", g_quads, window_quads, &|i| Some(g_lead + i));
            write("at_cells", quads, cell_quads, &|i| Some(lead + offset + i));
            let window_of = |i: u32| i.checked_sub(lead).filter(|i| i.is_multiple_of(stride)).map(|i| i / stride);
            write("at_patch", window_quads, quads, &|i| window_of(i).filter(|&i| i < windows));
        }
        text
    }
}

impl Kernel {
    /// Whether a workgroup shares a block, rather than each invocation having its own.
    pub fn is_shared(self) -> bool {
        matches!(
            self,
            Self::ForwardLanes | Self::BackwardLanes | Self::BackwardWorkgroup | Self::TangentLanes | Self::Sum
        )
    }

    /// Whether it goes down the rows of a strip, of one channel or of two.
    pub fn goes_by_rows(self) -> bool {
        matches!(self, Self::ForwardRows | Self::BackwardRows)
    }

    pub fn reads_statistics(self) -> bool {
        matches!(self, Self::BackwardStatistics | Self::BackwardInput | Self::BackwardWorkgroup) || self.is_tangent()
    }

    /// Whether the kernel makes windows of inputs, rather than inputs of windows.
    pub fn makes_windows(self) -> bool {
        self.is_forward() || self.is_tangent() || self == Self::Sum
    }

    pub fn is_tangent(self) -> bool {
        matches!(self, Self::TangentInvocation | Self::TangentLanes)
    }

    pub fn is_forward(self) -> bool {
        matches!(self, Self::ForwardDisjoint | Self::ForwardRows | Self::ForwardWindow | Self::ForwardLanes)
    }
}

fn by_axis(value: impl FnMut(usize) -> u32) -> Extent {
    [0, 1, 2].map(value)
}

/// As much as 64 bits hold.
fn product(extent: Extent) -> u64 {
    extent.iter().fold(1, |product, &size| product.saturating_mul(u64::from(size)))
}

/// Levels by which shaders/sums.wgsl adds up so many terms: each holds eight of the one below, the last up to eight.
fn levels_of(terms: u64) -> u32 {
    terms.clamp(2, 1 << 30).next_power_of_two().ilog2().div_ceil(3)
}

/// Inputs along an axis from the first to the last tap of `windows` windows.
fn patch_of(axis: &AxisWindow, windows: u32) -> u32 {
    (windows - 1) * axis.stride + axis.span()
}

/// Along an axis: the windows that hold any input of a block that starts at a multiple of the stride, and their inputs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cover {
    /// Windows that start at lower multiples of the stride, less the padding.
    pub before: u32,
    pub windows: u32,
    /// Inputs from the first window's start on that hold all windows and the block.
    pub patch: u32,
    /// Where in the patch the block starts.
    offset: u32,
}

impl Cover {
    pub fn of(axis: &AxisWindow, block: u32) -> Self {
        // Window o holds padded positions from o stride to o stride + span - 1; the block, those from padding on.
        let before = (axis.span() - 1).saturating_sub(axis.padding) / axis.stride;
        let last = (block * axis.stride - 1 + axis.padding) / axis.stride;
        let windows = before + last + 1;
        let offset = before * axis.stride + axis.padding;
        Self { before, windows, patch: patch_of(axis, windows).max(offset + block * axis.stride), offset }
    }
}

/// Invocations along the grid's axes that leave the fewest idle. Eight or more along x, since drivers vectorise along it.
fn workgroup([x_blocks, y_blocks, _]: Extent) -> Extent {
    let idle = |x: u32| (x - x_blocks % x) % x;
    let sizes = (1..=WORKGROUP_INVOCATIONS / 8).rev().map(|eights| 8 * eights);
    let x = sizes.min_by_key(|&x| idle(x)).unwrap_or(8);
    let y = (WORKGROUP_INVOCATIONS / x).min(y_blocks.next_power_of_two());
    [x, y, (WORKGROUP_INVOCATIONS / x / y).max(1)]
}
