//! Throughput and response times against the offered load, one line a design.

use super::super::number::number;
use super::plot::{Axis, Body, Chart, Curve, Lines, Panel, Point, Table, Unit};
use super::{briefs, three};

/// The figures of one design at growing loads. All lists have their points at the same loads.
#[derive(Clone, Debug, Default)]
pub struct Design {
    /// Its name.
    pub label: String,
    /// Requests that ended ok a second.
    pub throughput: Vec<Point>,
    /// Median response time, ms.
    pub p50: Vec<Point>,
    /// 99th percentile of the response time, ms.
    pub p99: Vec<Point>,
    /// The fullest resource at the highest load, and the share of it that is used.
    pub fullest: Option<(String, f64)>,
    /// The size at each point of `throughput`, in a word; empty where the points are loads.
    pub sizes: Vec<String>,
    /// The load at the knee, as [`crate::experiment::curve::Line`] defines it.
    pub knee: Option<f64>,
}

/// What is varied, and how it was measured.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The label of the x axis: `offered load (requests/s)`.
    pub axis: String,
    /// The line below the title: trials and more.
    pub about: String,
    /// Whether the axis is a rate of requests, so that the ideal line has slope 1.
    pub is_rate: bool,
}

/// From this use on a resource is near its limit.
const NEAR_ITS_LIMIT: f64 = 0.9;

/// Whether throughput still rises from the last but one load to the last, beyond their intervals.
fn still_grows(points: &[Point]) -> bool {
    matches!(points, [.., before, last] if last.low > before.high)
}

/// Throughput per unit of load without any congestion: 1 for a rate, otherwise as at the lowest load.
fn slope(throughput: &[Point], is_rate: bool) -> Option<f64> {
    let first = throughput.iter().find(|point| point.x > 0.0)?;
    if throughput.len() < 3 {
        return None;
    }
    Some(if is_rate { 1.0 } else { first.y / first.x })
}

/// Throughput against load.
#[must_use]
pub fn throughput(designs: &[Design], sweep: &Sweep) -> Option<Chart> {
    let curves: Vec<Curve> = designs
        .iter()
        .enumerate()
        .map(|(colour, design)| Curve {
            knee: design.knee.and_then(|knee| design.throughput.iter().position(|point| point.x == knee)),
            ..curve(design, colour, &design.throughput)
        })
        .collect();
    let best = |curve: &Curve| curve.points.iter().map(|point| point.y).fold(0.0, f64::max);
    let most = curves.iter().max_by(|a, b| best(a).total_cmp(&best(b)))?;
    let least = curves.iter().min_by(|a, b| best(a).total_cmp(&best(b)))?;
    let mut title = format!("{} carries up to {} requests a second", most.label, three(best(most)));
    let fullest = designs.iter().filter_map(|design| design.fullest.as_ref());
    let fullest = fullest.max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, used)| *used >= NEAR_ITS_LIMIT);
    if curves.iter().all(|curve| still_grows(&curve.points)) {
        let through = format!("up to {} requests a second come through", three(best(most)));
        title = match fullest {
            Some((name, used)) => {
                format!("The limit is near: {through}, and {name} is {:.0} % used", 100.0 * used)
            }
            None => format!("No limit in sight: {through}"),
        };
    } else if curves.len() > 1 {
        title += &format!(", {} {}", least.label, three(best(least)));
    }
    let ideal = designs.iter().find_map(|design| slope(&design.throughput, sweep.is_rate));
    let mut subtitle =
        format!("requests that end ok a second; {}, band = 95 % confidence interval", sweep.about);
    if curves.iter().any(|curve| curve.knee.is_some()) {
        subtitle += "; ring = the knee, where throughput / mean response time is greatest";
    }
    let table = table(&sweep.axis, designs, |design| &design.throughput);
    let y = Axis::linear("requests a second", Unit::Count);
    let panel = Panel { ideal, ..Panel::new(y, 380.0, curves) };
    Some(Chart {
        name: "throughput".into(),
        alt: format!("Throughput against load, one line a design. {title}."),
        title,
        subtitle,
        body: lines(&sweep.axis, vec![panel]),
        table,
    })
}

