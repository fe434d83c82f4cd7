//! A sweep as text for the terminal: one row a point, and what moves along which key.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::number::in_unit;
use super::super::table::Row;
use super::super::text::{bold, paragraph, table, width};
use super::{Column, Columns};
use crate::experiment::sweep::Grid;
use crate::scenario::expression::Metric;

/// A metric moves if its values differ by more than this share, beyond their intervals.
const MOVES: f64 = 0.01;

/// Largest number of metrics that are shown without being asked for.
const COLUMNS_MAX: usize = 5;

/// Largest number of rows; the table in the file has all.
const ROWS_MAX: usize = 100;

/// A sweep with all its points.
#[derive(Clone, Copy, Debug)]
pub struct Points<'a> {
    /// The grid of varied values.
    pub grid: &'a Grid,
    /// The rows of the table, by point.
    pub rows: &'a BTreeMap<usize, Row>,
    /// The metrics among the columns.
    pub columns: &'a Columns,
}

/// One value of a column, with the ends of its interval.
#[derive(Clone, Copy)]
struct Cell {
    value: f64,
    low: f64,
    high: f64,
}

/// The table, and below it the answer in words.
#[must_use]
pub fn text(title: &str, points: &Points<'_>) -> String {
    let shown = points.shown();
    let keys = points.keys();
    let has_verdict = points.has("verdict");
    let remarks = points.rows.values().any(|row| remark(row).is_some());
    let mut header: Vec<String> = keys.iter().map(|(_, name)| name.clone()).collect();
    header.extend(has_verdict.then(|| "verdict".to_owned()));
    header.extend(shown.iter().map(|column| head(&column.name)));
    header.push("binds".into());
    header.extend(remarks.then(|| "remark".to_owned()));
    let line = |(point, row): (&usize, &Row)| {
        let place = points.grid.overrides(*point);
        let mut cells: Vec<String> = keys.iter().map(|(at, _)| plain(&place[*at].1)).collect();
        cells.extend(has_verdict.then(|| word(row, "verdict").unwrap_or_default()));
        cells.extend(shown.iter().map(|column| shown_in(row, column)));
        cells.push(binds(row));
        cells.extend(remarks.then(|| remark(row).unwrap_or_default().to_owned()));
        cells
    };
    let rows: Vec<Vec<String>> = points.rows.iter().take(ROWS_MAX).map(line).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut out =
        format!("{}\n\n{}", bold(title), table(&header, keys.len() + usize::from(has_verdict), &rows));
    if points.rows.len() > ROWS_MAX {
        out += &format!("the first {ROWS_MAX} of {} points; the file has all\n", points.rows.len());
    }
    out.push('\n');
    points.answer().iter().for_each(|sentence| out += &paragraph("", sentence));
    // In one line, so that a script can take it with `tail -n 1`.
    points.first_that_holds().iter().for_each(|line| out += &format!("{line}\n"));
    out
}

/// The answer in words: which metrics move along which keys, how many points hold, and which is the first of them.
#[must_use]
pub fn answer(points: &Points<'_>) -> Vec<String> {
    points.answer().into_iter().chain(points.first_that_holds()).collect()
}

