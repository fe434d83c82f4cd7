//! Engines of databases: the cost of one query, the writes that a crash loses, and the node of a key.

use outgrow::components::KINDS;
use outgrow::components::database::DataRecord;
use outgrow::kernel::random::Seed;
use outgrow::model::record::{ComponentRecord, TrialRecord};
use outgrow::model::signal::Outcome;
use outgrow::model::spec::NoFiles;
use outgrow::scenario::{self, build::build};

/// Runs the trials of a scenario. Returns their records in order.
fn run(text: &str) -> Vec<TrialRecord> {
    let loaded = scenario::load("test.toml", text, &[], &NoFiles, KINDS);
    let scenario = loaded.unwrap_or_else(|found| panic!("{}", found.render(false))).scenario;
    let trial = |index| {
        let seed = Seed::new(scenario.run.seed).trial(index);
        build(&scenario, seed).run(scenario.length(), &mut |_| false)
    };
    (0..u64::from(scenario.run.trials)).map(trial).collect()
}

/// A scenario of requests at a rate, a server without cost that does `step`, and a database.
fn text(run: &str, class: &str, rate: &str, step: &str, db: &str) -> String {
    format!(
        "[run]\n{run}\n[network]\nclient = '0ms'\nsame_zone = '2ms'\njitter = 0\n[request.it]\n{class}\n\
         [client.users]\ntarget = 'web'\nrate = '{rate}'\n[server.web]\npublic = true\nworkers = 100000\n\
         db_pool = 1000\nmemory = '1024GiB'\nsteps = [{{ query = 'db', {step} }}]\n[database.db]\n{db}\n"
    )
}

fn component<'a>(trial: &'a TrialRecord, name: &str) -> &'a ComponentRecord {
    trial.components.iter().find(|component| component.name == name).expect("it is there")
}

/// The mean response time in ms, and the number of queries answered for each request.
fn figures(step: &str, db: &str, class: &str) -> (f64, f64) {
    let trials = run(&text("duration = '100s'\nwarmup = '0s'\ntrials = 1", class, "5/s", step, db));
    let class = &trials[0].classes[0];
    let queries: u64 =
        trials[0].components.iter().filter(|one| one.name.starts_with("db")).map(|one| one.outcomes[0]).sum();
    (class.response.mean() / 1e6, queries as f64 / class.outcomes[0] as f64)
}

const CHEAP: &str = "cores = 64\nread = '1ms'\nlookup = '0.1ms'";

#[test]
fn a_join_is_one_query_or_a_round_trip_for_each_entity() {
    // One round trip of 2 ms and one read of 1 ms with three more rows of 0.1 ms; or four round trips with a read
    // each.
    for (engine, ms, queries) in [
        ("relational", 3.3, 1.0),
        ("graph", 3.3, 1.0),
        ("key-value", 12.0, 4.0),
        ("document", 12.0, 4.0),
        ("column", 12.0, 4.0),
    ] {
        let found = figures("joins = 3", &format!("engine = '{engine}'\nsigma = 0\n{CHEAP}"), "");
        assert!((found.0 - ms).abs() < 0.05, "{engine}: {found:?}, not {ms} ms");
        assert!((found.1 - queries).abs() < 0.05, "{engine}: {found:?}, not {queries} queries");
    }
    // Each repetition of the step does the join again.
    let found = figures("joins = 3, times = 2", &format!("engine = 'document'\n{CHEAP}"), "");
    assert!((found.0 - 24.0).abs() < 0.05 && (found.1 - 8.0).abs() < 0.1, "{found:?}");
}

#[test]
fn parts_are_rows_or_one_value() {
    for (engine, ms) in
        [("relational", 5.0), ("graph", 5.0), ("key-value", 3.0), ("document", 3.0), ("column", 3.0)]
    {
        let found = figures("parts = 20", &format!("engine = '{engine}'\nsigma = 0\n{CHEAP}"), "");
        assert!(
            (found.0 - ms).abs() < 0.05 && (found.1 - 1.0).abs() < 0.01,
            "{engine}: {found:?}, not {ms} ms"
        );
    }
}

#[test]
fn a_traversal_multiplies_or_comes_to_each_once_or_is_gone_by_the_caller() {
    // 5 + 25 + 125 paths among 100 entities reach 100 (1 - 0.99^155) = 78.94 of them.
    for (engine, ms, queries) in [
        ("relational", 3.0 + 15.5, 1.0),
        ("graph", 3.0 + 7.894, 1.0),
        ("document", 4.0 * 3.0 + 0.4 + 2.4 + 12.4, 4.0),
    ] {
        let found = figures("hops = 3, fanout = 5", &format!("engine = '{engine}'\n{CHEAP}"), "keys = 100");
        assert!((found.0 - ms).abs() < 0.08, "{engine}: {found:?}, not {ms} ms");
        assert!((found.1 - queries).abs() < 0.05, "{engine}: {found:?}, not {queries} queries");
    }
}

