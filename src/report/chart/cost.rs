//! Throughput, and the price of a million requests, against the price of the machines per hour, one line a design.

use super::load::{Design, table};
use super::plot::{Axis, Body, Chart, Curve, Lines, Panel, Point, Table, Unit};
use super::three;

/// Hours in a million seconds, for the price of a million requests.
const PER_MILLION: f64 = 1e6 / 3600.0;

/// A design whose dearest size carries less than this factor more than its best smaller one has stopped to grow.
const GROWS: f64 = 1.02;

/// Both charts, one below the other, against USD an hour; the points of a design are its sizes. `None` without two
/// sizes.
#[must_use]
pub fn chart(designs: &[Design], about: &str) -> Option<Chart> {
    if !designs.iter().any(|design| design.throughput.len() > 1) {
        return None;
    }
    let curves = |of: fn(&Design) -> Vec<Point>| -> Vec<Curve> {
        let curve = |(colour, design): (usize, &Design)| Curve {
            label: design.label.clone(),
            colour: Some(colour),
            points: of(design),
            dots: true,
            texts: design.sizes.clone(),
            bars: true,
            ..Curve::default()
        };
        designs.iter().enumerate().map(curve).collect()
    };
    let throughput = Panel {
        ideal: ideal(designs),
        ..Panel::new(Axis::log("requests a second", Unit::Count), 260.0, curves(|one| one.throughput.clone()))
    };
    let price = Panel::new(
        Axis::log("USD per million requests", Unit::Usd),
        170.0,
        curves(|one| one.throughput.iter().map(per_million).collect()),
    );
    let title = title(designs)?;
    let Table { header, rows } = table("USD an hour", designs, |design| &design.throughput);
    Some(Chart {
        name: "cost".into(),
        alt: format!(
            "Throughput, and the price of a million requests, against the price of the machines. {title}."
        ),
        title,
        subtitle: format!(
            "{about}; bars = 95 % confidence intervals; grey = in proportion to the price, from the cheapest size"
        ),
        body: Body::Lines(Lines::new(Axis::log("USD an hour", Unit::Usd), vec![throughput, price])),
        table: Table { header, rows },
    })
}

/// Requests a second for each USD an hour of the cheapest size that carries any.
fn ideal(designs: &[Design]) -> Option<f64> {
    let all = designs.iter().flat_map(|design| &design.throughput);
    let carries = all.filter(|point| point.x > 0.0 && point.y > 0.0);
    carries.min_by(|a, b| a.x.total_cmp(&b.x)).map(|point| point.y / point.x)
}

/// USD per million requests at a size, with the interval that follows from that of the throughput.
fn per_million(size: &Point) -> Point {
    let price = |rate: f64| PER_MILLION * size.x / rate;
    Point { x: size.x, y: price(size.y), low: price(size.high), high: price(size.low) }
}

/// How far each design comes and for how much: first the one that carries less.
fn title(designs: &[Design]) -> Option<String> {
    let best = |design: &Design| {
        let known = || design.throughput.iter().filter(|point| point.y.is_finite());
        let most = known().max_by(|a, b| a.y.total_cmp(&b.y))?;
        let dearest = known().max_by(|a, b| a.x.total_cmp(&b.x))?;
        let smaller = known().filter(|point| point.x < dearest.x).map(|point| point.y).fold(0.0, f64::max);
        let verb = if dearest.y < GROWS * smaller { "stops at" } else { "reaches" };
        Some((
            most.y,
            format!("{} {verb} {}/s for USD {} an hour", design.label, three(most.y), three(most.x)),
        ))
    };
    let mut all: Vec<(f64, String)> = designs.iter().filter_map(best).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let first = all.len().saturating_sub(2);
    let said: Vec<String> = all.split_off(first).into_iter().map(|(_, text)| text).collect();
    (!said.is_empty()).then(|| said.join(", "))
}
