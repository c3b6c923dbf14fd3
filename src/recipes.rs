//! Recipes of a pooling, for any runtime.

#[cfg(doc)]
use crate::Error;
use crate::recipe::Recipe;
use crate::tensor::buffer_bytes;
use crate::tuning::Tuning;
use crate::{ElementType, Memory, Operation, Result, Shape, SoftPoolConfig, StatisticsView, TensorView};

/// Makes recipes: SoftPool for a runtime that has its own way to compile WGSL and to dispatch it.
/// [`GpuSoftPool`](crate::GpuSoftPool) is one such runtime, on a device of wgpu's.
///
/// ```
/// use softpool::{ForwardTensors, Memory, Recipes, Shape, SoftPoolConfig, TensorView, Tuning, wgpu};
///
/// let config = SoftPoolConfig::builder([2, 2]).build()?;
/// let limits = wgpu::Limits::default();
/// let recipes = Recipes::new(&config, &limits, Tuning::GPU);
/// let x = TensorView::new(Memory::Named { name: 0, bytes: 1024 }, Shape::new([1, 1, 16, 16])?);
/// let y = TensorView::new(Memory::Named { name: 1, bytes: 256 }, Shape::new([1, 1, 8, 8])?);
/// let recipe = recipes.of(ForwardTensors::new(x, y))?;
/// assert!(recipe.scratch().is_empty());
/// for dispatch in recipe.dispatches() {
///     assert!(dispatch.kernel.wgsl().contains("fn main"));
///     assert_eq!(dispatch.bindings.len(), 2);
/// }
/// # Ok::<(), softpool::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Recipes<'a> {
    pub(crate) config: &'a SoftPoolConfig,
    pub(crate) betas: Option<TensorView<'a>>,
    pub(crate) limits: &'a wgpu::Limits,
    pub(crate) tuning: Tuning,
    pub(crate) names_apart: bool,
}

impl<'a> Recipes<'a> {
    /// Recipes of a pooling by `config`, within the limits of a device.
    pub fn new(config: &'a SoftPoolConfig, limits: &'a wgpu::Limits, tuning: Tuning) -> Self {
        Self { config, betas: None, limits, tuning, names_apart: false }
    }

    /// The same where each name of [`Memory::Named`] is a buffer of its own, and so is each scratch buffer: what a kernel only
    /// reads is then bound for reading, and the text is that of buffers of wgpu's. Else two names may be parts of one buffer,
    /// which wgpu wants bound alike.
    pub fn with_names_apart(self) -> Self {
        Self { names_apart: true, ..self }
    }

    /// The same with the inverse temperatures that `betas` holds when a recipe runs: see
    /// [`GpuSoftPool::with_betas`](crate::GpuSoftPool::with_betas).
    pub fn with_betas(self, betas: impl Into<TensorView<'a>>) -> Self {
        Self { betas: Some(betas.into()), ..self }
    }

    /// What stands for the buffer of a result.
    fn result(&self, index: usize, bytes: u64) -> Result<Memory<'a>> {
        Ok(Memory::Result { index, bytes: buffer_bytes(bytes, self.limits)? })
    }

    /// Statistics that are a result.
    pub(crate) fn result_statistics(&self, index: usize, pooled: &Shape) -> Result<StatisticsView<'a>> {
        let memory = self.result(index, StatisticsView::bytes(pooled))?;
        Ok(StatisticsView { memory, byte_offset: 0 })
    }

    /// A contiguous tensor that is a result.
    pub(crate) fn result_tensor(&self, index: usize, shape: Shape, of: ElementType) -> Result<TensorView<'a>> {
        let memory = self.result(index, shape.elements() as u64 * of.bytes())?;
        Ok(TensorView::new(memory, shape).of_type(of))
    }

    /// What an operation dispatches.
    ///
    /// # Errors
    /// [`RankMismatch`](Error::RankMismatch), [`NoWindow`](Error::NoWindow), [`AdaptiveOutput`](Error::AdaptiveOutput),
    /// [`AxisTooLong`](Error::AxisTooLong), [`ShapeMismatch`](Error::ShapeMismatch) for the shapes;
    /// [`BufferTooSmall`](Error::BufferTooSmall), [`BufferUsage`](Error::BufferUsage),
    /// [`OffsetAlignment`](Error::OffsetAlignment), [`SelfOverlap`](Error::SelfOverlap), [`Overlap`](Error::Overlap),
    /// [`ForeignScratch`](Error::ForeignScratch) for the memory; [`DeviceLimit`](Error::DeviceLimit) for windows beyond what the device can bind, or a device that lacks what kernels need.
    pub fn of(&self, operation: impl Operation + 'a) -> Result<Recipe<'a>> {
        operation.recipe(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GradBetaTensors;

    #[test]
    fn where_memory_is_known_by_names_everything_is_bound_for_writing() -> Result<()> {
        let config = SoftPoolConfig::builder([2, 2]).build()?;
        let limits = wgpu::Limits::default();
        let tensor = |name, dims: &[usize]| -> Result<_> {
            Ok(TensorView::new(Memory::Named { name, bytes: 1 << 20 }, Shape::new(dims)?))
        };
        let tensors = GradBetaTensors {
            input: tensor(0, &[2, 3, 128, 128])?,
            grad_output: tensor(1, &[2, 3, 64, 64])?,
            grad_beta: tensor(2, &[1])?,
            statistics: None,
        };
        let recipes = Recipes::new(&config, &limits, Tuning::GPU);
        let recipe = recipes.of(tensors)?;
        // The terms by window, and two stages of sums, the first of scratch alone.
        assert_eq!(recipe.dispatches().len(), 3);
        for dispatch in recipe.dispatches() {
            let wgsl = dispatch.kernel.wgsl();
            assert!(!wgsl.contains("var<storage, read>"), "{wgsl}");
        }
        // But not where each name is a buffer of its own.
        for dispatch in recipes.with_names_apart().of(tensors)?.dispatches() {
            let wgsl = dispatch.kernel.wgsl();
            assert!(wgsl.contains("var<storage, read>"), "{wgsl}");
        }
        Ok(())
    }
}
