//! What `next` advises against overload is tried before it is said: the state that outlives its cause ends, and of two resources of
//! one box that are full at the same load both are widened.

use outgrow::cli::builtin;
use outgrow::components::KINDS;
use outgrow::experiment::attempt::try_advice;
use outgrow::experiment::finding::Finding;
use outgrow::experiment::result::RunResult;
use outgrow::experiment::runner::{RunOptions, Unwatched, run};
use outgrow::model::spec::NoFiles;
use outgrow::scenario::{Scenario, load};

fn read(name: &str, text: &str, set: &[(String, String)]) -> Option<Scenario> {
    load(name, text, set, &NoFiles, KINDS).ok().map(|loaded| loaded.scenario)
}

fn pairs(set: &[(&str, &str)]) -> Vec<(String, String)> {
    set.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// The result of one trial of a text with overrides, with what was tried.
fn advised(name: &str, text: &str, set: &[(String, String)]) -> RunResult {
    let scenario = read(name, text, set).expect("a good scenario");
    let options = RunOptions { seed: scenario.run.seed, trials: 0..1, jobs: 1, length: scenario.length() };
    let trials = run(&scenario, &options, &Unwatched);
    let mut result = RunResult::new(&scenario, &options, &trials);
    let reload = |more: &[(String, String)]| read(name, text, &[set, more].concat());
    try_advice(&scenario, &options, &mut result, &trials.records, &reload, &Unwatched);
    assert_tried(&result);
    result
}

/// What is advised has been tried and has helped.
fn assert_tried(result: &RunResult) {
    let Some(next) = &result.next else { return };
    let sets = next.split(" # ").next().expect("a command").split("--set ").skip(1);
    let sets: Vec<String> = sets.map(|set| set.trim().trim_matches('\'').to_owned()).collect();
    let is_it = |changes: &[outgrow::experiment::finding::Change]| {
        let own: Vec<String> = changes.iter().map(|one| format!("{}={}", one.key, one.value)).collect();
        own.iter().all(|set| sets.contains(set)) && sets.len() >= own.len()
    };
    assert!(result.tried.iter().any(|attempt| attempt.helps && is_it(&attempt.changes)), "{next}");
}

/// The changes that ended a metastable state, as the reason names them.
fn cures(result: &RunResult) -> Vec<String> {
    let found = result.why.iter().find_map(|one| match one {
        Finding::Metastable { cures, .. } => Some(cures.clone()),
        _ => None,
    });
    found.expect("a metastable state")
}

fn built_in(name: &str) -> &'static str {
    builtin::find(name).expect("a built-in scenario").text
}

#[test]
fn a_metastable_state_is_told_with_what_ends_it() {
    let (name, text) = ("23-metastable", built_in("23-metastable"));
    let result = advised(name, text, &[]);
    let found = cures(&result);
    for cure in [
        "users.retry.budget=20%",
        "users.cancel=true",
        "shop.propagate=true and users.propagate=true",
        "shop.queue=300",
        "shop.shed.age=1s",
    ] {
        assert!(found.iter().any(|one| one == cure), "{cure} is none of {found:?}");
        assert!(result.reasons()[0].contains(cure), "{}", result.reasons()[0]);
    }
    // A run with it comes back, and one without it does not.
    let with = |set: &[(&str, &str)]| advised(name, text, &pairs(set)).collapse.map(|collapse| collapse.of);
    assert_eq!((with(&[]), with(&[("shop.shed.age", "1s")])), (Some(1), Some(0)));
    let best = result.next.expect("advice");
    assert!(found.iter().any(|cure| best.ends_with(cure)), "{best}");
}

#[test]
fn a_cache_that_stays_cold_is_a_metastable_state_and_a_line_that_ends_is_its_cure() {
    let result = advised("42-cold-cache", built_in("42-cold-cache"), &[]);
    let found = cures(&result);
    assert!(found.iter().any(|cure| cure.starts_with("db.queue=")), "{found:?}");
    let told = result.reasons().join("\n");
    assert!(told.contains("emptied"), "{told}");
}

/// Two layers of which the inner one tries again: its step has the key.
const LAYERS: &str = "[run]\nduration = '90s'\nwarmup = '5s'\n[network]\nclient = '0ms'\nsame_zone = '0ms'\n\
    [client.users]\nrate = '380/s'\narrivals = { dist = 'constant' }\ntarget = 'web'\ntimeout = '10s'\n\
    [server.web]\npublic = true\ncores = 8\nworkers = 100000\nmemory = '900GiB'\nmemory_per_call = '1KiB'\ntimeout = '3s'\n\
    steps = [{ cpu = '0.1ms' }, { call = 'shop', retry = { attempts = 5, backoff = '1us', factor = 1 } }]\n\
    [server.shop]\ncores = 1\nscheduling = 'fifo'\nworkers = 1\nqueue = 1000000\nmemory_per_call = '1KiB'\n\
    steps = [{ cpu = '1ms' }]\n\
    [[fault]]\ntarget = 'shop'\nkind = 'slow'\nfactor = 5\nat = '20s'\nfor = '12s'\n";

#[test]
fn the_keys_of_steps_are_tried_too() {
    let result = advised("a.toml", LAYERS, &[]);
    let found = cures(&result);
    assert!(
        found.iter().any(|cure| cure == "web.steps.1.retry.budget=20%"),
        "{found:?} of {:?}",
        result.tried
    );
}

#[test]
fn two_resources_that_are_full_at_the_same_load_are_widened_together() {
    let short = pairs(&[("run.duration", "60s"), ("run.warmup", "10s")]);
    let result = advised("29-priorities", built_in("29-priorities"), &short);
    let next = result.next.expect("advice");
    assert!(next.contains("--set shop.cores=2 --set shop.workers=2"), "{next}");
    assert_eq!((result.tried.len(), result.tried[0].solves), (1, true));
    let result = advised("26-waiting-lines", built_in("26-waiting-lines"), &short);
    let next = result.next.expect("advice");
    for name in ["endless", "late"] {
        assert!(next.contains(&format!("--set {name}.cores=2 --set {name}.workers=2")), "{next}");
    }
}

#[test]
fn workers_that_wait_for_a_stalled_box_are_given_back_sooner() {
    let result = advised("30-thread-exhaustion", built_in("30-thread-exhaustion"), &[]);
    let is_it = |attempt: &&outgrow::experiment::finding::Attempt| attempt.changes[0].key == "web.timeout";
    let attempt = result.tried.iter().find(is_it).expect("a time limit");
    assert_eq!((attempt.changes[0].value.as_str(), attempt.helps), ("300ms", true));
    let with_cores = |attempt: &outgrow::experiment::finding::Attempt| {
        attempt.changes.iter().any(|change| change.key == "web.cores")
    };
    assert!(!result.tried.iter().any(with_cores), "the cores were idle: {:?}", result.tried);
}

#[test]
fn who_asks_a_silent_machine_is_advised_to_wait_less_for_it() {
    let text = built_in("09-primary-and-replicas");
    for times in ["at=\"90s\",for=\"3min\"", "mtbf=\"2min\",mttr=\"3min\""] {
        let fault = format!("{{kind=\"power-off\",target=\"db.replica-1\",{times}}}");
        let set = [("run.duration", "5min"), ("fault", fault.as_str())];
        let result = advised("replicas", text, &pairs(&set));
        let next = result.next.as_deref().unwrap_or_default();
        assert!(next.contains("web.connect_timeout=1s"), "{times}: {next}\n{:#?}", result.tried);
    }
}
