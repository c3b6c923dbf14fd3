//! What a kernel's machine code does, counted from its disassembly.
//!
//! Each instruction counts once, however often it runs: those in loops, and those of ways that inputs seldom take, too.

use std::collections::{BTreeMap, HashMap};

/// Instructions of a kernel.
#[derive(Debug, Default, PartialEq)]
pub struct Counts {
    /// Of the vector unit: those that each lane takes part in. One that does two things counts twice.
    pub vector: u64,
    /// Those of them that lie in loops.
    pub vector_in_loops: u64,
    /// Loads from storage buffers, by the bytes that a lane loads.
    pub loads: BTreeMap<u32, u64>,
    /// Stores to storage buffers, by the bytes that a lane stores.
    pub stores: BTreeMap<u32, u64>,
}

/// An instruction as [`count`] sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Instruction {
    /// So many vector instructions.
    Vector(u64),
    Load(u32),
    Store(u32),
    Other,
}

/// Counts AMD's code: `BB7:` starts a block, `v_add_f32_e32 v1, 0.5, v1 ; 060202f0` is an instruction.
pub fn amd(assembly: &str) -> Counts {
    count(assembly.lines().map(|line| {
        let line = line.split(';').next().unwrap_or(line).trim();
        if let Some(label) = line.strip_suffix(':') {
            return Line::Label(label);
        }
        let (name, operands) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let branch = name.starts_with("s_branch") || name.starts_with("s_cbranch");
        Line::Instruction(amd_instruction(name), branch.then_some(operands.trim()))
    }))
}

fn amd_instruction(name: &str) -> Instruction {
    // Spills and arrays that aren't in registers go through scratch_*, the workgroup's memory through ds_*.
    let memory = ["buffer_", "global_", "flat_"].iter().find_map(|space| name.strip_prefix(space));
    if let Some(access) = memory {
        let width = access.split('_').rev().find_map(|part| match part {
            "ubyte" | "sbyte" | "byte" | "u8" | "i8" | "b8" => Some(1),
            "ushort" | "sshort" | "short" | "u16" | "i16" | "b16" => Some(2),
            "dword" | "b32" => Some(4),
            "dwordx2" | "b64" => Some(8),
            "dwordx3" | "b96" => Some(12),
            "dwordx4" | "b128" => Some(16),
            _ => None,
        });
        match width {
            Some(width) if access.starts_with("load") => return Instruction::Load(width),
            Some(width) if access.starts_with("store") => return Instruction::Store(width),
            _ => return Instruction::Other,
        }
    }
    match name {
        _ if name.starts_with("v_dual_") => Instruction::Vector(2),
        _ if name.starts_with("v_nop") => Instruction::Other,
        _ if name.starts_with("v_") => Instruction::Vector(1),
        _ => Instruction::Other,
    }
}

/// Counts NVIDIA's code, as nvdisasm writes it: `.L_x_1:` starts a block, `/*0010*/ @P0 LDG.E.128 R4, desc[UR4][R2.64] ;` is
/// an instruction.
pub fn nvidia(assembly: &str) -> Counts {
    count(assembly.lines().map(|line| {
        let line = line.trim();
        if let Some(label) = line.strip_suffix(':') {
            return Line::Label(label);
        }
        let Some((_, text)) = line.strip_prefix("/*").and_then(|line| line.split_once("*/")) else {
            return Line::Instruction(Instruction::Other, None);
        };
        let text = text.trim().split(';').next().unwrap_or_default();
        let text = if text.starts_with('@') { text.split_once(' ').map_or("", |(_, rest)| rest) } else { text };
        let name = text.split_whitespace().next().unwrap_or_default();
        // "BRA `(.L_x_1)".
        let target = text.split_once("`(").and_then(|(_, rest)| rest.split(')').next());
        Line::Instruction(nvidia_instruction(name), target.filter(|_| name.starts_with("BRA")))
    }))
}

fn nvidia_instruction(name: &str) -> Instruction {
    let mut parts = name.split('.');
    let operation = parts.next().unwrap_or_default();
    let width = parts.find_map(|part| match part {
        "U8" | "S8" => Some(1),
        "U16" | "S16" => Some(2),
        "64" => Some(8),
        "128" => Some(16),
        _ => None,
    });
    match operation {
        "LDG" => Instruction::Load(width.unwrap_or(4)),
        "STG" => Instruction::Store(width.unwrap_or(4)),
        // Other memory, control, and the unit that all lanes share.
        "" | "LD" | "ST" | "LDL" | "STL" | "LDS" | "STS" | "LDC" | "ATOMG" | "RED" | "BRA" | "BSSY" | "BSYNC"
        | "EXIT" | "NOP" | "BAR" => Instruction::Other,
        "ULDC" | "CALL" | "RET" | "WARPSYNC" | "BREAK" | "BMOV" | "MEMBAR" | "YIELD" => Instruction::Other,
        _ if operation.starts_with('U') || operation.contains("2UR") => Instruction::Other,
        _ => Instruction::Vector(1),
    }
}

