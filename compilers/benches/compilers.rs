//! What the compilers of real GPUs make of every case's kernels, without these GPUs.
//!
//! ```sh
//! cargo bench --bench compilers             # all cases: a minute
//! cargo bench --bench compilers -- k3       # those whose name contains "k3"
//! cargo bench --bench compilers -- --smoke  # a few, for one GPU: fails where one spills that had met its budget
//! ```
//!
//! Prints a table in Markdown and which budgets are missed, and writes the rows as JSON to `SOFTPOOL_BENCH_JSON`, if that names
//! a file. Text, SPIR-V and machine code of each kernel stay in target/tmp/compilers/. `SOFTPOOL_PTXAS` adds a GPU of NVIDIA's:
//! see src/nvidia/mod.rs.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use softpool_compilers::cases::{CASES, Case};
use softpool_compilers::kernels::Tensors;
use softpool_compilers::report::{self, Row};
use softpool_compilers::{nvidia, radv};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let ran = if arguments.iter().any(|argument| argument == radv::CHILD) {
        radv::compile_jobs().map(|()| ExitCode::SUCCESS)
    } else {
        run(&arguments)
    };
    ran.unwrap_or_else(|error| {
        eprintln!("compilers: {error}");
        ExitCode::FAILURE
    })
}

fn run(arguments: &[String]) -> Result<ExitCode, Box<dyn Error>> {
    let smoke = arguments.iter().any(|argument| argument == "--smoke");
    let filter = arguments.iter().find(|argument| !argument.starts_with("--"));
    let chosen = |case: &&Case| {
        filter.is_none_or(|filter| case.name().contains(filter.as_str())) && (!smoke || case.is_of_smoke())
    };
    let cases: Vec<&Case> = CASES.iter().filter(chosen).collect();
    let tensors = Tensors::new()?;
    let mut kernels = Vec::new();
    for case in &cases {
        kernels.extend(tensors.kernels(case).map_err(|error| format!("{}: {error}", case.name()))?);
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compilers");
    std::fs::create_dir_all(&folder)?;

    let mut rows = Vec::new();
    for gpu in if smoke { &radv::GPUS[..1] } else { &radv::GPUS } {
        rows.extend(radv::compile(gpu, &kernels, &folder)?);
    }
    if let Some(compiler) = nvidia::Compiler::from_environment().filter(|_| !smoke) {
        rows.extend(compiler.compile(&kernels, &folder)?);
    }
    // The GPUs of a case side by side.
    rows.sort_by_key(|row| cases.iter().position(|case| case.name() == row.case));
    print!("{}", report::document(&rows));

    if let Some(file) = std::env::var_os("SOFTPOOL_BENCH_JSON") {
        // Cargo runs a member's benches in the member's folder; its name is relative to the workspace's, as for other benches.
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
        std::fs::write(&file, serde_json::to_string_pretty(&rows)? + "\n")
            .map_err(|error| format!("{}: {error}", file.display()))?;
    }
    let failed = check(&cases, &rows, smoke);
    eprintln!("compilers: texts and machine code are in {}", folder.display());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Prints which budgets are missed, and whether a smoke run fails: where a case spills that had met its budget.
fn check(cases: &[&Case], rows: &[Row], smoke: bool) -> bool {
    let mut failed = false;
    println!("\nBudgets missed on {}:\n", radv::GPUS[0]);
    for case in cases {
        let of_case: Vec<&Row> =
            rows.iter().filter(|row| row.gpu == radv::GPUS[0] && row.case == case.name()).collect();
        let missed = report::missed(case, &of_case);
        if missed.is_empty() {
            if !case.met && case.budget().is_some() {
                eprintln!("compilers: {} meets its budget: its column `met` in src/cases.rs can be true", case.name());
            }
            continue;
        }
        println!("- {}: {}", case.name(), missed.join("; "));
        // Registers and instructions move a little from one version of a compiler to the next; nothing may ever spill.
        if smoke && case.met && of_case.iter().any(|row| row.spills()) {
            eprintln!("compilers: {} had met its budget, and misses it: {}", case.name(), missed.join("; "));
            failed = true;
        }
    }
    failed
}
