//! A capacity as text for the terminal: the answer first, then the bottleneck, the load at which the system collapses,
//! and the simulated loads.

use super::chart::plot::Table;
use super::number::{estimate, number, percent, seconds, signed, time_ms};
use super::text::{bad, bold, dim, good, paragraph, table, unsure};
use crate::experiment::capacity::{CapacityResult, Found, LoadUnit, Point};

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
    out.push_str(&format!("{}\n\n", dim(&run)));
    if !result.complete {
        out.push_str(&format!("{}\n", unsure("interrupted: the figures cover only the part that ran")));
    }
    for (at, (label, text)) in facts(result).into_iter().enumerate() {
        let first = format!("{:<10}", format!("{label}:"));
        // The answer comes first; its colour says how the search ended.
        let colour = match result.verdict {
            Found::Found => good,
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
    out.push_str(&table(&header, 1, &rows));
    out
}

/// The findings as pairs of a label and a sentence; the answer is the first.
pub(super) fn facts(result: &CapacityResult) -> Vec<(&'static str, String)> {
    let mut facts = vec![answer(result)];
    facts.extend(result.at.iter().flat_map(|at| at_the_capacity(at, result.load.unit)));
    facts.extend(collapse(result));
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
            let binding = binding.map_or(String::new(), |part| format!("; {part} is missed first"));
            ("capacity", text + &binding)
        }
        (Found::MetAtEveryLoad, _) => {
            ("no limit", format!("{slo} holds at every load, up to {} ({key})", load(result.tried_to, unit)))
        }
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

fn collapse(result: &CapacityResult) -> Option<(&'static str, String)> {
    if result.verdict != Found::Found {
        return None;
    }
    let unit = result.load.unit;
    let text = match &result.collapse {
        Some(found) => {
            let what = match found.how {
                "goodput falls" => "goodput falls as the load grows",
                how => how,
            };
            format!("{what}, from between {} and {} on", number(found.low), load(found.high, unit))
        }
        None => format!(
            "none up to {}: goodput does not fall, and every load has a steady state",
            load(result.tried_to, unit)
        ),
    };
    Some(("collapse", text))
}

fn figure(figure: &crate::experiment::result::Figure) -> String {
    figure.mean.map_or(String::new(), |mean| estimate(mean, figure.half_width))
}

/// The simulated loads, one a row.
pub(super) fn points(result: &CapacityResult) -> Table {
    let row = |point: &Point| {
        let beyond = match point.throughput_rps.mean {
            _ if !point.steady => "no steady state",
            None | Some(0.0) => "nobody served",
            Some(_) => "not shown",
        };
        let margin = point.margin.map_or(beyond.to_owned(), |margin| format!("{} %", signed(margin)));
        let time = |figure: &crate::experiment::result::Figure| {
            let known = figure.mean.filter(|_| point.steady);
            known.map_or(String::new(), |mean| time_ms(mean, figure.half_width))
        };
        vec![
            load(point.load, result.load.unit),
            margin,
            figure(&point.goodput_rps),
            time(&point.mean_ms),
            time(&point.p99_ms),
            point.trials.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = result.points.iter().map(row).collect();
    let header = ["load", "from the limit", "goodput/s", "mean", "p99", "trials"];
    Table::new(header, rows)
}
