//! The table of requests in the summary: what users saw, by class.

use super::super::number::{estimate, number, share, time_ms};
use super::super::text::{bold, fitted};
use super::{bare, figure};
use crate::experiment::result::{
    ClassResult, Figure, Metrics, Named, Outcomes, Responses, RunResult, World, Worlds,
};

pub(super) const HEADER: [&str; 8] =
    ["requests", "offered/s", "ok/s", "available", "mean", "p50", "p95", "p99"];

/// Columns that are left out where there is no room for all, the first first.
const LEFT_OUT: [&str; 3] = ["p50", "p95", "offered/s"];

pub(super) fn section(result: &RunResult) -> String {
    if let Some(worlds) = &result.worlds {
        return by_world(worlds) + &unhappy(&result.metrics.outcomes).unwrap_or_default();
    }
    let mut out = fitted(&HEADER, 1, &rows(result), &LEFT_OUT);
    out = out.replacen("requests", &bold("requests"), 1);
    if let Some(line) = unhappy(&result.metrics.outcomes) {
        out.push_str(&line);
    }
    out
}

/// The rows below [`HEADER`].
pub(super) fn rows(result: &RunResult) -> Vec<Vec<String>> {
    rows_of(&result.metrics, &result.classes, result.steady_state.times_are_steady())
}

fn rows_of(metrics: &Metrics, classes: &Named<ClassResult>, steady: bool) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (name, class) in classes.iter().filter(|_| classes.0.len() > 1) {
        let rates = [&class.offered_rps, &class.throughput_rps, &class.availability];
        rows.push(row(name, rates, &class.response_ms, steady));
    }
    let rates = [&metrics.offered_rps, &metrics.throughput_rps, &metrics.availability];
    rows.push(row("all", rates, &metrics.response_ms, steady));
    rows
}

/// The requests of each world, as a table each. A mean over both is that of neither.
fn by_world(worlds: &Worlds) -> String {
    let table = |name: &str, world: &World| {
        let plural = if world.trials == 1 { "" } else { "s" };
        let title = format!("the {} trial{plural} {name}", world.trials);
        format!(" {}\n{}", bold(&title), fitted(&HEADER, 1, &world_rows(world), &LEFT_OUT))
    };
    table("in which the service came back", &worlds.recovered)
        + &table("in which it did not", &worlds.collapsed)
}

/// The rows of one world below [`HEADER`].
pub(super) fn world_rows(world: &World) -> Vec<Vec<String>> {
    rows_of(&world.metrics, &world.classes, true)
}

/// The row of a class. Response times are left out if the system has no steady state, because they depend on the length
/// of the run.
fn row(name: &str, rates: [&Figure; 3], times: &Responses, steady: bool) -> Vec<String> {
    let [offered, ok, available] = rates;
    let time = |cell: String| if steady { cell } else { String::new() };
    vec![
        name.to_owned(),
        bare(offered, estimate),
        figure(ok, estimate),
        bare(available, share),
        time(figure(&times.mean, time_ms)),
        time(bare(&times.p50, time_ms)),
        time(bare(&times.p95, time_ms)),
        time(figure(&times.p99, time_ms)),
    ]
}

/// The outcomes other than ok that occurred, as text; `None` if there are none.
fn unhappy(outcomes: &Outcomes) -> Option<String> {
    let some: Vec<String> = outcomes
        .failures()
        .into_iter()
        .filter_map(|(outcome, figure)| Some((outcome, figure.mean.filter(|mean| *mean > 0.0)?)))
        .map(|(outcome, mean)| format!("{} {}", number(mean), outcome.words()))
        .collect();
    (!some.is_empty()).then(|| format!(" not ok, in a trial: {}\n", some.join(", ")))
}
