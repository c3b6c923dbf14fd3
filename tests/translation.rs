//! Evidence that every shader text that the tests' poolings can make is valid WGSL without a single optional capability, but
//! for one that GPUs have (`Natives::unpack_f16`), and translates to what each native interface takes: SPIR-V, which spirv-val
//! accepts; MSL; HLSL for shader models 5.1 and 6.0; GLSL of the desktop and of ES. What Chromium
//! says of the same texts is web/test's.

#[path = "common/kernel_tables.rs"]
mod kernel_tables;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use kernel_tables::{
    adaptive, k, one_dimensional, sources, three_dimensional, two_dimensional_disjoint, two_dimensional_overlapping,
};

use naga::ShaderStage;
use naga::back::{glsl, hlsl, msl, spv};
use naga::proc::BoundsCheckPolicies;
use naga::valid::{Capabilities, FunctionInfo, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, Expression, Function, Module, TypeInner};
use softpool::{GradientRule, Shape, SoftPoolConfig, SoftPoolConfigBuilder, shader_parts, shader_sources};

const ENTRY_POINT: &str = "main";

/// Kernels that index arrays at run time and are being replaced, by what their labels start with. Each goes with its kernel.
const INDEXED_AT_RUN_TIME: &[&str] = &[];

/// Where a function's own array has an index that is known at run time only: such an array is in memory, not in registers, as
/// GPUs have no registers to count through. Lanes of vectors may be chosen so: those are selects.
fn indexed_at_run_time(module: &Module, info: &ModuleInfo) -> Vec<String> {
    let inspect = |name: &str, function: &Function, of: &FunctionInfo| {
        let found = function.expressions.iter().filter_map(|(_, expression)| {
            let Expression::Access { base, .. } = *expression else { return None };
            let is_array = match *of[base].ty.inner_with(&module.types) {
                TypeInner::Pointer { base, space: AddressSpace::Function | AddressSpace::Private } => {
                    matches!(module.types[base].inner, TypeInner::Array { .. })
                }
                TypeInner::Array { .. } => true,
                _ => false,
            };
            is_array.then(|| name.to_owned())
        });
        found.collect::<Vec<_>>()
    };
    let functions = module.functions.iter();
    let functions = functions
        .flat_map(|(handle, function)| inspect(function.name.as_deref().unwrap_or("?"), function, &info[handle]));
    let entry = inspect(ENTRY_POINT, &module.entry_points[0].function, info.get_entry_point(0));
    functions.chain(entry).collect()
}

/// What other programs are to look at: SPIR-V, and GLSL of each version.
struct Translated {
    spirv: Vec<u32>,
    gl: [String; 2],
}

