//! Computes a [`RunResult`] from trials: every figure of the result by its definition.

use crate::kernel::random::mix;
use crate::model::record::{ClassRecord, ComponentRecord, MachineRecord, Note, Stop, TrialRecord};
use crate::model::signal::Outcome;
use crate::scenario::Scenario;
use crate::stats::histogram::Histogram;
use crate::stats::spectral::spectral_interval;
use crate::stats::tally::Tally;

use super::apart::Apart;
use super::collapse::{Verdict, collapse};
use super::data::DataResult;
use super::figure::{NANOS_PER_MS, mean_response, sd_ms};
use super::gauge::GaugeResult;
use super::pooled::Pooled;
use super::result::{
    ClassResult, ComponentResult, Failures, Figure, Happening, MachineResult, Metrics, Moments, Named,
    Outcomes, Responses, RunResult, SCHEMA, ScenarioRef, Stopped,
};
use super::runner::{RunOptions, Trials};
use super::{advise, expect, rare, series, steady, theory, warn};

impl RunResult {
    /// The result of the trials of a run.
    ///
    /// # Panics
    /// If there are no trials.
    #[must_use]
    pub fn new(scenario: &Scenario, options: &RunOptions, trials: &Trials) -> RunResult {
        let mut result = RunResult::measured(scenario, options, trials);
        result.why = advise::why(scenario, &result, &trials.records, options.length);
        result.next = advise::next(scenario, &result, None);
        result
    }

    /// The same without reasons and advice.
    ///
    /// # Panics
    /// If there are no trials.
    #[must_use]
    pub(super) fn measured(scenario: &Scenario, options: &RunOptions, trials: &Trials) -> RunResult {
        let records = trials.records.as_slice();
        assert!(!records.is_empty(), "a result needs a trial");
        let pooled = pooled(records);
        let collapse = collapse(scenario, records, options.length);
        let mut result = RunResult {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            complete: trials.complete,
            stopped: stopped(records),
            scenario: reference(scenario),
            seed: options.seed,
            trials: records.len(),
            duration_s: options.length.measured.as_secs_f64(),
            warmup_s: options.length.warmup.as_secs_f64(),
            fingerprint: fingerprint(records),
            events: records.iter().map(|record| record.events).sum(),
            steady_state: steady::steady_state(records, options.length),
            collapse: None,
            worlds: None,
            random_faults: rare::random_faults(scenario, records),
            precision: trials.precision,
            metrics: metrics(scenario, records, &pooled),
            classes: classes(scenario, records, &pooled),
            components: components(scenario, records),
            series: series::series(records),
            timeline: timeline(&records[0]),
            bottleneck: None,
            theory: Vec::new(),
            expect: Vec::new(),
            checks: Vec::new(),
            why: Vec::new(),
            tried: Vec::new(),
            next: None,
            warnings: Vec::new(),
            pooled,
        };
        if let Some(grows) = steady::seen_in_the_scenario(scenario, records, options.length, &result) {
            result.steady_state = grows;
        }
        if let Verdict::Shown(found) = &collapse {
            result.steady_state.reached &= found.of == 0;
            result.collapse = Some(found.clone());
        }
        result.bottleneck = advise::bottleneck(scenario, &result);
        result.theory = theory::predictions(scenario, records, &result);
        result.expect =
            scenario.expects.iter().map(|expect| expect::verdict(expect, &result, records)).collect();
        let apart = result.collapse.as_ref().and_then(|found| Apart::of(scenario, options, trials, found));
        if let Some(apart) = apart {
            result.worlds = Some(apart.figures());
            apart.judge(scenario, &mut result.expect);
        }
        result.checks =
            scenario.checks.iter().map(|check| expect::checked(check, &result, records)).collect();
        result.warnings = warn::warnings(records, options.length, &result);
        result.warnings.extend(warn::too_short_to_tell(&collapse));
        result
            .warnings
            .extend(theory::relaxation(scenario, options.length).and_then(warn::too_short_to_relax));
        result
    }
}

