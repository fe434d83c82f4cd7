//! The charts of `compare` and `capacity`: designs and loads side by side.

use super::super::number::{seconds, time_ms};
use super::load::{Design, Sweep, latency, throughput};
use super::plot::{Axis, Bar, Bars, Body, Chart, Curve, Lines, Panel, Point, Shade, Table, Unit};
use super::timeline::{MEAN, OK, P99};
use super::{briefs, cost, rounded, three};
use crate::experiment::capacity::{self, CapacityResult, Found, LoadUnit};
use crate::experiment::compare::CompareResult;
use crate::experiment::curve::{CurvePoint, Line};
use crate::experiment::result::Figure;

/// The charts for a comparison.
#[must_use]
pub fn of_compare(result: &CompareResult) -> Vec<Chart> {
    let about = format!("{} trials of {}", result.trials, seconds(result.duration_s));
    let mut charts: Vec<Chart> = tails(result, &about).into_iter().collect();
    let Some(curve) = &result.curve else { return charts };
    let key = curve.lines.first().map(|line| line.key.as_str()).unwrap_or_default();
    let is_shared = curve.lines.iter().all(|line| line.key == key);
    if curve.slo.is_empty() && is_shared {
        let is_rate = key.ends_with(".rate");
        let axis = if is_rate { "offered load (requests/s)".to_owned() } else { key.to_owned() };
        let x = |point: &CurvePoint| if is_rate { point.at.as_ref().map(|at| at.load) } else { point.x };
        let designs: Vec<Design> = curve.lines.iter().map(|line| design(line, x)).collect();
        let sweep = Sweep { axis, about: about.clone(), is_rate };
        charts.extend([throughput(&designs, &sweep), latency(&designs, &sweep)].into_iter().flatten());
    }
    let price = |point: &CurvePoint| point.at.as_ref().and_then(|at| at.cost_usd_per_hour);
    let mut designs: Vec<Design> = curve.lines.iter().map(|line| design(line, price)).collect();
    let is_dearer = |design: &Design| design.throughput.windows(2).any(|pair| pair[0].x < pair[1].x);
    if designs.iter().any(is_dearer) {
        for (design, line) in designs.iter_mut().zip(&curve.lines) {
            let known = line.points.iter().filter(|point| price(point).is_some());
            let sizes = known.map(|point| size(&line.key, &point.value));
            let mut sized: Vec<(Point, String)> = design.throughput.drain(..).zip(sizes).collect();
            sized.sort_by(|a, b| a.0.x.total_cmp(&b.0.x));
            (design.throughput, design.sizes) = sized.into_iter().unzip();
        }
        let under = if curve.slo.is_empty() {
            String::new()
        } else {
            format!("; load with {}", curve.slo.join(", "))
        };
        charts.extend(cost::chart(&designs, &format!("{about}{under}")));
    }
    charts
}

/// A size in a word: `4xlarge` of m7i.4xlarge, and `8×` of a number of machines.
fn size(key: &str, value: &str) -> String {
    match (value.parse::<f64>(), value.rsplit_once('.')) {
        (Ok(_), _) if ["count", "nodes"].iter().any(|end| key.ends_with(end)) => format!("{value}×"),
        (Err(_), Some((_, size))) => size.to_owned(),
        _ => value.to_owned(),
    }
}

/// The line of a design over the positions `x`; points without a position or a measurement are left out.
fn design(line: &Line, x: impl Fn(&CurvePoint) -> Option<f64>) -> Design {
    let known: Vec<(f64, &capacity::Point)> =
        line.points.iter().filter_map(|point| Some((x(point)?, point.at.as_ref()?))).collect();
    let knee = line.knee.and_then(|at| x(&line.points[at]));
    let times = |of: fn(&capacity::Point) -> &Figure| {
        let steady = known.iter().filter(|(_, at)| at.times_are_steady());
        steady.map(|(x, at)| point(*x, of(at))).collect()
    };
    Design {
        label: line.design.clone(),
        throughput: known.iter().map(|(x, at)| point(*x, &at.throughput_rps)).collect(),
        p50: times(|at| &at.p50_ms),
        p99: times(|at| &at.p99_ms),
        fullest: known.iter().max_by(|a, b| a.0.total_cmp(&b.0)).and_then(|(_, at)| {
            let binds = at.bottleneck.as_ref()?;
            Some((format!("{} of {}", binds.resource, binds.component), binds.utilisation))
        }),
        sizes: Vec::new(),
        knee,
    }
}

fn point(x: f64, figure: &Figure) -> Point {
    let y = figure.mean.unwrap_or(f64::NAN);
    let (low, high) = figure.interval().unwrap_or((y, y));
    Point { x, y, low, high }
}

