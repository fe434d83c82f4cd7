//! Data that are divided among shards.

use super::*;

/// Queries at a rate of 100,000 keys with this exponent, at a database with these keys.
fn divided(rate: &str, zipf: &str, query: &str, database: &str) -> String {
    format!(
        "{}[request.read]\nkeys = 100000\nzipf = {zipf}\n[database.db]\nread = '1ms'\n{database}\n",
        one_box(
            &format!("rate = '{rate}'"),
            &format!(
                "workers = 100000\nmemory = '64GiB'\ndb_pool = 10000\nsteps = [{{ query = 'db'{query} }}]"
            )
        )
    )
}

/// The share of the queries for the keys from `first` on, every `step`-th of 100,000, up to `last`.
fn share_of(zipf: f64, first: u32, step: usize, last: u32) -> f64 {
    let weight = |key: u32| libm::pow(f64::from(key) + 1.0, -zipf);
    let sum: f64 = (first..last).step_by(step).map(weight).sum();
    sum / (0..100_000).map(weight).sum::<f64>()
}

#[test]
fn the_hottest_shard_has_the_most_popular_key() {
    // By the key itself and by ranges the shares are sums of Zipf's law.
    for (zipf, exponent) in [("0.99", 0.99), ("1.2", 1.2)] {
        let by_mod = share_of(exponent, 0, 4, 100_000);
        let text = divided("500/s", zipf, "", "shards = { count = 4, by = 'mod' }");
        check(&text, &[("db.hottest_share", by_mod - 0.012..=by_mod + 0.012)]);
        let by_range = share_of(exponent, 0, 1, 25_000);
        let text = divided("500/s", zipf, "", "shards = { count = 4, by = 'range' }");
        check(&text, &[("db.hottest_share", by_range - 0.012..=by_range + 0.012)]);
    }
    // What is not there is looked for where it would be.
    let text = divided("500/s", "0", "", "shards = { count = 4, by = 'range' }")
        .replace("[database.db]", "missing = '100%'\n[database.db]");
    check(&text, &[("db.hottest_share", 0.25..=0.265)]);
    // Splits as even as the queries are.
    let splits = "shards = { count = 2, by = 'range', splits = [100] }";
    let head = share_of(0.99, 0, 1, 100);
    let most = head.max(1.0 - head);
    check(&divided("500/s", "0.99", "", splits), &[("db.hottest_share", most - 0.012..=most + 0.012)]);
    // By a hash, chance divides the others: p1 + (1 - p1) / N on average, here of one division.
    for by in ["hash", "ring"] {
        let text = divided(
            "500/s",
            "1.2",
            "",
            &format!("shards = {{ count = 4, by = '{by}', virtual_nodes = 1000 }}"),
        )
        .replace(if by == "hash" { ", virtual_nodes = 1000" } else { "-" }, "");
        let first = share_of(1.2, 0, 1, 1);
        let expected = first + (1.0 - first) / 4.0;
        check(&text, &[("db.hottest_share", expected - 0.08..=expected + 0.08)]);
    }
}

#[test]
fn copies_of_the_hot_keys_even_reads_out() {
    // A hundred keys, half of the reads, lie on all shards.
    let keys = "shards = { count = 4, by = 'range', hot = { keys = 100, copies = 4 } }";
    let hot = share_of(0.99, 0, 1, 100);
    let most = hot / 4.0 + share_of(0.99, 100, 1, 25_000);
    check(&divided("500/s", "0.99", "", keys), &[("db.hottest_share", most - 0.012..=most + 0.012)]);
    // A write goes to all copies, so that one of four shards that is down fails all writes of hot keys, and a quarter of the others.
    let crash = "[[fault]]\nkind = 'crash'\ntarget = 'db.shard-4'\nat = '1s'\n";
    let text = divided("200/s", "0.99", "", keys).replace("keys = 100000", "effect = 'write'\nkeys = 100000")
        + crash;
    let failed = hot + share_of(0.99, 75_000, 1, 100_000);
    check(&text, &[("unavailable", failed - 0.02..=failed + 0.02)]);
}

