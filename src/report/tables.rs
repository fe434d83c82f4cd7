//! Results of runs as tables for pandas, R and any other reader of CSV: one row an observation, one column a variable.

use serde::Serialize;
use serde_json::{Value, json};

use super::table::{Row, Table, flatten};
use crate::experiment::result::RunResult;
use crate::stats::histogram::Histogram;

/// Tails of the listed percentiles within one decade, as a number of responses per thousand million. They give the
/// percentiles 0, 10 .. 70, 75, 80, 85, then 90, 91 .. 97.5, 98, 98.5, and so on.
const TAILS: [u64; 11] = [100, 90, 80, 70, 60, 50, 40, 30, 25, 20, 15];

/// All responses, in the unit of [`TAILS`].
const WHOLE: u64 = 1_000_000_000;

/// Number of decades; the last percentiles are beyond 99.999.
const DECADES: u32 = 6;

/// Nanoseconds in a millisecond.
const NANOS_PER_MS: f64 = 1e6;

/// One table for each part of the results, with its file name. Each row names its scenario, so that several scenarios
/// share the tables. A scenario that occurs again gets a number: `mm1`, `mm1#2`.
#[must_use]
pub fn tables(results: &[RunResult]) -> Vec<(&'static str, Table)> {
    let names = names(results);
    let collect = |columns: &[&str], rows: fn(&RunResult, &mut dyn FnMut(Row))| {
        let mut table = Table::new(&[&["scenario"], columns].concat());
        for (name, result) in names.iter().zip(results) {
            rows(result, &mut |row| {
                let mut named = Row::from_iter([("scenario".to_owned(), json!(name))]);
                named.extend(row);
                table.push(named);
            });
        }
        table
    };
    vec![
        ("metrics.csv", collect(&["title"], metrics)),
        ("classes.csv", collect(&["class"], classes)),
        ("components.csv", collect(&["component", "kind", "group"], components)),
        ("series.csv", collect(&["t_s"], series)),
        ("component_series.csv", collect(&["t_s", "component", "inside"], component_series)),
        ("timeline.csv", collect(&["t_s", "component", "event"], timeline)),
        ("expect.csv", collect(&["that", "verdict", "value", "low", "high", "bound", "unit"], expectations)),
        ("percentiles.csv", collect(&["scope", "class", "percentile", "response_ms"], percentiles)),
    ]
}

fn names(results: &[RunResult]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for result in results {
        let file = &result.scenario.file;
        let mut name = file.clone();
        let mut count = 1;
        while names.contains(&name) {
            count += 1;
            name = format!("{file}#{count}");
        }
        names.push(name);
    }
    names
}

fn row<const N: usize>(cells: [(&str, Value); N]) -> Row {
    cells.into_iter().map(|(name, cell)| (name.to_owned(), cell)).collect()
}

fn value(part: &impl Serialize) -> Value {
    serde_json::to_value(part).expect("a result is made of numbers, strings, lists and maps with string keys")
}

/// The outcome of a run and the figures of the whole system, which a row of a sweep contains too.
#[must_use]
pub fn overview(result: &RunResult) -> Row {
    let bottleneck = result.bottleneck.as_ref();
    let mut cells = row([
        ("seed", json!(result.seed)),
        ("trials", json!(result.trials)),
        ("duration_s", json!(result.duration_s)),
        ("warmup_s", json!(result.warmup_s)),
        ("events", json!(result.events)),
        ("fingerprint", json!(result.fingerprint)),
        ("steady_state", json!(result.steady_state.reached)),
        ("growth_per_s", json!(result.steady_state.growth_per_s)),
        ("lag_growth", json!(result.steady_state.lag_growth)),
        ("bottleneck", json!(bottleneck.map(|it| &it.component))),
        ("bottleneck_resource", json!(bottleneck.map(|it| it.resource))),
        ("bottleneck_utilisation", json!(bottleneck.map(|it| it.utilisation))),
    ]);
    flatten("", &value(&result.metrics), &mut cells);
    cells
}

fn metrics(result: &RunResult, add: &mut dyn FnMut(Row)) {
    let mut cells = row([
        ("title", json!(result.scenario.title)),
        ("sha256", json!(result.scenario.sha256)),
        ("complete", json!(result.complete)),
    ]);
    cells.extend(overview(result));
    add(cells);
}

