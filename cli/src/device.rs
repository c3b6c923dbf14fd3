//! Where the pooling runs: on an adapter, or in the library's CPU reference.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use softpool::{ADAPTER_VARIABLE, Error, GpuContext};

use crate::failure::{Failure, Result};

/// The name of the CPU reference on the command line.
const CPU: &str = "cpu";

/// The name of the automatic choice on the command line.
const AUTO: &str = "auto";

/// Where the pooling runs.
pub enum Device {
    Gpu(Gpu),
    Cpu,
}

/// A device of an adapter, with what wgpu reports about it outside of any call's result.
pub struct Gpu {
    pub context: GpuContext,
    reported: Arc<Mutex<Option<String>>>,
}

impl Device {
    /// The device that `--device` names.
    pub fn choose(choice: &str) -> Result<Self> {
        match choice {
            CPU => Ok(Self::Cpu),
            AUTO => match GpuContext::new_blocking() {
                Ok(context) => Ok(Self::Gpu(Gpu::new(context))),
                Err(Error::NoAdapter { .. }) if pollster::block_on(softpool::adapters()).is_empty() => {
                    let _ = writeln!(io::stderr(), "no GPU adapter is there: computing on the CPU, slowly");
                    Ok(Self::Cpu)
                }
                Err(error @ Error::NoAdapter { .. }) => {
                    Err(Failure::Usage(format!("{error} (the choice is that of {ADAPTER_VARIABLE})")))
                }
                Err(error) => Err(error.into()),
            },
            named => Ok(Self::Gpu(Gpu::new(pollster::block_on(GpuContext::with_adapter(Some(named)))?))),
        }
    }

    pub fn is_gpu(&self) -> bool {
        matches!(self, Self::Gpu(_))
    }

    pub fn name(&self) -> String {
        match self {
            Self::Gpu(gpu) => gpu.context.name(),
            Self::Cpu => "the CPU reference".into(),
        }
    }
}

impl Gpu {
    fn new(context: GpuContext) -> Self {
        let reported = Arc::new(Mutex::new(None));
        let report = Arc::clone(&reported);
        // wgpu panics over errors that nobody asks for, such as a device out of memory.
        context.device.on_uncaptured_error(Arc::new(move |error: softpool::wgpu::Error| {
            if let Ok(mut first) = report.lock() {
                first.get_or_insert_with(|| error.to_string());
            }
        }));
        Self { context, reported }
    }

    /// A failure, if wgpu has reported an error since the device was made.
    pub fn check(&self) -> Result<()> {
        match self.reported.lock().ok().and_then(|mut reported| reported.take()) {
            Some(error) => Err(Failure::Device(format!("{}: {error}", self.context.name()))),
            None => Ok(()),
        }
    }
}
