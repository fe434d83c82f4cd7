//! Laws that must hold in every scenario. Each seed gives a random topology with its load and limits. A scenario that
//! breaks a law is printed with its seed.

mod generator;

use std::panic::{AssertUnwindSafe, catch_unwind};

use outgrow::components::KINDS;
use outgrow::kernel::random::Seed;
use outgrow::model::record::{ClassRecord, ComponentRecord, Stop, TrialRecord};
use outgrow::model::signal::Outcome;
use outgrow::model::spec::NoFiles;
use outgrow::scenario::{Scenario, build::build, load};
use outgrow::stats::histogram::Histogram;
use rayon::prelude::*;

use crate::expectations::is_study;
use generator::{Generated, Mood, generate};

/// Seeds of each mood: 200 scenarios in all.
const SEEDS: u64 = 40;

/// Tolerance for rounding of time averages.
const EPSILON: f64 = 1e-9;

fn read(text: &str) -> Scenario {
    match load("laws.toml", text, &[], &NoFiles, KINDS) {
        Ok(loaded) => loaded.scenario,
        Err(found) => panic!("the generator writes valid scenarios\n{}", found.render(false)),
    }
}

fn run(scenario: &Scenario) -> TrialRecord {
    // At the end the model itself asserts that each request ended once, and Little's law for each box.
    build(scenario, Seed::new(scenario.run.seed).trial(0)).run(scenario.length(), &mut |_| false)
}

fn check(generated: &Generated) {
    let scenario = read(&generated.text);
    let record = run(&scenario);
    assert_eq!(record.stop, Stop::Finished);
    assert_eq!(record.measured, scenario.length().measured);
    let from_start = scenario.length().warmup.is_zero();
    record.classes.iter().for_each(|class| check_class(class, generated.attempts));
    for component in &record.components {
        check_component(component, from_start);
        check_capacity(component, generated, &scenario, &record);
    }
    check_windows(&record, from_start);
    if let Some(users) = generated.users {
        let alive: u64 = record.classes.iter().map(ClassRecord::in_flight).sum();
        assert!(alive <= users, "{alive} requests of {users} users");
        assert!(record.in_flight_mean <= users as f64 + EPSILON, "{} of {users}", record.in_flight_mean);
        assert!(record.carried_in <= users);
    }
    let again = run(&scenario);
    assert_eq!((record.fingerprint, record.events), (again.fingerprint, again.events), "twice the same seed");
}

/// Checks that each request of a class ends once, and that its counts agree.
fn check_class(class: &ClassRecord, attempts: u64) {
    let ended: u64 = class.outcomes.iter().sum();
    let ok = class.outcomes[Outcome::Ok as usize];
    assert_eq!(class.in_flight() + ended, class.issued);
    assert_eq!((class.ended.count(), class.ok.count(), class.response.count()), (ended, ok, ok));
    assert!(class.good <= ok && class.completed_good <= class.completed);
    assert!((ended..=ended * attempts).contains(&class.attempts), "{} tries of {ended}", class.attempts);
    check_order(&class.ok);
    check_order(&class.ended);
    assert_eq!(class.ok.sum(), class.response.sum());
}

fn check_order(times: &Histogram) {
    if times.is_empty() {
        return;
    }
    let mut values = vec![times.min().unwrap_or(0)];
    values.extend([0.5, 0.95, 0.99, 0.999].map(|q| times.quantile(q)));
    values.push(times.max().unwrap_or(0));
    assert!(values.is_sorted(), "quantiles {values:?}");
}

/// Checks that calls that came have left or are inside, and that hardware does no more than it can.
fn check_component(component: &ComponentRecord, from_start: bool) {
    let name = &component.name;
    let left = component.outcomes.iter().sum::<u64>() + component.dropped;
    if from_start {
        assert!(left <= component.arrived, "{name}: {left} of {} left", component.arrived);
        assert!(component.arrived - left <= component.inside_max, "{name}");
    }
    assert!(component.inside_mean <= component.inside_max as f64 + EPSILON, "{name}");
    assert!(component.queue_mean <= component.queue_max as f64 + EPSILON, "{name}");
    if component.response.count() > 0 {
        assert_eq!(component.response.count(), component.outcomes[Outcome::Ok as usize], "{name}");
        assert!(component.wait.sum() <= component.response.sum(), "{name}: waits longer than it stays");
    }
    if let Some(machine) = &component.machine {
        assert!(machine.busy_cores_mean <= f64::from(machine.cores) * (1.0 + EPSILON), "{name}: busy");
        assert!(machine.memory_max <= machine.memory_total, "{name}: memory");
        assert!(machine.disk_utilisation.is_none_or(|busy| busy <= 1.0 + EPSILON), "{name}: disk");
    }
}

