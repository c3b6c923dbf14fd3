//! What a call dispatches, worked out without a device; and how it is written down, kernel by kernel.

use crate::bound::{Bound, Role};
use crate::geometry::Geometry;
use crate::params::{Layout, Params};
use crate::pieces::{DispatchLimits, Piece, pieces};
use crate::problem::Problem;
use crate::specialise::Specialisation;
use crate::tensor::buffer_bytes;
use crate::{Error, Memory, Result};

/// The dispatches of a call, one after the other: each sees what those before it wrote.
#[derive(Clone, Debug, Default)]
pub struct Recipe<'a> {
    dispatches: Vec<Dispatch<'a>>,
    scratch: Vec<u64>,
}

/// One dispatch of a kernel.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Dispatch<'a> {
    /// What to compile.
    pub kernel: Specialisation,
    /// How many workgroups to dispatch along x, y and z.
    pub workgroups: [u32; 3],
    /// What to bind, from binding 0 of group 0 on. The parameters' uniform buffer is the binding after the last of these.
    pub bindings: Vec<Binding<'a>>,
    params: Params,
}

/// A storage buffer's binding.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Binding<'a> {
    /// What to bind.
    pub memory: Memory<'a>,
    /// From which byte of it on: a multiple of `min_storage_buffer_offset_alignment`.
    pub byte_offset: u64,
    /// How many bytes: a multiple of 4.
    pub bytes: u64,
    /// Whether the kernel writes it.
    pub written: bool,
}

impl Dispatch<'_> {
    /// What the parameters' uniform buffer holds.
    pub fn params(&self) -> &[u8] {
        bytemuck::bytes_of(&self.params)
    }
}

impl<'a> Recipe<'a> {
    /// The dispatches, in their order: none for empty tensors, several where one would go beyond a limit.
    pub fn dispatches(&self) -> &[Dispatch<'a>] {
        &self.dispatches
    }

    /// The sizes in bytes of the buffers that the recipe needs besides the call's tensors. They must be zero where the call's
    /// tensors are empty; else their contents don't matter.
    pub fn scratch(&self) -> &[u64] {
        &self.scratch
    }
}

/// A recipe that is being written.
pub(crate) struct Writer<'a> {
    recipe: Recipe<'a>,
    limits: &'a wgpu::Limits,
    beta: f32,
    /// Whether each name is a buffer of its own.
    names_apart: bool,
    /// Whether it runs on memory that is known by names.
    named: bool,
}

impl<'a> Writer<'a> {
    pub fn new(limits: &'a wgpu::Limits, beta: f32, names_apart: bool) -> Self {
        Self { recipe: Recipe::default(), limits, beta, names_apart, named: false }
    }

    /// The recipe, once all is written.
    pub fn finish(self) -> Recipe<'a> {
        self.recipe
    }

    /// Memory of the recipe's own.
    pub fn scratch(&mut self, bytes: u64) -> Result<Memory<'a>> {
        let (index, bytes) = (self.recipe.scratch.len(), buffer_bytes(bytes, self.limits)?);
        self.recipe.scratch.push(bytes);
        Ok(Memory::Scratch { index, bytes })
    }

    /// Refuses scratch that a host has taken from another recipe.
    pub fn check_own(&self, memory: Memory<'_>) -> Result<()> {
        match memory {
            Memory::Scratch { index, .. } if index >= self.recipe.scratch.len() => Err(Error::ForeignScratch { index }),
            _ => Ok(()),
        }
    }

    /// Adds the dispatches of a kernel. `tensors` are those of `problem`; what is written must not overlap others.
    pub fn add(&mut self, problem: &Problem, geometry: Geometry, tensors: &[Bound<'a>]) -> Result<()> {
        let types = tensors.iter().map(|tensor| (tensor.placed.role, tensor.placed.element_type));
        let mut kernel = Specialisation::new(geometry, types);
        let writes = |tensor: &Bound<'_>| kernel.writes(tensor.placed.role);
        // Two names may be parts of one buffer, and so may be what the same runtime takes scratch from.
        self.named |= tensors.iter().any(|tensor| matches!(tensor.memory, Memory::Named { .. }));
        let mut shared_buffer = self.named && !self.names_apart;
        for (i, second) in tensors.iter().enumerate() {
            second.check(writes(second))?;
            for first in tensors[..i].iter().filter(|first| writes(first) || writes(second)) {
                first.check_apart(second)?;
                shared_buffer |= first.shares_memory(second) && writes(first) != writes(second);
            }
        }
        kernel.shared_buffer = shared_buffer;
        // A buffer without elements cannot be bound, and there is nothing to do.
        if tensors.iter().any(Bound::is_empty) {
            return Ok(());
        }
        geometry.check_device(tensors.len(), size_of::<Params>(), self.limits)?;
        let pieces = pieces(problem, &geometry, DispatchLimits::of(self.limits))?;
        let dispatches = pieces.iter().map(|piece| self.dispatch(kernel, &geometry, problem, tensors, piece));
        self.recipe.dispatches.extend(dispatches.collect::<Vec<_>>());
        Ok(())
    }

    fn dispatch(
        &self,
        kernel: Specialisation,
        geometry: &Geometry,
        problem: &Problem,
        tensors: &[Bound<'a>],
        piece: &Piece,
    ) -> Dispatch<'a> {
        let alignment = u64::from(self.limits.min_storage_buffer_offset_alignment);
        let mut params = self.params(problem, geometry, piece);
        let mut bindings = Vec::with_capacity(tensors.len());
        for role in Role::ALL {
            let Some(index) = problem.tensors.iter().position(|placed| placed.role == role) else { continue };
            let (placed, memory) = (&problem.tensors[index], tensors[index].memory);
            let range = piece.region.range(problem, geometry, placed, alignment);
            // Strides that 32 bits don't hold are those of axes along which the piece has one element.
            let [sample, channel, depth, height, width] = placed.strides.map(|stride| stride as u32);
            let (start, word, position) = (range.start, placed.word as u32, [depth, height, width]);
            params.layouts[role as usize] = Layout { start, sample, channel, word, position, padding: 0 };
            let written = kernel.writes(role);
            bindings.push(Binding { memory, byte_offset: range.offset, bytes: range.bytes, written });
        }
        Dispatch { kernel, workgroups: piece.workgroups, bindings, params }
    }

    /// The parameters of a piece, without its tensors.
    fn params(&self, problem: &Problem, geometry: &Geometry, piece: &Piece) -> Params {
        let region = piece.region;
        let blocks = region.block_counts();
        let [_, blocks_h, blocks_w] = blocks.map(|blocks| blocks as f32);
        Params {
            input_size: problem.input,
            samples: region.count[0] as u32,
            output_size: problem.output,
            channels: region.count[1] as u32,
            blocks,
            // Shaders count in halves of x; a beta whose double is beyond f32 is as good as the largest.
            beta: (2.0 * self.beta.abs()).min(f32::MAX),
            first_block: [2, 3, 4].map(|axis| region.first[axis] as u32),
            sign: if self.beta < 0.0 { -1.0 } else { 1.0 },
            first_invocation: piece.first_invocation,
            inverse_blocks_w: 1.0 / blocks_w,
            inverse_blocks_layer: 1.0 / (blocks_w * blocks_h),
            rows_of_block: geometry.schedule.block[1],
            ..bytemuck::Zeroable::zeroed()
        }
    }
}
