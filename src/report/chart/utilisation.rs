//! Utilisation of the cores and the disk of each component.

use super::super::number::share;
use super::about;
use super::plot::{Axis, Bar, Bars, Body, Chart, Table, Unit};
use crate::experiment::result::{ComponentResult, Figure, RunResult};

/// Largest number of bars; of more, only the busiest are shown.
const BARS_MAX: usize = 24;

/// Indices of the colours of the bottleneck and of all others.
const BINDS: usize = 1;
const OTHER: usize = 0;

/// The chart; `None` if no component has a machine that did any work.
#[must_use]
pub fn chart(result: &RunResult) -> Option<Chart> {
    let mut found: Vec<(String, String, Figure, bool)> = Vec::new();
    for (name, component) in result.components.iter() {
        for (resource, figure) in resources(name, component) {
            let binds = result.bottleneck.as_ref().is_some_and(|bottleneck| {
                (bottleneck.component == name || bottleneck.component == component.group)
                    && (bottleneck.resource == "disk") == (resource == "disk")
            });
            found.push((name.to_owned(), resource.to_owned(), figure, binds));
        }
    }
    let all = found.len();
    // Sorted only if some are left out; otherwise the order of the scenario is easier to read.
    if all > BARS_MAX {
        found.sort_by(|a, b| b.2.mean.total_cmp_or_last(a.2.mean));
        found.truncate(BARS_MAX);
    }
    let title = title(result, &found)?;
    let left_out = if all > BARS_MAX { format!("the {BARS_MAX} busiest of {all}; ") } else { String::new() };
    let subtitle = about(
        result,
        &format!(
            "{left_out}share of the time that cores and disks are busy, whisker = 95 % confidence interval"
        ),
    );
    let rows: Vec<Bar> = found.iter().map(bar).collect();
    let cells = found.iter().map(|(name, resource, figure, _)| {
        vec![
            name.clone(),
            resource.clone(),
            figure.mean.map_or(String::new(), |mean| share(mean, figure.half_width)),
        ]
    });
    let table = Table::new(["component", "resource", "busy"], cells.collect());
    let axis = Axis { reach: Some(1.0), ..Axis::linear("busy", Unit::Share) };
    Some(Chart {
        name: "utilisation".into(),
        alt: format!("Bars of how busy each component is. {title}."),
        title,
        subtitle,
        body: Body::Bars(Bars { axis, rows, legend: Vec::new() }),
        table,
    })
}

/// The cores and the disk of a machine; only its host shows them.
fn resources(name: &str, component: &ComponentResult) -> Vec<(&'static str, Figure)> {
    if component.machine.as_ref().is_none_or(|machine| machine.host != name) {
        return Vec::new();
    }
    let cores = component.utilisation.clone().map(|figure| ("cores", figure));
    let disk = component.disk_utilisation.clone().map(|figure| ("disk", figure));
    [cores, disk].into_iter().flatten().filter(|(_, figure)| figure.mean.is_some()).collect()
}

fn bar((name, resource, figure, binds): &(String, String, Figure, bool)) -> Bar {
    let mean = figure.mean.unwrap_or(0.0);
    Bar {
        label: if resource == "cores" { name.clone() } else { format!("{name}, {resource}") },
        parts: vec![(mean, if *binds { BINDS } else { OTHER })],
        interval: figure.interval().map(|(low, high)| (low.max(0.0), high.min(1.0))),
        note: share(mean, figure.half_width),
    }
}

fn title(result: &RunResult, found: &[(String, String, Figure, bool)]) -> Option<String> {
    let busiest = found.iter().max_by(|a, b| a.2.mean.total_cmp_or_last(b.2.mean))?;
    let busy = busiest.2.mean.filter(|busy| *busy > 0.0)?;
    let slots =
        result.bottleneck.as_ref().filter(|bottleneck| !matches!(bottleneck.resource, "cpu" | "disk"));
    Some(match slots {
        Some(slots) => format!(
            "The {} of {} bind, {} in use; the busiest {} are those of {}, {}",
            slots.resource,
            slots.component,
            share(slots.utilisation, None),
            busiest.1,
            busiest.0,
            share(busy, None)
        ),
        None => {
            let bottleneck = result.bottleneck.as_ref()?;
            let what = if bottleneck.resource == "disk" { "disk" } else { "cores" };
            let is = if what == "disk" { "is" } else { "are" };
            format!(
                "The {what} of {} {is} the busiest: {}",
                bottleneck.component,
                share(bottleneck.utilisation, None)
            )
        }
    })
}

/// Order for figures that may be missing.
trait OrLast {
    fn total_cmp_or_last(&self, other: Self) -> std::cmp::Ordering;
}

impl OrLast for Option<f64> {
    fn total_cmp_or_last(&self, other: Option<f64>) -> std::cmp::Ordering {
        self.unwrap_or(f64::NEG_INFINITY).total_cmp(&other.unwrap_or(f64::NEG_INFINITY))
    }
}
