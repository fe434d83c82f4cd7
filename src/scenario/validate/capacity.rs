//! Warnings of machines and of apply workers of replicas that can never keep up with an open load.

use super::{Check, path, quantity};
use crate::model::resource::{APPLY_WORKERS, POOL};
use crate::scenario::load::StaticLoad;

impl Check<'_, '_> {
    /// Warns of machines that get more work from open clients than they can do.
    pub(super) fn stability(&mut self, load: &StaticLoad) {
        let boxes = &self.assembly.boxes;
        for machine in load.machines().filter(|machine| machine.open_work >= machine.capacity()) {
            let exceeds = machine.open_work > machine.capacity();
            let message = format!(
                "`{}` gets {} core seconds of work a second and can do {}: its utilisation must {} 1",
                machine.name,
                quantity(machine.open_work),
                quantity(machine.capacity()),
                if exceeds { "exceed" } else { "reach" }
            );
            // At exactly 1 the mean rates balance. The queue still grows, because of variation, but more slowly than
            // at any rate.
            let help = if exceeds {
                let growth = quantity(load.growth_per_s(machine, boxes));
                format!("without limits its queue grows by {growth} calls a second")
            } else {
                "without limits its queue grows without end, if slowly".to_owned()
            };
            let entry = self.entries[machine.name.as_str()];
            self.warn(&path(entry, ""), message, help);
        }
    }

    /// Warns of pools of connections that open clients ask for more than they have, and of pools that together have more
    /// connections than the other box accepts.
    pub(super) fn pools(&mut self, load: &StaticLoad) {
        for pool in load.pools().filter(|pool| pool.open_work >= pool.capacity()) {
            let entry = self.entries[pool.name.as_str()];
            let message = format!(
                "the calls of `{}` hold {} connections at a time and there are {}: those that wait for one grow without end",
                pool.name,
                quantity(pool.open_work),
                quantity(pool.capacity())
            );
            self.warn(
                &path(entry, POOL),
                message,
                "give a larger `db_pool`, or hold connections for less time",
            );
        }
        let boxes = &self.assembly.boxes;
        for other in boxes {
            let Some(most) = other.spec.accepts() else { continue };
            let pools = |entry: &'_ crate::scenario::BoxEntry| {
                let pools = entry.spec.pools(&self.assembly.classes).into_iter();
                let has = pools.filter(|pool| pool.to == other.name).map(|pool| u64::from(pool.has));
                has.sum::<u64>() * u64::from(entry.spec.members())
            };
            let all: u64 = boxes.iter().map(pools).sum();
            let largest = boxes.iter().max_by_key(|entry| pools(entry));
            if let Some(entry) = largest.filter(|_| all > u64::from(most)) {
                let message = format!(
                    "the pools of all machines may open {all} connections to `{}`, which accepts {most}: the rest is rejected",
                    other.name
                );
                self.warn(&path(entry, POOL), message, "give smaller pools, or more `connections`");
            }
        }
    }

    /// Warns of links between two boxes that open clients give more answers than they can send.
    pub(super) fn full_links(&mut self, load: &StaticLoad) {
        let members = |name: &str| self.entries.get(name).map_or(1, |entry| entry.spec.members());
        let mut full = Vec::new();
        for (index, link) in self.assembly.ways.links.iter().enumerate() {
            let Some(bandwidth) = link.bandwidth else { continue };
            let [one, other] = &link.between;
            let most = bandwidth.0 as f64 * f64::from(members(one)) * f64::from(members(other));
            for (from, to) in [(one, other), (other, one)] {
                let flows = load.flows.iter().filter(|flow| flow.from == *from && flow.to == *to);
                let sum: f64 = flows.map(|flow| flow.bytes_per_s).sum();
                if sum >= most {
                    let message = format!(
                        "the answers of `{from}` to `{to}` are {} MB a second and the link sends {}: they wait without end",
                        quantity(sum / 1e6),
                        quantity(most / 1e6)
                    );
                    full.push((format!("network.link[{index}].bandwidth"), message));
                }
            }
        }
        for (at, message) in full {
            self.warn(&at, message, "give it more `bandwidth`, or smaller answers");
        }
    }

    /// Warns of replicas whose workers apply the log more slowly than it is written.
    pub(super) fn replicas_keep_up(&mut self, load: &StaticLoad) {
        let workers = load.resources.iter().filter(|one| one.resource.name == APPLY_WORKERS);
        for one in workers.filter(|one| one.open_work >= one.capacity()) {
            let entry = self.entries[one.name.as_str()];
            let Some(machine) = entry.spec.machine() else { continue };
            let (work, rate) = (one.open_work / f64::from(one.resource.holders()), one.resource.capacity);
            let message = format!(
                "each replica of `{}` gets {} core seconds of writes to apply a second and its workers can do {}: it falls \
                 behind by {} s every second",
                entry.name,
                quantity(work),
                quantity(rate),
                quantity(1.0 - rate / work)
            );
            // The least number of workers whose utilisation is below 1.
            let needed = (work / machine.speed).floor() + 1.0;
            let help = if needed <= f64::from(machine.cores) {
                format!("its lag grows without end: {}.apply.workers={needed}", entry.name)
            } else {
                format!(
                    "it would take {needed} workers and cores: lower {}.apply.demand, or write less",
                    entry.name
                )
            };
            self.warn(&path(entry, "apply.workers"), message, help);
        }
    }
}
