//! Averages of series of values at equal steps of time.

/// The average over trials at each step. It is as long as the shortest trial, and empty when there are no trials.
#[must_use]
pub fn average_over_trials(trials: &[Vec<f64>]) -> Vec<f64> {
    let steps = trials.iter().map(Vec::len).min().unwrap_or(0);
    (0..steps).map(|step| mean(trials.iter().map(|trial| trial[step]))).collect()
}

/// The plain mean of some values; NaN when there are none.
pub(crate) fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len();
    values.sum::<f64>() / count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_is_as_long_as_the_shortest_trial() {
        let trials = [vec![1.0, 2.0, 9.0], vec![3.0, 6.0], vec![5.0, 1.0, 1.0, 1.0]];
        assert_eq!(average_over_trials(&trials), [3.0, 3.0]);
        assert!(average_over_trials(&[]).is_empty());
    }
}
