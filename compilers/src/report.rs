//! The rows of the results, as a table and as JSON, and which cases miss their budgets.

use std::collections::BTreeMap;
use std::process::Command;

use serde::Serialize;

use crate::cases::Budget;
use crate::isa::Counts;
use crate::kernels::Kernel;

/// What a compiler made of a kernel for a GPU.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The case's name.
    pub case: String,
    /// What softpool calls the kernel. A case may have several, one after the other.
    pub kernel: String,
    /// The GPU, by the compiler's name.
    pub gpu: String,
    /// The compiler, with its version.
    pub compiler: String,
    /// The size of the kernel's text.
    pub wgsl_bytes: usize,
    /// Registers of an invocation.
    pub vector_registers: u64,
    /// Registers that a wave's invocations share, where the compiler tells.
    pub scalar_registers: Option<u64>,
    /// Registers that did not fit, of both kinds.
    pub spilled_registers: u64,
    /// Memory of each invocation, for spills and arrays.
    pub scratch_bytes: u64,
    /// Vector instructions, each counted once.
    pub vector_instructions: u64,
    /// Those of them in loops, which run more often.
    pub vector_instructions_in_loops: u64,
    /// Vector instructions of all invocations by the bytes that the case must move: each input read once, each output
    /// written once.
    pub instructions_per_byte: f64,
    /// Loads from storage buffers, by bytes of a lane.
    pub loads_by_width: BTreeMap<u32, u64>,
    /// Stores to storage buffers, by bytes of a lane.
    pub stores_by_width: BTreeMap<u32, u64>,
    /// Invocations, idle ones among them.
    pub invocations: u64,
    /// Invocations of a workgroup along x, y and z.
    pub workgroup_size: [u32; 3],
    /// How long the compiler took, from SPIR-V or PTX.
    pub compile_ms: f64,
}

/// What a compiler itself says of a kernel.
#[derive(Debug)]
pub struct Resources {
    /// As in [`Row`].
    pub compiler: String,
    /// As in [`Row`].
    pub vector_registers: u64,
    /// As in [`Row`].
    pub scalar_registers: Option<u64>,
    /// As in [`Row`].
    pub spilled_registers: u64,
    /// As in [`Row`].
    pub scratch_bytes: u64,
    /// As in [`Row`].
    pub compile_ms: f64,
}

impl Row {
    /// The row of a kernel on a GPU.
    pub fn new(kernel: &Kernel, gpu: &str, resources: Resources, counts: Counts) -> Self {
        Self {
            case: kernel.case.clone(),
            kernel: kernel.label.clone(),
            gpu: gpu.to_owned(),
            compiler: resources.compiler,
            wgsl_bytes: kernel.wgsl.len(),
            vector_registers: resources.vector_registers,
            scalar_registers: resources.scalar_registers,
            spilled_registers: resources.spilled_registers,
            scratch_bytes: resources.scratch_bytes,
            vector_instructions: counts.vector,
            vector_instructions_in_loops: counts.vector_in_loops,
            instructions_per_byte: counts.vector as f64 * kernel.invocations as f64 / kernel.bytes as f64,
            loads_by_width: counts.loads,
            stores_by_width: counts.stores,
            invocations: kernel.invocations,
            workgroup_size: kernel.workgroup_size,
            compile_ms: resources.compile_ms,
        }
    }

    /// Whether something is in memory that should be in registers.
    pub fn spills(&self) -> bool {
        self.spilled_registers > 0 || self.scratch_bytes > 0
    }
}

/// What the table's columns are, for who reads it without this file.
const LEGEND: &str = "\
Registers: vector and scalar; how many were spilled, and bytes of scratch memory. Instructions: of the vector unit, each
counted once; those of them in loops, which run more often. By byte: vector instructions of all invocations by the bytes that
the case must move (each input read once, each output written once). Loads and stores: of storage buffers, their number x
bytes of a lane.";

