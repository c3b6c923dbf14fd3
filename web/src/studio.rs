//! The page's GPU side: a picture goes into a texture, is pooled by softpool three ways, and the results are drawn into canvases.
//! No pixel comes back to the CPU.
//!
//! Calls record and submit, and wait for nothing. Two are asynchronous: [`Studio::set_windows`], which is ready once the browser
//! has compiled, and [`Studio::milliseconds`].

use std::cell::{Cell, RefCell};

use futures_intrusive::channel::shared::oneshot_channel;
use softpool::{
    ForwardTensors, GpuSoftPool, PipelineCache, Plan, Result, Shape, SoftPoolConfig, TensorView, device_name, wgpu,
};
use wasm_bindgen::prelude::*;

use crate::draw::{Draw, Part};

/// Beta of the three poolings, in the order of their canvases; that of soft pooling is the page's.
const BETA_OF_MAX: f32 = 1e8;
const BETA_OF_AVERAGE: f32 = 0.0;
/// Invocations of a workgroup of unpack.wgsl and pack.wgsl.
const WORKGROUP: [u32; 2] = [16, 4];
/// Bytes of two timestamps.
const TIMES_BYTES: u64 = 16;

/// A device with the canvases that it draws into: soft, max and average pooling, the picture, and a difference.
#[wasm_bindgen]
pub struct Studio {
    device: wgpu::Device,
    queue: wgpu::Queue,
    cache: PipelineCache,
    draw: Draw,
    unpack: wgpu::ComputePipeline,
    pack: wgpu::ComputePipeline,
    clock: Option<Clock>,
    windows: Cell<[usize; 2]>,
    beta: Cell<f32>,
    frame: RefCell<Option<Frame>>,
}

/// A picture on the device.
struct Frame {
    texture: wgpu::Texture,
    /// (1, 3, H, W), from 0 to 1.
    x: wgpu::Buffer,
    shape: Shape,
    unpack: wgpu::BindGroup,
    pooled: Option<Pooled>,
}

/// A picture's poolings.
struct Pooled {
    windows: [usize; 2],
    beta: f32,
    /// Soft, max and average.
    methods: [Method; 3],
}

struct Method {
    y: wgpu::Buffer,
    plan: Plan,
    pack: wgpu::BindGroup,
    texture: wgpu::Texture,
}

/// Timestamps around a pass.
struct Clock {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
}

