//! Output files that are written whole or not at all: beside their final place first, then renamed into it. Standard
//! output, devices and pipes, which nothing can be renamed into, get the whole content at once.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf, is_separator};

use tempfile::{Builder, NamedTempFile};

use crate::failure::{Failure, Result};
use crate::leftovers;

/// What the command line calls standard output.
const STDOUT: &str = "-";

/// Links that are followed before they are taken for a circle, as many as Linux follows.
const MAX_LINKS: usize = 40;

/// A place to write to, found usable before the work starts.
pub struct Output {
    /// The path as the user gave it, for messages.
    path: PathBuf,
    place: Place,
}

/// Where an output ends up.
#[derive(Clone, Debug, PartialEq)]
enum Place {
    /// A regular file, there already or not: the end of the symbolic links.
    File(PathBuf),
    /// A device, a pipe or another of the process's open files.
    Stream(PathBuf),
    Stdout,
}

/// A complete output that is not in its place yet. Dropping it leaves nothing.
pub struct Staged<'a> {
    output: &'a Output,
    content: Content,
}

enum Content {
    /// Under a temporary name, beside the file that it will be.
    File { file: NamedTempFile, _registered: leftovers::Registered },
    /// For a stream, which has no place beside it.
    Memory(Vec<u8>),
}

impl Output {
    /// Checks that `path` can be written, as far as that can be known without writing.
    pub fn check(path: &Path) -> Result<Self> {
        let output = Self { path: path.to_owned(), place: find(path)? };
        if let Place::File(target) = &output.place {
            output.check_file(target)?;
        }
        Ok(output)
    }

    /// Whether both go to the same file. A device like /dev/null takes any number of outputs.
    pub fn is(&self, other: &Self) -> bool {
        match (&self.place, &other.place) {
            (Place::File(a), Place::File(b)) => {
                let place =
                    |target: &Path| Some((fs::canonicalize(directory(target)).ok()?, target.file_name()?.to_owned()));
                place(a) == place(b)
            }
            (Place::Stream(a), Place::Stream(b)) => {
                !is_character_device(a) && fs::canonicalize(a).ok() == fs::canonicalize(b).ok()
            }
            (a, b) => *a == Place::Stdout && a == b,
        }
    }

    /// Whether it is standard output, where nothing else may be printed then.
    pub fn is_stdout(&self) -> bool {
        self.place == Place::Stdout
    }

    /// Whether it is a regular file, whose name says what it holds.
    pub fn is_file(&self) -> bool {
        matches!(self.place, Place::File(_))
    }

    /// Writes the whole content, but not yet to its place.
    pub fn stage(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<Staged<'_>> {
        let cannot = |error: io::Error| Failure::of_file(&self.path, format_args!("cannot be written: {error}"));
        let content = match &self.place {
            Place::File(target) => {
                let (file, registered) = self.create(target)?;
                let mut writer = BufWriter::new(file.as_file());
                write(&mut writer)
                    .and_then(|()| writer.flush())
                    // A crash after the renaming must not leave an empty file.
                    .and_then(|()| file.as_file().sync_all())
                    .map_err(cannot)?;
                drop(writer);
                Content::File { file, _registered: registered }
            }
            Place::Stream(_) | Place::Stdout => {
                let mut bytes = Vec::new();
                write(&mut bytes).map_err(cannot)?;
                Content::Memory(bytes)
            }
        };
        Ok(Staged { output: self, content })
    }

    /// Checks that the file may be written, if it is there, and that its directory takes a new one.
    fn check_file(&self, target: &Path) -> Result<()> {
        if target.file_name().is_none() || target.to_string_lossy().ends_with(is_separator) {
            return Err(Failure::of_file(&self.path, "names no file: give a file's path"));
        }
        let directory = directory(target);
        if !directory.is_dir() {
            return Err(Failure::of_file(
                &self.path,
                format_args!("its directory {} is not there: create it first", directory.display()),
            ));
        }
        if let Ok(metadata) = fs::metadata(target) {
            // Renaming asks the directory alone; writing, which it stands for, asks the file. Opening it so, as a
            // shell's redirection does, finds out without changing it. Root may write what nobody else may: that a file
            // is protected counts for root, too.
            let refusal = match OpenOptions::new().write(true).open(target) {
                Err(error) => Some(error.to_string()),
                Ok(_) if metadata.permissions().readonly() => Some("Permission denied".into()),
                Ok(_) => None,
            };
            if let Some(refusal) = refusal {
                return Err(Failure::of_file(
                    &self.path,
                    format_args!("is there and cannot be written: {refusal}: make it writable, or give another path"),
                ));
            }
        }
        self.create(target).map(drop)
    }

