//! Predictions of theory, wherever the assumptions of a law hold; whether they hold is measured too.

use crate::model::class::priorities;
use crate::model::record::{ComponentRecord, TrialRecord};
use crate::model::resource::{Bound, Meter, Resource, Sort};
use crate::model::simulation::Length;
use crate::model::spec::Offered;
use crate::scenario::load::{BoxLoad, ResourceLoad, StaticLoad};
use crate::scenario::{BoxEntry, Scenario};
use crate::stats::tally::{Moments, Tally};
use crate::theory::laws::little_inside;
use crate::theory::queues::{Steady, approximate_wait, mg1, mmc};

use super::result::{Figure, Prediction, Relation, RunResult};
use super::series::window_length;

/// Approximate number of requests in a span of time whose count can tell a Poisson process from others.
const ISSUED_MIN: f64 = 20.0;

/// Number of such spans that are needed.
const SPANS_MIN: u64 = 100;

/// A squared coefficient of variation this close to 1 counts as exponential.
const EXPONENTIAL_WITHIN: f64 = 0.05;

/// Largest standard error of a measured squared coefficient of variation with which a prediction is made; a tenth of it
/// if the prediction uses the value.
const NOISE_MAX: f64 = 0.3;

/// Slots of which the law says that less is held are not worth a line.
const HELD_SHOWN: f64 = 0.3;

/// All predictions for these trials; none if the system has no steady state or was disturbed by faults.
pub(super) fn predictions(
    scenario: &Scenario,
    records: &[TrialRecord],
    result: &RunResult,
) -> Vec<Prediction> {
    if !result.steady_state.reached || records[0].is_disturbed() {
        return Vec::new();
    }
    let load = scenario.load();
    let mut found = vec![little(result)];
    found.extend(closed(&load, result));
    if is_clean(result) {
        found.extend(utilisations(scenario, &load, records, result));
        found.extend(alone(scenario, &load, records, result));
    }
    found.into_iter().map(Prediction::judged).collect()
}

/// A queue that takes long to forget its start.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Slow {
    /// The box.
    pub(super) of: String,
    /// Use of its cores, 0..1.
    pub(super) used: f64,
    /// Its relaxation time, in seconds.
    pub(super) relaxation_s: f64,
    /// The measured time of a trial, in seconds.
    pub(super) measured_s: f64,
}

/// The queue for cores that relaxes most slowly, by an open load that does not change; `None` without one. The relaxation time
/// is that of Odoni and Roth (*Operations Research* 31(3), 1983) for exponential times, 2 s / (2.8 (1 - sqrt(u))^2), with the work
/// s of a call on all cores of a machine together and their use u.
pub(super) fn relaxation(scenario: &Scenario, length: Length) -> Option<Slow> {
    let load = scenario.load();
    let is_open = load.clients.iter().all(|client| matches!(client.offered, Offered::Open(_)));
    if !is_open || !scenario.is_constant() {
        return None;
    }
    let slow = |row: &ResourceLoad| {
        let used = row.utilisation();
        let calls = row.mean.open_calls;
        let is_queue = row.resource.meter == Meter::Cores && (0.5..1.0).contains(&used) && calls > 0.0;
        // Each member has a queue of its own.
        let work_s = used * f64::from(row.left) / calls;
        is_queue.then(|| Slow {
            of: row.name.clone(),
            used,
            relaxation_s: 2.0 * work_s / (2.8 * (1.0 - used.sqrt()).powi(2)),
            measured_s: length.measured.as_secs_f64(),
        })
    };
    load.resources
        .iter()
        .filter_map(slow)
        .reduce(|most, one| if one.relaxation_s > most.relaxation_s { one } else { most })
}

/// Whether every request was answered at its first try, so that all calls are those that the scenario describes.
fn is_clean(result: &RunResult) -> bool {
    let one = Some(1.0);
    result.metrics.availability.mean == one && result.metrics.attempts_per_request.mean == one
}

