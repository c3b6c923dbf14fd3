//! `softpool forward`, `softpool backward` and `softpool info`, run as a user runs them.

use std::fs;

use crate::common::{FALLBACK, Workplace, assert_close, npy, read, wave, write_wave};
use ndarray::{ArrayD, IxDyn, ShapeBuilder};
use ndarray_npy::write_npy;

#[test]
fn a_window_is_the_softmax_weighted_sum() {
    let place = Workplace::new();
    let x = ArrayD::from_shape_vec(IxDyn(&[1, 1, 2]), vec![0.0f32, 1.0]).unwrap();
    write_npy(place.path("x.npy"), &x).unwrap();
    write_npy(place.path("g.npy"), &ArrayD::from_elem(IxDyn(&[1, 1, 1]), 1.0f32)).unwrap();
    let w = 1f64.exp() / (1.0 + 1f64.exp());
    for device in ["auto", "cpu"] {
        place.succeed(&format!("forward --input x.npy --output y.npy --lse lse.npy --kernel 2 --device {device}"));
        let values = [("y.npy", vec![w]), ("lse.npy", vec![(1.0 + 1f64.exp()).ln()])];
        place.succeed(&format!(
            "backward --input x.npy --grad-output g.npy --output gx.npy --kernel 2 --device {device}"
        ));
        place.succeed(&format!(
            "backward --input x.npy --grad-output g.npy --output gd.npy --kernel 2 --rule detached --device {device}"
        ));
        let gradients = [("gx.npy", vec![(1.0 - w) * (1.0 - w), w * (1.0 + 1.0 - w)]), ("gd.npy", vec![1.0 - w, w])];
        for (name, expected) in values.into_iter().chain(gradients) {
            let got = read(&place.path(name));
            assert_eq!(got.len(), expected.len());
            for (got, expected) in got.iter().zip(expected) {
                assert!((f64::from(*got) - expected).abs() < 1e-6, "{name} on {device}: {got} for {expected}");
            }
        }
    }
}

#[test]
fn the_adapter_and_the_cpu_agree() {
    let place = Workplace::new();
    for (shape, options, rule) in [
        (&[2, 3, 17][..], "--kernel 3", "exact"),
        (&[2, 3, 17], "--kernel 4 --stride 2 --padding 1 --dilation 2 --ceil-mode --beta 2.5", "detached"),
        (&[2, 2, 9, 11], "--kernel 3,2", "detached"),
        (&[1, 2, 9, 11], "--kernel 3 --stride 1,2 --padding 1 --beta -1", "exact"),
        (&[1, 1, 9, 11], "--kernel 2,3 --dilation 3,1 --beta 0", "exact"),
        (&[1, 2, 5, 6, 7], "--kernel 3,2,2 --stride 2 --padding 1,0,1 --ceil-mode", "exact"),
        // 2 planes a chunk on the CPU, all at once on an adapter.
        (&[3, 1, 300, 400], "--kernel 2 --stride 3", "exact"),
    ] {
        let what = format!("{shape:?} {options} --rule {rule}");
        write_wave(&place.path("x.npy"), shape);
        for device in ["auto", "cpu"] {
            place.succeed(&format!(
                "forward --input x.npy --output y-{device}.npy --lse lse-{device}.npy {options} --device {device}"
            ));
        }
        let y = read(&place.path("y-cpu.npy"));
        assert_close(&read(&place.path("y-auto.npy")), &y, &what);
        assert_close(&read(&place.path("lse-auto.npy")), &read(&place.path("lse-cpu.npy")), &what);
        write_wave(&place.path("g.npy"), y.shape());
        for device in ["auto", "cpu"] {
            place.succeed(&format!(
                "backward --input x.npy --grad-output g.npy --output gx-{device}.npy {options} --rule {rule} --device {device}"
            ));
        }
        assert_close(&read(&place.path("gx-auto.npy")), &read(&place.path("gx-cpu.npy")), &what);
    }
}

