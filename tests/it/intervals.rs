//! Intervals and verdicts that must not claim more than a run has seen: rare failures, requests that the end cuts off, heavy
//! tails, trials that stop.

use outgrow::components::KINDS;
use outgrow::experiment::compare::{Asked, Design, Shown, compare};
use outgrow::experiment::result::{Answer, RunResult};
use outgrow::experiment::runner::{self, RunOptions, Unwatched};
use outgrow::model::spec::NoFiles;
use outgrow::scenario::expression::{Names, parse_fail_on};
use outgrow::scenario::{Scenario, load};

fn scenario(text: &str) -> Scenario {
    load("test.toml", text, &[], &NoFiles, KINDS).unwrap_or_else(|found| panic!("{found}")).scenario
}

fn options(scenario: &Scenario) -> RunOptions {
    let (seed, trials) = (scenario.run.seed, 0..scenario.run.trials);
    RunOptions { seed, trials, jobs: 0, length: scenario.length() }
}

fn result(text: &str) -> RunResult {
    let scenario = scenario(text);
    let options = options(&scenario);
    RunResult::new(&scenario, &options, &runner::run(&scenario, &options, &Unwatched))
}

fn warns(result: &RunResult, of: &str) -> bool {
    result.warnings.iter().any(|warning| warning.contains(of))
}

/// A server that is down for 5 minutes every 10 hours, measured for 100 minutes: 99.17 % of the requests can be answered,
/// and chances are 5 to 1 that none fails.
const RARE_CRASH: &str = "run = { duration = '10min', warmup = '1min', trials = 10 }\n\
    client.u = { rate = '5/s', target = 's' }\n\
    server.s = { public = true, steps = [{ wait = '1ms' }] }\n\
    fault = [{ kind = 'crash', target = 's', mtbf = '10h', mttr = '5min' }]\n\
    expect = [{ that = 'availability > 99.9%' }, { that = 'error_rate < 0.1%' }, { that = 'mean(response) < 1s' }]\n";

#[test]
fn a_random_fault_that_never_happened_shows_no_availability() {
    for seed in 1..=3 {
        let result = result(&RARE_CRASH.replace("trials = 10", &format!("trials = 10, seed = {seed}")));
        let verdicts: Vec<Answer> = result.expect.iter().map(|one| one.verdict).collect();
        assert_ne!(verdicts[0], Answer::Holds, "seed {seed}");
        assert_ne!(verdicts[1], Answer::Holds, "seed {seed}");
        assert_eq!(verdicts[2], Answer::Holds, "the response time does not rest on the fault");
        let fault = &result.random_faults[0];
        assert!((fault.expected - 6000.0 / 36_300.0).abs() < 1e-9 && fault.times < 10, "{fault:?}");
        assert!(
            warns(&result, "where 0.17 are expected") && warns(&result, "--duration"),
            "{:?}",
            result.warnings
        );
        assert!(result.metrics.availability.half_width.unwrap() > 0.0);
    }
}

#[test]
fn a_comparison_under_a_fault_that_never_happened_shows_no_difference() {
    let design = |name: &str, cores: u32| Design {
        name: name.into(),
        scenario: scenario(&RARE_CRASH.replace("public = true", &format!("public = true, cores = {cores}"))),
    };
    let limits = parse_fail_on("error_rate +5%", &Names::plain(&[], &["s"])).unwrap();
    let asked = Asked { fail_on: vec![limits], ..Asked::default() };
    let designs = [design("one", 1), design("two", 2)];
    let found = compare(&designs, &options(&designs[0].scenario), &asked, None, &Unwatched).unwrap();
    let errors = found.differences.iter().find(|one| one.metric == "error_rate").unwrap();
    assert_eq!((errors.verdict, found.fail_on[0].verdict), (Shown::NoDifference, Answer::NotShown));
    assert!(
        found.warnings.iter().any(|warning| warning.contains("0.17 are expected")),
        "{:?}",
        found.warnings
    );
}

