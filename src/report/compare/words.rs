//! A comparison in words: the greatest differences that matter.

use super::super::number::in_unit;
use crate::experiment::compare::{CompareResult, Difference, Shown};
use crate::scenario::expression::{Metric, Stat};

/// Largest number of differences in the sentence.
const SAID_MAX: usize = 4;

/// The greatest differences of a design from the baseline, as a sentence: the better ones first.
#[must_use]
pub(in super::super) fn sentence(result: &CompareResult, design: &str) -> String {
    let said = greatest(result, design);
    let of = |verdict: Shown| -> Vec<String> {
        said.iter().filter(|one| one.verdict == verdict).map(|one| clause(one)).collect()
    };
    let (better, worse) = (of(Shown::Better), of(Shown::Worse));
    match (better.is_empty(), worse.is_empty()) {
        (true, true) => {
            let share = 100.0 * result.tolerance;
            format!("No difference that matters is shown: none is better or worse by more than {share} %.")
        }
        (false, true) => format!("Better: it {}.", joined(&better)),
        (true, false) => format!("Worse: it {}.", joined(&worse)),
        (false, false) => format!("It {}; but it {}.", joined(&better), joined(&worse)),
    }
}

/// The better and the worse differences, the greatest of each kind of figure, in order of their size.
fn greatest<'r>(result: &'r CompareResult, design: &str) -> Vec<&'r Difference> {
    let matters = |one: &&Difference| matches!(one.verdict, Shown::Better | Shown::Worse);
    let mut all: Vec<&Difference> =
        result.differences.iter().filter(|one| one.design == design).filter(matters).collect();
    all.sort_by(|a, b| size(b).total_cmp(&size(a)));
    let mut kept: Vec<&Difference> = Vec::new();
    for one in all {
        if kept.len() < SAID_MAX && !kept.iter().any(|other| kind(&other.of) == kind(&one.of)) {
            kept.push(one);
        }
    }
    kept
}

/// How many times the greater of the two values is the smaller one, as a logarithm; what only one of them has counts most.
fn size(one: &Difference) -> f64 {
    let (value, base) = (one.value.mean.unwrap_or(0.0), one.baseline.mean.unwrap_or(0.0));
    if value <= 0.0 || base <= 0.0 { f64::INFINITY } else { libm::log(value / base).abs() }
}

/// Figures of one kind tell the same story: only one of them is said.
fn kind(of: &Metric) -> String {
    match of {
        Metric::Response { .. } => "response".into(),
        Metric::ErrorRate(_) | Metric::Availability(_) => "errors".into(),
        Metric::CostPerHour | Metric::CostPerMillion => "cost".into(),
        Metric::LostWrites | Metric::Rpo => "lost".into(),
        other => other.to_string(),
    }
}

/// What a design does in place of what the baseline does: the predicate of a sentence.
fn clause(one: &Difference) -> String {
    let shown = |mean: Option<f64>, unit: &str| mean.map_or("none".into(), |mean| in_unit(mean, None, unit));
    let value = shown(one.value.mean, one.unit);
    let base = shown(one.baseline.mean, one.unit);
    let class =
        |class: &Option<String>| class.as_ref().map_or("a request".into(), |class| format!("a `{class}`"));
    match &one.of {
        Metric::Response { stat: Stat::Mean, class: of } => {
            format!("takes {value} for {} on average instead of {base}", class(of))
        }
        Metric::Response { stat: Stat::Max, class: of } => {
            format!("takes {value} for {} at worst instead of {base}", class(of))
        }
        Metric::Response { stat, class: of } => {
            let share = 100.0 * (1.0 - stat.tail().unwrap_or(0.0));
            format!("answers {share} % of the {} within {value} instead of {base}", plural(of))
        }
        Metric::ErrorRate(of) => format!("fails {value} of the {} instead of {base}", plural(of)),
        Metric::Availability(of) => format!("serves {value} of the {} instead of {base}", plural(of)),
        Metric::LostWrites if one.value.mean == Some(0.0) => format!("loses no write ({base} before)"),
        Metric::LostWrites => format!("loses {value} acknowledged writes instead of {base}"),
        Metric::Rto => format!("takes writes again after {value} instead of {base}"),
        Metric::Rpo => format!("loses the writes of {value} instead of {base}"),
        Metric::Lag => format!("lags by up to {value} instead of {base}"),
        Metric::StaleReadShare => format!("reads {value} stale instead of {base}"),
        Metric::CostPerHour => format!("costs {value} an hour instead of {base}"),
        Metric::CostPerMillion => format!("costs {value} for a million requests instead of {base}"),
        _ => format!("has {} {value} instead of {base}", one.metric),
    }
}

fn plural(class: &Option<String>) -> String {
    class.as_ref().map_or("requests".into(), |class| format!("`{class}` requests"))
}

fn joined(clauses: &[String]) -> String {
    match clauses {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
