//! Every case of tests/golden: values that PyTorch computed in f64.

mod common;

use std::fs::File;
use std::path::{Path, PathBuf};

use common::{Case, accuracy::Expected, contexts, run};
use ndarray::ArrayD;
use ndarray_npy::{ReadNpyExt, ReadableElement};
use serde::Deserialize;
use softpool::reference::Reference;
use softpool::{GradientRule, Shape, SoftPoolConfig};

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

struct Golden {
    case: Case,
    y: Vec<f64>,
    lse: Option<Vec<f64>>,
    grad_input: Option<Vec<f64>>,
    grad_input_detached: Option<Vec<f64>>,
    grad_beta: Option<f64>,
    finite: bool,
}

fn read<T: ReadableElement + Clone>(file: &Path) -> Option<Vec<T>> {
    let array = ArrayD::<T>::read_npy(File::open(file).ok()?).expect("a .npy file of this type");
    Some(array.as_standard_layout().iter().cloned().collect())
}

fn all() -> Vec<Golden> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut folders: Vec<_> = folder.read_dir().expect("tests/golden").map(|entry| entry.unwrap().path()).collect();
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

impl Golden {
    fn detached(&self) -> Case {
        let config = &self.case.config;
        let config = SoftPoolConfig::builder(config.kernel())
            .stride(config.stride())
            .padding(config.padding())
            .dilation(config.dilation())
            .ceil_mode_by_axis(config.ceil_mode())
            .beta(config.beta())
            .gradient_rule(GradientRule::Detached)
            .build()
            .expect("it was valid before");
        Case { config, ..self.case.clone() }
    }
}

/// Relative to the largest value of the tensor, since sums of many terms meet in other orders. `offset` is the largest
/// |beta x|: the files hold 1 + beta (x - y) for a y that was rounded, where the reference counts from a centre.
fn assert_close(name: &str, got: &[f64], want: &[f64], offset: f64) {
    assert_eq!(got.len(), want.len(), "{name}");
    let scale = want.iter().filter(|want| want.is_finite()).fold(0.0f64, |scale, want| scale.max(want.abs()));
    for (index, (got, want)) in got.iter().zip(want).enumerate() {
        let same = got == want || got.is_nan() && want.is_nan();
        assert!(
            same || (got - want).abs() <= (1e-13 + f64::EPSILON * offset) * scale,
            "{name}[{index}]: {got:e} for {want:e}"
        );
    }
}

#[test]
fn reference_agrees() {
    for golden in all() {
        let Golden { case, .. } = &golden;
        let name = |what| format!("{what} of {}", case.name);
        let offset = case.x.iter().map(|x| f64::from((case.config.beta() * x).abs())).fold(0.0, f64::max);
        let forward = Reference::new(&case.config).forward(&case.shape, &case.x).unwrap();
        assert_close(&name("y"), &forward.y, &golden.y, 0.0);
        if let Some(lse) = &golden.lse {
            assert_close(&name("lse"), &forward.lse, lse, 0.0);
        }
        let backward =
            |case: &Case| Reference::new(&case.config).backward(&case.shape, &case.x, &case.grad_output).unwrap();
        if let Some(grad_input) = &golden.grad_input {
            assert_close(&name("grad_input"), &backward(case), grad_input, offset);
        }
        if let Some(grad_input) = &golden.grad_input_detached {
            assert_close(&name("detached grad_input"), &backward(&golden.detached()), grad_input, 0.0);
        }
        if let Some(grad_beta) = golden.grad_beta {
            let by_channel = Reference::new(&case.config).grad_beta(&case.shape, &case.x, &case.grad_output).unwrap();
            let got: f64 = by_channel.iter().sum();
            assert!((got - grad_beta).abs() <= 1e-12 * grad_beta.abs().max(1.0), "grad_beta of {}", case.name);
        }
    }
}

#[test]
fn every_adapter_agrees() {
    for golden in all() {
        for (case, grad_input) in
            [(golden.case.clone(), &golden.grad_input), (golden.detached(), &golden.grad_input_detached)]
        {
            // Cases that lack a file are held against the reference, which the test above holds against the others.
            let reference = Expected::of(&case);
            let lse = golden.lse.clone().unwrap_or(reference.lse.values);
            let has_gradient = grad_input.is_some();
            let grad_input = grad_input.clone().unwrap_or(reference.grad_input.values);
            let expected = Expected::from_values(&case, golden.y.clone(), lse, grad_input);
            for context in contexts() {
                let what = format!("{} on {}", case.name, context.name());
                let results = run(context, &case);
                expected.y.check(&what, &results.y);
                if golden.finite && has_gradient {
                    expected.check(&what, &results);
                }
            }
        }
    }
}
