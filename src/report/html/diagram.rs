//! The diagram of a scenario as an SVG: clients at the top, each box below those that call it.

use super::super::chart::escaped;
use super::super::chart::utilisation::ALARMING;
use super::super::number::{percent, share};
use crate::experiment::result::{ComponentResult, RunResult};
use crate::model::resource::CPU;
use crate::scenario::{BoxEntry, graph};

/// Width and height of a box and the space between boxes, in pixels.
const WIDE: usize = 168;
const HIGH: usize = 62;
const GAP: usize = 24;
const DROP: usize = 40;

/// Pixels to the right of the boxes that the control points of a curved arrow use.
const AROUND: usize = 56;

/// Number of characters of a name that fit into a box.
const NAME_MAX: usize = 19;

/// The position of a box: its row from the top, and its left edge in pixels.
struct Place<'a> {
    entry: &'a BoxEntry,
    row: usize,
    x: usize,
}

impl Place<'_> {
    fn y(&self) -> usize {
        self.row * (HIGH + DROP)
    }
}

/// The diagram as SVG, with the measured utilisation in the boxes.
pub(super) fn svg(boxes: &[BoxEntry], result: &RunResult) -> String {
    let edges = graph::edges(boxes);
    let places = places(boxes, &edges);
    let width = places.iter().map(|place| place.x + WIDE).max().unwrap_or(WIDE);
    let height = places.iter().map(|place| place.y() + HIGH).max().unwrap_or(HIGH);
    let find = |name: &str| places.iter().find(|place| place.entry.name == name);
    let goes_around = edges.iter().any(|(from, to)| match (find(from), find(to)) {
        (Some(from), Some(to)) => to.row > from.row + 1,
        _ => false,
    });
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"-4 -4 {0} {1}\" role=\"img\" aria-label=\"{2}\">\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">\
         <path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n",
        // The curve itself reaches only three quarters of the way to its control points.
        width + if goes_around { 8 + AROUND } else { 8 },
        height + 8,
        escaped(&told(boxes, &edges))
    );
    for (from, to) in &edges {
        if let (Some(from), Some(to)) = (find(from), find(to)) {
            out += &arrow(from, to);
        }
    }
    for place in &places {
        out += &drawn(place, result);
    }
    out + "</svg>"
}

/// The diagram in words, for screen readers.
fn told(boxes: &[BoxEntry], edges: &[(String, String)]) -> String {
    let arrows: Vec<String> = edges.iter().map(|(from, to)| format!("{from} calls {to}")).collect();
    let hosts: Vec<String> =
        graph::hosts(boxes).map(|(guest, host)| format!("{guest} runs on {host}")).collect();
    format!("Diagram of {} boxes: {}", boxes.len(), [arrows, hosts].concat().join(", "))
}

/// The position of each box: one row below the lowest box that calls it, with rows centred.
fn places<'a>(boxes: &'a [BoxEntry], edges: &[(String, String)]) -> Vec<Place<'a>> {
    let index = |name: &str| boxes.iter().position(|entry| entry.name == name);
    let mut rows = vec![0; boxes.len()];
    // Calls do not form a circle, so there are at most as many rows as boxes.
    for _ in 0..boxes.len() {
        for (from, to) in edges {
            if let (Some(from), Some(to)) = (index(from), index(to)) {
                rows[to] = rows[to].max((rows[from] + 1).min(boxes.len()));
            }
        }
    }
    let last = rows.iter().copied().max().unwrap_or(0);
    let in_row = |row: usize| rows.iter().filter(|one| **one == row).count();
    let most = (0..=last).map(in_row).max().unwrap_or(1);
    let mut places = Vec::new();
    for row in 0..=last {
        let offset = (most - in_row(row)) * (WIDE + GAP) / 2;
        let here = boxes.iter().zip(&rows).filter(|(_, one)| **one == row);
        places.extend(here.enumerate().map(|(at, (entry, _))| Place {
            entry,
            row,
            x: offset + at * (WIDE + GAP),
        }));
    }
    places
}

/// An arrow. To the next row it goes straight down; to a lower row it goes around the boxes in between, on their right.
fn arrow(from: &Place<'_>, to: &Place<'_>) -> String {
    if to.row > from.row + 1 {
        let (x1, y1) = (from.x + WIDE, from.y() + HIGH / 2);
        let (x2, y2) = (to.x + WIDE + 3, to.y() + HIGH / 2);
        let out = x1.max(x2) + AROUND;
        return format!(
            "<path d=\"M{x1} {y1}C{out} {y1} {out} {y2} {x2} {y2}\" marker-end=\"url(#tip)\"/>\n"
        );
    }
    let (x1, y1) = (from.x + WIDE / 2, from.y() + HIGH);
    let (x2, y2) = (to.x + WIDE / 2, to.y().saturating_sub(3));
    let middle = y1.midpoint(y2);
    format!("<path d=\"M{x1} {y1}C{x1} {middle} {x2} {middle} {x2} {y2}\" marker-end=\"url(#tip)\"/>\n")
}

fn drawn(place: &Place<'_>, result: &RunResult) -> String {
    let (entry, x, y) = (place.entry, place.x, place.y());
    let middle = x + WIDE / 2;
    let members = entry.machines();
    let times = if members > 1 { format!(" ×{members}") } else { String::new() };
    let host = entry.spec.host().map_or(String::new(), |host| format!(" on {host}"));
    let bottleneck = result.bottleneck.as_ref().filter(|bottleneck| {
        let name = &bottleneck.component;
        *name == entry.name || result.components.get(name).is_some_and(|one| one.group == entry.name)
    });
    let busy = match bottleneck {
        Some(other) if other.resource != CPU => {
            format!("{} {}", other.resource, share(other.utilisation, None))
        }
        _ => busy(&entry.name, result).unwrap_or_default(),
    };
    let is_alarming = bottleneck.is_some_and(|bottleneck| bottleneck.utilisation > ALARMING);
    let class = if is_alarming { " class=\"binds\"" } else { "" };
    format!(
        "<g{class}><rect x=\"{x}\" y=\"{y}\" width=\"{WIDE}\" height=\"{HIGH}\" rx=\"6\"/>\
         <text class=\"name\" x=\"{middle}\" y=\"{}\">{}</text>\
         <text x=\"{middle}\" y=\"{}\">{}</text><text x=\"{middle}\" y=\"{}\">{busy}</text></g>\n",
        y + 20,
        escaped(&fitting(&format!("{}{times}", entry.name))),
        y + 37,
        escaped(&fitting(&format!("{}{host}", entry.kind))),
        y + 53,
    )
}

fn fitting(text: &str) -> String {
    if text.chars().count() <= NAME_MAX {
        return text.to_owned();
    }
    text.chars().take(NAME_MAX - 1).chain(['…']).collect()
}

/// Utilisation of the cores of a group as text: the mean over its machines, or the busiest one if they differ.
fn busy(group: &str, result: &RunResult) -> Option<String> {
    let own = |(name, component): (&str, &ComponentResult)| {
        let is_host = component.machine.as_ref().is_some_and(|machine| machine.host == name);
        component.utilisation.as_ref().filter(|_| is_host && component.group == group)?.mean
    };
    let all: Vec<f64> = result.components.iter().filter_map(own).collect();
    let most = all.iter().copied().reduce(f64::max)?;
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    let up_to = if most - mean > 0.1 * most { "up to " } else { "" };
    let shown = if up_to.is_empty() { mean } else { most };
    Some(format!("{up_to}{} busy", percent((shown * 1e3).round() / 1e3)))
}
