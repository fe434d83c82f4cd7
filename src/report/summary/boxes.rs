//! The tables of boxes in the summary: how busy each box was, its queue, its worst moment, and what theory says.

use super::super::number::{estimate, number, seconds, share, time_ms};
use super::super::text::{bold, fitted};
use super::{bare, figure};
use crate::experiment::result::{ComponentResult, Fit, Prediction, Relation, RunResult};

/// Largest group whose members are shown one by one. Of a larger group only the busiest member is shown.
const MEMBERS_MAX: usize = 4;

const HEADER: [&str; 9] =
    ["boxes", "calls/s", "answered/s", "busy", "inside", "queue", "longest queue", "waited", "response"];

/// Columns that are left out where there is no room for all, the first first.
const LEFT_OUT: [&str; 4] = ["inside", "queue", "waited", "longest queue"];

/// The column of calls answered ok, which is left out where all calls are.
const ANSWERED: usize = 2;

/// Least share of a box's calls, ended otherwise than ok, that is worth a column.
const UNANSWERED_MIN: f64 = 0.005;

/// The names of the columns.
pub(super) fn header(result: &RunResult) -> Vec<&'static str> {
    without_answered(result, HEADER.to_vec())
}

/// The cells of a row, without those of the calls answered ok if every box answers all its calls.
fn without_answered<T>(result: &RunResult, mut cells: Vec<T>) -> Vec<T> {
    let some_fail = shown(result).iter().any(|(_, _, one)| unanswered(one) > UNANSWERED_MIN);
    if !some_fail {
        cells.remove(ANSWERED);
    }
    cells
}

/// Share of a component's calls that end otherwise than ok.
fn unanswered(one: &ComponentResult) -> f64 {
    let failed: f64 = one.outcomes.failures().iter().filter_map(|(_, figure)| figure.mean).sum();
    one.calls.mean.filter(|calls| *calls > 0.0).map_or(0.0, |calls| failed / calls)
}

/// Calls a second that come to a component.
fn arriving(result: &RunResult, one: &ComponentResult) -> Option<f64> {
    one.calls.mean.filter(|_| result.duration_s > 0.0).map(|calls| calls / result.duration_s)
}

pub(super) fn section(result: &RunResult) -> String {
    let rows = rows(result);
    if rows.is_empty() {
        return String::new();
    }
    let mut out = fitted(&header(result), 1, &rows, &LEFT_OUT).replacen("boxes", &bold("boxes"), 1);
    if let Some(cost) = result.metrics.cost_usd_per_hour.mean.filter(|cost| *cost > 0.0) {
        out.push_str(&format!(" the machines cost USD {} an hour\n", number(cost)));
    }
    out
}

/// The rows below [`header`].
pub(super) fn rows(result: &RunResult) -> Vec<Vec<String>> {
    shown(result).into_iter().map(|(label, name, one)| row(result, label, name, one)).collect()
}

/// Label, name and figures of the components that received calls.
fn shown(result: &RunResult) -> Vec<(String, &str, &ComponentResult)> {
    let called = result.components.iter().filter(|(_, one)| one.calls.mean.is_some_and(|calls| calls > 0.0));
    let called: Vec<(&str, &ComponentResult)> = called.collect();
    let members =
        |group: &str| called.iter().filter(|(_, one)| one.group == group).copied().collect::<Vec<_>>();
    let mut rows = Vec::new();
    for (name, one) in &called {
        let group = members(&one.group);
        if group.len() <= MEMBERS_MAX {
            rows.push(((*name).to_owned(), *name, *one));
        } else if group[0].0 == *name {
            let (name, busiest) = busiest(&group);
            // A query router inside the drivers of its callers is not a machine.
            let machines = group.iter().filter(|(_, one)| one.utilisation.is_some()).count();
            let count = if machines == 0 { group.len() } else { machines };
            rows.push((format!("{name}, busiest of {count}"), name, busiest));
        }
    }
    rows
}

