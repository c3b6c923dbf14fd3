//! The core's recipes on cubecl's tensors: written for where these lie, and launched on their own buffers, in order with all
//! else that Burn has queued.

use std::cmp::Reverse;
use std::sync::Once;

use burn::backend::DispatchDevice;
use burn::tensor::{DType, Device};
use burn_cubecl::CubeDevice;
use burn_cubecl::cubecl::device::{WgpuBackend, WgpuDevice};
use burn_cubecl::cubecl::ir::metadata::Info;
use burn_cubecl::cubecl::ir::settings::Dim3;
use burn_cubecl::cubecl::ir::{AddressType, ElemType, UIntKind};
use burn_cubecl::cubecl::prelude::{
    BufferIOAttr, Client, CubeCount, CubeKernel, ExecutionMode, KernelDefinition, KernelId, KernelMetadata,
    KernelSettings, PrecompiledSource, Scope,
};
use burn_cubecl::cubecl::server::{BufferBinding, Handle, KernelArguments, MetadataBindingInfo};
use burn_cubecl::cubecl::zspace::metadata::Metadata;
use burn_cubecl::kernel::untile;
use burn_cubecl::tensor::CubeTensor;
use softpool::{
    BackwardTensors, ElementType, Error, ForwardTensors, GradBetaTensors, Memory, Recipe, Recipes, Result, Shape,
    SoftPoolConfig, Specialisation, StatisticsView, TensorView, Tuning, wgpu::Limits,
};

use crate::refuse::refuse;

/// Whether the kernels run on this device: cubecl's wgpu runtime, compiling WGSL.
///
/// With Burn's features `vulkan` or `metal`, which any crate of a build can switch on, that runtime compiles to SPIR-V or to
/// Metal's language, and takes no WGSL.
pub(crate) fn runs_on(device: &Device) -> bool {
    static WARNED: Once = Once::new();
    let device = match device.as_dispatch() {
        DispatchDevice::Autodiff(device) => device,
        device => device,
    };
    let DispatchDevice::Cube(device @ CubeDevice::Wgpu(_)) = device else { return false };
    let name = device.client().name();
    if name != "wgpu<wgsl>" {
        WARNED.call_once(|| {
            log::warn!(
                "softpool's kernels are WGSL, which {name} doesn't compile: pooling by Burn's own operations, many times \
                 slower. Leave out Burn's features vulkan and metal; the feature wgpu runs on both APIs"
            );
        });
    }
    name == "wgpu<wgsl>"
}

/// y of x. With `saves`, also the statistics of its windows for [`backward`].
pub(crate) fn forward(
    config: &SoftPoolConfig,
    x: CubeTensor,
    betas: Option<CubeTensor>,
    saves: bool,
) -> (CubeTensor, Option<CubeTensor>) {
    let x = untile(x);
    let pooled = pooled(config, x.meta.shape());
    let y = empty_like(&x, pooled.dims(), x.dtype);
    let statistics = saves.then(|| empty_like(&x, &[statistics_words(&pooled)], DType::F32));
    let mut call = Call::new(&x);
    let input = call.tensor(&x);
    let tensors = ForwardTensors {
        statistics: statistics.as_ref().map(|statistics| call.statistics(statistics)),
        ..ForwardTensors::new(input, call.tensor(&y))
    };
    call.launch(config, betas.as_ref(), |recipes| recipes.of(tensors));
    (y, statistics)
}

/// dL/dx of x and dL/dy.
pub(crate) fn backward(
    config: &SoftPoolConfig,
    x: CubeTensor,
    betas: Option<CubeTensor>,
    grad_output: CubeTensor,
    statistics: Option<CubeTensor>,
) -> CubeTensor {
    let (x, grad_output) = (untile(x), untile(grad_output));
    let grad_input = empty_like(&x, x.meta.shape(), x.dtype);
    let mut call = Call::new(&x);
    let input = call.tensor(&x);
    let tensors = BackwardTensors {
        statistics: statistics.as_ref().map(|statistics| call.statistics(statistics)),
        ..BackwardTensors::new(input, call.tensor(&grad_output), call.tensor(&grad_input))
    };
    call.launch(config, betas.as_ref(), |recipes| recipes.of(tensors));
    grad_input
}

/// dL/dbeta of x and dL/dy, of the betas' shape.
pub(crate) fn grad_betas(
    config: &SoftPoolConfig,
    x: CubeTensor,
    betas: CubeTensor,
    grad_output: CubeTensor,
    statistics: Option<CubeTensor>,
) -> CubeTensor {
    let (x, grad_output) = (untile(x), untile(grad_output));
    let grad_betas = empty_like(&betas, betas.meta.shape(), DType::F32);
    let mut call = Call::new(&x);
    let tensors = GradBetaTensors {
        input: call.tensor(&x),
        grad_output: call.tensor(&grad_output),
        grad_beta: call.tensor(&grad_betas),
        statistics: statistics.as_ref().map(|statistics| call.statistics(statistics)),
    };
    call.launch(config, Some(&betas), |recipes| recipes.of(tensors));
    grad_betas
}

