//! A host that runs for long: it replays plans, makes and drops poolings and tensors, and loses devices, while the memory of the
//! process and of the device has to stay flat.
//!
//! ```text
//! cargo run --release --example soak -- --minutes 60
//! ```
//!
//! Prints a row a minute (or twelve rows in all, for less than twelve minutes) and fails where a number grows. `--seed` is
//! another sequence of work; SOFTPOOL_ADAPTER chooses the adapter by a part of its name.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use clap::Parser;
use softpool::reference::Reference;
use softpool::{
    ADAPTER_VARIABLE, BackwardTensors, Error, ForwardTensors, GpuContext, GpuSoftPool, GpuTensor, Outputs,
    PipelineCache, Plan, Shape, SoftPoolConfig, wgpu,
};

/// How many plans are kept to be replayed; the oldest goes for a new one.
const PLANS: usize = 32;
/// Fewer than these configurations make, so that pipelines come and go too.
const PIPELINES: NonZeroUsize = NonZeroUsize::new(32).expect("not zero");
/// Rounds from one lost device to the next.
const ROUNDS_OF_A_DEVICE: u64 = 20;
/// What the process may take beyond what it had when it was warm: drivers and allocators breathe.
const SLACK: f64 = 1.10;
const SLACK_BYTES: usize = 24 << 20;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
#[command(about = "Runs poolings for long and fails if memory grows")]
struct Arguments {
    /// How long to run.
    #[arg(long, default_value_t = 60.0)]
    minutes: f64,
    /// Which sequence of work.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

fn main() -> Result<()> {
    let Arguments { minutes, seed } = Arguments::parse();
    let total = Duration::try_from_secs_f64(60.0 * minutes)?;
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
    let adapter = adapter(&instance)?;
    println!("{}, seed {seed}", softpool::adapter_name(&adapter));
    let mut host = Host::new(adapter, seed)?;

    let step = Duration::from_secs(60).min(total / 12);
    let start = Instant::now();
    let mut samples = vec![];
    println!(
        "  minute    rounds  replays  devices lost     RSS MiB  device MiB  buffers  pipelines  bind groups  devices"
    );
    while start.elapsed() < total {
        let row_ends = start + step * (samples.len() as u32 + 1);
        while Instant::now() < row_ends {
            host.round()?;
        }
        let sample = host.sample(&instance)?;
        println!(
            "{:8.2} {:9} {:8} {:13} {:11.1} {:11.1} {:8} {:10} {:12} {:8}",
            start.elapsed().as_secs_f64() / 60.0,
            host.rounds,
            host.replays,
            host.lost,
            mebibytes(sample.process),
            mebibytes(sample.device),
            sample.buffers,
            sample.pipelines,
            sample.bind_groups,
            sample.devices,
        );
        samples.push(sample);
    }
    check_flat(&samples)?;
    println!("flat, after {} rounds, {} replays and {} lost devices", host.rounds, host.replays, host.lost);
    Ok(())
}

fn adapter(instance: &wgpu::Instance) -> Result<wgpu::Adapter> {
    let Ok(part) = std::env::var(ADAPTER_VARIABLE) else {
        return Ok(pollster::block_on(instance.request_adapter(&wgpu::RequestAdapterOptions::default()))?);
    };
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    let named = |adapter: &wgpu::Adapter| softpool::adapter_name(adapter).to_lowercase().contains(&part.to_lowercase());
    Ok(adapters.into_iter().find(named).ok_or_else(|| format!("no adapter is named '{part}'"))?)
}

fn mebibytes(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// What is counted at the end of a row, when nothing is under way.
struct Sample {
    /// The memory of the process that is resident.
    process: usize,
    /// What wgpu's allocator has taken from the driver, where it keeps count.
    device: usize,
    buffers: usize,
    pipelines: usize,
    bind_groups: usize,
    devices: usize,
}

/// # Errors
/// For a number whose last third is beyond what its middle third had: the first third is for warming up.
fn check_flat(samples: &[Sample]) -> Result<()> {
    let third = samples.len() / 3;
    let largest = |samples: &[Sample], number: fn(&Sample) -> usize| samples.iter().map(number).max().unwrap_or(0);
    type Number = fn(&Sample) -> usize;
    let numbers: [(&str, Number, usize); 6] = [
        ("the process's memory", |sample| sample.process, SLACK_BYTES),
        ("the device's memory", |sample| sample.device, SLACK_BYTES),
        ("the number of buffers", |sample| sample.buffers, 16),
        ("the number of pipelines", |sample| sample.pipelines, 4),
        ("the number of bind groups", |sample| sample.bind_groups, 16),
        ("the number of devices", |sample| sample.devices, 0),
    ];
    for (name, number, slack) in numbers {
        let (warm, late) = (largest(&samples[third..2 * third], number), largest(&samples[2 * third..], number));
        let allowed = (warm as f64 * if slack == 0 { 1.0 } else { SLACK }) as usize + slack;
        if late > allowed {
            return Err(format!("{name} has grown from {warm} to {late}: {allowed} are allowed").into());
        }
    }
    Ok(())
}

/// A plan, with what it writes and what that was at first.
struct Kept {
    plan: Plan,
    output: GpuTensor,
    first: Option<Vec<f32>>,
}

struct Host {
    context: GpuContext,
    cache: PipelineCache,
    kept: VecDeque<Kept>,
    random: u64,
    rounds: u64,
    replays: u64,
    lost: u64,
}

impl Host {
    fn new(adapter: wgpu::Adapter, seed: u64) -> Result<Self> {
        let context = pollster::block_on(GpuContext::from_adapter(adapter))?;
        let cache = PipelineCache::new(&context.device);
        cache.set_capacity(Some(PIPELINES));
        // SplitMix64's increment, so that neighbouring seeds are far apart.
        let random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        Ok(Self { context, cache, kept: VecDeque::new(), random, rounds: 0, replays: 0, lost: 0 })
    }

    /// From 0 to `below` - 1: xorshift64*, by Vigna.
    fn random(&mut self, below: usize) -> usize {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % below
    }

    fn config(&mut self) -> Result<SoftPoolConfig> {
        let (kernel, stride) = (1 + self.random(3), 1 + self.random(2));
        let builder = SoftPoolConfig::builder([kernel, kernel]).stride([stride]).padding([self.random(1 + kernel / 2)]);
        Ok(builder.beta([1.0, -1.0, 0.5][self.random(3)]).build()?)
    }

    fn tensor(&mut self, shape: Shape) -> Result<(GpuTensor, Vec<f32>)> {
        let values: Vec<f32> = (0..shape.elements()).map(|_| self.random(4096) as f32 / 512.0 - 4.0).collect();
        Ok((self.context.upload(shape, &values)?, values))
    }

    fn round(&mut self) -> Result<()> {
        self.rounds += 1;
        let config = self.config()?;
        let (device, queue) = (self.context.device.clone(), self.context.queue.clone());
        let pool = GpuSoftPool::with_cache(&device, &queue, config.clone(), &self.cache)?;
        let shape =
            Shape::new([1 + self.random(2), 1 + self.random(8), 8 + self.random(24), 8 * (1 + self.random(4))])?;
        let (x, values) = self.tensor(shape)?;
        let forward = pool.forward_with(&x, Outputs { lse: true, statistics: true })?;
        match self.random(4) {
            0 => drop(pool.backward(&x, &forward.y)?),
            1 => drop(pool.grad_beta(&x, &forward.y)?),
            2 => drop(pool.jvp(&x, &x)?),
            // A read that nobody waits for.
            _ => drop(forward.y.read()),
        }
        let y = forward.y.read_blocking_within(Duration::from_secs(60))?;
        let expected = Reference::new(&config).forward(&shape, &values)?.y;
        let off = y.iter().zip(&expected).map(|(y, expected)| (f64::from(*y) - expected).abs()).fold(0.0, f64::max);
        if off > 1e-4 {
            return Err(format!("y is off by {off:e}").into());
        }

        let output = self.context.upload(shape, &vec![0.0; shape.elements()])?;
        let kept = if self.random(2) == 0 {
            Kept { plan: pool.plan(BackwardTensors::new(&x, &forward.y, &output))?, output, first: None }
        } else {
            let output = forward.y.clone();
            Kept { plan: pool.plan(ForwardTensors::new(&x, &output))?, output, first: Some(y) }
        };
        self.kept.push_back(kept);
        if self.kept.len() > PLANS {
            self.kept.pop_front();
        }
        for _ in 0..4 {
            let index = self.random(self.kept.len());
            self.replay(index)?;
        }
        if self.rounds.is_multiple_of(ROUNDS_OF_A_DEVICE) {
            self.lose_a_device()?;
        }
        Ok(())
    }

    /// Replays a plan, which has to give what it gave at first.
    fn replay(&mut self, index: usize) -> Result<()> {
        self.replays += 1;
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        self.kept[index].plan.encode(&mut encoder);
        self.context.queue.submit([encoder.finish()]);
        let kept = &mut self.kept[index];
        let got = kept.output.read_blocking()?;
        match &kept.first {
            Some(first) if *first != got => Err("a plan gives something else than at first".into()),
            Some(_) => Ok(()),
            None => {
                kept.first = Some(got);
                Ok(())
            }
        }
    }

    /// A second device, used and lost: every call says so, and nothing of it stays.
    fn lose_a_device(&mut self) -> Result<()> {
        let own = pollster::block_on(GpuContext::from_adapter(self.context.adapter.clone()))?;
        let pool = GpuSoftPool::new(&own.device, &own.queue, SoftPoolConfig::builder([2, 2]).build()?);
        let x = own.upload(Shape::new([1, 1, 64, 64])?, &[0.5; 4096])?;
        let y = pool.forward(&x)?;
        own.device.destroy();
        let lost = [pool.forward(&x).err(), y.read_blocking().err(), pool.plan(ForwardTensors::new(&x, &y)).err()];
        if !lost.iter().all(|error| matches!(error, Some(Error::DeviceLost { .. }))) {
            return Err(format!("a lost device is {lost:?}").into());
        }
        self.lost += 1;
        Ok(())
    }

    fn sample(&self, instance: &wgpu::Instance) -> Result<Sample> {
        self.context.device.poll(wgpu::PollType::wait_indefinitely())?;
        let process = memory_stats::memory_stats().ok_or("this system doesn't say how much memory a process has")?;
        let device = self.context.device.generate_allocator_report();
        let report = instance.generate_report().ok_or("wgpu counts nothing on this platform")?;
        let hub = report.hub_report();
        Ok(Sample {
            process: process.physical_mem,
            device: device.map_or(0, |report| report.total_reserved_bytes as usize),
            buffers: hub.buffers.num_allocated,
            pipelines: hub.compute_pipelines.num_allocated,
            bind_groups: hub.bind_groups.num_allocated,
            devices: hub.devices.num_allocated,
        })
    }
}