#[test]
fn every_accepted_input_gives_the_same_output() {
    let place = Workplace::new();
    let shape = [2, 3, 6, 5];
    let c = ArrayD::from_shape_vec(IxDyn(&shape), (0..180).map(wave).collect()).unwrap();
    let mut f = ArrayD::zeros(IxDyn(&shape).f());
    f.assign(&c);
    write_npy(place.path("f4-c.npy"), &c).unwrap();
    write_npy(place.path("f4-f.npy"), &f).unwrap();
    write_npy(place.path("f8-c.npy"), &c.mapv(f64::from)).unwrap();
    write_npy(place.path("f8-f.npy"), &f.mapv(f64::from)).unwrap();
    assert!(String::from_utf8_lossy(&fs::read(place.path("f8-f.npy")).unwrap()).contains("'fortran_order': True"));
    for (input, said) in [("f4-c", false), ("f4-f", false), ("f8-c", true), ("f8-f", true)] {
        let run = place.succeed(&format!("forward --input {input}.npy --output y-{input}.npy --kernel 2 --device cpu"));
        assert_eq!(run.stderr.contains(&format!("{input}.npy: converted from float64 to float32")), said, "{run:?}");
        assert_eq!(
            fs::read(place.path(format!("y-{input}.npy"))).unwrap(),
            fs::read(place.path("y-f4-c.npy")).unwrap()
        );
    }
    let y = fs::read(place.path("y-f4-c.npy")).unwrap();
    assert!(String::from_utf8_lossy(&y).contains("'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 3, 2)"));
}

#[test]
fn empty_tensors_nan_and_infinity_are_legal() {
    let place = Workplace::new();
    for device in ["auto", "cpu"] {
        for shape in [[0, 3, 4, 4], [2, 0, 4, 4]] {
            write_wave(&place.path("x.npy"), &shape);
            place.succeed(&format!("forward --input x.npy --output y.npy --lse l.npy --kernel 2 --device {device}"));
            assert_eq!(read(&place.path("y.npy")).shape(), [shape[0], shape[1], 2, 2]);
            assert_eq!(read(&place.path("l.npy")).shape(), [shape[0], shape[1], 2, 2]);
            place.succeed(&format!(
                "backward --input x.npy --grad-output y.npy --output gx.npy --kernel 2 --device {device}"
            ));
            assert_eq!(read(&place.path("gx.npy")).shape(), shape);
        }
        let values = vec![f32::NAN, 1.0, f32::INFINITY, 1.0, f32::NEG_INFINITY, 1.0];
        write_npy(place.path("x.npy"), &ArrayD::from_shape_vec(IxDyn(&[1, 1, 6]), values).unwrap()).unwrap();
        place.succeed(&format!("forward --input x.npy --output y.npy --kernel 2 --device {device}"));
        let y = read(&place.path("y.npy"));
        assert!(y[[0, 0, 0]].is_nan(), "{device}: {y}");
        assert_eq!((y[[0, 0, 1]], y[[0, 0, 2]]), (f32::INFINITY, 1.0), "{device}");
    }
}

