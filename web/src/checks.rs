//! What web/test runs in a browser: poolings by this crate on the browser's device, held against the reference in f64 by the
//! same bounds as the native tests'.
//!
//! Running is asynchronous, and comparing is not: a comparison that fails panics, which ends that one call, and the page has the
//! panic's text from [`panic_text`].

#[allow(dead_code)]
#[path = "../../tests/common/accuracy.rs"]
mod accuracy;
#[path = "../../tests/common/derivative_bounds.rs"]
mod derivative_bounds;
#[path = "../../tests/common/kernel_tables.rs"]
mod kernel_tables;

use std::sync::Mutex;

use accuracy::Expected;
use derivative_bounds::{Allowed, assert_close};
use serde::Deserialize;
use softpool::reference::Reference;
use softpool::{
    BackwardTensors, ElementType, ForwardTensors, GpuContext, GpuSoftPool, GpuTensor, GradBetaTensors, GradientRule,
    JvpTensors, Memory, Natives, PipelineCache, SecondBackwardTensors, Shape, SoftPoolConfig, StatisticsView,
    TensorView, Tuning,
};
use wasm_bindgen::prelude::*;

/// What fills every output before a run, so that an element that no kernel writes shows.
const POISON: f32 = -7.77e33;

static PANIC: Mutex<String> = Mutex::new(String::new());

#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| {
        if let Ok(mut text) = PANIC.lock() {
            *text = panic.to_string();
        }
    }));
}

/// The text of the last panic.
#[wasm_bindgen]
pub fn panic_text() -> String {
    PANIC.lock().map(|text| text.clone()).unwrap_or_default()
}

fn now() -> f64 {
    web_sys::window().and_then(|window| window.performance()).map_or(0.0, |clock| clock.now())
}

/// A pooling with its data, as the native tests have it.
#[derive(Clone)]
struct Case {
    name: String,
    config: SoftPoolConfig,
    shape: Shape,
    x: Vec<f32>,
    grad_output: Vec<f32>,
}

impl Case {
    fn pooled(&self) -> Shape {
        self.shape.pooled(&self.config).expect("a valid case")
    }
}

/// What a device makes of a case, as the native tests have it.
struct Results {
    y: Vec<f32>,
    lse: Vec<f32>,
    grad_input: Vec<f32>,
    grad_input_from_statistics: Vec<f32>,
    natives: Natives,
}

/// A case as the page gives it.
#[derive(Deserialize)]
struct Description {
    name: String,
    shape: Vec<usize>,
    #[serde(default)]
    kernel: Vec<usize>,
    stride: Option<Vec<usize>>,
    #[serde(default)]
    padding: Vec<usize>,
    #[serde(default)]
    dilation: Vec<usize>,
    #[serde(default)]
    ceil_mode: bool,
    /// Instead of windows.
    output_size: Option<Vec<usize>>,
    beta: Option<f32>,
    #[serde(default)]
    detached: bool,
    /// "float32" if it isn't said.
    #[serde(default)]
    element_type: ElementType,
    #[serde(default)]
    channels_last: bool,
    /// Whether jvp, second backward and the gradient of beta are run.
    #[serde(default)]
    derivatives: bool,
    /// Whether infinite values or NaN are among the inputs: then y alone is looked at.
    #[serde(default)]
    non_finite: bool,
}

/// A case to run, and what came of it.
#[wasm_bindgen]
pub struct Check {
    case: Case,
    tangent: Vec<f32>,
    element_type: ElementType,
    channels_last: bool,
    derivatives: bool,
    non_finite: bool,
    golden: [Option<Vec<f64>>; 3],
    results: Option<Results>,
    of_derivatives: Option<[Vec<f32>; 4]>,
}

