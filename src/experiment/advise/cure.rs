//! What could help: for each cause that `why` names, the changes that could take it away, the best first.

use std::ops::Range;

use crate::model::lever::{Effect, Ill, Lever};
use crate::model::resource::Sort;
use crate::scenario::faults::FaultKind;
use crate::scenario::levers::levers;
use crate::scenario::load::ResourceLoad;
use crate::scenario::{BoxEntry, Scenario};

use super::super::finding::{Change, Finding};
use super::super::rare::named;
use super::super::result::RunResult;
use super::full::{depths, reach};
use super::story::targets;
use super::{owner, resource_of, used};

/// Reads a scenario with other values of some keys: keys and values. `None` if that is no good scenario.
pub type Reload<'a> = dyn Fn(&[(String, String)]) -> Option<Scenario> + 'a;

/// Steps of a lever without a number, such as a type of machine, after which it is given up.
const STEPS_MAX: usize = 8;

/// Resources of which the use of one is this part of the other's are full at the same load.
const AS_FULL: f64 = 0.9;

/// Use of a resource that leaves room for chance.
const ROOMY: f64 = 0.8;

/// Faults after which nobody answers, not even to a connection.
const SILENT: [FaultKind; 4] =
    [FaultKind::PowerOff, FaultKind::Partition, FaultKind::Zone, FaultKind::Region];

/// Whether nobody answers while a fault of this kind lasts.
fn is_silent(fault: &str) -> bool {
    SILENT.iter().any(|kind| kind.name() == fault)
}

/// Most alternatives for one cause.
const FOR_ONE_MAX: usize = 3;

/// Tries a request from which on the tries themselves are a cause.
const STORM: f64 = 2.0;

/// The change that gives a lever of a box a value.
fn change(entry: &BoxEntry, lever: &Lever, value: String) -> Change {
    let price = lever.price.map(|price| format!("USD {price} an hour"));
    let comment = price.or_else(|| lever.why.clone());
    Change { key: format!("{}.{}", entry.name, lever.key), value, comment }
}

/// Changes that are made together, because one of them alone does nothing; at least one.
pub(super) type Together = Vec<Change>;

/// What could take one cause away, the best first; at least one alternative.
pub(super) struct Cause {
    pub(super) alternatives: Vec<Together>,
    /// Whether the scenario alone asks for more than there is, so that no other change can do without these.
    pub(super) by_law: bool,
    /// Whether each alternative is worth a try even after one has helped: they cost different things.
    pub(super) each: bool,
}

/// For each cause, the changes that could take it away.
pub(super) fn cures(scenario: &Scenario, result: &RunResult, reload: Option<&Reload<'_>>) -> Vec<Cause> {
    let cures = Cures { scenario, result, reload, load: scenario.load().resources };
    let mut all: Vec<Cause> = Vec::new();
    // What is merely the busiest is no cause where there is another one.
    let is_busiest = |finding: &&Finding| matches!(finding, Finding::Busiest { .. });
    let (last, first): (Vec<&Finding>, Vec<&Finding>) = result.why.iter().partition(is_busiest);
    let has_cause = |all: &Vec<Cause>, finding: &Finding| !all.is_empty() && is_busiest(&finding);
    for finding in first.into_iter().chain(last) {
        if has_cause(&all, finding) {
            break;
        }
        let Some(mut alternatives) = cures.of(finding) else { continue };
        // A key that helps against an earlier cause has its value already.
        let known = |key: &str| {
            let mut changes = all.iter().flat_map(|cause| cause.alternatives.iter().flatten());
            changes.any(|known| known.key == key)
        };
        alternatives.retain(|changes| !changes.iter().any(|change| known(&change.key)));
        // Who takes over costs another thing than who waits less for those that are gone.
        let is_gone = cures.fault(finding).is_some_and(|(fault, _)| is_silent(fault));
        let is_down = matches!(finding, Finding::Metastable { .. });
        let each = is_down || is_gone;
        if !is_down {
            alternatives.truncate(FOR_ONE_MAX);
        }
        let by_law = matches!(finding, Finding::Full { need: Some(_), .. } | Finding::Behind { .. });
        if !alternatives.is_empty() {
            all.push(Cause { alternatives, by_law, each });
        }
    }
    all
}