/// Whether the backward of such an input starts from statistics, which the forward can save at less cost.
pub(crate) fn wants_statistics(config: &SoftPoolConfig, device: &CubeDevice, x: &[usize], dtype: DType) -> bool {
    let client = device.client();
    let view =
        |name, shape| TensorView::new(Memory::Named { name, bytes: 1 << 62 }, shape).of_type(element_type(dtype));
    let recipe = Shape::new(x).and_then(|shape| {
        let pooled = shape.pooled(config)?;
        let tensors = BackwardTensors::new(view(0, shape), view(1, pooled), view(2, shape));
        let scratch = Recipes::new(config, &limits(&client), tuning(&client, device)).of(tensors)?.scratch().len();
        Ok(scratch > 0)
    });
    // What is wrong with a call is said when it is made.
    recipe.unwrap_or(false)
}

/// The shape of y.
pub(crate) fn pooled(config: &SoftPoolConfig, x: &[usize]) -> Shape {
    Shape::new(x).and_then(|shape| shape.pooled(config)).expect("checked before it was queued")
}

/// Words of the statistics of so many windows.
pub(crate) fn statistics_words(pooled: &Shape) -> usize {
    (StatisticsView::bytes(pooled) / 4) as usize
}

/// A call of the core's, whose tensors it knows by number.
struct Call<'a> {
    client: &'a Client,
    device: &'a CubeDevice,
    handles: Vec<&'a Handle>,
}

impl<'a> Call<'a> {
    /// On the device of `x`.
    fn new(x: &'a CubeTensor) -> Self {
        Self { client: &x.client, device: &x.device, handles: Vec::new() }
    }

