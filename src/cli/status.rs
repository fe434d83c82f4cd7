//! The end of a command: exit codes, which scripts rely on, and error messages.

use std::process::ExitCode;

use crate::scenario::error::Diagnostics;

/// The exit code of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Status {
    /// The command did what it was asked to do.
    Done = 0,
    /// A file could not be read or written, or the program has a defect.
    Failed = 1,
    /// The command line has an error.
    BadUsage = 2,
    /// A scenario has errors.
    BadScenario = 3,
    /// A goal does not hold.
    NotAsExpected = 4,
    /// Points of a sweep are missing. The table of the others was written.
    Incomplete = 5,
    /// The user interrupted the program. Results up to then were reported.
    Interrupted = 130,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> ExitCode {
        ExitCode::from(status as u8)
    }
}

/// The reason why a command cannot go on.
#[derive(Debug)]
pub(super) struct Failure {
    /// The exit code.
    pub(super) status: Status,
    /// The text for stderr, ready to print, without a line end.
    pub(super) text: String,
}

impl Failure {
    /// A failure with a message of one line, such as `error: cannot write ...`.
    pub(super) fn new(status: Status, message: impl AsRef<str>) -> Failure {
        Failure { status, text: format!("{} {}", super::style::error("error:"), message.as_ref()) }
    }

    /// A failure of reading, writing and the like.
    pub(super) fn failed(message: impl AsRef<str>) -> Failure {
        Failure::new(Status::Failed, message)
    }

    /// A failure because of the command line.
    pub(super) fn usage(message: impl AsRef<str>) -> Failure {
        Failure::new(Status::BadUsage, message)
    }

    /// A failure because a scenario cannot be read or has errors.
    pub(super) fn scenario(message: impl AsRef<str>) -> Failure {
        Failure::new(Status::BadScenario, message)
    }
}

impl From<Diagnostics> for Failure {
    fn from(found: Diagnostics) -> Failure {
        Failure { status: Status::BadScenario, text: found.render(true) }
    }
}