#[test]
fn wrong_arguments_and_files_are_explained() {
    let place = Workplace::new();
    write_wave(&place.path("x.npy"), &[1, 2, 6, 6]);
    write_wave(&place.path("x3.npy"), &[1, 1, 4, 4, 4]);
    write_wave(&place.path("g.npy"), &[1, 2, 3, 3]);
    write_wave(&place.path("flat.npy"), &[6, 6]);
    write_wave(&place.path("deep.npy"), &[1, 1, 1, 1, 1, 6]);
    write_wave(&place.path("thin.npy"), &[1, 1, 0, 6]);
    fs::write(place.path("complex.npy"), npy("<c8", "(1, 1, 4)", &[0; 32])).unwrap();
    fs::write(place.path("cut.npy"), &fs::read(place.path("x.npy")).unwrap()[..200]).unwrap();
    fs::write(place.path("text.npy"), "no tensor").unwrap();
    fs::create_dir(place.path("directory")).unwrap();
    let before = place.files();
    for (arguments, expected) in [
        ("--input x.npy", &["--kernel"][..]),
        ("--input x.npy --kernel 2,x", &["--kernel", "'x' is no whole number"]),
        ("--input x.npy --kernel -2", &["--kernel", "'-2' is no whole number"]),
        ("--input x.npy --kernel 2 --method max", &["--method"]),
        ("--input x.npy --kernel 0", &["kernel along height is 0", "1 to 67108864"]),
        ("--input x.npy --kernel 2,100000000", &["kernel along width is 100000000"]),
        ("--input x.npy --kernel 1,1,1,1", &["x.npy", "1x2x6x6", "--kernel 1,1,1,1 has 4 values", "or 2 or 3"]),
        (
            "--input x3.npy --kernel 2,2",
            &["x3.npy", "1x1x4x4x4", "--kernel 2,2 has 2 values", "(N, C, H, W) or (C, H, W)"],
        ),
        ("--input x.npy --kernel 2 --stride 1,1,1", &["--stride 1,1,1 has 3 values"]),
        ("--input x3.npy --kernel 2 --dilation 1,1", &["x3.npy", "--dilation 1,1 has 2 values", "or 3"]),
        ("--input x.npy --kernel 2 --stride 0", &["stride along height is 0"]),
        ("--input x.npy --kernel 2 --padding 2", &["padding along height is 2", "at most 1"]),
        ("--input x.npy --kernel 2 --beta inf", &["beta is inf", "must be finite"]),
        ("--input x.npy --kernel 2 --beta x", &["--beta"]),
        ("--input x.npy --kernel 7", &["x.npy", "1x2x6x6", "height 6", "spans 7"]),
        ("--input thin.npy --kernel 1", &["thin.npy", "1x1x0x6"]),
        ("--input absent.npy --kernel 2", &["absent.npy", "cannot be opened"]),
        ("--input directory --kernel 2", &["directory", "cannot be read"]),
        ("--input flat.npy --kernel 2", &["flat.npy", "6x6", "no spatial axis", "(N, C, L)", "--unbatched"]),
        ("--input deep.npy --kernel 2", &["deep.npy", "holds float32 of shape (1, 1, 1, 1, 1, 6)", "(N, C, L)"]),
        (
            "--input complex.npy --kernel 2",
            &["complex.npy", "holds complex64 of shape (1, 1, 4)", "floating point of 16, 32 or 64 bits"],
        ),
        ("--input cut.npy --kernel 2", &["cut.npy", "promises 72 values, but the file ends after 18"]),
        ("--input text.npy --kernel 2", &["text.npy", "no valid .npy file"]),
        ("--input x.npy --kernel 2 --lse y.npy", &["y.npy", "both --output and --lse"]),
        ("--input x.npy --kernel 2 --lse ./y.npy", &["both --output and --lse"]),
        ("--input x.npy --kernel 2 --lse no/lse.npy", &["no/lse.npy", "its directory no is not there"]),
        ("--input x.npy --kernel 2 --device 99", &["no GPU adapter matches '99'", "choose an index"]),
        ("--input x.npy --kernel 2 --device nonsense", &["no GPU adapter matches 'nonsense'"]),
    ] {
        place.refuse(&format!("forward --output y.npy {arguments}"), expected);
        assert_eq!(place.files(), before, "forward {arguments}");
    }
    for (arguments, expected) in [
        ("--output no/y.npy", &["no/y.npy", "its directory no is not there", "create it first"][..]),
        ("--output directory", &["directory", "no regular file"]),
        ("--output y/", &["names no file"]),
    ] {
        place.refuse(&format!("forward --input x.npy --kernel 2 {arguments}"), expected);
        assert_eq!(place.files(), before, "forward {arguments}");
    }
    for (arguments, expected) in [
        ("--input x.npy --kernel 2", &["--grad-output"][..]),
        ("--input x.npy --grad-output g.npy --kernel 2 --rule other", &["--rule"]),
        ("--input x.npy --grad-output g.npy --kernel 2 --lse lse.npy", &["--lse"]),
        (
            "--input x.npy --grad-output g.npy --kernel 3",
            &["g.npy: its shape is 1x2x3x3", "x.npy of shape 1x2x6x6 is pooled to 1x2x2x2"],
        ),
        ("--input x.npy --grad-output complex.npy --kernel 3", &["complex.npy", "holds complex64"]),
    ] {
        place.refuse(&format!("backward --output gx.npy {arguments}"), expected);
        assert_eq!(place.files(), before, "backward {arguments}");
    }
    place.refuse("", &["Usage"]);
    place.refuse("pool", &["unrecognized subcommand"]);
}

