//! The digits: IDX files, read and checked, and the batches made of them.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use burn::data::dataloader::batcher::Batcher;
use burn::tensor::{Device, Int, Tensor, TensorData};
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use thiserror::Error;

/// An image's height and width.
pub const SIDE: usize = 28;
const PIXELS: usize = SIDE * SIDE;
/// Digits from 0 to 9.
pub const CLASSES: usize = 10;

/// Mean and standard deviation of MNIST's pixels, from 0 to 1: usual for this data set, so results compare.
const PIXEL_MEAN: f32 = 0.1307;
const PIXEL_DEVIATION: f32 = 0.3081;

/// Names of the files, as MNIST is published, with and without `.gz`.
const TRAIN: [&str; 2] = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"];
const TEST: [&str; 2] = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];
const SUMS: &str = "SHA256SUMS";

/// One image, and what it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigitImage {
    pub pixels: [u8; PIXELS],
    pub digit: u8,
}

/// The images to train on, and those to test on.
#[derive(Clone, Debug)]
pub struct Digits {
    pub train: Vec<DigitImage>,
    pub test: Vec<DigitImage>,
    /// SHA-256 of all of them, in hexadecimal: a run continues on the same ones only.
    pub sha256: String,
}

/// A file of the data that can't be used.
#[derive(Debug, Error)]
#[error("{file}: {problem}", file = file.display())]
pub struct DataError {
    file: PathBuf,
    problem: Problem,
}

#[derive(Debug, Error)]
enum Problem {
    #[error(
        "not there, nor with .gz; the folder must hold MNIST's four IDX files: copy them there, or leave out --data"
    )]
    Missing,
    #[error("can't be read: {0}")]
    Read(io::Error),
    #[error("its SHA-256 is {found}, but {SUMS} says {stated}: the file was changed or damaged; restore it")]
    Checksum { found: String, stated: String },
    #[error("{SUMS} has no line for it, or the line is not 64 hexadecimal digits and a name; restore {SUMS}")]
    NoChecksum,
    #[error("not a whole gzip file ({0}): get it again")]
    Gzip(io::Error),
    #[error("ends inside its header of {header} bytes, after {found}: get it again")]
    ShortHeader { found: usize, header: usize },
    #[error(
        "starts with {found:02x?}, but an IDX file of bytes on {axes} axes starts with {expected:02x?}: not the file that its name says"
    )]
    Magic { found: [u8; 4], expected: [u8; 4], axes: usize },
    #[error("its images are {height}x{width}; the network takes {SIDE}x{SIDE}: scale them, or use MNIST's own")]
    Size { height: usize, width: usize },
    #[error("it holds no images; at least one is needed")]
    Empty,
    #[error("its header promises {promised} bytes, but {found} follow: it is cut off or was appended to; get it again")]
    Length { promised: u64, found: String },
    #[error("{labels} labels for {images} images: the two files must come from one data set")]
    Count { labels: usize, images: usize },
    #[error("label {index} is {found}; labels are digits, 0 to 9: not MNIST's file")]
    Label { index: usize, found: u8 },
}

impl Digits {
    /// The digits that come with this example, checked against the checksums that were compiled in.
    pub fn own() -> Result<Self, DataError> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/resnet/data");
        Self::read(&folder, Some(include_str!("data/SHA256SUMS")))
    }

    /// The digits in somebody's folder: checked against its SHA256SUMS, if it has one.
    pub fn in_folder(folder: &Path) -> Result<Self, DataError> {
        let file = folder.join(SUMS);
        match std::fs::read_to_string(&file) {
            Ok(sums) => Self::read(folder, Some(&sums)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::read(folder, None),
            Err(error) => Err(DataError { file, problem: Problem::Read(error) }),
        }
    }

    fn read(folder: &Path, sums: Option<&str>) -> Result<Self, DataError> {
        let mut digest = Sha256::new();
        let mut read = |names| read_images(folder, names, sums, &mut digest);
        let (train, test) = (read(TRAIN)?, read(TEST)?);
        Ok(Self { train, test, sha256: hexadecimal(&digest.finalize()) })
    }
}