fn busiest<'a>(group: &[(&'a str, &'a ComponentResult)]) -> (&'a str, &'a ComponentResult) {
    let load = |one: &ComponentResult| one.utilisation.as_ref().and_then(|figure| figure.mean).unwrap_or(0.0);
    *group.iter().max_by(|a, b| load(a.1).total_cmp(&load(b.1))).expect("a group has members")
}

fn row(result: &RunResult, label: String, name: &str, one: &ComponentResult) -> Vec<String> {
    let busy = one.utilisation.as_ref().map_or(String::new(), |busy| figure(busy, share));
    let longest = match (one.queue_len_max.mean, worst_moment(result, name)) {
        (Some(most), Some(at)) if most > 0.0 => format!("{} near {}", number(most), seconds(at)),
        (Some(most), _) => number(most),
        (None, _) => String::new(),
    };
    let steady = result.steady_state.times_are_steady();
    let time = |cell: String| if steady { cell } else { String::new() };
    let cells = vec![
        label,
        arriving(result, one).map_or(String::new(), |calls| estimate(calls, None)),
        bare(&one.throughput_rps, estimate),
        busy,
        bare(&one.inside_mean, estimate),
        bare(&one.queue_len_mean, estimate),
        longest,
        time(bare(&one.wait_ms.mean, time_ms)),
        time(figure(&one.response_ms.mean, time_ms)),
    ];
    without_answered(result, cells)
}

/// Start of the window with the most calls inside, in seconds; the mean over trials.
fn worst_moment(result: &RunResult, name: &str) -> Option<f64> {
    let times = result.series.column("t_s")?;
    let column = format!("inside:{name}");
    let inside = result.series.column(&column)?;
    let known = times.zip(inside).filter_map(|(at, inside)| Some((at?, inside?)));
    let worst = known.reduce(|worst, next| if next.1 > worst.1 { next } else { worst })?;
    Some(worst.0.round())
}

pub(super) const THEORY: [&str; 6] = ["theory", "law", "of", "says", "measured", "verdict"];

/// The rows below [`THEORY`].
pub(super) fn theory_rows(result: &RunResult) -> Vec<Vec<String>> {
    result.theory.iter().map(prediction).collect()
}

pub(super) fn theory(result: &RunResult) -> String {
    let rows = theory_rows(result);
    if rows.is_empty() {
        return String::new();
    }
    fitted(&THEORY, 3, &rows, &["law"]).replacen("theory", &bold("theory"), 1)
}

fn prediction(of: &Prediction) -> Vec<String> {
    let show = |value: f64, half_width: Option<f64>| match of.quantity {
        quantity if quantity.ends_with("_ms") => time_ms(value, half_width),
        quantity if quantity.ends_with("_rps") => estimate(value, half_width) + "/s",
        "in_flight_mean" => estimate(value, half_width),
        // How much of a resource is in use.
        _ => share(value, half_width),
    };
    let relation = match of.relation {
        Relation::Equal => "",
        Relation::About => "about ",
        Relation::AtMost => "at most ",
        Relation::AtLeast => "at least ",
    };
    let quantity = of.quantity.trim_end_matches("_ms").trim_end_matches("_rps").replace('_', " ");
    vec![
        of.component.clone(),
        of.law.clone(),
        quantity,
        format!("{relation}{}", show(of.theory, None)),
        figure(&of.measured, show),
        fit(of),
    ]
}

/// Whether the measurement agrees with the law.
fn fit(of: &Prediction) -> String {
    let apart = of.measured.mean.map_or(0.0, |mean| (mean - of.theory).abs() / of.theory.abs());
    match of.verdict {
        Some(Fit::Agrees) => "agrees".into(),
        Some(Fit::Differs) => format!("differs by {:.0} %", 100.0 * apart),
        Some(Fit::Kept) => "kept".into(),
        Some(Fit::Broken) => "broken".into(),
        None => String::new(),
    }
}
