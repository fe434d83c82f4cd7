//! A capacity as text for the terminal: the answer first, then the bottleneck, what becomes of higher loads, and the
//! simulated loads.

use super::chart::plot::Table;
use super::number::{estimate, in_unit, number, percent, seconds, time_ms};
use super::text::{bad, bold, dim, fitted, good, paragraph, unsure};
use crate::experiment::capacity::{CapacityResult, Condition, Found, LoadUnit, Point};
use crate::experiment::result::Figure;

/// The whole report, at most a hundred columns wide.
#[must_use]
pub fn text(result: &CapacityResult) -> String {
    let mut out = format!("{}\n", bold(&result.scenario.title));
    let run = format!(
        "up to {} trials of {} after a warm-up of {}, seed {}, at {} loads",
        result.trials,
        seconds(result.duration_s),
        seconds(result.warmup_s),
        result.seed,
        result.points.len(),
    );
    out.push_str(&format!("{}\n\n", dim(paragraph("", &run).trim_end())));
    if !result.complete {
        out.push_str(&format!("{}\n", unsure("interrupted: the figures cover only the part that ran")));
    }
    for (at, (label, text)) in facts(result).into_iter().enumerate() {
        let first = format!("{:<10}", format!("{label}:"));
        // The answer comes first; its colour says how the search ended.
        let colour = match result.verdict {
            Found::Found | Found::MetAtTheGoal => good,
            Found::MetAtEveryLoad | Found::NotMeasured => unsure,
            Found::NeverMet => bad,
        };
        let lines = paragraph(&first, &text);
        let label = format!("{label}:");
        out.push_str(&if at == 0 { lines.replacen(&label, &colour(&label), 1) } else { lines });
    }
    out.push('\n');
    let Table { header, rows } = points(result);
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    out.push_str(&fitted(&header, 1, &rows, &["trials", "goodput/s", "mean"]));
    out
}

/// The findings as pairs of a label and a sentence; the answer is the first.
pub(super) fn facts(result: &CapacityResult) -> Vec<(&'static str, String)> {
    let mut facts = vec![answer(result)];
    facts.extend(result.at.iter().flat_map(|at| at_the_capacity(at, result.load.unit)));
    facts.extend(beyond(result));
    facts.extend(result.warnings.iter().map(|warning| ("warning", warning.clone())));
    facts.extend(result.notes.iter().map(|note| ("note", note.clone())));
    facts
}

/// A load with its unit, as text.
pub(super) fn load(load: f64, unit: LoadUnit) -> String {
    match unit {
        LoadUnit::Users if load == 1.0 => "1 user".into(),
        LoadUnit::Users => format!("{} users", number(load)),
        LoadUnit::PerS => format!("{}/s", number(load)),
        LoadUnit::Times => format!("{} times the load", number(load)),
    }
}

/// The interval of the capacity: "83.2 to 85.9/s".
pub(super) fn interval(result: &CapacityResult) -> String {
    let unit = result.load.unit;
    match (result.low, result.high) {
        (Some(low), Some(high)) => format!("{} to {}", number(low), load(high, unit)),
        (None, Some(high)) => format!("up to {}", load(high, unit)),
        (Some(low), None) => format!("from {}", load(low, unit)),
        (None, None) => "no interval".into(),
    }
}

fn answer(result: &CapacityResult) -> (&'static str, String) {
    let (slo, unit) = (result.slo.join(", "), result.load.unit);
    let key = &result.load.key;
    match (result.verdict, result.estimate) {
        (Found::Found, Some(found)) => {
            let text = format!(
                "{slo} holds up to {} ({key}), 95 % interval {}",
                load(found, unit),
                interval(result)
            );
            let binding = result.binding.as_ref().filter(|_| result.slo.len() > 1);
            let why = match (&result.grows, binding) {
                (Some(grows), _) => format!("; above it {grows}"),
                (None, Some(part)) => format!("; {part} is missed first"),
                (None, None) => String::new(),
            };
            ("capacity", text + &why)
        }
        (Found::MetAtEveryLoad, _) => {
            ("no limit", format!("{slo} holds at every load, up to {} ({key})", load(result.tried_to, unit)))
        }
        (Found::MetAtTheGoal, _) => (
            "goal",
            format!("{slo} holds at {} ({key}), and nothing above was tried", load(result.tried_to, unit)),
        ),
        (Found::NeverMet, _) => {
            let lowest = result.points.first().map_or(String::new(), |point| {
                let error = 1.0 - point.availability.mean.unwrap_or(1.0);
                let p99 =
                    point.p99_ms.mean.map_or(String::new(), |p99| format!(", p99 {}", time_ms(p99, None)));
                format!("{}: {} errors{p99}", load(point.load, unit), percent(error))
            });
            let part = result.binding.as_deref().unwrap_or(&slo);
            ("never", format!("{part} holds at no load, not even at {lowest}"))
        }
        _ => ("unknown", format!("the trials do not show whether {slo} holds")),
    }
}