    fn memory(&mut self, tensor: &'a CubeTensor) -> Memory<'static> {
        self.handles.push(&tensor.handle);
        // cubecl's allocations are whole words, whatever was asked for.
        Memory::Named { name: self.handles.len() as u64 - 1, bytes: tensor.handle.size().next_multiple_of(4) }
    }

    /// The tensor where it lies, whatever its strides.
    fn tensor(&mut self, tensor: &'a CubeTensor) -> TensorView<'static> {
        let memory = self.memory(tensor);
        let view = Shape::new(tensor.meta.shape()).and_then(|shape| {
            TensorView::new(memory, shape)
                .of_type(element_type(tensor.dtype))
                .at_byte_offset(tensor.handle.offset_start.unwrap_or(0))
                .with_strides(&tensor.meta.strides()[..])
        });
        view.unwrap_or_else(|error| refuse("soft_pool", error))
    }

    fn statistics(&mut self, tensor: &'a CubeTensor) -> StatisticsView<'static> {
        let byte_offset = tensor.handle.offset_start.unwrap_or(0);
        StatisticsView { memory: self.memory(tensor), byte_offset }
    }

    /// Queues the dispatches of a recipe.
    fn launch(
        mut self,
        config: &SoftPoolConfig,
        betas: Option<&'a CubeTensor>,
        recipe: impl for<'r> FnOnce(Recipes<'r>) -> Result<Recipe<'r>>,
    ) {
        let limits = limits(self.client);
        let mut recipes = Recipes::new(config, &limits, tuning(self.client, self.device));
        if let Some(betas) = betas {
            recipes = recipes.with_betas(self.tensor(betas));
        }
        let recipe = recipe(recipes).unwrap_or_else(|error: Error| refuse("soft_pool", error));
        let scratch: Vec<Handle> = recipe.scratch().iter().map(|&bytes| self.client.empty(bytes as usize)).collect();
        for dispatch in recipe.dispatches() {
            let words = dispatch.params().chunks_exact(8);
            let words = words.map(|word| u64::from_ne_bytes(word.try_into().expect("eight bytes"))).collect();
            let mut arguments = KernelArguments::new().with_info(MetadataBindingInfo::custom(words));
            for binding in &dispatch.bindings {
                let handle = match binding.memory {
                    Memory::Named { name, .. } => self.handles[name as usize],
                    Memory::Scratch { index, .. } => &scratch[index],
                    _ => unreachable!("every view of this call has a name"),
                };
                // Pieces of a tensor are written one by one, and a failure of one must not be forgotten by the next.
                let io = if binding.written { BufferIOAttr::ReadWrite } else { BufferIOAttr::ReadOnly };
                arguments = arguments.with_buffer_io(part(handle, binding.byte_offset, binding.bytes), io);
            }
            let [x, y, z] = dispatch.workgroups;
            self.client.launch(Box::new(Kernel(dispatch.kernel)), CubeCount::Static(x, y, z), arguments);
        }
    }
}

/// So many bytes of an allocation, from an offset on.
fn part(handle: &Handle, byte_offset: u64, bytes: u64) -> BufferBinding {
    let mut binding = handle.clone().binding();
    binding.offset_start = Some(byte_offset);
    binding.offset_end = Some(binding.size.saturating_sub(byte_offset + bytes));
    binding
}

/// An allocation for a tensor of as many axes as `x`, in the order in which `x` has its axes in memory.
///
/// Burn's convolutions work channels-last and return what they made so: a pooling between two of them that answered in
/// another order would have the next one copy its input.
fn empty_like(x: &CubeTensor, dims: &[usize], dtype: DType) -> CubeTensor {
    let mut order: Vec<usize> = (0..dims.len()).collect();
    if dims.len() == x.meta.rank() {
        // An axis of one element lies anywhere: it keeps its place.
        let (shape, strides) = (x.meta.shape(), x.meta.strides());
        let long: Vec<usize> = order.iter().copied().filter(|&axis| shape[axis] > 1).collect();
        let mut sorted = long.clone();
        sorted.sort_by_key(|&axis| Reverse(strides[axis]));
        for (&place, &axis) in long.iter().zip(&sorted) {
            order[place] = axis;
        }
    }
    let mut strides = vec![0; dims.len()];
    let mut elements = 1;
    for &axis in order.iter().rev() {
        strides[axis] = elements;
        elements *= dims[axis];
    }
    let handle = x.client.empty((elements * dtype.size()).next_multiple_of(4));
    let metadata = Metadata::new(dims, strides);
    CubeTensor::new(x.client.clone(), handle, metadata, x.device.clone(), dtype)
}

fn element_type(dtype: DType) -> ElementType {
    match dtype {
        DType::F32 => ElementType::F32,
        DType::F16 => ElementType::F16,
        DType::BF16 => ElementType::Bf16,
        other => unreachable!("{other:?} is pooled by Burn's own operations"),
    }
}

/// What the core has to keep within, from what cubecl knows of its device.
fn limits(client: &Client) -> Limits {
    let (memory, hardware) = (&client.properties().memory, &client.properties().hardware);
    Limits {
        max_buffer_size: memory.max_page_size,
        max_storage_buffer_binding_size: memory.max_page_size,
        min_storage_buffer_offset_alignment: memory.alignment as u32,
        max_storage_buffers_per_shader_stage: hardware.max_bindings,
        max_compute_workgroups_per_dimension: hardware.max_cube_count.0,
        max_compute_invocations_per_workgroup: hardware.max_units_per_cube,
        max_compute_workgroup_size_x: hardware.max_cube_dim.0,
        max_compute_workgroup_size_y: hardware.max_cube_dim.1,
        max_compute_workgroup_size_z: hardware.max_cube_dim.2,
        max_compute_workgroup_storage_size: hardware.max_shared_memory_size as u32,
        ..Limits::default()
    }
}

/// What suits the device: cubecl names the card behind it, and a software driver has none. That a default device turned out
/// to be GL's, cubecl doesn't say.
fn tuning(client: &Client, device: &CubeDevice) -> Tuning {
    match (&client.properties().identity.physical, device) {
        (Some(_), _) => Tuning::GPU,
        (None, CubeDevice::Wgpu(WgpuDevice { backend: WgpuBackend::Gl, .. })) => Tuning::SOFTWARE_GL,
        (None, _) => Tuning::CPU,
    }
}

/// A kernel of the core as cubecl compiles it, and keeps it: by what the text is made from.
struct Kernel(Specialisation);

impl Kernel {
    fn workgroup(&self) -> Dim3 {
        let [x, y, z] = self.0.workgroup_size();
        Dim3 { x, y, z }
    }
}

impl KernelMetadata for Kernel {
    fn id(&self) -> KernelId {
        KernelId::new::<Self>().info(self.0).cube_dim(self.workgroup())
    }

    fn address_type(&self) -> ElemType {
        UIntKind::U32.into()
    }
}

impl CubeKernel for Kernel {
    fn define(&self) -> KernelDefinition {
        let settings = KernelSettings::new(self.workgroup(), ExecutionMode::Checked, AddressType::U32);
        KernelDefinition { body: Scope::root(settings.clone()), info: Info::default(), settings }
    }

    fn source(&self) -> Option<PrecompiledSource> {
        Some(PrecompiledSource { source: self.0.wgsl(), entrypoint_name: "main".into(), lang: "wgsl" })
    }
}
