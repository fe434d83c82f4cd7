//! `outgrow sweep`: simulates a scenario at every combination of some values, and writes a table. Finished points
//! survive an interruption.

mod merge;
mod output;
mod pictures;
mod session;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use self::output::{Table, render};
use self::session::Session;
use super::journal::{self, Header, Journal, Plan};
use super::options::{duration, expression, time, timing};
use super::output::{print, say};
use super::pictures::Pictures;
use super::source::{Override, Source};
use super::status::{Failure, Status};
use super::{Ended, interrupt, key_and_value};
use crate::experiment::chosen::{expected, usual};
use crate::experiment::sweep::{Grid, GridError, sweep};
use crate::model::quantity::Duration;
use crate::report;
use crate::report::sweep::{Columns, Points, Rows};
use crate::report::table::Row;
use crate::scenario::expression::parse_metrics;
use crate::scenario::vary::Vary;

/// Greatest number of points of a grid, unless `--max-points` allows more.
const POINTS_MAX: u32 = 10_000;

/// Greatest value of `--max-points`: all rows are held in memory, about ten KiB each.
const POINTS_CEILING: i64 = 100_000;

/// Greatest number of parts of a grid.
const SHARDS_MAX: usize = 10_000;

/// Simulate a scenario at every combination of some values, and write a table
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    /// Path of a scenario, name of a built-in one (see outgrow list), or - for stdin
    #[arg(required = true)]
    scenario: Option<String>,

    /// A key and its values: web.count=1,2,4 or a range of N, users.rate=50/s..2000/s:N, or FROM..TO:log:N at equal
    /// ratios; several keys give all combinations
    #[arg(long = "vary", value_name = "KEY=VALUES", required = true)]
    axes: Vec<Vary>,

    /// Write the whole table into this file, as .csv, .json or .parquet, and keep finished points in FILE.journal until
    /// then; - is stdout, as CSV instead of the summary
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Continue an interrupted sweep with the points in FILE.journal
    #[arg(long, requires = "out")]
    resume: bool,

    /// Run only every N-th point, starting with the I-th; outgrow sweep merge puts the parts together
    #[arg(long, value_name = "I/N", requires = "out", value_parser = shard)]
    shard: Option<(usize, usize)>,

    /// Give these metrics columns and charts, as in rto,lost_writes,p99(response.post); by default those that tell most
    #[arg(long, value_name = "METRICS")]
    metric: Option<String>,

    /// Change a key before reading, as in web.count=8
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    overrides: Vec<Override>,

    /// Seed of all random numbers, instead of the scenario's own
    #[arg(long)]
    seed: Option<u64>,

    /// Number of independent trials of each point, instead of the scenario's own
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    trials: Option<u32>,

    /// Simulated time that is measured, instead of the scenario's own
    #[arg(long, value_parser = duration)]
    duration: Option<Duration>,

    /// Simulated time before the measured time, instead of the scenario's own
    #[arg(long, value_parser = time)]
    warmup: Option<Duration>,

    /// Threads; all cores by default, and the result is the same with any number
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,

    /// Treat warnings as errors, and end with 4 if a goal does not hold at every point
    #[arg(long)]
    strict: bool,

    /// Allow a grid with this many points
    #[arg(long, value_name = "N", default_value_t = POINTS_MAX,
        value_parser = clap::value_parser!(u32).range(1..=POINTS_CEILING))]
    max_points: u32,

    /// Write charts of the metrics into a folder, each as SVG and as PNG; those of parts are drawn by
    /// outgrow sweep merge
    #[arg(long, value_name = "DIR", conflicts_with = "shard")]
    charts: Option<PathBuf>,

    /// Write a report with text and charts as one HTML file; that of parts is written by outgrow sweep merge
    #[arg(long, value_name = "FILE.html", conflicts_with = "shard")]
    report: Option<PathBuf>,

    /// Leave the playground out of the report, which makes it small
    #[arg(long, requires = "report", hide = cfg!(not(feature = "playground")))]
    light: bool,

    /// Print neither summary nor progress
    #[arg(long, short)]
    quiet: bool,
}

impl Args {
    /// The file for the table.
    fn file(&self) -> Option<&Path> {
        self.out.as_deref().filter(|path| path.as_os_str() != "-")
    }

    fn is_csv_on_stdout(&self) -> bool {
        self.out.is_some() && self.file().is_none()
    }
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Merge(merge::Args),
}

/// Reads `I/N`.
fn shard(text: &str) -> Result<(usize, usize), String> {
    let parts = text.split_once('/').and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
    match parts {
        Some((part, of)) if (1..=of).contains(&part) && of <= SHARDS_MAX => Ok((part, of)),
        _ => Err(format!("expected I/N with I from 1 to N and N up to {SHARDS_MAX}, as in 1/4")),
    }
}

