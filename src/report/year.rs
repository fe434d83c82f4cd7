//! A year of faults as text for the terminal: what a design costs its users, and what eats its availability. And as a chart: a bar
//! for each cause, or for each design.

use super::chart::plot::{Axis, Bar, Bars, Body, Chart, Table, Unit};
use super::number::{number, percent};
use super::text::{bad, bold, dim, fitted, good, paragraph, unsure};
use crate::experiment::year::result::{Budget, Cause, Kept, Rates, Span, YearResult};

/// Share of what is lost below which a cause is one of the others.
const SMALL: f64 = 0.0005;

/// The whole report on some designs, at most a hundred columns wide.
#[must_use]
pub fn text(results: &[YearResult]) -> String {
    let mut out: Vec<String> = results.iter().map(one).collect();
    if results.len() > 1 {
        let Table { header, rows } = designs(results);
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        let mut all =
            format!("{}\n\n{}", bold(&title(results)), fitted(&header, 1, &rows, &["USD/h", "lost writes"]));
        all.push('\n');
        for sentence in differences(results) {
            all.push_str(&paragraph("", &sentence));
        }
        out.push(all);
    }
    out.join("\n")
}

/// `A year of Everything on one box`, or of several designs.
pub(super) fn title(results: &[YearResult]) -> String {
    match results {
        [only] => format!("A year of {}", only.scenario.title),
        _ => format!("A year of {} designs", results.len()),
    }
}

fn one(result: &YearResult) -> String {
    let mut out = format!(
        "{}\n{}\n",
        bold(&title(std::slice::from_ref(result))),
        dim(paragraph("", &about(result)).trim_end())
    );
    if !result.complete {
        out.push_str(&format!("{}\n", unsure("interrupted: the figures rest on what had been simulated")));
    }
    out.push('\n');
    let rows = facts(result);
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 2;
    for (name, value) in rows {
        out.push_str(&format!("{name:width$}{value}\n"));
    }
    if let Some(budget) = &result.budget {
        let (word, colour): (&str, fn(&str) -> String) = match budget.verdict {
            Kept::Holds => ("holds", good),
            Kept::Fails => ("fails", bad),
            Kept::NotShown => ("not shown", unsure),
        };
        out.push_str(&format!("{:width$}{}\n", "budget", spent(budget)));
        out.push_str(&format!("{:width$}{}\n", "", colour(word)));
    }
    out.push('\n');
    let Table { header, rows } = causes(result);
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    out.push_str(&fitted(&header, 1, &rows, &["writes", "repair"]));
    for note in notes(result) {
        out.push_str(&paragraph("", &note));
    }
    out
}

/// How the year was composed.
pub(super) fn about(result: &YearResult) -> String {
    let composed = &result.composed;
    format!(
        "{}; {} years of them drawn, {} episodes simulated, seed {}",
        from(result),
        number(libm::round(composed.years)),
        number(composed.episodes as f64),
        result.seed
    )
}

/// How the years of all designs were composed.
pub(super) fn about_all(results: &[YearResult]) -> String {
    match results {
        [] => String::new(),
        [only] => about(only),
        [first, ..] => format!("{}, seed {}", from(first), first.seed),
    }
}

/// Where the rates come from.
fn from(result: &YearResult) -> &'static str {
    match result.rates {
        Rates::Scenario => "faults as often as the scenario says",
        Rates::Catalogue => "faults as often as the catalogue says (docs/year.md)",
    }
}

/// The figures of a year, each with its name.
pub(super) fn facts(result: &YearResult) -> Vec<(String, String)> {
    let mut rows = vec![
        ("availability".to_owned(), {
            let ends = result.availability;
            format!(
                "{} (95 %: {} to {}), {} nines",
                percent(ends.value),
                percent(ends.low),
                percent(ends.high),
                nines(result)
            )
        }),
        (
            "without service".to_owned(),
            format!("{} a year{}", time(result.without_service_s.value), ends(result.without_service_s)),
        ),
        (
            "failed requests".to_owned(),
            format!(
                "{} of {} a year",
                number(libm::round(result.failed_requests)),
                number(libm::round(result.requests))
            ),
        ),
    ];
    if let Some(lost) = result.lost_writes {
        let ends = format!(" (95 %: {} to {})", count(lost.low), count(lost.high));
        let ends = if lost.high > 0.0 { ends } else { String::new() };
        rows.push(("lost writes".to_owned(), format!("{} a year{ends}", count(lost.value))));
    }
    if let Some(cost) = result.cost_usd_per_hour {
        rows.push(("costs".to_owned(), format!("USD {}/h", number(cost))));
    }
    rows
}

fn ends(span: Span) -> String {
    format!(" (95 %: {})", between(span))
}

