//! The interval of a probability from a count: 4 of 20 trials.

/// Risk of each end of a 95 % interval.
const RISK: f64 = 0.025;

/// Halvings of the interval in which an end is sought: they leave less than 1e-15.
const HALVINGS: u32 = 50;

/// The 95 % interval of Clopper and Pearson (Biometrika 26, 1934) of a probability of which `events` of `trials` have come:
/// lower and upper end, 0..1. It covers the probability in at least 95 % of all cases, whatever it is.
///
/// # Panics
/// When there are no trials, or more events than trials.
#[must_use]
pub fn clopper_pearson(events: u32, trials: u32) -> (f64, f64) {
    assert!(0 < trials && events <= trials, "{events} of {trials} is no share");
    // The chance of at least this many events grows with the probability, that of at most this many falls.
    let low = if events == 0 { 0.0 } else { root(|p| 1.0 - at_most(events - 1, trials, p) > RISK) };
    let high = if events == trials { 1.0 } else { root(|p| at_most(events, trials, p) < RISK) };
    (low, high)
}

/// The least probability for which `is_beyond` holds; it holds for all greater ones too.
fn root(is_beyond: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = (low + high) / 2.0;
        if is_beyond(middle) { high = middle } else { low = middle }
    }
    (low + high) / 2.0
}

/// The chance of at most `events` in `trials`, each with probability `p` between 0 and 1.
fn at_most(events: u32, trials: u32, p: f64) -> f64 {
    let n = f64::from(trials);
    let chance = |k: u32| {
        let k = f64::from(k);
        let choose = libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
        libm::exp(choose + k * libm::log(p) + (n - k) * libm::log1p(-p))
    };
    (0..=events).map(chance).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_those_of_the_tables() {
        let check = |events: u32, trials: u32, low: f64, high: f64| {
            let found = clopper_pearson(events, trials);
            let is_close = |a: f64, b: f64| (a - b).abs() < 0.000_5;
            assert!(is_close(found.0, low) && is_close(found.1, high), "{events} of {trials}: {found:?}");
        };
        check(4, 20, 0.057, 0.437);
        check(0, 20, 0.0, 0.168);
        check(20, 20, 0.832, 1.0);
        check(1, 1, 0.025, 1.0);
        check(5, 10, 0.187, 0.813);
        check(1, 200, 0.000_1, 0.027_5);
    }

    #[test]
    #[should_panic(expected = "is no share")]
    fn more_events_than_trials_are_a_mistake() {
        let _ = clopper_pearson(3, 2);
    }
}