/// Checks all points, then runs those that are not in the journal.
pub(super) fn run(args: &Args) -> Ended {
    if let Some(Command::Merge(args)) = &args.command {
        return merge::run(args);
    }
    if args.is_csv_on_stdout() && (args.shard.is_some() || args.resume) {
        return Err(Failure::usage("--shard and --resume need a file that stays: --out FILE.csv"));
    }
    let target = args.file().map(output::Target::prepare).transpose()?;
    let pictures = Pictures::prepare(args.charts.as_deref(), args.report.as_deref(), args.light)?;
    let argument = args.scenario.as_deref().expect("it is required without a subcommand");
    let source = Source::find(argument)?;
    let grid = grid(args, &source)?;
    let mut base = args.overrides.clone();
    let first = [&base[..], &grid.overrides(0)].concat();
    base.extend(timing(&source, &first, args.duration, args.warmup)?);
    let (part, of) = args.shard.unwrap_or((1, 1));
    let points: Vec<usize> = (part - 1..grid.points()).step_by(of).collect();
    let (files, warnings) = check(args, &source, &grid, &base, &points)?;
    let scenario = source.check(&[&base[..], &grid.overrides(0)].concat())?.scenario;
    let goals = expected(&[&scenario]);
    let metrics = match &args.metric {
        Some(text) => expression("--metric", text, &scenario, parse_metrics)?,
        None => usual(&[&scenario]),
    };
    let columns = Columns::of(&metrics, &goals, args.metric.is_some());
    let plan = Plan {
        version: env!("CARGO_PKG_VERSION").into(),
        title: scenario.title,
        sha256: crate::scenario::sha256(&source.text),
        files,
        set: base.clone(),
        vary: grid.axes().iter().map(|axis| (axis.key.clone(), axis.values.clone())).collect(),
        seed: args.seed,
        trials: args.trials,
        points: grid.points(),
        columns,
    };
    let header =
        Header::new(plan, source.origin.clone(), args.shard.map(|(part, of)| format!("{part}/{of}")));
    let (journal, rows) = journal(args, target.as_ref(), &header)?;
    if !rows.is_empty() && !args.quiet {
        say(&format!("{} of {} points are done already", rows.len(), points.len()));
    }
    let left: Vec<usize> = points.iter().copied().filter(|point| !rows.contains_key(point)).collect();
    let session = Session::new(args, &source, (&grid, &metrics), &base, (journal, rows), points.len());
    interrupt::watch()?;
    sweep(&left, args.jobs.map_or(0, usize::from), &session);
    let (rows, journal) = session.end()?;
    if rows.len() < points.len() {
        return interrupted(args, &header, &grid, rows, points.len());
    }
    finish(args, target.as_ref(), &header, &grid, &rows)?;
    pictures::write(&pictures, &header, (&grid, &rows), Some(&source), warnings)?;
    // The journal of a part is needed for the merge.
    if let Some(journal) = journal.filter(|_| args.shard.is_none()) {
        journal.remove()?;
    }
    let holds = |row: &Row| row["verdict"].is_null() || row["verdict"] == "holds";
    let as_expected = !args.strict || rows.values().all(holds);
    Ok(if as_expected { Status::Done } else { Status::NotAsExpected })
}

fn grid(args: &Args, source: &Source) -> Result<Grid, Failure> {
    if let Some((option, key)) = contradiction(args, source) {
        return Err(Failure::usage(format!(
            "{option} and --vary {key} contradict each other: leave one out"
        )));
    }
    let twice = |key: &str| Failure::usage(format!("`{key}` is varied twice: give all its values at once"));
    for (at, axis) in args.axes.iter().enumerate() {
        if args.axes[..at].iter().any(|other| source.is_same_key(&other.key, &axis.key)) {
            return Err(twice(&axis.key));
        }
    }
    Grid::new(args.axes.clone(), args.max_points as usize).map_err(|error| match error {
        GridError::SameKey(key) => twice(&key),
        GridError::TooManyPoints(points) => Failure::usage(format!(
            "the grid has {points} points, at most {} are allowed: fewer values, or --max-points",
            args.max_points
        )),
    })
}

/// An option that sets a varied key, and the key; `None` if there is none.
fn contradiction<'a>(args: &'a Args, source: &Source) -> Option<(&'static str, &'a str)> {
    let given = |option: &'static str, key: &str, is_given: bool| (option, key.to_owned(), is_given);
    let mut all = vec![
        given("--seed", "run.seed", args.seed.is_some()),
        given("--trials", "run.trials", args.trials.is_some()),
        given("--duration", "run.duration", args.duration.is_some()),
        given("--warmup", "run.warmup", args.warmup.is_some()),
    ];
    all.extend(args.overrides.iter().map(|(key, _)| given("--set", key, true)));
    let varied = |key: &str| {
        let axis = args.axes.iter().find(|axis| source.is_same_key(&axis.key, key));
        axis.map(|axis| axis.key.as_str())
    };
    all.into_iter()
        .filter(|(.., is_given)| *is_given)
        .find_map(|(option, key, _)| Some((option, varied(&key)?)))
}