fn translate(label: &str, text: &str) -> Translated {
    let module = naga::front::wgsl::parse_str(text)
        .unwrap_or_else(|error| panic!("{label} does not parse: {}", error.emit_to_string(text)));
    // No capability at all: what a device without any feature takes.
    let native = text.contains("unpack2x16float");
    let capabilities = if native { Capabilities::SHADER_FLOAT16_IN_FLOAT32 } else { Capabilities::empty() };
    let info = Validator::new(ValidationFlags::all(), capabilities)
        .validate(&module)
        .unwrap_or_else(|error| panic!("{label} is not valid: {}", error.emit_to_string(text)));
    let entry_points: Vec<_> = module.entry_points.iter().map(|entry| (entry.stage, entry.name.as_str())).collect();
    assert_eq!(entry_points, [(ShaderStage::Compute, ENTRY_POINT)], "{label}");

    let indexed = indexed_at_run_time(&module, &info);
    let exempt = INDEXED_AT_RUN_TIME.iter().any(|prefix| label.starts_with(prefix));
    assert!(indexed.is_empty() || exempt, "{label}: arrays are indexed at run time in {indexed:?}");

    let pipeline = spv::PipelineOptions { shader_stage: ShaderStage::Compute, entry_point: ENTRY_POINT.into() };
    let spirv = spv::write_vec(&module, &info, &spv::Options::default(), Some(&pipeline));
    let spirv = spirv.unwrap_or_else(|error| panic!("{label} as SPIR-V: {error}"));
    assert_eq!(spirv.first(), Some(&0x0723_0203), "{label}: SPIR-V starts with its magic number");

    let (metal, translation) = msl::write_string(&module, &info, &Default::default(), &Default::default())
        .unwrap_or_else(|error| panic!("{label} as MSL: {error}"));
    assert!(metal.contains("kernel void"), "{label}: MSL has a kernel");
    for name in &translation.entry_point_names {
        assert!(name.is_ok(), "{label} as MSL: {name:?}");
    }

    for shader_model in [hlsl::ShaderModel::V5_1, hlsl::ShaderModel::V6_0] {
        let mut direct3d = String::new();
        let options = hlsl::Options { shader_model, ..Default::default() };
        let pipeline = hlsl::PipelineOptions::default();
        let reflection = hlsl::Writer::new(&mut direct3d, &options, &pipeline).write(&module, &info, None);
        let reflection = reflection.unwrap_or_else(|error| panic!("{label} as HLSL for {shader_model:?}: {error}"));
        assert!(direct3d.contains("numthreads"), "{label}: HLSL has a compute shader");
        for name in &reflection.entry_point_names {
            assert!(name.is_ok(), "{label} as HLSL for {shader_model:?}: {name:?}");
        }
    }

    // naga makes `mix` of a select of integers: of 4.50 on, and of ES 3.10.
    let versions = [glsl::Version::Desktop(450), glsl::Version::Embedded { version: 310, is_webgl: false }];
    let gl = versions.map(|version| {
        let options = glsl::Options { version, ..Default::default() };
        let pipeline = glsl::PipelineOptions {
            shader_stage: ShaderStage::Compute,
            entry_point: ENTRY_POINT.into(),
            multiview: None,
        };
        let mut gl = String::new();
        glsl::Writer::new(&mut gl, &module, &info, &options, &pipeline, BoundsCheckPolicies::default())
            .and_then(|mut writer| writer.write())
            .unwrap_or_else(|error| panic!("{label} as GLSL {version}: {error}"));
        assert!(gl.contains("void main()"), "{label}: GLSL has an entry point");
        gl
    });
    Translated { spirv, gl }
}

/// Runs a program of Khronos' over files.
///
/// # Panics
/// If it isn't there, or finds a fault.
fn validate(program: &str, package: &str, arguments: &[&str], files: &[PathBuf]) {
    let output = Command::new(program).args(arguments).args(files).output();
    let output = output.unwrap_or_else(|error| {
        panic!("{program}: {error}; run scripts/setup, or install what has it (Debian: apt-get install {package})")
    });
    let [said, complained] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{program}, of {:?}:\n{said}{complained}", files.first());
}

fn validate_spirv(file: &Path) {
    validate("spirv-val", "spirv-tools", &["--target-env", "vulkan1.1"], &[file.to_owned()]);
}

fn validate_gl(files: &[PathBuf]) {
    // One process for many takes an eighth of the time; so many are what a command line holds.
    for files in files.chunks(500) {
        validate("glslangValidator", "glslang-tools", &["-S", "comp"], files);
    }
}

#[test]
fn an_array_that_is_indexed_at_run_time_is_found() {
    let found = |body: &str| {
        let text = format!(
            "@group(0) @binding(0) var<storage, read_write> x: array<u32>;\nfn g(values: array<u32, 4>, i: u32) -> u32 {{\n\
             return values[i];\n}}\n@compute @workgroup_size(1)\nfn main(@builtin(global_invocation_id) at: vec3<u32>) {{\n\
             var a: array<array<u32, 4>, 4>;\nvar v = vec4(0u);\nlet i = at.x;\n{body}\n}}"
        );
        let module = naga::front::wgsl::parse_str(&text).expect("valid WGSL");
        let info = Validator::new(ValidationFlags::all(), Capabilities::empty()).validate(&module);
        indexed_at_run_time(&module, &info.expect("a valid module")).iter().filter(|name| *name == ENTRY_POINT).count()
    };
    for (body, times) in [
        ("x[i] = a[0][3];", 0),
        ("x[i] = v[i];", 0),
        ("v[i] = 1u;", 0),
        ("x[i] = a[i][0];", 1),
        ("a[1][i] = x[i];", 1),
        ("a[i][i] = x[i];", 2),
    ] {
        assert_eq!(found(body), times, "{body}");
    }
}

