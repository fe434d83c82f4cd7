//! Which resources were full in a run of windows, the deepest in the call graph first.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::model::resource::{CPU, Meter, Noun, POOL, Resource};
use crate::scenario::{BoxEntry, Scenario};

use super::super::result::{ComponentResult, RunResult};
use super::course::{Course, Slice};

/// From this use on a resource is full.
const FULL: f64 = 0.9;

/// Windows that show together whether a resource is full.
const BACK: usize = 10;

/// Share of the windows of an incident, the fullest ones, in which a resource must have been full.
const PART: f64 = 0.2;

/// A member whose use is this many times that of its group is named alone.
const DIFFERS: f64 = 1.25;

/// A resource that was full.
#[derive(Clone, Debug)]
pub(super) struct Full {
    /// The box that has it.
    pub(super) group: String,
    /// The box, or one member that is much fuller than the others.
    pub(super) of: String,
    /// Its stable name.
    pub(super) resource: &'static str,
    /// How a sentence speaks of it.
    pub(super) noun: Noun,
    /// How it is measured.
    pub(super) meter: Meter,
    /// What all members together have, in the unit of the scenario.
    pub(super) has: f64,
    /// Its use in the fullest windows, 0..1.
    pub(super) share: f64,
    /// The windows of the course from the first to the last in which it was full.
    pub(super) rows: Range<usize>,
    /// Length of the longest way of calls from a client to the box.
    pub(super) depth: usize,
}

impl Full {
    /// Whether calls hold it while they wait for others, so that it may be full because of them.
    pub(super) fn is_held(&self) -> bool {
        self.meter == Meter::Slots || self.resource == POOL
    }
}

/// The resources that were full in these windows. Of one box, only the innermost: calls hold workers while they wait for cores or
/// for connections.
pub(super) fn full(
    scenario: &Scenario,
    result: &RunResult,
    course: &Course,
    rows: &Range<usize>,
) -> Vec<Full> {
    let depths = depths(scenario);
    let mut found: Vec<Full> = Vec::new();
    for entry in &scenario.boxes {
        let depth = depths.get(entry.name.as_str()).copied().unwrap_or(0);
        let members = members(result, &entry.name);
        let resources = entry.spec.resources(&scenario.classes);
        let of = |resource: &Resource| of_resource(resource, entry, &members, course, rows, depth);
        // What does work first, then what calls with a worker wait for, then the workers.
        let rank = |one: &Full| (one.meter == Meter::Slots, one.resource == POOL);
        found.extend(resources.iter().filter_map(of).min_by_key(rank));
    }
    found.sort_by(|a, b| b.depth.cmp(&a.depth).then(b.share.total_cmp(&a.share)));
    found
}

/// Index, name and figures of the members of a box.
fn members<'a>(result: &'a RunResult, group: &str) -> Vec<(usize, &'a str, &'a ComponentResult)> {
    let all = result.components.iter().enumerate().map(|(at, (name, one))| (at, name, one));
    all.filter(|(_, _, one)| one.group == group).collect()
}

fn of_resource(
    resource: &Resource,
    entry: &BoxEntry,
    members: &[(usize, &str, &ComponentResult)],
    course: &Course,
    rows: &Range<usize>,
    depth: usize,
) -> Option<Full> {
    let value: fn(&Slice, usize) -> f64 = match resource.meter {
        Meter::Cores if resource.name == CPU => |slice, at| slice.components[at].busy,
        Meter::Slots => |slice, at| slice.components[at].held,
        _ if resource.name == POOL => |slice, at| slice.components[at].lacking,
        Meter::Disk => |_, _| 1.0,
        _ => return None,
    };
    // A member that serves nobody, such as a dead one or a router, does not make the others less full.
    let serves =
        |at: usize| course.slices[rows.clone()].iter().any(|slice| slice.components[at].inside > 0.0);
    let uses = members.iter().filter(|(at, ..)| serves(*at));
    let disk =
        |one: &ComponentResult| one.disk_utilisation.as_ref().and_then(|figure| figure.mean).unwrap_or(0.0);
    let share = |at: usize, one: &ComponentResult| match resource.meter {
        // Only its use over the whole run is known.
        Meter::Disk => disk(one),
        _ => fullest_part(course, rows, |slice| value(slice, at)),
    };
    let uses = uses.map(|(at, name, one)| (*at, *name, share(*at, one)));
    let uses: Vec<(usize, &str, f64)> = uses.filter(|(.., share)| *share > 0.0).collect();
    let mean = uses.iter().map(|(.., share)| share).sum::<f64>() / uses.len() as f64;
    let (_, fullest, most) =
        uses.iter().copied().reduce(|most, one| if one.2 > most.2 { one } else { most })?;
    let is_alone = most > DIFFERS * mean;
    let (of, share) = if is_alone { (fullest, most) } else { (entry.name.as_str(), mean) };
    if share < FULL {
        return None;
    }
    let named = |(_, name, _): &&(usize, &str, f64)| !is_alone || *name == fullest;
    let counted: Vec<usize> = uses.iter().filter(named).map(|(at, ..)| *at).collect();
    let now = |slice: &Slice| counted.iter().map(|at| value(slice, *at)).sum::<f64>() / counted.len() as f64;
    let is_full = |at: &usize| now(&course.slices[*at]) >= FULL;
    let first = rows.clone().find(is_full).unwrap_or(rows.start);
    // It was full before anybody saw it: calls that wait fail later.
    let was_full = |at: &usize| {
        let some = at.saturating_sub(BACK)..*at;
        !some.is_empty()
            && some.clone().map(|at| now(&course.slices[at])).sum::<f64>() / some.len() as f64 >= FULL
    };
    let first = (0..=first).rev().take_while(was_full).last().map_or(first, |at| at.saturating_sub(BACK));
    let last = rows.clone().rev().find(is_full).unwrap_or(rows.end - 1);
    Some(Full {
        group: entry.name.clone(),
        of: of.to_owned(),
        resource: resource.name,
        noun: resource.noun,
        meter: resource.meter,
        has: resource.has * counted.len() as f64,
        share,
        rows: first..last + 1,
        depth,
    })
}

