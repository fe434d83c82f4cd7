//! Intervals of rare events from their count: what a run without a single failure shows about failures.
//!
//! Student's t over trials knows only what it has seen. Where no trial saw an event it gives an interval of width 0, and
//! where few did its interval ends too low. Here the number of events is taken for a Poisson count, and for events that come
//! in clusters, such as the failures of one outage, for a compound one, of which the spread over trials tells the size of the
//! clusters.

use crate::stats::tally::Moments;

/// Least number of independent events, or of clusters of events, behind a statement about how rare they are.
pub const EVENTS_MIN: f64 = 10.0;

/// The greatest mean number of events that a count of 0 leaves possible, at a risk of 5 %: the "rule of three".
pub const NONE_SEEN: f64 = 3.0;

/// Least number of trials whose counts can show that events do not come at random.
const TRIALS_REGULAR: usize = 5;

/// The mean number of events in a trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RareEstimate {
    /// The 95 % interval of the mean number, lower end first; `None` if the counts of the trials spread less than random
    /// events would, as those of a planned fault do. Student's t is right then.
    pub interval: Option<(f64, f64)>,
    /// Number of independent events, or of clusters, that explain the spread over trials; of all trials together.
    pub events: f64,
}

/// The estimate from the number of events in each trial. `share` is the part of all observations that are such events: of
/// a large share the count varies less than Poisson's does, by the factor 1 - `share`.
///
/// The interval is that of a weighted sum of Poisson counts (Fay and Feuer, Statistics in Medicine 16, 1997): two quantiles
/// of the gamma distribution. For events that are independent it is the exact one of Garwood (Biometrika 28, 1936).
///
/// # Panics
/// When there are no trials.
#[must_use]
pub fn rare(counts: &[f64], share: f64) -> RareEstimate {
    assert!(!counts.is_empty(), "an estimate needs a trial");
    let trials = counts.len() as f64;
    let moments: Moments = counts.iter().copied().collect();
    let seen = moments.mean() * trials;
    if seen <= 0.0 {
        return RareEstimate { interval: Some((0.0, NONE_SEEN / trials)), events: 0.0 };
    }
    let independent = seen * (1.0 - share).max(0.0);
    let spread = moments.variance() * trials;
    let events = (seen * seen / spread).min(seen);
    let freedom = trials - 1.0;
    let is_regular = counts.len() >= TRIALS_REGULAR
        && gamma_share_below(freedom / 2.0, spread * freedom / independent / 2.0) < 0.05;
    if is_regular {
        return RareEstimate { interval: None, events };
    }
    let variance = spread.max(independent);
    let cluster = variance / seen;
    let low = gamma_quantile(seen / cluster, 0.025) * cluster;
    let (upper, wider) = (seen + cluster, variance + cluster * cluster);
    let high = gamma_quantile(upper * upper / wider, 0.975) * wider / upper;
    RareEstimate { interval: Some((low / trials, high / trials)), events }
}

/// The quantile `q` of the gamma distribution with this shape and scale 1, by bisection to the last bits.
fn gamma_quantile(shape: f64, q: f64) -> f64 {
    let (mut low, mut high) = (0.0, shape + 10.0 * shape.sqrt() + 10.0);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if gamma_share_below(shape, middle) < q { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// The share of the gamma distribution with this shape and scale 1 that lies below `x`: the regularised incomplete gamma
/// function P(shape, x), by its series below the mean and by Lentz's continued fraction above (Abramowitz & Stegun 6.5.29
/// and 6.5.31).
fn gamma_share_below(shape: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    const STEPS_MAX: u32 = 100_000;
    if x <= 0.0 || shape.is_nan() || x.is_nan() {
        return 0.0;
    }
    let front = libm::exp(shape * libm::log(x) - x - libm::lgamma(shape));
    if x < shape + 1.0 {
        let (mut term, mut sum, mut k) = (1.0 / shape, 1.0 / shape, shape);
        for _ in 0..STEPS_MAX {
            k += 1.0;
            term *= x / k;
            sum += term;
            if term < sum * f64::EPSILON {
                break;
            }
        }
        return (front * sum).min(1.0);
    }
    let mut b = x + 1.0 - shape;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for step in 1..STEPS_MAX {
        let a = -f64::from(step) * (f64::from(step) - shape);
        b += 2.0;
        let away = |value: f64| if value.abs() < TINY { TINY } else { value };
        d = 1.0 / away(a * d + b);
        c = away(b + a / c);
        fraction *= c * d;
        if (c * d - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    (1.0 - front * fraction).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garwoods_printed_intervals_of_a_count() {
        // Garwood's table: 1 event 0.0253 to 5.572, 5 events 1.623 to 11.668, 10 events 4.795 to 18.390.
        for (count, low, high) in
            [(1.0, 0.025_318, 5.571_643), (5.0, 1.623_486, 11.668_332), (10.0, 4.795_389, 18.390_356)]
        {
            let (from, to) = rare(&[count], 0.0).interval.unwrap();
            assert!((from - low).abs() < 1e-5 && (to - high).abs() < 1e-5, "{count}: {from} {to}");
        }
    }

    #[test]
    fn nothing_lies_below_what_is_no_number() {
        let below =
            [(f64::NAN, 1.0), (1.0, f64::NAN), (1.0, 0.0)].map(|(shape, x)| gamma_share_below(shape, x));
        assert_eq!(below, [0.0; 3]);
    }

    #[test]
    fn none_seen_leaves_three_possible() {
        let none = rare(&[0.0; 10], 0.0);
        assert_eq!((none.interval, none.events), (Some((0.0, 0.3)), 0.0));
    }

    #[test]
    fn the_spread_over_trials_tells_the_clusters() {
        let mut counts = [0.0; 10];
        counts[3] = 200.0;
        let one = rare(&counts, 0.0);
        assert!((one.events - 1.0).abs() < 1e-9, "{one:?}");
        let (low, high) = one.interval.unwrap();
        // One cluster of 200: Garwood's interval of one event, times 200 and over ten trials.
        assert!(
            (low - 0.025_318 * 20.0).abs() < 1e-3 && (high - 5.571_643 * 20.0).abs() < 1e-2,
            "{low} {high}"
        );
    }

    #[test]
    fn a_planned_fault_is_not_random() {
        let planned = [240.0, 239.0, 241.0, 240.0, 240.0, 241.0];
        assert_eq!(rare(&planned, 0.0).interval, None);
        assert!(rare(&planned[..4], 0.0).interval.is_some(), "four trials do not show it");
        // Of six random counts the variance, times 5 over the mean, is below 1.145 once in twenty times.
        let around = |square: f64| {
            let away = square.sqrt();
            [100.0 - away, 100.0 + away, 100.0 - away, 100.0 + away, 100.0 - away, 100.0 + away]
        };
        assert!(rare(&around(1.20 / 0.06), 0.0).interval.is_some());
        assert!(rare(&around(1.08 / 0.06), 0.0).interval.is_none());
    }

    #[test]
    fn a_large_share_varies_less() {
        let width = |share: f64| {
            let (low, high) = rare(&[500.0, 500.0], share).interval.unwrap();
            high - low
        };
        assert!((width(0.75) / width(0.0) - 0.5).abs() < 0.01);
    }
}
