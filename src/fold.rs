//! Folds the branches of a shader's text that its constants decide, so that neither a driver nor a person reads what a
//! specialisation never does.

use std::collections::HashMap;

/// Constants of the text that are true or false.
pub(crate) struct Switches<'a>(HashMap<&'a str, bool>);

impl<'a> Switches<'a> {
    /// Those of these declarations: `const NAME = true;`, or an expression of others before it.
    pub fn of(items: &'a [String]) -> Self {
        let mut switches = Self(HashMap::new());
        for item in items {
            let declared = item.trim_end().strip_prefix("const ").and_then(|rest| rest.strip_suffix(';'));
            if let Some((name, value)) = declared.and_then(|rest| rest.split_once(" = ")) {
                if let Some(value) = switches.value(value) {
                    switches.0.insert(name, value);
                }
            }
        }
        switches
    }

    /// What an expression is, if the switches decide it.
    fn value(&self, expression: &str) -> Option<bool> {
        let expression = expression.trim();
        for (operator, decides) in [("||", true), ("&&", false)] {
            let terms = split(expression, operator)?;
            if terms.len() > 1 {
                let values: Vec<_> = terms.into_iter().map(|term| self.value(term)).collect();
                let all_known = values.iter().all(Option::is_some);
                return if values.contains(&Some(decides)) { Some(decides) } else { all_known.then_some(!decides) };
            }
        }
        if let Some(inner) = expression.strip_prefix('!') {
            return self.value(inner).map(|value| !value);
        }
        if let Some(inner) = expression.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            return self.value(inner);
        }
        match expression {
            "true" => Some(true),
            "false" => Some(false),
            name => self.0.get(name).copied(),
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
                folded.push_str(line);
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

    fn write_chain(&self, chain: &Chain<'_>, folded: &mut String) -> bool {
        let indent = chain.indent;
        let mut opened = false;
        for (condition, body) in &chain.branches {
            let value = condition.map_or(Some(true), |condition| self.value(condition));
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
                _ => {
                    folded.push_str(&if opened { " else {\n".to_owned() } else { format!("{indent}{{\n") });
                    let returns = self.write(body, folded);
                    folded.push_str(&format!("{indent}}}\n"));
                    return returns && !opened;
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

fn net_braces(line: &str) -> i32 {
    line.matches('{').count() as i32 - line.matches('}').count() as i32
}

/// The terms of an expression between operators outside of parentheses; none for parentheses that don't match.
fn split<'a>(expression: &'a str, operator: &str) -> Option<Vec<&'a str>> {
    let (mut depth, mut start, mut terms) = (0i32, 0, Vec::new());
    for (index, character) in expression.char_indices() {
        match character {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ if depth == 0 && index >= start && expression[index..].starts_with(operator) => {
                terms.push(&expression[start..index]);
                start = index + operator.len();
            }
            _ => {}
        }
        if depth < 0 {
            return None;
        }
    }
    terms.push(&expression[start..]);
    (depth == 0).then_some(terms)
}

#[cfg(test)]
mod tests {
    use super::Switches;

    fn fold(text: &str) -> String {
        let constants =
            ["const A = true;\n", "const B = false;\n", "const C = A && !B;\n", "const N = 4u;\n"].map(str::to_owned);
        Switches::of(&constants).fold(text)
    }

    #[test]
    fn branches_that_constants_decide_are_blocks_or_nothing() {
        for (text, want) in [
            ("    if (A) {\n        x;\n    }\n", "    {\n        x;\n    }\n"),
            ("    if (B) {\n        x;\n    }\n    y;\n", "    y;\n"),
            ("if (!C || B) {\n    x;\n} else {\n    y;\n}\n", "{\n    y;\n}\n"),
            (
                "if (i > 0u) {\n    x;\n} else if (B) {\n    y;\n} else {\n    z;\n}\n",
                "if (i > 0u) {\n    x;\n} else {\n    z;\n}\n",
            ),
            ("if (B) {\n    x;\n} else if (i > 0u) {\n    y;\n}\n", "if (i > 0u) {\n    y;\n}\n"),
            ("if (i > 0u) {\n    if (A) {\n        x;\n    }\n}\n", "if (i > 0u) {\n    {\n        x;\n    }\n}\n"),
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
            ["if (f(A) || x[0]) {\n    x;\n} else {\n    y;\n}\n", "if (N > 3u) {\n    x;\n}\n", "if (i) { x; }\n"]
        {
            assert_eq!(fold(text), text);
        }
        assert_eq!(fold("if (!B || f(x)) {\n    x;\n}\n"), "{\n    x;\n}\n");
        assert_eq!(fold("if ((i > 0u) && B) {\n    x;\n}\ny;\n"), "y;\n");
    }

    #[test]
    fn nothing_follows_a_return() {
        let text = "fn f() -> u32 {\n    if (A) {\n        return 1u;\n    }\n    return 2u;\n}\n";
        assert_eq!(fold(text), "fn f() -> u32 {\n    {\n        return 1u;\n    }\n}\n");
        let text = "fn f() -> u32 {\n    if (B) {\n        return 1u;\n    }\n    return 2u;\n}\n";
        assert_eq!(fold(text), "fn f() -> u32 {\n    return 2u;\n}\n");
        let text = "if (A) {\n    if (A) {\n        return f(\n            1,\n        );\n    }\n}\ny;\n";
        assert_eq!(fold(text), "{\n    {\n        return f(\n            1,\n        );\n    }\n}\n");
        let text =
            "fn f() {\n    if (x) {\n        if (A) {\n            return;\n        }\n        y;\n    }\n    z;\n}\n";
        let want = "fn f() {\n    if (x) {\n        {\n            return;\n        }\n    }\n    z;\n}\n";
        assert_eq!(fold(text), want);
    }
}