impl Points<'_> {
    /// The keys with several values, each with its place and a short name.
    fn keys(&self) -> Vec<(usize, String)> {
        let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
        let axes = self.grid.axes();
        let is_alone = |name: &str| axes.iter().filter(|axis| last(&axis.key) == name).count() == 1;
        let name = |key: &str| Some(last(key)).filter(|name| axes.len() > 1 && is_alone(name));
        let several = axes.iter().enumerate().filter(|(_, axis)| axis.values.len() > 1 || axes.len() == 1);
        several.map(|(at, axis)| (at, name(&axis.key).unwrap_or_else(|| axis.key.clone()))).collect()
    }

    fn has(&self, column: &str) -> bool {
        self.rows.values().any(|row| row.get(column).is_some_and(|cell| !cell.is_null()))
    }

    /// The values of a metric by point, as far as they are known.
    fn values(&self, column: &Column) -> Vec<(usize, Cell)> {
        self.rows.iter().filter_map(|(point, row)| Some((*point, cell(row, column)?))).collect()
    }

    /// The columns of the table: all that are asked for; else the goals, a price that moves, what else moves, and of the
    /// rest what fits.
    fn shown(&self) -> Vec<&Column> {
        let known = |column: &&Column| !self.values(column).is_empty();
        let all: Vec<&Column> = self.columns.all.iter().filter(known).collect();
        if self.columns.asked {
            return all;
        }
        let is_something =
            |column: &&&Column| column.goal || self.values(column).iter().any(|(_, cell)| cell.value != 0.0);
        let rank = |column: &Column| match (column.goal, moves(&self.values(column))) {
            (true, _) => 0,
            // Who varies what costs something asks for the price.
            (false, true) if column.name == Metric::CostPerHour.to_string() => 0,
            (false, true) => 1,
            (false, false) => 2,
        };
        let mut some: Vec<(usize, usize)> = all
            .iter()
            .enumerate()
            .filter(|(_, column)| is_something(column))
            .map(|(at, column)| (rank(column), at))
            .collect();
        some.sort_unstable();
        some.truncate(COLUMNS_MAX);
        let mut kept: Vec<usize> = some.into_iter().map(|(_, at)| at).collect();
        while kept.len() > 1 && self.width(&kept, &all) > width() {
            kept.pop();
        }
        kept.sort_unstable();
        kept.into_iter().map(|at| all[at]).collect()
    }

    /// Number of characters that a table with these columns takes.
    fn width(&self, kept: &[usize], all: &[&Column]) -> usize {
        let widest =
            |cells: &mut dyn Iterator<Item = String>| cells.map(|cell| cell.chars().count() + 2).max();
        let column = |at: &usize| {
            let mut cells = self.rows.values().map(|row| shown_in(row, all[*at]));
            widest(&mut cells).unwrap_or(0).max(head(&all[*at].name).chars().count() + 2)
        };
        let values = |(at, name): &(usize, String)| {
            let mut cells = self.grid.axes()[*at].values.iter().map(|value| plain(value));
            widest(&mut cells).unwrap_or(0).max(name.chars().count() + 2)
        };
        let keys: usize = self.keys().iter().map(values).sum();
        let binds = widest(&mut self.rows.values().map(binds)).unwrap_or(0);
        let remarks = widest(&mut self.rows.values().map(|row| remark(row).unwrap_or_default().to_owned()));
        let verdict = if self.has("verdict") { 11 } else { 0 };
        keys + verdict + kept.iter().map(column).sum::<usize>() + binds + remarks.unwrap_or(0)
    }

    fn answer(&self) -> Vec<String> {
        let mut said = Vec::new();
        let (mut moving, mut still) = (Vec::new(), Vec::new());
        for column in self.shown() {
            let values = self.values(column);
            if values.len() < 2 {
                continue;
            }
            match self.along(&values) {
                along if along.is_empty() => still.push(column.name.as_str()),
                along => moving.push(format!(
                    "{} goes with {}{}",
                    column.name,
                    joined(&along),
                    ends(column, &values)
                )),
            }
        }
        let rest = match still.as_slice() {
            [] => None,
            [one] => Some(format!("{one} does not move")),
            some => Some(format!("{} do not move", joined(some))),
        };
        moving.extend(rest);
        said.extend((!moving.is_empty()).then(|| moving.join("; ")));
        said.extend(self.end_of_the_way());
        said.extend(self.number_that_holds());
        said
    }

    /// The points at which all expectations hold; `None` without expectations.
    fn holding(&self) -> Option<Vec<usize>> {
        let holds = |row: &Row| word(row, "verdict").as_deref() == Some("holds");
        let holding = self.rows.iter().filter(|(_, row)| holds(row)).map(|(point, _)| *point);
        self.has("verdict").then(|| holding.collect())
    }

    fn number_that_holds(&self) -> Option<String> {
        let (count, all) = (self.holding()?.len(), self.rows.len());
        Some(match count {
            0 => "no point holds".into(),
            count if count == all => "all points hold".into(),
            count => format!("{count} of {all} points hold"),
        })
    }

    /// The first point at which all expectations hold, and what binds there.
    fn first_that_holds(&self) -> Option<String> {
        let holding = self.holding()?;
        let Some(point) = holding.first() else { return Some("first that holds: none".into()) };
        let at: Vec<String> = self
            .grid
            .overrides(*point)
            .iter()
            .map(|(key, value)| format!("{key}={}", plain(value)))
            .collect();
        let binds = Some(binds(&self.rows[point])).filter(|text| !text.is_empty());
        let binds = binds.map_or(String::new(), |text| format!(" ({text})"));
        Some(format!("first that holds: {}{binds}", at.join(" ")))
    }

    /// The keys along which a metric moves, all others being equal.
    fn along(&self, values: &[(usize, Cell)]) -> Vec<String> {
        let moves_along = |axis: usize| {
            let mut lines: BTreeMap<Vec<usize>, Vec<(usize, Cell)>> = BTreeMap::new();
            for (point, cell) in values {
                let mut place = self.grid.place(*point);
                place[axis] = 0;
                lines.entry(place).or_default().push((*point, *cell));
            }
            lines.values().any(|line| moves(line))
        };
        self.keys().into_iter().filter(|(at, _)| moves_along(*at)).map(|(_, name)| name).collect()
    }

    /// From which value on nothing that is shown changes any more, if there is one key and such a value before the last.
    fn end_of_the_way(&self) -> Option<String> {
        let [(at, _)] = self.keys()[..] else { return None };
        let columns = self.shown();
        if columns.is_empty() || !columns.iter().any(|column| moves(&self.values(column))) {
            return None;
        }
        let points: Vec<usize> = self.rows.keys().copied().collect();
        let rests = |from: usize| {
            columns.iter().all(|column| {
                let values = self.values(column);
                let rest: Vec<(usize, Cell)> =
                    values.into_iter().filter(|(point, _)| *point >= points[from]).collect();
                !moves(&rest)
            })
        };
        // At least three points of rest.
        let from = (1..points.len().saturating_sub(2)).find(|from| rests(*from))?;
        let (key, value) = self.grid.overrides(points[from])[at].clone();
        let binds = Some(binds(&self.rows[points.last()?])).filter(|text| !text.is_empty());
        let binds = binds.map_or(String::new(), |text| format!("; at the last {text}"));
        Some(format!("from {key}={} on nothing of this changes{binds}", plain(&value)))
    }
}

