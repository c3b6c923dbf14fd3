//! Where outputs go: links, protected files, standard output, devices and pipes, as a shell's redirection would have it;
//! run as a user runs it.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{Workplace, read, write_wave};

const COMMAND: &str = "forward --input x.npy --kernel 2 --device cpu";

/// A user that owns nothing.
const NOBODY: u32 = 65534;

fn workplace() -> Workplace {
    let place = Workplace::new();
    write_wave(&place.path("x.npy"), &[1, 1, 6]);
    place
}

fn set_mode(place: &Workplace, name: &str, mode: u32) {
    fs::set_permissions(place.path(name), Permissions::from_mode(mode)).unwrap();
}

/// What `softpool COMMAND --output y.npy` writes.
fn expected(place: &Workplace) -> Vec<u8> {
    place.succeed(&format!("{COMMAND} --output expected.npy"));
    let bytes = fs::read(place.path("expected.npy")).unwrap();
    fs::remove_file(place.path("expected.npy")).unwrap();
    bytes
}

#[test]
fn links_are_followed_to_their_end_and_stay() {
    let place = workplace();
    let expected = expected(&place);
    fs::create_dir_all(place.path("runs/deep")).unwrap();
    fs::write(place.path("runs/there.npy"), "old").unwrap();
    symlink("runs/new.npy", place.path("to-new.npy")).unwrap();
    symlink("to-new-2.npy", place.path("chain.npy")).unwrap();
    symlink(place.path("runs/deep/back.npy"), place.path("to-new-2.npy")).unwrap();
    // Relative to where the link is, not to where the program runs.
    symlink("../end.npy", place.path("runs/deep/back.npy")).unwrap();
    symlink("runs/there.npy", place.path("to-there.npy")).unwrap();
    symlink("runs", place.path("directory")).unwrap();
    let links = ["to-new.npy", "chain.npy", "to-new-2.npy", "runs/deep/back.npy", "to-there.npy", "directory"];
    for (output, file) in [
        ("to-new.npy", "runs/new.npy"),
        ("chain.npy", "runs/end.npy"),
        ("to-there.npy", "runs/there.npy"),
        ("directory/inside.npy", "runs/inside.npy"),
    ] {
        place.succeed(&format!("{COMMAND} --output {output}"));
        assert_eq!(fs::read(place.path(file)).unwrap(), expected, "{output}");
        for link in links {
            assert!(fs::symlink_metadata(place.path(link)).unwrap().is_symlink(), "{link} after {output}");
        }
    }
}

#[test]
fn links_that_lead_nowhere_are_explained() {
    let place = workplace();
    fs::create_dir(place.path("runs")).unwrap();
    symlink("round.npy", place.path("circle.npy")).unwrap();
    symlink("circle.npy", place.path("round.npy")).unwrap();
    symlink("runs", place.path("directory.npy")).unwrap();
    symlink("absent/y.npy", place.path("astray.npy")).unwrap();
    symlink("absent/", place.path("slash.npy")).unwrap();
    let before = place.files();
    for (output, expected) in [
        ("circle.npy", &["circle.npy: is a link that leads through too many others"][..]),
        ("directory.npy", &["directory.npy: is a directory, no regular file"]),
        ("astray.npy", &["astray.npy: its directory ./absent is not there: create it first"]),
        ("slash.npy", &["slash.npy: names no file"]),
        ("x.npy/y.npy", &["x.npy/y.npy"]),
    ] {
        place.refuse(&format!("{COMMAND} --output {output}"), expected);
        assert_eq!(place.files(), before, "{output}");
    }
}

#[test]
fn two_names_of_one_file_are_told_from_two_files() {
    let place = workplace();
    symlink("y.npy", place.path("link.npy")).unwrap();
    place.refuse(&format!("{COMMAND} --output y.npy --lse link.npy"), &["link.npy: is both --output and --lse"]);
    place.refuse(&format!("{COMMAND} --output - --lse -"), &["-: is both --output and --lse"]);
    place.refuse(&format!("{COMMAND} --output - --lse /dev/stdout"), &["/dev/stdout: is both --output and --lse"]);
    place.succeed(&format!("{COMMAND} --output /dev/null --lse /dev/null"));
}

