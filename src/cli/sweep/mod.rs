//! `outgrow sweep`: simulates a scenario at every combination of some values, and writes a table. Finished points
//! survive an interruption.

mod asked;
mod check;
mod command;
mod environment;
mod merge;
mod output;
mod parts;
mod pictures;
mod plan;
mod session;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use self::asked::{Asked, Prepared};
use self::output::{Table, render};
use self::session::Session;
use super::Ended;
use super::interrupt;
use super::journal::{self, Header, Journal};
use super::output::{print, say};
use super::pictures::Pictures;
use super::shard::Shard;
use super::status::{Failure, Status};
use crate::experiment::sweep::{Grid, sweep};
use crate::report;
use crate::report::sweep::{Points, Rows};
use crate::report::table::Row;

/// Greatest value of `--max-points`: all rows are held in memory, about ten KiB each.
const POINTS_CEILING: i64 = 100_000;

/// Simulate a scenario at every combination of some values, and write a table
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    asked: Asked,

    /// Write the whole table into this file, as .csv, .json or .parquet, and keep finished points in FILE.journal until
    /// then; - is stdout, as CSV instead of the summary. With --shard it may be a folder, DIR/: the part is then named by
    /// its shard, and an interrupted one is continued
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Continue an interrupted sweep with the points in FILE.journal
    #[arg(long, requires = "out")]
    resume: bool,

    /// Run only every N-th point, starting with the I-th; env takes both numbers from Slurm, Kubernetes, AWS Batch, Grid
    /// Engine, HyperQueue or GitLab CI. outgrow sweep merge puts the parts together
    #[arg(long, value_name = "I/N", requires = "out", value_parser = which)]
    shard: Option<Which>,

    /// Threads; all cores by default, and the result is the same with any number
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,

    /// Treat warnings as errors, and end with 4 if a goal does not hold at every point
    #[arg(long)]
    strict: bool,

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

/// Which points to run.
#[derive(Clone, Copy, Debug)]
enum Which {
    /// Those of this shard.
    Shard(Shard),
    /// Those of the shard that the environment names.
    Env,
}

/// Reads `I/N` or `env`.
fn which(text: &str) -> Result<Which, String> {
    if text == "env" { Ok(Which::Env) } else { text.parse().map(Which::Shard) }
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Merge(merge::Args),
    Plan(plan::Args),
}

impl Args {
    fn is_csv_on_stdout(&self) -> bool {
        self.out.as_deref().is_some_and(|path| path.as_os_str() == "-")
    }

    /// The shard, from the command line or the environment.
    fn shard(&self) -> Result<Option<Shard>, Failure> {
        match self.shard {
            None => Ok(None),
            Some(Which::Shard(shard)) => Ok(Some(shard)),
            Some(Which::Env) => {
                let (shard, from) =
                    environment::here().map_err(|why| Failure::usage(format!("--shard env: {why}")))?;
                if !self.quiet {
                    say(&format!("this is shard {shard}, by {from}"));
                }
                Ok(Some(shard))
            }
        }
    }

    /// Where the table goes, and whether what is there is continued.
    fn place(&self, shard: Option<Shard>) -> Result<Place, Failure> {
        let Some(path) = self.out.as_deref().filter(|path| path.as_os_str() != "-") else {
            return Ok(Place { file: None, resume: self.resume });
        };
        if !is_folder(path) {
            return Ok(Place { file: Some(path.to_owned()), resume: self.resume });
        }
        let shown = path.display();
        let shard = shard.ok_or_else(|| {
            Failure::usage(format!(
                "`{shown}` is a folder: name a file, or --shard I/N, which names its part there"
            ))
        })?;
        fs::create_dir_all(path)
            .map_err(|error| Failure::failed(format!("cannot make `{shown}`: {error}")))?;
        Ok(Place { file: Some(path.join(shard.file())), resume: true })
    }
}

/// The file for the table, and whether the points of its journal are taken over.
struct Place {
    file: Option<PathBuf>,
    resume: bool,
}

/// Whether a path is a folder, or is written as one.
fn is_folder(path: &Path) -> bool {
    path.as_os_str().to_string_lossy().ends_with(std::path::is_separator) || path.is_dir()
}

/// One sweep, ready to run.
struct Ready<'a> {
    args: &'a Args,
    prepared: Prepared,
    header: Header,
    place: Place,
    target: Option<output::Target>,
}

