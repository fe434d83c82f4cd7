//! The verdict on a measured value.

use serde::Serialize;

use super::case::Case;
use crate::stats::interval::t_quantile_975;
use crate::stats::tally::Moments;

/// A |z| above this is no accident: with 30 trials, chance exceeds it for one value in 2500, and the seed is fixed.
const Z_MAX: f64 = 4.0;

/// The largest relative difference allowed when the sample has the size that the case asks for.
const DIFFERENCE_MAX: f64 = 0.02;

/// The same, when the case asks for a sample that is too large to simulate.
const DIFFERENCE_MAX_SLOW: f64 = 0.05;

/// Number of requests for ±1 % above which a sample is too large to simulate.
const SLOW: f64 = 3e7;

/// A relative standard error above which the measurement shows nothing.
const BLIND: f64 = 0.06;

/// Relative half-width of the interval that a limit of 2 % needs. At this width the limit is four standard errors.
const HALF_WIDTH_NEEDED: f64 = 0.01;

/// How a measured value is compared with the expected one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Rule {
    /// By |z|, and by the relative difference if the sample is large enough.
    Statistical,
    /// By the relative difference alone: the expected value is a limit that the model only approaches.
    Near(f64),
    /// By the absolute difference: nothing is random.
    Exact(f64),
}

/// What decided the verdict on a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Held {
    /// |z| and the relative difference.
    ZAndDifference,
    /// |z| alone: the sample is too small for the relative difference to mean anything.
    Z,
    /// The relative difference alone: the expected value has an error of its own.
    Difference,
    /// The absolute difference: nothing is random.
    Exactly,
    /// A bound that must not be exceeded.
    Bound,
}

/// Whether theory and simulation agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// They agree.
    Agrees,
    /// They differ.
    Differs,
    /// The measurement does not contradict theory, but the sample is too small to do so.
    NotShown,
}

/// One expected value of a case, and its measurement.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The case.
    pub case: String,
    /// The key of the value.
    pub value: String,
    /// The expected value, in the units of the case.
    pub expected: f64,
    /// Mean over the trials; absent if no trial measured it.
    pub measured: Option<f64>,
    /// Half-width of its 95 % interval; absent with one trial.
    pub half_width: Option<f64>,
    /// The difference in standard errors; absent where nothing is random.
    pub z: Option<f64>,
    /// The difference relative to the expected value; the absolute one if that is 0.
    pub difference: f64,
    /// What decided the verdict.
    pub held: Held,
    /// The limit of the difference; absent where the difference does not count.
    pub limit: Option<f64>,
    /// Number of trials that measured it.
    pub trials: u64,
    /// Number of requests of all trials.
    pub requests: u64,
    /// Whether theory and simulation agree.
    pub verdict: Verdict,
    /// The used share of the allowed deviation: above 1, the value differs.
    pub strain: f64,
}

/// Whether a sample of this many requests is too large to simulate.
pub(super) fn is_slow(samples: f64) -> bool {
    samples > SLOW
}

/// Number of requests from which on the relative difference of a value counts, given the number that ±1 % needs.
pub(super) fn requests_needed(samples: f64) -> f64 {
    let (wide, narrow) = (DIFFERENCE_MAX_SLOW, DIFFERENCE_MAX);
    if is_slow(samples) { samples * (narrow / wide) * (narrow / wide) } else { samples }
}

/// The verdict on a value from its moments over the trials.
pub(super) fn judge(
    case: &Case,
    key: &str,
    rule: Rule,
    in_requests: bool,
    moments: &Moments,
    requests: u64,
) -> Row {
    let bound = case.at_most.iter().find(|(known, _)| known == key).map(|(_, bound)| *bound);
    let expected = bound.or(case.value(key)).expect("only what the case names is measured");
    let (count, mean) = (moments.count(), moments.mean());
    let mut row = Row {
        case: case.id.clone(),
        value: key.to_owned(),
        expected,
        measured: (count > 0).then_some(mean),
        half_width: None,
        z: None,
        difference: if expected == 0.0 { mean } else { (mean - expected) / expected.abs() },
        held: Held::Exactly,
        limit: None,
        trials: count,
        requests,
        verdict: Verdict::Differs,
        strain: f64::INFINITY,
    };
    if count == 0 {
        return row;
    }
    let error = moments.sd() / (count as f64).sqrt();
    if count > 1 {
        row.half_width = Some(t_quantile_975(count as f64 - 1.0) * error);
    }
    row.strain = match (rule, bound) {
        (_, Some(bound)) => {
            row.held = Held::Bound;
            (mean + row.half_width.unwrap_or(0.0)) / bound
        }
        (Rule::Exact(limit), None) => {
            row.limit = Some(limit);
            (mean - expected).abs() / limit
        }
        (Rule::Near(limit), None) => {
            (row.held, row.limit) = (Held::Difference, Some(limit));
            row.difference.abs() / limit
        }
        (Rule::Statistical, None) => statistical(case, key, in_requests, error, &mut row),
    };
    let is_blind = row.z.is_some() && error > BLIND * expected.abs();
    row.verdict = match (row.strain <= 1.0, is_blind) {
        (false, _) => Verdict::Differs,
        (true, true) => Verdict::NotShown,
        (true, false) => Verdict::Agrees,
    };
    row
}

