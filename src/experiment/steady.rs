//! Did the system reach steady state? Finds growing queues, and advises on the warm-up.

use std::collections::BTreeSet;

use crate::components::database::DataRecord;
use crate::kernel::time::SimDuration;
use crate::model::ledger::LedgerRecord;
use crate::model::record::{Stop, TrialRecord, Window, is_alert};
use crate::model::resource::{Bound, Full};
use crate::model::simulation::Length;
use crate::scenario::Scenario;
use crate::scenario::load::ResourceLoad;
use crate::stats::interval::Estimate;
use crate::stats::series::{average_over_trials, mean};
use crate::stats::trend::{grows, rises};
use crate::stats::warmup::{drift, mser5};

use super::result::{RunResult, SteadyState};
use super::series::{in_system, whole, window_length};

/// The probability of a false alarm about the warm-up.
const ALARM_RISK: f64 = 0.01;

/// A load that changes by more than this share between the second and the last quarter is taken to change on purpose.
/// Growing queues are then not reported.
const LOAD_CHANGE_MAX: f64 = 0.1;

/// Utilisation from which a machine is taken for the cause of a growing queue, and not for a victim of it.
const SATURATED: f64 = 0.9;

/// Smallest growth to report, as a share of the arrivals. In a scenario with many boxes, chance alone gives one of them
/// a small slope.
const GROWTH_SHARE_MIN: f64 = 0.002;

/// Smallest growth of a replica's lag to report, in seconds a second: 1 % more is written than is applied.
const LAG_GROWTH_MIN: f64 = 0.01;

/// A lag that grows by more, in seconds a second, is that of a replica which applies nothing yet, because its log is sent
/// later on purpose.
const LAG_GROWTH_MAX: f64 = 0.99;

/// What is wrong with the warm-up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum WarmupProblem {
    /// It ends too early; it should have this length in seconds.
    TooShort(f64),
    /// The mean number of calls inside differs between the first and the second half of the measured time: by this
    /// much, at this mean level.
    Drift(f64, f64),
}

/// Whether the system reached steady state; otherwise the means of these trials depend on their length.
pub(super) fn steady_state(records: &[TrialRecord], length: Length) -> SteadyState {
    let overloaded: Vec<&TrialRecord> =
        records.iter().filter(|record| record.stop == Stop::TooManyCalls).collect();
    let fastest = if overloaded.is_empty() {
        if !is_undisturbed(records, length) {
            return SteadyState::REACHED;
        }
        growing(records, length)
    } else {
        Some(bursting(overloaded[0]))
    };
    let Some(Growth { of, per_s, is_backlog }) = fastest else {
        return falling_behind(records, length).unwrap_or(SteadyState::REACHED);
    };
    SteadyState {
        reached: false,
        component: of.map(|index| records[0].components[index].name.clone()),
        growth_per_s: Some(per_s),
        is_backlog,
        lag_growth: None,
    }
}

/// What grows without end.
#[derive(Clone, Copy, Debug)]
struct Growth {
    /// The component; none if only the number of requests grows.
    of: Option<usize>,
    /// Calls a second, or messages.
    per_s: f64,
    /// Whether what grows are messages whose senders have been answered.
    is_backlog: bool,
}

/// The verdict on the database whose replicas fall behind fastest; `None` if none does. What they have not applied is a
/// queue too, although no call waits in it.
fn falling_behind(records: &[TrialRecord], length: Length) -> Option<SteadyState> {
    let trials = whole(records);
    // The growth is judged in multiples of the least that counts, over a quarter of the time.
    let unit = LAG_GROWTH_MIN * length.measured.as_secs_f64() / 2.0;
    let per_s = unit / window_length(trials[0]);
    let one = |at: usize| {
        let lags = |trial: &&TrialRecord| {
            let lags = &trial.ledgers[at].find::<DataRecord>()?.lag_series_s;
            Some(measured_of(trial, length, &lags.iter().map(|lag| lag / unit).collect::<Vec<_>>()))
        };
        let growth = grows(&trials.iter().map(lags).collect::<Option<Vec<_>>>()?)? * per_s;
        let group: &LedgerRecord = &trials[0].ledgers[at];
        (LAG_GROWTH_MIN..LAG_GROWTH_MAX).contains(&growth).then_some((&group.group, growth))
    };
    let all = (0..trials[0].ledgers.len()).filter_map(one);
    let (group, growth) = all.reduce(|most, one| if one.1 > most.1 { one } else { most })?;
    Some(SteadyState {
        reached: false,
        component: Some(group.clone()),
        lag_growth: Some(growth),
        ..SteadyState::REACHED
    })
}

