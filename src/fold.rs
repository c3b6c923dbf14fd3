//! Folds the branches and indices of a shader's text that its constants decide, so that neither a driver nor a person reads what a
//! specialisation never does.

use std::collections::HashMap;

use crate::words::net_braces;

/// What a constant of the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Bool(bool),
    Number(i64),
}

/// Constants of the text, numbers and switches.
pub(crate) struct Constants<'a>(HashMap<&'a str, Value>);

/// Operators of equal precedence, those that bind least first.
const OPERATORS: [&[&str]; 5] =
    [&[" || "], &[" && "], &[" == ", " != ", " <= ", " >= ", " < ", " > "], &[" + ", " - "], &[" * ", " / ", " % "]];

impl<'a> Constants<'a> {
    /// Those of these declarations: `const NAME = true;`, `const NAME = 4u;`, or an expression of others before it.
    pub fn of(items: &'a [String]) -> Self {
        let mut constants = Self(HashMap::new());
        for item in items {
            let declared = item.trim_end().strip_prefix("const ").and_then(|rest| rest.strip_suffix(';'));
            if let Some((name, value)) = declared.and_then(|rest| rest.split_once(" = ")) {
                if let Some(value) = constants.value(value) {
                    constants.0.insert(name, value);
                }
            }
        }
        constants
    }

    /// What an expression is, if the constants decide it.
    pub fn value(&self, expression: &str) -> Option<Value> {
        let expression = expression.trim();
        if let Some((left, operator, right)) = split_last(expression) {
            return operated(self.value(left), operator, self.value(right));
        }
        if let Some(inner) = expression.strip_prefix('!') {
            return match self.value(inner)? {
                Value::Bool(value) => Some(Value::Bool(!value)),
                Value::Number(_) => None,
            };
        }
        if let Some(inner) = expression.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            return self.value(inner);
        }
        match expression {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            word => match word.strip_suffix('u').unwrap_or(word).parse() {
                Ok(number) => Some(Value::Number(number)),
                Err(_) => self.0.get(word).copied(),
            },
        }
    }

    /// Whether a condition holds, if the constants decide it.
    fn holds(&self, condition: &str) -> Option<bool> {
        match self.value(condition)? {
            Value::Bool(holds) => Some(holds),
            Value::Number(_) => None,
        }
    }

    /// A declaration with the branches that are taken, in blocks of their own.
    ///
    /// A branch begins and ends as the shaders are laid out: `if (condition) {`, `} else if (condition) {`, `} else {` and `}` have
    /// a line each.
    pub fn fold(&self, item: &str) -> String {
        let lines: Vec<&str> = item.lines().collect();
        let mut folded = String::with_capacity(item.len());
        self.write(&lines, &mut folded);
        folded
    }

    /// Writes the lines of a block; whether it certainly returns before its end.
    fn write(&self, lines: &[&str], folded: &mut String) -> bool {
        let (mut index, mut depth, mut returns) = (0, 0i32, false);
        while index < lines.len() {
            let line = lines[index];
            returns |= depth == 0 && line.trim_start().starts_with("return");
            if condition(line, "if (").is_none() {
                self.write_line(line, folded);
                folded.push('\n');
                depth += net_braces(line);
                index += 1;
                continue;
            }
            let chain = Chain::at(&lines[index..]);
            index += chain.lines;
            if self.write_chain(&chain, folded) {
                // Nothing gets to the rest of the block, whose end remains.
                let closes = closing(&lines[index..]);
                index += closes.unwrap_or(lines.len() - index);
                returns |= depth == 0;
            }
        }
        returns
    }

    /// Writes a line, its indices as numbers where the constants decide them.
    fn write_line(&self, line: &str, folded: &mut String) {
        let mut rest = line;
        while let Some(start) = rest.find('[') {
            let (before, after) = rest.split_at(start + 1);
            let (index, end) = after.split_at(after.find(['[', ']']).unwrap_or(after.len()));
            folded.push_str(before);
            match index.contains(' ').then(|| self.value(index)).flatten() {
                Some(Value::Number(number)) => folded.push_str(&format!("{number}u")),
                _ => folded.push_str(index),
            }
            rest = end;
        }
        folded.push_str(rest);
    }

    fn write_chain(&self, chain: &Chain<'_>, folded: &mut String) -> bool {
        let indent = chain.indent;
        let mut opened = false;
        for (condition, body) in &chain.branches {
            let value = condition.map_or(Some(true), |condition| self.holds(condition));
            match (value, condition) {
                (Some(false), _) => {}
                (None, Some(condition)) => {
                    let head = if opened { " else if" } else { indent };
                    let head = if opened { head.to_owned() } else { format!("{head}if") };
                    folded.push_str(&format!("{head} ({condition}) {{\n"));
                    self.write(body, folded);
                    folded.push_str(&format!("{indent}}}"));
                    opened = true;
                }
                _ if opened => {
                    folded.push_str(" else {\n");
                    self.write(body, folded);
                    folded.push_str(&format!("{indent}}}\n"));
                    return false;
                }
                _ => {
                    let mut taken = String::new();
                    let returns = self.write(body, &mut taken);
                    write_block(&taken, indent, folded);
                    return returns;
                }
            }
        }
        if opened {
            folded.push('\n');
        }
        false
    }
}

