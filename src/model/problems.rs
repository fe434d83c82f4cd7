//! `Problems`: what is wrong with one table of a scenario; and `Files`, which reads the files that a table names.

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The scenario runs, but the user should look before trusting the result.
    Warning,
    /// The scenario cannot run.
    Error,
}

/// Something wrong with a scenario, at a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Warning or error.
    pub severity: Severity,
    /// Path of the key, relative to the table that was checked: `steps[2].cpu`; empty for the table itself.
    pub key: String,
    /// What is wrong, one line, without a full stop.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
}

/// Collects the problems of one box.
#[derive(Debug, Default)]
pub struct Problems {
    /// In the order in which they were found.
    pub items: Vec<Problem>,
}

impl Problems {
    /// The scenario cannot run because of what stands at `key`; `help` says what would be right.
    pub fn error(&mut self, key: impl Into<String>, message: impl Into<String>, help: impl Into<String>) {
        self.push(Severity::Error, key.into(), message.into(), help.into());
    }

    /// The user should look at `key` before trusting the result.
    pub fn warn(&mut self, key: impl Into<String>, message: impl Into<String>, help: impl Into<String>) {
        self.push(Severity::Warning, key.into(), message.into(), help.into());
    }

    fn push(&mut self, severity: Severity, key: String, message: String, help: String) {
        let help = (!help.is_empty()).then_some(help);
        self.items.push(Problem { severity, key, message, help });
    }
}

/// Reads files that a scenario names; the command line resolves them beside the scenario.
pub trait Files {
    /// The text of the file.
    ///
    /// # Errors
    /// One line for the user when it cannot be read.
    fn read(&self, path: &str) -> Result<String, String>;
}

/// No files at all: for scenarios that come from a string.
#[derive(Debug)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _path: &str) -> Result<String, String> {
        Err("this scenario was not loaded from a folder, so it cannot name files".into())
    }
}