/// Checks the scenarios of all points, so that hours are not lost when a late one has errors. Prints the warnings.
/// Returns the SHA-256 of every file that the scenarios name, and the warnings.
fn check(
    args: &Args,
    source: &Source,
    grid: &Grid,
    base: &[Override],
    points: &[usize],
) -> Result<(BTreeMap<String, String>, Option<String>), Failure> {
    let mut files = BTreeMap::new();
    let warnings = found(source, grid, base, points, &mut files)?;
    if let Some(text) = &warnings {
        say(text);
        if args.strict {
            return Err(Failure::scenario("there are warnings, which --strict does not allow"));
        }
    }
    Ok((files, warnings))
}

/// The warnings at these points. Adds the SHA-256 of every file that their scenarios name to `files`.
fn found(
    source: &Source,
    grid: &Grid,
    base: &[Override],
    points: &[usize],
    files: &mut BTreeMap<String, String>,
) -> Result<Option<String>, Failure> {
    let (mut wrong, mut warned) = (Finds::default(), Finds::default());
    for &point in points {
        match source.check_noting(&[base, &grid.overrides(point)].concat(), files) {
            Err(failure) => wrong.add(point, || failure.text),
            Ok(loaded) if !loaded.warnings.is_empty() => warned.add(point, || loaded.warnings.render(true)),
            Ok(_) => {}
        }
    }
    match wrong.text(grid, "wrong") {
        Some(text) => Err(Failure { status: Status::BadScenario, text }),
        None => Ok(warned.text(grid, "warned of")),
    }
}

/// Points with an error or a warning: the first of them with its text, and their number.
#[derive(Default)]
struct Finds {
    first: Option<(usize, String)>,
    count: usize,
}

impl Finds {
    fn add(&mut self, point: usize, text: impl FnOnce() -> String) {
        self.count += 1;
        self.first.get_or_insert_with(|| (point, text()));
    }

    fn text(self, grid: &Grid, what: &str) -> Option<String> {
        let (point, text) = self.first?;
        let at: Vec<String> =
            grid.overrides(point).iter().map(|(key, value)| format!("{key}={value}")).collect();
        let others = match self.count - 1 {
            0 => String::new(),
            1 => format!("; 1 other point is {what}"),
            more => format!("; {more} other points are {what}"),
        };
        Some(format!("{}\nthis is point {point}: {}{others}", text.trim_end(), at.join(" ")))
    }
}

/// The journal beside the output, and its rows. No journal without an output, or if the output is a device.
fn journal(
    args: &Args,
    target: Option<&output::Target>,
    header: &Header,
) -> Result<(Option<Journal>, BTreeMap<usize, Row>), Failure> {
    let Some(path) = args.file().filter(|_| target.is_some_and(|target| target.file.is_regular())) else {
        return Ok((None, BTreeMap::new()));
    };
    let path = journal::beside(path);
    let (journal, rows) = match args.resume {
        true => Journal::resume(&path, header)?,
        false => (Journal::create(&path, header)?, BTreeMap::new()),
    };
    Ok((Some(journal), rows))
}

/// Prints where the finished points are kept, and how to go on. Without an output file it prints the finished points.
fn interrupted(
    args: &Args,
    header: &Header,
    grid: &Grid,
    rows: BTreeMap<usize, Row>,
    points: usize,
) -> Ended {
    let done = format!("interrupted: {} of {points} points are done", rows.len());
    match args.file() {
        Some(out) => say(&format!(
            "{done} and kept in `{}`: the same command with --resume goes on",
            journal::beside(out).display()
        )),
        None => {
            finish(args, None, header, grid, &rows)?;
            say(&format!("{done}; with --out FILE an interrupted sweep can be resumed"));
        }
    }
    Ok(Status::Interrupted)
}

/// Writes the table, and prints the summary.
fn finish(
    args: &Args,
    target: Option<&output::Target>,
    header: &Header,
    grid: &Grid,
    rows: &BTreeMap<usize, Row>,
) -> Result<(), Failure> {
    let table: Table = Rows::new(grid, &[]).table(rows.values().cloned());
    if let Some(target) = target {
        target.file.write(render(target.format, header, &table)?)?;
    }
    if args.is_csv_on_stdout() {
        return print(&table.csv());
    }
    // A part of a sweep has no answer.
    if args.quiet || args.shard.is_some() {
        return Ok(());
    }
    let plan = &header.plan;
    print(&report::sweep::text(&plan.title, &Points { grid, rows, columns: &plan.columns }))
}