fn read_images(
    folder: &Path,
    [images, labels]: [&str; 2],
    sums: Option<&str>,
    digest: &mut Sha256,
) -> Result<Vec<DigitImage>, DataError> {
    let image_file = find(folder, images)?;
    let ([count, height, width], pixels) =
        read_file(&image_file, sums).map_err(|problem| DataError { file: image_file.clone(), problem })?;
    let wrong_images = |problem| Err(DataError { file: image_file.clone(), problem });
    if (height, width) != (SIDE, SIDE) {
        return wrong_images(Problem::Size { height, width });
    }
    if count == 0 {
        return wrong_images(Problem::Empty);
    }
    let label_file = find(folder, labels)?;
    let ([label_count], digits) =
        read_file(&label_file, sums).map_err(|problem| DataError { file: label_file.clone(), problem })?;
    let wrong_labels = |problem| Err(DataError { file: label_file.clone(), problem });
    if label_count != count {
        return wrong_labels(Problem::Count { labels: label_count, images: count });
    }
    if let Some(index) = digits.iter().position(|&digit| usize::from(digit) >= CLASSES) {
        return wrong_labels(Problem::Label { index, found: digits[index] });
    }
    digest.update(&pixels);
    digest.update(&digits);
    let pixels = pixels.chunks_exact(PIXELS).map(|image| std::array::from_fn(|pixel| image[pixel]));
    Ok(pixels.zip(digits).map(|(pixels, digit)| DigitImage { pixels, digit }).collect())
}

/// The file of this name, or its compressed form.
fn find(folder: &Path, name: &str) -> Result<PathBuf, DataError> {
    let (plain, compressed) = (folder.join(name), folder.join(format!("{name}.gz")));
    if compressed.exists() {
        Ok(compressed)
    } else if plain.exists() {
        Ok(plain)
    } else {
        Err(DataError { file: plain, problem: Problem::Missing })
    }
}

/// The sizes of the axes, and the data.
fn read_file<const AXES: usize>(file: &Path, sums: Option<&str>) -> Result<([usize; AXES], Vec<u8>), Problem> {
    if let Some(sums) = sums {
        check_sum(file, sums)?;
    }
    let stream = File::open(file).map_err(Problem::Read)?;
    if file.extension().is_some_and(|extension| extension == "gz") {
        read_idx(GzDecoder::new(stream), Problem::Gzip)
    } else {
        read_idx(stream, Problem::Read)
    }
}

fn check_sum(file: &Path, sums: &str) -> Result<(), Problem> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let lines = sums.lines().filter_map(|line| line.split_once("  "));
    let stated = lines.into_iter().find_map(|(stated, of)| (of == name).then_some(stated));
    let stated = stated.filter(|stated| stated.len() == 64 && stated.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let stated = stated.ok_or(Problem::NoChecksum)?;
    let mut digest = Sha256::new();
    io::copy(&mut File::open(file).map_err(Problem::Read)?, &mut digest).map_err(Problem::Read)?;
    let found = hexadecimal(&digest.finalize());
    if !found.eq_ignore_ascii_case(stated) {
        return Err(Problem::Checksum { found, stated: stated.to_owned() });
    }
    Ok(())
}

