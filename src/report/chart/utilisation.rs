//! Utilisation of the cores and the disk of each component.

use super::super::number::share;
use super::plot::{Axis, Bar, Bars, Body, Chart, Table, Unit};
use super::{about, brief_share};
use crate::experiment::result::{ComponentResult, Figure, RunResult};
use crate::model::resource::{CPU, DISK};

/// Largest number of bars; of more, only the busiest are shown.
const BARS_MAX: usize = 24;

/// From this use on a bottleneck has the colour of an alarm.
pub(in super::super) const ALARMING: f64 = 0.8;

/// Indices of the colours of the bottleneck and of all others.
pub(super) const BINDS: usize = 1;
const OTHER: usize = 0;

/// The chart; `None` if nothing that is limited was in use.
#[must_use]
pub fn chart(result: &RunResult) -> Option<Chart> {
    let mut found: Vec<(String, String, Figure, bool)> = Vec::new();
    for (name, component) in result.components.iter() {
        for (resource, figure) in resources(name, component) {
            let code = if resource == "cores" { CPU } else { resource };
            let binds = result.bottleneck.as_ref().is_some_and(|bottleneck| {
                (bottleneck.component == name || bottleneck.component == component.group)
                    && bottleneck.resource == code
            });
            found.push((name.to_owned(), resource.to_owned(), figure, binds));
        }
    }
    // Workers, pools and other limits have a bar where they bind.
    let other =
        result.bottleneck.as_ref().filter(|one| !found.iter().any(|row| row.3) && one.utilisation > 0.0);
    if let Some(one) = other {
        let figure = Figure { mean: Some(one.utilisation), ..Figure::default() };
        found.insert(0, (one.component.clone(), one.resource.to_owned(), figure, true));
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
        parts: vec![(mean, if *binds && mean > ALARMING { BINDS } else { OTHER })],
        interval: figure.interval().map(|(low, high)| (low.max(0.0), high.min(1.0))),
        note: share(mean, figure.half_width),
    }
}

fn title(result: &RunResult, found: &[(String, String, Figure, bool)]) -> Option<String> {
    let machines = found.iter().filter(|row| ["cores", "disk"].contains(&row.1.as_str()));
    let busiest = machines.max_by(|a, b| a.2.mean.total_cmp_or_last(b.2.mean));
    let others = busiest.and_then(|one| {
        let busy = one.2.mean.filter(|busy| *busy > 0.0)?;
        Some(format!("; the busiest {} are those of {}, {}", one.1, one.0, brief_share(busy)))
    });
    let bottleneck = result.bottleneck.as_ref()?;
    let used = brief_share(bottleneck.utilisation);
    let of = &bottleneck.component;
    Some(match bottleneck.resource {
        CPU => format!("The cores of {of} are the busiest: {used}"),
        DISK => format!("The disk of {of} is the busiest: {used}"),
        other => format!("{of}, {other}: {used} in use{}", others.unwrap_or_default()),
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
