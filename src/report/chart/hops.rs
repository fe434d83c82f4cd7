//! Where the time of a request goes: the mean response time as a bar of what each hop adds.

use super::super::number::{percent, time_ms};
use super::plot::{Axis, Bar, Bars, Body, Chart, Table, Unit};
use super::{about, briefs};
use crate::experiment::result::{ComponentResult, RunResult};

/// Largest number of separate parts; smaller parts are combined.
const PARTS_MAX: usize = 6;

/// Smallest share of the whole that a part is shown for.
const PART_MIN: f64 = 0.001;

/// The chart; `None` without a steady state, or if calls run in parallel, so that the parts do not add up.
#[must_use]
pub fn chart(result: &RunResult) -> Option<Chart> {
    if !result.steady_state.times_are_steady() {
        return None;
    }
    let whole = result.metrics.response_ms.mean.mean.filter(|whole| *whole > 0.0)?;
    let requests = result.metrics.outcomes.ok.mean.filter(|requests| *requests > 0.0)?;
    let mut parts = groups(result, requests);
    let at_hops: f64 = parts.iter().map(|part| part.1).sum();
    let rest = whole - at_hops;
    // The rest may be slightly negative: calls of requests that have not ended count for the hops only. A larger
    // negative rest means parallel calls.
    if rest < -0.02 * whole {
        return None;
    }
    parts.push(("network to clients".into(), rest));
    parts.retain(|part| part.1 > PART_MIN * whole);
    let (most, time) = parts.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let told = briefs(&[whole, *time]);
    let title = format!("Of {} a request spends {} at {most}", told[0], told[1]);
    let title = title.replace("at network", "on the network");
    let subtitle = about(
        result,
        "mean times; a part is what a hop adds: its work, its queue, and the network to the hops that it asks. \
         What is left is the network to the clients, with names and pauses before retries",
    );
    let table = Table::new(
        ["hop", "time of a request", "share"],
        parts.iter().map(|(name, time)| row(name, *time, whole)).collect(),
    );
    let shown = together(parts);
    let times: Vec<f64> = shown.iter().map(|part| part.1).collect();
    let legend = shown.iter().zip(briefs(&times)).enumerate();
    let legend = legend.map(|(colour, ((name, _), time))| (format!("{name} {time}"), colour));
    let bars = Bars {
        axis: Axis::linear("response time", Unit::Ms),
        legend: legend.collect(),
        rows: vec![Bar {
            label: "all requests".into(),
            parts: shown.iter().enumerate().map(|(colour, part)| (part.1, colour)).collect(),
            interval: None,
            note: time_ms(whole, result.metrics.response_ms.mean.half_width),
        }],
    };
    Some(Chart {
        name: "hops".into(),
        alt: format!("A bar of where the time of a request goes, by hop. {title}."),
        title,
        subtitle,
        body: Body::Bars(bars),
        table,
    })
}

/// Each group with the time that a request spends there, in ms, in the order of the result.
fn groups(result: &RunResult, requests: f64) -> Vec<(String, f64)> {
    let mut groups: Vec<(String, f64)> = Vec::new();
    for (_, component) in result.components.iter() {
        let time = own(component) / requests;
        match groups.iter_mut().find(|(group, _)| *group == component.group) {
            Some((_, sum)) => *sum += time,
            None => groups.push((component.group.clone(), time)),
        }
    }
    groups
}

/// Time that all calls of a trial together spend at the component itself, in ms.
fn own(component: &ComponentResult) -> f64 {
    component.own_ms.mean.unwrap_or(0.0) * component.outcomes.ok.mean.unwrap_or(0.0)
}

fn row(name: &str, time: f64, whole: f64) -> Vec<String> {
    vec![name.to_owned(), time_ms(time, None), percent(time / whole)]
}

/// The largest parts in their order, and the others combined into one.
fn together(parts: Vec<(String, f64)>) -> Vec<(String, f64)> {
    if parts.len() <= PARTS_MAX {
        return parts;
    }
    let mut sizes: Vec<f64> = parts.iter().map(|part| part.1).collect();
    sizes.sort_by(|a, b| b.total_cmp(a));
    let least = sizes[PARTS_MAX - 2];
    let (mut shown, small): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| part.1 >= least);
    shown.push((format!("{} others", small.len()), small.iter().map(|part| part.1).sum()));
    shown
}
