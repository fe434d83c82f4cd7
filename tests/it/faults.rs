//! Faults held against closed forms: availability, refusals, time-outs, disasters, and nothing that is shifted by them.

use outgrow::components::KINDS;
use outgrow::kernel::random::Seed;
use outgrow::model::record::TrialRecord;
use outgrow::model::signal::Outcome;
use outgrow::model::spec::NoFiles;
use outgrow::scenario::build::build;
use outgrow::scenario::{Scenario, load};
use rayon::prelude::*;

fn scenario(text: &str) -> Scenario {
    let loaded = load("faults.toml", text, &[], &NoFiles, KINDS);
    loaded.unwrap_or_else(|found| panic!("{}", found.render(false))).scenario
}

fn trial(scenario: &Scenario, index: u64) -> TrialRecord {
    build(scenario, Seed::new(7).trial(index)).run(scenario.length(), &mut |_progress| false)
}

fn run(text: &str) -> TrialRecord {
    trial(&scenario(text), 0)
}

/// A figure of each of so many trials, over threads.
fn trials(text: &str, count: u64, figure: impl Fn(&TrialRecord) -> f64 + Sync) -> Vec<f64> {
    let scenario = scenario(text);
    (0..count).into_par_iter().map(|index| figure(&trial(&scenario, index))).collect()
}

/// Mean, and the half-width of its interval: four standard errors, so that a test fails for no reason once in 16 000 runs.
fn mean(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, 4.0 * (variance / n).sqrt())
}

#[track_caller]
fn close(name: &str, values: &[f64], expected: f64) {
    let (mean, half) = mean(values);
    println!("{name}: {mean:.6} +- {half:.6}, expected {expected:.6}");
    assert!((mean - expected).abs() <= half, "{name}: {mean} +- {half}, expected {expected}");
}

/// Share of the requests that ended ok, of those that ended.
fn availability(record: &TrialRecord) -> f64 {
    let outcomes = record.classes[0].outcomes;
    outcomes[Outcome::Ok as usize] as f64 / outcomes.iter().sum::<u64>() as f64
}

fn count(record: &TrialRecord, outcome: Outcome) -> u64 {
    record.classes[0].outcomes[outcome as usize]
}

/// Requests issued, ended ok and ended otherwise from one second of the trial to another.
fn between(record: &TrialRecord, from: f64, to: f64) -> (u64, u64, u64) {
    let windows = record.windows.iter();
    let inside = windows
        .filter(|window| window.start_s >= from - 1e-6 && window.start_s + window.length_s <= to + 1e-6);
    inside.fold((0, 0, 0), |sum, window| (sum.0 + window.issued, sum.1 + window.ok, sum.2 + window.failed))
}

fn events(record: &TrialRecord) -> Vec<(f64, &str, &str)> {
    record.timeline.iter().map(|note| (note.at.as_secs_f64(), note.component.as_str(), note.event)).collect()
}

/// An open load on one machine with no network in between, which does next to nothing for a request.
const ONE: &str = "[run]\nduration = '10min'\nwarmup = '0s'\n[network]\nclient = '0s'\n\
    [client.users]\nrate = '20/s'\ntarget = 'web'\ntimeout = '2s'\n\
    [server.web]\npublic = true\nsteps = [{ cpu = '1ms' }]\n";

#[test]
fn three_minutes_of_ten_cost_three_tenths_of_an_open_load() {
    let text = format!("{ONE}[[fault]]\nkind = 'crash'\ntarget = 'web'\nat = '5min'\nfor = '3min'\n");
    close("availability", &trials(&text, 20, availability), 0.7);
    let record = run(&text);
    assert_eq!(events(&record), [(300.0, "web", "crash"), (480.0, "web", "recover")]);
    let (issued, ok, failed) = between(&record, 300.0, 480.0);
    assert!(issued > 3000 && ok <= 1 && failed + 5 >= issued, "{issued} {ok} {failed}");
}

#[test]
fn a_machine_that_fails_at_random_is_up_mtbf_over_mtbf_plus_mttr() {
    // Case availability-single-onoff: 95 s up and 5 s down, both exponential; Poisson arrivals see time averages.
    let text = "[run]\nduration = '1000s'\nwarmup = '100s'\n[network]\nclient = '0s'\n\
        [client.users]\nrate = '10/s'\ntarget = 'web'\n[server.web]\npublic = true\nsteps = [{ wait = '0s' }]\n\
        [[fault]]\nkind = 'crash'\ntarget = 'web'\nmtbf = '95s'\nmttr = '5s'\n";
    let up = trials(text, 400, availability);
    close("availability", &up, 0.95);
    // Variance of the share of time up in 1000 s, and on top of it the binomial one of 10 000 requests.
    let (mean, _) = mean(&up);
    let variance = up.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (up.len() - 1) as f64;
    let expected = 0.000_449_106_562_5 + 0.95 * 0.05 / 10_000.0;
    println!("variance {variance:.3e}, expected {expected:.3e}");
    assert!((variance / expected - 1.0).abs() < 0.3, "variance {variance}, expected {expected}");
}
