//! A comparison as text for the terminal: the designs, their differences from the first in words and figures, and the
//! curves.

pub(super) mod words;

use super::capacity::interval;
use super::chart::plot::Table;
use super::number::{in_unit, number, percent, seconds, signed, time_ms};
use super::summary;
use super::text::{bad, bold, dim, fitted, good, paragraph, unsure};
use crate::experiment::capacity::Found;
use crate::experiment::compare::{CompareResult, DesignResult, Difference};
use crate::experiment::curve::{Curve, CurvePoint, Line};
use crate::experiment::result::{Answer, Bottleneck, Figure};

/// Largest number of characters of a change that stands for its design at the head of a column.
const NAME_MAX: usize = 18;

/// The whole report, at most a hundred columns wide.
#[must_use]
pub fn text(result: &CompareResult) -> String {
    let mut out = heading(result);
    for one in &result.fail_on {
        let word = match one.verdict {
            Answer::Holds => good("holds    "),
            Answer::Fails => bad("FAILS    "),
            Answer::NotShown => unsure("not shown"),
        };
        let change = one
            .change
            .map_or(one.reason.clone().unwrap_or_default(), |change| relative(change, one.half_width));
        out.push_str(&format!("{word}  {} in {}  {change}\n", one.that, one.design));
    }
    if let Some(precision) = &result.precision {
        let word = if precision.reached { good("precise  ") } else { unsure("imprecise") };
        let achieved = precision.achieved.map_or("no interval".into(), percent);
        out.push_str(&format!(
            "{word}  differences of the mean response within {achieved} of the baseline's, asked for {}\n",
            percent(precision.target)
        ));
    }
    out.push_str(&format!("\n{}", printed(&designs(result))));
    for design in &result.designs[1..] {
        out.push_str(&format!("\n{}\n", bold(&format!("{} against {}", design.name, result.baseline))));
        out.push_str(&paragraph("", &words::sentence(result, &design.name)));
        out.push_str(&format!("\n{}", printed(&differences(result, &design.name))));
    }
    if let Some(verdicts) = verdicts(result) {
        out.push_str(&format!("\n{}", printed(&verdicts)));
    }
    out.push_str(&worse(result));
    if let Some(curve) = &result.curve {
        out.push_str(&curves(curve));
    }
    let mark = "warning: ";
    let painted = |warning: &String| paragraph(mark, warning).replacen(mark, &unsure(mark), 1);
    let warnings: String = result.warnings.iter().map(painted).collect();
    if !warnings.is_empty() {
        out.push_str(&format!("\n{warnings}"));
    }
    out
}

/// Why the worst of the designs is as it is, and what to try there; empty if none is worse than another.
fn worse(result: &CompareResult) -> String {
    let Some(design) = result.worst().map(|at| &result.designs[at]) else { return String::new() };
    let why = design.why.first().map(|why| paragraph(&format!("why {}: ", design.name), why));
    let next = design.next.as_ref().map(|next| paragraph("next: ", next));
    let lines: String = why.into_iter().chain(tried(design)).chain(next).collect();
    if lines.is_empty() { lines } else { format!("\n{lines}") }
}

/// What was tried for a design, one line each.
pub(super) fn tried(design: &DesignResult) -> Vec<String> {
    let p99_s = design.figures.get("p99(response)").and_then(|figure| figure.mean);
    summary::tried(&design.tried, p99_s.map(|p99_s| p99_s * 1e3))
}

fn heading(result: &CompareResult) -> String {
    let names: Vec<&str> = result.designs.iter().map(|design| design.name.as_str()).collect();
    let customers =
        if result.paired { "the same customers in each" } else { "not the same customers in each" };
    let run = format!(
        "{} trials of {} after a warm-up of {}, seed {}; {customers}",
        result.trials,
        seconds(result.duration_s),
        seconds(result.warmup_s),
        result.seed,
    );
    let mut out = format!("{}\n{}\n", bold(&names.join(", ")), dim(paragraph("", &run).trim_end()));
    if !result.complete {
        out.push_str(&format!("{}\n", unsure("incomplete: the figures cover only the part that ran")));
    }
    out
}

