//! What binds, why, and what to try next: sentences made from measured numbers, never fixed conclusions.

mod bottleneck;
mod course;
mod cure;
mod full;
mod incident;
mod next;
mod story;
mod why;

use crate::model::resource::{MEMORY, Meter, POOL, Resource, Sort};
use crate::scenario::load::ResourceLoad;
use crate::scenario::{BoxEntry, Scenario};

pub(super) use bottleneck::bottleneck;
pub use cure::Reload;
pub(super) use incident::fails;
pub use next::next;
pub(super) use next::{TRIALS_ADVISED_MAX, best, dies, name_cures, plans, untried};
pub(super) use why::{unconfirmed, why};

/// The box that a name, of a box or of a member, stands for.
fn owner<'a>(scenario: &'a Scenario, name: &str) -> Option<&'a BoxEntry> {
    let is_member = |entry: &&BoxEntry| {
        let member = |number| entry.spec.member(&entry.name, number).name;
        (0..entry.spec.members()).any(|number| member(number) == name)
    };
    scenario.entry(name).or_else(|| scenario.boxes.iter().find(is_member))
}

/// The resource for want of which a box refuses calls with an outcome: of several the one of which most is asked.
fn refuses(scenario: &Scenario, of: &str, outcome: &str) -> Option<Resource> {
    let entry = owner(scenario, of)?;
    let is_it = |resource: &Resource| match outcome {
        "throttled" => resource.sort == Sort::Limit,
        "out of memory" => resource.name == MEMORY,
        "rejected" => resource.sort == Sort::Slots && resource.meter == Meter::Slots,
        "timed out" => resource.name == POOL,
        _ => false,
    };
    let load = scenario.load().resources;
    let share = |resource: &Resource| {
        let rows = load.iter().filter(|row| row.name == entry.name && row.resource.name == resource.name);
        rows.map(used).fold(0.0, f64::max)
    };
    let found = entry.spec.resources(&scenario.classes).into_iter().filter(is_it);
    found.reduce(|most, one| if share(&one) > share(&most) { one } else { most })
}

/// What is asked of a resource when the load is highest, as a share of what it can do.
fn used(row: &ResourceLoad) -> f64 {
    row.peak_utilisation()
}

/// The resource of this name that a box has, and the box that has it: itself, or the one on whose machine it runs.
fn resource_of<'a>(
    scenario: &'a Scenario,
    entry: &'a BoxEntry,
    name: &str,
) -> Option<(&'a BoxEntry, Resource)> {
    let host = entry.spec.host().and_then(|host| scenario.entry(host));
    let of = |entry: &'a BoxEntry| {
        let mut all = entry.spec.resources(&scenario.classes).into_iter();
        all.find(|resource| resource.name == name).map(|resource| (entry, resource))
    };
    of(entry).or_else(|| of(host?))
}

#[cfg(test)]
mod samples {
    use super::super::result::RunResult;
    use super::super::samples::{result, trial};
    use crate::model::record::TrialRecord;

    /// The result of two trials after a change to each.
    pub(super) fn changed(change: impl Fn(&mut TrialRecord)) -> RunResult {
        let mut records = vec![trial(&[100, 200]), trial(&[100, 200])];
        records.iter_mut().for_each(change);
        result(records)
    }
}
