//! Why the figures are what they are.

use std::collections::BTreeMap;

use crate::components::database::{DataRecord, Part};
use crate::model::record::TrialRecord;
use crate::model::resource::{Bound, CPU, Meter, Noun};
use crate::model::signal::Outcome;
use crate::model::simulation::Length;
use crate::scenario::Scenario;
use crate::scenario::expression::Stat;
use crate::scenario::faults::FaultSpec;

use super::super::finding::{Finding, Outlier};
use super::super::result::{Bottleneck, ComponentResult, Figure, Outcomes, Prediction, Relation, RunResult};

use super::course::Course;
use super::incident::incidents;
use super::story::Case;
use super::{owner, refuses, resource_of};

/// A share above which something is the rule rather than the exception.
const MOSTLY: f64 = 0.5;

/// From this use on cores are as good as saturated.
const SATURATED: f64 = 0.9;

/// Windows whose mean must be beyond it: one alone is chance.
const BUSY_WINDOWS: usize = 10;

/// A share of the response time that is worth a sentence.
const SHARE_SHOWN: f64 = 0.1;

/// A share of failing requests that is worth a sentence beside a cause.
const FAILED_SHOWN: f64 = 0.000_5;

/// A member whose value is this many times that of its group differs from it.
const DIFFERS: f64 = 1.5;

/// Why the figures are what they are, the most important first: the incidents, or what binds where there is none; then what
/// holds for the whole run.
pub(in super::super) fn why(
    scenario: &Scenario,
    result: &RunResult,
    records: &[TrialRecord],
    length: Length,
) -> Vec<Finding> {
    let course = Course::of(records, length);
    let case = Case { scenario, result, course: &course, load: scenario.load().resources };
    let mut why: Vec<Finding> =
        unconfirmed(scenario, result, records).into_iter().chain(metastable(scenario, result)).collect();
    why.extend(case.idle());
    let incidents = incidents(scenario, result, &course);
    for incident in &incidents {
        let story = case.story(incident);
        // How often random faults happen is the same for each incident.
        let is_known = |one: &Finding| matches!(one, Finding::RandomFaults { .. }) && why.contains(one);
        let new: Vec<Finding> = story.into_iter().filter(|one| !is_known(one)).collect();
        why.extend(new);
    }
    if !why.iter().any(names_a_cause) {
        why.splice(0..0, origin(scenario, result));
    } else {
        // With a cause, a handful of failures needs no other.
        let matters =
            |found: &Finding| matches!(found, Finding::Origin { share, .. } if *share > FAILED_SHOWN);
        why.extend(origin(scenario, result).filter(matters));
    }
    why.extend(case.in_vain().filter(|_| !incidents.is_empty()));
    why.extend(growth(result));
    if incidents.is_empty() {
        why.extend(what_binds(scenario, result));
    }
    // While queues grow, calls of the warm-up are answered in the measured time, and shares of the time mean nothing.
    why.extend(where_time_goes(result).filter(|_| result.steady_state.reached));
    why.extend(result.theory.iter().filter_map(prediction));
    why
}

/// Whether a finding names what began an incident.
fn names_a_cause(finding: &Finding) -> bool {
    matches!(
        finding,
        Finding::NoAcks { .. }
            | Finding::Metastable { .. }
            | Finding::Idle { .. }
            | Finding::Fault { .. }
            | Finding::RandomFaults { .. }
            | Finding::Surge { .. }
            | Finding::Full { .. }
    )
}

/// Why the service did not come back, although it could do what is asked.
fn metastable(scenario: &Scenario, result: &RunResult) -> Option<Finding> {
    let collapse = result.collapse.as_ref().filter(|collapse| collapse.of > 0)?;
    let load = scenario.load();
    let offered_rps = result.metrics.offered_rps.mean?;
    let binds = load.bottleneck();
    Some(Finding::Metastable {
        collapsed: collapse.of,
        trials: collapse.trials,
        since_s: collapse.since_s,
        offered_rps,
        weakest: binds.map(|row| row.name.clone()),
        noun: binds.map_or(Noun::Many("the cores"), |row| row.resource.noun),
        capacity_rps: binds.map(|row| offered_rps / row.utilisation()),
        cures: Vec::new(),
    })
}

