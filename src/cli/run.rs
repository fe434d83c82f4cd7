//! `outgrow run`: simulates scenarios and says what came out.

use std::path::{Path, PathBuf};

use super::output::{JsonOutput, OutputFolder, print, say};
use super::pictures::{Pictures, files};
use super::progress::Bar;
use super::shell::quoted;
use super::source::{Override, Source, warn};
use super::status::{Failure, Status};
use super::{Ended, interrupt, key_and_value, panic, replay};
use crate::experiment::result::{Answer, RunResult};
use crate::experiment::runner::{self, RunOptions, Trials};
use crate::model::quantity::{Duration, QuantityError, Share};
use crate::report;
use crate::report::html::Run;
use crate::scenario::Scenario;

/// Simulate scenarios and print what came out
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Path of a scenario, name of a built-in one (see outgrow list), or - for stdin
    #[arg(value_name = "SCENARIO", required = true)]
    scenarios: Vec<String>,

    /// Change a key before reading, as in web.count=8
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    overrides: Vec<Override>,

    /// Where all random numbers come from, instead of the scenario's own seed
    #[arg(long)]
    seed: Option<u64>,

    /// Number of independent trials, instead of the scenario's own
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    trials: Option<u32>,

    /// Go on until the mean response time is known this well, as in 2%
    #[arg(long, value_name = "SHARE", value_parser = precision)]
    precision: Option<f64>,

    /// Simulated time that is measured, instead of the scenario's own
    #[arg(long, value_parser = duration)]
    duration: Option<Duration>,

    /// Threads; all cores by default, and the result is the same with any number
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,

    /// Treat warnings as errors, and what is not shown as failed
    #[arg(long)]
    strict: bool,

    /// Run the first trial a second time, and demand the same events
    #[arg(long)]
    audit: bool,

    /// Write the result as JSON into a file; - is stdout, instead of the summary
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Write charts of what came out into a folder, each as SVG and as PNG
    #[arg(long, value_name = "DIR")]
    charts: Option<PathBuf>,

    /// Write a page that says and shows it all into one HTML file
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,

    /// Write series and tables as CSV files into a folder
    #[arg(long, value_name = "DIR")]
    csv: Option<PathBuf>,

    /// Print neither summary nor progress
    #[arg(long, short)]
    quiet: bool,

    /// Run this trial alone and print its fingerprint
    #[arg(long, value_name = "N", hide = true)]
    trial: Option<u32>,

    /// With --trial: stop after this much simulated time
    #[arg(long, value_name = "DURATION", hide = true, requires = "trial", value_parser = duration)]
    until: Option<Duration>,
}

pub(super) fn precision(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(Share(share)) if share > 0.0 => Ok(share),
        Ok(_) => Err("no number of trials is enough for 0%".into()),
        Err(error) => Err(in_words(&error)),
    }
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match text.parse::<Duration>() {
        Ok(duration) if duration.0.is_zero() => Err("must be longer than nothing".into()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(in_words(&error)),
    }
}

fn in_words(error: &QuantityError) -> String {
    error.to_string()
}

