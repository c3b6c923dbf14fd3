//! Element types: as the command line names them, and as `.npy` files hold them.

use std::path::Path;

use clap::ValueEnum;
use softpool::ElementType;

/// An [`ElementType`] on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Dtype {
    #[value(alias = "float32")]
    F32,
    #[value(alias = "float16")]
    F16,
    /// In .npy files: uint16, the bits.
    #[value(alias = "bfloat16")]
    Bf16,
}

impl From<Dtype> for ElementType {
    fn from(dtype: Dtype) -> Self {
        match dtype {
            Dtype::F32 => Self::F32,
            Dtype::F16 => Self::F16,
            Dtype::Bf16 => Self::Bf16,
        }
    }
}

/// NumPy's descriptor of the type that a `.npy` file holds elements as.
pub fn descriptor(element_type: ElementType) -> &'static str {
    match element_type {
        ElementType::F32 => "<f4",
        ElementType::F16 => "<f2",
        // NumPy has no bfloat16.
        ElementType::Bf16 => "<u2",
    }
}

/// What a reader of the file at `path` has to know to read elements of this type, where the file doesn't say it.
pub fn reading_note(element_type: ElementType, path: &Path) -> Option<String> {
    let path = path.display();
    (element_type == ElementType::Bf16).then(|| {
        format!(
            "{path}: holds the bits of bfloat16 as uint16, as NumPy has no such type; in PyTorch: \
             torch.from_numpy(numpy.load('{path}').view(numpy.int16)).view(torch.bfloat16)"
        )
    })
}

/// The type of a `.npy` file's elements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FileType {
    kind: Kind,
    bytes: usize,
    big_endian: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Float,
    Int,
    Uint,
    Bool,
}

impl FileType {
    /// The type that NumPy's descriptor names, if its values are numbers that can be read.
    ///
    /// That is an order ('<' little-endian, '>' big-endian, '=' the machine's or '|' none, or nothing for the
    /// machine's), and a kind with its bytes (f4), a letter (f) or a name (float32).
    pub fn of(descriptor: &str) -> Option<Self> {
        let order = descriptor.chars().next().filter(|order| "<>=|".contains(*order));
        let name = &descriptor[order.map_or(0, char::len_utf8)..];
        let (kind, bytes) = match name {
            "f2" | "e" | "float16" | "half" => (Kind::Float, 2),
            "f4" | "f" | "float32" | "single" => (Kind::Float, 4),
            "f8" | "d" | "float64" | "double" | "float" => (Kind::Float, 8),
            "i1" | "b" | "int8" | "byte" => (Kind::Int, 1),
            "i2" | "h" | "int16" | "short" => (Kind::Int, 2),
            "i4" | "i" | "int32" | "intc" => (Kind::Int, 4),
            "i8" | "q" | "int64" | "longlong" | "int" => (Kind::Int, 8),
            "u1" | "B" | "uint8" | "ubyte" => (Kind::Uint, 1),
            "u2" | "H" | "uint16" | "ushort" => (Kind::Uint, 2),
            "u4" | "I" | "uint32" | "uintc" => (Kind::Uint, 4),
            "u8" | "Q" | "uint64" | "ulonglong" | "uint" => (Kind::Uint, 8),
            "b1" | "?" | "bool" | "bool_" => (Kind::Bool, 1),
            _ => return None,
        };
        let big_endian = match order {
            Some('<') => false,
            Some('>') => true,
            _ => cfg!(target_endian = "big"),
        };
        // A byte has no order.
        Some(Self { kind, bytes, big_endian: big_endian && bytes > 1 })
    }

    /// NumPy's name of the type, whatever its byte order: "float32".
    pub fn name(self) -> String {
        let kind = match self.kind {
            Kind::Float => "float",
            Kind::Int => "int",
            Kind::Uint => "uint",
            Kind::Bool => return "bool".into(),
        };
        format!("{kind}{}", self.bytes * 8)
    }

    /// Bytes of an element.
    pub fn bytes(self) -> usize {
        self.bytes
    }
}

/// How the elements of a `.npy` file become those of a tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conversion {
    from: FileType,
    to: ElementType,
    /// Elements that were converted so far.
    elements: usize,
    /// Finite values so far that became infinite.
    overflowed: usize,
}