/// Little's law for the system: N = X R, over all requests that ended.
fn little(result: &RunResult) -> Prediction {
    let metrics = &result.metrics;
    let ended_rps = metrics.offered_rps.mean.unwrap_or(0.0);
    let seconds = metrics.response_all_ms.mean.mean.unwrap_or(0.0) / 1000.0;
    Prediction {
        component: "system".into(),
        law: "Little's law".into(),
        quantity: "in_flight_mean",
        relation: Relation::Equal,
        theory: little_inside(ended_rps, seconds),
        measured: metrics.in_flight_mean.clone(),
        verdict: None,
    }
}

/// Asymptotic bounds of one closed population: X <= min(N / (Z + D), 1 / D_max) and R >= max(D, N D_max - Z). Network
/// time, which D leaves out, only moves the measurements further inside.
fn closed(load: &StaticLoad, result: &RunResult) -> Vec<Prediction> {
    let [client] = load.clients.as_slice() else { return Vec::new() };
    let highest = client.peak.as_ref().map_or(client.offered, |peak| peak.offered);
    let (Offered::Closed(most, _), Offered::Closed(users, rest)) = (highest, client.offered) else {
        return Vec::new();
    };
    // Of requests that fail, some may need less than the mean one that comes through.
    let bounds_answers = is_clean(result) || !client.differs && client.by_class.len() == 1;
    if client.demand_max_s <= 0.0 || !bounds_answers {
        return Vec::new();
    }
    let steady = most == users;
    let bound = |quantity, relation, theory, measured: &Figure| Prediction {
        component: "system".into(),
        law: "the asymptotic bound".into(),
        quantity,
        relation,
        theory,
        measured: measured.clone(),
        verdict: None,
    };
    let least_s = client.demand_s.max(client.demand_max_s);
    let response_min = rest.answer_s(users * client.demand_max_s).max(least_s) * 1000.0;
    let metrics = &result.metrics;
    let mut found =
        vec![bound("throughput_rps", Relation::AtMost, client.throughput_max_peak, &metrics.throughput_rps)];
    // If requests fail early, the others are faster than the bound for served requests. With fewer users for a while there
    // is less to wait for.
    if is_clean(result) && steady {
        found.push(bound("response_ms", Relation::AtLeast, response_min, &metrics.response_ms.mean));
    }
    found
}

/// The utilisation law, U = X D / c, for each resource that is measured. Slots are held for at least as long as the law
/// says, as calls also wait while they hold them.
fn utilisations(
    scenario: &Scenario,
    load: &StaticLoad,
    records: &[TrialRecord],
    result: &RunResult,
) -> Vec<Prediction> {
    let Some(scale) = throughput_scale(load, result) else { return Vec::new() };
    let law = |row: &ResourceLoad| {
        let theory = row.utilisation() * scale;
        // What nobody waits for may lag behind, and then it is not all done.
        if !(theory > 0.0 && theory < 1.0) {
            return None;
        }
        let Resource { sort, bound, meter, .. } = row.resource;
        let (law, relation) = match (sort, bound) {
            (Sort::Slots, Bound::AtMost) if theory >= HELD_SHOWN => ("Little's law", Relation::AtLeast),
            (Sort::Rate, Bound::Exact) => ("utilisation law", Relation::Equal),
            (Sort::Rate, Bound::About) => ("utilisation law", Relation::About),
            // With contention, the speed of the cores depends on how many are busy, so that the means are not enough for
            // the law. Of the others nothing is said: they would only repeat that little of them is used.
            _ => return None,
        };
        let entry = scenario.entry(&row.name)?;
        let members = row.resource.of.clone().map(|number| entry.spec.member(&row.name, number).name);
        let measured = used(&row.resource, &members.collect::<Vec<String>>(), records)?;
        let quantity = match meter {
            Meter::Disk => "disk_utilisation",
            Meter::Slots | Meter::Gauge(_) => row.resource.name,
            _ => "utilisation",
        };
        Some(Prediction {
            component: row.member.clone(),
            law: law.into(),
            quantity,
            relation,
            theory,
            measured,
            verdict: None,
        })
    };
    load.resources.iter().filter_map(law).collect()
}

