//! What a driver does by itself that kernels can also do in plain arithmetic: whether to leave it to the driver, and how far
//! the driver is off.

use half::f16;

use crate::{GpuTensor, Result, Shape};

/// What kernels leave to the driver, where WGSL leaves open what it makes of it: faster or shorter, and as good as the driver.
/// [`measure_natives`] tells how good that is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Natives {
    /// f16 to f32, by `unpack2x16float`, which WGSL lets flush what is subnormal. Else by integers. The adapter needs
    /// `wgpu::DownlevelFlags::SHADER_F16_IN_F32`.
    pub unpack_f16: bool,
    /// f32 to f16, by `pack2x16float`, whose rounding WGSL leaves open. Else by integers, to the nearest, ties to even. The
    /// adapter needs the same.
    pub pack_f16: bool,
    /// Exponentials by `exp2`. Else by a polynomial.
    pub exp2: bool,
}

impl Natives {
    /// Nothing: what WGSL itself defines.
    pub const NONE: Self = Self { unpack_f16: false, pack_f16: false, exp2: false };
}

/// How far a driver's own functions are off.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct NativeErrors {
    /// How many of the 65,536 words of 16 bits `unpack2x16float` makes another number of. Any NaN is a NaN. None where the device
    /// doesn't have it.
    pub unpack_f16: Option<usize>,
    /// How many values `pack2x16float` makes another f16 of than the nearest, ties to even: of every f16, the middle between
    /// each and the next, and the f32 on either side of that. None where the device doesn't have it.
    pub pack_f16: Option<usize>,
    /// The first of these, and what it becomes.
    pub pack_f16_example: Option<(f32, f32)>,
    /// How far `exp2(t log2 e)` is from e^t, beside it: in ulp, for t from -0.35 to 0.35, where kernels for windows that overlap
    /// take it.
    pub exp_near_0: f64,
    /// The same for t from -87 to 0, less 1.25 ulp for each unit of -t: what rounding the product and log2 e costs.
    pub exp: f64,
}

impl NativeErrors {
    /// Whether kernels give what they promise by these natives, on this driver.
    pub fn allow(&self, natives: Natives) -> bool {
        (!natives.unpack_f16 || self.unpack_f16 == Some(0))
            && (!natives.pack_f16 || self.pack_f16 == Some(0))
            && (!natives.exp2 || (self.exp_near_0 <= MAX_EXP_ULP && self.exp <= MAX_EXP_ULP))
    }
}

/// Ulp by which an exponential may be off: what kernels' promises leave room for.
const MAX_EXP_ULP: f64 = 4.0;

/// [`measure_natives_async`], waiting for it. Not on the web.
///
/// # Errors
/// Those of [`measure_natives_async`].
#[cfg(not(target_arch = "wasm32"))]
pub fn measure_natives(device: &wgpu::Device, queue: &wgpu::Queue) -> Result<NativeErrors> {
    pollster::block_on(measure_natives_async(device, queue))
}

/// Measures a device's driver, on the device.
///
/// # Errors
/// [`Error::DeviceLimit`](crate::Error::DeviceLimit), [`Error::DeviceLost`](crate::Error::DeviceLost).
pub async fn measure_natives_async(device: &wgpu::Device, queue: &wgpu::Queue) -> Result<NativeErrors> {
    let same = |got: f32, want: f32| got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan();
    let words: Vec<u32> = (0..=u32::from(u16::MAX)).collect();
    let upper: Vec<u32> = words.iter().map(|word| word << 16).collect();
    let unpacked = [
        run(device, queue, "bitcast<u32>(unpack2x16float(value).x)", &words).await?,
        run(device, queue, "bitcast<u32>(unpack2x16float(value).y)", &upper).await?,
    ];
    let unpack_f16 = both(unpacked).map(|both| {
        let wrong = |index: usize, got: u32| !same(f32::from_bits(got), f16::from_bits(words[index] as u16).to_f32());
        both.iter().enumerate().filter(|(index, both)| both.iter().any(|&got| wrong(*index, got))).count()
    });

    let values: Vec<u32> = words.iter().flat_map(|&word| around(word as u16)).map(f32::to_bits).collect();
    let packed = [
        run(device, queue, "pack2x16float(vec2(bitcast<f32>(value), 0.0)) & 0xffffu", &values).await?,
        run(device, queue, "pack2x16float(vec2(0.0, bitcast<f32>(value))) >> 16u", &values).await?,
    ];
    let others = both(packed).map(|both| {
        let others = values.iter().zip(both).filter_map(|(&value, both)| {
            let (value, want) = (f32::from_bits(value), f16::from_f32(f32::from_bits(value)));
            let mut got = both.into_iter().map(|word| f16::from_bits(word as u16));
            let other = got.find(|got| !(got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan()));
            other.map(|got| (value, got))
        });
        others.collect::<Vec<_>>()
    });

    let exponents = |least: f32, count: u32| -> Vec<f32> {
        (0..=count).map(|index| least * (index as f32 / count as f32)).collect()
    };
    let near_0: Vec<f32> = exponents(-0.35, 1 << 15).into_iter().flat_map(|t| [t, -t]).collect();
    let ulp_off = async |ts: Vec<f32>, by_unit: f64| -> Result<f64> {
        let bits: Vec<u32> = ts.iter().map(|t| t.to_bits()).collect();
        let got = run(device, queue, "bitcast<u32>(exp2(bitcast<f32>(value) * 1.44269504))", &bits)
            .await?
            .unwrap_or_default();
        let errors = ts.iter().zip(got).map(|(&t, got)| {
            let want = f64::from(t).exp();
            let ulp = 2f64.powi(want.log2().floor() as i32 - 23);
            (f64::from(f32::from_bits(got)) - want).abs() / ulp - by_unit * f64::from(t.abs())
        });
        // A NaN is off by anything.
        Ok(errors.fold(0.0, |most: f64, error| if error.is_nan() { f64::INFINITY } else { most.max(error) }))
    };
    Ok(NativeErrors {
        unpack_f16,
        pack_f16: others.as_ref().map(Vec::len),
        pack_f16_example: others.and_then(|others| others.first().map(|&(value, got)| (value, got.to_f32()))),
        exp_near_0: ulp_off(near_0, 0.0).await?,
        exp: ulp_off(exponents(-87.0, 1 << 16), 1.25).await?,
    })
}

