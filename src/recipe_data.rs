//! Recipes as data: all that a host in any language needs to run a call, with nothing of Rust's or wgpu's in it.

use serde::{Deserialize, Serialize};

use crate::{Binding, ElementType, Error, Memory, Recipe, Result, Specialisation, TensorView};

/// The version of what [`RecipeData`] writes: it grows when a host that reads the one before would go wrong.
pub const RECIPE_FORMAT: u32 = 1;

/// A [`Recipe`] as data, in JSON or any other form that serde knows.
///
/// A host makes a buffer for each tensor and for each scratch, all of storage; a pipeline of each kernel; and runs the
/// dispatches in their order, each of which sees what those before it wrote. hosts/README.md has it step by step, with hosts in
/// JavaScript and Python.
///
/// ```
/// use softpool::{ForwardTensors, Memory, RecipeData, Recipes, Shape, SoftPoolConfig, TensorView, Tuning, wgpu};
///
/// let config = SoftPoolConfig::builder([2, 2]).build()?;
/// let limits = wgpu::Limits::default();
/// let recipes = Recipes::new(&config, &limits, Tuning::GPU).with_names_apart();
/// let x = TensorView::new(Memory::Named { name: 0, bytes: 1024 }, Shape::new([1, 1, 16, 16])?);
/// let y = TensorView::new(Memory::Named { name: 1, bytes: 256 }, Shape::new([1, 1, 8, 8])?);
/// let recipe = recipes.of(ForwardTensors::new(x, y))?;
/// let data = RecipeData::new(&recipe, &[("x", x), ("y", y)])?;
/// assert_eq!(data.dispatches.len(), 1);
/// let json = serde_json::to_string(&data).expect("data has a JSON");
/// assert!(json.contains(r#""memory":{"tensor":"x"},"byte_offset":0,"bytes":1024,"access":"read""#));
/// # Ok::<(), softpool::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecipeData {
    /// [`RECIPE_FORMAT`].
    pub format: u32,
    /// The call's tensors.
    pub tensors: Vec<TensorData>,
    /// The sizes in bytes of the buffers that the call needs besides. Their contents don't matter, but where the call's tensors
    /// are empty: then they must be zero.
    pub scratch: Vec<u64>,
    /// The kernels, each once.
    pub kernels: Vec<KernelData>,
    /// What to run, one after the other.
    pub dispatches: Vec<DispatchData>,
}

/// A tensor of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TensorData {
    /// What the dispatches' bindings call its buffer.
    pub name: String,
    /// Its sizes.
    pub shape: Vec<usize>,
    /// From one element along an axis to the next, in elements.
    pub strides: Vec<usize>,
    /// How its elements are stored: "float32", "float16" or "bfloat16".
    pub element_type: ElementType,
    /// Where in its buffer it starts.
    pub byte_offset: u64,
    /// The size of its buffer.
    pub bytes: u64,
    /// Whether the call writes it, rather than reads it.
    pub written: bool,
}

/// A kernel: what to compile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KernelData {
    /// For a profiler.
    pub label: String,
    /// The shader. It needs no feature of the device.
    pub wgsl: String,
    /// The name of its entry point.
    pub entry_point: String,
    /// Invocations of a workgroup along x, y and z, which the shader says as well.
    pub workgroup_size: [u32; 3],
}

/// A dispatch of a kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DispatchData {
    /// The index of its kernel.
    pub kernel: usize,
    /// How many workgroups to dispatch along x, y and z.
    pub workgroups: [u32; 3],
    /// What to bind in group 0.
    pub bindings: Vec<BindingData>,
    /// What to bind in group 0 besides.
    pub params: ParamsData,
}

/// A storage buffer's binding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BindingData {
    /// Its number in group 0.
    pub binding: u32,
    /// Which buffer.
    pub memory: MemoryData,
    /// From which byte of it on.
    pub byte_offset: u64,
    /// How many bytes.
    pub bytes: u64,
    /// What the shader declares, which a bind group's layout has to say.
    pub access: Access,
}

/// A buffer of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemoryData {
    /// That of the tensor of this name.
    Tensor(String),
    /// The scratch of this index.
    Scratch(usize),
}

/// How a shader declares a storage buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// `var<storage, read>`.
    Read,
    /// `var<storage, read_write>`.
    ReadWrite,
}

/// A uniform buffer of a dispatch's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParamsData {
    /// Its binding's number in group 0.
    pub binding: u32,
    /// What it holds.
    pub bytes: Vec<u8>,
}

