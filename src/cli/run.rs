//! `outgrow run`: simulates scenarios and prints the results.

use std::path::{Path, PathBuf};

use super::options::{Simulating, duration, expression, precision};
use super::output::{JsonOutput, OutputFolder, claim_output, print, say};
use super::pictures::{Pictures, files};
use super::progress::Bar;
use super::source::{Override, Source};
use super::status::{Failure, Status};
use super::{Ended, interrupt, key_and_value, language, panic, replay};
use crate::experiment::advise;
use crate::experiment::attempt::try_advice;
use crate::experiment::result::{Answer, RunResult};
use crate::experiment::runner::{self, RunOptions, Trials};
use crate::model::quantity::Duration;
use crate::model::record::TrialRecord;
use crate::report;
use crate::report::html::Run;
use crate::report::lang::Lang;
use crate::scenario::command::{self as scenario_command, quoted};
use crate::scenario::expression::{Expectation, parse_slo};
use crate::scenario::{Expect, Scenario};

/// Simulate scenarios and print the results
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Path of a scenario, name of a built-in one (see outgrow list), or - for stdin
    #[arg(value_name = "SCENARIO", required = true)]
    scenarios: Vec<String>,

    /// Change a key before reading, as in web.count=8
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    overrides: Vec<Override>,

    #[command(flatten)]
    simulating: Simulating,

    /// Add goals to those of the scenario, as in 'p99 < 300ms, errors < 0.1%'
    #[arg(long = "expect", value_name = "GOAL")]
    goals: Vec<String>,

    /// Evaluate the scenario's [[check]], the tests of the simulator, too
    #[arg(long)]
    checks: bool,

    /// Add trials until the interval of the mean response time is this narrow, as in 2%
    #[arg(long, value_name = "SHARE", value_parser = precision)]
    precision: Option<f64>,

    /// Do not try the advice of `next:` before it is given
    #[arg(long)]
    no_try: bool,

    /// Language of the summary's headings
    #[arg(long, value_name = "LANGUAGE", default_value = "en", value_parser = language())]
    lang: Lang,

    /// Run the first trial a second time, and demand the same events
    #[arg(long)]
    audit: bool,

    /// Write series and tables as CSV files into a folder
    #[arg(long, value_name = "DIR")]
    csv: Option<PathBuf>,

    /// Run this trial alone and print its fingerprint
    #[arg(long, value_name = "N", hide = true)]
    trial: Option<u32>,

    /// With --trial: stop after this much simulated time
    #[arg(long, value_name = "DURATION", hide = true, requires = "trial", value_parser = duration)]
    until: Option<Duration>,
}

/// Checks everything, then simulates one scenario after another.
pub(super) fn run(args: &Args) -> Ended {
    let outputs = Outputs::prepare(args)?;
    let scenarios = load_all(args)?;
    interrupt::watch()?;
    if let Some(trial) = args.trial {
        return replay_all(args, &scenarios, trial);
    }
    let mut status = Status::Done;
    let mut results = Vec::new();
    for (argument, scenario) in args.scenarios.iter().zip(&scenarios) {
        let Some(result) = simulate(args, argument, scenario) else {
            say("interrupted before a trial got beyond its warm-up: there is no result");
            status = Status::Interrupted;
            break;
        };
        status = status.max(verdict(&result, args.simulating.strict));
        if !args.simulating.outputs.quiet && !matches!(outputs.json, Some(JsonOutput::Stdout)) {
            let gap = if results.is_empty() { "" } else { "\n" };
            let text = report::summary::text(&result);
            let text = if args.lang == Lang::Ko { report::korean::headings(&text) } else { text };
            print(&format!("{gap}{text}"))?;
        }
        results.push(result);
        if status == Status::Interrupted {
            break;
        }
    }
    if !results.is_empty() {
        outputs.write(args, &scenarios, &results)?;
    }
    Ok(status)
}