/// Whether the values differ, beyond their intervals and by more than [`MOVES`].
pub(in super::super) fn moves_at_all(points: &Points<'_>, column: &Column) -> bool {
    moves(&points.values(column))
}

fn moves(values: &[(usize, Cell)]) -> bool {
    let least = values.iter().map(|(_, cell)| cell).min_by(|a, b| a.value.total_cmp(&b.value));
    let most = values.iter().map(|(_, cell)| cell).max_by(|a, b| a.value.total_cmp(&b.value));
    let (Some(least), Some(most)) = (least, most) else { return false };
    most.value - least.value > MOVES * least.value.abs() && most.low > least.high
}

/// From where to where a metric goes.
fn ends(column: &Column, values: &[(usize, Cell)]) -> String {
    let of = |value: f64| in_unit(value, None, &column.unit);
    let least = values.iter().map(|(_, cell)| cell.value).fold(f64::INFINITY, f64::min);
    let most = values.iter().map(|(_, cell)| cell.value).fold(f64::NEG_INFINITY, f64::max);
    format!(" ({} to {})", of(least), of(most))
}

fn cell(row: &Row, column: &Column) -> Option<Cell> {
    let is_time = column.name.contains("(response");
    let is_known = !is_time || remark(row) != Some("queue grows");
    let of = |end: &str| row.get(&format!("{}{end}", column.name)).and_then(Value::as_f64);
    let value = of("").filter(|_| is_known)?;
    Some(Cell { value, low: of("_low").unwrap_or(value), high: of("_high").unwrap_or(value) })
}

fn shown_in(row: &Row, column: &Column) -> String {
    let half = |cell: Cell| Some((cell.high - cell.low) / 2.0).filter(|half| *half > 0.0);
    cell(row, column).map_or(String::new(), |cell| in_unit(cell.value, half(cell), &column.unit))
}

fn word(row: &Row, name: &str) -> Option<String> {
    row.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// What binds at a point, and how busy it is.
fn binds(row: &Row) -> String {
    let used = row.get("bottleneck_utilisation").and_then(Value::as_f64);
    match (word(row, "bottleneck"), word(row, "bottleneck_resource"), used) {
        (Some(of), Some(resource), Some(used)) => format!("{of} {resource} {:.0} %", 100.0 * used),
        _ => String::new(),
    }
}

/// Why the figures of a point depend on the duration, if they do.
fn remark(row: &Row) -> Option<&'static str> {
    if row.get("steady_state") != Some(&Value::Bool(false)) {
        return None;
    }
    let lags = row.get("lag_growth").is_some_and(|growth| !growth.is_null());
    Some(if lags { "lag grows" } else { "queue grows" })
}