impl Conversion {
    /// The conversion of a file's elements to `wanted`, or else to the type that is nearest to the file's.
    ///
    /// That `uint16` are the bits of bfloat16 is for the user to say, by wanting bfloat16.
    pub fn new(from: FileType, wanted: Option<ElementType>) -> Self {
        let nearest = match (from.kind, from.bytes) {
            (Kind::Float, 2) => ElementType::F16,
            _ => ElementType::F32,
        };
        Self { from, to: wanted.unwrap_or(nearest), elements: 0, overflowed: 0 }
    }

    /// The type of the tensor.
    pub fn element_type(&self) -> ElementType {
        self.to
    }

    /// The values in a whole number of the file's elements, each rounded to the nearest of the tensor's type, ties to
    /// even. An error is an integer that f32 doesn't have: rounding it may change what it stands for, as an index.
    pub fn decode(&mut self, bytes: &[u8]) -> Result<Vec<f32>, String> {
        let swapped: Vec<u8>;
        let bytes = if self.from.big_endian {
            swapped = bytes.chunks_exact(self.from.bytes).flat_map(|element| element.iter().rev().copied()).collect();
            &swapped
        } else {
            bytes
        };
        let values = match self.as_they_are() {
            Some(element_type) => {
                let mut values = element_type.decode(bytes, bytes.len() / self.from.bytes);
                if element_type != self.to {
                    values.iter_mut().for_each(|value| *value = self.narrow(f64::from(*value)));
                }
                values
            }
            None if self.from.kind == Kind::Float => bytes
                .chunks_exact(size_of::<f64>())
                .map(|bytes| self.narrow(f64::from_le_bytes(bytes.try_into().expect("chunks of that size"))))
                .collect(),
            None => {
                let elements = bytes.chunks_exact(self.from.bytes).enumerate();
                elements.map(|(index, bytes)| self.whole(index, bytes)).collect::<Result<_, _>>()?
            }
        };
        self.elements += values.len();
        Ok(values)
    }

    /// What the user should know of the values so far, if they are not those of the file.
    pub fn note(&self) -> Option<String> {
        if self.as_they_are() == Some(self.to) {
            return None;
        }
        let (from, to) = (self.from.name(), self.to);
        let loss = match self.overflowed {
            0 => String::new(),
            overflowed => format!("; {overflowed} finite values beyond {to} became infinite"),
        };
        Some(format!("converted from {from} to {to}{loss}"))
    }

    /// Whether numbers were converted that may be meant as the bits of bfloat16.
    pub fn may_be_bits(&self) -> bool {
        (self.from.kind, self.from.bytes) == (Kind::Uint, 2) && self.to != ElementType::Bf16
    }

    /// The element type that the file's elements are as they stand there.
    fn as_they_are(&self) -> Option<ElementType> {
        match (self.from.kind, self.from.bytes) {
            (Kind::Float, 2) => Some(ElementType::F16),
            (Kind::Float, 4) => Some(ElementType::F32),
            (Kind::Uint, 2) if self.to == ElementType::Bf16 => Some(ElementType::Bf16),
            _ => None,
        }
    }

    /// The value of an integer or boolean, the element of that index after those converted so far.
    fn whole(&mut self, index: usize, bytes: &[u8]) -> Result<f32, String> {
        let mut wide = [0; size_of::<i128>()];
        wide[..bytes.len()].copy_from_slice(bytes);
        let unsigned = i128::from_le_bytes(wide);
        let value = match self.from.kind {
            Kind::Bool => (unsigned != 0).into(),
            Kind::Int => {
                let unused = i128::BITS - 8 * bytes.len() as u32;
                unsigned << unused >> unused
            }
            Kind::Float | Kind::Uint => unsigned,
        };
        let single = value as f32;
        if single as i128 != value {
            return Err(format!(
                "element {} is {value}, which float32 doesn't have (the nearest is {single}): convert it to a type of \
                 floating point yourself, if rounded values will do",
                self.elements + index
            ));
        }
        Ok(if self.to == ElementType::F32 { single } else { self.narrow(single.into()) })
    }

    fn narrow(&mut self, value: f64) -> f32 {
        let narrowed = match self.to {
            ElementType::F32 => value as f32,
            half => half.round(to_odd(value)),
        };
        self.overflowed += usize::from(value.is_finite() && narrowed.is_infinite());
        narrowed
    }
}