/// Why no write was acknowledged for a while, although the primary was well.
pub(in super::super) fn unconfirmed(
    scenario: &Scenario,
    result: &RunResult,
    records: &[TrialRecord],
) -> Option<Finding> {
    let parts = result.metrics.data.as_ref()?.outage_s.as_ref()?;
    let outage_s: f64 = parts.iter().filter_map(|(_, part)| part.mean).sum();
    let (_, waited) = parts.iter().find(|(name, _)| *name == Part::Acks.name())?;
    let waited_s = waited.mean.filter(|waited_s| *waited_s > MOSTLY * outage_s)?;
    let longest = records.iter().filter_map(|record| Some(DataRecord::of(record)?.longest_outage()?.start_s));
    let starts: Vec<f64> = longest.collect();
    let from_s = starts.iter().sum::<f64>() / starts.len().max(1) as f64;
    // A fault of a box or of one of its members that lasted when the wait began.
    let is_on = |fault: &&FaultSpec| {
        let at_s = fault.at.map(|at| at.0.as_secs_f64());
        let lasts_s = fault.lasts().map_or(f64::INFINITY, |lasts| lasts.0.as_secs_f64());
        at_s.is_some_and(|at_s| at_s <= from_s + outage_s && at_s + lasts_s > from_s)
    };
    let targets = scenario.faults.iter().filter(is_on).filter_map(|fault| fault.target.as_ref());
    let away = targets.flat_map(|names| names.0.clone()).collect();
    Some(Finding::NoAcks { away, from_s, outage_s, waited_s })
}

fn growth(result: &RunResult) -> Option<Finding> {
    let steady = &result.steady_state;
    if let (Some(growth), Some(of)) = (steady.lag_growth, &steady.component) {
        return Some(Finding::LagGrowth { of: of.clone(), per_s: growth });
    }
    let per_s = steady.growth_per_s?;
    if let (true, Some(of)) = (steady.is_backlog, &steady.component) {
        return Some(Finding::Backlog { of: of.clone(), per_s });
    }
    Some(Finding::Growth { of: steady.component.clone(), per_s })
}

fn what_binds(scenario: &Scenario, result: &RunResult) -> Option<Finding> {
    let bottleneck = result.bottleneck.as_ref()?;
    let name = &bottleneck.component;
    let entry = owner(scenario, name)?;
    let (_, resource) = resource_of(scenario, entry, bottleneck.resource)?;
    let rate = result.metrics.throughput_rps.mean.unwrap_or(0.0);
    // The utilisation law: the work for a request stays the same, so that use grows with the rate. It is not exact where
    // cores slow each other down.
    let follows_law = resource.meter == Meter::Cores
        && resource.bound == Bound::Exact
        && result.steady_state.reached
        && bottleneck.utilisation < 0.99
        && rate > 0.0;
    Some(Finding::Busiest {
        of: name.clone(),
        resource: resource.name,
        noun: resource.noun,
        share: bottleneck.utilisation,
        since_s: busy_since(result, bottleneck),
        piled_up_since_s: since(result, name).filter(|_| result.steady_state.reached),
        saturates_rps: follows_law.then_some(rate / bottleneck.utilisation),
    })
}

/// When the cores that bind were first as good as saturated, on average over the trials and over [`BUSY_WINDOWS`] windows;
/// seconds after the start of the trial.
fn busy_since(result: &RunResult, bottleneck: &Bottleneck) -> Option<f64> {
    if bottleneck.resource != CPU {
        return None;
    }
    let name = &bottleneck.component;
    let is_it = |column: &&String| {
        let of = column.strip_prefix("busy:");
        let group = |of| result.components.get(of).map(|one| &one.group);
        of.is_some_and(|of| of == name || group(of) == Some(name))
    };
    let columns: Vec<&String> = result.series.columns.iter().filter(is_it).collect();
    let members: Vec<Vec<f64>> = columns
        .iter()
        .filter_map(|column| Some(result.series.column(column)?.map(|one| one.unwrap_or(0.0)).collect()))
        .collect();
    let mean = |row: usize| members.iter().map(|member| member[row]).sum::<f64>() / members.len() as f64;
    let means: Vec<f64> = (0..result.series.rows.len()).map(mean).collect();
    let is_saturated = |some: &[f64]| some.iter().sum::<f64>() / some.len() as f64 >= SATURATED;
    let first = means.windows(BUSY_WINDOWS).position(is_saturated)?;
    // Cores that are busy by chance for a while are not so for good.
    if is_saturated(&means[first..]) { result.series.rows[first][0] } else { None }
}

