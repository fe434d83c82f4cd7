//! What a scenario says about the change of a load: `profile = { ramp = { over = "1min" } }`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::quantity::Duration;
use crate::model::spec::Problems;

use super::{Cycle, Profile};

/// Largest number of knots of a profile; a longer one belongs in a trace file.
const KNOTS_MAX: usize = 100_000;

/// A straight climb, or fall, from one factor to another.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ramp {
    /// Factor before the ramp. Default: 0.
    #[serde(default)]
    pub from: f64,
    /// Factor after it. Default: 1.
    #[serde(default = "one")]
    pub to: f64,
    /// When it begins. Default: at once.
    pub at: Option<Duration>,
    /// Length of the ramp.
    pub over: Duration,
}

/// A time with more, or less, load.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spike {
    /// When it begins.
    pub at: Duration,
    /// Its length.
    pub r#for: Duration,
    /// Factor during that time.
    pub factor: f64,
}

/// A spike that repeats.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    /// Time from the start of one burst to the start of the next. The first burst begins this long after the start.
    pub every: Duration,
    /// Length of each burst.
    pub r#for: Duration,
    /// Factor during that time.
    pub factor: f64,
}

/// A day: a sine around 1 that starts in the middle of its climb.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Diurnal {
    /// Length of a day. Default: "24h".
    pub period: Option<Duration>,
    /// Height of the wave, 0..1: the factor runs from 1 - amplitude to 1 + amplitude.
    pub amplitude: f64,
}

/// How the load changes over time: exactly one of the keys.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProfileSpec {
    /// A straight climb from one factor to another.
    pub ramp: Option<Ramp>,
    /// Factors from given times on: [["0s", 1], ["1min", 3]].
    pub steps: Option<Vec<(Duration, f64)>>,
    /// The steps start again after this time.
    pub period: Option<Duration>,
    /// One time with more load.
    pub spike: Option<Spike>,
    /// A spike that repeats.
    pub burst: Option<Burst>,
    /// A day.
    pub diurnal: Option<Diurnal>,
}

fn one() -> f64 {
    1.0
}

impl ProfileSpec {
    /// Checks the table; keys are relative to the client's.
    pub fn check(&self, problems: &mut Problems) {
        let given = [
            self.ramp.is_some(),
            self.steps.is_some(),
            self.spike.is_some(),
            self.burst.is_some(),
            self.diurnal.is_some(),
        ];
        if given.iter().filter(|given| **given).count() != 1 {
            let help = "one of `ramp`, `steps`, `spike`, `burst` and `diurnal`";
            problems.error("profile", "a profile has exactly one shape", help);
            return;
        }
        if self.period.is_some() && self.steps.is_none() {
            problems.error("profile.period", "only `steps` have a period", "");
        }
        for (key, factor) in self.factors() {
            if !(factor.is_finite() && (0.0..=1e6).contains(&factor)) {
                problems.error(key, format!("a factor lies between 0 and a million, not {factor}"), "");
            }
        }
        self.check_times(problems);
        if problems.items.is_empty() && self.profile().max() == 0.0 {
            problems.error("profile", "the factor is never above 0: nobody ever comes", "");
        }
    }

    fn factors(&self) -> Vec<(String, f64)> {
        let mut factors = Vec::new();
        if let Some(ramp) = self.ramp {
            factors.push(("profile.ramp.from".into(), ramp.from));
            factors.push(("profile.ramp.to".into(), ramp.to));
        }
        for (index, (_, factor)) in self.steps.iter().flatten().enumerate() {
            factors.push((format!("profile.steps[{index}]"), *factor));
        }
        factors.extend(self.spike.map(|spike| ("profile.spike.factor".into(), spike.factor)));
        factors.extend(self.burst.map(|burst| ("profile.burst.factor".into(), burst.factor)));
        factors
    }