fn reference(scenario: &Scenario) -> ScenarioRef {
    ScenarioRef {
        title: scenario.title.clone(),
        file: scenario.origin.clone(),
        sha256: scenario.sha256.clone(),
    }
}

/// Why trials stopped by themselves; `None` if none did.
fn stopped(records: &[TrialRecord]) -> Option<Stopped> {
    records.iter().find_map(|record| match record.stop {
        Stop::TooManyCalls => Some(Stopped::TooManyCalls),
        Stop::Standstill => Some(Stopped::Standstill),
        Stop::Finished | Stop::Interrupted => None,
    })
}

/// One fingerprint for all trials, in their order; 16 hexadecimal digits.
fn fingerprint(records: &[TrialRecord]) -> String {
    format!("{:016x}", records.iter().fold(0, |all, record| mix(all, record.fingerprint)))
}

fn pooled(records: &[TrialRecord]) -> Pooled {
    let merged = |of: fn(&ClassRecord) -> &Histogram, record: &TrialRecord| {
        let mut all = Histogram::default();
        record.classes.iter().for_each(|class| all.merge(of(class)));
        all
    };
    let class = |index: usize| records.iter().map(|record| record.classes[index].ok.clone()).collect();
    Pooled {
        ok: records.iter().map(|record| merged(|class| &class.ok, record)).collect(),
        ended: records.iter().map(|record| merged(|class| &class.ended, record)).collect(),
        classes: (0..records[0].classes.len()).map(class).collect(),
    }
}

/// The sum of a count over all classes of a trial.
fn total(record: &TrialRecord, count: impl Fn(&ClassRecord) -> u64) -> f64 {
    record.classes.iter().map(count).sum::<u64>() as f64
}

fn seconds(record: &TrialRecord) -> f64 {
    record.measured.as_secs_f64()
}

fn metrics(scenario: &Scenario, records: &[TrialRecord], pooled: &Pooled) -> Metrics {
    let figure = |value: &dyn Fn(&TrialRecord) -> f64| Figure::over(records.iter().map(value));
    let rate = |count: fn(&ClassRecord) -> u64| figure(&|record| total(record, count) / seconds(record));
    let ended = |class: &ClassRecord| class.outcomes.iter().sum::<u64>();
    let ok = |class: &ClassRecord| class.outcomes[Outcome::Ok as usize];
    let mut response_ms = Responses::of(&pooled.ok.iter().collect::<Vec<_>>());
    response_ms.mean = mean_response_figure(records);
    Metrics {
        offered_rps: rate(|class| class.issued),
        throughput_rps: rate(|class| class.completed),
        goodput_rps: rate(|class| class.completed_good),
        availability: Figure::share(records.iter().map(|record| (total(record, ok), total(record, ended)))),
        in_flight_mean: figure(&|record| record.in_flight_mean),
        cost_usd_per_hour: certain(records.iter().map(cost)),
        response_ms,
        response_sd_ms: figure(&|record| {
            let mut all = Tally::default();
            record.classes.iter().for_each(|class| all.merge(&class.response));
            sd_ms(&all)
        }),
        response_all_ms: Responses::of(&pooled.ended.iter().collect::<Vec<_>>()),
        outcomes: Outcomes {
            in_flight: Some(figure(&|record| total(record, ClassRecord::in_flight))),
            ..outcomes(records, |record, outcome| total(record, |class| class.outcomes[outcome as usize]))
        },
        attempts_per_request: figure(&|record| total(record, |class| class.attempts) / total(record, ended)),
        data: DataResult::of(records, scenario.classes.iter().any(|class| class.keys.is_given)),
    }
}