/// The mean of a value over the windows in which it is highest: an incident begins and ends gently, and users see it longer than
/// it lasts.
fn fullest_part(course: &Course, rows: &Range<usize>, value: impl Fn(&Slice) -> f64) -> f64 {
    let mut values: Vec<f64> = course.slices[rows.clone()].iter().map(value).collect();
    values.sort_by(|a, b| b.total_cmp(a));
    values.truncate((PART * values.len() as f64).ceil() as usize);
    values.iter().sum::<f64>() / values.len() as f64
}

/// For each box, the length of the longest way of calls from a client to it.
pub(super) fn depths(scenario: &Scenario) -> BTreeMap<&str, usize> {
    let mut depths: BTreeMap<&str, usize> = BTreeMap::new();
    let clients = scenario.boxes.iter().filter(|entry| entry.spec.offered().is_some());
    let mut next: Vec<&BoxEntry> = clients.collect();
    // Calls have no cycle, so that no way is longer than the number of boxes.
    for depth in 0..=scenario.boxes.len() {
        next.iter().for_each(|entry| {
            depths.insert(&entry.name, depth);
        });
        let mut names: Vec<String> =
            next.iter().flat_map(|entry| entry.spec.arrows()).map(|arrow| arrow.to).collect();
        names.sort();
        names.dedup();
        next = names.iter().filter_map(|name| scenario.entry(name)).collect();
    }
    depths
}

/// The boxes that calls of a class, or of any, come to from a box, itself included.
pub(super) fn reach<'a>(scenario: &'a Scenario, from: &str, class: Option<usize>) -> Vec<&'a str> {
    let mut found: Vec<&str> = Vec::new();
    let mut next: Vec<&BoxEntry> = scenario.entry(from).into_iter().collect();
    while let Some(entry) = next.pop() {
        if found.contains(&entry.name.as_str()) {
            continue;
        }
        found.push(&entry.name);
        let names: Vec<String> = match class {
            None => entry.spec.arrows().into_iter().map(|arrow| arrow.to).collect(),
            Some(class) => asked(entry, &scenario.classes[class]),
        };
        next.extend(names.iter().filter_map(|name| scenario.entry(name)));
    }
    found
}

/// The boxes that a call of a class at a box leads to.
fn asked(entry: &BoxEntry, class: &crate::model::spec::RequestClass) -> Vec<String> {
    let demand = entry.spec.demand(class);
    let missed = demand.missed.into_iter().filter(|(.., times)| *times > 0.0).map(|(_, name, _)| name);
    let calls = demand.calls.into_iter().filter(|(_, times)| *times > 0.0).map(|(name, _)| name);
    let queries = demand.queries.into_iter().filter(|(_, times, _)| *times > 0.0).map(|(name, ..)| name);
    let spread = demand.spread.into_iter().map(|(name, _)| name);
    // A name leads to all of its addresses, which are no calls.
    let names = if entry.spec.offered().is_none() && entry.spec.machine().is_none() {
        entry.spec.arrows().into_iter().map(|arrow| arrow.to).collect()
    } else {
        Vec::new()
    };
    calls.chain(missed).chain(queries).chain(spread).chain(names).collect()
}
