//! Where text goes: results to stdout, all else to stderr, files written whole.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use super::status::Failure;

/// Writes a result to stdout. Colours are taken out where they do not belong. A reader who has gone, as `head` does, is
/// no failure: the rest of the result is simply not wanted.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a message to stderr. When even that cannot be written, nobody is there to be told.
pub(super) fn say(text: &str) {
    let mut stderr = anstream::stderr().lock();
    let _ = writeln!(stderr, "{text}");
}

/// A file to be written when the result is there.
#[derive(Debug)]
pub(super) struct OutputFile {
    path: PathBuf,
    /// A device or a pipe: it is written to, never replaced.
    is_special: bool,
}

impl OutputFile {
    /// Makes sure that the file can be written, before hours are spent on what should stand in it.
    pub(super) fn prepare(path: &Path) -> Result<OutputFile, Failure> {
        let fail = |why: &dyn std::fmt::Display| {
            Failure::failed(format!("cannot write `{}`: {why}", path.display()))
        };
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => Err(fail(&"it is a folder")),
            Ok(found) if found.permissions().readonly() => Err(fail(&"it is read-only")),
            Ok(found) if !found.is_file() => Ok(OutputFile { path: path.to_owned(), is_special: true }),
            Ok(_) => {
                // A link stays a link: what it points at is replaced.
                let path = fs::canonicalize(path).map_err(|error| fail(&error))?;
                temporary_beside(&path).map_err(|error| fail(&error))?;
                Ok(OutputFile { path, is_special: false })
            }
            Err(_) => {
                temporary_beside(path).map_err(|error| fail(&error))?;
                Ok(OutputFile { path: path.to_owned(), is_special: false })
            }
        }
    }

    /// Writes all of it or nothing: a reader never sees half a file, and an old one stays until the new one is whole.
    pub(super) fn write(&self, content: impl AsRef<[u8]>) -> Result<(), Failure> {
        let content = content.as_ref();
        let written = if self.is_special {
            File::options().write(true).open(&self.path).and_then(|mut file| file.write_all(content))
        } else {
            self.replace(content)
        };
        written.map_err(|error| Failure::failed(format!("cannot write `{}`: {error}", self.path.display())))
    }

    fn replace(&self, content: &[u8]) -> io::Result<()> {
        let mut file = temporary_beside(&self.path)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        Ok(())
    }
}

/// A folder for files whose names the result decides.
#[derive(Debug)]
pub(super) struct OutputFolder(PathBuf);

impl OutputFolder {
    /// Makes the folder if it is not there, and makes sure that files can be written into it.
    pub(super) fn prepare(path: &Path) -> Result<OutputFolder, Failure> {
        let fail = |why: io::Error| Failure::failed(format!("cannot write into `{}`: {why}", path.display()));
        fs::create_dir_all(path).map_err(fail)?;
        temporary_beside(&path.join("file")).map_err(fail)?;
        Ok(OutputFolder(path.to_owned()))
    }

    /// Writes a file, whole or not at all.
    pub(super) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<(), Failure> {
        OutputFile::prepare(&self.0.join(name))?.write(content)
    }
}

/// A new file in the same folder, since renaming works only within a file system; it goes away when dropped.
fn temporary_beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = Builder::new();
    builder.prefix(".outgrow-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.json");
        let output = OutputFile::prepare(&path).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        output.write("one").unwrap();
        OutputFile::prepare(&path).unwrap().write("two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_written_is_found_at_once() {
        let folder = tempfile::tempdir().unwrap();
        for bad in [folder.path().to_owned(), folder.path().join("none/out.json")] {
            assert!(OutputFile::prepare(&bad).unwrap_err().text.contains("cannot write"));
        }
    }
}