/// A line of code: where a block starts, or an instruction with the label that it branches to.
enum Line<'a> {
    Label(&'a str),
    Instruction(Instruction, Option<&'a str>),
}

fn count<'a>(lines: impl Iterator<Item = Line<'a>>) -> Counts {
    let mut counts = Counts::default();
    // Vector instructions before each label; and how many of them, of all so far, no loop has.
    let mut labels = HashMap::new();
    let mut in_loops: Vec<(u64, u64)> = Vec::new();
    for line in lines {
        match line {
            Line::Label(label) => {
                labels.insert(label, counts.vector);
            }
            Line::Instruction(instruction, target) => {
                match instruction {
                    Instruction::Vector(several) => counts.vector += several,
                    Instruction::Load(width) => *counts.loads.entry(width).or_default() += 1,
                    Instruction::Store(width) => *counts.stores.entry(width).or_default() += 1,
                    Instruction::Other => {}
                }
                // A branch back closes a loop, which holds the loops within it.
                if let Some(&start) = target.and_then(|target| labels.get(target)) {
                    in_loops.retain(|&(inner, _)| inner < start);
                    in_loops.push((start, counts.vector));
                }
            }
        }
    }
    let mut reached = 0;
    for (start, end) in in_loops {
        counts.vector_in_loops += end.saturating_sub(start.max(reached));
        reached = reached.max(end);
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amd_code_of_both_generations_is_counted() {
        let code = "BB0:\n\
            \ts_mov_b32 s0, s3 ; be800303\n\
            \tbuffer_load_dwordx4 v[16:19], v11, s[16:19], 0 offen ; e0381000 8004100b\n\
            \tbuffer_load_b128 v[16:19], v11, s[16:19], 0 offen\n\
            \tbuffer_load_ushort v1, v11, s[16:19], 0 offen\n\
            BB1:\n\
            \tv_add_f32_e32 v1, 0.5, v1\n\
            \tv_dual_mul_f32 v1, v2, v3 :: v_dual_add_f32 v4, v5, v6\n\
            \ts_cbranch_execz BB2\n\
            \tscratch_store_dword off, v6, s0\n\
            \tbuffer_atomic_xor v6, v7, s[0:3], 0 offen\n\
            \ts_branch BB1\n\
            BB2:\n\
            \tv_mov_b32_e32 v0, v1\n\
            \tbuffer_store_dword v0, v1, s[4:7], 0 offen\n";
        let counts = Counts { vector: 4, vector_in_loops: 3, loads: [(16, 2), (2, 1)].into(), stores: [(4, 1)].into() };
        assert_eq!(amd(code), counts);
    }

    #[test]
    fn nvidia_code_is_counted() {
        let code = ".text.softpool:\n\
            \x20       /*0000*/                   LDC R1, c[0x0][0x28] ;\n\
            \x20       /*0010*/                   ULDC.64 UR4, c[0x0][0x208] ;\n\
            .L_x_0:\n\
            \x20       /*0020*/                   LDG.E.128 R4, desc[UR4][R2.64] ;\n\
            \x20       /*0030*/              @!P0 FADD R4, R4, R5 ;\n\
            \x20       /*0040*/               @P0 BRA `(.L_x_0) ;\n\
            \x20       /*0050*/                   STG.E desc[UR4][R2.64], R4 ;\n\
            \x20       /*0060*/                   EXIT ;\n";
        let counts = Counts { vector: 1, vector_in_loops: 1, loads: [(16, 1)].into(), stores: [(4, 1)].into() };
        assert_eq!(nvidia(code), counts);
    }

    #[test]
    fn loops_within_loops_count_once() {
        let code = "A:\nv_a\nB:\nv_b\ns_branch B\nv_c\ns_branch A\nv_d\nC:\nv_e\ns_branch C\n";
        let Counts { vector, vector_in_loops, .. } = amd(code);
        assert_eq!((vector, vector_in_loops), (5, 4));
    }
}