#[wasm_bindgen]
impl Studio {
    /// A device of the browser's, to draw into these five canvases.
    pub async fn open(canvases: Vec<web_sys::HtmlCanvasElement>) -> Result<Studio, JsError> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
        let adapter = instance.request_adapter(&wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..Default::default()
        });
        let adapter = adapter.await.map_err(|_| JsError::new("no adapter"))?;
        let required_features = adapter.features() & wgpu::Features::TIMESTAMP_QUERY;
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("softpool page"),
            required_features,
            required_limits: adapter.limits(),
            ..Default::default()
        };
        let (device, queue) = adapter.request_device(&descriptor).await?;
        let clock = (!required_features.is_empty()).then(|| Clock::new(&device));
        Ok(Self {
            draw: Draw::new(&instance, &adapter, &device, &queue, canvases)?,
            cache: PipelineCache::new(&device),
            unpack: compute_pipeline(&device, "unpack", include_str!("unpack.wgsl")),
            pack: compute_pipeline(&device, "pack", include_str!("pack.wgsl")),
            clock,
            windows: Cell::new([2, 2]),
            beta: Cell::new(1.0),
            frame: RefCell::new(None),
            device,
            queue,
        })
    }

    /// The adapter's name.
    pub fn adapter(&self) -> String {
        device_name(&self.device)
    }

    /// The most pixels of a picture that the device takes at once.
    pub fn max_pixels(&self) -> f64 {
        (self.device.limits().max_storage_buffer_binding_size / (3 * 4)) as f64
    }

    /// The largest width and height.
    pub fn max_side(&self) -> u32 {
        self.device.limits().max_texture_dimension_2d
    }

    /// Resolves when the device is lost: to what the browser says of why.
    pub fn lost(&self) -> Option<js_sys::Promise> {
        self.device.as_webgpu().map(|device| js_sys::Promise::from(JsValue::from(device.lost())))
    }

    /// Destroys the device, as a driver that gives up does.
    pub fn destroy(&self) {
        self.device.destroy();
    }

    /// Takes a picture.
    pub fn take_picture(&self, picture: web_sys::ImageBitmap) -> Result<(), JsError> {
        let (width, height) = (picture.width(), picture.height());
        self.take(wgpu::ExternalImageSource::ImageBitmap(picture), width, height)
    }

    /// Takes what a video shows now.
    pub fn take_video(&self, video: web_sys::HtmlVideoElement) -> Result<(), JsError> {
        let (width, height) = (video.video_width(), video.video_height());
        self.take(wgpu::ExternalImageSource::HTMLVideoElement(video), width, height)
    }

    /// Pools by windows of `kernel` by `kernel` at every `stride` from now on: ready once that is compiled for the picture.
    pub async fn set_windows(&self, kernel: usize, stride: usize) -> Result<(), JsError> {
        let config = SoftPoolConfig::builder([kernel, kernel]).stride([stride]).build()?;
        self.prepare(&config).await?;
        self.windows.set([kernel, stride]);
        Ok(())
    }

    /// The inverse temperature of soft pooling from now on.
    pub fn set_beta(&self, beta: f32) {
        self.beta.set(beta);
    }

    /// Pools the picture: submits, and waits for nothing. Width and height of what it becomes.
    pub fn pool(&self) -> Result<Vec<u32>, JsError> {
        let mut frame = self.frame.borrow_mut();
        let Some(frame) = frame.as_mut() else { return Ok(vec![0, 0]) };
        let [kernel, stride] = self.windows.get();
        let is_current = |pooled: &Pooled| pooled.windows == [kernel, stride] && pooled.beta == self.beta.get();
        if !frame.pooled.as_ref().is_some_and(is_current) {
            frame.pooled = Some(self.pooled(frame)?);
        }
        let Some(pooled) = &frame.pooled else { return Ok(vec![0, 0]) };

        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("pool") });
        let [height, width] = sizes(&frame.shape);
        dispatch(&mut encoder, &self.unpack, &frame.unpack, width, height);
        for (index, method) in pooled.methods.iter().enumerate() {
            // Soft pooling is what is timed.
            let clock = self.clock.as_ref().filter(|_| index == 0);
            let timestamp_writes = clock.map(|clock| wgpu::ComputePassTimestampWrites {
                query_set: &clock.queries,
                beginning_of_pass_write_index: Some(0),
                end_of_pass_write_index: Some(1),
            });
            let descriptor = wgpu::ComputePassDescriptor { label: Some("pool"), timestamp_writes };
            method.plan.record(&mut encoder.begin_compute_pass(&descriptor));
        }
        for method in &pooled.methods {
            let wgpu::Extent3d { width, height, .. } = method.texture.size();
            dispatch(&mut encoder, &self.pack, &method.pack, width, height);
        }
        if let Some(clock) = &self.clock {
            encoder.resolve_query_set(&clock.queries, 0..2, &clock.resolved, 0);
        }
        self.queue.submit([encoder.finish()]);
        let wgpu::Extent3d { width, height, .. } = pooled.methods[0].texture.size();
        Ok(vec![width, height])
    }

    /// Milliseconds that soft pooling took on the device the last time; less exactly, with what the browser adds, where its
    /// device has no timestamps.
    pub async fn milliseconds(&self) -> Option<f64> {
        let Some(clock) = &self.clock else { return self.milliseconds_until_done().await };
        let descriptor = wgpu::BufferDescriptor {
            label: Some("timestamps to read"),
            size: TIMES_BYTES,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        };
        let times = self.device.create_buffer(&descriptor);
        let mut encoder = self.device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(&clock.resolved, 0, &times, 0, TIMES_BYTES);
        self.queue.submit([encoder.finish()]);
        let (sender, receiver) = oneshot_channel();
        times.map_async(wgpu::MapMode::Read, .., move |result| drop(sender.send(result.is_ok())));
        let Some(true) = receiver.receive().await else { return None };
        let mapped = times.get_mapped_range(..).ok()?;
        let [start, end] = [0, 8].map(|at| mapped[at..at + 8].try_into().map_or(0, u64::from_le_bytes));
        Some(end.saturating_sub(start) as f64 * f64::from(self.queue.get_timestamp_period()) / 1e6)
    }

    /// Whether [`milliseconds`](Self::milliseconds) are by the device's own clock.
    pub fn has_clock(&self) -> bool {
        self.clock.is_some()
    }

    /// Gives a canvas so many pixels, and room for a magnified part below its picture.
    pub fn resize(&self, canvas: usize, width: u32, picture_height: u32, gap: u32, part_height: u32) {
        self.draw.resize(canvas, width, picture_height, gap, part_height);
    }

    /// Draws all canvases: around (x, y), of 0 to 1, magnified by `zoom`, with the difference of two of soft, max and average.
    pub fn draw(&self, x: f32, y: f32, zoom: f32, first: usize, second: usize, gain: f32) -> Result<(), JsError> {
        let frame = self.frame.borrow();
        let Some(frame) = frame.as_ref() else { return Ok(()) };
        let Some(pooled) = &frame.pooled else { return Ok(()) };
        let [soft, max, average] = pooled.methods.each_ref().map(|method| &method.texture);
        let by_index = |index: usize| [soft, max, average][index.min(2)];
        let pictures = [
            (soft, soft, 0.0),
            (max, max, 0.0),
            (average, average, 0.0),
            (&frame.texture, &frame.texture, 0.0),
            (by_index(first), by_index(second), gain),
        ];
        self.draw.draw(pictures, Part { x, y, zoom });
        Ok(())
    }
}