/// Since when a component has held more calls than half of what it holds in the end, if that is much more than in the
/// beginning; seconds after the start of the trial.
fn since(result: &RunResult, component: &str) -> Option<f64> {
    let inside: Vec<f64> =
        result.series.column(&format!("inside:{component}"))?.map(|one| one.unwrap_or(0.0)).collect();
    let quarter = inside.len() / 4;
    let average = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    if quarter == 0 {
        return None;
    }
    let (first, last) = (average(&inside[..quarter]), average(&inside[inside.len() - quarter..]));
    if last < 10.0 || last < 3.0 * first {
        return None;
    }
    let calm = inside.iter().rposition(|&calls| calls < last / 2.0)?;
    result.series.rows.get(calm + 1)?[0]
}

/// The group at which requests wait longest, as a share of their response time. A request visits one of several members, so
/// that the members of a group are counted together.
fn where_time_goes(result: &RunResult) -> Option<Finding> {
    let requests = result.metrics.outcomes.ok.mean.filter(|ok| *ok > 0.0)?;
    let of_ms = result.metrics.response_ms.mean.mean?;
    let mut groups: BTreeMap<&str, Vec<(&str, f64, f64)>> = BTreeMap::new();
    for (name, component) in result.components.iter() {
        let Some((calls, wait_ms)) = component.outcomes.ok.mean.zip(component.wait_ms.mean.mean) else {
            continue;
        };
        groups.entry(&component.group).or_default().push((name, calls, wait_ms));
    }
    let whole =
        |members: &[(&str, f64, f64)]| members.iter().map(|(_, calls, wait_ms)| calls * wait_ms).sum::<f64>();
    let all = groups.into_iter().map(|(group, members)| (group, whole(&members) / requests, members));
    let (group, wait_ms, members) = all.reduce(|most, one| if one.1 > most.1 { one } else { most })?;
    // Calls whose users have given up wait too; with many of them the share is none.
    (SHARE_SHOWN..=1.0).contains(&(wait_ms / of_ms)).then(|| Finding::Wait {
        of: group.to_owned(),
        wait_ms,
        of_ms,
        member: outlier(&members),
    })
}

/// The member whose calls wait much longer than those of all members do.
fn outlier(members: &[(&str, f64, f64)]) -> Option<Outlier> {
    let calls: f64 = members.iter().map(|(_, calls, _)| calls).sum();
    let mean = members.iter().map(|(_, calls, wait_ms)| calls * wait_ms).sum::<f64>() / calls;
    let (name, _, wait_ms) =
        members.iter().copied().reduce(|most, one| if one.2 > most.2 { one } else { most })?;
    (wait_ms > DIFFERS * mean).then(|| Outlier { name: name.to_owned(), ratio: wait_ms / mean })
}

/// The most frequent way in which requests fail, and the group at which most failures begin. Those that pass a failure on
/// have no part in it.
fn origin(scenario: &Scenario, result: &RunResult) -> Option<Finding> {
    let all = &result.metrics.outcomes;
    let ended = count(&all.ok) + failed(all).map(|(_, count)| count).sum::<f64>();
    let (requests, most) = worst(all)?;
    let mut began: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for (_, ComponentResult { group, failures, .. }) in result.components.iter() {
        for (outcome, calls) in failures.own.iter() {
            *began.entry((group, outcome)).or_default() += count(calls);
        }
    }
    let first = began.into_iter().reduce(|most, one| if one.1 > most.1 { one } else { most });
    let ((of, outcome), calls) = match first {
        Some(((group, outcome), calls)) if calls > 0.0 => ((Some(group.to_owned()), said(outcome)), calls),
        _ => ((None, requests), 0.0),
    };
    let refuses = of.as_ref().and_then(|of| refuses(scenario, of, outcome));
    Some(Finding::Origin {
        because: because(result, outcome, calls),
        resource: refuses.as_ref().map(|resource| resource.name),
        noun: refuses.map(|resource| resource.noun),
        of,
        outcome,
        calls,
        requests,
        share: most / ended,
    })
}

/// Why most of the calls end that fail where failures begin, where a figure counts them.
fn because(result: &RunResult, outcome: &str, calls: f64) -> Option<&'static str> {
    let gauges = result.components.iter().flat_map(|(_, component)| component.gauges.iter());
    let told = gauges.filter_map(|(_, gauge)| Some((gauge.gauge.because?, count(&gauge.figure(Stat::Mean)))));
    let mut reasons: BTreeMap<&'static str, f64> = BTreeMap::new();
    told.for_each(|(because, calls)| *reasons.entry(because).or_default() += calls);
    let most = reasons.into_iter().reduce(|most, one| if one.1 > most.1 { one } else { most });
    let is_it = |found: &(&str, f64)| outcome == Outcome::Unavailable.words() && found.1 > MOSTLY * calls;
    most.filter(is_it).map(|(because, _)| because)
}

