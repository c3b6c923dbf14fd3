//! SoftPool as an operation of Burn's cubecl backend: through fusion, and through autodiff.

use burn::backend::TensorMetadata;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::autodiff::{Autodiff, NodeId};
#[cfg(feature = "fusion")]
use burn::backend::fusion::custom::TensorSpec;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, ExtensionType, backend_extension};
#[cfg(feature = "fusion")]
use burn::tensor::Shape;
use burn::tensor::{DType, Tensor};
use burn_cubecl::{CubeBackend, CubeDevice};
use softpool::{GradientRule, SoftPoolConfig};

use crate::launch;

/// Pools by our kernels; the caller has checked everything.
pub(crate) fn soft_pool<const D: usize>(x: Tensor<D>, betas: Option<Tensor<1>>, config: SoftPoolConfig) -> Tensor<D> {
    let betas = match betas {
        Some(betas) => Given::Tensor(betas.cast(DType::F32).into_dispatch()),
        None => Given::Nothing,
    };
    Tensor::from_dispatch(<Dispatch as SoftPool>::soft_pool(x.into_dispatch(), betas, config))
}

/// A tensor that a call may lack.
#[derive(Clone, Debug, ExtensionType)]
#[extension_type(fusion: cfg(feature = "fusion"))]
pub(crate) enum Given<B: Backend> {
    Nothing,
    Tensor(FloatTensor<B>),
}

impl<B: Backend> Given<B> {
    fn tensor(self) -> Option<FloatTensor<B>> {
        match self {
            Self::Nothing => None,
            Self::Tensor(tensor) => Some(tensor),
        }
    }
}

impl<B: Backend> From<Option<FloatTensor<B>>> for Given<B> {
    fn from(tensor: Option<FloatTensor<B>>) -> Self {
        tensor.map_or(Self::Nothing, Self::Tensor)
    }
}

/// The operation that Burn's tensors dispatch.
#[backend_extension(Cube, Autodiff, Fusion: cfg(feature = "fusion"))]
pub(crate) trait SoftPool: Backend {
    /// y of x, by the betas given, or by the configuration's.
    #[fusion(dtype = x, shape = pooled(x, config))]
    fn soft_pool(
        x: FloatTensor<Self>,
        #[extension_type] betas: Given<Self>,
        config: SoftPoolConfig,
    ) -> FloatTensor<Self>;
}

/// What autodiff does with it.
#[backend_extension(Cube, Fusion: cfg(feature = "fusion"))]
pub(crate) trait SoftPoolGradients: SoftPool {
    /// y, and the statistics of its windows.
    #[fusion(meta = saved)]
    fn soft_pool_saving(
        x: FloatTensor<Self>,
        #[extension_type] betas: Given<Self>,
        config: SoftPoolConfig,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// dL/dx.
    #[fusion(dtype = x, shape = x)]
    fn soft_pool_backward(
        x: FloatTensor<Self>,
        #[extension_type] betas: Given<Self>,
        grad_output: FloatTensor<Self>,
        #[extension_type] statistics: Given<Self>,
        config: SoftPoolConfig,
    ) -> FloatTensor<Self>;

    /// dL/dbeta, of the betas' shape.
    #[fusion(dtype = betas, shape = betas)]
    fn soft_pool_grad_betas(
        x: FloatTensor<Self>,
        betas: FloatTensor<Self>,
        grad_output: FloatTensor<Self>,
        #[extension_type] statistics: Given<Self>,
        config: SoftPoolConfig,
    ) -> FloatTensor<Self>;
}

/// The shape of y.
#[cfg(feature = "fusion")]
fn pooled(x: &Shape, config: &SoftPoolConfig) -> Shape {
    launch::pooled(config, x).dims().into()
}

/// y, and the statistics of its windows.
#[cfg(feature = "fusion")]
fn saved(x: &TensorSpec, _: &GivenMetadata, config: &SoftPoolConfig) -> (TensorSpec, TensorSpec) {
    let words = launch::statistics_words(&launch::pooled(config, &x.shape));
    (TensorSpec::new(pooled(&x.shape, config), x.dtype), TensorSpec::new([words].into(), DType::F32))
}

impl SoftPool for CubeBackend {
    fn soft_pool(x: FloatTensor<Self>, betas: Given<Self>, config: SoftPoolConfig) -> FloatTensor<Self> {
        launch::forward(&config, x, betas.tensor(), false).0
    }
}

impl SoftPoolGradients for CubeBackend {
    fn soft_pool_saving(
        x: FloatTensor<Self>,
        betas: Given<Self>,
        config: SoftPoolConfig,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (y, statistics) = launch::forward(&config, x, betas.tensor(), true);
        (y, statistics.expect("they were asked for"))
    }

