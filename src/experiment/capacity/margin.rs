//! `Margin`: the distance of a result from the bound of an objective, as one number with its interval.

use crate::scenario::expression::{Comparison, Expectation, Metric};
use crate::stats::quantile::TAIL_RECORDS_MIN;

use super::super::expect::measure;
use super::super::result::RunResult;

/// Largest share of the requests that may be under way at the end of a trial beyond those that Little's law explains. Where more
/// are, the figures of those that have ended are not the figures of all.
pub(super) const OPEN_MAX: f64 = 0.1;

/// Trials are made longer by this factor until their requests have ended.
const LONGER: f64 = 2.0;

/// The distance of the worst part of an objective from its bound, relative to the bound. Below 0 the objective is met.
/// Infinite if no request is served or a queue grows without end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Margin {
    /// By the measured value.
    pub(super) value: f64,
    /// By the better end of its interval. Above 0, the objective is shown to be missed.
    pub(super) low: f64,
    /// By the worse end of its interval. Below 0, the objective is shown to be met.
    pub(super) high: f64,
    /// Index of the worst part.
    pub(super) binding: usize,
}

impl Margin {
    const BEYOND: Margin =
        Margin { value: f64::INFINITY, low: f64::INFINITY, high: f64::INFINITY, binding: 0 };

    /// The margin of a result.
    ///
    /// # Errors
    /// The reason why there is none.
    pub(super) fn of(slo: &[Expectation], result: &RunResult) -> Result<Margin, Unknown> {
        let nobody = result.metrics.outcomes.ok.mean.unwrap_or(0.0) == 0.0;
        if !result.steady_state.reached || nobody {
            return Ok(Margin::BEYOND);
        }
        let mut worst =
            Margin { value: f64::NEG_INFINITY, low: f64::NEG_INFINITY, high: f64::NEG_INFINITY, binding: 0 };
        for (place, that) in slo.iter().enumerate() {
            let figure = measure(&that.metric, result).map_err(Unknown::Never)?;
            let mean = figure.mean.ok_or_else(|| too_little(&that.metric, result))?;
            let (low, high) = figure.interval().unwrap_or((mean, mean));
            let part = [mean, low, high].map(|value| share_beyond(that, value));
            if part[0] > worst.value {
                (worst.value, worst.binding) = (part[0], place);
            }
            worst.low = worst.low.max(part[1].min(part[2]));
            worst.high = worst.high.max(part[1].max(part[2]));
        }
        Ok(worst)
    }
}

/// The reason why there is no margin: a clause without a full stop.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Unknown {
    /// At this load too little happened in the measured time, which would have to be longer by this factor if that is
    /// known.
    TooLittle(String, Option<f64>),
    /// The scenario does not have the metric at any load.
    Never(String),
}

/// The reason, naming what there is too little of.
fn too_little(metric: &Metric, result: &RunResult) -> Unknown {
    let tail = match metric {
        Metric::Response { stat, .. } => stat.tail(),
        _ => None,
    };
    let Some(tail) = tail else {
        return Unknown::TooLittle(format!("too little was measured for {metric}"), None);
    };
    let answered = result.metrics.outcomes.ok.mean.unwrap_or(0.0);
    let needed = libm::round(TAIL_RECORDS_MIN / tail);
    let why =
        format!("{metric} takes {needed} answered requests a trial, and of all there were {answered:.0}");
    Unknown::TooLittle(why, (answered > 0.0).then(|| needed / answered))
}

/// The reason why the figures of a steady load do not show that it meets an objective: too many requests had not ended. In a trial
/// that is shorter than users wait, an overload answers a few at once, and of the others nothing is known yet.
///
/// By Little's law as many are under way at the end as came in the time that one takes. Takes that time from those that have ended,
/// so that a trial which is too short for them all has more.
pub(super) fn unanswered(result: &RunResult) -> Option<Unknown> {
    let metrics = &result.metrics;
    let open = metrics.outcomes.in_flight.as_ref()?.mean?;
    let issued = metrics.offered_rps.mean? * result.duration_s;
    let takes_s = metrics.response_all_ms.mean.mean? / 1e3;
    let explained = issued * (takes_s / result.duration_s).min(1.0);
    // Three standard deviations of a count that chance decides.
    let chance = 3.0 * (open / result.trials.max(1) as f64).sqrt();
    (open - explained > OPEN_MAX * issued + chance).then(|| {
        let why =
            format!("{:.0} % of the requests had not ended when their trial did", 100.0 * open / issued);
        Unknown::TooLittle(why, Some(LONGER))
    })
}

