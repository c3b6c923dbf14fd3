//! From a geometry to the WGSL of its kernel: constants, bindings, and the files of shaders/ that it is made of.

use std::fmt::Write as _;

use crate::bound::Role;
use crate::config::AxisWindow;
use crate::element::{ElementType, WORD_BYTES};
use crate::geometry::{Constants, Geometry};
use crate::grid::Grid;
use crate::kernels::Room;
use crate::prune::finished;
use crate::shaders::shader;

/// Everything that specialises a kernel's text: equal ones are the same text, which makes it the key of caches of pipelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Specialisation {
    pub(crate) geometry: Geometry,
    /// The element types of the tensors that are bound, by role.
    pub(crate) tensors: [Option<ElementType>; Role::COUNT],
    /// Whether a tensor that is read shares its buffer with one that is written: wgpu then wants both bound for
    /// writing, since a buffer has one usage within a dispatch.
    pub(crate) shared_buffer: bool,
}

impl Specialisation {
    pub(crate) fn new(mut geometry: Geometry, tensors: impl IntoIterator<Item = (Role, ElementType)>) -> Self {
        if geometry.kernel.room().goes_down_strips() {
            // A parameter: the text is that of strips of one row.
            geometry.schedule.block[1] = 1;
        }
        let mut specialisation = Self { geometry, tensors: [None; Role::COUNT], shared_buffer: false };
        for (role, element_type) in tensors {
            specialisation.tensors[role as usize] = Some(element_type);
        }
        specialisation
    }

