//! Reading and writing `.npy` files, in either order in, in C order out, and reading those in `.npz` archives.

use std::fs::{self, File};
use std::io::{self, BufReader, Cursor, Read, Seek, Write};
use std::path::Path;

use ndarray::{ArrayD, IxDyn, ShapeBuilder};
use softpool::{ElementType, Shape};
use zip::ZipArchive;

use crate::dtype::{Conversion, FileType, descriptor};
use crate::failure::{Failure, Result};
use crate::input_files;
use crate::npy_header::{Header, numpy_shape};

/// Elements that are converted at a time: an even number, so that half types fill whole words.
const BLOCK_ELEMENTS: usize = 1 << 16;

/// How zip archives, which `.npz` files are, begin: with a file, or empty with their directory.
const ZIP_MAGIC: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];

/// What an archive adds to the names of its arrays.
const NPY: &str = ".npy";

/// What a `.npy` file has to hold.
const ACCEPTED: &str = "give floating point of 16, 32 or 64 bits, integers or booleans, as NumPy writes; uint16 are \
                        read as the bits of bfloat16 where --dtype bf16 says so";

/// A tensor on the host, in C order.
#[derive(Debug)]
pub struct Tensor {
    pub shape: Shape,
    /// What it is to be stored as.
    pub element_type: ElementType,
    /// Values that this type has.
    pub values: Vec<f32>,
}

/// A file with a tensor in it.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// A `.npy` file or a `.npz` archive.
    pub path: &'a Path,
    /// The array of an archive that is meant.
    pub array: Option<&'a str>,
    /// The option that says which array is meant.
    pub option: &'static str,
}

impl Source<'_> {
    /// Reads the tensor, as the `wanted` type or the file's. A conversion is said on stderr.
    pub fn read(self, wanted: Option<ElementType>) -> Result<Tensor> {
        let file = input_files::open(self.path)
            .map_err(|error| Failure::of_file(self.path, format_args!("cannot be opened: {error}")))?;
        let (tensor, note) = self.read_from(file, wanted).map_err(|problem| Failure::of_file(self.path, problem))?;
        if let Some(note) = note {
            let _ = writeln!(io::stderr(), "{}: {note}", self.path.display());
        }
        Ok(tensor)
    }

    fn read_from(self, mut file: impl Read, wanted: Option<ElementType>) -> Result<(Tensor, Option<String>), String> {
        let cannot = |error| format!("cannot be read: {error}");
        let mut start = [0; 4];
        let read = read_full(&mut file, &mut start).map_err(cannot)?;
        let start = &start[..read];
        if ZIP_MAGIC.contains(&start) {
            // An archive is read from its end. What can't go back to it is read whole.
            let is_file = !input_files::is_stdin(self.path) && fs::metadata(self.path).is_ok_and(|file| file.is_file());
            let mut seekable: Box<dyn ReadSeek> = if is_file {
                Box::new(BufReader::new(File::open(self.path).map_err(cannot)?))
            } else {
                let mut bytes = start.to_vec();
                file.read_to_end(&mut bytes).map_err(cannot)?;
                Box::new(Cursor::new(bytes))
            };
            return self.read_archive(&mut seekable, wanted);
        }
        if let Some(array) = self.array {
            return Err(format!("is no .npz archive: leave {} {array} out", self.option));
        }
        parse(BufReader::new(start.chain(file)), wanted)
    }

    fn read_archive(
        self,
        file: &mut dyn ReadSeek,
        wanted: Option<ElementType>,
    ) -> Result<(Tensor, Option<String>), String> {
        let damaged = |error| format!("is no valid .npz archive ({error}): write it again");
        let mut archive = ZipArchive::new(file).map_err(damaged)?;
        let mut names: Vec<String> =
            archive.file_names().filter_map(|name| name.strip_suffix(NPY)).map(str::to_owned).collect();
        names.sort();
        let option = self.option;
        let chosen =
            match (self.array, &names[..]) {
                (_, []) => return Err("is a .npz archive without an array: write it again".into()),
                (None, [only]) => only,
                (None, names) => {
                    return Err(format!("holds {} arrays: choose one by {option}: {}", names.len(), names.join(", ")));
                }
                (Some(array), names) => names
                    .iter()
                    .find(|name| *name == array || array.strip_suffix(NPY) == Some(name))
                    .ok_or_else(|| format!("holds no array {array}: choose one by {option}: {}", names.join(", ")))?,
            };
        let entry = archive.by_name(&format!("{chosen}{NPY}")).map_err(damaged)?;
        parse(entry, wanted).map_err(|problem| format!("{chosen} in it {problem}"))
    }
}

