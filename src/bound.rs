//! A tensor in its part of a call: where its elements are, and what can be wrong with that.

use crate::element::{ElementType, whole_words};
use crate::shape::MAX_AXES;
use crate::{Error, Memory, Result, Shape, TensorView};

/// Words of a window's statistics: c, s and d.
pub(crate) const STATISTICS_WORDS: u64 = 3;
/// Words of a window's moments: V and beta K.
pub(crate) const MOMENTS_WORDS: u64 = 2;
/// In rows of more windows than this, the words of a window lie beside each other, not a row apart.
const LONG_ROW: u64 = 1 << 16;

/// A tensor's part in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    X,
    Y,
    Lse,
    Statistics,
    GradOutput,
    GradInput,
    /// A direction in which x changes.
    Tangent,
    Moments,
    Betas,
}

impl Role {
    pub const COUNT: usize = 9;
    pub const ALL: [Self; Self::COUNT] = [
        Self::X,
        Self::Y,
        Self::Lse,
        Self::Statistics,
        Self::GradOutput,
        Self::GradInput,
        Self::Tangent,
        Self::Moments,
        Self::Betas,
    ];

    /// The name in the shaders.
    pub fn name(self) -> &'static str {
        match self {
            Self::X => "x",
            Self::Y => "y",
            Self::Lse => "lse",
            Self::Statistics => "statistics",
            Self::GradOutput => "grad_output",
            Self::GradInput => "grad_input",
            Self::Tangent => "tangent",
            Self::Moments => "moments",
            Self::Betas => "betas",
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
            Self::Tangent => "the direction",
            Self::Moments => "the moments",
            Self::Betas => "the betas",
        }
    }

    /// Whether the tensor has an element for each input, rather than for each window or channel.
    pub fn is_of_inputs(self) -> bool {
        matches!(self, Self::X | Self::GradInput | Self::Tangent)
    }

    pub fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// Where a tensor's elements are in its buffer, in elements.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed {
    pub role: Role,
    pub element_type: ElementType,
    pub offset: u64,
    /// Of sample, channel, depth, height and width.
    pub strides: [u64; MAX_AXES],
    /// How many words a window or position has.
    pub words: u64,
    /// From each of them to the next.
    pub word: u64,
}

impl Placed {
    /// Whether rows are contiguous, and start where a vector of four elements may.
    pub fn is_aligned(&self) -> bool {
        let [outer @ .., width] = self.strides;
        let starts = [self.offset, self.word].into_iter().chain(outer);
        width == 1 && { starts }.all(|start| start.is_multiple_of(4))
    }
}

/// A tensor in memory of the host's, or of a recipe's own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound<'a> {
    pub memory: Memory<'a>,
    /// What errors call it.
    name: &'static str,
    pub placed: Placed,
    byte_offset: u64,
    /// Sizes of sample, channel, depth, height and width.
    sizes: [u64; MAX_AXES],
    shape: Shape,
}

impl<'a> Bound<'a> {
    /// A tensor whose shape the pooling has accepted.
    pub fn tensor(role: Role, view: &TensorView<'a>, rank: usize) -> Result<Self> {
        Self::called(role.described(), role, view, rank)
    }

    /// The same, with what errors call it.
    pub fn called(name: &'static str, role: Role, view: &TensorView<'a>, rank: usize) -> Result<Self> {
        let shape = view.shape.of_rank(rank)?;
        let alignment = view.element_type.bytes() as u32;
        if !view.byte_offset.is_multiple_of(u64::from(alignment)) {
            return Err(Error::OffsetAlignment { role: name, offset: view.byte_offset, alignment });
        }
        let placed = Placed {
            role,
            element_type: view.element_type,
            offset: view.byte_offset / u64::from(alignment),
            strides: shape.by_all_axes(view.strides(), 0).map(|stride| stride as u64),
            words: 1,
            word: 0,
        };
        let sizes = shape.by_all_axes(shape.dims(), 1).map(|size| size as u64);
        Ok(Self { memory: view.memory, name, placed, byte_offset: view.byte_offset, sizes, shape })
    }

