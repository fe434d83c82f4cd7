//! Whether the warm-up was long enough: MSER-5 and a drift test. They only advise; the user chooses the warm-up.

use crate::stats::interval::Estimate;
use crate::stats::series::mean;

/// Observations that MSER-5 averages into one group.
const GROUP: usize = 5;
/// Least number of groups that a truncation must keep, because a few groups look steady by chance. A series needs
/// twice this number for a suggestion.
const GROUPS_MIN: usize = 10;
/// Batches of each half of the series when there is only one trial.
const BATCHES: usize = 10;

/// How much of a series MSER-5 would drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncation {
    /// Observations to drop at the start, a multiple of five.
    pub dropped: usize,
    /// False when `dropped` is half of the series or more. Then the series shows no steady state, and `dropped` means
    /// little.
    pub steady: bool,
}

/// MSER-5 (White, Cobb and Spratt, WSC 2000): returns the truncation with the least standard error of the rest.
/// `series` should be the average over trials; on a single trial the method is badly biased. `None` for fewer than a
/// hundred observations.
#[must_use]
pub fn mser5(series: &[f64]) -> Option<Truncation> {
    let groups: Vec<f64> = series.chunks_exact(GROUP).map(|five| mean(five.iter().copied())).collect();
    if groups.len() < 2 * GROUPS_MIN {
        return None;
    }
    // Subtract the last value, so that less cancels, and so that a constant series gives exact zeros and drops
    // nothing.
    let centre = groups[groups.len() - 1];
    let (mut sum, mut squares) = (0.0, 0.0);
    let mut best = (f64::INFINITY, 0);
    for (dropped, group) in groups.iter().enumerate().rev() {
        let kept = (groups.len() - dropped) as f64;
        sum += group - centre;
        squares += (group - centre) * (group - centre);
        let error = (squares - sum * sum / kept).max(0.0) / (kept * kept);
        if groups.len() - dropped >= GROUPS_MIN && error <= best.0 {
            best = (error, dropped);
        }
    }
    Some(Truncation { dropped: best.1 * GROUP, steady: best.1 * 2 < groups.len() })
}

/// The mean of the second half minus that of the first, over trials. Its [`Estimate::p_value`] tells whether the
/// series still drifts. A single trial is cut into ten batches a half, paired in order. It alarms somewhat too often,
/// because batches of one trial are not independent. `None` if there is no trial, or if one is too short to cut.
#[must_use]
pub fn drift(trials: &[Vec<f64>]) -> Option<Estimate> {
    let changes: Vec<f64> = match trials {
        [lone] => batch_changes(lone),
        _ if trials.iter().any(|trial| trial.len() < 2) => return None,
        _ => trials.iter().map(|trial| change(trial)).collect(),
    };
    (!changes.is_empty()).then(|| Estimate::over_trials(&changes))
}

/// The mean of the second half minus that of the first. A value in the middle belongs to neither.
fn change(series: &[f64]) -> f64 {
    let half = series.len() / 2;
    mean(series[series.len() - half..].iter().copied()) - mean(series[..half].iter().copied())
}

/// Each batch of the second half minus its counterpart in the first; empty if the series is too short.
fn batch_changes(series: &[f64]) -> Vec<f64> {
    let length = series.len() / (2 * BATCHES);
    if length == 0 {
        return Vec::new();
    }
    let batches: Vec<f64> =
        series.chunks_exact(length).take(2 * BATCHES).map(|batch| mean(batch.iter().copied())).collect();
    let (first, second) = batches.split_at(BATCHES);
    second.iter().zip(first).map(|(after, before)| after - before).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::oracle::Lindley;
    use crate::stats::series::average_over_trials;

    fn noise(count: usize, seed: u64) -> Vec<f64> {
        let mut source = Lindley::new(0.5, seed);
        (0..count).map(|_| source.exponential()).collect()
    }

    #[test]
    fn a_last_value_far_from_the_mean_does_not_hide_the_transient() {
        // Ten groups of a transient, then a level near 0; the last group is far from it.
        let group = |index: usize| match index {
            0..10 => 50.0,
            59 => 100.0,
            other => (other % 2) as f64,
        };
        let series: Vec<f64> = (0..60).flat_map(|index| [group(index); GROUP]).collect();
        assert_eq!(mser5(&series), Some(Truncation { dropped: 10 * GROUP, steady: true }));
    }

    #[test]
    fn a_step_is_cut_where_it_is() {
        let series: Vec<f64> =
            noise(1000, 3).iter().enumerate().map(|(i, e)| e + if i < 100 { 20.0 } else { 0.0 }).collect();
        assert_eq!(mser5(&series), Some(Truncation { dropped: 100, steady: true }));
    }

    #[test]
    fn a_ramp_has_no_steady_state_and_a_constant_no_warm_up() {
        let ramp: Vec<f64> = (0..1000).map(f64::from).collect();
        assert!(!mser5(&ramp).unwrap().steady);
        assert_eq!(mser5(&[0.1; 200]), Some(Truncation { dropped: 0, steady: true }));
        assert_eq!(mser5(&[0.1; 99]), None);
    }

    #[test]
    fn an_empty_mm1_needs_some_warm_up_on_the_average_over_trials() {
        let trials: Vec<Vec<f64>> =
            (0..200).map(|seed| Lindley::new(0.8, seed).take(2000).collect()).collect();
        let truncation = mser5(&average_over_trials(&trials)).unwrap();
        assert!(truncation.steady && (20..=300).contains(&truncation.dropped), "{truncation:?}");
    }

    #[test]
    fn drift_is_seen_and_noise_is_not() {
        let alarms = |slope: f64, trials: u64| {
            (0..200)
                .filter(|round| {
                    let series: Vec<Vec<f64>> = (0..trials)
                        .map(|i| noise(100, round * 50 + i))
                        .map(|trial| trial.iter().enumerate().map(|(i, e)| e + slope * i as f64).collect())
                        .collect();
                    drift(&series).unwrap().p_value().unwrap() < 0.05
                })
                .count()
        };
        assert!(alarms(0.0, 8) <= 20 && alarms(0.0, 1) <= 20);
        assert!(alarms(0.02, 8) >= 190 && alarms(0.04, 1) >= 190);
    }

    #[test]
    fn too_little_to_cut_is_no_drift() {
        assert!(drift(&[]).is_none());
        assert!(drift(&[vec![1.0; 19]]).is_none());
        assert!(drift(&[vec![1.0], vec![1.0, 2.0]]).is_none());
        assert_eq!(drift(&[vec![0.0, 9.0, 1.0], vec![2.0, 3.0]]).unwrap().mean, 1.0);
    }
}