/// The verdict that takes the scenario, where the trials alone show none.
pub(super) fn seen_in_the_scenario(
    scenario: &Scenario,
    records: &[TrialRecord],
    length: Length,
    result: &RunResult,
) -> Option<SteadyState> {
    behind_by_law(scenario, records, result).or_else(|| piles_up(scenario, records, length, result))
}

/// The verdict on a database of which more is written than its replicas can apply, by the utilisation law. In a short trial
/// chance may hide what the law tells exactly. `None` where there is none, or where the verdict does not apply.
fn behind_by_law(scenario: &Scenario, records: &[TrialRecord], result: &RunResult) -> Option<SteadyState> {
    // What fails on its way is not written.
    let served = result.metrics.availability.mean?;
    if !result.steady_state.reached || !scenario.is_constant() || records[0].is_disturbed() {
        return None;
    }
    let load = scenario.load();
    let sure = |row: &&ResourceLoad| row.resource.full == Full::LAGS && row.resource.bound != Bound::About;
    let used = |row: &ResourceLoad| served * row.mean.open / row.capacity();
    let fullest = load.resources.iter().filter(sure).max_by(|a, b| used(a).total_cmp(&used(b)))?;
    let growth = 1.0 - 1.0 / used(fullest);
    (growth > 0.0).then(|| SteadyState {
        reached: false,
        component: Some(fullest.name.clone()),
        lag_growth: Some(growth),
        ..SteadyState::REACHED
    })
}

/// The verdict on a queue whose messages pile up while something happens to other boxes only, and by no plan: an autoscaler gives
/// these more machines, but none to the workers of the queue. `None` if there is none, or if the verdict does not apply.
fn piles_up(
    scenario: &Scenario,
    records: &[TrialRecord],
    length: Length,
    result: &RunResult,
) -> Option<SteadyState> {
    let is_planned = !scenario.faults.is_empty() || !scenario.operations.is_empty();
    let changes = scenario.boxes.iter().any(|entry| entry.spec.changes_load());
    if !result.steady_state.reached || is_planned || changes || !keeps_its_load(records, length) {
        return None;
    }
    let components = &records[0].components;
    let notes = records.iter().flat_map(|record| &record.timeline).filter(|note| !is_alert(&note.event));
    let group_of = |name: &String| components.iter().find(|one| one.name == *name).map(|one| &one.group);
    let touched: BTreeSet<&String> = notes.filter_map(|note| group_of(&note.component)).collect();
    let is_untouched = |growth: &Growth| {
        let Some(entry) = growth.of.and_then(|index| scenario.entry(&components[index].group)) else {
            return false;
        };
        let later = scenario.classes.iter().flat_map(|class| entry.spec.demand(class).later);
        let workers: BTreeSet<String> = later.map(|(name, _)| name).collect();
        let comes_and_goes = |name| scenario.entry(name).is_some_and(|entry| entry.starts.is_some());
        !workers.iter().chain([&entry.name]).any(|name| touched.contains(name) || comes_and_goes(name))
    };
    let growth = backlogs(&whole(records), length).into_iter().filter(is_untouched);
    let Growth { of, per_s, is_backlog } = growth.max_by(|a, b| a.per_s.total_cmp(&b.per_s))?;
    Some(SteadyState {
        reached: false,
        component: of.map(|index| components[index].name.clone()),
        growth_per_s: Some(per_s),
        is_backlog,
        lag_growth: None,
    })
}

