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

    /// The mean times a factor.
    pub(super) fn times(mut self, factor: f64) -> Mean {
        self.mean *= factor;
        self.parts.iter_mut().for_each(|part| part.0 *= factor * factor);
        self.drawn *= factor * factor;
        self
    }
}

/// What an episode has of something by its size, as fitted to the samples of a group.
struct Line {
    slope: f64,
    /// What is left of the mean when the size is taken away.
    middle: f64,
    /// The mean of all episodes.
    mean: f64,
}

impl Line {
    fn rest(&self, value: f64, size: f64) -> f64 {
        value - self.slope * size - self.middle
    }
}

/// The samples of a group as they stand for its episodes.
struct Weights {
    /// By stratum: number of samples, and its share of the episodes of all strata that have any.
    counts: Vec<f64>,
    shares: Vec<f64>,
}

impl Weights {
    /// `None` without a sample.
    fn of(group: &Group, strata: impl Iterator<Item = usize>) -> Option<Weights> {
        let mut counts = vec![0.0; group.strata.len()];
        strata.for_each(|stratum| counts[stratum] += 1.0);
        let own = |(at, count): (usize, &f64)| if *count > 0.0 { group.weight(at) } else { 0.0 };
        let own: Vec<f64> = counts.iter().enumerate().map(own).collect();
        let known: f64 = own.iter().sum();
        (known > 0.0).then(|| Weights { counts, shares: own.iter().map(|one| one / known).collect() })
    }

    /// The weight of a sample of a stratum.
    fn each(&self, stratum: usize) -> f64 {
        self.shares[stratum] / self.counts[stratum]
    }

    /// The variance, or the covariance, of each stratum from that of its samples. Two samples that are equal by chance show
    /// nothing: each stratum begins with one more, of what all strata have together.
    fn with_one_more(&self, own: &[f64]) -> Vec<f64> {
        let pooled: f64 = self.shares.iter().zip(own).map(|(share, own)| share * own).sum();
        let one = |(count, own): (&f64, &f64)| {
            let n = count.max(1.0);
            ((n - 1.0) * own + pooled) / n
        };
        self.counts.iter().zip(own).map(one).collect()
    }

    /// Of each stratum what it adds to a variance of the mean, from the variance of its samples, and its degrees of freedom.
    fn parts(&self, own: &[f64]) -> Vec<(f64, f64)> {
        let part = |((share, count), variance): ((&f64, &f64), f64)| {
            let n = count.max(1.0);
            (share * share * variance / n, n)
        };
        self.shares.iter().zip(&self.counts).zip(self.with_one_more(own)).map(part).collect()
    }
}

fn line(group: &Group, weights: &Weights, value: &impl Fn(&Sample) -> f64) -> Line {
    let weighted = |of: &dyn Fn(&Sample) -> f64| -> f64 {
        group.samples.iter().map(|one| weights.each(one.stratum) * of(one)).sum()
    };
    let (x, size) = (weighted(value), weighted(&|one| one.size));
    let sizes = weighted(&|one| (one.size - size) * (one.size - size));
    let both = weighted(&|one| (one.size - size) * (value(one) - x));
    let has_slope = group.samples.len() >= SLOPE_SAMPLES && sizes > 1e-9 * size * size;
    let slope = if has_slope { both / sizes } else { 0.0 };
    Line { slope, middle: x - slope * size, mean: x + slope * (group.size - size) }
}

/// The mean of `value` over the episodes of a group, by generalised regression on their size (Särndal, Swensson and Wretman,
/// Model Assisted Survey Sampling, 1992, 6.4): the mean of each stratum by its weight, moved along the fitted line to the known
/// mean size. What an outage costs mostly grows with its length, so little else is left to chance. `alone` is the part of the
/// value that the failures of an episode would have if each came alone.
pub(super) fn mean(group: &Group, value: impl Fn(&Sample) -> f64, alone: impl Fn(&Sample) -> f64) -> Mean {
    let Some(weights) = Weights::of(group, group.samples.iter().map(|one| one.stratum)) else {
        return Mean::default();
    };
    let line = line(group, &weights, &value);
    let rest = |one: &Sample| line.rest(value(one), one.size);
    let variance = |stratum: usize| -> f64 {
        let own: Moments = group.samples.iter().filter(|one| one.stratum == stratum).map(rest).collect();
        own.variance()
    };
    let own: Vec<f64> = (0..group.strata.len()).map(variance).collect();
    // Where rate and mean size are known, only what these episodes have beside their size is left to chance. Else their number and
    // their sizes are, too, with the variance of a compound Poisson count. What their failures would have cost alone is not: those
    // that come alone are the fewer.
    let by_chance = |one: &Sample| if group.is_known { rest(one) } else { value(one) - alone(one) };
    let square = |one: &Sample| weights.each(one.stratum) * by_chance(one) * by_chance(one);
    let drawn = group.samples.iter().map(square).sum::<f64>() / group.len() as f64;
    Mean { mean: line.mean, parts: weights.parts(&own), drawn }
}