#[wasm_bindgen]
impl Check {
    /// A case by its description in JSON.
    #[wasm_bindgen(constructor)]
    pub fn new(description: &str, x: Vec<f32>, grad_output: Vec<f32>, tangent: Vec<f32>) -> Result<Check, JsError> {
        let of: Description = serde_json::from_str(description)?;
        let or = |list: &[usize], default: usize| if list.is_empty() { vec![default] } else { list.to_vec() };
        let builder = match &of.output_size {
            Some(size) => SoftPoolConfig::adaptive(size),
            None => SoftPoolConfig::builder(&of.kernel)
                .stride(of.stride.as_ref().unwrap_or(&of.kernel))
                .padding(or(&of.padding, 0))
                .dilation(or(&of.dilation, 1))
                .ceil_mode(of.ceil_mode),
        };
        let rule = if of.detached { GradientRule::Detached } else { GradientRule::Exact };
        let config = builder.beta(of.beta.unwrap_or(1.0)).gradient_rule(rule).build()?;
        let shape = Shape::new(&of.shape)?.of_rank(config.rank())?;
        let pooled = shape.pooled(&config)?;
        let round = |values: Vec<f32>| values.into_iter().map(|value| of.element_type.round(value)).collect();
        let grad_output = if grad_output.is_empty() { vec![1.0; pooled.elements()] } else { grad_output };
        Ok(Self {
            case: Case { name: of.name, config, shape, x: round(x), grad_output: round(grad_output) },
            tangent: round(tangent),
            element_type: of.element_type,
            channels_last: of.channels_last,
            derivatives: of.derivatives,
            non_finite: of.non_finite,
            golden: [None, None, None],
            results: None,
            of_derivatives: None,
        })
    }

    /// What y, lse and the gradient of the input are by other means than the reference: those that are known.
    pub fn expect(&mut self, y: Option<Vec<f64>>, lse: Option<Vec<f64>>, grad_input: Option<Vec<f64>>) {
        self.golden = [y, lse, grad_input];
    }

    /// Holds what came of the case against the reference, or what it was said to be.
    ///
    /// # Panics
    /// If something is off by more than the native tests allow; a value of 16 bits, by half an ulp more.
    pub fn compare(&self) {
        let Self { case, element_type, .. } = self;
        let results = self.results.as_ref().expect("a case that was run");
        let [y, lse, grad_input] = &self.golden;
        let reference = Expected::of(case);
        let or = |golden: &Option<Vec<f64>>, reference: &[f64]| golden.clone().unwrap_or_else(|| reference.to_vec());
        let expected = Expected::from_values(
            case,
            or(y, &reference.y.values),
            or(lse, &reference.lse.values),
            or(grad_input, &reference.grad_input.values),
        );
        let name = &case.name;
        if self.non_finite {
            expected.y.check(name, &results.y);
            return;
        }
        match element_type {
            ElementType::F32 => expected.check(name, results),
            _ => {
                let stored = [
                    (&expected.y, &results.y),
                    (&expected.grad_input, &results.grad_input),
                    (&expected.grad_input, &results.grad_input_from_statistics),
                ];
                for (quantity, got) in stored {
                    let allowed: Vec<f64> = (0..got.len())
                        .map(|index| {
                            quantity.tolerance(index, results.natives.exp2)
                                + rounding(*element_type, quantity.values[index])
                        })
                        .collect();
                    assert_close(name, got, &quantity.values, &allowed);
                }
                expected.lse.check(name, &results.lse);
            }
        }
        let Some([jvp, second_grad, second_input, grad_beta]) = &self.of_derivatives else { return };
        let reference = Reference::new(&case.config);
        let betas = [case.config.beta()];
        let bounds = Allowed::of(case, &betas, &self.tangent, results.natives);
        let valid = "a valid case";
        let want_jvp = reference.jvp(&case.shape, &case.x, &self.tangent).expect(valid);
        let second = reference.second_backward(&case.shape, &case.x, &case.grad_output, &self.tangent).expect(valid);
        let by_channel = reference.grad_beta(&case.shape, &case.x, &case.grad_output).expect(valid);
        let stored = |allowed: &[f64], values: &[f64]| -> Vec<f64> {
            allowed.iter().zip(values).map(|(allowed, value)| allowed + rounding(*element_type, *value)).collect()
        };
        let what = |of: &str| format!("{of} of {name}");
        assert_close(&what("jvp"), jvp, &want_jvp, &stored(&bounds.jvp, &want_jvp));
        let allowed = stored(&bounds.jvp, &second.grad_output);
        assert_close(&what("second backward, of g,"), second_grad, &second.grad_output, &allowed);
        assert_close(
            &what("second backward, of x,"),
            second_input,
            &second.input,
            &stored(&bounds.second, &second.input),
        );
        assert_close(
            &what("gradient of beta"),
            grad_beta,
            &[by_channel.iter().sum()],
            &[bounds.grad_beta.iter().sum()],
        );
    }
}