/// A server that fails this share of the requests, for 1000 requests a trial.
fn lossy(share: &str, expect: &str) -> String {
    format!(
        "run = {{ duration = '10s', warmup = '0s', trials = 10 }}\nclient.u = {{ rate = '100/s', target = 's', \
         timeout = '100ms' }}\nserver.s = {{ public = true, memory_per_call = '1KiB', workers = 10000, steps = [{{ wait = '1s', chance = '{share}' }}] }}\n\
         expect = [{{ that = '{expect}' }}]\n"
    )
}

#[test]
fn a_bound_below_ten_failures_is_not_shown() {
    // 10,000 requests, of which one fails on average: less than half a failure at the bound.
    let few = result(&lossy("0.01%", "error_rate < 0.005%"));
    assert_eq!(few.expect[0].verdict, Answer::NotShown);
    assert!(
        few.expect[0].reason.as_ref().unwrap().contains("ten events show a bound"),
        "{:?}",
        few.expect[0]
    );
    // A hundred failures would be expected at the bound, and about one is seen.
    let enough = result(&lossy("0.01%", "error_rate < 1%"));
    assert_eq!(enough.expect[0].verdict, Answer::Holds, "{:?}", enough.expect[0]);
    let missed = result(&lossy("2%", "error_rate < 1%"));
    assert_eq!(missed.expect[0].verdict, Answer::Fails);
}

// Users who do not think ----------------------------------------------------------------------------------------------

/// 400 users who ask again at once, as a saturating load test does, in a network without delay.
fn load_test(server: &str, more: &str) -> String {
    format!(
        "run = {{ duration = '2s', warmup = '500ms', trials = 1 }}\nnetwork = {{ client = '0ms', same_zone = '0ms' }}\n\
         client.u = {{ users = 400, think_time = '0s', target = 's' }}\n\
         server.s = {{ public = true, cores = 1, {server} }}\n{more}\n"
    )
}

#[test]
fn a_load_test_of_users_who_never_think_comes_to_its_end() {
    let cpu = "steps = [{ cpu = '10ms' }]";
    let crash = "fault = [{ kind = 'crash', target = 's', at = '1s' }]";
    for (server, more, served) in [
        (format!("workers = 1, queue = 0, {cpu}"), "", 100.0),
        (format!("workers = 4, queue = 20, {cpu}"), "", 100.0),
        (format!("rate_limit = {{ rate = '50/s', burst = 1 }}, {cpu}"), "", 50.0),
        (format!("workers = 4, queue = 20, {cpu}"), crash, 24.0),
    ] {
        let found = result(&load_test(&server, more));
        let ok = found.metrics.throughput_rps.mean.unwrap();
        assert!(found.complete && found.stopped.is_none(), "{server}");
        assert!((ok / served - 1.0).abs() < 0.1, "{server}: {ok} a second");
    }
}

// Requests that are cut off, and heavy tails ------------------------------------------------------------------------

#[test]
fn requests_that_the_end_cuts_off_are_said_to_be_missing() {
    // The mean is 100 ms + 5 % of 30 s = 1.6 s; the requests under way when a trial ends are the longest.
    let found = result(
        "run = { duration = '10min', warmup = '1min', trials = 5 }\nnetwork = { client = '0ms' }\n\
         client.u = { rate = '10/s', target = 's', timeout = '1h' }\n\
         server.s = { public = true, workers = 10000, memory_per_call = '1KiB', steps = [{ wait = '100ms' }, \
         { wait = { dist = 'exponential', mean = '30s' }, chance = '5%' }] }\n",
    );
    let (low, high) = found.metrics.response_ms.mean.interval().unwrap();
    assert!((low..=high).contains(&1600.0) || warns(&found, "Little's law"), "{low} {high}");
}

/// One core with work of this distribution, 10 ms on average, at a load of one half.
fn work(dist: &str) -> String {
    format!(
        "run = {{ duration = '200s', warmup = '20s', trials = 4 }}\nnetwork = {{ client = '0ms' }}\n\
         client.u = {{ rate = '50/s', target = 's', timeout = '1h' }}\n\
         server.s = {{ public = true, cores = 1, scheduling = 'fifo', workers = 100000, memory_per_call = '1KiB', \
         steps = [{{ cpu = {{ dist = {dist}, mean = '10ms' }} }}] }}\n"
    )
}

