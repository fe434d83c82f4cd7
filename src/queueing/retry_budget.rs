//! `RetryBudget`: bounds the retries of a caller, so that they cannot multiply an overload.

use crate::kernel::time::{SimDuration, SimTime};

/// Number of slots of the window.
const SLOTS: usize = 10;

/// Cost of a retry, so that thousandths of one are whole numbers.
const RETRY_COST: i64 = 1000;

/// A bound on the retries of all requests of one caller together.
#[derive(Clone, Debug)]
pub enum RetryBudget {
    /// Retries are a share of the requests.
    Share(ShareBudget),
    /// Retries stop while too many tries fail.
    Tokens(TokenBudget),
    /// Retries under way are a share of the requests under way.
    Concurrency(ConcurrencyBudget),
}

impl RetryBudget {
    /// A request begins.
    pub fn begin(&mut self, now: SimTime) {
        match self {
            RetryBudget::Share(budget) => budget.request(now),
            RetryBudget::Tokens(_) => {}
            RetryBudget::Concurrency(budget) => budget.requests += 1,
        }
    }

    /// A try has ended; `is_paid` tells whether the budget has paid for it.
    pub fn tried(&mut self, is_ok: bool, is_paid: bool) {
        match self {
            RetryBudget::Share(_) => {}
            RetryBudget::Tokens(budget) => budget.tried(is_ok),
            RetryBudget::Concurrency(budget) => budget.retries -= u64::from(is_paid),
        }
    }

    /// A try has ended without a result; `is_paid` tells whether the budget has paid for it.
    pub fn given_up(&mut self, is_paid: bool) {
        if let RetryBudget::Concurrency(budget) = self {
            budget.retries -= u64::from(is_paid);
        }
    }

    /// Returns whether a retry may be sent now. If so, it is paid.
    #[must_use]
    pub fn try_retry(&mut self, now: SimTime) -> bool {
        match self {
            RetryBudget::Share(budget) => budget.try_retry(now),
            RetryBudget::Tokens(budget) => budget.allows(),
            RetryBudget::Concurrency(budget) => budget.try_retry(),
        }
    }

    /// A request ends.
    pub fn end(&mut self) {
        if let RetryBudget::Concurrency(budget) = self {
            budget.requests -= 1;
        }
    }

    /// The caller has crashed: its budget is that of a new one.
    pub fn clear(&mut self) {
        match self {
            RetryBudget::Share(budget) => budget.slots = [0; SLOTS],
            RetryBudget::Tokens(budget) => budget.tokens = budget.most,
            RetryBudget::Concurrency(budget) => (budget.requests, budget.retries) = (0, 0),
        }
    }
}

/// A budget of retries, as Finagle's `RetryBudget` with its leaky token bucket. Each request brings `ratio` of a retry,
/// which expires after `window`; a reserve of `minimum` retries a second stands beside it. Over a long time
/// retries <= ratio * requests + minimum * time, so that a load grows by the factor 1 + ratio at most.
#[derive(Clone, Debug)]
pub struct ShareBudget {
    deposit: i64,
    reserve: i64,
    slot_ns: u64,
    /// Income less spending of each slot of the window; slot k of time is kept at k modulo `SLOTS`.
    slots: [i64; SLOTS],
    /// Number of the latest slot, counted from the start of the trial.
    latest: u64,
}

