//! The sum of all groups and of steady state, with its interval, and the result that is made of it.

use super::super::result::{RunResult, ScenarioRef};
use super::estimate::{Mean, mean};
use super::group::{Group, Sample};
use super::result::{Budget, Cause, Composed, Kept, Rates, Reached, SCHEMA, Span, YearResult};
use super::{CauseOf, Work, YEAR_S};
use crate::stats::interval::t_quantile_975;
use crate::stats::rare::rare;
use crate::stats::tally::Moments;

/// The names of episodes of several faults, and of none.
pub(super) const TWO: &str = "two at once";
pub(super) const MORE: &str = "three or more at once";
const NONE: &str = "no fault";

/// Degrees of freedom above which Student's t is the normal distribution.
const NORMAL: f64 = 1e6;

/// An average second.
#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    /// The part of it that is without service, with its interval.
    pub share: Span,
    /// By group and stratum, the variance of the share that comes from its samples.
    pub parts: Vec<Vec<f64>>,
    /// What was not simulated costs at most this share.
    pub rest: f64,
    /// The part of `share` that comes from steady state.
    pub steady: Span,
    /// The share if long outages went on as in the middle of what was simulated.
    otherwise: f64,
}

impl Sum {
    /// Half of the interval.
    pub(super) fn half_width(&self) -> f64 {
        (self.share.high - self.share.low) / 2.0
    }

    /// The variance that comes from steady state.
    pub(super) fn steady_variance(&self) -> f64 {
        let half = (self.steady.high - self.steady.low) / 2.0 / 1.96;
        half * half
    }
}

