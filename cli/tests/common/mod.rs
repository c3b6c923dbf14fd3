//! Running the program in a directory of its own, and its .npy files.
#![allow(dead_code, reason = "each test file uses a part")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ndarray::{ArrayD, IxDyn};
use ndarray_npy::{read_npy, write_npy};
use softpool::ElementType;
use tempfile::TempDir;

/// What the program says when it computes on the CPU because there is no adapter.
pub const FALLBACK: &str = "no GPU adapter is there";

/// A directory for one test's files, removed with it.
pub struct Workplace(TempDir);

/// What a run of the program did.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Workplace {
    pub fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `softpool` with arguments separated by spaces.
    pub fn run(&self, arguments: &str) -> Run {
        self.run_with(arguments, &[])
    }

    /// [`run`](Self::run) with environment variables.
    pub fn run_with(&self, arguments: &str, environment: &[(&str, &str)]) -> Run {
        let output = self.command(arguments).envs(environment.iter().copied()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// The program with arguments separated by spaces, not started yet.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_softpool"));
        command.args(arguments.split_whitespace()).current_dir(self.0.path());
        command
    }

    /// [`succeed`](Self::succeed) with `stdin`, and with bytes on standard output and a report on stderr.
    pub fn pipe(&self, arguments: &str, stdin: &[u8]) -> (Vec<u8>, String) {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // What the program doesn't read is no fault of the test.
        let _ = child.stdin.take().unwrap().write_all(stdin);
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "softpool {arguments}: {stderr}");
        (output.stdout, stderr)
    }

    /// [`run`](Self::run), which has to succeed, and on an adapter if it runs on a device.
    pub fn succeed(&self, arguments: &str) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.code, Some(0), "softpool {arguments}: {run:?}");
        assert!(!run.stderr.contains(FALLBACK), "these tests need an adapter: {}", self.run("info").stdout);
        run
    }

    /// [`run`](Self::run), which has to stop with code 2 and all of `expected` on stderr.
    pub fn refuse(&self, arguments: &str, expected: &[&str]) {
        let run = self.run(arguments);
        assert_eq!(run.code, Some(2), "softpool {arguments}: {run:?}");
        assert_eq!(run.stdout, "", "softpool {arguments}");
        for expected in expected {
            assert!(run.stderr.contains(expected), "softpool {arguments}: {} lacks {expected:?}", run.stderr);
        }
    }

    /// The names of all files, hidden ones too.
    pub fn files(&self) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(self.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// Values between -2 and 2 that no two neighbours share.
pub fn wave(index: usize) -> f32 {
    (index as f32 * 0.7).sin() + (index as f32 * 0.013).cos()
}

pub fn write_wave(path: &Path, shape: &[usize]) {
    let values = (0..shape.iter().product()).map(wave).collect();
    write_npy(path, &ArrayD::from_shape_vec(IxDyn(shape), values).unwrap()).unwrap();
}

pub fn read(path: &Path) -> ArrayD<f32> {
    read_npy(path).unwrap()
}

#[track_caller]
pub fn assert_close(got: &ArrayD<f32>, expected: &ArrayD<f32>, what: &str) {
    assert_eq!(got.shape(), expected.shape(), "{what}");
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - expected).abs() <= 1e-5 * expected.abs().max(1.0), "{what}: {got} for {expected}");
    }
}

/// NumPy's descriptor of the type that the program holds these elements as.
pub fn descriptor(element_type: ElementType) -> &'static str {
    match element_type {
        ElementType::F32 => "<f4",
        ElementType::F16 => "<f2",
        ElementType::Bf16 => "<u2",
    }
}

/// Writes `values`, rounded to the type.
pub fn write_as(path: &Path, element_type: ElementType, shape: &[usize], values: &[f32]) {
    let dims: String = shape.iter().map(|dim| format!("{dim}, ")).collect();
    let data = &element_type.encode(values)[..values.len() * element_type.bytes() as usize];
    fs::write(path, npy(descriptor(element_type), &format!("({dims})"), data)).unwrap();
}

/// A file of that descriptor, shape and data, as they are.
pub fn npy(descriptor: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descriptor}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
}

/// The values in a file of that type and shape.
#[track_caller]
pub fn read_as(path: &Path, element_type: ElementType, shape: &[usize]) -> Vec<f32> {
    let file = fs::read(path).unwrap();
    let (header, data) = file.split_at(10 + usize::from(u16::from_le_bytes([file[8], file[9]])));
    let header = String::from_utf8_lossy(header);
    let expected = format!("'descr': '{}'", descriptor(element_type));
    assert!(header.contains(&expected), "{header} lacks {expected}");
    let dims: Vec<String> = shape.iter().map(usize::to_string).collect();
    let expected = format!("'shape': ({}{})", dims.join(", "), if dims.len() == 1 { "," } else { "" });
    assert!(header.contains(&expected), "{header} lacks {expected}");
    let elements = shape.iter().product();
    assert_eq!(data.len(), elements * element_type.bytes() as usize);
    element_type.decode(data, elements)
}
