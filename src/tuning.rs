//! How much an invocation takes on, for each sort of processor.

use crate::Natives;

/// How much one invocation takes on: the one place where processors disagree.
///
/// A block of windows shares its loads and exponentials, so that large blocks do least work; small ones need few registers
/// and leave more invocations to run beside each other. Results have the same accuracy either way, but not the same bits.
///
/// A host may set each value ([`GpuSoftPool::with_tuning`](crate::GpuSoftPool::with_tuning)). `scripts/gpu-proof` times other
/// values of each beside a device's own, by kernel. What it finds is committed to benches/results/ as `proof-*`, and a value that
/// changes for it names that file, the device, the size and the gain here.
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
    /// Taps of overlapping windows whose rows go by their definition where an exponential is an instruction; of more, to share an input's
    /// exponential between windows is less work.
    pub max_taps: u64,
    /// Sums that an invocation may keep in registers, two for each window or input that it computes.
    pub max_sums: u64,
    /// Invocations below which a smaller block is better.
    pub least_invocations: u64,
    /// Invocations of a workgroup: a power of two from 8 to 256.
    pub workgroup: u32,
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
    /// Chosen by these limits, not measured yet: benches/results/ has no `proof-*` of a GPU. With 32 sums AMD's compiler gives k7 back 112
    /// vector registers, with 64 it gives 184. Exponentials and conversions from f16 are an instruction each: with them it makes k2 s2 of
    /// f16 of half the instructions. Direct3D and PTX say that such a conversion loses nothing subnormal, and Mesa sets AMD's so;
    /// conversions to f16 round to zero on some.
    pub const GPU: Self = Self {
        columns: 4,
        rows: 16,
        ring_rows: 7,
        ring_cells: 5,
        max_taps: 64,
        max_sums: 32,
        least_invocations: 1 << 16,
        workgroup: 64,
        window_lanes: 64,
        max_run: 32,
        natives: Natives { unpack_f16: true, pack_f16: false, exp2: true },
    };
    /// A software driver spills to its first-level cache for little, and gains from each load and exponential saved. Its
    /// vectors have eight lanes. Measured on Mesa's: its conversions of f16 take as long as ours, and its exp2 is a
    /// polynomial as well, good to 3 ulp. Twice as many sums gain an eighth to a quarter of the time of k9 and k13, whose first results
    /// then take two to three times as long. Runs of 20 to 48 taps that one invocation reads take 0.35 to 0.7 of the time that lanes take,
    /// and compile for 3 to 30 s instead of 0.3.
    pub const CPU: Self = Self {
        columns: 16,
        rows: 32,
        ring_rows: 13,
        ring_cells: 7,
        max_taps: 25,
        max_sums: 200,
        least_invocations: 1 << 9,
        workgroup: 64,
        window_lanes: 8,
        max_run: 16,
        natives: Natives::NONE,
    };

    /// GL's compilers take longer than Vulkan's, and where one thread compiles for more than six seconds, wgpu panics in another that waits for
    /// the device: short texts count most. So a software GL goes as GPUs do, which tests there are tests of. Beside blocks of
    /// [`CPU`](Self::CPU)'s kinds, k3 to k7 start in 0.3 to 0.9 of the time, and k3 s1 and k5 forward take 1.4 and 1.9 times as long.
    pub const SOFTWARE_GL: Self = Self { least_invocations: 1 << 9, window_lanes: 8, max_run: 16, ..Self::GPU };

    /// A browser's software adapter compiles what it is sent at once, and what keeps rows or sums in registers for longest. Without these k3 to
    /// k7 back start in a third of the time, k5 and k7 forward in 0.3 to 0.5 of it; k7 back takes 1.7 times as long a call.
    pub const SOFTWARE_WEB: Self = Self { ring_rows: 1, ring_cells: 1, max_sums: 0, ..Self::GPU };

    /// Within its bounds.
    pub(crate) fn workgroup(&self) -> u32 {
        1 << self.workgroup.clamp(8, 256).ilog2()
    }

    /// What suits the device's adapter.
    pub fn of(device: &wgpu::Device) -> Self {
        let wgpu::AdapterInfo { device_type, backend, .. } = device.adapter_info();
        match (device_type, backend) {
            (wgpu::DeviceType::Cpu, wgpu::Backend::Gl) => Self::SOFTWARE_GL,
            (wgpu::DeviceType::Cpu, wgpu::Backend::BrowserWebGpu) => Self::SOFTWARE_WEB,
            (wgpu::DeviceType::Cpu, _) => Self::CPU,
            _ => Self::GPU,
        }
    }
}
