//! The files of shaders/.

/// A file of shaders/, below a line that says which: `//!` outlives pruning.
macro_rules! shader {
    ($name:literal) => {
        concat!(
            "//! shaders/",
            $name,
            ".wgsl\n",
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $name, ".wgsl"))
        )
    };
}
pub(crate) use shader;

pub(crate) const BACKWARD: &str = shader!("backward");
pub(crate) const COVERING: &str = shader!("covering");
pub(crate) const DISJOINT: &str = shader!("disjoint");
pub(crate) const FORWARD: &str = shader!("forward");
pub(crate) const GRADIENT_ROW: &str = shader!("gradient_row");
pub(crate) const LANES: &str = shader!("lanes");
pub(crate) const LANES_WINDOW: &str = shader!("lanes_window");
pub(crate) const LANE_SUMS: &str = shader!("lane_sums");
pub(crate) const OUTPUT_ROW: &str = shader!("output_row");
pub(crate) const PARTIAL: &str = shader!("partial");
pub(crate) const ROWS: &str = shader!("rows");
pub(crate) const STATISTICS: &str = shader!("statistics");
pub(crate) const SUMS: &str = shader!("sums");
pub(crate) const SUMS_BY_LANES: &str = shader!("sums_by_lanes");
pub(crate) const TANGENT: &str = shader!("tangent");
pub(crate) const TAPS: &str = shader!("taps");
pub(crate) const TAP_ROWS: &str = shader!("tap_rows");
pub(crate) const TURNS: &str = shader!("turns");
pub(crate) const WINDOW_VALUES: &str = shader!("window_values");
pub(crate) const WINDOW_ROW: &str = shader!("window_row");