#[test]
fn what_a_scenario_says_of_each_shard_is_what_is_measured() {
    let scatter = ", scatter = 2";
    for (query, replicas) in
        [("", ""), ("", "\nreplicas = 2"), (scatter, ""), (", scatter = 'all'", "\nreplicas = 1")]
    {
        for by in ["ring", "mod", "range', hot = { keys = 20, copies = 3 }, splits = [30, 300, 3000] }-"] {
            // Which shards are asked beside that of the key is told for keys without copies.
            if by.contains("hot") && !query.is_empty() {
                continue;
            }
            let keys = format!("shards = {{ count = 4, by = '{by}' }}{replicas}").replace("-' }", "");
            let text = divided("400/s", "0.99", query, &keys);
            let (scenario, record) = run(&text);
            let load = scenario.load();
            for row in load.machines().filter(|row| row.name == "db") {
                let entry = scenario.entry("db").expect("there is a database");
                let names = row.resource.of.clone().map(|member| entry.spec.member("db", member).name);
                let busy = |name: String| {
                    let found = record.components.iter().find(|component| component.name == name);
                    found
                        .and_then(|found| found.machine.as_ref())
                        .map_or(0.0, |machine| machine.busy_cores_mean)
                };
                let measured: f64 = names.map(busy).sum();
                let said = row.mean.all;
                let slack = 0.05 * said + 0.012;
                assert!((measured - said).abs() < slack, "{}: {measured}, not {said}\n{text}", row.member);
            }
        }
    }
}

#[test]
fn a_shard_that_is_down_takes_its_keys_and_no_others() {
    let crash = "[[fault]]\nkind = 'crash'\ntarget = 'db.shard-2'\nat = '1s'\n";
    let text = |query: &str| divided("200/s", "0", query, "shards = { count = 4, by = 'mod' }") + crash;
    check(&text(""), &[("ok", about(0.75, 0.03)), ("unavailable", about(0.25, 0.08))]);
    // A query of all shards fails with one of them, unless it is content with the others.
    check(&text(", scatter = 'all'"), &[("unavailable", 1.0..=1.0)]);
    let partial = text(", scatter = 'all', partial = true");
    check(&partial, &[("ok", 1.0..=1.0), ("db.partial", about(200.0 * 100.0, 0.05))]);
    // Of two shards the one of the key and any other: 1 - 3/4 * 2/3.
    check(&text(", scatter = 2"), &[("unavailable", about(0.5, 0.05))]);
}

#[test]
fn each_shard_fails_over_by_itself() {
    let database = "replicas = 1\nfailover = { interval = '1s', misses = 2, promote = '3s' }\n\
                    shards = { count = 4, by = 'mod' }";
    let crash = "[[fault]]\nkind = 'crash'\ntarget = 'db.shard-2.primary'\nat = '20s'\n";
    let text = divided("200/s", "0", "", database).replace("keys =", "effect = 'write'\nkeys =") + crash;
    // A quarter of the writes fails for about six of a hundred seconds.
    check(&text, &[("unavailable", 0.009..=0.02)]);
}

#[test]
fn a_query_of_many_shards_takes_as_long_as_the_slowest() {
    // The longest of n exponential times of mean S is S (1 + 1/2 + ... + 1/n): 2.083, 2.929, 5.187 for 4, 10, 100.
    for (shards, times) in [(4, 2.083), (10, 2.929), (100, 5.187)] {
        let keys = format!("cores = 64\nshards = {{ count = {shards} }}");
        let text = divided("20/s", "0", ", scatter = 'all'", &keys)
            .replace("read = '1ms'", "read = { dist = 'exponential', mean = '100ms' }");
        check(&text, &[("mean_ms", about(100.0 * times, 0.05))]);
    }
}

