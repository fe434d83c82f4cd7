//! `HedgeSpec`: what a table says about a second call for an answer that takes long, and `Hedge`, which knows how long that is.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use std::collections::VecDeque;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use crate::kernel::time::SimDuration;
use crate::model::quantity::Duration;
use crate::model::spec::Problems;

/// Largest number of calls for one answer [V: gRPC proposal A6].
pub const HEDGES_MAX: u16 = 5;

/// Number of the last answers that a percentile is taken of [T].
const WINDOW: usize = 1000;

/// Number of answers below which no percentile is known [T].
const LEAST: usize = 100;

/// Number of answers after which a percentile is taken anew.
const EVERY: usize = 100;

/// How long a caller waits before it calls a second time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum After {
    /// This time.
    Time(SimDuration),
    /// A percentile of the caller's own last answers, above 0 and below 100.
    Percentile(f64),
}

impl FromStr for After {
    type Err = String;

    fn from_str(text: &str) -> Result<After, String> {
        let Some(percent) = text.strip_prefix('p') else {
            return text
                .parse::<Duration>()
                .map(|time| After::Time(time.0))
                .map_err(|error| format!("{error}; a percentile is written as \"p95\""));
        };
        match percent.parse::<f64>() {
            Ok(percent) if percent > 0.0 && percent < 100.0 => Ok(After::Percentile(percent)),
            _ => Err(format!("`{text}` is no percentile: expected more than p0 and less than p100")),
        }
    }
}

impl<'de> Deserialize<'de> for After {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<After, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// `hedge = { after = "p95", cancel = true }`: if the answer takes long, the same is asked for once more, and the first good
/// answer counts.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HedgeSpec {
    /// How long a call waits before another one follows: a time, or a percentile of the last 1000 answers that this machine had
    /// from this step [T], such as "p95".
    #[schemars(with = "String")]
    pub after: After,
    /// Number of calls in all, the first included. Default: 2.
    pub attempts: Option<u16>,
    /// Whether the others are ended when one has a good answer. Default: false; they go on, and nobody takes their answers.
    #[serde(default)]
    pub cancel: bool,
    /// Whether a write is asked for twice too, which is then done twice. Default: false.
    #[serde(default)]
    pub writes: bool,
}

impl HedgeSpec {
    /// The hedge of one caller.
    #[must_use]
    pub fn hedge(&self) -> Hedge {
        Hedge {
            after: self.after,
            attempts: self.attempts.unwrap_or(2),
            cancels: self.cancel,
            writes: self.writes,
            answers: VecDeque::new(),
            new: 0,
            known: None,
        }
    }

    /// Checks the table at `at`.
    pub fn check(&self, at: &str, problems: &mut Problems) {
        if self.attempts.is_some_and(|attempts| !(2..=HEDGES_MAX).contains(&attempts)) {
            let message = format!("a hedge makes 2 to {HEDGES_MAX} calls, the first included");
            problems.error(format!("{at}.attempts"), message, "gRPC makes at most 5");
        }
    }
}

/// When one caller calls a second time.
#[derive(Clone, Debug)]
pub struct Hedge {
    after: After,
    /// Number of calls in all.
    attempts: u16,
    /// Whether the others are ended when one has a good answer.
    pub cancels: bool,
    writes: bool,
    /// Times of the last answers, oldest first.
    answers: VecDeque<SimDuration>,
    /// Number of answers since the percentile was taken.
    new: usize,
    known: Option<SimDuration>,
}

impl Hedge {
    /// Number of calls in all for a read or a write.
    #[must_use]
    pub const fn attempts(&self, is_write: bool) -> u16 {
        if is_write && !self.writes { 1 } else { self.attempts }
    }

    /// How long a call that is sent now waits before another follows; `None` while too few answers are known.
    #[must_use]
    pub fn delay(&self) -> Option<SimDuration> {
        match self.after {
            After::Time(time) => Some(time),
            After::Percentile(_) => self.known,
        }
    }

    /// A call has had a good answer after this time.
    pub fn answered(&mut self, after: SimDuration) {
        let After::Percentile(percent) = self.after else { return };
        if self.answers.len() == WINDOW {
            self.answers.pop_front();
        }
        self.answers.push_back(after);
        self.new += 1;
        if self.answers.len() >= LEAST && self.new >= EVERY {
            self.new = 0;
            let mut sorted: Vec<SimDuration> = self.answers.iter().copied().collect();
            let place = (percent / 100.0 * sorted.len() as f64) as usize;
            let place = place.min(sorted.len() - 1);
            self.known = Some(*sorted.select_nth_unstable(place).1);
        }
    }

    /// The caller has crashed.
    pub fn clear(&mut self) {
        self.answers.clear();
        (self.new, self.known) = (0, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_that_of_the_last_answers() {
        let ms = SimDuration::from_millis;
        let spec = HedgeSpec { after: "p95".parse().unwrap(), attempts: None, cancel: false, writes: false };
        let mut hedge = spec.hedge();
        (1..100).for_each(|answer| hedge.answered(ms(answer)));
        assert_eq!(hedge.delay(), None, "too few answers");
        assert_eq!([false, true].map(|is_write| hedge.attempts(is_write)), [2, 1]);
        hedge.answered(ms(100));
        assert_eq!(hedge.delay(), Some(ms(96)));
        (0..1000).for_each(|_| hedge.answered(ms(7)));
        assert_eq!(hedge.delay(), Some(ms(7)));
        hedge.clear();
        assert_eq!(hedge.delay(), None);
    }

    #[test]
    fn after_is_a_time_or_a_percentile() {
        assert_eq!("10ms".parse(), Ok(After::Time(SimDuration::from_millis(10))));
        assert_eq!("p99.9".parse(), Ok(After::Percentile(99.9)));
        for wrong in ["p0", "p100", "p", "pnan", "10"] {
            assert!(wrong.parse::<After>().is_err(), "{wrong}");
        }
    }
}
