//! What the program proposes, it accepts: every lever and every `next:` leads to a scenario that passes `check`.

mod designs;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use outgrow::components::KINDS;
use outgrow::experiment::advise::next;
use outgrow::experiment::capacity::Knob;
use outgrow::experiment::finding::Finding;
use outgrow::experiment::result::{Answer, RunResult, Verdict};
use outgrow::experiment::runner::{RunOptions, Unwatched, run};
use outgrow::kernel::time::SimDuration;
use outgrow::model::lever::Setting;
use outgrow::model::resource::Noun;
use outgrow::model::simulation::Length;
use outgrow::model::spec::{Files, NoFiles};
use outgrow::scenario::levers::levers;
use outgrow::scenario::{Scenario, load};

use crate::golden::{Beside, scenarios};
use designs::design;

/// Random designs whose advice is checked.
const DESIGNS: u64 = 250;

/// Random designs whose advice also passes through the loader before it is given.
const LOADED: u64 = 20;

/// A scenario's text, and the folder of the files that it names.
struct Source<'a> {
    text: &'a str,
    files: &'a dyn Files,
}

impl Source<'_> {
    fn scenario(&self) -> Scenario {
        self.with(&[]).unwrap_or_else(|found| panic!("{found}\n{}", self.text))
    }

    /// The scenario with some overrides, or what is wrong with it.
    fn with(&self, overrides: &[(String, String)]) -> Result<Scenario, String> {
        let loaded = load("a.toml", self.text, overrides, self.files, KINDS);
        loaded.map(|loaded| loaded.scenario).map_err(|found| found.render(false))
    }

    /// Fails unless `check` accepts the scenario with an override. A database whose rows are written by versions has no replicas; the
    /// loader refuses that advice before it is given.
    fn accepts(&self, key: &str, value: &str) {
        if let Err(found) = self.with(&[(key.to_owned(), value.to_owned())]) {
            if key.ends_with(".replicas") && found.contains("optimistic write") {
                return;
            }
            panic!("{key}={value} is refused: {found}\n{}", self.text);
        }
    }
}

