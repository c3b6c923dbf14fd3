//! The uniform parameters of a dispatch, as shaders/window.wgsl declares them.

use bytemuck::{Pod, Zeroable};

/// `struct Params` of shaders/window.wgsl; a test holds the two against each other.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct Params {
    /// Depth, height and width.
    pub input_size: [u32; 3],
    /// Planes of the dispatch.
    pub planes: u32,
    /// Windows along depth, height and width.
    pub output_size: [u32; 3],
    /// `2 |beta|`.
    pub beta: f32,
    /// The block of invocation (0, 0, 0), along width, height and depth.
    pub first_block: [u32; 3],
    /// The sign of beta.
    pub sign: f32,
    /// Where the first plane starts in each binding, in elements.
    pub x_start: u32,
    /// The same for the output, or for its gradient.
    pub y_start: u32,
    pub grad_input_start: u32,
    pub lse_start: u32,
    /// The same for the statistics, three elements a window.
    pub statistics_start: u32,
    /// 1 / the number of blocks along the width.
    pub inverse_blocks_w: f32,
    /// 1 / the number of blocks of a layer.
    pub inverse_blocks_layer: f32,
    /// WGSL rounds the size of a struct up to its alignment, 16 bytes.
    pub padding: u32,
}

#[cfg(test)]
mod tests {
    use super::Params;

    #[test]
    fn layout_is_that_of_the_shader() {
        let module = naga::front::wgsl::parse_str(
            // The struct alone: the rest of the file needs a prelude.
            include_str!("../shaders/window.wgsl")
                .split_once("struct Params {")
                .and_then(|(_, rest)| rest.split_once("\n}"))
                .map(|(body, _)| {
                    format!("struct Params {{{body}\n}}\n@group(0) @binding(0) var<uniform> params: Params;")
                })
                .expect("window.wgsl declares Params")
                .as_str(),
        )
        .expect("Params parses");
        let (_, params) = module.types.iter().find(|(_, ty)| ty.name.as_deref() == Some("Params")).expect("declared");
        let naga::TypeInner::Struct { members, span } = &params.inner else { panic!("Params is a struct") };
        let given: Vec<_> =
            members.iter().map(|member| (member.name.as_deref().unwrap_or_default(), member.offset as usize)).collect();
        macro_rules! offsets {
            ($($field:ident),*) => { vec![$((stringify!($field), std::mem::offset_of!(Params, $field))),*] };
        }
        let fields = offsets!(
            input_size,
            planes,
            output_size,
            beta,
            first_block,
            sign,
            x_start,
            y_start,
            grad_input_start,
            lse_start,
            statistics_start,
            inverse_blocks_w,
            inverse_blocks_layer
        );
        assert_eq!(given, fields);
        assert_eq!(*span as usize, size_of::<Params>());
    }
}
