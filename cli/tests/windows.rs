//! `--output-size`, `--global` and tensors without a batch, run as a user runs them.

use std::fs;

use crate::common::{Workplace, assert_close, read, write_as, write_wave};
use ndarray::{ArrayD, Axis};
use ndarray_npy::write_npy;
use softpool::ElementType;

#[test]
fn adaptive_windows_are_pytorchs() {
    let place = Workplace::new();
    // Windows 0 and 1, 1 to 3, 3 and 4; averaged.
    write_as(&place.path("x.npy"), ElementType::F32, &[1, 1, 5], &[1.0, 2.0, 4.0, 6.0, 9.0]);
    write_as(&place.path("g.npy"), ElementType::F32, &[1, 1, 3], &[2.0, 3.0, 4.0]);
    for device in ["auto", "cpu"] {
        let options = format!("--output-size 3 --beta 0 --device {device}");
        place.succeed(&format!("forward --input x.npy --output y.npy {options}"));
        let expected = ArrayD::from_shape_vec(vec![1, 1, 3], vec![1.5, 4.0, 7.5]).unwrap();
        assert_close(&read(&place.path("y.npy")), &expected, device);
        place.succeed(&format!("backward --input x.npy --grad-output g.npy --output gx.npy {options}"));
        let expected = ArrayD::from_shape_vec(vec![1, 1, 5], vec![1.0, 2.0, 1.0, 3.0, 2.0]).unwrap();
        assert_close(&read(&place.path("gx.npy")), &expected, device);
    }
}

#[test]
fn adaptive_windows_that_divide_are_kernels() {
    let place = Workplace::new();
    for (shape, adaptive, kernel, pooled) in [
        (&[2, 3, 12][..], "--output-size 4", "--kernel 3", &[2, 3, 4][..]),
        (&[2, 3, 6, 9], "--output-size 3", "--kernel 2,3", &[2, 3, 3, 3]),
        (&[2, 3, 6, 9], "--output-size 3,-", "--kernel 2,1", &[2, 3, 3, 9]),
        (&[2, 3, 6, 9], "--output-size 2,9", "--kernel 3,1", &[2, 3, 2, 9]),
        (&[2, 3, 6, 9], "--global", "--kernel 6,9", &[2, 3, 1, 1]),
        (&[1, 2, 3, 4, 5], "--global", "--kernel 3,4,5", &[1, 2, 1, 1, 1]),
        (&[2, 3, 6], "--output-size 3,3", "--kernel 1,2", &[2, 3, 3]),
    ] {
        write_wave(&place.path("x.npy"), shape);
        write_wave(&place.path("g.npy"), pooled);
        for device in ["auto", "cpu"] {
            for (name, windows) in [("a", adaptive), ("k", kernel)] {
                let options = format!("{windows} --beta 2 --device {device}");
                place.succeed(&format!("forward --input x.npy --output y-{name}.npy {options}"));
                place.succeed(&format!("backward --input x.npy --grad-output g.npy --output gx-{name}.npy {options}"));
            }
            assert_eq!(read(&place.path("y-a.npy")).shape(), pooled, "{adaptive}");
            for [adaptive, kernel] in [["y-a.npy", "y-k.npy"], ["gx-a.npy", "gx-k.npy"]] {
                assert_close(&read(&place.path(adaptive)), &read(&place.path(kernel)), device);
            }
        }
    }
}

#[test]
fn a_tensor_without_a_batch_is_a_batch_of_one() {
    let place = Workplace::new();
    for (shape, options) in [
        (&[3, 17][..], "--unbatched --kernel 3"),
        (&[3, 17], "--unbatched --output-size 5"),
        (&[3, 9, 11], "--kernel 3,2 --padding 1"),
        (&[3, 9, 11], "--unbatched --kernel 3"),
        (&[3, 9, 11], "--output-size 4,7"),
        (&[3, 9, 11], "--unbatched --global"),
        (&[2, 5, 6, 7], "--kernel 3,2,2"),
        (&[2, 5, 6, 7], "--unbatched --kernel 3,2,2 --stride 2"),
        (&[2, 5, 6, 7], "--unbatched --kernel 2"),
    ] {
        write_wave(&place.path("x.npy"), shape);
        write_npy(place.path("x1.npy"), &read(&place.path("x.npy")).insert_axis(Axis(0))).unwrap();
        for device in ["auto", "cpu"] {
            let what = format!("{shape:?} {options} on {device}");
            let batched = options.replace("--unbatched", "");
            place.succeed(&format!("forward --input x1.npy --output y1.npy {batched} --device {device}"));
            let run = place.succeed(&format!("forward --input x.npy --output y.npy {options} --device {device}"));
            let (y, y1) = (read(&place.path("y.npy")), read(&place.path("y1.npy")));
            assert_eq!(y.clone().insert_axis(Axis(0)), y1, "{what}");
            let dims: Vec<String> = y.shape().iter().map(usize::to_string).collect();
            assert!(run.stdout.starts_with(&format!("y.npy: float32 {}\n", dims.join("x"))), "{run:?}");
            // Gradients of beta don't tell one from the other.
            for (x, g, gx, options) in [("x", "y", "gx", options), ("x1", "y1", "gx1", &*batched)] {
                place.succeed(&format!(
                    "backward --input {x}.npy --grad-output {g}.npy --output {gx}.npy --grad-beta b-{gx}.npy {options} \
                     --device {device}"
                ));
            }
            assert_eq!(read(&place.path("gx.npy")).insert_axis(Axis(0)), read(&place.path("gx1.npy")), "{what}");
            assert_eq!(fs::read(place.path("b-gx.npy")).unwrap(), fs::read(place.path("b-gx1.npy")).unwrap(), "{what}");
        }
    }
}