impl ShareBudget {
    /// A budget of `ratio` retries a request, resolved to thousandths, and of `minimum` retries a second in any case, within
    /// a window of at least 10 ns. Finagle's own: 0.2, 10 a second, 10 s.
    ///
    /// # Panics
    /// When a figure is out of its range.
    #[must_use]
    pub fn new(ratio: f64, minimum: f64, window: SimDuration) -> ShareBudget {
        assert!(ratio >= 0.0 && minimum >= 0.0, "a retry budget is never negative");
        let slot_ns = window.as_nanos() / SLOTS as u64;
        assert!(slot_ns > 0, "the window of a retry budget is at least {SLOTS} ns");
        let cost = RETRY_COST as f64;
        let deposit = (ratio * cost).round() as i64;
        let reserve = (minimum * window.as_secs_f64() * cost).round() as i64;
        ShareBudget { deposit, reserve, slot_ns, slots: [0; SLOTS], latest: 0 }
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

/// The throttle of gRPC (proposal A6): a failure costs one token, a success brings `ratio` of one, and retries stop while no
/// more than half of the tokens are left. They run low while more than ratio / (1 + ratio) of the tries fail.
#[derive(Clone, Debug)]
pub struct TokenBudget {
    /// In thousandths, as gRPC counts them.
    most: u64,
    income: u64,
    tokens: u64,
}

impl TokenBudget {
    /// A full budget of `most` tokens, to which a success brings `ratio` of a token, resolved to thousandths. gRPC's
    /// example: 10 and 0.1.
    ///
    /// # Panics
    /// When there is less than one token, or the ratio is not between 0 and 1.
    #[must_use]
    pub fn new(most: u32, ratio: f64) -> TokenBudget {
        assert!(most >= 1 && (0.0..=1.0).contains(&ratio), "a budget has tokens and wins some of one");
        let most = u64::from(most) * 1000;
        TokenBudget { most, income: (ratio * 1000.0).round() as u64, tokens: most }
    }

    fn tried(&mut self, is_ok: bool) {
        self.tokens =
            if is_ok { (self.tokens + self.income).min(self.most) } else { self.tokens.saturating_sub(1000) };
    }

    fn allows(&self) -> bool {
        self.tokens > self.most / 2
    }
}

/// The retry budget of Envoy's circuit breakers: the retries under way are at most a share of the requests under way, and a
/// few in any case.
#[derive(Clone, Debug)]
pub struct ConcurrencyBudget {
    share: f64,
    least: u32,
    requests: u64,
    retries: u64,
}

impl ConcurrencyBudget {
    /// A budget of the greater of `least` and `share` of the requests. Envoy's: 0.2 and 3.
    #[must_use]
    pub fn new(share: f64, least: u32) -> ConcurrencyBudget {
        ConcurrencyBudget { share, least, requests: 0, retries: 0 }
    }

    fn try_retry(&mut self) -> bool {
        let most = (self.share * self.requests as f64).max(f64::from(self.least));
        let is_allowed = (self.retries as f64) < most;
        self.retries += u64::from(is_allowed);
        is_allowed
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
            let mut budget = ShareBudget::new(ratio, 0.0, SimDuration::from_secs(10));
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
        let mut budget = ShareBudget::new(0.2, 3.0, SimDuration::from_secs(10));
        let mut retries_in_window =
            |start: f64| (0..1000).filter(|&k| budget.try_retry(at(start + f64::from(k) * 0.009))).count();
        assert_eq!(retries_in_window(0.0), 30);
        assert_eq!(retries_in_window(11.0), 30);
    }

    #[test]
    fn old_requests_are_worth_nothing() {
        let mut budget = ShareBudget::new(0.5, 0.0, SimDuration::from_secs(10));
        (0..4).for_each(|_| budget.request(at(0.0)));
        assert!(budget.try_retry(at(9.9)));
        assert!(!budget.try_retry(at(10.0)));
        assert!(!budget.try_retry(at(1e6)));
    }

    #[test]
    fn tokens_run_low_from_one_failure_in_eleven_on() {
        // ratio / (1 + ratio) = 1/11: one failure costs what ten successes bring.
        let retries_after = |successes: usize| {
            let mut budget = RetryBudget::Tokens(TokenBudget::new(10, 0.1));
            for _ in 0..1000 {
                budget.tried(false, false);
                (0..successes).for_each(|_| budget.tried(true, false));
            }
            budget.try_retry(SimTime::ZERO)
        };
        assert_eq!([9, 10, 11].map(retries_after), [false, true, true]);
        let mut budget = RetryBudget::Tokens(TokenBudget::new(10, 0.1));
        (0..4).for_each(|_| budget.tried(false, false));
        assert!(budget.try_retry(SimTime::ZERO));
        budget.tried(false, false);
        assert!(!budget.try_retry(SimTime::ZERO), "half of the tokens are too few");
        budget.clear();
        assert!(budget.try_retry(SimTime::ZERO));
    }

    #[test]
    fn retries_under_way_are_a_share_of_the_requests_under_way() {
        let mut budget = RetryBudget::Concurrency(ConcurrencyBudget::new(0.2, 3));
        let allowed = |requests: usize, budget: &mut RetryBudget| {
            (0..requests).for_each(|_| budget.begin(SimTime::ZERO));
            (0..1000).filter(|_| budget.try_retry(SimTime::ZERO)).count()
        };
        assert_eq!(allowed(1, &mut budget), 3);
        // 100 requests may have 20 retries, of which 3 are under way.
        assert_eq!(allowed(99, &mut budget), 17);
        (0..20).for_each(|_| budget.tried(false, true));
        (0..50).for_each(|_| budget.end());
        assert_eq!(allowed(0, &mut budget), 10);
    }
}
