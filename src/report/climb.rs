//! A climb as text for the terminal: the steps as a table, then what each step changes and buys. And as a chart: a bar
//! for each step, as long as the load that it carries.

use super::capacity::{facts, interval, load};
use super::chart::plot::{Axis, Bar, Bars, Body, Chart, Table, Unit};
use super::chart::three;
use super::number::{number, percent, seconds};
use super::text::{bold, dim, fitted, paragraph, unsure};
use crate::experiment::capacity::{Found, LoadUnit};
use crate::experiment::climb::{ClimbResult, Gain, Step};
use crate::experiment::loss::Loss;
use crate::scenario::changes::Changes;

/// The whole report, at most a hundred columns wide.
#[must_use]
pub fn text(result: &ClimbResult) -> String {
    let mut out = format!("{}\n{}\n\n", bold(&title(result)), dim(paragraph("", &about(result)).trim_end()));
    if !result.complete {
        out.push_str(&format!("{}\n", unsure("interrupted: the figures cover only the part that ran")));
    }
    let Table { header, rows } = steps(result);
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    out.push_str(&fitted(&header, 1, &rows, &["95 % interval", "req/s", "USD/h"]));
    out.push('\n');
    for (name, sentence) in sentences(result) {
        out.push_str(&paragraph(&format!("{name}: "), &sentence));
    }
    let losses = losses(result);
    if !losses.is_empty() {
        out.push_str("\nwhat one dead machine costs at that load:\n");
    }
    for (name, sentence) in losses {
        out.push_str(&paragraph(&format!("{name}: "), &sentence));
    }
    out
}

/// How the steps were measured.
pub(super) fn about(result: &ClimbResult) -> String {
    let Some(first) = result.steps.first() else { return String::new() };
    format!(
        "{} at each step; up to {} trials of {} at each load, seed {}",
        result.slo.join(", "),
        first.capacity.trials,
        seconds(first.capacity.duration_s),
        first.capacity.seed
    )
}

/// The climb in one line: `From 1167 to 7168 users in 5 steps`, or `to at least` if the last one is at the goal.
pub(super) fn title(result: &ClimbResult) -> String {
    let known: Vec<(f64, LoadUnit)> = result.steps.iter().filter_map(carried).collect();
    let steps = known.len();
    match (known.first(), known.last(), result.unit()) {
        (Some((low, _)), Some((high, unit)), Some(_)) if steps > 1 => {
            let last = result.steps.iter().rfind(|step| step.carries().is_some()).map_or("", at_least);
            format!("From {} to {last}{} in {steps} steps", number(*low), load(*high, *unit))
        }
        _ => "What each step carries".to_owned(),
    }
}

/// The load that a step carries, with its unit.
pub(super) fn carried(step: &Step) -> Option<(f64, LoadUnit)> {
    Some((step.carries()?, step.capacity.load.unit))
}

/// The words before the load of a step that may carry more.
fn at_least(step: &Step) -> &'static str {
    if step.is_at_goal() { "at least " } else { "" }
}

/// What the step is limited by: `the cpu of web`.
pub(super) fn binds(step: &Step) -> Option<String> {
    let binds = step.at()?.bottleneck.as_ref()?;
    Some(format!("{} {}", binds.component, binds.resource))
}

/// The steps, one a row.
pub(super) fn steps(result: &ClimbResult) -> Table {
    let unit = match result.unit() {
        Some(LoadUnit::Users) => "users",
        Some(LoadUnit::PerS) => "load/s",
        _ => "load",
    };
    let row = |step: &Step| {
        let found = &step.capacity;
        let carries = match found.verdict {
            Found::Found | Found::MetAtTheGoal => {
                carried(step).map_or(String::new(), |(value, of)| match result.unit() {
                    Some(_) => format!("{}{}", at_least(step), number(value)),
                    None => format!("{}{}", at_least(step), load(value, of)),
                })
            }
            Found::MetAtEveryLoad => format!("above {}", number(found.tried_to)),
            Found::NeverMet => "never".into(),
            Found::NotMeasured => "not shown".into(),
        };
        let ends = match (found.low, found.high) {
            (Some(low), Some(high)) => format!("{} to {}", number(low), number(high)),
            _ if found.verdict == Found::Found => interval(found),
            _ => String::new(),
        };
        let at = step.at();
        let money = |value: Option<f64>| value.filter(|value| *value > 0.0).map_or(String::new(), number);
        let used = at.and_then(|at| at.bottleneck.as_ref()).map(|binds| percent(binds.utilisation));
        vec![
            step.name.clone(),
            carries,
            ends,
            at.and_then(|at| at.throughput_rps.mean).map_or(String::new(), |rate| number(libm::round(rate))),
            binds(step).zip(used).map_or(String::new(), |(binds, used)| format!("{binds} {used}")),
            money(at.and_then(|at| at.cost_usd_per_hour)),
            money(at.and_then(|at| at.cost_usd_per_million)),
        ]
    };
    let header = ["step", unit, "95 % interval", "req/s", "binds", "USD/h", "USD/million"];
    Table::new(header, result.steps.iter().map(row).collect::<Vec<_>>())
}

