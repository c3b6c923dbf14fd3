//! Evidence that files and command lines which nobody chose end with exit code 0 or 2 and a message, never with a panic or a signal:
//! headers of .npy, pictures and arguments, each a few changes away from what is right, from seeds.
//! SOFTPOOL_FUZZ_RUNS says how many of each, SOFTPOOL_FUZZ_SEED from which on.

use crate::seeds;
use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::{Workplace, npy};
use crate::seeds::Random;
use arbitrary::{Result, Unstructured};

/// A run takes some milliseconds.
const HEADERS: Random = Random { file: "fuzz_cli", test: "headers", variable: "SOFTPOOL_FUZZ_RUNS", count: 150 };
const PICTURES: Random = Random { test: "pictures", ..HEADERS };
const ARGUMENTS: Random = Random { test: "arguments", ..HEADERS };

/// Longer than anything here takes, by far.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs the program in 4 GiB of address space: what asks for more than there is has to say so, not to take it.
///
/// # Panics
/// Unless it ends with 0 or 2, and a message if that is 2.
fn run(place: &Workplace, arguments: &[String]) -> i32 {
    let program = env!("CARGO_BIN_EXE_softpool");
    let mut command = if cfg!(unix) {
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -v 4194304 2>/dev/null; exec \"$0\" \"$@\"", program]);
        command
    } else {
        Command::new(program)
    };
    command.args(arguments).current_dir(place.path("")).stdin(Stdio::null());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stderr.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        pipe.read_to_end(&mut text).map(|_| String::from_utf8_lossy(&text).into_owned())
    });
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > LIMIT {
            child.kill().unwrap();
            panic!("softpool {arguments:?} runs on after {LIMIT:?}");
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let stderr = reader.join().unwrap().unwrap();
    let said = format!("softpool {arguments:?}: {status}, {stderr}");
    assert!(!stderr.contains("panicked"), "{said}");
    let code = status.code().unwrap_or_else(|| panic!("{said}"));
    assert!(code == 0 || code == 2 && !stderr.trim().is_empty(), "{said}");
    code
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

/// A few changes of bytes; `most` is as far into the file as most of them are.
fn changed(bytes: &mut Unstructured<'_>, file: &[u8], most: usize) -> Result<Vec<u8>> {
    let mut file = file.to_vec();
    for _ in 0..bytes.int_in_range(1..=4)? {
        if file.is_empty() {
            break;
        }
        let end = if bytes.ratio(3, 4)? { most.min(file.len()) } else { file.len() };
        let at = bytes.int_in_range(0..=end - 1)?;
        match bytes.int_in_range(0..=6u8)? {
            0 => file[at] ^= 1 << bytes.int_in_range(0..=7u8)?,
            1 => file[at] = *bytes.choose(&[0, 0x7f, 0x80, 0xff])?,
            2 => file[at] = *bytes.choose(b"0123456789(),'{}<>|=:-[] \nfFuiTR")?,
            3 => file.truncate(at),
            4 => {
                let part = file[at..(at + 12).min(file.len())].to_vec();
                file.splice(at..at, part);
            }
            5 => drop(file.drain(at..(at + bytes.int_in_range(1..=9)?).min(file.len()))),
            _ => file.splice(at..at, *b"999999999").for_each(drop),
        }
    }
    Ok(file)
}

#[test]
fn headers() {
    let place = Workplace::new();
    let values: Vec<u8> = (0..2 * 3 * 8 * 9).flat_map(|i| (i as f32 * 0.37).sin().to_le_bytes()).collect();
    let files = [
        npy("<f4", "(2, 3, 8, 9)", &values),
        npy(">f8", "(3, 8, 9)", &values),
        npy("|u1", "(3, 8, 72)", &values),
        npy("<f2", "(12, 72)", &values),
    ];
    let mut done = 0u64;
    let runs = seeds::each(HEADERS, |seed| {
        let bytes = seeds::bytes(seed, 128);
        let mut bytes = Unstructured::new(&bytes);
        let file = changed(&mut bytes, &files[seed as usize % files.len()], 80).expect("enough bytes");
        fs::write(place.path("in"), file).unwrap();
        let kernel = if seed % 4 == 3 { "1" } else { "1,1" };
        let line = format!("forward --input in --output out --kernel {kernel} --device cpu");
        done += u64::from(run(&place, &words(&line)) == 0);
    });
    // Some changes are of values alone.
    assert!(runs < 50 || done > 0 && done < runs, "{done} of {runs} are tensors");
}

#[test]
fn pictures() {
    let place = Workplace::new();
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
    let mut files: Vec<_> = fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_none_or(|extension| extension != "py"));
    // The order of a directory is anybody's guess, and a seed must mean the same on every machine.
    files.sort();
    let files: Vec<_> = files.into_iter().map(|path| fs::read(path).unwrap()).collect();
    let mut done = 0u64;
    let runs = seeds::each(PICTURES, |seed| {
        let bytes = seeds::bytes(seed, 128);
        let file = &files[seed as usize % files.len()];
        let file = changed(&mut Unstructured::new(&bytes), file, 200).expect("enough bytes");
        fs::write(place.path("in"), file).unwrap();
        done += u64::from(run(&place, &words("image in --output out --format png --device cpu")) == 0);
    });
    assert!(runs < 50 || done < runs, "{done} of {runs} are pictures");
}