#[test]
fn outputs_are_written_whole_or_not_at_all() {
    let place = Workplace::new();
    write_wave(&place.path("x.npy"), &[1, 1, 6]);
    fs::write(place.path("y.npy"), "old").unwrap();
    place.refuse("forward --input x.npy --output y.npy --kernel 7 --device cpu", &["spans 7"]);
    place.refuse("forward --input x.npy --output y.npy --lse no/l.npy --kernel 2 --device cpu", &["no/l.npy"]);
    assert_eq!(fs::read(place.path("y.npy")).unwrap(), b"old");
    place.succeed("forward --input x.npy --output y.npy --lse l.npy --kernel 2 --device cpu");
    assert_eq!(read(&place.path("y.npy")).shape(), [1, 1, 3]);
    // The input is read before the output replaces it.
    let y = fs::read(place.path("y.npy")).unwrap();
    place.succeed("forward --input x.npy --output x.npy --kernel 2 --device cpu");
    assert_eq!(fs::read(place.path("x.npy")).unwrap(), y);
    assert_eq!(place.files(), ["l.npy", "x.npy", "y.npy"]);
}

#[cfg(unix)]
#[test]
fn outputs_have_usual_permissions_and_stay_where_links_point() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let place = Workplace::new();
    let mode = |name: &str| fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o777;
    write_wave(&place.path("x.npy"), &[1, 1, 6]);
    fs::write(place.path("usual"), "").unwrap();
    fs::write(place.path("private.npy"), "").unwrap();
    fs::set_permissions(place.path("private.npy"), PermissionsExt::from_mode(0o600)).unwrap();
    fs::create_dir(place.path("elsewhere")).unwrap();
    fs::write(place.path("elsewhere/y.npy"), "").unwrap();
    symlink("elsewhere/y.npy", place.path("link.npy")).unwrap();
    for output in ["new.npy", "private.npy", "link.npy"] {
        place.succeed(&format!("forward --input x.npy --output {output} --kernel 2 --device cpu"));
    }
    assert_eq!(mode("new.npy"), mode("usual"));
    assert_eq!(mode("private.npy"), 0o600);
    assert!(fs::symlink_metadata(place.path("link.npy")).unwrap().is_symlink());
    assert_eq!(read(&place.path("elsewhere/y.npy")).shape(), [1, 1, 3]);
}

#[test]
fn without_an_adapter_auto_computes_on_the_cpu_and_says_so() {
    // Neither backend exists on the other's system.
    let none = ("WGPU_BACKEND", if cfg!(target_os = "macos") { "dx12" } else { "metal" });
    let place = Workplace::new();
    write_wave(&place.path("x.npy"), &[1, 2, 6]);
    let command = "forward --input x.npy --output y.npy --kernel 2";
    let run = place.run_with(command, &[none]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stderr.contains(FALLBACK), "{run:?}");
    assert!(run.stdout.contains("CPU reference"), "{run:?}");
    place.succeed("forward --input x.npy --output cpu.npy --kernel 2 --device cpu");
    assert_eq!(fs::read(place.path("y.npy")).unwrap(), fs::read(place.path("cpu.npy")).unwrap());

    let run = place.run_with(&format!("{command} --device 0"), &[none]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains("no GPU adapter matches '0'"), "{run:?}");

    let run = place.run_with(command, &[("SOFTPOOL_ADAPTER", "nonsense")]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains("'nonsense'") && run.stderr.contains("SOFTPOOL_ADAPTER"), "{run:?}");

    let run = place.run_with("info", &[none]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("no GPU adapter"), "{run:?}");
}

#[test]
fn info_lists_what_device_takes() {
    let place = Workplace::new();
    write_wave(&place.path("x.npy"), &[1, 2, 6]);
    let stdout = place.succeed("info").stdout;
    for expected in [
        "backend",
        "device type",
        "driver",
        "max_storage_buffer_binding_size",
        "max_buffer_size",
        "max_compute_workgroups_per_dimension",
        "max_compute_workgroup_storage_size",
        "max_compute_invocations_per_workgroup",
        "min_storage_buffer_offset_alignment",
        "TIMESTAMP_QUERY",
        "SHADER_F16",
        "SUBGROUP",
    ] {
        assert!(stdout.contains(expected), "{stdout} lacks {expected}");
    }
    let name = stdout.lines().find_map(|line| line.strip_prefix("0: ")).expect("an adapter of index 0");
    let part = name.split_whitespace().next().unwrap();
    for device in ["0", part] {
        let run = place.succeed(&format!("forward --input x.npy --output y.npy --kernel 2 --device {device}"));
        assert!(run.stdout.contains(name), "{run:?}");
    }
}
