//! `--grad-beta` and `--channel-betas`, run as a user runs them.

use std::fs;

use crate::common::{Workplace, assert_close, npy, read, wave, write_as, write_wave};
use ndarray::{ArrayD, Axis, IxDyn, Slice, concatenate};
use ndarray_npy::write_npy;
use softpool::ElementType;

fn write_betas(place: &Workplace, betas: &[f32]) {
    write_as(&place.path("b.npy"), ElementType::F32, &[betas.len()], betas);
}

/// The values on the line that `--grad-beta` without a file prints.
fn printed(stdout: &str) -> Vec<f32> {
    let line = stdout.lines().find_map(|line| line.strip_prefix("grad_beta: ")).unwrap_or_else(|| panic!("{stdout}"));
    line.split(',').map(|value| value.parse().unwrap()).collect()
}

fn array(values: Vec<f32>) -> ArrayD<f32> {
    ArrayD::from_shape_vec(IxDyn(&[values.len()]), values).unwrap()
}

#[test]
fn the_gradient_of_beta_is_that_of_the_weighted_sum() {
    let place = Workplace::new();
    // Windows of 0 and 1, at beta 2: y = w, the weight of 1, whose derivative is w (1 - w).
    write_as(&place.path("x.npy"), ElementType::F32, &[1, 2, 4], &[0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
    write_as(&place.path("g.npy"), ElementType::F32, &[1, 2, 2], &[1.0, 2.0, -0.5, 4.0]);
    write_betas(&place, &[2.0, 2.0]);
    let w = 1.0 / (1.0 + (-2f64).exp());
    let slope = w * (1.0 - w);
    for (betas, expected) in
        [("--beta 2", vec![6.5 * slope]), ("--channel-betas b.npy", vec![3.0 * slope, 3.5 * slope])]
    {
        let expected = array(expected.into_iter().map(|gradient| gradient as f32).collect());
        for device in ["auto", "cpu"] {
            let command = format!(
                "backward --input x.npy --grad-output g.npy --output gx.npy --kernel 2 {betas} --device {device}"
            );
            let said = place.succeed(&format!("{command} --grad-beta")).stdout;
            let filed = place.succeed(&format!("{command} --grad-beta gb.npy")).stdout;
            assert!(filed.contains(&format!("gb.npy: float32 {}\n", expected.len())), "{filed}");
            assert!(!filed.contains("grad_beta:"), "{filed}");
            let got = read(&place.path("gb.npy"));
            assert_close(&got, &expected, device);
            // Every digit that tells an f32 from the others.
            assert_eq!(array(printed(&said)), got, "{said}");
            let without = place.succeed(&command).stdout;
            assert!(!without.contains("grad_beta"), "{without}");
        }
    }
}

#[test]
fn betas_by_channel_are_those_of_channels_pooled_alone() {
    let betas = [0.5f32, -1.0, 0.0, 2.0];
    let place = Workplace::new();
    write_betas(&place, &betas);
    for (shape, options) in [
        (&[3, 4, 17][..], "--kernel 3 --stride 2 --padding 1"),
        (&[1, 4, 9, 11], "--kernel 3,2"),
        (&[4, 9, 11], "--kernel 3,2"),
        (&[2, 4, 4, 5, 6], "--global"),
        (&[2, 4, 9, 11], "--output-size 4,3"),
        // Fewer planes a chunk than channels on the CPU.
        (&[1, 4, 300, 300], "--kernel 3"),
    ] {
        let channel_axis = Axis(if shape == [4, 9, 11] { 0 } else { 1 });
        write_wave(&place.path("x.npy"), shape);
        place.succeed(&format!("forward --input x.npy --output y.npy {options} --device cpu"));
        write_wave(&place.path("g.npy"), read(&place.path("y.npy")).shape());
        let (x, g) = (read(&place.path("x.npy")), read(&place.path("g.npy")));
        let mut alone = [const { Vec::new() }; 4];
        for (channel, beta) in betas.iter().enumerate() {
            let channel = Slice::from(channel..channel + 1);
            write_npy(place.path("x1.npy"), &x.slice_axis(channel_axis, channel)).unwrap();
            write_npy(place.path("g1.npy"), &g.slice_axis(channel_axis, channel)).unwrap();
            let options = format!("{options} --beta {beta} --device cpu");
            place.succeed(&format!("forward --input x1.npy --output y1.npy --lse l1.npy {options}"));
            place.succeed(&format!(
                "backward --input x1.npy --grad-output g1.npy --output gx1.npy --grad-beta gb1.npy {options}"
            ));
            for (alone, name) in alone.iter_mut().zip(["y1.npy", "l1.npy", "gx1.npy", "gb1.npy"]) {
                alone.push(read(&place.path(name)));
            }
        }
        let axes = [channel_axis, channel_axis, channel_axis, Axis(0)];
        let expected: Vec<ArrayD<f32>> = alone
            .iter()
            .zip(axes)
            .map(|(alone, axis)| {
                let views: Vec<_> = alone.iter().map(|array: &ArrayD<f32>| array.view()).collect();
                concatenate(axis, &views).unwrap()
            })
            .collect();
        for device in ["auto", "cpu"] {
            let what = format!("{shape:?} {options} on {device}");
            let options = format!("{options} --channel-betas b.npy --device {device}");
            place.succeed(&format!("forward --input x.npy --output y.npy --lse l.npy {options}"));
            place.succeed(&format!(
                "backward --input x.npy --grad-output g.npy --output gx.npy --grad-beta gb.npy {options}"
            ));
            for (name, expected) in ["y.npy", "l.npy", "gx.npy", "gb.npy"].into_iter().zip(&expected) {
                assert_close(&read(&place.path(name)), expected, &format!("{name} of {what}"));
            }
        }
    }
}

#[test]
fn the_gradient_of_one_beta_is_the_sum_of_the_channels() {
    let place = Workplace::new();
    // Several chunks on the CPU, one on an adapter.
    write_wave(&place.path("x.npy"), &[2, 3, 300, 400]);
    write_wave(&place.path("g.npy"), &[2, 3, 100, 100]);
    write_betas(&place, &[0.5; 3]);
    for device in ["auto", "cpu"] {
        let command = |betas: &str| {
            format!(
                "backward --input x.npy --grad-output g.npy --output gx.npy --kernel 3,4 {betas} --grad-beta \
                 --device {device}"
            )
        };
        let one = printed(&place.succeed(&command("--beta 0.5")).stdout);
        let channels = printed(&place.succeed(&command("--channel-betas b.npy")).stdout);
        assert_eq!((one.len(), channels.len()), (1, 3));
        assert_close(&array(one), &array(vec![channels.iter().sum()]), device);
    }
}

#[test]
fn half_types_have_gradients_of_beta_in_f32() {
    let place = Workplace::new();
    let waves = |count| (0..count).map(wave).collect::<Vec<_>>();
    write_as(&place.path("x.npy"), ElementType::F16, &[1, 2, 12], &waves(24));
    write_as(&place.path("g.npy"), ElementType::F16, &[1, 2, 4], &waves(8));
    let command = "backward --input x.npy --grad-output g.npy --output gx.npy --kernel 3 --grad-beta gb.npy --device";
    place.succeed(&format!("{command} cpu"));
    let cpu = read(&place.path("gb.npy"));
    place.succeed(&format!("{command} auto"));
    assert_close(&read(&place.path("gb.npy")), &cpu, "f16");
}

#[test]
fn files_of_betas_are_of_any_float_type() {
    let place = Workplace::new();
    write_wave(&place.path("x.npy"), &[1, 2, 6]);
    write_betas(&place, &[0.5, -3.0]);
    write_as(&place.path("b2.npy"), ElementType::F16, &[2], &[0.5, -3.0]);
    write_npy(place.path("b8.npy"), &ArrayD::from_shape_vec(IxDyn(&[2]), vec![0.5f64, -3.0]).unwrap()).unwrap();
    for (file, said) in [("b", false), ("b2", true), ("b8", true)] {
        let run = place.succeed(&format!(
            "forward --input x.npy --output y-{file}.npy --kernel 2 --channel-betas {file}.npy --device cpu"
        ));
        assert_eq!(run.stderr.contains(&format!("{file}.npy: converted from float")), said, "{run:?}");
        assert_eq!(fs::read(place.path(format!("y-{file}.npy"))).unwrap(), fs::read(place.path("y-b.npy")).unwrap());
    }
}

#[test]
fn empty_tensors_have_gradients_of_zero() {
    let place = Workplace::new();
    write_wave(&place.path("x.npy"), &[0, 2, 4]);
    write_wave(&place.path("g.npy"), &[0, 2, 2]);
    write_betas(&place, &[1.0, 2.0]);
    for device in ["auto", "cpu"] {
        let command =
            format!("backward --input x.npy --grad-output g.npy --output gx.npy --kernel 2 --device {device}");
        assert_eq!(printed(&place.succeed(&format!("{command} --grad-beta")).stdout), [0.0]);
        let run = place.succeed(&format!("{command} --grad-beta --channel-betas b.npy"));
        assert_eq!(printed(&run.stdout), [0.0, 0.0]);
    }
}

#[test]
fn wrong_betas_are_explained() {
    let place = Workplace::new();
    write_wave(&place.path("x.npy"), &[1, 3, 6]);
    write_wave(&place.path("g.npy"), &[1, 3, 3]);
    write_as(&place.path("one.npy"), ElementType::F32, &[1], &[1.0]);
    write_as(&place.path("row.npy"), ElementType::F32, &[1, 3], &[1.0; 3]);
    write_as(&place.path("nan.npy"), ElementType::F32, &[3], &[1.0, f32::NAN, 1.0]);
    fs::write(place.path("complex.npy"), npy("<c8", "(3,)", &[0; 24])).unwrap();
    write_npy(place.path("vast.npy"), &ArrayD::from_elem(IxDyn(&[3]), 1e39)).unwrap();
    let before = place.files();
    for (arguments, expected) in [
        (
            "--channel-betas one.npy",
            &["one.npy: its shape is (1,), but x.npy of shape 1x3x6 has 3 channels", "(3,)"][..],
        ),
        ("--channel-betas row.npy", &["row.npy: its shape is (1, 3)", "a beta for each, of shape (3,)"]),
        ("--channel-betas nan.npy", &["nan.npy: the beta of channel 1 is NaN: it must be finite", "large beta"]),
        ("--channel-betas vast.npy", &["vast.npy: the beta of channel 0 is inf", "3 finite values beyond float32"]),
        ("--channel-betas complex.npy", &["complex.npy: holds complex64 of shape (3,)", "give floating point"]),
        ("--channel-betas absent.npy", &["absent.npy", "cannot be opened"]),
        ("--channel-betas one.npy --beta 1", &["'--channel-betas <B.npy>' cannot be used with '--beta <B>'"]),
    ] {
        place.refuse(&format!("forward --input x.npy --output y.npy --kernel 2 {arguments}"), expected);
        let backward = "backward --input x.npy --grad-output g.npy --output gx.npy --kernel 2";
        place.refuse(&format!("{backward} {arguments}"), expected);
        assert_eq!(place.files(), before, "{arguments}");
    }
    let backward = "backward --input x.npy --grad-output g.npy --output gx.npy --kernel 2";
    for (arguments, expected) in [
        ("--grad-beta gx.npy", &["gx.npy: is both --output and --grad-beta: give two files"][..]),
        ("--grad-beta no/gb.npy", &["no/gb.npy", "its directory no is not there"]),
    ] {
        place.refuse(&format!("{backward} {arguments}"), expected);
        assert_eq!(place.files(), before, "{arguments}");
    }
    place.refuse("forward --input x.npy --output y.npy --kernel 2 --grad-beta", &["--grad-beta"]);
}
