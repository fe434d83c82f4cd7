//! Warnings of machines and of apply workers of replicas that can never keep up with an open load.

use super::{Check, path, quantity};
use crate::model::resource::APPLY_WORKERS;
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
