//! A cache in front of a database, against closed forms.

use outgrow::Scenario;
use outgrow::theory::cache::zipf_hit_ratio;

/// A network and a database that take no time, so that a fill takes none either.
const AT_ONCE: &str = "[network]\nclient = '0ms'\nsame_zone = '0ms'\n\
                       [server.web]\npublic = true\nworkers = 100000\nmemory = '64GiB'\nsteps = [{ query = 'memo' }]\n\
                       [database.db]\nread = '0ms'\nwrite = '0ms'\ncommit = '0ms'\n";

/// Runs two trials of a scenario and returns the value of each metric. A metric that is a time is in seconds, and is
/// marked by ` s` at its end.
pub(super) fn values<const N: usize>(text: &str, metrics: [&str; N]) -> [f64; N] {
    let expect = |metric: &str| match metric.strip_suffix(" s") {
        Some(time) => format!("[[expect]]\nthat = \"{time} >= 0s\"\n"),
        None => format!("[[expect]]\nthat = \"{metric} >= 0\"\n"),
    };
    let expects = metrics.map(expect).concat();
    let text = format!("{text}{expects}");
    let scenario = Scenario::parse(&text).unwrap_or_else(|found| panic!("{found}"));
    let result = scenario.trials(2).run().unwrap_or_else(|found| panic!("{found}"));
    let value =
        |at: usize| result.expect[at].value.unwrap_or_else(|| panic!("{:?}\n{text}", result.expect[at]));
    std::array::from_fn(value)
}

/// Reads at a rate, of keys that this table of a class describes, through a cache with these keys.
fn cached(run: &str, rate: &str, classes: &str, cache: &str) -> String {
    format!(
        "[run]\n{run}\n{classes}[client.users]\nrate = '{rate}'\ntarget = 'web'\n{AT_ONCE}[cache.memo]\n\
         target = 'db'\nop = '0ms'\n{cache}\n"
    )
}

fn about(value: f64, expected: f64, slack: f64) {
    assert!((value - expected).abs() <= slack, "{value}, expected {expected}");
}

#[test]
fn the_least_recently_used_leaves_as_che_says() {
    for (keys, zipf, entries) in [(1000, 0.99, 10), (1000, 0.99, 100), (1000, 0.8, 500), (1000, 0.0, 300)] {
        let class = format!("[request.read]\nkeys = {keys}\nzipf = {zipf}\n").replace("zipf = 0\n", "");
        let text =
            cached("duration = '60s'\nwarmup = '5s'", "1000/s", &class, &format!("entries = {entries}"));
        let [hits, most, fills, evictions] =
            values(&text, ["hit_share(memo)", "max(entries(memo))", "fills(memo)", "evictions(memo)"]);
        about(hits, zipf_hit_ratio(keys, zipf, entries), 0.01);
        assert_eq!((most, fills), (entries as f64, evictions), "a full cache evicts for every fill");
    }
}

#[test]
fn a_time_to_live_alone_gives_the_share_of_a_renewal_process() {
    // A cycle is a miss and the reads of the time to live T after it: r T / (1 + r T) of the reads hit.
    for (rate, seconds) in [(1.0, 6.0), (20.0, 1.0)] {
        let text = cached(
            "duration = '4000s'\nwarmup = '100s'",
            &format!("{rate}/s"),
            "[request.read]\n",
            &format!("ttl = '{seconds}s'"),
        );
        let [hits, expired] = values(&text, ["hit_share(memo)", "expired(memo)"]);
        about(hits, rate * seconds / (1.0 + rate * seconds), 0.012);
        assert!(expired > 0.0);
    }
}

#[test]
fn a_write_makes_the_entry_of_its_key_old() {
    // A read of the single key hits if the last request before it was a read.
    let classes = "[request.read]\nshare = 75\n[request.write]\nshare = 25\neffect = 'write'\n";
    let text = cached("duration = '400s'\nwarmup = '5s'", "100/s", classes, "");
    let [hits] = values(&text, ["hit_share(memo)"]);
    about(hits, 0.75, 0.01);
}

#[test]
fn a_crash_empties_the_cache_and_a_dead_database_leaves_the_hits() {
    let run = "duration = '100s'\nwarmup = '0s'";
    let crash =
        |target: &str| format!("[[fault]]\nkind = 'crash'\ntarget = '{target}'\nat = '50s'\nfor = '10s'\n");
    let text = cached(run, "50/s", "[request.read]\n", "");
    let [fills, available] = values(&(text.clone() + &crash("memo")), ["fills(memo)", "availability"]);
    assert_eq!(fills, 2.0, "one at the start and one after the crash");
    about(available, 0.9, 0.02);
    let [fills, available] = values(&(text + &crash("db")), ["fills(memo)", "availability"]);
    assert_eq!((fills, available), (1.0, 1.0));
}

#[test]
fn a_fill_that_takes_too_long_is_given_up() {
    let text = cached("duration = '20s'\nwarmup = '0s'", "10/s", "[request.read]\n", "timeout = '5ms'")
        .replace("read = '0ms'", "read = '20ms'");
    let [fills, available] = values(&text, ["fills(memo)", "availability"]);
    assert_eq!((fills, available), (0.0, 0.0));
}
