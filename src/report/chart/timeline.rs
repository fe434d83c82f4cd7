//! The timeline: throughput, errors, high percentiles of response times, and lag over time, with faults shaded.

use super::super::number::{moments, number, seconds};
use super::plot::{Axis, Body, Chart, Curve, Event, Goal, Lines, Panel, Point, Scale, Shade, Table, Unit};
use super::{about, brief, three};
use crate::experiment::finding::Finding;
use crate::experiment::result::{Answer, Figure, Happening, RunResult, Verdict};
use crate::model::record::FAULTS;

/// Largest number of points of a line. With more windows, each point is the mean over several, because neighbours a
/// pixel apart show only noise.
const POINTS_MAX: usize = 200;

/// Largest number of rows in the table. With more windows, each row is the mean over several.
const ROWS_MAX: usize = 60;

/// The colours of the quantities, each the same in all panels; a median has that of the mean.
const OFFERED: usize = 6;
pub(super) const OK: usize = 0;
const ERRORS: usize = 1;
pub(super) const P99: usize = 3;
pub(super) const MEAN: usize = 2;
const LAG: usize = 4;

/// Largest number of numbered events; the first ones have a number.
const EVENTS_MAX: usize = 24;

/// Largest number of shaded faults; the first ones are shaded.
const SHADES_MAX: usize = 20;

/// The chart; `None` if there are fewer than two windows.
#[must_use]
pub fn chart(result: &RunResult) -> Option<Chart> {
    if result.series.rows.len() < 2 {
        return None;
    }
    let has = |name: &str| points(result, name).iter().any(|point| point.y > 0.0);
    let curve = |name: &str, label: &str, colour: usize| Curve {
        label: label.into(),
        colour: Some(colour),
        points: points(result, name),
        ..Curve::default()
    };
    let panel = |y: Axis, height: f64, curves: Vec<Curve>, columns: &[&str]| Panel {
        goals: goals(result, columns),
        ..Panel::new(y, height, curves)
    };
    let rate = |label: &str| Axis::linear(label, Unit::Count);
    let rates = vec![curve("offered_rps", "offered", OFFERED), curve("throughput_rps", "ok", OK)];
    let mut panels = vec![panel(rate("requests a second"), 150.0, rates, &["throughput_rps"])];
    if has("errors_rps") {
        let errors = vec![curve("errors_rps", "errors", ERRORS)];
        panels.push(panel(rate("errors a second"), 90.0, errors, &[]));
    }
    if has("p99_ms") {
        let times = vec![curve("p99_ms", "p99", P99), curve("response_ms", "mean", MEAN)];
        let y = Axis::log("response time of the answered", Unit::Ms);
        panels.push(panel(y, 150.0, times, &["p99_ms", "response_ms"]));
        panels.extend(failed(result));
    }
    if has("lag_ms") {
        let lag = vec![curve("lag_ms", "lag", LAG)];
        panels.push(panel(Axis::linear("replication lag", Unit::Ms), 90.0, lag, &["lag_ms"]));
    }
    let mut shades = shades(result);
    let title = title(result);
    let events = events(result, &mut shades);
    let is_long = result.warmup_s + result.duration_s > 120.0;
    let unit = if is_long { "min:s" } else { "s" };
    let axis = Axis::linear(format!("simulated time ({unit}), warm-up included"), Unit::Seconds);
    let x = Axis { scale: Scale::Span, ..axis };
    let window = seconds(result.series.window_s * together(result) as f64);
    let band = if result.series.bands.is_empty() { "" } else { ", band = lowest to highest trial" };
    let shaded = if shades.is_empty() {
        String::new()
    } else {
        // Windows are laid out before a trial knows when something will happen.
        "; shaded: what was wrong in the first trial; what it did can begin a window early".to_owned()
    };
    let subtitle = about(result, &format!("averages over the trials in windows of {window}{band}{shaded}"));
    shades.extend(warmup(result));
    Some(Chart {
        name: "timeline".into(),
        alt: format!("Throughput, errors and response times over the simulated time. {title}."),
        title,
        subtitle,
        body: Body::Lines(Lines { x, panels, shades, events }),
        table: table(result),
    })
}

/// The share of the requests that failed, below the response times: these leave the failed ones out. `None` where none
/// failed.
fn failed(result: &RunResult) -> Option<Panel> {
    let (ok, errors) = (points(result, "throughput_rps"), points(result, "errors_rps"));
    let share = |(ok, errors): (&Point, &Point)| {
        let ended = ok.y + errors.y;
        Point::bare(ok.x, if ended > 0.0 { errors.y / ended } else { f64::NAN })
    };
    let points: Vec<Point> = ok.iter().zip(&errors).map(share).collect();
    points.iter().any(|point| point.y > 0.0).then(|| {
        let curve = Curve { label: "failed".into(), colour: Some(ERRORS), points, ..Curve::default() };
        let y = Axis { reach: Some(1.0), ..Axis::linear("share that failed instead", Unit::Share) };
        Panel::new(y, 42.0, vec![curve])
    })
}

