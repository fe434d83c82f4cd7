//! `Checks`: how a box checks others, probe after probe, and what it knows of each of them by the answers.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kernel::random::below;
use crate::kernel::time::SimDuration;
use crate::model::ask::Ask;
use crate::model::call::Parent;
use crate::model::component::Cx;
use crate::model::signal::{About, CallId, ComponentId};

/// The moment from which the time to the next check counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// The end of a check, which is its answer or its time limit: a check that times out delays the next one. HAProxy and
    /// Envoy [V: measured], Route 53 [V: `RequestInterval`].
    AfterEnd,
    /// The start of a check: its answer does not move the next one. AWS load balancers [V].
    AfterStart,
}

/// The kind of check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckKind {
    /// A connection, which is accepted while the process runs, however slow it is.
    Connect,
    /// A page, for which the target needs a worker and a little core time: a target that is too slow is taken out.
    Page,
}

impl CheckKind {
    /// What such a check asks for.
    #[must_use]
    pub const fn ask(self) -> Ask {
        match self {
            CheckKind::Connect => Ask::CONNECT,
            CheckKind::Page => Ask::PAGE,
        }
    }
}

/// How a box checks others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checks {
    /// Time to the next check, counted by `pace`.
    pub interval: SimDuration,
    /// What `interval` counts from.
    pub pace: Pace,
    /// Time limit of a check, from its start; at most the interval if that counts from the start as well.
    pub timeout: SimDuration,
    /// Number of consecutive failures that take a target out of service.
    pub fall: u16,
    /// Number of consecutive successes that bring it back.
    pub rise: u16,
    /// The kind of check.
    pub ask: Ask,
}

/// The codes of the alarms of a box that checks others.
#[derive(Clone, Copy, Debug)]
pub struct Timers {
    /// The next check of a target, whose number the alarm is about.
    pub next: u16,
    /// The time limit of a check, which the alarm is about.
    pub late: u16,
}

impl Checks {
    /// Sets the timers of the first checks of `count` targets, each at a random moment within an interval.
    pub fn begin(&self, count: usize, timers: Timers, cx: &mut Cx<'_>) {
        self.begin_those(0..count as u32, timers, cx);
    }

    /// The same for the targets of these numbers alone: no others draw a moment.
    pub fn begin_those(&self, targets: impl Iterator<Item = u32>, timers: Timers, cx: &mut Cx<'_>) {
        let mut stream = cx.stream("checks");
        for target in targets {
            let phase = SimDuration::from_nanos(below(&mut stream, self.interval.as_nanos()));
            cx.alarm(phase, timers.next, About::Number(target));
        }
    }

    /// Sets the timer of the first check of a target that has come just now: at once, or at a moment within an interval that
    /// it draws from a stream of its own.
    pub fn begin_one(&self, number: u32, at_once: bool, timers: Timers, cx: &mut Cx<'_>) {
        let mut phase = SimDuration::ZERO;
        if !at_once {
            let mut stream = cx.stream(&format!("check of new target {number}"));
            phase = SimDuration::from_nanos(below(&mut stream, self.interval.as_nanos()));
        }
        cx.alarm(phase, timers.next, About::Number(number));
    }

    /// Checks a target. The answer comes as the reply of a call whose parent is its `number`; then the box must call
    /// [`Checks::ended`].
    pub fn ask(&self, number: u32, to: ComponentId, timers: Timers, cx: &mut Cx<'_>) {
        let probe = cx.ask(Parent::Number(number), to, 0, self.ask);
        // Set before the timer of the next check, so that a timeout equal to the interval fires first.
        cx.alarm(self.timeout, timers.late, About::Call(probe));
        if self.pace == Pace::AfterStart {
            cx.alarm(self.interval, timers.next, About::Number(number));
        }
    }

    /// A check has had no answer in time. Returns the number of its target, or `None` if the check was given up before.
    pub fn give_up(&self, probe: CallId, cx: &mut Cx<'_>) -> Option<u32> {
        let Parent::Number(number) = cx.get(probe).parent else { return None };
        cx.abandon(probe);
        Some(number)
    }

    /// A check of this target has ended, with an answer or without: the next one may be due an interval later.
    pub fn ended(&self, number: u32, timers: Timers, cx: &mut Cx<'_>) {
        if self.pace == Pace::AfterEnd {
            cx.alarm(self.interval, timers.next, About::Number(number));
        }
    }
}

/// What a box knows of one target by its checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Health {
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
    #[must_use]
    pub fn is_up(self) -> bool {
        matches!(self, Health::Up | Health::GoingDown(_))
    }

    /// The state after a check that succeeded or failed.
    #[must_use]
    pub fn after(self, good: bool, checks: &Checks) -> Health {
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
    use super::super::script::play;
    use super::*;

    fn checks(fall: u16, rise: u16) -> Checks {
        let second = SimDuration::from_secs(1);
        Checks { interval: second, timeout: second, fall, rise, ask: Ask::CONNECT, pace: Pace::AfterEnd }
    }

    fn run(fall: u16, rise: u16, answers: &str) -> Vec<Health> {
        let mut health = Health::Up;
        let step = |answer: u8| {
            health = health.after(answer == b'+', &checks(fall, rise));
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

    #[test]
    fn the_next_check_counts_from_the_end_of_the_last_or_from_its_start() {
        const TIMERS: Timers = Timers { next: 7, late: 8 };
        // The box that is checked never answers: a check ends after 2 s, and the next one comes 3 s later or at once.
        for (pace, asked) in [(Pace::AfterEnd, vec![0, 5, 10]), (Pace::AfterStart, vec![0, 3, 6, 9])] {
            let [two, three] = [2, 3].map(SimDuration::from_secs);
            let checks = Checks { interval: three, timeout: two, pace, ask: Ask::WORK, ..checks(1, 1) };
            let (told, times) = std::sync::mpsc::channel();
            play(11, move |(second, code), cx| {
                let me = cx.me();
                match code {
                    _ if code == TIMERS.next || (second, code) == (0, 0) => {
                        told.send(second).expect("somebody listens");
                        checks.ask(4, me, TIMERS, cx);
                    }
                    8 => checks.ended(4, TIMERS, cx),
                    _ => {}
                }
            });
            assert_eq!(times.iter().collect::<Vec<_>>(), asked, "{pace:?}");
        }
    }
}
