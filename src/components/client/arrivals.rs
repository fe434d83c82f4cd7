//! `Arrivals`: when the next request or session comes, by a renewal process in the time of a profile or by a trace.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kernel::random::{Stream, unit_open};
use crate::kernel::time::{SimDuration, SimTime};
use crate::kernel::variate::Variate;
use crate::model::class::RequestClass;
use crate::model::spec::Problems;

use super::profile::{Profile, SOME_AREA};
use super::replay::Replay;
use super::trace::{Recorded, TraceSpec};

/// Shape of the times between arrivals; their mean comes from the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// A Poisson process: many independent users.
    Exponential,
    /// Equal times.
    Constant,
    /// Smoother than Poisson: the sum of `k` stages.
    Erlang,
    /// Any variation, by `cv`.
    Gamma,
    /// Any variation, by `cv`, with a heavier tail.
    Lognormal,
    /// Burstier than Poisson, by `cv` above 1.
    Hyperexponential,
}

/// `arrivals = { dist = "erlang", k = 2 }`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArrivalsSpec {
    /// Shape of the times between arrivals.
    pub dist: Shape,
    /// Coefficient of variation, for `gamma`, `lognormal` and `hyperexponential`.
    pub cv: Option<f64>,
    /// Number of stages, for `erlang`.
    pub k: Option<u32>,
    /// Mean number of requests that arrive at the same time, geometrically distributed. Default: 1.
    pub batch: Option<f64>,
}

impl ArrivalsSpec {
    /// Checks the table at `arrivals`.
    pub fn check(&self, problems: &mut Problems) {
        let needs_cv = matches!(self.dist, Shape::Gamma | Shape::Lognormal | Shape::Hyperexponential);
        let least = if self.dist == Shape::Hyperexponential { 1.0 } else { 0.0 };
        match self.cv {
            None if needs_cv => problems.error("arrivals", "this distribution needs `cv`", "such as cv = 2"),
            Some(_) if !needs_cv => {
                problems.error("arrivals.cv", "this distribution has no `cv`", "drop the key")
            }
            Some(cv) if !(cv > least && cv <= 100.0) => {
                problems.error(
                    "arrivals.cv",
                    format!("`cv` lies above {least} and at most 100, not {cv}"),
                    "",
                );
            }
            _ => {}
        }
        match self.k {
            None if self.dist == Shape::Erlang => {
                problems.error("arrivals", "`erlang` needs `k`", "such as k = 2")
            }
            Some(_) if self.dist != Shape::Erlang => {
                problems.error("arrivals.k", "only `erlang` has `k`", "drop the key")
            }
            Some(k) if !(1..=1000).contains(&k) => {
                problems.error("arrivals.k", "`k` lies between 1 and 1000", "")
            }
            _ => {}
        }
        if self.batch.is_some_and(|batch| !(1.0..=1e6).contains(&batch)) {
            problems.error("arrivals.batch", "the mean of a batch lies between 1 and a million", "");
        }
    }

    /// Times between arrivals with mean 1.
    fn gap(&self) -> Variate {
        let cv = self.cv.unwrap_or(1.0);
        match self.dist {
            Shape::Exponential => Variate::exponential(1.0),
            Shape::Constant => Variate::constant(1.0),
            Shape::Erlang => Variate::erlang(1.0, self.k.unwrap_or(1)),
            Shape::Gamma => Variate::gamma(1.0, cv),
            Shape::Lognormal => Variate::lognormal(1.0, cv),
            Shape::Hyperexponential => Variate::hyperexponential(1.0, cv),
        }
    }
}

/// The law of the times between arrivals, with mean 1, and the mean size of a batch. Without a table it is a Poisson
/// process of single requests.
pub(super) fn law(spec: Option<ArrivalsSpec>) -> (Variate, f64) {
    let batch = spec.and_then(|spec| spec.batch).unwrap_or(1.0);
    (spec.map_or(Variate::exponential(1.0), |spec| spec.gap()), batch)
}

/// The times of the next arrivals.
#[derive(Debug)]
pub struct Arrivals {
    gap: Variate,
    /// Mean number of requests of a batch; 1 without batches.
    batch: f64,
    /// Arrivals a second at factor 1.
    rate: f64,
    profile: Profile,
    recording: Option<Box<Recording>>,
    /// Gaps that have been drawn and not used, the next one last. Several are drawn at a time: the processor would have to
    /// wait for a single one before it could go on with the next arrival.
    drawn: Vec<f64>,
}

/// What a trace adds.
#[derive(Debug)]
enum Recording {
    /// Its requests are replayed.
    Replay(Replay),
    /// Its rates are the profile, until this moment; another profile thins them, whose highest factor is part of the rate.
    Rates { until: SimTime, thin: Option<(Profile, f64)> },
}

/// Number of gaps that are drawn at a time.
const GAPS: usize = 16;

impl Arrivals {
    /// Arrivals at `rate` batches a second times the profile's factor.
    #[must_use]
    pub fn renewal(spec: Option<ArrivalsSpec>, rate: f64, profile: Profile) -> Arrivals {
        let (gap, batch) = law(spec);
        Arrivals { gap, batch, rate: rate / batch, profile, recording: None, drawn: Vec::new() }
    }

