//! What binds: the resource with the highest use, unless it is only held by calls that wait for another one.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::resource::{CPU, DISK, MEMORY, Meter, Resource, Sort};
use crate::model::spec::Offered;
use crate::scenario::Scenario;
use crate::scenario::load::{ResourceLoad, StaticLoad};

use super::super::result::{Bottleneck, ComponentResult, Figure, RunResult};
use crate::scenario::expression::Stat;

/// Members of a group whose mean use is less than this share below the busiest are taken for alike.
const ALIKE: f64 = 0.1;

/// What calls hold while they wait binds only if it is busier than what they may wait for by more than this share.
const CLEARLY_BUSIER: f64 = 0.1;

/// What no request waits for does not bind where something that requests wait for is at least this busy.
const BUSY: f64 = 0.8;

/// The use of one resource of one member, or of all members of a box.
#[derive(Clone, Debug)]
struct Use {
    /// The box.
    group: String,
    /// The member, or the box.
    component: String,
    resource: &'static str,
    sort: Sort,
    /// 0..1.
    used: f64,
    /// Whether a request waits for it. What is done behind a queue binds nobody's answer.
    is_awaited: bool,
}

/// The resource that binds.
pub(in super::super) fn bottleneck(scenario: &Scenario, result: &RunResult) -> Option<Bottleneck> {
    let load = scenario.load();
    let members = measured(scenario, result);
    let mut found: Vec<Use> = Vec::new();
    let names: BTreeSet<(&str, &str)> =
        members.iter().map(|one| (one.group.as_str(), one.resource)).collect();
    for (group, resource) in names {
        let mates: Vec<&Use> =
            members.iter().filter(|one| one.group == group && one.resource == resource).collect();
        found.extend(busiest(&mates));
    }
    found.extend(by_law(&load, result, &found));
    let below = below(scenario, &load);
    let awaited = awaited(scenario, &load);
    for one in &mut found {
        one.is_awaited &= awaited.contains(&one.group);
    }
    // What piles up without end binds, however busy the boxes are that requests wait for.
    if let (true, Some(queue)) = (result.steady_state.is_backlog, &result.steady_state.component) {
        let behind = below.get(queue);
        found.retain(|one| {
            one.group == *queue || behind.is_some_and(|behind: &BTreeSet<String>| behind.contains(&one.group))
        });
    }
    let is_held = found.iter().any(|one| one.is_awaited && one.used >= BUSY);
    let binds = |one: &&Use| {
        one.used > 0.0
            && (one.is_awaited || !is_held)
            && !found.iter().any(|other| explains(other, one, &below))
    };
    // Of equals the first in the scenario's order.
    let order = |one: &Use| load.boxes.iter().position(|entry| entry.name == one.group);
    let most =
        found.iter().filter(binds).min_by(|a, b| b.used.total_cmp(&a.used).then(order(a).cmp(&order(b))))?;
    Some(Bottleneck { component: most.component.clone(), resource: most.resource, utilisation: most.used })
}

/// The busiest of the members, or all of them if they are alike.
fn busiest(mates: &[&Use]) -> Option<Use> {
    let most = mates.iter().copied().reduce(|most, one| if one.used > most.used { one } else { most })?;
    let average = mates.iter().map(|one| one.used).sum::<f64>() / mates.len() as f64;
    let are_alike = most.used - average <= ALIKE * most.used && mates.len() > 1;
    Some(if are_alike {
        Use { component: most.group.clone(), used: average, ..most.clone() }
    } else {
        most.clone()
    })
}

/// Whether calls hold `one` only because they wait for `other`: that is as busy, and of the same box or of one behind it.
fn explains(other: &Use, one: &Use, below: &BTreeMap<String, BTreeSet<String>>) -> bool {
    let is_behind = match below.get(&one.group) {
        Some(behind) if other.group != one.group => behind.contains(&other.group),
        _ => other.group == one.group && other.sort == Sort::Rate || holds_within(other, one),
    };
    one.sort == Sort::Slots && is_behind && one.used <= other.used + CLEARLY_BUSIER
}

/// Whether calls hold the slots `one` of a box while they wait for its slots `other`.
fn holds_within(other: &Use, one: &Use) -> bool {
    other.group == one.group
        && other.resource != one.resource
        && one.resource != MEMORY
        && other.used > one.used
}