/// The mean response time over trials, in ms. A single trial gets the interval of the spectral method.
fn mean_response_figure(records: &[TrialRecord]) -> Figure {
    let mut figure = Figure::over(records.iter().map(mean_response));
    if let [lone] = records {
        let estimate = spectral_interval(&lone.batches.means());
        figure.half_width = estimate.and_then(|estimate| estimate.half_width).map(|half| half / NANOS_PER_MS);
    }
    figure
}

/// A figure that is not random: even a single trial gives it exactly.
fn certain(values: impl IntoIterator<Item = f64>) -> Figure {
    let figure = Figure::over(values);
    Figure { half_width: figure.half_width.or(Some(0.0)), ..figure }
}

/// Price of the machines of a trial in USD an hour; each machine counts once.
fn cost(record: &TrialRecord) -> f64 {
    let machines =
        record.components.iter().filter_map(|component| Some((component, component.machine.as_ref()?)));
    machines
        .filter(|(component, machine)| component.name == machine.host)
        .map(|(_, machine)| machine.price)
        .sum()
}

fn outcomes(records: &[TrialRecord], count: impl Fn(&TrialRecord, Outcome) -> f64) -> Outcomes {
    Outcomes::of(|outcome| Figure::count(records.iter().map(|record| count(record, outcome))))
}

fn classes(scenario: &Scenario, records: &[TrialRecord], pooled: &Pooled) -> Named<ClassResult> {
    let class = |(index, histograms): (usize, &Vec<Histogram>)| {
        let of = |value: &dyn Fn(&ClassRecord, f64) -> f64| {
            Figure::over(records.iter().map(|record| value(&record.classes[index], seconds(record))))
        };
        let result = ClassResult {
            offered_rps: of(&|class, seconds| class.issued as f64 / seconds),
            throughput_rps: of(&|class, seconds| class.completed as f64 / seconds),
            goodput_rps: of(&|class, seconds| class.completed_good as f64 / seconds),
            availability: Figure::share(records.iter().map(|record| &record.classes[index]).map(|class| {
                (class.outcomes[Outcome::Ok as usize] as f64, class.outcomes.iter().sum::<u64>() as f64)
            })),
            response_ms: Responses::of(&histograms.iter().collect::<Vec<_>>()),
            response_sd_ms: of(&|class, _| sd_ms(&class.response)),
            outcomes: Outcomes {
                in_flight: Some(of(&|class, _| class.in_flight() as f64)),
                ..outcomes(records, |record, outcome| record.classes[index].outcomes[outcome as usize] as f64)
            },
        };
        (scenario.classes[index].name.clone(), result)
    };
    Named(pooled.classes.iter().enumerate().map(class).collect())
}

fn components(scenario: &Scenario, records: &[TrialRecord]) -> Named<ComponentResult> {
    let one = |index: usize| {
        let of: Vec<(&ComponentRecord, f64)> =
            records.iter().map(|record| (&record.components[index], seconds(record))).collect();
        let mut result = component(&of);
        if let Some(entry) = scenario.entry(&result.group) {
            result.gauges.0.retain(|(_, one)| entry.knows(&one.gauge, &scenario.classes));
        }
        (of[0].0.name.clone(), result)
    };
    Named((0..records[0].components.len()).map(one).collect())
}