/// `value` as an f32 whose last bit is 1 if it is not exact.
///
/// To round that to fewer bits is to round `value` itself: no tie appears that `value` is not, as one would if it were
/// rounded to the nearest f32 first.
fn to_odd(value: f64) -> f32 {
    let nearest = value as f32;
    if f64::from(nearest) == value || value.is_nan() {
        return nearest;
    }
    let beyond = f64::from(nearest).abs() > value.abs();
    f32::from_bits((nearest.to_bits() - u32::from(beyond)) | 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(numpy_type: &str, wanted: ElementType, bytes: &[u8]) -> (Vec<f32>, Option<String>) {
        let from = FileType::of(numpy_type).unwrap();
        let mut conversion = Conversion::new(from, Some(wanted));
        assert_eq!(bytes.len() % from.bytes(), 0);
        let values = conversion.decode(bytes).unwrap();
        (values, conversion.note())
    }

    #[test]
    fn the_type_is_the_wanted_or_the_files() {
        for (numpy_type, wanted, expected) in [
            ("float16", None, ElementType::F16),
            ("float32", None, ElementType::F32),
            ("float64", None, ElementType::F32),
            ("uint16", None, ElementType::F32),
            ("bool", None, ElementType::F32),
            ("float64", Some(ElementType::F16), ElementType::F16),
            ("float16", Some(ElementType::Bf16), ElementType::Bf16),
            ("uint16", Some(ElementType::Bf16), ElementType::Bf16),
            ("uint16", Some(ElementType::F16), ElementType::F16),
            (">f2", None, ElementType::F16),
        ] {
            let found = Conversion::new(FileType::of(numpy_type).unwrap(), wanted).element_type();
            assert_eq!(found, expected, "{numpy_type} as {wanted:?}");
        }
    }

    #[test]
    fn descriptors_are_numpys() {
        for (descriptor, name, bytes, big_endian) in [
            ("<f4", "float32", 4, false),
            ("=f4", "float32", 4, cfg!(target_endian = "big")),
            ("f4", "float32", 4, cfg!(target_endian = "big")),
            (">f8", "float64", 8, true),
            ("e", "float16", 2, cfg!(target_endian = "big")),
            ("float64", "float64", 8, cfg!(target_endian = "big")),
            ("|b1", "bool", 1, false),
            ("?", "bool", 1, false),
            (">u1", "uint8", 1, false),
            (">i8", "int64", 8, true),
        ] {
            let found = FileType::of(descriptor).map(|found| (found.name(), found.bytes(), found.big_endian));
            assert_eq!(found, Some((name.to_owned(), bytes, big_endian)), "{descriptor}");
        }
        for descriptor in ["", "<", "c8", "<c8", "<f16", "|O", "|S3", "<U2", "<M8[ns]", "!f4", "<<f4", "\u{e9}"] {
            assert_eq!(FileType::of(descriptor), None, "{descriptor}");
        }
    }

    #[test]
    fn integers_are_exact_or_refused_by_value() {
        let whole = |descriptor: &str, bytes: &[u8]| {
            Conversion::new(FileType::of(descriptor).unwrap(), None).decode(bytes).map(|values| values[0])
        };
        for (descriptor, bytes, expected) in [
            ("|b1", &[0][..], 0.0),
            ("|b1", &[1], 1.0),
            ("|i1", &[0x80], -128.0),
            ("|u1", &[0xff], 255.0),
            ("<i2", &[0xfe, 0xff], -2.0),
            (">i2", &[0xff, 0xfe], -2.0),
            (">u2", &[1, 0], 256.0),
            ("<u4", &(1u32 << 24).to_le_bytes(), 16777216.0),
            (">i8", &i64::MIN.to_be_bytes(), -9223372036854775808.0),
            ("<u8", &(1u64 << 63).to_le_bytes(), 9223372036854775808.0),
        ] {
            assert_eq!(whole(descriptor, bytes), Ok(expected), "{descriptor} {bytes:?}");
        }
        for (descriptor, bytes, value) in [
            ("<i4", &((1i32 << 24) + 1).to_le_bytes()[..], "16777217"),
            (">i4", &(-(1i32 << 24) - 1).to_be_bytes(), "-16777217"),
            ("<i8", &i64::MAX.to_le_bytes(), "9223372036854775807"),
            ("<u8", &u64::MAX.to_le_bytes(), "18446744073709551615"),
        ] {
            let error = whole(descriptor, bytes).unwrap_err();
            assert!(
                error.contains(&format!("element 0 is {value}, which float32 doesn't have")),
                "{descriptor}: {error}"
            );
        }
        // Blocks are counted on.
        let mut conversion = Conversion::new(FileType::of("<i4").unwrap(), None);
        conversion.decode(&[0; 12]).unwrap();
        let error = conversion.decode(&[0, 0, 0, 0, 1, 0, 0, 1]).unwrap_err();
        assert!(error.starts_with("element 4 is 16777217"), "{error}");
    }

    #[test]
    fn values_are_rounded_once_to_the_nearest_even() {
        let f64s = |values: &[f64]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>();
        // Steps after 1: 2^-10 in float16, 2^-7 in bfloat16. Half of one is a tie, which a little more is not, even
        // where f32 doesn't hold that little.
        for (wanted, step) in [(ElementType::F16, 2f64.powi(-10)), (ElementType::Bf16, 2f64.powi(-7))] {
            let little = 2f64.powi(-40);
            let given = [1.0, 1.0 + step / 2.0, 1.0 + step / 2.0 + little, 1.0 + 1.5 * step, 1.0 + 1.5 * step - little];
            let expected = [1.0, 1.0, 1.0 + step, 1.0 + 2.0 * step, 1.0 + step];
            for sign in [1.0, -1.0] {
                let (values, note) = convert("float64", wanted, &f64s(&given.map(|value| sign * value)));
                assert_eq!(values, expected.map(|value| (sign * value) as f32), "{wanted}");
                assert_eq!(note.unwrap(), format!("converted from float64 to {wanted}"));
            }
        }
        let (values, _) = convert("float64", ElementType::F16, &f64s(&[2f64.powi(-24), 1e-300, -1e-300, 0.0]));
        assert_eq!(values.iter().map(|value| value.to_bits()).collect::<Vec<_>>(), [0x3380_0000, 0, 1 << 31, 0]);
    }

    #[test]
    fn overflow_to_infinity_is_said() {
        let doubles: Vec<u8> = [1e39, f64::INFINITY, f64::NAN, 65519.0, 65520.0, -1e300]
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        for (wanted, overflowed) in [(ElementType::F32, 2), (ElementType::F16, 3), (ElementType::Bf16, 2)] {
            let (values, note) = convert("float64", wanted, &doubles);
            assert_eq!((values[0], values[1], values[5]), (f32::INFINITY, f32::INFINITY, f32::NEG_INFINITY));
            assert!(values[2].is_nan(), "{wanted}");
            let expected = format!("{overflowed} finite values beyond {wanted} became infinite");
            assert!(note.as_ref().unwrap().contains(&expected), "{note:?}");
        }
        let singles: Vec<u8> = [1e5f32, 1.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        let (values, note) = convert("float32", ElementType::F16, &singles);
        assert_eq!(values, [f32::INFINITY, 1.0]);
        assert_eq!(note.unwrap(), "converted from float32 to float16; 1 finite values beyond float16 became infinite");
    }

    #[test]
    fn half_types_read_as_they_are() {
        let bits = [0x3c00u16, 0xc000, 0x7c00];
        let bytes: Vec<u8> = bits.iter().flat_map(|bits| bits.to_le_bytes()).collect();
        assert_eq!(convert("float16", ElementType::F16, &bytes), (vec![1.0, -2.0, f32::INFINITY], None));
        let said = Some("converted from float16 to float32".to_owned());
        assert_eq!(convert("float16", ElementType::F32, &bytes), (vec![1.0, -2.0, f32::INFINITY], said));
        let bits = [0x3f80u16, 0xc000, 0x7f80];
        let bytes: Vec<u8> = bits.iter().flat_map(|bits| bits.to_le_bytes()).collect();
        assert_eq!(convert("uint16", ElementType::Bf16, &bytes), (vec![1.0, -2.0, f32::INFINITY], None));
    }
}
