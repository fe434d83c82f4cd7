//! The histogram of response times, which alone shows two humps.

use super::super::number::percent;
use super::plot::{Axis, Body, Chart, Curve, Lines, Panel, Point, Table, Unit};
use super::{about, brief, briefs};
use crate::experiment::result::RunResult;
use crate::stats::histogram::Histogram;

/// Number of bins, all equally wide on a logarithmic axis.
const BINS: usize = 48;

/// Shares of the requests at which the bins begin and end: beyond them a bin holds a handful.
const ENDS: [f64; 2] = [0.001, 0.999];

/// A hump is at least this high, as a share of the highest one, and the valley before it is at most this share of it.
const HUMP: f64 = 0.15;
const VALLEY: f64 = 0.6;

const NANOS_PER_MS: f64 = 1e6;

/// The chart; `None` if no request ended ok, or without a steady state, when response times mean nothing.
#[must_use]
pub fn chart(result: &RunResult) -> Option<Chart> {
    if !result.steady_state.times_are_steady() || result.metrics.response_ms.p99.mean.is_none() {
        return None;
    }
    let all = merged(&result.pooled.ok)?;
    let edges = edges(&all);
    if edges.len() < 2 {
        return None;
    }
    let shares = shares(&all, &edges);
    let classes = result.classes.iter().zip(&result.pooled.classes).filter(|_| result.classes.0.len() > 1);
    // The bins of the classes add up to those of all.
    let class = |(at, ((name, _), trials)): (usize, ((&str, _), &Vec<Histogram>))| {
        let own = merged(trials)?;
        let part = own.count() as f64 / all.count() as f64;
        let scaled: Vec<f64> = self::shares(&own, &edges).iter().map(|share| share * part).collect();
        Some(curve(name, at + 1, &edges, &scaled))
    };
    let mut curves = vec![curve("all", 0, &edges, &shares)];
    curves.extend(classes.enumerate().filter_map(class));
    let title = title(&edges, &shares, &all);
    let panel = Panel::new(Axis::linear("share of the requests in a bin", Unit::Share), 200.0, curves);
    let rows = edges.windows(2).zip(&shares);
    let rows = rows.map(|(ends, share)| vec![brief(ends[0]), brief(ends[1]), percent(*share)]);
    Some(Chart {
        name: "histogram".into(),
        alt: format!("Histogram of the response times on a logarithmic scale. {title}."),
        title,
        subtitle: about(
            result,
            "response times of requests that ended ok, from the 0.1st to the 99.9th percentile",
        ),
        body: Body::Lines(Lines::new(Axis::log("response time", Unit::Ms), vec![panel])),
        table: Table::new(["from", "to", "share"], rows.collect()),
    })
}

/// All trials together; `None` without a value.
fn merged(trials: &[Histogram]) -> Option<Histogram> {
    let mut all = Histogram::default();
    trials.iter().for_each(|one| all.merge(one));
    (all.count() > 0).then_some(all)
}

/// The ends of the bins, in ms; one alone where all values are alike.
fn edges(all: &Histogram) -> Vec<f64> {
    let [low, high] = ENDS.map(|share| all.quantile(share) as f64 / NANOS_PER_MS);
    // A bin must not be narrower than what the histogram tells apart.
    let bins = ((libm::log(high / low) / 0.02) as usize).min(BINS);
    let step = libm::log(high / low) / bins.max(1) as f64;
    (0..=bins).map(|at| low * libm::exp(step * at as f64)).collect()
}

/// The share of the values in each bin.
fn shares(of: &Histogram, edges: &[f64]) -> Vec<f64> {
    let below = |ms: &f64| of.share_at_most((ms * NANOS_PER_MS) as u64);
    let below: Vec<f64> = edges.iter().map(below).collect();
    below.windows(2).map(|ends| ends[1] - ends[0]).collect()
}

/// The outline of the bins.
fn curve(name: &str, colour: usize, edges: &[f64], shares: &[f64]) -> Curve {
    let corners = edges.windows(2).zip(shares);
    let corners =
        corners.flat_map(|(ends, share)| [Point::bare(ends[0], *share), Point::bare(ends[1], *share)]);
    Curve { label: name.into(), colour: Some(colour), points: corners.collect(), ..Curve::default() }
}

/// Where most response times lie: one place, or several humps.
fn title(edges: &[f64], shares: &[f64], all: &Histogram) -> String {
    let near = |bin: usize| (edges[bin] * edges[bin + 1]).sqrt();
    let humps: Vec<f64> = humps(shares).into_iter().map(near).collect();
    match briefs(&humps).as_slice() {
        [] => "Response times differ".to_owned(),
        [_] => {
            let told = briefs(&[humps[0], all.quantile(0.9) as f64 / NANOS_PER_MS]);
            format!(
                "The most frequent response time is near {}; one in ten takes more than {}",
                told[0], told[1]
            )
        }
        [many @ .., last] => {
            format!("Response times have {} humps: near {} and {last}", humps.len(), many.join(", "))
        }
    }
}

/// The bins at the top of each hump, from left to right.
fn humps(shares: &[f64]) -> Vec<usize> {
    // Neighbours together: a single bin is high by chance.
    let smooth: Vec<f64> = (0..shares.len())
        .map(|at| {
            let some = &shares[at.saturating_sub(1)..(at + 2).min(shares.len())];
            some.iter().sum::<f64>() / some.len() as f64
        })
        .collect();
    let highest = smooth.iter().copied().fold(0.0, f64::max);
    let mut found: Vec<usize> = Vec::new();
    for at in (0..smooth.len()).filter(|at| smooth[*at] >= HUMP * highest) {
        let Some(&last) = found.last() else {
            found.push(at);
            continue;
        };
        let valley = smooth[last..=at].iter().copied().fold(f64::INFINITY, f64::min);
        if valley < VALLEY * smooth[last].min(smooth[at]) {
            found.push(at);
        } else if smooth[at] > smooth[last] {
            *found.last_mut().expect("there is a last one") = at;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(values: &[(u64, u64)]) -> Histogram {
        let mut all = Histogram::default();
        for &(ms, times) in values {
            (0..times).for_each(|n| all.record((ms * 1000 + n % (ms * 200)) * 1000));
        }
        all
    }

    #[test]
    fn two_humps_are_told_from_one() {
        let title_of = |all: &Histogram| {
            let edges = edges(all);
            title(&edges, &shares(all, &edges), all)
        };
        let one = title_of(&histogram(&[(50, 9000)]));
        assert!(one.starts_with("The most frequent response time is near 5"), "{one}");
        let two = title_of(&histogram(&[(50, 6000), (2000, 4000)]));
        assert!(two.starts_with("Response times have 2 humps: near 5") && two.ends_with(" s"), "{two}");
    }

    #[test]
    fn the_bins_hold_nearly_all_requests() {
        let all = histogram(&[(50, 6000), (2000, 4000)]);
        let sum: f64 = shares(&all, &edges(&all)).iter().sum();
        assert!((0.99..=1.0).contains(&sum), "{sum}");
        assert_eq!(humps(&[0.1, 0.3, 0.1, 0.0, 0.0, 0.1, 0.2, 0.1]).len(), 2);
    }
}