/// The figures of one component, given its record and the measured seconds of each trial.
fn component(trials: &[(&ComponentRecord, f64)]) -> ComponentResult {
    let (first, _) = trials[0];
    let figure = |value: &dyn Fn(&ComponentRecord) -> f64| {
        Figure::over(trials.iter().map(|(component, _)| value(component)))
    };
    let machine = |value: &dyn Fn(&MachineRecord) -> f64| {
        let of = |component: &ComponentRecord| component.machine.as_ref().map_or(f64::NAN, value);
        first.machine.is_some().then(|| figure(&of))
    };
    let waits: Vec<&Histogram> = trials.iter().map(|(component, _)| &component.waits).collect();
    let count = |value: &dyn Fn(&ComponentRecord) -> u64| {
        Figure::count(trials.iter().map(|(component, _)| value(component) as f64))
    };
    let answered = |(component, seconds): &(&ComponentRecord, f64)| {
        component.outcomes[Outcome::Ok as usize] as f64 / seconds
    };
    let has_disk = first.machine.as_ref().is_some_and(|machine| machine.disk_utilisation.is_some());
    let disk = machine(&|machine| machine.disk_utilisation.unwrap_or(f64::NAN));
    ComponentResult {
        kind: first.kind,
        group: first.group.clone(),
        utilisation: machine(&|machine| {
            // Of the time in which there was a machine.
            let rented = if machine.rented > 0.0 { machine.rented } else { 1.0 };
            machine.busy_cores_mean / (f64::from(machine.cores) * rented)
        }),
        queue_len_mean: figure(&|component| component.queue_mean),
        queue_len_max: figure(&|component| component.queue_max as f64),
        inside_mean: figure(&|component| component.inside_mean),
        inside_max: figure(&|component| component.inside_max as f64),
        slots_utilisation: first
            .slots_held
            .is_some()
            .then(|| figure(&|component| component.slots_held.unwrap_or(f64::NAN))),
        busy_cores_mean: machine(&|machine| machine.busy_cores_mean),
        memory_bytes_max: machine(&|machine| machine.memory_max as f64),
        disk_utilisation: disk.filter(|_| has_disk),
        calls: figure(&|component| component.arrived as f64),
        throughput_rps: Figure::over(trials.iter().map(answered)),
        wait_ms: Responses::of(&waits),
        wait_sd_ms: figure(&|component| sd_ms(&component.wait)),
        waited_share: figure(&|component| {
            (component.wait.count() - component.wait.zeros()) as f64 / component.wait.count() as f64
        }),
        response_ms: Moments::of(trials.iter().map(|(component, _)| &component.response)),
        own_ms: figure(&own_ms),
        outcomes: Outcomes::of(|outcome| count(&|component| component.outcomes[outcome as usize])),
        failures: failures(trials),
        answered_in_vain: count(&|component| component.in_vain),
        gauges: GaugeResult::all(&trials.iter().map(|(component, _)| *component).collect::<Vec<_>>()),
        machine: first.machine.as_ref().map(machine_result),
    }
}

/// Where the failures of one component began.
fn failures(trials: &[(&ComponentRecord, f64)]) -> Failures {
    let count = |value: &dyn Fn(&ComponentRecord) -> u64| {
        Figure::count(trials.iter().map(|(component, _)| value(component) as f64))
    };
    let happened =
        |outcome: &&Outcome| trials.iter().any(|(component, _)| component.own[**outcome as usize] > 0);
    let own = Outcome::ALL.iter().filter(happened);
    let own = own.map(|&outcome| (outcome.name().to_owned(), count(&|one| one.own[outcome as usize])));
    Failures { own: Named(own.collect()), passed_on: count(&|component| component.passed) }
}

/// Mean time in ms that a call answered ok spends at a component, without the time inside the components that it calls.
/// Parallel calls count one after the other, so the result may be too small; it is never below 0.
fn own_ms(component: &ComponentRecord) -> f64 {
    let nanos = component.response.sum().saturating_sub(component.asked);
    nanos as f64 / component.response.count() as f64 / NANOS_PER_MS
}

fn machine_result(machine: &MachineRecord) -> MachineResult {
    MachineResult {
        host: machine.host.clone(),
        cores: machine.cores,
        memory_bytes: machine.memory_total,
        usd_per_hour: machine.price,
    }
}

fn timeline(record: &TrialRecord) -> Vec<Happening> {
    let happening = |note: &Note| Happening {
        t_s: note.at.as_secs_f64(),
        component: note.component.clone(),
        event: note.event.clone(),
    };
    record.timeline.iter().map(happening).collect()
}

#[cfg(test)]
mod tests {
    use super::super::samples::{result, trial};
    use super::*;

