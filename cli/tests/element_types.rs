//! `--dtype` and the element types of files, run as a user runs them.

use crate::common;
use std::fs;

use crate::common::{Workplace, npy, read, read_as, wave, write_as};
use ndarray::{ArrayD, IxDyn};
use ndarray_npy::write_npy;
use softpool::ElementType;

const HALVES: [(ElementType, &str); 2] = [(ElementType::F16, "f16"), (ElementType::Bf16, "bf16")];

const SHAPE: [usize; 4] = [1, 3, 5, 5];
const POOLED: [usize; 4] = [1, 3, 3, 3];
const WINDOWS: &str = "--kernel 3 --stride 2 --padding 1";

/// Half the step from 1 to the next value: what rounding may take, relative to a value.
fn half_step(element_type: ElementType) -> f32 {
    match element_type {
        ElementType::F32 => 2f32.powi(-24),
        ElementType::F16 => 2f32.powi(-11),
        ElementType::Bf16 => 2f32.powi(-8),
    }
}

fn waves(shape: &[usize]) -> Vec<f32> {
    (0..shape.iter().product()).map(wave).collect()
}

#[test]
fn results_are_those_of_rounded_inputs_rounded_once() {
    let place = Workplace::new();
    for (element_type, dtype) in HALVES {
        write_as(&place.path("x.npy"), element_type, &SHAPE, &waves(&SHAPE));
        write_as(&place.path("g.npy"), element_type, &POOLED, &waves(&POOLED));
        let rounded = |shape: &[usize]| waves(shape).into_iter().map(|x| element_type.round(x)).collect::<Vec<_>>();
        write_as(&place.path("x4.npy"), ElementType::F32, &SHAPE, &rounded(&SHAPE));
        write_as(&place.path("g4.npy"), ElementType::F32, &POOLED, &rounded(&POOLED));
        place.succeed(&format!("forward --input x4.npy --output y4.npy --lse l4.npy {WINDOWS} --device cpu"));
        place.succeed(&format!("backward --input x4.npy --grad-output g4.npy --output gx4.npy {WINDOWS} --device cpu"));
        for device in ["cpu", "auto"] {
            let options = format!("{WINDOWS} --dtype {dtype} --device {device}");
            let run = place.succeed(&format!("forward --input x.npy --output y.npy --lse l.npy {options}"));
            let expected = format!("y.npy: {element_type} 1x3x3x3\nl.npy: float32 1x3x3x3\n");
            assert!(run.stdout.starts_with(&expected), "{run:?}");
            let run = place.succeed(&format!("backward --input x.npy --grad-output g.npy --output gx.npy {options}"));
            assert!(run.stdout.starts_with(&format!("gx.npy: {element_type} 1x3x5x5\n")), "{run:?}");
            for (name, single, shape) in [("y.npy", "y4.npy", POOLED), ("gx.npy", "gx4.npy", SHAPE)] {
                let got = read_as(&place.path(name), element_type, &shape);
                for (got, &expected) in got.into_iter().zip(&read(&place.path(single))) {
                    if device == "cpu" {
                        assert_eq!(got, element_type.round(expected), "{name} of {dtype}");
                    } else {
                        let tolerance = half_step(element_type) * expected.abs() + 1e-5;
                        assert!((got - expected).abs() <= tolerance, "{name} of {dtype}: {got} for {expected}");
                    }
                }
            }
            common::assert_close(&read(&place.path("l.npy")), &read(&place.path("l4.npy")), dtype);
        }
    }
}

#[test]
fn the_type_is_the_files_unless_another_is_asked_for() {
    let place = Workplace::new();
    let double = ArrayD::from_shape_vec(IxDyn(&SHAPE), waves(&SHAPE)).unwrap().mapv(f64::from);
    write_npy(place.path("f8.npy"), &double).unwrap();
    for (element_type, name) in
        [(ElementType::F32, "f4.npy"), (ElementType::F16, "f2.npy"), (ElementType::Bf16, "u2.npy")]
    {
        write_as(&place.path(name), element_type, &SHAPE, &waves(&SHAPE));
    }
    for (arguments, element_type, said) in [
        ("f8.npy", ElementType::F32, Some("f8.npy: converted from float64 to float32\n")),
        ("f4.npy", ElementType::F32, None),
        ("f2.npy", ElementType::F16, None),
        ("f8.npy --dtype f16", ElementType::F16, Some("f8.npy: converted from float64 to float16\n")),
        ("f4.npy --dtype f16", ElementType::F16, Some("f4.npy: converted from float32 to float16\n")),
        ("f2.npy --dtype f16", ElementType::F16, None),
        ("f2.npy --dtype float32", ElementType::F32, Some("f2.npy: converted from float16 to float32\n")),
        ("f4.npy --dtype bf16", ElementType::Bf16, Some("f4.npy: converted from float32 to bfloat16\n")),
        ("u2.npy --dtype bf16", ElementType::Bf16, None),
    ] {
        // Windows of one element give it back: the values as they were read.
        let run = place.succeed(&format!("forward --output y.npy --kernel 1 --device cpu --input {arguments}"));
        let expected = waves(&SHAPE).into_iter().map(|x| element_type.round(x));
        let f2_read_as_f32 = arguments.starts_with("f2");
        for (got, expected) in read_as(&place.path("y.npy"), element_type, &SHAPE).into_iter().zip(expected) {
            let expected = if f2_read_as_f32 { ElementType::F16.round(expected) } else { expected };
            assert_eq!(got, expected, "{arguments}");
        }
        assert_eq!(run.stderr.contains("converted"), said.is_some(), "{arguments}: {run:?}");
        assert!(run.stderr.contains(said.unwrap_or("")), "{arguments}: {run:?}");
        let note = "y.npy: holds the bits of bfloat16 as uint16";
        assert_eq!(run.stderr.contains(note), element_type == ElementType::Bf16, "{arguments}: {run:?}");
    }
}