/// The bounds of goals on some columns of the series.
fn goals(result: &RunResult, columns: &[&str]) -> Vec<Goal> {
    let goal = |verdict: &Verdict| {
        let level = verdict.level.as_ref().filter(|level| columns.contains(&level.column))?;
        let missed = verdict.verdict == Answer::Fails;
        Some(Goal { value: level.value, part: level.part, label: verdict.demand(), missed })
    };
    result.expect.iter().filter_map(goal).collect()
}

/// The warm-up as a grey band.
fn warmup(result: &RunResult) -> Option<Shade> {
    let to = result.warmup_s;
    (to > 0.0).then(|| Shade { from: 0.0, to, label: "warm-up".into(), is_fault: false })
}

/// What happened, numbered, where the name of one fault does not say it all. The shades then have no names.
fn events(result: &RunResult, shades: &mut [Shade]) -> Vec<Event> {
    let told: Vec<&Happening> = result.timeline.iter().take(EVENTS_MAX).collect();
    if shades.len() < 2 && told.len() <= 2 {
        return Vec::new();
    }
    shades.iter_mut().for_each(|shade| shade.label.clear());
    let times = moments(&told.iter().map(|one| one.t_s).collect::<Vec<_>>());
    let label = |(one, time): (&&Happening, String)| Event {
        at: one.t_s,
        label: format!("{time} {} {}", one.component, one.event),
    };
    told.iter().zip(times).map(label).collect()
}

/// A column of the series as points over time, with gaps where nothing was measured.
fn points(result: &RunResult, name: &str) -> Vec<Point> {
    let (Some(times), Some(values)) = (result.series.column("t_s"), result.series.column(name)) else {
        return Vec::new();
    };
    let all: Vec<(f64, Option<f64>)> =
        times.zip(values).filter_map(|(time, value)| Some((time?, value))).collect();
    let mean = |some: &[(f64, Option<f64>)]| {
        let known: Vec<f64> = some.iter().filter_map(|(_, value)| *value).collect();
        // Without known values the mean is 0 / 0, which shows as a gap.
        Point::bare(some[0].0, known.iter().sum::<f64>() / known.len() as f64)
    };
    let many = together(result);
    let mut points: Vec<Point> = all.chunks(many).map(mean).collect();
    for (point, ends) in points.iter_mut().zip(result.series.band(name).chunks(many)) {
        let known: Vec<&(f64, f64)> = ends.iter().filter(|(low, high)| low <= high).collect();
        if !known.is_empty() && point.y.is_finite() {
            let average = |of: fn(&(f64, f64)) -> f64| {
                known.iter().map(|ends| of(ends)).sum::<f64>() / known.len() as f64
            };
            point.low = average(|ends| ends.0).min(point.y);
            point.high = average(|ends| ends.1).max(point.y);
        }
    }
    points
}

/// Number of windows for each point.
fn together(result: &RunResult) -> usize {
    result.series.rows.len().div_ceil(POINTS_MAX).max(1)
}

/// What a box is while a fault lasts, by the event that begins it.
fn label(event: &str) -> &str {
    match event {
        "crash" => "down",
        "power off" => "without power",
        "hang" => "hangs",
        "pause" => "paused",
        "errors" => "errs",
        "no records" => "without records",
        other => other,
    }
}

/// The time of each fault, from its begin to its end or to the end of the trial.
fn shades(result: &RunResult) -> Vec<Shade> {
    let last = result.warmup_s + result.duration_s;
    let shade = |(at, begin): (usize, &Happening)| {
        let (_, end) = FAULTS.iter().find(|(event, _)| *event == begin.event)?;
        let mut later = result.timeline[at..].iter();
        // Where a standby takes over, the box works again, though the machine that failed is still away.
        let ends = |event: &str| event == *end || (*end == "recover" && event == "take over");
        let end = later.find(|one| one.component == begin.component && ends(&one.event));
        let to = end.map_or(last, |end| end.t_s);
        Some(Shade {
            from: begin.t_s,
            to,
            label: format!("{} {}", begin.component, label(&begin.event)),
            is_fault: true,
        })
    };
    result.timeline.iter().enumerate().filter_map(shade).take(SHADES_MAX).collect()
}

/// An incident of the reasons: what began it, and what users saw of it.
struct Told<'a> {
    cause: &'a Finding,
    failed: f64,
    p99_ms: Option<f64>,
}

