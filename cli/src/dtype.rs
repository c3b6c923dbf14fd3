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

/// How the elements of a `.npy` file become those of a tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conversion {
    from: FileType,
    to: ElementType,
    /// Finite values so far that became infinite.
    overflowed: usize,
}

/// What `.npy` files hold that is read.
#[derive(Clone, Copy, Debug, PartialEq)]
enum FileType {
    Float64,
    Element(ElementType),
}

impl Conversion {
    /// The conversion of a file of `numpy_type`, by NumPy's name of it, to `wanted`, or else to the type that is
    /// nearest to the file's. None for a file that cannot be converted.
    ///
    /// That `uint16` are the bits of bfloat16 is for the user to say.
    pub fn new(numpy_type: &str, wanted: Option<ElementType>) -> Option<Self> {
        let from = match numpy_type {
            "float64" => FileType::Float64,
            "float32" => FileType::Element(ElementType::F32),
            "float16" => FileType::Element(ElementType::F16),
            "uint16" if wanted == Some(ElementType::Bf16) => FileType::Element(ElementType::Bf16),
            _ => return None,
        };
        let nearest = match from {
            FileType::Float64 => ElementType::F32,
            FileType::Element(element_type) => element_type,
        };
        Some(Self { from, to: wanted.unwrap_or(nearest), overflowed: 0 })
    }

    /// The type of the tensor.
    pub fn element_type(&self) -> ElementType {
        self.to
    }

    /// Bytes of an element in the file.
    pub fn file_bytes(&self) -> usize {
        match self.from {
            FileType::Float64 => size_of::<f64>(),
            FileType::Element(element_type) => element_type.bytes() as usize,
        }
    }

    /// The values in a whole number of the file's elements, each rounded to the nearest of the tensor's type, ties to
    /// even.
    pub fn decode(&mut self, bytes: &[u8]) -> Vec<f32> {
        match self.from {
            FileType::Float64 => bytes
                .chunks_exact(size_of::<f64>())
                .map(|bytes| self.narrow(f64::from_le_bytes(bytes.try_into().expect("chunks of that size"))))
                .collect(),
            FileType::Element(from) => {
                let mut values = from.decode(bytes, bytes.len() / self.file_bytes());
                if from != self.to {
                    values.iter_mut().for_each(|value| *value = self.narrow(f64::from(*value)));
                }
                values
            }
        }
    }

    /// What the user should know of the values so far, if they are not those of the file.
    pub fn note(&self) -> Option<String> {
        let (from, to) = match self.from {
            FileType::Float64 => ("float64", self.to),
            FileType::Element(from) if from != self.to => (from.name(), self.to),
            FileType::Element(_) => return None,
        };
        let loss = match self.overflowed {
            0 => String::new(),
            overflowed => format!("; {overflowed} finite values beyond {to} became infinite"),
        };
        Some(format!("converted from {from} to {to}{loss}"))
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
        let mut conversion = Conversion::new(numpy_type, Some(wanted)).unwrap();
        assert_eq!(bytes.len() % conversion.file_bytes(), 0);
        let values = conversion.decode(bytes);
        (values, conversion.note())
    }

    #[test]
    fn the_type_is_the_wanted_or_the_files() {
        for (numpy_type, wanted, expected) in [
            ("float16", None, Some((ElementType::F16, 2))),
            ("float32", None, Some((ElementType::F32, 4))),
            ("float64", None, Some((ElementType::F32, 8))),
            ("uint16", None, None),
            ("float64", Some(ElementType::F16), Some((ElementType::F16, 8))),
            ("float16", Some(ElementType::Bf16), Some((ElementType::Bf16, 2))),
            ("uint16", Some(ElementType::Bf16), Some((ElementType::Bf16, 2))),
            ("uint16", Some(ElementType::F16), None),
            ("uint16", Some(ElementType::F32), None),
            ("int16", Some(ElementType::Bf16), None),
            ("big-endian float16", None, None),
        ] {
            let conversion = Conversion::new(numpy_type, wanted);
            let found = conversion.map(|conversion| (conversion.element_type(), conversion.file_bytes()));
            assert_eq!(found, expected, "{numpy_type} as {wanted:?}");
        }
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