/// What the device makes of the lower and of the upper halves of words, side by side.
fn both([lower, upper]: [Option<Vec<u32>>; 2]) -> Option<Vec<[u32; 2]>> {
    Some(lower?.into_iter().zip(upper?).map(|(lower, upper)| [lower, upper]).collect())
}

/// An f16, and what lies amid it and its successor in magnitude: where rounding shows.
fn around(bits: u16) -> [f32; 4] {
    let (value, next) = (f16::from_bits(bits).to_f32(), f16::from_bits(bits.wrapping_add(1)).to_f32());
    // Beyond the largest the next would be 65536.
    let next = if next.is_infinite() { 65536f32.copysign(next) } else { next };
    let middle = if value.is_finite() && next.is_finite() && value.signum() == next.signum() {
        0.5 * (value + next)
    } else {
        value
    };
    let beside = |step: i32| f32::from_bits(middle.to_bits().wrapping_add_signed(step));
    if middle == value { [value; 4] } else { [value, middle, beside(-1), beside(1)] }
}

/// What an expression makes of each word `value`; nothing where the device doesn't take it.
async fn run(device: &wgpu::Device, queue: &wgpu::Queue, expression: &str, values: &[u32]) -> Result<Option<Vec<u32>>> {
    const LANES: usize = 64;
    const OF_INVOCATION: usize = 16;
    let text = format!(
        "@group(0) @binding(0) var<storage, read_write> values: array<u32>;\n\
         @compute @workgroup_size({LANES})\n\
         fn main(@builtin(global_invocation_id) invocation: vec3<u32>) {{\n    \
             for (var i = 0u; i < {OF_INVOCATION}u; i++) {{\n        \
                 let at = invocation.x * {OF_INVOCATION}u + i;\n        \
                 if (at < arrayLength(&values)) {{\n            \
                     let value = values[at];\n            \
                     values[at] = {expression};\n        \
                 }}\n    \
             }}\n\
         }}\n"
    );
    let label = Some("softpool natives");
    let data: Vec<f32> = values.iter().map(|&word| f32::from_bits(word)).collect();
    let tensor = GpuTensor::from_slice(device, queue, Shape::new([values.len()])?, &data)?;
    let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let module = device
        .create_shader_module(wgpu::ShaderModuleDescriptor { label, source: wgpu::ShaderSource::Wgsl(text.into()) });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label,
        layout: None,
        module: &module,
        entry_point: Some("main"),
        compilation_options: Default::default(),
        cache: None,
    });
    if scope.pop().await.is_some() {
        return Ok(None);
    }
    let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label,
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[wgpu::BindGroupEntry { binding: 0, resource: tensor.buffer().as_entire_binding() }],
    });
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label });
    {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label, timestamp_writes: None });
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &bind_group, &[]);
        pass.dispatch_workgroups(values.len().div_ceil(LANES * OF_INVOCATION) as u32, 1, 1);
    }
    queue.submit([encoder.finish()]);
    Ok(Some(tensor.read().await?.into_iter().map(f32::to_bits).collect()))
}