fn classes(result: &RunResult, add: &mut dyn FnMut(Row)) {
    for (name, class) in result.classes.iter() {
        let mut cells = row([("class", json!(name))]);
        flatten("", &value(class), &mut cells);
        add(cells);
    }
}

fn components(result: &RunResult, add: &mut dyn FnMut(Row)) {
    for (name, component) in result.components.iter() {
        let mut cells = row([("component", json!(name))]);
        flatten("", &value(component), &mut cells);
        add(cells);
    }
}

/// Splits the name of a column of the series into the figure and its component; `None` for a column of the whole
/// system.
fn owner(column: &str) -> Option<(&str, &str)> {
    column.split_once(':')
}

fn series(result: &RunResult, add: &mut dyn FnMut(Row)) {
    let columns = &result.series.columns;
    for window in &result.series.rows {
        let cells = columns.iter().zip(window).filter(|(name, _)| owner(name).is_none());
        add(cells.map(|(name, cell)| (name.clone(), json!(cell))).collect());
    }
}

/// The series of components: one row for each component and window.
fn component_series(result: &RunResult, add: &mut dyn FnMut(Row)) {
    let owned: Vec<(usize, &str, &str)> = result
        .series
        .columns
        .iter()
        .enumerate()
        .filter_map(|(at, name)| owner(name).map(|(what, component)| (at, what, component)))
        .collect();
    let mut components: Vec<&str> = Vec::new();
    for (_, _, component) in &owned {
        if !components.contains(component) {
            components.push(component);
        }
    }
    for window in &result.series.rows {
        for component in &components {
            let mut cells = row([("t_s", json!(window[0])), ("component", json!(component))]);
            let own = owned.iter().filter(|(_, _, of)| of == component);
            cells.extend(own.map(|(at, what, _)| ((*what).to_owned(), json!(window[*at]))));
            add(cells);
        }
    }
}

fn timeline(result: &RunResult, add: &mut dyn FnMut(Row)) {
    for happening in &result.timeline {
        let mut cells = Row::new();
        flatten("", &value(happening), &mut cells);
        add(cells);
    }
}

fn expectations(result: &RunResult, add: &mut dyn FnMut(Row)) {
    for verdict in &result.expect {
        add(row([
            ("that", json!(verdict.that)),
            ("window", json!(verdict.window)),
            ("verdict", json!(verdict.verdict)),
            ("value", json!(verdict.value)),
            ("low", json!(verdict.low)),
            ("high", json!(verdict.high)),
            ("bound", json!(verdict.bound)),
            ("unit", json!(verdict.unit)),
        ]));
    }
}

/// Percentiles of the response times of requests that ended ok, all trials together: of the system, then of each class.
fn percentiles(result: &RunResult, add: &mut dyn FnMut(Row)) {
    distribution("system", None, &result.pooled.all(), add);
    for ((name, _), trials) in result.classes.iter().zip(&result.pooled.classes) {
        let mut all = Histogram::default();
        trials.iter().for_each(|trial| all.merge(trial));
        distribution("class", Some(name), &all, add);
    }
}

/// The percentiles that at least one response lies beyond, then the longest response.
fn distribution(scope: &str, class: Option<&str>, times: &Histogram, add: &mut dyn FnMut(Row)) {
    let Some(longest) = times.max() else { return };
    let mut at = |percentile: f64, nanos: u64| {
        add(row([
            ("scope", json!(scope)),
            ("class", json!(class)),
            ("percentile", json!(percentile)),
            ("response_ms", json!(nanos as f64 / NANOS_PER_MS)),
        ]));
    };
    let decades = (0..DECADES).map(|decade| WHOLE / 100 / 10_u64.pow(decade));
    for tail in decades.flat_map(|unit| TAILS.map(|tail| tail * unit)) {
        if u128::from(tail) * u128::from(times.count()) < u128::from(WHOLE) {
            break;
        }
        let below = (WHOLE - tail) as f64;
        at(below / (WHOLE as f64 / 100.0), times.quantile(below / WHOLE as f64));
    }
    at(100.0, longest);
}
