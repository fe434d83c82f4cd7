//! Makes a [`Figure`] from trials: means with Student's t, pooled percentiles with inverted indicators.

use crate::model::record::TrialRecord;
use crate::stats::histogram::Histogram;
use crate::stats::interval::Estimate;
use crate::stats::quantile::pooled_quantile;
use crate::stats::rare::rare;
use crate::stats::tally::Tally;

use super::result::{Figure, Moments, Responses};
use super::value::Rare;

/// Nanoseconds in a millisecond.
pub(super) const NANOS_PER_MS: f64 = 1e6;

impl Figure {
    /// The mean over trials with Student's t-interval, given one value for each trial. A value that is not finite is
    /// that of a trial that measured nothing.
    #[must_use]
    pub fn over(values: impl IntoIterator<Item = f64>) -> Figure {
        let trials: Vec<Option<f64>> =
            values.into_iter().map(|value| value.is_finite().then_some(value)).collect();
        let known: Vec<f64> = trials.iter().copied().flatten().collect();
        if known.is_empty() {
            return Figure { trials, ..Figure::default() };
        }
        let estimate = Estimate::over_trials(&known);
        Figure { mean: Some(estimate.mean), half_width: estimate.half_width, trials, ..Figure::default() }
    }

    /// The share of events among all observations, given both numbers for each trial. Its interval is Student's, and at
    /// least as wide as the count of the rarer of the two outcomes makes it: no failure among 1000 requests leaves a share of
    /// 3 / 1000 possible.
    #[must_use]
    pub fn share(trials: impl IntoIterator<Item = (f64, f64)>) -> Figure {
        let trials: Vec<(f64, f64)> = trials.into_iter().collect();
        let figure = Figure::over(trials.iter().map(|(events, all)| events / all));
        let known: Vec<(f64, f64)> = trials.into_iter().filter(|(_, all)| *all > 0.0).collect();
        let total: f64 = known.iter().map(|(_, all)| all).sum();
        let share = known.iter().map(|(events, _)| events).sum::<f64>() / total;
        if share > 0.5 {
            return figure
                .complement()
                .widened(known.iter().map(|(events, all)| all - events), total, 1.0 - share)
                .complement();
        }
        figure.widened(known.iter().map(|(events, _)| *events), total, share)
    }

    /// The mean number of events in a trial, given the number in each, with an interval as in [`Figure::share`].
    #[must_use]
    pub fn count(trials: impl IntoIterator<Item = f64>) -> Figure {
        let figure = Figure::over(trials);
        let known: Vec<f64> = figure.trials.iter().copied().flatten().collect();
        let trials = known.len() as f64;
        figure.widened(known.into_iter(), trials, 0.0)
    }

    /// The figure with the interval that the counts of events leave possible, if that is wider. `of` is the number of all
    /// observations, and `share` the part of them that are events.
    fn widened(self, counts: impl Iterator<Item = f64>, of: f64, share: f64) -> Figure {
        let counts: Vec<f64> = counts.collect();
        let Some(mean) = self.mean else { return self };
        let found = rare(&counts, share);
        let with = Figure { rare: Some(Rare { events: found.events, of }), ..self };
        let scale = counts.len() as f64 / of;
        match (with.interval(), found.interval) {
            (Some((low, high)), Some((from, to))) if from * scale < low || to * scale > high => {
                let (low, high) = (low.min(from * scale).max(0.0), high.max(to * scale).max(mean));
                Figure { half_width: Some((high - low) / 2.0), low: Some(low), high: Some(high), ..with }
            }
            _ => with,
        }
    }

    /// What a share leaves of the whole: the error rate of an availability.
    #[must_use]
    pub fn complement(&self) -> Figure {
        let rest = |value: Option<f64>| value.map(|value| 1.0 - value);
        Figure {
            mean: rest(self.mean),
            half_width: self.half_width,
            low: rest(self.high),
            high: rest(self.low),
            rare: self.rare,
            trials: self.trials.iter().map(|value| rest(*value)).collect(),
            pseudo: Vec::new(),
        }
    }

    /// The percentile `q` in milliseconds over the pooled times of all trials, given one histogram of nanoseconds for
    /// each trial. Without a value if too few times lie beyond it.
    #[must_use]
    pub fn percentile(trials: &[&Histogram], q: f64) -> Figure {
        let Some(quantile) = pooled_quantile(trials, q) else {
            return Figure { trials: vec![None; trials.len()], ..Figure::default() };
        };
        let (low, high) = quantile.interval.unzip();
        let in_ms = |nanos: u64| nanos as f64 / NANOS_PER_MS;
        Figure {
            mean: Some(in_ms(quantile.value)),
            half_width: quantile.interval.map(|(low, high)| in_ms(high - low) / 2.0),
            low: low.map(in_ms),
            high: high.map(in_ms),
            rare: None,
            trials: quantile.own.iter().map(|value| Some(in_ms(*value))).collect(),
            pseudo: quantile.pseudo.iter().map(|value| Some(value / NANOS_PER_MS)).collect(),
        }
    }