    #[test]
    fn figures_are_what_their_definitions_say() {
        let mut records = vec![trial(&[100, 200]), trial(&[300, 400, 500, 600])];
        for record in &mut records {
            let class = &mut record.classes[0];
            class.issued += 2;
            class.outcomes[Outcome::Rejected as usize] = 1;
            class.completed_good = 1;
            class.attempts += 3;
        }
        let metrics = result(records).metrics;
        let trials = |figure: &Figure| figure.trials.iter().map(|value| value.unwrap()).collect::<Vec<_>>();
        // Two trials of 10 s with 4 and 6 issued requests: 2 and 4 ended ok, 1 was rejected and 1 is in progress.
        assert_eq!(trials(&metrics.offered_rps), [0.4, 0.6]);
        assert_eq!(trials(&metrics.throughput_rps), [0.2, 0.4]);
        assert_eq!(trials(&metrics.goodput_rps), [0.1, 0.1]);
        assert_eq!(trials(&metrics.availability), [2.0 / 3.0, 0.8]);
        assert_eq!(trials(&metrics.outcomes.rejected), [1.0, 1.0]);
        assert_eq!(trials(metrics.outcomes.in_flight.as_ref().unwrap()), [1.0, 1.0]);
        assert_eq!(trials(&metrics.attempts_per_request), [5.0 / 3.0, 7.0 / 5.0]);
        assert_eq!(trials(&metrics.response_ms.mean), [150.0, 450.0]);
        assert_eq!(metrics.response_ms.mean.mean, Some(300.0));
        assert_eq!(trials(&metrics.response_ms.max), [200.0, 600.0]);
        // 100 and 200; 300, 400, 500 and 600: variances 5000 and 50,000 / 3.
        let sd = trials(&metrics.response_sd_ms);
        assert!(
            (sd[0].powi(2) - 5000.0).abs() < 1e-6 && (sd[1].powi(2) - 50_000.0 / 3.0).abs() < 1e-6,
            "{sd:?}"
        );
        assert_eq!(metrics.response_ms.p50.mean, None, "six requests have no median worth the name");
    }

    #[test]
    fn components_have_their_shares_and_machines_cost_once() {
        let result = result(vec![trial(&[100]), trial(&[100])]);
        let (box_, db) = (result.components.get("box").unwrap(), result.components.get("db").unwrap());
        assert_eq!(box_.utilisation.as_ref().unwrap().mean, Some(0.75));
        assert_eq!(db.machine.as_ref().unwrap().host, "box");
        let cost = &result.metrics.cost_usd_per_hour;
        assert_eq!((cost.mean, cost.half_width), (Some(0.5), Some(0.0)));
        assert_eq!(box_.throughput_rps.mean, Some(0.1));
    }

    #[test]
    fn the_json_has_the_names_of_the_format() {
        let json = serde_json::to_value(result(vec![trial(&[100]), trial(&[300])])).unwrap();
        assert_eq!(json["schema"], "outgrow.result/1");
        assert_eq!(json["metrics"]["response_ms"]["mean"]["trials"], serde_json::json!([100.0, 300.0]));
        assert_eq!(json["metrics"]["response_ms"]["p99"]["mean"], serde_json::Value::Null);
        assert_eq!(json["components"]["box"]["kind"], "server");
        assert_eq!(json["classes"]["request"]["outcomes"]["ok"]["mean"], 1.0);
        assert_eq!(json["fingerprint"].as_str().unwrap().len(), 16);
        assert!(json.get("pooled").is_none() && json.get("precision").is_none());
    }

    #[test]
    fn one_trial_has_an_interval_for_the_mean_alone() {
        let mut lone = trial(&[100, 200]);
        (0..600).for_each(|index| lone.batches.record(f64::from(index % 7) * 1e6));
        let result = result(vec![lone]);
        assert!(result.metrics.response_ms.mean.half_width.is_some());
        assert_eq!(result.metrics.offered_rps.half_width, None);
        assert!(result.expect.is_empty());
    }
}
