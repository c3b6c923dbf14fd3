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
//! becomes its body for each number, `KERNEL_W` times. The marked text is valid WGSL that means the same. What follows from
//! the counter alone is marked, too: `let row = 2u * tap; // const`. `// unroll if KEEP` unrolls only where
//! that constant is not 0. Otherwise the loop is written with its test at the end: software drivers run the body of a loop that is
//! tested at its start once too often, with an empty mask.

use std::borrow::Cow;

use crate::fold::{Constants, Value, write_block};

const MARK: &str = "// unroll";
/// Of a `let` that is a constant where the loops around it are unrolled.
const CONST_MARK: &str = " // const";

/// Whether a line has a mark, so that its comment is more than a comment.
pub(crate) fn is_marked(line: &str) -> bool {
    line.contains(MARK) || line.ends_with(CONST_MARK)
}

/// `source` with each marked loop unrolled.
///
/// # Panics
/// On a marked line of another form than the one above: the shaders are this crate's own, and its tests unroll each.
pub(crate) fn unroll(source: &str, constants: &Constants<'_>) -> String {
    let lines: Vec<String> = source.lines().map(str::to_owned).collect();
    let mut unrolled = String::with_capacity(source.len() * 4);
    write_lines(&lines, constants, false, &mut unrolled);
    unrolled
}

/// `constant` is whether the lines are the body of a loop that is unrolled.
fn write_lines(lines: &[String], constants: &Constants<'_>, constant: bool, unrolled: &mut String) {
    let (mut lines, mut index) = (Cow::Borrowed(lines), 0);
    while index < lines.len() {
        let line = &lines[index];
        index += 1;
        if let (Some(declaration), true) = (line.strip_suffix(CONST_MARK), constant) {
            let declared = declaration.trim_start().strip_prefix("let ").and_then(|rest| rest.strip_suffix(';'));
            let (name, value) = declared.and_then(|declared| declared.split_once(" = ")).expect("marks are of let");
            if let Some(Value::Number(value)) = constants.value(value) {
                lines = Cow::Owned(replaced(&lines[index..], name, value));
                index = 0;
                continue;
            }
            unrolled.push_str(&declaration.replacen("let ", "const ", 1));
            unrolled.push('\n');
            continue;
        }
        let Some(unrolls) = mark(line, constants) else {
            unrolled.push_str(line);
            unrolled.push('\n');
            continue;
        };
        let (counter, bound) = parse_header(line, constants);
        let body = &lines[index..][..body_length(&lines[index..])];
        index += body.len() + 1;
        if unrolls {
            for value in 0..bound {
                let mut turn = String::new();
                write_lines(&replaced(body, counter, value), constants, true, &mut turn);
                write_block(&turn, "", unrolled);
            }
        } else {
            unrolled.push_str(&format!("{{\nvar {counter} = 0u;\nloop {{\n"));
            write_lines(body, constants, false, unrolled);
            let end = format!("continuing {{\n{counter}++;\nbreak if {counter} >= {bound}u;\n}}\n}}\n}}\n");
            unrolled.push_str(&end);
        }
    }
}

/// The lines with a number for a name.
fn replaced(lines: &[String], name: &str, value: i64) -> Vec<String> {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let replaced = |line: &String| {
        let (mut text, mut rest) = (String::with_capacity(line.len()), line.as_str());
        while let Some(at) = rest.find(name) {
            let (before, after) = (&rest[..at], &rest[at + name.len()..]);
            let whole = !before.ends_with(|c| is_of_name(c) || c == '.') && !after.starts_with(is_of_name);
            text.push_str(before);
            match whole {
                true => text.push_str(&format!("{value}u")),
                false => text.push_str(name),
            }
            rest = after;
        }
        text + rest
    };
    lines.iter().map(replaced).collect()
}

/// Whether a marked loop is unrolled; nothing for lines without a mark.
fn mark(line: &str, constants: &Constants<'_>) -> Option<bool> {
    let (_, condition) = line.split_once(MARK)?;
    if condition.is_empty() {
        return Some(true);
    }
    match condition.strip_prefix(" if ").and_then(|name| constants.value(name)) {
        Some(value) => Some(value != Value::Number(0) && value != Value::Bool(false)),
        None => panic!("not a condition to unroll by: {line}"),
    }
}

