//! Runs a scenario from a program and compares the result with theory: `cargo run --release --example embed`.
//!
//! ```text
//!  users --80/s--> box (one core, 10 ms a request, first come first served)
//! ```

use outgrow::components::KINDS;
use outgrow::experiment::result::RunResult;
use outgrow::experiment::runner::{RunOptions, Unwatched, run};
use outgrow::model::spec::NoFiles;
use outgrow::scenario::error::Diagnostics;
use outgrow::scenario::load;
use outgrow::theory::queues::mm1;

/// A built-in scenario; any scenario text would do.
const TEXT: &str = include_str!("../scenarios/00-mm1.toml");

/// Requests a second, and seconds of work a request; the scenario has the same numbers.
const RATE: f64 = 80.0;
const SERVICE_S: f64 = 0.010;

/// Number of trials; fewer than the scenario asks for.
const TRIALS: u32 = 10;

fn main() -> Result<(), Diagnostics> {
    println!("{}", report()?);
    Ok(())
}

/// One line with the mean response time, as measured and as computed from theory.
pub(crate) fn report() -> Result<String, Diagnostics> {
    let scenario = load("00-mm1.toml", TEXT, &[], &NoFiles, KINDS)?.scenario;
    let options = RunOptions {
        seed: scenario.run.seed,
        trials: 0..TRIALS,
        jobs: 0, // as many threads as there are cores; the result does not depend on it
        length: scenario.length(),
    };
    let trials = run(&scenario, &options, &Unwatched);
    let response = RunResult::new(&scenario, &options, &trials).metrics.response_ms.mean;
    let theory_ms = mm1(RATE, SERVICE_S).expect("the core is not overloaded").response * 1e3;
    Ok(format!(
        "{TRIALS} trials: mean response {:.1} ms +/- {:.1} ms; M/M/1 says {theory_ms:.1} ms",
        response.mean.unwrap_or(f64::NAN),
        response.half_width.unwrap_or(f64::INFINITY),
    ))
}