    /// The figure in another unit; one old unit is `factor` new ones.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Figure {
        let scale = |value: Option<f64>| value.map(|value| value * factor);
        Figure {
            mean: scale(self.mean),
            half_width: scale(self.half_width),
            low: scale(self.low),
            high: scale(self.high),
            rare: self.rare,
            trials: self.trials.iter().map(|value| scale(*value)).collect(),
            pseudo: self.pseudo.iter().map(|value| scale(*value)).collect(),
        }
    }

    /// The ends of the 95 % interval; `None` without an interval.
    #[must_use]
    pub fn interval(&self) -> Option<(f64, f64)> {
        if let (Some(low), Some(high)) = (self.low, self.high) {
            return Some((low, high));
        }
        let (mean, half_width) = (self.mean?, self.half_width?);
        Some((mean - half_width, mean + half_width))
    }

    /// Half-width relative to the mean; `None` without an interval.
    #[must_use]
    pub fn relative(&self) -> Option<f64> {
        let (mean, half_width) = (self.mean?, self.half_width?);
        (mean != 0.0).then(|| half_width / mean.abs())
    }
}

impl Responses {
    /// Response times from histograms of nanoseconds, one for each trial.
    pub(super) fn of(trials: &[&Histogram]) -> Responses {
        let percentile = |q| Figure::percentile(trials, q);
        let longest = |trial: &&Histogram| trial.max().map_or(f64::NAN, |max| max as f64 / NANOS_PER_MS);
        Responses {
            mean: Figure::over(trials.iter().map(|trial| trial.mean() / NANOS_PER_MS)),
            p50: percentile(0.5),
            p90: percentile(0.9),
            p95: percentile(0.95),
            p99: percentile(0.99),
            p999: percentile(0.999),
            max: Figure::over(trials.iter().map(longest)),
        }
    }
}

impl Moments {
    /// Mean, standard deviation and longest from tallies of nanoseconds, one for each trial.
    pub(super) fn of<'a>(trials: impl Iterator<Item = &'a Tally> + Clone) -> Moments {
        let longest = |trial: &Tally| trial.max().map_or(f64::NAN, |max| max as f64 / NANOS_PER_MS);
        Moments {
            mean: Figure::over(trials.clone().map(|trial| trial.mean() / NANOS_PER_MS)),
            sd: Figure::over(trials.clone().map(sd_ms)),
            max: Figure::over(trials.map(longest)),
        }
    }
}

/// The standard deviation of times in ns, in ms; not a number for fewer than two of them.
pub(super) fn sd_ms(times: &Tally) -> f64 {
    if times.count() < 2 { f64::NAN } else { times.sd() / NANOS_PER_MS }
}

/// Mean response time in ms of requests that ended ok, over all classes.
pub(super) fn mean_response(record: &TrialRecord) -> f64 {
    let count: u64 = record.classes.iter().map(|class| class.response.count()).sum();
    let nanos: u128 = record.classes.iter().map(|class| class.response.sum()).sum();
    nanos as f64 / count as f64 / NANOS_PER_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_have_the_interval_of_the_textbook() {
        let figure = Figure::over([9.0, 10.0, 11.0]);
        // t(2, 97.5 %) = 4.302653, standard error 1/sqrt(3).
        assert_eq!(figure.mean, Some(10.0));
        assert!((figure.half_width.unwrap() - 4.302_652_729_911_275 / 3f64.sqrt()).abs() < 1e-9);
        assert_eq!(Figure::over([4.0, 4.0]).interval(), Some((4.0, 4.0)));
    }

    #[test]
    fn a_share_of_which_nothing_was_seen_is_not_certain() {
        let none = Figure::share([(1000.0, 1000.0); 10]);
        assert_eq!((none.mean, none.high, none.rare.unwrap().events), (Some(1.0), Some(1.0), 0.0));
        assert!((none.low.unwrap() - (1.0 - 3.0 / 10_000.0)).abs() < 1e-12, "{none:?}");
        assert_eq!(none.complement().low, Some(0.0));
        let lost = Figure::count([0.0, 0.0, 0.0]);
        assert_eq!((lost.mean, lost.interval()), (Some(0.0), Some((0.0, 1.0))));
        let one = Figure::share([(1.0, 1.0)]);
        assert_eq!((one.half_width, one.low), (None, None), "one trial gives no interval");
        assert_eq!(Figure::share([(0.0, 0.0); 3]).mean, None);
    }

    #[test]
    fn a_share_with_many_events_has_students_interval() {
        let trials: Vec<(f64, f64)> =
            [480.0, 530.0, 510.0, 460.0, 520.0].map(|events| (events, 1000.0)).into();
        let (share, plain) =
            (Figure::share(trials.clone()), Figure::over(trials.iter().map(|(some, all)| some / all)));
        assert_eq!((share.half_width, share.low), (plain.half_width, None));
    }

    #[test]
    fn trials_that_measured_nothing_are_told_apart() {
        let figure = Figure::over([f64::NAN, 2.0]);
        assert_eq!((figure.mean, figure.half_width), (Some(2.0), None));
        assert_eq!(figure.trials, [None, Some(2.0)]);
        assert_eq!(Figure::over([f64::NAN]).mean, None);
    }

    #[test]
    fn percentiles_need_a_tail() {
        let mut trial = Histogram::default();
        (1..=1999).for_each(|ms| trial.record(ms * 1_000_000));
        assert_eq!(Figure::percentile(&[&trial, &trial], 0.99).mean, None);
        trial.record(2_000_000_000);
        let p99 = Figure::percentile(&[&trial, &trial], 0.99);
        assert!((p99.mean.unwrap() / 1980.0 - 1.0).abs() < 0.008);
        assert_eq!(p99.half_width, Some(0.0), "equal trials leave no doubt");
        assert!((p99.scaled(0.001).mean.unwrap() / 1.98 - 1.0).abs() < 0.008);
    }
}