#[test]
fn one_slow_answer_in_a_hundred_is_one_of_three_for_forty_shards() {
    // 1 - 0.99^n: 3.9, 9.6, 33.1, 63.4 % for 4, 10, 40, 100.
    for (shards, share, slack) in
        [(4, 0.039, 0.011), (10, 0.096, 0.018), (40, 0.331, 0.028), (100, 0.634, 0.03)]
    {
        let keys = format!("cores = 64\nshards = {{ count = {shards} }}");
        let text = divided("50/s", "0", ", scatter = 'all'", &keys)
            .replace("read = '1ms'", "read = { dist = 'empirical', file = 'slow.csv' }")
            .replace("rate = '50/s'", "rate = '50/s'\ntimeout = '100ms'");
        check(&text, &[("timed_out", share - slack..=share + slack)]);
    }
}

/// Data of 1 GiB that move to another number of shards from 10 s on, at 50 MB a second.
fn moving(by: &str, to: u32, more: &str) -> String {
    let database =
        format!("working_set = '1GiB'\nmemory = '16GiB'\nshards = {{ count = 4, by = '{by}' }}{more}");
    let operation = format!("[[operation]]\nkind = 'reshard'\ntarget = 'db'\nat = '10s'\nto = {to}\n");
    divided("100/s", "0", "", &database) + &operation
}

#[test]
fn keys_move_to_another_number_of_shards_while_queries_go_on() {
    // A fifth of 100,000 keys on a ring, on average over rings, four fifths by the remainder, and half of the last of four ranges.
    for (by, share, slack) in
        [("ring", 0.2, 0.05), ("mod", 0.8, 0.001), ("hash", 0.8, 0.01), ("range", 0.125, 0.001)]
    {
        let [low, high] = [share - slack, share + slack];
        // 2^30 bytes times the share, at 50 MB a second.
        let [least, most] = [low, high].map(|share| share * 1.073_741_824e9 / 50e6);
        check(
            &moving(by, 5, ""),
            &[
                ("db.moved_keys", low * 1e5..=high * 1e5),
                ("db.moved_bytes", low * 1.073_741_824e9..=high * 1.073_741_824e9),
                ("db.move_s", least..=most + 0.1),
                ("ok", 1.0..=1.0),
            ],
        );
    }
    // The same number of keys comes back from a shard that is given up.
    check(&moving("mod", 3, ""), &[("db.moved_keys", 0.74e5..=0.76e5), ("ok", 1.0..=1.0)]);
}

#[test]
fn a_shard_that_is_down_stops_the_move_which_goes_on_after_it() {
    let crash = "[[fault]]\nkind = 'crash'\ntarget = 'db.shard-5'\nat = '12s'\nfor = '20s'\n";
    let text = moving("mod", 5, "") + crash;
    // 17.2 s, and 20 s for which nothing moved.
    check(&text, &[("db.moved_keys", 0.799e5..=0.801e5), ("db.move_s", 37.0..=39.5)]);
    // With replicas the move goes on once another node is the primary.
    let text = moving("mod", 5, "\nreplicas = 1\nfailover = { interval = '1s', misses = 3, promote = '2s' }")
        + &crash.replace("shard-5", "shard-2.primary");
    check(&text, &[("db.moved_keys", 0.799e5..=0.801e5), ("db.move_s", 20.0..=25.0)]);
}

#[test]
fn a_query_goes_to_the_shard_that_has_its_key_now() {
    // Until 10 s a quarter of the queries come to each shard, afterwards a fifth.
    let text = moving("mod", 5, "");
    let hottest = |text: &str, expected: f64| {
        check(text, &[("db.hottest_share", expected - 0.01..=expected + 0.01)]);
    };
    hottest(&text.replace("at = '10s'", "at = '99s'"), 0.25);
    hottest(&text.replace("at = '10s'", "at = '1ms'"), 0.203);
}

/// Reads of keys whose shard a directory knows: a cache or a database called `here`.
fn told(rate: &str, here: &str) -> String {
    let shards = "shards = { count = 4, by = 'directory', directory = 'here' }";
    divided(rate, "0", "", shards).replace("keys = 100000", "keys = 1000") + here
}

