//! NVIDIA's compiler, where it is installed: ptxas makes machine code of PTX without a GPU.
//!
//! No driver of NVIDIA's runs without its GPU, so the PTX is clang's, of naga's translation to Metal, which is C++ with
//! metal_stdlib beside this file. That isn't what a driver makes of SPIR-V, but tells whether a kernel's values fit registers.
//!
//! The environment names the programs: `SOFTPOOL_PTXAS` (PyPI: nvidia-cuda-nvcc-cu12) turns it on; `SOFTPOOL_NVDISASM` (PyPI:
//! nvidia-cuda-nvdisasm) and `SOFTPOOL_CLANG` (Debian: clang-19, which is `clang++-19`) are `nvdisasm` and `clang++` unless set.

use std::error::Error;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Instant;

use naga::back::msl;
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};

use crate::kernels::Kernel;
use crate::report::{Resources, Row};
use crate::{isa, spirv};

/// The GPU by its compiler's name: an H100.
const GPU: &str = "sm_90";

/// The programs that make machine code.
pub struct Compiler {
    ptxas: String,
    nvdisasm: String,
    clang: String,
}

impl Compiler {
    /// The programs that the environment names, if it names ptxas.
    pub fn from_environment() -> Option<Self> {
        let named = |variable: &str| std::env::var(variable).ok().filter(|value| !value.is_empty());
        Some(Self {
            ptxas: named("SOFTPOOL_PTXAS")?,
            nvdisasm: named("SOFTPOOL_NVDISASM").unwrap_or_else(|| "nvdisasm".into()),
            clang: named("SOFTPOOL_CLANG").unwrap_or_else(|| "clang++".into()),
        })
    }

    /// Compiles kernels, with what became of them on the way left in `folder`.
    ///
    /// # Errors
    /// If a program is missing or refuses a kernel.
    pub fn compile(&self, kernels: &[Kernel], folder: &Path) -> Result<Vec<Row>, Box<dyn Error>> {
        let version = run(Command::new(&self.ptxas).arg("--version"), "set SOFTPOOL_PTXAS to its path")?;
        let version = String::from_utf8_lossy(&version.stdout).into_owned();
        // "Cuda compilation tools, release 12.9, V12.9.86".
        let release = version.split("release ").nth(1).and_then(|rest| rest.split(',').next()).unwrap_or("unknown");
        let compiler = format!("ptxas {release}");
        std::fs::write(folder.join("metal_stdlib"), include_str!("metal_stdlib"))?;
        // What naga's output asks for besides.
        std::fs::create_dir_all(folder.join("simd"))?;
        std::fs::write(folder.join("simd/simd.h"), "")?;
        let rows = kernels.iter().map(|kernel| {
            self.row(kernel, folder, &compiler).map_err(|error| format!("{} for {GPU}: {error}", kernel.file).into())
        });
        rows.collect()
    }

    fn row(&self, kernel: &Kernel, folder: &Path, compiler: &str) -> Result<Row, Box<dyn Error>> {
        let named = |extension: &str| folder.join(format!("{}.{GPU}.{extension}", kernel.file));
        let [source, ptx, code] = ["cu", "ptx", "cubin"].map(named);
        std::fs::write(&source, cuda(kernel)?)?;
        run(
            Command::new(&self.clang)
                .args(["-x", "cuda", "--cuda-device-only", "-nocudainc", "-nocudalib", "-std=c++17", "-O3", "-S"])
                .arg(format!("--cuda-gpu-arch={GPU}"))
                // What drivers do with shaders: no denormal numbers, products and sums in one, divisions that aren't exact.
                .args(["-ffp-contract=fast", "-fcuda-flush-denormals-to-zero", "-mllvm", "-nvptx-prec-divf32=1"])
                // Metal has no doubles.
                .args(["-Xclang", "-cl-single-precision-constant"])
                .args(["-fno-math-errno", "--cuda-feature=+ptx80", "-Wno-everything", "-I"])
                .arg(folder)
                .args([&source, Path::new("-o"), &ptx].map(|path: &Path| path.as_os_str())),
            "install clang 19 (Debian: clang-19), and set SOFTPOOL_CLANG",
        )?;
        let start = Instant::now();
        let mut ptxas = Command::new(&self.ptxas);
        let output = run(ptxas.arg(format!("-arch={GPU}")).args(["-v", "-O3", "-o"]).arg(&code).arg(&ptx), "")?;
        let compile_ms = start.elapsed().as_secs_f64() * 1e3;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // "Used 80 registers, ...", "0 bytes stack frame, 8 bytes spill stores, 8 bytes spill loads".
        let before = |what: &str| {
            said.split(what).next().and_then(|text| text.split_whitespace().next_back()?.parse::<u64>().ok())
        };
        let assembly = run(Command::new(&self.nvdisasm).arg("-c").arg(&code), "set SOFTPOOL_NVDISASM to its path")?;
        std::fs::write(named("s"), &assembly.stdout)?;
        let resources = Resources {
            compiler: compiler.to_owned(),
            vector_registers: before(" registers").ok_or_else(|| format!("ptxas says {said:?}"))?,
            scalar_registers: None,
            spilled_registers: before(" bytes spill stores").unwrap_or(0) / 4,
            scratch_bytes: before(" bytes stack frame").unwrap_or(0),
            compile_ms,
        };
        Ok(Row::new(kernel, GPU, resources, isa::nvidia(&String::from_utf8_lossy(&assembly.stdout))))
    }
}

/// Runs a program to its end.
fn run(command: &mut Command, advice: &str) -> Result<Output, Box<dyn Error>> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{program} does not run: {error}; {advice}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(
            format!("{program} ended with {}: {}", output.status, said.chars().take(3000).collect::<String>()).into()
        );
    }
    Ok(output)
}

