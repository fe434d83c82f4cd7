//! `Ejection`: when a target is left out because its calls fail, and how it comes back.

use crate::kernel::time::{SimDuration, SimTime};

/// Time in service after which one ejection is forgiven where nothing sweeps, as Envoy's `interval` [V].
const FORGIVEN_AFTER: SimDuration = SimDuration::from_secs(10);

/// The unit of time of a product that counts whole seconds.
const SECOND: SimDuration = SimDuration::from_secs(1);

/// The rule by which targets are ejected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ejection {
    /// Number of failures that eject a target.
    pub failures: u32,
    /// Time after which a success makes earlier failures forgotten; without it each success does.
    pub within: Option<SimDuration>,
    /// Time of the first ejection; the n-th takes n times as long.
    pub base: SimDuration,
    /// Time of the longest ejection.
    pub longest: SimDuration,
    /// Largest share of the targets that is ejected.
    pub max_share: f64,
    /// Whether one target may be ejected even if it is a larger share.
    pub always_one: bool,
    /// Whether only failed connections and missing answers count, not errors that a target answers.
    pub connections_only: bool,
    /// Time between the sweeps at which targets come back; without it each comes back at its own time.
    pub sweep: Option<SimDuration>,
    /// Whether one call tests a target whose time is over, before it gets others.
    pub probe: bool,
    /// Whether times are counted in whole seconds of a clock, and compared with "greater than".
    pub whole_seconds: bool,
}

impl Ejection {
    /// Whether one more of `targets` may be ejected when `out` are. A balancer's only target never is: nginx does not count
    /// the failures of a single server [V], and Envoy's panic gives it all calls [V].
    pub(super) fn allows(&self, out: usize, targets: usize) -> bool {
        let share = (out + 1) as f64 / targets as f64;
        targets > 1 && (share <= self.max_share + 1e-9 || (self.always_one && out == 0))
    }

    /// The length of the clock's tick, for which a balancer draws a phase.
    pub(super) fn tick(&self) -> Option<SimDuration> {
        if self.whole_seconds { Some(SECOND) } else { self.sweep }
    }

    /// The end of an ejection that begins now and is number `number` in a row. The clock ticks at `phase` after the start of the
    /// trial and then again and again.
    fn end(&self, now: SimTime, number: u32, phase: SimDuration) -> SimTime {
        let time = self.base.saturating_mul(u64::from(number)).min(self.longest);
        match self.tick() {
            // Counted from the second in which it began, until more seconds than `time` are over.
            Some(tick) if self.whole_seconds => next_tick(now, tick, phase) + time,
            Some(tick) => next_tick(now + (time - SimDuration::from_nanos(1)), tick, phase),
            None => now + time,
        }
    }

    /// Number of ejections that are forgiven to a target in service between two moments.
    fn forgiven(&self, from: SimTime, to: SimTime, phase: SimDuration) -> u32 {
        let passed = match self.sweep {
            Some(tick) => {
                next_tick(to, tick, phase).since(next_tick(from, tick, phase)).as_nanos() / tick.as_nanos()
            }
            None => to.since(from).as_nanos() / FORGIVEN_AFTER.as_nanos(),
        };
        u32::try_from(passed).unwrap_or(u32::MAX)
    }
}

/// The first tick after `now`.
fn next_tick(now: SimTime, tick: SimDuration, phase: SimDuration) -> SimTime {
    let first = SimTime::ZERO + phase;
    if now < first {
        return first;
    }
    first + tick.saturating_mul(now.since(first).as_nanos() / tick.as_nanos() + 1)
}

/// Whether a target may have calls, by its failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    /// It gets calls.
    In,
    /// It gets none until the moment.
    Out(SimTime),
    /// It gets the next call, which tests it.
    Open,
    /// The test was sent at the first moment. After the second one another call tests it.
    Tested(SimTime, SimTime),
}

/// What a balancer notes about the failures of one target.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    stand: Stand,
    failures: u32,
    last_failure: SimTime,
    ejections: u32,
    /// When the last ejection ended.
    returned: SimTime,
}

