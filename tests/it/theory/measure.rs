//! Runs a scenario many times and takes from each trial one number for each quantity.

use outgrow::components::KINDS;
use outgrow::kernel::random::{Seed, name_hash};
use outgrow::model::record::{ClassRecord, ComponentRecord, TrialRecord};
use outgrow::model::signal::Outcome;
use outgrow::model::spec::Files;
use outgrow::scenario::{Scenario, build::build, load};
use outgrow::stats::histogram::Histogram;
use outgrow::stats::tally::{Moments, Tally};
use rayon::prelude::*;

const NANOS: f64 = 1e9;

/// What is read off a trial; times in seconds. A box is named where the quantity belongs to one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Quantity {
    /// Busy share of the cores of the box's machine.
    Utilisation(&'static str),
    /// Time average of the calls inside the box.
    Inside(&'static str),
    /// Time average of the calls that wait in the box.
    Queue(&'static str),
    /// Time average of the calls that wait for a core or use one: unlike `Inside`, not those that wait downstream.
    InStation(&'static str),
    /// Mean time from arrival to answer at the box.
    ResponseAt(&'static str),
    /// Mean wait in the box.
    Wait(&'static str),
    /// Variance of it.
    WaitVariance(&'static str),
    /// Quantile of it.
    WaitQuantile(&'static str, f64),
    /// Share of the calls that wait at all.
    WaitShare(&'static str),
    /// Mean time from asking to the answer, of the classes from .. to.
    Response(usize, usize),
    /// Standard deviation of it.
    ResponseDeviation,
    /// Quantile of it.
    ResponseQuantile(usize, usize, f64),
    /// Mean time to the end of all requests, whatever their end.
    Ended,
    /// The part of `Ended` that is not spent in tries of this many seconds each: pauses between tries.
    Pauses(f64),
    /// Answers a second.
    Throughput,
    /// Requests a second.
    Offered,
    /// Share of the requests that end without an answer.
    Failed,
    /// Share of the requests that end with an answer.
    Succeeded,
    /// Tries a request.
    Attempts,
    /// Share of the tries that fail.
    FailedTries,
    /// Calls a second to all boxes on this box's machine.
    RateOf(&'static str),
    /// Calls a request to all boxes on this box's machine.
    VisitsOf(&'static str),
    /// Share of the requests for which the box is not asked.
    HitsBefore(&'static str),
    /// Requests inside a box, averaged over time: of one class, by Little's law.
    InsideOfClass(usize),
    /// Calls inside the box at this time, and again after each period.
    InsideAt(&'static str, f64, f64),
    /// Requests in a period of this length.
    ArrivalsPer(f64),
}

impl Quantity {
    /// Reads the quantity off a trial.
    pub(crate) fn of(self, record: &TrialRecord) -> f64 {
        use Quantity as Q;
        let seconds = record.measured.as_secs_f64();
        let count = |f: fn(&ClassRecord) -> u64| record.classes.iter().map(f).sum::<u64>() as f64;
        match self {
            Q::Utilisation(name) => {
                let machine = component(record, name).machine.as_ref().expect("a box on a machine");
                machine.busy_cores_mean / f64::from(machine.cores)
            }
            Q::Inside(name) => component(record, name).inside_mean,
            Q::Queue(name) => component(record, name).queue_mean,
            Q::InStation(name) => {
                let at = component(record, name);
                at.queue_mean + at.machine.as_ref().expect("a box on a machine").busy_cores_mean
            }
            Q::ResponseAt(name) => component(record, name).response.mean() / NANOS,
            Q::Wait(name) => component(record, name).wait.mean() / NANOS,
            Q::WaitVariance(name) => component(record, name).wait.variance() / NANOS / NANOS,
            Q::WaitQuantile(name, q) => component(record, name).waits.quantile(q) as f64 / NANOS,
            Q::WaitShare(name) => {
                let wait = &component(record, name).wait;
                1.0 - wait.zeros() as f64 / wait.count() as f64
            }
            Q::Response(from, to) => tally(record, from, to).mean() / NANOS,
            Q::ResponseDeviation => tally(record, 0, usize::MAX).sd() / NANOS,
            Q::ResponseQuantile(from, to, q) => {
                let mut all = Histogram::default();
                classes(record, from, to).for_each(|class| all.merge(&class.ok));
                all.quantile(q) as f64 / NANOS
            }
            Q::Ended => ended(record),
            Q::Pauses(latency) => ended(record) - latency * Q::Attempts.of(record),
            Q::Throughput => count(|class| class.completed) / seconds,
            Q::Offered => count(|class| class.issued) / seconds,
            Q::Failed => 1.0 - count(|class| class.outcomes[Outcome::Ok as usize]) / count(ended_count),
            Q::Succeeded => 1.0 - Q::Failed.of(record),
            Q::Attempts => count(|class| class.attempts) / count(ended_count),
            Q::FailedTries => {
                1.0 - count(|class| class.outcomes[Outcome::Ok as usize]) / count(|class| class.attempts)
            }
            Q::RateOf(host) => visits(record, host) / seconds,
            Q::VisitsOf(host) => visits(record, host) / count(|class| class.issued),
            Q::HitsBefore(name) => 1.0 - component(record, name).arrived as f64 / count(|class| class.issued),
            Q::InsideOfClass(class) => record.classes[class].ok.sum() as f64 / NANOS / seconds,
            Q::InsideAt(name, at, period) => inside_at(record, name, at, period),
            Q::ArrivalsPer(period) => count(|class| class.issued) / seconds * period,
        }
    }
}

fn component<'a>(record: &'a TrialRecord, name: &str) -> &'a ComponentRecord {
    record.components.iter().find(|component| component.name == name).expect("the scenario has this box")
}

/// The classes from .. to, or to the last one.
fn classes(record: &TrialRecord, from: usize, to: usize) -> impl Iterator<Item = &ClassRecord> {
    record.classes[from..to.min(record.classes.len())].iter()
}

fn tally(record: &TrialRecord, from: usize, to: usize) -> Tally {
    let mut all = Tally::default();
    classes(record, from, to).for_each(|class| all.merge(&class.response));
    all
}

fn ended_count(class: &ClassRecord) -> u64 {
    class.outcomes.iter().sum()
}

fn ended(record: &TrialRecord) -> f64 {
    let (sum, count) =
        record.classes.iter().fold((0, 0), |(s, n), class| (s + class.ended.sum(), n + class.ended.count()));
    sum as f64 / count as f64 / NANOS
}

/// Calls to all boxes on the machine of `host`.
fn visits(record: &TrialRecord, host: &str) -> f64 {
    let on_it = record.components.iter().filter(|c| c.machine.as_ref().is_some_and(|m| m.host == host));
    on_it.map(|component| component.arrived).sum::<u64>() as f64
}

/// The level at a moment, from the averages over the two windows before it: the line through their middles. What comes
/// after the moment does not count, so that a step of the load there does no harm.
fn inside_at(record: &TrialRecord, name: &str, at: f64, period: f64) -> f64 {
    let index = record.components.iter().position(|c| c.name == name).expect("the scenario has this box");
    let length = record.windows[0].length_s;
    let end = record.windows.len() as f64 * length;
    let mut levels = Vec::new();
    let mut at = at;
    while at < end + length / 2.0 {
        let after = (at / length).round() as usize;
        assert!((after as f64 * length - at).abs() < 1e-9, "{at} s is not a window's end");
        let [before, last] = [2, 1].map(|back| record.windows[after - back].inside[index]);
        levels.push(last + (last - before) / 2.0);
        at += period;
    }
    levels.iter().sum::<f64>() / levels.len() as f64
}

/// A file whose name is its content, so that a scenario can hold a short trace.
struct Verbatim;

impl Files for Verbatim {
    fn read(&self, path: &str) -> Result<String, String> {
        Ok(path.to_owned())
    }
}

/// The scenario of a text that must be right.
pub(crate) fn scenario(name: &str, text: &str) -> Scenario {
    match load(name, text, &[], &Verbatim, KINDS) {
        Ok(loaded) => loaded.scenario,
        Err(found) => panic!("{}\n{text}", found.render(false)),
    }
}

/// One trial. The seed comes from the scenario's name, so that one unlucky stream does not trouble all cases.
pub(crate) fn trial(scenario: &Scenario, index: u64) -> TrialRecord {
    let mut simulation = build(scenario, Seed::new(name_hash(&scenario.origin)).trial(index));
    simulation.run(scenario.length(), &mut |_| false)
}

/// Many trials of one scenario.
pub(crate) struct Sample {
    /// Requests of all trials.
    pub(crate) requests: u64,
    /// Moments over the trials, one for each quantity.
    pub(crate) moments: Vec<Moments>,
}

/// Runs the trials on all cores; the numbers do not depend on how many there are.
pub(crate) fn sample(scenario: &Scenario, trials: u64, quantities: &[Quantity]) -> Sample {
    let measure = |index| {
        let record = trial(scenario, index);
        let requests: u64 = record.classes.iter().map(|class| class.issued).sum();
        let values: Vec<f64> = quantities.iter().map(|quantity| quantity.of(&record)).collect();
        (requests, values)
    };
    let rows: Vec<(u64, Vec<f64>)> = (0..trials).into_par_iter().map(measure).collect();
    let moments = (0..quantities.len()).map(|column| rows.iter().map(|(_, row)| row[column]).collect());
    Sample { requests: rows.iter().map(|(requests, _)| requests).sum(), moments: moments.collect() }
}