struct Cures<'a> {
    scenario: &'a Scenario,
    result: &'a RunResult,
    reload: Option<&'a Reload<'a>>,
    load: Vec<ResourceLoad>,
}

impl Cures<'_> {
    /// The alternatives against one finding; `None` if it is not one that can be changed.
    fn of(&self, finding: &Finding) -> Option<Vec<Together>> {
        match finding {
            Finding::NoAcks { .. } => Some(self.against(&self.everything(), &[Ill::Acks])),
            Finding::Metastable { weakest, .. } => {
                Some(self.against(&self.from(weakest.as_deref()), &[Ill::Storm]))
            }
            Finding::Fault { .. } | Finding::RandomFaults { .. } => {
                let (fault, of) = self.fault(finding)?;
                Some(self.against_fault(fault, &of))
            }
            Finding::Retries { inside, .. } if *inside >= STORM => {
                Some(self.against(&self.everything(), &[Ill::Storm]))
            }
            Finding::Full { of, resource, .. } | Finding::Held { of, resource, .. } => {
                Some(self.release(self.relief(of, resource)?, of, resource))
            }
            Finding::Behind { of, resource, .. } => self.relief(of, resource),
            Finding::Busiest { of, resource, .. } => self.relief(of, resource),
            Finding::Growth { .. } | Finding::Backlog { .. } => {
                let binds = self.result.bottleneck.as_ref()?;
                self.relief(&binds.component, binds.resource)
            }
            Finding::Wait { of, .. } => self.relief(of, self.scarce(of)?),
            Finding::Origin { of: Some(of), resource: Some(resource), .. } => self.relief(of, resource),
            _ => None,
        }
    }

    // When something goes wrong -------------------------------------------------------------------------------------

    /// All boxes, this one first: of many changes only some are tried, and those at the box that does the least help most often.
    fn from(&self, first: Option<&str>) -> Vec<&BoxEntry> {
        let mut all = self.everything();
        all.sort_by_key(|entry| Some(entry.name.as_str()) != first);
        all
    }

    fn everything(&self) -> Vec<&BoxEntry> {
        self.scenario.boxes.iter().collect()
    }

    /// The kind of the fault that a finding names, planned or random, and what it hits.
    fn fault<'f>(&self, finding: &'f Finding) -> Option<(&'f str, Vec<String>)> {
        match finding {
            Finding::Fault { fault, of, .. } => Some((fault, of.clone())),
            Finding::RandomFaults { fault, .. } => {
                let mut random = self.scenario.faults.iter().filter(|one| one.mtbf.is_some());
                let found = random.find(|one| named(one) == *fault)?;
                Some((found.kind.name(), targets(found)))
            }
            _ => None,
        }
    }

    /// What helps when these boxes or members are away: at themselves, and at the boxes that lead to them, the nearest first.
    fn against_fault(&self, fault: &str, of: &[String]) -> Vec<Together> {
        let late = [FaultKind::Slow, FaultKind::Latency, FaultKind::PacketLoss];
        let is_late = late.iter().any(|kind| kind.name() == fault);
        let ills: &[Ill] = match fault {
            _ if is_late => &[Ill::Slow],
            _ if fault == FaultKind::Errors.name() => &[Ill::Wrong, Ill::Dead],
            _ if is_silent(fault) => &[Ill::Silent, Ill::Dead],
            _ => &[Ill::Dead],
        };
        let hit: Vec<&str> = of
            .iter()
            .filter_map(|name| owner(self.scenario, name))
            .map(|entry| entry.name.as_str())
            .collect();
        let leads = |entry: &&BoxEntry| {
            let below = reach(self.scenario, &entry.name, None);
            hit.is_empty() || hit.iter().any(|name| below.contains(name))
        };
        let depths = depths(self.scenario);
        let mut boxes: Vec<&BoxEntry> = self.scenario.boxes.iter().filter(leads).collect();
        boxes.sort_by_key(|entry| std::cmp::Reverse(depths.get(entry.name.as_str()).copied().unwrap_or(0)));
        let mut changes = self.against(&boxes, ills);
        if is_late {
            return changes;
        }
        // A name that hands out dead addresses, or a balancer that asks dead targets, comes before another machine.
        let more = boxes.iter().filter(|entry| hit.contains(&entry.name.as_str())).flat_map(|entry| {
            let adds = levers(self.scenario, entry).into_iter().filter(|lever| lever.adds > 0);
            adds.filter_map(|lever| Some(vec![turned(entry, &lever)?])).take(1).collect::<Vec<_>>()
        });
        changes.extend(more);
        changes
    }

    /// The levers of some boxes that help against any of some ills. Those that only help together are turned at once.
    fn against(&self, boxes: &[&BoxEntry], ills: &[Ill]) -> Vec<Together> {
        let of = |entry: &&'_ BoxEntry| {
            let all = levers(self.scenario, entry).into_iter();
            let helps = all.filter(|lever| ills.iter().any(|ill| lever.cures(*ill)));
            helps.filter_map(|lever| Some((lever.joint, turned(entry, &lever)?))).collect::<Vec<_>>()
        };
        let mut found: Vec<(&str, Together)> = Vec::new();
        for (joint, change) in boxes.iter().flat_map(of) {
            match found.iter_mut().find(|(name, _)| !joint.is_empty() && *name == joint) {
                Some((_, changes)) => changes.push(change),
                None => found.push((joint, vec![change])),
            }
        }
        found.into_iter().map(|(_, changes)| changes).collect()
    }

    /// What calls hold while they wait for another box is free again when they wait less: that comes after more of it.
    fn release(&self, mut relief: Vec<Together>, of: &str, name: &str) -> Vec<Together> {
        let Some(entry) = owner(self.scenario, of) else { return relief };
        let is_held = resource_of(self.scenario, entry, name).is_some_and(|(_, one)| one.sort == Sort::Slots);
        if is_held {
            let at = 2.min(relief.len());
            relief.splice(at..at, self.against(&[entry], &[Ill::Held]));
        }
        relief
    }

    // When there is too little --------------------------------------------------------------------------------------

    /// The resource of a box at which calls wait longest: the busiest of those that it has.
    fn scarce(&self, of: &str) -> Option<&'static str> {
        let binds = self.result.bottleneck.as_ref()?;
        let is_there = owner(self.scenario, &binds.component)?.name == of;
        is_there.then_some(binds.resource)
    }

    /// The changes that give a box, or a member, more of a resource, and of what would be full next.
    fn relief(&self, of: &str, name: &str) -> Option<Vec<Together>> {
        let entry = owner(self.scenario, of)?;
        let (holder, resource) = resource_of(self.scenario, entry, name)?;
        let members = if holder.name == entry.name { members(entry, of) } else { 0..1 };
        let mut levers = levers(self.scenario, holder);
        levers.retain(|lever| lever.relieves(resource.name, &members));
        if resource.sort != Sort::Rate {
            // More of what is held: the key that changes nothing else comes first.
            levers.sort_by_key(width);
        }
        let row = fullest(&self.load, &holder.name, name);
        let mut changes: Vec<Change> =
            levers.iter().filter_map(|lever| self.enough(holder, lever, row)).collect();
        // Where calls come in bunches, what is enough on average is not.
        let plenty = changes.first().and_then(|change| plenty(holder, &levers, change));
        let plenty =
            plenty.filter(|change| self.reload.is_some_and(|reload| reload(&[change.pair()]).is_some()));
        changes.splice(1.min(changes.len())..1.min(changes.len()), plenty);
        let with_next = |change: Change| {
            let next = row.and_then(|row| self.full_next(holder, row, &change));
            std::iter::once(change).chain(next).collect()
        };
        Some(changes.into_iter().map(with_next).collect())
    }

    /// The change of another resource of a box that was as full as a row, and still is when that has been relieved: one core more
    /// is of no use while one worker takes all calls.
    fn full_next(&self, entry: &BoxEntry, row: &ResourceLoad, relief: &Change) -> Option<Change> {
        let changed = self.reload?(&[relief.pair()])?;
        let there = changed.entry(&entry.name)?;
        let load = changed.load().resources;
        let left = used(fullest(&load, &row.name, row.resource.name)?);
        let others = load.iter().filter(|one| one.name == row.name && one.resource.name != row.resource.name);
        let next = others.reduce(|most, one| if used(one) > used(most) { one } else { most })?;
        // Far apart, they are full for another reason than their load.
        let are_alike = (AS_FULL..=1.0 / AS_FULL).contains(&(used(next) / used(row)));
        if !are_alike && used(next) <= ROOMY || used(next) <= left {
            return None;
        }
        let all = 0..there.spec.members();
        let mut levers = levers(&changed, there);
        levers.retain(|lever| lever.relieves(next.resource.name, &all));
        let lever = levers.iter().min_by_key(|lever| width(lever))?;
        // As much as there is of the other one now, and no less than what is asked for.
        let share = (ROOMY * used(next) / left).max(used(next));
        let value = lever.now.enough(share).or(lever.next)?;
        Some(change(there, lever, value.to_string()))
    }

    /// The least value of a lever that brings the row below 80 % when the load is highest.
    fn enough(&self, entry: &BoxEntry, lever: &Lever, row: Option<&ResourceLoad>) -> Option<Change> {
        if self.reload.is_none() {
            // What nobody can check is the next value.
            return turned(entry, lever);
        }
        let share = row.map_or(0.0, used);
        let key = format!("{}.{}", entry.name, lever.key);
        let found = lever.now.enough(share).or(lever.next)?;
        let mut value = found.to_string();
        let mut price = lever.clone();
        for _ in 0..STEPS_MAX {
            let one = [(key.clone(), value.clone())];
            let Some(changed) = self.reload.and_then(|reload| reload(&one)) else { break };
            let there = changed.entry(&entry.name)?;
            let now = levers(&changed, there).into_iter().find(|one| one.key == lever.key)?;
            let load = changed.load().resources;
            let left = row.and_then(|row| fullest(&load, &row.name, row.resource.name));
            let found = change(entry, &price, value.clone());
            let Some(next) = now.next.filter(|_| left.is_some_and(|left| used(left) > ROOMY + 1e-9)) else {
                return Some(found);
            };
            value = next.to_string();
            price = Lever { price: now.price, why: now.why, ..price };
        }
        turned(entry, lever)
    }
}