/// The fullest component of a trial that had to stop, and how fast it filled, in calls a second.
fn bursting(record: &TrialRecord) -> Growth {
    let last = record.windows.last().expect("a trial closes a window when it stops");
    let end = last.start_s + last.length_s;
    let fullest =
        last.components.iter().map(|one| one.inside).enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
    let none = Growth { of: None, per_s: 0.0, is_backlog: false };
    fullest.map_or(none, |(index, inside)| Growth { of: Some(index), per_s: inside / end, ..none })
}

/// What grows, if anything does.
fn growing(records: &[TrialRecord], length: Length) -> Option<Growth> {
    let trials = whole(records);
    let per_s = 1.0 / window_length(trials[0]);
    let calls = (0..trials[0].components.len()).filter_map(|index| {
        let inside =
            trials.iter().map(|trial| measured(trial, length, |window| window.components[index].inside));
        let per_s = grows(&inside.collect::<Vec<_>>())? * per_s;
        is_worth_a_word(&trials, length, index, per_s).then_some(Growth {
            of: Some(index),
            per_s,
            is_backlog: false,
        })
    });
    let saturated = |growth: &Growth| {
        let machine = growth.of.and_then(|index| trials[0].components[index].machine.as_ref());
        machine.is_some_and(|machine| machine.busy_cores_mean >= SATURATED * f64::from(machine.cores))
    };
    // Calls that wait downstream also fill their caller. So the component with the busiest machine explains the growth
    // of its callers, not the other way round.
    let worst = calls
        .chain(backlogs(&trials, length))
        .max_by(|a, b| saturated(a).cmp(&saturated(b)).then(a.per_s.total_cmp(&b.per_s)));
    if worst.is_some() {
        return worst;
    }
    let under_way: Vec<Vec<f64>> =
        trials.iter().map(|trial| measured_of(trial, length, &in_system(trial))).collect();
    grows(&under_way).map(|growth| Growth { of: None, per_s: growth * per_s, is_backlog: false })
}

/// Whether a growth, in calls or messages a second, is more than chance gives one of many boxes.
fn is_worth_a_word(trials: &[&TrialRecord], length: Length, index: usize, per_s: f64) -> bool {
    let arrived = mean(trials.iter().map(|trial| trial.components[index].arrived as f64));
    per_s * length.measured.as_secs_f64() >= GROWTH_SHARE_MIN * arrived
}

/// The queues whose messages become more without end.
fn backlogs(trials: &[&TrialRecord], length: Length) -> Vec<Growth> {
    let per_s = 1.0 / window_length(trials[0]);
    let one = |index: usize| {
        let per_s = backlog_growth(trials, length, index)? * per_s;
        let growth = Growth { of: Some(index), per_s, is_backlog: true };
        is_worth_a_word(trials, length, index, per_s).then_some(growth)
    };
    (0..trials[0].components.len()).filter_map(one).collect()
}

/// The growth of the messages that wait in a queue, in messages a window of the measured time; `None` if it is none.
///
/// It is judged from the empty start on. Nobody waits for these messages, so that nothing but their number tells of an overload:
/// what the warm-up has piled up must not hide what comes on top of it in a short trial.
fn backlog_growth(trials: &[&TrialRecord], length: Length, index: usize) -> Option<f64> {
    let waiting = |length: Length| -> Vec<Vec<f64>> {
        trials
            .iter()
            .map(|trial| measured(trial, length, |window| window.components[index].backlog))
            .collect()
    };
    grows(&waiting(Length { warmup: SimDuration::ZERO, ..length }))?;
    rises(&waiting(length))
}

/// Whether no fault occurred and the load stayed the same, so that only overload can explain growth.
pub(super) fn is_undisturbed(records: &[TrialRecord], length: Length) -> bool {
    if records.iter().any(TrialRecord::is_disturbed) {
        return false;
    }
    keeps_its_load(records, length)
}

