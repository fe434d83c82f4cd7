//! A study of the intervals where chance is unkind: rare failures and heavy tails. An interval must contain the truth, or the
//! result must say that it shows nothing.

use super::super::result::RunResult;
use super::super::runner::{Progress, RunOptions, Trials, Unwatched, run_trial};
use super::super::threads;
use super::Verbatim;
use super::coverage::{Coverage, Study};
use crate::components::KINDS;
use crate::kernel::random::{mix, name_hash};
use crate::scenario::{Scenario, load};
use crate::stats::rare::EVENTS_MIN;

/// Least share of the repetitions whose interval contains the truth or whose result says that it shows nothing: 0.95 less 3.5
/// standard errors at 500 repetitions.
const LEAST: f64 = 0.916;

/// A system: its name, what is estimated, its true value, and its scenario.
struct System {
    name: &'static str,
    of: &'static str,
    truth: f64,
    text: String,
}

/// The beginning of a scenario of ten trials.
fn run(duration: &str) -> String {
    format!(
        "run = {{ duration = '{duration}', warmup = '0s', trials = 10 }}\nnetwork = {{ client = '0ms' }}\n"
    )
}

/// A server that is down for 5 minutes every 10 hours.
fn fails(rate: &str, duration: &str) -> String {
    run(duration)
        + &format!(
            "client.u = {{ rate = '{rate}', target = 's' }}\n\
             server.s = {{ public = true, steps = [{{ wait = '1ms' }}] }}\n\
             fault = [{{ kind = 'crash', target = 's', mtbf = '10h', mttr = '5min' }}]\n"
        )
}

/// A server whose clients give up this share of their requests, each on its own.
fn errors(share: &str) -> String {
    run("10s")
        + &format!(
            "client.u = {{ rate = '100/s', target = 's', timeout = '100ms' }}\n\
             server.s = {{ public = true, workers = 10000, memory_per_call = '1KiB', \
             steps = [{{ wait = '1s', chance = '{share}' }}] }}\n"
        )
}

/// One core at a load of one half, with work of this distribution.
fn work(law: &str) -> String {
    run("100s")
        + &format!(
            "client.u = {{ rate = '50/s', target = 's', timeout = '1h' }}\n\
             server.s = {{ public = true, cores = 1, scheduling = 'fifo', workers = 100000, \
             memory_per_call = '1KiB', steps = [{{ cpu = {{ dist = {law}, mean = '10ms' }} }}] }}\n"
        )
}

/// The systems of the study.
fn systems() -> Vec<System> {
    let loss = run("60s")
        + "client.u = { rate = '50/s', target = 's' }\nserver.s = { public = true, cores = 1, workers = 1, queue = 9, \
           steps = [{ cpu = { dist = 'exponential', mean = '10ms' } }] }\n";
    let up = 36_000.0 / 36_300.0;
    let one = |name, of, truth, text| System { name, of, truth, text };
    vec![
        one("mtbf 10 h, mttr 5 min", "availability, 10 x 10 min", up, fails("1/s", "10min")),
        one("mtbf 10 h, mttr 5 min", "availability, 10 x 50 h", up, fails("1/min", "50h")),
        one("errors 0.01 %", "availability, 10 x 1000", 0.9999, errors("0.01%")),
        one("errors 0.2 %", "availability, 10 x 1000", 0.998, errors("0.2%")),
        // M/M/1/10 at a load of 1/2: of 2047 equal parts of the probability, the full system has one.
        one("M/M/1/10, 0.5", "availability, 10 x 3000", 1.0 - 1.0 / 2047.0, loss),
        one("M/G/1, cv 1", "mean response", 0.02, work("'lognormal', cv = 1")),
        one("M/G/1, cv 4", "mean response", 0.095, work("'lognormal', cv = 4")),
    ]
}

