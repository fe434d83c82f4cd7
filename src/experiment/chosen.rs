//! The metrics that comparisons and sweeps show without being asked: what the scenarios expect, what becomes of the data,
//! times and failures, of each class too, and the price.

use super::expect::measure;
use super::result::RunResult;
use crate::model::unit::Unit;
use crate::scenario::Scenario;
use crate::scenario::expression::{Metric, Stat};

/// Largest number of classes that are shown one by one.
const CLASSES_MAX: usize = 6;

/// The metrics of these scenarios, those that a reader asks for first in front.
#[must_use]
pub fn usual(scenarios: &[&Scenario]) -> Vec<Metric> {
    let response = |stat, class: Option<&String>| Metric::Response { stat, class: class.cloned() };
    let mut all: Vec<Metric> = expected(scenarios);
    all.extend([
        Metric::LostWrites,
        Metric::Rto,
        Metric::Rpo,
        Metric::StaleReadShare,
        Metric::Lag,
        response(Stat::Mean, None),
        response(Stat::P95, None),
        response(Stat::P99, None),
        Metric::ErrorRate(None),
        Metric::Throughput,
    ]);
    let mut classes: Vec<&String> = Vec::new();
    for class in scenarios.iter().flat_map(|scenario| &scenario.classes) {
        if !classes.contains(&&class.name) {
            classes.push(&class.name);
        }
    }
    for class in classes.iter().copied().filter(|_| (2..=CLASSES_MAX).contains(&classes.len())) {
        all.extend([response(Stat::P99, Some(class)), Metric::Availability(Some(class.clone()))]);
    }
    all.extend([Metric::CostPerHour, Metric::CostPerMillion]);
    once(all)
}

/// The metrics that the scenarios' expectations are about.
#[must_use]
pub fn expected(scenarios: &[&Scenario]) -> Vec<Metric> {
    let expects = scenarios.iter().flat_map(|scenario| &scenario.expects);
    once(expects.map(|expect| expect.that.metric.clone()).collect())
}

/// Those of them that at least one of the results has: a count of events, of which none was seen and none is expected, and
/// a price of nothing are left out.
#[must_use]
pub fn present(metrics: Vec<Metric>, goals: &[Metric], results: &[RunResult]) -> Vec<Metric> {
    let has = |metric: &Metric, result: &RunResult| {
        let mean = measure(metric, result).ok().and_then(|figure| figure.mean);
        let may_be_zero = goals.contains(metric) || !matches!(metric.unit(), Unit::Count | Unit::Usd);
        mean.is_some_and(|mean| may_be_zero || mean != 0.0)
    };
    metrics.into_iter().filter(|metric| results.iter().any(|result| has(metric, result))).collect()
}

/// Each metric once, where it comes first.
fn once(all: Vec<Metric>) -> Vec<Metric> {
    let mut kept: Vec<Metric> = Vec::new();
    for metric in all {
        if !kept.contains(&metric) {
            kept.push(metric);
        }
    }
    kept
}
