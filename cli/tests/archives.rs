//! Tensors from elsewhere: .npz archives, standard input, and types and headers of other programs; run as a user runs
//! them.

use std::fs::{self, File};
use std::io::Write;

use crate::common::{Workplace, npy, read, wave, write_wave};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const POOL: &str = "--kernel 1 --device cpu";

/// Writes an archive of those files, as NumPy does.
fn write_npz(place: &Workplace, name: &str, files: &[(&str, &[u8])], compression: CompressionMethod) {
    let mut archive = ZipWriter::new(File::create(place.path(name)).unwrap());
    for (name, bytes) in files {
        archive.start_file(*name, SimpleFileOptions::default().compression_method(compression)).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap();
}

fn singles(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[test]
fn one_array_of_an_archive_is_read() {
    let place = Workplace::new();
    let one = npy("<f4", "(1, 1, 3)", &singles(&[1.0, 2.0, 3.0]));
    let two = npy("<f4", "(1, 1, 2)", &singles(&[4.0, 5.0]));
    for compression in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        write_npz(&place, "one.npz", &[("arr_0.npy", &one)], compression);
        write_npz(&place, "two.npz", &[("b.npy", &two), ("a.npy", &one), ("note.txt", b"no array")], compression);
        for (arguments, expected) in [
            ("one.npz", &[1.0, 2.0, 3.0][..]),
            ("one.npz --array arr_0", &[1.0, 2.0, 3.0]),
            ("two.npz --array a", &[1.0, 2.0, 3.0]),
            ("two.npz --array b.npy", &[4.0, 5.0]),
        ] {
            place.succeed(&format!("forward --output y.npy {POOL} --input {arguments}"));
            assert_eq!(read(&place.path("y.npy")).as_slice().unwrap(), expected, "{arguments}, {compression}");
        }
        place.succeed(&format!(
            "backward --output gx.npy {POOL} --input two.npz --array a --grad-output one.npz --grad-array arr_0"
        ));
        write_npz(
            &place,
            "betas.npz",
            &[("x.npy", &npy("<f8", "(1,)", &2f64.to_le_bytes())), ("y.npy", &one)],
            compression,
        );
        place.succeed(&format!(
            "forward --output y.npy {POOL} --input one.npz --channel-betas betas.npz --betas-array x"
        ));
        // From a pipe, which cannot be read backwards.
        let archive = fs::read(place.path("two.npz")).unwrap();
        let (stdout, _) = place.pipe(&format!("forward --input - --array b --output - {POOL}"), &archive);
        assert!(stdout.ends_with(&singles(&[4.0, 5.0])), "{compression}");
    }
}

#[test]
fn archives_that_do_not_serve_are_explained() {
    let place = Workplace::new();
    let one = npy("<f4", "(1, 1, 3)", &singles(&[1.0, 2.0, 3.0]));
    write_npz(&place, "two.npz", &[("b.npy", &one), ("a.npy", &one)], CompressionMethod::Stored);
    write_npz(&place, "none.npz", &[("note.txt", b"no array")], CompressionMethod::Stored);
    write_npz(&place, "empty.npz", &[], CompressionMethod::Stored);
    write_npz(&place, "complex.npz", &[("c.npy", &npy("<c8", "(1, 1, 1)", &[0; 8]))], CompressionMethod::Stored);
    fs::write(place.path("one.npy"), &one).unwrap();
    let archive = fs::read(place.path("two.npz")).unwrap();
    fs::write(place.path("cut.npz"), &archive[..archive.len() / 2]).unwrap();
    // A value of b in the archive, which has a checksum.
    let mut damaged = archive.clone();
    let value = damaged.windows(4).position(|bytes| bytes == 3f32.to_le_bytes()).unwrap();
    damaged[value] ^= 1;
    fs::write(place.path("damaged.npz"), &damaged).unwrap();
    let before = place.files();
    for (arguments, expected) in [
        ("--input two.npz", &["two.npz: holds 2 arrays: choose one by --array: a, b"][..]),
        ("--input two.npz --array c", &["two.npz: holds no array c: choose one by --array: a, b"]),
        ("--input one.npy --array a", &["one.npy: is no .npz archive: leave --array a out"]),
        ("--input none.npz", &["none.npz: is a .npz archive without an array"]),
        ("--input empty.npz", &["empty.npz: is a .npz archive without an array"]),
        ("--input complex.npz", &["complex.npz: c in it holds complex64"]),
        ("--input cut.npz", &["cut.npz: is no valid .npz archive"]),
        ("--input damaged.npz --array b", &["damaged.npz: b in it cannot be read", "checksum"]),
        ("--input one.npy --betas-array b", &["--channel-betas"]),
        ("--input - --channel-betas -", &["--input - and --channel-betas -: standard input can be read once"]),
    ] {
        place.refuse(&format!("forward --output y.npy {POOL} {arguments}"), expected);
        assert_eq!(place.files(), before, "{arguments}");
    }
    for (arguments, expected) in [
        ("--input one.npy --grad-output two.npz", &["two.npz: holds 2 arrays: choose one by --grad-array: a, b"][..]),
        ("--input - --grad-output -", &["--input - and --grad-output -: standard input can be read once"]),
    ] {
        place.refuse(&format!("backward --output y.npy {POOL} {arguments}"), expected);
        assert_eq!(place.files(), before, "{arguments}");
    }
}

#[test]
fn standard_input_is_a_file_like_others() {
    let place = Workplace::new();
    write_wave(&place.path("x.npy"), &[1, 2, 8]);
    write_wave(&place.path("g.npy"), &[1, 2, 4]);
    let (x, g) = (fs::read(place.path("x.npy")).unwrap(), fs::read(place.path("g.npy")).unwrap());
    place.succeed("forward --input x.npy --output y.npy --kernel 2 --device cpu");
    place.succeed("backward --input x.npy --grad-output g.npy --output gx.npy --kernel 2 --device cpu");
    for device in ["cpu", "auto"] {
        let (stdout, stderr) = place.pipe(&format!("forward --input - --output - --kernel 2 --device {device}"), &x);
        assert_eq!(stdout.len(), fs::read(place.path("y.npy")).unwrap().len(), "{device}");
        assert!(stderr.contains("-: float32 1x2x4"), "{stderr}");
    }
    let (stdout, _) = place.pipe("forward --input - --output - --kernel 2 --device cpu", &x);
    assert_eq!(stdout, fs::read(place.path("y.npy")).unwrap());
    let command = "backward --input x.npy --grad-output - --output - --kernel 2 --device cpu --grad-beta";
    let (stdout, stderr) = place.pipe(command, &g);
    assert_eq!(stdout, fs::read(place.path("gx.npy")).unwrap());
    assert!(stderr.contains("grad_beta: "), "{stderr}");
}

#[test]
fn every_type_of_number_is_read() {
    let place = Workplace::new();
    let values = [0i8, 1, 2, 5, 100, 127];
    fn bytes<const SIZE: usize>(values: [i8; 6], bytes: impl Fn(i8) -> [u8; SIZE]) -> Vec<u8> {
        values.into_iter().flat_map(bytes).collect()
    }
    let half = |value: i8| softpool::ElementType::F16.encode(&[value.into()])[..2].to_vec();
    for (descriptor, data) in [
        ("|i1", bytes(values, i8::to_le_bytes)),
        ("|u1", bytes(values, |value| (value as u8).to_le_bytes())),
        ("<i2", bytes(values, |value| (value as i16).to_le_bytes())),
        (">i2", bytes(values, |value| (value as i16).to_be_bytes())),
        ("<u2", bytes(values, |value| (value as u16).to_le_bytes())),
        (">u2", bytes(values, |value| (value as u16).to_be_bytes())),
        ("<i4", bytes(values, |value| (value as i32).to_le_bytes())),
        (">i4", bytes(values, |value| (value as i32).to_be_bytes())),
        ("<u4", bytes(values, |value| (value as u32).to_le_bytes())),
        (">u4", bytes(values, |value| (value as u32).to_be_bytes())),
        ("<i8", bytes(values, |value| (value as i64).to_le_bytes())),
        (">i8", bytes(values, |value| (value as i64).to_be_bytes())),
        ("<u8", bytes(values, |value| (value as u64).to_le_bytes())),
        (">u8", bytes(values, |value| (value as u64).to_be_bytes())),
        ("<f2", values.iter().flat_map(|&value| half(value)).collect()),
        (">f2", values.iter().flat_map(|&value| half(value).into_iter().rev()).collect()),
        ("<f4", bytes(values, |value| (value as f32).to_le_bytes())),
        (">f4", bytes(values, |value| (value as f32).to_be_bytes())),
        ("<f8", bytes(values, |value| (value as f64).to_le_bytes())),
        (">f8", bytes(values, |value| (value as f64).to_be_bytes())),
    ] {
        fs::write(place.path("x.npy"), npy(descriptor, "(1, 1, 2, 3)", &data)).unwrap();
        let run = place.succeed(&format!("forward --input x.npy --output y.npy {POOL} --dtype f32"));
        assert!(read(&place.path("y.npy")).iter().copied().eq(values.map(f32::from)), "{descriptor}");
        assert_eq!(run.stderr.contains("converted"), !descriptor.ends_with("f4"), "{descriptor}: {run:?}");
    }
    fs::write(place.path("x.npy"), npy("|b1", "(1, 1, 3)", &[1, 0, 1])).unwrap();
    place.succeed(&format!("forward --input x.npy --output y.npy {POOL}"));
    assert_eq!(read(&place.path("y.npy")).as_slice().unwrap(), [1.0, 0.0, 1.0]);
}

#[test]
fn five_axes_are_a_volume() {
    let place = Workplace::new();
    fs::write(place.path("x.npy"), npy("<f4", "(1L, 1L, 2L, 2L, 2L)", &singles(&[1.0; 8]))).unwrap();
    place.succeed("forward --input x.npy --output y.npy --kernel 2 --device cpu");
    assert_eq!(read(&place.path("y.npy")).shape(), [1, 1, 1, 1, 1]);
    fs::write(place.path("x.npy"), npy("<f4", "(1, 1, 1, 1, 1, 1)", &singles(&[wave(0)]))).unwrap();
    place.refuse("forward --input x.npy --output y.npy --kernel 1", &["(1, 1, 1, 1, 1, 1)", "6 axes"]);
    fs::write(place.path("x.npy"), npy("<f4", "()", &singles(&[wave(0)]))).unwrap();
    place.refuse("forward --input x.npy --output y.npy --kernel 1", &["shape () (0-d, a single number)"]);
}
