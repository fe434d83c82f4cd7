//! `Profile`: how the load of a client changes over time, as a factor of its rate or of its users.

use std::f64::consts::TAU;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::quantity::Duration;
use crate::model::spec::Problems;

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
    /// Time from the start of one burst to the start of the next. The first burst ends this long after the start.
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

    /// The profile, ready for use.
    #[must_use]
    pub fn profile(&self) -> Profile {
        if let Some(diurnal) = self.diurnal {
            let period = diurnal.period.map_or(86_400.0, |period| period.0.as_secs_f64());
            return Profile::Sine { amplitude: diurnal.amplitude, period };
        }
        let (knots, period) = self.knots();
        Profile::steps(&knots, period)
    }

    /// The knots (time in seconds, factor there, factor at the end of the piece) and the period.
    fn knots(&self) -> (Vec<(f64, f64, f64)>, Option<f64>) {
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
            let calm = every - burst.r#for.0.as_secs_f64();
            // The burst is at the end of each period, so that the first one begins after a calm time.
            return (vec![(0.0, 1.0, 1.0), (calm, burst.factor, burst.factor)], Some(every));
        }
        let steps = self.steps.iter().flatten();
        let knots = steps.map(|(at, factor)| (at.0.as_secs_f64(), *factor, *factor)).collect();
        (knots, self.period.map(|period| period.0.as_secs_f64()))
    }
}

/// A factor over time. Its integral is known, so that arrivals of any kind can be placed exactly.
#[derive(Clone, Debug, PartialEq)]
pub enum Profile {
    /// Always 1.
    Constant,
    /// 1 + amplitude sin(2 pi t / period).
    Sine {
        /// Height of the wave.
        amplitude: f64,
        /// Seconds.
        period: f64,
    },
    /// Straight pieces, repeated after the period if there is one.
    Pieces {
        /// The pieces, in order of time.
        pieces: Vec<Piece>,
        /// Seconds, and the integral of one period.
        period: Option<(f64, f64)>,
    },
}

/// A straight piece of a profile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    start: f64,
    end: f64,
    from: f64,
    to: f64,
    area_before: f64,
}

impl Piece {
    fn factor(&self, t: f64) -> f64 {
        if self.from == self.to {
            return self.from;
        }
        self.from + (self.to - self.from) * (t - self.start) / (self.end - self.start)
    }

    fn area_to(&self, t: f64) -> f64 {
        self.area_before + (t - self.start) * (self.from + self.factor(t)) / 2.0
    }
}

impl Profile {
    /// Straight stretches from knots (start in seconds, factor there, factor at the end). The last one goes on until the
    /// period's end, or for ever.
    #[must_use]
    pub fn steps(knots: &[(f64, f64, f64)], period: Option<f64>) -> Profile {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut area = 0.0;
        for (index, &(start, from, to)) in knots.iter().enumerate() {
            let end = knots.get(index + 1).map_or(period.unwrap_or(f64::INFINITY), |next| next.0);
            if end <= start {
                continue;
            }
            let piece = Piece { start, end, from, to, area_before: area };
            area = if end.is_finite() { area + (end - start) * (from + to) / 2.0 } else { area };
            pieces.push(piece);
        }
        Profile::Pieces { pieces, period: period.map(|period| (period, area)) }
    }

    /// The factor at `t` seconds.
    #[must_use]
    pub fn factor(&self, t: f64) -> f64 {
        match self {
            Profile::Constant => 1.0,
            Profile::Sine { amplitude, period } => 1.0 + amplitude * libm::sin(TAU * t / period),
            Profile::Pieces { pieces, period } => {
                let t = period.map_or(t, |(period, _)| t % period);
                piece_at(pieces, t).factor(t)
            }
        }
    }

    /// The integral of the factor from 0 to `t` seconds.
    #[must_use]
    pub fn area(&self, t: f64) -> f64 {
        match self {
            Profile::Constant => t,
            Profile::Sine { amplitude, period } => {
                t + amplitude * period / TAU * (1.0 - libm::cos(TAU * t / period))
            }
            Profile::Pieces { pieces, period } => match period {
                Some((period, area)) => {
                    let whole = (t / period).floor();
                    let rest = t - whole * period;
                    whole * area + piece_at(pieces, rest).area_to(rest)
                }
                None => piece_at(pieces, t).area_to(t),
            },
        }
    }

    /// Returns the factor in the long run: the mean over a period, or the last factor; 0 without knots.
    #[must_use]
    pub fn mean(&self) -> f64 {
        match self {
            Profile::Constant | Profile::Sine { .. } => 1.0,
            Profile::Pieces { period: Some((period, area)), .. } => area / period,
            Profile::Pieces { pieces, period: None } => pieces.last().map_or(0.0, |piece| piece.to),
        }
    }

    /// The highest factor of all.
    #[must_use]
    pub fn max(&self) -> f64 {
        match self {
            Profile::Constant => 1.0,
            Profile::Sine { amplitude, .. } => 1.0 + amplitude,
            Profile::Pieces { pieces, .. } => {
                pieces.iter().fold(0.0, |max, piece| piece.from.max(piece.to).max(max))
            }
        }
    }

    /// Returns the first moment, in seconds, at which the integral has grown by `area` since `from`; infinite when it never
    /// does. It is found by bisection, which is exact for every shape and passes over windows of factor 0.
    #[must_use]
    pub fn after(&self, from: f64, area: f64) -> f64 {
        /// A hundred years: nothing is simulated that long.
        const HORIZON_S: f64 = 3.2e9;
        if *self == Profile::Constant {
            return from + area;
        }
        let goal = self.area(from) + area;
        let (mut low, mut step) = (from, 1e-3);
        while self.area(low + step) < goal {
            low += step;
            step *= 2.0;
            if low > HORIZON_S {
                return f64::INFINITY;
            }
        }
        let mut high = low + step;
        while high - low > 5e-10 {
            let middle = low + (high - low) / 2.0;
            if middle <= low || middle >= high {
                break;
            }
            if self.area(middle) < goal { low = middle } else { high = middle }
        }
        high
    }
}

fn piece_at(pieces: &[Piece], t: f64) -> Piece {
    let index = pieces.partition_point(|piece| piece.start <= t);
    pieces[index.max(1) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zero_window() -> Profile {
        Profile::steps(&[(0.0, 0.0, 0.0), (5.0, 10.0, 10.0)], Some(10.0))
    }

    #[test]
    fn a_window_of_zero_is_passed_over() {
        let profile = zero_window();
        assert!((profile.after(0.0, 1.0) - 5.1).abs() < 1e-9);
        assert!((profile.after(9.95, 1.0) - 15.05).abs() < 1e-9);
        assert!((profile.area(20.0) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn a_load_that_ends_for_ever_ends_the_arrivals() {
        let profile = Profile::steps(&[(0.0, 1.0, 1.0), (10.0, 0.0, 0.0)], None);
        assert_eq!(profile.after(9.0, 2.0), f64::INFINITY);
    }

    #[test]
    fn ramps_and_sines_invert() {
        let ramp = Profile::steps(&[(0.0, 0.0, 2.0), (10.0, 2.0, 2.0)], None);
        // The integral of t/5 is t^2/10: it reaches 4.9 at 7.
        assert!((ramp.after(0.0, 4.9) - 7.0).abs() < 1e-8);
        let sine = Profile::Sine { amplitude: 0.6, period: 20.0 };
        let t = sine.after(3.0, 11.0);
        assert!((sine.area(t) - sine.area(3.0) - 11.0).abs() < 1e-8);
        assert!((sine.factor(5.0) - 1.6).abs() < 1e-12);
    }
}
