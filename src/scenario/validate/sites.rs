//! Warnings of active sites that the others could not stand in for.

use std::collections::BTreeSet;

use super::{Check, path, quantity};
use crate::model::ask::Verbs;
use crate::scenario::BoxEntry;
use crate::scenario::load::{Missing, ResourceLoad, StaticLoad, static_load};

impl Check<'_, '_> {
    /// Warns of names that lead to several regions, where the others could not carry what one of them does.
    pub(super) fn sites(&mut self, load: &StaticLoad) {
        for name in self.assembly.boxes.iter().filter(|entry| entry.spec.answers().meets(Verbs::RESOLVE)) {
            let regions = self.active(name);
            let sites = regions.len();
            if sites < 2 {
                continue;
            }
            let lost = |region: String| Some((self.without(&region, load)?, region));
            let worst =
                regions.into_iter().filter_map(lost).max_by(|one, other| one.0.0.total_cmp(&other.0.0));
            if let Some(((share, what), region)) = worst {
                let carries = quantity(100.0 * (sites - 1) as f64 / sites as f64);
                let message = format!("if `{region}` is lost, {what}: {} %", quantity(100.0 * share));
                let help = format!(
                    "of {sites} sites each carries at most {carries} % of what it can, so that the others can stand in for it"
                );
                self.warn(&path(name, "records"), message, help);
            }
        }
    }

    /// The regions to which a name leads.
    fn active(&self, name: &BoxEntry) -> BTreeSet<String> {
        let mut regions = BTreeSet::new();
        for class in &self.assembly.classes {
            let demand = name.spec.demand(class);
            let to = demand.calls.iter().chain(&demand.spread).filter(|(_, weight)| *weight > 0.0);
            for entry in to.filter_map(|(to, _)| self.entries.get(to.as_str())) {
                regions.extend(entry.regions.iter().cloned());
            }
        }
        regions
    }

    /// What is asked for more than it has once a region is lost, and was not before: the share, and the words for it.
    fn without(&self, region: &str, load: &StaticLoad) -> Option<(f64, String)> {
        let boxes = &self.assembly.boxes;
        let missing = Missing::of(boxes, &[format!("region:{region}")]).ok()?;
        let left = static_load(boxes, &self.assembly.classes, &self.assembly.ways, &missing);
        let is_new = |row: &(usize, f64)| {
            let before = &load.resources[row.0];
            row.1 > 1.0 && before.peak.open <= before.capacity()
        };
        let share =
            |(at, row): (usize, &ResourceLoad)| (row.left > 0).then(|| (at, row.peak.open / row.capacity()));
        let worst = left.resources.iter().enumerate().filter_map(share).filter(is_new);
        let (at, share) = worst.max_by(|one, other| one.1.total_cmp(&other.1))?;
        let row = &left.resources[at];
        let noun = row.resource.noun;
        Some((share, format!("more is asked of {} of `{}` than there is", noun.word(), row.name)))
    }
}
