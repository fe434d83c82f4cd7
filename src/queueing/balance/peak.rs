//! The moving average of response times that rises at once with a slow answer and falls slowly with quick ones.

use crate::kernel::time::{SimDuration, SimTime};

/// Cost in nanoseconds of a target that has outstanding calls and no measurement yet: more than that of any measured
/// one.
const UNKNOWN_COST: f64 = 1e18;

/// A peak-sensitive exponentially weighted moving average, after Finagle's `PeakEwma`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Peak {
    average_ns: f64,
    updated: SimTime,
}

impl Peak {
    /// Records a response time. A higher one replaces the average; a lower one draws the average down with time.
    pub(super) fn observe(&mut self, now: SimTime, decay: SimDuration, response: SimDuration) {
        let response_ns = response.as_nanos() as f64;
        let keep = self.kept_share(now, decay);
        self.average_ns = response_ns.max(self.average_ns * keep + response_ns * (1.0 - keep));
        self.updated = now;
    }

    /// The cost in nanoseconds: the average, decayed since the last observation, times outstanding calls + 1. A
    /// target without measurement costs nothing without calls, so that it is tried at once, but with only one call
    /// until it answers.
    pub(super) fn cost(&self, now: SimTime, decay: SimDuration, outstanding: u32) -> f64 {
        if self.average_ns == 0.0 && outstanding > 0 {
            return UNKNOWN_COST + f64::from(outstanding);
        }
        self.average_ns * self.kept_share(now, decay) * (f64::from(outstanding) + 1.0)
    }

    fn kept_share(&self, now: SimTime, decay: SimDuration) -> f64 {
        libm::exp(-(now.since(self.updated).as_secs_f64() / decay.as_secs_f64()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_at_once_and_falls_with_the_time_constant() {
        let decay = SimDuration::from_secs(10);
        let at = |secs| SimTime::ZERO + SimDuration::from_secs(secs);
        let mut peak = Peak::default();
        assert_eq!(peak.cost(at(0), decay, 0), 0.0);
        assert!(peak.cost(at(0), decay, 1) > UNKNOWN_COST / 2.0);
        peak.observe(at(0), decay, SimDuration::from_millis(100));
        peak.observe(at(1), decay, SimDuration::from_millis(900));
        assert_eq!(peak.cost(at(1), decay, 2), 2.7e9);
        // After one time constant 1/e of the old difference is left.
        peak.observe(at(11), decay, SimDuration::from_millis(100));
        let expected = 100e6 + 800e6 * libm::exp(-1.0);
        assert!((peak.cost(at(11), decay, 0) - expected).abs() < 1.0);
        // The cost fades between observations too: after one more time constant 1/e of it is left.
        assert!((peak.cost(at(21), decay, 0) - expected * libm::exp(-1.0)).abs() < 1.0);
    }

    #[test]
    fn a_target_that_was_never_asked_costs_hardly_more_with_more_calls() {
        let cost = |calls| Peak::default().cost(SimTime::ZERO, SimDuration::from_secs(10), calls);
        assert_eq!(cost(0), 0.0);
        assert!(cost(10_000) > cost(1) && cost(10_000) < UNKNOWN_COST * 1.001);
    }
}