/// The measured use of a resource, 0..1: the mean over its members; `None` where it is not measured.
fn used(resource: &Resource, members: &[String], records: &[TrialRecord]) -> Option<Figure> {
    let of = |component: &ComponentRecord| {
        let machine = component.machine.as_ref();
        match resource.meter {
            Meter::Cores => machine.map(|machine| machine.busy_cores_mean / f64::from(machine.cores)),
            Meter::Disk => machine.and_then(|machine| machine.disk_utilisation),
            Meter::Slots => component.slots_held,
            Meter::Gauge(name) => {
                let gauge = component.gauges.iter().find(|(gauge, _)| gauge.name == name);
                gauge.map(|(_, reading)| reading.mean() / resource.has)
            }
            Meter::Memory | Meter::Passed | Meter::Law => None,
        }
    };
    let mean = |record: &TrialRecord| {
        let components = record.components.iter().filter(|component| members.contains(&component.name));
        let all: Option<Vec<f64>> = components.map(of).collect();
        all.filter(|all| all.len() == members.len()).map(|all| all.iter().sum::<f64>() / all.len() as f64)
    };
    let trials: Option<Vec<f64>> = records.iter().map(mean).collect();
    trials.map(Figure::over)
}

/// Measured throughput divided by that of the static load; `None` with several clients, where one number is not enough.
fn throughput_scale(load: &StaticLoad, result: &RunResult) -> Option<f64> {
    let [client] = load.clients.as_slice() else { return None };
    let measured = result.metrics.throughput_rps.mean?;
    let expected = if let Offered::Open(rate) = client.offered { rate } else { client.throughput_max };
    (expected.is_finite() && expected > 0.0).then(|| measured / expected)
}

/// The queueing formula for a box that has its machine for itself, makes no calls, and gets its calls from a Poisson
/// process.
fn alone(
    scenario: &Scenario,
    load: &StaticLoad,
    records: &[TrialRecord],
    result: &RunResult,
) -> Option<Prediction> {
    let [client] = load.clients.as_slice() else { return None };
    let Offered::Open(rate) = client.offered else { return None };
    if !priorities(&scenario.classes).is_empty() {
        return None;
    }
    let busy: Vec<&BoxLoad> = load.boxes.iter().filter(|one| one.cpu_s > 0.0).collect();
    let [station] = busy.as_slice() else { return None };
    let entry = scenario.entry(&station.name)?;
    let machine =
        entry.spec.machine().filter(|machine| !machine.has_contention() && machine.quota.is_none())?;
    let resources = entry.spec.resources(&scenario.classes);
    if resources.iter().any(|one| one.meter == Meter::Cores && one.bound != Bound::Exact) {
        return None;
    }
    let measured = result.components.get(&station.name)?;
    let works_alone = entry.spec.members() == 1 && calls_nobody(entry, scenario) && station.wait_s == 0.0;
    let sees_all = (station.calls_per_s / rate - 1.0).abs() < 1e-9;
    if !works_alone || !sees_all || !is_poisson(records) {
        return None;
    }
    let service = station.cpu_s / machine.speed;
    let trials: Vec<&ComponentRecord> = records
        .iter()
        .filter_map(|record| record.components.iter().find(|component| component.name == station.name))
        .collect();
    let (law, relation, seconds) = match machine.limit {
        None => shared(rate, service, machine.cores, &trials)?,
        Some(_) => in_turn(rate, service, machine.cores, &trials)?,
    };
    Some(Prediction {
        component: station.name.clone(),
        law,
        quantity: "response_ms",
        relation,
        theory: seconds * 1000.0,
        measured: measured.response_ms.mean.clone(),
        verdict: None,
    })
}

fn calls_nobody(entry: &BoxEntry, scenario: &Scenario) -> bool {
    scenario.classes.iter().all(|class| entry.spec.demand(class).calls.is_empty())
}

/// Processor sharing on c cores: the mean response time depends only on the mean of the work (Kelly 1979), so it is
/// that of M/M/c. Valid only if no call waits for a worker.
fn shared(
    rate: f64,
    service: f64,
    cores: u32,
    trials: &[&ComponentRecord],
) -> Option<(String, Relation, f64)> {
    if trials.iter().any(|trial| trial.wait.sum() > 0) {
        return None;
    }
    let response = mmc(rate, service, cores)?.response;
    Some((format!("M/G/{cores} processor sharing"), Relation::Equal, response))
}

