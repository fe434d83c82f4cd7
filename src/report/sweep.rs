//! A sweep as a table: one row a point, with the varied values, the outcome, and every metric.

mod text;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::table::{Row, Table};
use super::tables::overview;
use crate::experiment::expect::{measure, unit_name};
use crate::experiment::result::{Answer, RunResult};
use crate::experiment::sweep::Grid;
use crate::model::quantity::{Bytes, Duration, Rate, Share};
use crate::scenario::expression::Metric;

pub(super) use text::moves_at_all;
pub use text::{Points, answer, text};

/// Name and version of the JSON format.
pub const SCHEMA: &str = "outgrow.sweep/1";

/// A metric that has columns of its own, by its expression, in its base unit.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Column {
    /// The expression: `p99(response.post)`.
    pub name: String,
    /// `s`, `share`, `per_s`, `count` or `usd`.
    pub unit: String,
    /// Whether an expectation of the scenario is about it.
    pub goal: bool,
}

/// The metrics of a sweep.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Columns {
    /// Whether the user asked for these.
    pub asked: bool,
    /// The metrics, in their order.
    pub all: Vec<Column>,
}

impl Columns {
    /// The columns of these metrics, of which `goals` are those of the scenario's expectations.
    #[must_use]
    pub fn of(metrics: &[Metric], goals: &[Metric], asked: bool) -> Columns {
        let one = |metric: &Metric| Column {
            name: metric.to_string(),
            unit: unit_name(metric.unit()).into(),
            goal: goals.contains(metric),
        };
        Columns { asked, all: metrics.iter().map(one).collect() }
    }
}

/// Makes the rows of one grid.
#[derive(Clone, Debug)]
pub struct Rows {
    grid: Grid,
    metrics: Vec<Metric>,
    /// For each key whose values have a unit: the name of the column of plain numbers, and these numbers.
    numbers: Vec<Option<(String, Vec<f64>)>>,
}

impl Rows {
    /// Rows for the points of this grid, with columns of their own for these metrics.
    #[must_use]
    pub fn new(grid: &Grid, metrics: &[Metric]) -> Rows {
        let numbers = grid.axes().iter().map(|axis| {
            let (suffix, numbers) = numbers(&axis.values)?;
            Some((format!("{}_{suffix}", axis.key), numbers))
        });
        Rows { grid: grid.clone(), metrics: metrics.to_vec(), numbers: numbers.collect() }
    }

    /// The row of a point.
    #[must_use]
    pub fn row(&self, point: usize, result: &RunResult) -> Row {
        let mut row = self.keys(point);
        row.extend(overview(result));
        for metric in &self.metrics {
            let figure = measure(metric, result).unwrap_or_default();
            let (low, high) = figure.interval().unzip();
            row.insert(metric.to_string(), json!(figure.mean));
            row.insert(format!("{metric}_low"), json!(low));
            row.insert(format!("{metric}_high"), json!(high));
        }
        row.insert("verdict".into(), json!(verdict(result)));
        for (at, expect) in result.expect.iter().enumerate() {
            let mut add = |part: &str, cell: Value| row.insert(format!("expect_{}{part}", at + 1), cell);
            add("", json!(expect.demand()));
            add("_verdict", json!(expect.verdict));
            add("_value", json!(expect.value));
            add("_low", json!(expect.low));
            add("_high", json!(expect.high));
        }
        row
    }

    fn keys(&self, point: usize) -> Row {
        let mut row = Row::from_iter([("point".to_owned(), json!(point))]);
        for ((axis, numbers), at) in self.grid.axes().iter().zip(&self.numbers).zip(self.grid.place(point)) {
            row.insert(axis.key.clone(), cell(&axis.values[at]));
            if let Some((name, numbers)) = numbers {
                row.insert(name.clone(), json!(numbers[at]));
            }
        }
        row
    }

    /// The rows as a table. The columns of the keys are there even without a row.
    #[must_use]
    pub fn table(&self, rows: impl IntoIterator<Item = Row>) -> Table {
        let keys = self.keys(0);
        let mut table = Table::new(&keys.keys().map(String::as_str).collect::<Vec<_>>());
        rows.into_iter().for_each(|row| table.push(row));
        table
    }
}

/// The values as numbers, with the suffix of the column's name that gives the unit. `None` unless every value has a
/// unit of the same kind.
fn numbers(values: &[String]) -> Option<(&'static str, Vec<f64>)> {
    let one = |value: &String| quantity(value.trim().trim_matches('"'));
    let read: Vec<(&str, f64)> = values.iter().map(one).collect::<Option<_>>()?;
    let suffix = read.first()?.0;
    let alike = read.iter().all(|(other, _)| *other == suffix);
    alike.then(|| (suffix, read.into_iter().map(|(_, number)| number).collect()))
}

