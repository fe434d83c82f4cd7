//! How a command ends: exit codes, which are a promise to scripts, and what is said when it fails.

use std::process::ExitCode;

use crate::scenario::error::Diagnostics;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Status {
    /// It did what it was asked to.
    Done = 0,
    /// Files could not be read or written, or the program has a defect.
    Failed = 1,
    /// The command line cannot be understood.
    BadUsage = 2,
    /// A scenario is wrong.
    BadScenario = 3,
    /// An expectation does not hold.
    NotAsExpected = 4,
    /// The user had enough; what was done by then has been reported.
    Interrupted = 130,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> ExitCode {
        ExitCode::from(status as u8)
    }
}

/// Why a command cannot go on.
#[derive(Debug)]
pub(super) struct Failure {
    /// How it ends.
    pub(super) status: Status,
    /// What stderr is told, ready to print, without a line end.
    pub(super) text: String,
}

impl Failure {
    /// One line in the form of all messages: `error: cannot write ...`.
    pub(super) fn new(status: Status, message: impl AsRef<str>) -> Failure {
        Failure { status, text: format!("{} {}", super::style::error("error:"), message.as_ref()) }
    }

    /// Reading, writing and the like went wrong.
    pub(super) fn failed(message: impl AsRef<str>) -> Failure {
        Failure::new(Status::Failed, message)
    }

    /// The command line asks for something that there is not.
    pub(super) fn usage(message: impl AsRef<str>) -> Failure {
        Failure::new(Status::BadUsage, message)
    }

    /// A scenario cannot be had.
    pub(super) fn scenario(message: impl AsRef<str>) -> Failure {
        Failure::new(Status::BadScenario, message)
    }
}

impl From<Diagnostics> for Failure {
    fn from(found: Diagnostics) -> Failure {
        Failure { status: Status::BadScenario, text: found.render(true) }
    }
}
