//! `Calling`: the care that a box takes with the calls of one of its steps: tries after the first, a circuit breaker, and a
//! second call for an answer that takes long.

use crate::kernel::time::SimTime;
use crate::model::spec::Problems;
use crate::queueing::circuit_breaker::{Change, Pass};

use super::breaker::{Breaker, BreakerSpec};
use super::failure::Failure;
use super::hand::Retries;
use super::hedge::{Hedge, HedgeSpec};
use super::retry::Retry;

/// The keys of a step that say how it calls.
#[derive(Clone, Copy, Debug)]
pub struct CallingSpec<'a> {
    /// Tries after the first.
    pub retry: Option<&'a Retry>,
    /// The circuit breaker.
    pub breaker: Option<&'a BreakerSpec>,
    /// The second call.
    pub hedge: Option<&'a HedgeSpec>,
}

impl CallingSpec<'_> {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.retry.is_none() && self.breaker.is_none() && self.hedge.is_none()
    }

    /// The greatest number of calls that one call of the step can become.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        let tries = self.retry.map_or(1, |retry| u32::from(retry.attempts));
        tries * self.hedge.map_or(1, |hedge| u32::from(hedge.attempts.unwrap_or(2)))
    }

    /// Checks the keys of the step at `at`.
    pub fn check(&self, at: &str, problems: &mut Problems) {
        if let Some(retry) = self.retry {
            retry.check(&format!("{at}.retry"), problems);
        }
        if let Some(breaker) = self.breaker {
            breaker.check(&format!("{at}.breaker"), problems);
        }
        if let Some(hedge) = self.hedge {
            hedge.check(&format!("{at}.hedge"), problems);
        }
    }

    /// The state that one machine keeps for the step.
    #[must_use]
    pub fn calling(&self) -> Calling {
        Calling {
            retries: self.retry.map_or_else(Retries::none, |retry| retry.retries(false)),
            breaker: self.breaker.map(BreakerSpec::breaker),
            hedge: self.hedge.map(HedgeSpec::hedge),
        }
    }
}

/// What one machine keeps for one step.
#[derive(Clone, Debug)]
pub struct Calling {
    /// Tries after the first.
    pub retries: Retries,
    /// The circuit breaker.
    pub breaker: Option<Breaker>,
    /// The second call.
    pub hedge: Option<Hedge>,
}

impl Calling {
    /// Returns a pass for a call that may be sent now; without a breaker every call may.
    pub fn allow(&mut self, now: SimTime) -> Option<Pass> {
        self.breaker.as_mut().map_or(Some(Pass::default()), |breaker| breaker.allow(now))
    }

    /// Whether the breaker lets no call pass now. Asking is no call.
    #[must_use]
    pub fn is_open(&self, now: SimTime) -> bool {
        self.breaker.as_ref().is_some_and(|breaker| breaker.is_open(now))
    }

    /// A request begins to be asked for.
    pub fn begin(&mut self, now: SimTime) {
        if let Some(budget) = &mut self.retries.budget {
            budget.begin(now);
        }
    }

    /// Whether a second call may be sent now. It is paid from the budget of tries.
    pub fn pays_hedge(&mut self, now: SimTime) -> bool {
        self.retries.budget.as_mut().is_none_or(|budget| budget.try_retry(now))
    }

    /// A call has ended, with this failure if any; `is_paid` tells whether the budget has paid for it. Returns what the
    /// breaker makes of it.
    pub fn tried(
        &mut self,
        is_paid: bool,
        pass: Pass,
        failure: Option<Failure>,
        now: SimTime,
    ) -> Option<Change> {
        if let Some(budget) = &mut self.retries.budget {
            budget.tried(failure.is_none(), is_paid);
        }
        self.breaker.as_mut().and_then(|breaker| breaker.ended(pass, failure, now))
    }

    /// A call has ended without a result: nobody waits for it any more.
    pub fn given_up(&mut self, is_paid: bool, pass: Pass) {
        if let Some(budget) = &mut self.retries.budget {
            budget.given_up(is_paid);
        }
        if let Some(breaker) = &mut self.breaker {
            breaker.given_up(pass);
        }
    }

    /// A call that the budget has paid for is not sent after all.
    pub fn not_sent(&mut self) {
        if let Some(budget) = &mut self.retries.budget {
            budget.given_up(true);
        }
    }

    /// It is asked for no longer.
    pub fn end(&mut self) {
        if let Some(budget) = &mut self.retries.budget {
            budget.end();
        }
    }

    /// The machine has crashed.
    pub fn clear(&mut self) {
        if let Some(budget) = &mut self.retries.budget {
            budget.clear();
        }
        self.breaker.iter_mut().for_each(Breaker::clear);
        self.hedge.iter_mut().for_each(Hedge::clear);
    }
}