#[test]
fn every_row_of_a_query_may_miss_the_buffer() {
    // Each of 21 rows misses the buffer with probability 1 - h, and then takes 1 ms of the disk, one after another.
    let db = format!("{CHEAP}\nmemory = '16GiB'\nbuffer = '8GiB'\nworking_set = '64GiB'");
    let miss = 1.0 - outgrow::theory::cache::zipf_hit_ratio(4 << 20, 0.99, 1 << 19);
    for (parts, rows) in [("parts = 20", 21.0), ("parts = 99", 100.0)] {
        let (ms, _) = figures(parts, &db, "");
        let expected = 3.0 + (rows - 1.0) * 0.1 + rows * miss;
        assert!((ms / expected - 1.0).abs() < 0.04, "{parts}: {ms}, not {expected} ms");
    }
}

#[test]
fn explain_knows_what_a_query_costs_beyond_a_plain_one() {
    for (engine, step) in [
        ("relational", "joins = 3, parts = 7"),
        ("document", "joins = 3, parts = 7, times = 2"),
        ("document", "hops = 2, fanout = 10"),
        ("relational", "hops = 2, fanout = 10"),
        ("graph", "hops = 2, fanout = 10"),
    ] {
        let db = format!("engine = '{engine}'\n{CHEAP}");
        let text = text("duration = '60s'\nwarmup = '0s'\ntrials = 1", "keys = 40", "20/s", step, &db);
        let scenario = scenario::load("test.toml", &text, &[], &NoFiles, KINDS).expect("a scenario").scenario;
        let load = scenario.load();
        let trial = &run(&text)[0];
        let arrived = trial.classes[0].outcomes[0] as f64 / 60.0;
        let machine = component(trial, "db").machine.as_ref().expect("a machine");
        let told = load.boxes.iter().find(|one| one.name == "db").expect("it is there");
        let work = told.calls_per_s * told.cpu_s / 20.0 * arrived;
        assert!(
            (machine.busy_cores_mean / work - 1.0).abs() < 0.01,
            "{engine} {step}: {} and {work}",
            machine.busy_cores_mean
        );
        let calls = component(trial, "db").outcomes[0] as f64 / 60.0;
        assert!(
            (calls / (told.calls_per_s / 20.0 * arrived) - 1.0).abs() < 0.01,
            "{engine} {step}: {calls} calls"
        );
    }
}

#[test]
fn a_power_failure_takes_the_writes_since_the_last_flush() {
    // Flushes begin every two seconds, at a phase that differs from trial to trial, and take 3.7 ms. So rate (interval /
    // 2 + flush) are lost on average, by a failure at a round time too.
    let db = "engine = 'key-value'\nflush_every = '2s'";
    let fault = "[[fault]]\nkind = 'power-off'\ntarget = 'db'\nat = '10s'\nfor = '1s'\n";
    let run_ = "duration = '15s'\nwarmup = '0s'\ntrials = 100";
    let trials = run(&(text(run_, "effect = 'write'", "400/s", "times = 1", db) + fault));
    let data = |trial: &TrialRecord| {
        let data = DataRecord::of(trial).expect("writes can be lost");
        (data.lost_writes as f64, data.rpo_s.expect("a power failure"))
    };
    let lost: Vec<(f64, f64)> = trials.iter().map(data).collect();
    for &(lost, span) in &lost {
        assert!((lost - 400.0 * span).abs() < 4.5 * (400.0 * span).sqrt() + 2.0, "{lost} lost in {span} s");
        assert!(span < 2.02, "{span} s");
    }
    let mean = lost.iter().map(|(lost, _)| lost).sum::<f64>() / 100.0;
    let spread = (lost.iter().map(|(lost, _)| (lost - mean) * (lost - mean)).sum::<f64>() / 99.0).sqrt();
    // Uniform from 0 to 800: a standard deviation of 231, and of 23 in the mean of 100.
    assert!((mean - 400.0 * 1.0037).abs() < 70.0 && (190.0..270.0).contains(&spread), "{mean} +- {spread}");
}