/// Calls a function with each scenario that ships.
fn each_built_in(mut of: impl FnMut(&Source<'_>)) {
    for (_, path) in scenarios() {
        let text = fs::read_to_string(&path).expect("a scenario");
        let files = Beside(path.parent().expect("a folder").to_owned());
        of(&Source { text: &text, files: &files });
    }
}

/// The result of one trial of some simulated time.
fn result(scenario: &Scenario, measured: SimDuration) -> RunResult {
    let length = Length { warmup: SimDuration::ZERO, measured };
    let options = RunOptions { seed: 1, trials: 0..1, jobs: 1, length };
    RunResult::new(scenario, &options, &run(scenario, &options, &Unwatched))
}

/// A result to which each test gives the bottleneck and the verdicts that it needs.
fn any_result() -> RunResult {
    let text = "[run]\nduration = '1s'\n[client.u]\nrate = '9/s'\ntarget = 's'\n[server.s]\npublic = true\n\
                steps = [{ cpu = '1ms' }]\n";
    result(&Source { text, files: &NoFiles }.scenario(), SimDuration::from_secs(1))
}

/// Checks a `next:` line, and returns the kinds of its advice: the last part of each key, or `trials`.
fn check_next(source: &Source<'_>, line: &str) -> Vec<String> {
    let command = line.split(" # ").next().expect("a command");
    let rest = command.strip_prefix("outgrow run a.toml ").unwrap_or_else(|| panic!("{line}"));
    if let Some(trials) = rest.strip_prefix("--trials ") {
        source.accepts("run.trials", trials);
        return vec!["trials".to_owned()];
    }
    // A shell takes the quotes away.
    let bare = |set: &str| set.trim().trim_matches('\'').to_owned();
    let pair = |set: String| {
        let (key, value) = set.split_once('=').expect(line);
        (key.to_owned(), value.to_owned())
    };
    let pairs: Vec<(String, String)> = rest.split("--set ").skip(1).map(bare).map(pair).collect();
    if let Err(found) = source.with(&pairs) {
        panic!("{line} is refused: {found}\n{}", source.text);
    }
    pairs
        .iter()
        .map(|(key, _)| key.split_once('.').map_or(key.as_str(), |(_, rest)| rest).to_owned())
        .collect()
}

/// The advice on a result of a scenario, with the loader as its judge if it is `loaded`.
fn advice(source: &Source<'_>, scenario: &Scenario, result: &RunResult, loaded: bool) -> Option<String> {
    let reload = |changes: &[(String, String)]| source.with(changes).ok();
    next(scenario, result, if loaded { Some(&reload) } else { None })
}

/// A finding that a resource is the busiest.
fn busiest(of: String, resource: &'static str) -> Finding {
    Finding::Busiest {
        of,
        resource,
        noun: Noun::Many("the cores"),
        share: 0.95,
        since_s: None,
        piled_up_since_s: None,
        saturates_rps: None,
    }
}

/// Every `next:` of a scenario: with each resource of each box as the cause, at the box and at each of its first members; with
/// each box dead; and with nothing wrong.
fn all_next(
    source: &Source<'_>,
    scenario: &Scenario,
    result: &mut RunResult,
    loaded: bool,
) -> BTreeSet<String> {
    let mut causes = Vec::new();
    for row in scenario.load().resources {
        let Some(entry) = scenario.entry(&row.name) else { continue };
        let guests = scenario.boxes.iter().filter(|guest| guest.spec.host() == Some(&row.name));
        let of = row.resource.of.clone().take(2).map(|number| entry.spec.member(&row.name, number).name);
        let names = of.chain([row.name.clone()]).chain(guests.map(|guest| guest.name.clone()));
        causes.extend(names.map(|of| busiest(of, row.resource.name)));
    }
    let dead = |entry: &outgrow::scenario::BoxEntry| Finding::Fault {
        fault: "crash",
        verb: "crashed",
        of: vec![entry.name.clone()],
        from_s: 0.0,
        until_s: None,
    };
    causes.extend(scenario.boxes.iter().map(dead));
    causes.push(Finding::NoAcks { away: Vec::new(), from_s: 0.0, outage_s: 1.0, waited_s: 1.0 });
    result.steady_state.reached = false;
    let mut lines: BTreeSet<String> = causes
        .into_iter()
        .filter_map(|cause| {
            result.why = vec![cause];
            advice(source, scenario, result, loaded)
        })
        .collect();
    result.why.clear();
    result.steady_state.reached = true;
    lines.extend(advice(source, scenario, result, loaded));
    lines
}

#[test]
fn every_lever_of_the_built_in_scenarios_can_be_turned() {
    let mut turned = 0;
    each_built_in(|source| {
        let scenario = source.scenario();
        for entry in &scenario.boxes {
            for lever in levers(&scenario, entry) {
                let key = format!("{}.{}", entry.name, lever.key);
                // The value now is what the loader has read, or what stands for a key that is not there.
                if lever.now != Setting::Whole(0) {
                    source.accepts(&key, &lever.now.to_string());
                }
                if let Some(next) = lever.next {
                    source.accepts(&key, &next.to_string());
                    turned += 1;
                }
            }
        }
    });
    assert!(turned > 300, "{turned} levers");
}

#[test]
fn the_next_command_of_every_built_in_scenario_is_accepted() {
    let mut any = any_result();
    each_built_in(|source| {
        let scenario = source.scenario();
        let measured = result(&scenario, SimDuration::from_millis(500));
        for line in measured.next.into_iter().chain(all_next(source, &scenario, &mut any, false)) {
            check_next(source, &line);
        }
    });
}

#[test]
fn the_next_command_of_random_scenarios_is_accepted() {
    let mut any = any_result();
    let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..DESIGNS {
        let text = design(seed);
        let source = Source { text: &text, files: &NoFiles };
        let scenario = source.scenario();
        for kind in all_next(&source, &scenario, &mut any, seed < LOADED)
            .iter()
            .flat_map(|line| check_next(&source, line))
        {
            *kinds.entry(kind).or_default() += 1;
        }
    }
    let known = [
        "apply.workers",
        "connections",
        "cores",
        "count",
        "db_pool",
        "disk.iops",
        "failover.preset",
        "fault",
        "health.interval",
        "instance",
        "memory",
        "nodes",
        "rate",
        "rate_limit.rate",
        "read_limit",
        "replicas",
        "retry.attempts",
        "semi_sync_timeout",
        "sessions",
        "users",
        "workers",
        "write_limit",
    ];
    assert_eq!(kinds.keys().collect::<Vec<_>>(), known, "each kind of advice occurs: {kinds:?}");
}

#[test]
fn what_is_not_shown_yet_gets_more_trials() {
    let text = design(1);
    let source = Source { text: &text, files: &NoFiles };
    let mut any = any_result();
    any.expect = vec![Verdict {
        that: "availability > 99%".into(),
        near: None,
        window: None,
        tolerance: None,
        verdict: Answer::NotShown,
        value: Some(0.99),
        half_width: Some(0.01),
        low: Some(0.98),
        high: Some(1.0),
        bound: 0.99,
        unit: "share",
        trials_needed: Some(40),
        reason: None,
        by_world: None,
        level: None,
    }];
    let line = advice(&source, &source.scenario(), &any, true).expect("advice");
    assert_eq!(line, "outgrow run a.toml --trials 40");
    check_next(&source, &line);
}

#[test]
fn no_advice_names_a_key_that_its_box_does_not_have() {
    // Each was proposed once and then refused.
    let mut any = any_result();
    let mut advised = |database: &str, component: &str| {
        let text = format!(
            "[request.read]\nkeys = 1000\n[client.u]\nrate = '9/s'\ntarget = 's'\n[server.s]\npublic = true\n\
             steps = [{{ query = 'db' }}]\n[database.db]\n{database}\n"
        );
        let source = Source { text: &text, files: &NoFiles };
        any.why = vec![busiest(component.into(), "cpu")];
        any.steady_state.reached = false;
        let line = advice(&source, &source.scenario(), &any, true).expect("advice");
        check_next(&source, &line);
        line.split(" # ").next().and_then(|line| line.rsplit_once(' ')).expect("a command").1.to_owned()
    };
    assert_eq!(advised("topology = 'multi-primary'\nnodes = 3", "db.node-2"), "db.nodes=4");
    assert_eq!(advised("engine = 'document'\nnodes = 3", "db"), "db.nodes=5");
    assert_eq!(advised("replicas = 1", "db.replica-1"), "db.replicas=2");
    assert_eq!(advised("replicas = 1\nreads = 'primary'", "db.primary"), "db.cores=2");
}

#[test]
fn the_ends_of_every_load_can_be_simulated() {
    for seed in 0..DESIGNS / 5 {
        let text = design(seed);
        let source = Source { text: &text, files: &NoFiles };
        let Ok(knob) = Knob::of(&source.scenario(), None) else { continue };
        for load in [knob.nearest(knob.own() / 2.0), knob.nearest(knob.own() * 2.0)] {
            for (key, value) in knob.overrides(load) {
                source.accepts(&key, &value);
            }
        }
    }
}
