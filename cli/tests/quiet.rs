//! What is printed where nothing is wrong, without a desktop: results on stdout, and nothing else.

use crate::common::{Workplace, write_wave};

#[test]
fn success_is_silent_without_a_desktop() {
    let place = Workplace::new();
    write_wave(&place.path("x.npy"), &[1, 1, 4, 4]);
    write_wave(&place.path("g.npy"), &[1, 1, 2, 2]);
    image::GrayImage::new(4, 4).save(place.path("in.png")).unwrap();
    for command in [
        "info",
        "--version",
        "forward --input x.npy --output y.npy --kernel 2",
        "forward --input x.npy --output y.npy --kernel 2 --device 0",
        "forward --input x.npy --output y.npy --kernel 2 --device cpu",
        "backward --input x.npy --grad-output g.npy --output gx.npy --kernel 2",
        "image in.png --output out.png",
        "compare in.png --output out.png",
    ] {
        for runtime_directory in [None, Some(""), Some("relative")] {
            let mut program = place.command(command);
            program.env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET").env_remove("XDG_RUNTIME_DIR");
            program.envs(runtime_directory.map(|directory| ("XDG_RUNTIME_DIR", directory)));
            let output = program.output().unwrap();
            let what = format!("softpool {command}, XDG_RUNTIME_DIR {runtime_directory:?}");
            assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{what}");
            assert!(output.status.success() && !output.stdout.is_empty(), "{what}");
        }
    }
    // Errors get through, and arguments with them.
    let mut program = place.command("forward --kernel 9 --output y.npy --input");
    let output = program.arg("a b.npy").env_remove("XDG_RUNTIME_DIR").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: a b.npy: cannot be opened"), "{output:?}");
}
