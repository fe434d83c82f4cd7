//! Response time by percentile, in the way of HDR histograms: each further nine has the same width.

use super::super::number::{percent, time_ms};
use super::plot::{Axis, Body, Chart, Curve, Lines, Panel, Point, Scale, Table, Unit};
use super::{about, briefs};
use crate::experiment::result::{Figure, RunResult};
use crate::stats::histogram::Histogram;

/// Number of steps for each nine.
const STEPS: i32 = 10;

/// The first share. Below the median a step of the scale is a large part of the requests, and two points make a false kink.
const FIRST: f64 = 0.5;

/// The highest share, in nines. With fewer requests, fewer nines are known and shown.
const NINES_MAX: i32 = 4;

/// The shares in the table.
const SHARES: [f64; 7] = [0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999];

/// The chart; `None` if too few requests ended ok, or without a steady state, when response times mean nothing.
#[must_use]
pub fn chart(result: &RunResult) -> Option<Chart> {
    if !result.steady_state.times_are_steady() {
        return None;
    }
    let responses = &result.metrics.response_ms;
    let (p50, p99) = (responses.p50.mean?, responses.p99.mean?);
    let mut kinds: Vec<(&str, &[Histogram])> = vec![("all", &result.pooled.ok)];
    if result.classes.0.len() > 1 {
        let classes = result.classes.iter().zip(&result.pooled.classes);
        kinds.extend(classes.map(|((name, _), trials)| (name, trials.as_slice())));
    }
    let curves: Vec<Curve> = kinds
        .iter()
        .enumerate()
        .map(|(colour, (name, trials))| curve(name, colour, trials))
        .filter(|curve| curve.points.len() > 1)
        .collect();
    let told = briefs(&[p50, p99]);
    let title =
        format!("Half of the requests take less than {}, one in a hundred more than {}", told[0], told[1]);
    let subtitle = about(result, "response time of requests that ended ok, band = 95 % confidence interval");
    let x = Axis { scale: Scale::Nines, ..Axis::linear("share of requests that are faster", Unit::Share) };
    let panel = Panel::new(Axis::log("response time", Unit::Ms), 320.0, curves);
    Some(Chart {
        name: "percentiles".into(),
        alt: format!("Response time by percentile on a logarithmic scale. {title}."),
        title,
        subtitle,
        body: Body::Lines(Lines::new(x, vec![panel])),
        table: table(&kinds),
    })
}

fn curve(name: &str, colour: usize, trials: &[Histogram]) -> Curve {
    let trials: Vec<&Histogram> = trials.iter().collect();
    let shares =
        (0..=STEPS * NINES_MAX).map(|step| 1.0 - libm::pow(10.0, -f64::from(step) / f64::from(STEPS)));
    let shares = [FIRST].into_iter().chain(shares.filter(|share| *share > FIRST));
    let point = |share: f64| {
        let figure = Figure::percentile(&trials, share);
        let y = figure.mean?;
        let (low, high) = figure.interval().unwrap_or((y, y));
        Some(Point { x: share, y, low, high })
    };
    Curve {
        label: name.into(),
        colour: Some(colour),
        points: shares.filter_map(point).collect(),
        ..Curve::default()
    }
}

fn table(kinds: &[(&str, &[Histogram])]) -> Table {
    let header = ["share".to_owned()].into_iter().chain(kinds.iter().map(|(name, _)| (*name).to_owned()));
    let row = |share: f64| {
        let cell = |trials: &[Histogram]| {
            let figure = Figure::percentile(&trials.iter().collect::<Vec<_>>(), share);
            figure.mean.map(|mean| time_ms(mean, figure.half_width))
        };
        let cells: Vec<Option<String>> = kinds.iter().map(|(_, trials)| cell(trials)).collect();
        cells.iter().any(Option::is_some).then(|| {
            let known = cells.into_iter().map(|cell| cell.unwrap_or_else(|| "too few requests".into()));
            [percent(share)].into_iter().chain(known).collect()
        })
    };
    Table::new(header, SHARES.into_iter().filter_map(row).collect())
}
