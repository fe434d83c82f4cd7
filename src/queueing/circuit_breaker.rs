//! `CircuitBreaker`: stops calling a callee that keeps failing, and tries it again after a while.

use crate::kernel::time::{SimDuration, SimTime};

/// What the breaker does with calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BreakerState {
    /// All calls pass.
    Closed,
    /// No call passes.
    Open,
    /// A few calls pass as probes.
    HalfOpen,
}

/// A circuit breaker that counts consecutive failures. Source of the three states: Nygard, "Release It!", 2007.
///
/// The caller reports each allowed call once, as succeeded or failed; a call without an answer has failed. The breaker does
/// not tell calls apart: an answer that comes after a change of state counts in the new state, as in the libraries.
#[derive(Clone, Debug)]
pub struct CircuitBreaker {
    threshold: u32,
    open_for: SimDuration,
    probes: u32,
    phase: Phase,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Closed { failures: u32 },
    Open { until: SimTime },
    HalfOpen { sent: u32, succeeded: u32 },
}

impl CircuitBreaker {
    /// A closed breaker. It opens after `threshold` failures in a row and stays open for `open_for`. Then it lets `probes`
    /// calls pass: it closes when all of them have succeeded, and opens again with the first failure.
    ///
    /// # Panics
    /// When `threshold` or `probes` is zero.
    pub fn new(threshold: u32, open_for: SimDuration, probes: u32) -> CircuitBreaker {
        assert!(threshold > 0 && probes > 0, "a breaker needs a failure to open and a probe to close");
        CircuitBreaker { threshold, open_for, probes, phase: Phase::Closed { failures: 0 } }
    }

    /// Returns whether a call may be sent now.
    #[must_use]
    pub fn allow(&mut self, now: SimTime) -> bool {
        if self.state(now) == BreakerState::HalfOpen && matches!(self.phase, Phase::Open { .. }) {
            self.phase = Phase::HalfOpen { sent: 0, succeeded: 0 };
        }
        match &mut self.phase {
            Phase::Closed { .. } => true,
            Phase::Open { .. } => false,
            Phase::HalfOpen { sent, .. } => {
                let allowed = *sent < self.probes;
                *sent += u32::from(allowed);
                allowed
            }
        }
    }

    /// An allowed call has succeeded.
    pub fn succeeded(&mut self) {
        match &mut self.phase {
            Phase::Closed { failures } => *failures = 0,
            Phase::Open { .. } => {}
            Phase::HalfOpen { succeeded, .. } => {
                *succeeded += 1;
                if *succeeded >= self.probes {
                    self.phase = Phase::Closed { failures: 0 };
                }
            }
        }
    }

    /// An allowed call has failed, or its answer has not come in time.
    pub fn failed(&mut self, now: SimTime) {
        let opens = match &mut self.phase {
            Phase::Closed { failures } => {
                *failures += 1;
                *failures >= self.threshold
            }
            // A call of before: it does not keep the breaker open for longer.
            Phase::Open { .. } => false,
            Phase::HalfOpen { .. } => true,
        };
        if opens {
            self.phase = Phase::Open { until: now + self.open_for };
        }
    }

    /// What the breaker does with a call that comes now.
    pub fn state(&self, now: SimTime) -> BreakerState {
        match self.phase {
            Phase::Closed { .. } => BreakerState::Closed,
            Phase::Open { until } if now < until => BreakerState::Open,
            Phase::Open { .. } | Phase::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> SimTime {
        SimTime::from_nanos(secs * 1_000_000_000)
    }

    /// A breaker that was opened at 0 s for 10 s.
    fn opened() -> CircuitBreaker {
        let mut breaker = CircuitBreaker::new(3, SimDuration::from_secs(10), 2);
        (0..3).for_each(|_| breaker.failed(at(0)));
        breaker
    }

    #[test]
    fn only_failures_in_a_row_open_it() {
        let mut breaker = CircuitBreaker::new(3, SimDuration::from_secs(10), 2);
        for _ in 0..5 {
            breaker.failed(at(0));
            breaker.failed(at(0));
            breaker.succeeded();
        }
        assert!(breaker.allow(at(0)));
        (0..3).for_each(|_| breaker.failed(at(0)));
        assert!(!breaker.allow(at(9)));
    }

    #[test]
    fn closes_after_its_probes_have_succeeded() {
        let mut breaker = opened();
        assert_eq!([at(10), at(10), at(10)].map(|now| breaker.allow(now)), [true, true, false]);
        breaker.succeeded();
        assert_eq!(breaker.state(at(10)), BreakerState::HalfOpen);
        breaker.succeeded();
        assert_eq!(breaker.state(at(10)), BreakerState::Closed);
    }

    #[test]
    fn a_failed_probe_opens_it_again() {
        let mut breaker = opened();
        breaker.failed(at(5));
        assert_eq!(breaker.state(at(10)), BreakerState::HalfOpen);
        assert!(breaker.allow(at(10)));
        breaker.failed(at(11));
        assert_eq!(breaker.state(at(20)), BreakerState::Open);
        assert_eq!([at(21), at(21), at(21)].map(|now| breaker.allow(now)), [true, true, false]);
    }
}
