//! Reading and writing `.npy` files: in either order in, in C order out.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use ndarray::{ArrayD, IxDyn, ShapeBuilder};
use ndarray_npy::npy::header::{Header, ReadHeaderError};
use softpool::{ElementType, Shape};

use crate::dtype::{Conversion, descriptor};
use crate::failure::{Failure, Result};

/// The longest header that is parsed, NumPy's own limit. The parser descends with the header's brackets, so that a
/// longer one could exhaust the stack.
const MAX_HEADER_BYTES: usize = 10_000;

/// Magic, version and header length of a `.npy` file, in bytes, at most.
const PREAMBLE_BYTES: usize = 12;

/// Elements that are converted at a time: an even number, so that half types fill whole words.
const BLOCK_ELEMENTS: usize = 1 << 16;

/// What a `.npy` file has to hold.
const ACCEPTED: &str = "give little-endian float16, float32 or float64, as NumPy writes; a tensor's uint16 are read as \
                        the bits of bfloat16 where --dtype bf16 says so";

/// A tensor on the host, in C order.
#[derive(Debug)]
pub struct Tensor {
    pub shape: Shape,
    /// What it is to be stored as.
    pub element_type: ElementType,
    /// Values that this type has.
    pub values: Vec<f32>,
}

/// Reads the tensor in the `.npy` file at `path`, as the `wanted` type or the file's. A conversion is said on stderr.
pub fn read(path: &Path, wanted: Option<ElementType>) -> Result<Tensor> {
    let file = File::open(path).map_err(|error| Failure::of_file(path, format_args!("cannot be opened: {error}")))?;
    let (tensor, note) = parse(BufReader::new(file), wanted).map_err(|problem| Failure::of_file(path, problem))?;
    if let Some(note) = note {
        let _ = writeln!(io::stderr(), "{}: {note}", path.display());
    }
    Ok(tensor)
}

/// Writes a tensor in C order, its values rounded to the type.
pub fn write(shape: &Shape, element_type: ElementType, values: &[f32], mut writer: impl Write) -> io::Result<()> {
    writer.write_all(&header(descriptor(element_type), shape.dims()))?;
    for block in values.chunks(BLOCK_ELEMENTS) {
        let bytes = element_type.encode(block);
        // The last block may end within a word.
        writer.write_all(&bytes[..block.len() * element_type.bytes() as usize])?;
    }
    Ok(())
}

/// Everything before the data of a version 1.0 file.
fn header(descriptor: &str, shape: &[usize]) -> Vec<u8> {
    const MAGIC: &[u8] = b"\x93NUMPY\x01\x00";
    const PREFIX_BYTES: usize = MAGIC.len() + size_of::<u16>();
    const DATA_ALIGNMENT: usize = 64;

    let dictionary = format!("{{'descr': '{descriptor}', 'fortran_order': False, 'shape': {}, }}", numpy_shape(shape));
    let padded = (PREFIX_BYTES + dictionary.len() + 1).next_multiple_of(DATA_ALIGNMENT) - PREFIX_BYTES;
    let length = u16::try_from(padded).expect("five axes take some hundred bytes");
    [MAGIC, &length.to_le_bytes(), format!("{dictionary:<0$}\n", padded - 1).as_bytes()].concat()
}

/// The tensor in a `.npy` stream, and what there is to say about its conversion.
fn parse(mut reader: impl Read, wanted: Option<ElementType>) -> Result<(Tensor, Option<String>), String> {
    let header = read_header(&mut reader)?;
    let type_name = type_name(&header);
    let holds = format!("holds {type_name} of shape {}", numpy_shape(&header.shape));
    let shape = Shape::new(&header.shape).map_err(|error| format!("{holds}: {error}"))?;
    let mut conversion = Conversion::new(&type_name, wanted).ok_or_else(|| format!("{holds}: {ACCEPTED}"))?;
    let element_type = conversion.element_type();
    let values = read_values(reader, shape.elements(), &mut conversion)?;
    let values = if header.layout.is_fortran() {
        let array = ArrayD::from_shape_vec(IxDyn(shape.dims()).f(), values).map_err(|error| error.to_string())?;
        // An array's iterator goes by index, the last axis fastest.
        array.iter().copied().collect()
    } else {
        values
    };
    Ok((Tensor { shape, element_type, values }, conversion.note()))
}

fn read_header(reader: &mut impl Read) -> Result<Header, String> {
    let limit = (PREAMBLE_BYTES + MAX_HEADER_BYTES) as u64;
    Header::from_reader(&mut reader.take(limit)).map_err(|error| {
        let problem = match error {
            ReadHeaderError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                format!("its header ends early, or has more than {MAX_HEADER_BYTES} bytes")
            }
            ReadHeaderError::Io(error) => return format!("cannot be read: {error}"),
            ReadHeaderError::Parse(error) => error.to_string(),
        };
        format!("is no valid .npy file ({problem}): {ACCEPTED}")
    })
}