impl Work<'_> {
    /// The sum as far as it is known.
    pub(super) fn sum(&self) -> Sum {
        let calm = 1.0 - self.timeline.inside / self.timeline.seconds;
        let steady = self.steady_share().map(|share| share * calm);
        let share = steady.value + self.over(|one| one.lost);
        let otherwise = steady.value + self.over(|one| one.otherwise);
        let rest: f64 = self.groups.iter().map(Group::unknown).sum::<f64>() + self.never_drawn();
        let groups: Vec<Mean> = self.groups.iter().map(Group::lost_share).collect();
        let sampled: Vec<(f64, f64)> = groups.iter().flat_map(|group| group.parts.iter().copied()).collect();
        let drawn: f64 = groups.iter().map(|group| group.drawn).sum();
        let half = spread(&sampled, drawn);
        // The two intervals together, each side by itself (Zou and Donner, Statistics in Medicine 27, 2008).
        let down = libm::hypot(half, steady.value - steady.low);
        let up = libm::hypot(half, steady.high - steady.value);
        let span = Span { value: share, low: (share - down).max(0.0), high: (share + up + rest).min(1.0) };
        let variances = |group: Mean| group.parts.into_iter().map(|part| part.0).collect();
        let parts = groups.into_iter().map(variances).collect();
        Sum { share: span, parts, rest, steady, otherwise }
    }

    /// Share of the time that failures take of causes so rare that none of them was drawn.
    fn never_drawn(&self) -> f64 {
        let calm = self.times.calm.as_secs_f64();
        let missing = |(at, _): &(usize, &CauseOf)| !self.groups.iter().any(|group| group.sort.0 == [*at]);
        let causes = self.causes.iter().enumerate().filter(missing);
        causes.map(|(_, cause)| cause.rate * (cause.lasts + calm)).sum()
    }

    /// What all simulated groups have of something in an average second.
    fn over(&self, value: impl Fn(&Sample) -> f64) -> f64 {
        self.groups.iter().map(|group| group.rate * mean(group, &value, |_| 0.0).mean).sum()
    }

    /// The share of requests that fails in steady state.
    fn steady_share(&self) -> Span {
        let (issued, failed) = total(&self.steady);
        let each = issued / self.steady.len() as f64;
        let counts: Vec<f64> = self.steady.iter().map(|one| one.1).collect();
        let (low, high) = rare(&counts, failed / issued.max(1.0)).interval.unwrap_or_else(|| {
            let moments: Moments = counts.iter().copied().collect();
            let n = counts.len() as f64;
            let half = t_quantile_975(n - 1.0) * moments.sd() / n.sqrt();
            ((moments.mean() - half).max(0.0), moments.mean() + half)
        });
        Span { value: failed / issued, low: low / each, high: high / each }
    }

    /// The result.
    pub(super) fn result(&self, run: &RunResult, rates: Rates) -> YearResult {
        let sum = self.sum();
        let share = sum.share;
        let half = sum.half_width();
        let target = self.options.precision;
        let achieved = (share.value > 0.0).then(|| half / share.value);
        let reached = achieved.is_some_and(|achieved| achieved <= target);
        let year = |a_second: f64| a_second * YEAR_S;
        let requests = self.requests();
        YearResult {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            complete: !self.is_interrupted,
            design: run.scenario.title.clone(),
            scenario: ScenarioRef::clone(&run.scenario),
            seed: self.options.seed,
            rates,
            composed: Composed {
                years: self.timeline.seconds / YEAR_S,
                episodes: self.episodes,
                events: self.events,
                lead_in_s: self.times.lead_in.as_secs_f64(),
                calm_s: self.times.calm.as_secs_f64(),
                hold_s: self.times.hold.as_secs_f64(),
                rest_s: year(sum.rest),
            },
            availability: share.turned(|share| 1.0 - share),
            nines: share.turned(|share| -libm::log10(share)),
            without_service_s: share.map(year),
            requests: year(requests.0),
            failed_requests: year(requests.1),
            lost_writes: run.metrics.data.as_ref().map(|_| self.lost_writes()),
            cost_usd_per_hour: run.metrics.cost_usd_per_hour.mean.filter(|cost| *cost > 0.0),
            causes: self.causes(&sum),
            budget: self.options.slo.map(|slo| budget(slo, share)),
            change: None,
            precision: Reached { target, achieved, reached },
            notes: self.notes(&sum, reached),
        }
    }

    /// Requests issued, and failed, in an average second.
    fn requests(&self) -> (f64, f64) {
        let calm = 1.0 - self.timeline.inside / self.timeline.seconds;
        let time = self.steady.len() as f64 * self.steady_length.measured.as_secs_f64() / calm;
        let (issued, failed) = total(&self.steady);
        (issued / time + self.over(|one| one.issued), failed / time + self.over(|one| one.failed))
    }

    /// Writes lost a second without any fault.
    fn steady_writes(&self) -> f64 {
        self.steady_writes / (self.steady.len() as f64 * self.steady_length.measured.as_secs_f64())
    }

    /// The lost writes of a year.
    fn lost_writes(&self) -> Span {
        let calm = 1.0 - self.timeline.inside / self.timeline.seconds;
        let (mut value, mut variance) = (self.steady_writes() * calm, 0.0);
        for group in &self.groups {
            let writes = mean(group, |one| one.lost_writes, |_| 0.0).times(group.rate);
            value += writes.mean;
            variance += writes.variance();
        }
        let half = 1.96 * variance.sqrt();
        let (value, half) = (value.max(0.0) * YEAR_S, half * YEAR_S);
        Span { value, low: (value - half).max(0.0), high: value + half }
    }

    /// What each cause costs, the worst first.
    fn causes(&self, sum: &Sum) -> Vec<Cause> {
        let ratio = self.steady_share().value;
        let mut found: Vec<Cause> = Vec::new();
        for (at, of) in self.causes.iter().enumerate() {
            let own = |group: &&Group| group.sort.0 == [at];
            let row = self.row(&of.name, ratio, &self.groups.iter().filter(own).collect::<Vec<_>>());
            found.push(Cause { times: Some(of.rate * YEAR_S), repair_s: Some(of.lasts), ..row });
        }
        for (name, causes) in [(TWO, 2), (MORE, 0)] {
            let own = |group: &&Group| group.sort.0.len() == causes;
            let all: Vec<&Group> = self.groups.iter().filter(own).collect();
            let times: f64 = all.iter().map(|group| group.rate).sum();
            if !all.is_empty() {
                found.push(Cause { times: Some(times * YEAR_S), ..self.row(name, ratio, &all) });
            }
        }
        let steady = sum.steady;
        found.push(Cause {
            cause: NONE.to_owned(),
            times: None,
            repair_s: None,
            without_service_s: steady.map(|share| share * YEAR_S),
            share: steady.value,
            lost_writes: self.steady_writes() * YEAR_S,
        });
        let total: f64 = found.iter().map(|cause| cause.without_service_s.value).sum();
        for cause in &mut found {
            cause.share = if total > 0.0 { cause.without_service_s.value / total } else { 0.0 };
        }
        found.sort_by(|a, b| b.without_service_s.value.total_cmp(&a.without_service_s.value));
        found
    }

    /// What the episodes of some groups cost beside what fails without any fault.
    fn row(&self, name: &str, ratio: f64, groups: &[&Group]) -> Cause {
        let (mut lost, mut variance, mut writes, mut unknown) = (0.0, 0.0, 0.0, 0.0);
        for group in groups {
            unknown += group.unknown();
            if group.samples.is_empty() {
                continue;
            }
            let own = mean(group, |one| one.lost, |_| 0.0).times(group.rate);
            lost += own.mean - ratio * group.share;
            variance += own.variance();
            writes += group.rate * mean(group, |one| one.lost_writes, |_| 0.0).mean
                - self.steady_writes() * group.share;
        }
        let value = lost.max(0.0) * YEAR_S;
        let half = 1.96 * variance.sqrt() * YEAR_S;
        let span = Span { value, low: (value - half).max(0.0), high: value + half + unknown * YEAR_S };
        Cause {
            cause: name.to_owned(),
            times: None,
            repair_s: None,
            without_service_s: span,
            share: 0.0,
            lost_writes: writes.max(0.0) * YEAR_S,
        }
    }

    fn notes(&self, sum: &Sum, reached: bool) -> Vec<String> {
        let mut notes = Vec::new();
        if !reached && !self.is_interrupted {
            notes.push(if sum.share.value > 0.0 {
                format!(
                    "the interval is {:.0} % of what is lost on each side, not {:.0} %, after {} episodes",
                    100.0 * sum.half_width() / sum.share.value,
                    100.0 * self.options.precision,
                    self.episodes
                )
            } else {
                "no request failed in all that was simulated: only the upper end means something".to_owned()
            });
        }
        let change = (sum.otherwise - sum.share.value).abs();
        if change > self.options.precision * sum.share.value.max(f64::MIN_POSITIVE) {
            notes.push(format!(
                "what a long outage costs still changes when it has lasted for {}: simulate outages for longer with --hold",
                crate::model::quantity::Duration(self.times.hold)
            ));
        }
        notes
    }
}