    /// A temporary file beside `target`, with the permissions that the output will have.
    fn create(&self, target: &Path) -> Result<(NamedTempFile, leftovers::Registered)> {
        let mut builder = Builder::new();
        builder.prefix(".softpool-");
        // A temporary file is private unless told; the output has the permissions of the file that it replaces, or
        // those that the umask leaves.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let directory = directory(target);
        let cannot = |error: io::Error| {
            Failure::of_file(
                &self.path,
                format_args!(
                    "{} takes no new file, and outputs are written beside their place first: {}: give a path elsewhere",
                    directory.display(),
                    without_path(&error)
                ),
            )
        };
        let create = || {
            let file = builder.tempfile_in(directory)?;
            let registered = leftovers::register(file.path());
            if let Ok(replaced) = fs::metadata(target) {
                #[cfg(unix)]
                keep_owner(file.as_file(), &replaced);
                file.as_file().set_permissions(replaced.permissions())?;
            }
            Ok((file, registered))
        };
        create().map_err(cannot)
    }
}

impl Staged<'_> {
    /// Whether writing may take its time or fail, as into a pipe.
    pub fn is_stream(&self) -> bool {
        matches!(self.content, Content::Memory(_))
    }

    /// Moves the content to its place.
    pub fn publish(self) -> Result<()> {
        let path = &self.output.path;
        match (self.content, &self.output.place) {
            (Content::File { file, .. }, Place::File(target)) => file
                .persist(target)
                .map(drop)
                .map_err(|error| Failure::of_file(path, format_args!("cannot be put in place: {}", error.error))),
            (Content::Memory(bytes), place) => write_at_once(place, &bytes)
                .map_err(|error| Failure::of_file(path, format_args!("cannot be written: {error}"))),
            (Content::File { .. }, _) => unreachable!("streams are staged in memory"),
        }
    }
}

/// Writes all `bytes` to a stream.
fn write_at_once(place: &Place, bytes: &[u8]) -> io::Result<()> {
    match place {
        Place::Stdout => {
            let mut stdout = io::stdout().lock();
            stdout.write_all(bytes)?;
            stdout.flush()
        }
        // As a redirection: another open file that is regular loses its old content.
        Place::Stream(path) | Place::File(path) => {
            OpenOptions::new().write(true).truncate(true).open(path)?.write_all(bytes)
        }
    }
}

/// Where writing to `path` ends up, following symbolic links even to a file that is not there yet.
fn find(path: &Path) -> Result<Place> {
    if path == Path::new(STDOUT) {
        return Ok(Place::Stdout);
    }
    let mut place = path.to_owned();
    let mut links = 0;
    loop {
        // What links of open files say is no path: "pipe:[4026]".
        match open_file(&place) {
            Some("1") => return Ok(Place::Stdout),
            Some(_) => break,
            None => {}
        }
        let Ok(target) = fs::read_link(&place) else { break };
        links += 1;
        if links > MAX_LINKS {
            return Err(Failure::of_file(
                path,
                "is a link that leads through too many others, maybe in a circle: give a file's path",
            ));
        }
        place = directory(&place).join(target);
    }
    match fs::metadata(&place) {
        Ok(metadata) if metadata.is_dir() => {
            Err(Failure::of_file(path, "is a directory, no regular file: give a file's path"))
        }
        Ok(metadata) if is_disk(&metadata) => {
            Err(Failure::of_file(path, "is a disk, whose content would be lost: give a file's path"))
        }
        Ok(metadata) if !metadata.is_file() || open_file(&place).is_some() => Ok(Place::Stream(place)),
        Ok(_) => Ok(Place::File(place)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Place::File(place)),
        Err(error) => Err(Failure::of_file(path, format_args!("cannot be written: {error}: give another path"))),
    }
}

/// The number of the process's open file that `path` is: 1 for /dev/fd/1 and /proc/self/fd/1.
fn open_file(path: &Path) -> Option<&str> {
    let number = path.file_name()?.to_str().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))?;
    let directory = directory(path);
    let is_of_open_files = directory == Path::new("/dev/fd")
        || fs::canonicalize("/proc/self/fd")
            .is_ok_and(|open| fs::canonicalize(directory).is_ok_and(|real| real == open));
    is_of_open_files.then_some(number)
}

/// What the system says, without the temporary name, which `tempfile` adds and which means nothing to the user.
fn without_path(error: &io::Error) -> String {
    let text = error.to_string();
    text.split_once(" at path ").map_or(&*text, |(text, _)| text).to_owned()
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(unix)]
fn is_disk(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_block_device(&metadata.file_type())
}

#[cfg(not(unix))]
fn is_disk(_: &fs::Metadata) -> bool {
    false
}

#[cfg(unix)]
fn is_character_device(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| std::os::unix::fs::FileTypeExt::is_char_device(&metadata.file_type()))
}

#[cfg(not(unix))]
fn is_character_device(_: &Path) -> bool {
    false
}

/// Gives a file the owner of the one that it replaces, where that is allowed, as writing into it would have kept it.
#[cfg(unix)]
fn keep_owner(file: &File, replaced: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let owner = |metadata: &fs::Metadata| (metadata.uid(), metadata.gid());
    if file.metadata().is_ok_and(|made| owner(&made) != owner(replaced)) {
        let _ = fchown(file, Some(replaced.uid()), Some(replaced.gid()));
    }
}
