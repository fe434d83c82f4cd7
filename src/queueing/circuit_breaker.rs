//! `CircuitBreaker`: stops calling a callee that keeps failing, and tries it again after a while.

use std::collections::VecDeque;

use crate::kernel::time::{SimDuration, SimTime};

/// When a breaker opens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trip {
    /// After a number of failures in a row.
    InARow(u32),
    /// When at least `share` of the last `window` calls have failed, and there were `least` of them.
    Share {
        /// Share of the calls, above 0 and at most 1.
        share: f64,
        /// Number of calls that are looked at.
        window: u32,
        /// Number of calls below which nothing is concluded; at most `window`.
        least: u32,
    },
}

/// The state in which a breaker let a call pass, for the answer: an answer to a call of an earlier state does not count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pass(u32);

/// What the answer to a call has done to its breaker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// It lets no call pass any more.
    Opened,
    /// It lets all calls pass again.
    Closed,
}

/// A circuit breaker with the three states of Nygard, "Release It!", 2007. While it is closed all calls pass. Once it has
/// tripped it is open for a while, and no call passes. Then it is half-open: some calls pass as probes, and their results
/// close or open it.
#[derive(Clone, Debug)]
pub struct CircuitBreaker {
    trip: Trip,
    open_for: SimDuration,
    probes: u32,
    phase: Phase,
    /// Number of the state, which grows with each change.
    number: u32,
    /// The results that count in this state: true for a failure.
    results: VecDeque<bool>,
    failures: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Closed,
    Open { until: SimTime },
    HalfOpen { sent: u32 },
}

impl CircuitBreaker {
    /// A closed breaker, which stays open for `open_for` when it has tripped and then lets `probes` calls pass.
    ///
    /// # Panics
    /// When it could never open, or never close again.
    #[must_use]
    pub fn new(trip: Trip, open_for: SimDuration, probes: u32) -> CircuitBreaker {
        assert!(probes > 0, "a breaker needs a probe to close");
        match trip {
            Trip::InARow(failures) => assert!(failures > 0, "a breaker needs a failure to open"),
            Trip::Share { share, window, least } => {
                assert!(share > 0.0 && share <= 1.0 && least > 0 && least <= window, "it can open");
            }
        }
        let results = VecDeque::new();
        CircuitBreaker { trip, open_for, probes, phase: Phase::Closed, number: 0, results, failures: 0 }
    }

    /// Returns a pass for a call that may be sent now.
    #[must_use]
    #[inline]
    pub fn allow(&mut self, now: SimTime) -> Option<Pass> {
        if self.phase == Phase::Closed { Some(Pass(self.number)) } else { self.allow_probe(now) }
    }

    #[cold]
    fn allow_probe(&mut self, now: SimTime) -> Option<Pass> {
        if matches!(self.phase, Phase::Open { until } if until <= now) {
            self.enter(Phase::HalfOpen { sent: 0 });
        }
        let probes = self.probes;
        match &mut self.phase {
            Phase::HalfOpen { sent } if *sent < probes => {
                *sent += 1;
                Some(Pass(self.number))
            }
            _ => None,
        }
    }

    /// A call that had this pass has ended. A call without an answer has failed.
    pub fn ended(&mut self, pass: Pass, has_failed: bool, now: SimTime) -> Option<Change> {
        if pass.0 != self.number {
            return None;
        }
        self.count(has_failed);
        match self.phase {
            Phase::Closed if self.trips() => {
                self.enter(Phase::Open { until: now + self.open_for });
                Some(Change::Opened)
            }
            Phase::HalfOpen { .. } => self.judge_probes(now),
            _ => None,
        }
    }

    /// A call that had this pass has ended without a result that says anything of the callee.
    pub fn given_up(&mut self, pass: Pass) {
        if let Phase::HalfOpen { sent } = &mut self.phase
            && pass.0 == self.number
        {
            *sent -= 1;
        }
    }

    fn count(&mut self, has_failed: bool) {
        let kept = match (self.phase, self.trip) {
            (Phase::Closed, Trip::Share { window, .. }) => window,
            (Phase::Closed, Trip::InARow(failures)) => failures,
            _ => self.probes,
        };
        if self.results.len() >= kept as usize {
            self.failures -= u32::from(self.results.pop_front() == Some(true));
        }
        self.results.push_back(has_failed);
        self.failures += u32::from(has_failed);
    }

    fn trips(&self) -> bool {
        match self.trip {
            Trip::InARow(failures) => self.failures >= failures,
            Trip::Share { share, least, .. } => {
                let calls = self.results.len();
                calls >= least as usize && f64::from(self.failures) >= share * calls as f64
            }
        }
    }

    /// Decides by the probes: by a share when all have ended, or by the first failure.
    fn judge_probes(&mut self, now: SimTime) -> Option<Change> {
        let all = self.results.len() >= self.probes as usize;
        let opens = match self.trip {
            Trip::InARow(_) => self.failures > 0,
            Trip::Share { share, .. } => all && f64::from(self.failures) >= share * f64::from(self.probes),
        };
        if opens {
            self.enter(Phase::Open { until: now + self.open_for });
            return Some(Change::Opened);
        }
        all.then(|| {
            self.enter(Phase::Closed);
            Change::Closed
        })
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.number += 1;
        self.results.clear();
        self.failures = 0;
    }