/// A kernel as CUDA: naga's Metal, with a CUDA kernel around its entry point.
fn cuda(kernel: &Kernel) -> Result<String, Box<dyn Error>> {
    let (module, info) = spirv::parse(&kernel.wgsl)?;
    let slots = (0..=kernel.storage_buffers).map(|binding| {
        let target = msl::BindTarget { buffer: Some(binding as u8), mutable: true, ..Default::default() };
        (naga::ResourceBinding { group: 0, binding }, target)
    });
    let resources = msl::EntryPointResources {
        resources: slots.collect(),
        sizes_buffer: Some(kernel.storage_buffers as u8 + 1),
        ..Default::default()
    };
    // As for Vulkan.
    let options = msl::Options {
        lang_version: (2, 4),
        per_entry_point_map: [("main".to_owned(), resources)].into(),
        bounds_check_policies: BoundsCheckPolicies {
            index: BoundsCheckPolicy::Restrict,
            buffer: BoundsCheckPolicy::Unchecked,
            image_load: BoundsCheckPolicy::Unchecked,
            binding_array: BoundsCheckPolicy::Unchecked,
        },
        zero_initialize_workgroup_memory: false,
        ..Default::default()
    };
    let (metal, _) = msl::write_string(&module, &info, &options, &msl::PipelineOptions::default())?;
    let entry = entry_point(&metal, kernel.workgroup_size).ok_or("naga writes Metal's entry points in another way")?;
    Ok(vectors_made_by_functions(&metal) + &entry)
}

/// Metal whose vectors are made of values by the functions of metal_stdlib.
fn vectors_made_by_functions(metal: &str) -> String {
    // Loops' bounds are without the namespace.
    let mut text = metal.replace(" uint2(", " metal::uint2(");
    for (component, size) in ["float", "int", "uint", "bool"].iter().flat_map(|of| [2, 3, 4].map(|size| (of, size))) {
        let (vector, function) = (format!("metal::{component}{size}"), format!("metal::make_{component}{size}("));
        text = text.replace(&format!("{vector}("), &function).replace(&format!("static_cast<{vector}>("), &function);
    }
    text
}

/// A CUDA kernel around naga's entry point: buffers come as pointers, parameters by value.
fn entry_point(metal: &str, [x, y, z]: [u32; 3]) -> Option<String> {
    let (_, arguments) = metal.split_once("kernel void main_(")?;
    let (arguments, _) = arguments.split_once("\n) {")?;
    let (mut taken, mut given, mut shared) = (Vec::new(), Vec::new(), String::new());
    // "metal::uint3 invocation [[thread_position_in_grid]]", "device type_4 const& x [[buffer(0)]]",
    // "constant Params& params [[buffer(2)]]", "threadgroup type_9& sums".
    for argument in arguments.split("\n,").map(str::trim) {
        let (declared, attribute) = argument.split_once(" [[").unwrap_or((argument, ""));
        let (place, name) = declared.rsplit_once(' ')?;
        let (space, ty) = place.trim_end_matches('&').split_once(' ').unwrap_or(("", place));
        match (space, attribute.trim_end_matches("]]")) {
            ("threadgroup", _) => {
                shared += &format!("    __attribute__((shared)) static {ty} {name};\n");
                given.push(name.to_owned());
            }
            ("constant", _) => {
                taken.push(format!("const {ty} {name}"));
                given.push(name.to_owned());
            }
            ("device", _) => {
                taken.push(format!("{ty}* __restrict__ {name}"));
                given.push(format!("*{name}"));
            }
            (_, position @ ("threadgroup_position_in_grid" | "thread_position_in_threadgroup")) => {
                given.push(format!("metal::{position}()"));
            }
            (_, position) => given.push(format!("metal::{position}(metal::uint3{{{x}, {y}, {z}}})")),
        }
    }
    let (threads, taken, given) = (x * y * z, taken.join(", "), given.join(", "));
    Some(format!(
        "\n#pragma clang attribute pop\n#pragma clang force_cuda_host_device end\n\
         __attribute__((global)) __attribute__((launch_bounds({threads}))) void softpool({taken}) {{\n\
         {shared}    main_({given});\n}}\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metal_entry_points_become_kernels() {
        let metal = "[[max_total_threads_per_threadgroup(64)]] kernel void main_(\n  \
                     metal::uint3 at [[thread_position_in_grid]]\n\
                     , uint lane [[thread_index_in_threadgroup]]\n\
                     , threadgroup type_9& sums\n\
                     , device type_4 const& x [[buffer(0)]]\n\
                     , constant Params& params [[buffer(1)]]\n) {\n}\n";
        let kernel = entry_point(metal, [64, 1, 1]).unwrap_or_default();
        let size = "metal::uint3{64, 1, 1}";
        for part in [
            "launch_bounds(64)",
            "void softpool(type_4 const* __restrict__ x, const Params params)",
            "static type_9 sums;",
            &format!(
                "main_(metal::thread_position_in_grid({size}), metal::thread_index_in_threadgroup({size}), sums, *x, params);"
            ),
        ] {
            assert!(kernel.contains(part), "{part} is not in {kernel}");
        }
    }

    #[test]
    fn vectors_are_made_by_functions() {
        let metal = "metal::float4 a = metal::float4(1.0); uint2 b = uint2(static_cast<metal::uint2>(c));";
        let made = "metal::float4 a = metal::make_float4(1.0); uint2 b = metal::make_uint2(metal::make_uint2(c));";
        assert_eq!(vectors_made_by_functions(metal), made);
    }
}
