//! Warnings of what can never keep up with an open load: machines, and the workers of replicas who apply the log.

use super::{Check, path, quantity};
use crate::scenario::load::{StaticLoad, apply_rate};

impl Check<'_, '_> {
    /// Machines must do in a second what open clients ask of them in one.
    pub(super) fn stability(&mut self, load: &StaticLoad) {
        let boxes = &self.assembly.boxes;
        for machine in load.machines.iter().filter(|machine| machine.open_work >= machine.capacity) {
            let exceeds = machine.open_work > machine.capacity;
            let message = format!(
                "`{}` gets {} core seconds of work a second and can do {}: its utilisation must {} 1",
                machine.name,
                quantity(machine.open_work),
                quantity(machine.capacity),
                if exceeds { "exceed" } else { "reach" }
            );
            // At exactly 1 the mean rates balance; what varies makes the queue grow all the same, but at no rate.
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

    /// The workers of a replica that apply the log must do in a second what is written in one.
    pub(super) fn replicas_keep_up(&mut self, load: &StaticLoad) {
        let boxes = self.assembly.boxes.iter().zip(&load.boxes);
        let slow = boxes.filter_map(|(entry, one)| Some((entry, one.open_apply_work, apply_rate(entry)?)));
        for (entry, work, rate) in slow.filter(|(_, work, rate)| work >= rate) {
            let Some(machine) = entry.spec.machine() else { continue };
            let message = format!(
                "each replica of `{}` gets {} core seconds of writes to apply a second and its workers can do {}: it falls \
                 behind by {} s every second",
                entry.name,
                quantity(work),
                quantity(rate),
                quantity(1.0 - rate / work)
            );
            // As many as keep busy for less than all of the time.
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
