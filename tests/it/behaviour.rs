//! Behaviour of the boxes, as data: a scenario, and the figures expected of one trial of it.
//!
//! All tests use `check(toml, expect)`. An expectation is a figure and its range. A figure is `throughput`,
//! `read.mean_ms` (of a class), `box.utilisation` (of a box), or `offered@10..20` (in a part of the time, in
//! seconds). Ranges are wide enough for any seed: at least four standard deviations around the value of theory.

mod answers;
mod boxes;
mod caches;
mod calling;
mod care;
mod clients;
mod connections;
mod demand;
mod deploys;
mod figures;
mod heaps;
mod limits;
mod liveness;
mod networks;
mod overload;
mod pacing;
mod priorities;
mod quotas;
mod sessions;
mod shards;
mod swaps;
mod switches;
mod units;

use std::ops::RangeInclusive;

use outgrow::components::KINDS;
use outgrow::kernel::random::Seed;
use outgrow::model::record::TrialRecord;
use outgrow::model::spec::Files;
use outgrow::scenario::build::build;
use outgrow::scenario::{Scenario, load};

use figures::figure;

/// A network without delay and a short run.
const NEAR: &str = "[network]\nclient = '0ms'\nsame_zone = '0ms'\n[run]\nduration = '100s'\nwarmup = '10s'\n";

/// A network without delay and a short run without warm-up.
const FROM_START: &str =
    "[network]\nclient = '0ms'\nsame_zone = '0ms'\n[run]\nduration = '100s'\nwarmup = '0s'\n";

/// The files that the scenarios here name.
struct Known;

impl Files for Known {
    fn read(&self, path: &str) -> Result<String, String> {
        match path {
            "three.csv" => Ok("1.10\n1.11\n1.12\n".to_owned()),
            "slow.csv" => Ok("0.001\n".repeat(99) + "1\n"),
            "counts.csv" => Ok("second,requests\n0,10\n1,10\n2,500\n3,10\n".to_owned()),
            "minutes.csv" => Ok("0,600\n60,600\n120,700\n".to_owned()),
            "rates.csv" => Ok("time;rate\n0;10\n50;20\n".to_owned()),
            "classes.csv" => Ok("t_s,count,class\n0,600,view\n0,60,buy\n60,300,view\n60,90,buy\n".to_owned()),
            "log.csv" => Ok(
                "t_s,class\n2026-11-29T10:00:00Z,view\n2026-11-29T10:00:01Z,buy\n2026-11-29T10:01:30Z,view\n"
                    .to_owned(),
            ),
            _ => Err(format!("there is no {path:?}")),
        }
    }
}

fn run(toml: &str) -> (Scenario, TrialRecord) {
    let loaded = load("test.toml", toml, &[], &Known, KINDS).unwrap_or_else(|found| panic!("{found}"));
    let scenario = loaded.scenario;
    let record = build(&scenario, Seed::new(scenario.run.seed)).run(scenario.length(), &mut |_| false);
    (scenario, record)
}

