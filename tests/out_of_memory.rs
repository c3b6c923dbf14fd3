//! Evidence that memory which runs out is an error by value, after which the device works on, and that what is dropped can be
//! used again. It has a process of its own, whose address space is limited for as long: what a software driver takes for its
//! device's memory then runs out long before the machine's does.
#![cfg(target_os = "linux")]

mod common;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use softpool::{Error, GpuContext, GpuSoftPool, Shape, SoftPoolConfig, TensorView, wgpu};

/// What there is for the device.
const ROOM: usize = 320 << 20;

/// Runs `work` with no more than `ROOM` beyond what the process has by now.
fn with_little_memory<T>(work: impl FnOnce() -> T) -> T {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")).expect("the size of the address space");
    let kilobytes: usize = size.trim().trim_end_matches("kB").trim().parse().expect("a number");
    let before = getrlimit(Resource::As);
    let current = Some((kilobytes * 1024 + ROOM) as u64);
    setrlimit(Resource::As, Rlimit { current, ..before }).expect("less than before");
    let result = work();
    setrlimit(Resource::As, before).expect("as before");
    result
}

fn shape<const AXES: usize>(dims: [usize; AXES]) -> Shape {
    Shape::new(dims).expect("a valid shape")
}

/// # Panics
/// Unless memory has run out.
fn ran_out(error: &Error, context: &GpuContext) {
    assert!(matches!(error, Error::OutOfMemory), "{error:?} on {}", context.name());
}

#[test]
fn memory_that_runs_out_is_an_error() {
    for context in common::contexts() {
        let info = context.adapter.get_info();
        // The memory of a GPU is no part of the process's. wgpu's GL backend doesn't ask a driver whether there was any.
        if info.device_type != wgpu::DeviceType::Cpu || info.backend == wgpu::Backend::Gl {
            continue;
        }
        let config = SoftPoolConfig::builder([1]).build().expect("valid");
        let pool = GpuSoftPool::new(&context.device, &context.queue, config);
        // 64 KiB, and a pipeline that is there.
        let (elements, of) = (1 << 14, shape([1, 1, 1 << 14]));
        let data = vec![0.5; elements];
        let first = context.upload(of, &data).expect("small");
        pool.forward(&first).expect("there is memory");

        with_little_memory(|| {
            // One element, repeated: a result of half as much again as there is.
            let large = shape([1, 1, ROOM / 4 * 3 / 2]);
            let repeated = TensorView::new(first.buffer(), large).with_strides([0, 0, 0]).expect("one stride an axis");
            ran_out(&pool.forward(repeated).expect_err("more than there is"), context);
            let y = pool.forward(&first).expect("there is memory for this");
            assert_eq!(y.read_blocking().expect("and for this"), data, "on {}", context.name());

            // Thousands of small ones.
            let mut tensors = Vec::new();
            let error = loop {
                match context.upload(of, &data) {
                    Ok(tensor) => tensors.push(tensor),
                    Err(error) => break error,
                }
                assert!(tensors.len() < 4 * ROOM / (4 * elements), "all of these on {}", context.name());
            };
            ran_out(&error, context);
            assert!(tensors.len() > 1000, "only {} on {}", tensors.len(), context.name());
            for _ in 0..100 {
                if let Err(error) = pool.forward(&first) {
                    ran_out(&error, context);
                }
                if let Err(error) = first.read_blocking() {
                    ran_out(&error, context);
                }
            }
        });

        // What was dropped is there again, on a device that works.
        let y = pool.forward(&first).expect("there is memory again");
        assert_eq!(y.read_blocking().expect("there is memory again"), data, "on {}", context.name());
    }
}