    /// Whether no call passes now. Asking is no call.
    #[must_use]
    pub fn is_open(&self, now: SimTime) -> bool {
        match self.phase {
            Phase::Closed => false,
            Phase::Open { until } => now < until,
            Phase::HalfOpen { sent } => sent >= self.probes,
        }
    }

    /// Whether all calls pass.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// The caller has crashed: a new one has a closed breaker.
    pub fn clear(&mut self) {
        self.enter(Phase::Closed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> SimTime {
        SimTime::from_nanos(secs * 1_000_000_000)
    }

    const OPEN: SimDuration = SimDuration::from_secs(10);

    /// Sends one call and ends it at once.
    fn call(breaker: &mut CircuitBreaker, has_failed: bool, second: u64) -> Option<Change> {
        let pass = breaker.allow(at(second)).expect("the breaker lets it pass");
        breaker.ended(pass, has_failed, at(second))
    }

    /// A breaker of two probes that was opened at 0 s.
    fn opened() -> CircuitBreaker {
        let mut breaker = CircuitBreaker::new(Trip::InARow(3), OPEN, 2);
        let changes = [0; 3].map(|second| call(&mut breaker, true, second));
        assert_eq!(changes, [None, None, Some(Change::Opened)]);
        breaker
    }

    #[test]
    fn only_failures_in_a_row_open_it() {
        let mut breaker = CircuitBreaker::new(Trip::InARow(3), OPEN, 2);
        for has_failed in [true, true, false].repeat(5) {
            assert_eq!(call(&mut breaker, has_failed, 0), None);
        }
        assert!(opened().allow(at(9)).is_none());
    }

    #[test]
    fn closes_after_its_probes_have_succeeded() {
        let mut breaker = opened();
        let passes = [10; 3].map(|second| breaker.allow(at(second)));
        assert!(passes[0].is_some() && passes[1].is_some() && passes[2].is_none());
        assert_eq!(breaker.ended(passes[0].unwrap(), false, at(11)), None);
        assert!(breaker.allow(at(11)).is_none());
        assert_eq!(breaker.ended(passes[1].unwrap(), false, at(11)), Some(Change::Closed));
        assert!(breaker.is_closed() && breaker.allow(at(11)).is_some());
    }

    #[test]
    fn a_failed_probe_opens_it_again() {
        let mut breaker = opened();
        assert_eq!(call(&mut breaker, true, 10), Some(Change::Opened));
        assert!(breaker.allow(at(19)).is_none() && breaker.allow(at(20)).is_some());
    }

    #[test]
    fn a_probe_that_is_given_up_is_sent_once_more() {
        let mut breaker = opened();
        let passes = [10; 2].map(|second| breaker.allow(at(second)).unwrap());
        assert!(breaker.allow(at(10)).is_none());
        breaker.given_up(passes[0]);
        assert!(breaker.allow(at(10)).is_some() && breaker.allow(at(10)).is_none());
    }

    #[test]
    fn an_answer_to_a_call_of_an_earlier_state_does_not_count() {
        let mut breaker = CircuitBreaker::new(Trip::InARow(1), OPEN, 1);
        let passes = [0; 3].map(|second| breaker.allow(at(second)).unwrap());
        assert_eq!(breaker.ended(passes[0], true, at(1)), Some(Change::Opened));
        assert_eq!(breaker.ended(passes[1], true, at(2)), None);
        assert_eq!(call(&mut breaker, false, 11), Some(Change::Closed));
        assert_eq!(breaker.ended(passes[2], true, at(12)), None);
        assert!(breaker.is_closed());
        breaker.ended(breaker.clone().allow(at(12)).unwrap(), true, at(12));
        assert!(!breaker.is_closed());
        breaker.clear();
        assert!(breaker.is_closed());
    }

    #[test]
    fn a_share_counts_over_the_last_calls() {
        let trip = Trip::Share { share: 0.5, window: 4, least: 3 };
        let after = |results: &[bool]| {
            let mut breaker = CircuitBreaker::new(trip, OPEN, 2);
            results.iter().filter_map(|has_failed| call(&mut breaker, *has_failed, 0)).next()
        };
        assert_eq!(after(&[true, true]), None, "too few calls");
        assert_eq!(after(&[true, false, true]), Some(Change::Opened));
        assert_eq!(after(&[true, false, false, false, true]), None, "the first has left the window");
        assert_eq!(after(&[true, false, false, true]), Some(Change::Opened));
    }

    #[test]
    fn a_callee_that_is_gone_gets_a_few_probes_each_time() {
        // resilience4j's own figures: 100 calls, then 10 each 60 s, whatever the load.
        let trip = Trip::Share { share: 0.5, window: 100, least: 100 };
        let mut breaker = CircuitBreaker::new(trip, SimDuration::from_secs(60), 10);
        let mut sent = 0;
        for second in 0..6000 {
            for _ in 0..50 {
                if let Some(pass) = breaker.allow(at(second)) {
                    breaker.ended(pass, true, at(second));
                    sent += 1;
                }
            }
        }
        // It opens after 2 s, and probes at 61, 121, ... 5941 s.
        assert_eq!(sent, 100 + 10 * 99);
    }
}