/// The values as numbers, with their unit. `None` unless all are plain numbers, whose unit is `""`, or all have a unit
/// of the same kind.
#[must_use]
pub fn measured(values: &[String]) -> Option<(&'static str, Vec<f64>)> {
    let plain = || {
        let each =
            values.iter().map(|value| value.trim().parse().ok().filter(|number: &f64| number.is_finite()));
        Some(("", each.collect::<Option<Vec<f64>>>()?))
    };
    plain().or_else(|| numbers(values))
}

/// The value of a column if it is the same in all rows.
#[must_use]
pub fn same<'a>(rows: &'a BTreeMap<usize, Row>, column: &str) -> Option<&'a Value> {
    let mut cells = rows.values().map(|row| row.get(column));
    let first = cells.next()??;
    cells.all(|cell| cell == Some(first)).then_some(first)
}

/// A quantity with a unit, as the suffix of its unit and its number. `None` for a plain number, which needs no second
/// column.
fn quantity(text: &str) -> Option<(&'static str, f64)> {
    if text.parse::<f64>().is_ok() {
        return None;
    }
    let duration = || text.parse().ok().map(|Duration(duration)| ("s", duration.as_secs_f64()));
    let rate = || text.parse().ok().map(|Rate(rate)| ("per_s", rate));
    let share = || text.parse().ok().map(|Share(share)| ("share", share));
    let bytes = || text.parse().ok().map(|Bytes(bytes)| ("bytes", bytes as f64));
    duration().or_else(rate).or_else(share).or_else(bytes)
}

/// A value of a key as it was given: as a number if it is one, else as text.
fn cell(text: &str) -> Value {
    match serde_json::from_str::<Value>(text) {
        Ok(value @ (Value::Number(_) | Value::Bool(_) | Value::String(_))) => value,
        _ => json!(text),
    }
}

/// The joint verdict on all expectations; `None` without any.
fn verdict(result: &RunResult) -> Option<Answer> {
    let is = |answer: Answer| result.expect.iter().any(|expect| expect.verdict == answer);
    match () {
        () if result.expect.is_empty() => None,
        () if is(Answer::Fails) => Some(Answer::Fails),
        () if is(Answer::NotShown) => Some(Answer::NotShown),
        () => Some(Answer::Holds),
    }
}

/// The table as JSON, with the scenario, the version and the axes of the sweep.
///
/// # Panics
/// Never: all keys are strings, and numbers that are not finite become `null`.
#[must_use]
pub fn json(scenario: &Value, version: &str, axes: &Value, table: &Table) -> String {
    let sweep = json!({
        "schema": SCHEMA,
        "version": version,
        "scenario": scenario,
        "vary": axes,
        "columns": table.columns(),
        "rows": table.rows(),
    });
    serde_json::to_string_pretty(&sweep).expect("strings, lists and finite numbers") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::vary::Vary;

    #[test]
    fn keys_are_as_given_and_their_numbers_stand_beside_them() {
        let axis = |text: &str| text.parse::<Vary>().unwrap();
        let grid = Grid::new(vec![axis("users.rate=30/min,2/s"), axis("web.count=1,2")], 10).unwrap();
        let rows = Rows::new(&grid, &[]);
        let keys = json!({ "point": 3, "users.rate": "2/s", "users.rate_per_s": 2.0, "web.count": 2 });
        assert_eq!(Value::Object(rows.keys(3)), keys);
        assert_eq!(rows.table([]).csv(), "point,users.rate,users.rate_per_s,web.count\n");
    }

    #[test]
    fn values_with_a_unit_are_numbers_too() {
        let of = |values: &[&str]| numbers(&values.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(of(&["30/min", "\"1/s\""]), Some(("per_s", vec![0.5, 1.0])));
        assert_eq!(of(&["5ms", "1s"]), Some(("s", vec![0.005, 1.0])));
        assert_eq!(of(&["30%", "4%"]), Some(("share", vec![0.3, 0.04])));
        assert_eq!(of(&["1KiB"]), Some(("bytes", vec![1024.0])));
        for mixed in [&["1", "2"][..], &["1/s", "1s"], &["m7i.large", "1/s"], &["1/s", "2"]] {
            assert_eq!(of(mixed), None);
        }
    }

    #[test]
    fn texts_that_are_no_json_stay_texts() {
        assert_eq!(cell("5"), json!(5));
        assert_eq!(cell("0.5"), json!(0.5));
        assert_eq!(cell("\"50/s\""), json!("50/s"));
        for text in ["50/s", "1_000", "[1, 2]", "nan", "true false"] {
            assert_eq!(cell(text), json!(text));
        }
    }
}