/// Half an ulp of a type, at a value.
fn rounding(element_type: ElementType, value: f64) -> f64 {
    let (digits, least) = match element_type {
        ElementType::F32 => return 0.0,
        ElementType::F16 => (10, -14),
        ElementType::Bf16 => (7, -126),
    };
    let exponent = value.abs().log2().floor().max(f64::from(least));
    0.5 * 2f64.powf(exponent - f64::from(digits))
}

/// The browser's device, and the pipelines made on it.
#[wasm_bindgen]
pub struct Browser {
    context: GpuContext,
    cache: PipelineCache,
    tuning: Tuning,
}

#[wasm_bindgen]
impl Browser {
    /// A device of the browser's.
    pub async fn open() -> Result<Browser, JsError> {
        let context = GpuContext::new().await?;
        let (cache, tuning) = (PipelineCache::new(&context.device), Tuning::of(&context.device));
        Ok(Self { context, cache, tuning })
    }

    /// The adapter's name.
    pub fn name(&self) -> String {
        self.context.name()
    }

    /// How far the driver's own functions are off.
    pub async fn natives(&self) -> Result<String, JsError> {
        let errors = softpool::measure_natives_async(&self.context.device, &self.context.queue).await?;
        Ok(format!("{errors:?}"))
    }

    /// The tuning that is taken by itself: "gpu", "cpu" or "gl".
    pub fn tuning(&self) -> String {
        let names = TUNINGS.into_iter().find(|(_, tuning)| *tuning == self.tuning);
        names.map_or_else(|| format!("{:?}", self.tuning), |(name, _)| name.into())
    }

    /// Takes another tuning, with no pipelines yet.
    pub fn take_tuning(&mut self, name: &str) {
        if let Some((_, tuning)) = TUNINGS.into_iter().find(|(known, _)| *known == name) {
            self.tuning = tuning;
        }
        self.cache = PipelineCache::new(&self.context.device);
    }

    fn pool(&self, config: &SoftPoolConfig) -> softpool::Result<GpuSoftPool> {
        let GpuContext { device, queue, .. } = &self.context;
        Ok(GpuSoftPool::with_cache(device, queue, config.clone(), &self.cache)?.with_tuning(self.tuning))
    }

    /// Milliseconds from a call to its result, forward and then backward, of a case for which nothing has been compiled; and
    /// of the same calls again.
    pub async fn start_up(&self, check: &Check) -> Result<Vec<f64>, JsError> {
        let (case, pool) = (&check.case, self.pool(&check.case.config)?);
        let (x, g) = (
            self.upload(check, case.shape, &case.x, check.element_type)?,
            self.upload(check, case.pooled(), &case.grad_output, check.element_type)?,
        );
        // That the tensors are there is no part of it.
        x.tensor.read().await?;
        g.tensor.read().await?;
        let mut times = vec![now()];
        for _ in 0..2 {
            pool.forward(x.view()?)?.read().await?;
            times.push(now());
            pool.backward(x.view()?, g.view()?)?.read().await?;
            times.push(now());
        }
        Ok(times.windows(2).map(|pair| pair[1] - pair[0]).collect())
    }

