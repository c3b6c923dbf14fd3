//! Evidence that what `GpuSoftPool::prepare` makes ahead is what calls take, and that it runs nothing.

use crate::common::{POISON, on_every_adapter, one_of_each_kernel, windows};
use softpool::{
    BackwardTensors, Error, ForwardTensors, GpuSoftPool, GradBetaTensors, JvpTensors, Memory, Outputs, PipelineCache,
    Recipe, Result, SecondBackwardTensors, Shape, StatisticsView, TensorView,
};

/// Recipes of every call of `pool` on a tensor of `shape`, in memory that isn't there.
fn recipes<'a>(pool: &'a GpuSoftPool, shape: Shape) -> Result<Vec<Recipe<'a>>> {
    let pooled = shape.pooled(pool.config())?;
    let named = |name, shape: Shape| TensorView::new(Memory::Named { name, bytes: 4 * shape.elements() as u64 }, shape);
    let (input, output, grad_output) = (named(0, shape), named(1, pooled), named(2, pooled));
    let (grad_input, tangent, lse) = (named(3, shape), named(4, shape), named(5, pooled));
    let memory = Memory::Named { name: 6, bytes: StatisticsView::bytes(&pooled) };
    let statistics = Some(StatisticsView { memory, byte_offset: 0 });
    let recipes = pool.recipes().with_names_apart();
    Ok(vec![
        recipes.of(ForwardTensors::new(input, output))?,
        recipes.of(ForwardTensors { input, output, lse: Some(lse), statistics })?,
        recipes.of(BackwardTensors::new(input, grad_output, grad_input))?,
        recipes.of(BackwardTensors { input, grad_output, grad_input, statistics })?,
        recipes.of(GradBetaTensors { input, grad_output, grad_beta: named(7, Shape::new([1])?), statistics: None })?,
        recipes.of(JvpTensors::new(input, tangent, output))?,
        recipes.of(SecondBackwardTensors {
            input,
            grad_output,
            tangent,
            grad_of_grad_output: Some(output),
            grad_of_input: grad_input,
            statistics: None,
        })?,
    ])
}

#[test]
fn calls_find_everything_made() {
    for case in one_of_each_kernel() {
        on_every_adapter(|context| {
            let cache = PipelineCache::new(&context.device);
            let pool = GpuSoftPool::with_cache(&context.device, &context.queue, case.config.clone(), &cache).unwrap();
            for recipe in recipes(&pool, case.shape).unwrap() {
                pollster::block_on(pool.prepare(&recipe)).unwrap();
            }
            let made = cache.len();
            assert!(made > 0);

            let (x, g) = (
                &context.upload(case.shape, &case.x).unwrap(),
                &context.upload(case.pooled(), &case.grad_output).unwrap(),
            );
            let outputs = Outputs { lse: true, statistics: true };
            pool.forward(x).unwrap();
            let statistics = pool.forward_with(x, outputs).unwrap().statistics.expect("asked for");
            pool.backward(x, g).unwrap();
            pool.backward_from(x, g, &statistics).unwrap();
            pool.grad_beta(x, g).unwrap();
            pool.jvp(x, x).unwrap();
            pool.second_backward(x, g, x).unwrap().input.read_blocking().unwrap();
            assert_eq!(cache.len(), made, "{} on {}", case.name, context.name());
        });
    }
}

#[test]
fn nothing_is_run() {
    let case = crate::common::Case::normal("k2 s2", windows([2, 2], [2]), [1, 2, 8, 8]);
    on_every_adapter(|context| {
        let pool = crate::common::pool(context, &case.config);
        let x = context.upload(case.shape, &case.x).unwrap();
        let y = context.upload(case.pooled(), &vec![POISON; case.pooled().elements()]).unwrap();
        let recipe = pool.recipes().of(ForwardTensors::new(&x, &y)).unwrap();
        pollster::block_on(pool.prepare(&recipe)).unwrap();
        assert_eq!(y.read_blocking().unwrap(), vec![POISON; case.pooled().elements()]);
    });
}

#[test]
fn a_lost_device_makes_nothing_ready() {
    let case = crate::common::Case::normal("k2 s2", windows([2, 2], [2]), [1, 2, 8, 8]);
    on_every_adapter(|context| {
        let context = crate::common::small(context);
        let pool = GpuSoftPool::new(&context.device, &context.queue, case.config.clone());
        context.device.destroy();
        let recipe = &recipes(&pool, case.shape).unwrap()[0];
        let error = pollster::block_on(pool.prepare(recipe)).expect_err("the device is lost");
        assert!(matches!(error, Error::DeviceLost { .. }), "{error}");
        assert!(pool.cache().is_empty());
    });
}
