//! The header of a `.npy` file: everything before its data, as NumPy of any age writes and reads it.

use std::io::{self, Read, Write};

use py_literal::Value;

/// The longest header that is parsed, NumPy's own limit. The parser descends with the header's brackets, so that a
/// longer one could exhaust the stack.
const MAX_HEADER_BYTES: usize = 10_000;

/// What every `.npy` file starts with.
const MAGIC: &[u8] = b"\x93NUMPY";

/// The keys of a header's dictionary: these and no others.
const KEYS: [&str; 3] = ["descr", "fortran_order", "shape"];

/// What the header of a file says of its data.
#[derive(Debug, PartialEq)]
pub struct Header {
    /// NumPy's descriptor of the element type, if it is one by name, or else what stands there.
    pub descriptor: Result<String, String>,
    /// Whether the first axis goes fastest.
    pub fortran_order: bool,
    pub shape: Vec<usize>,
}

impl Header {
    /// Reads the header, and nothing after it. The error says what is wrong with it.
    pub fn read(reader: &mut impl Read) -> Result<Self, String> {
        let mut preamble = [0; MAGIC.len() + 2];
        fill(reader, &mut preamble)?;
        let version = match preamble.strip_prefix(MAGIC) {
            Some(&[major @ 1..=3, 0]) => major,
            Some(version) => return Err(format!("its version is {}.{}, not 1.0, 2.0 or 3.0", version[0], version[1])),
            None => return Err("it doesn't start as one".into()),
        };
        let length = if version == 1 {
            let mut bytes = [0; 2];
            fill(reader, &mut bytes)?;
            u16::from_le_bytes(bytes).into()
        } else {
            let mut bytes = [0; 4];
            fill(reader, &mut bytes)?;
            u32::from_le_bytes(bytes) as usize
        };
        if length > MAX_HEADER_BYTES {
            return Err(format!("its header has {length} bytes, more than {MAX_HEADER_BYTES} bytes"));
        }
        let mut bytes = vec![0; length];
        fill(reader, &mut bytes)?;
        let text = match version {
            // Latin-1: each byte is the character of its number.
            1 | 2 => bytes.iter().copied().map(char::from).collect(),
            _ => String::from_utf8(bytes).map_err(|_| "its header is no UTF-8")?,
        };
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let text = without_long_suffixes(text);
        let text = text.trim();
        // What the parser says of it is for programmers.
        let value: Value =
            text.parse().map_err(|_| format!("its header is no dictionary of Python: {}", excerpt(text)))?;
        let Value::Dict(entries) = value else {
            return Err(format!("its header is no dictionary of Python: {}", excerpt(text)));
        };
        let [mut descriptor, mut fortran_order, mut shape] = [None, None, None];
        for (key, value) in entries {
            let found = match key.as_string().map(String::as_str) {
                Some("descr") => &mut descriptor,
                Some("fortran_order") => &mut fortran_order,
                Some("shape") => &mut shape,
                _ => return Err(format!("its header has the key {key}, and may have {} alone", KEYS.join(", "))),
            };
            *found = Some(value);
        }
        let missing = |key: &str| format!("its header has no '{key}' (missing key)");
        let descriptor = descriptor.ok_or_else(|| missing(KEYS[0]))?;
        let fortran_order = fortran_order.ok_or_else(|| missing(KEYS[1]))?;
        let shape = shape.ok_or_else(|| missing(KEYS[2]))?;
        let Value::Boolean(fortran_order) = fortran_order else {
            return Err(format!("its fortran_order is {fortran_order}, not True or False"));
        };
        let no_shape = || format!("its shape is {shape}, not a tuple of sizes that this machine can count");
        let Value::Tuple(sizes) = &shape else { return Err(no_shape()) };
        let size = |size: &Value| size.as_integer().and_then(|size| usize::try_from(size).ok());
        let shape = sizes.iter().map(size).collect::<Option<_>>().ok_or_else(no_shape)?;
        let descriptor = descriptor.as_string().cloned().ok_or_else(|| descriptor.to_string());
        Ok(Self { descriptor, fortran_order, shape })
    }

    /// Writes a version 1.0 header for data in C order.
    pub fn write(descriptor: &str, shape: &[usize], writer: &mut (impl Write + ?Sized)) -> io::Result<()> {
        const PREFIX_BYTES: usize = MAGIC.len() + 2 + size_of::<u16>();
        const DATA_ALIGNMENT: usize = 64;

        let shape = numpy_shape(shape);
        let dictionary = format!("{{'descr': '{descriptor}', 'fortran_order': False, 'shape': {shape}, }}");
        let padded = (PREFIX_BYTES + dictionary.len() + 1).next_multiple_of(DATA_ALIGNMENT) - PREFIX_BYTES;
        let length = u16::try_from(padded).map_err(io::Error::other)?;
        writer.write_all(MAGIC)?;
        writer.write_all(&[1, 0])?;
        writer.write_all(&length.to_le_bytes())?;
        writeln!(writer, "{dictionary:<0$}", padded - 1)
    }
}

/// A shape as NumPy prints it.
pub fn numpy_shape(shape: &[usize]) -> String {
    let dims: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("({}{})", dims.join(", "), if dims.len() == 1 { "," } else { "" })
}

fn fill(reader: &mut impl Read, bytes: &mut [u8]) -> Result<(), String> {
    reader.read_exact(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => "its header ends early".into(),
        _ => format!("reading it failed: {error}"),
    })
}

/// The header without the L after whole numbers, by which Python 2 wrote long ones: `(1L, 2L)`. NumPy drops them, too.
fn without_long_suffixes(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    // The quote of the string that is being read.
    let mut quote = None;
    let mut in_number = false;
    let mut before = None;
    for character in text.chars() {
        let is_suffix = quote.is_none() && in_number && matches!(character, 'L' | 'l');
        if !is_suffix {
            kept.push(character);
        }
        match (quote, character) {
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), _) if open == character && before != Some('\\') => quote = None,
            _ => {}
        }
        // Digits that belong to no name.
        in_number = character.is_ascii_digit()
            && (in_number || before.is_none_or(|before: char| !before.is_alphanumeric() && before != '_'));
        before = Some(character);
    }
    kept
}

/// The start of a text that isn't understood, in one line and quotes.
fn excerpt(text: &str) -> String {
    const MAX_CHARACTERS: usize = 60;
    let start: String = text.chars().take(MAX_CHARACTERS).collect();
    let more = if text.chars().nth(MAX_CHARACTERS).is_some() { "..." } else { "" };
    format!("{start:?}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_suffixes_go_and_nothing_else_does() {
        for (text, expected) in [
            ("(1L, 23l, 4)", "(1, 23, 4)"),
            ("{'1L': \"2L\", 'a\\'3L': 4L}", "{'1L': \"2L\", 'a\\'3L': 4}"),
            ("x1L", "x1L"),
            ("L", "L"),
        ] {
            assert_eq!(without_long_suffixes(text), expected, "{text}");
        }
    }

    #[test]
    fn headers_are_numpys() {
        let mut header = Vec::new();
        Header::write("<f2", &[3], &mut header).unwrap();
        let expected = b"\x93NUMPY\x01\0\x76\0{'descr': '<f2', 'fortran_order': False, 'shape': (3,), }";
        assert_eq!(header[..expected.len()], expected[..]);
        assert_eq!((header.len(), header.last()), (128, Some(&b'\n')));
        let expected = Header { descriptor: Ok("<f2".into()), fortran_order: false, shape: vec![3] };
        assert_eq!(Header::read(&mut &header[..]), Ok(expected));
    }
}
