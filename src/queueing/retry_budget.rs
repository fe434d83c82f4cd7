//! `RetryBudget`: lets retries be a share of the requests, so that they cannot multiply an overload.

use crate::kernel::time::{SimDuration, SimTime};

/// Number of slots of the window.
const SLOTS: usize = 10;

/// Cost of a retry, so that thousandths of one are whole numbers.
const RETRY_COST: i64 = 1000;

/// A budget of retries, as Finagle's `RetryBudget` with its leaky token bucket. Each request brings `ratio` of a retry,
/// which expires after `window`; a reserve of `minimum` retries a second stands beside it. Over a long time
/// retries <= ratio * requests + minimum * time, so that a load grows by the factor 1 + ratio at most.
#[derive(Clone, Debug)]
pub struct RetryBudget {
    deposit: i64,
    reserve: i64,
    slot_ns: u64,
    /// Income less spending of each slot of the window; slot k of time is kept at k modulo `SLOTS`.
    slots: [i64; SLOTS],
    /// Number of the latest slot, counted from the start of the trial.
    latest: u64,
}

impl RetryBudget {
    /// A budget of `ratio` retries a request, resolved to thousandths, and of `minimum` retries a second in any case, within
    /// a window of at least 10 ns. Finagle's own: 0.2, 10 a second, 10 s.
    ///
    /// # Panics
    /// When a figure is out of its range.
    pub fn new(ratio: f64, minimum: f64, window: SimDuration) -> RetryBudget {
        assert!(ratio >= 0.0 && minimum >= 0.0, "a retry budget is never negative");
        let slot_ns = window.as_nanos() / SLOTS as u64;
        assert!(slot_ns > 0, "the window of a retry budget is at least {SLOTS} ns");
        let cost = RETRY_COST as f64;
        let deposit = (ratio * cost).round() as i64;
        let reserve = (minimum * window.as_secs_f64() * cost).round() as i64;
        RetryBudget { deposit, reserve, slot_ns, slots: [0; SLOTS], latest: 0 }
    }

    /// A request is sent that is no retry.
    pub fn request(&mut self, now: SimTime) {
        let slot = self.slot(now);
        self.slots[slot] += self.deposit;
    }

    /// Returns whether a retry may be sent now. If so, it is paid.
    #[must_use]
    pub fn try_retry(&mut self, now: SimTime) -> bool {
        let slot = self.slot(now);
        let balance: i64 = self.slots.iter().sum::<i64>() + self.reserve;
        let affordable = balance >= RETRY_COST;
        if affordable {
            self.slots[slot] -= RETRY_COST;
        }
        affordable
    }

    /// Returns the slot of `now`, after it has emptied the slots that have left the window.
    fn slot(&mut self, now: SimTime) -> usize {
        let current = now.as_nanos() / self.slot_ns;
        let expired = (current - self.latest).min(SLOTS as u64);
        for back in 0..expired {
            self.slots[((current - back) % SLOTS as u64) as usize] = 0;
        }
        self.latest = current;
        (current % SLOTS as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: f64) -> SimTime {
        SimTime::ZERO + SimDuration::from_sample_secs(secs)
    }

    #[test]
    fn amplification_stays_within_the_budget() {
        for ratio in [0.1, 0.2, 0.5] {
            let mut budget = RetryBudget::new(ratio, 0.0, SimDuration::from_secs(10));
            // Everything fails, and each request would be retried ten times.
            let (requests, mut retries) = (10_000, 0);
            for request in 0..requests {
                let now = at(f64::from(request) * 0.01);
                budget.request(now);
                retries += (0..10).filter(|_| budget.try_retry(now)).count();
            }
            let amplification = 1.0 + retries as f64 / f64::from(requests);
            assert!((amplification - (1.0 + ratio)).abs() < 0.001, "{ratio}: {amplification}");
        }
    }

    #[test]
    fn the_minimum_comes_again_each_window() {
        let mut budget = RetryBudget::new(0.2, 3.0, SimDuration::from_secs(10));
        let mut retries_in_window =
            |start: f64| (0..1000).filter(|&k| budget.try_retry(at(start + f64::from(k) * 0.009))).count();
        assert_eq!(retries_in_window(0.0), 30);
        assert_eq!(retries_in_window(11.0), 30);
    }

    #[test]
    fn old_requests_are_worth_nothing() {
        let mut budget = RetryBudget::new(0.5, 0.0, SimDuration::from_secs(10));
        (0..4).for_each(|_| budget.request(at(0.0)));
        assert!(budget.try_retry(at(9.9)));
        assert!(!budget.try_retry(at(10.0)));
        assert!(!budget.try_retry(at(1e6)));
    }
}