/// Counter and bound of `for (var counter = 0u; counter < BOUND; counter++) { // unroll`.
fn parse_header<'a>(line: &'a str, constants: &Constants<'_>) -> (&'a str, i64) {
    let header = || {
        let (counter, rest) = line.trim().strip_prefix("for (var ")?.split_once(" = 0u; ")?;
        let bound = rest.strip_prefix(counter)?.strip_prefix(" < ")?.split_once(';')?.0;
        match constants.value(bound)? {
            Value::Number(bound) => Some((counter, bound)),
            Value::Bool(_) => None,
        }
    };
    header().unwrap_or_else(|| panic!("not a loop that can be unrolled: {line}"))
}

/// Lines before the one that closes the block whose first lines these are.
fn body_length(lines: &[String]) -> usize {
    let mut depth = 1;
    let closes = |line: &String| {
        let code = line.split("//").next().unwrap_or_default();
        depth += code.matches('{').count() as i32 - code.matches('}').count() as i32;
        depth == 0
    };
    lines.iter().position(closes).expect("every block of a shader is closed")
}

#[cfg(test)]
mod tests {
    use crate::fold::Constants;

    /// `source` unrolled beside these declarations.
    fn unroll(source: &str, declarations: &[&str]) -> String {
        let declarations: Vec<String> = declarations.iter().map(|&declaration| declaration.to_owned()).collect();
        super::unroll(source, &Constants::of(&declarations))
    }

    #[test]
    fn nested_loops_become_their_bodies_for_each_number() {
        let source = "for (var i = 0u; i < N; i++) { // unroll\n    if (i > 0u) { // } a brace in a comment\n        a.i[i] = bi;\n    }\n}\nafter;";
        let unrolled = unroll(source, &["const N = 2u;"]);
        let body =
            |i: u32| format!("    if ({i}u > 0u) {{ // }} a brace in a comment\n        a.i[{i}u] = bi;\n    }}\n");
        assert_eq!(unrolled, format!("{}{}after;\n", body(0), body(1)));
        let source =
            "for (var i = 0u; i < 2u; i++) { // unroll\nfor (var j = 0u; j < i; j++) { // unroll\nf(i, j);\n}\n}";
        assert_eq!(unroll(source, &[]), "f(1u, 0u);\n");
    }

    #[test]
    fn what_declares_stays_a_block() {
        let source = "for (var i = 0u; i < 2u; i++) { // unroll\n    let a = i;\n    f(a);\n}\n";
        assert_eq!(unroll(source, &[]), "{\n    let a = 0u;\n    f(a);\n}\n{\n    let a = 1u;\n    f(a);\n}\n");
    }

    #[test]
    fn what_follows_from_counters_is_constant_with_them() {
        let body = "    let j = 2u * i; // const\n    f(a[j]);\n    let k = min(j, 3u); // const\n    g(k);\n}\n";
        let source = format!("let j = n; // const\nfor (var i = 0u; i < 1u; i++) {{ // unroll if KEEP\n{body}");
        assert!(unroll(&source, &["const KEEP = 0u;"]).contains("    let j = 2u * i; // const\n"));
        let unrolled = "let j = n; // const\n{\n    f(a[0u]);\n    const k = min(0u, 3u);\n    g(k);\n}\n";
        assert_eq!(unroll(&source, &["const KEEP = 1u;"]), unrolled);
    }

    #[test]
    fn a_condition_decides() {
        let source = "for (var i = 0u; i < 1u; i++) { // unroll if KEEP\nf(i);\n}\n";
        let rolled = "{\nvar i = 0u;\nloop {\nf(i);\ncontinuing {\ni++;\nbreak if i >= 1u;\n}\n}\n}\n";
        assert_eq!(unroll(source, &["const KEEP = false;"]), rolled);
        assert_eq!(unroll(source, &["const KEEP = 1u;"]), "f(0u);\n");
    }

    #[test]
    fn a_bound_of_zero_leaves_nothing() {
        assert_eq!(unroll("for (var i = 0u; i < 0u; i++) { // unroll\n    a;\n}\nb;", &[]), "b;\n");
    }

    #[test]
    #[should_panic(expected = "not a loop that can be unrolled")]
    fn an_unknown_bound_is_refused() {
        unroll("for (var i = 0u; i < M; i++) { // unroll\n}", &["const N = 2u;"]);
    }
}
