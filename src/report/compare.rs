//! A comparison as text for the terminal: the designs, their differences from the first, and the curves.

use super::capacity::interval;
use super::chart::plot::Table;
use super::number::{estimate, number, percent, seconds, share, signed, time_ms};
use super::text::{bad, bold, dim, good, paragraph, table, unsure};
use crate::experiment::capacity::Found;
use crate::experiment::compare::{CompareResult, DesignResult, Difference, Shown};
use crate::experiment::curve::{Curve, CurvePoint, Line};
use crate::experiment::result::{Answer, Bottleneck, Figure};

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
        out.push_str(&printed(&differences(result, &design.name)));
    }
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
    let mut out = format!("{}\n{}\n", bold(&names.join(", ")), dim(&run));
    if !result.complete {
        out.push_str(&format!("{}\n", unsure("incomplete: the figures cover only the part that ran")));
    }
    out
}

/// The designs as a table.
pub(super) fn designs(result: &CompareResult) -> Table {
    let row = |design: &DesignResult| {
        let metric = |name: &str, unit: &str| {
            design.metrics.get(name).map_or(String::new(), |figure| shown(figure, unit))
        };
        let response = |name: &str| if design.steady { metric(name, "s") } else { "no steady state".into() };
        vec![
            design.name.clone(),
            metric("throughput", "per_s"),
            response("mean(response)"),
            response("p99(response)"),
            metric("error_rate", "share"),
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
        let verdict = match one.verdict {
            Shown::Lower => "lower",
            Shown::Higher => "higher",
            Shown::Same => "the same",
            Shown::NoDifference => "no difference shown",
        };
        let change = one.relative.map_or(String::new(), |change| format!("{} %", signed(change)));
        let p = one.p_holm.filter(|_| one.verdict != Shown::Same);
        vec![
            one.metric.clone(),
            shown(&one.difference, one.unit),
            change,
            p.map_or(String::new(), |p| if p < 0.001 { "< 0.001".into() } else { format!("{p:.3}") }),
            verdict.to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> =
        result.differences.iter().filter(|one| one.design == design).map(row).collect();
    Table::new(["metric", "difference", "change", "p (Holm)", "verdict"], rows)
}

fn curves(curve: &Curve) -> String {
    let shown = |(name, table): (String, Table)| format!("\n{}\n{}", bold(&name), printed(&table));
    curve_tables(curve).into_iter().map(shown).collect()
}

/// One table for each line of the curve, with its name.
pub(super) fn curve_tables(curve: &Curve) -> Vec<(String, Table)> {
    let of = |line: &Line| {
        let knee = line.knee.map_or(String::new(), |at| format!(", knee at {}", line.points[at].value));
        let table =
            if curve.slo.is_empty() { measured(line) } else { at_capacity(line, &curve.slo.join(", ")) };
        (format!("{} over {}{knee}", line.design, line.key), table)
    };
    curve.lines.iter().map(of).collect()
}

fn printed(of: &Table) -> String {
    let header: Vec<&str> = of.header.iter().map(String::as_str).collect();
    table(&header, 1, &of.rows)
}

fn measured(line: &Line) -> Table {
    let row = |(at, point): (usize, &CurvePoint)| {
        let of = |show: fn(&Figure) -> String, figure: Option<&Figure>| figure.map_or(String::new(), show);
        let figures = point.at.as_ref();
        let times = figures.filter(|figures| figures.steady);
        let time = |figure: Option<&Figure>| match (figures, figure) {
            (Some(known), _) if !known.steady => "no steady state".to_owned(),
            _ => of(|figure| shown(figure, "ms"), figure),
        };
        vec![
            format!("{}{}", point.value, if line.knee == Some(at) { " <- knee" } else { "" }),
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
            Found::MetAtEveryLoad => "no limit found".into(),
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
        "s" => time_ms(mean * 1e3, figure.half_width.map(|half| half * 1e3)),
        "ms" => time_ms(mean, figure.half_width),
        "share" => share(mean, figure.half_width),
        "per_s" => estimate(mean, figure.half_width) + "/s",
        "usd" => format!("USD {}", estimate(mean, figure.half_width)),
        _ => estimate(mean, figure.half_width),
    }
}
