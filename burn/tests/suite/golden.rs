//! Every case of the core's golden files, which PyTorch computed in f64, by both paths.

use std::fs::File;
use std::path::{Path, PathBuf};

use ndarray::ArrayD;
use ndarray_npy::{ReadNpyExt, ReadableElement};
use serde::Deserialize;
use softpool::{Shape, SoftPoolConfig};

use crate::common::Case;
use crate::common::accuracy::Expected;
use crate::devices::{Setting, one_of_each_path, run};

/// What case.json says of a pooling.
#[derive(Deserialize)]
struct Description {
    name: String,
    input_shape: Vec<usize>,
    kernel: Vec<usize>,
    stride: Vec<usize>,
    padding: Vec<usize>,
    dilation: Vec<usize>,
    ceil_mode: bool,
    beta: f32,
    finite: bool,
}

#[test]
fn both_paths_agree() {
    let mut folders: Vec<PathBuf> = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/golden")
        .read_dir()
        .expect("the golden files")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert_eq!(folders.len(), 44, "a case is missing");
    for folder in folders {
        check(&folder);
    }
}

fn check(folder: &Path) {
    let description = std::fs::read_to_string(folder.join("case.json")).expect("case.json");
    let description: Description = serde_json::from_str(&description).expect("the fields of the README");
    let config = SoftPoolConfig::builder(description.kernel)
        .stride(description.stride)
        .padding(description.padding)
        .dilation(description.dilation)
        .ceil_mode(description.ceil_mode)
        .beta(description.beta)
        .build()
        .expect("a valid configuration");
    let shape = Shape::new(description.input_shape).expect("a valid shape");
    let pooled = shape.pooled(&config).expect("a valid case");
    let grad_output = read(&folder.join("grad_output.npy")).unwrap_or_else(|| vec![1.0; pooled.elements()]);
    let x = read(&folder.join("x.npy")).expect("x.npy");
    let exact = Case { name: description.name, config, shape, x, grad_output };
    let y: Vec<f64> = read(&folder.join("y.npy")).expect("y.npy");
    for (case, file) in [(exact.detached(), "grad_input_detached.npy"), (exact, "grad_input.npy")] {
        let reference = Expected::of(&case);
        let grad_input: Option<Vec<f64>> = read(&folder.join(file));
        let has_gradient = grad_input.is_some();
        let grad_input = grad_input.unwrap_or(reference.grad_input.values);
        let expected = Expected::from_values(&case, y.clone(), reference.lse.values, grad_input);
        for device in one_of_each_path() {
            let what = format!("{} on {}", case.name, device.name);
            let outcome = run(&case, &device.device, Setting::PLAIN);
            expected.y.check(&what, &outcome.y);
            if description.finite && has_gradient {
                expected.grad_input.check(&what, &outcome.grad_input);
            }
        }
    }
}

fn read<T: ReadableElement + Clone>(file: &Path) -> Option<Vec<T>> {
    let array = ArrayD::<T>::read_npy(File::open(file).ok()?).expect("a .npy file of this type");
    Some(array.as_standard_layout().iter().cloned().collect())
}