fn translate_all(table: Vec<(SoftPoolConfigBuilder, Vec<usize>)>) {
    let texts = sources(table);
    assert!(!texts.is_empty());
    let folder = tempfile::tempdir().expect("a place for files");
    let mut gl_files = Vec::new();
    for (index, (text, label)) in texts.iter().enumerate() {
        let Translated { spirv, gl: [desktop, es] } = translate(label, text);
        let write = |name: &str, bytes: &[u8]| {
            // The name says whose fault it is.
            let file = folder.path().join(format!("{index} {label} {name}"));
            std::fs::write(&file, bytes).expect("a file can be written");
            file
        };
        let bytes: Vec<u8> = spirv.iter().flat_map(|word| word.to_le_bytes()).collect();
        validate_spirv(&write("spirv", &bytes));
        gl_files.push(write("es", es.as_bytes()));
        // It differs from the one of ES by little more than its head.
        if index % 8 == 0 {
            gl_files.push(write("desktop", desktop.as_bytes()));
        }
    }
    validate_gl(&gl_files);
}

/// Their programs do find faults.
#[test]
fn what_is_wrong_is_found() {
    let folder = tempfile::tempdir().expect("a place for files");
    let text = sources(vec![(k([2]), vec![1, 1, 8])]).into_keys().next().expect("a text");
    let Translated { spirv, gl } = translate("k2", &text);
    let write = |name: &str, bytes: &[u8]| {
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).expect("a file can be written");
        file
    };
    let cut: Vec<u8> = spirv[..spirv.len() - 1].iter().flat_map(|word| word.to_le_bytes()).collect();
    let finds = |program: &str, validate: &dyn Fn()| {
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(validate));
        found.expect_err(program).downcast_ref::<String>().is_some_and(|text| text.contains(program))
    };
    let cut = write("cut.spv", &cut);
    assert!(finds("spirv-val", &|| validate_spirv(&cut)));
    let undeclared = gl[0].replace("void main() {", "void main() { undeclared = 1u;");
    let files = [write("right", gl[1].as_bytes()), write("undeclared", undeclared.as_bytes())];
    assert!(finds("glslangValidator", &|| validate_gl(&files)));
}

#[test]
fn one_dimensional_poolings_translate() {
    translate_all(one_dimensional());
}

#[test]
fn disjoint_two_dimensional_poolings_translate() {
    translate_all(two_dimensional_disjoint());
}

#[test]
fn overlapping_two_dimensional_poolings_translate() {
    translate_all(two_dimensional_overlapping());
}

#[test]
fn three_dimensional_poolings_translate() {
    translate_all(three_dimensional());
}

#[test]
fn adaptive_poolings_translate() {
    translate_all(adaptive());
}

/// Kernels of textures, which are texts of their own: each translates, poolings within the bytes that small windows have, and every
/// file in shaders/textures/ is used.
#[test]
fn kernels_of_textures_translate() {
    let budget = |label: &str| if label.contains(" mips ") { 20 << 10 } else { 12 << 10 };
    let sources = softpool::texture::shader_sources();
    let mut heads = HashSet::new();
    for (label, text) in &sources {
        // Depth can't be loaded in GLSL, and isn't on GL: `TextureError::NotOnGl`.
        if !text.contains("texture_depth_2d") {
            translate(label, text);
        }
        assert!(text.len() <= budget(label), "{label} has {} bytes", text.len());
        heads.extend(text.lines().filter(|line| line.starts_with("//!")).map(str::to_owned));
    }
    assert!(sources.len() > 400, "{} kernels", sources.len());
    for (name, text) in files_of("shaders/textures") {
        assert!(text.starts_with("// "), "{name} opens with a comment that says what it is");
        assert!(heads.contains(&format!("//! shaders/textures/{name}")), "no kernel of textures uses {name}");
    }
}

