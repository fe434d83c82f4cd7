//! Where a course comes from: the program, or a folder of files.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::super::builtin;
use super::super::status::Failure;
use crate::course::{Course, Shelf, builtin as courses};
use crate::model::spec::Files;
use crate::scenario::document::TEXT_BYTES_MAX;
use crate::scenario::suggest::did_you_mean;

/// The files of a course.
pub(super) enum Folder {
    /// In the program.
    Builtin(courses::Builtin),
    /// On disk.
    Disk(PathBuf),
}

impl Folder {
    /// The course that an option names. A folder takes precedence over a built-in course of the same name, if it has a `course.toml`.
    pub(super) fn find(name: &str) -> Result<Folder, Failure> {
        if Path::new(name).join("course.toml").is_file() {
            return Ok(Folder::Disk(PathBuf::from(name)));
        }
        if let Some(found) = courses::find(name) {
            return Ok(Folder::Builtin(*found));
        }
        let help = did_you_mean(name, "courses", courses::BUILTINS.iter().map(|course| course.name));
        let help = help.unwrap_or_default();
        Err(Failure::usage(format!(
            "--course: there is no folder `{name}` with a `course.toml`, and no such course: {help}"
        )))
    }

    /// The course in it.
    pub(super) fn course(&self) -> Result<Course, Failure> {
        Course::read(self)
            .map_err(|why| if why.starts_with("error") { raw(why) } else { Failure::scenario(why) })
    }

    /// Its scenarios and those of the program.
    pub(super) fn shelf(&self) -> Shelf<'_> {
        Shelf { files: self, builtin: |name| builtin::find(name).map(|found| found.text) }
    }
}

/// A failure whose text is ready to print.
fn raw(text: String) -> Failure {
    Failure { status: super::super::status::Status::BadScenario, text }
}

impl Files for Folder {
    fn read(&self, path: &str) -> Result<String, String> {
        match self {
            Folder::Builtin(course) => course.read(path),
            Folder::Disk(folder) => {
                // An exercise names files of its course only.
                if path.contains(['/', '\\']) || path.starts_with('.') {
                    return Err("it is not in the folder of the course".into());
                }
                text(&folder.join(path), TEXT_BYTES_MAX)
            }
        }
    }
}

/// The text of a regular file of at most this size.
pub(super) fn text(path: &Path, bytes_max: usize) -> Result<String, String> {
    let found = fs::metadata(path).map_err(|error| error.to_string())?;
    if !found.is_file() {
        return Err("it is not a file".into());
    }
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(bytes_max as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|error| error.to_string())?;
    if bytes.len() > bytes_max {
        return Err(format!("it has more than {} KiB", bytes_max >> 10));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}