/// The ends of an interval in one unit: `33.2 to 38.4 min`.
fn between(span: Span) -> String {
    let (unit, name) = match span.high {
        short if short < 120.0 => (1.0, "s"),
        some if some < 7200.0 => (60.0, "min"),
        hours if hours < 172_800.0 => (3600.0, "h"),
        _ => (86_400.0, "d"),
    };
    // Two digits of what is between the ends, and no more than three behind the point.
    let width = ((span.high - span.low) / unit).max(1e-9);
    let places = (1.0 - libm::floor(libm::log10(width))).clamp(0.0, 3.0);
    let scale = libm::pow(10.0, places);
    let digits = |value: f64| number(libm::round(value / unit * scale) / scale);
    format!("{} to {} {name}", digits(span.low), digits(span.high))
}

/// A number of writes: those of a century count in tenths.
fn count(value: f64) -> String {
    if value >= 10.0 { number(libm::round(value)) } else { number(libm::round(value * 100.0) / 100.0) }
}

fn nines(result: &YearResult) -> String {
    if result.nines.value.is_finite() {
        format!("{:.1}", libm::floor(result.nines.value * 10.0) / 10.0)
    } else {
        format!("more than {:.1}", libm::floor(result.nines.low * 10.0) / 10.0)
    }
}

/// `8 h 46 min a year are allowed, 29 % of them used (95 %: 27 to 31 %)`.
pub(super) fn spent(budget: &Budget) -> String {
    format!(
        "{} allows {} a year; used: {} of it (95 %: {} to {})",
        percent(budget.slo),
        time(budget.allowed_s),
        percent_of(budget.used.value),
        percent_of(budget.used.low),
        percent_of(budget.used.high),
    )
}

/// A share of a budget, which may be above 1.
fn percent_of(share: f64) -> String {
    format!("{} %", number(libm::round(share * 1000.0) / 10.0))
}

/// What eats the availability, a cause a row.
pub(super) fn causes(result: &YearResult) -> Table {
    let has_data = result.lost_writes.is_some();
    let mut header = vec!["what eats it", "times", "repair", "lost a year", "95 % interval"];
    header.extend(has_data.then_some("writes"));
    header.push("share");
    let row = |cause: &Cause| {
        let span = cause.without_service_s;
        let mut row = vec![
            cause.cause.clone(),
            cause.times.map_or(String::new(), rounded),
            cause.repair_s.map_or(String::new(), time),
            time(span.value),
            between(span),
        ];
        row.extend(
            has_data.then(|| if cause.lost_writes > 0.0 { count(cause.lost_writes) } else { String::new() }),
        );
        row.push(if cause.share > 0.0 { percent(rough(cause.share)) } else { String::new() });
        row
    };
    let all = result.without_service_s.value;
    let matters = |cause: &&Cause| {
        cause.share >= SMALL || cause.lost_writes >= 0.005 || cause.without_service_s.high >= 0.01 * all
    };
    let (shown, others): (Vec<&Cause>, Vec<&Cause>) = result.causes.iter().partition(matters);
    let shown = if shown.is_empty() { result.causes.iter().collect() } else { shown };
    let mut rows: Vec<Vec<String>> = shown.into_iter().map(row).collect();
    if !others.is_empty() && rows.len() < result.causes.len() {
        let all = others.iter().map(|cause| cause.without_service_s.value).sum();
        let mut rest = vec![
            format!("{} other{}", others.len(), if others.len() == 1 { "" } else { "s" }),
            String::new(),
            String::new(),
            time(all),
        ];
        rest.resize(header.len(), String::new());
        rows.push(rest);
    }
    Table::new(header, rows)
}

/// A share in whole per cent, or one digit below one per cent.
fn rough(share: f64) -> f64 {
    if share >= 0.01 { libm::round(share * 100.0) / 100.0 } else { libm::round(share * 1000.0) / 1000.0 }
}

/// A rate with two or three digits.
fn rounded(value: f64) -> String {
    let digits = if value >= 10.0 { 1.0 } else { 100.0 };
    number(libm::round(value * digits) / digits)
}

/// What a reader should know, as sentences.
pub(super) fn notes(result: &YearResult) -> Vec<String> {
    let mut notes: Vec<String> = result.notes.iter().map(|note| format!("note: {note}")).collect();
    let rest = result.composed.rest_s;
    if rest > 0.0 && rest >= 0.001 * result.without_service_s.value {
        notes.push(format!(
            "the upper ends contain {} a year for episodes that were not simulated",
            time(rest)
        ));
    }
    notes
}

/// The designs, one a row.
pub(super) fn designs(results: &[YearResult]) -> Table {
    let has_data = results.iter().any(|result| result.lost_writes.is_some());
    let mut header = vec!["design", "availability", "nines", "without service", "95 % interval"];
    header.extend(has_data.then_some("lost writes"));
    header.extend(["USD/h", "eaten most by"]);
    let row = |result: &YearResult| {
        let span = result.without_service_s;
        let worst = result.causes.first();
        let mut row = vec![
            result.design.clone(),
            percent(result.availability.value),
            nines(result),
            time(span.value),
            between(span),
        ];
        row.extend(has_data.then(|| result.lost_writes.map_or(String::new(), |lost| count(lost.value))));
        row.push(result.cost_usd_per_hour.map_or(String::new(), number));
        row.push(
            worst.map_or(String::new(), |worst| format!("{} {}", worst.cause, percent(rough(worst.share)))),
        );
        row
    };
    Table::new(header, results.iter().map(row).collect())
}