    pub(crate) fn room(&self) -> &'static dyn Room {
        self.geometry.kernel.room()
    }

    pub(crate) fn has(&self, role: Role) -> bool {
        self.tensors[role as usize].is_some()
    }

    /// Whether it is the derivative of a backward.
    fn is_second(&self) -> bool {
        !self.room().makes_windows() && self.has(Role::Tangent)
    }

    fn constants(&self) -> Constants {
        [self.geometry.constants(), self.room().constants(&self.geometry)].concat()
    }

    /// Roles in the order of their bindings; the parameters come last.
    pub(crate) fn bound(&self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(|role| self.has(*role))
    }

    /// Invocations of a workgroup along x, y and z.
    pub fn workgroup_size(&self) -> [u32; 3] {
        self.geometry.workgroup
    }

    /// Whether the kernel writes a tensor that it binds.
    pub(crate) fn writes(&self, role: Role) -> bool {
        match role {
            Role::Y | Role::Lse | Role::GradInput => true,
            Role::Statistics => self.room().is_forward(),
            Role::Moments => self.room().makes_windows(),
            Role::X | Role::GradOutput | Role::Tangent | Role::Betas => false,
        }
    }

    /// Whether a tensor is bound with `var<storage, read>`.
    pub(crate) fn read_only(&self, role: Role) -> bool {
        !self.writes(role) && !self.shared_buffer
    }

    /// Which of [`kernel_names`](crate::kernel_names) it is.
    #[doc(hidden)]
    pub fn kernel(&self) -> String {
        format!("{:?}", self.geometry.kernel)
    }

    /// The label of everything made from it: "softpool backward k3 s2 p1".
    pub fn label(&self) -> String {
        let Geometry { axes, detached, .. } = &self.geometry;
        let by_axis = |name: &str, value: &dyn Fn(usize) -> u32| match [value(0), value(1), value(2)] {
            [d, h, w] if d == h && h == w => format!(" {name}{w}"),
            // Axes of windows of one element don't show.
            [_, h, w] if axes[0] == AxisWindow::UNIT && (h == w || axes[1] == AxisWindow::UNIT) => {
                format!(" {name}{w}")
            }
            [_, h, w] if axes[0] == AxisWindow::UNIT => format!(" {name}{h}x{w}"),
            [d, h, w] => format!(" {name}{d}x{h}x{w}"),
        };
        let second = if self.is_second() { "second " } else { "" };
        let mut label = format!("softpool {second}{}", self.room().name().replace('_', " "));
        label += &by_axis("k", &|i| axes[i].kernel);
        label += &by_axis("s", &|i| axes[i].stride);
        if axes.iter().any(|axis| axis.padding > 0) {
            label += &by_axis("p", &|i| axes[i].padding);
        }
        if axes.iter().any(|axis| axis.dilation > 1) {
            label += &by_axis("d", &|i| axes[i].dilation);
        }
        if axes.iter().any(|axis| axis.adaptive > 0) {
            label += " adaptive";
        }
        if *detached {
            label += " detached";
        }
        label
    }

    /// The constants, bindings and accessors that the shaders take from the host.
    pub(crate) fn prelude(&self) -> String {
        let mut text = String::from("//! src/specialise.rs\n");
        for (name, value) in self.constants() {
            writeln!(text, "const {name} = {value}u;").expect("a String takes any text");
        }
        let switches = [
            ("HAS_DEPTH", self.geometry.has_depth),
            ("MASKED", self.geometry.masked()),
            ("FLAT_LAYERS", matches!(self.geometry.grid, Grid::Layers | Grid::Planes)),
            ("FLAT_PLANES", self.geometry.grid == Grid::Planes),
            ("DOUBLING", self.room().doubles(&self.geometry)),
            ("DETACHED", self.geometry.detached),
            ("ORDINARY_BETA", self.geometry.ordinary_beta),
            ("VECTOR_X", self.geometry.vectors.x),
            ("VECTOR_TANGENT", self.geometry.vectors.tangent),
            ("VECTOR_Y", self.geometry.vectors.y),
            ("VECTOR_GRADIENT", self.geometry.vectors.gradient),
            ("STORE_Y", self.has(Role::Y)),
            ("SAVE_LSE", self.has(Role::Lse)),
            ("SAVE_STATISTICS", self.has(Role::Statistics)),
            ("SAVE_MOMENTS", self.has(Role::Moments)),
            ("BY_BETA", self.room().makes_windows() && self.has(Role::GradOutput)),
            ("SECOND", self.is_second()),
            ("TANGENT", self.has(Role::Tangent)),
            ("HAS_RING", self.geometry.schedule.ring_rows > 1),
            ("ONE_SAMPLE", self.geometry.one_sample),
            ("CHANNELS_LAST", self.geometry.grid == Grid::ChannelsLast),
            ("NATIVE_UNPACK", self.geometry.natives.unpack_f16),
            ("NATIVE_PACK", self.geometry.natives.pack_f16),
            ("NATIVE_EXP2", self.geometry.natives.exp2),
            ("ADAPTIVE_D", self.geometry.axes[0].adaptive > 0),
            ("ADAPTIVE_H", self.geometry.axes[1].adaptive > 0),
            ("ADAPTIVE_W", self.geometry.axes[2].adaptive > 0),
        ];
        for (name, value) in switches {
            writeln!(text, "const {name} = {value};").expect("a String takes any text");
        }
        text.push('\n');
        for role in Role::ALL {
            self.write_accessor(role, &mut text).expect("a String takes any text");
        }
        text += &self.room().functions(&self.geometry);
        let params = self.bound().count();
        writeln!(text, "@group(0) @binding({params}) var<uniform> params: Params;").expect("a String takes any text");
        text
    }

    /// Of a tensor x: `x_index`, the index of an element in its binding (an input's in a tensor of inputs, a window's in one of
    /// windows), and `step_x`, from one element of a row to the next; `load_x`, `load_x4`, `store_x` and `store_x4` at an
    /// index, by the type that elements are stored as. Tensors that are not bound read as 0.
    fn write_accessor(&self, role: Role, text: &mut String) -> std::fmt::Result {
        let name = role.name();
        let contiguous = self.geometry.contiguous_rows & role.bit() != 0;
        let step = if contiguous { "1u".into() } else { format!("params.{name}.position.z") };
        let size = if role.is_of_inputs() { "params.input_size" } else { "params.output_size" };
        let index = if self.geometry.contiguous_tensors & role.bit() != 0 {
            // By sizes, which every kernel has at hand: fewer values are alive, for some per cent of the time.
            format!("params.{name}.start + ((plane.y * {size}.x + at.x) * {size}.y + at.y) * {size}.z + at.z")
        } else {
            let terms = ["plane.x * sample", "plane.y * channel", "at.x * position.x", "at.y * position.y"];
            let terms = terms.map(|term| term.replace("* ", &format!("* params.{name}."))).join(" + ");
            format!("params.{name}.start + {terms} + at.z * step_{name}()")
        };
        let access = if self.read_only(role) { "read" } else { "read_write" };
        let (vector, writes) = (self.is_vector(role), self.writes(role));
        let binding = self.bound().take_while(|bound| *bound != role).count();
        let declare =
            |element: &str| format!("@group(0) @binding({binding}) var<storage, {access}> {name}: array<{element}>;");
        let each = |four: &dyn Fn(u32) -> String| (0..4).map(four).collect::<Vec<_>>();
        let loads = format!("vec4({})", each(&|i| format!("load_{name}(index + {i}u)")).join(", "));
        let stores = each(&|i| format!("store_{name}(index + {i}u, values[{i}]);")).join(" ");
        // The declaration; loads of one and of four; stores of one and of four. Those of vectors are at multiples of 4.
        let (declaration, load, load4, store, store4) = match self.tensors[role as usize] {
            None => (String::new(), "0.0".into(), "vec4(0.0)".into(), String::new(), String::new()),
            Some(ElementType::F32) if vector => {
                let (one, four) = (format!("{name}[index / 4u][index % 4u]"), format!("{name}[index / 4u]"));
                let stores = (format!("{one} = value;"), format!("{four} = values;"));
                (declare("vec4<f32>"), one, four, stores.0, stores.1)
            }
            Some(ElementType::F32) => {
                let one = format!("{name}[index]");
                let store = format!("{one} = value;");
                (declare("f32"), one, loads, store, stores)
            }
            // Four halves are two words, which one invocation has to itself.
            Some(element_type) if vector => {
                let half = half(element_type);
                let four = format!("f32_from_{half}({name}[index / 4u])");
                let word = format!("{name}[index / 4u][index / 2u % 2u]");
                let store = format!("{word} ^= half_change({word}, index, {half}_bits(vec4(value)).x);");
                let store4 = format!("{name}[index / 4u] = pack_halves({half}_bits(values));");
                (declare("vec2<u32>"), format!("{four}[index % 4u]"), four, store, store4)
            }
            // An invocation that computes both halves of a word has it to itself.
            Some(element_type) if writes && self.geometry.pairs => {
                let (half, word) = (half(element_type), format!("{name}[index / 2u]"));
                let load = format!("f32_from_{half}_bits(vec4({word} >> half_shift(index))).x");
                let store = format!("{word} ^= half_change({word}, index, {half}_bits(vec4(value)).x);");
                (declare("u32"), load, loads, store, stores)
            }
            // Another invocation may write the other half of a word at the same time.
            Some(element_type) if writes => {
                let (half, word) = (half(element_type), format!("&{name}[index / 2u]"));
                let change = format!("half_change(atomicLoad({word}), index, {half}_bits(vec4(value)).x)");
                (declare("atomic<u32>"), "0.0".into(), loads, format!("atomicXor({word}, {change});"), stores)
            }
            Some(element_type) => {
                let word = format!("{name}[index / 2u] >> half_shift(index)");
                (
                    declare("u32"),
                    format!("f32_from_{}(vec2({word}, 0u)).x", half(element_type)),
                    loads,
                    String::new(),
                    stores,
                )
            }
        };
        writeln!(text, "{declaration}")?;
        writeln!(text, "fn step_{name}() -> u32 {{ return {step}; }}")?;
        writeln!(text, "fn {name}_index(plane: vec2<u32>, at: vec3<u32>) -> u32 {{ return {index}; }}")?;
        writeln!(text, "fn load_{name}(index: u32) -> f32 {{ return {load}; }}")?;
        writeln!(text, "fn load_{name}4(index: u32) -> vec4<f32> {{ return {load4}; }}")?;
        if writes {
            writeln!(text, "fn store_{name}(index: u32, value: f32) {{ {store} }}")?;
            writeln!(text, "fn store_{name}4(index: u32, values: vec4<f32>) {{ {store4} }}")?;
            let each = ["x", "y", "z", "w"].into_iter().enumerate();
            let four = each.map(|(i, part)| {
                format!("if (exist.{part}) {{ store_{name}(index + {i}u * step_{name}(), values.{part}); }}")
            });
            let four = if vector {
                format!("if (exist.x) {{ store_{name}4(index, values); }}")
            } else {
                four.collect::<Vec<_>>().join(" ")
            };
            writeln!(text, "fn store_{name}_four(index: u32, values: vec4<f32>, exist: vec4<bool>) {{ {four} }}")?;
        }
        Ok(())
    }

    /// Whether the tensor is bound as vectors of four elements.
    pub(crate) fn is_vector(&self, role: Role) -> bool {
        let vectors = self.geometry.vectors;
        match role {
            Role::X => vectors.x,
            Role::Tangent => vectors.tangent,
            Role::GradInput => vectors.gradient,
            Role::Y | Role::GradOutput | Role::Lse | Role::Statistics => vectors.y,
            Role::Moments | Role::Betas => false,
        }
    }

    /// The least bytes that a binding of a bound tensor holds.
    pub(crate) fn min_binding_bytes(&self, role: Role) -> u64 {
        match self.tensors[role as usize] {
            Some(element_type) if self.is_vector(role) => 4 * element_type.bytes(),
            _ => WORD_BYTES,
        }
    }

    /// The complete shader, with the entry point `main`.
    pub fn wgsl(&self) -> String {
        let mut text = self.prelude();
        for file in self.files() {
            text.push('\n');
            text += file;
        }
        finished(&text)
    }

    /// The files of shaders/ that it is made of.
    pub(crate) fn files(&self) -> Vec<&'static str> {
        let beta = if self.has(Role::Betas) { shader!("beta_by_channel") } else { shader!("beta") };
        let halves = self.tensors.iter().flatten().any(|element_type| element_type.is_half());
        let shared = [shader!("window"), shader!("positions"), beta];
        let derives = self.has(Role::Tangent) || self.has(Role::GradOutput);
        shared
            .into_iter()
            .chain(halves.then_some(shader!("halves")))
            .chain(self.room().files(derives).iter().copied())
            .collect()
    }
}

/// What shaders/halves.wgsl calls a half type.
fn half(element_type: ElementType) -> &'static str {
    if element_type == ElementType::F16 { "f16" } else { "bf16" }
}