/// What two estimates of a time without service have in common, because both designs lived through the same episodes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Common {
    /// Number of these episodes.
    pub episodes: usize,
    /// By stratum, the covariance of the means that comes from their samples.
    pub parts: Vec<f64>,
    /// The covariance because of the failures that were drawn.
    pub drawn: f64,
}

/// What the means of `lost` of a group have in common in two designs.
pub(super) fn common(one: &Group, other: &Group) -> Common {
    let strata = |group: &Group| Weights::of(group, group.samples.iter().map(|sample| sample.stratum));
    let (Some(a), Some(b)) = (strata(one), strata(other)) else { return Common::default() };
    if !one.has_strata_of(other) {
        return Common::default();
    }
    let lost = |sample: &Sample| sample.lost;
    let lines = (line(one, &a, &lost), line(other, &b, &lost));
    let pairs: Vec<(&Sample, &Sample)> = one
        .samples
        .iter()
        .filter_map(|mine| Some((mine, other.samples.iter().find(|its| mine.is_same_as(its))?)))
        .collect();
    let Some(both) = Weights::of(one, pairs.iter().map(|pair| pair.0.stratum)) else {
        return Common::default();
    };
    let rest = |line: &Line, sample: &Sample| line.rest(sample.lost, sample.size);
    let covariance = |stratum: usize| {
        let own = pairs.iter().filter(|pair| pair.0.stratum == stratum);
        covariance(own.map(|(mine, its)| (rest(&lines.0, mine), rest(&lines.1, its))))
    };
    let own: Vec<f64> = (0..both.counts.len()).map(covariance).collect();
    let part = |(stratum, covariance): (usize, f64)| match both.counts[stratum] {
        0.0 => 0.0,
        pairs => a.each(stratum) * b.each(stratum) * covariance * pairs,
    };
    let by_chance = |line: &Line, sample: &Sample| match one.is_known {
        true => rest(line, sample),
        false => sample.lost - sample.alone,
    };
    let product = |(mine, its): &(&Sample, &Sample)| {
        both.each(mine.stratum) * by_chance(&lines.0, mine) * by_chance(&lines.1, its)
    };
    Common {
        episodes: pairs.len(),
        parts: both.with_one_more(&own).into_iter().enumerate().map(part).collect(),
        drawn: pairs.iter().map(product).sum::<f64>() / one.len() as f64,
    }
}

/// The covariance of pairs; 0 of fewer than two.
fn covariance(pairs: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
    let n = pairs.clone().count() as f64;
    let sum = pairs.clone().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
    let product = |pair: (f64, f64)| (pair.0 - sum.0 / n) * (pair.1 - sum.1 / n);
    if n < 2.0 { 0.0 } else { pairs.map(product).sum::<f64>() / (n - 1.0) }
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
    fn what_two_designs_have_in_common_is_no_chance_of_their_difference() {
        let sizes: Vec<f64> = (0..1000).map(f64::from).collect();
        let cost = |size: f64| if (size as u64).is_multiple_of(3) { 300.0 } else { size };
        let lived = |more: f64| {
            let mut whole = group(&sizes, 4);
            for stratum in (0..4).flat_map(|stratum| [stratum; 6]) {
                let task = whole.draw(0, stratum);
                let (size, trial) = (whole.size_of(task), task.trial);
                whole.samples.push(Sample {
                    stratum,
                    size,
                    trial,
                    lost: cost(size) + more,
                    ..Sample::default()
                });
            }
            whole
        };
        let (one, other) = (lived(0.0), lived(50.0));
        let shared = common(&one, &other);
        assert_eq!(shared.episodes, 24);
        for (at, whole) in [&one, &other].map(|group| mean(group, |one| one.lost, |_| 0.0)).iter().enumerate()
        {
            assert!((shared.drawn / whole.drawn - 1.0).abs() < 1e-9, "{at}: {shared:?}");
            for (part, own) in shared.parts.iter().zip(&whole.parts) {
                assert!((part / own.0 - 1.0).abs() < 1e-9, "{at}: {shared:?} {whole:?}");
            }
        }
        let mut apart = lived(0.0);
        apart.samples.iter_mut().for_each(|one| one.trial += 1);
        assert_eq!(common(&one, &apart), Common::default());
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
