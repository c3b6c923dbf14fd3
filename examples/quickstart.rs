//! SoftPool in ten lines, on the best adapter of this machine.

use softpool::{GpuContext, GpuSoftPool, Shape, SoftPoolConfig};

fn main() -> softpool::Result<()> {
    let context = GpuContext::new_blocking()?;
    let config = SoftPoolConfig::builder([2, 2]).build()?;
    let pool = GpuSoftPool::new(&context.device, &context.queue, config);
    let x = context.upload(Shape::new([1, 1, 2, 4])?, &[0.0, 1.0, 4.0, 4.0, 2.0, 3.0, 4.0, 4.0])?;
    let y = pool.forward(&x)?;
    println!("y of shape {}: {:?}, on {}", y.shape(), y.read_blocking()?, context.name());
    let gradient = pool.backward(&x, &context.upload(y.shape(), &[1.0, 1.0])?)?;
    println!("dL/dx of shape {}: {:?}", gradient.shape(), gradient.read_blocking()?);
    Ok(())
}
