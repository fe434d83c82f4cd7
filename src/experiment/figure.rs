//! Makes a [`Figure`] from trials: means with Student's t, pooled percentiles with inverted indicators.

use crate::model::record::TrialRecord;
use crate::stats::histogram::Histogram;
use crate::stats::interval::Estimate;
use crate::stats::quantile::pooled_quantile;
use crate::stats::tally::Tally;

use super::result::{Figure, Moments, Responses};

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
            trials: quantile.trials.iter().map(|value| Some(value / NANOS_PER_MS)).collect(),
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
            trials: self.trials.iter().map(|value| scale(*value)).collect(),
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
    /// Mean and longest from tallies of nanoseconds, one for each trial.
    pub(super) fn of<'a>(trials: impl Iterator<Item = &'a Tally> + Clone) -> Moments {
        let longest = |trial: &Tally| trial.max().map_or(f64::NAN, |max| max as f64 / NANOS_PER_MS);
        Moments {
            mean: Figure::over(trials.clone().map(|trial| trial.mean() / NANOS_PER_MS)),
            max: Figure::over(trials.map(longest)),
        }
    }
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
