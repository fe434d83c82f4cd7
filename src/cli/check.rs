//! `outgrow check`: finds all errors of scenarios, without simulating them; with `--run` it also runs their tests of the
//! simulator.

use super::output::{print, say};
use super::progress::Bar;
use super::run::CHANGED;
use super::source::{Override, Source};
use super::status::Status;
use super::{Ended, interrupt, key_and_value};
use crate::experiment::result::{Answer, RunResult};
use crate::experiment::runner::{self, RunOptions};
use crate::report::summary;
use crate::scenario::Scenario;

/// Check scenarios without running them
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Path of a scenario, name of a built-in one, or - for stdin
    #[arg(value_name = "SCENARIO", required = true)]
    scenarios: Vec<String>,

    /// Change a key before reading, as in web.count=8
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    overrides: Vec<Override>,

    /// Treat warnings as errors; with --run, a check that is not shown to hold as failed
    #[arg(long)]
    strict: bool,

    /// Run each scenario that has [[check]], the tests of the simulator, and say what is not as expected
    #[arg(long)]
    run: bool,
}

/// Checks all scenarios. Errors and warnings go to stderr, and a line for each valid scenario to stdout.
pub(super) fn run(args: &Args) -> Ended {
    let mut status = Status::Done;
    let mut valid = Vec::new();
    for argument in &args.scenarios {
        let source = Source::find(argument).map(|source| source.with_checks(true));
        match source.and_then(|source| source.check(&args.overrides)) {
            Err(failure) => {
                say(&failure.text);
                status = status.max(failure.status);
            }
            Ok(loaded) if loaded.warnings.is_empty() => {
                print(&format!("{argument}: ok\n"))?;
                valid.push((argument, loaded.scenario));
            }
            Ok(loaded) => {
                say(&loaded.warnings.render(true));
                let count = loaded.warnings.items.len();
                let noun = if count == 1 { "warning" } else { "warnings" };
                print(&format!("{argument}: {count} {noun}\n"))?;
                status = status.max(if args.strict { Status::BadScenario } else { Status::Done });
                valid.push((argument, loaded.scenario));
            }
        }
    }
    match (args.run && status == Status::Done, args.overrides.is_empty()) {
        (true, true) => run_checks(&valid, args.strict),
        (true, false) => {
            say(CHANGED);
            Ok(status)
        }
        (false, _) => Ok(status),
    }
}

/// Runs the scenarios that have checks, each with its own seed and number of trials.
fn run_checks(scenarios: &[(&String, Scenario)], strict: bool) -> Ended {
    interrupt::watch()?;
    let mut status = Status::Done;
    for (argument, scenario) in scenarios {
        if scenario.checks.is_empty() {
            print(&format!("{argument}: no checks\n"))?;
            continue;
        }
        let options = RunOptions {
            seed: scenario.run.seed,
            trials: 0..scenario.run.trials,
            jobs: 0,
            length: scenario.length(),
        };
        let bar = Bar::new(scenario.run.trials, false);
        let trials = runner::run(scenario, &options, &bar);
        bar.clear();
        if !trials.complete {
            say("interrupted");
            return Ok(Status::Interrupted);
        }
        let result = RunResult::new(scenario, &options, &trials);
        print(&format!("{argument}: {}\n{}", counted(&result), summary::unexpected(&result)))?;
        let fails = |answer: Answer| answer == Answer::Fails || strict && answer == Answer::NotShown;
        if result.checks.iter().any(|check| fails(check.verdict)) {
            status = Status::NotAsExpected;
        }
    }
    Ok(status)
}

/// How many checks are as expected, in words.
fn counted(result: &RunResult) -> String {
    let all = result.checks.len();
    let noun = if all == 1 { "check" } else { "checks" };
    match result.checks.iter().filter(|check| check.verdict == Answer::Holds).count() {
        expected if expected == all => format!("{all} {noun} as expected"),
        expected => format!("{expected} of {all} {noun} as expected"),
    }
}