#[test]
fn a_process_that_dies_loses_no_write_because_its_kernel_has_it() {
    let of_engine = |engine: &str, fault: &str| {
        let db = &format!("engine = '{engine}'\nflush_every = '1s'");
        let length = "duration = '30s'\nwarmup = '0s'\ntrials = 20";
        let trials = run(&(text(length, "effect = 'write'", "400/s", "times = 1", db) + fault));
        let of = |trial: &TrialRecord| DataRecord::of(trial).expect("writes can be lost").lost_writes as f64;
        trials.iter().map(of).collect::<Vec<f64>>()
    };
    let lost = |fault: &str| of_engine("key-value", fault);
    // Redis 7.0.15 with `appendfsync everysec`: nothing lost in six of six runs of `kill -9`.
    let crash = "[[fault]]\nkind = 'crash'\ntarget = 'db'\nat = '10s'\nfor = '5s'\n";
    assert_eq!(lost(crash), [0.0; 20]);
    // MongoDB keeps the records of its journal in its own memory.
    let buffered = of_engine("document", crash).iter().sum::<f64>() / 20.0;
    assert!((buffered - 400.0 * 0.5037).abs() < 80.0, "{buffered}");
    // The power fails a moment after the crash, before the machine has flushed.
    let both =
        lost(&format!("{crash}[[fault]]\nkind = 'power-off'\ntarget = 'db'\nat = '10.001s'\nfor = '1s'\n"));
    let mean = both.iter().sum::<f64>() / 20.0;
    assert!((mean - 400.0 * 0.5037).abs() < 80.0, "{mean}");
}

#[test]
fn with_a_flush_for_every_write_nothing_is_lost_and_writes_wait() {
    let at_once = "engine = 'key-value'\nsigma = 0\nflush_every = '0s'";
    let (ms, _) = figures("times = 1", at_once, "effect = 'write'");
    assert!((ms - (2.0 + 0.013 + 3.7)).abs() < 0.1, "{ms} ms");
    let (ms, _) = figures("times = 1", "engine = 'key-value'", "effect = 'write'");
    assert!((ms - 2.013).abs() < 0.01, "{ms} ms");
}

#[test]
fn one_thread_does_all_commands_of_a_key_value_engine() {
    // 72 to 80 thousand a second, for any number of cores (Redis documentation).
    for cores in [1, 16] {
        let db = format!("engine = 'key-value'\ncores = {cores}\nconnections = 1000");
        let trials =
            run(&text("duration = '2s'\nwarmup = '1s'\ntrials = 1", "", "100000/s", "times = 1", &db));
        let rate = component(&trials[0], "db").outcomes[0] as f64 / 2.0;
        assert!((72_000.0..80_000.0).contains(&rate), "{cores} cores: {rate} a second");
    }
}

#[test]
fn a_key_lives_on_one_node_and_a_hot_one_heats_it() {
    let db = "engine = 'column'\nnodes = 4\nread = '1ms'";
    let share = |class: &str| {
        let trials =
            run(&text("duration = '200s'\nwarmup = '0s'\ntrials = 1", class, "200/s", "times = 1", db));
        let calls = |node: u32| component(&trials[0], &format!("db.node-{node}")).outcomes[0] as f64;
        let all: f64 = (1..=4).map(calls).sum();
        assert_eq!(all as u64, trials[0].classes[0].outcomes[0]);
        (1..=4).map(calls).fold(0.0, f64::max) / all
    };
    let even = share("keys = 100000");
    assert!((0.24..0.27).contains(&even), "{even}");
    // By Zipf's law with exponent 1.2 the most popular of 1000 keys gets 0.23 of the requests; its node also gets a
    // quarter of the others.
    let hot = share("keys = 1000\nzipf = 1.2");
    assert!(hot > 0.34, "{hot}");
}

#[test]
fn with_a_node_down_its_keys_are_away_and_the_others_are_not() {
    let fault = "[[fault]]\nkind = 'crash'\ntarget = 'db.node-2'\nat = '0s'\n";
    let text = text(
        "duration = '100s'\nwarmup = '0s'\ntrials = 1",
        "keys = 100000",
        "100/s",
        "times = 1",
        "engine = 'column'\nnodes = 4",
    );
    let trial = &run(&(text + fault))[0];
    let outcomes = &trial.classes[0].outcomes;
    let gone = outcomes[Outcome::Unavailable as usize] as f64 / outcomes.iter().sum::<u64>() as f64;
    assert!((0.23..0.27).contains(&gone), "{gone}");
}

#[test]
fn a_partition_throttles_what_is_beyond_its_limits() {
    let db = "engine = 'key-value'\nread_limit = '300/s'";
    let trial = &run(&text("duration = '100s'\nwarmup = '0s'\ntrials = 1", "", "400/s", "times = 1", db))[0];
    let throttled = trial.classes[0].outcomes[Outcome::Throttled as usize] as f64 / 100.0;
    assert!((throttled - 97.0).abs() < 10.0, "{throttled} a second");
}