    /// Prepares the forward of a case: milliseconds until it is prepared, and then of the first result.
    pub async fn prepared(&self, check: &Check) -> Result<Vec<f64>, JsError> {
        let (case, pool) = (&check.case, self.pool(&check.case.config)?);
        let x = self.upload(check, case.shape, &case.x, check.element_type)?;
        x.tensor.read().await?;
        let named = |name, shape: Shape| {
            let bytes = (shape.elements() as u64 * check.element_type.bytes()).next_multiple_of(4);
            TensorView::new(Memory::Named { name, bytes }, shape).of_type(check.element_type)
        };
        let tensors = ForwardTensors::new(named(0, case.shape), named(1, case.pooled()));
        let start = now();
        pool.prepare(&pool.recipes().with_names_apart().of(tensors)?).await?;
        let prepared = now();
        let pipelines = self.cache.len();
        pool.forward(x.view()?)?.read().await?;
        assert_eq!(self.cache.len(), pipelines, "the pipelines prepared are those of the call");
        Ok(vec![prepared - start, now() - prepared])
    }

    /// Runs a case on tensors that were poisoned before.
    pub async fn run(&self, check: &mut Check) -> Result<(), JsError> {
        let (case, pool) = (&check.case, self.pool(&check.case.config)?);
        let pooled = case.pooled();
        let stored = check.element_type;
        let poisoned = |shape: Shape, of| self.upload(check, shape, &vec![POISON; shape.elements()], of);
        let x = self.upload(check, case.shape, &case.x, stored)?;
        let g = self.upload(check, pooled, &case.grad_output, stored)?;
        let (y, lse) = (poisoned(pooled, stored)?, poisoned(pooled, ElementType::F32)?);
        let (grad_input, from_statistics) = (poisoned(case.shape, stored)?, poisoned(case.shape, stored)?);
        let words = Shape::new([StatisticsView::bytes(&pooled) as usize / 4])?;
        let statistics = self.context.upload(words, &vec![POISON; words.elements()])?;
        let saved = StatisticsView { memory: statistics.buffer().into(), byte_offset: 0 };

        let GpuContext { device, queue, .. } = &self.context;
        let mut encoder = device.create_command_encoder(&Default::default());
        let forward = ForwardTensors {
            lse: Some(lse.view()?),
            statistics: Some(saved),
            ..ForwardTensors::new(x.view()?, y.view()?)
        };
        pool.encode(&mut encoder, forward)?;
        let backward = BackwardTensors::new(x.view()?, g.view()?, grad_input.view()?);
        pool.encode(&mut encoder, backward)?;
        let from_saved = BackwardTensors { statistics: Some(saved), grad_input: from_statistics.view()?, ..backward };
        pool.encode(&mut encoder, from_saved)?;
        queue.submit([encoder.finish()]);
        let results = Results {
            y: y.read(check).await?,
            lse: lse.read(check).await?,
            grad_input: grad_input.read(check).await?,
            grad_input_from_statistics: from_statistics.read(check).await?,
            natives: self.tuning.natives,
        };
        let mut of_derivatives = None;
        if check.derivatives {
            let v = self.upload(check, case.shape, &check.tangent, stored)?;
            let (jvp, of_g) = (poisoned(pooled, stored)?, poisoned(pooled, stored)?);
            let of_x = poisoned(case.shape, stored)?;
            let grad_beta = self.context.upload(Shape::new([1])?, &[POISON])?;
            let mut encoder = device.create_command_encoder(&Default::default());
            let tensors = JvpTensors { input: x.view()?, tangent: v.view()?, output: jvp.view()?, statistics: None };
            pool.encode(&mut encoder, tensors)?;
            let tensors = SecondBackwardTensors {
                input: x.view()?,
                grad_output: g.view()?,
                tangent: v.view()?,
                grad_of_grad_output: Some(of_g.view()?),
                grad_of_input: of_x.view()?,
                statistics: None,
            };
            pool.encode(&mut encoder, tensors)?;
            let tensors = GradBetaTensors {
                input: x.view()?,
                grad_output: g.view()?,
                grad_beta: grad_beta.view(),
                statistics: None,
            };
            pool.encode(&mut encoder, tensors)?;
            queue.submit([encoder.finish()]);
            of_derivatives = Some([
                jvp.read(check).await?,
                of_g.read(check).await?,
                of_x.read(check).await?,
                grad_beta.read().await?,
            ]);
        }
        check.results = Some(results);
        check.of_derivatives = of_derivatives;
        Ok(())
    }