impl RecipeData {
    /// The data of a recipe, whose `tensors` are those of its call, by the names that the data has for them. Each is in memory of a
    /// name of its own ([`Memory::Named`]); make recipes with [`with_names_apart`](crate::Recipes::with_names_apart) where the
    /// host has a buffer for each.
    ///
    /// # Errors
    /// [`Error::Unlisted`] where the recipe binds memory that no tensor of the list is in.
    pub fn new(recipe: &Recipe<'_>, tensors: &[(&str, TensorView<'_>)]) -> Result<Self> {
        let mut kernels: Vec<Specialisation> = Vec::new();
        let mut dispatches = Vec::with_capacity(recipe.dispatches().len());
        for dispatch in recipe.dispatches() {
            let known = kernels.iter().position(|kernel| *kernel == dispatch.kernel);
            let kernel = known.unwrap_or_else(|| {
                kernels.push(dispatch.kernel);
                kernels.len() - 1
            });
            let roles = dispatch.kernel.bound().zip(&dispatch.bindings).zip(0..);
            let bindings = roles.map(|((role, binding), number)| {
                let read_only = dispatch.kernel.read_only(role);
                let access = if read_only { Access::Read } else { Access::ReadWrite };
                let &Binding { byte_offset, bytes, memory, .. } = binding;
                Ok(BindingData { binding: number, memory: memory_of(memory, tensors)?, byte_offset, bytes, access })
            });
            let params = ParamsData { binding: dispatch.bindings.len() as u32, bytes: dispatch.params().to_vec() };
            let bindings = bindings.collect::<Result<_>>()?;
            dispatches.push(DispatchData { kernel, workgroups: dispatch.workgroups, bindings, params });
        }
        let bindings = || recipe.dispatches().iter().flat_map(|dispatch| &dispatch.bindings);
        let tensors = tensors.iter().map(|(name, view)| TensorData {
            name: (*name).to_owned(),
            shape: view.shape.dims().to_vec(),
            strides: view.strides().to_vec(),
            element_type: view.element_type,
            byte_offset: view.byte_offset,
            bytes: view.memory.bytes(),
            written: bindings().any(|binding| binding.written && binding.memory == view.memory),
        });
        let kernels = kernels.iter().map(|kernel| KernelData {
            label: kernel.label(),
            wgsl: kernel.wgsl(),
            entry_point: "main".into(),
            workgroup_size: kernel.workgroup_size(),
        });
        let (tensors, kernels) = (tensors.collect(), kernels.collect());
        Ok(Self { format: RECIPE_FORMAT, tensors, scratch: recipe.scratch().to_vec(), kernels, dispatches })
    }
}

fn memory_of(memory: Memory<'_>, tensors: &[(&str, TensorView<'_>)]) -> Result<MemoryData> {
    if let Memory::Scratch { index, .. } = memory {
        return Ok(MemoryData::Scratch(index));
    }
    match tensors.iter().find(|(_, view)| view.memory == memory) {
        Some((name, _)) => Ok(MemoryData::Tensor((*name).to_owned())),
        None => Err(Error::Unlisted { memory: format!("{memory:?}") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GradBetaTensors, Recipes, Shape, SoftPoolConfig, Tuning};

    fn tensor(name: u64, dims: &[usize]) -> Result<TensorView<'static>> {
        let shape = Shape::new(dims)?;
        Ok(TensorView::new(Memory::Named { name, bytes: 4 * shape.elements() as u64 }, shape))
    }

    #[test]
    fn a_recipe_comes_back_from_json() -> Result<()> {
        let config = SoftPoolConfig::builder([3, 3]).stride([2]).build()?;
        let limits = wgpu::Limits::default();
        let recipes = Recipes::new(&config, &limits, Tuning::GPU).with_names_apart();
        let (x, g, b) = (tensor(0, &[2, 3, 9, 9])?, tensor(1, &[2, 3, 4, 4])?, tensor(2, &[1])?);
        let tensors = GradBetaTensors { input: x, grad_output: g, grad_beta: b, statistics: None };
        let recipe = recipes.of(tensors)?;
        let data = RecipeData::new(&recipe, &[("x", x), ("g", g), ("grad_beta", b)])?;
        let json = serde_json::to_string(&data).expect("data has a JSON");
        assert_eq!(serde_json::from_str::<RecipeData>(&json).expect("it is a recipe"), data);

        assert_eq!(data.tensors.iter().map(|tensor| tensor.written).collect::<Vec<_>>(), [false, false, true]);
        assert_eq!(data.dispatches.len(), recipe.dispatches().len());
        assert_eq!(data.scratch, recipe.scratch());
        for (data, dispatch) in data.dispatches.iter().zip(recipe.dispatches()) {
            assert_eq!(data.params.bytes, dispatch.params());
            assert_eq!(data.params.binding as usize, data.bindings.len());
        }
        // What a shader declares is what the data says of it.
        for dispatch in &data.dispatches {
            let wgsl = &data.kernels[dispatch.kernel].wgsl;
            for binding in &dispatch.bindings {
                let access = if binding.access == Access::Read { "read" } else { "read_write" };
                let declaration = format!("@binding({}) var<storage, {access}>", binding.binding);
                assert!(wgsl.contains(&declaration), "{declaration}: {wgsl}");
            }
        }
        // Both stages of the sum go by the last two dispatches, the first of which nothing but scratch is bound to.
        let of_sums = &data.dispatches[1].bindings;
        assert!(of_sums.iter().all(|binding| matches!(binding.memory, MemoryData::Scratch(_))), "{of_sums:?}");
        Ok(())
    }

    #[test]
    fn memory_that_is_not_listed_is_told() -> Result<()> {
        let config = SoftPoolConfig::builder([2]).build()?;
        let limits = wgpu::Limits::default();
        let recipes = Recipes::new(&config, &limits, Tuning::GPU);
        let (x, y) = (tensor(0, &[1, 1, 8])?, tensor(7, &[1, 1, 4])?);
        let recipe = recipes.of(crate::ForwardTensors::new(x, y))?;
        let error = RecipeData::new(&recipe, &[("x", x)]).expect_err("y is missing").to_string();
        assert!(error.contains("name: 7"), "{error}");
        Ok(())
    }
}
