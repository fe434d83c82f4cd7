//! Where a scenario comes from: a file, stdin, or the program itself.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::builtin;
use super::output;
use super::status::Failure;
use super::style;
use crate::components::KINDS;
use crate::model::spec::{Files, NoFiles};
use crate::scenario::document::TEXT_BYTES_MAX;
use crate::scenario::{self, Loaded, Scenario, Without};

/// Greatest size of a file that a scenario names, in bytes: a trace of ten million lines fits.
const DATA_BYTES_MAX: usize = 256 << 20;

/// A key and its new value: `--set web.count=8`.
pub(super) type Override = (String, String);

/// The text of a scenario, and the folder of the files that it names.
#[derive(Debug)]
pub(super) struct Source {
    /// Its name in messages and results.
    pub(super) origin: String,
    /// The text.
    pub(super) text: String,
    folder: Option<PathBuf>,
    without: Without,
    /// Whether the scenario keeps its tests of the simulator, which only some commands evaluate.
    checks: bool,
}

impl Source {
    /// The source that an argument SCENARIO names. A file takes precedence over a built-in scenario of the same name.
    pub(super) fn find(argument: &str) -> Result<Source, Failure> {
        let path = Path::new(argument);
        if argument == "-" {
            let text = read_text(std::io::stdin().lock(), TEXT_BYTES_MAX);
            let text = text.map_err(|why| cannot_read("stdin", &why))?;
            return Ok(Source {
                origin: "<stdin>".into(),
                text,
                folder: None,
                without: Without::default(),
                checks: false,
            });
        }
        if let Some(builtin) = builtin::find(argument).filter(|_| !path.is_file()) {
            let text = builtin.text.to_owned();
            return Ok(Source {
                origin: builtin.name.into(),
                text,
                folder: None,
                without: Without::default(),
                checks: false,
            });
        }
        if is_bare_name(argument) && !path.exists() {
            let help = builtin::suggestion(argument);
            let message = format!("there is neither a file nor a built-in scenario `{argument}`: {help}");
            return Err(Failure::scenario(message));
        }
        let text = read_file(path, TEXT_BYTES_MAX).map_err(|why| cannot_read(argument, &why))?;
        let folder = path.parent().map(Path::to_owned);
        Ok(Source { origin: argument.into(), text, folder, without: Without::default(), checks: false })
    }

    /// The source of a scenario that was read before: its text with the overrides in it, in the same folder.
    pub(super) fn of(scenario: &Scenario) -> Source {
        let path = Path::new(&scenario.origin);
        Source {
            origin: scenario.origin.clone(),
            text: scenario.text.clone(),
            folder: path.parent().filter(|_| path.is_file()).map(Path::to_owned),
            without: Without::default(),
            checks: true,
        }
    }

    /// The same source, with parts of the scenario left out.
    pub(super) fn without(self, without: Without) -> Source {
        Source { without, ..self }
    }

    /// The same source, with the tests of the simulator kept.
    pub(super) fn with_checks(self, checks: bool) -> Source {
        Source { checks, ..self }
    }

    /// Reads and checks the scenario, and prints its warnings to stderr.
    pub(super) fn load(&self, overrides: &[Override]) -> Result<Scenario, Failure> {
        let Loaded { scenario, warnings } = self.check(overrides)?;
        if !warnings.is_empty() {
            output::say(&warnings.render(true));
        }
        Ok(scenario)
    }

    /// The path of a file that the scenario names.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.folder.as_ref().map_or_else(|| PathBuf::from(name), |folder| folder.join(name))
    }

    /// Reads and checks the scenario, and prints nothing.
    pub(super) fn check(&self, overrides: &[Override]) -> Result<Loaded, Failure> {
        let loaded = match &self.folder {
            Some(folder) => self.load_with(overrides, &Beside(folder)),
            None => self.load_with(overrides, &NoFiles),
        };
        loaded.map_err(|found| Failure::from(*found))
    }

    /// Whether two keys of overrides set the same value, however they are written.
    pub(super) fn is_same_key(&self, one: &str, other: &str) -> bool {
        let path = |key| scenario::overrides::path(&self.text, key);
        one == other || path(one).is_some_and(|one| path(other) == Some(one))
    }

    /// Reads and checks the scenario, and notes the SHA-256 of every file that it names.
    pub(super) fn check_noting(
        &self,
        overrides: &[Override],
        seen: &mut BTreeMap<String, String>,
    ) -> Result<Loaded, Failure> {
        let files = Noting::new(self.folder.as_deref(), scenario::sha256, std::mem::take(seen));
        let loaded = self.load_with(overrides, &files);
        *seen = files.seen.into_inner();
        loaded.map_err(|found| Failure::from(*found))
    }

    /// Reads and checks the scenario. Returns it with the text of every file that it names, by path.
    pub(super) fn check_keeping(
        &self,
        overrides: &[Override],
    ) -> Result<(Scenario, BTreeMap<String, String>), Failure> {
        let files = Noting::new(self.folder.as_deref(), str::to_owned, BTreeMap::new());
        let loaded = self.load_with(overrides, &files).map_err(|found| Failure::from(*found))?;
        Ok((loaded.scenario, files.seen.into_inner()))
    }

    fn load_with(
        &self,
        overrides: &[Override],
        files: &dyn Files,
    ) -> Result<Loaded, Box<scenario::error::Diagnostics>> {
        let mut loaded =
            scenario::load_without(self.without, &self.origin, &self.text, overrides, files, KINDS)
                .map_err(Box::new)?;
        if !self.checks {
            loaded.scenario.checks.clear();
        }
        Ok(loaded)
    }
}

