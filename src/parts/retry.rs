//! `Retry`: what a table says about tries after the first, wherever a box asks another one.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kernel::time::SimDuration;
use crate::model::quantity::{Duration, Share};
use crate::model::spec::Problems;
use crate::queueing::backoff::{Backoff, Jitter};

use super::budget::BudgetSpec;
use super::failure::{Failure, Failures};
use super::hand::Retries;

/// Largest number of tries of one request.
pub const ATTEMPTS_MAX: u16 = 1000;

/// What the budgets of all boxes that try again do together: tries within tries multiply.
pub const BUDGETS: &str = "budgets";

/// What users who pass their deadline on and boxes that look at it do together.
pub const DEADLINES: &str = "deadlines";

/// How the pauses before retries are randomised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum JitterSpec {
    /// Not at all.
    #[default]
    None,
    /// Between zero and the whole pause.
    Full,
    /// Between half of the pause and all of it.
    Equal,
    /// Between the base and three times the last pause.
    Decorrelated,
}

/// `retry = { attempts = 3, backoff = "100ms", jitter = "full" }`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// Total number of tries, including the first.
    pub attempts: u16,
    /// Pause before the first retry. Default: "100ms" [T].
    pub backoff: Option<Duration>,
    /// Growth of the pause from retry to retry. Default: 2.
    pub factor: Option<f64>,
    /// Longest pause. Default: "20s", as the AWS SDKs [V].
    pub max: Option<Duration>,
    /// How the pauses are randomised. Default: "none".
    #[serde(default)]
    pub jitter: JitterSpec,
    /// A bound on the retries of all requests together, of each machine that asks: a share of the requests, on top of ten a
    /// second, as Finagle's budget [V], or a table. Default: no limit.
    pub budget: Option<BudgetSpec>,
    /// The failures after which another try follows. Default: all.
    pub on: Option<Vec<Failure>>,
    /// Whether a write is sent again that may have been done: after "reset", "timeout" or "failed". Default: true for users, false
    /// for a step, as nginx [V].
    pub writes: Option<bool>,
    /// Share of the failures after which another try follows at all. Default: 1.
    pub chance: Option<Share>,
}

impl Retry {
    /// The tries of each request; `writes` is the default of that key.
    #[must_use]
    pub fn retries(&self, writes: bool) -> Retries {
        Retries {
            attempts: self.attempts,
            backoff: self.backoff(),
            budget: self.budget.map(|budget| budget.budget()),
            on: self.on.as_deref().map_or(Failures::ALL, Failures::of),
            writes: self.writes.unwrap_or(writes),
            chance: self.chance.map_or(1.0, |chance| chance.0),
        }
    }

    /// Returns the pauses before retries.
    #[must_use]
    pub fn backoff(&self) -> Backoff {
        Backoff {
            base: self.backoff.map_or(SimDuration::from_millis(100), |backoff| backoff.0),
            factor: self.factor.unwrap_or(2.0),
            max: self.max.map_or(SimDuration::from_secs(20), |max| max.0),
            jitter: match self.jitter {
                JitterSpec::None => Jitter::None,
                JitterSpec::Full => Jitter::Full,
                JitterSpec::Equal => Jitter::Equal,
                JitterSpec::Decorrelated => Jitter::Decorrelated,
            },
        }
    }

    /// Checks the table at `at`.
    pub fn check(&self, at: &str, problems: &mut Problems) {
        if !(1..=ATTEMPTS_MAX).contains(&self.attempts) {
            let message = format!("a request has 1 to {ATTEMPTS_MAX} attempts");
            problems.error(format!("{at}.attempts"), message, "");
        }
        if self.factor.is_some_and(|factor| !(1.0..=1000.0).contains(&factor)) {
            problems.error(format!("{at}.factor"), "`factor` lies between 1 and 1000", "");
        }
        let Backoff { base, max, .. } = self.backoff();
        if base > max {
            let message =
                format!("the first pause is {}, the longest only {}", Duration(base), Duration(max));
            let help = "give a larger `max`, or a smaller `backoff`";
            problems.error(format!("{at}.backoff"), message, help);
        }
        if self.on.as_ref().is_some_and(Vec::is_empty) {
            let help = "name a failure, such as \"connect\", or leave `retry` out";
            problems.error(format!("{at}.on"), "nothing is tried again after no failure", help);
        }
        if let Some(budget) = &self.budget {
            budget.check(&format!("{at}.budget"), problems);
        }
    }
}