/// The designs as a table.
pub(super) fn designs(result: &CompareResult) -> Table {
    let row = |design: &DesignResult| {
        let metric = |name: &str, unit: &str| {
            design.figures.get(name).map_or(String::new(), |figure| shown(figure, unit))
        };
        let response = |name: &str| if design.steady { metric(name, "s") } else { "no steady state".into() };
        let alone = |name: &str, unit: &str| {
            let mean = design.figures.get(name).and_then(|figure| figure.mean);
            mean.map_or(String::new(), |mean| in_unit(mean, None, unit))
        };
        vec![
            short(&design.name, &result.baseline),
            alone("throughput", "per_s"),
            response("mean(response)"),
            response("p99(response)"),
            alone("error_rate", "share"),
            money(&design.cost_usd_per_hour),
            money(&design.cost_usd_per_million),
            binds(design.bottleneck.as_ref()),
        ]
    };
    let rows: Vec<Vec<String>> = result.designs.iter().map(row).collect();
    let header = ["design", "answered", "mean", "p99", "errors", "USD/h", "USD/million", "binds"];
    Table::new(header, rows)
}

/// The differences of a design from the baseline, as a table.
pub(super) fn differences(result: &CompareResult, design: &str) -> Table {
    let row = |one: &Difference| {
        let value = |figure: &Figure| figure.mean.map_or(String::new(), |mean| in_unit(mean, None, one.unit));
        vec![
            one.metric.clone(),
            value(&one.baseline),
            value(&one.value),
            shown(&one.difference, one.unit),
            one.verdict.words().to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> =
        result.differences.iter().filter(|one| one.design == design).map(row).collect();
    let header = ["metric", &result.baseline, &short(design, &result.baseline), "difference", "verdict"];
    Table::new(header, rows)
}

/// A name without what it has in common with the baseline: `… web.count=8`, or only `…=semi-sync` if that is too long.
fn short(design: &str, baseline: &str) -> String {
    let stem = baseline.split(' ').next().unwrap_or_default();
    let rest = design.strip_prefix(stem).and_then(|rest| rest.strip_prefix(' '));
    match (rest, design.rsplit_once('=')) {
        (Some(rest), Some((_, value))) if rest.chars().count() > NAME_MAX => format!("…={value}"),
        (Some(rest), _) => format!("… {rest}"),
        (None, _) => design.to_owned(),
    }
}

/// What each design makes of the goals, one a row; `None` without any.
pub(super) fn verdicts(result: &CompareResult) -> Option<Table> {
    let mut all: Vec<String> = Vec::new();
    for verdict in result.designs.iter().flat_map(|design| &design.expect) {
        let demand = verdict.demand();
        if !all.contains(&demand) {
            all.push(demand);
        }
    }
    let cell = |design: &DesignResult, that: &str| {
        let verdict = design.expect.iter().find(|verdict| verdict.demand() == that);
        verdict.map_or(String::new(), |verdict| {
            let word = match verdict.verdict {
                Answer::Holds => "holds",
                Answer::Fails => "FAILS",
                Answer::NotShown => "not shown",
            };
            let value = verdict.value.map_or(String::new(), |value| in_unit(value, None, verdict.unit));
            format!("{word} {value}").trim_end().to_owned()
        })
    };
    let row = |that: &String| {
        let cells = result.designs.iter().map(|design| cell(design, that));
        std::iter::once(that.clone()).chain(cells).collect()
    };
    let names = result.designs.iter().map(|design| short(&design.name, &result.baseline));
    let header = std::iter::once("goal".to_owned()).chain(names);
    (!all.is_empty()).then(|| Table::new(header, all.iter().map(row).collect()))
}

fn curves(curve: &Curve) -> String {
    let shown = |(name, table): (String, Table)| format!("\n{}\n{}", bold(&name), printed(&table));
    curve_tables(curve).into_iter().map(shown).collect()
}

/// One table for each line of the curve, with its name.
pub(super) fn curve_tables(curve: &Curve) -> Vec<(String, Table)> {
    let of = |line: &Line| {
        let value = |at: usize| &line.points[at].value;
        let knee = line
            .knee
            .map_or(String::new(), |at| format!(", knee between {} and {}", value(at - 1), value(at + 1)));
        let table =
            if curve.slo.is_empty() { measured(line) } else { at_capacity(line, &curve.slo.join(", ")) };
        (format!("{} over {}{knee}", line.design, line.key), table)
    };
    curve.lines.iter().map(of).collect()
}

fn printed(of: &Table) -> String {
    let header: Vec<&str> = of.header.iter().map(String::as_str).collect();
    fitted(
        &header,
        1,
        &of.rows,
        &["USD/million", "USD/h", "answered", "answered there", "mean", "difference"],
    )
}

fn measured(line: &Line) -> Table {
    let row = |(at, point): (usize, &CurvePoint)| {
        let of = |show: fn(&Figure) -> String, figure: Option<&Figure>| figure.map_or(String::new(), show);
        let figures = point.at.as_ref();
        let times = figures.filter(|figures| figures.times_are_steady());
        let time = |figure: Option<&Figure>| match (figures, figure) {
            (Some(known), _) if !known.times_are_steady() => "no steady state".to_owned(),
            _ => of(|figure| shown(figure, "ms"), figure),
        };
        vec![
            format!("{}{}", point.value, if line.knee == Some(at) { " <- near the knee" } else { "" }),
            of(|figure| shown(figure, "per_s"), figures.map(|figures| &figures.throughput_rps)),
            time(times.map(|figures| &figures.mean_ms)),
            time(times.map(|figures| &figures.p99_ms)),
            cost(figures.and_then(|figures| figures.cost_usd_per_hour)),
            cost(figures.and_then(|figures| figures.cost_usd_per_million)),
            binds(figures.and_then(|figures| figures.bottleneck.as_ref())),
        ]
    };
    let rows: Vec<Vec<String>> = line.points.iter().enumerate().map(row).collect();
    Table::new(["value", "answered", "mean", "p99", "USD/h", "USD/million", "binds"], rows)
}

fn at_capacity(line: &Line, slo: &str) -> Table {
    let row = |point: &CurvePoint| {
        let figures = point.at.as_ref();
        let load = point.capacity.as_ref().map_or(String::new(), |found| match found.verdict {
            Found::Found => interval(found),
            Found::MetAtEveryLoad | Found::MetAtTheGoal => "no limit found".into(),
            Found::NeverMet => "never met".into(),
            Found::NotMeasured => "not measured".into(),
        });
        vec![
            point.value.clone(),
            cost(figures.and_then(|figures| figures.cost_usd_per_hour)),
            load,
            figures.map_or(String::new(), |figures| shown(&figures.throughput_rps, "per_s")),
            cost(figures.and_then(|figures| figures.cost_usd_per_million)),
            binds(figures.and_then(|figures| figures.bottleneck.as_ref())),
        ]
    };
    let rows: Vec<Vec<String>> = line.points.iter().map(row).collect();
    let under = format!("load with {slo}");
    Table::new(["value", "USD/h", &under, "answered there", "USD/million", "binds"], rows)
}

fn binds(bottleneck: Option<&Bottleneck>) -> String {
    bottleneck.map_or(String::new(), |one| {
        format!("{} {} {:.0} %", one.component, one.resource, 100.0 * one.utilisation)
    })
}

fn relative(change: f64, half_width: Option<f64>) -> String {
    let half = half_width.map_or(String::new(), |half| format!(" ± {:.1}", 100.0 * half));
    format!("{}{half} %", signed(change))
}

fn money(figure: &Figure) -> String {
    cost(figure.mean)
}

fn cost(usd: Option<f64>) -> String {
    usd.filter(|usd| *usd > 0.0).map_or(String::new(), number)
}

fn shown(figure: &Figure, unit: &str) -> String {
    let Some(mean) = figure.mean else { return String::new() };
    match unit {
        "ms" => time_ms(mean, figure.half_width),
        _ => in_unit(mean, figure.half_width, unit),
    }
}
