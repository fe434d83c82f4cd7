//! The chart of a climb: a bar for each step, as long as the load that it carries.

use super::super::capacity::load;
use super::super::climb::{about, binds, carried, steps, title};
use super::super::number::number;
use super::plot::{Axis, Bar, Bars, Body, Chart, Unit};
use crate::experiment::capacity::LoadUnit;
use crate::experiment::climb::{ClimbResult, Step};

/// The bars; none if the steps have loads in different units, or no step carries any.
#[must_use]
pub fn charts(result: &ClimbResult) -> Vec<Chart> {
    let rows: Vec<Bar> = result.steps.iter().filter_map(bar).collect();
    let (Some(unit), false) = (result.unit(), rows.is_empty()) else { return Vec::new() };
    let axis = match unit {
        LoadUnit::Users => "users",
        LoadUnit::PerS => "load (requests/s)",
        LoadUnit::Times => "times the scenario's load",
    };
    let title = title(result);
    vec![Chart {
        name: "climb".into(),
        alt: format!("Bars of the load that each step carries. {title}."),
        subtitle: format!("{}; whisker = 95 % confidence interval", about(result)),
        title,
        body: Body::Bars(Bars { axis: Axis::linear(axis, Unit::Count), rows, legend: Vec::new() }),
        table: steps(result),
    }]
}

fn bar(step: &Step) -> Option<Bar> {
    let (value, unit) = carried(step)?;
    let price = step.at()?.cost_usd_per_million.filter(|price| *price > 0.0);
    let mut notes = vec![load(value, unit)];
    notes.extend(binds(step));
    notes.extend(price.map(|price| format!("USD {} a million", number(super::rounded(price)))));
    Some(Bar {
        label: step.name.clone(),
        parts: vec![(value, 0)],
        interval: step.capacity.low.zip(step.capacity.high),
        note: notes.join(" · "),
    })
}
