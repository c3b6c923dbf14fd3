//! Textures' kernels, and what they may cost.
//!
//! One kernel a case: the next mip level of even and of odd sizes, as many levels as one dispatch makes, and tensors; by the formats
//! that renderers have, and by what is done with a texel. Of a chain's kernel, whose loops run one to four times, each instruction
//! counts once, as everywhere here.

use softpool::texture::{TextureKernelExample, kernel_examples};

use crate::cases::Budget;
use crate::kernels::Kernel;

/// Of even sizes: what tensors' kernels have. It is half of what a renderer's GPU does while its memory moves a byte (navi21: 80 units
/// of 64 lanes at 2.1 GHz by 512 GB/s, 21), so that loads and what the scalar unit does find room beside.
const EVEN: Budget = Budget { vector_registers: 96, instructions_per_byte: Some(10.0) };
/// sRGB's curve, within the kernel: 12 powers of what a window reads and 3 of what it writes, each of 6 to 8 instructions, by 20 bytes.
const EVEN_SRGB: Budget = Budget { vector_registers: 96, instructions_per_byte: Some(15.0) };
/// Of odd sizes: a window has nine texels in place of four, of which the neighbours' windows have five as well. Of 3840 x 2160 it is
/// the levels below 240 x 135, which are less than a hundredth of a chain's texels.
const ODD: Budget = Budget { vector_registers: 96, instructions_per_byte: Some(20.0) };
const ODD_SRGB: Budget = Budget { vector_registers: 96, instructions_per_byte: Some(30.0) };
/// Windows of 5 x 5, whose texels compilers keep in registers: as tensors' of that size.
const LARGE: Budget = Budget { vector_registers: 128, instructions_per_byte: Some(10.0) };

/// The kernels whose name is chosen: "texture level 3840x2160 rgba8unorm straight".
pub fn kernels(chosen: impl Fn(&str) -> bool) -> Vec<Kernel> {
    kernel_examples().into_iter().map(kernel).filter(|kernel| chosen(&kernel.case)).collect()
}

fn kernel(example: TextureKernelExample) -> Kernel {
    let case = format!("texture {}", example.name);
    Kernel {
        file: case.replace([' ', ','], "-"),
        case,
        label: example.label,
        wgsl: example.wgsl,
        storage_buffers: 0,
        workgroup_size: example.workgroup_size,
        invocations: example.invocations,
        bytes: example.bytes,
    }
}

/// What a case of [`kernels`] may cost.
pub fn budget(case: &str) -> &'static Budget {
    let (is_odd, is_srgb) = (case.contains("4095x2047"), case.ends_with("srgb"));
    match (is_odd, is_srgb) {
        _ if case.contains("k5") => &LARGE,
        (false, false) => &EVEN,
        (false, true) => &EVEN_SRGB,
        (true, false) => &ODD,
        (true, true) => &ODD_SRGB,
    }
}

#[cfg(test)]
mod tests {
    use super::{budget, kernels};
    use crate::spirv::{Binding, translate};

    #[test]
    fn every_kernel_has_a_name_of_its_own_and_binds_textures() {
        let mut names = std::collections::HashSet::new();
        for kernel in kernels(|_| true) {
            let bindings = translate(&kernel.wgsl).expect("a kernel that naga takes").bindings;
            let textures = bindings.iter().filter(|(_, binding)| *binding != Binding::UniformBuffer).count();
            assert!(textures >= 2 && textures < bindings.len(), "{}: {bindings:?}", kernel.case);
            assert!(budget(&kernel.case).vector_registers >= 96);
            assert!(names.insert(kernel.case), "two cases of one name");
        }
        assert!(names.len() > 30, "{names:?}");
    }
}