#[test]
fn a_directory_takes_one_more_question_and_answers_no_more_than_it_can() {
    let cache = "[cache.here]\nop = '2ms'\nwarm = 1\n";
    let database = "[database.here]\nread = '5ms'\n";
    check(&told("20/s", cache), &[("mean_ms", about(2.0 + 1.0, 0.06)), ("here.hit_share", 1.0..=1.0)]);
    check(
        &told("5/s", database).replace("[database.here]", "[database.here]\ncores = 1"),
        &[("mean_ms", about(6.0, 0.04))],
    );
    // A write asks it in the same way, and writes at its shard only.
    let written = told("5/s", database).replace("[request.read]", "[request.read]\neffect = 'write'");
    let written = written.replace("read = '1ms'", "write = '1ms'\ncommit = '0ms'") + "write = '1h'\n";
    check(&written, &[("mean_ms", about(6.0, 0.04)), ("ok", 1.0..=1.0)]);
    // One core of 5 ms a question: 200 a second, however many shards there are.
    let full = told("400/s", database).replace("[database.here]", "[database.here]\ncores = 1");
    let full = full.replace("[client.users]", "[client.users]\ntimeout = '1h'");
    check(&full, &[("throughput", about(200.0, 0.02)), ("here.utilisation", 0.99..=1.0)]);
    // The way to the directory and back, and then to the shard.
    let far = told("20/s", cache).replace("same_zone = '0ms'", "same_zone = '10ms'");
    check(&far, &[("mean_ms", about(2.0 + 1.0 + 2.0 * 10.0, 0.02))]);
}

#[test]
fn a_directory_that_is_down_fails_all_queries_and_stands_in_a_row_with_the_shards() {
    // Down for a quarter of the time, and one of four shards for all of it: 3/4 x 3/4.
    let crash = |target: &str, at: u32, time: u32| {
        format!("[[fault]]\nkind = 'crash'\ntarget = '{target}'\nat = '{at}s'\nfor = '{time}s'\n")
    };
    let text = told("200/s", "[database.here]\nread = '0ms'\n");
    check(
        &(text.clone() + &crash("here", 30, 25)),
        &[("ok", about(0.75, 0.02)), ("unavailable", about(0.25, 0.06))],
    );
    let both = text.clone() + &crash("here", 30, 25) + &crash("db.shard-2", 1, 200);
    check(&both, &[("ok", about(0.5625, 0.05))]);
    // A query of all shards needs no directory.
    let all = text.replace("query = 'db'", "query = 'db', scatter = 'all'") + &crash("here", 1, 200);
    check(&all, &[("ok", 1.0..=1.0)]);
}

#[test]
fn a_key_that_the_directory_does_not_know_is_asked_of_all_shards_and_noted() {
    // 500 of 100,000 keys a second: of those asked from 10 to 110 s some are asked for the first time since 0 s.
    let text = told("500/s", "[cache.here]\nop = '0ms'\n").replace("keys = 1000\n", "keys = 100000\n");
    let new = 1e5 * (libm::exp(-0.05) - libm::exp(-0.55)) / 50_000.0;
    let each = 500.0 * (4.0 * new + (1.0 - new)) / 4.0;
    check(&text, &[("here.hit_share", 0.99 - new..=1.01 - new), ("db.shard-1.rate", about(each, 0.03))]);
    // A write makes the key known, at its own shard.
    let written = text.replace("[request.read]", "[request.read]\neffect = 'write'");
    let written = written.replace("read = '1ms'", "write = '1ms'\ncommit = '0ms'");
    check(&written, &[("here.hit_share", 0.99 - new..=1.01 - new), ("db.shard-1.rate", about(125.0, 0.05))]);
}

#[test]
fn a_directory_moves_no_key_that_need_not() {
    for (to, share) in [(5, 1.0 / 5.0), (6, 2.0 / 6.0), (3, 1.0 / 4.0)] {
        let text = moving("directory', directory = 'here", to, "") + "[cache.here]\nop = '0ms'\nwarm = 1\n";
        check(&text, &[("db.moved_keys", about(share * 1e5, 0.02)), ("ok", 1.0..=1.0)]);
    }
}
