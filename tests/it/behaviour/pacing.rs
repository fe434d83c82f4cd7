//! Users who keep a pace instead of thinking after each answer.

use super::*;

/// Fifty users who ask every second; an answer takes as long as the step says.
fn paced(step: &str) -> String {
    let server = format!("workers = 1000\nmemory_per_call = '1KiB'\nsteps = [{step}]");
    one_box("users = 50\npace = '1s'\ntimeout = '1h'", &server)
}

#[test]
fn an_answer_within_the_pace_changes_nothing() {
    for wait in ["'1ms'", "'200ms'", "{ dist = 'uniform', min = '0ms', max = '990ms' }"] {
        // Exactly: each user issues 100 requests in 100 s. Uniform moments to begin with leave one more or less for some.
        check(
            &paced(&format!("{{ wait = {wait} }}")),
            &[("offered", 50.0..=50.0), ("box.rate", 50.0..=50.0)],
        );
    }
}

#[test]
fn a_late_user_asks_at_once() {
    // R = 2 s: N / R.
    check(
        &paced("{ wait = '2s' }"),
        &[("throughput", about(25.0, 0.001)), ("box.inside", about(50.0, 0.001))],
    );
    // Exponential with a mean of 1 s: the cycle is max(1 s, R), on average 1 + 1/e.
    check(
        &paced("{ wait = { dist = 'exponential', mean = '1s' } }"),
        &[("throughput", about(50.0 / (1.0 + libm::exp(-1.0)), 0.06))],
    );
}

#[test]
fn users_begin_at_random_moments_within_the_pace() {
    // All at once would be 50 inside.
    check(&paced("{ wait = '10ms' }"), &[("box.inside_max", 1.0..=6.0)]);
}

#[test]
fn the_static_load_knows_the_pace() {
    let load = |wait: &str| run_load(&paced(&format!("{{ wait = '{wait}' }}")));
    assert!((load("200ms") - 50.0).abs() < 1e-9 && (load("2s") - 25.0).abs() < 1e-9);
    // One core and 40 ms: 25/s, as soon as there are more than 25 users.
    let text = paced("{ cpu = '40ms' }");
    assert!((run_load(&text) - 25.0).abs() < 1e-9);
    check(&text, &[("throughput", about(25.0, 0.01)), ("mean_ms", about(2000.0, 0.02))]);
}

/// The most requests a second that come through.
fn run_load(text: &str) -> f64 {
    let loaded = load("test.toml", text, &[], &Known, KINDS).unwrap_or_else(|found| panic!("{found}"));
    loaded.scenario.load().clients[0].throughput_max
}
