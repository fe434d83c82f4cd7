//! Incidents: runs of windows in which errors, the response time or the lag left their level, or in which a goal with a window
//! was missed.

use std::ops::Range;

use crate::scenario::Scenario;

use super::super::finding::Finding;
use super::super::result::{Answer, RunResult};
use super::course::Course;

/// Share of the requests of a window whose failure is no longer chance.
const FAILED: f64 = 0.01;

/// Share of all requests whose failure is worth an explanation.
pub(super) const FAILS: f64 = 0.001;

/// A response time, or a lag, that is this many times its level has left it.
const TIMES: f64 = 3.0;

/// A response time must leave its level by this much at least, in ms.
const SLOWER_MS: f64 = 20.0;

/// A lag must leave its level by this much at least, in seconds.
const LAGS_S: f64 = 1.0;

/// Windows between two bad ones that do not end an incident, as a share of all.
const GAP: f64 = 0.02;

/// Least number of windows of an incident without failures: one slow request makes one slow window.
const SLOW_WINDOWS_MIN: usize = 5;

/// Windows on each side that tell whether a slow one is a chance.
const AROUND: usize = 3;

/// Share of the failures, or of the bad windows, below which an incident is not told.
const SMALL: f64 = 0.05;

/// Most incidents of a run that are told.
const TOLD_MAX: usize = 3;

/// A run of windows in which something was wrong.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Incident {
    /// The windows of the course.
    pub(super) rows: Range<usize>,
    /// Number of requests of a trial that failed in it.
    pub(super) failed: f64,
    /// Whether the lag left its level in it.
    pub(super) lags: bool,
}

/// The incidents that matter most, in order of time.
pub(super) fn incidents(scenario: &Scenario, result: &RunResult, course: &Course) -> Vec<Incident> {
    let all = 0..course.slices.len();
    if all.is_empty() {
        return Vec::new();
    }
    let mut found = runs(course);
    found.extend(missed(scenario, result, course, &found));
    found = largest(found, course);
    if found.is_empty() && fails(result) {
        let failed = course.requests(all.clone()).failed;
        found.push(Incident { rows: all, failed, lags: false });
    }
    found.sort_by_key(|one| one.rows.start);
    found
}

/// Whether something fails: a goal, more than a thousandth of the requests, a queue that grows, commits that wait
/// for replicas, or a resource that is asked for more than it can do.
pub(in super::super) fn fails(result: &RunResult) -> bool {
    let missed = result.expect.iter().any(|verdict| verdict.verdict == Answer::Fails);
    let available = result.metrics.availability.mean.unwrap_or(1.0);
    let is_broken =
        |finding: &Finding| matches!(finding, Finding::NoAcks { .. } | Finding::Full { need: Some(_), .. });
    let waits = result.why.iter().any(is_broken);
    missed || waits || !result.steady_state.reached || result.stopped.is_some() || available < 1.0 - FAILS
}

/// Runs of bad windows. Those that are close together are one.
fn runs(course: &Course) -> Vec<Incident> {
    let failing = failing(course);
    let slow =
        beyond(&course.slices.iter().map(|one| one.p99_ms.unwrap_or(0.0)).collect::<Vec<_>>(), SLOWER_MS);
    let lagging = beyond(&course.slices.iter().map(|one| one.lag_s).collect::<Vec<_>>(), LAGS_S);
    let is_bad = |at: usize| failing[at] || slow[at] || lagging[at];
    let (slow, lagging) = (lasting(&slow), lasting(&lagging));
    let gap = (GAP * course.slices.len() as f64).ceil() as usize;
    let mut all: Vec<Range<usize>> = Vec::new();
    for at in (0..course.slices.len()).filter(|at| is_bad(*at)) {
        match all.last_mut() {
            Some(last) if at < last.end + gap => last.end = at + 1,
            _ => all.push(at..at + 1),
        }
    }
    let incident = |rows: Range<usize>| {
        let count = |of: &[bool]| of[rows.clone()].iter().filter(|bad| **bad).count();
        let failed = course.requests(rows.clone()).failed;
        let lags = count(&lagging) >= SLOW_WINDOWS_MIN;
        let is_told =
            count(&failing) > 0 || lags || count(&slow) >= SLOW_WINDOWS_MIN.max(rows.len() / 2).max(gap);
        is_told.then_some(Incident { rows, failed, lags })
    };
    all.into_iter().filter_map(incident).collect()
}

/// Those of some windows around which most are alike: a single slow request makes a single slow window.
fn lasting(bad: &[bool]) -> Vec<bool> {
    let around = |at: usize| &bad[at.saturating_sub(AROUND)..(at + AROUND + 1).min(bad.len())];
    let most = |at: usize| around(at).iter().filter(|bad| **bad).count() > 3 * around(at).len() / 4;
    (0..bad.len()).map(|at| bad[at] && most(at)).collect()
}

/// Windows in which requests fail.
fn failing(course: &Course) -> Vec<bool> {
    (0..course.slices.len()).map(|at| course.requests(at..at + 1).failed_share() > FAILED).collect()
}

/// Windows in which a value has left its level, which is its lower quartile, by a factor and by an amount.
fn beyond(values: &[f64], amount: f64) -> Vec<bool> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| *value > 0.0).collect();
    sorted.sort_by(f64::total_cmp);
    let level = sorted.get(sorted.len() / 4).copied().unwrap_or(0.0);
    values.iter().map(|value| *value > TIMES * level && *value > level + amount).collect()
}

/// The windows of goals that were missed in a part of the time in which nothing else has been found.
fn missed(scenario: &Scenario, result: &RunResult, course: &Course, found: &[Incident]) -> Vec<Incident> {
    let goals = scenario.expects.iter().zip(&result.expect);
    let during = goals.filter(|(_, verdict)| verdict.verdict == Answer::Fails);
    let windows = during.filter_map(|(goal, _)| goal.window.as_ref()?.part.during);
    let rows = windows.map(|(from, until)| course.rows(from.as_secs_f64(), until.as_secs_f64()));
    let is_new = |rows: &Range<usize>| {
        !rows.is_empty() && !found.iter().any(|one| one.rows.start < rows.end && rows.start < one.rows.end)
    };
    let incident =
        |rows: Range<usize>| Incident { failed: course.requests(rows.clone()).failed, rows, lags: false };
    rows.filter(is_new).map(incident).collect()
}

/// Those with the most failures, and then the longest.
fn largest(mut found: Vec<Incident>, course: &Course) -> Vec<Incident> {
    let failed = course.requests(0..course.slices.len()).failed;
    let windows: usize = found.iter().map(|one| one.rows.len()).sum();
    let matters = |one: &Incident| {
        one.failed > SMALL * failed || one.rows.len() as f64 > SMALL * windows as f64 && one.failed == 0.0
    };
    found.retain(matters);
    found.sort_by(|a, b| b.failed.total_cmp(&a.failed).then(b.rows.len().cmp(&a.rows.len())));
    found.truncate(TOLD_MAX);
    found
}