/// Checks everything, then simulates one scenario after the other.
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
        status = status.max(verdict(&result, args.strict));
        if !args.quiet && !matches!(outputs.json, Some(JsonOutput::Stdout)) {
            let gap = if results.is_empty() { "" } else { "\n" };
            print(&format!("{gap}{}", report::summary::text(&result)))?;
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

/// What the report is made of.
fn runs<'a>(args: &Args, scenarios: &'a [Scenario], results: &'a [RunResult]) -> Vec<Run<'a>> {
    let all = args.scenarios.iter().zip(scenarios).zip(results);
    let run = |((argument, scenario), result): ((&String, &'a Scenario), &'a RunResult)| {
        let command =
            format!("{} --seed {} --trials {}", command_line(args, argument), result.seed, result.trials);
        Run { scenario, result, command }
    };
    all.map(run).collect()
}

/// Reads and checks all scenarios, so that none is simulated when another one is wrong.
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
    let source = Source::find(argument)?;
    let mut overrides = args.overrides.clone();
    overrides.extend(timing(&source, &args.overrides, args.duration)?);
    let loaded = source.check(&overrides)?;
    if !loaded.warnings.is_empty() {
        say(&loaded.warnings.render(true));
        if args.strict {
            return Err(Failure::scenario(format!(
                "`{argument}` has warnings, which --strict does not allow"
            )));
        }
    }
    Ok(loaded.scenario)
}

/// The overrides that make the trials so long.
pub(super) fn timing(
    source: &Source,
    others: &[Override],
    duration: Option<Duration>,
) -> Result<Vec<Override>, Failure> {
    let Some(Duration(duration)) = duration else { return Ok(Vec::new()) };
    let mut overrides = vec![("run.duration".to_owned(), Duration(duration).to_string())];
    let own = source.check(others)?.scenario.run.warmup;
    if own >= duration {
        // A warm-up that suits ten minutes must not forbid a quick look of ten seconds.
        let warmup = Duration(duration.mul_f64(0.1));
        let (origin, own) = (&source.origin, Duration(own));
        warn(&format!("{origin}: the warm-up of {own} does not fit: it is cut to {warmup}"));
        overrides.push(("run.warmup".into(), warmup.to_string()));
    }
    Ok(overrides)
}

fn simulate(args: &Args, argument: &str, scenario: &Scenario) -> Option<RunResult> {
    panic::running(command_line(args, argument));
    let trials = args.trials.unwrap_or(scenario.run.trials);
    let options = RunOptions {
        seed: args.seed.unwrap_or(scenario.run.seed),
        trials: 0..trials,
        jobs: args.jobs.map_or(0, usize::from),
        length: scenario.length(),
    };
    let bar = Bar::new(trials, args.quiet);
    let trials: Trials = match args.precision {
        Some(target) => runner::run_to_precision(scenario, &options, target, &bar),
        None => runner::run(scenario, &options, &bar),
    };
    bar.clear();
    if args.audit && trials.complete {
        audit(scenario, &options, &trials);
    }
    (!trials.records.is_empty()).then(|| RunResult::new(scenario, &options, &trials))
}

/// Runs the first trial a second time and compares. The accounts, by which each request and call ends exactly once, are
/// closed at the end of every trial, audited or not.
///
/// # Panics
/// When the same seed has given other events: then nothing that was measured can be trusted.
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

/// How a run with this result ends.
fn verdict(result: &RunResult, strict: bool) -> Status {
    let fails = |answer: Answer| answer == Answer::Fails || strict && answer == Answer::NotShown;
    let imprecise = result.precision.is_some_and(|precision| !precision.reached);
    if !result.complete && interrupt::interrupted() {
        Status::Interrupted
    } else if imprecise || result.expect.iter().any(|expect| fails(expect.verdict)) {
        Status::NotAsExpected
    } else {
        Status::Done
    }
}

fn replay_all(args: &Args, scenarios: &[Scenario], trial: u32) -> Ended {
    let mut status = Status::Done;
    for (argument, scenario) in args.scenarios.iter().zip(scenarios) {
        panic::running(command_line(args, argument));
        let seed = args.seed.unwrap_or(scenario.run.seed);
        let until = args.until.map(|Duration(until)| until);
        status = status.max(replay::replay(scenario, seed, trial, until)?);
    }
    Ok(status)
}

/// What one would type to run this scenario again, without seed and trial.
fn command_line(args: &Args, argument: &str) -> String {
    command(argument, &args.overrides, args.duration)
}

/// What one would type to run a scenario with these overrides.
pub(super) fn command(argument: &str, overrides: &[Override], duration: Option<Duration>) -> String {
    let mut line = format!("outgrow run {}", quoted(argument));
    for (key, value) in overrides {
        line.push_str(&format!(" --set {}", quoted(&format!("{key}={value}"))));
    }
    if let Some(duration) = duration {
        line.push_str(&format!(" --duration {duration}"));
    }
    line
}

/// Where results go besides the terminal.
struct Outputs {
    json: Option<JsonOutput>,
    csv: Option<OutputFolder>,
    pictures: Pictures,
}

impl Outputs {
    /// Makes sure that everything can be written before anything is simulated.
    fn prepare(args: &Args) -> Result<Outputs, Failure> {
        Ok(Outputs {
            json: args.json.as_deref().map(JsonOutput::prepare).transpose()?,
            csv: args.csv.as_deref().map(OutputFolder::prepare).transpose()?,
            pictures: Pictures::prepare(args.charts.as_deref(), args.report.as_deref())?,
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
        self.pictures.write(|| drawn(results), || report::html::runs(&runs(args, scenarios, results)))
    }
}

/// Names and contents of the files of all charts; with several scenarios their names stand before those of the charts.
fn drawn(results: &[RunResult]) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for (index, result) in results.iter().enumerate() {
        let stem = Path::new(&result.scenario.file).file_stem().unwrap_or_default().to_string_lossy();
        let before = if results.len() > 1 { format!("{}-{stem}-", index + 1) } else { String::new() };
        all.extend(files(&before, &report::chart::of_run(result)));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_on_the_command_line_must_make_sense() {
        assert_eq!(precision("2%"), Ok(0.02));
        assert!(precision("0%").is_err() && precision("x").is_err());
        assert!(duration("10min").is_ok() && duration("0s").is_err() && duration("10").is_err());
    }
}