    /// An f32 tensor of some words for each window. For each row of windows the first word of all lies first, then the second of all;
    /// only rows that may have to be split, as they are so long, have the words of each window side by side.
    pub fn words(role: Role, words: u64, memory: Memory<'a>, byte_offset: u64, pooled: &Shape) -> Result<Self> {
        let view = TensorView::new(memory, *pooled).at_byte_offset(byte_offset);
        let mut bound = Self::tensor(role, &view, pooled.spatial().len())?;
        bound.placed.words = words;
        let [outer @ .., width] = &mut bound.placed.strides;
        outer.iter_mut().for_each(|stride| *stride *= words);
        (*width, bound.placed.word) = if bound.sizes[4] > LONG_ROW { (words, 1) } else { (1, bound.sizes[4]) };
        Ok(bound)
    }

    /// One inverse temperature for each channel, or one for all.
    pub fn betas(view: &TensorView<'a>, channels: usize) -> Result<Self> {
        let (role, dims) = (Role::Betas.described(), view.shape.dims());
        if dims != [channels] && dims != [1] {
            return Err(Error::ShapeMismatch { role, given: view.shape, expected: Shape::new([channels])? });
        }
        let mut bound = Self::tensor(Role::Betas, view, 0)?;
        if dims == [1] {
            bound.placed.strides = [0; MAX_AXES];
        }
        Ok(bound)
    }

    pub fn elements(&self) -> u64 {
        self.sizes.iter().product()
    }

    pub fn is_empty(&self) -> bool {
        self.sizes.contains(&0)
    }

    /// Steps in bytes and how often each is taken, from the first element to the others.
    fn steps(&self) -> impl Iterator<Item = (u64, u64)> + use<> {
        let Placed { element_type, strides, words, word, .. } = self.placed;
        let counts = self.sizes.into_iter().chain([words]);
        let steps = strides.into_iter().chain([word]);
        steps
            .zip(counts)
            .filter(|&(_, count)| count > 1)
            .map(move |(step, count)| (step * element_type.bytes(), count - 1))
    }

    /// Bytes from the first to the end of the last element.
    fn bytes(&self) -> u64 {
        if self.is_empty() {
            return 0;
        }
        self.steps().map(|(step, times)| step * times).sum::<u64>() + self.placed.element_type.bytes()
    }

    /// Size and usage against what a storage binding needs; and, if it is `written`, that each element has its own place.
    pub fn check(&self, written: bool) -> Result<()> {
        let (role, needed, offset, available) = (self.name, self.bytes(), self.byte_offset, self.memory.bytes());
        // Bindings are whole words.
        if offset.checked_add(needed).is_none_or(|end| end > available || whole_words(end) > available) {
            let within_word = offset % 4;
            let needed = whole_words(within_word + needed) - within_word;
            return Err(Error::BufferTooSmall { role, needed, offset, available });
        }
        if let Memory::Buffer(buffer) = self.memory {
            let missing = wgpu::BufferUsages::STORAGE - buffer.usage();
            if !missing.is_empty() {
                return Err(Error::BufferUsage { role, missing });
            }
        }
        if written && self.meets_itself() {
            let rank = self.shape.spatial().len();
            let leading = self.shape.dims().len() - rank;
            let strides = &self.placed.strides;
            let strides = strides[2 - leading..2].iter().chain(&strides[MAX_AXES - rank..]);
            let strides = strides.map(|&stride| stride as usize).collect();
            return Err(Error::SelfOverlap { role, strides, shape: self.shape });
        }
        Ok(())
    }

    /// Whether both are in one buffer, as far as can be known.
    pub fn shares_memory(&self, other: &Self) -> bool {
        self.memory == other.memory
    }

