//! What the boxes do, as data: a scenario, and what must come out of one trial of it.
//!
//! `check(toml, expect)` is the only door. Each expectation is a figure and the range that it must lie in. A figure is
//! `throughput`, `read.mean_ms` (of a class), `box.utilisation` (of a box), or `offered@10..20` (in a part of the time,
//! in seconds). Ranges are wide enough for any seed: at least four standard deviations of what theory says.

mod figures;

use std::ops::RangeInclusive;

use outgrow::components::KINDS;
use outgrow::kernel::random::Seed;
use outgrow::model::record::TrialRecord;
use outgrow::model::spec::Files;
use outgrow::scenario::build::build;
use outgrow::scenario::{Scenario, load};
use outgrow::theory::cache::zipf_hit_ratio;

use figures::figure;

/// No distance, a short run: what most tests want.
const NEAR: &str = "[network]\nclient = '0ms'\nsame_zone = '0ms'\n[run]\nduration = '100s'\nwarmup = '10s'\n";

/// The same without a warm-up.
const FROM_START: &str =
    "[network]\nclient = '0ms'\nsame_zone = '0ms'\n[run]\nduration = '100s'\nwarmup = '0s'\n";

/// Files that scenarios name.
struct Known;

impl Files for Known {
    fn read(&self, path: &str) -> Result<String, String> {
        match path {
            "three.csv" => Ok("1.10\n1.11\n1.12\n".to_owned()),
            "counts.csv" => Ok("second,requests\n0,10\n1,10\n2,500\n3,10\n".to_owned()),
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

/// Runs one trial and demands that each figure lies in its range.
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

/// A range around a value, by a share of it.
fn about(value: f64, share: f64) -> RangeInclusive<f64> {
    value * (1.0 - share)..=value * (1.0 + share)
}

/// A client and one public box with these keys.
fn one_box(client: &str, server: &str) -> String {
    format!("{NEAR}[client.users]\ntarget = 'box'\n{client}\n[server.box]\npublic = true\n{server}\n")
}

// Queues and workers ------------------------------------------------------------------------------------------------

#[test]
fn a_full_queue_rejects() {
    // M/M/1/2 at equal rates: each of three states has probability 1/3.
    let server = "workers = 1\nqueue = 1\nsteps = [{ cpu = { dist = 'exponential', mean = '10ms' } }]";
    check(
        &one_box("rate = '100/s'", server),
        &[("rejected", about(1.0 / 3.0, 0.08)), ("ok", about(2.0 / 3.0, 0.05)), ("box.queue_max", 1.0..=1.0)],
    );
}

#[test]
fn a_queue_of_none_is_a_loss_system() {
    // Erlang's B formula: one worker, one erlang; it knows the mean only.
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
    // M/M/1/4 at equal rates: the fifth is refused, which is no rejection.
    let server =
        "workers = 1\nqueue = 1\nbacklog = 2\nsteps = [{ cpu = { dist = 'exponential', mean = '10ms' } }]";
    check(
        &one_box("rate = '100/s'", server),
        &[("unavailable", about(0.2, 0.15)), ("rejected", 0.0..=0.0), ("box.queue_max", 3.0..=3.0)],
    );
}

#[test]
fn a_worker_that_waits_stays_held() {
    // 50 slow calls a second of 1 s want 50 of 10 workers: Erlang's B formula loses 80 % of the quick ones, too,
    // although the core is idle.
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
    // The pool of 10 shares one core: one answer a second for 50 questions, and pings find no worker.
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

// Timeouts and retries ----------------------------------------------------------------------------------------------

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
    // 120 requests a second for 100 that can be served, users who wait 1 s.
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
    // P(S > 6.93 ms) is one half for an exponential of 10 ms, anew at each try: 1 + 1/2 + 1/4 tries, 7 of 8 succeed.
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
    // 20 % of 500 and the reserve of ten a second.
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

// Memory ------------------------------------------------------------------------------------------------------------

/// 4 GiB, of which the process takes 512 MiB and each call 4 MiB; 120 calls a second for 100 that can be served.
const MEMORY: &str = "workers = 1\nqueue = 1000000\nmemory = '4GiB'\nbase_memory = '512MiB'\nmemory_per_call = '4MiB'\n\
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
        // What is rejected ends at once and the rest later: the longer the run, the less does that matter.
        &text.replace("duration = '100s'\nwarmup = '10s'", "duration = '1000s'\nwarmup = '60s'"),
        &[
            ("out_of_memory", about(1.0 / 6.0, 0.02)),
            ("throughput", 99.9..=100.1),
            ("box.crashes", 0.0..=0.0),
        ],
    );
}

// Databases ---------------------------------------------------------------------------------------------------------

fn with_database(client: &str, server: &str, database: &str) -> String {
    let server = format!("{server}\nsteps = [{{ query = 'db' }}]");
    format!("{}[database.db]\n{database}\n", one_box(client, &server))
}

#[test]
fn a_connection_too_many_is_rejected() {
    // One connection, one erlang: Erlang's B formula.
    check(
        &with_database("rate = '100/s'", "workers = 1000", "connections = 1\nread = '10ms'"),
        &[("rejected", about(0.5, 0.08)), ("db.inside", 0.0..=1.0)],
    );
}

#[test]
fn a_pool_caps_at_its_size_over_the_time_it_is_held() {
    // Two connections of 20 ms are 100 queries a second, whatever the database could do.
    check(
        &with_database("rate = '200/s'", "workers = 50\nqueue = 0\ndb_pool = 2", "cores = 16\nread = '20ms'"),
        &[("throughput", 99.5..=100.1), ("db.inside", 1.99..=2.0), ("db.utilisation", 0.12..=0.13)],
    );
}

#[test]
fn writes_that_wait_share_a_flush() {
    // A flush of 10 ms bounds lone commits at 100 a second; here 10 share one: half a flush to wait, and one to be in.
    let text = with_database(
        "rate = '1000/s'",
        "workers = 1000\ndb_pool = 1000",
        "cores = 64\nwrite = '1us'\ncommit = '10ms'\nconnections = 1000",
    );
    check(
        &format!("{text}[request.write]\neffect = 'write'\n"),
        &[("throughput", about(1000.0, 0.02)), ("mean_ms", about(15.0, 0.02))],
    );
}

#[test]
fn a_lone_writer_pays_every_flush() {
    let text = with_database("users = 1\nthink_time = '0s'", "", "write = '1us'\ncommit = '10ms'");
    check(
        &format!("{text}[request.write]\neffect = 'write'\n"),
        &[("throughput", about(99.99, 0.001)), ("mean_ms", 10.0..=10.01)],
    );
}

#[test]
fn what_the_buffer_misses_is_read_from_the_disk() {
    let pages = |gib: u64| (gib << 30) / (16 << 10);
    let miss = 1.0 - zipf_hit_ratio(pages(64), 0.99, pages(8));
    let database = "cores = 8\nmemory = '16GiB'\nbuffer = '8GiB'\nworking_set = '64GiB'\nread = '1us'\ndisk = { iops = 1000, latency = '1ms' }";
    let text = with_database(
        "rate = '500/s'",
        "workers = 1000\ndb_pool = 1000",
        &format!("{database}\nconnections = 1000"),
    );
    check(&text, &[("db.disk", about(0.5 * miss, 0.08)), ("ok", 1.0..=1.0)]);
    // What fits is never read twice.
    check(&text.replace("64GiB", "8GiB"), &[("db.disk", 0.0..=0.0)]);
}

// Limits ------------------------------------------------------------------------------------------------------------

#[test]
fn a_rate_limit_throttles_what_is_beyond_it() {
    let client = "rate = '100/s'\narrivals = { dist = 'constant' }";
    let server = "steps = [{ cpu = '1ms' }]\nrate_limit = { rate = '50/s', burst = 1 }";
    check(&one_box(client, server), &[("throttled", 0.499..=0.501), ("throughput", 49.9..=50.1)]);
    let text = one_box(client, &server.replace("burst = 1", "burst = 500"));
    // A bucket of 500 that loses 50 a second is empty after 10 s.
    check(
        &text.replace("warmup = '10s'", "warmup = '0s'"),
        &[("throughput@0..9", 99.0..=101.0), ("throughput@12..100", 49.5..=50.5)],
    );
}

// Names -------------------------------------------------------------------------------------------------------------

fn two_boxes(client: &str, dns: &str) -> String {
    let steps = "public = true\nsteps = [{ cpu = '1ms' }]\n";
    format!(
        "{NEAR}[client.users]\ntarget = 'www'\n{client}\n[dns.www]\n{dns}\n[server.a]\n{steps}[server.b]\n{steps}"
    )
}

#[test]
fn a_resolver_asks_once_in_a_time_to_live() {
    // A lookup each 10 s and the 0.1 s until the next request.
    check(
        &two_boxes("rate = '10/s'\nresolvers = 1", "records = ['a']\nttl = '1s'"),
        &[("www.rate", about(1.0 / 1.1, 0.05))],
    );
    check(
        &two_boxes("rate = '10/s'\nresolvers = 1", "records = ['a']\nttl = '1h'"),
        &[("www.rate", 0.0..=0.0)],
    );
    check(&two_boxes("rate = '10/s'", "records = ['a']\nttl = '0s'"), &[("www.rate", about(10.0, 0.15))]);
}

#[test]
fn records_are_given_in_turn_or_by_weight() {
    check(&two_boxes("rate = '100/s'", "records = ['a', 'b']\nttl = '0s'"), &[("a.share", 0.4999..=0.5001)]);
    let weighted = "records = [{ to = 'a', weight = 3 }, 'b']\nttl = '0s'\npolicy = 'weighted'";
    check(&two_boxes("rate = '100/s'", weighted), &[("a.share", about(0.75, 0.03))]);
}

#[test]
fn a_record_of_a_group_stands_for_all_its_machines() {
    let text = two_boxes("rate = '90/s'", "records = ['a']\nttl = '0s'")
        .replace("[server.a]\n", "[server.a]\ncount = 3\n");
    check(&text, &[("a-1.share", 0.333..=0.334), ("a-2.share", 0.333..=0.334), ("a-3.share", 0.333..=0.334)]);
}

#[test]
fn long_lives_of_answers_unbalance_the_boxes() {
    // Two resolvers serve two thirds and one third of the users, and each keeps one address for ever.
    let text = two_boxes("rate = '100/s'\nresolvers = 2", "records = ['a', 'b']\nttl = '1h'");
    check(&text, &[("larger(a,b)", about(2.0 / 3.0, 0.03))]);
}

// Load --------------------------------------------------------------------------------------------------------------

#[test]
fn a_closed_population_cannot_overrun_a_server_and_an_open_stream_can() {
    let server = "scheduling = 'fifo'\nworkers = 100000\nqueue = 0\nmemory_per_call = '1KiB'\nsteps = [{ cpu = '100ms' }]";
    let closed = "users = 50\nthink_time = { dist = 'exponential', mean = '1s' }\ntimeout = '1h'";
    // R = N / X - Z = 50 / 10 - 1 = 4 s.
    check(
        &one_box(closed, server),
        &[("throughput", 9.99..=10.01), ("mean_ms", about(4000.0, 0.06)), ("box.inside_max", 0.0..=50.0)],
    );
    check(
        &one_box("rate = '20/s'\ntimeout = '1h'", server),
        &[("throughput", 9.8..=10.1), ("box.inside_max", 900.0..=1400.0)],
    );
}

#[test]
fn a_worker_is_held_by_whoever_is_inside_and_does_not_wait_for_one() {
    // Little's law: 100/s x 100 ms hold 10 of 20 workers. Who waits for a worker holds none.
    let server = "workers = 20\nqueue = 1000\nsteps = [{ wait = '100ms' }]";
    check(&one_box("rate = '100/s'", server), &[("box.slots_held", about(0.5, 0.02))]);
    let closed = "users = 50\nthink_time = '1ms'\ntimeout = '1h'";
    check(
        &one_box(closed, server),
        &[("box.slots_held", about(1.0, 0.001)), ("box.inside", about(50.0, 0.01))],
    );
    // M/M/1 at 80 % keeps 4 calls inside, each with a worker of 400, 3.2 of them in the queue for the core.
    let server = "cores = 1\nscheduling = 'fifo'\nworkers = 400\n\
                  steps = [{ cpu = { dist = 'exponential', mean = '10ms' } }]";
    let held = ("box.slots_held", about(0.01, 0.2));
    check(&one_box("rate = '80/s'", server), &[held, ("box.queue", about(3.2, 0.2))]);
}

#[test]
fn the_response_time_law_holds_exactly() {
    let users = "users = 20\nthink_time = '1s'\ntimeout = '1h'";
    let text = one_box(users, "workers = 100\nsteps = [{ cpu = { dist = 'exponential', mean = '80ms' } }]");
    let (scenario, record) = run(&text.replace("100s'", "1000s'"));
    let of = |name: &str| figure(&scenario, &record, name);
    let by_law = 20.0 / of("throughput") - 1.0;
    assert!(
        (of("mean_ms") / 1e3 / by_law - 1.0).abs() < 0.01,
        "{} s, by the law {by_law} s",
        of("mean_ms") / 1e3
    );
}

#[test]
fn sessions_make_several_requests_each() {
    let client = "sessions = '20/s'\nrequests = 4\nthink_time = { dist = 'exponential', mean = '500ms' }";
    check(&one_box(client, "steps = [{ cpu = '1ms' }]"), &[("offered", about(80.0, 0.12))]);
}

#[test]
fn arrivals_have_their_shape() {
    // Batches of ten on average come at once: the load is the same, the queue is not.
    let server = "workers = 1\nqueue = 100000\nmemory_per_call = '1KiB'\nsteps = [{ cpu = '5ms' }]";
    for (arrivals, queue) in [
        ("{ dist = 'constant' }", 0.0..=0.0),
        ("{ dist = 'exponential' }", 0.15..=0.4),
        ("{ dist = 'exponential', batch = 10 }", 5.0..=15.0),
    ] {
        let client = format!("rate = '100/s'\narrivals = {arrivals}");
        check(&one_box(&client, server), &[("offered", about(100.0, 0.2)), ("box.queue", queue)]);
    }
}

fn profiled(profile: &str) -> String {
    let text = one_box(
        &format!("rate = '100/s'\nprofile = {profile}"),
        "workers = 1000\nsteps = [{ wait = '1ms' }]",
    );
    text.replace(NEAR, FROM_START)
}

#[test]
fn profiles_give_the_load_that_they_say() {
    check(
        &profiled("{ ramp = { over = '100s' } }"),
        &[("offered@0..50", about(25.0, 0.12)), ("offered@50..100", about(75.0, 0.07))],
    );
    check(
        &profiled("{ steps = [['0s', 1], ['30s', 3], ['60s', 0]] }"),
        &[
            ("offered@0..30", about(100.0, 0.08)),
            ("offered@30..60", about(300.0, 0.05)),
            ("offered@60..100", 0.0..=0.0),
        ],
    );
    check(
        &profiled("{ steps = [['0s', 0], ['5s', 2]], period = '10s' }"),
        &[
            ("offered@10..15", 0.0..=0.0),
            ("offered@15..20", about(200.0, 0.13)),
            ("offered@0..100", about(100.0, 0.05)),
        ],
    );
    check(
        &profiled("{ spike = { at = '40s', for = '10s', factor = 5 } }"),
        &[
            ("offered@0..40", about(100.0, 0.07)),
            ("offered@40..50", about(500.0, 0.06)),
            ("offered@50..100", about(100.0, 0.06)),
        ],
    );
    check(
        &profiled("{ burst = { every = '20s', for = '5s', factor = 4 } }"),
        &[
            ("offered@0..15", about(100.0, 0.11)),
            ("offered@15..20", about(400.0, 0.09)),
            ("offered@20..35", about(100.0, 0.11)),
            ("offered@35..40", about(400.0, 0.09)),
        ],
    );
    // The integral of 1 + a sin over half a day is 1 + 2a/pi.
    check(
        &profiled("{ diurnal = { period = '100s', amplitude = 0.8 } }"),
        &[("offered@0..50", about(150.9, 0.06)), ("offered@50..100", about(49.1, 0.09))],
    );
}

#[test]
fn a_profile_moves_a_closed_population() {
    let client = "users = 100\nthink_time = { dist = 'exponential', mean = '1s' }\n\
                  profile = { steps = [['0s', 0.5], ['30s', 2], ['60s', 1]] }";
    let text = one_box(client, "workers = 1000\nsteps = [{ wait = '1ms' }]").replace(NEAR, FROM_START);
    check(
        &text,
        &[
            ("offered@5..29", about(50.0, 0.13)),
            ("offered@35..60", about(200.0, 0.07)),
            ("offered@65..100", about(100.0, 0.08)),
        ],
    );
}

#[test]
fn a_trace_is_played_back() {
    let text = |file: &str| {
        one_box(&format!("trace = '{file}'"), "steps = [{ cpu = '1ms' }]").replace(NEAR, FROM_START)
    };
    check(
        &text("three.csv"),
        &[("issued", 3.0..=3.0), ("offered@0..1", 0.0..=0.0), ("offered@1..2", about(3.0, 1e-6))],
    );
    check(
        &text("counts.csv"),
        &[("offered@2..3", about(500.0, 0.2)), ("offered@4..100", 0.0..=0.0), ("issued", about(530.0, 0.18))],
    );
}

// Machines ----------------------------------------------------------------------------------------------------------

#[test]
fn boxes_on_one_machine_share_its_cores() {
    // Each of the two alone keeps the core half busy.
    let text = with_database("rate = '100/s'", "workers = 1000", "on = 'box'\nread = '5ms'")
        .replace("steps = [", "steps = [{ cpu = '5ms' }, ");
    check(&text, &[("box.utilisation", 0.97..=1.0), ("db.utilisation", 0.97..=1.0)]);
    let apart = text.replace("on = 'box'\n", "");
    check(&apart, &[("box.utilisation", about(0.5, 0.05)), ("db.utilisation", about(0.5, 0.05))]);
}

#[test]
fn cores_are_shared_as_the_scheduling_says() {
    // Three calls of 100 ms, 10 ms apart, on one core.
    for (scheduling, mean, max) in [("fifo", 190.0, 280.0), ("lifo", 190.0, 290.0), ("ps", 280.0, 285.0)] {
        let server = format!("scheduling = '{scheduling}'\nsteps = [{{ cpu = '100ms' }}]");
        let text = one_box("trace = 'three.csv'", &server).replace(NEAR, FROM_START);
        check(&text, &[("mean_ms", about(mean, 1e-6)), ("max_ms", about(max, 0.01)), ("ok", 1.0..=1.0)]);
    }
}

#[test]
fn steps_may_be_for_one_class_or_for_a_share() {
    let classes = "[request.a]\nshare = 20\n[request.b]\nshare = 80\n";
    let server = "cores = 4\nsteps = [{ cpu = '10ms', class = 'a' }, { cpu = '20ms', chance = '25%' }]";
    // 20 x 10 ms and 100 x 25 % x 20 ms a second on four cores.
    let text = format!("{}{classes}", one_box("rate = '100/s'", server));
    check(
        &text,
        &[("box.busy", about(0.7, 0.08)), ("a.share", about(0.2, 0.08)), ("b.mean_ms", about(5.0, 0.1))],
    );
}

#[test]
fn a_fan_out_waits_for_the_last_answer() {
    let other = "[server.leaf]\ncores = 4096\nworkers = 100000\nmemory = '1TiB'\nsteps = [{ cpu = { dist = 'exponential', mean = '10ms' } }]\n";
    let text = |step: &str| {
        let server = format!("workers = 10000\nmemory = '1TiB'\nsteps = [{{ call = 'leaf', {step} }}]");
        format!("{}{other}", one_box("rate = '20/s'", &server))
    };
    // The mean of the largest of ten exponentials is 1 + 1/2 + ... + 1/10 times theirs.
    check(&text("parallel = 10"), &[("mean_ms", about(29.29, 0.06)), ("leaf.rate", about(200.0, 0.1))]);
    check(&text("times = 10"), &[("mean_ms", about(100.0, 0.04)), ("leaf.rate", about(200.0, 0.1))]);
    check(
        &text("times = 3, parallel = 2"),
        &[("mean_ms", about(45.0, 0.04)), ("leaf.rate", about(120.0, 0.1))],
    );
}

#[test]
fn an_instance_sets_cores_memory_and_price() {
    let text = one_box("rate = '100/s'", "instance = 'm7i.large'\nsteps = [{ cpu = '10ms' }]");
    let expect =
        [("box.cores", 2.0..=2.0), ("box.memory_mib", 8192.0..=8192.0), ("box.price", about(0.1008, 1e-6))];
    check(&text, &expect);
    let speed = outgrow::model::catalogue::find("m7i.large").expect("it is in the catalogue").speed;
    check(&text, &[("box.busy", about(1.0 / speed, 0.06))]);
    // What stands beside it goes first.
    check(&text.replace("instance", "cores = 3\ninstance"), &[("box.cores", 3.0..=3.0)]);
}

#[test]
fn the_round_trip_is_paid_once_a_hop() {
    let text = with_database("rate = '50/s'", "", "read = '1us'")
        .replace("client = '0ms'\nsame_zone = '0ms'", "client = '40ms'\nsame_zone = '2ms'\njitter = 0");
    check(&text, &[("mean_ms", 42.0..=42.1)]);
}

#[test]
fn an_answer_after_the_deadline_is_no_goodput() {
    // An exponential of 10 ms is over within 10 ms with probability 1 - 1/e.
    let server = "workers = 1000\nsteps = [{ wait = { dist = 'exponential', mean = '10ms' } }]";
    let text = format!("{}[request.read]\ndeadline = '10ms'\n", one_box("rate = '200/s'", server));
    check(&text, &[("throughput", about(200.0, 0.04)), ("goodput", about(126.4, 0.06)), ("ok", 1.0..=1.0)]);
}
