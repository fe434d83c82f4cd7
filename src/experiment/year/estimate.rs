//! From simulated episodes to a mean over all of a group.

use super::group::{Group, Sample};
use crate::stats::tally::Moments;

/// Fewest samples for which a slope over the size is fitted.
const SLOPE_SAMPLES: usize = 6;

/// The mean of something over all episodes of a group.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Mean {
    pub mean: f64,
    /// By stratum: variance of the mean that comes from its samples, and degrees of freedom.
    pub parts: Vec<(f64, f64)>,
    /// Variance of the mean because the failures that were drawn are not all that there can be.
    pub drawn: f64,
}

impl Mean {
    pub(super) fn variance(&self) -> f64 {
        self.parts.iter().map(|part| part.0).sum::<f64>() + self.drawn
    }
}

/// The mean of `value` over the episodes of a group, by generalised regression on their size (Särndal, Swensson and Wretman,
/// Model Assisted Survey Sampling, 1992, 6.4): the mean of each stratum by its weight, moved along the fitted line to the known
/// mean size. What an outage costs mostly grows with its length, so little else is left to chance. `alone` is the part of the
/// value that the failures of an episode would have if each came alone.
pub(super) fn mean(group: &Group, value: impl Fn(&Sample) -> f64, alone: impl Fn(&Sample) -> f64) -> Mean {
    let strata = group.strata.len();
    let count = |stratum: usize| group.simulated(stratum) as f64;
    let counts: Vec<f64> = (0..strata).map(count).collect();
    let known: f64 = (0..strata).filter(|at| counts[*at] > 0.0).map(|at| group.weight(at)).sum();
    if known == 0.0 {
        return Mean::default();
    }
    let share = |stratum: usize| group.weight(stratum) / known;
    let weighted = |of: &dyn Fn(&Sample) -> f64| -> f64 {
        group.samples.iter().map(|one| share(one.stratum) / counts[one.stratum] * of(one)).sum()
    };
    let (x, size) = (weighted(&value), weighted(&|one| one.size));
    let sizes = weighted(&|one| (one.size - size) * (one.size - size));
    let both = weighted(&|one| (one.size - size) * (value(one) - x));
    let has_slope = group.samples.len() >= SLOPE_SAMPLES && sizes > 1e-9 * size * size;
    let slope = if has_slope { both / sizes } else { 0.0 };
    let rest = |one: &Sample| value(one) - slope * one.size;
    let middle = x - slope * size;
    let moments = |stratum: usize| -> Moments {
        group.samples.iter().filter(|one| one.stratum == stratum).map(rest).collect()
    };
    let own: Vec<Moments> = (0..strata).map(moments).collect();
    let pooled: f64 = own
        .iter()
        .enumerate()
        .filter(|(at, _)| counts[*at] > 0.0)
        .map(|(at, of)| share(at) * of.variance())
        .sum();
    // Two samples that are equal by chance show nothing: each stratum begins with one more, of the group's spread.
    let part = |(at, of): (usize, &Moments)| {
        let n = counts[at].max(1.0);
        let variance = ((n - 1.0) * of.variance() + pooled) / n;
        (share(at) * share(at) * variance / n, n)
    };
    let spread = weighted(&|one| (rest(one) - middle) * (rest(one) - middle));
    let mean = x + slope * (group.size - size);
    // Where rate and mean size are known, only what these episodes have beside their size is left to chance. Else their number and
    // their sizes are, too, with the variance of a compound Poisson count. What their failures would have cost alone is not: those
    // that come alone are the fewer.
    let beyond = |one: &Sample| value(one) - alone(one);
    let whole = if group.is_known { spread } else { weighted(&|one| beyond(one) * beyond(one)) };
    Mean { mean, parts: own.iter().enumerate().map(part).collect(), drawn: whole / group.len() as f64 }
}

#[cfg(test)]
mod tests {
    use super::super::group::tests::group;
    use super::*;

    #[test]
    fn what_grows_with_its_size_is_known_without_an_error() {
        let sizes: Vec<f64> = (0..1000).map(f64::from).collect();
        let mut group = group(&sizes, 4);
        for stratum in [0, 0, 1, 1, 2, 2, 3, 3] {
            let size = {
                let task = group.draw(0, stratum);
                group.size_of(task)
            };
            group.samples.push(Sample { stratum, size, lost: 5.0 + 2.0 * size, ..Sample::default() });
        }
        let found = mean(&group, |one| one.lost, |_| 0.0);
        assert!((found.mean - (5.0 + 2.0 * 499.5)).abs() < 1e-6, "{}", found.mean);
        assert!(found.variance() < 1e-12, "{}", found.variance());
    }

    #[test]
    fn what_was_drawn_varies_with_its_number_and_its_sizes_unless_they_are_known() {
        let sizes: Vec<f64> = (0..1000).map(f64::from).collect();
        let mut drawn = group(&sizes, 4);
        drawn.is_known = false;
        for stratum in (0..4).flat_map(|stratum| [stratum; 50]) {
            let task = drawn.draw(0, stratum);
            let size = drawn.size_of(task);
            drawn.samples.push(Sample { stratum, size, lost: size, ..Sample::default() });
        }
        let found = mean(&drawn, |one| one.lost, |_| 0.0);
        let square = sizes.iter().map(|size| size * size).sum::<f64>() / 1000.0;
        assert!((found.drawn / (square / 1000.0) - 1.0).abs() < 0.05, "{}", found.drawn);
        drawn.is_known = true;
        assert!(mean(&drawn, |one| one.lost, |_| 0.0).drawn < 1e-9);
    }

    #[test]
    fn the_interval_covers_the_mean_as_often_as_it_promises() {
        use crate::stats::interval::t_quantile_975;
        let sizes: Vec<f64> = (0..1000).map(f64::from).collect();
        let cost = |size: f64| if (size as u64).is_multiple_of(3) { 300.0 } else { size };
        let truth = sizes.iter().map(|size| cost(*size)).sum::<f64>() / 1000.0;
        let mut whole = group(&sizes, 4);
        let covers = |_: &u32| {
            whole.samples.clear();
            for stratum in (0..4).flat_map(|stratum| [stratum; 6]) {
                let size = {
                    let task = whole.draw(0, stratum);
                    whole.size_of(task)
                };
                whole.samples.push(Sample { stratum, size, lost: cost(size), ..Sample::default() });
            }
            let found = mean(&whole, |one| one.lost, |_| 0.0);
            let sampled: f64 = found.parts.iter().map(|part| part.0).sum();
            (found.mean - truth).abs() <= t_quantile_975(20.0) * sampled.sqrt()
        };
        let covered = (0..1000).filter(covers).count();
        assert!((930..=975).contains(&covered), "{covered} of 1000");
    }
}