/// Checks all points, then runs those that are not in the journal.
pub(super) fn run(args: &Args) -> Ended {
    match &args.command {
        Some(Command::Merge(args)) => return merge::run(args),
        Some(Command::Plan(args)) => return plan::run(args),
        None => {}
    }
    if args.is_csv_on_stdout() && (args.shard.is_some() || args.resume) {
        return Err(Failure::usage("--shard and --resume need a file that stays: --out FILE.csv"));
    }
    let shard = args.shard()?;
    let place = args.place(shard)?;
    let target = place.file.as_deref().map(output::Target::prepare).transpose()?;
    let pictures = Pictures::prepare(args.charts.as_deref(), args.report.as_deref(), args.light)?;
    let chosen = |points| shard.map_or_else(|| (0..points).collect(), |shard| shard.points(points));
    let prepared = args.asked.prepare(args.strict, chosen)?;
    let header = Header::new(prepared.plan.clone(), prepared.source.origin.clone(), shard);
    let ready = Ready { args, prepared, header, place, target };
    let (rows, journal) = ready.run()?;
    let Prepared { source, grid, points, warnings, .. } = &ready.prepared;
    if rows.len() < points.len() {
        return ready.interrupted(rows);
    }
    ready.finish(&rows)?;
    pictures::write(&pictures, &ready.header, (grid, &rows), Some(source), warnings.clone())?;
    // The journal of a part is needed for the merge.
    if let Some(journal) = journal.filter(|_| shard.is_none()) {
        journal.remove()?;
    }
    let holds = |row: &Row| row["verdict"].is_null() || row["verdict"] == "holds";
    let as_expected = !args.strict || rows.values().all(holds);
    Ok(if as_expected { Status::Done } else { Status::NotAsExpected })
}

impl Ready<'_> {
    /// Runs the points that are not in the journal. Returns the rows of all points that are done, and the journal.
    fn run(&self) -> Result<(BTreeMap<usize, Row>, Option<Journal>), Failure> {
        let points = &self.prepared.points;
        let (journal, rows) = self.journal()?;
        if !rows.is_empty() && !self.args.quiet {
            say(&format!("{} of {} points are done already", rows.len(), points.len()));
        }
        let left: Vec<usize> = points.iter().copied().filter(|point| !rows.contains_key(point)).collect();
        let session = Session::new(self.args, &self.prepared, (journal, rows));
        interrupt::watch()?;
        sweep(&left, self.args.jobs.map_or(0, usize::from), &session);
        session.end()
    }

    /// The journal beside the output, and its rows. No journal without an output, or if the output is a device.
    fn journal(&self) -> Result<(Option<Journal>, BTreeMap<usize, Row>), Failure> {
        let is_regular = self.target.as_ref().is_some_and(|target| target.file.is_regular());
        let Some(path) = self.place.file.as_deref().filter(|_| is_regular) else {
            return Ok((None, BTreeMap::new()));
        };
        let path = journal::beside(path);
        let (journal, rows) = match self.place.resume {
            true => Journal::resume(&path, &self.header)?,
            false => (Journal::create(&path, &self.header)?, BTreeMap::new()),
        };
        Ok((Some(journal), rows))
    }

    /// Prints where the finished points are kept, and how to go on. Without an output file it prints the finished points.
    fn interrupted(&self, rows: BTreeMap<usize, Row>) -> Ended {
        let done = format!("interrupted: {} of {} points are done", rows.len(), self.prepared.points.len());
        match &self.place.file {
            Some(out) => say(&format!(
                "{done} and kept in `{}`: the same command{} goes on",
                journal::beside(out).display(),
                if self.place.resume { "" } else { " with --resume" }
            )),
            None => {
                self.finish(&rows)?;
                say(&format!("{done}; with --out FILE an interrupted sweep can be resumed"));
            }
        }
        Ok(Status::Interrupted)
    }

    /// Writes the table, and prints the summary.
    fn finish(&self, rows: &BTreeMap<usize, Row>) -> Result<(), Failure> {
        let grid: &Grid = &self.prepared.grid;
        let table: Table = Rows::new(grid, &[]).table(rows.values().cloned());
        if let Some(target) = &self.target {
            target.file.write(render(target.format, &self.header, &table)?)?;
        }
        if self.args.is_csv_on_stdout() {
            return print(&table.csv());
        }
        if self.args.quiet {
            return Ok(());
        }
        let plan = &self.header.plan;
        match (self.header.shard, &self.place.file) {
            // A part of a sweep has no answer.
            (Some(shard), Some(file)) => {
                let count = rows.len();
                let s = if count == 1 { "" } else { "s" };
                say(&format!("shard {shard} is done: {count} point{s} in `{}`", file.display()));
                Ok(())
            }
            _ => print(&report::sweep::text(&plan.title, &Points { grid, rows, columns: &plan.columns })),
        }
    }
}
