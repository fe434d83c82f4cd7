//! Trying advice before it is given: a few trials of the scenario with the changes, with the seed of the run.

use super::advise::{self, Reload};
use super::finding::{Attempt, Change, Finding};
use super::loss;
use super::result::{RunResult, Verdict};
use super::runner::{Progress, RunOptions, Trials, run};
use crate::model::record::TrialRecord;
use crate::scenario::expression::Comparison;
use crate::scenario::{Expect, Scenario};

/// Trials of an attempt; one alone where the first is no better than the run.
const TRIALS: u32 = 2;

/// Events that may always be spent, about a second. Beyond them, all attempts together cost no more than the run itself.
const EVENTS_FREE: u64 = 4_000_000;

/// Most attempts of a run.
const ATTEMPTS_MAX: usize = 6;

/// A share of failures that is no more than this part of what it was has become better.
const BETTER: f64 = 0.8;

/// A lag that needs advice, in seconds.
const LAGS_S: f64 = 1.0;

/// Share of failing requests that needs no advice.
const FAILS: f64 = 0.001;

/// How bad a result is.
#[derive(Clone, Copy, Debug)]
struct Badness {
    failed: f64,
    missed: usize,
    /// How far the missed goals are from their bounds, as shares of the bounds, together.
    distance: f64,
    grows: bool,
    /// Longest time without an acknowledged write because replicas did not confirm, in seconds.
    waits_s: f64,
    /// Longest lag of a replica, in seconds, where it is worth a word.
    lag_s: f64,
    /// Share of the trials in which the service did not come back.
    collapsed: f64,
}

impl Badness {
    fn of(scenario: &Scenario, result: &RunResult, records: &[TrialRecord]) -> Badness {
        let goals = scenario.expects.iter().zip(&result.expect);
        let distance = |(goal, verdict): (&Expect, &Verdict)| {
            let value = verdict.value?;
            let (is_met, apart) = match goal.that.comparison {
                Comparison::Lt => (value < verdict.bound, value - verdict.bound),
                Comparison::Le => (value <= verdict.bound, value - verdict.bound),
                Comparison::Gt => (value > verdict.bound, verdict.bound - value),
                Comparison::Ge => (value >= verdict.bound, verdict.bound - value),
            };
            (!is_met).then(|| (apart.abs() / verdict.bound.abs().max(1e-9)).max(1e-9))
        };
        let missed: Vec<f64> = goals.filter_map(distance).collect();
        Badness {
            failed: 1.0 - result.metrics.availability.mean.unwrap_or(1.0),
            missed: missed.len(),
            distance: missed.iter().sum(),
            grows: !result.steady_state.reached || result.stopped.is_some(),
            waits_s: match advise::unconfirmed(scenario, result, records) {
                Some(Finding::NoAcks { waited_s, .. }) => waited_s,
                _ => 0.0,
            },
            lag_s: result
                .metrics
                .data
                .as_ref()
                .and_then(|data| data.lag_ms_max.mean)
                .map_or(0.0, |ms| ms / 1e3),
            collapsed: result
                .collapse
                .as_ref()
                .map_or(0.0, |collapse| f64::from(collapse.of) / f64::from(collapse.trials)),
        }
    }

    /// The same of some trials alone, in all of which the service did not come back.
    fn of_collapsed(self, records: &[&TrialRecord]) -> Badness {
        let windows = || records.iter().flat_map(|record| &record.windows);
        let issued: u64 = windows().map(|window| window.issued).sum();
        let ok: u64 = windows().map(|window| window.ok).sum();
        Badness { failed: 1.0 - ok as f64 / issued.max(1) as f64, collapsed: 1.0, ..self }
    }

    fn is_none(self) -> bool {
        self.missed == 0 && self.failed <= FAILS && !self.grows && self.waits_s == 0.0
    }