fn statistical(case: &Case, key: &str, in_requests: bool, error: f64, row: &mut Row) -> f64 {
    let Some(half_width) = row.half_width else { return f64::INFINITY };
    let size = row.expected.abs();
    // The lower limit of the error covers rounding, where every trial gives the same number.
    let z = row.difference * if size == 0.0 { 1.0 } else { size } / error.max(1e-7 * size);
    row.z = Some(z);
    // The error of a level at a given time, or of one value per trial, does not depend on the number of requests.
    let samples = case.samples_for(key).filter(|_| in_requests);
    let is_large = samples.map_or(half_width <= HALF_WIDTH_NEEDED * size, |samples| {
        row.requests as f64 >= requests_needed(samples)
    });
    (row.held, row.limit) = match (is_large, samples.is_some_and(is_slow)) {
        (false, _) => (Held::Z, None),
        (true, true) => (Held::ZAndDifference, Some(DIFFERENCE_MAX_SLOW)),
        (true, false) => (Held::ZAndDifference, Some(DIFFERENCE_MAX)),
    };
    let by_difference = row.limit.map_or(0.0, |limit| row.difference.abs() / limit);
    (z.abs() / Z_MAX).max(by_difference)
}

#[cfg(test)]
mod tests {
    use super::super::case::parse;
    use super::*;

    fn row(rule: Rule, values: &[f64], requests: u64) -> Row {
        let text = r#"[{ "id": "a", "params": {}, "expected": { "x": 100 }, "at_most": { "y": 100 },
            "samples_for_1pct_ci95": { "x": 1000 } }]"#;
        let case = parse(text).unwrap().0.remove(0);
        let key = if rule == Rule::Exact(0.0) { "y" } else { "x" };
        judge(&case, key, rule, true, &values.iter().copied().collect(), requests)
    }

    #[test]
    fn z_counts_always_and_the_difference_where_the_sample_is_large() {
        let verdict = |values: &[f64], requests| row(Rule::Statistical, values, requests).verdict;
        let near = [98.0, 102.0, 106.0, 104.0, 105.0];
        assert_eq!((verdict(&near, 999), verdict(&near, 1000)), (Verdict::Agrees, Verdict::Differs));
        assert_eq!(row(Rule::Statistical, &near, 999).held, Held::Z);
        let far = [101.0, 101.1, 101.0, 101.1, 101.0];
        assert_eq!(verdict(&far, 1000), Verdict::Differs, "1 % off, but far beyond the error");
        assert_eq!(verdict(&[100.0, 100.1, 99.9], 1000), Verdict::Agrees);
        assert_eq!(verdict(&[60.0, 140.0, 100.0], 10), Verdict::NotShown);
    }

    #[test]
    fn limits_bounds_and_exact_values() {
        for (rule, good, bad) in [
            (Rule::Near(0.05), 104.0, 106.0),
            (Rule::Exact(1.0), 101.0, 101.1),
            (Rule::Exact(0.0), 99.0, 101.0),
        ] {
            let verdicts = [good, bad].map(|value| row(rule, &[value], 1).verdict);
            assert_eq!(verdicts, [Verdict::Agrees, Verdict::Differs], "{rule:?}");
        }
        let nothing = row(Rule::Statistical, &[], 1);
        assert!(nothing.verdict == Verdict::Differs && nothing.measured.is_none());
    }

    #[test]
    fn five_per_cent_need_fewer_requests_than_two() {
        assert_eq!(requests_needed(1e6), 1e6);
        assert!((requests_needed(1e8) / 1.6e7 - 1.0).abs() < 1e-12);
    }
}
