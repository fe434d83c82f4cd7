//! `Take`: what calls at a box take of a resource, its own or that of a box on whose machine it runs.

use super::graph::CallGraph;
use super::{ResourceLoad, owner};
use crate::model::resource::{BYTES, Hold, LINK, Meter, Noun, Resource};
use crate::model::spec::{Demand, RequestClass};
use crate::scenario::places::Ways;

/// What one call at a box takes of a resource.
#[derive(Clone, Debug)]
pub(super) struct Take {
    /// Index of the resource.
    pub(super) row: usize,
    /// Index of the box.
    pub(super) at: usize,
    /// The amount, by class.
    pub(super) all: Vec<f64>,
    /// The part of it for which the caller waits, by class.
    pub(super) waited: Vec<f64>,
    /// The share of the calls at the box that come to the members that have the resource, by class.
    pub(super) visits: Vec<f64>,
}

/// Everything that calls take. The demands of slots are filled in.
pub(super) fn takes(graph: &CallGraph<'_>, rows: &mut Vec<ResourceLoad>, ways: &Ways) -> Vec<Take> {
    let mut takes = Vec::new();
    for (row, one) in rows.iter_mut().enumerate() {
        let Some(&at) = graph.index.get(one.name.as_str()) else { continue };
        let resource = &mut one.resource;
        if !resource.holds.is_empty() {
            let held = |(class, hold): (usize, &Hold)| {
                resource.share(class) * hold.amount * graph.held_s(at, class, hold)
            };
            resource.demand = resource.holds.iter().enumerate().map(held).collect();
        }
        takes.push(own(row, at, one, graph.classes.len()));
    }
    takes.extend(of_guests(graph, rows));
    takes.extend(beyond(graph, rows));
    takes.extend(links(graph, rows, ways));
    takes.retain(|take| take.all.iter().any(|amount| *amount > 0.0));
    takes
}

fn own(row: usize, at: usize, load: &ResourceLoad, classes: usize) -> Take {
    let resource = &load.resource;
    let demand = |class: usize| resource.demand.get(class).copied().unwrap_or(0.0);
    // Each member applies what others have written, so that those that are down leave their part undone.
    let left = f64::from(load.left) / f64::from(resource.holders());
    let done = if resource.is_divided { left } else { 1.0 };
    let waited: Vec<f64> = (0..classes).map(|class| done * demand(class) * resource.waited(class)).collect();
    let all =
        waited.iter().enumerate().map(|(class, waited)| waited + (demand(class) - waited) * left).collect();
    Take { row, at, all, waited, visits: (0..classes).map(|class| resource.share(class)).collect() }
}

/// The cores that boxes take on the machines of others.
fn of_guests(graph: &CallGraph<'_>, rows: &[ResourceLoad]) -> Vec<Take> {
    let mut takes = Vec::new();
    for (at, entry) in graph.boxes.iter().enumerate().filter(|(_, entry)| entry.spec.host().is_some()) {
        let is_hosts = |one: &ResourceLoad| one.name == owner(entry) && one.resource.meter == Meter::Cores;
        let Some(row) = rows.iter().position(is_hosts) else { continue };
        let all: Vec<f64> = graph.demands[at].iter().map(|demand| demand.cpu_s).collect();
        let visits = vec![1.0; all.len()];
        takes.push(Take { row, at, waited: all.clone(), all, visits });
    }
    takes
}

/// What queries cost that ask for more than their own entity, at the box that is asked.
fn beyond(graph: &CallGraph<'_>, rows: &[ResourceLoad]) -> Vec<Take> {
    let classes = graph.classes.len();
    let mut takes = Vec::new();
    for (at, by_class) in graph.beyond.iter().enumerate() {
        for (class, one) in
            by_class.iter().enumerate().flat_map(|(class, all)| all.iter().map(move |one| (class, one)))
        {
            let asked = &graph.boxes[one.to];
            for (row, load) in rows.iter().enumerate() {
                let is_own = load.name == asked.name;
                let amount = match load.resource.meter {
                    Meter::Cores if load.name == owner(asked) => one.cost.cpu_s,
                    Meter::Disk if is_own => one.cost.operations,
                    _ if is_own && one.cost.others > 0.0 => 0.0,
                    _ => continue,
                };
                let share = if is_own { load.resource.share(class) } else { 1.0 };
                // Of the further shards, those of this row, and what a query takes there.
                let done = f64::from(load.left) / f64::from(load.resource.holders());
                let done = if is_own && load.resource.is_divided { done } else { 1.0 };
                let others = if is_own { load.resource.others(class) * one.cost.others_share } else { 0.0 };
                let each = if share > 0.0 {
                    load.resource.demand.get(class).map_or(0.0, |all| all / share)
                } else {
                    0.0
                };
                let (mut all, mut visits) = (vec![0.0; classes], vec![0.0; classes]);
                all[class] = done * (amount * (share + others) + one.queries * others * each);
                visits[class] = one.queries * others;
                takes.push(Take { row, at, waited: all.clone(), all, visits });
            }
        }
    }
    takes
}

/// The answers that links with a bandwidth carry. Each direction of a link that carries any becomes a resource.
fn links(graph: &CallGraph<'_>, rows: &mut Vec<ResourceLoad>, ways: &Ways) -> Vec<Take> {
    let members = |name: &str| graph.index.get(name).map_or(0, |&at| graph.boxes[at].spec.members());
    let mut takes = Vec::new();
    for (number, link) in ways.links.iter().enumerate() {
        let Some(bandwidth) = link.bandwidth else { continue };
        let [one, other] = &link.between;
        for (from, to) in [(one, other), (other, one)] {
            let Some(&at) = graph.index.get(to.as_str()) else { continue };
            let bytes = |(demand, class): (&Demand, &RequestClass)| {
                let calls = demand.calls.iter().filter(|(name, _)| name == from);
                calls.map(|(_, times)| times * class.response_bytes as f64).sum()
            };
            let all: Vec<f64> = graph.demands[at].iter().zip(graph.classes).map(bytes).collect();
            if all.iter().all(|bytes| *bytes == 0.0) {
                continue;
            }
            let pairs = f64::from(members(from)) * f64::from(members(to));
            let link = (LINK, Noun::One("the link"), BYTES);
            let link = Resource::rate(link, 0..1, bandwidth.0 as f64 * pairs, all.clone());
            let row = rows.len();
            let name = format!("{from} to {to}");
            rows.push(ResourceLoad::idle(
                name.clone(),
                name,
                format!("network.link[{number}].bandwidth"),
                link,
            ));
            takes.push(Take { row, at, waited: all.clone(), visits: vec![1.0; all.len()], all });
        }
    }
    takes
}