/// The 99th percentile of each design as a bar; `None` if it is unknown for any of them.
fn tails(result: &CompareResult, about: &str) -> Option<Chart> {
    let all: Option<Vec<(&str, Figure)>> = result
        .designs
        .iter()
        .map(|design| {
            let figure = design.figures.get("p99(response)").filter(|figure| figure.mean.is_some());
            Some((design.name.as_str(), figure.filter(|_| design.steady)?.scaled(1e3)))
        })
        .collect();
    let all = all?;
    let mean = |one: &(&str, Figure)| one.1.mean.unwrap_or(f64::INFINITY);
    let best = all.iter().min_by(|a, b| mean(a).total_cmp(&mean(b)))?;
    let worst = all.iter().max_by(|a, b| mean(a).total_cmp(&mean(b)))?;
    let told = briefs(&[mean(best), mean(worst)]);
    let title = format!("p99 is {} with {}, {} with {}", told[0], best.0, told[1], worst.0);
    let shown = |figure: &Figure| time_ms(figure.mean.unwrap_or(0.0), figure.half_width);
    let bar = |(colour, (name, figure)): (usize, &(&str, Figure))| Bar {
        label: (*name).to_owned(),
        parts: vec![(figure.mean.unwrap_or(0.0), colour)],
        interval: figure.interval(),
        note: shown(figure),
    };
    Some(Chart {
        name: "designs".into(),
        alt: format!("Bars of the 99th percentile of the response time, one a design. {title}."),
        title,
        subtitle: format!("{about}, whisker = 95 % confidence interval"),
        body: Body::Bars(Bars {
            axis: Axis::linear("p99 of the response time", Unit::Ms),
            rows: all.iter().enumerate().map(bar).collect(),
            legend: Vec::new(),
        }),
        table: Table::new(
            ["design", "p99"],
            all.iter().map(|(name, figure)| vec![(*name).to_owned(), shown(figure)]).collect(),
        ),
    })
}

/// The chart of a capacity: throughput and response times at every load that was tried.
#[must_use]
pub fn of_capacity(result: &CapacityResult) -> Vec<Chart> {
    if result.points.len() < 2 {
        return Vec::new();
    }
    let title = capacity_title(result);
    let axis = match result.load.unit {
        LoadUnit::Users => "users",
        LoadUnit::PerS => "load (requests/s)",
        LoadUnit::Times => "times the scenario's load",
    };
    let curve = |label: &str, colour: usize, of: fn(&capacity::Point) -> &Figure, steady_only: bool| {
        let points = result.points.iter().filter(|at| at.times_are_steady() || !steady_only);
        let points = points.map(|at| point(at.load, of(at))).filter(|point| point.y.is_finite()).collect();
        Curve { label: label.into(), colour: Some(colour), points, dots: true, ..Curve::default() }
    };
    let through = vec![curve("ok", OK, |at| &at.throughput_rps, false)];
    let times = vec![curve("p99", P99, |at| &at.p99_ms, true), curve("p50", MEAN, |at| &at.p50_ms, true)];
    let mut panels = vec![Panel::new(Axis::linear("requests a second", Unit::Count), 200.0, through)];
    if times.iter().any(|curve| !curve.points.is_empty()) {
        panels.push(Panel::new(Axis::log("response time", Unit::Ms), 200.0, times));
    }
    let last = result.points.last().map_or(result.tried_to, |at| at.load);
    let missed = result.estimate.filter(|estimate| *estimate < last && result.verdict == Found::Found);
    let shade =
        |(from, to): (f64, f64), label: &str, is_fault| Shade { from, to, label: label.into(), is_fault };
    let interval = result.low.zip(result.high).filter(|_| missed.is_some());
    let interval = interval.map(|ends| shade(ends, "", false));
    let missed = missed.map(|from| shade((from, last), "objective missed", true));
    let shades = interval.into_iter().chain(missed);
    vec![Chart {
        name: "capacity".into(),
        alt: format!("Throughput and response times at every load that was tried. {title}."),
        title,
        subtitle: format!(
            "{} loads, up to {} trials of {} each, band = 95 % confidence interval, grey = that of the answer; response times only at loads with a steady state",
            result.points.len(),
            result.trials,
            seconds(result.duration_s)
        ),
        table: capacity_table(result),
        body: Body::Lines(Lines {
            x: Axis::log(axis, Unit::Count),
            panels,
            shades: shades.collect(),
            events: Vec::new(),
        }),
    }]
}

/// The capacity with its interval, as a title.
fn capacity_title(result: &CapacityResult) -> String {
    let slo = result.slo.join(", ");
    match result.verdict {
        Found::Found => {
            let load = |load: Option<f64>| load.map(|load| capacity::shown(rounded(load), result.load.unit));
            let most = load(result.estimate).unwrap_or_default();
            match (load(result.low), load(result.high)) {
                (Some(low), Some(high)) => format!("{slo} holds up to {most} (95 %: {low} to {high})"),
                (None, Some(high)) => format!("{slo} holds up to {most} (95 %: less than {high})"),
                (Some(low), None) => format!("{slo} holds up to {most} (95 %: more than {low})"),
                (None, None) => format!("{slo} holds up to {most}"),
            }
        }
        Found::MetAtEveryLoad | Found::MetAtTheGoal => {
            format!("{slo} holds at every load up to {}", capacity::shown(result.tried_to, result.load.unit))
        }
        Found::NeverMet => format!("{slo} holds at no load"),
        Found::NotMeasured => format!("It is not known where {slo} holds"),
    }
}

fn capacity_table(result: &CapacityResult) -> Table {
    let time = |figure: &Figure| figure.mean.map_or("-".to_owned(), |mean| time_ms(mean, figure.half_width));
    let row = |at: &capacity::Point| {
        let ok = at.throughput_rps.mean.map_or("-".to_owned(), three);
        vec![capacity::shown(at.load, result.load.unit), ok, time(&at.p50_ms), time(&at.p99_ms)]
    };
    Table::new(["load", "ok/s", "p50", "p99"], result.points.iter().map(row).collect())
}
