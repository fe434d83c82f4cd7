//! `Calling`: the care that a box takes with the calls of one of its steps: tries after the first, a circuit breaker, a throttle,
//! and a second call for an answer that takes long.

use crate::kernel::time::SimTime;
use crate::model::signal::Outcome;
use crate::model::spec::Problems;
use crate::queueing::circuit_breaker::{Change, Pass};
use crate::queueing::throttle::Throttle;

use super::breaker::{Breaker, BreakerSpec};
use super::failure::Failure;
use super::hand::Retries;
use super::hedge::{Hedge, HedgeSpec};
use super::retry::Retry;
use super::throttle::ThrottleSpec;

/// The keys of a box or a step that say how it calls.
#[derive(Clone, Copy, Debug)]
pub struct CallingSpec<'a> {
    /// Tries after the first.
    pub retry: Option<&'a Retry>,
    /// The circuit breaker.
    pub breaker: Option<&'a BreakerSpec>,
    /// The second call.
    pub hedge: Option<&'a HedgeSpec>,
    /// What it refuses itself.
    pub throttle: Option<&'a ThrottleSpec>,
}

impl CallingSpec<'_> {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.retry.is_none() && self.breaker.is_none() && self.hedge.is_none() && self.throttle.is_none()
    }

    /// The greatest number of calls that one call of the step can become.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        let tries = self.retry.map_or(1, |retry| u32::from(retry.attempts));
        tries * self.hedge.map_or(1, |hedge| u32::from(hedge.attempts.unwrap_or(2)))
    }

    /// Checks the keys at `at`, which ends with a dot unless it is empty.
    pub fn check(&self, at: &str, problems: &mut Problems) {
        if let Some(retry) = self.retry {
            retry.check(&format!("{at}retry"), problems);
        }
        if let Some(breaker) = self.breaker {
            breaker.check(&format!("{at}breaker"), problems);
        }
        if let Some(hedge) = self.hedge {
            hedge.check(&format!("{at}hedge"), problems);
        }
        if let Some(throttle) = self.throttle {
            throttle.check(&format!("{at}throttle"), problems);
        }
    }

    /// The state that one caller keeps.
    #[must_use]
    pub fn calling(&self) -> Calling {
        Calling {
            retries: self.retry.map_or_else(Retries::none, |retry| retry.retries(false)),
            breaker: self.breaker.map(BreakerSpec::breaker),
            hedge: self.hedge.map(HedgeSpec::hedge),
            throttle: self.throttle.map(ThrottleSpec::throttle),
        }
    }
}

/// Why a call is not sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Denial {
    /// The circuit breaker is open.
    Open,
    /// The throttle has refused it.
    Throttled,
}

impl Denial {
    /// How the call ends.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        match self {
            Denial::Open => Outcome::Unavailable,
            Denial::Throttled => Outcome::Throttled,
        }
    }

    /// As a trace tells it.
    #[must_use]
    pub const fn told(self) -> &'static str {
        match self {
            Denial::Open => "asks nobody: the circuit breaker is open",
            Denial::Throttled => "asks nobody: too few of the last calls were accepted",
        }
    }
}

/// What one caller keeps.
#[derive(Clone, Debug)]
pub struct Calling {
    /// Tries after the first.
    pub retries: Retries,
    /// The circuit breaker.
    pub breaker: Option<Breaker>,
    /// The second call.
    pub hedge: Option<Hedge>,
    /// What it refuses itself.
    pub throttle: Option<Throttle>,
}

impl Calling {
    /// Returns a pass for a call that may be sent now. `draw` is a uniform number between 0 and 1, for the throttle.
    pub fn allow(&mut self, now: SimTime, draw: impl FnOnce() -> f64) -> Result<Pass, Denial> {
        if self.is_open(now) {
            return Err(Denial::Open);
        }
        if self.throttle.as_mut().is_some_and(|throttle| throttle.refuses(now, draw)) {
            return Err(Denial::Throttled);
        }
        let breaker = self.breaker.as_mut();
        breaker.map_or(Some(Pass::default()), |breaker| breaker.allow(now)).ok_or(Denial::Open)
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
        if let Some(throttle) = &mut self.throttle
            && is_accepted(failure)
        {
            throttle.accepted(now);
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
        self.throttle.iter_mut().for_each(Throttle::clear);
    }
}

/// Whether a call with this failure, if any, was accepted, as a throttle sees it: an answer that others have changed the data is
/// no sign of overload.
#[must_use]
pub const fn is_accepted(failure: Option<Failure>) -> bool {
    matches!(failure, None | Some(Failure::Conflict))
}
