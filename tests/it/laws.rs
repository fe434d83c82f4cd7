//! Laws that must hold in every scenario. Each seed gives a random topology with its load, its limits and its faults. A
//! scenario that breaks a law is printed with its seed.
//!
//! `cargo test --test it laws` draws some 200 scenarios. `STUDY=1 cargo test --release --test it laws` draws 20,000.

mod capacity;
pub(crate) mod generator;
mod metamorphic;
mod refused;

use std::panic::{AssertUnwindSafe, catch_unwind};

use outgrow::components::KINDS;
use outgrow::kernel::random::Seed;
use outgrow::model::record::{ClassRecord, ComponentRecord, Stop, TrialRecord};
use outgrow::model::signal::Outcome;
use outgrow::scenario::{Scenario, build::build, load};
use outgrow::stats::histogram::Histogram;
use rayon::prelude::*;

use crate::expectations::is_study;
use generator::{Draft, Generated, Mood, Trace, generate};

/// Seeds of each mood: 204 scenarios in all.
const SEEDS: u64 = 34;

/// How many times as many scenarios the long study draws.
const STUDY: u64 = 100;

/// Memory on a disk that machines of the generator have at most, in bytes.
const SWAP: u64 = 64 << 20;

/// Tolerance for rounding of time averages.
const EPSILON: f64 = 1e-9;

/// The number of seeds of a law that takes `quick` of them in a usual run.
fn seeds(quick: u64) -> std::ops::Range<u64> {
    0..if is_study() { quick * STUDY } else { quick }
}

fn read(text: &str, trace: &Trace) -> Scenario {
    match load("laws.toml", text, &[], trace, KINDS) {
        Ok(loaded) => loaded.scenario,
        Err(found) => panic!("the generator writes valid scenarios\n{}", found.render(false)),
    }
}

fn run(scenario: &Scenario) -> TrialRecord {
    // At the end the model itself asserts that each request ended once, and Little's law for each box.
    build(scenario, Seed::new(scenario.run.seed).trial(0)).run(scenario.length(), &mut |_| false)
}