    /// Destroys the device.
    pub fn destroy(&self) {
        self.context.device.destroy();
    }

    /// What a call says now, and what reading its result does: a line each.
    pub async fn failure(&self) -> String {
        let call = async || -> softpool::Result<()> {
            let pool = self.pool(&SoftPoolConfig::builder([2, 2]).build()?)?;
            let x = self.context.upload(Shape::new([1, 1, 4, 4])?, &[0.5; 16])?;
            pool.forward(&x)?.read().await.map(drop)
        };
        match call().await {
            Ok(()) => "nothing".into(),
            Err(softpool::Error::DeviceLost { reason }) => format!("DeviceLost: {reason}"),
            Err(error) => error.to_string(),
        }
    }

    fn upload(&self, check: &Check, shape: Shape, values: &[f32], of: ElementType) -> softpool::Result<Stored> {
        let mut ordered = values.to_vec();
        let strides = check.channels_last.then(|| channels_last(&shape));
        for (from, to) in strides.iter().flat_map(|strides| places(&shape, strides)).enumerate() {
            ordered[to] = values[from];
        }
        let GpuContext { device, queue, .. } = &self.context;
        let tensor = GpuTensor::from_slice_as(device, queue, shape, of, &ordered)?;
        Ok(Stored { tensor, strides })
    }
}

/// The tunings by their names.
const TUNINGS: [(&str, Tuning); 4] =
    [("gpu", Tuning::GPU), ("cpu", Tuning::CPU), ("gl", Tuning::SOFTWARE_GL), ("web", Tuning::SOFTWARE_WEB)];

/// A tensor, contiguous or with other strides.
struct Stored {
    tensor: GpuTensor,
    strides: Option<Vec<usize>>,
}

impl Stored {
    fn view(&self) -> softpool::Result<TensorView<'_>> {
        match &self.strides {
            Some(strides) => self.tensor.view().with_strides(strides),
            None => Ok(self.tensor.view()),
        }
    }

    /// The values in the order of the shape's axes.
    ///
    /// # Panics
    /// If an element was not written.
    async fn read(&self, check: &Check) -> softpool::Result<Vec<f32>> {
        let stored = self.tensor.read().await?;
        let poison = self.tensor.element_type().round(POISON);
        let unwritten = stored.iter().position(|&value| value == poison && poison.is_finite());
        assert_eq!(unwritten, None, "{}: this element was not written", check.case.name);
        Ok(match &self.strides {
            Some(strides) => places(&self.tensor.shape(), strides).map(|place| stored[place]).collect(),
            None => stored,
        })
    }
}

/// Strides by which the channels of a position lie next to each other.
fn channels_last(shape: &Shape) -> Vec<usize> {
    let dims = shape.dims();
    let channel = dims.len() - shape.spatial().len() - 1;
    let (mut strides, mut step) = (vec![1; dims.len()], dims[channel]);
    for axis in (channel + 1..dims.len()).rev().chain(0..channel) {
        strides[axis] = step;
        step *= dims[axis];
    }
    strides
}

/// Where each element is, in the order of the axes.
fn places<'a>(shape: &Shape, strides: &'a [usize]) -> impl Iterator<Item = usize> + use<'a> {
    let dims = shape.dims().to_vec();
    (0..shape.elements()).map(move |index| {
        let mut rest = index;
        let mut place = 0;
        for (dim, stride) in dims.iter().zip(strides).rev() {
            place += rest % dim * stride;
            rest /= dim;
        }
        place
    })
}

/// Every text of the tables that tests/translation.rs looks at: text and label by turns.
#[wasm_bindgen]
pub fn texts() -> Vec<String> {
    let tables = [
        kernel_tables::one_dimensional(),
        kernel_tables::two_dimensional_disjoint(),
        kernel_tables::two_dimensional_overlapping(),
        kernel_tables::three_dimensional(),
        kernel_tables::adaptive(),
    ];
    kernel_tables::sources(tables.concat()).into_iter().flat_map(|(text, label)| [text, label]).collect()
}
