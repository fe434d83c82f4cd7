//! The report of `sweep`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::chart::plot::Table;
use super::super::chart::sweep::of_sweep;
use super::super::number::{number, seconds, time_ms};
use super::super::sweep::{Columns, Points, answer, same};
use super::super::table::Row;
use super::designs::{group, pictures, sentences};
use super::{Block, page};
use crate::experiment::sweep::Grid;

/// Largest number of rows in the table of the page; more make it slow to open.
const ROWS_MAX: usize = 1000;

/// A sweep with all its points.
#[derive(Debug)]
pub struct Swept<'a> {
    /// Title of the scenario.
    pub title: &'a str,
    /// The file or the name that the scenario came from.
    pub origin: &'a str,
    /// Its text; `None` if the text is missing or has changed since the sweep.
    pub text: Option<&'a str>,
    /// SHA-256 of the text.
    pub sha256: &'a str,
    /// Version of the simulator.
    pub version: &'a str,
    /// The command that gives the same table again.
    pub command: String,
    /// The grid of varied values.
    pub grid: &'a Grid,
    /// The rows of the table, by point.
    pub rows: &'a BTreeMap<usize, Row>,
    /// The metrics among the columns.
    pub columns: &'a Columns,
    /// Warnings from the check of the scenario.
    pub warnings: Option<String>,
}

/// The page of a sweep.
#[must_use]
pub fn sweep(swept: &Swept<'_>) -> String {
    let all = Points { grid: swept.grid, rows: swept.rows, columns: swept.columns };
    let charts = match of_sweep(&all) {
        Ok(charts) => pictures(charts),
        Err(why) => sentences(&[why]),
    };
    let text = match swept.text {
        Some(text) => Block::Command(format!("The text of {}:", swept.origin), text.to_owned()),
        None => Block::Sentences(vec![format!(
            "The text of {} is not shown: the file is missing or has changed since the sweep.",
            swept.origin
        )]),
    };
    let one = |name: &str| same(swept.rows, name).map_or("differs by point".to_owned(), Value::to_string);
    let facts = vec![
        ("seed", one("seed")),
        ("version", format!("outgrow {}", swept.version)),
        ("SHA-256 of the scenario", swept.sha256.to_owned()),
    ];
    let again = vec![Block::Command("The command:".into(), swept.command.clone()), Block::Facts(facts)];
    let parts = vec![
        ("verdict", "Answer", sentences(&answer(&all))),
        ("warnings", "Warnings", warnings(swept)),
        ("charts", "Charts", charts),
        ("tables", "Points", points(swept)),
        ("scenario", "Scenario", vec![text]),
        ("again", "How to get the same again", again),
    ];
    let title = format!("Sweep: {}", swept.title);
    page(title.clone(), vec![about(swept, &one)], vec![group(title, parts)])
}

fn about(swept: &Swept<'_>, one: &dyn Fn(&str) -> String) -> String {
    let axes = swept.grid.axes().iter().map(|axis| match axis.values.len() {
        1 => format!("{} is {}", axis.key, axis.values[0]),
        values => format!("{} takes {values} values", axis.key),
    });
    let time = |name| same(swept.rows, name).and_then(Value::as_f64).map_or(one(name), seconds);
    format!(
        "{} points: {}. Trials: {}, of {} after a warm-up of {}, seed {}.",
        swept.rows.len(),
        axes.collect::<Vec<_>>().join(", "),
        one("trials"),
        time("duration_s"),
        time("warmup_s"),
        one("seed")
    )
}

fn warnings(swept: &Swept<'_>) -> Vec<Block> {
    let restless = swept.rows.values().filter(|row| row.get("steady_state") == Some(&Value::Bool(false)));
    let all = match restless.count() {
        0 => Vec::new(),
        count => vec![format!(
            "{count} of {} points have no steady state: their response times grow with the duration and are not shown.",
            swept.rows.len()
        )],
    };
    let checked = swept.warnings.iter();
    let checked = checked.map(|text| Block::Command("Warnings of the check:".into(), text.clone()));
    sentences(&all).into_iter().chain(checked).collect()
}

/// The table of points, with the keys and the most important columns.
fn points(swept: &Swept<'_>) -> Vec<Block> {
    let keys = swept.grid.axes().iter().map(|axis| axis.key.as_str());
    let has_verdict = swept.rows.values().any(|row| row.get("verdict").is_some_and(|cell| !cell.is_null()));
    let verdict = has_verdict.then_some("verdict");
    let header = keys.chain(verdict).chain(["ok/s", "p50", "p99", "steady state", "bottleneck"]);
    let line = |(point, row): (&usize, &Row)| {
        let mut cells: Vec<String> =
            swept.grid.overrides(*point).into_iter().map(|(_, value)| value).collect();
        let words = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
        cells.extend(verdict.map(words));
        let is_steady = row.get("steady_state") == Some(&Value::Bool(true));
        cells.push(figure(row, "throughput_rps", number));
        for name in ["response_ms_p50", "response_ms_p99"] {
            cells.push(if is_steady { figure(row, name, |ms| time_ms(ms, None)) } else { "-".to_owned() });
        }
        cells.extend([if is_steady { "yes" } else { "no" }.to_owned(), words("bottleneck")]);
        cells
    };
    let table = Table::new(header, swept.rows.iter().take(ROWS_MAX).map(line).collect());
    let mut blocks = vec![Block::Numbers("Points".into(), table)];
    if swept.rows.len() > ROWS_MAX {
        let all = swept.rows.len();
        blocks.push(Block::Sentences(vec![format!(
            "The first {ROWS_MAX} of {all} points; the table of the sweep has all."
        )]));
    }
    blocks
}

/// A value with the ends of its interval, as text.
fn figure(row: &Row, name: &str, written: impl Fn(f64) -> String) -> String {
    let cell = |end: &str| row.get(&format!("{name}{end}")).and_then(Value::as_f64);
    match (cell(""), cell("_low"), cell("_high")) {
        (Some(value), Some(low), Some(high)) => {
            format!("{} ({} to {})", written(value), written(low), written(high))
        }
        (Some(value), ..) => written(value),
        _ => "-".to_owned(),
    }
}
