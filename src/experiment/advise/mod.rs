//! What binds, why, and what to try next: sentences made from measured numbers, never fixed conclusions.

mod bottleneck;
mod next;
mod why;

use crate::model::resource::Resource;
use crate::scenario::{BoxEntry, Scenario};

pub(super) use bottleneck::bottleneck;
pub(super) use next::TRIALS_ADVISED_MAX;
pub use next::next;
pub(super) use why::why;

/// The box that a name, of a box or of a member, stands for.
fn owner<'a>(scenario: &'a Scenario, name: &str) -> Option<&'a BoxEntry> {
    let is_member = |entry: &&BoxEntry| {
        let member = |number| entry.spec.member(&entry.name, number).name;
        (0..entry.spec.members()).any(|number| member(number) == name)
    };
    scenario.entry(name).or_else(|| scenario.boxes.iter().find(is_member))
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