/// The distance of a value beyond the bound, relative to the bound.
fn share_beyond(that: &Expectation, value: f64) -> f64 {
    let scale = if that.bound == 0.0 { 1.0 } else { that.bound };
    let beyond = (value - that.bound) / scale;
    match that.comparison {
        Comparison::Lt | Comparison::Le => beyond,
        Comparison::Gt | Comparison::Ge => -beyond,
    }
}

/// The reason why an objective has no highest load: a part of it does not get worse as the load grows. `None` if it has
/// one.
pub(super) fn refusal(slo: &[Expectation]) -> Option<String> {
    let upper = |that: &Expectation| matches!(that.comparison, Comparison::Lt | Comparison::Le);
    let gets_worse = |that: &Expectation| match that.metric {
        Metric::Throughput | Metric::Goodput | Metric::CostPerHour | Metric::CostPerMillion => false,
        Metric::Availability(_) => !upper(that),
        _ => upper(that),
    };
    let odd = slo.iter().find(|that| !gets_worse(that))?;
    Some(format!("`{odd}` is not missed because the load is too high, so that there is no highest load"))
}

#[cfg(test)]
mod tests {
    use super::super::super::samples::{result, trial};
    use super::*;
    use crate::scenario::expression::{Names, parse_slo};

    fn slo(text: &str) -> Vec<Expectation> {
        parse_slo(text, &Names::plain(&["request"], &["box"])).unwrap()
    }

    #[test]
    fn the_worst_part_counts() {
        // Two trials with means of 90 and 110 ms: 100 ± 127 ms; no errors.
        let result = result(vec![trial(&[90, 90]), trial(&[110, 110])]);
        let margin = Margin::of(&slo("errors < 90%, mean < 200ms"), &result).unwrap();
        assert!((margin.value + 0.5).abs() < 1e-9 && margin.binding == 1);
        assert!((margin.high - (227.06 - 200.0) / 200.0).abs() < 1e-3, "{margin:?}");
        assert!(margin.low < -0.9);
        let why = "p99(response) takes 2000 answered requests a trial, and of all there were 2";
        assert_eq!(Margin::of(&slo("p99 < 1s"), &result), Err(Unknown::TooLittle(why.into(), Some(1000.0))));
        let never = Margin::of(&slo("lag < 1s"), &result).unwrap_err();
        assert!(matches!(&never, Unknown::Never(why) if why.contains("no replicas")), "{never:?}");
        let margin = Margin::of(&slo("availability > 50%"), &result).unwrap();
        assert!((margin.value + 1.0).abs() < 1e-9);
    }

    #[test]
    fn requests_that_have_not_ended_leave_it_open_whether_it_is_met() {
        let with_open = |open: u64| {
            let mut records = vec![trial(&[90; 100]), trial(&[110; 100])];
            records.iter_mut().for_each(|record| record.classes[0].issued += open);
            unanswered(&result(records))
        };
        assert_eq!((with_open(0), with_open(10)), (None, None));
        let why = "80 % of the requests had not ended when their trial did";
        assert_eq!(with_open(400), Some(Unknown::TooLittle(why.into(), Some(LONGER))));
    }

    #[test]
    fn without_a_steady_state_it_is_missed() {
        let mut result = result(vec![trial(&[90, 90]), trial(&[110, 110])]);
        result.steady_state.reached = false;
        assert_eq!(Margin::of(&slo("errors < 1%"), &result).unwrap(), Margin::BEYOND);
    }

    #[test]
    fn what_does_not_get_worse_with_the_load_has_no_highest_one() {
        for text in ["throughput > 5/s", "cost_per_hour < $3", "p99 > 3ms", "errors > 1%", "availability < 1"]
        {
            assert!(refusal(&slo(text)).is_some(), "{text}");
        }
        assert_eq!(refusal(&slo("p99 < 3ms, errors < 1%, availability > 99%, utilisation(box) < 70%")), None);
    }
}