/// What an archive is read from.
trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

/// Writes a tensor in C order, its values rounded to the type.
pub fn write(
    shape: &Shape,
    element_type: ElementType,
    values: &[f32],
    writer: &mut (impl Write + ?Sized),
) -> io::Result<()> {
    Header::write(descriptor(element_type), shape.dims(), writer)?;
    for block in values.chunks(BLOCK_ELEMENTS) {
        let bytes = element_type.encode(block);
        // The last block may end within a word.
        writer.write_all(&bytes[..block.len() * element_type.bytes() as usize])?;
    }
    Ok(())
}

/// The tensor in a `.npy` stream, and what there is to say about its conversion.
fn parse(mut reader: impl Read, wanted: Option<ElementType>) -> Result<(Tensor, Option<String>), String> {
    let header =
        Header::read(&mut reader).map_err(|problem| format!("is no valid .npy file ({problem}): {ACCEPTED}"))?;
    let holds = format!("holds {} of shape {}", type_name(&header), numpy_shape(&header.shape));
    let from = header.descriptor.as_deref().ok().and_then(FileType::of);
    let from = from.ok_or_else(|| format!("{holds}: {ACCEPTED}"))?;
    let shape = Shape::new(&header.shape).map_err(|error| {
        let number = if header.shape.is_empty() { " (0-d, a single number)" } else { "" };
        format!("{holds}{number}: {error}")
    })?;
    let mut conversion = Conversion::new(from, wanted);
    let element_type = conversion.element_type();
    let values = read_values(reader, shape.elements(), from, &mut conversion)?;
    let values = if header.fortran_order {
        let array = ArrayD::from_shape_vec(IxDyn(shape.dims()).f(), values).map_err(|error| error.to_string())?;
        // An array's iterator goes by index, the last axis fastest.
        array.iter().copied().collect()
    } else {
        values
    };
    let bits = if conversion.may_be_bits() { "; the bits of bfloat16 are read with --dtype bf16" } else { "" };
    Ok((Tensor { shape, element_type, values }, conversion.note().map(|note| note + bits)))
}

/// Reads `elements` values, and not one byte more.
///
/// The header may lie about them, so that memory is taken as the values come.
fn read_values(
    mut reader: impl Read,
    elements: usize,
    from: FileType,
    conversion: &mut Conversion,
) -> Result<Vec<f32>, String> {
    let size = from.bytes();
    let mut values = Vec::new();
    let mut block = vec![0; BLOCK_ELEMENTS * size];
    while values.len() < elements {
        let wanted = (elements - values.len()).min(BLOCK_ELEMENTS) * size;
        let block = &mut block[..wanted];
        let read = read_full(&mut reader, block).map_err(|error| format!("cannot be read: {error}"))?;
        values.extend(conversion.decode(&block[..read - read % size])?);
        if read < wanted {
            return Err(format!(
                "its header promises {elements} values, but the file ends after {}: write it again",
                values.len()
            ));
        }
    }
    let beyond = read_full(&mut reader, &mut [0]).map_err(|error| format!("cannot be read: {error}"))?;
    if beyond > 0 {
        return Err(format!("has data after the {elements} values that its header promises: write it again"));
    }
    Ok(values)
}

