//! Output files that are written whole or not at all: beside their final place first, then renamed into it.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf, is_separator};

use tempfile::{Builder, NamedTempFile};

use crate::failure::{Failure, Result};

/// A place to write to, found usable before the work starts.
pub struct Output {
    /// The path as the user gave it, for messages.
    path: PathBuf,
    /// Where the file goes: the end of the symbolic links, if `path` is one.
    target: PathBuf,
}

/// A complete file that still has its temporary name. Dropping it removes it.
pub struct Staged<'a> {
    output: &'a Output,
    file: NamedTempFile,
}

impl Output {
    /// Checks that `path` can be written: its directory is there and takes a file, and it is no directory or device
    /// itself.
    pub fn check(path: &Path) -> Result<Self> {
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        match fs::metadata(&target) {
            Ok(metadata) if !metadata.is_file() => {
                return Err(Failure::of_file(path, "is there and is no regular file: give a file's path"));
            }
            _ => {}
        }
        if target.file_name().is_none() || path.to_string_lossy().ends_with(is_separator) {
            return Err(Failure::of_file(path, "names no file: give a file's path"));
        }
        let output = Self { path: path.to_owned(), target };
        let directory = output.directory();
        if !directory.is_dir() {
            return Err(Failure::of_file(
                path,
                format_args!("its directory {} is not there: create it first", directory.display()),
            ));
        }
        output.create()?;
        Ok(output)
    }

    /// Whether both go to the same file.
    pub fn is(&self, other: &Self) -> bool {
        let place =
            |output: &Self| Some((fs::canonicalize(output.directory()).ok()?, output.target.file_name()?.to_owned()));
        place(self) == place(other)
    }

    /// Writes the whole file under a temporary name.
    pub fn stage(&self, write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>) -> Result<Staged<'_>> {
        let file = self.create()?;
        let mut writer = BufWriter::new(file.as_file());
        write(&mut writer)
            .and_then(|()| writer.flush())
            // A crash after the renaming must not leave an empty file.
            .and_then(|()| file.as_file().sync_all())
            .map_err(|error| Failure::of_file(&self.path, format_args!("cannot be written: {error}")))?;
        drop(writer);
        Ok(Staged { output: self, file })
    }

    fn create(&self) -> Result<NamedTempFile> {
        let mut builder = Builder::new();
        builder.prefix(".softpool-");
        // A temporary file is private unless told; the output has the permissions of the file that it replaces, or
        // those that the umask leaves.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let cannot = |error: io::Error| {
            Failure::of_file(&self.path, format_args!("{} takes no file: {error}", self.directory().display()))
        };
        let file = builder.tempfile_in(self.directory()).map_err(cannot)?;
        if let Ok(replaced) = fs::metadata(&self.target) {
            file.as_file().set_permissions(replaced.permissions()).map_err(cannot)?;
        }
        Ok(file)
    }

    fn directory(&self) -> &Path {
        match self.target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        }
    }
}

impl Staged<'_> {
    /// Moves the file to its place.
    pub fn publish(self) -> Result<()> {
        self.file.persist(&self.output.target).map(drop).map_err(|error| {
            Failure::of_file(&self.output.path, format_args!("cannot be put in place: {}", error.error))
        })
    }
}
