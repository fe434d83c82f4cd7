//! Throughput and p99 against the price of the machines per hour, one line a design.

use super::super::number::number;
use super::load::{Design, table};
use super::plot::{Axis, Body, Chart, Curve, Lines, Panel, Point, Table, Unit};
use super::three;

/// Both charts, one below the other, against USD an hour; the points of a design are its sizes. `None` without two
/// sizes.
#[must_use]
pub fn chart(designs: &[Design], about: &str) -> Option<Chart> {
    if !designs.iter().any(|design| design.throughput.len() > 1) {
        return None;
    }
    let curves = |of: fn(&Design) -> &Vec<Point>| -> Vec<Curve> {
        let curve = |(colour, design): (usize, &Design)| Curve {
            label: design.label.clone(),
            colour: Some(colour),
            points: of(design).clone(),
            dots: true,
            knee: None,
        };
        designs.iter().enumerate().map(curve).collect()
    };
    let throughput = Panel {
        y: Axis::linear("requests a second", Unit::Count),
        height: 250.0,
        curves: curves(|design| &design.throughput),
        ideal: None,
    };
    let tail = curves(|design| &design.p99);
    let mut panels = vec![throughput];
    if tail.iter().flat_map(|curve| &curve.points).any(|point| point.y.is_finite()) {
        panels.push(Panel {
            y: Axis::log("p99 of the response time", Unit::Ms),
            height: 170.0,
            curves: tail,
            ideal: None,
        });
    }
    let title = title(designs)?;
    let Table { header, rows } = table("USD an hour", designs, |design| &design.throughput);
    Some(Chart {
        name: "cost".into(),
        alt: format!(
            "Throughput and response times against the price of the machines, one line a design. {title}."
        ),
        title,
        subtitle: format!("{about}, band = 95 % confidence interval; a line ends where its design ends"),
        body: Body::Lines(Lines {
            x: Axis { reach: Some(0.0), ..Axis::linear("USD an hour", Unit::Usd) },
            panels,
            shades: Vec::new(),
        }),
        table: Table { header, rows },
    })
}

/// The largest throughput per dollar of each design, the best design first.
fn title(designs: &[Design]) -> Option<String> {
    let best = |design: &Design| {
        let most = design
            .throughput
            .iter()
            .filter(|point| point.y.is_finite())
            .max_by(|a, b| a.y.total_cmp(&b.y))?;
        Some((design.label.clone(), most.y, most.x))
    };
    let mut all: Vec<(String, f64, f64)> = designs.iter().filter_map(best).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    let says = |(label, most, price): &(String, f64, f64)| {
        format!("{label} reaches {}/s for USD {} an hour", three(*most), number(*price))
    };
    let said: Vec<String> = all.iter().take(2).map(says).collect();
    (!said.is_empty()).then(|| said.join(", "))
}