#[test]
fn the_gradient_is_read_as_the_input() {
    let place = Workplace::new();
    write_as(&place.path("x.npy"), ElementType::F16, &SHAPE, &waves(&SHAPE));
    write_as(&place.path("g.npy"), ElementType::F32, &POOLED, &waves(&POOLED));
    write_as(&place.path("g2.npy"), ElementType::F16, &POOLED, &waves(&POOLED));
    let command =
        |g: &str| format!("backward --input x.npy --grad-output {g}.npy --output gx-{g}.npy {WINDOWS} --device cpu");
    let run = place.succeed(&command("g"));
    assert!(run.stderr.contains("g.npy: converted from float32 to float16"), "{run:?}");
    assert_eq!(place.succeed(&command("g2")).stderr, "");
    assert_eq!(fs::read(place.path("gx-g.npy")).unwrap(), fs::read(place.path("gx-g2.npy")).unwrap());
}

#[test]
fn empty_tensors_keep_their_type() {
    let place = Workplace::new();
    for (element_type, dtype) in HALVES {
        write_as(&place.path("x.npy"), element_type, &[0, 3, 4], &[]);
        for device in ["auto", "cpu"] {
            let options = format!("--kernel 2 --dtype {dtype} --device {device}");
            place.succeed(&format!("forward --input x.npy --output y.npy {options}"));
            read_as(&place.path("y.npy"), element_type, &[0, 3, 2]);
            place.succeed(&format!("backward --input x.npy --grad-output y.npy --output gx.npy {options}"));
            read_as(&place.path("gx.npy"), element_type, &[0, 3, 4]);
        }
    }
}

#[test]
fn other_types_are_explained() {
    let place = Workplace::new();
    write_as(&place.path("x.npy"), ElementType::F32, &SHAPE, &waves(&SHAPE));
    write_as(&place.path("u2.npy"), ElementType::Bf16, &SHAPE, &waves(&SHAPE));
    let before = place.files();
    fs::write(place.path("c8.npy"), npy("<c8", "(1, 3, 5, 5)", &[0; 600])).unwrap();
    for arguments in ["", "--dtype f32", "--dtype f16", "--dtype bf16"] {
        place.refuse(
            &format!("forward --input c8.npy --output y.npy --kernel 1 {arguments}"),
            &["c8.npy: holds complex64 of shape (1, 3, 5, 5)", "bits of bfloat16", "--dtype bf16"],
        );
        place.refuse(
            &format!("backward --input x.npy --grad-output c8.npy --output gx.npy --kernel 1 {arguments}"),
            &["c8.npy: holds complex64", "--dtype bf16"],
        );
    }
    fs::remove_file(place.path("c8.npy")).unwrap();
    // uint16 are numbers where nobody says that they are bits; it is said how to say so.
    for arguments in ["", "--dtype f32"] {
        let run = place.succeed(&format!("forward --input u2.npy --output y.npy --kernel 1 --device cpu {arguments}"));
        let said = "u2.npy: converted from uint16 to float32; the bits of bfloat16 are read with --dtype bf16";
        assert!(run.stderr.contains(said), "{arguments}: {run:?}");
        let bits = fs::read(place.path("u2.npy")).unwrap();
        let bits = bits[bits.len() - 150..].chunks(2).map(|bits| f32::from(u16::from_le_bytes([bits[0], bits[1]])));
        assert!(read(&place.path("y.npy")).iter().copied().eq(bits), "{arguments}");
        fs::remove_file(place.path("y.npy")).unwrap();
    }
    for dtype in ["f64", "half", "F16"] {
        place.refuse(
            &format!("forward --input x.npy --output y.npy --kernel 1 --dtype {dtype}"),
            &["--dtype <DTYPE>", "f32, f16, bf16"],
        );
    }
    assert_eq!(place.files(), before);
}
