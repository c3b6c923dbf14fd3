//! What the benches share: the copy kernel that is their roofline, their inputs, and how results are named.

use softpool::{adapter_name, wgpu};

/// The roofline: reads each vector once and writes it once.
const COPY_WGSL: &str = "
@group(0) @binding(0) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> destination: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = id.y * groups.x * 64u + id.x;
    if (i < arrayLength(&source)) {
        destination[i] = source[i];
    }
}";

/// A kernel that copies a tensor: each element read once and written once.
pub struct Copy(wgpu::ComputePipeline);

impl Copy {
    pub fn new(device: &wgpu::Device) -> Self {
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("copy"),
            source: wgpu::ShaderSource::Wgsl(COPY_WGSL.into()),
        });
        Self(device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("copy"),
            layout: None,
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        }))
    }

    /// What records a copy of `source` to `target`, buffers of as many bytes, a multiple of 16.
    pub fn prepare(
        &self,
        device: &wgpu::Device,
        source: &wgpu::Buffer,
        target: &wgpu::Buffer,
    ) -> impl Fn(&mut wgpu::ComputePass<'_>) + use<> {
        let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("copy"),
            layout: &self.0.get_bind_group_layout(0),
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: source.as_entire_binding() },
                wgpu::BindGroupEntry { binding: 1, resource: target.as_entire_binding() },
            ],
        });
        let groups = source.size().div_ceil(16 * 64) as u32;
        let y = groups.div_ceil(device.limits().max_compute_workgroups_per_dimension);
        let x = groups.div_ceil(y);
        let pipeline = self.0.clone();
        move |pass| {
            pass.set_pipeline(&pipeline);
            pass.set_bind_group(0, &bind_group, &[]);
            pass.dispatch_workgroups(x, y, 1);
        }
    }
}

/// An adapter's name as that of a file.
pub fn file_stem(adapter: &wgpu::Adapter) -> String {
    let name: String = adapter_name(adapter)
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .collect();
    name.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

pub fn median(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// About normal, standard deviation 1; the same in every run.
pub fn values(count: usize) -> Vec<f32> {
    let mut state = 1u32;
    let mut uniform = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    };
    (0..count).map(|_| (uniform() + uniform() + uniform() + uniform() - 2.0) * 3f32.sqrt()).collect()
}

/// The commit that is measured: what `SOFTPOOL_COMMIT` says, where a pack was built elsewhere, or git.
pub fn commit() -> String {
    if let Ok(commit) = std::env::var("SOFTPOOL_COMMIT") {
        return commit;
    }
    let describe = std::process::Command::new("git").args(["describe", "--always", "--dirty"]).output();
    let text = describe.ok().filter(|output| output.status.success());
    text.map_or("unknown".into(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