/// Lines that are right: words of one are put into others.
const LINES: [&str; 7] = [
    "forward --input in.npy --output out.npy --kernel 2,3 --stride 2 --padding 1,1 --device cpu",
    "forward --input in.npy --output out.npy --output-size 2,3 --dtype f16 --lse lse.npy --device cpu",
    "forward --input in.npy --output out.npy --global --unbatched --beta -0.5 --device cpu",
    "backward --input in.npy --grad-output g.npy --output out.npy --kernel 2 --ceil-mode --device cpu",
    "image in.png --output out.png --kernel 3 --stride 2 --padding 1 --method soft --linear --device cpu",
    "image in.png --output out.webp --kernel 2 --format webp --max-memory 1G --device cpu",
    "compare in.png --output out.png --kernel 2 --device cpu",
];

const VALUES: [&str; 22] = [
    "0",
    "1",
    "-1",
    "2,2",
    "3,3,3",
    "1,2,3,4",
    "",
    ",",
    "16384",
    "16385",
    "4294967296",
    "99999999999999999999",
    "1e3",
    "nan",
    "inf",
    "-inf",
    "0x10",
    "in.npy",
    "missing",
    "--",
    "-",
    "\u{00e4}\u{4e2d}",
];

#[test]
fn arguments() {
    let place = Workplace::new();
    let values: Vec<u8> = (0..2 * 3 * 8 * 9).flat_map(|i| (i as f32 * 0.37).sin().to_le_bytes()).collect();
    fs::write(place.path("in.npy"), npy("<f4", "(2, 3, 8, 9)", &values)).unwrap();
    fs::write(place.path("g.npy"), npy("<f4", "(2, 3, 4, 5)", &values[..480])).unwrap();
    image::RgbImage::from_fn(8, 6, |x, y| image::Rgb([x as u8 * 30, y as u8 * 40, 77]))
        .save(place.path("in.png"))
        .unwrap();
    let mut done = 0u64;
    let runs = seeds::each(ARGUMENTS, |seed| {
        let bytes = seeds::bytes(seed, 128);
        let line = line(&mut Unstructured::new(&bytes)).expect("enough bytes");
        done += u64::from(run(&place, &line) == 0);
    });
    assert!(runs < 50 || done > runs / 50 && done < runs, "{done} of {runs} lines are right");
}

fn line(bytes: &mut Unstructured<'_>) -> Result<Vec<String>> {
    let mut line = words(bytes.choose(&LINES)?);
    for _ in 0..bytes.int_in_range(0..=3)? {
        let at = bytes.int_in_range(1..=line.len() - 1)?;
        match bytes.int_in_range(0..=4u8)? {
            0 => line[at] = (*bytes.choose(&VALUES)?).to_owned(),
            1 => drop(line.remove(at)),
            2 => line.insert(at, (*bytes.choose(&VALUES)?).to_owned()),
            3 => {
                let other = words(bytes.choose(&LINES)?);
                let from = bytes.int_in_range(1..=other.len() - 1)?;
                line.splice(at..at, other[from..(from + 2).min(other.len())].to_vec());
            }
            _ => line[at].push_str(bytes.choose(&["0", ",", "-", "x", "9999999999"])?),
        }
        if line.len() < 2 {
            break;
        }
    }
    // Without it a run would be of the machine's devices.
    if !line.windows(2).any(|pair| pair == ["--device", "cpu"]) {
        line.extend(words("--device cpu"));
    }
    Ok(line)
}
