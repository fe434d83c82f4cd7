//! `outgrow fit`: what requests cost, from a log and measured busy times.

use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use sha2::{Digest as _, Sha256};

use super::options::share;
use super::output::{JsonOutput, OutputFile, claim_input, print, say};
use super::progress::Steps;
use super::source::{Override, Source};
use super::status::{Failure, Status};
use super::{Ended, interrupt, key_and_value};
use crate::experiment::fit::{Busy, Fit, Log, Measured, Options, Unit, fit};
use crate::report;
use crate::report::number::percent;
use crate::scenario::overrides;

/// The largest share of a log that can be predicted instead of used.
const HOLD_MAX: f64 = 0.9;

/// Find out what requests cost, from a log and measured busy times, and check it against the rest of the log
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Path of a scenario whose clients have a `trace`
    scenario: String,

    /// The log: times, with the columns count, class and duration_s if it has them; by default the scenario's own trace
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,

    /// How busy the cores of a box were, as in web=cpu.csv: times and values; #COLUMN picks one of several columns
    #[arg(long = "cpu", value_name = "BOX=FILE[#COLUMN]", value_parser = key_and_value)]
    cpu: Vec<(String, String)>,

    /// Unit of these values; by default by the name of the column, else by their size
    #[arg(long, value_enum, value_name = "UNIT")]
    cpu_unit: Option<CpuUnit>,

    /// The share of the log, at its end, that is predicted instead of used
    #[arg(long, value_name = "SHARE", default_value = "30%", value_parser = share)]
    hold: f64,

    /// Change a key before reading, as in web.cores=8
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    overrides: Vec<Override>,

    /// Number of trials of each part that is predicted
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    trials: u32,

    /// Seed of the bootstrap and of the simulation, instead of the scenario's own
    #[arg(long)]
    seed: Option<u64>,

    /// Number of trials that run at the same time; results are the same for every number [default: all cores]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,

    /// Write the scenario with these costs into a file
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,

    /// Print no progress
    #[arg(short, long)]
    quiet: bool,

    /// Write the result as JSON to a file, or to stdout with -
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum CpuUnit {
    /// Per cent of all cores
    Percent,
    /// A share of all cores, 0 to 1
    Share,
    /// Busy cores
    Cores,
}

/// Reads everything, then fits, and says whether the rest of the log is as predicted.
pub(super) fn run(args: &Args) -> Ended {
    let json = args.json.as_deref().map(JsonOutput::prepare).transpose()?;
    let write = args.write.as_deref().map(OutputFile::prepare).transpose()?;
    let source = Source::find(&args.scenario)?;
    // Its warnings are about a run as it stands, which nobody wants here.
    let scenario = source.check(&args.overrides)?.scenario;
    let log = read_log(args, &source, &scenario)?;
    let measured =
        args.cpu.iter().map(|(name, file)| read_busy(args, name, file)).collect::<Result<Vec<_>, _>>()?;
    interrupt::watch()?;
    let load = |changes: &[Override]| {
        let all = [&args.overrides[..], changes].concat();
        source.check(&all).map(|loaded| loaded.scenario).map_err(|failure| failure.text)
    };
    let options = Options {
        hold: args.hold,
        seed: args.seed.unwrap_or(scenario.run.seed),
        trials: args.trials,
        jobs: args.jobs.unwrap_or(0),
    };
    if args.hold > HOLD_MAX {
        return Err(Failure::usage(format!(
            "--hold: at most {} of the log can be held back",
            percent(HOLD_MAX)
        )));
    }
    let steps = Steps::new(args.quiet);
    let found = fit(&log, &measured, &load, options, &steps);
    steps.clear();
    let found = found.map_err(Failure::usage)?;
    if !matches!(json, Some(JsonOutput::Stdout)) {
        print(&report::fit::text(&scenario.title, &found))?;
    }
    if let Some(json) = json {
        json.write(&report::json::one(&found))?;
    }
    if let Some(file) = write {
        let settings = found.settings.iter().map(|set| (set.key.clone(), set.value.clone()));
        let all: Vec<Override> = args.overrides.iter().cloned().chain(settings).collect();
        let text = overrides::apply(&source.origin, &source.text, &all);
        let text = text.map_err(|found| Failure::scenario(found.render(false)))?;
        file.write(text)?;
    }
    Ok(if interrupt::interrupted() { Status::Interrupted } else { status(&found) })
}

fn status(found: &Fit) -> Status {
    match &found.check {
        Some(check) if !check.holds() => Status::NotAsExpected,
        _ => Status::Done,
    }
}

/// The log: the file that is named, or that of the scenario.
fn read_log(args: &Args, source: &Source, scenario: &crate::scenario::Scenario) -> Result<Log, Failure> {
    let recorded = scenario.boxes.iter().find_map(|entry| entry.spec.recording());
    let path = match (&args.log, recorded) {
        (Some(path), _) => path.clone(),
        (None, Some(name)) => source.beside(name),
        (None, None) => {
            let help = "no client of the scenario has a `trace`: give it one, such as trace = { file = \"shop.trace.csv\", class = \"file\" }";
            return Err(Failure::usage(help));
        }
    };
    let text = read(&path)?;
    Log::parse(&text).map_err(|why| Failure::usage(format!("{}: {why}", path.display())))
}

/// The busy times of a box.
fn read_busy(args: &Args, name: &str, file: &str) -> Result<Measured, Failure> {
    let (file, column) = match file.rsplit_once('#') {
        Some((file, column)) if !Path::new(&format!("{file}#{column}")).exists() => (file, Some(column)),
        _ => (file, None),
    };
    let text = read(Path::new(file))?;
    let unit = args.cpu_unit.map(|unit| match unit {
        CpuUnit::Percent => Unit::Percent,
        CpuUnit::Share => Unit::Share,
        CpuUnit::Cores => Unit::Cores,
    });
    let busy =
        Busy::parse(&text, column, unit).map_err(|why| Failure::usage(format!("--cpu: {file}: {why}")))?;
    if !busy.is_told {
        let unit = if busy.unit == Unit::Share { "shares of all cores" } else { "per cent of all cores" };
        say(&format!("note: {file}: its values are taken as {unit}, by their size; --cpu-unit decides"));
    }
    let hash = Sha256::digest(text.as_bytes());
    let short: String = hash.iter().take(3).map(|byte| format!("{byte:02x}")).collect();
    let base =
        Path::new(file).file_name().map_or(file.to_owned(), |name| name.to_string_lossy().into_owned());
    Ok(Measured {
        name: name.to_owned(),
        busy,
        source: format!("{base} {short}, outgrow {}", env!("CARGO_PKG_VERSION")),
    })
}

fn read(path: &Path) -> Result<String, Failure> {
    claim_input(path).map_err(|why| Failure::usage(format!("{}: {why}", path.display())))?;
    fs::read_to_string(path).map_err(|why| Failure::usage(format!("cannot read {}: {why}", path.display())))
}