impl Group {
    /// What its episodes add to the share without service.
    pub(super) fn lost_share(&self) -> Mean {
        mean(self, |one| one.lost, |one| one.alone).times(self.rate)
    }
}

/// Half of the interval of a sum of estimates: of the variances of the samples, each with its degrees of freedom, and of the variance
/// of what was drawn.
pub(super) fn spread(sampled: &[(f64, f64)], drawn: f64) -> f64 {
    let variance = sampled.iter().map(|part| part.0).sum::<f64>() + drawn;
    let squares: f64 = sampled.iter().map(|(part, freedom)| part * part / freedom).sum();
    // Satterthwaite's degrees of freedom of a sum of independent variances.
    let freedom = if squares > 0.0 { (variance * variance / squares).min(NORMAL) } else { NORMAL };
    t_quantile_975(freedom) * variance.sqrt()
}

/// Requests issued and failed in all trials.
pub(super) fn total(trials: &[(f64, f64)]) -> (f64, f64) {
    trials.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

fn budget(slo: f64, share: Span) -> Budget {
    let used = share.map(|share| share / (1.0 - slo));
    let verdict = match used {
        _ if used.high <= 1.0 => Kept::Holds,
        _ if used.low > 1.0 => Kept::Fails,
        _ => Kept::NotShown,
    };
    Budget { slo, allowed_s: (1.0 - slo) * YEAR_S, used, verdict }
}