/// One call for each core, in order of arrival. A call's wait and its service are independent here, so the variance of
/// the service is the variance of the response time minus that of the wait.
fn in_turn(
    rate: f64,
    service: f64,
    cores: u32,
    trials: &[&ComponentRecord],
) -> Option<(String, Relation, f64)> {
    let (mut response, mut wait) = (Tally::default(), Tally::default());
    for trial in trials {
        response.merge(&trial.response);
        wait.merge(&trial.wait);
    }
    let served = response.mean() - wait.mean();
    let scv = ((response.variance() - wait.variance()) / (served * served)).max(0.0);
    // The sample covariance of wait and service, which long waits make large, ends up in this variance.
    let noise = 2.0 * wait.sd() / (served * (wait.count() as f64).sqrt());
    let is_exponential = (scv - 1.0).abs() < EXPONENTIAL_WITHIN + 3.0 * noise;
    if noise > if is_exponential { NOISE_MAX } else { NOISE_MAX / 10.0 } {
        return None;
    }
    let at = |station: Option<Steady>| station.map(|station| station.response);
    let (law, relation, seconds) = match (cores, is_exponential) {
        (1, true) => ("M/M/1".into(), Relation::Equal, at(mmc(rate, service, 1))),
        (1, false) => (format!("M/G/1 with cv² {scv:.2}"), Relation::Equal, at(mg1(rate, service, scv))),
        (_, true) => (format!("M/M/{cores}"), Relation::Equal, at(mmc(rate, service, cores))),
        (_, false) => {
            let wait = approximate_wait(rate, service, cores, 1.0, scv);
            (format!("M/G/{cores} with cv² {scv:.2}"), Relation::About, wait.map(|wait| wait + service))
        }
    };
    Some((law, relation, seconds?))
}

/// Whether the numbers of requests in equal spans of time vary like those of a Poisson process: the ratio of variance
/// to mean is 1, within five standard deviations.
fn is_poisson(records: &[TrialRecord]) -> bool {
    let Some(longest) = records.first().map(window_length) else { return false };
    let regular = |record: &TrialRecord| -> Vec<f64> {
        let windows = record.windows.iter().filter(|window| window.length_s >= longest * 0.99);
        windows.map(|window| window.issued as f64).collect()
    };
    let trials: Vec<Vec<f64>> = records.iter().map(regular).collect();
    let windows: usize = trials.iter().map(Vec::len).sum();
    let per_window = trials.iter().flatten().sum::<f64>() / windows as f64;
    let span = (ISSUED_MIN / per_window).ceil().max(1.0) as usize;
    let spans = trials.iter().flat_map(|trial| trial.chunks_exact(span));
    let counts: Moments = spans.map(|span| span.iter().sum::<f64>()).collect();
    let tolerance = 5.0 * (2.0 / counts.count() as f64).sqrt();
    counts.count() >= SPANS_MIN && (counts.variance() / counts.mean() - 1.0).abs() < tolerance
}

#[cfg(test)]
mod tests {
    use super::super::runner::{RunOptions, Unwatched, run};
    use super::super::samples::{from_text, options, scenario};
    use super::*;
    use crate::kernel::time::SimDuration;

    /// Law, quantity and what it says, of ten trials of a minute.
    fn check(scenario: &Scenario, expected: &[(&str, &str, f64)]) {
        let mut options = RunOptions { jobs: 2, ..options(10) };
        options.length.measured = SimDuration::from_secs(60);
        let result = RunResult::new(scenario, &options, &run(scenario, &options, &Unwatched));
        for (law, quantity, theory) in expected {
            let found = result.theory.iter().find(|one| one.law == *law && one.quantity == *quantity);
            let found = found.unwrap_or_else(|| panic!("{law} is missing: {:?}", result.theory));
            assert!((found.theory / theory - 1.0).abs() < 0.02, "{found:?}");
            let (low, high) = found.measured.interval().unwrap();
            let holds = match found.relation {
                Relation::Equal | Relation::About => low < found.theory && found.theory < high,
                Relation::AtMost => low <= found.theory,
                Relation::AtLeast => high >= found.theory,
            };
            assert!(holds, "{found:?}");
        }
        assert_eq!(result.theory.len(), expected.len(), "{:?}", result.theory);
    }

