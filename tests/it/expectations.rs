//! Every `[[expect]]` and `[[check]]` of the shipped scenarios, with other seeds than their own: what holds by theory holds
//! for every seed.

use std::fs;

use outgrow::components::KINDS;
use outgrow::experiment::result::{Answer, RunResult};
use outgrow::experiment::runner::{RunOptions, Unwatched, run};
use outgrow::model::spec::NoFiles;
use outgrow::scenario::load;

use crate::golden::scenarios;

/// Whether tests with random samples take large ones, which need minutes instead of seconds.
pub(crate) fn is_study() -> bool {
    std::env::var_os("STUDY").is_some()
}

/// The goals and checks that are not shown to hold with a seed, one line each.
fn broken(name: &str, text: &str, seed: u64) -> Vec<String> {
    let scenario = load(name, text, &[], &NoFiles, KINDS).unwrap_or_else(|found| panic!("{found}")).scenario;
    let options = RunOptions { seed, trials: 0..scenario.run.trials, jobs: 0, length: scenario.length() };
    let result = RunResult::new(&scenario, &options, &run(&scenario, &options, &Unwatched));
    let all = result.expect.iter().chain(&result.checks);
    let broken = all.filter(|verdict| verdict.verdict != Answer::Holds);
    broken.map(|verdict| format!("{name}, seed {seed}: {verdict:?}")).collect()
}

/// Every how many scenarios one is taken where each takes seconds; all of them with `STUDY=1`.
pub(crate) fn scenarios_apart() -> usize {
    if is_study() { 1 } else { 4 }
}

/// `.ci/run` runs each scenario with its own seed. This test adds one more seed of every fourth, and with `STUDY=1` the first twenty of all.
#[test]
fn every_goal_and_check_holds_whatever_the_seed() {
    let seeds = if is_study() { 1..=20 } else { 2..=2 };
    let mut all = Vec::new();
    // An hour of a million users is checked by `outgrow check --run million-users`.
    let small = scenarios().into_iter().filter(|(name, _)| name != "million-users");
    for (name, path) in small.step_by(scenarios_apart()) {
        let text = fs::read_to_string(path).expect("a scenario");
        let found: Vec<String> = seeds.clone().flat_map(|seed| broken(&name, &text, seed)).collect();
        println!("{name}: {}", if found.is_empty() { "holds".to_owned() } else { found.join("\n") });
        all.extend(found);
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}