/// The rows in Markdown, with what they are of.
pub fn document(rows: &[Row]) -> String {
    let mut compilers: Vec<&str> = rows.iter().map(|row| row.compiler.as_str()).collect();
    compilers.sort_unstable();
    compilers.dedup();
    let (version, commit, compilers) = (env!("CARGO_PKG_VERSION"), commit(), compilers.join(", "));
    let title = "What compilers of GPUs make of softpool's kernels";
    format!("# {title}\n\nsoftpool {version} at commit {commit}, by {compilers}.\n\n{LEGEND}\n\n{}", table(rows))
}

/// The rows as a Markdown table, aligned to be read as it is.
fn table(rows: &[Row]) -> String {
    let header = [
        "case",
        "kernel",
        "GPU",
        "group",
        "invocations",
        "vector",
        "scalar",
        "spilled",
        "scratch",
        "instructions",
        "in loops",
        "by byte",
        "loads",
        "stores",
        "WGSL kB",
        "ms",
    ];
    let mut lines = vec![header.map(str::to_owned), header.map(|_| "-".to_owned())];
    lines.extend(rows.iter().map(|row| {
        [
            row.case.clone(),
            row.kernel.trim_start_matches("softpool ").to_owned(),
            row.gpu.clone(),
            row.workgroup_size.map(|size| size.to_string()).join("x"),
            row.invocations.to_string(),
            row.vector_registers.to_string(),
            row.scalar_registers.map_or(String::new(), |registers| registers.to_string()),
            row.spilled_registers.to_string(),
            row.scratch_bytes.to_string(),
            row.vector_instructions.to_string(),
            row.vector_instructions_in_loops.to_string(),
            format!("{:.1}", row.instructions_per_byte),
            widths(&row.loads_by_width),
            widths(&row.stores_by_width),
            format!("{:.1}", row.wgsl_bytes as f64 / 1e3),
            format!("{:.0}", row.compile_ms),
        ]
    }));
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        for (column, cell) in line.iter().enumerate() {
            let width = lines.iter().map(|line| line[column].len()).max().unwrap_or_default();
            text += &match number {
                1 => format!("|{}", "-".repeat(width + 2)),
                _ => format!("| {cell:<width$} "),
            };
        }
        text += "|\n";
    }
    text
}

/// "9x16 2x4": nine of 16 bytes, two of 4.
fn widths(by_width: &BTreeMap<u32, u64>) -> String {
    by_width.iter().rev().map(|(width, count)| format!("{count}x{width}")).collect::<Vec<_>>().join(" ")
}

/// In what a case misses its budget; `rows` are all of its kernels', on the GPU that budgets are for.
pub fn missed(budget: &Budget, rows: &[&Row]) -> Vec<String> {
    let Budget { vector_registers, instructions_per_byte } = budget;
    let mut missed = Vec::new();
    for row in rows {
        let kernel = row.kernel.trim_start_matches("softpool ");
        if row.spilled_registers > 0 {
            missed.push(format!("{kernel} spills {} registers", row.spilled_registers));
        }
        if row.scratch_bytes > 0 {
            missed.push(format!("{kernel} has {} bytes of scratch", row.scratch_bytes));
        }
        if row.vector_registers > *vector_registers {
            missed.push(format!("{kernel} has {} of {vector_registers} vector registers", row.vector_registers));
        }
    }
    let all: f64 = rows.iter().map(|row| row.instructions_per_byte).sum();
    if let Some(allowed) = instructions_per_byte.filter(|allowed| all > *allowed) {
        missed.push(format!("{all:.1} of {allowed} instructions by byte"));
    }
    missed
}

/// The commit that is compiled, if git can tell.
fn commit() -> String {
    let describe = Command::new("git").args(["describe", "--always", "--dirty"]).output();
    let text = describe.ok().filter(|output| output.status.success());
    text.map_or("unknown".into(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