    fn with(scenario: &Scenario, from: &str, to: &str) -> Scenario {
        assert!(scenario.text.contains(from));
        from_text(&scenario.text.replace(from, to))
    }

    #[test]
    fn a_box_alone_is_held_against_its_formula() {
        let mm1 = scenario("50/s");
        let rest = [("Little's law", "in_flight_mean", 1.0), ("utilisation law", "utilisation", 0.5)];
        let and = |law: (&'static str, &'static str, f64)| [&rest[..], &[law]].concat();
        check(&mm1, &and(("M/M/1", "response_ms", 20.0)));
        let shared = with(&mm1, "'fifo'", "'ps'");
        check(&shared, &and(("M/G/1 processor sharing", "response_ms", 20.0)));
        let constant = with(&mm1, "{ dist = 'exponential', mean = '10ms' }", "'10ms'");
        let rest = [("Little's law", "in_flight_mean", 0.75), ("utilisation law", "utilisation", 0.5)];
        check(&constant, &[&rest[..], &[("M/G/1 with cv² 0.00", "response_ms", 15.0)]].concat());
    }

    #[test]
    fn without_poisson_arrivals_no_formula_is_claimed() {
        let regular =
            with(&scenario("50/s"), "rate = '50/s'", "rate = '50/s'\narrivals = { dist = 'constant' }");
        let options = RunOptions { jobs: 2, ..options(10) };
        let result = RunResult::new(&regular, &options, &run(&regular, &options, &Unwatched));
        assert!(result.theory.iter().all(|one| !one.law.starts_with("M/")), "{:?}", result.theory);
    }

    #[test]
    fn closed_users_have_bounds() {
        let closed = with(
            &scenario("50/s"),
            "rate = '50/s'",
            "users = 40\nthink_time = { dist = 'exponential', mean = '500ms' }",
        );
        // 40 / 0.51 is less than 1 / 0.01.
        let laws = [
            ("Little's law", "in_flight_mean", 1.65),
            ("the asymptotic bound", "throughput_rps", 78.43),
            ("the asymptotic bound", "response_ms", 10.0),
            ("utilisation law", "utilisation", 0.76),
        ];
        let mut options = RunOptions { jobs: 2, ..options(10) };
        options.length.measured = SimDuration::from_secs(60);
        let result = RunResult::new(&closed, &options, &run(&closed, &options, &Unwatched));
        let found: Vec<(&str, &str)> =
            result.theory.iter().map(|one| (one.law.as_str(), one.quantity)).collect();
        assert_eq!(found, laws.map(|(law, quantity, _)| (law, quantity)));
        assert!(
            (result.theory[1].theory - 78.43).abs() < 0.01 && (result.theory[2].theory - 10.0).abs() < 1e-9
        );
    }
}

#[cfg(test)]
mod relaxation_tests {
    use super::*;
    use crate::components::KINDS;
    use crate::model::spec::NoFiles;

    fn slow(rate: &str, duration: &str) -> Option<Slow> {
        let text = format!(
            "[run]\nduration = '{duration}'\n[client.u]\nrate = '{rate}'\ntarget = 's'\n[server.s]\npublic = true\n\
             cores = 1\nsteps = [{{ cpu = '10ms' }}]\n"
        );
        let scenario = crate::scenario::load("a.toml", &text, &[], &NoFiles, KINDS).unwrap().scenario;
        relaxation(&scenario, scenario.length())
    }

    #[test]
    fn a_nearly_full_queue_takes_a_minute_to_forget_its_start() {
        // 2 x 10 ms / (2.8 (1 - sqrt(0.98))^2)
        let full = slow("98/s", "1min").unwrap();
        assert!((full.relaxation_s - 70.7).abs() < 0.5 && full.of == "s", "{full:?}");
        assert!(super::super::warn::too_short_to_relax(full).unwrap().contains("--duration"));
        let roomy = slow("60/s", "1min").unwrap();
        assert_eq!(super::super::warn::too_short_to_relax(roomy), None);
        assert_eq!(slow("120/s", "1min"), None, "it grows without end");
    }
}