/// Fills `block` as far as the stream goes; the number of bytes read.
fn read_full(reader: &mut impl Read, block: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < block.len() {
        match reader.read(&mut block[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// NumPy's name of the header's element type ("float32", "complex64"), or its descriptor if that has none.
fn type_name(header: &Header) -> String {
    let descriptor = match &header.descriptor {
        Ok(descriptor) => descriptor,
        Err(described) => return described.clone(),
    };
    if let Some(known) = FileType::of(descriptor) {
        return known.name();
    }
    // Kinds of numbers that aren't read, or not in that size.
    let unordered = descriptor.trim_start_matches(['<', '>', '=', '|']);
    let bits = unordered.get(1..).and_then(|bytes| bytes.parse::<usize>().ok()).and_then(|bytes| bytes.checked_mul(8));
    match (unordered.chars().next(), bits) {
        (Some('f'), Some(bits)) => format!("float{bits}"),
        (Some('c'), Some(bits)) => format!("complex{bits}"),
        _ => format!("'{descriptor}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A version 1.0 file with that header dictionary and data.
    fn npy(header: &str, data: &[u8]) -> Vec<u8> {
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend(u16::try_from(header.len() + 1).unwrap().to_le_bytes());
        file.extend(header.bytes());
        file.push(b'\n');
        file.extend(data);
        file
    }

    fn header(descr: &str, fortran: &str, shape: &str) -> String {
        format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}")
    }

    fn bytes<const SIZE: usize>(values: impl IntoIterator<Item = [u8; SIZE]>) -> Vec<u8> {
        values.into_iter().flatten().collect()
    }

    #[test]
    fn all_types_and_both_orders_are_the_same_tensor() {
        // Element (0, 0, h, w) of a 2x3 plane is 10 h + w.
        let c = [0.0, 1.0, 2.0, 10.0, 11.0, 12.0f32];
        let fortran = [0.0, 10.0, 1.0, 11.0, 2.0, 12.0f32];
        let file = |descr: &str, fortran: &str, data: Vec<u8>| npy(&header(descr, fortran, "(1, 1, 2, 3)"), &data);
        let f8 = |values: [f32; 6]| bytes(values.map(|x| f64::from(x).to_le_bytes()));
        let converted = Some("converted from float64 to float32");
        for (name, file, element_type, note) in [
            ("f4 C", file("'<f4'", "False", bytes(c.map(f32::to_le_bytes))), ElementType::F32, None),
            ("f4 F", file("'<f4'", "True", bytes(fortran.map(f32::to_le_bytes))), ElementType::F32, None),
            ("f8 C", file("'<f8'", "False", f8(c)), ElementType::F32, converted),
            ("f8 F", file("'<f8'", "True", f8(fortran)), ElementType::F32, converted),
            ("f2 C", file("'<f2'", "False", ElementType::F16.encode(&c)), ElementType::F16, None),
            ("f2 F", file("'<f2'", "True", ElementType::F16.encode(&fortran)), ElementType::F16, None),
        ] {
            let (tensor, said) = parse(&file[..], None).unwrap();
            assert_eq!(tensor.shape.dims(), [1, 1, 2, 3], "{name}");
            assert_eq!((tensor.element_type, tensor.values), (element_type, c.to_vec()), "{name}");
            assert_eq!(said.as_deref(), note, "{name}");
        }
    }

    #[test]
    fn headers_are_read_as_numpy_reads_them() {
        let data = bytes([1.0f32, 2.0, 3.0].map(f32::to_le_bytes));
        let swapped = bytes([1.0f32, 2.0, 3.0].map(f32::to_be_bytes));
        let header = |descr: &str, shape: &str| header(descr, "False", shape);
        let mut files = vec![
            npy(&header("'<f4'", "(1L, 1L, 3L)"), &data),
            npy(&header("\"<f4\"", "(1, 1, 3,)"), &data),
            npy("{'shape': (1, 1, 3), 'fortran_order': False, 'descr': '<f4'}", &data),
            npy(&header("'>f4'", "(1, 1, 3)"), &swapped),
        ];
        if cfg!(target_endian = "little") {
            files.extend(["'=f4'", "'f4'", "'float32'"].map(|descr| npy(&header(descr, "(1, 1, 3)"), &data)));
        }
        for version in [2, 3] {
            let text = header("'<f4'", "(1, 1, 3)");
            let length = u32::try_from(text.len()).unwrap().to_le_bytes();
            files.push([b"\x93NUMPY", &[version, 0][..], &length, text.as_bytes(), &data].concat());
        }
        for file in files {
            let what = String::from_utf8_lossy(&file).into_owned();
            let (tensor, note) = parse(&file[..], None).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!((tensor.shape.dims(), note), (&[1, 1, 3][..], None), "{what}");
            assert_eq!(tensor.values, [1.0, 2.0, 3.0], "{what}");
        }
    }

    #[test]
    fn bits_of_bfloat16_are_read_where_asked_for() {
        let file = npy(&header("'<u2'", "False", "(1, 1, 3)"), &ElementType::Bf16.encode(&[1.0, -0.5, 3.0])[..6]);
        let (tensor, note) = parse(&file[..], Some(ElementType::Bf16)).unwrap();
        assert_eq!((tensor.element_type, tensor.values, note), (ElementType::Bf16, vec![1.0, -0.5, 3.0], None));
        // Without, they are numbers; whoever meant bits is told how to say so.
        for wanted in [None, Some(ElementType::F32), Some(ElementType::F16)] {
            let (tensor, note) = parse(&file[..], wanted).unwrap();
            assert!(tensor.values[0] > 16000.0, "{wanted:?}: {tensor:?}");
            assert!(
                note.as_ref().is_some_and(|note| note.contains("are read with --dtype bf16")),
                "{wanted:?}: {note:?}"
            );
        }
    }

    #[test]
    fn anything_else_is_an_error_that_says_what_the_file_holds() {
        let three = "(1, 1, 3)";
        let f4 = |shape: &str, data: &[u8]| npy(&header("'<f4'", "False", shape), data);
        let typed = |descr: &str| npy(&header(descr, "False", three), &[0; 24]);
        let deep = "(".repeat(5_000) + &")".repeat(4_900);
        for (file, expected) in [
            (typed("'<c8'"), "holds complex64 of shape (1, 1, 3)"),
            (typed("'<f16'"), "holds float128"),
            (typed("'<U3'"), "holds '<U3'"),
            (typed("'|O'"), "holds '|O'"),
            (typed("'\u{e9}'"), "holds '\u{c3}\u{a9}'"),
            (typed("[('a', '<f4')]"), "holds [('a', '<f4')]"),
            (f4("()", &[0; 4]), "float32 of shape () (0-d, a single number):"),
            (f4("(1, 1, 1, 1, 1, 3)", &[0; 12]), "float32 of shape (1, 1, 1, 1, 1, 3): a shape of 6 axes"),
            (f4("(1, 1, -3)", &[0; 12]), "its shape is (1, 1, -3), not a tuple of sizes"),
            (f4("(1, 1, 99999999999999999999999)", &[0; 12]), "its shape is (1, 1, 99999999999999999999999), not"),
            (f4("[1, 1, 3]", &[0; 12]), "its shape is [1, 1, 3], not a tuple of sizes"),
            (npy(&header("'<f4'", "0", three), &[0; 12]), "its fortran_order is 0, not True or False"),
            (npy(&header("'<f4'", "False", three).replace("descr", "dtype"), &[0; 12]), "has the key 'dtype'"),
            (f4("(4294967296, 4294967296, 4294967296)", &[0; 12]), "(4294967296, 4294967296, 4294967296)"),
            (f4("(1000000, 1000000, 1000)", &[0; 12]), "promises 1000000000000000 values, but the file ends after 3"),
            (f4(three, &[0; 11]), "ends after 2"),
            (f4(three, &[0; 13]), "has data after the 3 values"),
            (f4("(0, 1, 3)", &[0]), "has data after the 0 values"),
            (npy("", &[]), "no valid .npy file (its header is no dictionary of Python: \"\")"),
            (npy("{}", &[]), "missing key"),
            (npy("(1, 2)", &[]), "its header is no dictionary of Python: \"(1, 2)\")"),
            (npy("(((((", &[]), "its header is no dictionary of Python: \"(((((\")"),
            (npy(&deep, &[]), "no valid .npy file"),
            (npy(&" ".repeat(10_010), &[]), "more than 10000 bytes"),
            (b"PK\x03\x04 an .npz file".to_vec(), "it doesn't start as one"),
            (b"\x93NUMPY".to_vec(), "ends early"),
            (b"\x93NUMPY\x09\x00".to_vec(), "its version is 9.0, not 1.0, 2.0 or 3.0"),
            (b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec(), "more than 10000 bytes"),
            (b"\x93NUMPY\x02\x00\xff\x00\x00\x00".to_vec(), "ends early"),
            (Vec::new(), "ends early"),
        ] {
            let error = parse(&file[..], None).unwrap_err();
            assert!(error.contains(expected), "{error:?} lacks {expected:?}");
            // Parsers draw arrows, on lines of their own.
            assert!(!error.contains('\n') && !error.contains("-->"), "{error}");
        }
    }

    #[test]
    fn every_truncation_is_an_error() {
        for (descr, size) in [("'<f8'", 8), ("'<f2'", 2)] {
            let file = npy(&header(descr, "True", "(2, 1, 2)"), &vec![0; 4 * size]);
            for end in 0..file.len() {
                assert!(parse(&file[..end], None).is_err(), "{end} bytes of {descr}");
            }
            assert!(parse(&file[..], None).is_ok());
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for dims in [&[2, 1, 3][..], &[0, 1, 3], &[1], &[3, 5], &[1, 2, 3, 4, 5], &[1, 1, BLOCK_ELEMENTS + 1]] {
            let shape = Shape::new(dims).unwrap();
            let values: Vec<f32> = (0..shape.elements()).map(|i| (i % 250) as f32).collect();
            for element_type in [ElementType::F32, ElementType::F16, ElementType::Bf16] {
                let mut file = Vec::new();
                write(&shape, element_type, &values, &mut file).unwrap();
                assert_eq!((file.len() - shape.elements() * element_type.bytes() as usize) % 64, 0);
                let (tensor, note) = parse(&file[..], Some(element_type)).unwrap();
                assert_eq!((tensor.shape, tensor.element_type, note), (shape, element_type, None));
                assert_eq!(tensor.values, values, "{shape} {element_type}");
            }
        }
    }
}