#[test]
fn heavy_tails_are_recognised_and_light_ones_are_not_accused() {
    let few = "a few very long";
    for (dist, heavy) in [
        ("'exponential'", false),
        ("'lognormal', cv = 1", false),
        ("'lognormal', cv = 4", true),
        ("'pareto', shape = 2.8", true),
    ] {
        let text = work(dist);
        let loaded = load("test.toml", &text, &[], &NoFiles, KINDS).unwrap_or_else(|found| panic!("{found}"));
        let said = loaded.warnings.render(false);
        assert_eq!(said.contains(few) || said.contains("infinite variance"), heavy, "{dist}: {said}");
        if !heavy {
            assert!(!warns(&result(&text), few), "{dist}");
        }
    }
}

#[test]
fn the_percentile_of_a_trial_is_its_own() {
    let found = result(&work("'exponential'"));
    let (times, p90) = (&found.metrics.response_ms, &found.metrics.response_ms.p90);
    for (trial, own) in p90.trials.iter().enumerate() {
        let own = own.unwrap();
        assert!(times.p50.trials[trial].unwrap() < own && own < times.max.trials[trial].unwrap(), "{p90:?}");
    }
}

// Limits ----------------------------------------------------------------------------------------------------------------

/// A balancer over `count` servers, each with a table of its own.
fn servers(count: usize) -> String {
    let names: Vec<String> = (0..count).map(|n| format!("'w{n}'")).collect();
    let mut text = format!(
        "[client.u]\nrate = '1/s'\ntarget = 'lb'\n[balancer.lb]\npublic = true\ntargets = [{}]\n",
        names.join(", ")
    );
    for n in 0..count {
        text += &format!("[server.w{n}]\nsteps = [{{ cpu = '1ms' }}]\n");
    }
    text
}

#[test]
fn too_many_boxes_are_one_error_that_comes_at_once() {
    for count in [1200, 40_000] {
        let found = load("test.toml", &servers(count), &[], &NoFiles, KINDS).map(|_| ()).unwrap_err();
        assert_eq!(found.items.len(), 1, "{found}");
        let item = &found.items[0];
        assert!(item.message.contains("at most 1000 are read"), "{}", item.message);
        assert!(item.help.as_ref().unwrap().contains("count"));
    }
}

// Spread and share of waits --------------------------------------------------------------------------------------------

#[test]
fn the_waits_of_a_queue_have_the_spread_and_the_share_of_theory() {
    // M/M/1 at u = 0.5 with work of s = 10 ms: a call waits with probability u; waits have the variance s^2 u (2 - u) / (1 - u)^2,
    // times in the system s^2 / (1 - u)^2 (L. Kleinrock, Queueing Systems I, 1975, 5.2).
    let result = result(
        "run = { duration = '400s', warmup = '10s', trials = 10 }\nnetwork = { client = '0ms', same_zone = '0ms' }\n\
         client.u = { rate = '50/s', target = 's' }\nserver.s = { public = true, cores = 1, scheduling = 'fifo', workers = 1, \
         queue = 100000, memory_per_call = '1KiB', steps = [{ cpu = { dist = 'exponential', mean = '10ms' } }] }\n",
    );
    let box_ = result.components.get("s").unwrap();
    for (name, figure, expected) in [
        ("share that waits", &box_.waited_share, 0.5),
        ("spread of waits", &box_.wait_sd_ms, 10.0 * (0.5_f64 * 1.5).sqrt() / 0.5),
        ("spread of times in the box", &box_.response_ms.sd, 20.0),
        ("spread of responses", &result.metrics.response_sd_ms, 20.0),
    ] {
        let (mean, half) = (figure.mean.unwrap(), figure.half_width.unwrap());
        assert!(
            (mean - expected).abs() < 2.0 * half && half < 0.1 * expected,
            "{name}: {mean} ± {half}, {expected}"
        );
    }
}