/// What each design but the first changes in the one before it.
pub(super) fn differences(results: &[YearResult]) -> Vec<String> {
    let one = |pair: &[YearResult]| {
        let [before, after] = [&pair[0], &pair[1]];
        let Span { value: change, low, high } = after.change.as_ref()?.without_service_s;
        let price = match (before.cost_usd_per_hour, after.cost_usd_per_hour) {
            (Some(a), Some(b)) if a != b => {
                format!(", for USD {} an hour {}", number((b - a).abs()), if b > a { "more" } else { "less" })
            }
            _ => String::new(),
        };
        let said = match (low > 0.0, high < 0.0) {
            (false, true) => {
                let less = Span { value: -change, low: -high, high: -low };
                format!("{} a year less without service (95 %: {})", time(less.value), between(less))
            }
            (true, false) => {
                let more = Span { value: change, low, high };
                format!("{} a year more without service (95 %: {})", time(more.value), between(more))
            }
            _ => "a difference is not shown".to_owned(),
        };
        Some(format!("{} against {}: {said}{price}", after.design, before.design))
    };
    results.windows(2).filter_map(one).collect()
}

/// A time with two units at most: `8 h 46 min`, `2 min 31 s`, `12.3 s`.
fn time(seconds: f64) -> String {
    let two = |large: f64, small: f64, names: [&str; 2]| {
        let all = libm::round(seconds / small) * small;
        let (first, rest) = (libm::floor(all / large), libm::round(all % large / small));
        let rest = if rest > 0.0 { format!(" {rest} {}", names[1]) } else { String::new() };
        format!("{first} {}{rest}", names[0])
    };
    match seconds {
        _ if seconds >= 86_400.0 => two(86_400.0, 3600.0, ["d", "h"]),
        _ if seconds >= 3600.0 => two(3600.0, 60.0, ["h", "min"]),
        _ if seconds >= 60.0 => two(60.0, 1.0, ["min", "s"]),
        _ if seconds >= 10.0 => format!("{} s", libm::round(seconds)),
        _ if seconds >= 0.1 => format!("{:.1} s", seconds),
        _ if seconds > 0.0 => "under 0.1 s".to_owned(),
        _ => "0 s".to_owned(),
    }
}

/// The bars: the causes of one design, or several designs.
#[must_use]
pub fn charts(results: &[YearResult]) -> Vec<Chart> {
    let (table, rows): (Table, Vec<Bar>) = match results {
        [] => return Vec::new(),
        [only] => {
            let shown = only.causes.iter().filter(|cause| cause.share >= SMALL);
            let bar = |cause: &Cause| bar(&cause.cause, cause.without_service_s, percent(rough(cause.share)));
            (causes(only), shown.map(bar).collect())
        }
        several => {
            let bar =
                |one: &YearResult| bar(&one.design, one.without_service_s, format!("{} nines", nines(one)));
            (designs(several), several.iter().map(bar).collect())
        }
    };
    if rows.is_empty() {
        return Vec::new();
    }
    let title = format!("{}: time without service", title(results));
    vec![Chart {
        name: "year".into(),
        alt: format!("Bars of the time without service in a year. {title}."),
        subtitle: format!("{}; whisker = 95 % confidence interval", about_all(results)),
        title,
        body: Body::Bars(Bars {
            axis: Axis::linear("minutes a year", Unit::Count),
            rows,
            legend: Vec::new(),
        }),
        table,
    }]
}

fn bar(label: &str, span: Span, note: String) -> Bar {
    let minutes = span.map(|seconds| seconds / 60.0);
    Bar {
        label: label.to_owned(),
        parts: vec![(minutes.value, 0)],
        interval: Some((minutes.low, minutes.high)),
        note: format!("{} · {note}", time(span.value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_two_units_at_most() {
        let cases = [
            (0.0, "0 s"),
            (0.04, "under 0.1 s"),
            (3.26, "3.3 s"),
            (59.7, "60 s"),
            (151.2, "2 min 31 s"),
            (3600.0, "1 h"),
            (31_536.0, "8 h 46 min"),
            (90_000.0, "1 d 1 h"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(time(seconds), expected, "{seconds}");
        }
        let ends = |low, high| between(Span { value: low, low, high });
        assert_eq!(ends(1993.0, 2305.0), "33.2 to 38.4 min");
        assert_eq!(ends(71_700.0, 72_050.0), "19.92 to 20.01 h");
        assert_eq!(ends(0.0, 38.2), "0 to 38 s");
    }
}