#[test]
fn one_number_leaves_three_axes_a_batch() {
    let place = Workplace::new();
    write_wave(&place.path("x.npy"), &[2, 3, 8]);
    for (options, shape) in [
        ("--kernel 2", [2, 3, 4]),
        ("--output-size 2", [2, 3, 2]),
        ("--global", [2, 3, 1]),
        ("--kernel 2,2", [2, 1, 4]),
        ("--kernel 2 --unbatched", [2, 1, 4]),
    ] {
        place.succeed(&format!("forward --input x.npy --output y.npy {options} --device cpu"));
        assert_eq!(read(&place.path("y.npy")).shape(), shape, "{options}");
    }
}

#[test]
fn wrong_sizes_and_axes_are_explained() {
    let place = Workplace::new();
    write_wave(&place.path("x.npy"), &[1, 2, 6, 7]);
    write_wave(&place.path("sample.npy"), &[2, 6, 7]);
    write_wave(&place.path("row.npy"), &[2, 6]);
    write_wave(&place.path("volume.npy"), &[1, 2, 3, 4, 5]);
    write_wave(&place.path("g.npy"), &[1, 2, 3, 3]);
    let before = place.files();
    for (arguments, expected) in [
        ("--input x.npy", &["required", "--kernel <K>|--output-size <SIZE>|--global"][..]),
        ("--input x.npy --output-size 0", &["output size 0 along height"]),
        ("--input x.npy --output-size x", &["--output-size", "'x' is no whole number"]),
        (
            "--input sample.npy --output-size 1,1,1",
            &["sample.npy: shape 2x6x7", "takes (N, C, D, H, W) or (C, D, H, W)"],
        ),
        ("--input x.npy --output-size 2 --kernel 2", &["cannot be used with", "--kernel <K>", "--output-size <SIZE>"]),
        ("--input x.npy --output-size 2 --global", &["cannot be used with", "--global", "--output-size <SIZE>"]),
        ("--input x.npy --output-size 2 --stride 2", &["cannot be used with", "--stride <S>"]),
        ("--input x.npy --output-size 2 --padding 1", &["cannot be used with", "--padding <P>"]),
        ("--input x.npy --output-size 2 --dilation 1", &["cannot be used with", "--dilation <D>"]),
        ("--input x.npy --output-size 2 --ceil-mode", &["cannot be used with", "--ceil-mode"]),
        ("--input x.npy --global --stride 2", &["cannot be used with", "--global"]),
        (
            "--input x.npy --kernel 2,2 --unbatched",
            &[
                "x.npy: shape 1x2x6x7 is (C, D, H, W) with --unbatched",
                "--kernel 2,2 has 2 values",
                "leave --unbatched out",
            ],
        ),
        ("--input row.npy --kernel 2", &["row.npy: shape 2x6 has no spatial axis", "--unbatched with (C, L)"]),
        ("--input row.npy --output-size 2,2", &["row.npy: shape 2x6", "takes (N, C, H, W) or (C, H, W)"]),
        ("--input volume.npy --kernel 2,2", &["volume.npy: shape 1x2x3x4x5", "takes (N, C, H, W) or (C, H, W)"]),
        ("--input volume.npy --kernel 2 --unbatched", &["volume.npy: shape 1x2x3x4x5 with --unbatched: give (C, L)"]),
        ("--input sample.npy --kernel 2 --stride 1,1", &["sample.npy", "--stride 1,1 has 2 values", "axes are 1"]),
    ] {
        place.refuse(&format!("forward --output y.npy {arguments}"), expected);
        assert_eq!(place.files(), before, "{arguments}");
    }
    place.refuse(
        "backward --input sample.npy --grad-output g.npy --output gx.npy --kernel 2,2",
        &["g.npy: its shape is 1x2x3x3, but sample.npy of shape 2x6x7 is pooled to 2x3x3"],
    );
}
