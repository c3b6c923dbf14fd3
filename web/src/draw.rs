//! Draws pictures on the device into canvases: each whole, and magnified below.

use std::cell::Cell;

use softpool::wgpu;
use wasm_bindgen::JsError;

/// Bytes of `View` in draw.wgsl.
const VIEW_BYTES: usize = 56;
/// Bytes from one view to the next in a uniform buffer: the largest alignment that a device may ask for.
const VIEW_STRIDE: usize = 256;

/// A picture, another, and by how much the two's difference is multiplied: 0 shows the first alone.
pub type Picture<'a> = (&'a wgpu::Texture, &'a wgpu::Texture, f32);

/// What is magnified: around where, of 0 to 1, and how many times.
#[derive(Clone, Copy)]
pub struct Part {
    pub x: f32,
    pub y: f32,
    pub zoom: f32,
}

pub struct Draw {
    device: wgpu::Device,
    queue: wgpu::Queue,
    pipeline: wgpu::RenderPipeline,
    format: wgpu::TextureFormat,
    canvases: Vec<Canvas>,
}

struct Canvas {
    surface: wgpu::Surface<'static>,
    views: wgpu::Buffer,
    layout: Cell<Layout>,
}

/// Pixels of a canvas.
#[derive(Clone, Copy, Default, PartialEq)]
struct Layout {
    width: u32,
    picture_height: u32,
    gap: u32,
    part_height: u32,
}

impl Layout {
    fn height(self) -> u32 {
        self.picture_height + self.gap + self.part_height
    }
}

impl Draw {
    pub fn new(
        instance: &wgpu::Instance,
        adapter: &wgpu::Adapter,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        elements: Vec<web_sys::HtmlCanvasElement>,
    ) -> Result<Self, JsError> {
        let mut canvases = Vec::new();
        for element in elements {
            let surface = instance.create_surface(wgpu::SurfaceTarget::Canvas(element))?;
            let views = device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("views"),
                size: 2 * VIEW_STRIDE as u64,
                usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            canvases.push(Canvas { surface, views, layout: Cell::default() });
        }
        let formats = canvases.first().map(|canvas| canvas.surface.get_capabilities(adapter).formats);
        let format = formats.and_then(|formats| formats.first().copied());
        let format = format.ok_or_else(|| JsError::new("the browser has no format for a canvas"))?;
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("draw"),
            source: wgpu::ShaderSource::Wgsl(include_str!("draw.wgsl").into()),
        });
        let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some("draw"),
            layout: None,
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("corner"),
                compilation_options: Default::default(),
                buffers: &[],
            },
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some("pixel"),
                compilation_options: Default::default(),
                targets: &[Some(format.into())],
            }),
            primitive: Default::default(),
            depth_stencil: None,
            multisample: Default::default(),
            multiview_mask: None,
            cache: None,
        });
        Ok(Self { device: device.clone(), queue: queue.clone(), pipeline, format, canvases })
    }

    /// Gives a canvas so many pixels.
    pub fn resize(&self, index: usize, width: u32, picture_height: u32, gap: u32, part_height: u32) {
        let Some(canvas) = self.canvases.get(index) else { return };
        let layout = Layout { width, picture_height, gap, part_height };
        if width == 0 || canvas.layout.replace(layout) == layout {
            return;
        }
        canvas.surface.configure(
            &self.device,
            &wgpu::SurfaceConfiguration {
                usage: wgpu::TextureUsages::RENDER_ATTACHMENT,
                format: self.format,
                color_space: Default::default(),
                width,
                height: layout.height(),
                present_mode: wgpu::PresentMode::Fifo,
                desired_maximum_frame_latency: 2,
                // What nothing is drawn into shows the page.
                alpha_mode: wgpu::CompositeAlphaMode::PreMultiplied,
                view_formats: Vec::new(),
            },
        );
    }

    /// Draws a picture into each canvas.
    pub fn draw<const COUNT: usize>(&self, pictures: [Picture<'_>; COUNT], part: Part) {
        let descriptor = wgpu::CommandEncoderDescriptor { label: Some("draw") };
        let mut encoder = self.device.create_command_encoder(&descriptor);
        let mut shown = Vec::new();
        for (canvas, picture) in self.canvases.iter().zip(pictures) {
            let layout = canvas.layout.get();
            if layout.width == 0 {
                continue;
            }
            let (wgpu::CurrentSurfaceTexture::Success(texture) | wgpu::CurrentSurfaceTexture::Suboptimal(texture)) =
                canvas.surface.get_current_texture()
            else {
                continue;
            };
            self.draw_canvas(&mut encoder, canvas, &texture.texture, picture, part);
            shown.push(texture);
        }
        self.queue.submit([encoder.finish()]);
        shown.into_iter().for_each(|texture| self.queue.present(texture));
    }

    fn draw_canvas(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        canvas: &Canvas,
        target: &wgpu::Texture,
        (first, second, gain): Picture<'_>,
        part: Part,
    ) {
        let Layout { width, picture_height, gap, part_height } = canvas.layout.get();
        let (width, picture_height, part_height) = (width as f32, picture_height as f32, part_height as f32);
        let part_top = picture_height + gap as f32;
        let extent = [1.0 / part.zoom, part_height / picture_height / part.zoom];
        let inside = |at: f32, extent: f32| (at - 0.5 * extent).clamp(0.0, (1.0 - extent).max(0.0));
        let corner = [inside(part.x, extent[0]), inside(part.y, extent[1])];
        let mut views = [0; 2 * VIEW_STRIDE];
        let whole = [0.0, 0.0, width, picture_height, 0.0, 0.0, 1.0, 1.0, corner[0], corner[1], extent[0], extent[1]];
        let magnified =
            [0.0, part_top, width, part_height, corner[0], corner[1], extent[0], extent[1], 0.0, 0.0, 0.0, 0.0];
        for (view, values) in views.chunks_mut(VIEW_STRIDE).zip([whole, magnified]) {
            let values = [&values[..], &[gain, 0.0]].concat();
            view[..VIEW_BYTES].copy_from_slice(bytemuck::cast_slice(&values));
        }
        self.queue.write_buffer(&canvas.views, 0, &views);

        let [first, second, target] = [first, second, target].map(|texture| texture.create_view(&Default::default()));
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("draw"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &target,
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(wgpu::Color::TRANSPARENT),
                    store: wgpu::StoreOp::Store,
                },
            })],
            depth_stencil_attachment: None,
            timestamp_writes: None,
            occlusion_query_set: None,
            multiview_mask: None,
        });
        pass.set_pipeline(&self.pipeline);
        for (index, (top, height)) in [(0.0, picture_height), (part_top, part_height)].into_iter().enumerate() {
            let view = wgpu::BufferBinding {
                buffer: &canvas.views,
                offset: (index * VIEW_STRIDE) as u64,
                size: wgpu::BufferSize::new(VIEW_BYTES as u64),
            };
            let resources = [
                wgpu::BindingResource::TextureView(&first),
                wgpu::BindingResource::TextureView(&second),
                wgpu::BindingResource::Buffer(view),
            ];
            let entries = { resources.into_iter().zip(0..) }
                .map(|(resource, binding)| wgpu::BindGroupEntry { binding, resource })
                .collect::<Vec<_>>();
            let group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some("draw"),
                layout: &self.pipeline.get_bind_group_layout(0),
                entries: &entries,
            });
            pass.set_bind_group(0, &group, &[]);
            pass.set_viewport(0.0, top, width, height, 0.0, 1.0);
            pass.draw(0..3, 0..1);
        }
    }
}