/// Runs the study of all its systems.
///
/// # Panics
/// When an invariant of the simulator is broken, or no threads can be started.
#[must_use]
pub fn uncertain(study: Study, step: u32, progress: &dyn Progress) -> Vec<Coverage> {
    let systems = systems();
    let all = systems.len() as f64;
    let one = |(index, system): (usize, &System)| {
        let found = of(study, system, progress);
        progress.advanced(step, (index + 1) as f64 / all);
        found
    };
    systems.iter().enumerate().map(one).collect()
}

/// What a repetition says: its interval, and whether it says that it shows something.
struct Said {
    interval: Option<(f64, f64)>,
    is_shown: bool,
}

fn of(study: Study, system: &System, progress: &dyn Progress) -> Coverage {
    let loaded = load("coverage", &system.text, &[], &Verbatim, KINDS);
    let loaded = loaded.unwrap_or_else(|found| panic!("{}", found.render(false)));
    let warned = !loaded.warnings.is_empty();
    let scenario = loaded.scenario;
    let one = |repetition: u32| {
        (!progress.interrupted()).then(|| said(&scenario, study.seed, repetition, system.of, warned))
    };
    let all: Vec<Said> =
        threads::each(study.jobs, (0..study.repetitions).collect(), one).into_iter().flatten().collect();
    let covers = |said: &Said| said.interval.is_some_and(|(low, high)| (low..=high).contains(&system.truth));
    let missed: Vec<u32> =
        (0_u32..).zip(&all).filter(|(_, said)| said.is_shown && !covers(said)).map(|(at, _)| at).collect();
    let count = all.len() as f64;
    let shown = all.iter().filter(|said| said.is_shown).count();
    let width = |said: &Said| said.interval.map_or(0.0, |(low, high)| (high - low) / 2.0);
    let measured = 1.0 - missed.len() as f64 / count;
    // Of the intervals that are shown, where most are.
    let of_shown = 1.0 - missed.len() as f64 / shown.max(1) as f64;
    let least = LEAST - (0.95 - LEAST) * ((500.0 / count).sqrt() - 1.0);
    Coverage {
        system: system.name.into(),
        of: system.of.into(),
        truth: system.truth,
        measured,
        half_width: all.iter().map(width).sum::<f64>() / count / system.truth,
        low: least,
        high: 1.0,
        holds: measured >= least && (2.0 * shown as f64 <= count || of_shown >= least),
        not_shown: all.len() as u32 - shown as u32,
        missed,
    }
}

fn said(scenario: &Scenario, seed: u64, repetition: u32, of: &str, warned: bool) -> Said {
    let seed = mix(name_hash("uncertain").wrapping_add(seed), u64::from(repetition));
    let options = RunOptions { seed, trials: 0..scenario.run.trials, jobs: 1, length: scenario.length() };
    // Not `runner::run`: a thread that waits for threads of its own takes up another repetition meanwhile, and another, until
    // its stack is full.
    let records =
        options.trials.clone().map(|trial| run_trial(scenario, &options, trial, &Unwatched)).collect();
    let result = RunResult::new(scenario, &options, &Trials { records, complete: true, precision: None });
    if of.starts_with("mean") {
        let is_skewed = result.warnings.iter().any(|warning| warning.contains("a few very long"));
        let interval = result.metrics.response_ms.mean.scaled(1e-3).interval();
        return Said { interval, is_shown: !warned && !is_skewed };
    }
    let availability = &result.metrics.availability;
    let enough = availability.rare.is_some_and(|rare| rare.events >= EVENTS_MIN);
    let happened = result.random_faults.iter().all(|fault| fault.times as f64 >= EVENTS_MIN);
    Said { interval: availability.interval(), is_shown: enough && happened }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_study_of_rare_errors_covers_or_says_nothing() {
        let study = Study { seed: 1, repetitions: 60, jobs: 0, requests: 0.0 };
        let system = &systems()[3];
        let found = of(study, system, &Unwatched);
        assert!(found.holds && found.not_shown < 30, "{found:?}");
    }
}
