//! The devices under test, and a case of the core's run on one of them.

use std::sync::LazyLock;

use burn::backend::DispatchDevice;
use burn::tensor::wgpu::WgpuBackend;
use burn::tensor::{DType, Device, Tensor, TensorData};
use softpool_burn::{GradientRule, SoftPoolOptions, soft_pool1d, soft_pool2d, soft_pool3d};

use crate::common::Case;

/// A device, and what to call it.
#[derive(Clone)]
pub struct Named {
    pub name: &'static str,
    pub device: Device,
}

/// Devices that run the core's kernels: the default one and, where there is one, GL's.
pub fn wgpu() -> &'static [Named] {
    static DEVICES: LazyLock<Vec<Named>> = LazyLock::new(|| {
        let default = Device::wgpu(Default::default());
        let mut devices = vec![Named { name: "wgpu", device: default }];
        // A machine without GL has nothing to test there.
        if let Ok(device) = Device::wgpu_options().graphics_api(WgpuBackend::Gl).init() {
            devices.push(Named { name: "wgpu on GL", device });
        }
        for Named { name, device } in &devices {
            let DispatchDevice::Cube(device) = device.as_dispatch() else { panic!("{name} is not of cubecl") };
            assert_eq!(device.client().name(), "wgpu<wgsl>", "{name}: these tests are of WGSL kernels");
        }
        devices
    });
    &DEVICES
}

/// The device of the composition.
pub fn flex() -> Named {
    Named { name: "flex", device: Device::flex() }
}

/// All of them.
pub fn all() -> impl Iterator<Item = Named> {
    wgpu().iter().cloned().chain([flex()])
}

/// One for each path: for tests of many windows, since GL's compilers take long for each.
pub fn one_of_each_path() -> [Named; 2] {
    [wgpu()[0].clone(), flex()]
}

/// How the input lies in memory, which changes nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Memory {
    /// Row-major.
    Contiguous,
    /// The channels next to each other, as convolutions return them.
    ChannelsLast,
    /// A part of a larger tensor, from an offset on.
    Slice,
}

/// What a device makes of a case.
pub struct Outcome {
    pub y: Vec<f32>,
    pub grad_input: Vec<f32>,
    /// By beta, where some were given.
    pub grad_betas: Option<Vec<f32>>,
}

/// What a case is run with besides its own data.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    pub memory: Memory,
    pub dtype: DType,
    pub betas: Option<&'a [f32]>,
}

impl Setting<'_> {
    /// The case as it is.
    pub const PLAIN: Setting<'static> = Setting { memory: Memory::Contiguous, dtype: DType::F32, betas: None };
}

/// Forward, and back from `sum(y * grad_output)`.
pub fn run(case: &Case, device: &Device, setting: Setting<'_>) -> Outcome {
    match case.config.rank() {
        1 => run_as::<3, 1>(case, device, setting, soft_pool1d),
        2 => run_as::<4, 2>(case, device, setting, soft_pool2d),
        _ => run_as::<5, 3>(case, device, setting, soft_pool3d),
    }
}

fn run_as<const D: usize, const RANK: usize>(
    case: &Case,
    device: &Device,
    setting: Setting<'_>,
    soft_pool: fn(Tensor<D>, SoftPoolOptions<RANK>) -> Tensor<D>,
) -> Outcome {
    let device = device.clone().autodiff();
    let tensor = |values: &[f32], dims: &[usize]| {
        Tensor::<D>::from_data(TensorData::new(values.to_vec(), dims.to_vec()), (&device, DType::F32))
            .cast(setting.dtype)
    };
    let x = placed(tensor(&case.x, case.shape.dims()), setting.memory).detach().require_grad();
    let betas = setting.betas.map(|betas| {
        Tensor::<1>::from_data(TensorData::new(betas.to_vec(), [betas.len()]), (&device, DType::F32)).require_grad()
    });
    let mut options = options::<RANK>(case);
    if let Some(betas) = &betas {
        options = options.with_betas(betas.clone());
    }
    let y = soft_pool(x.clone(), options);
    assert_eq!(y.dims().as_slice(), case.pooled().dims(), "{}", case.name);
    assert_eq!(y.dtype(), setting.dtype, "{}", case.name);
    let grad_output = tensor(&case.grad_output, case.pooled().dims());
    let gradients = (y.clone() * grad_output).sum().backward();
    let read = |tensor: Tensor<D>| tensor.cast(DType::F32).into_data().try_to_vec::<f32>().expect("floats");
    Outcome {
        y: read(y),
        grad_input: read(x.grad(&gradients).expect("the input is tracked")),
        grad_betas: betas
            .and_then(|betas| betas.grad(&gradients))
            .map(|grad| grad.into_data().try_to_vec().expect("floats")),
    }
}

/// A case's configuration, as options.
pub fn options<const RANK: usize>(case: &Case) -> SoftPoolOptions<RANK> {
    let by_axis = |sizes: Vec<usize>| sizes.try_into().expect("one by axis");
    let config = &case.config;
    let options = match config.adaptive_output_size() {
        Some(output) => SoftPoolOptions::adaptive(by_axis(output.into_iter().flatten().collect())),
        None => SoftPoolOptions::new(by_axis(config.kernel()))
            .with_stride(by_axis(config.stride()))
            .with_padding(by_axis(config.padding()))
            .with_dilation(by_axis(config.dilation()))
            .with_ceil_mode(config.ceil_mode()[0]),
    };
    let rule = match config.gradient_rule() {
        softpool::GradientRule::Exact => GradientRule::Exact,
        softpool::GradientRule::Detached => GradientRule::Detached,
    };
    options.with_beta(config.beta().into()).with_gradient_rule(rule)
}

/// The same values at other places.
fn placed<const D: usize>(x: Tensor<D>, memory: Memory) -> Tensor<D> {
    match memory {
        Memory::Contiguous => x,
        Memory::ChannelsLast => {
            // Copied by Burn into this order, then named in the usual one.
            let mut last: Vec<isize> = (0..D as isize).filter(|&axis| axis != 1).chain([1]).collect();
            let data = x.clone().permute::<isize>(last.clone().try_into().expect("all axes")).into_data();
            last = [0, D as isize - 1].into_iter().chain(1..D as isize - 1).collect();
            Tensor::<D>::from_data(data, (&x.device(), x.dtype())).permute::<isize>(last.try_into().expect("all axes"))
        }
        Memory::Slice => {
            let (batch, channels) = (x.dims()[0], x.dims()[1]);
            let wide = Tensor::cat(vec![x.clone().full_like(7e30), x], 1);
            let wide = wide.detach();
            let data = wide.clone().into_data();
            let wide = Tensor::<D>::from_data(data, (&wide.device(), wide.dtype()));
            wide.slice([0..batch, channels..2 * channels])
        }
    }
}