    /// Whether what was complained of is gone: that the service stayed down, the goals that were missed, or the failures where
    /// none was. An incident may still cost some requests.
    fn is_solved(self, before: Badness) -> bool {
        let were_goals = before.missed > 0 || before.failed <= FAILS;
        let was_else = were_goals || before.collapsed > 0.0;
        let is_back = self.collapsed == 0.0;
        self.missed == 0
            && is_back
            && (was_else || self.failed <= FAILS)
            && !self.grows
            && self.waits_s == 0.0
    }

    /// Whether it is better than another: nothing that matters is worse, and something is clearly better.
    fn is_better_than(self, other: Badness) -> bool {
        if self.is_none() {
            return true;
        }
        let fails_less = self.failed < BETTER * other.failed;
        let fails_more = self.failed > (other.failed + FAILS) / BETTER;
        let waits_less = self.waits_s < BETTER * other.waits_s
            || other.lag_s > LAGS_S && self.lag_s < BETTER * other.lag_s;
        let nearer = self.distance < BETTER * other.distance;
        let farther = self.distance > other.distance / BETTER;
        let comes_back = self.collapsed < other.collapsed;
        (fails_less
            || waits_less
            || comes_back
            || nearer && other.failed <= FAILS
            || other.grows && !self.grows)
            && !fails_more
            && !farther
            || self.missed < other.missed && !fails_more
    }
}

/// Tries what could help, and puts what came of it, and the advice that follows, into the result. The result does not depend on
/// the number of threads. Where nothing fails, it tries the failure that is the next question, if there is one.
pub fn try_advice(
    scenario: &Scenario,
    options: &RunOptions,
    result: &mut RunResult,
    records: &[TrialRecord],
    reload: &Reload<'_>,
    progress: &dyn Progress,
) {
    if !result.complete && result.stopped.is_none() {
        return;
    }
    if !advise::fails(result) {
        if let Some(machine) = advise::untried(scenario, result) {
            result.next = try_death(scenario, options, &machine, reload, progress).or(result.next.take());
        }
        return;
    }
    let (numbers, chosen) = chosen(options, result, records);
    let mut before = Badness::of(scenario, result, records);
    let is_down = before.collapsed > 0.0;
    if is_down {
        before = before.of_collapsed(&chosen);
    }
    let mut left = result.events.max(EVENTS_FREE);
    let (plans, each) = advise::plans(scenario, result, Some(reload));
    for (number, plan) in plans.into_iter().take(ATTEMPTS_MAX).enumerate() {
        if number >= each && result.tried.iter().any(|attempt| attempt.solves) {
            break;
        }
        let pairs: Vec<(String, String)> = plan.iter().map(Change::pair).collect();
        let Some(changed) = reload(&pairs) else { continue };
        // What an attempt costs is known afterwards: the run tells about how much.
        let expected = result.events / result.trials as u64 * numbers.len() as u64;
        if left < expected {
            break;
        }
        let Some((found, after)) = tried(&changed, options, &numbers, before, progress) else { break };
        left = left.saturating_sub(found.events);
        let helps = after.is_better_than(before);
        result.tried.push(Attempt {
            changes: plan,
            available: 1.0 - after.failed,
            p99_ms: found.metrics.response_ms.p99.mean,
            goals_met: found.expect.len() - after.missed,
            goals: found.expect.len(),
            helps,
            solves: helps
                && after.is_solved(before)
                && (before.lag_s < LAGS_S || after.lag_s < before.lag_s / 2.0),
            waits_s: (before.waits_s > 0.0).then_some(after.waits_s),
            recovers: is_down.then_some(after.collapsed == 0.0),
        });
    }
    advise::name_cures(result);
    result.next =
        if result.tried.is_empty() { result.next.take() } else { advise::best(scenario, &result.tried) };
}

