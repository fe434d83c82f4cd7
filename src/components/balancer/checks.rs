//! `Health`: the state of one target by its active checks.

use crate::kernel::time::SimDuration;
use crate::model::ask::Ask;

/// How a balancer checks its targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Checks {
    /// Time from the start of one check to the start of the next, however long the answer takes.
    pub interval: SimDuration,
    /// Time limit of a check, from its start; at most the interval.
    pub timeout: SimDuration,
    /// Number of consecutive failures that take a target out of service.
    pub fall: u16,
    /// Number of consecutive successes that bring it back.
    pub rise: u16,
    /// The kind of check.
    pub ask: Ask,
}

/// The state of one target by its checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) enum Health {
    /// It gets calls.
    #[default]
    Up,
    /// It gets calls; this many consecutive checks have failed.
    GoingDown(u16),
    /// It gets no calls.
    Down,
    /// It gets none; this many consecutive checks have succeeded.
    GoingUp(u16),
}

impl Health {
    /// Whether the target gets calls.
    pub(super) fn is_up(self) -> bool {
        matches!(self, Health::Up | Health::GoingDown(_))
    }

    /// The state after a check that succeeded or failed.
    pub(super) fn after(self, good: bool, checks: &Checks) -> Health {
        match (self, good) {
            (Health::Up | Health::GoingDown(_), true) => Health::Up,
            (Health::Up, false) => Health::failed(1, checks),
            (Health::GoingDown(failures), false) => Health::failed(failures + 1, checks),
            (Health::Down | Health::GoingUp(_), false) => Health::Down,
            (Health::Down, true) => Health::succeeded(1, checks),
            (Health::GoingUp(successes), true) => Health::succeeded(successes + 1, checks),
        }
    }

    fn failed(failures: u16, checks: &Checks) -> Health {
        if failures >= checks.fall { Health::Down } else { Health::GoingDown(failures) }
    }

    fn succeeded(successes: u16, checks: &Checks) -> Health {
        if successes >= checks.rise { Health::Up } else { Health::GoingUp(successes) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(fall: u16, rise: u16, answers: &str) -> Vec<Health> {
        let second = SimDuration::from_secs(1);
        let checks = Checks { interval: second, timeout: second, fall, rise, ask: Ask::CONNECT };
        let mut health = Health::Up;
        let step = |answer: u8| {
            health = health.after(answer == b'+', &checks);
            health
        };
        answers.bytes().map(step).collect()
    }

    #[test]
    fn failures_must_come_in_a_row_and_so_must_successes() {
        use Health::{Down, GoingDown, GoingUp, Up};
        assert_eq!(run(3, 2, "--+---"), [GoingDown(1), GoingDown(2), Up, GoingDown(1), GoingDown(2), Down]);
        assert_eq!(run(1, 2, "-+-++"), [Down, GoingUp(1), Down, GoingUp(1), Up]);
        assert_eq!(run(1, 1, "-+"), [Down, Up]);
    }
}
