//! Mesa's compiler for AMD's GPUs, RADV: it compiles for any GPU that it knows without one being there.
//!
//! It takes which from its environment when it is loaded, so each GPU is compiled for in a process of its own: the bench, run
//! again with [`CHILD`] as its argument. Kernels go in by files, what became of them comes back by standard output.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::kernels::Kernel;
use crate::report::{Resources, Row};
use crate::spirv::{Binding, Translated};
use crate::{isa, spirv, vulkan};

/// GPUs by Mesa's names, of RDNA2 and RDNA3.
pub const GPUS: [&str; 2] = ["navi21", "gfx1100"];

/// The argument by which a process becomes a child.
pub const CHILD: &str = "--compile-with-radv";

/// What to do where the driver isn't installed.
const INSTALL: &str = "install Mesa's Vulkan drivers and the Vulkan loader (Debian: apt-get install mesa-vulkan-drivers \
                       libvulkan1), of an architecture for which they have RADV";

/// A kernel to compile.
#[derive(Deserialize, Serialize)]
struct Job {
    spirv: PathBuf,
    bindings: Vec<(u32, Binding)>,
    /// Where to write the machine code.
    assembly: PathBuf,
}

/// What the driver says of a kernel, or why it did not compile.
#[derive(Deserialize, Serialize)]
struct Outcome {
    device: String,
    driver: String,
    milliseconds: f64,
    statistics: Result<BTreeMap<String, u64>, String>,
}

/// Compiles kernels for `gpu`, with their text, SPIR-V and machine code left in `folder`.
///
/// # Errors
/// If RADV isn't installed, doesn't know the GPU, or refuses a kernel.
pub fn compile(gpu: &str, kernels: &[Kernel], folder: &Path) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut jobs = Vec::new();
    for kernel in kernels {
        let named = |extension: &str| folder.join(format!("{}.{extension}", kernel.file));
        let Translated { words, bindings } =
            spirv::translate(&kernel.wgsl).map_err(|error| format!("{}: {error}", kernel.file))?;
        std::fs::write(named("wgsl"), &kernel.wgsl)?;
        std::fs::write(named("spv"), words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>())?;
        let assembly = named(&format!("{gpu}.s"));
        jobs.push(Job { spirv: named("spv"), bindings, assembly });
    }
    let output = run_child(gpu, &jobs)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let outcomes = text.lines().map(serde_json::from_str).collect::<Result<Vec<Outcome>, _>>()?;
    if !output.status.success() {
        let at = kernels.get(outcomes.len()).map_or("its end", |kernel| &kernel.file);
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("RADV for {gpu} ended with {} at {at}: {}", output.status, said.trim()).into());
    }
    let rows = kernels.iter().zip(&jobs).zip(outcomes).map(|((kernel, job), outcome)| {
        row(gpu, kernel, job, outcome).map_err(|error| format!("{} for {gpu}: {error}", kernel.file).into())
    });
    rows.collect()
}

fn row(gpu: &str, kernel: &Kernel, job: &Job, outcome: Outcome) -> Result<Row, Box<dyn Error>> {
    // With a name that it doesn't know, RADV compiles for whatever GPU is there.
    if !outcome.device.to_lowercase().contains(gpu) {
        return Err(format!("this RADV doesn't know the GPU: it compiles for {}", outcome.device).into());
    }
    let statistics = outcome.statistics?;
    let said = |name: &str| {
        let value = statistics.get(name).copied();
        value.ok_or_else(|| format!("this RADV doesn't tell {name:?}, only {:?}", statistics.keys()))
    };
    let resources = Resources {
        compiler: outcome.driver,
        vector_registers: said("VGPRs")?,
        // "SGPRs" are those that a wave has, the same for all kernels.
        scalar_registers: Some(said("Pre-Sched SGPRs")?),
        spilled_registers: said("Spilled VGPRs")? + said("Spilled SGPRs")?,
        scratch_bytes: said("Scratch size")?,
        compile_ms: outcome.milliseconds,
    };
    Ok(Row::new(kernel, gpu, resources, isa::amd(&std::fs::read_to_string(&job.assembly)?)))
}

/// Runs this program as a child that compiles `jobs` for `gpu`.
fn run_child(gpu: &str, jobs: &[Job]) -> Result<Output, Box<dyn Error>> {
    let manifest = manifest().ok_or_else(|| format!("no RADV on this machine: {INSTALL}"))?;
    let mut child = Command::new(std::env::current_exe()?)
        .arg(CHILD)
        .env("RADV_FORCE_FAMILY", gpu)
        // The second is the first's name in older loaders.
        .env("VK_DRIVER_FILES", &manifest)
        .env("VK_ICD_FILENAMES", &manifest)
        // A layer of Mesa's that looks for devices' places on the bus.
        .env("NODEVICE_SELECT", "1")
        // From text to code each time: of what was compiled before there are no statistics.
        .env("RADV_DEBUG", "nocache")
        .env("MESA_SHADER_CACHE_DISABLE", "true")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut input = child.stdin.take().ok_or("the child has no standard input")?;
    // It reads all of it before it writes anything. One that ends before says why by its standard error.
    let _ = input.write_all(&serde_json::to_vec(jobs)?);
    drop(input);
    Ok(child.wait_with_output()?)
}

/// What the child does: compiles the jobs of its standard input.
///
/// # Errors
/// If there is no device, or a file can't be read or written.
pub fn compile_jobs() -> Result<(), Box<dyn Error>> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let jobs: Vec<Job> = serde_json::from_str(&text)?;
    let compiler = vulkan::Compiler::new().map_err(|error| format!("no Vulkan device: {error}; {INSTALL}"))?;
    for Job { spirv, bindings, assembly } in jobs {
        let bytes = std::fs::read(spirv)?;
        let words: Vec<u32> =
            bytes.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect();
        let start = Instant::now();
        let compiled = compiler.compile(&words, &bindings);
        let milliseconds = start.elapsed().as_secs_f64() * 1e3;
        let statistics = match compiled {
            Ok(compiled) => {
                std::fs::write(assembly, compiled.assembly)?;
                Ok(compiled.statistics)
            }
            Err(error) => Err(error.to_string()),
        };
        let (device, driver) = (compiler.device_name.clone(), compiler.driver.clone());
        println!("{}", serde_json::to_string(&Outcome { device, driver, milliseconds, statistics })?);
    }
    Ok(())
}

/// RADV's manifest, where the Vulkan loader looks for manifests.
fn manifest() -> Option<PathBuf> {
    // Debian names the architecture, since a machine may have several.
    let names = [format!("radeon_icd.{}.json", std::env::consts::ARCH), "radeon_icd.json".into()];
    let data = std::env::var("XDG_DATA_DIRS").unwrap_or_default();
    let data = data.split(':').filter(|folder| !folder.is_empty());
    let folders =
        data.chain(["/usr/local/share", "/usr/share", "/etc"]).map(|folder| Path::new(folder).join("vulkan/icd.d"));
    folders.flat_map(|folder| names.clone().map(|name| folder.join(name))).find(|file| file.is_file())
}