impl Studio {
    fn take(&self, source: wgpu::ExternalImageSource, width: u32, height: u32) -> Result<(), JsError> {
        let size = wgpu::Extent3d { width, height, depth_or_array_layers: 1 };
        let mut frame = self.frame.borrow_mut();
        if frame.as_ref().is_none_or(|frame| frame.texture.size() != size) {
            *frame = Some(self.frame_of(size)?);
        }
        let Some(frame) = frame.as_ref() else { return Ok(()) };
        let source = wgpu::CopyExternalImageSourceInfo { source, origin: wgpu::Origin2d::ZERO, flip_y: false };
        let target = wgpu::CopyExternalImageDestInfo {
            texture: &frame.texture,
            mip_level: 0,
            origin: wgpu::Origin3d::ZERO,
            aspect: wgpu::TextureAspect::All,
            color_space: wgpu::PredefinedColorSpace::Srgb,
            premultiplied_alpha: true,
        };
        self.queue.copy_external_image_to_texture(&source, target, size);
        Ok(())
    }

    fn frame_of(&self, size: wgpu::Extent3d) -> Result<Frame> {
        let shape = Shape::new([1, 3, size.height as usize, size.width as usize])?;
        let usage = wgpu::TextureUsages::TEXTURE_BINDING
            | wgpu::TextureUsages::COPY_DST
            // What a browser's copy of a picture needs.
            | wgpu::TextureUsages::RENDER_ATTACHMENT;
        let texture = self.texture("picture", size, usage);
        let x = self.buffer("levels", &shape);
        let view = texture.create_view(&Default::default());
        let resources = [wgpu::BindingResource::TextureView(&view), x.as_entire_binding()];
        let unpack = self.bind("unpack", &self.unpack, resources);
        Ok(Frame { texture, x, shape, unpack, pooled: None })
    }

    /// Poolings of a picture, with what they are stored in.
    fn pooled(&self, frame: &Frame) -> Result<Pooled> {
        let ([kernel, stride], beta) = (self.windows.get(), self.beta.get());
        let config = SoftPoolConfig::builder([kernel, kernel]).stride([stride]).build()?;
        let shape = frame.shape.pooled(&config)?;
        let pool = GpuSoftPool::with_cache(&self.device, &self.queue, config, &self.cache)?;
        let [height, width] = sizes(&shape);
        let size = wgpu::Extent3d { width, height, depth_or_array_layers: 1 };
        let kept = frame.pooled.as_ref().filter(|pooled| pooled.windows == [kernel, stride]);
        let method = |index: usize, beta: f32| -> Result<Method> {
            // Another beta is another plan, and nothing else.
            let (y, texture) = match kept.map(|pooled| &pooled.methods[index]) {
                Some(method) => (method.y.clone(), method.texture.clone()),
                None => {
                    let usage = wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::STORAGE_BINDING;
                    (self.buffer("pooled levels", &shape), self.texture("pooled", size, usage))
                }
            };
            let tensors = ForwardTensors::new(TensorView::new(&frame.x, frame.shape), TensorView::new(&y, shape));
            let plan = pool.clone().with_beta(beta)?.plan(tensors)?;
            let view = texture.create_view(&Default::default());
            let resources = [y.as_entire_binding(), wgpu::BindingResource::TextureView(&view)];
            let pack = self.bind("pack", &self.pack, resources);
            Ok(Method { y, plan, pack, texture })
        };
        let methods = [method(0, beta)?, method(1, BETA_OF_MAX)?, method(2, BETA_OF_AVERAGE)?];
        Ok(Pooled { windows: [kernel, stride], beta, methods })
    }

