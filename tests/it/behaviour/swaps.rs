//! Optimistic writes: a row is read, and written only if nobody has written it meanwhile.

use rayon::prelude::*;

use super::*;

#[test]
fn a_write_is_done_only_if_the_row_is_still_the_same() {
    // Two users write one row. Each try takes two round trips of 20 ms, and the two begin at the same time: one of them wins.
    let text = |retry: &str| {
        format!(
            "[run]\nduration = '100s'\nwarmup = '0s'\n[network]\nclient = '0ms'\nsame_zone = '20ms'\n\
             [request.edit]\neffect = 'write'\n\
             [client.users]\nusers = 2\nthink_time = '1s'\ntarget = 'web'\n\
             [server.web]\npublic = true\nsteps = [{{ query = 'db', swap = true{retry} }}]\n\
             [database.db]\nread = '1us'\nwrite = '1us'\ncommit = '0ms'\n"
        )
    };
    check(&text(""), &[("conflict", 0.45..=0.55), ("db.swaps", 150.0..=200.0)]);
    // The loser reads the row again, and then it is alone.
    let again = text(", retry = { attempts = 2, on = ['conflict'], backoff = '0ms' }");
    check(&again, &[("conflict", 0.0..=0.0), ("ok", 1.0..=1.0)]);
    // Another row is no conflict.
    let many = text("").replace("effect = 'write'", "effect = 'write'\nkeys = 1000000");
    check(&many, &[("conflict", 0.0..=0.0)]);
}

/// What `clients` do who write one row at the same time: the time until the last is done, ms, and the number of writes tried, each
/// the mean of 60 trials.
fn race(clients: u32, pause: &str) -> (f64, f64) {
    let text = format!(
        "[run]\nduration = '400s'\nwarmup = '0s'\n[network]\nclient = '0ms'\njitter = 0.2\nsame_zone = '20ms'\n\
         [request.edit]\neffect = 'write'\n\
         [client.users]\nusers = {clients}\nthink_time = '200s'\ntimeout = '190s'\ntarget = 'web'\n\
         [server.web]\npublic = true\nworkers = 1000\n\
         db_pool = 1000\nsteps = [{{ query = 'db', swap = true, retry = {{ attempts = 1000, on = ['conflict'], writes = true, {pause} }} }}]\n\
         [database.db]\nconnections = 1000\nread = '1ns'\nwrite = '1ns'\ncommit = '0ms'\nflush_every = '1s'\n"
    );
    let loaded = load("race.toml", &text, &[], &Known, KINDS).unwrap_or_else(|found| panic!("{found}"));
    let trials = (0..60_u64).into_par_iter().map(|trial| {
        let record = build(&loaded.scenario, Seed::new(trial)).run(loaded.scenario.length(), &mut |_| false);
        let of = |name: &str| figure(&loaded.scenario, &record, name);
        (of("max_ms"), of("db.swaps"))
    });
    let (time, writes) = trials.reduce(|| (0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
    (time / 60.0, writes / 60.0)
}

#[test]
fn backoff_and_jitter_follow_the_published_table() {
    let published = include_str!("../../../data/validation/aws_backoff.csv");
    // The published simulator pauses for twice its base of 5 ms before the first retry.
    let ways = [
        ("None", "backoff = '0ms'"),
        ("Exponential", "backoff = '10ms', factor = 2, max = '2s'"),
        ("EqualJitter", "backoff = '10ms', factor = 2, max = '2s', jitter = 'equal'"),
        ("FullJitter", "backoff = '10ms', factor = 2, max = '2s', jitter = 'full'"),
        ("Decorr", "backoff = '5ms', max = '2s', jitter = 'decorrelated'"),
    ];
    let mut count = 0;
    for line in published.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let [clients, time, calls] = [0, 1, 2].map(|at| fields[at].parse::<f64>().unwrap());
        if ![20.0, 50.0, 100.0].contains(&clients) {
            continue;
        }
        let (_, pause) = ways.iter().find(|(name, _)| *name == fields[3].trim()).unwrap();
        let (took, tried) = race(clients as u32, pause);
        assert!(about(time, 0.1).contains(&took), "{line}: the last is done after {took} ms");
        assert!(about(calls, 0.1).contains(&tried), "{line}: {tried} writes are tried");
        count += 1;
    }
    assert_eq!(count, 3 * ways.len());
}

/// Users who write one row, through a step with these keys.
fn rivals(keys: &str, more: &str) -> String {
    format!(
        "[run]\nduration = '100s'\nwarmup = '0s'\n[network]\nclient = '0ms'\nsame_zone = '20ms'\n\
         [request.edit]\neffect = 'write'\n\
         [client.users]\nusers = 20\nthink_time = '1s'\ntarget = 'web'\n\
         [server.web]\npublic = true\nsteps = [{{ query = 'db', swap = true{keys} }}]\n\
         [database.db]\nread = '1us'\nwrite = '1us'\ncommit = '0ms'\n{more}"
    )
}

#[test]
fn both_halves_of_a_try_are_paid_once() {
    // At most three tries after the first are under way. Each gives its place back once, or the count would run below zero.
    let budget = ", retry = { attempts = 20, backoff = '0ms', budget = { kind = 'concurrency', share = 0.0, min = 3 } }";
    check(&rivals(budget, ""), &[("web.retries", 100.0..=1000.0), ("web.retries_refused", 10.0..=1000.0)]);
}

#[test]
fn a_full_disk_locks_no_row() {
    let full = "[[fault]]\nkind = 'disk-full'\ntarget = 'db'\nat = '20s'\nfor = '10s'\n";
    let text =
        rivals(", retry = { attempts = 50, backoff = '10ms', jitter = 'full', on = ['conflict'] }", full);
    let before = figures_of(&text, "throughput@5..19");
    check(&text, &[("throughput@21..29", 0.0..=0.0), ("throughput@50..100", about(before, 0.1))]);
}

fn figures_of(text: &str, name: &str) -> f64 {
    let (scenario, record) = run(text);
    figure(&scenario, &record, name)
}