/// Reads `elements` values, and not one byte more.
///
/// The header may lie about them, so that memory is taken as the values come.
fn read_values(mut reader: impl Read, elements: usize, conversion: &mut Conversion) -> Result<Vec<f32>, String> {
    let size = conversion.file_bytes();
    let mut values = Vec::new();
    let mut block = vec![0; BLOCK_ELEMENTS * size];
    while values.len() < elements {
        let wanted = (elements - values.len()).min(BLOCK_ELEMENTS) * size;
        let block = &mut block[..wanted];
        let read = read_full(&mut reader, block).map_err(|error| format!("cannot be read: {error}"))?;
        values.extend(conversion.decode(&block[..read - read % size]));
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

/// NumPy's name of the header's element type ("float32", "big-endian int16"), or its descriptor if that has none.
fn type_name(header: &Header) -> String {
    let described = || header.type_descriptor.to_string();
    let Some(descriptor) = header.type_descriptor.as_string() else { return described() };
    let mut characters = descriptor.chars();
    let (Some(order), Some(kind)) = (characters.next(), characters.next()) else { return described() };
    let Some(bits) = characters.as_str().parse::<usize>().ok().and_then(|bytes| bytes.checked_mul(8)) else {
        return described();
    };
    let kind = match kind {
        'b' => return "bool".into(),
        'i' => "int",
        'u' => "uint",
        'f' => "float",
        'c' => "complex",
        _ => return described(),
    };
    match order {
        '<' => format!("{kind}{bits}"),
        '>' => format!("big-endian {kind}{bits}"),
        // A byte has no order.
        '|' if bits == 8 => format!("{kind}{bits}"),
        _ => described(),
    }
}

/// A shape as NumPy prints it.
pub fn numpy_shape(shape: &[usize]) -> String {
    let dims: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("({}{})", dims.join(", "), if dims.len() == 1 { "," } else { "" })
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
    fn bits_of_bfloat16_are_read_where_asked_for() {
        let file = npy(&header("'<u2'", "False", "(1, 1, 3)"), &ElementType::Bf16.encode(&[1.0, -0.5, 3.0])[..6]);
        let (tensor, note) = parse(&file[..], Some(ElementType::Bf16)).unwrap();
        assert_eq!((tensor.element_type, tensor.values, note), (ElementType::Bf16, vec![1.0, -0.5, 3.0], None));
        for wanted in [None, Some(ElementType::F32), Some(ElementType::F16)] {
            let error = parse(&file[..], wanted).unwrap_err();
            assert!(error.contains("holds uint16") && error.contains("--dtype bf16"), "{error}");
        }
    }

    #[test]
    fn anything_else_is_an_error_that_says_what_the_file_holds() {
        let three = "(1, 1, 3)";
        let f4 = |shape: &str, data: &[u8]| npy(&header("'<f4'", "False", shape), data);
        let typed = |descr: &str| npy(&header(descr, "False", three), &[0; 24]);
        let deep = "(".repeat(MAX_HEADER_BYTES / 2) + &")".repeat(MAX_HEADER_BYTES / 2 - 100);
        for (file, expected) in [
            (typed("'<i8'"), "holds int64 of shape (1, 1, 3)"),
            (typed("'|u1'"), "holds uint8"),
            (typed("'|b1'"), "holds bool"),
            (typed("'<c8'"), "holds complex64"),
            (typed("'>f2'"), "holds big-endian float16"),
            (typed("'<u2'"), "holds uint16"),
            (typed("'>f4'"), "holds big-endian float32"),
            (typed("'|O'"), "holds '|O'"),
            (typed("[('a', '<f4')]"), "holds [('a', '<f4')]"),
            (f4("()", &[0; 4]), "float32 of shape ():"),
            (f4("(1, 1, 1, 1, 1, 3)", &[0; 12]), "float32 of shape (1, 1, 1, 1, 1, 3):"),
            (f4("(1, 1, -3)", &[0; 12]), "no valid .npy file"),
            (f4("(1, 1, 99999999999999999999999)", &[0; 12]), "no valid .npy file"),
            (f4("(4294967296, 4294967296, 4294967296)", &[0; 12]), "(4294967296, 4294967296, 4294967296)"),
            (f4("(1000000, 1000000, 1000)", &[0; 12]), "promises 1000000000000000 values, but the file ends after 3"),
            (f4(three, &[0; 11]), "ends after 2"),
            (f4(three, &[0; 13]), "has data after the 3 values"),
            (f4("(0, 1, 3)", &[0]), "has data after the 0 values"),
            (npy("", &[]), "no valid .npy file"),
            (npy("{}", &[]), "missing key"),
            (npy("(((((", &[]), "no valid .npy file"),
            (npy(&deep, &[]), "no valid .npy file"),
            (npy(&" ".repeat(MAX_HEADER_BYTES + 10), &[]), "more than 10000 bytes"),
            (b"PK\x03\x04 an .npz file".to_vec(), "no valid .npy file"),
            (b"\x93NUMPY".to_vec(), "ends early"),
            (b"\x93NUMPY\x09\x00".to_vec(), "unknown version"),
            (b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec(), "ends early"),
            (Vec::new(), "ends early"),
        ] {
            let error = parse(&file[..], None).unwrap_err();
            assert!(error.contains(expected), "{error:?} lacks {expected:?}");
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

    #[test]
    fn headers_are_numpys() {
        let expected = b"\x93NUMPY\x01\0\x76\0{'descr': '<f2', 'fortran_order': False, 'shape': (3,), }";
        let header = super::header("<f2", &[3]);
        assert_eq!(header[..expected.len()], expected[..]);
        assert_eq!((header.len(), header.last()), (128, Some(&b'\n')));
    }
}