/// Whether as many requests come in the last quarter of the measured time as in the second.
fn keeps_its_load(records: &[TrialRecord], length: Length) -> bool {
    let issued: Vec<Vec<f64>> =
        whole(records).iter().map(|trial| measured(trial, length, |window| window.issued as f64)).collect();
    let issued = average_over_trials(&issued);
    let quarter = issued.len() / 4;
    if quarter == 0 {
        return true;
    }
    let second = mean(issued[quarter..2 * quarter].iter().copied());
    let last = mean(issued[issued.len() - quarter..].iter().copied());
    (last - second).abs() <= LOAD_CHANGE_MAX * second.max(last)
}

/// A value of each window of the measured time that has the regular length.
fn measured(record: &TrialRecord, length: Length, value: impl Fn(&Window) -> f64) -> Vec<f64> {
    let values: Vec<f64> = record.windows.iter().map(value).collect();
    measured_of(record, length, &values)
}

/// The entries of `values`, one a window, whose windows are in the measured time and have the regular length.
fn measured_of(record: &TrialRecord, length: Length, values: &[f64]) -> Vec<f64> {
    let regular = window_length(record) * 0.99;
    let warmup = length.warmup.as_secs_f64();
    let is_measured = |window: &Window| window.start_s >= warmup && window.length_s >= regular;
    record
        .windows
        .iter()
        .zip(values)
        .filter(|(window, _)| is_measured(window))
        .map(|(_, value)| *value)
        .collect()
}

/// Calls inside all components, for each window. A call and the calls it makes count separately; the sum is steady when
/// its parts are.
fn inside(record: &TrialRecord) -> Vec<f64> {
    record.windows.iter().map(|window| window.components.iter().map(|one| one.inside).sum()).collect()
}

/// What is wrong with the warm-up, for a system that reached steady state; `None` if nothing is.
///
/// MSER-5, applied to the average over trials, suggests a length. It sometimes cuts noise too, so the suggestion is
/// made only if the part that it drops differs significantly from the rest.
pub(super) fn warmup_problem(records: &[TrialRecord], length: Length) -> Option<WarmupProblem> {
    if !is_undisturbed(records, length) {
        return None;
    }
    let trials = whole(records);
    let series: Vec<Vec<f64>> = trials.iter().map(|trial| inside(trial)).collect();
    let truncation = mser5(&average_over_trials(&series))?;
    let suggested = trials[0].windows.get(truncation.dropped)?.start_s;
    let warmup = length.warmup.as_secs_f64();
    let kept = trials[0].windows.iter().position(|window| window.start_s >= warmup)?;
    if truncation.steady && kept < truncation.dropped && differs(&series, kept, truncation.dropped) {
        return Some(WarmupProblem::TooShort(suggested));
    }
    let measured: Vec<Vec<f64>> = series.iter().map(|trial| trial[kept..].to_vec()).collect();
    let change = drift(&measured).filter(|change| change.p_value().is_some_and(|p| p < ALARM_RISK))?;
    let level = mean(measured.iter().map(|trial| mean(trial.iter().copied())));
    (change.mean.abs() > LOAD_CHANGE_MAX * level).then_some(WarmupProblem::Drift(change.mean, level))
}

/// Whether the windows `from..to` differ significantly from those after `to`, compared over trials.
fn differs(series: &[Vec<f64>], from: usize, to: usize) -> bool {
    let difference =
        |trial: &Vec<f64>| mean(trial[from..to].iter().copied()) - mean(trial[to..].iter().copied());
    let differences: Vec<f64> = series.iter().map(difference).collect();
    Estimate::over_trials(&differences).p_value().is_some_and(|p| p < ALARM_RISK)
}

#[cfg(test)]
mod tests {
    use super::super::finding::Finding;
    use super::super::runner::{Unwatched, run};
    use super::super::samples::{from_text, options, trial};
    use super::*;
    use crate::kernel::time::SimTime;
    use crate::model::record::Note;

