//! The uniform parameters of a dispatch, as shaders/window.wgsl declares them.

use bytemuck::{Pod, Zeroable};

use crate::bound::Role;

/// `struct Layout` of shaders/window.wgsl: where a tensor's elements are in its binding, modulo 2^32.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct Layout {
    pub start: u32,
    pub sample: u32,
    pub channel: u32,
    pub word: u32,
    pub position: [u32; 3],
    /// WGSL rounds the size of a struct up to its alignment, 16 bytes.
    pub padding: u32,
}

/// `struct Params` of shaders/window.wgsl; a test holds the two against each other.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(crate) struct Params {
    /// Depth, height and width.
    pub input_size: [u32; 3],
    pub samples: u32,
    /// Windows along depth, height and width.
    pub output_size: [u32; 3],
    pub channels: u32,
    /// Blocks of the dispatch along depth, height and width, and the first of them among all.
    pub blocks: [u32; 3],
    /// `2 |beta|`.
    pub beta: f32,
    pub first_block: [u32; 3],
    /// The sign of beta.
    pub sign: f32,
    /// The place of invocation (0, 0, 0) in the grid.
    pub first_invocation: [u32; 3],
    /// 1 / the number of blocks along the width.
    pub inverse_blocks_w: f32,
    /// 1 / the number of blocks of a layer.
    pub inverse_blocks_layer: f32,
    /// 0, which compilers don't know.
    pub zero: u32,
    /// Rows of windows, inputs or cells of a block.
    pub rows_of_block: u32,
    pub padding: u32,
    /// By role, in the order of [`Role::ALL`].
    pub layouts: [Layout; Role::COUNT],
}

#[cfg(test)]
mod tests {
    use super::{Layout, Params};
    use crate::bound::Role;

    #[test]
    fn layout_is_that_of_the_shader() {
        // The structs alone: the rest of the file needs a prelude.
        let file = include_str!("../shaders/window.wgsl");
        let start = file.find("struct Layout").expect("window.wgsl declares Layout");
        let end = file.find("const KERNEL").expect("constants follow");
        let module = naga::front::wgsl::parse_str(&file[start..end]).expect("both parse");
        let members = |name: &str| {
            let (_, found) = module.types.iter().find(|(_, ty)| ty.name.as_deref() == Some(name)).expect("declared");
            let naga::TypeInner::Struct { members, span } = &found.inner else { panic!("{name} is a struct") };
            let offsets: Vec<(String, usize)> = members
                .iter()
                .map(|member| (member.name.clone().unwrap_or_default(), member.offset as usize))
                .collect();
            (offsets, *span as usize)
        };
        macro_rules! offsets {
            ($of:ty: $($field:ident),*) => {
                vec![$((stringify!($field).to_owned(), std::mem::offset_of!($of, $field))),*]
            };
        }
        let layout = offsets!(Layout: start, sample, channel, word, position);
        assert_eq!(members("Layout"), (layout, size_of::<Layout>()));

        let mut params = offsets!(
            Params: input_size, samples, output_size, channels, blocks, beta, first_block, sign, first_invocation,
            inverse_blocks_w, inverse_blocks_layer, zero, rows_of_block
        );
        let first = std::mem::offset_of!(Params, layouts);
        let layouts = Role::ALL.into_iter().enumerate();
        params.extend(layouts.map(|(i, role)| (role.name().to_owned(), first + i * size_of::<Layout>())));
        assert_eq!(members("Params"), (params, size_of::<Params>()));
    }
}
