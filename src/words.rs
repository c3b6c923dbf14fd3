//! What a line of WGSL is made of, as the files of shaders/ are laid out: words, braces, a comment at its end.

/// The names, keys and numbers of a text, each with where it starts.
pub(crate) fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = text.as_bytes();
    let mut end = 0;
    std::iter::from_fn(move || {
        let mut start = end;
        while start < bytes.len() && !IS_OF_WORD[usize::from(bytes[start])] {
            start += 1;
        }
        end = start;
        while end < bytes.len() && IS_OF_WORD[usize::from(bytes[end])] {
            end += 1;
        }
        (start < end).then(|| (start, &text[start..end]))
    })
}

/// By byte. A table, since every byte of a text is looked up several times.
const IS_OF_WORD: [bool; 256] = {
    let mut is_of_word = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        is_of_word[byte] = (byte as u8).is_ascii_alphanumeric() || byte as u8 == b'_';
        byte += 1;
    }
    is_of_word
};

/// Blocks that a line opens, less those that it closes.
pub(crate) fn net_braces(line: &str) -> i32 {
    let mut net = 0;
    for byte in line.bytes() {
        match byte {
            b'{' => net += 1,
            b'}' => net -= 1,
            _ => {}
        }
    }
    net
}

/// A line's code, and its comment, from its `//`.
pub(crate) fn split_comment(line: &str) -> (&str, &str) {
    let start = line.as_bytes().windows(2).position(|pair| pair == b"//");
    line.split_at(start.unwrap_or(line.len()))
}

#[cfg(test)]
mod tests {
    use super::{net_braces, split_comment, words};

    #[test]
    fn words_are_names_keys_and_numbers() {
        let found: Vec<_> = words("let a_1 = b.x[2u];").collect();
        assert_eq!(found, [(0, "let"), (4, "a_1"), (10, "b"), (12, "x"), (14, "2u")]);
        assert_eq!(words("").chain(words(" + ")).count(), 0);
    }

    #[test]
    fn braces_cancel() {
        assert_eq!(["} else {", "{ {", "}", "a"].map(net_braces), [0, 2, -1, 0]);
    }

    #[test]
    fn a_comment_starts_at_its_slashes() {
        assert_eq!(split_comment("a / b; // c // d"), ("a / b; ", "// c // d"));
        assert_eq!(split_comment("a /"), ("a /", ""));
    }
}