    /// Three trials; `calls` gives the number inside the first component by trial and window.
    fn trials(calls: impl Fn(usize, usize) -> f64) -> Vec<TrialRecord> {
        let one = |number: usize| {
            let mut trial = trial(&[]);
            for (index, window) in trial.windows.iter_mut().enumerate() {
                window.components[0].inside = calls(number, index);
            }
            trial
        };
        (0..3).map(one).collect()
    }

    fn verdict(records: &[TrialRecord]) -> SteadyState {
        steady_state(records, options(3).length)
    }

    #[test]
    fn a_queue_that_grows_is_named_with_its_rate() {
        // 5, 6 or 7 calls a window of 0.1 s.
        let state = verdict(&trials(|trial, index| (5 + trial) as f64 * index as f64));
        assert_eq!((state.reached, state.component.as_deref()), (false, Some("box")));
        assert!((state.growth_per_s.unwrap() - 60.0).abs() < 1e-6);
        assert!(verdict(&trials(|_, index| (index % 7) as f64)).reached);
    }

    #[test]
    fn messages_that_pile_up_are_no_steady_state_though_nobody_waits_for_them() {
        // One worker that takes 20 ms a message: 50 messages a second.
        let found = |rate: &str, more: &str, seconds: f64| {
            let scenario = from_text(&format!(
                "[client.u]\ntarget = 'lb'\nrate = '{rate}'\n{more}\n\
                 [balancer.lb]\npublic = true\ntargets = ['web']\n[server.web]\nsteps = [{{ cpu = '1ms' }}, {{ call = 'jobs' }}]\n\
                 [queue.jobs]\ntarget = 'mill'\n[server.mill]\ncores = 2\nsteps = [{{ cpu = '20ms' }}]\n"
            ));
            let mut options = options(3);
            options.length.measured = SimDuration::from_sample_secs(seconds);
            RunResult::new(&scenario, &options, &run(&scenario, &options, &Unwatched))
        };
        assert!(found("35/s", "", 10.0).steady_state.reached);
        // In a trial that is shorter than its warm-up, what waits grows by a fraction only.
        for seconds in [10.0, 1.0] {
            let result = found("80/s", "", seconds);
            let state = &result.steady_state;
            assert_eq!((state.reached, state.component.as_deref()), (false, Some("jobs")), "{seconds}");
            assert!((state.growth_per_s.unwrap() - 30.0).abs() < 9.0, "{state:?}");
            assert!(state.is_backlog && state.times_are_steady());
            // The machine is half busy: one worker has no use for its second core.
            let binds = result.bottleneck.unwrap();
            assert_eq!((binds.component.as_str(), binds.resource), ("jobs", "workers"));
            assert!(result.warnings[0].starts_with("what waits in `jobs`"), "{:?}", result.warnings);
            let is_it = |one: &Finding| matches!(one, Finding::Backlog { of, .. } if of == "jobs");
            assert!(result.why.iter().any(is_it), "{:?}", result.why);
        }
        // Machines that come for the users are none for the workers, and those that come for the workers may be enough.
        let scaled = |target: &str| {
            let fleet = format!(
                "[autoscaler.fleet]\ntarget = '{target}'\nmin = 1\nmax = 3\ngoal = '1%'\nevery = '2s'\nwindow = '2s'\n\
                 boot = '1s'\nstart = '1s'"
            );
            let result = found("80/s", &fleet, 20.0);
            assert!(result.timeline.iter().any(|one| one.component.starts_with(target)), "{target} grows");
            result.steady_state.is_backlog
        };
        assert!(scaled("web") && !scaled("mill"));
        // What comes at once is done later.
        let burst = "profile = { steps = [['0s', 1], ['3s', 3], ['4s', 0.2]] }";
        assert!(found("35/s", burst, 10.0).steady_state.reached);
    }

