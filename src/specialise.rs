//! From a geometry to the WGSL of its kernel: constants, bindings, and the files of shaders/ that it is made of.

use std::fmt::Write as _;

use crate::config::AxisWindow;
use crate::geometry::{Geometry, Grid, Kernel};
use crate::unroll::unroll;

/// The binding of the parameters, which shaders/window.wgsl declares.
pub(crate) const PARAMS_BINDING: u32 = 0;

/// A tensor that a kernel binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    X,
    Y,
    Lse,
    Statistics,
    GradOutput,
    GradInput,
}

impl Role {
    pub const ALL: [Self; 6] = [Self::X, Self::Y, Self::Lse, Self::Statistics, Self::GradOutput, Self::GradInput];

    /// The name in the shaders.
    pub fn name(self) -> &'static str {
        match self {
            Self::X => "x",
            Self::Y => "y",
            Self::Lse => "lse",
            Self::Statistics => "statistics",
            Self::GradOutput => "grad_output",
            Self::GradInput => "grad_input",
        }
    }

    /// The name in errors.
    pub fn described(self) -> &'static str {
        match self {
            Self::X => "the input",
            Self::Y => "the output",
            Self::Lse => "the lse output",
            Self::Statistics => "the statistics",
            Self::GradOutput => "the gradient of the output",
            Self::GradInput => "the gradient of the input",
        }
    }

    pub fn binding(self) -> u32 {
        PARAMS_BINDING + 1 + self as u32
    }
}

/// Everything that specialises a kernel's text: the key of the pipeline cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Specialisation {
    pub geometry: Geometry,
    /// Whether a forward writes y (a backward that needs only statistics does not want it), lse and statistics.
    pub y: bool,
    pub lse: bool,
    pub statistics: bool,
    /// Whether a tensor that is read shares its buffer with one that is written: wgpu then wants both bound for
    /// writing, since a buffer has one usage within a dispatch.
    pub shared_buffer: bool,
}

impl Specialisation {
    /// Whether the kernel writes the tensor; None if it doesn't bind it.
    pub fn writes(&self, role: Role) -> Option<bool> {
        let forward = self.geometry.kernel.is_forward();
        match role {
            Role::X => Some(false),
            Role::Y => (forward && self.y).then_some(true),
            Role::Lse => (forward && self.lse).then_some(true),
            Role::Statistics if forward => self.statistics.then_some(true),
            Role::Statistics => self.geometry.kernel.reads_statistics().then_some(false),
            Role::GradOutput => (!forward).then_some(false),
            Role::GradInput => (!forward).then_some(true),
        }
    }

    /// Whether the tensor is bound with `var<storage, read>`; None if it is not bound.
    pub fn read_only(&self, role: Role) -> Option<bool> {
        self.writes(role).map(|writes| !writes && !self.shared_buffer)
    }

    /// The label of everything made from it: "softpool backward k3 s2 p1".
    pub fn label(&self) -> String {
        let Geometry { kernel, axes, detached, .. } = &self.geometry;
        let by_axis = |name: &str, value: &dyn Fn(usize) -> u32| match [value(0), value(1), value(2)] {
            [d, h, w] if d == h && h == w => format!(" {name}{w}"),
            // Axes of windows of one element don't show.
            [_, h, w] if axes[0] == AxisWindow::UNIT && (h == w || axes[1] == AxisWindow::UNIT) => {
                format!(" {name}{w}")
            }
            [_, h, w] if axes[0] == AxisWindow::UNIT => format!(" {name}{h}x{w}"),
            [d, h, w] => format!(" {name}{d}x{h}x{w}"),
        };
        let mut label = format!("softpool {}", kernel.name().replace('_', " "));
        label += &by_axis("k", &|i| axes[i].kernel);
        label += &by_axis("s", &|i| axes[i].stride);
        if axes.iter().any(|axis| axis.padding > 0) {
            label += &by_axis("p", &|i| axes[i].padding);
        }
        if axes.iter().any(|axis| axis.dilation > 1) {
            label += &by_axis("d", &|i| axes[i].dilation);
        }
        if *detached {
            label += " detached";
        }
        label
    }