#[test]
fn protected_files_are_refused_even_to_root() {
    let place = workplace();
    fs::write(place.path("keep.npy"), "old").unwrap();
    symlink("keep.npy", place.path("link.npy")).unwrap();
    set_mode(&place, "keep.npy", 0o444);
    let before = place.files();
    for output in ["keep.npy", "link.npy"] {
        for command in [format!("{COMMAND} --output {output}"), format!("{COMMAND} --output y.npy --lse {output}")] {
            place.refuse(&command, &[output, "Permission denied", "make it writable"]);
            assert_eq!(fs::read(place.path("keep.npy")).unwrap(), b"old", "{command}");
            assert_eq!(place.files(), before, "{command}");
        }
    }
    set_mode(&place, "keep.npy", 0o644);
    place.succeed(&format!("{COMMAND} --output keep.npy"));
}

/// As root, whom modes don't stop, the program runs as a user that they do; else as whoever runs the tests.
#[test]
fn other_peoples_files_and_directories_are_refused() {
    let place = workplace();
    let is_root = fs::metadata(place.path("x.npy")).unwrap().uid() == 0;
    for directory in ["closed", "open"] {
        fs::create_dir(place.path(directory)).unwrap();
        fs::write(place.path(format!("{directory}/mine.npy")), "old").unwrap();
    }
    // Neither the program nor this directory need be within that user's reach.
    fs::copy(env!("CARGO_BIN_EXE_softpool"), place.path("softpool")).unwrap();
    for (name, mode) in [("", 0o755), ("softpool", 0o755), ("x.npy", 0o644), ("open", 0o777), ("closed", 0o555)] {
        set_mode(&place, name, mode);
    }
    set_mode(&place, "open/mine.npy", if is_root { 0o644 } else { 0o444 });
    set_mode(&place, "closed/mine.npy", 0o666);
    let run = |output: &str| {
        let mut command = Command::new(place.path("softpool"));
        command.args(format!("{COMMAND} --output {output}").split_whitespace()).current_dir(place.path(""));
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(run("open/new.npy"), (Some(0), String::new()));
    for (output, expected) in [
        ("open/mine.npy", "open/mine.npy: is there and cannot be written: Permission denied"),
        ("closed/new.npy", "closed/new.npy: closed takes no new file"),
        // It could be written, but not whole or not at all.
        ("closed/mine.npy", "closed/mine.npy: closed takes no new file"),
    ] {
        let (code, stderr) = run(output);
        assert_eq!(code, Some(2), "{output}: {stderr}");
        assert!(stderr.contains(expected) && stderr.contains("Permission denied"), "{stderr} lacks {expected:?}");
        assert!(!stderr.contains(".softpool-"), "{stderr}");
    }
    for (directory, files) in [("open", &["mine.npy", "new.npy"][..]), ("closed", &["mine.npy"])] {
        let mut names: Vec<_> =
            fs::read_dir(place.path(directory)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, files, "{directory}");
        assert_eq!(fs::read(place.path(format!("{directory}/mine.npy"))).unwrap(), b"old");
    }
    set_mode(&place, "closed", 0o755);
}

#[test]
fn a_replaced_file_keeps_mode_and_owner() {
    let place = workplace();
    fs::write(place.path("y.npy"), "old").unwrap();
    set_mode(&place, "y.npy", 0o640);
    let is_root = fs::metadata(place.path("y.npy")).unwrap().uid() == 0;
    if is_root {
        std::os::unix::fs::chown(place.path("y.npy"), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let owner =
        || fs::metadata(place.path("y.npy")).map(|file| (file.uid(), file.gid(), file.mode() & 0o7777)).unwrap();
    let before = owner();
    place.succeed(&format!("{COMMAND} --output y.npy"));
    assert_eq!(owner(), before);
    assert_eq!(read(&place.path("y.npy")).shape(), [1, 1, 3]);
}

#[test]
fn standard_output_holds_the_file_alone() {
    let place = workplace();
    let expected = expected(&place);
    symlink("/dev/stdout", place.path("link")).unwrap();
    for output in ["-", "/dev/stdout", "/dev/fd/1", "link"] {
        let (stdout, stderr) = place.pipe(&format!("{COMMAND} --output {output}"), b"");
        assert_eq!(stdout, expected, "{output}");
        assert!(stderr.starts_with(&format!("{output}: float32 1x1x3\n")), "{output}: {stderr}");
    }
    let (stdout, stderr) = place.pipe(&format!("{COMMAND} --output y.npy --lse -"), b"");
    assert_eq!(stdout.len(), expected.len());
    assert!(stderr.contains("y.npy: float32 1x1x3\n-: float32 1x1x3\n"), "{stderr}");
    // Into a file that a shell has opened, behind what is there, whatever the name.
    for output in ["-", "/dev/stdout"] {
        fs::write(place.path("log"), "before").unwrap();
        let log = OpenOptions::new().append(true).open(place.path("log")).unwrap();
        let status = place.command(&format!("{COMMAND} --output {output}")).stdout(log).status().unwrap();
        assert!(status.success(), "{output}");
        assert_eq!(fs::read(place.path("log")).unwrap(), [b"before", &expected[..]].concat(), "{output}");
    }
    assert_eq!(place.files(), ["link", "log", "x.npy", "y.npy"]);
}

#[test]
fn a_reader_that_leaves_early_is_an_error() {
    let place = workplace();
    write_wave(&place.path("x.npy"), &[1, 1, 1 << 18]);
    let mut child =
        place.command(&format!("{COMMAND} --output -")).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("-: cannot be written: Broken pipe"), "{stderr}");
}

#[test]
fn devices_and_pipes_are_written_into() {
    let place = workplace();
    let expected = expected(&place);
    place.succeed(&format!("{COMMAND} --output /dev/null"));
    assert!(!fs::metadata("/dev/null").unwrap().is_file());

    assert!(Command::new("mkfifo").arg(place.path("pipe")).status().unwrap().success());
    let pipe = place.path("pipe");
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        File::open(pipe).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    });
    place.succeed(&format!("{COMMAND} --output pipe"));
    assert_eq!(reader.join().unwrap(), expected);
    // And read from.
    let (pipe, x) = (place.path("pipe"), fs::read(place.path("x.npy")).unwrap());
    let writer = thread::spawn(move || OpenOptions::new().write(true).open(pipe).unwrap().write_all(&x).unwrap());
    place.succeed("forward --input pipe --kernel 2 --device cpu --output y.npy");
    writer.join().unwrap();
    assert_eq!(fs::read(place.path("y.npy")).unwrap(), expected);
    assert_eq!(place.files(), ["pipe", "x.npy", "y.npy"]);
    if cfg!(target_os = "linux") {
        // Where every write finds the disk full.
        place.refuse(
            &format!("{COMMAND} --output y.npy --lse /dev/full"),
            &["/dev/full: cannot be written", "No space"],
        );
        assert_eq!(place.files(), ["pipe", "x.npy", "y.npy"]);
    }
}

#[test]
fn signals_leave_no_temporary_files() {
    for signal in [1, 2, 15] {
        let place = workplace();
        assert!(Command::new("mkfifo").arg(place.path("pipe")).status().unwrap().success());
        let before = place.files();
        // Nobody reads the pipe: y.npy is complete by then, and waits beside its place.
        let mut child = place.command(&format!("{COMMAND} --output y.npy --lse pipe")).spawn().unwrap();
        let start = Instant::now();
        while place.files() == before {
            assert!(start.elapsed() < Duration::from_secs(60), "no temporary file shows");
            thread::sleep(Duration::from_millis(10));
        }
        // That may be the one by which the directory was found usable.
        thread::sleep(Duration::from_millis(300));
        assert_ne!(place.files(), before);
        let kill = Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        assert_eq!(child.wait().unwrap().signal(), Some(signal));
        assert_eq!(place.files(), before, "signal {signal}");
    }
}
