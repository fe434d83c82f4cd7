//! Runs a scenario from a program and holds the result against theory: `cargo run --release --example embed`.
//!
//! ```text
//!  users --80/s--> box (one core, 10 ms a request, first come first served)
//! ```

use outgrow::components::KINDS;
use outgrow::kernel::random::Seed;
use outgrow::model::spec::NoFiles;
use outgrow::scenario::build::build;
use outgrow::scenario::error::Diagnostics;
use outgrow::scenario::{Scenario, load};
use outgrow::stats::interval::Estimate;
use outgrow::theory::queues::mm1;

/// A scenario that ships with the program; any text will do.
const TEXT: &str = include_str!("../scenarios/00-mm1.toml");

/// Requests a second and seconds of work a request, as the scenario has them.
const RATE: f64 = 80.0;
const SERVICE_S: f64 = 0.010;

fn main() -> Result<(), Diagnostics> {
    println!("{}", report()?);
    Ok(())
}

/// One line with the mean response time, measured and computed.
pub(crate) fn report() -> Result<String, Diagnostics> {
    let overrides = [("run.trials".to_owned(), "10".to_owned())];
    let scenario = load("00-mm1.toml", TEXT, &overrides, &NoFiles, KINDS)?.scenario;
    let measured = Estimate::over_trials(&mean_responses_ms(&scenario));
    let theory_ms = mm1(RATE, SERVICE_S).expect("the core is not overloaded").response * 1e3;
    Ok(format!(
        "{} trials: mean response {:.1} ms +/- {:.1} ms; M/M/1 says {theory_ms:.1} ms",
        scenario.run.trials,
        measured.mean,
        measured.half_width.unwrap_or(f64::INFINITY),
    ))
}

/// The mean response time of each trial, in milliseconds.
fn mean_responses_ms(scenario: &Scenario) -> Vec<f64> {
    let seed = Seed::new(scenario.run.seed);
    let trial = |index: u32| {
        let mut simulation = build(scenario, seed.trial(index.into()));
        let record = simulation.run(scenario.length(), &mut |_progress| false);
        record.classes[0].response.mean() / 1e6
    };
    (0..scenario.run.trials).map(trial).collect()
}
