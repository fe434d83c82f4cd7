//! `outgrow sweep merge`: turns the parts of a sweep into the table that the whole sweep would have given.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::Ended;
use super::super::output::{print, say};
use super::super::pictures::Pictures;
use super::super::source::{Source, warn};
use super::super::status::{Failure, Status};
use super::check::found;
use super::output::{Target, render};
use super::parts::Parts;
use super::pictures;
use crate::experiment::sweep::Grid;
use crate::report;
use crate::report::sweep::{Points, Rows};
use crate::scenario::sha256;
use crate::scenario::vary::Vary;

/// Greatest number of commands for missing points where nothing was asked about them.
const COMMANDS_MAX: usize = 3;

/// Merge the parts of a sweep that was run with --shard
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file to write, as .csv, .json or .parquet; - is stdout, as CSV instead of the summary
    out: PathBuf,

    /// The --out file of each part, whose journal, PART.journal, is read; or the folder of all parts
    #[arg(value_name = "PART")]
    parts: Vec<PathBuf>,

    /// Write the table of the points that are there, list the parts that lack some with the commands that run these, and
    /// end with 5 if any is missing
    #[arg(long, conflicts_with_all = ["charts", "report"])]
    partial: bool,

    /// Write charts of throughput and p99 into a folder, each as SVG and as PNG
    #[arg(long, value_name = "DIR")]
    charts: Option<PathBuf>,

    /// Write a report with text and charts as one HTML file; it has the scenario's text if that is still in its place
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,

    /// Leave the playground out of the report, which makes it small
    #[arg(long, requires = "report", hide = cfg!(not(feature = "playground")))]
    light: bool,
}

/// Reads all parts, and writes the table if no point is missing.
pub(super) fn run(args: &Args) -> Ended {
    if args.parts.is_empty() {
        let out = args.out.display();
        return Err(Failure::usage(format!(
            "name the table first and then the parts or their folder, as in outgrow sweep merge all.csv {out}"
        )));
    }
    let is_stdout = args.out == Path::new("-");
    let target = if is_stdout { None } else { Some(Target::prepare(&args.out)?) };
    let pictures = Pictures::prepare(args.charts.as_deref(), args.report.as_deref(), args.light)?;
    let (parts, wrong) = Parts::read(&args.parts).map_err(Failure::failed)?;
    match wrong.first() {
        Some(_) if args.partial => wrong.iter().for_each(|why| warn(&format!("{why}; it is left out"))),
        Some(why) => return Err(Failure::failed(why)),
        None => {}
    }
    let missing = parts.missing();
    if !missing.is_empty() && !args.partial {
        let said = parts.said(&missing, COMMANDS_MAX);
        return Err(Failure::failed(format!("{said}\n--partial writes the table of those that are there")));
    }
    let plan = &parts.header.plan;
    let axes = plan.vary.iter().map(|(key, values)| Vary { key: key.clone(), values: values.clone() });
    let grid = Grid::new(axes.collect(), plan.points)
        .map_err(|_| Failure::failed("the parts have a grid that makes no sense"))?;
    let table = Rows::new(&grid, &[]).table(parts.rows.values().cloned());
    match &target {
        Some(target) => {
            target.file.write(render(target.format, &parts.header, &table)?)?;
            let points = Points { grid: &grid, rows: &parts.rows, columns: &plan.columns };
            print(&report::sweep::text(&plan.title, &points))?;
        }
        None => print(&table.csv())?,
    }
    if !missing.is_empty() {
        say(&parts.said(&missing, usize::MAX));
        return Ok(Status::Incomplete);
    }
    draw(&pictures, &parts, &grid)?;
    Ok(Status::Done)
}

/// Draws and writes the charts and the report, if asked for.
fn draw(pictures: &Pictures, parts: &Parts, grid: &Grid) -> Result<(), Failure> {
    let plan = &parts.header.plan;
    // The scenario may be missing here, because the parts may come from another machine.
    let source = Source::find(&parts.header.file).ok().filter(|source| sha256(&source.text) == plan.sha256);
    let all: Vec<usize> = (0..grid.points()).collect();
    let warnings = source
        .as_ref()
        .and_then(|source| found(source, grid, &plan.set, &all, &mut BTreeMap::new()).ok().flatten());
    pictures::write(pictures, &parts.header, (grid, &parts.rows), source.as_ref(), warnings)
}