/// Checks that the work of the answered calls fits into the time of the cores. Calls inside at the start may have
/// done some of their work before.
fn check_capacity(
    component: &ComponentRecord,
    generated: &Generated,
    scenario: &Scenario,
    record: &TrialRecord,
) {
    let Some((_, work)) = generated.least_work.iter().find(|(name, _)| *name == component.group) else {
        return;
    };
    let machine = component.machine.as_ref().expect("a server runs on a machine");
    let speed =
        scenario.entry(&component.group).and_then(|entry| entry.spec.machine()).map_or(1.0, |m| m.speed);
    let done = component.outcomes[Outcome::Ok as usize] as f64 * work / speed;
    let had = if scenario.length().warmup.is_zero() { 0.0 } else { component.inside_max as f64 * work };
    let time = f64::from(machine.cores) * record.measured.as_secs_f64();
    assert!(done <= (time + had) * (1.0 + 1e-6), "{}: {done} s of work in {time} s", component.name);
}

/// Checks that the windows add up to the whole trial.
fn check_windows(record: &TrialRecord, from_start: bool) {
    let mut end = 0.0;
    for window in &record.windows {
        assert!((window.start_s - end).abs() < EPSILON && window.length_s > 0.0);
        assert_eq!(window.p99.is_some(), window.ok > 0);
        assert!(window.inside.iter().all(|inside| *inside >= 0.0));
        end = window.start_s + window.length_s;
    }
    if from_start {
        let count = |f: fn(&ClassRecord) -> u64| record.classes.iter().map(f).sum::<u64>();
        let issued: u64 = record.windows.iter().map(|window| window.issued).sum();
        let ok: u64 = record.windows.iter().map(|window| window.ok).sum();
        let failed: u64 = record.windows.iter().map(|window| window.failed).sum();
        let ended = count(|class| class.outcomes.iter().sum());
        assert_eq!((issued, ok), (count(|class| class.issued), count(|class| class.completed)));
        assert_eq!(ok + failed, ended);
    }
}

/// If the scenario of a seed breaks a law: the seed, the law, and the text of the scenario.
fn verdict(seed: u64, mood: Mood) -> Option<String> {
    let generated = generate(seed, mood);
    let panic = catch_unwind(AssertUnwindSafe(|| check(&generated))).err()?;
    let why = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    Some(format!("seed {seed}, {mood:?}: {}\n\n{}", why.unwrap_or("a panic"), generated.text))
}

fn swarm(seeds: std::ops::Range<u64>) {
    let of = |mood| seeds.clone().map(move |seed| (seed, mood));
    let all: Vec<(u64, Mood)> = Mood::ALL.into_iter().flat_map(of).collect();
    let broken: Vec<String> = all.par_iter().filter_map(|&(seed, mood)| verdict(seed, mood)).collect();
    let shown = broken.join("\n----\n");
    assert!(broken.is_empty(), "{} of {} scenarios break a law\n{shown}", broken.len(), all.len());
}

#[test]
fn every_scenario_keeps_the_laws() {
    swarm(0..if is_study() { SEEDS * 100 } else { SEEDS });
}

/// The generator must reach every outcome, and crashes, queues and retries: easy scenarios would show nothing.
#[test]
fn the_swarm_sees_every_kind_of_end() {
    let mut seen = [0_u64; Outcome::ALL.len()];
    let (mut crashes, mut waits, mut retries) = (0, 0, 0);
    for mood in Mood::ALL {
        for seed in 0..SEEDS / 4 {
            let record = run(&read(&generate(seed, mood).text));
            for class in &record.classes {
                seen.iter_mut().zip(class.outcomes).for_each(|(seen, count)| *seen += count);
                retries += class.attempts - class.outcomes.iter().sum::<u64>();
            }
            crashes += record.timeline.iter().filter(|note| note.event == "crash").count();
            waits += record.components.iter().filter(|component| component.queue_max > 0).count();
        }
    }
    println!("outcomes {seen:?}, crashes {crashes}, queues {waits}, retries {retries}");
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
    assert!(crashes > 0 && waits > 0 && retries > 0, "{crashes} crashes, {waits} queues, {retries} retries");
}
