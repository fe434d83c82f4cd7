//! Every `[[expect]]` of the scenarios that ship, on twenty seeds: what holds by theory holds whatever the seed.

use std::fs;

use outgrow::components::KINDS;
use outgrow::experiment::result::{Answer, RunResult};
use outgrow::experiment::runner::{RunOptions, Unwatched, run};
use outgrow::model::spec::NoFiles;
use outgrow::scenario::load;

use crate::golden::scenarios;

/// All that are not shown to hold with a seed, a line each.
fn broken(name: &str, text: &str, seed: u64) -> Vec<String> {
    let scenario = load(name, text, &[], &NoFiles, KINDS).unwrap_or_else(|found| panic!("{found}")).scenario;
    let options = RunOptions { seed, trials: 0..scenario.run.trials, jobs: 0, length: scenario.length() };
    let result = RunResult::new(&scenario, &options, &run(&scenario, &options, &Unwatched));
    let broken = result.expect.iter().filter(|verdict| verdict.verdict != Answer::Holds);
    broken.map(|verdict| format!("{name}, seed {seed}: {verdict:?}")).collect()
}

#[test]
#[ignore = "takes half an hour: cargo test --release --test it expectations -- --ignored --nocapture"]
fn every_expectation_holds_on_seeds_1_to_20() {
    let mut all = Vec::new();
    // An hour of a million users is checked by `outgrow run million-users`.
    for (name, path) in scenarios().into_iter().filter(|(name, _)| name != "million-users") {
        let text = fs::read_to_string(path).expect("a scenario");
        let found: Vec<String> = (1..=20).flat_map(|seed| broken(&name, &text, seed)).collect();
        println!("{name}: {}", if found.is_empty() { "holds".to_owned() } else { found.join("\n") });
        all.extend(found);
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}
