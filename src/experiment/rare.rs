//! Rare events: how often random faults happened, and what a run that saw few events cannot show.

use crate::model::record::TrialRecord;
use crate::scenario::Scenario;
use crate::scenario::expression::{Expectation, Metric};
use crate::scenario::faults::FaultSpec;
use crate::stats::rare::EVENTS_MIN;

use super::result::{Figure, RandomFault, RunResult};
use super::round::round_up;

/// Longest trial, in hours, that is advised so that ten faults are seen.
const HOURS_MAX: f64 = 48.0;

/// The random faults of the scenario, in the order of the text.
pub(super) fn random_faults(scenario: &Scenario, records: &[TrialRecord]) -> Vec<RandomFault> {
    let one = |(row, spec): (usize, &FaultSpec)| {
        let (mtbf, mttr) = (spec.mtbf.as_ref()?, spec.mttr.as_ref()?);
        let cycle = mtbf.variate().mean() + mttr.variate().mean();
        let of = |record: &TrialRecord| {
            let turns = record.random_faults.iter().filter(|(known, _)| *known == row);
            turns.fold((0, 0.0), |(times, targets), (_, more)| (times + more, targets + 1.0))
        };
        let all: Vec<(u64, f64)> = records.iter().map(of).collect();
        let expected = |(record, (_, targets)): (&TrialRecord, &(u64, f64))| {
            record.measured.as_secs_f64() * targets / cycle
        };
        Some(RandomFault {
            fault: named(spec),
            times: all.iter().map(|(times, _)| times).sum(),
            expected: records.iter().zip(&all).map(expected).sum(),
        })
    };
    scenario.faults.iter().enumerate().filter_map(one).collect()
}

/// What the fault does, and to what: `crash of web`, `partition of web | db`.
pub(super) fn named(spec: &FaultSpec) -> String {
    format!("{} of {}", spec.kind.name(), spec.whole())
}

/// The random fault that happened too rarely for a statement about shares and counts: the rarest; `None` if all happened
/// often enough.
pub(super) fn rarest(faults: &[RandomFault]) -> Option<&RandomFault> {
    let few = faults.iter().filter(|fault| (fault.times as f64) < EVENTS_MIN);
    few.min_by(|a, b| a.times.cmp(&b.times).then(a.expected.total_cmp(&b.expected)))
}

/// The reason why an expectation that seems to hold is not shown: too few events stand behind it. A clause without a full
/// stop; `None` if there are enough.
///
/// A bound on a share is shown only if ten events or more were seen, or would have been at the bound.
pub(super) fn too_few(that: &Expectation, figure: &Figure, result: &RunResult) -> Option<String> {
    let rare = figure.rare?;
    if let Some(fault) = rarest(&result.random_faults) {
        return Some(format!(
            "the {} {} in all trials ({} expected), and the value rests on that: {}",
            fault.fault,
            times(fault.times),
            about(fault.expected),
            longer(fault, result),
        ));
    }
    // Of an availability the rare events are the failures.
    let flipped = figure.mean.is_some_and(|mean| mean > 0.5) && is_share(&that.metric);
    let bound = if flipped { 1.0 - that.bound } else { that.bound };
    let at_bound = bound * rare.of;
    if rare.events >= EVENTS_MIN || at_bound >= EVENTS_MIN * (1.0 - 1e-9) {
        return None;
    }
    let events = if flipped { "failures" } else { "events" };
    let seen =
        if rare.events == 0.0 { "none was".to_owned() } else { format!("about {} were", about(rare.events)) };
    Some(format!(
        "ten {events} show a bound, and {} are expected at this one in all trials; {seen} seen: {}",
        about(at_bound),
        help(at_bound, result),
    ))
}

fn is_share(metric: &Metric) -> bool {
    metric.unit() == crate::scenario::expression::Unit::Share
}

/// What to do for ten events and more.
fn help(at_bound: f64, result: &RunResult) -> String {
    if at_bound <= 0.0 {
        return "no run shows that something never happens".into();
    }
    let trials = (result.trials as f64 * 1.2 * EVENTS_MIN / at_bound).ceil();
    format!("--trials {trials}, or a longer --duration")
}

/// What to do for ten faults and more.
pub(super) fn longer(fault: &RandomFault, result: &RunResult) -> String {
    let seconds = result.duration_s * 2.0 * EVENTS_MIN / fault.expected;
    let hours = (seconds / 3600.0).ceil();
    if hours > HOURS_MAX {
        return "`outgrow year` says what faults as rare as this cost".into();
    }
    if hours > 2.0 { format!("--duration {hours}h") } else { format!("--duration {}", round_up(seconds)) }
}

/// How often it happened, as the verb of a sentence.
pub(super) fn times(times: u64) -> String {
    match times {
        0 => "never happened".into(),
        1 => "happened once".into(),
        times => format!("happened {times} times"),
    }
}

/// A small number of events: 0.17, 3.2, 12.
pub(super) fn about(events: f64) -> String {
    match events {
        few if few < 1.0 => format!("{few:.2}"),
        some if some < 10.0 => format!("{some:.1}"),
        many => format!("{many:.0}"),
    }
}