    /// Compiles what a picture's pooling by `config` takes.
    async fn prepare(&self, config: &SoftPoolConfig) -> Result<()> {
        let prepared = {
            let frame = self.frame.borrow();
            let Some(frame) = frame.as_ref() else { return Ok(()) };
            let pool = GpuSoftPool::with_cache(&self.device, &self.queue, config.clone(), &self.cache)?;
            let named = |name, shape: Shape| {
                let bytes = 4 * shape.elements() as u64;
                TensorView::new(softpool::Memory::Named { name, bytes }, shape)
            };
            let tensors = ForwardTensors::new(named(0, frame.shape), named(1, frame.shape.pooled(config)?));
            pool.prepare(&pool.recipes().with_names_apart().of(tensors)?)
        };
        prepared.await
    }

    async fn milliseconds_until_done(&self) -> Option<f64> {
        let now = || web_sys::window().and_then(|window| window.performance()).map(|clock| clock.now());
        let plan = self.frame.borrow().as_ref()?.pooled.as_ref()?.methods[0].plan.clone();
        let until_done = async |plan: Option<&Plan>| {
            let start = now()?;
            let mut encoder = self.device.create_command_encoder(&Default::default());
            if let Some(plan) = plan {
                plan.encode(&mut encoder);
            }
            self.queue.submit([encoder.finish()]);
            let (sender, receiver) = oneshot_channel();
            self.queue.on_submitted_work_done(move || drop(sender.send(())));
            receiver.receive().await?;
            Some(now()? - start)
        };
        // What is there without any work is the browser's.
        let empty = until_done(None).await?;
        let full = until_done(Some(&plan)).await?;
        Some((full - empty).max(0.0))
    }

    fn buffer(&self, label: &str, shape: &Shape) -> wgpu::Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: 4 * shape.elements() as u64,
            usage: wgpu::BufferUsages::STORAGE,
            mapped_at_creation: false,
        })
    }

    fn texture(&self, label: &str, size: wgpu::Extent3d, usage: wgpu::TextureUsages) -> wgpu::Texture {
        self.device.create_texture(&wgpu::TextureDescriptor {
            label: Some(label),
            size,
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::Rgba8Unorm,
            usage,
            view_formats: &[],
        })
    }

    fn bind<const COUNT: usize>(
        &self,
        label: &str,
        pipeline: &wgpu::ComputePipeline,
        resources: [wgpu::BindingResource<'_>; COUNT],
    ) -> wgpu::BindGroup {
        let entries = { resources.into_iter().zip(0..) }
            .map(|(resource, binding)| wgpu::BindGroupEntry { binding, resource })
            .collect::<Vec<_>>();
        self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(label),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        })
    }
}

impl Clock {
    fn new(device: &wgpu::Device) -> Self {
        Self {
            queries: device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("timestamps"),
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            }),
            resolved: device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("timestamps"),
                size: TIMES_BYTES,
                usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            }),
        }
    }
}

/// Height and width of a picture's shape.
fn sizes(shape: &Shape) -> [u32; 2] {
    let spatial = shape.spatial();
    [spatial[0] as u32, spatial[1] as u32]
}

fn compute_pipeline(device: &wgpu::Device, label: &str, text: &'static str) -> wgpu::ComputePipeline {
    let label = Some(label);
    let source = wgpu::ShaderSource::Wgsl(text.into());
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor { label, source });
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label,
        layout: None,
        module: &module,
        entry_point: Some("main"),
        compilation_options: Default::default(),
        cache: None,
    })
}

/// Dispatches an invocation for each pixel.
fn dispatch(
    encoder: &mut wgpu::CommandEncoder,
    pipeline: &wgpu::ComputePipeline,
    group: &wgpu::BindGroup,
    width: u32,
    height: u32,
) {
    let mut pass = encoder.begin_compute_pass(&Default::default());
    pass.set_pipeline(pipeline);
    pass.set_bind_group(0, group, &[]);
    pass.dispatch_workgroups(width.div_ceil(WORKGROUP[0]), height.div_ceil(WORKGROUP[1]), 1);
}