    /// Whether an element of one shares a byte with one of the other. Tensors interleaved beyond what a search can tell in
    /// reasonable time count as overlapping.
    pub fn overlaps(&self, other: &Self) -> bool {
        if !self.shares_memory(other) || self.is_empty() || other.is_empty() {
            return false;
        }
        // other's element less self's: counted from self's last element, no step goes back.
        let (first, second) = (i128::from(self.byte_offset), i128::from(other.byte_offset));
        let last = first + i128::from(self.bytes() - self.placed.element_type.bytes());
        let zero = last - second;
        let steps = self.steps().chain(other.steps()).collect();
        let (own, others) = (self.placed.element_type.bytes(), other.placed.element_type.bytes());
        can_reach(steps, zero - i128::from(others) + 1, zero + i128::from(own) - 1)
    }

    /// That no element of one shares a byte with one of the other.
    pub fn check_apart(&self, other: &Self) -> Result<()> {
        if self.overlaps(other) {
            return Err(Error::Overlap { first: self.name, second: other.name });
        }
        Ok(())
    }

    /// Whether two elements are in one place.
    fn meets_itself(&self) -> bool {
        if self.is_empty() {
            return false;
        }
        let mut steps: Vec<(u64, u64)> = self.steps().collect();
        steps.sort_unstable();
        let mut reach = 0;
        let nested = steps.iter().all(|&(step, times)| {
            let beyond = step > reach;
            reach += step * times;
            beyond
        });
        // Else, two elements whose places differ by nothing differ first in one of the steps, by one or more of it.
        !nested
            && (0..steps.len()).any(|first| {
                let (step, times) = steps[first];
                let later = &steps[first + 1..];
                let zero: u64 = later.iter().map(|&(step, times)| step * times).sum();
                let both_ways = later.iter().map(|&(step, times)| (step, 2 * times));
                let target = i128::from(zero) - i128::from(step);
                can_reach(both_ways.chain([(step, times - 1)]).collect(), target, target)
            })
    }
}

/// Whether a sum of steps, each taken up to so many times, lies from `low` to `high`; true also if that would take long to say.
fn can_reach(mut steps: Vec<(u64, u64)>, low: i128, high: i128) -> bool {
    const SEARCHED: u32 = 100_000;
    steps.retain(|&(step, times)| step > 0 && times > 0);
    steps.sort_unstable_by_key(|&(step, _)| std::cmp::Reverse(step));
    // The sums of equal steps are those of one step taken more often.
    steps.dedup_by(|next, kept| {
        next.0 == kept.0 && {
            kept.1 += next.1;
            true
        }
    });
    let steps: Vec<(i128, i128)> =
        steps.into_iter().map(|(step, times)| (i128::from(step), i128::from(times))).collect();
    let mut budget = SEARCHED;
    search(&steps, low, high, &mut budget)
}

fn search(steps: &[(i128, i128)], low: i128, high: i128, budget: &mut u32) -> bool {
    let reach: i128 = steps.iter().map(|(step, times)| step * times).sum();
    if high < 0 || low > reach {
        return false;
    }
    let Some((&(step, times), smaller)) = steps.split_first() else { return true };
    let smaller_reach = reach - step * times;
    let first =
        (low - smaller_reach).max(0).div_euclid(step) + i128::from((low - smaller_reach).max(0).rem_euclid(step) > 0);
    for taken in first..=times.min(high.div_euclid(step)) {
        if *budget == 0 {
            return true;
        }
        *budget -= 1;
        if search(smaller, low - taken * step, high - taken * step, budget) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::can_reach;

    /// Against every sum, for steps that nest and steps that don't.
    #[test]
    fn can_reach_finds_what_trying_all_finds() {
        let mut state = 1u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) % below
        };
        for _ in 0..2000 {
            let steps: Vec<(u64, u64)> = (0..1 + random(4)).map(|_| (random(12), random(5))).collect();
            let (low, width) = (random(60) as i128 - 5, random(3) as i128);
            let mut sums = vec![0i128];
            for &(step, times) in &steps {
                sums = sums.iter().flat_map(|sum| (0..=times).map(move |k| sum + i128::from(step * k))).collect();
            }
            let want = sums.iter().any(|sum| (low..=low + width).contains(sum));
            assert_eq!(can_reach(steps.clone(), low, low + width), want, "{steps:?} to {low}..={}", low + width);
        }
    }
}