/// An `if` with its `else`s.
struct Chain<'a> {
    indent: &'a str,
    /// Conditions, but for a last `else`, with the lines of their blocks.
    branches: Vec<(Option<&'a str>, Vec<&'a str>)>,
    /// How many lines it takes.
    lines: usize,
}

impl<'a> Chain<'a> {
    /// The chain whose first line is the first of `lines`.
    fn at(lines: &[&'a str]) -> Self {
        let first = lines[0];
        let indent = &first[..first.len() - first.trim_start().len()];
        let mut branches = vec![(condition(first, "if ("), Vec::new())];
        let mut index = 1;
        loop {
            let length = closing(&lines[index..]).expect("every block of a shader is closed");
            let body = lines[index..][..length].to_vec();
            branches.last_mut().expect("a first branch").1 = body;
            let end = lines[index + length];
            index += length + 1;
            if end.trim() == "}" {
                return Self { indent, branches, lines: index };
            }
            branches.push((condition(end, "} else if ("), Vec::new()));
        }
    }
}

/// The condition of a line that opens a block by `head` and nothing else.
fn condition<'a>(line: &'a str, head: &str) -> Option<&'a str> {
    line.trim().strip_prefix(head)?.strip_suffix(") {")
}

/// Writes lines as a block of their own if they declare something, whose name may be another's around it.
pub(crate) fn write_block(lines: &str, indent: &str, text: &mut String) {
    let mut depth = 0i32;
    let declares = lines.lines().any(|line| {
        let declares = depth == 0 && ["let ", "var ", "const "].iter().any(|key| line.trim_start().starts_with(key));
        depth += net_braces(line);
        declares
    });
    match declares {
        true => text.push_str(&format!("{indent}{{\n{lines}{indent}}}\n")),
        false => text.push_str(lines),
    }
}

/// How many of the lines are before the one that closes the block whose first lines these are.
fn closing(lines: &[&str]) -> Option<usize> {
    let mut depth = 0i32;
    lines.iter().position(|line| {
        if depth == 0 && line.trim_start().starts_with('}') {
            return true;
        }
        depth += net_braces(line);
        false
    })
}

/// The operands of the operator outside of parentheses that binds least, the last of such, if there is one.
fn split_last(expression: &str) -> Option<(&str, &'static str, &str)> {
    let (mut depth, mut skip, mut last) = (0i32, 0, None);
    // The level that binds least of those found: what binds closer is of an operand.
    let mut least = OPERATORS.len() - 1;
    for (index, byte) in expression.bytes().enumerate() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b' ' if depth == 0 && index >= skip => {
                let rest = &expression[index..];
                let of_level = |level: usize| OPERATORS[level].iter().find(|operator| rest.starts_with(**operator));
                if let Some((level, operator)) = (0..=least).find_map(|level| Some((level, of_level(level)?))) {
                    skip = index + operator.len();
                    least = level;
                    last = Some((&expression[..index], *operator, &expression[skip..]));
                }
            }
            _ => {}
        }
    }
    last.filter(|_| depth == 0)
}

/// What an operator makes of its operands; of `||` and `&&` one may decide. Numbers are of u32.
fn operated(left: Option<Value>, operator: &str, right: Option<Value>) -> Option<Value> {
    use Value::{Bool, Number};
    match (operator, left, right) {
        (" || ", Some(Bool(true)), _) | (" || ", _, Some(Bool(true))) => Some(Bool(true)),
        (" && ", Some(Bool(false)), _) | (" && ", _, Some(Bool(false))) => Some(Bool(false)),
        (" || " | " && ", Some(Bool(_)), Some(Bool(right))) => Some(Bool(right)),
        (_, Some(Number(left)), Some(Number(right))) => match operator {
            " == " => Some(Bool(left == right)),
            " != " => Some(Bool(left != right)),
            " <= " => Some(Bool(left <= right)),
            " >= " => Some(Bool(left >= right)),
            " < " => Some(Bool(left < right)),
            " > " => Some(Bool(left > right)),
            _ => arithmetic(left, operator, right).filter(|&value| u32::try_from(value).is_ok()).map(Number),
        },
        _ => None,
    }
}

