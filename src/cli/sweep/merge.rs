//! `outgrow sweep merge`: turns the parts of a sweep into the table that the whole sweep would have given.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::Ended;
use super::super::journal::{self, Content};
use super::super::output::print;
use super::super::pictures::Pictures;
use super::super::source::Source;
use super::super::status::{Failure, Status};
use super::output::{Target, render};
use super::{found, pictures};
use crate::experiment::sweep::Grid;
use crate::report;
use crate::report::sweep::{Points, Rows};
use crate::report::table::Row;
use crate::scenario::sha256;
use crate::scenario::vary::Vary;

/// Greatest number of points that a message names.
const NAMED_MAX: usize = 5;

/// Merge the parts of a sweep that was run with --shard
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file to write, as .csv, .json or .parquet
    out: PathBuf,

    /// The --out file of each part; its journal, PART.journal, is read
    #[arg(value_name = "PART", required = true)]
    parts: Vec<PathBuf>,

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
    let target = Target::prepare(&args.out)?;
    let pictures = Pictures::prepare(args.charts.as_deref(), args.report.as_deref(), args.light)?;
    let mut parts = Vec::new();
    for path in &args.parts {
        parts.push((path, read(path)?));
    }
    let (first_path, first) = &parts[0];
    let mut rows: BTreeMap<usize, Row> = BTreeMap::new();
    for (path, part) in &parts {
        let differences = first.header.differences(&part.header);
        if !differences.is_empty() {
            let differences = differences.join("; ").replace(" there and ", " in the second, ");
            let differences = differences.replace(" here", " in the first");
            return Err(Failure::failed(format!(
                "`{}` and `{}` are parts of different sweeps: {differences}",
                first_path.display(),
                path.display()
            )));
        }
        for (point, row) in &part.rows {
            if rows.insert(*point, row.clone()).is_some_and(|earlier| earlier != *row) {
                let message = format!("`{}` has point {point} again, with other results", path.display());
                return Err(Failure::failed(message));
            }
        }
    }
    let plan = &first.header.plan;
    let missing: Vec<usize> = (0..plan.points).filter(|point| !rows.contains_key(point)).collect();
    if !missing.is_empty() {
        let shards = parts.iter().map(|(_, part)| part.header.shard.as_deref().unwrap_or("all points"));
        return Err(Failure::failed(said(&missing, plan.points, &shards.collect::<Vec<_>>().join(", "))));
    }
    let axes = plan.vary.iter().map(|(key, values)| Vary { key: key.clone(), values: values.clone() });
    let grid = Grid::new(axes.collect(), plan.points)
        .map_err(|_| Failure::failed(format!("`{}` has a grid that makes no sense", first_path.display())))?;
    let table = Rows::new(&grid, &[]).table(rows.values().cloned());
    target.file.write(render(target.format, &first.header, &table)?)?;
    let points = Points { grid: &grid, rows: &rows, columns: &plan.columns };
    print(&report::sweep::text(&plan.title, &points))?;
    // The scenario may be missing here, because the parts may come from another machine.
    let source = Source::find(&first.header.file).ok().filter(|source| sha256(&source.text) == plan.sha256);
    let all: Vec<usize> = (0..grid.points()).collect();
    let warnings = source
        .as_ref()
        .and_then(|source| found(source, &grid, &plan.set, &all, &mut BTreeMap::new()).ok().flatten());
    pictures::write(&pictures, &first.header, (&grid, &rows), source.as_ref(), warnings)?;
    Ok(Status::Done)
}

/// Reads the journal of a part: the file beside `path`, or else `path` itself.
fn read(path: &Path) -> Result<Content, Failure> {
    let beside = journal::beside(path);
    let path = if beside.is_file() { &beside } else { path };
    journal::read(path).map_err(|why| {
        Failure::failed(format!(
            "cannot read `{}`: {why}; a part is what sweep --shard has written, with its journal beside it",
            path.display()
        ))
    })
}

fn said(missing: &[usize], points: usize, shards: &str) -> String {
    let named: Vec<String> = missing.iter().take(NAMED_MAX).map(usize::to_string).collect();
    let more = if missing.len() > NAMED_MAX { ", .." } else { "" };
    format!(
        "{} of {points} points are missing ({}{more}): a part is not there, or was interrupted and is to be resumed; \
         there are {shards}",
        missing.len(),
        named.join(", ")
    )
}