/// An outcome as sentences say it.
fn said(outcome: &str) -> &'static str {
    Outcome::ALL.into_iter().find(|known| known.name() == outcome).map_or("failed", Outcome::words)
}

fn failed(outcomes: &Outcomes) -> impl Iterator<Item = (&'static str, f64)> {
    outcomes.failures().into_iter().map(|(outcome, figure)| (outcome.words(), count(figure)))
}

fn worst(outcomes: &Outcomes) -> Option<(&'static str, f64)> {
    let found = failed(outcomes).filter(|(_, count)| *count > 0.0);
    found.reduce(|most, one| if one.1 > most.1 { one } else { most })
}

/// Theory beside measurement. The utilisation law is silent as long as it agrees, as it must; Little's law always is,
/// as the model asserts it. A bound that is broken explains nothing: its assumptions do not hold.
fn prediction(prediction: &Prediction) -> Option<Finding> {
    if !matches!(prediction.quantity, "response_ms" | "throughput_rps") {
        return None;
    }
    let relation = match prediction.relation {
        Relation::Equal => "",
        Relation::About => "about ",
        Relation::AtMost => "at most ",
        Relation::AtLeast => "at least ",
    };
    let unit = if prediction.quantity == "response_ms" { "ms" } else { "requests a second" };
    let Prediction { component, law, theory, measured, .. } = prediction;
    let (value, doubt) = (measured.mean?, measured.half_width.unwrap_or(0.0));
    let is_broken = match prediction.relation {
        Relation::AtMost => value - doubt > *theory,
        Relation::AtLeast => value + doubt < *theory,
        Relation::Equal | Relation::About => false,
    };
    if is_broken {
        return None;
    }
    Some(Finding::Theory {
        of: component.clone(),
        law: law.clone(),
        relation,
        theory: *theory,
        unit,
        measured: value,
        half_width: measured.half_width,
    })
}

fn count(figure: &Figure) -> f64 {
    figure.mean.unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::super::super::data::DataResult;
    use super::super::super::result::Named;
    use super::super::super::samples::scenario;
    use super::super::samples::changed;
    use super::*;

    #[test]
    fn commits_that_wait_for_replicas_are_explained() {
        let why = |down: f64, acks: f64| {
            let scenario = scenario("5/s");
            let mut result = changed(|_| ());
            let part =
                |part: Part, mean| (part.name().to_owned(), Figure { mean: Some(mean), ..Figure::default() });
            let outage_s = Some(Named(vec![part(Part::Down, down), part(Part::Acks, acks)]));
            result.metrics.data = Some(DataResult { outage_s, ..DataResult::default() });
            unconfirmed(&scenario, &result, &[]).map(|found| found.text())
        };
        let expected = "from 0 s to 61 s no write was acknowledged: commits waited 60.0 s for replicas that did not confirm \
                        them";
        assert_eq!((why(1.0, 60.0).as_deref(), why(60.0, 1.0)), (Some(expected), None));
    }

    #[test]
    fn sentences_follow_the_numbers() {
        let calm = changed(|_| ());
        assert_eq!(
            calm.reasons(),
            [
                "the cores of `box` are 75 % busy, more than anything else; at this mix they saturate at 0.267 requests a second"
            ]
        );
        let later = changed(|record| {
            record.windows[60..].iter_mut().for_each(|window| window.components[0].busy = 0.95)
        });
        assert!(later.reasons()[0].contains("; above 90 % since 6 s; "), "{:?}", later.why);
        let always =
            changed(|record| record.windows.iter_mut().for_each(|window| window.components[0].busy = 0.95));
        assert!(always.reasons()[0].contains("; above 90 % from the start; "), "{:?}", always.why);
        let failing = changed(|record| {
            record.classes[0].issued += 2;
            record.classes[0].outcomes[1] = 2;
            record.components[0].own[1] = 2;
            // A box that passes failures on has more of them, and is not their origin.
            (record.components[1].outcomes[1], record.components[1].passed) = (9, 9);
        });
        assert_eq!(
            failing.reasons()[0],
            "50.0 % of the requests end rejected; most failures begin at `box`: 2.00 calls a trial, rejected for want of \
             workers"
        );
    }
}
