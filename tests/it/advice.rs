//! What the program proposes, it accepts: every lever and every `next:` leads to a scenario that passes `check`.

mod designs;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use outgrow::components::KINDS;
use outgrow::experiment::advise::next;
use outgrow::experiment::capacity::Knob;
use outgrow::experiment::result::{Answer, Bottleneck, RunResult, Verdict};
use outgrow::experiment::runner::{RunOptions, Unwatched, run};
use outgrow::kernel::time::SimDuration;
use outgrow::model::lever::Setting;
use outgrow::model::simulation::Length;
use outgrow::model::spec::{Files, NoFiles};
use outgrow::scenario::levers::levers;
use outgrow::scenario::{Scenario, load};

use crate::golden::{Beside, scenarios};
use designs::design;

/// Random designs whose advice is checked.
const DESIGNS: u64 = 500;

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

    /// Fails unless `check` accepts the scenario with an override.
    fn accepts(&self, key: &str, value: &str) {
        if let Err(found) = self.with(&[(key.to_owned(), value.to_owned())]) {
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

/// Checks a `next:` line, and returns the kind of its advice: the last part of the key, or `trials`.
fn check_next(source: &Source<'_>, line: &str) -> String {
    let command = line.split(" # ").next().expect("a command");
    let rest = command.strip_prefix("outgrow run a.toml --").unwrap_or_else(|| panic!("{line}"));
    if let Some(trials) = rest.strip_prefix("trials ") {
        source.accepts("run.trials", trials);
        return "trials".to_owned();
    }
    let (key, value) = rest.strip_prefix("set ").and_then(|set| set.split_once('=')).expect(line);
    source.accepts(key, value);
    key.split_once('.').expect(line).1.to_owned()
}

/// Every `next:` of a scenario: with each resource of each box as the bottleneck, at the box and at each of its first
/// members, and with nothing busy.
fn all_next(scenario: &Scenario, result: &mut RunResult) -> BTreeSet<String> {
    let mut binding = Vec::new();
    for row in scenario.load().resources {
        let entry = scenario.entry(&row.name).expect("the box of a resource");
        let guests = scenario.boxes.iter().filter(|guest| guest.spec.host() == Some(&row.name));
        let of = row.resource.of.clone().take(2).map(|number| entry.spec.member(&row.name, number).name);
        let names = of.chain([row.name.clone()]).chain(guests.map(|guest| guest.name.clone()));
        binding.extend(names.map(|component| (component, row.resource.name, 0.95)));
    }
    let idle = (scenario.boxes[0].name.clone(), "cpu", 0.1);
    let lines = binding.into_iter().chain([idle]).filter_map(|(component, resource, utilisation)| {
        result.bottleneck = Some(Bottleneck { component, resource, utilisation });
        next(scenario, result)
    });
    lines.collect()
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
        for line in measured.next.into_iter().chain(all_next(&scenario, &mut any)) {
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
        for line in all_next(&scenario, &mut any) {
            *kinds.entry(check_next(&source, &line)).or_default() += 1;
        }
    }
    let known = [
        "apply.workers",
        "cores",
        "count",
        "db_pool",
        "instance",
        "memory",
        "nodes",
        "rate",
        "replicas",
        "sessions",
        "users",
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
    }];
    let line = next(&source.scenario(), &any).expect("advice");
    assert_eq!(
        (line.as_str(), check_next(&source, &line).as_str()),
        ("outgrow run a.toml --trials 40", "trials")
    );
}

#[test]
fn no_advice_names_a_key_that_its_box_does_not_have() {
    // Each was proposed once and then refused.
    let mut any = any_result();
    let mut advice = |database: &str, component: &str| {
        let text = format!(
            "[request.read]\nkeys = 1000\n[client.u]\nrate = '9/s'\ntarget = 's'\n[server.s]\npublic = true\n\
             steps = [{{ query = 'db' }}]\n[database.db]\n{database}\n"
        );
        let source = Source { text: &text, files: &NoFiles };
        let bottleneck = Bottleneck { component: component.into(), resource: "cpu", utilisation: 0.9 };
        any.bottleneck = Some(bottleneck);
        let line = next(&source.scenario(), &any).expect("advice");
        check_next(&source, &line);
        line.rsplit_once(' ').expect("a command").1.to_owned()
    };
    assert_eq!(advice("topology = 'multi-primary'\nnodes = 3", "db.node-2"), "db.nodes=4");
    assert_eq!(advice("engine = 'document'\nnodes = 3", "db"), "db.nodes=5");
    assert_eq!(advice("replicas = 1", "db.replica-1"), "db.replicas=2");
    assert_eq!(advice("replicas = 1\nreads = 'primary'", "db.primary"), "db.cores=2");
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