/// Four times the value of a change; `None` where it is no number.
fn plenty(entry: &BoxEntry, levers: &[Lever], of: &Change) -> Option<Change> {
    let lever = levers.iter().find(|lever| format!("{}.{}", entry.name, lever.key) == of.key)?;
    let value = lever.now.with(of.value.trim_end_matches("/s").parse().ok()?)?.twice(f64::INFINITY)?;
    Some(change(entry, lever, value.twice(f64::INFINITY)?.to_string()))
}

/// The row of a resource of a box with the highest use.
fn fullest<'a>(load: &'a [ResourceLoad], name: &str, resource: &str) -> Option<&'a ResourceLoad> {
    let rows = load.iter().filter(|row| row.name == name && row.resource.name == resource);
    rows.reduce(|most, one| if used(one) > used(most) { one } else { most })
}

/// Number of resources that a lever relieves.
fn width(lever: &Lever) -> usize {
    if let Effect::Relief { resources, .. } = &lever.effect { resources.len() } else { 0 }
}

/// Numbers of the members of a box that a name stands for: one of them, or all.
fn members(entry: &BoxEntry, name: &str) -> Range<u32> {
    let all = 0..entry.spec.members();
    if entry.name == name {
        return all;
    }
    let one = all.clone().find(|number| entry.spec.member(&entry.name, *number).name == name);
    one.map_or(all, |number| number..number + 1)
}

/// The lever at its next value; `None` at its end.
pub(super) fn turned(entry: &BoxEntry, lever: &Lever) -> Option<Change> {
    Some(change(entry, lever, lever.next?.to_string()))
}
