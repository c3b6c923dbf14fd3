//! Unrolls the marked loops of a shader: the one transformation that WGSL text goes through.
//!
//! A kernel keeps a block of elements in function-scope arrays. They become registers only where every index is a
//! constant, and software drivers neither unroll the nested loops over them nor fold the conditions on their counters:
//! unrolled as text, the same kernel takes half the time there. So a loop
//!
//! ```wgsl
//! for (var tap = 0u; tap < KERNEL_W; tap++) { // unroll
//!     ...
//! }
//! ```
//!
//! becomes `KERNEL_W` blocks `{ const tap = 0u; ... }`. The marked text is valid WGSL that means the same, and the
//! body needs no substitution: its counter is a constant of the language now, and so is what follows from it,
//! `let row = 2u * tap; // const`, which becomes `const row = 2u * tap;`. `// unroll if KEEP` unrolls only where
//! that constant is not 0. Otherwise the loop is written with its test at the end: software drivers run the body of a loop that is
//! tested at its start once too often, with an empty mask.

use std::fmt::Write as _;

const MARK: &str = "// unroll";
/// Of a `let` that is a constant where the loops around it are unrolled.
const CONST_MARK: &str = " // const";

/// Whether a line has a mark, so that its comment is more than a comment.
pub(crate) fn is_marked(line: &str) -> bool {
    line.contains(MARK) || line.ends_with(CONST_MARK)
}

/// `source` with each marked loop unrolled. A bound is a number or the name of one of `constants`.
///
/// # Panics
/// On a marked line of another form than the one above: the shaders are this crate's own, and its tests unroll each.
pub(crate) fn unroll(source: &str, constants: &[(&str, u32)]) -> String {
    let lines: Vec<&str> = source.lines().collect();
    let mut unrolled = String::with_capacity(source.len() * 8);
    write_lines(&lines, constants, false, &mut unrolled);
    unrolled
}

/// `constant` is whether the lines are the body of a loop that is unrolled.
fn write_lines(lines: &[&str], constants: &[(&str, u32)], constant: bool, unrolled: &mut String) {
    let mut index = 0;
    while index < lines.len() {
        let line = lines[index];
        index += 1;
        if let Some(false) = mark(line, constants) {
            let (counter, bound) = parse_header(line, constants);
            let body = &lines[index..][..body_length(&lines[index..])];
            write!(unrolled, "{{\nvar {counter} = 0u;\nloop {{\n").expect("a String takes any text");
            write_lines(body, constants, false, unrolled);
            let end = format!("continuing {{\n{counter}++;\nbreak if {counter} >= {bound}u;\n}}\n}}\n}}\n");
            unrolled.push_str(&end);
            index += body.len() + 1;
            continue;
        }
        if mark(line, constants).is_none() {
            match line.strip_suffix(CONST_MARK) {
                Some(declaration) if constant => unrolled.push_str(&declaration.replacen("let ", "const ", 1)),
                _ => unrolled.push_str(line),
            }
            unrolled.push('\n');
            continue;
        }
        let (counter, bound) = parse_header(line, constants);
        let body = &lines[index..][..body_length(&lines[index..])];
        for value in 0..bound {
            writeln!(unrolled, "{{\nconst {counter} = {value}u;").expect("a String takes any text");
            write_lines(body, constants, true, unrolled);
            unrolled.push_str("}\n");
        }
        index += body.len() + 1;
    }
}

/// Whether a marked loop is unrolled; nothing for lines without a mark.
fn mark(line: &str, constants: &[(&str, u32)]) -> Option<bool> {
    let (_, condition) = line.split_once(MARK)?;
    if condition.is_empty() {
        return Some(true);
    }
    match condition.strip_prefix(" if ").and_then(|name| value_of(name, constants)) {
        Some(value) => Some(value != 0),
        None => panic!("not a condition to unroll by: {line}"),
    }
}

fn value_of(name: &str, constants: &[(&str, u32)]) -> Option<u32> {
    constants.iter().find(|(known, _)| *known == name).map(|&(_, value)| value)
}

/// Counter and bound of `for (var counter = 0u; counter < BOUND; counter++) { // unroll`.
fn parse_header<'a>(line: &'a str, constants: &[(&str, u32)]) -> (&'a str, u32) {
    let header = || {
        let (counter, rest) = line.trim().strip_prefix("for (var ")?.split_once(" = 0u; ")?;
        let bound = rest.strip_prefix(counter)?.strip_prefix(" < ")?.split_once(';')?.0;
        Some((counter, bound.trim_end_matches('u').parse().ok().or_else(|| value_of(bound, constants))?))
    };
    header().unwrap_or_else(|| panic!("not a loop that can be unrolled: {line}"))
}

/// Lines before the one that closes the block whose first lines these are.
fn body_length(lines: &[&str]) -> usize {
    let mut depth = 1;
    let closes = |line: &&str| {
        let code = line.split("//").next().unwrap_or_default();
        depth += code.matches('{').count() as i32 - code.matches('}').count() as i32;
        depth == 0
    };
    lines.iter().position(closes).expect("every block of a shader is closed")
}

#[cfg(test)]
mod tests {
    use super::unroll;

    #[test]
    fn nested_loops_become_blocks_with_constant_counters() {
        let source = "for (var i = 0u; i < N; i++) { // unroll\n    if (i > 0u) { // } a brace in a comment\n        a[i] = b;\n    }\n}\nafter;";
        let unrolled = unroll(source, &[("N", 2)]);
        let body = "    if (i > 0u) { // } a brace in a comment\n        a[i] = b;\n    }\n}\n";
        assert_eq!(unrolled, format!("{{\nconst i = 0u;\n{body}{{\nconst i = 1u;\n{body}after;\n"));
    }

    #[test]
    fn what_follows_from_counters_is_constant_with_them() {
        let body = "    let j = 2u * i; // const\n    let k = a[j];\n}\n";
        let source = format!("let j = n; // const\nfor (var i = 0u; i < 1u; i++) {{ // unroll if KEEP\n{body}");
        assert!(unroll(&source, &[("KEEP", 0)]).contains("    let j = 2u * i; // const\n"));
        let unrolled = "let j = n; // const\n{\nconst i = 0u;\n    const j = 2u * i;\n    let k = a[j];\n}\n";
        assert_eq!(unroll(&source, &[("KEEP", 1)]), unrolled);
    }

    #[test]
    fn a_condition_decides() {
        let source = "for (var i = 0u; i < 1u; i++) { // unroll if KEEP\n}\n";
        let rolled = "{\nvar i = 0u;\nloop {\ncontinuing {\ni++;\nbreak if i >= 1u;\n}\n}\n}\n";
        assert_eq!(unroll(source, &[("KEEP", 0)]), rolled);
        assert_eq!(unroll(source, &[("KEEP", 1)]), "{\nconst i = 0u;\n}\n");
    }

    #[test]
    fn a_bound_of_zero_leaves_nothing() {
        assert_eq!(unroll("for (var i = 0u; i < 0u; i++) { // unroll\n    a;\n}\nb;", &[]), "b;\n");
    }

    #[test]
    #[should_panic(expected = "not a loop that can be unrolled")]
    fn an_unknown_bound_is_refused() {
        unroll("for (var i = 0u; i < M; i++) { // unroll\n}", &[("N", 2)]);
    }
}