/// What each step but the first changes, and what that buys; of a step without a capacity, why it has none. Each with the
/// name of its step.
pub(super) fn sentences(result: &ClimbResult) -> Vec<(String, String)> {
    let one = |step: &Step| {
        if step.carries().is_none() {
            let why: Vec<String> = facts(&step.capacity).into_iter().map(|(_, text)| text).collect();
            return Some((step.name.clone(), why.join("; ")));
        }
        let changes = step.changes.as_ref()?;
        let unknown = if step.is_at_goal() { "it carries the goal" } else { "its gain is not known" };
        let gain = step.gain.as_ref().map_or(unknown.to_owned(), bought);
        Some((step.name.clone(), format!("{gain}; {}", changed(changes))))
    };
    result.steps.iter().filter_map(one).collect()
}

/// What one dead machine costs at each step, each with the name of its step; empty if nothing was tried.
pub(super) fn losses(result: &ClimbResult) -> Vec<(String, String)> {
    let said = result.steps.iter().filter_map(|step| Some((step.name.clone(), dead(step)?)));
    said.collect()
}

/// `dead for 18 s, lb costs 18.2 s of service, web-1 3.36 s; db.replica-1 costs nothing`; `None` if nothing was tried.
fn dead(step: &Step) -> Option<String> {
    let down = seconds(step.dead.first()?.down_s);
    // A time below a tenth of a second is that of the requests that were inside.
    let (dear, free): (Vec<&Loss>, Vec<&Loss>) =
        step.dead.iter().partition(|loss| loss.without_service_s >= 0.1);
    let dear = dear.iter().enumerate().map(|(at, Loss { machine, without_service_s, .. })| {
        let time = three(*without_service_s);
        if at == 0 { format!("{machine} costs {time} s of service") } else { format!(", {machine} {time} s") }
    });
    let free: Vec<&str> = free.iter().map(|loss| loss.machine.as_str()).collect();
    let free = match free.as_slice() {
        [] => None,
        [one] => Some(format!("{one} costs nothing")),
        [all @ .., last] => Some(format!("{} and {last} cost nothing", all.join(", "))),
    };
    let said = [Some(dear.collect::<String>()).filter(|dear| !dear.is_empty()), free];
    let said: Vec<String> = said.into_iter().flatten().collect();
    Some(format!("dead for {down}, {}", said.join("; ")))
}

/// `1.43 times the load (95 %: 1.42 to 1.44) for twice the price`.
fn bought(gain: &Gain) -> String {
    let times = |value: f64| format!("{value:.2}");
    let ends = gain
        .interval
        .map_or(String::new(), |(low, high)| format!(" (95 %: {} to {})", times(low), times(high)));
    let price = match gain.price {
        Some(1.0) => " for the same price".to_owned(),
        Some(price) => format!(" for {} times the price", times(price)),
        None => String::new(),
    };
    let at_least = if gain.at_least { "at least " } else { "" };
    format!("{at_least}{} times the load{ends}{price}", times(gain.load))
}

/// `new: server.web; gone: server.box; database.db.instance = "m7i.large"`.
fn changed(changes: &Changes) -> String {
    let list =
        |word: &str, names: &[String]| (!names.is_empty()).then(|| format!("{word} {}", names.join(", ")));
    let parts =
        [list("new", &changes.added), list("gone", &changes.removed), list("changed:", &changes.changed)];
    let said: Vec<String> = parts.into_iter().flatten().collect();
    if said.is_empty() { "nothing is changed".to_owned() } else { said.join("; ") }
}

/// The bars; none if the steps have loads in different units, or no step carries any.
#[must_use]
pub fn charts(result: &ClimbResult) -> Vec<Chart> {
    let rows: Vec<Bar> = result.steps.iter().filter_map(bar).collect();
    let (Some(unit), false) = (result.unit(), rows.is_empty()) else { return Vec::new() };
    let axis = match unit {
        LoadUnit::Users => "users",
        LoadUnit::PerS => "load (requests/s)",
        LoadUnit::Times => "times the scenario's load",
    };
    let title = title(result);
    vec![Chart {
        name: "climb".into(),
        alt: format!("Bars of the load that each step carries. {title}."),
        subtitle: format!("{}; whisker = 95 % confidence interval", about(result)),
        title,
        body: Body::Bars(Bars { axis: Axis::linear(axis, Unit::Count), rows, legend: Vec::new() }),
        table: steps(result),
    }]
}

fn bar(step: &Step) -> Option<Bar> {
    let (value, unit) = carried(step)?;
    let price = step.at()?.cost_usd_per_million.filter(|price| *price > 0.0);
    let mut notes = vec![format!("{}{}", at_least(step), load(value, unit))];
    notes.extend(binds(step));
    notes.extend(price.map(|price| format!("USD {} a million", three(price))));
    Some(Bar {
        label: step.name.clone(),
        parts: vec![(value, 0)],
        interval: step.capacity.low.zip(step.capacity.high),
        note: notes.join(" · "),
    })
}