/// Name and text of every file in shaders/.
fn shader_files() -> Vec<(String, String)> {
    files_of("shaders")
}

fn files_of(folder: &str) -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = folder.read_dir().expect("the folder of the shaders");
    // Those of textures have a folder of their own.
    let files = files.filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path().is_file()));
    let files = files.map(|entry| {
        let entry = entry.expect("an entry of the folder");
        let text = std::fs::read_to_string(entry.path()).expect("a text file");
        (entry.file_name().to_string_lossy().into_owned(), text)
    });
    files.collect()
}

/// A text says which files its parts are from; of a file that it names it holds something.
#[test]
fn every_shader_file_is_used() {
    let tables =
        [one_dimensional(), two_dimensional_disjoint(), two_dimensional_overlapping(), three_dimensional(), adaptive()];
    let mut heads = HashSet::new();
    for text in sources(tables.concat()).keys() {
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "//! src/specialise.rs");
        for pair in lines.windows(2).filter(|pair| pair[0].starts_with("//!")) {
            assert!(!pair[1].starts_with("//!"), "{} has no part of a text", pair[0]);
            heads.insert(pair[0].to_owned());
        }
    }
    let files = shader_files();
    assert!(files.len() >= 6, "the files of shaders/: {files:?}");
    for (name, text) in files {
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("// "), "{name} opens with a comment that says what it is");
        // The prelude of editors stands in for what src/specialise.rs makes, so that no pooling uses it.
        let used = heads.remove(&format!("//! shaders/{name}"));
        assert!(used || name == "prelude.wgsl", "no pooling of the tests uses {name}");
    }
    assert_eq!(heads.into_iter().collect::<Vec<_>>(), ["//! src/specialise.rs"], "parts of other files");
}

/// Kernels whose arrays have other sizes than those of the same name in the prelude, and which have one of their own instead.
const OTHER_SIZES: &[&str] = &["forward_disjoint", "backward_disjoint", "forward_taps", "backward_taps"];

/// Set to 1, writes shaders/prelude.wgsl anew.
const WRITE_PRELUDE: &str = "SOFTPOOL_WRITE_PRELUDE";