/// A metric as the head of a column: `p99`, `p99.post`.
fn head(name: &str) -> String {
    let plain = name.strip_suffix(')').and_then(|name| name.split_once("(response"));
    plain.map_or_else(|| name.to_owned(), |(stat, class)| format!("{stat}{class}"))
}

/// A value without quotes.
fn plain(value: &str) -> String {
    value.trim().trim_matches(['"', '\'']).to_owned()
}

fn joined(names: &[impl AsRef<str>]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.as_slice() {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        some => some.join(""),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn grid(axes: &[&str]) -> Grid {
        Grid::new(axes.iter().map(|axis| axis.parse().unwrap()).collect(), 100).unwrap()
    }

    fn columns(names: &[(&str, &str, bool)]) -> Columns {
        let one = |(name, unit, goal): &(&str, &str, bool)| Column {
            name: (*name).to_owned(),
            unit: (*unit).to_owned(),
            goal: *goal,
        };
        Columns { asked: false, all: names.iter().map(one).collect() }
    }

    fn said(grid: &Grid, columns: &Columns, cells: impl Fn(usize) -> Value) -> String {
        let row = |point| (point, cells(point).as_object().unwrap().clone());
        let rows: BTreeMap<usize, Row> = (0..grid.points()).map(row).collect();
        text("T", &Points { grid, rows: &rows, columns })
    }

    #[test]
    fn what_moves_is_told_with_the_keys_that_move_it() {
        let grid = grid(&["db.failover.interval=1s,2s", "db.failover.misses=2,3"]);
        let columns =
            columns(&[("rto", "s", true), ("p99(response)", "s", false), ("lost_writes", "count", false)]);
        let rto = |point: usize| [3.0, 4.0, 5.0, 7.0][point];
        let text = said(&grid, &columns, |point| {
            json!({ "rto": rto(point), "rto_low": rto(point) - 0.1, "rto_high": rto(point) + 0.1, "lost_writes": 0.0,
                "p99(response)": 0.084, "verdict": if point == 0 { "holds" } else { "fails" }, "steady_state": true })
        });
        let cells =
            |at: usize| text.lines().nth(at).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(cells(2), "interval misses verdict rto p99 binds");
        assert_eq!(cells(3), "1s 2 holds 3000 ± 100 ms 84 ms -");
        assert!(
            text.ends_with(
                "1 of 4 points hold\nfirst that holds: db.failover.interval=1s db.failover.misses=2\n"
            ),
            "{text}"
        );
        let moves = "rto goes with interval and misses (3000 ms to 7000 ms); p99(response) does not move";
        assert!(text.contains(moves), "{text}");
        let none = said(&grid, &columns, |_| json!({ "verdict": "fails", "steady_state": true }));
        assert!(none.ends_with("no point holds\nfirst that holds: none\n"), "{none}");
        assert!(!text.contains("lost_writes"), "a count of nothing is not shown: {text}");
    }

    #[test]
    fn where_more_changes_nothing_it_is_said() {
        let grid = grid(&["db.replicas=1..6"]);
        let columns = columns(&[("p99(response)", "s", true)]);
        let text = said(&grid, &columns, |point| {
            json!({ "p99(response)": if point == 0 { 0.0643 } else { 0.0621 }, "verdict": "holds", "steady_state": true,
                "bottleneck": "db", "bottleneck_resource": "apply workers", "bottleneck_utilisation": 0.72 })
        });
        assert!(
            text.ends_with("all points hold\nfirst that holds: db.replicas=1 (db apply workers 72 %)\n"),
            "{text}"
        );
        let end = "from db.replicas=2 on nothing of this changes; at the last db apply workers 72 %";
        assert!(text.contains(end), "{text}");
    }

    #[test]
    fn times_of_a_growing_queue_are_not_told_and_those_of_a_growing_lag_are() {
        let grid = grid(&["u.rate=1/s,2/s,3/s"]);
        let columns = columns(&[("p99(response)", "s", false)]);
        let text = said(&grid, &columns, |point| {
            let lag = (point == 1).then_some(0.2);
            json!({ "p99(response)": 0.5, "steady_state": point == 0, "lag_growth": lag })
        });
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[4].contains("500 ms") && lines[4].ends_with("lag grows"), "{text}");
        assert!(!lines[5].contains("500 ms") && lines[5].ends_with("queue grows"), "{text}");
    }
}