fn check(generated: &Generated) {
    let scenario = read(&generated.text, &generated.trace);
    let record = run(&scenario);
    assert_eq!(record.stop, Stop::Finished);
    assert_eq!(record.measured, scenario.length().measured);
    let from_start = scenario.length().warmup.is_zero();
    record.classes.iter().for_each(|class| check_class(class, generated.attempts));
    for component in &record.components {
        // The router of a database hands calls on to its nodes, so that they leave it without an outcome.
        let forwards = component.machine.is_none()
            && record
                .components
                .iter()
                .any(|other| other.name != component.name && other.group == component.name);
        check_component(component, from_start && !forwards);
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
        let inside = component.arrived - left;
        assert!(inside <= component.inside_max, "{name}: {inside} inside, at most {}", component.inside_max);
    }
    assert!(component.inside_mean <= component.inside_max as f64 + EPSILON, "{name}");
    assert!(component.queue_mean <= component.queue_max as f64 + EPSILON, "{name}");
    if component.response.count() > 0 {
        assert_eq!(component.response.count(), component.outcomes[Outcome::Ok as usize], "{name}");
        assert!(component.wait.sum() <= component.response.sum(), "{name}: waits longer than it stays");
    }
    if let Some(machine) = &component.machine {
        assert!(machine.busy_cores_mean <= f64::from(machine.cores) * (1.0 + EPSILON), "{name}: busy");
        assert!(machine.memory_max <= machine.memory_total + SWAP, "{name}: memory");
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
        assert!(window.components.iter().all(|one| one.inside >= 0.0));
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

/// The law that a check finds broken, if it panics.
fn broken(check: impl FnOnce()) -> Option<String> {
    let panic = catch_unwind(AssertUnwindSafe(check)).err()?;
    let why = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    Some(why.unwrap_or("a panic").to_owned())
}

/// Fails if a check does not hold for the scenarios of all moods and of these seeds. Shows the first ten that break it.
fn swarm(seeds: std::ops::Range<u64>, draft: Draft, check: impl Fn(&Generated) + Sync) {
    let of = |mood| seeds.clone().map(move |seed| (seed, mood));
    let all: Vec<(u64, Mood)> = Mood::ALL.into_iter().flat_map(of).collect();
    let verdict = |&(seed, mood): &(u64, Mood)| {
        let generated = generate(seed, mood, draft);
        let why = broken(|| check(&generated))?;
        Some(format!("seed {seed}, {mood:?}: {why}\n\n{}", generated.text))
    };
    let found: Vec<String> = all.par_iter().filter_map(verdict).collect();
    let shown = found.iter().take(10).cloned().collect::<Vec<_>>().join("\n----\n");
    assert!(found.is_empty(), "{} of {} scenarios break a law\n{shown}", found.len(), all.len());
}

#[test]
fn every_scenario_keeps_the_laws() {
    swarm(seeds(SEEDS), Draft::ALL, check);
}

/// The generator must reach every kind of box and of fault, and every outcome: easy scenarios would show nothing.
#[test]
fn the_swarm_sees_every_kind_of_end() {
    let mut seen = [0_u64; Outcome::ALL.len()];
    let mut events = std::collections::BTreeMap::new();
    let (mut waits, mut retries, mut texts) = (0, 0, String::new());
    for mood in Mood::ALL {
        for seed in 0..SEEDS / 2 {
            let Generated { text, trace, .. } = generate(seed, mood, Draft::ALL);
            let record = run(&read(&text, &trace));
            for class in &record.classes {
                seen.iter_mut().zip(class.outcomes).for_each(|(seen, count)| *seen += count);
                retries += class.attempts - class.outcomes.iter().sum::<u64>();
            }
            record.timeline.iter().for_each(|note| *events.entry(note.event.to_string()).or_insert(0) += 1);
            waits += record.components.iter().filter(|component| component.queue_max > 0).count();
            texts.push_str(&text);
        }
    }
    println!("outcomes {seen:?}, queues {waits}, retries {retries}, {events:#?}");
    // No box finds a conflict by itself.
    let all = Outcome::ALL.into_iter().filter(|outcome| *outcome != Outcome::Conflict);
    assert!(all.into_iter().all(|outcome| seen[outcome as usize] > 0), "{seen:?}");
    assert!(waits > 0 && retries > 0, "{waits} queues, {retries} retries");
    for key in KEYS {
        assert!(texts.contains(key), "no scenario has {key}");
    }
    for event in EVENTS {
        assert!(events.contains_key(*event), "{event} never happens");
    }
}

/// What some scenario must have.
const KEYS: &[&str] = &[
    "liveness = ",
    "\n[autoscaler.",
    "\n[switch.",
    "\n[monitor.",
    "\nabsent = ",
    "calls = \"more",
    "kind = \"scale\"",
    "kind = \"reshard\"",
    "kind = \"purge\"",
    "\nhedge = ",
    "\nbreaker = ",
    "\nthrottle = ",
    "swap = true",
    "miss = ",
    "shards = { count = ",
    "directory = \"of-",
    "scatter = ",
    "evict = \"s3-fifo\"",
    "writes = \"behind\"",
    "order = \"lifo\"",
    "\npoll = ",
    "cpu_quota = ",
    "gc = ",
    "preempt = ",
    "on_memory = \"swap\"",
    "grace = ",
    "errors = ",
    "replicas = ",
    "election = \"lease\"",
    "sync = \"",
    "retries_on = ",
    "probe = true",
    "failover = ",
    "\"multi-primary\"",
    "\"ring\"",
    "regions = ",
    "zone = ",
    "standby = true",
    "policy = \"failover\"",
    "geo = ",
    "sticky = ",
    "retry = ",
    "[cache.",
    "[queue.",
    "[cdn.",
    "shield = ",
    "cacheable = ",
    "missing = ",
    "negative = ",
    "sessions = { store",
    "sessions = { ttl",
    "trace = ",
    "[request.",
    "priority = ",
    "units = ",
    "queue_order = ",
    "shed = ",
    "limit = { calls",
    "limit = { gradient",
    "per_inside = ",
    "pace = ",
    "applies = ",
    "\"crash\"",
    "\"power-off\"",
    "connect_timeout = ",
    "\"hang\"",
    "\"slow\"",
    "\"pause\"",
    "\"partition\"",
    "\"packet-loss\"",
    "\"latency\"",
    "\"disk-full\"",
    "\"dns-empty\"",
    "\"region\"",
    "\"zone\"",
    "\"deploy\"",
];

/// What must happen in some scenario.
const EVENTS: &[&str] = &["crash"];