fn at_the_capacity(at: &Point, unit: LoadUnit) -> Vec<(&'static str, String)> {
    let mut parts = vec![format!("{}/s answered", figure(&at.throughput_rps))];
    parts.extend(at.mean_ms.mean.map(|mean| format!("mean {}", time_ms(mean, at.mean_ms.half_width))));
    parts.extend(at.p99_ms.mean.map(|p99| format!("p99 {}", time_ms(p99, at.p99_ms.half_width))));
    parts.extend(
        at.cost_usd_per_hour.filter(|cost| *cost > 0.0).map(|cost| format!("USD {} an hour", number(cost))),
    );
    parts.extend(
        at.cost_usd_per_million
            .filter(|cost| *cost > 0.0)
            .map(|cost| format!("USD {} per million requests", number(cost))),
    );
    let mut facts = vec![("there", format!("at {}: {}", load(at.load, unit), parts.join(", ")))];
    facts.extend(at.bottleneck.as_ref().map(|binds| {
        let used = percent(binds.utilisation);
        ("binds", format!("the {} of `{}`, {used} used", binds.resource, binds.component))
    }));
    facts
}

/// What becomes of a load above the answer.
fn beyond(result: &CapacityResult) -> Option<(&'static str, String)> {
    if result.verdict != Found::Found {
        return None;
    }
    let unit = result.load.unit;
    if let Some(found) = &result.collapse {
        let place = format!("from between {} and {} on", number(found.low), load(found.high, unit));
        return Some(match found.how {
            "goodput falls" => ("collapse", format!("goodput falls as the load grows, {place}")),
            "lag grows" => ("beyond", format!("{place} the lag of the replicas grows without end")),
            _ => ("beyond", format!("{place} a queue grows without end")),
        });
    }
    let last = result.points.last().filter(|last| Some(last.load) > result.estimate)?;
    let failed = 1.0 - last.availability.mean.unwrap_or(1.0);
    let rest = match last.fails {
        Some(how) if failed > 0.0 => format!("{} of the requests {how}", percent(failed)),
        _ => "no request fails".into(),
    };
    let at = load(last.load, unit);
    Some(("beyond", format!("at {at} goodput is {}/s, and {rest}", figure(&last.goodput_rps))))
}

fn figure(figure: &Figure) -> String {
    figure.mean.map_or(String::new(), |mean| estimate(mean, figure.half_width))
}

/// A part of an objective as the head of a column: `p99 < 300ms`.
fn head(part: &str) -> String {
    part.replace("(response)", "").replace("error_rate", "errors")
}

/// The simulated loads, one a row: what each part of the objective is there, marked where it is missed.
pub(super) fn points(result: &CapacityResult) -> Table {
    let all = &result.points;
    let failed = |point: &Point| 1.0 - point.availability.mean.unwrap_or(1.0);
    let has = |part: &str| result.slo.iter().any(|known| known.starts_with(part));
    let errors = !has("error_rate ") && !has("availability ") && all.iter().any(|point| failed(point) > 0.0);
    let (mean, p99) = (!has("mean(response) "), !has("p99(response) "));
    let remarks = all.iter().any(|point| remark(point).is_some());
    let mut header = vec!["load".to_owned()];
    header.extend(result.slo.iter().map(|part| head(part)));
    let others = [(errors, "errors"), (true, "goodput/s"), (mean, "mean"), (p99, "p99"), (true, "trials")];
    header.extend(others.iter().filter(|(shown, _)| *shown).map(|(_, name)| (*name).to_owned()));
    header.extend(remarks.then(|| "remark".to_owned()));
    let row = |point: &Point| {
        let steady = point.times_are_steady();
        let time = |figure: &Figure| {
            let known = figure.mean.filter(|_| steady);
            known.map_or(String::new(), |mean| time_ms(mean, figure.half_width))
        };
        let mut row = vec![load(point.load, result.load.unit)];
        let parts = point.conditions.iter().zip(&result.slo);
        row.extend(
            parts
                .map(|(part, that)| if steady || !is_a_time(that) { condition(part) } else { String::new() }),
        );
        let others = [
            (errors, percent(failed(point))),
            (true, figure(&point.goodput_rps)),
            (mean, time(&point.mean_ms)),
            (p99, time(&point.p99_ms)),
            (true, point.trials.to_string()),
        ];
        row.extend(others.into_iter().filter(|(shown, _)| *shown).map(|(_, cell)| cell));
        row.extend(remarks.then(|| remark(point).unwrap_or_default().to_owned()));
        row
    };
    Table::new(header, all.iter().map(row).collect())
}

/// Whether a part of an objective is about response times.
fn is_a_time(part: &str) -> bool {
    part.contains("(response")
}

/// What a part of the objective is, with a mark where it is missed.
fn condition(part: &Condition) -> String {
    let Some(mean) = part.value.mean else { return String::new() };
    let shown = in_unit(mean, part.value.half_width, part.unit);
    if part.met == Some(false) { format!("✗ {shown}") } else { shown }
}

/// Why a load meets no objective, if not by its figures.
fn remark(point: &Point) -> Option<&'static str> {
    match point.throughput_rps.mean {
        _ if point.lag_growth.is_some() => Some("lag grows"),
        _ if !point.steady => Some("queue grows"),
        None | Some(0.0) => Some("nobody served"),
        Some(_) if point.conditions.iter().any(|part| part.met.is_none()) => Some("too little measured"),
        Some(_) => None,
    }
}