/// Prints a warning about a scenario that does not come from the loader.
pub(super) fn warn(message: &str) {
    output::say(&format!("{} {message}", style::warning("warning:")));
}

/// Whether an argument is neither a path nor the name of a TOML file.
fn is_bare_name(argument: &str) -> bool {
    !argument.contains(['/', '\\']) && !argument.ends_with(".toml")
}

fn cannot_read(name: &str, why: &str) -> Failure {
    Failure::scenario(format!("cannot read `{name}`: {why}"))
}

/// Files that a scenario names, in the folder of the scenario.
struct Beside<'a>(&'a Path);

impl Files for Beside<'_> {
    fn read(&self, path: &str) -> Result<String, String> {
        read_file(&self.0.join(path), DATA_BYTES_MAX)
    }
}

/// The same files; keeps what `note` makes of the text of every file that was read.
struct Noting<'a> {
    folder: Option<&'a Path>,
    note: fn(&str) -> String,
    seen: RefCell<BTreeMap<String, String>>,
}

impl<'a> Noting<'a> {
    fn new(folder: Option<&'a Path>, note: fn(&str) -> String, seen: BTreeMap<String, String>) -> Noting<'a> {
        Noting { folder, note, seen: RefCell::new(seen) }
    }
}

impl Files for Noting<'_> {
    fn read(&self, path: &str) -> Result<String, String> {
        let text = match self.folder {
            Some(folder) => Beside(folder).read(path),
            None => NoFiles.read(path),
        }?;
        self.seen.borrow_mut().insert(path.to_owned(), (self.note)(&text));
        Ok(text)
    }
}

fn read_file(path: &Path, bytes_max: usize) -> Result<String, String> {
    let found = fs::metadata(path).map_err(|error| said(&error))?;
    if found.is_dir() {
        return Err("it is a folder".into());
    }
    output::claim_input(path)?;
    read_text(File::open(path).map_err(|error| said(&error))?, bytes_max)
}

/// The whole text. More than `bytes_max` bytes are an error, because a device may never end.
fn read_text(from: impl Read, bytes_max: usize) -> Result<String, String> {
    let mut bytes = Vec::new();
    from.take(bytes_max as u64 + 1).read_to_end(&mut bytes).map_err(|error| said(&error))?;
    if bytes.len() > bytes_max {
        return Err(format!("it has more than {} MiB", bytes_max >> 20));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("it is not UTF-8 text, see line {line}")
    })
}

/// The system's message without its error number.
fn said(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".into(),
        std::io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_must_be_text_and_not_too_long() {
        assert_eq!(read_text(&b"abc"[..], 3).unwrap(), "abc");
        assert_eq!(read_text(&b"a\n\xff"[..], 10).unwrap_err(), "it is not UTF-8 text, see line 2");
        assert_eq!(read_text(std::io::repeat(b'x'), 1 << 20).unwrap_err(), "it has more than 1 MiB");
    }

    #[test]
    fn every_built_in_scenario_is_without_faults() {
        for builtin in builtin::BUILTINS.iter().chain(builtin::STEPS) {
            let source = Source::find(builtin.name).unwrap().with_checks(true);
            let loaded = source.check(&[]).unwrap_or_else(|it| panic!("{}", it.text));
            // Some scenarios are overloaded on purpose, or let a connection be closed, and get a warning.
            let warned = [
                "05-scale-up-wall",
                "10-replica-lag",
                "25-checks-amplify",
                "26-waiting-lines",
                "27-memory-cliff",
                "29-priorities",
                "31-keep-alive",
                "34-pool",
                "45-photo-queue",
            ];
            let is_warned = warned.contains(&builtin.name);
            assert_eq!(loaded.warnings.is_empty(), !is_warned, "{}: {}", builtin.name, loaded.warnings);
            assert!(!(loaded.scenario.expects.is_empty() && loaded.scenario.checks.is_empty()));
        }
    }
}
