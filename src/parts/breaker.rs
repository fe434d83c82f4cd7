//! `BreakerSpec`: what a table says about the circuit breaker before another box.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kernel::time::{SimDuration, SimTime};
use crate::model::quantity::{Duration, Share};
use crate::model::spec::Problems;
use crate::queueing::circuit_breaker::{Change, CircuitBreaker, Pass, Trip};

use super::failure::{Failure, Failures};

/// Largest number of calls that a breaker looks at.
const WINDOW_MAX: u32 = 100_000;

/// When a breaker opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BreakerKind {
    /// When a share of the last calls has failed.
    #[default]
    Window,
    /// After a number of failures in a row.
    Count,
}

/// `breaker = { share = "50%", open = "60s" }`: a circuit breaker. While it is open, calls end as unavailable at once and reach
/// nobody.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BreakerSpec {
    /// When it opens. Default: "window".
    pub kind: BreakerKind,
    /// Number of failures in a row after which it opens, of kind "count". Default: 5 [T].
    pub failures: Option<u32>,
    /// Number of the last calls that are looked at, of kind "window". Default: 100, as resilience4j [V].
    pub window: Option<u32>,
    /// Number of calls below which nothing is concluded. Default: 100, or `window` if that is less, as resilience4j [V].
    pub min_calls: Option<u32>,
    /// Share of failures among them at which it opens. Default: "50%", as resilience4j [V].
    pub share: Option<Share>,
    /// Time for which it stays open. Default: "60s", as resilience4j [V].
    pub open: Option<Duration>,
    /// Number of calls that it lets pass after that; their results close or open it. Default: 10, as resilience4j [V].
    pub probes: Option<u32>,
    /// The failures that count. Default: all.
    pub on: Option<Vec<Failure>>,
}

impl BreakerSpec {
    fn window(&self) -> u32 {
        self.window.unwrap_or(100)
    }

    fn least(&self) -> u32 {
        self.min_calls.unwrap_or(self.window().min(100))
    }

    fn probes(&self) -> u32 {
        self.probes.unwrap_or(10)
    }

    /// The breaker of one caller.
    #[must_use]
    pub fn breaker(&self) -> Breaker {
        let trip = match self.kind {
            BreakerKind::Count => Trip::InARow(self.failures.unwrap_or(5)),
            BreakerKind::Window => Trip::Share {
                share: self.share.map_or(0.5, |share| share.0),
                window: self.window(),
                least: self.least(),
            },
        };
        let open = self.open.map_or(SimDuration::from_secs(60), |open| open.0);
        Breaker {
            state: CircuitBreaker::new(trip, open, self.probes()),
            on: self.on.as_deref().map_or(Failures::ALL, Failures::of),
        }
    }

    /// Checks the table at `at`.
    pub fn check(&self, at: &str, problems: &mut Problems) {
        let of_window = [
            ("share", self.share.is_some()),
            ("window", self.window.is_some()),
            ("min_calls", self.min_calls.is_some()),
        ];
        let (foreign, other): (Vec<&str>, &str) = match self.kind {
            BreakerKind::Window => (self.failures.iter().map(|_| "failures").collect(), "count"),
            BreakerKind::Count => {
                (of_window.iter().filter(|(_, given)| *given).map(|(key, _)| *key).collect(), "window")
            }
        };
        for key in foreign {
            let message = format!("`{key}` goes with kind = \"{other}\" only");
            problems.error(format!("{at}.{key}"), message, "leave the key out, or change the kind");
        }
        if self.share.is_some_and(|share| share.0 <= 0.0) {
            let message = "a breaker that opens at a share of 0 lets nothing pass";
            problems.error(format!("{at}.share"), message, "such as share = \"50%\"");
        }
        for (key, value) in
            [("failures", self.failures), ("probes", self.probes), ("min_calls", self.min_calls)]
        {
            if value == Some(0) {
                let message = if key == "probes" {
                    "without a probe it never closes again".to_owned()
                } else {
                    format!("`{key}` is at least 1")
                };
                problems.error(format!("{at}.{key}"), message, "");
            }
        }
        for (key, value) in [("window", self.window()), ("probes", self.probes())] {
            if value > WINDOW_MAX || (key == "window" && value == 0) {
                problems.error(format!("{at}.{key}"), format!("`{key}` lies between 1 and {WINDOW_MAX}"), "");
            }
        }
        if self.least() > self.window() {
            let message = format!(
                "it can never open: it concludes nothing from less than {} calls, and looks at {}",
                self.least(),
                self.window()
            );
            problems.error(format!("{at}.min_calls"), message, "`min_calls` is at most `window`");
        }
        if self.failures.is_some_and(|failures| failures > WINDOW_MAX) {
            problems.error(format!("{at}.failures"), format!("`failures` is at most {WINDOW_MAX}"), "");
        }
        if self.open.is_some_and(|open| open.0.is_zero()) {
            problems.error(format!("{at}.open"), "a breaker that is open for no time does nothing", "");
        }
        if self.on.as_ref().is_some_and(Vec::is_empty) {
            let message = "it can never open: no failure counts";
            problems.error(format!("{at}.on"), message, "name a failure, such as \"timeout\"");
        }
    }
}

/// The breaker of one caller before one box.
#[derive(Clone, Debug)]
pub struct Breaker {
    state: CircuitBreaker,
    on: Failures,
}

impl Breaker {
    /// Returns a pass for a call that may be sent now.
    #[must_use]
    pub fn allow(&mut self, now: SimTime) -> Option<Pass> {
        self.state.allow(now)
    }

    /// Whether no call passes now. Asking is no call.
    #[must_use]
    pub fn is_open(&self, now: SimTime) -> bool {
        self.state.is_open(now)
    }

    /// A call that had this pass has ended, with this failure if any.
    pub fn ended(&mut self, pass: Pass, failure: Option<Failure>, now: SimTime) -> Option<Change> {
        let counts = failure.is_some_and(|failure| self.on.contains(failure));
        self.state.ended(pass, counts, now)
    }

    /// A call that had this pass has ended without a result.
    pub fn given_up(&mut self, pass: Pass) {
        self.state.given_up(pass);
    }

    /// The caller has crashed.
    pub fn clear(&mut self) {
        self.state.clear();
    }
}