/// Runs one trial. Fails unless each figure lies in its range.
fn check(toml: &str, expect: &[(&str, RangeInclusive<f64>)]) {
    let (scenario, record) = run(toml);
    let wrong: Vec<String> = expect
        .iter()
        .map(|(name, range)| (name, range, figure(&scenario, &record, name)))
        .filter(|(_, range, value)| !range.contains(value))
        .map(|(name, range, value)| format!("{name} is {value}, not in {range:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}\n{toml}", wrong.join("\n"));
}

/// The range of `value`, plus and minus `share` of it.
fn about(value: f64, share: f64) -> RangeInclusive<f64> {
    value * (1.0 - share)..=value * (1.0 + share)
}

/// A scenario of one client and one public server `box`, with these keys.
fn one_box(client: &str, server: &str) -> String {
    format!("{NEAR}[client.users]\ntarget = 'box'\n{client}\n[server.box]\npublic = true\n{server}\n")
}

// Queues and workers --------------------------------------------------------------------------------------------------

#[test]
fn a_full_queue_rejects() {
    // M/M/1/2 with equal rates: each of its three states has probability 1/3.
    let server = "workers = 1\nqueue = 1\nsteps = [{ cpu = { dist = 'exponential', mean = '10ms' } }]";
    check(
        &one_box("rate = '100/s'", server),
        &[("rejected", about(1.0 / 3.0, 0.08)), ("ok", about(2.0 / 3.0, 0.05)), ("box.queue_max", 1.0..=1.0)],
    );
}

#[test]
fn a_queue_of_none_is_a_loss_system() {
    // Erlang's B formula for one worker and one erlang. It depends on the mean only.
    for dist in
        ["'10ms'", "{ dist = 'exponential', mean = '10ms' }", "{ dist = 'lognormal', mean = '10ms', cv = 2 }"]
    {
        let server = format!("workers = 1\nqueue = 0\nsteps = [{{ cpu = {dist} }}]");
        check(
            &one_box("rate = '100/s'", &server),
            &[("rejected", about(0.5, 0.08)), ("box.queue", 0.0..=0.0)],
        );
    }
}

#[test]
fn a_full_backlog_refuses() {
    // M/M/1/4 with equal rates: the fifth call is refused, which does not count as a rejection.
    let server = "workers = 1\nqueue = 1\nbacklog = 2\noverflow = 'refuse'\nsteps = [{ cpu = { dist = 'exponential', mean = '10ms' } }]";
    check(
        &one_box("rate = '100/s'", server),
        &[("unavailable", about(0.2, 0.15)), ("rejected", 0.0..=0.0), ("box.queue_max", 3.0..=3.0)],
    );
}

#[test]
fn a_worker_that_waits_stays_held() {
    // 50 slow calls a second of 1 s each would need 50 workers; there are 10. By Erlang's B formula 80 % of all calls
    // are lost, of the quick ones too, although the core is idle.
    let classes = "[request.quick]\n[request.slow]\n";
    let server = "workers = 10\nqueue = 0\nsteps = [{ wait = '1s', class = 'slow' }, { cpu = '1ms', class = 'quick' }]";
    check(
        &format!("{}{classes}", one_box("rate = '100/s'", server)),
        &[
            ("quick.rejected", about(0.803, 0.05)),
            ("slow.rejected", about(0.803, 0.05)),
            ("box.utilisation", 0.005..=0.02),
        ],
    );
}

#[test]
fn a_slow_database_takes_all_workers() {
    let shop = "[request.read]\n[request.ping]\n[database.db]\ncores = 1\nread = '1s'\n";
    let server = "workers = 20\nqueue = 0\nsteps = [{ query = 'db', class = 'read' }]";
    // The 10 connections share one core: one answer a second for 50 queries a second, and pings find no worker.
    check(
        &format!("{}{shop}", one_box("rate = '100/s'\ntimeout = '1h'", server)),
        &[
            ("ping.rejected", 0.95..=1.0),
            ("db.utilisation", 0.999..=1.0),
            ("box.utilisation", 0.0..=0.0),
            ("box.inside", 19.9..=20.0),
        ],
    );
}

// Timeouts and retries ------------------------------------------------------------------------------------------------

#[test]
fn abandoned_work_runs_on() {
    check(
        &one_box(
            "rate = '50/s'\narrivals = { dist = 'constant' }\ntimeout = '5ms'",
            "steps = [{ cpu = '10ms' }]",
        ),
        &[
            ("timed_out", 1.0..=1.0),
            ("box.utilisation", 0.499..=0.501),
            ("box.ok_rate", 49.9..=50.1),
            ("ended_ms", 5.0..=5.001),
        ],
    );
}

#[test]
fn a_long_queue_makes_overload_fatal_and_a_short_one_does_not() {
    // 120 requests a second; the server can do 100, and users wait 1 s.
    let client = "rate = '120/s'\ntimeout = '1s'";
    let server = |queue: u32| {
        format!("workers = 1\nqueue = {queue}\nmemory_per_call = '1KiB'\nsteps = [{{ cpu = '10ms' }}]")
    };
    check(
        &one_box(client, &server(1_000_000)),
        &[
            ("throughput@0..5", 80.0..=105.0),
            ("throughput@30..100", 0.0..=0.0),
            ("box.utilisation", 0.999..=1.0),
        ],
    );
    check(
        &one_box(client, &server(20)),
        &[("throughput@30..100", 98.0..=100.1), ("timed_out", 0.0..=0.0), ("box.utilisation", 0.98..=1.0)],
    );
}

#[test]
fn independent_failures_are_tried_again() {
    // P(S > 6.93 ms) is one half for an exponential time of 10 ms, independently at each try: 1 + 1/2 + 1/4 tries on
    // average, and 7 of 8 requests succeed.
    let client = "rate = '100/s'\ntimeout = '6.931ms'\nretry = { attempts = 3, backoff = '1ms' }";
    let server = "workers = 10000\nsteps = [{ wait = { dist = 'exponential', mean = '10ms' } }]";
    check(
        &one_box(client, server),
        &[("attempts", about(1.75, 0.03)), ("ok", about(0.875, 0.02)), ("box.rate", about(175.0, 0.05))],
    );
}

#[test]
fn without_a_budget_retries_multiply_and_with_one_they_do_not() {
    let client = |retry: &str| {
        format!("rate = '500/s'\ntimeout = '1ms'\nretry = {{ attempts = 4, backoff = '10ms'{retry} }}")
    };
    let server = "workers = 10000\nsteps = [{ wait = '20ms' }]";
    check(&one_box(&client(""), server), &[("attempts", 4.0..=4.0), ("box.rate", about(2000.0, 0.03))]);
    // The budget is 20 % of 500 and the reserve of ten retries a second.
    check(
        &one_box(&client(", budget = 0.2"), server),
        &[("attempts", about(1.22, 0.02)), ("timed_out", 1.0..=1.0)],
    );
}

#[test]
fn pauses_grow_from_try_to_try() {
    let client = "rate = '10/s'\ntimeout = '50ms'\nretry = { attempts = 4, backoff = '100ms', factor = 3, max = '500ms' }";
    // Four tries of 50 ms and pauses of 100, 300 and 500 ms.
    check(&one_box(client, "workers = 10000\nsteps = [{ wait = '1s' }]"), &[("ended_ms", 1099.9..=1101.1)]);
}

// Memory --------------------------------------------------------------------------------------------------------------

/// 4 GiB of memory: the process takes 512 MiB and each call 4 MiB. Meant for 120 calls a second, of which 100 can be
/// served.
const MEMORY: &str = "workers = 1000\nscheduling = 'fifo'\nmemory = '4GiB'\nbase_memory = '512MiB'\nmemory_per_call = '4MiB'\n\
                      steps = [{ cpu = '10ms' }]\n";

#[test]
fn memory_runs_out_when_the_growth_says_so() {
    // (4 GiB - 512 MiB) / (4 MiB x 20/s) = 44.8 s.
    let text = one_box(
        "rate = '120/s'\narrivals = { dist = 'constant' }",
        &format!("{MEMORY}on_memory = 'oom-kill'"),
    );
    check(
        &text.replace("duration = '100s'\nwarmup = '10s'", "duration = '90s'\nwarmup = '0s'"),
        &[
            ("box.crash_s", 44.6..=45.0),
            ("box.recover_s", 54.6..=55.0),
            ("box.dropped", 895.0..=898.0),
            ("throughput@0..44", 99.0..=100.1),
            ("throughput@46..54", 0.0..=0.0),
            ("throughput@56..90", 97.0..=100.1),
            ("box.memory_max_mib", 4090.0..=4096.0),
        ],
    );
}

#[test]
fn a_server_may_reject_instead() {
    let text = one_box("rate = '120/s'\narrivals = { dist = 'constant' }", MEMORY);
    check(
        // Rejected calls end at once and the others later. A longer run makes this matter less.
        &text.replace("duration = '100s'\nwarmup = '10s'", "duration = '1000s'\nwarmup = '60s'"),
        &[
            ("out_of_memory", about(1.0 / 6.0, 0.02)),
            ("throughput", 99.9..=100.1),
            ("box.crashes", 0.0..=0.0),
        ],
    );
}

// Limits --------------------------------------------------------------------------------------------------------------

#[test]
fn a_rate_limit_throttles_what_is_beyond_it() {
    let client = "rate = '100/s'\narrivals = { dist = 'constant' }";
    let server = "steps = [{ cpu = '1ms' }]\nrate_limit = { rate = '50/s', burst = 1 }";
    check(&one_box(client, server), &[("throttled", 0.499..=0.501), ("throughput", 49.9..=50.1)]);
    let text = one_box(client, &server.replace("burst = 1", "burst = 500"));
    // A bucket of 500 tokens that loses 50 a second is empty after 10 s.
    check(
        &text.replace("warmup = '10s'", "warmup = '0s'"),
        &[("throughput@0..9", 99.0..=101.0), ("throughput@12..100", 49.5..=50.5)],
    );
}

#[test]
fn a_bucket_of_six_tokens_throttles_what_nginx_refuses_with_a_burst_of_five() {
    // nginx 1.22.1, `limit_req rate=50r/s burst=5 nodelay`: 5.1 +- 1.1 % at 45/s and 18.5 +- 2.7 % at 60/s. Its `burst` is what
    // may come beside the call that the rate allows.
    let server = "steps = [{ cpu = '1ms' }]\nrate_limit = { rate = '50/s', burst = 6 }";
    check(&one_box("rate = '45/s'", server), &[("throttled", 0.040..=0.062)]);
    check(&one_box("rate = '60/s'", server), &[("throttled", 0.158..=0.212)]);
}