    /// Arrivals as recorded, multiplied by a profile; `classes` are those of the scenario.
    #[must_use]
    pub(super) fn recorded(trace: &TraceSpec, profile: Profile, classes: &[RequestClass]) -> Arrivals {
        let recorded = trace.recorded.as_ref().expect("the loader has read the file");
        let Recorded::Rates { profile: rates, end_s } = recorded else {
            let mut arrivals = Arrivals::renewal(None, 1.0, Profile::Constant);
            arrivals.recording =
                Some(Box::new(Recording::Replay(Replay::new(trace, recorded, profile, classes))));
            return arrivals;
        };
        let rates = Recorded::repeated(rates, *end_s, trace.offset_s());
        let most = profile.max();
        let end = trace.times().map(|times| trace.offset_s() + end_s * f64::from(times));
        let until = end.map_or(SimTime::MAX, |end| SimTime::ZERO + SimDuration::from_sample_secs(end));
        let thin = (profile != Profile::Constant).then_some((profile, most));
        let mut arrivals = Arrivals::renewal(None, trace.factor() * most, rates);
        arrivals.recording = Some(Box::new(Recording::Rates { until, thin }));
        arrivals
    }

    /// Returns the class of the arrival that [`next`](Arrivals::next) gave last, as its trace tells.
    pub(super) fn class(&self) -> u16 {
        match self.recording.as_deref() {
            Some(Recording::Replay(replay)) => replay.class(),
            _ => 0,
        }
    }

    /// Returns the moment of the next arrival after `now`; [`SimTime::MAX`] when no more come.
    #[inline(always)]
    pub fn next(&mut self, now: SimTime, stream: &mut Stream) -> SimTime {
        if self.recording.is_some() {
            return self.next_recorded(now, stream);
        }
        self.next_renewal(now, stream)
    }

    #[inline(always)]
    fn next_renewal(&mut self, now: SimTime, stream: &mut Stream) -> SimTime {
        let gap = self.next_gap(stream);
        if self.profile == Profile::Constant {
            return now + SimDuration::from_sample_secs(gap);
        }
        let at = self.profile.after(now.as_secs_f64(), gap);
        if at.is_finite() {
            (SimTime::ZERO + SimDuration::from_sample_secs(at)).max(now)
        } else {
            SimTime::MAX
        }
    }

    #[inline(never)]
    fn next_recorded(&mut self, now: SimTime, stream: &mut Stream) -> SimTime {
        if let Some(Recording::Replay(replay)) = self.recording.as_deref_mut() {
            return replay.next(stream);
        }
        let mut at = now;
        loop {
            at = self.next_renewal(at, stream);
            let Some(Recording::Rates { until, thin }) = self.recording.as_deref() else { return at };
            if at >= *until {
                return SimTime::MAX;
            }
            let Some((profile, most)) = thin else { return at };
            let seconds = at.as_secs_f64();
            let factor = profile.factor(seconds);
            if unit_open(stream) * most < factor {
                return at;
            }
            if factor == 0.0 {
                // A Poisson process has no memory: it goes on where the profile does.
                let again = profile.after(seconds, SOME_AREA);
                if again.is_infinite() {
                    return SimTime::MAX;
                }
                at = at.max(SimTime::ZERO + SimDuration::from_sample_secs(again));
            }
        }
    }

    #[inline(always)]
    fn next_gap(&mut self, stream: &mut Stream) -> f64 {
        if let Some(gap) = self.drawn.pop() {
            return gap;
        }
        // The sizes of batches are drawn from the same stream, between the gaps.
        let gaps = if self.batch > 1.0 { 1 } else { GAPS };
        self.draw_gaps(gaps, stream);
        self.drawn.pop().expect("some have just been drawn")
    }

    #[inline(never)]
    fn draw_gaps(&mut self, gaps: usize, stream: &mut Stream) {
        self.gap.sample_many(gaps, stream, |gap| self.drawn.push(gap / self.rate));
        self.drawn.reverse();
    }

    /// Draws the number of requests that come at once: geometric on 1, 2, ... with the mean of a batch.
    #[inline]
    pub fn batch(&self, stream: &mut Stream) -> u64 {
        if self.batch <= 1.0 {
            return 1;
        }
        let failures = libm::log(unit_open(stream)) / libm::log1p(-1.0 / self.batch);
        1 + failures as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::random::Seed;

    #[test]
    fn gaps_drawn_ahead_are_those_drawn_one_by_one() {
        for (dist, cv, batch) in [
            (Shape::Exponential, None, None),
            (Shape::Gamma, Some(2.0), None),
            (Shape::Exponential, None, Some(3.0)),
        ] {
            let spec = ArrivalsSpec { dist, cv, k: None, batch };
            let mut arrivals = Arrivals::renewal(Some(spec), 10.0, Profile::Constant);
            let mut stream = Seed::new(1).stream("users", "arrivals");
            let mut plain = stream.clone();
            let mut now = SimTime::ZERO;
            for _ in 0..3 * GAPS {
                let gap = rand_distr::Distribution::sample(&spec.gap(), &mut plain) / arrivals.rate;
                let at = now + SimDuration::from_sample_secs(gap);
                now = arrivals.next(now, &mut stream);
                assert_eq!(now, at);
                // The size of a batch is drawn between two gaps.
                assert_eq!(arrivals.batch(&mut stream), arrivals.batch(&mut plain));
            }
        }
    }

    #[test]
    fn batches_have_their_mean() {
        let spec = ArrivalsSpec { dist: Shape::Exponential, cv: None, k: None, batch: Some(5.0) };
        let arrivals = Arrivals::renewal(Some(spec), 10.0, Profile::Constant);
        let mut stream = Seed::new(1).stream("users", "arrivals");
        let n = 100_000;
        let mean = (0..n).map(|_| arrivals.batch(&mut stream)).sum::<u64>() as f64 / f64::from(n);
        // The standard error is sqrt(20 / n), 0.014.
        assert!((mean - 5.0).abs() < 0.06, "{mean}");
    }
}
