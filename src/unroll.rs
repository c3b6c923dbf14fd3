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

use std::fmt::Write as _;

use crate::fold::{Constants, Value, write_block};
use crate::words::{net_braces, split_comment, words};

const MARK: &str = "// unroll";
/// Of a `let` that is a constant where the loops around it are unrolled.
const CONST_MARK: &str = "// const";

/// Whether a comment is a mark.
pub(crate) fn is_mark(comment: &str) -> bool {
    comment.starts_with(MARK) || comment == CONST_MARK
}

/// `source` with each marked loop unrolled.
///
/// # Panics
/// On a marked line of another form than the one above: the shaders are this crate's own, and its tests unroll each.
pub(crate) fn unroll(source: &str, constants: &Constants<'_>) -> String {
    let lines: Vec<&str> = source.lines().collect();
    let mut unrolled = String::with_capacity(source.len() * 4);
    Unrolling { constants, numbers: Vec::new() }.write_lines(&lines, false, &mut unrolled);
    unrolled
}

struct Unrolling<'a> {
    constants: &'a Constants<'a>,
    /// What counters of the loops around are, and what follows from them, by name.
    numbers: Vec<(&'a str, i64)>,
}

impl<'a> Unrolling<'a> {
    /// `constant` is whether the lines are the body of a loop that is unrolled.
    fn write_lines(&mut self, lines: &[&'a str], constant: bool, unrolled: &mut String) {
        let (known, mut index) = (self.numbers.len(), 0);
        while index < lines.len() {
            let line = lines[index];
            index += 1;
            let (code, comment) = split_comment(line);
            if constant && comment == CONST_MARK {
                self.write_constant(code, unrolled);
                continue;
            }
            let Some(unrolls) = self.unrolls(comment) else {
                self.write_line(line, unrolled);
                continue;
            };
            let (counter, bound) = self.counter_and_bound(code);
            let body = &lines[index..][..body_length(&lines[index..])];
            index += body.len() + 1;
            if unrolls {
                for value in 0..bound {
                    let mut turn = String::new();
                    self.numbers.push((counter, value));
                    self.write_lines(body, true, &mut turn);
                    self.numbers.pop();
                    write_block(&turn, "", unrolled);
                }
            } else {
                let write = write!(unrolled, "{{\nvar {counter} = 0u;\nloop {{\n");
                write.expect("a String takes any text");
                self.write_lines(body, false, unrolled);
                let end =
                    write!(unrolled, "continuing {{\n{counter}++;\nbreak if {counter} >= {bound}u;\n}}\n}}\n}}\n");
                end.expect("a String takes any text");
            }
        }
        self.numbers.truncate(known);
    }

    /// Keeps what `let name = value; // const` declares if it is a number; writes it otherwise.
    fn write_constant(&mut self, code: &'a str, unrolled: &mut String) {
        let declared = code.trim().strip_prefix("let ").and_then(|rest| rest.strip_suffix(';'));
        let (name, value) = declared.and_then(|declared| declared.split_once(" = ")).expect("marks are of let");
        match self.value(value) {
            Some(Value::Number(value)) => self.numbers.push((name, value)),
            _ => self.write_line(&code.trim_end().replacen("let ", "const ", 1), unrolled),
        }
    }

    /// Writes a line with the numbers for their names.
    fn write_line(&self, line: &str, unrolled: &mut String) {
        let mut written = 0;
        for (start, word) in words(line) {
            let number = self.numbers.iter().rev().find(|(name, _)| *name == word);
            // Members have names of their own.
            if let Some((_, number)) = number.filter(|_| !line[..start].ends_with('.')) {
                write!(unrolled, "{}{number}u", &line[written..start]).expect("a String takes any text");
                written = start + word.len();
            }
        }
        unrolled.push_str(&line[written..]);
        unrolled.push('\n');
    }

    /// What an expression is, if the constants and numbers decide it.
    fn value(&self, expression: &str) -> Option<Value> {
        let mut numbered = String::new();
        self.write_line(expression, &mut numbered);
        self.constants.value(&numbered)
    }

    /// Whether the loop with this comment is unrolled; nothing if that isn't its mark.
    fn unrolls(&self, comment: &str) -> Option<bool> {
        let condition = comment.strip_prefix(MARK)?;
        if condition.is_empty() {
            return Some(true);
        }
        match condition.strip_prefix(" if ").and_then(|name| self.value(name)) {
            Some(value) => Some(value != Value::Number(0) && value != Value::Bool(false)),
            None => panic!("not a condition to unroll by: {comment}"),
        }
    }

    /// Of `for (var counter = 0u; counter < BOUND; counter++) {`.
    fn counter_and_bound(&self, code: &'a str) -> (&'a str, i64) {
        let header = || {
            let (counter, rest) = code.trim().strip_prefix("for (var ")?.split_once(" = 0u; ")?;
            let bound = rest.strip_prefix(counter)?.strip_prefix(" < ")?.split_once(';')?.0;
            match self.value(bound)? {
                Value::Number(bound) => Some((counter, bound)),
                Value::Bool(_) => None,
            }
        };
        header().unwrap_or_else(|| panic!("not a loop that can be unrolled: {code}"))
    }
}

/// Lines before the one that closes the block whose first lines these are.
fn body_length(lines: &[&str]) -> usize {
    let mut depth = 1;
    let closes = |line: &&str| {
        depth += net_braces(split_comment(line).0);
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