    fn soft_pool_backward(
        x: FloatTensor<Self>,
        betas: Given<Self>,
        grad_output: FloatTensor<Self>,
        statistics: Given<Self>,
        config: SoftPoolConfig,
    ) -> FloatTensor<Self> {
        launch::backward(&config, x, betas.tensor(), grad_output, statistics.tensor())
    }

    fn soft_pool_grad_betas(
        x: FloatTensor<Self>,
        betas: FloatTensor<Self>,
        grad_output: FloatTensor<Self>,
        statistics: Given<Self>,
        config: SoftPoolConfig,
    ) -> FloatTensor<Self> {
        launch::grad_betas(&config, x, betas, grad_output, statistics.tensor())
    }
}

impl<B, C> SoftPool for Autodiff<B, C>
where
    B: SoftPoolGradients<Device = CubeDevice>,
    C: CheckpointStrategy,
{
    fn soft_pool(x: FloatTensor<Self>, betas: Given<Self>, config: SoftPoolConfig) -> FloatTensor<Self> {
        match betas {
            Given::Nothing => track::<B, C, 1>([x.node()], x, None, config),
            Given::Tensor(betas) => track::<B, C, 2>([x.node(), betas.node()], x, Some(betas), config),
        }
    }
}

/// Pools, and records the step back to x and, if there are any, to the betas.
fn track<B, C, const N: usize>(
    nodes: [NodeGuard; N],
    x: FloatTensor<Autodiff<B, C>>,
    betas: Option<FloatTensor<Autodiff<B, C>>>,
    config: SoftPoolConfig,
) -> FloatTensor<Autodiff<B, C>>
where
    B: SoftPoolGradients<Device = CubeDevice>,
    C: CheckpointStrategy,
{
    // As Burn's own poolings: worth keeping, not computing again.
    match Backward::<B, N>::prepare::<C>(Step, nodes).compute_bound().stateful() {
        OpsKind::Tracked(mut prep) => {
            let (x_id, betas_id) = (prep.checkpoint(&x), betas.as_ref().map(|betas| prep.checkpoint(betas)));
            let saves = launch::wants_statistics(&config, &x.device(), &x.shape(), x.dtype());
            let (x, betas) = (x.into_primitive(), betas.map(|betas| betas.into_primitive()).into());
            let (y, statistics) = if saves {
                let (y, statistics) = B::soft_pool_saving(x, betas, config.clone());
                (y, Some(statistics))
            } else {
                (B::soft_pool(x, betas, config.clone()), None)
            };
            prep.finish(Saved { x: x_id, betas: betas_id, statistics, config }, y)
        }
        OpsKind::UnTracked(prep) => {
            prep.finish(B::soft_pool(x.into_primitive(), betas.map(|betas| betas.into_primitive()).into(), config))
        }
    }
}

/// What the way back needs: x, and nothing else where it evaluates the windows again.
#[derive(Clone, Debug)]
struct Saved<B: Backend> {
    x: NodeId,
    betas: Option<NodeId>,
    statistics: Option<FloatTensor<B>>,
    config: SoftPoolConfig,
}

/// The step from y back to its parents: x and, if N is 2, the betas.
#[derive(Debug)]
struct Step;

impl<B: SoftPoolGradients, const N: usize> Backward<B, N> for Step {
    type State = Saved<B>;

    fn backward(self, ops: Ops<Saved<B>, N>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let grad_output = grads.consume::<B>(&ops.node);
        let Saved { x, betas, statistics, config } = ops.state;
        let x: FloatTensor<B> = checkpointer.retrieve_node_output(x);
        let betas: Option<FloatTensor<B>> = betas.map(|betas| checkpointer.retrieve_node_output(betas));
        let mut parents = ops.parents.into_iter();
        let (x_node, betas_node) = (parents.next().flatten(), parents.next().flatten());
        // By the detached rule the weights are constants, and so are the betas.
        if let (Some(node), Some(betas), GradientRule::Exact) = (betas_node, betas.clone(), config.gradient_rule()) {
            let (x, grad_output, statistics) = (x.clone(), grad_output.clone(), statistics.clone());
            grads.register::<B>(
                node.id,
                B::soft_pool_grad_betas(x, betas, grad_output, statistics.into(), config.clone()),
            );
        }
        if let Some(node) = x_node {
            let grad = B::soft_pool_backward(x, betas.into(), grad_output, statistics.into(), config);
            grads.register::<B>(node.id, grad);
        }
    }
}
