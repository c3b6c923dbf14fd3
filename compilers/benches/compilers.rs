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

use softpool_compilers::cases::{Budget, CASES, Case};
use softpool_compilers::kernels::Tensors;
use softpool_compilers::report::{self, Row};
use softpool_compilers::{nvidia, radv, textures};

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
    let of_buffers = kernels.len();
    kernels.extend(textures::kernels(|name| filter.is_none_or(|filter| name.contains(filter.as_str()))));
    let mut held: Vec<Held> =
        cases.iter().map(|case| Held { case: case.name(), budget: case.budget(), met: case.met }).collect();
    held.extend(kernels[of_buffers..].iter().map(|kernel| Held {
        case: kernel.case.clone(),
        budget: Some(textures::budget(&kernel.case)),
        met: true,
    }));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compilers");
    std::fs::create_dir_all(&folder)?;

    let mut rows = Vec::new();
    for gpu in if smoke { &radv::GPUS[..1] } else { &radv::GPUS } {
        rows.extend(radv::compile(gpu, &kernels, &folder)?);
    }
    if let Some(compiler) = nvidia::Compiler::from_environment().filter(|_| !smoke) {
        rows.extend(compiler.compile(&kernels[..of_buffers], &folder)?);
    }
    // The GPUs of a case side by side.
    rows.sort_by_key(|row| held.iter().position(|held| held.case == row.case));
    print!("{}", report::document(&rows));

    if let Some(file) = std::env::var_os("SOFTPOOL_BENCH_JSON") {
        // Cargo runs a member's benches in the member's folder; its name is relative to the workspace's, as for other benches.
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
        std::fs::write(&file, serde_json::to_string_pretty(&rows)? + "\n")
            .map_err(|error| format!("{}: {error}", file.display()))?;
    }
    let failed = check(&held, &rows, smoke);
    eprintln!("compilers: texts and machine code are in {}", folder.display());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A case that is held against its budget.
struct Held {
    case: String,
    budget: Option<&'static Budget>,
    met: bool,
}

/// Prints which budgets are missed, and whether a smoke run fails: where a case spills that had met its budget.
fn check(cases: &[Held], rows: &[Row], smoke: bool) -> bool {
    let mut failed = false;
    let mut all_met = true;
    for Held { case, budget, met } in cases {
        let Some(budget) = budget else { continue };
        let of_case: Vec<&Row> = rows.iter().filter(|row| row.gpu == radv::GPUS[0] && row.case == *case).collect();
        let missed = report::missed(budget, &of_case);
        if missed.is_empty() {
            if !met {
                eprintln!("compilers: {case} meets its budget: its column `met` in src/cases.rs can be true");
            }
            continue;
        }
        if std::mem::take(&mut all_met) {
            println!("\nBudgets missed on {}:\n", radv::GPUS[0]);
        }
        println!("- {case}: {}", missed.join("; "));
        // Registers and instructions move a little from one version of a compiler to the next; nothing may ever spill.
        if smoke && *met && of_case.iter().any(|row| row.spills()) {
            eprintln!("compilers: {case} had met its budget, and misses it: {}", missed.join("; "));
            failed = true;
        }
    }
    if all_met {
        println!("\nAll budgets are met on {}.", radv::GPUS[0]);
    }
    failed
}
