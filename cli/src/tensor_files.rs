//! Reading and writing `.npy` files: float32 or float64 in either order in, float32 in C order out.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use ndarray::{ArrayD, ArrayViewD, IxDyn, ShapeBuilder};
use ndarray_npy::WriteNpyExt;
use ndarray_npy::npy::header::{Header, ReadHeaderError};
use softpool::Shape;

use crate::failure::{Failure, Result};

/// The longest header that is parsed, NumPy's own limit. The parser descends with the header's brackets, so that a
/// longer one could exhaust the stack.
const MAX_HEADER_BYTES: usize = 10_000;

/// Magic, version and header length of a `.npy` file, in bytes, at most.
const PREAMBLE_BYTES: usize = 12;

/// What a `.npy` file has to hold.
const ACCEPTED: &str =
    "give little-endian float32 or float64 of shape (N, C, L), (N, C, H, W) or (N, C, D, H, W), as NumPy writes";

/// A tensor on the host, in C order.
#[derive(Debug)]
pub struct Tensor {
    pub shape: Shape,
    pub values: Vec<f32>,
}

/// Reads the tensor in the `.npy` file at `path`. What a conversion to float32 changes is said on stderr.
pub fn read(path: &Path) -> Result<Tensor> {
    let file = File::open(path).map_err(|error| Failure::of_file(path, format_args!("cannot be opened: {error}")))?;
    let (tensor, note) = parse(BufReader::new(file)).map_err(|problem| Failure::of_file(path, problem))?;
    if let Some(note) = note {
        let _ = writeln!(io::stderr(), "{}: {note}", path.display());
    }
    Ok(tensor)
}

/// Writes a tensor as float32 in C order.
pub fn write(shape: &Shape, values: &[f32], writer: impl Write) -> io::Result<()> {
    let array = ArrayViewD::from_shape(IxDyn(shape.dims()), values).map_err(io::Error::other)?;
    array.write_npy(writer).map_err(io::Error::other)
}