/// The files of shaders/ by themselves, for an editor that knows WGSL: below shaders/prelude.wgsl, which stands for what
/// src/specialise.rs makes, those of a kernel are a valid module as they are written, before anything is unrolled.
#[test]
fn files_are_wgsl_as_they_are_written() {
    let first = (k([3, 3]).stride([2]).padding([1]), vec![2, 3, 16, 16]);
    let tables =
        [vec![first], one_dimensional(), two_dimensional_disjoint(), two_dimensional_overlapping(), adaptive()];
    let (mut declared, mut kernels) = (HashSet::new(), BTreeMap::new());
    let mut prelude = String::from(
        "// What src/specialise.rs makes, for editors: constants, bindings and accessors of one pooling. No kernel has this file; \
         a\n// test writes and reads it (tests/translation.rs).\n\n",
    );
    for (builder, dims) in tables.concat() {
        let config = builder.build().expect("a valid configuration");
        let shape = Shape::new(&dims).expect("a valid shape");
        // Kernels that share a name have values of their own for it: the longest prelude, that of backward_rows, comes first, and
        // with it all that goes together.
        let mut parts = shader_parts(&config, &shape).expect("a valid case");
        parts.sort_by_key(|parts| Reverse(parts.prelude.len()));
        for parts in parts {
            for line in parts.prelude.lines().filter(|line| !line.starts_with("//!")) {
                let words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let mut words =
                    words.filter(|word| !matches!(*word, "" | "storage" | "uniform" | "read" | "read_write"));
                let name = words.find(|word| matches!(*word, "const" | "fn" | "var")).and_then(|_| words.next());
                if name.is_some_and(|name| declared.insert(name.to_owned())) {
                    prelude += line;
                    prelude.push('\n');
                }
            }
            kernels.insert(parts.files, (parts.kernel, parts.prelude));
        }
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("shaders/prelude.wgsl");
    if std::env::var_os(WRITE_PRELUDE).is_some_and(|value| value == "1") {
        std::fs::write(&path, &prelude).expect("shaders/prelude.wgsl can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == prelude,
        "shaders/prelude.wgsl is not what src/specialise.rs makes: {WRITE_PRELUDE}=1 cargo test --test suite as_they"
    );
    assert!(kernels.len() > 12, "the kernels' files: {}", kernels.len());
    let mut problems = BTreeSet::new();
    let capabilities = Capabilities::SHADER_FLOAT16_IN_FLOAT32;
    for (files, (kernel, own)) in kernels {
        let prelude = if OTHER_SIZES.contains(&kernel) { &own } else { &prelude };
        let text = [&[prelude.as_str()][..], &files].concat().join("\n");
        match naga::front::wgsl::parse_str(&text) {
            Err(error) => drop(problems.insert(format!("{kernel}: {}", error.emit_to_string(&text)))),
            Ok(module) => {
                if let Err(error) = Validator::new(ValidationFlags::all(), capabilities).validate(&module) {
                    problems.insert(format!("{kernel}: {}", error.emit_to_string(&text)));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn shaders_leave_nothing_to_do() {
    for (name, text) in shader_files() {
        for mark in ["TODO", "FIXME", "XXX", "HACK"] {
            assert!(!text.contains(mark), "{name} has a {mark}");
        }
    }
}

/// The label is what a validation error or a profiler shows of a shader: it has to say which pooling it belongs to.
#[test]
fn labels_name_the_kernel_and_its_windows() {
    let label_of = |builder: SoftPoolConfigBuilder, dims: &[usize]| -> Vec<String> {
        let config = builder.build().expect("a valid configuration");
        let shape = Shape::new(dims).expect("a valid shape");
        let sources = shader_sources(&config, &shape).expect("a valid case");
        sources.into_iter().map(|(label, _)| label).collect()
    };
    let builder = k([3, 3]).stride([2]).padding([1]).gradient_rule(GradientRule::Detached);
    let labels = label_of(builder, &[1, 2, 16, 16]);
    let parts =
        labels.iter().map(|label| label.strip_prefix("softpool ").and_then(|label| label.split_once(" k3 s2 p1")));
    let parts: BTreeSet<(&str, &str)> = parts.map(|parts| parts.expect("a kernel and its windows")).collect();
    // The rule has no part in the forward.
    let of_each_kernel = [
        ("backward rows", " detached"),
        ("backward statistics", " detached"),
        ("backward taps", " detached"),
        ("forward rows", ""),
        ("forward rows", " detached"),
        ("forward taps", ""),
        ("forward taps", " detached"),
        ("second backward input", " detached"),
        ("second backward rows", " detached"),
        ("second backward taps", " detached"),
        ("tangent", " detached"),
    ];
    // Nor in a sum, whose label may show it all the same.
    let others: Vec<_> = parts.iter().filter(|(kernel, _)| *kernel != "sum").copied().collect();
    assert_eq!(others, of_each_kernel);
    assert!(parts.len() > others.len(), "the sums of the gradient of beta: {parts:?}");
    let labels = label_of(k([2, 3, 4]).dilation([1, 2, 1]), &[1, 1, 8, 8, 8]);
    assert!(labels.iter().all(|label| label.contains(" k2x3x4") && label.contains(" d1x2x1")), "{labels:?}");
    // The largest of the windows.
    let labels = label_of(SoftPoolConfig::adaptive([2, 3]), &[1, 1, 7, 8]);
    assert!(labels.iter().all(|label| label.ends_with(" k4 s1 adaptive")), "{labels:?}");
}