/// What follows from the outcome of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    Nothing,
    /// The target is ejected until this moment.
    Ejected(SimTime),
    /// It is out already, and stays out until this moment.
    StaysOut(SimTime),
    /// It has passed its test.
    Passed,
}

impl Standing {
    pub(super) const NEW: Standing = Standing {
        stand: Stand::In,
        failures: 0,
        last_failure: SimTime::ZERO,
        ejections: 0,
        returned: SimTime::ZERO,
    };

    /// Whether it gets calls like all others.
    pub(super) fn is_in(&self) -> bool {
        self.stand == Stand::In
    }

    /// Whether the next call to it is its test.
    pub(super) fn is_open(&self) -> bool {
        self.stand == Stand::Open
    }

    /// A call has been answered, or has failed. `may_eject` tells whether the others leave room for an ejection.
    pub(super) fn observed(
        &mut self,
        now: SimTime,
        (sent, failed): (SimTime, bool),
        may_eject: bool,
        (rule, phase): (&Ejection, SimDuration),
    ) -> Judged {
        if !failed {
            return self.succeeded(now, sent, rule);
        }
        self.last_failure = now;
        self.failures += 1;
        match self.stand {
            Stand::In if self.failures >= rule.failures && may_eject => {
                let forgiven = rule.forgiven(self.returned, now, phase);
                self.ejections = 1 + self.ejections.saturating_sub(forgiven);
                Judged::Ejected(self.leave_out(now, rule, phase))
            }
            // Each further failure counts from its own moment.
            Stand::Out(_) | Stand::Tested(..) if rule.probe => {
                Judged::StaysOut(self.leave_out(now, rule, phase))
            }
            _ => Judged::Nothing,
        }
    }

    fn leave_out(&mut self, now: SimTime, rule: &Ejection, phase: SimDuration) -> SimTime {
        self.failures = 0;
        let until = rule.end(now, self.ejections, phase);
        self.stand = Stand::Out(until);
        until
    }

    fn succeeded(&mut self, now: SimTime, sent: SimTime, rule: &Ejection) -> Judged {
        match self.stand {
            Stand::Tested(since, _) if sent >= since => {
                self.come_back(now);
                return Judged::Passed;
            }
            Stand::In
                if rule.within.is_none_or(|within| sent.saturating_since(self.last_failure) > within) =>
            {
                self.failures = 0;
            }
            _ => {}
        }
        Judged::Nothing
    }

    /// The time of an ejection or of a test may be over. Returns whether it is.
    pub(super) fn is_over(&self, now: SimTime) -> bool {
        matches!(self.stand, Stand::Out(until) | Stand::Tested(_, until) if until <= now)
    }

    /// The time is over: it gets a test, or all calls.
    pub(super) fn readmit(&mut self, now: SimTime, rule: &Ejection) {
        if rule.probe {
            self.stand = Stand::Open;
        } else {
            self.come_back(now);
        }
    }

    fn come_back(&mut self, now: SimTime) {
        self.stand = Stand::In;
        self.failures = 0;
        self.returned = now;
    }