/// The tensor in a `.npy` stream, and what there is to say about its conversion.
fn parse(mut reader: impl Read) -> Result<(Tensor, Option<String>), String> {
    let header = read_header(&mut reader)?;
    let type_name = type_name(&header);
    let dims = format!("{type_name} of shape {}", dims(&header.shape));
    let shape = Shape::new(&header.shape).map_err(|_| format!("holds {dims}: {ACCEPTED}"))?;
    let elements = shape.elements();
    let mut note = None;
    let values = match type_name.as_str() {
        "float32" => read_values(reader, elements, f32::from_le_bytes)?,
        "float64" => {
            let mut overflowed = 0usize;
            let values = read_values(reader, elements, |bytes| {
                let value = f64::from_le_bytes(bytes);
                overflowed += usize::from(value.is_finite() && (value as f32).is_infinite());
                value as f32
            })?;
            let loss = if overflowed > 0 {
                format!("; {overflowed} finite values beyond float32 became infinite")
            } else {
                String::new()
            };
            note = Some(format!("converted from float64 to float32{loss}"));
            values
        }
        _ => return Err(format!("holds {dims}: {ACCEPTED}")),
    };
    let values = if header.layout.is_fortran() {
        let array = ArrayD::from_shape_vec(IxDyn(shape.dims()).f(), values).map_err(|error| error.to_string())?;
        // An array's iterator goes by index, the last axis fastest.
        array.iter().copied().collect()
    } else {
        values
    };
    Ok((Tensor { shape, values }, note))
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

/// Reads `elements` values of `SIZE` bytes, and not one byte more.
///
/// The header may lie about them, so that memory is taken as the values come.
fn read_values<const SIZE: usize>(
    mut reader: impl Read,
    elements: usize,
    mut value: impl FnMut([u8; SIZE]) -> f32,
) -> Result<Vec<f32>, String> {
    const BLOCK_ELEMENTS: usize = 1 << 16;

    let mut values = Vec::new();
    let mut block = vec![0; BLOCK_ELEMENTS * SIZE];
    while values.len() < elements {
        let wanted = (elements - values.len()).min(BLOCK_ELEMENTS) * SIZE;
        let block = &mut block[..wanted];
        let read = read_full(&mut reader, block).map_err(|error| format!("cannot be read: {error}"))?;
        values.extend(block[..read].chunks_exact(SIZE).map(|bytes| value(bytes.try_into().expect("chunks of SIZE"))));
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
fn dims(shape: &[usize]) -> String {
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
    fn both_types_and_both_orders_are_the_same_tensor() {
        // Element (0, 0, h, w) of a 2x3 plane is 10 h + w.
        let c = [0.0, 1.0, 2.0, 10.0, 11.0, 12.0f32];
        let fortran = [0.0, 10.0, 1.0, 11.0, 2.0, 12.0f32];
        let shape = "(1, 1, 2, 3)";
        for (name, file, note) in [
            ("f4 C", npy(&header("'<f4'", "False", shape), &bytes(c.map(f32::to_le_bytes))), None),
            ("f4 F", npy(&header("'<f4'", "True", shape), &bytes(fortran.map(f32::to_le_bytes))), None),
            (
                "f8 C",
                npy(&header("'<f8'", "False", shape), &bytes(c.map(|x| f64::from(x).to_le_bytes()))),
                Some("converted from float64 to float32"),
            ),
            (
                "f8 F",
                npy(&header("'<f8'", "True", shape), &bytes(fortran.map(|x| f64::from(x).to_le_bytes()))),
                Some("converted from float64 to float32"),
            ),
        ] {
            let (tensor, said) = parse(&file[..]).unwrap();
            assert_eq!(tensor.shape.dims(), [1, 1, 2, 3], "{name}");
            assert_eq!(tensor.values, c, "{name}");
            assert_eq!(said.as_deref(), note, "{name}");
        }
    }

    #[test]
    fn overflow_to_infinity_is_said() {
        let data = bytes([1e39, f64::INFINITY, f64::NAN].map(f64::to_le_bytes));
        let (tensor, note) = parse(&npy(&header("'<f8'", "False", "(1, 1, 3)"), &data)[..]).unwrap();
        assert_eq!(tensor.values[..2], [f32::INFINITY; 2]);
        assert!(tensor.values[2].is_nan());
        assert!(note.unwrap().contains("1 finite values"));
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
            (typed("'<f2'"), "holds float16"),
            (typed("'>f4'"), "holds big-endian float32"),
            (typed("'|O'"), "holds '|O'"),
            (typed("[('a', '<f4')]"), "holds [('a', '<f4')]"),
            (f4("()", &[0; 4]), "float32 of shape ():"),
            (f4("(3,)", &[0; 12]), "float32 of shape (3,):"),
            (f4("(1, 3)", &[0; 12]), "float32 of shape (1, 3):"),
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
            let error = parse(&file[..]).unwrap_err();
            assert!(error.contains(expected), "{error:?} lacks {expected:?}");
        }
    }

    #[test]
    fn every_truncation_is_an_error() {
        let file = npy(&header("'<f8'", "True", "(2, 1, 2)"), &[0; 32]);
        for end in 0..file.len() {
            assert!(parse(&file[..end]).is_err(), "{end} bytes");
        }
        assert!(parse(&file[..]).is_ok());
    }

    #[test]
    fn what_is_written_reads_back() {
        for dims in [[2, 1, 3], [0, 1, 3]] {
            let shape = Shape::new(dims).unwrap();
            let values: Vec<f32> = (0..shape.elements()).map(|i| i as f32).collect();
            let mut file = Vec::new();
            write(&shape, &values, &mut file).unwrap();
            let (tensor, note) = parse(&file[..]).unwrap();
            assert_eq!((tensor.shape, tensor.values, note), (shape, values, None));
        }
    }
}
