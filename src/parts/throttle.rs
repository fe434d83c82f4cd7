//! `ThrottleSpec`: what a table says about a caller that sends less when it is refused often.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kernel::time::SimDuration;
use crate::model::quantity::Duration;
use crate::model::spec::Problems;
use crate::queueing::throttle::Throttle;

/// The shortest window, ns: that of one microsecond.
const WINDOW_MIN_NS: u64 = 1_000;

/// The largest `k` and `aggression`.
const FACTOR_MAX: f64 = 1e6;

/// `throttle = { k = 2 }`: a caller that is refused often sends less by itself. Each call is refused at once, and reaches nobody,
/// with the chance `max(0, (n - k a) / (n + 1))`, where `n` calls were wanted in the window and `a` were accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ThrottleSpec {
    /// Number of calls that are sent for each one that is accepted, in overload. Default: 2, as Google [V: SRE book, chapter 21].
    pub k: Option<f64>,
    /// Time for which calls are counted. Default: "2min", as Google [V: SRE book, chapter 21].
    pub window: Option<Duration>,
    /// The chance is taken to the power of 1 / `aggression`. Default: 1, as Envoy's admission control [V].
    pub aggression: Option<f64>,
}

impl ThrottleSpec {
    /// The throttle of one caller.
    #[must_use]
    pub fn throttle(&self) -> Throttle {
        let window = self.window.map_or(SimDuration::from_secs(120), |window| window.0);
        Throttle::new(self.k.unwrap_or(2.0), window, self.aggression.unwrap_or(1.0))
    }

    /// Checks the table at `at`.
    pub fn check(&self, at: &str, problems: &mut Problems) {
        if self.k.is_some_and(|k| !(1.0..=FACTOR_MAX).contains(&k)) {
            let message =
                format!("`k` lies between 1 and {FACTOR_MAX}: below 1 what is accepted gets less and less");
            problems.error(format!("{at}.k"), message, "Google's is 2");
        }
        if self.window.is_some_and(|window| window.0.as_nanos() < WINDOW_MIN_NS) {
            problems.error(
                format!("{at}.window"),
                "a throttle needs some time to count calls",
                "such as \"2min\"",
            );
        }
        if self.aggression.is_some_and(|power| !(1.0 / FACTOR_MAX..=FACTOR_MAX).contains(&power)) {
            let message = format!("`aggression` lies between {} and {FACTOR_MAX}", 1.0 / FACTOR_MAX);
            problems.error(format!("{at}.aggression"), message, "Envoy's is 1");
        }
    }
}