    #[test]
    fn a_lag_that_grows_is_a_backlog() {
        // One replica with one worker that takes 5 ms a write: 200 writes a second.
        let verdict = |rate: &str, ship: &str| {
            let scenario = from_text(&format!(
                "[request.post]\neffect = 'write'\n[client.u]\ntarget = 'web'\nrate = '{rate}'\n\
                 [server.web]\npublic = true\ndb_pool = 100\nsteps = [{{ query = 'db' }}]\n\
                 [database.db]\ncores = 4\nwrite = '5ms'\nreplicas = 1\n{ship}\n"
            ));
            let options = options(3);
            steady_state(&run(&scenario, &options, &Unwatched).records, options.length)
        };
        assert!(verdict("150/s", "").reached);
        let behind = verdict("300/s", "");
        assert_eq!((behind.reached, behind.component.as_deref()), (false, Some("db")));
        let growth = behind.lag_growth.unwrap();
        assert!((growth - 1.0 / 3.0).abs() < 0.05, "a third of the writes is not applied in time: {growth}");
        assert!(verdict("150/s", "ship = { delay = '1h' }").reached, "a delayed replica lags on purpose");
    }

    #[test]
    fn a_lag_that_must_grow_is_told_where_chance_hides_it() {
        let state = |rate: &str| {
            let scenario = from_text(&format!(
                "[request.post]\neffect = 'write'\n[client.u]\ntarget = 'web'\nrate = '{rate}'\n\
                 [server.web]\npublic = true\ndb_pool = 100\nsteps = [{{ query = 'db' }}]\n\
                 [database.db]\ncores = 4\nwrite = '5ms'\nreplicas = 1\n"
            ));
            let trials = run(&scenario, &options(1), &Unwatched);
            let mut result = RunResult::new(&scenario, &options(1), &trials);
            result.steady_state = SteadyState::REACHED;
            behind_by_law(&scenario, &trials.records, &result)
        };
        assert_eq!(state("199/s"), None);
        let behind = state("202/s").unwrap();
        assert!((behind.lag_growth.unwrap() - 2.0 / 202.0).abs() < 1e-3, "{behind:?}");
    }

    #[test]
    fn growth_after_a_crash_or_under_a_rising_load_is_no_verdict() {
        let mut records = trials(|trial, index| (5 + trial) as f64 * index as f64);
        for record in &mut records {
            record.timeline.push(Note { at: SimTime::ZERO, component: "box".into(), event: "crash".into() });
        }
        assert!(verdict(&records).reached);
        for record in &mut records {
            record.timeline.clear();
            for (index, window) in record.windows.iter_mut().enumerate() {
                (window.issued, window.ok, window.failed) = (index as u64, index as u64, 0);
            }
        }
        assert!(verdict(&records).reached);
    }

    #[test]
    fn a_trial_that_burst_names_its_fullest_component() {
        let mut records = trials(|_, index| index as f64);
        records[1].stop = Stop::TooManyCalls;
        let state = verdict(&records);
        assert_eq!((state.reached, state.component.as_deref()), (false, Some("box")));
        assert!((state.growth_per_s.unwrap() - 119.0 / 12.0).abs() < 1e-9);
    }

    #[test]
    fn a_warm_up_that_ends_within_the_transient_is_too_short() {
        let noise = |trial: usize, index: usize| ((index * 7 + trial * 3) % 5) as f64 / 10.0;
        let length = options(3).length;
        let transient = |until: usize| {
            trials(move |trial, index| noise(trial, index) + if index < until { 20.0 } else { 10.0 })
        };
        // The warm-up has 20 windows.
        assert_eq!(warmup_problem(&transient(40), length), Some(WarmupProblem::TooShort(4.0)));
        assert_eq!(warmup_problem(&transient(15), length), None);
        let drifting = trials(|trial, index| noise(trial, index) + 10.0 + index as f64 / 10.0);
        assert!(
            matches!(warmup_problem(&drifting, length), Some(WarmupProblem::Drift(change, _)) if change > 4.0)
        );
    }
}