    /// The constants, bindings and accessors that the shaders take from the host.
    pub fn prelude(&self) -> String {
        let mut text =
            String::from("// Made by src/specialise.rs: the constants and bindings of one specialisation.\n\n");
        for (name, value) in self.geometry.constants() {
            writeln!(text, "const {name} = {value}u;").expect("a String takes any text");
        }
        let switches = [
            ("HAS_DEPTH", self.geometry.has_depth),
            ("MASKED", self.geometry.masked()),
            ("FLAT_LAYERS", self.geometry.grid != Grid::Rows),
            ("FLAT_PLANES", self.geometry.grid == Grid::Planes),
            ("HAS_REMAINDER", self.geometry.has_remainder),
            ("DOUBLING", self.geometry.sums_by_doubling()),
            ("DETACHED", self.geometry.detached),
            ("VECTOR_X", self.geometry.vectors.x),
            ("VECTOR_Y", self.geometry.vectors.y),
            ("VECTOR_GRADIENT", self.geometry.vector_gradient()),
            ("STORE_Y", self.y),
            ("SAVE_LSE", self.lse),
            ("SAVE_STATISTICS", self.statistics),
        ];
        for (name, value) in switches {
            writeln!(text, "const {name} = {value};").expect("a String takes any text");
        }
        text.push('\n');
        for role in Role::ALL {
            self.write_accessor(role, &mut text).expect("a String takes any text");
        }
        text
    }

    fn write_accessor(&self, role: Role, text: &mut String) -> std::fmt::Result {
        let name = role.name();
        let Some(read_only) = self.read_only(role) else {
            // The forward kernels store what they are asked for, and call all of these.
            let output = matches!(role, Role::Y | Role::Lse | Role::Statistics);
            if output && self.geometry.kernel.is_forward() {
                writeln!(text, "fn store_{name}(index: u32, value: f32) {{}}")?;
                writeln!(text, "fn store_{name}4(index: u32, values: vec4<f32>) {{}}")?;
            }
            // The backward kernels for statistics and for none load both kinds of rows.
            if role == Role::Statistics && !self.geometry.kernel.is_forward() {
                writeln!(text, "fn load_{name}(index: u32) -> f32 {{ return 0.0; }}")?;
                writeln!(text, "fn load_{name}4(index: u32) -> vec4<f32> {{ return vec4(0.0); }}")?;
            }
            return Ok(());
        };
        let access = if read_only { "read" } else { "read_write" };
        let binding = role.binding();
        let vector = self.is_vector(role);
        let element = if vector { "vec4<f32>" } else { "f32" };
        writeln!(text, "@group(0) @binding({binding}) var<storage, {access}> {name}: array<{element}>;")?;
        // Indices count elements; those of vectors are multiples of 4.
        let one = if vector { format!("{name}[index / 4u][index % 4u]") } else { format!("{name}[index]") };
        let four = format!("{name}[index / 4u]");
        if self.writes(role) == Some(true) {
            writeln!(text, "fn store_{name}(index: u32, value: f32) {{ {one} = value; }}")?;
            let body = if vector {
                format!("{four} = values;")
            } else {
                (0..4).map(|i| format!("{name}[index + {i}u] = values[{i}]; ")).collect()
            };
            writeln!(text, "fn store_{name}4(index: u32, values: vec4<f32>) {{ {body} }}")
        } else {
            writeln!(text, "fn load_{name}(index: u32) -> f32 {{ return {one}; }}")?;
            let body = if vector {
                four
            } else {
                format!("vec4({name}[index], {name}[index + 1u], {name}[index + 2u], {name}[index + 3u])")
            };
            writeln!(text, "fn load_{name}4(index: u32) -> vec4<f32> {{ return {body}; }}")
        }
    }