/// The trials of an attempt, by their numbers and with what was recorded: those in which the service did not come back, if there
/// are any, else the first.
fn chosen<'a>(
    options: &RunOptions,
    result: &RunResult,
    records: &'a [TrialRecord],
) -> (Vec<u32>, Vec<&'a TrialRecord>) {
    let has_collapsed = |at: usize| {
        result.collapse.as_ref().is_some_and(|collapse| collapse.by_trial.get(at) == Some(&Some(true)))
    };
    let down: Vec<usize> = (0..records.len()).filter(|at| has_collapsed(*at)).collect();
    let all = if down.is_empty() { (0..records.len()).collect() } else { down };
    let some = all.into_iter().take(TRIALS as usize);
    some.map(|at| (options.trials.start + at as u32, &records[at])).unzip()
}

/// What some trials of an attempt show, one alone if that is no better than the run; `None` after an interruption.
fn tried(
    changed: &Scenario,
    options: &RunOptions,
    numbers: &[u32],
    before: Badness,
    progress: &dyn Progress,
) -> Option<(RunResult, Badness)> {
    let one = |number: u32| RunOptions { trials: number..number + 1, ..options.clone() };
    let (first, more) = numbers.split_first()?;
    let judged = |all: &Trials| {
        (!all.records.is_empty()).then(|| {
            let found = RunResult::measured(changed, &one(*first), all);
            let after = Badness::of(changed, &found, &all.records);
            (found, after)
        })
    };
    let mut all = run(changed, &one(*first), progress);
    let found = judged(&all)?;
    if more.is_empty() || !found.1.is_better_than(before) {
        return Some(found).filter(|_| all.complete || !progress.interrupted());
    }
    for number in more {
        let next = run(changed, &one(*number), progress);
        all.complete &= next.complete;
        all.records.extend(next.records);
    }
    judged(&all).filter(|_| all.complete || !progress.interrupted())
}

/// Tries the death of a machine. Returns the command in which it dies, with what came of it.
fn try_death(
    scenario: &Scenario,
    options: &RunOptions,
    machine: &str,
    reload: &Reload<'_>,
    progress: &dyn Progress,
) -> Option<String> {
    let loss = loss::loss(reload(&[])?, machine, options, progress)?;
    let cost = format!("tried: {:.1} % available", loss.available * 100.0);
    Some(advise::dies(scenario, machine, &cost))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn better_means_that_nothing_is_worse_and_something_is_clearly_better() {
        let bad = |failed: f64, missed: usize, distance: f64| Badness {
            failed,
            missed,
            distance,
            grows: false,
            waits_s: 0.0,
            lag_s: 0.0,
            collapsed: 0.0,
        };
        let before = bad(0.2, 1, 0.5);
        assert!(bad(0.0, 0, 0.0).is_better_than(before));
        assert!(bad(0.1, 1, 0.4).is_better_than(before));
        assert!(!bad(0.19, 1, 0.49).is_better_than(before), "that is chance");
        assert!(!bad(0.1, 2, 5.0).is_better_than(before), "another goal is farther away");
        assert!(!bad(0.4, 0, 0.0).is_better_than(before), "more requests fail");
        assert!(bad(0.0, 1, 0.1).is_better_than(bad(0.0, 1, 0.5)));
        let down = Badness { collapsed: 1.0, ..before };
        assert!(before.is_better_than(down) && !down.is_better_than(down), "it comes back");
    }

    #[test]
    fn solved_is_what_was_complained_of() {
        let bad = |failed: f64, missed: usize, collapsed: f64| Badness {
            failed,
            missed,
            distance: 0.0,
            grows: false,
            waits_s: 0.0,
            lag_s: 0.0,
            collapsed,
        };
        assert!(bad(0.05, 0, 0.0).is_solved(bad(0.2, 1, 0.0)), "the goal is met");
        assert!(!bad(0.05, 0, 0.0).is_solved(bad(0.2, 0, 0.0)), "there was none that was missed");
        assert!(
            bad(0.05, 0, 0.0).is_solved(bad(0.8, 0, 1.0)),
            "it comes back, and the incident had its price"
        );
        assert!(!bad(0.05, 0, 0.5).is_solved(bad(0.8, 0, 1.0)));
    }
}
