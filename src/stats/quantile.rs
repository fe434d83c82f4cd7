//! Percentiles over trials: the records of all trials pooled, never an average of percentiles. The interval comes
//! from the interval of the share at or below the percentile.

use crate::stats::histogram::Histogram;
use crate::stats::interval::Estimate;

/// Least number of records beyond the quantile in an average trial. With fewer, the pooled quantile is noise.
pub const TAIL_RECORDS_MIN: f64 = 20.0;

/// A quantile of the records of all trials together.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantileEstimate {
    /// The pooled quantile, in the unit of the records.
    pub value: u64,
    /// The 95 % interval, lower end first; `None` for a single trial.
    pub interval: Option<(u64, u64)>,
    /// The quantile of each trial's own records.
    pub own: Vec<u64>,
    /// One pseudo-value a trial, in the unit of the quantile: `value` plus the lack in the trial's share of records at or
    /// below `value`, divided by the density there (Bahadur's representation, 1966). Their mean is `value`. The
    /// values of two scenarios may be paired; quantiles of single trials may not, because they are biased.
    pub pseudo: Vec<f64>,
}

/// The quantile `q` of the pooled records of all trials. Its interval is the t-interval of the share at or below it,
/// mapped back through the pooled distribution. `None` when there are no trials, when one is empty, or when an
/// average trial has fewer than [`TAIL_RECORDS_MIN`] records on the rarer side of the quantile.
///
/// # Panics
/// When `q` lies outside 0 to 1.
#[must_use]
pub fn pooled_quantile(trials: &[&Histogram], q: f64) -> Option<QuantileEstimate> {
    if trials.is_empty() || trials.iter().any(|trial| trial.is_empty()) {
        return None;
    }
    let mut pooled = Histogram::default();
    trials.iter().for_each(|trial| pooled.merge(trial));
    let records_per_trial = pooled.count() as f64 / trials.len() as f64;
    // The slack allows for 1 - 0.99, which is not quite 0.01 in floating point.
    if records_per_trial * q.min(1.0 - q) < TAIL_RECORDS_MIN * (1.0 - 1e-9) {
        return None;
    }
    let value = pooled.quantile(q);
    // Each trial counts by its number of records, as in the pool, so that the excesses have mean zero.
    let share = pooled.share_at_most(value);
    let excess: Vec<f64> = trials
        .iter()
        .map(|trial| (trial.share_at_most(value) - share) * trial.count() as f64 / records_per_trial)
        .collect();
    let half_width = Estimate::over_trials(&excess).half_width;
    let at = |q: f64| pooled.quantile(q.clamp(0.0, 1.0));
    let interval = half_width.map(|half| (at(q - half).min(value), at(q + half).max(value)));
    let slope = time_per_share(&pooled, q, half_width.unwrap_or(0.0));
    let own = trials.iter().map(|trial| trial.quantile(q)).collect();
    let pseudo = excess.iter().map(|excess| value as f64 - excess * slope).collect();
    Some(QuantileEstimate { value, interval, own, pseudo })
}

/// How far the quantile moves for each unit of share, around `q`: the inverse of the density there. It is taken over
/// the width of the interval, and at least over a fifth of the tail, so that the buckets of the histogram do not
/// show.
fn time_per_share(pooled: &Histogram, q: f64, half_width: f64) -> f64 {
    let tail = q.min(1.0 - q);
    let reach = half_width.max(tail / 5.0).min(tail);
    let (low, high) = (pooled.quantile((q - reach).max(0.0)), pooled.quantile((q + reach).min(1.0)));
    (high - low) as f64 / (2.0 * reach)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::oracle::Lindley;

    /// Response times of M/M/1 in a fine unit; their true quantile is -ln(1 - q) / (1 - rho).
    fn trial(rho: f64, seed: u64, customers: usize) -> Histogram {
        let mut queue = Lindley::warmed(rho, seed, 500);
        let mut times = Histogram::default();
        for _ in 0..customers {
            let service = queue.exponential();
            let wait = queue.next().expect("the queue never ends");
            times.record(((wait + service) * 1e6) as u64);
        }
        times
    }

    fn pool(histograms: &[Histogram], q: f64) -> Option<QuantileEstimate> {
        pooled_quantile(&histograms.iter().collect::<Vec<_>>(), q)
    }

    #[test]
    fn intervals_of_p99_cover() {
        let truth = -libm::log(0.01) / (1.0 - 0.5) * 1e6;
        let covered = (0..200u64).filter(|round| {
            let trials: Vec<_> = (0..10).map(|i| trial(0.5, round * 100 + i, 4000)).collect();
            let (low, high) = pool(&trials, 0.99).unwrap().interval.unwrap();
            low as f64 <= truth && truth <= high as f64
        });
        let share = covered.count() as f64 / 200.0;
        assert!((0.88..=0.985).contains(&share), "coverage {share}");
    }

    #[test]
    fn the_values_of_trials_agree_with_the_interval() {
        let trials: Vec<_> = (0..10).map(|i| trial(0.8, i, 20_000)).collect();
        let pooled = pool(&trials, 0.9).unwrap();
        let linear = Estimate::over_trials(&pooled.pseudo);
        let (low, high) = pooled.interval.unwrap();
        assert!((linear.mean / pooled.value as f64 - 1.0).abs() < 1e-9);
        assert!((linear.half_width.unwrap() * 2.0 / (high - low) as f64 - 1.0).abs() < 0.05);
    }

    #[test]
    fn too_few_records_beyond_it_give_no_quantile() {
        let trials: Vec<_> = (0..3).map(|i| trial(0.5, i, 1999)).collect();
        assert!(pool(&trials, 0.99).is_none());
        assert!(pool(&[trial(0.5, 1, 2000)], 0.99).is_some());
        assert!(pool(&[trial(0.5, 1, 2000), Histogram::default()], 0.5).is_none());
        assert!(pool(&[], 0.5).is_none());
    }

    #[test]
    fn one_trial_has_no_interval_and_equal_trials_an_empty_one() {
        let lone = pool(&[trial(0.5, 1, 5000)], 0.5).unwrap();
        assert_eq!((lone.interval, lone.pseudo.len(), lone.own.as_slice()), (None, 1, &[lone.value][..]));
        let same = pool(&vec![trial(0.5, 1, 5000); 4], 0.95).unwrap();
        assert_eq!(same.interval, Some((same.value, same.value)));
        assert!(same.pseudo.iter().all(|&value| value == same.value as f64));
    }
}