    fn check_times(&self, problems: &mut Problems) {
        if let Some(steps) = &self.steps {
            let rising = steps.windows(2).all(|pair| pair[0].0.0 < pair[1].0.0);
            if steps.is_empty() || steps.len() > KNOTS_MAX || !rising {
                let message = format!("the times of 1 to {KNOTS_MAX} steps must rise");
                problems.error("profile.steps", message, "such as [[\"0s\", 1], [\"1min\", 3]]");
            } else if steps[0].0.0.as_nanos() != 0 {
                problems.error("profile.steps[0]", "the first step begins at \"0s\"", "");
            } else if self.period.is_some_and(|period| period.0 <= steps[steps.len() - 1].0.0) {
                problems.error("profile.period", "the period ends before the last step begins", "");
            }
        }
        if let Some(burst) = self.burst
            && burst.r#for.0 >= burst.every.0
        {
            problems.error("profile.burst.for", "a burst must be over before the next begins", "");
        }
        if let Some(diurnal) = self.diurnal {
            if !(0.0..=1.0).contains(&diurnal.amplitude) {
                problems.error("profile.diurnal.amplitude", "the amplitude lies between 0 and 1", "");
            }
            if diurnal.period.is_some_and(|period| period.0.is_zero()) {
                problems.error("profile.diurnal.period", "a day takes some time", "");
            }
        }
    }

    /// When the factor is highest, as the end of a sentence: "for the 2min of the spike".
    #[must_use]
    pub fn when(&self) -> String {
        if let Some(spike) = self.spike {
            return format!("for the {} of the spike", spike.r#for);
        }
        if let Some(burst) = self.burst {
            return format!("for the {} of each burst", burst.r#for);
        }
        if self.diurnal.is_some() {
            return "at the height of the day".to_owned();
        }
        if self.ramp.is_some() {
            return "at the high end of the ramp".to_owned();
        }
        let steps = self.steps.iter().flatten();
        let highest = steps.reduce(|most, step| if step.1 > most.1 { step } else { most });
        highest.map_or_else(String::new, |(at, _)| format!("in the step at {at}"))
    }

    /// The profile, ready for use. A profile that changes nothing is no profile, so that it gives the same run.
    #[must_use]
    pub fn profile(&self) -> Profile {
        if let Some(diurnal) = self.diurnal {
            let period = diurnal.period.map_or(86_400.0, |period| period.0.as_secs_f64());
            return Profile::sine(diurnal.amplitude, period);
        }
        let (knots, cycle) = self.knots();
        Profile::steps(&knots, cycle)
    }

    /// The knots (time in seconds, factor there, factor at the end of the piece) and what repeats.
    fn knots(&self) -> (Vec<(f64, f64, f64)>, Option<Cycle>) {
        if let Some(ramp) = self.ramp {
            let at = ramp.at.map_or(0.0, |at| at.0.as_secs_f64());
            let end = at + ramp.over.0.as_secs_f64();
            return (
                vec![(0.0, ramp.from, ramp.from), (at, ramp.from, ramp.to), (end, ramp.to, ramp.to)],
                None,
            );
        }
        if let Some(spike) = self.spike {
            let at = spike.at.0.as_secs_f64();
            let end = at + spike.r#for.0.as_secs_f64();
            return (vec![(0.0, 1.0, 1.0), (at, spike.factor, spike.factor), (end, 1.0, 1.0)], None);
        }
        if let Some(burst) = self.burst {
            let every = burst.every.0.as_secs_f64();
            let end = every + burst.r#for.0.as_secs_f64();
            // The first burst comes after a calm time. From then on each period begins with one.
            let knots = vec![(0.0, 1.0, 1.0), (every, burst.factor, burst.factor), (end, 1.0, 1.0)];
            return (knots, Some(Cycle { start: every, length: every }));
        }
        let steps = self.steps.iter().flatten();
        let knots = steps.map(|(at, factor)| (at.0.as_secs_f64(), *factor, *factor)).collect();
        (knots, self.period.map(|period| Cycle { start: 0.0, length: period.0.as_secs_f64() }))
    }
}