    /// Whether the tensor is bound as vectors of four elements.
    pub fn is_vector(&self, role: Role) -> bool {
        let vectors = self.geometry.vectors;
        match role {
            Role::X => vectors.x,
            Role::GradInput => self.geometry.vector_gradient(),
            Role::Y | Role::GradOutput | Role::Lse | Role::Statistics => vectors.y,
        }
    }

    /// The complete shader.
    pub fn wgsl(&self) -> String {
        let constants = self.geometry.constants();
        let mut text = self.prelude();
        for file in self.geometry.kernel.files() {
            text.push('\n');
            text += &unroll(file, &constants);
        }
        text
    }
}

impl Kernel {
    /// The file's name in shaders/.
    pub fn name(self) -> &'static str {
        match self {
            Self::ForwardDisjoint => "forward_disjoint",
            Self::ForwardOverlap => "forward_overlap",
            Self::ForwardWorkgroup => "forward_workgroup",
            Self::BackwardDisjoint => "backward_disjoint",
            Self::BackwardOverlap => "backward_overlap",
            Self::BackwardStatistics => "backward_statistics",
            Self::BackwardInput => "backward_input",
            Self::BackwardWorkgroup => "backward_workgroup",
        }
    }

    /// The files that make the kernel, its own last.
    fn files(self) -> Vec<&'static str> {
        const WINDOW: &str = include_str!("../shaders/window.wgsl");
        const ROWS: &str = include_str!("../shaders/rows.wgsl");
        const DISJOINT: &str = include_str!("../shaders/disjoint.wgsl");
        const FORWARD: &str = include_str!("../shaders/forward.wgsl");
        const BACKWARD: &str = include_str!("../shaders/backward.wgsl");
        const COVERING: &str = include_str!("../shaders/covering.wgsl");
        const GRADIENT_ROWS: &str = include_str!("../shaders/gradient_rows.wgsl");
        const SPREAD: &str = include_str!("../shaders/spread.wgsl");
        const WINDOW_SUMS: &str = include_str!("../shaders/window_sums.wgsl");
        const STATISTICS: &str = include_str!("../shaders/statistics.wgsl");
        const WINDOW_BY_WINDOW: &str = include_str!("../shaders/window_by_window.wgsl");
        match self {
            Self::ForwardDisjoint => {
                vec![WINDOW, ROWS, DISJOINT, FORWARD, include_str!("../shaders/forward_disjoint.wgsl")]
            }
            Self::ForwardOverlap => {
                vec![WINDOW, ROWS, WINDOW_SUMS, FORWARD, include_str!("../shaders/forward_overlap.wgsl")]
            }
            Self::ForwardWorkgroup => vec![WINDOW, FORWARD, include_str!("../shaders/forward_workgroup.wgsl")],
            Self::BackwardDisjoint => {
                vec![WINDOW, ROWS, DISJOINT, BACKWARD, GRADIENT_ROWS, include_str!("../shaders/backward_disjoint.wgsl")]
            }
            Self::BackwardOverlap => {
                let kernel = include_str!("../shaders/backward_overlap.wgsl");
                vec![WINDOW, ROWS, WINDOW_SUMS, BACKWARD, GRADIENT_ROWS, SPREAD, COVERING, WINDOW_BY_WINDOW, kernel]
            }
            Self::BackwardStatistics => {
                let kernel = include_str!("../shaders/backward_statistics.wgsl");
                vec![WINDOW, ROWS, BACKWARD, GRADIENT_ROWS, SPREAD, COVERING, STATISTICS, WINDOW_BY_WINDOW, kernel]
            }
            Self::BackwardInput => {
                vec![WINDOW, BACKWARD, COVERING, STATISTICS, include_str!("../shaders/backward_input.wgsl")]
            }
            Self::BackwardWorkgroup => {
                vec![WINDOW, BACKWARD, COVERING, STATISTICS, include_str!("../shaders/backward_workgroup.wgsl")]
            }
        }
    }
}