/// The incidents in the order of the reasons, each with its first cause.
fn incidents(result: &RunResult) -> Vec<Told<'_>> {
    let mut told = Vec::new();
    let (mut first, mut random): (Option<&Finding>, Option<&Finding>) = (None, None);
    for finding in &result.why {
        match finding {
            Finding::NoAcks { .. }
            | Finding::Fault { .. }
            | Finding::RandomFaults { .. }
            | Finding::Surge { .. }
            | Finding::Full { .. } => first = first.or(Some(finding)),
            Finding::Users { failed, p99_ms, .. } => {
                let seen = (*failed, p99_ms.0);
                // Random faults are named once, and are the cause of what follows, too.
                random = random.or(first.filter(|cause| matches!(cause, Finding::RandomFaults { .. })));
                told.extend(first.take().or(random).map(|cause| Told {
                    cause,
                    failed: seen.0,
                    p99_ms: seen.1,
                }));
            }
            _ => {}
        }
    }
    told
}

/// The finding: the first cause of the incident that cost users most, or how steady the system was.
fn title(result: &RunResult) -> String {
    let told = incidents(result);
    let worst = told.iter().max_by(|a, b| {
        a.failed.total_cmp(&b.failed).then(a.p99_ms.unwrap_or(0.0).total_cmp(&b.p99_ms.unwrap_or(0.0)))
    });
    if let (Some(worst), true) = (worst, result.steady_state.reached) {
        let seen = match worst.p99_ms {
            _ if worst.failed >= 1.0 => format!("{} requests a trial failed", three(worst.failed)),
            Some(p99_ms) => format!("p99 {}", brief(p99_ms)),
            None => "no request failed".to_owned(),
        };
        let of =
            if told.len() > 1 { format!(" (the worst of {} incidents)", told.len()) } else { String::new() };
        return format!("{}: {seen}{of}", headline(worst.cause));
    }
    let highest = |name: &str| {
        points(result, name).iter().map(|point| point.y).filter(|y| y.is_finite()).fold(0.0, f64::max)
    };
    let tail = highest("p99_ms");
    let errors = highest("errors_rps");
    let worst = match (errors > 0.0, tail > 0.0) {
        (true, true) => format!("errors peak at {} a second, p99 at {}", three(errors), brief(tail)),
        (true, false) => format!("errors peak at {} a second", three(errors)),
        (false, true) => format!("no errors, p99 peaks at {}", brief(tail)),
        (false, false) => "nothing was answered".to_owned(),
    };
    let lag = highest("lag_ms");
    let worst = if lag > 0.0 { format!("{worst}, lag up to {}", brief(lag)) } else { worst };
    if !result.steady_state.reached {
        if let Some(metastable) = result.why.iter().find(|one| matches!(one, Finding::Metastable { .. })) {
            return headline(metastable);
        }
        let what = if result.steady_state.lag_growth.is_some() { "lag" } else { "queue" };
        let place =
            result.steady_state.component.as_ref().map_or(String::new(), |name| format!(" at {name}"));
        return format!("The {what}{place} grows without end: {worst}");
    }
    let metrics = &result.metrics;
    let rate = |figure: &Figure| three(figure.mean.unwrap_or(0.0));
    if errors > 0.0 {
        let (ok, offered) = (rate(&metrics.throughput_rps), rate(&metrics.offered_rps));
        return format!("{ok} of {offered} requests a second end ok: {worst}");
    }
    format!("Steady at {} requests a second: {worst}", rate(&metrics.throughput_rps))
}

/// The sentence of a finding as a title: without its figures, and with a capital letter.
fn headline(finding: &Finding) -> String {
    let text = finding.text().replace('`', "");
    let text = text.split("; ").next().unwrap_or_default();
    let text =
        if matches!(finding, Finding::Full { .. }) { text.split(": ").next().unwrap_or(text) } else { text };
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

fn table(result: &RunResult) -> Table {
    let shown = ["t_s", "offered_rps", "throughput_rps", "errors_rps", "response_ms", "p99_ms", "lag_ms"];
    let heads = ["from, s", "offered/s", "ok/s", "errors/s", "mean response", "p99", "lag"];
    let known: Vec<(usize, usize)> = shown
        .iter()
        .enumerate()
        .filter_map(|(head, name)| {
            Some((head, result.series.columns.iter().position(|known| known == name)?))
        })
        .collect();
    let together = result.series.rows.len().div_ceil(ROWS_MAX);
    let row = |rows: &[Vec<Option<f64>>]| {
        let cell = |&(head, column): &(usize, usize)| {
            let values: Vec<f64> = rows.iter().filter_map(|row| row[column]).collect();
            if values.is_empty() {
                return "-".to_owned();
            }
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            match head {
                0 => number(values[0]),
                1..=3 => three(mean),
                _ => brief(mean),
            }
        };
        known.iter().map(cell).collect()
    };
    Table::new(
        known.iter().map(|(head, _)| heads[*head]),
        result.series.rows.chunks(together).map(row).collect(),
    )
}
