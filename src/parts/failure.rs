//! `Failure`: how a call to another box has failed, as its caller sees it.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::call::Connection;
use crate::model::signal::Outcome;

/// How a call has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// The connection was not made: the other side does not know of the call.
    Connect,
    /// The connection broke: the call may have been done.
    Reset,
    /// No answer came in time: the call may have been done.
    Timeout,
    /// The answer is that the call was not served: HTTP 429, 502, 503, 504.
    Rejected,
    /// The answer is an error of the application: HTTP 500. The call may have been done.
    Failed,
    /// The answer is that somebody else has changed the data meanwhile: HTTP 409.
    Conflict,
}

impl Failure {
    /// All of them, in the order of their numbers.
    pub const ALL: [Failure; 6] = [
        Failure::Connect,
        Failure::Reset,
        Failure::Timeout,
        Failure::Rejected,
        Failure::Failed,
        Failure::Conflict,
    ];

    /// Returns the failure that an answer means; `None` where it is none.
    #[must_use]
    pub fn of(connection: Connection, outcome: Outcome) -> Option<Failure> {
        match (connection, outcome) {
            (Connection::Refused, _) => Some(Failure::Connect),
            (Connection::Broken, _) => Some(Failure::Reset),
            (Connection::Held, Outcome::Ok) => None,
            (Connection::Held, Outcome::Failed) => Some(Failure::Failed),
            (Connection::Held, Outcome::Conflict) => Some(Failure::Conflict),
            (Connection::Held, _) => Some(Failure::Rejected),
        }
    }

    /// Returns the failure of a caller who has waited too long, with a connection or for one.
    #[must_use]
    pub fn late(connection: Connection) -> Failure {
        if connection == Connection::Refused { Failure::Connect } else { Failure::Timeout }
    }

    /// Whether the other side may have done what was asked.
    #[must_use]
    pub const fn may_be_done(self) -> bool {
        matches!(self, Failure::Reset | Failure::Timeout | Failure::Failed)
    }
}

/// A set of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failures(u8);

impl Failures {
    /// Every failure.
    pub const ALL: Failures = Failures::of(&Failure::ALL);

    /// The set of these.
    #[must_use]
    pub const fn of(failures: &[Failure]) -> Failures {
        let (mut bits, mut i) = (0, 0);
        while i < failures.len() {
            bits |= 1 << failures[i] as u8;
            i += 1;
        }
        Failures(bits)
    }

    /// Whether this one is in it.
    #[must_use]
    pub const fn contains(self, failure: Failure) -> bool {
        self.0 & 1 << failure as u8 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_it_is_made_of() {
        let some = Failures::of(&[Failure::Connect, Failure::Failed]);
        let has = Failure::ALL.map(|failure| some.contains(failure));
        assert_eq!(has, [true, false, false, false, true, false]);
        assert!(Failure::ALL.iter().all(|failure| Failures::ALL.contains(*failure)));
    }

    #[test]
    fn a_connection_says_more_than_an_outcome() {
        use Connection::{Broken, Held, Refused};
        assert_eq!(Failure::of(Refused, Outcome::TimedOut), Some(Failure::Connect));
        assert_eq!(Failure::of(Broken, Outcome::Unavailable), Some(Failure::Reset));
        let answers =
            [Outcome::Ok, Outcome::Throttled, Outcome::TimedOut, Outcome::Failed, Outcome::Conflict];
        let failures = answers.map(|outcome| Failure::of(Held, outcome));
        let rejected = Some(Failure::Rejected);
        assert_eq!(failures, [None, rejected, rejected, Some(Failure::Failed), Some(Failure::Conflict)]);
        assert_eq!([Held, Refused].map(Failure::late), [Failure::Timeout, Failure::Connect]);
    }
}
