//! Drops what a shader's entry point doesn't need: each file of shaders/ is a whole topic, of which a kernel uses a part.
//!
//! This is done twice: before loops are unrolled, so that only what stays is unrolled; and after, since counters decide branches, too.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::fold::Constants;
use crate::unroll::{is_mark, unroll};
use crate::words::{net_braces, split_comment, words};

/// The text of a kernel as a driver gets it: `text`, of a prelude and files of shaders/, folded, pruned and unrolled. No branches are
/// left that its constants rule out, and no functions, structs, constants and bindings that `main` doesn't reach. Comments have
/// their place in shaders/; but lines that start with `//!`, which head a part each, stay over what remains of theirs.
pub(crate) fn finished(text: &str) -> String {
    let items = items(text, is_mark);
    let constants = Constants::of(&items);
    // Counters of unrolled loops decide branches as well.
    let unrolled = unroll(&reached(&items, &constants), &constants);
    reached(&self::items(&unrolled, |_| false), &constants)
}

/// The items that `main` reaches, folded, below their heads.
fn reached(items: &[String], constants: &Constants<'_>) -> String {
    let by_name: HashMap<&str, usize> =
        items.iter().enumerate().filter_map(|(index, item)| Some((name(item)?, index))).collect();
    let mut reached: HashMap<usize, String> = HashMap::new();
    let mut found: Vec<usize> = by_name.get("main").copied().into_iter().collect();
    while let Some(index) = found.pop() {
        if let Entry::Vacant(entry) = reached.entry(index) {
            let folded = entry.insert(constants.fold(&items[index]));
            found.extend(words(folded).filter_map(|(_, word)| by_name.get(word)));
        }
    }
    let mut kept = String::new();
    let mut head = None;
    for (index, item) in items.iter().enumerate() {
        if item.starts_with("//!") {
            head = Some(item);
        } else if let Some(folded) = reached.get(&index) {
            kept.extend(head.take().map(String::as_str));
            write_indented(folded, &mut kept);
        }
    }
    kept
}

/// A space for each block around a line: unrolled bodies keep the indentation that their loops had.
fn write_indented(item: &str, text: &mut String) {
    let mut depth = 0;
    for line in item.lines().map(str::trim_ascii) {
        let closing = line.bytes().take_while(|&byte| byte == b'}').count() as i32;
        for _ in closing..depth {
            text.push(' ');
        }
        text.push_str(line);
        text.push('\n');
        depth = (depth + net_braces(line)).max(0);
    }
}

/// Each top-level declaration, with its attributes, and each line of `//!`. Comments go, but for those that `keeps` takes.
fn items(text: &str, keeps: impl Fn(&str) -> bool) -> Vec<String> {
    let mut items = Vec::new();
    let (mut item, mut depth) = (String::new(), 0);
    for line in text.lines() {
        if depth == 0 && line.starts_with("//!") {
            items.push(format!("{line}\n"));
            continue;
        }
        let (code, comment) = split_comment(line);
        let kept = if keeps(comment) { line } else { code }.trim_ascii_end();
        if kept.is_empty() {
            continue;
        }
        item.push_str(kept);
        item.push('\n');
        depth += net_braces(code);
        if depth == 0 && kept.ends_with(['}', ';']) {
            items.push(std::mem::take(&mut item));
        }
    }
    items
}

/// The name that an item declares.
fn name(item: &str) -> Option<&str> {
    let is_key = |word: &&str| matches!(*word, "fn" | "const" | "struct" | "alias" | "var");
    // What a variable's address space is comes before its name.
    let is_of_variable =
        |word: &&str| matches!(*word, "storage" | "uniform" | "private" | "workgroup" | "read" | "read_write");
    let words = words(item).map(|(_, word)| word);
    words.skip_while(|word| !is_key(word)).skip(1).find(|word| !is_of_variable(word))
}

#[cfg(test)]
mod tests {
    use super::finished;

    #[test]
    fn what_main_does_not_reach_goes() {
        let text = "//! nothing of this\nconst C = 1u;\n//! a file\n// says\nconst A = 1u;\nconst B = A; // b\nconst UNUSED = B;\n\n\
                    struct S {\n    // a member\n    x: u32,\n}\n@group(0) @binding(0) var<storage, read> x: array<S>;\n\
                    var<private> y: u32;\nfn unused() {\n    f();\n}\nfn f() -> u32 {\n    if (x[0].x > 0u) {\n        return B;\n    }\n}\n\
                    @compute @workgroup_size(1)\nfn main() {\n    let a = x[0].x + f();\n}\n//! nor of this\nconst D = 1u;\n";
        let want = "//! a file\nconst A = 1u;\nconst B = A;\nstruct S {\n x: u32,\n}\n\
                    @group(0) @binding(0) var<storage, read> x: array<S>;\nfn f() -> u32 {\n if (x[0].x > 0u) {\n  return B;\n }\n}\n\
                    @compute @workgroup_size(1)\nfn main() {\n let a = x[0].x + f();\n}\n";
        assert_eq!(finished(text), want);
    }

    #[test]
    fn counters_of_unrolled_loops_decide_branches() {
        let text = "const N = 2u;\nfn f() {}\nfn g() {}\nfn main() {\n    // says\n    for (var i = 0u; i < N; i++) { // unroll\n        \
                    let j = 2u * i; // const\n        if (j > N) {\n            f(); // says\n        } else {\n            h[j]++;\n        }\n    }\n}\n";
        assert_eq!(finished(text), "fn main() {\n h[0u]++;\n h[2u]++;\n}\n");
    }
}
