//! The cases of tests/golden: values that PyTorch computed in f64.

use std::fs::File;
use std::path::{Path, PathBuf};

use ndarray::ArrayD;
use ndarray_npy::{ReadNpyExt, ReadableElement};
use serde::Deserialize;
use softpool::{Shape, SoftPoolConfig};

use super::Case;

/// case.json.
#[derive(Deserialize)]
struct Description {
    name: String,
    input_shape: Vec<usize>,
    output_shape: Vec<usize>,
    kernel: Vec<usize>,
    stride: Vec<usize>,
    padding: Vec<usize>,
    dilation: Vec<usize>,
    ceil_mode: bool,
    beta: f32,
    finite: bool,
    grad_beta: Option<f64>,
}

/// A case, and what PyTorch makes of it.
pub struct Golden {
    pub case: Case,
    pub y: Vec<f64>,
    pub lse: Option<Vec<f64>>,
    pub grad_input: Option<Vec<f64>>,
    pub grad_input_detached: Option<Vec<f64>>,
    pub grad_beta: Option<f64>,
    /// Whether all values are.
    pub finite: bool,
}

/// Where the cases lie, if not in the sources' tests/golden.
const VARIABLE: &str = "SOFTPOOL_GOLDEN";

/// tests/golden, of the crate or of one of its members.
fn folder() -> PathBuf {
    if let Some(folder) = std::env::var_os(VARIABLE) {
        return folder.into();
    }
    let member = Path::new(env!("CARGO_MANIFEST_DIR"));
    member.ancestors().map(|folder| folder.join("tests/golden")).find(|folder| folder.is_dir()).expect("tests/golden")
}

fn read<T: ReadableElement + Clone>(file: &Path) -> Option<Vec<T>> {
    let array = ArrayD::<T>::read_npy(File::open(file).ok()?).expect("a .npy file of this type");
    Some(array.as_standard_layout().iter().cloned().collect())
}

/// All of them.
pub fn all() -> Vec<Golden> {
    let mut folders: Vec<_> = folder().read_dir().expect("tests/golden").map(|entry| entry.unwrap().path()).collect();
    folders.retain(|folder| folder.is_dir());
    folders.sort();
    assert_eq!(folders.len(), 44, "a case is missing");
    folders.iter().map(|folder| load(folder)).collect()
}

fn load(folder: &Path) -> Golden {
    let description = std::fs::read_to_string(folder.join("case.json")).expect("case.json");
    let description: Description = serde_json::from_str(&description).expect("the fields of the README");
    let config = SoftPoolConfig::builder(&description.kernel)
        .stride(&description.stride)
        .padding(&description.padding)
        .dilation(&description.dilation)
        .ceil_mode(description.ceil_mode)
        .beta(description.beta)
        .build()
        .expect("a valid configuration");
    let shape = Shape::new(&description.input_shape).expect("a valid shape");
    let pooled = shape.pooled(&config).expect("a valid case");
    assert_eq!(pooled.dims(), description.output_shape, "{}", description.name);
    let grad_output = read(&folder.join("grad_output.npy")).unwrap_or_else(|| vec![1.0; pooled.elements()]);
    let x = read(&folder.join("x.npy")).expect("x.npy");
    Golden {
        case: Case { name: description.name, config, shape, x, grad_output },
        y: read(&folder.join("y.npy")).expect("y.npy"),
        lse: read(&folder.join("lse.npy")),
        grad_input: read(&folder.join("grad_input.npy")),
        grad_input_detached: read(&folder.join("grad_input_detached.npy")),
        grad_beta: description.grad_beta,
        finite: description.finite,
    }
}
