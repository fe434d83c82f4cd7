//! Outputs: results to stdout, everything else to stderr, and files that are written whole.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tempfile::{Builder, NamedTempFile};

use super::status::Failure;

/// Greatest length of the name of a file on the usual file systems.
const NAME_BYTES_MAX: usize = 255;

/// Writes a result to stdout, without colours unless stdout is a terminal. A reader that has closed the pipe, as
/// `head` does, is not an error: the rest of the result is not wanted.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a message to stderr. Errors are ignored, because there is no place left to report them.
pub(super) fn say(text: &str) {
    let mut stderr = anstream::stderr().lock();
    let _ = writeln!(stderr, "{text}");
}

/// The files that the command reads, and those that its options name as outputs.
static CLAIMED: Mutex<(Vec<PathBuf>, Vec<PathBuf>)> = Mutex::new((Vec::new(), Vec::new()));

/// Notes a file that is about to be read.
///
/// # Errors
/// When an output would overwrite it.
pub(super) fn claim_input(path: &Path) -> Result<(), String> {
    let Ok(path) = fs::canonicalize(path) else { return Ok(()) };
    let mut claimed = CLAIMED.lock().expect("nothing fails while the lock is held");
    if claimed.1.contains(&path) {
        return Err("it is named as an output too, which would overwrite it".into());
    }
    claimed.0.push(path);
    Ok(())
}

/// Notes a path that an option names as an output.
///
/// # Errors
/// When the command reads it, or another option names it.
pub(super) fn claim_output(path: &Path) -> Result<(), Failure> {
    let is_special = fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir());
    let whole = fs::canonicalize(path).or_else(|_| {
        let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
        fs::canonicalize(parent(path)).map(|folder| folder.join(name))
    });
    let Some(whole) = whole.ok().filter(|_| !is_special) else { return Ok(()) };
    let mut claimed = CLAIMED.lock().expect("nothing fails while the lock is held");
    let refuse = |why: &str| Err(Failure::usage(format!("`{}` {why}", path.display())));
    if claimed.0.contains(&whole) {
        return refuse("is read by this command: name another file for the output");
    }
    if claimed.1.contains(&whole) {
        return refuse("is named by two outputs");
    }
    claimed.1.push(whole);
    Ok(())
}

/// A file that will be written when the result is complete.
#[derive(Debug)]
pub(super) struct OutputFile {
    path: PathBuf,
    /// Whether it is a device or a pipe, which is written to and never replaced.
    is_special: bool,
}

impl OutputFile {
    /// Checks that the file can be written, before hours are spent on its content.
    pub(super) fn prepare(path: &Path) -> Result<OutputFile, Failure> {
        let fail = |why: &dyn std::fmt::Display| cannot_write(path, why);
        if path.file_name().is_some_and(|name| name.len() > NAME_BYTES_MAX) {
            return Err(fail(&format!("its name has more than {NAME_BYTES_MAX} bytes")));
        }
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => Err(fail(&"it is a folder")),
            Ok(found) if found.permissions().readonly() => Err(fail(&"it is read-only")),
            Ok(found) if !found.is_file() => Ok(OutputFile { path: path.to_owned(), is_special: true }),
            Ok(_) => {
                // A link stays a link: its target is replaced.
                let path = fs::canonicalize(path).map_err(|error| fail(&error))?;
                temporary_beside(&path).map_err(|error| fail(&error))?;
                Ok(OutputFile { path, is_special: false })
            }
            Err(error) if path.is_symlink() => Err(fail(&leads_nowhere(&error))),
            Err(_) => {
                temporary_beside(path).map_err(|error| fail(&error))?;
                Ok(OutputFile { path: path.to_owned(), is_special: false })
            }
        }
    }

    /// Whether it is a regular file, which can have other files beside it.
    pub(super) fn is_regular(&self) -> bool {
        !self.is_special
    }

    /// Writes all of the content or nothing. A reader never sees half a file, and an old file stays until the new one
    /// is complete.
    pub(super) fn write(&self, content: impl AsRef<[u8]>) -> Result<(), Failure> {
        let content = content.as_ref();
        let written = if self.is_special {
            File::options().write(true).open(&self.path).and_then(|mut file| file.write_all(content))
        } else {
            self.replace(content)
        };
        written.map_err(|error| cannot_write(&self.path, &error))
    }

    fn replace(&self, content: &[u8]) -> io::Result<()> {
        let mut file = temporary_beside(&self.path)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        Ok(())
    }
}

/// Writes a file that is not there yet, whole or not at all. Returns false, and changes nothing, if there is one.
pub(super) fn write_new(path: &Path, content: &[u8]) -> Result<bool, Failure> {
    let write = || {
        let mut file = temporary_beside(path)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(path) {
            Ok(_) => Ok(true),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error.error),
        }
    };
    write().map_err(|error: io::Error| cannot_write(path, &error))
}

/// A folder of files that will be written when the results are complete.
#[derive(Debug)]
pub(super) struct OutputFolder {
    path: PathBuf,
}