/// Scenario, result and command of each run, for the report.
fn runs<'a>(args: &Args, scenarios: &'a [Scenario], results: &'a [RunResult]) -> Vec<Run<'a>> {
    let all = args.scenarios.iter().zip(scenarios).zip(results);
    let run = |((argument, scenario), result): ((&String, &'a Scenario), &'a RunResult)| {
        let command =
            format!("{} --seed {} --trials {}", command_line(args, argument), result.seed, result.trials);
        Run { scenario, result, command }
    };
    all.map(run).collect()
}

/// Reads and checks all scenarios, so that none is simulated if another one has errors.
fn load_all(args: &Args) -> Result<Vec<Scenario>, Failure> {
    let mut scenarios = Vec::new();
    let mut failed: Option<Failure> = None;
    for argument in &args.scenarios {
        match load(args, argument) {
            Ok(scenario) => scenarios.push(scenario),
            Err(failure) => {
                if let Some(earlier) = failed.replace(failure) {
                    say(&earlier.text);
                }
            }
        }
    }
    failed.map_or(Ok(scenarios), Err)
}

fn load(args: &Args, argument: &str) -> Result<Scenario, Failure> {
    let is_as_it_is = args.overrides.is_empty() && args.simulating.duration.is_none();
    if args.checks && !is_as_it_is {
        say(CHANGED);
    }
    let source = Source::find(argument)?.with_checks(args.checks && is_as_it_is);
    let overrides = args.simulating.with_timing(&source, &args.overrides)?;
    let mut scenario = args.simulating.load(&source, &overrides)?;
    for goals in &args.goals {
        let goals = expression("--expect", goals, &scenario, parse_slo)?;
        let goal = |that: Expectation| Expect { text: that.to_string(), that, window: None };
        scenario.expects.extend(goals.into_iter().map(goal));
    }
    Ok(scenario)
}

/// Why no check is evaluated.
pub(super) const CHANGED: &str = "checks are for the scenario as it is: left out";

fn simulate(args: &Args, argument: &str, scenario: &Scenario) -> Option<RunResult> {
    panic::running(command_line(args, argument));
    let trials = args.simulating.trials.unwrap_or(scenario.run.trials);
    let options = RunOptions {
        seed: args.simulating.seed.unwrap_or(scenario.run.seed),
        trials: 0..trials,
        jobs: args.simulating.jobs(),
        length: scenario.length(),
    };
    let bar = Bar::new(trials, args.simulating.outputs.quiet);
    let trials: Trials = match args.precision {
        Some(target) => runner::run_to_precision(scenario, &options, target, &bar),
        None => runner::run(scenario, &options, &bar),
    };
    bar.clear();
    if args.audit && trials.complete {
        audit(scenario, &options, &trials);
    }
    if trials.records.is_empty() {
        return None;
    }
    let mut result = RunResult::new(scenario, &options, &trials);
    advice(args, argument, scenario, &options, &mut result, &trials.records);
    Some(result)
}

/// Lets the advice pass through the loader, and tries it.
fn advice(
    args: &Args,
    argument: &str,
    scenario: &Scenario,
    options: &RunOptions,
    result: &mut RunResult,
    records: &[TrialRecord],
) {
    let Ok(source) = Source::find(argument) else { return };
    let overrides = [args.overrides.clone(), args.simulating.times(scenario)].concat();
    let reload = |changes: &[Override]| {
        let all = [overrides.as_slice(), changes].concat();
        source.check(&all).ok().map(|loaded| loaded.scenario)
    };
    result.next = advise::next(scenario, result, Some(&reload));
    if !args.no_try {
        let bar = Bar::new(2, true);
        try_advice(scenario, options, result, records, &reload, &bar);
    }
}

/// Runs the first trial a second time and compares. The ledgers, by which each request and call ends exactly once,
/// are checked at the end of every trial, audited or not.
///
/// # Panics
/// When the same seed has given other events. Then no result can be trusted.
fn audit(scenario: &Scenario, options: &RunOptions, trials: &Trials) {
    let once = RunOptions { trials: 0..1, jobs: 1, ..options.clone() };
    let again = runner::run(scenario, &once, &runner::Unwatched);
    let (first, again) = (&trials.records[0], &again.records[0]);
    assert!(
        (first.fingerprint, first.events) == (again.fingerprint, again.events),
        "the first trial has other events when it is run again"
    );
    let issued: u64 = first.classes.iter().map(|class| class.issued).sum();
    say(&format!(
        "audit: the first trial, run again, has the same {} events; its accounts close for {issued} requests",
        first.events
    ));
}

/// The status of a run with this result.
fn verdict(result: &RunResult, strict: bool) -> Status {
    let fails = |answer: Answer| answer == Answer::Fails || strict && answer == Answer::NotShown;
    let imprecise = result.precision.is_some_and(|precision| !precision.reached);
    if !result.complete && interrupt::interrupted() {
        Status::Interrupted
    } else if imprecise || result.expect.iter().chain(&result.checks).any(|one| fails(one.verdict)) {
        Status::NotAsExpected
    } else {
        Status::Done
    }
}

fn replay_all(args: &Args, scenarios: &[Scenario], trial: u32) -> Ended {
    let mut status = Status::Done;
    for (argument, scenario) in args.scenarios.iter().zip(scenarios) {
        panic::running(command_line(args, argument));
        let seed = args.simulating.seed.unwrap_or(scenario.run.seed);
        let until = args.until.map(|Duration(until)| until);
        status = status.max(replay::replay(scenario, seed, trial, until)?);
    }
    Ok(status)
}

/// The command that runs this scenario again, without seed and trial.
fn command_line(args: &Args, argument: &str) -> String {
    let mut line = command(argument, &args.overrides, args.simulating.duration);
    for goals in &args.goals {
        line.push_str(&format!(" --expect {}", quoted(goals)));
    }
    line
}

/// The command that runs a scenario with these overrides.
pub(super) fn command(argument: &str, overrides: &[Override], duration: Option<Duration>) -> String {
    let mut line = scenario_command::run(argument, overrides);
    if let Some(duration) = duration {
        line.push_str(&format!(" --duration {duration}"));
    }
    line
}

/// The outputs besides the terminal.
struct Outputs {
    json: Option<JsonOutput>,
    csv: Option<OutputFolder>,
    pictures: Pictures,
}

impl Outputs {
    /// Checks that everything can be written, before anything is simulated.
    fn prepare(args: &Args) -> Result<Outputs, Failure> {
        args.csv.as_deref().map(claim_output).transpose()?;
        Ok(Outputs {
            json: args.simulating.outputs.json()?,
            csv: args.csv.as_deref().map(OutputFolder::prepare).transpose()?,
            pictures: args.simulating.outputs.pictures()?,
        })
    }

    fn write(&self, args: &Args, scenarios: &[Scenario], results: &[RunResult]) -> Result<(), Failure> {
        if let Some(json) = &self.json {
            json.write(&report::json::results(results))?;
        }
        if let Some(csv) = &self.csv {
            let tables = report::tables::tables(results);
            let files: Vec<(&str, String)> =
                tables.iter().map(|(name, table)| (*name, table.csv())).collect();
            csv.write(&files)?;
        }
        self.pictures.write(
            || drawn(results),
            || report::html::runs(&runs(args, scenarios, results)),
            || args.simulating.opening(scenarios.iter().map(|one| (one, &args.overrides[..])), None),
        )
    }
}

/// Names and contents of the files of all charts. With several scenarios the names begin with number and name of the
/// scenario.
fn drawn(results: &[RunResult]) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for (index, result) in results.iter().enumerate() {
        let stem = Path::new(&result.scenario.file).file_stem().unwrap_or_default().to_string_lossy();
        let before = if results.len() > 1 { format!("{}-{stem}-", index + 1) } else { String::new() };
        all.extend(files(&before, &report::chart::of_run(result)));
    }
    all
}