/// Reads the IDX format: two zeros, the element type (8: unsigned bytes), the number of axes, their sizes (big-endian),
/// the data.
fn read_idx<const AXES: usize>(
    mut stream: impl Read,
    unreadable: impl Fn(io::Error) -> Problem,
) -> Result<([usize; AXES], Vec<u8>), Problem> {
    let length = 4 + 4 * AXES;
    let mut header = Vec::new();
    stream.by_ref().take(length as u64).read_to_end(&mut header).map_err(&unreadable)?;
    let expected = [0, 0, 8, AXES as u8];
    if let Some(&found) = header.first_chunk::<4>().filter(|&&found| found != expected) {
        return Err(Problem::Magic { found, expected, axes: AXES });
    }
    if header.len() < length {
        return Err(Problem::ShortHeader { found: header.len(), header: length });
    }
    let word = |index: usize| u32::from_be_bytes(std::array::from_fn(|byte| header[4 * index + byte]));
    let sizes: [u32; AXES] = std::array::from_fn(|axis| word(1 + axis));
    let promised = sizes.iter().fold(1_u64, |product, &size| product.saturating_mul(size.into()));

    // One byte more than promised shows that there is more, without reading all of it; a header that lies costs nothing.
    let mut data = Vec::new();
    stream.take(promised.saturating_add(1)).read_to_end(&mut data).map_err(&unreadable)?;
    if data.len() as u64 != promised {
        let found = if data.len() as u64 > promised { "more".to_owned() } else { data.len().to_string() };
        return Err(Problem::Length { promised, found });
    }
    Ok((sizes.map(|size| size as usize), data))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Images of (N, 1, H, W), standardised, and their digits, (N).
#[derive(Clone, Debug)]
pub struct DigitBatch {
    pub images: Tensor<4>,
    pub digits: Tensor<1, Int>,
}

/// Makes batches.
#[derive(Clone, Copy, Debug)]
pub struct DigitBatcher;

impl Batcher<DigitImage, DigitBatch> for DigitBatcher {
    fn batch(&self, items: Vec<DigitImage>, device: &Device) -> DigitBatch {
        let standardised = |&pixel: &u8| (f32::from(pixel) / 255.0 - PIXEL_MEAN) / PIXEL_DEVIATION;
        let pixels: Vec<f32> = items.iter().flat_map(|item| item.pixels.iter().map(standardised)).collect();
        let digits: Vec<i32> = items.iter().map(|item| item.digit.into()).collect();
        DigitBatch {
            images: Tensor::from_data(TensorData::new(pixels, [items.len(), 1, SIDE, SIDE]), device),
            digits: Tensor::from_data(TensorData::new(digits, [items.len()]), device),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tempfile::TempDir;

    fn idx(sizes: &[u32], data: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, sizes.len() as u8];
        bytes.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
        bytes.extend(data);
        bytes
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn images(count: u8) -> Vec<u8> {
        let pixels: Vec<u8> = (0..count).flat_map(|image| [image; PIXELS]).collect();
        idx(&[count.into(), SIDE as u32, SIDE as u32], &pixels)
    }

    /// A folder with two training images and one to test, plain, in which a test then breaks something.
    fn folder() -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        write(&folder, TRAIN[0], &images(2));
        write(&folder, TRAIN[1], &idx(&[2], &[7, 9]));
        write(&folder, TEST[0], &images(1));
        write(&folder, TEST[1], &idx(&[1], &[0]));
        folder
    }

    fn write(folder: &TempDir, name: &str, bytes: &[u8]) {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }

    /// What reading the folder says is wrong, which must name the file at fault.
    #[track_caller]
    fn problem(folder: &TempDir, file: &str) -> String {
        let message = Digits::in_folder(folder.path()).expect_err("read in spite of the fault").to_string();
        let named = format!("{}: ", folder.path().join(file).display());
        message.strip_prefix(&named).unwrap_or_else(|| panic!("{file} is not named: {message}")).to_owned()
    }

    #[test]
    fn own_digits_are_whole() {
        let digits = Digits::own().unwrap();
        assert_eq!((digits.train.len(), digits.test.len()), (8000, 2000));
        let of = |set: &[DigitImage], digit| set.iter().filter(|image| image.digit == digit).count();
        for digit in 0..10 {
            let (train, test) = (of(&digits.train, digit), of(&digits.test, digit));
            assert!((4 * test).abs_diff(train) <= 4, "{digit}: {train} to train on, {test} to test on");
        }
        assert!(digits.test.iter().all(|image| !digits.train.contains(image)), "a test image is trained on");
    }

    #[test]
    fn plain_and_compressed_files_are_read_alike() {
        let folder = folder();
        let plain = Digits::in_folder(folder.path()).unwrap();
        assert_eq!(plain.train[1], DigitImage { pixels: [1; PIXELS], digit: 9 });
        for name in [TRAIN, TEST].concat() {
            let bytes = std::fs::read(folder.path().join(name)).unwrap();
            write(&folder, &format!("{name}.gz"), &gzip(&bytes));
            std::fs::remove_file(folder.path().join(name)).unwrap();
        }
        let compressed = Digits::in_folder(folder.path()).unwrap();
        assert_eq!((plain.train, plain.test, plain.sha256), (compressed.train, compressed.test, compressed.sha256));
    }

    #[test]
    fn a_missing_file_is_named() {
        for name in [TRAIN, TEST].concat() {
            let folder = folder();
            std::fs::remove_file(folder.path().join(name)).unwrap();
            assert!(problem(&folder, name).starts_with("not there, nor with .gz"));
        }
    }

    #[test]
    fn a_file_cut_off_anywhere_is_refused() {
        let whole = images(2);
        for length in [0, 3, 4, 15, 16, 17, whole.len() - 1] {
            let folder = folder();
            write(&folder, TRAIN[0], &whole[..length]);
            let message = problem(&folder, TRAIN[0]);
            let expected = match length {
                ..16 => format!("ends inside its header of 16 bytes, after {length}"),
                _ => format!("its header promises 1568 bytes, but {} follow", length - 16),
            };
            assert!(message.starts_with(&expected), "{length}: {message}");
        }
        let compressed = gzip(&whole);
        for length in [0, 5, compressed.len() / 2, compressed.len() - 1] {
            let folder = folder();
            write(&folder, &format!("{}.gz", TRAIN[0]), &compressed[..length]);
            let message = problem(&folder, &format!("{}.gz", TRAIN[0]));
            assert!(message.starts_with("not a whole gzip file"), "{length}: {message}");
        }
    }

    #[test]
    fn more_than_promised_is_refused() {
        let folder = folder();
        write(&folder, TEST[1], &idx(&[1], &[0, 0]));
        assert!(problem(&folder, TEST[1]).starts_with("its header promises 1 bytes, but more follow"));
    }

    #[test]
    fn a_header_that_lies_costs_nothing() {
        let folder = folder();
        write(&folder, TRAIN[0], &idx(&[u32::MAX, u32::MAX, u32::MAX], &[0; 9]));
        assert!(problem(&folder, TRAIN[0]).ends_with("but 9 follow: it is cut off or was appended to; get it again"));
    }

    #[test]
    fn other_files_are_refused() {
        let cases: [(&str, Vec<u8>, &str); 6] = [
            (TRAIN[0], idx(&[2], &[7, 9]), "starts with [00, 00, 08, 01], but an IDX file of bytes on 3 axes"),
            (TRAIN[0], b"\x89PNG....................".to_vec(), "starts with [89, 50, 4e, 47]"),
            (TRAIN[0], idx(&[2, 14, 56], &[0; 2 * PIXELS]), "its images are 14x56; the network takes 28x28"),
            (TEST[0], idx(&[0, 28, 28], &[]), "it holds no images"),
            (TRAIN[1], idx(&[3], &[7, 9, 1]), "3 labels for 2 images"),
            (TRAIN[1], idx(&[2], &[7, 10]), "label 1 is 10; labels are digits, 0 to 9"),
        ];
        for (name, bytes, expected) in cases {
            let folder = folder();
            write(&folder, name, &bytes);
            let message = problem(&folder, name);
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn checksums_are_checked() {
        let folder = folder();
        let sums: String = [TRAIN, TEST]
            .concat()
            .iter()
            .map(|name| {
                let bytes = std::fs::read(folder.path().join(name)).unwrap();
                format!("{}  {name}\n", hexadecimal(&Sha256::digest(bytes)))
            })
            .collect();
        write(&folder, SUMS, sums.as_bytes());
        Digits::in_folder(folder.path()).unwrap();
        write(&folder, TEST[1], &idx(&[1], &[1]));
        assert!(problem(&folder, TEST[1]).contains("the file was changed or damaged"));
        for broken in [sums.replace(TEST[1], "another"), sums.replace("  ", " ")] {
            write(&folder, SUMS, broken.as_bytes());
            let message = Digits::in_folder(folder.path()).unwrap_err().to_string();
            assert!(message.contains("has no line for it"), "{message}");
        }
    }

    #[test]
    fn batches_are_standardised() {
        let items = vec![DigitImage { pixels: [0; PIXELS], digit: 3 }, DigitImage { pixels: [255; PIXELS], digit: 8 }];
        let batch = DigitBatcher.batch(items, &Device::flex());
        assert_eq!(batch.images.dims(), [2, 1, SIDE, SIDE]);
        assert_eq!(batch.digits.into_data().convert::<i64>().try_to_vec::<i64>().unwrap(), [3, 8]);
        let pixels = batch.images.into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(pixels[0], (0.0 - PIXEL_MEAN) / PIXEL_DEVIATION);
        assert_eq!(pixels[PIXELS], (1.0 - PIXEL_MEAN) / PIXEL_DEVIATION);
    }
}