fn arithmetic(left: i64, operator: &str, right: i64) -> Option<i64> {
    match operator {
        " + " => Some(left + right),
        " - " => Some(left - right),
        " * " => left.checked_mul(right),
        " / " => left.checked_div(right),
        " % " => left.checked_rem(right),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Constants, Value};

    fn fold(text: &str) -> String {
        let constants =
            ["const A = true;\n", "const B = false;\n", "const C = A && !B;\n", "const N = 4u;\n"].map(str::to_owned);
        Constants::of(&constants).fold(text)
    }

    #[test]
    fn branches_that_constants_decide_are_their_lines_or_nothing() {
        for (text, want) in [
            ("    if (A) {\n        let x;\n    }\n", "    {\n        let x;\n    }\n"),
            ("    if (A) {\n        x;\n    }\n", "        x;\n"),
            ("    if (B) {\n        x;\n    }\n    y;\n", "    y;\n"),
            ("if (!C || B) {\n    x;\n} else {\n    y;\n}\n", "    y;\n"),
            (
                "if (i > 0u) {\n    x;\n} else if (B) {\n    y;\n} else {\n    z;\n}\n",
                "if (i > 0u) {\n    x;\n} else {\n    z;\n}\n",
            ),
            ("if (B) {\n    x;\n} else if (i > 0u) {\n    y;\n}\n", "if (i > 0u) {\n    y;\n}\n"),
            ("if (i > 0u) {\n    if (A) {\n        x;\n    }\n}\n", "if (i > 0u) {\n        x;\n}\n"),
            (
                "if (i > 0u) {\n    x;\n} else if (A) {\n    y;\n} else {\n    z;\n}\n",
                "if (i > 0u) {\n    x;\n} else {\n    y;\n}\n",
            ),
        ] {
            assert_eq!(fold(text), want, "{text}");
        }
    }

    #[test]
    fn what_constants_do_not_decide_stays() {
        for text in
            ["if (f(A) || x[0]) {\n    x;\n} else {\n    y;\n}\n", "if (M > 3u) {\n    x;\n}\n", "if (i) { x; }\n"]
        {
            assert_eq!(fold(text), text);
        }
        assert_eq!(fold("if (!B || f(x)) {\n    x;\n}\n"), "    x;\n");
        assert_eq!(fold("if ((i > 0u) && B) {\n    x;\n}\ny;\n"), "y;\n");
    }

    #[test]
    fn indices_that_constants_decide_are_numbers() {
        assert_eq!(fold("a[2u * 1u].b[N - 1u][i + 1u] = c[d[0u + N]][0];\n"), "a[2u].b[3u][i + 1u] = c[d[4u]][0];\n");
        assert_eq!(fold("array<f32, N>(a[N], a[1u - N]);\n"), "array<f32, N>(a[N], a[1u - N]);\n");
    }

    #[test]
    fn expressions_of_constants_have_values() {
        let constants = ["const A = true;\n", "const N = 4u;\n", "const M = 2u * N + 1u;\n"].map(str::to_owned);
        let constants = Constants::of(&constants);
        for (expression, want) in [
            ("M", Some(Value::Number(9))),
            ("M - N - 1u", Some(Value::Number(4))),
            ("M / 2u * 2u", Some(Value::Number(8))),
            ("(M + 1u) % (N - 1u)", Some(Value::Number(1))),
            ("N - M", None),
            ("N / 0u", None),
            ("M > 2u * N && N != 3u", Some(Value::Bool(true))),
            ("!(M <= 8u) && !A", Some(Value::Bool(false))),
            ("x < 3u || A", Some(Value::Bool(true))),
            ("1u << N", None),
            ("max(N, M) > 3u", None),
            ("N && A", None),
            ("(N", None),
        ] {
            assert_eq!(constants.value(expression), want, "{expression}");
        }
    }

    #[test]
    fn nothing_follows_a_return() {
        let text = "fn f() -> u32 {\n    if (A) {\n        return 1u;\n    }\n    return 2u;\n}\n";
        assert_eq!(fold(text), "fn f() -> u32 {\n        return 1u;\n}\n");
        let text = "fn f() -> u32 {\n    if (B) {\n        return 1u;\n    }\n    return 2u;\n}\n";
        assert_eq!(fold(text), "fn f() -> u32 {\n    return 2u;\n}\n");
        let text = "if (A) {\n    if (A) {\n        return f(\n            1,\n        );\n    }\n}\ny;\n";
        assert_eq!(fold(text), "        return f(\n            1,\n        );\n");
        let text =
            "fn f() {\n    if (x) {\n        if (A) {\n            return;\n        }\n        y;\n    }\n    z;\n}\n";
        let want = "fn f() {\n    if (x) {\n            return;\n    }\n    z;\n}\n";
        assert_eq!(fold(text), want);
    }
}
