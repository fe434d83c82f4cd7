//! `Curve`: designs measured over a range of values, one line a design. Each point gives throughput and response times,
//! or the capacity.

use crate::model::quantity::{Bytes, Duration, Rate, Share};

use super::capacity::{CapacityResult, Point};
use super::result::RunResult;

/// The measured lines of all designs.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Curve {
    /// The objective that the capacity at each point must meet; empty without one.
    pub slo: Vec<String>,
    /// One line a design. Designs may be varied over different values; they are then compared at equal cost.
    pub lines: Vec<Line>,
}

/// One design.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Line {
    /// The name of the design.
    pub design: String,
    /// The key that is varied.
    pub key: String,
    /// Index of the knee: the point with the greatest throughput divided by mean response time (Kleinrock's power,
    /// "Power and deterministic rules of thumb", ICC 1979). `None` if that point is the first or the last, because the
    /// knee may then lie outside the range.
    pub knee: Option<usize>,
    /// One point for each value, in order.
    pub points: Vec<CurvePoint>,
}

/// The measurements at one value.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct CurvePoint {
    /// The value as it was given.
    pub value: String,
    /// The value as a number: in seconds, per second, in bytes, as a share, or plain. `None` for words.
    pub x: Option<f64>,
    /// The measurements, with `load` as the offered load of the scenario, or at the capacity if an objective was given.
    /// `None` if there is no capacity.
    pub at: Option<Point>,
    /// The capacity; `None` without an objective.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<CapacityResult>,
}

impl CurvePoint {
    /// A point measured at the load of the scenario.
    #[must_use]
    pub fn measured(value: &str, result: &RunResult) -> CurvePoint {
        let offered = result.metrics.offered_rps.mean.unwrap_or(0.0);
        let at = Some(Point::of(offered, result));
        CurvePoint { value: value.to_owned(), x: number(value), at, capacity: None }
    }

    /// A point measured at its capacity.
    #[must_use]
    pub fn at_capacity(value: &str, capacity: CapacityResult) -> CurvePoint {
        let at = capacity.at.clone();
        CurvePoint { value: value.to_owned(), x: number(value), at, capacity: Some(capacity) }
    }
}

impl Line {
    /// A line through these points, with its knee.
    #[must_use]
    pub fn new(design: &str, key: &str, points: Vec<CurvePoint>) -> Line {
        Line { design: design.to_owned(), key: key.to_owned(), knee: knee(&points), points }
    }
}

fn knee(points: &[CurvePoint]) -> Option<usize> {
    if points.iter().any(|point| point.capacity.is_some()) {
        return None;
    }
    let power = |point: &CurvePoint| {
        let at = point.at.as_ref().filter(|at| at.times_are_steady())?;
        Some(at.throughput_rps.mean? / at.mean_ms.mean.filter(|mean| *mean > 0.0)?)
    };
    let all = points.iter().enumerate().filter_map(|(at, point)| Some((at, power(point)?)));
    let (at, _) = all.reduce(|most, one| if one.1 > most.1 { one } else { most })?;
    (at > 0 && at + 1 < points.len()).then_some(at)
}

/// The value of a key as a number; `None` for words.
fn number(text: &str) -> Option<f64> {
    let text = text.trim().trim_matches(['"', '\'']);
    let plain = text.parse().ok().filter(|number: &f64| number.is_finite());
    plain
        .or_else(|| text.parse().ok().map(|Rate(rate)| rate))
        .or_else(|| text.parse().ok().map(|Duration(time)| time.as_secs_f64()))
        .or_else(|| text.parse().ok().map(|Share(share)| share))
        .or_else(|| text.parse().ok().map(|Bytes(bytes)| bytes as f64))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{result, trial};
    use super::*;

    #[test]
    fn values_are_numbers_where_they_can_be() {
        for (text, expected) in [
            ("3", Some(3.0)),
            ("50/s", Some(50.0)),
            ("5ms", Some(0.005)),
            ("20%", Some(0.2)),
            ("m7i.large", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
        assert_eq!(number("1KiB"), Some(1024.0));
    }

    #[test]
    fn the_knee_has_the_greatest_power_and_lies_inside() {
        // Throughput over response time: 2 requests in 10 s at 100 ms, 4 at 150 ms, 5 at 400 ms.
        let point = |ms: &[u64]| CurvePoint::measured("1", &result(vec![trial(ms), trial(ms)]));
        let points = || vec![point(&[100; 2]), point(&[150; 4]), point(&[400; 5])];
        assert_eq!(Line::new("a", "b", points()).knee, Some(1));
        assert_eq!(Line::new("a", "b", points()[1..].to_vec()).knee, None);
        let mut overloaded = points();
        overloaded[1].at.as_mut().unwrap().steady = false;
        assert_eq!(Line::new("a", "b", overloaded).knee, None);
    }
}