/// Median and 99th percentile against load, on a logarithmic scale; `None` if neither is known.
#[must_use]
pub fn latency(designs: &[Design], sweep: &Sweep) -> Option<Chart> {
    let panels: Vec<Panel> = [("p99", 230.0), ("p50", 170.0)]
        .into_iter()
        .filter_map(|(name, height)| {
            let curves: Vec<Curve> = designs
                .iter()
                .enumerate()
                .map(|(colour, design)| {
                    curve(design, colour, if name == "p99" { &design.p99 } else { &design.p50 })
                })
                .collect();
            let known = curves.iter().flat_map(|curve| &curve.points).any(|point| point.y.is_finite());
            let y = Axis::log(format!("{name} of the response time"), Unit::Ms);
            known.then_some(Panel::new(y, height, curves))
        })
        .collect();
    let title = latency_title(designs, sweep)?;
    Some(Chart {
        name: "latency".into(),
        alt: format!("Response times against load on a logarithmic scale, one line a design. {title}."),
        title,
        subtitle: format!("{}, band = 95 % confidence interval", sweep.about),
        table: table(&sweep.axis, designs, |design| &design.p99),
        body: lines(&sweep.axis, panels),
    })
}

/// The rise of p99 from the lowest to the highest load, for the designs where it rises least and most.
fn latency_title(designs: &[Design], sweep: &Sweep) -> Option<String> {
    let ends = |design: &Design| {
        let mut known = design.p99.iter().filter(|point| point.y.is_finite());
        let first = *known.next()?;
        Some((design.label.clone(), first, known.next_back().copied().unwrap_or(first)))
    };
    let all: Vec<(String, Point, Point)> = designs.iter().filter_map(ends).collect();
    let (label, first, last) = all.iter().max_by(|a, b| a.2.y.total_cmp(&b.2.y))?;
    let load = three(last.x);
    let unit = if sweep.is_rate { "/s" } else { "" };
    let other = all.iter().min_by(|a, b| a.2.y.total_cmp(&b.2.y)).filter(|_| all.len() > 1);
    let ends: Vec<f64> = [first.y, last.y].into_iter().chain(other.map(|(_, _, end)| end.y)).collect();
    let told = briefs(&ends);
    let title = format!("p99 of {label} goes from {} to {} at {load}{unit}", told[0], told[1]);
    let that = other.map_or(String::new(), |(other, ..)| format!(", that of {other} to {}", told[2]));
    Some(title + &that)
}

fn curve(design: &Design, colour: usize, points: &[Point]) -> Curve {
    Curve {
        label: design.label.clone(),
        colour: Some(colour),
        dots: points.len() <= 30,
        points: points.to_vec(),
        ..Curve::default()
    }
}

fn lines(axis: &str, panels: Vec<Panel>) -> Body {
    Body::Lines(Lines::new(Axis { reach: Some(0.0), ..Axis::linear(axis, Unit::Count) }, panels))
}

/// One row for each load, one column for each design.
pub(super) fn table(axis: &str, designs: &[Design], of: fn(&Design) -> &Vec<Point>) -> Table {
    let mut loads: Vec<f64> = designs.iter().flat_map(of).map(|point| point.x).collect();
    loads.sort_by(f64::total_cmp);
    loads.dedup();
    let header = [axis.to_owned()].into_iter().chain(designs.iter().map(|design| design.label.clone()));
    let cell = |design: &Design, load: f64| {
        let found = of(design).iter().find(|point| point.x == load && point.y.is_finite());
        found.map_or("-".to_owned(), |point| {
            if point.low < point.high {
                format!("{} ({} to {})", number(point.y), number(point.low), number(point.high))
            } else {
                number(point.y)
            }
        })
    };
    let row = |load: f64| {
        let cells = designs.iter().map(|design| cell(design, load));
        [number(load)].into_iter().chain(cells).collect()
    };
    Table::new(header, loads.into_iter().map(row).collect())
}