    /// Its test is sent. Returns the moment at which another one may follow.
    pub(super) fn test(&mut self, now: SimTime, rule: &Ejection, phase: SimDuration) -> SimTime {
        let until = rule.end(now, self.ejections, phase);
        self.stand = Stand::Tested(now, until);
        until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: SimDuration = SimDuration::ZERO;

    fn rule() -> Ejection {
        Ejection {
            failures: 2,
            within: None,
            base: SimDuration::from_secs(30),
            longest: SimDuration::from_secs(70),
            max_share: 0.1,
            always_one: false,
            connections_only: false,
            sweep: None,
            probe: false,
            whole_seconds: false,
        }
    }

    fn at(secs: f64) -> SimTime {
        SimTime::ZERO + SimDuration::from_sample_secs(secs)
    }

    /// Two calls fail at a moment.
    fn eject(standing: &mut Standing, now: f64, rule: &Ejection, phase: SimDuration) -> Judged {
        standing.observed(at(now), (at(now), true), true, (rule, phase));
        standing.observed(at(now), (at(now), true), true, (rule, phase))
    }

    #[test]
    fn each_ejection_takes_longer_and_time_forgives() {
        let (mut standing, rule) = (Standing::NEW, rule());
        for (now, until) in [(0.0, 30.0), (30.0, 90.0), (90.0, 160.0), (200.0, 230.0)] {
            assert_eq!(eject(&mut standing, now, &rule, NONE), Judged::Ejected(at(until)));
            assert!(!standing.is_over(at(until - 0.1)) && standing.is_over(at(until)));
            standing.readmit(at(until), &rule);
        }
    }

    #[test]
    fn a_share_is_a_ceiling_and_the_only_target_stays() {
        let may = |rule: &Ejection, targets: usize| -> Vec<bool> {
            (0..2).map(|out| rule.allows(out, targets)).collect()
        };
        let plain = rule();
        assert_eq!(
            [3, 9, 10, 15, 20].map(|n| may(&plain, n)).map(|may| may.iter().filter(|m| **m).count()),
            [0, 0, 1, 1, 2]
        );
        let one = Ejection { always_one: true, ..plain };
        assert_eq!((may(&one, 3), may(&one, 1)), (vec![true, false], vec![false, false]));
        assert!(!Ejection { max_share: 1.0, ..plain }.allows(0, 1));
    }

    #[test]
    fn with_a_sweep_targets_come_back_on_its_grid() {
        let rule = Ejection { sweep: Some(SimDuration::from_secs(10)), ..rule() };
        let phase = SimDuration::from_secs(3);
        for (now, until) in [(1.0, 33.0), (3.0, 33.0), (3.5, 43.0), (12.9, 43.0)] {
            assert_eq!(
                eject(&mut Standing::NEW.clone(), now, &rule, phase),
                Judged::Ejected(at(until)),
                "{now}"
            );
        }
    }

    #[test]
    fn whole_seconds_are_compared_with_greater_than() {
        let base = SimDuration::from_secs(10);
        let rule = Ejection { failures: 1, base, longest: base, probe: true, whole_seconds: true, ..rule() };
        let mut standing = Standing::NEW;
        let mut fail = |now| standing.observed(at(now), (at(now), true), true, (&rule, NONE));
        // Between ten and eleven seconds from the first failure, and eleven from a test at the beginning of a second.
        assert_eq!(fail(0.9), Judged::Ejected(at(11.0)));
        assert_eq!(fail(11.0), Judged::StaysOut(at(22.0)));
    }

    #[test]
    fn one_call_tests_a_target_before_it_gets_others() {
        let rule = Ejection { failures: 1, probe: true, ..rule() };
        let mut standing = Standing::NEW;
        let fate = |standing: &mut Standing, now, sent, failed| {
            standing.observed(at(now), (at(sent), failed), true, (&rule, NONE))
        };
        assert_eq!(fate(&mut standing, 1.0, 0.0, true), Judged::Ejected(at(31.0)));
        standing.readmit(at(31.0), &rule);
        assert!(standing.is_open());
        assert_eq!(standing.test(at(32.0), &rule, NONE), at(62.0));
        assert!(!standing.is_open() && !standing.is_in());
        // The answer of a call from before the test tells nothing.
        assert_eq!(fate(&mut standing, 33.0, 0.5, false), Judged::Nothing);
        assert_eq!(fate(&mut standing, 34.0, 32.0, true), Judged::StaysOut(at(64.0)));
        standing.readmit(at(64.0), &rule);
        standing.test(at(64.0), &rule, NONE);
        assert_eq!(fate(&mut standing, 65.0, 64.0, false), Judged::Passed);
        assert!(standing.is_in());
    }

    #[test]
    fn failures_count_in_a_row_or_within_a_time() {
        let ejected = |within: Option<u64>, gap: f64| {
            let rule = Ejection { within: within.map(SimDuration::from_secs), ..rule() };
            let mut standing = Standing::NEW;
            let mut fate = |now, failed| standing.observed(at(now), (at(now), failed), true, (&rule, NONE));
            fate(1.0, true);
            fate(1.0 + gap / 2.0, false);
            fate(1.0 + gap, false);
            fate(1.1 + gap, true) != Judged::Nothing
        };
        assert!(!ejected(None, 5.0));
        assert!(ejected(Some(10), 5.0) && !ejected(Some(10), 11.0));
    }
}