/// The boxes behind each box, by name; a host has those of its guests and the guests themselves.
fn below(scenario: &Scenario, load: &StaticLoad) -> BTreeMap<String, BTreeSet<String>> {
    let mut all = BTreeMap::new();
    for (at, entry) in scenario.boxes.iter().enumerate() {
        let mut seen = BTreeSet::new();
        let mut open = load.callees[at].clone();
        while let Some(next) = open.pop() {
            if seen.insert(next) {
                open.extend(&load.callees[next]);
            }
        }
        // The cores of a box on another's machine are those of its host.
        let names = seen.into_iter().chain([at]).flat_map(|at| {
            let entry = &scenario.boxes[at];
            entry.spec.host().map(str::to_owned).into_iter().chain([entry.name.clone()])
        });
        let behind: BTreeSet<String> = names.filter(|name| *name != entry.name).collect();
        all.insert(entry.name.clone(), behind);
    }
    all
}

/// The boxes for whose answers some request waits, and the hosts of those.
fn awaited(scenario: &Scenario, load: &StaticLoad) -> BTreeSet<String> {
    let waits = |at: usize, next: usize| {
        let name = &scenario.boxes[next].name;
        scenario.classes.iter().any(|class| {
            let demand = scenario.boxes[at].spec.demand(class);
            demand.calls.iter().any(|(called, _)| called == name) || demand.later.is_empty()
        })
    };
    let clients = load.clients.iter().map(|client| client.name.as_str());
    let index = |name: &str| scenario.boxes.iter().position(|entry| entry.name == name);
    let mut open: Vec<usize> = clients.filter_map(index).collect();
    let mut seen: BTreeSet<usize> = open.iter().copied().collect();
    while let Some(at) = open.pop() {
        for next in load.callees[at].iter().copied().filter(|next| waits(at, *next)) {
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    let named = seen.into_iter().flat_map(|at| {
        let entry = &scenario.boxes[at];
        entry.spec.host().map(str::to_owned).into_iter().chain([entry.name.clone()])
    });
    named.collect()
}

/// Resources that nobody has measured, by the utilisation law: what a request takes of them, times the measured requests.
fn by_law(load: &StaticLoad, result: &RunResult, measured: &[Use]) -> Vec<Use> {
    let rate = |offered: &Offered, most: f64| if let Offered::Open(rate) = offered { *rate } else { most };
    let expected: f64 = load.clients.iter().map(|client| rate(&client.offered, client.throughput_max)).sum();
    let share = |figure: &Figure| figure.mean.unwrap_or(0.0) / expected;
    let (answered, asked) = (share(&result.metrics.throughput_rps), share(&result.metrics.offered_rps));
    let is_known = |row: &ResourceLoad| {
        measured.iter().any(|one| one.group == row.name && one.resource == row.resource.name)
    };
    let needs_law = |meter: Meter| matches!(meter, Meter::Law | Meter::Gauge(_));
    let rows = load.resources.iter().filter(|row| needs_law(row.resource.meter) && !is_known(row));
    rows.filter_map(|row| {
        // A limit also counts the calls that it turns away.
        let share = if row.resource.sort == Sort::Limit { asked } else { answered };
        let used = (share * row.utilisation()).min(1.0);
        (used > 0.0).then(|| of_row(row, row.name.clone(), used))
    })
    .collect()
}

fn of_row(row: &ResourceLoad, component: String, used: f64) -> Use {
    let Resource { name, sort, ref later, .. } = row.resource;
    let is_awaited = later.is_empty() || later.iter().any(|share| *share < 1.0);
    Use { group: row.name.clone(), component, resource: name, sort, used, is_awaited }
}

/// How busy each measured resource of each component is.
fn measured(scenario: &Scenario, result: &RunResult) -> Vec<Use> {
    let entries = scenario.boxes.iter();
    let resources: BTreeMap<&str, Vec<Resource>> =
        entries.map(|entry| (entry.name.as_str(), entry.spec.resources(&scenario.classes))).collect();
    let nothing = Vec::new();
    let of = |(name, component): (&str, &ComponentResult)| {
        let declared = resources.get(component.group.as_str()).unwrap_or(&nothing);
        let group = component.group.clone();
        let uses = uses(name, component, declared, result.duration_s).into_iter();
        let named = name.to_owned();
        uses.map(move |(resource, sort, used)| Use {
            group: group.clone(),
            component: named.clone(),
            resource,
            sort,
            used,
            is_awaited: true,
        })
        .collect::<Vec<Use>>()
    };
    result.components.iter().flat_map(|(name, component)| of((name, component))).collect()
}

/// How busy each measured resource of a component is. The cores and the disk of a machine count for its host alone.
fn uses(
    name: &str,
    component: &ComponentResult,
    declared: &[Resource],
    duration_s: f64,
) -> Vec<(&'static str, Sort, f64)> {
    let mut uses = Vec::new();
    let mean = |figure: &Option<Figure>| figure.as_ref().and_then(|figure| figure.mean);
    let machine = component.machine.as_ref();
    if machine.is_some_and(|machine| machine.host == name) {
        uses.push((CPU, Sort::Rate, mean(&component.utilisation).unwrap_or(0.0)));
        uses.extend(mean(&component.disk_utilisation).map(|disk| (DISK, Sort::Rate, disk)));
    }
    let is_full = component.outcomes.out_of_memory.mean.is_some_and(|calls| calls > 0.0);
    if let Some(machine) = machine.filter(|_| is_full) {
        let used = mean(&component.memory_bytes_max).unwrap_or(0.0) / machine.memory_bytes as f64;
        uses.push((MEMORY, Sort::Slots, used.min(1.0)));
    }
    let throttled = component.outcomes.throttled.mean.unwrap_or(0.0);
    let passed = (component.calls.mean.unwrap_or(0.0) - throttled) / duration_s;
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for one in declared.iter().filter(|one| seen.insert(one.name)) {
        let used = match one.meter {
            Meter::Slots => mean(&component.slots_utilisation),
            Meter::Gauge(gauge) => component
                .gauges
                .get(gauge)
                .and_then(|gauge| gauge.figure(Stat::Mean).mean.map(|level| level / one.has)),
            Meter::Passed => Some(passed / one.capacity),
            Meter::Cores | Meter::Disk | Meter::Memory | Meter::Law => None,
        };
        uses.extend(used.map(|used| (one.name, one.sort, used.min(1.0))));
    }
    uses
}

#[cfg(test)]
mod tests {
    use super::super::super::samples::from_text;
    use super::super::samples::changed;
    use super::*;
    use crate::model::resource::APPLY_WORKERS;

    #[test]
    fn the_busiest_resource_binds() {
        let found = changed(|_| ()).bottleneck.unwrap();
        assert_eq!((found.component.as_str(), found.resource, found.utilisation), ("box", "cpu", 0.75));
        let disk = changed(|record| {
            record.components[0].machine.as_mut().unwrap().disk_utilisation = Some(0.9);
        });
        assert_eq!(disk.bottleneck.unwrap().resource, "disk");
        // A call that is served on a core also holds a worker: workers bind only if they are clearly busier than the
        // cores.
        let held =
            |share| changed(move |record| record.components[0].slots_held = Some(share)).bottleneck.unwrap();
        assert_eq!((held(0.95).resource, held(0.95).utilisation), ("workers", 0.95));
        assert_eq!(held(0.8).resource, "cpu");
    }

    #[test]
    fn members_that_are_alike_are_named_together() {
        let group = |busy: f64| {
            changed(move |record| {
                let mut second = record.components[0].clone();
                for (component, name) in [(&mut record.components[0], "web-1"), (&mut second, "web-2")] {
                    (component.name, component.group) = (name.into(), "web".into());
                    component.machine.as_mut().unwrap().host = name.into();
                }
                second.machine.as_mut().unwrap().busy_cores_mean = busy;
                record.components[1] = second;
            })
        };
        let alike = group(1.4).bottleneck.unwrap();
        assert_eq!((alike.component.as_str(), alike.utilisation), ("web", 0.725));
        assert_eq!(group(0.2).bottleneck.unwrap().component, "web-1");
    }

    #[test]
    fn workers_that_apply_the_log_bind_as_cores_do() {
        // Each of 50 writes a second takes the one worker of the replica 16 ms: 80 % of its time.
        let scenario = from_text(
            "[request.write]\neffect = 'write'\n[client.users]\nrate = '50/s'\ntarget = 'web'\n\
             [server.web]\npublic = true\nsteps = [{ query = 'db' }]\n\
             [database.db]\ncores = 4\nreplicas = 1\napply = { demand = '16ms' }\n",
        );
        let mut result = changed(|_| ());
        result.metrics.throughput_rps = Figure::over([50.0]);
        let found = bottleneck(&scenario, &result).unwrap();
        assert_eq!((found.component.as_str(), found.resource), ("db", APPLY_WORKERS));
        assert!((found.utilisation - 0.8).abs() < 1e-9);
        result.metrics.throughput_rps = Figure::over([5.0]);
        assert_eq!(bottleneck(&scenario, &result).unwrap().resource, "cpu");
    }
}