impl OutputFolder {
    /// Checks that the files can be written, before hours are spent on their content.
    pub(super) fn prepare(path: &Path) -> Result<OutputFolder, Failure> {
        let tried = match fs::metadata(path) {
            Ok(found) if !found.is_dir() => Err(io::Error::other("it is a file")),
            Ok(_) => temporary_beside(&path.join("it")).map(drop),
            Err(error) if path.is_symlink() => Err(io::Error::other(leads_nowhere(&error))),
            Err(_) if path.file_name().is_none() => Err(io::Error::other("it names no folder")),
            Err(_) => temporary_beside(path).map(drop),
        };
        tried.map_err(|error| cannot_write(path, &error))?;
        Ok(OutputFolder { path: path.to_owned() })
    }

    /// Writes all files. A new folder appears with all of them at once. In an existing folder each file is replaced
    /// whole, and other files stay.
    pub(super) fn write<N: AsRef<str>, C: AsRef<[u8]>>(&self, files: &[(N, C)]) -> Result<(), Failure> {
        if self.path.is_dir() {
            for (name, text) in files {
                OutputFile::prepare(&self.path.join(name.as_ref()))?.write(text)?;
            }
            return Ok(());
        }
        self.create(files).map_err(|error| cannot_write(&self.path, &error))
    }

    fn create<N: AsRef<str>, C: AsRef<[u8]>>(&self, files: &[(N, C)]) -> io::Result<()> {
        let folder = builder(0o777).tempdir_in(parent(&self.path))?;
        for (name, text) in files {
            let mut file = File::create_new(folder.path().join(name.as_ref()))?;
            file.write_all(text.as_ref())?;
            file.sync_all()?;
        }
        fs::rename(folder.path(), &self.path)?;
        // The folder was moved, so the temporary one must not be removed.
        let _ = folder.keep();
        Ok(())
    }
}

/// Why nothing can be written through a link that could not be followed.
fn leads_nowhere(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "it is a link that leads nowhere".into(),
        _ => format!("it is a link that cannot be followed: {error}"),
    }
}

fn cannot_write(path: &Path, why: &dyn std::fmt::Display) -> Failure {
    Failure::failed(format!("cannot write `{}`: {why}", path.display()))
}

/// The folder that holds a path.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A builder of temporary files or folders, with the permissions of new ones.
fn builder(mode: u32) -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.prefix(".outgrow-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    builder
}

/// A temporary file in the same folder, because renaming works only within a file system. It is deleted when dropped.
fn temporary_beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = parent(path);
    if !folder.exists() {
        let why = format!("the folder `{}` does not exist; make it first", folder.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, why));
    }
    builder(0o666).tempfile_in(folder)
}

/// The output for JSON.
pub(super) enum JsonOutput {
    /// To stdout, instead of the summary.
    Stdout,
    /// Into a file.
    File(OutputFile),
}

impl JsonOutput {
    pub(super) fn prepare(path: &Path) -> Result<JsonOutput, Failure> {
        if path == Path::new("-") {
            return Ok(JsonOutput::Stdout);
        }
        claim_output(path)?;
        OutputFile::prepare(path).map(JsonOutput::File)
    }

    pub(super) fn write(&self, text: &str) -> Result<(), Failure> {
        match self {
            JsonOutput::Stdout => print(text),
            JsonOutput::File(file) => file.write(text),
        }
    }
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

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_nowhere_or_to_itself_is_no_output() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        symlink(at("nothing"), at("nowhere")).unwrap();
        symlink(at("there"), at("here")).unwrap();
        symlink(at("here"), at("there")).unwrap();
        symlink(at("itself"), at("itself")).unwrap();
        for (name, why) in [
            ("nowhere", "it is a link that leads nowhere"),
            ("here", "it is a link that cannot be followed"),
            ("itself", "it is a link that cannot be followed"),
        ] {
            for found in
                [OutputFile::prepare(&at(name)).unwrap_err(), OutputFolder::prepare(&at(name)).unwrap_err()]
            {
                assert!(found.text.contains(why), "{}", found.text);
            }
        }
        // A link to a file stays a link.
        fs::write(at("file"), "old").unwrap();
        symlink(at("file"), at("link")).unwrap();
        OutputFile::prepare(&at("link")).unwrap().write("new").unwrap();
        assert!(at("link").is_symlink());
        assert_eq!(fs::read_to_string(at("file")).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 6, "nothing else has come");
    }

    #[test]
    fn a_folder_appears_with_all_its_files_and_is_refreshed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tables");
        let output = OutputFolder::prepare(&path).unwrap();
        assert!(!path.exists());
        let read = |name: &str| fs::read_to_string(path.join(name)).unwrap();
        output.write(&[("a.csv", "1"), ("b.csv", "2")]).unwrap();
        output.write(&[("a.csv", "3")]).unwrap();
        assert_eq!((read("a.csv"), read("b.csv")), ("3".into(), "2".into()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        for bad in [path.join("a.csv"), folder.path().join("none/x")] {
            let found = OutputFolder::prepare(&bad).unwrap_err();
            assert!(found.text.contains("cannot write"));
        }
    }
}
